/* From bytes to a struct config: scan, syntax, values, then the judge of the whole. */
#include "config/config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err take_title(const struct syntax *s, unsigned section, size_t i, char out[static CONFIG_NAME_MAX],
                           struct config_error *e)
{
    char safe[48];
    const char *title = syntax_title(s, section, i);
    bool good = title[0] != '\0' && strlen(title) < CONFIG_NAME_MAX;
    for (const char *p = title; good && *p != '\0'; p++)
        good = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-_.", *p);
    if (!good)
        return config_tell(e, syntax_line(s, section, i), config_schema.sections[section].word, TOLD(TITLE_BAD),
                           config_printable(title, safe, sizeof safe), CONFIG_NAME_MAX - 1);
    snprintf(out, CONFIG_NAME_MAX, "%s", title);
    return ERR_OK;
}

static enum err check_count(const struct syntax *s, unsigned section, size_t max, struct config_error *e)
{
    if (syntax_sections(s, section) > max)
        return config_tell(e, syntax_line(s, section, max), config_schema.sections[section].word,
                           TOLD(SECTIONS_TOO_MANY), max);
    return ERR_OK;
}

static void key_prefix(unsigned section, const char *title, char out[static CONFIG_NAME_MAX + 16])
{
    snprintf(out, CONFIG_NAME_MAX + 16, "%s \"%s\"", config_schema.sections[section].word, title);
}

static enum err fill_psks(const struct syntax *s, struct config *c, struct config_error *e)
{
    char prefix[CONFIG_NAME_MAX + 16];
    size_t n = syntax_sections(s, SECTION_PSK);
    enum err result = check_count(s, SECTION_PSK, CONFIG_PSK_MAX, e);
    if (result != ERR_OK)
        return result;
    c->psks = calloc(n > 0 ? n : 1, sizeof *c->psks);
    if (c->psks == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n && result == ERR_OK; i++) {
        struct config_psk *psk = &c->psks[c->psk_count++];
        result = take_title(s, SECTION_PSK, i, psk->name, e);
        key_prefix(SECTION_PSK, psk->name, prefix);
        psk->line = syntax_line(s, SECTION_PSK, i);
        if (result == ERR_OK)
            result = syntax_fill(s, SECTION_PSK, i, psk, prefix, e);
    }
    return result;
}

static enum err fill_certificates(const struct syntax *s, struct config *c, struct config_error *e)
{
    char prefix[CONFIG_NAME_MAX + 16];
    size_t n = syntax_sections(s, SECTION_CERTIFICATE);
    enum err result = check_count(s, SECTION_CERTIFICATE, CONFIG_CERTIFICATE_MAX, e);
    if (result != ERR_OK)
        return result;
    c->certificates = calloc(n > 0 ? n : 1, sizeof *c->certificates);
    if (c->certificates == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n && result == ERR_OK; i++) {
        struct config_certificate *certificate = &c->certificates[c->certificate_count++];
        result = take_title(s, SECTION_CERTIFICATE, i, certificate->name, e);
        key_prefix(SECTION_CERTIFICATE, certificate->name, prefix);
        certificate->line = syntax_line(s, SECTION_CERTIFICATE, i);
        if (result == ERR_OK)
            result = syntax_fill(s, SECTION_CERTIFICATE, i, certificate, prefix, e);
    }
    return result;
}

static enum err fill_authorities(const struct syntax *s, struct config *c, struct config_error *e)
{
    char prefix[CONFIG_NAME_MAX + 16];
    size_t n = syntax_sections(s, SECTION_AUTHORITY);
    enum err result = check_count(s, SECTION_AUTHORITY, CONFIG_AUTHORITY_MAX, e);
    if (result != ERR_OK)
        return result;
    c->authorities = calloc(n > 0 ? n : 1, sizeof *c->authorities);
    if (c->authorities == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n && result == ERR_OK; i++) {
        struct config_authority *authority = &c->authorities[c->authority_count++];
        result = take_title(s, SECTION_AUTHORITY, i, authority->name, e);
        key_prefix(SECTION_AUTHORITY, authority->name, prefix);
        authority->line = syntax_line(s, SECTION_AUTHORITY, i);
        if (result == ERR_OK)
            result = syntax_fill(s, SECTION_AUTHORITY, i, authority, prefix, e);
    }
    return result;
}

static bool said_range(const struct syntax *s, size_t i)
{
    for (size_t k = 0; k < config_schema.key_count; k++)
        if (config_schema.keys[k].kind == KIND_RANGES && syntax_values(s, &config_schema.keys[k], i) > 0)
            return true;
    return false;
}

static enum err fill_pools(const struct syntax *s, struct config *c, struct config_error *e)
{
    char prefix[CONFIG_NAME_MAX + 16];
    size_t n = syntax_sections(s, SECTION_POOL);
    enum err result = check_count(s, SECTION_POOL, CONFIG_POOL_MAX, e);
    if (result != ERR_OK)
        return result;
    c->pools = calloc(n > 0 ? n : 1, sizeof *c->pools);
    if (c->pools == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n && result == ERR_OK; i++) {
        struct config_pool *pool = &c->pools[c->pool_count++];
        result = take_title(s, SECTION_POOL, i, pool->name, e);
        key_prefix(SECTION_POOL, pool->name, prefix);
        pool->line = syntax_line(s, SECTION_POOL, i);
        if (result == ERR_OK && !said_range(s, i))
            return config_tell(e, pool->line, prefix, TOLD(POOL_NO_RANGE));
        if (result == ERR_OK)
            result = syntax_fill(s, SECTION_POOL, i, pool, prefix, e);
    }
    return result;
}

static enum err fill(const struct syntax *s, struct config *c, struct config_error *e)
{
    enum err result = ERR_OK;
    for (unsigned k = 0; k < SECTION_COUNT && result == ERR_OK; k++) {
        const struct schema_section *section = &config_schema.sections[k];
        if (!section->titled)
            result = syntax_fill(s, k, 0, c, section->word, e);
    }
    if (result == ERR_OK)
        result = fill_psks(s, c, e);
    if (result == ERR_OK)
        result = fill_certificates(s, c, e);
    if (result == ERR_OK)
        result = fill_authorities(s, c, e);
    if (result == ERR_OK)
        result = fill_pools(s, c, e);
    return result;
}

static bool said_psk_file(const struct syntax *s)
{
    for (size_t k = 0; k < config_schema.key_count; k++)
        if (config_schema.keys[k].section == SECTION_IKE && strcmp(config_schema.keys[k].word, "psk_file") == 0)
            return syntax_values(s, &config_schema.keys[k], 0) > 0;
    return false;
}

/* What an empty file would have: one key from a file, one pool. */
static void add_defaults(const struct syntax *s, struct config *c)
{
    if (c->psk_count == 0 && (c->certificate_count == 0 || said_psk_file(s))) {
        struct config_psk *psk = &c->psks[c->psk_count++];
        snprintf(psk->name, sizeof psk->name, "default");
        snprintf(psk->file, sizeof psk->file, "%s", c->ike.psk_file);
    }
    if (c->pool_count == 0) {
        struct config_pool *pool = &c->pools[c->pool_count++];
        snprintf(pool->name, sizeof pool->name, "default");
        for (size_t k = 0; k < config_schema.key_count; k++)
            if (config_schema.keys[k].section == SECTION_POOL)
                value_fallback(&config_schema.keys[k], pool);
    }
}

static enum err build(const char *text, struct config **out, struct config_error *e)
{
    struct syntax *s = NULL;
    struct config *c = calloc(1, sizeof *c);
    if (c == NULL)
        return ERR_NOMEM;
    enum err result = syntax_parse(&config_schema, text, &s, e);
    if (result == ERR_OK)
        result = fill(s, c, e);
    if (result == ERR_OK) {
        add_defaults(s, c);
        result = config_check(c, e);
    }
    syntax_free(s);
    if (result != ERR_OK) {
        config_free(c);
        return result;
    }
    *out = c;
    return ERR_OK;
}

enum err config_parse(struct view text, const char *filename, struct config **out, struct config_error *error)
{
    char *clean = NULL;
    *error = (struct config_error){0};
    snprintf(error->file, sizeof error->file, "%s", filename);
    enum err result = config_scan(text, &clean, error);
    if (result == ERR_OK) {
        size_t n = strlen(clean);
        result = build(clean, out, error);
        bytes_wipe(clean, n);
    }
    free(clean);
    if (result == ERR_NOMEM)
        config_tell(error, 0, "", TOLD(CONFIG_MEMORY));
    return result;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    if (config->psks != NULL)
        bytes_wipe(config->psks, config->psk_count * sizeof *config->psks);
    for (size_t i = 0; i < config->certificate_count; i++) {
        config_file_done(&config->certificates[i].content);
        config_file_done(&config->certificates[i].key);
        secret_wipe(&config->certificates[i].password);
    }
    for (size_t i = 0; i < config->authority_count; i++) {
        config_file_done(&config->authorities[i].content);
        config_file_done(&config->authorities[i].crl);
    }
    secret_wipe(&config->l2tp.secret);
    free(config->certificates);
    free(config->authorities);
    free(config->psks);
    free(config->pools);
    free(config);
}
