/* Packets by calls, for callers without a TUN device. */
#include "sekisho/sekisho_internal.h"

#include <stdlib.h>
#include <string.h>

int sekisho_write(struct sekisho *s, const void *packet, size_t size)
{
    if (!s->attempt.up)
        return ERR_STATE;
    if (size == 0 || size > FRAME_MAX)
        return ERR_LIMIT;
    const struct frame frame = {.data = packet, .len = (uint32_t)size};
    const usec_t now = clock_now();
    const uint64_t before = stack_counters(s->attempt.stack).out_packets;
    stack_outbound(s->attempt.stack, now, &frame, 1);
    const bool taken = stack_counters(s->attempt.stack).out_packets > before;
    pump_flush(s->attempt.pump, now);
    return taken ? ERR_OK : ERR_INVALID;
}

static uint8_t *packet_put(struct sekisho *s, uint32_t len)
{
    struct packet_node *node = s->packet_count < PACKETS_MAX ? malloc(sizeof(*node) + len) : NULL;
    if (!node)
        return NULL;
    node->next = NULL;
    node->len = len;
    *s->packets_tail = node;
    s->packets_tail = &node->next;
    s->packet_count++;
    return node->bytes;
}

/* A frame of several packets is cut into those that it stands for. */
void packets_take(struct sekisho *s, const struct frame_pieces *frame)
{
    uint8_t whole[FRAME_MAX];
    uint32_t at = 0;
    struct split split;
    if (frame->len > sizeof(whole))
        return;
    for (uint32_t i = 0; i < frame->n; i++) {
        memcpy(whole + at, frame->piece[i].p, frame->piece[i].n);
        at += (uint32_t)frame->piece[i].n;
    }
    const struct frame joined = {.meta = frame->meta, .data = whole, .len = at};
    if (split_begin(&split, &joined) != DROP_NONE)
        return;
    for (uint32_t i = 0; i < split.count; i++) {
        uint8_t *out = packet_put(s, split_length(&split, i));
        if (!out)
            return;
        split_write(&split, i, out);
    }
}

size_t sekisho_read(struct sekisho *s, void *out, size_t cap)
{
    struct packet_node *node = s->packets;
    if (!node)
        return 0;
    const size_t n = node->len < cap ? node->len : cap;
    memcpy(out, node->bytes, n);
    s->packets = node->next;
    if (!s->packets)
        s->packets_tail = &s->packets;
    s->packet_count--;
    free(node);
    return n;
}

void packets_free(struct sekisho *s)
{
    while (s->packets) {
        struct packet_node *node = s->packets;
        s->packets = node->next;
        free(node);
    }
    s->packets_tail = &s->packets;
    s->packet_count = 0;
}
