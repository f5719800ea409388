/*
 * One super-packet from the TUN becomes the packets it stands for: what a network card does for TCP (TSO) and UDP
 * (USO). Each packet is written once, with the payload's checksum taken while it is copied.
 */
#include "offload/offload_internal.h"

#include <string.h>

/* Sums only what is equal in all packets of the frame. */
static void prepare_sums(struct split *s)
{
    const uint8_t *p = s->frame.data;
    s->fixed[0] = inet_pseudo_sum(&s->ip.src, &s->ip.dst, s->ip.protocol, 0);
    s->fixed[1] = 0;
    if (s->ip.version == 4) { /* all but total length, identification and checksum */
        s->fixed[1] = inet_sum(0, p, 2);
        s->fixed[1] = inet_sum(s->fixed[1], p + 6, 4);
        s->fixed[1] = inet_sum(s->fixed[1], p + 12, s->ip.transport - 12u);
    }
}

static uint8_t version_of(uint8_t kind, uint8_t actual)
{
    return kind == GSO_TCP4 ? 4 : kind == GSO_TCP6 ? 6 : actual;
}

/* Length of the headers that repeat, or 0 when meta data and packet disagree. */
static uint32_t repeated_header(const struct frame *frame, const struct ip_info *ip)
{
    const bool udp = frame->meta.kind == GSO_UDP;
    if (ip->version != version_of(frame->meta.kind, ip->version) || ip->fragment || ip->total != frame->len ||
        ip->protocol != (udp ? IP_PROTO_UDP : IP_PROTO_TCP) || frame->meta.size == 0)
        return 0;
    const uint32_t least = ip->transport + (udp ? UDP_HEADER : TCP_HEADER_MIN);
    if (least > frame->len)
        return 0;
    const uint32_t header =
        udp ? least : ip->transport + (uint32_t)(frame->data[ip->transport + TCP_OFFSET_AT] >> 4) * 4;
    /* A frame without payload stands for no packet. */
    return header < least || header >= frame->len || header != frame->meta.header ? 0 : header;
}

static bool checksum_fits(const struct frame_meta *meta, uint32_t len)
{
    return !meta->needs_checksum || (uint32_t)meta->csum_start + meta->csum_offset + 2 <= len;
}

enum drop split_begin(struct split *s, const struct frame *frame)
{
    struct split new = {.frame = *frame, .count = 1};
    if (frame->len > FRAME_MAX || ip_info((struct view){frame->data, frame->len}, &new.ip) != ERR_OK)
        return DROP_IP_MALFORMED;
    if (frame->meta.kind == GSO_NONE) {
        if (!checksum_fits(&frame->meta, frame->len))
            return DROP_IP_MALFORMED;
        *s = new;
        return DROP_NONE;
    }
    new.header = repeated_header(frame, &new.ip);
    if (new.header == 0)
        return DROP_IP_MALFORMED;
    new.size = frame->meta.size;
    new.count = (frame->len - new.header + new.size - 1) / new.size;
    prepare_sums(&new);
    *s = new;
    return DROP_NONE;
}

uint32_t split_length(const struct split *s, uint32_t i)
{
    if (s->header == 0)
        return s->frame.len;
    const uint32_t payload = s->frame.len - s->header;
    return s->header + (i + 1 < s->count ? s->size : payload - (s->count - 1) * s->size);
}

/* A packet that is not cut: its checksum is completed where the kernel has left that to the device. */
static void write_whole(const struct split *s, uint8_t *out)
{
    const struct frame_meta *meta = &s->frame.meta;
    if (!meta->needs_checksum) {
        memcpy(out, s->frame.data, s->frame.len);
        return;
    }
    memcpy(out, s->frame.data, meta->csum_start);
    const uint32_t sum =
        inet_sum_copy(0, out + meta->csum_start, s->frame.data + meta->csum_start, s->frame.len - meta->csum_start);
    const uint16_t value = inet_fold(sum);
    /* Zero would say "no checksum" in UDP (RFC 768); all ones are its equal, for every other protocol too. */
    be16_put(out + meta->csum_start + meta->csum_offset, value ? value : 0xffff);
}

static void mend_ip(const struct split *s, uint32_t i, uint32_t length, uint8_t *out)
{
    if (s->ip.version == 6) {
        be16_put(out + 4, (uint16_t)(length - IP6_HEADER));
        return;
    }
    const uint16_t id = (uint16_t)(be16_get(out + 4) + i);
    be16_put(out + 2, (uint16_t)length);
    be16_put(out + 4, id);
    be16_put(out + IP4_CHECKSUM_AT, inet_fold(s->fixed[1] + length + id));
}

static void mend_tcp(const struct split *s, uint32_t i, uint8_t *tcp)
{
    be32_put(tcp + TCP_SEQ_AT, be32_get(tcp + TCP_SEQ_AT) + i * s->size);
    if (i > 0)
        tcp[TCP_FLAGS_AT] &= (uint8_t)~TCP_CWR; /* said once: RFC 3168 6.1.2 */
    if (i + 1 < s->count)
        tcp[TCP_FLAGS_AT] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
}

void split_write(const struct split *s, uint32_t i, uint8_t *out)
{
    if (s->header == 0) {
        write_whole(s, out);
        return;
    }
    const uint32_t length = split_length(s, i), transport = s->ip.transport;
    memcpy(out, s->frame.data, s->header);
    mend_ip(s, i, length, out);
    uint8_t *t = out + transport;
    const bool udp = s->frame.meta.kind == GSO_UDP;
    const uint32_t at = udp ? UDP_CHECKSUM_AT : TCP_CHECKSUM_AT;
    if (udp)
        be16_put(t + UDP_LENGTH_AT, (uint16_t)(length - transport));
    else
        mend_tcp(s, i, t);
    be16_put(t + at, 0);
    uint32_t sum = inet_sum(s->fixed[0] + (length - transport), t, s->header - transport);
    sum = inet_sum_copy(sum, out + s->header, s->frame.data + s->header + (size_t)i * s->size, length - s->header);
    const uint16_t value = inet_fold(sum);
    be16_put(t + at, udp && value == 0 ? 0xffff : value);
}
