/* Pairs of ESP SAs. A new pair is received with at once and sent with when IKE says so or when the peer was heard on
 * it; the old one stays until it is deleted or ends (design: no drop at rekeying). */
#include "stack/stack_internal.h"

#include <stdlib.h>
#include <string.h>

static uint32_t free_pair_slot(struct stack *s)
{
    for (uint32_t i = s->pair_hint > 0 ? s->pair_hint : 1; i < s->pairs_cap; i++)
        if (!s->pairs[i])
            return i;
    const uint32_t cap = s->pairs_cap ? s->pairs_cap * 2 : 64;
    struct pair **grown = realloc(s->pairs, cap * sizeof(*grown));
    if (!grown)
        return 0;
    memset(grown + s->pairs_cap, 0, (cap - s->pairs_cap) * sizeof(*grown));
    const uint32_t slot = s->pairs_cap ? s->pairs_cap : 1;
    s->pairs = grown;
    s->pairs_cap = cap;
    return slot;
}

static struct pair **place_in(struct peer *peer)
{
    for (size_t i = 0; i < PEER_PAIRS_MAX; i++)
        if (!peer->pairs[i])
            return &peer->pairs[i];
    return NULL;
}

static struct pair *oldest_idle(const struct peer *peer)
{
    struct pair *oldest = NULL;
    for (size_t i = 0; i < PEER_PAIRS_MAX; i++) {
        struct pair *p = peer->pairs[i];
        if (p && p != peer->current && (!oldest || p->born < oldest->born))
            oldest = p;
    }
    return oldest;
}

/* Both SAs of the pair, or none. */
static enum err install(struct stack *s, struct pair *pair, const struct ike_child *child)
{
    const uint64_t hard = child->kilobytes ? child->kilobytes * 1024 : UINT64_MAX;
    struct esp_sa_config config = {
        .transform = child->transform,
        .keymat = child->keymat_in,
        .life = {hard == UINT64_MAX ? hard : hard / 10 * 9, hard},
        .owner = pair->slot,
    };
    const enum err in = esp_inbound_add(s->esp, child->spi_in, &config);
    if (in != ERR_OK)
        return in;
    config.keymat = child->keymat_out;
    return esp_outbound_add(s->esp, child->spi_out, &config, &pair->handle);
}

enum err stack_pair_add(struct stack *s, usec_t now, struct peer *peer, const struct ike_child *child)
{
    const uint32_t slot = free_pair_slot(s);
    struct pair *pair = slot ? calloc(1, sizeof(*pair)) : NULL;
    if (!pair)
        return ERR_NOMEM;
    *pair = (struct pair){
        .slot = slot,
        .peer = peer->slot,
        .spi_in = child->spi_in,
        .born = ++s->born,
        .transform = child->transform,
        .encap = child->encap,
    };
    const enum err e = install(s, pair, child);
    if (e != ERR_OK) {
        free(pair);
        return e;
    }
    s->pairs[slot] = pair;
    s->pair_hint = slot + 1;
    struct pair **place = place_in(peer);
    if (!place) {
        struct pair *oldest = oldest_idle(peer);
        const uint32_t spi = oldest->spi_in;
        stack_pair_remove(s, oldest);
        ike_child_close(s->ike, now, spi); /* the child's keys, borrowed from ike, have been used by now */
        place = place_in(peer);
    }
    *place = pair;
    return ERR_OK;
}

static void remtu_sessions(struct stack *s, const struct peer *peer)
{
    for (struct session *session = peer->sessions; session; session = session->sibling)
        stack_session_remtu(s, session);
}

static void send_with(struct stack *s, struct peer *peer, struct pair *pair)
{
    const struct pair *before = peer->current;
    if (before == pair)
        return;
    peer->current = pair;
    if (!before || before->encap != pair->encap ||
        memcmp(&before->transform, &pair->transform, sizeof(pair->transform)) != 0)
        remtu_sessions(s, peer);
}

void stack_pair_use(struct stack *s, struct pair *pair)
{
    struct peer *peer = stack_peer_at(s, pair->peer);
    pair->told = true;
    if (!peer->current || peer->current->born < pair->born)
        send_with(s, peer, pair);
}

void stack_pair_heard(struct stack *s, usec_t now, struct pair *pair)
{
    struct peer *peer = stack_peer_at(s, pair->peer);
    pair->heard = true;
    esp_outbound_follow(s->esp, pair->handle, pair->spi_in);
    ike_child_alive(s->ike, now, pair->spi_in);
    if (!peer->heard_esp)
        stack_step(s, now, peer, 0, STAGE_ESP_FIRST, "", esp_transform_name(&pair->transform));
    peer->heard_esp = true;
    stack_pair_use(s, pair);
}

struct pair *stack_pair_by_spi(const struct peer *peer, uint32_t spi_in)
{
    for (size_t i = 0; i < PEER_PAIRS_MAX; i++)
        if (peer->pairs[i] && peer->pairs[i]->spi_in == spi_in)
            return peer->pairs[i];
    return NULL;
}

/* The newest that may be sent with. */
static struct pair *next_best(const struct peer *peer)
{
    struct pair *best = NULL;
    for (size_t i = 0; i < PEER_PAIRS_MAX; i++) {
        struct pair *p = peer->pairs[i];
        if (p && (p->heard || p->told) && (!best || p->born > best->born))
            best = p;
    }
    return best;
}

void stack_pair_remove(struct stack *s, struct pair *pair)
{
    struct peer *peer = stack_peer_at(s, pair->peer);
    outbox_flush(s); /* packets that wait for sealing may name its SA */
    for (size_t i = 0; i < PEER_PAIRS_MAX; i++)
        if (peer->pairs[i] == pair)
            peer->pairs[i] = NULL;
    esp_outbound_del(s->esp, pair->handle);
    esp_spi_release(s->esp, pair->spi_in);
    s->pairs[pair->slot] = NULL;
    if (pair->slot < s->pair_hint)
        s->pair_hint = pair->slot;
    if (peer->current == pair) {
        peer->current = NULL;
        struct pair *best = next_best(peer);
        if (best)
            send_with(s, peer, best);
    }
    free(pair);
}

static struct pair *pair_of(const struct stack *s, bool inbound, uint32_t which)
{
    for (uint32_t i = 1; i < s->pairs_cap; i++)
        if (s->pairs[i] && (inbound ? s->pairs[i]->spi_in : s->pairs[i]->handle) == which)
            return s->pairs[i];
    return NULL;
}

/* Byte limits: a new quick mode at the soft one, the end at the hard one. */
void pairs_expire(struct stack *s, usec_t now)
{
    bool inbound, hard;
    uint32_t which;
    while (esp_expiring(s->esp, &inbound, &which, &hard)) {
        const struct pair *pair = pair_of(s, inbound, which);
        if (pair && hard)
            ike_child_close(s->ike, now, pair->spi_in);
        else if (pair)
            ike_child_rekey(s->ike, now, pair->spi_in);
    }
}
