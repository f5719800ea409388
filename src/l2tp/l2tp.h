/*
 * L2TPv2 (RFC 2661): the control channel with its reliable delivery, tunnels and sessions, as LNS and as LAC, and
 * the header of data messages. One struct l2tp holds all tunnels of a shard.
 *
 * A carrier is whatever brings L2TP datagrams from one peer and authenticates them: an IPsec peer, numbered by the
 * caller. A tunnel belongs to the carrier it was opened on, and is never found from another one.
 */
#ifndef SEKISHO_L2TP_H
#define SEKISHO_L2TP_H

#include "crypto/crypto.h"

struct l2tp;

#define L2TP_STATION_MAX    48         /* bytes with NUL */
#define L2TP_STATION_PREFIX "sekisho-" /* other peers' Calling Numbers say nothing about who calls */

struct l2tp_config {
    char host_name[64];
    char station[L2TP_STATION_MAX]; /* as LAC: our Calling Number, the same whenever we call again; "": none */
    struct secret secret;           /* tunnel authentication; n == 0: none asked, none answered */
    bool hide_avps;                 /* send hidden AVPs where RFC 2661 allows; needs the secret */
    uint16_t receive_window;        /* 1..32; 8 suits Windows */
    usec_t hello_interval;          /* of silence before a Hello; 60 s; 0: never */
    usec_t retransmit_first;        /* 1 s, doubling; a quarter of it while the peer has said nothing yet */
    usec_t retransmit_cap;          /* 8 s */
    uint32_t retransmit_tries;      /* 5 or more */
    usec_t ack_delay;     /* longest delay of a pure acknowledgement; SCCCN and ICCN are acknowledged at once */
    uint32_t max_tunnels; /* of this shard */
    uint32_t max_tunnels_per_carrier;
    uint32_t max_sessions_per_tunnel;
    uint8_t shard, shard_bits; /* in the low bits of local tunnel ids */
    bool sequencing;           /* as LAC: ask for sequenced data messages */
};

struct l2tp_env {
    struct random random;
};

/* Copies the configuration, the secret included, which is wiped on free. NULL when memory is out or a number is out of
 * its range: receive_window 1..32, shard_bits 0..10, shard below 2^shard_bits, max_tunnels and retransmit_first not 0.
 * At most half of the 2^(16 - shard_bits) tunnel ids are given to live tunnels, whatever max_tunnels says. */
struct l2tp *l2tp_new(const struct l2tp_config *config, const struct l2tp_env *env);
void l2tp_free(struct l2tp *l2tp);
/* For what begins or is sent from now on; shard and shard_bits stay. An invalid configuration changes nothing. */
void l2tp_reconfigure(struct l2tp *l2tp, const struct l2tp_config *config);

/* A control message (T bit set). Data messages go through l2tp_data_open(). DROP_NONE: it was taken, or is held until
 * those before it come. Any other verdict is to be counted; there may still be an answer to send and an event to tell.
 */
enum drop l2tp_input(struct l2tp *l2tp, usec_t now, uint32_t carrier, struct view datagram);
void l2tp_timeout(struct l2tp *l2tp, usec_t now);
usec_t l2tp_deadline(const struct l2tp *l2tp);
/* Writes the next control message, at most 768 bytes, and the carrier it is for. */
bool l2tp_output(struct l2tp *l2tp, uint32_t *carrier, struct writer *w);

enum l2tp_event_type {
    L2TP_EVENT_STAGE, /* SCCRQ, TUNNEL, ICRQ, SESSION reached */
    L2TP_EVENT_TUNNEL_UP,
    L2TP_EVENT_TUNNEL_DOWN,
    L2TP_EVENT_SESSION_UP,   /* PPP may start */
    L2TP_EVENT_SESSION_DOWN, /* session is gone; its number is free after this event was taken */
};

/* Each tunnel is told from its STAGE_L2TP_SCCRQ to exactly one TUNNEL_DOWN, and each session from its number's first
 * event to exactly one SESSION_DOWN, which comes before its tunnel's. An SCCRQ that is refused makes no tunnel. */
struct l2tp_event {
    enum l2tp_event_type type;
    uint32_t carrier;
    uint32_t session;               /* this shard's number for the session: small, dense, < max sessions; never 0 */
    uint16_t tunnel_id, session_id; /* local */
    uint16_t peer_tunnel_id, peer_session_id;
    enum stage stage;
    enum cause cause;       /* DOWN */
    uint16_t result, error; /* DOWN: from StopCCN or CDN, 0 when none came */
    char peer_host[64];     /* TUNNEL_UP: Host Name; printable */
    char peer_vendor[64];
    char station[L2TP_STATION_MAX]; /* SESSION_UP, as LNS: the peer's Calling Number if it begins with our prefix */
    char detail[96];
};
bool l2tp_event(struct l2tp *l2tp, struct l2tp_event *out);

/* ---- verbs ---- */

/* As LAC: opens a tunnel and one session in it on this carrier. The tunnel ends with its session. ERR_LIMIT, ERR_NOMEM.
 */
enum err l2tp_connect(struct l2tp *l2tp, usec_t now, uint32_t carrier);
/* Verbs leave output and events behind, like input. */
/* Ends a session with a CDN; and the tunnel with a StopCCN when it was its last one. */
void l2tp_session_close(struct l2tp *l2tp, usec_t now, uint32_t session, enum cause cause);
/* Ends all tunnels of a carrier with StopCCN. */
void l2tp_carrier_close(struct l2tp *l2tp, usec_t now, uint32_t carrier, enum cause cause);
/* The carrier is dead: forgets its tunnels without a word, events are still told. */
void l2tp_carrier_gone(struct l2tp *l2tp, usec_t now, uint32_t carrier, enum cause cause);
/* Tunnels on this carrier that have not ended. */
uint32_t l2tp_carrier_tunnels(const struct l2tp *l2tp, uint32_t carrier);
/* Data came on this carrier: counts as life, so no Hello is due. */
void l2tp_carrier_alive(struct l2tp *l2tp, usec_t now, uint32_t carrier);

uint32_t l2tp_session_count(const struct l2tp *l2tp);
uint32_t l2tp_tunnel_count(const struct l2tp *l2tp);

/* ---- data messages: plain functions, no events ---- */

/* True when the datagram is a control message; false for data or anything too short (then l2tp_data_open() says so). */
bool l2tp_is_control(struct view datagram);

/* Takes the header off, in every form that RFC 2661 3.1 allows (L, S, O, P). Sets owner to the session's number.
 * The tunnel must belong to carrier. */
enum drop l2tp_data_open(struct l2tp *l2tp, uint32_t carrier, struct packet *packet);
/* Bytes of the header that l2tp_data_seal() will put in front: 6, or 10 with sequencing; L is not sent on data. As LAC
 * it may change while the session lasts, for the LNS decides (RFC 2661 5.4): reckon with 10 for an MTU. */
uint32_t l2tp_data_overhead(const struct l2tp *l2tp, uint32_t session);
/* Puts the header in front. False when there is no head room or no such session. */
bool l2tp_data_seal(struct l2tp *l2tp, uint32_t session, struct packet *packet);

#endif
