/* The shape of a grid: which are taken, and how they look. */
#include "grid/grid.h"
#include "tests/test.h"

static const struct grid_shape standard = {3, 4, 4, "0123456789"};

static void a_grid_is_shown_row_after_row_with_its_blocks_side_by_side(void **state)
{
    (void)state;
    char text[GRID_TEXT_MAX];
    const char cells[] = "0123456789abcdef"
                         "ABCDEFGHIJKLMNOP"
                         "qrstuvwxyz+-*/=!";
    const size_t n = grid_text(&standard, cells, text, sizeof(text));
    assert_string_equal(text, "0 1 2 3  A B C D  q r s t\n"
                              "4 5 6 7  E F G H  u v w x\n"
                              "8 9 a b  I J K L  y z + -\n"
                              "c d e f  M N O P  * / = !\n");
    assert_int_equal(n, strlen(text));
}

static void an_empty_grid_shows_the_numbers_of_its_cells(void **state)
{
    (void)state;
    const struct grid_shape small = {2, 2, 4, "01234567"};
    char text[GRID_TEXT_MAX];
    grid_text(&small, NULL, text, sizeof(text));
    assert_string_equal(text, " 0  1  2  3   8  9 10 11\n"
                              " 4  5  6  7  12 13 14 15\n");
}

static void what_does_not_fit_is_cut(void **state)
{
    (void)state;
    char text[8];
    const char cells[] = "012345670123456701234567012345670123456701234567";
    assert_true(grid_text(&standard, cells, text, sizeof(text)) < sizeof(text));
    assert_int_equal(strnlen(text, sizeof(text)) < sizeof(text), true);
}

static void every_shape_that_is_taken_fits_into_its_text(void **state)
{
    (void)state;
    char cells[GRID_CELLS_MAX + 1], text[2 * GRID_TEXT_MAX];
    size_t taken = 0;
    memset(cells, 'x', sizeof(cells));
    for (uint8_t blocks = 0; blocks <= GRID_BLOCKS_MAX + 1; blocks++)
        for (uint8_t rows = 0; rows <= GRID_SIDE_MAX + 1; rows++)
            for (uint8_t columns = 0; columns <= GRID_SIDE_MAX + 1; columns++) {
                const struct grid_shape shape = {blocks, rows, columns, "01234567"};
                if (!grid_shape_valid(&shape))
                    continue;
                taken++;
                assert_true(grid_text(&shape, cells, text, sizeof(text)) < GRID_TEXT_MAX);
            }
    assert_true(taken > 50);
}

static void alphabets_must_be_distinct_printable_characters(void **state)
{
    (void)state;
    static const struct {
        const char *alphabet;
        bool taken;
    } rows[] = {
        {"0123456789", true},
        {"01234567", true},
        {"0123456", false},
        {"0123456780", false},
        {"012345 789", false},
        {"abcdefghjkmnpqrstuvwxyz", true},
        {"0123456789abcdefghijklmno", false} /* > cells/2 */,
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct grid_shape shape = {3, 4, 4, ""};
        memcpy(shape.alphabet, rows[i].alphabet, strlen(rows[i].alphabet) + 1);
        assert_int_equal(grid_shape_valid(&shape), rows[i].taken);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_is_shown_row_after_row_with_its_blocks_side_by_side),
        cmocka_unit_test(an_empty_grid_shows_the_numbers_of_its_cells),
        cmocka_unit_test(what_does_not_fit_is_cut),
        cmocka_unit_test(every_shape_that_is_taken_fits_into_its_text),
        cmocka_unit_test(alphabets_must_be_distinct_printable_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
