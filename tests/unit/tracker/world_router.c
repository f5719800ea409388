/* The simulated router: a kernel's maps, the tracker, and the road to either side. */
#include "tests/unit/tracker/world_internal.h"

/* ---- the kernel ---- */

static struct bound *kernel_find(struct world *w, bool in, uint32_t host, uint32_t server, uint32_t spi, bool make)
{
    uint32_t i = (spi * 2654435761u ^ server * 40503u ^ (in ? 0 : host * 97u)) % KERNEL;
    for (;; i = (i + 1) % KERNEL) {
        struct bound *b = &w->kernel[i];
        if (b->spi == 0) {
            if (make)
                *b = (struct bound){.host = host, .server = server, .spi = spi, .in = in};
            return make ? b : NULL;
        }
        if (b->spi == spi && b->server == server && b->in == in && (in || b->host == host))
            return b;
    }
}

static struct bound *kernel_has(struct world *w, bool in, uint32_t host, uint32_t server, uint32_t spi)
{
    struct bound *b = kernel_find(w, in, host, server, spi, false);
    return b && b->used ? b : NULL;
}

void world_kernel_counts(struct world *w)
{
    for (size_t i = 0; i < KERNEL; i++) {
        struct bound *b = &w->kernel[i];
        if (!b->used || b->packets == 0)
            continue;
        tracker_used(w->t, w->now, b->in ? TRACKER_IN : TRACKER_OUT, b->in ? 0 : b->host, b->server, b->spi,
                     b->packets);
        b->packets = 0;
    }
}

static struct sa_pair *owner_pair(struct world *w, uint32_t server, uint32_t spi, uint32_t *host)
{
    for (uint32_t h = 0; h < w->config.hosts; h++) {
        struct dweller *d = &w->dwellers[h];
        for (uint32_t i = 0; i < PAIRS; i++)
            if (SERVER_ADDR(d->server) == server && d->pair[i].in_spi == spi) {
                *host = HOST_ADDR(h);
                return &d->pair[i];
            }
    }
    return NULL;
}

static void bound_inbound(struct world *w, const struct tracker_event *e, bool bound)
{
    uint32_t owner = 0;
    struct sa_pair *p = owner_pair(w, e->server, e->spi, &owner);
    if (!p) {
        w->figures.forged_bound += bound;
        return;
    }
    if (p->wrong_since != 0)
        world_note(&w->figures.wrong, w->now - p->wrong_since);
    p->wrong_since = bound && owner != e->host ? w->now : 0;
    struct dweller *d = &w->dwellers[owner - HOST_ADDR(0)];
    if (bound && owner == e->host && !d->was_bound && d->outage != 0) {
        d->was_bound = true;
        world_note(&w->figures.bound, w->now - d->outage);
    }
}

static void events(struct world *w)
{
    struct tracker_event e;
    while (tracker_event(w->t, &e)) {
        if (e.type != TRACKER_BOUND && e.type != TRACKER_UNBOUND)
            continue;
        const bool in = e.way == TRACKER_IN, bound = e.type == TRACKER_BOUND;
        struct bound *b = kernel_find(w, in, e.host, e.server, e.spi, true);
        /* a map has an element once, and one that is taken out is in it */
        assert_true(b->used != bound);
        *b = (struct bound){.host = e.host, .server = e.server, .spi = e.spi, .in = in, .used = bound, .since = w->now};
        if (in)
            bound_inbound(w, &e, bound);
    }
}

/* ---- the road ---- */

usec_t world_half_way(const struct dweller *d)
{
    static const usec_t half_trips[] = {4, 10, 30, 75};
    return half_trips[d->server % 4] * USEC_MSEC;
}

bool world_is_lost(struct world *w)
{
    if (random_below(&w->random, 1000) >= w->config.loss)
        return false;
    w->figures.lost++;
    return true;
}

static void arrive(struct world *w, const struct letter *l, usec_t delay)
{
    if (!world_is_lost(w))
        world_push(w, (struct event){.at = w->now + delay, .type = ARRIVE, .host = l->host, .letter = *l});
}

/* To an inside host: only who has this SA or these cookies understands it. */
static void hand_over(struct world *w, const struct letter *l, uint32_t addr)
{
    if (l->forged)
        return;
    if (addr == HOST_ADDR(l->host)) {
        w->figures.delivered++;
        world_push(w, (struct event){
                          .at = w->now + w->dwellers[l->host].answers, .type = REACH, .host = l->host, .letter = *l});
    } else if (l->what != MM && l->what != QM) {
        w->figures.misdelivered++;
    }
}

void world_moves(struct world *w)
{
    struct tracker_move m;
    while (tracker_output(w->t, &m)) {
        assert_true(m.handle < SLOTS && w->taken[m.handle]);
        const struct letter l = w->slot[m.handle];
        assert_true(m.act != TRACKER_DONE || w->seen[m.handle]); /* nothing ends that nobody has got */
        w->seen[m.handle] |= m.act == TRACKER_COPY;
        if (m.act != TRACKER_COPY) {
            w->taken[m.handle] = false;
            w->in_tracker--;
        }
        if (m.act == TRACKER_DROP || m.act == TRACKER_DONE)
            continue;
        if (m.way == TRACKER_OUT)
            arrive(w, &l, world_half_way(&w->dwellers[l.host]));
        else
            hand_over(w, &l, m.host);
    }
    events(w);
}

static void to_tracker(struct world *w, const struct letter *l, uint32_t server)
{
    const bool ike = l->what == MM || l->what == QM;
    do
        w->next_slot = (w->next_slot + 1) % SLOTS;
    while (w->taken[w->next_slot]);
    w->slot[w->next_slot] = *l;
    w->taken[w->next_slot] = true;
    w->seen[w->next_slot] = false;
    w->in_tracker++;
    tracker_input(w->t, w->now,
                  &(struct tracker_packet){
                      .way = l->to == AT_SERVER ? TRACKER_OUT : TRACKER_IN,
                      .host = l->to == AT_SERVER ? HOST_ADDR(l->host) : 0,
                      .server = server,
                      .ike = ike,
                      .spi = ike ? 0 : l->spi,
                      .sequence = ike ? 0 : l->sequence,
                      .initiator = ike ? l->cookie : 0,
                      .responder = ike && (l->what == QM || l->step > 1) ? ~l->cookie : 0,
                      .exchange = !ike            ? 0
                                  : l->what == MM ? MAIN_MODE
                                                  : QUICK_MODE,
                      .message_id = l->what == QM ? l->pair + 1 : 0,
                      .handle = w->next_slot,
                  });
    world_moves(w);
}

/* At the router: the kernel forwards what it was told to, the rest is asked about. */
void world_route(struct world *w, const struct letter *l)
{
    const uint32_t server = SERVER_ADDR(w->dwellers[l->host].server);
    const bool ike = l->what == MM || l->what == QM;
    struct dweller *d = &w->dwellers[l->host];
    if (l->to == AT_SERVER && d->restarted) {
        d->restarted = false;
        d->outage = w->now;
    }
    struct bound *b = ike ? NULL : kernel_has(w, l->to == AT_HOST, HOST_ADDR(l->host), server, l->spi);
    if (!b) {
        w->figures.learnt_from += !ike && !l->forged;
        to_tracker(w, l, server);
        return;
    }
    b->packets++;
    w->figures.forwarded++;
    if (l->to == AT_SERVER)
        arrive(w, l, world_half_way(&w->dwellers[l->host]));
    else
        hand_over(w, l, b->host);
}
