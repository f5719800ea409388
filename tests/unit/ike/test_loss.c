/* Messages that are lost, repeated or overtaken; ports that are blocked. */
#include "world.h"

static void any_single_message_may_be_lost(void **state)
{
    (void)state;
    /* The client sends MM1 MM3 MM5 QM1 QM3, the gateway MM2 MM4 MM6 QM2. */
    for (int from = 0; from < 2; from++) {
        for (int n = 0; n < (from == 0 ? 5 : 4); n++) {
            struct world *w = world_new((uint64_t)(100 + 10 * from + n));
            w->nat = true;
            w->lose[from] = 1ull << n;
            world_begin(w);
            world_connect(w);
            world_run(w, 15 * USEC_SEC);
            world_assert_connected(w);
            world_free(w);
        }
    }
}

static void an_impatient_initiator_says_sooner_that_nobody_answers(void **state)
{
    (void)state;
    struct world *w = world_new(150);
    w->side[0].config.patience = 10 * USEC_SEC;
    w->lose_all[0] = true;
    world_begin(w);
    world_connect(w);
    world_run(w, 9 * USEC_SEC);
    assert_int_equal(world_count(w, 0, IKE_EVENT_FAILED), 0);
    assert_int_equal(w->side[0].sent, 5); /* --> MM1 at 0, 1, 2, 4 and 7 s */
    world_run(w, 2 * USEC_SEC);
    assert_int_equal(world_count(w, 0, IKE_EVENT_FAILED), 1);
    assert_int_equal(w->side[0].sent, 5);
    assert_int_equal(world_event(w, 0, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_IKE_NO_ANSWER);
    world_free(w);
}

static void two_in_a_row_may_be_lost_on_either_side(void **state)
{
    (void)state;
    for (int from = 0; from < 2; from++) {
        for (int n = 0; n < 5; n++) {
            struct world *w = world_new((uint64_t)(200 + 10 * from + n));
            w->lose[from] = 3ull << n;
            world_begin(w);
            world_connect(w);
            world_run(w, 25 * USEC_SEC);
            world_assert_connected(w);
            world_free(w);
        }
    }
}

static void repeated_and_overtaking_messages_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 300; seed < 310; seed++) {
        struct world *w = world_new(seed);
        w->nat = true;
        w->repeat = true;
        w->jumble = true;
        world_begin(w);
        world_connect(w);
        world_run(w, 20 * USEC_SEC);
        world_assert_connected(w);
        assert_int_equal(ike_stats(w->side[1].ike).children, 1);
        world_free(w);
    }
}

static void random_loss_is_survived_or_reported(void **state)
{
    (void)state;
    int connected = 0;
    for (uint64_t seed = 400; seed < 430; seed++) {
        struct world *w = world_new(seed);
        for (int i = 0; i < 2; i++) {
            uint64_t a, b;
            random_test_fill(&w->rng, (uint8_t *)&a, sizeof(a));
            random_test_fill(&w->rng, (uint8_t *)&b, sizeof(b));
            w->lose[i] = a & b; /* one in four */
        }
        w->repeat = w->jumble = true;
        world_begin(w);
        world_connect(w);
        world_run(w, 120 * USEC_SEC);
        const bool up = world_count(w, 0, IKE_EVENT_CHILD_USE) == 1;
        connected += up;
        if (up)
            world_assert_pair(w, 0);
        else
            assert_true(world_count(w, 0, IKE_EVENT_FAILED) + world_count(w, 0, IKE_EVENT_CHILD_FAILED) > 0);
        world_free(w);
    }
    assert_true(connected >= 27);
}

static void a_silent_gateway_is_reported_as_such(void **state)
{
    (void)state;
    struct world *w = world_new(500);
    w->lose_all[1] = true;
    world_begin(w);
    const uint32_t peer = world_connect(w);
    world_run(w, 40 * USEC_SEC);
    const struct world_event *e = world_event(w, 0, IKE_EVENT_FAILED, 0);
    assert_non_null(e);
    assert_int_equal(e->event.cause, CAUSE_IKE_NO_ANSWER);
    assert_int_equal(e->event.peer, peer);
    assert_int_equal(w->side[0].sent, 8);
    assert_int_equal(ike_stats(w->side[0].ike).sas, 0);
    world_run(w, 40 * USEC_SEC);
    assert_true(ike_deadline(w->side[0].ike) == USEC_NEVER);
    assert_true(ike_deadline(w->side[1].ike) == USEC_NEVER);
    world_free(w);
}

static void a_blocked_port_4500_is_told_by_both_sides(void **state)
{
    (void)state;
    struct world *w = world_new(501);
    w->nat = w->block_4500 = true;
    world_begin(w);
    world_connect(w);
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(world_event(w, 0, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_IKE_NATT_BLOCKED);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_IKE_NATT_BLOCKED);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.stage, STAGE_IKE_MM4);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 0);
    world_free(w);
}

static void traffic_makes_up_for_a_third_message_that_never_comes(void **state)
{
    (void)state;
    struct world *w = world_new(502);
    world_begin(w);
    world_connect(w);
    w->lose[0] = 0x10; /* QM3, the client's fifth */
    world_run(w, 100 * USEC_MSEC);
    w->lose_all[0] = true;
    const struct world_event *n = world_event(w, 1, IKE_EVENT_CHILD_NEW, 0);
    assert_non_null(n);
    ike_child_alive(w->side[1].ike, w->now, n->event.child.spi_in);
    world_run(w, 120 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_USE), 1);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_DOWN), 0);
    assert_int_equal(ike_stats(w->side[1].ike).children, 1);
    world_free(w);
}

static void without_third_message_and_traffic_the_pair_goes(void **state)
{
    (void)state;
    struct world *w = world_new(503);
    world_begin(w);
    world_connect(w);
    w->lose[0] = ~0xfull; /* everything from QM3 on */
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_DOWN), 1);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_USE), 0);
    assert_int_equal(w->side[1].spis, 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_single_message_may_be_lost),
        cmocka_unit_test(an_impatient_initiator_says_sooner_that_nobody_answers),
        cmocka_unit_test(two_in_a_row_may_be_lost_on_either_side),
        cmocka_unit_test(repeated_and_overtaking_messages_change_nothing),
        cmocka_unit_test(random_loss_is_survived_or_reported),
        cmocka_unit_test(a_silent_gateway_is_reported_as_such),
        cmocka_unit_test(a_blocked_port_4500_is_told_by_both_sides),
        cmocka_unit_test(traffic_makes_up_for_a_third_message_that_never_comes),
        cmocka_unit_test(without_third_message_and_traffic_the_pair_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
