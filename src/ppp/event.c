/*
 * What the link has to tell: a short list of happenings, dressed up with what is known when it is pulled.
 */
#include "ppp/ppp_internal.h"

#include <stdio.h>
#include <string.h>

void event_push(struct ppp *ppp, enum happening what)
{
    if (ppp->event_count < EVENTS_MAX)
        ppp->events[ppp->event_count++] = (uint8_t)what;
}

/* The peer chose these bytes, and they end up in logs and on terminals. */
static void make_printable(char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e)
            *text = '?';
}

static void describe_link(const struct ppp *ppp, char *out, size_t cap)
{
    enum ppp_auth method = ppp->config->server ? ppp->lcp.auth : ppp->lcp.peer_auth;
    snprintf(out, cap, "MRU %u, %s%s%s", ppp->lcp.peer_mru, auth_is_eap(method) ? "EAP" : auth_method(method)->name,
             ppp->lcp.ident[0] ? ", " : "", ppp->lcp.ident);
}

/* "MS-CHAPv2, alice, MSRASV5.20"; the method is gone once LCP is down. */
static void describe_login(const struct ppp *ppp, char *out, size_t cap)
{
    bool known = ppp->auth.method != PPP_AUTH_NONE;
    snprintf(out, cap, "%s%s%s%s%s", known ? auth_method(ppp->auth.method)->name : "", known ? ", " : "", ppp_user(ppp),
             ppp->lcp.ident[0] ? ", " : "", ppp->lcp.ident);
    make_printable(out);
}

/* "EAP-GTC, alice"; after a wrong answer also the cause's word. */
static void describe_prompt(const struct ppp *ppp, char *out, size_t cap)
{
    const struct eap *eap = ppp->auth.eap;
    snprintf(out, cap, "EAP-GTC, %.64s%s%s", eap->identity, eap->rounds > 1 ? ", " : "",
             eap->rounds > 1 ? cause_word(eap->cause) : "");
    make_printable(out);
}

static void describe_network(const struct ppp *ppp, char *out, size_t cap)
{
    char local[IP_TEXT_MAX], remote[IP_TEXT_MAX];
    snprintf(out, cap, "%s - %s", ip_text(&ppp->ipcp.network.local, local), ip_text(&ppp->ipcp.network.remote, remote));
}

static void tell_stage(struct ppp_event *out, enum stage stage)
{
    out->type = PPP_EVENT_STAGE;
    out->stage = stage;
}

static void tell_network(const struct ppp *ppp, struct ppp_event *out, enum ppp_event_type type)
{
    out->type = type;
    out->network = ppp->ipcp.network;
    out->network.interface_id = ppp->config->server ? ppp->ipv6cp.peer : ppp->ipv6cp.ours;
    if (!fsm_opened(&ppp->ipv6cp_fsm))
        out->network.interface_id = 0;
}

/* False when what happened has been overtaken since. */
static bool tell(struct ppp *ppp, enum happening what, struct ppp_event *out)
{
    *out = (struct ppp_event){0};
    switch (what) {
    case HAPPENED_LCP:
        tell_stage(out, STAGE_PPP_LCP);
        describe_link(ppp, out->detail, sizeof out->detail);
        return true;
    case HAPPENED_ASK:
        if (!ppp->auth.eap || ppp->auth.eap->step != EAP_WORDING || ppp->auth.wording)
            return false; /* overtaken, or an older question is open: its answer will bring this one up again */
        ppp->auth.wording = ppp->auth.eap->told = true;
        out->type = PPP_EVENT_ASK;
        out->auth.method = PPP_AUTH_EAP_GTC;
        memcpy(out->auth.user, ppp->auth.eap->identity, sizeof out->auth.user);
        return true;
    case HAPPENED_ASKED:
        if (!ppp->auth.eap)
            return false;
        tell_stage(out, STAGE_PPP_PROMPT);
        describe_prompt(ppp, out->detail, sizeof out->detail);
        return true;
    case HAPPENED_QUESTION:
        if (ppp->auth.state != AUTH_JUDGING || ppp->auth.asked)
            return false;
        out->type = PPP_EVENT_AUTH;
        auth_question(ppp, &out->auth);
        return true;
    case HAPPENED_PROMPT:
        if (!ppp->auth.eap || !ppp->auth.eap->prompting)
            return false;
        out->type = PPP_EVENT_PROMPT;
        memcpy(out->prompt, ppp->auth.eap->prompt, sizeof out->prompt);
        out->round = ppp->auth.eap->rounds;
        return true;
    case HAPPENED_AUTH:
        tell_stage(out, STAGE_PPP_AUTH);
        describe_login(ppp, out->detail, sizeof out->detail);
        return true;
    case HAPPENED_IPCP:
        tell_stage(out, STAGE_PPP_IPCP);
        describe_network(ppp, out->detail, sizeof out->detail);
        return true;
    case HAPPENED_NETWORK:
        tell_network(ppp, out, PPP_EVENT_NETWORK);
        return fsm_opened(&ppp->ipcp_fsm);
    case HAPPENED_NETWORK6:
        tell_network(ppp, out, PPP_EVENT_NETWORK6);
        return fsm_opened(&ppp->ipv6cp_fsm);
    case HAPPENED_MTU:
        out->type = PPP_EVENT_MTU;
        out->mtu = ppp->probe.found;
        return ppp->probe.at == USEC_NEVER;
    }
    return false;
}

static bool tell_down(struct ppp *ppp, struct ppp_event *out)
{
    if (ppp->phase != PHASE_FINISHED || ppp->down_told)
        return false;
    ppp->down_told = true;
    *out = (struct ppp_event){.type = PPP_EVENT_DOWN, .cause = ppp->cause};
    if (ppp_user(ppp)[0])
        describe_login(ppp, out->detail, sizeof out->detail);
    return true;
}

bool ppp_event(struct ppp *ppp, struct ppp_event *out)
{
    while (ppp->event_count > 0) {
        enum happening what = ppp->events[0];
        ppp->event_count--;
        memmove(ppp->events, ppp->events + 1, ppp->event_count);
        if (tell(ppp, what, out))
            return true;
    }
    return tell_down(ppp, out);
}
