/* Pre-shared keys that are written as hexadecimal or base64 (RFC 4648). */
#include "profile/profile_internal.h"

#include <string.h>

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

static bool decode_hex(const char *text, struct writer *w)
{
    size_t n = strlen(text);
    for (size_t i = 0; i + 1 < n; i += 2) {
        int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        wr_u8(w, (uint8_t)(high << 4 | low));
    }
    return n % 2 == 0;
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

/* The padding may be left out, as keys pasted from elsewhere have it; bits that belong to no byte must be zero. */
static bool decode_base64(const char *text, struct writer *w)
{
    uint32_t bits = 0, count = 0;
    size_t n = strlen(text);
    while (n > 0 && text[n - 1] == '=' && strlen(text) - n < 2)
        n--;
    for (size_t i = 0; i < n; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            wr_u8(w, (uint8_t)(bits >> count));
        }
    }
    return count < 6 && (bits & ((1u << count) - 1)) == 0;
}

enum err profile_key_decode(const char *encoding, const char *text, struct secret *out)
{
    uint8_t bytes[PROFILE_SECRET_MAX];
    struct writer w = wr_init(bytes, sizeof bytes);
    bool good = true;
    if (strcmp(encoding, "hex") == 0)
        good = decode_hex(text, &w);
    else if (strcmp(encoding, "base64") == 0)
        good = decode_base64(text, &w);
    else
        wr_view(&w, view_str(text));
    enum err result = good && w.n > 0 ? ERR_OK : ERR_INVALID;
    if (result == ERR_OK && (!wr_ok(&w) || w.n > CONFIG_SECRET_MAX))
        result = ERR_LIMIT;
    if (result == ERR_OK)
        result = secret_set(out, wr_written(&w));
    bytes_wipe(bytes, sizeof bytes);
    return result;
}
