/* Who we are: a private key with its certificate and the intermediates that go with it, out of PEM or PKCS#12. */
#include "pki/pki_internal.h"

#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define P12_ITERATIONS_MAX 10000000 /* seconds of work */

struct pki_credential {
    EVP_PKEY *key;
    enum pki_key kind;
    char subject[PKI_NAME_MAX];
    int64_t from, until;
    size_t count;
    struct view certificates[PKI_CHAIN_MAX], issuers[PKI_CHAIN_MAX]; /* malloc'd DER */
    struct pki_id id;                                                /* body malloc'd */
};

/* What was found in the files. */
struct found {
    EVP_PKEY *key;
    STACK_OF(X509) * certificates;
};

static void found_done(struct found *f)
{
    EVP_PKEY_free(f->key);
    sk_X509_pop_free(f->certificates, X509_free);
}

/* ---- reading ---- */

/* Without a MAC nothing tells a wrong password from a damaged file; and its iterations are work. */
static bool mac_fits(const PKCS12 *p12)
{
    const ASN1_INTEGER *iterations = NULL;
    uint64_t n = 1; /* when it does not say */
    if (!PKCS12_mac_present(p12))
        return false;
    PKCS12_get0_mac(NULL, NULL, NULL, &iterations, p12);
    return iterations == NULL || (ASN1_INTEGER_get_uint64(&n, iterations) == 1 && n <= P12_ITERATIONS_MAX);
}

static enum err open_p12(PKCS12 *p12, const char *password, struct found *f, char why[static PKI_WHY_MAX])
{
    X509 *own = NULL;
    /* no password can be written as an empty one or as none at all (RFC 7292 appendix B.1) */
    const char *given = password;
    if (!mac_fits(p12)) {
        pki_say(why, "It is not protected by a password, or by one that would take too long to try.");
        return ERR_UNSUPPORTED;
    }
    if (PKCS12_verify_mac(p12, given, given != NULL ? -1 : 0) != 1) {
        given = "";
        if (password != NULL || PKCS12_verify_mac(p12, given, 0) != 1) {
            pki_say(why, password == NULL ? "It is encrypted and wants a password." : "Its password is wrong.");
            return ERR_AUTH;
        }
    }
    if (PKCS12_parse(p12, given, &f->key, &own, &f->certificates) != 1) {
        pki_say(why, "It is encrypted in a way that is too old, or damaged. Write it again with AES or 3DES.");
        return ERR_UNSUPPORTED;
    }
    if (f->certificates == NULL)
        f->certificates = sk_X509_new_null();
    if (own != NULL && (f->certificates == NULL || sk_X509_push(f->certificates, own) <= 0)) {
        X509_free(own);
        return ERR_NOMEM;
    }
    return ERR_OK;
}

static enum err read_p12(struct view file, const char *password, struct found *f, char why[static PKI_WHY_MAX])
{
    const uint8_t *p = file.p;
    PKCS12 *p12 = file.n <= PKI_FILE_MAX ? d2i_PKCS12(NULL, &p, (long)file.n) : NULL;
    if (p12 == NULL) {
        pki_say(why, "It is neither PEM nor PKCS#12.");
        return ERR_MALFORMED;
    }
    enum err e = open_p12(p12, password, f, why);
    PKCS12_free(p12);
    return e;
}

static enum err read_files(struct view file, struct view key, const char *password, struct found *f,
                           char why[static PKI_WHY_MAX])
{
    if (!pki_is_pem(file))
        return read_p12(file, password, f, why);
    enum err e = pki_read_certificates(file, PKI_CHAIN_MAX, &f->certificates, why);
    if (e == ERR_OK)
        e = pki_read_key(key.n > 0 ? key : file, password, &f->key, why);
    return e;
}

/* ---- putting together ---- */

static X509 *find_own(const struct found *f)
{
    for (int i = 0; i < sk_X509_num(f->certificates); i++)
        if (X509_check_private_key(sk_X509_value(f->certificates, i), f->key) == 1)
            return sk_X509_value(f->certificates, i);
    return NULL;
}

static X509 *find_issuer(const struct found *f, X509 *of)
{
    for (int i = 0; i < sk_X509_num(f->certificates); i++) {
        X509 *x = sk_X509_value(f->certificates, i);
        if (x != of && X509_check_issued(x, of) == X509_V_OK)
            return x;
    }
    return NULL;
}

static bool is_root(X509 *x)
{
    return (X509_get_extension_flags(x) & EXFLAG_SI) != 0;
}

/* The DER of something that OpenSSL encodes into memory of its own; taken over into ours. */
static bool keep(uint8_t *der, int n, struct view *out)
{
    uint8_t *copy = n > 0 ? malloc((size_t)n) : NULL;
    if (copy != NULL) {
        memcpy(copy, der, (size_t)n);
        *out = view_of(copy, (size_t)n);
    }
    OPENSSL_free(der);
    return copy != NULL;
}

static bool add_certificate(struct pki_credential *c, X509 *x)
{
    uint8_t *der = NULL, *name = NULL;
    int n = i2d_X509(x, &der);
    if (c->count == PKI_CHAIN_MAX || !keep(der, n, &c->certificates[c->count]))
        return false;
    n = i2d_X509_NAME(X509_get_issuer_name(x), &name);
    if (!keep(name, n, &c->issuers[c->count])) {
        free((void *)(uintptr_t)c->certificates[c->count].p);
        return false;
    }
    c->count++;
    return true;
}

static bool id_from_name(struct pki_id *id, const GENERAL_NAME *name)
{
    static const struct {
        int general;
        uint8_t type;
    } types[] = {{GEN_DNS, PKI_ID_FQDN}, {GEN_EMAIL, PKI_ID_USER_FQDN}, {GEN_IPADD, PKI_ID_IPV4}};
    int general;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &general);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (types[i].general != general)
            continue;
        size_t n = (size_t)ASN1_STRING_length(value);
        uint8_t *copy = malloc(n > 0 ? n : 1);
        if (copy == NULL)
            return false;
        memcpy(copy, ASN1_STRING_get0_data(value), n);
        id->type = general == GEN_IPADD && n == 16 ? PKI_ID_IPV6 : types[i].type;
        id->body = view_of(copy, n);
        return true;
    }
    return false;
}

static bool make_id(struct pki_credential *c, X509 *own)
{
    const X509_NAME *subject = X509_get_subject_name(own);
    if (X509_NAME_entry_count(subject) > 0) {
        uint8_t *der = NULL;
        int n = i2d_X509_NAME(subject, &der);
        c->id.type = PKI_ID_DER_ASN1_DN;
        return keep(der, n, &c->id.body);
    }
    GENERAL_NAMES *names = X509_get_ext_d2i(own, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++)
        found = id_from_name(&c->id, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    return found;
}

static enum err put_together(const struct found *f, struct pki_credential *c, char why[static PKI_WHY_MAX])
{
    if (f->key == NULL || sk_X509_num(f->certificates) <= 0) {
        pki_say(why, "There is no %s in it.", f->key == NULL ? "private key" : "certificate");
        return ERR_NOTFOUND;
    }
    c->kind = pki_key_of(f->key);
    if (c->kind == PKI_KEY_NONE) {
        pki_say(why, "Its key is of a kind that cannot sign in IKEv1: make an RSA or ECDSA (P-256, P-384, P-521) key.");
        return ERR_UNSUPPORTED;
    }
    X509 *own = find_own(f);
    if (own == NULL) {
        pki_say(why, "No certificate in it belongs to the private key.");
        return ERR_NOTFOUND;
    }
    for (X509 *x = own; x != NULL && (x == own || !is_root(x)) && c->count < PKI_CHAIN_MAX - 1; x = find_issuer(f, x))
        if (!add_certificate(c, x))
            return ERR_NOMEM;
    if (!make_id(c, own)) {
        pki_say(why, "Its certificate has neither a subject nor another name.");
        return ERR_UNSUPPORTED;
    }
    pki_name_text(X509_get_subject_name(own), c->subject);
    c->from = pki_time(X509_get0_notBefore(own));
    c->until = pki_time(X509_get0_notAfter(own));
    c->key = f->key;
    return EVP_PKEY_up_ref(f->key) == 1 ? ERR_OK : ERR_CRYPTO;
}

enum err pki_credential_read(struct view file, struct view key, const char *password, struct pki_credential **out,
                             char why[static PKI_WHY_MAX])
{
    struct found f = {0};
    struct pki_credential *c = calloc(1, sizeof *c);
    pki_say(why, "There is not enough memory.");
    enum err e = c != NULL ? read_files(file, key, password, &f, why) : ERR_NOMEM;
    if (e == ERR_OK)
        e = put_together(&f, c, why);
    found_done(&f);
    ERR_clear_error();
    if (e != ERR_OK) {
        pki_credential_free(c);
        return e;
    }
    why[0] = '\0';
    *out = c;
    return ERR_OK;
}

void pki_credential_free(struct pki_credential *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->count; i++) {
        free((void *)(uintptr_t)c->certificates[i].p);
        free((void *)(uintptr_t)c->issuers[i].p);
    }
    free((void *)(uintptr_t)c->id.body.p);
    EVP_PKEY_free(c->key);
    free(c);
}

/* ---- asking ---- */

enum pki_key pki_credential_key(const struct pki_credential *c)
{
    return c->kind;
}

const struct view *pki_credential_certificates(const struct pki_credential *c, size_t *n)
{
    *n = c->count;
    return c->certificates;
}

const struct view *pki_credential_issuers(const struct pki_credential *c, size_t *n)
{
    *n = c->count;
    return c->issuers;
}

const char *pki_credential_subject(const struct pki_credential *c)
{
    return c->subject;
}

void pki_credential_dates(const struct pki_credential *c, int64_t *from, int64_t *until)
{
    *from = c->from;
    *until = c->until;
}

struct pki_id pki_credential_id(const struct pki_credential *c)
{
    return c->id;
}

enum err pki_sign(const struct pki_credential *c, struct view hash, uint8_t out[static PKI_SIGNATURE_MAX], size_t *n)
{
    return pki_key_sign(c->key, hash, out, n);
}
