/* Aggressive mode as initiator, against a server of these tests' own: our gateway never answers it. Once the server has
 * what it needs, quick mode goes on with the gateway for real. */
#include "ike/ike_internal.h"
#include "world.h"

#define SERVER_NAME "vpn.example.net"

struct server {
    struct world *w;
    struct sa *sa; /* of the gateway */
    struct keys keys;
    uint8_t skeyid[HASH_SIZE_MAX];
    uint8_t id_i[256];
    size_t id_i_len;
    uint8_t answer[2048]; /* AM2 */
    size_t answer_len;
    bool float_wanted;
};

static struct flight *in_flight(struct world *w, int to)
{
    for (struct flight *f = w->flight; f < w->flight + WORLD_FLIGHT; f++) {
        if (f->used && f->to == to)
            return f;
    }
    return NULL;
}

static uint32_t connect_aggressive(struct world *w, const char *identity)
{
    struct ike_connect c = {.path = world_path(w, 0, IKE_PORT),
                            .psk = &w->side[0].config.psks[0],
                            .l2tp_port_local = 1701,
                            .aggressive = true};
    uint32_t peer = 0;
    snprintf(c.identity, sizeof(c.identity), "%s", identity);
    assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &peer), ERR_OK);
    world_pull(w);
    return peer;
}

/* What the server reads out of AM1. */
static void take_first(struct server *s, const struct flight *f, struct payloads *p)
{
    struct header h;
    struct view body;
    struct suite suite;
    struct offer offer;
    assert_int_equal(header_parse(view_of(f->bytes, f->n), &h, &body), DROP_NONE);
    assert_int_equal(h.exchange, EXCHANGE_AGGRESSIVE);
    assert_int_equal(h.flags, 0);
    assert_int_equal(payloads_parse(h.next, body, false, p), DROP_NONE);
    const struct view sa_body = payload_body(p, PAYLOAD_SA), id = payload_body(p, PAYLOAD_ID);
    assert_int_equal(offer_parse(sa_body, &offer), DROP_NONE);
    assert_int_equal(suite_read(&offer.transforms[0], &suite), ERR_OK);
    s->w->side[1].ike->now = s->w->now;
    cookie_make(s->w->side[1].ike, h.rcookie);
    s->sa = sa_new(s->w->side[1].ike, false, &f->path, &h, 1);
    assert_non_null(s->sa);
    s->sa->suite = suite;
    s->sa->natt = NATT_RFC_3947;
    struct phase1 *p1 = s->sa->phase1;
    memcpy(p1->sa_body, sa_body.p, sa_body.n);
    p1->sa_len = (uint16_t)sa_body.n;
    memcpy(s->id_i, id.p, id.n);
    s->id_i_len = id.n;
    const struct view ke = payload_body(p, PAYLOAD_KE), nonce = payload_body(p, PAYLOAD_NONCE);
    memcpy(p1->ke_i, ke.p, ke.n);
    memcpy(p1->nonce_i, nonce.p, nonce.n);
    p1->nonce_i_len = (uint16_t)nonce.n;
    struct dh_work work = {.group = suite.group, .peer_len = (uint16_t)ke.n};
    memcpy(work.peer, ke.p, ke.n);
    random_test_fill(&s->w->rng, work.private_key, sizeof(work.private_key));
    dh_work_run(&work);
    assert_int_equal(work.result, ERR_OK);
    memcpy(p1->ke_r, work.public_key, work.public_len);
    p1->ke_len = work.public_len;
    memcpy(p1->shared, work.shared, work.shared_len);
    p1->shared_len = work.shared_len;
    memset(p1->nonce_r, 9, p1->nonce_r_len = 20);
}

/* <-- AM2: SA KE No ID HASH, NAT traversal, DPD */
static void write_second(struct server *s, const struct payloads *first, struct view psk)
{
    struct sa *sa = s->sa;
    struct phase1 *p1 = sa->phase1;
    struct offer offer;
    struct draft d;
    uint8_t id[64], hash[HASH_SIZE_MAX];
    struct writer w = wr_init(id, sizeof(id));
    identity_write_text(&w, SERVER_NAME);
    assert_int_equal(keys_derive(sa, psk, s->skeyid, &s->keys), ERR_OK);
    assert_int_equal(keys_auth_hash(sa, s->skeyid, false, wr_written(&w), hash), ERR_OK);
    assert_int_equal(offer_parse(payload_body(first, PAYLOAD_SA), &offer), DROP_NONE);
    draft_begin(&d, &sa->cookies, EXCHANGE_AGGRESSIVE, 0);
    draft_payload(&d, PAYLOAD_SA);
    offer_write_choice(&d.w, &offer, &offer.transforms[0], VIEW_NONE);
    draft_payload_end(&d);
    draft_put(&d, PAYLOAD_KE, view_of(p1->ke_r, p1->ke_len));
    draft_put(&d, PAYLOAD_NONCE, view_of(p1->nonce_r, p1->nonce_r_len));
    draft_put(&d, PAYLOAD_ID, wr_written(&w));
    draft_put(&d, PAYLOAD_HASH, view_of(hash, hash_size(sa->suite.hash)));
    draft_vendor(&d, VENDOR_NATT_RFC);
    draft_vendor(&d, VENDOR_DPD);
    natd_write(s->w->side[1].ike, sa, &d);
    const struct view message = draft_finish(&d);
    memcpy(s->answer, message.p, message.n);
    s->answer_len = message.n;
}

static enum drop send_second(struct server *s)
{
    const struct path path = world_path(s->w, 0, IKE_PORT);
    return world_inject(s->w, 0, &path, view_of(s->answer, s->answer_len));
}

/* --> AM3: HASH, NAT-D, under the keys. From here on the gateway knows the client. */
static bool take_third(struct server *s, const struct flight *f)
{
    struct ike *ike = s->w->side[1].ike;
    struct sa *sa = s->sa;
    struct header h;
    struct view body;
    struct payloads p;
    uint8_t plain[2048], expected[HASH_SIZE_MAX];
    assert_int_equal(header_parse(view_of(f->bytes, f->n), &h, &body), DROP_NONE);
    if (h.exchange != EXCHANGE_AGGRESSIVE)
        return false;
    assert_int_equal(h.flags, FLAG_ENCRYPTED);
    assert_int_equal(h.message_id, 0);
    assert_int_equal(f->path.local.port, s->float_wanted ? IKE_NATT_PORT : IKE_PORT);
    assert_int_equal(keys_first_iv(sa, sa->iv), ERR_OK);
    assert_int_equal(crypt_open(&s->keys, sa->iv, body, plain, sizeof(plain)), DROP_NONE);
    assert_int_equal(payloads_parse(h.next, view_of(plain, body.n), true, &p), DROP_NONE);
    assert_int_equal(keys_auth_hash(sa, s->skeyid, true, view_of(s->id_i, s->id_i_len), expected), ERR_OK);
    assert_true(view_equal(payload_body(&p, PAYLOAD_HASH), view_of(expected, hash_size(sa->suite.hash))));
    assert_int_equal(payload_count(&p, PAYLOAD_NATD), 2);
    natt_detect(sa, &p, &f->path);
    sa->keys = s->keys;
    sa->path = f->path;
    ike->now = s->w->now;
    struct peer *peer = peer_new(ike, &f->path);
    assert_non_null(peer);
    peer_adopt(ike, peer, sa);
    main_mode_up(ike, sa, false);
    return true;
}

static struct server *server_begin(struct world *w, struct view psk)
{
    struct server *s = calloc(1, sizeof(*s));
    struct payloads first;
    s->w = w;
    s->float_wanted = w->nat;
    struct flight *f = in_flight(w, 1);
    assert_non_null(f);
    take_first(s, f, &first);
    write_second(s, &first, psk);
    f->used = false;
    return s;
}

static struct view key(const struct world *w)
{
    return secret_view(&w->side[0].config.psks[0].key);
}

static struct world *begin(uint64_t seed)
{
    struct world *w = world_new(seed);
    w->side[0].config.patience = 12 * USEC_SEC;
    world_begin(w);
    return w;
}

static void a_client_connects_with_and_without_nat(void **state)
{
    (void)state;
    for (int nat = 0; nat < 2; nat++) {
        struct world *w = world_new((uint64_t)(800 + nat));
        w->nat = nat;
        world_begin(w);
        /* --> AM1 <-- AM2 --> AM3, --> QM1 <-- QM2 --> QM3 */
        connect_aggressive(w, "@office");
        struct server *s = server_begin(w, key(w));
        assert_int_equal(send_second(s), DROP_NONE);
        struct flight *f = in_flight(w, 1);
        assert_non_null(f);
        assert_true(take_third(s, f));
        f->used = false;
        world_run(w, 2 * USEC_SEC);
        world_assert_connected(w);
        const struct ike_event *up = &world_event(w, 0, IKE_EVENT_UP, 0)->event;
        assert_string_equal(up->identity, SERVER_NAME);
        assert_int_equal(up->nat_local, nat);
        assert_int_equal(world_event(w, 1, IKE_EVENT_CHILD_NEW, 0)->event.child.encap, nat);
        struct ike_peer_info info;
        assert_true(ike_peer_info(w->side[0].ike, up->peer, &info));
        assert_true(info.dpd);
        /* the key's group in the offers is one */
        const enum stage steps[] = {STAGE_IKE_AM1, STAGE_IKE_AM2, STAGE_IKE_AM3, STAGE_IKE_QM1};
        for (size_t i = 0; i < ARRAY_LEN(steps); i++)
            assert_int_equal(world_event(w, 0, IKE_EVENT_STAGE, i)->event.stage, steps[i]);
        free(s);
        world_free(w);
    }
}

static void all_offers_are_of_one_group(void **state)
{
    (void)state;
    struct world *w = world_new(802);
    struct offer offer;
    struct header h;
    struct view body;
    struct payloads p;
    w->side[0].config.ike_proposal = "aes256-sha1-modp1536,aes256-sha256-ecp256,aes128-sha1-modp1536";
    world_begin(w);
    connect_aggressive(w, "");
    const struct flight *f = in_flight(w, 1);
    assert_int_equal(header_parse(view_of(f->bytes, f->n), &h, &body), DROP_NONE);
    assert_int_equal(payloads_parse(h.next, body, false, &p), DROP_NONE);
    assert_int_equal(offer_parse(payload_body(&p, PAYLOAD_SA), &offer), DROP_NONE);
    assert_int_equal(offer.transform_count, 2);
    assert_int_equal(payload_body(&p, PAYLOAD_KE).n, dh_public_size(DH_MODP_1536));
    world_free(w);
}

static void identities_go_as_they_are_written(void **state)
{
    (void)state;
    static const struct {
        const char *text, *body;
    } cases[] = {
        {"@office", "0b000000 6f6666696365"},
        {"host.example", "02000000 686f73742e6578616d706c65"},
        {"me@example", "03000000 6d65406578616d706c65"},
        {"192.0.2.7", "01000000 c0000207"},
        {"2001:db8::7", "05000000 20010db8000000000000000000000007"},
        {"", "01000000 c6336414"}, /* our address */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = begin(803 + i);
        uint8_t body[64];
        connect_aggressive(w, cases[i].text);
        struct server *s = server_begin(w, key(w));
        assert_true(view_equal(view_of(s->id_i, s->id_i_len), view_of(body, unhex(cases[i].body, body, sizeof(body)))));
        free(s);
        world_free(w);
    }
}

static void main_mode_says_the_same_identity(void **state)
{
    (void)state;
    struct world *w = begin(810);
    struct ike_connect c = {.path = world_path(w, 0, IKE_PORT), .psk = &world_psk[0], .identity = "me@example.org"};
    uint32_t peer;
    assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &peer), ERR_OK);
    world_run(w, USEC_SEC);
    world_assert_connected(w);
    assert_string_equal(world_event(w, 1, IKE_EVENT_UP, 0)->event.identity, "me@example.org");
    world_free(w);
}

/* ---- loss ---- */

static void a_lost_proof_goes_again_before_quick_mode(void **state)
{
    (void)state;
    struct world *w = begin(820);
    connect_aggressive(w, "@office");
    struct server *s = server_begin(w, key(w));
    assert_int_equal(send_second(s), DROP_NONE);
    /* --> AM3 is lost, and with it the server's keys for QM1 */
    for (struct flight *f; (f = in_flight(w, 1));)
        f->used = false;
    w->now += USEC_SEC;
    ike_timeout(w->side[0].ike, w->now);
    world_pull(w);
    /* --> AM3 --> QM1 */
    struct flight *f = in_flight(w, 1);
    assert_non_null(f);
    assert_true(take_third(s, f));
    f->used = false;
    world_run(w, 5 * USEC_SEC);
    world_assert_connected(w);
    free(s);
    world_free(w);
}

static void a_repeated_answer_brings_the_proof_again(void **state)
{
    (void)state;
    struct world *w = begin(821);
    connect_aggressive(w, "@office");
    struct server *s = server_begin(w, key(w));
    assert_int_equal(send_second(s), DROP_NONE);
    const int sent = w->side[0].sent;
    assert_int_equal(send_second(s), DROP_IKE_REPEATED);
    assert_int_equal(w->side[0].sent, sent + 1);
    free(s);
    world_free(w);
}

/* ---- what goes wrong ---- */

static const struct world_event *failed(const struct world *w)
{
    const struct world_event *e = world_event(w, 0, IKE_EVENT_FAILED, 0);
    assert_non_null(e);
    assert_int_equal(world_count(w, 0, IKE_EVENT_FAILED), 1);
    assert_int_equal(world_count(w, 0, IKE_EVENT_UP), 0);
    assert_int_equal(ike_stats(w->side[0].ike).sas, 0);
    return e;
}

static void a_server_with_another_key_is_told_soon(void **state)
{
    (void)state;
    struct world *w = begin(830);
    connect_aggressive(w, "@office");
    struct server *s = server_begin(w, view_str("another"));
    assert_int_equal(send_second(s), DROP_NONE);
    world_run(w, 30 * USEC_SEC);
    const struct world_event *e = failed(w);
    assert_int_equal(e->event.cause, CAUSE_IKE_WRONG_PSK);
    assert_true(e->at - 1000 * USEC_SEC <= 4 * USEC_SEC);
    free(s);
    world_free(w);
}

static void who_answers_faster_without_the_key_ends_nothing(void **state)
{
    (void)state;
    struct world *w = begin(831);
    connect_aggressive(w, "@office");
    struct server *s = server_begin(w, key(w));
    /* <-- AM2 with a hash of nothing, under another cookie of the responder's */
    struct server *forger = calloc(1, sizeof(*forger));
    *forger = *s;
    forger->answer[COOKIE_SIZE] ^= 0xff;
    assert_int_equal(send_second(forger), DROP_NONE);
    assert_int_equal(send_second(forger), DROP_IKE_REPEATED);
    /* <-- AM2 */
    assert_int_equal(send_second(s), DROP_NONE);
    struct flight *f = in_flight(w, 1);
    while (f && !take_third(s, f)) {
        f->used = false;
        f = in_flight(w, 1);
    }
    assert_non_null(f);
    f->used = false;
    world_run(w, 5 * USEC_SEC);
    world_assert_connected(w);
    free(forger);
    free(s);
    world_free(w);
}

static void a_server_that_refuses_is_heard(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        enum cause cause;
    } cases[] = {
        {NOTIFY_INVALID_EXCHANGE_TYPE, CAUSE_IKE_EXCHANGE},
        {NOTIFY_INVALID_ID_INFORMATION, CAUSE_IKE_IDENTITY},
        {NOTIFY_AUTHENTICATION_FAILED, CAUSE_IKE_IDENTITY},
        {NOTIFY_NO_PROPOSAL_CHOSEN, CAUSE_IKE_NO_PROPOSAL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = begin(840 + i);
        struct header h;
        struct view body;
        struct draft d;
        const struct path path = world_path(w, 0, IKE_PORT);
        w->lose_all[0] = false;
        connect_aggressive(w, "@office");
        struct flight *f = in_flight(w, 1);
        assert_int_equal(header_parse(view_of(f->bytes, f->n), &h, &body), DROP_NONE);
        w->lose_all[0] = true;
        f->used = false;
        draft_begin(&d, &h, EXCHANGE_INFO, 5);
        draft_notify(&d, PROTO_ISAKMP, cases[i].type, VIEW_NONE, VIEW_NONE);
        assert_int_equal(world_inject(w, 0, &path, draft_finish(&d)), DROP_NONE);
        world_run(w, 30 * USEC_SEC);
        assert_int_equal(failed(w)->event.cause, cases[i].cause);
        world_free(w);
    }
}

/* Our gateway is such a server too; it says nothing to the client, and all to its owner. */
static void our_gateway_refuses_it(void **state)
{
    (void)state;
    struct world *w = begin(850);
    connect_aggressive(w, "@office");
    world_run(w, 30 * USEC_SEC);
    const struct world_event *e = failed(w);
    assert_int_equal(e->event.cause, CAUSE_IKE_NO_ANSWER);
    assert_int_equal(e->event.stage, STAGE_IKE_AM1);
    assert_true(e->at - 1000 * USEC_SEC <= 15 * USEC_SEC);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_IKE_AGGRESSIVE);
    world_free(w);
}

static void a_blocked_port_4500_is_told(void **state)
{
    (void)state;
    struct world *w = world_new(851);
    w->nat = w->block_4500 = true;
    w->side[0].config.patience = 12 * USEC_SEC;
    world_begin(w);
    connect_aggressive(w, "@office");
    struct server *s = server_begin(w, key(w));
    assert_int_equal(send_second(s), DROP_NONE);
    world_run(w, 30 * USEC_SEC);
    const struct world_event *e = world_event(w, 0, IKE_EVENT_CHILD_FAILED, 0);
    assert_non_null(e);
    assert_int_equal(e->event.cause, CAUSE_IKE_NATT_BLOCKED);
    assert_true(e->at - 1000 * USEC_SEC <= 15 * USEC_SEC);
    free(s);
    world_free(w);
}

static void certificates_and_aggressive_mode_do_not_go_together(void **state)
{
    (void)state;
    struct world *w = begin(852);
    const struct ike_credential credential = {.auth = IKE_AUTH_RSA};
    const struct ike_connect c = {
        .path = world_path(w, 0, IKE_PORT), .credential = &credential, .psk = &world_psk[0], .aggressive = true};
    uint32_t peer;
    assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &peer), ERR_INVALID);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_connects_with_and_without_nat),
        cmocka_unit_test(all_offers_are_of_one_group),
        cmocka_unit_test(identities_go_as_they_are_written),
        cmocka_unit_test(main_mode_says_the_same_identity),
        cmocka_unit_test(a_lost_proof_goes_again_before_quick_mode),
        cmocka_unit_test(a_repeated_answer_brings_the_proof_again),
        cmocka_unit_test(a_server_with_another_key_is_told_soon),
        cmocka_unit_test(who_answers_faster_without_the_key_ends_nothing),
        cmocka_unit_test(a_server_that_refuses_is_heard),
        cmocka_unit_test(our_gateway_refuses_it),
        cmocka_unit_test(a_blocked_port_4500_is_told),
        cmocka_unit_test(certificates_and_aggressive_mode_do_not_go_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
