/* The simulated home: an event heap, hosts and servers with the truth, and a kernel's maps. */
#include "tests/unit/tracker/world.h"

#define SERVER_ADDR(s) (0xc6336401u + (s))
#define HOST_ADDR(h)   (0x0a000001u + (h))
#define PAIRS          4 /* of a host: the newest, and those before */
#define RESEND         USEC_SEC
#define HELLO          (60 * USEC_SEC)
#define SLOTS          (1u << 16) /* packets inside the tracker at once */
#define KERNEL         (1u << 15)
#define MAIN_MODE      2
#define QUICK_MODE     32
#define ROUNDS         10 /* of L2TP and PPP, until a host is up */
#define RUNS           64
#define RUN            40 /* packets of a run, on the average */

enum side { AT_HOST, AT_SERVER };

enum what { MM, QM, ASK, ANSWER, DATA, ACK };

struct letter {
    enum side to;
    enum what what;
    uint32_t host;
    uint32_t epoch; /* of the host: what is from before a reboot is not understood */
    uint32_t step;  /* MM, QM: which message; else its number */
    uint32_t pair;  /* QM, ESP */
    bool server_begins;
    bool forged;
    uint32_t spi, sequence;
    uint64_t cookie;
};

enum event_type {
    ARRIVE,
    REACH,
    RESEND_IKE,
    RESEND_ASK,
    TICK,
    HELLO_TIME,
    REKEY,
    CONNECT,
    FORGE,
    KERNEL_COUNTS,
    STALL
};

struct event {
    usec_t at;
    uint64_t order;
    enum event_type type;
    enum side side;
    uint32_t host, epoch, number;
    struct letter letter;
};

struct sa_pair {
    uint32_t number;
    uint32_t in_spi, out_spi;
    uint32_t in_sequence, out_sequence;
    bool at_host, at_server; /* is used to send from there */
    usec_t wrong_since;      /* the kernel has its inbound SPI for another host */
};

struct dweller {
    uint32_t number, server, epoch;
    enum traffic traffic;
    usec_t answers; /* how long it takes to answer */
    uint64_t cookie;
    uint32_t mm_step;
    uint32_t pairs, qm_pair, qm_step;
    bool qm_by_server;
    struct sa_pair pair[PAIRS];
    uint32_t ask[2], answered[2]; /* by side: numbers of questions */
    uint32_t handshake;
    bool up;
    usec_t connect_at, served, outage;
    bool restarted; /* the router, and this host has not sent since */
    bool was_served, was_bound;
    uint32_t burst, stalls;
    usec_t phase; /* of a host in step */
};

struct bound {
    uint32_t host, server, spi;
    uint64_t packets;
    bool used, in;
    usec_t since;
};

struct world {
    struct world_config config;
    struct random_test generator;
    struct random random;
    struct tracker *t;
    usec_t now;
    uint64_t order;
    struct event *heap;
    size_t n, cap;
    struct dweller *dwellers;
    struct letter slot[SLOTS];
    bool taken[SLOTS], seen[SLOTS]; /* by a host, in copies */
    uint32_t next_slot, in_tracker;
    struct bound kernel[KERNEL];
    struct letter run[RUNS]; /* of a forger who keeps to an SPI */
    struct world_figures figures;
};

static void note(struct world_times *t, usec_t time)
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

static void push(struct world *w, struct event e)
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

static usec_t some(struct world *w, usec_t most)
{
    return random_below(&w->random, (uint32_t)most + 1);
}

static void later(struct world *w, const struct dweller *d, enum event_type type, enum side side, uint32_t number,
                  usec_t delay)
{
    push(w,
         (struct event){
             .at = w->now + delay, .type = type, .side = side, .host = d->number, .epoch = d->epoch, .number = number});
}

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

static void kernel_counts(struct world *w)
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
        note(&w->figures.wrong, w->now - p->wrong_since);
    p->wrong_since = bound && owner != e->host ? w->now : 0;
    struct dweller *d = &w->dwellers[owner - HOST_ADDR(0)];
    if (bound && owner == e->host && !d->was_bound && d->outage != 0) {
        d->was_bound = true;
        note(&w->figures.bound, w->now - d->outage);
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

static usec_t half_way(const struct dweller *d)
{
    static const usec_t half_trips[] = {4, 10, 30, 75};
    return half_trips[d->server % 4] * USEC_MSEC;
}

static bool is_lost(struct world *w)
{
    if (random_below(&w->random, 1000) >= w->config.loss)
        return false;
    w->figures.lost++;
    return true;
}

static void arrive(struct world *w, const struct letter *l, usec_t delay)
{
    if (!is_lost(w))
        push(w, (struct event){.at = w->now + delay, .type = ARRIVE, .host = l->host, .letter = *l});
}

/* To an inside host: only who has this SA or these cookies understands it. */
static void hand_over(struct world *w, const struct letter *l, uint32_t addr)
{
    if (l->forged)
        return;
    if (addr == HOST_ADDR(l->host)) {
        w->figures.delivered++;
        push(w,
             (struct event){.at = w->now + w->dwellers[l->host].answers, .type = REACH, .host = l->host, .letter = *l});
    } else if (l->what != MM && l->what != QM) {
        w->figures.misdelivered++;
    }
}

static void moves(struct world *w)
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
            arrive(w, &l, half_way(&w->dwellers[l.host]));
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
    moves(w);
}

/* At the router: the kernel forwards what it was told to, the rest is asked about. */
static void route(struct world *w, const struct letter *l)
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
        arrive(w, l, half_way(&w->dwellers[l->host]));
    else
        hand_over(w, l, b->host);
}

static struct letter letter_to(const struct dweller *d, enum side to, enum what what, uint32_t step)
{
    return (struct letter){
        .to = to, .what = what, .host = d->number, .epoch = d->epoch, .step = step, .cookie = d->cookie};
}

/* ---- ESP ---- */

static struct sa_pair *pair_of(struct dweller *d, uint32_t number)
{
    struct sa_pair *p = &d->pair[number % PAIRS];
    return p->number == number && p->in_spi != 0 ? p : NULL;
}

static void esp(struct world *w, struct dweller *d, enum side to, enum what what, uint32_t number)
{
    struct sa_pair *newest = NULL;
    for (uint32_t i = 0; i < PAIRS; i++) {
        struct sa_pair *p = &d->pair[i];
        if (p->in_spi != 0 && (to == AT_HOST ? p->at_server : p->at_host) && (!newest || p->number > newest->number))
            newest = p;
    }
    if (!newest)
        return;
    struct letter l = letter_to(d, to, what, number);
    l.pair = newest->number;
    l.spi = to == AT_HOST ? newest->in_spi : newest->out_spi;
    l.sequence = to == AT_HOST ? ++newest->in_sequence : ++newest->out_sequence;
    if (to == AT_SERVER)
        route(w, &l);
    else
        push(w, (struct event){.at = w->now + half_way(d), .type = ARRIVE, .host = d->number, .letter = l});
}

static void ask(struct world *w, struct dweller *d, enum side from)
{
    d->ask[from]++;
    esp(w, d, from == AT_HOST ? AT_SERVER : AT_HOST, ASK, d->ask[from]);
    later(w, d, RESEND_ASK, from, d->ask[from], RESEND);
}

static void burst(struct world *w, struct dweller *d)
{
    const enum side to = d->traffic == DOWNLOAD ? AT_HOST : AT_SERVER;
    d->burst++;
    /* what is repeated for want of an answer is one packet */
    for (int i = 0; i < (d->stalls ? 1 : 4); i++)
        esp(w, d, to, DATA, d->burst);
    later(w, d, STALL, AT_HOST, d->burst, (300 * USEC_MSEC) << (d->stalls < 4 ? d->stalls : 4));
}

static void come_up(struct world *w, struct dweller *d)
{
    d->up = true;
    note(&w->figures.connect, w->now - d->connect_at);
    later(w, d, HELLO_TIME, AT_HOST, 0, some(w, HELLO));
    later(w, d, HELLO_TIME, AT_SERVER, 0, some(w, HELLO));
    if (w->config.rekey)
        later(w, d, REKEY, random_below(&w->random, 2) ? AT_HOST : AT_SERVER, 0,
              w->config.rekey / 2 + some(w, w->config.rekey / 2));
    if (d->traffic == DOWNLOAD || d->traffic == UPLOAD)
        burst(w, d);
    else if (d->traffic == STEP)
        later(w, d, TICK, AT_HOST, 0, w->config.step - w->now % w->config.step + d->phase);
    else if (d->traffic != IDLE)
        later(w, d, TICK, AT_HOST, 0, some(w, USEC_SEC));
}

static void tick(struct world *w, struct dweller *d)
{
    usec_t next = USEC_SEC;
    switch (d->traffic) {
    case PING_OUT:
        esp(w, d, AT_SERVER, ASK, 0);
        break;
    case PING_IN:
        esp(w, d, AT_HOST, ASK, 0);
        break;
    case VOICE:
        esp(w, d, AT_HOST, DATA, 0);
        esp(w, d, AT_SERVER, DATA, 0);
        next = 20 * USEC_MSEC;
        break;
    case STREAM:
        esp(w, d, AT_HOST, DATA, 0);
        next = 50 * USEC_MSEC;
        break;
    case STEP:
        w->figures.asked++;
        esp(w, d, AT_SERVER, ASK, 0);
        next = w->config.step - (w->now - d->phase) % w->config.step + some(w, 300);
        break;
    case IDLE:
    case DOWNLOAD:
    case UPLOAD:
    case TRAFFICS:
        return;
    }
    later(w, d, TICK, AT_HOST, 0, next);
}

static void esp_received(struct world *w, struct dweller *d, const struct letter *l)
{
    struct sa_pair *p = pair_of(d, l->pair);
    const enum side other = l->to == AT_HOST ? AT_SERVER : AT_HOST;
    if (!p || (l->to == AT_HOST ? p->in_spi : p->out_spi) != l->spi)
        return;
    if (l->to == AT_SERVER)
        p->at_server = true;
    if (l->to == AT_HOST) {
        d->served = w->now;
        if (!d->was_served && d->outage != 0 && l->epoch == d->epoch) {
            d->was_served = true;
            note(&w->figures.served, w->now - d->outage);
        }
    }
    if (l->what == ANSWER && l->step == 0 && d->traffic == STEP)
        w->figures.answered++;
    if (l->what == ASK) {
        esp(w, d, other, ANSWER, l->step);
    } else if (l->what == ANSWER && l->step != 0 && l->step == d->ask[l->to]) {
        d->answered[l->to] = l->step;
        if (!d->up && l->to == AT_HOST && ++d->handshake < ROUNDS)
            ask(w, d, AT_HOST);
        else if (!d->up && l->to == AT_HOST)
            come_up(w, d);
    } else if (l->what == DATA && d->traffic == (l->to == AT_HOST ? DOWNLOAD : UPLOAD)) {
        esp(w, d, other, ACK, l->step);
    } else if (l->what == ACK && l->step == d->burst) {
        d->stalls = 0;
        later(w, d, STALL, AT_SERVER, d->burst, w->config.pace);
        d->burst++;
    }
}

/* ---- IKE ---- */

static void ike(struct world *w, struct dweller *d, enum side to, enum what what, uint32_t step)
{
    struct letter l = letter_to(d, to, what, step);
    l.pair = d->qm_pair;
    l.server_begins = d->qm_by_server;
    if (to == AT_SERVER)
        route(w, &l);
    else
        push(w, (struct event){.at = w->now + half_way(d), .type = ARRIVE, .host = d->number, .letter = l});
}

static void quick_mode(struct world *w, struct dweller *d, enum side from)
{
    d->qm_pair = ++d->pairs;
    d->qm_step = 1;
    d->qm_by_server = from == AT_SERVER;
    struct sa_pair *p = &d->pair[d->qm_pair % PAIRS];
    *p = (struct sa_pair){
        .number = d->qm_pair, .in_spi = random_u32(&w->random) | 256, .out_spi = random_u32(&w->random) | 256};
    ike(w, d, from == AT_HOST ? AT_SERVER : AT_HOST, QM, 1);
    later(w, d, RESEND_IKE, from, d->qm_step, 2 * USEC_SEC);
}

static void connect_now(struct world *w, struct dweller *d)
{
    d->cookie = random_u64(&w->random) | 1;
    d->connect_at = w->now;
    d->mm_step = 1;
    ike(w, d, AT_SERVER, MM, 1);
    later(w, d, RESEND_IKE, AT_HOST, 0, 2 * USEC_SEC);
}

static void mm_received(struct world *w, struct dweller *d, const struct letter *l)
{
    if (l->to == AT_SERVER) {
        ike(w, d, AT_HOST, MM, l->step + 1);
        return;
    }
    if (l->step != d->mm_step + 1)
        return;
    d->mm_step += 2;
    if (d->mm_step < 6)
        ike(w, d, AT_SERVER, MM, d->mm_step);
    else
        quick_mode(w, d, AT_HOST);
}

static void qm_received(struct world *w, struct dweller *d, const struct letter *l)
{
    struct sa_pair *p = pair_of(d, l->pair);
    if (!p || l->pair != d->qm_pair)
        return;
    const enum side other = l->to == AT_HOST ? AT_SERVER : AT_HOST;
    if (l->step < 3)
        ike(w, d, other, QM, l->step + 1);
    /* each side sends by the new SAs once it has the last message that it waits for */
    if (l->step == 1)
        return;
    const bool first_time = !(l->to == AT_HOST ? p->at_host : p->at_server);
    if (l->to == AT_HOST)
        p->at_host = true;
    else
        p->at_server = true;
    d->qm_step = 3;
    if (l->to == AT_HOST && first_time && !d->up && d->handshake == 0)
        ask(w, d, AT_HOST);
}

static void resend_ike(struct world *w, struct dweller *d, const struct event *e)
{
    if (d->mm_step < 6 && e->number == 0)
        ike(w, d, AT_SERVER, MM, d->mm_step);
    else if (d->mm_step > 6 && e->number != 0 && d->qm_step == 1)
        ike(w, d, e->side == AT_HOST ? AT_SERVER : AT_HOST, QM, 1);
    else
        return;
    later(w, d, RESEND_IKE, e->side, e->number, 2 * USEC_SEC);
}

static void receive(struct world *w, const struct letter *l)
{
    struct dweller *d = &w->dwellers[l->host];
    if (l->epoch != d->epoch || l->forged)
        return;
    if (l->what == MM)
        mm_received(w, d, l);
    else if (l->what == QM)
        qm_received(w, d, l);
    else
        esp_received(w, d, l);
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
    route(w, l);
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
    route(w, &l);
    push(w, (struct event){.at = w->now + USEC_SEC / (2 * w->config.forgeries), .type = FORGE});
}

static void happen(struct world *w, const struct event *e)
{
    struct dweller *d = &w->dwellers[e->host];
    if (e->type == FORGE) {
        forge(w);
        return;
    }
    if (e->type == KERNEL_COUNTS) {
        kernel_counts(w);
        push(w, (struct event){.at = w->now + 2 * USEC_SEC, .type = KERNEL_COUNTS});
        return;
    }
    if (e->type == REACH) {
        receive(w, &e->letter);
        return;
    }
    if (e->type == ARRIVE) {
        if (e->letter.to == AT_SERVER)
            receive(w, &e->letter);
        else if (!is_lost(w))
            route(w, &e->letter);
        return;
    }
    if (e->epoch != d->epoch)
        return;
    switch (e->type) {
    case CONNECT:
        connect_now(w, d);
        break;
    case RESEND_IKE:
        resend_ike(w, d, e);
        break;
    case RESEND_ASK:
        if (d->answered[e->side] < e->number && d->ask[e->side] == e->number) {
            esp(w, d, e->side == AT_HOST ? AT_SERVER : AT_HOST, ASK, e->number);
            later(w, d, RESEND_ASK, e->side, e->number, RESEND);
        }
        break;
    case TICK:
        tick(w, d);
        break;
    case HELLO_TIME:
        ask(w, d, e->side);
        later(w, d, HELLO_TIME, e->side, 0, HELLO);
        break;
    case REKEY:
        quick_mode(w, d, e->side);
        if (w->config.rekey)
            later(w, d, REKEY, random_below(&w->random, 2) ? AT_HOST : AT_SERVER, 0,
                  w->config.rekey / 2 + some(w, w->config.rekey));
        break;
    case STALL:
        if (e->side == AT_SERVER) {
            burst(w, d);
        } else if (e->number == d->burst) {
            d->stalls++;
            burst(w, d);
        }
        break;
    case ARRIVE:
    case REACH:
    case FORGE:
    case KERNEL_COUNTS:
        break;
    }
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
            moves(w);
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
    const usec_t answers = number % 8 == 7 ? 5 * USEC_MSEC + some(w, 20 * USEC_MSEC) : 500 + some(w, 3 * USEC_MSEC);
    return (struct dweller){.number = number,
                            .server = number % w->config.servers,
                            .traffic = traffic,
                            .answers = answers,
                            .phase = w->config.step ? some(w, 20 * USEC_MSEC) : 0,
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
        later(w, d, CONNECT, AT_HOST, 0, some(w, config->start));
    }
    if (config->forgeries)
        push(w, (struct event){.at = w->now, .type = FORGE});
    push(w, (struct event){.at = w->now, .type = KERNEL_COUNTS});
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
        moves(w);
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
    later(w, d, CONNECT, AT_HOST, 0, USEC_SEC);
}

void world_rekey_all(struct world *w, usec_t within)
{
    for (uint32_t h = 0; h < w->config.hosts; h++)
        push(w, (struct event){.at = w->now + some(w, within),
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
