#include "pump/pump.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS     4   /* batches taken from one descriptor before the others get their turn */
#define SEND_BATCH 128 /* trains or single datagrams handed to the kernel in one go */

struct watch {
    struct pump *pump;
    struct pump_sock sock;
};

struct pump {
    struct pump_config config;
    struct intake *intake;
    struct watch watches[PUMP_SOCKS_MAX];
    size_t watch_count;
    struct sendable batch[SEND_BATCH];
    struct path paths[SEND_BATCH];
    struct pump_counters counters;
};

/* ---- out ---- */

static enum sock_kind kind_for(const struct path *path)
{
    switch (path->local.port) {
    case 0:
        return SOCK_RAW_ESP;
    case L2TP_PORT:
        return SOCK_UDP_PLAIN;
    default:
        return path_is_natt(path) ? SOCK_UDP_NATT : SOCK_UDP_IKE;
    }
}

static bool any_address(const struct ip_addr *a)
{
    const struct ip_addr any = {.family = a->family};
    return ip_equal(a, &any);
}

static struct sock *sock_for(const struct pump *pump, const struct path *path)
{
    const enum sock_kind kind = kind_for(path);
    for (size_t i = 0; i < pump->watch_count; i++) {
        const struct pump_sock *s = &pump->watches[i].sock;
        const struct endpoint bound = sock_local(s->sock);
        if (s->kind == kind && bound.addr.family == path->remote.addr.family &&
            (any_address(&bound.addr) || ip_equal(&bound.addr, &path->local.addr)))
            return s->sock;
    }
    return NULL;
}

static void send_batch(struct pump *pump, struct sock *sock, size_t n)
{
    for (size_t i = sock ? sock_send(sock, pump->batch, n) : 0; i < n; i++)
        pump->counters.unsent += sendable_datagrams(&pump->batch[i]);
}

/* Neighbours for one socket go to the kernel together. */
static void send_all(struct pump *pump, usec_t now)
{
    struct transmission t;
    struct sock *sock = NULL;
    size_t n = 0;
    while (stack_transmit(pump->config.stack, now, &t)) {
        struct sock *wanted = sock_for(pump, &t.path);
        if (n > 0 && (wanted != sock || n == SEND_BATCH)) {
            send_batch(pump, sock, n);
            n = 0;
        }
        sock = wanted;
        pump->paths[n] = t.path;
        pump->batch[n] = (struct sendable){&pump->paths[n], t.data, t.len, t.segment, t.whole};
        n++;
    }
    if (n > 0)
        send_batch(pump, sock, n);
}

static void deliver_all(struct pump *pump)
{
    const struct frame_pieces *frame;
    while ((frame = stack_deliver(pump->config.stack)) != NULL)
        if (!pump->config.tun && pump->config.deliver)
            pump->config.deliver(pump->config.ctx, frame);
        else if (!pump->config.tun || tun_write(pump->config.tun, frame) != ERR_OK)
            pump->counters.tun_lost++;
}

/* Events before deliveries: the answer to the first packet of a session may come to another shard at once, and that one
 * must know by then whose it is. */
void pump_flush(struct pump *pump, usec_t now)
{
    send_all(pump, now);
    pump->config.tell(pump->config.ctx, now);
    deliver_all(pump);
    send_all(pump, now); /* answers to events may have made more */
}

/* ---- in ---- */

#define MARKER     4 /* the non-ESP marker, RFC 3948 2.2 */
#define COOKIE     8 /* RFC 2408 3.1 */
#define IKE_HEADER 28

/* IKE without a responder's cookie. In a train of datagrams there is none: a message waits for its answer. */
static bool is_first_message(const struct datagram *in)
{
    static const uint8_t zero[COOKIE];
    const size_t at = path_is_natt(&in->path) ? MARKER : 0;
    return in->path.local.port != 0 && in->segment == 0 && in->len >= at + IKE_HEADER &&
           memcmp(in->data, zero, at) == 0 && memcmp(in->data + at + COOKIE, zero, COOKIE) == 0;
}

/* Leaves those for this shard, in their order. */
static size_t keep_ours(struct pump *pump, struct datagram *in, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_first_message(&in[i]) || !pump->config.stray(pump->config.ctx, &in[i]))
            in[kept++] = in[i];
    return kept;
}

static void sock_ready(void *ctx, uint32_t what)
{
    const struct watch *watch = ctx;
    struct pump *pump = watch->pump;
    struct datagram in[INTAKE_BATCH];
    const usec_t now = loop_now(pump->config.loop);
    (void)what;
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = sock_receive(watch->sock.sock, pump->intake, in);
        if (n == 0)
            return;
        if (pump->config.stray)
            n = keep_ours(pump, in, n);
        stack_inbound(pump->config.stack, now, in, n);
        pump_flush(pump, now);
    }
}

static void tun_ready(void *ctx, uint32_t what)
{
    struct pump *pump = ctx;
    struct frame in[TUN_BATCH];
    const usec_t now = loop_now(pump->config.loop);
    (void)what;
    for (int round = 0; round < ROUNDS; round++) {
        const size_t got = tun_read(pump->config.tun, in, TUN_BATCH);
        size_t n = 0;
        for (size_t i = 0; i < got; i++)
            if (!pump->config.elsewhere || !pump->config.elsewhere(pump->config.ctx, &in[i]))
                in[n++] = in[i];
        if (got == 0)
            break;
        stack_outbound(pump->config.stack, now, in, n);
        pump_flush(pump, now);
    }
    if (tun_is_gone(pump->config.tun)) { /* its descriptor would be ready for ever */
        loop_remove(pump->config.loop, tun_fd(pump->config.tun));
        pump->config.gone(pump->config.ctx);
    }
}

void pump_frame(struct pump *pump, usec_t now, const struct frame *frame)
{
    stack_outbound(pump->config.stack, now, frame, 1);
    pump_flush(pump, now);
}

void pump_datagram(struct pump *pump, usec_t now, const struct datagram *datagram)
{
    stack_inbound(pump->config.stack, now, datagram, 1);
    pump_flush(pump, now);
}

usec_t pump_turn(struct pump *pump, usec_t now)
{
    if (stack_deadline(pump->config.stack) <= now) {
        stack_timeout(pump->config.stack, now);
        pump_flush(pump, now);
    }
    return stack_deadline(pump->config.stack);
}

/* ---- life ---- */

static enum err watch_all(struct pump *pump)
{
    const struct pump_config *config = &pump->config;
    for (size_t i = 0; i < config->sock_count; i++) {
        struct watch *watch = &pump->watches[i];
        *watch = (struct watch){pump, config->socks[i]};
        const enum err e = loop_add(config->loop, sock_fd(watch->sock.sock), LOOP_READ, sock_ready, watch);
        if (e != ERR_OK)
            return e;
        pump->watch_count++;
    }
    return config->tun ? loop_add(config->loop, tun_fd(config->tun), LOOP_READ, tun_ready, pump) : ERR_OK;
}

struct pump *pump_new(const struct pump_config *config)
{
    struct pump *pump = config->sock_count <= PUMP_SOCKS_MAX ? calloc(1, sizeof(*pump)) : NULL;
    if (!pump)
        return NULL;
    pump->config = *config;
    pump->intake = config->cold ? intake_new_cold() : intake_new();
    if (!pump->intake || watch_all(pump) != ERR_OK) {
        pump_free(pump);
        return NULL;
    }
    return pump;
}

void pump_free(struct pump *pump)
{
    if (!pump)
        return;
    for (size_t i = 0; i < pump->watch_count; i++)
        loop_remove(pump->config.loop, sock_fd(pump->watches[i].sock.sock));
    if (pump->config.tun)
        loop_remove(pump->config.loop, tun_fd(pump->config.tun));
    intake_free(pump->intake);
    free(pump);
}

struct pump_counters pump_counters(const struct pump *pump)
{
    return pump->counters;
}
