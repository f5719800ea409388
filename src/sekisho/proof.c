/*
 * Certificates: who we are, whom we trust, and the slow answers to STACK_EVENT_PROOF. A signature is made or judged on
 * a thread that lives for this one question, since judging may ask the authority over the network. Whoever asked may be
 * gone when the answer comes; what both need is held by both, and the later of them frees it.
 */
#include "sekisho/sekisho_internal.h"

#include "pki/pki.h"
#include "revocation/revocation.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define OWN_NAME "own"

struct identity {
    atomic_int holders;
    struct pki_credential *own;
    struct pki_trust *trust;
    struct revocation *revocation;
    struct ike_credential credential; /* views into own */
};

struct judgement {
    atomic_int holders;
    atomic_bool done;
    int fd;
    struct identity *identity;
    struct ike_proof *proof;
};

/* ---- who we are ---- */

static const enum ike_auth auths[] = {
    [PKI_KEY_RSA] = IKE_AUTH_RSA,
    [PKI_KEY_ECDSA_256] = IKE_AUTH_ECDSA_256,
    [PKI_KEY_ECDSA_384] = IKE_AUTH_ECDSA_384,
    [PKI_KEY_ECDSA_521] = IKE_AUTH_ECDSA_521,
};

void identity_drop(struct identity *identity)
{
    if (!identity || atomic_fetch_sub(&identity->holders, 1) != 1)
        return;
    revocation_free(identity->revocation);
    pki_trust_free(identity->trust);
    pki_credential_free(identity->own);
    free(identity);
}

static void describe(struct identity *identity)
{
    struct ike_credential *c = &identity->credential;
    const struct pki_id id = pki_credential_id(identity->own);
    strcpy(c->name, OWN_NAME);
    c->auth = auths[pki_credential_key(identity->own)];
    c->id_type = id.type;
    c->id = id.body;
    c->certificates = pki_credential_certificates(identity->own, &c->certificate_count);
    c->issuers = pki_credential_issuers(identity->own, &c->issuer_count);
}

static bool read_all(struct identity *identity, const struct settings *s, char why[static PKI_WHY_MAX])
{
    const struct sekisho_options *o = &s->text;
    const struct revocation_config revocation = {.mode = REVOCATION_ANY, .refuse_silent = s->refuse_silent};
    const struct view key = o->private_key ? view_of(o->private_key, o->private_key_size) : VIEW_NONE;
    if (!o->authorities) {
        snprintf(why, PKI_WHY_MAX, "With a certificate, the authorities are needed that the server's must lead to.");
        return false;
    }
    if (pki_credential_read(view_of(o->certificate, o->certificate_size), key, o->certificate_password, &identity->own,
                            why) != ERR_OK)
        return false;
    identity->trust = pki_trust_new();
    identity->revocation = revocation_new(&revocation);
    if (identity->trust && identity->revocation)
        return pki_trust_add_authorities(identity->trust, view_of(o->authorities, o->authorities_size), why) == ERR_OK;
    snprintf(why, PKI_WHY_MAX, "There is no memory left.");
    return false;
}

struct identity *identity_new(const struct settings *s, char *why, size_t cap)
{
    char text[PKI_WHY_MAX] = "There is no memory left.";
    struct identity *identity = calloc(1, sizeof(*identity));
    if (identity) {
        atomic_store(&identity->holders, 1);
        if (read_all(identity, s, text)) {
            describe(identity);
            return identity;
        }
    }
    snprintf(why, cap, "%s", text);
    identity_drop(identity);
    return NULL;
}

const struct ike_credential *identity_credential(const struct identity *identity)
{
    return &identity->credential;
}

const struct view *identity_authorities(const struct identity *identity, size_t *n)
{
    return pki_trust_names(identity->trust, n);
}

/* ---- the answers ---- */

static void sign(const struct identity *identity, struct ike_proof *proof)
{
    size_t n = 0;
    if (pki_sign(identity->own, view_of(proof->hash, proof->hash_len), proof->signature, &n) != ERR_OK) {
        proof->cause = CAUSE_CERT_SIGNATURE;
        return;
    }
    proof->signature_len = (uint16_t)n;
    proof->cause = CAUSE_NONE;
}

static enum pki_key key_of(enum ike_auth auth)
{
    for (size_t i = 0; i < ARRAY_LEN(auths); i++)
        if (auths[i] == auth && i != PKI_KEY_NONE)
            return (enum pki_key)i;
    return PKI_KEY_NONE;
}

static void judge(const struct identity *identity, struct ike_proof *proof)
{
    struct view certificates[IKE_PROOF_CERTIFICATES];
    struct pki_verdict verdict;
    char detail[PKI_WHY_MAX] = "";
    for (size_t i = 0; i < proof->certificate_count; i++)
        certificates[i] = view_of(proof->chain + proof->certificate_at[i], proof->certificate_len[i]);
    const struct pki_presented presented = {
        .certificates = certificates,
        .certificate_count = proof->certificate_count,
        .key = key_of(proof->auth),
        .hash = view_of(proof->hash, proof->hash_len),
        .signature = view_of(proof->signature, proof->signature_len),
        .id = {proof->id_type, view_of(proof->identity, proof->identity_len)},
        .expect = proof->expect,
        .server = true,
    };
    pki_verify(identity->trust, &presented, clock_wall(), &verdict);
    proof->cause = verdict.cause;
    if (verdict.cause == CAUSE_NONE)
        proof->cause = revocation_check(identity->revocation, verdict.chain, clock_wall(), detail);
    view_copy_text(proof->subject, sizeof(proof->subject), view_str(verdict.subject));
    view_copy_text(proof->detail, sizeof(proof->detail), view_str(detail[0] ? detail : verdict.detail));
    pki_chain_free(verdict.chain);
}

/* ---- threads ---- */

static void let_go(struct judgement *j)
{
    if (atomic_fetch_sub(&j->holders, 1) != 1)
        return;
    if (j->proof) {
        ike_proof_wipe(j->proof);
        free(j->proof);
    }
    identity_drop(j->identity);
    close(j->fd);
    free(j);
}

static void *answer(void *ctx)
{
    struct judgement *j = ctx;
    if (j->proof->sign)
        sign(j->identity, j->proof);
    else
        judge(j->identity, j->proof);
    atomic_store(&j->done, true);
    worker_ring(j->fd);
    let_go(j);
    return NULL;
}

struct judgement *judgement_begin(struct identity *identity, struct ike_proof *proof)
{
    struct judgement *j = calloc(1, sizeof(*j));
    if (!j)
        return NULL;
    *j = (struct judgement){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .identity = identity, .proof = proof};
    atomic_store(&j->holders, 2);
    atomic_fetch_add(&identity->holders, 1);
    if (j->fd >= 0 && worker_start(answer, j))
        return j;
    identity_drop(identity);
    if (j->fd >= 0)
        close(j->fd);
    free(j);
    return NULL;
}

int judgement_fd(const struct judgement *j)
{
    return j->fd;
}

struct ike_proof *judgement_take(struct judgement *j)
{
    struct ike_proof *proof = NULL;
    if (atomic_load(&j->done)) {
        proof = j->proof;
        j->proof = NULL;
    }
    return proof;
}

void judgement_end(struct judgement *j)
{
    if (j)
        let_go(j);
}
