/*
 * The seven calls and the verbs: time is noted, a frame is handed to the protocol it belongs to, deadlines are
 * gathered.
 */
#include "ppp/ppp_internal.h"

#include <stdlib.h>

struct ppp *ppp_new(const struct ppp_config *config, const struct ppp_env *env)
{
    if (config->server && auth_method_at(config, 0) == PPP_AUTH_NONE)
        return NULL; /* it would let anybody in */
    struct ppp *ppp = calloc(1, sizeof *ppp);
    if (!ppp)
        return NULL;
    ppp->config = config;
    ppp->env = *env;
    fsm_init(&ppp->lcp_fsm, ppp, &lcp_protocol);
    fsm_init(&ppp->ipcp_fsm, ppp, &ipcp_protocol);
    fsm_init(&ppp->ipv6cp_fsm, ppp, &ipv6cp_protocol);
    ppp->lcp.peer_mru = PPP_MRU_DEFAULT;
    ppp->listen_until = USEC_NEVER;
    ppp->auth.resend_at = ppp->auth.deadline = ppp->auth.close_at = ppp->echo.at = ppp->probe.at = USEC_NEVER;
    return ppp;
}

void ppp_free(struct ppp *ppp)
{
    if (!ppp)
        return;
    frame_drop_all(ppp);
    auth_done(ppp);
    free(ppp->user);
    bytes_wipe(ppp, sizeof *ppp);
    free(ppp);
}

void ppp_up(struct ppp *ppp, usec_t now)
{
    if (ppp->phase != PHASE_DEAD)
        return;
    ppp->now = now;
    link_up(ppp);
}

/* The protocol number; ff 03 in front is passed over, one or two bytes are taken (RFC 1661 2 and 6.5). */
static uint16_t read_protocol(struct reader *r)
{
    uint8_t first = rd_u8(r);
    if (first == 0xff) {
        if (rd_u8(r) != 0x03)
            rd_fail(r);
        first = rd_u8(r);
    }
    return (uint16_t)(first & 1 ? first : first << 8 | rd_u8(r));
}

static enum drop dispatch(struct ppp *ppp, uint16_t protocol, struct view packet)
{
    if (protocol == PPP_LCP) {
        link_heard(ppp);
        return fsm_input(&ppp->lcp_fsm, packet);
    }
    if (protocol == PPP_PAP || protocol == PPP_CHAP || protocol == PPP_EAP)
        return auth_input(ppp, protocol, packet);
    if ((protocol == PPP_IPCP || protocol == PPP_IPV6CP) && eap_is_done(ppp))
        auth_accepted(ppp);
    if (ppp->phase != PHASE_NETWORK)
        return DROP_PPP_STATE; /* RFC 1661 3.4, 3.5: silently discarded, whatever it is */
    if (protocol == PPP_IPCP)
        return fsm_input(&ppp->ipcp_fsm, packet);
    if (protocol == PPP_IPV6CP && ppp->config->ipv6)
        return fsm_input(&ppp->ipv6cp_fsm, packet);
    if (protocol == PPP_IP)
        return DROP_PPP_STATE;
    reject_protocol(ppp, protocol, packet);
    return DROP_PPP_PROTOCOL;
}

enum drop ppp_input(struct ppp *ppp, usec_t now, struct view frame)
{
    ppp->now = now;
    if (ppp->phase == PHASE_DEAD || ppp->phase == PHASE_FINISHED)
        return DROP_PPP_STATE;
    if (frame.n > PPP_FRAME_MAX)
        return DROP_PPP_MALFORMED;
    struct reader r = rd_init(frame);
    uint16_t protocol = read_protocol(&r);
    if (!rd_ok(&r))
        return DROP_PPP_SHORT;
    echo_alive(ppp);
    return dispatch(ppp, protocol, rd_rest(&r));
}

void ppp_timeout(struct ppp *ppp, usec_t now)
{
    ppp->now = now;
    link_timeout(ppp);
    fsm_timeout(&ppp->lcp_fsm);
    fsm_timeout(&ppp->ipcp_fsm);
    fsm_timeout(&ppp->ipv6cp_fsm);
    auth_timeout(ppp);
    echo_timeout(ppp);
    mtu_timeout(ppp);
}

usec_t ppp_deadline(const struct ppp *ppp)
{
    usec_t at = usec_min(ppp->lcp_fsm.at, usec_min(ppp->ipcp_fsm.at, ppp->ipv6cp_fsm.at));
    at = usec_min(at, usec_min(auth_deadline(ppp), ppp->echo.at));
    return usec_min(at, usec_min(ppp->probe.at, ppp->listen_until));
}

bool ppp_output(struct ppp *ppp, struct writer *w)
{
    return frame_take(ppp, w);
}

bool ppp_output_whole(const struct ppp *ppp)
{
    return frame_is_whole(ppp);
}

void ppp_auth_done(struct ppp *ppp, usec_t now, const struct ppp_auth_answer *answer)
{
    ppp->now = now;
    auth_judged(ppp, answer);
}

void ppp_ask(struct ppp *ppp, usec_t now, struct view text)
{
    ppp->now = now;
    eap_ask(ppp, text);
}

void ppp_probe(struct ppp *ppp, usec_t now, uint16_t least, uint16_t most)
{
    ppp->now = now;
    mtu_begin(ppp, least, most);
}

void ppp_answer(struct ppp *ppp, usec_t now, struct view text)
{
    ppp->now = now;
    eap_answer(ppp, text);
}

void ppp_close(struct ppp *ppp, usec_t now, enum cause cause)
{
    ppp->now = now;
    if (ppp->phase != PHASE_FINISHED)
        link_close(ppp, cause);
}

void ppp_alive(struct ppp *ppp, usec_t now)
{
    ppp->now = now;
    echo_alive(ppp);
}

void ppp_check(struct ppp *ppp, usec_t now)
{
    ppp->now = now;
    echo_check(ppp);
}

enum ppp_auth ppp_method(const struct ppp *ppp)
{
    return (enum ppp_auth)ppp->auth.method;
}

enum cause ppp_cause(const struct ppp *ppp)
{
    return ppp->cause;
}

const char *ppp_user(const struct ppp *ppp)
{
    if (!ppp->config->server)
        return ppp->config->user;
    return ppp->user ? ppp->user : "";
}
