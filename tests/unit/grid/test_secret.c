/* What is kept of a user: packed and read back, renewed, and the password it makes of a grid. */
#include "grid/grid.h"
#include "tests/test.h"

static const struct grid_shape standard = {3, 4, 4, "0123456789"};
static const char cells[] = "012345678901234567890123456789012345678901234567";

static struct grid_secret secret_of(const char *text, const char *phrase, bool after)
{
    struct grid_secret s = {0};
    struct grid_pattern p;
    assert_int_equal(grid_pattern_parse(text, &standard, &p), ERR_OK);
    grid_secret_renew(&s, &standard, &p);
    s.after = after;
    s.phrase_n = (uint8_t)strlen(phrase);
    memcpy(s.phrase, phrase, s.phrase_n);
    return s;
}

static void the_password_is_what_stands_on_the_cells_in_their_order(void **state)
{
    (void)state;
    char answer[GRID_ANSWER_MAX];
    const struct grid_secret plain = secret_of("0 22 45 11", "", false);
    const struct grid_secret before = secret_of("0 22 45 11", "tea ", false);
    const struct grid_secret after = secret_of("0 22 45 11", "tea", true);
    assert_int_equal(grid_answer(&plain, cells, answer), 4);
    assert_string_equal(answer, "0251");
    grid_answer(&before, cells, answer);
    assert_string_equal(answer, "tea 0251");
    grid_answer(&after, cells, answer);
    assert_string_equal(answer, "0251tea");
}

static void former_patterns_are_kept_up_to_three(void **state)
{
    (void)state;
    struct grid_secret s = secret_of("0 1 2 3", "", false);
    static const char *const next[] = {"4 5 6 7", "8 9 10 11", "12 13 14 15", "16 17 18 19"};
    for (size_t i = 0; i < ARRAY_LEN(next); i++) {
        struct grid_pattern p;
        assert_int_equal(grid_pattern_parse(next[i], &standard, &p), ERR_OK);
        grid_secret_renew(&s, &standard, &p);
    }
    assert_int_equal(s.pattern.cell[0], 16);
    assert_int_equal(s.former_n, 3);
    assert_int_equal(s.former[0].cell[0], 12);
    assert_int_equal(s.former[2].cell[0], 4);
    const struct grid_shape other = {2, 5, 5, "0123456789"};
    struct grid_pattern p;
    assert_int_equal(grid_pattern_parse("49 0 24 25", &other, &p), ERR_OK);
    assert_false(grid_secret_fits(&s, &other));
    grid_secret_renew(&s, &other, &p);
    assert_true(grid_secret_fits(&s, &other));
    assert_int_equal(s.former_n, 0);
}

static void a_packed_secret_is_read_back(void **state)
{
    (void)state;
    struct grid_secret s = secret_of("0 22 45 11 17 35 28 6", "a phrase", true), back = {0};
    struct grid_pattern p;
    assert_int_equal(grid_pattern_parse("1 20 33 11 5 6 47 46 45 44 43 42 41 40 39 38", &standard, &p), ERR_OK);
    for (size_t i = 0; i <= GRID_FORMER_MAX; i++)
        grid_secret_renew(&s, &standard, &p);
    uint8_t blob[GRID_BLOB_MAX];
    const size_t n = grid_secret_pack(&s, blob);
    assert_true(n > 0);
    assert_int_equal(grid_secret_parse(view_of(blob, n), &back), ERR_OK);
    assert_memory_equal(&back, &s, sizeof(s));
}

static void the_longest_secret_fits(void **state)
{
    (void)state;
    struct grid_secret s = {
        .blocks = 3, .rows = 4, .columns = 4, .former_n = GRID_FORMER_MAX, .phrase_n = GRID_PHRASE_MAX};
    s.pattern.n = GRID_PATTERN_MAX;
    for (size_t i = 0; i < GRID_FORMER_MAX; i++)
        s.former[i].n = GRID_PATTERN_MAX;
    uint8_t blob[GRID_BLOB_MAX];
    assert_true(grid_secret_pack(&s, blob) > 0);
}

/* A blob is sealed, so nobody changes one unseen; a program of another version may have written it. */
static void cut_or_strange_blobs_are_refused(void **state)
{
    (void)state;
    const struct grid_secret s = secret_of("0 22 45 11", "tea", false);
    uint8_t blob[GRID_BLOB_MAX];
    const size_t n = grid_secret_pack(&s, blob);
    struct grid_secret back;
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(grid_secret_parse(view_of(blob, cut), &back), ERR_MALFORMED);
    blob[n] = 0;
    assert_int_equal(grid_secret_parse(view_of(blob, n + 1), &back), ERR_MALFORMED);
    blob[0]++; /* version */
    assert_int_equal(grid_secret_parse(view_of(blob, n), &back), ERR_MALFORMED);
    blob[0]--;
    blob[n - 2] = 48; /* no such cell */
    assert_int_equal(grid_secret_parse(view_of(blob, n), &back), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_password_is_what_stands_on_the_cells_in_their_order),
        cmocka_unit_test(former_patterns_are_kept_up_to_three),
        cmocka_unit_test(a_packed_secret_is_read_back),
        cmocka_unit_test(the_longest_secret_fits),
        cmocka_unit_test(cut_or_strange_blobs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
