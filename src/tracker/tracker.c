/* The tracker as a whole: its calls, and who is called by them. */
#include "tracker/tracker_internal.h"

#include <stdlib.h>

struct tracker_config tracker_defaults(void)
{
    return (struct tracker_config){
        .hosts = 1000,
        .servers_per_host = 8,
        .spis_per_host = 32,
        .ikes_per_host = 16,
        .held_per_host = 8,
        .held = 256,
        .hold = USEC_SEC,
        .esp_idle = 300 * USEC_SEC,
        .ike_idle = 3600 * USEC_SEC,
    };
}

static bool is_valid(const struct tracker_config *c)
{
    return c->hosts > 0 && c->servers_per_host > 0 && c->spis_per_host > 0 && c->ikes_per_host > 0 &&
           c->hold <= USEC_SEC && c->esp_idle > 0 && c->ike_idle > 0;
}

struct tracker *tracker_new(const struct tracker_config *config)
{
    struct tracker *t = is_valid(config) ? calloc(1, sizeof(*t)) : NULL;
    if (!t)
        return NULL;
    t->config = *config;
    t->moves.size = sizeof(struct tracker_move);
    t->events.size = sizeof(struct tracker_event);
    list_init(&t->all_hosts);
    list_init(&t->all_servers);
    list_init(&t->bindings);
    const uint32_t n = config->hosts;
    if (index_init(&t->hosts, n) != ERR_OK || index_init(&t->servers, n) != ERR_OK ||
        index_init(&t->contacts, n) != ERR_OK || index_init(&t->pairs, n * 4) != ERR_OK ||
        index_init(&t->inbounds, n * 4) != ERR_OK || index_init(&t->ikes, n * 2) != ERR_OK) {
        tracker_free(t);
        return NULL;
    }
    return t;
}

static void free_entries(struct link *head)
{
    LIST_EACH_SAFE(l, head)
    switch (container_of(l, struct entry, all)->kind) {
    case KIND_SERVER:
        LIST_EACH_SAFE(m, &container_of(l, struct server, entry.all)->held)
        free(container_of(m, struct held, of_server));
        LIST_EACH_SAFE(m, &container_of(l, struct server, entry.all)->delayed)
        free(container_of(m, struct held, of_server));
        free(container_of(l, struct server, entry.all));
        break;
    case KIND_PAIR:
        free(container_of(l, struct pair, entry.all));
        break;
    case KIND_INBOUND:
        free(container_of(l, struct inbound, entry.all)->candidates);
        free(container_of(l, struct inbound, entry.all));
        break;
    case KIND_IKE:
        free(container_of(l, struct ike, entry.all));
        break;
    }
}

void tracker_free(struct tracker *t)
{
    if (!t)
        return;
    LIST_EACH_SAFE(l, &t->all_hosts)
    {
        struct host *h = container_of(l, struct host, all);
        LIST_EACH_SAFE(m, &h->contacts)
        free(container_of(m, struct contact, of_host));
        free(h);
    }
    free_entries(&t->bindings);
    free_entries(&t->all_servers);
    index_done(&t->hosts);
    index_done(&t->contacts);
    index_done(&t->servers);
    index_done(&t->pairs);
    index_done(&t->inbounds);
    index_done(&t->ikes);
    timers_done(&t->timers);
    queue_done(&t->moves);
    queue_done(&t->events);
    free(t);
}

void tracker_input(struct tracker *t, usec_t now, const struct tracker_packet *packet)
{
    count(t, packet->way == TRACKER_OUT ? TRACKER_COUNT_PACKETS_OUT : TRACKER_COUNT_PACKETS_IN);
    if (packet->ike)
        exchange_input(t, now, packet);
    else if (packet->way == TRACKER_OUT)
        pair_input(t, now, packet);
    else
        inbound_input(t, now, packet);
}

void tracker_used(struct tracker *t, usec_t now, enum tracker_way way, uint32_t host, uint32_t server, uint32_t spi,
                  uint64_t packets)
{
    struct pair *p = way == TRACKER_OUT ? pair_find(t, host, server, spi) : NULL;
    struct inbound *in = way == TRACKER_IN ? inbound_find(t, server, spi) : NULL;
    if (p) {
        p->used = now;
        p->packets += packets;
        p->contact->host->seen = now;
        evidence_counted(p->contact, now, packets);
        list_remove(&p->of_host);
        list_append(&p->contact->host->pairs, &p->of_host);
    }
    if (in) {
        in->used = now;
        in->packets += packets;
        in->counted = packets;
    }
}

bool tracker_restore(struct tracker *t, usec_t now, const struct tracker_binding_info *binding)
{
    const struct tracker_packet p = {.way = binding->way,
                                     .host = binding->host,
                                     .server = binding->server,
                                     .ike = binding->ike,
                                     .spi = binding->spi,
                                     .sequence = NEWBORN_SEQUENCE + 1,
                                     .initiator = binding->initiator,
                                     .responder = binding->responder};
    const usec_t used = usec_min(binding->used, now);
    if (p.host == 0 || p.server == 0)
        return false;
    if (p.ike)
        return p.way == TRACKER_OUT && p.initiator != 0 && now - used < t->config.ike_idle &&
               exchange_restore(t, now, used, &p);
    if (p.spi == 0 || now - used >= t->config.esp_idle)
        return false;
    if (p.way == TRACKER_OUT)
        return pair_restore(t, now, used, &p);
    return binding->state == TRACKER_STATE_BOUND && inbound_restore(t, now, used, &p);
}

static void due(struct tracker *t, usec_t now, struct entry *e)
{
    switch (e->kind) {
    case KIND_SERVER:
        turn_due(t, now, container_of(e, struct server, entry));
        break;
    case KIND_PAIR:
        pair_due(t, now, container_of(e, struct pair, entry));
        break;
    case KIND_INBOUND:
        inbound_due(t, now, container_of(e, struct inbound, entry));
        break;
    case KIND_IKE:
        exchange_due(t, now, container_of(e, struct ike, entry));
        break;
    }
}

void tracker_timeout(struct tracker *t, usec_t now)
{
    struct timer *timer;
    while ((timer = timers_due(&t->timers, now)))
        due(t, now, container_of(timer, struct entry, timer));
}

/* A server's timer is always set, even when nothing is due: turn.c. */
usec_t tracker_deadline(const struct tracker *t)
{
    const usec_t at = timers_deadline(&t->timers);
    return at == USEC_NEVER - 1 ? USEC_NEVER : at;
}
