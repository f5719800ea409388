/*
 * Hashes and HMAC (RFC 2104) over nettle: contexts live on the stack, nothing is fetched, locked or allocated, so that
 * a digest over a short message costs little more than its compressions, and every trace of a key can be wiped.
 */
#include "crypto/crypto.h"

#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <string.h>

#define HASH_BLOCK_MAX 128

union state {
    struct md5_ctx md5;
    struct sha1_ctx sha1;
    struct sha256_ctx sha256;
    struct sha512_ctx sha512; /* SHA-384 too */
};

/* What differs between the hashes. The functions take the member of union state that is theirs. */
struct kind {
    const char *name;
    size_t size, block;
    void (*init)(void *ctx);
    void (*update)(void *ctx, size_t n, const uint8_t *p);
    void (*digest)(void *ctx, size_t n, uint8_t *out);
};

/* Adapters with one signature: calling through a cast function pointer would be undefined. */
#define KIND(fn, type)                                                                                                 \
    static void fn##_start(void *ctx)                                                                                  \
    {                                                                                                                  \
        fn##_init((struct type *)ctx);                                                                                 \
    }                                                                                                                  \
    static void fn##_add(void *ctx, size_t n, const uint8_t *p)                                                        \
    {                                                                                                                  \
        fn##_update((struct type *)ctx, n, p);                                                                         \
    }                                                                                                                  \
    static void fn##_finish(void *ctx, size_t n, uint8_t *out)                                                         \
    {                                                                                                                  \
        fn##_digest((struct type *)ctx, n, out);                                                                       \
    }

KIND(md5, md5_ctx)
KIND(sha1, sha1_ctx)
KIND(sha256, sha256_ctx)
KIND(sha384, sha512_ctx)
KIND(sha512, sha512_ctx)

static const struct kind kinds[] = {
    [HASH_NONE] = {"none", 0, 0, NULL, NULL, NULL},
    [HASH_MD5] = {"md5", 16, 64, md5_start, md5_add, md5_finish},
    [HASH_SHA1] = {"sha1", 20, 64, sha1_start, sha1_add, sha1_finish},
    [HASH_SHA256] = {"sha256", 32, 64, sha256_start, sha256_add, sha256_finish},
    [HASH_SHA384] = {"sha384", 48, 128, sha384_start, sha384_add, sha384_finish},
    [HASH_SHA512] = {"sha512", 64, 128, sha512_start, sha512_add, sha512_finish},
};

static const struct kind *find_kind(enum hash h)
{
    return (size_t)h < ARRAY_LEN(kinds) ? &kinds[h] : &kinds[HASH_NONE];
}

size_t hash_size(enum hash h)
{
    return find_kind(h)->size;
}

const char *hash_name(enum hash h)
{
    return find_kind(h)->name;
}

static void add_parts(const struct kind *k, union state *s, const struct view *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (parts[i].n > 0)
            k->update(s, parts[i].n, parts[i].p);
}

enum err hash_digest(enum hash h, const struct view *parts, size_t n, uint8_t *out)
{
    const struct kind *k = find_kind(h);
    if (k->size == 0)
        return ERR_UNSUPPORTED;
    union state s;
    k->init(&s);
    add_parts(k, &s, parts, n);
    k->digest(&s, k->size, out);
    bytes_wipe(&s, sizeof(s));
    return ERR_OK;
}

/* The key as one block: hashed when longer than a block, padded with zeros (RFC 2104 section 2). */
static void fit_key(const struct kind *k, struct view key, uint8_t block[static HASH_BLOCK_MAX])
{
    memset(block, 0, HASH_BLOCK_MAX);
    if (key.n > k->block) {
        union state s;
        k->init(&s);
        k->update(&s, key.n, key.p);
        k->digest(&s, k->size, block);
        bytes_wipe(&s, sizeof(s));
    } else if (key.n > 0) {
        memcpy(block, key.p, key.n);
    }
}

enum err hmac_digest(enum hash h, struct view key, const struct view *parts, size_t n, uint8_t *out)
{
    enum { INNER_PAD = 0x36, OUTER_PAD = 0x5c };
    const struct kind *k = find_kind(h);
    if (k->size == 0)
        return ERR_UNSUPPORTED;

    uint8_t block[HASH_BLOCK_MAX], inner[HASH_SIZE_MAX];
    union state s;
    fit_key(k, key, block);
    for (size_t i = 0; i < k->block; i++)
        block[i] ^= INNER_PAD;
    k->init(&s);
    k->update(&s, k->block, block);
    add_parts(k, &s, parts, n);
    k->digest(&s, k->size, inner);

    for (size_t i = 0; i < k->block; i++)
        block[i] ^= INNER_PAD ^ OUTER_PAD;
    k->init(&s);
    k->update(&s, k->block, block);
    k->update(&s, k->size, inner);
    k->digest(&s, k->size, out);

    bytes_wipe(&s, sizeof(s));
    bytes_wipe(block, sizeof(block));
    bytes_wipe(inner, sizeof(inner));
    return ERR_OK;
}
