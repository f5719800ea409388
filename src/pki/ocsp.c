/*
 * OCSP (RFC 6960): the question about one link, and the judgement of an answer. The answer comes in clear over HTTP, so
 * its own signature, its dates and our nonce (RFC 8954) are all that it is worth.
 */
#include "pki/pki_internal.h"

#include <openssl/bio.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

/* How old an answer may be that does not say when the next one comes (RFC 6960 4.2.2.1). */
#define OCSP_AGE_MAX 3600

/* SHA-1 names the issuer here and protects nothing; it is what every responder knows (RFC 6960 4.3). */
static OCSP_CERTID *make_id(const struct pki_chain *c, size_t link)
{
    X509 *issuer = pki_chain_issuer(c, link);
    return issuer != NULL ? OCSP_cert_to_id(EVP_sha1(), sk_X509_value(c->certificates, (int)link), issuer) : NULL;
}

static bool add_nonce(OCSP_REQUEST *request, struct view nonce)
{
    if (nonce.n == 0)
        return true;
    return OCSP_request_add1_nonce(request, (uint8_t *)(uintptr_t)nonce.p, (int)nonce.n) == 1;
}

enum err pki_ocsp_request(const struct pki_chain *c, size_t link, struct view nonce, struct pki_bytes *out)
{
    if (nonce.n > PKI_NONCE_MAX)
        return ERR_INVALID;
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_CERTID *id = make_id(c, link);
    BIO *bio = BIO_new(BIO_s_mem());
    enum err e = ERR_CRYPTO;
    if (request != NULL && id != NULL && bio != NULL && OCSP_request_add0_id(request, id) != NULL) {
        id = NULL; /* the request owns it */
        if (add_nonce(request, nonce) && i2d_OCSP_REQUEST_bio(bio, request) == 1) {
            e = pki_bytes_take(bio, out);
            bio = NULL;
        }
    }
    BIO_free(bio);
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(request);
    ERR_clear_error();
    return e;
}

/* ---- the answer ---- */

/* An answer without a nonce may come from a cache of the responder; one with another nonce is for somebody else. */
static bool nonce_fits(OCSP_BASICRESP *basic, struct view nonce)
{
    if (nonce.n == 0)
        return true;
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    int same = request != NULL && add_nonce(request, nonce) ? OCSP_check_nonce(request, basic) : 0;
    OCSP_REQUEST_free(request);
    return same == 1 || same == -1;
}

/* Signed by the issuer, or by one with a certificate for this from the issuer (RFC 6960 4.2.2.2). */
static bool signature_holds(OCSP_BASICRESP *basic, X509 *issuer, int64_t wall)
{
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *known = sk_X509_new_null();
    bool ok =
        store != NULL && known != NULL && X509_STORE_add_cert(store, issuer) == 1 && sk_X509_push(known, issuer) > 0;
    if (ok) {
        pki_check_param(X509_STORE_get0_param(store), wall);
        ok = OCSP_basic_verify(basic, known, store, OCSP_NOEXPLICIT) == 1;
    }
    sk_X509_free(known);
    X509_STORE_free(store);
    return ok;
}

static bool dates_fit(const ASN1_GENERALIZEDTIME *from, const ASN1_GENERALIZEDTIME *until, int64_t wall)
{
    int64_t begin = pki_time(from), end = until != NULL ? pki_time(until) : begin + OCSP_AGE_MAX;
    return begin != 0 && begin <= wall + PKI_CLOCK_SKEW && wall <= end + PKI_CLOCK_SKEW;
}

static void judge_basic(OCSP_BASICRESP *basic, const struct pki_chain *c, size_t link, struct view nonce, int64_t wall,
                        struct pki_revocation *out)
{
    int status = 0, reason = -1;
    ASN1_GENERALIZEDTIME *since = NULL, *from = NULL, *until = NULL;
    char date[PKI_DATE_MAX];
    OCSP_CERTID *id = make_id(c, link);
    bool found = id != NULL && OCSP_resp_find_status(basic, id, &status, &reason, &since, &from, &until) == 1;
    OCSP_CERTID_free(id);
    if (!signature_holds(basic, pki_chain_issuer(c, link), wall)) {
        pki_say(out->detail, "The OCSP answer is not signed by one who may.");
    } else if (!nonce_fits(basic, nonce)) {
        pki_say(out->detail, "The OCSP answer is to another question.");
    } else if (!found) {
        pki_say(out->detail, "The OCSP answer is about another certificate.");
    } else if (!dates_fit(from, until, wall)) {
        pki_say(out->detail, "The OCSP answer is out of date.");
    } else if (status == V_OCSP_CERTSTATUS_REVOKED) {
        out->status = PKI_STATUS_REVOKED;
        pki_date_text(since, date);
        if (reason >= 0)
            pki_say(out->detail, "was revoked on %s (%s).", date, OCSP_crl_reason_str(reason));
        else
            pki_say(out->detail, "was revoked on %s.", date);
    } else if (status == V_OCSP_CERTSTATUS_GOOD) {
        out->status = PKI_STATUS_GOOD;
    } else {
        pki_say(out->detail, "The OCSP responder does not know the certificate.");
    }
    if (out->status != PKI_STATUS_UNKNOWN && until != NULL)
        out->until = pki_time(until);
}

void pki_ocsp_judge(const struct pki_chain *c, size_t link, struct view answer, struct view nonce, int64_t wall,
                    struct pki_revocation *out)
{
    *out = (struct pki_revocation){.status = PKI_STATUS_UNKNOWN};
    const uint8_t *p = answer.p;
    OCSP_RESPONSE *response = NULL;
    OCSP_BASICRESP *basic = NULL;
    if (answer.n > 0 && answer.n <= PKI_OCSP_MAX && pki_chain_issuer(c, link) != NULL)
        response = d2i_OCSP_RESPONSE(NULL, &p, (long)answer.n);
    int status = response != NULL ? OCSP_response_status(response) : -1;
    if (response == NULL)
        pki_say(out->detail, "The OCSP answer cannot be read.");
    else if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        pki_say(out->detail, "The OCSP responder refused: %s.", OCSP_response_status_str(status));
    else if ((basic = OCSP_response_get1_basic(response)) == NULL)
        pki_say(out->detail, "The OCSP answer cannot be read.");
    else
        judge_basic(basic, c, link, nonce, wall, out);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
}
