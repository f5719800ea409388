/* The client's side of quick mode and of informational exchanges (RFC 2409 5.5 and 5.7), and the keys of ESP. */
#include "tests/replay/replay.h"

#include <string.h>

void exchange_begin(struct exchange *x, struct ike_keys *k, uint32_t id)
{
    uint8_t bytes[4];
    *x = (struct exchange){.ike = k, .id = id};
    be32_put(bytes, id);
    const struct view parts[] = {view_of(k->iv, cipher_block(k->cipher)), VIEW(bytes)};
    wanted(hash_digest(k->hash, parts, 2, x->iv) == ERR_OK, "an IV");
}

void exchange_hash(const struct exchange *x, bool quick, struct view rest, uint8_t *out)
{
    static const uint8_t zero;
    uint8_t id[4];
    be32_put(id, x->id);
    const struct view nonce_i = view_of(x->nonce_i, x->nonce_i_n), nonce_r = view_of(x->nonce_r, x->nonce_r_n);
    const bool second = quick && x->turn == 1, third = quick && x->turn == 2;
    const struct view parts[] = {
        third ? view_of(&zero, 1) : VIEW_NONE,
        VIEW(id),
        second || third ? nonce_i : VIEW_NONE,
        third ? nonce_r : VIEW_NONE,
        third ? VIEW_NONE : rest,
    };
    const struct view key = view_of(x->ike->skeyid_a, hash_size(x->ike->hash));
    wanted(hmac_digest(x->ike->hash, key, parts, ARRAY_LEN(parts), out) == ERR_OK, "a hash");
}

/* ---- the chosen transform ---- */

static void set_cipher(struct pair *p, uint8_t number)
{
    wanted(number == 2 || number == 3 || number == 12 || number == 20, "DES, 3DES, AES-CBC or AES-GCM");
    p->cipher = number >= 12 ? CIPHER_AES : number == 3 ? CIPHER_3DES : CIPHER_DES;
    p->key_bytes = number >= 12 ? 16 : number == 3 ? 24 : 8;
    p->gcm = number == 20;
    p->icv = p->gcm ? 16 : 0;
}

static void set_integrity(struct pair *p, uint16_t number)
{
    static const struct {
        enum hash hash;
        uint16_t icv;
    } algorithms[] = {[1] = {HASH_MD5, 12},
                      [2] = {HASH_SHA1, 12},
                      [5] = {HASH_SHA256, 16},
                      [6] = {HASH_SHA384, 24},
                      [7] = {HASH_SHA512, 32}};
    wanted(number < ARRAY_LEN(algorithms) && algorithms[number].icv > 0, "a known integrity algorithm");
    p->hash = algorithms[number].hash;
    p->icv = algorithms[number].icv;
}

static void set_mode(struct pair *p, uint16_t mode)
{
    p->udp = mode == 4 || mode == 61444;
    wanted(p->udp || mode == 2, "transport mode");
}

/* Reads a proposal's SPI, and of the answer its one transform as well. */
static uint32_t read_sa(struct view sa, struct pair *chosen)
{
    struct reader r = rd_init(sa);
    rd_skip(&r, 8 + 7);
    const uint8_t transforms = rd_u8(&r);
    const uint32_t spi = rd_u32(&r);
    rd_skip(&r, 5);
    const uint8_t cipher = rd_u8(&r);
    rd_skip(&r, 2);
    wanted(rd_ok(&r), "a proposal");
    if (!chosen)
        return spi;
    wanted(transforms == 1, "one transform in the answer");
    set_cipher(chosen, cipher);
    while (rd_left(&r) > 0) {
        const uint16_t type = rd_u16(&r), value = rd_u16(&r);
        if (!(type & 0x8000))
            rd_skip(&r, value);
        if (type == (0x8000 | 4))
            set_mode(chosen, value);
        else if (type == (0x8000 | 5))
            set_integrity(chosen, value);
        else if (type == (0x8000 | 6))
            chosen->key_bytes = value / 8;
    }
    wanted(rd_ok(&r), "well-formed attributes in the answer");
    return spi;
}

/* ---- keys of ESP (RFC 2409 5.5) ---- */

static void key_material(const struct exchange *x, uint32_t spi, uint8_t *key, size_t key_n, uint8_t *auth,
                         size_t auth_n)
{
    uint8_t material[4 * HASH_SIZE_MAX], spi_bytes[4];
    static const uint8_t esp = 3;
    const size_t size = hash_size(x->ike->hash);
    be32_put(spi_bytes, spi);
    struct view last = VIEW_NONE;
    for (size_t n = 0; n < key_n + auth_n; n += size) {
        const struct view parts[] = {last,
                                     view_of(x->dh.shared, x->pfs ? x->dh.shared_len : 0),
                                     view_of(&esp, 1),
                                     VIEW(spi_bytes),
                                     view_of(x->nonce_i, x->nonce_i_n),
                                     view_of(x->nonce_r, x->nonce_r_n)};
        wanted(hmac_digest(x->ike->hash, view_of(x->ike->skeyid_d, size), parts, ARRAY_LEN(parts), material + n) ==
                   ERR_OK,
               "KEYMAT");
        last = view_of(material + n, size);
    }
    memcpy(key, material, key_n);
    memcpy(auth, material + key_n, auth_n);
}

static void agree_pfs(struct exchange *x, struct view peer_ke)
{
    wanted(x->dh.public_len > 0, "our own public value first");
    memcpy(x->dh.peer, peer_ke.p, peer_ke.n);
    x->dh.peer_len = (uint16_t)peer_ke.n;
    dh_work_run(&x->dh);
    wanted(x->dh.result == ERR_OK, "a good public value of the gateway");
    x->pfs = true;
}

bool exchange_learn(struct exchange *x, const struct chain *c, bool ours, struct pair *pair)
{
    const struct view *sa = chain_find(c, P_SA), *nonce = chain_find(c, P_NONCE), *ke = chain_find(c, P_KE);
    x->turn++;
    if (!sa || !nonce)
        return false;
    wanted(nonce->n <= sizeof(x->nonce_i), "a shorter nonce");
    if (ours) {
        memcpy(x->nonce_i, nonce->p, x->nonce_i_n = nonce->n);
        x->spi_ours = read_sa(*sa, NULL);
        return false;
    }
    memcpy(x->nonce_r, nonce->p, x->nonce_r_n = nonce->n);
    if (ke)
        agree_pfs(x, *ke);
    wanted(x->pfs == (x->dh.public_len > 0), "PFS where it was asked for, and only there");
    *pair = (struct pair){.spi_ours = x->spi_ours};
    pair->spi_theirs = read_sa(*sa, pair);
    wanted(pair->icv > 0 && pair->gcm == (pair->hash == HASH_NONE), "integrity, from one side alone");
    const size_t auth_n = hash_size(pair->hash), key_n = pair->key_bytes + (pair->gcm ? 4 : 0);
    key_material(x, pair->spi_ours, pair->key_in, key_n, pair->auth_in, auth_n);
    key_material(x, pair->spi_theirs, pair->key_out, key_n, pair->auth_out, auth_n);
    return true;
}
