/* What the files of stack share: peers, pairs, sessions, the output buffer, stories. See stack.h for the words. */
#ifndef SEKISHO_STACK_INTERNAL_H
#define SEKISHO_STACK_INTERNAL_H

#include "stack/stack.h"

#define HASH_NONFATAL_OOM 1 /* without memory an entry is not added: its hh.tbl is NULL */
#include <uthash.h>

#define UDP_HEADER     8
#define NON_ESP_MARKER 4 /* bytes of zero before IKE on port 4500 (RFC 3948 2.2) */

#define PEER_PAIRS_MAX 6               /* ESP SA pairs of one peer; the oldest goes when a newer one is heard */
#define PEER_WATCH     (10 * USEC_SEC) /* after IPsec is up: by then the peer should have sent ESP and L2TP */

#define SESSION_KEY_SHIFT 24 /* of a session's key: its number is below, so that the key finds it */

/* A PPP configuration that links point to, kept while anyone does. */
struct ppp_profile {
    struct ppp_config config;
    uint32_t users;
};

struct pair {
    uint32_t slot;
    uint32_t peer;
    uint32_t spi_in;
    uint32_t handle; /* of the outbound SA */
    uint64_t born;   /* order of making: the newest heard is sent with */
    struct esp_transform transform;
    bool encap;
    bool heard; /* an authenticated packet came on it */
    bool told;  /* IKE said to use it */
};

struct peer {
    uint32_t slot;
    uint32_t carrier; /* its name towards L2TP: whoever has the slot next has another */
    uint32_t ike_peer;
    bool plain;  /* L2TP without IPsec */
    bool client; /* we opened it */
    struct path path;
    uint64_t moved;      /* the order of making of the pair that moved it last */
    uint16_t port_local; /* inner UDP ports */
    uint16_t port_remote;
    struct pair *pairs[PEER_PAIRS_MAX];
    struct pair *current;     /* sent with; NULL: none */
    struct session *sessions; /* linked by their `sibling` */
    uint64_t story;
    bool heard_esp, heard_l2tp, opened;
    struct timer watch;
    struct ppp_profile *profile; /* client: what its session negotiates */
    bool ask_routes;             /* and asks for, once it is up */
    bool probe_mtu;
    char host[64];     /* the peer's L2TP host name */
    UT_hash_handle hh; /* plain peers by their endpoint */
    struct endpoint key;
};

/* A login that is being judged: what the views of its request point to. */
struct pending_auth {
    struct ppp_auth_request request;
    uint8_t password[PPP_PASSWORD_MAX];
    uint8_t challenge[MSCHAP_CHALLENGE_SIZE * 4];
    uint8_t peer_challenge[MSCHAP_CHALLENGE_SIZE];
    uint8_t response[MSCHAP_NT_RESPONSE];
};

struct session {
    uint32_t number;
    uint32_t peer;
    uint64_t key;
    struct ppp *ppp;
    struct ppp_profile *profile;
    struct timer timer;
    struct session *sibling; /* the next of the same peer */
    bool asked;              /* an ASK or AUTH event went out: a DOWN must follow */
    bool told;               /* why it failed or ended */
    bool up;
    bool server;
    bool first_data;
    uint16_t mtu;
    struct {
        usec_t at; /* when the question is repeated; USEC_NEVER: none is open */
        uint32_t xid;
        uint8_t sent;
    } inform;       /* client */
    uint32_t inner; /* IPv4 of the peer's end (server) or ours (client): key of the table */
    struct ppp_network network;
    struct pending_auth *auth;
    char station[L2TP_STATION_MAX];
    usec_t since, heard;
    uint64_t in_packets, in_bytes, out_packets, out_bytes;
    UT_hash_handle hh;
};

struct event_node {
    struct stack_event event;
    struct event_node *next;
};

/* Datagrams ready to go, in one block of memory; and the packets among them that are still to be sealed. */
struct outbox {
    uint8_t *memory;
    size_t cap, used;
    struct transmission *list;
    uint32_t *owner; /* the peer slot of each entry + 1, while packets may still join it; else 0 */
    uint32_t cap_list, n, taken;
    struct packet packets[BURST_MAX];
    uint32_t handles[BURST_MAX];
    uint32_t pending;
};

struct story_ring;

struct stack {
    struct stack_config config;
    struct random random;
    struct ike *ike;
    struct esp *esp;
    struct l2tp *l2tp;
    struct coalesce *coalesce;
    struct ppp_profile *profile; /* for sessions that peers open */

    struct peer **peers; /* by slot; 0 unused */
    uint32_t peers_cap, peers_n;
    uint32_t *peer_of_ike; /* slot by IKE's peer number */
    uint32_t peer_of_ike_cap;
    struct peer *plain; /* hash by endpoint */
    struct pair **pairs;
    uint32_t pairs_cap;
    uint32_t pair_hint, peer_hint; /* where to look for a free slot first */
    uint64_t born;
    uint32_t carriers; /* named so far */

    struct session **sessions; /* by number; 0 unused */
    uint32_t sessions_cap, sessions_n;
    uint64_t session_keys;
    struct session *by_inner; /* hash by inner address */

    struct timers links;   /* of sessions */
    struct timers watches; /* of peers */
    struct event_node *events, **events_tail;
    struct outbox out;
    struct packet burst[BURST_MAX];
    uint32_t spis[BURST_MAX];
    const struct datagram *datagrams; /* of the burst on the road, for paths */
    uint32_t pending;                 /* packets in burst */
    uint8_t too_big[8][1280];         /* ICMP answers of one burst, delivered with it */
    uint32_t too_big_n;
    uint8_t whole[FRAME_MAX]; /* a packet about to be fragmented */

    struct story_ring *unproved, *proved;
    struct stack_counters counters;
};

/* drops */
static inline void count_drop(struct stack *s, enum drop d)
{
    s->counters.drops[d]++;
}

/* peer.c */
struct peer *stack_peer_new(struct stack *s, const struct path *path);
void stack_peer_free(struct stack *s, usec_t now, struct peer *peer, enum cause cause);
struct peer *stack_peer_at(const struct stack *s, uint32_t slot);
/* By its name towards L2TP; NULL when that peer is gone, whoever has its slot now. */
struct peer *stack_peer_by_carrier(const struct stack *s, uint32_t carrier);
struct peer *stack_peer_by_ike(const struct stack *s, uint32_t ike_peer);
enum err stack_peer_bind_ike(struct stack *s, struct peer *peer, uint32_t ike_peer);
struct peer *stack_peer_plain(struct stack *s, const struct path *path, bool create);
/* A sender outside IPsec is known by its tunnels alone. */
void stack_peer_release_plain(struct stack *s, usec_t now, struct peer *peer, enum cause cause);
void stack_peer_release_if_idle(struct stack *s, usec_t now, struct peer *peer, enum cause cause);
void stack_peer_moved(struct stack *s, struct peer *peer, const struct path *path);
void stack_peer_watch(struct stack *s, usec_t now, struct peer *peer);
/* The watch has run out: IPsec is up, and something that should have followed did not. */
void stack_peer_watched(struct stack *s, usec_t now, const struct peer *peer);
/* A client leaves that was never heard through ESP: it may have waited for an answer as long as we for it. */
void stack_peer_gave_up(struct stack *s, usec_t now, const struct peer *peer);

/* pair.c */
enum err stack_pair_add(struct stack *s, usec_t now, struct peer *peer, const struct ike_child *child);
void stack_pair_use(struct stack *s, struct pair *pair);
void stack_pair_heard(struct stack *s, usec_t now, struct pair *pair);
void stack_pair_remove(struct stack *s, struct pair *pair);
struct pair *stack_pair_by_spi(const struct peer *peer, uint32_t spi_in);
void pairs_expire(struct stack *s, usec_t now);

/* session.c */
struct session *stack_session_at(const struct stack *s, uint32_t number);
struct session *stack_session_by_inner(const struct stack *s, uint32_t address);
void stack_session_open(struct stack *s, usec_t now, const struct l2tp_event *event);
void stack_session_down(struct stack *s, usec_t now, uint32_t number, enum cause cause);
/* Call after every call into its PPP link: tells its events, sends its frames, sets its timer. */
void stack_session_settle(struct stack *s, usec_t now, struct session *session);
/* Looks anew for what passes whole. */
void stack_session_probe(struct stack *s, usec_t now, struct session *session);
void stack_session_remtu(struct stack *s, struct session *session);
/* Data came from the peer: no Hello and no Echo is due. */
void stack_session_heard(struct stack *s, usec_t now, struct session *session);

/* profile.c */
struct ppp_profile *stack_profile_new(const struct ppp_config *config);
void stack_profile_drop(struct ppp_profile *profile);

/* dispatch.c */
void stack_settle(struct stack *s, usec_t now);
void stack_tell(struct stack *s, const struct stack_event *event);

/* transmit.c */
enum err outbox_init(struct outbox *out);
void outbox_done(struct outbox *out);
/* Queues an IKE message, with the non-ESP marker where it has to be; an empty one is a NAT keepalive. */
void transmit_ike(struct stack *s, const struct path *path, struct view message);
/* Seals and queues an L2TP message (control or data) to a peer; whole: not to be fragmented on its way. */
void transmit_l2tp(struct stack *s, struct peer *peer, struct view message, bool whole);
struct path data_path(const struct peer *peer);
/* A place for one data packet whose sealed length is known, joined to the last transmission where it fits. */
uint8_t *outbox_join(struct stack *s, const struct peer *peer, const struct path *path, uint32_t sealed,
                     uint32_t *index);
void outbox_seal_later(struct stack *s, const struct packet *packet, uint32_t handle);
void outbox_flush(struct stack *s);
void udp_header_put(const struct peer *peer, uint8_t *udp, uint32_t len);
uint32_t outer_limit(const struct stack *s, const struct peer *peer);

/* lost.c */
#define LOST_DETAIL_MAX 160
/* Why what goes as ESP gets lost: a NAT that is known of, else `otherwise`. Writes what is known of it. */
enum cause esp_lost(const struct stack *s, const struct peer *peer, enum cause otherwise,
                    char detail[static LOST_DETAIL_MAX]);

/* outbound.c: one inner packet of our own, to the session that its destination belongs to */
void send_inner(struct stack *s, struct view packet);

/* inform.c */
void inform_begin(struct stack *s, usec_t now, struct session *session);
void inform_timeout(struct stack *s, usec_t now, struct session *session);
/* Whether this inner packet was the answer. */
bool inform_take(struct stack *s, struct session *session, struct view packet);

/* story.c */
enum err stories_init(struct stack *s);
void stories_done(struct stack *s);
struct story *story_find(const struct stack *s, uint64_t id);
struct story *story_step(struct stack *s, usec_t now, uint64_t id, const struct path *path, enum stage stage,
                         const char *detail);
void story_end(struct stack *s, usec_t now, uint64_t id, const struct path *path, enum stage stage, enum cause cause,
               const char *detail);
/* As the two above, and tells the event stream. */
void stack_step(struct stack *s, usec_t now, const struct peer *peer, uint32_t session, enum stage stage,
                const char *user, const char *detail);
void stack_failed(struct stack *s, usec_t now, const struct peer *peer, struct session *session, enum stage stage,
                  enum cause cause, const char *detail);
/* Another session of an attempt that has ended: what comes now is told, and ended, anew. */
void story_reopen(struct stack *s, uint64_t id);

#endif
