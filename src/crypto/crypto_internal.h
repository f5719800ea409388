/* Between the files of crypto. */
#ifndef SEKISHO_CRYPTO_INTERNAL_H
#define SEKISHO_CRYPTO_INTERNAL_H

#include "crypto/crypto.h"

/* One Diffie-Hellman agreement in a family of groups. w->group is of the family and peer_len is 0 or right; writes
 * public_key and, with a peer, shared, in their full width. ERR_INVALID for a peer's value that must not be used. */
enum err dh_modp_run(struct dh_work *w);
enum err dh_ecp_run(struct dh_work *w);
enum err dh_p384_run(struct dh_work *w);

#define DH_SCALAR_MAX 66 /* bytes of a scalar of the largest curve */

/* Bytes of a coordinate, which are those of a scalar too; 0 when g is no curve. */
size_t dh_ecp_width(enum dh_group g);
/* The scalar that private bytes stand for, in [1, n - 1] and without a bias that matters; dh_ecp_width() bytes.
 * ERR_UNSUPPORTED, ERR_CRYPTO. */
enum err dh_ecp_scalar(enum dh_group g, const uint8_t private_key[static DH_PRIVATE_MAX],
                       uint8_t out[static DH_SCALAR_MAX]);

/* Argon2id with all that RFC 9106 3.1 knows, on one thread. */
struct argon2_input {
    struct view password, salt, secret, associated;
    uint32_t passes, kib, lanes;
};
enum err argon2id(const struct argon2_input *in, uint8_t *out, size_t n);

#endif
