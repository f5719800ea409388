/* Which shard has an inner address: one atomic byte for each address of the pools, so that a frame which the kernel put
 * on another shard's queue finds its way. Written at login and logout, read for frames that come. */
#include "gateway/gateway_internal.h"

#include <stdlib.h>

struct span {
    uint32_t first, last;
    _Atomic uint8_t *owner; /* shard + 1; 0: nobody */
};

struct addresses {
    size_t n;
    struct span spans[CONFIG_POOL_MAX * CONFIG_RANGE_MAX];
};

static enum err add_span(struct addresses *table, const struct config_range *range)
{
    struct span *span = &table->spans[table->n];
    span->first = range->first;
    span->last = range->last;
    span->owner = calloc((size_t)range->last - range->first + 1, sizeof(*span->owner));
    if (!span->owner)
        return ERR_NOMEM;
    table->n++;
    return ERR_OK;
}

struct addresses *addresses_new(const struct config *config)
{
    struct addresses *table = calloc(1, sizeof(*table));
    for (size_t i = 0; table && i < config->pool_count; i++)
        for (uint32_t j = 0; j < config->pools[i].ranges.count; j++)
            if (add_span(table, &config->pools[i].ranges.range[j]) != ERR_OK) {
                addresses_free(table);
                return NULL;
            }
    return table;
}

void addresses_free(struct addresses *table)
{
    for (size_t i = 0; table && i < table->n; i++)
        free(table->spans[i].owner);
    free(table);
}

static _Atomic uint8_t *find(const struct addresses *table, uint32_t address)
{
    for (size_t i = 0; i < table->n; i++)
        if (address >= table->spans[i].first && address <= table->spans[i].last)
            return &table->spans[i].owner[address - table->spans[i].first];
    return NULL;
}

void addresses_set(struct addresses *table, uint32_t address, int shard)
{
    _Atomic uint8_t *owner = find(table, address);
    if (owner)
        atomic_store_explicit(owner, (uint8_t)(shard + 1), memory_order_relaxed);
}

void addresses_clear(struct addresses *table, uint32_t address, int shard)
{
    _Atomic uint8_t *owner = find(table, address);
    uint8_t held = (uint8_t)(shard + 1);
    if (owner)
        (void)atomic_compare_exchange_strong_explicit(owner, &held, 0, memory_order_relaxed, memory_order_relaxed);
}

bool addresses_hold(const struct addresses *table, const struct config_range *range)
{
    uint32_t first = range->first;
    for (size_t i = 0; i < table->n; i++)
        if (first >= table->spans[i].first && first <= table->spans[i].last) {
            if (range->last <= table->spans[i].last)
                return true;
            first = table->spans[i].last + 1; /* the rest may lie in a span right behind */
            i = (size_t)-1;
        }
    return false;
}

int addresses_get(const struct addresses *table, uint32_t address)
{
    const _Atomic uint8_t *owner = find(table, address);
    return owner ? atomic_load_explicit(owner, memory_order_relaxed) - 1 : -1;
}
