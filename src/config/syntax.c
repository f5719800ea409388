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
    cfg_t *cfg;
    cfg_opt_t *options[SECTION_COUNT];
};

/* The parse under way. libconfuse gives its callbacks no context; its scanner is one a process in any case. */
static struct {
    struct config_error *error;
    bool failed; /* the first error is the one to tell */
    const cfg_opt_t *seen[SINGLE_MAX];
    size_t n;
} now;

/* ---- errors ---- */

struct phrase {
    const char *format, *sentence; /* %s: libconfuse's word */
};

static const struct phrase phrases[] = {
    {"found duplicate title '%s'", "The name \"%s\" was given before; each needs its own."},
    {"missing title for section '%s'", "This section needs a name: %s \"NAME\" { ... }."},
    {"missing equal sign after option '%s'", "An equal sign is missing: %s = VALUE."},
    {"missing opening brace for section '%s'", "This is a section and needs braces: %s { ... }."},
    {"unexpected token '%s'", "\"%s\" is out of place here; a line is KEY = VALUE or SECTION { ... }."},
    {"attempt to append to non-list option '%s'", "\"%s\" takes one value; write = in place of +=."},
    {"premature end of file", "The file ends in the middle of a value."},
};

static bool tell_once(cfg_t *cfg)
{
    bool first = !now.failed;
    now.failed = true;
    if (first)
        now.error->line = cfg->line > 0 ? (uint32_t)cfg->line : 0;
    return first;
}

static enum section section_of(const char *word)
{
    for (size_t s = 0; s < SECTION_COUNT; s++)
        if (word != NULL && strcmp(word, schema_section((enum section)s)->word) == 0)
            return (enum section)s;
    return SECTION_TOP;
}

static void unknown_key(cfg_t *cfg, const char *word)
{
    char safe[48];
    enum section s = section_of(cfg->name);
    const char *near = schema_nearest(s, word);
    const char *section = s == SECTION_TOP ? "" : cfg->name;
    if (near != NULL)
        config_fail(now.error, now.error->line, section, "There is no key \"%s\" here; \"%s\" may be meant.",
                    config_printable(word, safe, sizeof safe), near);
    else
        config_fail(now.error, now.error->line, section,
                    "There is no key \"%s\" here; sekisho.conf(5) lists all that there are.",
                    config_printable(word, safe, sizeof safe));
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
        snprintf(now.error->sentence, sizeof now.error->sentence, phrases[i].sentence, safe);
#pragma GCC diagnostic pop
        return;
    }
    config_fail(now.error, now.error->line, "", "This is not the syntax of a configuration file (near \"%s\").", safe);
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
            config_fail(now.error, now.error->line, "", "\"%s\" was said before; remove one of the two.", opt->name);
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
    bytes_wipe(said->text, strlen(said->text));
    free(said->text);
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
    size_t n[SECTION_COUNT] = {0};
    const struct schema_key *key;
    for (size_t i = 0; (key = schema_key(i)) != NULL; i++)
        n[key->section]++;
    n[SECTION_TOP] += SECTION_COUNT - 1;
    for (size_t k = 0; k < SECTION_COUNT; k++) {
        s->options[k] = calloc(n[k] + 1, sizeof(cfg_opt_t));
        if (s->options[k] == NULL)
            return ERR_NOMEM;
        s->options[k][n[k]] = end;
        n[k] = 0;
    }
    for (size_t i = 0; (key = schema_key(i)) != NULL; i++)
        s->options[key->section][n[key->section]++] = option_of(key);
    for (size_t k = SECTION_TOP + 1; k < SECTION_COUNT; k++) {
        const struct schema_section *section = schema_section((enum section)k);
        cfg_flag_t flags = section->titled ? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES : CFGF_NONE;
        cfg_opt_t option = CFG_SEC(section->word, s->options[k], flags);
        s->options[SECTION_TOP][n[SECTION_TOP]++] = option;
    }
    return ERR_OK;
}

enum err syntax_parse(const char *text, struct syntax **out, struct config_error *e)
{
    struct syntax *s = calloc(1, sizeof *s);
    if (s == NULL || make_options(s) != ERR_OK || (s->cfg = cfg_init(s->options[SECTION_TOP], CFGF_NONE)) == NULL) {
        syntax_free(s);
        return ERR_NOMEM;
    }
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
    for (size_t i = 0; i < SECTION_COUNT; i++)
        free(s->options[i]);
    free(s);
}

/* ---- look-ups ---- */

static cfg_t *section_at(const struct syntax *s, enum section section, size_t i)
{
    return section == SECTION_TOP ? s->cfg : cfg_getnsec(s->cfg, schema_section(section)->word, (unsigned)i);
}

size_t syntax_sections(const struct syntax *s, enum section section)
{
    return section == SECTION_TOP ? 1 : cfg_size(s->cfg, schema_section(section)->word);
}

const char *syntax_title(const struct syntax *s, enum section section, size_t i)
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

uint32_t syntax_line(const struct syntax *s, enum section section, size_t i)
{
    const struct schema_key *key;
    uint32_t line = 0;
    for (size_t k = 0; (key = schema_key(k)) != NULL; k++) {
        if (key->section != section || syntax_values(s, key, i) == 0)
            continue;
        uint32_t here = syntax_value(s, key, i, 0)->line;
        line = line == 0 || here < line ? here : line;
    }
    return line != 0 ? line : (uint32_t)section_at(s, section, i)->line;
}
