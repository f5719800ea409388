/* A file under a schema: look-ups in its table, and filling a struct by it. */
#include "config/config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool schema_is_list(enum schema_kind k)
{
    return k == KIND_ADDRESSES || k == KIND_RANGES || k == KIND_PREFIXES || k == KIND_AUTHS || k == KIND_CHOICES ||
           k == KIND_NAMES;
}

const char *schema_key_name(const struct schema *schema, const struct schema_key *key, char out[static CONFIG_NAME_MAX])
{
    const char *section = schema->sections[key->section].word;
    snprintf(out, CONFIG_NAME_MAX, "%s%s%s", section, section[0] ? "." : "", key->word);
    return out;
}

/* ---- filling ---- */

static enum err fill(const struct schema *schema, const char *text, void *base, struct config_error *e)
{
    struct syntax *s = NULL;
    enum err result = syntax_parse(schema, text, &s, e);
    for (unsigned k = 0; k < schema->section_count && result == ERR_OK; k++)
        result = syntax_fill(s, k, 0, base, schema->sections[k].word, e);
    syntax_free(s);
    return result;
}

enum err schema_parse(const struct schema *schema, struct view text, void *base, struct config_error *error)
{
    char *clean = NULL;
    enum err result = config_scan(text, &clean, error);
    if (result == ERR_OK) {
        size_t n = strlen(clean);
        result = fill(schema, clean, base, error);
        bytes_wipe(clean, n);
    }
    free(clean);
    if (result == ERR_NOMEM)
        config_tell(error, 0, "", TOLD(SCHEMA_MEMORY));
    return result;
}

void schema_fallbacks(const struct schema *schema, void *base)
{
    for (size_t i = 0; i < schema->key_count; i++)
        value_fallback(&schema->keys[i], base);
}

const struct schema_key *schema_find(const struct schema *schema, const char *key)
{
    char name[CONFIG_NAME_MAX];
    for (size_t i = 0; i < schema->key_count; i++)
        if (strcmp(schema_key_name(schema, &schema->keys[i], name), key) == 0)
            return &schema->keys[i];
    return NULL;
}

enum err schema_set(const struct schema *schema, const char *key, const char *text, void *base,
                    struct config_error *error)
{
    char safe[CONFIG_NAME_MAX];
    const struct schema_key *found = schema_find(schema, key);
    if (found != NULL)
        return value_set_text(found, text, base, key, error);
    return config_tell(error, 0, "", TOLD(KEY_UNKNOWN), config_printable(key, safe, sizeof safe), schema->page);
}

const char *schema_get(const struct schema *schema, const char *key, const void *base, char out[static SCHEMA_TEXT_MAX])
{
    const struct schema_key *found = schema_find(schema, key);
    return found != NULL ? value_text(found, base, out) : NULL;
}

static uint32_t line_of(const struct syntax *s, const struct schema_key *key)
{
    return key != NULL && syntax_values(s, key, 0) > 0 ? syntax_value(s, key, 0, 0)->line : 0;
}

uint32_t schema_line(const struct schema *schema, struct view text, const char *key)
{
    char *clean = NULL;
    struct syntax *s = NULL;
    struct config_error ignored;
    uint32_t line = 0;
    if (config_scan(text, &clean, &ignored) == ERR_OK) {
        size_t n = strlen(clean);
        if (syntax_parse(schema, clean, &s, &ignored) == ERR_OK)
            line = line_of(s, schema_find(schema, key));
        bytes_wipe(clean, n);
    }
    syntax_free(s);
    free(clean);
    return line;
}

/* ---- the nearest word to a misspelt one ---- */

#define WORD_LENGTH_MAX 32

/* Levenshtein's distance of two short words. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_LENGTH_MAX + 1];
    size_t n = strlen(b);
    if (strlen(a) > WORD_LENGTH_MAX || n > WORD_LENGTH_MAX)
        return WORD_LENGTH_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[n];
}

const char *schema_nearest(const struct schema *schema, unsigned section, const char *word)
{
    const char *best = NULL;
    size_t least = 3;
    for (size_t i = 0; i < schema->key_count; i++) {
        size_t d = schema->keys[i].section == section ? distance(word, schema->keys[i].word) : least;
        if (d < least) {
            least = d;
            best = schema->keys[i].word;
        }
    }
    for (size_t i = 1; section == 0 && i < schema->section_count; i++) {
        size_t d = distance(word, schema->sections[i].word);
        if (d < least) {
            least = d;
            best = schema->sections[i].word;
        }
    }
    return best;
}
