/*
 * Saying and hearing "not served": Code-Reject (RFC 1661 5.6) and Protocol-Reject (5.7). CCP, Apple's ACSCP, MPLSCP and
 * the like come to every server; the clients take a Protocol-Reject and go on.
 */
#include "ppp/ppp_internal.h"

#define REJECT_HEADER 4 /* code, identifier, length */

/* Cuts a packet that is quoted back to the peer's MRU. */
static struct view quote(const struct ppp *ppp, struct view packet, size_t header)
{
    size_t room = PPP_FRAME_MAX - 4; /* behind ff 03 and protocol */
    if (ppp->lcp.peer_mru < room)
        room = ppp->lcp.peer_mru;
    room -= header;
    return view_of(packet.p, packet.n < room ? packet.n : room);
}

void reject_code(struct fsm *f, const struct control *in)
{
    frame_send(f->ppp, f->protocol->number, CODE_REJECT, ++f->ppp->reject_id, quote(f->ppp, in->whole, REJECT_HEADER));
}

void reject_protocol(struct ppp *ppp, uint16_t protocol, struct view information)
{
    uint8_t body[PPP_FRAME_MAX];
    struct writer w = wr_init(body, sizeof body);
    wr_u16(&w, protocol);
    wr_view(&w, quote(ppp, information, REJECT_HEADER + 2));
    frame_send(ppp, PPP_LCP, PROTOCOL_REJECT, ++ppp->reject_id, wr_written(&w));
}

enum drop reject_received(struct ppp *ppp, const struct control *in)
{
    struct reader r = rd_init(in->body);
    uint16_t protocol = rd_u16(&r);
    if (!rd_ok(&r))
        return DROP_PPP_MALFORMED;
    if (!fsm_opened(&ppp->lcp_fsm))
        return DROP_PPP_STATE;
    switch (protocol) {
    case PPP_LCP:
        link_blame(ppp, CAUSE_LCP_FAILED);
        fsm_event(&ppp->lcp_fsm, FSM_REJECT_FATAL, in, NULL);
        break;
    case PPP_PAP:
    case PPP_CHAP:
    case PPP_EAP:
        if (ppp->phase == PHASE_AUTHENTICATE)
            link_close(ppp, CAUSE_AUTH_METHOD);
        break;
    case PPP_IPCP:
        fsm_event(&ppp->ipcp_fsm, FSM_REJECT_FATAL, in, NULL);
        break;
    case PPP_IPV6CP:
        fsm_event(&ppp->ipv6cp_fsm, FSM_REJECT_FATAL, in, NULL);
        break;
    default: /* a protocol that we never send */
        break;
    }
    return DROP_NONE;
}
