/* Peers: the slot table, its index by IKE's numbers, and plain L2TP senders by their endpoint. */
#include "stack/stack_internal.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS       64
#define CARRIER_SLOT_BITS 20 /* of a carrier's number; above them is a count */
#define PLAIN_SHARE       8  /* of the peers may be strangers outside IPsec: they need no more than a spoofed address */

/* Doubles a table of pointers or numbers up to need entries; new entries are zero. */
static enum err grow_table(void **table, uint32_t *cap, uint32_t need, size_t size)
{
    if (need <= *cap)
        return ERR_OK;
    uint32_t wanted = *cap ? *cap : FIRST_SLOTS;
    while (wanted < need)
        wanted *= 2;
    uint8_t *grown = realloc(*table, wanted * size);
    if (!grown)
        return ERR_NOMEM;
    memset(grown + *cap * size, 0, (wanted - *cap) * size);
    *table = grown;
    *cap = wanted;
    return ERR_OK;
}

static uint32_t free_slot(struct stack *s)
{
    for (uint32_t i = s->peer_hint > 0 ? s->peer_hint : 1; i < s->peers_cap; i++)
        if (!s->peers[i])
            return i;
    const uint32_t next = s->peers_cap ? s->peers_cap : 1;
    void *table = s->peers;
    if (grow_table(&table, &s->peers_cap, next + 1, sizeof(*s->peers)) != ERR_OK)
        return 0;
    s->peers = table;
    return next;
}

struct peer *stack_peer_new(struct stack *s, const struct path *path)
{
    if (s->peers_n >= s->config.max_peers)
        return NULL;
    const uint32_t slot = free_slot(s);
    struct peer *peer = slot && slot >> CARRIER_SLOT_BITS == 0 ? calloc(1, sizeof(*peer)) : NULL;
    if (!peer)
        return NULL;
    peer->slot = slot;
    peer->carrier = ++s->carriers << CARRIER_SLOT_BITS | slot;
    peer->path = *path;
    peer->port_local = L2TP_PORT;
    peer->port_remote = L2TP_PORT;
    s->peers[slot] = peer;
    s->peer_hint = slot + 1;
    s->counters.peers = ++s->peers_n;
    return peer;
}

void stack_peer_free(struct stack *s, usec_t now, struct peer *peer, enum cause cause)
{
    l2tp_carrier_gone(s->l2tp, now, peer->carrier, cause);
    for (size_t i = 0; i < PEER_PAIRS_MAX; i++)
        if (peer->pairs[i])
            stack_pair_remove(s, peer->pairs[i]);
    /* L2TP's events about them come at the next settling, when nobody bears their carrier's name any more */
    while (peer->sessions)
        stack_session_down(s, now, peer->sessions->number, cause);
    timer_clear(&s->watches, &peer->watch);
    if (peer->ike_peer < s->peer_of_ike_cap && s->peer_of_ike[peer->ike_peer] == peer->slot)
        s->peer_of_ike[peer->ike_peer] = 0;
    if (peer->hh.tbl)
        HASH_DELETE(hh, s->plain, peer);
    stack_profile_drop(peer->profile);
    s->peers[peer->slot] = NULL;
    if (peer->slot < s->peer_hint)
        s->peer_hint = peer->slot;
    s->counters.peers = --s->peers_n;
    free(peer);
}

struct peer *stack_peer_at(const struct stack *s, uint32_t slot)
{
    return slot < s->peers_cap ? s->peers[slot] : NULL;
}

struct peer *stack_peer_by_carrier(const struct stack *s, uint32_t carrier)
{
    struct peer *peer = stack_peer_at(s, carrier & ((1u << CARRIER_SLOT_BITS) - 1));
    return peer && peer->carrier == carrier ? peer : NULL;
}

struct peer *stack_peer_by_ike(const struct stack *s, uint32_t ike_peer)
{
    return ike_peer < s->peer_of_ike_cap ? stack_peer_at(s, s->peer_of_ike[ike_peer]) : NULL;
}

enum err stack_peer_bind_ike(struct stack *s, struct peer *peer, uint32_t ike_peer)
{
    void *table = s->peer_of_ike;
    if (grow_table(&table, &s->peer_of_ike_cap, ike_peer + 1, sizeof(*s->peer_of_ike)) != ERR_OK)
        return ERR_NOMEM;
    s->peer_of_ike = table;
    s->peer_of_ike[ike_peer] = peer->slot;
    peer->ike_peer = ike_peer;
    return ERR_OK;
}

/* A key without the padding that comparison by bytes would see. */
static struct endpoint endpoint_key(const struct endpoint *e)
{
    struct endpoint key;
    memset(&key, 0, sizeof(key));
    key.addr.family = e->addr.family;
    memcpy(key.addr.b, e->addr.b, sizeof(key.addr.b));
    key.port = e->port;
    return key;
}

struct peer *stack_peer_plain(struct stack *s, const struct path *path, bool create)
{
    const struct endpoint key = endpoint_key(&path->remote);
    struct peer *peer = NULL;
    HASH_FIND(hh, s->plain, &key, sizeof(key), peer);
    if (peer || !create)
        return peer;
    peer = HASH_COUNT(s->plain) <= s->config.max_peers / PLAIN_SHARE ? stack_peer_new(s, path) : NULL;
    if (!peer)
        return NULL;
    peer->plain = true;
    peer->key = key;
    HASH_ADD(hh, s->plain, key, sizeof(key), peer);
    if (peer->hh.tbl)
        return peer;
    stack_peer_free(s, 0, peer, CAUSE_NO_MEMORY);
    return NULL;
}

void stack_peer_release_plain(struct stack *s, usec_t now, struct peer *peer, enum cause cause)
{
    if (peer->plain && l2tp_carrier_tunnels(s->l2tp, peer->carrier) == 0)
        stack_peer_free(s, now, peer, cause);
}

static bool has_pairs(const struct peer *peer)
{
    for (size_t i = 0; i < PEER_PAIRS_MAX; i++)
        if (peer->pairs[i])
            return true;
    return false;
}

/* In IKEv1 ESP SAs outlive the IKE SA that made them, and a new main mode may be under way when both are gone: a peer
 * lives as long as IKE knows it. IKE gives its number to nobody else before its last event is taken. */
void stack_peer_release_if_idle(struct stack *s, usec_t now, struct peer *peer, enum cause cause)
{
    struct ike_peer_info info;
    if (!peer->plain && !has_pairs(peer) && !ike_peer_info(s->ike, peer->ike_peer, &info))
        stack_peer_free(s, now, peer, cause);
}

/* Followed on authenticated packets only. The inner MTU depends on the address family and on encapsulation alone. */
void stack_peer_moved(struct stack *s, struct peer *peer, const struct path *path)
{
    peer->path = *path;
    stack_tell(s, &(struct stack_event){.type = STACK_EVENT_MOVED, .story = peer->story, .path = *path});
}

void stack_peer_watch(struct stack *s, usec_t now, struct peer *peer)
{
    if (timer_set(&s->watches, &peer->watch, now + PEER_WATCH) != ERR_OK)
        count_drop(s, DROP_NO_MEMORY);
}

void stack_peer_watched(struct stack *s, usec_t now, const struct peer *peer)
{
    char detail[LOST_DETAIL_MAX];
    if (!peer->heard_esp)
        stack_failed(s, now, peer, NULL, STAGE_IKE_QM3, esp_lost(s, peer, CAUSE_ESP_NOTHING, detail), detail);
    else if (!peer->heard_l2tp)
        stack_failed(s, now, peer, NULL, STAGE_ESP_FIRST, CAUSE_L2TP_NOTHING, "");
}

void stack_peer_gave_up(struct stack *s, usec_t now, const struct peer *peer)
{
    const bool in_a_hurry = !peer->opened || now + PEER_WATCH / 2 < peer->watch.at;
    if (!in_a_hurry)
        stack_peer_watched(s, now, peer);
}
