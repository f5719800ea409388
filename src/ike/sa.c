/* IKE SAs: making, finding, ageing and ending them. Keyed by our own cookie, which is random, so that no peer can
 * choose its place in the table. */
#include "ike/ike_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RENEWAL_PERCENT 90 /* of the lifetime, when we as initiator begin anew */
#define JITTER_PERCENT  5

uint64_t cookie_key(const uint8_t cookie[static COOKIE_SIZE])
{
    return (uint64_t)be32_get(cookie) << 32 | be32_get(cookie + 4);
}

void cookie_make(struct ike *ike, uint8_t cookie[static COOKIE_SIZE])
{
    const uint8_t mask = (uint8_t)((1u << ike->config.shard_bits) - 1);
    do {
        random_fill(&ike->env.random, cookie, COOKIE_SIZE);
        cookie[0] = (uint8_t)((cookie[0] & ~mask) | (ike->config.shard & mask));
    } while (cookie_key(cookie) == 0);
}

/* ---- timers ---- */

static void resend_ring(struct ike *ike, struct alarm *a)
{
    struct sa *sa = container_of(a, struct sa, resend.alarm);
    if (!sa->resend.armed)
        resend_done(ike, &sa->resend);
    else if (!resend_again(ike, &sa->resend, &sa->path))
        initiator_timeout(ike, sa);
    else
        probe_begin(ike, sa);
}

/* Main mode took too long. */
static void phase1_expired(struct ike *ike, struct sa *sa)
{
    if (!sa->initiator && sa->proofs > 0) {
        sa_free(ike, sa); /* told when the proof failed */
        return;
    }
    if (signature_is_out(sa)) {
        sa_failed(ike, sa, CAUSE_CERT_LATE, "");
        return;
    }
    if (sa->initiator) {
        initiator_timeout(ike, sa); /* nothing better came after a complaint */
        return;
    }
    const bool blocked = sa->state == SA_MM5_WAIT && sa->natt_agreed && (sa->nat_local || sa->nat_remote) &&
                         sa->path.local.port == IKE_PORT;
    const bool large = !blocked && sa->state == SA_MM5_WAIT && sa->suite.auth != IKE_AUTH_PSK;
    sa_failed(ike, sa, blocked ? CAUSE_IKE_NATT_BLOCKED : CAUSE_IKE_NO_ANSWER,
              large ? "no certificate came: large datagrams may be lost on the way" : "");
}

static void expiry_ring(struct ike *ike, struct alarm *a)
{
    struct sa *sa = container_of(a, struct sa, expiry);
    if (sa->state != SA_UP) {
        phase1_expired(ike, sa);
        return;
    }
    sa_send_delete(ike, sa);
    sa_down(ike, sa, CAUSE_IKE_EXPIRED);
}

static void renewal_ring(struct ike *ike, struct alarm *a)
{
    struct sa *sa = container_of(a, struct sa, renewal);
    if (!sa->replaced && sa->peer->initiator)
        (void)initiator_begin(ike, sa->peer);
}

static void keepalive_ring(struct ike *ike, struct alarm *a)
{
    struct sa *sa = container_of(a, struct sa, keepalive);
    if (!sa->replaced)
        queue_datagram(ike, &sa->path, VIEW_NONE);
    if (ike->config.natt_keepalive)
        alarm_set(ike, a, ike->now + ike->config.natt_keepalive);
}

/* ---- life ---- */

static struct sa *oldest_young(struct ike *ike)
{
    return list_empty(&ike->young) ? NULL : container_of(ike->young.next, struct sa, young);
}

/* Whoever is not authenticated makes way, oldest first; nobody else does. */
static bool make_room(struct ike *ike, bool initiator)
{
    const uint32_t young_max = ike->config.max_half_open ? ike->config.max_half_open : 1;
    if (!initiator && ike->young_count >= young_max)
        sa_free(ike, oldest_young(ike));
    if (ike->sa_count < ike->config.max_sas)
        return true;
    struct sa *victim = oldest_young(ike);
    if (!victim)
        return false;
    sa_free(ike, victim);
    return true;
}

struct sa *sa_new(struct ike *ike, bool initiator, const struct path *path, const struct header *cookies,
                  uint64_t attempt)
{
    if (!make_room(ike, initiator))
        return NULL;
    struct sa *sa = calloc(1, sizeof(*sa));
    struct phase1 *phase1 = calloc(1, sizeof(*phase1));
    if (!sa || !phase1) {
        free(sa);
        free(phase1);
        return NULL;
    }
    sa->phase1 = phase1;
    phase1->dh.sa = phase1->proof.sa = sa;
    sa->initiator = initiator;
    sa->path = *path;
    sa->cookies = *cookies;
    sa->attempt = attempt;
    sa->resend.alarm.ring = resend_ring;
    sa->expiry.ring = expiry_ring;
    sa->renewal.ring = renewal_ring;
    sa->keepalive.ring = keepalive_ring;
    list_init(&sa->quicks);
    index_add(&ike->by_cookie, &sa->node, cookie_key(initiator ? cookies->icookie : cookies->rcookie));
    ike->sa_count++;
    if (initiator)
        return sa;
    list_append(&ike->young, &sa->young);
    ike->young_count++;
    source_add(ike, &sa->source, &path->remote.addr);
    alarm_set(ike, &sa->expiry, ike->now + HALF_OPEN_LIFE);
    return sa;
}

static bool has_cookies(const struct sa *sa, const struct header *h)
{
    return memcmp(sa->cookies.icookie, h->icookie, COOKIE_SIZE) == 0 &&
           (cookie_key(sa->cookies.rcookie) == 0 || memcmp(sa->cookies.rcookie, h->rcookie, COOKIE_SIZE) == 0);
}

static struct sa *find_own(struct ike *ike, const struct header *h, bool initiator)
{
    const uint64_t key = cookie_key(initiator ? h->icookie : h->rcookie);
    for (struct index_node *n = index_find(&ike->by_cookie, key, NULL); n; n = index_find(&ike->by_cookie, key, n)) {
        struct sa *sa = container_of(n, struct sa, node);
        if (sa->initiator == initiator && has_cookies(sa, h))
            return sa;
    }
    return NULL;
}

struct sa *sa_find(struct ike *ike, const struct header *h)
{
    struct sa *sa = find_own(ike, h, false);
    return sa ? sa : find_own(ike, h, true);
}

static void burn_phase1(struct ike *ike, struct sa *sa)
{
    if (!sa->phase1)
        return;
    work_forget(ike, &sa->phase1->dh);
    proof_forget(ike, &sa->phase1->proof);
    bytes_wipe(sa->phase1, sizeof(*sa->phase1));
    free(sa->phase1);
    sa->phase1 = NULL;
}

static void leave_youth(struct ike *ike, struct sa *sa)
{
    if (!sa->young.next)
        return;
    list_remove(&sa->young);
    ike->young_count--;
    source_remove(ike, &sa->source);
}

static void fall_back(struct ike *ike, struct peer *peer)
{
    struct sa *sa = peer_sa(peer);
    if (!sa || !sa->replaced)
        return;
    sa->replaced = false;
    if (sa->initiator && !alarm_is_set(&sa->renewal))
        alarm_set(ike, &sa->renewal, ike->now + REKEY_RETRY);
}

void sa_free(struct ike *ike, struct sa *sa)
{
    const bool worked = sa->state == SA_UP && !sa->replaced;
    LIST_EACH_SAFE(l, &sa->quicks)
    quick_free(ike, container_of(l, struct quick, of_sa));
    leave_youth(ike, sa);
    probe_forget(ike, sa);
    burn_phase1(ike, sa);
    resend_done(ike, &sa->resend);
    alarm_clear(ike, &sa->expiry);
    alarm_clear(ike, &sa->renewal);
    alarm_clear(ike, &sa->keepalive);
    index_remove(&ike->by_cookie, &sa->node);
    ike->sa_count--;
    struct peer *peer = sa->peer;
    if (peer) {
        list_remove(&sa->of_peer);
        peer->sa_count--;
    }
    bytes_wipe(sa, sizeof(*sa));
    free(sa);
    if (!peer)
        return;
    if (worked)
        fall_back(ike, peer);
    peer_settle(ike, peer);
}

void sa_down(struct ike *ike, struct sa *sa, enum cause cause)
{
    struct ike_event *e = sa_event(ike, sa, IKE_EVENT_DOWN);
    if (e)
        e->cause = cause;
    sa_free(ike, sa);
}

void sa_told(struct ike *ike, const struct sa *sa, enum cause cause, const char *detail)
{
    struct ike_event *e = sa_event(ike, sa, IKE_EVENT_FAILED);
    if (!e)
        return;
    e->stage = sa->stage;
    e->cause = cause;
    snprintf(e->detail, sizeof(e->detail), "%s", detail);
}

void sa_failed(struct ike *ike, struct sa *sa, enum cause cause, const char *detail)
{
    sa_told(ike, sa, cause, detail);
    if (sa->peer && sa->peer->quick_due)
        child_retry(ike, sa->peer->quick_replaces);
    sa_free(ike, sa);
}

static usec_t percent_of(usec_t span, uint32_t percent)
{
    return span / 100 * percent;
}

void sa_schedule_end(struct ike *ike, struct sa *sa)
{
    if (sa->state != SA_UP)
        return;
    const bool childless = !sa->initiator && sa->peer->child_count == 0;
    alarm_set(ike, &sa->expiry, childless ? usec_min(sa->until, ike->now + CHILDLESS_LIFE) : sa->until);
}

void sa_established(struct ike *ike, struct sa *sa)
{
    const uint32_t told = sa->suite.lifetime ? sa->suite.lifetime : LIFETIME_IKE_DEFAULT;
    const uint32_t own = ike->config.ike_lifetime ? ike->config.ike_lifetime : LIFETIME_IKE_DEFAULT;
    const usec_t life = (told < own ? told : own) * USEC_SEC;
    leave_youth(ike, sa);
    probe_forget(ike, sa);
    burn_phase1(ike, sa);
    sa->state = SA_UP;
    sa->until = ike->now + life + EXPIRY_MARGIN;
    sa_schedule_end(ike, sa);
    if (sa->initiator) {
        const usec_t jitter = percent_of(life, random_below(&ike->env.random, JITTER_PERCENT + 1));
        alarm_set(ike, &sa->renewal, ike->now + percent_of(life, RENEWAL_PERCENT) - jitter);
    }
    resend_stop(ike, &sa->resend);
    if (sa->resend.bytes)
        alarm_set(ike, &sa->resend.alarm, ike->now + MEMORY_LIFE);
    if (sa->natt_agreed && sa->nat_local && ike->config.natt_keepalive)
        alarm_set(ike, &sa->keepalive, ike->now + ike->config.natt_keepalive);
}

void sa_send_delete(struct ike *ike, struct sa *sa)
{
    struct draft d;
    if (sa->state != SA_UP)
        return;
    info_begin(ike, sa, &d);
    sa_delete_write(sa, &d);
    info_send(ike, sa, &d);
}

void sa_delete_write(const struct sa *sa, struct draft *d)
{
    draft_payload(d, PAYLOAD_DELETE);
    wr_u32(&d->w, IKE_DOI);
    wr_u8(&d->w, PROTO_ISAKMP);
    wr_u8(&d->w, 2 * COOKIE_SIZE);
    wr_u16(&d->w, 1);
    wr_bytes(&d->w, sa->cookies.icookie, COOKIE_SIZE);
    wr_bytes(&d->w, sa->cookies.rcookie, COOKIE_SIZE);
    draft_payload_end(d);
}

void sa_seen(struct ike *ike, struct sa *sa, const struct path *path)
{
    sa->peer->alive = ike->now;
    sa->heard = true;
    if (path_equal(&sa->path, path))
        return;
    sa->path = *path;
    if (!sa->replaced)
        peer_moved(ike, sa->peer, path, true);
}

/* ---- message ids of phase 2 ---- */

bool seen_first(struct seen *s, uint32_t message_id)
{
    for (size_t i = 0; i < MESSAGE_IDS_KEPT; i++) {
        if (s->ids[i] == message_id)
            return false;
    }
    s->ids[s->at] = message_id;
    s->at = (uint8_t)((s->at + 1) % MESSAGE_IDS_KEPT);
    return true;
}

/* Remembered as seen: our own messages may be sent back to us. */
uint32_t sa_message_id_make(struct ike *ike, struct sa *sa)
{
    uint32_t id;
    do
        id = random_u32(&ike->env.random);
    while (id == 0 || !seen_first(&sa->seen_info, id) || !seen_first(&sa->seen_quick, id));
    return id;
}

/* ---- events ---- */

struct ike_event *sa_event(struct ike *ike, const struct sa *sa, enum ike_event_type type)
{
    struct ike_event *e = queue_event(ike, type);
    if (!e)
        return NULL;
    e->peer = sa->peer ? sa->peer->number : 0;
    e->attempt = sa->attempt;
    e->path = sa->path;
    return e;
}

void sa_stage(struct ike *ike, struct sa *sa, enum stage stage, const char *detail)
{
    struct ike_event *e = sa_event(ike, sa, IKE_EVENT_STAGE);
    sa->stage = stage;
    if (!e)
        return;
    e->stage = stage;
    snprintf(e->detail, sizeof(e->detail), "%s", detail);
}
