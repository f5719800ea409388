/* The client's side of main mode with a pre-shared key or a signature (RFC 2409 5, 5.1 and 5.4), written from the RFC
 * and apart from src/ike, so that both must agree. */
#include "tests/replay/replay.h"

#include <string.h>

#define AUTH_PSK 1

/* ---- payloads ---- */

void chain_read(struct chain *c, uint8_t first, struct view body)
{
    struct reader r = rd_init(body);
    c->n = 0;
    for (uint8_t type = first; type != 0;) {
        wanted(c->n < ARRAY_LEN(c->at), "fewer payloads");
        const uint8_t next = rd_u8(&r);
        rd_skip(&r, 1);
        const uint16_t length = rd_u16(&r);
        c->at[c->n].type = type;
        c->at[c->n++].body = rd_view(&r, length >= 4 ? length - 4u : SIZE_MAX);
        wanted(rd_ok(&r), "a well-formed payload chain");
        type = next;
    }
}

const struct view *chain_find(const struct chain *c, uint8_t type)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->at[i].type == type)
            return &c->at[i].body;
    return NULL;
}

/* ---- the chosen transform ---- */

static enum hash hash_of(uint32_t number)
{
    static const enum hash hashes[] = {
        [1] = HASH_MD5, [2] = HASH_SHA1, [4] = HASH_SHA256, [5] = HASH_SHA384, [6] = HASH_SHA512};
    wanted(number < ARRAY_LEN(hashes) && hashes[number] != HASH_NONE, "a known hash");
    return hashes[number];
}

static void set_cipher(struct ike_keys *k, uint32_t number)
{
    wanted(number == 1 || number == 5 || number == 7, "a known cipher");
    k->cipher = number == 7 ? CIPHER_AES : number == 5 ? CIPHER_3DES : CIPHER_DES;
    if (k->cipher != CIPHER_AES)
        k->key_bytes = k->cipher == CIPHER_3DES ? 24 : 8;
}

/* The gateway's SA payload holds one proposal with one transform (RFC 2408 4.2). */
static void learn_choice(struct ike_keys *k, struct view sa)
{
    struct reader r = rd_init(sa);
    rd_skip(&r, 8 + 6); /* DOI, situation; proposal up to the SPI's size */
    const uint8_t spi_size = rd_u8(&r), transforms = rd_u8(&r);
    rd_skip(&r, spi_size + 8u);
    wanted(rd_ok(&r) && transforms == 1, "one transform in the answer");
    while (rd_left(&r) > 0) {
        const uint16_t type = rd_u16(&r), value = rd_u16(&r);
        if (!(type & 0x8000))
            rd_skip(&r, value);
        if (type == (0x8000 | 1))
            set_cipher(k, value);
        else if (type == (0x8000 | 2))
            k->hash = hash_of(value);
        else if (type == (0x8000 | 3))
            k->is_signed = value != AUTH_PSK;
        else if (type == (0x8000 | 4))
            k->group = (enum dh_group)value;
        else if (type == (0x8000 | 14))
            k->key_bytes = value / 8;
    }
    wanted(rd_ok(&r), "well-formed attributes in the answer");
}

/* ---- keys ---- */

struct view dh_own(struct dh_work *dh, unsigned group, const struct random *random)
{
    if (dh->public_len == 0) {
        dh->group = (enum dh_group)group;
        random_fill(random, dh->private_key, dh_private_size(dh->group));
        dh_work_run(dh);
        wanted(dh->result == ERR_OK, "a public value");
    }
    wanted(dh->group == (enum dh_group)group, "one group");
    return view_of(dh->public_key, dh->public_len);
}

static void skeyid(const struct ike_keys *k, const uint8_t *before, uint8_t number, uint8_t *out)
{
    const size_t size = hash_size(k->hash);
    const struct view parts[] = {view_of(before, before ? size : 0), view_of(k->dh.shared, k->dh.shared_len),
                                 VIEW(k->icookie), VIEW(k->rcookie), view_of(&number, 1)};
    wanted(hmac_digest(k->hash, view_of(k->skeyid, size), parts, ARRAY_LEN(parts), out) == ERR_OK, "SKEYID");
}

/* RFC 2409 appendix B */
static void cipher_key(struct ike_keys *k)
{
    uint8_t stretched[4 * HASH_SIZE_MAX];
    static const uint8_t zero;
    const size_t size = hash_size(k->hash);
    if (k->key_bytes <= size) {
        memcpy(k->key, k->skeyid_e, k->key_bytes);
        return;
    }
    struct view last = view_of(&zero, 1);
    for (size_t n = 0; n < k->key_bytes; n += size) {
        wanted(hmac_digest(k->hash, view_of(k->skeyid_e, size), &last, 1, stretched + n) == ERR_OK, "Ka");
        last = view_of(stretched + n, size);
    }
    memcpy(k->key, stretched, k->key_bytes);
}

static void derive(struct ike_keys *k, struct view psk, struct view peer_ke)
{
    const struct view nonces[] = {view_of(k->nonce_i, k->nonce_i_n), view_of(k->nonce_r, k->nonce_r_n)};
    memcpy(k->dh.peer, peer_ke.p, peer_ke.n);
    k->dh.peer_len = (uint16_t)peer_ke.n;
    dh_work_run(&k->dh);
    wanted(k->dh.result == ERR_OK, "a good public value of the gateway");
    uint8_t both[2 * sizeof(k->nonce_i)];
    memcpy(both, k->nonce_i, k->nonce_i_n);
    memcpy(both + k->nonce_i_n, k->nonce_r, k->nonce_r_n);
    const struct view shared = view_of(k->dh.shared, k->dh.shared_len);
    const enum err e = k->is_signed
                           ? hmac_digest(k->hash, view_of(both, k->nonce_i_n + k->nonce_r_n), &shared, 1, k->skeyid)
                           : hmac_digest(k->hash, psk, nonces, 2, k->skeyid);
    wanted(e == ERR_OK, "SKEYID");
    skeyid(k, NULL, 0, k->skeyid_d);
    skeyid(k, k->skeyid_d, 1, k->skeyid_a);
    skeyid(k, k->skeyid_a, 2, k->skeyid_e);
    cipher_key(k);
    const struct view values[] = {view_of(k->dh.public_key, k->dh.public_len), peer_ke};
    wanted(hash_digest(k->hash, values, 2, k->iv) == ERR_OK, "an IV");
    k->derived = true;
}

static void keep(uint8_t *to, size_t *to_n, size_t cap, struct view from)
{
    wanted(from.n <= cap, "a shorter payload");
    memcpy(to, from.p, from.n);
    *to_n = from.n;
}

void ike_keys_learn(struct ike_keys *k, struct view psk, const struct chain *c, bool ours)
{
    const struct view *sa = chain_find(c, P_SA), *ke = chain_find(c, P_KE), *nonce = chain_find(c, P_NONCE);
    if (sa && ours)
        keep(k->sa, &k->sa_n, sizeof(k->sa), *sa);
    else if (sa)
        learn_choice(k, *sa);
    if (nonce && ours)
        keep(k->nonce_i, &k->nonce_i_n, sizeof(k->nonce_i), *nonce);
    else if (nonce)
        keep(k->nonce_r, &k->nonce_r_n, sizeof(k->nonce_r), *nonce);
    if (ke && ours)
        wanted(k->dh.group == k->group, "the group that was chosen");
    else if (ke && !k->derived)
        derive(k, psk, *ke);
}

void natd_bytes(const struct ike_keys *k, const struct endpoint *e, uint8_t out[static HASH_SIZE_MAX])
{
    uint8_t port[2];
    be16_put(port, e->port);
    const struct view parts[] = {VIEW(k->icookie), VIEW(k->rcookie), view_of(e->addr.b, ip_addr_size(&e->addr)),
                                 VIEW(port)};
    wanted(hash_digest(k->hash, parts, ARRAY_LEN(parts), out) == ERR_OK, "a hash");
}

void ike_hash_auth(const struct ike_keys *k, bool initiator, struct view id, uint8_t *out)
{
    const struct view ours = view_of(k->dh.public_key, k->dh.public_len), theirs = view_of(k->dh.peer, k->dh.peer_len);
    const struct view parts[] = {
        initiator ? ours : theirs,
        initiator ? theirs : ours,
        initiator ? VIEW(k->icookie) : VIEW(k->rcookie),
        initiator ? VIEW(k->rcookie) : VIEW(k->icookie),
        view_of(k->sa, k->sa_n),
        id,
    };
    wanted(hmac_digest(k->hash, view_of(k->skeyid, hash_size(k->hash)), parts, ARRAY_LEN(parts), out) == ERR_OK,
           "a hash");
}
