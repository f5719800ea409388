/* An authority, its certificates, and a peer that signs, made on the fly. All is good at NOW. */
#ifndef SEKISHO_TESTS_PKI_RIG_H
#define SEKISHO_TESTS_PKI_RIG_H

/* OpenSSL has a type with the name of one of our errors. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#undef ERR_STATE

#include "tests/test.h"

#include "pki/pki.h"

#define DAY  ((int64_t)86400)
#define NOW  ((int64_t)1800000000) /* 2027-01-15 */
#define HASH "\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x10\x11\x12\x13\x14"

static inline struct view bytes_view(const struct pki_bytes *b)
{
    return view_of(b->p, b->n);
}

struct pki_ca *rig_ca(const char *name, const struct pki_ca *parent);
/* An authority's certificate in PEM. */
struct pki_bytes rig_ca_pem(const struct pki_ca *ca);
/* Trusts ca alone. */
struct pki_trust *rig_trust(const struct pki_ca *ca);

/* A certificate of ca for name, with one other name (NULL: none), for a client, until a year after NOW. */
struct pki_plan rig_plan(const char *name, const char *const *san);
struct pki_issued rig_issue(const struct pki_ca *ca, const struct pki_plan *plan);

/* Somebody who proves something. */
struct rig_peer {
    struct pki_credential *credential;
    struct view certificates[PKI_CHAIN_MAX];
    uint8_t signature[PKI_SIGNATURE_MAX];
    struct pki_presented shown;
};

/* Reads what was issued, with more certificates (PEM, may be NULL) behind; signs HASH. */
void rig_peer(struct rig_peer *p, const struct pki_issued *issued, const struct pki_bytes *more);
void rig_peer_done(struct rig_peer *p);

/* One sentence about what came out, to fail with. */
void rig_expect(const struct pki_trust *t, const struct rig_peer *p, int64_t wall, enum cause cause,
                const char *detail);

#endif
