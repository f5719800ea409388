/* A chained hash table over embedded nodes, a list, and alarms. Tables never grow: what they hold is limited. */
#include "ike/ike_internal.h"

#include <stdlib.h>

#define BUCKETS_MIN 16
#define BUCKETS_MAX (1u << 20)
#define GOLDEN      0x9e3779b97f4a7c15u /* spreads keys that differ in few bits (Fibonacci hashing) */

enum err table_init(struct table *t, uint32_t expected)
{
    uint32_t n = BUCKETS_MIN;
    while (n < expected && n < BUCKETS_MAX)
        n *= 2;
    t->buckets = calloc(n, sizeof(*t->buckets));
    t->mask = n - 1;
    return t->buckets ? ERR_OK : ERR_NOMEM;
}

void table_done(struct table *t)
{
    free(t->buckets);
    *t = (struct table){0};
}

static struct node **bucket(const struct table *t, uint64_t key)
{
    return &t->buckets[(uint32_t)(key * GOLDEN >> 32) & t->mask];
}

void table_add(struct table *t, struct node *n, uint64_t key)
{
    struct node **b = bucket(t, key);
    n->key = key;
    n->next = *b;
    n->linked = true;
    *b = n;
}

void table_remove(struct table *t, struct node *n)
{
    if (!n->linked)
        return;
    struct node **at = bucket(t, n->key);
    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    n->next = NULL;
    n->linked = false;
}

struct node *table_find(const struct table *t, uint64_t key, const struct node *prev)
{
    struct node *n = prev ? prev->next : *bucket(t, key);
    while (n && n->key != key)
        n = n->next;
    return n;
}

void list_init(struct link *head)
{
    head->prev = head->next = head;
}

void list_append(struct link *head, struct link *l)
{
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l;
    head->prev = l;
}

void list_remove(struct link *l)
{
    if (!l->next)
        return;
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->prev = l->next = NULL;
}

void alarm_set(struct ike *ike, struct alarm *a, usec_t at)
{
    /* The heap can only fail to grow for want of memory; then the object lives until something else ends it. */
    (void)timer_set(&ike->timers, &a->timer, at);
}

void alarm_clear(struct ike *ike, struct alarm *a)
{
    timer_clear(&ike->timers, &a->timer);
}
