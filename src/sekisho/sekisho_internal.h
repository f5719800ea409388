/* What the files of libsekisho share: the object, and who does what to it. */
#ifndef SEKISHO_SEKISHO_INTERNAL_H
#define SEKISHO_SEKISHO_INTERNAL_H

#include "grid/grid.h"
#include "keeper/keeper.h"
#include "pump/pump.h"
#include "sekisho/sekisho.h"

#define ADDRESSES_MAX 16 /* of one name, that are tried */
#define SOCKS_MAX     6  /* two families of three kinds */
#define PACKETS_MAX   256

#define JUDGEMENTS_MAX 4 /* proofs under way at once: a main mode has two */

/* What the options mean, checked: see options.c. */
struct settings {
    struct sekisho_options text;    /* owned copies */
    struct ip_addr local;           /* family 0: the kernel's choice */
    struct ip_addr want;            /* inner */
    char station[L2TP_STATION_MAX]; /* by which a gateway of ours knows us again */
    struct ike_psk psk;
    enum ike_policy policy;
    enum ike_encap encap;
    enum ppp_auth methods[PPP_AUTH_METHODS];
    bool refuse_silent;        /* a certificate about which nobody tells whether it was revoked */
    struct identity *identity; /* NULL: a pre-shared key */
    struct ppp_tls *tls;       /* NULL: no EAP-TLS */
};

/* Options into settings. False: `why` tells what cannot be taken. */
bool settings_take(struct settings *settings, const struct sekisho_options *options, char *why, size_t cap);
void settings_wipe(struct settings *settings);
/* Of the attempt that is about to begin. */
struct stack_config settings_stack(const struct settings *settings);
/* All but the path. Wiped by the caller. */
void settings_connect(const struct settings *settings, struct stack_connect *out);

/* ---- sockets ---- */

struct sockets {
    struct pump_sock list[SOCKS_MAX];
    size_t count;
    int source[2]; /* asked for the way to an IPv4 or IPv6 address; -1: there are no sockets of this family */
    bool raw;      /* ESP without UDP can be sent and received */
};

bool sockets_open(struct sockets *sockets, const struct settings *settings, char *why, size_t cap);
void sockets_close(struct sockets *sockets);
/* The port that our sockets of this kind have; 0 when there are none for this family. */
uint16_t sockets_port(const struct sockets *sockets, uint8_t family, enum sock_kind kind);
/* The local address towards a server, as the routes are now. ERR_SYSTEM: there is no way. */
enum err sockets_source(const struct sockets *sockets, const struct settings *settings, const struct ip_addr *to,
                        struct ip_addr *out);

/* ---- threads that live for one question ---- */

/* run(ctx) on a thread of its own, without signals. False: no thread can be had. */
bool worker_start(void *(*run)(void *ctx), void *ctx);
/* From there: makes an eventfd readable. */
void worker_ring(int fd);

/* ---- certificates ---- */

struct identity; /* who we are and whom we trust; shared with the threads that sign and judge */

/* NULL: `why` tells what is wrong with them. */
struct identity *identity_new(const struct settings *settings, char *why, size_t cap);
void identity_drop(struct identity *identity); /* NULL-safe */
const struct ike_credential *identity_credential(const struct identity *identity);
const struct view *identity_authorities(const struct identity *identity, size_t *n); /* borrowed */

struct judgement; /* a proof that is being made or judged */

/* Takes the proof, unless it is NULL that is returned: no thread can be had. */
struct judgement *judgement_begin(struct identity *identity, struct ike_proof *proof);
int judgement_fd(const struct judgement *judgement); /* readable when it is done */
/* The answered proof, the caller's; NULL while it is not done. */
struct ike_proof *judgement_take(struct judgement *judgement);
void judgement_end(struct judgement *judgement); /* also while the thread is still at it. Takes NULL */

/* ---- names ---- */

struct lookup; /* a name being looked up, on a thread of its own */

/* NULL: no thread can be had. */
struct lookup *lookup_begin(const char *name);
/* Becomes readable when it is done. */
int lookup_fd(const struct lookup *lookup);
/* Its addresses in the order of preference; 0 while it is not done, or when there are none. */
uint32_t lookup_result(const struct lookup *lookup, struct ip_addr out[static ADDRESSES_MAX]);
/* Also while the thread is still at it, which then finds nobody. Takes NULL. */
void lookup_end(struct lookup *lookup);

/* ---- an answer that is good again ---- */

/* All zero: there is none. Its owner drops it. */
struct recall {
    char text[SEKISHO_TEXT];
    usec_t login; /* when it was first let in by it; 0: not yet */
    usec_t lost;  /* when it was last up; 0: it is */
    usec_t back, longest;
};

void recall_drop(struct recall *r);
/* at: the question it answers. */
void recall_typed(struct recall *r, const struct grid_prompt *at, const char *text);
void recall_up(struct recall *r, usec_t now);
void recall_lost(struct recall *r, usec_t now);
/* NULL: the user has to be asked. Borrowed. */
const char *recall_answer(const struct recall *r, usec_t now);

/* ---- the object ---- */

struct event_node {
    struct sekisho_event event;
    struct event_node *next;
};

struct packet_node {
    struct packet_node *next;
    uint32_t len;
    uint8_t bytes[];
};

/* One attempt, and the connection that came of it. */
struct attempt {
    struct stack *stack; /* NULL: there is none */
    struct pump *pump;
    uint32_t peer;
    struct ip_addr local, remote;
    struct judgement *judgements[JUDGEMENTS_MAX];
    bool asked; /* the server waits for an answer in this session */
    uint32_t session;
    uint64_t session_key;
    struct grid_prompt grid; /* what was shown last; no cells: no grid */
    bool up;
    bool over; /* cause tells why; to be cleared away by the next turn */
    enum cause cause;
    char detail[SEKISHO_TEXT];
};

struct sekisho {
    struct settings settings;
    struct sockets sockets;
    struct loop *loop;
    struct entropy entropy;
    struct tun *tun;
    int monitor; /* -1: not watched */
    struct keeper keeper;
    struct lookup *lookup;
    usec_t lookup_end;
    struct ip_addr addresses[ADDRESSES_MAX];
    uint32_t address_count;
    struct attempt attempt;
    struct recall recall;
    enum stage stage; /* farthest of the attempt under way, or of the last one */
    enum cause cause; /* of the last failure */
    char detail[SEKISHO_TEXT];
    struct sekisho_network network;
    usec_t began, up_since;
    usec_t look_at;             /* when to see what a change of the network comes to; USEC_NEVER */
    usec_t due;                 /* the turn that is due next */
    usec_t asleep;              /* as clock_asleep() said last */
    struct stack_counters done; /* of attempts that are over */
    struct event_node *events, **events_tail;
    struct packet_node *packets, **packets_tail;
    uint32_t packet_count;
};

/* attempt.c */
void attempt_begin(struct sekisho *s, usec_t now, const struct ip_addr *remote);
/* Says goodbye and frees; harmless when there is none. */
void attempt_end(struct sekisho *s, usec_t now);
/* Something came of it that ends it; the first cause counts. */
void attempt_over(struct sekisho *s, enum cause cause, const char *detail);
enum err attempt_answer(struct sekisho *s, usec_t now, const char *text);
bool attempt_info(const struct sekisho *s, struct session_info *out);

/* event.c */
struct sekisho_event *event_put(struct sekisho *s, enum sekisho_event_type type, usec_t now);
struct sekisho_event *event_step(struct sekisho *s, usec_t now, enum stage stage, const char *detail);
void events_free(struct sekisho *s);

/* packets.c */
void packets_take(struct sekisho *s, const struct frame_pieces *frame);
void packets_free(struct sekisho *s);

/* sekisho.c: everything that is due; returns when the next turn is */
usec_t sekisho_turn(struct sekisho *s, usec_t now);

#endif
