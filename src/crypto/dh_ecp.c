/*
 * Diffie-Hellman on P-256 and P-521 (RFC 5903) with OpenSSL's point arithmetic, which has code of its own for these
 * two. Below EVP on purpose: EVP_PKEY_derive_set_peer multiplies the peer's point by the order, a second whole scalar
 * multiplication. These curves have cofactor 1, so that a point on the curve is in the group (SP 800-56A 5.6.2.3.4).
 */
#include "crypto/crypto_internal.h"

#define ERR_STATE OPENSSL_ERR_STATE /* its type has the name of an error of ours */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#undef ERR_STATE
#include <string.h>

#define UNCOMPRESSED 0x04 /* SEC 1 section 2.3.3: the byte before x and y */
#define POINT_MAX    (1 + 2 * DH_SCALAR_MAX)

struct curve {
    EC_GROUP *group;
    BN_CTX *ctx;
    BIGNUM *scalar;
    EC_POINT *peer, *result;
    size_t width;
};

static void curve_done(struct curve *c)
{
    EC_POINT_clear_free(c->result);
    EC_POINT_free(c->peer);
    BN_clear_free(c->scalar);
    BN_CTX_free(c->ctx);
    EC_GROUP_free(c->group);
}

static enum err curve_init(struct curve *c, const struct dh_work *w)
{
    uint8_t scalar[DH_SCALAR_MAX];
    *c = (struct curve){.width = dh_ecp_width(w->group)};
    enum err e = dh_ecp_scalar(w->group, w->private_key, scalar);
    if (e != ERR_OK)
        return e;
    c->scalar = BN_bin2bn(scalar, (int)c->width, NULL);
    bytes_wipe(scalar, sizeof(scalar));
    c->group = EC_GROUP_new_by_curve_name(w->group == DH_ECP_256 ? NID_X9_62_prime256v1 : NID_secp521r1);
    c->ctx = BN_CTX_new();
    if (c->group == NULL || c->ctx == NULL || c->scalar == NULL)
        return ERR_NOMEM;
    BN_set_flags(c->scalar, BN_FLG_CONSTTIME);
    c->peer = EC_POINT_new(c->group);
    c->result = EC_POINT_new(c->group);
    return c->peer != NULL && c->result != NULL ? ERR_OK : ERR_NOMEM;
}

/* Writes x and y of the result, or x alone. */
static enum err put_result(struct curve *c, uint8_t *out, size_t n)
{
    uint8_t point[POINT_MAX];
    size_t size = 1 + 2 * c->width;
    bool ok = EC_POINT_point2oct(c->group, c->result, POINT_CONVERSION_UNCOMPRESSED, point, size, c->ctx) == size;
    if (ok)
        memcpy(out, point + 1, n);
    bytes_wipe(point, sizeof(point));
    return ok ? ERR_OK : ERR_CRYPTO;
}

/* Both coordinates below p and on the curve: EC_POINT_oct2point refuses all else. */
static bool take_peer(struct curve *c, const struct dh_work *w)
{
    uint8_t point[POINT_MAX] = {UNCOMPRESSED};
    memcpy(point + 1, w->peer, w->peer_len);
    return EC_POINT_oct2point(c->group, c->peer, point, 1 + (size_t)w->peer_len, c->ctx) == 1;
}

static enum err agree(struct curve *c, struct dh_work *w)
{
    if (w->peer_len != 0) {
        if (!take_peer(c, w))
            return ERR_INVALID;
        if (EC_POINT_mul(c->group, c->result, NULL, c->peer, c->scalar, c->ctx) != 1)
            return ERR_CRYPTO;
        enum err e = put_result(c, w->shared, c->width);
        if (e != ERR_OK)
            return e;
    }
    if (EC_POINT_mul(c->group, c->result, c->scalar, NULL, NULL, c->ctx) != 1)
        return ERR_CRYPTO;
    return put_result(c, w->public_key, 2 * c->width);
}

enum err dh_ecp_run(struct dh_work *w)
{
    struct curve c;
    ERR_set_mark();
    enum err e = curve_init(&c, w);
    if (e == ERR_OK)
        e = agree(&c, w);
    curve_done(&c);
    ERR_pop_to_mark(); /* a bad point is the peer's doing: it may not fill this thread's error queue */
    return e;
}
