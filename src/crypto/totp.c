/*
 * One-time codes: HOTP (RFC 4226) and TOTP (RFC 6238), as every authenticator app knows them: HMAC-SHA-1, six digits,
 * 30 seconds. The secret is shown in base32 (RFC 4648 section 6), without padding, as those apps want it typed.
 */
#include "crypto/crypto.h"

#include <string.h>

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

enum err hotp(enum hash h, struct view secret, uint64_t counter, unsigned digits, char out[static TOTP_CODE_SIZE])
{
    uint8_t moving[8], mac[HASH_SIZE_MAX];
    struct writer w = wr_init(moving, sizeof(moving));
    const struct view part = VIEW(moving);
    if (digits < TOTP_DIGITS_MIN || digits > TOTP_DIGITS_MAX)
        return ERR_INVALID;
    wr_u64(&w, counter);
    enum err result = hmac_digest(h, secret, &part, 1, mac);
    if (result != ERR_OK)
        return result;
    struct reader r = rd_init(view_of(mac, hash_size(h)));
    rd_skip(&r, mac[hash_size(h) - 1] & 0x0f); /* RFC 4226 5.3: dynamic truncation */
    uint32_t value = rd_u32(&r) & 0x7fffffff;
    out[digits] = '\0';
    for (unsigned i = digits; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    bytes_wipe(mac, sizeof(mac));
    return ERR_OK;
}

enum err totp_code(struct view secret, uint64_t step, char out[static TOTP_CODE_SIZE])
{
    return hotp(HASH_SHA1, secret, step, TOTP_DIGITS, out);
}

void base32_text(struct view bytes, char *out)
{
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < bytes.n; i++) {
        bits = bits << 8 | bytes.p[i];
        for (have += 8; have >= 5; have -= 5)
            *out++ = base32[bits >> (have - 5) & 31];
    }
    if (have > 0)
        *out++ = base32[bits << (5 - have) & 31];
    *out = '\0';
}
