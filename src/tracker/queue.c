/* What waits to be pulled, in order. */
#include "tracker/tracker_internal.h"

#include <stdlib.h>
#include <string.h>

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
