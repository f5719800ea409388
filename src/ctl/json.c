/* JSON lines through jansson, with our limits in front of it. */
#include "ctl/ctl_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err ctl_fail(struct ctl_error *e, enum err result, const char *code, const char *word, const char *text, ...)
{
    va_list args;
    snprintf(e->code, sizeof e->code, "%s", code);
    va_start(args, text);
    told_write(&e->told, e->sentence, sizeof e->sentence, word, text, args);
    va_end(args);
    return result;
}

/* The deepest nesting of brackets outside of texts: jansson's own limit is 2048, on its stack. */
static unsigned depth_of(struct view line)
{
    struct reader r = rd_init(line);
    unsigned depth = 0, deepest = 0;
    bool text = false;
    while (rd_left(&r)) {
        uint8_t c = rd_u8(&r);
        if (text && c == '\\')
            rd_skip(&r, rd_left(&r) ? 1 : 0);
        else if (c == '"')
            text = !text;
        else if (!text && (c == '{' || c == '['))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!text && (c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return deepest;
}

json_t *ctl_json_parse(struct view line, unsigned depth, struct ctl_error *e)
{
    json_error_t error;
    if (depth_of(line) > depth) {
        ctl_fail(e, ERR_LIMIT, CTL_CODE_REQUEST, TOLD(JSON_DEEP), depth);
        return NULL;
    }
    json_t *json = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        ctl_fail(e, ERR_MALFORMED, CTL_CODE_REQUEST, TOLD(JSON_BAD), error.text);
        return NULL;
    }
    if (!json_is_object(json)) {
        json_decref(json);
        ctl_fail(e, ERR_MALFORMED, CTL_CODE_REQUEST, TOLD(JSON_NO_OBJECT));
        return NULL;
    }
    return json;
}

void ctl_json_wipe(json_t *json)
{
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_string(json)) {
        /* jansson owns the bytes and gives them as const; they are on the heap and about to be freed. */
        bytes_wipe((char *)(uintptr_t)json_string_value(json), json_string_length(json));
    } else if (json_is_array(json)) {
        json_array_foreach(json, i, member) ctl_json_wipe(member);
    } else if (json_is_object(json)) {
        json_object_foreach(json, key, member) ctl_json_wipe(member);
    }
}

char *ctl_json_line(json_t *json)
{
    if (json == NULL)
        return NULL;
    size_t n = json_dumpb(json, NULL, 0, JSON_COMPACT);
    char *line = n > 0 ? malloc(n + 2) : NULL;
    if (line != NULL && json_dumpb(json, line, n, JSON_COMPACT) == n) {
        line[n] = '\n';
        line[n + 1] = '\0';
    } else {
        free(line);
        line = NULL;
    }
    json_decref(json);
    return line;
}

void ctl_line_free(char *line)
{
    if (line != NULL)
        bytes_wipe(line, strlen(line));
    free(line);
}
