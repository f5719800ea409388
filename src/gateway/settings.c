/* From the configuration's words to those of the protocol modules: the one place that knows both. */
#include "gateway/gateway_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTER_MTU  1500
#define SECONDS(n) ((usec_t)(n)*USEC_SEC)

static uint32_t share(uint32_t total, uint8_t shards)
{
    const uint32_t part = (total + shards - 1) / shards;
    return part > 0 ? part : 1;
}

struct ike_psk *settings_psks(const struct config *config)
{
    struct ike_psk *psks = calloc(config->psk_count, sizeof(*psks));
    for (size_t i = 0; psks && i < config->psk_count; i++) {
        view_copy_text(psks[i].name, sizeof(psks[i].name), view_str(config->psks[i].name));
        psks[i].key = config->psks[i].key;
        psks[i].peer = config->psks[i].peer;
    }
    return psks;
}

static struct ike_config ike_settings(const struct gateway *g, const struct config *c, uint8_t shard)
{
    return (struct ike_config){
        .policy = (enum ike_policy)c->ike.policy,
        .encap = (enum ike_encap)c->ike.encapsulation,
        .psks = g->psks,
        .psk_count = c->psk_count,
        .ike_lifetime = c->ike.lifetime,
        .child_lifetime = c->ike.child_lifetime,
        .dpd_interval = SECONDS(c->ike.dpd_interval),
        .dpd_timeout = SECONDS(c->ike.dpd_timeout),
        .natt_keepalive = SECONDS(20),
        .max_half_open = share(c->limits.half_open, g->shard_count),
        .max_half_open_per_source = c->limits.half_open_per_source,
        .max_sas = share(c->limits.sas, g->shard_count),
        .shard = shard,
        .shard_bits = g->shard_bits,
    };
}

static struct l2tp_config l2tp_settings(const struct gateway *g, const struct config *c, uint8_t shard)
{
    struct l2tp_config out = {
        .secret = c->l2tp.secret,
        .receive_window = (uint16_t)c->l2tp.window,
        .hello_interval = SECONDS(c->l2tp.hello),
        .retransmit_first = SECONDS(1),
        .retransmit_cap = SECONDS(8),
        .retransmit_tries = 6,
        .ack_delay = 100 * USEC_MSEC,
        .max_tunnels = share(c->limits.tunnels, g->shard_count),
        .max_tunnels_per_carrier = 4,
        .max_sessions_per_tunnel = 4,
        .shard = shard,
        .shard_bits = g->shard_bits,
    };
    if (c->l2tp.host_name[0])
        view_copy_text(out.host_name, sizeof(out.host_name), view_str(c->l2tp.host_name));
    else if (gethostname(out.host_name, sizeof(out.host_name) - 1) != 0)
        strcpy(out.host_name, "sekisho");
    return out;
}

static struct ppp_config ppp_settings(const struct config *c)
{
    struct ppp_config out = {
        .server = true,
        .mru = (uint16_t)c->ppp.mru,
        .mtu = (uint16_t)c->ppp.mtu,
        .acfc = true,
        .pfc = true,
        .echo_interval = SECONDS(c->ppp.echo_interval),
        .echo_failures = c->ppp.echo_failures,
        .restart = SECONDS(3),
        .max_configure = 10,
        .max_terminate = 2,
        .auth_timeout = SECONDS(c->ppp.auth_timeout),
        .name = "sekisho",
        .ipv6 = c->ppp.ipv6,
    };
    for (size_t i = 0; i < ARRAY_LEN(out.auth); i++)
        out.auth[i] = (enum ppp_auth)c->ppp.auth.method[i];
    return out;
}

static struct dhcp_facts dhcp_settings(const struct config *c)
{
    struct dhcp_facts out = {.route_count = c->net.routes.count};
    for (uint32_t i = 0; i < c->net.routes.count; i++)
        out.routes[i] = (struct dhcp_route){c->net.routes.prefix[i].addr, c->net.routes.prefix[i].bits};
    view_copy_text(out.domain, sizeof(out.domain), view_str(c->net.domain));
    return out;
}

enum err settings_stack(struct gateway *g, const struct config *c, uint8_t shard, struct stack_config *out)
{
    *out = (struct stack_config){
        .ike = ike_settings(g, c, shard),
        .esp = {.max_sas = 4 * share(c->limits.sas, g->shard_count), .shard = shard, .shard_bits = g->shard_bits},
        .l2tp = l2tp_settings(g, c, shard),
        .ppp = ppp_settings(c),
        .dhcp = dhcp_settings(c),
        .outer_mtu = OUTER_MTU,
        .max_peers = share(c->limits.sas, g->shard_count),
        .max_sessions = share(c->limits.sessions, g->shard_count),
        .allow_plain = c->l2tp.allow_plain,
        .coalesce_udp = g->shards && g->shards[shard].tun && tun_has_udp_offload(g->shards[shard].tun),
    };
    return ERR_OK;
}
