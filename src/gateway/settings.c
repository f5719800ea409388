/* From the configuration's words to those of the protocol modules: the one place that knows both. */
#include "gateway/gateway_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ESP_SAS_PER_PEER 4 /* two pairs while one replaces the other */
#define SECONDS(n)       ((usec_t)(n)*USEC_SEC)

static uint32_t share(uint32_t total, uint8_t shards)
{
    const uint32_t part = (total + shards - 1) / shards;
    return part > 0 ? part : 1;
}

/* Clients fall on shards at random, so that one may get more than its part before the gateway is full. */
#define UNEVENNESS_SHARE 8
#define UNEVENNESS_MIN   16

static uint32_t share_of_clients(uint32_t total, uint8_t shards)
{
    const uint32_t part = share(total, shards), more = part + part / UNEVENNESS_SHARE + UNEVENNESS_MIN;
    return more < total ? more : total;
}

struct ike_psk *settings_psks(const struct config *config)
{
    struct ike_psk *psks = calloc(config->psk_count > 0 ? config->psk_count : 1, sizeof(*psks));
    for (size_t i = 0; psks && i < config->psk_count; i++) {
        view_copy_text(psks[i].name, sizeof(psks[i].name), view_str(config->psks[i].name));
        psks[i].key = config->psks[i].key;
        psks[i].peer = config->psks[i].peer;
    }
    return psks;
}

static void set_ike(struct ike_config *out, const struct gateway *g, const struct config *c)
{
    out->policy = (enum ike_policy)c->ike.policy;
    out->encap = (enum ike_encap)c->ike.encapsulation;
    out->psks = g->psks;
    out->psk_count = c->psk_count;
    if (g->certificates)
        certificates_settings(g->certificates, out);
    out->ike_lifetime = c->ike.lifetime;
    out->child_lifetime = c->ike.child_lifetime;
    out->dpd_interval = SECONDS(c->ike.dpd_interval);
    out->dpd_timeout = SECONDS(c->ike.dpd_timeout);
    out->max_half_open = share(c->limits.half_open, g->shard_count);
    out->max_half_open_per_source = c->limits.half_open_per_source;
    out->max_sas = share_of_clients(c->limits.sas, g->shard_count);
}

static void set_l2tp(struct l2tp_config *out, const struct gateway *g, const struct config *c)
{
    out->secret = c->l2tp.secret;
    out->receive_window = (uint16_t)c->l2tp.window;
    out->hello_interval = SECONDS(c->l2tp.hello);
    out->max_tunnels = share_of_clients(c->limits.tunnels, g->shard_count);
    if (c->l2tp.host_name[0])
        view_copy_text(out->host_name, sizeof(out->host_name), view_str(c->l2tp.host_name));
    else if (gethostname(out->host_name, sizeof(out->host_name) - 1) != 0)
        strcpy(out->host_name, "sekisho");
}

static void set_ppp(struct ppp_config *out, const struct config *c)
{
    out->server = true;
    out->mru = (uint16_t)c->ppp.mru;
    out->mtu = (uint16_t)c->ppp.mtu;
    out->echo_interval = SECONDS(c->ppp.echo_interval);
    out->echo_failures = c->ppp.echo_failures;
    out->auth_timeout = SECONDS(c->ppp.auth_timeout);
    out->ipv6 = c->ppp.ipv6;
    out->asks = c->grid.enabled;
    strcpy(out->name, "sekisho");
    for (size_t i = 0; i < ARRAY_LEN(out->auth); i++)
        out->auth[i] = (enum ppp_auth)c->ppp.auth.method[i];
}

static struct dhcp_facts dhcp_settings(const struct config *c)
{
    struct dhcp_facts out = {.route_count = c->net.routes.count};
    for (uint32_t i = 0; i < c->net.routes.count; i++)
        out.routes[i] = (struct dhcp_route){c->net.routes.prefix[i].addr, c->net.routes.prefix[i].bits};
    view_copy_text(out.domain, sizeof(out.domain), view_str(c->net.domain));
    return out;
}

void settings_stack(struct gateway *g, const struct config *c, uint8_t shard, struct stack_config *out)
{
    stack_defaults(out);
    set_ike(&out->ike, g, c);
    set_l2tp(&out->l2tp, g, c);
    set_ppp(&out->ppp, c);
    if (g->certificates)
        out->ppp.tls = certificates_tls(g->certificates);
    out->esp.max_sas = ESP_SAS_PER_PEER * share_of_clients(c->limits.sas, g->shard_count);
    out->ike.shard = out->esp.shard = out->l2tp.shard = shard;
    out->ike.shard_bits = out->esp.shard_bits = out->l2tp.shard_bits = g->shard_bits;
    out->dhcp = dhcp_settings(c);
    out->max_peers = share_of_clients(c->limits.sas, g->shard_count);
    out->max_sessions = share_of_clients(c->limits.sessions, g->shard_count);
    out->allow_plain = c->l2tp.allow_plain;
    out->coalesce_udp = g->shards[shard].tun && tun_has_udp_offload(g->shards[shard].tun);
}
