/* Hosts, servers, and who talks to whom. Only packets of inside hosts make any of them. */
#include "tracker/tracker_internal.h"

#include <stdlib.h>

#define EVICTION_LOOKS 32             /* hosts looked at for one that may go */
#define EVICTION_AGE   (2 * USEC_SEC) /* an unproved host has so long before it may */

static struct host *host_find(const struct tracker *t, uint32_t addr)
{
    const struct index_node *n = NULL;
    while ((n = index_find(&t->hosts, index_key(addr, 0, 0), n))) {
        struct host *h = container_of(n, struct host, node);
        if (h->addr == addr)
            return h;
    }
    return NULL;
}

struct server *server_find(const struct tracker *t, uint32_t addr)
{
    const struct index_node *n = NULL;
    while ((n = index_find(&t->servers, index_key(addr, 0, 0), n))) {
        struct server *s = container_of(n, struct server, node);
        if (s->addr == addr)
            return s;
    }
    return NULL;
}

struct contact *contact_find(const struct tracker *t, uint32_t host, uint32_t server)
{
    const struct index_node *n = NULL;
    while ((n = index_find(&t->contacts, index_key(host, server, 0), n))) {
        struct contact *c = container_of(n, struct contact, node);
        if (c->host->addr == host && c->server->addr == server)
            return c;
    }
    return NULL;
}

static void host_free(struct tracker *t, struct host *h)
{
    index_remove(&t->hosts, &h->node);
    list_remove(&h->all);
    t->n_hosts--;
    free(h);
}

static void server_free(struct tracker *t, struct server *s)
{
    LIST_EACH_SAFE(l, &s->strangers)
    inbound_free(t, container_of(l, struct inbound, of_server));
    LIST_EACH_SAFE(l, &s->bound)
    inbound_free(t, container_of(l, struct inbound, of_server));
    LIST_EACH_SAFE(l, &s->guesses)
    exchange_free(t, container_of(l, struct ike, of_server));
    timer_clear(&t->timers, &s->entry.timer);
    index_remove(&t->servers, &s->node);
    list_remove(&s->entry.all);
    free(s);
}

/* A host that has nothing from any server goes for a new one, the one that was silent longest first. */
static bool evict_host(struct tracker *t, usec_t now)
{
    uint32_t looks = 0;
    LIST_EACH(l, &t->all_hosts)
    {
        struct host *h = container_of(l, struct host, all);
        if (++looks > EVICTION_LOOKS || now - h->seen < EVICTION_AGE)
            return false;
        if (h->n_bound > 0 || h->n_held > 0)
            continue;
        /* what ends with the last pair or IKE SA ends its contact, and the last contact ends the host */
        for (uint32_t left = h->n_pairs + h->n_ikes; left > 0; left--) {
            if (left > h->n_ikes)
                pair_free(t, container_of(h->pairs.next, struct pair, of_host));
            else
                exchange_free(t, container_of(h->ikes.next, struct ike, of_host));
        }
        return true;
    }
    return false;
}

static struct host *host_get(struct tracker *t, usec_t now, uint32_t addr, enum tracker_reason *reason)
{
    struct host *h = host_find(t, addr);
    if (h)
        return h;
    if (t->n_hosts >= t->config.hosts && !evict_host(t, now)) {
        *reason = TRACKER_REASON_HOSTS_FULL;
        return NULL;
    }
    h = calloc(1, sizeof(*h));
    if (!h) {
        *reason = TRACKER_REASON_NO_MEMORY;
        return NULL;
    }
    h->addr = addr;
    list_init(&h->contacts);
    list_init(&h->pairs);
    list_init(&h->ikes);
    index_add(&t->hosts, &h->node, index_key(addr, 0, 0));
    list_append(&t->all_hosts, &h->all);
    t->n_hosts++;
    return h;
}

static struct server *server_get(struct tracker *t, uint32_t addr)
{
    struct server *s = server_find(t, addr);
    if (s)
        return s;
    s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->addr = addr;
    s->entry.kind = KIND_SERVER;
    /* set for good, so that moving it cannot fail */
    if (timer_set(&t->timers, &s->entry.timer, USEC_NEVER - 1) != ERR_OK) {
        free(s);
        return NULL;
    }
    list_init(&s->recent);
    list_init(&s->oldest);
    list_init(&s->strangers);
    list_init(&s->bound);
    list_init(&s->guesses);
    list_init(&s->held);
    list_init(&s->delayed);
    index_add(&t->servers, &s->node, index_key(addr, 0, 0));
    list_append(&t->all_servers, &s->entry.all);
    return s;
}

static struct contact *contact_new(struct tracker *t, struct host *h, struct server *s)
{
    struct contact *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->host = h;
    c->server = s;
    list_init(&c->pairs);
    list_init(&c->inbounds);
    list_init(&c->ikes);
    index_add(&t->contacts, &c->node, index_key(h->addr, s->addr, 0));
    list_append(&h->contacts, &c->of_host);
    list_prepend(&s->recent, &c->recent);
    list_append(&s->oldest, &c->oldest);
    h->n_contacts++;
    s->n_contacts++;
    return c;
}

struct contact *contact_get(struct tracker *t, usec_t now, const struct tracker_packet *p, enum tracker_reason *reason)
{
    struct contact *c = contact_find(t, p->host, p->server);
    if (!c) {
        struct host *h = host_get(t, now, p->host, reason);
        if (!h)
            return NULL;
        struct server *s = NULL;
        *reason = TRACKER_REASON_HOST_SERVERS;
        if (h->n_contacts < t->config.servers_per_host) {
            *reason = TRACKER_REASON_NO_MEMORY;
            s = server_get(t, p->server);
            c = s ? contact_new(t, h, s) : NULL;
        }
        if (c && !(p->ike ? p->responder == 0 : p->sequence <= NEWBORN_SEQUENCE))
            c->since = now;
        if (!c) {
            tell_refused(t, now, &h->refused_told, p, *reason);
            if (s && s->n_contacts == 0)
                server_free(t, s);
            if (h->n_contacts == 0)
                host_free(t, h);
            return NULL;
        }
    }
    c->host->seen = now;
    list_remove(&c->host->all);
    list_append(&t->all_hosts, &c->host->all);
    return c;
}

void contact_settle(struct tracker *t, struct contact *c)
{
    if (!list_empty(&c->pairs) || !list_empty(&c->ikes) || c->n_held > 0)
        return;
    struct host *h = c->host;
    struct server *s = c->server;
    turn_forget(t, c);
    inbound_forget_contact(t, c);
    exchange_forget_contact(t, c);
    index_remove(&t->contacts, &c->node);
    list_remove(&c->of_host);
    list_remove(&c->recent);
    list_remove(&c->oldest);
    free(c);
    s->n_contacts--;
    h->n_contacts--;
    if (s->n_contacts == 0)
        server_free(t, s);
    if (h->n_contacts == 0)
        host_free(t, h);
}
