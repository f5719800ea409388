/* An authority: its key and certificate (RFC 5280 4.2.1.9). */
#include "pki/pki_internal.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define COMMON_NAME_MAX 64  /* characters (RFC 5280, ub-common-name) */
#define SERIAL_BITS     127 /* positive, 16 bytes */
#define VERSION_3       2

/* ---- keys ---- */

EVP_PKEY *pki_key_make(enum pki_kind kind)
{
    switch (kind) {
    case PKI_KIND_RSA_2048:
        return EVP_RSA_gen(2048);
    case PKI_KIND_RSA_3072:
        return EVP_RSA_gen(3072);
    case PKI_KIND_RSA_4096:
        return EVP_RSA_gen(4096);
    case PKI_KIND_ECDSA_256:
        return EVP_EC_gen("P-256");
    case PKI_KIND_ECDSA_384:
        return EVP_EC_gen("P-384");
    }
    return NULL;
}

const EVP_MD *pki_digest_for(const EVP_PKEY *key)
{
    return pki_key_of(key) == PKI_KEY_ECDSA_384 ? EVP_sha384() : EVP_sha256();
}

enum err pki_key_pem(EVP_PKEY *key, struct pki_bytes *out)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
        return pki_bytes_take(bio, out);
    BIO_free(bio);
    return ERR_CRYPTO;
}

enum err pki_certificate_pem(X509 *x, struct pki_bytes *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio != NULL && PEM_write_bio_X509(bio, x) == 1)
        return pki_bytes_take(bio, out);
    BIO_free(bio);
    return ERR_CRYPTO;
}

/* ---- certificates ---- */

static bool set_serial(X509 *x)
{
    BIGNUM *n = BN_new();
    bool ok = n != NULL && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
              BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
    BN_free(n);
    return ok;
}

static bool set_name(X509 *x, const char *name)
{
    X509_NAME *subject = X509_NAME_new();
    bool ok =
        subject != NULL &&
        X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0) == 1 &&
        X509_set_subject_name(x, subject) == 1;
    X509_NAME_free(subject);
    return ok;
}

enum err pki_certificate_begin(X509 *x, const char *name, int64_t from, int64_t until, EVP_PKEY *key,
                               const X509 *issuer, char why[static PKI_WHY_MAX])
{
    if (name == NULL || name[0] == '\0' || strlen(name) > 4 * COMMON_NAME_MAX || !set_name(x, name)) {
        pki_say(why, "A name is 1 to %d characters of UTF-8.", COMMON_NAME_MAX);
        return ERR_INVALID;
    }
    if (from >= until) {
        pki_say(why, "A certificate must end after it begins.");
        return ERR_INVALID;
    }
    bool ok = X509_set_version(x, VERSION_3) == 1 && set_serial(x) &&
              X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1 &&
              ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from) != NULL &&
              ASN1_TIME_set(X509_getm_notAfter(x), (time_t)until) != NULL && X509_set_pubkey(x, key) == 1;
    return ok ? ERR_OK : ERR_CRYPTO;
}

bool pki_extension_add(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&ctx);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = e != NULL && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

static enum err make(const struct pki_ca_plan *plan, struct pki_ca *ca, char why[static PKI_WHY_MAX])
{
    const struct pki_ca *parent = plan->parent != NULL ? plan->parent : ca;
    int64_t until = plan->until;
    if ((ca->key = pki_key_make(plan->kind)) == NULL || (ca->certificate = X509_new()) == NULL)
        return ERR_CRYPTO;
    if (plan->parent != NULL) {
        int64_t end = pki_time(X509_get0_notAfter(parent->certificate));
        until = until < end ? until : end;
    }
    enum err e =
        pki_certificate_begin(ca->certificate, plan->name, plan->from, until, ca->key, parent->certificate, why);
    if (e != ERR_OK)
        return e;
    X509 *x = ca->certificate;
    bool ok = pki_extension_add(x, parent->certificate, NID_basic_constraints, "critical,CA:TRUE") &&
              pki_extension_add(x, parent->certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
              pki_extension_add(x, parent->certificate, NID_subject_key_identifier, "hash") &&
              pki_extension_add(x, parent->certificate, NID_authority_key_identifier, "keyid:always") &&
              X509_sign(x, parent->key, pki_digest_for(parent->key)) > 0;
    return ok ? ERR_OK : ERR_CRYPTO;
}

enum err pki_ca_make(const struct pki_ca_plan *plan, struct pki_ca **out, char why[static PKI_WHY_MAX])
{
    struct pki_ca *ca = calloc(1, sizeof *ca);
    pki_say(why, "The crypto library failed.");
    enum err e = ca != NULL ? make(plan, ca, why) : ERR_NOMEM;
    ERR_clear_error();
    if (e != ERR_OK) {
        pki_ca_free(ca);
        return e;
    }
    *out = ca;
    return ERR_OK;
}

void pki_ca_free(struct pki_ca *ca)
{
    if (ca == NULL)
        return;
    X509_free(ca->certificate);
    EVP_PKEY_free(ca->key);
    free(ca);
}

static enum err check_pair(const struct pki_ca *ca, char why[static PKI_WHY_MAX])
{
    if (X509_check_private_key(ca->certificate, ca->key) != 1)
        pki_say(why, "The key of the authority is not that of its certificate.");
    else if (X509_check_ca(ca->certificate) == 0)
        pki_say(why, "The certificate of the authority may not sign certificates.");
    else
        return ERR_OK;
    return ERR_INVALID;
}

enum err pki_ca_read(struct view certificate, struct view key, struct pki_ca **out, char why[static PKI_WHY_MAX])
{
    STACK_OF(X509) *found = NULL;
    struct pki_ca *ca = calloc(1, sizeof *ca);
    pki_say(why, "There is not enough memory.");
    enum err e = ca != NULL ? pki_read_certificates(certificate, PKI_CHAIN_MAX, &found, why) : ERR_NOMEM;
    if (e == ERR_OK) {
        ca->certificate = sk_X509_shift(found);
        e = pki_read_key(key, NULL, &ca->key, why);
    }
    if (e == ERR_OK)
        e = check_pair(ca, why);
    sk_X509_pop_free(found, X509_free);
    ERR_clear_error();
    if (e != ERR_OK) {
        pki_ca_free(ca);
        return e;
    }
    *out = ca;
    return ERR_OK;
}

enum err pki_ca_pem(const struct pki_ca *ca, struct pki_bytes *certificate, struct pki_bytes *key)
{
    struct pki_bytes made = {0};
    enum err e = pki_certificate_pem(ca->certificate, &made);
    if (e == ERR_OK)
        e = pki_key_pem(ca->key, key);
    if (e == ERR_OK)
        *certificate = made;
    else
        pki_bytes_free(&made);
    ERR_clear_error();
    return e;
}
