/* Which shard has the peer at an outer endpoint. The kernel steers by names that we gave out: SPIs and responder
 * cookies. A new main mode of a peer that is here already bears none (RFC 2408 3.1: the responder's cookie is zero),
 * and only the shard with its L2TP tunnel can tell that it is the same peer: strongSwan, libreswan and Apple's clients
 * begin one when their IKE SA grows old.
 *
 * One word an entry, written when a peer has proved who it is, never removed, overwritten by whoever falls on the same
 * place: a wrong answer leads to a shard that answers as any other would.
 *
 * A router with IPsec passthrough lets many peers come from its address and port 500, and one word cannot tell of
 * several. So whoever begins at port 500 and is not known goes to the shard of its address: neighbours stay together.
 */
#include "gateway/gateway_internal.h"

#include <stdlib.h>

#define PLACES      (1u << 16)
#define SHARD_SHIFT 16    /* to bits of the hash of which neither place nor entry is made */
#define SHARD_MASK  0xffu /* of an entry: shard + 1; above it a part of the endpoint's hash */

struct whereabouts {
    uint64_t seed;
    uint8_t shards;
    _Atomic uint32_t entry[PLACES];
};

struct whereabouts *whereabouts_new(const struct random *rng, uint8_t shards)
{
    struct whereabouts *table = calloc(1, sizeof(*table));
    if (!table)
        return NULL;
    table->seed = random_u64(rng);
    table->shards = shards;
    return table;
}

void whereabouts_free(struct whereabouts *table)
{
    free(table);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static uint64_t hash_of(const struct whereabouts *table, const struct ip_addr *addr, uint16_t port)
{
    uint64_t hash = mix(table->seed, port);
    for (size_t i = 0; i < ip_addr_size(addr); i++)
        hash = mix(hash, addr->b[i]);
    return hash;
}

void whereabouts_set(struct whereabouts *table, const struct endpoint *peer, uint8_t shard)
{
    const uint64_t hash = hash_of(table, &peer->addr, peer->port);
    const uint32_t entry = ((uint32_t)(hash >> 32) & ~SHARD_MASK) | (shard + 1u);
    atomic_store_explicit(&table->entry[hash % PLACES], entry, memory_order_relaxed);
}

static int find(const struct whereabouts *table, const struct ip_addr *addr, uint16_t port)
{
    const uint64_t hash = hash_of(table, addr, port);
    const uint32_t entry = atomic_load_explicit(&table->entry[hash % PLACES], memory_order_relaxed);
    const bool same = entry != 0 && ((entry ^ (uint32_t)(hash >> 32)) & ~SHARD_MASK) == 0;
    return same ? (int)(entry & SHARD_MASK) - 1 : -1;
}

/* Without a NAT a peer comes back from either of IKE's two ports. */
int whereabouts_get(const struct whereabouts *table, const struct endpoint *peer)
{
    int shard = find(table, &peer->addr, peer->port);
    if (shard < 0 && peer->port == IKE_PORT)
        shard = find(table, &peer->addr, IKE_NATT_PORT);
    else if (shard < 0 && peer->port == IKE_NATT_PORT)
        shard = find(table, &peer->addr, IKE_PORT);
    if (shard < 0 && peer->port == IKE_PORT)
        shard = (uint16_t)(hash_of(table, &peer->addr, IKE_PORT) >> SHARD_SHIFT) % table->shards;
    return shard;
}
