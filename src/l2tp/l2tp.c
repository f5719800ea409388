/* All tunnels of a shard behind the seven calls, and the way a control message takes from the carrier to its tunnel. */
#include "l2tp/l2tp.h"
#include "l2tp/l2tp_internal.h"

#include <stdlib.h>

#define ID_BITS        16
#define SHARD_BITS_MAX 10
#define BUCKETS_MAX    65536

static bool config_valid(const struct l2tp_config *c)
{
    return c->shard_bits <= SHARD_BITS_MAX && c->shard < 1U << c->shard_bits && c->receive_window >= 1 &&
           c->receive_window <= L2TP_WINDOW_MAX && c->retransmit_first > 0 && c->max_tunnels > 0;
}

static enum err make_tables(struct l2tp *l)
{
    uint32_t buckets = 64;
    while (buckets < l->config.max_tunnels && buckets < BUCKETS_MAX)
        buckets *= 2;
    l->n_ids = UINT32_C(1) << (ID_BITS - l->config.shard_bits);
    l->carrier_mask = buckets - 1;
    l->by_id = calloc(l->n_ids, sizeof(struct tunnel *));
    l->by_carrier = calloc(buckets, sizeof(struct tunnel *));
    return l->by_id && l->by_carrier ? ERR_OK : ERR_NOMEM;
}

struct l2tp *l2tp_new(const struct l2tp_config *config, const struct l2tp_env *env)
{
    if (!config_valid(config))
        return NULL;
    struct l2tp *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->config = *config;
    l->config.host_name[sizeof(l->config.host_name) - 1] = 0;
    l->random = env->random;
    l2tp_event_queue_init(&l->events);
    if (make_tables(l) != ERR_OK) {
        l2tp_free(l);
        return NULL;
    }
    return l;
}

void l2tp_free(struct l2tp *l2tp)
{
    if (!l2tp)
        return;
    for (uint32_t i = 0; l2tp->by_id && i < l2tp->n_ids; i++)
        l2tp_tunnel_free(l2tp->by_id[i]);
    timers_done(&l2tp->timers);
    l2tp_event_queue_done(&l2tp->events);
    free(l2tp->by_id);
    free(l2tp->by_carrier);
    free(l2tp->numbers);
    secret_wipe(&l2tp->config.secret);
    free(l2tp);
}

void l2tp_reconfigure(struct l2tp *l2tp, const struct l2tp_config *config)
{
    struct l2tp_config next = *config;
    next.host_name[sizeof(next.host_name) - 1] = 0;
    next.shard = l2tp->config.shard;
    next.shard_bits = l2tp->config.shard_bits;
    if (config_valid(&next)) {
        secret_wipe(&l2tp->config.secret);
        l2tp->config = next;
    }
    secret_wipe(&next.secret);
}

/* ---- input ---- */

static enum drop dispatch(struct tunnel *t, const struct header *h, const struct message *m)
{
    const struct message_rule *rule = l2tp_message_rule(m->type);
    if (rule)
        return rule->scope == SCOPE_TUNNEL ? l2tp_tunnel_message(t, m) : l2tp_session_message(t, h->session_id, m);
    /* RFC 2661 4.4.1: an unknown message is passed over, unless it is mandatory. */
    if (m->type_mandatory)
        l2tp_tunnel_close(t, STOP_GENERAL, ERROR_UNKNOWN_AVP, CAUSE_L2TP_PROTOCOL, "an unknown mandatory message");
    return DROP_L2TP_STATE;
}

static enum drop take(struct tunnel *t, const struct header *h, const struct message *m)
{
    l2tp_channel_take(&t->channel, &t->l2tp->config, t->l2tp->now);
    return dispatch(t, h, m);
}

/* Messages that had come too early and are in order now. They were judged well-formed when they came. */
static void take_held(struct tunnel *t)
{
    struct held *held;
    while (!l2tp_channel_full(&t->channel) && (held = l2tp_channel_held_next(&t->channel))) {
        struct header h;
        struct message m;
        struct scratch scratch;
        if (l2tp_header_parse(l2tp_channel_held_view(held), &h) == DROP_NONE &&
            l2tp_message_parse(h.body, secret_view(&t->l2tp->config.secret), &scratch, &m) == DROP_NONE)
            (void)take(t, &h, &m);
        l2tp_channel_held_free(held);
    }
}

static enum drop receive(struct tunnel *t, const struct header *h, const struct message *m, struct view datagram)
{
    struct l2tp *l = t->l2tp;
    const enum arrival arrival = l2tp_channel_judge(&t->channel, h, l->config.receive_window);
    if (arrival == ARRIVAL_OUTSIDE)
        return DROP_L2TP_WINDOW;
    if (arrival == ARRIVAL_NEXT && l2tp_channel_full(&t->channel))
        return DROP_QUEUE_FULL;
    t->alive_at = l->now;
    (void)l2tp_channel_acked(&t->channel, &l->config, l->now, h->nr);
    enum drop verdict = DROP_NONE;
    switch (arrival) {
    case ARRIVAL_NEXT:
        verdict = take(t, h, m);
        break;
    case ARRIVAL_AHEAD: {
        const enum err e = l2tp_channel_hold(&t->channel, h->ns, datagram);
        verdict = e == ERR_EXISTS ? DROP_L2TP_REPEATED : e == ERR_NOMEM ? DROP_NO_MEMORY : DROP_NONE;
        break;
    }
    case ARRIVAL_REPEATED:
        l2tp_channel_ack_explicit(&t->channel);
        verdict = DROP_L2TP_REPEATED;
        break;
    case ARRIVAL_ACK:
    case ARRIVAL_OUTSIDE:
        break;
    }
    take_held(t);
    l2tp_tunnel_wake(t);
    return verdict;
}

/* The live or, for a StopCCN, any tunnel that the peer calls by this id. */
static struct tunnel *find_by_peer(const struct l2tp *l, uint32_t carrier, uint16_t peer_id, bool closed_too)
{
    struct tunnel *found = NULL;
    for (struct tunnel *t = l2tp_table_carrier(l, carrier); t; t = t->carrier_next)
        if (t->carrier == carrier && !t->opener && t->peer_id == peer_id && (closed_too || t->state != TUNNEL_CLOSED) &&
            (!found || t->age > found->age))
            found = t;
    return found;
}

/* An SCCRQ again. The peer has missed our SCCRP, or it has restarted and counts its ids from the same start: the latter
 * once no retransmission of the former can still be under way. */
static bool is_repeat(const struct tunnel *t)
{
    return t->state != TUNNEL_ESTABLISHED || t->l2tp->now < t->up_at + L2TP_LINGER;
}

static enum drop receive_request(struct l2tp *l, uint32_t carrier, const struct header *h, const struct message *m)
{
    if (h->ns != 0 || h->nr != 0)
        return DROP_L2TP_WINDOW;
    struct tunnel *t = find_by_peer(l, carrier, m->tunnel_id, false);
    if (!t || !is_repeat(t))
        return l2tp_tunnel_accept(l, carrier, m);
    if (t->state == TUNNEL_WAIT_CONNECT && !l2tp_channel_idle(&t->channel))
        l2tp_channel_repeat(&t->channel);
    else
        l2tp_channel_ack_explicit(&t->channel);
    l2tp_tunnel_wake(t);
    return DROP_L2TP_REPEATED;
}

/* Tunnel 0: whoever sends it does not know our id yet. */
static enum drop receive_unaddressed(struct l2tp *l, uint32_t carrier, const struct header *h, const struct message *m,
                                     struct view datagram)
{
    if (m->type == MSG_SCCRQ)
        return receive_request(l, carrier, h, m);
    if (m->type == MSG_HELLO) /* macOS knocks with these until IPsec is up, and takes a StopCCN amiss */
        return DROP_L2TP_STRAY_HELLO;
    struct tunnel *t = NULL;
    if (m->type == MSG_STOPCCN && m->tunnel_id != 0) /* RFC 2661 4.4.3 */
        t = find_by_peer(l, carrier, m->tunnel_id, true);
    return t ? receive(t, h, m, datagram) : DROP_L2TP_TUNNEL;
}

enum drop l2tp_input(struct l2tp *l2tp, usec_t now, uint32_t carrier, struct view datagram)
{
    struct header h;
    struct message m = {0};
    struct scratch scratch;
    enum drop verdict = l2tp_header_parse(datagram, &h);
    if (verdict != DROP_NONE)
        return verdict;
    struct tunnel *t = NULL;
    if (h.tunnel_id != 0 && !(t = l2tp_table_find(l2tp, carrier, h.tunnel_id)))
        return DROP_L2TP_TUNNEL;
    if (h.body.n > 0)
        verdict = l2tp_message_parse(h.body, secret_view(&l2tp->config.secret), &scratch, &m);
    if (verdict != DROP_NONE)
        return verdict;
    l2tp->now = now;
    return t ? receive(t, &h, &m, datagram) : receive_unaddressed(l2tp, carrier, &h, &m, datagram);
}

/* ---- time, output, events ---- */

void l2tp_timeout(struct l2tp *l2tp, usec_t now)
{
    struct timer *timer;
    l2tp->now = now;
    while ((timer = timers_due(&l2tp->timers, now)))
        l2tp_tunnel_timeout(container_of(timer, struct tunnel, timer));
}

usec_t l2tp_deadline(const struct l2tp *l2tp)
{
    const usec_t at = timers_deadline(&l2tp->timers);
    return at >= USEC_NEVER - 1 ? USEC_NEVER : at;
}

static bool output_loose(struct l2tp *l, uint32_t *carrier, struct writer *w)
{
    if (l->loose_n == 0)
        return false;
    const struct loose *loose = &l->loose[l->loose_first];
    l->loose_first = (l->loose_first + 1) % L2TP_LOOSE_MAX;
    l->loose_n--;
    *carrier = loose->carrier;
    wr_bytes(w, loose->bytes, loose->n);
    return true;
}

static struct tunnel *ready_take(struct l2tp *l)
{
    struct tunnel *t = l->ready_first;
    if (!t)
        return NULL;
    l->ready_first = t->ready_next;
    if (!l->ready_first)
        l->ready_last = NULL;
    t->ready = false;
    return t;
}

bool l2tp_output(struct l2tp *l2tp, uint32_t *carrier, struct writer *w)
{
    struct tunnel *t;
    while ((t = ready_take(l2tp))) {
        const bool written = l2tp_channel_output(&t->channel, &l2tp->config, l2tp->now, t->peer_id, w);
        l2tp_tunnel_wake(t);
        if (written) {
            *carrier = t->carrier;
            return true;
        }
    }
    return output_loose(l2tp, carrier, w);
}

bool l2tp_event(struct l2tp *l2tp, struct l2tp_event *out)
{
    if (!l2tp_event_queue_take(&l2tp->events, out))
        return false;
    if (out->type == L2TP_EVENT_SESSION_DOWN)
        l2tp_table_number_free(l2tp, out->session);
    return true;
}

/* ---- verbs ---- */

enum err l2tp_connect(struct l2tp *l2tp, usec_t now, uint32_t carrier)
{
    l2tp->now = now;
    return l2tp_tunnel_open(l2tp, carrier);
}

static uint16_t disconnect_result(enum cause cause)
{
    return cause == CAUSE_PEER_CLOSED || cause == CAUSE_PEER_SILENT ? CDN_CARRIER_LOST : CDN_ADMIN;
}

static uint16_t stop_result(enum cause cause)
{
    return cause == CAUSE_SHUTDOWN ? STOP_SHUTDOWN : STOP_CLEAR;
}

void l2tp_session_close(struct l2tp *l2tp, usec_t now, uint32_t session, enum cause cause)
{
    struct session *s = session < l2tp->n_numbers ? l2tp->numbers[session].session : NULL;
    if (!s)
        return;
    struct tunnel *t = s->tunnel;
    l2tp->now = now;
    if (t->n_sessions > 1) {
        l2tp_session_hang_up(s, disconnect_result(cause), ERROR_NONE, cause, NULL);
        l2tp_tunnel_wake(t);
        return;
    }
    l2tp_session_disconnect(s, disconnect_result(cause), ERROR_NONE);
    l2tp_tunnel_close(t, stop_result(cause), ERROR_NONE, cause, NULL);
}

void l2tp_carrier_close(struct l2tp *l2tp, usec_t now, uint32_t carrier, enum cause cause)
{
    l2tp->now = now;
    for (struct tunnel *t = l2tp_table_carrier(l2tp, carrier); t; t = t->carrier_next)
        if (t->carrier == carrier)
            l2tp_tunnel_close(t, stop_result(cause), ERROR_NONE, cause, NULL);
}

void l2tp_carrier_gone(struct l2tp *l2tp, usec_t now, uint32_t carrier, enum cause cause)
{
    l2tp->now = now;
    struct tunnel *next;
    for (struct tunnel *t = l2tp_table_carrier(l2tp, carrier); t; t = next) {
        next = t->carrier_next;
        if (t->carrier == carrier)
            l2tp_tunnel_drop(t, cause, NULL);
    }
}

void l2tp_carrier_alive(struct l2tp *l2tp, usec_t now, uint32_t carrier)
{
    for (struct tunnel *t = l2tp_table_carrier(l2tp, carrier); t; t = t->carrier_next)
        if (t->carrier == carrier)
            t->alive_at = now;
}

uint32_t l2tp_carrier_tunnels(const struct l2tp *l2tp, uint32_t carrier)
{
    return l2tp_table_carrier_count(l2tp, carrier);
}

uint32_t l2tp_session_count(const struct l2tp *l2tp)
{
    return l2tp->n_sessions;
}

uint32_t l2tp_tunnel_count(const struct l2tp *l2tp)
{
    return l2tp->n_tunnels;
}
