/* Control connections: how they open, live and end. Arrows point from the LAC to the LNS and back. */
#include "tests/unit/l2tp/world.h"

static void a_tunnel_and_its_session_open_in_six_messages_and_two_acknowledgements(void **state)
{
    (void)state;
    struct host lac, lns;
    const struct l2tp_config a = usual_config("lac"), b = usual_config("lns");
    host_start(&lac, &a, 1);
    host_start(&lns, &b, 2);
    assert_int_equal(l2tp_connect(lac.l2tp, 0, CARRIER), ERR_OK);

    static const struct {
        bool to_lns;
        unsigned type;
    } dialogue[] = {
        {true, 1},   /* --> SCCRQ */
        {false, 2},  /* <-- SCCRP */
        {true, 3},   /* --> SCCCN */
        {false, 0},  /* <-- ZLB */
        {true, 10},  /* --> ICRQ */
        {false, 11}, /* <-- ICRP */
        {true, 12},  /* --> ICCN */
        {false, 0},  /* <-- ZLB */
    };
    for (size_t i = 0; i < ARRAY_LEN(dialogue); i++) {
        const struct message_bytes m = expect_says(dialogue[i].to_lns ? &lac : &lns, dialogue[i].type);
        assert_int_equal(word_at(&m, 0), 0xc802);
        assert_int_equal(word_at(&m, 2), m.n);
        assert_int_equal(host_hears(dialogue[i].to_lns ? &lns : &lac, 0, view_of(m.p, m.n)), DROP_NONE);
    }
    expect_silence(&lac);
    expect_silence(&lns);
    const struct l2tp_event *up = told(&lns, L2TP_EVENT_TUNNEL_UP);
    assert_string_equal(up->peer_host, "lac");
    assert_non_null(told(&lac, L2TP_EVENT_SESSION_UP));
    assert_non_null(told(&lns, L2TP_EVENT_SESSION_UP));
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_UP)->session, 1);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_UP)->session_id, told(&lac, L2TP_EVENT_SESSION_UP)->peer_session_id);
    host_stop(&lac);
    host_stop(&lns);
}

static void start_lns(struct host *lns)
{
    const struct l2tp_config config = usual_config("lns");
    host_start(lns, &config, 2);
}

/* A SCCRQ by hand; its verdict. */
static enum drop ask(struct hand *hand, struct host *lns, usec_t now)
{
    hand->peer_id = hand->ns = hand->nr = 0;
    hand_begin(hand, 1, 0);
    hand_u16(hand, 2, 0x0100);
    hand_u32(hand, 3, 3);
    hand_avp(hand, 0x8000, 0, 7, "hand", 4);
    hand_u16(hand, 9, hand->tunnel_id);
    return host_hears(lns, now, hand_end(hand));
}

static void silence_brings_a_hello_each_minute_and_a_zlb_answers_it(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand hand = {.tunnel_id = 5};
    hand_tunnel(&hand, &lns, 0);
    hand.session_id = 9;
    hand_session(&hand, &lns, 0);
    assert_int_equal(l2tp_deadline(lns.l2tp), 60 * USEC_SEC);
    host_waits(&lns, 60 * USEC_SEC);
    const struct message_bytes hello = expect_says(&lns, 6); /* <-- Hello */
    hand_took(&hand, &hello);
    assert_int_equal(host_hears(&lns, 60 * USEC_SEC, hand_zlb(&hand)), DROP_NONE); /* --> ZLB */
    expect_silence(&lns);
    /* Data counts as life too. */
    l2tp_carrier_alive(lns.l2tp, 100 * USEC_SEC, CARRIER);
    host_waits(&lns, 120 * USEC_SEC);
    expect_silence(&lns);
    host_waits(&lns, 160 * USEC_SEC);
    expect_says(&lns, 6);
    host_stop(&lns);
}

static void a_hello_is_answered_with_a_zlb_and_an_acknowledgement_with_nothing(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand hand = {.tunnel_id = 5};
    hand_tunnel(&hand, &lns, 0);
    hand_begin(&hand, 6, 0); /* --> Hello */
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_NONE);
    expect_silence(&lns); /* it waits for a ride */
    host_waits(&lns, 100 * USEC_MSEC);
    const struct message_bytes zlb = expect_says(&lns, 0); /* <-- ZLB */
    assert_int_equal(word_at(&zlb, 10), hand.ns);
    for (int i = 0; i < 3; i++)
        assert_int_equal(host_hears(&lns, USEC_SEC, hand_zlb(&hand)), DROP_NONE);
    host_waits(&lns, 2 * USEC_SEC);
    expect_silence(&lns);
    host_stop(&lns);
}

static void a_dead_peer_is_noticed_and_told(void **state)
{
    (void)state;
    const struct l2tp_config a = usual_config("lac"), b = usual_config("lns");
    struct pair p;
    pair_start(&p, &a, &b, 9);
    pair_connect(&p);
    forget(&p.lns);
    usec_t at = 0;
    for (int i = 0; i < 100 && !told(&p.lns, L2TP_EVENT_TUNNEL_DOWN); i++) {
        struct message_bytes lost;
        at = l2tp_deadline(p.lns.l2tp);
        host_waits(&p.lns, at);
        while (host_says(&p.lns, &lost))
            ;
    }
    /* 60 s of silence, then 1 + 2 + 4 + 8 + 8 + 8 */
    assert_in_range(at, 91 * USEC_SEC, 93 * USEC_SEC);
    assert_int_equal(told(&p.lns, L2TP_EVENT_SESSION_DOWN)->cause, CAUSE_L2TP_TIMEOUT);
    assert_int_equal(told(&p.lns, L2TP_EVENT_TUNNEL_DOWN)->cause, CAUSE_L2TP_TIMEOUT);
    assert_int_equal(l2tp_tunnel_count(p.lns.l2tp), 0);
    assert_true(l2tp_deadline(p.lns.l2tp) == USEC_NEVER);
    pair_stop(&p);
}

static void a_stray_hello_gets_no_answer(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    assert_int_equal(host_hears_hex(&lns, 0, "c802 0014 0000 0000 0000 0000 8008 0000 0000 0006"),
                     DROP_L2TP_STRAY_HELLO);
    expect_silence(&lns);
    assert_true(l2tp_deadline(lns.l2tp) == USEC_NEVER);
    host_stop(&lns);
}

static void a_request_said_again_is_answered_again_and_opens_nothing(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand hand = {.tunnel_id = 5};
    assert_int_equal(ask(&hand, &lns, 0), DROP_NONE);                     /* --> SCCRQ */
    const struct message_bytes first = expect_says(&lns, 2);              /* <-- SCCRP, lost */
    assert_int_equal(ask(&hand, &lns, USEC_SEC / 2), DROP_L2TP_REPEATED); /* --> SCCRQ */
    const struct message_bytes again = expect_says(&lns, 2);              /* <-- SCCRP */
    assert_int_equal(first.n, again.n);
    assert_memory_equal(first.p, again.p, first.n);
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 1);
    hand_took(&hand, &again);
    hand.peer_id = avp_u16(&again, 9);
    hand_begin(&hand, 3, 0); /* --> SCCCN */
    assert_int_equal(host_hears(&lns, USEC_SEC, hand_end(&hand)), DROP_NONE);
    expect_says(&lns, 0);
    /* The request once more, late on its way. */
    struct hand late = {.tunnel_id = 5};
    assert_int_equal(ask(&late, &lns, USEC_SEC), DROP_L2TP_REPEATED);
    expect_says(&lns, 0); /* <-- ZLB */
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 1);
    assert_int_equal(told_count(&lns, L2TP_EVENT_TUNNEL_UP), 1);
    host_stop(&lns);
}

static void a_restarted_client_replaces_its_older_tunnel_once_its_session_is_up(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand old = {.tunnel_id = 5, .session_id = 50}, new = {.tunnel_id = 6, .session_id = 60};
    hand_tunnel(&old, &lns, 0);
    hand_session(&old, &lns, 0);
    hand_tunnel(&new, &lns, 10 * USEC_SEC);
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 2);
    assert_null(told(&lns, L2TP_EVENT_TUNNEL_DOWN));
    hand_begin(&new, 10, 0); /* --> ICRQ */
    hand_u16(&new, 14, new.session_id);
    assert_int_equal(host_hears(&lns, 10 * USEC_SEC, hand_end(&new)), DROP_NONE);
    const struct message_bytes icrp = expect_says(&lns, 11); /* <-- ICRP */
    hand_took(&new, &icrp);
    hand_begin(&new, 12, avp_u16(&icrp, 14)); /* --> ICCN */
    assert_int_equal(host_hears(&lns, 10 * USEC_SEC, hand_end(&new)), DROP_NONE);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_DOWN)->cause, CAUSE_REPLACED);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_DOWN)->peer_session_id, 50);
    assert_int_equal(told(&lns, L2TP_EVENT_TUNNEL_DOWN)->cause, CAUSE_REPLACED);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_UP)->peer_session_id, 60);
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 1);
    /* <-- StopCCN on the old one, ZLB on the new one */
    struct message_bytes m;
    unsigned stops = 0;
    while (host_says(&lns, &m))
        if (message_type_of(view_of(m.p, m.n)) == 4) {
            assert_int_equal(word_at(&m, 4), 5);
            stops++;
        }
    assert_int_equal(stops, 1);
    host_stop(&lns);
}

static void a_client_that_counts_from_one_again_is_believed_after_a_while(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand old = {.tunnel_id = 1, .session_id = 1}, new = {.tunnel_id = 1, .session_id = 1};
    hand_tunnel(&old, &lns, 0);
    hand_session(&old, &lns, 0);
    hand_tunnel(&new, &lns, 40 * USEC_SEC);
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 2);
    assert_int_not_equal(old.peer_id, new.peer_id);
    host_stop(&lns);
}

static void a_tunnel_is_deaf_to_other_carriers(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand hand = {.tunnel_id = 5};
    hand_tunnel(&hand, &lns, 0);
    hand_begin(&hand, 4, 0); /* --> StopCCN, forged */
    hand_u16(&hand, 9, 5);
    hand_u16(&hand, 1, 1);
    const struct view stop = hand_end(&hand);
    assert_int_equal(host_hears_from(&lns, 0, CARRIER + 1, stop), DROP_L2TP_TUNNEL);
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 1);
    expect_silence(&lns);
    assert_int_equal(host_hears(&lns, 0, stop), DROP_NONE);
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 0);
    host_stop(&lns);
}

static void a_stopccn_is_acknowledged_at_once_and_as_often_as_it_comes(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand hand = {.tunnel_id = 5, .session_id = 9};
    hand_tunnel(&hand, &lns, 0);
    hand_session(&hand, &lns, 0);
    hand_begin(&hand, 4, 0); /* --> StopCCN */
    hand_u16(&hand, 9, 5);
    hand_avp(&hand, 0x8000, 0, 1, "\0\6\0\0no \033more", 12);
    const struct view stop = hand_end(&hand);
    for (usec_t at = 0; at < 30 * USEC_SEC; at += 10 * USEC_SEC) {
        (void)host_hears(&lns, at, stop);
        expect_says(&lns, 0); /* <-- ZLB */
        expect_silence(&lns);
    }
    assert_int_equal(told_count(&lns, L2TP_EVENT_TUNNEL_DOWN), 1);
    const struct l2tp_event *down = told(&lns, L2TP_EVENT_SESSION_DOWN);
    assert_int_equal(down->cause, CAUSE_PEER_CLOSED);
    assert_int_equal(down->result, 6);
    assert_string_equal(down->detail, "StopCCN: no ?more");
    assert_int_equal(l2tp_session_count(lns.l2tp), 0);
    host_waits(&lns, 31 * USEC_SEC);
    assert_int_equal(host_hears(&lns, 31 * USEC_SEC, stop), DROP_L2TP_TUNNEL);
    assert_true(l2tp_deadline(lns.l2tp) == USEC_NEVER);
    host_stop(&lns);
}

static void a_stopccn_before_our_id_is_known_finds_its_tunnel(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand hand = {.tunnel_id = 5};
    assert_int_equal(ask(&hand, &lns, 0), DROP_NONE);
    expect_says(&lns, 2);    /* <-- SCCRP, lost */
    hand_begin(&hand, 4, 0); /* --> StopCCN to tunnel 0 (RFC 2661 4.4.3) */
    hand_u16(&hand, 9, 5);
    hand_u16(&hand, 1, 1);
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_NONE);
    expect_says(&lns, 0);
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 0);
    host_stop(&lns);
}

static void unknown_mandatory_avps_are_refused_with_2_8(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand hand = {.tunnel_id = 5};
    hand_begin(&hand, 1, 0); /* --> SCCRQ */
    hand_u16(&hand, 2, 0x0100);
    hand_u16(&hand, 9, 5);
    hand_u16(&hand, 99, 1);
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_L2TP_AVP);
    const struct message_bytes stop = expect_says(&lns, 4); /* <-- StopCCN */
    assert_int_equal(word_at(&stop, 4), 5);
    assert_int_equal(word_at(&stop, 10), 1); /* it acknowledges */
    assert_memory_equal(avp_of(&stop, 1).p, "\0\2\0\10", 4);
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 0);

    hand_tunnel(&hand, &lns, 0);
    hand_begin(&hand, 6, 0); /* --> Hello with a Cisco AVP that must be understood */
    hand_avp(&hand, 0x8000, 9, 1, "x", 1);
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_L2TP_AVP);
    const struct message_bytes end = expect_says(&lns, 4);
    assert_memory_equal(avp_of(&end, 1).p, "\0\2\0\10", 4);
    assert_int_equal(told(&lns, L2TP_EVENT_TUNNEL_DOWN)->cause, CAUSE_L2TP_PROTOCOL);
    host_stop(&lns);
}

static void unknown_messages_are_passed_over_unless_mandatory(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand hand = {.tunnel_id = 5};
    hand_tunnel(&hand, &lns, 0);
    hand_begin(&hand, 77, 0);
    hand.out.p[12] = 0; /* not mandatory */
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_L2TP_STATE);
    expect_silence(&lns);
    hand_begin(&hand, 77, 0);
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_L2TP_STATE);
    expect_says(&lns, 4); /* <-- StopCCN */
    host_stop(&lns);
}

static void another_protocol_version_is_refused_with_result_5(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand hand = {.tunnel_id = 5};
    hand_begin(&hand, 1, 0);
    hand_u16(&hand, 2, 0x0200);
    hand_u16(&hand, 9, 5);
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_L2TP_VERSION);
    const struct message_bytes stop = expect_says(&lns, 4);
    assert_memory_equal(avp_of(&stop, 1).p, "\0\5\1\0", 4);
    host_stop(&lns);
}

static void limits_are_said_with_2_4(void **state)
{
    (void)state;
    struct host lns;
    struct l2tp_config config = usual_config("lns");
    config.max_tunnels_per_carrier = 1;
    host_start(&lns, &config, 2);
    struct hand one = {.tunnel_id = 1}, two = {.tunnel_id = 2};
    hand_tunnel(&one, &lns, 0);
    assert_int_equal(ask(&two, &lns, 0), DROP_L2TP_LIMIT);
    const struct message_bytes stop = expect_says(&lns, 4);
    assert_int_equal(word_at(&stop, 4), 2);
    assert_memory_equal(avp_of(&stop, 1).p, "\0\2\0\4", 4);
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 1);
    host_stop(&lns);
}

static void refusals_cost_a_bounded_memory_and_no_state(void **state)
{
    (void)state;
    struct host lns;
    struct l2tp_config config = usual_config("lns");
    config.max_tunnels = 1;
    host_start(&lns, &config, 2);
    struct hand one = {.tunnel_id = 1}, more = {.tunnel_id = 2};
    hand_tunnel(&one, &lns, 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(ask(&more, &lns, 0), DROP_L2TP_LIMIT);
    struct message_bytes m;
    unsigned n = 0;
    while (host_says(&lns, &m))
        n++;
    assert_in_range(n, 1, 16);
    host_stop(&lns);
}

static void closed_tunnels_linger_in_bounds(void **state)
{
    (void)state;
    struct host lns;
    struct l2tp_config config = usual_config("lns");
    config.max_tunnels = 8;
    config.shard_bits = 4;
    config.shard = 3;
    host_start(&lns, &config, 2);
    for (uint16_t i = 1; i < 2000; i++) {
        struct hand hand = {.tunnel_id = i};
        hand_tunnel(&hand, &lns, 0);
        assert_int_equal(hand.peer_id & 15, 3);
        hand_begin(&hand, 4, 0);
        hand_u16(&hand, 9, i);
        hand_u16(&hand, 1, 1);
        assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_NONE);
        expect_says(&lns, 0);
    }
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 0);
    host_stop(&lns);
}

static void a_peer_in_a_hurry_leaves_few_tunnels_behind(void **state)
{
    (void)state;
    struct host lns;
    struct hand first = {0}, last = {0};
    struct l2tp_config config = usual_config("lns");
    config.max_tunnels = 1000;
    host_start(&lns, &config, 2);
    for (uint16_t i = 1; i <= 50; i++) {
        struct hand hand = {.tunnel_id = i};
        hand_tunnel(&hand, &lns, 0);
        hand_begin(&hand, 4, 0);
        hand_u16(&hand, 9, i);
        hand_u16(&hand, 1, 1);
        assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_NONE);
        expect_says(&lns, 0);
        last = hand;
        if (i == 1)
            first = hand;
    }
    hand_begin(&first, 6, 0);
    assert_int_equal(host_hears(&lns, 0, hand_end(&first)), DROP_L2TP_TUNNEL);
    hand_begin(&last, 6, 0); /* the youngest still answers to its name */
    assert_int_not_equal(host_hears(&lns, 0, hand_end(&last)), DROP_L2TP_TUNNEL);
    host_stop(&lns);
}

static void tunnel_ids_are_never_zero_nor_taken_twice_and_cannot_be_foreseen(void **state)
{
    (void)state;
    struct host lns;
    struct l2tp_config config = usual_config("lns");
    config.max_tunnels = config.max_tunnels_per_carrier = 5000;
    host_start(&lns, &config, 2);
    static uint8_t seen[65536];
    memset(seen, 0, sizeof(seen));
    unsigned in_a_row = 0;
    uint16_t last = 0;
    for (uint16_t i = 1; i <= 2000; i++) {
        struct hand hand = {.tunnel_id = i};
        assert_int_equal(ask(&hand, &lns, 0), DROP_NONE);
        const struct message_bytes reply = expect_says(&lns, 2);
        const uint16_t id = avp_u16(&reply, 9);
        assert_int_not_equal(id, 0);
        assert_false(seen[id]++);
        in_a_row += id == last + 1;
        last = id;
    }
    assert_true(in_a_row < 10);
    host_stop(&lns);
}

static void the_lower_tie_breaker_wins_when_both_ask_at_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        const struct l2tp_config a = usual_config("a"), b = usual_config("b");
        struct pair p;
        pair_start(&p, &a, &b, seed);
        assert_int_equal(l2tp_connect(p.lac.l2tp, p.now, CARRIER), ERR_OK);
        assert_int_equal(l2tp_connect(p.lns.l2tp, p.now, CARRIER), ERR_OK);
        struct message_bytes ours = expect_says(&p.lac, 1), theirs = expect_says(&p.lns, 1);
        const bool a_wins = memcmp(avp_of(&ours, 5).p, avp_of(&theirs, 5).p, 8) < 0;
        (void)host_hears(&p.lac, p.now, view_of(theirs.p, theirs.n));
        (void)host_hears(&p.lns, p.now, view_of(ours.p, ours.n));
        pair_run(&p, p.now + 5 * USEC_SEC);
        struct host *winner = a_wins ? &p.lac : &p.lns, *loser = a_wins ? &p.lns : &p.lac;
        assert_int_equal(l2tp_tunnel_count(winner->l2tp), 1);
        assert_int_equal(l2tp_tunnel_count(loser->l2tp), 1);
        assert_int_equal(told_count(loser, L2TP_EVENT_TUNNEL_DOWN), 1);
        assert_int_equal(told_count(winner, L2TP_EVENT_TUNNEL_DOWN), 0);
        assert_int_equal(told_count(winner, L2TP_EVENT_SESSION_UP), 1);
        pair_stop(&p);
    }
}

static void a_message_out_of_its_state_ends_the_tunnel(void **state)
{
    (void)state;
    static const unsigned wrong[] = {1, 2, 3};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct host lns;
        start_lns(&lns);
        struct hand hand = {.tunnel_id = 5};
        hand_tunnel(&hand, &lns, 0);
        hand_begin(&hand, wrong[i], 0);
        hand_u16(&hand, 2, 0x0100);
        hand_u16(&hand, 9, 5);
        assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_L2TP_STATE);
        const struct message_bytes stop = expect_says(&lns, 4);
        assert_memory_equal(avp_of(&stop, 1).p, "\0\7\0\0", 4);
        host_stop(&lns);
    }
}

static void a_set_up_that_stalls_is_given_up(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand hand = {.tunnel_id = 5};
    assert_int_equal(ask(&hand, &lns, 0), DROP_NONE);
    const struct message_bytes reply = expect_says(&lns, 2);
    hand.peer_id = avp_u16(&reply, 9);
    hand_took(&hand, &reply);
    assert_int_equal(host_hears(&lns, 0, hand_zlb(&hand)), DROP_NONE); /* --> ZLB, and never an SCCCN */
    host_waits(&lns, 59 * USEC_SEC);
    assert_int_equal(l2tp_tunnel_count(lns.l2tp), 1);
    host_waits(&lns, 60 * USEC_SEC);
    assert_int_equal(told(&lns, L2TP_EVENT_TUNNEL_DOWN)->cause, CAUSE_L2TP_TIMEOUT);
    expect_says(&lns, 4);
    host_stop(&lns);
}

static void a_carrier_is_closed_with_stopccn_and_is_gone_without_a_word(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand hand = {.tunnel_id = 5, .session_id = 9};
    hand_tunnel(&hand, &lns, 0);
    hand_session(&hand, &lns, 0);
    l2tp_carrier_close(lns.l2tp, 0, CARRIER + 1, CAUSE_SHUTDOWN);
    expect_silence(&lns);
    l2tp_carrier_close(lns.l2tp, 0, CARRIER, CAUSE_SHUTDOWN);
    host_listens(&lns);
    const struct message_bytes stop = expect_says(&lns, 4);
    assert_memory_equal(avp_of(&stop, 1).p, "\0\6\0\0", 4);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_DOWN)->cause, CAUSE_SHUTDOWN);
    l2tp_carrier_gone(lns.l2tp, 0, CARRIER, CAUSE_SHUTDOWN);
    assert_true(l2tp_deadline(lns.l2tp) == USEC_NEVER);

    forget(&lns);
    hand_tunnel(&hand, &lns, 0);
    hand_session(&hand, &lns, 0);
    l2tp_carrier_gone(lns.l2tp, 0, CARRIER, CAUSE_PEER_SILENT);
    host_listens(&lns);
    expect_silence(&lns);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_DOWN)->cause, CAUSE_PEER_SILENT);
    assert_int_equal(told(&lns, L2TP_EVENT_TUNNEL_DOWN)->cause, CAUSE_PEER_SILENT);
    host_stop(&lns);
}

static void messages_beyond_the_receive_window_are_dropped_and_those_inside_kept(void **state)
{
    (void)state;
    struct host lns;
    start_lns(&lns);
    struct hand hand = {.tunnel_id = 5};
    hand_tunnel(&hand, &lns, 0);
    const uint16_t base = hand.ns;
    for (uint16_t i = 10; i >= 1; i--) {
        hand.ns = (uint16_t)(base + i);
        hand_begin(&hand, 6, 0);
        assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), i >= 8 ? DROP_L2TP_WINDOW : DROP_NONE);
    }
    hand.ns = base;
    hand_begin(&hand, 6, 0);
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_NONE);
    host_waits(&lns, USEC_SEC);
    const struct message_bytes zlb = expect_says(&lns, 0);
    assert_int_equal(word_at(&zlb, 10), base + 8);
    host_stop(&lns);
}

static void a_refused_connect_is_told_to_the_client(void **state)
{
    (void)state;
    const struct l2tp_config a = usual_config("lac");
    struct l2tp_config b = usual_config("lns");
    b.max_tunnels_per_carrier = 0;
    struct pair p;
    pair_start(&p, &a, &b, 1);
    assert_int_equal(l2tp_connect(p.lac.l2tp, p.now, CARRIER), ERR_OK);
    pair_run(&p, p.now + USEC_SEC);
    const struct l2tp_event *down = told(&p.lac, L2TP_EVENT_TUNNEL_DOWN);
    assert_int_equal(down->cause, CAUSE_L2TP_REFUSED);
    assert_int_equal(down->result, 2);
    assert_int_equal(down->error, 4);
    assert_int_equal(told(&p.lac, L2TP_EVENT_SESSION_DOWN)->cause, CAUSE_L2TP_REFUSED);
    pair_stop(&p);
}

static void nobody_answers_a_connect_and_the_client_is_told(void **state)
{
    (void)state;
    const struct l2tp_config a = usual_config("lac");
    struct host lac;
    host_start(&lac, &a, 1);
    assert_int_equal(l2tp_connect(lac.l2tp, 0, CARRIER), ERR_OK);
    struct message_bytes m;
    unsigned requests = 0;
    while (l2tp_deadline(lac.l2tp) != USEC_NEVER) {
        while (host_says(&lac, &m))
            requests += message_type_of(view_of(m.p, m.n)) == 1;
        host_waits(&lac, l2tp_deadline(lac.l2tp));
    }
    assert_int_equal(requests, 6);
    assert_int_equal(told(&lac, L2TP_EVENT_TUNNEL_DOWN)->cause, CAUSE_L2TP_TIMEOUT);
    assert_int_equal(l2tp_session_count(lac.l2tp), 0);
    host_stop(&lac);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tunnel_and_its_session_open_in_six_messages_and_two_acknowledgements),
        cmocka_unit_test(silence_brings_a_hello_each_minute_and_a_zlb_answers_it),
        cmocka_unit_test(a_hello_is_answered_with_a_zlb_and_an_acknowledgement_with_nothing),
        cmocka_unit_test(a_dead_peer_is_noticed_and_told),
        cmocka_unit_test(a_stray_hello_gets_no_answer),
        cmocka_unit_test(a_request_said_again_is_answered_again_and_opens_nothing),
        cmocka_unit_test(a_restarted_client_replaces_its_older_tunnel_once_its_session_is_up),
        cmocka_unit_test(a_client_that_counts_from_one_again_is_believed_after_a_while),
        cmocka_unit_test(a_tunnel_is_deaf_to_other_carriers),
        cmocka_unit_test(a_stopccn_is_acknowledged_at_once_and_as_often_as_it_comes),
        cmocka_unit_test(a_stopccn_before_our_id_is_known_finds_its_tunnel),
        cmocka_unit_test(unknown_mandatory_avps_are_refused_with_2_8),
        cmocka_unit_test(unknown_messages_are_passed_over_unless_mandatory),
        cmocka_unit_test(another_protocol_version_is_refused_with_result_5),
        cmocka_unit_test(limits_are_said_with_2_4),
        cmocka_unit_test(refusals_cost_a_bounded_memory_and_no_state),
        cmocka_unit_test(closed_tunnels_linger_in_bounds),
        cmocka_unit_test(a_peer_in_a_hurry_leaves_few_tunnels_behind),
        cmocka_unit_test(tunnel_ids_are_never_zero_nor_taken_twice_and_cannot_be_foreseen),
        cmocka_unit_test(the_lower_tie_breaker_wins_when_both_ask_at_once),
        cmocka_unit_test(a_message_out_of_its_state_ends_the_tunnel),
        cmocka_unit_test(a_set_up_that_stalls_is_given_up),
        cmocka_unit_test(a_carrier_is_closed_with_stopccn_and_is_gone_without_a_word),
        cmocka_unit_test(messages_beyond_the_receive_window_are_dropped_and_those_inside_kept),
        cmocka_unit_test(a_refused_connect_is_told_to_the_client),
        cmocka_unit_test(nobody_answers_a_connect_and_the_client_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
