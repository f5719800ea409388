/*
 * The grids that are open: handed out, not used, not past their time. In memory, of fixed size.
 *
 * Grids for names that do not exist, and for strangers where those get none that opens, are kept like all others, so
 * that nobody can tell them apart by asking again. A user has up to DESK_OPEN true ones, from different places: a new
 * one does not end an older one, and a stranger's gives way to that of somebody who is known. Those that were shown in
 * band open nothing but their session, and do not count. A user is here whoever the asked name may mean, without
 * looking into the store, and what a user does elsewhere changes nothing here: strangers see their grids and could
 * tell.
 */
#include "aaa/aaa_internal.h"

#include <stdlib.h>
#include <string.h>

#define HOUR         (3600 * USEC_SEC)
#define QUOTA_SLOTS  1024
#define NUMBER_TRIES 8                /* to find one that no other open grid of the user has */
#define REMEMBERED   (600 * USEC_SEC) /* how long it is known that a user had a grid */

struct quota {
    uint64_t source; /* 0: free */
    usec_t since;
    uint32_t taken;
};

struct desk {
    uint8_t key[GRID_KEY_SIZE];
    struct opening opening[DESK_SLOTS];
    struct quota quota[QUOTA_SLOTS];
};

struct desk *desk_new(const uint8_t key[static GRID_KEY_SIZE])
{
    struct desk *d = calloc(1, sizeof *d);
    if (d != NULL)
        memcpy(d->key, key, sizeof d->key);
    return d;
}

void desk_free(struct desk *d)
{
    if (d == NULL)
        return;
    bytes_wipe(d, sizeof *d);
    free(d);
}

/* ---- how many an address gets ---- */

static struct quota *quota_of(struct desk *d, uint64_t source, usec_t now)
{
    struct quota *oldest = &d->quota[0];
    for (size_t i = 0; i < QUOTA_SLOTS; i++) {
        if (d->quota[i].source == source) {
            oldest = &d->quota[i];
            break;
        }
        if (d->quota[i].since < oldest->since)
            oldest = &d->quota[i];
    }
    if (oldest->source != source || now - oldest->since >= HOUR)
        *oldest = (struct quota){.source = source, .since = now};
    return oldest;
}

/* ---- handing out ---- */

static bool is_open(const struct opening *o, usec_t now)
{
    return o->user != 0 && !o->burnt && now < o->until;
}

static bool is_same_visit(const struct opening *o, const struct desk_visit *v)
{
    return o->user == v->user && o->source == v->source && o->session == v->session;
}

/* What this visitor has open already; a grid that opens nothing is not kept for one who is known by now. */
static struct opening *find_visit(struct desk *d, const struct desk_visit *v)
{
    for (size_t i = 0; i < DESK_SLOTS; i++) {
        struct opening *o = &d->opening[i];
        if (is_open(o, v->now) && is_same_visit(o, v) && (!v->known || !o->decoy))
            return o;
    }
    return NULL;
}

/* A free slot, or one whose grid is over; else, for those whose grid can open something, one that opens nothing. */
static struct opening *claim(struct desk *d, const struct desk_visit *v, bool decoy)
{
    struct opening *oldest = NULL, *worthless = NULL;
    for (size_t i = 0; i < DESK_SLOTS; i++) {
        struct opening *o = &d->opening[i];
        if (o->user == 0)
            return o;
        if (!is_open(o, v->now) && (oldest == NULL || o->until < oldest->until))
            oldest = o;
        if (o->decoy && (worthless == NULL || o->until < worthless->until))
            worthless = o;
    }
    return oldest != NULL || decoy ? oldest : worthless;
}

/* How many true grids the user has fetched; the oldest that belongs to a stranger. */
static size_t count_true(struct desk *d, const struct desk_visit *v, struct opening **stranger)
{
    size_t n = 0;
    *stranger = NULL;
    for (size_t i = 0; i < DESK_SLOTS; i++) {
        struct opening *o = &d->opening[i];
        if (!is_open(o, v->now) || o->user != v->user || o->session != 0 || o->decoy)
            continue;
        n++;
        if (!o->known && (*stranger == NULL || o->until < (*stranger)->until))
            *stranger = o;
    }
    return n;
}

static bool number_taken(const struct desk *d, const struct desk_visit *v, unsigned number)
{
    for (size_t i = 0; i < DESK_SLOTS; i++)
        if (is_open(&d->opening[i], v->now) && d->opening[i].user == v->user && d->opening[i].number == number)
            return true;
    return false;
}

static void fill(struct desk *d, struct opening *o, const struct desk_visit *v, bool decoy, const struct random *rng)
{
    *o = (struct opening){.user = v->user,
                          .source = v->source,
                          .session = v->session,
                          .until = v->now + v->life,
                          .expires = v->wall + (int64_t)(v->life / USEC_SEC),
                          .decoy = decoy,
                          .known = v->known};
    for (size_t i = 0; i < NUMBER_TRIES; i++) {
        random_fill(rng, o->id, sizeof o->id);
        const unsigned number = grid_number(d->key, o->id);
        if (!number_taken(d, v, number)) {
            o->number = (uint8_t)number;
            return;
        }
    }
}

const struct opening *desk_take(struct desk *d, const struct desk_visit *v, const struct random *rng)
{
    struct opening *stranger, *o = find_visit(d, v);
    if (o != NULL)
        return o;
    struct quota *quota = quota_of(d, v->source, v->now);
    if (quota->taken >= v->quota)
        return NULL;
    const bool full = count_true(d, v, &stranger) >= DESK_OPEN && v->session == 0;
    const bool displaces = full && v->known && stranger != NULL;
    const bool decoy = v->decoy || (full && !displaces);
    if (displaces) /* it is shown as before: whoever looks at it shall not see that somebody came */
        stranger->decoy = true;
    o = claim(d, v, decoy);
    if (o == NULL)
        return NULL;
    quota->taken++;
    fill(d, o, v, decoy, rng);
    return o;
}

/* ---- using ---- */

size_t desk_open_to(const struct desk *d, uint64_t user, uint64_t source, uint64_t session, bool bound, usec_t now,
                    uint16_t out[static DESK_READ])
{
    size_t n = 0;
    for (size_t i = 0; i < DESK_SLOTS; i++) {
        const struct opening *o = &d->opening[i];
        const bool meant = o->session != 0 ? o->session == session : !bound || o->source == source;
        if (is_open(o, now) && o->user == user && !o->decoy && meant && n < DESK_READ)
            out[n++] = (uint16_t)i;
    }
    return n;
}

const struct opening *desk_at(const struct desk *d, uint16_t place)
{
    return &d->opening[place];
}

bool desk_had(const struct desk *d, uint64_t user, usec_t now)
{
    for (size_t i = 0; i < DESK_SLOTS; i++)
        if (d->opening[i].user == user && !d->opening[i].decoy && now < d->opening[i].until + REMEMBERED)
            return true;
    return false;
}

void desk_burn(struct desk *d, uint16_t place)
{
    d->opening[place].burnt = true;
}

void desk_burn_visit(struct desk *d, uint64_t user, uint64_t source, uint64_t session)
{
    for (size_t i = 0; i < DESK_SLOTS; i++) {
        struct opening *o = &d->opening[i];
        if (o->user == user && (o->session != 0 ? o->session == session : o->source == source))
            o->burnt = true;
    }
}

void desk_close(struct desk *d, uint64_t session)
{
    for (size_t i = 0; i < DESK_SLOTS; i++)
        if (session != 0 && d->opening[i].session == session)
            d->opening[i] = (struct opening){0};
}
