/* A chained hash table over embedded nodes, a list, and a queue. Tables never grow: what they hold is limited. */
#include "tracker/tracker_internal.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 64
#define BUCKETS_MAX 4096
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

uint64_t table_key(uint32_t a, uint32_t b, uint64_t c)
{
    uint64_t key = ((uint64_t)a << 32 | b) * GOLDEN;
    key = (key ^ key >> 29 ^ c) * GOLDEN;
    return key ^ key >> 32;
}

static struct node **bucket(const struct table *t, uint64_t key)
{
    return &t->buckets[(uint32_t)key & t->mask];
}

void table_add(struct table *t, struct node *n, uint64_t key)
{
    struct node **b = bucket(t, key);
    n->key = key;
    n->next = *b;
    *b = n;
}

void table_remove(struct table *t, struct node *n)
{
    struct node **at = bucket(t, n->key);
    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    n->next = NULL;
}

struct node *table_find(const struct table *t, uint64_t key, const struct node *prev)
{
    struct node *n = prev ? prev->next : *bucket(t, key);
    while (n && n->key != key)
        n = n->next;
    return n;
}

/* ---- lists ---- */

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

void list_prepend(struct link *head, struct link *l)
{
    list_append(head->next, l);
}

void list_remove(struct link *l)
{
    if (!l->next)
        return;
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->prev = l->next = NULL;
}

/* ---- queues ---- */

void queue_done(struct queue *q)
{
    free(q->items);
    q->items = NULL;
    q->n = q->cap = q->head = 0;
}

/* The ring is laid out anew from its head. */
static bool grow(struct queue *q)
{
    const uint32_t cap = q->cap ? q->cap * 2 : 16;
    uint8_t *items = malloc(cap * q->size);
    if (!items)
        return false;
    for (uint32_t i = 0; i < q->n; i++)
        memcpy(items + i * q->size, q->items + (q->head + i) % q->cap * q->size, q->size);
    free(q->items);
    q->items = items;
    q->cap = cap;
    q->head = 0;
    return true;
}

void queue_push(struct queue *q, const void *item)
{
    if (q->n == q->cap && !grow(q))
        return;
    memcpy(q->items + (q->head + q->n++) % q->cap * q->size, item, q->size);
}

bool queue_pull(struct queue *q, void *item)
{
    if (q->n == 0)
        return false;
    memcpy(item, q->items + q->head * q->size, q->size);
    q->head = (q->head + 1) % q->cap;
    q->n--;
    return true;
}
