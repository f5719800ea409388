/* The syntax of NetworkManager's connections: groups in brackets, KEY=VALUE, backslash escapes, comments on lines of
 * their own (GLib's key files). */
#include "profile/profile_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES (KEYFILE_VALUE_MAX + 128)

void keyfile_done(struct keyfile *k)
{
    if (k->entry != NULL)
        bytes_wipe(k->entry, k->count * sizeof *k->entry);
    free(k->entry);
    *k = (struct keyfile){0};
}

static enum err unescape(const char *text, struct keyfile_entry *to, struct config_error *e)
{
    static const char from[] = "sntr\\;,", into[] = " \n\t\r\\;,";
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (n + 1 >= sizeof to->value)
            return config_fail(e, to->line, to->key, "The value is longer than %zu bytes, which is the limit.",
                               sizeof to->value - 1);
        const char *at = p[0] == '\\' && p[1] != '\0' ? strchr(from, p[1]) : NULL;
        to->value[n++] = at != NULL ? into[at - from] : *p;
        p += at != NULL;
    }
    to->value[n] = '\0';
    return ERR_OK;
}

/* Cuts blanks off both ends, in place. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t' || text[n - 1] == '\r'))
        text[--n] = '\0';
    return text;
}

static enum err take_group(char *line, uint32_t number, char *group, size_t cap, struct config_error *e)
{
    size_t n = strcspn(line + 1, "]");
    if (line[1 + n] == '\0' || n == 0 || n >= cap || line[2 + n] != '\0')
        return config_fail(e, number, "", "This is no group; it must be like [vpn].");
    snprintf(group, cap, "%.*s", (int)n, line + 1);
    return ERR_OK;
}

static enum err take_entry(struct keyfile *k, char *line, uint32_t number, const char *group, struct config_error *e)
{
    char *equals = strchr(line, '=');
    if (equals == NULL || equals == line || group[0] == '\0')
        return config_fail(e, number, "", "This is no NetworkManager connection: a line is [GROUP] or KEY=VALUE.");
    if (k->count == KEYFILE_ENTRIES_MAX)
        return config_fail(e, number, "", "There are more than %d lines with values.", KEYFILE_ENTRIES_MAX);
    *equals = '\0';
    const char *key = trimmed(line);
    struct keyfile_entry *one = &k->entry[k->count];
    *one = (struct keyfile_entry){.line = number};
    if (strlen(key) >= sizeof one->key)
        return config_fail(e, number, "", "The key has more than %zu characters.", sizeof one->key - 1);
    snprintf(one->group, sizeof one->group, "%s", group);
    config_printable(key, one->key, sizeof one->key);
    enum err result = unescape(trimmed(equals + 1), one, e);
    k->count += result == ERR_OK;
    return result;
}

/* The next line with a NUL, without its end; false when it is too long. */
static bool next_line(struct reader *r, char *line)
{
    size_t n = 0;
    for (uint8_t c; rd_left(r) && (c = rd_u8(r)) != '\n';) {
        if (n + 1 >= LINE_MAX_BYTES || c == '\0')
            return false;
        line[n++] = (char)c;
    }
    line[n] = '\0';
    return true;
}

enum err keyfile_parse(struct view text, struct keyfile *out, struct config_error *e)
{
    struct keyfile k = {0};
    struct reader r = rd_init(text);
    char buffer[LINE_MAX_BYTES], group[sizeof k.entry->group] = "";
    enum err result = ERR_OK;
    if (text.n > PROFILE_SIZE_MAX)
        return config_fail(e, 0, "", "The file is larger than %u KB, which is the limit.", PROFILE_SIZE_MAX / 1024);
    k.entry = calloc(KEYFILE_ENTRIES_MAX, sizeof *k.entry);
    if (k.entry == NULL)
        return ERR_NOMEM;
    for (uint32_t number = 1; rd_left(&r) && result == ERR_OK; number++) {
        if (!next_line(&r, buffer)) {
            result = config_fail(e, number, "", "The line is longer than %d bytes, or is no text.", LINE_MAX_BYTES);
            break;
        }
        char *line = trimmed(buffer);
        if (line[0] == '[')
            result = take_group(line, number, group, sizeof group, e);
        else if (line[0] != '\0' && line[0] != '#' && line[0] != ';')
            result = take_entry(&k, line, number, group, e);
    }
    bytes_wipe(buffer, sizeof buffer);
    if (result != ERR_OK)
        keyfile_done(&k);
    else
        *out = k;
    return result;
}

const char *keyfile_get(struct keyfile *k, const char *group, const char *key)
{
    const char *value = NULL;
    for (size_t i = 0; i < k->count; i++) {
        if (strcmp(k->entry[i].group, group) != 0 || strcmp(k->entry[i].key, key) != 0)
            continue;
        k->entry[i].used = true;
        value = k->entry[i].value;
    }
    return value != NULL && value[0] != '\0' ? value : NULL;
}
