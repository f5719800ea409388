/*
 * CRLs (RFC 5280 5 and 6.3). OpenSSL judges signature, scope and dates, in a check of one link against one CRL; a CRL
 * that is out of date can still revoke, but no longer clear.
 */
#include "pki/pki_internal.h"

#include <openssl/bio.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

enum err pki_crl_read(struct view file, struct pki_crl **out)
{
    if (file.n == 0)
        return ERR_MALFORMED;
    if (file.n > PKI_CRL_MAX)
        return ERR_LIMIT;
    X509_CRL *crl = NULL;
    if (pki_is_pem(file)) {
        BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
        crl = bio != NULL ? PEM_read_bio_X509_CRL(bio, NULL, pki_no_password, NULL) : NULL;
        BIO_free(bio);
    } else {
        const uint8_t *p = file.p;
        crl = d2i_X509_CRL(NULL, &p, (long)file.n);
    }
    ERR_clear_error();
    struct pki_crl *c = crl != NULL ? calloc(1, sizeof *c) : NULL;
    if (c == NULL) {
        X509_CRL_free(crl);
        return crl != NULL ? ERR_NOMEM : ERR_MALFORMED;
    }
    c->crl = crl;
    *out = c;
    return ERR_OK;
}

void pki_crl_free(struct pki_crl *c)
{
    if (c == NULL)
        return;
    X509_CRL_free(c->crl);
    free(c);
}

int64_t pki_crl_until(const struct pki_crl *c)
{
    return pki_time(X509_CRL_get0_nextUpdate(c->crl));
}

/* What a check met on its way; OpenSSL hands it to the callback. */
struct met {
    bool stale;
    int error;
};

/* Goes on past a CRL that is out of date, for it may list the link. Nothing else is forgiven. */
static int on_error(int ok, X509_STORE_CTX *check)
{
    struct met *met = X509_STORE_CTX_get_app_data(check);
    if (ok == 1)
        return 1;
    if (X509_STORE_CTX_get_error(check) == X509_V_ERR_CRL_HAS_EXPIRED) {
        met->stale = true;
        return 1;
    }
    met->error = X509_STORE_CTX_get_error(check);
    return 0;
}

/* The certificates above a link are trusted here: they were verified with it. */
static bool check_link(const struct pki_crl *crl, const struct pki_chain *c, size_t link, int64_t wall, struct met *met)
{
    STACK_OF(X509) *above = sk_X509_new_null();
    STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *check = NULL;
    bool ok = above != NULL && crls != NULL && store != NULL && sk_X509_CRL_push(crls, crl->crl) > 0;
    for (size_t i = link + 1; ok && i < pki_chain_length(c); i++)
        ok = sk_X509_push(above, sk_X509_value(c->certificates, (int)i)) > 0;
    if (ok && (check = pki_check_new(store, sk_X509_value(c->certificates, (int)link), NULL, wall)) != NULL) {
        X509_STORE_CTX_set0_trusted_stack(check, above);
        X509_STORE_CTX_set0_crls(check, crls);
        X509_STORE_CTX_set_flags(check, X509_V_FLAG_CRL_CHECK);
        X509_STORE_CTX_set_app_data(check, met);
        X509_STORE_CTX_set_verify_cb(check, on_error);
        ok = X509_verify_cert(check) == 1;
    } else {
        ok = false;
    }
    X509_STORE_CTX_free(check);
    X509_STORE_free(store);
    sk_X509_CRL_free(crls);
    sk_X509_free(above);
    return ok;
}

static void tell_revoked(const struct pki_crl *crl, X509 *x, char out[static PKI_WHY_MAX])
{
    char date[PKI_DATE_MAX];
    X509_REVOKED *entry = NULL;
    if (X509_CRL_get0_by_cert(crl->crl, &entry, x) == 0 || entry == NULL) {
        pki_say(out, "was revoked.");
        return;
    }
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    pki_date_text(X509_REVOKED_get0_revocationDate(entry), date);
    if (reason != NULL)
        pki_say(out, "was revoked on %s (%s).", date, OCSP_crl_reason_str(ASN1_ENUMERATED_get(reason)));
    else
        pki_say(out, "was revoked on %s.", date);
    ASN1_ENUMERATED_free(reason);
}

void pki_crl_judge(const struct pki_crl *crl, const struct pki_chain *c, size_t link, int64_t wall,
                   struct pki_revocation *out)
{
    struct met met = {0};
    char date[PKI_DATE_MAX];
    X509 *issuer = pki_chain_issuer(c, link);
    *out = (struct pki_revocation){.status = PKI_STATUS_UNKNOWN};
    if (issuer == NULL || X509_NAME_cmp(X509_CRL_get_issuer(crl->crl), X509_get_subject_name(issuer)) != 0) {
        pki_say(out->detail, "The CRL is of another issuer.");
        return;
    }
    bool ok = check_link(crl, c, link, wall, &met);
    out->until = pki_crl_until(crl);
    if (met.error == X509_V_ERR_CERT_REVOKED) {
        out->status = PKI_STATUS_REVOKED;
        tell_revoked(crl, sk_X509_value(c->certificates, (int)link), out->detail);
    } else if (!ok) {
        pki_say(out->detail, "The CRL cannot be used: %s.", X509_verify_cert_error_string(met.error));
    } else if (met.stale) {
        pki_say(out->detail, "The CRL is out of date since %s.",
                pki_date_text(X509_CRL_get0_nextUpdate(crl->crl), date));
    } else {
        out->status = PKI_STATUS_GOOD;
    }
    ERR_clear_error();
}
