/* What waits for the caller: datagrams to send, events to tell. Both are pulled after each call. */
#include "ike/ike_internal.h"

#include <stdlib.h>
#include <string.h>

struct datagram {
    struct datagram *next;
    struct path path;
    size_t n;
    uint8_t bytes[];
};

/* An event and, for CHILD_NEW, the keys that it lends. */
struct notice {
    struct notice *next;
    struct ike_event event;
    uint8_t keymat_in[KEYMAT_MAX], keymat_out[KEYMAT_MAX];
};

void queue_datagram(struct ike *ike, const struct path *path, struct view bytes)
{
    if (fragment_send(ike, path, bytes))
        return;
    struct datagram *d = malloc(sizeof(*d) + bytes.n);
    if (!d)
        return;
    d->next = NULL;
    d->path = *path;
    d->n = bytes.n;
    if (bytes.n > 0)
        memcpy(d->bytes, bytes.p, bytes.n);
    if (!ike->out_first)
        ike->out_last = &ike->out_first;
    *ike->out_last = d;
    ike->out_last = &d->next;
}

bool ike_output(struct ike *ike, struct path *path, struct writer *w)
{
    struct datagram *d = ike->out_first;
    if (!d)
        return false;
    ike->out_first = d->next;
    *path = d->path;
    wr_bytes(w, d->bytes, d->n);
    free(d);
    return true;
}

struct ike_event *queue_event(struct ike *ike, enum ike_event_type type)
{
    struct notice *n = calloc(1, sizeof(*n));
    if (!n)
        return NULL;
    n->event.type = type;
    if (!ike->event_first)
        ike->event_last = &ike->event_first;
    *ike->event_last = n;
    ike->event_last = &n->next;
    return &n->event;
}

static void notice_free(struct notice *n)
{
    if (!n)
        return;
    bytes_wipe(n->keymat_in, sizeof(n->keymat_in));
    bytes_wipe(n->keymat_out, sizeof(n->keymat_out));
    if (n->event.dh) {
        dh_work_wipe(n->event.dh);
        free(n->event.dh);
    }
    proof_drop(n->event.proof);
    free(n);
}

bool ike_event(struct ike *ike, struct ike_event *out)
{
    notice_free(ike->event_told);
    struct notice *n = ike->event_told = ike->event_first;
    if (!n)
        return false;
    ike->event_first = n->next;
    *out = n->event;
    n->event.dh = NULL; /* the caller has them now */
    n->event.proof = NULL;
    return true;
}

void queue_keymat(struct ike_event *e, struct view in, struct view out)
{
    struct notice *n = container_of(e, struct notice, event);
    if (in.n > KEYMAT_MAX || out.n > KEYMAT_MAX)
        return;
    memcpy(n->keymat_in, in.p, in.n);
    memcpy(n->keymat_out, out.p, out.n);
    e->child.keymat_in = view_of(n->keymat_in, in.n);
    e->child.keymat_out = view_of(n->keymat_out, out.n);
}

void queue_done(struct ike *ike)
{
    while (ike->out_first) {
        struct datagram *d = ike->out_first;
        ike->out_first = d->next;
        free(d);
    }
    while (ike->event_first) {
        struct notice *n = ike->event_first;
        ike->event_first = n->next;
        notice_free(n);
    }
    notice_free(ike->event_told);
    ike->event_told = NULL;
}

bool notice_allowed(struct ike *ike)
{
    if (ike->now - ike->notice_since >= USEC_SEC) {
        ike->notice_since = ike->now;
        ike->notice_count = 0;
    }
    return ike->notice_count++ < NOTICES_PER_SECOND;
}
