/*
 * The phases of a link (RFC 1661 3.2): Establish until LCP is opened, Authenticate, Network, and the end. LCP's
 * automaton reports up, down and finished to here; here the login and the network protocols are started and stopped.
 */
#include "ppp/ppp_internal.h"

#define LISTEN USEC_SEC /* more than a program takes to start; a client that waits for us loses no more than this */

static void lower_is_up(struct ppp *ppp)
{
    ppp->listen_until = USEC_NEVER;
    fsm_event(&ppp->lcp_fsm, FSM_UP, NULL, NULL);
}

/* Whoever calls speaks first, so a server listens before it asks. Where the client's PPP is a program that starts only
 * now, as pppd, a request sent at once would find nobody, and cost the client a turn of the restart timer. */
void link_up(struct ppp *ppp)
{
    ppp->phase = PHASE_ESTABLISH;
    fsm_event(&ppp->lcp_fsm, FSM_OPEN, NULL, NULL);
    if (ppp->config->server)
        ppp->listen_until = ppp->now + LISTEN;
    else
        lower_is_up(ppp);
}

void link_heard(struct ppp *ppp)
{
    if (ppp->listen_until != USEC_NEVER)
        lower_is_up(ppp);
}

void link_timeout(struct ppp *ppp)
{
    if (ppp->listen_until <= ppp->now)
        lower_is_up(ppp);
}

/* Whoever ends a login that was asked for anew: the wrong answer is why. */
void link_blame(struct ppp *ppp, enum cause cause)
{
    const struct eap *eap = ppp->auth.eap;
    if (ppp->cause == CAUSE_NONE)
        ppp->cause = eap && eap->rounds > 1 && eap->cause != CAUSE_NONE ? eap->cause : cause;
}

void link_lcp_up(struct ppp *ppp)
{
    ppp->phase = PHASE_AUTHENTICATE;
    event_push(ppp, HAPPENED_LCP);
    echo_start(ppp);
    auth_begin(ppp);
}

void link_lcp_down(struct ppp *ppp)
{
    ppp->phase = PHASE_ESTABLISH;
    echo_stop(ppp);
    mtu_stop(ppp);
    auth_stop(ppp);
    fsm_event(&ppp->ipcp_fsm, FSM_DOWN, NULL, NULL);
    fsm_event(&ppp->ipv6cp_fsm, FSM_DOWN, NULL, NULL);
}

static void start_network(struct fsm *f)
{
    fsm_event(f, FSM_OPEN, NULL, NULL);
    fsm_event(f, FSM_UP, NULL, NULL);
}

void link_authenticated(struct ppp *ppp)
{
    if (ppp->phase != PHASE_AUTHENTICATE)
        return;
    ppp->phase = PHASE_NETWORK;
    if (ppp->config->server && ppp->ipcp.network.remote.family != 4) {
        link_close(ppp, CAUSE_IPCP_FAILED); /* there is no address to give */
        return;
    }
    start_network(&ppp->ipcp_fsm);
    if (ppp->config->ipv6)
        start_network(&ppp->ipv6cp_fsm);
}

void link_close(struct ppp *ppp, enum cause cause)
{
    link_blame(ppp, cause);
    if (ppp->lcp_fsm.state == FSM_INITIAL)
        link_finished(ppp); /* never up: nobody to tell */
    else
        fsm_event(&ppp->lcp_fsm, FSM_CLOSE, NULL, NULL);
}

void link_renegotiate(struct ppp *ppp)
{
    fsm_event(&ppp->lcp_fsm, FSM_DOWN, NULL, NULL);
    fsm_event(&ppp->lcp_fsm, FSM_UP, NULL, NULL);
}

void link_finished(struct ppp *ppp)
{
    ppp->phase = PHASE_FINISHED;
    ppp->listen_until = USEC_NEVER;
    echo_stop(ppp);
    mtu_stop(ppp);
    auth_done(ppp);
    ppp->lcp_fsm.at = ppp->ipcp_fsm.at = ppp->ipv6cp_fsm.at = USEC_NEVER;
}
