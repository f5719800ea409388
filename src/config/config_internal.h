/*
 * The parts of config: scan.c clears comments away, syntax.c has libconfuse find sections, keys and values, value.c
 * turns texts into types by the schema, config.c puts them in place, check.c judges the whole.
 */
#ifndef SEKISHO_CONFIG_INTERNAL_H
#define SEKISHO_CONFIG_INTERNAL_H

#include "config/config.h"

/* ---- the schema ---- */

enum section {
#define SECTION(id, word, titled, sentence) SECTION_##id,
#define KEY(section, word, kind, field, min, max, words, fallback, sentence)
#include "config/schema.def"
#undef SECTION
#undef KEY
    SECTION_COUNT
};

enum kind {
    KIND_FLAG,
    KIND_NUMBER,
    KIND_SECONDS,
    KIND_WORD,
    KIND_NAME,
    KIND_PATH,
    KIND_SECRET,
    KIND_ADDRESS,
    KIND_ADDRESSES,
    KIND_RANGES,
    KIND_PREFIXES,
    KIND_AUTHS,
};

struct schema_section {
    const char *word;
    bool titled;
    const char *sentence;
};

struct schema_key {
    enum section section;
    const char *word;
    enum kind kind;
    size_t offset;
    uint64_t min, max;
    const char *words, *fallback, *sentence;
};

const struct schema_section *schema_section(enum section s);
const struct schema_key *schema_key(size_t i); /* NULL at the end */
bool schema_is_list(enum kind k);
/* "ike.policy"; returns out. */
const char *schema_key_name(const struct schema_key *key, char out[static CONFIG_NAME_MAX]);
/* The word of that section (or, at the top, the section) most like a misspelt one; NULL when none is near. */
const char *schema_nearest(enum section s, const char *word);

/* ---- errors ---- */

/* Fills the error and returns ERR_INVALID. */
enum err config_fail(struct config_error *e, uint32_t line, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Copies text with everything unprintable as '?', cut to fit; returns out. */
const char *config_printable(const char *text, char *out, size_t cap);

/* ---- from text to values ---- */

/* Gives a NUL-ended copy for free(): comments blank, line ends plain, nothing left that libconfuse would expand. */
enum err config_scan(struct view text, char **out, struct config_error *e);

/* A value as it was said. */
struct said {
    uint32_t line;
    char *text;
};

struct syntax;
enum err syntax_parse(const char *text, struct syntax **out, struct config_error *e);
void syntax_free(struct syntax *s); /* NULL-safe; wipes */
/* How often the section was given; its name. Untitled sections: 1. */
size_t syntax_sections(const struct syntax *s, enum section section);
const char *syntax_title(const struct syntax *s, enum section section, size_t i);
uint32_t syntax_line(const struct syntax *s, enum section section, size_t i);
/* The n values of a key in the section's i-th instance; 0: not given. An empty list counts as not given. */
size_t syntax_values(const struct syntax *s, const struct schema_key *key, size_t i);
const struct said *syntax_value(const struct syntax *s, const struct schema_key *key, size_t i, size_t n);

/* Sets the key's field in base to the values, n at least 1. name is the key's for errors. */
enum err value_set(const struct schema_key *key, const struct said *const *values, size_t n, void *base,
                   const char *name, struct config_error *e);
/* Sets the field to the schema's fallback: none when that is "". */
void value_fallback(const struct schema_key *key, void *base);

/* ---- the judge of the whole ---- */

enum err config_check(struct config *config, struct config_error *e);
/* Gives config.dns to the pools that have none of their own. */
void config_share_dns(struct config *config);

/* ---- secrets from files ---- */

/* The secret in a file's text: without one line end behind. ERR_INVALID with the sentence. */
enum err config_secret(struct view text, struct secret *out, uint32_t line, const char *key, struct config_error *e);

#endif
