/*
 * A little later than they came: the packets of a host that looks for its inbound SPI go after a moment that nobody
 * else knows of. What a server sends in answer moves with them; what belongs to another host that asks at the same
 * moment does not. It costs no packet, and the time of one only where a host speaks anew.
 */
#include "tracker/tracker_internal.h"

#include <stdlib.h>

/* Packets of the contact that come meanwhile wait behind the first. */
static bool append(struct tracker *t, struct contact *c, const struct tracker_packet *p)
{
    struct held *h = NULL;
    if (c->host->n_held < t->config.held_per_host && t->n_held < t->config.held)
        h = malloc(sizeof(*h));
    if (!h)
        return false;
    *h = (struct held){.contact = c, .packet = *p, .until = c->delay_until};
    list_append(&c->server->delayed, &h->of_server);
    turn_count_held(t, c, 1);
    return true;
}

static void release(struct tracker *t, usec_t now, struct contact *c)
{
    struct server *s = c->server;
    c->delay_until = 0;
    c->n_held++; /* which keeps the contact */
    LIST_EACH_SAFE(l, &s->delayed)
    {
        struct held *h = container_of(l, struct held, of_server);
        const struct tracker_packet p = h->packet;
        if (h->contact != c)
            continue;
        list_remove(&h->of_server);
        turn_count_held(t, c, -1);
        free(h);
        pair_resume(t, now, &p);
    }
    c->n_held--;
    contact_settle(t, c);
}

bool delay_wait(struct tracker *t, usec_t now, struct contact *c, const struct tracker_packet *p)
{
    if (c->delay_until == 0) {
        if (now - c->heard <= DELAY_ANEW || t->config.hold < DELAY_MAX)
            return false;
        c->delay_until = now + 1 + index_key(c->host->addr, p->sequence, now) % DELAY_MAX;
        if (!append(t, c, p)) {
            c->delay_until = 0;
            return false;
        }
        turn_schedule(t, c->server);
        return true;
    }
    if (append(t, c, p))
        return true;
    /* no room: what waits goes first, and says nothing. The packet in hand keeps the contact */
    c->n_held++;
    release(t, now, c);
    c->n_held--;
    return false;
}

usec_t delay_deadline(const struct server *s)
{
    usec_t at = USEC_NEVER;
    LIST_EACH(l, &s->delayed)
    at = usec_min(at, container_of(l, struct held, of_server)->until);
    return at;
}

static struct contact *first_due(const struct server *s, usec_t now)
{
    LIST_EACH(l, &s->delayed)
    if (container_of(l, struct held, of_server)->until <= now)
        return container_of(l, struct held, of_server)->contact;
    return NULL;
}

bool delay_due(struct tracker *t, usec_t now, struct server *s)
{
    struct contact *c = first_due(s, now);
    if (!c)
        return false;
    c->moved = now;
    release(t, now, c);
    return true;
}
