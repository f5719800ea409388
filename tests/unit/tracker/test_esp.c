/* How ESP finds its host: one, two, many; old SAs and new ones; floods from inside. */
#include "tests/unit/tracker/scene.h"

static void the_only_host_at_a_server_is_bound_both_ways_when_they_have_talked(void **state)
{
    (void)state;
    expect_move(esp_out(A, SERVER, 0xa0, 1), TRACKER_PASS, A); /* A --> */
    expect_move(esp_in(SERVER, 0xa1, 1), TRACKER_PASS, A);     /* A <-- */
    assert_true(is_tentative(A, 0xa1));                        /* it may be forged */
    talk(A, SERVER, 0xa0, 0xa1, 2);
    assert_true(in_kernel(TRACKER_OUT, A, 0xa0));
    assert_true(in_kernel(TRACKER_IN, A, 0xa1));
    expect_move(esp_out(B, SERVER2, 0xb0, 1), TRACKER_PASS, B); /* another server is another matter */
    expect_move(esp_in(SERVER2, 0xb1, 1), TRACKER_PASS, B);
    talk(B, SERVER2, 0xb0, 0xb1, 2);
    assert_true(in_kernel(TRACKER_IN, B, 0xb1));
    assert_int_equal(counter(TRACKER_COUNT_AMBIGUOUS), 0);
}

/* The router starts when an SA has carried much one way and little the other. */
static void an_sa_that_is_new_one_way_only_is_bound_when_they_have_talked(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        (void)esp_out(A, SERVER, 0xa0, 100 + 2 * i); /* A --> A --> */
        (void)esp_in(SERVER, 0xa1, 50 + i);          /* A <-- */
        scene_wait(2 * USEC_MSEC);
        (void)esp_out(A, SERVER, 0xa0, 101 + 2 * i);
        scene_wait(148 * USEC_MSEC);
    }
    assert_true(in_kernel(TRACKER_OUT, A, 0xa0));
    assert_true(in_kernel(TRACKER_IN, A, 0xa1));
}

static void the_second_new_sa_waits_until_the_first_has_its_answer(void **state)
{
    (void)state;
    two_hosts_meet();
    expect_move(esp_out(A, SERVER, 0xa0, 1), TRACKER_PASS, A); /* A --> SCCRQ */
    const uint32_t waiting = esp_out(B, SERVER, 0xb0, 1);      /* B --> SCCRQ */
    expect_no_move();
    scene_wait(20 * USEC_MSEC);
    expect_move(esp_in(SERVER, 0xa1, 1), TRACKER_PASS, A); /* A <-- SCCRP */
    expect_move(waiting, TRACKER_PASS, B);                 /* and B's goes */
    scene_wait(2 * USEC_MSEC);
    expect_move(esp_out(A, SERVER, 0xa0, 2), TRACKER_PASS, A); /* A --> SCCCN: it was meant */
    assert_true(is_tentative(A, 0xa1));
    scene_wait(18 * USEC_MSEC);
    expect_move(esp_in(SERVER, 0xb1, 1), TRACKER_PASS, B); /* B <-- SCCRP */
    scene_wait(2 * USEC_MSEC);
    expect_move(esp_out(B, SERVER, 0xb0, 2), TRACKER_PASS, B);
    assert_true(is_tentative(B, 0xb1));
    talk(A, SERVER, 0xa0, 0xa1, 3);
    talk(B, SERVER, 0xb0, 0xb1, 3);
    assert_true(in_kernel(TRACKER_IN, A, 0xa1) && in_kernel(TRACKER_OUT, A, 0xa0));
    assert_true(in_kernel(TRACKER_IN, B, 0xb1) && in_kernel(TRACKER_OUT, B, 0xb0));
    assert_int_equal(counter(TRACKER_COUNT_HELD), 1);
    assert_int_equal(counter(TRACKER_COUNT_AMBIGUOUS), 0);
    assert_int_equal(counter(TRACKER_COUNT_WRONG_GUESSES), 0);
}

static void nobody_is_held_longer_than_a_second(void **state)
{
    (void)state;
    two_hosts_meet();
    expect_move(esp_out(A, SERVER, 0xa0, 1), TRACKER_PASS, A); /* its answer is lost */
    scene_wait(USEC_MSEC);
    const uint32_t waiting = esp_out(B, SERVER, 0xb0, 1);
    scene_wait(998 * USEC_MSEC);
    expect_no_move();
    scene_wait(2 * USEC_MSEC);
    expect_move(waiting, TRACKER_PASS, B);
    /* A had its turn: it waits for nobody and has nobody wait */
    expect_move(esp_out(A, SERVER, 0xa2, 1), TRACKER_PASS, A);
}

static void a_packet_that_several_may_be_meant_by_reaches_them_all_and_the_answer_tells(void **state)
{
    (void)state;
    /* SAs from before the router started */
    expect_move(esp_out(A, SERVER, 0xa0, 5000), TRACKER_PASS, A);
    expect_move(esp_out(B, SERVER, 0xb0, 9000), TRACKER_PASS, B);
    scene_wait(2 * USEC_SEC);
    const uint32_t echo = esp_in(SERVER, 0xa1, 7000); /* <-- LCP Echo-Request, to A */
    expect_move(echo, TRACKER_COPY, A);               /* both may be meant, and either gets it */
    expect_move(echo, TRACKER_COPY, B);
    scene_wait(3 * USEC_MSEC);
    const uint32_t reply = esp_out(A, SERVER, 0xa0, 5001); /* A --> Echo-Reply */
    expect_move(echo, TRACKER_DONE, B);
    scene_wait(64 * USEC_MSEC);
    expect_move(reply, TRACKER_PASS, A);
    scene_wait(USEC_SEC);
    for (uint32_t i = 1; i < 3; i++) { /* shown a moment later than they come, in case it was chance */
        const uint32_t again = esp_in(SERVER, 0xa1, 7000 + i);
        expect_no_move();
        while (scene.taken == scene.n_moves)
            scene_wait(USEC_MSEC);
        expect_move(again, TRACKER_COPY, B);
        expect_move(again, TRACKER_COPY, A);
        scene_wait(3 * USEC_MSEC);
        const uint32_t answer = esp_out(A, SERVER, 0xa0, 5001 + i);
        expect_move(again, TRACKER_DONE, A);
        scene_wait(64 * USEC_MSEC);
        expect_move(answer, TRACKER_PASS, A);
        scene_wait(USEC_SEC);
    }
    assert_true(is_tentative(A, 0xa1)); /* it is not B that is meant; A shows once more that somebody is */
    const uint32_t last = esp_in(SERVER, 0xa1, 7003);
    while (scene.taken == scene.n_moves)
        scene_wait(USEC_MSEC);
    expect_move(last, TRACKER_PASS, A);
    scene_wait(3 * USEC_MSEC);
    (void)esp_out(A, SERVER, 0xa0, 5004);
    scene_wait(64 * USEC_MSEC);
    scene.taken = scene.n_moves;
    assert_true(in_kernel(TRACKER_IN, A, 0xa1));
    assert_int_equal(counter(TRACKER_COUNT_WRONG_GUESSES), 1);
    /* and the other SPI can only be B's */
    expect_move(esp_in(SERVER, 0xb1, 100), TRACKER_PASS, B);
}

static void who_has_just_logged_in_is_not_made_to_wait(void **state)
{
    (void)state;
    two_hosts_meet();
    (void)esp_out(A, SERVER, 0xa0, 1);
    for (uint32_t i = 1; i < 6; i++) {
        (void)esp_in(SERVER, 0xa1, i);
        scene_wait(2 * USEC_MSEC);
        (void)esp_out(A, SERVER, 0xa0, 1 + i);
        scene_wait(10 * USEC_MSEC);
    }
    scene_wait(700 * USEC_MSEC);
    scene.taken = scene.n_moves;
    expect_move(esp_out(A, SERVER, 0xa0, 7), TRACKER_PASS, A); /* A --> the first packet of its user */
    expect_move(esp_in(SERVER, 0xa1, 6), TRACKER_PASS, A);     /* A <-- and the answer */
}

/* SAs from before the router started. One packet has come on A's, and this host has sent just after it. */
static void seems_to_answer(uint32_t host, uint32_t spi, uint32_t sequence)
{
    (void)esp_out(A, SERVER, 0xa0, 5000);
    (void)esp_out(B, SERVER, 0xb0, 9000);
    scene_wait(2 * USEC_SEC);
    (void)esp_in(SERVER, 0xa1, 7000);
    scene_wait(3 * USEC_MSEC);
    (void)esp_out(host, SERVER, spi, sequence);
    scene_wait(USEC_SEC);
}

static void what_waits_for_its_moment_is_not_over_when_the_next_is_answered(void **state)
{
    (void)state;
    seems_to_answer(B, 0xb0, 9001);
    const uint32_t first = esp_in(SERVER, 0xa1, 7001); /* after a silence: it is shown a moment later */
    assert_false(has_seen(first, A));
    scene_wait(USEC_MSEC);
    assert_true(has_seen(esp_in(SERVER, 0xa1, 7002), A)); /* the next one at once */
    scene_wait(3 * USEC_MSEC);
    (void)esp_out(A, SERVER, 0xa0, 5001); /* A --> its answer */
    scene_wait(USEC_SEC);
    assert_true(has_seen(first, A));
}

static void what_waits_for_its_moment_is_not_overtaken_by_more_than_a_replay_window_forgives(void **state)
{
    (void)state;
    seems_to_answer(A, 0xa0, 5001);
    const uint32_t first = esp_in(SERVER, 0xa1, 7001);
    for (uint32_t i = 2; i < 20; i++) {
        scene_wait(200);
        (void)esp_in(SERVER, 0xa1, 7000 + i);
    }
    assert_true(has_seen(first, A));
}

static void what_was_bound_while_a_host_was_silent_is_looked_at_again_when_it_speaks(void **state)
{
    (void)state;
    expect_move(esp_out(A, SERVER, 0xa0, 5000), TRACKER_PASS, A); /* the router has just started; B is silent */
    expect_move(esp_in(SERVER, 0xb1, 8000), TRACKER_PASS, A);     /* B's, but who would know */
    talk(A, SERVER, 0xa0, 0xb1, 8001);
    assert_true(in_kernel(TRACKER_IN, A, 0xb1));
    scene_wait(500 * USEC_MSEC);
    const uint32_t late = esp_out(B, SERVER, 0xb0, 9000);
    assert_false(in_kernel(TRACKER_IN, A, 0xb1));
    scene_wait(64 * USEC_MSEC);
    expect_move(late, TRACKER_PASS, B);
    for (uint32_t i = 1; i < 6; i++) {
        scene_wait(700 * USEC_MSEC);
        const uint32_t h = esp_in(SERVER, 0xb1, 9000 + i);
        for (int ms = 0; ms < 600 && !has_seen(h, B); ms++)
            scene_wait(USEC_MSEC);
        assert_true(has_seen(h, B));
        scene_wait(3 * USEC_MSEC);
        (void)esp_out(B, SERVER, 0xb0, 9000 + i);
    }
    assert_true(in_kernel(TRACKER_IN, B, 0xb1));
    assert_int_equal(told(TRACKER_CORRECTED, TRACKER_IN, B, 0xb1), 1);
    assert_int_equal(counter(TRACKER_COUNT_CORRECTED), 1);
}

static void a_host_that_reboots_comes_with_new_spis_and_the_old_ones_age(void **state)
{
    (void)state;
    (void)esp_out(A, SERVER, 0xa0, 1);
    talk(A, SERVER, 0xa0, 0xa1, 1);
    scene_wait(60 * USEC_SEC);
    (void)esp_out(A, SERVER, 0xaa0, 1);
    talk(A, SERVER, 0xaa0, 0xaa1, 1);
    assert_true(in_kernel(TRACKER_OUT, A, 0xaa0));
    assert_true(in_kernel(TRACKER_IN, A, 0xaa1));
    assert_true(in_kernel(TRACKER_OUT, A, 0xa0));
    for (int i = 0; i < 5; i++) {
        scene_wait(60 * USEC_SEC);
        tracker_used(scene.t, scene.now, TRACKER_OUT, A, SERVER, 0xaa0, 2);
        tracker_used(scene.t, scene.now, TRACKER_IN, 0, SERVER, 0xaa1, 2);
    }
    assert_false(in_kernel(TRACKER_OUT, A, 0xa0));
    assert_false(in_kernel(TRACKER_IN, A, 0xa1));
    assert_true(in_kernel(TRACKER_OUT, A, 0xaa0)); /* a hello a minute is enough */
    assert_true(in_kernel(TRACKER_IN, A, 0xaa1));
    scene_wait(301 * USEC_SEC);
    struct tracker_host_info h;
    const void *at = NULL;
    assert_false(tracker_host_next(scene.t, &at, &h)); /* nothing is left of it */
}

static void a_flood_from_one_host_stays_within_its_own_limits(void **state)
{
    (void)state;
    two_hosts_meet();
    (void)esp_out(B, SERVER, 0xb0, 1);
    talk(B, SERVER, 0xb0, 0xb1, 1);
    assert_true(in_kernel(TRACKER_IN, B, 0xb1));
    for (uint32_t i = 0; i < 5000; i++) { /* A: random SPIs, cookies and servers */
        (void)esp_out(A, SERVER, 0x10000 + i, 1);
        (void)esp_out(A, SERVER2 + i, 0x20000 + i, 1);
        (void)ike_packet(TRACKER_OUT, A, SERVER, 0x30000 + i, 0, MAIN_MODE, 0);
        scene_wait(100);
        scene.n_moves = scene.taken = 0;
    }
    struct tracker_host_info h;
    const void *at = NULL;
    size_t hosts = 0;
    while (tracker_host_next(scene.t, &at, &h)) {
        hosts++;
        if (h.host != A)
            continue;
        assert_in_range(h.pairs, 1, tracker_defaults().spis_per_host);
        assert_in_range(h.ikes, 1, tracker_defaults().ikes_per_host);
        assert_in_range(h.servers, 1, tracker_defaults().servers_per_host);
        assert_in_range(h.held, 0, tracker_defaults().held_per_host);
    }
    assert_int_equal(hosts, 2);
    assert_true(in_kernel(TRACKER_IN, B, 0xb1));
    assert_true(in_kernel(TRACKER_OUT, B, 0xb0));
    /* C comes while the flood goes on, and is served within a second */
    scene.n_moves = scene.taken = 0;
    const uint32_t first = esp_out(C, SERVER, 0xc0, 1);
    for (uint32_t i = 0; i < 1000; i++) {
        (void)esp_out(A, SERVER, 0x40000 + i, 1);
        scene_wait(USEC_MSEC);
    }
    bool gone = false;
    for (size_t i = 0; i < scene.n_moves; i++)
        gone |= scene.moves[i].handle == first && scene.moves[i].act == TRACKER_PASS;
    assert_true(gone);
    assert_true(counter(TRACKER_COUNT_REFUSED) > 1000);
}

static void refusals_are_told_once_a_second(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        (void)esp_out(A, SERVER + i, 0x10000 + i, 1);
        scene_wait(2 * USEC_MSEC);
    }
    size_t n = 0;
    for (size_t i = 0; i < scene.n_events; i++)
        n += scene.events[i].type == TRACKER_REFUSED && scene.events[i].reason == TRACKER_REASON_HOST_SERVERS;
    assert_in_range(n, 1, 3);
}

static void new_sas_of_old_hosts_do_not_stop_old_ones(void **state)
{
    (void)state;
    two_hosts_meet();
    (void)esp_out(A, SERVER, 0xa0, 1);
    talk(A, SERVER, 0xa0, 0xa1, 1);
    assert_true(in_kernel(TRACKER_IN, A, 0xa1));
    scene_wait(USEC_SEC);
    (void)esp_out(B, SERVER, 0xb0, 1); /* B's turn */
    scene.taken = scene.n_moves;
    expect_move(esp_out(A, SERVER, 0xa0, 3), TRACKER_PASS, A); /* A's old SA waits for nobody */
    expect_move(esp_in(SERVER, 0xa1, 2), TRACKER_PASS, A);
}

static void a_silent_host_gets_nothing_that_a_slow_one_waits_for(void **state)
{
    (void)state;
    two_hosts_meet();
    (void)esp_out(A, SERVER, 0xa0, 1);
    talk(A, SERVER, 0xa0, 0xa1, 1);
    assert_true(in_kernel(TRACKER_IN, A, 0xa1));
    scene_wait(5 * USEC_SEC);
    size_t to_b = 0;
    for (uint32_t i = 1; i <= 40; i++) { /* B asks every 55 ms, and its answers never hurry it */
        (void)esp_out(B, SERVER, 0xb0, i);
        scene_wait(5 * USEC_MSEC);
        scene.taken = scene.n_moves;
        const uint32_t reply = esp_in(SERVER, 0xb1, i);
        scene_wait(50 * USEC_MSEC);
        for (; scene.taken < scene.n_moves; scene.taken++)
            to_b += scene.moves[scene.taken].handle == reply && scene.moves[scene.taken].host == B;
    }
    assert_true(to_b >= 38);
    assert_true(in_kernel(TRACKER_IN, B, 0xb1));
}

static bool restore(enum tracker_way way, uint32_t host, uint32_t spi, usec_t idle)
{
    const struct tracker_binding_info known = {
        .way = way, .host = host, .server = SERVER, .spi = spi, .state = TRACKER_STATE_BOUND, .used = scene.now - idle};
    const bool restored = tracker_restore(scene.t, scene.now, &known);
    scene_pull();
    return restored;
}

static void what_another_tracker_knew_is_bound_again(void **state)
{
    (void)state;
    assert_true(restore(TRACKER_OUT, A, 0xaa00, 0) && restore(TRACKER_OUT, B, 0xbb00, 299 * USEC_SEC));
    assert_true(restore(TRACKER_IN, A, 0xaa01, 0) && restore(TRACKER_IN, B, 0xbb01, USEC_SEC));
    assert_false(restore(TRACKER_IN, C, 0xcc01, 0));               /* it talks to nobody */
    assert_false(restore(TRACKER_OUT, C, 0xcc00, 300 * USEC_SEC)); /* nor lately did it */
    assert_false(restore(TRACKER_IN, A, 0xbb01, 0));               /* it is B's */
    assert_int_equal(counter(TRACKER_COUNT_AMBIGUOUS), 0);
    assert_true(in_kernel(TRACKER_IN, A, 0xaa01) && in_kernel(TRACKER_IN, B, 0xbb01));
    assert_true(in_kernel(TRACKER_OUT, A, 0xaa00) && in_kernel(TRACKER_OUT, B, 0xbb00));
    assert_false(in_kernel(TRACKER_IN, C, 0xcc01));
    expect_move(esp_in(SERVER, 0xbb01, 9000), TRACKER_PASS, B);
    scene_wait(301 * USEC_SEC);
    assert_false(in_kernel(TRACKER_IN, B, 0xbb01)); /* nobody has used it */
}

static void bad_configurations_make_nothing(void **state)
{
    (void)state;
    struct tracker_config c = tracker_defaults();
    c.hold = USEC_SEC + 1;
    assert_null(tracker_new(&c));
    c = tracker_defaults();
    c.hosts = 0;
    assert_null(tracker_new(&c));
    tracker_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STORY(f) cmocka_unit_test_setup_teardown(f, scene_begin, scene_close)
        STORY(the_only_host_at_a_server_is_bound_both_ways_when_they_have_talked),
        STORY(an_sa_that_is_new_one_way_only_is_bound_when_they_have_talked),
        STORY(the_second_new_sa_waits_until_the_first_has_its_answer),
        STORY(nobody_is_held_longer_than_a_second),
        STORY(a_packet_that_several_may_be_meant_by_reaches_them_all_and_the_answer_tells),
        STORY(who_has_just_logged_in_is_not_made_to_wait),
        STORY(what_waits_for_its_moment_is_not_over_when_the_next_is_answered),
        STORY(what_waits_for_its_moment_is_not_overtaken_by_more_than_a_replay_window_forgives),
        STORY(what_was_bound_while_a_host_was_silent_is_looked_at_again_when_it_speaks),
        STORY(a_host_that_reboots_comes_with_new_spis_and_the_old_ones_age),
        STORY(a_flood_from_one_host_stays_within_its_own_limits),
        STORY(refusals_are_told_once_a_second),
        STORY(new_sas_of_old_hosts_do_not_stop_old_ones),
        STORY(a_silent_host_gets_nothing_that_a_slow_one_waits_for),
        STORY(what_another_tracker_knew_is_bound_again),
        STORY(bad_configurations_make_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
