/* The object's life, its turn, and its verbs. */
#include "sekisho/sekisho_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOKUP_TIME  (8 * USEC_SEC)    /* for a name of which no address is known yet */
#define LOOKUP_HASTE (2 * USEC_SEC)    /* while the tunnel is down, its name servers do not answer */
#define SETTLE       (300 * USEC_MSEC) /* a change of the network comes in many small ones */
#define GLANCE       (5 * USEC_SEC)    /* how often the clocks are looked at */
#define STANDSTILL   (3 * USEC_SEC)    /* that the clocks, or a turn that came late, must show to count as sleep */
#define FAR_FUTURE   3600000           /* ms */

/* ---- names ---- */

static void lookup_stop(struct sekisho *s)
{
    if (!s->lookup)
        return;
    loop_remove(s->loop, lookup_fd(s->lookup));
    lookup_end(s->lookup);
    s->lookup = NULL;
}

/* What was found last is used where nothing is found now: while a tunnel is down, names may not be asked for. */
static void resolved(struct sekisho *s, usec_t now)
{
    struct ip_addr found[ADDRESSES_MAX];
    const uint32_t n = s->lookup ? lookup_result(s->lookup, found) : 0;
    lookup_stop(s);
    if (n > 0) {
        memcpy(s->addresses, found, sizeof(found));
        s->address_count = n;
    }
    keeper_resolved(&s->keeper, now, s->address_count);
}

static void lookup_ready(void *ctx, uint32_t what)
{
    struct sekisho *s = ctx;
    (void)what;
    resolved(s, loop_now(s->loop));
}

static void resolve(struct sekisho *s, usec_t now)
{
    const char *name = s->settings.text.server;
    if (ip_parse(name, &s->addresses[0]) == ERR_OK) {
        s->address_count = 1;
        keeper_resolved(&s->keeper, now, 1);
        return;
    }
    s->lookup = lookup_begin(name);
    s->lookup_end = now + (s->address_count > 0 ? LOOKUP_HASTE : LOOKUP_TIME);
    if (s->lookup && loop_add(s->loop, lookup_fd(s->lookup), LOOP_READ, lookup_ready, s) != ERR_OK) {
        lookup_end(s->lookup);
        s->lookup = NULL;
    }
    if (!s->lookup)
        resolved(s, now);
}

/* ---- the host ---- */

static void monitor_ready(void *ctx, uint32_t what)
{
    struct sekisho *s = ctx;
    (void)what;
    if (monitor_read(s->monitor, 0) != 0 && s->look_at == USEC_NEVER)
        s->look_at = loop_now(s->loop) + SETTLE;
}

static enum keeper_way way_now(struct sekisho *s)
{
    struct ip_addr source;
    struct session_info info;
    const struct attempt *a = &s->attempt;
    const struct ip_addr *to = a->stack ? &a->remote : &s->addresses[0];
    if (s->address_count == 0)
        return KEEPER_WAY_OTHER; /* nothing is known yet that could be the same */
    if (sockets_source(&s->sockets, &s->settings, to, &source) != ERR_OK)
        return KEEPER_WAY_NONE;
    if (!a->stack || ip_equal(&source, &a->local))
        return KEEPER_WAY_SAME;
    return a->up && attempt_info(s, &info) && info.encap ? KEEPER_WAY_MOVABLE : KEEPER_WAY_OTHER;
}

static void move(struct sekisho *s, usec_t now)
{
    struct attempt *a = &s->attempt;
    struct ip_addr source;
    if (sockets_source(&s->sockets, &s->settings, &a->remote, &source) != ERR_OK ||
        stack_move(a->stack, now, a->peer, &source) != ERR_OK) {
        attempt_over(s, CAUSE_NETWORK_CHANGED, "");
        return;
    }
    a->local = source;
    pump_flush(a->pump, now);
}

static void probe(struct sekisho *s, usec_t now)
{
    stack_probe(s->attempt.stack, now, s->attempt.peer);
    pump_flush(s->attempt.pump, now);
}

static usec_t slept_so_far(void)
{
    const usec_t awake = clock_now(); /* first: the difference must not fall below 0 */
    return clock_boot() - awake;
}

/* The clock that the turns are reckoned by stands still while the host sleeps; or the whole process stood still. */
static void look_for_sleep(struct sekisho *s, usec_t now)
{
    const usec_t asleep = slept_so_far();
    const bool slept = asleep > s->asleep + STANDSTILL || (s->due != USEC_NEVER && now > s->due + STANDSTILL);
    s->asleep = asleep;
    if (slept)
        keeper_slept(&s->keeper, now);
}

/* ---- the turn ---- */

static void tell_end(struct sekisho *s, usec_t now, const struct keeper_order *order)
{
    s->cause = order->cause;
    struct sekisho_event *event = event_put(s, order->type == KEEPER_ORDER_LOST ? SEKISHO_LOST : SEKISHO_FAILED, now);
    if (event)
        event->retry_ms = (uint32_t)(order->retry / USEC_MSEC);
    if (order->type != KEEPER_ORDER_FAILED)
        return;
    recall_drop(&s->recall);
    event_put(s, SEKISHO_ENDED, now);
}

static void carry_out(struct sekisho *s, usec_t now, const struct keeper_order *order)
{
    switch (order->type) {
    case KEEPER_ORDER_RESOLVE:
        resolve(s, now);
        break;
    case KEEPER_ORDER_TRY:
        attempt_end(s, now);
        attempt_begin(s, now, &s->addresses[order->address]);
        break;
    case KEEPER_ORDER_DROP:
        attempt_end(s, now);
        break;
    case KEEPER_ORDER_MOVE:
        move(s, now);
        break;
    case KEEPER_ORDER_PROBE:
        probe(s, now);
        break;
    case KEEPER_ORDER_LOST:
    case KEEPER_ORDER_FAILED:
        attempt_end(s, now);
        tell_end(s, now, order);
        s->detail[0] = '\0';
        break;
    }
}

/* An attempt that is over may begin another, which may be over at once. */
static void keep(struct sekisho *s, usec_t now)
{
    struct keeper_order order;
    for (bool more = true; more;) {
        more = false;
        if (s->attempt.over) {
            memcpy(s->detail, s->attempt.detail, sizeof(s->detail));
            const enum cause cause = s->attempt.cause;
            attempt_end(s, now);
            keeper_failed(&s->keeper, now, cause);
        }
        while (keeper_order(&s->keeper, &order)) {
            carry_out(s, now, &order);
            more = true;
        }
    }
}

usec_t sekisho_turn(struct sekisho *s, usec_t now)
{
    look_for_sleep(s, now);
    if (s->attempt.pump)
        pump_turn(s->attempt.pump, now);
    if (s->lookup && now >= s->lookup_end)
        resolved(s, now);
    if (now >= s->look_at) {
        s->look_at = USEC_NEVER;
        keeper_network(&s->keeper, now, way_now(s));
    }
    keeper_timeout(&s->keeper, now);
    keep(s, now);
    usec_t due = usec_min(keeper_deadline(&s->keeper), s->look_at);
    if (s->lookup)
        due = usec_min(due, s->lookup_end);
    if (s->attempt.stack)
        due = usec_min(due, stack_deadline(s->attempt.stack));
    if (s->keeper.state != KEEPER_IDLE)
        due = usec_min(due, now + GLANCE);
    s->due = due;
    return due;
}

static usec_t turn(void *ctx, usec_t now)
{
    return sekisho_turn(ctx, now);
}

/* ---- life ---- */

static bool open_all(struct sekisho *s, char *why, size_t cap)
{
    const struct sekisho_options *o = &s->settings.text;
    s->loop = loop_new();
    if (!s->loop) {
        snprintf(why, cap, "No more files can be opened.");
        return false;
    }
    loop_on_turn(s->loop, turn, s);
    if (!sockets_open(&s->sockets, &s->settings, why, cap))
        return false;
    const enum err e = o->tun >= 0 ? tun_adopt(o->tun, &s->tun) : ERR_OK;
    if (e != ERR_OK) {
        snprintf(why, cap, "The TUN device cannot be used: %s.", e == ERR_SYSTEM ? strerror(errno) : err_text(e));
        return false;
    }
    if (!o->quiet_network &&
        (monitor_open(&s->monitor) != ERR_OK || loop_add(s->loop, s->monitor, LOOP_READ, monitor_ready, s) != ERR_OK)) {
        snprintf(why, cap, "The host's network cannot be watched: %s.", strerror(errno));
        return false;
    }
    return true;
}

struct sekisho *sekisho_new(const struct sekisho_options *options, char *why, size_t cap)
{
    static const enum keeper_stay stays[] = {KEEPER_NEVER, KEEPER_ONCE_UP, KEEPER_ALWAYS};
    struct sekisho *s = calloc(1, sizeof(*s));
    if (!s) {
        snprintf(why, cap, "There is no memory left.");
        return NULL;
    }
    s->monitor = s->sockets.source[0] = s->sockets.source[1] = -1;
    s->events_tail = &s->events;
    s->packets_tail = &s->packets;
    s->look_at = s->due = USEC_NEVER;
    s->asleep = slept_so_far();
    entropy_init(&s->entropy);
    if (!settings_take(&s->settings, options, why, cap) || !open_all(s, why, cap)) {
        sekisho_free(s);
        return NULL;
    }
    const struct random rng = entropy_random(&s->entropy);
    snprintf(s->settings.station, sizeof(s->settings.station), L2TP_STATION_PREFIX "%016llx",
             (unsigned long long)random_u64(&rng));
    keeper_init(&s->keeper, stays[options->stay <= SEKISHO_STAY_ALWAYS ? options->stay : SEKISHO_STAY_NEVER], &rng);
    return s;
}

static void free_attempt(struct attempt *a)
{
    for (size_t i = 0; i < JUDGEMENTS_MAX; i++)
        judgement_end(a->judgements[i]);
    pump_free(a->pump);
    stack_free(a->stack);
}

void sekisho_free(struct sekisho *s)
{
    if (!s)
        return;
    free_attempt(&s->attempt);
    lookup_stop(s);
    if (s->monitor >= 0) {
        loop_remove(s->loop, s->monitor);
        close(s->monitor);
    }
    tun_free(s->tun);
    sockets_close(&s->sockets);
    loop_free(s->loop);
    events_free(s);
    packets_free(s);
    settings_wipe(&s->settings);
    recall_drop(&s->recall);
    entropy_done(&s->entropy);
    free(s);
}

/* ---- the caller's loop ---- */

int sekisho_fd(const struct sekisho *s)
{
    return loop_fd(s->loop);
}

int sekisho_timeout_ms(const struct sekisho *s)
{
    if (s->events || s->packets)
        return 0;
    if (s->due == USEC_NEVER)
        return -1;
    const usec_t now = clock_now();
    if (s->due <= now)
        return 0;
    const usec_t ms = (s->due - now + USEC_MSEC - 1) / USEC_MSEC;
    return ms > FAR_FUTURE ? FAR_FUTURE : (int)ms;
}

int sekisho_run(struct sekisho *s)
{
    return loop_once(s->loop, 0);
}

/* ---- verbs ---- */

int sekisho_connect(struct sekisho *s)
{
    const usec_t now = clock_now();
    if (s->keeper.state == KEEPER_IDLE) {
        s->began = now;
        s->done = (struct stack_counters){0};
        s->cause = CAUSE_NONE;
        s->detail[0] = '\0';
    }
    const enum err e = keeper_start(&s->keeper, now);
    if (e == ERR_OK)
        sekisho_turn(s, now);
    return e;
}

void sekisho_disconnect(struct sekisho *s)
{
    const usec_t now = clock_now();
    if (s->keeper.state == KEEPER_IDLE)
        return;
    keeper_stop(&s->keeper);
    keep(s, now);
    recall_drop(&s->recall);
    lookup_stop(s);
    s->due = USEC_NEVER;
    event_put(s, SEKISHO_ENDED, now);
}

int sekisho_answer(struct sekisho *s, const char *text)
{
    return attempt_answer(s, clock_now(), text);
}

void sekisho_network_changed(struct sekisho *s)
{
    s->look_at = clock_now();
    s->due = s->look_at;
}
