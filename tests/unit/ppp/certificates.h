/*
 * Certificates for the tests of EAP-TLS, made when they are needed: an authority, and who it has issued one to. P-256,
 * since keys for it are made in no time.
 */
#ifndef SEKISHO_TEST_PPP_CERTIFICATES_H
#define SEKISHO_TEST_PPP_CERTIFICATES_H

#include "ppp/ppp.h"
#include "tests/test.h"

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#define PEM_MAX 8192

struct identity {
    X509 *certificate;
    EVP_PKEY *key;
};

static inline void extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* issuer NULL: an authority, signed by itself. usage: "clientAuth" or "serverAuth"; days until it ends, which may be
 * past. */
static inline struct identity identity_new(const char *name, const struct identity *issuer, const char *usage, int days)
{
    struct identity made = {X509_new(), EVP_EC_gen("P-256")};
    static long serial = 1;
    assert_non_null(made.key);
    X509_set_version(made.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), -86400 * 10);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), 86400 * days);
    X509_set_pubkey(made.certificate, made.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.certificate), "CN", MBSTRING_ASC, (const uint8_t *)name, -1,
                               -1, 0);
    X509 *by = issuer ? issuer->certificate : made.certificate;
    X509_set_issuer_name(made.certificate, X509_get_subject_name(by));
    extend(made.certificate, by, NID_basic_constraints, issuer ? "CA:FALSE" : "critical,CA:TRUE");
    if (usage)
        extend(made.certificate, by, NID_ext_key_usage, usage);
    if (usage && strcmp(usage, "serverAuth") == 0) {
        char names[128];
        struct ip_addr address;
        snprintf(names, sizeof names, "%s:%s", ip_parse(name, &address) == ERR_OK ? "IP" : "DNS", name);
        extend(made.certificate, by, NID_subject_alt_name, names);
    }
    assert_true(X509_sign(made.certificate, issuer ? issuer->key : made.key, EVP_sha256()) > 0);
    return made;
}

static inline void identity_done(struct identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

/* Certificate and, unless it is an authority to be trusted, key; returns the bytes. */
static inline size_t identity_pem(const struct identity *identity, bool with_key, uint8_t out[static PEM_MAX])
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, identity->certificate), 1);
    if (with_key)
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, identity->key, NULL, NULL, 0, NULL, NULL), 1);
    const int n = BIO_read(bio, out, PEM_MAX);
    BIO_free(bio);
    assert_true(n > 0 && n < PEM_MAX);
    return (size_t)n;
}

static inline size_t identity_pkcs12(const struct identity *identity, const struct identity *authority,
                                     const char *password, uint8_t out[static PEM_MAX])
{
    STACK_OF(X509) *rest = sk_X509_new_null();
    sk_X509_push(rest, authority->certificate);
    PKCS12 *file = PKCS12_create(password, "test", identity->key, identity->certificate, rest, 0, 0, 0, 0, 0);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_non_null(file);
    assert_int_equal(i2d_PKCS12_bio(bio, file), 1);
    const int n = BIO_read(bio, out, PEM_MAX);
    BIO_free(bio);
    PKCS12_free(file);
    sk_X509_free(rest);
    assert_true(n > 0 && n < PEM_MAX);
    return (size_t)n;
}

/* The authority's list with this one certificate in it, as PEM or DER. */
static inline size_t identity_revoke(const struct identity *identity, const struct identity *authority, bool pem,
                                     uint8_t out[static PEM_MAX])
{
    X509_CRL *crl = X509_CRL_new();
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -3600), *next = X509_gmtime_adj(NULL, 86400);
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(identity->certificate));
    X509_REVOKED_set_revocationDate(entry, now);
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(authority->certificate));
    X509_CRL_set1_lastUpdate(crl, now);
    X509_CRL_set1_nextUpdate(crl, next);
    X509_CRL_add0_revoked(crl, entry);
    assert_true(X509_CRL_sign(crl, authority->key, EVP_sha256()) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(pem ? PEM_write_bio_X509_CRL(bio, crl) : i2d_X509_CRL_bio(bio, crl), 1);
    const int n = BIO_read(bio, out, PEM_MAX);
    BIO_free(bio);
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
    X509_CRL_free(crl);
    assert_true(n > 0 && n < PEM_MAX);
    return (size_t)n;
}

/* What a side of EAP-TLS is made with. */
static inline struct ppp_tls *tls_side(const struct identity *identity, const struct identity *authority, bool server,
                                       const char *server_name)
{
    uint8_t own[PEM_MAX], trusted[PEM_MAX];
    char why[PPP_TLS_WHY_MAX] = "";
    const struct ppp_tls_options options = {.server = server,
                                            .certificate = view_of(own, identity_pem(identity, true, own)),
                                            .authorities = view_of(trusted, identity_pem(authority, false, trusted)),
                                            .server_name = server_name};
    struct ppp_tls *tls = ppp_tls_new(&options, why);
    if (!tls)
        fail_msg("%s", why);
    return tls;
}

#endif
