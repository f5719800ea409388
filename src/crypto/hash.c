/*
 * Hashes and HMAC (RFC 2104) over nettle: contexts live on the stack, nothing is fetched, locked or allocated, so that
 * a digest over a short message costs little more than its compressions, and every trace of a key can be wiped.
 */
#include "crypto/crypto.h"

#include <nettle/md5.h>
#include <nettle/nettle-meta.h>
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

static const struct nettle_hash *find_hash(enum hash h)
{
    switch (h) {
    case HASH_MD5:
        return &nettle_md5;
    case HASH_SHA1:
        return &nettle_sha1;
    case HASH_SHA256:
        return &nettle_sha256;
    case HASH_SHA384:
        return &nettle_sha384;
    case HASH_SHA512:
        return &nettle_sha512;
    case HASH_NONE:
        break;
    }
    return NULL;
}

size_t hash_size(enum hash h)
{
    const struct nettle_hash *f = find_hash(h);
    return f != NULL ? f->digest_size : 0;
}

const char *hash_name(enum hash h)
{
    const struct nettle_hash *f = find_hash(h);
    return f != NULL ? f->name : "none";
}

static void add_parts(const struct nettle_hash *f, union state *s, const struct view *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (parts[i].n > 0)
            f->update(s, parts[i].n, parts[i].p);
}

enum err hash_digest(enum hash h, const struct view *parts, size_t n, uint8_t *out)
{
    const struct nettle_hash *f = find_hash(h);
    if (f == NULL)
        return ERR_UNSUPPORTED;
    union state s;
    f->init(&s);
    add_parts(f, &s, parts, n);
    f->digest(&s, f->digest_size, out);
    bytes_wipe(&s, sizeof(s));
    return ERR_OK;
}

/* The key as one block: hashed when longer than a block, padded with zeros (RFC 2104 section 2). */
static void fit_key(const struct nettle_hash *f, struct view key, uint8_t block[static HASH_BLOCK_MAX])
{
    memset(block, 0, HASH_BLOCK_MAX);
    if (key.n > f->block_size) {
        union state s;
        f->init(&s);
        f->update(&s, key.n, key.p);
        f->digest(&s, f->digest_size, block);
        bytes_wipe(&s, sizeof(s));
    } else if (key.n > 0) {
        memcpy(block, key.p, key.n);
    }
}

enum err hmac_digest(enum hash h, struct view key, const struct view *parts, size_t n, uint8_t *out)
{
    enum { INNER_PAD = 0x36, OUTER_PAD = 0x5c };
    const struct nettle_hash *f = find_hash(h);
    if (f == NULL)
        return ERR_UNSUPPORTED;

    uint8_t block[HASH_BLOCK_MAX], inner[HASH_SIZE_MAX];
    union state s;
    fit_key(f, key, block);
    for (size_t i = 0; i < f->block_size; i++)
        block[i] ^= INNER_PAD;
    f->init(&s);
    f->update(&s, f->block_size, block);
    add_parts(f, &s, parts, n);
    f->digest(&s, f->digest_size, inner);

    for (size_t i = 0; i < f->block_size; i++)
        block[i] ^= INNER_PAD ^ OUTER_PAD;
    f->init(&s);
    f->update(&s, f->block_size, block);
    f->update(&s, f->digest_size, inner);
    f->digest(&s, f->digest_size, out);

    bytes_wipe(&s, sizeof(s));
    bytes_wipe(block, sizeof(block));
    bytes_wipe(inner, sizeof(inner));
    return ERR_OK;
}
