/* Pairs of ESP SAs as IKE sees them: SPIs, lifetimes, and who replaces whom. Keys are told once and not kept. */
#include "ike/ike_internal.h"

#include <stdlib.h>

#define SOFT_PERCENT_INITIATOR 90 /* of the lifetime, when we make a new pair */
#define SOFT_PERCENT_RESPONDER 97 /* when the peer should have done so and did not */
#define JITTER_PERCENT         5
#define LIFETIME_KEPT_MAX      86400 /* seconds of what a peer asks for that it gets when no new pair can be made */
#define IN_FLIGHT              (5 * USEC_SEC) /* what the peer has sent before it reads our Delete comes within */

static void soft_ring(struct ike *ike, struct alarm *a)
{
    struct child *c = container_of(a, struct child, soft);
    if (c->replaced || c->rekeying)
        return;
    c->rekeying = true;
    peer_want_quick(ike, c->peer, c->spi_in);
}

static void send_delete(struct ike *ike, struct sa *sa, struct child *c)
{
    struct draft d;
    info_begin(ike, sa, &d);
    draft_payload(&d, PAYLOAD_DELETE);
    wr_u32(&d.w, IKE_DOI);
    wr_u8(&d.w, PROTO_ESP);
    wr_u8(&d.w, 4);
    wr_u16(&d.w, 1);
    wr_u32(&d.w, c->spi_in);
    draft_payload_end(&d);
    info_send(ike, sa, &d);
    c->deleted = true;
}

/* Our own lifetime may be shorter than what the peer asked for, and is not told (RFC 2407 4.5.4 would have a way, which
 * clients do not know). So it says when we make a new pair, and not when the old one ends: when none came of it, since
 * the IKE SA is gone, or the peer does not let us begin, the peer gets what it asked for, up to a day, and we go on
 * trying. What always holds is the limit in bytes, and that of ESP's sequence numbers. One that was replaced is still
 * heard for a moment: its packets may be on the way. */
static void hard_ring(struct ike *ike, struct alarm *a)
{
    struct child *c = container_of(a, struct child, hard);
    struct sa *sa = peer_sa(c->peer);
    if (!c->replaced && ike->now < c->until) {
        c->overdue = true;
        alarm_set(ike, &c->hard, c->until);
    } else if (c->replaced && !c->deleted && sa) {
        send_delete(ike, sa, c);
        alarm_set(ike, &c->hard, ike->now + IN_FLIGHT);
    } else {
        child_down(ike, c, CAUSE_NONE, true);
    }
}

static void arm(struct ike *ike, struct child *c, uint32_t told)
{
    const usec_t life = c->lifetime * USEC_SEC;
    const uint32_t jitter = c->initiator ? random_below(&ike->env.random, JITTER_PERCENT + 1) : 0;
    const uint32_t percent = (c->initiator ? SOFT_PERCENT_INITIATOR : SOFT_PERCENT_RESPONDER) - jitter;
    alarm_set(ike, &c->soft, ike->now + life / 100 * percent);
    const usec_t margin = c->initiator ? 0 : EXPIRY_MARGIN;
    alarm_set(ike, &c->hard, ike->now + life + margin);
    c->until = ike->now + (told < LIFETIME_KEPT_MAX ? told : LIFETIME_KEPT_MAX) * USEC_SEC + margin;
}

/* Who makes way for a new one: what nobody uses, else the oldest. */
static struct child *least_needed(struct peer *peer)
{
    LIST_EACH_SAFE(l, &peer->children)
    {
        struct child *c = container_of(l, struct child, of_peer);
        if (c->replaced || !c->confirmed)
            return c;
    }
    return container_of(peer->children.next, struct child, of_peer);
}

static void reschedule(struct ike *ike, struct peer *peer)
{
    LIST_EACH_SAFE(l, &peer->sas)
    sa_schedule_end(ike, container_of(l, struct sa, of_peer));
}

struct child *child_new(struct ike *ike, struct peer *peer, const struct quick *q)
{
    const struct quick_work *w = q->work;
    const uint32_t told = w->suite.lifetime ? w->suite.lifetime : LIFETIME_CHILD_DEFAULT;
    const uint32_t own = ike->config.child_lifetime ? ike->config.child_lifetime : told;
    struct child *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    if (peer->child_count >= CHILDREN_MAX)
        child_down(ike, least_needed(peer), CAUSE_REPLACED, true);
    c->peer = peer;
    c->spi_in = w->spi_in;
    c->spi_out = w->spi_out;
    c->lifetime = told < own ? told : own;
    c->attempt = q->sa->attempt;
    c->port_local = w->port_local;
    c->port_remote = w->port_remote;
    c->host_local = w->host_local;
    c->host_remote = w->host_remote;
    c->initiator = q->initiator;
    if (!q->initiator)
        peer->selects = w->host_remote;
    c->soft.ring = soft_ring;
    c->hard.ring = hard_ring;
    index_add(&ike->by_spi, &c->node, c->spi_in);
    list_append(&peer->children, &c->of_peer);
    ike->child_count++;
    if (peer->child_count++ == 0)
        reschedule(ike, peer);
    arm(ike, c, told);
    return c;
}

struct child *child_find(const struct ike *ike, uint32_t spi_in)
{
    struct index_node *n = index_find(&ike->by_spi, spi_in, NULL);
    return n ? container_of(n, struct child, node) : NULL;
}

static void tell(struct ike *ike, const struct child *c, enum ike_event_type type, enum cause cause)
{
    struct ike_event *e = queue_event(ike, type);
    if (!e)
        return;
    e->peer = c->peer->number;
    e->attempt = c->attempt;
    e->path = c->peer->path;
    e->cause = cause;
    e->child.spi_in = c->spi_in;
    e->child.spi_out = c->spi_out;
    e->child.lifetime = c->lifetime;
    e->child.port_local = c->port_local;
    e->child.port_remote = c->port_remote;
}

static bool ports_overlap(uint16_t a, uint16_t b)
{
    return a == 0 || b == 0 || a == b;
}

/* A younger one can do all of its work. */
static bool is_superseded(const struct child *c)
{
    for (const struct link *l = c->of_peer.next; l != &c->peer->children; l = l->next) {
        const struct child *younger = container_of(l, struct child, of_peer);
        if (younger->confirmed && !younger->deleted && ports_overlap(younger->port_local, c->port_local) &&
            ports_overlap(younger->port_remote, c->port_remote))
            return true;
    }
    return false;
}

/* Says anew who is replaced. Whoever is no longer, since the younger one went first, is ours to rekey again; whoever
 * has waited for it beyond our lifetime has not long to live. */
static void reconsider(struct ike *ike, struct peer *peer)
{
    LIST_EACH_SAFE(l, &peer->children)
    {
        struct child *c = container_of(l, struct child, of_peer);
        const bool before = c->replaced;
        c->replaced = c->deleted || is_superseded(c);
        if (!before && c->replaced && c->overdue)
            alarm_set(ike, &c->hard, ike->now + EXPIRY_MARGIN);
        if (before && !c->replaced && (c->rekeying || !alarm_is_set(&c->soft)))
            child_retry(ike, c->spi_in);
    }
}

void child_use(struct ike *ike, struct child *c)
{
    if (c->confirmed)
        return;
    c->confirmed = true;
    tell(ike, c, IKE_EVENT_CHILD_USE, CAUSE_NONE);
    if (c->quick && c->quick->state == QUICK_QM3_WAIT) {
        resend_stop(ike, &c->quick->resend);
        alarm_set(ike, &c->quick->resend.alarm, ike->now + MEMORY_LIFE);
    }
    reconsider(ike, c->peer);
}

void child_retry(struct ike *ike, uint32_t spi_in)
{
    struct child *c = child_find(ike, spi_in);
    if (!c)
        return;
    c->rekeying = false;
    alarm_set(ike, &c->soft, ike->now + (c->overdue ? REKEY_RETRY_LATE : REKEY_RETRY));
}

void child_down(struct ike *ike, struct child *c, enum cause cause, bool tell_peer)
{
    struct peer *peer = c->peer;
    struct sa *sa = peer_sa(peer);
    if (tell_peer && sa && !c->deleted)
        send_delete(ike, sa, c);
    tell(ike, c, IKE_EVENT_CHILD_DOWN, cause);
    ike->env.spi_release(ike->env.ctx, c->spi_in);
    if (c->quick)
        c->quick->child = NULL;
    alarm_clear(ike, &c->soft);
    alarm_clear(ike, &c->hard);
    index_remove(&ike->by_spi, &c->node);
    list_remove(&c->of_peer);
    ike->child_count--;
    free(c);
    reconsider(ike, peer);
    if (--peer->child_count == 0 && !peer->ending)
        reschedule(ike, peer);
    peer_settle(ike, peer);
}

void ike_child_rekey(struct ike *ike, usec_t now, uint32_t spi_in)
{
    ike->now = now;
    struct child *c = child_find(ike, spi_in);
    if (!c || c->replaced || c->rekeying)
        return;
    c->rekeying = true;
    peer_want_quick(ike, c->peer, spi_in);
}

void ike_child_close(struct ike *ike, usec_t now, uint32_t spi_in)
{
    ike->now = now;
    struct child *c = child_find(ike, spi_in);
    if (c)
        child_down(ike, c, CAUSE_NONE, true);
}

void ike_child_alive(struct ike *ike, usec_t now, uint32_t spi_in)
{
    ike->now = now;
    struct child *c = child_find(ike, spi_in);
    if (!c)
        return;
    c->peer->alive = now;
    child_use(ike, c);
}
