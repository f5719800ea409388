/*
 * IPV6CP (RFC 5072): the two interface identifiers, random, not zero and not equal. Addresses beyond fe80:: are not
 * PPP's business. When it fails the link lives on with IPv4.
 */
#include "ppp/ppp_internal.h"

#define IPV6CP_INTERFACE_ID 1
#define INTERFACE_ID_SIZE   8

static uint64_t fresh_id(const struct ppp *ppp)
{
    uint64_t id = random_u64(&ppp->env.random) & ~((uint64_t)2 << 56); /* universal bit off: not made from a MAC */
    while (id == 0 || id == ppp->ipv6cp.ours || id == ppp->ipv6cp.peer)
        id++;
    return id;
}

static uint64_t id_of(const struct option *o)
{
    struct reader r = rd_init(o->value);
    return rd_u64(&r);
}

static void write_id(struct writer *w, uint64_t id)
{
    uint8_t value[INTERFACE_ID_SIZE];
    struct writer v = wr_init(value, sizeof value);
    wr_u64(&v, id);
    option_write(w, IPV6CP_INTERFACE_ID, wr_written(&v));
}

static void begin(struct ppp *ppp)
{
    if (ppp->ipv6cp.ours == 0)
        ppp->ipv6cp.ours = fresh_id(ppp);
    ppp->ipv6cp.asks = true;
}

static void request(const struct ppp *ppp, struct writer *w)
{
    if (ppp->ipv6cp.asks)
        write_id(w, ppp->ipv6cp.ours);
}

static void forget(struct ppp *ppp)
{
    ppp->ipv6cp.peer = 0;
}

static uint64_t suggestion(const struct ppp *ppp)
{
    uint64_t given = ppp->ipcp.network.interface_id;
    return ppp->config->server && given && given != ppp->ipv6cp.ours ? given : fresh_id(ppp);
}

/* RFC 5072 4.1: an identifier that is zero or equals ours is answered with another one. */
static enum verdict judge(struct ppp *ppp, const struct option *o, struct writer *nak)
{
    if (o->type != IPV6CP_INTERFACE_ID || o->value.n != INTERFACE_ID_SIZE)
        return VERDICT_REJECT;
    uint64_t id = id_of(o);
    if (id == 0 || id == ppp->ipv6cp.ours) {
        write_id(nak, suggestion(ppp));
        return VERDICT_NAK;
    }
    ppp->ipv6cp.peer = id;
    return VERDICT_ACK;
}

static void missing(struct ppp *ppp, struct view options, struct writer *nak)
{
    if (options.n == 0)
        write_id(nak, suggestion(ppp));
}

static void nak(struct ppp *ppp, const struct option *o)
{
    if (o->type != IPV6CP_INTERFACE_ID || o->value.n != INTERFACE_ID_SIZE)
        return;
    uint64_t id = id_of(o);
    ppp->ipv6cp.ours = id && id != ppp->ipv6cp.peer ? id : fresh_id(ppp);
}

static void reject(struct ppp *ppp, const struct option *o)
{
    if (o->type == IPV6CP_INTERFACE_ID)
        ppp->ipv6cp.asks = false;
}

static void up(struct ppp *ppp)
{
    event_push(ppp, HAPPENED_NETWORK6);
}

static void stalemate(struct ppp *ppp)
{
    fsm_event(&ppp->ipv6cp_fsm, FSM_CLOSE, NULL, NULL);
}

const struct fsm_protocol ipv6cp_protocol = {
    .number = PPP_IPV6CP,
    .begin = begin,
    .request = request,
    .forget = forget,
    .judge = judge,
    .missing = missing,
    .nak = nak,
    .reject = reject,
    .up = up,
    .stalemate = stalemate,
};
