/* An OCSP responder of a few lines. */
#ifndef SEKISHO_TESTS_PKI_RESPONDER_H
#define SEKISHO_TESTS_PKI_RESPONDER_H

#include "tests/unit/pki/rig.h"

#include <openssl/ocsp.h>

struct rig_answer {
    int status;                  /* V_OCSP_CERTSTATUS_... */
    int64_t from, until;         /* until 0: it does not say */
    const struct pki_ca *ca;     /* signs itself, */
    const struct pki_issued *by; /* unless there is a delegate */
    bool other_nonce;            /* one that is not the question's */
};

/* The answer to a request in DER, with the nonce of the request; for free(). */
struct view rig_respond(struct view request, const struct rig_answer *a);

/* A certificate of ca with the usage OCSPSigning. */
struct pki_issued rig_responder(const struct pki_ca *ca);

#endif
