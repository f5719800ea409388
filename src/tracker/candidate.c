/*
 * Who may own an inbound SPI, and finding out. A host that is not meant has no such SA and drops what it gets silently:
 * so where little comes, all who look for an SPI get copies, and nobody goes without. Where much comes, packets go to
 * the likeliest, and when that does not answer, the same packet, kept as long, goes to the next: hosts that are served
 * all the time send all the time, and it is the contrast that tells. When nobody has answered, all who are likely get
 * what comes, for a while, so that the answer to the one packet in a minute that asks for one is not missed.
 */
#include "tracker/tracker_internal.h"

#include <stdlib.h>

#define CERTAIN      (10 * BIT)
#define ANSWERS      3
#define ECHOES       3
#define LEAD         (4 * BIT) /* over the second */
#define LIKELY       (3 * BIT)
#define SPREAD_BITS  (6 * BIT) /* behind the first, a host is still likely */
#define SPREAD_MAX   8         /* hosts that get the same packet */
#define SPREAD       USEC_SEC
#define LIGHT        16 /* packets of an SPI at once, of which all get copies */
#define LIGHT_EVERY  (60 * USEC_MSEC)
#define COPIES       1024 /* of all SPIs of a server */
#define COPY_EVERY   250
#define LOOKS        256 /* contacts looked at for candidates of a new SPI */
#define FRESH        4   /* contacts that sent last, considered anew with each packet */
#define FRESH_AGE    (300 * USEC_MSEC)
#define ANEW         (100 * USEC_MSEC) /* a stranger silent for so long speaks anew */
#define NO_ANSWER    (150 * USEC_MSEC) /* what is sent later is no answer */
#define DELAY        (64 * USEC_MSEC)  /* and up to eight times more */
#define OVERTAKERS   16                /* half of what a replay window forgives (RFC 4303 3.4.3) */
#define HEAVY        16                /* packets in so long a time */
#define SAME_TIME    (3 * USEC_SEC)
#define HEAVY_TIME   (2 * USEC_SEC)
#define OWNER_BEFORE (BIT / 2)
#define TURN_BONUS   (8 * BIT)

struct candidate *candidates_of(struct inbound *in, const struct contact *c)
{
    for (uint32_t i = 0; i < in->n_candidates; i++)
        if (in->candidates[i].contact == c)
            return &in->candidates[i];
    return NULL;
}

static void add(struct inbound *in, struct contact *c, int32_t evidence)
{
    if (in->candidates && in->n_candidates < CANDIDATES && !candidates_of(in, c))
        evidence_begin(&in->candidates[in->n_candidates++], c, evidence);
}

static void add_turn(struct inbound *in, struct contact *c)
{
    add(in, c, TURN_BONUS);
    struct candidate *k = candidates_of(in, c);
    if (k)
        k->had_turn = true;
}

static bool fits(const struct inbound *in, const struct contact *c, bool age)
{
    const struct pair *p = pair_open(c, in->newborn);
    return p && (!age || p->newborn == in->newborn);
}

static void fill(struct inbound *in)
{
    uint32_t looks = 0;
    LIST_EACH(l, &in->server->recent)
    {
        if (in->n_candidates == CANDIDATES || ++looks > 2 * CANDIDATES)
            break;
        add(in, container_of(l, struct contact, recent), 0);
    }
}

/* Those with open pairs come first, of the same age before others, then those that sent last. */
void candidates_find(struct inbound *in, struct contact *before)
{
    const struct server *s = in->server;
    if (!in->candidates)
        in->candidates = calloc(CANDIDATES, sizeof(*in->candidates));
    in->n_candidates = 0;
    in->open_contacts = 0;
    if (before)
        add(in, before, OWNER_BEFORE);
    if (s->turn && in->newborn && fits(in, s->turn, true))
        add_turn(in, s->turn);
    for (int age = 1; age >= 0; age--) {
        uint32_t looks = 0, open = 0;
        LIST_EACH(l, &s->recent)
        {
            struct contact *c = container_of(l, struct contact, recent);
            if (++looks > LOOKS)
                break;
            if (!fits(in, c, age))
                continue;
            open++;
            add(in, c, 0);
        }
        if (in->open_contacts == 0)
            in->open_contacts = open;
    }
    LIST_EACH(l, &s->recent)
    {
        if (in->n_candidates == CANDIDATES)
            break;
        add(in, container_of(l, struct contact, recent), 0);
    }
}

void candidates_forget(struct inbound *in, const struct contact *c)
{
    struct candidate *k = candidates_of(in, c);
    if (k)
        *k = in->candidates[--in->n_candidates];
    if (in->contact == c)
        in->contact = NULL;
}

/* The likeliest; of equals, the one that was tried longest ago. */
static struct candidate *best(struct inbound *in, bool not_shown)
{
    struct candidate *found = NULL;
    int32_t most = 0;
    for (uint32_t i = 0; i < in->n_candidates; i++) {
        struct candidate *k = &in->candidates[i];
        if (not_shown && k->shown)
            continue;
        const int32_t n = evidence_score(in, k);
        if (!found || n > most || (n == most && k->tried < found->tried)) {
            found = k;
            most = n;
        }
    }
    return found;
}

static int32_t lead(const struct inbound *in, const struct candidate *first)
{
    int32_t second = evidence_score(in, first) - CERTAIN;
    for (uint32_t i = 0; i < in->n_candidates; i++) {
        const struct candidate *k = &in->candidates[i];
        if (k != first && evidence_score(in, k) > second)
            second = evidence_score(in, k);
    }
    return evidence_score(in, first) - second;
}

bool candidates_ambiguous(const struct inbound *in)
{
    uint32_t likely = 0;
    for (uint32_t i = 0; i < in->n_candidates; i++)
        likely += lead(in, &in->candidates[i]) > -LEAD;
    return likely > 1;
}

/* Lets c in for the least likely, unless that is likelier or being tried. */
static void replace_worst(struct inbound *in, struct contact *c)
{
    if (candidates_of(in, c))
        return;
    if (in->n_candidates < CANDIDATES) {
        add(in, c, 0);
        return;
    }
    struct candidate *worst = NULL;
    for (uint32_t i = 0; i < in->n_candidates; i++) {
        struct candidate *k = &in->candidates[i];
        if (k->trial == 0 && k->contact != in->contact && (!worst || evidence_score(in, k) < evidence_score(in, worst)))
            worst = k;
    }
    if (worst && evidence_score(in, worst) < evidence_prior(in, c))
        evidence_begin(worst, c, 0);
}

/* With more hosts than candidates, each comes to its trial. */
static void rotate(struct inbound *in)
{
    const struct server *s = in->server;
    if (s->n_contacts <= in->n_candidates)
        return;
    uint32_t at = in->walked++ % s->n_contacts;
    struct link *l = s->oldest.next;
    while (at-- > 0)
        l = l->next;
    replace_worst(in, container_of(l, struct contact, oldest));
}

/* It had the turn when the SPI came, but that was chance. */
static void lose_turn(struct candidate *k)
{
    if (!k->had_turn)
        return;
    k->had_turn = false;
    k->answered -= TURN_BONUS;
}

static void no_answer(struct inbound *in, struct candidate *k)
{
    if (k->quiet)
        lose_turn(k);
    evidence_no_answer(k);
    rotate(in);
}

void candidates_weigh(struct inbound *in, usec_t now, usec_t silent)
{
    for (uint32_t i = 0; i < in->n_candidates; i++) {
        struct candidate *k = &in->candidates[i];
        if (k->trial != 0 && now - k->trial > NO_ANSWER)
            no_answer(in, k);
        if (silent > ANEW)
            evidence_arrival(k, now);
        if (k->contact->moved != k->echo_seen)
            evidence_echo(k, now, silent);
    }
    if (in->n_candidates < in->server->n_contacts && in->n_candidates < CANDIDATES)
        fill(in);
    /* whoever comes in because it has just sent may not gain by it */
    uint32_t looks = 0;
    LIST_EACH(l, &in->server->recent)
    {
        struct contact *c = container_of(l, struct contact, recent);
        if (++looks > FRESH || now - c->sent > FRESH_AGE)
            break;
        replace_worst(in, c);
    }
}

void candidates_stop(struct tracker *t, usec_t now, struct inbound *in)
{
    if (!in->keeps)
        return;
    in->keeps = in->delayed = false;
    t->n_kept--;
    move_inbound(t, in->kept, TRACKER_DONE, in->contact ? in->contact->host->addr : 0);
    inbound_schedule(t, now, in);
}

/* It alone had a new SA without an answer when the SPI came. */
static bool was_only(const struct inbound *in, const struct candidate *k)
{
    const struct pair *p = pair_open(k->contact, in->newborn);
    return in->newborn && in->open_contacts == 1 && p && p->newborn && p->open_since <= in->since;
}

/* Nobody else had one when the SPI came, nor has now. */
static bool is_only(const struct inbound *in, const struct candidate *k)
{
    if (!in->newborn || in->open_contacts != 1)
        return false;
    for (uint32_t i = 0; i < in->n_candidates; i++)
        if (&in->candidates[i] != k && fits(in, in->candidates[i].contact, true))
            return false;
    return true;
}

/* Three answers prove; one does, of a new SA when nobody else waits for one. So does, in heavy traffic that leaves no
 * room for answers, that a new SA begins when one host alone has just agreed on it and uses its own. */
static bool is_proved(const struct inbound *in, const struct candidate *k, usec_t now)
{
    const bool heavy = in->packets >= HEAVY && now - in->since < HEAVY_TIME;
    const struct pair *p = pair_open(k->contact, in->newborn);
    /* the more hosts may be meant, the likelier one of them seems to be by chance */
    const int32_t certain = CERTAIN + (in->open_contacts > 1 ? evidence_bits(in->open_contacts * 256) : 0);
    if (evidence_score(in, k) - k->replied < certain)
        return false;
    return k->answers >= ANSWERS || k->echoes >= ECHOES || (k->answers > 0 && was_only(in, k)) ||
           (k->had_turn && heavy && p && p->asked);
}

/* What comes again and again on a new SPI belongs to the one host that has a new SA of that time and no SPI for it. */
static bool is_left_over(const struct inbound *in, const struct candidate *k)
{
    const struct pair *p = pair_open(k->contact, in->newborn);
    if (!is_only(in, k) || in->packets < HEAVY || !p || !p->newborn || !p->asked)
        return false;
    const usec_t apart = in->since > p->since ? in->since - p->since : p->since - in->since;
    return apart < SAME_TIME;
}

/* Whoever has found its own SPI since is out of the question. */
static void count_open(struct inbound *in)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < in->n_candidates; i++)
        open += fits(in, in->candidates[i].contact, true);
    if (in->server->n_contacts <= CANDIDATES && open > 0 && open < in->open_contacts)
        in->open_contacts = open;
}

bool candidates_judge(struct tracker *t, usec_t now, struct inbound *in)
{
    count_open(in);
    const struct candidate *k = best(in, false);
    if (!k || lead(in, k) < LEAD || !(is_proved(in, k, now) || is_left_over(in, k)))
        return false;
    /* a kept packet that this host has not seen yet is its own after all */
    if (in->keeps && !k->shown)
        move_inbound(t, in->kept, TRACKER_COPY, k->contact->host->addr);
    const bool answered = k->answers > 0;
    struct candidate proof = *k;
    lose_turn(&proof);
    inbound_bind(t, now, in, k->contact, &proof, !answered || in->open_contacts != 1 || !in->newborn);
    if (!answered)
        in->bound_at = 0;
    return true;
}

static void show_to(struct tracker *t, usec_t now, struct inbound *in, struct candidate *k)
{
    struct contact *c = k->contact;
    in->contact = c;
    k->tried = now;
    if (k->trial != 0 || (k->answers > 0 && !in->fair))
        return;
    k->trial = now;
    k->quiet = now - c->heard > NO_ANSWER;
    c->shown[c->n_shown++ % SHOWN] = in->spi;
    count(t, TRACKER_COUNT_TRIALS);
    if (in->newborn || !c->server->turn_long)
        turn_end(t, now, c);
}

void candidates_keep(struct tracker *t, usec_t now, struct inbound *in, uint32_t handle)
{
    for (uint32_t i = 0; i < in->n_candidates; i++)
        in->candidates[i].shown = false;
    in->keeps = true;
    in->kept = handle;
    in->kept_since = now;
    in->packets_kept = in->packets;
    t->n_kept++;
}

bool candidates_overtaken(const struct inbound *in)
{
    return in->delayed && in->packets - in->packets_kept > OVERTAKERS;
}

/* Whether n more may go: `most` at once, and one more with each `every`. */
static bool spend(struct allowance *a, usec_t now, usec_t every, uint32_t most, uint32_t n)
{
    const usec_t full = now > most * every ? now - most * every : 0;
    const usec_t at = (a->at > full ? a->at : full) + n * every;
    if (at > now)
        return false;
    a->at = at;
    return true;
}

static bool is_likely(const struct inbound *in, const struct candidate *k, const struct candidate *first)
{
    return pair_open(k->contact, in->newborn) || evidence_score(in, k) >= evidence_score(in, first) - SPREAD_BITS;
}

/* Who is likely besides the first, and has not seen the packet. */
static uint32_t find_likely(const struct inbound *in, const struct candidate *first, bool kept,
                            struct contact *out[static SPREAD_MAX])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < in->n_candidates && n < SPREAD_MAX - 1; i++) {
        const struct candidate *k = &in->candidates[i];
        if (k != first && !(kept && k->shown) && is_likely(in, k, first))
            out[n++] = k->contact;
    }
    return n;
}

/* Whether all who are likely may have copies: where little comes, nobody shall go without while it is learnt whose it
 * is. Of what comes only once, as a forgery does, half of what the server may have copied. */
static bool may_spread(struct inbound *in, usec_t now, uint32_t n)
{
    struct allowance *copies = &in->server->copies, rest = *copies;
    if (in->packets < 2 && !spend(&rest, now, COPY_EVERY, COPIES, n + COPIES / 2))
        return false;
    if (now >= in->spread_until && !spend(&in->copies, now, LIGHT_EVERY, LIGHT, 1))
        return false;
    return spend(copies, now, COPY_EVERY, COPIES, n);
}

/* Where a host's sends and a server's packets keep step by chance, as all that is repeated once a second does, a packet
 * that comes later than it would have shows it. The delay need not be unforeseeable, only different each time. */
static usec_t delay_of(const struct inbound *in)
{
    return DELAY * (1 + (in->packets * 5 + in->spi) % 8);
}

static bool any_answered(const struct inbound *in)
{
    for (uint32_t i = 0; i < in->n_candidates; i++)
        if (in->candidates[i].answers > 0)
            return true;
    return false;
}

/* The packet goes to whoever is likeliest, or all who are likely; one that may be kept is kept for the others. */
static void show(struct tracker *t, usec_t now, struct inbound *in, struct candidate *k, uint32_t handle, bool may_keep)
{
    struct contact *who[SPREAD_MAX];
    if (may_keep)
        candidates_keep(t, now, in, handle);
    const bool kept = in->keeps && in->kept == handle;
    uint32_t n = find_likely(in, k, kept, who);
    if (n > 0 && !may_spread(in, now, n))
        n = 0;
    if (in->first == 0)
        in->first = k->contact->host->addr;
    for (uint32_t i = 0; i < n; i++)
        move_inbound(t, handle, TRACKER_COPY, who[i]->host->addr);
    move_inbound(t, handle, kept ? TRACKER_COPY : TRACKER_PASS, k->contact->host->addr);
    who[n++] = k->contact;
    if (kept)
        inbound_schedule(t, now, in);
    /* what ends a turn may end a contact: it is looked for anew */
    for (uint32_t i = 0; i < n; i++) {
        k = candidates_of(in, who[i]);
        if (!k)
            continue;
        k->shown |= kept;
        show_to(t, now, in, k);
    }
}

void candidates_show(struct tracker *t, usec_t now, struct inbound *in, usec_t silent, uint32_t handle)
{
    struct candidate *k = best(in, false);
    if (in->keeps && in->contact)
        k = candidates_of(in, in->contact);
    if (!k) {
        move_drop(t, &(struct tracker_packet){.way = TRACKER_IN, .handle = handle}, TRACKER_REASON_NO_CANDIDATE);
        return;
    }
    const bool may_keep = !in->keeps && in->n_candidates > 1 && t->n_kept < t->config.held;
    /* of a host that is busy nothing is learnt but by not serving it for a moment */
    const bool learns = in->newborn || !evidence_is_busy(k->contact, now);
    const bool clear = evidence_score(in, k) >= LIKELY && lead(in, k) >= LEAD && k->misses < 2 && learns;
    in->fair = in->fair && silent <= ANEW;
    if (may_keep && silent > ANEW && any_answered(in)) {
        candidates_keep(t, now, in, handle);
        in->delayed = true;
        inbound_schedule(t, now, in);
    } else {
        show(t, now, in, k, handle, may_keep && !clear && now >= in->spread_until);
    }
}

usec_t candidates_wait(const struct inbound *in)
{
    return in->delayed ? delay_of(in) : ANSWER_WINDOW;
}

void candidates_next(struct tracker *t, usec_t now, struct inbound *in)
{
    struct candidate *k = in->contact ? candidates_of(in, in->contact) : NULL;
    const bool unseen = in->delayed;
    if (!unseen && k && k->trial != 0)
        no_answer(in, k);
    in->fair |= unseen && !candidates_overtaken(in);
    in->delayed = false;
    k = best(in, true);
    const bool late = now - in->kept_since >= t->config.hold;
    if (k && (unseen || !late))
        show(t, now, in, k, in->kept, false);
    if (!k || late) {
        in->spread_until = now + SPREAD;
        candidates_stop(t, now, in);
    }
}

/* Whether the packet that is kept has reached its host. */
static bool weigh_answer(struct inbound *in, usec_t now, const struct contact *c)
{
    struct candidate *k = candidates_of(in, c);
    if (!k || k->trial == 0)
        return false;
    const uint8_t answers = k->answers;
    if (now - k->trial > NO_ANSWER)
        no_answer(in, k);
    else if (!evidence_answer(k, now))
        lose_turn(k);
    return k->answers > answers && k->shown;
}

static bool is_tried_at(const struct inbound *in, const struct contact *c)
{
    return in->bound && !in->told && in->contact == c;
}

/* What it sends may answer several. All are weighed before one is judged: they are weighed against each other. */
void candidates_answer(struct tracker *t, usec_t now, struct contact *c)
{
    const uint32_t n = c->n_shown < SHOWN ? c->n_shown : SHOWN, server = c->server->addr;
    bool reached[SHOWN] = {false};
    c->n_shown = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct inbound *in = inbound_find(t, server, c->shown[i]);
        if (in && !in->bound)
            reached[i] = weigh_answer(in, now, c);
        else if (in && is_tried_at(in, c))
            trial_weigh(in, now);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct inbound *in = inbound_find(t, server, c->shown[i]);
        if (in && is_tried_at(in, c))
            (void)trial_judge(t, now, in);
        else if (in && !in->bound && !candidates_judge(t, now, in) && reached[i])
            candidates_stop(t, now, in);
    }
}
