/* Coming back: what was typed once is taken again from the same device, for a while, and from nobody else. */
#include "tests/test.h"

#include "aaa/aaa_internal.h"
#include "tests/unit/aaa/grids.h"

static enum cause dial(const char *typed, const char *station, const struct ip_addr *from, uint64_t session)
{
    const struct aaa_proof proof = {.method = AAA_METHOD_PAP, .user = "alice", .password = view_str(typed)};
    return login_as(&proof, from, station, session).cause;
}

static void the_same_device_comes_back_with_what_it_typed(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    const struct aaa_grid grid = fetch("alice", &home);
    char typed[GRID_ANSWER_MAX];
    snprintf(typed, sizeof typed, "%s", read_from(&grid, GOOD));
    assert_int_equal(dial(typed, "phone", &home, 1), CAUSE_NONE);
    assert_int_equal(dial(typed, "phone", &office, 2), CAUSE_NONE); /* moved, before the loss was noticed */
    aaa_logout(a, 1, now);
    aaa_logout(a, 2, now);
    pass(599);
    assert_int_equal(dial(typed, "laptop", &home, 3), CAUSE_GRID_EXPIRED); /* another device */
    assert_int_equal(dial(typed, "", &home, 3), CAUSE_GRID_EXPIRED);
    assert_int_equal(dial("00000000", "phone", &home, 3), CAUSE_GRID_EXPIRED);
    assert_int_equal(dial(typed, "phone", &home, 3), CAUSE_NONE);
    aaa_logout(a, 3, now);
    pass(601);
    assert_int_equal(dial(typed, "phone", &home, 4), CAUSE_GRID_NONE);
    done();
}

static void a_device_without_a_name_is_known_by_its_address(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    const struct aaa_grid grid = fetch("alice", &home);
    char typed[GRID_ANSWER_MAX];
    snprintf(typed, sizeof typed, "%s", read_from(&grid, GOOD));
    assert_int_equal(dial(typed, "", &home, 1), CAUSE_NONE);
    aaa_logout(a, 1, now);
    assert_int_equal(dial(typed, "", &office, 2), CAUSE_GRID_EXPIRED);
    assert_int_equal(dial(typed, "", &home, 3), CAUSE_NONE);
    done();
}

static void coming_back_ends_some_hours_after_the_login(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    const struct aaa_grid grid = fetch("alice", &home);
    char typed[GRID_ANSWER_MAX];
    snprintf(typed, sizeof typed, "%s", read_from(&grid, GOOD));
    assert_int_equal(dial(typed, "phone", &home, 1), CAUSE_NONE);
    for (uint64_t i = 2; i < 13; i++) {
        pass(3600);
        assert_int_equal(dial(typed, "phone", &home, i), CAUSE_NONE);
    }
    pass(3601);
    assert_int_not_equal(dial(typed, "phone", &home, 20), CAUSE_NONE);
    done();
}

static void a_new_pattern_ends_what_the_old_one_had_opened(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    struct aaa_grid grid = fetch("alice", &home);
    char typed[GRID_ANSWER_MAX];
    snprintf(typed, sizeof typed, "%s", read_from(&grid, GOOD));
    assert_int_equal(dial(typed, "phone", &home, 1), CAUSE_NONE);
    grid = fetch("alice", &home);
    enrol("alice", BETTER);
    assert_int_not_equal(dial(typed, "phone", &home, 2), CAUSE_NONE);
    assert_int_not_equal(dial(read_from(&grid, BETTER), "phone", &home, 3), CAUSE_NONE);
    grid = fetch("alice", &home);
    assert_int_equal(dial(read_from(&grid, BETTER), "phone", &home, 4), CAUSE_NONE);
    done();
}

static void who_gets_a_name_anew_is_somebody_else(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    const struct aaa_grid grid = fetch("alice", &home);
    char typed[GRID_ANSWER_MAX];
    snprintf(typed, sizeof typed, "%s", read_from(&grid, GOOD));
    assert_int_equal(dial(typed, "phone", &home, 1), CAUSE_NONE);
    assert_int_equal(aaa_user_del(a, "alice", &service.why), ERR_OK);
    struct aaa_user alice = {.name = "Alice", .enabled = true};
    assert_int_equal(aaa_user_add(a, &alice, view_str("another"), WALL, &service.why), ERR_OK);
    assert_int_equal(dial(typed, "phone", &home, 2), CAUSE_AUTH_PASSWORD);
    done();
}

static void a_new_password_ends_what_the_old_one_had_opened(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_ALTERNATIVE);
    give_codes("alice");
    char typed[128];
    snprintf(typed, sizeof typed, "%s", with_code("secret", wall));
    assert_int_equal(dial(typed, "phone", &home, 1), CAUSE_NONE);
    assert_int_equal(dial(typed, "phone", &home, 2), CAUSE_NONE);
    assert_int_equal(aaa_user_password(a, "alice", view_str("changed"), &service.why), ERR_OK);
    assert_int_equal(dial(typed, "phone", &home, 3), CAUSE_AUTH_CODE);
    done();
}

/* Alice is in by a grid, on the device called phone; what she typed. */
static const char *came_in(void)
{
    static char typed[GRID_ANSWER_MAX];
    enrol("alice", GOOD);
    const struct aaa_grid grid = fetch("alice", &home);
    snprintf(typed, sizeof typed, "%s", read_from(&grid, GOOD));
    assert_int_equal(dial(typed, "phone", &home, 1), CAUSE_NONE);
    return typed;
}

static void coming_back_is_good_until_the_last_tick(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        setup(CONFIG_TOTP_OFF);
        const char *typed = came_in();
        aaa_logout(a, 1, now);
        now += 600 * USEC_SEC - 1 + late;
        assert_int_equal(dial(typed, "phone", &home, 2) == CAUSE_NONE, !late);
        done();
    }
    for (unsigned late = 0; late < 2; late++) { /* and since the login, while the session lives */
        setup(CONFIG_TOTP_OFF);
        const char *typed = came_in();
        now += 43200 * USEC_SEC - 1 + late;
        assert_int_equal(dial(typed, "phone", &home, 2) == CAUSE_NONE, !late);
        done();
    }
}

static void another_user_with_the_same_device_is_asked(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    const char *typed = came_in();
    enrol("bob", BETTER);
    const struct aaa_proof proof = {.method = AAA_METHOD_PAP, .user = "bob", .password = view_str(typed)};
    assert_int_equal(login_as(&proof, &home, "phone", 2).cause, CAUSE_GRID_NONE);
    assert_int_equal(dial(typed, "phone", &home, 3), CAUSE_NONE);
    done();
}

/* Where it may come back once, it may again; what counts is the login by the grid. */
static void coming_back_is_no_new_login_by_the_grid(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    const char *typed = came_in();
    for (uint64_t i = 2; i < 6; i++)
        assert_int_equal(dial(typed, "phone", &office, i), CAUSE_NONE);
    assert_int_equal(about("alice").grid_logins, 1);
    done();
}

static void the_portal_takes_nothing_that_was_typed_before(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    const char *typed = came_in();
    const struct aaa_request r = {.proof = {.method = AAA_METHOD_PAP, .user = "alice", .password = view_str(typed)},
                                  .peer = home,
                                  .station = "phone",
                                  .wall = wall,
                                  .now = now};
    struct aaa_answer answer;
    aaa_check(a, &r, &answer);
    assert_false(answer.accepted);
    done();
}

static void set_enabled(bool enabled)
{
    struct aaa_user alice = about("alice");
    alice.enabled = enabled;
    assert_int_equal(aaa_user_set(a, &alice, &service.why), ERR_OK);
}

static void who_was_disabled_logs_in_anew_afterwards(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    const char *typed = came_in();
    set_enabled(false);
    assert_int_not_equal(dial(typed, "phone", &home, 2), CAUSE_NONE);
    set_enabled(true);
    assert_int_not_equal(dial(typed, "phone", &home, 3), CAUSE_NONE);
    const struct aaa_grid grid = fetch("alice", &home);
    assert_int_equal(dial(read_from(&grid, GOOD), "phone", &home, 4), CAUSE_NONE);
    done();
}

static void who_is_locked_does_not_come_back_until_unlocked(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    const char *typed = came_in();
    for (uint8_t i = 1; i <= 3; i++) {
        const struct ip_addr stranger = {4, {203, 0, 113, i}};
        for (size_t k = 0; k < 5; k++) {
            fetch("alice", &stranger); /* where nothing can be read, nothing is guessed */
            (void)pap("alice", "00000000", &stranger, 9);
        }
    }
    assert_int_not_equal(about("alice").locked, 0);
    assert_int_equal(dial(typed, "phone", &home, 2), CAUSE_AUTH_LOCKED);
    assert_int_equal(aaa_unlock(a, "alice", &service.why), ERR_OK);
    assert_int_equal(dial(typed, "phone", &home, 3), CAUSE_NONE);
    done();
}

/* ---- their number ---- */

#define TICKETS_KEPT 1024

static struct tickets *full(void)
{
    struct tickets *t = tickets_new();
    assert_non_null(t);
    for (uint64_t i = 1; i <= TICKETS_KEPT; i++)
        tickets_issue(t, i, 1, "", i, view_str("typed"), START + i);
    return t;
}

static bool has(struct tickets *t, uint64_t user)
{
    struct view text;
    return tickets_find(t, user, 1, "", START + 3000, USEC_SEC, USEC_SEC, &text) >= 0;
}

static void the_oldest_loss_gives_way_to_one_more(void **state)
{
    (void)state;
    struct tickets *t = full();
    tickets_lost(t, 700, START + 2001);
    tickets_lost(t, 500, START + 2000);
    tickets_issue(t, 2000, 1, "", 2000, view_str("typed"), START + 2002);
    assert_false(has(t, 500));
    assert_true(has(t, 700) && has(t, 1) && has(t, 2000));
    tickets_issue(t, 2001, 1, "", 2001, view_str("typed"), START + 2003);
    assert_false(has(t, 700));
    assert_true(has(t, 1) && has(t, 2000) && has(t, 2001));
    tickets_free(t);
}

static void where_all_are_in_the_oldest_login_gives_way(void **state)
{
    (void)state;
    struct tickets *t = full();
    for (uint64_t i = 1; i <= 3; i++) {
        tickets_issue(t, 2000 + i, 1, "", 2000 + i, view_str("typed"), START + 2000 + i);
        assert_false(has(t, i));
        assert_true(has(t, i + 1));
        for (uint64_t k = 1; k <= i; k++)
            assert_true(has(t, 2000 + k));
    }
    tickets_free(t);
}

static void what_is_too_long_to_keep_is_not_kept(void **state)
{
    (void)state;
    static const uint8_t text[TICKET_TEXT_MAX + 1];
    struct tickets *t = tickets_new();
    assert_non_null(t);
    tickets_issue(t, 1, 1, "", 1, view_of(text, sizeof text), START);
    tickets_issue(t, 2, 1, "", 2, VIEW_NONE, START);
    tickets_issue(t, 3, 1, "", 3, view_of(text, sizeof text - 1), START);
    assert_false(has(t, 1) || has(t, 2));
    assert_true(has(t, 3));
    tickets_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_device_comes_back_with_what_it_typed),
        cmocka_unit_test(a_device_without_a_name_is_known_by_its_address),
        cmocka_unit_test(coming_back_ends_some_hours_after_the_login),
        cmocka_unit_test(a_new_pattern_ends_what_the_old_one_had_opened),
        cmocka_unit_test(who_gets_a_name_anew_is_somebody_else),
        cmocka_unit_test(a_new_password_ends_what_the_old_one_had_opened),
        cmocka_unit_test(coming_back_is_good_until_the_last_tick),
        cmocka_unit_test(another_user_with_the_same_device_is_asked),
        cmocka_unit_test(coming_back_is_no_new_login_by_the_grid),
        cmocka_unit_test(the_portal_takes_nothing_that_was_typed_before),
        cmocka_unit_test(who_was_disabled_logs_in_anew_afterwards),
        cmocka_unit_test(who_is_locked_does_not_come_back_until_unlocked),
        cmocka_unit_test(the_oldest_loss_gives_way_to_one_more),
        cmocka_unit_test(where_all_are_in_the_oldest_login_gives_way),
        cmocka_unit_test(what_is_too_long_to_keep_is_not_kept),
    };
    return cmocka_run_group_tests(tests, service_folder, service_away);
}
