/*
 * Reading and writing bytes. Bounds live here and only here: protocol code never indexes a raw pointer.
 *
 * The reader has a sticky error: read all fields in a row, then ask rd_ok() once. After a failure every read
 * yields zero. The writer is checked in the same way; blocks with a length in front are back-patched.
 */
#ifndef SEKISHO_WIRE_H
#define SEKISHO_WIRE_H

#include "base/base.h"

/* ---- reader ---- */

struct reader {
    const uint8_t *p;
    size_t n; /* bytes left */
    bool failed;
};

struct reader rd_init(struct view v);
uint8_t rd_u8(struct reader *r);
uint16_t rd_u16(struct reader *r);
uint32_t rd_u32(struct reader *r);
uint64_t rd_u64(struct reader *r);
/* The next n bytes, borrowed from the input; empty after a failure. */
struct view rd_view(struct reader *r, size_t n);
/* All bytes that are left. */
struct view rd_rest(struct reader *r);
/* Copies n bytes out; zeroes them when they are not there. */
void rd_copy(struct reader *r, void *out, size_t n);
void rd_skip(struct reader *r, size_t n);
/* A child reader over the next n bytes; failed when they are not there. */
struct reader rd_sub(struct reader *r, size_t n);
/* A child over a block whose 8- or 16-bit length field comes first and counts only what follows it. */
struct reader rd_block8(struct reader *r);
struct reader rd_block16(struct reader *r);
/* Marks the reader as failed, for a rule the caller has found broken. */
void rd_fail(struct reader *r);

static inline size_t rd_left(const struct reader *r)
{
    return r->n;
}

static inline bool rd_ok(const struct reader *r)
{
    return !r->failed;
}

/* True when nothing failed and nothing is left. */
static inline bool rd_done(const struct reader *r)
{
    return !r->failed && r->n == 0;
}

/* ---- writer ---- */

struct writer {
    uint8_t *p;
    size_t n; /* bytes written */
    size_t cap;
    bool failed; /* something did not fit; what was written before stays */
};

struct writer wr_init(void *buffer, size_t cap);
void wr_u8(struct writer *w, uint8_t v);
void wr_u16(struct writer *w, uint16_t v);
void wr_u32(struct writer *w, uint32_t v);
void wr_u64(struct writer *w, uint64_t v);
void wr_bytes(struct writer *w, const void *p, size_t n);
void wr_view(struct writer *w, struct view v);
void wr_zero(struct writer *w, size_t n);
/* Opens n bytes for the caller to fill; NULL when they do not fit. */
uint8_t *wr_reserve(struct writer *w, size_t n);
/* Overwrites bytes that were written before. Fails the writer when they were not. */
void wr_patch8(struct writer *w, size_t at, uint8_t v);
void wr_patch16(struct writer *w, size_t at, uint16_t v);
void wr_patch32(struct writer *w, size_t at, uint32_t v);

static inline bool wr_ok(const struct writer *w)
{
    return !w->failed;
}

static inline struct view wr_written(const struct writer *w)
{
    return (struct view){w->p, w->failed ? 0 : w->n};
}

/* ---- big-endian words in memory that is known to be there (hot paths, after their one length check) ---- */

static inline uint16_t be16_get(const uint8_t p[static 2])
{
    return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t be32_get(const uint8_t p[static 4])
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline void be16_put(uint8_t p[static 2], uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static inline void be32_put(uint8_t p[static 4], uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* ---- Internet checksum (RFC 1071) ---- */

/* Adds bytes to a running sum; sums may be chained as long as every piece but the last has an even length. */
uint32_t inet_sum(uint32_t sum, const void *p, size_t n);
/* The same while copying to out, which may not overlap: one pass over memory instead of two. */
uint32_t inet_sum_copy(uint32_t sum, void *restrict out, const void *restrict p, size_t n);
/* Folds and complements: the value for the checksum field, in host order. */
uint16_t inet_fold(uint32_t sum);
/* The pseudo header's contribution; proto is the IP protocol, len the length of transport header and data. */
uint32_t inet_pseudo_sum(const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto, uint32_t len);

/* ---- an inner IP packet ---- */

#define IP_PROTO_ICMP   1
#define IP_PROTO_TCP    6
#define IP_PROTO_UDP    17
#define IP_PROTO_ESP    50
#define IP_PROTO_ICMPV6 58

/* What the road needs to know of an IP packet; offsets from its first byte. */
struct ip_info {
    uint8_t version;    /* 4 or 6 */
    uint8_t protocol;   /* transport protocol after IPv6 extension headers that could be walked */
    bool fragment;      /* a later fragment or one of several: the transport header may be absent */
    bool dont_fragment; /* IPv4 DF; true for IPv6 */
    uint16_t transport; /* offset of the transport header */
    uint32_t total;     /* length by the IP header; at most the bytes given */
    struct ip_addr src, dst;
};

/* ERR_MALFORMED when the header contradicts itself or says more than bytes holds (less is fine: padding). */
enum err ip_info(struct view bytes, struct ip_info *out);

/* Lowers the MSS option of a TCP SYN to at most mss and mends the checksum incrementally (RFC 1624). ip is what
 * ip_info() said of the packet. Returns whether it was changed. For anything but a whole TCP SYN it does nothing. */
bool ip_clamp_mss(uint8_t *packet, const struct ip_info *ip, uint16_t mss4, uint16_t mss6);

/* An IPv4 packet to be cut into pieces of at most mtu bytes. */
struct ip4_fragments {
    struct view packet;
    uint32_t header, step; /* bytes of the header; payload bytes of each piece but the last */
    uint32_t count;        /* pieces */
};

/* The packet is borrowed as long as the pieces are written. ERR_UNSUPPORTED when it must not be fragmented (DF, IPv6).
 */
enum err ip4_fragments(struct view packet, uint16_t mtu, struct ip4_fragments *out);
uint32_t ip4_fragment_length(const struct ip4_fragments *f, uint32_t i);
void ip4_fragment_write(const struct ip4_fragments *f, uint32_t i, uint8_t *out);

/* Writes an ICMP "fragmentation needed" (RFC 1191) or ICMPv6 "packet too big" (RFC 4443 3.2) for packet, from
 * the given address. ERR_UNSUPPORTED when none may be sent (ICMP errors, fragments, DF not set, multicast). */
enum err ip_too_big(struct view packet, const struct ip_addr *from, uint16_t mtu, struct writer *out);

/* Writes an ICMP "time to live exceeded in transit" (RFC 792) for an IPv4 packet. ERR_UNSUPPORTED when none may be sent
 * (ICMP errors, fragments, multicast). */
enum err ip_time_exceeded(struct view packet, const struct ip_addr *from, struct writer *out);

#endif
