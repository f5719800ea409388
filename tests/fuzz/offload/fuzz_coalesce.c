/* A burst of packets, each after a 16-bit length: what is joined must be cut into the same payloads, in order, with
 * right checksums; and no packet may be lost. */
#include "offload/offload.h"

#include <stdlib.h>
#include <string.h>

#define PACKETS_MAX 200

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

static uint16_t transport_error(const uint8_t *p, const struct ip_info *ip)
{
    const uint32_t length = ip->total - ip->transport;
    return inet_fold(inet_sum(inet_pseudo_sum(&ip->src, &ip->dst, ip->protocol, length), p + ip->transport, length));
}

/* Gives a packet right checksums: a mutated one would never be joined otherwise. */
static void mend(uint8_t *p, size_t n)
{
    struct ip_info ip;
    if (ip_info((struct view){p, n}, &ip) != ERR_OK || ip.fragment)
        return;
    const uint32_t at = ip.protocol == IP_PROTO_TCP ? 16 : 6;
    if ((ip.protocol != IP_PROTO_TCP && ip.protocol != IP_PROTO_UDP) || ip.transport + at + 2 > ip.total)
        return;
    be16_put(p + ip.transport + at, 0);
    be16_put(p + ip.transport + at, transport_error(p, &ip));
    if (ip.version == 4) {
        be16_put(p + 10, 0);
        be16_put(p + 10, inet_fold(inet_sum(0, p, 20)));
    }
}

static void cut_again(const struct frame_pieces *pieces)
{
    uint8_t *whole = malloc(pieces->len);
    MUST(whole);
    uint32_t at = 0;
    for (uint32_t i = 0; i < pieces->n; i++) {
        memcpy(whole + at, pieces->piece[i].p, pieces->piece[i].n);
        at += (uint32_t)pieces->piece[i].n;
    }
    MUST(at == pieces->len);
    const struct frame f = {.meta = pieces->meta, .data = whole, .len = at};
    struct split s;
    MUST(split_begin(&s, &f) == DROP_NONE && s.count == pieces->n);
    for (uint32_t i = 0; i < s.count; i++) {
        const uint32_t len = split_length(&s, i), skip = i == 0 ? s.header : 0;
        MUST(len - s.header == pieces->piece[i].n - skip);
        uint8_t *out = malloc(len);
        MUST(out);
        split_write(&s, i, out);
        MUST(memcmp(out + s.header, pieces->piece[i].p + skip, len - s.header) == 0);
        struct ip_info ip;
        MUST(ip_info((struct view){out, len}, &ip) == ERR_OK && transport_error(out, &ip) == 0);
        free(out);
    }
    free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct coalesce *c = coalesce_new();
    MUST(c);
    uint8_t *packets[PACKETS_MAX];
    uint32_t n = 0, seen = 0;
    struct reader r = rd_init((struct view){data, size});
    const uint8_t mode = rd_u8(&r);
    coalesce_allow_udp(c, mode & 1);
    while (n < PACKETS_MAX && rd_left(&r) > 2) {
        const struct view v = rd_view(&r, rd_u16(&r));
        if (!rd_ok(&r))
            break;
        packets[n] = malloc(v.n ? v.n : 1);
        MUST(packets[n]);
        if (v.n > 0)
            memcpy(packets[n], v.p, v.n);
        if (mode & 2)
            mend(packets[n], v.n);
        MUST(coalesce_add(c, packets[n], (uint32_t)v.n) == DROP_NONE);
        n++;
    }
    for (const struct frame_pieces *f = coalesce_take(c); f; f = coalesce_take(c)) {
        seen += f->n;
        MUST(f->n >= 1 && f->len <= FRAME_MAX);
        if (f->n > 1)
            cut_again(f);
    }
    MUST(seen == n);
    for (uint32_t i = 0; i < n; i++)
        free(packets[i]);
    coalesce_free(c);
    return 0;
}
