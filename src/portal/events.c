/* What has happened at the gateway lately: a list in the live page, which the script goes on with from the stream. */
#include "portal/portal_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVENTS_SHOWN 50

struct told {
    enum message what; /* SAY_NONE: nothing that the list has */
    bool bad;
    const char *who, *why;
};

static struct told tell(const struct ctl_event *e, enum language language)
{
    static const struct {
        const char *type;
        enum message what;
        bool bad;
    } table[] = {
        {"session-up", SAY_EVENT_UP, false}, {"session-down", SAY_EVENT_DOWN, false},
        {"failed", SAY_EVENT_FAILED, true},  {"login-refused", SAY_EVENT_REFUSED, true},
        {"ended", SAY_EVENT_ENDED, false},
    };
    struct told told = {.who = e->user[0] != '\0' ? e->user : e->peer, .why = ""};
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (strcmp(e->type, table[i].type) == 0) {
            told.what = table[i].what;
            told.bad = table[i].bad;
        }
    if (e->cause[0] != '\0')
        told.why = cause_told(e->cause, language, e->detail);
    return told;
}

/* ---- in the page ---- */

static void item(struct page *p, const struct ctl_event *e, const struct told *told)
{
    if (told->bad)
        page_html(p, "<li class=\"bad\">");
    else
        page_html(p, "<li>");
    page_time(p, e->time / 1000);
    page_html(p, " <strong>");
    page_say_of(p, told->what, told->who);
    page_html(p, "</strong> <span class=\"where\">");
    page_text(p, e->peer);
    page_html(p, "</span> <span class=\"why\">");
    page_text(p, told->why);
    page_html(p, "</span></li>");
}

void events_show(struct page *p, const json_t *list)
{
    struct ctl_event e = {0};
    unsigned shown = 0;
    (void)ctl_event_read(json_array_get(list, json_array_size(list) - 1), &e);
    page_html(p, "<h2 id=\"events-head\">");
    page_say(p, SAY_EVENTS);
    page_html(p, "</h2><ol id=\"events\" class=\"events\" aria-labelledby=\"events-head\" aria-live=\"polite\" "
                 "aria-relevant=\"additions\" data-most=\"");
    page_number(p, EVENTS_SHOWN);
    page_html(p, "\" data-last=\"");
    page_number(p, e.id);
    page_html(p, "\">");
    for (size_t i = json_array_size(list); i > 0 && shown < EVENTS_SHOWN; i--) {
        if (ctl_event_read(json_array_get(list, i - 1), &e) != ERR_OK)
            continue;
        const struct told told = tell(&e, p->language);
        if (told.what == SAY_NONE)
            continue;
        item(p, &e, &told);
        shown++;
    }
    page_html(p, "</ol><p id=\"events-none\" class=\"hint\">");
    if (shown == 0)
        page_say(p, SAY_EVENTS_NONE);
    page_html(p, "</p>");
}

/* ---- in the stream ---- */

bool event_write(const struct ctl_event *e, enum language language, char *out, size_t cap, size_t *n)
{
    const struct told told = tell(e, language);
    const char *text = message_text(told.what, language), *hole = strstr(text, "{}");
    const int before = hole != NULL ? (int)(hole - text) : (int)strlen(text);
    const time_t seconds = (time_t)(e->time / 1000);
    char what[2 * CTL_USER_MAX + 128], at[32] = "";
    struct tm tm;
    *n = 0;
    if (told.what == SAY_NONE)
        return true;
    snprintf(what, sizeof what, "%.*s%s%s", before, text, told.who, hole != NULL ? hole + 2 : "");
    if (gmtime_r(&seconds, &tm) != NULL)
        (void)strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &tm);
    json_t *json = json_pack("{s:I, s:s, s:b, s:s, s:s, s:s}", "id", (json_int_t)e->id, "time", at, "bad", told.bad,
                             "what", what, "where", e->peer, "why", told.why);
    char *dump = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    const int size = dump != NULL ? snprintf(out, cap, "event: happened\ndata: %s\n\n", dump) : 0;
    free(dump);
    json_decref(json);
    if (size < 0 || (size_t)size >= cap)
        return false;
    *n = (size_t)size;
    return true;
}
