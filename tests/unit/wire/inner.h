/* Inner packets for the tests of wire. */
#ifndef SEKISHO_TEST_INNER_H
#define SEKISHO_TEST_INNER_H

#include "tests/test.h"
#include "wire/wire.h"

/* An IPv4 header with DF, or an IPv6 one, 10.7.0.9 -> 192.0.2.1 or fd00::9 -> 2001:db8::1. Returns its length. */
static inline size_t put_ip(uint8_t *p, uint8_t version, uint8_t protocol, size_t payload)
{
    struct writer w = wr_init(p, 40);
    if (version == 4) {
        wr_u16(&w, 0x4500);
        wr_u16(&w, (uint16_t)(20 + payload));
        wr_u32(&w, 0x12344000);
        wr_u16(&w, (uint16_t)(64 << 8 | protocol));
        wr_u16(&w, 0);
        wr_u32(&w, 0x0a070009);
        wr_u32(&w, 0xc0000201);
        wr_patch16(&w, 10, inet_fold(inet_sum(0, p, 20)));
    } else {
        wr_u32(&w, 0x60000000);
        wr_u16(&w, (uint16_t)payload);
        wr_u16(&w, (uint16_t)(protocol << 8 | 64));
        wr_u64(&w, 0xfd00000000000000);
        wr_u64(&w, 9);
        wr_u64(&w, 0x20010db800000000);
        wr_u64(&w, 1);
    }
    return w.n;
}

/* Zero when the transport checksum of a whole packet is right. */
static inline uint16_t transport_error(const uint8_t *p, size_t n)
{
    struct ip_info ip;
    if (ip_info((struct view){p, n}, &ip) != ERR_OK)
        return 0xffff;
    const uint32_t length = ip.total - ip.transport;
    const uint32_t pseudo = ip.protocol == IP_PROTO_ICMP ? 0 : inet_pseudo_sum(&ip.src, &ip.dst, ip.protocol, length);
    return inet_fold(inet_sum(pseudo, p + ip.transport, length));
}

#endif
