/*
 * The option negotiation automaton of RFC 1661 section 4.1, once for LCP, IPCP and IPV6CP: the RFC's own table of
 * actions and new states, the actions, and the restart timer. The Configure packets themselves are in configure.c.
 *
 * The passive and restart options ("p", "r" in the RFC's table) are not used: a link that stopped is finished.
 */
#include "ppp/ppp_internal.h"

#include <string.h>

#define REQUESTS_MAX 40 /* Configure-Requests without agreement, however lively the peer refuses them */

/* The table has the RFC's rows and columns: Initial, Starting, Closed, Stopped, Closing, Stopping, Req-Sent, Ack-Rcvd,
 * Ack-Sent, Opened. */
#define NO                                                                                                             \
    {                                                                                                                  \
        FSM_IMPOSSIBLE, 0                                                                                              \
    }
#define A0(s)                                                                                                          \
    {                                                                                                                  \
        0, s                                                                                                           \
    }
#define A1(a, s)                                                                                                       \
    {                                                                                                                  \
        FSM_##a, s                                                                                                     \
    }
#define A2(a, b, s)                                                                                                    \
    {                                                                                                                  \
        FSM_##a | FSM_##b, s                                                                                           \
    }
#define A3(a, b, c, s)                                                                                                 \
    {                                                                                                                  \
        FSM_##a | FSM_##b | FSM_##c, s                                                                                 \
    }

/* clang-format off */
static const struct fsm_cell table[FSM_EVENTS][FSM_STATES] = {
    [FSM_UP]    = {A0(2), A2(IRC, SCR, 6), NO, NO, NO, NO, NO, NO, NO, NO},
    [FSM_DOWN]  = {NO, NO, A0(0), A0(1), A0(0), A0(1), A0(1), A0(1), A0(1), A1(TLD, 1)},
    [FSM_OPEN]  = {A0(1), A0(1), A2(IRC, SCR, 6), A0(3), A0(5), A0(5), A0(6), A0(7), A0(8), A0(9)},
    [FSM_CLOSE] = {A0(0), A1(TLF, 0), A0(2), A0(2), A0(4), A0(4),
                   A2(IRC, STR, 4), A2(IRC, STR, 4), A2(IRC, STR, 4), A3(TLD, IRC, STR, 4)},
    [FSM_TIMEOUT_MORE] = {NO, NO, NO, NO, A1(STR, 4), A1(STR, 5), A1(SCR, 6), A1(SCR, 6), A1(SCR, 8), NO},
    [FSM_TIMEOUT_LAST] = {NO, NO, NO, NO, A1(TLF, 2), A1(TLF, 3), A1(TLF, 3), A1(TLF, 3), A1(TLF, 3), NO},
    [FSM_REQUEST_GOOD] = {NO, NO, A1(STA, 2), A3(IRC, SCR, SCA, 8), A0(4), A0(5),
                          A1(SCA, 8), A2(SCA, TLU, 9), A1(SCA, 8), A3(TLD, SCR, SCA, 8)},
    [FSM_REQUEST_BAD]  = {NO, NO, A1(STA, 2), A3(IRC, SCR, SCN, 6), A0(4), A0(5),
                          A1(SCN, 6), A1(SCN, 7), A1(SCN, 6), A3(TLD, SCR, SCN, 6)},
    [FSM_ACK] = {NO, NO, A1(STA, 2), A1(STA, 3), A0(4), A0(5), A1(IRC, 7), A1(SCR, 6), A2(IRC, TLU, 9), A2(TLD, SCR, 6)},
    [FSM_NAK] = {NO, NO, A1(STA, 2), A1(STA, 3), A0(4), A0(5), A2(IRC, SCR, 6), A1(SCR, 6), A2(IRC, SCR, 8), A2(TLD, SCR, 6)},
    [FSM_TERMINATE] = {NO, NO, A1(STA, 2), A1(STA, 3), A1(STA, 4), A1(STA, 5),
                       A1(STA, 6), A1(STA, 6), A1(STA, 6), A3(TLD, ZRC, STA, 5)},
    [FSM_TERMINATE_ACKED] = {NO, NO, A0(2), A0(3), A1(TLF, 2), A1(TLF, 3), A0(6), A0(6), A0(8), A2(TLD, SCR, 6)},
    [FSM_UNKNOWN] = {NO, NO, A1(SCJ, 2), A1(SCJ, 3), A1(SCJ, 4), A1(SCJ, 5), A1(SCJ, 6), A1(SCJ, 7), A1(SCJ, 8), A1(SCJ, 9)},
    [FSM_REJECT_HARMLESS] = {NO, NO, A0(2), A0(3), A0(4), A0(5), A0(6), A0(6), A0(8), A0(9)},
    [FSM_REJECT_FATAL] = {NO, NO, A1(TLF, 2), A1(TLF, 3), A1(TLF, 2), A1(TLF, 3),
                          A1(TLF, 3), A1(TLF, 3), A1(TLF, 3), A3(TLD, IRC, STR, 5)},
    [FSM_ECHO] = {NO, NO, A0(2), A0(3), A0(4), A0(5), A0(6), A0(7), A0(8), A1(SER, 9)},
};
/* clang-format on */

struct fsm_cell fsm_cell(enum fsm_event event, enum fsm_state state)
{
    return table[event][state];
}

void fsm_init(struct fsm *f, struct ppp *ppp, const struct fsm_protocol *protocol)
{
    *f = (struct fsm){.protocol = protocol, .ppp = ppp, .at = USEC_NEVER, .state = FSM_INITIAL, .answered = true};
}

static bool negotiates(uint8_t state)
{
    return state == FSM_REQ_SENT || state == FSM_ACK_RCVD || state == FSM_ACK_SENT;
}

static bool has_timer(uint8_t state)
{
    return negotiates(state) || state == FSM_CLOSING || state == FSM_STOPPING;
}

static void spend_restart(struct fsm *f)
{
    if (f->restarts > 0)
        f->restarts--;
    f->at = f->ppp->now + config_restart(f->ppp);
}

static void send_request(struct fsm *f)
{
    if (++f->requests > REQUESTS_MAX) {
        f->protocol->stalemate(f->ppp);
        return;
    }
    uint8_t options[PPP_FRAME_MAX];
    struct writer w = wr_init(options, sizeof options);
    f->protocol->request(f->ppp, &w);
    /* A repeated request keeps its identifier (RFC 1661 5.1), so that on a slow line an answer to any copy is good. */
    if (f->answered)
        f->id++;
    f->answered = false;
    spend_restart(f);
    frame_send(f->ppp, f->protocol->number, CONFIGURE_REQUEST, f->id, wr_written(&w));
}

static void send_terminate(struct fsm *f)
{
    f->id++;
    spend_restart(f);
    frame_send(f->ppp, f->protocol->number, TERMINATE_REQUEST, f->id, VIEW_NONE);
}

static void send_replies(struct fsm *f, unsigned actions, const struct control *in, const struct control *reply)
{
    if ((actions & (FSM_SCA | FSM_SCN)) && reply)
        frame_send(f->ppp, f->protocol->number, reply->code, reply->id, reply->body);
    if ((actions & FSM_STA) && in)
        frame_send(f->ppp, f->protocol->number, TERMINATE_ACK, in->id, VIEW_NONE);
    if ((actions & FSM_SCJ) && in)
        reject_code(f, in);
    if ((actions & FSM_SER) && in)
        echo_answer(f->ppp, in);
}

void fsm_event(struct fsm *f, enum fsm_event event, const struct control *in, const struct control *reply)
{
    const struct fsm_protocol *protocol = f->protocol;
    struct fsm_cell cell = table[event][f->state];
    if (cell.actions & FSM_IMPOSSIBLE)
        return;
    uint8_t before = f->state;
    f->state = cell.next; /* first, because an action may bring about the next event */
    if (!has_timer(f->state))
        f->at = USEC_NEVER;

    if ((cell.actions & FSM_TLD) && protocol->down)
        protocol->down(f->ppp);
    if (cell.actions & FSM_IRC)
        f->restarts = cell.actions & FSM_STR ? config_max_terminate(f->ppp) : config_max_configure(f->ppp);
    if (cell.actions & FSM_ZRC) {
        f->restarts = 0;
        f->at = f->ppp->now + config_restart(f->ppp); /* the peer's time to see our Terminate-Ack */
    }
    if (cell.actions & FSM_SCR) {
        if (!negotiates(before)) {
            f->requests = f->naks = 0;
            f->answered = true; /* nothing of before counts any more */
            f->restarts = config_max_configure(f->ppp);
            protocol->begin(f->ppp);
        }
        send_request(f);
    }
    if (cell.actions & FSM_STR)
        send_terminate(f);
    send_replies(f, cell.actions, in, reply);
    if (cell.actions & FSM_TLU)
        protocol->up(f->ppp);
    if ((cell.actions & FSM_TLF) && protocol->finished)
        protocol->finished(f->ppp);
}

void fsm_timeout(struct fsm *f)
{
    if (f->at > f->ppp->now)
        return;
    fsm_event(f, f->restarts > 0 ? FSM_TIMEOUT_MORE : FSM_TIMEOUT_LAST, NULL, NULL);
}

static enum drop take_terminate(struct fsm *f, const struct control *in)
{
    if (fsm_opened(f) && f->protocol != &ipv6cp_protocol)
        link_blame(f->ppp, CAUSE_PEER_CLOSED);
    else if (f->protocol == &lcp_protocol && f->ppp->lcp.peer_auth_odd)
        link_blame(f->ppp, CAUSE_AUTH_METHOD); /* it has nothing that we would take */
    fsm_event(f, FSM_TERMINATE, in, NULL);
    return DROP_NONE;
}

/* Whoever rejects one of the seven common codes cannot negotiate at all. */
static enum drop take_code_reject(struct fsm *f, const struct control *in)
{
    struct reader r = rd_init(in->body);
    uint8_t code = rd_u8(&r);
    if (!rd_ok(&r))
        return DROP_PPP_MALFORMED;
    bool fatal = code >= CONFIGURE_REQUEST && code <= CODE_REJECT;
    if (fatal && f->protocol == &lcp_protocol)
        link_blame(f->ppp, CAUSE_LCP_FAILED);
    fsm_event(f, fatal ? FSM_REJECT_FATAL : FSM_REJECT_HARMLESS, in, NULL);
    return DROP_NONE;
}

enum drop fsm_input(struct fsm *f, struct view packet)
{
    struct control in;
    if (!control_parse(packet, &in))
        return DROP_PPP_MALFORMED;
    if (f->state <= FSM_STARTING)
        return DROP_PPP_STATE;
    switch (in.code) {
    case CONFIGURE_REQUEST:
        return configure_request(f, &in);
    case CONFIGURE_ACK:
        return configure_ack(f, &in);
    case CONFIGURE_NAK:
    case CONFIGURE_REJECT:
        return configure_refusal(f, &in);
    case TERMINATE_REQUEST:
        return take_terminate(f, &in);
    case TERMINATE_ACK:
        fsm_event(f, FSM_TERMINATE_ACKED, &in, NULL);
        return DROP_NONE;
    case CODE_REJECT:
        return take_code_reject(f, &in);
    default:
        break;
    }
    bool known = false;
    enum drop verdict = f->protocol->code ? f->protocol->code(f->ppp, &in, &known) : DROP_NONE;
    if (!known)
        fsm_event(f, FSM_UNKNOWN, &in, NULL);
    return verdict;
}
