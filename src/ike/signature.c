/*
 * Main mode with signatures (RFC 2409 5.1), both roles: MM5 and MM6 carry ID, CERT and SIG instead of ID and HASH,
 * under keys that do not depend on who signs. Making and judging signatures is asked for by events, so that each of the
 * two messages has a state in which it waits:
 *
 *     initiator                          responder
 *     MM4, Diffie-Hellman
 *     SA_MM5_SIGN    our signature
 *     SA_MM6_WAIT            --- MM5 -->  SA_MM5_WAIT
 *                                         SA_MM5_PROOF   the initiator's signature is judged
 *                                         SA_MM6_SIGN    ours, for one who has proved itself
 *     SA_MM6_PROOF           <-- MM6 ---  SA_UP
 *     SA_UP
 *
 * Certificates are sent always, asked for or not: a peer that has ours already loses a few packets by it, while one
 * that forgot to ask could not go on without.
 */
#include "ike/ike_internal.h"

#include <stdlib.h>
#include <string.h>

bool signature_is_out(const struct sa *sa)
{
    return sa->state == SA_MM5_SIGN || sa->state == SA_MM6_PROOF || sa->state == SA_MM5_PROOF ||
           sa->state == SA_MM6_SIGN;
}

/* ---- credentials ---- */

uint32_t signature_auths(const struct ike *ike, const struct path *path)
{
    const struct peer *opened = peer_opened(ike, path);
    uint32_t auths = ike->config.psk_count > 0 ? 1u << IKE_AUTH_PSK : 0;
    if (opened)
        auths |= 1u << opened->auth;
    for (size_t i = 0; i < ike->config.credential_count; i++)
        auths |= 1u << ike->config.credentials[i].auth;
    return auths;
}

static bool is_below(const struct ike_credential *c, struct view authority)
{
    for (size_t i = 0; i < c->issuer_count; i++) {
        if (view_equal(c->issuers[i], authority))
            return true;
    }
    return false;
}

static bool is_requested(const struct ike_credential *c, const struct payloads *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct view authority;
        if (p->at[i].type == PAYLOAD_CERT_REQUEST && request_read(p->at[i].body, &authority) && is_below(c, authority))
            return true;
    }
    return false;
}

void signature_requested(const struct ike *ike, struct sa *sa, const struct payloads *p)
{
    for (size_t i = 0; i < ike->config.credential_count; i++) {
        const struct ike_credential *c = &ike->config.credentials[i];
        if (c->auth != sa->suite.auth || !is_requested(c, p))
            continue;
        memcpy(sa->phase1->credential, c->name, sizeof(c->name));
        return;
    }
}

/* As responder the one that was asked for, else the first of its kind, else the one that we opened the peer with. It is
 * looked up each time: the configuration may change while a signature is out. */
static const struct ike_credential *credential_of(const struct ike *ike, const struct sa *sa)
{
    if (sa->initiator)
        return sa->peer->connect.credential;
    const struct ike_credential *first = NULL;
    for (size_t i = 0; i < ike->config.credential_count; i++) {
        const struct ike_credential *c = &ike->config.credentials[i];
        if (c->auth != sa->suite.auth)
            continue;
        if (strcmp(c->name, sa->phase1->credential) == 0)
            return c;
        if (!first)
            first = c;
    }
    const struct peer *opened = first ? NULL : peer_opened(ike, &sa->path);
    return opened && opened->auth == sa->suite.auth ? opened->connect.credential : first;
}

/* ---- proofs ---- */

/* False when there is no room for it. */
static bool add_certificate(struct ike_proof *proof, struct view der)
{
    const size_t i = proof->certificate_count;
    const size_t at = i == 0 ? 0 : (size_t)proof->certificate_at[i - 1] + proof->certificate_len[i - 1];
    if (i == IKE_PROOF_CERTIFICATES || der.n > sizeof(proof->chain) - at)
        return false;
    memcpy(proof->chain + at, der.p, der.n);
    proof->certificate_at[i] = (uint16_t)at;
    proof->certificate_len[i] = (uint16_t)der.n;
    proof->certificate_count++;
    return true;
}

static void set_identity(struct ike_proof *proof, uint8_t type, struct view data)
{
    proof->id_type = type;
    proof->identity_len = (uint16_t)data.n;
    memcpy(proof->identity, data.p, data.n);
}

static struct view our_identity_body(const struct ike_proof *proof, uint8_t out[static ID_FIXED + IKE_IDENTITY_MAX])
{
    struct writer w = wr_init(out, ID_FIXED + IKE_IDENTITY_MAX);
    wr_u8(&w, proof->id_type);
    wr_zero(&w, ID_FIXED - 1);
    wr_bytes(&w, proof->identity, proof->identity_len);
    return wr_written(&w);
}

/* Everything that we shall say, in one piece: whatever the configuration is when the signature comes back, it belongs
 * to these certificates and this identity. */
static struct ike_proof *our_proof(const struct sa *sa, const struct ike_credential *c)
{
    uint8_t body[ID_FIXED + IKE_IDENTITY_MAX];
    struct ike_proof *proof = c->id.n <= IKE_IDENTITY_MAX ? proof_new() : NULL;
    if (!proof)
        return NULL;
    proof->sign = true;
    proof->auth = c->auth;
    memcpy(proof->credential, c->name, sizeof(proof->credential));
    set_identity(proof, c->id_type, c->id);
    for (size_t i = 0; i < c->certificate_count && add_certificate(proof, c->certificates[i]); i++)
        ;
    proof->hash_len = (uint8_t)keys_auth_size(sa);
    if (keys_auth_hash(sa, sa->phase1->skeyid, sa->initiator, our_identity_body(proof, body), proof->hash) == ERR_OK)
        return proof;
    proof_drop(proof);
    return NULL;
}

void signature_ask(struct ike *ike, struct sa *sa)
{
    const struct ike_credential *c = credential_of(ike, sa);
    if (!c) {
        sa_failed(ike, sa, CAUSE_IKE_AUTH_METHOD, "the credential is gone from the configuration");
        return;
    }
    struct ike_proof *proof = our_proof(sa, c);
    if (!proof || proof_ask(ike, sa, proof) != ERR_OK) {
        sa_failed(ike, sa, CAUSE_NO_MEMORY, "");
        return;
    }
    sa->state = sa->initiator ? SA_MM5_SIGN : SA_MM6_SIGN;
    alarm_set(ike, &sa->expiry, ike->now + PROOF_LIFE);
}

/* Ends it, and tells the peer so if that has its keys and waits for our message or believes that all is well. */
static void refuse(struct ike *ike, struct sa *sa, const struct ike_proof *proof)
{
    struct draft d;
    uint8_t cookies[2 * COOKIE_SIZE];
    memcpy(cookies, sa->cookies.icookie, COOKIE_SIZE);
    memcpy(cookies + COOKIE_SIZE, sa->cookies.rcookie, COOKIE_SIZE);
    info_begin(ike, sa, &d);
    draft_notify(&d, PROTO_ISAKMP, NOTIFY_AUTHENTICATION_FAILED, VIEW(cookies), VIEW_NONE);
    if (sa->initiator)
        sa_delete_write(sa, &d); /* with MM6 main mode was over for the responder */
    sa->path = sa->phase1->path;
    info_send(ike, sa, &d);
    sa_failed(ike, sa, proof->cause ? proof->cause : CAUSE_CERT_SIGNATURE, proof->detail);
}

/* ---- what we say ---- */

static struct view write_ours(const struct ike *ike, struct sa *sa, const struct ike_proof *proof, struct draft *d)
{
    uint8_t body[ID_FIXED + IKE_IDENTITY_MAX];
    draft_put(d, PAYLOAD_ID, our_identity_body(proof, body));
    for (size_t i = 0; i < proof->certificate_count; i++)
        certificate_write(d, view_of(proof->chain + proof->certificate_at[i], proof->certificate_len[i]));
    if (sa->initiator)
        requests_write(d, ike->config.authorities, ike->config.authority_count);
    draft_put(d, PAYLOAD_SIGNATURE, view_of(proof->signature, proof->signature_len));
    if (initiator_first_contact(sa))
        initial_contact_write(sa, d);
    return crypt_seal(d, &sa->keys, sa->iv);
}

static void send_ours(struct ike *ike, struct sa *sa, struct view message)
{
    if (sa->initiator) {
        alarm_clear(ike, &sa->expiry);
        sa->state = SA_MM6_WAIT;
        resend_send(ike, &sa->resend, &sa->path, message, true);
        sa_stage(ike, sa, STAGE_IKE_MM5, sa->floated ? "UDP 4500" : "");
        return;
    }
    const struct phase1 *p1 = sa->phase1;
    sa->path = p1->path;
    struct peer *peer = main_mode_peer(ike, sa, p1->credential, &p1->who);
    if (peer)
        main_mode_finish(ike, sa, peer, message, sa->initial_contact);
    else
        sa_failed(ike, sa, CAUSE_NO_MEMORY, "");
}

static void signed_ours(struct ike *ike, struct sa *sa, const struct ike_proof *proof)
{
    struct draft d;
    if (proof->cause != CAUSE_NONE || proof->signature_len == 0 || proof->signature_len > IKE_SIGNATURE_MAX) {
        if (sa->initiator) /* nobody waits */
            sa_failed(ike, sa, proof->cause ? proof->cause : CAUSE_CERT_SIGNATURE, proof->detail);
        else
            refuse(ike, sa, proof);
        return;
    }
    uint8_t *room = malloc(IKE_MESSAGE_MAX);
    if (!room) {
        sa_failed(ike, sa, CAUSE_NO_MEMORY, "");
        return;
    }
    memcpy(sa->phase1->credential, proof->credential, sizeof(proof->credential));
    draft_begin_in(&d, wr_init(room, IKE_MESSAGE_MAX), &sa->cookies, EXCHANGE_MAIN, 0);
    const struct view message = write_ours(ike, sa, proof, &d);
    if (message.n > 0)
        send_ours(ike, sa, message);
    else
        sa_failed(ike, sa, CAUSE_IKE_PROTOCOL, "our certificates do not fit a message");
    free(room);
}

/* ---- what the peer says ---- */

/* What MM5 or MM6 held. */
struct claim {
    uint8_t *plain; /* IKE_MESSAGE_MAX bytes at most; what follows points into it */
    uint8_t iv[CIPHER_BLOCK_MAX];
    struct payloads payloads;
    struct identity identity;
};

static enum drop read_claim(const struct sa *sa, const struct message *m, struct claim *c)
{
    memcpy(c->iv, sa->iv, sizeof(c->iv));
    if (crypt_open(&sa->keys, c->iv, m->body, c->plain, m->body.n) != DROP_NONE ||
        payloads_parse(m->header.next, view_of(c->plain, m->body.n), true, &c->payloads) != DROP_NONE)
        return DROP_IKE_DECRYPT;
    const enum drop d = form_check(FORM_MM_SIGNED, &c->payloads);
    if (d != DROP_NONE)
        return d;
    const struct view signature = payload_body(&c->payloads, PAYLOAD_SIGNATURE);
    if (signature.n == 0 || signature.n > IKE_SIGNATURE_MAX)
        return DROP_IKE_PAYLOADS;
    return identity_parse(payload_body(&c->payloads, PAYLOAD_ID), &c->identity);
}

static struct ike_proof *their_proof(const struct ike *ike, const struct sa *sa, const struct claim *c)
{
    struct ike_proof *proof = proof_new();
    if (!proof)
        return NULL;
    const struct view signature = payload_body(&c->payloads, PAYLOAD_SIGNATURE);
    proof->auth = sa->suite.auth;
    memcpy(proof->credential, sa->phase1->credential, sizeof(proof->credential));
    proof->signature_len = (uint16_t)signature.n;
    memcpy(proof->signature, signature.p, signature.n);
    set_identity(proof, c->identity.type, c->identity.data);
    for (size_t i = 0; i < c->payloads.n; i++) {
        const struct view der =
            c->payloads.at[i].type == PAYLOAD_CERT ? certificate_read(c->payloads.at[i].body) : VIEW_NONE;
        if (der.n > 0)
            (void)add_certificate(proof, der); /* the judge tells what is missing */
    }
    /* The server, too, may begin main mode anew. */
    const struct peer *opened = sa->initiator ? sa->peer : peer_opened(ike, &sa->path);
    proof->server = opened != NULL;
    if (opened)
        memcpy(proof->expect, opened->connect.expect, sizeof(proof->expect));
    proof->hash_len = (uint8_t)keys_auth_size(sa);
    if (keys_auth_hash(sa, sa->phase1->skeyid, !sa->initiator, payload_body(&c->payloads, PAYLOAD_ID), proof->hash) ==
        ERR_OK)
        return proof;
    proof_drop(proof);
    return NULL;
}

/* The message was whole and under our keys: it is judged, and no other is taken in its place. */
static enum drop take_claim(struct ike *ike, struct sa *sa, const struct message *m, const struct claim *c)
{
    struct phase1 *p1 = sa->phase1;
    if (!sa->initiator)
        signature_requested(ike, sa, &c->payloads);
    struct ike_proof *proof = their_proof(ike, sa, c);
    if (!proof || proof_ask(ike, sa, proof) != ERR_OK)
        return DROP_NO_MEMORY;
    sa->state = sa->initiator ? SA_MM6_PROOF : SA_MM5_PROOF;
    sa->cause = CAUSE_NONE;
    sa->initial_contact |= payloads_initial_contact(&c->payloads);
    memcpy(sa->iv, c->iv, sizeof(sa->iv));
    p1->path = *m->path;
    who_is(&p1->who, &c->identity, VIEW_NONE);
    digest_take(&sa->last_in, m->whole);
    resend_done(ike, &sa->resend);
    alarm_set(ike, &sa->expiry, ike->now + PROOF_LIFE);
    sa_stage(ike, sa, sa->initiator ? STAGE_IKE_MM6 : STAGE_IKE_MM5, p1->who.text);
    return DROP_NONE;
}

enum drop signature_input(struct ike *ike, struct sa *sa, const struct message *m)
{
    struct claim c;
    if (!(m->header.flags & FLAG_ENCRYPTED))
        return DROP_IKE_PLAIN;
    if (!sa->initiator && !proof_allowed(ike))
        return DROP_IKE_FLOOD;
    c.plain = malloc(m->body.n + 1); /* of nothing, too */
    if (!c.plain)
        return DROP_NO_MEMORY;
    enum drop d = read_claim(sa, m, &c);
    if (d == DROP_NONE)
        d = take_claim(ike, sa, m, &c);
    free(c.plain);
    return d;
}

static void judged_theirs(struct ike *ike, struct sa *sa, const struct ike_proof *proof)
{
    if (proof->cause != CAUSE_NONE) {
        refuse(ike, sa, proof);
        return;
    }
    struct who who;
    const struct identity id = {.type = proof->id_type, .data = view_of(proof->identity, proof->identity_len)};
    who_is(&who, &id, view_of(proof->subject, strnlen(proof->subject, sizeof(proof->subject))));
    if (sa->initiator) {
        sa->path = sa->phase1->path;
        initiator_finish(ike, sa, &who);
    } else {
        sa->phase1->who = who;
        signature_ask(ike, sa);
    }
}

void signature_proved(struct ike *ike, struct sa *sa, const struct ike_proof *proof)
{
    if (sa->state == SA_MM5_SIGN || sa->state == SA_MM6_SIGN)
        signed_ours(ike, sa, proof);
    else if (sa->state == SA_MM5_PROOF || sa->state == SA_MM6_PROOF)
        judged_theirs(ike, sa, proof);
}

/* ---- a refusal ---- */

enum drop signature_refused(struct ike *ike, struct sa *sa, const struct payloads *p)
{
    struct notify n;
    const struct payload *notify = payload_nth(p, PAYLOAD_NOTIFY, 0);
    if (!notify || notify_parse(notify->body, &n) != DROP_NONE || !notify_is_error(n.type))
        return DROP_IKE_STATE;
    sa_failed(ike, sa, CAUSE_CERT_REFUSED, notify_word(n.type));
    return DROP_NONE;
}
