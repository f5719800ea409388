/* A sentence with values in it, as text for people and in parts for whoever tells it in another language. */
#include "base/base.h"

#include <stdio.h>
#include <string.h>

struct writing {
    struct telling *told;
    char *sentence;
    size_t n, cap;
};

static void put(struct writing *t, const char *text, size_t n)
{
    for (size_t i = 0; i < n && t->n + 1 < t->cap; i++)
        t->sentence[t->n++] = text[i];
    t->sentence[t->n] = '\0';
}

static void put_value(struct writing *t, const char *text, size_t n)
{
    put(t, text, n);
    if (t->told->count < TOLD_PARAMS_MAX)
        view_copy_text(t->told->param[t->told->count++], TOLD_PARAM_MAX, view_of(text, n));
}

/* How many letters of the length stand at p. */
static size_t length_of(const char *p)
{
    return strspn(p, "zl");
}

void told_write(struct telling *told, char *sentence, size_t cap, const char *word, const char *text, va_list args)
{
    struct writing t = {told, sentence, 0, cap};
    char number[24];
    *told = (struct telling){0};
    view_copy_text(told->word, sizeof told->word, view_str(word));
    for (const char *p = text; *p != '\0';) {
        const size_t plain = strcspn(p, "%");
        put(&t, p, plain);
        p += plain;
        if (*p == '\0')
            break;
        const bool cut = p[1] == '.' && p[2] == '*';
        const int most = cut ? va_arg(args, int) : -1;
        p += cut ? 3 : 1;
        const size_t length = length_of(p);
        const bool wide = length == 2, size = length == 1 && *p == 'z', is_long = length == 1 && *p == 'l';
        p += length;
        if (*p == 's') {
            const char *value = va_arg(args, const char *);
            put_value(&t, value, most >= 0 ? strnlen(value, (size_t)most) : strlen(value));
        } else if (*p == 'c') {
            const char value = (char)va_arg(args, int);
            put_value(&t, &value, 1);
        } else if (*p == 'd') {
            const long long value = wide ? va_arg(args, long long) : is_long ? va_arg(args, long) : va_arg(args, int);
            put_value(&t, number, (size_t)snprintf(number, sizeof number, "%lld", value));
        } else if (*p == 'u') {
            const unsigned long long value = wide      ? va_arg(args, unsigned long long)
                                             : size    ? va_arg(args, size_t)
                                             : is_long ? va_arg(args, unsigned long)
                                                       : va_arg(args, unsigned);
            put_value(&t, number, (size_t)snprintf(number, sizeof number, "%llu", value));
        } else {
            put(&t, p, *p != '\0');
        }
        p += *p != '\0';
    }
}
