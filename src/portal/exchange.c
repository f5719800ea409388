/* One request: who asks, whether that may be, what the gateway says, and the response. */
#include "portal/portal_internal.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A cookie of this prefix comes from this very host over TLS alone (RFC 6265bis 4.1.3.2). */
#define COOKIE          "__Host-sekisho"
#define COOKIE_LANGUAGE "__Host-language"
#define COOKIE_DEVICE   "__Host-device"

static usec_t now_of(const struct exchange *x)
{
    return loop_now(x->portal->loop);
}

/* ---- responses ---- */

void exchange_problem(struct exchange *x, unsigned status, enum message what)
{
    if (x->ready)
        return;
    page_done(&x->page);
    if (x->api) {
        api_problem(x, status, message_text(what, LANGUAGE_EN));
        return;
    }
    layout_problem(x, what);
    x->status = status;
    x->ready = true;
}

void exchange_go(struct exchange *x, const char *path)
{
    if (x->ready)
        return;
    snprintf(x->location, sizeof x->location, "%s", path);
    x->status = MHD_HTTP_SEE_OTHER;
    x->ready = true;
}

struct login *exchange_login(const struct exchange *x)
{
    return x->has_cookie ? login_find(&x->portal->logins, x->token, now_of(x), false) : NULL;
}

static void leave_notice(struct exchange *x, enum message m, bool bad, const char *detail, const struct telling *told)
{
    struct login *login = exchange_login(x);
    if (login == NULL)
        return;
    login->notice = (struct notice){.message = m, .bad = bad, .told = *told};
    strncpy(login->notice.detail, detail, sizeof login->notice.detail - 1);
}

void exchange_back(struct exchange *x, const char *path, enum message m)
{
    leave_notice(x, m, false, "", &(const struct telling){0});
    exchange_go(x, path);
}

void exchange_refused(struct exchange *x, const char *path, enum message m, const char *detail)
{
    leave_notice(x, m, true, detail, &(const struct telling){0});
    exchange_go(x, path);
}

static enum message message_of(const char *code)
{
    static const struct {
        const char *code;
        enum message message;
    } table[] = {
        {CTL_CODE_DENIED, SAY_REFUSED_DENIED},   {CTL_CODE_NOT_FOUND, SAY_REFUSED_NOT_FOUND},
        {CTL_CODE_EXISTS, SAY_REFUSED_EXISTS},   {CTL_CODE_INVALID, SAY_REFUSED_INVALID},
        {CTL_CODE_REQUEST, SAY_REFUSED_INVALID}, {CTL_CODE_BUSY, SAY_REFUSED_BUSY},
        {CTL_CODE_REFUSED, SAY_LOGIN_REFUSED},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (strcmp(code, table[i].code) == 0)
            return table[i].message;
    return SAY_REFUSED_FAILED;
}

bool exchange_was_refused(struct exchange *x, const char *path)
{
    for (size_t i = 0; i < x->question.count; i++) {
        const struct ctl_error *e = &x->question.error[i];
        if (e->code[0] == '\0')
            continue;
        leave_notice(x, message_of(e->code), true, e->sentence, &e->told);
        exchange_go(x, path);
        return true;
    }
    return false;
}

/* ---- logins ---- */

static void set_cookie(struct exchange *x)
{
    char text[LOGIN_TEXT];
    hex_write(x->token, LOGIN_TOKEN, text);
    snprintf(x->set_cookie, sizeof x->set_cookie, COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict", text);
    bytes_wipe(text, sizeof text);
}

void exchange_visitor(struct exchange *x)
{
    if (x->has_cookie)
        return;
    random_fill(&x->portal->random, x->token, sizeof x->token);
    x->has_cookie = true;
    set_cookie(x);
}

void exchange_log_in(struct exchange *x, enum role role, const char *name, const char *stamp)
{
    struct login *old = exchange_login(x);
    if (old != NULL)
        login_end(old);
    struct login *login = login_new(&x->portal->logins, &x->portal->random, role, name, now_of(x), x->token);
    if (login == NULL) {
        exchange_problem(x, MHD_HTTP_SERVICE_UNAVAILABLE, SAY_PROBLEM_BUSY);
        return;
    }
    snprintf(login->stamp, sizeof login->stamp, "%s", stamp);
    x->has_cookie = true;
    x->who = *login;
    set_cookie(x);
}

void exchange_renew(struct exchange *x)
{
    struct login *login = exchange_login(x);
    if (login != NULL)
        login_renew(login);
}

void exchange_log_out(struct exchange *x)
{
    struct login *login = exchange_login(x);
    if (login != NULL)
        login_end(login);
    x->who = (struct login){0};
    snprintf(x->set_cookie, sizeof x->set_cookie, COOKIE "=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
}

void exchange_remember(struct exchange *x, const char *text, uint64_t seconds)
{
    snprintf(x->set_device, sizeof x->set_device,
             COOKIE_DEVICE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%llu", text,
             (unsigned long long)seconds);
}

/* What it means the gateway knows; it is told nothing else but letters and digits. */
static void read_device(struct exchange *x, struct view header)
{
    struct view value;
    if (cookie_find(header, COOKIE_DEVICE, &value) != ERR_OK || value.n >= sizeof x->device)
        return;
    for (struct reader r = rd_init(value); rd_left(&r) > 0;) {
        const uint8_t c = rd_u8(&r);
        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
            return;
    }
    view_copy_text(x->device, sizeof x->device, value);
}

static void read_cookies(struct exchange *x)
{
    const struct view header = view_str(exchange_header(x, "Cookie"));
    struct view value;
    x->page.language = language_accepted(view_str(exchange_header(x, "Accept-Language")));
    if (cookie_find(header, COOKIE_LANGUAGE, &value) == ERR_OK)
        (void)language_read(value, &x->page.language);
    read_device(x, header);
    if (cookie_find(header, COOKIE, &value) != ERR_OK || !hex_read(value, x->token, LOGIN_TOKEN))
        return;
    x->has_cookie = true;
    /* what the live page fetches by itself is no sign that somebody is there */
    const bool asked = exchange_header(x, "X-Sekisho-Unasked")[0] == '\0';
    const struct login *login = login_find(&x->portal->logins, x->token, now_of(x), asked);
    if (login != NULL)
        x->who = *login;
}

/* ?language=ja, which the switch in the head of each page says, is kept. */
static void switch_language(struct exchange *x)
{
    if (!language_read(view_str(form_value(&x->query, "language")), &x->page.language))
        return;
    snprintf(x->set_language, sizeof x->set_language,
             COOKIE_LANGUAGE "=%s; Path=/; Secure; SameSite=Lax; Max-Age=31536000", language_word(x->page.language));
}

/* ---- the head ---- */

static void show_asset(struct exchange *x, const struct asset *asset)
{
    page_raw(&x->page, (const char *)asset->content.p, asset->content.n);
    x->media = asset->media;
    x->cached = true;
    x->status = MHD_HTTP_OK;
    x->ready = true;
}

static bool is_busy(struct exchange *x, enum rate_of what)
{
    usec_t wait;
    if (rate_take(&x->portal->rate, what, &x->source, now_of(x), &wait))
        return false;
    x->retry = (unsigned)(wait / USEC_SEC) + 1;
    exchange_problem(x, MHD_HTTP_TOO_MANY_REQUESTS, SAY_PROBLEM_TOO_OFTEN);
    return true;
}

/* Browsers say where a form was; a form of another site is refused even before its token is looked at. */
static bool comes_from_us(const struct exchange *x)
{
    const char *site = exchange_header(x, "Sec-Fetch-Site"), *origin = exchange_header(x, "Origin");
    const char *host = exchange_header(x, "Host");
    if (site[0] != '\0' && strcmp(site, "same-origin") != 0)
        return false;
    return origin[0] == '\0' || (strncmp(origin, "https://", 8) == 0 && strcmp(origin + 8, host) == 0);
}

static bool is_form(const char *type)
{
    static const char want[] = "application/x-www-form-urlencoded";
    return strncasecmp(type, want, sizeof want - 1) == 0 &&
           (type[sizeof want - 1] == '\0' || type[sizeof want - 1] == ';');
}

/* 0: the body may come. */
static unsigned judge_body(const struct exchange *x, size_t max, size_t *length)
{
    const char *text = exchange_header(x, "Content-Length");
    char *end;
    if (exchange_header(x, "Transfer-Encoding")[0] != '\0' || text[0] == '\0')
        return MHD_HTTP_LENGTH_REQUIRED;
    const unsigned long long n = strtoull(text, &end, 10);
    if (*end != '\0')
        return MHD_HTTP_BAD_REQUEST;
    if (n > max)
        return MHD_HTTP_CONTENT_TOO_LARGE;
    *length = (size_t)n;
    return is_form(exchange_header(x, "Content-Type")) ? 0 : MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
}

static void expect_body(struct exchange *x)
{
    const bool large = x->route->who == WHO_ADMIN && strcmp(x->route->path, "/admin/config") == 0;
    const unsigned status = judge_body(x, large ? PORTAL_BODY_CONFIG_MAX : PORTAL_BODY_MAX, &x->body_max);
    if (status != 0) {
        exchange_problem(x, status, status == MHD_HTTP_CONTENT_TOO_LARGE ? SAY_PROBLEM_TOO_LARGE : SAY_PROBLEM_REQUEST);
        return;
    }
    if (!comes_from_us(x)) {
        exchange_problem(x, MHD_HTTP_FORBIDDEN, SAY_PROBLEM_FORM);
        return;
    }
    x->body = malloc(x->body_max + 1);
    if (x->body == NULL)
        exchange_problem(x, MHD_HTTP_SERVICE_UNAVAILABLE, SAY_PROBLEM_BUSY);
}

static void must_be(struct exchange *x, enum who who)
{
    if (who == WHO_USER && x->who.role != ROLE_USER)
        exchange_go(x, "/login");
    if (who == WHO_ADMIN && x->who.role != ROLE_ADMIN)
        exchange_go(x, "/admin/login");
}

static void find_route(struct exchange *x, const char *method, struct view path)
{
    const bool post = strcmp(method, "POST") == 0, get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    const struct asset *asset = get ? asset_find(path) : NULL;
    bool known = false;
    if (asset != NULL) {
        show_asset(x, asset);
        return;
    }
    x->route = route_find(post ? METHOD_POST : METHOD_GET, path, &known);
    if (!post && !get)
        exchange_problem(x, MHD_HTTP_METHOD_NOT_ALLOWED, SAY_PROBLEM_REQUEST);
    else if (x->route == NULL)
        exchange_problem(x, known ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND,
                         known ? SAY_PROBLEM_REQUEST : SAY_PROBLEM_NOT_FOUND);
}

void exchange_begin(struct exchange *x, const char *method)
{
    struct view path, query;
    x->api = api_is(x);
    if (!x->api)
        read_cookies(x);
    if (is_busy(x, RATE_REQUESTS))
        return;
    if (target_split(view_str(x->target), &path, &query) != ERR_OK || form_parse(query, &x->query) != ERR_OK) {
        exchange_problem(x, MHD_HTTP_BAD_REQUEST, SAY_PROBLEM_REQUEST);
        return;
    }
    if (x->api) {
        api_begin(x, method, path);
        return;
    }
    switch_language(x);
    find_route(x, method, path);
    if (!x->ready)
        must_be(x, x->route->who);
    if (!x->ready && x->route->method == METHOD_POST)
        expect_body(x);
}

/* ---- the gateway's part ---- */

static void on_answer(void *ctx);

static void put(struct exchange *x)
{
    x->question.done = on_answer;
    x->question.ctx = x;
    if (!x->asking)
        http_wait(x->portal, x->connection);
    x->asking = true;
    gate_ask(x->portal->gate, &x->question, now_of(x));
}

/* True: the exchange waits again. */
static bool go_on(struct exchange *x)
{
    x->step = STEP_ASK;
    x->question.chained = true;
    if (x->route->ask != NULL && !x->route->ask(x)) {
        if (!x->ready)
            exchange_problem(x, MHD_HTTP_BAD_REQUEST, SAY_PROBLEM_REQUEST);
        return false;
    }
    if (x->question.count > 0) {
        put(x);
        return true;
    }
    x->status = MHD_HTTP_OK;
    x->route->show(x);
    return false;
}

/* A gateway that cannot tell who there is says nothing about who is not. */
static bool is_known(const struct exchange *x)
{
    return x->question.data[0] != NULL || strcmp(x->question.error[0].code, CTL_CODE_NOT_FOUND) == 0;
}

/* Who was removed meanwhile is out, and so is who may not log in any more, or who logged in by what has changed since.
 */
static bool still_stands(struct exchange *x)
{
    const bool admin = x->route->who == WHO_ADMIN;
    struct login *login = exchange_login(x);
    const json_t *list = json_object_get(x->question.data[0], admin ? "admins" : "users"), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        struct ctl_admin found;
        if (!admin && ctl_user_read(one, &x->user) == ERR_OK && strcmp(x->user.name, x->who.name) == 0)
            return x->user.welcome && login != NULL && login_stands(login, x->user.stamp);
        if (admin && ctl_admin_read(one, &found) == ERR_OK && strcmp(found.name, x->who.name) == 0)
            return login != NULL && login_stands(login, found.stamp);
    }
    return false;
}

static bool take_standing(struct exchange *x)
{
    if (x->api && !api_stands(x))
        return false;
    if (x->route->who == WHO_USER)
        (void)ctl_policy_read(json_object_get(x->question.data[1], "policy"), &x->policy);
    if (!x->api && !is_known(x)) {
        exchange_problem(x, MHD_HTTP_SERVICE_UNAVAILABLE, SAY_PROBLEM_NOT_NOW);
        return false;
    }
    if (!x->api && !still_stands(x)) {
        exchange_log_out(x);
        exchange_go(x, x->route->who == WHO_ADMIN ? "/admin/login" : "/login");
        return false;
    }
    question_clear(&x->question);
    return go_on(x);
}

static void finish(struct exchange *x)
{
    if (!x->ready && x->page.failed)
        exchange_problem(x, MHD_HTTP_INTERNAL_SERVER_ERROR, SAY_PROBLEM_BUSY);
    x->ready = true;
    question_clear(&x->question);
    if (x->asking) {
        x->asking = false;
        http_go_on(x->portal, x->connection);
    }
}

static void on_answer(void *ctx)
{
    struct exchange *x = ctx;
    if (x->question.silent) {
        exchange_problem(x, MHD_HTTP_SERVICE_UNAVAILABLE, SAY_PROBLEM_NO_GATEWAY);
    } else if (x->step == STEP_STANDING) {
        if (take_standing(x))
            return;
    } else {
        x->status = MHD_HTTP_OK;
        x->route->show(x);
    }
    finish(x);
}

/* Whoever is invited shows a code that cannot be guessed; an office behind one address may be invited at once. */
static bool is_cheap(const struct portal_route *route)
{
    static bool (*const asks[])(struct exchange *) = {ask_pattern_trial, ask_invite,         ask_invite_use,
                                                      ask_invite_trial,  ask_invite_pattern, ask_invite_practise};
    for (size_t i = 0; i < ARRAY_LEN(asks); i++)
        if (route->ask == asks[i])
            return true;
    return false;
}

static bool read_form(struct exchange *x)
{
    if (x->route->method != METHOD_POST)
        return true;
    const enum err e = form_parse(view_of(x->body, x->body_n), &x->form);
    if (e != ERR_OK) {
        exchange_problem(x, MHD_HTTP_BAD_REQUEST, SAY_PROBLEM_REQUEST);
        return false;
    }
    if (!x->has_cookie || !form_token_fits(&x->portal->logins, x->token, form_value(&x->form, "token"))) {
        exchange_problem(x, MHD_HTTP_FORBIDDEN, SAY_PROBLEM_FORM);
        return false;
    }
    if (is_cheap(x->route))
        return !is_busy(x, RATE_TRIALS);
    return x->route->who != WHO_ANYONE || !is_busy(x, RATE_LOGINS);
}

static struct ctl_request *ask_standing(struct exchange *x)
{
    if (x->api)
        return api_ask_standing(x);
    return x->route->who == WHO_ADMIN ? ctl_request_new(CTL_VERB_ADMIN_LIST)
                                      : ask_about(CTL_VERB_USER_LIST, CTL_ARG_NAME, x->who.name);
}

void exchange_body(struct exchange *x)
{
    if (x->api ? !api_read(x) : !read_form(x))
        return;
    if (x->route->who == WHO_ANYONE) {
        if (!go_on(x))
            finish(x);
        return;
    }
    x->step = STEP_STANDING;
    question_add(&x->question, ask_standing(x));
    if (x->route->who == WHO_USER)
        question_add(&x->question, ctl_request_new(CTL_VERB_GRID_POLICY));
    put(x);
}

void exchange_free(struct exchange *x)
{
    if (x == NULL)
        return;
    question_clear(&x->question);
    if (x->stream != NULL) /* whoever asked was gone before there was a response */
        stream_close(x->stream);
    ctl_request_free(x->request);
    form_done(&x->query);
    form_done(&x->form);
    page_done(&x->page);
    if (x->body != NULL)
        bytes_wipe(x->body, x->body_max);
    free(x->body);
    bytes_wipe(x, sizeof *x);
    free(x);
}

/* ---- what routes use ---- */

void exchange_ask(struct exchange *x, struct ctl_request *request)
{
    question_add(&x->question, request);
}

struct ctl_request *ask_about(enum ctl_verb verb, enum ctl_arg arg, const char *text)
{
    return ask_with(ctl_request_new(verb), arg, text);
}

static struct ctl_request *unless(struct ctl_request *request, enum err e)
{
    if (e == ERR_OK)
        return request;
    ctl_request_free(request);
    return NULL;
}

struct ctl_request *ask_with(struct ctl_request *request, enum ctl_arg arg, const char *text)
{
    return request != NULL ? unless(request, ctl_set_text(request, arg, text)) : NULL;
}

struct ctl_request *ask_from(const struct exchange *x, struct ctl_request *request)
{
    char source[IP_TEXT_MAX];
    return ask_with(request, CTL_ARG_SOURCE, ip_text(&x->source, source));
}

struct ctl_request *ask_number(struct ctl_request *request, enum ctl_arg arg, uint64_t number)
{
    return request != NULL ? unless(request, ctl_set_number(request, arg, number)) : NULL;
}

struct ctl_request *ask_flag(struct ctl_request *request, enum ctl_arg arg, bool flag)
{
    return request != NULL ? unless(request, ctl_set_flag(request, arg, flag)) : NULL;
}
