/*
 * The parts of pki: file.c reads certificates and CRLs out of files, credential.c and sign.c are our own side, trust.c,
 * chain.c, name.c and verify.c the judgement of a peer, crl.c and ocsp.c revocation, ca.c, issue.c, crl_write.c and
 * p12.c the authority, text.c sentences.
 *
 * OpenSSL keeps a queue of errors for each thread; every public function leaves it empty.
 */
#ifndef SEKISHO_PKI_INTERNAL_H
#define SEKISHO_PKI_INTERNAL_H

/* OpenSSL has a type with the name of one of our errors. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#undef ERR_STATE

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "pki/pki.h"

#define PKI_SECURITY_LEVEL 2   /* of OpenSSL: 112 bits; RSA of 2048 bits, no signature over SHA-1 */
#define PKI_CLOCK_SKEW     300 /* seconds by which the clock of a responder may differ */

/* ---- text.c ---- */

/* Writes a sentence; what does not fit is cut between characters. */
void pki_say(char why[static PKI_WHY_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "CN=alice, O=Example" in UTF-8 without controls; returns out. */
const char *pki_name_text(const X509_NAME *name, char out[static PKI_NAME_MAX]);
#define PKI_DATE_MAX 32
const char *pki_date_text(const ASN1_TIME *t, char out[static PKI_DATE_MAX]);
/* Seconds since 1970; 0 for what is no time, and for none. */
int64_t pki_time(const ASN1_TIME *t);
void pki_serial_text(const ASN1_INTEGER *serial, char out[static PKI_SERIAL_MAX]);
/* Empties a memory BIO into bytes and frees it. ERR_NOMEM. */
enum err pki_bytes_take(BIO *bio, struct pki_bytes *out);

/* ---- file.c ---- */

bool pki_is_pem(struct view file);
/* For what OpenSSL reads from PEM: without it an encrypted text would ask on the terminal, if there is one. */
int pki_no_password(char *out, int size, int writing, void *ctx);
/* All certificates of a file, at most max. ERR_MALFORMED, ERR_NOTFOUND, ERR_LIMIT, ERR_NOMEM; why gets a sentence. */
enum err pki_read_certificates(struct view file, size_t max, STACK_OF(X509) * *out, char why[static PKI_WHY_MAX]);
/* Adds the certificates of one body of a CERT payload: X.509, or a PKCS#7 bundle. False when it is neither, or there
 * are too many. */
bool pki_read_certificate(struct view der, size_t max, STACK_OF(X509) * out);
/* PEM. ERR_AUTH, ERR_NOTFOUND; why gets a sentence. */
enum err pki_read_key(struct view file, const char *password, EVP_PKEY **out, char why[static PKI_WHY_MAX]);

/* ---- keys ---- */

enum pki_key pki_key_of(const EVP_PKEY *key); /* PKI_KEY_NONE: cannot sign in IKEv1, or too large */
/* As pki_sign(). */
enum err pki_key_sign(EVP_PKEY *key, struct view hash, uint8_t out[static PKI_SIGNATURE_MAX], size_t *n);
bool pki_signature_holds(EVP_PKEY *key, struct view hash, struct view signature);

/* ---- names ---- */

bool pki_id_matches(X509 *certificate, const struct pki_id *id);
bool pki_expect_matches(X509 *certificate, const char *expect);
/* "vpn.example.com, 192.0.2.1": the subjectAltNames; "no other name" when there is none. */
void pki_names_text(X509 *certificate, char out[static PKI_NAME_MAX]);
void pki_id_text(const struct pki_id *id, char out[static PKI_NAME_MAX]);

/* ---- chains ---- */

struct pki_chain {
    STACK_OF(X509) * certificates; /* 0 the peer's own */
    bool known[PKI_CHAIN_MAX];
};

/* The issuer's certificate; NULL for the root. */
X509 *pki_chain_issuer(const struct pki_chain *c, size_t link);
/* A check of certificate at wall, with an empty store of its own that is to be freed, too. NULL when out of memory. */
X509_STORE_CTX *pki_check_new(X509_STORE *store, X509 *certificate, STACK_OF(X509) * untrusted, int64_t wall);
void pki_check_param(X509_VERIFY_PARAM *param, int64_t wall);

struct pki_trust {
    X509_STORE *store;
    struct view names[PKI_AUTHORITIES_MAX]; /* malloc'd DER */
    size_t name_count;
    struct pki_crl *crls[PKI_CRLS_MAX];
    size_t crl_count;
};

struct pki_crl {
    X509_CRL *crl;
};

struct pki_ca {
    X509 *certificate;
    EVP_PKEY *key;
};

/* ---- making ---- */

EVP_PKEY *pki_key_make(enum pki_kind kind);
const EVP_MD *pki_digest_for(const EVP_PKEY *key);
/* Version, serial, names, dates and key of a certificate. ERR_INVALID says why. */
enum err pki_certificate_begin(X509 *x, const char *name, int64_t from, int64_t until, EVP_PKEY *key,
                               const X509 *issuer, char why[static PKI_WHY_MAX]);
bool pki_extension_add(X509 *x, X509 *issuer, int nid, const char *value);
enum err pki_certificate_pem(X509 *x, struct pki_bytes *out);
enum err pki_key_pem(EVP_PKEY *key, struct pki_bytes *out);

#endif
