/* Telling a sender that its packet is too big for the next link, or has been on the way too long (RFC 792, 1191, 4443).
 */
#include "wire/wire.h"

#define ICMP_UNREACHABLE     3
#define ICMP_FRAG_NEEDED     4
#define ICMP_TIME_EXCEEDED   11
#define ICMPV6_TOO_BIG       2
#define ICMPV6_INFORMATIONAL 128
#define ICMP4_QUOTE          548  /* bytes of the packet quoted: RFC 1812 4.3.2.3 allows up to 576 in all */
#define ICMP6_QUOTE          1232 /* RFC 4443 2.4 (c): as much as fits the minimum MTU */

static bool is_icmp_error(const struct ip_info *ip, struct view packet)
{
    if (ip->transport >= ip->total)
        return false;
    const uint8_t type = packet.p[ip->transport];
    if (ip->version == 4)
        return ip->protocol == IP_PROTO_ICMP && type != 0 && type != 8 && type != 13 && type != 14;
    return ip->protocol == IP_PROTO_ICMPV6 && type < ICMPV6_INFORMATIONAL;
}

static bool is_unicast(const struct ip_addr *a)
{
    if (a->family == 4)
        return a->b[0] < 224 && a->b[0] != 0;
    return a->b[0] != 0xff;
}

/* rest: the second word of the ICMP header. */
static void write_error4(struct view quote, const struct ip_addr *from, const struct ip_addr *to, uint8_t type,
                         uint8_t code, uint32_t rest, struct writer *w)
{
    const size_t ip_at = w->n;
    wr_u16(w, 0x45c0); /* precedence "internetwork control" */
    wr_u16(w, (uint16_t)(20 + 8 + quote.n));
    wr_u32(w, 0);
    wr_u16(w, (uint16_t)(64 << 8 | IP_PROTO_ICMP));
    wr_u16(w, 0);
    wr_bytes(w, from->b, 4);
    wr_bytes(w, to->b, 4);
    const size_t icmp_at = w->n;
    wr_u8(w, type);
    wr_u8(w, code);
    wr_u16(w, 0);
    wr_u32(w, rest);
    wr_view(w, quote);
    if (!wr_ok(w))
        return;
    wr_patch16(w, ip_at + 10, inet_fold(inet_sum(0, w->p + ip_at, 20)));
    wr_patch16(w, icmp_at + 2, inet_fold(inet_sum(0, w->p + icmp_at, w->n - icmp_at)));
}

static void write_too_big6(struct view quote, const struct ip_addr *from, const struct ip_addr *to, uint16_t mtu,
                           struct writer *w)
{
    const uint16_t length = (uint16_t)(8 + quote.n);
    wr_u32(w, 0x60000000);
    wr_u16(w, length);
    wr_u16(w, (uint16_t)(IP_PROTO_ICMPV6 << 8 | 64));
    wr_bytes(w, from->b, 16);
    wr_bytes(w, to->b, 16);
    const size_t icmp_at = w->n;
    wr_u16(w, (uint16_t)(ICMPV6_TOO_BIG << 8));
    wr_u16(w, 0);
    wr_u32(w, mtu);
    wr_view(w, quote);
    if (!wr_ok(w))
        return;
    const uint32_t pseudo = inet_pseudo_sum(from, to, IP_PROTO_ICMPV6, length);
    wr_patch16(w, icmp_at + 2, inet_fold(inet_sum(pseudo, w->p + icmp_at, length)));
}

enum err ip_too_big(struct view packet, const struct ip_addr *from, uint16_t mtu, struct writer *out)
{
    struct ip_info ip;
    if (ip_info(packet, &ip) != ERR_OK || !ip.dont_fragment || ip.fragment || is_icmp_error(&ip, packet) ||
        !is_unicast(&ip.src) || !is_unicast(&ip.dst) || from->family != ip.version)
        return ERR_UNSUPPORTED;
    const size_t limit = ip.version == 4 ? ICMP4_QUOTE : ICMP6_QUOTE;
    const struct view quote = {packet.p, ip.total < limit ? ip.total : limit};
    if (ip.version == 4)
        write_error4(quote, from, &ip.src, ICMP_UNREACHABLE, ICMP_FRAG_NEEDED, mtu, out);
    else
        write_too_big6(quote, from, &ip.src, mtu, out);
    return wr_ok(out) ? ERR_OK : ERR_LIMIT;
}

enum err ip_time_exceeded(struct view packet, const struct ip_addr *from, struct writer *out)
{
    struct ip_info ip;
    if (ip_info(packet, &ip) != ERR_OK || ip.version != 4 || ip.fragment || is_icmp_error(&ip, packet) ||
        !is_unicast(&ip.src) || !is_unicast(&ip.dst) || from->family != 4)
        return ERR_UNSUPPORTED;
    const struct view quote = {packet.p, ip.total < ICMP4_QUOTE ? ip.total : ICMP4_QUOTE};
    write_error4(quote, from, &ip.src, ICMP_TIME_EXCEEDED, 0, 0, out);
    return wr_ok(out) ? ERR_OK : ERR_LIMIT;
}
