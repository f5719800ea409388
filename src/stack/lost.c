/* Why ESP gets lost although IKE came through: addresses are translated on the way, and NAT traversal was not agreed.
 * Nobody tells us of such a NAT, since finding it is a part of NAT traversal. It shows in what the other side calls
 * itself (its identity or its selector), and to a client in its own address, when that is one that no server on the
 * internet can answer. */
#include "stack/stack_internal.h"

#include <stdio.h>
#include <string.h>

/* RFC 1918, and RFC 6598 for the NAT of a provider. */
static bool is_private(const struct ip_addr *a)
{
    const uint32_t v = ip4_value(a);
    return a->family == 4 &&
           (v >> 24 == 10 || v >> 20 == (172u << 4 | 1) || v >> 16 == (192u << 8 | 168) || v >> 22 == (100u << 2 | 1));
}

static const char *who_is_without(const struct ike_peer_info *info, bool client)
{
    if (!info->natt_here)
        return client || info->natt_there ? "it is switched off here" : "neither side offers it";
    return "the other side does not offer it";
}

enum cause esp_lost(const struct stack *s, const struct peer *peer, enum cause otherwise,
                    char detail[static LOST_DETAIL_MAX])
{
    struct ike_peer_info info;
    char claims[IP_TEXT_MAX], seen[IP_TEXT_MAX];
    const struct ip_addr *local = &peer->path.local.addr, *remote = &peer->path.remote.addr;
    detail[0] = '\0';
    if (peer->plain || !ike_peer_info(s->ike, peer->ike_peer, &info) || (info.natt_here && info.natt_there))
        return otherwise;
    const char *without = who_is_without(&info, peer->client);
    if (info.claims.family == remote->family && !ip_equal(&info.claims, remote))
        snprintf(detail, LOST_DETAIL_MAX, "the %s calls itself %s and is heard from %s; NAT traversal: %s",
                 peer->client ? "server" : "client", ip_text(&info.claims, claims), ip_text(remote, seen), without);
    else if (peer->client && is_private(local) && !is_private(remote))
        snprintf(detail, LOST_DETAIL_MAX, "the private address %s is translated before %s; NAT traversal: %s",
                 ip_text(local, claims), ip_text(remote, seen), without);
    else
        return otherwise;
    return CAUSE_ESP_NAT;
}
