/*
 * A gateway's stack with a connected peer, fed with datagrams of arbitrary bytes: from strangers, and from inside the
 * peer's ESP SA. Input: records of one byte of kind and port, one byte of length in units of four, and the bytes.
 */
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 32

enum kind { KIND_IKE, KIND_NATT, KIND_RAW, KIND_PLAIN, KIND_INNER, KIND_TIME, KIND_COUNT };

static void stranger(struct world *w, struct view bytes, uint16_t port)
{
    static uint8_t copy[2048];
    memcpy(copy, bytes.p, bytes.n);
    struct datagram in = {
        .path = {{w->gateway_addr, port}, {ip4_addr(0xc6120001), port}}, .data = copy, .len = (uint32_t)bytes.n};
    stack_inbound(w->gateway, w->now, &in, 1);
}

/* An inner packet of any bytes from the office: exercises split, routes and the way out. */
static void inner(struct world *w, struct view bytes)
{
    static uint8_t copy[2048];
    memcpy(copy, bytes.p, bytes.n);
    const struct frame frame = {.meta = {.kind = copy[0] & 3,
                                         .size = 100,
                                         .header = 40,
                                         .needs_checksum = true,
                                         .csum_start = 20,
                                         .csum_offset = 16},
                                .data = copy,
                                .len = (uint32_t)bytes.n};
    stack_outbound(w->gateway, w->now, &frame, 1);
}

static void act(struct world *w, uint8_t kind, struct view bytes)
{
    static const uint16_t ports[] = {IKE_PORT, IKE_NATT_PORT, 0, L2TP_PORT};
    if (kind <= KIND_PLAIN)
        stranger(w, bytes, ports[kind]);
    else if (kind == KIND_INNER && bytes.n > 0)
        inner(w, bytes);
    world_run(w, kind == KIND_TIME ? 5 * USEC_SEC : 0, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = world_new(1);
    struct stack_config gateway = world_settings(w, true);
    gateway.allow_plain = size > 0 && data[0] & 1;
    world_gateway(w, &gateway);
    struct reader r = rd_init(view_of(data, size));
    for (int i = 0; i < RECORDS_MAX && rd_left(&r) >= 2; i++) {
        const uint8_t kind = (uint8_t)(rd_u8(&r) % KIND_COUNT);
        const size_t n = (size_t)rd_u8(&r) * 4, left = rd_left(&r);
        act(w, kind, rd_view(&r, n < left ? n : left));
    }
    world_free(w);
    return 0;
}
