/* The simulated hosts and servers, which know the truth: IKE, ESP and what goes on inside. */
#include "tests/unit/tracker/world_internal.h"

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
        world_route(w, &l);
    else
        world_push(w, (struct event){.at = w->now + world_half_way(d), .type = ARRIVE, .host = d->number, .letter = l});
}

static void ask(struct world *w, struct dweller *d, enum side from)
{
    d->ask[from]++;
    esp(w, d, from == AT_HOST ? AT_SERVER : AT_HOST, ASK, d->ask[from]);
    world_later(w, d, RESEND_ASK, from, d->ask[from], RESEND);
}

static void burst(struct world *w, struct dweller *d)
{
    const enum side to = d->traffic == DOWNLOAD ? AT_HOST : AT_SERVER;
    d->burst++;
    /* what is repeated for want of an answer is one packet */
    for (int i = 0; i < (d->stalls ? 1 : 4); i++)
        esp(w, d, to, DATA, d->burst);
    world_later(w, d, STALL, AT_HOST, d->burst, (300 * USEC_MSEC) << (d->stalls < 4 ? d->stalls : 4));
}

static void come_up(struct world *w, struct dweller *d)
{
    d->up = true;
    world_note(&w->figures.connect, w->now - d->connect_at);
    world_later(w, d, HELLO_TIME, AT_HOST, 0, world_some(w, HELLO));
    world_later(w, d, HELLO_TIME, AT_SERVER, 0, world_some(w, HELLO));
    if (w->config.rekey)
        world_later(w, d, REKEY, random_below(&w->random, 2) ? AT_HOST : AT_SERVER, 0,
                    w->config.rekey / 2 + world_some(w, w->config.rekey / 2));
    if (d->traffic == DOWNLOAD || d->traffic == UPLOAD)
        burst(w, d);
    else if (d->traffic == STEP)
        world_later(w, d, TICK, AT_HOST, 0, w->config.step - w->now % w->config.step + d->phase);
    else if (d->traffic != IDLE)
        world_later(w, d, TICK, AT_HOST, 0, world_some(w, USEC_SEC));
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
        next = w->config.step - (w->now - d->phase) % w->config.step + world_some(w, 300);
        break;
    case IDLE:
    case DOWNLOAD:
    case UPLOAD:
    case TRAFFICS:
        return;
    }
    world_later(w, d, TICK, AT_HOST, 0, next);
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
            world_note(&w->figures.served, w->now - d->outage);
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
        world_later(w, d, STALL, AT_SERVER, d->burst, w->config.pace);
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
        world_route(w, &l);
    else
        world_push(w, (struct event){.at = w->now + world_half_way(d), .type = ARRIVE, .host = d->number, .letter = l});
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
    world_later(w, d, RESEND_IKE, from, d->qm_step, 2 * USEC_SEC);
}

static void connect_now(struct world *w, struct dweller *d)
{
    d->cookie = random_u64(&w->random) | 1;
    d->connect_at = w->now;
    d->mm_step = 1;
    ike(w, d, AT_SERVER, MM, 1);
    world_later(w, d, RESEND_IKE, AT_HOST, 0, 2 * USEC_SEC);
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
    world_later(w, d, RESEND_IKE, e->side, e->number, 2 * USEC_SEC);
}

void world_receive(struct world *w, const struct letter *l)
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

void world_host_due(struct world *w, struct dweller *d, const struct event *e)
{
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
            world_later(w, d, RESEND_ASK, e->side, e->number, RESEND);
        }
        break;
    case TICK:
        tick(w, d);
        break;
    case HELLO_TIME:
        ask(w, d, e->side);
        world_later(w, d, HELLO_TIME, e->side, 0, HELLO);
        break;
    case REKEY:
        quick_mode(w, d, e->side);
        if (w->config.rekey)
            world_later(w, d, REKEY, random_below(&w->random, 2) ? AT_HOST : AT_SERVER, 0,
                        w->config.rekey / 2 + world_some(w, w->config.rekey));
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
