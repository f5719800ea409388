/*
 * What the tracker's files share.
 *
 *   host --< contact >-- server        a contact: one host talking to one server
 *              |            |
 *            pair         inbound       a pair of ESP SAs, by its outbound SPI; an inbound SPI and who may own it
 *              |            |
 *              `---- in ----'           a pair is open until its inbound SPI is known
 *
 * A contact lives as long as it has pairs or IKE SAs, a host and a server as long as they have contacts. Only inside
 * hosts make contacts: from outside nothing is made but inbound SPIs and IKE guesses at a server that has some, in
 * limited number.
 */
#ifndef SEKISHO_TRACKER_INTERNAL_H
#define SEKISHO_TRACKER_INTERNAL_H

#include "tracker/tracker.h"

#define CANDIDATES       16 /* hosts weighed for one inbound SPI at a time */
#define SHOWN            8  /* inbound SPIs that a host was shown last */
#define QUICK_MODES      4  /* of one IKE SA at once */
#define BIT              16 /* of likelihood */
#define NEWBORN_SEQUENCE 64 /* an SA whose first packet seen has no higher number is new */

/* ---- tools ---- */

/* So many at once, and one more with each while that passes. */
struct allowance {
    usec_t at; /* when it was last full, moved on by what was spent */
};

/* Moves and events on their way out. */
struct queue {
    uint8_t *items;
    size_t size; /* of one */
    uint32_t n, cap, head;
};

void queue_done(struct queue *q);
void queue_push(struct queue *q, const void *item); /* lost when out of memory */
bool queue_pull(struct queue *q, void *item);

/* ---- what there is ---- */

enum kind { KIND_SERVER, KIND_PAIR, KIND_INBOUND, KIND_IKE };

/* What has a timer: servers, and the three kinds of bindings, which status lists. */
struct entry {
    enum kind kind;
    struct timer timer;
    struct link all;
};

struct host {
    struct index_node node;
    struct link all; /* the one that sent last is last */
    uint32_t addr;
    uint32_t n_contacts, n_pairs, n_ikes, n_held;
    uint32_t n_bound; /* inbound SPIs certain to be its own */
    struct link contacts;
    struct link pairs, ikes; /* least recently used first */
    usec_t seen, refused_told;
};

struct server {
    struct entry entry; /* its timer: the end of the turn, or of the longest hold */
    struct index_node node;
    uint32_t addr;
    struct link recent; /* contacts, the one that sent last first */
    struct link oldest; /* contacts, the first one first */
    uint32_t n_contacts;
    struct link strangers; /* inbound SPIs of nobody for certain, oldest first */
    uint32_t n_strangers;
    struct link bound;   /* inbound SPIs that are certain */
    usec_t crowded;      /* when an inbound SPI found no room last; 0: never */
    struct link guesses; /* IKE exchanges of nobody for certain, oldest first */
    uint32_t n_guesses;
    uint32_t n_settled;
    usec_t stranger_seen;
    struct link held;    /* until another's turn has ended, oldest first */
    struct link delayed; /* for a moment: delay.c */
    uint32_t n_held;     /* of both */
    struct allowance copies;
    struct contact *turn; /* whose new SA or quick mode waits for its answer; NULL: nobody's */
    usec_t turn_until;
    bool turn_long; /* one that is to end with an answer */
    usec_t refused_told;
};

struct contact {
    struct index_node node;
    struct link of_host, recent, oldest;
    struct host *host;
    struct server *server;
    struct link pairs;    /* youngest first */
    struct link inbounds; /* certain */
    struct link ikes;
    uint32_t n_inbounds, n_ikes, n_held;
    usec_t since;               /* when it was seen first, if it had begun before; otherwise 0 */
    usec_t sent;                /* when its last ESP packet went to the server */
    usec_t heard;               /* when it came from the host */
    usec_t counted, busy_until; /* by what the kernel has forwarded for it */
    uint32_t rate;              /* ESP packets in 1,000 s, a running mean */
    usec_t delay_until;         /* its packets wait until then; 0: they do not */
    usec_t moved;               /* when those that had waited went last */
    uint32_t n_sent;            /* ESP packets that went through the tracker */
    usec_t patient_at;          /* until then it neither takes turns nor waits for them: it had one without an answer */
    uint32_t shown[SHOWN];
    uint32_t n_shown;
    usec_t complain_at; /* when its want of an answer has other bindings looked at again; 0: not set */
    uint32_t complaints;
};

/* SAs to and from a server. spi 0: a quick mode has made it, and neither SPI was seen. */
struct pair {
    struct entry entry;
    struct index_node node;
    struct link of_contact, of_host;
    struct contact *contact;
    uint32_t spi, sequence;
    bool newborn;
    bool promised; /* by a quick mode: its server may be first to use it */
    bool asked;    /* its first packet has gone to the server */
    bool settled;  /* open, but its server sends nothing unknown: the kernel may have it */
    bool told;     /* the kernel has it */
    struct inbound *in;
    usec_t since, used;
    usec_t open_since; /* asked or promised */
    uint64_t packets;
};

struct candidate {
    struct contact *contact;
    /* what its sends after being shown, the packets after its sends, and those after its delayed sends say: in
     * sixteenths of a bit of likelihood */
    int32_t answered, replied, echoed;
    /* of 256: in how many cases each is expected, by what was seen */
    uint8_t answer_share, reply_share, echo_share;
    usec_t echo;      /* how long after its delayed sends the packets come; 0: not known */
    usec_t echo_seen; /* `moved` of the contact, when that was looked at last */
    usec_t tried;     /* when it was shown a packet last */
    usec_t trial;     /* since when its answer is awaited; 0: not */
    bool quiet;       /* it had not sent just before */
    bool had_turn;    /* when the SPI came first */
    bool shown;       /* the packet that is kept */
    uint8_t answers, echoes;
    uint8_t misses; /* since the last answer */
};

struct inbound {
    struct entry entry;
    struct index_node node;
    struct link of_server, of_contact;
    struct server *server;
    uint32_t spi, sequence;
    bool newborn;
    bool bound;                   /* no other host is meant */
    bool told;                    /* nor is it a forgery: the kernel has it */
    bool guessed;                 /* bound where another host was possible */
    bool reviewed;                /* was bound, looked at again */
    struct contact *contact;      /* bound: whose it is; otherwise who gets its packets now, or NULL */
    struct pair *pair;            /* bound: whose inbound SPI it is; may be NULL */
    struct candidate *candidates; /* CANDIDATES of them; NULL: bound */
    uint32_t n_candidates, walked;
    uint32_t open_contacts; /* how many had open pairs when it came */
    uint32_t first, before; /* hosts: who got its first packet; whose it was before the review. 0: none */
    bool keeps;             /* a packet that is shown to one after another */
    uint32_t kept;
    usec_t kept_since;
    uint64_t packets_kept; /* how many had come by then */
    bool delayed;          /* and will be shown to the first of them when the timer comes */
    bool fair;             /* what is shown now does not keep step with anything: it may prove a second time */
    struct allowance copies;
    usec_t spread_until; /* nobody has answered: until then its packets go to all who are likely */
    usec_t bound_at;
    struct candidate own; /* bound, and not told: what its host has done since */
    usec_t window;        /* since when its host is watched, */
    uint32_t sent_before; /* and what had been sent and had come then */
    uint64_t packets_before;
    usec_t since, used;
    uint64_t packets, counted; /* of these by the kernel, when it was asked last */
};

struct quick {
    uint32_t message_id;
    enum tracker_way way; /* of its first message */
    uint8_t stage;        /* messages seen that went on; 0: not in use */
    usec_t at;
};

struct ike {
    struct entry entry;
    struct index_node node;
    struct link of_host, of_contact, of_server;
    struct server *server;
    struct contact *contact; /* guess: who is tried now */
    uint64_t initiator, responder;
    bool guess; /* a server has begun it, and no host has shown that it is its own */
    uint32_t tries, candidates;
    struct quick quick[QUICK_MODES];
    usec_t since, used;
    uint64_t packets;
};

struct held {
    struct link of_server;
    struct contact *contact;
    struct tracker_packet packet;
    usec_t until;
};

struct tracker {
    struct tracker_config config;
    struct timers timers;
    struct index hosts, contacts, servers, pairs, inbounds, ikes;
    struct link all_hosts, all_servers, bindings;
    uint32_t n_hosts, n_held, n_kept;
    struct queue moves, events;
    uint64_t counters[TRACKER_COUNTERS];
};

/* ---- the ways out (out.c) ---- */

void move_pass(struct tracker *t, const struct tracker_packet *p, uint32_t host);
void move_inbound(struct tracker *t, uint32_t handle, enum tracker_act act, uint32_t host);
void move_drop(struct tracker *t, const struct tracker_packet *p, enum tracker_reason reason);
void tell_refused(struct tracker *t, usec_t now, usec_t *told, const struct tracker_packet *p,
                  enum tracker_reason reason);
void tell(struct tracker *t, struct tracker_event event);
static inline void count(struct tracker *t, enum tracker_counter c)
{
    t->counters[c]++;
}

/* ---- hosts, servers, contacts (contact.c) ---- */

struct server *server_find(const struct tracker *t, uint32_t addr);
struct contact *contact_find(const struct tracker *t, uint32_t host, uint32_t server);
/* The contact of an outbound packet, made where there is none. NULL with *reason when a limit forbids it. A new one is
 * freed by contact_settle() unless it gets a pair or an IKE SA. */
struct contact *contact_get(struct tracker *t, usec_t now, const struct tracker_packet *p, enum tracker_reason *reason);
/* Frees a contact that has nothing left, and its host and server with it. */
void contact_settle(struct tracker *t, struct contact *c);

/* ---- pairs (pair.c) ---- */

void pair_input(struct tracker *t, usec_t now, const struct tracker_packet *p);
/* A held packet goes now. */
void pair_resume(struct tracker *t, usec_t now, const struct tracker_packet *p);
/* A quick mode has ended: SPIs of a new pair will be seen. */
void pair_expect(struct tracker *t, usec_t now, struct contact *c);
/* Tells the kernel what it may have of this pair now. */
void pair_judge(struct tracker *t, struct pair *p);
void pair_unsettle(struct tracker *t, struct server *s);
/* A pair that another tracker knew, used last then. */
bool pair_restore(struct tracker *t, usec_t now, usec_t used, const struct tracker_packet *p);
struct pair *pair_find(const struct tracker *t, uint32_t host, uint32_t server, uint32_t spi);
/* The open pair of c that an inbound SPI fits best, or NULL. */
struct pair *pair_open(const struct contact *c, bool newborn);
uint32_t pair_count(const struct contact *c);
void pair_due(struct tracker *t, usec_t now, struct pair *p);
void pair_free(struct tracker *t, struct pair *p);

/* ---- inbound SPIs (inbound.c) ---- */

void inbound_input(struct tracker *t, usec_t now, const struct tracker_packet *p);
struct inbound *inbound_find(const struct tracker *t, uint32_t server, uint32_t spi);
bool inbound_restore(struct tracker *t, usec_t now, usec_t used, const struct tracker_packet *p);
/* It goes to c from now on. k: what speaks for c, or NULL. */
void inbound_bind(struct tracker *t, usec_t now, struct inbound *in, struct contact *c, const struct candidate *k,
                  bool guessed);
/* It is certain: the kernel gets it. */
void inbound_tell(struct tracker *t, usec_t now, struct inbound *in);
/* What was guessed at a server is looked at again, for a host of it is without an answer: what nothing has proved, or
 * that as well which was proved a while ago. */
void inbound_review(struct tracker *t, usec_t now, struct server *s, bool proved);
void inbound_forget_contact(struct tracker *t, struct contact *c);
void inbound_schedule(struct tracker *t, usec_t now, struct inbound *in);
void inbound_due(struct tracker *t, usec_t now, struct inbound *in);
/* It is not its host's, as it seems, and gives way to what is. What has come more than once is looked at again. */
void inbound_displace(struct tracker *t, struct inbound *in);
void inbound_free(struct tracker *t, struct inbound *in);

/* ---- who may own them (candidate.c) ---- */

#define ANSWER_WINDOW (60 * USEC_MSEC) /* a host that was shown a packet has so long before the next is */

/* before: whose it was until now, or NULL. */
void candidates_find(struct inbound *in, struct contact *before);
/* c among them, or NULL. */
struct candidate *candidates_of(struct inbound *in, const struct contact *c);
void candidates_forget(struct inbound *in, const struct contact *c);
/* A packet has come after so long a silence: what does that say? */
void candidates_weigh(struct inbound *in, usec_t now, usec_t silent);
/* Binds it if one is certain. */
bool candidates_judge(struct tracker *t, usec_t now, struct inbound *in);
/* The packet, which came after so long a silence, goes to the likeliest. */
void candidates_show(struct tracker *t, usec_t now, struct inbound *in, usec_t silent, uint32_t handle);
/* Keeps the packet. Nobody has seen it yet. */
void candidates_keep(struct tracker *t, usec_t now, struct inbound *in, uint32_t handle);
/* Whether more have come since a packet was kept for a moment than may go before it. */
bool candidates_overtaken(const struct inbound *in);
/* How long until the packet that is kept goes on. */
usec_t candidates_wait(const struct inbound *in);
/* No answer: the packet that is kept goes to the next. */
void candidates_next(struct tracker *t, usec_t now, struct inbound *in);
/* c sends: does that answer what it was shown? */
void candidates_answer(struct tracker *t, usec_t now, struct contact *c);
/* The packet that is kept, if any, has reached its host, or has been shown to all: it ends. */
void candidates_stop(struct tracker *t, usec_t now, struct inbound *in);
bool candidates_ambiguous(const struct inbound *in);

/* ---- whether it is forged (trial.c) ---- */

/* Whether one more SPI may be tried beside what is on trial at c for the same SA. */
bool trial_may_begin(const struct contact *c);
/* It has been bound, by this evidence or NULL. */
void trial_begin(struct tracker *t, usec_t now, struct inbound *in, const struct candidate *k);
void trial_input(struct tracker *t, usec_t now, struct inbound *in, usec_t silent, uint32_t handle);
/* The packet that was kept goes to its host. */
void trial_due(struct tracker *t, usec_t now, struct inbound *in);
/* Its host sends: does that answer what it was shown? */
void trial_weigh(struct inbound *in, usec_t now);
/* Tells the kernel, if it is certain now. */
bool trial_judge(struct tracker *t, usec_t now, struct inbound *in);
/* Whether packets of its host may be delayed for it. */
bool trial_delays(const struct inbound *in, usec_t now);

/* ---- how likely (evidence.c) ---- */

/* What a host does that sends often and evenly is no evidence. */
bool evidence_is_busy(const struct contact *c, usec_t now);
/* The kernel has forwarded so many since it was asked last. */
void evidence_counted(struct contact *c, usec_t now, uint64_t packets);
void evidence_begin(struct candidate *k, struct contact *c, int32_t evidence);
void evidence_heard(struct contact *c, usec_t now);
/* What speaks for a candidate before any trial, and in all. */
int32_t evidence_prior(const struct inbound *in, const struct contact *c);
int32_t evidence_score(const struct inbound *in, const struct candidate *k);
/* The binary logarithm of v/256, in sixteenths. */
int32_t evidence_bits(uint32_t v);
/* false: what it sent was no answer. */
bool evidence_answer(struct candidate *k, usec_t now);
void evidence_no_answer(struct candidate *k);
void evidence_arrival(struct candidate *k, usec_t now);
/* The first packet, after so long a silence, since the contact's delayed ones went. */
void evidence_echo(struct candidate *k, usec_t now, usec_t silent);

/* ---- one after another (turn.c) ---- */

/* Whether packet was kept back because another contact has the turn. If not, c has the turn until then where nobody
 * else has. */
bool turn_wait(struct tracker *t, usec_t now, struct contact *c, const struct tracker_packet *p, usec_t length);
/* The contact that has the turn has got what it waited for. */
void turn_end(struct tracker *t, usec_t now, struct contact *c);
/* It needs the turn no longer than this from now. */
void turn_shorten(struct tracker *t, usec_t now, struct contact *c, usec_t length);
void turn_due(struct tracker *t, usec_t now, struct server *s);
/* Sets the server's timer. */
void turn_schedule(struct tracker *t, struct server *s);
/* So many more packets of c are held. */
void turn_count_held(struct tracker *t, struct contact *c, int32_t more);
void turn_forget(struct tracker *t, struct contact *c);

/* ---- a little later (delay.c) ---- */

#define DELAY_MAX  (64 * USEC_MSEC)
#define DELAY_ANEW (40 * USEC_MSEC) /* a host silent for so long speaks anew */

/* Whether the packet was kept back for a moment. */
bool delay_wait(struct tracker *t, usec_t now, struct contact *c, const struct tracker_packet *p);
usec_t delay_deadline(const struct server *s);
/* Lets those of one contact go whose moment is over. The server may end with it. False: there are none. */
bool delay_due(struct tracker *t, usec_t now, struct server *s);

/* ---- IKE (exchange.c) ---- */

void exchange_input(struct tracker *t, usec_t now, const struct tracker_packet *p);
void exchange_resume(struct tracker *t, usec_t now, const struct tracker_packet *p);
bool exchange_restore(struct tracker *t, usec_t now, usec_t used, const struct tracker_packet *p);
void exchange_due(struct tracker *t, usec_t now, struct ike *ike);
void exchange_free(struct tracker *t, struct ike *ike);
void exchange_forget_contact(struct tracker *t, struct contact *c);

#endif
