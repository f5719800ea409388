/*
 * Signatures of IKEv1 over HASH_I and HASH_R, which are signed as they are, without another hash: RSA by PKCS#1 v1.5
 * without DigestInfo (RFC 2409 5.1), ECDSA as r and s of the curve's size in a row (RFC 4754 section 7).
 */
#include "pki/pki_internal.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <string.h>

#define HALF_MAX    66                  /* bytes of r: P-521 */
#define DER_SIG_MAX (2 * HALF_MAX + 16) /* two integers in DER */

static const struct curve {
    enum pki_key key;
    int nid;
    size_t half;
} curves[] = {
    {PKI_KEY_ECDSA_256, NID_X9_62_prime256v1, 32},
    {PKI_KEY_ECDSA_384, NID_secp384r1, 48},
    {PKI_KEY_ECDSA_521, NID_secp521r1, HALF_MAX},
};

static const struct curve *find_curve(const EVP_PKEY *key)
{
    char name[64];
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_group_name(key, name, sizeof name, NULL) != 1)
        return NULL;
    int nid = OBJ_txt2nid(name);
    for (size_t i = 0; i < ARRAY_LEN(curves); i++)
        if (curves[i].nid == nid)
            return &curves[i];
    return NULL;
}

enum pki_key pki_key_of(const EVP_PKEY *key)
{
    const struct curve *c = find_curve(key);
    if (c != NULL)
        return c->key;
    bool fits = EVP_PKEY_get_size(key) > 0 && EVP_PKEY_get_size(key) <= PKI_SIGNATURE_MAX;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && fits ? PKI_KEY_RSA : PKI_KEY_NONE;
}

static EVP_PKEY_CTX *begin(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *), bool rsa)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    if (ctx != NULL && init(ctx) == 1 && (!rsa || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1))
        return ctx;
    EVP_PKEY_CTX_free(ctx);
    return NULL;
}

static bool plain_from_der(const struct curve *c, const uint8_t *der, size_t n, uint8_t *out)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
    bool ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, (int)c->half) == (int)c->half &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + c->half, (int)c->half) == (int)c->half;
    ECDSA_SIG_free(sig);
    return ok;
}

/* Bytes of DER; 0 when it failed. */
static size_t der_from_plain(const struct curve *c, struct view plain, uint8_t der[static DER_SIG_MAX])
{
    if (plain.n != 2 * c->half)
        return 0;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(plain.p, (int)c->half, NULL), *s = BN_bin2bn(plain.p + c->half, (int)c->half, NULL);
    uint8_t *p = der;
    int n = 0;
    if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* sig owns them */
        n = i2d_ECDSA_SIG(sig, NULL) <= DER_SIG_MAX ? i2d_ECDSA_SIG(sig, &p) : 0;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return n > 0 ? (size_t)n : 0;
}

enum err pki_key_sign(EVP_PKEY *key, struct view hash, uint8_t out[static PKI_SIGNATURE_MAX], size_t *n)
{
    const struct curve *c = find_curve(key);
    uint8_t made[PKI_SIGNATURE_MAX];
    size_t len = sizeof made;
    EVP_PKEY_CTX *ctx = begin(key, EVP_PKEY_sign_init, c == NULL);
    bool ok = ctx != NULL && hash.n > 0 && EVP_PKEY_sign(ctx, made, &len, hash.p, hash.n) == 1;
    if (ok && c != NULL) {
        ok = plain_from_der(c, made, len, out);
        len = 2 * c->half;
    } else if (ok) {
        memcpy(out, made, len);
    }
    if (ok)
        *n = len;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return ok ? ERR_OK : ERR_CRYPTO;
}

bool pki_signature_holds(EVP_PKEY *key, struct view hash, struct view signature)
{
    const struct curve *c = find_curve(key);
    uint8_t der[DER_SIG_MAX];
    if (hash.n == 0 || signature.n == 0)
        return false;
    if (c != NULL) {
        size_t n = der_from_plain(c, signature, der);
        signature = view_of(der, n);
        if (n == 0)
            return false;
    }
    EVP_PKEY_CTX *ctx = begin(key, EVP_PKEY_verify_init, c == NULL);
    bool ok = ctx != NULL && EVP_PKEY_verify(ctx, signature.p, signature.n, hash.p, hash.n) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}
