/* A grid as the text of a question: how it reads, and what is taken for one. */
#include "grid/grid.h"
#include "tests/test.h"

static const char standard[] = "Grid 47 (sekisho-grid/1 3x4x4 120 600 43200)\n"
                               "3 1 4 1  5 9 2 6  5 3 5 8\n"
                               "9 7 9 3  2 3 8 4  6 2 6 4\n"
                               "3 8 3 2  7 9 5 0  2 8 8 4\n"
                               "1 9 7 1  6 9 3 9  9 3 7 5\n"
                               "What stands on your cells, or your password: ";

static void a_grid_is_written_as_somebody_reads_it(void **state)
{
    (void)state;
    char text[GRID_PROMPT_MAX];
    const struct grid_prompt prompt = {.shape = {3, 4, 4, "0123456789"},
                                       .number = 47,
                                       .life = 120,
                                       .back = 600,
                                       .longest = 43200,
                                       .question = "What stands on your cells, or your password:",
                                       .cells = "314197933832197159262384795069395358626428849375"};
    assert_int_equal(grid_prompt_write(&prompt, text), strlen(standard));
    assert_string_equal(text, standard);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    struct grid_prompt read;
    assert_int_equal(grid_prompt_parse(view_str(standard), &read), ERR_OK);
    assert_int_equal(read.number, 47);
    assert_int_equal(read.shape.blocks, 3);
    assert_int_equal(read.shape.rows, 4);
    assert_int_equal(read.shape.columns, 4);
    assert_string_equal(read.shape.alphabet, "");
    assert_int_equal(read.life, 120);
    assert_int_equal(read.back, 600);
    assert_int_equal(read.longest, 43200);
    assert_string_equal(read.cells, "314197933832197159262384795069395358626428849375");
    assert_string_equal(read.question, "What stands on your cells, or your password:");
}

/* Every shape that can be configured fits, with the longest question. */
static void every_shape_comes_back(void **state)
{
    (void)state;
    for (uint8_t blocks = 1; blocks <= GRID_BLOCKS_MAX; blocks++)
        for (uint8_t rows = GRID_SIDE_MIN; rows <= GRID_SIDE_MAX; rows++)
            for (uint8_t columns = GRID_SIDE_MIN; columns <= GRID_SIDE_MAX; columns++) {
                struct grid_prompt prompt = {.shape = {blocks, rows, columns, ""},
                                             .number = 99,
                                             .life = 9999999,
                                             .back = 9999999,
                                             .longest = 9999999};
                struct grid_prompt read = {0};
                char text[GRID_PROMPT_MAX];
                const size_t cells = grid_cells(&prompt.shape);
                if (cells < GRID_CELLS_MIN || cells > GRID_CELLS_MAX)
                    continue;
                for (size_t i = 0; i < cells; i++)
                    prompt.cells[i] = (char)('!' + i % 94);
                memset(prompt.question, '?', GRID_QUESTION_MAX - 1);
                const size_t n = grid_prompt_write(&prompt, text);
                assert_int_equal(grid_prompt_parse(view_of(text, n), &read), ERR_OK);
                assert_memory_equal(&read, &prompt, sizeof(prompt));
            }
}

static void no_part_of_it_is_enough(void **state)
{
    (void)state;
    struct grid_prompt read;
    const size_t question = strlen(standard) - strlen("What stands on your cells, or your password: ");
    for (size_t n = 0; n <= question; n++)
        assert_int_equal(grid_prompt_parse(view_of(standard, n), &read), ERR_MALFORMED);
}

static void other_questions_are_left_as_they_are(void **state)
{
    (void)state;
    static const char *const others[] = {
        "Password: ",
        "Grid 47 (sekisho-grid/2 3x4x4 120 600 43200)\n1 2\nCode: ",
        "Grid 47 (sekisho-grid/1 0x4x4 120 600 43200)\nCode: ",
        "Grid 47 (sekisho-grid/1 5x4x4 120 600 43200)\nCode: ",
        "Grid 47 (sekisho-grid/1 1x7x4 120 600 43200)\nCode: ",
        "Grid 47 (sekisho-grid/1 1x2x2 12000000 0 0)\n1 2\n3 4\nCode: ",
        "Grid 47 (sekisho-grid/1 1x2x2 -1 0 0)\n1 2\n3 4\nCode: ",
        "Grid 47 (sekisho-grid/1 1x2x2 1 0 0)\n1 2\n3  4\nCode: ",
        "Grid 47 (sekisho-grid/1 1x2x2 1 0 0)\n1 2\n3 \033\nCode: ",
        "Grid 47 (sekisho-grid/1 1x2x2 1 0 0)\n1 2\n3 4\nCode:\nor: ",
        "Grid 47 (sekisho-grid/1 1x2x2 1 0 0)\n1 2\n3 4\n  ",
    };
    struct grid_prompt read;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(grid_prompt_parse(view_str(others[i]), &read), ERR_MALFORMED);
    assert_int_equal(grid_prompt_parse(view_str("Grid 47 (sekisho-grid/1 1x2x2 1 0 0)\n1 2\n3 4\nCode: "), &read),
                     ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_is_written_as_somebody_reads_it),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(every_shape_comes_back),
        cmocka_unit_test(no_part_of_it_is_enough),
        cmocka_unit_test(other_questions_are_left_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
