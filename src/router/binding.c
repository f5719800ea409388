/* The kernel's maps and sets, as the tracker wants them: changed when a binding becomes certain or ends, read for
 * counters that keep a binding young, and written anew when the outside address has changed or something went wrong. */
#include "router/router_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INBOUND       "inbound"
#define OUTBOUND      "outbound"
#define SERVERS       "servers"
#define OUTSIDE       "outside"
#define ARRIVALS      "arrivals"
#define RESYNC_PAUSE  USEC_SEC /* between two attempts at most this often */
#define SERVERS_FIRST 16

struct element binding_element(const struct router *r, enum router_table table, const struct flow_key *key,
                               uint32_t host)
{
    if (key->way == TRACKER_IN)
        return (struct element){INBOUND, {key->server, (uint32_t)key->id}, 2, true, host, .table = table};
    return (struct element){OUTBOUND, {key->host, key->server, (uint32_t)key->id}, 3, true, r->address, .table = table};
}

static struct element server_element(uint32_t server)
{
    return (struct element){.set = SERVERS, .key = {server}, .words = 1};
}

/* ---- one transaction a turn ---- */

static void write_off(struct router *r)
{
    r->resync_at = usec_min(r->resync_at, loop_now(r->loop) + RESYNC_PAUSE);
}

void binding_commit(struct router *r)
{
    if (r->batch.changes == 0)
        return;
    const enum err e = kernel_commit(r->kernel, &r->batch);
    if (e != ERR_OK) {
        router_say(r, "warning", "kernel", "The kernel refused changes of its table: %s. All are written anew.",
                   strerror(errno));
        write_off(r);
    }
    batch_begin(&r->batch);
}

typedef bool change(struct batch *b, const struct element *e);

void binding_put(struct router *r, change *what, const struct element *e)
{
    if (what(&r->batch, e))
        return;
    binding_commit(r);
    (void)what(&r->batch, e);
}

/* What comes in is translated before routing, and let pass and counted behind it. */
static void put_rules(struct router *r, change *what, const struct flow_key *key, uint32_t host)
{
    struct element e = binding_element(r, TABLE_RULES, key, host);
    binding_put(r, what, &e);
    if (key->way != TRACKER_IN)
        return;
    e.set = ARRIVALS;
    e.has_data = false;
    binding_put(r, what, &e);
}

/* ---- servers ---- */

static bool known_server(const struct router *r, uint32_t server)
{
    for (size_t i = 0; i < r->server_count; i++)
        if (r->servers[i] == server)
            return true;
    return false;
}

void binding_server(struct router *r, uint32_t server)
{
    if (known_server(r, server))
        return;
    if (r->server_count == r->server_cap) {
        const size_t cap = r->server_cap > 0 ? 2 * r->server_cap : SERVERS_FIRST;
        uint32_t *grown = realloc(r->servers, cap * sizeof(*grown));
        if (!grown)
            return;
        r->servers = grown;
        r->server_cap = cap;
    }
    r->servers[r->server_count++] = server;
    const struct element e = server_element(server);
    binding_put(r, batch_add, &e);
    binding_commit(r); /* its answer may be quick */
}

static bool has_hosts(const struct router *r, uint32_t server)
{
    const void *at = NULL;
    struct tracker_server_info info;
    while (tracker_server_next(r->tracker, &at, &info))
        if (info.server == server)
            return true;
    return false;
}

static bool is_tracked(void *ctx, const struct flow_info *flow)
{
    const struct router *r = ctx;
    return flow->in_kernel || has_hosts(r, flow->key.server);
}

void binding_sweep(struct router *r)
{
    for (size_t i = 0; i < r->server_count;) {
        if (has_hosts(r, r->servers[i])) {
            i++;
            continue;
        }
        const struct element e = server_element(r->servers[i]);
        binding_put(r, batch_delete, &e);
        r->servers[i] = r->servers[--r->server_count];
    }
    flows_sweep(r->flows, is_tracked, r);
    binding_commit(r);
}

/* ---- bindings ---- */

static struct flow_key key_of(const struct tracker_event *event)
{
    return (struct flow_key){.way = event->way,
                             .host = event->way == TRACKER_OUT ? event->host : 0,
                             .server = event->server,
                             .id = event->spi};
}

static void take_out(struct router *r, const struct flow_key *key)
{
    struct flow_info flow;
    if (!flows_find(r->flows, key, &flow) || !flow.in_kernel)
        return;
    shortcut_leave(r, &flow);
    put_rules(r, batch_delete, key, flow.host);
    flows_set_kernel(r->flows, key, flow.host, false);
}

static void put_in(struct router *r, const struct flow_key *key, uint32_t host)
{
    struct flow_info flow;
    if (flows_find(r->flows, key, &flow) && flow.in_kernel && flow.host == host)
        return;
    take_out(r, key);
    if (!flows_set_kernel(r->flows, key, host, true) || r->address == 0)
        return;
    put_rules(r, batch_add, key, host);
}

void binding_event(struct router *r, const struct tracker_event *event)
{
    const struct flow_key key = key_of(event);
    if (event->ike)
        return; /* always comes through us */
    restart_soon(r);
    if (event->type == TRACKER_BOUND)
        put_in(r, &key, event->host);
    else if (event->type == TRACKER_UNBOUND)
        take_out(r, &key);
}

static void write_flow(void *ctx, const struct flow_info *flow)
{
    struct router *r = ctx;
    if (!flow->in_kernel)
        return;
    (void)flows_set_kernel(r->flows, &flow->key, flow->host, true); /* its counters begin anew */
    put_rules(r, batch_add, &flow->key, flow->host);
}

void binding_resync(struct router *r)
{
    r->resync_at = USEC_NEVER;
    static const char *const sets[] = {INBOUND, ARRIVALS, OUTBOUND, SERVERS, OUTSIDE};
    shortcut_empty(r);
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        (void)batch_flush_set(&r->batch, TABLE_RULES, sets[i]);
    const struct element outside = {.set = OUTSIDE, .key = {r->address}, .words = 1};
    if (r->address)
        binding_put(r, batch_add, &outside);
    for (size_t i = 0; i < r->server_count; i++) {
        const struct element e = server_element(r->servers[i]);
        binding_put(r, batch_add, &e);
    }
    if (r->address)
        flows_each(r->flows, write_flow, r);
    binding_commit(r);
}

/* ---- counters ---- */

static void count_element(struct router *r, enum flow_place place, const struct dump_element *e)
{
    const bool in = e->words == 2;
    if (!in && e->words != 3)
        return;
    const struct flow_key key = {.way = in ? TRACKER_IN : TRACKER_OUT,
                                 .host = in ? 0 : e->key[0],
                                 .server = in ? e->key[0] : e->key[1],
                                 .id = in ? e->key[1] : e->key[2]};
    struct flow_info before, after;
    if (!flows_find(r->flows, &key, &before))
        return;
    const uint64_t more = flows_counted(r->flows, &key, place, e->packets, e->bytes);
    if (more == 0 || !flows_find(r->flows, &key, &after))
        return;
    r->packets[key.way] += more;
    r->bytes[key.way] += after.bytes - before.bytes;
    tracker_used(r->tracker, loop_now(r->loop), (enum tracker_way)key.way, before.host, key.server, (uint32_t)key.id,
                 more);
}

static void count_by_rules(void *ctx, const struct dump_element *e)
{
    count_element(ctx, FLOW_BY_RULES, e);
}

static void count_by_shortcut(void *ctx, const struct dump_element *e)
{
    count_element(ctx, FLOW_BY_SHORTCUT, e);
}

static void count_drop(void *ctx, const struct dump_counter *c)
{
    struct router *r = ctx;
    for (int i = 0; i < ROUTER_DROPS; i++)
        if (strcmp(router_drop_word((enum router_drop)i), c->name) == 0)
            r->kernel_drops[i] = c->packets;
}

enum err binding_count_shortcut(struct router *r)
{
    const struct dump_sink sink = {count_by_shortcut, NULL, r};
    const enum err e = kernel_dump(r->kernel, TABLE_SHORTCUT, INBOUND, &sink);
    return e == ERR_OK ? kernel_dump(r->kernel, TABLE_SHORTCUT, OUTBOUND, &sink) : e;
}

enum err binding_count(struct router *r)
{
    const struct dump_sink sink = {count_by_rules, count_drop, r};
    enum err e = kernel_dump(r->kernel, TABLE_RULES, NULL, &sink);
    if (e == ERR_OK && r->tracker)
        e = kernel_dump(r->kernel, TABLE_RULES, ARRIVALS, &sink);
    if (e == ERR_OK && r->tracker)
        e = kernel_dump(r->kernel, TABLE_RULES, OUTBOUND, &sink);
    if (e == ERR_OK && r->shortcut.there)
        shortcut_fill(r);
    return e;
}
