/*
 * The addresses of one pool. Free ones wait in a line, the one released longest ago in front, so that an address rests
 * before another user gets it and its last holder finds it again. Everything is done in constant time, but for
 * finding the range.
 */
#include "aaa/aaa_internal.h"

#include <stdlib.h>

#define NOWHERE UINT32_MAX

struct place {
    uint32_t before, after; /* in the line of free addresses */
    bool leased, reserved, queued;
};

struct pool {
    struct config_ranges ranges;
    uint32_t first[CONFIG_RANGE_MAX]; /* place of each range's first address */
    uint32_t size, used, reserved;
    uint32_t head, tail;
    struct place place[];
};

/* ---- the line ---- */

static void queue(struct pool *p, uint32_t i)
{
    struct place *one = &p->place[i];
    if (one->queued || one->leased || one->reserved)
        return;
    *one = (struct place){.before = p->tail, .after = NOWHERE, .queued = true};
    if (p->tail != NOWHERE)
        p->place[p->tail].after = i;
    else
        p->head = i;
    p->tail = i;
}

static void unqueue(struct pool *p, uint32_t i)
{
    struct place *one = &p->place[i];
    if (!one->queued)
        return;
    if (one->before != NOWHERE)
        p->place[one->before].after = one->after;
    else
        p->head = one->after;
    if (one->after != NOWHERE)
        p->place[one->after].before = one->before;
    else
        p->tail = one->before;
    one->queued = false;
}

/* ---- addresses and places ---- */

static uint32_t place_of(const struct pool *p, uint32_t address)
{
    for (uint32_t r = 0; r < p->ranges.count; r++)
        if (address >= p->ranges.range[r].first && address <= p->ranges.range[r].last)
            return p->first[r] + (address - p->ranges.range[r].first);
    return NOWHERE;
}

static uint32_t address_of(const struct pool *p, uint32_t i)
{
    uint32_t r = 0;
    while (r + 1 < p->ranges.count && i >= p->first[r + 1])
        r++;
    return p->ranges.range[r].first + (i - p->first[r]);
}

struct pool *pool_new(const struct config_pool *config)
{
    uint32_t size = 0;
    for (uint32_t r = 0; r < config->ranges.count; r++)
        size += config->ranges.range[r].last - config->ranges.range[r].first + 1;
    struct pool *p = calloc(1, sizeof *p + size * sizeof p->place[0]);
    if (p == NULL)
        return NULL;
    p->ranges = config->ranges;
    p->size = size;
    p->head = p->tail = NOWHERE;
    for (uint32_t r = 0, at = 0; r < p->ranges.count; r++) {
        p->first[r] = at;
        at += p->ranges.range[r].last - p->ranges.range[r].first + 1;
    }
    for (uint32_t i = 0; i < size; i++)
        queue(p, i);
    return p;
}

void pool_free(struct pool *pool)
{
    free(pool);
}

/* ---- verbs ---- */

enum err pool_reserve(struct pool *pool, uint32_t address)
{
    uint32_t i = place_of(pool, address);
    if (i == NOWHERE)
        return ERR_NOTFOUND;
    unqueue(pool, i);
    pool->reserved += !pool->place[i].reserved;
    pool->place[i].reserved = true;
    return ERR_OK;
}

void pool_unreserve(struct pool *pool, uint32_t address)
{
    uint32_t i = place_of(pool, address);
    if (i == NOWHERE || !pool->place[i].reserved)
        return;
    pool->place[i].reserved = false;
    pool->reserved--;
    queue(pool, i);
}

static void lease(struct pool *p, uint32_t i)
{
    unqueue(p, i);
    p->place[i].leased = true;
    p->used++;
}

enum err pool_take(struct pool *pool, uint32_t preferred, uint32_t *out)
{
    uint32_t i = place_of(pool, preferred);
    if (i == NOWHERE || !pool->place[i].queued)
        i = pool->head;
    if (i == NOWHERE)
        return ERR_LIMIT;
    lease(pool, i);
    *out = address_of(pool, i);
    return ERR_OK;
}

enum err pool_take_fixed(struct pool *pool, uint32_t address)
{
    uint32_t i = place_of(pool, address);
    if (i == NOWHERE)
        return ERR_NOTFOUND;
    if (pool->place[i].leased)
        return ERR_EXISTS;
    lease(pool, i);
    return ERR_OK;
}

void pool_release(struct pool *pool, uint32_t address)
{
    uint32_t i = place_of(pool, address);
    if (i == NOWHERE || !pool->place[i].leased)
        return;
    pool->place[i].leased = false;
    pool->used--;
    queue(pool, i);
}

bool pool_holds(const struct pool *pool, uint32_t address)
{
    return place_of(pool, address) != NOWHERE;
}

uint32_t pool_size(const struct pool *pool)
{
    return pool->size;
}

uint32_t pool_used(const struct pool *pool)
{
    return pool->used;
}

uint32_t pool_reserved(const struct pool *pool)
{
    return pool->reserved;
}
