/* Whole lines out of a stream of bytes, and who may send them. */
#include "ctl/ctl_internal.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 4096

void ctl_lines_init(struct ctl_lines *lines, size_t max)
{
    *lines = (struct ctl_lines){.max = max};
}

void ctl_lines_done(struct ctl_lines *lines)
{
    if (lines->p != NULL)
        bytes_wipe(lines->p, lines->cap);
    free(lines->p);
    *lines = (struct ctl_lines){0};
}

/* Drops the lines that were taken, wiping where they stood. */
static void settle(struct ctl_lines *l)
{
    if (l->taken == 0)
        return;
    memmove(l->p, l->p + l->taken, l->n - l->taken);
    bytes_wipe(l->p + (l->n - l->taken), l->taken);
    l->n -= l->taken;
    l->taken = 0;
}

static enum err grow(struct ctl_lines *l, size_t need)
{
    size_t cap = l->cap != 0 ? l->cap : FIRST_CAPACITY;
    while (cap < need)
        cap *= 2;
    if (cap == l->cap)
        return ERR_OK;
    char *p = malloc(cap); /* not realloc: what moves must be wiped */
    if (p == NULL)
        return ERR_NOMEM;
    if (l->p != NULL) {
        memcpy(p, l->p, l->n);
        bytes_wipe(l->p, l->cap);
        free(l->p);
    }
    l->p = p;
    l->cap = cap;
    return ERR_OK;
}

/* Counts the last line on over new bytes; false when a line, whole or begun, is longer than may be. */
static bool measure(struct ctl_lines *l, struct view bytes)
{
    while (bytes.n > 0) {
        const uint8_t *end = memchr(bytes.p, '\n', bytes.n);
        size_t n = end != NULL ? (size_t)(end - bytes.p) + 1 : bytes.n;
        if (l->open + n > l->max)
            return false;
        l->open = end != NULL ? 0 : l->open + n;
        bytes = view_of(bytes.p + n, bytes.n - n);
    }
    return true;
}

enum err ctl_lines_feed(struct ctl_lines *lines, struct view bytes)
{
    if (lines->overflow)
        return ERR_LIMIT;
    if (bytes.n == 0)
        return ERR_OK;
    settle(lines);
    enum err result = grow(lines, lines->n + bytes.n);
    if (result != ERR_OK)
        return result;
    memcpy(lines->p + lines->n, bytes.p, bytes.n);
    lines->n += bytes.n;
    lines->overflow = !measure(lines, bytes);
    return lines->overflow ? ERR_LIMIT : ERR_OK;
}

bool ctl_lines_next(struct ctl_lines *lines, struct view *line)
{
    if (lines->overflow || lines->taken + lines->open == lines->n)
        return false;
    const char *begin = lines->p + lines->taken;
    const char *end = memchr(begin, '\n', lines->n - lines->taken);
    if (end == NULL)
        return false;
    *line = view_of(begin, (size_t)(end - begin));
    lines->taken += line->n + 1;
    return true;
}

bool ctl_allowed(const struct ctl_peer *peer, uint32_t own_uid, bool socket_has_group)
{
    return peer->uid == 0 || peer->uid == own_uid || socket_has_group;
}
