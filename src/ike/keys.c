/* The key schedule of IKEv1 (RFC 2409 5, 5.1, 5.4, 5.5, appendix B). */
#include "ike/ike_internal.h"

#include <string.h>

static struct view nonce_i(const struct phase1 *p)
{
    return view_of(p->nonce_i, p->nonce_i_len);
}

static struct view nonce_r(const struct phase1 *p)
{
    return view_of(p->nonce_r, p->nonce_r_len);
}

/* SKEYID_d, _a, _e: prf(SKEYID, [the one before] | g^xy | CKY-I | CKY-R | number) */
static enum err derive_one(const struct sa *sa, struct view skeyid, struct view before, uint8_t number, uint8_t *out)
{
    const struct view parts[] = {
        before,
        view_of(sa->phase1->shared, sa->phase1->shared_len),
        VIEW(sa->cookies.icookie),
        VIEW(sa->cookies.rcookie),
        view_of(&number, 1),
    };
    return hmac_digest(sa->suite.hash, skeyid, parts, ARRAY_LEN(parts), out);
}

/* RFC 2409 appendix B: K1 = prf(SKEYID_e, 0), K2 = prf(SKEYID_e, K1), ... when SKEYID_e alone is too short. */
static enum err stretch(enum hash hash, struct view skeyid_e, size_t wanted, uint8_t *out)
{
    static const uint8_t zero[1] = {0};
    uint8_t block[HASH_SIZE_MAX];
    const size_t size = skeyid_e.n;
    if (size >= wanted) {
        memcpy(out, skeyid_e.p, wanted);
        return ERR_OK;
    }
    struct view last = VIEW(zero);
    enum err e = ERR_OK;
    for (size_t have = 0; have < wanted && e == ERR_OK;) {
        e = hmac_digest(hash, skeyid_e, &last, 1, block);
        const size_t n = wanted - have < size ? wanted - have : size;
        memcpy(out + have, block, n);
        have += n;
        last = view_of(block, size);
    }
    bytes_wipe(block, sizeof(block));
    return e;
}

/* With a pre-shared key prf(key, Ni_b | Nr_b), with signatures prf(Ni_b | Nr_b, g^xy). */
static enum err derive_skeyid(const struct sa *sa, struct view psk, uint8_t *skeyid)
{
    const struct phase1 *p = sa->phase1;
    const struct view nonces[] = {nonce_i(p), nonce_r(p)};
    if (sa->suite.auth == IKE_AUTH_PSK)
        return hmac_digest(sa->suite.hash, psk, nonces, ARRAY_LEN(nonces), skeyid);
    uint8_t both[2 * NONCE_MAX];
    struct writer w = wr_init(both, sizeof(both));
    wr_view(&w, nonces[0]);
    wr_view(&w, nonces[1]);
    const struct view shared = view_of(p->shared, p->shared_len);
    return hmac_digest(sa->suite.hash, wr_written(&w), &shared, 1, skeyid);
}

enum err keys_derive(const struct sa *sa, struct view psk, uint8_t skeyid[static HASH_SIZE_MAX], struct keys *out)
{
    const size_t size = hash_size(sa->suite.hash);
    uint8_t skeyid_e[HASH_SIZE_MAX];
    out->hash = sa->suite.hash;
    out->cipher = sa->suite.cipher;
    out->key_bytes = sa->suite.key_bytes;
    enum err e = derive_skeyid(sa, psk, skeyid);
    const struct view key = view_of(skeyid, size);
    if (e == ERR_OK)
        e = derive_one(sa, key, VIEW_NONE, 0, out->skeyid_d);
    if (e == ERR_OK)
        e = derive_one(sa, key, view_of(out->skeyid_d, size), 1, out->skeyid_a);
    if (e == ERR_OK)
        e = derive_one(sa, key, view_of(out->skeyid_a, size), 2, skeyid_e);
    if (e == ERR_OK)
        e = stretch(out->hash, view_of(skeyid_e, size), out->key_bytes, out->cipher_key);
    bytes_wipe(skeyid_e, sizeof(skeyid_e));
    return e;
}

enum err keys_first_iv(const struct sa *sa, uint8_t iv[static CIPHER_BLOCK_MAX])
{
    const struct phase1 *p = sa->phase1;
    const struct view parts[] = {view_of(p->ke_i, p->ke_len), view_of(p->ke_r, p->ke_len)};
    uint8_t digest[HASH_SIZE_MAX];
    const enum err e = hash_digest(sa->suite.hash, parts, ARRAY_LEN(parts), digest);
    if (e == ERR_OK)
        memcpy(iv, digest, CIPHER_BLOCK_MAX);
    return e;
}

enum err keys_auth_hash(const struct sa *sa, const uint8_t *skeyid, bool initiator, struct view id_body,
                        uint8_t out[static HASH_SIZE_MAX])
{
    const struct phase1 *p = sa->phase1;
    const struct view ke_i = view_of(p->ke_i, p->ke_len), ke_r = view_of(p->ke_r, p->ke_len);
    const struct view cookie_i = VIEW(sa->cookies.icookie), cookie_r = VIEW(sa->cookies.rcookie);
    const struct view parts[] = {
        initiator ? ke_i : ke_r,         initiator ? ke_r : ke_i,        initiator ? cookie_i : cookie_r,
        initiator ? cookie_r : cookie_i, view_of(p->sa_body, p->sa_len), id_body,
    };
    return hmac_digest(auth_hash(sa->suite.auth, sa->suite.hash), view_of(skeyid, hash_size(sa->suite.hash)), parts,
                       ARRAY_LEN(parts), out);
}

size_t keys_auth_size(const struct sa *sa)
{
    return hash_size(auth_hash(sa->suite.auth, sa->suite.hash));
}

enum err keys_exchange_iv(const struct sa *sa, uint32_t message_id, uint8_t iv[static CIPHER_BLOCK_MAX])
{
    uint8_t id[4], digest[HASH_SIZE_MAX];
    be32_put(id, message_id);
    const struct view parts[] = {view_of(sa->iv, cipher_block(sa->keys.cipher)), VIEW(id)};
    const enum err e = hash_digest(sa->keys.hash, parts, ARRAY_LEN(parts), digest);
    if (e == ERR_OK)
        memcpy(iv, digest, CIPHER_BLOCK_MAX);
    return e;
}

enum err keys_message_hash(const struct keys *k, bool zero, uint32_t message_id, struct view nonce_a,
                           struct view nonce_b, struct view rest, uint8_t out[static HASH_SIZE_MAX])
{
    static const uint8_t zero_byte[1] = {0};
    uint8_t id[4];
    be32_put(id, message_id);
    const struct view parts[] = {zero ? VIEW(zero_byte) : VIEW_NONE, VIEW(id), nonce_a, nonce_b, rest};
    return hmac_digest(k->hash, view_of(k->skeyid_a, hash_size(k->hash)), parts, ARRAY_LEN(parts), out);
}

enum err keys_esp(const struct keys *k, const struct quick_work *w, uint32_t spi, size_t wanted, uint8_t *out)
{
    uint8_t spi_bytes[4], block[HASH_SIZE_MAX];
    const uint8_t protocol[1] = {PROTO_ESP};
    const size_t size = hash_size(k->hash);
    be32_put(spi_bytes, spi);
    struct view last = VIEW_NONE;
    enum err e = ERR_OK;
    for (size_t have = 0; have < wanted && e == ERR_OK;) {
        const struct view parts[] = {
            last,
            view_of(w->shared, w->shared_len),
            VIEW(protocol),
            VIEW(spi_bytes),
            view_of(w->nonce_i, w->nonce_i_len),
            view_of(w->nonce_r, w->nonce_r_len),
        };
        e = hmac_digest(k->hash, view_of(k->skeyid_d, size), parts, ARRAY_LEN(parts), block);
        const size_t n = wanted - have < size ? wanted - have : size;
        memcpy(out + have, block, n);
        have += n;
        last = view_of(block, size);
    }
    bytes_wipe(block, sizeof(block));
    return e;
}
