/* What the files of l2tp share: the wire forms, the reliable channel, tunnels and sessions. */
#ifndef SEKISHO_L2TP_INTERNAL_H
#define SEKISHO_L2TP_INTERNAL_H

#include "l2tp/l2tp.h"

/* ---- limits ---- */

#define L2TP_MESSAGE_MAX        2048            /* bytes of a control message that is read; real ones are under 300 */
#define L2TP_SEND_MAX           768             /* bytes of a control message that is written */
#define L2TP_WINDOW_DEFAULT     4               /* RFC 2661 4.4.3: when Receive Window Size is absent */
#define L2TP_WINDOW_MAX         32              /* messages kept out of order, and in flight */
#define L2TP_QUEUE_MAX          64              /* messages waiting for a peer; more are not provoked by reading on */
#define L2TP_SESSIONS_MAX       1024            /* per tunnel: leaves at least 6 random bits in a session id */
#define L2TP_LOOSE_MAX          16              /* refusals waiting to be sent to peers without a tunnel */
#define L2TP_LINGER             (31 * USEC_SEC) /* RFC 2661 5.7: one full retransmission cycle */
#define L2TP_LINGER_PER_CARRIER 8
#define L2TP_SETUP_PATIENCE                                                                                            \
    (60 * USEC_SEC)                         /* for the next message of a set-up that was acknowledged and then stalls  \
                                             */
#define L2TP_EMPTY_PATIENCE (60 * USEC_SEC) /* for a call in a tunnel that has none */

/* ---- header (RFC 2661 3.1) ---- */

#define FLAG_TYPE           0x8000
#define FLAG_LENGTH         0x4000
#define FLAG_SEQUENCE       0x0800
#define FLAG_OFFSET         0x0200
#define FLAG_PRIORITY       0x0100
#define FLAG_VERSION        0x000f
#define L2TP_VERSION        2
#define CONTROL_FLAGS       (FLAG_TYPE | FLAG_LENGTH | FLAG_SEQUENCE | L2TP_VERSION)
#define CONTROL_HEADER_SIZE 12
#define DATA_HEADER_SIZE    6
#define DATA_HEADER_MAX     10 /* with Ns and Nr */

struct header {
    uint16_t tunnel_id, session_id;
    uint16_t ns, nr;
    struct view body; /* the AVPs; empty in a zero-length body message */
};

enum drop l2tp_header_parse(struct view datagram, struct header *out);
/* Writes a control header whose Length is that of the header and body_len. */
void l2tp_header_write(struct writer *w, const struct header *h, size_t body_len);
#define HEADER_AT_LENGTH 2
#define HEADER_AT_TUNNEL 4
#define HEADER_AT_NS     8
#define HEADER_AT_NR     10

/* ---- AVPs and messages (RFC 2661 4) ---- */

#define AVP_MANDATORY   0x8000
#define AVP_HIDDEN      0x4000
#define AVP_RESERVED    0x3c00
#define AVP_LENGTH      0x03ff
#define AVP_HEADER_SIZE 6
#define AVP_VALUE_MAX   (AVP_LENGTH - AVP_HEADER_SIZE)

enum message_type {
    MSG_NONE = 0,
#define MESSAGE(type, NAME, name, scope, required) MSG_##NAME = (type),
#include "l2tp/message.def"
#undef MESSAGE
};
enum message_scope { SCOPE_TUNNEL, SCOPE_SESSION };

enum avp {
#define AVP(attribute, NAME, name, mandatory, hide, min, max, messages) AVP_##NAME = (attribute),
#include "l2tp/avp.def"
#undef AVP
};

#define HAS(NAME) (UINT64_C(1) << AVP_##NAME)
#define IN(NAME)  (UINT32_C(1) << MSG_##NAME)
#define IN_ALL    UINT32_MAX

struct message_rule {
    uint16_t type;
    enum message_scope scope;
    const char *name;
    uint64_t required; /* HAS() bits */
};
const struct message_rule *l2tp_message_rule(uint16_t type); /* NULL when unknown */
const char *l2tp_message_name(uint16_t type);

struct avp_rule {
    uint16_t attribute;
    const char *name;
    bool mandatory, hide;
    uint16_t min, max;
    uint32_t messages; /* IN() bits */
};
const struct avp_rule *l2tp_avp_rule(uint16_t attribute); /* NULL when unknown */

/* One AVP as it stands on the wire. */
struct avp_raw {
    bool mandatory, hidden, reserved;
    uint16_t vendor, attribute;
    struct view value;
};
/* Reads the next AVP; fails the reader when its length contradicts itself. */
void l2tp_avp_next(struct reader *r, struct avp_raw *out);

/* A control message with everything that this product looks at. Views are borrowed from the datagram or scratch. */
struct message {
    uint16_t type; /* MSG_NONE: a zero-length body */
    bool known;
    bool type_mandatory;
    uint64_t has; /* HAS() bits of the AVPs that were read */
    bool refused; /* an AVP that is unknown and mandatory was met; the first one is named here */
    uint16_t refused_vendor, refused_attribute;
    uint16_t version;
    uint16_t tunnel_id, session_id;
    uint16_t window;
    uint16_t result, error;
    uint64_t tie_breaker;
    struct view text; /* of the result code */
    struct view host, vendor, calling;
    struct view challenge, response;
};

/* Where hidden values are revealed to. */
struct scratch {
    uint8_t bytes[L2TP_MESSAGE_MAX];
    size_t n;
};

/* secret is empty when there is none. DROP_L2TP_AVP, DROP_L2TP_MISSING. */
enum drop l2tp_message_parse(struct view body, struct view secret, struct scratch *scratch, struct message *out);

/* Makes one message. Hidden AVPs are written where the dictionary allows and the configuration asks. */
struct build {
    struct writer w;
    uint16_t type;
    struct view secret; /* empty: nothing is hidden */
    uint8_t vector[16];
    uint8_t bytes[L2TP_SEND_MAX];
};
void l2tp_build_begin(struct build *b, const struct l2tp_config *config, const struct random *random, uint16_t type,
                      uint16_t tunnel_id, uint16_t session_id);
void l2tp_build_avp(struct build *b, enum avp attribute, struct view value);
void l2tp_build_u16(struct build *b, enum avp attribute, uint16_t value);
void l2tp_build_u32(struct build *b, enum avp attribute, uint32_t value);
void l2tp_build_result(struct build *b, uint16_t result, uint16_t error);
struct view l2tp_build_end(struct build *b);

/* ---- hidden AVPs (RFC 2661 4.3) and tunnel authentication (5.1.1) ---- */

#define CHALLENGE_SIZE 16
#define RESPONSE_SIZE  16

/* out gets the value without its length prefix and padding, and holds hidden.n bytes. ERR_MALFORMED, ERR_CRYPTO. */
enum err l2tp_hidden_reveal(struct view secret, struct view vector, uint16_t attribute, struct view hidden,
                            uint8_t *out, size_t *out_n);
/* out gets 2 + value.n bytes. */
enum err l2tp_hidden_cover(struct view secret, struct view vector, uint16_t attribute, struct view value, uint8_t *out);
/* The response to a challenge, carried in a message of the given type. */
enum err l2tp_auth_response(uint16_t type, struct view secret, struct view challenge,
                            uint8_t out[static RESPONSE_SIZE]);
bool l2tp_auth_matches(uint16_t type, struct view secret, struct view challenge, struct view response);

/* ---- the reliable channel (RFC 2661 5.8, appendix A) ---- */

struct queued;
struct held;

struct channel {
    uint16_t nr;   /* Ns expected next from the peer */
    uint16_t una;  /* our oldest Ns that is not acknowledged */
    uint16_t next; /* our Ns to transmit next; falls back to una when the timer runs out */
    uint16_t high; /* one past the newest Ns that was ever transmitted */
    uint16_t tail; /* Ns of the next message that is queued */
    uint16_t peer_window;
    uint16_t window, threshold, credit; /* congestion: slow start below threshold, then one per window */
    uint8_t tries;                      /* retransmissions of una */
    bool ack_explicit;                  /* a ZLB must go out, whatever else does */
    usec_t ack_at, retransmit_at;
    struct queued *first, *last;
    struct held *held; /* in order of Ns */
};

enum arrival {
    ARRIVAL_NEXT,     /* in order: take it */
    ARRIVAL_AHEAD,    /* inside the window: hold it */
    ARRIVAL_REPEATED, /* seen before: acknowledge again */
    ARRIVAL_ACK,      /* a ZLB */
    ARRIVAL_OUTSIDE,  /* neither its Ns nor its Nr can be */
};

void l2tp_channel_init(struct channel *c);
void l2tp_channel_done(struct channel *c);
void l2tp_channel_set_peer_window(struct channel *c, uint16_t window);
/* Judges without changing anything. */
enum arrival l2tp_channel_judge(const struct channel *c, const struct header *h, uint16_t receive_window);
/* The peer's Nr. True when it acknowledged something new. */
bool l2tp_channel_acked(struct channel *c, const struct l2tp_config *config, usec_t now, uint16_t nr);
/* The message in order was taken: its acknowledgement is due by ack_delay. */
void l2tp_channel_take(struct channel *c, const struct l2tp_config *config, usec_t now);
void l2tp_channel_ack_explicit(struct channel *c);
/* Keeps a copy. ERR_NOMEM; ERR_EXISTS when that Ns is held already. */
enum err l2tp_channel_hold(struct channel *c, uint16_t ns, struct view datagram);
/* The held message that is in order now, taken out of the channel: the caller frees it with l2tp_channel_held_free().
 */
struct held *l2tp_channel_held_next(struct channel *c);
struct view l2tp_channel_held_view(const struct held *h);
void l2tp_channel_held_free(struct held *h);
/* Queues a message and gives it its Ns. */
enum err l2tp_channel_queue(struct channel *c, struct view message);
/* Forgets what was not acknowledged. */
void l2tp_channel_flush(struct channel *c);
/* Sends what is in flight again now, without waiting for the timer. */
void l2tp_channel_repeat(struct channel *c);
bool l2tp_channel_idle(const struct channel *c); /* everything sent is acknowledged */
bool l2tp_channel_full(const struct channel *c);
bool l2tp_channel_ready(const struct channel *c); /* l2tp_channel_output() has something */
/* Writes the next message or ZLB. */
bool l2tp_channel_output(struct channel *c, const struct l2tp_config *config, usec_t now, uint16_t peer_id,
                         struct writer *w);
usec_t l2tp_channel_deadline(const struct channel *c);
/* False when the peer is dead: its answers failed to come for all tries. */
bool l2tp_channel_timeout(struct channel *c, const struct l2tp_config *config, usec_t now);

/* ---- events ---- */

struct event_text {
    char host[64];
    char vendor[64];
    char detail[96];
    char station[L2TP_STATION_MAX];
};

/* An event waiting to be taken. The DOWN events are allocated with their object, so that an end is always told. */
struct event_node {
    struct event_node *next;
    struct event_text *text; /* may be NULL */
    struct l2tp_event_brief {
        uint8_t type, stage, cause;
        uint32_t carrier, session;
        uint16_t tunnel_id, session_id, peer_tunnel_id, peer_session_id;
        uint16_t result, error;
    } brief;
};
struct event_queue {
    struct event_node *first, **last;
};
void l2tp_event_queue_init(struct event_queue *q);
void l2tp_event_queue_done(struct event_queue *q);
void l2tp_event_queue_push(struct event_queue *q, struct event_node *node);
bool l2tp_event_queue_take(struct event_queue *q, struct l2tp_event *out);
struct event_node *l2tp_event_node_new(void);
void l2tp_event_node_free(struct event_node *node);
/* What is said of an end: ours, then the peer's words. Either may be missing. */
void l2tp_event_detail(struct event_node *node, const char *detail, struct view text);
/* Copies text from a peer: printable ASCII stays, a trailing NUL goes, all else becomes '?'. */
void l2tp_text_printable(char *out, size_t cap, struct view text);

/* ---- tunnels and sessions ---- */

enum tunnel_state { TUNNEL_WAIT_REPLY, TUNNEL_WAIT_CONNECT, TUNNEL_ESTABLISHED, TUNNEL_CLOSED };
enum session_state { SESSION_WAIT_TUNNEL, SESSION_WAIT_REPLY, SESSION_WAIT_CONNECT, SESSION_ESTABLISHED };

#define SLOTS_INLINE 2

struct session {
    uint32_t number;
    uint16_t id, peer_id;
    uint8_t state;
    bool lac;        /* we placed the call */
    bool sequenced;  /* S is sent now */
    bool sequencing; /* and always, for it was required (RFC 2661 5.4) */
    uint16_t data_ns, data_nr;
    uint8_t header[DATA_HEADER_MAX];
    char station[L2TP_STATION_MAX];
    usec_t patience_at;
    struct tunnel *tunnel;
    struct event_node *down;
};

struct tunnel {
    uint16_t id, peer_id;
    uint32_t carrier;
    uint8_t state;
    bool opener; /* we sent the SCCRQ */
    bool had_session;
    bool broken; /* out of memory amid a message: ends at the next timeout */
    uint16_t slot_mask, n_slots, n_sessions;
    struct session **slots; /* by the low bits of the session id */
    struct session *inline_slots[SLOTS_INLINE];
    struct l2tp *l2tp;
    struct channel channel;
    struct timer timer;
    usec_t alive_at, patience_at, up_at;
    uint64_t age; /* tunnels are numbered as they come */
    uint64_t tie_breaker;
    uint8_t challenge[CHALLENGE_SIZE]; /* ours, while it waits for its response */
    struct tunnel *carrier_next;       /* chain of its bucket */
    struct tunnel *ready_next;
    bool ready;
    struct tunnel *linger_next, *linger_prev;
    struct event_node *down; /* NULL once told */
    struct event_text *peer; /* its names, until TUNNEL_UP is told */
};

struct number {
    struct session *session;
    uint32_t next_free;
};

struct loose {
    uint32_t carrier;
    uint16_t n;
    uint8_t bytes[96];
};

struct l2tp {
    struct tunnel **by_id;  /* by the id without its shard */
    struct number *numbers; /* [0] unused */
    struct l2tp_config config;
    struct random random;
    usec_t now;
    uint64_t age;
    uint32_t n_ids, n_numbers, first_free;
    uint32_t n_tunnels, n_sessions, n_lingering;
    struct tunnel **by_carrier;
    uint32_t carrier_mask;
    struct timers timers;
    struct tunnel *ready_first, *ready_last;
    struct tunnel *linger_first, *linger_last;
    struct loose loose[L2TP_LOOSE_MAX];
    uint32_t loose_first, loose_n;
    struct event_queue events;
};

/* table.c: who is where */
struct tunnel *l2tp_table_find(const struct l2tp *l, uint32_t carrier, uint16_t id);
/* The first tunnel in the bucket of a carrier; other carriers share it: compare. */
struct tunnel *l2tp_table_carrier(const struct l2tp *l, uint32_t carrier);
uint32_t l2tp_table_carrier_count(const struct l2tp *l, uint32_t carrier); /* live ones */
/* Gives the tunnel an id and its places. ERR_LIMIT. */
enum err l2tp_table_add(struct l2tp *l, struct tunnel *t);
void l2tp_table_remove(struct l2tp *l, struct tunnel *t);
/* Gives the session a number and an id in its tunnel. ERR_LIMIT, ERR_NOMEM. */
enum err l2tp_table_session_add(struct tunnel *t, struct session *s);
/* The id is free at once; the number after l2tp_table_number_free(). */
void l2tp_table_session_remove(struct tunnel *t, struct session *s);
void l2tp_table_number_free(struct l2tp *l, uint32_t number);
static inline struct session *l2tp_table_session(const struct tunnel *t, uint16_t id)
{
    const uint16_t slot = id & t->slot_mask;
    if (slot >= t->n_slots)
        return NULL;
    struct session *s = t->slots[slot];
    return s && s->id == id ? s : NULL;
}

/* Why something ended; result, error and text are the peer's, when it was the peer that ended it. */
struct ending {
    enum cause cause;
    uint16_t result, error;
    const char *detail;
    struct view text;
};

/* tunnel.c */
void l2tp_tunnel_send(struct tunnel *t, struct build *b);
void l2tp_tunnel_begin(struct tunnel *t, struct build *b, uint16_t type, uint16_t session_id);
/* Says StopCCN, ends the sessions, tells it, lingers. Nothing when the tunnel is closed already. */
void l2tp_tunnel_close(struct tunnel *t, uint16_t result, uint16_t error, enum cause cause, const char *detail);
/* Ends without a word to the peer, and frees t. */
void l2tp_tunnel_drop(struct tunnel *t, enum cause cause, const char *detail);
void l2tp_tunnel_free(struct tunnel *t);
/* l2tp_tunnel_new() is ERR_LIMIT, ERR_NOMEM; its end is told unless it is freed before. */
enum err l2tp_tunnel_new(struct l2tp *l, uint32_t carrier, bool opener, struct tunnel **out);
/* Tells the end of all sessions and of the tunnel, which lingers from now on. */
void l2tp_tunnel_end(struct tunnel *t, const struct ending *why);
/* Sets timer and ready mark after anything was done to t. Never frees: a broken one goes when its timer, now due, runs.
 */
void l2tp_tunnel_wake(struct tunnel *t);
void l2tp_tunnel_timeout(struct tunnel *t);
/* s may be NULL. */
void l2tp_tunnel_stage(struct tunnel *t, const struct session *s, enum stage stage);
/* NULL, and the tunnel broken, when memory is out. */
struct event_node *l2tp_tunnel_event(struct tunnel *t, const struct session *s, enum l2tp_event_type type);
/* A StopCCN without a tunnel, sent once. */
void l2tp_loose_refuse(struct l2tp *l, uint32_t carrier, uint16_t peer_id, uint16_t result, uint16_t error);

/* tunnel_fsm.c */
/* A first SCCRQ, for which no tunnel exists. */
enum drop l2tp_tunnel_accept(struct l2tp *l, uint32_t carrier, const struct message *m);
/* Sends an SCCRQ for one session. */
enum err l2tp_tunnel_open(struct l2tp *l, uint32_t carrier);
enum drop l2tp_tunnel_message(struct tunnel *t, const struct message *m);

/* session.c */
enum drop l2tp_session_message(struct tunnel *t, uint16_t session_id, const struct message *m);
enum err l2tp_session_open(struct tunnel *t); /* waits for the tunnel */
void l2tp_session_tunnel_up(struct session *s);
/* Says CDN and ends the session. */
void l2tp_session_hang_up(struct session *s, uint16_t result, uint16_t error, enum cause cause, const char *detail);
void l2tp_session_disconnect(struct session *s, uint16_t result, uint16_t error); /* the CDN alone */
void l2tp_session_end(struct session *s, const struct ending *why);               /* the end alone */

/* Result codes (RFC 2661 4.4.2) */
enum {
    STOP_CLEAR = 1,
    STOP_GENERAL = 2,
    STOP_UNAUTHORIZED = 4,
    STOP_VERSION = 5,
    STOP_SHUTDOWN = 6,
    STOP_FSM = 7,
    CDN_CARRIER_LOST = 1,
    CDN_GENERAL = 2,
    CDN_ADMIN = 3,
    CDN_TIMEOUT = 10,
    ERROR_NONE = 0,
    ERROR_NO_CONTROL = 1,
    ERROR_RESOURCES = 4,
    ERROR_SESSION_ID = 5,
    ERROR_VENDOR = 6,
    ERROR_UNKNOWN_AVP = 8,
};
#define PROTOCOL_VERSION_1 0x0100 /* version 1, revision 0 */

#endif
