/* Diffie-Hellman goes out as an event and comes back by its number: it is slow, and any thread may do it. */
#include "ike/ike_internal.h"

#include <stdlib.h>
#include <string.h>

enum err work_ask(struct ike *ike, struct pending *p, enum dh_group group, const uint8_t *private_key, struct view peer)
{
    if (peer.n > DH_VALUE_MAX)
        return ERR_LIMIT;
    struct dh_work *work = calloc(1, sizeof(*work));
    struct ike_event *e = work ? queue_event(ike, IKE_EVENT_DH) : NULL;
    if (!e) {
        free(work);
        return ERR_NOMEM;
    }
    work_forget(ike, p);
    work->id = ++ike->works;
    work->group = group;
    if (private_key)
        memcpy(work->private_key, private_key, sizeof(work->private_key));
    else
        random_fill(&ike->env.random, work->private_key, dh_private_size(group));
    work->peer_len = (uint16_t)peer.n;
    if (peer.n > 0)
        memcpy(work->peer, peer.p, peer.n);
    e->dh = work;
    e->attempt = p->sa->attempt;
    e->peer = p->sa->peer ? p->sa->peer->number : 0;
    e->path = p->sa->path;
    index_add(&ike->by_work, &p->node, work->id);
    ike->works_out++;
    return ERR_OK;
}

void work_forget(struct ike *ike, struct pending *p)
{
    if (!p->node.linked)
        return;
    index_remove(&ike->by_work, &p->node);
    ike->works_out--;
}

bool work_allowed(const struct ike *ike)
{
    return ike->works_out < WORKS_MAX;
}

void ike_dh_done(struct ike *ike, usec_t now, struct dh_work *work)
{
    ike->now = now;
    struct index_node *n = index_find(&ike->by_work, work->id, NULL);
    if (n) {
        struct pending *p = container_of(n, struct pending, node);
        work_forget(ike, p);
        if (p->quick)
            quick_worked(ike, p->quick, work);
        else if (p->sa->aggressive)
            aggressive_worked(ike, p->sa, work);
        else if (p->sa->initiator)
            initiator_worked(ike, p->sa, work);
        else
            main_mode_worked(ike, p->sa, work);
    }
    dh_work_wipe(work);
    free(work);
}
