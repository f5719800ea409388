/* Frame meta data as the kernel writes it before each TUN packet: struct virtio_net_hdr (virtio 1.2, 5.1.6). */
#ifndef SEKISHO_VNET_H
#define SEKISHO_VNET_H

#include "offload/offload.h"

#include <linux/virtio_net.h>

/* ERR_UNSUPPORTED for a kind that was not asked for; the packet is then of no use. */
enum err vnet_read(const struct virtio_net_hdr *h, struct view packet, struct frame_meta *out);
void vnet_write(const struct frame_meta *meta, struct virtio_net_hdr *out);

#endif
