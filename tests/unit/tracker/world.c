/* The simulated home's time: an event heap, forgers, and what a test does to it. */
#include "tests/unit/tracker/world_internal.h"

void world_note(struct world_times *t, usec_t time)
{
    t->sum += time;
    if (time > t->worst)
        t->worst = time;
    if (t->n < ARRAY_LEN(t->all))
        t->all[t->n] = time;
    t->n++;
}

/* ---- events ---- */

static bool before(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void world_push(struct world *w, struct event e)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 1024;
        w->heap = realloc(w->heap, w->cap * sizeof(*w->heap));
        assert_non_null(w->heap);
    }
    e.order = w->order++;
    size_t i = w->n++;
    for (; i > 0 && before(&e, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = e;
}

static struct event pop(struct world *w)
{
    const struct event first = w->heap[0], last = w->heap[--w->n];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= w->n)
            break;
        if (child + 1 < w->n && before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!before(&w->heap[child], &last))
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    w->heap[i] = last;
    return first;
}

usec_t world_some(struct world *w, usec_t most)
{
    return random_below(&w->random, (uint32_t)most + 1);
}

void world_later(struct world *w, const struct dweller *d, enum event_type type, enum side side, uint32_t number,
                 usec_t delay)
{
    world_push(
        w,
        (struct event){
            .at = w->now + delay, .type = type, .side = side, .host = d->number, .epoch = d->epoch, .number = number});
}

/* ---- time ---- */

/* A forger who knows of a home's servers goes on with an SPI, in its right order. */
static void forge_run(struct world *w)
{
    struct letter *l = &w->run[random_below(&w->random, RUNS)];
    if (l->spi == 0 || random_below(&w->random, RUN) == 0)
        *l = (struct letter){.to = AT_HOST,
                             .what = DATA,
                             .host = random_below(&w->random, w->config.hosts),
                             .forged = true,
                             .spi = random_u32(&w->random) | 256,
                             .sequence = random_below(&w->random, 2) ? 1 : random_u32(&w->random)};
    l->sequence++;
    world_route(w, l);
}

static void forge(struct world *w)
{
    if (w->config.forged_runs)
        forge_run(w);
    struct letter l = {.to = AT_HOST,
                       .what = random_below(&w->random, 2) ? DATA : MM,
                       .step = 1 + random_below(&w->random, 2),
                       .host = random_below(&w->random, w->config.hosts),
                       .forged = true,
                       .spi = random_u32(&w->random) | 256,
                       .sequence = random_below(&w->random, 2) ? 1 : random_u32(&w->random),
                       .cookie = random_u64(&w->random) | 1};
    world_route(w, &l);
    world_push(w, (struct event){.at = w->now + USEC_SEC / (2 * w->config.forgeries), .type = FORGE});
}

static void happen(struct world *w, const struct event *e)
{
    struct dweller *d = &w->dwellers[e->host];
    if (e->type == FORGE) {
        forge(w);
        return;
    }
    if (e->type == KERNEL_COUNTS) {
        world_kernel_counts(w);
        world_push(w, (struct event){.at = w->now + 2 * USEC_SEC, .type = KERNEL_COUNTS});
        return;
    }
    if (e->type == REACH) {
        world_receive(w, &e->letter);
        return;
    }
    if (e->type == ARRIVE) {
        if (e->letter.to == AT_SERVER)
            world_receive(w, &e->letter);
        else if (!world_is_lost(w))
            world_route(w, &e->letter);
        return;
    }
    world_host_due(w, d, e);
}

void world_run(struct world *w, usec_t time)
{
    const usec_t end = w->now + time;
    for (;;) {
        const usec_t deadline = tracker_deadline(w->t), next = w->n ? w->heap[0].at : USEC_NEVER;
        if (usec_min(deadline, next) > end)
            break;
        if (deadline <= next) {
            w->now = deadline > w->now ? deadline : w->now;
            tracker_timeout(w->t, w->now);
            world_moves(w);
            continue;
        }
        const struct event e = pop(w);
        w->now = e.at;
        happen(w, &e);
    }
    w->now = end;
}

/* ---- from outside ---- */

static struct tracker *new_tracker(void)
{
    const struct tracker_config config = tracker_defaults();
    struct tracker *t = tracker_new(&config);
    assert_non_null(t);
    return t;
}

/* One in eight is on a bad wireless link. */
static struct dweller dweller(struct world *w, uint32_t number, enum traffic traffic)
{
    const usec_t answers =
        number % 8 == 7 ? 5 * USEC_MSEC + world_some(w, 20 * USEC_MSEC) : 500 + world_some(w, 3 * USEC_MSEC);
    return (struct dweller){.number = number,
                            .server = number % w->config.servers,
                            .traffic = traffic,
                            .answers = answers,
                            .phase = w->config.step ? world_some(w, 20 * USEC_MSEC) : 0,
                            .served = w->now};
}

struct world *world_new(const struct world_config *config)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->config = *config;
    w->now = 1000 * USEC_SEC;
    random_test_init(&w->generator, config->seed);
    w->random = (struct random){random_test_fill, &w->generator};
    w->t = new_tracker();
    w->dwellers = calloc(config->hosts, sizeof(*w->dwellers));
    assert_non_null(w->dwellers);
    enum traffic traffic = IDLE;
    for (uint32_t h = 0; h < config->hosts; h++) {
        struct dweller *d = &w->dwellers[h];
        do
            traffic = (traffic + 1) % TRAFFICS;
        while (!config->traffic[traffic]);
        *d = dweller(w, h, traffic);
        world_later(w, d, CONNECT, AT_HOST, 0, world_some(w, config->start));
    }
    if (config->forgeries)
        world_push(w, (struct event){.at = w->now, .type = FORGE});
    world_push(w, (struct event){.at = w->now, .type = KERNEL_COUNTS});
    return w;
}

static void keep_counters(struct world *w)
{
    for (int c = 0; c < TRACKER_COUNTERS; c++)
        w->figures.counters[c] += tracker_count(w->t, (enum tracker_counter)c);
}

void world_free(struct world *w)
{
    /* what is still in there is held: it comes out within a second */
    const usec_t end = w->now + 2 * USEC_SEC;
    while (tracker_deadline(w->t) <= end) {
        w->now = tracker_deadline(w->t) > w->now ? tracker_deadline(w->t) : w->now;
        tracker_timeout(w->t, w->now);
        world_moves(w);
    }
    assert_int_equal(w->in_tracker, 0);
    tracker_free(w->t);
    free(w->dwellers);
    free(w->heap);
    free(w);
}

void world_restart_router(struct world *w)
{
    keep_counters(w);
    tracker_free(w->t);
    w->t = new_tracker();
    memset(w->kernel, 0, sizeof(w->kernel));
    memset(w->taken, 0, sizeof(w->taken));
    w->in_tracker = 0;
    for (uint32_t h = 0; h < w->config.hosts; h++) {
        struct dweller *d = &w->dwellers[h];
        d->outage = 0;
        d->restarted = true;
        d->was_served = d->was_bound = false;
        for (uint32_t i = 0; i < PAIRS; i++)
            d->pair[i].wrong_since = 0;
    }
}

void world_reboot(struct world *w, uint32_t host)
{
    struct dweller *d = &w->dwellers[host];
    const uint32_t epoch = d->epoch + 1;
    *d = dweller(w, host, d->traffic);
    d->epoch = epoch;
    world_later(w, d, CONNECT, AT_HOST, 0, USEC_SEC);
}

void world_rekey_all(struct world *w, usec_t within)
{
    for (uint32_t h = 0; h < w->config.hosts; h++)
        world_push(w, (struct event){.at = w->now + world_some(w, within),
                                     .type = REKEY,
                                     .side = random_below(&w->random, 2) ? AT_HOST : AT_SERVER,
                                     .host = h,
                                     .epoch = w->dwellers[h].epoch});
}

uint32_t world_unserved(const struct world *w, usec_t for_so_long)
{
    uint32_t n = 0;
    for (uint32_t h = 0; h < w->config.hosts; h++)
        n += w->now - w->dwellers[h].served > for_so_long;
    return n;
}

uint32_t world_wrong(const struct world *w, usec_t for_so_long)
{
    uint32_t n = 0;
    for (uint32_t h = 0; h < w->config.hosts; h++) {
        const struct sa_pair *p = &w->dwellers[h].pair[w->dwellers[h].pairs % PAIRS];
        n += p->wrong_since != 0 && w->now - p->wrong_since >= for_so_long;
    }
    return n;
}

struct world_figures *world_figures(struct world *w)
{
    keep_counters(w);
    return &w->figures;
}
