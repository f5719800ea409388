/* Address translation of single packets (RFC 3022 4): headers, checksums, and what ICMP errors quote. */
#include "router/router_internal.h"

#include <string.h>

#define IP_TTL          8
#define IP_CHECKSUM     10
#define IP_SOURCE       12
#define IP_DESTINATION  16
#define IP_HEADER_MIN   20
#define UDP_HEADER      8
#define UDP_CHECKSUM    6
#define ICMP_HEADER     8
#define ICMP_CHECKSUM   2
#define ESP_HEADER_SEEN 4 /* the SPI: RFC 792 promises eight bytes */

static bool whole_udp(const uint8_t *p, size_t n, struct ip_info *ip)
{
    return ip_info(view_of(p, n), ip) == ERR_OK && ip->version == 4 && ip->protocol == IP_PROTO_UDP && !ip->fragment &&
           ip->total >= (uint32_t)ip->transport + UDP_HEADER;
}

static uint32_t udp_pseudo_sum(const struct ip_info *ip)
{
    return inet_pseudo_sum(&ip->src, &ip->dst, IP_PROTO_UDP, ip->total - ip->transport);
}

static void write_udp_checksum(uint8_t *p, const struct ip_info *ip)
{
    uint8_t *udp = p + ip->transport;
    be16_put(udp + UDP_CHECKSUM, 0);
    const uint16_t sum = inet_fold(inet_sum(udp_pseudo_sum(ip), udp, ip->total - ip->transport));
    be16_put(udp + UDP_CHECKSUM, sum == 0 ? 0xffff : sum); /* RFC 768: zero says that there is none */
}

static void write_ip_checksum(uint8_t *p, size_t header)
{
    be16_put(p + IP_CHECKSUM, 0);
    be16_put(p + IP_CHECKSUM, inet_fold(inet_sum(0, p, header)));
}

bool packet_mend(uint8_t *p, size_t n)
{
    struct ip_info ip;
    if (ip_info(view_of(p, n), &ip) != ERR_OK || ip.version != 4 || ip.fragment)
        return false;
    if (!whole_udp(p, n, &ip))
        return ip.protocol != IP_PROTO_UDP;
    const uint8_t *udp = p + ip.transport;
    const uint16_t sum = be16_get(udp + UDP_CHECKSUM);
    if (sum == 0 || inet_fold(inet_sum(udp_pseudo_sum(&ip), udp, ip.total - ip.transport)) == 0)
        return true;
    const uint16_t pseudo = (uint16_t)~inet_fold(udp_pseudo_sum(&ip));
    if (sum != pseudo)
        return false;
    write_udp_checksum(p, &ip); /* it was left to hardware: only the pseudo header was summed */
    return true;
}

static void set_address(uint8_t *p, size_t n, size_t at, uint32_t address)
{
    struct ip_info ip;
    if (ip_info(view_of(p, n), &ip) != ERR_OK || ip.version != 4)
        return;
    be32_put(p + at, address);
    write_ip_checksum(p, ip.transport);
    if (whole_udp(p, n, &ip) && be16_get(p + ip.transport + UDP_CHECKSUM) != 0)
        write_udp_checksum(p, &ip);
}

void packet_set_source(uint8_t *p, size_t n, uint32_t address)
{
    set_address(p, n, IP_SOURCE, address);
}

void packet_set_destination(uint8_t *p, size_t n, uint32_t address)
{
    set_address(p, n, IP_DESTINATION, address);
}

bool packet_hop(uint8_t *p, size_t n)
{
    struct ip_info ip;
    if (ip_info(view_of(p, n), &ip) != ERR_OK || ip.version != 4 || p[IP_TTL] <= 1)
        return false;
    p[IP_TTL]--;
    write_ip_checksum(p, ip.transport);
    return true;
}

/* ---- ICMP errors (RFC 792, RFC 5508 4) ---- */

static void read_ike_quote(struct reader *r, struct icmp_error *out)
{
    rd_skip(r, UDP_HEADER - 4); /* its ports have been read */
    const uint64_t cookie = rd_u64(r);
    out->ike = true;
    out->has_id = rd_ok(r);
    out->id = out->has_id ? cookie : 0;
}

static enum err read_quote(struct reader *r, struct icmp_error *out)
{
    const uint8_t first = rd_u8(r), header = (uint8_t)((first & 0x0f) * 4);
    rd_skip(r, 8);
    const uint8_t protocol = rd_u8(r);
    rd_skip(r, 2);
    out->quoted_source = rd_u32(r);
    out->quoted_destination = rd_u32(r);
    if (!rd_ok(r) || first >> 4 != 4 || header < IP_HEADER_MIN)
        return ERR_MALFORMED;
    rd_skip(r, (size_t)header - IP_HEADER_MIN);
    const uint32_t word = rd_u32(r); /* the SPI, or both ports */
    if (!rd_ok(r))
        return ERR_SHORT;
    if (protocol == IP_PROTO_ESP) {
        out->has_id = true;
        out->id = word;
        return ERR_OK;
    }
    if (protocol != IP_PROTO_UDP || word != ((uint32_t)IKE_PORT << 16 | IKE_PORT))
        return ERR_UNSUPPORTED;
    read_ike_quote(r, out);
    return ERR_OK;
}

enum err icmp_error_read(struct view packet, struct icmp_error *out)
{
    struct ip_info ip;
    struct icmp_error e = {.source = 0};
    const enum err read = ip_info(packet, &ip);
    if (read != ERR_OK)
        return read;
    if (ip.version != 4 || ip.protocol != IP_PROTO_ICMP || ip.fragment)
        return ERR_UNSUPPORTED;
    struct reader r = rd_init(view_of(packet.p, ip.total));
    rd_skip(&r, ip.transport);
    const uint8_t type = rd_u8(&r);
    rd_skip(&r, ICMP_HEADER - 1);
    if (!rd_ok(&r))
        return ERR_MALFORMED;
    if (type != 3 && type != 11 && type != 12) /* unreachable, time exceeded, parameter problem */
        return ERR_UNSUPPORTED;
    e.source = ip4_value(&ip.src);
    e.destination = ip4_value(&ip.dst);
    e.quote = (uint16_t)(ip.transport + ICMP_HEADER);
    const enum err quoted = read_quote(&r, &e);
    if (quoted == ERR_OK)
        *out = e;
    return quoted;
}

/* RFC 1624 (3), for a checksum whose data is not all there. */
static void mend_checksum(uint8_t *sum, uint32_t before, uint32_t after)
{
    uint32_t s = (uint16_t)~be16_get(sum);
    s += (uint16_t) ~(before >> 16) + (uint16_t)~before + (after >> 16) + (after & 0xffff);
    s = (s & 0xffff) + (s >> 16);
    s = (s & 0xffff) + (s >> 16);
    be16_put(sum, (uint16_t)~s);
}

static void set_quoted(uint8_t *quote, size_t n, size_t at, uint32_t address, bool ike)
{
    const size_t header = (size_t)(quote[0] & 0x0f) * 4;
    const uint32_t before = be32_get(quote + at);
    if (address == 0 || address == before)
        return;
    be32_put(quote + at, address);
    mend_checksum(quote + IP_CHECKSUM, before, address);
    if (ike && n >= header + UDP_HEADER && be16_get(quote + header + UDP_CHECKSUM) != 0)
        mend_checksum(quote + header + UDP_CHECKSUM, before, address);
}

void icmp_error_translate(uint8_t *p, size_t n, const struct icmp_error *e, uint32_t source, uint32_t destination,
                          uint32_t quoted_source, uint32_t quoted_destination)
{
    struct ip_info ip;
    if (ip_info(view_of(p, n), &ip) != ERR_OK || ip.total < e->quote + (size_t)IP_HEADER_MIN + ESP_HEADER_SEEN)
        return;
    set_quoted(p + e->quote, ip.total - e->quote, IP_SOURCE, quoted_source, e->ike);
    set_quoted(p + e->quote, ip.total - e->quote, IP_DESTINATION, quoted_destination, e->ike);
    uint8_t *icmp = p + ip.transport;
    be16_put(icmp + ICMP_CHECKSUM, 0);
    be16_put(icmp + ICMP_CHECKSUM, inet_fold(inet_sum(0, icmp, ip.total - ip.transport)));
    if (source)
        be32_put(p + IP_SOURCE, source);
    if (destination)
        be32_put(p + IP_DESTINATION, destination);
    write_ip_checksum(p, ip.transport);
}
