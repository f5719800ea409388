/* What a server asks, as it stands on the terminal. */
#include "tests/test.h"

#include "cli/cli_internal.h"
#include "grid/grid.h"

static char shown[QUESTION_TEXT_MAX];

static const char cells[] = "3141979338321971" /* the first block, row after row */
                            "5926238479506939"
                            "5358626428849375";

static json_t *grid_of(const char *text, int blocks, int rows, int columns)
{
    return json_pack("{s:{s:s, s:i, s:i, s:i, s:s}}", "grid", "number", "47", "blocks", blocks, "rows", rows, "columns",
                     columns, "cells", text);
}

/* Takes the JSON. */
static const char *show(json_t *json, const char *question, unsigned round)
{
    struct ctl_progress p = {.round = round};
    snprintf(p.detail, sizeof p.detail, "%s", question);
    question_text(json, &p, shown);
    json_decref(json);
    return shown;
}

static void blocks_stand_side_by_side(void **state)
{
    (void)state;
    assert_string_equal(show(grid_of(cells, 3, 4, 4), "What stands on your cells:", 1),
                        "\n"
                        "Grid 47\n"
                        "\n"
                        "    3 1 4 1    5 9 2 6    5 3 5 8\n"
                        "    9 7 9 3    2 3 8 4    6 2 6 4\n"
                        "    3 8 3 2    7 9 5 0    2 8 8 4\n"
                        "    1 9 7 1    6 9 3 9    9 3 7 5\n"
                        "\n"
                        "What stands on your cells: ");
}

static void a_question_without_a_grid_is_itself(void **state)
{
    (void)state;
    assert_string_equal(show(json_object(), "Code of the card:", 1), "Code of the card: ");
}

static void whoever_is_asked_again_is_told_why(void **state)
{
    (void)state;
    assert_string_equal(show(json_object(), "Code:", 2), "That was not right.\nCode: ");
    assert_ptr_equal(strstr(show(grid_of(cells, 3, 4, 4), "Code:", 3), "That was not right.\n\nGrid 47\n"), shown);
}

static void what_is_no_grid_is_not_drawn(void **state)
{
    (void)state;
    static const struct {
        int blocks, rows, columns;
    } shapes[] = {{0, 4, 4},  {3, 0, 4},  {3, 4, 0},   {3, 4, 3},   {4, 4, 4},        {GRID_BLOCKS_MAX + 1, 1, 1},
                  {1, 48, 1}, {1, 1, 48}, {259, 4, 4}, {3, 260, 4}, {3, 4, INT32_MAX}};
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        assert_string_equal(show(grid_of(cells, shapes[i].blocks, shapes[i].rows, shapes[i].columns), "Code:", 1),
                            "Code: ");
    assert_string_equal(show(json_pack("{s:s}", "grid", "47"), "Code:", 1), "Code: ");
}

/* The largest that a gateway of ours can be told to draw, with the longest question. */
static void the_largest_grid_has_room(void **state)
{
    (void)state;
    char many[GRID_CELLS_MAX + 1], question[CTL_PROMPT_MAX];
    memset(many, '7', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    memset(question, 'q', sizeof question - 1);
    question[sizeof question - 1] = '\0';
    show(grid_of(many, 4, 5, 5), question, 2);
    assert_non_null(strstr(shown, "    7 7 7 7 7    7 7 7 7 7    7 7 7 7 7    7 7 7 7 7\n"));
    const size_t n = strlen(shown);
    assert_true(n + 1 < QUESTION_TEXT_MAX);
    assert_string_equal(shown + n - 4, "qqq ");
}

static void nothing_of_a_server_steers_the_terminal(void **state)
{
    (void)state;
    char evil[sizeof cells];
    snprintf(evil, sizeof evil, "%s", cells);
    evil[0] = '\x1b';
    assert_string_equal(show(json_object(), "\x1b[2J\x07\r\xc3\xa9:", 1), "?[2J????: ");
    assert_non_null(strstr(show(grid_of(evil, 3, 4, 4), "Code:", 1), "    ? 1 4 1    5 9 2 6"));
    json_t *json = grid_of(cells, 3, 4, 4);
    json_object_set_new(json_object_get(json, "grid"), "number", json_string("\x1b[1m"));
    assert_non_null(strstr(show(json, "Code:", 1), "Grid ?[1m\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_stand_side_by_side),          cmocka_unit_test(a_question_without_a_grid_is_itself),
        cmocka_unit_test(whoever_is_asked_again_is_told_why), cmocka_unit_test(what_is_no_grid_is_not_drawn),
        cmocka_unit_test(the_largest_grid_has_room),          cmocka_unit_test(nothing_of_a_server_steers_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
