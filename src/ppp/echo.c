/*
 * Is the peer still there? LCP Echo-Requests (RFC 1661 5.8), sent only after silence: whatever came from the peer is as
 * good as a reply. Windows knows no dead peer detection of IKE, so this and L2TP's Hello are what finds it gone.
 */
#include "ppp/ppp_internal.h"

#define ECHO_DATA_SMALL 512 /* bytes: no network is too small for these */

void echo_start(struct ppp *ppp)
{
    ppp->echo.unanswered = 0;
    ppp->echo.alive = ppp->now;
    ppp->echo.at = ppp->config->echo_interval ? ppp->now + ppp->config->echo_interval : USEC_NEVER;
}

void echo_stop(struct ppp *ppp)
{
    ppp->echo.at = USEC_NEVER;
}

void echo_alive(struct ppp *ppp)
{
    ppp->echo.alive = ppp->now;
    ppp->echo.unanswered = 0;
}

uint32_t echo_magic(const struct ppp *ppp)
{
    return ppp->lcp.asks & LCP_ASK_MAGIC ? ppp->lcp.magic : 0; /* zero unless agreed (RFC 1661 5.8) */
}

static void ask(struct ppp *ppp)
{
    struct echo *e = &ppp->echo;
    uint8_t magic[4];
    const usec_t repeat = ppp->config->echo_repeat ? ppp->config->echo_repeat : ppp->config->echo_interval;
    e->unanswered++;
    e->at = repeat ? ppp->now + repeat : USEC_NEVER;
    be32_put(magic, echo_magic(ppp));
    frame_send(ppp, PPP_LCP, ECHO_REQUEST, ++e->id, VIEW(magic));
}

void echo_timeout(struct ppp *ppp)
{
    struct echo *e = &ppp->echo;
    if (e->at > ppp->now)
        return;
    usec_t due = e->alive + ppp->config->echo_interval;
    if (e->unanswered == 0 && due > ppp->now) { /* heard of it meanwhile */
        e->at = due;
        return;
    }
    if (e->unanswered >= ppp->config->echo_failures && ppp->config->echo_failures > 0) {
        link_close(ppp, CAUSE_PEER_SILENT);
        return;
    }
    ask(ppp);
}

void echo_check(struct ppp *ppp)
{
    if (!fsm_opened(&ppp->lcp_fsm))
        return;
    ppp->echo.unanswered = 0;
    ask(ppp);
}

void echo_answer(struct ppp *ppp, const struct control *in)
{
    if (in->code != ECHO_REQUEST)
        return;
    uint8_t body[PPP_FRAME_MAX];
    struct reader r = rd_init(in->body);
    rd_skip(&r, 4);
    struct writer w = wr_init(body, sizeof body);
    wr_u32(&w, echo_magic(ppp));
    wr_view(&w, rd_rest(&r));
    if (!wr_ok(&w))
        return;
    if (in->body.n > ECHO_DATA_SMALL) /* somebody tries the way: ours back is to be tried as well */
        frame_send_whole(ppp, PPP_LCP, ECHO_REPLY, in->id, wr_written(&w));
    else
        frame_send(ppp, PPP_LCP, ECHO_REPLY, in->id, wr_written(&w));
}
