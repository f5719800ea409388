/*
 * Peers: what stays the same while IKE SAs and ESP pairs come and go (clients.md rules 15 to 18). A new main mode by
 * the same identity, with the same key, from the same outer address and port is the same peer: Apple's clients do so
 * every hour, and their L2TP session lives on. Behind one NAT there may be many with equal inner addresses; the port
 * tells them apart.
 */
#include "ike/ike_internal.h"

#include <stdlib.h>
#include <string.h>

#define PEERS_PER_SA 2 /* peers may outlive their IKE SA as long as ESP pairs are left */

static uint64_t endpoint_key(const struct ike *ike, const struct endpoint *e)
{
    uint64_t key = ike->seed ^ e->port;
    for (size_t i = 0; i < ip_addr_size(&e->addr); i++)
        key = (key ^ e->addr.b[i]) * 0x100000001b3u;
    return key;
}

static bool grow(struct ike *ike)
{
    const uint32_t cap = ike->peer_cap ? ike->peer_cap * 2 : 16;
    if (ike->peer_cap >= (uint64_t)ike->config.max_sas * PEERS_PER_SA)
        return false;
    struct peer **peers = realloc(ike->peers, cap * sizeof(struct peer *));
    if (!peers)
        return false;
    ike->peers = peers;
    uint32_t *spare = realloc(ike->peer_spare, cap * sizeof(*spare));
    if (!spare)
        return false;
    ike->peer_spare = spare;
    for (uint32_t number = cap; number > ike->peer_cap; number--) {
        peers[number - 1] = NULL;
        spare[ike->peer_spare_count++] = number;
    }
    ike->peer_cap = cap;
    return true;
}

struct peer *peer_new(struct ike *ike, const struct path *path)
{
    if (ike->peer_spare_count == 0 && !grow(ike))
        return NULL;
    struct peer *peer = calloc(1, sizeof(*peer));
    if (!peer)
        return NULL;
    peer->number = ike->peer_spare[--ike->peer_spare_count];
    ike->peers[peer->number - 1] = peer;
    peer->path = *path;
    peer->alive = ike->now;
    peer->watch.ring = dpd_ring;
    peer->dpd_sent = random_u32(&ike->env.random) >> 1;
    peer->dpd_first = peer->dpd_sent + 1;
    list_init(&peer->sas);
    list_init(&peer->children);
    index_add(&ike->by_remote, &peer->node, endpoint_key(ike, &path->remote));
    return peer;
}

/* DPD would have found out if it were gone. */
static bool is_watched(const struct ike *ike, const struct peer *peer)
{
    return peer->dpd && ike->config.dpd_interval != 0 && peer_sa(peer);
}

/* A router with IPsec passthrough gives all that are behind it one address and port 500, and without NAT traversal
 * nobody finds it. An identity that is an address tells them apart; a name may be a group's, so whoever says with it
 * that it has no other SA is not taken for the one that has some. */
static bool is_nameless_neighbour(const struct sa *sa, const struct who *who)
{
    return !sa->natt_agreed && sa->initial_contact && who->claims.family == 0;
}

/* Behind a NAT the port tells clients with equal identities apart, as long as the NAT cannot have given it to another.
 * Without one the address is the client's own. */
static bool is_same(const struct ike *ike, const struct peer *peer, const struct sa *sa, const struct who *who)
{
    if (is_nameless_neighbour(sa, who))
        return false;
    if (!peer->own_address || !sa_own_address(sa))
        return endpoint_equal(&peer->path.remote, &sa->path.remote) &&
               (is_watched(ike, peer) || ike->now - peer->alive < PEER_FRESH);
    return ip_equal(&peer->path.remote.addr, &sa->path.remote.addr);
}

void who_is(struct who *out, const struct identity *id, struct view proved)
{
    const struct view parts[] = {view_of(&id->type, 1), id->data, proved};
    digest_take_parts(&out->digest, parts, ARRAY_LEN(parts));
    out->claims = identity_address(id);
    if (proved.n > 0)
        view_copy_text(out->text, sizeof(out->text), proved);
    else
        identity_text(id, out->text);
}

static bool is_same_who(const struct who *a, const struct who *b)
{
    return a->digest.set && b->digest.set && memcmp(a->digest.b, b->digest.b, sizeof(a->digest.b)) == 0;
}

static struct peer *find_at(const struct ike *ike, uint16_t port, const struct sa *sa, const char *key_name,
                            const struct who *who)
{
    const struct endpoint at = {sa->path.remote.addr, port};
    const uint64_t key = endpoint_key(ike, &at);
    for (struct index_node *n = index_find(&ike->by_remote, key, NULL); n; n = index_find(&ike->by_remote, key, n)) {
        struct peer *peer = container_of(n, struct peer, node);
        if (is_same(ike, peer, sa, who) && peer->auth == sa->suite.auth && strcmp(peer->key_name, key_name) == 0 &&
            is_same_who(&peer->who, who))
            return peer;
    }
    return NULL;
}

/* Apple begins its hourly main mode from port 4500, and once more from 500. */
struct peer *peer_find(const struct ike *ike, const struct sa *sa, const char *key_name, const struct who *who)
{
    struct peer *peer = find_at(ike, sa->path.remote.port, sa, key_name, who);
    if (!peer)
        peer = find_at(ike, IKE_PORT, sa, key_name, who);
    return peer ? peer : find_at(ike, IKE_NATT_PORT, sa, key_name, who);
}

const struct peer *peer_opened(const struct ike *ike, const struct path *path)
{
    const uint16_t ports[] = {path->remote.port, IKE_PORT, IKE_NATT_PORT};
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        const struct endpoint at = {path->remote.addr, ports[i]};
        const uint64_t key = endpoint_key(ike, &at);
        for (struct index_node *n = index_find(&ike->by_remote, key, NULL); n;
             n = index_find(&ike->by_remote, key, n)) {
            const struct peer *peer = container_of(n, struct peer, node);
            if (peer->initiator && endpoint_equal(&peer->path.remote, &at))
                return peer;
        }
    }
    return NULL;
}

struct peer *peer_get(const struct ike *ike, uint32_t number)
{
    return number == 0 || number > ike->peer_cap ? NULL : ike->peers[number - 1];
}

struct sa *peer_sa(const struct peer *peer)
{
    for (struct link *l = peer->sas.prev; l != &peer->sas; l = l->prev) {
        struct sa *sa = container_of(l, struct sa, of_peer);
        if (sa->state == SA_UP)
            return sa;
    }
    return NULL;
}

void peer_adopt(struct ike *ike, struct peer *peer, struct sa *sa)
{
    LIST_EACH_SAFE(l, &peer->sas)
    container_of(l, struct sa, of_peer)->replaced = l != &sa->of_peer;
    if (sa->peer)
        return;
    list_append(&peer->sas, &sa->of_peer);
    sa->peer = peer;
    if (++peer->sa_count > PEER_SAS_MAX)
        sa_down(ike, container_of(peer->sas.next, struct sa, of_peer), CAUSE_REPLACED);
}

void peer_moved(struct ike *ike, struct peer *peer, const struct path *path, bool tell)
{
    if (path_equal(&peer->path, path))
        return;
    index_remove(&ike->by_remote, &peer->node);
    peer->path = *path;
    index_add(&ike->by_remote, &peer->node, endpoint_key(ike, &path->remote));
    struct ike_event *e = tell ? queue_event(ike, IKE_EVENT_MOVED) : NULL;
    if (!e)
        return;
    e->peer = peer->number;
    e->path = *path;
    const struct sa *sa = peer_sa(peer);
    e->attempt = sa ? sa->attempt : 0;
}

void peer_drop_older(struct ike *ike, struct peer *peer, const struct sa *keep)
{
    LIST_EACH_SAFE(l, &peer->sas)
    {
        struct sa *sa = container_of(l, struct sa, of_peer);
        if (sa == keep)
            return;
        sa_down(ike, sa, CAUSE_REPLACED);
    }
}

void peer_free(struct ike *ike, struct peer *peer)
{
    alarm_clear(ike, &peer->watch);
    index_remove(&ike->by_remote, &peer->node);
    ike->peers[peer->number - 1] = NULL;
    ike->peer_spare[ike->peer_spare_count++] = peer->number;
    free(peer);
}

void peer_settle(struct ike *ike, struct peer *peer)
{
    if (!peer->ending && list_empty(&peer->sas) && list_empty(&peer->children))
        peer_free(ike, peer);
}

void peer_end(struct ike *ike, struct peer *peer, enum cause cause, bool tell_peer)
{
    peer->ending = true;
    LIST_EACH_SAFE(l, &peer->children)
    child_down(ike, container_of(l, struct child, of_peer), cause, tell_peer);
    LIST_EACH_SAFE(l, &peer->sas)
    {
        struct sa *sa = container_of(l, struct sa, of_peer);
        if (tell_peer)
            sa_send_delete(ike, sa);
        sa_down(ike, sa, cause);
    }
    peer_free(ike, peer);
}

void peer_want_quick(struct ike *ike, struct peer *peer, uint32_t replaces)
{
    struct sa *sa = peer_sa(peer);
    if (sa) {
        if (quick_begin(ike, sa, replaces) != ERR_OK)
            child_retry(ike, replaces);
        return;
    }
    if (!peer->initiator) {
        child_retry(ike, replaces); /* the peer may make a new IKE SA meanwhile */
        return;
    }
    peer->quick_due = true;
    peer->quick_replaces = replaces;
    if (list_empty(&peer->sas) && initiator_begin(ike, peer) != ERR_OK)
        child_retry(ike, replaces);
}

void ike_close(struct ike *ike, usec_t now, uint32_t number)
{
    ike->now = now;
    struct peer *peer = peer_get(ike, number);
    if (peer)
        peer_end(ike, peer, CAUSE_NONE, true);
}

void ike_peer_alive(struct ike *ike, usec_t now, uint32_t number, const struct path *path)
{
    ike->now = now;
    struct peer *peer = peer_get(ike, number);
    if (!peer)
        return;
    peer->alive = now;
    if (path->remote.port == 0 || path_equal(&peer->path, path))
        return;
    struct sa *sa = peer_sa(peer);
    if (sa)
        sa->path = *path;
    peer_moved(ike, peer, path, false);
}

void ike_move(struct ike *ike, usec_t now, uint32_t number, const struct ip_addr *local)
{
    ike->now = now;
    struct peer *peer = peer_get(ike, number);
    if (!peer)
        return;
    LIST_EACH_SAFE(l, &peer->sas)
    container_of(l, struct sa, of_peer)->path.local.addr = *local;
    peer->path.local.addr = *local;
}

/* Some say 0.0.0.0 for any. */
static struct ip_addr claims_of(const struct peer *peer)
{
    static const struct ip_addr none, any4 = {.family = 4}, any6 = {.family = 6};
    const struct ip_addr claims = peer->who.claims.family ? peer->who.claims : peer->selects;
    return ip_equal(&claims, &any4) || ip_equal(&claims, &any6) ? none : claims;
}

bool ike_peer_info(const struct ike *ike, uint32_t number, struct ike_peer_info *out)
{
    const struct peer *peer = peer_get(ike, number);
    if (!peer)
        return false;
    char text[SUITE_TEXT_MAX];
    const struct sa *sa = peer_sa(peer);
    *out =
        (struct ike_peer_info){.path = peer->path, .initiator = peer->initiator, .dpd = peer->dpd, .auth = peer->auth};
    memcpy(out->psk, peer->key_name, sizeof(out->psk));
    memcpy(out->identity, peer->who.text, sizeof(out->identity));
    strncpy(out->kind, vendors_kind(&peer->vendors), sizeof(out->kind) - 1);
    out->natt_here = ike->config.encap != IKE_ENCAP_OFF;
    out->natt_there = vendors_natt(&peer->vendors) != NATT_NONE;
    out->claims = claims_of(peer);
    if (!sa)
        return true;
    memcpy(out->ike_transform, suite_text(&sa->suite, text), sizeof(out->ike_transform));
    out->nat_local = sa->nat_local;
    out->nat_remote = sa->nat_remote;
    return true;
}
