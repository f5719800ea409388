/*
 * The Configure packets of any protocol (RFC 1661 5.1 to 5.4): the peer's request is parsed, judged option by option
 * and answered with Ack, Nak or Reject; the answers to our own request are matched with it.
 */
#include "ppp/ppp_internal.h"

#include <string.h>

#define ASK_AGAIN (100 * USEC_MSEC) /* longer than what was sent together takes to arrive */

/* The two lists that judging makes beside the Ack, which is the request itself. */
struct judgement {
    uint8_t nak_bytes[PPP_FRAME_MAX], reject_bytes[PPP_FRAME_MAX];
    struct writer nak, reject;
};

static bool options_well_formed(struct view body)
{
    struct reader r = rd_init(body);
    struct option o;
    while (option_next(&r, &o))
        continue;
    return rd_done(&r);
}

static void judge(struct fsm *f, struct view body, struct judgement *out)
{
    struct reader r = rd_init(body);
    struct option o;
    out->nak = wr_init(out->nak_bytes, sizeof out->nak_bytes);
    out->reject = wr_init(out->reject_bytes, sizeof out->reject_bytes);
    f->protocol->forget(f->ppp);
    while (option_next(&r, &o))
        if (f->protocol->judge(f->ppp, &o, &out->nak) == VERDICT_REJECT)
            wr_view(&out->reject, o.whole);
    if (out->reject.n == 0 && f->protocol->missing)
        f->protocol->missing(f->ppp, body, &out->nak);
}

static enum drop answer_request(struct fsm *f, const struct control *in)
{
    struct judgement j;
    judge(f, in->body, &j);
    if (!wr_ok(&j.nak) || !wr_ok(&j.reject))
        return DROP_PPP_MALFORMED;
    struct control reply = {.code = CONFIGURE_ACK, .id = in->id, .body = in->body};
    if (j.reject.n > 0) {
        reply.code = CONFIGURE_REJECT;
        reply.body = wr_written(&j.reject);
    } else if (j.nak.n > 0) {
        reply.code = CONFIGURE_NAK;
        reply.body = wr_written(&j.nak);
    }
    if (reply.code == CONFIGURE_ACK) {
        f->naks = 0;
        f->peer_id = in->id;
        f->digest = view_sum(in->body);
        fsm_event(f, FSM_REQUEST_GOOD, in, &reply);
        return DROP_NONE;
    }
    fsm_event(f, FSM_REQUEST_BAD, in, &reply);
    if (++f->naks > config_max_configure(f->ppp))
        f->protocol->stalemate(f->ppp);
    return DROP_NONE;
}

/* Where the peer's PPP is a program that has to start first, as pppd, our first request found nobody. An answer to it
 * would have come before this request of the peer's, so it is not waited for any longer. */
static void ask_sooner(struct fsm *f)
{
    const bool just_sent = f->at == f->ppp->now + config_restart(f->ppp);
    if (f->protocol == &lcp_protocol && f->state == FSM_REQ_SENT && f->requests == 1 && !just_sent)
        f->at = usec_min(f->at, f->ppp->now + ASK_AGAIN);
}

enum drop configure_request(struct fsm *f, const struct control *in)
{
    if (!options_well_formed(in->body))
        return DROP_PPP_MALFORMED;
    if (f->state == FSM_CLOSED || f->state == FSM_CLOSING || f->state == FSM_STOPPING) {
        fsm_event(f, FSM_REQUEST_BAD, in, NULL);
        return DROP_PPP_STATE;
    }
    if (fsm_opened(f) && in->id == f->peer_id && view_sum(in->body) == f->digest) {
        /* The peer has not seen our Ack, or the network repeated its request. RFC 1661 would negotiate anew, and take
         * a link down over one lost packet; a peer that means it uses a new identifier (5.1). */
        frame_send(f->ppp, f->protocol->number, CONFIGURE_ACK, in->id, in->body);
        return DROP_NONE;
    }
    ask_sooner(f);
    return answer_request(f, in);
}

/* An answer to something else than our last request, or a second answer to it (RFC 1661 5.2: silently discarded). */
static bool is_answer(const struct fsm *f, const struct control *in)
{
    return !f->answered && in->id == f->id && f->state != FSM_CLOSING && f->state != FSM_STOPPING;
}

enum drop configure_ack(struct fsm *f, const struct control *in)
{
    if (!is_answer(f, in))
        return DROP_PPP_ID;
    uint8_t options[PPP_FRAME_MAX];
    struct writer w = wr_init(options, sizeof options);
    f->protocol->request(f->ppp, &w);
    if (!view_equal(wr_written(&w), in->body))
        return DROP_PPP_MALFORMED;
    f->answered = true;
    fsm_event(f, FSM_ACK, in, NULL);
    return DROP_NONE;
}

enum drop configure_refusal(struct fsm *f, const struct control *in)
{
    if (!is_answer(f, in))
        return DROP_PPP_ID;
    if (!options_well_formed(in->body))
        return DROP_PPP_MALFORMED;
    f->answered = true;
    struct reader r = rd_init(in->body);
    struct option o;
    while (option_next(&r, &o)) {
        if (in->code == CONFIGURE_NAK)
            f->protocol->nak(f->ppp, &o);
        else
            f->protocol->reject(f->ppp, &o);
    }
    fsm_event(f, FSM_NAK, in, NULL);
    return DROP_NONE;
}
