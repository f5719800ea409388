/* Patterns: which are refused and why, how strong one is, and what is left of it for an observer. */
#include "grid/grid.h"
#include "tests/test.h"

static const struct grid_shape standard = {3, 4, 4, "0123456789"};
static const struct grid_rules rules = {.least = 8, .in_blocks = 3};

/*   0  1  2  3   16 17 18 19   32 33 34 35
 *   4  5  6  7   20 21 22 23   36 37 38 39
 *   8  9 10 11   24 25 26 27   40 41 42 43
 *  12 13 14 15   28 29 30 31   44 45 46 47 */
#define GOOD "0 22 45 11 17 35 28 6"

static struct grid_pattern pattern(const char *text)
{
    struct grid_pattern p;
    assert_int_equal(grid_pattern_parse(text, &standard, &p), ERR_OK);
    return p;
}

static uint32_t weaknesses(const char *text)
{
    const struct grid_pattern p = pattern(text);
    return grid_weaknesses(&standard, &rules, &p, NULL, 0);
}

static bool is_like(const char *text, const char *former)
{
    const struct grid_pattern p = pattern(text), q = pattern(former);
    return grid_weaknesses(&standard, &rules, &p, &q, 1) & 1u << GRID_WEAK_FORMER;
}

static void numbers_are_read_with_commas_or_blanks(void **state)
{
    (void)state;
    const struct grid_pattern p = pattern(" 0,22, 45 11");
    assert_int_equal(p.n, 4);
    assert_memory_equal(p.cell, ((uint8_t[]){0, 22, 45, 11}), 4);
    struct grid_pattern kept = p;
    assert_int_equal(grid_pattern_parse("", &standard, &kept), ERR_MALFORMED);
    assert_int_equal(grid_pattern_parse(" , ", &standard, &kept), ERR_MALFORMED);
    assert_int_equal(grid_pattern_parse("1;2", &standard, &kept), ERR_MALFORMED);
    assert_int_equal(grid_pattern_parse("-1", &standard, &kept), ERR_MALFORMED);
    assert_int_equal(grid_pattern_parse("1,48", &standard, &kept), ERR_INVALID);
    assert_int_equal(grid_pattern_parse("99999999999999999999999", &standard, &kept), ERR_INVALID);
    assert_int_equal(grid_pattern_parse("1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", &standard, &kept), ERR_LIMIT);
    assert_memory_equal(&kept, &p, sizeof(p));
}

static void a_pattern_that_leaps_about_is_taken(void **state)
{
    (void)state;
    assert_int_equal(weaknesses(GOOD), 0);
}

static void weak_patterns_are_refused_each_for_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum grid_weakness why;
    } rows[] = {
        {"0 22 45 11 17 35 28", GRID_WEAK_SHORT},
        {"5 5 5 5 5 5 5 5", GRID_WEAK_ONE_CELL},
        {"0 22 45 11 17 35 28 0", GRID_WEAK_REPEATED},
        {"0 22 17 11 31 25 28 6", GRID_WEAK_BLOCKS},
        {"0 1 2 3 16 45 22 11", GRID_WEAK_LINE},                  /* a row, over the edge of a block */
        {"0 17 34 35 11 29 46 4", GRID_WEAKNESS_COUNT},           /* no line: control */
        {"0 5 10 15 28 25 22 19 32", GRID_WEAK_STROKE},           /* up and down through all blocks */
        {"0 4 8 12 16 17 20 21 32 33 36 40", GRID_WEAK_FAMILIAR}, /* line, square, L */
        {"0 1 5 16 17 21 32 33 37", GRID_WEAK_SAME},
        {"0 1 5 4 8 9 13 12", GRID_WEAK_EASY},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const uint32_t found = weaknesses(rows[i].text);
        if (rows[i].why == GRID_WEAKNESS_COUNT)
            assert_false(found & 1u << GRID_WEAK_LINE);
        else
            assert_true(found & 1u << rows[i].why);
    }
}

static void familiar_shapes_are_known_turned_mirrored_and_moved(void **state)
{
    (void)state;
    /* Ls of four cells in the three blocks, each lying in another way and drawn in another order */
    assert_true(weaknesses("0 4 8 9 19 18 17 23 46 42 38 37") & 1u << GRID_WEAK_FAMILIAR);
    /* one block with a scattered shape is enough to be taken */
    assert_false(weaknesses("0 4 8 9 16 22 29 27 46 42 38 37") & 1u << GRID_WEAK_FAMILIAR);
}

static void a_pattern_like_a_former_one_is_refused(void **state)
{
    (void)state;
    assert_true(is_like(GOOD, GOOD));
    assert_true(is_like("6 28 35 17 11 45 22 0", GOOD));     /* backwards */
    assert_true(is_like("16 38 13 27 33 3 44 22", GOOD));    /* the blocks exchanged in a ring */
    assert_true(is_like("3 21 46 8 18 32 31 5", GOOD));      /* every block mirrored */
    assert_true(is_like("35 21 14 40 18 0 31 37", GOOD));    /* the whole mirrored */
    assert_true(is_like("0 22 45 11 17 34 28 6", GOOD));     /* one cell changed */
    assert_true(is_like("1 22 45 11 17 34 28 6", GOOD));     /* two */
    assert_false(is_like("1 23 45 11 17 34 28 6", GOOD));    /* three */
    assert_false(is_like("0 22 45 11 17 35 28 6 41", GOOD)); /* longer */
}

static void strength_is_counted_for_somebody_who_knows_how_people_draw(void **state)
{
    (void)state;
    const struct grid_pattern near = pattern("0 1 2 3"), far = pattern("0 10 3 8");
    assert_int_equal(grid_guesses(&standard, &near), 48 * 8 * 2 * 2);
    assert_int_equal(grid_guesses(&standard, &far), 48 * 48 * 48 * 48);
    const struct grid_pattern longest = pattern("0 22 45 11 17 35 28 6 41 14 19 36 9 31 2 47");
    assert_true(grid_guesses(&standard, &longest) == UINT64_MAX);
}

/* Eight cells: log2 of 48 at each; of the five or four with the same digit; of those that agree by chance again. That
 * these are true of real grids is shown by test_strength.c. */
static void an_observer_of_two_logins_knows_nearly_all(void **state)
{
    (void)state;
    assert_int_equal(grid_bits_left(&standard, 8, 0), 447);
    assert_int_equal(grid_bits_left(&standard, 8, 1), 181);
    assert_in_range(grid_bits_left(&standard, 8, 2), 22, 24);
    assert_in_range(grid_bits_left(&standard, 8, 3), 1, 3);
    assert_int_equal(grid_bits_left(&standard, 8, 1000000), 0);
    assert_int_equal(grid_bits_left(&standard, 16, 1), 363);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_with_commas_or_blanks),
        cmocka_unit_test(a_pattern_that_leaps_about_is_taken),
        cmocka_unit_test(weak_patterns_are_refused_each_for_its_reason),
        cmocka_unit_test(familiar_shapes_are_known_turned_mirrored_and_moved),
        cmocka_unit_test(a_pattern_like_a_former_one_is_refused),
        cmocka_unit_test(strength_is_counted_for_somebody_who_knows_how_people_draw),
        cmocka_unit_test(an_observer_of_two_logins_knows_nearly_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
