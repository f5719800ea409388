/* Grids: one for a login, and making a pattern: tap the cells, then practise. What is a secret comes and goes by POST.
 */
#include "portal/portal_internal.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

/* ---- drawing ---- */

/* Blocks side by side. cells: what stands in them; NULL: buttons to tap, which the script makes work. */
static void blocks_show(struct page *p, uint64_t blocks, uint64_t rows, uint64_t columns, const char *cells)
{
    const size_t have = cells != NULL ? strlen(cells) : 0;
    uint64_t cell = 0;
    page_html(p, "<div class=\"grid\">");
    for (uint64_t b = 0; b < blocks; b++) {
        page_html(p, "<table role=\"presentation\"><tbody>");
        for (uint64_t r = 0; r < rows; r++) {
            page_html(p, "<tr>");
            for (uint64_t c = 0; c < columns; c++, cell++) {
                page_html(p, "<td>");
                if (cells == NULL) {
                    page_html(p, "<button type=\"button\" aria-pressed=\"false\" data-cell=\"");
                    page_number(p, cell);
                    page_html(p, "\" aria-label=\"");
                    page_number(p, cell);
                    page_html(p, "\"></button>");
                } else if (cell < have) {
                    page_text(p, (const char[]){cells[cell], '\0'});
                }
                page_html(p, "</td>");
            }
            page_html(p, "</tr>");
        }
        page_html(p, "</tbody></table>");
    }
    page_html(p, "</div>");
}

static bool read_grid(const struct exchange *x, size_t i, struct ctl_grid *grid)
{
    return ctl_grid_read(json_object_get(x->question.data[i], "grid"), grid) == ERR_OK && grid->code[0] != '\0';
}

static void say_paragraph(struct page *p, enum message m)
{
    page_html(p, "<p>");
    page_say(p, m);
    page_html(p, "</p>");
}

static void answer_form(struct exchange *x, const char *path, const struct ctl_grid *grid, enum message submit)
{
    blocks_show(&x->page, grid->blocks, grid->rows, grid->columns, grid->cells);
    form_begin(x, path, "card");
    form_hidden(x, "code", grid->code);
    if (x->who.role == ROLE_NONE)
        form_hidden(x, "name", form_value(&x->form, "name"));
    form_field(x, SAY_GRID_ANSWER, "answer", "password", "", "off", true);
    form_end(x, submit);
}

/* ---- a grid for a login ---- */

void show_grid_ask(struct exchange *x)
{
    layout_begin(x, SAY_GRID_LOGIN);
    say_paragraph(&x->page, SAY_GRID_LOGIN_HINT);
    form_begin(x, "/grid", "card");
    form_field(x, SAY_USER_NAME, "name", "text", "", "username", true);
    form_end(x, SAY_GRID_SHOW);
    layout_end(x);
}

bool ask_grid(struct exchange *x)
{
    char source[IP_TEXT_MAX];
    struct ctl_request *r = ask_about(CTL_VERB_GRID_SHOW, CTL_ARG_USER, form_value(&x->form, "name"));
    exchange_ask(x, ask_with(r, CTL_ARG_SOURCE, ip_text(&x->source, source)));
    return true;
}

static void grid_refused(struct exchange *x, enum message m)
{
    x->status = MHD_HTTP_FORBIDDEN;
    layout_begin(x, SAY_GRID_LOGIN);
    notice_show(&x->page, &(struct notice){.message = m, .bad = true});
    page_html(&x->page, "<p><a href=\"/grid\">");
    page_say(&x->page, SAY_GRID_SHOW);
    page_html(&x->page, "</a></p>");
    layout_end(x);
}

void show_grid(struct exchange *x)
{
    struct ctl_grid grid;
    if (!read_grid(x, 0, &grid)) {
        grid_refused(x, SAY_LOGIN_WAIT);
        return;
    }
    layout_begin(x, SAY_GRID_LOGIN);
    page_html(&x->page, "<p>");
    page_say_of(&x->page, SAY_GRID_USE, grid.number);
    page_html(&x->page, "</p>");
    answer_form(x, "/grid/login", &grid, SAY_GRID_HERE);
    layout_end(x);
}

bool ask_grid_login(struct exchange *x)
{
    char source[IP_TEXT_MAX];
    struct ctl_request *r = ask_about(CTL_VERB_GRID_CHECK, CTL_ARG_USER, form_value(&x->form, "name"));
    r = ask_with(r, CTL_ARG_SOURCE, ip_text(&x->source, source));
    r = ask_with(r, CTL_ARG_CODE, form_value(&x->form, "code"));
    exchange_ask(x, ask_with(r, CTL_ARG_ANSWER, form_value(&x->form, "answer")));
    return true;
}

void show_grid_login(struct exchange *x)
{
    struct ctl_user user;
    if (ctl_user_read(json_object_get(x->question.data[0], "user"), &user) == ERR_OK && user.name[0] != '\0') {
        exchange_log_in(x, ROLE_USER, user.name);
        exchange_go(x, "/me");
        return;
    }
    grid_refused(x, SAY_GRID_REFUSED);
}

/* ---- a pattern ---- */

bool ask_pattern(struct exchange *x)
{
    exchange_ask(x, ctl_request_new(CTL_VERB_GRID_POLICY));
    return true;
}

static void pattern_form(struct exchange *x, const struct ctl_policy *policy)
{
    struct page *p = &x->page;
    char least[24];
    snprintf(least, sizeof least, "%llu", (unsigned long long)policy->least);
    page_html(p, "<p>");
    page_say_of(p, SAY_PATTERN_HINT, least);
    page_html(p, "</p>");
    form_begin(x, "/me/pattern", "pattern");
    blocks_show(p, policy->blocks, policy->rows, policy->columns, NULL);
    form_field(x, SAY_PATTERN_CELLS, "cells", "text", "", "off", true);
    if (x->user.login[0] == '\0' || strcmp(x->user.login, "grid") != 0)
        form_field(x, SAY_PASSWORD_NOW, "old", "password", "", "current-password", true);
    form_end(x, SAY_CONTINUE);
}

void show_pattern(struct exchange *x)
{
    struct ctl_policy policy;
    const bool told = ctl_policy_read(json_object_get(x->question.data[0], "policy"), &policy) == ERR_OK;
    layout_begin(x, SAY_PATTERN);
    if (!told || !policy.enabled) {
        say_paragraph(&x->page, SAY_PATTERN_OFF);
    } else {
        if (strcmp(x->user.login, "grid") == 0)
            say_paragraph(&x->page, SAY_PATTERN_HAVE);
        pattern_form(x, &policy);
        if (strcmp(x->user.login, "grid") == 0)
            form_button(x, "/me/pattern/off", "off", "1", SAY_PATTERN_REMOVE, "");
    }
    layout_end(x);
}

/* Whoever logs in by password proves it once more: a pattern takes its place. */
bool ask_pattern_new(struct exchange *x)
{
    char source[IP_TEXT_MAX];
    if (strcmp(x->user.login, "grid") != 0) {
        struct ctl_request *r = ask_about(CTL_VERB_USER_CHECK, CTL_ARG_NAME, x->who.name);
        r = ask_with(r, CTL_ARG_PASSWORD, form_value(&x->form, "old"));
        exchange_ask(x, ask_with(r, CTL_ARG_SOURCE, ip_text(&x->source, source)));
    }
    struct ctl_request *r = ask_about(CTL_VERB_GRID_ENROL, CTL_ARG_USER, x->who.name);
    exchange_ask(x, ask_with(r, CTL_ARG_CELLS, form_value(&x->form, "cells")));
    return true;
}

static void practise_page(struct exchange *x, const struct ctl_grid *grid, uint64_t rounds, bool wrong)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)rounds);
    layout_begin(x, SAY_PRACTISE);
    if (wrong)
        notice_show(&x->page, &(struct notice){.message = SAY_PRACTISE_WRONG, .bad = true});
    page_html(&x->page, "<p>");
    page_say_of(&x->page, SAY_PRACTISE_HINT, text);
    page_html(&x->page, "</p>");
    answer_form(x, "/me/pattern/practise", grid, SAY_CONTINUE);
    layout_end(x);
}

void show_pattern_new(struct exchange *x)
{
    const size_t last = x->question.count - 1;
    struct ctl_enrolment e = {0};
    struct ctl_problem problem = {0};
    struct ctl_grid grid;
    if (exchange_was_refused(x, "/me/pattern"))
        return;
    (void)ctl_enrolment_read(json_object_get(x->question.data[last], "enrolment"), &e);
    if (e.accepted && read_grid(x, last, &grid)) {
        practise_page(x, &grid, e.rounds, false);
        return;
    }
    (void)ctl_problem_read(json_array_get(json_object_get(x->question.data[last], "problems"), 0), &problem);
    exchange_refused(x, "/me/pattern", SAY_PATTERN_WEAK, problem.sentence);
}

bool ask_practise(struct exchange *x)
{
    struct ctl_request *r = ask_about(CTL_VERB_GRID_PRACTISE, CTL_ARG_USER, x->who.name);
    r = ask_with(r, CTL_ARG_CODE, form_value(&x->form, "code"));
    exchange_ask(x, ask_with(r, CTL_ARG_ANSWER, form_value(&x->form, "answer")));
    return true;
}

void show_practised(struct exchange *x)
{
    struct ctl_enrolment e = {0};
    struct ctl_grid grid;
    if (exchange_was_refused(x, "/me/pattern"))
        return;
    (void)ctl_enrolment_read(json_object_get(x->question.data[0], "enrolment"), &e);
    if (read_grid(x, 0, &grid))
        practise_page(x, &grid, e.rounds, !e.accepted);
    else
        exchange_back(x, "/me", SAY_PATTERN_DONE);
}

bool ask_pattern_off(struct exchange *x)
{
    exchange_ask(x, ask_about(CTL_VERB_GRID_OFF, CTL_ARG_USER, x->who.name));
    return true;
}

void show_pattern_off(struct exchange *x)
{
    if (!exchange_was_refused(x, "/me"))
        exchange_back(x, "/me", SAY_PATTERN_REMOVED);
}
