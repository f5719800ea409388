/* IKE from port 500 to port 500: who gets which message, and what quick modes promise. */
#include "tests/unit/tracker/scene.h"

#define OUT(host, i, r, exchange, id) ike_packet(TRACKER_OUT, host, SERVER, i, r, exchange, id)
#define IN(i, r, exchange, id)        ike_packet(TRACKER_IN, 0, SERVER, i, r, exchange, id)

/* A has cookies 1 and 11, B 2 and 12; both are past main mode. */
static void two_hosts_have_ike(void)
{
    expect_move(OUT(A, 1, 0, MAIN_MODE, 0), TRACKER_PASS, A); /* A --> MM1 */
    expect_move(OUT(B, 2, 0, MAIN_MODE, 0), TRACKER_PASS, B); /* B --> MM1 */
    expect_move(IN(2, 12, MAIN_MODE, 0), TRACKER_PASS, B);    /* B <-- MM2 */
    expect_move(IN(1, 11, MAIN_MODE, 0), TRACKER_PASS, A);    /* A <-- MM2 */
    expect_move(OUT(A, 1, 11, MAIN_MODE, 0), TRACKER_PASS, A);
    expect_move(OUT(B, 2, 12, MAIN_MODE, 0), TRACKER_PASS, B);
}

static void cookies_tell_exchanges_apart(void **state)
{
    (void)state;
    two_hosts_have_ike();
    expect_move(IN(1, 11, INFORM, 7), TRACKER_PASS, A);
    expect_move(IN(2, 12, INFORM, 8), TRACKER_PASS, B);
    assert_int_equal(counter(TRACKER_COUNT_AMBIGUOUS), 0);
}

static void a_cookie_belongs_to_the_first_who_uses_it(void **state)
{
    (void)state;
    expect_move(OUT(A, 1, 0, MAIN_MODE, 0), TRACKER_PASS, A);
    expect_drop(OUT(B, 1, 0, MAIN_MODE, 0), TRACKER_REASON_COOKIE_TAKEN);
    expect_move(IN(1, 11, MAIN_MODE, 0), TRACKER_PASS, A);
    expect_move(ike_packet(TRACKER_OUT, B, SERVER2, 1, 0, MAIN_MODE, 0), TRACKER_PASS, B); /* another server */
}

static void a_server_that_begins_reaches_the_only_host(void **state)
{
    (void)state;
    expect_move(OUT(A, 1, 0, MAIN_MODE, 0), TRACKER_PASS, A);
    expect_move(IN(99, 0, MAIN_MODE, 0), TRACKER_PASS, A);       /* A <-- MM1 */
    expect_move(OUT(A, 99, 100, MAIN_MODE, 0), TRACKER_PASS, A); /* A --> MM2 */
    expect_move(IN(99, 100, MAIN_MODE, 0), TRACKER_PASS, A);
    assert_int_equal(counter(TRACKER_COUNT_AMBIGUOUS), 0);
}

static void a_server_that_begins_is_shown_to_the_oldest_first(void **state)
{
    (void)state;
    two_hosts_have_ike();
    expect_move(IN(99, 0, MAIN_MODE, 0), TRACKER_PASS, A);
    scene_wait(100 * USEC_MSEC);
    expect_move(IN(99, 0, MAIN_MODE, 0), TRACKER_PASS, A); /* too soon to be a repetition */
    scene_wait(USEC_SEC);
    expect_move(IN(99, 0, MAIN_MODE, 0), TRACKER_PASS, B);
    expect_move(OUT(B, 99, 100, MAIN_MODE, 0), TRACKER_PASS, B); /* B --> MM2: it was meant */
    scene_wait(4 * USEC_SEC);
    expect_move(IN(99, 100, MAIN_MODE, 0), TRACKER_PASS, B);
    assert_int_equal(counter(TRACKER_COUNT_AMBIGUOUS), 1);
}

static void after_a_restart_the_first_who_answers_owns_the_cookies(void **state)
{
    (void)state;
    (void)esp_out(A, SERVER, 0xa0, 5000);
    (void)esp_out(B, SERVER, 0xb0, 5000);
    scene.taken = scene.n_moves;
    expect_move(IN(7, 77, INFORM, 1), TRACKER_PASS, A); /* R-U-THERE, for B */
    scene_wait(2 * USEC_SEC);
    expect_move(IN(7, 77, INFORM, 1), TRACKER_PASS, B);
    expect_move(OUT(B, 7, 77, INFORM, 2), TRACKER_PASS, B);
    expect_move(IN(7, 77, INFORM, 3), TRACKER_PASS, B);
}

static void forged_ike_without_a_candidate_leaves_nothing(void **state)
{
    (void)state;
    for (uint64_t i = 1; i < 100; i++)
        expect_drop(IN(i, i & 1, MAIN_MODE, 0), TRACKER_REASON_NO_CANDIDATE);
    assert_true(tracker_deadline(scene.t) == USEC_NEVER);
}

static void a_flood_of_forged_ike_takes_nothing_from_anybody(void **state)
{
    (void)state;
    two_hosts_have_ike();
    for (uint64_t i = 1000; i < 2000; i++)
        (void)IN(i, i & 1, MAIN_MODE, 0);
    scene.taken = scene.n_moves;
    expect_move(IN(1, 11, INFORM, 7), TRACKER_PASS, A);
    expect_move(IN(2, 12, INFORM, 8), TRACKER_PASS, B);
    assert_true(counter(TRACKER_COUNT_REFUSED) > 900);
    struct tracker_binding_info b;
    size_t guesses = 0;
    for (const void *at = NULL; tracker_binding_next(scene.t, &at, &b);)
        guesses += b.ike && b.state != TRACKER_STATE_BOUND;
    assert_int_equal(guesses, 16);
    scene_wait(61 * USEC_SEC);
    guesses = 0;
    for (const void *at = NULL; tracker_binding_next(scene.t, &at, &b);)
        guesses += b.ike && b.state != TRACKER_STATE_BOUND;
    assert_int_equal(guesses, 0);
}

static void quick_modes_of_two_hosts_are_done_one_after_another(void **state)
{
    (void)state;
    two_hosts_have_ike();
    expect_move(OUT(A, 1, 11, QUICK_MODE, 500), TRACKER_PASS, A); /* A --> QM1 */
    const uint32_t b1 = OUT(B, 2, 12, QUICK_MODE, 600);           /* B --> QM1 */
    expect_no_move();
    expect_move(IN(1, 11, QUICK_MODE, 500), TRACKER_PASS, A);     /* A <-- QM2 */
    expect_move(OUT(A, 1, 11, QUICK_MODE, 500), TRACKER_PASS, A); /* A --> QM3 */
    assert_int_equal(counter(TRACKER_COUNT_QUICK_MODES), 1);
    expect_no_move();
    /* the server is first on the new SA */
    expect_move(esp_in(SERVER, 0xa1, 1), TRACKER_PASS, A);
    expect_move(b1, TRACKER_PASS, B);
    expect_move(IN(2, 12, QUICK_MODE, 600), TRACKER_PASS, B);
    expect_move(OUT(B, 2, 12, QUICK_MODE, 600), TRACKER_PASS, B);
    const uint32_t first = esp_in(SERVER, 0xb1, 1); /* B's turn; A's new SPI is not certain yet */
    expect_move(first, TRACKER_COPY, A);
    expect_move(first, TRACKER_PASS, B);
    assert_int_equal(counter(TRACKER_COUNT_HELD_OVER), 0);
}

static void a_quick_mode_without_traffic_after_it_stops_the_next_for_a_moment_only(void **state)
{
    (void)state;
    two_hosts_have_ike();
    (void)OUT(A, 1, 11, QUICK_MODE, 500);
    (void)IN(1, 11, QUICK_MODE, 500);
    (void)OUT(A, 1, 11, QUICK_MODE, 500);
    scene.taken = scene.n_moves;
    const uint32_t b1 = OUT(B, 2, 12, QUICK_MODE, 600);
    scene_wait(249 * USEC_MSEC);
    expect_no_move();
    scene_wait(2 * USEC_MSEC);
    expect_move(b1, TRACKER_PASS, B);
}

static void a_quick_mode_that_the_server_begins_waits_too(void **state)
{
    (void)state;
    two_hosts_have_ike();
    expect_move(OUT(A, 1, 11, QUICK_MODE, 500), TRACKER_PASS, A); /* never answered */
    const uint32_t b1 = IN(2, 12, QUICK_MODE, 600);
    expect_no_move();
    scene_wait(USEC_SEC);
    expect_move(b1, TRACKER_PASS, B);
    expect_move(OUT(B, 2, 12, QUICK_MODE, 600), TRACKER_PASS, B);
    expect_move(IN(2, 12, QUICK_MODE, 600), TRACKER_PASS, B);
    assert_int_equal(counter(TRACKER_COUNT_QUICK_MODES), 1);
}

static bool knows(uint64_t initiator)
{
    struct tracker_binding_info b;
    for (const void *at = NULL; tracker_binding_next(scene.t, &at, &b);)
        if (b.ike && b.initiator == initiator)
            return true;
    return false;
}

static void ike_is_silent_as_long_as_its_host_uses_esp(void **state)
{
    (void)state;
    two_hosts_have_ike();
    (void)esp_out(A, SERVER, 0xa0, 1);
    for (int i = 0; i < 8 * 60; i++) {
        scene_wait(60 * USEC_SEC);
        tracker_used(scene.t, scene.now, TRACKER_OUT, A, SERVER, 0xa0, 1);
    }
    assert_true(knows(1));
    assert_false(knows(2)); /* B went home */
}

static void an_exchange_that_is_never_answered_goes_soon(void **state)
{
    (void)state;
    (void)OUT(A, 1, 0, MAIN_MODE, 0);
    scene_wait(119 * USEC_SEC);
    assert_true(knows(1));
    scene_wait(62 * USEC_SEC);
    assert_false(knows(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STORY(f) cmocka_unit_test_setup_teardown(f, scene_begin, scene_close)
        STORY(cookies_tell_exchanges_apart),
        STORY(a_cookie_belongs_to_the_first_who_uses_it),
        STORY(a_server_that_begins_reaches_the_only_host),
        STORY(a_server_that_begins_is_shown_to_the_oldest_first),
        STORY(after_a_restart_the_first_who_answers_owns_the_cookies),
        STORY(forged_ike_without_a_candidate_leaves_nothing),
        STORY(a_flood_of_forged_ike_takes_nothing_from_anybody),
        STORY(quick_modes_of_two_hosts_are_done_one_after_another),
        STORY(a_quick_mode_without_traffic_after_it_stops_the_next_for_a_moment_only),
        STORY(a_quick_mode_that_the_server_begins_waits_too),
        STORY(ike_is_silent_as_long_as_its_host_uses_esp),
        STORY(an_exchange_that_is_never_answered_goes_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
