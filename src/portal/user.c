/* A user's own pages: sessions, password. */
#include "portal/portal_internal.h"

#include <microhttpd.h>
#include <string.h>

/* ---- sessions ---- */

bool ask_home(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_SESSION_LIST, CTL_ARG_USER, x->who.name));
    return true;
}

static void number_text(uint64_t n, char out[static 24])
{
    size_t at = 23;
    out[at] = '\0';
    do
        out[--at] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    memmove(out, out + at, 24 - at);
}

static void session_card(struct exchange *x, const struct ctl_session *s)
{
    struct page *p = &x->page;
    char id[24];
    number_text(s->id, id);
    page_html(p, "<article class=\"card session\"><h3>");
    if (s->client[0] != '\0')
        page_text(p, s->client);
    else
        page_say(p, SAY_DEVICE);
    page_html(p, "</h3><dl>");
    if (s->host[0] != '\0')
        term(p, SAY_DEVICE, s->host);
    term(p, SAY_ADDRESS_INNER, s->address);
    term(p, SAY_ADDRESS_OUTER, s->peer);
    page_html(p, "<div><dt>");
    page_say(p, SAY_SINCE);
    page_html(p, "</dt><dd>");
    page_time(p, s->since);
    page_html(p, "</dd></div><div><dt>");
    page_say(p, SAY_TRAFFIC);
    page_html(p, "</dt><dd>");
    page_say(p, SAY_SENT);
    page_html(p, " ");
    page_bytes(p, s->bytes_in);
    page_html(p, ", ");
    page_say(p, SAY_RECEIVED);
    page_html(p, " ");
    page_bytes(p, s->bytes_out);
    page_html(p, "</dd></div></dl>");
    form_button(x, "/me/kick", "session", id, SAY_KICK, s->address);
    page_html(p, "</article>");
}

void show_home(struct exchange *x)
{
    const json_t *list = json_object_get(x->question.data[0], "sessions"), *one;
    struct page *p = &x->page;
    struct ctl_session s;
    size_t i;
    layout_begin(x, SAY_HOME);
    page_html(p, "<section aria-labelledby=\"sessions\"><h2 id=\"sessions\">");
    page_say(p, SAY_SESSIONS_OWN);
    page_html(p, "</h2>");
    if (json_array_size(list) == 0) {
        page_html(p, "<p>");
        page_say(p, SAY_SESSIONS_NONE_OWN);
        page_html(p, " <a href=\"/me/why\">");
        page_say(p, SAY_LOGIN_TROUBLE);
        page_html(p, "</a></p>");
    }
    json_array_foreach(list, i, one)
    {
        if (i < PORTAL_ROWS_MAX && ctl_session_read(one, &s) == ERR_OK)
            session_card(x, &s);
    }
    page_html(p, "</section><section aria-labelledby=\"account\"><h2 id=\"account\">");
    page_say(p, SAY_ACCOUNT);
    page_html(p, "</h2><dl class=\"card\">");
    term(p, SAY_USER_NAME, x->user.name);
    page_html(p, "<div><dt>");
    page_say(p, SAY_LAST_LOGIN);
    page_html(p, "</dt><dd>");
    page_time(p, x->user.last_login);
    page_html(p, "</dd></div><div><dt>");
    page_say(p, SAY_EXPIRES);
    page_html(p, "</dt><dd>");
    page_time(p, x->user.expires);
    page_html(p, "</dd></div></dl></section>");
    layout_end(x);
}

/* With the user's name in the request, the gateway ends no session of somebody else. */
bool ask_kick_own(struct exchange *x)
{
    uint64_t session;
    if (form_number(&x->form, "session", UINT32_MAX, &session) != ERR_OK)
        return false;
    exchange_ask(x, ask_with(ask_number(ctl_request_new(CTL_VERB_SESSION_KICK), CTL_ARG_SESSION, session), CTL_ARG_USER,
                             x->who.name));
    return true;
}

void show_kicked_own(struct exchange *x)
{
    if (!exchange_was_refused(x, "/me"))
        exchange_back(x, "/me", SAY_KICKED);
}

/* ---- password ---- */

bool password_is_good(const struct form *form, enum message *problem)
{
    const char *password = form_value(form, "password");
    *problem = strlen(password) < PASSWORD_LEAST                  ? SAY_PASSWORD_RULE
               : strcmp(password, form_value(form, "again")) != 0 ? SAY_PASSWORD_DIFFERS
                                                                  : SAY_NONE;
    return *problem == SAY_NONE;
}

void show_password(struct exchange *x)
{
    struct page *p = &x->page;
    layout_begin(x, SAY_PASSWORD_CHANGE);
    form_begin(x, "/me/password", "card");
    form_field(x, SAY_PASSWORD_NOW, "old", "password", "", "current-password", true);
    form_field(x, SAY_PASSWORD_NEW, "password", "password", "", "new-password", true);
    form_field(x, SAY_PASSWORD_AGAIN, "again", "password", "", "new-password", true);
    form_end(x, SAY_PASSWORD_SET);
    page_html(p, "<p class=\"hint\">");
    page_say(p, SAY_PASSWORD_RULE);
    page_html(p, " ");
    page_say(p, SAY_PASSWORD_DEVICES);
    page_html(p, "</p>");
    layout_end(x);
}

bool ask_password(struct exchange *x)
{
    enum message problem;
    if (!password_is_good(&x->form, &problem)) {
        exchange_refused(x, "/me/password", problem, "");
        return false;
    }
    struct ctl_request *r = ask_about(CTL_VERB_USER_CHECK, CTL_ARG_NAME, x->who.name);
    r = ask_with(r, CTL_ARG_PASSWORD, form_value(&x->form, "old"));
    exchange_ask(x, ask_from(x, r));
    r = ask_about(CTL_VERB_USER_PASSWD, CTL_ARG_NAME, x->who.name);
    exchange_ask(x, ask_with(r, CTL_ARG_PASSWORD, form_value(&x->form, "password")));
    return true;
}

/* Whoever else is logged in under this name must show the new password. */
void show_password_set(struct exchange *x)
{
    if (exchange_was_refused(x, "/me/password"))
        return;
    exchange_renew(x);
    exchange_back(x, "/me", SAY_PASSWORD_DONE);
}
