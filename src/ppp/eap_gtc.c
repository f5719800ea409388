/*
 * EAP's Generic Token Card (RFC 3748 5.6): the server shows a text, somebody types an answer. In clear, under the
 * protection of IPsec.
 */
#include "ppp/ppp_internal.h"

#include <string.h>

static void ask(struct ppp *ppp)
{
    auth_wait_for_human(ppp);
    eap_request(ppp, EAP_GTC, view_str("Password: "));
}

static enum drop response(struct ppp *ppp, struct view data)
{
    return auth_ask(ppp, view_str(ppp->auth.eap->identity), data);
}

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
