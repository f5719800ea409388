/* Who is where: tunnels by id and by carrier, sessions by id in their tunnel and by number in the shard. Ids and
 * numbers are places in arrays, so that the road finds a session without a search. */
#include "l2tp/l2tp_internal.h"

#include <stdlib.h>
#include <string.h>

#define ID_DRAWS 64 /* at most 3/4 of the ids are taken: one draw in 10^8 runs so long */

static uint32_t place_of(const struct l2tp *l, uint16_t id)
{
    return (uint32_t)id >> l->config.shard_bits;
}

struct tunnel *l2tp_table_find(const struct l2tp *l, uint32_t carrier, uint16_t id)
{
    struct tunnel *t = l->by_id[place_of(l, id)];
    return t && t->id == id && t->carrier == carrier ? t : NULL;
}

static struct tunnel **bucket(const struct l2tp *l, uint32_t carrier)
{
    return &l->by_carrier[(carrier * UINT32_C(2654435761) >> 8) & l->carrier_mask];
}

struct tunnel *l2tp_table_carrier(const struct l2tp *l, uint32_t carrier)
{
    return *bucket(l, carrier);
}

uint32_t l2tp_table_carrier_count(const struct l2tp *l, uint32_t carrier)
{
    uint32_t n = 0;
    for (const struct tunnel *t = l2tp_table_carrier(l, carrier); t; t = t->carrier_next)
        n += t->carrier == carrier && t->state != TUNNEL_CLOSED;
    return n;
}

/* Unpredictable, so that no other host can guess where to aim. */
static uint16_t draw_id(const struct l2tp *l)
{
    uint32_t place = 0;
    for (int i = 0; i < ID_DRAWS; i++) {
        place = random_below(&l->random, l->n_ids);
        const uint16_t id = (uint16_t)(place << l->config.shard_bits | l->config.shard);
        if (id != 0 && !l->by_id[place])
            return id;
    }
    for (uint32_t i = 1; i <= l->n_ids; i++) {
        const uint32_t next = (place + i) % l->n_ids;
        const uint16_t id = (uint16_t)(next << l->config.shard_bits | l->config.shard);
        if (id != 0 && !l->by_id[next])
            return id;
    }
    return 0;
}

enum err l2tp_table_add(struct l2tp *l, struct tunnel *t)
{
    t->id = draw_id(l);
    if (t->id == 0)
        return ERR_LIMIT;
    l->by_id[place_of(l, t->id)] = t;
    struct tunnel **first = bucket(l, t->carrier);
    t->carrier_next = *first;
    *first = t;
    return ERR_OK;
}

void l2tp_table_remove(struct l2tp *l, struct tunnel *t)
{
    l->by_id[place_of(l, t->id)] = NULL;
    struct tunnel **at = bucket(l, t->carrier);
    while (*at != t)
        at = &(*at)->carrier_next;
    *at = t->carrier_next;
}

/* ---- session numbers ---- */

static enum err grow_numbers(struct l2tp *l)
{
    const uint32_t n = l->n_numbers ? l->n_numbers * 2 : 16;
    struct number *numbers = realloc(l->numbers, n * sizeof(*numbers));
    if (!numbers)
        return ERR_NOMEM;
    l->numbers = numbers;
    /* Chained upwards, so that numbers stay small. 0 ends the chain and is no number. */
    for (uint32_t i = l->n_numbers; i < n; i++)
        numbers[i] = (struct number){.next_free = i + 1 < n ? i + 1 : 0};
    l->first_free = l->n_numbers ? l->n_numbers : 1;
    l->n_numbers = n;
    return ERR_OK;
}

static enum err take_number(struct l2tp *l, struct session *s)
{
    if (l->first_free == 0 && grow_numbers(l) != ERR_OK)
        return ERR_NOMEM;
    s->number = l->first_free;
    l->first_free = l->numbers[s->number].next_free;
    l->numbers[s->number].session = s;
    return ERR_OK;
}

void l2tp_table_number_free(struct l2tp *l, uint32_t number)
{
    l->numbers[number].next_free = l->first_free;
    l->first_free = number;
}

/* ---- sessions of a tunnel ---- */

static enum err grow_slots(struct tunnel *t)
{
    const uint32_t n = t->n_slots * 2U;
    struct session **slots = calloc(n, sizeof(struct session *));
    if (!slots)
        return ERR_NOMEM;
    memcpy(slots, t->slots, t->n_slots * sizeof(struct session *));
    if (t->slots != t->inline_slots)
        free(t->slots);
    t->slots = slots;
    t->n_slots = (uint16_t)n;
    return ERR_OK;
}

/* The first free slot in the low bits, random ones above. */
static uint16_t draw_session_id(const struct tunnel *t, uint16_t slot)
{
    uint16_t id;
    do
        id = (uint16_t)((random_u32(&t->l2tp->random) & ~(uint32_t)t->slot_mask) | slot);
    while (id == 0);
    return id;
}

enum err l2tp_table_session_add(struct tunnel *t, struct session *s)
{
    if (t->n_sessions > t->slot_mask)
        return ERR_LIMIT;
    uint16_t slot = 0;
    while (slot < t->n_slots && t->slots[slot])
        slot++;
    if (slot == t->n_slots && grow_slots(t) != ERR_OK)
        return ERR_NOMEM;
    const enum err e = take_number(t->l2tp, s);
    if (e != ERR_OK)
        return e;
    s->id = draw_session_id(t, slot);
    t->slots[slot] = s;
    t->n_sessions++;
    t->l2tp->n_sessions++;
    return ERR_OK;
}

void l2tp_table_session_remove(struct tunnel *t, struct session *s)
{
    t->slots[s->id & t->slot_mask] = NULL;
    t->n_sessions--;
    t->l2tp->n_sessions--;
    t->l2tp->numbers[s->number].session = NULL;
}
