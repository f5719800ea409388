/* A chained hash table over embedded nodes. */
#include "base/base.h"

#include <stdlib.h>

#define BUCKETS_MIN 16
#define BUCKETS_MAX (1u << 20)
#define GOLDEN      0x9e3779b97f4a7c15u /* spreads keys that differ in few bits (Fibonacci hashing) */

enum err index_init(struct index *t, uint32_t expected)
{
    uint32_t n = BUCKETS_MIN;
    while (n < expected && n < BUCKETS_MAX)
        n *= 2;
    t->buckets = calloc(n, sizeof(*t->buckets));
    t->mask = n - 1;
    return t->buckets ? ERR_OK : ERR_NOMEM;
}

void index_done(struct index *t)
{
    free(t->buckets);
    *t = (struct index){0};
}

uint64_t index_key(uint32_t a, uint32_t b, uint64_t c)
{
    uint64_t key = ((uint64_t)a << 32 | b) * GOLDEN;
    key = (key ^ key >> 29 ^ c) * GOLDEN;
    return key ^ key >> 32;
}

static struct index_node **bucket(const struct index *t, uint64_t key)
{
    return &t->buckets[(uint32_t)(key * GOLDEN >> 32) & t->mask];
}

void index_add(struct index *t, struct index_node *n, uint64_t key)
{
    struct index_node **b = bucket(t, key);
    n->key = key;
    n->next = *b;
    n->linked = true;
    *b = n;
}

void index_remove(struct index *t, struct index_node *n)
{
    if (!n->linked)
        return;
    struct index_node **at = bucket(t, n->key);
    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    n->next = NULL;
    n->linked = false;
}

struct index_node *index_find(const struct index *t, uint64_t key, const struct index_node *prev)
{
    struct index_node *n = prev ? prev->next : *bucket(t, key);
    while (n && n->key != key)
        n = n->next;
    return n;
}
