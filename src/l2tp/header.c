/* The header of control messages (RFC 2661 3.1): T, L and S set, O and P clear, version 2. */
#include "l2tp/l2tp_internal.h"

/* RFC 2661 3.1: version 3 belongs to L2TPv3, whose peers must hear nothing from us. */
static enum drop judge_flags(uint16_t flags)
{
    if ((flags & FLAG_VERSION) != L2TP_VERSION)
        return DROP_L2TP_VERSION;
    const uint16_t must = FLAG_TYPE | FLAG_LENGTH | FLAG_SEQUENCE;
    if ((flags & must) != must || (flags & (FLAG_OFFSET | FLAG_PRIORITY)))
        return DROP_L2TP_HEADER;
    return DROP_NONE;
}

enum drop l2tp_header_parse(struct view datagram, struct header *out)
{
    struct reader r = rd_init(datagram);
    const uint16_t flags = rd_u16(&r);
    if (!rd_ok(&r))
        return DROP_L2TP_SHORT;
    const enum drop verdict = judge_flags(flags);
    if (verdict != DROP_NONE)
        return verdict;
    const uint16_t length = rd_u16(&r);
    struct header h = {0};
    h.tunnel_id = rd_u16(&r);
    h.session_id = rd_u16(&r);
    h.ns = rd_u16(&r);
    h.nr = rd_u16(&r);
    if (!rd_ok(&r) || length < CONTROL_HEADER_SIZE)
        return DROP_L2TP_SHORT;
    h.body = rd_view(&r, length - CONTROL_HEADER_SIZE);
    if (!rd_ok(&r))
        return DROP_L2TP_SHORT;
    if (length > L2TP_MESSAGE_MAX)
        return DROP_L2TP_LIMIT;
    *out = h;
    return DROP_NONE;
}

void l2tp_header_write(struct writer *w, const struct header *h, size_t body_len)
{
    wr_u16(w, CONTROL_FLAGS);
    wr_u16(w, (uint16_t)(CONTROL_HEADER_SIZE + body_len));
    wr_u16(w, h->tunnel_id);
    wr_u16(w, h->session_id);
    wr_u16(w, h->ns);
    wr_u16(w, h->nr);
}
