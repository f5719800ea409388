/*
 * Diffie-Hellman modulo the safe primes of RFC 2409 and RFC 3526, generator 2, with OpenSSL's constant-time
 * exponentiation. Exponents are short (see dh.c) with their highest bit set, so that they all take the same time.
 */
#include "crypto/crypto_internal.h"

#define ERR_STATE OPENSSL_ERR_STATE /* its type has the name of an error of ours */
#include <openssl/bn.h>
#undef ERR_STATE
#include <string.h>

#define GENERATOR 2

static BIGNUM *new_prime(enum dh_group g)
{
    switch ((int)g) {
    case DH_MODP_768:
        return BN_get_rfc2409_prime_768(NULL);
    case DH_MODP_1024:
        return BN_get_rfc2409_prime_1024(NULL);
    case DH_MODP_1536:
        return BN_get_rfc3526_prime_1536(NULL);
    case DH_MODP_2048:
        return BN_get_rfc3526_prime_2048(NULL);
    case DH_MODP_3072:
        return BN_get_rfc3526_prime_3072(NULL);
    case DH_MODP_4096:
        return BN_get_rfc3526_prime_4096(NULL);
    default:
        return NULL;
    }
}

struct modp {
    BN_CTX *ctx;
    BN_MONT_CTX *mont; /* made once for both exponentiations */
    BIGNUM *p, *x, *base, *result;
};

static void modp_done(struct modp *m)
{
    BN_clear_free(m->result);
    BN_clear_free(m->x);
    BN_free(m->base);
    BN_free(m->p);
    BN_MONT_CTX_free(m->mont);
    BN_CTX_free(m->ctx);
}

static bool modp_init(struct modp *m, const struct dh_work *w)
{
    uint8_t exponent[DH_PRIVATE_MAX];
    size_t n = dh_private_size(w->group);
    memcpy(exponent, w->private_key, n);
    exponent[0] |= 0x80;

    *m = (struct modp){.ctx = BN_CTX_new(), .mont = BN_MONT_CTX_new(), .p = new_prime(w->group)};
    m->x = BN_bin2bn(exponent, (int)n, NULL);
    m->base = BN_new();
    m->result = BN_new();
    bytes_wipe(exponent, sizeof(exponent));
    if (m->ctx == NULL || m->mont == NULL || m->p == NULL || m->x == NULL || m->base == NULL || m->result == NULL)
        return false;
    BN_set_flags(m->x, BN_FLG_CONSTTIME);
    return BN_MONT_CTX_set(m->mont, m->p, m->ctx) == 1;
}

/* base^x mod p, in the full width of the group. */
static enum err raise(struct modp *m, const struct dh_work *w, uint8_t *out)
{
    int width = (int)dh_public_size(w->group);
    if (BN_mod_exp_mont_consttime(m->result, m->base, m->x, m->p, m->ctx, m->mont) != 1 ||
        BN_bn2binpad(m->result, out, width) != width)
        return ERR_CRYPTO;
    return ERR_OK;
}

/* 2 <= y <= p - 2: what is left out, 0, 1 and p - 1, are all the elements of order below (p - 1) / 2, which would
 * make the shared secret known (RFC 2631 section 2.1.5, SP 800-56A 5.6.2.3.2). */
static bool is_fit(struct modp *m, const BIGNUM *y)
{
    BIGNUM *last = m->result;
    return BN_copy(last, m->p) != NULL && BN_sub_word(last, 2) == 1 && BN_cmp(y, last) <= 0 && !BN_is_zero(y) &&
           !BN_is_one(y);
}

static enum err agree(struct modp *m, struct dh_work *w)
{
    if (w->peer_len != 0) {
        if (BN_bin2bn(w->peer, w->peer_len, m->base) == NULL)
            return ERR_CRYPTO;
        if (!is_fit(m, m->base))
            return ERR_INVALID;
        enum err e = raise(m, w, w->shared);
        if (e != ERR_OK)
            return e;
    }
    if (BN_set_word(m->base, GENERATOR) != 1)
        return ERR_CRYPTO;
    return raise(m, w, w->public_key);
}

enum err dh_modp_run(struct dh_work *w)
{
    struct modp m;
    enum err e = modp_init(&m, w) ? agree(&m, w) : ERR_NOMEM;
    modp_done(&m);
    return e;
}
