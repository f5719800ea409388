#include "wire/wire.h"

#include <string.h>

struct reader rd_init(struct view v)
{
    return (struct reader){.p = v.p, .n = v.n};
}

/* The one place where bytes are taken off the input; everything else reads through it. */
static const uint8_t *take(struct reader *r, size_t n)
{
    if (r->failed || n > r->n) {
        rd_fail(r);
        return NULL;
    }
    const uint8_t *p = r->p;
    if (n > 0)
        r->p += n;
    r->n -= n;
    return p;
}

static uint64_t take_number(struct reader *r, size_t n)
{
    const uint8_t *p = take(r, n);
    uint64_t v = 0;
    for (size_t i = 0; p && i < n; i++)
        v = v << 8 | p[i];
    return v;
}

uint8_t rd_u8(struct reader *r)
{
    return (uint8_t)take_number(r, 1);
}

uint16_t rd_u16(struct reader *r)
{
    return (uint16_t)take_number(r, 2);
}

uint32_t rd_u32(struct reader *r)
{
    return (uint32_t)take_number(r, 4);
}

uint64_t rd_u64(struct reader *r)
{
    return take_number(r, 8);
}

struct view rd_view(struct reader *r, size_t n)
{
    const uint8_t *p = take(r, n);
    return r->failed ? VIEW_NONE : (struct view){p, n};
}

struct view rd_rest(struct reader *r)
{
    return rd_view(r, r->n);
}

void rd_copy(struct reader *r, void *out, size_t n)
{
    const uint8_t *p = take(r, n);
    if (n == 0)
        return;
    if (p)
        memcpy(out, p, n);
    else
        memset(out, 0, n);
}

void rd_skip(struct reader *r, size_t n)
{
    take(r, n);
}

struct reader rd_sub(struct reader *r, size_t n)
{
    struct reader child = rd_init(rd_view(r, n));
    child.failed = r->failed;
    return child;
}

struct reader rd_block8(struct reader *r)
{
    return rd_sub(r, rd_u8(r));
}

struct reader rd_block16(struct reader *r)
{
    return rd_sub(r, rd_u16(r));
}

void rd_fail(struct reader *r)
{
    r->failed = true;
    r->n = 0;
}
