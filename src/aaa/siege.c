/*
 * Guessing at one name from many places. A source that has failed so often under a name that it has to wait counts once
 * in a siege of the name; a name besieged from many sources is locked until an administrator looks. One source alone,
 * however long it tries, never locks anybody. In memory, of fixed size: the name whose siege is quiet longest gives
 * way.
 */
#include "aaa/aaa_internal.h"

#include <string.h>

#define FORGOTTEN (24 * 3600 * USEC_SEC) /* of quiet */

static struct siege *claim(struct sieges *s, uint64_t user, usec_t now)
{
    struct siege *oldest = &s->siege[0];
    for (size_t i = 0; i < SIEGES; i++) {
        struct siege *one = &s->siege[i];
        if (one->user == user && now - one->last < FORGOTTEN)
            return one;
        if (one->user == user || one->last < oldest->last)
            oldest = one;
    }
    *oldest = (struct siege){.user = user};
    return oldest;
}

size_t sieges_count(struct sieges *s, uint64_t user, uint64_t source, usec_t now)
{
    struct siege *one = claim(s, user, now);
    one->last = now;
    for (size_t i = 0; i < one->n; i++)
        if (one->source[i] == source)
            return one->n;
    if (one->n < SIEGE_SOURCES)
        one->source[one->n++] = source;
    return one->n;
}

void sieges_lift(struct sieges *s, uint64_t user)
{
    for (size_t i = 0; i < SIEGES; i++)
        if (s->siege[i].user == user)
            s->siege[i] = (struct siege){0};
}
