/*
 * IPCP (RFC 1332) with the name servers of RFC 1877. The server hands out what ppp_auth_done() gave it: a peer that
 * asks for 0.0.0.0 or for another address is answered with Nak and the right one (a Reject makes Windows hang up); name
 * servers there are none of are rejected. The client asks for an address and two DNS servers and takes what it is told.
 */
#include "ppp/ppp_internal.h"

enum ipcp_option {
    IPCP_ADDRESS = 3,
    IPCP_DNS1 = 129,
    IPCP_WINS1 = 130,
    IPCP_DNS2 = 131,
    IPCP_WINS2 = 132,
};

static void begin(struct ppp *ppp)
{
    struct ppp_network *n = &ppp->ipcp.network;
    if (ppp->config->server) {
        ppp->ipcp.asks = n->local.family == 4 ? IPCP_ASK_ADDRESS : 0;
        return;
    }
    ppp->ipcp.asks = IPCP_ASK_ADDRESS | IPCP_ASK_DNS1 | IPCP_ASK_DNS2;
    if (n->local.family != 4) /* what was agreed once is asked for again */
        n->local = ip4_addr(ip4_value(&ppp->config->want));
}

static void request(const struct ppp *ppp, struct writer *w)
{
    const struct ipcp *ipcp = &ppp->ipcp;
    if (ipcp->asks & IPCP_ASK_ADDRESS)
        option_write_u32(w, IPCP_ADDRESS, ip4_value(&ipcp->network.local));
    if (ipcp->asks & IPCP_ASK_DNS1)
        option_write_u32(w, IPCP_DNS1, ip4_value(&ipcp->network.dns[0]));
    if (ipcp->asks & IPCP_ASK_DNS2)
        option_write_u32(w, IPCP_DNS2, ip4_value(&ipcp->network.dns[1]));
}

static void forget(struct ppp *ppp)
{
    if (!ppp->config->server)
        ppp->ipcp.network.remote = (struct ip_addr){0};
}

/* What this server assigns under an option; NULL when that option is none of ours. */
static const struct ip_addr *assigned(const struct ppp_network *n, uint8_t type)
{
    switch (type) {
    case IPCP_ADDRESS:
        return &n->remote;
    case IPCP_DNS1:
        return &n->dns[0];
    case IPCP_DNS2:
        return &n->dns[1];
    case IPCP_WINS1:
        return &n->wins[0];
    case IPCP_WINS2:
        return &n->wins[1];
    default:
        return NULL;
    }
}

static enum verdict judge_as_server(struct ppp *ppp, const struct option *o, struct writer *nak)
{
    const struct ip_addr *right = assigned(&ppp->ipcp.network, o->type);
    if (!right || right->family != 4 || o->value.n != 4)
        return VERDICT_REJECT;
    if (option_u32(o) == ip4_value(right))
        return VERDICT_ACK;
    option_write_u32(nak, o->type, ip4_value(right));
    return VERDICT_NAK;
}

/* The server tells its own address; it may not want one of us. */
static enum verdict judge_as_client(struct ppp *ppp, const struct option *o)
{
    if (o->type != IPCP_ADDRESS || o->value.n != 4 || option_u32(o) == 0)
        return VERDICT_REJECT;
    ppp->ipcp.network.remote = ip4_addr(option_u32(o));
    return VERDICT_ACK;
}

/* Van Jacobson compression (2) and the old IP-Addresses (1) fall to the end of both. */
static enum verdict judge(struct ppp *ppp, const struct option *o, struct writer *nak)
{
    return ppp->config->server ? judge_as_server(ppp, o, nak) : judge_as_client(ppp, o);
}

static bool asked_for_address(struct view options)
{
    struct reader r = rd_init(options);
    struct option o;
    while (option_next(&r, &o))
        if (o.type == IPCP_ADDRESS)
            return true;
    return false;
}

static void missing(struct ppp *ppp, struct view options, struct writer *nak)
{
    if (ppp->config->server && !asked_for_address(options))
        option_write_u32(nak, IPCP_ADDRESS, ip4_value(&ppp->ipcp.network.remote));
}

static void nak_dns(struct ipcp *ipcp, unsigned i, uint8_t ask, uint32_t address)
{
    if (address)
        ipcp->network.dns[i] = ip4_addr(address);
    else
        ipcp->asks &= (uint8_t)~ask; /* the server has none */
}

static void nak(struct ppp *ppp, const struct option *o)
{
    if (ppp->config->server || o->value.n != 4)
        return; /* a server's address is not for the peer to choose */
    uint32_t address = option_u32(o);
    if (o->type == IPCP_ADDRESS && address)
        ppp->ipcp.network.local = ip4_addr(address);
    else if (o->type == IPCP_DNS1)
        nak_dns(&ppp->ipcp, 0, IPCP_ASK_DNS1, address);
    else if (o->type == IPCP_DNS2)
        nak_dns(&ppp->ipcp, 1, IPCP_ASK_DNS2, address);
}

static void reject(struct ppp *ppp, const struct option *o)
{
    struct ipcp *ipcp = &ppp->ipcp;
    if (o->type == IPCP_DNS1)
        ipcp->asks &= (uint8_t)~IPCP_ASK_DNS1;
    else if (o->type == IPCP_DNS2)
        ipcp->asks &= (uint8_t)~IPCP_ASK_DNS2;
    else if (o->type == IPCP_ADDRESS && ppp->config->server)
        ipcp->asks &= (uint8_t)~IPCP_ASK_ADDRESS; /* it can do without knowing ours */
    else if (o->type == IPCP_ADDRESS)
        link_close(ppp, CAUSE_IPCP_FAILED);
}

static void drop_unknown(struct ip_addr *a, bool asked)
{
    if (!asked || ip4_value(a) == 0)
        *a = (struct ip_addr){0};
}

static void up(struct ppp *ppp)
{
    struct ipcp *ipcp = &ppp->ipcp;
    if (!ppp->config->server) {
        if (ip4_value(&ipcp->network.local) == 0) { /* acknowledged 0.0.0.0 */
            link_close(ppp, CAUSE_IPCP_FAILED);
            return;
        }
        drop_unknown(&ipcp->network.dns[0], ipcp->asks & IPCP_ASK_DNS1);
        drop_unknown(&ipcp->network.dns[1], ipcp->asks & IPCP_ASK_DNS2);
    }
    event_push(ppp, HAPPENED_IPCP);
    event_push(ppp, HAPPENED_NETWORK);
}

static void failed(struct ppp *ppp)
{
    link_close(ppp, CAUSE_IPCP_FAILED);
}

const struct fsm_protocol ipcp_protocol = {
    .number = PPP_IPCP,
    .begin = begin,
    .request = request,
    .forget = forget,
    .judge = judge,
    .missing = missing,
    .nak = nak,
    .reject = reject,
    .up = up,
    .finished = failed,
    .stalemate = failed,
};
