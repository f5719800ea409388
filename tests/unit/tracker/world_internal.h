/* What the simulated home's files share: world.c has the time, world_router.c the kernel and the road, world_hosts.c
 * the hosts and their servers. */
#ifndef SEKISHO_TRACKER_WORLD_INTERNAL_H
#define SEKISHO_TRACKER_WORLD_INTERNAL_H

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

/* ---- time (world.c) ---- */

void world_note(struct world_times *t, usec_t time);
void world_push(struct world *w, struct event e);
/* A time up to most. */
usec_t world_some(struct world *w, usec_t most);
void world_later(struct world *w, const struct dweller *d, enum event_type type, enum side side, uint32_t number,
                 usec_t delay);

/* ---- the router (world_router.c) ---- */

/* A letter at the router. */
void world_route(struct world *w, const struct letter *l);
/* What the tracker wants done. */
void world_moves(struct world *w);
void world_kernel_counts(struct world *w);
usec_t world_half_way(const struct dweller *d);
bool world_is_lost(struct world *w);

/* ---- hosts and servers (world_hosts.c) ---- */

/* A letter at its end. */
void world_receive(struct world *w, const struct letter *l);
/* A timer of a host, or of its server. */
void world_host_due(struct world *w, struct dweller *d, const struct event *e);

#endif
