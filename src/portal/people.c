/* Pages of administrators about people: users, groups, invitations. */
#include "portal/portal_internal.h"

#include <stdio.h>
#include <string.h>

#define INVITE_LINK_MAX 1024 /* bytes with NUL */

/* ---- the list of users ---- */

bool ask_users(struct exchange *x)
{
    exchange_ask(x, ctl_request_new(CTL_VERB_USER_LIST));
    exchange_ask(x, ctl_request_new(CTL_VERB_GROUP_LIST));
    return true;
}

static void link_to(struct page *p, enum message what, const char *name)
{
    if (what == SAY_USER)
        page_html(p, "<a href=\"/admin/user?name=");
    else
        page_html(p, "<a href=\"/admin/group?name=");
    page_query(p, name);
    page_html(p, "\">");
    page_text(p, name);
    page_html(p, "</a>");
}

static void user_row(struct page *p, const struct ctl_user *u)
{
    page_html(p, "<tr><td>");
    link_to(p, SAY_USER, u->name);
    page_html(p, "</td><td>");
    page_say(p, u->enabled ? SAY_ENABLED : SAY_DISABLED);
    page_html(p, "</td><td>");
    page_text(p, u->group);
    page_html(p, "</td><td>");
    page_number(p, u->sessions);
    page_html(p, "</td><td>");
    page_time(p, u->last_login);
    page_html(p, "</td><td>");
    page_time(p, u->expires);
    page_html(p, "</td></tr>");
}

static void option(struct page *p, const char *value, const char *now, enum message otherwise)
{
    page_html(p, "<option value=\"");
    page_text(p, value);
    page_html(p, "\"");
    if (strcmp(value, now) == 0)
        page_html(p, " selected");
    page_html(p, ">");
    if (otherwise != SAY_NONE)
        page_say(p, otherwise);
    else
        page_text(p, value);
    page_html(p, "</option>");
}

static void select_begin(struct page *p, enum message label, const char *name)
{
    page_html(p, "<p><label><span>");
    page_say(p, label);
    page_html(p, "</span><select name=\"");
    page_text(p, name);
    page_html(p, "\">");
}

static void select_end(struct page *p)
{
    page_html(p, "</select></label></p>");
}

/* A choice among the members "name" of a list, and what is chosen now: it may be no longer in the list, and is not
 * changed by being shown. */
static void select_named(struct page *p, enum message label, const char *name, const json_t *list, const char *now)
{
    const json_t *one;
    size_t i;
    bool listed = now[0] == '\0';
    select_begin(p, label, name);
    option(p, "", now, SAY_NO_CHOICE);
    json_array_foreach(list, i, one)
    {
        const char *text = json_string_value(json_object_get(one, "name"));
        if (text == NULL)
            continue;
        option(p, text, now, SAY_NONE);
        listed = listed || strcmp(text, now) == 0;
    }
    if (!listed)
        option(p, now, now, SAY_NONE);
    select_end(p);
}

static void add_user_form(struct exchange *x)
{
    struct page *p = &x->page;
    page_html(p, "<h2>");
    page_say(p, SAY_USER_ADD);
    page_html(p, "</h2><p>");
    page_say(p, SAY_USER_ADD_HINT);
    page_html(p, "</p>");
    form_begin(x, "/admin/users/add", "card");
    form_field(x, SAY_USER_NAME, "name", "text", "", "off", true);
    form_field(x, SAY_PASSWORD_OR_INVITE, "password", "password", "", "new-password", false);
    select_named(p, SAY_GROUP, "group", json_object_get(x->question.data[1], "groups"), "");
    form_end(x, SAY_USER_ADD);
}

void show_users(struct exchange *x)
{
    static const enum message heads[] = {SAY_USER_NAME, SAY_STATE,      SAY_GROUP,
                                         SAY_SESSIONS,  SAY_LAST_LOGIN, SAY_EXPIRES};
    const json_t *list = json_object_get(x->question.data[0], "users"), *one;
    const char *search = form_value(&x->query, "q");
    struct ctl_user u;
    size_t i, shown = 0;
    layout_begin(x, SAY_USERS);
    search_form(&x->page, "/admin/users", "q", search, SAY_USER_SEARCH);
    table_begin(&x->page, SAY_USERS, heads, ARRAY_LEN(heads), "users");
    json_array_foreach(list, i, one)
    {
        if (shown >= PORTAL_ROWS_MAX || ctl_user_read(one, &u) != ERR_OK || strstr(u.name, search) == NULL)
            continue;
        user_row(&x->page, &u);
        shown++;
    }
    table_end(&x->page);
    add_user_form(x);
    layout_end(x);
}

/* ---- invitations ---- */

static void link_write(const struct exchange *x, const json_t *data, char *out, size_t cap)
{
    const char *url = json_string_value(json_object_get(data, "url"));
    const char *token = json_string_value(json_object_get(data, "token"));
    if (url != NULL && url[0] != '\0')
        snprintf(out, cap, "%s", url);
    else
        snprintf(out, cap, "https://%s/invite#%s", exchange_header(x, "Host"), token != NULL ? token : "");
}

static void copy_button(struct page *p)
{
    page_html(p, "<p><button type=\"button\" class=\"copy\" aria-controls=\"invite\" hidden data-done=\"");
    page_say(p, SAY_COPIED);
    page_html(p, "\">");
    page_say(p, SAY_COPY);
    page_html(p, "</button></p>");
}

/* The link is told on this page and never again. */
static void invite_page(struct exchange *x, const char *name, const json_t *data)
{
    char link[INVITE_LINK_MAX];
    struct ctl_invite invite = {0};
    struct page *p = &x->page;
    link_write(x, data, link, sizeof link);
    (void)ctl_invite_read(json_object_get(data, "invite"), &invite);
    layout_begin(x, SAY_INVITE);
    page_html(p, "<p>");
    page_say_of(p, SAY_INVITE_MADE, name);
    page_html(p, "</p><p><label><span>");
    page_say(p, SAY_INVITE_LINK);
    page_html(p, "</span><input id=\"invite\" readonly value=\"");
    page_text(p, link);
    page_html(p, "\"></label></p>");
    copy_button(p);
    page_html(p, "<div id=\"invite-qr\">");
    qr_show(p, link, SAY_INVITE_QR);
    page_html(p, "</div><p class=\"hint\">");
    page_say(p, SAY_INVITE_ONCE);
    page_html(p, " ");
    page_time(p, invite.expires);
    page_html(p, "</p><p><a href=\"/admin/users\">");
    page_say(p, SAY_NAV_USERS);
    page_html(p, "</a></p>");
    layout_end(x);
    bytes_wipe(link, sizeof link);
}

bool ask_user_add(struct exchange *x)
{
    const char *name = form_value(&x->form, "name"), *password = form_value(&x->form, "password");
    struct ctl_request *r =
        ask_about(password[0] != '\0' ? CTL_VERB_USER_ADD : CTL_VERB_INVITE_MAKE, CTL_ARG_NAME, name);
    if (password[0] != '\0')
        r = ask_with(r, CTL_ARG_PASSWORD, password);
    exchange_ask(x, ask_with(r, CTL_ARG_GROUP, form_value(&x->form, "group")));
    return true;
}

void show_user_added(struct exchange *x)
{
    if (exchange_was_refused(x, "/admin/users"))
        return;
    if (form_value(&x->form, "password")[0] != '\0')
        exchange_back(x, "/admin/users", SAY_USER_ADDED);
    else
        invite_page(x, form_value(&x->form, "name"), x->question.data[0]);
}

bool ask_user_invite(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_INVITE_MAKE, CTL_ARG_NAME, form_value(&x->form, "name")));
    return true;
}

void show_user_invited(struct exchange *x)
{
    if (!exchange_was_refused(x, "/admin/users"))
        invite_page(x, form_value(&x->form, "name"), x->question.data[0]);
}

bool ask_invites(struct exchange *x)
{
    exchange_ask(x, ctl_request_new(CTL_VERB_INVITE_LIST));
    return true;
}

static void invite_row(struct exchange *x, const struct ctl_invite *v)
{
    struct page *p = &x->page;
    char id[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)v->id);
    page_html(p, "<tr><td>");
    link_to(p, SAY_USER, v->name);
    page_html(p, "</td><td>");
    page_time(p, v->created);
    page_html(p, "</td><td>");
    page_time(p, v->expires);
    page_html(p, "</td><td>");
    form_button(x, "/admin/invites/revoke", "id", id, SAY_REVOKE, v->name);
    page_html(p, "</td></tr>");
}

void show_invites(struct exchange *x)
{
    static const enum message heads[] = {SAY_USER_NAME, SAY_CREATED, SAY_EXPIRES, SAY_ACTION};
    const json_t *list = json_object_get(x->question.data[0], "invites"), *one;
    struct ctl_invite v;
    size_t i;
    layout_begin(x, SAY_INVITES);
    page_html(&x->page, "<p>");
    page_say(&x->page, SAY_INVITES_HINT);
    page_html(&x->page, "</p>");
    table_begin(&x->page, SAY_INVITES, heads, ARRAY_LEN(heads), "invites");
    json_array_foreach(list, i, one)
    {
        if (i < PORTAL_ROWS_MAX && ctl_invite_read(one, &v) == ERR_OK)
            invite_row(x, &v);
    }
    table_end(&x->page);
    layout_end(x);
}

bool ask_revoke(struct exchange *x)
{
    uint64_t id;
    if (form_number(&x->form, "id", UINT32_MAX, &id) != ERR_OK)
        return false;
    exchange_ask(x, ask_number(ctl_request_new(CTL_VERB_INVITE_REVOKE), CTL_ARG_ID, id));
    return true;
}

void show_revoked(struct exchange *x)
{
    if (!exchange_was_refused(x, "/admin/invites"))
        exchange_back(x, "/admin/invites", SAY_REVOKED);
}

/* ---- one user ---- */

bool ask_user(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_USER_LIST, CTL_ARG_NAME, form_value(&x->query, "name")));
    exchange_ask(x, ctl_request_new(CTL_VERB_GROUP_LIST));
    return true;
}

static void user_was(struct exchange *x, const struct ctl_user *u, const char *expires, const char *most)
{
    form_was(x, CTL_ARG_ENABLED, u->enabled ? "1" : "");
    form_was(x, CTL_ARG_EXPIRES, expires);
    form_was(x, CTL_ARG_ADDRESS, u->address);
    form_was(x, CTL_ARG_MAX_SESSIONS, most);
    form_was(x, CTL_ARG_GROUP, u->group);
    form_was(x, CTL_ARG_NOTE, u->note);
}

static void user_form(struct exchange *x, const struct ctl_user *u)
{
    char most[24], expires[DATE_TEXT];
    snprintf(most, sizeof most, "%llu", (unsigned long long)u->max_sessions);
    date_write(u->expires, expires);
    form_begin(x, "/admin/user/save", "card");
    form_hidden(x, "name", u->name);
    user_was(x, u, expires, most);
    form_check(x, SAY_MAY_LOG_IN, "enabled", u->enabled);
    form_field(x, SAY_EXPIRES_ON, "expires", "date", expires, "", false);
    form_field(x, SAY_ADDRESS_FIXED, "address", "text", u->address, "off", false);
    form_field(x, SAY_SESSIONS_MOST, "max_sessions", "number", most, "off", true);
    select_named(&x->page, SAY_GROUP, "group", json_object_get(x->question.data[1], "groups"), u->group);
    form_field(x, SAY_NOTE, "note", "text", u->note, "off", false);
    form_end(x, SAY_SAVE);
}

static void user_acts(struct exchange *x, const struct ctl_user *u)
{
    struct page *p = &x->page;
    page_html(p, "<h2>");
    page_say(p, SAY_PASSWORD);
    page_html(p, "</h2>");
    form_begin(x, "/admin/user/password", "card");
    form_hidden(x, "name", u->name);
    form_field(x, SAY_PASSWORD_NEW, "password", "password", "", "new-password", true);
    form_end(x, SAY_PASSWORD_SET);
    page_html(p, "<h2>");
    page_say(p, SAY_MORE);
    page_html(p, "</h2><div class=\"acts\"><a class=\"act\" href=\"/admin/stories?who=");
    page_query(p, u->name);
    page_html(p, "\">");
    page_say(p, SAY_STORIES);
    page_html(p, "</a>");
    form_button(x, "/admin/user/invite", "name", u->name, SAY_INVITE_MAKE, "");
    form_button(x, "/admin/user/kick", "name", u->name, SAY_KICK_ALL, "");
    form_button(x, "/admin/user/delete", "name", u->name, SAY_USER_DELETE, "");
    page_html(p, "</div>");
}

static void user_locked(struct exchange *x, const struct ctl_user *u)
{
    struct page *p = &x->page;
    page_html(p, "<div class=\"notice bad\"><p>");
    page_say(p, SAY_LOCKED);
    page_html(p, " ");
    page_time(p, u->locked);
    page_html(p, "</p><p>");
    form_button(x, "/admin/user/unlock", "name", u->name, SAY_UNLOCK, "");
    page_html(p, "</p></div>");
}

bool ask_user_unlock(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_GRID_UNLOCK, CTL_ARG_USER, form_value(&x->form, "name")));
    return true;
}

void show_user_unlocked(struct exchange *x)
{
    if (!exchange_was_refused(x, "/admin/users"))
        exchange_back(x, "/admin/users", SAY_UNLOCKED);
}

void show_user(struct exchange *x)
{
    struct ctl_user u;
    const json_t *list = json_object_get(x->question.data[0], "users");
    if (exchange_was_refused(x, "/admin/users"))
        return;
    if (ctl_user_read(json_array_get(list, 0), &u) != ERR_OK) {
        exchange_refused(x, "/admin/users", SAY_REFUSED_NOT_FOUND, "");
        return;
    }
    layout_begin(x, SAY_USER);
    page_html(&x->page, "<p class=\"subject\">");
    page_text(&x->page, u.name);
    page_html(&x->page, "</p>");
    if (u.locked != 0)
        user_locked(x, &u);
    user_form(x, &u);
    user_acts(x, &u);
    layout_end(x);
}

/* False: no such value. */
static bool ask_field(struct ctl_request **r, const struct form *f, enum ctl_arg arg)
{
    const char *name = ctl_arg_word(arg);
    uint64_t number = 0;
    enum err e = ERR_OK;
    if (arg == CTL_ARG_ENABLED) {
        *r = ask_flag(*r, arg, form_has(f, name));
    } else if (arg == CTL_ARG_EXPIRES || arg == CTL_ARG_MAX_SESSIONS) {
        e = arg == CTL_ARG_EXPIRES ? form_date(f, name, &number) : form_number(f, name, 1000000, &number);
        *r = ask_number(*r, arg, number);
    } else {
        *r = ask_with(*r, arg, form_value(f, name));
    }
    return e == ERR_OK;
}

/* Asks for what was changed in the form alone: the rest may have been changed by others since it was shown, and a date
 * is less than the time of which it is shown. */
static bool ask_changes(struct exchange *x, enum ctl_verb verb, const char *path, const enum ctl_arg *args, size_t n)
{
    const struct form *f = &x->form;
    struct ctl_request *r = ask_about(verb, CTL_ARG_NAME, form_value(f, "name"));
    size_t changed = 0;
    for (size_t i = 0; i < n; i++) {
        if (!form_changed(f, ctl_arg_word(args[i])))
            continue;
        if (!ask_field(&r, f, args[i])) {
            ctl_request_free(r);
            exchange_refused(x, path, SAY_REFUSED_INVALID, "");
            return false;
        }
        changed++;
    }
    if (changed > 0)
        exchange_ask(x, r);
    else
        ctl_request_free(r);
    return true;
}

bool ask_user_save(struct exchange *x)
{
    static const enum ctl_arg args[] = {CTL_ARG_ENABLED,      CTL_ARG_EXPIRES, CTL_ARG_ADDRESS,
                                        CTL_ARG_MAX_SESSIONS, CTL_ARG_GROUP,   CTL_ARG_NOTE};
    return ask_changes(x, CTL_VERB_USER_SET, "/admin/users", args, ARRAY_LEN(args));
}

/* Whoever is disabled is out of the portal at the next page; see exchange.c. */
void show_user_saved(struct exchange *x)
{
    if (!exchange_was_refused(x, "/admin/users"))
        exchange_back(x, "/admin/users", SAY_SAVED);
}

bool ask_user_password(struct exchange *x)
{
    struct ctl_request *r = ask_about(CTL_VERB_USER_PASSWD, CTL_ARG_NAME, form_value(&x->form, "name"));
    exchange_ask(x, ask_with(r, CTL_ARG_PASSWORD, form_value(&x->form, "password")));
    return true;
}

void show_user_password(struct exchange *x)
{
    if (!exchange_was_refused(x, "/admin/users"))
        exchange_back(x, "/admin/users", SAY_PASSWORD_DONE);
}

bool ask_user_kick(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_SESSION_KICK, CTL_ARG_USER, form_value(&x->form, "name")));
    return true;
}

void show_user_kicked(struct exchange *x)
{
    if (!exchange_was_refused(x, "/admin/users"))
        exchange_back(x, "/admin/users", SAY_KICKED);
}

bool ask_user_delete(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_USER_DEL, CTL_ARG_NAME, form_value(&x->form, "name")));
    return true;
}

void show_user_deleted(struct exchange *x)
{
    if (!exchange_was_refused(x, "/admin/users"))
        exchange_back(x, "/admin/users", SAY_DELETED);
}

/* ---- groups ---- */

bool ask_groups(struct exchange *x)
{
    exchange_ask(x, ctl_request_new(CTL_VERB_GROUP_LIST));
    return true;
}

static void group_row(struct page *p, const struct ctl_group *g)
{
    page_html(p, "<tr><td>");
    link_to(p, SAY_GROUP, g->name);
    page_html(p, "</td><td>");
    page_say(p, g->enabled ? SAY_ENABLED : SAY_DISABLED);
    page_html(p, "</td><td>");
    page_text(p, g->pool);
    page_html(p, "</td><td>");
    page_number(p, g->max_sessions);
    page_html(p, "</td><td>");
    page_number(p, g->users);
    page_html(p, "</td></tr>");
}

void show_groups(struct exchange *x)
{
    static const enum message heads[] = {SAY_NAME, SAY_STATE, SAY_POOL, SAY_SESSIONS_MOST, SAY_USERS};
    const json_t *list = json_object_get(x->question.data[0], "groups"), *one;
    struct ctl_group g;
    size_t i;
    layout_begin(x, SAY_GROUPS);
    table_begin(&x->page, SAY_GROUPS, heads, ARRAY_LEN(heads), "groups");
    json_array_foreach(list, i, one)
    {
        if (i < PORTAL_ROWS_MAX && ctl_group_read(one, &g) == ERR_OK)
            group_row(&x->page, &g);
    }
    table_end(&x->page);
    page_html(&x->page, "<h2>");
    page_say(&x->page, SAY_GROUP_ADD);
    page_html(&x->page, "</h2>");
    form_begin(x, "/admin/groups/add", "card");
    form_field(x, SAY_NAME, "name", "text", "", "off", true);
    form_end(x, SAY_GROUP_ADD);
    layout_end(x);
}

bool ask_group_add(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_GROUP_ADD, CTL_ARG_NAME, form_value(&x->form, "name")));
    return true;
}

void show_group_changed(struct exchange *x)
{
    if (!exchange_was_refused(x, "/admin/groups"))
        exchange_back(x, "/admin/groups", SAY_SAVED);
}

bool ask_group(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_GROUP_LIST, CTL_ARG_NAME, form_value(&x->query, "name")));
    exchange_ask(x, ctl_request_new(CTL_VERB_POOL_LIST));
    return true;
}

static void login_choice(struct page *p, const char *now)
{
    select_begin(p, SAY_LOGIN_BY, "login");
    option(p, "", now, SAY_LOGIN_BY_USER);
    option(p, "password", now, SAY_PASSWORD);
    option(p, "grid", now, SAY_GRID);
    select_end(p);
}

static void group_form(struct exchange *x, const struct ctl_group *g)
{
    char most[24];
    snprintf(most, sizeof most, "%llu", (unsigned long long)g->max_sessions);
    form_begin(x, "/admin/group/save", "card");
    form_hidden(x, "name", g->name);
    form_was(x, CTL_ARG_ENABLED, g->enabled ? "1" : "");
    form_was(x, CTL_ARG_POOL, g->pool);
    form_was(x, CTL_ARG_MAX_SESSIONS, most);
    form_was(x, CTL_ARG_LOGIN, g->login);
    form_was(x, CTL_ARG_NOTE, g->note);
    form_check(x, SAY_MAY_LOG_IN, "enabled", g->enabled);
    select_named(&x->page, SAY_POOL, "pool", json_object_get(x->question.data[1], "pools"), g->pool);
    form_field(x, SAY_SESSIONS_MOST, "max_sessions", "number", most, "off", true);
    login_choice(&x->page, g->login);
    form_field(x, SAY_NOTE, "note", "text", g->note, "off", false);
    form_end(x, SAY_SAVE);
}

void show_group(struct exchange *x)
{
    struct ctl_group g;
    if (exchange_was_refused(x, "/admin/groups"))
        return;
    if (ctl_group_read(json_array_get(json_object_get(x->question.data[0], "groups"), 0), &g) != ERR_OK) {
        exchange_refused(x, "/admin/groups", SAY_REFUSED_NOT_FOUND, "");
        return;
    }
    layout_begin(x, SAY_GROUP);
    page_html(&x->page, "<p class=\"subject\">");
    page_text(&x->page, g.name);
    page_html(&x->page, "</p>");
    group_form(x, &g);
    form_button(x, "/admin/group/delete", "name", g.name, SAY_GROUP_DELETE, "");
    layout_end(x);
}

bool ask_group_save(struct exchange *x)
{
    static const enum ctl_arg args[] = {CTL_ARG_ENABLED, CTL_ARG_POOL, CTL_ARG_MAX_SESSIONS, CTL_ARG_LOGIN,
                                        CTL_ARG_NOTE};
    return ask_changes(x, CTL_VERB_GROUP_SET, "/admin/groups", args, ARRAY_LEN(args));
}

bool ask_group_delete(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_GROUP_DEL, CTL_ARG_NAME, form_value(&x->form, "name")));
    return true;
}
