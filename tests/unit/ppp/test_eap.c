/* EAP on both sides: packet by packet against a scripted peer, and two of ours against each other. */
#include "certificates.h"
#include "rig.h"

#include "ppp/ppp_internal.h"

static const enum ppp_auth by_password[] = {PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_MD5, PPP_AUTH_EAP_GTC};

static void methods(struct side *s, const enum ppp_auth *list, size_t n)
{
    memset(s->config.auth, 0, sizeof s->config.auth);
    for (size_t i = 0; i < n; i++)
        s->config.auth[i] = list[i];
}
#define METHODS(side, ...)                                                                                             \
    methods(side, (const enum ppp_auth[]){__VA_ARGS__},                                                                \
            sizeof((const enum ppp_auth[]){__VA_ARGS__}) / sizeof(enum ppp_auth))

/* ---- a scripted peer ---- */

/* Our server, with LCP agreed on EAP. */
static void server_begin(struct side *s, uint64_t seed, const enum ppp_auth *list, size_t n)
{
    uint8_t frame[PPP_FRAME_MAX];
    side_init(s, true, seed);
    methods(s, list, n);
    side_start(s);
    say(s, "ff03c021 01 01 000a 0506 11223344");
    const size_t request = expect_start(s, "ff03c021 01", frame);
    expect(s, "ff03c021 02 01 000a 0506 11223344");
    acknowledge(s, frame, request);
}
#define SERVER(s, seed, ...)                                                                                           \
    server_begin(s, seed, (const enum ppp_auth[]){__VA_ARGS__},                                                        \
                 sizeof((const enum ppp_auth[]){__VA_ARGS__}) / sizeof(enum ppp_auth))

/* Our client, with LCP agreed on EAP. */
static void client_begin(struct side *s, uint64_t seed, const enum ppp_auth *list, size_t n)
{
    uint8_t frame[PPP_FRAME_MAX];
    side_init(s, false, seed);
    methods(s, list, n);
    side_start(s);
    acknowledge(s, frame, expect_start(s, "ff03c021 01", frame));
    say(s, "ff03c021 01 01 0008 0304 c227"); /* --> Configure-Request: EAP */
    expect(s, "ff03c021 02 01 0008 0304 c227");
}
#define CLIENT(s, seed, ...)                                                                                           \
    client_begin(s, seed, (const enum ppp_auth[]){__VA_ARGS__},                                                        \
                 sizeof((const enum ppp_auth[]){__VA_ARGS__}) / sizeof(enum ppp_auth))

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

/* ---- GTC whose question comes from the server's caller ---- */

/* As SERVER, for GTC, with the name told. */
static void asking_server(struct side *s, uint64_t seed, const char *wording, bool again)
{
    uint8_t frame[PPP_FRAME_MAX];
    side_init(s, true, seed);
    METHODS(s, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_GTC);
    s->config.asks = true;
    s->wording = wording;
    s->again = again;
    side_start(s);
    say(s, "ff03c021 01 01 000a 0506 11223344");
    const size_t request = expect_start(s, "ff03c021 01", frame);
    expect(s, "ff03c021 02 01 000a 0506 11223344");
    acknowledge(s, frame, request);
    expect(s, "ff03c227 01 01 0005 01");
    say(s, "ff03c227 02 01 000a 01 616c696365");
    expect_start(s, "ff03c227 01 02 001c 1a", frame); /* <-- MS-CHAPv2 as before, for who wants it */
    assert_int_equal(s->wordings, 0);
    say(s, "ff03c227 02 02 0006 03 06"); /* --> Nak: GTC */
    assert_int_equal(s->wordings, 1);
    assert_string_equal(s->worded, "alice");
}

static void what_gtc_asks_is_told_by_the_caller(void **state)
{
    (void)state;
    struct side s;
    asking_server(&s, 60, NULL, false);
    expect_silence(&s);
    say(&s, "ff03c227 02 02 0006 03 06"); /* --> Nak again, before the question is known: nothing to answer yet */
    expect_silence(&s);
    assert_int_equal(s.wordings, 1);
    side_advance(&s, 20 * USEC_SEC);
    expect_silence(&s);
    ppp_ask(s.ppp, s.now, view_str("Row?"));
    side_events(&s);
    expect(&s, "ff03c227 01 03 0009 06 526f773f"); /* <-- GTC: "Row?" */
    assert_string_equal(s.detail[STAGE_PPP_PROMPT], "EAP-GTC, alice");
    ppp_ask(s.ppp, s.now, view_str("Again?")); /* nobody has asked */
    expect_silence(&s);
    side_advance(&s, s.now + 15 * USEC_SEC);
    expect(&s, "ff03c227 01 03 0009 06 526f773f"); /* <-- lost: the same once more, with the same number */
    say(&s, "ff03c227 02 03 000c 06 73656372657431");
    expect(&s, "ff03c227 03 03 0004");
    assert_int_equal(s.question.method, PPP_AUTH_EAP_GTC);
    ppp_free(s.ppp);
}

static void a_wrong_answer_is_asked_for_anew_three_times_in_all(void **state)
{
    (void)state;
    struct side s;
    asking_server(&s, 61, "Row?", true);
    expect(&s, "ff03c227 01 03 0009 06 526f773f");
    say(&s, "ff03c227 02 03 0006 06 31"); /* --> wrong */
    assert_string_equal(s.detail[STAGE_PPP_PROMPT], "EAP-GTC, alice, wrong-password");
    expect(&s, "ff03c227 01 04 0009 06 526f773f");
    say(&s, "ff03c227 02 03 0006 06 31"); /* --> the old answer, late */
    say(&s, "ff03c227 02 04 0006 03 1a"); /* --> Nak: a method that has begun is gone through with */
    expect_silence(&s);
    say(&s, "ff03c227 02 04 0006 06 32"); /* --> wrong */
    expect(&s, "ff03c227 01 05 0009 06 526f773f");
    assert_int_equal(s.cause, CAUSE_NONE);
    say(&s, "ff03c227 02 05 0006 06 33"); /* --> wrong, for the last time */
    expect(&s, "ff03c227 04 05 0004");    /* <-- Failure */
    assert_int_equal(s.asked, 3);
    assert_int_equal(s.wordings, 3);
    assert_int_equal(ppp_cause(s.ppp), CAUSE_AUTH_PASSWORD);
    ppp_free(s.ppp);
}

/* A client that only says what it has saved hangs up when it is asked again. */
static void who_hangs_up_after_a_wrong_answer_failed_by_it(void **state)
{
    (void)state;
    struct side s;
    asking_server(&s, 67, "Row?", true);
    expect(&s, "ff03c227 01 03 0009 06 526f773f");
    say(&s, "ff03c227 02 03 0006 06 31");
    expect(&s, "ff03c227 01 04 0009 06 526f773f");
    say(&s, "ff03c021 05 09 0004"); /* --> Terminate-Request */
    expect(&s, "ff03c021 06 09 0004");
    assert_int_equal(ppp_cause(s.ppp), CAUSE_AUTH_PASSWORD);
    ppp_free(s.ppp);
}

static void a_saved_password_is_said_once(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    side_init(&s, false, 68);
    METHODS(&s, PPP_AUTH_EAP_GTC);
    s.config.answer_prompts = true;
    side_start(&s);
    acknowledge(&s, frame, expect_start(&s, "ff03c021 01", frame));
    say(&s, "ff03c021 01 01 0008 0304 c227");
    expect(&s, "ff03c021 02 01 0008 0304 c227");
    say(&s, "ff03c227 01 01 0006 06 3f");
    expect(&s, "ff03c227 02 01 000c 06 73656372657431");
    say(&s, "ff03c227 01 02 0006 06 3f");   /* --> asked again: it was wrong */
    expect_start(&s, "ff03c021 05", frame); /* <-- Terminate-Request */
    assert_int_equal(ppp_cause(s.ppp), CAUSE_AUTH_REFUSED);
    ppp_free(s.ppp);
}

static void a_right_answer_after_a_wrong_one_opens(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    asking_server(&s, 62, "Row?", true);
    expect(&s, "ff03c227 01 03 0009 06 526f773f");
    say(&s, "ff03c227 02 03 0006 06 31");
    expect(&s, "ff03c227 01 04 0009 06 526f773f");
    say(&s, "ff03c227 02 04 000c 06 73656372657431");
    expect(&s, "ff03c227 03 04 0004");
    expect_start(&s, "ff03 8021 01", frame);
    assert_int_equal(ppp_cause(s.ppp), CAUSE_NONE);
    ppp_free(s.ppp);
}

/* Negotiating LCP anew gives no further guesses: the count is the link's. */
static void guesses_are_counted_beyond_lcp(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    asking_server(&s, 63, "Row?", true);
    expect(&s, "ff03c227 01 03 0009 06 526f773f");
    say(&s, "ff03c227 02 03 0006 06 31");
    expect(&s, "ff03c227 01 04 0009 06 526f773f");
    say(&s, "ff03c227 02 04 0006 06 32");
    expect(&s, "ff03c227 01 05 0009 06 526f773f");
    say(&s, "ff03c021 01 02 000a 0506 55667788"); /* --> Configure-Request: from the start */
    acknowledge(&s, frame, expect_start(&s, "ff03c021 01", frame));
    expect(&s, "ff03c021 02 02 000a 0506 55667788");
    expect(&s, "ff03c227 01 06 0005 01");
    say(&s, "ff03c227 02 06 000a 01 616c696365");
    expect_start(&s, "ff03c227 01 07 001c 1a", frame);
    say(&s, "ff03c227 02 07 0006 03 06");
    expect(&s, "ff03c227 01 08 0009 06 526f773f");
    say(&s, "ff03c227 02 08 0006 06 33"); /* --> wrong, for the third time */
    expect(&s, "ff03c227 04 08 0004");
    ppp_free(s.ppp);
}

/* What is told late is for the user who was asked about then: the next one is asked about anew. */
static void a_late_wording_is_not_shown_to_another(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    asking_server(&s, 64, NULL, true);
    say(&s, "ff03c021 01 02 000a 0506 55667788");
    acknowledge(&s, frame, expect_start(&s, "ff03c021 01", frame));
    expect(&s, "ff03c021 02 02 000a 0506 55667788");
    expect(&s, "ff03c227 01 03 0005 01");
    say(&s, "ff03c227 02 03 0008 01 626f62"); /* --> bob */
    expect_start(&s, "ff03c227 01 04 001c 1a", frame);
    say(&s, "ff03c227 02 04 0006 03 06");
    assert_int_equal(s.wordings, 1); /* the answer about alice is still owed */
    ppp_ask(s.ppp, s.now, view_str("For alice?"));
    side_events(&s);
    expect_silence(&s);
    assert_int_equal(s.wordings, 2);
    assert_string_equal(s.worded, "bob");
    ppp_ask(s.ppp, s.now, view_str("Row?"));
    side_events(&s);
    expect(&s, "ff03c227 01 05 0009 06 526f773f");
    ppp_free(s.ppp);
}

static void a_text_that_the_peer_cannot_take_is_asked_plainly(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    char text[PPP_PROMPT_MAX + 1];
    for (int i = 0; i < 3; i++) {
        static const char *const request[] = {"ff03c021 01 01 0008 0104 0080", "ff03c021 01 01 0008 0104 0200",
                                              "ff03c021 01 01 0008 0104 0200"};
        static const char *const reply[] = {"ff03c021 02 01 0008 0104 0080", "ff03c021 02 01 0008 0104 0200",
                                            "ff03c021 02 01 0008 0104 0200"};
        const size_t n[] = {124, 507, 512};
        memset(text, 'x', sizeof text);
        side_init(&s, true, 65);
        METHODS(&s, PPP_AUTH_EAP_GTC);
        s.config.asks = true;
        side_start(&s);
        say(&s, request[i]); /* --> an MRU of 128, or 512 */
        const size_t ours = expect_start(&s, "ff03c021 01", frame);
        expect(&s, reply[i]);
        acknowledge(&s, frame, ours);
        expect(&s, "ff03c227 01 01 0005 01");
        say(&s, "ff03c227 02 01 000a 01 616c696365");
        ppp_ask(s.ppp, s.now, view_of(text, n[i]));
        side_events(&s);
        if (i == 1)
            expect_start(&s, "ff03c227 01 02 0200 06 787878", frame);
        else
            expect(&s, "ff03c227 01 02 000f 06 50617373776f72643a20");
        ppp_free(s.ppp);
    }
}

static void the_client_is_told_how_often_it_was_asked(void **state)
{
    (void)state;
    struct side s;
    CLIENT(&s, 66, PPP_AUTH_EAP_GTC);
    say(&s, "ff03c227 01 01 0006 06 3f"); /* --> "?" */
    assert_int_equal(s.round, 1);
    side_advance(&s, 170 * USEC_SEC);
    ppp_answer(s.ppp, s.now, view_str("1"));
    expect(&s, "ff03c227 02 01 0006 06 31");
    say(&s, "ff03c227 01 02 0006 06 3f"); /* --> again: with time to read anew */
    assert_int_equal(s.round, 2);
    assert_int_equal(s.prompts, 2);
    side_advance(&s, s.now + 170 * USEC_SEC);
    ppp_answer(s.ppp, s.now, view_str("2"));
    expect(&s, "ff03c227 02 02 0006 06 32");
    say(&s, "ff03c227 03 02 0004");
    assert_int_equal(s.stage, STAGE_PPP_AUTH);
    ppp_free(s.ppp);
}

static void a_prompt_is_shown_and_its_answer_sent(void **state)
{
    (void)state;
    struct side s;
    CLIENT(&s, 13, PPP_AUTH_EAP_GTC);
    say(&s, "ff03c227 01 01 0010 06 526f77207765 0a 1b 20433f"); /* --> "Row we\n<ESC> C?" */
    expect_silence(&s);
    assert_int_equal(s.prompts, 1);
    assert_string_equal(s.prompt, "Row we\n? C?");
    say(&s, "ff03c227 01 01 0010 06 526f77207765 0a 1b 20433f"); /* --> again: somebody is still typing */
    expect_silence(&s);
    assert_int_equal(s.prompts, 1);
    side_advance(&s, 100 * USEC_SEC); /* beyond the time of other logins */
    assert_int_equal(s.downs, 0);
    ppp_answer(s.ppp, s.now, view_str("1234"));
    expect(&s, "ff03c227 02 01 0009 06 31323334");
    ppp_answer(s.ppp, s.now, view_str("5678")); /* too late */
    expect_silence(&s);
    say(&s, "ff03c227 01 01 0010 06 526f77207765 0a 1b 20433f");
    expect(&s, "ff03c227 02 01 0009 06 31323334");
    say(&s, "ff03c227 03 01 0004");
    assert_int_equal(s.stage, STAGE_PPP_AUTH);
    ppp_free(s.ppp);
}

static void a_prompt_without_an_answer_ends(void **state)
{
    (void)state;
    struct side s;
    CLIENT(&s, 14, PPP_AUTH_EAP_GTC);
    say(&s, "ff03c227 01 01 0006 06 3f");
    side_advance(&s, 300 * USEC_SEC);
    assert_int_equal(s.downs, 1);
    assert_int_equal(s.cause, CAUSE_PROMPT_UNANSWERED);
    ppp_free(s.ppp);
}

static void a_request_without_an_answer_is_repeated_and_given_up(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    SERVER(&s, 15, PPP_AUTH_EAP_MD5);
    expect(&s, "ff03c227 01 01 0005 01");
    side_advance(&s, 3 * USEC_SEC);
    expect(&s, "ff03c227 01 01 0005 01");
    say(&s, "ff03c227 02 01 000a 01 616c696365");
    size_t n = expect_start(&s, "ff03c227 01 02 0018 04", frame);
    side_advance(&s, 6 * USEC_SEC);
    uint8_t again[PPP_FRAME_MAX];
    assert_int_equal(hear(&s, again), n);
    assert_memory_equal(again, frame, n);
    side_advance(&s, 120 * USEC_SEC);
    assert_int_equal(s.downs, 1);
    assert_int_equal(s.cause, CAUSE_AUTH_TIMEOUT);
    ppp_free(s.ppp);
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

/* ---- EAP-TLS ---- */

struct pki {
    struct identity authority, stranger, server, user;
};

static struct pki pki_new(void)
{
    struct pki p = {.authority = identity_new("Test CA", NULL, NULL, 30),
                    .stranger = identity_new("Another CA", NULL, NULL, 30)};
    p.server = identity_new("vpn.example.org", &p.authority, "serverAuth", 30);
    p.user = identity_new(USER, &p.authority, "clientAuth", 30);
    return p;
}

static void pki_done(struct pki *p)
{
    identity_done(&p->authority);
    identity_done(&p->stranger);
    identity_done(&p->server);
    identity_done(&p->user);
}

/* Runs a login with these two and says why it failed, as each side sees it. */
static void tls_login(struct rig *r, uint64_t seed, struct ppp_tls *server, struct ppp_tls *client, uint64_t lost)
{
    rig_init(r, seed);
    METHODS(&r->server, PPP_AUTH_EAP_TLS);
    METHODS(&r->client, PPP_AUTH_EAP_TLS);
    r->server.config.tls = server;
    r->client.config.tls = client;
    r->lose_at = lost;
    rig_start(r);
    rig_run(r, 60 * USEC_SEC);
}

static void certificates_log_in(void **state)
{
    (void)state;
    struct pki p = pki_new();
    struct ppp_tls *server = tls_side(&p.server, &p.authority, true, NULL);
    struct ppp_tls *client = tls_side(&p.user, &p.authority, false, "vpn.example.org");
    for (uint64_t lost = 0; lost <= 30; lost++) {
        struct rig r;
        tls_login(&r, 50, server, client, lost);
        assert_true(rig_is_up(&r));
        assert_int_equal(r.server.asked, 1);
        assert_string_equal(r.server.question.user, USER);
        assert_int_equal(r.server.question.method, PPP_AUTH_EAP_TLS);
        if (lost == 0)
            print_message("EAP-TLS: %llu frames in all\n", (unsigned long long)r.sent);
        rig_done(&r);
    }
    ppp_tls_free(server);
    ppp_tls_free(client);
    pki_done(&p);
}

static void a_server_is_called_by_its_address_too(void **state)
{
    (void)state;
    struct pki p = pki_new();
    struct identity addressed = identity_new("192.0.2.1", &p.authority, "serverAuth", 30);
    struct ppp_tls *server = tls_side(&addressed, &p.authority, true, NULL);
    static const char *const names[] = {"192.0.2.1", "192.0.2.2"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct rig r;
        struct ppp_tls *client = tls_side(&p.user, &p.authority, false, names[i]);
        tls_login(&r, 80 + i, server, client, 0);
        assert_int_equal(rig_is_up(&r), i == 0);
        assert_int_equal(r.client.cause, i == 0 ? CAUSE_NONE : CAUSE_AUTH_SERVER_CERTIFICATE);
        rig_done(&r);
        ppp_tls_free(client);
    }
    ppp_tls_free(server);
    identity_done(&addressed);
    pki_done(&p);
}

static void a_user_without_a_good_certificate_is_refused(void **state)
{
    (void)state;
    struct pki p = pki_new();
    struct identity wrong[] = {
        identity_new("mallory", &p.authority, "clientAuth", 30), /* another user's */
        identity_new(USER, &p.stranger, "clientAuth", 30),       /* of an authority that is not ours */
        identity_new(USER, &p.authority, "clientAuth", -1),      /* past its time */
        identity_new(USER, &p.authority, "serverAuth", 30),      /* made for something else */
    };
    struct ppp_tls *server = tls_side(&p.server, &p.authority, true, NULL);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct ppp_tls *client = tls_side(&wrong[i], &p.authority, false, NULL);
        struct rig r;
        tls_login(&r, 60 + i, server, client, 0);
        assert_int_equal(r.server.networks + r.client.networks + r.server.asked, 0);
        assert_int_equal(r.server.cause, CAUSE_AUTH_CERTIFICATE);
        assert_int_equal(r.client.downs, 1);
        rig_done(&r);
        ppp_tls_free(client);
        identity_done(&wrong[i]);
    }
    ppp_tls_free(server);
    pki_done(&p);
}

static void a_server_without_a_good_certificate_gets_nothing(void **state)
{
    (void)state;
    struct pki p = pki_new();
    struct identity foreign = identity_new("vpn.example.org", &p.stranger, "serverAuth", 30);
    struct ppp_tls *servers[] = {tls_side(&foreign, &p.authority, true, NULL),
                                 tls_side(&p.server, &p.authority, true, NULL)};
    struct ppp_tls *client = tls_side(&p.user, &p.authority, false, "other.example.org");
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        struct rig r;
        tls_login(&r, 70 + i, servers[i], client, 0);
        assert_int_equal(r.client.cause, CAUSE_AUTH_SERVER_CERTIFICATE);
        assert_int_equal(r.server.networks + r.client.networks + r.server.asked, 0);
        rig_done(&r);
        ppp_tls_free(servers[i]);
    }
    ppp_tls_free(client);
    identity_done(&foreign);
    pki_done(&p);
}

static void certificates_come_as_pkcs12_too(void **state)
{
    (void)state;
    struct pki p = pki_new();
    uint8_t file[PEM_MAX];
    char why[PPP_TLS_WHY_MAX] = "";
    struct ppp_tls_options o = {.certificate = view_of(file, identity_pkcs12(&p.user, &p.authority, "open", file)),
                                .password = "open"};
    struct ppp_tls *server = tls_side(&p.server, &p.authority, true, NULL), *client = ppp_tls_new(&o, why);
    assert_non_null(client);
    struct rig r;
    tls_login(&r, 80, server, client, 0);
    assert_true(rig_is_up(&r));
    rig_done(&r);
    o.password = "wrong";
    assert_null(ppp_tls_new(&o, why));
    assert_true(why[0] != '\0');
    o.certificate = view_str("-----BEGIN nonsense");
    assert_null(ppp_tls_new(&o, why));
    ppp_tls_free(server);
    ppp_tls_free(client);
    pki_done(&p);
}

static void a_revoked_certificate_is_refused(void **state)
{
    (void)state;
    struct pki p = pki_new();
    struct identity revoked = identity_new(USER, &p.authority, "clientAuth", 30);
    for (int pem = 0; pem < 2; pem++) {
        uint8_t own[PEM_MAX], key[PEM_MAX], trusted[2 * PEM_MAX], list[PEM_MAX];
        char why[PPP_TLS_WHY_MAX] = "";
        size_t n = identity_pem(&p.authority, false, trusted);
        n += identity_pem(&p.stranger, false, trusted + n); /* which has no list, and no say in this */
        const struct view crl = view_of(list, identity_revoke(&revoked, &p.authority, pem, list));
        const struct ppp_tls_options o = {.server = true,
                                          .certificate = view_of(own, identity_pem(&p.server, false, own)),
                                          .key = view_of(key, identity_pem(&p.server, true, key)),
                                          .authorities = view_of(trusted, n),
                                          .revoked = &crl,
                                          .revoked_count = 1};
        struct ppp_tls *server = ppp_tls_new(&o, why);
        assert_non_null(server);
        const struct identity *who[] = {&p.user, &revoked};
        for (size_t i = 0; i < 2; i++) {
            struct ppp_tls *client = tls_side(who[i], &p.authority, false, NULL);
            struct rig r;
            tls_login(&r, 90 + i, server, client, 0);
            assert_int_equal(rig_is_up(&r), i == 0);
            assert_int_equal(r.server.cause, i == 0 ? CAUSE_NONE : CAUSE_AUTH_CERTIFICATE);
            rig_done(&r);
            ppp_tls_free(client);
        }
        ppp_tls_free(server);
    }
    identity_done(&revoked);
    pki_done(&p);
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
        cmocka_unit_test(what_gtc_asks_is_told_by_the_caller),
        cmocka_unit_test(a_wrong_answer_is_asked_for_anew_three_times_in_all),
        cmocka_unit_test(who_hangs_up_after_a_wrong_answer_failed_by_it),
        cmocka_unit_test(a_saved_password_is_said_once),
        cmocka_unit_test(a_right_answer_after_a_wrong_one_opens),
        cmocka_unit_test(guesses_are_counted_beyond_lcp),
        cmocka_unit_test(a_late_wording_is_not_shown_to_another),
        cmocka_unit_test(a_text_that_the_peer_cannot_take_is_asked_plainly),
        cmocka_unit_test(the_client_is_told_how_often_it_was_asked),
        cmocka_unit_test(a_prompt_is_shown_and_its_answer_sent),
        cmocka_unit_test(a_prompt_without_an_answer_ends),
        cmocka_unit_test(a_request_without_an_answer_is_repeated_and_given_up),
        cmocka_unit_test(every_method_logs_in),
        cmocka_unit_test(every_method_refuses_a_wrong_password),
        cmocka_unit_test(any_one_frame_may_be_lost),
        cmocka_unit_test(a_rough_wire_does_not_stop_a_login),
        cmocka_unit_test(certificates_log_in),
        cmocka_unit_test(a_server_is_called_by_its_address_too),
        cmocka_unit_test(a_user_without_a_good_certificate_is_refused),
        cmocka_unit_test(a_server_without_a_good_certificate_gets_nothing),
        cmocka_unit_test(certificates_come_as_pkcs12_too),
        cmocka_unit_test(a_revoked_certificate_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
