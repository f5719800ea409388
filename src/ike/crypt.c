/* Encrypted messages (RFC 2408 3.1 E bit, RFC 2409 appendix B) and the HASH payload in front of phase 2. */
#include "ike/ike_internal.h"

#include <string.h>

#define FLAGS_AT 19

enum drop crypt_open(const struct keys *k, uint8_t iv[static CIPHER_BLOCK_MAX], struct view body, uint8_t *out,
                     size_t cap)
{
    if (body.n == 0 || body.n > cap || body.n % cipher_block(k->cipher) != 0)
        return DROP_IKE_DECRYPT;
    memcpy(out, body.p, body.n);
    const enum err e = cbc_decrypt(k->cipher, view_of(k->cipher_key, k->key_bytes), iv, out, body.n);
    return e == ERR_OK ? DROP_NONE : DROP_IKE_DECRYPT;
}

struct view crypt_seal(struct draft *d, const struct keys *k, uint8_t iv[static CIPHER_BLOCK_MAX])
{
    const size_t block = cipher_block(k->cipher);
    const size_t beyond = (d->w.n - IKE_HEADER_SIZE) % block;
    if (beyond != 0)
        wr_zero(&d->w, block - beyond);
    wr_patch8(&d->w, FLAGS_AT, FLAG_ENCRYPTED);
    const struct view whole = draft_finish(d);
    if (whole.n == 0 || cbc_encrypt(k->cipher, view_of(k->cipher_key, k->key_bytes), iv, d->w.p + IKE_HEADER_SIZE,
                                    whole.n - IKE_HEADER_SIZE) != ERR_OK)
        return VIEW_NONE;
    return whole;
}

void draft_phase2(struct draft *d, const struct sa *sa, enum exchange exchange, uint32_t message_id)
{
    draft_begin(d, &sa->cookies, exchange, message_id);
    draft_payload(d, PAYLOAD_HASH);
    d->hash_at = d->w.n;
    wr_zero(&d->w, hash_size(sa->keys.hash));
    draft_payload_end(d);
}

struct view draft_phase2_seal(struct draft *d, const struct sa *sa, bool zero, struct view nonce_a, struct view nonce_b,
                              uint8_t iv[static CIPHER_BLOCK_MAX])
{
    uint8_t hash[HASH_SIZE_MAX];
    const size_t size = hash_size(sa->keys.hash);
    struct reader r = rd_init(wr_written(&d->w));
    rd_skip(&r, d->hash_at + size);
    if (!rd_ok(&r) || keys_message_hash(&sa->keys, zero, d->message_id, nonce_a, nonce_b, rd_rest(&r), hash) != ERR_OK)
        return VIEW_NONE;
    memcpy(d->w.p + d->hash_at, hash, size);
    return crypt_seal(d, &sa->keys, iv);
}

bool phase2_hash_ok(const struct sa *sa, const struct payloads *p, bool zero, uint32_t message_id, struct view nonce_a,
                    struct view nonce_b)
{
    uint8_t hash[HASH_SIZE_MAX];
    const size_t size = hash_size(sa->keys.hash);
    if (p->n == 0 || p->at[0].type != PAYLOAD_HASH || p->at[0].body.n != size)
        return false;
    /* HASH(3) covers nothing but the nonces. */
    const struct view rest = zero ? VIEW_NONE : p->after_first;
    return keys_message_hash(&sa->keys, zero, message_id, nonce_a, nonce_b, rest, hash) == ERR_OK &&
           bytes_equal_ct(hash, p->at[0].body.p, size);
}
