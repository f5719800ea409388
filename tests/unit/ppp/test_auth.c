/* The login: what the server tells and what it does not, lost and repeated packets, slow judges, and impostors. */
#include "ppp/ppp_internal.h"
#include "rig.h"

/* Brings a server to the point where it waits for a proof; its Challenge (if any) lands in frame. */
static size_t wait_for_proof(struct side *s, enum ppp_auth method, uint64_t seed, uint8_t frame[static PPP_FRAME_MAX])
{
    side_init(s, true, seed);
    s->mute = true;
    s->config.auth[0] = method;
    s->config.auth[1] = PPP_AUTH_NONE;
    side_start(s);
    say(s, "ff03c021 0101 000a 050600112233");
    size_t n = hear(s, frame);
    expect(s, "ff03c021 0201 000a 050600112233");
    acknowledge(s, frame, n);
    return method == PPP_AUTH_PAP ? 0 : expect_start(s, "ff03c223 01", frame);
}

/* --> MS-CHAPv2 Response as user, computed with password. */
static void respond(struct side *s, const uint8_t *challenge_frame, const char *user, const char *password)
{
    uint8_t frame[PPP_FRAME_MAX], hash[16], peer[16] = "peer challenge!", response[24];
    struct writer w = wr_init(frame, sizeof frame);
    mschap_nt_hash(view_str(password), hash);
    mschapv2_nt_response(hash, challenge_frame + 9, peer, view_str(user), response);
    wr_u32(&w, 0xff03c223);
    wr_u8(&w, 2);
    wr_u8(&w, challenge_frame[5]);
    wr_u16(&w, (uint16_t)(4 + 50 + strlen(user)));
    wr_u8(&w, 49);
    wr_bytes(&w, peer, 16);
    wr_zero(&w, 8);
    wr_bytes(&w, response, 24);
    wr_u8(&w, 0);
    wr_view(&w, view_str(user));
    side_take(s, wr_written(&w));
}

static size_t refusal(const char *user, const char *password, enum cause cause, uint8_t out[static PPP_FRAME_MAX])
{
    struct side s;
    wait_for_proof(&s, PPP_AUTH_MSCHAPV2, 77, out);
    respond(&s, out, user, password);
    assert_int_equal(s.asked, 1);
    struct ppp_auth_answer a = {.cause = cause};
    ppp_auth_done(s.ppp, s.now, &a);
    size_t n = hear(&s, out);
    side_advance(&s, 20 * USEC_SEC);
    assert_int_equal(s.cause, cause); /* we know; the peer does not */
    ppp_free(s.ppp);
    return n;
}

static void an_unknown_user_and_a_wrong_password_look_the_same(void **state)
{
    (void)state;
    uint8_t a[PPP_FRAME_MAX], b[PPP_FRAME_MAX];
    size_t n = refusal("mallory", "secret1", CAUSE_AUTH_NO_USER, a);
    assert_int_equal(refusal("alice", "wrong", CAUSE_AUTH_PASSWORD, b), n);
    assert_memory_equal(a, b, n);
    assert_memory_equal(a + 8, "E=691 R=0 C=", 12);
    assert_int_equal(a[4], 4); /* Failure */
}

/* Whatever the server sends after this verdict, to a client that says nothing more. */
static size_t wire_after(enum ppp_auth method, enum cause cause, uint8_t *out, size_t cap)
{
    struct side server, client;
    uint8_t frame[PPP_FRAME_MAX];
    struct writer w = wr_init(out, cap);
    size_t n;
    side_init(&server, true, 41);
    side_init(&client, false, 42);
    server.mute = true;
    server.wording = "Grid 47";
    server.config.asks = client.config.answer_prompts = true;
    server.config.auth[0] = client.config.auth[0] = method;
    server.config.auth[1] = client.config.auth[1] = PPP_AUTH_NONE;
    side_start(&server);
    side_start(&client);
    while (server.asked == 0 && server.now < 30 * USEC_SEC) {
        while ((n = hear(&server, frame)) > 0)
            side_take(&client, view_of(frame, n));
        while ((n = hear(&client, frame)) > 0)
            side_take(&server, view_of(frame, n));
        side_advance(&server, server.now + 100 * USEC_MSEC);
        side_advance(&client, server.now);
    }
    assert_int_equal(server.asked, 1);
    const struct ppp_auth_answer a = {.cause = cause, .again = true};
    ppp_auth_done(server.ppp, server.now, &a);
    side_events(&server);
    for (const usec_t end = server.now + 300 * USEC_SEC; server.now < end && server.downs == 0;) {
        wr_u32(&w, (uint32_t)(server.now / USEC_MSEC)); /* and when */
        while ((n = hear(&server, frame)) > 0)
            wr_bytes(&w, frame, n);
        side_advance(&server, server.now + 100 * USEC_MSEC);
    }
    ppp_free(server.ppp);
    ppp_free(client.ppp);
    assert_true(w.n > 4 && wr_ok(&w));
    return w.n;
}

static void why_a_login_was_refused_is_in_no_byte_by_any_method(void **state)
{
    (void)state;
    static const enum ppp_auth methods[] = {PPP_AUTH_PAP,     PPP_AUTH_CHAP_MD5, PPP_AUTH_MSCHAPV2,
                                            PPP_AUTH_EAP_GTC, PPP_AUTH_EAP_MD5,  PPP_AUTH_EAP_MSCHAPV2};
    static const enum cause causes[] = {CAUSE_AUTH_PASSWORD, CAUSE_AUTH_WAIT,     CAUSE_AUTH_CODE,
                                        CAUSE_AUTH_LOCKED,   CAUSE_GRID_NONE,     CAUSE_GRID_EXPIRED,
                                        CAUSE_GRID_WRONG,    CAUSE_AUTH_DISABLED, CAUSE_GRID_NOT_ENROLLED};
    static uint8_t want[1 << 17], got[1 << 17];
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        const size_t n = wire_after(methods[m], CAUSE_AUTH_NO_USER, want, sizeof want);
        for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
            assert_int_equal(wire_after(methods[m], causes[i], got, sizeof got), n);
            assert_memory_equal(got, want, n);
        }
    }
}

static void who_is_right_but_gets_no_address_is_told_so(void **state)
{
    (void)state;
    uint8_t a[PPP_FRAME_MAX];
    refusal("alice", "secret1", CAUSE_POOL_EMPTY, a);
    assert_memory_equal(a + 8, "E=720 R=0 C=", 12);
}

static void what_a_server_says_about_a_refusal_is_understood(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum cause cause;
    } cases[] = {
        {"E=691 R=0 C=00 V=3 M=Login failed", CAUSE_AUTH_REFUSED},
        {"E=647 R=0 M=Account disabled", CAUSE_AUTH_DISABLED},
        {"E=648 R=0 C=00 V=3", CAUSE_AUTH_EXPIRED},
        {"E=720", CAUSE_POOL_EMPTY},
        {"E=", CAUSE_AUTH_REFUSED},
        {"E=99999999999", CAUSE_AUTH_REFUSED},
        {"no", CAUSE_AUTH_REFUSED},
        {"", CAUSE_AUTH_REFUSED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(mschapv2_failure_cause(view_str(cases[i].text)), cases[i].cause);
}

static void a_refused_peer_reads_why_before_the_line_is_cut(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 3);
    strcpy(r.client.config.password, "wrong");
    rig_start(&r);
    rig_run(&r, 20 * USEC_SEC);
    assert_int_equal(r.server.cause, CAUSE_AUTH_PASSWORD);
    assert_int_equal(r.client.cause, CAUSE_AUTH_REFUSED);
    assert_int_equal(r.server.downs + r.client.downs, 2);
    assert_int_equal(r.server.networks + r.client.networks, 0);
    assert_string_equal(r.server.down_detail, "alice");
    rig_done(&r);
}

static void a_refusal_is_repeated_and_then_the_line_is_cut(void **state)
{
    (void)state;
    struct side s;
    uint8_t challenge[PPP_FRAME_MAX], first[PPP_FRAME_MAX], second[PPP_FRAME_MAX];
    wait_for_proof(&s, PPP_AUTH_MSCHAPV2, 5, challenge);
    respond(&s, challenge, "alice", "wrong");
    struct ppp_auth_answer no = {.cause = CAUSE_AUTH_PASSWORD};
    ppp_auth_done(s.ppp, s.now, &no);
    size_t n = hear(&s, first);
    expect_silence(&s); /* no Terminate-Request yet */
    side_advance(&s, USEC_SEC / 2);
    respond(&s, challenge, "alice", "wrong");
    assert_int_equal(hear(&s, second), n);
    assert_memory_equal(first, second, n);
    assert_int_equal(s.asked, 1);
    side_advance(&s, USEC_SEC + USEC_SEC / 2);
    expect_start(&s, "ff03c021 05", second);
    ppp_free(s.ppp);
}

static void negotiating_anew_buys_no_second_guess(void **state)
{
    (void)state;
    struct side s;
    uint8_t challenge[PPP_FRAME_MAX], frame[PPP_FRAME_MAX];
    wait_for_proof(&s, PPP_AUTH_MSCHAPV2, 5, challenge);
    respond(&s, challenge, "alice", "wrong");
    struct ppp_auth_answer no = {.cause = CAUSE_AUTH_PASSWORD};
    ppp_auth_done(s.ppp, s.now, &no);
    hear(&s, frame);
    say(&s, "ff03c021 0102 000a 050600112244");
    size_t n = hear(&s, frame); /* our new request */
    expect(&s, "ff03c021 0202 000a 050600112244");
    acknowledge(&s, frame, n);
    expect_silence(&s); /* no Challenge */
    respond(&s, challenge, "alice", PASSWORD);
    assert_int_equal(s.asked, 1);
    side_advance(&s, 20 * USEC_SEC);
    assert_int_equal(s.cause, CAUSE_AUTH_PASSWORD);
    ppp_free(s.ppp);
}

static void a_lost_success_is_given_again(void **state)
{
    (void)state;
    struct side s;
    uint8_t challenge[PPP_FRAME_MAX], success[PPP_FRAME_MAX], again[PPP_FRAME_MAX], request[PPP_FRAME_MAX];
    wait_for_proof(&s, PPP_AUTH_MSCHAPV2, 6, challenge);
    respond(&s, challenge, "alice", PASSWORD);
    respond(&s, challenge, "alice", PASSWORD); /* while the judge thinks: nothing */
    expect_silence(&s);
    assert_int_equal(s.asked, 1);
    struct ppp_auth_answer yes = {.accepted = true, .network = assigned_network()};
    memset(yes.authenticator_response, 0xa5, sizeof yes.authenticator_response);
    ppp_auth_done(s.ppp, s.now, &yes);
    size_t n = expect_start(&s, "ff03c223 03", success);
    assert_memory_equal(success + 8, "S=A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5 M=", 45);
    expect_start(&s, "ff038021 01", request);
    /* --> the Response again: <-- the same Success, nothing else happens */
    respond(&s, challenge, "alice", PASSWORD);
    assert_int_equal(hear(&s, again), n);
    assert_memory_equal(success, again, n);
    expect_silence(&s);
    assert_int_equal(s.asked, 1);
    ppp_free(s.ppp);
}

static void an_answer_to_an_old_question_does_not_count(void **state)
{
    (void)state;
    struct side s;
    uint8_t challenge[PPP_FRAME_MAX], frame[PPP_FRAME_MAX];
    wait_for_proof(&s, PPP_AUTH_MSCHAPV2, 7, challenge);
    respond(&s, challenge, "alice", PASSWORD); /* a good proof; the judge is slow */
    assert_int_equal(s.asked, 1);
    /* --> LCP anew, and a bad proof */
    say(&s, "ff03c021 0102 000a 050600112244");
    size_t n = hear(&s, frame);
    expect(&s, "ff03c021 0202 000a 050600112244");
    acknowledge(&s, frame, n);
    expect_start(&s, "ff03c223 01", challenge);
    respond(&s, challenge, "root", "guess");
    assert_int_equal(s.asked, 1); /* one question at a time */
    struct ppp_auth_answer yes = {.accepted = true, .network = assigned_network()};
    ppp_auth_done(s.ppp, s.now, &yes); /* alice's yes is not root's */
    side_events(&s);
    expect_silence(&s);
    /* <-- the Challenge again; --> the bad proof again: now it is judged for itself */
    side_advance(&s, s.now + 3 * USEC_SEC);
    expect_start(&s, "ff03c223 01", challenge);
    respond(&s, challenge, "root", "guess");
    assert_int_equal(s.asked, 2);
    assert_string_equal(s.question.user, "root");
    ppp_free(s.ppp);
}

static void a_peer_let_in_cannot_become_somebody_else(void **state)
{
    (void)state;
    struct side s;
    uint8_t challenge[PPP_FRAME_MAX], frame[PPP_FRAME_MAX];
    wait_for_proof(&s, PPP_AUTH_MSCHAPV2, 8, challenge);
    respond(&s, challenge, "alice", PASSWORD);
    struct ppp_auth_answer yes = {.accepted = true, .network = assigned_network()};
    ppp_auth_done(s.ppp, s.now, &yes);
    while (hear(&s, frame))
        continue;
    say(&s, "ff03c021 0102 000a 050600112244");
    size_t n = hear(&s, frame);
    expect(&s, "ff03c021 0202 000a 050600112244");
    acknowledge(&s, frame, n);
    expect_start(&s, "ff03c223 01", challenge);
    respond(&s, challenge, "bob", PASSWORD);
    assert_int_equal(s.asked, 1);
    expect_start(&s, "ff03c223 04", frame);
    side_advance(&s, 20 * USEC_SEC);
    assert_int_equal(s.cause, CAUSE_AUTH_REFUSED);
    ppp_free(s.ppp);
}

static void a_login_has_its_time(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    wait_for_proof(&s, PPP_AUTH_PAP, 9, frame);
    side_advance(&s, 59 * USEC_SEC);
    expect_silence(&s);
    side_advance(&s, 60 * USEC_SEC);
    expect_start(&s, "ff03c021 05", frame);
    side_advance(&s, 70 * USEC_SEC);
    assert_int_equal(s.cause, CAUSE_AUTH_TIMEOUT);
    ppp_free(s.ppp);
}

static void an_unanswered_challenge_is_repeated_unchanged(void **state)
{
    (void)state;
    struct side s;
    uint8_t first[PPP_FRAME_MAX], again[PPP_FRAME_MAX];
    size_t n = wait_for_proof(&s, PPP_AUTH_MSCHAPV2, 10, first);
    for (int i = 1; i <= 10; i++) {
        side_advance(&s, s.now + 3 * USEC_SEC);
        assert_int_equal(hear(&s, again), n);
        assert_memory_equal(first, again, n);
    }
    side_advance(&s, s.now + 3 * USEC_SEC);
    expect_start(&s, "ff03c021 05", again);
    side_advance(&s, s.now + 10 * USEC_SEC);
    assert_int_equal(s.cause, CAUSE_AUTH_TIMEOUT);
    ppp_free(s.ppp);
}

static void the_domain_is_passed_on_but_not_hashed(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 11);
    strcpy(r.client.config.user, "HOME\\alice");
    r.server.mute = true;
    rig_start(&r);
    rig_run(&r, USEC_SEC);
    assert_string_equal(r.server.question.user, "HOME\\alice");
    rig_done(&r);

    struct side s;
    uint8_t challenge[PPP_FRAME_MAX];
    wait_for_proof(&s, PPP_AUTH_MSCHAPV2, 12, challenge);
    respond(&s, challenge, "HOME\\alice", PASSWORD);
    assert_string_equal(ppp_user(s.ppp), "HOME\\alice");
    ppp_free(s.ppp);
}

static void a_name_with_a_nul_or_without_end_is_malformed(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    wait_for_proof(&s, PPP_AUTH_PAP, 13, frame);
    assert_int_equal(say(&s, "c023 0107 000c 03 610062 03 787878"), DROP_PPP_MALFORMED);
    assert_int_equal(say(&s, "c023 0107 000c 09 616161 03 787878"), DROP_PPP_MALFORMED);
    assert_int_equal(s.asked, 0);
    assert_int_equal(say(&s, "c223 0101 0005 00"), DROP_PPP_STATE); /* not what was agreed */
    ppp_free(s.ppp);
}

/* ---- the client ---- */

/* A client that has agreed on a method with a scripted server. */
static void agree(struct side *c, const char *request)
{
    uint8_t frame[PPP_FRAME_MAX], reply[PPP_FRAME_MAX];
    side_init(c, false, 21);
    side_start(c);
    size_t n = expect_start(c, "ff03c021 01", frame);
    say(c, request);
    expect_start(c, "ff03c021 02", reply);
    acknowledge(c, frame, n);
}

static void an_offer_of_eap_is_answered_with_mschapv2(void **state)
{
    (void)state;
    struct side c;
    uint8_t frame[PPP_FRAME_MAX];
    side_init(&c, false, 20);
    side_start(&c);
    hear(&c, frame);
    say(&c, "ff03c021 0101 000e 0304c227 050600112233");
    expect(&c, "ff03c021 0301 0009 0305c22381");
    say(&c, "ff03c021 0102 000f 0305c22381 050600112233");
    expect(&c, "ff03c021 0202 000f 0305c22381 050600112233");
    ppp_free(c.ppp);
}

static void a_server_that_insists_on_eap_is_left(void **state)
{
    (void)state;
    struct side c;
    uint8_t frame[PPP_FRAME_MAX];
    side_init(&c, false, 20);
    side_start(&c);
    for (int i = 0; i < 12; i++)
        say(&c, "ff03c021 0101 000e 0304c227 050600112233");
    while (hear(&c, frame))
        continue;
    side_advance(&c, 20 * USEC_SEC);
    assert_int_equal(c.cause, CAUSE_AUTH_METHOD);
    ppp_free(c.ppp);
}

static void a_server_that_asks_for_no_login_is_not_trusted(void **state)
{
    (void)state;
    struct side c;
    agree(&c, "ff03c021 0101 000a 050600112233");
    side_advance(&c, 20 * USEC_SEC);
    assert_int_equal(c.cause, CAUSE_AUTH_METHOD);
    ppp_free(c.ppp);
}

static const char challenge_hex[] = "c223 0109 0017 10 000102030405060708090a0b0c0d0e0f 6777";

static void an_impostor_without_the_password_is_found_out(void **state)
{
    (void)state;
    static const char *const messages[] = {
        "c223 0309 002e 533d30303030303030303030303030303030303030303030303030303030303030303030303030303030", /* S=000
                                                                                                                */
        "c223 0309 0004",
        "c223 0309 0006 533d",
        "c223 0309 000b 57656c636f6d65",
    };
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        struct side c;
        uint8_t frame[PPP_FRAME_MAX];
        agree(&c, "ff03c021 0101 000f 0305c22381 050600112233");
        say(&c, challenge_hex);
        expect_start(&c, "ff03c223 0209 003b 31", frame);
        assert_memory_equal(frame + 8 + 50, "alice", 5);
        say(&c, messages[i]);
        side_advance(&c, 20 * USEC_SEC);
        assert_int_equal(c.cause, CAUSE_AUTH_REFUSED);
        assert_int_equal(c.networks, 0);
        ppp_free(c.ppp);
    }
}

static void a_failure_691_is_a_refusal(void **state)
{
    (void)state;
    struct side c;
    uint8_t frame[PPP_FRAME_MAX];
    agree(&c, "ff03c021 0101 000f 0305c22381 050600112233");
    say(&c, challenge_hex);
    hear(&c, frame);
    assert_int_equal(say(&c, "c223 0408 0011 453d36393120523d30204d3d6e"), DROP_PPP_ID); /* of another challenge */
    say(&c, "c223 0409 0011 453d36393120523d30204d3d6e");
    expect_start(&c, "ff03c021 05", frame);
    side_advance(&c, 20 * USEC_SEC);
    assert_int_equal(c.cause, CAUSE_AUTH_REFUSED);
    ppp_free(c.ppp);
}

static void a_repeated_challenge_gets_the_same_response(void **state)
{
    (void)state;
    struct side c;
    uint8_t first[PPP_FRAME_MAX], again[PPP_FRAME_MAX];
    agree(&c, "ff03c021 0101 000f 0305c22381 050600112233");
    say(&c, challenge_hex);
    size_t n = hear(&c, first);
    say(&c, challenge_hex);
    assert_int_equal(hear(&c, again), n);
    assert_memory_equal(first, again, n);
    side_advance(&c, 3 * USEC_SEC); /* and so does silence */
    assert_int_equal(hear(&c, again), n);
    assert_memory_equal(first, again, n);
    ppp_free(c.ppp);
}

static void a_challenge_in_mid_session_is_answered(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, 30);
    r.server.config.auth[0] = PPP_AUTH_CHAP_MD5;
    rig_start(&r);
    rig_run(&r, 5 * USEC_SEC);
    uint8_t frame[PPP_FRAME_MAX];
    say(&r.client, "c223 0155 0015 10 000102030405060708090a0b0c0d0e0f");
    expect_start(&r.client, "ff03c223 0255 001a 10", frame);
    say(&r.client, "c223 0355 0004");
    assert_int_equal(r.client.networks, 1);
    rig_assert_data_flows(&r);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_user_and_a_wrong_password_look_the_same),
        cmocka_unit_test(why_a_login_was_refused_is_in_no_byte_by_any_method),
        cmocka_unit_test(who_is_right_but_gets_no_address_is_told_so),
        cmocka_unit_test(what_a_server_says_about_a_refusal_is_understood),
        cmocka_unit_test(a_refused_peer_reads_why_before_the_line_is_cut),
        cmocka_unit_test(a_refusal_is_repeated_and_then_the_line_is_cut),
        cmocka_unit_test(negotiating_anew_buys_no_second_guess),
        cmocka_unit_test(a_lost_success_is_given_again),
        cmocka_unit_test(an_answer_to_an_old_question_does_not_count),
        cmocka_unit_test(a_peer_let_in_cannot_become_somebody_else),
        cmocka_unit_test(a_login_has_its_time),
        cmocka_unit_test(an_unanswered_challenge_is_repeated_unchanged),
        cmocka_unit_test(the_domain_is_passed_on_but_not_hashed),
        cmocka_unit_test(a_name_with_a_nul_or_without_end_is_malformed),
        cmocka_unit_test(an_offer_of_eap_is_answered_with_mschapv2),
        cmocka_unit_test(a_server_that_insists_on_eap_is_left),
        cmocka_unit_test(a_server_that_asks_for_no_login_is_not_trusted),
        cmocka_unit_test(an_impostor_without_the_password_is_found_out),
        cmocka_unit_test(a_failure_691_is_a_refusal),
        cmocka_unit_test(a_repeated_challenge_gets_the_same_response),
        cmocka_unit_test(a_challenge_in_mid_session_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
