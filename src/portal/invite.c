/*
 * An invitation: whoever holds its code becomes the user, by a password or by a pattern, and comes to the page for the
 * device at hand. The code stands in the link's fragment, which browsers keep to themselves; the script posts it, and
 * from there on the forms carry it. The invitation is good until password or pattern are in force: who has left in the
 * middle opens the link again.
 */
#include "portal/portal_internal.h"

#include <microhttpd.h>
#include <string.h>

static const struct pattern_paths paths = {"/invite/pattern", "/invite/trial", "/invite/practise"};

void show_invite(struct exchange *x)
{
    layout_begin(x, SAY_INVITE);
    paragraph(&x->page, SAY_INVITE_ENTER);
    form_begin(x, "/invite", "card invite");
    form_field(x, SAY_INVITE_CODE, "code", "text", "", "off", true);
    form_end(x, SAY_CONTINUE);
    layout_end(x);
}

static void invite_gone(struct exchange *x)
{
    const struct notice notice = {.message = SAY_INVITE_GONE, .bad = true};
    x->status = MHD_HTTP_FORBIDDEN;
    layout_begin(x, SAY_INVITE);
    notice_show(&x->page, &notice);
    layout_end(x);
}

/* ---- the choice ---- */

/* What every page of an invitation is made from. */
static void ask_standing(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_INVITE_SHOW, CTL_ARG_TOKEN, form_value(&x->form, "code")));
    exchange_ask(x, ctl_request_new(CTL_VERB_GRID_POLICY));
}

bool ask_invite(struct exchange *x)
{
    ask_standing(x);
    return true;
}

/* False: it is not good, and the page says so. */
static bool standing(struct exchange *x, struct ctl_invite *invite, struct ctl_policy *policy)
{
    if (ctl_invite_read(json_object_get(x->question.data[0], "invite"), invite) == ERR_OK &&
        ctl_policy_read(json_object_get(x->question.data[1], "policy"), policy) == ERR_OK)
        return true;
    invite_gone(x);
    return false;
}

static void section(struct page *p, enum message name)
{
    page_html(p, "<section><h2>");
    page_say(p, name);
    page_html(p, "</h2>");
}

static void password_choice(struct exchange *x)
{
    struct page *p = &x->page;
    section(p, SAY_INVITE_BY_PASSWORD);
    form_begin(x, "/invite/use", "card");
    form_hidden(x, "code", form_value(&x->form, "code"));
    form_field(x, SAY_PASSWORD_NEW, "password", "password", "", "new-password", true);
    form_field(x, SAY_PASSWORD_AGAIN, "again", "password", "", "new-password", true);
    form_end(x, SAY_PASSWORD_SET);
    hint(p, SAY_PASSWORD_RULE);
    page_html(p, "</section>");
}

static void pattern_choice(struct exchange *x, const struct ctl_invite *invite, const struct ctl_policy *policy)
{
    struct page *p = &x->page;
    section(p, SAY_INVITE_BY_PATTERN);
    if (invite->rounds > 0) {
        paragraph(p, SAY_PATTERN_HALF);
        form_button(x, paths.practise, "code", form_value(&x->form, "code"), SAY_PRACTISE_ON, "");
    }
    paragraph(p, SAY_PATTERN_ABOUT);
    pattern_begin(x, &paths, policy);
    form_hidden(x, "code", form_value(&x->form, "code"));
    pattern_end(x, &paths, policy);
    page_html(p, "</section>");
}

static void choice(struct exchange *x, const struct ctl_invite *invite, const struct ctl_policy *policy,
                   enum message problem)
{
    struct page *p = &x->page;
    const bool grid_only = policy->enabled && strcmp(invite->login, "grid") == 0;
    layout_begin(x, SAY_INVITE);
    if (problem != SAY_NONE)
        notice_show(p, &(struct notice){.message = problem, .bad = true});
    page_html(p, "<p>");
    page_say_of(p, SAY_INVITE_FOR, invite->name);
    page_html(p, "</p><p class=\"hint\">");
    page_say(p, SAY_INVITE_UNTIL);
    page_html(p, " ");
    page_time(p, invite->expires);
    page_html(p, "</p>");
    if (!grid_only)
        password_choice(x);
    if (policy->enabled && strcmp(invite->login, "password") != 0)
        pattern_choice(x, invite, policy);
    layout_end(x);
}

void show_invited(struct exchange *x)
{
    struct ctl_invite invite;
    struct ctl_policy policy;
    if (standing(x, &invite, &policy))
        choice(x, &invite, &policy, SAY_NONE);
}

static void welcome(struct exchange *x, const char *name, const char *stamp, enum message done)
{
    exchange_log_in(x, ROLE_USER, name, stamp);
    exchange_back(x, "/me/device", done);
}

/* ---- a password ---- */

bool ask_invite_use(struct exchange *x)
{
    enum message problem;
    ask_standing(x);
    if (!password_is_good(&x->form, &problem))
        return true;
    struct ctl_request *r = ask_about(CTL_VERB_INVITE_USE, CTL_ARG_TOKEN, form_value(&x->form, "code"));
    exchange_ask(x, ask_with(r, CTL_ARG_PASSWORD, form_value(&x->form, "password")));
    return true;
}

void show_invite_used(struct exchange *x)
{
    struct ctl_invite invite;
    struct ctl_policy policy;
    struct ctl_user user;
    enum message problem;
    if (!standing(x, &invite, &policy))
        return;
    if (ctl_user_read(json_object_get(x->question.data[2], "user"), &user) == ERR_OK && user.name[0] != '\0') {
        welcome(x, user.name, user.stamp, SAY_INVITE_USED);
        return;
    }
    x->status = MHD_HTTP_UNPROCESSABLE_CONTENT;
    choice(x, &invite, &policy, password_is_good(&x->form, &problem) ? SAY_REFUSED_INVALID : problem);
}

/* ---- a pattern ---- */

static bool ask_enrol(struct exchange *x, bool trial)
{
    ask_standing(x);
    exchange_ask(x,
                 pattern_ask(x, ask_about(CTL_VERB_INVITE_ENROL, CTL_ARG_TOKEN, form_value(&x->form, "code")), trial));
    return true;
}

bool ask_invite_trial(struct exchange *x)
{
    return ask_enrol(x, true);
}

bool ask_invite_pattern(struct exchange *x)
{
    return ask_enrol(x, false);
}

static void practise(struct exchange *x, bool wrong)
{
    practise_begin(x, &paths, 2, wrong);
    form_hidden(x, "code", form_value(&x->form, "code"));
    practise_end(x);
}

void show_invite_pattern(struct exchange *x)
{
    struct ctl_invite invite;
    struct ctl_policy policy;
    struct ctl_grid grid;
    if (!standing(x, &invite, &policy))
        return;
    if (grid_told(x, 2, &grid)) {
        practise(x, false);
        return;
    }
    pattern_judge(x, 2);
    choice(x, &invite, &policy, SAY_NONE);
}

bool ask_invite_practise(struct exchange *x)
{
    struct ctl_request *r = ask_about(CTL_VERB_INVITE_PRACTISE, CTL_ARG_TOKEN, form_value(&x->form, "code"));
    ask_standing(x);
    exchange_ask(x, practise_ask(x, r));
    return true;
}

void show_invite_practised(struct exchange *x)
{
    struct ctl_invite invite, done;
    struct ctl_policy policy;
    struct ctl_enrolment e = {0};
    struct ctl_grid grid;
    if (!standing(x, &invite, &policy))
        return;
    (void)ctl_enrolment_read(json_object_get(x->question.data[2], "enrolment"), &e);
    if (grid_told(x, 2, &grid)) {
        practise(x, !e.accepted);
    } else if (e.accepted && ctl_invite_read(json_object_get(x->question.data[2], "invite"), &done) == ERR_OK) {
        welcome(x, done.name, "", SAY_INVITE_PATTERN);
    } else {
        x->status = MHD_HTTP_UNPROCESSABLE_CONTENT;
        choice(x, &invite, &policy, SAY_PATTERN_AGAIN);
    }
}
