/*
 * LCP (RFC 1661 section 6, RFC 1662, 1570): the options of the link itself, and the codes that only LCP has.
 *
 * What real peers bring: Windows asks for Callback and Multilink (rejected, alone), pppd and Apple for an asyncmap
 * (means nothing here, acknowledged), Apple for no MRU at all.
 */
#include "ppp/ppp_internal.h"

#include <string.h>

enum lcp_option {
    LCP_MRU = 1,
    LCP_ASYNCMAP = 2,
    LCP_AUTH = 3,
    LCP_MAGIC = 5,
    LCP_PFC = 7,
    LCP_ACFC = 8,
};

static uint32_t fresh_magic(struct ppp *ppp)
{
    uint32_t magic = random_u32(&ppp->env.random);
    return magic ? magic : 1; /* zero is illegal (RFC 1661 6.4) */
}

/* A client that would rather not use EAP says so this often: once more than is needed, for one that is lost. */
#define EAP_NAKS 2

/* The first method of the configuration that the peer has not refused. */
static enum ppp_auth next_method(const struct ppp *ppp)
{
    enum ppp_auth method;
    for (size_t i = 0; (method = auth_method_at(ppp->config, i)) != PPP_AUTH_NONE; i++)
        if (!(ppp->lcp.auth_tried & 1u << method))
            break;
    return method;
}

static void begin(struct ppp *ppp)
{
    struct lcp *lcp = &ppp->lcp;
    lcp->magic = fresh_magic(ppp);
    lcp->mru = ppp->config->mru ? ppp->config->mru : OUR_MRU_DEFAULT;
    lcp->auth_tried = lcp->auth_spent;
    lcp->eap_naks = 0;
    lcp->auth = (uint8_t)(ppp->config->server ? next_method(ppp) : PPP_AUTH_NONE);
    lcp->asks = (uint8_t)(LCP_ASK_MRU | LCP_ASK_MAGIC | (ppp->config->server ? LCP_ASK_AUTH : 0) |
                          (ppp->config->pfc ? LCP_ASK_PFC : 0) | (ppp->config->acfc ? LCP_ASK_ACFC : 0));
}

static void write_auth(struct writer *w, enum ppp_auth method)
{
    const struct auth_method *m = auth_method(method);
    uint8_t value[3];
    be16_put(value, m->protocol);
    value[2] = m->algorithm;
    option_write(w, LCP_AUTH, view_of(value, m->algorithm ? 3 : 2));
}

static void request(const struct ppp *ppp, struct writer *w)
{
    const struct lcp *lcp = &ppp->lcp;
    if (lcp->asks & LCP_ASK_MRU)
        option_write_u16(w, LCP_MRU, lcp->mru);
    if ((lcp->asks & LCP_ASK_AUTH) && lcp->auth != PPP_AUTH_NONE)
        write_auth(w, lcp->auth);
    if (lcp->asks & LCP_ASK_MAGIC)
        option_write_u32(w, LCP_MAGIC, lcp->magic);
    if (lcp->asks & LCP_ASK_PFC)
        option_write(w, LCP_PFC, VIEW_NONE);
    if (lcp->asks & LCP_ASK_ACFC)
        option_write(w, LCP_ACFC, VIEW_NONE);
}

static void forget(struct ppp *ppp)
{
    ppp->lcp.peer_mru = PPP_MRU_DEFAULT;
    ppp->lcp.peer_auth = PPP_AUTH_NONE;
    ppp->lcp.peer_auth_odd = false;
    ppp->lcp.peer_acfc = false;
}

static enum verdict judge_mru(struct ppp *ppp, const struct option *o, struct writer *nak)
{
    struct reader r = rd_init(o->value);
    uint16_t mru = rd_u16(&r);
    if (!rd_done(&r))
        return VERDICT_REJECT;
    if (mru < PPP_MRU_MIN) {
        option_write_u16(nak, LCP_MRU, PPP_MRU_DEFAULT);
        return VERDICT_NAK;
    }
    ppp->lcp.peer_mru = mru;
    return VERDICT_ACK;
}

static enum verdict judge_auth(struct ppp *ppp, const struct option *o, struct writer *nak)
{
    if (ppp->config->server || ppp->config->auth[0] == PPP_AUTH_NONE)
        return VERDICT_REJECT; /* a server proves itself to nobody this way */
    const enum ppp_auth method = auth_method_of(ppp->config, o), best = auth_method_at(ppp->config, 0);
    if (best == PPP_AUTH_NONE)
        return VERDICT_REJECT;
    if (method == PPP_AUTH_NONE) {
        ppp->lcp.peer_auth_odd = true;
        write_auth(nak, best);
        return VERDICT_NAK;
    }
    if (auth_is_eap(method) && !auth_is_eap(best) && ppp->lcp.eap_naks < EAP_NAKS) {
        ppp->lcp.eap_naks++;
        write_auth(nak, best);
        return VERDICT_NAK;
    }
    ppp->lcp.peer_auth = (uint8_t)method;
    return VERDICT_ACK;
}

/* RFC 1661 6.4: an equal number means that the link may be looped back; zero is never taken. */
static enum verdict judge_magic(struct ppp *ppp, const struct option *o, struct writer *nak)
{
    if (o->value.n != 4)
        return VERDICT_REJECT;
    uint32_t magic = option_u32(o);
    if (magic != 0 && magic != ppp->lcp.magic)
        return VERDICT_ACK;
    option_write_u32(nak, LCP_MAGIC, fresh_magic(ppp));
    return VERDICT_NAK;
}

static enum verdict judge(struct ppp *ppp, const struct option *o, struct writer *nak)
{
    switch (o->type) {
    case LCP_MRU:
        return judge_mru(ppp, o, nak);
    case LCP_ASYNCMAP:
        return o->value.n == 4 ? VERDICT_ACK : VERDICT_REJECT;
    case LCP_AUTH:
        return judge_auth(ppp, o, nak);
    case LCP_MAGIC:
        return judge_magic(ppp, o, nak);
    case LCP_PFC: /* taken, but never used in sending: RouterOS 6 cannot read it */
        return o->value.n == 0 && ppp->config->pfc ? VERDICT_ACK : VERDICT_REJECT;
    case LCP_ACFC:
        if (o->value.n != 0 || !ppp->config->acfc)
            return VERDICT_REJECT;
        ppp->lcp.peer_acfc = true;
        return VERDICT_ACK;
    default: /* Callback, MRRU, endpoint discriminator, ... */
        return VERDICT_REJECT;
    }
}

static void nak_mru(struct lcp *lcp, const struct option *o)
{
    struct reader r = rd_init(o->value);
    uint16_t mru = rd_u16(&r);
    if (rd_done(&r) && mru >= PPP_MRU_MIN && mru <= PPP_MRU_DEFAULT)
        lcp->mru = mru;
    else
        lcp->asks &= (uint8_t)~LCP_ASK_MRU; /* leaves 1500, which we can take in any case */
}

/* Server: the peer's own proposal if we take it, else our next one; each is tried once. */
static void fall_back(struct ppp *ppp, enum ppp_auth proposed)
{
    struct lcp *lcp = &ppp->lcp;
    if (!(lcp->asks & LCP_ASK_AUTH))
        return;
    lcp->auth_tried |= auth_methods_like(lcp->auth);
    bool take = proposed != PPP_AUTH_NONE && !(lcp->auth_tried & 1u << proposed);
    lcp->auth = (uint8_t)(take ? proposed : next_method(ppp));
    if (lcp->auth == PPP_AUTH_NONE)
        link_close(ppp, CAUSE_AUTH_METHOD);
}

static void nak(struct ppp *ppp, const struct option *o)
{
    if (o->type == LCP_MRU)
        nak_mru(&ppp->lcp, o);
    else if (o->type == LCP_AUTH)
        fall_back(ppp, auth_method_of(ppp->config, o));
    else if (o->type == LCP_MAGIC)
        ppp->lcp.magic = fresh_magic(ppp);
}

bool lcp_spend_auth(struct ppp *ppp)
{
    struct lcp *lcp = &ppp->lcp;
    lcp->auth_tried |= auth_methods_like(lcp->auth);
    if (next_method(ppp) == PPP_AUTH_NONE)
        return false;
    lcp->auth_spent |= auth_methods_like(lcp->auth);
    link_renegotiate(ppp);
    return true;
}

static void reject(struct ppp *ppp, const struct option *o)
{
    struct lcp *lcp = &ppp->lcp;
    if (o->type == LCP_MRU)
        lcp->asks &= (uint8_t)~LCP_ASK_MRU;
    else if (o->type == LCP_MAGIC)
        lcp->asks &= (uint8_t)~LCP_ASK_MAGIC;
    else if (o->type == LCP_PFC)
        lcp->asks &= (uint8_t)~LCP_ASK_PFC;
    else if (o->type == LCP_ACFC)
        lcp->asks &= (uint8_t)~LCP_ASK_ACFC;
    else if (o->type == LCP_AUTH && ppp->config->server)
        link_close(ppp, CAUSE_AUTH_METHOD); /* Reject, unlike Nak, means: no login at all */
}

/* RFC 1570 2.1. Windows sends three, its system's name first; the first that can be read is kept. */
static enum drop take_identification(struct ppp *ppp, const struct control *in)
{
    struct reader r = rd_init(in->body);
    rd_skip(&r, 4); /* magic number */
    struct view text = rd_rest(&r);
    if (!rd_ok(&r))
        return DROP_PPP_MALFORMED;
    if (ppp->lcp.ident[0] || text.n == 0 || text.n >= IDENT_MAX)
        return DROP_NONE;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < 0x20 || text.p[i] > 0x7e)
            return DROP_NONE;
    memcpy(ppp->lcp.ident, text.p, text.n);
    return DROP_NONE;
}

static enum drop take_echo(struct ppp *ppp, const struct control *in)
{
    struct reader r = rd_init(in->body);
    uint32_t magic = rd_u32(&r);
    if (!rd_ok(&r))
        return DROP_PPP_MALFORMED;
    if (!fsm_opened(&ppp->lcp_fsm))
        return DROP_PPP_STATE;
    if ((ppp->lcp.asks & LCP_ASK_MAGIC) && magic == ppp->lcp.magic)
        return DROP_PPP_LOOP;
    if (in->code == ECHO_REPLY)
        mtu_answer(ppp, in);
    fsm_event(&ppp->lcp_fsm, FSM_ECHO, in, NULL); /* answers requests; other replies have done their work by arriving */
    return DROP_NONE;
}

static enum drop code(struct ppp *ppp, const struct control *in, bool *known)
{
    *known = true;
    switch (in->code) {
    case PROTOCOL_REJECT:
        return reject_received(ppp, in);
    case ECHO_REQUEST:
    case ECHO_REPLY:
    case DISCARD_REQUEST:
        return take_echo(ppp, in);
    case IDENTIFICATION:
        return take_identification(ppp, in);
    case TIME_REMAINING:
        return DROP_NONE;
    default:
        *known = false;
        return DROP_NONE;
    }
}

static void finished(struct ppp *ppp)
{
    link_blame(ppp, CAUSE_LCP_TIMEOUT); /* whoever ended it otherwise has been blamed already */
    link_finished(ppp);
}

static void stalemate(struct ppp *ppp)
{
    link_close(ppp, ppp->lcp.peer_auth_odd ? CAUSE_AUTH_METHOD : CAUSE_LCP_FAILED);
}

const struct fsm_protocol lcp_protocol = {
    .number = PPP_LCP,
    .begin = begin,
    .request = request,
    .forget = forget,
    .judge = judge,
    .nak = nak,
    .reject = reject,
    .code = code,
    .up = link_lcp_up,
    .down = link_lcp_down,
    .finished = finished,
    .stalemate = stalemate,
};
