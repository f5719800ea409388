/* Pages for whoever is not logged in: logins, and what became of the visitor's own attempts. */
#include "portal/portal_internal.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

static const char *source_text(const struct exchange *x, char out[static IP_TEXT_MAX])
{
    return ip_text(&x->source, out);
}

void show_start(struct exchange *x)
{
    exchange_go(x, x->who.role == ROLE_ADMIN ? "/admin" : x->who.role == ROLE_USER ? "/me" : "/login");
}

/* ---- logins ---- */

static void login_page(struct exchange *x, const struct notice *notice, const char *name)
{
    layout_begin(x, SAY_LOGIN);
    if (notice != NULL)
        notice_show(&x->page, notice);
    form_begin(x, "/login", "card");
    form_field(x, SAY_USER_NAME, "name", "text", name, "username", true);
    form_field(x, SAY_PASSWORD, "password", "password", "", "current-password", true);
    form_end(x, SAY_LOG_IN);
    page_html(&x->page, "<p><a href=\"/why\">");
    page_say(&x->page, SAY_LOGIN_TROUBLE);
    page_html(&x->page, "</a></p><p><a href=\"/admin/login\">");
    page_say(&x->page, SAY_LOGIN_ADMIN_LINK);
    page_html(&x->page, "</a></p>");
    layout_end(x);
}

void show_login(struct exchange *x)
{
    if (x->who.role == ROLE_USER)
        exchange_go(x, "/me");
    else
        login_page(x, NULL, "");
}

bool ask_login(struct exchange *x)
{
    struct ctl_request *r = ask_about(CTL_VERB_USER_CHECK, CTL_ARG_NAME, form_value(&x->form, "name"));
    r = ask_with(r, CTL_ARG_PASSWORD, form_value(&x->form, "password"));
    exchange_ask(x, ask_from(x, r));
    return true;
}

/* The sentence of a refusal is the same for everybody; which of name and password was wrong is not told. */
static struct notice refusal(const struct exchange *x)
{
    const bool busy = strcmp(x->question.error[0].code, CTL_CODE_BUSY) == 0;
    return (struct notice){.message = busy ? SAY_LOGIN_WAIT : SAY_LOGIN_REFUSED, .bad = true};
}

void show_logged_in(struct exchange *x)
{
    struct ctl_user user;
    if (ctl_user_read(json_object_get(x->question.data[0], "user"), &user) == ERR_OK && user.name[0] != '\0') {
        exchange_log_in(x, ROLE_USER, user.name, user.stamp);
        exchange_go(x, "/me");
        return;
    }
    const struct notice notice = refusal(x);
    x->status = MHD_HTTP_FORBIDDEN;
    login_page(x, &notice, form_value(&x->form, "name"));
}

static void admin_login_page(struct exchange *x, const struct notice *notice, const char *name)
{
    layout_begin(x, SAY_LOGIN_ADMIN);
    if (notice != NULL)
        notice_show(&x->page, notice);
    form_begin(x, "/admin/login", "card");
    form_field(x, SAY_ADMIN_NAME, "name", "text", name, "username", true);
    form_field(x, SAY_PASSWORD, "password", "password", "", "current-password", true);
    form_field(x, SAY_CODE, "answer", "text", "", "one-time-code", true);
    form_end(x, SAY_LOG_IN);
    page_html(&x->page, "<p class=\"hint\">");
    page_say_code(&x->page, SAY_ADMIN_HINT, "sekisho admin add NAME");
    page_html(&x->page, "</p>");
    layout_end(x);
}

void show_admin_login(struct exchange *x)
{
    if (x->who.role == ROLE_ADMIN)
        exchange_go(x, "/admin");
    else
        admin_login_page(x, NULL, "");
}

bool ask_admin_login(struct exchange *x)
{
    struct ctl_request *r = ask_about(CTL_VERB_ADMIN_CHECK, CTL_ARG_NAME, form_value(&x->form, "name"));
    r = ask_with(r, CTL_ARG_PASSWORD, form_value(&x->form, "password"));
    r = ask_with(r, CTL_ARG_ANSWER, form_value(&x->form, "answer"));
    exchange_ask(x, ask_from(x, r));
    return true;
}

void show_admin_logged_in(struct exchange *x)
{
    struct ctl_admin admin;
    if (ctl_admin_read(json_object_get(x->question.data[0], "admin"), &admin) == ERR_OK && admin.name[0] != '\0') {
        exchange_log_in(x, ROLE_ADMIN, admin.name, admin.stamp);
        exchange_go(x, "/admin");
        return;
    }
    const struct notice notice = refusal(x);
    x->status = MHD_HTTP_FORBIDDEN;
    admin_login_page(x, &notice, form_value(&x->form, "name"));
}

void show_logged_out(struct exchange *x)
{
    const bool admin = x->who.role == ROLE_ADMIN;
    exchange_log_out(x);
    exchange_go(x, admin ? "/admin/login" : "/login");
}

/* ---- why the VPN did not connect ---- */

void attempt_show(struct page *p, const struct ctl_attempt *a)
{
    const bool well = strcmp(a->cause, "none") == 0;
    page_html(p, "<p class=\"when\">");
    page_time(p, a->started);
    page_html(p, "</p><p><strong>");
    if (well)
        page_say(p, a->over ? SAY_STORY_WELL : SAY_STORY_UP);
    else
        page_text(p, cause_told(a->cause, p->language, a->why));
    page_html(p, "</strong></p>");
    if (!well) {
        page_html(p, "<p>");
        page_text(p, cure_told(a->cause, p->language, a->cure));
        page_html(p, "</p>");
    }
    page_html(p, "<p class=\"hint\">");
    page_say(p, SAY_STORY_REACHED);
    page_html(p, " ");
    page_text(p, stage_told(a->stage, p->language, a->reached));
    page_html(p, "</p>");
}

void attempt_veil(struct ctl_attempt *a)
{
    /* A wait is among them: where nothing can be guessed, as without an open grid, failures are not counted. */
    static const enum cause tell[] = {CAUSE_AUTH_NO_USER, CAUSE_AUTH_PASSWORD,    CAUSE_AUTH_CODE,    CAUSE_AUTH_LOCKED,
                                      CAUSE_AUTH_WAIT,    CAUSE_GRID_NONE,        CAUSE_GRID_EXPIRED, CAUSE_GRID_WRONG,
                                      CAUSE_GRID_SHAPE,   CAUSE_GRID_NOT_ENROLLED};
    for (size_t i = 0; i < ARRAY_LEN(tell); i++) {
        if (strcmp(a->cause, cause_word(tell[i])) != 0)
            continue;
        snprintf(a->cause, sizeof a->cause, "%s", cause_word(CAUSE_AUTH_REFUSED));
        snprintf(a->why, sizeof a->why, "%s", cause_sentence(CAUSE_AUTH_REFUSED));
        a->detail[0] = '\0';
        snprintf(a->cure, sizeof a->cure, "%s", cause_cure(CAUSE_AUTH_REFUSED));
        return;
    }
}

static void attempts_show(struct exchange *x, bool veiled)
{
    const json_t *list = json_object_get(x->question.data[0], "attempts"), *one;
    struct page *p = &x->page;
    struct ctl_attempt a;
    size_t i;
    json_array_foreach(list, i, one)
    {
        if (ctl_attempt_read(one, &a) != ERR_OK)
            continue;
        if (veiled)
            attempt_veil(&a);
        page_html(p, "<article class=\"card\">");
        attempt_show(p, &a);
        page_html(p, "</article>");
    }
    if (json_array_size(list) > 0)
        return;
    page_html(p, "<p>");
    page_say(p, SAY_STORY_NONE);
    page_html(p, "</p>");
}

bool ask_why_here(struct exchange *x)
{
    char source[IP_TEXT_MAX];
    exchange_ask(x, ask_number(ask_about(CTL_VERB_EXPLAIN, CTL_ARG_WHO, source_text(x, source)), CTL_ARG_ATTEMPTS, 3));
    return true;
}

void show_why_here(struct exchange *x)
{
    char source[IP_TEXT_MAX];
    layout_begin(x, SAY_WHY);
    page_html(&x->page, "<p>");
    page_say_of(&x->page, SAY_WHY_HERE, source_text(x, source));
    page_html(&x->page, "</p>");
    attempts_show(x, true);
    layout_end(x);
}

bool ask_why(struct exchange *x)
{
    exchange_ask(x, ask_number(ask_about(CTL_VERB_EXPLAIN, CTL_ARG_WHO, x->who.name), CTL_ARG_ATTEMPTS, 10));
    return true;
}

void show_why(struct exchange *x)
{
    layout_begin(x, SAY_WHY);
    page_html(&x->page, "<p>");
    page_say(&x->page, SAY_WHY_OWN);
    page_html(&x->page, "</p>");
    attempts_show(x, false);
    layout_end(x);
}
