/* Certificates and keys out of files: PEM with anything around it, DER, and the PKCS#7 bundles of CERT payloads. */
#include "pki/pki_internal.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <string.h>

bool pki_is_pem(struct view file)
{
    static const char begin[] = "-----BEGIN ";
    return file.n > 0 && memmem(file.p, file.n, begin, sizeof begin - 1) != NULL;
}

int pki_no_password(char *out, int size, int writing, void *ctx)
{
    (void)out, (void)size, (void)writing, (void)ctx;
    return -1;
}

static bool at_end(void)
{
    unsigned long e = ERR_peek_last_error();
    return ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

static enum err read_pem(BIO *bio, size_t max, STACK_OF(X509) * found, char why[static PKI_WHY_MAX])
{
    X509 *x;
    ERR_clear_error();
    while ((x = PEM_read_bio_X509(bio, NULL, pki_no_password, NULL)) != NULL) {
        if ((size_t)sk_X509_num(found) >= max) {
            X509_free(x);
            pki_say(why, "There are more than %zu certificates in it.", max);
            return ERR_LIMIT;
        }
        if (sk_X509_push(found, x) <= 0) {
            X509_free(x);
            return ERR_NOMEM;
        }
    }
    if (!at_end()) {
        pki_say(why, "Certificate %d in it is damaged.", sk_X509_num(found) + 1);
        return ERR_MALFORMED;
    }
    return ERR_OK;
}

/* One X.509 structure that fills all of der, or NULL. */
static X509 *read_der(struct view der)
{
    const uint8_t *p = der.p;
    X509 *x = der.n <= LONG_MAX ? d2i_X509(NULL, &p, (long)der.n) : NULL;
    if (x != NULL && p != der.p + der.n) {
        X509_free(x);
        return NULL;
    }
    return x;
}

enum err pki_read_certificates(struct view file, size_t max, STACK_OF(X509) * *out, char why[static PKI_WHY_MAX])
{
    pki_say(why, "There is not enough memory.");
    if (file.n > PKI_FILE_MAX) {
        pki_say(why, "It is larger than %d bytes.", PKI_FILE_MAX);
        return ERR_LIMIT;
    }
    STACK_OF(X509) *found = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(file.n > 0 ? (const void *)file.p : "", (int)file.n);
    enum err e = found != NULL && bio != NULL ? ERR_OK : ERR_NOMEM;
    if (e == ERR_OK && pki_is_pem(file)) {
        e = read_pem(bio, max, found, why);
    } else if (e == ERR_OK) {
        X509 *x = read_der(file);
        if (x != NULL && sk_X509_push(found, x) <= 0) {
            X509_free(x);
            e = ERR_NOMEM;
        }
    }
    if (e == ERR_OK && sk_X509_num(found) == 0) {
        pki_say(why, "There is no certificate in it.");
        e = ERR_NOTFOUND;
    }
    BIO_free(bio);
    if (e == ERR_OK)
        *out = found;
    else
        sk_X509_pop_free(found, X509_free);
    ERR_clear_error();
    return e;
}

static bool add_bundle(struct view der, size_t max, STACK_OF(X509) * out)
{
    const uint8_t *p = der.p;
    PKCS7 *bundle = d2i_PKCS7(NULL, &p, (long)der.n);
    STACK_OF(X509) *inside =
        bundle != NULL && PKCS7_type_is_signed(bundle) && bundle->d.sign != NULL ? bundle->d.sign->cert : NULL;
    bool ok = inside != NULL && sk_X509_num(inside) > 0;
    for (int i = 0; ok && i < sk_X509_num(inside); i++)
        ok = (size_t)sk_X509_num(out) < max && X509_add_cert(out, sk_X509_value(inside, i), X509_ADD_FLAG_UP_REF) == 1;
    PKCS7_free(bundle);
    return ok;
}

bool pki_read_certificate(struct view der, size_t max, STACK_OF(X509) * out)
{
    if (der.n == 0 || der.n > PKI_CERTIFICATE_MAX || (size_t)sk_X509_num(out) >= max)
        return false;
    X509 *x = read_der(der);
    if (x == NULL)
        return add_bundle(der, max, out);
    if (sk_X509_push(out, x) > 0)
        return true;
    X509_free(x);
    return false;
}

/* ---- keys ---- */

struct asked {
    const char *password;
    bool asked;
};

static int give_password(char *out, int size, int writing, void *ctx)
{
    struct asked *a = ctx;
    (void)writing;
    a->asked = true;
    size_t n = a->password != NULL ? strlen(a->password) : 0;
    if (a->password == NULL || size < 0 || n > (size_t)size)
        return -1;
    memcpy(out, a->password, n);
    return (int)n;
}

enum err pki_read_key(struct view file, const char *password, EVP_PKEY **out, char why[static PKI_WHY_MAX])
{
    struct asked a = {.password = password};
    BIO *bio = file.n <= PKI_FILE_MAX ? BIO_new_mem_buf(file.n > 0 ? (const void *)file.p : "", (int)file.n) : NULL;
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, give_password, &a) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    if (key != NULL) {
        *out = key;
        return ERR_OK;
    }
    if (a.asked) {
        pki_say(why, password == NULL ? "The private key is encrypted and wants a password."
                                      : "The password of the private key is wrong.");
        return ERR_AUTH;
    }
    pki_say(why, "There is no private key in it that can be read.");
    return ERR_NOTFOUND;
}
