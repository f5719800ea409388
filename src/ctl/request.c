/* Requests: {"v": 1, "verb": "user.add", "args": {"name": "alice", ...}}, checked against verbs.def and args.def. */
#include "ctl/ctl_internal.h"

#include <stdlib.h>
#include <string.h>

enum kind { KIND_TEXT, KIND_SECRET, KIND_NUMBER, KIND_FLAG };

struct arg_rule {
    const char *word;
    enum kind kind;
    uint64_t max;
};

static const struct arg_rule args[CTL_ARG_COUNT] = {
#define CTL_ARG(name, word, kind, max, sentence) {word, KIND_##kind, max},
#include "ctl/args.def"
#undef CTL_ARG
};

struct verb_rule {
    const char *word, *sentence;
    bool changes;
    uint64_t required, optional; /* sets of arguments */
};

#define A(name) (UINT64_C(1) << CTL_ARG_##name)

static const struct verb_rule verbs[CTL_VERB_COUNT] = {
#define CTL_VERB(name, word, changes, required, optional, sentence) {word, sentence, changes, required, optional},
#include "ctl/verbs.def"
#undef CTL_VERB
};

_Static_assert(CTL_ARG_COUNT <= 64, "sets of arguments are 64 bits");

struct ctl_request {
    enum ctl_verb verb;
    json_t *arg[CTL_ARG_COUNT]; /* our references; NULL: not given */
};

const char *ctl_verb_word(enum ctl_verb verb)
{
    return verb < CTL_VERB_COUNT ? verbs[verb].word : "unknown";
}

const char *ctl_verb_sentence(enum ctl_verb verb)
{
    return verb < CTL_VERB_COUNT ? verbs[verb].sentence : "";
}

bool ctl_verb_changes(enum ctl_verb verb)
{
    return verb >= CTL_VERB_COUNT || verbs[verb].changes;
}

const char *ctl_arg_word(enum ctl_arg arg)
{
    return arg < CTL_ARG_COUNT ? args[arg].word : "unknown";
}

/* ---- reading ---- */

static enum err take_verb(const json_t *json, struct ctl_request *r, struct ctl_error *e)
{
    const json_t *version = json_object_get(json, "v");
    const char *word = json_string_value(json_object_get(json, "verb"));
    if (!json_is_integer(version) || json_integer_value(version) != CTL_VERSION)
        return ctl_fail(e, ERR_INVALID, CTL_CODE_REQUEST, TOLD(VERSION_WRONG), CTL_VERSION);
    for (size_t i = 0; i < CTL_VERB_COUNT && word != NULL; i++) {
        if (strcmp(word, verbs[i].word) == 0) {
            r->verb = (enum ctl_verb)i;
            return ERR_OK;
        }
    }
    return ctl_fail(e, ERR_INVALID, CTL_CODE_REQUEST, TOLD(VERB_UNKNOWN));
}

static enum err fail_arg(struct ctl_error *e, enum err result, const char *word)
{
    view_copy_text(e->arg, sizeof e->arg, view_str(word));
    return result;
}

static enum err check_arg(const struct arg_rule *rule, const json_t *value, struct ctl_error *e)
{
    enum err result = ERR_OK;
    switch (rule->kind) {
    case KIND_TEXT:
    case KIND_SECRET:
        if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
            result = ctl_fail(e, ERR_INVALID, CTL_CODE_REQUEST, TOLD(ARG_TEXT), rule->word);
        else if (json_string_length(value) > rule->max)
            result =
                ctl_fail(e, ERR_LIMIT, CTL_CODE_REQUEST, TOLD(ARG_LONG), rule->word, (unsigned long long)rule->max);
        break;
    case KIND_NUMBER:
        if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > rule->max)
            result =
                ctl_fail(e, ERR_INVALID, CTL_CODE_REQUEST, TOLD(ARG_NUMBER), rule->word, (unsigned long long)rule->max);
        break;
    case KIND_FLAG:
        if (!json_is_boolean(value))
            result = ctl_fail(e, ERR_INVALID, CTL_CODE_REQUEST, TOLD(ARG_FLAG), rule->word);
        break;
    }
    return result == ERR_OK ? ERR_OK : fail_arg(e, result, rule->word);
}

enum ctl_arg ctl_arg_find(const char *word)
{
    size_t i = 0;
    while (i < CTL_ARG_COUNT && strcmp(word, args[i].word) != 0)
        i++;
    return (enum ctl_arg)i;
}

enum ctl_takes ctl_verb_takes(enum ctl_verb verb, enum ctl_arg arg)
{
    const uint64_t one = UINT64_C(1) << arg;
    return verbs[verb].required & one ? CTL_NEEDS : verbs[verb].optional & one ? CTL_TAKES : CTL_TAKES_NOT;
}

static enum err take_arg(struct ctl_request *r, const char *word, json_t *value, struct ctl_error *e)
{
    const enum ctl_arg arg = ctl_arg_find(word);
    if (arg == CTL_ARG_COUNT || ctl_verb_takes(r->verb, arg) == CTL_TAKES_NOT) {
        ctl_fail(e, ERR_INVALID, CTL_CODE_REQUEST, TOLD(ARG_UNKNOWN), verbs[r->verb].word);
        return fail_arg(e, ERR_INVALID, word);
    }
    const enum err result = check_arg(&args[arg], value, e);
    if (result != ERR_OK)
        return result;
    json_decref(r->arg[arg]);
    r->arg[arg] = json_incref(value);
    return ERR_OK;
}

static enum err take_all(json_t *all, struct ctl_request *r, struct ctl_error *e)
{
    json_t *value;
    const char *word;
    enum err result = ERR_OK;
    json_object_foreach(all, word, value)
    {
        result = take_arg(r, word, value, e);
        if (result != ERR_OK)
            return result;
    }
    return ERR_OK;
}

enum err ctl_args_whole(const struct ctl_request *r, struct ctl_error *e)
{
    for (int i = 0; i < CTL_ARG_COUNT; i++)
        if ((verbs[r->verb].required & UINT64_C(1) << i) && r->arg[i] == NULL) {
            ctl_fail(e, ERR_INVALID, CTL_CODE_REQUEST, TOLD(ARG_MISSING), verbs[r->verb].word, args[i].word);
            return fail_arg(e, ERR_INVALID, args[i].word);
        }
    return ERR_OK;
}

static enum err take_args(json_t *json, struct ctl_request *r, struct ctl_error *e)
{
    json_t *all = json_object_get(json, "args");
    if (all != NULL && !json_is_object(all))
        return ctl_fail(e, ERR_INVALID, CTL_CODE_REQUEST, TOLD(ARGS_NO_OBJECT));
    const enum err result = take_all(all, r, e);
    return result == ERR_OK ? ctl_args_whole(r, e) : result;
}

/* The request keeps what it has taken; the rest, which may hold secrets too, is wiped when it has taken nothing. */
static enum err hand_over(json_t *json, struct ctl_request *r, enum err result, struct ctl_request **out)
{
    if (result != ERR_OK) {
        ctl_json_wipe(json);
        ctl_request_free(r);
    } else {
        *out = r;
    }
    json_decref(json);
    return result;
}

enum err ctl_args_parse(enum ctl_verb verb, struct view text, struct ctl_request **out, struct ctl_error *error)
{
    *error = (struct ctl_error){0};
    if (text.n > CTL_REQUEST_MAX)
        return ctl_fail(error, ERR_LIMIT, CTL_CODE_REQUEST, TOLD(ARGS_LONG), CTL_REQUEST_MAX);
    json_t *json = ctl_json_parse(text, CTL_DEPTH_MAX, error);
    if (json == NULL)
        return ERR_MALFORMED;
    struct ctl_request *r = ctl_request_new(verb);
    const enum err result =
        r != NULL ? take_all(json, r, error) : ctl_fail(error, ERR_NOMEM, CTL_CODE_FAILED, TOLD(HOST_MEMORY));
    return hand_over(json, r, result, out);
}

static json_t *from_text(enum kind kind, const char *text)
{
    uint64_t number = 0;
    size_t n = strlen(text);
    if (kind == KIND_TEXT || kind == KIND_SECRET)
        return json_string(text);
    if (kind == KIND_FLAG)
        return strcmp(text, "true") == 0 ? json_true() : strcmp(text, "false") == 0 ? json_false() : json_null();
    if (n == 0 || n > 18 || strspn(text, "0123456789") != n)
        return json_null();
    for (; *text != '\0'; text++)
        number = number * 10 + (uint64_t)(*text - '0');
    return json_integer((json_int_t)number);
}

enum err ctl_args_text(struct ctl_request *request, enum ctl_arg arg, const char *text, struct ctl_error *error)
{
    json_t *value = from_text(args[arg].kind, text);
    *error = (struct ctl_error){0};
    const enum err result = take_arg(request, args[arg].word, value, error);
    if (result != ERR_OK)
        ctl_json_wipe(value);
    json_decref(value);
    return result;
}

enum err ctl_request_parse(struct view line, struct ctl_request **out, struct ctl_error *error)
{
    if (line.n > CTL_REQUEST_MAX)
        return ctl_fail(error, ERR_LIMIT, CTL_CODE_REQUEST, TOLD(REQUEST_LONG), CTL_REQUEST_MAX);
    *error = (struct ctl_error){0};
    json_t *json = ctl_json_parse(line, CTL_DEPTH_MAX, error);
    if (json == NULL)
        return ERR_MALFORMED;
    struct ctl_request *r = calloc(1, sizeof *r);
    enum err result = r != NULL ? ERR_OK : ctl_fail(error, ERR_NOMEM, CTL_CODE_FAILED, TOLD(GATEWAY_MEMORY));
    if (result == ERR_OK)
        result = take_verb(json, r, error);
    if (result == ERR_OK)
        result = take_args(json, r, error);
    return hand_over(json, r, result, out);
}

void ctl_request_free(struct ctl_request *request)
{
    if (request == NULL)
        return;
    for (size_t i = 0; i < CTL_ARG_COUNT; i++) {
        ctl_json_wipe(request->arg[i]);
        json_decref(request->arg[i]);
    }
    free(request);
}

enum ctl_verb ctl_request_verb(const struct ctl_request *request)
{
    return request->verb;
}

bool ctl_given(const struct ctl_request *request, enum ctl_arg arg)
{
    return request->arg[arg] != NULL;
}

const char *ctl_text(const struct ctl_request *request, enum ctl_arg arg)
{
    const char *text = json_string_value(request->arg[arg]);
    return text != NULL ? text : "";
}

uint64_t ctl_number(const struct ctl_request *request, enum ctl_arg arg)
{
    return (uint64_t)json_integer_value(request->arg[arg]);
}

bool ctl_flag(const struct ctl_request *request, enum ctl_arg arg)
{
    return json_is_true(request->arg[arg]);
}

/* ---- writing ---- */

struct ctl_request *ctl_request_new(enum ctl_verb verb)
{
    struct ctl_request *r = calloc(1, sizeof *r);
    if (r != NULL)
        r->verb = verb;
    return r;
}

static enum err set(struct ctl_request *r, enum ctl_arg arg, json_t *value)
{
    if (value == NULL)
        return ERR_NOMEM;
    ctl_json_wipe(r->arg[arg]);
    json_decref(r->arg[arg]);
    r->arg[arg] = value;
    return ERR_OK;
}

enum err ctl_set_text(struct ctl_request *request, enum ctl_arg arg, const char *text)
{
    json_t *value = json_string(text); /* NULL as well when it is not UTF-8 */
    return value != NULL ? set(request, arg, value) : ERR_INVALID;
}

enum err ctl_set_number(struct ctl_request *request, enum ctl_arg arg, uint64_t number)
{
    return number <= INT64_MAX ? set(request, arg, json_integer((json_int_t)number)) : ERR_INVALID;
}

enum err ctl_set_flag(struct ctl_request *request, enum ctl_arg arg, bool flag)
{
    return set(request, arg, json_boolean(flag));
}

char *ctl_request_line(const struct ctl_request *request)
{
    json_t *all = json_object(), *json = json_object();
    bool ok = json_object_set_new(json, "v", json_integer(CTL_VERSION)) == 0 &&
              json_object_set_new(json, "verb", json_string(verbs[request->verb].word)) == 0;
    for (size_t i = 0; i < CTL_ARG_COUNT; i++)
        if (request->arg[i] != NULL)
            ok = json_object_set(all, args[i].word, request->arg[i]) == 0 && ok;
    ok = json_object_set_new(json, "args", all) == 0 && ok;
    if (!ok) {
        json_decref(json);
        return NULL;
    }
    char *line = ctl_json_line(json);
    if (line != NULL && strlen(line) > CTL_REQUEST_MAX) {
        ctl_line_free(line);
        line = NULL;
    }
    return line;
}
