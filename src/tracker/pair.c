/* Pairs of SAs, by what inside hosts send: an outbound SPI belongs to its host at once. */
#include "tracker/tracker_internal.h"

#include <stdlib.h>

#define SETTLE     (10 * USEC_SEC) /* without a stranger at its server, an open pair goes to the kernel */
#define COMPLAINT  (3 * USEC_SEC)  /* an open pair without an answer has others looked at again */
#define LOOKS      64
#define COMPLAINTS 8 /* the pause between them doubles so often */
#define UNCOUNTED  (15 * USEC_SEC)
#define EVICTABLE  (30 * USEC_SEC) /* a pair not used for so long goes for a new one of its host */

struct pair *pair_find(const struct tracker *t, uint32_t host, uint32_t server, uint32_t spi)
{
    const struct index_node *n = NULL;
    while ((n = index_find(&t->pairs, index_key(host, server, spi), n))) {
        struct pair *p = container_of(n, struct pair, node);
        if (p->spi == spi && p->contact->host->addr == host && p->contact->server->addr == server)
            return p;
    }
    return NULL;
}

/* What has come once only and not again since the host went on holds no place: it may be a forgery. */
static bool is_open(const struct pair *p)
{
    return !p->in || (!p->in->told && p->in->packets < 2 && p->contact->sent > p->in->since + USEC_SEC);
}

struct pair *pair_open(const struct contact *c, bool newborn)
{
    struct pair *best = NULL;
    LIST_EACH(l, &c->pairs)
    {
        struct pair *p = container_of(l, struct pair, of_contact);
        if (!is_open(p) || (!p->asked && !p->promised))
            continue;
        if (!best || (best->newborn != newborn && p->newborn == newborn))
            best = p;
    }
    return best;
}

uint32_t pair_count(const struct contact *c)
{
    uint32_t n = 0;
    LIST_EACH(l, &c->pairs)
    n++;
    return n;
}

static void tell_pair(struct tracker *t, struct pair *p, bool bound)
{
    p->told = bound;
    /* what the kernel forwards is not seen here until it is counted */
    if (bound && evidence_is_busy(p->contact, p->contact->heard))
        p->contact->busy_until = p->contact->heard + UNCOUNTED;
    count(t, bound ? TRACKER_COUNT_BOUND : TRACKER_COUNT_UNBOUND);
    tell(t, (struct tracker_event){.type = bound ? TRACKER_BOUND : TRACKER_UNBOUND,
                                   .way = TRACKER_OUT,
                                   .host = p->contact->host->addr,
                                   .server = p->contact->server->addr,
                                   .spi = p->spi});
}

/* While the inbound SPI is looked for, the host's packets must be seen: they are its answers. */
void pair_judge(struct tracker *t, struct pair *p)
{
    const bool may = p->spi != 0 && (p->in ? p->in->told : p->settled);
    if (may != p->told)
        tell_pair(t, p, may);
}

static void settle(struct tracker *t, struct pair *p, bool settled)
{
    if (p->settled == settled)
        return;
    p->settled = settled;
    if (settled)
        p->contact->server->n_settled++;
    else
        p->contact->server->n_settled--;
    pair_judge(t, p);
}

void pair_unsettle(struct tracker *t, struct server *s)
{
    if (s->n_settled == 0)
        return;
    LIST_EACH(l, &s->recent)
    LIST_EACH(m, &container_of(l, struct contact, recent)->pairs)
    settle(t, container_of(m, struct pair, of_contact), false);
}

void pair_free(struct tracker *t, struct pair *p)
{
    struct contact *c = p->contact;
    settle(t, p, false);
    if (p->told)
        tell_pair(t, p, false);
    if (p->in)
        p->in->pair = NULL;
    if (p->spi != 0)
        index_remove(&t->pairs, &p->node);
    timer_clear(&t->timers, &p->entry.timer);
    list_remove(&p->entry.all);
    list_remove(&p->of_contact);
    list_remove(&p->of_host);
    c->host->n_pairs--;
    free(p);
    contact_settle(t, c);
}

void pair_due(struct tracker *t, usec_t now, struct pair *p)
{
    if (p->used + t->config.esp_idle > now)
        (void)timer_set(&t->timers, &p->entry.timer, p->used + t->config.esp_idle);
    else
        pair_free(t, p);
}

/* Makes room within the host's own limit: what it has not used for longest goes. */
static bool make_room(struct tracker *t, usec_t now, struct contact *c)
{
    struct host *h = c->host;
    if (h->n_pairs < t->config.spis_per_host)
        return true;
    LIST_EACH(l, &h->pairs)
    {
        struct pair *p = container_of(l, struct pair, of_host);
        const bool answered = p->in != NULL;
        if (now - p->used < EVICTABLE && (answered || now - p->used < USEC_SEC))
            continue;
        /* the contact in hand must not end with its last pair */
        if (p->contact == c && p->of_contact.next == p->of_contact.prev && list_empty(&c->ikes))
            continue;
        pair_free(t, p);
        return true;
    }
    return false;
}

static struct pair *pair_new(struct tracker *t, usec_t now, struct contact *c)
{
    struct pair *p = make_room(t, now, c) ? calloc(1, sizeof(*p)) : NULL;
    if (!p)
        return NULL;
    p->entry.kind = KIND_PAIR;
    if (timer_set(&t->timers, &p->entry.timer, now + t->config.esp_idle) != ERR_OK) {
        free(p);
        return NULL;
    }
    p->contact = c;
    p->since = p->used = now;
    list_append(&t->bindings, &p->entry.all);
    list_prepend(&c->pairs, &p->of_contact);
    list_append(&c->host->pairs, &p->of_host);
    c->host->n_pairs++;
    return p;
}

void pair_expect(struct tracker *t, usec_t now, struct contact *c)
{
    struct pair *p = pair_new(t, now, c);
    if (!p)
        return;
    p->newborn = p->promised = true;
    p->open_since = now;
}

/* The pair of a new SPI: the oldest that a quick mode has promised, or one more. */
static struct pair *claim(struct tracker *t, usec_t now, struct contact *c, const struct tracker_packet *packet)
{
    struct pair *p = NULL;
    LIST_EACH(l, &c->pairs)
    if (container_of(l, struct pair, of_contact)->spi == 0)
        p = container_of(l, struct pair, of_contact);
    if (!p) {
        p = pair_new(t, now, c);
        if (!p)
            return NULL;
        p->newborn = packet->sequence <= NEWBORN_SEQUENCE;
        /* an SA from before our time: it may own what was bound while its host was not known */
        if (!p->newborn && c->server->n_contacts == 2)
            inbound_review(t, now, c->server, false);
    }
    p->spi = packet->spi;
    index_add(&t->pairs, &p->node, index_key(packet->host, packet->server, packet->spi));
    return p;
}

/* Whether packets of an unknown SPI go to it now. */
static bool is_tried(const struct contact *c)
{
    uint32_t looks = 0;
    LIST_EACH(l, &c->server->strangers)
    if (container_of(l, struct inbound, of_server)->contact == c || ++looks > LOOKS)
        return true;
    return false;
}

/* A host that goes on sending without an answer may want what was given to another. It says so ever more seldom. */
static void complain(struct tracker *t, usec_t now, struct contact *c)
{
    if (c->complain_at == 0)
        c->complain_at = now + (COMPLAINT << c->complaints);
    if (now < c->complain_at)
        return;
    c->complain_at = 0;
    if (is_tried(c))
        return;
    if (c->complaints < COMPLAINTS)
        c->complaints++;
    inbound_review(t, now, c->server, c->complaints > 1);
}

static void send_now(struct tracker *t, usec_t now, struct pair *p, const struct tracker_packet *packet)
{
    struct contact *c = p->contact;
    struct server *s = c->server;
    if (!p->asked && !p->promised)
        p->open_since = now;
    p->asked = true;
    p->sequence = packet->sequence;
    c->sent = now;
    c->n_sent++;
    list_remove(&c->recent);
    list_prepend(&s->recent, &c->recent);
    move_pass(t, packet, packet->host);
    if (!p->in && now - p->since > SETTLE && now - s->stranger_seen > SETTLE)
        settle(t, p, true);
    pair_judge(t, p);
    if (!p->in && s->n_contacts > 1)
        complain(t, now, c);
}

/* Whether this packet has to wait: the first of a new SA until others have their answers, those of any other for a
 * moment that tells its answers apart. */
static bool waits(struct tracker *t, usec_t now, struct pair *p, const struct tracker_packet *packet)
{
    struct contact *c = p->contact;
    if (p->newborn && !p->asked && !p->in)
        return c->server->n_contacts > 1 && turn_wait(t, now, c, packet, t->config.hold);
    const bool helps = p->in ? trial_delays(p->in, now) : c->server->n_strangers > 0;
    return (c->delay_until != 0 || helps) && delay_wait(t, now, c, packet);
}

void pair_input(struct tracker *t, usec_t now, const struct tracker_packet *packet)
{
    enum tracker_reason reason = TRACKER_REASON_HOST_SPIS;
    struct pair *p = pair_find(t, packet->host, packet->server, packet->spi);
    struct contact *c = p ? p->contact : contact_get(t, now, packet, &reason);
    if (!p && c) {
        reason = TRACKER_REASON_HOST_SPIS;
        p = claim(t, now, c, packet);
        if (!p) {
            tell_refused(t, now, &c->host->refused_told, packet, reason);
            contact_settle(t, c);
        }
    }
    if (!p) {
        move_drop(t, packet, reason);
        return;
    }
    p->used = now;
    p->packets++;
    list_remove(&p->of_host);
    list_append(&c->host->pairs, &p->of_host);
    candidates_answer(t, now, c);
    const bool held = waits(t, now, p, packet);
    evidence_heard(c, now);
    if (!held)
        send_now(t, now, p, packet);
}

void pair_resume(struct tracker *t, usec_t now, const struct tracker_packet *packet)
{
    struct pair *p = pair_find(t, packet->host, packet->server, packet->spi);
    if (p)
        send_now(t, now, p, packet);
    else
        move_pass(t, packet, packet->host);
}

bool pair_restore(struct tracker *t, usec_t now, usec_t used, const struct tracker_packet *packet)
{
    enum tracker_reason reason;
    struct pair *p = pair_find(t, packet->host, packet->server, packet->spi);
    struct contact *c = p ? NULL : contact_get(t, now, packet, &reason);
    if (!c)
        return false;
    p = pair_new(t, now, c);
    if (!p) {
        contact_settle(t, c);
        return false;
    }
    p->spi = packet->spi;
    p->asked = true;
    p->used = used;
    index_add(&t->pairs, &p->node, index_key(packet->host, packet->server, packet->spi));
    pair_judge(t, p);
    return true;
}
