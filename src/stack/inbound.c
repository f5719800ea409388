/*
 * The road in: datagrams become packets for the TUN.
 *
 *   datagram -> IKE (port 500, or four zero bytes on 4500)
 *            -> keepalive (one byte 0xff)
 *            -> ESP, opened in bursts over all SAs -> inner UDP 1701 -> L2TP control -> its machine
 *                                                                    -> L2TP data -> PPP control -> its machine
 *                                                                                 -> IP -> TUN
 */
#include "stack/stack_internal.h"

#include <string.h>

/* ---- the last stretch: an inner packet of a session ---- */

static bool source_allowed(const struct session *session, const struct ip_info *ip)
{
    return !session->server || ip_equal(&ip->src, &session->network.remote);
}

/* A client asks the link for routes and DNS: answered here, since a broadcast is never routed to a server. */
static void answer_dhcp(struct stack *s, const struct session *session, struct view packet)
{
    uint8_t room[DHCP_ANSWER_MAX];
    struct writer w = wr_init(room, sizeof(room));
    struct dhcp_facts facts = s->config.dhcp;
    facts.server = session->network.local;
    facts.client = session->network.remote;
    memcpy(facts.dns, session->network.dns, sizeof(facts.dns));
    if (dhcp_answer(packet, &facts, &w) == ERR_OK)
        send_inner(s, wr_written(&w));
}

static enum drop deliver(struct stack *s, usec_t now, struct session *session, struct packet *packet)
{
    struct ip_info ip;
    if (!session->up)
        return DROP_IP_NOT_UP;
    if (ip_info(view_of(packet->data, packet->len), &ip) != ERR_OK)
        return DROP_IP_MALFORMED;
    if (!source_allowed(session, &ip))
        return DROP_IP_SOURCE;
    ip_clamp_mss(packet->data, &ip, (uint16_t)(session->mtu - 40), (uint16_t)(session->mtu - 60));
    session->in_packets++;
    session->in_bytes += ip.total;
    s->counters.in_packets++;
    s->counters.in_bytes += ip.total;
    if (session->heard != now)
        stack_session_heard(s, now, session);
    if (session->server && dhcp_is_request(&ip, view_of(packet->data, ip.total))) {
        answer_dhcp(s, session, view_of(packet->data, ip.total));
        return DROP_NONE;
    }
    if (!session->server && inform_take(s, session, view_of(packet->data, ip.total)))
        return DROP_NONE;
    return coalesce_add(s->coalesce, packet->data, ip.total);
}

static enum drop ppp_packet(struct stack *s, usec_t now, struct session *session, struct packet *packet)
{
    const enum drop verdict = ppp_data_open(session->ppp, packet);
    if (verdict != DROP_NONE)
        return verdict;
    if (packet->protocol == PPP_IP || packet->protocol == PPP_IPV6)
        return deliver(s, now, session, packet);
    const enum drop judged = ppp_input(session->ppp, now, view_of(packet->data, packet->len));
    stack_session_settle(s, now, session);
    stack_settle(s, now);
    return judged;
}

/* ---- L2TP, from an authenticated peer ---- */

static enum drop l2tp_packet(struct stack *s, usec_t now, uint32_t carrier, struct packet *packet)
{
    if (l2tp_is_control(view_of(packet->data, packet->len))) {
        const enum drop verdict = l2tp_input(s->l2tp, now, carrier, view_of(packet->data, packet->len));
        stack_settle(s, now);
        return verdict;
    }
    const enum drop verdict = l2tp_data_open(s->l2tp, carrier, packet);
    if (verdict != DROP_NONE)
        return verdict;
    struct session *session = stack_session_at(s, packet->owner);
    return session ? ppp_packet(s, now, session, packet) : DROP_L2TP_SESSION;
}

/* The inner UDP header. Its checksum is not looked at: ESP has authenticated the packet (RFC 3948 3.1.2). */
static enum drop strip_udp(struct peer *peer, struct packet *packet)
{
    if (packet->len < UDP_HEADER)
        return DROP_UDP_SHORT;
    const uint8_t *udp = packet->data;
    const uint16_t source = be16_get(udp), destination = be16_get(udp + 2), length = be16_get(udp + 4);
    if (length < UDP_HEADER || length > packet->len)
        return DROP_UDP_SHORT;
    if (destination != peer->port_local)
        return DROP_UDP_PORT;
    peer->port_remote = source;
    packet->len = length;
    packet_pull(packet, UDP_HEADER);
    return DROP_NONE;
}

/* ---- a burst of ESP ---- */

static enum drop esp_packet(struct stack *s, usec_t now, struct packet *packet, uint32_t spi)
{
    struct pair *pair = packet->owner < s->pairs_cap ? s->pairs[packet->owner] : NULL;
    if (!pair || pair->spi_in != spi) /* a packet before it in the burst has ended the pair */
        return DROP_ESP_SPI;
    const uint32_t slot = pair->peer;
    struct peer *peer = stack_peer_at(s, slot);
    if (!pair->heard)
        stack_pair_heard(s, now, pair);
    const enum drop verdict = strip_udp(peer, packet);
    if (verdict != DROP_NONE)
        return verdict;
    const enum drop judged = l2tp_packet(s, now, peer->carrier, packet);
    peer = stack_peer_at(s, slot);
    if (peer && judged == DROP_NONE) /* L2TPv3 and stray Hellos ask for no tunnel */
        peer->heard_l2tp = true;
    return judged;
}

/* Whether a peer is now where this packet came from. One that was long on its way still comes from where the peer has
 * been: it moves nobody back. */
static bool has_moved(const struct peer *peer, const struct pair *pair, const struct packet *packet)
{
    return packet->newest && pair->born >= peer->moved;
}

/* Life and path are noted once per datagram and SA, not once per packet. */
static void note_path(struct stack *s, usec_t now, const struct packet *packet)
{
    const struct pair *pair = packet->owner < s->pairs_cap ? s->pairs[packet->owner] : NULL;
    struct peer *peer = pair ? stack_peer_at(s, pair->peer) : NULL;
    if (!peer)
        return;
    const struct path *path = &s->datagrams[packet->origin].path;
    if (path->remote.port == 0) { /* ESP without UDP says nothing about IKE's ports, and nobody moves without a NAT */
        path = &peer->path;
    } else if (!path_equal(path, &peer->path)) {
        if (has_moved(peer, pair, packet)) {
            peer->moved = pair->born;
            stack_peer_moved(s, peer, path);
        }
        path = &peer->path;
    }
    ike_peer_alive(s->ike, now, peer->ike_peer, path);
}

static void open_burst(struct stack *s, usec_t now)
{
    const uint32_t n = s->pending;
    s->pending = 0;
    if (n == 0)
        return;
    esp_open(s->esp, s->burst, s->spis, n);
    uint32_t origin = UINT32_MAX, owner = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) {
        struct packet *packet = &s->burst[i];
        enum drop verdict = (enum drop)packet->verdict;
        if (verdict == DROP_NONE) {
            if (packet->origin != origin || packet->owner != owner)
                note_path(s, now, packet);
            origin = packet->origin;
            owner = packet->owner;
            verdict = esp_packet(s, now, packet, s->spis[i]);
        }
        if (verdict != DROP_NONE)
            count_drop(s, verdict);
    }
}

static void add_esp(struct stack *s, usec_t now, uint8_t *data, uint32_t len, uint32_t origin)
{
    s->burst[s->pending++] = (struct packet){.data = data, .len = len, .origin = origin};
    if (s->pending == BURST_MAX)
        open_burst(s, now);
}

/* ---- one datagram ---- */

static enum drop ike_datagram(struct stack *s, usec_t now, const struct path *path, struct view message)
{
    open_burst(s, now); /* in the order of arrival: a Delete must not overtake the packets before it */
    const enum drop verdict = ike_input(s->ike, now, path, message);
    stack_settle(s, now);
    return verdict;
}

static enum drop plain_datagram(struct stack *s, usec_t now, const struct path *path, uint8_t *data, uint32_t len)
{
    if (!s->config.allow_plain)
        return DROP_L2TP_PLAIN;
    const bool control = l2tp_is_control(view_of(data, len));
    struct peer *peer = stack_peer_plain(s, path, control);
    if (!peer)
        return DROP_L2TP_TUNNEL;
    struct packet packet = {.data = data, .len = len};
    const enum drop verdict = l2tp_packet(s, now, peer->carrier, &packet);
    if (control && (peer = stack_peer_plain(s, path, false)) != NULL) /* with its last tunnel it has gone already */
        stack_peer_release_plain(s, now, peer, CAUSE_NONE);           /* it opened nothing: nothing of it is kept */
    return verdict;
}

static enum drop classify(struct stack *s, usec_t now, const struct path *path, uint8_t *data, uint32_t len,
                          uint32_t origin)
{
    struct reader r = rd_init(view_of(data, len));
    if (len == 0)
        return DROP_DATAGRAM_SHORT;
    if (path->local.port == L2TP_PORT)
        return plain_datagram(s, now, path, data, len);
    if (path->local.port != 0 && !path_is_natt(path))
        return ike_datagram(s, now, path, rd_rest(&r));
    if (path->local.port != 0 && len == 1)
        return data[0] == 0xff ? DROP_DATAGRAM_KEEPALIVE : DROP_DATAGRAM_SHORT;
    const uint32_t marker = rd_u32(&r);
    if (!rd_ok(&r))
        return DROP_DATAGRAM_SHORT;
    if (path->local.port != 0 && marker == 0)
        return ike_datagram(s, now, path, rd_rest(&r));
    add_esp(s, now, data, len, origin);
    return DROP_NONE;
}

void stack_inbound(struct stack *s, usec_t now, const struct datagram *in, size_t n)
{
    s->datagrams = in;
    for (size_t i = 0; i < n; i++) {
        const uint32_t step = in[i].segment ? in[i].segment : in[i].len;
        uint32_t at = 0;
        do {
            const uint32_t left = in[i].len - at, len = left < step ? left : step;
            const enum drop verdict = classify(s, now, &in[i].path, in[i].data + at, len, (uint32_t)i);
            if (verdict != DROP_NONE)
                count_drop(s, verdict);
            at += len;
        } while (at < in[i].len);
    }
    open_burst(s, now);
    pairs_expire(s, now);
    stack_settle(s, now);
    s->datagrams = NULL;
}

const struct frame_pieces *stack_deliver(struct stack *s)
{
    const struct frame_pieces *frame = coalesce_take(s->coalesce);
    if (!frame)
        s->too_big_n = 0;
    return frame;
}
