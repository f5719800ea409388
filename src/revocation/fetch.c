/* HTTP by OpenSSL's client: GET for CRLs (RFC 5280 4.2.1.13), POST for OCSP (RFC 6960 appendix A). */
#define ERR_STATE OPENSSL_ERR_STATE /* its type has the name of an error of ours */
#include <openssl/err.h>
#undef ERR_STATE
#include <openssl/bio.h>
#include <openssl/http.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "revocation/revocation_internal.h"

static bool take(BIO *answer, size_t max, struct pki_bytes *out)
{
    const char *data = NULL;
    long n = answer != NULL ? BIO_get_mem_data(answer, &data) : 0;
    char *copy = n > 0 && (size_t)n <= max ? malloc((size_t)n + 1) : NULL;
    if (copy != NULL) {
        memcpy(copy, data, (size_t)n);
        copy[n] = '\0';
        *out = (struct pki_bytes){copy, (size_t)n};
    }
    BIO_free(answer);
    ERR_clear_error();
    return copy != NULL;
}

/* One question, one answer: a redirection is none, for it may lead anywhere. body NULL: GET. */
static BIO *ask(const char *url, unsigned patience, BIO *body, const char *sent, const char *wanted, size_t max)
{
    char *host = NULL, *port = NULL, *path = NULL;
    int ssl = 0;
    BIO *answer = NULL;
    if (OSSL_HTTP_parse_url(url, &ssl, NULL, &host, &port, NULL, &path, NULL, NULL) == 1 && ssl == 0)
        answer = OSSL_HTTP_transfer(NULL, host, port, path, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, sent, body,
                                    wanted, 1, max, (int)patience, 0);
    OPENSSL_free(host);
    OPENSSL_free(port);
    OPENSSL_free(path);
    return answer;
}

bool fetch_crl(const char *url, unsigned patience, struct pki_bytes *out)
{
    return take(ask(url, patience, NULL, NULL, NULL, PKI_CRL_MAX), PKI_CRL_MAX, out);
}

bool fetch_ocsp(const char *url, unsigned patience, const struct pki_bytes *request, struct pki_bytes *out)
{
    BIO *body = BIO_new_mem_buf(request->p, (int)request->n);
    BIO *answer = NULL;
    if (body != NULL)
        answer = ask(url, patience, body, "application/ocsp-request", "application/ocsp-response", PKI_OCSP_MAX);
    BIO_free(body);
    return take(answer, PKI_OCSP_MAX, out);
}

bool fetch_nonce(uint8_t *out, size_t n)
{
    bool ok = RAND_bytes(out, (int)n) == 1;
    ERR_clear_error();
    return ok;
}
