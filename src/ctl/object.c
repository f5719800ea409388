/* The objects in replies, written and read by one table of fields. */
#include "ctl/ctl_internal.h"

#include <stdlib.h>
#include <string.h>

enum kind { KIND_TEXT, KIND_NUMBER, KIND_FLAG, KIND_TOLD };

enum object {
#define CTL_OBJECT(name) OBJECT_##name,
    CTL_OBJECTS(CTL_OBJECT)
#undef CTL_OBJECT
};

struct field {
    enum object object;
    enum kind kind;
    const char *name;
    size_t offset, size;
};

static const struct field fields[] = {
#define FIELD(object, kind, name)                                                                                      \
    {OBJECT_##object, KIND_##kind, #name, offsetof(struct ctl_##object, name),                                         \
     sizeof(((struct ctl_##object *)NULL)->name)},
#include "ctl/objects.def"
#undef FIELD
};

/* ---- writing ---- */

/* The bytes of a whole UTF-8 character at p, of at most n; 0 when there is none (RFC 3629). */
static size_t utf8_length(const uint8_t *p, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t want = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    if (want <= 1 || want > n)
        return want == 1 ? 1 : 0;
    uint32_t value = p[0] & (0x7fu >> want);
    for (size_t i = 1; i < want; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        value = value << 6 | (p[i] & 0x3fu);
    }
    bool surrogate = value >= 0xd800 && value <= 0xdfff;
    return value >= least[want] && value <= 0x10ffff && !surrogate ? want : 0;
}

json_t *ctl_json_text(const char *text)
{
    size_t n = strlen(text), at = 0;
    char *clean = malloc(n + 1);
    if (clean == NULL)
        return NULL;
    while (at < n) {
        size_t here = utf8_length((const uint8_t *)text + at, n - at);
        if (here == 0)
            clean[at] = '?';
        else
            memcpy(clean + at, text + at, here);
        at += here != 0 ? here : 1;
    }
    json_t *json = json_stringn(clean, n);
    free(clean);
    return json;
}

json_t *ctl_told_json(const struct telling *told)
{
    json_t *json = json_object(), *params = json_array();
    bool good = json_object_set_new(json, "word", ctl_json_text(told->word)) == 0;
    for (size_t i = 0; i < told->count && i < TOLD_PARAMS_MAX; i++)
        good = json_array_append_new(params, ctl_json_text(told->param[i])) == 0 && good;
    good = json_object_set_new(json, "params", params) == 0 && good;
    good = json_object_set_new(json, "place", ctl_json_text(told->place)) == 0 && good;
    if (good)
        return json;
    json_decref(json);
    return NULL;
}

static json_t *field_json(const struct field *f, const void *base)
{
    const char *p = (const char *)base + f->offset;
    uint64_t number;
    switch (f->kind) {
    case KIND_TEXT:
        return ctl_json_text(p);
    case KIND_NUMBER:
        memcpy(&number, p, sizeof number);
        return json_integer((json_int_t)(number <= INT64_MAX ? number : INT64_MAX));
    case KIND_FLAG:
        return json_boolean(*(const bool *)p);
    case KIND_TOLD:
        return ctl_told_json((const struct telling *)(const void *)p);
    }
    return NULL;
}

static json_t *object_json(enum object object, const void *base)
{
    json_t *json = json_object();
    for (size_t i = 0; i < ARRAY_LEN(fields) && json != NULL; i++) {
        const struct field *f = &fields[i];
        if (f->object != object || json_object_set_new(json, f->name, field_json(f, base)) == 0)
            continue;
        json_decref(json);
        json = NULL;
    }
    return json;
}

/* ---- reading ---- */

static void copy(const json_t *json, char *out, size_t cap)
{
    if (json_is_string(json))
        view_copy_text(out, cap, view_str(json_string_value(json)));
}

void ctl_told_read(const json_t *json, struct telling *out)
{
    const json_t *params = json_object_get(json, "params");
    *out = (struct telling){0};
    copy(json_object_get(json, "word"), out->word, sizeof out->word);
    copy(json_object_get(json, "place"), out->place, sizeof out->place);
    for (; out->count < TOLD_PARAMS_MAX && out->count < json_array_size(params); out->count++)
        copy(json_array_get(params, out->count), out->param[out->count], TOLD_PARAM_MAX);
}

static bool field_read(const struct field *f, const json_t *json, void *base)
{
    char *p = (char *)base + f->offset;
    switch (f->kind) {
    case KIND_TEXT:
        if (!json_is_string(json))
            return false;
        size_t n = json_string_length(json);
        n = n < f->size ? n : f->size - 1;
        memcpy(p, json_string_value(json), n);
        p[n] = '\0';
        return true;
    case KIND_NUMBER:
        if (!json_is_integer(json) || json_integer_value(json) < 0)
            return false;
        *(uint64_t *)(void *)p = (uint64_t)json_integer_value(json);
        return true;
    case KIND_FLAG:
        if (!json_is_boolean(json))
            return false;
        *(bool *)p = json_is_true(json);
        return true;
    case KIND_TOLD:
        ctl_told_read(json, (struct telling *)(void *)p);
        return true;
    }
    return false;
}

/* out is all zero before. */
static enum err object_read(enum object object, const json_t *json, void *out)
{
    if (!json_is_object(json))
        return ERR_MALFORMED;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const json_t *member = fields[i].object == object ? json_object_get(json, fields[i].name) : NULL;
        if (member != NULL && !field_read(&fields[i], member, out))
            return ERR_MALFORMED;
    }
    return ERR_OK;
}

#define CTL_OBJECT(name)                                                                                               \
    json_t *ctl_##name##_json(const struct ctl_##name *object)                                                         \
    {                                                                                                                  \
        return object_json(OBJECT_##name, object);                                                                     \
    }                                                                                                                  \
    enum err ctl_##name##_read(const json_t *json, struct ctl_##name *out)                                             \
    {                                                                                                                  \
        struct ctl_##name read = {0};                                                                                  \
        enum err result = object_read(OBJECT_##name, json, &read);                                                     \
        if (result == ERR_OK)                                                                                          \
            *out = read;                                                                                               \
        return result;                                                                                                 \
    }
CTL_OBJECTS(CTL_OBJECT)
#undef CTL_OBJECT

json_t *ctl_data(const char *name, json_t *value)
{
    json_t *json = json_object();
    if (json_object_set_new(json, name, value) == 0)
        return json;
    json_decref(json);
    return NULL;
}
