/* What the road needs to know of an inner IP packet (RFC 791, RFC 8200). */
#include "wire/wire.h"

#define IP4_HEADER_MIN  20
#define IP6_HEADER      40
#define IP6_EXTENSIONS  8 /* headers walked at most: a chain is the peer's to choose */
#define IP6_HOP_BY_HOP  0
#define IP6_ROUTING     43
#define IP6_FRAGMENT    44
#define IP6_DESTINATION 60

static struct ip_addr rd_addr6(struct reader *r)
{
    struct ip_addr a = {.family = 6};
    rd_copy(r, a.b, sizeof(a.b));
    return a;
}

/* Of every packet on the road: one length check, then words in place. */
static enum err info4(struct view bytes, struct ip_info *out)
{
    const uint8_t *p = bytes.p;
    if (bytes.n < IP4_HEADER_MIN)
        return ERR_MALFORMED;
    const uint8_t header = (uint8_t)((p[0] & 0x0f) * 4);
    const uint16_t total = be16_get(p + 2), fragment = be16_get(p + 6);
    if (header < IP4_HEADER_MIN || total < header || total > bytes.n)
        return ERR_MALFORMED;
    *out = (struct ip_info){
        .version = 4,
        .protocol = p[9],
        .fragment = (fragment & 0x3fff) != 0,
        .dont_fragment = (fragment & 0x4000) != 0,
        .transport = header,
        .total = total,
        .src = {4, {p[12], p[13], p[14], p[15]}},
        .dst = {4, {p[16], p[17], p[18], p[19]}},
    };
    return ERR_OK;
}

static bool is_extension(uint8_t next)
{
    return next == IP6_HOP_BY_HOP || next == IP6_ROUTING || next == IP6_FRAGMENT || next == IP6_DESTINATION;
}

static enum err info6(struct view bytes, struct ip_info *out)
{
    struct reader r = rd_init(bytes);
    rd_skip(&r, 4);
    const uint32_t total = IP6_HEADER + (uint32_t)rd_u16(&r);
    uint8_t next = rd_u8(&r);
    rd_skip(&r, 1);
    const struct ip_addr src = rd_addr6(&r), dst = rd_addr6(&r);
    if (!rd_ok(&r) || total > bytes.n)
        return ERR_MALFORMED;
    bool fragment = false;
    uint32_t at = IP6_HEADER;
    r = rd_init((struct view){bytes.p + IP6_HEADER, total - IP6_HEADER});
    for (int i = 0; i < IP6_EXTENSIONS && is_extension(next); i++) {
        const bool is_fragment = next == IP6_FRAGMENT;
        next = rd_u8(&r);
        const uint8_t units = rd_u8(&r);
        const uint32_t length = is_fragment ? 8 : ((uint32_t)units + 1) * 8;
        rd_skip(&r, length - 2);
        at += length;
        fragment |= is_fragment;
    }
    if (!rd_ok(&r))
        return ERR_MALFORMED;
    *out = (struct ip_info){
        .version = 6,
        .protocol = next,
        .fragment = fragment,
        .dont_fragment = true,
        .transport = (uint16_t)at,
        .total = total,
        .src = src,
        .dst = dst,
    };
    return ERR_OK;
}

enum err ip_info(struct view bytes, struct ip_info *out)
{
    struct reader r = rd_init(bytes);
    switch (rd_u8(&r) >> 4) {
    case 4:
        return info4(bytes, out);
    case 6:
        return info6(bytes, out);
    default:
        return ERR_MALFORMED;
    }
}
