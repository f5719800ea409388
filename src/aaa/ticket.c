/*
 * Coming back: what was typed at a full login by one-time password is taken again from the same device, while its
 * session lives or shortly after it was lost. A phone that wakes up redials with what it has saved, and its user should
 * not have to look at a grid each time. In memory, of fixed size: the oldest loss gives way.
 */
#include "aaa/aaa_internal.h"

#include <stdlib.h>
#include <string.h>

#define TICKETS 1024

struct ticket {
    uint64_t user; /* 0: free */
    uint64_t source, session;
    usec_t began;
    usec_t lost; /* 0: the session lives */
    char station[AAA_STATION_MAX];
    size_t n;
    char text[TICKET_TEXT_MAX];
};

struct tickets {
    struct ticket ticket[TICKETS];
};

struct tickets *tickets_new(void)
{
    return calloc(1, sizeof(struct tickets));
}

void tickets_free(struct tickets *t)
{
    if (t == NULL)
        return;
    bytes_wipe(t, sizeof *t);
    free(t);
}

static void drop(struct ticket *t)
{
    bytes_wipe(t, sizeof *t);
}

/* Whether `one` is missed less than `other`: a loss less than a session that lives, and of equals the older. */
static bool gives_way(const struct ticket *one, const struct ticket *other)
{
    if ((one->lost != 0) != (other->lost != 0))
        return one->lost != 0;
    return one->lost != 0 ? one->lost < other->lost : one->began < other->began;
}

static struct ticket *claim(struct tickets *t)
{
    struct ticket *least = &t->ticket[0];
    for (size_t i = 0; i < TICKETS; i++) {
        struct ticket *one = &t->ticket[i];
        if (one->user == 0)
            return one;
        if (gives_way(one, least))
            least = one;
    }
    return least;
}

void tickets_issue(struct tickets *t, uint64_t user, uint64_t source, const char *station, uint64_t session,
                   struct view text, usec_t now)
{
    if (text.n == 0 || text.n > TICKET_TEXT_MAX)
        return;
    struct ticket *one = claim(t);
    drop(one);
    one->user = user;
    one->source = source;
    one->session = session;
    one->began = now;
    one->n = text.n;
    memcpy(one->text, text.p, text.n);
    view_copy_text(one->station, sizeof one->station, view_str(station));
}

/* A device that says who it is, is known by that alone: it may have moved to another network meanwhile. */
static bool is_same_device(const struct ticket *t, uint64_t source, const char *station)
{
    if (t->station[0] != '\0' || station[0] != '\0')
        return strcmp(t->station, station) == 0;
    return t->source == source;
}

static bool is_good(const struct ticket *t, usec_t now, usec_t grace, usec_t longest)
{
    return now - t->began < longest && (t->lost == 0 || now - t->lost < grace);
}

int tickets_find(struct tickets *t, uint64_t user, uint64_t source, const char *station, usec_t now, usec_t grace,
                 usec_t longest, struct view *text)
{
    int newest = -1;
    for (size_t i = 0; i < TICKETS; i++) {
        struct ticket *one = &t->ticket[i];
        if (one->user != 0 && !is_good(one, now, grace, longest))
            drop(one);
        if (one->user == user && is_same_device(one, source, station) &&
            (newest < 0 || one->began >= t->ticket[newest].began))
            newest = (int)i;
    }
    if (newest >= 0)
        *text = view_of(t->ticket[newest].text, t->ticket[newest].n);
    return newest;
}

void tickets_move(struct tickets *t, int place, uint64_t session)
{
    t->ticket[place].session = session;
    t->ticket[place].lost = 0;
}

void tickets_lost(struct tickets *t, uint64_t session, usec_t now)
{
    for (size_t i = 0; i < TICKETS; i++)
        if (t->ticket[i].user != 0 && t->ticket[i].session == session)
            t->ticket[i].lost = now;
}

void tickets_forget(struct tickets *t, uint64_t user)
{
    for (size_t i = 0; i < TICKETS; i++)
        if (t->ticket[i].user == user)
            drop(&t->ticket[i]);
}
