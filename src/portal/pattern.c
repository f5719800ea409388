/*
 * Making a pattern: tap the cells, be told what they are worth, then practise; by a user, or on an invitation
 * (invite.c). What is judged is judged by the gateway: the script only posts what the button posts that tries it.
 */
#include "portal/portal_internal.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

/* ---- choosing ---- */

static void hint_of(struct page *p, enum message m, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    page_html(p, "<p>");
    page_say_of(p, m, text);
    page_html(p, "</p>");
}

/* The gateway's word on the cells; an empty place for it before there is one. */
static void strength_show(struct exchange *x)
{
    struct page *p = &x->page;
    const json_t *data = x->judged != 0 ? x->question.data[x->judged - 1] : NULL, *one;
    struct ctl_enrolment e = {0};
    struct ctl_problem problem;
    size_t i;
    page_html(p, "<div id=\"strength\" role=\"status\">");
    if (x->judged != 0 && data == NULL) { /* it cannot be read as a pattern */
        page_html(p, "<p>");
        page_told(p, &x->question.error[x->judged - 1].told, x->question.error[x->judged - 1].sentence);
        page_html(p, "</p>");
    }
    if (data != NULL && ctl_enrolment_read(json_object_get(data, "enrolment"), &e) == ERR_OK) {
        hint_of(p, SAY_PATTERN_BITS, e.bits);
        paragraph(p, e.accepted ? SAY_PATTERN_GOOD : SAY_PATTERN_WEAK);
    }
    page_html(p, "<ul>");
    json_array_foreach(json_object_get(data, "problems"), i, one)
    {
        if (ctl_problem_read(one, &problem) != ERR_OK)
            continue;
        page_html(p, "<li>");
        page_text(p, weakness_told(problem.word, p->language, problem.sentence));
        page_html(p, "</li>");
    }
    page_html(p, "</ul></div>");
}

void pattern_judge(struct exchange *x, size_t i)
{
    const json_t *e = json_object_get(x->question.data[i], "enrolment");
    x->judged = i + 1;
    if (!json_is_true(json_object_get(e, "accepted")))
        x->status = MHD_HTTP_UNPROCESSABLE_CONTENT;
}

void pattern_begin(struct exchange *x, const struct pattern_paths *paths, const struct ctl_policy *policy)
{
    struct page *p = &x->page;
    hint_of(p, SAY_PATTERN_HINT, policy->least);
    form_begin(x, paths->take, "pattern");
    grid_show(p, &(struct grid_drawn){policy->blocks, policy->rows, policy->columns, NULL});
    form_field(x, SAY_PATTERN_CELLS, "cells", "text", form_value(&x->form, "cells"), "off", true);
}

static void phrase_fields(struct exchange *x, const struct ctl_policy *policy)
{
    struct page *p = &x->page;
    if (policy->phrase_most == 0)
        return;
    page_html(p, "<fieldset><legend>");
    page_say(p, policy->phrase_least > 0 ? SAY_PHRASE_MUST : SAY_PHRASE_MAY);
    page_html(p, "</legend>");
    if (policy->phrase_least > 0)
        hint_of(p, SAY_PHRASE_LEAST, policy->phrase_least);
    form_field(x, SAY_PHRASE, "phrase", "password", "", "off", policy->phrase_least > 0);
    form_check(x, SAY_PHRASE_AFTER, "after", form_has(&x->form, "after"));
    hint(p, SAY_PHRASE_HINT);
    page_html(p, "</fieldset>");
}

void pattern_end(struct exchange *x, const struct pattern_paths *paths, const struct ctl_policy *policy)
{
    struct page *p = &x->page;
    page_html(p, "<p><button type=\"submit\" class=\"trial\" formnovalidate formaction=\"");
    page_text(p, paths->trial);
    page_html(p, "\">");
    page_say(p, SAY_PATTERN_TRY);
    page_html(p, "</button></p>");
    strength_show(x);
    phrase_fields(x, policy);
    form_end(x, SAY_PATTERN_TAKE);
}

struct ctl_request *pattern_ask(const struct exchange *x, struct ctl_request *r, bool trial)
{
    r = ask_with(r, CTL_ARG_CELLS, form_value(&x->form, "cells"));
    if (trial)
        return ask_flag(r, CTL_ARG_TRIAL, true);
    if (form_value(&x->form, "phrase")[0] != '\0')
        r = ask_with(r, CTL_ARG_PHRASE, form_value(&x->form, "phrase"));
    return ask_flag(r, CTL_ARG_AFTER, form_has(&x->form, "after"));
}

/* ---- practising ---- */

void practise_begin(struct exchange *x, const struct pattern_paths *paths, size_t i, bool wrong)
{
    struct ctl_enrolment e = {0};
    struct ctl_grid grid = {0};
    struct page *p = &x->page;
    (void)ctl_enrolment_read(json_object_get(x->question.data[i], "enrolment"), &e);
    (void)grid_told(x, i, &grid);
    layout_begin(x, SAY_PRACTISE);
    if (wrong)
        notice_show(p, &(struct notice){.message = SAY_PRACTISE_WRONG, .bad = true});
    hint_of(p, SAY_PRACTISE_HINT, e.rounds);
    grid_show_told(p, &grid);
    form_begin(x, paths->practise, "card");
    form_hidden(x, "grid", grid.code);
    form_field(x, SAY_GRID_ANSWER, "answer", "password", "", "off", true);
}

void practise_end(struct exchange *x)
{
    form_end(x, SAY_CONTINUE);
    layout_end(x);
}

/* Without a grid's code it only shows one: practice goes on after a pause. */
struct ctl_request *practise_ask(const struct exchange *x, struct ctl_request *r)
{
    if (form_value(&x->form, "grid")[0] == '\0')
        return r;
    r = ask_with(r, CTL_ARG_CODE, form_value(&x->form, "grid"));
    return ask_with(r, CTL_ARG_ANSWER, form_value(&x->form, "answer"));
}

/* ---- a user's own ---- */

static const struct pattern_paths own = {"/me/pattern", "/me/pattern/trial", "/me/pattern/practise"};

bool pattern_is_there(const struct exchange *x)
{
    return strcmp(x->user.login, "grid") == 0;
}

bool ask_pattern(struct exchange *x)
{
    if (proof_lacks(x))
        proof_ask(x);
    return true;
}

static void pattern_page(struct exchange *x)
{
    if (pattern_is_there(x))
        paragraph(&x->page, SAY_PATTERN_HAVE);
    else
        paragraph(&x->page, SAY_PATTERN_ABOUT);
    pattern_begin(x, &own, &x->policy);
    proof_field(x);
    pattern_end(x, &own, &x->policy);
    if (pattern_is_there(x))
        form_button(x, "/me/pattern/off", "off", "1", SAY_PATTERN_REMOVE, "");
    if (pattern_is_there(x) && !x->policy.strangers)
        remember_show(x);
}

void show_pattern(struct exchange *x)
{
    layout_begin(x, SAY_PATTERN);
    if (!x->policy.enabled)
        paragraph(&x->page, SAY_PATTERN_OFF);
    else if (proof_lacks(x))
        proof_page(x, 0, "/me/pattern/prove");
    else
        pattern_page(x);
    layout_end(x);
}

bool ask_pattern_trial(struct exchange *x)
{
    if (proof_goes_first(x, own.take))
        return false;
    exchange_ask(x, pattern_ask(x, ask_about(CTL_VERB_GRID_ENROL, CTL_ARG_USER, x->who.name), true));
    return true;
}

void show_pattern_trial(struct exchange *x)
{
    pattern_judge(x, 0);
    show_pattern(x);
}

/* Whoever logs in by password proves it once more: a pattern takes its place. */
bool ask_pattern_new(struct exchange *x)
{
    if (proof_goes_first(x, own.take))
        return false;
    proof_ask_password(x);
    exchange_ask(x, pattern_ask(x, ask_about(CTL_VERB_GRID_ENROL, CTL_ARG_USER, x->who.name), false));
    return true;
}

void show_pattern_new(struct exchange *x)
{
    const size_t last = x->question.count - 1;
    struct ctl_grid grid;
    if (exchange_was_refused(x, "/me/pattern"))
        return;
    if (grid_told(x, last, &grid)) {
        practise_begin(x, &own, last, false);
        practise_end(x);
        return;
    }
    pattern_judge(x, last);
    show_pattern(x);
}

bool ask_practise(struct exchange *x)
{
    exchange_ask(x, practise_ask(x, ask_about(CTL_VERB_GRID_PRACTISE, CTL_ARG_USER, x->who.name)));
    return true;
}

void show_practised(struct exchange *x)
{
    struct ctl_enrolment e = {0};
    struct ctl_grid grid;
    if (exchange_was_refused(x, "/me/pattern"))
        return;
    (void)ctl_enrolment_read(json_object_get(x->question.data[0], "enrolment"), &e);
    if (grid_told(x, 0, &grid)) {
        practise_begin(x, &own, 0, !e.accepted);
        practise_end(x);
    } else {
        proof_spend(x);
        exchange_back(x, "/me", SAY_PATTERN_DONE);
    }
}

bool ask_pattern_off(struct exchange *x)
{
    if (proof_goes_first(x, own.take))
        return false;
    exchange_ask(x, ask_about(CTL_VERB_GRID_OFF, CTL_ARG_USER, x->who.name));
    return true;
}

void show_pattern_off(struct exchange *x)
{
    if (exchange_was_refused(x, "/me"))
        return;
    proof_spend(x);
    exchange_back(x, "/me", SAY_PATTERN_REMOVED);
}
