/* The host around the gateway: our inner addresses, the pools' routes, forwarding, and the firewall table, which
 * the aftermath removes with the control socket when the gateway is gone, however it went. */
#include "gateway/gateway_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TABLE "sekisho"

static enum err add_address(uint32_t iface, const struct ip_addr *addr)
{
    const enum err e = iface_address_add(iface, addr, 32, NULL);
    return e == ERR_EXISTS ? ERR_OK : e;
}

/* A device that outlives us may have its routes still. By another interface, clients would hear nothing back. */
static enum err add_route(uint32_t iface, const struct ip_prefix *to, char why[static AAA_WHY_MAX])
{
    const struct route wanted = {.to = to->addr, .bits = to->bits, .iface = iface};
    struct route found;
    char text[IP_TEXT_MAX];
    const enum err e = route_add(&wanted);
    if (e != ERR_EXISTS || (route_alike(&wanted, &found) == ERR_OK && found.iface == iface))
        return e == ERR_EXISTS ? ERR_OK : e;
    snprintf(why, AAA_WHY_MAX,
             "the host has a route %s/%u elsewhere, which would take what is sent to the clients of a pool; "
             "remove it, or give the pool another range",
             ip_text(&to->addr, text), to->bits);
    return e;
}

static enum err add_routes(uint32_t iface, const struct config_range *range, char why[static AAA_WHY_MAX])
{
    struct ip_prefix prefixes[CONFIG_PREFIXES_MAX];
    const size_t n = config_range_prefixes(range, prefixes);
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < n; i++)
        e = add_route(iface, &prefixes[i], why);
    return e;
}

static enum err set_up_pool(uint32_t iface, const struct config_pool *pool, char why[static AAA_WHY_MAX])
{
    enum err e = add_address(iface, &pool->gateway);
    for (uint32_t i = 0; e == ERR_OK && i < pool->ranges.count; i++)
        e = add_routes(iface, &pool->ranges.range[i], why);
    return e;
}

void network_ruleset(const struct config *c, const char *own, char out[static RULESET_MAX])
{
    size_t n =
        (size_t)snprintf(out, RULESET_MAX,
                         "table inet " TABLE "\ndelete table inet " TABLE "\ntable inet " TABLE " {\n"
                         "  chain postrouting {\n    type nat hook postrouting priority srcnat; policy accept;\n");
    for (size_t i = 0; i < c->pool_count; i++)
        for (uint32_t j = 0; j < c->pools[i].ranges.count; j++) {
            const struct config_range *range = &c->pools[i].ranges.range[j];
            const struct ip_addr first = ip4_addr(range->first), last = ip4_addr(range->last);
            char a[IP_TEXT_MAX], b[IP_TEXT_MAX];
            const bool single = range->first == range->last;
            n += (size_t)snprintf(out + n, RULESET_MAX - n, "    ip saddr %s%s%s oifname %s\"%s\" masquerade\n",
                                  ip_text(&first, a), single ? "" : "-", single ? "" : ip_text(&last, b),
                                  c->net.outside[0] ? "" : "!= ", c->net.outside[0] ? c->net.outside : own);
        }
    snprintf(out + n, RULESET_MAX - n, "  }\n}\n");
}

static enum err set_up_firewall(struct gateway *g, char why[static AAA_WHY_MAX])
{
    char ruleset[RULESET_MAX];
    network_ruleset(g->config, tun_name(g->shards[0].tun), ruleset);
    const enum err e = nft_apply(view_str(ruleset), why, AAA_WHY_MAX);
    if (e == ERR_NOTFOUND)
        snprintf(why, AAA_WHY_MAX, "the program nft is not installed; install nftables or set net.masquerade = false");
    return e;
}

/* What one client sends another goes out where it came in, and the kernel would tell the sender of a shorter way that
 * there is not. Where /proc/sys cannot be written it goes on telling. The kernel tells when either of the two says so.
 */
static void send_no_redirects(const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "net/ipv4/conf/%s/send_redirects", name);
    if (sysctl_set(path, "0") == ERR_OK)
        (void)sysctl_set("net/ipv4/conf/all/send_redirects", "0");
}

enum err network_up(struct gateway *g, char why[static AAA_WHY_MAX])
{
    const uint32_t iface = tun_iface(g->shards[0].tun);
    why[0] = '\0';
    enum err e = iface_set_mtu(iface, g->config->ppp.mtu);
    if (e == ERR_OK)
        e = iface_set_up(iface, true);
    for (size_t i = 0; e == ERR_OK && i < g->config->pool_count; i++)
        e = set_up_pool(iface, &g->config->pools[i], why);
    if (e == ERR_OK)
        e = sysctl_set("net/ipv4/ip_forward", "1");
    if (e != ERR_OK && !why[0])
        snprintf(why, AAA_WHY_MAX, "cannot set up the interface %s: %s", tun_name(g->shards[0].tun), strerror(errno));
    if (e != ERR_OK)
        return e;
    send_no_redirects(tun_name(g->shards[0].tun));
    return g->config->net.masquerade ? set_up_firewall(g, why) : ERR_OK;
}

void network_down(void *ctx)
{
    const struct gateway *g = ctx;
    (void)nft_table_remove("inet", TABLE);
    (void)local_remove_stale(g->config->control.socket); /* its directory may be root's */
}
