/*
 * Aggressive mode as initiator with a pre-shared key (RFC 2409 5.4), for servers that take nothing else: they find the
 * key by the identity, which here comes first and in clear. Diffie-Hellman cannot be agreed upon, so all offers are of
 * one group; and whoever sees the responder's hash, or asks for it in our place, may guess keys against it at leisure.
 *
 * The responder's proof is checked before ours is sent. If it does not match it may have been forged, so we wait a
 * little for a better one. Our third message is the last, and nothing confirms it: it goes again with each repetition
 * of what follows. We never answer aggressive mode.
 */
#include "ike/ike_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- AM1 ---- */

/* The public value first: AM1 needs it. */
enum err aggressive_begin(struct ike *ike, struct sa *sa, enum dh_group group)
{
    struct phase1 *p1 = sa->phase1;
    sa->suite.group = group;
    sa->state = SA_AM1_WORK;
    random_fill(&ike->env.random, p1->dh_private, dh_private_size(group));
    return work_ask(ike, &p1->dh, group, p1->dh_private, VIEW_NONE);
}

static void send_first(struct ike *ike, struct sa *sa, const struct dh_work *work)
{
    struct phase1 *p1 = sa->phase1;
    struct draft d;
    memcpy(p1->ke_i, work->public_key, work->public_len);
    p1->ke_len = work->public_len;
    p1->nonce_i_len = NONCE_OURS;
    random_fill(&ike->env.random, p1->nonce_i, NONCE_OURS);
    draft_begin(&d, &sa->cookies, EXCHANGE_AGGRESSIVE, 0);
    draft_put(&d, PAYLOAD_SA, view_of(p1->sa_body, p1->sa_len));
    draft_put(&d, PAYLOAD_KE, view_of(p1->ke_i, p1->ke_len));
    draft_put(&d, PAYLOAD_NONCE, view_of(p1->nonce_i, p1->nonce_i_len));
    draft_payload(&d, PAYLOAD_ID);
    our_identity_write(ike, &d.w, sa);
    draft_payload_end(&d);
    first_vendors_write(ike, &d);
    sa->state = SA_AM2_WAIT;
    resend_send(ike, &sa->resend, &sa->path, draft_finish(&d), true);
    sa_stage(ike, sa, STAGE_IKE_AM1, "");
}

/* ---- AM2 ---- */

static enum drop judge(const struct ike *ike, const struct sa *sa, const struct message *m, const struct payloads *p,
                       struct suite *suite)
{
    struct identity id;
    struct view ke, nonce;
    if (cookie_key(m->header.rcookie) == 0 || memcmp(m->header.rcookie, m->header.icookie, COOKIE_SIZE) == 0)
        return DROP_IKE_COOKIE;
    enum drop d = form_check(FORM_AM, p);
    if (d == DROP_NONE)
        d = initiator_judge(ike, sa->peer, payload_body(p, PAYLOAD_SA), suite);
    if (d == DROP_NONE)
        d = key_message_read(suite->group, p, &ke, &nonce);
    if (d == DROP_NONE && view_equal(ke, view_of(sa->phase1->ke_i, sa->phase1->ke_len)))
        d = DROP_IKE_KE; /* our own value, sent back */
    if (d == DROP_NONE)
        d = identity_parse(payload_body(p, PAYLOAD_ID), &id);
    if (d == DROP_NONE && payload_body(p, PAYLOAD_HASH).n != hash_size(suite->hash))
        d = DROP_IKE_HASH;
    return d;
}

/* All of it, since the shared secret must come before the hash can be checked. */
static void take(const struct ike *ike, struct sa *sa, const struct message *m, const struct payloads *p)
{
    struct phase1 *p1 = sa->phase1;
    const struct view ke = payload_body(p, PAYLOAD_KE), nonce = payload_body(p, PAYLOAD_NONCE);
    const struct view id = payload_body(p, PAYLOAD_ID), hash = payload_body(p, PAYLOAD_HASH);
    memcpy(sa->cookies.rcookie, m->header.rcookie, COOKIE_SIZE);
    memcpy(p1->ke_r, ke.p, ke.n);
    memcpy(p1->nonce_r, nonce.p, nonce.n);
    p1->nonce_r_len = (uint16_t)nonce.n;
    memcpy(p1->id_r, id.p, id.n);
    p1->id_r_len = (uint16_t)id.n;
    memcpy(p1->hash_r, hash.p, hash.n);
    p1->path = *m->path;
    vendors_read(p, &sa->vendors);
    sa->natt = ike->config.encap == IKE_ENCAP_OFF ? NATT_NONE : vendors_natt(&sa->vendors);
    natt_detect(sa, p, m->path);
    digest_take(&sa->last_in, m->whole);
}

static enum drop second(struct ike *ike, struct sa *sa, const struct message *m)
{
    struct payloads p;
    struct suite suite;
    if (m->header.flags & FLAG_ENCRYPTED)
        return DROP_IKE_STATE;
    if (digest_matches(&sa->refused_in, m->whole))
        return DROP_IKE_REPEATED;
    if (sa->proofs >= PROOFS_MAX)
        return DROP_IKE_LIMIT;
    enum drop d = payloads_parse(m->header.next, m->body, false, &p);
    if (d == DROP_NONE)
        d = judge(ike, sa, m, &p, &suite);
    if (d != DROP_NONE)
        return d;
    sa->state = SA_AM3_WORK;
    if (work_ask(ike, &sa->phase1->dh, suite.group, sa->phase1->dh_private, payload_body(&p, PAYLOAD_KE)) != ERR_OK) {
        sa->state = SA_AM2_WAIT;
        return DROP_NO_MEMORY;
    }
    sa->suite = suite;
    take(ike, sa, m, &p);
    return DROP_NONE;
}

enum drop aggressive_input(struct ike *ike, struct sa *sa, const struct message *m)
{
    if (m->header.message_id != 0)
        return DROP_IKE_STATE;
    if (sa->state == SA_AM2_WAIT)
        return second(ike, sa, m);
    if (!sa->aggressive || !digest_matches(&sa->last_in, m->whole))
        return DROP_IKE_STATE;
    if (sa->state == SA_UP)
        resend_answer(ike, &sa->resend, &sa->path);
    return DROP_IKE_REPEATED;
}

/* ---- AM3 ---- */

static bool is_proved(struct sa *sa)
{
    struct phase1 *p1 = sa->phase1;
    uint8_t expected[HASH_SIZE_MAX];
    return keys_derive(sa, secret_view(&sa->peer->connect.psk->key), p1->skeyid, &sa->keys) == ERR_OK &&
           keys_first_iv(sa, sa->iv) == ERR_OK &&
           keys_auth_hash(sa, p1->skeyid, false, view_of(p1->id_r, p1->id_r_len), expected) == ERR_OK &&
           bytes_equal_ct(expected, p1->hash_r, hash_size(sa->suite.hash));
}

/* A wrong key, or somebody who was faster than the responder. */
static void wait_for_better(struct ike *ike, struct sa *sa)
{
    sa->refused_in = sa->last_in;
    sa->last_in.set = false;
    sa->proofs++;
    sa->state = SA_AM2_WAIT;
    sa->natt_agreed = sa->nat_local = sa->nat_remote = false;
    memset(sa->cookies.rcookie, 0, COOKIE_SIZE);
    (void)hint_take(ike, sa, CAUSE_IKE_WRONG_PSK);
}

static void send_last(struct ike *ike, struct sa *sa)
{
    uint8_t id[ID_FIXED + IKE_IDENTITY_MAX], hash[HASH_SIZE_MAX];
    struct writer w = wr_init(id, sizeof(id));
    struct draft d;
    our_identity_write(ike, &w, sa);
    initiator_float(ike, sa);
    draft_begin(&d, &sa->cookies, EXCHANGE_AGGRESSIVE, 0);
    if (keys_auth_hash(sa, sa->phase1->skeyid, true, wr_written(&w), hash) != ERR_OK)
        return;
    draft_put(&d, PAYLOAD_HASH, view_of(hash, hash_size(sa->suite.hash)));
    natd_write(ike, sa, &d);
    resend_send(ike, &sa->resend, &sa->path, crypt_seal(&d, &sa->keys, sa->iv), false);
}

static void prove(struct ike *ike, struct sa *sa, const struct dh_work *work)
{
    struct phase1 *p1 = sa->phase1;
    struct identity id;
    struct who who;
    char text[SUITE_TEXT_MAX];
    memcpy(p1->shared, work->shared, work->shared_len);
    p1->shared_len = work->shared_len;
    if (!is_proved(sa) || identity_parse(view_of(p1->id_r, p1->id_r_len), &id) != DROP_NONE) {
        wait_for_better(ike, sa);
        return;
    }
    hint_forget(ike, sa);
    sa->path = p1->path;
    who_is(&who, &id, VIEW_NONE);
    sa_stage(ike, sa, STAGE_IKE_AM2, suite_text(&sa->suite, text));
    send_last(ike, sa);
    sa_stage(ike, sa, STAGE_IKE_AM3, sa->floated ? "UDP 4500" : "");
    initiator_finish(ike, sa, &who);
}

void aggressive_worked(struct ike *ike, struct sa *sa, const struct dh_work *work)
{
    if (sa->state == SA_AM1_WORK && work->result == ERR_OK)
        send_first(ike, sa, work);
    else if (sa->state == SA_AM1_WORK)
        sa_failed(ike, sa, CAUSE_IKE_PROTOCOL, "the group failed");
    else if (work->result == ERR_OK)
        prove(ike, sa, work);
    else
        wait_for_better(ike, sa);
}

void aggressive_remind(struct ike *ike, struct sa *sa)
{
    if (sa->aggressive && !sa->heard)
        resend_answer(ike, &sa->resend, &sa->path);
}
