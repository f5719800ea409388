/*
 * Which inside host an ESP SPI or an IKE exchange on port 500 belongs to, behind a router with one outside address.
 *
 * ESP has no ports, and the SPI that a server will send to is agreed on under encryption: it cannot be read, only
 * learnt from who speaks when. The tracker is given the facts of each packet that no binding covers yet, says where the
 * packet goes, and tells which bindings are certain enough for the kernel to forward by itself. How it learns is
 * docs/decisions/0020.
 *
 * Pure: facts and time in, moves and events out. Addresses are IPv4 in host order, 0 is none.
 */
#ifndef SEKISHO_TRACKER_H
#define SEKISHO_TRACKER_H

#include "wire/wire.h"

enum tracker_way {
    TRACKER_OUT, /* from an inside host to a server */
    TRACKER_IN,  /* from a server to the outside address */
};

/* ---- a packet's facts ---- */

struct tracker_packet {
    enum tracker_way way;
    uint32_t host; /* OUT: the inside host; IN: 0 */
    uint32_t server;
    bool ike;                      /* UDP 500 to 500; otherwise ESP */
    uint32_t spi, sequence;        /* ESP */
    uint64_t initiator, responder; /* IKE: the cookies */
    uint8_t exchange;              /* IKE: its exchange type (RFC 2408 3.1) */
    bool encrypted;                /* IKE: flag E */
    uint32_t message_id;           /* IKE */
    uint32_t handle;               /* the caller's name for the packet; tracker_parse() leaves it 0 */
};

/* Reads a whole IPv4 packet: ESP, or IKE from UDP port 500 to port 500. host and server are taken from its addresses by
 * its way. ERR_UNSUPPORTED for anything else, fragments too; ERR_MALFORMED when it contradicts itself. */
enum err tracker_parse(struct view ip_packet, enum tracker_way way, struct tracker_packet *out);

/* ---- the tracker ---- */

struct tracker_config {
    uint32_t hosts;            /* inside hosts at most */
    uint32_t servers_per_host; /* that one host may talk to */
    uint32_t spis_per_host;    /* SA pairs of one host */
    uint32_t ikes_per_host;    /* IKE exchanges of one host */
    uint32_t held_per_host;    /* packets held back for one host; more make all of them go */
    uint32_t held;             /* packets held back in all */
    usec_t hold;               /* how long a packet is held back at most: up to a second */
    usec_t esp_idle;           /* a binding of ESP that is not used for so long goes */
    usec_t ike_idle;           /* the same for an IKE SA whose host has no ESP with the server either */
};

/* Fit for a home: 1,000 hosts; held for 1 s; idle for 5 minutes (ESP) and an hour (IKE). */
struct tracker_config tracker_defaults(void);

struct tracker;

/* NULL when out of memory or when a limit is 0 or hold above a second. */
struct tracker *tracker_new(const struct tracker_config *config);
/* Takes NULL. Packets still held are forgotten; their handles do not come out. */
void tracker_free(struct tracker *t);

/* A packet that no binding in the kernel covers. What comes of it is tracker_output(), now or after a timeout. */
void tracker_input(struct tracker *t, usec_t now, const struct tracker_packet *packet);
/* The kernel has forwarded packets by this binding since it was told or asked last: it is in use. host: OUT only. */
void tracker_used(struct tracker *t, usec_t now, enum tracker_way way, uint32_t host, uint32_t server, uint32_t spi,
                  uint64_t packets);
void tracker_timeout(struct tracker *t, usec_t now);
usec_t tracker_deadline(const struct tracker *t);

/* ---- moves ---- */

enum tracker_act {
    TRACKER_PASS, /* OUT: send it to the server. IN: send it to host. The handle is done with */
    TRACKER_COPY, /* IN: send it to host, and keep it: the same handle comes again */
    TRACKER_DONE, /* IN: forget it, a copy has reached its host. The handle is done with */
    TRACKER_DROP, /* forget it, for this reason. The handle is done with */
};

enum tracker_reason {
    TRACKER_REASON_NONE = 0,
#define REASON(name, word, sentence) TRACKER_REASON_##name,
#include "tracker/reasons.def"
#undef REASON
    TRACKER_REASONS
};
const char *tracker_reason_word(enum tracker_reason r);     /* "no-candidate" */
const char *tracker_reason_sentence(enum tracker_reason r); /* for people */

struct tracker_move {
    uint32_t handle;
    enum tracker_act act;
    enum tracker_way way;
    uint32_t host;              /* IN: who gets it. OUT: whose it is */
    enum tracker_reason reason; /* DROP */
};

/* Every handle comes out once as PASS, DONE or DROP, before it any number of times as COPY. */
bool tracker_output(struct tracker *t, struct tracker_move *out);

/* ---- events ---- */

enum tracker_event_type {
    TRACKER_BOUND,     /* the kernel may forward this: {way, server, spi} belongs to host */
    TRACKER_UNBOUND,   /* it may no longer: idle, or to be looked at again */
    TRACKER_AMBIGUOUS, /* more than one host may be meant: server, spi or cookie, the host it goes to, how many */
    TRACKER_CORRECTED, /* what went to `before` belongs to host */
    TRACKER_REFUSED,   /* a host's packet was dropped or a packet from outside refused: reason. Told once a second at
                          most for one host or one server */
};

struct tracker_event {
    enum tracker_event_type type;
    enum tracker_way way;
    bool ike;
    uint32_t host, before, server;
    uint32_t spi;
    uint64_t initiator;
    uint32_t candidates; /* AMBIGUOUS: hosts that may be meant, the chosen one included */
    enum tracker_reason reason;
};

bool tracker_event(struct tracker *t, struct tracker_event *out);

/* ---- for status ---- */

enum tracker_state {
    TRACKER_STATE_TENTATIVE, /* being tried, since it may be a wrong guess or forged: its packets come through the
                                tracker */
    TRACKER_STATE_AMBIGUOUS, /* the same, and another host is as likely */
    TRACKER_STATE_BOUND,     /* certain; the kernel has it, if it is ESP */
};

struct tracker_host_info {
    uint32_t host;
    uint32_t servers, pairs, ikes, held; /* how many */
    usec_t seen;                         /* when it last sent through the tracker */
};

struct tracker_server_info {
    uint32_t server;
    uint32_t hosts;   /* inside hosts that talk to it */
    uint32_t unknown; /* SPIs of its packets that belong to nobody for certain */
    uint32_t held;    /* packets to it that are held back */
};

struct tracker_binding_info {
    enum tracker_way way;
    bool ike;
    uint32_t host, server;
    uint32_t spi;                  /* ESP */
    uint64_t initiator, responder; /* IKE; responder 0: not known */
    enum tracker_state state;
    usec_t since, used; /* first seen; last known use */
    uint64_t packets;   /* through the tracker and, by tracker_used(), the kernel */
    uint32_t candidates;
};

/* One after another: *at is NULL before the first and good until the tracker is next changed. */
bool tracker_host_next(const struct tracker *t, const void **at, struct tracker_host_info *out);
bool tracker_server_next(const struct tracker *t, const void **at, struct tracker_server_info *out);
bool tracker_binding_next(const struct tracker *t, const void **at, struct tracker_binding_info *out);

/* A binding that another tracker has told of before this one was made; outbound ones and those of IKE first, since
 * without any a host is not known at its server. Of ESP it is BOUND anew, and looked at again when there is a doubt.
 * False: it is no certain one, is there already, does not fit into a limit, or has not been used for too long. */
bool tracker_restore(struct tracker *t, usec_t now, const struct tracker_binding_info *binding);

enum tracker_counter {
#define COUNTER(name, word, sentence) TRACKER_COUNT_##name,
#include "tracker/counters.def"
#undef COUNTER
    TRACKER_COUNTERS
};
const char *tracker_counter_word(enum tracker_counter c);
const char *tracker_counter_sentence(enum tracker_counter c);
uint64_t tracker_count(const struct tracker *t, enum tracker_counter c);

#endif
