/* The latest events, for whoever did not listen when they happened. As with stories, senders whose address is not
 * proved have a ring of their own: they push out only each other's. Of the service thread. */
#include "gateway/gateway_internal.h"

#define RUN_SHARE 1000000 /* numbers for each second since 1970: more than a run uses in its seconds */

void recent_init(struct recent *recent, int64_t started)
{
    *recent = (struct recent){.last = (uint64_t)started * RUN_SHARE};
}

uint64_t recent_add(struct recent *recent, const struct ctl_event *event, bool stranger)
{
    struct recent_ring *ring = &recent->ring[stranger];
    struct ctl_event *place = &ring->at[ring->n++ % RECENT_MAX];
    *place = *event;
    return place->id = ++recent->last;
}

const struct ctl_event *recent_after(const struct recent *recent, uint64_t id)
{
    const struct ctl_event *found = NULL;
    for (size_t r = 0; r < ARRAY_LEN(recent->ring); r++)
        for (size_t i = 0; i < RECENT_MAX; i++) {
            const struct ctl_event *e = &recent->ring[r].at[i];
            if (e->id > id && (found == NULL || e->id < found->id))
                found = e;
        }
    return found;
}
