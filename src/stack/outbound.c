/*
 * The road out: frames of the TUN become datagrams.
 *
 *   frame -> session by inner destination -> split into packets (one copy, straight to where they are sent from)
 *         -> PPP -> L2TP -> UDP -> ESP, sealed in bursts over all SAs -> datagrams of equal size in a row
 */
#include "stack/stack_internal.h"

/* What the packets of one frame have in common. */
struct lane {
    struct session *session;
    struct peer *peer;
    uint16_t protocol; /* of PPP */
    struct path path;
    uint32_t handle;   /* outbound SA */
    uint32_t esp_head; /* ESP header and IV */
    uint32_t headers;  /* UDP, L2TP, PPP */
    uint32_t len;      /* of the packet placed last; and how long it becomes */
    uint32_t sealed;
};

static struct session *session_for(const struct stack *s, const struct ip_info *ip)
{
    /* a client has one session, and everything that the TUN yields is for it */
    if (s->sessions_n == 1 && s->by_inner && !s->by_inner->server)
        return s->by_inner;
    return stack_session_by_inner(s, ip4_value(&ip->dst));
}

static enum drop find_lane(struct stack *s, const struct ip_info *ip, struct lane *out)
{
    struct session *session = session_for(s, ip);
    if (!session)
        return DROP_IP_NO_SESSION;
    struct peer *peer = stack_peer_at(s, session->peer);
    if (!session->up || !(peer->plain || peer->current))
        return DROP_IP_NOT_UP;
    *out = (struct lane){
        .session = session,
        .peer = peer,
        .protocol = ip->version == 4 ? PPP_IP : PPP_IPV6,
        .path = data_path(peer),
        .handle = peer->plain ? 0 : peer->current->handle,
        .esp_head = peer->plain ? 0 : esp_headroom(s->esp, peer->current->handle),
        .headers = (peer->plain ? 0 : UDP_HEADER) + l2tp_data_overhead(s->l2tp, session->number) +
                   ppp_data_overhead(session->ppp),
    };
    return DROP_NONE;
}

/* Tells the sender; the answer goes back through the TUN with this burst's frames. */
static enum drop too_big(struct stack *s, const struct lane *lane, const struct frame *frame)
{
    if (s->too_big_n == ARRAY_LEN(s->too_big))
        return DROP_IP_TOO_BIG;
    struct writer w = wr_init(s->too_big[s->too_big_n], sizeof(s->too_big[0]));
    /* From the far end of the link: the kernel drops what comes in with an address of its own. */
    const struct ip_addr *from = &lane->session->network.remote;
    if (ip_too_big(view_of(frame->data, frame->len), from, lane->session->mtu, &w) == ERR_OK) {
        coalesce_add(s->coalesce, s->too_big[s->too_big_n], (uint32_t)w.n);
        s->too_big_n++;
    }
    return DROP_IP_TOO_BIG;
}

/* Puts the layers around a packet whose IP part is in place. */
static enum drop wrap(struct stack *s, const struct lane *lane, struct packet *packet)
{
    if (!ppp_data_seal(lane->session->ppp, lane->protocol, packet))
        return DROP_IP_NOT_UP;
    if (!l2tp_data_seal(s->l2tp, lane->session->number, packet))
        return DROP_L2TP_SESSION;
    if (lane->peer->plain)
        return DROP_NONE;
    if (!packet_push(packet, UDP_HEADER))
        return DROP_ESP_ROOM;
    udp_header_put(lane->peer, packet->data, packet->len);
    outbox_seal_later(s, packet, lane->handle);
    return DROP_NONE;
}

/* The packets of a frame are equal in length but for the last. */
static uint32_t sealed_length(const struct stack *s, struct lane *lane, uint32_t len)
{
    if (len == lane->len)
        return lane->sealed;
    const uint32_t plain = lane->headers + len;
    lane->len = len;
    lane->sealed = lane->peer->plain ? plain : esp_sealed_length(s->esp, lane->handle, plain);
    return lane->sealed;
}

/* Opens the place of a packet of len bytes in the outbox; NULL when that cannot be (counted). */
static uint8_t *place(struct stack *s, struct lane *lane, uint32_t len, struct packet *packet)
{
    const uint32_t head = lane->esp_head + lane->headers, sealed = sealed_length(s, lane, len);
    uint32_t index;
    if (sealed < head + len) { /* esp does not know the SA: nothing may be written for it */
        count_drop(s, DROP_ESP_SPI);
        return NULL;
    }
    uint8_t *p = outbox_join(s, lane->peer, &lane->path, sealed, &index);
    if (!p)
        return NULL;
    *packet = (struct packet){.data = p + head,
                              .len = len,
                              .headroom = (uint16_t)head,
                              .tailroom = (uint16_t)(sealed - head - len),
                              .origin = index};
    return packet->data;
}

static enum drop send_placed(struct stack *s, const struct lane *lane, struct packet *packet)
{
    const enum drop verdict = wrap(s, lane, packet);
    if (verdict != DROP_NONE)
        s->out.list[packet->origin].len = 0; /* half a packet: never sent */
    return verdict;
}

static void clamp(const struct lane *lane, const struct split *split, uint8_t *packet)
{
    if (split->count == 1) /* a super-packet never is a SYN */
        ip_clamp_mss(packet, &split->ip, (uint16_t)(lane->session->mtu - 40), (uint16_t)(lane->session->mtu - 60));
}

static enum drop send_packets(struct stack *s, struct lane *lane, const struct split *split)
{
    struct packet packet;
    enum drop verdict = DROP_NONE;
    for (uint32_t i = 0; i < split->count && verdict == DROP_NONE; i++) {
        uint8_t *p = place(s, lane, split_length(split, i), &packet);
        if (!p)
            return DROP_NONE;
        split_write(split, i, p);
        clamp(lane, split, p);
        verdict = send_placed(s, lane, &packet);
    }
    return verdict;
}

/* A packet too big for the tunnel whose sender allows fragments. */
static enum drop send_fragments(struct stack *s, struct lane *lane, const struct split *split)
{
    struct ip4_fragments fragments;
    struct packet packet;
    enum drop verdict = DROP_NONE;
    split_write(split, 0, s->whole); /* completes its checksum first */
    if (ip4_fragments(view_of(s->whole, split_length(split, 0)), lane->session->mtu, &fragments) != ERR_OK)
        return DROP_IP_TOO_BIG;
    for (uint32_t i = 0; i < fragments.count && verdict == DROP_NONE; i++) {
        uint8_t *p = place(s, lane, ip4_fragment_length(&fragments, i), &packet);
        if (!p)
            return DROP_NONE;
        ip4_fragment_write(&fragments, i, p);
        verdict = send_placed(s, lane, &packet);
    }
    return verdict;
}

static enum drop send_frame(struct stack *s, const struct frame *frame)
{
    struct split split;
    struct lane lane;
    enum drop verdict = split_begin(&split, frame);
    if (verdict == DROP_NONE)
        verdict = find_lane(s, &split.ip, &lane);
    if (verdict != DROP_NONE)
        return verdict;
    if (split_length(&split, 0) <= lane.session->mtu)
        verdict = send_packets(s, &lane, &split);
    else if (split.count == 1 && !split.ip.dont_fragment)
        verdict = send_fragments(s, &lane, &split);
    else
        verdict = too_big(s, &lane, frame);
    if (verdict != DROP_NONE)
        return verdict;
    lane.session->out_packets += split.count;
    lane.session->out_bytes += frame->len;
    s->counters.out_packets += split.count;
    s->counters.out_bytes += frame->len;
    return DROP_NONE;
}

void send_inner(struct stack *s, struct view packet)
{
    const enum drop verdict = send_frame(s, &(struct frame){.data = packet.p, .len = (uint32_t)packet.n});
    if (verdict != DROP_NONE)
        count_drop(s, verdict);
}

void stack_outbound(struct stack *s, usec_t now, const struct frame *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const enum drop verdict = send_frame(s, &in[i]);
        if (verdict != DROP_NONE)
            count_drop(s, verdict);
    }
    outbox_flush(s);
    pairs_expire(s, now);
    stack_settle(s, now);
}
