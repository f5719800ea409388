#include "base/base.h"

#include <string.h>

struct view view_str(const char *s)
{
    return view_of(s, strlen(s));
}

bool view_equal(struct view a, struct view b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

uint64_t view_sum(struct view v)
{
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < v.n; i++)
        sum = (sum ^ v.p[i]) * 0x100000001b3u;
    return sum;
}

void view_copy_text(char *out, size_t cap, struct view text)
{
    size_t n = 0;
    for (; n < text.n && n + 1 < cap; n++)
        out[n] = text.p[n] >= 0x20 && text.p[n] < 0x7f ? (char)text.p[n] : '?';
    out[n] = '\0';
}

bool bytes_equal_ct(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    uint32_t differ = 0, v, w;
    for (; n >= sizeof(v); n -= sizeof(v), x += sizeof(v), y += sizeof(v)) {
        memcpy(&v, x, sizeof(v));
        memcpy(&w, y, sizeof(w));
        differ |= v ^ w;
        __asm__ volatile("" : "+r"(differ)); /* the compiler may not see that one difference decides */
    }
    for (; n > 0; n--)
        differ |= (uint32_t)(*x++ ^ *y++);
    __asm__ volatile("" : "+r"(differ));
    return differ == 0;
}

void bytes_wipe(void *p, size_t n)
{
    if (n > 0)
        explicit_bzero(p, n);
}

enum err secret_set(struct secret *s, struct view bytes)
{
    if (bytes.n > SECRET_MAX)
        return ERR_LIMIT;
    secret_wipe(s);
    if (bytes.n > 0)
        memcpy(s->p, bytes.p, bytes.n);
    s->n = (uint16_t)bytes.n;
    return ERR_OK;
}

void secret_wipe(struct secret *s)
{
    bytes_wipe(s, sizeof(*s));
}
