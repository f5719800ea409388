/* User names: what is one, when two are the same, and under which forms a name as sent is looked for. */
#include "aaa/aaa_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err aaa_why(struct aaa_why *why, enum err result, const char *word, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    told_write(&why->told, why->sentence, sizeof why->sentence, word, text, args);
    va_end(args);
    return result;
}

bool aaa_name_valid(const char *name)
{
    size_t n = 0;
    for (; name[n] != '\0'; n++) {
        uint8_t c = (uint8_t)name[n];
        if (c <= ' ' || c == 0x7f || strchr("\\/\"'", c) != NULL || n == AAA_NAME_MAX - 1)
            return false;
    }
    return n > 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool aaa_names_equal(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

const char *name_fold(const char *name, char out[static AAA_NAME_MAX])
{
    size_t n = 0;
    for (; name[n] != '\0' && n < AAA_NAME_MAX - 1; n++)
        out[n] = lower(name[n]);
    out[n] = '\0';
    return out;
}

static size_t add_form(struct view form, struct view out[static AAA_FORMS_MAX], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (view_equal(out[i], form))
            return n;
    if (form.n > 0)
        out[n++] = form;
    return n;
}

/* As sent; without DOMAIN\; without @domain as well. RFC 2759 section 4 has clients hash the name without DOMAIN\, and
 * not all do. */
size_t name_hashed_forms(const char *sent, struct view out[static AAA_FORMS_MAX])
{
    const char *backslash = strrchr(sent, '\\');
    const char *plain = backslash != NULL ? backslash + 1 : sent;
    size_t n = add_form(view_str(sent), out, 0);
    n = add_form(view_str(plain), out, n);
    return add_form(view_of(plain, strcspn(plain, "@")), out, n);
}

void name_plain(const char *sent, char out[static AAA_NAME_MAX])
{
    struct view form[AAA_FORMS_MAX];
    const size_t n = name_hashed_forms(sent, form);
    view_copy_text(out, AAA_NAME_MAX, n > 0 ? form[n - 1] : VIEW_NONE);
}

size_t aaa_name_forms(const char *sent, char out[static AAA_FORMS_MAX][AAA_NAME_MAX])
{
    struct view form[AAA_FORMS_MAX];
    size_t forms = name_hashed_forms(sent, form), n = 0;
    for (size_t i = 0; i < forms; i++) {
        if (form[i].n >= AAA_NAME_MAX)
            continue;
        memcpy(out[n], form[i].p, form[i].n);
        out[n][form[i].n] = '\0';
        n += aaa_name_valid(out[n]);
    }
    return n;
}
