/* Pages of administrators about tokens, by which programs use the JSON interface. */
#include "portal/portal_internal.h"

#include <stdio.h>
#include <string.h>

static const enum message told[SCOPE_COUNT] = {
    [SCOPE_STATUS] = SAY_SCOPE_STATUS, [SCOPE_SESSIONS] = SAY_SCOPE_SESSIONS, [SCOPE_KICK] = SAY_SCOPE_KICK,
    [SCOPE_USERS] = SAY_SCOPE_USERS,   [SCOPE_MANAGE] = SAY_SCOPE_MANAGE,     [SCOPE_CONFIG] = SAY_SCOPE_CONFIG,
};

#define FIELD_MAX 24

static const char *field_of(enum scope s, char out[static FIELD_MAX])
{
    snprintf(out, FIELD_MAX, "scope_%s", scope_word(s));
    return out;
}

/* ---- what there is ---- */

bool ask_tokens(struct exchange *x)
{
    exchange_ask(x, ctl_request_new(CTL_VERB_TOKEN_LIST));
    return true;
}

static void token_row(struct exchange *x, const struct ctl_token *t)
{
    struct page *p = &x->page;
    const uint64_t times[] = {t->created, t->expires, t->last_used};
    page_html(p, "<tr><td>");
    page_text(p, t->name);
    page_html(p, "</td><td>");
    page_text(p, t->scopes);
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        page_html(p, "</td><td>");
        page_time(p, times[i]);
    }
    page_html(p, "</td><td>");
    form_button(x, "/admin/tokens/revoke", "name", t->name, SAY_REVOKE, t->name);
    page_html(p, "</td></tr>");
}

static void make_form(struct exchange *x)
{
    struct page *p = &x->page;
    char field[FIELD_MAX];
    page_html(p, "<h2>");
    page_say(p, SAY_TOKEN_MAKE);
    page_html(p, "</h2>");
    form_begin(x, "/admin/tokens/make", "card");
    form_field(x, SAY_NAME, "name", "text", "", "off", true);
    form_field(x, SAY_EXPIRES_ON, "expires", "date", "", "", false);
    page_html(p, "<fieldset><legend>");
    page_say(p, SAY_TOKEN_SCOPES);
    page_html(p, "</legend>");
    for (enum scope s = 0; s < SCOPE_COUNT; s++)
        form_check(x, told[s], field_of(s, field), false);
    page_html(p, "</fieldset>");
    form_end(x, SAY_TOKEN_MAKE);
}

void show_tokens(struct exchange *x)
{
    static const enum message heads[] = {SAY_NAME,    SAY_TOKEN_SCOPES, SAY_CREATED,
                                         SAY_EXPIRES, SAY_LAST_USED,    SAY_ACTION};
    const json_t *list = json_object_get(x->question.data[0], "tokens"), *one;
    struct ctl_token t;
    size_t i;
    if (exchange_was_refused(x, "/admin"))
        return;
    layout_begin(x, SAY_TOKENS);
    page_html(&x->page, "<p>");
    page_say(&x->page, x->portal->api ? SAY_TOKENS_HINT : SAY_TOKENS_OFF);
    page_html(&x->page, "</p>");
    table_begin(&x->page, SAY_TOKENS, heads, ARRAY_LEN(heads), "tokens");
    json_array_foreach(list, i, one)
    {
        if (i < PORTAL_ROWS_MAX && ctl_token_read(one, &t) == ERR_OK)
            token_row(x, &t);
    }
    table_end(&x->page);
    make_form(x);
    layout_end(x);
}

/* ---- a new one ---- */

/* The words of the boxes that are ticked, with commas between. */
static void write_scopes(const struct form *form, char *out, size_t cap)
{
    char field[FIELD_MAX];
    size_t n = 0;
    out[0] = '\0';
    for (enum scope s = 0; s < SCOPE_COUNT && n < cap; s++)
        if (form_has(form, field_of(s, field)))
            n += (size_t)snprintf(out + n, cap - n, "%s%s", n > 0 ? "," : "", scope_word(s));
}

bool ask_token_make(struct exchange *x)
{
    const struct form *f = &x->form;
    char scopes[256];
    uint64_t expires;
    write_scopes(f, scopes, sizeof scopes);
    if (scopes[0] == '\0') {
        exchange_refused(x, "/admin/tokens", SAY_TOKEN_FOR_NOTHING, "");
        return false;
    }
    if (form_date(f, "expires", &expires) != ERR_OK) {
        exchange_refused(x, "/admin/tokens", SAY_REFUSED_INVALID, "");
        return false;
    }
    struct ctl_request *r = ask_about(CTL_VERB_TOKEN_MAKE, CTL_ARG_NAME, form_value(f, "name"));
    r = ask_with(r, CTL_ARG_SCOPES, scopes);
    exchange_ask(x, ask_number(r, CTL_ARG_EXPIRES, expires));
    return true;
}

/* It is told on this page and never again. */
void show_token_made(struct exchange *x)
{
    const json_t *data = x->question.data[0];
    const char *secret = json_string_value(json_object_get(data, "secret"));
    struct page *p = &x->page;
    struct ctl_token t = {0};
    if (exchange_was_refused(x, "/admin/tokens"))
        return;
    (void)ctl_token_read(json_object_get(data, "token"), &t);
    layout_begin(x, SAY_TOKEN);
    page_html(p, "<p class=\"subject\">");
    page_text(p, t.name);
    page_html(p, "</p><p><label><span>");
    page_say(p, SAY_TOKEN);
    page_html(p, "</span><input id=\"secret\" readonly value=\"");
    page_text(p, secret != NULL ? secret : "");
    page_html(p, "\"></label></p><p class=\"hint\">");
    page_say(p, SAY_TOKEN_ONCE);
    page_html(p, "</p><dl>");
    term(p, SAY_TOKEN_SCOPES, t.scopes);
    page_html(p, "<div><dt>");
    page_say(p, SAY_EXPIRES);
    page_html(p, "</dt><dd>");
    page_time(p, t.expires);
    page_html(p, "</dd></div></dl><p><a href=\"/admin/tokens\">");
    page_say(p, SAY_TOKENS);
    page_html(p, "</a></p>");
    layout_end(x);
}

bool ask_token_revoke(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_TOKEN_REVOKE, CTL_ARG_NAME, form_value(&x->form, "name")));
    return true;
}

void show_token_revoked(struct exchange *x)
{
    if (!exchange_was_refused(x, "/admin/tokens"))
        exchange_back(x, "/admin/tokens", SAY_TOKEN_REVOKED);
}
