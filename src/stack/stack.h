/*
 * The road: IKE, ESP, L2TP and PPP put together, for one shard. stack_inbound() takes datagrams to packets for the TUN,
 * stack_outbound() takes frames of the TUN to datagrams; inbound.c and outbound.c are the product in two pages.
 *
 *   peer      someone authenticated by IKE (or, where allowed, a plain L2TP sender); the carrier of L2TP
 *   pair      an inbound and an outbound ESP SA of a peer; the newest in use is the one we send with
 *   session   an L2TP session with its PPP link, its user and inner address
 *   story     what happened to one connection attempt, step by step, with cause and cure
 *
 * Pure: the gateway, the client, the fuzzers and the simulation drive it alike.
 */
#ifndef SEKISHO_STACK_H
#define SEKISHO_STACK_H

#include "dhcp/dhcp.h"
#include "esp/esp.h"
#include "ike/ike.h"
#include "l2tp/l2tp.h"
#include "offload/offload.h"
#include "ppp/ppp.h"

struct stack;

struct stack_config {
    struct ike_config ike;
    struct esp_config esp;
    struct l2tp_config l2tp;
    struct ppp_config ppp; /* for sessions that peers open; copied */
    uint16_t outer_mtu;    /* of the network between the peers; 1500. Inner MTU and MSS follow from it */
    uint32_t max_peers;
    uint32_t max_sessions;
    bool allow_plain;       /* serve L2TP outside IPsec too, on port 1701 */
    struct dhcp_facts dhcp; /* routes and domain for clients that ask; addresses are filled in by session */
    bool coalesce_udp;      /* the TUN takes coalesced UDP */
};

/* What to begin with, before the keys and limits of one's own: a small client-sized stack. */
void stack_defaults(struct stack_config *out);

struct stack *stack_new(const struct stack_config *config, const struct random *rng);
void stack_free(struct stack *stack);
/* New policy, keys, intervals, for what comes from now on; sessions live on with what they have. ERR_NOMEM: new
 * sessions will have PPP's old settings; all else is new, and nothing of the old configuration is used any more. */
enum err stack_reconfigure(struct stack *stack, const struct stack_config *config);

/* ---- datagrams in, frames out ---- */

/* The data of the datagrams must live until the frames of this burst were delivered. */
void stack_inbound(struct stack *stack, usec_t now, const struct datagram *in, size_t n);
/* The next frame for the TUN, or NULL. To be taken until NULL after each stack_inbound() and stack_outbound(). */
const struct frame_pieces *stack_deliver(struct stack *stack);

/* ---- frames in, datagrams out ---- */

void stack_outbound(struct stack *stack, usec_t now, const struct frame *in, size_t n);

/* Datagrams to send to one peer, all of `segment` bytes but the last, which may be shorter. */
struct transmission {
    struct path path;
    const uint8_t *data;
    uint32_t len;
    uint16_t segment;
    bool whole; /* must not be fragmented on its way: goes with DF */
};
/* The next datagrams to send: data packets first, then what the machines have to say. Valid until the call after the
 * one that returned false. To be taken until false after every other call. */
bool stack_transmit(struct stack *stack, usec_t now, struct transmission *out);

void stack_timeout(struct stack *stack, usec_t now);
usec_t stack_deadline(const struct stack *stack);

/* ---- events ---- */

enum stack_event_type {
    STACK_EVENT_STEP,   /* a step of a story: for the event stream */
    STACK_EVENT_FAILED, /* an attempt or a session ended badly: cause, in its story too */
    STACK_EVENT_DH,     /* slow work: stack_dh_done() */
    STACK_EVENT_PROOF,  /* slow work: a signature to make or to judge: stack_proof_done() */
    STACK_EVENT_ASK,    /* what is this user asked by EAP-GTC? stack_ask() */
    STACK_EVENT_AUTH,   /* who is this? stack_auth_done() */
    STACK_EVENT_PROMPT, /* client: the server asks something before it lets us in: prompt; stack_answer() */
    STACK_EVENT_UP,     /* a session carries IP now: network */
    STACK_EVENT_ROUTES, /* client: what DHCP has brought: lease. Once after UP, when it was asked for */
    STACK_EVENT_MTU,    /* client: mtu is what passes whole; 0: could not be found out. Once, when it was asked for */
    STACK_EVENT_DOWN,   /* a session that was asked about is gone: give its address back */
    STACK_EVENT_MOVED,  /* a peer is heard by another path now: path */
};

struct stack_event {
    enum stack_event_type type;
    uint64_t story;       /* names the attempt */
    uint32_t session;     /* 0: none yet */
    uint64_t session_key; /* unique for the stack's life; guards against a number used again */
    struct path path;
    enum stage stage;
    enum cause cause;
    char user[PPP_NAME_MAX];
    char detail[160];
    struct dh_work *dh;             /* DH: taken by the caller */
    struct ike_proof *proof;        /* PROOF: taken by the caller */
    struct ppp_auth_request auth;   /* AUTH: views borrowed until the next call */
    char station[L2TP_STATION_MAX]; /* AUTH: the same whenever this client calls again; "": it does not say */
    struct ppp_network network;     /* UP */
    char prompt[PPP_PROMPT_MAX];    /* PROMPT: printable lines */
    uint8_t round;                  /* PROMPT: how often the server has asked in this login, from 1 */
    struct dhcp_lease lease;        /* ROUTES */
    uint16_t mtu;                   /* MTU: of the session from now on */
};
bool stack_event(struct stack *stack, struct stack_event *out);

/* ---- verbs ---- */

void stack_dh_done(struct stack *stack, usec_t now, struct dh_work *work);
/* Takes an answered proof back and frees it. */
void stack_proof_done(struct stack *stack, usec_t now, struct ike_proof *proof);
/* The answer to STACK_EVENT_ASK: printable lines, copied. ERR_NOTFOUND when that session is gone. */
enum err stack_ask(struct stack *stack, usec_t now, uint32_t session, uint64_t session_key, struct view text);
/* The answer to STACK_EVENT_AUTH; ERR_NOTFOUND when that session is gone: give the address back. */
enum err stack_auth_done(struct stack *stack, usec_t now, uint32_t session, uint64_t session_key,
                         const struct ppp_auth_answer *answer);

struct stack_connect {
    struct ike_connect ike;
    struct ppp_config ppp; /* server = false; copied, wiped; its tls is shared */
    bool ask_routes;       /* DHCPINFORM after IPCP, as Windows and Apple do: STACK_EVENT_ROUTES */
    bool probe_mtu;        /* STACK_EVENT_MTU */
};
/* As client: everything from main mode to IPCP. The event stream tells how it goes; *session is not known before it
 * is up, *peer names the attempt for stack_disconnect(). */
enum err stack_connect(struct stack *stack, usec_t now, const struct stack_connect *connect, uint32_t *peer);
/* What the user typed at STACK_EVENT_PROMPT. ERR_NOTFOUND when that session is gone. */
enum err stack_answer(struct stack *stack, usec_t now, uint32_t session, uint64_t session_key, struct view text);
/* Says goodbye on every layer. */
void stack_disconnect(struct stack *stack, usec_t now, uint32_t peer);
/* As client: our own address towards the peer is another from now on. ESP in UDP goes on from there, since the peer
 * follows whoever proves to have the keys, and is asked at once whether it does. ERR_STATE: without UDP the SAs are
 * bound to the address they were made with. ERR_NOTFOUND. */
enum err stack_move(struct stack *stack, usec_t now, uint32_t peer, const struct ip_addr *local);
/* Asks a peer at once whether it lives: by LCP Echo on its sessions, which end when no answer comes, and by DPD. */
void stack_probe(struct stack *stack, usec_t now, uint32_t peer);
/* Ends the session of this key. ERR_NOTFOUND. */
enum err stack_kick(struct stack *stack, usec_t now, uint64_t session_key, enum cause cause);
/* Ends the session of this key at once: its address has been given to another. Harmless when it is gone. */
void stack_replace(struct stack *stack, usec_t now, uint64_t session_key);
/* Says goodbye to some; true when there may be more to say it to: once what is there has been transmitted. */
bool stack_shutdown(struct stack *stack, usec_t now);

/* ---- looking in ---- */

struct stack_counters {
    uint64_t in_packets, in_bytes;   /* inner IP, to the TUN */
    uint64_t out_packets, out_bytes; /* inner IP, from the TUN */
    uint64_t drops[DROP_COUNT];
    uint32_t peers, sessions, half_open, ike_sas;
};
struct stack_counters stack_counters(const struct stack *stack);
/* The engine that does ESP: "ipsec-mb". */
const char *stack_engine(const struct stack *stack);

struct session_info {
    uint32_t session;
    uint64_t session_key;
    uint64_t story;
    char user[PPP_NAME_MAX];
    struct path path;
    bool up;
    struct ppp_network network;
    uint16_t mtu;
    usec_t since; /* when it came up; 0 before */
    usec_t last_heard;
    uint64_t in_packets, in_bytes, out_packets, out_bytes;
    struct esp_transform esp;
    bool encap, plain;
    char auth[16];                  /* how the user logged in: "mschapv2" */
    struct ike_peer_info ike;       /* empty for plain L2TP */
    char host[64];                  /* L2TP Host Name */
    char station[L2TP_STATION_MAX]; /* L2TP Calling Number of a client of ours; "": it does not say */
};
/* The session with the least number >= *session; sets *session to it. False when there is none: begin with 0. */
bool stack_session_next(const struct stack *stack, uint32_t *session, struct session_info *out);

/* ---- stories ---- */

#define STORY_STEPS 24

struct story_step {
    enum stage stage;
    uint32_t after_ms; /* since the story began */
    char detail[96];
};

struct story {
    uint64_t id;
    usec_t began, last;
    struct path path;
    char identity[64], psk[64], kind[48], user[64];
    bool nat_local, nat_remote;
    uint8_t n;        /* steps */
    bool ended;       /* with cause */
    bool established; /* data may flow, or flowed */
    enum stage stage; /* the farthest reached */
    enum cause cause;
    char cause_detail[160];
    struct story_step step[STORY_STEPS];
};

/* Newest first: the i-th story that concerns `who` (an address, address:port, user name, or NULL for all); NULL when
 * there are no more. Borrowed until the next call into the stack. */
const struct story *stack_story(const struct stack *stack, const char *who, uint32_t i);
/* Writes a story as plain sentences, a line each, ended by cause and cure. */
void story_text(const struct story *story, struct writer *w);

#endif
