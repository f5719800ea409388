/* Grids: balanced, uniform, never the same, and redrawn by whoever has the key. */
#include "grid/grid.h"
#include "tests/test.h"

static const struct grid_shape standard = {3, 4, 4, "0123456789"};
static const uint8_t key[GRID_KEY_SIZE] = "a key of thirty-two bytes, here";

static void id_of(uint64_t number, uint8_t id[static GRID_ID_SIZE])
{
    struct writer w = wr_init(id, GRID_ID_SIZE);
    wr_u64(&w, 0);
    wr_u64(&w, number);
}

static void the_same_id_draws_the_same_grid_and_another_draws_another(void **state)
{
    (void)state;
    uint8_t id[GRID_ID_SIZE], other_key[GRID_KEY_SIZE] = "another key of thirty-two bytes";
    char a[GRID_CELLS_MAX + 1], b[GRID_CELLS_MAX + 1], c[GRID_CELLS_MAX + 1];
    id_of(1, id);
    assert_int_equal(grid_draw(key, id, &standard, a), ERR_OK);
    assert_int_equal(grid_draw(key, id, &standard, b), ERR_OK);
    assert_string_equal(a, b);
    assert_int_equal(grid_draw(other_key, id, &standard, c), ERR_OK);
    assert_string_not_equal(a, c);
    id_of(2, id);
    assert_int_equal(grid_draw(key, id, &standard, c), ERR_OK);
    assert_string_not_equal(a, c);
}

static void every_digit_has_four_or_five_of_forty_eight_cells(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 200; i++) {
        uint8_t id[GRID_ID_SIZE];
        char cells[GRID_CELLS_MAX + 1];
        size_t count[10] = {0}, fives = 0;
        id_of(i, id);
        assert_int_equal(grid_draw(key, id, &standard, cells), ERR_OK);
        assert_int_equal(strlen(cells), 48);
        for (size_t cell = 0; cell < 48; cell++)
            count[cells[cell] - '0']++;
        for (size_t digit = 0; digit < 10; digit++) {
            assert_in_range(count[digit], 4, 5);
            fives += count[digit] == 5;
        }
        assert_int_equal(fives, 8);
    }
}

/* Chi-squared of ten digits has nine degrees of freedom: 40 is passed once in 100,000 times by chance, and the seeds
 * are fixed. Neighbouring cells are looked at as pairs too: 99 degrees, 170. */
static void each_cell_has_each_digit_equally_often(void **state)
{
    (void)state;
    enum { GRIDS = 20000 };
    static uint32_t count[48][10], pairs[10][10];
    for (uint64_t i = 0; i < GRIDS; i++) {
        uint8_t id[GRID_ID_SIZE];
        char cells[GRID_CELLS_MAX + 1];
        id_of(i, id);
        assert_int_equal(grid_draw(key, id, &standard, cells), ERR_OK);
        for (size_t cell = 0; cell < 48; cell++)
            count[cell][cells[cell] - '0']++;
        pairs[cells[0] - '0'][cells[47] - '0']++;
    }
    for (size_t cell = 0; cell < 48; cell++) {
        double chi = 0;
        for (size_t digit = 0; digit < 10; digit++) {
            const double d = count[cell][digit] - GRIDS / 10.0;
            chi += d * d / (GRIDS / 10.0);
        }
        assert_true(chi < 40);
    }
    double chi = 0;
    /* 4.8 cells of each digit: the second cell has the same one in 3.8 + 1/30 of 47 cases rather than in 4.8 */
    for (size_t a = 0; a < 10; a++)
        for (size_t b = 0; b < 10; b++) {
            const double same = (8 * 5 * 4 + 2 * 4 * 3) / 48.0 / 47 / 10, other = (1 - 10 * same) / 90;
            const double want = GRIDS * (a == b ? same : other), d = pairs[a][b] - want;
            chi += d * d / want;
        }
    assert_true(chi < 170);
}

static void numbers_have_two_digits_and_all_occur(void **state)
{
    (void)state;
    bool seen[100] = {false};
    size_t n = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        uint8_t id[GRID_ID_SIZE];
        id_of(i, id);
        const unsigned number = grid_number(key, id);
        assert_in_range(number, 10, 99);
        n += !seen[number];
        seen[number] = true;
    }
    assert_int_equal(n, 90);
}

static void a_code_is_read_back_and_nothing_else_is(void **state)
{
    (void)state;
    uint8_t id[GRID_ID_SIZE], back[GRID_ID_SIZE];
    char text[GRID_CODE_SIZE];
    id_of(0xfedcba9876543210, id);
    grid_code_text(id, text);
    assert_string_equal(text, "0000000000000000fedcba9876543210");
    assert_int_equal(grid_code_parse(text, back), ERR_OK);
    assert_memory_equal(id, back, sizeof(id));
    assert_int_equal(grid_code_parse("", back), ERR_MALFORMED);
    assert_int_equal(grid_code_parse("0000000000000000fedcba987654321", back), ERR_MALFORMED);
    assert_int_equal(grid_code_parse("0000000000000000fedcba98765432100", back), ERR_MALFORMED);
    assert_int_equal(grid_code_parse("0000000000000000FEDCBA9876543210", back), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_id_draws_the_same_grid_and_another_draws_another),
        cmocka_unit_test(every_digit_has_four_or_five_of_forty_eight_cells),
        cmocka_unit_test(each_cell_has_each_digit_equally_often),
        cmocka_unit_test(numbers_have_two_digits_and_all_occur),
        cmocka_unit_test(a_code_is_read_back_and_nothing_else_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
