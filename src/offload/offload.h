/*
 * Segmentation arithmetic: one large frame from the TUN device becomes many packets (GSO), many packets become
 * one large frame for it (GRO). Pure: no device, no system call. The meta data is what struct virtio_net_hdr says.
 */
#ifndef SEKISHO_OFFLOAD_H
#define SEKISHO_OFFLOAD_H

#include "wire/wire.h"

#define FRAME_MAX      65535 /* bytes of one frame, without meta data */
#define FRAME_SEGMENTS 64    /* packets in one frame at most */

enum gso_kind { GSO_NONE, GSO_TCP4, GSO_TCP6, GSO_UDP };

struct frame_meta {
    uint8_t kind;         /* enum gso_kind */
    bool needs_checksum;  /* the transport checksum holds the pseudo header's sum only */
    uint16_t size;        /* payload bytes of a segment, when kind is not GSO_NONE */
    uint16_t header;      /* bytes of IP and transport header together */
    uint16_t csum_start;  /* where the sum begins, from the first byte of the packet */
    uint16_t csum_offset; /* where the checksum field is, from csum_start */
};

/* One or, with segment > 0, several datagrams of one path, one after the other: each of `segment` bytes, the last may
 * be shorter. segment is 0 when there is only one. data is writable and borrowed from whoever received it. */
struct datagram {
    struct path path;
    uint8_t *data;
    uint32_t len;
    uint16_t segment;
};

/* A frame read from the TUN: meta data and one contiguous IP packet. */
struct frame {
    struct frame_meta meta;
    const uint8_t *data;
    uint32_t len;
};

/* ---- split: one frame into packets ---- */

struct split {
    struct frame frame;
    struct ip_info ip;
    uint32_t header;   /* bytes repeated before each payload; 0 when the frame is one packet as it is */
    uint32_t size;     /* payload bytes of each segment but the last */
    uint32_t count;    /* packets */
    uint32_t fixed[2]; /* checksum work done once per frame */
};

/* Checks the frame and its meta data against each other. DROP_IP_MALFORMED when they disagree. */
enum drop split_begin(struct split *s, const struct frame *frame);
/* Length of packet i; equal for all but the last. */
uint32_t split_length(const struct split *s, uint32_t i);
/* Writes packet i, headers mended and checksums complete, to out (split_length(s, i) bytes, which may not
 * overlap the frame). One pass: the sum is folded into the copy. */
void split_write(const struct split *s, uint32_t i, uint8_t *out);

/* ---- coalesce: packets into frames ---- */

/* One frame to be written: meta data, then the pieces of one IP packet. The first piece starts with the mended
 * headers, in the buffer of the frame's first packet; the others are payloads. Nothing is copied. */
struct frame_pieces {
    struct frame_meta meta;
    uint32_t n;
    uint32_t len; /* bytes in all pieces */
    struct view piece[FRAME_SEGMENTS];
};

#define COALESCE_PACKETS 1024 /* in one burst */

struct coalesce; /* the flows being gathered within one burst */

struct coalesce *coalesce_new(void);
void coalesce_free(struct coalesce *c);
/* Whether UDP packets may be coalesced too (needs a kernel with USO on TUN). */
void coalesce_allow_udp(struct coalesce *c, bool allow);
/* Adds a whole IP packet (its buffer stays the caller's, writable, until the frames are taken and written). TCP
 * segments in sequence with equal headers, and UDP datagrams of equal size, join one frame after their own checksum
 * was verified; everything else makes a frame of its own. Order within a flow is kept. DROP_QUEUE_FULL when
 * COALESCE_PACKETS are held already, or taking has begun. */
enum drop coalesce_add(struct coalesce *c, uint8_t *packet, uint32_t len);
/* The next finished frame, or NULL when all have been taken; then the burst is over and the gatherer empty. */
const struct frame_pieces *coalesce_take(struct coalesce *c);

#endif
