/* How the host is to be: while the connection is up, and while it is not but nothing may leak. */
#include "client/client_internal.h"

#include <stdio.h>
#include <string.h>

static void add_route(struct steward_plan *plan, const struct ip_addr *to, uint8_t bits)
{
    if (plan->route_count < STEWARD_ROUTES)
        plan->routes[plan->route_count++] = (struct steward_prefix){*to, bits};
}

/* A default route that the server tells of is a wish for everything. */
static void add_told(struct steward_plan *plan, const struct sekisho_network *network)
{
    for (uint32_t i = 0; i < network->route_count; i++) {
        struct ip_addr to;
        if (ip_parse(network->routes[i].to, &to) != ERR_OK)
            continue;
        if (network->routes[i].bits == 0)
            plan->everything = true;
        else
            add_route(plan, &to, network->routes[i].bits);
    }
}

static void add_domain(struct steward_plan *plan, const char *domain)
{
    const size_t n = strlen(domain);
    if (n > 0 && n < STEWARD_DOMAIN && plan->domain_count < STEWARD_DOMAINS)
        memcpy(plan->domains[plan->domain_count++], domain, n + 1);
}

static void add_names(struct steward_plan *plan, const struct wishes *wishes, const struct sekisho_network *network)
{
    for (size_t i = 0; i < wishes->dns_count; i++)
        plan->dns[plan->dns_count++] = wishes->dns[i];
    for (uint32_t i = 0; wishes->dns_of_tunnel && i < network->dns_count && plan->dns_count < STEWARD_DNS; i++)
        if (ip_parse(network->dns[i], &plan->dns[plan->dns_count]) == ERR_OK)
            plan->dns_count++;
    for (size_t i = 0; i < wishes->domain_count; i++)
        add_domain(plan, wishes->domains[i]);
    plan->dns_all = wishes->domain_count == 0; /* with domains listed, the others stay with the host's own servers */
    if (wishes->dns_of_tunnel)
        add_domain(plan, network->domain);
}

void host_plan(const struct wishes *wishes, const struct sekisho_network *network, struct steward_plan *out)
{
    *out = (struct steward_plan){
        .mtu = network->mtu,
        .everything = wishes->everything,
        .leave_ipv6 = wishes->leave_ipv6,
        .no_leak = wishes->no_leak,
    };
    (void)ip_parse(network->address, &out->address);
    (void)ip_parse(network->peer, &out->remote);
    (void)ip_parse(network->server, &out->server);
    for (size_t i = 0; i < wishes->route_count; i++)
        add_route(out, &wishes->routes[i].to, wishes->routes[i].bits);
    if (wishes->told)
        add_told(out, network);
    add_names(out, wishes, network);
    (void)steward_plan_trim(out); /* one odd item that a server tells must not spoil the rest */
}

static bool has_name(const struct engine *engine)
{
    struct ip_addr address;
    return ip_parse(engine->options->connection.server, &address) != ERR_OK;
}

/* The plan of before, with or without the host's own name servers. Without a guard, and before the tunnel's name
 * servers are in use, there is nothing in the way of a lookup. */
static enum err apply_again(struct engine *engine, bool lookups, char why[static STEWARD_WHY])
{
    struct steward_plan plan = engine->plan;
    plan.lookups = lookups && has_name(engine) && (plan.no_leak || plan.dns_count > 0);
    const enum err e = steward_apply(engine->steward, &plan, why);
    if (e != ERR_OK)
        return e;
    engine->lookups = plan.lookups;
    memcpy(engine->unasked, why, sizeof(engine->unasked));
    return ERR_OK;
}

bool host_guard(struct engine *engine, char *why, size_t cap)
{
    char text[STEWARD_WHY] = "";
    engine->plan = (struct steward_plan){.no_leak = engine->options->wishes.no_leak};
    if (!engine->plan.no_leak || apply_again(engine, true, text) == ERR_OK)
        return true;
    snprintf(why, cap, "The connection is not made without its guard against leaks: %s.", text);
    return false;
}

void host_again(struct engine *engine, bool lookups)
{
    char why[STEWARD_WHY] = "";
    if (!engine->applied && !engine->plan.no_leak)
        return;
    if (apply_again(engine, lookups, why) != ERR_OK)
        follow_say(engine, "note", why);
}

void host_try(struct engine *engine, const char *server)
{
    struct ip_addr to;
    const bool moved = engine->applied && ip_parse(server, &to) == ERR_OK && !ip_equal(&to, &engine->plan.server);
    const bool found = engine->lookups && engine->plan.no_leak;
    if (moved)
        engine->plan.server = to; /* a strict filter takes replies of the server that it knows */
    if (moved || found)
        host_again(engine, engine->lookups && !found); /* nobody else is to ask beside the tunnel any more */
}
