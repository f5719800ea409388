/*
 * From "which host" to "for certain": an SPI that is taken for a host's goes to it at once, but the kernel is told only
 * when it cannot be a forgery. Whoever forges from outside sees nothing of what the host sends. So the host has to show
 * by its sends that the packets reach something (evidence.c), or what has come must be what it lives on: it keeps
 * sending on a new SA, which without its server it would not, and nothing else came that could be its server's; or the
 * stream of the SA before has ended, and this one goes on.
 */
#include "tracker/tracker_internal.h"

#define ECHOED    (10 * BIT)
#define CONFIRMED (14 * BIT)
#define LEAD      (4 * BIT) /* over what else may be of the same SA */
#define HITS      3
#define SENDS     8 /* in a window: more than a host repeats itself when nothing comes */
#define PACKETS   8
#define WINDOW    USEC_SEC
#define RIVAL     2              /* packets of another SPI that may be the true one */
#define STREAM    16             /* packets between two counts of the kernel */
#define ENDED     (3 * USEC_SEC) /* uncounted for so long: more than the kernel's counts are apart */
#define SLOW      (500 * USEC_MSEC)
#define HANDSHAKE (2 * USEC_SEC)
#define LATE      (150 * USEC_MSEC) /* what is sent later is no answer */
#define EARLY     (3 * USEC_SEC)    /* an SPI may be seen before its pair is */
#define TRIALS    4                 /* of one host at a server */
#define FLOWS     (100 * USEC_MSEC)

bool trial_delays(const struct inbound *in, usec_t now)
{
    return !in->told && (!in->newborn || now - in->since > HANDSHAKE);
}

bool trial_may_begin(const struct contact *c)
{
    uint32_t n = 0;
    LIST_EACH(l, &c->inbounds)
    n += !container_of(l, struct inbound, of_contact)->told;
    return n > 0 && n < TRIALS;
}

/* The host has an SA whose other half is not certain and may be of this age: of an old one it may have sent less, and
 * where there was no room, the first packets of a new one have left no trace. */
static bool fits(const struct contact *c, bool newborn)
{
    LIST_EACH(l, &c->pairs)
    {
        const struct pair *p = container_of(l, struct pair, of_contact);
        const bool age = p->newborn == newborn || !p->newborn || c->server->crowded >= p->since;
        if (age && (!p->in || !p->in->told))
            return true;
    }
    return false;
}

/* What came long before the host's new SA is another's. */
static bool may_be_meant(const struct inbound *in, const struct inbound *other)
{
    const struct pair *p = in->pair;
    return other->packets >= RIVAL && other->used >= in->window && fits(in->contact, other->newborn) &&
           !(p && p->newborn && other->since + EARLY < p->since);
}

/* What else has come in this window, and may be the host's as well. What found no room may be too. */
static bool has_rival(const struct inbound *in)
{
    if (in->server->crowded + EARLY > in->window)
        return true;
    LIST_EACH(l, &in->server->strangers)
    if (may_be_meant(in, container_of(l, struct inbound, of_server)))
        return true;
    LIST_EACH(l, &in->server->bound)
    {
        const struct inbound *other = container_of(l, struct inbound, of_server);
        /* another host's, where that has answered often enough */
        const bool weak = other->guessed && other->own.answers + other->own.echoes < HITS;
        const bool tried = !other->told && (other->contact == in->contact || weak);
        if (other != in && tried && may_be_meant(in, other))
            return true;
    }
    return false;
}

static void open_window(struct inbound *in, usec_t now)
{
    in->window = now;
    in->sent_before = in->contact->n_sent;
    in->packets_before = in->packets;
}

/* The host lives on what comes: see above. */
static bool is_lived_on(struct inbound *in, usec_t now)
{
    const struct contact *c = in->contact;
    bool stream = false;
    LIST_EACH(l, &c->inbounds)
    {
        const struct inbound *old = container_of(l, struct inbound, of_contact);
        if (old == in || !old->told)
            continue;
        if (now - old->used < ENDED)
            return false;
        stream |= old->counted >= STREAM && old->used + ENDED > in->since;
    }
    const uint64_t packets = in->packets - in->packets_before;
    const bool sends = c->n_sent - in->sent_before >= SENDS && packets >= PACKETS;
    if (now - in->window < WINDOW || !(sends || (stream && packets >= STREAM)))
        return false;
    if (!has_rival(in))
        return true;
    open_window(in, now);
    return false;
}

static int32_t weight(const struct candidate *k)
{
    return k->answered + k->echoed;
}

static bool speaks_for(const struct candidate *k, int32_t more_than)
{
    return k->answers + k->echoes > 0 && weight(k) > more_than;
}

static bool comes(const struct inbound *in, const struct inbound *other)
{
    return other->used + EARLY > in->used;
}

/* Where a forged SPI keeps step with the true one, whatever the host does speaks for both. */
static bool is_doubtful(const struct inbound *in)
{
    const int32_t rest = weight(&in->own) - LEAD;
    LIST_EACH(l, &in->contact->inbounds)
    {
        const struct inbound *other = container_of(l, struct inbound, of_contact);
        const bool same_sa = !in->pair || !other->pair;
        if (other != in && !other->told && same_sa && comes(in, other) && speaks_for(&other->own, rest))
            return true;
    }
    LIST_EACH(l, &in->server->strangers)
    {
        struct inbound *other = container_of(l, struct inbound, of_server);
        const struct candidate *k = candidates_of(other, in->contact);
        if (k && comes(in, other) && speaks_for(k, rest))
            return true;
    }
    return false;
}

static bool is_proved(const struct inbound *in)
{
    const struct candidate *k = &in->own;
    const bool moved = k->echoes >= HITS && weight(k) >= ECHOED;
    const bool answered = k->answers + k->echoes >= HITS && weight(k) >= CONFIRMED;
    return (moved || answered) && !is_doubtful(in);
}

/* The SA of the host that this is the other half of may have been taken by what has only come along. */
static void take_pair(struct tracker *t, struct inbound *in)
{
    LIST_EACH_SAFE(l, &in->contact->inbounds)
    {
        struct inbound *other = container_of(l, struct inbound, of_contact);
        if (in->pair || other == in || other->told || !other->pair)
            continue;
        struct pair *p = other->pair;
        inbound_displace(t, other);
        in->pair = p;
        p->in = in;
    }
}

bool trial_judge(struct tracker *t, usec_t now, struct inbound *in)
{
    if (!fits(in->contact, in->newborn) || (!is_proved(in) && !is_lived_on(in, now)))
        return false;
    take_pair(t, in);
    inbound_tell(t, now, in);
    return true;
}

void trial_begin(struct tracker *t, usec_t now, struct inbound *in, const struct candidate *k)
{
    in->told = in->fair = false;
    open_window(in, now);
    if (k)
        in->own = *k;
    else
        evidence_begin(&in->own, in->contact, 0);
    (void)trial_judge(t, now, in);
}

static void pass(struct tracker *t, usec_t now, struct inbound *in, uint32_t handle)
{
    struct candidate *k = &in->own;
    struct contact *c = in->contact;
    move_inbound(t, handle, TRACKER_PASS, c->host->addr);
    if (in->told || k->trial != 0 || (k->answers > 0 && !in->fair))
        return;
    k->trial = now;
    k->quiet = now - c->heard > LATE;
    c->shown[c->n_shown++ % SHOWN] = in->spi;
    count(t, TRACKER_COUNT_TRIALS);
}

/* After a silence a packet may keep step with what the host sends by chance. In the first second of a new SA it goes at
 * once all the same: when that is over, what it has carried tells. */
static bool needs_moment(const struct inbound *in, usec_t now, usec_t silent)
{
    const bool first = in->newborn && now - in->since <= WINDOW;
    return silent > SLOW && in->own.answers > 0 && !first && !in->keeps;
}

void trial_input(struct tracker *t, usec_t now, struct inbound *in, usec_t silent, uint32_t handle)
{
    struct candidate *k = &in->own;
    if (k->trial != 0 && now - k->trial > LATE)
        evidence_no_answer(k);
    if (in->contact->moved != k->echo_seen)
        evidence_echo(k, now, silent);
    in->fair = in->fair && silent <= FLOWS;
    if (!trial_judge(t, now, in) && needs_moment(in, now, silent) && t->n_kept < t->config.held) {
        candidates_keep(t, now, in, handle);
        in->delayed = true;
        inbound_schedule(t, now, in);
    } else {
        pass(t, now, in, handle);
    }
}

void trial_due(struct tracker *t, usec_t now, struct inbound *in)
{
    in->fair = !candidates_overtaken(in);
    in->keeps = in->delayed = false;
    t->n_kept--;
    pass(t, now, in, in->kept);
}

void trial_weigh(struct inbound *in, usec_t now)
{
    struct candidate *k = &in->own;
    if (k->trial != 0 && now - k->trial > LATE)
        evidence_no_answer(k);
    else if (k->trial != 0)
        (void)evidence_answer(k, now);
}
