/* Pages of administrators about administrators. Nobody removes themselves, so one always stays. */
#include "portal/portal_internal.h"

#include <strings.h>

#define LIST "/admin/administrators"

/* ---- the list ---- */

bool ask_keepers(struct exchange *x)
{
    exchange_ask(x, ctl_request_new(CTL_VERB_ADMIN_LIST));
    return true;
}

/* The gateway takes upper and lower case of a name for the same. */
static bool is_self(const struct exchange *x, const char *name)
{
    return strcasecmp(x->who.name, name) == 0;
}

static void keeper_row(struct exchange *x, const struct ctl_admin *a)
{
    struct page *p = &x->page;
    page_html(p, "<tr><td><a href=\"/admin/administrator?name=");
    page_query(p, a->name);
    page_html(p, "\">");
    page_text(p, a->name);
    page_html(p, "</a>");
    if (is_self(x, a->name)) {
        page_html(p, " ");
        page_say(p, SAY_KEEPER_SELF);
    }
    page_html(p, "</td><td>");
    page_time(p, a->created);
    page_html(p, "</td><td>");
    page_time(p, a->last_login);
    page_html(p, "</td></tr>");
}

static void password_fields(struct exchange *x)
{
    form_field(x, SAY_PASSWORD_NEW, "password", "password", "", "new-password", true);
    form_field(x, SAY_PASSWORD_AGAIN, "again", "password", "", "new-password", true);
}

static void add_form(struct exchange *x)
{
    struct page *p = &x->page;
    page_html(p, "<h2>");
    page_say(p, SAY_KEEPER_ADD);
    page_html(p, "</h2><p>");
    page_say(p, SAY_KEEPER_ADD_HINT);
    page_html(p, "</p>");
    form_begin(x, "/admin/administrators/add", "card");
    form_field(x, SAY_ADMIN_NAME, "name", "text", "", "off", true);
    password_fields(x);
    form_end(x, SAY_KEEPER_ADD);
}

void show_keepers(struct exchange *x)
{
    static const enum message heads[] = {SAY_ADMIN_NAME, SAY_CREATED, SAY_LAST_LOGIN};
    const json_t *list = json_object_get(x->question.data[0], "admins"), *one;
    struct ctl_admin a;
    size_t i;
    if (exchange_was_refused(x, "/admin"))
        return;
    layout_begin(x, SAY_KEEPERS);
    table_begin(&x->page, SAY_KEEPERS, heads, ARRAY_LEN(heads), "administrators");
    json_array_foreach(list, i, one)
    {
        if (i < PORTAL_ROWS_MAX && ctl_admin_read(one, &a) == ERR_OK)
            keeper_row(x, &a);
    }
    table_end(&x->page);
    add_form(x);
    layout_end(x);
}

/* ---- the secret of one-time codes, told on this page and never again ---- */

static void secret_page(struct exchange *x, enum message done)
{
    const json_t *data = x->question.data[0];
    const char *secret = json_string_value(json_object_get(data, "secret"));
    const char *uri = json_string_value(json_object_get(data, "uri"));
    struct page *p = &x->page;
    layout_begin(x, SAY_KEEPER);
    page_html(p, "<p role=\"status\">");
    page_say_of(p, done, form_value(&x->form, "name"));
    page_html(p, "</p><p>");
    page_say(p, SAY_KEEPER_SCAN);
    page_html(p, "</p>");
    qr_show(p, uri != NULL ? uri : "", SAY_CODES_QR);
    page_html(p, "<p class=\"subject\"><code id=\"secret\">");
    page_text(p, secret != NULL ? secret : "");
    page_html(p, "</code></p><p><a href=\"" LIST "\">");
    page_say(p, SAY_KEEPERS);
    page_html(p, "</a></p>");
    layout_end(x);
}

static struct ctl_request *ask_new_password(struct exchange *x, enum ctl_verb verb)
{
    enum message problem;
    if (!password_is_good(&x->form, &problem)) {
        exchange_refused(x, LIST, problem, "");
        return NULL;
    }
    struct ctl_request *r = ask_about(verb, CTL_ARG_NAME, form_value(&x->form, "name"));
    return ask_with(r, CTL_ARG_PASSWORD, form_value(&x->form, "password"));
}

bool ask_keeper_add(struct exchange *x)
{
    struct ctl_request *r = ask_new_password(x, CTL_VERB_ADMIN_ADD);
    if (r != NULL)
        exchange_ask(x, r);
    return r != NULL;
}

void show_keeper_added(struct exchange *x)
{
    if (!exchange_was_refused(x, LIST))
        secret_page(x, SAY_KEEPER_ADDED);
}

/* ---- one of them ---- */

bool ask_keeper(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_ADMIN_LIST, CTL_ARG_NAME, form_value(&x->query, "name")));
    return true;
}

void show_keeper(struct exchange *x)
{
    struct page *p = &x->page;
    struct ctl_admin a;
    if (exchange_was_refused(x, LIST))
        return;
    if (ctl_admin_read(json_array_get(json_object_get(x->question.data[0], "admins"), 0), &a) != ERR_OK) {
        exchange_refused(x, LIST, SAY_REFUSED_NOT_FOUND, "");
        return;
    }
    layout_begin(x, SAY_KEEPER);
    page_html(p, "<p class=\"subject\">");
    page_text(p, a.name);
    page_html(p, "</p>");
    form_begin(x, "/admin/administrator/password", "card");
    form_hidden(x, "name", a.name);
    password_fields(x);
    form_end(x, SAY_PASSWORD_SET);
    page_html(p, "<h2>");
    page_say(p, SAY_MORE);
    page_html(p, "</h2><p>");
    page_say(p, SAY_KEEPER_CODES_HINT);
    page_html(p, "</p><div class=\"acts\">");
    form_button(x, "/admin/administrator/codes", "name", a.name, SAY_KEEPER_CODES, "");
    if (!is_self(x, a.name))
        form_button(x, "/admin/administrator/delete", "name", a.name, SAY_KEEPER_DELETE, "");
    page_html(p, "</div>");
    layout_end(x);
}

/* Whoever is logged in under this name must show what is new, but for the one who has just made it. */
static void go_on(struct exchange *x)
{
    struct ctl_admin a;
    if (ctl_admin_read(json_object_get(x->question.data[0], "admin"), &a) == ERR_OK && is_self(x, a.name))
        exchange_renew(x);
}

bool ask_keeper_password(struct exchange *x)
{
    struct ctl_request *r = ask_new_password(x, CTL_VERB_ADMIN_PASSWD);
    if (r != NULL)
        exchange_ask(x, r);
    return r != NULL;
}

void show_keeper_password(struct exchange *x)
{
    if (exchange_was_refused(x, LIST))
        return;
    go_on(x);
    exchange_back(x, LIST, SAY_PASSWORD_DONE);
}

bool ask_keeper_codes(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_ADMIN_TOTP, CTL_ARG_NAME, form_value(&x->form, "name")));
    return true;
}

void show_keeper_codes(struct exchange *x)
{
    if (exchange_was_refused(x, LIST))
        return;
    go_on(x);
    secret_page(x, SAY_KEEPER_CODES_NEW);
}

bool ask_keeper_delete(struct exchange *x)
{
    if (is_self(x, form_value(&x->form, "name"))) {
        exchange_refused(x, LIST, SAY_KEEPER_STAYS, "");
        return false;
    }
    exchange_ask(x, ask_about(CTL_VERB_ADMIN_DEL, CTL_ARG_NAME, form_value(&x->form, "name")));
    return true;
}

void show_keeper_deleted(struct exchange *x)
{
    if (exchange_was_refused(x, LIST))
        return;
    exchange_back(x, LIST, SAY_DELETED); /* who was removed is out at the next page; see exchange.c */
}
