/* Main mode with signatures: both roles, good and refused, late answers, repeated and lost messages. Signatures are
 * made and judged by the world (see struct side). */
#include "ike/ike_internal.h"

#include "world.h"

static void both_sides_prove_themselves(void **state)
{
    (void)state;
    struct world *w = world_new(200);
    w->side[1].subject = "CN=alice";
    world_connect_signed(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    const struct ike_event *gateway = &world_event(w, 1, IKE_EVENT_UP, 0)->event;
    const struct ike_event *client = &world_event(w, 0, IKE_EVENT_UP, 0)->event;
    assert_int_equal(gateway->auth, IKE_AUTH_RSA);
    assert_string_equal(gateway->psk, "gateway");
    assert_string_equal(gateway->identity, "CN=alice"); /* the judge's word */
    assert_int_equal(client->auth, IKE_AUTH_RSA);
    assert_string_equal(client->psk, "client");
    assert_string_equal(client->identity, "vpn.example.com"); /* the ID payload's */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(w->side[i].signs, 1);
        assert_int_equal(w->side[i].judges, 1);
    }
    world_free(w);
}

static void it_goes_on_behind_a_nat(void **state)
{
    (void)state;
    struct world *w = world_new(201);
    w->nat = true;
    world_connect_signed(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    assert_int_equal(world_event(w, 1, IKE_EVENT_UP, 0)->event.path.local.port, IKE_NATT_PORT);
    world_free(w);
}

static void what_is_asked_has_all_that_the_judge_needs(void **state)
{
    (void)state;
    struct world *w = world_new(202);
    w->side[1].hold_proofs = true;
    world_connect_signed(w);
    world_run(w, USEC_SEC);
    assert_int_equal(w->side[1].held_count, 1);
    const struct ike_proof *p = w->side[1].held[0];
    assert_false(p->sign);
    assert_false(p->server);
    assert_int_equal(p->auth, IKE_AUTH_RSA);
    assert_string_equal(p->credential, "gateway"); /* the client asked for its authority */
    assert_int_equal(p->id_type, IKE_ID_DER_ASN1_DN);
    assert_true(view_equal(view_of(p->identity, p->identity_len), world_credential[0].id));
    assert_int_equal(p->certificate_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(view_equal(view_of(p->chain + p->certificate_at[i], p->certificate_len[i]),
                               world_credential[0].certificates[i]));
    assert_int_equal(p->hash_len, hash_size(HASH_SHA256));
    /* nothing has come of it yet */
    assert_int_equal(world_count(w, 1, IKE_EVENT_UP), 0);
    assert_int_equal(w->side[1].sent, 2);
    world_answer(w, 1);
    /* now our own */
    assert_int_equal(w->side[1].held_count, 1);
    assert_true(w->side[1].held[0]->sign);
    assert_string_equal(w->side[1].held[0]->credential, "gateway");
    assert_int_equal(w->side[1].sent, 2);
    world_answer(w, 1);
    world_run(w, USEC_SEC);
    world_assert_connected(w);
    world_free(w);
}

/* --- MM5 -->          judged
 * --- MM5 -->          dropped
 *     the answer, late
 * <-- MM6 ---
 * --- MM5 -->          an old one
 * <-- MM6 ---          from memory */
static void a_repeated_message_waits_for_the_same_answer(void **state)
{
    (void)state;
    struct world *w = world_new(203);
    w->side[1].hold_proofs = true;
    world_connect_signed(w);
    world_run(w, 12 * USEC_SEC);
    assert_true(w->side[0].sent >= 5); /* MM5 three times at least */
    assert_int_equal(w->side[1].judges, 1);
    assert_int_equal(w->side[1].sent, 2);
    assert_true(world_verdicts(w, 1, DROP_IKE_REPEATED) >= 2);
    w->lose[1] = 1 << 2; /* the first MM6 */
    world_answer(w, 1);
    world_answer(w, 1);
    world_run(w, 12 * USEC_SEC);
    world_assert_connected(w);
    assert_int_equal(w->side[1].judges, 1);
    assert_int_equal(w->side[1].signs, 1);
    world_free(w);
}

static void a_repeated_answer_is_judged_once(void **state)
{
    (void)state;
    struct world *w = world_new(204);
    w->repeat = true;
    w->side[0].hold_proofs = true;
    world_connect_signed(w);
    world_run(w, USEC_SEC);
    world_answer(w, 0); /* the signature for MM5 */
    world_run(w, USEC_SEC);
    assert_int_equal(w->side[0].held_count, 1);
    assert_int_equal(w->side[0].judges, 1);
    assert_true(w->side[0].held[0]->server);
    world_answer(w, 0);
    world_run(w, USEC_SEC);
    world_assert_connected(w);
    world_free(w);
}

static void a_refused_client_is_told_and_says_why_itself(void **state)
{
    (void)state;
    struct world *w = world_new(205);
    w->side[1].judge_cause = CAUSE_CERT_EXPIRED;
    world_connect_signed(w);
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_UP), 0);
    assert_int_equal(world_count(w, 1, IKE_EVENT_FAILED), 1);
    const struct world_event *gateway = world_event(w, 1, IKE_EVENT_FAILED, 0);
    assert_int_equal(gateway->event.cause, CAUSE_CERT_EXPIRED);
    assert_int_equal(gateway->event.stage, STAGE_IKE_MM5);
    assert_string_equal(gateway->event.detail, "said the judge");
    const struct world_event *client = world_event(w, 0, IKE_EVENT_FAILED, 0);
    assert_int_equal(client->event.cause, CAUSE_CERT_REFUSED);
    assert_string_equal(client->event.detail, "authentication failed");
    assert_true(client->at - gateway->at <= 2 * ONE_WAY);
    for (int i = 0; i < 2; i++)
        assert_int_equal(ike_stats(w->side[i].ike).sas, 0);
    assert_int_equal(w->side[1].signs, 0); /* nothing is signed for a stranger */
    world_free(w);
}

static void a_refused_gateway_loses_the_client_at_once(void **state)
{
    (void)state;
    struct world *w = world_new(206);
    w->side[0].judge_cause = CAUSE_CERT_NAME;
    world_connect_signed(w);
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(world_count(w, 0, IKE_EVENT_UP), 0);
    assert_int_equal(world_event(w, 0, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_CERT_NAME);
    /* it had come up for the gateway, which learns of it */
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_CERT_REFUSED);
    assert_int_equal(world_count(w, 1, IKE_EVENT_DOWN), 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(ike_stats(w->side[i].ike).sas, 0);
    world_free(w);
}

static void a_key_that_cannot_sign_ends_it(void **state)
{
    (void)state;
    struct world *w = world_new(207);
    w->side[0].sign_cause = CAUSE_CERT_NONE;
    world_connect_signed(w);
    world_run(w, 5 * USEC_SEC);
    assert_int_equal(world_event(w, 0, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_CERT_NONE);
    assert_int_equal(ike_stats(w->side[0].ike).sas, 0);
    world_free(w);
    w = world_new(208);
    w->side[1].sign_cause = CAUSE_CERT_NONE;
    world_connect_signed(w);
    world_run(w, 5 * USEC_SEC);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_CERT_NONE);
    assert_int_equal(world_event(w, 0, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_CERT_REFUSED);
    world_free(w);
}

static void a_signature_over_something_else_is_refused(void **state)
{
    (void)state;
    struct world *w = world_new(209);
    w->side[0].hold_proofs = true;
    world_connect_signed(w);
    world_run(w, USEC_SEC);
    w->side[0].held[0]->hash[3] ^= 1;
    world_answer(w, 0);
    world_run(w, USEC_SEC);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_CERT_SIGNATURE);
    assert_int_equal(world_count(w, 1, IKE_EVENT_UP), 0);
    world_free(w);
}

static void a_late_answer_finds_nobody(void **state)
{
    (void)state;
    struct world *w = world_new(210);
    w->side[1].hold_proofs = true;
    world_connect_signed(w);
    world_run(w, 90 * USEC_SEC);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_CERT_LATE);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 0);
    const int sent = w->side[1].sent;
    world_answer(w, 1);
    world_run(w, 5 * USEC_SEC);
    assert_int_equal(w->side[1].sent, sent);
    assert_int_equal(world_count(w, 1, IKE_EVENT_UP), 0);
    world_free(w);
}

static void a_client_does_not_wait_for_ever_for_its_own_signature(void **state)
{
    (void)state;
    struct world *w = world_new(211);
    w->side[0].hold_proofs = true;
    world_connect_signed(w);
    world_run(w, 40 * USEC_SEC);
    assert_int_equal(world_event(w, 0, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_CERT_LATE);
    assert_int_equal(ike_stats(w->side[0].ike).sas, 0);
    world_answer(w, 0);
    world_free(w);
}

static void it_can_end_while_signatures_are_out(void **state)
{
    (void)state;
    struct world *w = world_new(212);
    w->side[0].hold_proofs = w->side[1].hold_proofs = true;
    const uint32_t peer = world_connect_signed(w);
    world_run(w, USEC_SEC);
    world_answer(w, 0);
    world_run(w, USEC_SEC);
    assert_int_equal(w->side[1].held_count, 1);
    ike_close(w->side[0].ike, w->now, peer);
    world_run(w, USEC_SEC);
    world_free(w); /* with one held */
}

static void every_single_datagram_may_be_lost(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        for (int n = 0; n < 6; n++) {
            struct world *w = world_new(220 + (uint64_t)(side * 10 + n));
            w->lose[side] = 1ull << n;
            world_connect_signed(w);
            world_run(w, 20 * USEC_SEC);
            world_assert_pair(w, 0);
            assert_int_equal(world_count(w, 0, IKE_EVENT_UP), 1);
            assert_int_equal(world_count(w, 1, IKE_EVENT_UP), 1);
            world_free(w);
        }
    }
}

static void keys_and_certificates_live_side_by_side(void **state)
{
    (void)state;
    struct world *w = world_new(240);
    w->side[1].config.credentials = &world_credential[1];
    w->side[1].config.credential_count = 1;
    world_begin(w);
    world_connect(w); /* with the key */
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    assert_int_equal(world_event(w, 1, IKE_EVENT_UP, 0)->event.auth, IKE_AUTH_PSK);
    assert_int_equal(w->side[1].judges, 0);
    world_free(w);
}

static void a_method_that_only_one_side_has_is_told_as_such(void **state)
{
    (void)state;
    struct world *w = world_new(241);
    world_begin(w); /* the gateway without a credential */
    const struct ike_connect c = {.path = world_path(w, 0, IKE_PORT), .credential = &world_credential[0]};
    uint32_t peer;
    assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &peer), ERR_OK);
    world_run(w, 2 * USEC_SEC);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_IKE_AUTH_METHOD);
    assert_non_null(strstr(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.detail, "-rsa"));
    world_free(w);
    w = world_new(242);
    w->side[1].config.psk_count = 0; /* and without a key */
    w->side[1].config.credentials = &world_credential[1];
    w->side[1].config.credential_count = 1;
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_IKE_AUTH_METHOD);
    world_free(w);
}

static void a_curve_brings_its_own_hash(void **state)
{
    (void)state;
    static const struct {
        enum ike_auth auth;
        uint8_t size;
    } curves[] = {{IKE_AUTH_ECDSA_256, 32}, {IKE_AUTH_ECDSA_384, 48}, {IKE_AUTH_ECDSA_521, 64}};
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        struct world *w = world_new(243 + i);
        struct ike_credential mine[2] = {world_credential[0], world_credential[1]};
        mine[0].auth = mine[1].auth = curves[i].auth;
        w->side[0].config.ike_proposal = "aes128-sha1-ecp256";
        w->side[1].config.credentials = &mine[1];
        w->side[1].config.credential_count = 1;
        w->side[1].hold_proofs = true;
        world_begin(w);
        const struct ike_connect c = {.path = world_path(w, 0, IKE_PORT), .credential = &mine[0]};
        uint32_t peer;
        assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &peer), ERR_OK);
        world_run(w, USEC_SEC);
        assert_int_equal(w->side[1].held[0]->hash_len, curves[i].size);
        world_answer(w, 1);
        world_answer(w, 1);
        world_run(w, USEC_SEC);
        world_assert_connected(w);
        assert_non_null(strstr(world_event(w, 1, IKE_EVENT_UP, 0)->event.detail, ike_auth_word(curves[i].auth)));
        world_free(w);
    }
}

static void the_credential_that_was_asked_for_is_chosen(void **state)
{
    (void)state;
    static const struct view other_authority[] = {{(const uint8_t *)"0\x00", 2}};
    struct ike_credential ours[3] = {world_credential[1], world_credential[1], world_credential[1]};
    strcpy(ours[0].name, "first");
    strcpy(ours[1].name, "asked-for");
    strcpy(ours[2].name, "elliptic");
    ours[0].issuers = other_authority;
    ours[2].auth = IKE_AUTH_ECDSA_256;
    for (int known = 0; known < 2; known++) {
        struct world *w = world_new(250 + (uint64_t)known);
        w->side[1].config.credentials = ours;
        w->side[1].config.credential_count = 3;
        if (!known)
            w->side[0].config.authority_count = 0; /* any will do */
        world_begin(w);
        const struct ike_connect c = {.path = world_path(w, 0, IKE_PORT), .credential = &world_credential[0]};
        uint32_t peer;
        assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &peer), ERR_OK);
        world_run(w, USEC_SEC);
        world_assert_connected(w);
        assert_string_equal(world_event(w, 1, IKE_EVENT_UP, 0)->event.psk, known ? "asked-for" : "first");
        world_free(w);
    }
}

static void a_chain_of_certificates_passes_whole(void **state)
{
    (void)state;
    static uint8_t big[3][7000];
    struct world *w = world_new(255);
    for (size_t i = 0; i < 3; i++)
        random_test_fill(&w->rng, big[i], sizeof(big[i]));
    const struct view chain[] = {VIEW(big[0]), VIEW(big[1]), VIEW(big[2])};
    struct ike_credential mine = world_credential[0];
    mine.certificates = chain;
    mine.certificate_count = 3;
    w->side[1].config.credentials = &world_credential[1];
    w->side[1].config.credential_count = 1;
    w->side[1].hold_proofs = true;
    world_begin(w);
    const struct ike_connect c = {.path = world_path(w, 0, IKE_PORT), .credential = &mine};
    uint32_t peer;
    assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &peer), ERR_OK);
    world_run(w, USEC_SEC);
    const struct ike_proof *p = w->side[1].held[0];
    assert_int_equal(p->certificate_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(view_equal(view_of(p->chain + p->certificate_at[i], p->certificate_len[i]), chain[i]));
    world_answer(w, 1);
    world_answer(w, 1);
    world_run(w, USEC_SEC);
    world_assert_connected(w);
    world_free(w);
}

static void a_certificate_beyond_the_limit_is_left_out(void **state)
{
    (void)state;
    static uint8_t big[IKE_CHAIN_MAX - 10];
    static const uint8_t small[10] = {1}, more[1] = {2};
    const struct view chain[] = {VIEW(big), VIEW(small), VIEW(more)};
    struct ike_credential mine = world_credential[0];
    struct world *w = world_new(256);
    mine.certificates = chain;
    mine.certificate_count = 3;
    w->side[0].hold_proofs = true;
    w->side[1].config.credentials = &world_credential[1];
    w->side[1].config.credential_count = 1;
    world_begin(w);
    const struct ike_connect c = {.path = world_path(w, 0, IKE_PORT), .credential = &mine};
    uint32_t peer;
    assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &peer), ERR_OK);
    world_run(w, USEC_SEC);
    assert_int_equal(w->side[0].held[0]->certificate_count, 2);
    world_answer(w, 0);
    world_run(w, USEC_SEC);
    assert_int_equal(w->side[1].judges, 1);
    world_free(w);
}

static void the_same_client_stays_the_same_peer(void **state)
{
    (void)state;
    struct world *w = world_new(260);
    w->side[1].subject = "CN=alice";
    w->side[0].config.ike_lifetime = 3600;
    world_connect_signed(w);
    world_run(w, 3500 * USEC_SEC); /* the client begins anew before an hour is over */
    assert_int_equal(world_count(w, 1, IKE_EVENT_UP), 2);
    assert_int_equal(world_count(w, 0, IKE_EVENT_UP), 2);
    assert_int_equal(world_event(w, 1, IKE_EVENT_UP, 0)->event.peer, world_event(w, 1, IKE_EVENT_UP, 1)->event.peer);
    assert_int_equal(world_count(w, 1, IKE_EVENT_DEAD), 0);
    assert_int_equal(w->side[1].judges, 2);
    world_free(w);
}

/* --> MM1 from the side that was called */
static void a_server_that_begins_anew_is_the_same_peer(void **state)
{
    (void)state;
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        struct world *w = world_new(268 + (uint64_t)is_signed);
        w->side[0].config.credentials = &world_credential[0];
        w->side[0].config.credential_count = 1;
        w->side[0].subject = w->side[1].subject = is_signed ? "CN=whoever" : NULL;
        uint32_t peer;
        if (is_signed) {
            peer = world_connect_signed(w);
        } else {
            world_begin(w);
            peer = world_connect(w);
        }
        world_run(w, 2 * USEC_SEC);
        world_assert_connected(w);
        w->side[0].hold_proofs = true;
        const struct path seen = world_path(w, 1, IKE_PORT);
        const struct ike_connect back = {
            .path = seen, .psk = &world_psk[0], .credential = is_signed ? &world_credential[1] : NULL};
        uint32_t other;
        assert_int_equal(ike_connect(w->side[1].ike, w->now, &back, &other), ERR_OK);
        world_run(w, USEC_SEC);
        if (is_signed) {
            assert_int_equal(w->side[0].held_count, 1);
            assert_true(w->side[0].held[0]->server); /* though it is the initiator now */
            world_answer(w, 0);
            world_answer(w, 0);
            world_run(w, USEC_SEC);
        }
        assert_int_equal(world_count(w, 0, IKE_EVENT_UP), 2);
        assert_int_equal(world_event(w, 0, IKE_EVENT_UP, 1)->event.peer, peer);
        world_free(w);
    }
}

static void another_name_from_the_same_place_is_another_peer(void **state)
{
    (void)state;
    struct world *w = world_new(261);
    w->side[1].subject = "CN=alice";
    world_connect_signed(w);
    world_run(w, 2 * USEC_SEC);
    w->side[1].subject = "CN=bob"; /* by the same ID payload */
    world_restart_client(w);
    const struct ike_connect c = {.path = world_path(w, 0, IKE_PORT), .credential = &world_credential[0]};
    uint32_t peer;
    assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &peer), ERR_OK);
    world_run(w, 2 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_UP), 2);
    assert_int_not_equal(world_event(w, 1, IKE_EVENT_UP, 0)->event.peer,
                         world_event(w, 1, IKE_EVENT_UP, 1)->event.peer);
    world_free(w);
}

static void a_refused_rekeying_leaves_the_old_one_alone(void **state)
{
    (void)state;
    struct world *w = world_new(262);
    w->side[0].config.ike_lifetime = 3600;
    world_connect_signed(w);
    world_run(w, 2 * USEC_SEC);
    w->side[1].judge_cause = CAUSE_CERT_REVOKED;
    world_run(w, 3500 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_UP), 1);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_CERT_REVOKED);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.peer, 0);
    assert_int_equal(world_count(w, 1, IKE_EVENT_DOWN), 0);
    world_free(w);
}

static void a_new_configuration_may_come_while_a_signature_is_out(void **state)
{
    (void)state;
    struct world *w = world_new(263);
    w->side[1].hold_proofs = true;
    world_connect_signed(w);
    world_run(w, USEC_SEC);
    world_answer(w, 1); /* ours is out now */
    struct ike_config without = w->side[1].config;
    without.credentials = NULL;
    without.credential_count = 0;
    ike_reconfigure(w->side[1].ike, &without);
    world_answer(w, 1);
    world_run(w, USEC_SEC);
    world_assert_connected(w);
    world_free(w);
    w = world_new(264);
    w->side[1].hold_proofs = true;
    world_connect_signed(w);
    world_run(w, USEC_SEC);
    ike_reconfigure(w->side[1].ike, &without); /* while the client's is out */
    world_answer(w, 1);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_IKE_AUTH_METHOD);
    world_free(w);
}

/* --> MM1 to MM5 of many clients, faster than certificates are judged */
static void strangers_get_only_so_many_signatures_judged_at_once(void **state)
{
    (void)state;
    struct world *w = world_new(265);
    uint32_t peer;
    w->side[0].config.max_sas = w->side[1].config.max_sas = 2 * PROOFS_OUT_MAX;
    w->side[1].config.max_half_open = 2 * PROOFS_OUT_MAX;
    w->side[1].config.max_half_open_per_source = 0;
    w->side[1].hold_proofs = true;
    (void)world_connect_signed(w);
    for (size_t i = 1; i <= PROOFS_OUT_MAX; i++) {
        const struct ike_connect c = {.path = world_path(w, 0, IKE_PORT), .credential = &world_credential[0]};
        assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &peer), ERR_OK);
        world_run(w, 5 * ONE_WAY);
    }
    assert_int_equal(w->side[1].judges, PROOFS_OUT_MAX);
    assert_true(world_verdicts(w, 1, DROP_IKE_FLOOD) >= 1);
    /* the last one asks again, and each that is over makes room for one */
    world_answer(w, 1);
    world_answer(w, 1);
    world_run(w, 5 * USEC_SEC);
    assert_int_equal(w->side[1].judges, PROOFS_OUT_MAX + 1);
    world_free(w);
}

/* Bytes that decrypt to nothing sensible do not end an exchange: anybody near the wire could send them. */
static void noise_in_place_of_a_proof_changes_nothing(void **state)
{
    (void)state;
    struct world *w = world_new(266);
    w->lose[0] = 1 << 2; /* MM5, the first time */
    world_connect_signed(w);
    world_run(w, USEC_SEC);
    struct ike *ike = w->side[1].ike;
    const struct sa *sa = container_of(ike->young.next, struct sa, young);
    uint8_t noise[100];
    for (int i = 0; i < 100; i++) {
        struct draft d;
        draft_begin(&d, &sa->cookies, EXCHANGE_MAIN, 0);
        random_test_fill(&w->rng, noise, sizeof(noise));
        wr_bytes(&d.w, noise, (size_t)i); /* no whole block, too, and nothing at all */
        wr_patch8(&d.w, 16, PAYLOAD_ID);
        wr_patch8(&d.w, 19, FLAG_ENCRYPTED);
        const struct path path = world_path(w, 1, IKE_PORT);
        assert_int_equal(ike_input(ike, w->now, &path, draft_finish(&d)), DROP_IKE_DECRYPT);
    }
    world_run(w, 5 * USEC_SEC);
    world_assert_connected(w);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_prove_themselves),
        cmocka_unit_test(it_goes_on_behind_a_nat),
        cmocka_unit_test(what_is_asked_has_all_that_the_judge_needs),
        cmocka_unit_test(a_repeated_message_waits_for_the_same_answer),
        cmocka_unit_test(a_repeated_answer_is_judged_once),
        cmocka_unit_test(a_refused_client_is_told_and_says_why_itself),
        cmocka_unit_test(a_refused_gateway_loses_the_client_at_once),
        cmocka_unit_test(a_key_that_cannot_sign_ends_it),
        cmocka_unit_test(a_signature_over_something_else_is_refused),
        cmocka_unit_test(a_late_answer_finds_nobody),
        cmocka_unit_test(a_client_does_not_wait_for_ever_for_its_own_signature),
        cmocka_unit_test(it_can_end_while_signatures_are_out),
        cmocka_unit_test(every_single_datagram_may_be_lost),
        cmocka_unit_test(keys_and_certificates_live_side_by_side),
        cmocka_unit_test(a_method_that_only_one_side_has_is_told_as_such),
        cmocka_unit_test(a_curve_brings_its_own_hash),
        cmocka_unit_test(the_credential_that_was_asked_for_is_chosen),
        cmocka_unit_test(a_chain_of_certificates_passes_whole),
        cmocka_unit_test(a_certificate_beyond_the_limit_is_left_out),
        cmocka_unit_test(the_same_client_stays_the_same_peer),
        cmocka_unit_test(a_server_that_begins_anew_is_the_same_peer),
        cmocka_unit_test(another_name_from_the_same_place_is_another_peer),
        cmocka_unit_test(a_refused_rekeying_leaves_the_old_one_alone),
        cmocka_unit_test(strangers_get_only_so_many_signatures_judged_at_once),
        cmocka_unit_test(noise_in_place_of_a_proof_changes_nothing),
        cmocka_unit_test(a_new_configuration_may_come_while_a_signature_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
