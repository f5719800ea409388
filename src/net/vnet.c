#include "net/vnet.h"

#include <string.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define TCP_CHECKSUM_AT 16
#define TCP_OFFSET_AT   12
#define UDP_HEADER      8

/* The kernel's own word for the header length is a hint (tun_get_user and tun_put_user set it to whatever was linear),
 * so it is computed from the transport header. */
static uint32_t header_length(const struct virtio_net_hdr *h, struct view packet, bool tcp)
{
    const uint32_t transport = h->csum_start;
    if (!tcp)
        return transport + UDP_HEADER;
    if (transport + TCP_CHECKSUM_AT > packet.n)
        return 0;
    return transport + (uint32_t)(packet.p[transport + TCP_OFFSET_AT] >> 4) * 4;
}

enum err vnet_read(const struct virtio_net_hdr *h, struct view packet, struct frame_meta *out)
{
    struct frame_meta meta = {
        .kind = GSO_NONE,
        .needs_checksum = (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0,
        .csum_start = h->csum_start,
        .csum_offset = h->csum_offset,
    };
    switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        *out = meta;
        return ERR_OK;
    case VIRTIO_NET_HDR_GSO_TCPV4:
        meta.kind = GSO_TCP4;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        meta.kind = GSO_TCP6;
        break;
    case VIRTIO_NET_HDR_GSO_UDP_L4:
        meta.kind = GSO_UDP;
        break;
    default:
        return ERR_UNSUPPORTED;
    }
    const uint32_t header = header_length(h, packet, meta.kind != GSO_UDP);
    if (header == 0 || header > packet.n || header > UINT16_MAX)
        return ERR_MALFORMED;
    meta.size = h->gso_size;
    meta.header = (uint16_t)header;
    *out = meta;
    return ERR_OK;
}

void vnet_write(const struct frame_meta *meta, struct virtio_net_hdr *out)
{
    memset(out, 0, sizeof(*out));
    if (meta->needs_checksum) {
        out->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        out->csum_start = meta->csum_start;
        out->csum_offset = meta->csum_offset;
    }
    if (meta->kind == GSO_NONE)
        return;
    out->gso_type = meta->kind == GSO_TCP4   ? VIRTIO_NET_HDR_GSO_TCPV4
                    : meta->kind == GSO_TCP6 ? VIRTIO_NET_HDR_GSO_TCPV6
                                             : VIRTIO_NET_HDR_GSO_UDP_L4;
    out->gso_size = meta->size;
    out->hdr_len = meta->header;
}
