/*
 * One after another: while the new SA or the quick mode of one host waits for its answer from a server, those of other
 * hosts are held back, so that the answer can only be the one host's. Nobody is held longer than `hold`, nobody who had
 * a turn without an answer gets another one soon, and whatever does not fit goes at once.
 */
#include "tracker/tracker_internal.h"

#include <stdlib.h>

#define PATIENCE (10 * USEC_SEC)  /* without turns, after one without an answer */
#define FAR      (USEC_NEVER - 1) /* the timer of a server is always set, so that setting it cannot fail */

void turn_schedule(struct tracker *t, struct server *s)
{
    usec_t at = usec_min(s->turn ? s->turn_until : FAR, delay_deadline(s));
    if (!list_empty(&s->held))
        at = usec_min(at, container_of(s->held.next, struct held, of_server)->until);
    (void)timer_set(&t->timers, &s->entry.timer, at);
}

void turn_count_held(struct tracker *t, struct contact *c, int32_t more)
{
    c->n_held += more;
    c->server->n_held += more;
    c->host->n_held += more;
    t->n_held += more;
}

static void take(struct contact *c, usec_t now, usec_t length, usec_t longest)
{
    c->server->turn = c;
    c->server->turn_until = now + length;
    c->server->turn_long = length == longest;
}

static void resume(struct tracker *t, usec_t now, struct held *h)
{
    struct contact *c = h->contact;
    const struct tracker_packet p = h->packet;
    list_remove(&h->of_server);
    c->server->n_held--;
    c->host->n_held--;
    t->n_held--;
    free(h);
    /* it counts as held until it has gone, which keeps the contact */
    if (p.ike)
        exchange_resume(t, now, &p);
    else
        pair_resume(t, now, &p);
    c->n_held--;
}

/* All that is held of a contact goes, in its order. The contact itself may go with it. */
static void release(struct tracker *t, usec_t now, struct contact *c)
{
    struct server *s = c->server;
    c->n_held++;
    LIST_EACH_SAFE(l, &s->held)
    {
        struct held *h = container_of(l, struct held, of_server);
        if (h->contact == c)
            resume(t, now, h);
    }
    c->n_held--;
    contact_settle(t, c);
}

static void go_anyway(struct tracker *t, usec_t now, struct contact *c, const struct tracker_packet *p)
{
    const struct server *s = c->server;
    count(t, TRACKER_COUNT_HELD_OVER);
    tell(t, (struct tracker_event){.type = TRACKER_AMBIGUOUS,
                                   .way = p->way,
                                   .ike = p->ike,
                                   .host = c->host->addr,
                                   .server = s->addr,
                                   .spi = p->spi,
                                   .initiator = p->initiator,
                                   .candidates = 2});
    c->patient_at = now + t->config.hold;
    release(t, now, c);
}

/* Gives the turn to whoever has waited longest. */
static void next(struct tracker *t, usec_t now, struct server *s)
{
    if (!s->turn && !list_empty(&s->held)) {
        struct contact *c = container_of(s->held.next, struct held, of_server)->contact;
        take(c, now, t->config.hold, t->config.hold);
        turn_schedule(t, s);
        release(t, now, c);
    } else {
        turn_schedule(t, s);
    }
}

static bool hold(struct tracker *t, usec_t now, struct contact *c, const struct tracker_packet *p)
{
    struct held *h = NULL;
    if (c->host->n_held < t->config.held_per_host && t->n_held < t->config.held)
        h = malloc(sizeof(*h));
    if (!h) {
        go_anyway(t, now, c, p);
        return false;
    }
    *h = (struct held){.contact = c, .packet = *p, .until = now + t->config.hold};
    list_append(&c->server->held, &h->of_server);
    turn_count_held(t, c, 1);
    count(t, TRACKER_COUNT_HELD);
    turn_schedule(t, c->server);
    return true;
}

bool turn_wait(struct tracker *t, usec_t now, struct contact *c, const struct tracker_packet *p, usec_t length)
{
    struct server *s = c->server;
    if (s->turn == c || now < c->patient_at)
        return false;
    if (s->turn)
        return hold(t, now, c, p);
    take(c, now, length, t->config.hold);
    turn_schedule(t, s);
    return false;
}

void turn_end(struct tracker *t, usec_t now, struct contact *c)
{
    struct server *s = c->server;
    if (s->turn != c)
        return;
    s->turn = NULL;
    next(t, now, s);
}

void turn_shorten(struct tracker *t, usec_t now, struct contact *c, usec_t length)
{
    struct server *s = c->server;
    if (s->turn != c || s->turn_until <= now + length)
        return;
    s->turn_until = now + length;
    s->turn_long = false;
    turn_schedule(t, s);
}

void turn_forget(struct tracker *t, struct contact *c)
{
    struct server *s = c->server;
    if (s->turn != c)
        return;
    s->turn = NULL;
    /* no packet goes from here: the next one's turn begins with the timer */
    (void)timer_set(&t->timers, &s->entry.timer, list_empty(&s->held) ? usec_min(FAR, delay_deadline(s)) : 0);
}

void turn_due(struct tracker *t, usec_t now, struct server *s)
{
    /* set first: what follows may be the end of the server */
    (void)timer_set(&t->timers, &s->entry.timer, list_empty(&s->delayed) ? FAR : now);
    if (delay_due(t, now, s))
        return;
    if (s->turn && s->turn_until <= now) {
        if (s->turn_long)
            s->turn->patient_at = now + PATIENCE;
        s->turn = NULL;
    }
    if (list_empty(&s->held)) {
        turn_schedule(t, s);
        return;
    }
    struct held *first = container_of(s->held.next, struct held, of_server);
    if (s->turn && first->until <= now) {
        turn_schedule(t, s);
        go_anyway(t, now, first->contact, &first->packet);
        return;
    }
    next(t, now, s);
}
