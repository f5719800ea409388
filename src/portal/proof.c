/* A pattern is changed or removed, a browser remembered, and one-time codes begun, only by whoever has just read a grid
 * by the pattern, or gives the password where there is none: a screen left open is not enough. */
#include "portal/portal_internal.h"

#include <string.h>

#define PROOF_LASTS (10 * 60 * USEC_SEC)

bool proof_lacks(const struct exchange *x)
{
    const usec_t now = loop_now(x->portal->loop);
    return pattern_is_there(x) && (x->who.proved == 0 || now - x->who.proved > PROOF_LASTS);
}

bool proof_goes_first(struct exchange *x, const char *page)
{
    if (proof_lacks(x))
        exchange_go(x, page);
    return x->ready;
}

void proof_ask_password(struct exchange *x)
{
    if (pattern_is_there(x))
        return;
    struct ctl_request *r = ask_about(CTL_VERB_USER_CHECK, CTL_ARG_NAME, x->who.name);
    r = ask_with(r, CTL_ARG_PASSWORD, form_value(&x->form, "old"));
    exchange_ask(x, ask_from(x, r));
}

void proof_field(struct exchange *x)
{
    if (!pattern_is_there(x))
        form_field(x, SAY_PASSWORD_NOW, "old", "password", "", "current-password", true);
}

void proof_ask(struct exchange *x)
{
    struct ctl_request *r = ask_about(CTL_VERB_GRID_SHOW, CTL_ARG_USER, x->who.name);
    r = ask_flag(r, CTL_ARG_PROVED, true);
    exchange_ask(x, ask_from(x, r));
}

void proof_page(struct exchange *x, size_t i, const char *path)
{
    struct ctl_grid grid;
    paragraph(&x->page, SAY_PROOF_ABOUT);
    if (!grid_told(x, i, &grid)) {
        paragraph(&x->page, SAY_LOGIN_WAIT);
        return;
    }
    grid_show_told(&x->page, &grid);
    form_begin(x, path, "card");
    form_hidden(x, "code", grid.code);
    form_field(x, SAY_GRID_ANSWER, "answer", "password", "", "off", true);
    form_end(x, SAY_CONTINUE);
}

void proof_spend(struct exchange *x)
{
    struct login *login = exchange_login(x);
    if (login != NULL)
        login->proved = 0;
    exchange_renew(x);
}

bool ask_proof(struct exchange *x)
{
    grid_ask_check(x, x->who.name);
    return true;
}

static void show_proof_on(struct exchange *x, const char *page)
{
    struct ctl_user user;
    struct login *login = exchange_login(x);
    if (ctl_user_read(json_object_get(x->question.data[0], "user"), &user) != ERR_OK || user.name[0] == '\0') {
        exchange_refused(x, page, SAY_PROOF_REFUSED, "");
        return;
    }
    if (login != NULL)
        login->proved = loop_now(x->portal->loop);
    exchange_go(x, page);
}

void show_proof(struct exchange *x)
{
    show_proof_on(x, "/me/pattern");
}

void show_codes_proof(struct exchange *x)
{
    show_proof_on(x, "/me/codes");
}

/* ---- a browser that is remembered, so that its user is shown true grids when nobody is logged in ---- */

bool ask_remember(struct exchange *x)
{
    if (proof_goes_first(x, "/me/pattern"))
        return false;
    exchange_ask(x, ask_about(CTL_VERB_GRID_REMEMBER, CTL_ARG_USER, x->who.name));
    return true;
}

void show_remembered(struct exchange *x)
{
    const json_t *data = x->question.data[0];
    const char *text = json_string_value(json_object_get(data, "device"));
    const int64_t left = json_integer_value(json_object_get(data, "expires")) - clock_wall();
    if (exchange_was_refused(x, "/me/pattern"))
        return;
    if (text != NULL && strlen(text) < DEVICE_TEXT && left > 0)
        exchange_remember(x, text, (uint64_t)left);
    exchange_back(x, "/me/pattern", SAY_REMEMBERED);
}

void show_forgotten(struct exchange *x)
{
    exchange_remember(x, "", 0);
    exchange_back(x, "/me/pattern", SAY_FORGOTTEN);
}

void remember_show(struct exchange *x)
{
    struct page *p = &x->page;
    page_html(p, "<h2>");
    page_say(p, SAY_REMEMBER);
    page_html(p, "</h2>");
    paragraph(p, SAY_REMEMBER_ABOUT);
    form_button(x, "/me/pattern/remember", "remember", "1", SAY_REMEMBER, "");
    if (x->device[0] != '\0')
        form_button(x, "/me/pattern/forget", "forget", "1", SAY_FORGET, "");
}
