#include "keeper/keeper.h"

#include <string.h>

#define PAUSE_FIRST  USEC_SEC
#define PAUSE_LONG   (60 * USEC_SEC)
#define STEADY       (60 * USEC_SEC)  /* up for so long: the next failure is a first one again */
#define ATTEMPT_TIME (60 * USEC_SEC)  /* for all layers together; each has a shorter limit of its own */
#define ASKED_TIME   (240 * USEC_SEC) /* for a person to read and type, which PPP gives less for */
#define JITTER       4                /* a pause is longer or shorter by up to this part of it */

static void order(struct keeper *k, struct keeper_order o)
{
    if (k->order_count < KEEPER_ORDERS)
        k->orders[(k->order_first + k->order_count++) % KEEPER_ORDERS] = o;
}

bool keeper_order(struct keeper *k, struct keeper_order *out)
{
    if (k->order_count == 0)
        return false;
    *out = k->orders[k->order_first];
    k->order_first = (k->order_first + 1) % KEEPER_ORDERS;
    k->order_count--;
    return true;
}

void keeper_init(struct keeper *k, enum keeper_stay stay, const struct random *random)
{
    *k = (struct keeper){.stay = stay, .random = *random, .deadline = USEC_NEVER, .pause = PAUSE_FIRST};
}

/* ---- attempts ---- */

/* The name is looked up for every attempt: a server that moved is found by its new address. */
static void begin(struct keeper *k)
{
    k->state = KEEPER_RESOLVING;
    k->deadline = USEC_NEVER;
    k->attempts++;
    order(k, (struct keeper_order){.type = KEEPER_ORDER_RESOLVE});
}

static void try(struct keeper *k, usec_t now, uint32_t address)
{
    k->state = KEEPER_TRYING;
    k->address = address;
    k->deadline = now + ATTEMPT_TIME;
    order(k, (struct keeper_order){.type = KEEPER_ORDER_TRY, .address = address});
}

enum err keeper_start(struct keeper *k, usec_t now)
{
    (void)now;
    if (k->state != KEEPER_IDLE)
        return ERR_STATE;
    k->attempts = k->ups = 0;
    k->pause = PAUSE_FIRST;
    k->doubt = CAUSE_NONE;
    k->cut_off = false;
    begin(k);
    return ERR_OK;
}

static bool has_something(const struct keeper *k)
{
    return k->state == KEEPER_TRYING || k->state == KEEPER_UP;
}

void keeper_stop(struct keeper *k)
{
    if (has_something(k))
        order(k, (struct keeper_order){.type = KEEPER_ORDER_DROP});
    k->state = KEEPER_IDLE;
    k->deadline = USEC_NEVER;
}

void keeper_resolved(struct keeper *k, usec_t now, uint32_t addresses)
{
    if (k->state != KEEPER_RESOLVING)
        return;
    k->addresses = addresses;
    if (addresses > 0)
        try(k, now, 0);
    else
        keeper_failed(k, now, CAUSE_NAME_UNKNOWN);
}

void keeper_asked(struct keeper *k, usec_t now)
{
    if (k->state == KEEPER_TRYING)
        k->deadline = now + ASKED_TIME;
}

void keeper_up(struct keeper *k, usec_t now)
{
    if (k->state != KEEPER_TRYING)
        return;
    k->state = KEEPER_UP;
    k->deadline = USEC_NEVER;
    k->up_since = now;
    k->ups++;
    k->doubt = CAUSE_NONE;
}

/* ---- failures ---- */

/* Whether another attempt makes no sense before a person has mended something: a wrong key, password, certificate. */
static bool is_permanent(enum cause cause)
{
    switch ((int)cause) {
    case CAUSE_IKE_WRONG_PSK:
    case CAUSE_IKE_NO_PROPOSAL:
    case CAUSE_IKE_AUTH_METHOD:
    case CAUSE_IKE_IDENTITY:
    case CAUSE_ESP_NO_PROPOSAL:
    case CAUSE_AUTH_METHOD:
    case CAUSE_AUTH_NO_USER:
    case CAUSE_AUTH_PASSWORD:
    case CAUSE_AUTH_DISABLED:
    case CAUSE_AUTH_REFUSED:
    case CAUSE_AUTH_EXPIRED:
    case CAUSE_AUTH_CERTIFICATE:
    case CAUSE_AUTH_SERVER_CERTIFICATE:
    case CAUSE_NO_RIGHTS:
        return true;
    case CAUSE_CERT_REVOCATION: /* whoever was asked may answer again */
    case CAUSE_CERT_LATE:
        return false;
    default:
        return strncmp(cause_word(cause), "cert-", 5) == 0;
    }
}

/* Whether another address of the same server may do better. */
static bool is_of_the_way(enum cause cause)
{
    return cause == CAUSE_IKE_NO_ANSWER || cause == CAUSE_IKE_NATT_BLOCKED || cause == CAUSE_NO_NETWORK;
}

/* A server that is being restarted may seem to refuse: after it was up, it must say so twice. No attempt brings back an
 * interface, which is the caller's to make. */
static bool is_final(struct keeper *k, enum cause cause)
{
    if (cause == CAUSE_INTERFACE_GONE)
        return true;
    if (k->stay == KEEPER_ALWAYS)
        return false;
    if (k->stay == KEEPER_NEVER || k->ups == 0)
        return true;
    if (!is_permanent(cause))
        return false;
    const bool again = k->doubt == cause;
    k->doubt = cause;
    return again;
}

static usec_t with_jitter(const struct keeper *k, usec_t pause)
{
    const usec_t span = pause / JITTER;
    return pause - span + random_below(&k->random, (uint32_t)(2 * span) + 1);
}

static void wait(struct keeper *k, usec_t now, enum cause cause)
{
    usec_t pause = k->pause;
    k->pause = usec_min(2 * k->pause, PAUSE_LONG);
    if (is_permanent(cause) && k->stay == KEEPER_ALWAYS)
        pause = PAUSE_LONG;
    pause = with_jitter(k, pause);
    k->state = KEEPER_WAITING;
    k->deadline = now + pause;
    order(k, (struct keeper_order){.type = KEEPER_ORDER_LOST, .cause = cause, .retry = pause});
}

void keeper_failed(struct keeper *k, usec_t now, enum cause cause)
{
    const bool was_up = k->state == KEEPER_UP;
    if (k->state == KEEPER_IDLE || k->state == KEEPER_WAITING)
        return;
    if (was_up && now - k->up_since >= STEADY)
        k->pause = PAUSE_FIRST;
    if (k->state == KEEPER_TRYING && is_of_the_way(cause) && k->address + 1 < k->addresses) {
        try(k, now, k->address + 1);
        return;
    }
    if (!is_final(k, cause)) {
        wait(k, now, cause);
        return;
    }
    k->state = KEEPER_IDLE;
    k->deadline = USEC_NEVER;
    order(k, (struct keeper_order){.type = KEEPER_ORDER_FAILED, .cause = cause});
}

/* ---- what happens to the host ---- */

/* What was begun under other circumstances is begun anew, at once. */
static void again(struct keeper *k, enum cause cause)
{
    const bool was_up = k->state == KEEPER_UP;
    if (has_something(k))
        order(k, (struct keeper_order){.type = KEEPER_ORDER_DROP});
    if (was_up)
        order(k, (struct keeper_order){.type = KEEPER_ORDER_LOST, .cause = cause});
    k->pause = PAUSE_FIRST;
    begin(k);
}

void keeper_network(struct keeper *k, usec_t now, enum keeper_way way)
{
    const bool back = k->cut_off && way != KEEPER_WAY_NONE;
    k->cut_off = way == KEEPER_WAY_NONE;
    if (way == KEEPER_WAY_NONE || k->state == KEEPER_IDLE || k->state == KEEPER_RESOLVING)
        return; /* a cable may be back before the server misses us */
    if (k->state == KEEPER_UP && way == KEEPER_WAY_SAME) {
        if (back)
            order(k, (struct keeper_order){.type = KEEPER_ORDER_PROBE});
    } else if (k->state == KEEPER_UP && way == KEEPER_WAY_MOVABLE) {
        order(k, (struct keeper_order){.type = KEEPER_ORDER_MOVE});
    } else if (back || way != KEEPER_WAY_SAME) {
        if (k->stay != KEEPER_NEVER || k->state != KEEPER_UP)
            again(k, CAUSE_NETWORK_CHANGED);
        else
            keeper_failed(k, now, CAUSE_NETWORK_CHANGED);
    }
}

void keeper_slept(struct keeper *k, usec_t now)
{
    (void)now;
    if (k->state == KEEPER_UP)
        order(k, (struct keeper_order){.type = KEEPER_ORDER_PROBE});
    else if (k->state == KEEPER_TRYING || k->state == KEEPER_WAITING)
        again(k, CAUSE_NONE);
}

/* ---- time ---- */

void keeper_timeout(struct keeper *k, usec_t now)
{
    if (now < k->deadline)
        return;
    k->deadline = USEC_NEVER;
    if (k->state == KEEPER_WAITING) {
        begin(k);
    } else if (k->state == KEEPER_TRYING) {
        order(k, (struct keeper_order){.type = KEEPER_ORDER_DROP});
        keeper_failed(k, now, CAUSE_PEER_SILENT);
    }
}

usec_t keeper_deadline(const struct keeper *k)
{
    return k->deadline;
}
