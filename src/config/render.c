/* From the fields of a struct back to texts, in the normal form that a schema's fallbacks have. */
#include "config/config_internal.h"

#include <stdio.h>
#include <string.h>

static void put(struct writer *w, const char *text)
{
    wr_view(w, view_str(text));
}

static void put_number(struct writer *w, uint32_t n)
{
    char text[16];
    snprintf(text, sizeof text, "%u", n);
    put(w, text);
}

/* The place-th of words, from 0. */
static void put_word(struct writer *w, const char *words, uint32_t place)
{
    while (place > 0 && *words != '\0') {
        words += strcspn(words, " ");
        words += *words == ' ';
        place--;
    }
    wr_bytes(w, words, strcspn(words, " "));
}

/* In the largest unit that needs no fraction, but two minutes at least in minutes; 0 has none. */
static void put_seconds(struct writer *w, uint32_t seconds)
{
    static const struct {
        const char *unit;
        uint32_t seconds;
    } units[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
    size_t i = seconds < 120 ? ARRAY_LEN(units) - 1 : 0;
    while (seconds % units[i].seconds != 0)
        i++;
    put_number(w, seconds == 0 ? 0 : seconds / units[i].seconds);
    put(w, seconds == 0 ? "" : units[i].unit);
}

static void put_address(struct writer *w, const struct ip_addr *a)
{
    char text[IP_TEXT_MAX];
    put(w, a->family != 0 ? ip_text(a, text) : "");
}

static void put_addresses(struct writer *w, const char *words, const struct config_addrs *list)
{
    if (list->word != 0)
        put_word(w, words, list->word - 1);
    for (uint32_t i = 0; i < list->count; i++) {
        put(w, i ? ", " : "");
        put_address(w, &list->addr[i]);
    }
}

static void put_prefixes(struct writer *w, const char *words, const struct config_prefixes *list)
{
    if (list->word != 0)
        put_word(w, words, list->word - 1);
    for (uint32_t i = 0; i < list->count; i++) {
        put(w, i ? ", " : "");
        put_address(w, &list->prefix[i].addr);
        put(w, "/");
        put_number(w, list->prefix[i].bits);
    }
}

static void put_ranges(struct writer *w, const struct config_ranges *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct ip_addr first = ip4_addr(list->range[i].first), last = ip4_addr(list->range[i].last);
        put(w, i ? ", " : "");
        put_address(w, &first);
        put(w, "-");
        put_address(w, &last);
    }
}

static void put_auths(struct writer *w, const char *words, const struct config_auths *list)
{
    for (size_t i = 0; list->method[i] != CONFIG_AUTH_NONE; i++) {
        put(w, i ? ", " : "");
        put_word(w, words, list->method[i]);
    }
}

static void put_list(struct writer *w, const char *list)
{
    for (; *list != '\0'; list++)
        put(w, *list == ',' ? ", " : (const char[]){*list, '\0'});
}

const char *value_text(const struct schema_key *key, const void *base, char out[static SCHEMA_TEXT_MAX])
{
    const void *field = (const char *)base + key->offset;
    struct writer w = wr_init(out, SCHEMA_TEXT_MAX - 1);
    switch (key->kind) {
    case KIND_FLAG:
        put(&w, *(const bool *)field ? "on" : "off");
        break;
    case KIND_NUMBER:
        put_number(&w, *(const uint32_t *)field);
        break;
    case KIND_SECONDS:
        put_seconds(&w, *(const uint32_t *)field);
        break;
    case KIND_WORD:
        put_word(&w, key->words, *(const uint32_t *)field);
        break;
    case KIND_CHOICE:
    case KIND_NAME:
    case KIND_TEXT:
    case KIND_PATH:
    case KIND_SECRET:
        put(&w, field);
        break;
    case KIND_ADDRESS:
        put_address(&w, field);
        break;
    case KIND_ADDRESSES:
        put_addresses(&w, key->words, field);
        break;
    case KIND_RANGES:
        put_ranges(&w, field);
        break;
    case KIND_PREFIXES:
        put_prefixes(&w, key->words, field);
        break;
    case KIND_AUTHS:
        put_auths(&w, key->words, field);
        break;
    case KIND_CHOICES:
    case KIND_NAMES:
        put_list(&w, field);
        break;
    }
    out[wr_ok(&w) ? w.n : 0] = '\0';
    return out;
}
