/* EAP on both sides: packet by packet against a scripted peer, and two of ours against each other. */
#include "eap.h"

#include "ppp/ppp_internal.h"

static const enum ppp_auth by_password[] = {PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_MD5, PPP_AUTH_EAP_GTC};

/* ---- a scripted peer ---- */

static void md5_as_client(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX], want[CHAP_MD5_SIZE], challenge[16];
    CLIENT(&s, 1, PPP_AUTH_EAP_MD5);
    say(&s, "ff03c227 01 07 0005 01");               /* --> Identity */
    expect(&s, "ff03c227 02 07 000a 01 616c696365"); /* <-- alice */
    say(&s, "ff03c227 01 08 000a 02 68656c6c6f");    /* --> Notification: hello */
    expect(&s, "ff03c227 02 08 0005 02");            /* <-- seen */
    say(&s, "ff03c227 03 08 0004");                  /* --> Success, much too early */
    assert_int_equal(s.stage, STAGE_PPP_LCP);
    say(&s, "ff03c227 01 09 0018 04 10 000102030405060708090a0b0c0d0e0f 6777"); /* --> MD5-Challenge */
    assert_int_equal(expect_start(&s, "ff03c227 02 09 001b 04 10", frame), 4 + 27);
    unhex("000102030405060708090a0b0c0d0e0f", challenge, sizeof challenge);
    assert_int_equal(chap_md5_response(9, view_str(PASSWORD), VIEW(challenge), want), ERR_OK);
    assert_memory_equal(frame + 10, want, sizeof want);
    assert_memory_equal(frame + 26, "alice", 5);
    say(&s, "ff03c227 03 08 0004"); /* --> Success to an older one */
    assert_int_equal(s.stage, STAGE_PPP_LCP);
    say(&s, "ff03c227 03 09 0004"); /* --> Success */
    assert_int_equal(s.stage, STAGE_PPP_AUTH);
    assert_string_equal(s.detail[STAGE_PPP_AUTH], "EAP-MD5, alice");
    expect_start(&s, "ff03 8021 01", frame); /* <-- IPCP begins */
    ppp_free(s.ppp);
}

static void a_repeated_request_gets_the_same_answer(void **state)
{
    (void)state;
    struct side s;
    uint8_t first[PPP_FRAME_MAX], second[PPP_FRAME_MAX];
    CLIENT(&s, 2, PPP_AUTH_EAP_MSCHAPV2);
    say(&s, "ff03c227 01 01 0005 01");
    expect(&s, "ff03c227 02 01 000a 01 616c696365");
    for (int i = 0; i < 2; i++)
        say(&s, "ff03c227 01 02 001c 1a 01 02 0017 10 000102030405060708090a0b0c0d0e0f 6777");
    size_t n = hear(&s, first);
    assert_true(n > 60);
    assert_int_equal(hear(&s, second), n);
    assert_memory_equal(first, second, n); /* the same peer challenge, or the verdict could not be checked */
    ppp_free(s.ppp);
}

/* RFC 2759 9.2, in EAP's packets. */
static void mschapv2_as_server_by_the_published_values(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    SERVER(&s, 3, PPP_AUTH_EAP_MSCHAPV2);
    s.mute = true;
    expect(&s, "ff03c227 01 01 0005 01");       /* <-- Identity */
    say(&s, "ff03c227 02 01 0009 01 55736572"); /* --> User */
    expect_start(&s, "ff03c227 01 02 001c 1a 01 02 0017 10", frame);
    static const char *authenticator = "5b5d7c7d7b3f2f3e3c2c602132262628";
    unhex(authenticator, s.ppp->auth.challenge, 16); /* the published challenge in place of ours */
    say(&s, "ff03c227 02 02 003f 1a 02 02 003a 31"   /* --> Response */
            "21402324255e262a28295f2b3a337c7e 0000000000000000"
            "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df 00 55736572");
    assert_int_equal(s.asked, 1);
    assert_int_equal(s.question.method, PPP_AUTH_EAP_MSCHAPV2);
    struct ppp_auth_answer yes = {.accepted = true, .network = assigned_network()};
    unhex("407a5589115fd0d6209f510fe9c04566932cda56", yes.authenticator_response, MSCHAP_AUTH_RESPONSE);
    assert_string_equal(s.question.user, "User");
    ppp_auth_done(s.ppp, s.now, &yes);
    side_events(&s);
    size_t n = expect_start(&s, "ff03c227 01 03", frame); /* <-- Success Request */
    assert_memory_equal(frame + 8, "\x1a\x03\x02", 3);
    assert_memory_equal(frame + 13, "S=407A5589115FD0D6209F510FE9C04566932CDA56", 42);
    assert_true(n > 55);
    assert_int_equal(s.stage, STAGE_PPP_LCP); /* nothing before the peer has seen it */
    say(&s, "ff03c227 02 03 0006 1a 03");     /* --> Success Response */
    expect(&s, "ff03c227 03 03 0004");        /* <-- EAP-Success */
    assert_int_equal(s.stage, STAGE_PPP_AUTH);
    expect_start(&s, "ff03 8021 01", frame);
    say(&s, "ff03c227 02 03 0006 1a 03"); /* --> again: EAP-Success was lost */
    expect(&s, "ff03c227 03 03 0004");    /* <-- and comes again */
    ppp_free(s.ppp);
}

static void a_forged_success_ends_the_link(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    CLIENT(&s, 4, PPP_AUTH_EAP_MSCHAPV2);
    say(&s, "ff03c227 01 02 001c 1a 01 02 0017 10 000102030405060708090a0b0c0d0e0f 6777");
    expect_start(&s, "ff03c227 02 02", frame);
    say(&s, "ff03c227 03 02 0004"); /* --> Success without a proof of the server's */
    assert_int_equal(s.stage, STAGE_PPP_LCP);
    say(&s, "ff03 8021 01 01 000a 0306 0a000001"); /* --> nor does IPCP say more */
    assert_int_equal(s.stage, STAGE_PPP_LCP);
    expect_silence(&s);
    say(&s, "ff03c227 01 03 0033 1a 03 02 002e "
            "533d30303030303030303030303030303030303030303030303030303030303030303030303030303030");
    expect_start(&s, "ff03c021 05", frame); /* <-- Terminate-Request */
    assert_int_equal(ppp_cause(s.ppp), CAUSE_AUTH_REFUSED);
    ppp_free(s.ppp);
}

static void the_servers_network_stands_for_a_lost_success(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    CLIENT(&s, 5, PPP_AUTH_EAP_MD5);
    say(&s, "ff03c227 01 09 0018 04 10 000102030405060708090a0b0c0d0e0f 6777");
    expect_start(&s, "ff03c227 02 09", frame);
    /* EAP-Success does not arrive */
    say(&s, "ff03 8021 01 01 000a 0306 0a000001"); /* --> IPCP Configure-Request */
    assert_int_equal(s.stage, STAGE_PPP_AUTH);
    expect_start(&s, "ff03 8021 01", frame);
    expect_start(&s, "ff03 8021 02 01", frame); /* <-- Ack */
    ppp_free(s.ppp);
}

static void a_client_naks_to_what_it_can(void **state)
{
    (void)state;
    struct side s;
    CLIENT(&s, 6, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_GTC);
    say(&s, "ff03c227 01 01 0006 0d 20");                /* --> EAP-TLS */
    expect(&s, "ff03c227 02 01 0007 03 1a 06");          /* <-- Nak: MS-CHAPv2 or GTC */
    say(&s, "ff03c227 01 02 000d fe 00000000000001 00"); /* --> an expanded type */
    expect(&s, "ff03c227 02 02 0007 03 1a 06");
    say(&s, "ff03c227 04 02 0004"); /* --> Failure */
    assert_int_equal(ppp_cause(s.ppp), CAUSE_AUTH_METHOD);
    ppp_free(s.ppp);
}

static void a_nak_moves_the_server_on(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    SERVER(&s, 7, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_MD5, PPP_AUTH_EAP_GTC);
    expect(&s, "ff03c227 01 01 0005 01");
    say(&s, "ff03c227 02 01 000a 01 616c696365");
    expect_start(&s, "ff03c227 01 02 001c 1a", frame); /* <-- MS-CHAPv2 */
    say(&s, "ff03c227 02 01 000a 01 616c696365");      /* --> the identity once more: late */
    expect_silence(&s);
    say(&s, "ff03c227 02 02 0006 03 06");                      /* --> Nak: GTC */
    expect(&s, "ff03c227 01 03 000f 06 50617373776f72643a20"); /* <-- GTC: "Password: " */
    say(&s, "ff03c227 02 03 000c 06 73656372657431");
    expect(&s, "ff03c227 03 03 0004");
    assert_int_equal(s.question.method, PPP_AUTH_EAP_GTC);
    ppp_free(s.ppp);
}

static void nothing_in_common_fails_at_once(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    SERVER(&s, 8, PPP_AUTH_EAP_MSCHAPV2);
    expect(&s, "ff03c227 01 01 0005 01");
    say(&s, "ff03c227 02 01 000a 01 616c696365");
    expect_start(&s, "ff03c227 01 02", frame);
    say(&s, "ff03c227 02 02 0006 03 0d");
    expect(&s, "ff03c227 04 02 0004"); /* <-- Failure */
    side_advance(&s, 3 * USEC_SEC);
    assert_int_equal(ppp_cause(s.ppp), CAUSE_AUTH_METHOD);
    ppp_free(s.ppp);
}

/* A client that says yes to EAP and then to none of its methods is asked for something else, from LCP on. */
static void after_a_nak_of_all_of_eap_comes_the_next_protocol(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    SERVER(&s, 9, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_MD5, PPP_AUTH_MSCHAPV2);
    expect(&s, "ff03c227 01 01 0005 01");
    say(&s, "ff03c227 02 01 000a 01 616c696365");
    expect_start(&s, "ff03c227 01 02", frame);
    say(&s, "ff03c227 02 02 0006 03 00"); /* --> Nak: nothing */
    size_t n = expect_start(&s, "ff03c021 01", frame);
    assert_non_null(memmem(frame, n, "\x03\x05\xc2\x23\x81", 5)); /* <-- LCP: MS-CHAPv2 */
    ppp_free(s.ppp);
}

static void windows_naks_eap_in_lcp(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    side_init(&s, true, 10);
    METHODS(&s, PPP_AUTH_EAP_TLS, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_MSCHAPV2);
    side_start(&s);
    size_t n = hear_first(&s, frame);
    assert_non_null(memmem(frame, n, "\x03\x04\xc2\x27", 4));
    say(&s, "ff03c021 03 01 0009 0305 c22381"); /* --> Configure-Nak: MS-CHAPv2 */
    n = expect_start(&s, "ff03c021 01 02", frame);
    assert_non_null(memmem(frame, n, "\x03\x05\xc2\x23\x81", 5));
    ppp_free(s.ppp);
}

/* As SoftEther's server does it. */
static void a_client_for_mschapv2_naks_eap_in_lcp(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    side_init(&s, false, 11);
    METHODS(&s, PPP_AUTH_MSCHAPV2, PPP_AUTH_EAP_MSCHAPV2);
    side_start(&s);
    acknowledge(&s, frame, expect_start(&s, "ff03c021 01", frame));
    say(&s, "ff03c021 01 01 0008 0304 c227");
    expect(&s, "ff03c021 03 01 0009 0305 c22381"); /* <-- Nak: MS-CHAPv2 */
    say(&s, "ff03c021 01 02 0009 0305 c22381");
    expect(&s, "ff03c021 02 02 0009 0305 c22381");
    ppp_free(s.ppp);
}

static void a_server_that_insists_on_eap_gets_it(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 12);
    METHODS(&r.server, PPP_AUTH_EAP_MSCHAPV2);
    METHODS(&r.client, PPP_AUTH_MSCHAPV2, PPP_AUTH_EAP_MSCHAPV2);
    rig_start(&r);
    side_events(&r.client);
    for (int i = 1; i <= 3; i++) { /* this server has nothing else, and says so until it is taken */
        struct option o = {.type = 3, .value = view_of("\xc2\x27", 2), .whole = view_of("\x03\x04\xc2\x27", 4)};
        uint8_t nak[16];
        struct writer w = wr_init(nak, sizeof nak);
        assert_int_equal(lcp_protocol.judge(r.client.ppp, &o, &w), i < 3 ? VERDICT_NAK : VERDICT_ACK);
    }
    rig_done(&r);
}

/* ---- two of ours ---- */

static void every_method_logs_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(by_password); i++) {
        struct rig r;
        rig_init(&r, 20 + i);
        methods(&r.server, &by_password[i], 1);
        methods(&r.client, by_password, ARRAY_LEN(by_password));
        r.client.config.answer_prompts = true;
        rig_start(&r);
        rig_run(&r, 5 * USEC_SEC);
        assert_true(rig_is_up(&r));
        assert_int_equal(r.server.question.method, by_password[i]);
        assert_int_equal(r.server.asked, 1);
        assert_null(r.server.ppp->auth.eap); /* an idle link holds nothing of it */
        assert_null(r.client.ppp->auth.eap);
        rig_assert_data_flows(&r);
        rig_done(&r);
    }
}

static void every_method_refuses_a_wrong_password(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(by_password); i++) {
        struct rig r;
        rig_init(&r, 30 + i);
        methods(&r.server, &by_password[i], 1);
        methods(&r.client, by_password, ARRAY_LEN(by_password));
        r.client.config.answer_prompts = true;
        strcpy(r.client.config.password, "guess");
        rig_start(&r);
        rig_run(&r, 60 * USEC_SEC);
        assert_int_equal(r.client.cause, CAUSE_AUTH_REFUSED);
        assert_int_equal(r.server.cause, CAUSE_AUTH_PASSWORD);
        assert_int_equal(r.server.networks + r.client.networks, 0);
        rig_done(&r);
    }
}

static void any_one_frame_may_be_lost(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(by_password); i++)
        for (uint64_t lost = 1; lost <= 24; lost++) {
            struct rig r;
            rig_init(&r, 40 + i);
            methods(&r.server, &by_password[i], 1);
            methods(&r.client, by_password, ARRAY_LEN(by_password));
            r.client.config.answer_prompts = true;
            r.lose_at = lost;
            rig_start(&r);
            rig_run(&r, 30 * USEC_SEC);
            assert_true(rig_is_up(&r));
            rig_done(&r);
        }
}

static void a_rough_wire_does_not_stop_a_login(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rig r;
        rig_init(&r, seed);
        methods(&r.server, &by_password[seed % 3], 1);
        methods(&r.client, by_password, ARRAY_LEN(by_password));
        r.client.config.answer_prompts = true;
        r.server.config.auth_timeout = r.client.config.auth_timeout = 600 * USEC_SEC;
        r.loss_percent = 10;
        r.double_percent = 10;
        rig_start(&r);
        rig_run(&r, 120 * USEC_SEC);
        if (!rig_is_up(&r))
            fail_msg("seed %llu", (unsigned long long)seed);
        rig_done(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(md5_as_client),
        cmocka_unit_test(a_repeated_request_gets_the_same_answer),
        cmocka_unit_test(mschapv2_as_server_by_the_published_values),
        cmocka_unit_test(a_forged_success_ends_the_link),
        cmocka_unit_test(the_servers_network_stands_for_a_lost_success),
        cmocka_unit_test(a_client_naks_to_what_it_can),
        cmocka_unit_test(a_nak_moves_the_server_on),
        cmocka_unit_test(nothing_in_common_fails_at_once),
        cmocka_unit_test(after_a_nak_of_all_of_eap_comes_the_next_protocol),
        cmocka_unit_test(windows_naks_eap_in_lcp),
        cmocka_unit_test(a_client_for_mschapv2_naks_eap_in_lcp),
        cmocka_unit_test(a_server_that_insists_on_eap_gets_it),
        cmocka_unit_test(every_method_logs_in),
        cmocka_unit_test(every_method_refuses_a_wrong_password),
        cmocka_unit_test(any_one_frame_may_be_lost),
        cmocka_unit_test(a_rough_wire_does_not_stop_a_login),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
