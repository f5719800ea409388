#include "tests/test.h"

#include "base/base.h"

static void constant_time_comparison_agrees_with_memcmp(void **state)
{
    (void)state;
    assert_true(bytes_equal_ct("abcd", "abcd", 4));
    assert_false(bytes_equal_ct("abcd", "abce", 4));
    assert_false(bytes_equal_ct("bbcd", "abcd", 4));
    assert_true(bytes_equal_ct("x", "y", 0));
}

static void a_sum_is_that_of_fnv_1a(void **state)
{
    (void)state;
    assert_true(view_sum(view_str("")) == 0xcbf29ce484222325u);
    assert_true(view_sum(view_str("foobar")) == 0x85944171f73967e8u);
}

static void a_secret_too_long_is_refused_and_the_old_one_kept(void **state)
{
    (void)state;
    static uint8_t big[SECRET_MAX + 1];
    struct secret s = {0};
    assert_int_equal(secret_set(&s, view_str("key")), ERR_OK);
    assert_int_equal(secret_set(&s, VIEW(big)), ERR_LIMIT);
    assert_true(view_equal(secret_view(&s), view_str("key")));
    secret_wipe(&s);
    assert_int_equal(s.n, 0);
    assert_int_equal(s.p[0], 0);
}

static void text_for_people_is_printable_and_ends(void **state)
{
    (void)state;
    char out[6];
    view_copy_text(out, sizeof(out), view_str("a\n\x1b[31mred"));
    assert_string_equal(out, "a??[3");
    view_copy_text(out, sizeof(out), VIEW_NONE);
    assert_string_equal(out, "");
}

static void every_word_has_a_sentence(void **state)
{
    (void)state;
    for (int i = 1; i < DROP_COUNT; i++)
        assert_true(strlen(drop_word((enum drop)i)) > 0 && strlen(drop_sentence((enum drop)i)) > 0);
    for (int i = 1; i < CAUSE_COUNT; i++)
        assert_true(strlen(cause_sentence((enum cause)i)) > 0 && strlen(cause_cure((enum cause)i)) > 0);
    for (int i = 0; i < STAGE_COUNT; i++)
        assert_true(strlen(stage_sentence((enum stage)i)) > 0);
    assert_string_equal(drop_word((enum drop)9999), "unknown");
    assert_string_equal(err_text(ERR_AUTH), "authentication failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_time_comparison_agrees_with_memcmp),
        cmocka_unit_test(a_sum_is_that_of_fnv_1a),
        cmocka_unit_test(a_secret_too_long_is_refused_and_the_old_one_kept),
        cmocka_unit_test(text_for_people_is_printable_and_ends),
        cmocka_unit_test(every_word_has_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
