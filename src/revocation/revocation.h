/*
 * Asks the authorities whether certificates were revoked: OCSP answers and CRLs over HTTP, kept while they are good.
 *
 * Only links of chains that were verified are asked about, so only a trusted authority can make us ask, and only where
 * it has said. Calls block: on the network up to a time limit for each question, and before it on the host's resolver.
 * One struct revocation serves any number of threads.
 */
#ifndef SEKISHO_REVOCATION_H
#define SEKISHO_REVOCATION_H

#include "pki/pki.h"

enum revocation_mode {
    REVOCATION_OFF,  /* nobody is asked */
    REVOCATION_CRL,  /* the CRLs that certificates name */
    REVOCATION_OCSP, /* the OCSP responders that they name */
    REVOCATION_ANY,  /* OCSP, and the CRL where that gives nothing */
};

struct revocation_config {
    enum revocation_mode mode;
    /* What becomes of a certificate of which nothing tells whether it was revoked: it names nobody to ask, or they are
     * silent, or what they say is not good. */
    bool refuse_silent;
    unsigned patience; /* seconds for one question, 1 to 60; 0: 5. All about one chain take three times that at most */
};

struct revocation;

struct revocation *revocation_new(const struct revocation_config *config); /* NULL: out of memory */
void revocation_free(struct revocation *r); /* NULL-safe; no thread may use it any more */

/* CAUSE_NONE, CAUSE_CERT_REVOKED or CAUSE_CERT_REVOCATION; detail gets a sentence then. wall: seconds since 1970. */
enum cause revocation_check(struct revocation *r, const struct pki_chain *chain, int64_t wall,
                            char detail[static PKI_WHY_MAX]);

#endif
