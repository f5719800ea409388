/* The example file: every key of the schema with its sentence and its default, all of it commented out. */
#include "config/config_internal.h"

#include <stdio.h>
#include <string.h>

#define WIDTH 96 /* of a comment's text */

static void put(struct writer *w, const char *text)
{
    wr_view(w, view_str(text));
}

/* A sentence as comment lines, broken at blanks. */
static void put_comment(struct writer *w, const char *indent, const char *text)
{
    while (*text != '\0') {
        size_t n = strlen(text);
        if (n > WIDTH) {
            n = WIDTH;
            while (text[n] != ' ')
                n--;
        }
        put(w, indent);
        put(w, "# ");
        wr_bytes(w, text, n);
        put(w, "\n");
        text += n;
        text += *text == ' ';
    }
}

static const char *sample(const struct schema_key *key)
{
    if (key->fallback[0] != '\0')
        return key->fallback;
    switch (key->kind) {
    case KIND_ADDRESS:
    case KIND_ADDRESSES:
        return "192.0.2.1";
    case KIND_PREFIXES:
        return "172.16.0.0/16";
    case KIND_PATH:
        return "/etc/sekisho/secret";
    case KIND_SECRET:
        return "a long secret";
    case KIND_NAME:
        return strcmp(key->word, "outside") == 0 ? "eth0" : "sekisho";
    case KIND_FLAG:
    case KIND_NUMBER:
    case KIND_SECONDS:
    case KIND_WORD:
    case KIND_RANGES:
    case KIND_AUTHS:
        break;
    }
    return "";
}

/* A list's texts each in quotes; words and numbers bare. */
static void put_value(struct writer *w, const struct schema_key *key)
{
    const char *text = sample(key);
    bool bare =
        key->kind == KIND_FLAG || key->kind == KIND_NUMBER || key->kind == KIND_SECONDS || key->kind == KIND_WORD;
    if (schema_is_list(key->kind))
        put(w, "{ ");
    while (*text != '\0') {
        size_t n = schema_is_list(key->kind) ? strcspn(text, ",") : strlen(text);
        put(w, bare ? "" : "\"");
        wr_bytes(w, text, n);
        put(w, bare ? "" : "\"");
        text += n;
        if (*text == ',') {
            put(w, ", ");
            text += strspn(text, ", ");
        }
    }
    if (schema_is_list(key->kind))
        put(w, " }");
}

static void put_key(struct writer *w, const struct schema_key *key, const char *indent)
{
    char range[96] = "";
    put_comment(w, indent, key->sentence);
    if (key->kind == KIND_NUMBER || key->kind == KIND_SECONDS)
        snprintf(range, sizeof range, "From %llu to %llu%s.", (unsigned long long)key->min,
                 (unsigned long long)key->max, key->kind == KIND_SECONDS ? " seconds; s, m, h and d may follow" : "");
    put_comment(w, indent, range);
    put(w, indent);
    put(w, "#");
    put(w, key->word);
    put(w, " = ");
    put_value(w, key);
    put(w, "\n\n");
}

static void put_section(struct writer *w, enum section s)
{
    const struct schema_section *section = schema_section(s);
    const struct schema_key *key;
    const char *indent = s == SECTION_TOP ? "" : "    ";
    put(w, "# ");
    put(w, section->sentence);
    put(w, "\n");
    if (s != SECTION_TOP) {
        put(w, section->titled ? "#" : "");
        put(w, section->word);
        put(w, section->titled ? " \"default\" {\n" : " {\n");
    }
    for (size_t i = 0; (key = schema_key(i)) != NULL; i++)
        if (key->section == s)
            put_key(w, key, indent);
    if (s != SECTION_TOP) {
        if (wr_ok(w) && w->n > 0)
            w->n--; /* no empty line before the brace */
        put(w, section->titled ? "#}\n\n" : "}\n\n");
    }
}

enum err config_example(struct writer *w)
{
    put(w, "# Configuration of the Sekisho gateway; see sekisho.conf(5). Every value below is the default, or an\n"
           "# example where there is none. A line takes effect without its number sign.\n\n");
    for (size_t s = 0; s < SECTION_COUNT; s++)
        put_section(w, (enum section)s);
    return wr_ok(w) ? ERR_OK : ERR_LIMIT;
}
