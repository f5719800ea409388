/* Replies: {"ok": true, "data": {...}} or {"ok": false, "error": {"code": ..., "sentence": ..., "told": ...}}; and the
 * lines of the event stream, {"event": {...}}. */
#include "ctl/ctl_internal.h"

#include <stdio.h>
#include <string.h>

#define REPLY_DEPTH_MAX 16

const char *ctl_code_of(enum err e)
{
    switch (e) {
    case ERR_NOTFOUND:
        return CTL_CODE_NOT_FOUND;
    case ERR_EXISTS:
        return CTL_CODE_EXISTS;
    case ERR_INVALID:
    case ERR_MALFORMED:
    case ERR_LIMIT:
    case ERR_SHORT:
        return CTL_CODE_INVALID;
    case ERR_OK:
    case ERR_NOMEM:
    case ERR_UNSUPPORTED:
    case ERR_AUTH:
    case ERR_STATE:
    case ERR_SYSTEM:
    case ERR_CRYPTO:
        break;
    }
    return CTL_CODE_FAILED;
}

/* {"ok": ok, name: value}; value is taken. */
static char *reply(bool ok, const char *name, json_t *value)
{
    json_t *json = json_object();
    if (json_object_set_new(json, "ok", json_boolean(ok)) != 0) {
        json_decref(value);
        value = NULL;
    }
    if (json_object_set_new(json, name, value) != 0) {
        json_decref(json);
        return NULL;
    }
    return ctl_json_line(json);
}

static char *refuse_long(void)
{
    struct ctl_error error;
    (void)ctl_fail(&error, ERR_LIMIT, CTL_CODE_FAILED, TOLD(REPLY_LONG), CTL_REPLY_MAX);
    return ctl_reply_told(error.code, error.sentence, &error.told);
}

char *ctl_reply_ok(json_t *data)
{
    char *line = reply(true, "data", data != NULL ? data : json_object());
    if (line == NULL || strlen(line) <= CTL_REPLY_MAX)
        return line;
    ctl_line_free(line);
    return refuse_long();
}

char *ctl_reply_version(const char *program)
{
    json_t *data = ctl_data("version", json_string(program));
    if (data != NULL)
        json_object_set_new(data, "protocol", json_integer(CTL_VERSION));
    return ctl_reply_ok(data);
}

char *ctl_reply_told(const char *code, const char *sentence, const struct telling *told)
{
    json_t *error = json_object();
    if (json_object_set_new(error, "code", ctl_json_text(code)) != 0 ||
        json_object_set_new(error, "sentence", ctl_json_text(sentence)) != 0 ||
        (told->word[0] != '\0' && json_object_set_new(error, "told", ctl_told_json(told)) != 0)) {
        json_decref(error);
        return NULL;
    }
    return reply(false, "error", error);
}

char *ctl_reply_error(const char *code, const char *sentence)
{
    return ctl_reply_told(code, sentence, &(const struct telling){0});
}

char *ctl_event_line(json_t *data)
{
    return ctl_json_line(ctl_data("event", data));
}

/* The gateway's word for what went wrong. A refusal that gives no reason is no reply: there is nothing to show. */
static enum err read_error(const json_t *json, struct ctl_error *error)
{
    const json_t *inner = json_object_get(json, "error");
    const char *code = json_string_value(json_object_get(inner, "code"));
    const char *sentence = json_string_value(json_object_get(inner, "sentence"));
    if (code == NULL || sentence == NULL || *code == '\0' || *sentence == '\0')
        return ctl_fail(error, ERR_MALFORMED, CTL_CODE_FAILED, TOLD(REPLY_STRANGE));
    view_copy_text(error->code, sizeof error->code, view_str(code));
    view_copy_text(error->sentence, sizeof error->sentence, view_str(sentence));
    ctl_told_read(json_object_get(inner, "told"), &error->told);
    return ERR_STATE;
}

enum err ctl_reply_parse(struct view line, json_t **data, struct ctl_error *error)
{
    json_t *json = ctl_json_parse(line, REPLY_DEPTH_MAX, error);
    if (json == NULL)
        return ctl_fail(error, ERR_MALFORMED, CTL_CODE_FAILED, TOLD(REPLY_STRANGE));
    const json_t *ok = json_object_get(json, "ok");
    json_t *found = json_object_get(json, ok != NULL ? "data" : "event");
    enum err result = ERR_OK;
    if (json_is_false(ok))
        result = read_error(json, error);
    else if (!json_is_object(found))
        result = ctl_fail(error, ERR_MALFORMED, CTL_CODE_FAILED, TOLD(REPLY_STRANGE));
    else
        *data = json_incref(found);
    json_decref(json);
    return result;
}
