/*
 * Keeps a client connected: when to look the server's name up, which of its addresses to try, how long to pause after a
 * failure and which failures are final, what to do when the host slept or its network changed.
 *
 *   idle -> resolving -> trying -> up
 *               ^           |      |
 *               `-- waiting <------'        waiting: 1 s to 60 s, with jitter
 *
 * Pure: time and happenings in, orders out. Whoever owns it carries the orders out and says what came of them.
 */
#ifndef SEKISHO_KEEPER_H
#define SEKISHO_KEEPER_H

#include "base/base.h"

enum keeper_stay {
    KEEPER_NEVER,   /* the first end is final */
    KEEPER_ONCE_UP, /* comes back after it was up, until a person has to mend something */
    KEEPER_ALWAYS,  /* after everything; what a person has to mend is tried once in the longest pause */
};

enum keeper_state { KEEPER_IDLE, KEEPER_RESOLVING, KEEPER_TRYING, KEEPER_UP, KEEPER_WAITING };

enum keeper_order_type {
    KEEPER_ORDER_RESOLVE, /* look the server's name up: keeper_resolved() */
    KEEPER_ORDER_TRY,     /* connect to this address of the server: keeper_up() or keeper_failed() */
    KEEPER_ORDER_DROP,    /* say goodbye to what there is and forget it; nothing more about it is to be told */
    KEEPER_ORDER_MOVE,    /* go on from the host's new address, and ask the server whether it is there */
    KEEPER_ORDER_PROBE,   /* ask the server whether it is there; when it is not: keeper_failed() */
    KEEPER_ORDER_LOST,    /* tell: it failed with this cause and is tried again in `retry`; DROP what is left of it */
    KEEPER_ORDER_FAILED,  /* tell: it failed with this cause, for good; DROP what is left of it */
};

struct keeper_order {
    enum keeper_order_type type;
    uint32_t address; /* TRY: which of those found, from 0 */
    enum cause cause;
    usec_t retry;
};

/* The way from this host to the server, as the host's routes have it now. */
enum keeper_way {
    KEEPER_WAY_SAME,    /* from the same address as before */
    KEEPER_WAY_OTHER,   /* from another, and the SAs cannot be taken along */
    KEEPER_WAY_MOVABLE, /* from another; the SAs can */
    KEEPER_WAY_NONE,
};

#define KEEPER_ORDERS 8

struct keeper {
    enum keeper_stay stay;
    struct random random;
    enum keeper_state state;
    usec_t deadline;
    usec_t pause; /* the next one, without jitter */
    usec_t up_since;
    uint32_t addresses, address;
    uint32_t attempts; /* since keeper_start() */
    uint32_t ups;
    enum cause doubt; /* the cause that a person would have to mend, told once since it was up */
    bool cut_off;     /* there is no way to the server */
    struct keeper_order orders[KEEPER_ORDERS];
    uint32_t order_first, order_count;
};

void keeper_init(struct keeper *k, enum keeper_stay stay, const struct random *random);

/* ERR_STATE unless idle. */
enum err keeper_start(struct keeper *k, usec_t now);
/* Idle again, without an order but DROP. */
void keeper_stop(struct keeper *k);

/* The name has this many addresses; 0: none was found. */
void keeper_resolved(struct keeper *k, usec_t now, uint32_t addresses);
/* The attempt waits for a person who was asked something: it may take longer. */
void keeper_asked(struct keeper *k, usec_t now);
void keeper_up(struct keeper *k, usec_t now);
/* The attempt has failed, or the connection has ended. */
void keeper_failed(struct keeper *k, usec_t now, enum cause cause);
/* The host's network has changed; this is what it comes to. */
void keeper_network(struct keeper *k, usec_t now, enum keeper_way way);
/* The host has slept, or stood still, for a while. */
void keeper_slept(struct keeper *k, usec_t now);

void keeper_timeout(struct keeper *k, usec_t now);
usec_t keeper_deadline(const struct keeper *k);
/* The next order; false: none. To be pulled until false after each of the calls above. */
bool keeper_order(struct keeper *k, struct keeper_order *out);

#endif
