/*
 * Main mode as responder (RFC 2409 5.4): MM1 to a half-open entry, MM3 to an IKE SA with Diffie-Hellman out, MM5 to an
 * authenticated peer. With a pre-shared key the identity is known only after decryption, which needs the key; so from
 * addresses without a key of their own every key for any address is tried on MM5. With signatures MM5 is signature.c's.
 */
#include "ike/ike_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- MM1, MM2 ---- */

static enum vendor natt_vendor(enum natt natt)
{
    switch (natt) {
    case NATT_DRAFT_02:
        return VENDOR_NATT_02;
    case NATT_DRAFT_02_N:
        return VENDOR_NATT_02_N;
    case NATT_DRAFT_03:
        return VENDOR_NATT_03;
    case NATT_NONE:
    case NATT_RFC_3947:
    default:
        return VENDOR_NATT_RFC;
    }
}

static enum natt natt_choose(const struct ike *ike, const struct vendors *v)
{
    return ike->config.encap == IKE_ENCAP_OFF ? NATT_NONE : vendors_natt(v);
}

/* The answer follows from the entry alone, so that a repeated MM1 gets the same one. */
static void send_choice(struct ike *ike, const struct half_open *h)
{
    struct offer offer;
    struct draft d;
    if (offer_parse(view_of(h->sa_body, h->sa_len), &offer) != DROP_NONE || h->choice >= offer.transform_count)
        return;
    const struct transform *t = &offer.transforms[h->choice];
    draft_begin(&d, &h->cookies, EXCHANGE_MAIN, 0);
    draft_payload(&d, PAYLOAD_SA);
    offer_write_choice(&d.w, &offer, t, offer.proposals[t->proposal].spi);
    draft_payload_end(&d);
    const enum natt natt = natt_choose(ike, &h->vendors);
    if (natt != NATT_NONE)
        draft_vendor(&d, natt_vendor(natt));
    if (vendors_have(&h->vendors, VENDOR_DPD))
        draft_vendor(&d, VENDOR_DPD);
    if (vendors_have(&h->vendors, VENDOR_FRAGMENTATION))
        draft_vendor(&d, VENDOR_FRAGMENTATION);
    queue_datagram(ike, &h->path, draft_finish(&d));
}

static void stage_of_half_open(struct ike *ike, const struct half_open *h, enum stage stage, const char *detail)
{
    /* In a flood each of these tells nothing. */
    const bool flood = ike->half_open_used > ike->half_open_cap / 2;
    struct ike_event *e = flood ? NULL : queue_event(ike, IKE_EVENT_STAGE);
    if (!e)
        return;
    e->attempt = h->attempt;
    e->path = h->path;
    e->stage = stage;
    snprintf(e->detail, sizeof(e->detail), "%s", detail);
}

static enum drop refuse_proposal(struct ike *ike, const struct message *m, const struct offer *offer)
{
    struct suite suite;
    if (!notice_allowed(ike))
        return DROP_IKE_PROPOSAL;
    struct ike_event *e = queue_event(ike, IKE_EVENT_FAILED);
    if (e) {
        e->attempt = ++ike->attempts;
        e->path = *m->path;
        e->stage = STAGE_IKE_MM1;
        e->cause = policy_choose_ike(ike->config.policy, AUTHS_ALL, offer, &suite) ? CAUSE_IKE_AUTH_METHOD
                                                                                   : CAUSE_IKE_NO_PROPOSAL;
        policy_explain_ike(ike->config.policy, offer, e->detail, sizeof(e->detail));
    }
    info_refuse(ike, m, NOTIFY_NO_PROPOSAL_CHOSEN);
    return DROP_IKE_PROPOSAL;
}

static enum drop repeat_choice(struct ike *ike, struct half_open *h, const struct message *m)
{
    if (!digest_matches(&h->mm1, m->whole))
        return DROP_IKE_STATE;
    if (h->answers < REPEATS_MAX) {
        h->answers++;
        send_choice(ike, h);
    }
    return DROP_IKE_REPEATED;
}

enum drop main_mode_first(struct ike *ike, const struct message *m)
{
    struct payloads p;
    struct offer offer;
    struct suite suite;
    if (cookie_key(m->header.icookie) == 0)
        return DROP_IKE_COOKIE;
    struct half_open *known = half_open_find_initiator(ike, &m->header, m->path);
    if (known)
        return repeat_choice(ike, known, m);
    enum drop d = payloads_parse(m->header.next, m->body, false, &p);
    if (d == DROP_NONE)
        d = form_check(FORM_MM_SA, &p);
    const struct view body = payload_body(&p, PAYLOAD_SA);
    if (d == DROP_NONE)
        d = body.n > SA_PAYLOAD_MAX ? DROP_IKE_LIMIT : offer_parse(body, &offer);
    if (d != DROP_NONE)
        return d;
    const struct transform *choice =
        policy_choose_ike(ike->config.policy, signature_auths(ike, m->path), &offer, &suite);
    if (!choice)
        return refuse_proposal(ike, m, &offer);
    struct half_open *h = half_open_take(ike, m);
    if (!h)
        return DROP_IKE_FLOOD;
    h->suite = suite;
    h->choice = (uint16_t)(choice - offer.transforms);
    h->sa_len = (uint16_t)body.n;
    memcpy(h->sa_body, body.p, body.n);
    vendors_read(&p, &h->vendors);
    char text[SUITE_TEXT_MAX];
    stage_of_half_open(ike, h, STAGE_IKE_MM1, vendors_kind(&h->vendors));
    stage_of_half_open(ike, h, STAGE_IKE_MM2, suite_text(&suite, text));
    send_choice(ike, h);
    return DROP_NONE;
}

/* ---- MM3, MM4 ---- */

enum drop main_mode_key(struct ike *ike, struct half_open *h, const struct message *m)
{
    struct payloads p;
    struct view ke, nonce;
    /* Our cookie came back from the address that we sent it to: that address is real. */
    if (!ip_equal(&h->path.remote.addr, &m->path->remote.addr))
        return DROP_IKE_COOKIE;
    enum drop d = payloads_parse(m->header.next, m->body, false, &p);
    if (d == DROP_NONE)
        d = key_message_read(h->suite.group, &p, &ke, &nonce);
    if (d != DROP_NONE)
        return d;
    /* The entry stays, so that the client's repetition finds it. */
    if (!work_allowed(ike))
        return DROP_IKE_FLOOD;
    struct sa *sa = sa_new(ike, false, m->path, &h->cookies, h->attempt);
    if (!sa)
        return DROP_IKE_LIMIT;
    struct phase1 *p1 = sa->phase1;
    sa->state = SA_MM4_WORK;
    sa->suite = h->suite;
    sa->vendors = h->vendors;
    sa->natt = natt_choose(ike, &h->vendors);
    sa->initial_contact = vendors_have(&h->vendors, VENDOR_INITIAL_CONTACT);
    memcpy(p1->sa_body, h->sa_body, h->sa_len);
    p1->sa_len = h->sa_len;
    memcpy(p1->ke_i, ke.p, ke.n);
    p1->ke_len = (uint16_t)ke.n;
    memcpy(p1->nonce_i, nonce.p, nonce.n);
    p1->nonce_i_len = (uint16_t)nonce.n;
    p1->nonce_r_len = NONCE_OURS;
    random_fill(&ike->env.random, p1->nonce_r, NONCE_OURS);
    natt_detect(sa, &p, m->path);
    signature_requested(ike, sa, &p);
    digest_take(&sa->last_in, m->whole);
    if (work_ask(ike, &p1->dh, sa->suite.group, NULL, ke) != ERR_OK) {
        sa_free(ike, sa);
        return DROP_NO_MEMORY;
    }
    half_open_drop(ike, h);
    sa_stage(ike, sa, STAGE_IKE_MM3, sa->nat_remote ? "NAT" : "");
    return DROP_NONE;
}

void main_mode_worked(struct ike *ike, struct sa *sa, const struct dh_work *work)
{
    struct phase1 *p1 = sa->phase1;
    struct draft d;
    if (work->result != ERR_OK || work->public_len != p1->ke_len) {
        sa_failed(ike, sa, CAUSE_IKE_PROTOCOL, "the peer's public value is not of its group");
        return;
    }
    memcpy(p1->ke_r, work->public_key, work->public_len);
    memcpy(p1->shared, work->shared, work->shared_len);
    p1->shared_len = work->shared_len;
    const bool is_signed = sa->suite.auth != IKE_AUTH_PSK;
    if (is_signed &&
        (keys_derive(sa, VIEW_NONE, p1->skeyid, &sa->keys) != ERR_OK || keys_first_iv(sa, sa->iv) != ERR_OK)) {
        sa_failed(ike, sa, CAUSE_IKE_PROTOCOL, "the key schedule failed");
        return;
    }
    draft_begin(&d, &sa->cookies, EXCHANGE_MAIN, 0);
    key_message_write(ike, sa, &d, view_of(p1->ke_r, p1->ke_len), view_of(p1->nonce_r, p1->nonce_r_len));
    if (is_signed)
        requests_write(&d, ike->config.authorities, ike->config.authority_count);
    sa->state = SA_MM5_WAIT;
    resend_send(ike, &sa->resend, &sa->path, draft_finish(&d), false);
    sa_stage(ike, sa, STAGE_IKE_MM4, "");
}

/* ---- MM5, MM6 ---- */

/* What MM5 gives under the right key. */
struct proof {
    struct keys keys;
    uint8_t skeyid[HASH_SIZE_MAX];
    uint8_t iv[CIPHER_BLOCK_MAX];
    uint8_t plain[MESSAGE_SMALL];
    struct payloads payloads;
    struct identity identity;
    const struct ike_psk *psk;
};

static bool try_key(const struct sa *sa, const struct message *m, const struct ike_psk *psk, struct proof *out)
{
    uint8_t expected[HASH_SIZE_MAX];
    const size_t size = hash_size(sa->suite.hash);
    out->psk = psk;
    if (keys_derive(sa, secret_view(&psk->key), out->skeyid, &out->keys) != ERR_OK ||
        keys_first_iv(sa, out->iv) != ERR_OK ||
        crypt_open(&out->keys, out->iv, m->body, out->plain, sizeof(out->plain)) != DROP_NONE)
        return false;
    if (payloads_parse(m->header.next, view_of(out->plain, m->body.n), true, &out->payloads) != DROP_NONE ||
        form_check(FORM_MM_ID, &out->payloads) != DROP_NONE)
        return false;
    const struct view id = payload_body(&out->payloads, PAYLOAD_ID);
    const struct view hash = payload_body(&out->payloads, PAYLOAD_HASH);
    return identity_parse(id, &out->identity) == DROP_NONE && hash.n == size &&
           keys_auth_hash(sa, out->skeyid, true, id, expected) == ERR_OK && bytes_equal_ct(expected, hash.p, size);
}

/* Keys for the peer's address first, then those for any, then the one that we opened this peer with. */
static bool try_keys(const struct ike *ike, const struct sa *sa, const struct message *m, struct proof *out)
{
    for (int any = 0; any <= 1; any++) {
        for (size_t i = 0; i < ike->config.psk_count; i++) {
            const struct ike_psk *psk = &ike->config.psks[i];
            const bool fits = any ? psk->peer.family == 0 : ip_equal(&psk->peer, &sa->path.remote.addr);
            if (fits && (any || psk->peer.family != 0) && try_key(sa, m, psk, out))
                return true;
        }
    }
    const struct peer *opened = peer_opened(ike, &sa->path);
    return opened && opened->auth == IKE_AUTH_PSK && try_key(sa, m, opened->connect.psk, out);
}

bool payloads_initial_contact(const struct payloads *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct notify n;
        if (p->at[i].type == PAYLOAD_NOTIFY && notify_parse(p->at[i].body, &n) == DROP_NONE &&
            n.type == NOTIFY_INITIAL_CONTACT)
            return true;
    }
    return false;
}

void our_identity_write(const struct ike *ike, struct writer *w, const struct sa *sa)
{
    const struct peer *opened = sa->initiator ? sa->peer : peer_opened(ike, &sa->path);
    const char *identity = opened ? opened->connect.identity : "";
    if (identity[0] != '\0')
        identity_write_text(w, identity);
    else
        identity_write(w, &sa->path.local.addr, 0, 0);
}

void proof_write(const struct ike *ike, const struct sa *sa, struct draft *d, const uint8_t *skeyid,
                 bool initial_contact)
{
    uint8_t id[ID_FIXED + IKE_IDENTITY_MAX], hash[HASH_SIZE_MAX];
    struct writer w = wr_init(id, sizeof(id));
    our_identity_write(ike, &w, sa);
    draft_begin(d, &sa->cookies, EXCHANGE_MAIN, 0);
    if (keys_auth_hash(sa, skeyid, sa->initiator, wr_written(&w), hash) != ERR_OK)
        return;
    draft_put(d, PAYLOAD_ID, wr_written(&w));
    draft_put(d, PAYLOAD_HASH, view_of(hash, hash_size(sa->suite.hash)));
    if (initial_contact)
        initial_contact_write(sa, d);
}

void initial_contact_write(const struct sa *sa, struct draft *d)
{
    uint8_t cookies[2 * COOKIE_SIZE];
    memcpy(cookies, sa->cookies.icookie, COOKIE_SIZE);
    memcpy(cookies + COOKIE_SIZE, sa->cookies.rcookie, COOKIE_SIZE);
    draft_notify(d, PROTO_ISAKMP, NOTIFY_INITIAL_CONTACT, VIEW(cookies), VIEW_NONE);
}

void main_mode_up(struct ike *ike, struct sa *sa, bool initial_contact)
{
    struct peer *peer = sa->peer;
    char text[SUITE_TEXT_MAX];
    peer->vendors = sa->vendors;
    peer->dpd = vendors_have(&sa->vendors, VENDOR_DPD);
    peer->alive = ike->now;
    peer->own_address = sa_own_address(sa);
    struct ike_event *e = sa_event(ike, sa, IKE_EVENT_UP);
    if (e) {
        e->auth = peer->auth;
        memcpy(e->psk, peer->key_name, sizeof(e->psk));
        memcpy(e->identity, peer->who.text, sizeof(e->identity));
        e->nat_local = sa->nat_local;
        e->nat_remote = sa->nat_remote;
        e->initial_contact = initial_contact;
        snprintf(e->detail, sizeof(e->detail), "%s, %s", vendors_kind(&sa->vendors), suite_text(&sa->suite, text));
    }
    sa_established(ike, sa);
    peer_watch(ike, peer);
}

struct peer *main_mode_peer(struct ike *ike, const struct sa *sa, const char *key_name, const struct who *who)
{
    struct peer *peer = peer_find(ike, sa, key_name, who);
    if (peer) {
        peer_moved(ike, peer, &sa->path, false); /* UP tells it */
        return peer;
    }
    peer =
        ike_serves(&ike->config) ? peer_new(ike, &sa->path) : NULL; /* a client has no peers but those that it opened */
    if (!peer)
        return NULL;
    peer->auth = sa->suite.auth;
    peer->who = *who;
    snprintf(peer->key_name, sizeof(peer->key_name), "%s", key_name);
    return peer;
}

void main_mode_finish(struct ike *ike, struct sa *sa, struct peer *peer, struct view mm6, bool initial_contact)
{
    peer_adopt(ike, peer, sa);
    resend_send(ike, &sa->resend, &sa->path, mm6, false);
    sa_stage(ike, sa, STAGE_IKE_MM6, "");
    main_mode_up(ike, sa, initial_contact);
    if (initial_contact)
        peer_drop_older(ike, peer, sa);
}

static enum drop proof_failed(struct ike *ike, struct sa *sa, const struct message *m)
{
    digest_take(&sa->refused_in, m->whole);
    if (sa->proofs++ == 0)
        sa_told(ike, sa, CAUSE_IKE_WRONG_PSK, vendors_kind(&sa->vendors));
    return DROP_IKE_DECRYPT;
}

static enum drop proof_accept(struct ike *ike, struct sa *sa, const struct message *m, struct proof *proof)
{
    struct draft d;
    struct who who;
    who_is(&who, &proof->identity, VIEW_NONE);
    sa->path = *m->path;
    sa->initial_contact |= payloads_initial_contact(&proof->payloads);
    struct peer *peer = main_mode_peer(ike, sa, proof->psk->name, &who);
    if (!peer) {
        sa_failed(ike, sa, CAUSE_NO_MEMORY, "");
        return DROP_IKE_LIMIT;
    }
    sa->keys = proof->keys;
    proof_write(ike, sa, &d, proof->skeyid, false);
    const struct view answer = crypt_seal(&d, &sa->keys, proof->iv);
    memcpy(sa->iv, proof->iv, sizeof(sa->iv));
    digest_take(&sa->last_in, m->whole);
    sa_stage(ike, sa, STAGE_IKE_MM5, who.text);
    main_mode_finish(ike, sa, peer, answer, sa->initial_contact);
    return DROP_NONE;
}

static enum drop main_mode_proof(struct ike *ike, struct sa *sa, const struct message *m)
{
    struct proof proof;
    if (!(m->header.flags & FLAG_ENCRYPTED))
        return DROP_IKE_PLAIN;
    if (digest_matches(&sa->refused_in, m->whole))
        return DROP_IKE_REPEATED;
    if (sa->proofs >= PROOFS_MAX)
        return DROP_IKE_DECRYPT;
    const enum drop d = try_keys(ike, sa, m, &proof) ? proof_accept(ike, sa, m, &proof) : proof_failed(ike, sa, m);
    bytes_wipe(&proof, sizeof(proof));
    return d;
}

enum drop main_mode_input(struct ike *ike, struct sa *sa, const struct message *m)
{
    const bool is_signed = sa->suite.auth != IKE_AUTH_PSK;
    if (digest_matches(&sa->last_in, m->whole)) {
        if (!sa->initiator)
            resend_answer(ike, &sa->resend, &sa->path);
        return DROP_IKE_REPEATED;
    }
    switch (sa->state) {
    case SA_MM2_WAIT:
        return initiator_choice(ike, sa, m);
    case SA_MM4_WAIT:
        return initiator_key(ike, sa, m);
    case SA_MM6_WAIT:
        return is_signed ? signature_input(ike, sa, m) : initiator_proof(ike, sa, m);
    case SA_MM5_WAIT:
        return is_signed ? signature_input(ike, sa, m) : main_mode_proof(ike, sa, m);
    case SA_MM3_WORK:
    case SA_MM4_WORK:
    case SA_MM5_WORK:
    case SA_MM5_SIGN:
    case SA_MM6_PROOF:
    case SA_MM5_PROOF:
    case SA_MM6_SIGN:
    case SA_AM1_WORK:
    case SA_AM2_WAIT:
    case SA_AM3_WORK:
    case SA_UP:
        break;
    }
    return DROP_IKE_STATE;
}
