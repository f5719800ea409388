#include "wire/wire.h"

#include <string.h>

struct writer wr_init(void *buffer, size_t cap)
{
    return (struct writer){.p = buffer, .cap = cap};
}

uint8_t *wr_reserve(struct writer *w, size_t n)
{
    if (w->failed || n > w->cap - w->n) {
        w->failed = true;
        return NULL;
    }
    uint8_t *p = w->p + w->n;
    w->n += n;
    return p;
}

/* Big-endian, the one place where numbers become bytes. */
static void put_number(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = 0; p && i < n; i++)
        p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

void wr_u8(struct writer *w, uint8_t v)
{
    put_number(wr_reserve(w, 1), v, 1);
}

void wr_u16(struct writer *w, uint16_t v)
{
    put_number(wr_reserve(w, 2), v, 2);
}

void wr_u32(struct writer *w, uint32_t v)
{
    put_number(wr_reserve(w, 4), v, 4);
}

void wr_u64(struct writer *w, uint64_t v)
{
    put_number(wr_reserve(w, 8), v, 8);
}

void wr_bytes(struct writer *w, const void *p, size_t n)
{
    uint8_t *to = wr_reserve(w, n);
    if (to && n > 0)
        memcpy(to, p, n);
}

void wr_view(struct writer *w, struct view v)
{
    wr_bytes(w, v.p, v.n);
}

void wr_zero(struct writer *w, size_t n)
{
    uint8_t *to = wr_reserve(w, n);
    if (to && n > 0)
        memset(to, 0, n);
}

static void patch(struct writer *w, size_t at, uint64_t v, size_t n)
{
    if (w->failed || at > w->n || n > w->n - at) {
        w->failed = true;
        return;
    }
    put_number(w->p + at, v, n);
}

void wr_patch8(struct writer *w, size_t at, uint8_t v)
{
    patch(w, at, v, 1);
}

void wr_patch16(struct writer *w, size_t at, uint16_t v)
{
    patch(w, at, v, 2);
}

void wr_patch32(struct writer *w, size_t at, uint32_t v)
{
    patch(w, at, v, 4);
}
