/* PKCS#12 (RFC 7292): certificate, key and authorities in one file, as phones and desktops import them. */
#include "pki/pki_internal.h"

#include <openssl/pkcs12.h>

#define P12_ITERATIONS 10000

static PKCS12 *make(X509 *own, EVP_PKEY *key, STACK_OF(X509) * authorities, const char *name, const char *password,
                    enum pki_p12 how)
{
    bool old = how == PKI_P12_COMPATIBLE;
    int cipher = old ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC : NID_aes_256_cbc;
    /* -1: the MAC comes next, with a digest of our choice */
    PKCS12 *p12 = PKCS12_create(password, name, key, own, authorities, cipher, cipher, P12_ITERATIONS, -1, 0);
    if (p12 != NULL &&
        PKCS12_set_mac(p12, password, -1, NULL, 0, P12_ITERATIONS, old ? EVP_sha1() : EVP_sha256()) != 1) {
        PKCS12_free(p12);
        p12 = NULL;
    }
    return p12;
}

static enum err write_all(struct view key_pem, STACK_OF(X509) * own, STACK_OF(X509) * authorities, const char *name,
                          const char *password, enum pki_p12 how, struct pki_bytes *out, char why[static PKI_WHY_MAX])
{
    EVP_PKEY *key = NULL;
    enum err e = pki_read_key(key_pem, NULL, &key, why);
    if (e != ERR_OK)
        return e;
    pki_say(why, "The crypto library failed.");
    BIO *bio = BIO_new(BIO_s_mem());
    PKCS12 *p12 = make(sk_X509_value(own, 0), key, authorities, name, password, how);
    e = ERR_CRYPTO;
    if (bio != NULL && p12 != NULL && i2d_PKCS12_bio(bio, p12) == 1) {
        e = pki_bytes_take(bio, out);
        bio = NULL;
    }
    BIO_free(bio);
    PKCS12_free(p12);
    EVP_PKEY_free(key);
    return e;
}

enum err pki_p12_write(struct view certificate, struct view key, struct view authorities, const char *name,
                       const char *password, enum pki_p12 how, struct pki_bytes *out, char why[static PKI_WHY_MAX])
{
    STACK_OF(X509) *own = NULL, *above = NULL;
    enum err e = pki_read_certificates(certificate, PKI_CHAIN_MAX, &own, why);
    if (e == ERR_OK)
        e = pki_read_certificates(authorities, PKI_CHAIN_MAX, &above, why);
    if (e == ERR_OK)
        e = write_all(key, own, above, name, password, how, out, why);
    sk_X509_pop_free(own, X509_free);
    sk_X509_pop_free(above, X509_free);
    ERR_clear_error();
    return e;
}
