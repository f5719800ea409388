/* Who is logged in, and for how long. Time is virtual. */
#include "tests/test.h"

#include "portal/portal_internal.h"

#define IDLE    (15 * 60 * USEC_SEC)
#define LONGEST (8 * 3600 * USEC_SEC)
#define START   (1000 * USEC_SEC)

struct world {
    struct random_test source;
    struct random random;
    struct logins logins;
};

static int make(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    random_test_init(&w->source, 7);
    w->random = (struct random){random_test_fill, &w->source};
    logins_init(&w->logins, &w->random, IDLE, LONGEST);
    *state = w;
    return 0;
}

static int drop(void **state)
{
    struct world *w = *state;
    logins_done(&w->logins);
    free(w);
    return 0;
}

static struct login *log_in(struct world *w, const char *name, usec_t now, uint8_t token[static LOGIN_TOKEN])
{
    return login_new(&w->logins, &w->random, ROLE_USER, name, now, token);
}

static void a_login_is_found_by_its_token_and_no_other(void **state)
{
    struct world *w = *state;
    uint8_t token[LOGIN_TOKEN], other[LOGIN_TOKEN];
    assert_non_null(log_in(w, "alice", START, token));
    const struct login *found = login_find(&w->logins, token, START, true);
    assert_non_null(found);
    assert_string_equal(found->name, "alice");
    memcpy(other, token, sizeof other);
    other[LOGIN_TOKEN - 1] ^= 1;
    assert_null(login_find(&w->logins, other, START, true));
}

static void a_login_that_nobody_uses_ends(void **state)
{
    struct world *w = *state;
    uint8_t token[LOGIN_TOKEN];
    log_in(w, "alice", START, token);
    assert_non_null(login_find(&w->logins, token, START + IDLE, true));
    assert_non_null(login_find(&w->logins, token, START + 2 * IDLE, false)); /* a stream looks, and does not count */
    assert_null(login_find(&w->logins, token, START + 2 * IDLE + 1, true));
    assert_null(login_find(&w->logins, token, START, true));
}

static void a_login_that_is_used_all_day_ends_too(void **state)
{
    struct world *w = *state;
    uint8_t token[LOGIN_TOKEN];
    usec_t now = START;
    log_in(w, "alice", START, token);
    for (; now <= START + LONGEST; now += IDLE / 2)
        assert_non_null(login_find(&w->logins, token, now, true));
    assert_null(login_find(&w->logins, token, now, true));
}

static void one_name_has_so_many_logins_and_the_oldest_goes(void **state)
{
    struct world *w = *state;
    uint8_t token[LOGIN_MAX_PER_NAME + 1][LOGIN_TOKEN];
    for (usec_t i = 0; i <= LOGIN_MAX_PER_NAME; i++)
        assert_non_null(log_in(w, "alice", START + i, token[i]));
    assert_null(login_find(&w->logins, token[0], START, false));
    for (size_t i = 1; i <= LOGIN_MAX_PER_NAME; i++)
        assert_non_null(login_find(&w->logins, token[i], START + 10, false));
}

static void a_full_table_puts_nobody_out(void **state)
{
    struct world *w = *state;
    uint8_t first[LOGIN_TOKEN], token[LOGIN_TOKEN];
    char name[32];
    log_in(w, "first", START, first);
    for (unsigned i = 1; i < LOGIN_MAX; i++) {
        sprintf(name, "user%u", i);
        assert_non_null(log_in(w, name, START, token));
    }
    assert_null(log_in(w, "late", START, token));
    assert_non_null(login_find(&w->logins, first, START, false));
    assert_non_null(log_in(w, "late", START + IDLE + 1, token)); /* those who have gone make room */
}

static void a_new_password_ends_the_other_logins(void **state)
{
    struct world *w = *state;
    uint8_t token[LOGIN_TOKEN];
    struct login *here = log_in(w, "alice", START, token), *there = log_in(w, "alice", START, token);
    assert_true(login_stands(here, "OLD") && login_stands(there, "OLD"));
    login_renew(here); /* by this one it is changed */
    assert_true(login_stands(here, "NEW"));
    assert_false(login_stands(there, "NEW"));
    assert_true(login_stands(here, "NEW"));
    assert_false(login_stands(here, "NEWER")); /* and by somebody else */
}

static void a_form_of_one_visitor_is_worth_nothing_to_another(void **state)
{
    struct world *w = *state;
    const uint8_t mine[LOGIN_TOKEN] = {1}, yours[LOGIN_TOKEN] = {2};
    char text[LOGIN_TEXT];
    form_token(&w->logins, mine, text);
    assert_true(form_token_fits(&w->logins, mine, text));
    assert_false(form_token_fits(&w->logins, yours, text));
    assert_false(form_token_fits(&w->logins, mine, ""));
    text[5] ^= 1;
    assert_false(form_token_fits(&w->logins, mine, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_login_is_found_by_its_token_and_no_other, make, drop),
        cmocka_unit_test_setup_teardown(a_login_that_nobody_uses_ends, make, drop),
        cmocka_unit_test_setup_teardown(a_login_that_is_used_all_day_ends_too, make, drop),
        cmocka_unit_test_setup_teardown(one_name_has_so_many_logins_and_the_oldest_goes, make, drop),
        cmocka_unit_test_setup_teardown(a_full_table_puts_nobody_out, make, drop),
        cmocka_unit_test_setup_teardown(a_new_password_ends_the_other_logins, make, drop),
        cmocka_unit_test_setup_teardown(a_form_of_one_visitor_is_worth_nothing_to_another, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
