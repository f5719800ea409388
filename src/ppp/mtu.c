/*
 * How large a packet passes whole? LCP Echo-Requests of the size to be tried, which the peer sends back with all that
 * was in them (RFC 1661 5.8), so that both directions are tried at once. They leave unfragmented (ppp_output_whole()).
 *
 * The least size first: it tells whether the peer plays, and how long an answer takes. Then the most, which is the
 * usual case, then halves of what is left. A size counts as too large when several packets of it were not answered.
 */
#include "ppp/ppp_internal.h"

#include <string.h>

#define PROBE_TRIES   4
#define PROBE_PATIENT (1 * USEC_SEC) /* for the first answer, and at most for any */
#define PROBE_HASTY   (300 * USEC_MSEC)
#define PROBE_GRAIN   8 /* bytes; ESP's padding hides smaller steps */

#define ECHO_HEADER 8 /* code, identifier, length, magic number */

void mtu_stop(struct ppp *ppp)
{
    ppp->probe = (struct probe){.at = USEC_NEVER};
}

/* An answer takes what it took before, and as long again, and some; a busy line delays. */
static usec_t patience(const struct probe *p)
{
    const usec_t want = p->rtt == 0 ? PROBE_PATIENT : 3 * p->rtt;
    return usec_min(want > PROBE_HASTY ? want : PROBE_HASTY, 3 * PROBE_PATIENT);
}

static void ask(struct ppp *ppp)
{
    struct probe *p = &ppp->probe;
    uint8_t body[PPP_FRAME_MAX] = {0};
    struct writer w = wr_init(body, sizeof body);
    wr_u32(&w, echo_magic(ppp));
    wr_u64(&w, p->nonce);
    wr_zero(&w, (size_t)p->size - ECHO_HEADER - sizeof p->nonce);
    p->tries++;
    p->sent = ppp->now;
    p->at = ppp->now + patience(p);
    frame_send_whole(ppp, PPP_LCP, ECHO_REQUEST, ++ppp->echo.id, wr_written(&w));
}

static void try_size(struct ppp *ppp, uint16_t size)
{
    ppp->probe.size = size;
    ppp->probe.tries = 0;
    random_fill(&ppp->env.random, &ppp->probe.nonce, sizeof ppp->probe.nonce);
    ask(ppp);
}

static void conclude(struct ppp *ppp, uint16_t found)
{
    mtu_stop(ppp);
    ppp->probe.found = found;
    event_push(ppp, HAPPENED_MTU);
}

/* What passes is in [low, high). */
static void go_on(struct ppp *ppp)
{
    const struct probe *p = &ppp->probe;
    if (p->high - p->low <= PROBE_GRAIN)
        conclude(ppp, p->low);
    else
        try_size(ppp, (uint16_t)(p->low + (p->high - p->low) / 2));
}

void mtu_begin(struct ppp *ppp, uint16_t least, uint16_t most)
{
    const uint16_t mtu = ppp_mtu(ppp), mru = ppp->lcp.asks & LCP_ASK_MRU ? ppp->lcp.mru : PPP_MRU_DEFAULT;
    mtu_stop(ppp);
    if (most > mtu)
        most = mtu;
    if (most > mru) /* the answer is as long */
        most = mru;
    if (!fsm_opened(&ppp->lcp_fsm) || least > most || least < PPP_MRU_MIN)
        return;
    ppp->probe.high = (uint16_t)(most + 1);
    try_size(ppp, least);
}

void mtu_answer(struct ppp *ppp, const struct control *in)
{
    struct probe *p = &ppp->probe;
    struct reader r = rd_init(in->body);
    rd_skip(&r, 4);
    const uint64_t nonce = rd_u64(&r);
    if (p->at == USEC_NEVER || !rd_ok(&r) || nonce != p->nonce)
        return;
    const bool first = p->low == 0;
    if (in->whole.n != p->size) { /* the peer does not send all of it back: nothing can be learnt */
        conclude(ppp, 0);
        return;
    }
    if (p->tries == 1)
        p->rtt = ppp->now - p->sent;
    p->low = p->size;
    if (first && p->high - 1 > p->low)
        try_size(ppp, (uint16_t)(p->high - 1));
    else
        go_on(ppp);
}

void mtu_timeout(struct ppp *ppp)
{
    struct probe *p = &ppp->probe;
    if (p->at > ppp->now)
        return;
    if (p->tries < PROBE_TRIES) {
        ask(ppp);
        return;
    }
    if (p->low == 0) {
        conclude(ppp, 0);
        return;
    }
    p->high = p->size;
    go_on(ppp);
}
