/* A tunnel as an object: how it begins and ends, its timers, what it tells and sends. The rules of its messages are in
 * tunnel_fsm.c. */
#include "l2tp/l2tp_internal.h"

#include <stdlib.h>

/* ---- birth and death ---- */

/* The carrier's lists are searched on the packet path, so that a peer which opens and closes in a hurry must not make
 * them long: of its tunnels that linger only the youngest stay. They come youngest first. */
static void evict_lingering_of(struct l2tp *l, uint32_t carrier)
{
    uint32_t n = 0;
    struct tunnel *next;
    for (struct tunnel *t = l2tp_table_carrier(l, carrier); t; t = next) {
        next = t->carrier_next;
        if (t->carrier == carrier && t->state == TUNNEL_CLOSED && ++n > L2TP_LINGER_PER_CARRIER)
            l2tp_tunnel_free(t);
    }
}

/* Tunnels that linger are few or make room: the oldest go first. */
static void evict_lingering(struct l2tp *l)
{
    const uint32_t most = l->config.max_tunnels < l->n_ids / 4 ? l->config.max_tunnels : l->n_ids / 4;
    while (l->linger_first && l->n_lingering >= most)
        l2tp_tunnel_free(l->linger_first);
}

static bool at_limit(const struct l2tp *l, uint32_t carrier)
{
    return l->n_tunnels >= l->config.max_tunnels || l->n_tunnels >= l->n_ids / 2 ||
           l2tp_table_carrier_count(l, carrier) >= l->config.max_tunnels_per_carrier;
}

static uint16_t slot_mask(const struct l2tp_config *config)
{
    uint32_t slots = 1;
    while (slots < config->max_sessions_per_tunnel && slots < L2TP_SESSIONS_MAX)
        slots *= 2;
    return (uint16_t)(slots - 1);
}

/* Its timer's place in the heap is taken now and kept for life, so that setting it cannot fail later. */
static enum err prepare(struct tunnel *t)
{
    t->down = l2tp_event_node_new();
    if (!t->down)
        return ERR_NOMEM;
    const enum err e = timer_set(&t->l2tp->timers, &t->timer, t->patience_at);
    return e == ERR_OK ? l2tp_table_add(t->l2tp, t) : e;
}

enum err l2tp_tunnel_new(struct l2tp *l, uint32_t carrier, bool opener, struct tunnel **out)
{
    if (at_limit(l, carrier))
        return ERR_LIMIT;
    evict_lingering_of(l, carrier);
    evict_lingering(l);
    struct tunnel *t = calloc(1, sizeof(*t));
    if (!t)
        return ERR_NOMEM;
    t->l2tp = l;
    t->carrier = carrier;
    t->opener = opener;
    t->state = opener ? TUNNEL_WAIT_REPLY : TUNNEL_WAIT_CONNECT;
    t->slots = t->inline_slots;
    t->n_slots = SLOTS_INLINE;
    t->slot_mask = slot_mask(&l->config);
    t->alive_at = l->now;
    t->patience_at = l->now + L2TP_SETUP_PATIENCE;
    t->timer.at = USEC_NEVER;
    t->age = ++l->age;
    l2tp_channel_init(&t->channel);
    const enum err e = prepare(t);
    if (e != ERR_OK) {
        timer_clear(&l->timers, &t->timer);
        l2tp_event_node_free(t->down);
        free(t);
        return e;
    }
    l->n_tunnels++;
    *out = t;
    return ERR_OK;
}

static void linger_add(struct tunnel *t)
{
    struct l2tp *l = t->l2tp;
    t->linger_prev = l->linger_last;
    if (l->linger_last)
        l->linger_last->linger_next = t;
    else
        l->linger_first = t;
    l->linger_last = t;
    l->n_lingering++;
}

static void linger_remove(struct tunnel *t)
{
    struct l2tp *l = t->l2tp;
    if (t->linger_prev)
        t->linger_prev->linger_next = t->linger_next;
    else
        l->linger_first = t->linger_next;
    if (t->linger_next)
        t->linger_next->linger_prev = t->linger_prev;
    else
        l->linger_last = t->linger_prev;
    l->n_lingering--;
}

static void ready_remove(struct tunnel *t)
{
    struct l2tp *l = t->l2tp;
    if (!t->ready)
        return;
    struct tunnel **at = &l->ready_first;
    struct tunnel *before = NULL;
    while (*at != t) {
        before = *at;
        at = &before->ready_next;
    }
    *at = t->ready_next;
    if (l->ready_last == t)
        l->ready_last = before;
    t->ready = false;
}

void l2tp_tunnel_free(struct tunnel *t)
{
    if (!t)
        return;
    struct l2tp *l = t->l2tp;
    if (t->state == TUNNEL_CLOSED)
        linger_remove(t);
    else
        l->n_tunnels--;
    ready_remove(t);
    timer_clear(&l->timers, &t->timer);
    l2tp_table_remove(l, t);
    for (uint16_t i = 0; i < t->n_slots; i++) {
        struct session *s = t->slots[i];
        if (!s)
            continue;
        l2tp_table_session_remove(t, s);
        l2tp_table_number_free(l, s->number); /* no event will */
        l2tp_event_node_free(s->down);
        free(s);
    }
    if (t->slots != t->inline_slots)
        free(t->slots);
    l2tp_channel_done(&t->channel);
    l2tp_event_node_free(t->down);
    free(t->peer);
    bytes_wipe(t->challenge, sizeof(t->challenge));
    free(t);
}

/* ---- telling ---- */

static void describe(struct event_node *node, const struct tunnel *t, const struct session *s,
                     enum l2tp_event_type type)
{
    node->brief = (struct l2tp_event_brief){
        .type = (uint8_t)type,
        .carrier = t->carrier,
        .tunnel_id = t->id,
        .peer_tunnel_id = t->peer_id,
    };
    if (!s)
        return;
    node->brief.session = s->number;
    node->brief.session_id = s->id;
    node->brief.peer_session_id = s->peer_id;
}

struct event_node *l2tp_tunnel_event(struct tunnel *t, const struct session *s, enum l2tp_event_type type)
{
    struct event_node *node = l2tp_event_node_new();
    if (!node) {
        t->broken = true;
        return NULL;
    }
    describe(node, t, s, type);
    l2tp_event_queue_push(&t->l2tp->events, node);
    return node;
}

void l2tp_tunnel_stage(struct tunnel *t, const struct session *s, enum stage stage)
{
    struct event_node *node = l2tp_tunnel_event(t, s, L2TP_EVENT_STAGE);
    if (node)
        node->brief.stage = (uint8_t)stage;
}

static void session_ended(struct tunnel *t, enum cause cause)
{
    if (t->state == TUNNEL_CLOSED || t->n_sessions > 0)
        return;
    if (t->opener)
        l2tp_tunnel_close(t, STOP_CLEAR, ERROR_NONE, cause, "its session has ended");
    else if (t->state == TUNNEL_ESTABLISHED)
        t->patience_at = t->l2tp->now + L2TP_EMPTY_PATIENCE;
}

static void tell_end(struct tunnel *t, const struct session *s, struct event_node *node, const struct ending *why)
{
    describe(node, t, s, s ? L2TP_EVENT_SESSION_DOWN : L2TP_EVENT_TUNNEL_DOWN);
    node->brief.cause = (uint8_t)why->cause;
    node->brief.result = why->result;
    node->brief.error = why->error;
    l2tp_event_detail(node, why->detail, why->text);
    l2tp_event_queue_push(&t->l2tp->events, node);
}

void l2tp_session_end(struct session *s, const struct ending *why)
{
    struct tunnel *t = s->tunnel;
    l2tp_table_session_remove(t, s);
    tell_end(t, s, s->down, why);
    free(s);
    session_ended(t, why->cause);
}

/* ---- ends ---- */

void l2tp_tunnel_end(struct tunnel *t, const struct ending *why)
{
    if (t->state == TUNNEL_CLOSED)
        return;
    t->state = TUNNEL_CLOSED;
    t->patience_at = t->l2tp->now + L2TP_LINGER;
    t->l2tp->n_tunnels--;
    linger_add(t);
    for (uint16_t i = 0; i < t->n_slots; i++)
        if (t->slots[i])
            l2tp_session_end(t->slots[i], why);
    tell_end(t, NULL, t->down, why);
    t->down = NULL;
    bytes_wipe(t->challenge, sizeof(t->challenge));
    l2tp_tunnel_wake(t);
}

void l2tp_tunnel_close(struct tunnel *t, uint16_t result, uint16_t error, enum cause cause, const char *detail)
{
    if (t->state == TUNNEL_CLOSED)
        return;
    struct build b;
    l2tp_tunnel_begin(t, &b, MSG_STOPCCN, 0);
    l2tp_build_u16(&b, AVP_TUNNEL_ID, t->id);
    l2tp_build_result(&b, result, error);
    l2tp_tunnel_send(t, &b);
    l2tp_tunnel_end(t, &(struct ending){.cause = cause, .detail = detail});
}

void l2tp_tunnel_drop(struct tunnel *t, enum cause cause, const char *detail)
{
    l2tp_tunnel_end(t, &(struct ending){.cause = cause, .detail = detail});
    l2tp_tunnel_free(t);
}

/* A tunnel is there for its sessions: ours goes with the last one, a peer's is given time for another. */
/* ---- sending ---- */

void l2tp_tunnel_begin(struct tunnel *t, struct build *b, uint16_t type, uint16_t session_id)
{
    l2tp_build_begin(b, &t->l2tp->config, &t->l2tp->random, type, t->peer_id, session_id);
}

void l2tp_tunnel_send(struct tunnel *t, struct build *b)
{
    const struct view message = l2tp_build_end(b);
    if (message.n == 0 || l2tp_channel_queue(&t->channel, message) != ERR_OK)
        t->broken = true;
}

void l2tp_loose_refuse(struct l2tp *l, uint32_t carrier, uint16_t peer_id, uint16_t result, uint16_t error)
{
    if (l->loose_n == L2TP_LOOSE_MAX || peer_id == 0)
        return;
    struct build b;
    l2tp_build_begin(&b, &l->config, &l->random, MSG_STOPCCN, peer_id, 0);
    /* RFC 2661 4.4.3: never 0; no tunnel will answer to it. */
    l2tp_build_u16(&b, AVP_TUNNEL_ID, (uint16_t)(1 + random_below(&l->random, UINT16_MAX)));
    l2tp_build_result(&b, result, error);
    wr_patch16(&b.w, HEADER_AT_NR, 1); /* the SCCRQ is acknowledged with it */
    const struct view message = l2tp_build_end(&b);
    struct loose *loose = &l->loose[(l->loose_first + l->loose_n) % L2TP_LOOSE_MAX];
    struct writer w = wr_init(loose->bytes, sizeof(loose->bytes));
    wr_view(&w, message);
    if (message.n == 0 || !wr_ok(&w))
        return;
    loose->carrier = carrier;
    loose->n = (uint16_t)w.n;
    l->loose_n++;
}

/* ---- time ---- */

static usec_t hello_at(const struct tunnel *t)
{
    const usec_t interval = t->l2tp->config.hello_interval;
    if (t->state != TUNNEL_ESTABLISHED || interval == 0 || !l2tp_channel_idle(&t->channel))
        return USEC_NEVER;
    return t->alive_at + interval;
}

static usec_t next_deadline(const struct tunnel *t)
{
    if (t->broken)
        return t->l2tp->now;
    usec_t at = usec_min(l2tp_channel_deadline(&t->channel), usec_min(t->patience_at, hello_at(t)));
    for (uint16_t i = 0; i < t->n_slots; i++)
        if (t->slots[i])
            at = usec_min(at, t->slots[i]->patience_at);
    return at == USEC_NEVER ? USEC_NEVER - 1 : at; /* set for good: its place in the heap stays taken */
}

void l2tp_tunnel_wake(struct tunnel *t)
{
    struct l2tp *l = t->l2tp;
    (void)timer_set(&l->timers, &t->timer, next_deadline(t));
    if (t->ready || !l2tp_channel_ready(&t->channel))
        return;
    t->ready = true;
    t->ready_next = NULL;
    if (l->ready_last)
        l->ready_last->ready_next = t;
    else
        l->ready_first = t;
    l->ready_last = t;
}

static void run_out_of_patience(struct tunnel *t)
{
    for (uint16_t i = 0; i < t->n_slots; i++) {
        struct session *s = t->slots[i];
        if (s && s->patience_at <= t->l2tp->now)
            l2tp_session_hang_up(s, CDN_TIMEOUT, ERROR_NONE, CAUSE_L2TP_TIMEOUT, "the call was not completed in time");
    }
    if (t->state == TUNNEL_CLOSED || t->patience_at > t->l2tp->now)
        return;
    if (t->state == TUNNEL_ESTABLISHED && t->had_session)
        l2tp_tunnel_close(t, STOP_CLEAR, ERROR_NONE, CAUSE_PEER_CLOSED, "its sessions have ended");
    else
        l2tp_tunnel_close(t, STOP_CLEAR, ERROR_NONE, CAUSE_L2TP_TIMEOUT, "the set-up was not completed in time");
}

void l2tp_tunnel_timeout(struct tunnel *t)
{
    const usec_t now = t->l2tp->now;
    if (t->broken) {
        l2tp_tunnel_drop(t, CAUSE_NO_MEMORY, NULL);
        return;
    }
    if (!l2tp_channel_timeout(&t->channel, &t->l2tp->config, now)) {
        l2tp_tunnel_drop(t, CAUSE_L2TP_TIMEOUT, "control messages were not acknowledged");
        return;
    }
    if (t->state == TUNNEL_CLOSED && t->patience_at <= now) {
        l2tp_tunnel_free(t);
        return;
    }
    run_out_of_patience(t);
    if (hello_at(t) <= now) {
        struct build b;
        l2tp_tunnel_begin(t, &b, MSG_HELLO, 0);
        l2tp_tunnel_send(t, &b);
    }
    l2tp_tunnel_wake(t);
}
