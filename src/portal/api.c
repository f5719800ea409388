/* JSON for programs: which call it is, whether the token is for it, what the gateway says. */
#include "portal/api.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEDIA  "application/json"
#define BEARER "Bearer "

/* ---- problems ---- */

static const char *code_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *code;
    } table[] = {
        {MHD_HTTP_BAD_REQUEST, "bad-request"},
        {MHD_HTTP_UNAUTHORIZED, "unauthorized"},
        {MHD_HTTP_FORBIDDEN, "forbidden"},
        {MHD_HTTP_NOT_FOUND, "not-found"},
        {MHD_HTTP_METHOD_NOT_ALLOWED, "method-not-allowed"},
        {MHD_HTTP_CONFLICT, "exists"},
        {MHD_HTTP_LENGTH_REQUIRED, "length-required"},
        {MHD_HTTP_CONTENT_TOO_LARGE, "too-large"},
        {MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "media-type"},
        {MHD_HTTP_UNPROCESSABLE_CONTENT, "invalid"},
        {MHD_HTTP_TOO_MANY_REQUESTS, "too-many"},
        {MHD_HTTP_SERVICE_UNAVAILABLE, "unavailable"},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].status == status)
            return table[i].code;
    return "failed";
}

/* json is taken. */
static void respond(struct exchange *x, unsigned status, json_t *json)
{
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    page_done(&x->page);
    if (text != NULL) {
        page_raw(&x->page, text, strlen(text));
        bytes_wipe(text, strlen(text));
        page_html(&x->page, "\n");
    }
    if (text == NULL || x->page.failed)
        status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    free(text);
    json_decref(json);
    x->page.failed = false; /* an empty answer tells as much */
    x->media = MEDIA;
    x->status = status;
    x->ready = true;
}

static void fail_told(struct exchange *x, unsigned status, const char *message, const char *field,
                      const struct telling *told)
{
    if (x->ready)
        return;
    json_t *text = json_string(message); /* NULL as well when it quotes something that is not UTF-8 */
    json_t *error = json_pack("{s:s, s:o}", "code", code_of(status), "message",
                              text != NULL ? text : json_string("The request cannot be read."));
    if (field[0] != '\0')
        json_object_set_new(error, "field", json_string(field));
    if (told->word[0] != '\0')
        json_object_set_new(error, "told", ctl_told_json(told));
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        x->retry = 5;
    respond(x, status, json_pack("{s:o}", "error", error));
}

static void fail(struct exchange *x, unsigned status, const char *message, const char *field)
{
    fail_told(x, status, message, field, &(const struct telling){0});
}

void api_problem(struct exchange *x, unsigned status, const char *message)
{
    fail(x, status, message, "");
}

static unsigned status_of(const char *code)
{
    static const struct {
        const char *code;
        unsigned status;
    } table[] = {
        {CTL_CODE_REQUEST, MHD_HTTP_BAD_REQUEST},           {CTL_CODE_DENIED, MHD_HTTP_FORBIDDEN},
        {CTL_CODE_NOT_FOUND, MHD_HTTP_NOT_FOUND},           {CTL_CODE_EXISTS, MHD_HTTP_CONFLICT},
        {CTL_CODE_INVALID, MHD_HTTP_UNPROCESSABLE_CONTENT}, {CTL_CODE_REFUSED, MHD_HTTP_FORBIDDEN},
        {CTL_CODE_BUSY, MHD_HTTP_SERVICE_UNAVAILABLE},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (strcmp(code, table[i].code) == 0)
            return table[i].status;
    return MHD_HTTP_INTERNAL_SERVER_ERROR;
}

/* ---- which call ---- */

bool api_is(const struct exchange *x)
{
    return x->portal->api && strncmp(x->target, API_ROOT "/", sizeof API_ROOT) == 0;
}

/* A path with {} in it takes one segment there. */
static bool path_fits(const char *path, struct view text, struct view *segment)
{
    const char *hole = strstr(path, "{}");
    const size_t before = hole != NULL ? (size_t)(hole - path) : strlen(path);
    const size_t behind = hole != NULL ? strlen(hole + 2) : 0;
    *segment = view_of(text.p, 0);
    if (hole == NULL)
        return view_equal(text, view_str(path));
    if (text.n <= before + behind || !view_equal(view_of(text.p, before), view_of(path, before)) ||
        !view_equal(view_of(text.p + text.n - behind, behind), view_of(hole + 2, behind)))
        return false;
    *segment = view_of(text.p + before, text.n - before - behind);
    return memchr(segment->p, '/', segment->n) == NULL;
}

static void find_call(struct exchange *x, const char *method, struct view path, struct view *segment)
{
    const char *word = strcmp(method, "HEAD") == 0 ? "GET" : method;
    for (size_t i = 0; i < api_call_count; i++) {
        struct view found;
        if (!path_fits(api_calls[i].path, path, &found))
            continue;
        const char *allowed = api_method_word(api_calls[i].method);
        const size_t n = strlen(x->allow);
        snprintf(x->allow + n, sizeof x->allow - n, "%s%s", n > 0 ? ", " : "", allowed);
        if (strcmp(allowed, word) != 0)
            continue;
        x->call = &api_calls[i];
        *segment = found;
    }
    if (x->call == NULL && x->allow[0] != '\0')
        fail(x, MHD_HTTP_METHOD_NOT_ALLOWED, "This method is not for this path.", "");
    else if (x->call == NULL)
        fail(x, MHD_HTTP_NOT_FOUND, "There is nothing at this path.", "");
}

/* ---- its arguments ---- */

/* False: it is not about which part of a list is wanted. */
static bool take_page(struct exchange *x, const char *name)
{
    const bool limit = strcmp(name, "limit") == 0;
    uint64_t n;
    if (!limit && strcmp(name, "offset") != 0)
        return false;
    if (form_number(&x->query, name, limit ? API_ROWS_MAX : API_OFFSET_MAX, &n) != ERR_OK)
        fail(x, MHD_HTTP_BAD_REQUEST, limit ? "This is no number from 0 to 1000." : "This is no such number.", name);
    return true;
}

static bool take_text(struct exchange *x, enum ctl_arg arg, const char *text)
{
    struct ctl_error e;
    const enum err result = ctl_args_text(x->request, arg, text, &e);
    if (result != ERR_OK)
        fail_told(x, MHD_HTTP_BAD_REQUEST, e.sentence, e.arg, &e.told);
    return result == ERR_OK;
}

static bool take_query(struct exchange *x)
{
    const bool list = x->call->shape == SHAPE_LIST;
    for (size_t i = 0; i < x->query.count; i++) {
        const char *name = x->query.field[i].name;
        const enum ctl_arg arg = ctl_arg_find(name);
        if (list && take_page(x, name))
            continue;
        if (!list || arg == CTL_ARG_COUNT) {
            fail(x, MHD_HTTP_BAD_REQUEST, "This call takes nothing of that name in its query.", name);
            return false;
        }
        if (!take_text(x, arg, x->query.field[i].value))
            return false;
    }
    return !x->ready;
}

static bool take_path(struct exchange *x, struct view segment)
{
    char text[256];
    if (x->call->arg == CTL_ARG_COUNT)
        return true;
    if (segment_read(segment, text, sizeof text) == ERR_OK)
        return take_text(x, x->call->arg, text);
    fail(x, MHD_HTTP_BAD_REQUEST, "The path cannot be read.", ctl_arg_word(x->call->arg));
    return false;
}

/* ---- the head ---- */

static bool is_json(const char *type)
{
    return strncasecmp(type, MEDIA, sizeof MEDIA - 1) == 0 &&
           (type[sizeof MEDIA - 1] == '\0' || type[sizeof MEDIA - 1] == ';' || type[sizeof MEDIA - 1] == ' ');
}

static void expect_json(struct exchange *x)
{
    const char *text = exchange_header(x, "Content-Length");
    const size_t max = x->call->verb == CTL_VERB_CONFIG_CHECK ? API_BODY_CONFIG : PORTAL_BODY_MAX;
    char *end;
    const unsigned long long n = strtoull(text, &end, 10);
    if (exchange_header(x, "Transfer-Encoding")[0] != '\0' || (text[0] == '\0' && api_takes_body(x->call)))
        fail(x, MHD_HTTP_LENGTH_REQUIRED, "Say the body's length by Content-Length.", "");
    else if (*end != '\0' || (n > 0 && !api_takes_body(x->call)))
        fail(x, MHD_HTTP_BAD_REQUEST, "This call takes no such body.", "");
    else if (n > max)
        fail(x, MHD_HTTP_CONTENT_TOO_LARGE, "The body is too large.", "");
    else if (n > 0 && !is_json(exchange_header(x, "Content-Type")))
        fail(x, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "The body must be " MEDIA ".", "");
    if (x->ready)
        return;
    x->body_max = (size_t)n;
    x->body = malloc(x->body_max + 1);
    if (x->body == NULL)
        fail(x, MHD_HTTP_SERVICE_UNAVAILABLE, "The portal is out of memory.", "");
}

static bool call_ask(struct exchange *x)
{
    exchange_ask(x, x->request);
    x->request = NULL;
    return true;
}

static void call_show(struct exchange *x);

static void show_openapi(struct exchange *x)
{
    char *text = api_openapi();
    if (text != NULL)
        page_raw(&x->page, text, strlen(text));
    x->status = text != NULL ? MHD_HTTP_OK : MHD_HTTP_INTERNAL_SERVER_ERROR;
    x->media = MEDIA;
    x->cached = x->ready = true;
    free(text);
}

void api_begin(struct exchange *x, const char *method, struct view path)
{
    static const struct portal_route programs = {METHOD_POST, "", WHO_PROGRAM, call_ask, call_show};
    struct view segment = {0};
    x->route = &programs;
    if (view_equal(path, view_str(API_OPENAPI)) && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)) {
        show_openapi(x);
        return;
    }
    const size_t root = sizeof API_ROOT - 1;
    find_call(x, method, view_of(path.p + root, path.n - root), &segment);
    if (!x->ready && strncasecmp(exchange_header(x, "Authorization"), BEARER, sizeof BEARER - 1) != 0) {
        snprintf(x->challenge, sizeof x->challenge, "Bearer realm=\"sekisho\"");
        fail(x, MHD_HTTP_UNAUTHORIZED, "Give a token: Authorization: Bearer TOKEN.", "");
    }
    if (!x->ready)
        expect_json(x);
    if (!x->ready && (x->query.count > 0 || !api_takes_body(x->call))) {
        x->request = ctl_request_new(x->call->verb);
        if (x->request == NULL)
            fail(x, MHD_HTTP_SERVICE_UNAVAILABLE, "The portal is out of memory.", "");
        else
            (void)take_query(x);
    }
    x->segment = segment;
}

/* ---- the body ---- */

bool api_read(struct exchange *x)
{
    struct ctl_error e;
    if (api_takes_body(x->call)) {
        if (ctl_args_parse(x->call->verb, view_of(x->body, x->body_n), &x->request, &e) != ERR_OK) {
            fail_told(x, MHD_HTTP_BAD_REQUEST, e.sentence, e.arg, &e.told);
            return false;
        }
        if (x->call->arg != CTL_ARG_COUNT && ctl_given(x->request, x->call->arg)) {
            fail(x, MHD_HTTP_BAD_REQUEST, "This stands in the path already.", ctl_arg_word(x->call->arg));
            return false;
        }
    }
    if (!take_path(x, x->segment))
        return false;
    if (ctl_args_whole(x->request, &e) == ERR_OK)
        return true;
    fail_told(x, MHD_HTTP_BAD_REQUEST, e.sentence, e.arg, &e.told);
    return false;
}

/* ---- whether the token is for it ---- */

struct ctl_request *api_ask_standing(struct exchange *x)
{
    return ask_about(CTL_VERB_TOKEN_CHECK, CTL_ARG_TOKEN, exchange_header(x, "Authorization") + sizeof BEARER - 1);
}

static bool is_for(const char *scopes, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = scopes; *p != '\0';) {
        const size_t here = strcspn(p, ",");
        if (here == n && strncmp(p, word, n) == 0)
            return true;
        p += here + (p[here] == ',');
    }
    return false;
}

/* Challenges are those of RFC 6750 3. */
bool api_stands(struct exchange *x)
{
    const char *word = scope_word(x->call->scope);
    struct ctl_token t;
    char message[96];
    if (ctl_token_read(json_object_get(x->question.data[0], "token"), &t) != ERR_OK) {
        snprintf(x->challenge, sizeof x->challenge, "Bearer realm=\"sekisho\", error=\"invalid_token\"");
        fail(x, MHD_HTTP_UNAUTHORIZED, "This token is not good, or no longer.", "");
        return false;
    }
    if (is_for(t.scopes, word))
        return true;
    snprintf(x->challenge, sizeof x->challenge, "Bearer realm=\"sekisho\", error=\"insufficient_scope\", scope=\"%s\"",
             word);
    snprintf(message, sizeof message, "This token is not for %s.", word);
    fail(x, MHD_HTTP_FORBIDDEN, message, "");
    return false;
}

/* ---- what the gateway said ---- */

static uint64_t number_in(const struct exchange *x, const char *name, uint64_t otherwise, uint64_t max)
{
    uint64_t n;
    return form_number(&x->query, name, max, &n) == ERR_OK ? n : otherwise;
}

/* The part of the list that was asked for, and how long it is as a whole. */
static json_t *list_reply(const struct exchange *x, const json_t *list)
{
    const size_t total = json_array_size(list), from = (size_t)number_in(x, "offset", 0, API_OFFSET_MAX);
    const size_t most = (size_t)number_in(x, "limit", API_ROWS, API_ROWS_MAX);
    json_t *part = json_array();
    for (size_t i = from; i < total && i - from < most; i++)
        json_array_append(part, json_array_get(list, i));
    return json_pack("{s:o, s:I}", x->call->member, part, "total", (json_int_t)total);
}

static void call_show(struct exchange *x)
{
    json_t *data = x->question.data[0];
    const json_t *member = json_object_get(data, x->call->member);
    if (data == NULL) {
        const struct ctl_error *e = &x->question.error[0];
        fail_told(x, status_of(e->code), e->sentence, "", &e->told);
        return;
    }
    switch (x->call->shape) {
    case SHAPE_NOTHING:
        x->status = MHD_HTTP_NO_CONTENT;
        x->media = MEDIA;
        x->ready = true;
        return;
    case SHAPE_LIST:
        respond(x, MHD_HTTP_OK, list_reply(x, member));
        return;
    case SHAPE_FIRST:
        if (json_array_size(member) == 0)
            fail(x, MHD_HTTP_NOT_FOUND, "There is nobody and nothing of this name.", "");
        else
            respond(x, MHD_HTTP_OK, json_pack("{s:O}", x->call->object, json_array_get(member, 0)));
        return;
    case SHAPE_ONE:
    case SHAPE_NUMBER:
    case SHAPE_TEXT:
    case SHAPE_MADE:
        respond(x, api_status(x->call), json_incref(data));
        return;
    }
}
