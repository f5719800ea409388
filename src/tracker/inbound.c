/* Inbound SPIs: made by a server's packets, owned by the host that proves to be meant, forgotten when idle. */
#include "tracker/tracker_internal.h"

#include <stdlib.h>

#define STRANGERS_SPARE 16 /* unknown SPIs at a server beyond two for each of its hosts */
#define EVICTION_LOOKS  16
#define STALE           (2 * USEC_SEC)   /* a stranger that is silent for so long may go for another */
#define ONCE_IDLE       (10 * USEC_SEC)  /* what came once and never again */
#define STRANGER_IDLE   (150 * USEC_SEC) /* two hellos of L2TP, and some */
#define BRIEF_PACKETS   3                /* a binding used less often goes earlier */
#define BRIEF_IDLE      (90 * USEC_SEC)
#define REVIEW          (10 * USEC_SEC) /* what has just been proved is not looked at again */
#define CROWD_USE       (30 * USEC_SEC)

struct inbound *inbound_find(const struct tracker *t, uint32_t server, uint32_t spi)
{
    const struct index_node *n = NULL;
    while ((n = index_find(&t->inbounds, index_key(server, 0, spi), n))) {
        struct inbound *in = container_of(n, struct inbound, node);
        if (in->spi == spi && in->server->addr == server)
            return in;
    }
    return NULL;
}

/* ---- bound and not ---- */

static void tell_inbound(struct tracker *t, const struct inbound *in, enum tracker_event_type type)
{
    tell(t, (struct tracker_event){.type = type,
                                   .way = TRACKER_IN,
                                   .host = in->contact->host->addr,
                                   .before = in->before,
                                   .server = in->server->addr,
                                   .spi = in->spi});
}

static void unbind(struct tracker *t, struct inbound *in)
{
    count(t, in->told ? TRACKER_COUNT_UNBOUND : TRACKER_COUNT_UNCONFIRMED);
    if (in->told)
        tell_inbound(t, in, TRACKER_UNBOUND);
    list_remove(&in->of_contact);
    in->contact->n_inbounds--;
    in->contact->host->n_bound--;
    in->bound = in->told = false;
    if (in->pair) {
        struct pair *p = in->pair;
        in->pair = NULL;
        p->in = NULL;
        pair_judge(t, p);
    }
}

/* It goes on to its host, but has to be proved again. */
static void look_again(struct tracker *t, struct inbound *in)
{
    struct contact *c = in->contact;
    count(t, TRACKER_COUNT_REVIEWED);
    if (in->told)
        in->before = c->host->addr;
    unbind(t, in);
    list_remove(&in->of_server);
    list_append(&in->server->strangers, &in->of_server);
    in->server->n_strangers++;
    pair_unsettle(t, in->server);
    candidates_find(in, c);
}

/* Forgotten and come again, a true one would be taken for old, and not weighed against what has its place. */
void inbound_displace(struct tracker *t, struct inbound *in)
{
    if (in->packets > 1)
        look_again(t, in);
    else
        inbound_free(t, in);
}

void inbound_review(struct tracker *t, usec_t now, struct server *s, bool proved)
{
    LIST_EACH_SAFE(l, &s->bound)
    {
        struct inbound *in = container_of(l, struct inbound, of_server);
        if (in->guessed && (proved ? now - in->bound_at > REVIEW : in->bound_at == 0))
            look_again(t, in);
    }
}

/* A contact cannot have more inbound SAs in use than pairs: then one of its guesses was wrong. */
static void review_crowd(struct tracker *t, usec_t now, struct contact *c, const struct inbound *newest)
{
    uint32_t used = 0;
    LIST_EACH(l, &c->inbounds)
    used += now - container_of(l, struct inbound, of_contact)->used < CROWD_USE;
    if (used <= pair_count(c))
        return;
    LIST_EACH_SAFE(l, &c->inbounds)
    {
        struct inbound *in = container_of(l, struct inbound, of_contact);
        if (in != newest && in->guessed && now - in->bound_at > REVIEW)
            look_again(t, in);
    }
}

void inbound_tell(struct tracker *t, usec_t now, struct inbound *in)
{
    in->told = true;
    if (in->pair)
        pair_judge(t, in->pair);
    count(t, TRACKER_COUNT_BOUND);
    if (in->before != 0 && in->before != in->contact->host->addr) {
        count(t, TRACKER_COUNT_CORRECTED);
        tell_inbound(t, in, TRACKER_CORRECTED);
    }
    tell_inbound(t, in, TRACKER_BOUND);
    if (in->server->n_contacts > 1)
        review_crowd(t, now, in->contact, in);
}

void inbound_bind(struct tracker *t, usec_t now, struct inbound *in, struct contact *c, const struct candidate *k,
                  bool guessed)
{
    in->bound = true;
    in->guessed = guessed;
    in->contact = c;
    candidates_stop(t, now, in);
    free(in->candidates);
    in->candidates = NULL;
    in->n_candidates = 0;
    if (in->first == 0)
        in->first = c->host->addr;
    if (in->first != c->host->addr)
        count(t, TRACKER_COUNT_WRONG_GUESSES);
    list_remove(&in->of_server);
    in->server->n_strangers--;
    list_append(&in->server->bound, &in->of_server);
    list_append(&c->inbounds, &in->of_contact);
    c->n_inbounds++;
    c->host->n_bound++;
    in->bound_at = now;
    c->complain_at = 0;
    in->pair = pair_open(c, in->newborn);
    if (in->pair) {
        if (in->pair->in)
            inbound_displace(t, in->pair->in);
        in->pair->in = in;
        pair_judge(t, in->pair);
    }
    trial_begin(t, now, in, k);
}

/* ---- coming and going ---- */

void inbound_free(struct tracker *t, struct inbound *in)
{
    if (in->keeps) {
        move_drop(t, &(struct tracker_packet){.way = TRACKER_IN, .handle = in->kept}, TRACKER_REASON_NO_CANDIDATE);
        t->n_kept--;
    }
    if (in->bound)
        unbind(t, in);
    else
        in->server->n_strangers--;
    timer_clear(&t->timers, &in->entry.timer);
    index_remove(&t->inbounds, &in->node);
    list_remove(&in->of_server);
    list_remove(&in->entry.all);
    free(in->candidates);
    free(in);
}

void inbound_forget_contact(struct tracker *t, struct contact *c)
{
    LIST_EACH_SAFE(l, &c->inbounds)
    inbound_free(t, container_of(l, struct inbound, of_contact));
    LIST_EACH(l, &c->server->strangers)
    candidates_forget(container_of(l, struct inbound, of_server), c);
}

static usec_t idle_of(const struct tracker *t, const struct inbound *in)
{
    if (in->bound && !in->told && in->packets >= BRIEF_PACKETS)
        return usec_min(STRANGER_IDLE, t->config.esp_idle);
    if (in->bound)
        return in->packets < BRIEF_PACKETS ? usec_min(BRIEF_IDLE, t->config.esp_idle) : t->config.esp_idle;
    return in->packets < 2 ? ONCE_IDLE : STRANGER_IDLE;
}

void inbound_schedule(struct tracker *t, usec_t now, struct inbound *in)
{
    const usec_t end = in->used + idle_of(t, in);
    (void)timer_set(&t->timers, &in->entry.timer, in->keeps ? now + candidates_wait(in) : end > now ? end : now);
}

void inbound_due(struct tracker *t, usec_t now, struct inbound *in)
{
    if (in->keeps && in->bound)
        trial_due(t, now, in);
    else if (in->keeps)
        candidates_next(t, now, in);
    else if (in->used + idle_of(t, in) <= now) {
        inbound_free(t, in);
        return;
    }
    inbound_schedule(t, now, in);
}

/* Room for one more unknown SPI: what came only once goes first, and what has come again lately never. */
static bool make_room(struct tracker *t, usec_t now, struct server *s)
{
    if (s->n_strangers < 2 * s->n_contacts + STRANGERS_SPARE)
        return true;
    struct inbound *worst = NULL;
    uint32_t looks = 0;
    LIST_EACH(l, &s->strangers)
    {
        struct inbound *in = container_of(l, struct inbound, of_server);
        if (++looks > EVICTION_LOOKS)
            break;
        if (in->packets < 2) {
            worst = in;
            break;
        }
        if (!worst && now - in->used > STALE)
            worst = in;
    }
    if (!worst)
        return false;
    count(t, TRACKER_COUNT_STRANGERS_FORGOTTEN);
    inbound_free(t, worst);
    return true;
}

static void tell_ambiguous(struct tracker *t, const struct inbound *in)
{
    count(t, TRACKER_COUNT_AMBIGUOUS);
    tell(t, (struct tracker_event){.type = TRACKER_AMBIGUOUS,
                                   .way = TRACKER_IN,
                                   .server = in->server->addr,
                                   .spi = in->spi,
                                   .host = in->n_candidates ? in->candidates[0].contact->host->addr : 0,
                                   .candidates = in->open_contacts});
}

static struct inbound *inbound_new(struct tracker *t, usec_t now, struct server *s, const struct tracker_packet *p)
{
    struct inbound *in = make_room(t, now, s) ? calloc(1, sizeof(*in)) : NULL;
    if (!in)
        return NULL;
    in->entry.kind = KIND_INBOUND;
    if (timer_set(&t->timers, &in->entry.timer, now + ONCE_IDLE) != ERR_OK) {
        free(in);
        return NULL;
    }
    in->server = s;
    in->spi = p->spi;
    in->newborn = p->sequence <= NEWBORN_SEQUENCE;
    in->since = in->used = now;
    index_add(&t->inbounds, &in->node, index_key(s->addr, 0, p->spi));
    list_append(&t->bindings, &in->entry.all);
    list_append(&s->strangers, &in->of_server);
    s->n_strangers++;
    pair_unsettle(t, s);
    candidates_find(in, NULL);
    return in;
}

bool inbound_restore(struct tracker *t, usec_t now, usec_t used, const struct tracker_packet *p)
{
    struct contact *c = contact_find(t, p->host, p->server);
    struct inbound *in = c && !inbound_find(t, p->server, p->spi) ? inbound_new(t, now, c->server, p) : NULL;
    if (!in)
        return false;
    inbound_bind(t, now, in, c, NULL, true);
    if (!in->told)
        inbound_tell(t, now, in);
    in->used = used;
    in->packets = BRIEF_PACKETS;
    inbound_schedule(t, now, in);
    return true;
}

/* ---- a packet ---- */

/* The only host that talks to this server: there is nobody else to be meant. */
static bool bind_only(struct tracker *t, usec_t now, struct inbound *in)
{
    struct contact *c = container_of(in->server->recent.next, struct contact, recent);
    const struct pair *open = pair_open(c, in->newborn);
    if (in->server->n_contacts != 1 || (!open && !trial_may_begin(c)))
        return false;
    inbound_bind(t, now, in, c, NULL, !open || !in->newborn || !open->newborn);
    in->bound_at = 0; /* nothing was proved */
    return true;
}

/* No room to learn about this SPI: it goes to whom it would be shown first, and leaves no trace. */
static void pass_untracked(struct tracker *t, const struct server *s, const struct tracker_packet *p)
{
    const struct contact *to = container_of(s->recent.next, struct contact, recent);
    uint32_t looks = 0;
    LIST_EACH(l, &s->recent)
    {
        const struct contact *c = container_of(l, struct contact, recent);
        if (++looks > CANDIDATES)
            break;
        if (pair_open(c, false)) {
            to = c;
            break;
        }
    }
    move_inbound(t, p->handle, TRACKER_PASS, to->host->addr);
}

static void pass(struct tracker *t, usec_t now, struct inbound *in, usec_t silent, uint32_t handle)
{
    if (in->told)
        move_inbound(t, handle, TRACKER_PASS, in->contact->host->addr);
    else
        trial_input(t, now, in, silent, handle);
}

void inbound_input(struct tracker *t, usec_t now, const struct tracker_packet *p)
{
    struct server *s = server_find(t, p->server);
    if (!s) {
        move_drop(t, p, TRACKER_REASON_NO_CANDIDATE);
        return;
    }
    struct inbound *in = inbound_find(t, p->server, p->spi);
    if (!in) {
        in = inbound_new(t, now, s, p);
        if (in && in->open_contacts > 1)
            tell_ambiguous(t, in);
    }
    if (!in) {
        s->crowded = now;
        pass_untracked(t, s, p);
        return;
    }
    const usec_t silent = in->packets == 0 ? USEC_NEVER : now - in->used;
    in->used = now;
    in->packets++;
    in->sequence = p->sequence;
    if (candidates_overtaken(in))
        inbound_due(t, now, in);
    if (!in->bound) {
        s->stranger_seen = now;
        candidates_weigh(in, now, silent);
        if (!bind_only(t, now, in))
            candidates_judge(t, now, in);
    }
    if (in->bound) {
        struct contact *c = in->contact;
        pass(t, now, in, silent, p->handle);
        if (in->newborn)
            turn_end(t, now, c);
    } else {
        candidates_show(t, now, in, silent, p->handle);
    }
}
