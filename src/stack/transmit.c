/* The outbox: datagrams to send lie one after the other in one block, so that equal ones to one peer leave in a single
 * system call (UDP GSO); ESP packets in it are sealed in bursts. */
#include "stack/stack_internal.h"

#include <stdlib.h>
#include <string.h>

#define OUTBOX_BYTES (4u << 20)
#define OUTBOX_LIST  8192
#define GSO_SEGMENTS 64    /* UDP_MAX_SEGMENTS of older kernels */
#define GSO_BYTES    64000 /* one UDP datagram of 65,507 at most, before segmentation */
#define IP4_HEADER   20
#define IP6_HEADER   40

enum err outbox_init(struct outbox *out)
{
    out->memory = malloc(OUTBOX_BYTES);
    out->list = malloc(OUTBOX_LIST * sizeof(*out->list));
    out->owner = malloc(OUTBOX_LIST * sizeof(*out->owner));
    out->cap = OUTBOX_BYTES;
    out->cap_list = OUTBOX_LIST;
    return out->memory && out->list && out->owner ? ERR_OK : ERR_NOMEM;
}

void outbox_done(struct outbox *out)
{
    free(out->memory);
    free(out->list);
    free(out->owner);
}

/* Room for n bytes, or NULL. All that was taken has been sent: begin again. */
static uint8_t *room_for(struct stack *s, size_t n)
{
    struct outbox *out = &s->out;
    if (out->taken == out->n && out->pending == 0)
        out->used = out->n = out->taken = 0;
    if (n > out->cap - out->used || out->n == out->cap_list) {
        count_drop(s, DROP_QUEUE_FULL);
        return NULL;
    }
    uint8_t *p = out->memory + out->used;
    out->used += n;
    return p;
}

/* Opens len bytes as a transmission of its own; NULL when the box is full (counted). */
static uint8_t *outbox_single(struct stack *s, const struct path *path, size_t len)
{
    uint8_t *p = room_for(s, len);
    if (!p)
        return NULL;
    struct outbox *out = &s->out;
    out->owner[out->n] = 0;
    out->list[out->n++] = (struct transmission){*path, p, (uint32_t)len, (uint16_t)len, false};
    return p;
}

/* Where data for this peer goes: as IKE does, but for ESP without UDP, which has no ports. */
struct path data_path(const struct peer *peer)
{
    struct path path = peer->path;
    if (!peer->plain && !peer->current->encap)
        path.local.port = path.remote.port = 0;
    return path;
}

uint8_t *outbox_join(struct stack *s, const struct peer *peer, const struct path *path, uint32_t sealed,
                     uint32_t *index)
{
    struct outbox *out = &s->out;
    struct transmission *last = out->n > out->taken ? &out->list[out->n - 1] : NULL;
    const bool joins = last && out->owner[out->n - 1] == peer->slot + 1 && sealed <= last->segment &&
                       last->len + sealed <= GSO_BYTES && last->len / last->segment < GSO_SEGMENTS &&
                       path_equal(&last->path, path);
    uint8_t *p = room_for(s, sealed);
    if (!p)
        return NULL;
    if (joins) {
        last->len += sealed;
    } else {
        out->list[out->n++] = (struct transmission){*path, p, sealed, (uint16_t)sealed, false};
        last = &out->list[out->n - 1];
    }
    /* a shorter one ends the row; raw ESP has no segmentation at all */
    const bool open = sealed == last->segment && path->remote.port != 0;
    out->owner[out->n - 1] = open ? peer->slot + 1 : 0;
    *index = out->n - 1;
    return p;
}

void outbox_flush(struct stack *s)
{
    struct outbox *out = &s->out;
    const uint32_t n = out->pending;
    out->pending = 0;
    if (n == 0)
        return;
    esp_seal(s->esp, out->packets, out->handles, n);
    for (uint32_t i = 0; i < n; i++) {
        if (out->packets[i].verdict == DROP_NONE)
            continue;
        count_drop(s, (enum drop)out->packets[i].verdict);
        out->list[out->packets[i].origin].len = 0; /* never let plain text out: its whole row stays here */
    }
}

void outbox_seal_later(struct stack *s, const struct packet *packet, uint32_t handle)
{
    struct outbox *out = &s->out;
    out->packets[out->pending] = *packet;
    out->handles[out->pending] = handle;
    if (++out->pending == BURST_MAX)
        outbox_flush(s);
}

bool stack_transmit(struct stack *s, usec_t now, struct transmission *out)
{
    (void)now;
    outbox_flush(s);
    struct outbox *box = &s->out;
    while (box->taken < box->n) {
        *out = box->list[box->taken++];
        if (out->len > 0)
            return true;
    }
    return false;
}

/* What the network between the peers leaves for ESP (or, without IPsec, for L2TP). */
uint32_t outer_limit(const struct stack *s, const struct peer *peer)
{
    const uint32_t ip = peer->path.remote.addr.family == 6 ? IP6_HEADER : IP4_HEADER;
    const bool udp = peer->plain || (peer->current && peer->current->encap);
    return s->config.outer_mtu - ip - (udp ? UDP_HEADER : 0);
}

/* The checksum may stay zero over IPv4: ESP has authenticated the packet, and address translation would spoil it anyway
 * (RFC 3948 3.1.2). Over IPv6 it is mandatory (RFC 8200 8.1). */
void udp_header_put(const struct peer *peer, uint8_t *udp, uint32_t len)
{
    be16_put(udp, peer->port_local);
    be16_put(udp + 2, peer->port_remote);
    be16_put(udp + 4, (uint16_t)len);
    be16_put(udp + 6, 0);
    if (peer->path.remote.addr.family != 6)
        return;
    const uint32_t pseudo = inet_pseudo_sum(&peer->path.local.addr, &peer->path.remote.addr, IP_PROTO_UDP, len);
    const uint16_t sum = inet_fold(inet_sum(pseudo, udp, len));
    be16_put(udp + 6, sum ? sum : 0xffff);
}

/* A NAT keepalive is one byte without the marker (RFC 3948 2.3). */
void transmit_ike(struct stack *s, const struct path *path, struct view message)
{
    static const uint8_t keepalive = 0xff;
    const bool natt = path_is_natt(path);
    const bool marker = natt && message.n > 0;
    if (message.n == 0)
        message = view_of(&keepalive, 1);
    uint8_t *p = outbox_single(s, path, message.n + (marker ? NON_ESP_MARKER : 0));
    if (!p)
        return;
    if (marker)
        memset(p, 0, NON_ESP_MARKER);
    memcpy(p + (marker ? NON_ESP_MARKER : 0), message.p, message.n);
}

void transmit_l2tp(struct stack *s, struct peer *peer, struct view message, bool whole)
{
    if (peer->plain) {
        uint8_t *p = outbox_single(s, &peer->path, message.n);
        if (!p)
            return;
        memcpy(p, message.p, message.n);
        s->out.list[s->out.n - 1].whole = whole;
        return;
    }
    if (!peer->current) {
        count_drop(s, DROP_ESP_SPI);
        return;
    }
    const uint32_t handle = peer->current->handle;
    const uint32_t len = (uint32_t)message.n + UDP_HEADER, head = esp_headroom(s->esp, handle);
    const uint32_t sealed = esp_sealed_length(s->esp, handle, len);
    const struct path path = data_path(peer);
    if (sealed < head + len) { /* esp does not know the SA: nothing may be written for it */
        count_drop(s, DROP_ESP_SPI);
        return;
    }
    uint8_t *p = outbox_single(s, &path, sealed);
    if (!p)
        return;
    s->out.list[s->out.n - 1].whole = whole;
    memcpy(p + head + UDP_HEADER, message.p, message.n);
    udp_header_put(peer, p + head, len);
    const struct packet packet = {.data = p + head,
                                  .len = len,
                                  .headroom = (uint16_t)head,
                                  .tailroom = (uint16_t)(sealed - head - len),
                                  .origin = s->out.n - 1};
    outbox_seal_later(s, &packet, handle);
}
