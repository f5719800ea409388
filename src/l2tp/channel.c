/* The reliable channel under a tunnel's control messages (RFC 2661 5.8): numbers, acknowledgements, retransmission,
 * and the congestion window of appendix A. It knows nothing of what the messages say.
 *
 * All comparisons are of 16-bit numbers around their circle: behind is negative, ahead is positive. */
#include "l2tp/l2tp_internal.h"

#include <stdlib.h>
#include <string.h>

struct queued {
    struct queued *next;
    uint16_t n;
    uint8_t bytes[];
};

struct held {
    struct held *next;
    uint16_t ns, n;
    uint8_t bytes[];
};

static int16_t ahead(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b);
}

void l2tp_channel_init(struct channel *c)
{
    *c = (struct channel){.window = 1, .ack_at = USEC_NEVER, .retransmit_at = USEC_NEVER};
    l2tp_channel_set_peer_window(c, L2TP_WINDOW_DEFAULT);
}

void l2tp_channel_done(struct channel *c)
{
    l2tp_channel_flush(c);
    while (c->held) {
        struct held *h = c->held;
        c->held = h->next;
        free(h);
    }
}

void l2tp_channel_set_peer_window(struct channel *c, uint16_t window)
{
    if (window == 0) /* RFC 2661 4.4.3 forbids it; one message must always be allowed to go */
        window = 1;
    c->peer_window = window < L2TP_WINDOW_MAX ? window : L2TP_WINDOW_MAX;
    c->threshold = c->peer_window;
}

/* ---- receiving ---- */

enum arrival l2tp_channel_judge(const struct channel *c, const struct header *h, uint16_t receive_window)
{
    if (ahead(h->nr, c->high) > 0)
        return ARRIVAL_OUTSIDE;
    if (h->body.n == 0)
        return ARRIVAL_ACK;
    const int16_t distance = ahead(h->ns, c->nr);
    if (distance < 0)
        return ARRIVAL_REPEATED;
    if (distance == 0)
        return ARRIVAL_NEXT;
    return distance < receive_window ? ARRIVAL_AHEAD : ARRIVAL_OUTSIDE;
}

/* RFC 2661 appendix A: one more for each acknowledgement in slow start, one more for each window after it. */
static void widen(struct channel *c)
{
    if (c->window >= c->peer_window)
        return;
    if (c->window < c->threshold) {
        c->window++;
    } else if (++c->credit >= c->window) {
        c->window++;
        c->credit = 0;
    }
}

bool l2tp_channel_acked(struct channel *c, const struct l2tp_config *config, usec_t now, uint16_t nr)
{
    if (ahead(nr, c->una) <= 0 || ahead(nr, c->high) > 0)
        return false;
    while (c->una != nr) {
        struct queued *q = c->first;
        c->first = q->next;
        free(q);
        c->una++;
        widen(c);
    }
    if (!c->first)
        c->last = NULL;
    if (ahead(c->next, c->una) < 0)
        c->next = c->una;
    c->tries = 0;
    c->retransmit_at = c->next != c->una ? now + config->retransmit_first : USEC_NEVER;
    return true;
}

void l2tp_channel_take(struct channel *c, const struct l2tp_config *config, usec_t now)
{
    c->nr++;
    c->ack_at = usec_min(c->ack_at, now + config->ack_delay);
}

void l2tp_channel_ack_explicit(struct channel *c)
{
    c->ack_explicit = true;
}

enum err l2tp_channel_hold(struct channel *c, uint16_t ns, struct view datagram)
{
    struct held **at = &c->held;
    while (*at && ahead((*at)->ns, ns) < 0)
        at = &(*at)->next;
    if (*at && (*at)->ns == ns)
        return ERR_EXISTS;
    struct held *h = malloc(sizeof(*h) + datagram.n);
    if (!h)
        return ERR_NOMEM;
    h->ns = ns;
    h->n = (uint16_t)datagram.n;
    memcpy(h->bytes, datagram.p, datagram.n);
    h->next = *at;
    *at = h;
    return ERR_OK;
}

struct held *l2tp_channel_held_next(struct channel *c)
{
    while (c->held && ahead(c->held->ns, c->nr) < 0) { /* it came again, in time */
        struct held *stale = c->held;
        c->held = stale->next;
        free(stale);
    }
    struct held *h = c->held;
    if (!h || h->ns != c->nr)
        return NULL;
    c->held = h->next;
    return h;
}

struct view l2tp_channel_held_view(const struct held *h)
{
    return view_of(h->bytes, h->n);
}

void l2tp_channel_held_free(struct held *h)
{
    free(h);
}

/* ---- sending ---- */

enum err l2tp_channel_queue(struct channel *c, struct view message)
{
    struct queued *q = malloc(sizeof(*q) + message.n);
    if (!q)
        return ERR_NOMEM;
    q->next = NULL;
    q->n = (uint16_t)message.n;
    memcpy(q->bytes, message.p, message.n);
    be16_put(q->bytes + HEADER_AT_NS, c->tail++);
    if (c->last)
        c->last->next = q;
    else
        c->first = q;
    c->last = q;
    return ERR_OK;
}

void l2tp_channel_flush(struct channel *c)
{
    while (c->first) {
        struct queued *q = c->first;
        c->first = q->next;
        free(q);
    }
    c->last = NULL;
    /* What was in flight may still be acknowledged, and what never was gives its numbers back. */
    c->una = c->next = c->tail = c->high;
    c->tries = 0;
    c->retransmit_at = USEC_NEVER;
}

void l2tp_channel_repeat(struct channel *c)
{
    c->next = c->una;
}

bool l2tp_channel_idle(const struct channel *c)
{
    return c->una == c->tail;
}

bool l2tp_channel_full(const struct channel *c)
{
    return (uint16_t)(c->tail - c->una) >= L2TP_QUEUE_MAX;
}

static bool may_send(const struct channel *c)
{
    const uint16_t window = c->window < c->peer_window ? c->window : c->peer_window;
    return c->next != c->tail && (uint16_t)(c->next - c->una) < window;
}

bool l2tp_channel_ready(const struct channel *c)
{
    return c->ack_explicit || may_send(c);
}

static void write_zlb(const struct channel *c, uint16_t peer_id, struct writer *w)
{
    /* RFC 2661 5.8: a ZLB carries the Ns of the message that comes next and does not use it up. */
    const struct header h = {.tunnel_id = peer_id, .ns = c->high, .nr = c->nr};
    l2tp_header_write(w, &h, 0);
}

/* An SCCRQ is sent the moment that quick mode is done at our side. The LNS may still be at it (strongSwan takes no ESP
 * before it has our last message), so that the first one is often lost, and a second is no sign of congestion. */
static usec_t retransmit_delay(const struct channel *c, const struct l2tp_config *config)
{
    const bool heard = c->nr != 0;
    usec_t delay = heard ? config->retransmit_first : config->retransmit_first / 4;
    for (uint8_t i = 0; i < c->tries && delay < config->retransmit_cap; i++)
        delay *= 2;
    return usec_min(delay, config->retransmit_cap);
}

/* What changes between transmissions is stamped here: the peer's tunnel id, which a StopCCN behind an SCCRQ learns
 * late, and Nr, which is always the latest. */
static void write_next(const struct channel *c, uint16_t peer_id, struct writer *w)
{
    const struct queued *q = c->first;
    for (uint16_t ns = c->una; ns != c->next; ns++)
        q = q->next;
    const size_t at = w->n;
    wr_bytes(w, q->bytes, q->n);
    wr_patch16(w, at + HEADER_AT_TUNNEL, peer_id);
    wr_patch16(w, at + HEADER_AT_NR, c->nr);
}

bool l2tp_channel_output(struct channel *c, const struct l2tp_config *config, usec_t now, uint16_t peer_id,
                         struct writer *w)
{
    if (c->ack_explicit) {
        write_zlb(c, peer_id, w);
    } else if (may_send(c)) {
        write_next(c, peer_id, w);
        if (c->next == c->una)
            c->retransmit_at = now + retransmit_delay(c, config);
        c->next++;
        if (ahead(c->next, c->high) > 0)
            c->high = c->next;
    } else {
        return false;
    }
    c->ack_explicit = false;
    c->ack_at = USEC_NEVER;
    return true;
}

/* ---- time ---- */

usec_t l2tp_channel_deadline(const struct channel *c)
{
    return usec_min(c->ack_at, c->retransmit_at);
}

bool l2tp_channel_timeout(struct channel *c, const struct l2tp_config *config, usec_t now)
{
    if (c->ack_at <= now) {
        c->ack_at = USEC_NEVER;
        c->ack_explicit = true;
    }
    if (c->retransmit_at > now)
        return true;
    if (c->tries >= config->retransmit_tries)
        return false;
    c->tries++;
    c->threshold = c->window / 2 > 1 ? c->window / 2 : 1;
    c->window = 1;
    c->credit = 0;
    c->next = c->una;
    c->retransmit_at = USEC_NEVER; /* set when it goes out */
    return true;
}
