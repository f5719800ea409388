/* The facts of a packet: IPv4, then the SPI and sequence number of ESP (RFC 4303 2), or an ISAKMP header behind UDP
 * (RFC 2408 3.1). */
#include "tracker/tracker.h"

#define ISAKMP_HEADER    28
#define ISAKMP_ENCRYPTED 0x01
#define UDP_HEADER       8
#define ESP_SPI_MIN      256 /* smaller ones are reserved (RFC 4303 2.1); 0 is a marker, never an SPI */

static enum err parse_esp(struct reader *r, struct tracker_packet *out)
{
    out->spi = rd_u32(r);
    out->sequence = rd_u32(r);
    return rd_ok(r) && out->spi >= ESP_SPI_MIN ? ERR_OK : ERR_MALFORMED;
}

static enum err parse_ike(struct reader *r, struct tracker_packet *out)
{
    const uint16_t source = rd_u16(r), destination = rd_u16(r), length = rd_u16(r);
    if (!rd_ok(r) || source != IKE_PORT || destination != IKE_PORT)
        return ERR_UNSUPPORTED;
    if (length < UDP_HEADER)
        return ERR_MALFORMED;
    rd_skip(r, 2);
    struct reader ike = rd_sub(r, length - UDP_HEADER);
    out->ike = true;
    out->initiator = rd_u64(&ike);
    out->responder = rd_u64(&ike);
    rd_skip(&ike, 2); /* next payload, version */
    out->exchange = rd_u8(&ike);
    out->encrypted = rd_u8(&ike) & ISAKMP_ENCRYPTED;
    out->message_id = rd_u32(&ike);
    rd_skip(&ike, 4);
    return rd_ok(&ike) && out->initiator != 0 ? ERR_OK : ERR_MALFORMED;
}

enum err tracker_parse(struct view ip_packet, enum tracker_way way, struct tracker_packet *out)
{
    struct ip_info ip;
    const enum err e = ip_info(ip_packet, &ip);
    if (e != ERR_OK)
        return e;
    if (ip.version != 4 || ip.fragment)
        return ERR_UNSUPPORTED;
    struct tracker_packet p = {.way = way, .server = ip4_value(way == TRACKER_OUT ? &ip.dst : &ip.src)};
    if (way == TRACKER_OUT)
        p.host = ip4_value(&ip.src);
    struct reader r = rd_init(view_of(ip_packet.p, ip.total));
    rd_skip(&r, ip.transport);
    enum err parsed = ERR_UNSUPPORTED;
    if (ip.protocol == IP_PROTO_ESP)
        parsed = parse_esp(&r, &p);
    else if (ip.protocol == IP_PROTO_UDP)
        parsed = parse_ike(&r, &p);
    if (parsed == ERR_OK)
        *out = p;
    return parsed;
}
