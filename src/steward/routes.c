/* The tunnel's routing table, and the two rules that lead into it: first the main table without its default route, then
 * ours, which is not for packets that carry a mark of this project. */
#include "steward/steward_internal.h"

#include <errno.h>
#include <unistd.h>

#define TABLE_MAX (STEWARD_ROUTES + 8)

static bool has_ipv6(void)
{
    return access("/proc/net/if_inet6", F_OK) == 0;
}

struct table {
    struct route list[2 * TABLE_MAX]; /* of both families */
    size_t n;
};

static void add(struct table *t, const struct steward_host *host, struct ip_addr to, uint8_t bits, bool unreachable)
{
    t->list[t->n++] = (struct route){.to = to,
                                     .bits = bits,
                                     .iface = unreachable ? 0 : host->record.iface_index,
                                     .table = steward_number_table(host->record.number),
                                     .unreachable = unreachable};
}

/* One of the host's own name servers, which is asked beside the tunnel for a while. */
static void throw(struct table * t, const struct steward_host *host, const struct ip_addr *to)
{
    if (to->family == 6 && !has_ipv6())
        return;
    add(t, host, *to, (uint8_t)(ip_addr_size(to) * 8), false);
    t->list[t->n - 1].iface = 0;
    t->list[t->n - 1].thrown = true;
}

static bool blocks_ipv6(const struct steward_plan *plan)
{
    return plan->everything && !plan->address6.family && !plan->leave_ipv6 && has_ipv6();
}

static struct table wanted(const struct steward_host *host, const struct steward_plan *plan)
{
    static const struct ip_addr all4 = {.family = 4}, all6 = {.family = 6};
    struct table t = {.n = 0};
    if (plan->address.family == 0)
        return t;
    if (plan->remote.family && !ip_equal(&plan->remote, &plan->address))
        add(&t, host, plan->remote, 32, false);
    for (size_t i = 0; i < plan->route_count; i++)
        add(&t, host, plan->routes[i].to, plan->routes[i].bits, false);
    if (plan->everything)
        add(&t, host, all4, 0, false);
    if (plan->everything && plan->address6.family)
        add(&t, host, all6, 0, false);
    if (blocks_ipv6(plan))
        add(&t, host, all6, 0, true);
    for (size_t i = 0; plan->lookups && i < host->former_dns_count; i++)
        throw(&t, host, &host->former_dns[i]);
    return t;
}

static bool has(const struct table *t, const struct route *route)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct route *r = &t->list[i];
        if (ip_equal(&r->to, &route->to) && r->bits == route->bits && r->unreachable == route->unreachable &&
            r->thrown == route->thrown && (r->unreachable || r->thrown || r->iface == route->iface))
            return true;
    }
    return false;
}

static enum err read_table(uint32_t table, struct table *out)
{
    size_t n4 = 0, n6 = 0;
    const enum err e = route_list(4, table, out->list, TABLE_MAX, &n4);
    if (e == ERR_OK && has_ipv6())
        route_list(6, table, out->list + n4, TABLE_MAX, &n6);
    out->n = n4 + n6;
    return e;
}

/* A table can hold more than one reading brings, when somebody else has added to it. */
static enum err remove_unwanted(uint32_t table, const struct table *keep)
{
    for (int round = 0; round < 16; round++) {
        struct table is;
        size_t removed = 0;
        enum err e = read_table(table, &is);
        for (size_t i = 0; e == ERR_OK && i < is.n; i++) {
            if (has(keep, &is.list[i]))
                continue;
            e = route_del(&is.list[i]);
            e = e == ERR_NOTFOUND ? ERR_OK : e;
            removed++;
        }
        if (e != ERR_OK || removed == 0)
            return e;
    }
    return ERR_LIMIT;
}

static enum err fail(enum err e, const char *what, char why[static STEWARD_WHY])
{
    steward_say(why, "cannot %s: %s", what, e == ERR_SYSTEM ? strerror(errno) : err_text(e));
    return e;
}

enum err steward_routes_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    const struct table want = wanted(host, plan);
    struct steward_record record = host->record;
    if (want.n == 0 && !record.routes)
        return ERR_OK;
    record.routes = true;
    enum err e = steward_journal(host, &record, why);
    for (size_t i = 0; e == ERR_OK && i < want.n; i++) {
        e = route_add(&want.list[i]);
        e = e == ERR_EXISTS ? ERR_OK : e;
        if (e != ERR_OK)
            return fail(e, "add a route to the tunnel's table", why);
    }
    if (e == ERR_OK && (e = remove_unwanted(steward_number_table(record.number), &want)) != ERR_OK)
        return fail(e, "remove a route from the tunnel's table", why);
    record.routes = want.n > 0;
    return e == ERR_OK ? steward_journal(host, &record, why) : e;
}

/* ---- rules ---- */

static enum err change_pair(const struct steward_host *host, uint8_t family, bool wanted_here)
{
    const struct rule pair[] = {
        {.family = family, .priority = host->record.priority, .table = RULE_TABLE_MAIN, .no_default = true},
        {.family = family,
         .priority = host->record.priority + 1,
         .table = steward_number_table(host->record.number),
         .mark = STEWARD_MARK_CLASS,
         .mask = STEWARD_MARK_MASK,
         .inverted = true},
    };
    for (size_t i = 0; i < ARRAY_LEN(pair); i++) {
        enum err e = wanted_here ? rule_add(&pair[i]) : rule_del(&pair[i]);
        e = e == (wanted_here ? ERR_EXISTS : ERR_NOTFOUND) ? ERR_OK : e;
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

enum err steward_rules_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    const bool want4 = wanted(host, plan).n > 0;
    const bool want6 = want4 && (plan->address6.family || blocks_ipv6(plan));
    struct steward_record record = host->record;
    if (!want4 && record.priority == 0)
        return ERR_OK;
    if (record.priority == 0)
        record.priority = steward_priority_choose();
    if (record.priority == 0)
        return fail(ERR_LIMIT, "find two free priorities for routing rules", why);
    enum err e = steward_journal(host, &record, why);
    if (e != ERR_OK)
        return e;
    e = change_pair(host, 4, want4);
    if (e == ERR_OK && has_ipv6())
        e = change_pair(host, 6, want6);
    if (e != ERR_OK)
        return fail(e, want4 ? "add a routing rule" : "remove a routing rule", why);
    if (!want4)
        record.priority = 0;
    return steward_journal(host, &record, why);
}
