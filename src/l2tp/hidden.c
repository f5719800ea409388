/* Hidden AVP values (RFC 2661 4.3): the value with its length in front, under a stream of MD5 blocks, of which the
 * first is over attribute, secret and Random Vector, and each later one over secret and the block before on the wire.
 */
#include "l2tp/l2tp_internal.h"

#include <string.h>

#define BLOCK 16

static enum err first_pad(struct view secret, struct view vector, uint16_t attribute, uint8_t pad[static BLOCK])
{
    uint8_t type[2];
    be16_put(type, attribute);
    const struct view parts[] = {VIEW(type), secret, vector};
    return hash_digest(HASH_MD5, parts, ARRAY_LEN(parts), pad);
}

static enum err next_pad(struct view secret, struct view wire, uint8_t pad[static BLOCK])
{
    const struct view parts[] = {secret, wire};
    return hash_digest(HASH_MD5, parts, ARRAY_LEN(parts), pad);
}

/* from is text when covering and wire when revealing; the pad always feeds on the wire's side. */
static enum err run(struct view secret, struct view vector, uint16_t attribute, const uint8_t *from, uint8_t *to,
                    size_t n, bool covering)
{
    uint8_t pad[BLOCK];
    enum err e = first_pad(secret, vector, attribute, pad);
    for (size_t at = 0; e == ERR_OK && at < n; at += BLOCK) {
        const size_t take = n - at < BLOCK ? n - at : BLOCK;
        for (size_t i = 0; i < take; i++)
            to[at + i] = from[at + i] ^ pad[i];
        if (at + take < n)
            e = next_pad(secret, view_of((covering ? to : from) + at, take), pad);
    }
    bytes_wipe(pad, sizeof(pad));
    return e;
}

enum err l2tp_hidden_reveal(struct view secret, struct view vector, uint16_t attribute, struct view hidden,
                            uint8_t *out, size_t *out_n)
{
    uint8_t clear[AVP_VALUE_MAX];
    if (hidden.n < 2 || hidden.n > sizeof(clear))
        return ERR_MALFORMED;
    const enum err e = run(secret, vector, attribute, hidden.p, clear, hidden.n, false);
    if (e != ERR_OK)
        return e;
    struct reader r = rd_init(view_of(clear, hidden.n));
    struct reader value = rd_block16(&r);
    const struct view v = rd_rest(&value);
    const bool ok = rd_ok(&r) && rd_ok(&value);
    if (ok) {
        memcpy(out, v.p, v.n);
        *out_n = v.n;
    }
    bytes_wipe(clear, sizeof(clear));
    return ok ? ERR_OK : ERR_MALFORMED;
}

enum err l2tp_hidden_cover(struct view secret, struct view vector, uint16_t attribute, struct view value, uint8_t *out)
{
    uint8_t clear[AVP_VALUE_MAX];
    struct writer w = wr_init(clear, sizeof(clear));
    wr_u16(&w, (uint16_t)value.n);
    wr_view(&w, value);
    if (!wr_ok(&w))
        return ERR_LIMIT;
    const enum err e = run(secret, vector, attribute, clear, out, w.n, true);
    bytes_wipe(clear, sizeof(clear));
    return e;
}
