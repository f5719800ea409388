/* Decoders of what browsers send: targets, forms, cookies. All of it is an attacker's to write. */
#include "portal/portal_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One byte after %-decoding (WHATWG URL 5.1); fails the reader at a bad one. */
static uint8_t decoded(struct reader *r)
{
    const uint8_t c = rd_u8(r);
    if (c == '+')
        return ' ';
    if (c != '%')
        return c;
    const int high = digit_of(rd_u8(r)), low = digit_of(rd_u8(r));
    if (high < 0 || low < 0) {
        rd_fail(r);
        return 0;
    }
    return (uint8_t)(high << 4 | low);
}

/* The bytes up to a separator, which is taken too; all that is left when there is none. */
static struct view until(struct reader *r, uint8_t separator)
{
    struct reader ahead = *r;
    size_t n = 0;
    while (rd_left(&ahead) > 0 && rd_u8(&ahead) != separator)
        n++;
    const struct view v = rd_view(r, n);
    if (rd_left(r) > 0)
        rd_skip(r, 1);
    return v;
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 ? c != 0x7f : c == '\t' || c == '\n' || c == '\r';
}

/* ---- forms ---- */

static enum err take_name(struct view text, struct form *form)
{
    char *name = form->field[form->count].name;
    struct reader r = rd_init(text);
    size_t n = 0;
    while (rd_left(&r) > 0) {
        const uint8_t c = decoded(&r);
        if (!((c >= 'a' && c <= 'z') || c == '_'))
            return ERR_MALFORMED;
        if (n + 1 >= FORM_NAME_MAX)
            return ERR_LIMIT;
        name[n++] = (char)c;
    }
    name[n] = '\0';
    return n > 0 && rd_ok(&r) && !form_has(form, name) ? ERR_OK : ERR_MALFORMED;
}

/* A value is never longer than its encoding, so the room is enough. */
static enum err take_value(struct view text, struct form *form, struct writer *w)
{
    struct reader r = rd_init(text);
    form->field[form->count].value = form->room + w->n;
    while (rd_left(&r) > 0) {
        const uint8_t c = decoded(&r);
        if (!is_plain(c))
            return ERR_MALFORMED;
        wr_u8(w, c);
    }
    wr_u8(w, 0);
    return rd_ok(&r) && wr_ok(w) ? ERR_OK : ERR_MALFORMED;
}

enum err form_parse(struct view text, struct form *out)
{
    struct form form = {.room = malloc(text.n + FORM_FIELDS_MAX + 1), .size = text.n + FORM_FIELDS_MAX + 1};
    if (form.room == NULL)
        return ERR_NOMEM;
    struct writer w = wr_init(form.room, form.size);
    struct reader r = rd_init(text);
    enum err e = ERR_OK;
    while (rd_left(&r) > 0 && e == ERR_OK) {
        const struct view pair = until(&r, '&');
        if (pair.n == 0)
            continue;
        struct reader inside = rd_init(pair);
        const struct view name = until(&inside, '=');
        e = form.count < FORM_FIELDS_MAX ? take_name(name, &form) : ERR_LIMIT;
        if (e == ERR_OK)
            e = take_value(rd_rest(&inside), &form, &w);
        if (e == ERR_OK)
            form.count++;
    }
    if (e == ERR_OK)
        *out = form;
    else
        form_done(&form);
    return e;
}

void form_done(struct form *form)
{
    if (form->room != NULL)
        bytes_wipe(form->room, form->size);
    free(form->room);
    *form = (struct form){0};
}

bool form_has(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->field[i].name, name) == 0)
            return true;
    return false;
}

const char *form_value(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->field[i].name, name) == 0)
            return form->field[i].value;
    return "";
}

enum err form_number(const struct form *form, const char *name, uint64_t max, uint64_t *out)
{
    struct reader r = rd_init(view_str(form_value(form, name)));
    uint64_t n = 0;
    if (rd_left(&r) == 0)
        return ERR_MALFORMED;
    while (rd_left(&r) > 0) {
        const uint8_t c = rd_u8(&r);
        if (c < '0' || c > '9' || n > max / 10)
            return ERR_MALFORMED;
        n = n * 10 + (uint64_t)(c - '0');
    }
    if (n > max)
        return ERR_MALFORMED;
    *out = n;
    return ERR_OK;
}

enum err form_date(const struct form *form, const char *name, uint64_t *out)
{
    const char *text = form_value(form, name);
    *out = 0;
    return text[0] != '\0' ? date_read(text, out) : ERR_OK;
}

bool form_changed(const struct form *form, const char *name)
{
    char was[FORM_NAME_MAX];
    snprintf(was, sizeof was, FORM_WAS "%s", name);
    return !form_has(form, was) || strcmp(form_value(form, was), form_value(form, name)) != 0;
}

/* ---- targets and cookies ---- */

enum err target_split(struct view target, struct view *path, struct view *query)
{
    struct reader r = rd_init(target), look = r;
    if (rd_u8(&look) != '/')
        return ERR_MALFORMED;
    for (look = r; rd_left(&look) > 0;) {
        const uint8_t c = rd_u8(&look);
        if (c <= 0x20 || c >= 0x7f || c == '#')
            return ERR_MALFORMED;
    }
    *path = until(&r, '?');
    *query = rd_rest(&r);
    return ERR_OK;
}

enum err segment_read(struct view text, char *out, size_t cap)
{
    struct reader r = rd_init(text);
    size_t n = 0;
    while (rd_left(&r) > 0) {
        const uint8_t c = *r.p == '+' ? rd_u8(&r) : decoded(&r);
        if (!rd_ok(&r) || c < 0x20 || c == 0x7f)
            return ERR_MALFORMED;
        if (n + 1 >= cap)
            return ERR_LIMIT;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return n > 0 && rd_ok(&r) ? ERR_OK : ERR_MALFORMED;
}

enum err cookie_find(struct view header, const char *name, struct view *value)
{
    struct reader r = rd_init(header);
    while (rd_left(&r) > 0) {
        struct view pair = until(&r, ';');
        struct reader inside = rd_init(pair);
        while (rd_left(&inside) > 0 && *inside.p == ' ')
            rd_skip(&inside, 1);
        if (!view_equal(until(&inside, '='), view_str(name)))
            continue;
        *value = rd_rest(&inside);
        return ERR_OK;
    }
    return ERR_NOTFOUND;
}

bool hex_read(struct view text, uint8_t *out, size_t n)
{
    struct reader r = rd_init(text);
    if (text.n != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        const int high = digit_of(rd_u8(&r)), low = digit_of(rd_u8(&r));
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void hex_write(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}
