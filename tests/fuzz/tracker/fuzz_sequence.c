/* Any sequence of packets, waits, counts and restores of a few hosts and servers: every handle ends exactly once,
 * limits hold, the kernel is told nothing twice and no inbound SPI of a host that does not send, and what is bound to
 * one host no packet from outside or of another host unbinds but by being looked at again. */
#include "tracker/tracker.h"

#include <stdlib.h>
#include <string.h>

#define HANDLES    4096
#define KERNEL     1024
#define LENGTH     4 /* bytes of one step */
#define HOST_FIRST 0xc0a80101u

static uint8_t state[HANDLES]; /* 0: not given, 1: in the tracker, 2: out */
static uint32_t sent[8];       /* ESP by each host */
static bool restored[8];       /* something has been restored of it */

static struct {
    bool used;
    enum tracker_way way;
    uint32_t host, server, spi;
} kernel[KERNEL];

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void drain_moves(struct tracker *t)
{
    struct tracker_move m;
    while (tracker_output(t, &m)) {
        check(m.handle < HANDLES && state[m.handle] == 1);
        if (m.act == TRACKER_COPY || m.act == TRACKER_DONE)
            check(m.way == TRACKER_IN);
        if (m.act != TRACKER_COPY)
            state[m.handle] = 2;
        if (m.act == TRACKER_PASS || m.act == TRACKER_COPY)
            check(m.host != 0);
        check((m.act == TRACKER_DROP) == (m.reason != TRACKER_REASON_NONE));
    }
}

static void drain_events(struct tracker *t)
{
    struct tracker_event e;
    while (tracker_event(t, &e)) {
        if (e.type != TRACKER_BOUND && e.type != TRACKER_UNBOUND)
            continue;
        size_t found = KERNEL, spare = KERNEL;
        for (size_t i = 0; i < KERNEL; i++) {
            if (!kernel[i].used)
                spare = i;
            else if (kernel[i].way == e.way && kernel[i].server == e.server && kernel[i].spi == e.spi &&
                     (e.way == TRACKER_IN || kernel[i].host == e.host))
                found = i;
        }
        check(e.host != 0 && e.spi != 0);
        if (e.type == TRACKER_BOUND) {
            check(found == KERNEL && spare < KERNEL);
            /* that a host is meant it alone can show, and not by one packet */
            const uint32_t host = e.host - HOST_FIRST;
            check(e.way == TRACKER_OUT || (host < 8 && (restored[host] || sent[host] >= 3)));
            kernel[spare].used = true;
            kernel[spare].way = e.way;
            kernel[spare].host = e.host;
            kernel[spare].server = e.server;
            kernel[spare].spi = e.spi;
        } else {
            check(found < KERNEL && kernel[found].host == e.host);
            kernel[found].used = false;
        }
    }
}

static void check_limits(const struct tracker *t, const struct tracker_config *c)
{
    struct tracker_host_info h;
    struct tracker_server_info s;
    struct tracker_binding_info b;
    const void *at = NULL;
    uint32_t hosts = 0, held = 0;
    for (; tracker_host_next(t, &at, &h); hosts++) {
        check(h.servers <= c->servers_per_host && h.pairs <= c->spis_per_host && h.ikes <= c->ikes_per_host);
        check(h.held <= c->held_per_host && h.servers > 0);
        held += h.held;
    }
    check(hosts <= c->hosts && held <= c->held);
    for (at = NULL; tracker_server_next(t, &at, &s);)
        check(s.hosts > 0 && s.unknown <= 2 * hosts + 16 + c->hosts * 2);
    for (at = NULL; tracker_binding_next(t, &at, &b);)
        check(b.server != 0 && (b.state != TRACKER_STATE_BOUND || b.host != 0));
}

/* way and kind, host and server, SPI or cookie, and a byte of the rest. */
static struct tracker_packet packet(const uint8_t *p)
{
    struct tracker_packet out = {.way = p[0] & 1 ? TRACKER_IN : TRACKER_OUT, .server = 0xc6336400u + (p[1] >> 6)};
    if (out.way == TRACKER_OUT)
        out.host = HOST_FIRST + (p[1] & 7);
    out.ike = p[0] & 2;
    if (out.ike) {
        out.initiator = 1 + (p[2] & 31);
        out.responder = p[2] >> 6;
        out.exchange = p[3] & 1 ? 32 : p[3] & 2 ? 5 : 2;
        out.message_id = p[3] >> 2;
    } else {
        out.spi = 256u + p[2];
        out.sequence = p[3] & 128 ? 100000u + p[3] : p[3];
    }
    return out;
}

static void step(struct tracker *t, usec_t *now, uint32_t *handle, const uint8_t *p)
{
    const struct tracker_packet q = packet(p);
    if (p[0] >= 0xf0) {
        tracker_used(t, *now, q.way, q.host, q.server, q.spi, p[3]);
    } else if (p[0] >= 0xe8) {
        const struct tracker_binding_info known = {.way = q.way,
                                                   .ike = q.ike,
                                                   .host = HOST_FIRST + (p[1] & 7),
                                                   .server = q.server,
                                                   .spi = q.ike ? 0 : 256u + p[2],
                                                   .initiator = q.initiator,
                                                   .responder = q.responder,
                                                   .state = TRACKER_STATE_BOUND,
                                                   .used = *now - (p[3] & 127) * 5 * USEC_SEC};
        restored[p[1] & 7] |= tracker_restore(t, *now, &known);
    } else if (p[0] >= 0xc0) {
        *now += (usec_t)p[2] * p[2] * (p[3] & 1 ? 20000 : 40);
        while (tracker_deadline(t) <= *now) {
            tracker_timeout(t, *now);
            drain_moves(t);
            drain_events(t);
        }
    } else if (*handle < HANDLES) {
        struct tracker_packet in = q;
        in.handle = (*handle)++;
        state[in.handle] = 1;
        sent[p[1] & 7] += in.way == TRACKER_OUT && !in.ike;
        tracker_input(t, *now, &in);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct tracker_config config = {.hosts = 6,
                                          .servers_per_host = 3,
                                          .spis_per_host = 6,
                                          .ikes_per_host = 4,
                                          .held_per_host = 3,
                                          .held = 8,
                                          .hold = USEC_SEC,
                                          .esp_idle = 300 * USEC_SEC,
                                          .ike_idle = 3600 * USEC_SEC};
    struct tracker *t = tracker_new(&config);
    usec_t now = 1000 * USEC_SEC;
    uint32_t handle = 0;
    if (!t)
        return 0;
    memset(state, 0, sizeof(state));
    memset(sent, 0, sizeof(sent));
    memset(restored, 0, sizeof(restored));
    memset(kernel, 0, sizeof(kernel));
    for (; size >= LENGTH; data += LENGTH, size -= LENGTH) {
        step(t, &now, &handle, data);
        drain_moves(t);
        drain_events(t);
        check_limits(t, &config);
    }
    /* all that is held comes out within the longest hold, and all bindings age */
    for (int i = 0; i < 100 && tracker_deadline(t) != USEC_NEVER; i++) {
        now += i == 0 ? config.hold + 100 * USEC_MSEC : config.ike_idle;
        while (tracker_deadline(t) <= now) {
            tracker_timeout(t, now);
            drain_moves(t);
            drain_events(t);
        }
        for (uint32_t h = 0; i == 0 && h < handle; h++)
            check(state[h] == 2);
    }
    for (size_t i = 0; i < KERNEL; i++)
        check(!kernel[i].used);
    const void *at = NULL;
    struct tracker_host_info h;
    check(!tracker_host_next(t, &at, &h));
    tracker_free(t);
    return 0;
}
