/*
 * From private bytes to a scalar in [1, n - 1]: (bytes mod (n - 1)) + 1, FIPS 186-5 appendix A.2.1, with GMP's
 * division that takes the same time for every value.
 */
#include "crypto/crypto_internal.h"

#include <gmp.h>
#include <string.h>

#define LIMB_BYTES sizeof(mp_limb_t)
#define LIMBS(n)   (((n) + LIMB_BYTES - 1) / LIMB_BYTES)

_Static_assert(GMP_NAIL_BITS == 0, "limbs are used as whole words");

/* The orders of the curves, less one: SP 800-186 section 3.2.1. */
static const uint8_t order_less_1_p256[] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                            0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                            0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x50};
static const uint8_t order_less_1_p384[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                            0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2,
                                            0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x72};
static const uint8_t order_less_1_p521[] = {
    0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfa,
    0x51, 0x86, 0x87, 0x83, 0xbf, 0x2f, 0x96, 0x6b, 0x7f, 0xcc, 0x01, 0x48, 0xf7, 0x09, 0xa5, 0xd0, 0x3b,
    0xb5, 0xc9, 0xb8, 0x89, 0x9c, 0x47, 0xae, 0xbb, 0x6f, 0xb7, 0x1e, 0x91, 0x38, 0x64, 0x08};

static struct view order_less_1(enum dh_group g)
{
    switch ((int)g) {
    case DH_ECP_256:
        return VIEW(order_less_1_p256);
    case DH_ECP_384:
        return VIEW(order_less_1_p384);
    case DH_ECP_521:
        return VIEW(order_less_1_p521);
    default:
        return VIEW_NONE;
    }
}

size_t dh_ecp_width(enum dh_group g)
{
    return order_less_1(g).n;
}

static void limbs_from_bytes(mp_limb_t *limbs, const uint8_t *bytes, size_t n)
{
    memset(limbs, 0, LIMBS(n) * LIMB_BYTES);
    for (size_t i = 0; i < n; i++)
        limbs[i / LIMB_BYTES] |= (mp_limb_t)bytes[n - 1 - i] << 8 * (i % LIMB_BYTES);
}

static void bytes_from_limbs(uint8_t *bytes, const mp_limb_t *limbs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[n - 1 - i] = (uint8_t)(limbs[i / LIMB_BYTES] >> 8 * (i % LIMB_BYTES));
}

/* Room for what mpn_sec_div_r asks: nn + 2 dn + 2 limbs, with 32-bit limbs too. Asked at each call all the same. */
#define SCRATCH_LIMBS 64

enum err dh_ecp_scalar(enum dh_group g, const uint8_t private_key[static DH_PRIVATE_MAX],
                       uint8_t out[static DH_SCALAR_MAX])
{
    struct view modulus = order_less_1(g);
    size_t n = dh_private_size(g);
    mp_limb_t x[LIMBS(DH_PRIVATE_MAX)], m[LIMBS(DH_SCALAR_MAX)], scratch[SCRATCH_LIMBS];
    mp_size_t x_limbs = (mp_size_t)LIMBS(n), m_limbs = (mp_size_t)LIMBS(modulus.n);
    if (modulus.n == 0)
        return ERR_UNSUPPORTED;
    if (mpn_sec_div_r_itch(x_limbs, m_limbs) > SCRATCH_LIMBS || mpn_sec_add_1_itch(m_limbs) > SCRATCH_LIMBS)
        return ERR_CRYPTO;

    limbs_from_bytes(x, private_key, n);
    limbs_from_bytes(m, modulus.p, modulus.n);
    mpn_sec_div_r(x, x_limbs, m, m_limbs, scratch);
    mpn_sec_add_1(x, x, m_limbs, 1, scratch);
    bytes_from_limbs(out, x, modulus.n);
    bytes_wipe(x, sizeof(x));
    bytes_wipe(scratch, sizeof(scratch));
    return ERR_OK;
}
