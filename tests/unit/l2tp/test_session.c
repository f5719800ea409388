/* Sessions: how calls begin, are refused and end; their numbers; what they cost. */
#include "tests/unit/l2tp/world.h"

#include "l2tp/l2tp_internal.h"

static void start(struct host *lns, struct hand *hand)
{
    const struct l2tp_config config = usual_config("lns");
    host_start(lns, &config, 1);
    *hand = (struct hand){.tunnel_id = 0x11, .session_id = 0x22};
    hand_tunnel(hand, lns, 0);
}

static enum drop call(struct hand *hand, struct host *lns, uint16_t id)
{
    hand_begin(hand, 10, 0);
    hand_u16(hand, 14, id);
    return host_hears(lns, 0, hand_end(hand));
}

static void a_cdn_is_acknowledged_at_once_and_ends_the_session(void **state)
{
    (void)state;
    struct host lns;
    struct hand hand;
    start(&lns, &hand);
    hand_session(&hand, &lns, 0);
    hand_begin(&hand, 14, hand.peer_session_id); /* --> CDN */
    hand_u16(&hand, 14, 0x22);
    hand_u32(&hand, 1, 0x00030000);
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_NONE);
    expect_says(&lns, 0); /* <-- ZLB */
    const struct l2tp_event *down = told(&lns, L2TP_EVENT_SESSION_DOWN);
    assert_int_equal(down->cause, CAUSE_PEER_CLOSED);
    assert_int_equal(down->result, 3);
    assert_int_equal(down->peer_session_id, 0x22);
    assert_int_equal(l2tp_session_count(lns.l2tp), 0);
    /* The tunnel waits for another call, but not for ever. */
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 1);
    host_waits(&lns, 60 * USEC_SEC);
    assert_int_equal(told(&lns, L2TP_EVENT_TUNNEL_DOWN)->cause, CAUSE_PEER_CLOSED);
    host_stop(&lns);
}

static void a_caller_that_hangs_up_before_our_answer_came_is_found_by_its_own_id(void **state)
{
    (void)state;
    struct host lns;
    struct hand hand;
    start(&lns, &hand);
    assert_int_equal(call(&hand, &lns, 0x22), DROP_NONE); /* --> ICRQ */
    expect_says(&lns, 11);                                /* <-- ICRP, lost */
    hand_begin(&hand, 14, 0);                             /* --> CDN to session 0 */
    hand_u16(&hand, 14, 0x22);
    hand_u32(&hand, 1, 0x00010000);
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_NONE);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_DOWN)->cause, CAUSE_L2TP_REFUSED);
    assert_int_equal(l2tp_session_count(lns.l2tp), 0);
    host_stop(&lns);
}

static void outgoing_calls_are_refused_with_2_6(void **state)
{
    (void)state;
    struct host lns;
    struct hand hand;
    start(&lns, &hand);
    hand_begin(&hand, 7, 0); /* --> OCRQ */
    hand_u16(&hand, 14, 0x77);
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_L2TP_STATE);
    const struct message_bytes cdn = expect_says(&lns, 14); /* <-- CDN */
    assert_int_equal(word_at(&cdn, 6), 0x77);
    assert_memory_equal(avp_of(&cdn, 1).p, "\0\2\0\6", 4);
    assert_int_not_equal(avp_u16(&cdn, 14), 0);
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 1);
    host_stop(&lns);
}

static void a_server_may_not_call_its_client(void **state)
{
    (void)state;
    const struct l2tp_config config = usual_config("lac");
    struct host lac;
    host_start(&lac, &config, 1);
    assert_int_equal(l2tp_connect(lac.l2tp, 0, CARRIER), ERR_OK);
    const struct message_bytes sccrq = expect_says(&lac, 1); /* --> SCCRQ */
    struct hand hand = {.tunnel_id = 5, .peer_id = avp_u16(&sccrq, 9), .nr = 1};
    hand_begin(&hand, 2, 0); /* <-- SCCRP */
    hand_u16(&hand, 2, 0x0100);
    hand_u16(&hand, 9, 5);
    assert_int_equal(host_hears(&lac, 0, hand_end(&hand)), DROP_NONE);
    const struct message_bytes scccn = expect_says(&lac, 3); /* --> SCCCN */
    hand_took(&hand, &scccn);
    const struct message_bytes icrq = expect_says(&lac, 10); /* --> ICRQ */
    hand_took(&hand, &icrq);
    assert_int_equal(call(&hand, &lac, 0x33), DROP_L2TP_STATE); /* <-- ICRQ */
    const struct message_bytes cdn = expect_says(&lac, 14);     /* --> CDN */
    assert_int_equal(word_at(&cdn, 6), 0x33);
    assert_memory_equal(avp_of(&cdn, 1).p, "\0\2\0\6", 4);
    assert_int_equal(l2tp_session_count(lac.l2tp), 1);
    host_stop(&lac);
}

static void more_calls_than_allowed_are_refused_with_2_4(void **state)
{
    (void)state;
    struct host lns;
    struct hand hand;
    start(&lns, &hand);
    for (uint16_t i = 1; i <= 4; i++) {
        assert_int_equal(call(&hand, &lns, i), DROP_NONE);
        const struct message_bytes icrp = expect_says(&lns, 11);
        hand_took(&hand, &icrp);
        (void)host_hears(&lns, 0, hand_zlb(&hand));
    }
    assert_int_equal(call(&hand, &lns, 5), DROP_L2TP_LIMIT);
    const struct message_bytes cdn = expect_says(&lns, 14);
    assert_memory_equal(avp_of(&cdn, 1).p, "\0\2\0\4", 4);
    assert_int_equal(l2tp_session_count(lns.l2tp), 4);
    host_stop(&lns);
}

static void calls_with_unknown_mandatory_avps_are_refused_with_2_8(void **state)
{
    (void)state;
    struct host lns;
    struct hand hand;
    start(&lns, &hand);
    hand_begin(&hand, 10, 0); /* --> ICRQ */
    hand_u16(&hand, 14, 0x22);
    hand_avp(&hand, 0x8000, 311, 1, "guid", 4);
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_L2TP_AVP);
    const struct message_bytes cdn = expect_says(&lns, 14);
    assert_memory_equal(avp_of(&cdn, 1).p, "\0\2\0\10", 4);
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 1); /* the tunnel is not to blame */
    hand_took(&hand, &cdn);
    hand_session(&hand, &lns, 0);
    hand_begin(&hand, 16, hand.peer_session_id); /* --> SLI */
    hand_u16(&hand, 111, 0);
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_L2TP_AVP);
    expect_says(&lns, 14);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_DOWN)->cause, CAUSE_L2TP_PROTOCOL);
    host_stop(&lns);
}

static void messages_out_of_their_state_end_the_session_only(void **state)
{
    (void)state;
    static const unsigned wrong[] = {8, 9, 10, 11, 12};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct host lns;
        struct hand hand;
        start(&lns, &hand);
        hand_session(&hand, &lns, 0);
        hand_begin(&hand, wrong[i], hand.peer_session_id);
        hand_u16(&hand, 14, 0x99);
        assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_L2TP_STATE);
        expect_says(&lns, 14); /* <-- CDN */
        assert_int_equal(l2tp_session_count(lns.l2tp), 0);
        assert_int_equal(l2tp_tunnel_count(lns.l2tp), 1);
        host_stop(&lns);
    }
}

static void wen_and_sli_are_heard_and_forgotten(void **state)
{
    (void)state;
    struct host lns;
    struct hand hand;
    start(&lns, &hand);
    hand_session(&hand, &lns, 0);
    for (unsigned type = 15; type <= 16; type++) {
        hand_begin(&hand, type, hand.peer_session_id);
        assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_NONE);
    }
    assert_int_equal(l2tp_session_count(lns.l2tp), 1);
    host_stop(&lns);
}

static void a_call_before_the_tunnel_is_up_ends_it(void **state)
{
    (void)state;
    const struct l2tp_config config = usual_config("lns");
    struct host lns;
    host_start(&lns, &config, 1);
    struct hand hand = {.tunnel_id = 5};
    hand_begin(&hand, 1, 0); /* --> SCCRQ */
    hand_u16(&hand, 2, 0x0100);
    hand_u16(&hand, 9, 5);
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_NONE);
    const struct message_bytes sccrp = expect_says(&lns, 2);
    hand_took(&hand, &sccrp);
    hand.peer_id = avp_u16(&sccrp, 9);
    assert_int_equal(call(&hand, &lns, 9), DROP_L2TP_STATE); /* --> ICRQ, no SCCCN */
    const struct message_bytes stop = expect_says(&lns, 4);
    assert_memory_equal(avp_of(&stop, 1).p, "\0\2\0\1", 4);
    host_stop(&lns);
}

static void an_answered_call_that_is_not_completed_is_given_up(void **state)
{
    (void)state;
    struct host lns;
    struct hand hand;
    start(&lns, &hand);
    assert_int_equal(call(&hand, &lns, 0x22), DROP_NONE);
    const struct message_bytes icrp = expect_says(&lns, 11);
    hand_took(&hand, &icrp);
    (void)host_hears(&lns, 0, hand_zlb(&hand));
    host_waits(&lns, 60 * USEC_SEC);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_DOWN)->cause, CAUSE_L2TP_TIMEOUT);
    expect_says(&lns, 14);
    host_stop(&lns);
}

static void closing_the_last_session_says_cdn_and_stopccn(void **state)
{
    (void)state;
    struct host lns;
    struct hand hand;
    start(&lns, &hand);
    hand_session(&hand, &lns, 0);
    const uint32_t session = told(&lns, L2TP_EVENT_SESSION_UP)->session;
    l2tp_session_close(lns.l2tp, 0, session, CAUSE_ADMIN);
    host_listens(&lns);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_DOWN)->cause, CAUSE_ADMIN);
    assert_int_equal(told(&lns, L2TP_EVENT_TUNNEL_DOWN)->cause, CAUSE_ADMIN);
    const struct message_bytes cdn = expect_says(&lns, 14); /* <-- CDN */
    assert_int_equal(word_at(&cdn, 6), 0x22);
    assert_memory_equal(avp_of(&cdn, 1).p, "\0\3\0\0", 4);
    expect_says(&lns, 4);                                  /* <-- StopCCN: the window has grown */
    l2tp_session_close(lns.l2tp, 0, session, CAUSE_ADMIN); /* nothing twice */
    expect_silence(&lns);
    host_stop(&lns);
}

static void an_id_given_away_anew_takes_the_place_of_the_old_call(void **state)
{
    (void)state;
    struct host lns;
    struct hand hand;
    start(&lns, &hand);
    hand_session(&hand, &lns, 0);
    hand_session(&hand, &lns, 0);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_DOWN)->cause, CAUSE_REPLACED);
    assert_int_equal(l2tp_session_count(lns.l2tp), 1);
    host_stop(&lns);
}

static void numbers_stay_dense_and_are_free_when_the_end_was_told(void **state)
{
    (void)state;
    struct l2tp_config config = usual_config("lns");
    config.max_tunnels = config.max_tunnels_per_carrier = 200;
    config.max_sessions_per_tunnel = 100;
    struct host lns;
    host_start(&lns, &config, 1);
    struct hand hand = {.tunnel_id = 5};
    hand_tunnel(&hand, &lns, 0);
    for (int round = 0; round < 3; round++) {
        uint8_t seen[101] = {0};
        for (uint16_t i = 1; i <= 100; i++) {
            forget(&lns);
            hand.session_id = i;
            hand_session(&hand, &lns, 0);
            const uint32_t number = told(&lns, L2TP_EVENT_SESSION_UP)->session;
            assert_in_range(number, 1, 100);
            assert_false(seen[number]++);
        }
        const uint32_t last = told(&lns, L2TP_EVENT_SESSION_UP)->session;
        for (uint32_t i = 1; i <= 100; i++) {
            if (i == last)
                continue;
            l2tp_session_close(lns.l2tp, 0, i, CAUSE_ADMIN);
            struct message_bytes m = expect_says(&lns, 14);
            hand_took(&hand, &m);
            (void)host_hears(&lns, 0, hand_zlb(&hand));
        }
        hand_begin(&hand, 14, hand.peer_session_id); /* --> CDN for the last, so that the tunnel stays */
        hand_u16(&hand, 14, 100);
        hand_u32(&hand, 1, 0x00010000);
        (void)host_hears(&lns, 0, hand_end(&hand));
        struct message_bytes m;
        while (host_says(&lns, &m))
            if (m.n > 12) {
                hand_took(&hand, &m);
                (void)host_hears(&lns, 0, hand_zlb(&hand));
            }
        assert_int_equal(l2tp_session_count(lns.l2tp), 0);
    }
    host_stop(&lns);
}

static void an_idle_tunnel_with_its_session_is_small(void **state)
{
    (void)state;
    const size_t bytes = sizeof(struct tunnel) + sizeof(struct session) + 2 * sizeof(struct event_node) +
                         sizeof(struct number) + 2 * sizeof(void *);
    print_message("%zu bytes\n", bytes);
    assert_true(bytes < 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cdn_is_acknowledged_at_once_and_ends_the_session),
        cmocka_unit_test(a_caller_that_hangs_up_before_our_answer_came_is_found_by_its_own_id),
        cmocka_unit_test(outgoing_calls_are_refused_with_2_6),
        cmocka_unit_test(a_server_may_not_call_its_client),
        cmocka_unit_test(more_calls_than_allowed_are_refused_with_2_4),
        cmocka_unit_test(calls_with_unknown_mandatory_avps_are_refused_with_2_8),
        cmocka_unit_test(messages_out_of_their_state_end_the_session_only),
        cmocka_unit_test(wen_and_sli_are_heard_and_forgotten),
        cmocka_unit_test(a_call_before_the_tunnel_is_up_ends_it),
        cmocka_unit_test(an_answered_call_that_is_not_completed_is_given_up),
        cmocka_unit_test(closing_the_last_session_says_cdn_and_stopccn),
        cmocka_unit_test(an_id_given_away_anew_takes_the_place_of_the_old_call),
        cmocka_unit_test(numbers_stay_dense_and_are_free_when_the_end_was_told),
        cmocka_unit_test(an_idle_tunnel_with_its_session_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
