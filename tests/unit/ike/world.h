/* Two ikes in one process on a virtual clock, with a network between them that delays, loses, repeats and translates.
 */
#ifndef SEKISHO_TESTS_IKE_WORLD_H
#define SEKISHO_TESTS_IKE_WORLD_H

#include "ike/ike.h"
#include "tests/test.h"

#define WORLD_EVENTS 1024
#define WORLD_FLIGHT 64
#define WORLD_SENT   512
#define WORLD_SPIS   256
#define WORLD_HELD   128
#define ONE_WAY      (10 * USEC_MSEC)

struct world_event {
    struct ike_event event;
    uint8_t keymat_in[128], keymat_out[128];
    usec_t at;
};

/* One end: the client (0) or the gateway (1). */
struct side {
    struct ike *ike;
    struct ike_config config;
    struct random_test rng;
    uint32_t next_spi;
    int spis; /* reserved and not released */
    struct world_event events[WORLD_EVENTS];
    size_t event_count;
    enum drop verdicts[WORLD_SENT]; /* on each datagram that came in */
    size_t verdict_count;
    int sent, keepalives;
    size_t largest; /* datagram, without its non-ESP marker */
    /* What becomes of its signatures. They are made of the signer's own certificate and the hash, so that neither can
     * be changed unnoticed. */
    bool hold_proofs;       /* until world_answer() */
    enum cause sign_cause;  /* its own are not made, for this reason */
    enum cause judge_cause; /* the peer's are refused, for this reason, good or not */
    const char *subject;    /* what it calls the peer; NULL: nothing */
    struct ike_proof *held[WORLD_HELD];
    size_t held_count;
    size_t signs, judges; /* that were asked for */
};

struct flight {
    bool used;
    usec_t at;
    int to;
    struct path path; /* as the receiver sees it */
    size_t n;
    uint8_t bytes[IKE_DATAGRAM_MAX];
};

struct world {
    usec_t now;
    struct side side[2];
    struct flight flight[WORLD_FLIGHT];
    bool nat;          /* the client is at 10.0.0.2 behind 198.51.100.7 */
    uint16_t nat_base; /* added to the client's port; change it and the mapping has moved */
    bool ipv6;         /* instead; not with nat */
    bool block_4500;   /* on the way */
    uint64_t lose[2];  /* bit n: the nth datagram that this side sends is lost */
    bool lose_all[2];
    bool repeat; /* every datagram arrives twice */
    bool jumble; /* delays vary, so that order does too */
    struct random_test rng;
};

struct world *world_new(uint64_t seed);
/* Makes both ikes from side[].config. */
void world_begin(struct world *w);
void world_free(struct world *w);
/* The client connects; returns its peer number. */
uint32_t world_connect(struct world *w);
/* The same with its credential; the gateway has its own, beside its keys. To be called instead of world_begin() and
 * world_connect(). */
uint32_t world_connect_signed(struct world *w);
/* The client loses its memory, as after a crash. */
void world_restart_client(struct world *w);
/* Lets things happen until nothing is left to do before now + span. */
void world_run(struct world *w, usec_t span);
/* Pulls datagrams and events of both sides; for tests that call ike themselves. */
void world_pull(struct world *w);
/* Delivers bytes to a side as if from the other. */
enum drop world_inject(struct world *w, int to, const struct path *path, struct view bytes);
struct path world_path(struct world *w, int to, uint16_t port);
/* Answers the signatures that a side holds back. */
void world_answer(struct world *w, int side);
/* The credential of either side: "client", "gateway". */
extern const struct ike_credential world_credential[2];

/* The nth event of a type, NULL when there are fewer. */
const struct world_event *world_event(const struct world *w, int side, enum ike_event_type type, size_t nth);
size_t world_count(const struct world *w, int side, enum ike_event_type type);
size_t world_verdicts(const struct world *w, int side, enum drop verdict);
/* Fails unless both have the same pair, each the other's mirror, usable. */
void world_assert_pair(const struct world *w, size_t nth);
/* Fails unless the client has come up with one pair. */
void world_assert_connected(const struct world *w);

extern struct ike_psk world_psk[4];

#endif
