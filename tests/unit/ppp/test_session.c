/* Server and client in one process: from LCP to data, under loss, repetition and disorder. */
#include "rig.h"

#include "ppp/ppp_internal.h"

static void a_login_ends_in_flowing_data(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 1);
    rig_start(&r);
    rig_run(&r, 5 * USEC_SEC);
    assert_true(rig_is_up(&r));
    assert_int_equal(r.server.asked, 1);
    assert_int_equal(r.server.networks, 1);
    assert_int_equal(r.client.networks, 1);
    assert_int_equal(ip4_value(&r.client.network.local), 0x0a000063);
    assert_int_equal(ip4_value(&r.client.network.remote), 0x0a000001);
    assert_int_equal(ip4_value(&r.client.network.dns[0]), 0x0a000035);
    assert_int_equal(ip4_value(&r.client.network.dns[1]), 0x0a000036);
    assert_string_equal(r.server.detail[STAGE_PPP_AUTH], "MS-CHAPv2, alice");
    assert_string_equal(r.server.detail[STAGE_PPP_LCP], "MRU 1400, MS-CHAPv2");
    assert_string_equal(ppp_user(r.server.ppp), USER);
    assert_int_equal(ppp_mtu(r.server.ppp), 1400);
    rig_assert_data_flows(&r);
    assert_int_equal(ppp_deadline(r.server.ppp), USEC_NEVER); /* an idle link without echo costs nothing */
    rig_done(&r);
}

static void an_idle_session_is_small(void **state)
{
    (void)state;
    print_message("struct ppp: %zu bytes\n", sizeof(struct ppp));
    assert_true(sizeof(struct ppp) <= 1024);
    struct rig r;
    rig_init(&r, 1);
    rig_start(&r);
    rig_run(&r, 5 * USEC_SEC);
    assert_null(r.server.ppp->out_head); /* and holds nothing else but the user's name */
    assert_null(r.server.ppp->auth.proof);
    rig_done(&r);
}

static void every_method_works_on_both_sides(void **state)
{
    (void)state;
    for (enum ppp_auth m = PPP_AUTH_MSCHAPV2; m <= PPP_AUTH_PAP; m++) {
        struct rig r;
        rig_init(&r, m);
        r.server.config.auth[0] = m;
        r.server.config.auth[1] = PPP_AUTH_NONE;
        rig_start(&r);
        rig_run(&r, 5 * USEC_SEC);
        assert_true(rig_is_up(&r));
        assert_int_equal(r.server.question.method, m);
        rig_assert_data_flows(&r);
        rig_done(&r);
    }
}

static void the_server_falls_back_to_what_the_client_takes(void **state)
{
    (void)state;
    for (enum ppp_auth m = PPP_AUTH_MSCHAPV2; m <= PPP_AUTH_PAP; m++) {
        struct rig r;
        rig_init(&r, m);
        r.client.config.auth[0] = m;
        r.client.config.auth[1] = PPP_AUTH_NONE;
        rig_start(&r);
        rig_run(&r, 5 * USEC_SEC);
        assert_true(rig_is_up(&r));
        assert_int_equal(r.server.question.method, m);
        rig_done(&r);
    }
}

static void no_common_method_is_told_as_that(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 5);
    r.server.config.auth[1] = PPP_AUTH_NONE; /* MS-CHAPv2 only */
    r.client.config.auth[0] = PPP_AUTH_PAP;
    r.client.config.auth[1] = PPP_AUTH_NONE;
    rig_start(&r);
    rig_run(&r, 60 * USEC_SEC);
    assert_int_equal(r.server.downs, 1);
    assert_int_equal(r.server.cause, CAUSE_AUTH_METHOD);
    assert_int_equal(r.server.asked, 0);
    assert_int_equal(ppp_cause(r.client.ppp), CAUSE_AUTH_METHOD); /* not that the server has hung up */
    assert_int_equal(r.client.networks, 0);
    rig_done(&r);
}

static void ipv6_comes_up_beside_ipv4(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 6);
    r.server.config.ipv6 = r.client.config.ipv6 = true;
    rig_start(&r);
    rig_run(&r, 5 * USEC_SEC);
    assert_true(rig_is_up(&r));
    assert_int_equal(r.server.networks6, 1);
    assert_int_equal(r.client.networks6, 1);
    assert_true(r.client.network6.interface_id != 0);
    assert_true(r.server.network6.interface_id == r.client.network6.interface_id);
    uint8_t room[64];
    struct packet p = {.data = room + 16, .len = 40, .headroom = 16};
    assert_true(ppp_data_seal(r.client.ppp, PPP_IPV6, &p));
    assert_int_equal(ppp_data_open(r.server.ppp, &p), DROP_NONE);
    assert_int_equal(p.protocol, PPP_IPV6);
    rig_done(&r);
}

static void ipv6_refused_leaves_ipv4_alone(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 7);
    r.client.config.ipv6 = true;
    rig_start(&r);
    rig_run(&r, 120 * USEC_SEC);
    assert_true(rig_is_up(&r));
    assert_int_equal(r.server.networks6 + r.client.networks6, 0);
    assert_int_equal(r.server.downs + r.client.downs, 0);
    rig_assert_data_flows(&r);
    rig_done(&r);
}

static uint64_t frames_of_a_clean_login(void)
{
    struct rig r;
    rig_init(&r, 1);
    rig_start(&r);
    rig_run(&r, 5 * USEC_SEC);
    uint64_t n = r.sent;
    rig_done(&r);
    return n;
}

static void each_single_frame_may_be_lost(void **state)
{
    (void)state;
    for (enum ppp_auth m = PPP_AUTH_MSCHAPV2; m <= PPP_AUTH_PAP; m++) {
        for (uint64_t i = 1; i <= frames_of_a_clean_login() + 2; i++) {
            struct rig r;
            rig_init(&r, 1);
            r.server.config.auth[0] = m;
            r.lose_at = i;
            rig_start(&r);
            rig_run(&r, 30 * USEC_SEC);
            if (!rig_is_up(&r))
                fail_msg("method %d: no link after the loss of frame %d", m, (int)i);
            rig_assert_data_flows(&r);
            rig_done(&r);
        }
    }
}

static void each_single_frame_may_come_twice(void **state)
{
    (void)state;
    for (enum ppp_auth m = PPP_AUTH_MSCHAPV2; m <= PPP_AUTH_PAP; m++) {
        for (uint64_t i = 1; i <= frames_of_a_clean_login() + 2; i++) {
            struct rig r;
            rig_init(&r, 1);
            r.server.config.auth[0] = m;
            r.double_at = i;
            rig_start(&r);
            rig_run(&r, 30 * USEC_SEC);
            assert_true(rig_is_up(&r));
            assert_int_equal(r.server.asked, 1); /* a copy is no second login */
            assert_int_equal(r.server.networks, 1);
            rig_assert_data_flows(&r);
            rig_done(&r);
        }
    }
}

static void a_bad_line_only_costs_time(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct rig r;
        rig_init(&r, seed);
        r.server.config.auth[0] = 1 + (int)(seed % 3);
        r.loss_percent = 20;
        r.double_percent = 10;
        r.server.config.auth_timeout = r.client.config.auth_timeout = 200 * USEC_SEC;
        rig_start(&r);
        for (usec_t at = 10 * USEC_SEC; at <= 200 * USEC_SEC && !(rig_is_up(&r)); at += 10 * USEC_SEC)
            rig_run(&r, at);
        r.loss_percent = r.double_percent = 0;
        rig_run(&r, r.now + 60 * USEC_SEC);
        if (!rig_is_up(&r) || r.server.downs || r.client.downs)
            fail_msg("seed %d: server %s, client %s", (int)seed, cause_word(r.server.cause),
                     cause_word(r.client.cause));
        rig_assert_data_flows(&r);
        rig_done(&r);
    }
    print_message("seeds 1 to 300, 20%% lost, 10%% doubled, out of order\n");
}

static void a_line_slower_than_the_restart_timer_still_agrees(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 8);
    r.delay = 5 * USEC_SEC;
    rig_start(&r);
    rig_run(&r, 120 * USEC_SEC);
    assert_true(rig_is_up(&r));
    rig_assert_data_flows(&r);
    rig_done(&r);
}

static void a_close_is_said_to_the_peer_and_told_once(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 9);
    rig_start(&r);
    rig_run(&r, 5 * USEC_SEC);
    ppp_close(r.server.ppp, r.now, CAUSE_ADMIN);
    ppp_close(r.server.ppp, r.now, CAUSE_IDLE); /* the first cause stays */
    rig_run(&r, 20 * USEC_SEC);
    assert_int_equal(r.server.downs, 1);
    assert_int_equal(r.server.cause, CAUSE_ADMIN);
    assert_int_equal(r.client.downs, 1);
    assert_int_equal(r.client.cause, CAUSE_PEER_CLOSED);
    assert_int_equal(ppp_deadline(r.server.ppp), USEC_NEVER);
    uint8_t room[64];
    struct packet p = {.data = room + 16, .len = 20, .headroom = 16};
    assert_false(ppp_data_seal(r.server.ppp, PPP_IP, &p));
    rig_done(&r);
}

static void a_close_before_the_beginning_is_told_too(void **state)
{
    (void)state;
    struct side s;
    side_init(&s, true, 1);
    struct ppp_env env = {.random = {random_test_fill, &s.rng}};
    s.ppp = ppp_new(&s.config, &env);
    ppp_close(s.ppp, 0, CAUSE_SHUTDOWN);
    side_events(&s);
    assert_int_equal(s.downs, 1);
    assert_int_equal(s.cause, CAUSE_SHUTDOWN);
    ppp_free(s.ppp);
    ppp_free(NULL);
}

static void a_peer_that_says_nothing_is_given_up(void **state)
{
    (void)state;
    struct side s;
    side_init(&s, true, 1);
    side_start(&s);
    uint8_t frame[PPP_FRAME_MAX];
    int requests = 0;
    for (usec_t t = 0; t <= 60 * USEC_SEC; t += USEC_SEC) {
        side_advance(&s, t);
        while (hear(&s, frame))
            requests++;
    }
    assert_int_equal(requests, 10);
    assert_int_equal(s.downs, 1);
    assert_int_equal(s.cause, CAUSE_LCP_TIMEOUT);
    ppp_free(s.ppp);
}

static void lcp_may_be_negotiated_anew_at_any_time(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 11);
    rig_start(&r);
    rig_run(&r, 5 * USEC_SEC);
    /* A client that forgot everything: its state is thrown away, the server's is not. */
    ppp_free(r.client.ppp);
    r.client.networks = 0;
    r.client.ppp = NULL;
    random_test_init(&r.client.rng, 4711);
    side_start(&r.client);
    r.client.ppp->lcp_fsm.id = 50;
    rig_run(&r, 40 * USEC_SEC);
    assert_int_equal(r.client.networks, 1);
    assert_int_equal(r.server.networks, 2);
    assert_int_equal(r.server.asked, 2);
    assert_int_equal(r.server.downs, 0);
    rig_assert_data_flows(&r);
    rig_done(&r);
}

static void a_server_without_a_method_is_none(void **state)
{
    (void)state;
    struct side s;
    side_init(&s, true, 1);
    s.config.auth[0] = PPP_AUTH_NONE;
    struct ppp_env env = {.random = {random_test_fill, &s.rng}};
    assert_null(ppp_new(&s.config, &env));
}

/* pppd is started by the call that we send our first request into. */
static void a_server_that_is_there_late_is_asked_again_soon(void **state)
{
    (void)state;
    struct side c;
    uint8_t first[PPP_FRAME_MAX], again[PPP_FRAME_MAX], ack[PPP_FRAME_MAX];
    side_init(&c, false, 40);
    side_start(&c);
    const size_t n = expect_start(&c, "ff03c021 01", first); /* --> Configure-Request, which nobody hears */
    side_advance(&c, 40 * USEC_MSEC);
    say(&c, "ff03c021 0101 000f 0305c22381 050600112233"); /* <-- Configure-Request */
    expect_start(&c, "ff03c021 0201", ack);                /* --> Configure-Ack */
    side_advance(&c, 139 * USEC_MSEC);
    expect_silence(&c);
    side_advance(&c, 140 * USEC_MSEC);
    assert_int_equal(hear(&c, again), n); /* --> the same Configure-Request */
    assert_memory_equal(first, again, n);
    acknowledge(&c, again, n);
    assert_int_equal(c.stage, STAGE_PPP_LCP);
    ppp_free(c.ppp);
}

static void a_server_that_was_there_is_not_asked_again(void **state)
{
    (void)state;
    struct side c;
    uint8_t frame[PPP_FRAME_MAX], ack[PPP_FRAME_MAX];
    side_init(&c, false, 41);
    side_start(&c);
    const size_t n = expect_start(&c, "ff03c021 01", frame);
    side_advance(&c, 150 * USEC_MSEC);
    say(&c, "ff03c021 0101 000f 0305c22381 050600112233");
    expect_start(&c, "ff03c021 0201", ack);
    side_advance(&c, 160 * USEC_MSEC);
    acknowledge(&c, frame, n);
    side_advance(&c, 2 * USEC_SEC);
    expect_silence(&c);
    assert_int_equal(c.stage, STAGE_PPP_LCP);
    ppp_free(c.ppp);
}

/* The same from the other side: pppd is started by the call that brings our server's link up. */
static void a_client_that_starts_late_hears_the_first_request(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX], again[PPP_FRAME_MAX];
    side_init(&s, true, 42);
    side_start(&s);
    expect_silence(&s);
    side_advance(&s, 200 * USEC_MSEC);
    expect_silence(&s);
    say(&s, "ff03c021 0101 000a 050600112233");                /* --> Configure-Request */
    const size_t n = expect_start(&s, "ff03c021 0101", frame); /* <-- Configure-Request */
    expect(&s, "ff03c021 0201 000a 050600112233");             /* <-- Configure-Ack */
    side_advance(&s, 3199 * USEC_MSEC);                        /* on a slow line too, it is sent once */
    expect_silence(&s);
    side_advance(&s, 3200 * USEC_MSEC);
    assert_int_equal(hear(&s, again), n);
    acknowledge(&s, frame, n); /* --> Configure-Ack */
    assert_int_equal(s.stage, STAGE_PPP_LCP);
    ppp_free(s.ppp);
}

static void a_client_that_waits_is_asked_after_a_second(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    side_init(&s, true, 43);
    side_start(&s);
    side_advance(&s, 999 * USEC_MSEC);
    expect_silence(&s);
    side_advance(&s, USEC_SEC);
    const size_t n = expect_start(&s, "ff03c021 0101", frame); /* <-- Configure-Request */
    acknowledge(&s, frame, n);                                 /* --> Configure-Ack */
    say(&s, "ff03c021 0101 000a 050600112233");                /* --> Configure-Request */
    expect(&s, "ff03c021 0201 000a 050600112233");             /* <-- Configure-Ack */
    assert_int_equal(s.stage, STAGE_PPP_LCP);
    ppp_free(s.ppp);
}

/* Windows lets a request pass that comes before it has begun. */
static void a_client_that_begins_after_a_second_is_asked_again_soon(void **state)
{
    (void)state;
    struct side s;
    uint8_t first[PPP_FRAME_MAX], again[PPP_FRAME_MAX];
    side_init(&s, true, 44);
    side_start(&s);
    const size_t n = hear_first(&s, first); /* <-- Configure-Request, which nobody hears */
    side_advance(&s, 2 * USEC_SEC);
    say(&s, "ff03c021 0101 000a 050600112233");    /* --> Configure-Request */
    expect(&s, "ff03c021 0201 000a 050600112233"); /* <-- Configure-Ack */
    side_advance(&s, 2100 * USEC_MSEC);
    assert_int_equal(hear(&s, again), n); /* <-- the same Configure-Request */
    assert_memory_equal(first, again, n);
    ppp_free(s.ppp);
}

static void a_server_closed_while_it_listens_is_down_at_once(void **state)
{
    (void)state;
    struct side s;
    side_init(&s, true, 45);
    side_start(&s);
    ppp_close(s.ppp, s.now, CAUSE_ADMIN);
    side_events(&s);
    assert_int_equal(s.downs, 1);
    assert_int_equal(ppp_deadline(s.ppp), USEC_NEVER);
    expect_silence(&s);
    ppp_free(s.ppp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_ends_in_flowing_data),
        cmocka_unit_test(an_idle_session_is_small),
        cmocka_unit_test(every_method_works_on_both_sides),
        cmocka_unit_test(the_server_falls_back_to_what_the_client_takes),
        cmocka_unit_test(no_common_method_is_told_as_that),
        cmocka_unit_test(ipv6_comes_up_beside_ipv4),
        cmocka_unit_test(ipv6_refused_leaves_ipv4_alone),
        cmocka_unit_test(each_single_frame_may_be_lost),
        cmocka_unit_test(each_single_frame_may_come_twice),
        cmocka_unit_test(a_bad_line_only_costs_time),
        cmocka_unit_test(a_line_slower_than_the_restart_timer_still_agrees),
        cmocka_unit_test(a_close_is_said_to_the_peer_and_told_once),
        cmocka_unit_test(a_close_before_the_beginning_is_told_too),
        cmocka_unit_test(a_peer_that_says_nothing_is_given_up),
        cmocka_unit_test(lcp_may_be_negotiated_anew_at_any_time),
        cmocka_unit_test(a_server_without_a_method_is_none),
        cmocka_unit_test(a_server_that_is_there_late_is_asked_again_soon),
        cmocka_unit_test(a_server_that_was_there_is_not_asked_again),
        cmocka_unit_test(a_client_that_starts_late_hears_the_first_request),
        cmocka_unit_test(a_client_that_waits_is_asked_after_a_second),
        cmocka_unit_test(a_client_that_begins_after_a_second_is_asked_again_soon),
        cmocka_unit_test(a_server_closed_while_it_listens_is_down_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
