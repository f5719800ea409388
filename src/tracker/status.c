/* What there is, one after another, for people. */
#include "tracker/tracker_internal.h"

static const struct link *step(const struct link *head, const void **at)
{
    const struct link *l = *at ? ((const struct link *)*at)->next : head->next;
    *at = l;
    return l == head ? NULL : l;
}

#define OF(link, type, member) ((const type *)(const void *)((const char *)(link)-offsetof(type, member)))

bool tracker_host_next(const struct tracker *t, const void **at, struct tracker_host_info *out)
{
    const struct link *l = step(&t->all_hosts, at);
    if (!l)
        return false;
    const struct host *h = OF(l, struct host, all);
    *out = (struct tracker_host_info){.host = h->addr,
                                      .servers = h->n_contacts,
                                      .pairs = h->n_pairs,
                                      .ikes = h->n_ikes,
                                      .held = h->n_held,
                                      .seen = h->seen};
    return true;
}

bool tracker_server_next(const struct tracker *t, const void **at, struct tracker_server_info *out)
{
    const struct link *l = step(&t->all_servers, at);
    if (!l)
        return false;
    const struct server *s = OF(l, struct server, entry.all);
    *out = (struct tracker_server_info){
        .server = s->addr, .hosts = s->n_contacts, .unknown = s->n_strangers, .held = s->n_held};
    return true;
}

static struct tracker_binding_info of_pair(const struct pair *p)
{
    return (struct tracker_binding_info){.way = TRACKER_OUT,
                                         .host = p->contact->host->addr,
                                         .server = p->contact->server->addr,
                                         .spi = p->spi,
                                         .state = p->told ? TRACKER_STATE_BOUND : TRACKER_STATE_TENTATIVE,
                                         .since = p->since,
                                         .used = p->used,
                                         .packets = p->packets,
                                         .candidates = 1};
}

static struct tracker_binding_info of_inbound(const struct inbound *in)
{
    enum tracker_state state = TRACKER_STATE_BOUND;
    if (!in->told)
        state = !in->bound && candidates_ambiguous(in) ? TRACKER_STATE_AMBIGUOUS : TRACKER_STATE_TENTATIVE;
    return (struct tracker_binding_info){.way = TRACKER_IN,
                                         .host = in->contact ? in->contact->host->addr : 0,
                                         .server = in->server->addr,
                                         .spi = in->spi,
                                         .state = state,
                                         .since = in->since,
                                         .used = in->used,
                                         .packets = in->packets,
                                         .candidates = in->bound ? 1 : in->n_candidates};
}

static struct tracker_binding_info of_ike(const struct ike *ike)
{
    enum tracker_state state = TRACKER_STATE_BOUND;
    if (ike->guess)
        state = ike->candidates > 1 ? TRACKER_STATE_AMBIGUOUS : TRACKER_STATE_TENTATIVE;
    return (struct tracker_binding_info){.way = ike->guess ? TRACKER_IN : TRACKER_OUT,
                                         .ike = true,
                                         .host = ike->contact ? ike->contact->host->addr : 0,
                                         .server = ike->server->addr,
                                         .initiator = ike->initiator,
                                         .responder = ike->responder,
                                         .state = state,
                                         .since = ike->since,
                                         .used = ike->used,
                                         .packets = ike->packets,
                                         .candidates = ike->guess ? ike->candidates : 1};
}

/* A pair that only a quick mode has promised is no binding yet. */
bool tracker_binding_next(const struct tracker *t, const void **at, struct tracker_binding_info *out)
{
    const struct link *l;
    while ((l = step(&t->bindings, at))) {
        const struct entry *e = OF(l, struct entry, all);
        if (e->kind == KIND_PAIR) {
            const struct pair *p = OF(e, struct pair, entry);
            if (p->spi == 0)
                continue;
            *out = of_pair(p);
        } else {
            *out =
                e->kind == KIND_INBOUND ? of_inbound(OF(e, struct inbound, entry)) : of_ike(OF(e, struct ike, entry));
        }
        return true;
    }
    return false;
}

uint64_t tracker_count(const struct tracker *t, enum tracker_counter c)
{
    return c < TRACKER_COUNTERS ? t->counters[c] : 0;
}
