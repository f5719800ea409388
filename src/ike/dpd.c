/* Dead peer detection (RFC 3706): asked only when a peer that announced it has been silent. Any authenticated message
 * and any authenticated ESP packet proves life, so that ike_peer_alive() is all that busy peers cost. */
#include "ike/ike_internal.h"

#include <string.h>

#define SEQUENCE_SIZE 4

static void send(struct ike *ike, struct sa *sa, uint16_t type, uint32_t sequence)
{
    struct draft d;
    uint8_t cookies[2 * COOKIE_SIZE], number[SEQUENCE_SIZE];
    memcpy(cookies, sa->cookies.icookie, COOKIE_SIZE);
    memcpy(cookies + COOKIE_SIZE, sa->cookies.rcookie, COOKIE_SIZE);
    be32_put(number, sequence);
    info_begin(ike, sa, &d);
    draft_notify(&d, PROTO_ISAKMP, type, VIEW(cookies), VIEW(number));
    info_send(ike, sa, &d);
}

/* One of the questions that we sent, coming back to us. */
static bool is_ours(const struct peer *peer, uint32_t sequence)
{
    return sequence - peer->dpd_first < peer->dpd_sent + 1 - peer->dpd_first;
}

enum drop dpd_input(struct ike *ike, struct sa *sa, const struct notify *n, const struct path *path)
{
    struct reader r = rd_init(n->data);
    const uint32_t sequence = rd_u32(&r);
    struct peer *peer = sa->peer;
    if (!rd_done(&r))
        return DROP_IKE_MALFORMED;
    if (n->type == NOTIFY_R_U_THERE_ACK) {
        if (!peer->dpd_asking || sequence != peer->dpd_sent)
            return DROP_IKE_DPD;
        peer->dpd_asking = false;
        sa_seen(ike, sa, path);
        return DROP_NONE;
    }
    /* RFC 3706 6.2: not below what was seen. Some repeat a question under its old number: it is answered. */
    if ((sa->dpd_seen_any && (int32_t)(sequence - sa->dpd_seen) < 0) || is_ours(peer, sequence))
        return DROP_IKE_DPD;
    if (!sa->dpd_seen_any || sequence != sa->dpd_seen)
        sa_seen(ike, sa, path);
    sa->dpd_seen_any = true;
    sa->dpd_seen = sequence;
    send(ike, sa, NOTIFY_R_U_THERE_ACK, sequence);
    return DROP_NONE;
}

void peer_watch(struct ike *ike, struct peer *peer)
{
    const bool watched = peer->dpd && ike->config.dpd_interval != 0;
    alarm_set(ike, &peer->watch, watched ? peer->alive + ike->config.dpd_interval : USEC_NEVER);
}

static void declare_dead(struct ike *ike, struct peer *peer)
{
    struct ike_event *e = queue_event(ike, IKE_EVENT_DEAD);
    if (e) {
        e->peer = peer->number;
        e->path = peer->path;
        e->cause = CAUSE_PEER_SILENT;
        const struct sa *sa = peer_sa(peer);
        e->attempt = sa ? sa->attempt : 0;
    }
    peer_end(ike, peer, CAUSE_PEER_SILENT, false);
}

void ike_probe(struct ike *ike, usec_t now, uint32_t number)
{
    ike->now = now;
    struct peer *peer = peer_get(ike, number);
    struct sa *sa = peer && peer->dpd && ike->config.dpd_interval != 0 ? peer_sa(peer) : NULL;
    if (!sa)
        return;
    if (!peer->dpd_asking)
        peer->dpd_sent++;
    send(ike, sa, NOTIFY_R_U_THERE, peer->dpd_sent);
    peer->dpd_asking = true;
    alarm_set(ike, &peer->watch, ike->now + DPD_REPEAT);
}

void dpd_ring(struct ike *ike, struct alarm *a)
{
    struct peer *peer = container_of(a, struct peer, watch);
    struct sa *sa = peer_sa(peer);
    const usec_t silent = ike->now - peer->alive;
    if (!sa || ike->config.dpd_interval == 0)
        return; /* begins again with the next main mode */
    if (silent < ike->config.dpd_interval) {
        peer->dpd_asking = false;
        alarm_set(ike, a, peer->alive + ike->config.dpd_interval);
        return;
    }
    if (peer->dpd_asking && silent >= ike->config.dpd_timeout) {
        declare_dead(ike, peer);
        return;
    }
    if (!peer->dpd_asking)
        peer->dpd_sent++;
    peer->dpd_asking = true;
    send(ike, sa, NOTIFY_R_U_THERE, peer->dpd_sent);
    usec_t next = ike->now + DPD_REPEAT;
    if (peer->alive + ike->config.dpd_timeout > ike->now)
        next = usec_min(next, peer->alive + ike->config.dpd_timeout);
    alarm_set(ike, a, next);
}
