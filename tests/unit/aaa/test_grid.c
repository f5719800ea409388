/* Logins by a pattern, told as stories: who may come in with what, what burns, what a stranger can and cannot do. */
#include "tests/test.h"

#include "aaa/aaa_internal.h"
#include "tests/unit/aaa/grids.h"

/* ---- logins ---- */

static void the_characters_on_the_cells_open_by_every_method_and_only_once(void **state)
{
    (void)state;
    static enum cause (*const methods[])(const char *, const char *, const struct ip_addr *, uint64_t) = {pap, chap,
                                                                                                          mschap};
    setup(CONFIG_TOTP_OFF);
    service.config.grid.reconnect = 0;
    settings_changed();
    enrol("alice", GOOD);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        const struct aaa_grid grid = fetch("alice", &home);
        assert_int_equal(methods[i]("alice", read_from(&grid, GOOD), &home, i + 1), CAUSE_NONE);
        assert_int_equal(methods[i]("alice", read_from(&grid, GOOD), &home, i + 11), CAUSE_GRID_EXPIRED);
        aaa_logout(a, i + 1, now);
        assert_int_equal(methods[i]("alice", read_from(&grid, GOOD), &home, i + 21), CAUSE_GRID_EXPIRED);
    }
    assert_int_equal(about("alice").grid_logins, 3);
    done();
}

static void the_password_no_longer_opens_once_there_is_a_pattern(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    assert_int_equal(pap("alice", "secret", &home, 1), CAUSE_NONE);
    enrol("alice", GOOD);
    assert_int_equal(pap("alice", "secret", &home, 2), CAUSE_GRID_NONE);
    assert_int_equal(pap("bob", "secret", &home, 3), CAUSE_NONE);
    assert_int_equal(aaa_grid_off(a, "alice", &service.why), ERR_OK);
    assert_int_equal(pap("alice", "secret", &home, 4), CAUSE_NONE);
    done();
}

static void a_wrong_answer_burns_the_grid(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    const struct aaa_grid grid = fetch("alice", &home);
    assert_int_equal(mschap("alice", "00000000", &home, 1), CAUSE_GRID_WRONG);
    assert_int_equal(mschap("alice", read_from(&grid, GOOD), &home, 2), CAUSE_GRID_EXPIRED);
    const struct aaa_grid next = fetch("alice", &home);
    assert_string_not_equal(next.cells, grid.cells);
    assert_int_equal(mschap("alice", read_from(&next, GOOD), &home, 3), CAUSE_NONE);
    done();
}

static void a_grid_past_its_time_opens_nothing(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    const struct aaa_grid grid = fetch("alice", &home);
    pass(119);
    assert_string_equal(fetch("alice", &home).code, grid.code);
    pass(1);
    assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, 1), CAUSE_GRID_EXPIRED);
    assert_string_not_equal(fetch("alice", &home).code, grid.code);
    done();
}

/* To the microsecond: at the end of its life it is over. */
static void a_grid_opens_until_the_last_tick_of_its_life(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    struct aaa_grid grid = fetch("alice", &home);
    const usec_t end = now + 120 * USEC_SEC;
    now = end;
    assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, 1), CAUSE_GRID_EXPIRED);
    grid = fetch("alice", &home);
    now += 120 * USEC_SEC - 1;
    assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, 2), CAUSE_NONE);
    done();
}

/* A session's number says which shard it is on; both shards ask the one service, in some order. */
static void the_same_answer_on_two_shards_opens_once(void **state)
{
    (void)state;
    const uint64_t here = (uint64_t)1 << 56 | 5, there = (uint64_t)2 << 56 | 5;
    for (unsigned first = 0; first < 2; first++) {
        setup(CONFIG_TOTP_OFF);
        enrol("alice", GOOD);
        const struct aaa_grid grid = fetch("alice", &home);
        const uint64_t winner = first ? there : here, loser = first ? here : there;
        assert_int_equal(mschap("alice", read_from(&grid, GOOD), &home, winner), CAUSE_NONE);
        assert_int_equal(mschap("alice", read_from(&grid, GOOD), &office, loser), CAUSE_GRID_EXPIRED);
        assert_int_equal(pap("alice", read_from(&grid, GOOD), &office, loser), CAUSE_GRID_EXPIRED);
        done();
    }
}

static void what_one_user_reads_opens_for_no_other(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    enrol("bob", BETTER);
    const struct aaa_grid of_alice = fetch("alice", &home), of_bob = fetch("bob", &office);
    assert_int_equal(pap("bob", read_from(&of_alice, GOOD), &home, 1), CAUSE_GRID_WRONG);
    assert_int_equal(pap("bob", read_from(&of_alice, BETTER), &home, 2),
                     CAUSE_GRID_WRONG); /* nor by one's own pattern */
    assert_int_equal(pap("bob", read_from(&of_bob, BETTER), &office, 3), CAUSE_NONE);
    assert_int_equal(pap("alice", read_from(&of_alice, GOOD), &home, 4), CAUSE_NONE); /* and bob has burnt nothing */
    done();
}

static void two_open_grids_are_told_apart_by_what_was_typed(void **state)
{
    (void)state;
    char numbered[GRID_ANSWER_MAX + 4];
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    const struct aaa_grid at_home = fetch("alice", &home), at_work = fetch("alice", &office);
    assert_string_not_equal(at_home.cells, at_work.cells);
    assert_int_not_equal(at_home.number, at_work.number);
    assert_int_equal(mschap("alice", read_from(&at_work, GOOD), &office, 1), CAUSE_NONE);
    snprintf(numbered, sizeof numbered, "%u%s", at_home.number, read_from(&at_home, GOOD));
    assert_int_equal(mschap("alice", numbered, &home, 2), CAUSE_NONE);
    assert_int_equal(mschap("alice", numbered, &office, 3), CAUSE_GRID_EXPIRED);
    done();
}

static void the_number_of_one_grid_does_not_go_with_another(void **state)
{
    (void)state;
    char numbered[GRID_ANSWER_MAX + 4];
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    const struct aaa_grid at_home = fetch("alice", &home), at_work = fetch("alice", &office);
    snprintf(numbered, sizeof numbered, "%u%s", at_home.number, read_from(&at_work, GOOD));
    assert_int_equal(pap("alice", numbered, &office, 1), CAUSE_GRID_WRONG);
    done();
}

static void a_bound_grid_opens_only_where_it_was_fetched(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    service.config.grid.bind = true;
    settings_changed();
    enrol("alice", GOOD);
    const struct aaa_grid grid = fetch("alice", &home);
    assert_int_equal(pap("alice", read_from(&grid, GOOD), &office, 1), CAUSE_GRID_EXPIRED);
    assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, 2), CAUSE_NONE);
    const struct ip_addr phone = {6, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 1}},
                         privacy = {6, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 9}};
    const struct aaa_grid mobile = fetch("alice", &phone);
    assert_int_equal(pap("alice", read_from(&mobile, GOOD), &privacy, 3), CAUSE_NONE); /* the same /64 */
    done();
}

static void a_grid_shown_in_band_opens_for_its_session_alone(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    struct aaa_grid grid;
    const struct aaa_visit visit = {.user = "alice", .source = home, .session = 77, .wall = wall, .now = now};
    assert_int_equal(aaa_grid_show(a, &visit, &grid, &service.why), ERR_OK);
    assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, 78), CAUSE_GRID_EXPIRED);
    assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, 77), CAUSE_NONE);
    done();
}

static void the_end_of_a_session_ends_the_grids_shown_to_it_alone(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    struct aaa_grid shown;
    const struct aaa_visit visit = {.user = "alice", .source = office, .session = 77, .wall = wall, .now = now};
    assert_int_equal(aaa_grid_show(a, &visit, &shown, &service.why), ERR_OK);
    const struct aaa_grid fetched = fetch("alice", &home);
    aaa_logout(a, 77, now);
    aaa_logout(a, 0, now); /* nobody's number */
    assert_int_equal(pap("alice", read_from(&shown, GOOD), &office, 77), CAUSE_GRID_WRONG);
    assert_int_equal(pap("alice", read_from(&fetched, GOOD), &home, 78), CAUSE_NONE);
    done();
}

static void the_portal_names_the_grid_that_it_has_shown(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    const struct aaa_grid at_home = fetch("alice", &home), at_work = fetch("alice", &office);
    struct aaa_request r = {.proof = {.method = AAA_METHOD_PAP,
                                      .user = "alice",
                                      .password = view_str(read_from(&at_work, GOOD)),
                                      .code = at_home.code},
                            .peer = home,
                            .wall = wall,
                            .now = now};
    struct aaa_answer answer;
    aaa_check(a, &r, &answer);
    assert_int_equal(answer.cause, CAUSE_GRID_WRONG);
    r.proof.code = at_work.code;
    r.proof.password = view_str(read_from(&at_work, GOOD));
    r.peer = office;
    aaa_check(a, &r, &answer);
    assert_true(answer.accepted);
    aaa_check(a, &r, &answer);
    assert_int_equal(answer.cause, CAUSE_GRID_EXPIRED);
    done();
}

static void a_phrase_is_typed_before_or_after(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    for (unsigned after = 0; after < 2; after++) {
        const char *cells = after ? BETTER : GOOD;
        const struct aaa_new_pattern wanted = {
            .user = "alice", .cells = cells, .phrase = "tea ", .after = after, .wall = wall, .now = now};
        char typed[GRID_ANSWER_MAX + 8];
        struct aaa_enrolment e;
        assert_int_equal(aaa_grid_enrol(a, &wanted, &e, &service.why), ERR_OK);
        while (e.rounds > 0) {
            snprintf(typed, sizeof typed, "%s%s%s", after ? "" : "tea ", read_from(&e.grid, cells),
                     after ? "tea " : "");
            const struct aaa_practice practice = {"alice", e.grid.code, typed, wall, now};
            assert_int_equal(aaa_grid_practise(a, &practice, &e, &service.why), ERR_OK);
            assert_true(e.accepted);
        }
        const struct aaa_grid grid = fetch("alice", &home);
        snprintf(typed, sizeof typed, "%s%s%s", after ? "" : "tea ", read_from(&grid, cells), after ? "tea " : "");
        assert_int_equal(mschap("alice", typed, &home, 1 + after), CAUSE_NONE);
    }
    assert_true(about("alice").phrase);
    done();
}

/* ---- strangers ---- */

static void unknown_names_get_grids_like_all_others(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    static const char *const names[] = {"alice", "bob", "nobody"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct aaa_grid first = fetch(names[i], &office), again = fetch(names[i], &office);
        assert_string_equal(first.code, again.code);
        assert_string_equal(first.cells, again.cells);
        assert_int_equal(first.expires, wall + 120);
        assert_int_not_equal(pap(names[i], "00000000", &office, 1), CAUSE_NONE);
        assert_string_not_equal(fetch(names[i], &office).code, first.code); /* burnt, for all of them */
    }
    done();
}

static void a_stranger_cannot_end_the_grid_of_a_user(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    const struct aaa_grid grid = fetch("alice", &home);
    for (uint8_t i = 1; i < 40; i++) {
        const struct ip_addr stranger = {4, {203, 0, 113, i}};
        fetch("alice", &stranger);
        assert_int_not_equal(pap("alice", "12345678", &stranger, i), CAUSE_NONE);
    }
    assert_int_equal(aaa_unlock(a, "alice", &service.why), ERR_OK);
    assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, 100), CAUSE_NONE);
    done();
}

static void no_more_than_three_true_grids_are_open(void **state)
{
    (void)state;
    struct aaa_grid grid[5];
    size_t opened = 0;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    for (uint8_t i = 0; i < ARRAY_LEN(grid); i++) {
        const struct ip_addr source = {4, {203, 0, 113, i}};
        grid[i] = fetch("alice", &source);
    }
    for (uint8_t i = 0; i < ARRAY_LEN(grid); i++) {
        const struct ip_addr source = {4, {203, 0, 113, i}};
        opened += pap("alice", read_from(&grid[i], GOOD), &source, 1 + i) == CAUSE_NONE;
    }
    assert_int_equal(opened, DESK_OPEN);
    done();
}

static void strangers_who_fill_the_desk_give_way_to_who_is_known(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    for (uint8_t i = 0; i < DESK_OPEN; i++) {
        const struct ip_addr stranger = {4, {203, 0, 113, i}};
        fetch("alice", &stranger);
    }
    struct aaa_grid grid;
    const struct aaa_visit visit = {.user = "alice", .source = home, .proved = true, .wall = wall, .now = now};
    assert_int_equal(aaa_grid_show(a, &visit, &grid, &service.why), ERR_OK);
    assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, 1), CAUSE_NONE);
    done();
}

static struct aaa_grid fetch_by(const char *name, const char *device)
{
    struct aaa_grid grid = {0};
    const struct aaa_visit visit = {.user = name, .source = office, .device = device, .wall = wall, .now = now};
    assert_int_equal(aaa_grid_show(a, &visit, &grid, &service.why), ERR_OK);
    return grid;
}

static bool opens(const char *name, const char *cells, const char *device)
{
    const struct aaa_grid grid = fetch_by(name, device);
    static uint64_t session = 100;
    const bool in = pap(name, read_from(&grid, cells), &office, ++session) == CAUSE_NONE;
    aaa_logout(a, session, now);
    pass(60); /* a failure has nobody wait, and the next grid is another */
    return in;
}

static void a_browser_that_is_remembered_is_shown_true_grids_until_something_changes(void **state)
{
    (void)state;
    char device[AAA_DEVICE_MAX], later[AAA_DEVICE_MAX], wrong[AAA_DEVICE_MAX];
    int64_t expires;
    setup(CONFIG_TOTP_OFF);
    service.config.grid.strangers = false;
    service.config.grid.reconnect = 0;
    settings_changed();
    enrol("alice", GOOD);
    enrol("bob", BETTER);
    assert_int_equal(aaa_device_make(a, "nobody", wall, device, &expires, &service.why), ERR_NOTFOUND);
    assert_int_equal(aaa_device_make(a, "Alice", wall, device, &expires, &service.why), ERR_OK);
    assert_in_range(expires, wall + 89 * 86400, wall + 90 * 86400);
    assert_false(opens("alice", GOOD, NULL));
    assert_false(opens("alice", GOOD, ""));
    assert_false(opens("bob", BETTER, device)); /* for one name alone */
    for (size_t i = 0; i < strlen(device); i += 7) {
        memcpy(wrong, device, sizeof wrong);
        wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
        assert_false(opens("alice", GOOD, wrong));
    }
    assert_true(opens("DOMAIN\\alice", GOOD, device));
    pass((uint32_t)(expires - wall - 61));
    assert_true(opens("alice", GOOD, device)); /* the second login from there: it is no known place yet */
    pass(1);
    assert_false(opens("alice", GOOD, device));

    assert_int_equal(aaa_device_make(a, "alice", wall, device, &expires, &service.why), ERR_OK);
    assert_int_equal(aaa_user_password(a, "alice", view_str("another"), &service.why), ERR_OK);
    assert_int_equal(aaa_device_make(a, "alice", wall, later, &expires, &service.why), ERR_OK);
    assert_false(opens("alice", GOOD, device));
    enrol("alice", BETTER);
    assert_false(opens("alice", BETTER, later));
    assert_int_equal(aaa_device_make(a, "alice", wall, later, &expires, &service.why), ERR_OK);
    assert_true(opens("alice", BETTER, later));
    done();
}

static void where_strangers_get_no_true_grid_only_proof_or_a_known_place_helps(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    service.config.grid.strangers = false;
    settings_changed();
    enrol("alice", GOOD);
    struct aaa_grid grid = fetch("alice", &home);
    assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, 1), CAUSE_GRID_NONE);
    const struct aaa_visit visit = {.user = "alice", .source = home, .proved = true, .wall = wall, .now = now};
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(aaa_grid_show(a, &visit, &grid, &service.why), ERR_OK);
        assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, 2 + i), CAUSE_NONE);
    }
    grid = fetch("alice", &home); /* three logins have made the place known */
    assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, 9), CAUSE_NONE);
    done();
}

static void an_address_gets_only_so_many_grids_an_hour(void **state)
{
    (void)state;
    char name[16];
    setup(CONFIG_TOTP_OFF);
    for (size_t i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "n%zu", i);
        fetch(name, &office);
    }
    struct aaa_grid grid;
    struct aaa_visit visit = {.user = "alice", .source = office, .wall = wall, .now = now};
    assert_int_equal(aaa_grid_show(a, &visit, &grid, &service.why), ERR_LIMIT);
    fetch("alice", &home);
    pass(3600);
    fetch("alice", &office);
    done();
}

static int by_text(const void *x, const void *y)
{
    return strcmp(x, y);
}

/* Over names, places and times; both what is shown and what it is known by. */
static void no_challenge_comes_twice(void **state)
{
    (void)state;
    enum { CHALLENGES = 3000 };
    static char shown[CHALLENGES][GRID_CELLS_MAX + 1], codes[CHALLENGES][GRID_CODE_SIZE];
    static const char *const names[] = {"alice", "bob", "nobody"};
    setup(CONFIG_TOTP_OFF);
    for (size_t i = 0; i < CHALLENGES; i++) {
        const struct ip_addr source = {4, {203, 0, 113, (uint8_t)(i / 3 % 40)}};
        const struct aaa_grid grid = fetch(names[i % 3], &source);
        memcpy(shown[i], grid.cells, sizeof shown[i]);
        memcpy(codes[i], grid.code, sizeof codes[i]);
        if (i % 60 == 59)
            pass(120);
    }
    qsort(shown, CHALLENGES, sizeof shown[0], by_text);
    qsort(codes, CHALLENGES, sizeof codes[0], by_text);
    for (size_t i = 1; i < CHALLENGES; i++) {
        assert_string_not_equal(shown[i - 1], shown[i]);
        assert_string_not_equal(codes[i - 1], codes[i]);
    }
    done();
}

/* ---- locks ---- */

static void only_many_sources_lock_a_user_and_the_administrator_unlocks(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    for (size_t i = 0; i < 200; i++) { /* one source, for hours */
        (void)pap("bob", "wrong", &office, 1);
        pass(700);
        for (size_t k = 0; k < 5; k++)
            (void)pap("bob", "wrong", &office, 1);
    }
    assert_int_equal(about("bob").locked, 0);
    for (uint8_t i = 0; i < 3; i++) {
        const struct ip_addr stranger = {4, {203, 0, 113, i}};
        for (size_t k = 0; k < 5; k++)
            (void)pap("bob", "wrong", &stranger, 1);
    }
    assert_int_equal(about("bob").locked, wall);
    pass(3600);
    assert_int_equal(pap("bob", "secret", &home, 2), CAUSE_AUTH_LOCKED);
    assert_int_equal(pap("alice", "secret", &home, 3), CAUSE_NONE);
    assert_int_equal(aaa_unlock(a, "bob", &service.why), ERR_OK);
    assert_int_equal(pap("bob", "secret", &home, 4), CAUSE_NONE);
    assert_int_equal(aaa_unlock(a, "nobody", &service.why), ERR_NOTFOUND);
    done();
}

static void where_grids_are_off_strangers_lock_nobody(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    service.config.grid.enabled = false;
    settings_changed();
    for (uint8_t i = 0; i < 20; i++) {
        const struct ip_addr stranger = {4, {203, 0, 113, i}};
        for (size_t k = 0; k < 6; k++)
            (void)pap("bob", "wrong", &stranger, 1);
    }
    assert_int_equal(about("bob").locked, 0);
    pass(60);
    assert_int_equal(pap("bob", "secret", &home, 2), CAUSE_NONE);
    done();
}

static void a_phone_that_redials_a_stale_answer_does_not_lock_its_user_out(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    service.config.grid.reconnect = 0;
    settings_changed();
    enrol("alice", GOOD);
    struct aaa_grid grid = fetch("alice", &home);
    char stale[GRID_ANSWER_MAX];
    snprintf(stale, sizeof stale, "%s", read_from(&grid, GOOD));
    assert_int_equal(pap("alice", stale, &home, 1), CAUSE_NONE);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(pap("alice", stale, &home, 2), CAUSE_GRID_EXPIRED);
    grid = fetch("alice", &home);
    assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, 3), CAUSE_NONE);
    done();
}

/* ---- enrolment ---- */

static void a_pattern_counts_only_after_two_grids_were_read_in_a_row(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    const struct aaa_new_pattern wanted = {.user = "alice", .cells = GOOD, .phrase = "", .wall = wall, .now = now};
    struct aaa_enrolment e;
    assert_int_equal(aaa_grid_enrol(a, &wanted, &e, &service.why), ERR_OK);
    assert_int_equal(e.rounds, 2);
    struct aaa_practice practice = {"alice", e.grid.code, read_from(&e.grid, GOOD), wall, now};
    struct aaa_enrolment next;
    assert_int_equal(aaa_grid_practise(a, &practice, &next, &service.why), ERR_OK);
    assert_int_equal(next.rounds, 1);
    assert_int_equal(aaa_grid_practise(a, &practice, &e, &service.why), ERR_OK); /* the same grid again */
    assert_false(e.accepted);
    assert_int_equal(e.rounds, 2);
    assert_false(about("alice").grid);
    assert_int_equal(pap("alice", "secret", &home, 1), CAUSE_NONE); /* still by the password */
    for (size_t i = 0; i < 5; i++) {
        practice.answer = "wrong";
        assert_int_equal(aaa_grid_practise(a, &practice, &e, &service.why), ERR_OK);
    }
    assert_int_equal(aaa_grid_practise(a, &practice, &e, &service.why), ERR_LIMIT);
    assert_int_equal(aaa_grid_practise(a, &practice, &e, &service.why), ERR_NOTFOUND);
    enrol("alice", GOOD);
    assert_true(about("alice").grid);
    done();
}

static void weak_and_former_patterns_are_not_taken(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    struct aaa_enrolment e;
    struct aaa_new_pattern wanted = {
        .user = "alice", .cells = "0,1,2,3,4,5,6,7", .phrase = "", .wall = wall, .now = now};
    assert_int_equal(aaa_grid_enrol(a, &wanted, &e, &service.why), ERR_OK);
    assert_false(e.accepted);
    assert_true(e.weaknesses & 1u << GRID_WEAK_BLOCKS);
    assert_int_equal(e.rounds, 0);
    enrol("alice", GOOD);
    wanted.cells = GOOD;
    assert_int_equal(aaa_grid_enrol(a, &wanted, &e, &service.why), ERR_OK);
    assert_int_equal(e.weaknesses, 1u << GRID_WEAK_FORMER);
    enrol("alice", BETTER);
    assert_int_equal(aaa_grid_enrol(a, &wanted, &e, &service.why), ERR_OK);
    assert_int_equal(e.weaknesses, 1u << GRID_WEAK_FORMER);
    wanted.user = "nobody";
    assert_int_equal(aaa_grid_enrol(a, &wanted, &e, &service.why), ERR_NOTFOUND);
    done();
}

static void strange_places_are_counted_until_a_new_pattern_is_due(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    for (uint64_t i = 1; i <= 4; i++) {
        const struct aaa_grid grid = fetch("alice", &home);
        assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, i), CAUSE_NONE);
        assert_int_equal(about("alice").grid_exposed, i < 3 ? i : 3); /* known from the third on */
        assert_int_equal(about("alice").renew, i >= 2);
    }
    enrol("alice", BETTER);
    assert_int_equal(about("alice").grid_exposed, 0);
    assert_false(about("alice").renew);
    done();
}

static void a_pattern_for_grids_of_another_shape_is_of_no_use(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    service.config.grid.rows = 5;
    settings_changed();
    fetch("alice", &home);
    assert_int_equal(pap("alice", "00000000", &home, 1), CAUSE_GRID_SHAPE);
    done();
}

static void a_pattern_survives_a_restart_and_is_nowhere_in_clear(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    aaa_close(a);
    FILE *f = fopen(service.database, "rb");
    assert_non_null(f);
    static uint8_t bytes[1 << 20];
    const size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_null(memmem(bytes, n, ((uint8_t[]){0, 22, 45, 11, 17, 35, 28, 6}), 8));
    assert_int_equal(aaa_open(&service.config, &a, &service.why), ERR_OK);
    const struct aaa_grid grid = fetch("alice", &home);
    assert_int_equal(mschap("alice", read_from(&grid, GOOD), &home, 1), CAUSE_NONE);
    done();
}

/* ---- one-time codes ---- */

static void a_code_goes_after_the_password_and_no_step_is_good_twice(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_ALTERNATIVE);
    service.config.grid.reconnect = 0;
    settings_changed();
    give_codes("alice");
    assert_int_equal(pap("alice", "secret", &home, 1), CAUSE_AUTH_CODE);
    assert_int_equal(mschap("alice", with_code("secret", wall), &home, 2), CAUSE_NONE);
    assert_int_equal(mschap("alice", with_code("secret", wall), &home, 3), CAUSE_AUTH_CODE);
    assert_int_equal(pap("alice", with_code("secret", wall - 30), &home, 4), CAUSE_AUTH_CODE); /* older than that */
    assert_int_equal(chap("alice", with_code("secret", wall + 30), &home, 5), CAUSE_NONE);     /* a fast clock */
    pass(300);
    assert_int_equal(pap("alice", with_code("secret", wall - 60), &home, 6), CAUSE_AUTH_CODE);
    assert_int_equal(pap("alice", with_code("secret", wall + 60), &home, 7), CAUSE_AUTH_CODE);
    assert_int_equal(pap("alice", with_code("secret", wall - 30), &home, 8), CAUSE_NONE); /* a slow one */
    assert_int_equal(pap("bob", "secret", &home, 9), CAUSE_NONE);
    assert_int_equal(aaa_totp_off(a, "alice", &service.why), ERR_OK);
    assert_int_equal(pap("alice", "secret", &home, 10), CAUSE_NONE);
    done();
}

static void an_alternative_code_opens_beside_the_pattern(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_ALTERNATIVE);
    enrol("alice", GOOD);
    give_codes("alice");
    assert_int_equal(pap("alice", with_code("secret", wall), &home, 1), CAUSE_NONE);
    const struct aaa_grid grid = fetch("alice", &home);
    assert_int_equal(pap("alice", read_from(&grid, GOOD), &home, 2), CAUSE_NONE);
    done();
}

static void a_second_factor_is_typed_after_the_characters(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_SECOND);
    enrol("alice", GOOD);
    give_codes("alice");
    struct aaa_grid grid = fetch("alice", &home);
    assert_int_equal(mschap("alice", read_from(&grid, GOOD), &home, 1), CAUSE_GRID_WRONG);
    assert_int_equal(mschap("alice", with_code("secret", wall), &home, 2), CAUSE_GRID_EXPIRED);
    grid = fetch("alice", &home);
    assert_int_equal(mschap("alice", with_code(read_from(&grid, GOOD), wall), &home, 3), CAUSE_NONE);
    done();
}

static void a_code_alone_is_checked_with_the_same_patience(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_ALTERNATIVE);
    give_codes("alice");
    const struct aaa_request r = {.proof = {.user = "alice"}, .peer = office, .wall = wall, .now = now};
    assert_true(aaa_totp_check(a, &r, with_code("", wall)));
    assert_false(aaa_totp_check(a, &r, with_code("", wall)));
    for (size_t i = 0; i < 5; i++)
        assert_false(aaa_totp_check(a, &r, "123456"));
    assert_false(aaa_totp_check(a, &r, with_code("", wall + 30))); /* has to wait */
    const struct aaa_request nobody = {.proof = {.user = "nobody"}, .peer = home, .wall = wall, .now = now};
    assert_false(aaa_totp_check(a, &nobody, "123456"));
    done();
}

/* ---- off ---- */

static void where_grids_are_off_passwords_open_as_ever(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    service.config.grid.enabled = false;
    settings_changed();
    struct aaa_grid grid;
    const struct aaa_visit visit = {.user = "alice", .source = home, .wall = wall, .now = now};
    assert_int_equal(aaa_grid_show(a, &visit, &grid, &service.why), ERR_INVALID);
    assert_int_equal(pap("alice", "secret", &home, 1), CAUSE_NONE);
    assert_int_equal(pap("alice", "wrong", &home, 2), CAUSE_AUTH_PASSWORD);
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_characters_on_the_cells_open_by_every_method_and_only_once),
        cmocka_unit_test(the_password_no_longer_opens_once_there_is_a_pattern),
        cmocka_unit_test(a_wrong_answer_burns_the_grid),
        cmocka_unit_test(a_grid_past_its_time_opens_nothing),
        cmocka_unit_test(a_grid_opens_until_the_last_tick_of_its_life),
        cmocka_unit_test(the_same_answer_on_two_shards_opens_once),
        cmocka_unit_test(what_one_user_reads_opens_for_no_other),
        cmocka_unit_test(two_open_grids_are_told_apart_by_what_was_typed),
        cmocka_unit_test(the_number_of_one_grid_does_not_go_with_another),
        cmocka_unit_test(a_bound_grid_opens_only_where_it_was_fetched),
        cmocka_unit_test(a_grid_shown_in_band_opens_for_its_session_alone),
        cmocka_unit_test(the_end_of_a_session_ends_the_grids_shown_to_it_alone),
        cmocka_unit_test(the_portal_names_the_grid_that_it_has_shown),
        cmocka_unit_test(a_phrase_is_typed_before_or_after),
        cmocka_unit_test(unknown_names_get_grids_like_all_others),
        cmocka_unit_test(a_stranger_cannot_end_the_grid_of_a_user),
        cmocka_unit_test(no_more_than_three_true_grids_are_open),
        cmocka_unit_test(strangers_who_fill_the_desk_give_way_to_who_is_known),
        cmocka_unit_test(a_browser_that_is_remembered_is_shown_true_grids_until_something_changes),
        cmocka_unit_test(where_strangers_get_no_true_grid_only_proof_or_a_known_place_helps),
        cmocka_unit_test(an_address_gets_only_so_many_grids_an_hour),
        cmocka_unit_test(no_challenge_comes_twice),
        cmocka_unit_test(only_many_sources_lock_a_user_and_the_administrator_unlocks),
        cmocka_unit_test(where_grids_are_off_strangers_lock_nobody),
        cmocka_unit_test(a_phone_that_redials_a_stale_answer_does_not_lock_its_user_out),
        cmocka_unit_test(a_pattern_counts_only_after_two_grids_were_read_in_a_row),
        cmocka_unit_test(weak_and_former_patterns_are_not_taken),
        cmocka_unit_test(strange_places_are_counted_until_a_new_pattern_is_due),
        cmocka_unit_test(a_pattern_for_grids_of_another_shape_is_of_no_use),
        cmocka_unit_test(a_pattern_survives_a_restart_and_is_nowhere_in_clear),
        cmocka_unit_test(a_code_goes_after_the_password_and_no_step_is_good_twice),
        cmocka_unit_test(an_alternative_code_opens_beside_the_pattern),
        cmocka_unit_test(a_second_factor_is_typed_after_the_characters),
        cmocka_unit_test(a_code_alone_is_checked_with_the_same_patience),
        cmocka_unit_test(where_grids_are_off_passwords_open_as_ever),
    };
    return cmocka_run_group_tests(tests, service_folder, service_away);
}
