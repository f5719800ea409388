/*
 * The data path: PPP's few bytes taken off and put in front of an inner packet. Plain functions on a packet's view,
 * with one length check; nothing here allocates, copies or remembers.
 */
#include "ppp/ppp_internal.h"

#define ADDRESS  0xff
#define CONTROL  0x03
#define FRAMING  2 /* ff 03 */
#define PROTOCOL 2

static bool network_is_up(const struct ppp *ppp, uint16_t protocol)
{
    return protocol == PPP_IP ? fsm_opened(&ppp->ipcp_fsm) : fsm_opened(&ppp->ipv6cp_fsm);
}

enum drop ppp_data_open(const struct ppp *ppp, struct packet *packet)
{
    const uint8_t *p = packet->data;
    /* Both forms of both fields are taken in every frame, whatever was agreed: Windows keeps ff 03 after ACFC. */
    uint32_t at = packet->len >= FRAMING && p[0] == ADDRESS && p[1] == CONTROL ? FRAMING : 0;
    if (packet->len <= at)
        return DROP_PPP_SHORT;
    uint32_t size = p[at] & 1 ? 1 : PROTOCOL;
    if (packet->len < at + size)
        return DROP_PPP_SHORT;
    uint16_t protocol = size == 1 ? p[at] : be16_get(p + at);

    if (protocol == PPP_IP || protocol == PPP_IPV6) {
        if (!network_is_up(ppp, protocol))
            return DROP_IP_NOT_UP;
        packet->protocol = protocol;
        packet_pull(packet, at + size);
        return DROP_NONE;
    }
    if (packet->headroom + at + size < PROTOCOL)
        return DROP_PPP_SHORT;
    packet->protocol = protocol;
    packet_pull(packet, at + size);
    packet_push(packet, PROTOCOL);
    be16_put(packet->data, protocol);
    return DROP_NONE;
}

bool ppp_data_seal(const struct ppp *ppp, uint16_t protocol, struct packet *packet)
{
    uint32_t overhead = ppp_data_overhead(ppp);
    if (!network_is_up(ppp, protocol) || !packet_push(packet, overhead))
        return false;
    uint8_t *p = packet->data;
    if (overhead == PPP_OVERHEAD) {
        p[0] = ADDRESS;
        p[1] = CONTROL;
        p += FRAMING;
    }
    be16_put(p, protocol); /* never one byte: RouterOS 6 cannot read it even though it asks for it */
    return true;
}

uint32_t ppp_data_overhead(const struct ppp *ppp)
{
    return ppp->lcp.peer_acfc ? PPP_OVERHEAD - FRAMING : PPP_OVERHEAD;
}

uint16_t ppp_mtu(const struct ppp *ppp)
{
    uint16_t ours = ppp->config->mtu ? ppp->config->mtu : OUR_MRU_DEFAULT;
    if (ppp->lcp.peer_mru < ours)
        ours = ppp->lcp.peer_mru;
    return ppp->probe.found != 0 && ppp->probe.found < ours ? ppp->probe.found : ours;
}
