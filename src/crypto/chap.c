/*
 * CHAP with MD5 (RFC 1994) and MS-CHAPv2 (RFC 2759): what is computed from a password, on either side. Who compares,
 * and what happens then, is PPP's.
 */
#include "crypto/crypto.h"

#include <nettle/des.h>
#include <nettle/md4.h>
#include <string.h>

#define MSCHAP_PASSWORD_MAX   256 /* characters, counted as UTF-16 units (RFC 2759 section 8) */
#define MSCHAP_CHALLENGE_HASH 8

enum err chap_md5_response(uint8_t id, struct view secret, struct view challenge, uint8_t out[static CHAP_MD5_SIZE])
{
    const struct view parts[] = {view_of(&id, 1), secret, challenge};
    return hash_digest(HASH_MD5, parts, ARRAY_LEN(parts), out);
}

/* One code point, by the shortest form only; surrogates and values past U+10FFFF are no characters (RFC 3629). */
static bool next_character(struct reader *r, uint32_t *out)
{
    uint8_t lead = rd_u8(r);
    if (lead < 0x80) {
        *out = lead;
        return rd_ok(r);
    }
    unsigned more = lead >= 0xc2 && lead <= 0xdf   ? 1
                    : lead >= 0xe0 && lead <= 0xef ? 2
                    : lead >= 0xf0 && lead <= 0xf4 ? 3
                                                   : 0;
    if (more == 0)
        return false;
    uint32_t c = lead & (0x3fu >> more);
    for (unsigned i = 0; i < more; i++) {
        uint8_t b = rd_u8(r);
        if ((b & 0xc0) != 0x80)
            return false;
        c = c << 6 | (b & 0x3f);
    }
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return false;
    *out = c;
    return rd_ok(r);
}

static void put_utf16le(struct writer *w, uint32_t unit)
{
    wr_u8(w, (uint8_t)unit);
    wr_u8(w, (uint8_t)(unit >> 8));
}

static enum err password_to_utf16le(struct view password, struct writer *w)
{
    struct reader r = rd_init(password);
    while (rd_left(&r) > 0) {
        uint32_t c;
        if (!next_character(&r, &c))
            return ERR_INVALID;
        if (c >= 0x10000) {
            put_utf16le(w, 0xd800 + ((c - 0x10000) >> 10));
            put_utf16le(w, 0xdc00 + ((c - 0x10000) & 0x3ff));
        } else {
            put_utf16le(w, c);
        }
    }
    return wr_ok(w) ? ERR_OK : ERR_INVALID;
}

enum err mschap_nt_hash(struct view password, uint8_t out[static MSCHAP_NT_HASH_SIZE])
{
    uint8_t text[2 * MSCHAP_PASSWORD_MAX];
    struct writer w = wr_init(text, sizeof(text));
    enum err e = password_to_utf16le(password, &w);
    if (e == ERR_OK) {
        struct md4_ctx md4;
        md4_init(&md4);
        md4_update(&md4, w.n, text);
        md4_digest(&md4, MSCHAP_NT_HASH_SIZE, out);
        bytes_wipe(&md4, sizeof(md4));
    }
    bytes_wipe(text, sizeof(text));
    return e;
}

/* RFC 2759 section 8.2: both challenges and the name, so that neither side alone chooses what is encrypted. */
static enum err challenge_hash(const uint8_t *authenticator, const uint8_t *peer, struct view user,
                               uint8_t out[static MSCHAP_CHALLENGE_HASH])
{
    const struct view parts[] = {view_of(peer, MSCHAP_CHALLENGE_SIZE), view_of(authenticator, MSCHAP_CHALLENGE_SIZE),
                                 user};
    uint8_t digest[HASH_SIZE_MAX];
    enum err e = hash_digest(HASH_SHA1, parts, ARRAY_LEN(parts), digest);
    if (e == ERR_OK)
        memcpy(out, digest, MSCHAP_CHALLENGE_HASH);
    return e;
}

/* RFC 2759 section 8.6. The 56 bits become 8 bytes of 7 bits each; DES ignores the parity bit left over. A key of two
 * zero bytes from the hash's end is a weak one, and used like any other. */
static void encrypt_with_7_bytes(const uint8_t key[static 7], const uint8_t clear[static DES_BLOCK_SIZE], uint8_t *out)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < 7; i++)
        bits = bits << 8 | key[i];
    uint8_t spread[DES_KEY_SIZE];
    for (size_t i = 0; i < DES_KEY_SIZE; i++)
        spread[i] = (uint8_t)((bits >> (49 - 7 * i) & 0x7f) << 1);
    struct des_ctx des;
    des_set_key(&des, spread);
    des_encrypt(&des, DES_BLOCK_SIZE, out, clear);
    bytes_wipe(&des, sizeof(des));
    bytes_wipe(spread, sizeof(spread));
    bytes_wipe(&bits, sizeof(bits));
}

enum err mschapv2_nt_response(const uint8_t nt_hash[static MSCHAP_NT_HASH_SIZE],
                              const uint8_t authenticator[static MSCHAP_CHALLENGE_SIZE],
                              const uint8_t peer[static MSCHAP_CHALLENGE_SIZE], struct view user,
                              uint8_t out[static MSCHAP_NT_RESPONSE])
{
    uint8_t challenge[MSCHAP_CHALLENGE_HASH];
    enum err e = challenge_hash(authenticator, peer, user, challenge);
    if (e != ERR_OK)
        return e;
    uint8_t keys[21] = {0}; /* three keys of 7 bytes: the hash and five zeros (RFC 2759 section 8.5) */
    memcpy(keys, nt_hash, MSCHAP_NT_HASH_SIZE);
    for (size_t i = 0; i < 3; i++)
        encrypt_with_7_bytes(keys + 7 * i, challenge, out + DES_BLOCK_SIZE * i);
    bytes_wipe(keys, sizeof(keys));
    return ERR_OK;
}

enum err mschapv2_authenticator_response(const uint8_t nt_hash[static MSCHAP_NT_HASH_SIZE],
                                         const uint8_t nt_response[static MSCHAP_NT_RESPONSE],
                                         const uint8_t authenticator[static MSCHAP_CHALLENGE_SIZE],
                                         const uint8_t peer[static MSCHAP_CHALLENGE_SIZE], struct view user,
                                         uint8_t out[static MSCHAP_AUTH_RESPONSE])
{
    /* RFC 2759 section 8.7, without their terminating NULs. */
    static const char signing[] = "Magic server to client signing constant";
    static const char more[] = "Pad to make it do more than one iteration";

    uint8_t challenge[MSCHAP_CHALLENGE_HASH];
    enum err e = challenge_hash(authenticator, peer, user, challenge);
    if (e != ERR_OK)
        return e;

    uint8_t hash_hash[MSCHAP_NT_HASH_SIZE];
    struct md4_ctx md4;
    md4_init(&md4);
    md4_update(&md4, MSCHAP_NT_HASH_SIZE, nt_hash);
    md4_digest(&md4, sizeof(hash_hash), hash_hash);
    bytes_wipe(&md4, sizeof(md4));

    uint8_t digest[HASH_SIZE_MAX];
    const struct view first[] = {VIEW(hash_hash), view_of(nt_response, MSCHAP_NT_RESPONSE), view_str(signing)};
    e = hash_digest(HASH_SHA1, first, ARRAY_LEN(first), digest);
    if (e == ERR_OK) {
        const struct view second[] = {view_of(digest, MSCHAP_AUTH_RESPONSE), VIEW(challenge), view_str(more)};
        e = hash_digest(HASH_SHA1, second, ARRAY_LEN(second), digest);
    }
    if (e == ERR_OK)
        memcpy(out, digest, MSCHAP_AUTH_RESPONSE);
    bytes_wipe(hash_hash, sizeof(hash_hash));
    bytes_wipe(digest, sizeof(digest));
    return e;
}
