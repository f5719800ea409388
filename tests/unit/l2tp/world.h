/* A world for tests of l2tp: a LAC and an LNS, or one of them and a peer that the test plays by hand, on a clock that
 * only moves when told to. */
#ifndef SEKISHO_TEST_L2TP_WORLD_H
#define SEKISHO_TEST_L2TP_WORLD_H

#include "tests/test.h"

#include "l2tp/l2tp.h"
#include "wire/wire.h"

#define CARRIER     7 /* the number under which each end knows the other */
#define EVENTS_MAX  64
#define MESSAGE_MAX 1024

struct message_bytes {
    size_t n;
    uint8_t p[MESSAGE_MAX];
};

struct host {
    struct l2tp *l2tp;
    struct random_test random;
    struct l2tp_event events[EVENTS_MAX];
    size_t n_events;
};

struct l2tp_config usual_config(const char *name);
void host_start(struct host *h, const struct l2tp_config *config, uint64_t seed);
void host_stop(struct host *h);

/* Gives the host a message and keeps what it tells. */
enum drop host_hears(struct host *h, usec_t now, struct view message);
enum drop host_hears_from(struct host *h, usec_t now, uint32_t carrier, struct view message);
/* Same, spelled in hex. */
enum drop host_hears_hex(struct host *h, usec_t now, const char *hex);
/* The next message the host sends to CARRIER; false when it has none. */
bool host_says(struct host *h, struct message_bytes *out);
/* Fails the test unless the next message is of this type (0: a ZLB); returns it. */
struct message_bytes expect_says(struct host *h, unsigned type);
void expect_silence(struct host *h);
void host_waits(struct host *h, usec_t now); /* l2tp_timeout() and its events */
/* Takes the events that verbs left behind. */
void host_listens(struct host *h);

/* The last event of a type, or NULL. */
const struct l2tp_event *told(const struct host *h, enum l2tp_event_type type);
size_t told_count(const struct host *h, enum l2tp_event_type type);
void forget(struct host *h);

unsigned message_type_of(struct view message); /* 0 for a ZLB */
const char *message_word(unsigned type);
uint16_t word_at(const struct message_bytes *m, size_t at);
/* The value of an AVP, found by walking; n == SIZE_MAX when absent. */
struct view avp_of(const struct message_bytes *m, unsigned attribute);
uint16_t avp_u16(const struct message_bytes *m, unsigned attribute);

/* ---- a peer by hand ---- */

struct hand {
    uint16_t tunnel_id, peer_id; /* the hand's own; the host's */
    uint16_t session_id, peer_session_id;
    uint16_t ns, nr;
    struct message_bytes out;
    struct writer w;
};
void hand_begin(struct hand *hand, unsigned type, uint16_t session_id);
void hand_avp(struct hand *hand, unsigned flags, unsigned vendor, unsigned attribute, const void *value, size_t n);
void hand_u16(struct hand *hand, unsigned attribute, uint16_t value);
void hand_u32(struct hand *hand, unsigned attribute, uint32_t value);
/* The message; uses up an Ns. */
struct view hand_end(struct hand *hand);
struct view hand_zlb(struct hand *hand);
void hand_took(struct hand *hand, const struct message_bytes *m); /* counts it for Nr */

/* Plays a whole set-up against an LNS: tunnel, then session. Fails the test when a step is missing. */
void hand_tunnel(struct hand *hand, struct host *lns, usec_t now);
void hand_session(struct hand *hand, struct host *lns, usec_t now);

/* ---- a pair ---- */

struct pair {
    struct host lac, lns;
    usec_t now;
    /* What the way between them does to a message: 0 delivers, 1 loses, 2 repeats, 3 delays by one. */
    int (*way)(struct pair *p, bool to_lns, struct view message);
    uint64_t seed;
    struct random_test fate;
    struct message_bytes late[2];
};
void pair_start(struct pair *p, const struct l2tp_config *lac, const struct l2tp_config *lns, uint64_t seed);
void pair_stop(struct pair *p);
/* Exchanges messages until both are silent. */
void pair_talk(struct pair *p);
/* Talks, then lets time pass to each next deadline, up to a time. */
void pair_run(struct pair *p, usec_t until);
/* connect, run: fails the test unless the session is up on both ends. */
void pair_connect(struct pair *p);

#endif
