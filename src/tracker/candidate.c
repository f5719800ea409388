/*
 * Who may own an inbound SPI, and finding out: its packets go to the likeliest host, and when that does not answer, the
 * same packet, kept as long, goes to the next. A host that is not meant has no such SA and drops it silently.
 */
#include "tracker/tracker_internal.h"

#include <stdlib.h>

#define BIT 16

#define CERTAIN        (8 * BIT)
#define LEAD           (4 * BIT) /* over the second */
#define LIKELY         (3 * BIT)
#define REPLIES_ENOUGH 3
#define LOOKS          256 /* contacts looked at for candidates of a new SPI */
#define FRESH          4   /* contacts that sent last, considered anew with each packet */
#define FRESH_AGE      (300 * USEC_MSEC)
#define ANEW           (100 * USEC_MSEC) /* a stranger silent for so long speaks anew */
#define NO_ANSWER      (150 * USEC_MSEC) /* what is sent later is no answer */
#define OWNER_BEFORE   (BIT / 2)
#define TURN_BONUS     (4 * BIT)

static struct candidate *of_contact(struct inbound *in, const struct contact *c)
{
    for (uint32_t i = 0; i < in->n_candidates; i++)
        if (in->candidates[i].contact == c)
            return &in->candidates[i];
    return NULL;
}

static int32_t score(const struct inbound *in, const struct candidate *k)
{
    return k->evidence + evidence_prior(in, k->contact);
}

static void add(struct inbound *in, struct contact *c, int32_t evidence)
{
    if (in->candidates && in->n_candidates < CANDIDATES && !of_contact(in, c))
        in->candidates[in->n_candidates++] = (struct candidate){.contact = c, .evidence = evidence};
}

/* Those whose pairs are open come first, then those that sent last. */
void candidates_find(struct inbound *in, struct contact *before)
{
    const struct server *s = in->server;
    if (!in->candidates)
        in->candidates = calloc(CANDIDATES, sizeof(*in->candidates));
    in->n_candidates = 0;
    in->open_contacts = 0;
    if (before)
        add(in, before, OWNER_BEFORE);
    if (s->turn && (in->newborn || !s->turn_long))
        add(in, s->turn, TURN_BONUS);
    uint32_t looks = 0;
    LIST_EACH(l, &s->recent)
    {
        struct contact *c = container_of(l, struct contact, recent);
        if (++looks > LOOKS)
            break;
        if (!pair_open(c, in->newborn))
            continue;
        in->open_contacts++;
        add(in, c, 0);
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
    struct candidate *k = of_contact(in, c);
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
        const int32_t n = score(in, k);
        if (!found || n > most || (n == most && k->tried < found->tried)) {
            found = k;
            most = n;
        }
    }
    return found;
}

static int32_t lead(const struct inbound *in, const struct candidate *first)
{
    int32_t second = score(in, first) - CERTAIN;
    for (uint32_t i = 0; i < in->n_candidates; i++) {
        const struct candidate *k = &in->candidates[i];
        if (k != first && score(in, k) > second)
            second = score(in, k);
    }
    return score(in, first) - second;
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
    if (of_contact(in, c))
        return;
    if (in->n_candidates < CANDIDATES) {
        add(in, c, 0);
        return;
    }
    struct candidate *worst = NULL;
    for (uint32_t i = 0; i < in->n_candidates; i++) {
        struct candidate *k = &in->candidates[i];
        if (k->trial == 0 && k->contact != in->contact && (!worst || score(in, k) < score(in, worst)))
            worst = k;
    }
    if (worst && score(in, worst) < evidence_prior(in, c))
        *worst = (struct candidate){.contact = c};
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

static void no_answer(struct inbound *in, struct candidate *k)
{
    evidence_no_answer(k);
    rotate(in);
}

void candidates_weigh(struct inbound *in, usec_t now, usec_t silent)
{
    uint32_t looks = 0;
    LIST_EACH(l, &in->server->recent)
    {
        struct contact *c = container_of(l, struct contact, recent);
        if (++looks > FRESH || now - c->sent > FRESH_AGE)
            break;
        replace_worst(in, c);
    }
    for (uint32_t i = 0; i < in->n_candidates; i++) {
        struct candidate *k = &in->candidates[i];
        if (k->trial != 0 && now - k->trial > NO_ANSWER)
            no_answer(in, k);
        if (silent > ANEW)
            evidence_arrival(k, now);
    }
}

void candidates_stop(struct tracker *t, usec_t now, struct inbound *in)
{
    if (!in->keeps)
        return;
    in->keeps = false;
    t->n_kept--;
    move_inbound(t, in->kept, TRACKER_DONE, in->contact ? in->contact->host->addr : 0);
    inbound_schedule(t, now, in);
}

bool candidates_judge(struct tracker *t, usec_t now, struct inbound *in)
{
    struct candidate *k = best(in, false);
    if (!k || (k->answers == 0 && k->replies < REPLIES_ENOUGH) || score(in, k) < CERTAIN || lead(in, k) < LEAD)
        return false;
    /* a kept packet that this host has not seen yet is its own after all */
    if (in->keeps && !k->shown)
        move_inbound(t, in->kept, TRACKER_COPY, k->contact->host->addr);
    inbound_bind(t, now, in, k->contact, in->open_contacts != 1 || !in->newborn);
    return true;
}

static void show_to(struct tracker *t, usec_t now, struct inbound *in, struct candidate *k)
{
    struct contact *c = k->contact;
    in->contact = c;
    if (in->first == 0)
        in->first = c->host->addr;
    k->tried = now;
    if (k->trial != 0)
        return;
    k->trial = now;
    k->quiet = now - c->sent > NO_ANSWER;
    c->shown[c->n_shown++ % SHOWN] = in->spi;
    count(t, TRACKER_COUNT_TRIALS);
    if (in->newborn || !c->server->turn_long)
        turn_end(t, now, c);
}

void candidates_show(struct tracker *t, usec_t now, struct inbound *in, uint32_t handle)
{
    struct candidate *k = best(in, false);
    if (in->keeps && in->contact)
        k = of_contact(in, in->contact);
    if (!k) {
        move_drop(t, &(struct tracker_packet){.way = TRACKER_IN, .handle = handle}, TRACKER_REASON_NO_CANDIDATE);
        return;
    }
    const bool clear = in->n_candidates == 1 || (score(in, k) >= LIKELY && lead(in, k) >= LEAD);
    const bool keep = !clear && !in->keeps && t->n_kept < t->config.held;
    move_inbound(t, handle, keep ? TRACKER_COPY : TRACKER_PASS, k->contact->host->addr);
    if (keep) {
        for (uint32_t i = 0; i < in->n_candidates; i++)
            in->candidates[i].shown = false;
        k->shown = true;
        in->keeps = true;
        in->kept = handle;
        in->kept_since = now;
        t->n_kept++;
        inbound_schedule(t, now, in);
    }
    show_to(t, now, in, k);
}

void candidates_next(struct tracker *t, usec_t now, struct inbound *in)
{
    struct candidate *k = in->contact ? of_contact(in, in->contact) : NULL;
    if (k && k->trial != 0)
        no_answer(in, k);
    k = best(in, true);
    if (!k || now - in->kept_since >= t->config.hold) {
        candidates_stop(t, now, in);
        return;
    }
    k->shown = true;
    move_inbound(t, in->kept, TRACKER_COPY, k->contact->host->addr);
    show_to(t, now, in, k);
}

static void answered(struct tracker *t, usec_t now, struct inbound *in, struct contact *c)
{
    struct candidate *k = of_contact(in, c);
    if (!k || k->trial == 0)
        return;
    const uint8_t answers = k->answers;
    if (now - k->trial > NO_ANSWER)
        no_answer(in, k);
    else
        evidence_answer(k, now);
    if (!candidates_judge(t, now, in) && k->answers > answers)
        candidates_stop(t, now, in);
}

void candidates_answer(struct tracker *t, usec_t now, struct contact *c)
{
    const uint32_t n = c->n_shown < SHOWN ? c->n_shown : SHOWN;
    c->n_shown = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct inbound *in = inbound_find(t, c->server->addr, c->shown[i]);
        if (in && !in->bound)
            answered(t, now, in, c);
    }
}
