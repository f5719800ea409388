/* Packets for the segmentation tests, built and judged without the code under test: checksums the slow way. */
#ifndef SEKISHO_TEST_PACKETS_H
#define SEKISHO_TEST_PACKETS_H

#include "offload/offload.h"
#include "tests/test.h"

#define FLAG_FIN 0x01
#define FLAG_SYN 0x02
#define FLAG_PSH 0x08
#define FLAG_ACK 0x10
#define FLAG_CWR 0x80

struct made {
    uint8_t family, protocol;
    uint16_t id, port;
    uint32_t seq, ack;
    uint8_t flags, options; /* options: bytes of TCP options, a multiple of 4 */
    uint32_t payload;
    uint8_t fill; /* first byte of the payload; it counts up */
    bool no_df;
};

static inline uint16_t naive_fold(const uint8_t *p, uint32_t n, uint64_t sum)
{
    for (uint32_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint64_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static inline uint64_t naive_pseudo(const uint8_t *p, uint32_t len)
{
    const bool v4 = p[0] >> 4 == 4;
    const uint32_t at = v4 ? 12 : 8, n = v4 ? 8 : 32, header = v4 ? 20 : 40;
    uint64_t sum = (v4 ? p[9] : p[6]) + len - header;
    for (uint32_t i = 0; i < n; i++)
        sum += i % 2 ? p[at + i] : (uint64_t)p[at + i] << 8;
    return sum;
}

/* What is left over when all checksums of a packet are summed: 0 when they are right. */
static inline uint16_t checksum_error(const uint8_t *p, uint32_t len)
{
    const uint32_t header = p[0] >> 4 == 4 ? 20 : 40;
    const uint16_t ip = header == 20 ? naive_fold(p, 20, 0) : 0;
    return ip | naive_fold(p + header, len - header, naive_pseudo(p, len));
}

static inline uint32_t make_packet(const struct made *m, uint8_t *p)
{
    const uint32_t ip = m->family == 4 ? 20 : 40, transport = m->protocol == IP_PROTO_TCP ? 20u + m->options : 8;
    const uint32_t len = ip + transport + m->payload;
    memset(p, 0, ip + transport);
    if (m->family == 4) {
        p[0] = 0x45;
        be16_put(p + 2, (uint16_t)len);
        be16_put(p + 4, m->id);
        p[6] = m->no_df ? 0 : 0x40;
        p[8] = 64;
        p[9] = m->protocol;
        memcpy(p + 12, (const uint8_t[]){10, 7, 0, 9, 192, 0, 2, 1}, 8);
        be16_put(p + 10, naive_fold(p, 20, 0));
    } else {
        p[0] = 0x60;
        be16_put(p + 4, (uint16_t)(len - 40));
        p[6] = m->protocol;
        p[7] = 64;
        p[8] = 0xfd;
        p[23] = 9;
        p[24] = 0x20;
        p[39] = 1;
    }
    uint8_t *t = p + ip;
    be16_put(t, (uint16_t)(40000 + m->port));
    be16_put(t + 2, 443);
    for (uint32_t i = 0; i < m->payload; i++)
        t[transport + i] = (uint8_t)(m->fill + i * 7);
    if (m->protocol == IP_PROTO_TCP) {
        be32_put(t + 4, m->seq);
        be32_put(t + 8, m->ack);
        t[12] = (uint8_t)(transport / 4 << 4);
        t[13] = m->flags;
        be16_put(t + 14, 501);
        memset(t + 20, 1, m->options);
        be16_put(t + 16, naive_fold(t, len - ip, naive_pseudo(p, len)));
    } else {
        be16_put(t + 4, (uint16_t)(len - ip));
        be16_put(t + 6, naive_fold(t, len - ip, naive_pseudo(p, len)));
    }
    return len;
}

/* A super-packet as the kernel gives it: the transport checksum holds the pseudo header's sum only. */
static inline struct frame make_frame(const struct made *m, uint16_t size, uint8_t *p)
{
    const uint32_t len = make_packet(m, p), ip = m->family == 4 ? 20 : 40;
    const bool tcp = m->protocol == IP_PROTO_TCP;
    const uint16_t at = tcp ? 16 : 6;
    be16_put(p + ip + at, (uint16_t)~naive_fold(p, 0, naive_pseudo(p, len)));
    return (struct frame){
        .data = p,
        .len = len,
        .meta =
            {
                .kind = size == 0        ? GSO_NONE
                        : !tcp           ? GSO_UDP
                        : m->family == 4 ? GSO_TCP4
                                         : GSO_TCP6,
                .needs_checksum = true,
                .size = size,
                .header = (uint16_t)(len - m->payload),
                .csum_start = (uint16_t)ip,
                .csum_offset = at,
            },
    };
}

#endif
