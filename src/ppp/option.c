/*
 * Control packets and their options as bytes (RFC 1661 5 and 6): the one header that LCP, the NCPs, PAP and CHAP share,
 * and the type-length-value list of the Configure packets.
 */
#include "ppp/ppp_internal.h"

#define CONTROL_HEADER 4
#define OPTION_HEADER  2

bool control_parse(struct view packet, struct control *out)
{
    struct reader r = rd_init(packet);
    struct control in = {.code = rd_u8(&r), .id = rd_u8(&r)};
    uint16_t length = rd_u16(&r);
    if (!rd_ok(&r) || length < CONTROL_HEADER)
        return false;
    in.body = rd_view(&r, length - CONTROL_HEADER);
    if (!rd_ok(&r))
        return false;
    in.whole = view_of(packet.p, length);
    *out = in;
    return true;
}

bool option_next(struct reader *r, struct option *out)
{
    if (!rd_ok(r) || rd_left(r) == 0)
        return false;
    const uint8_t *start = r->p;
    uint8_t type = rd_u8(r);
    uint8_t length = rd_u8(r);
    if (length < OPTION_HEADER) {
        rd_fail(r);
        return false;
    }
    struct view value = rd_view(r, length - OPTION_HEADER);
    if (!rd_ok(r))
        return false;
    *out = (struct option){.type = type, .value = value, .whole = view_of(start, length)};
    return true;
}

uint32_t option_u32(const struct option *o)
{
    struct reader r = rd_init(o->value);
    return rd_u32(&r);
}

void option_write(struct writer *w, uint8_t type, struct view value)
{
    wr_u8(w, type);
    wr_u8(w, (uint8_t)(OPTION_HEADER + value.n));
    wr_view(w, value);
}

void option_write_u16(struct writer *w, uint8_t type, uint16_t value)
{
    wr_u8(w, type);
    wr_u8(w, OPTION_HEADER + 2);
    wr_u16(w, value);
}

void option_write_u32(struct writer *w, uint8_t type, uint32_t value)
{
    wr_u8(w, type);
    wr_u8(w, OPTION_HEADER + 4);
    wr_u32(w, value);
}
