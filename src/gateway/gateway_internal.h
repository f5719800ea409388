/*
 * The gateway's parts:
 *   shard     a thread with its loop, sockets, TUN queue and stack: the data path, nothing shared
 *   service   the main thread: users, addresses, the control socket, signals, the log
 *   workers   a few threads for Diffie-Hellman, so that a storm of logins never delays data; and a few for
 * certificates, which may have to ask the network about revocation They speak by posting functions to each other's
 * threads; only the two tables of places are read by all.
 */
#ifndef SEKISHO_GATEWAY_INTERNAL_H
#define SEKISHO_GATEWAY_INTERNAL_H

#include "aaa/aaa.h"
#include "config/config.h"
#include "control/control.h"
#include "ctl/ctl.h"
#include "net/net.h"
#include "pki/pki.h"
#include "pump/pump.h"
#include "revocation/revocation.h"
#include "stack/stack.h"

#include <pthread.h>
#include <stdatomic.h>

#define TELL(name, word, text) TELL_DEFINE(name, word, text)
#include "gateway/told.def"
#undef TELL

#define SHARDS_MAX 64
#define LOGINS_MAX 4096 /* of a shard with the service thread, questions before them too; more time out */

struct gateway;

/* ---- mailbox: run this on that thread ---- */

struct letter {
    void (*run)(void *receiver, void *letter); /* frees the letter, which begins with this struct */
    void (*discard)(void *letter);             /* frees it unread; NULL: free() is enough */
    struct letter *next;
};

struct mailbox {
    pthread_mutex_t lock;
    struct letter *first, **last;
    struct loop *loop; /* woken when a letter comes */
};

void mailbox_init(struct mailbox *box, struct loop *loop);
void mailbox_done(struct mailbox *box); /* no thread may use it any more; letters left are discarded */
/* From any thread. Takes the letter. */
void mailbox_post(struct mailbox *box, struct letter *letter);
/* On the receiving thread: runs what has come. */
void mailbox_read(struct mailbox *box, void *receiver);

/* ---- addresses: which shard has an inner address ---- */

struct addresses;
struct addresses *addresses_new(const struct config *config);
void addresses_free(struct addresses *table);
/* shard 0 .. 63, or -1 for nobody. Addresses outside the pools are ignored. Any thread. */
void addresses_set(struct addresses *table, uint32_t address, int shard);
/* Nobody has it any more, unless another shard has taken it over. */
void addresses_clear(struct addresses *table, uint32_t address, int shard);
/* Whether all addresses of the range have their place in the table. */
bool addresses_hold(const struct addresses *table, const struct config_range *range);
int addresses_get(const struct addresses *table, uint32_t address);

/* ---- whereabouts: which shard has the peer at an outer endpoint ---- */

struct whereabouts;
struct whereabouts *whereabouts_new(const struct random *rng, uint8_t shards);
void whereabouts_free(struct whereabouts *table);
/* Any thread. A hint: entries may be lost to others, and are never removed. */
void whereabouts_set(struct whereabouts *table, const struct endpoint *peer, uint8_t shard);
/* Where a peer that begins main mode at this endpoint is, or belongs; -1: anywhere. */
int whereabouts_get(const struct whereabouts *table, const struct endpoint *peer);

/* ---- certificates: what signatures need ---- */

struct certificates;
/* ERR_INVALID, ERR_NOMEM; the error says which file of the configuration `file` is wrong, and how. */
enum err certificates_new(const struct config *config, const char *file, struct certificates **out,
                          struct config_error *error);
/* Any thread. Made with one holder; freed when the last one has released it. NULL-safe. */
struct certificates *certificates_hold(struct certificates *set);
void certificates_release(struct certificates *set);
/* Points into the set. */
void certificates_settings(const struct certificates *set, struct ike_config *out);
/* For EAP-TLS; borrowed. NULL: it is not served. */
struct ppp_tls *certificates_tls(const struct certificates *set);
/* Makes or judges the signature. May wait for the network. Any thread. */
void certificates_answer(const struct certificates *set, int64_t wall, struct ike_proof *proof);
/* Tells when each of ours ends. */
void certificates_each_end(const struct certificates *set, void (*each)(void *ctx, const char *name, int64_t until),
                           void *ctx);

/* ---- shard ---- */

struct shard {
    struct gateway *gateway;
    uint8_t number;
    struct loop *loop;
    struct entropy entropy;
    struct tun *tun;
    struct pump_sock socks[PUMP_SOCKS_MAX];
    size_t sock_count;
    struct stack *stack;
    struct pump *pump;
    struct certificates *certificates; /* the gateway's, as of its last configuration */
    struct mailbox mailbox;
    atomic_uint strays;            /* first messages of main mode that other shards sent here, not read yet */
    atomic_uint notices;           /* on their way to the service thread */
    uint32_t logins;               /* sent there and not answered yet */
    uint64_t untold;               /* events that were not sent there, since the last notice */
    usec_t strangers_at;           /* when `strangers` was last made full */
    uint32_t strangers;            /* notices about senders of unproved address that may still go */
    struct ring *from[SHARDS_MAX]; /* frames that other shards' TUN queues yielded; NULL for itself */
    uint64_t ring_lost;            /* frames of its own TUN queue for which others had no room: DROP_RING_FULL */
    pthread_t thread;
    bool running;
};

/* Sockets and TUN are in place; makes stack and pump. */
enum err shard_init(struct shard *shard, struct gateway *gateway, const struct stack_config *config);
void shard_done(struct shard *shard);
enum err shard_start(struct shard *shard);
void shard_stop(struct shard *shard); /* waits for its thread */
/* Runs fn on the shard's thread and waits until it is done. */
void shard_call(struct shard *shard, void (*fn)(struct shard *shard, void *ctx), void *ctx);

/* ---- workers ---- */

struct workers;
/* waiting: how many errands may wait at a time. */
struct workers *workers_new(unsigned threads, unsigned waiting);
void workers_free(struct workers *workers);
/* Takes the work; its result is posted to the shard. */
void workers_submit(struct workers *workers, struct shard *shard, struct dh_work *work);
void workers_prove(struct workers *workers, struct shard *shard, struct ike_proof *proof);

/* Slow work for the service thread. Embedded first in what it is about. */
struct errand {
    struct letter letter; /* its run(): on the service thread, when the work is done; its discard() too */
    void (*work)(struct errand *errand); /* on a worker's thread */
};
/* Takes the errand. False when as many wait as may: it is the caller's still. */
bool workers_run(struct workers *workers, struct mailbox *home, struct errand *errand);

/* ---- report: the one structured event stream, written by the service thread alone ---- */

struct report {
    enum config_log_format format;
    enum config_log_level level;
    bool journal; /* which has time and level of its own */
};

struct report_line {
    enum config_log_level level;
    uint64_t session;
    const char *type, *user, *peer, *stage, *cause, *text;
};
void report_write(const struct report *report, const struct report_line *line);
/* For what concerns the gateway as a whole. */
__attribute__((format(printf, 3, 4))) void report_say(const struct report *report, enum config_log_level level,
                                                      const char *format, ...);

/* ---- control socket ---- */

/* The reply line to one request to the gateway. */
char *answer_request(void *gateway, const struct ctl_request *request, struct control_asked *asked);

/* ---- recent.c: the latest events ---- */

#define RECENT_MAX 128 /* of each ring */

struct recent {
    uint64_t last; /* the number of the newest */
    struct recent_ring {
        struct ctl_event at[RECENT_MAX]; /* id 0: a free place */
        uint64_t n;                      /* that were ever in it */
    } ring[2];                           /* the second is strangers' */
};

/* started: seconds since 1970; numbers follow from it, so that they grow over restarts too. */
void recent_init(struct recent *recent, int64_t started);
/* Gives the event's number. stranger: whoever sent has not proved an address. */
uint64_t recent_add(struct recent *recent, const struct ctl_event *event, bool stranger);
/* The oldest that is kept after the event of this number; NULL: none. Borrowed until the next recent_add(). */
const struct ctl_event *recent_after(const struct recent *recent, uint64_t id);

/* ---- metrics ---- */

struct scrape;
/* Listens in the gateway's loop. NULL: why has the rest of a sentence. */
struct scrape *scrape_new(struct gateway *gateway, const struct endpoint *local, char *why, size_t cap);
/* Ends who has had their time; when it is to be called next. NULL-safe. */
usec_t scrape_timeout(struct scrape *scrape, usec_t now);
void scrape_free(struct scrape *scrape); /* NULL-safe */
/* All the numbers. */
void gauges_write(struct gateway *gateway, struct writer *w);

/* ---- the gateway ---- */

struct gateway {
    struct config *config;
    char config_file[CONFIG_PATH_MAX];
    struct report report;
    atomic_bool tun_gone;     /* somebody has deleted the interface: the gateway ends */
    atomic_bool steps_logged; /* the log tells every step */
    atomic_uint listeners;    /* connections to the control socket that are told every event */
    struct loop *loop;
    struct mailbox mailbox;
    struct entropy entropy;
    struct aaa *aaa;
    struct control *control;
    struct workers *workers, *provers;
    struct workers *hashers; /* of passwords: slow and large on purpose, so one at a time */
    struct addresses *addresses;
    struct whereabouts *whereabouts;
    struct shard *shards;
    struct ike_psk *psks;              /* what the stacks' configurations point to, */
    struct certificates *certificates; /* and this too */
    uint8_t shard_count, shard_bits;
    int signals;
    struct aftermath aftermath;
    int64_t started;
    struct recent recent;
    usec_t show_out_at;              /* the next user's time may be over */
    struct scrape *scrape;           /* NULL: there is no section metrics */
    atomic_ullong ends[CAUSE_COUNT]; /* failures and ends, by cause, of all shards */
};

/* Starts, runs until a signal, cleans up. Returns the exit status. */
int gateway_run(const char *config_file);

/* What stacks are made with; points into gateway->psks and ->certificates. */
void settings_stack(struct gateway *gateway, const struct config *config, uint8_t shard, struct stack_config *out);
struct ike_psk *settings_psks(const struct config *config);

/* Reads the file again; on failure nothing has changed and why says it. */
enum err gateway_reload(struct gateway *gateway, struct config_error *error);
/* Config and host facts together. */
enum err gateway_load_config(const char *file, struct config **out, struct config_error *error);

/* network.c: addresses, routes, forwarding, firewall */
#define RULE_MAX    128 /* bytes of one rule */
#define RULESET_MAX (512 + CONFIG_POOL_MAX * CONFIG_RANGE_MAX * RULE_MAX)
/* Masquerading of what the pools' addresses send, on the way out of net.outside, or of any interface but `own`. */
void network_ruleset(const struct config *config, const char *own, char out[static RULESET_MAX]);
enum err network_up(struct gateway *gateway, char why[static AAA_WHY_MAX]);
/* Removes what would outlive the gateway; by a process that has kept the rights for it. */
void network_down(void *ctx);

/* question.c: what the user of this event is asked, which the service thread knows. */
void post_question(struct shard *shard, const struct stack_event *event);

/* files.c: gives what the gateway will write to the user it becomes */
enum err hand_over_files(const struct gateway *gateway);

/* relay.c: what shards tell and the service answers */
void relay_events(void *ctx, usec_t now); /* ctx: shard; on its thread */
uint64_t session_id(const struct gateway *gateway, uint8_t shard, uint32_t session);
/* A session's key in aaa: unique over all shards and for the gateway's life. */
uint64_t lease_key(const struct shard *shard, uint64_t session_key);
/* Ends the sessions of users who may not be here any more, on the service thread: after every change of users, and when
 * somebody's time is over. When it has to be done next. */
usec_t gateway_show_out(struct gateway *gateway);

#endif
