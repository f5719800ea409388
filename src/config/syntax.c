/*
 * libconfuse under the schema: every key is a text of ours that remembers its line, so that types, ranges and their
 * errors are one table's business and not the library's.
 */
#include "config/config_internal.h"

#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SINGLE_MAX 1024 /* keys whose repetition is noticed; a file with more is refused for its many sections */

struct syntax {
    const struct schema *schema;
    cfg_t *cfg;
    cfg_opt_t *options[SCHEMA_SECTIONS_MAX];
};

/* The parse under way. libconfuse gives its callbacks no context; its scanner is one a process in any case. */
static struct {
    const struct schema *schema;
    struct config_error *error;
    bool failed; /* the first error is the one to tell */
    const cfg_opt_t *seen[SINGLE_MAX];
    size_t n;
} now;

/* ---- errors ---- */

struct phrase {
    const char *format, *word, *text; /* %s: libconfuse's word */
};

static const struct phrase phrases[] = {
    {"found duplicate title '%s'", TOLD(TITLE_TWICE)},
    {"missing title for section '%s'", TOLD(TITLE_MISSING)},
    {"missing equal sign after option '%s'", TOLD(EQUALS_MISSING)},
    {"missing opening brace for section '%s'", TOLD(BRACES_MISSING)},
    {"unexpected token '%s'", TOLD(OUT_OF_PLACE)},
    {"attempt to append to non-list option '%s'", TOLD(NO_LIST)},
    {"premature end of file", TOLD(VALUE_CUT)},
};

static bool tell_once(cfg_t *cfg)
{
    bool first = !now.failed;
    now.failed = true;
    if (first)
        now.error->line = cfg->line > 0 ? (uint32_t)cfg->line : 0;
    return first;
}

static unsigned section_of(const char *word)
{
    for (unsigned s = 0; s < now.schema->section_count; s++)
        if (word != NULL && strcmp(word, now.schema->sections[s].word) == 0)
            return s;
    return 0;
}

static void unknown_key(cfg_t *cfg, const char *word)
{
    char safe[48];
    unsigned s = section_of(cfg->name);
    const char *near = schema_nearest(now.schema, s, word);
    const char *section = s == 0 ? "" : cfg->name;
    if (near != NULL)
        config_tell(now.error, now.error->line, section, TOLD(KEY_MISSPELT), config_printable(word, safe, sizeof safe),
                    near);
    else
        config_tell(now.error, now.error->line, section, TOLD(KEY_UNKNOWN_HERE),
                    config_printable(word, safe, sizeof safe), now.schema->page);
}

static void on_error(cfg_t *cfg, const char *format, va_list args)
{
    char word[64] = "", safe[64];
    if (!tell_once(cfg))
        return;
    if (strstr(format, "'%s'") != NULL)
        snprintf(word, sizeof word, "%s", va_arg(args, const char *));
    if (strcmp(format, "no such option '%s'") == 0) {
        unknown_key(cfg, word);
        return;
    }
    config_printable(word, safe, sizeof safe);
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
        if (strcmp(format, phrases[i].format) != 0)
            continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)config_tell(now.error, now.error->line, "", phrases[i].word, phrases[i].text, safe);
#pragma GCC diagnostic pop
        return;
    }
    config_tell(now.error, now.error->line, "", TOLD(SYNTAX), safe);
}

/* ---- values ---- */

static bool seen_before(const cfg_opt_t *opt)
{
    for (size_t i = 0; i < now.n; i++)
        if (now.seen[i] == opt)
            return true;
    if (now.n < SINGLE_MAX)
        now.seen[now.n++] = opt;
    return false;
}

static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *text, void *result)
{
    if (!(opt->flags & CFGF_LIST) && seen_before(opt)) {
        if (tell_once(cfg))
            config_tell(now.error, now.error->line, "", TOLD(SAID_BEFORE), opt->name);
        return -1;
    }
    struct said *said = malloc(sizeof *said);
    char *copy = strdup(text);
    if (said == NULL || copy == NULL) {
        free(said);
        free(copy);
        return -1;
    }
    *said = (struct said){cfg->line > 0 ? (uint32_t)cfg->line : 0, copy};
    *(void **)result = said;
    return 0;
}

static void free_value(void *p)
{
    struct said *said = p;
    if (said == NULL)
        return;
    char *text = (char *)said->text; /* our own copy, see on_value() */
    bytes_wipe(text, strlen(text));
    free(text);
    free(said);
}

/* ---- the schema in libconfuse's terms ---- */

static cfg_opt_t option_of(const struct schema_key *key)
{
    cfg_opt_t single = CFG_PTR_CB(key->word, NULL, CFGF_NONE, on_value, free_value);
    cfg_opt_t list = CFG_PTR_LIST_CB(key->word, NULL, CFGF_NONE, on_value, free_value);
    return schema_is_list(key->kind) ? list : single;
}

static enum err make_options(struct syntax *s)
{
    static const cfg_opt_t end = CFG_END();
    size_t n[SCHEMA_SECTIONS_MAX] = {0};
    const size_t sections = s->schema->section_count;
    const struct schema_key *keys = s->schema->keys;
    for (size_t i = 0; i < s->schema->key_count; i++)
        n[keys[i].section]++;
    n[0] += sections - 1;
    for (size_t k = 0; k < sections; k++) {
        s->options[k] = calloc(n[k] + 1, sizeof(cfg_opt_t));
        if (s->options[k] == NULL)
            return ERR_NOMEM;
        s->options[k][n[k]] = end;
        n[k] = 0;
    }
    for (size_t i = 0; i < s->schema->key_count; i++)
        s->options[keys[i].section][n[keys[i].section]++] = option_of(&keys[i]);
    for (size_t k = 1; k < sections; k++) {
        const struct schema_section *section = &s->schema->sections[k];
        cfg_flag_t flags = section->titled ? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES : CFGF_NONE;
        cfg_opt_t option = CFG_SEC(section->word, s->options[k], flags);
        s->options[0][n[0]++] = option;
    }
    return ERR_OK;
}

enum err syntax_parse(const struct schema *schema, const char *text, struct syntax **out, struct config_error *e)
{
    struct syntax *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ERR_NOMEM;
    s->schema = schema;
    if (make_options(s) != ERR_OK || (s->cfg = cfg_init(s->options[0], CFGF_NONE)) == NULL) {
        syntax_free(s);
        return ERR_NOMEM;
    }
    now.schema = schema;
    now.error = e;
    now.failed = false;
    now.n = 0;
    cfg_set_error_function(s->cfg, on_error);
    int result = text[0] != '\0' ? cfg_parse_buf(s->cfg, text) : CFG_SUCCESS;
    now.error = NULL;
    if (result != CFG_SUCCESS) {
        syntax_free(s);
        return now.failed ? ERR_INVALID : ERR_NOMEM;
    }
    *out = s;
    return ERR_OK;
}

void syntax_free(struct syntax *s)
{
    if (s == NULL)
        return;
    if (s->cfg != NULL)
        cfg_free(s->cfg);
    for (size_t i = 0; i < SCHEMA_SECTIONS_MAX; i++)
        free(s->options[i]);
    free(s);
}

/* ---- look-ups ---- */

static cfg_t *section_at(const struct syntax *s, unsigned section, size_t i)
{
    return section == 0 ? s->cfg : cfg_getnsec(s->cfg, s->schema->sections[section].word, (unsigned)i);
}

size_t syntax_sections(const struct syntax *s, unsigned section)
{
    return section == 0 ? 1 : cfg_size(s->cfg, s->schema->sections[section].word);
}

const char *syntax_title(const struct syntax *s, unsigned section, size_t i)
{
    return cfg_title(section_at(s, section, i));
}

size_t syntax_values(const struct syntax *s, const struct schema_key *key, size_t i)
{
    cfg_opt_t *opt = cfg_getopt(section_at(s, key->section, i), key->word);
    size_t n = cfg_opt_size(opt);
    return n > 0 && cfg_opt_getnptr(opt, 0) != NULL ? n : 0;
}

const struct said *syntax_value(const struct syntax *s, const struct schema_key *key, size_t i, size_t n)
{
    return cfg_opt_getnptr(cfg_getopt(section_at(s, key->section, i), key->word), (unsigned)n);
}

uint32_t syntax_line(const struct syntax *s, unsigned section, size_t i)
{
    uint32_t line = 0;
    for (size_t k = 0; k < s->schema->key_count; k++) {
        const struct schema_key *key = &s->schema->keys[k];
        if (key->section != section || syntax_values(s, key, i) == 0)
            continue;
        uint32_t here = syntax_value(s, key, i, 0)->line;
        line = line == 0 || here < line ? here : line;
    }
    return line != 0 ? line : (uint32_t)section_at(s, section, i)->line;
}

/* ---- filling ---- */

enum err syntax_fill(const struct syntax *s, unsigned section, size_t i, void *base, const char *prefix,
                     struct config_error *e)
{
    for (size_t k = 0; k < s->schema->key_count; k++) {
        const struct schema_key *key = &s->schema->keys[k];
        const struct said *values[SCHEMA_VALUES_MAX + 1];
        char name[CONFIG_NAME_MAX * 2];
        if (key->section != section)
            continue;
        size_t n = syntax_values(s, key, i);
        if (n == 0) {
            value_fallback(key, base);
            continue;
        }
        snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] ? "." : "", key->word);
        n = n < ARRAY_LEN(values) ? n : ARRAY_LEN(values); /* no list is allowed more: one over is told */
        for (size_t j = 0; j < n; j++)
            values[j] = syntax_value(s, key, i, j);
        enum err result = value_set(key, values, n, base, name, e);
        if (result != ERR_OK)
            return result;
    }
    return ERR_OK;
}
