/* The reliable channel: numbers around their circle, windows, retransmission, acknowledgements. */
#include "tests/unit/l2tp/world.h"

#include "l2tp/l2tp_internal.h"

static const struct l2tp_config config = {
    .receive_window = 4,
    .retransmit_first = USEC_SEC,
    .retransmit_cap = 8 * USEC_SEC,
    .retransmit_tries = 5,
    .ack_delay = 100 * USEC_MSEC,
};

static void queue(struct channel *c)
{
    uint8_t bytes[64];
    struct writer w = wr_init(bytes, sizeof(bytes));
    l2tp_header_write(&w, &(struct header){.tunnel_id = 9}, 8);
    wr_zero(&w, 8);
    assert_int_equal(l2tp_channel_queue(c, wr_written(&w)), ERR_OK);
}

/* True when a message went out; its header in *h. */
static bool send(struct channel *c, usec_t now, struct header *h)
{
    static uint8_t bytes[64];
    struct writer w = wr_init(bytes, sizeof(bytes));
    if (!l2tp_channel_output(c, &config, now, 9, &w))
        return false;
    assert_int_equal(l2tp_header_parse(wr_written(&w), h), DROP_NONE);
    return true;
}

static unsigned burst(struct channel *c, usec_t now)
{
    struct header h;
    unsigned n = 0;
    while (send(c, now, &h))
        n++;
    return n;
}

static void the_numbers_run_around_their_circle(void **state)
{
    (void)state;
    struct channel a, b;
    l2tp_channel_init(&a);
    l2tp_channel_init(&b);
    for (uint32_t i = 0; i < 70000; i++) {
        struct header h;
        queue(&a);
        assert_true(send(&a, i, &h));
        assert_int_equal(h.ns, (uint16_t)i);
        assert_int_equal(l2tp_channel_judge(&b, &h, 4), ARRIVAL_NEXT);
        l2tp_channel_take(&b, &config, i);
        assert_int_equal(l2tp_channel_judge(&b, &h, 4), ARRIVAL_REPEATED);
        l2tp_channel_ack_explicit(&b);
        assert_true(send(&b, i, &h));
        assert_int_equal(l2tp_channel_judge(&a, &h, 4), ARRIVAL_ACK);
        assert_true(l2tp_channel_acked(&a, &config, i, h.nr));
        assert_true(l2tp_channel_idle(&a));
    }
    assert_null(a.first);
    l2tp_channel_done(&a);
    l2tp_channel_done(&b);
}

static void slow_start_doubles_up_to_the_peers_window(void **state)
{
    (void)state;
    struct channel c;
    l2tp_channel_init(&c);
    l2tp_channel_set_peer_window(&c, 4);
    for (int i = 0; i < 20; i++)
        queue(&c);
    assert_int_equal(burst(&c, 0), 1);
    l2tp_channel_acked(&c, &config, 0, 1);
    assert_int_equal(burst(&c, 0), 2);
    l2tp_channel_acked(&c, &config, 0, 3);
    assert_int_equal(burst(&c, 0), 4);
    l2tp_channel_acked(&c, &config, 0, 7);
    assert_int_equal(burst(&c, 0), 4);
    l2tp_channel_done(&c);
}

static void a_window_of_one_lets_one_message_go_at_a_time(void **state)
{
    (void)state;
    struct channel c;
    l2tp_channel_init(&c);
    l2tp_channel_set_peer_window(&c, 1); /* Android */
    for (int i = 0; i < 3; i++)
        queue(&c);
    for (uint16_t i = 0; i < 3; i++) {
        assert_int_equal(burst(&c, 0), 1);
        l2tp_channel_acked(&c, &config, 0, (uint16_t)(i + 1));
    }
    assert_int_equal(burst(&c, 0), 0);
    l2tp_channel_set_peer_window(&c, 0);
    queue(&c);
    assert_int_equal(burst(&c, 0), 1);
    l2tp_channel_done(&c);
}

static void retransmits(bool heard, const unsigned *waits)
{
    struct channel c;
    struct header h;
    l2tp_channel_init(&c);
    if (heard)
        l2tp_channel_take(&c, &config, 0);
    queue(&c);
    assert_true(send(&c, 0, &h));
    usec_t now = 0;
    for (size_t i = 0; i <= config.retransmit_tries; i++) {
        assert_int_equal(l2tp_channel_deadline(&c), now + waits[i] * USEC_MSEC);
        assert_true(l2tp_channel_timeout(&c, &config, l2tp_channel_deadline(&c) - 1));
        assert_false(l2tp_channel_ready(&c));
        now += waits[i] * USEC_MSEC;
        const bool alive = l2tp_channel_timeout(&c, &config, now);
        assert_int_equal(alive, i < config.retransmit_tries);
        if (!alive)
            break;
        assert_true(send(&c, now, &h));
        assert_int_equal(h.ns, 0);
    }
    l2tp_channel_done(&c);
}

static void retransmission_doubles_up_to_the_cap_and_gives_up(void **state)
{
    (void)state;
    static const unsigned waits[] = {1000, 2000, 4000, 8000, 8000, 8000};
    retransmits(true, waits);
}

static void the_first_message_to_a_silent_peer_is_repeated_sooner(void **state)
{
    (void)state;
    static const unsigned waits[] = {250, 500, 1000, 2000, 4000, 8000};
    retransmits(false, waits);
}

static void a_loss_shrinks_the_window_and_repeats_one_by_one(void **state)
{
    (void)state;
    struct channel c;
    struct header h;
    l2tp_channel_init(&c);
    l2tp_channel_set_peer_window(&c, 8);
    for (int i = 0; i < 30; i++)
        queue(&c);
    uint16_t acked = 0;
    while (c.window < 8) {
        acked = (uint16_t)(acked + burst(&c, 0));
        l2tp_channel_acked(&c, &config, 0, acked);
    }
    assert_int_equal(burst(&c, 0), 8);
    assert_true(l2tp_channel_timeout(&c, &config, USEC_SEC));
    assert_true(send(&c, USEC_SEC, &h));
    assert_int_equal(h.ns, acked);
    assert_false(send(&c, USEC_SEC, &h));
    /* The peer had kept the others: one acknowledgement covers all eight. */
    assert_true(l2tp_channel_acked(&c, &config, USEC_SEC, (uint16_t)(acked + 8)));
    assert_true(send(&c, USEC_SEC, &h));
    assert_int_equal(h.ns, (uint16_t)(acked + 8));
    l2tp_channel_done(&c);
}

static void a_repeated_message_carries_the_latest_nr(void **state)
{
    (void)state;
    struct channel c;
    struct header h;
    l2tp_channel_init(&c);
    queue(&c);
    assert_true(send(&c, 0, &h));
    assert_int_equal(h.nr, 0);
    l2tp_channel_take(&c, &config, 0);
    assert_true(l2tp_channel_timeout(&c, &config, USEC_SEC));
    while (send(&c, USEC_SEC, &h) && h.body.n == 0)
        ;
    assert_int_equal(h.ns, 0);
    assert_int_equal(h.nr, 1);
    l2tp_channel_done(&c);
}

static void acknowledgements_of_what_was_never_sent_are_outside(void **state)
{
    (void)state;
    struct channel c;
    struct header h;
    l2tp_channel_init(&c);
    queue(&c);
    assert_int_equal(l2tp_channel_judge(&c, &(struct header){.nr = 1}, 4), ARRIVAL_OUTSIDE);
    assert_true(send(&c, 0, &h));
    assert_int_equal(l2tp_channel_judge(&c, &(struct header){.nr = 1}, 4), ARRIVAL_ACK);
    assert_int_equal(l2tp_channel_judge(&c, &(struct header){.nr = 2}, 4), ARRIVAL_OUTSIDE);
    assert_int_equal(l2tp_channel_judge(&c, &(struct header){.nr = 0xffff}, 4), ARRIVAL_ACK); /* an old one */
    assert_false(l2tp_channel_acked(&c, &config, 0, 0xffff));
    assert_false(l2tp_channel_idle(&c));
    l2tp_channel_done(&c);
}

static void messages_ahead_are_held_in_order_and_no_further_than_the_window(void **state)
{
    (void)state;
    static const uint8_t body[1];
    struct channel c;
    l2tp_channel_init(&c);
    struct header h = {.body = VIEW(body)};
    h.ns = 4;
    assert_int_equal(l2tp_channel_judge(&c, &h, 4), ARRIVAL_OUTSIDE);
    h.ns = 3;
    assert_int_equal(l2tp_channel_judge(&c, &h, 4), ARRIVAL_AHEAD);
    assert_int_equal(l2tp_channel_hold(&c, 3, view_str("three")), ERR_OK);
    assert_int_equal(l2tp_channel_hold(&c, 1, view_str("one")), ERR_OK);
    assert_int_equal(l2tp_channel_hold(&c, 3, view_str("three")), ERR_EXISTS);
    assert_null(l2tp_channel_held_next(&c));
    l2tp_channel_take(&c, &config, 0);
    struct held *held = l2tp_channel_held_next(&c);
    assert_memory_equal(l2tp_channel_held_view(held).p, "one", 3);
    l2tp_channel_held_free(held);
    l2tp_channel_take(&c, &config, 0);
    assert_null(l2tp_channel_held_next(&c));
    l2tp_channel_take(&c, &config, 0);
    l2tp_channel_take(&c, &config, 0); /* three came again, in time */
    assert_null(l2tp_channel_held_next(&c));
    assert_null(c.held);
    l2tp_channel_done(&c);
}

static void an_acknowledgement_waits_for_something_to_ride_on(void **state)
{
    (void)state;
    struct channel c;
    struct header h;
    l2tp_channel_init(&c);
    l2tp_channel_take(&c, &config, 0);
    assert_false(l2tp_channel_ready(&c));
    assert_int_equal(l2tp_channel_deadline(&c), 100 * USEC_MSEC);
    queue(&c);
    assert_true(send(&c, 0, &h));
    assert_int_equal(h.nr, 1);
    l2tp_channel_acked(&c, &config, 0, 1);
    assert_int_equal(l2tp_channel_deadline(&c), USEC_NEVER);
    l2tp_channel_take(&c, &config, 0); /* nothing to ride on */
    assert_true(l2tp_channel_timeout(&c, &config, 100 * USEC_MSEC));
    assert_true(send(&c, 100 * USEC_MSEC, &h));
    assert_int_equal(h.body.n, 0);
    assert_int_equal(h.nr, 2);
    assert_int_equal(h.ns, 1);
    assert_false(l2tp_channel_ready(&c));
    assert_int_equal(l2tp_channel_deadline(&c), USEC_NEVER);
    l2tp_channel_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_numbers_run_around_their_circle),
        cmocka_unit_test(slow_start_doubles_up_to_the_peers_window),
        cmocka_unit_test(a_window_of_one_lets_one_message_go_at_a_time),
        cmocka_unit_test(retransmission_doubles_up_to_the_cap_and_gives_up),
        cmocka_unit_test(the_first_message_to_a_silent_peer_is_repeated_sooner),
        cmocka_unit_test(a_loss_shrinks_the_window_and_repeats_one_by_one),
        cmocka_unit_test(a_repeated_message_carries_the_latest_nr),
        cmocka_unit_test(acknowledgements_of_what_was_never_sent_are_outside),
        cmocka_unit_test(messages_ahead_are_held_in_order_and_no_further_than_the_window),
        cmocka_unit_test(an_acknowledgement_waits_for_something_to_ride_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
