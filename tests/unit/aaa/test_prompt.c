/* Grids that are shown in band, as the question of a login: for one session, once, and for every name alike. */
#include "tests/test.h"

#include "aaa/aaa_internal.h"
#include "tests/unit/aaa/grids.h"

static struct grid_prompt ask(const char *name, const struct ip_addr *from, uint64_t session)
{
    const struct aaa_visit visit = {.user = name, .source = *from, .session = session, .wall = wall, .now = now};
    char text[GRID_PROMPT_MAX];
    struct grid_prompt prompt;
    const size_t n = aaa_prompt(a, &visit, text);
    assert_int_equal(grid_prompt_parse(view_of(text, n), &prompt), ERR_OK);
    return prompt;
}

static struct aaa_answer type(const char *name, const char *typed, const struct ip_addr *from, const char *station,
                              uint64_t session)
{
    const struct aaa_request r = {.proof = {.method = AAA_METHOD_PAP, .user = name, .password = view_str(typed)},
                                  .peer = *from,
                                  .station = station,
                                  .session = session,
                                  .wall = wall,
                                  .now = now};
    struct aaa_answer answer;
    aaa_login(a, &r, &answer);
    return answer;
}

static const char *answer_to(const struct grid_prompt *prompt)
{
    struct aaa_grid grid = {.shape = prompt->shape};
    view_copy_text(grid.cells, sizeof grid.cells, view_str(prompt->cells));
    return read_from(&grid, GOOD);
}

/* ---- the tests ---- */

static void the_grid_of_a_session_opens_it_once(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    const struct grid_prompt prompt = ask("alice", &home, 1);
    assert_int_equal(prompt.life, 120);
    assert_int_equal(prompt.back, 600);
    assert_int_equal(prompt.longest, 43200);
    assert_string_equal(prompt.question, "What stands on your cells, or your password:");
    assert_int_equal(type("alice", answer_to(&prompt), &home, "", 2).cause, CAUSE_GRID_EXPIRED); /* not in another */
    assert_int_equal(type("alice", answer_to(&prompt), &home, "", 1).cause, CAUSE_NONE);
    aaa_logout(a, 1, now);
    pass(601);
    assert_false(type("alice", answer_to(&prompt), &home, "", 1).accepted);
    assert_string_equal(ask("bob", &home, 3).question, prompt.question);
    assert_int_equal(type("bob", "secret", &home, "", 3).cause, CAUSE_NONE); /* who has no pattern types the password */
    done();
}

static void the_same_session_is_shown_the_same_grid_until_an_answer_was_wrong(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    const struct grid_prompt first = ask("alice", &home, 1), same = ask("alice", &home, 1);
    assert_string_equal(first.cells, same.cells);
    assert_string_not_equal(first.cells, ask("alice", &home, 2).cells);
    assert_true(type("alice", "00000000", &home, "", 1).again);
    const struct grid_prompt second = ask("alice", &home, 1);
    assert_string_not_equal(first.cells, second.cells);
    assert_int_equal(type("alice", answer_to(&first), &home, "", 1).cause, CAUSE_GRID_WRONG);
    const struct grid_prompt third = ask("alice", &home, 1);
    assert_int_equal(type("alice", answer_to(&third), &home, "", 1).cause, CAUSE_NONE);
    done();
}

static void a_grid_ends_with_its_time_and_with_its_session(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    struct grid_prompt prompt = ask("alice", &home, 1);
    pass(121);
    assert_int_equal(type("alice", answer_to(&prompt), &home, "", 1).cause, CAUSE_GRID_EXPIRED);
    prompt = ask("alice", &home, 2);
    aaa_logout(a, 2, now); /* it was never in */
    assert_false(type("alice", answer_to(&prompt), &home, "", 2).accepted);
    done();
}

/* Strangers and users are asked the same, and may try again alike; also when they have to wait. */
static void every_name_is_asked_alike(void **state)
{
    (void)state;
    static const char *const names[] = {"alice", "bob", "nobody", "", "CORP\\alice", "no such\tname"};
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const uint64_t session = 100 * (i + 1);
        struct grid_prompt first = ask(names[i], &home, session);
        assert_int_equal(strlen(first.cells), 48);
        for (int round = 0; round < 8; round++) { /* from the sixth on it has to wait */
            const struct grid_prompt before = ask(names[i], &home, session);
            assert_string_equal(before.question, first.question);
            assert_int_equal(before.life, first.life);
            assert_int_equal(before.back, first.back);
            const struct aaa_answer answer = type(names[i], "00000000", &home, "", session);
            assert_false(answer.accepted);
            assert_true(answer.again);
            assert_string_not_equal(ask(names[i], &home, session).cells, before.cells);
        }
        pass(3600);
    }
    done();
}

static void who_has_to_wait_does_not_learn_that_it_was_right(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    for (int i = 0; i < 5; i++) {
        (void)ask("alice", &home, 1);
        assert_int_equal(type("alice", "00000000", &home, "", 1).cause, CAUSE_GRID_WRONG);
    }
    const struct grid_prompt right = ask("alice", &home, 1);
    const struct aaa_answer answer = type("alice", answer_to(&right), &home, "", 1);
    assert_int_equal(answer.cause, CAUSE_AUTH_WAIT);
    assert_true(answer.again);
    assert_string_not_equal(ask("alice", &home, 1).cells, right.cells);
    pass(60);
    assert_int_equal(type("alice", answer_to(&right), &home, "", 1).cause, CAUSE_GRID_WRONG);
    done();
}

/* Whoever calls under a name again and again leaves to its user the three that can be fetched, and one for each
 * session. */
static void sessions_of_strangers_use_up_nothing(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    for (uint64_t session = 1; session <= 50; session++)
        (void)ask("alice", &office, session);
    const struct aaa_visit visits[] = {
        {.user = "alice", .source = {4, {192, 0, 2, 2}}, .wall = wall, .now = now},
        {.user = "alice", .source = {4, {192, 0, 2, 3}}, .wall = wall, .now = now},
        {.user = "alice", .source = home, .wall = wall, .now = now},
    };
    struct aaa_grid fetched[ARRAY_LEN(visits)];
    for (size_t i = 0; i < ARRAY_LEN(visits); i++)
        assert_int_equal(aaa_grid_show(a, &visits[i], &fetched[i], &service.why), ERR_OK);
    (void)ask("alice", &home, 60);
    const struct grid_prompt other = ask("alice", &home, 61);
    assert_int_equal(type("alice", read_from(&fetched[2], GOOD), &home, "", 60).cause, CAUSE_NONE);
    assert_int_equal(type("alice", answer_to(&other), &home, "", 61).cause, CAUSE_NONE);
    done();
}

static void who_has_had_too_many_grids_is_asked_for_a_password(void **state)
{
    (void)state;
    static const char *const names[] = {"alice", "nobody"};
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    for (uint64_t session = 1; session <= 60; session++)
        (void)ask("alice", &office, session);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct aaa_visit visit = {
            .user = names[i], .source = office, .session = 100 + i, .wall = wall, .now = now};
        char text[GRID_PROMPT_MAX];
        assert_int_equal(aaa_prompt(a, &visit, text), 10);
        assert_string_equal(text, "Password: ");
    }
    done();
}

static void the_same_device_comes_back_without_reading_the_new_grid(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    const struct grid_prompt prompt = ask("alice", &home, 1);
    const char *typed = answer_to(&prompt);
    assert_int_equal(type("alice", typed, &home, "laptop", 1).cause, CAUSE_NONE);
    aaa_logout(a, 1, now);
    pass(599);
    (void)ask("alice", &office, 2);
    assert_int_equal(type("alice", typed, &office, "phone", 2).cause, CAUSE_GRID_WRONG);
    (void)ask("alice", &office, 3);
    assert_int_equal(type("alice", typed, &office, "laptop", 3).cause, CAUSE_NONE);
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_grid_of_a_session_opens_it_once),
        cmocka_unit_test(the_same_session_is_shown_the_same_grid_until_an_answer_was_wrong),
        cmocka_unit_test(a_grid_ends_with_its_time_and_with_its_session),
        cmocka_unit_test(every_name_is_asked_alike),
        cmocka_unit_test(who_has_to_wait_does_not_learn_that_it_was_right),
        cmocka_unit_test(sessions_of_strangers_use_up_nothing),
        cmocka_unit_test(who_has_had_too_many_grids_is_asked_for_a_password),
        cmocka_unit_test(the_same_device_comes_back_without_reading_the_new_grid),
    };
    return cmocka_run_group_tests(tests, service_folder, service_away);
}
