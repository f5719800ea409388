/* Files made from a schema: the commented example of all defaults, and a struct as a file that is read back. */
#include "config/config_internal.h"

#include <stdio.h>
#include <string.h>

#define WIDTH 96 /* of a comment's text */

/* What is written: base NULL is the example. */
struct write {
    struct writer *w;
    const struct schema *schema;
    const void *base;
    bool comments;
};

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

/* What stands in the comment of a key that has no default. */
static const char *sample(const struct schema_key *key)
{
    switch (key->kind) {
    case KIND_ADDRESS:
    case KIND_ADDRESSES:
        return "192.0.2.1";
    case KIND_PREFIXES:
        return "172.16.0.0/16";
    case KIND_PATH:
        return key->words[0] ? key->words : "/etc/sekisho/secret";
    case KIND_SECRET:
        return "a long secret";
    case KIND_NAME:
        return key->words[0] ? key->words : "sekisho";
    case KIND_TEXT:
    case KIND_NAMES:
        return key->words;
    case KIND_FLAG:
    case KIND_NUMBER:
    case KIND_SECONDS:
    case KIND_WORD:
    case KIND_CHOICE:
    case KIND_CHOICES:
    case KIND_RANGES:
    case KIND_AUTHS:
        break;
    }
    return "";
}

static bool is_bare(enum schema_kind kind)
{
    return kind == KIND_FLAG || kind == KIND_NUMBER || kind == KIND_SECONDS || kind == KIND_WORD || kind == KIND_CHOICE;
}

static void put_quoted(struct writer *w, const char *text, size_t n)
{
    put(w, "\"");
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"' || text[i] == '\\')
            put(w, "\\");
        wr_u8(w, (uint8_t)text[i]);
    }
    put(w, "\"");
}

/* A list's texts each in quotes, but a word in its place without braces. */
static void put_value(struct writer *w, const struct schema_key *key, const char *text)
{
    if (!schema_is_list(key->kind)) {
        if (is_bare(key->kind))
            put(w, text);
        else
            put_quoted(w, text, strlen(text));
        return;
    }
    if (schema_list_word(key, text)) {
        put_quoted(w, text, strlen(text));
        return;
    }
    put(w, "{ ");
    while (*text != '\0') {
        size_t n = strcspn(text, ",");
        put_quoted(w, text, n);
        text += n;
        if (*text == ',') {
            put(w, ", ");
            text += strspn(text, ", ");
        }
    }
    put(w, " }");
}

static void put_comments(struct writer *w, const struct schema_key *key, const char *indent)
{
    char range[96] = "";
    put_comment(w, indent, key->sentence);
    if (key->kind == KIND_NUMBER || key->kind == KIND_SECONDS)
        snprintf(range, sizeof range, "From %llu to %llu%s.", (unsigned long long)key->min,
                 (unsigned long long)key->max, key->kind == KIND_SECONDS ? " seconds; s, m, h and d may follow" : "");
    put_comment(w, indent, range);
}

static void put_key(const struct write *to, const struct schema_key *key, const char *indent)
{
    char text[SCHEMA_TEXT_MAX] = "";
    bool said = to->base != NULL && strcmp(value_text(key, to->base, text), key->fallback) != 0;
    if (to->comments)
        put_comments(to->w, key, indent);
    if (to->comments || said) {
        put(to->w, indent);
        put(to->w, said ? "" : "#");
        put(to->w, key->word);
        put(to->w, " = ");
        put_value(to->w, key, said ? text : key->fallback[0] ? key->fallback : sample(key));
        put(to->w, to->comments ? "\n\n" : "\n");
    }
    bytes_wipe(text, sizeof text);
}

static bool differs(const struct write *to, unsigned s)
{
    char text[SCHEMA_TEXT_MAX];
    bool found = false;
    for (size_t i = 0; i < to->schema->key_count && !found; i++)
        found = to->schema->keys[i].section == s &&
                strcmp(value_text(&to->schema->keys[i], to->base, text), to->schema->keys[i].fallback) != 0;
    bytes_wipe(text, sizeof text);
    return found;
}

static void put_section(const struct write *to, unsigned s)
{
    struct writer *w = to->w;
    const struct schema_section *section = &to->schema->sections[s];
    const char *indent = s == 0 ? "" : "    ";
    if (!to->comments && !differs(to, s))
        return;
    if (to->comments) {
        put(w, "# ");
        put(w, section->sentence);
        put(w, "\n");
    }
    if (s != 0) {
        put(w, section->titled ? "#" : "");
        put(w, section->word);
        put(w, section->titled ? " \"default\" {\n" : " {\n");
    }
    for (size_t i = 0; i < to->schema->key_count; i++)
        if (to->schema->keys[i].section == s)
            put_key(to, &to->schema->keys[i], indent);
    if (s != 0) {
        if (to->comments && wr_ok(w) && w->n > 0)
            w->n--; /* no empty line before the brace */
        put(w, section->titled ? "#}\n" : "}\n");
        put(w, to->comments ? "\n" : "");
    }
}

enum err schema_write(const struct schema *schema, const void *base, bool comments, struct writer *w)
{
    const struct write to = {w, schema, base, comments};
    for (unsigned s = 0; s < schema->section_count; s++)
        put_section(&to, s);
    return wr_ok(w) ? ERR_OK : ERR_LIMIT;
}

enum err config_example(struct writer *w)
{
    const struct write to = {w, &config_schema, NULL, true};
    put(w, "# Configuration of the Sekisho gateway; see sekisho.conf(5). Every value below is the default, or an\n"
           "# example where there is none. A line takes effect without its number sign.\n\n");
    for (unsigned s = 0; s < SECTION_COUNT; s++)
        put_section(&to, s);
    return wr_ok(w) ? ERR_OK : ERR_LIMIT;
}
