/* What became of an attempt, as it is told to somebody who is not logged in. */
#include "tests/test.h"

#include "portal/portal_internal.h"

static struct ctl_attempt veiled(enum cause c)
{
    struct ctl_attempt a = {.id = 1};
    snprintf(a.cause, sizeof a.cause, "%s", cause_word(c));
    snprintf(a.why, sizeof a.why, "%s", cause_sentence(c));
    snprintf(a.cure, sizeof a.cure, "%s", cause_cure(c));
    snprintf(a.detail, sizeof a.detail, "PAP, somebody");
    attempt_veil(&a);
    return a;
}

static void a_stranger_does_not_learn_who_exists(void **state)
{
    static const enum cause all[] = {CAUSE_AUTH_PASSWORD, CAUSE_AUTH_CODE,  CAUSE_AUTH_LOCKED,
                                     CAUSE_AUTH_WAIT,     CAUSE_GRID_NONE,  CAUSE_GRID_EXPIRED,
                                     CAUSE_GRID_WRONG,    CAUSE_GRID_SHAPE, CAUSE_GRID_NOT_ENROLLED};
    const struct ctl_attempt unknown = veiled(CAUSE_AUTH_NO_USER);
    (void)state;
    assert_string_equal(unknown.cause, "auth-refused");
    assert_string_equal(unknown.why, cause_sentence(CAUSE_AUTH_REFUSED));
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const struct ctl_attempt a = veiled(all[i]);
        assert_string_equal(a.cause, unknown.cause);
        assert_string_equal(a.why, unknown.why);
        assert_string_equal(a.cure, unknown.cure);
        assert_string_equal(a.detail, "");
    }
}

static void what_tells_nothing_of_names_is_told_as_it_is(void **state)
{
    static const enum cause all[] = {CAUSE_POOL_EMPTY, CAUSE_AUTH_METHOD};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        assert_string_equal(veiled(all[i]).why, cause_sentence(all[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stranger_does_not_learn_who_exists),
        cmocka_unit_test(what_tells_nothing_of_names_is_told_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
