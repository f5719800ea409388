/* What all pages have: head, ways to other pages, notices; and forms with their tokens. */
#include "portal/portal_internal.h"

#include <string.h>

struct place {
    enum role role;
    const char *path;
    enum message name;
};

static const struct place places[] = {
    {ROLE_NONE, "/login", SAY_NAV_LOGIN},
    {ROLE_NONE, "/grid", SAY_NAV_GRID},
    {ROLE_NONE, "/why", SAY_NAV_WHY},
    {ROLE_USER, "/me", SAY_NAV_HOME},
    {ROLE_USER, "/me/device", SAY_NAV_DEVICE},
    {ROLE_USER, "/me/why", SAY_NAV_WHY},
    {ROLE_USER, "/me/pattern", SAY_NAV_PATTERN},
    {ROLE_USER, "/me/codes", SAY_NAV_CODES},
    {ROLE_USER, "/me/password", SAY_NAV_PASSWORD},
    {ROLE_ADMIN, "/admin", SAY_NAV_LIVE},
    {ROLE_ADMIN, "/admin/users", SAY_NAV_USERS},
    {ROLE_ADMIN, "/admin/groups", SAY_NAV_GROUPS},
    {ROLE_ADMIN, "/admin/invites", SAY_NAV_INVITES},
    {ROLE_ADMIN, "/admin/stories", SAY_NAV_STORIES},
    {ROLE_ADMIN, "/admin/pools", SAY_NAV_POOLS},
    {ROLE_ADMIN, "/admin/health", SAY_NAV_HEALTH},
    {ROLE_ADMIN, "/admin/config", SAY_NAV_CONFIG},
    {ROLE_ADMIN, "/admin/administrators", SAY_NAV_KEEPERS},
    {ROLE_ADMIN, "/admin/tokens", SAY_NAV_TOKENS},
};

/* Where the page is shown by GET; for one that was posted, the nearest above it that is. */
static struct view path_by_get(const struct exchange *x)
{
    bool known;
    const char *path = x->route != NULL ? x->route->path : "/";
    size_t n = strlen(path);
    while (n > 1 && route_find(METHOD_GET, view_of(path, n), &known) == NULL)
        while (n > 1 && path[--n] != '/')
            ;
    return view_of(path, n);
}

/* What the page is about: what was asked for, or, of a form of administrators, whose it was. */
static void same_query(struct exchange *x)
{
    struct page *p = &x->page;
    const bool of_form = x->route != NULL && x->route->method == METHOD_POST && x->route->who == WHO_ADMIN;
    for (size_t i = 0; x->route != NULL && i < x->query.count; i++) {
        if (strcmp(x->query.field[i].name, "language") == 0)
            continue;
        page_html(p, "&amp;");
        page_text(p, x->query.field[i].name);
        page_html(p, "=");
        page_query(p, x->query.field[i].value);
    }
    if (of_form && form_has(&x->form, "name")) {
        page_html(p, "&amp;name=");
        page_query(p, form_value(&x->form, "name"));
    }
}

static void language_switch(struct exchange *x)
{
    struct page *p = &x->page;
    const enum language other = p->language == LANGUAGE_JA ? LANGUAGE_EN : LANGUAGE_JA;
    const struct view path = path_by_get(x);
    page_html(p, "<a class=\"language\" href=\"");
    page_raw(p, (const char *)path.p, path.n);
    page_html(p, "?language=");
    page_text(p, language_word(other));
    same_query(x);
    page_html(p, "\" hreflang=\"");
    page_text(p, language_word(other));
    page_html(p, "\" lang=\"");
    page_text(p, language_word(other));
    page_html(p, "\">");
    page_text(p, message_text(SAY_LANGUAGE, other));
    page_html(p, "</a>");
}

static void navigation(struct exchange *x)
{
    struct page *p = &x->page;
    page_html(p, "<nav aria-label=\"");
    page_say(p, SAY_NAV);
    page_html(p, "\"><ul>");
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (places[i].role != x->who.role)
            continue;
        page_html(p, "<li><a href=\"");
        page_text(p, places[i].path);
        page_html(p, "\"");
        if (x->route != NULL && strcmp(x->route->path, places[i].path) == 0)
            page_html(p, " aria-current=\"page\"");
        page_html(p, ">");
        page_say(p, places[i].name);
        page_html(p, "</a></li>");
    }
    page_html(p, "</ul></nav>");
}

/* What the page before has done is told once. */
static void tell_notice(struct exchange *x)
{
    struct page *p = &x->page;
    if (x->who.role == ROLE_NONE)
        return;
    struct login *login = login_find(&x->portal->logins, x->token, loop_now(x->portal->loop), false);
    if (login == NULL || login->notice.message == SAY_NONE)
        return;
    notice_show(p, &login->notice);
    login->notice = (struct notice){0};
}

void notice_show(struct page *p, const struct notice *notice)
{
    if (notice->bad)
        page_html(p, "<div class=\"notice bad\" role=\"alert\"><p>");
    else
        page_html(p, "<div class=\"notice\" role=\"status\"><p>");
    page_say(p, notice->message);
    page_html(p, "</p>");
    if (notice->detail[0] != '\0') {
        page_html(p, "<p class=\"detail\">");
        page_told(p, &notice->told, notice->detail);
        page_html(p, "</p>");
    }
    page_html(p, "</div>");
}

static void head(struct exchange *x, enum message title)
{
    struct page *p = &x->page;
    page_html(p, "<!doctype html><html lang=\"");
    page_text(p, language_word(p->language));
    page_html(p, "\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, "
                 "initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>");
    page_say(p, title);
    page_html(p, " \xc2\xb7 Sekisho</title><link rel=\"icon\" href=\"/assets/icon.svg\"><link rel=\"stylesheet\" "
                 "href=\"/assets/portal.css\"><script src=\"/assets/portal.js\" defer></script></head><body>"
                 "<a class=\"skip\" href=\"#main\">");
    page_say(p, SAY_SKIP);
    page_html(p, "</a><header><a class=\"brand\" href=\"/\">Sekisho</a>");
    navigation(x);
    page_html(p, "<div class=\"self\">");
    language_switch(x);
}

void layout_begin(struct exchange *x, enum message title)
{
    struct page *p = &x->page;
    head(x, title);
    if (x->who.role != ROLE_NONE) {
        page_html(p, "<span class=\"name\">");
        page_text(p, x->who.name);
        page_html(p, "</span>");
        form_button(x, "/logout", "out", "1", SAY_LOG_OUT, "");
    }
    page_html(p, "</div></header><main id=\"main\" tabindex=\"-1\"><h1>");
    page_say(p, title);
    page_html(p, "</h1>");
    tell_notice(x);
}

void layout_end(struct exchange *x)
{
    page_html(&x->page, "</main></body></html>\n");
}

void layout_problem(struct exchange *x, enum message what)
{
    struct page *p = &x->page;
    head(x, SAY_PROBLEM);
    page_html(p, "</div></header><main id=\"main\" tabindex=\"-1\"><h1>");
    page_say(p, SAY_PROBLEM);
    page_html(p, "</h1><p role=\"alert\">");
    page_say(p, what);
    page_html(p, "</p><p><a href=\"/\">");
    page_say(p, SAY_START_PAGE);
    page_html(p, "</a></p>");
    layout_end(x);
}

void paragraph(struct page *p, enum message m)
{
    page_html(p, "<p>");
    page_say(p, m);
    page_html(p, "</p>");
}

void hint(struct page *p, enum message m)
{
    page_html(p, "<p class=\"hint\">");
    page_say(p, m);
    page_html(p, "</p>");
}

/* ---- forms ---- */

void form_hidden(struct exchange *x, const char *name, const char *value)
{
    struct page *p = &x->page;
    page_html(p, "<input type=\"hidden\" name=\"");
    page_text(p, name);
    page_html(p, "\" value=\"");
    page_text(p, value);
    page_html(p, "\">");
}

void form_was(struct exchange *x, enum ctl_arg arg, const char *value)
{
    char name[FORM_NAME_MAX];
    snprintf(name, sizeof name, FORM_WAS "%s", ctl_arg_word(arg));
    form_hidden(x, name, value);
}

void form_begin(struct exchange *x, const char *path, const char *kind)
{
    struct page *p = &x->page;
    char token[LOGIN_TEXT];
    exchange_visitor(x);
    form_token(&x->portal->logins, x->token, token);
    page_html(p, "<form method=\"post\" action=\"");
    page_text(p, path);
    page_html(p, "\" class=\"");
    page_text(p, kind);
    page_html(p, "\">");
    form_hidden(x, "token", token);
}

void form_end(struct exchange *x, enum message submit)
{
    page_html(&x->page, "<p><button type=\"submit\">");
    page_say(&x->page, submit);
    page_html(&x->page, "</button></p></form>");
}

static void attribute(struct page *p, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    page_html(p, " ");
    page_text(p, name);
    page_html(p, "=\"");
    page_text(p, value);
    page_html(p, "\"");
}

void form_field(struct exchange *x, enum message label, const char *name, const char *type, const char *value,
                const char *autocomplete, bool required)
{
    struct page *p = &x->page;
    page_html(p, "<p><label><span>");
    page_say(p, label);
    page_html(p, "</span><input");
    attribute(p, "name", name);
    attribute(p, "type", type);
    attribute(p, "value", value);
    attribute(p, "autocomplete", autocomplete);
    if (strcmp(autocomplete, "username") == 0)
        page_html(p, " autocapitalize=\"none\" spellcheck=\"false\"");
    if (strcmp(autocomplete, "one-time-code") == 0)
        page_html(p, " inputmode=\"numeric\"");
    if (required)
        page_html(p, " required");
    page_html(p, "></label></p>");
}

void form_check(struct exchange *x, enum message label, const char *name, bool checked)
{
    struct page *p = &x->page;
    page_html(p, "<p><label class=\"check\"><input type=\"checkbox\" value=\"1\"");
    attribute(p, "name", name);
    if (checked)
        page_html(p, " checked");
    page_html(p, "> <span>");
    page_say(p, label);
    page_html(p, "</span></label></p>");
}

void form_button(struct exchange *x, const char *path, const char *name, const char *value, enum message submit,
                 const char *about)
{
    struct page *p = &x->page;
    form_begin(x, path, "button");
    form_hidden(x, name, value);
    page_html(p, "<button type=\"submit\">");
    page_say(p, submit);
    if (about[0] != '\0') {
        page_html(p, "<span class=\"hidden\"> ");
        page_text(p, about);
        page_html(p, "</span>");
    }
    page_html(p, "</button></form>");
}

/* ---- tables ---- */

void table_begin(struct page *p, enum message caption, const enum message *heads, size_t n, const char *id)
{
    page_html(p, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"");
    page_say(p, caption);
    page_html(p, "\"><table");
    attribute(p, "id", id);
    page_html(p, "><thead><tr>");
    for (size_t i = 0; i < n; i++) {
        page_html(p, "<th scope=\"col\">");
        page_say(p, heads[i]);
        page_html(p, "</th>");
    }
    page_html(p, "</tr></thead><tbody>");
}

void table_end(struct page *p)
{
    page_html(p, "</tbody></table></div>");
}

/* A member of a list of terms. */
void term(struct page *p, enum message name, const char *value)
{
    page_html(p, "<div><dt>");
    page_say(p, name);
    page_html(p, "</dt><dd>");
    page_text(p, value);
    page_html(p, "</dd></div>");
}

void search_form(struct page *p, const char *path, const char *name, const char *value, enum message label)
{
    page_html(p, "<form method=\"get\" role=\"search\" class=\"search\" action=\"");
    page_text(p, path);
    page_html(p, "\"><label><span>");
    page_say(p, label);
    page_html(p, "</span><input type=\"search\"");
    attribute(p, "name", name);
    attribute(p, "value", value);
    page_html(p, "></label><button type=\"submit\">");
    page_say(p, SAY_SEARCH);
    page_html(p, "</button></form>");
}
