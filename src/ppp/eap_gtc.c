/*
 * EAP's Generic Token Card (RFC 3748 5.6): the server shows a text, somebody types an answer. In clear, under the
 * protection of IPsec.
 *
 * Where the server's caller says what to ask, a wrong answer is asked for anew within the same login: the method goes
 * on with another Request (RFC 3748 2), which shows another text.
 */
#include "ppp/ppp_internal.h"

#include <string.h>

#define ROUNDS_MAX 3 /* as often as most people mistype */
#define PLAIN      "Password: "
#define HEADER     5 /* bytes of EAP before the text: RFC 3748 4.1 */

/* ---- server ---- */

static void send_request(struct ppp *ppp, struct view text)
{
    struct eap *eap = ppp->auth.eap;
    eap->step = eap->rounds == 0 ? EAP_PROPOSE : EAP_WITHIN;
    eap->rounds++;
    auth_wait_for_human(ppp);
    eap_request(ppp, EAP_GTC, text);
}

static void ask(struct ppp *ppp)
{
    struct auth *a = &ppp->auth;
    if (!ppp->config->asks) {
        send_request(ppp, view_str(PLAIN));
        return;
    }
    a->eap->step = EAP_WORDING;
    a->eap->told = false;
    a->resend_at = USEC_NEVER;
    event_push(ppp, HAPPENED_ASK);
}

static bool fits(const struct ppp *ppp, struct view text)
{
    return text.n > 0 && text.n < PPP_PROMPT_MAX && HEADER + text.n <= ppp->lcp.peer_mru;
}

void eap_ask(struct ppp *ppp, struct view text)
{
    struct auth *a = &ppp->auth;
    if (!a->wording)
        return;
    a->wording = false;
    if (!a->eap || a->eap->step != EAP_WORDING)
        return; /* stale: that login is over */
    if (!a->eap->told) {
        event_push(ppp, HAPPENED_ASK); /* stale too: it was for a login before this one */
        return;
    }
    send_request(ppp, fits(ppp, text) ? text : view_str(PLAIN));
    event_push(ppp, HAPPENED_ASKED);
}

bool gtc_asks_again(struct ppp *ppp, enum cause cause)
{
    struct auth *a = &ppp->auth;
    if (!ppp->config->asks || a->wrong + 1 >= ROUNDS_MAX)
        return false;
    a->wrong++;
    a->state = AUTH_WAITING;
    a->eap->cause = cause;
    ask(ppp);
    return true;
}

static enum drop response(struct ppp *ppp, struct view data)
{
    return auth_ask(ppp, view_str(ppp->auth.eap->identity), data);
}

/* ---- client ---- */

/* The server chose these bytes, and they end up on a terminal. */
static void keep_prompt(char out[static PPP_PROMPT_MAX], struct view text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n && n < PPP_PROMPT_MAX - 1; i++) {
        const uint8_t c = text.p[i];
        if (c != '\r' && c != '\0')
            out[n++] = c == '\n' || (c >= 0x20 && c <= 0x7e) ? (char)c : '?';
    }
    out[n] = '\0';
}

static enum drop request(struct ppp *ppp, struct view data)
{
    struct eap *eap = ppp->auth.eap;
    eap->prompting = true;
    eap->done = false;
    if (eap->rounds < UINT8_MAX)
        eap->rounds++;
    if (ppp->config->answer_prompts && eap->rounds > 1) {
        auth_refused(ppp, CAUSE_AUTH_REFUSED); /* the password was wrong; saying it again would be held against us */
        return DROP_NONE;
    }
    if (ppp->config->answer_prompts) {
        eap_answer(ppp, view_str(ppp->config->password));
        return DROP_NONE;
    }
    keep_prompt(eap->prompt, data);
    auth_wait_for_human(ppp);
    event_push(ppp, HAPPENED_PROMPT);
    return DROP_NONE;
}

const struct eap_method eap_gtc = {EAP_GTC, ask, response, request};
