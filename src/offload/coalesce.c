/*
 * Packets of one burst become super-packets for the TUN: what the kernel's GRO does, in front of it. A bundle gathers
 * the packets of one flow that follow each other; bundles leave in the order in which they began, so that a flow keeps
 * its order. Headers are mended only when a bundle leaves with more than one packet.
 *
 * A bundle of several tells the kernel that checksums need not be verified. So every packet in it has been verified
 * here: otherwise damage from before the tunnel would be given a valid checksum.
 */
#include "offload/offload_internal.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 64 /* flows gathered at once; a flow that meets another in its slot ends the other's bundle */
#define NONE  UINT16_MAX

/* A packet as far as joining needs it. */
struct segment {
    uint8_t *p;
    uint32_t len, payload;
    uint16_t transport, header;
    uint8_t version, protocol;
};

struct held {
    uint8_t *p;
    uint32_t len;
    uint16_t next; /* in its bundle */
};

struct bundle {
    struct segment first;
    uint32_t len; /* of the super-packet so far */
    uint32_t seq; /* TCP: expected next */
    uint16_t id;  /* IPv4: of the last packet */
    uint16_t head, tail, count;
    bool verified; /* the first packet's checksum has been */
    bool push;     /* the last packet carried PSH */
};

struct coalesce {
    bool udp;
    bool taking;
    uint16_t n_held, n_bundles, taken;
    uint16_t slot[SLOTS]; /* the flow's open bundle, or NONE */
    struct held held[COALESCE_PACKETS];
    struct bundle bundles[COALESCE_PACKETS];
    struct frame_pieces frame;
};

static void forget_flows(struct coalesce *c)
{
    memset(c->slot, 0xff, sizeof(c->slot));
}

struct coalesce *coalesce_new(void)
{
    struct coalesce *c = calloc(1, sizeof(*c));
    if (c)
        forget_flows(c);
    return c;
}

void coalesce_free(struct coalesce *c)
{
    free(c);
}

void coalesce_allow_udp(struct coalesce *c, bool allow)
{
    c->udp = allow;
}

/* ---- reading a packet ---- */

/* True for a TCP or UDP packet in a plain IP header: no options or extensions, no fragment. Padding is cut off. */
static bool parse(uint8_t *p, uint32_t len, struct segment *out)
{
    struct segment s = {.p = p};
    if (len >= IP4_HEADER && p[0] == 0x45) {
        s.version = 4;
        s.len = be16_get(p + 2);
        s.protocol = p[9];
        s.transport = IP4_HEADER;
        if (be16_get(p + 6) & 0x3fff)
            return false;
    } else if (len >= IP6_HEADER && p[0] >> 4 == 6) {
        s.version = 6;
        s.len = IP6_HEADER + (uint32_t)be16_get(p + 4);
        s.protocol = p[6];
        s.transport = IP6_HEADER;
    } else {
        return false;
    }
    const bool tcp = s.protocol == IP_PROTO_TCP;
    const uint32_t least = s.transport + (tcp ? TCP_HEADER_MIN : UDP_HEADER);
    if ((!tcp && s.protocol != IP_PROTO_UDP) || s.len > len || s.len > FRAME_MAX || s.len < least)
        return false;
    const uint8_t *t = p + s.transport;
    const uint32_t header = tcp ? s.transport + (uint32_t)(t[TCP_OFFSET_AT] >> 4) * 4 : least;
    if (header < least || header > s.len || (!tcp && be16_get(t + UDP_LENGTH_AT) != s.len - s.transport))
        return false;
    s.header = (uint16_t)header;
    s.payload = s.len - header;
    *out = s;
    return true;
}

/* Whether the packet may be one of several: data, and nothing said that belongs to one packet alone. */
static bool may_join(const struct coalesce *c, const struct segment *s)
{
    const uint8_t *t = s->p + s->transport;
    if (s->payload == 0)
        return false;
    if (s->protocol == IP_PROTO_UDP)
        return c->udp && be16_get(t + UDP_CHECKSUM_AT) != 0;
    const uint8_t flags = t[TCP_FLAGS_AT] & (uint8_t)~TCP_PSH;
    return flags == TCP_ACK || flags == (TCP_ACK | TCP_ECE);
}

static uint32_t hash(const struct segment *s)
{
    const uint8_t *a = s->p + (s->version == 4 ? IP4_ADDRESSES : IP6_ADDRESSES);
    uint64_t h = 0, v;
    for (uint32_t i = 0; i < (s->version == 4 ? 8u : 32u); i += 8) {
        memcpy(&v, a + i, sizeof(v));
        h = (h ^ v) * 0x9e3779b97f4a7c15;
        h ^= h >> 29;
    }
    uint32_t ports;
    memcpy(&ports, s->p + s->transport, sizeof(ports));
    h = (h ^ ports ^ (uint64_t)s->protocol << 32) * 0x9e3779b97f4a7c15;
    return (uint32_t)(h >> 58) % SLOTS;
}

static bool same_flow(const struct segment *a, const struct segment *b)
{
    if (a->version != b->version || a->protocol != b->protocol)
        return false;
    const uint32_t at = a->version == 4 ? IP4_ADDRESSES : IP6_ADDRESSES;
    return memcmp(a->p + at, b->p + at, a->version == 4 ? 8 : 32) == 0 &&
           memcmp(a->p + a->transport, b->p + b->transport, 4) == 0;
}

static bool checksum_is_good(const struct segment *s)
{
    const uint8_t *addresses = s->p + (s->version == 4 ? IP4_ADDRESSES : IP6_ADDRESSES);
    const uint32_t length = s->len - s->transport;
    uint32_t sum = inet_sum(s->protocol + length, addresses, s->version == 4 ? 8 : 32);
    sum = inet_sum(sum, s->p + s->transport, length);
    return inet_fold(sum) == 0 && (s->version == 6 || inet_fold(inet_sum(0, s->p, IP4_HEADER)) == 0);
}

/* ---- joining ---- */

/* Class, hop limit and fragmentation alike. Identifications count up, as those of the packets cut from the super-packet
 * will; with DF set they mean nothing (RFC 6864 4.1). */
static bool same_ip(const struct bundle *b, const struct segment *s)
{
    const uint8_t *x = b->first.p, *y = s->p;
    if (s->version == 6)
        return memcmp(x, y, 4) == 0 && x[7] == y[7];
    return x[1] == y[1] && x[8] == y[8] && x[6] == y[6] && (x[6] & 0x40 || be16_get(y + 4) == (uint16_t)(b->id + 1));
}

/* Next in sequence, and all else in the header alike but PSH. */
static bool same_tcp(const struct bundle *b, const struct segment *s)
{
    const uint8_t *x = b->first.p + b->first.transport, *y = s->p + s->transport;
    const uint32_t header = (uint32_t)(s->header - s->transport);
    return !b->push && be32_get(y + TCP_SEQ_AT) == b->seq && b->first.header == s->header &&
           memcmp(x + TCP_ACK_AT, y + TCP_ACK_AT, 5) == 0 && ((x[TCP_FLAGS_AT] ^ y[TCP_FLAGS_AT]) & ~TCP_PSH) == 0 &&
           memcmp(x + TCP_WINDOW_AT, y + TCP_WINDOW_AT, 2) == 0 &&
           memcmp(x + TCP_URGENT_AT, y + TCP_URGENT_AT, header - TCP_URGENT_AT) == 0;
}

static bool fits(struct bundle *b, const struct segment *s, uint32_t last_payload)
{
    if (s->payload > b->first.payload || last_payload < b->first.payload || b->count == FRAME_SEGMENTS ||
        b->len + s->payload > FRAME_MAX || !same_ip(b, s) || (s->protocol == IP_PROTO_TCP && !same_tcp(b, s)))
        return false;
    if (!b->verified && !checksum_is_good(&b->first))
        return false;
    b->verified = true;
    return checksum_is_good(s);
}

static void note_last(struct bundle *b, const struct segment *s)
{
    if (s->version == 4)
        b->id = be16_get(s->p + 4);
    if (s->protocol == IP_PROTO_TCP) {
        b->seq = be32_get(s->p + s->transport + TCP_SEQ_AT) + s->payload;
        b->push = (s->p[s->transport + TCP_FLAGS_AT] & TCP_PSH) != 0;
    }
}

static bool join(struct coalesce *c, struct bundle *b, const struct segment *s)
{
    const uint32_t last_payload = c->held[b->tail].len - b->first.header;
    if (!fits(b, s, last_payload))
        return false;
    const uint16_t h = c->n_held++;
    c->held[h] = (struct held){.p = s->p, .len = s->len, .next = NONE};
    c->held[b->tail].next = h;
    b->tail = h;
    b->count++;
    b->len += s->payload;
    note_last(b, s);
    return true;
}

static struct bundle *begin(struct coalesce *c, uint8_t *p, uint32_t len)
{
    const uint16_t h = c->n_held++;
    c->held[h] = (struct held){.p = p, .len = len, .next = NONE};
    struct bundle *b = &c->bundles[c->n_bundles++];
    *b = (struct bundle){.first.p = p, .len = len, .head = h, .tail = h, .count = 1};
    return b;
}

enum drop coalesce_add(struct coalesce *c, uint8_t *packet, uint32_t len)
{
    if (c->n_held == COALESCE_PACKETS || c->taking)
        return DROP_QUEUE_FULL;
    struct segment s;
    if (!parse(packet, len, &s)) {
        forget_flows(c); /* it may belong to any flow, a fragment for one: what comes later must not pass it */
        begin(c, packet, len);
        return DROP_NONE;
    }
    uint16_t *slot = &c->slot[hash(&s)];
    struct bundle *open = *slot == NONE ? NULL : &c->bundles[*slot];
    const bool joins = may_join(c, &s);
    if (open && joins && same_flow(&open->first, &s) && join(c, open, &s))
        return DROP_NONE;
    struct bundle *b = begin(c, packet, s.len);
    *slot = NONE;
    if (joins) {
        b->first = s;
        note_last(b, &s);
        *slot = (uint16_t)(c->n_bundles - 1);
    }
    return DROP_NONE;
}

/* ---- leaving ---- */

static void mend_headers(const struct bundle *b, struct frame_meta *meta)
{
    const struct segment *s = &b->first;
    const bool udp = s->protocol == IP_PROTO_UDP;
    uint8_t *t = s->p + s->transport;
    const uint32_t length = b->len - s->transport;
    const uint32_t addresses = s->version == 4 ? IP4_ADDRESSES : IP6_ADDRESSES;
    if (s->version == 4) {
        be16_put(s->p + 2, (uint16_t)b->len);
        be16_put(s->p + IP4_CHECKSUM_AT, 0);
        be16_put(s->p + IP4_CHECKSUM_AT, inet_fold(inet_sum(0, s->p, IP4_HEADER)));
    } else {
        be16_put(s->p + 4, (uint16_t)length);
    }
    if (udp)
        be16_put(t + UDP_LENGTH_AT, (uint16_t)length);
    else if (b->push)
        t[TCP_FLAGS_AT] |= TCP_PSH;
    const uint16_t at = udp ? UDP_CHECKSUM_AT : TCP_CHECKSUM_AT;
    const uint32_t pseudo = inet_sum(s->protocol + length, s->p + addresses, s->version == 4 ? 8 : 32);
    be16_put(t + at, (uint16_t)~inet_fold(pseudo));
    *meta = (struct frame_meta){
        .kind = udp               ? GSO_UDP
                : s->version == 4 ? GSO_TCP4
                                  : GSO_TCP6,
        .needs_checksum = true,
        .size = (uint16_t)s->payload,
        .header = s->header,
        .csum_start = s->transport,
        .csum_offset = at,
    };
}

const struct frame_pieces *coalesce_take(struct coalesce *c)
{
    if (c->taken == c->n_bundles) {
        c->n_held = c->n_bundles = c->taken = 0;
        c->taking = false;
        forget_flows(c);
        return NULL;
    }
    c->taking = true;
    const struct bundle *b = &c->bundles[c->taken++];
    struct frame_pieces *f = &c->frame;
    f->meta = (struct frame_meta){.kind = GSO_NONE};
    f->n = 0;
    f->len = b->len;
    if (b->count > 1)
        mend_headers(b, &f->meta);
    for (uint16_t h = b->head; h != NONE; h = c->held[h].next) {
        const uint32_t skip = f->n == 0 ? 0 : b->first.header;
        f->piece[f->n++] = (struct view){c->held[h].p + skip, c->held[h].len - skip};
    }
    return f;
}
