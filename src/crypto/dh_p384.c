/*
 * Diffie-Hellman on P-384 (RFC 5903), Windows' first choice, with nettle: OpenSSL 3.0 multiplies on this curve with
 * code for any prime and is four times slower (bench/dh.c). nettle's multiplications run in constant time.
 */
#include "crypto/crypto_internal.h"

#include <gmp.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <string.h>

#define WIDTH 48 /* bytes of a coordinate */
#define LIMBS ((WIDTH + sizeof(mp_limb_t) - 1) / sizeof(mp_limb_t))

/* A number that lies in memory of ours, where it can be wiped. */
struct number {
    mp_limb_t limbs[LIMBS];
    mpz_t z; /* reads limbs; never cleared, owns nothing */
};

static void number_init(struct number *n, const uint8_t bytes[static WIDTH])
{
    memset(n, 0, sizeof(*n));
    for (size_t i = 0; i < WIDTH; i++)
        n->limbs[i / sizeof(mp_limb_t)] |= (mp_limb_t)bytes[WIDTH - 1 - i] << 8 * (i % sizeof(mp_limb_t));
    mpz_roinit_n(n->z, n->limbs, LIMBS);
}

static void put_number(uint8_t out[static WIDTH], const mpz_t z)
{
    for (size_t i = 0; i < WIDTH; i++)
        out[WIDTH - 1 - i] =
            (uint8_t)(mpz_getlimbn(z, (mp_size_t)(i / sizeof(mp_limb_t))) >> 8 * (i % sizeof(mp_limb_t)));
}

static void clear_number(mpz_t z)
{
    bytes_wipe(mpz_limbs_modify(z, LIMBS), LIMBS * sizeof(mp_limb_t));
    mpz_clear(z);
}

/* Writes x, and y behind it when y is wanted. */
static void put_point(const struct ecc_point *p, uint8_t *out, bool with_y)
{
    mpz_t x, y;
    mpz_init2(x, 8 * WIDTH);
    mpz_init2(y, 8 * WIDTH);
    ecc_point_get(p, x, y);
    put_number(out, x);
    if (with_y)
        put_number(out + WIDTH, y);
    clear_number(x);
    clear_number(y);
}

/* ecc_point_set refuses coordinates that are not below p, and points off the curve. */
static bool take_peer(struct ecc_point *p, const uint8_t xy[static 2 * WIDTH])
{
    struct number x, y;
    number_init(&x, xy);
    number_init(&y, xy + WIDTH);
    return ecc_point_set(p, x.z, y.z) == 1;
}

static enum err agree(struct dh_work *w, const struct ecc_scalar *scalar, struct ecc_point *point)
{
    if (w->peer_len != 0) {
        if (!take_peer(point, w->peer))
            return ERR_INVALID;
        ecc_point_mul(point, scalar, point);
        put_point(point, w->shared, false);
    }
    ecc_point_mul_g(point, scalar);
    put_point(point, w->public_key, true);
    return ERR_OK;
}

enum err dh_p384_run(struct dh_work *w)
{
    const struct ecc_curve *curve = nettle_get_secp_384r1();
    uint8_t bytes[DH_SCALAR_MAX];
    enum err e = dh_ecp_scalar(DH_ECP_384, w->private_key, bytes);
    if (e != ERR_OK)
        return e;

    struct number private_key;
    struct ecc_scalar scalar;
    struct ecc_point point;
    number_init(&private_key, bytes);
    ecc_scalar_init(&scalar, curve);
    ecc_point_init(&point, curve);
    e = ecc_scalar_set(&scalar, private_key.z) == 1 ? agree(w, &scalar, &point) : ERR_CRYPTO;

    bytes_wipe(scalar.p, (size_t)ecc_size(curve) * sizeof(mp_limb_t));
    bytes_wipe(point.p, (size_t)ecc_size_a(curve) * sizeof(mp_limb_t));
    ecc_scalar_clear(&scalar);
    ecc_point_clear(&point);
    bytes_wipe(&private_key, sizeof(private_key));
    bytes_wipe(bytes, sizeof(bytes));
    return e;
}
