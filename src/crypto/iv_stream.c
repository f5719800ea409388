/*
 * The source of CBC's IVs: AES-256-CTR keystream, made a block of several packets at a time, because a call to the
 * system's generator per packet would cost as much as its encryption.
 *
 * The first bytes of every block become the next key, so that memory never tells IVs of the past; the injected source
 * is mixed in from time to time, so that it does not tell those of the future for long.
 */
#include <nettle/aes.h>
#include <nettle/ctr.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"

#define BLOCK_SIZE   4096 /* bytes */
#define RESEED_AFTER 4096 /* blocks */
#define KEY_SIZE     AES256_KEY_SIZE

struct iv_stream {
    const struct random *rng;
    uint32_t blocks; /* since the last seed */
    size_t used;     /* bytes of block */
    uint8_t key[KEY_SIZE];
    uint8_t block[BLOCK_SIZE];
};

static void seed(struct iv_stream *s)
{
    uint8_t fresh[KEY_SIZE];
    random_fill(s->rng, fresh, sizeof fresh);
    for (size_t i = 0; i < KEY_SIZE; i++)
        s->key[i] ^= fresh[i];
    bytes_wipe(fresh, sizeof fresh);
    s->blocks = 0;
}

static void refill(struct iv_stream *s)
{
    if (++s->blocks > RESEED_AFTER)
        seed(s);
    struct aes256_ctx cipher;
    uint8_t counter[AES_BLOCK_SIZE] = {0};
    aes256_set_encrypt_key(&cipher, s->key);
    memset(s->block, 0, sizeof s->block);
    ctr_crypt(&cipher, (nettle_cipher_func *)aes256_encrypt, AES_BLOCK_SIZE, counter, sizeof s->block, s->block,
              s->block);
    bytes_wipe(&cipher, sizeof cipher);
    memcpy(s->key, s->block, KEY_SIZE);
    bytes_wipe(s->block, KEY_SIZE);
    s->used = KEY_SIZE;
}

struct iv_stream *iv_stream_new(const struct random *rng)
{
    struct iv_stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->rng = rng;
    seed(s);
    refill(s);
    return s;
}

void iv_stream_free(struct iv_stream *s)
{
    if (!s)
        return;
    bytes_wipe(s, sizeof *s);
    free(s);
}

void iv_stream_draw(struct iv_stream *s, uint8_t *out, size_t n)
{
    while (n > 0) {
        if (s->used == sizeof s->block)
            refill(s);
        size_t take = sizeof s->block - s->used < n ? sizeof s->block - s->used : n;
        memcpy(out, s->block + s->used, take);
        s->used += take;
        out += take;
        n -= take;
    }
}
