/* What is wrong with a configuration, as one sentence with its place. */
#include "config/config_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err config_tell(struct config_error *e, uint32_t line, const char *key, const char *word, const char *text, ...)
{
    va_list args;
    e->line = line;
    snprintf(e->key, sizeof e->key, "%s", key);
    va_start(args, text);
    told_write(&e->told, e->sentence, sizeof e->sentence, word, text, args);
    va_end(args);
    return ERR_INVALID;
}

enum err config_fail(struct config_error *e, uint32_t line, const char *key, const char *format, ...)
{
    va_list args;
    e->line = line;
    e->told = (struct telling){0};
    snprintf(e->key, sizeof e->key, "%s", key);
    va_start(args, format);
    vsnprintf(e->sentence, sizeof e->sentence, format, args);
    va_end(args);
    return ERR_INVALID;
}

const char *config_printable(const char *text, char *out, size_t cap)
{
    size_t n = 0;
    for (; text[n] != '\0' && n + 1 < cap; n++)
        out[n] = text[n] >= ' ' && text[n] != 0x7f ? text[n] : '?';
    out[n] = '\0';
    return out;
}

void config_error_place(struct config_error *e)
{
    char line[16] = "";
    if (e->line != 0)
        snprintf(line, sizeof line, ":%u", e->line);
    const bool both = e->file[0] != '\0' && e->key[0] != '\0';
    snprintf(e->told.place, sizeof e->told.place, "%s%s%s%s", e->file, e->file[0] ? line : "", both ? ": " : "",
             e->key);
}

const char *config_error_text(const struct config_error *e, char out[static CONFIG_ERROR_TEXT_MAX])
{
    char line[16] = "";
    if (e->line != 0)
        snprintf(line, sizeof line, "%u: ", e->line);
    snprintf(out, CONFIG_ERROR_TEXT_MAX, "%s%s%s%s%s%s", e->file, e->file[0] ? (line[0] ? ":" : ": ") : "", line,
             e->key, e->key[0] ? ": " : "", e->sentence);
    return out;
}
