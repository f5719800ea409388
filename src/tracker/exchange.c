/*
 * IKE from port 500 to port 500 (RFC 2408): the initiator's cookie tells exchanges apart, and who sends it owns it.
 * What a server begins, or goes on with from before our time, is shown to its hosts in turn, the oldest contact first,
 * until one of them sends with the same cookie. Quick modes (RFC 2409 5.5) are seen by their message ids: each that
 * ends promises a new pair of SAs.
 */
#include "tracker/tracker_internal.h"

#include <stdlib.h>

#define EXCHANGE_QUICK 32
#define GUESSES        16               /* unknown exchanges at a server at once */
#define GUESS_IDLE     (60 * USEC_SEC)  /* longer than any server repeats itself */
#define HALF_IDLE      (120 * USEC_SEC) /* begun, and never answered */
#define EVICTABLE      USEC_SEC
#define REPEAT         (200 * USEC_MSEC) /* what comes again sooner is no repetition for want of an answer */
#define FIRST_ESP      (250 * USEC_MSEC) /* after a quick mode its host has so long to use the new SA */

static struct ike *ike_find(const struct tracker *t, uint32_t server, uint64_t initiator)
{
    const struct index_node *n = NULL;
    while ((n = index_find(&t->ikes, index_key(server, 1, initiator), n))) {
        struct ike *ike = container_of(n, struct ike, node);
        if (ike->initiator == initiator && ike->server->addr == server)
            return ike;
    }
    return NULL;
}

/* ---- owners ---- */

static void own(struct ike *ike, struct contact *c)
{
    ike->contact = c;
    list_append(&c->ikes, &ike->of_contact);
    list_append(&c->host->ikes, &ike->of_host);
    c->n_ikes++;
    c->host->n_ikes++;
}

static void unlink_guess(struct ike *ike)
{
    list_remove(&ike->of_server);
    ike->server->n_guesses--;
    ike->guess = false;
}

void exchange_free(struct tracker *t, struct ike *ike)
{
    struct contact *c = ike->guess ? NULL : ike->contact;
    if (ike->guess)
        unlink_guess(ike);
    if (c) {
        list_remove(&ike->of_contact);
        list_remove(&ike->of_host);
        c->n_ikes--;
        c->host->n_ikes--;
    }
    timer_clear(&t->timers, &ike->entry.timer);
    index_remove(&t->ikes, &ike->node);
    list_remove(&ike->entry.all);
    free(ike);
    if (c)
        contact_settle(t, c);
}

void exchange_forget_contact(struct tracker *t, struct contact *c)
{
    (void)t;
    LIST_EACH(l, &c->server->guesses)
    {
        struct ike *ike = container_of(l, struct ike, of_server);
        if (ike->contact == c)
            ike->contact = NULL;
    }
}

static usec_t idle_of(const struct tracker *t, const struct ike *ike)
{
    if (ike->guess)
        return GUESS_IDLE;
    return ike->responder == 0 ? HALF_IDLE : t->config.ike_idle;
}

/* An IKE SA may be silent as long as it lives: it stays while its host uses SAs with the server. */
void exchange_due(struct tracker *t, usec_t now, struct ike *ike)
{
    const usec_t idle = idle_of(t, ike), end = ike->used + idle;
    const bool needed = !ike->guess && ike->responder != 0 && !list_empty(&ike->contact->pairs);
    if (end > now || needed)
        (void)timer_set(&t->timers, &ike->entry.timer, end > now ? end : now + idle);
    else
        exchange_free(t, ike);
}

static struct ike *ike_new(struct tracker *t, usec_t now, struct server *s, const struct tracker_packet *p)
{
    struct ike *ike = calloc(1, sizeof(*ike));
    if (!ike)
        return NULL;
    ike->entry.kind = KIND_IKE;
    if (timer_set(&t->timers, &ike->entry.timer, now + GUESS_IDLE) != ERR_OK) {
        free(ike);
        return NULL;
    }
    ike->server = s;
    ike->initiator = p->initiator;
    ike->since = ike->used = now;
    index_add(&t->ikes, &ike->node, index_key(s->addr, 1, p->initiator));
    list_append(&t->bindings, &ike->entry.all);
    return ike;
}

/* Within the host's own limit: what it has not used for longest goes, half-open ones first. */
static bool make_room(struct tracker *t, usec_t now, struct contact *c)
{
    struct host *h = c->host;
    if (h->n_ikes < t->config.ikes_per_host)
        return true;
    struct ike *victim = NULL;
    LIST_EACH(l, &h->ikes)
    {
        struct ike *ike = container_of(l, struct ike, of_host);
        const bool last = ike->contact == c && c->n_ikes == 1 && list_empty(&c->pairs);
        if (last || now - ike->used < EVICTABLE)
            continue;
        if (!victim || (victim->responder != 0 && ike->responder == 0))
            victim = ike;
    }
    if (!victim)
        return false;
    exchange_free(t, victim);
    return true;
}

/* ---- quick modes ---- */

static struct quick *quick_find(struct ike *ike, uint32_t message_id)
{
    for (size_t i = 0; i < QUICK_MODES; i++)
        if (ike->quick[i].stage != 0 && ike->quick[i].message_id == message_id)
            return &ike->quick[i];
    return NULL;
}

static struct quick *quick_begin(struct ike *ike, const struct tracker_packet *p)
{
    struct quick *q = &ike->quick[0];
    for (size_t i = 0; i < QUICK_MODES; i++)
        if (ike->quick[i].stage == 0 || ike->quick[i].at < q->at)
            q = &ike->quick[i];
    *q = (struct quick){.message_id = p->message_id, .way = p->way};
    return q;
}

/* A message goes on: the third, again from who has begun, ends it. */
static void quick_step(struct tracker *t, usec_t now, struct ike *ike, const struct tracker_packet *p)
{
    struct quick *q = quick_find(ike, p->message_id);
    if (!q)
        q = quick_begin(ike, p);
    q->at = now;
    const bool own_way = p->way == q->way;
    if (q->stage == 0 && own_way)
        q->stage = 1;
    else if (q->stage == 1 && !own_way)
        q->stage = 2;
    else if (q->stage == 2 && own_way) {
        q->stage = 3;
        count(t, TRACKER_COUNT_QUICK_MODES);
        pair_expect(t, now, ike->contact);
        turn_shorten(t, now, ike->contact, FIRST_ESP);
    }
}

/* Quick modes of several hosts with one server are done one after another, which costs nobody anything: the old SAs go
 * on. So at any time one host only expects new ones. */
static bool quick_waits(struct tracker *t, usec_t now, struct ike *ike, const struct tracker_packet *p)
{
    return p->exchange == EXCHANGE_QUICK && ike->server->n_contacts > 1 && !quick_find(ike, p->message_id) &&
           turn_wait(t, now, ike->contact, p, t->config.hold);
}

static void go(struct tracker *t, usec_t now, struct ike *ike, const struct tracker_packet *p)
{
    move_pass(t, p, ike->contact->host->addr);
    if (p->exchange == EXCHANGE_QUICK)
        quick_step(t, now, ike, p);
}

static void pass(struct tracker *t, usec_t now, struct ike *ike, const struct tracker_packet *p)
{
    ike->used = now;
    ike->packets++;
    list_remove(&ike->of_host);
    list_append(&ike->contact->host->ikes, &ike->of_host);
    if (!quick_waits(t, now, ike, p))
        go(t, now, ike, p);
}

void exchange_resume(struct tracker *t, usec_t now, const struct tracker_packet *p)
{
    struct ike *ike = ike_find(t, p->server, p->initiator);
    if (ike && !ike->guess)
        go(t, now, ike, p);
    else if (p->way == TRACKER_OUT)
        move_pass(t, p, p->host);
    else
        move_drop(t, p, TRACKER_REASON_UNKNOWN_COOKIES);
}

bool exchange_restore(struct tracker *t, usec_t now, usec_t used, const struct tracker_packet *p)
{
    enum tracker_reason reason;
    struct contact *c = ike_find(t, p->server, p->initiator) ? NULL : contact_get(t, now, p, &reason);
    struct ike *ike = c && make_room(t, now, c) ? ike_new(t, now, c->server, p) : NULL;
    if (ike) {
        ike->responder = p->responder;
        ike->used = used;
        own(ike, c);
    } else if (c) {
        contact_settle(t, c);
    }
    return ike != NULL;
}

/* ---- from a host ---- */

static struct ike *ike_of_host(struct tracker *t, usec_t now, struct contact *c, const struct tracker_packet *p,
                               enum tracker_reason *reason)
{
    struct ike *ike = ike_find(t, p->server, p->initiator);
    if (ike && !ike->guess) {
        *reason = TRACKER_REASON_COOKIE_TAKEN;
        return ike->contact == c ? ike : NULL;
    }
    *reason = TRACKER_REASON_HOST_IKES;
    if (!make_room(t, now, c))
        return NULL;
    if (ike) {
        /* only who was shown it can know its cookie */
        unlink_guess(ike);
    } else {
        *reason = TRACKER_REASON_NO_MEMORY;
        ike = ike_new(t, now, c->server, p);
    }
    if (ike)
        own(ike, c);
    return ike;
}

static void from_host(struct tracker *t, usec_t now, const struct tracker_packet *p)
{
    enum tracker_reason reason = TRACKER_REASON_NONE;
    struct contact *c = contact_get(t, now, p, &reason);
    struct ike *ike = c ? ike_of_host(t, now, c, p, &reason) : NULL;
    if (!ike) {
        move_drop(t, p, reason);
        if (c) {
            tell_refused(t, now, &c->host->refused_told, p, reason);
            contact_settle(t, c);
        }
        return;
    }
    /* only the host says which responder it believes */
    if (ike->responder == 0)
        ike->responder = p->responder;
    pass(t, now, ike, p);
}

/* ---- from a server ---- */

static struct ike *guess_new(struct tracker *t, usec_t now, struct server *s, const struct tracker_packet *p)
{
    if (s->n_guesses >= GUESSES) {
        struct ike *oldest = container_of(s->guesses.next, struct ike, of_server);
        if (now - oldest->used < EVICTABLE)
            return NULL;
        exchange_free(t, oldest);
    }
    struct ike *ike = ike_new(t, now, s, p);
    if (!ike)
        return NULL;
    ike->guess = true;
    list_append(&s->guesses, &ike->of_server);
    s->n_guesses++;
    ike->candidates = s->n_contacts;
    if (s->n_contacts > 1)
        count(t, TRACKER_COUNT_AMBIGUOUS);
    return ike;
}

static struct contact *nth_oldest(const struct server *s, uint32_t n)
{
    struct link *l = s->oldest.next;
    for (n %= s->n_contacts; n > 0; n--)
        l = l->next;
    return container_of(l, struct contact, oldest);
}

/* The next host's turn comes when the server repeats what nobody has answered. */
static void try_guess(struct tracker *t, usec_t now, struct ike *ike, const struct tracker_packet *p)
{
    if (!ike->contact || now - ike->used > REPEAT) {
        ike->contact = nth_oldest(ike->server, ike->tries++);
        count(t, TRACKER_COUNT_TRIALS);
        if (ike->candidates > 1)
            tell(t, (struct tracker_event){.type = TRACKER_AMBIGUOUS,
                                           .way = TRACKER_IN,
                                           .ike = true,
                                           .host = ike->contact->host->addr,
                                           .server = ike->server->addr,
                                           .initiator = ike->initiator,
                                           .candidates = ike->candidates});
    }
    ike->used = now;
    ike->packets++;
    move_pass(t, p, ike->contact->host->addr);
}

static void from_server(struct tracker *t, usec_t now, const struct tracker_packet *p)
{
    struct server *s = server_find(t, p->server);
    if (!s) {
        move_drop(t, p, TRACKER_REASON_NO_CANDIDATE);
        return;
    }
    struct ike *ike = ike_find(t, p->server, p->initiator);
    if (!ike)
        ike = guess_new(t, now, s, p);
    if (!ike) {
        tell_refused(t, now, &s->refused_told, p, TRACKER_REASON_UNKNOWN_COOKIES);
        move_drop(t, p, TRACKER_REASON_UNKNOWN_COOKIES);
    } else if (ike->guess) {
        try_guess(t, now, ike, p);
    } else {
        pass(t, now, ike, p);
    }
}

void exchange_input(struct tracker *t, usec_t now, const struct tracker_packet *p)
{
    if (p->way == TRACKER_OUT)
        from_host(t, now, p);
    else
        from_server(t, now, p);
}
