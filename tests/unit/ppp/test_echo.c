/* Liveness: Echo-Requests after silence only, and the end of a peer that is gone. */
#include "rig.h"

static void begin(struct rig *r)
{
    rig_init(r, 1);
    r->server.config.echo_interval = 30 * USEC_SEC;
    r->server.config.echo_failures = 3;
    rig_start(r);
    rig_run(r, 5 * USEC_SEC);
    assert_true(rig_is_up(r));
}

static void an_answered_echo_keeps_the_link(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    uint64_t before = r.sent;
    rig_run(&r, 3600 * USEC_SEC);
    assert_int_equal(r.server.downs, 0);
    assert_in_range(r.sent - before, 2 * 110, 2 * 120); /* request and reply, each 30 s */
    rig_done(&r);
}

static void no_echo_is_sent_while_data_comes(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    uint64_t before = r.sent;
    for (usec_t t = 10; t < 600; t += 10) {
        rig_run(&r, t * USEC_SEC);
        ppp_alive(r.server.ppp, r.now);
    }
    assert_int_equal(r.sent, before);
    rig_done(&r);
}

static void a_silent_peer_is_found_after_its_failures(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    struct side *s = &r.server;
    uint8_t frame[PPP_FRAME_MAX];
    for (int i = 1; i <= 3; i++) {
        side_advance(s, s->now + 30 * USEC_SEC);
        expect_start(s, "ff03c021 09", frame);
        expect_silence(s);
    }
    assert_int_equal(s->downs, 0);
    side_advance(s, s->now + 30 * USEC_SEC);
    expect_start(s, "ff03c021 05", frame);
    side_advance(s, s->now + 10 * USEC_SEC);
    assert_int_equal(s->downs, 1);
    assert_int_equal(s->cause, CAUSE_PEER_SILENT);
    rig_done(&r);
}

static void a_question_between_times_is_repeated_quickly(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    struct side *s = &r.server;
    uint8_t frame[PPP_FRAME_MAX];
    s->config.echo_repeat = 2 * USEC_SEC;
    ppp_alive(s->ppp, s->now); /* it was heard of a moment ago, and yet: */
    ppp_check(s->ppp, s->now);
    expect_start(s, "ff03c021 09", frame);
    for (int i = 0; i < 2; i++) {
        side_advance(s, s->now + 2 * USEC_SEC);
        expect_start(s, "ff03c021 09", frame);
        expect_silence(s);
    }
    side_advance(s, s->now + 2 * USEC_SEC);
    expect_start(s, "ff03c021 05", frame);
    rig_done(&r);
}

static void a_question_that_is_answered_asks_for_no_more(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    r.server.config.echo_repeat = 2 * USEC_SEC;
    const uint64_t before = r.sent;
    ppp_check(r.server.ppp, r.now);
    rig_run(&r, r.now + 20 * USEC_SEC);
    assert_int_equal(r.sent, before + 2); /* request and reply */
    assert_int_equal(r.server.downs, 0);
    rig_done(&r);
}

static void our_own_echo_coming_back_is_a_loop(void **state)
{
    (void)state;
    struct rig r;
    begin(&r);
    struct side *s = &r.server;
    uint8_t frame[PPP_FRAME_MAX];
    side_advance(s, s->now + 30 * USEC_SEC);
    size_t n = hear(s, frame);
    assert_int_equal(side_take(s, view_of(frame, n)), DROP_PPP_LOOP);
    expect_silence(s);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answered_echo_keeps_the_link),
        cmocka_unit_test(no_echo_is_sent_while_data_comes),
        cmocka_unit_test(a_silent_peer_is_found_after_its_failures),
        cmocka_unit_test(a_question_between_times_is_repeated_quickly),
        cmocka_unit_test(a_question_that_is_answered_asks_for_no_more),
        cmocka_unit_test(our_own_echo_coming_back_is_a_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
