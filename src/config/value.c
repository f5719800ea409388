/* From the texts of a file to the fields of a struct, kind by kind. */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAFE_MAX 64 /* bytes of a wrong value that an error repeats */

struct value {
    const struct schema_key *key;
    const char *name; /* for errors */
    const struct said *said;
    struct config_error *e;
};

static enum err set_flag(const struct value *v, bool *out)
{
    static const char *const words[] = {"off", "on", "no", "yes", "false", "true"};
    char safe[SAFE_MAX];
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(v->said->text, words[i]) == 0) {
            *out = i % 2 == 1;
            return ERR_OK;
        }
    }
    return config_tell(v->e, v->said->line, v->name, TOLD(NO_SWITCH),
                       config_printable(v->said->text, safe, sizeof safe));
}

/* Digits alone, then what is left. */
static bool digits(const char *text, uint64_t *out, const char **rest)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    *rest = end;
    return errno == 0;
}

static enum err set_number(const struct value *v, uint32_t *out)
{
    uint64_t n;
    const char *rest;
    char safe[SAFE_MAX];
    if (!digits(v->said->text, &n, &rest) || *rest != '\0')
        return config_tell(v->e, v->said->line, v->name, TOLD(NO_NUMBER),
                           config_printable(v->said->text, safe, sizeof safe), (unsigned long long)v->key->min,
                           (unsigned long long)v->key->max);
    if (n < v->key->min || n > v->key->max)
        return config_tell(v->e, v->said->line, v->name, TOLD(NUMBER_RANGE), (unsigned long long)n,
                           (unsigned long long)v->key->min, (unsigned long long)v->key->max);
    *out = (uint32_t)n;
    return ERR_OK;
}

static enum err set_seconds(const struct value *v, uint32_t *out)
{
    static const struct {
        const char *unit;
        uint32_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    uint64_t n;
    const char *rest;
    char safe[SAFE_MAX];
    uint32_t unit = 0;
    if (digits(v->said->text, &n, &rest))
        for (size_t i = 0; i < ARRAY_LEN(units); i++)
            if (strcmp(rest, units[i].unit) == 0)
                unit = units[i].seconds;
    if (unit == 0)
        return config_tell(v->e, v->said->line, v->name, TOLD(NO_TIME),
                           config_printable(v->said->text, safe, sizeof safe));
    if (n > UINT32_MAX || n * unit < v->key->min || n * unit > v->key->max)
        return config_tell(v->e, v->said->line, v->name, TOLD(TIME_RANGE),
                           config_printable(v->said->text, safe, sizeof safe), (unsigned long long)v->key->min,
                           (unsigned long long)v->key->max);
    *out = (uint32_t)(n * unit);
    return ERR_OK;
}

/* The place of a word among words parted by blanks, counting from 0; -1 when it is not there. */
static int word_place(const char *words, const char *word)
{
    size_t n = strlen(word);
    int place = 0;
    for (const char *p = words; *p != '\0' && n > 0; place++) {
        size_t here = strcspn(p, " ");
        if (here == n && memcmp(p, word, n) == 0)
            return place;
        p += here;
        p += *p == ' ';
    }
    return -1;
}

/* "a b c" becomes "a", "b", "c" for a sentence. */
static void word_list(const char *words, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    for (const char *p = words; *p != '\0' && n < cap;) {
        size_t here = strcspn(p, " ");
        n += (size_t)snprintf(out + n, cap - n, "%s\"%.*s\"", n ? ", " : "", (int)here, p);
        p += here;
        p += *p == ' ';
    }
}

static enum err set_word(const struct value *v, uint32_t *out)
{
    char safe[SAFE_MAX], choices[128];
    int place = word_place(v->key->words, v->said->text);
    if (place < 0) {
        word_list(v->key->words, choices, sizeof choices);
        return config_tell(v->e, v->said->line, v->name, TOLD(NO_CHOICE),
                           config_printable(v->said->text, safe, sizeof safe), choices);
    }
    *out = (uint32_t)place;
    return ERR_OK;
}

static enum err set_choice(const struct value *v, char *out)
{
    uint32_t place;
    enum err result = set_word(v, &place);
    if (result == ERR_OK)
        snprintf(out, v->key->max + 1, "%s", v->said->text);
    return result;
}

static enum err set_text(const struct value *v, char *out)
{
    size_t n = strlen(v->said->text);
    for (const char *p = v->said->text; *p != '\0'; p++)
        if ((*p >= '\0' && *p < ' ' && *p != '\t' && *p != '\r') || *p == 0x7f)
            return config_tell(v->e, v->said->line, v->name, TOLD(TEXT_CONTROL));
    if (n < v->key->min || n > v->key->max)
        return config_tell(v->e, v->said->line, v->name, TOLD(TEXT_LENGTH), n, (unsigned long long)v->key->min,
                           (unsigned long long)v->key->max);
    memcpy(out, v->said->text, n + 1);
    return ERR_OK;
}

static enum err check_name(const struct value *v)
{
    char safe[SAFE_MAX];
    for (const char *p = v->said->text; *p != '\0'; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-_.@", *p)))
            return config_tell(v->e, v->said->line, v->name, TOLD(NO_NAME),
                               config_printable(v->said->text, safe, sizeof safe));
    return ERR_OK;
}

static enum err set_name(const struct value *v, char *out)
{
    enum err result = check_name(v);
    return result == ERR_OK ? set_text(v, out) : result;
}

static enum err set_path(const struct value *v, char *out)
{
    char safe[SAFE_MAX];
    if (v->said->text[0] != '/')
        return config_tell(v->e, v->said->line, v->name, TOLD(NO_PATH),
                           config_printable(v->said->text, safe, sizeof safe));
    return set_text(v, out);
}

static enum err set_address(const struct value *v, struct ip_addr *out)
{
    char safe[SAFE_MAX];
    if (ip_parse(v->said->text, out) == ERR_OK)
        return ERR_OK;
    return config_tell(v->e, v->said->line, v->name, TOLD(NO_ADDRESS),
                       config_printable(v->said->text, safe, sizeof safe));
}

static enum err set_addresses(const struct value *v, struct config_addrs *out)
{
    struct ip_addr one;
    enum err result = set_address(v, &one);
    if (result != ERR_OK)
        return result;
    if (out->count >= v->key->max)
        return config_tell(v->e, v->said->line, v->name, TOLD(ADDRESSES_TOO_MANY), (unsigned long long)v->key->max);
    for (uint32_t i = 0; i < out->count; i++)
        if (ip_equal(&out->addr[i], &one))
            return config_tell(v->e, v->said->line, v->name, TOLD(LISTED_TWICE), v->said->text);
    out->addr[out->count++] = one;
    return ERR_OK;
}

/* FIRST-LAST, or one address. */
static bool range_of(const char *text, struct config_range *out)
{
    char first[IP_TEXT_MAX];
    struct ip_addr a, b;
    size_t n = strcspn(text, "-");
    if (n >= sizeof first)
        return false;
    memcpy(first, text, n);
    first[n] = '\0';
    if (ip_parse(first, &a) != ERR_OK || a.family != 4)
        return false;
    b = a;
    if (text[n] == '-' && (ip_parse(text + n + 1, &b) != ERR_OK || b.family != 4))
        return false;
    *out = (struct config_range){ip4_value(&a), ip4_value(&b)};
    return true;
}

static enum err set_ranges(const struct value *v, struct config_ranges *out)
{
    char safe[SAFE_MAX];
    struct config_range one;
    if (!range_of(v->said->text, &one))
        return config_tell(v->e, v->said->line, v->name, TOLD(NO_RANGE),
                           config_printable(v->said->text, safe, sizeof safe));
    if (one.first > one.last)
        return config_tell(v->e, v->said->line, v->name, TOLD(RANGE_BACKWARDS), v->said->text);
    if (out->count >= v->key->max)
        return config_tell(v->e, v->said->line, v->name, TOLD(RANGES_TOO_MANY), (unsigned long long)v->key->max);
    out->range[out->count++] = one;
    return ERR_OK;
}

/* ADDRESS/BITS with no bit beyond them. */
static bool prefix_of(const char *text, struct ip_prefix *out)
{
    char address[IP_TEXT_MAX];
    size_t n = strcspn(text, "/");
    char *end;
    if (n >= sizeof address || text[n] != '/' || text[n + 1] < '0' || text[n + 1] > '9')
        return false;
    memcpy(address, text, n);
    address[n] = '\0';
    unsigned long bits = strtoul(text + n + 1, &end, 10);
    struct ip_prefix one;
    if (*end != '\0' || bits > 32 || ip_parse(address, &one.addr) != ERR_OK || one.addr.family != 4)
        return false;
    one.bits = (uint8_t)bits;
    if (bits < 32 && ip4_value(&one.addr) & (UINT32_MAX >> bits))
        return false;
    *out = one;
    return true;
}

static enum err set_prefixes(const struct value *v, struct config_prefixes *out)
{
    char safe[SAFE_MAX];
    struct ip_prefix one;
    if (!prefix_of(v->said->text, &one))
        return config_tell(v->e, v->said->line, v->name, TOLD(NO_NETWORK),
                           config_printable(v->said->text, safe, sizeof safe));
    if (out->count >= v->key->max)
        return config_tell(v->e, v->said->line, v->name, TOLD(NETWORKS_TOO_MANY), (unsigned long long)v->key->max);
    out->prefix[out->count++] = one;
    return ERR_OK;
}

static enum err set_auths(const struct value *v, struct config_auths *out)
{
    uint32_t method, n = 0;
    char safe[SAFE_MAX];
    enum err result = set_word(v, &method);
    if (result == ERR_OK && method == CONFIG_AUTH_NONE)
        result = ERR_INVALID;
    if (result != ERR_OK)
        return config_tell(v->e, v->said->line, v->name, TOLD(NO_LOGIN_METHOD),
                           config_printable(v->said->text, safe, sizeof safe));
    for (; out->method[n] != CONFIG_AUTH_NONE; n++)
        if (out->method[n] == method)
            return config_tell(v->e, v->said->line, v->name, TOLD(LISTED_TWICE), v->said->text);
    out->method[n] = method;
    out->method[n + 1] = CONFIG_AUTH_NONE;
    return ERR_OK;
}

/* ---- lists of texts ---- */

static bool is_listed(const char *list, const char *text)
{
    size_t n = strlen(text);
    for (const char *p = list; *p != '\0';) {
        size_t here = strcspn(p, ",");
        if (here == n && memcmp(p, text, n) == 0)
            return true;
        p += here;
        p += *p == ',';
    }
    return false;
}

static enum err add_text(const struct value *v, char *out)
{
    size_t n = strlen(out), more = strlen(v->said->text);
    if (more == 0)
        return config_tell(v->e, v->said->line, v->name, TOLD(LIST_EMPTY_TEXT));
    if (is_listed(out, v->said->text))
        return config_tell(v->e, v->said->line, v->name, TOLD(LISTED_TWICE), v->said->text);
    if (n + 1 + more > v->key->max)
        return config_tell(v->e, v->said->line, v->name, TOLD(LIST_LONG), (unsigned long long)v->key->max);
    snprintf(out + n, v->key->max + 1 - n, "%s%s", n ? "," : "", v->said->text);
    return ERR_OK;
}

static enum err set_choices(const struct value *v, char *out)
{
    uint32_t place;
    enum err result = set_word(v, &place);
    return result == ERR_OK ? add_text(v, out) : result;
}

static enum err set_names(const struct value *v, char *out)
{
    enum err result = check_name(v);
    return result == ERR_OK ? add_text(v, out) : result;
}

static enum err set_one(const struct value *v, void *field)
{
    switch (v->key->kind) {
    case KIND_FLAG:
        return set_flag(v, field);
    case KIND_NUMBER:
        return set_number(v, field);
    case KIND_SECONDS:
        return set_seconds(v, field);
    case KIND_WORD:
        return set_word(v, field);
    case KIND_CHOICE:
        return set_choice(v, field);
    case KIND_NAME:
        return set_name(v, field);
    case KIND_PATH:
        return set_path(v, field);
    case KIND_TEXT:
    case KIND_SECRET:
        return set_text(v, field);
    case KIND_ADDRESS:
        return set_address(v, field);
    case KIND_ADDRESSES:
        return set_addresses(v, field);
    case KIND_RANGES:
        return set_ranges(v, field);
    case KIND_PREFIXES:
        return set_prefixes(v, field);
    case KIND_AUTHS:
        return set_auths(v, field);
    case KIND_CHOICES:
        return set_choices(v, field);
    case KIND_NAMES:
        return set_names(v, field);
    }
    return ERR_STATE;
}

static void empty(const struct schema_key *key, void *field)
{
    switch (key->kind) {
    case KIND_ADDRESSES:
        *(struct config_addrs *)field = (struct config_addrs){0};
        break;
    case KIND_RANGES:
        *(struct config_ranges *)field = (struct config_ranges){0};
        break;
    case KIND_PREFIXES:
        *(struct config_prefixes *)field = (struct config_prefixes){0};
        break;
    case KIND_AUTHS:
        *(struct config_auths *)field = (struct config_auths){0};
        break;
    case KIND_CHOICE:
    case KIND_NAME:
    case KIND_TEXT:
    case KIND_PATH:
    case KIND_SECRET:
    case KIND_CHOICES:
    case KIND_NAMES:
        *(char *)field = '\0';
        break;
    case KIND_ADDRESS:
        *(struct ip_addr *)field = (struct ip_addr){0};
        break;
    case KIND_FLAG:
    case KIND_NUMBER:
    case KIND_SECONDS:
    case KIND_WORD:
        break;
    }
}

bool schema_list_word(const struct schema_key *key, const char *text)
{
    return (key->kind == KIND_ADDRESSES || key->kind == KIND_PREFIXES) && word_place(key->words, text) >= 0;
}

static void set_list_word(const struct schema_key *key, const char *text, void *field)
{
    const uint32_t word = (uint32_t)word_place(key->words, text) + 1;
    if (key->kind == KIND_ADDRESSES)
        ((struct config_addrs *)field)->word = word;
    else
        ((struct config_prefixes *)field)->word = word;
}

enum err value_set(const struct schema_key *key, const struct said *const *values, size_t n, void *base,
                   const char *name, struct config_error *e)
{
    void *field = (char *)base + key->offset;
    empty(key, field);
    if (n == 1 && schema_list_word(key, values[0]->text)) {
        set_list_word(key, values[0]->text, field);
        return ERR_OK;
    }
    for (size_t i = 0; i < n; i++) {
        const struct value v = {key, name, values[i], e};
        enum err result = set_one(&v, field);
        if (result != ERR_OK)
            return result;
    }
    return ERR_OK;
}

enum err value_set_text(const struct schema_key *key, const char *text, void *base, const char *name,
                        struct config_error *e)
{
    struct said said[SCHEMA_VALUES_MAX + 1] = {0};
    const struct said *values[SCHEMA_VALUES_MAX + 1];
    size_t n = 0;
    char *copy = strdup(text), *next = copy;
    if (copy == NULL)
        return ERR_NOMEM;
    while (next != NULL && n < ARRAY_LEN(values)) {
        char *here = schema_is_list(key->kind) ? strsep(&next, ",") : strsep(&next, "");
        said[n].text = here + (schema_is_list(key->kind) ? strspn(here, " ") : 0);
        values[n] = &said[n];
        n++;
    }
    enum err result = value_set(key, values, n, base, name, e);
    bytes_wipe(copy, strlen(text));
    free(copy);
    return result;
}

void value_fallback(const struct schema_key *key, void *base)
{
    struct config_error ignored;
    void *field = (char *)base + key->offset;
    empty(key, field);
    if (key->fallback[0] != '\0')
        (void)value_set_text(key, key->fallback, base, key->word, &ignored); /* the schema's own values are right */
}
