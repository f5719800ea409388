/* Clamping the TCP maximum segment size (RFC 9293 3.7.1), so that no segment is larger than the tunnel carries. */
#include "wire/wire.h"

#define TCP_HEADER_MIN 20
#define TCP_SYN        0x02
#define TCP_OPT_END    0
#define TCP_OPT_NOP    1
#define TCP_OPT_MSS    2

/* Finds the MSS option's value in a TCP header of n bytes; 0 when there is none. */
static uint32_t find_mss(struct view tcp, uint32_t header)
{
    struct reader r = rd_init((struct view){tcp.p, header});
    rd_skip(&r, TCP_HEADER_MIN);
    while (rd_ok(&r) && rd_left(&r) > 0) {
        const uint8_t kind = rd_u8(&r);
        if (kind == TCP_OPT_END)
            break;
        if (kind == TCP_OPT_NOP)
            continue;
        const uint8_t length = rd_u8(&r);
        if (kind == TCP_OPT_MSS && length == 4 && rd_left(&r) >= 2)
            return header - (uint32_t)rd_left(&r);
        if (length < 2)
            break;
        rd_skip(&r, length - 2u);
    }
    return 0;
}

static uint32_t swapped(uint32_t v)
{
    return (v & 0xff) << 8 | v >> 8;
}

bool ip_clamp_mss(uint8_t *packet, const struct ip_info *ip, uint16_t mss4, uint16_t mss6)
{
    if (ip->protocol != IP_PROTO_TCP || ip->fragment)
        return false;
    const uint32_t left = ip->total - ip->transport;
    if (ip->transport > ip->total || left < TCP_HEADER_MIN)
        return false;
    uint8_t *tcp = packet + ip->transport;
    const uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;
    if (!(tcp[13] & TCP_SYN) || header < TCP_HEADER_MIN || header > left)
        return false;
    const uint32_t at = find_mss((struct view){tcp, left}, header);
    if (at == 0)
        return false;
    const uint16_t limit = ip->version == 4 ? mss4 : mss6;
    const uint16_t old = be16_get(tcp + at);
    if (old <= limit)
        return false;
    be16_put(tcp + at, limit);
    /* RFC 1624: HC' = ~(~HC + ~m + m'). An option at an odd place has its bytes swapped in the sum. */
    const bool odd = at % 2 != 0;
    const uint32_t m_old = odd ? swapped(old) : old, m_new = odd ? swapped(limit) : limit;
    const uint32_t sum = (0xffffu ^ be16_get(tcp + 16)) + (0xffffu ^ m_old) + m_new;
    be16_put(tcp + 16, inet_fold(sum));
    return true;
}
