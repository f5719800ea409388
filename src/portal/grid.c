/* Grids as tables, and the one for a login. What is a secret comes and goes by POST. */
#include "portal/portal_internal.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

/* ---- drawing ---- */

static void part(struct page *p, enum message m, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)(number + 1));
    page_say_of(p, m, text);
}

/* The number is what stands in the list of cells; with the script the place in the pattern takes its place. */
static void cell_button(struct page *p, const struct grid_drawn *g, uint64_t cell)
{
    page_html(p, "<button type=\"button\" aria-pressed=\"false\" data-cell=\"");
    page_number(p, cell);
    page_html(p, "\" aria-label=\"");
    part(p, SAY_GRID_BLOCK, cell / (g->rows * g->columns));
    page_html(p, ", ");
    part(p, SAY_GRID_ROW, cell / g->columns % g->rows);
    page_html(p, ", ");
    part(p, SAY_GRID_COLUMN, cell % g->columns);
    page_html(p, "\">");
    page_number(p, cell);
    page_html(p, "</button>");
}

void grid_show(struct page *p, const struct grid_drawn *g)
{
    const size_t have = g->cells != NULL ? strlen(g->cells) : 0;
    uint64_t cell = 0;
    page_html(p, "<div class=\"grid\">");
    for (uint64_t b = 0; b < g->blocks; b++) {
        page_html(p, "<table aria-label=\"");
        part(p, SAY_GRID_BLOCK, b);
        page_html(p, "\"><tbody>");
        for (uint64_t r = 0; r < g->rows; r++) {
            page_html(p, "<tr>");
            for (uint64_t c = 0; c < g->columns; c++, cell++) {
                page_html(p, "<td>");
                if (g->cells == NULL)
                    cell_button(p, g, cell);
                else if (cell < have)
                    page_text(p, (const char[]){g->cells[cell], '\0'});
                page_html(p, "</td>");
            }
            page_html(p, "</tr>");
        }
        page_html(p, "</tbody></table>");
    }
    page_html(p, "</div>");
}

bool grid_told(const struct exchange *x, size_t i, struct ctl_grid *grid)
{
    return ctl_grid_read(json_object_get(x->question.data[i], "grid"), grid) == ERR_OK && grid->code[0] != '\0';
}

void grid_show_told(struct page *p, const struct ctl_grid *grid)
{
    grid_show(p, &(struct grid_drawn){grid->blocks, grid->rows, grid->columns, grid->cells});
}

static void answer_form(struct exchange *x, const char *path, const struct ctl_grid *grid, enum message submit)
{
    grid_show_told(&x->page, grid);
    form_begin(x, path, "card");
    form_hidden(x, "code", grid->code);
    form_hidden(x, "name", form_value(&x->form, "name"));
    form_field(x, SAY_GRID_ANSWER, "answer", "password", "", "off", true);
    form_end(x, submit);
}

/* ---- a grid for a login ---- */

void show_grid_ask(struct exchange *x)
{
    layout_begin(x, SAY_GRID_LOGIN);
    paragraph(&x->page, SAY_GRID_LOGIN_HINT);
    form_begin(x, "/grid", "card");
    form_field(x, SAY_USER_NAME, "name", "text", "", "username", true);
    form_end(x, SAY_GRID_SHOW);
    layout_end(x);
}

bool ask_grid(struct exchange *x)
{
    const char *name = form_value(&x->form, "name");
    struct ctl_request *r = ask_about(CTL_VERB_GRID_SHOW, CTL_ARG_USER, name);
    if (x->who.role == ROLE_USER && strcmp(x->who.name, name) == 0)
        r = ask_flag(r, CTL_ARG_PROVED, true);
    if (x->device[0] != '\0')
        r = ask_with(r, CTL_ARG_DEVICE, x->device);
    exchange_ask(x, ask_from(x, r));
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
    if (!grid_told(x, 0, &grid)) {
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

void grid_ask_check(struct exchange *x, const char *name)
{
    struct ctl_request *r = ask_from(x, ask_about(CTL_VERB_GRID_CHECK, CTL_ARG_USER, name));
    r = ask_with(r, CTL_ARG_CODE, form_value(&x->form, "code"));
    exchange_ask(x, ask_with(r, CTL_ARG_ANSWER, form_value(&x->form, "answer")));
}

bool ask_grid_login(struct exchange *x)
{
    grid_ask_check(x, form_value(&x->form, "name"));
    return true;
}

void show_grid_login(struct exchange *x)
{
    struct ctl_user user;
    if (ctl_user_read(json_object_get(x->question.data[0], "user"), &user) == ERR_OK && user.name[0] != '\0') {
        exchange_log_in(x, ROLE_USER, user.name, user.stamp);
        exchange_go(x, "/me");
        return;
    }
    grid_refused(x, SAY_GRID_REFUSED);
}
