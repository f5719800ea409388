/* A shard's life, and the hand-over of frames that the kernel put on the wrong queue. */
#include "gateway/gateway_internal.h"

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#define RING_BYTES     (512u * 1024)
#define SPIN           ((usec_t)30) /* after work: a wake-up costs more than three packets */
#define STRAYS_A_TURN  64
#define STRAYS_WAITING 64   /* first messages of main mode on their way to one shard */
#define STRAY_MAX      2048 /* bytes of one; Windows' proposals take 400 */

/* ---- frames for others ---- */

static uint32_t destination(const struct frame *frame)
{
    struct ip_info ip;
    return ip_info(view_of(frame->data, frame->len), &ip) == ERR_OK ? ip4_value(&ip.dst) : 0;
}

static bool elsewhere(void *ctx, const struct frame *frame)
{
    struct shard *shard = ctx;
    struct gateway *gateway = shard->gateway;
    if (gateway->shard_count == 1)
        return false;
    const int owner = addresses_get(gateway->addresses, destination(frame));
    if (owner < 0 || owner == shard->number)
        return false;
    if (!ring_put(gateway->shards[owner].from[shard->number], view_of(&frame->meta, sizeof(frame->meta)),
                  view_of(frame->data, frame->len)))
        shard->ring_lost++;
    return true;
}

static void take_strays(struct shard *shard, usec_t now)
{
    for (uint8_t i = 0; i < shard->gateway->shard_count; i++) {
        struct ring *ring = shard->from[i];
        for (int n = 0; ring && n < STRAYS_A_TURN; n++) {
            const struct view record = ring_peek(ring);
            struct frame frame;
            if (record.n < sizeof(frame.meta))
                break;
            memcpy(&frame.meta, record.p, sizeof(frame.meta));
            frame.data = record.p + sizeof(frame.meta);
            frame.len = (uint32_t)(record.n - sizeof(frame.meta));
            pump_frame(shard->pump, now, &frame);
            ring_pop(ring);
        }
    }
}

/* ---- first messages of main mode for others ---- */

struct stray {
    struct letter letter;
    struct path path;
    uint32_t n;
    uint8_t bytes[STRAY_MAX];
};

static void run_stray(void *receiver, void *letter)
{
    struct shard *shard = receiver;
    struct stray *stray = letter;
    atomic_fetch_sub(&shard->strays, 1);
    const struct datagram datagram = {.path = stray->path, .data = stray->bytes, .len = stray->n};
    pump_datagram(shard->pump, clock_now(), &datagram);
    free(stray);
}

/* Whoever cannot send it on answers it: the peer is a new one then. */
static bool send_stray(void *ctx, const struct datagram *datagram)
{
    const struct shard *shard = ctx;
    struct gateway *gateway = shard->gateway;
    const int owner = whereabouts_get(gateway->whereabouts, &datagram->path.remote);
    if (owner < 0 || owner == shard->number || datagram->len > STRAY_MAX)
        return false;
    struct shard *to = &gateway->shards[owner];
    if (atomic_load(&to->strays) >= STRAYS_WAITING)
        return false;
    struct stray *stray = malloc(sizeof(*stray));
    if (!stray)
        return false;
    *stray = (struct stray){.letter = {.run = run_stray}, .path = datagram->path, .n = datagram->len};
    memcpy(stray->bytes, datagram->data, datagram->len);
    atomic_fetch_add(&to->strays, 1);
    mailbox_post(&to->mailbox, &stray->letter);
    return true;
}

static bool strays_left(const struct shard *shard)
{
    for (uint8_t i = 0; i < shard->gateway->shard_count; i++)
        if (shard->from[i] && ring_peek(shard->from[i]).n > 0)
            return true;
    return false;
}

/* Without it nothing goes to or from the clients; only a new process has the rights to make another. */
static void tun_gone(void *ctx)
{
    const struct shard *shard = ctx;
    atomic_store(&shard->gateway->tun_gone, true);
    loop_stop(shard->gateway->loop);
}

static usec_t turn(void *ctx, usec_t now)
{
    struct shard *shard = ctx;
    mailbox_read(&shard->mailbox, shard);
    take_strays(shard, now);
    const usec_t deadline = pump_turn(shard->pump, now);
    return strays_left(shard) ? now : deadline;
}

/* ---- life ---- */

static enum err make_rings(struct shard *shard)
{
    for (uint8_t i = 0; i < shard->gateway->shard_count; i++) {
        if (i == shard->number)
            continue;
        shard->from[i] = ring_new(RING_BYTES, shard->loop);
        if (!shard->from[i])
            return ERR_NOMEM;
    }
    return ERR_OK;
}

enum err shard_init(struct shard *shard, struct gateway *gateway, const struct stack_config *config)
{
    shard->gateway = gateway;
    entropy_init(&shard->entropy);
    shard->loop = loop_new();
    if (!shard->loop)
        return ERR_NOMEM;
    mailbox_init(&shard->mailbox, shard->loop);
    const struct random rng = entropy_random(&shard->entropy);
    shard->stack = stack_new(config, &rng);
    if (!shard->stack || make_rings(shard) != ERR_OK)
        return ERR_NOMEM;
    const struct pump_config pump = {
        .loop = shard->loop,
        .stack = shard->stack,
        .tun = shard->tun,
        .socks = shard->socks,
        .sock_count = shard->sock_count,
        .tell = relay_events,
        .elsewhere = elsewhere,
        .stray = gateway->shard_count > 1 ? send_stray : NULL,
        .gone = tun_gone,
        .ctx = shard,
    };
    shard->pump = pump_new(&pump);
    if (!shard->pump)
        return ERR_NOMEM;
    loop_on_turn(shard->loop, turn, shard);
    loop_set_spin(shard->loop, SPIN);
    return ERR_OK;
}

void shard_done(struct shard *shard)
{
    pump_free(shard->pump);
    stack_free(shard->stack);
    for (size_t i = 0; i < SHARDS_MAX; i++)
        ring_free(shard->from[i]);
    for (size_t i = 0; i < shard->sock_count; i++)
        sock_free(shard->socks[i].sock);
    tun_free(shard->tun);
    if (shard->loop)
        mailbox_done(&shard->mailbox);
    loop_free(shard->loop);
    entropy_done(&shard->entropy);
}

static void *run(void *ctx)
{
    struct shard *shard = ctx;
    loop_run(shard->loop);
    return NULL;
}

enum err shard_start(struct shard *shard)
{
    if (pthread_create(&shard->thread, NULL, run, shard) != 0)
        return ERR_SYSTEM;
    shard->running = true;
    return ERR_OK;
}

void shard_stop(struct shard *shard)
{
    if (!shard->running)
        return;
    loop_stop(shard->loop);
    pthread_join(shard->thread, NULL);
    shard->running = false;
}

struct call {
    struct letter letter;
    void (*fn)(struct shard *shard, void *ctx);
    void *ctx;
    sem_t done;
};

static void run_call(void *receiver, void *letter)
{
    struct call *call = letter; /* the caller's, who waits */
    call->fn(receiver, call->ctx);
    sem_post(&call->done);
}

void shard_call(struct shard *shard, void (*fn)(struct shard *shard, void *ctx), void *ctx)
{
    if (!shard->running) {
        fn(shard, ctx);
        return;
    }
    struct call call = {.letter = {.run = run_call}, .fn = fn, .ctx = ctx};
    sem_init(&call.done, 0, 0);
    mailbox_post(&shard->mailbox, &call.letter);
    while (sem_wait(&call.done) != 0)
        ; /* interrupted by a signal: it is still under way */
    sem_destroy(&call.done);
}
