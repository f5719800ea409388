/* The CRL of an authority (RFC 5280 5.1). */
#include "pki/pki_internal.h"

#include <openssl/bn.h>
#include <openssl/x509v3.h>

#define VERSION_2 1

static bool add_entry(X509_CRL *crl, const struct pki_revoked *r)
{
    BIGNUM *n = NULL;
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_INTEGER *serial = BN_hex2bn(&n, r->serial) > 0 ? BN_to_ASN1_INTEGER(n, NULL) : NULL;
    ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)r->at);
    bool ok = entry != NULL && serial != NULL && at != NULL && X509_REVOKED_set_serialNumber(entry, serial) == 1 &&
              X509_REVOKED_set_revocationDate(entry, at) == 1 && X509_CRL_add0_revoked(crl, entry) == 1;
    if (!ok)
        X509_REVOKED_free(entry);
    ASN1_TIME_free(at);
    ASN1_INTEGER_free(serial);
    BN_free(n);
    return ok;
}

static bool set_dates(X509_CRL *crl, int64_t from, int64_t until)
{
    ASN1_TIME *begin = ASN1_TIME_set(NULL, (time_t)from), *end = ASN1_TIME_set(NULL, (time_t)until);
    bool ok = begin != NULL && end != NULL && X509_CRL_set1_lastUpdate(crl, begin) == 1 &&
              X509_CRL_set1_nextUpdate(crl, end) == 1;
    ASN1_TIME_free(begin);
    ASN1_TIME_free(end);
    return ok;
}

static bool set_extensions(X509_CRL *crl, const struct pki_ca *ca, uint64_t number)
{
    X509V3_CTX ctx;
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    X509V3_set_ctx(&ctx, ca->certificate, NULL, NULL, crl, 0);
    X509V3_set_ctx_nodb(&ctx);
    X509_EXTENSION *key = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
    bool ok = n != NULL && ASN1_INTEGER_set_uint64(n, number) == 1 &&
              X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0) == 1 && key != NULL &&
              X509_CRL_add_ext(crl, key, -1) == 1;
    X509_EXTENSION_free(key);
    ASN1_INTEGER_free(n);
    return ok;
}

enum err pki_crl_write(const struct pki_ca *ca, const struct pki_revoked *revoked, size_t n, uint64_t number,
                       int64_t from, int64_t until, struct pki_bytes *out)
{
    X509_CRL *crl = X509_CRL_new();
    BIO *bio = BIO_new(BIO_s_mem());
    bool ok = crl != NULL && bio != NULL && X509_CRL_set_version(crl, VERSION_2) == 1 &&
              X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->certificate)) == 1 &&
              set_dates(crl, from, until) && set_extensions(crl, ca, number);
    for (size_t i = 0; ok && i < n; i++)
        ok = add_entry(crl, &revoked[i]);
    ok = ok && X509_CRL_sort(crl) == 1 && X509_CRL_sign(crl, ca->key, pki_digest_for(ca->key)) > 0 &&
         i2d_X509_CRL_bio(bio, crl) == 1;
    X509_CRL_free(crl);
    ERR_clear_error();
    if (ok)
        return pki_bytes_take(bio, out);
    BIO_free(bio);
    return ERR_CRYPTO;
}
