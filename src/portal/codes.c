/* One-time codes of a user (RFC 6238): a secret for the authenticator app, told once, and its first code. */
#include "portal/portal_internal.h"

#include "handout/handout.h"

#include <stdlib.h>
#include <string.h>

/* By grid.totp: whether codes are taken at all, and whether they are a second factor. */
static bool are_taken(const struct exchange *x)
{
    return x->policy.enabled && strcmp(x->policy.totp, "off") != 0;
}

static bool are_second(const struct exchange *x)
{
    return are_taken(x) && strcmp(x->policy.totp, "second") == 0;
}

static bool may_begin(const struct exchange *x)
{
    return are_taken(x) && !x->user.totp;
}

/* A second factor is not laid down by whoever holds the first alone for a while; nor can a code be judged where grids
 * are off. */
static bool may_remove(const struct exchange *x)
{
    return x->policy.enabled && x->user.totp && !are_second(x);
}

bool ask_codes(struct exchange *x)
{
    if (may_begin(x) && proof_lacks(x))
        proof_ask(x);
    return true;
}

static void begin_form(struct exchange *x)
{
    if (proof_lacks(x)) {
        proof_page(x, 0, "/me/codes/prove");
        return;
    }
    form_begin(x, "/me/codes/begin", "card");
    proof_field(x);
    form_end(x, SAY_CODES_BEGIN);
}

void show_codes(struct exchange *x)
{
    layout_begin(x, SAY_CODES);
    if (!are_taken(x))
        paragraph(&x->page, SAY_CODES_UNUSED);
    else if (!x->user.totp)
        paragraph(&x->page, SAY_CODES_HINT);
    if (are_taken(x))
        paragraph(&x->page, are_second(x) ? SAY_CODES_SECOND : SAY_CODES_ALTERNATIVE);
    if (x->user.totp)
        paragraph(&x->page, !are_taken(x) ? SAY_CODES_KEPT : are_second(x) ? SAY_CODES_FIXED : SAY_CODES_ON);
    if (may_remove(x)) {
        form_begin(x, "/me/codes/off", "card");
        form_field(x, SAY_CODE, "answer", "text", "", "one-time-code", true);
        form_end(x, SAY_CODES_REMOVE);
    } else if (may_begin(x)) {
        begin_form(x);
    }
    layout_end(x);
}

/* From the first code on every login wants one: whoever finds a screen left open does not lock its user out. */
bool ask_codes_begin(struct exchange *x)
{
    if (!may_begin(x)) { /* whoever has some proves it by one before they are taken away */
        exchange_go(x, "/me/codes");
        return false;
    }
    if (proof_goes_first(x, "/me/codes"))
        return false;
    proof_ask_password(x);
    exchange_ask(x, ask_about(CTL_VERB_TOTP_BEGIN, CTL_ARG_USER, x->who.name));
    return true;
}

/* The picture is made by this program: it is the one thing that goes in as markup without being a literal. */
void qr_show(struct page *p, const char *text, enum message title)
{
    char *room = malloc(HANDOUT_QR_MAX);
    struct writer w = wr_init(room, room != NULL ? HANDOUT_QR_MAX : 0);
    if (room != NULL && handout_qr_svg(view_str(text), message_text(title, p->language), &w) == ERR_OK) {
        page_html(p, "<div class=\"qr\">");
        page_raw(p, room, w.n);
        page_html(p, "</div>");
    }
    if (room != NULL)
        bytes_wipe(room, HANDOUT_QR_MAX);
    free(room);
}

void show_codes_begun(struct exchange *x)
{
    const json_t *data = x->question.data[x->question.count - 1];
    const char *secret = json_string_value(json_object_get(data, "secret"));
    const char *uri = json_string_value(json_object_get(data, "uri"));
    struct page *p = &x->page;
    if (exchange_was_refused(x, "/me/codes"))
        return;
    layout_begin(x, SAY_CODES);
    paragraph(p, SAY_CODES_SCAN);
    qr_show(p, uri != NULL ? uri : "", SAY_CODES_QR);
    page_html(p, "<p class=\"subject\"><code>");
    page_text(p, secret != NULL ? secret : "");
    page_html(p, "</code></p>");
    form_begin(x, "/me/codes/confirm", "card");
    form_field(x, SAY_CODE, "answer", "text", "", "one-time-code", true);
    form_end(x, SAY_CONTINUE);
    layout_end(x);
}

/* The code is proof enough: its secret was told to nobody but who had proved to be the user. */
bool ask_codes_confirm(struct exchange *x)
{
    if (!may_begin(x)) {
        exchange_go(x, "/me/codes");
        return false;
    }
    struct ctl_request *r = ask_about(CTL_VERB_TOTP_CONFIRM, CTL_ARG_USER, x->who.name);
    exchange_ask(x, ask_with(r, CTL_ARG_ANSWER, form_value(&x->form, "answer")));
    return true;
}

void show_codes_confirmed(struct exchange *x)
{
    if (exchange_was_refused(x, "/me/codes"))
        return;
    exchange_renew(x);
    exchange_back(x, "/me/codes", SAY_CODES_DONE);
}

bool ask_codes_off(struct exchange *x)
{
    if (!may_remove(x)) {
        exchange_go(x, "/me/codes");
        return false;
    }
    struct ctl_request *r = ask_about(CTL_VERB_TOTP_CHECK, CTL_ARG_USER, x->who.name);
    r = ask_from(x, r);
    exchange_ask(x, ask_with(r, CTL_ARG_ANSWER, form_value(&x->form, "answer")));
    exchange_ask(x, ask_about(CTL_VERB_TOTP_OFF, CTL_ARG_USER, x->who.name));
    return true;
}

void show_codes_off(struct exchange *x)
{
    if (exchange_was_refused(x, "/me/codes"))
        return;
    exchange_renew(x);
    exchange_back(x, "/me/codes", SAY_CODES_REMOVED);
}
