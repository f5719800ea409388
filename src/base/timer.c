/* A binary heap of intrusive timers, 1-based so that a timer that is not set has place 0. */
#include "base/base.h"

#include <stdlib.h>

static void place(struct timers *h, uint32_t i, struct timer *t)
{
    h->heap[i] = t;
    t->place = i;
}

static void sift_up(struct timers *h, uint32_t i)
{
    struct timer *t = h->heap[i];
    for (; i > 1 && h->heap[i / 2]->at > t->at; i /= 2)
        place(h, i, h->heap[i / 2]);
    place(h, i, t);
}

static void sift_down(struct timers *h, uint32_t i)
{
    struct timer *t = h->heap[i];
    for (;;) {
        uint32_t child = 2 * i;
        if (child > h->n)
            break;
        if (child < h->n && h->heap[child + 1]->at < h->heap[child]->at)
            child++;
        if (h->heap[child]->at >= t->at)
            break;
        place(h, i, h->heap[child]);
        i = child;
    }
    place(h, i, t);
}

static enum err grow(struct timers *h)
{
    const uint32_t cap = h->cap ? h->cap * 2 : 16;
    struct timer **heap = realloc(h->heap, cap * sizeof(*heap));
    if (!heap)
        return ERR_NOMEM;
    h->heap = heap;
    h->cap = cap;
    return ERR_OK;
}

void timers_done(struct timers *h)
{
    free(h->heap);
    *h = (struct timers){0};
}

enum err timer_set(struct timers *h, struct timer *t, usec_t at)
{
    if (at == USEC_NEVER) {
        timer_clear(h, t);
        return ERR_OK;
    }
    if (t->place == 0) {
        if (h->n + 1 >= h->cap && grow(h) != ERR_OK)
            return ERR_NOMEM;
        t->at = at;
        place(h, ++h->n, t);
        sift_up(h, t->place);
        return ERR_OK;
    }
    const bool later = at > t->at;
    t->at = at;
    if (later)
        sift_down(h, t->place);
    else
        sift_up(h, t->place);
    return ERR_OK;
}

void timer_clear(struct timers *h, struct timer *t)
{
    const uint32_t i = t->place;
    t->at = USEC_NEVER;
    t->place = 0;
    if (i == 0)
        return;
    struct timer *last = h->heap[h->n--];
    if (last == t)
        return;
    place(h, i, last);
    sift_up(h, i);
    sift_down(h, last->place);
}

struct timer *timers_due(struct timers *h, usec_t now)
{
    if (h->n == 0 || h->heap[1]->at > now)
        return NULL;
    struct timer *t = h->heap[1];
    timer_clear(h, t);
    return t;
}

usec_t timers_deadline(const struct timers *h)
{
    return h->n == 0 ? USEC_NEVER : h->heap[1]->at;
}
