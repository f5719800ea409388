/*
 * The server against the frames of real clients: Windows, Apple, pppd (Linux, Android) and RouterOS, each with the
 * options, the order and the oddities that it is known for.
 */
#include "rig.h"

struct talk {
    struct side s;
    uint8_t request[PPP_FRAME_MAX]; /* our last Configure-Request */
    size_t request_len;
};

static void talk_begin(struct talk *t, enum ppp_auth method)
{
    side_init(&t->s, true, 42);
    t->s.config.auth[0] = method;
    t->s.config.auth[1] = PPP_AUTH_NONE;
    side_start(&t->s);
    /* <-- LCP Configure-Request: MRU 1400, MS-CHAPv2 or PAP, magic, PFC, ACFC */
    t->request_len = hear_first(&t->s, t->request);
    assert_memory_equal(t->request, "\xff\x03\xc0\x21\x01\x01", 6);
}

static void talk_end(struct talk *t)
{
    ppp_free(t->s.ppp);
}

/* PAP keeps the scripts readable; MS-CHAPv2 has its own tests. */
static void log_in_with_pap(struct talk *t)
{
    /* --> PAP Authenticate-Request alice secret1 */
    say(&t->s, "ff03c023 0107 0012 05 616c696365 07 73656372657431");
    /* <-- PAP Authenticate-Ack, and at once our IPCP Configure-Request */
    expect(&t->s, "ff03c023 0207 000c 07 57656c636f6d65");
    t->request_len = expect_start(&t->s, "ff038021 0101 000a 03060a000001", t->request);
}

static void windows_with_callback_and_multilink_comes_up(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PPP_AUTH_PAP);
    side_advance(&t.s, t.s.now + USEC_SEC);
    /* --> id 0: magic, PFC, ACFC, Callback, MRRU, endpoint discriminator of 20 bytes */
    say(&t.s, "ff03c021 0100002c 0506021952cf 0702 0802 0d0306 1104064e"
              "131701 0102030405060708090a0b0c0d0e0f1011121314");
    /* <-- Configure-Reject: those three, alone and unchanged */
    expect(&t.s, "ff03c021 04000022 0d0306 1104064e 131701 0102030405060708090a0b0c0d0e0f1011121314");
    /* --> id 1: without them. <-- Ack */
    say(&t.s, "ff03c021 0101 000e 0506021952cf 0702 0802");
    expect(&t.s, "ff03c021 0201 000e 0506021952cf 0702 0802");
    /* Windows did not answer our first request; it comes again soon, and is the same */
    side_advance(&t.s, t.s.now + 100 * USEC_MSEC);
    uint8_t again[PPP_FRAME_MAX];
    assert_int_equal(hear(&t.s, again), t.request_len);
    assert_memory_equal(again, t.request, t.request_len);
    /* --> Ack */
    acknowledge(&t.s, t.request, t.request_len);
    assert_int_equal(t.s.stage, STAGE_PPP_LCP);
    /* --> three Identifications: MSRASV5.20, MSRAS-0-PC, 16 raw bytes. No answer. */
    assert_int_equal(say(&t.s, "ff03c021 0c02 0012 021952cf 4d535241535635 2e3230"), DROP_NONE);
    assert_int_equal(say(&t.s, "ff03c021 0c03 0012 021952cf 4d535241532d302d5043"), DROP_NONE);
    assert_int_equal(say(&t.s, "ff03c021 0c04 0018 021952cf 000102030405060708090a0b0c0d0e0f"), DROP_NONE);
    assert_int_equal(say(&t.s, "ff03c021 0d05 000c 021952cf 00000e10"), DROP_NONE); /* Time-Remaining */
    expect_silence(&t.s);
    /* --> IPCP too early: ignored */
    assert_int_equal(say(&t.s, "8021 0106 000a 030600000000"), DROP_PPP_STATE);
    expect_silence(&t.s);
    log_in_with_pap(&t);
    assert_string_equal(t.s.detail[STAGE_PPP_AUTH], "PAP, alice, MSRASV5.20");
    /* --> IPV6CP, CCP (MPPE). <-- Protocol-Rejects */
    assert_int_equal(say(&t.s, "8057 0105 000e 010a0123456789abcdef"), DROP_PPP_PROTOCOL);
    expect(&t.s, "ff03c021 0801 0014 8057 0105000e010a0123456789abcdef");
    assert_int_equal(say(&t.s, "80fd 0106 000a 120601000040"), DROP_PPP_PROTOCOL);
    expect(&t.s, "ff03c021 0802 0010 80fd 0106000a120601000040");
    /* --> IPCP: address, DNS, WINS, DNS, WINS, all zero. <-- Reject of WINS alone */
    say(&t.s, "8021 0107 0022 030600000000 810600000000 820600000000 830600000000 840600000000");
    expect(&t.s, "ff038021 0407 0010 820600000000 840600000000");
    /* --> without. <-- Nak with what they shall be, never Reject of 0.0.0.0 */
    say(&t.s, "8021 0108 0016 030600000000 810600000000 830600000000");
    expect(&t.s, "ff038021 0308 0016 03060a000063 81060a000035 83060a000036");
    say(&t.s, "8021 0109 0016 03060a000063 81060a000035 83060a000036");
    expect(&t.s, "ff038021 0209 0016 03060a000063 81060a000035 83060a000036");
    assert_int_equal(t.s.networks, 0);
    acknowledge(&t.s, t.request, t.request_len);
    assert_int_equal(t.s.networks, 1);
    assert_int_equal(t.s.stage, STAGE_PPP_IPCP);
    /* --> Terminate-Request with Windows' data. <-- Ack, and the end */
    say(&t.s, "ff03c021 050a 0010 021952cf 003ccd74 00000000");
    expect(&t.s, "ff03c021 060a 0004");
    side_advance(&t.s, 10 * USEC_SEC);
    assert_int_equal(t.s.downs, 1);
    assert_int_equal(t.s.cause, CAUSE_PEER_CLOSED);
    talk_end(&t);
}

static void windows_with_wins_gets_it(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PPP_AUTH_PAP);
    t.s.mute = true;
    say(&t.s, "ff03c021 0101 000e 0506021952cf 0702 0802");
    expect(&t.s, "ff03c021 0201 000e 0506021952cf 0702 0802");
    acknowledge(&t.s, t.request, t.request_len);
    say(&t.s, "ff03c023 0107 0012 05 616c696365 07 73656372657431");
    struct ppp_auth_answer a = {.accepted = true, .network = assigned_network()};
    a.network.wins[0] = ip4_addr(0x0a000037);
    a.network.dns[1] = (struct ip_addr){0};
    ppp_auth_done(t.s.ppp, t.s.now, &a);
    expect(&t.s, "ff03c023 0207 000c 07 57656c636f6d65");
    expect(&t.s, "ff038021 0101 000a 03060a000001");
    say(&t.s, "8021 0107 0022 030600000000 810600000000 820600000000 830600000000 840600000000");
    expect(&t.s, "ff038021 0407 0010 830600000000 840600000000");
    say(&t.s, "8021 0108 0016 030600000000 810600000000 820600000000");
    expect(&t.s, "ff038021 0308 0016 03060a000063 81060a000035 82060a000037");
    talk_end(&t);
}

static void apple_without_mru_and_with_acscp_comes_up(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PPP_AUTH_PAP);
    /* --> asyncmap 0, magic, PFC, ACFC; no MRU. <-- Ack of all: a Reject confuses pppd's children */
    say(&t.s, "ff03c021 0101 0014 020600000000 05061a2b3c4d 0702 0802");
    expect(&t.s, "ff03c021 0201 0014 020600000000 05061a2b3c4d 0702 0802");
    acknowledge(&t.s, t.request, t.request_len);
    log_in_with_pap(&t);
    /* --> ACSCP. <-- Protocol-Reject */
    assert_int_equal(say(&t.s, "8235 0101 0010 010600000001 020600000001"), DROP_PPP_PROTOCOL);
    expect(&t.s, "ff03c021 0801 0016 8235 01010010010600000001020600000001");
    say(&t.s, "8021 0101 0016 030600000000 810600000000 830600000000");
    expect(&t.s, "ff038021 0301 0016 03060a000063 81060a000035 83060a000036");
    say(&t.s, "8021 0102 0016 03060a000063 81060a000035 83060a000036");
    expect(&t.s, "ff038021 0202 0016 03060a000063 81060a000035 83060a000036");
    acknowledge(&t.s, t.request, t.request_len);
    assert_int_equal(t.s.networks, 1);
    /* --> LCP Echo-Request. <-- Echo-Reply with our magic and its data */
    uint8_t reply[PPP_FRAME_MAX];
    say(&t.s, "ff03c021 0905 000a 1a2b3c4d beef");
    size_t n = expect_start(&t.s, "ff03c021 0a05 000a", reply);
    assert_int_equal(n, 14);
    assert_int_equal(reply[12] << 8 | reply[13], 0xbeef);
    say(&t.s, "ff03c021 0506 0010 557365722072657175657374"); /* "User request" */
    expect(&t.s, "ff03c021 0606 0004");
    talk_end(&t);
}

static void pppd_with_vj_first_comes_up(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PPP_AUTH_PAP);
    /* --> MRU 1270 (Android), asyncmap, magic, PFC, ACFC */
    say(&t.s, "ff03c021 0101 0018 010404f6 020600000000 050600112233 0702 0802");
    expect(&t.s, "ff03c021 0201 0018 010404f6 020600000000 050600112233 0702 0802");
    acknowledge(&t.s, t.request, t.request_len);
    assert_int_equal(ppp_mtu(t.s.ppp), 1270);
    log_in_with_pap(&t);
    /* --> VJ, address, DNS. <-- Reject of VJ alone */
    say(&t.s, "8021 0101 001c 0206002d0f01 030600000000 810600000000 830600000000");
    expect(&t.s, "ff038021 0401 000a 0206002d0f01");
    say(&t.s, "8021 0102 0016 030600000000 810600000000 830600000000");
    expect(&t.s, "ff038021 0302 0016 03060a000063 81060a000035 83060a000036");
    say(&t.s, "8021 0103 0016 03060a000063 81060a000035 83060a000036");
    expect(&t.s, "ff038021 0203 0016 03060a000063 81060a000035 83060a000036");
    acknowledge(&t.s, t.request, t.request_len);
    assert_int_equal(t.s.networks, 1);
    assert_int_equal(ppp_data_overhead(t.s.ppp), 2); /* ACFC was agreed */
    talk_end(&t);
}

static void routeros_and_its_nak_of_the_mru_are_met(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PPP_AUTH_PAP);
    /* --> MRU 1450, magic; and a Nak of our MRU with 1300. <-- Ack; our request with 1300 */
    say(&t.s, "ff03c021 0101 000e 010405aa 0506aabbccdd");
    expect(&t.s, "ff03c021 0201 000e 010405aa 0506aabbccdd");
    say(&t.s, "ff03c021 0301 0008 01040514");
    t.request_len = expect_start(&t.s, "ff03c021 0102", t.request);
    assert_int_equal(t.request[10] << 8 | t.request[11], 1300);
    acknowledge(&t.s, t.request, t.request_len);
    assert_int_equal(ppp_mtu(t.s.ppp), 1400); /* its 1450, our limit */
    assert_int_equal(ppp_data_overhead(t.s.ppp), 4);
    log_in_with_pap(&t);
    /* --> MPLSCP, BCP. <-- Protocol-Rejects */
    assert_int_equal(say(&t.s, "8281 0101 0004"), DROP_PPP_PROTOCOL);
    expect(&t.s, "ff03c021 0801 000a 8281 01010004");
    assert_int_equal(say(&t.s, "8031 0101 0004"), DROP_PPP_PROTOCOL);
    expect(&t.s, "ff03c021 0802 000a 8031 01010004");
    say(&t.s, "8021 0101 000a 030600000000");
    expect(&t.s, "ff038021 0301 000a 03060a000063");
    say(&t.s, "8021 0102 000a 03060a000063");
    expect(&t.s, "ff038021 0202 000a 03060a000063");
    acknowledge(&t.s, t.request, t.request_len);
    assert_int_equal(t.s.networks, 1);
    talk_end(&t);
}

static void an_unknown_code_is_rejected_whole(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PPP_AUTH_PAP);
    say(&t.s, "ff03c021 0e09 0006 abcd");
    expect(&t.s, "ff03c021 0701 000a 0e090006abcd");
    talk_end(&t);
}

static void an_old_address_option_is_rejected_and_the_right_one_suggested(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PPP_AUTH_PAP);
    say(&t.s, "ff03c021 0101 000a 050600112233");
    expect(&t.s, "ff03c021 0201 000a 050600112233");
    acknowledge(&t.s, t.request, t.request_len);
    log_in_with_pap(&t);
    say(&t.s, "8021 0101 000e 010a 00000000 00000000");
    expect(&t.s, "ff038021 0401 000e 010a 00000000 00000000");
    say(&t.s, "8021 0102 0004");
    expect(&t.s, "ff038021 0302 000a 03060a000063");
    talk_end(&t);
}

static void a_peer_that_insists_on_its_address_is_let_go(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PPP_AUTH_PAP);
    say(&t.s, "ff03c021 0101 000a 050600112233");
    expect(&t.s, "ff03c021 0201 000a 050600112233");
    acknowledge(&t.s, t.request, t.request_len);
    log_in_with_pap(&t);
    acknowledge(&t.s, t.request, t.request_len);
    uint8_t reply[PPP_FRAME_MAX];
    for (int i = 0; i < 11; i++) {
        say(&t.s, "8021 0102 000a 0306c0a80005");
        expect(&t.s, "ff038021 0302 000a 03060a000063");
    }
    /* <-- Terminate-Request */
    expect_start(&t.s, "ff03c021 05", reply);
    side_advance(&t.s, 10 * USEC_SEC);
    assert_int_equal(t.s.networks, 0);
    assert_int_equal(t.s.cause, CAUSE_IPCP_FAILED);
    talk_end(&t);
}

static void an_ipcp_that_never_asks_is_given_up(void **state)
{
    (void)state;
    struct talk t;
    talk_begin(&t, PPP_AUTH_PAP);
    say(&t.s, "ff03c021 0101 000a 050600112233");
    expect(&t.s, "ff03c021 0201 000a 050600112233");
    acknowledge(&t.s, t.request, t.request_len);
    log_in_with_pap(&t);
    /* --> only ever Acks: RFC 1661 alone would go on for good */
    for (int i = 0; i < 100 && t.s.downs == 0; i++) {
        if (t.request_len > 0 && t.request[2] == 0x80)
            acknowledge(&t.s, t.request, t.request_len);
        side_advance(&t.s, t.s.now + 3 * USEC_SEC);
        t.request_len = hear(&t.s, t.request);
    }
    assert_int_equal(t.s.cause, CAUSE_IPCP_FAILED);
    talk_end(&t);
}

static void a_looped_line_is_noticed(void **state)
{
    (void)state;
    struct side s;
    side_init(&s, true, 3);
    s.config.auth[0] = PPP_AUTH_PAP;
    side_start(&s);
    uint8_t frame[PPP_FRAME_MAX];
    for (int i = 0; i < 2000 && s.downs == 0; i++) {
        size_t n = hear(&s, frame);
        if (n > 0)
            side_take(&s, view_of(frame, n));
        else
            side_advance(&s, s.now + USEC_SEC);
    }
    assert_int_equal(s.downs, 1);
    assert_int_equal(s.networks, 0);
    ppp_free(s.ppp);
}

static void every_cut_of_every_frame_is_harmless(void **state)
{
    (void)state;
    static const char *const frames[] = {
        "ff03c021 0100002c 0506021952cf 0702 0802 0d0306 1104064e 131701 0102030405060708090a0b0c0d0e0f1011121314",
        "c021 0801 0010 80fd 0106000a120601000040",
        "c021 0905 000a 1a2b3c4d beef",
        "c021 0c02 0012 021952cf 4d535241535635 2e3230",
        "c023 0107 0012 05 616c696365 07 73656372657431",
        "c223 0201 001a 10 00112233445566778899aabbccddeeff 616c696365",
        "8021 0107 0022 030600000000 810600000000 820600000000 830600000000 840600000000",
        "8057 0105 000e 010a0123456789abcdef",
    };
    for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
        uint8_t bytes[PPP_FRAME_MAX];
        size_t n = unhex(frames[i], bytes, sizeof bytes);
        for (size_t cut = 0; cut < n; cut++) {
            struct talk t;
            talk_begin(&t, PPP_AUTH_PAP);
            uint8_t *exact = malloc(cut ? cut : 1); /* so that the sanitizer sees one byte too many */
            memcpy(exact, bytes, cut);
            enum drop d = ppp_input(t.s.ppp, 0, view_of(exact, cut));
            assert_true(d == DROP_PPP_SHORT || d == DROP_PPP_MALFORMED || d == DROP_PPP_STATE);
            expect_silence(&t.s);
            free(exact);
            talk_end(&t);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_with_callback_and_multilink_comes_up),
        cmocka_unit_test(windows_with_wins_gets_it),
        cmocka_unit_test(apple_without_mru_and_with_acscp_comes_up),
        cmocka_unit_test(pppd_with_vj_first_comes_up),
        cmocka_unit_test(routeros_and_its_nak_of_the_mru_are_met),
        cmocka_unit_test(an_unknown_code_is_rejected_whole),
        cmocka_unit_test(an_old_address_option_is_rejected_and_the_right_one_suggested),
        cmocka_unit_test(a_peer_that_insists_on_its_address_is_let_go),
        cmocka_unit_test(an_ipcp_that_never_asks_is_given_up),
        cmocka_unit_test(a_looped_line_is_noticed),
        cmocka_unit_test(every_cut_of_every_frame_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
