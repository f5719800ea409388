/* The table of SAs: a slot array in pages, so that a large limit costs nothing while few SAs exist. */
#include <stdlib.h>
#include <string.h>

#include "esp/esp_internal.h"

#define PAGE_SLOTS  64
#define RANDOM_BITS 4 /* of a name, at least */

static struct sa *slot_of(const struct sa_table *t, uint32_t slot)
{
    return &t->pages[slot / PAGE_SLOTS][slot % PAGE_SLOTS];
}

static uint32_t mask(uint8_t bits)
{
    return ((uint32_t)1 << bits) - 1;
}

static uint32_t slot_in(const struct sa_table *t, uint32_t name)
{
    return name >> t->low_bits & mask(t->slot_bits);
}

bool sa_table_init(struct sa_table *t, uint32_t limit, uint32_t low, uint8_t low_bits)
{
    uint8_t slot_bits = 0;
    while (slot_bits < 31 && mask(slot_bits) < limit - 1)
        slot_bits++;
    if (limit == 0 || slot_bits + low_bits > 32 - RANDOM_BITS || low > mask(low_bits))
        return false;
    struct sa **pages = calloc((limit + PAGE_SLOTS - 1) / PAGE_SLOTS, sizeof(struct sa *));
    if (!pages)
        return false;
    *t = (struct sa_table){.pages = pages, .limit = limit, .slot_bits = slot_bits, .low_bits = low_bits, .low = low};
    return true;
}

void sa_table_done(struct sa_table *t)
{
    for (uint32_t slot = 0; slot < t->fresh; slot += PAGE_SLOTS)
        free(t->pages[slot / PAGE_SLOTS]);
    free(t->pages);
    *t = (struct sa_table){0};
}

/* A slot never used before, whose page may have to be made; false when there is none. */
static bool open_slot(struct sa_table *t, uint32_t *slot)
{
    if (t->fresh == t->limit)
        return false;
    struct sa **page = &t->pages[t->fresh / PAGE_SLOTS];
    if (!*page && !(*page = calloc(PAGE_SLOTS, sizeof(struct sa))))
        return false;
    *slot = t->fresh++;
    return true;
}

static uint32_t draw_name(const struct sa_table *t, uint32_t slot, uint32_t past, const struct random *rng)
{
    uint8_t fixed = (uint8_t)(t->slot_bits + t->low_bits);
    uint32_t name;
    do {
        name = (random_u32(rng) & ~mask(fixed)) | slot << t->low_bits | t->low;
    } while (name < ESP_SPI_MIN || name == past);
    return name;
}

struct sa *sa_table_reserve(struct sa_table *t, const struct random *rng)
{
    uint32_t slot;
    if (t->free) {
        slot = t->free - 1;
        t->free = slot_of(t, slot)->next_free;
    } else if (!open_slot(t, &slot)) {
        return NULL;
    }
    struct sa *sa = slot_of(t, slot);
    uint32_t past = sa->past;
    *sa = (struct sa){.past = past};
    sa->name = draw_name(t, slot, past, rng);
    return sa;
}

struct sa *sa_table_find(const struct sa_table *t, uint32_t name)
{
    uint32_t slot = slot_in(t, name);
    if (slot >= t->fresh || name == 0)
        return NULL;
    struct sa *sa = slot_of(t, slot);
    return sa->name == name ? sa : NULL;
}

void sa_table_release(struct sa_table *t, struct sa *sa)
{
    uint32_t slot = slot_in(t, sa->name);
    sa->past = sa->name;
    sa->name = 0;
    sa->next_free = t->free;
    t->free = slot + 1;
}

struct sa *sa_table_next(const struct sa_table *t, uint32_t *slot)
{
    while (*slot < t->fresh) {
        struct sa *sa = slot_of(t, (*slot)++);
        if (sa->name != 0)
            return sa;
    }
    return NULL;
}
