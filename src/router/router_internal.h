/*
 * What the files of the router share. One process, one loop: packets that the kernel does not know come in by nflog,
 * the tracker judges them, what passes leaves by a raw socket; what is certain goes into the maps of the kernel's
 * table, and the kernel forwards it from then on. Addresses are IPv4 in host order, as in the tracker.
 */
#ifndef SEKISHO_ROUTER_INTERNAL_H
#define SEKISHO_ROUTER_INTERNAL_H

#include "control/control.h"
#include "tracker/tracker.h"

#define ROUTER_TABLE          "sekisho_router"
#define ROUTER_DEFAULT_SOCKET "/run/sekisho/router.sock"
#define ROUTER_INSIDE_MAX     8
#define ROUTER_WHY            512 /* bytes of a sentence with NUL */
#define PATH_MAX_BYTES        128 /* of a socket, with NUL; the kernel takes 108 */

#define EXIT_OK    0
#define EXIT_OTHER 1
#define EXIT_USAGE 2
#define EXIT_DOWN  3 /* nothing answers on the control socket */

struct router_options {
    const char *inside[ROUTER_INSIDE_MAX];
    size_t inside_count;
    const char *outside;
    bool passthrough;
    const char *user;   /* whom to become; "root": stay root */
    const char *socket; /* of control */
    bool json;          /* the log */
};

/* Runs until SIGINT or SIGTERM; returns the exit status. */
int router_run(const struct router_options *options);
/* `sekisho-router status`: asks the one that listens on this socket and prints what it says. */
int status_print(const char *socket, bool json);

/* ---- drops ---- */

/* Every way a packet ends here: counted by the kernel, by this process, or (what only has a reason of the tracker's) by
 * both. */
enum router_drop {
#define DROP(name, word, sentence) ROUTER_DROP_##name,
#include "router/drops.def"
#undef DROP
    ROUTER_DROPS
};
const char *router_drop_word(enum router_drop d);
const char *router_drop_sentence(enum router_drop d);

/* ---- the table's text ---- */

/* The groups of nflog by which the kernel hands packets over. */
enum router_group {
    GROUP_OUT,   /* of inside hosts */
    GROUP_IN,    /* of servers */
    GROUP_ERROR, /* ICMP errors about either */
    GROUP_COUNT
};
#define GROUP_FIRST 4303       /* RFC 4303, 4304, 4305: nobody else's so far */
#define ROUTER_MARK 0x5e000001 /* of what we send ourselves; gone again behind our own chain */

#define RULESET_MAX 8192

/* Writes the rules that replace the table, whether it is there or not, in one transaction. outside_address: 0 for none
 * yet. False when it does not fit. */
bool ruleset_write(const struct router_options *options, uint32_t outside_address, char out[static RULESET_MAX]);
/* The same for the table at the devices, whose sets are empty: nothing takes the shortcut yet. */
bool ruleset_write_shortcut(const struct router_options *options, char out[static RULESET_MAX]);

/* ---- messages to the kernel's tables: written (batch.c) and read (dump.c) through libmnl ---- */

#define BATCH_SIZE 16384
#define KEY_WORDS  3 /* 32-bit words of a set's key at most */

/* One transaction being written. */
struct batch {
    _Alignas(8) uint8_t bytes[BATCH_SIZE];
    size_t n;
    uint32_t sequence;
    unsigned changes;
};

/* Two tables of one name. */
enum router_table {
    TABLE_RULES,    /* ip: all that there has to be */
    TABLE_SHORTCUT, /* netdev: at the devices */
    TABLES
};

/* A set of a table, or a map, which leads from a key to a word. */
struct element {
    const char *set;
    uint32_t key[KEY_WORDS];
    uint8_t words;
    bool has_data;
    uint32_t data;
    enum router_table table;
    bool end;      /* of an interval: the first key that is not in it */
    usec_t expiry; /* after so long it goes by itself; 0: never */
};

void batch_begin(struct batch *b);
/* False when it is full: then it is to be sent and begun anew. */
bool batch_add(struct batch *b, const struct element *e);
bool batch_delete(struct batch *b, const struct element *e);
bool batch_flush_set(struct batch *b, enum router_table table, const char *set);
bool batch_delete_table(struct batch *b, enum router_table table);
void batch_end(struct batch *b);

/* A request for all elements of a set, or (set NULL) all counters of the table; returns its length. */
size_t dump_request(uint8_t *out, size_t cap, enum router_table table, const char *set);

struct dump_element {
    uint32_t key[KEY_WORDS];
    uint8_t words;
    uint64_t packets, bytes;
};
struct dump_counter {
    char name[32];
    uint64_t packets, bytes;
};
struct dump_sink {
    void (*element)(void *ctx, const struct dump_element *e);
    void (*counter)(void *ctx, const struct dump_counter *c);
    void *ctx;
};
/* Reads one datagram of an answer. *over: it was the last. ERR_NOTFOUND: there is no such table or set; ERR_SYSTEM with
 * errno: the kernel's error. What is malformed is passed over. */
enum err dump_read(const uint8_t *datagram, size_t n, const struct dump_sink *sink, bool *over);

/* ---- nflog ---- */

/* Whether a whole netlink message lies here, with its padding, up to which libmnl reads attributes. libmnl by itself
 * takes a length above 2^31 for a small one. */
bool message_is_whole(const void *message, int left);

/* The message that binds a group, and the one that asks for whole packets at once, numbered. */
size_t nflog_bind_request(uint8_t *out, size_t cap, uint16_t group);
size_t nflog_mode_request(uint8_t *out, size_t cap, uint16_t group);

struct nflog_packet {
    uint8_t *p; /* the IP packet, within the datagram */
    size_t n;
    uint32_t sequence; /* counts the packets of a group; with gaps where packets were lost */
    bool numbered;
};
/* Takes the next packet out of a datagram; false at its end. */
bool nflog_next(uint8_t **datagram, size_t *n, struct nflog_packet *out);

/* ---- packets (pure) ---- */

/* Makes the UDP checksum good where the sender left that to hardware that was never passed (a virtual cable). False: it
 * is wrong, or the packet is not whole. */
bool packet_mend(uint8_t *p, size_t n);
void packet_set_source(uint8_t *p, size_t n, uint32_t address);
void packet_set_destination(uint8_t *p, size_t n, uint32_t address);
/* A router's step: false when the time to live is over. */
bool packet_hop(uint8_t *p, size_t n);

/* An ICMP error about a packet of ESP or of IKE. */
struct icmp_error {
    uint32_t source, destination; /* of the error */
    uint16_t quote;               /* where the quoted packet begins */
    uint32_t quoted_source, quoted_destination;
    bool ike, has_id;
    uint64_t id; /* SPI, or initiator cookie; has_id: enough was quoted */
};
enum err icmp_error_read(struct view packet, struct icmp_error *out);
/* Rewrites the error's addresses and those in the quotation; 0 leaves one as it is. All checksums are made good. */
void icmp_error_translate(uint8_t *p, size_t n, const struct icmp_error *e, uint32_t source, uint32_t destination,
                          uint32_t quoted_source, uint32_t quoted_destination);

/* ---- flows: what passes, with its counts ---- */

struct flow_key {
    uint32_t way, ike; /* enum tracker_way; 0 or 1: the key is compared as memory */
    uint32_t host;     /* OUT only */
    uint32_t server;
    uint64_t id; /* SPI, or initiator cookie */
};

struct flow; /* of uthash's making inside flows.c */
struct flows;

/* Where the kernel counts a packet of a flow that it has. */
enum flow_place { FLOW_BY_RULES, FLOW_BY_SHORTCUT, FLOW_PLACES };

struct flow_info {
    struct flow_key key;
    uint32_t host;
    bool in_kernel, shortcut;
    uint64_t packets, bytes; /* by the kernel and by us */
    uint64_t by_rules;       /* packets by the kernel's rules between the last two readings */
};

struct flows *flows_new(size_t max);
void flows_free(struct flows *f);
/* A packet has passed by us. False: there is no room for another flow. */
bool flows_passed(struct flows *f, const struct flow_key *key, uint32_t host, uint64_t bytes);
/* Whether the kernel has it from now on. */
bool flows_set_kernel(struct flows *f, const struct flow_key *key, uint32_t host, bool in_kernel);
/* Whether it takes the shortcut from now on; only what the kernel has does. */
void flows_set_shortcut(struct flows *f, const struct flow_key *key, bool shortcut);
/* The kernel's own counters of an element: returns how many packets are new. */
uint64_t flows_counted(struct flows *f, const struct flow_key *key, enum flow_place place, uint64_t packets,
                       uint64_t bytes);
bool flows_find(const struct flows *f, const struct flow_key *key, struct flow_info *out);
/* The host that a packet quoted in an error belongs to: by server and SPI or cookie, whatever the host. False:
 * nobody's, or several. */
bool flows_owner(const struct flows *f, enum tracker_way way, bool ike, uint32_t server, bool has_id, uint64_t id,
                 uint32_t *host);
void flows_each(const struct flows *f, void (*act)(void *ctx, const struct flow_info *flow), void *ctx);
/* Forgets those that keep() does not want. */
void flows_sweep(struct flows *f, bool (*keep)(void *ctx, const struct flow_info *flow), void *ctx);

/* ---- the kernel's side: netlink sockets and raw sockets ---- */

struct kernel;

/* Opens everything that takes rights. why: the rest of a sentence on failure. */
struct kernel *kernel_open(const struct router_options *options, char why[static ROUTER_WHY]);
void kernel_close(struct kernel *k);
int kernel_group_fd(const struct kernel *k, enum router_group group);
/* One datagram of nflog into the kernel's own buffer, borrowed until the next read. 0: nothing there; -1: the kernel
 * had no room and packets were lost. */
ssize_t kernel_read_group(struct kernel *k, enum router_group group, uint8_t **datagram);
/* Sends a transaction. ERR_NOTFOUND: table, set or element is not there; ERR_EXISTS; ERR_SYSTEM with errno. */
enum err kernel_commit(struct kernel *k, struct batch *b);
enum err kernel_dump(struct kernel *k, enum router_table table, const char *set, const struct dump_sink *sink);
/* Sends an IP packet as it is, in pieces where it is too large for the link and may be cut. ERR_LIMIT: too large and
 * may not; *mtu then. */
enum err kernel_send(struct kernel *k, enum tracker_way way, struct view packet, uint16_t *mtu);

/* ---- bindings in a file (saved.c; no file is touched there) ---- */

#define SAVED_ENTRIES 16384
#define SAVED_SIZE    (1u << 20) /* the place of one copy, in bytes */

struct saved_head {
    uint32_t outside;
    uint64_t generation; /* the copy with the higher one is newer */
    uint64_t boot;       /* of the system: by its clock are the times */
};

struct saved_writer {
    struct writer w;
    uint16_t entries;
};

/* Bytes of a copy. */
size_t saved_size(size_t entries);
void saved_begin(struct saved_writer *s, uint8_t *out, size_t cap, const struct saved_head *head);
/* False: it is full. */
bool saved_add(struct saved_writer *s, const struct tracker_binding_info *binding);
/* The whole copy, in out. */
struct view saved_end(struct saved_writer *s);
/* False: no copy of ours, or damaged. Entries are borrowed from it. */
bool saved_open(struct view copy, struct saved_head *head, struct reader *entries);
/* False at the end, or (the reader has failed) at an entry that means nothing. */
bool saved_next(struct reader *entries, struct tracker_binding_info *out);

enum router_restore {
#define RESTORE(name, word, sentence) ROUTER_RESTORE_##name,
#include "router/restores.def"
#undef RESTORE
    ROUTER_RESTORES
};
const char *router_restore_word(enum router_restore r);
const char *router_restore_sentence(enum router_restore r);

/* ---- the log ---- */

struct log_line {
    const char *level, *type; /* "info", "bound" */
    const char *way;          /* "out", "in", or NULL */
    bool ike;
    uint32_t host, before, server; /* 0: none */
    uint64_t id;                   /* SPI or cookie; 0: none */
    const char *cause;             /* a drop's word, or NULL */
    const char *text;
};
enum log_form { LOG_TEXT, LOG_JSON, LOG_JOURNAL };
void log_write(enum log_form form, const struct log_line *line);
/* For the subscribers of the control socket; ctl_line_free(). */
char *log_event_line(const struct log_line *line);

/* ---- the router ---- */

struct slot {
    uint8_t *p; /* owned while the tracker holds the packet, otherwise within the datagram */
    size_t n;
    struct tracker_packet facts;
    bool used, owned;
};

struct way; /* of uthash's making inside shortcut.c */

struct shortcut {
    bool there; /* its table is */
    struct way *ways;
    uint32_t devices[ROUTER_INSIDE_MAX + 1]; /* indexes of the inside ones and the outside one, 0: not there or down */
    uint32_t mtu;                            /* the smallest of theirs */
    usec_t empty_at;                         /* when all have to pass the rules again */
};

struct router {
    const struct router_options *options;
    struct loop *loop;
    struct kernel *kernel;
    struct control *control;
    struct tracker *tracker; /* NULL without passthrough */
    struct flows *flows;
    struct slot *slots;
    uint32_t slot_count, slot_hint;
    uint32_t *servers; /* those in the kernel's set */
    size_t server_count, server_cap;
    struct batch batch;
    struct shortcut shortcut;
    uint32_t address; /* the outside one; 0: none now */
    int signals, monitor;
    usec_t started;
    int64_t started_wall;
    bool journal;                        /* takes what is logged */
    usec_t count_at, look_at, resync_at; /* when to read the counters; look at the address; write the maps anew */
    int state;                           /* the file of bindings, or -1 */
    uint64_t boot, generation;
    usec_t save_at;
    bool save_failed;
    uint32_t sequence[GROUP_COUNT];
    bool numbered[GROUP_COUNT];
    uint64_t drops[ROUTER_DROPS]; /* ours */
    uint64_t kernel_drops[ROUTER_DROPS];
    uint64_t reasons[TRACKER_REASONS];
    uint64_t packets[2], bytes[2]; /* by way: through us and the kernel */
    int listeners;
    int status;
};

/* learn.c */
void learn_ready(struct router *r, enum router_group group);
/* Timeouts, moves and events; then whatever is to be told to the kernel. */
void learn_turn(struct router *r, usec_t now);
bool learn_init(struct router *r);
void learn_done(struct router *r);

/* binding.c: the kernel's sets and maps, as the tracker wants them */
void binding_event(struct router *r, const struct tracker_event *event);
/* The server's packets are worth a look from now on; told to the kernel before anything is sent to it. */
void binding_server(struct router *r, uint32_t server);
void binding_commit(struct router *r);
void binding_resync(struct router *r);
/* Adds to the transaction of this turn; when that is full it is sent first. */
void binding_put(struct router *r, bool (*change)(struct batch *b, const struct element *e), const struct element *e);
/* How a table's map names this flow; host: OUT only by its key. */
struct element binding_element(const struct router *r, enum router_table table, const struct flow_key *key,
                               uint32_t host);
/* Reads counters: what is in use stays young. ERR_NOTFOUND: somebody has removed our table. */
enum err binding_count(struct router *r);
/* Those of the shortcut alone. */
enum err binding_count_shortcut(struct router *r);
void binding_sweep(struct router *r);

/* restart.c: bindings outlive the process */
void restart_open(struct router *r);
void restart_restore(struct router *r);
void restart_soon(struct router *r);
void restart_save(struct router *r);

/* shortcut.c: past the rules, at the devices */

/* Sets up its table, or says why the router does without. */
void shortcut_set_up(struct router *r);
/* Takes in what the rules have let pass since the last count. */
void shortcut_fill(struct router *r);
void shortcut_leave(struct router *r, const struct flow_info *flow);
/* All pass the rules again, and are taken in again as they do. */
void shortcut_empty(struct router *r);
/* Something about the network has changed. */
void shortcut_look(struct router *r, bool routes);
void shortcut_done(struct router *r);

/* address.c */
bool address_of(const char *iface, uint32_t *out);
/* By which of these devices the kernel reaches a host; 0: by none of them. */
uint32_t address_device(const uint32_t *devices, size_t n, uint32_t host);
void address_look(struct router *r);

/* answer.c */
char *router_answer(void *ctx, const struct ctl_request *request, struct control_asked *asked);

/* router.c */
void router_tell(struct router *r, const struct log_line *line);
void router_say(struct router *r, const char *level, const char *type, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
