/*
 * The shortcut: in the hook `ingress` of the devices the kernel forwards bound ESP past defragmentation, connection
 * tracking, routing and all tables (docs/decisions/0023-shortcut.md). So it knows neither what other tables forbid nor
 * where routes lead. It does not have to: only what the rules have just let pass is taken in, by the way that the
 * kernel's routing tells for it, and all go by the rules again every minute and when routes, addresses or devices have
 * changed. What this process does not look after for a while goes by itself.
 */
#include "router/router_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define LIFE       (60 * USEC_SEC)
#define DEAD_AFTER (3 * LIFE)        /* elements of a process that is no more */
#define FILL_AFTER (250 * USEC_MSEC) /* the next count, when it has been emptied */
#define FILL_MAX   1024              /* in one count: each takes a look at the routes */
#define MTU_MIN    68                /* RFC 791 */

/* Where packets for this address leave. */
struct way {
    uint32_t to, hop, door;
    UT_hash_handle hh;
};

static const char *const bound[] = {"inbound", "outbound", "fits"}, *const leading[] = {"hops", "doors"};

/* ---- devices ---- */

static void read_devices(const struct router_options *o, struct shortcut *out)
{
    out->mtu = UINT16_MAX;
    for (size_t i = 0; i <= o->inside_count; i++) {
        struct iface_state state;
        const uint32_t index = iface_index(i < o->inside_count ? o->inside[i] : o->outside);
        const bool good = index != 0 && iface_state(index, &state) == ERR_OK && state.up;
        out->devices[i] = good ? index : 0;
        if (good && state.mtu < out->mtu)
            out->mtu = state.mtu;
    }
}

static bool is_inside(const struct router *r, uint32_t device)
{
    for (size_t i = 0; i < r->options->inside_count; i++)
        if (device != 0 && r->shortcut.devices[i] == device)
            return true;
    return false;
}

static uint32_t outside(const struct router *r)
{
    return r->shortcut.devices[r->options->inside_count];
}

/* ---- ways ---- */

static void forget_ways(struct shortcut *s)
{
    struct way *way, *next;
    HASH_ITER(hh, s->ways, way, next)
    {
        HASH_DEL(s->ways, way);
        free(way);
    }
}

static bool find_way(const struct router *r, const struct flow_info *flow, struct way *out)
{
    const bool in = flow->key.way == TRACKER_IN;
    const struct ip_addr host = ip4_addr(flow->host), server = ip4_addr(flow->key.server);
    const struct ip_addr *to = in ? &host : &server;
    const uint32_t from = in ? outside(r) : address_device(r->shortcut.devices, r->options->inside_count, flow->host);
    struct route route;
    if (from == 0 || route_lookup_forwarded(in ? &server : &host, from, to, &route) != ERR_OK ||
        !(in ? is_inside(r, route.iface) : route.iface == outside(r)))
        return false;
    *out = (struct way){
        .to = ip4_value(to), .hop = ip4_value(route.via.family == 4 ? &route.via : to), .door = route.iface};
    return true;
}

/* False when packets of others for this address go another way: routing looks at more than the address here. */
static bool open_way(struct router *r, const struct way *wanted)
{
    struct way *way;
    HASH_FIND(hh, r->shortcut.ways, &wanted->to, sizeof(wanted->to), way);
    if (way)
        return way->hop == wanted->hop && way->door == wanted->door;
    way = malloc(sizeof(*way));
    if (!way)
        return false;
    *way = *wanted;
    HASH_ADD(hh, r->shortcut.ways, to, sizeof(way->to), way);
    const struct element hop = {"hops", {way->to}, 1, true, way->hop, .table = TABLE_SHORTCUT};
    const struct element door = {"doors", {way->to}, 1, true, ntohl(way->door), .table = TABLE_SHORTCUT};
    binding_put(r, batch_add, &hop);
    binding_put(r, batch_add, &door); /* a number in the host's order */
    return true;
}

/* ---- flows ---- */

struct filling {
    struct router *r;
    int left;
};

static void take_in(void *ctx, const struct flow_info *flow)
{
    struct filling *f = ctx;
    struct router *r = f->r;
    struct way way;
    if (!flow->in_kernel || flow->shortcut || flow->by_rules == 0 || f->left == 0 || r->address == 0)
        return;
    f->left--;
    if (!find_way(r, flow, &way) || !open_way(r, &way))
        return;
    struct element e = binding_element(r, TABLE_SHORTCUT, &flow->key, flow->host);
    e.expiry = DEAD_AFTER;
    binding_put(r, batch_add, &e);
    flows_set_shortcut(r->flows, &flow->key, true);
}

static void put_out(void *ctx, const struct flow_info *flow)
{
    const struct router *r = ctx;
    if (flow->shortcut)
        flows_set_shortcut(r->flows, &flow->key, false);
}

static void do_without(struct router *r, const char *why)
{
    r->shortcut.there = false;
    flows_each(r->flows, put_out, r);
    forget_ways(&r->shortcut);
    router_say(r, "warning", "kernel",
               "No shortcut at the devices: %s. What is bound goes by all rules, which costs a little more.", why);
}

void shortcut_fill(struct router *r)
{
    struct filling filling = {r, FILL_MAX};
    if (binding_count_shortcut(r) == ERR_NOTFOUND)
        do_without(r, "somebody has removed the table netdev " ROUTER_TABLE);
    else
        flows_each(r->flows, take_in, &filling);
}

void shortcut_leave(struct router *r, const struct flow_info *flow)
{
    if (!flow->shortcut)
        return;
    const struct element e = binding_element(r, TABLE_SHORTCUT, &flow->key, flow->host);
    binding_put(r, batch_add, &e); /* it may be gone by itself, and what is not there cannot be deleted */
    binding_put(r, batch_delete, &e);
    flows_set_shortcut(r->flows, &flow->key, false);
}

static void flush(struct router *r, const char *const *sets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)batch_flush_set(&r->batch, TABLE_SHORTCUT, sets[i]);
}

void shortcut_empty(struct router *r)
{
    struct shortcut *s = &r->shortcut;
    const usec_t now = loop_now(r->loop);
    s->empty_at = now + LIFE;
    if (!s->there)
        return;
    (void)binding_count_shortcut(r);
    read_devices(r->options, s);
    binding_commit(r); /* so that there is room for this in one transaction */
    flush(r, bound, ARRAY_LEN(bound));
    const struct element first = {"fits", {0}, 1, .table = TABLE_SHORTCUT};
    const struct element end = {"fits", {s->mtu + 1}, 1, .table = TABLE_SHORTCUT, .end = true};
    if (s->mtu >= MTU_MIN) {
        binding_put(r, batch_add, &first);
        binding_put(r, batch_add, &end);
    }
    binding_commit(r);
    flush(r, leading, ARRAY_LEN(leading)); /* later: a packet that is being translated now still finds its way */
    binding_commit(r);
    flows_each(r->flows, put_out, r);
    forget_ways(s);
    r->count_at = usec_min(r->count_at, now + FILL_AFTER);
}

void shortcut_look(struct router *r, bool routes)
{
    struct shortcut now = {.there = r->shortcut.there};
    if (!now.there)
        return;
    read_devices(r->options, &now);
    if (routes || now.mtu != r->shortcut.mtu || memcmp(now.devices, r->shortcut.devices, sizeof(now.devices)) != 0)
        shortcut_empty(r);
}

/* ---- up and down ---- */

void shortcut_set_up(struct router *r)
{
    char ruleset[RULESET_MAX], message[ROUTER_WHY - 192];
    (void)nft_table_remove("netdev", ROUTER_TABLE); /* of one that has crashed */
    r->shortcut.empty_at = USEC_NEVER;
    if (!r->tracker || !ruleset_write_shortcut(r->options, ruleset))
        return;
    if (nft_apply(view_str(ruleset), message, sizeof(message)) != ERR_OK) {
        do_without(r, message[0] ? message : strerror(errno));
        return;
    }
    r->shortcut.there = true;
    r->shortcut.empty_at = 0; /* which measures the devices too */
}

void shortcut_done(struct router *r)
{
    forget_ways(&r->shortcut);
}
