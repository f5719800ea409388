/* What is forged, and what only seems so: the kernel gets what its host lives on, and nothing else. */
#include "tests/unit/tracker/scene.h"

static size_t strangers(void)
{
    struct tracker_binding_info b;
    size_t n = 0;
    for (const void *at = NULL; tracker_binding_next(scene.t, &at, &b);)
        n += b.state != TRACKER_STATE_BOUND && b.way == TRACKER_IN;
    return n;
}

static void forged_esp_without_a_candidate_leaves_nothing(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        expect_drop(esp_in(SERVER + i % 7, 0x1000 + i, 1), TRACKER_REASON_NO_CANDIDATE);
    struct tracker_server_info s;
    struct tracker_binding_info b;
    const void *at = NULL;
    assert_false(tracker_server_next(scene.t, &at, &s));
    at = NULL;
    assert_false(tracker_binding_next(scene.t, &at, &b));
    assert_true(tracker_deadline(scene.t) == USEC_NEVER);
}

static void what_is_forged_reaches_the_only_host_and_never_the_kernel(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 50; i++) {
        if (i % 10 == 0)
            (void)esp_out(A, SERVER, 0xa0, 1 + i / 10); /* A --> SCCRQ, once a second; its server is slow */
        scene_wait(100 * USEC_MSEC);
        scene.taken = scene.n_moves;
        expect_move(esp_in(SERVER, 0xbad, 1 + i), TRACKER_PASS, A);
    }
    assert_true(is_tentative(A, 0xbad));
    for (uint32_t i = 0; i < 10; i++) { /* A <-- SCCRP at last: both come, and one of them is lived on */
        expect_move(esp_in(SERVER, 0xa1, 1 + i), TRACKER_PASS, A);
        (void)esp_in(SERVER, 0xbad, 51 + i);
        (void)esp_out(A, SERVER, 0xa0, 6 + i);
        scene_wait(150 * USEC_MSEC);
        scene.taken = scene.n_moves;
    }
    assert_false(in_kernel(TRACKER_IN, A, 0xbad) || in_kernel(TRACKER_IN, A, 0xa1)); /* which, nobody knows yet */
    for (uint32_t i = 0; i < 3; i++)
        talk(A, SERVER, 0xa0, 0xa1, 20 + 10 * i); /* nobody floods forever */
    assert_true(in_kernel(TRACKER_IN, A, 0xa1) && in_kernel(TRACKER_OUT, A, 0xa0));
    for (uint32_t i = 0; i < 100; i++) {
        (void)esp_in(SERVER, 0xbad, 101 + i);
        scene_wait(30 * USEC_MSEC);
    }
    assert_int_equal(told(TRACKER_BOUND, TRACKER_IN, A, 0xbad), 0);
    assert_true(counter(TRACKER_COUNT_UNCONFIRMED) > 0);
    assert_true(in_kernel(TRACKER_IN, A, 0xa1));
}

static void a_flood_of_forged_spis_binds_nothing_and_the_true_one_is_found(void **state)
{
    (void)state;
    two_hosts_meet();
    (void)esp_out(A, SERVER, 0xa0, 1);
    for (uint32_t i = 0; i < 1000; i++) {
        (void)esp_in(SERVER, 0x10000 + i, 1);
        scene_wait(20);
    }
    assert_in_range(strangers(), 1, 2 * 2 + 16);
    talk(A, SERVER, 0xa0, 0xa1, 1);
    talk(A, SERVER, 0xa0, 0xa1, 11);
    assert_true(in_kernel(TRACKER_IN, A, 0xa1));
    for (size_t i = 0; i < scene.n_events; i++)
        assert_false(scene.events[i].type == TRACKER_BOUND && scene.events[i].spi >= 0x10000);
    scene_wait(400 * USEC_SEC);
    assert_int_equal(strangers(), 0);
}

static void a_flood_of_forged_spis_is_copied_to_few(void **state)
{
    (void)state;
    for (uint32_t h = 1; h <= 8; h++)
        (void)esp_out(HOST(h), SERVER, 0xa00 + h, 5000); /* all look for their inbound SPIs */
    scene_wait(USEC_SEC);
    const uint64_t before = counter(TRACKER_COUNT_COPIED);
    for (uint32_t i = 0; i < 20000; i++) {
        (void)esp_in(SERVER, 0x10000 + i / 2, 1 + i % 2);
        scene_wait(50);
        scene.n_moves = scene.n_events = 0;
    }
    /* 1,024 and 4,000 a second to all who are likely, and what is kept and shown to one after another */
    assert_in_range(counter(TRACKER_COUNT_COPIED) - before, 1, 1024 + 4000 + 256 * 17);
}

/* Forgotten and come again, it would seem to be of an old SA, and could not be weighed against what took its place. */
static void what_gives_way_to_another_spi_is_remembered(void **state)
{
    (void)state;
    (void)esp_out(A, SERVER, 0xa0, 1);
    for (uint32_t i = 1; i <= 100; i++)
        (void)esp_in(SERVER, 0xbad, i);
    assert_true(is_tentative(A, 0xbad));
    scene_wait(USEC_SEC);
    talk(A, SERVER, 0xa0, 0xa1, 1);
    assert_true(in_kernel(TRACKER_IN, A, 0xa1));
    struct tracker_binding_info b = {0};
    for (const void *at = NULL; b.spi != 0xbad;)
        assert_true(tracker_binding_next(scene.t, &at, &b));
    assert_int_equal(b.packets, 100);
    assert_int_equal(b.state, TRACKER_STATE_TENTATIVE);
}

/* A sends when it has got the server's packet. */
static void when_seen(uint32_t handle, uint32_t sequence)
{
    for (int ms = 0; ms < 600 && !has_seen(handle, A); ms++)
        scene_wait(USEC_MSEC);
    scene_wait(2 * USEC_MSEC);
    (void)esp_out(A, SERVER, 0xa0, sequence);
}

/* SAs from before the router started. The forger keeps step with the server, and is delayed as it is: whatever A does
 * answers both. */
static void of_two_spis_that_keep_step_neither_is_certain(void **state)
{
    (void)state;
    const uint32_t forged = 0xb9;
    (void)esp_out(A, SERVER, 0xa0, 5000);
    (void)esp_out(B, SERVER, 0xb0, 9000);
    for (uint32_t i = 1; i <= 10; i++) {
        scene_wait(700 * USEC_MSEC);
        (void)esp_in(SERVER, forged, 7000 + i);
        when_seen(esp_in(SERVER, 0xa1, 7000 + i), 5000 + i);
        assert_false(in_kernel(TRACKER_IN, A, forged) || in_kernel(TRACKER_IN, A, 0xa1));
    }
    for (uint32_t i = 11; i <= 20; i++) { /* nobody forges forever */
        scene_wait(700 * USEC_MSEC);
        when_seen(esp_in(SERVER, 0xa1, 7000 + i), 5000 + i);
    }
    assert_true(in_kernel(TRACKER_IN, A, 0xa1));
    assert_int_equal(told(TRACKER_BOUND, TRACKER_IN, A, forged), 0);
}

#define FORGED 21 /* SPIs: three on trial beside another, and 18 strangers are all that there is room for */

static void forge(uint32_t sequence)
{
    for (uint32_t i = 0; i < FORGED; i++)
        (void)esp_in(SERVER, 0x10000 + i, sequence);
}

/* A speaks, and is answered. */
static void speak(uint32_t i)
{
    (void)esp_in(SERVER, 0xa1, 1 + i);
    (void)esp_out(A, SERVER, 0xa0, 2 + i);
    scene_wait(20 * USEC_MSEC);
    scene.taken = scene.n_moves = 0;
}

/* Old SPIs, as they seem, fill the table of A's server, and one that seems to be new goes on beside A's traffic. */
static void what_found_no_room_may_be_the_true_one(void **state)
{
    (void)state;
    (void)esp_out(A, SERVER, 0xa0, 1);
    (void)esp_in(SERVER, 0xbad, 1);
    forge(5000);
    forge(5001);
    for (uint32_t i = 0; i < 500; i++) {
        if (i % 10 == 0)
            forge(5002 + i);
        if (i % 5 == 0)
            (void)esp_in(SERVER, 0xbad, 2 + i / 5);
        speak(i);
    }
    assert_int_equal(told(TRACKER_BOUND, TRACKER_IN, A, 0xbad), 0);
    scene_wait(151 * USEC_SEC); /* nobody floods forever */
    for (uint32_t i = 500; i < 1000; i++)
        speak(i);
    assert_true(in_kernel(TRACKER_IN, A, 0xa1) && in_kernel(TRACKER_OUT, A, 0xa0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STORY(f) cmocka_unit_test_setup_teardown(f, scene_begin, scene_close)
        STORY(forged_esp_without_a_candidate_leaves_nothing),
        STORY(what_is_forged_reaches_the_only_host_and_never_the_kernel),
        STORY(a_flood_of_forged_spis_binds_nothing_and_the_true_one_is_found),
        STORY(a_flood_of_forged_spis_is_copied_to_few),
        STORY(what_gives_way_to_another_spi_is_remembered),
        STORY(of_two_spis_that_keep_step_neither_is_certain),
        STORY(what_found_no_room_may_be_the_true_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
