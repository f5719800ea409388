/* The kernel's entropy behind a buffer, so that a random field does not cost a system call. */
#include "net/net_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void draw(uint8_t *out, size_t n)
{
    while (n > 0) {
        const ssize_t got = getrandom(out, n, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            abort(); /* without entropy no key, cookie or challenge may be made */
        }
        out += got;
        n -= (size_t)got;
    }
}

static void fill(void *ctx, uint8_t *out, size_t n)
{
    struct entropy *e = ctx;
    if (n > sizeof(e->buffer)) {
        draw(out, n);
        return;
    }
    if (!e->filled || n > sizeof(e->buffer) - e->used) {
        draw(e->buffer, sizeof(e->buffer));
        e->filled = true;
        e->used = 0;
    }
    memcpy(out, e->buffer + e->used, n);
    bytes_wipe(e->buffer + e->used, n); /* what was handed out may become a key */
    e->used += (uint32_t)n;
}

void entropy_init(struct entropy *e)
{
    *e = (struct entropy){.filled = false};
}

void entropy_done(struct entropy *e)
{
    bytes_wipe(e, sizeof(*e));
}

struct random entropy_random(struct entropy *e)
{
    return (struct random){.fill = fill, .ctx = e};
}
