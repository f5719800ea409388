/* What passes through the router, with its counts: a mirror of the kernel's maps, and those flows that still come
 * through user space. */
#include "router/router_internal.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct flow {
    struct flow_key key;
    uint32_t host;
    bool in_kernel, shortcut;
    uint64_t packets, bytes; /* all */
    struct {
        uint64_t packets, bytes;
    } read[FLOW_PLACES]; /* of the element there as last read */
    uint64_t by_rules;
    UT_hash_handle hh;
};

struct flows {
    struct flow *table;
    size_t max;
};

struct flows *flows_new(size_t max)
{
    struct flows *f = calloc(1, sizeof(*f));
    if (f)
        f->max = max;
    return f;
}

static void drop(struct flows *f, struct flow *flow)
{
    HASH_DEL(f->table, flow);
    free(flow);
}

void flows_free(struct flows *f)
{
    struct flow *flow, *next;
    if (!f)
        return;
    HASH_ITER(hh, f->table, flow, next) drop(f, flow);
    free(f);
}

static struct flow *find(const struct flows *f, const struct flow_key *key)
{
    struct flow *flow;
    HASH_FIND(hh, f->table, key, sizeof(*key), flow);
    return flow;
}

static struct flow *find_or_make(struct flows *f, const struct flow_key *key)
{
    struct flow *flow = find(f, key);
    if (flow || HASH_COUNT(f->table) >= f->max)
        return flow;
    flow = calloc(1, sizeof(*flow));
    if (!flow)
        return NULL;
    flow->key = *key;
    HASH_ADD(hh, f->table, key, sizeof(*key), flow);
    return flow;
}

bool flows_passed(struct flows *f, const struct flow_key *key, uint32_t host, uint64_t bytes)
{
    struct flow *flow = find_or_make(f, key);
    if (!flow)
        return false;
    flow->host = host;
    flow->packets++;
    flow->bytes += bytes;
    return true;
}

bool flows_set_kernel(struct flows *f, const struct flow_key *key, uint32_t host, bool in_kernel)
{
    struct flow *flow = in_kernel ? find_or_make(f, key) : find(f, key);
    if (!flow)
        return false;
    if (in_kernel)
        flow->host = host;
    flow->in_kernel = in_kernel;
    flow->read[FLOW_BY_RULES].packets = flow->read[FLOW_BY_RULES].bytes = flow->by_rules = 0;
    return true;
}

void flows_set_shortcut(struct flows *f, const struct flow_key *key, bool shortcut)
{
    struct flow *flow = find(f, key);
    if (!flow)
        return;
    flow->shortcut = shortcut;
    flow->read[FLOW_BY_SHORTCUT].packets = flow->read[FLOW_BY_SHORTCUT].bytes = flow->by_rules = 0;
}

uint64_t flows_counted(struct flows *f, const struct flow_key *key, enum flow_place place, uint64_t packets,
                       uint64_t bytes)
{
    struct flow *flow = find(f, key);
    if (!flow || !flow->in_kernel || packets < flow->read[place].packets || bytes < flow->read[place].bytes)
        return 0;
    const uint64_t more = packets - flow->read[place].packets;
    flow->packets += more;
    flow->bytes += bytes - flow->read[place].bytes;
    flow->read[place].packets = packets;
    flow->read[place].bytes = bytes;
    if (place == FLOW_BY_RULES)
        flow->by_rules = more;
    return more;
}

static struct flow_info info(const struct flow *flow)
{
    return (struct flow_info){flow->key,     flow->host,  flow->in_kernel, flow->shortcut,
                              flow->packets, flow->bytes, flow->by_rules};
}

bool flows_find(const struct flows *f, const struct flow_key *key, struct flow_info *out)
{
    const struct flow *flow = find(f, key);
    if (flow)
        *out = info(flow);
    return flow != NULL;
}

bool flows_owner(const struct flows *f, enum tracker_way way, bool ike, uint32_t server, bool has_id, uint64_t id,
                 uint32_t *host)
{
    uint32_t found = 0;
    for (const struct flow *flow = f->table; flow; flow = flow->hh.next) {
        const struct flow_key *k = &flow->key;
        if (k->way != (uint32_t)way || k->ike != (uint32_t)ike || k->server != server || (has_id && k->id != id))
            continue;
        if (found != 0 && found != flow->host)
            return false;
        found = flow->host;
    }
    if (found != 0)
        *host = found;
    return found != 0;
}

void flows_each(const struct flows *f, void (*act)(void *ctx, const struct flow_info *flow), void *ctx)
{
    for (const struct flow *flow = f->table; flow; flow = flow->hh.next) {
        const struct flow_info one = info(flow);
        act(ctx, &one);
    }
}

void flows_sweep(struct flows *f, bool (*keep)(void *ctx, const struct flow_info *flow), void *ctx)
{
    struct flow *flow, *next;
    HASH_ITER(hh, f->table, flow, next)
    {
        const struct flow_info one = info(flow);
        if (!keep(ctx, &one))
            drop(f, flow);
    }
}
