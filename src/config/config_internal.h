/*
 * The parts of config: scan.c clears comments away, syntax.c has libconfuse find sections, keys and values, value.c
 * turns texts into types by the schema and render.c types into texts, config.c puts them in place, check.c judges the
 * whole.
 */
#ifndef SEKISHO_CONFIG_INTERNAL_H
#define SEKISHO_CONFIG_INTERNAL_H

#include "config/config.h"

#define TELL(name, word, text) TELL_DEFINE(name, word, text)
#include "config/told.def"
#undef TELL

/* ---- the schema ---- */

enum section {
#define SECTION(id, word, titled, sentence) SECTION_##id,
#define KEY(section, word, kind, field, min, max, words, fallback, sentence)
#include "config/schema.def"
#undef SECTION
#undef KEY
    SECTION_COUNT
};

/* The gateway's. */
extern const struct schema config_schema;

bool schema_is_list(enum schema_kind k);
/* Whether text is one of the words that may stand in place of the list. */
bool schema_list_word(const struct schema_key *key, const char *text);
/* The word of that section (or, at the top, the section) most like a misspelt one; NULL when none is near. */
const char *schema_nearest(const struct schema *schema, unsigned section, const char *word);

/* ---- from text to values ---- */

/* Gives a NUL-ended copy for free(): comments blank, line ends plain, nothing left that libconfuse would expand. */
enum err config_scan(struct view text, char **out, struct config_error *e);

#define SCHEMA_VALUES_MAX CONFIG_ROUTES_MAX /* values of a list: as many as the longest may have */

/* A value as it was said. */
struct said {
    uint32_t line;
    const char *text;
};

struct syntax;
/* The schema is borrowed as long as the syntax lives. */
enum err syntax_parse(const struct schema *schema, const char *text, struct syntax **out, struct config_error *e);
void syntax_free(struct syntax *s); /* NULL-safe; wipes */
/* How often the section was given; its name. Untitled sections: 1. */
size_t syntax_sections(const struct syntax *s, unsigned section);
const char *syntax_title(const struct syntax *s, unsigned section, size_t i);
uint32_t syntax_line(const struct syntax *s, unsigned section, size_t i);
/* The n values of a key in the section's i-th instance; 0: not given. An empty list counts as not given. */
size_t syntax_values(const struct syntax *s, const struct schema_key *key, size_t i);
const struct said *syntax_value(const struct syntax *s, const struct schema_key *key, size_t i, size_t n);

/* The fields of one section's i-th instance: fallbacks first, then what was said. prefix is how errors begin a key. */
enum err syntax_fill(const struct syntax *s, unsigned section, size_t i, void *base, const char *prefix,
                     struct config_error *e);

/* Sets the key's field in base to the values, n at least 1. name is the key's for errors. */
enum err value_set(const struct schema_key *key, const struct said *const *values, size_t n, void *base,
                   const char *name, struct config_error *e);
/* Sets the field to the schema's fallback: none when that is "". */
void value_fallback(const struct schema_key *key, void *base);
/* Sets the field from one text, a list with commas between. */
enum err value_set_text(const struct schema_key *key, const char *text, void *base, const char *name,
                        struct config_error *e);

/* The field as a text in the normal form of a fallback, the values of a list with ", " between; "": none. Returns out.
 */
const char *value_text(const struct schema_key *key, const void *base, char out[static SCHEMA_TEXT_MAX]);

/* ---- the judge of the whole ---- */

enum err config_check(struct config *config, struct config_error *e);
/* Gives config.dns to the pools that have none of their own. */
void config_share_dns(struct config *config);

#endif
