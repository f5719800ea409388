/* Pages of administrators about the gateway as a whole: what is going on, stories, pools, health, configuration. */
#include "portal/portal_internal.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

/* ---- live ---- */

bool ask_live(struct exchange *x)
{
    exchange_ask(x, ctl_request_new(CTL_VERB_STATUS));
    exchange_ask(x, ctl_request_new(CTL_VERB_SESSION_LIST));
    exchange_ask(x, ctl_request_new(CTL_VERB_EVENT_LIST));
    return true;
}

/* The script puts new numbers where data-live says what they are. */
static void figure(struct page *p, enum message name, const char *word, uint64_t value)
{
    page_html(p, "<div><dt>");
    page_say(p, name);
    page_html(p, "</dt><dd data-live=\"");
    page_text(p, word);
    page_html(p, "\">");
    page_number(p, value);
    page_html(p, "</dd></div>");
}

static void figures(struct page *p, const struct ctl_status *s)
{
    page_html(p, "<dl class=\"figures\">");
    figure(p, SAY_SESSIONS, "sessions", s->sessions);
    figure(p, SAY_POOL_USED, "pool_used", s->pool_used);
    figure(p, SAY_POOL_SIZE, "pool_size", s->pool_size);
    figure(p, SAY_LOGINS_ACCEPTED, "logins_accepted", s->logins_accepted);
    figure(p, SAY_LOGINS_REFUSED, "logins_refused", s->logins_refused);
    figure(p, SAY_DROPS, "drops", s->drops);
    page_html(p, "</dl><p class=\"hint\">");
    page_say(p, SAY_VERSION);
    page_html(p, " ");
    page_text(p, s->version);
    page_html(p, ", ");
    page_say(p, SAY_RUNS_SINCE);
    page_html(p, " ");
    page_time(p, s->started);
    page_html(p, "</p>");
}

/* Drawn by the script; without it the numbers of the table tell. */
static void plot(struct page *p)
{
    page_html(p, "<figure id=\"plot\" hidden data-in=\"");
    page_say(p, SAY_FROM_CLIENTS);
    page_html(p, "\" data-out=\"");
    page_say(p, SAY_TO_CLIENTS);
    page_html(p, "\"><figcaption>");
    page_say(p, SAY_THROUGHPUT);
    page_html(p, " <span class=\"key in\">");
    page_say(p, SAY_FROM_CLIENTS);
    page_html(p, " <b data-live=\"rate_in\"></b></span> <span class=\"key out\">");
    page_say(p, SAY_TO_CLIENTS);
    page_html(p, " <b data-live=\"rate_out\"></b></span></figcaption><svg viewBox=\"0 0 600 160\" role=\"img\" "
                 "preserveAspectRatio=\"none\" aria-label=\"");
    page_say(p, SAY_THROUGHPUT);
    page_html(p, "\"><polyline class=\"in\" points=\"\"/><polyline class=\"out\" points=\"\"/></svg></figure>");
}

static void session_row(struct exchange *x, const struct ctl_session *s)
{
    struct page *p = &x->page;
    char id[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)s->id);
    page_html(p, "<tr><td><a href=\"/admin/user?name=");
    page_query(p, s->user);
    page_html(p, "\">");
    page_text(p, s->user);
    page_html(p, "</a></td><td>");
    page_text(p, s->address);
    page_html(p, "</td><td>");
    page_text(p, s->peer);
    page_html(p, "</td><td>");
    page_text(p, s->client);
    page_html(p, " ");
    page_text(p, s->host);
    page_html(p, "</td><td>");
    page_time(p, s->since);
    page_html(p, "</td><td>");
    page_bytes(p, s->bytes_in);
    page_html(p, "</td><td>");
    page_bytes(p, s->bytes_out);
    page_html(p, "</td><td>");
    form_button(x, "/admin/kick", "session", id, SAY_KICK, s->user);
    page_html(p, "</td></tr>");
}

static void more_rows(struct page *p, size_t n)
{
    char text[24];
    if (n <= PORTAL_ROWS_MAX)
        return;
    snprintf(text, sizeof text, "%zu", n - PORTAL_ROWS_MAX);
    page_html(p, "<p class=\"hint\">");
    page_say_of(p, SAY_MORE_ROWS, text);
    page_html(p, "</p>");
}

static void session_table(struct exchange *x, const json_t *list)
{
    static const enum message heads[] = {SAY_USER_NAME, SAY_ADDRESS_INNER, SAY_ADDRESS_OUTER, SAY_DEVICE,
                                         SAY_SINCE,     SAY_FROM_CLIENTS,  SAY_TO_CLIENTS,    SAY_ACTION};
    struct ctl_session s;
    const json_t *one;
    size_t i;
    table_begin(&x->page, SAY_SESSIONS, heads, ARRAY_LEN(heads), "sessions");
    json_array_foreach(list, i, one)
    {
        if (i < PORTAL_ROWS_MAX && ctl_session_read(one, &s) == ERR_OK)
            session_row(x, &s);
    }
    table_end(&x->page);
    more_rows(&x->page, json_array_size(list));
}

void show_live(struct exchange *x)
{
    struct ctl_status status = {0};
    struct page *p = &x->page;
    (void)ctl_status_read(json_object_get(x->question.data[0], "status"), &status);
    layout_begin(x, SAY_LIVE);
    figures(p, &status);
    plot(p);
    page_html(p, "<h2>");
    page_say(p, SAY_SESSIONS);
    page_html(p, "</h2>");
    session_table(x, json_object_get(x->question.data[1], "sessions"));
    events_show(p, json_object_get(x->question.data[2], "events"));
    layout_end(x);
}

bool ask_kick(struct exchange *x)
{
    uint64_t session;
    if (form_number(&x->form, "session", UINT32_MAX, &session) != ERR_OK)
        return false;
    exchange_ask(x, ask_number(ctl_request_new(CTL_VERB_SESSION_KICK), CTL_ARG_SESSION, session));
    return true;
}

void show_kicked(struct exchange *x)
{
    if (!exchange_was_refused(x, "/admin"))
        exchange_back(x, "/admin", SAY_KICKED);
}

void show_stream(struct exchange *x)
{
    x->stream = stream_open(x->portal->streams, x);
    if (x->stream == NULL) {
        exchange_problem(x, MHD_HTTP_SERVICE_UNAVAILABLE, SAY_PROBLEM_BUSY);
        return;
    }
    x->media = "text/event-stream";
}

/* ---- stories ---- */

bool ask_stories(struct exchange *x)
{
    const char *who = form_value(&x->query, "who");
    exchange_ask(
        x, ask_number(ask_about(CTL_VERB_EXPLAIN, CTL_ARG_WHO, who[0] != '\0' ? who : "last"), CTL_ARG_ATTEMPTS, 30));
    return true;
}

static void steps(struct page *p, const json_t *list)
{
    const json_t *one;
    struct ctl_step s;
    size_t i;
    char at[24];
    page_html(p, "<details><summary>");
    page_say(p, SAY_STORY_STEPS);
    page_html(p, "</summary><ol class=\"steps\">");
    json_array_foreach(list, i, one)
    {
        if (ctl_step_read(one, &s) != ERR_OK)
            continue;
        snprintf(at, sizeof at, "%llu ms", (unsigned long long)s.at);
        page_html(p, "<li><span class=\"at\">");
        page_text(p, at);
        page_html(p, "</span> ");
        page_text(p, stage_told(s.stage, p->language, s.sentence));
        if (s.detail[0] != '\0') {
            page_html(p, " <code class=\"detail\">");
            page_text(p, s.detail);
            page_html(p, "</code>");
        }
        page_html(p, "</li>");
    }
    page_html(p, "</ol></details>");
}

/* The detail of a cause stands in the English sentence; elsewhere it is quoted from the log. */
static void record(struct page *p, const struct ctl_attempt *a)
{
    if (p->language == LANGUAGE_EN || a->detail[0] == '\0')
        return;
    page_html(p, "<p class=\"hint\">");
    page_say_code(p, SAY_STORY_RECORD, a->detail);
    page_html(p, "</p>");
}

static void story(struct page *p, const json_t *json, const struct ctl_attempt *a)
{
    page_html(p, "<article class=\"card\"><h3>");
    page_text(p, a->user);
    page_html(p, " ");
    page_text(p, a->peer);
    page_html(p, "</h3>");
    attempt_show(p, a);
    record(p, a);
    steps(p, json_object_get(json, "steps"));
    page_html(p, "</article>");
}

void show_stories(struct exchange *x)
{
    const json_t *list = json_object_get(x->question.data[0], "attempts"), *one;
    struct page *p = &x->page;
    struct ctl_attempt a;
    size_t i;
    layout_begin(x, SAY_STORIES);
    search_form(p, "/admin/stories", "who", form_value(&x->query, "who"), SAY_STORY_SEARCH);
    json_array_foreach(list, i, one)
    {
        if (ctl_attempt_read(one, &a) == ERR_OK)
            story(p, one, &a);
    }
    if (json_array_size(list) == 0) {
        page_html(p, "<p>");
        page_say(p, SAY_STORY_NONE);
        page_html(p, "</p>");
    }
    layout_end(x);
}

/* ---- pools, health ---- */

bool ask_pools(struct exchange *x)
{
    exchange_ask(x, ctl_request_new(CTL_VERB_POOL_LIST));
    return true;
}

void show_pools(struct exchange *x)
{
    static const enum message heads[] = {SAY_NAME,      SAY_RANGES,    SAY_GATEWAY,
                                         SAY_POOL_SIZE, SAY_POOL_USED, SAY_POOL_RESERVED};
    const json_t *list = json_object_get(x->question.data[0], "pools"), *one;
    struct page *p = &x->page;
    struct ctl_pool pool;
    size_t i;
    layout_begin(x, SAY_POOLS);
    table_begin(p, SAY_POOLS, heads, ARRAY_LEN(heads), "pools");
    json_array_foreach(list, i, one)
    {
        if (ctl_pool_read(one, &pool) != ERR_OK)
            continue;
        const char *const texts[] = {pool.name, pool.ranges, pool.gateway};
        const uint64_t numbers[] = {pool.size, pool.used, pool.reserved};
        page_html(p, "<tr>");
        for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
            page_html(p, "<td>");
            page_text(p, texts[k]);
            page_html(p, "</td>");
        }
        for (size_t k = 0; k < ARRAY_LEN(numbers); k++) {
            page_html(p, "<td>");
            page_number(p, numbers[k]);
            page_html(p, "</td>");
        }
        page_html(p, "</tr>");
    }
    table_end(p);
    layout_end(x);
}

bool ask_health(struct exchange *x)
{
    exchange_ask(x, ctl_request_new(CTL_VERB_HEALTH));
    return true;
}

static void health_item(struct page *p, const struct ctl_check *c)
{
    const bool ok = strcmp(c->state, "ok") == 0;
    const bool bad = strcmp(c->state, "bad") == 0;
    page_html(p, "<li class=\"");
    page_text(p, ok ? "ok" : bad ? "bad" : "warn");
    page_html(p, "\"><strong>");
    page_say(p, ok ? SAY_HEALTH_OK : bad ? SAY_HEALTH_BAD : SAY_HEALTH_WARN);
    page_html(p, "</strong> ");
    page_told(p, &c->told, c->sentence);
    if (c->cure[0] != '\0') {
        page_html(p, " ");
        page_told(p, &c->cure_told, c->cure);
    }
    page_html(p, "</li>");
}

void show_health(struct exchange *x)
{
    const json_t *list = json_object_get(x->question.data[0], "checks"), *one;
    struct page *p = &x->page;
    struct ctl_check c;
    size_t i;
    layout_begin(x, SAY_HEALTH);
    page_html(p, "<ul class=\"health\">");
    json_array_foreach(list, i, one)
    {
        if (ctl_check_read(one, &c) == ERR_OK)
            health_item(p, &c);
    }
    page_html(p, "</ul>");
    layout_end(x);
}

/* ---- configuration: a dry run; the file itself is written on the gateway's host ---- */

static void config_page(struct exchange *x, const char *text)
{
    struct page *p = &x->page;
    layout_begin(x, SAY_CONFIG);
    page_html(p, "<p>");
    page_say(p, SAY_CONFIG_HINT);
    page_html(p, "</p>");
    const char *problem = json_string_value(json_object_get(x->question.data[0], "problem"));
    if (problem != NULL) {
        struct notice notice = {.message = problem[0] != '\0' ? SAY_CONFIG_BAD : SAY_CONFIG_GOOD,
                                .bad = problem[0] != '\0'};
        strncpy(notice.detail, problem, sizeof notice.detail - 1);
        ctl_told_read(json_object_get(x->question.data[0], "told"), &notice.told);
        notice_show(p, &notice);
    }
    form_begin(x, "/admin/config", "card");
    page_html(p, "<p><label><span>");
    page_say(p, SAY_CONFIG_TEXT);
    page_html(p, "</span><textarea name=\"config\" rows=\"16\" spellcheck=\"false\" autocomplete=\"off\" required>\n");
    page_text(p, text);
    page_html(p, "</textarea></label></p>");
    form_end(x, SAY_CONFIG_CHECK);
    page_html(p, "<h2>");
    page_say(p, SAY_RELOAD);
    page_html(p, "</h2><p>");
    page_say(p, SAY_RELOAD_HINT);
    page_html(p, "</p>");
    form_button(x, "/admin/reload", "reload", "1", SAY_RELOAD, "");
    layout_end(x);
}

void show_config(struct exchange *x)
{
    config_page(x, "");
}

bool ask_config(struct exchange *x)
{
    struct ctl_request *r = ask_about(CTL_VERB_CONFIG_CHECK, CTL_ARG_CONFIG, form_value(&x->form, "config"));
    exchange_ask(x, ask_with(r, CTL_ARG_FILENAME, "sekisho.conf"));
    return true;
}

void show_config_checked(struct exchange *x)
{
    if (!exchange_was_refused(x, "/admin/config"))
        config_page(x, form_value(&x->form, "config"));
}

bool ask_reload(struct exchange *x)
{
    exchange_ask(x, ctl_request_new(CTL_VERB_CONFIG_RELOAD));
    return true;
}

void show_reloaded(struct exchange *x)
{
    if (!exchange_was_refused(x, "/admin/config"))
        exchange_back(x, "/admin/config", SAY_RELOADED);
}
