/*
 * Sealing at rest: AES-256-GCM under a key of the host, laid out as nonce, ciphertext, tag. The context is
 * authenticated with it, so that a sealed password cannot be moved to another user's row.
 */
#include "crypto/crypto.h"

#include <nettle/gcm.h>

#define TAG_SIZE GCM_DIGEST_SIZE

_Static_assert(SEAL_OVERHEAD == GCM_IV_SIZE + TAG_SIZE, "a seal is a nonce and a tag");
_Static_assert(SEAL_KEY_SIZE == AES256_KEY_SIZE, "seals are AES-256");

static void start(struct gcm_aes256_ctx *gcm, const uint8_t *key, const uint8_t *nonce, struct view context)
{
    gcm_aes256_set_key(gcm, key);
    gcm_aes256_set_iv(gcm, GCM_IV_SIZE, nonce);
    gcm_aes256_update(gcm, context.n, context.p);
}

enum err seal(const uint8_t key[static SEAL_KEY_SIZE], const struct random *rng, struct view context, struct view plain,
              uint8_t *out)
{
    uint8_t *text = out + GCM_IV_SIZE;
    struct gcm_aes256_ctx gcm;
    random_fill(rng, out, GCM_IV_SIZE);
    start(&gcm, key, out, context);
    gcm_aes256_encrypt(&gcm, plain.n, text, plain.p);
    gcm_aes256_digest(&gcm, TAG_SIZE, text + plain.n);
    bytes_wipe(&gcm, sizeof(gcm));
    return ERR_OK;
}

/* Nothing is written before the tag was found right: the first pass decrypts into a scratch block that is wiped. */
enum err unseal(const uint8_t key[static SEAL_KEY_SIZE], struct view context, struct view sealed, uint8_t *out)
{
    struct reader r = rd_init(sealed);
    struct view nonce = rd_view(&r, GCM_IV_SIZE);
    if (rd_left(&r) < TAG_SIZE)
        return ERR_AUTH;
    struct view text = rd_view(&r, rd_left(&r) - TAG_SIZE);
    struct view tag = rd_rest(&r);

    struct gcm_aes256_ctx gcm;
    uint8_t scratch[8 * GCM_BLOCK_SIZE], digest[TAG_SIZE];
    start(&gcm, key, nonce.p, context);
    for (size_t at = 0; at < text.n; at += sizeof(scratch)) {
        size_t n = text.n - at < sizeof(scratch) ? text.n - at : sizeof(scratch);
        gcm_aes256_decrypt(&gcm, n, scratch, text.p + at);
    }
    gcm_aes256_digest(&gcm, TAG_SIZE, digest);
    enum err e = bytes_equal_ct(digest, tag.p, TAG_SIZE) ? ERR_OK : ERR_AUTH;
    if (e == ERR_OK) {
        start(&gcm, key, nonce.p, context);
        gcm_aes256_decrypt(&gcm, text.n, out, text.p);
    }
    bytes_wipe(&gcm, sizeof(gcm));
    bytes_wipe(scratch, sizeof(scratch));
    return e;
}
