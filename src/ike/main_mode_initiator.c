/* Main mode as initiator: offers out, key exchange in two pieces of work (our value, then the shared secret), and our
 * identity under the one key that we have, or with our signature (signature.c). */
#include "ike/ike_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- MM1 ---- */

static void offer_write(struct writer *w, const struct suite *suites, size_t n)
{
    const size_t start = proposal_begin(w, PROTO_ISAKMP, VIEW_NONE, n);
    for (size_t i = 0; i < n; i++) {
        const size_t at = transform_begin(w, i, n, KEY_IKE);
        suite_write(w, &suites[i]);
        transform_end(w, at);
    }
    proposal_end(w, start);
}

static size_t our_offers(const struct ike *ike, const struct peer *peer, struct suite out[static OFFERS_MAX])
{
    struct suite suites[OFFERS_MAX];
    const size_t all = policy_offer_ike(ike->config.policy, ike->config.ike_proposal, suites);
    size_t n = 0;
    for (size_t i = 0; i < all; i++) {
        suites[i].auth = peer->auth;
        suites[i].lifetime = ike->config.ike_lifetime ? ike->config.ike_lifetime : LIFETIME_IKE_DEFAULT;
        if (suite_is_sound(&suites[i]) && !(peer->connect.aggressive && n > 0 && suites[i].group != out[0].group))
            out[n++] = suites[i];
    }
    return n;
}

void first_vendors_write(const struct ike *ike, struct draft *d)
{
    static const enum vendor natt_vendors[] = {VENDOR_NATT_RFC, VENDOR_NATT_03, VENDOR_NATT_02_N, VENDOR_NATT_02};
    for (size_t i = 0; i < ARRAY_LEN(natt_vendors) && ike->config.encap != IKE_ENCAP_OFF; i++)
        draft_vendor(d, natt_vendors[i]);
    draft_vendor(d, VENDOR_DPD);
    draft_vendor(d, VENDOR_FRAGMENTATION);
    draft_vendor(d, VENDOR_SEKISHO);
}

void first_message_send(struct ike *ike, struct sa *sa)
{
    struct draft d;
    draft_begin(&d, &sa->cookies, EXCHANGE_MAIN, 0);
    draft_put(&d, PAYLOAD_SA, view_of(sa->phase1->sa_body, sa->phase1->sa_len));
    first_vendors_write(ike, &d);
    resend_send(ike, &sa->resend, &sa->path, draft_finish(&d), true);
}

enum err initiator_begin(struct ike *ike, struct peer *peer)
{
    struct suite suites[OFFERS_MAX];
    struct header cookies = {0};
    const size_t n = our_offers(ike, peer, suites);
    if (n == 0)
        return ERR_INVALID;
    cookie_make(ike, cookies.icookie);
    struct sa *sa = sa_new(ike, true, &peer->path, &cookies, ++ike->attempts);
    if (!sa)
        return ERR_LIMIT;
    struct writer w = wr_init(sa->phase1->sa_body, sizeof(sa->phase1->sa_body));
    offer_write(&w, suites, n);
    sa->phase1->sa_len = (uint16_t)wr_written(&w).n;
    sa->state = SA_MM2_WAIT;
    sa->aggressive = peer->connect.aggressive;
    if (sa->aggressive && aggressive_begin(ike, sa, suites[0].group) != ERR_OK) {
        sa_free(ike, sa);
        return ERR_NOMEM;
    }
    sa->peer = peer;
    list_append(&peer->sas, &sa->of_peer);
    peer->sa_count++;
    if (!sa->aggressive) {
        first_message_send(ike, sa);
        sa_stage(ike, sa, STAGE_IKE_MM1, "");
    }
    return ERR_OK;
}

enum err ike_connect(struct ike *ike, usec_t now, const struct ike_connect *connect, uint32_t *peer_out)
{
    ike->now = now;
    if (connect->aggressive && connect->credential)
        return ERR_INVALID;
    struct peer *peer = peer_new(ike, &connect->path);
    if (!peer)
        return ERR_LIMIT;
    peer->initiator = true;
    peer->connect = *connect;
    peer->quick_due = true;
    peer->auth = connect->credential ? connect->credential->auth : IKE_AUTH_PSK;
    memcpy(peer->key_name, connect->credential ? connect->credential->name : connect->psk->name,
           sizeof(peer->key_name));
    const enum err e = initiator_begin(ike, peer);
    if (e != ERR_OK) {
        peer_free(ike, peer);
        return e;
    }
    *peer_out = peer->number;
    return ERR_OK;
}

/* ---- MM2 to MM3 ---- */

enum drop initiator_judge(const struct ike *ike, const struct peer *peer, struct view sa_body, struct suite *out)
{
    struct offer offer;
    struct suite ours[OFFERS_MAX];
    const enum drop d = offer_parse(sa_body, &offer);
    if (d != DROP_NONE)
        return d;
    if (offer.proposal_count != 1 || offer.transform_count != 1 || offer.proposals[0].protocol != PROTO_ISAKMP ||
        suite_read(&offer.transforms[0], out) != ERR_OK)
        return DROP_IKE_PROPOSAL;
    const size_t n = our_offers(ike, peer, ours);
    for (size_t i = 0; i < n; i++) {
        if (suite_same(&ours[i], out))
            return DROP_NONE;
    }
    return DROP_IKE_PROPOSAL;
}

enum drop initiator_choice(struct ike *ike, struct sa *sa, const struct message *m)
{
    struct payloads p;
    struct suite suite;
    char text[SUITE_TEXT_MAX];
    if (m->header.flags & FLAG_ENCRYPTED)
        return DROP_IKE_STATE;
    if (sa->probe_of)
        return probe_answered(ike, sa);
    /* With both cookies alike our own messages could be sent back to us as the responder's. */
    if (cookie_key(m->header.rcookie) == 0 || memcmp(m->header.rcookie, m->header.icookie, COOKIE_SIZE) == 0)
        return DROP_IKE_COOKIE;
    enum drop d = payloads_parse(m->header.next, m->body, false, &p);
    if (d == DROP_NONE)
        d = form_check(FORM_MM_SA, &p);
    if (d == DROP_NONE)
        d = initiator_judge(ike, sa->peer, payload_body(&p, PAYLOAD_SA), &suite);
    if (d != DROP_NONE)
        return d;
    struct phase1 *p1 = sa->phase1;
    random_fill(&ike->env.random, p1->dh_private, dh_private_size(suite.group));
    sa->state = SA_MM3_WORK;
    if (work_ask(ike, &p1->dh, suite.group, p1->dh_private, VIEW_NONE) != ERR_OK) {
        sa->state = SA_MM2_WAIT;
        return DROP_NO_MEMORY;
    }
    memcpy(sa->cookies.rcookie, m->header.rcookie, COOKIE_SIZE);
    sa->suite = suite;
    hint_forget(ike, sa);
    vendors_read(&p, &sa->vendors);
    sa->natt = ike->config.encap == IKE_ENCAP_OFF ? NATT_NONE : vendors_natt(&sa->vendors);
    digest_take(&sa->last_in, m->whole);
    resend_done(ike, &sa->resend);
    sa_stage(ike, sa, STAGE_IKE_MM2, suite_text(&suite, text));
    return DROP_NONE;
}

static void send_key(struct ike *ike, struct sa *sa, const struct dh_work *work)
{
    struct phase1 *p1 = sa->phase1;
    struct draft d;
    memcpy(p1->ke_i, work->public_key, work->public_len);
    p1->ke_len = work->public_len;
    p1->nonce_i_len = NONCE_OURS;
    random_fill(&ike->env.random, p1->nonce_i, NONCE_OURS);
    draft_begin(&d, &sa->cookies, EXCHANGE_MAIN, 0);
    key_message_write(ike, sa, &d, view_of(p1->ke_i, p1->ke_len), view_of(p1->nonce_i, p1->nonce_i_len));
    sa->state = SA_MM4_WAIT;
    resend_send(ike, &sa->resend, &sa->path, draft_finish(&d), true);
    sa_stage(ike, sa, STAGE_IKE_MM3, "");
}

/* ---- MM4 to MM5 ---- */

enum drop initiator_key(struct ike *ike, struct sa *sa, const struct message *m)
{
    struct payloads p;
    struct view ke, nonce;
    struct phase1 *p1 = sa->phase1;
    if (m->header.flags & FLAG_ENCRYPTED)
        return DROP_IKE_STATE;
    enum drop d = payloads_parse(m->header.next, m->body, false, &p);
    if (d == DROP_NONE)
        d = key_message_read(sa->suite.group, &p, &ke, &nonce);
    if (d == DROP_NONE && view_equal(ke, view_of(p1->ke_i, p1->ke_len)))
        d = DROP_IKE_KE; /* our own value, sent back */
    if (d != DROP_NONE)
        return d;
    if (work_ask(ike, &p1->dh, sa->suite.group, p1->dh_private, ke) != ERR_OK)
        return DROP_NO_MEMORY;
    memcpy(p1->ke_r, ke.p, ke.n);
    memcpy(p1->nonce_r, nonce.p, nonce.n);
    p1->nonce_r_len = (uint16_t)nonce.n;
    sa->state = SA_MM5_WORK;
    hint_forget(ike, sa);
    natt_detect(sa, &p, m->path);
    digest_take(&sa->last_in, m->whole);
    resend_done(ike, &sa->resend);
    sa_stage(ike, sa, STAGE_IKE_MM4, "");
    return DROP_NONE;
}

void initiator_float(const struct ike *ike, struct sa *sa)
{
    if (!sa->natt_agreed || !(sa->nat_local || sa->nat_remote || ike->config.encap == IKE_ENCAP_FORCE))
        return;
    if (sa->path.remote.port != IKE_PORT)
        return;
    const uint16_t ours = sa->peer->connect.natt_port_local;
    sa->path.local.port = ours ? ours : IKE_NATT_PORT;
    sa->path.remote.port = IKE_NATT_PORT;
    sa->floated = true;
}

bool initiator_first_contact(const struct sa *sa)
{
    return sa->initiator && sa->peer->sa_count == 1 && sa->peer->child_count == 0;
}

static void send_proof(struct ike *ike, struct sa *sa, const struct dh_work *work)
{
    struct phase1 *p1 = sa->phase1;
    struct draft d;
    memcpy(p1->shared, work->shared, work->shared_len);
    p1->shared_len = work->shared_len;
    const bool is_signed = sa->suite.auth != IKE_AUTH_PSK;
    const struct view psk = is_signed ? VIEW_NONE : secret_view(&sa->peer->connect.psk->key);
    if (keys_derive(sa, psk, p1->skeyid, &sa->keys) != ERR_OK || keys_first_iv(sa, sa->iv) != ERR_OK) {
        sa_failed(ike, sa, CAUSE_IKE_PROTOCOL, "the key schedule failed");
        return;
    }
    initiator_float(ike, sa);
    if (is_signed) {
        signature_ask(ike, sa);
        return;
    }
    proof_write(ike, sa, &d, p1->skeyid, initiator_first_contact(sa));
    const struct view message = crypt_seal(&d, &sa->keys, sa->iv);
    sa->state = SA_MM6_WAIT;
    resend_send(ike, &sa->resend, &sa->path, message, true);
    sa_stage(ike, sa, STAGE_IKE_MM5, sa->floated ? "UDP 4500" : "");
}

void initiator_worked(struct ike *ike, struct sa *sa, const struct dh_work *work)
{
    if (work->result != ERR_OK)
        sa_failed(ike, sa, CAUSE_IKE_PROTOCOL, "the peer's public value is not of its group");
    else if (sa->state == SA_MM3_WORK)
        send_key(ike, sa, work);
    else if (sa->state == SA_MM5_WORK)
        send_proof(ike, sa, work);
}

/* ---- MM6 ---- */

static enum drop proof_read(const struct sa *sa, const struct message *m, uint8_t *iv, uint8_t *plain,
                            struct identity *id)
{
    struct payloads p;
    uint8_t expected[HASH_SIZE_MAX];
    const size_t size = hash_size(sa->suite.hash);
    if (!(m->header.flags & FLAG_ENCRYPTED))
        return DROP_IKE_PLAIN;
    enum drop d = crypt_open(&sa->keys, iv, m->body, plain, MESSAGE_SMALL);
    if (d == DROP_NONE && payloads_parse(m->header.next, view_of(plain, m->body.n), true, &p) != DROP_NONE)
        d = DROP_IKE_DECRYPT;
    if (d == DROP_NONE)
        d = form_check(FORM_MM_ID, &p);
    if (d == DROP_NONE)
        d = identity_parse(payload_body(&p, PAYLOAD_ID), id);
    if (d != DROP_NONE)
        return d;
    const struct view hash = payload_body(&p, PAYLOAD_HASH);
    if (keys_auth_hash(sa, sa->phase1->skeyid, false, payload_body(&p, PAYLOAD_ID), expected) != ERR_OK ||
        hash.n != size || !bytes_equal_ct(expected, hash.p, size))
        return DROP_IKE_HASH;
    return DROP_NONE;
}

void initiator_finish(struct ike *ike, struct sa *sa, const struct who *who)
{
    struct peer *peer = sa->peer;
    peer->who = *who;
    peer_moved(ike, peer, &sa->path, false);
    peer_adopt(ike, peer, sa);
    main_mode_up(ike, sa, false);
    if (peer->quick_due) {
        peer->quick_due = false;
        (void)quick_begin(ike, sa, peer->quick_replaces);
    }
}

enum drop initiator_proof(struct ike *ike, struct sa *sa, const struct message *m)
{
    uint8_t iv[CIPHER_BLOCK_MAX], plain[MESSAGE_SMALL];
    struct identity id;
    struct who who;
    memcpy(iv, sa->iv, sizeof(iv));
    const enum drop d = proof_read(sa, m, iv, plain, &id);
    if (d != DROP_NONE)
        return d;
    memcpy(sa->iv, iv, sizeof(sa->iv));
    sa->path = *m->path;
    digest_take(&sa->last_in, m->whole);
    resend_done(ike, &sa->resend);
    who_is(&who, &id, VIEW_NONE);
    sa_stage(ike, sa, STAGE_IKE_MM6, who.text);
    initiator_finish(ike, sa, &who);
    return DROP_NONE;
}

void initiator_timeout(struct ike *ike, struct sa *sa)
{
    if (sa->probe_of) {
        sa_free(ike, sa);
        return;
    }
    enum cause cause = sa->cause ? sa->cause : CAUSE_IKE_NO_ANSWER;
    const char *detail = "";
    const bool silent = sa->state == SA_MM6_WAIT && !sa->cause; /* to our proof */
    if (silent && sa->floated && !sa->port_open) {
        cause = CAUSE_IKE_NATT_BLOCKED;
    } else if (silent && sa->suite.auth != IKE_AUTH_PSK) {
        cause = CAUSE_CERT_REFUSED;
        detail = "it did not answer; or large datagrams are lost on the way";
    } else if (silent) {
        cause = CAUSE_IKE_WRONG_PSK;
    }
    sa_failed(ike, sa, cause, detail);
}
