/*
 * A home behind a router, simulated with the truth known: inside hosts and servers that speak enough of IKE and L2TP to
 * ask, answer, repeat, rekey, restart and stall; a kernel that forwards what it was told to; and the tracker between.
 */
#ifndef SEKISHO_TRACKER_WORLD_H
#define SEKISHO_TRACKER_WORLD_H

#include "tests/test.h"

#include "tracker/tracker.h"

enum traffic {
    IDLE,     /* a hello a minute each way */
    PING_OUT, /* the host asks, the server answers, once a second */
    PING_IN,  /* the other way round */
    DOWNLOAD, /* bursts from the server, acknowledged by the host; stalls without */
    UPLOAD,
    VOICE,  /* 50 packets a second each way, whatever the other does */
    STREAM, /* 20 packets a second from the server, never answered */
    STEP,   /* as PING_OUT, but all hosts ask at the same moment, within a few milliseconds */
    TRAFFICS
};

struct world_config {
    uint64_t seed;
    uint32_t hosts, servers;
    uint32_t loss;          /* of 1000 packets */
    usec_t start;           /* all hosts connect within so long */
    bool traffic[TRAFFICS]; /* which kinds there are; hosts take them in turn */
    usec_t pace;            /* between the bursts of a download or upload, beside the way there and back */
    usec_t rekey;           /* how often each rekeys, half of them begun by the server; 0: never */
    uint32_t forgeries;     /* of ESP and of IKE in a second, each */
    bool forged_runs;       /* and as often one more, of an SPI that comes again and again */
    usec_t step;            /* how often hosts ask in step */
};

struct world_times {
    uint32_t n;
    usec_t worst, sum;
    usec_t all[4096];
};

struct world_figures {
    struct world_times connect; /* from a host's first packet to its last answer of L2TP */
    struct world_times served;  /* since an outage's end: the first packet that reaches its host */
    struct world_times bound;   /* since then: the kernel has its inbound SPI */
    struct world_times wrong;   /* how long the kernel had a wrong one */
    uint64_t delivered, misdelivered, lost;
    uint64_t forwarded, learnt_from; /* ESP packets by the kernel, by the tracker */
    uint64_t asked, answered;        /* by hosts in step */
    uint32_t forged_bound;
    uint64_t counters[TRACKER_COUNTERS];
};

struct world;

struct world *world_new(const struct world_config *config);
void world_free(struct world *w); /* fails the test when a handle never came out */
void world_run(struct world *w, usec_t time);
void world_restart_router(struct world *w);
void world_reboot(struct world *w, uint32_t host);
/* All hosts of a server rekey within so long. */
void world_rekey_all(struct world *w, usec_t within);
/* How many hosts have not been reached by their server for so long. */
uint32_t world_unserved(const struct world *w, usec_t for_so_long);
/* How many inbound SPIs in use the kernel has for a wrong host, for at least so long. */
uint32_t world_wrong(const struct world *w, usec_t for_so_long);
struct world_figures *world_figures(struct world *w);

#endif
