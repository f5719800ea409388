/*
 * The words every module speaks: errors, time, byte views, secrets, addresses, injected randomness,
 * timers, indexes, lists, and the verdict of a packet.
 *
 * base is the ground of the tree: it includes nothing of ours, does no I/O, reads no clock and
 * holds no mutable global.
 */
#ifndef SEKISHO_BASE_H
#define SEKISHO_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- errors ---- */

/* The outcome of fallible work: ERR_OK is 0, all others are negative. Outputs of a function that
 * failed are untouched unless its comment says otherwise. */
enum err {
    ERR_OK = 0,
#define ERR(name, value, sentence) ERR_##name = value,
#include "base/err.def"
#undef ERR
};

/* A short lower-case English phrase for an error; never NULL. */
const char *err_text(enum err e);

/* ---- what is told to people, in a form that can be told in other languages too ---- */

#define TOLD_WORD_MAX   40
#define TOLD_PLACE_MAX  416
#define TOLD_PARAMS_MAX 4
#define TOLD_PARAM_MAX  160

/* A sentence by its word in one of the lists told.def, TELL(name, word, text), whose text is a format of printf. */
struct telling {
    char word[TOLD_WORD_MAX];   /* "": there is none for it */
    char place[TOLD_PLACE_MAX]; /* what it is about in a file, "sekisho.conf:3: ike.policy"; "": not told */
    size_t count;
    char param[TOLD_PARAMS_MAX][TOLD_PARAM_MAX]; /* what stands in the text's holes, in order */
};

/* A module whose sentences these are includes its list with TELL(...) as TELL_DEFINE(...), and then gives word and text
 * as one argument, TOLD(name); so the compiler sees the text, and whether the values fit it. */
#define TELL_DEFINE(name, word, text)                                                                                  \
    __attribute__((unused)) static const char TOLD_WORD_##name[] = word;                                               \
    __attribute__((unused)) static const char TOLD_TEXT_##name[] = text;
#define TOLD(name) TOLD_WORD_##name, TOLD_TEXT_##name

/* Fills told and the sentence. Of conversions the text may have %s %.*s %c %d %u, the numbers with z, l or ll. */
void told_write(struct telling *told, char *sentence, size_t cap, const char *word, const char *text, va_list args)
    __attribute__((format(printf, 5, 0)));

/* ---- time ---- */

/* Microseconds on a monotonic clock whose origin is the caller's choice. Absolute unless a name says otherwise. */
typedef uint64_t usec_t;

#define USEC_NEVER UINT64_MAX
#define USEC_MSEC  ((usec_t)1000)
#define USEC_SEC   ((usec_t)1000000)

static inline usec_t usec_min(usec_t a, usec_t b)
{
    return a < b ? a : b;
}

/* ---- bytes ---- */

/* Borrowed, read-only bytes. p may be NULL only when n is 0. */
struct view {
    const uint8_t *p;
    size_t n;
};

#define VIEW(array) ((struct view){(array), sizeof(array)})
#define VIEW_NONE   ((struct view){NULL, 0})

static inline struct view view_of(const void *p, size_t n)
{
    return (struct view){(const uint8_t *)p, n};
}

/* The characters of a C string without its NUL. */
struct view view_str(const char *s);

bool view_equal(struct view a, struct view b);

/* Compares in time that depends on n alone. For everything an attacker could probe: MACs, hashes, passwords. */
bool bytes_equal_ct(const void *a, const void *b, size_t n);

/* Overwrites memory in a way the compiler may not remove. */
void bytes_wipe(void *p, size_t n);

/* FNV-1a: tells what is the same again from what is not, no more; who wants to can make another text that fits. */
uint64_t view_sum(struct view v);

/* Copies text for people: what is not printable ASCII becomes '?', what does not fit is cut. Always ends with NUL. */
void view_copy_text(char *out, size_t cap, struct view text);

/* ---- secrets ---- */

#define SECRET_MAX 512 /* bytes: the largest Diffie-Hellman value in use (MODP-4096) */

/* Key material held in place. Nothing in the project prints one; wiped by its owner with secret_wipe(). */
struct secret {
    uint16_t n;
    uint8_t p[SECRET_MAX];
};

/* Copies n bytes in. ERR_LIMIT when n exceeds SECRET_MAX. */
enum err secret_set(struct secret *s, struct view bytes);
void secret_wipe(struct secret *s);

static inline struct view secret_view(const struct secret *s)
{
    return (struct view){s->p, s->n};
}

/* ---- randomness, injected ---- */

/* A source of unpredictable bytes. Pure modules draw from what they are given and from nothing else,
 * so that a recorded seed repeats a run byte for byte. */
struct random {
    void (*fill)(void *ctx, uint8_t *out, size_t n);
    void *ctx;
};

static inline void random_fill(const struct random *r, void *out, size_t n)
{
    r->fill(r->ctx, (uint8_t *)out, n);
}

uint32_t random_u32(const struct random *r);
uint64_t random_u64(const struct random *r);

/* Uniform in [0, bound); bound must not be 0. */
uint32_t random_below(const struct random *r, uint32_t bound);

/* A small deterministic generator (xoshiro256**) for tests, simulation and fuzzing. Not for keys. */
struct random_test {
    uint64_t s[4];
};
void random_test_init(struct random_test *t, uint64_t seed);
void random_test_fill(void *ctx, uint8_t *out, size_t n);

/* ---- addresses ---- */

struct ip_addr {
    uint8_t family; /* 0 none, 4, 6 */
    uint8_t b[16];  /* network order; IPv4 in the first four bytes */
};

/* port is in host order. Port 0 on both ends of a path means raw ESP, IP protocol 50. */
struct endpoint {
    struct ip_addr addr;
    uint16_t port;
};

/* The way a datagram came or shall go, seen from this host. */
struct path {
    struct endpoint local;
    struct endpoint remote;
};

#define IKE_PORT      500
#define IKE_NATT_PORT 4500
#define L2TP_PORT     1701

/* Whether IKE on this path carries the non-ESP marker, and ESP may come in UDP (RFC 3948). A client's own port may be
 * any. */
static inline bool path_is_natt(const struct path *p)
{
    return p->local.port == IKE_NATT_PORT || (p->local.port != IKE_PORT && p->remote.port == IKE_NATT_PORT);
}

struct ip_addr ip4_addr(uint32_t host_order);
uint32_t ip4_value(const struct ip_addr *a); /* host order; 0 unless family is 4 */
static inline size_t ip_addr_size(const struct ip_addr *a)
{
    return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}
bool ip_equal(const struct ip_addr *a, const struct ip_addr *b);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
bool path_equal(const struct path *a, const struct path *b);

#define IP_TEXT_MAX       46 /* bytes with NUL */
#define ENDPOINT_TEXT_MAX 56

/* Writes "192.0.2.1" or "2001:db8::1" and returns out. */
const char *ip_text(const struct ip_addr *a, char out[static IP_TEXT_MAX]);
/* Writes "192.0.2.1:4500" or "[2001:db8::1]:4500" and returns out. */
const char *endpoint_text(const struct endpoint *e, char out[static ENDPOINT_TEXT_MAX]);
/* ERR_INVALID unless text is exactly one numeric IPv4 or IPv6 address. */
enum err ip_parse(const char *text, struct ip_addr *out);

/* ---- timers ---- */

/* An intrusive timer: embedded in its object, ordered by deadline in a heap that the machine owns.
 * A machine with many objects keeps one heap; its deadline is the heap's head. */
struct timer {
    usec_t at;      /* USEC_NEVER while not set */
    uint32_t place; /* 1-based place in the heap; 0 while not set */
};

struct timers {
    struct timer **heap; /* heap[0] unused */
    uint32_t n, cap;
};

void timers_done(struct timers *h);
/* Sets or moves a timer; USEC_NEVER clears it. ERR_NOMEM when the heap cannot grow. */
enum err timer_set(struct timers *h, struct timer *t, usec_t at);
/* Clearing never fails; harmless when t is not set. Must be done before t's memory goes. */
void timer_clear(struct timers *h, struct timer *t);
/* Removes and returns one timer that is due at now, or NULL. */
struct timer *timers_due(struct timers *h, usec_t now);
usec_t timers_deadline(const struct timers *h);

/* ---- what is found by a key, and what has an order ---- */

/* A hash table of objects that have a node embedded. It never grows: what it holds is limited by its owner. */
struct index_node {
    struct index_node *next;
    uint64_t key;
    bool linked;
};

struct index {
    struct index_node **buckets;
    uint32_t mask;
};

/* For about so many objects. ERR_NOMEM. Whoever chooses keys makes them fall together: mix a secret in, or limit how
 * many objects a stranger may have made. */
enum err index_init(struct index *t, uint32_t expected);
void index_done(struct index *t);
void index_add(struct index *t, struct index_node *n, uint64_t key);
void index_remove(struct index *t, struct index_node *n); /* harmless when it is in none */
/* The first node of this key, or the next one after prev. Where keys are digests, the caller compares what they stand
 * for. */
struct index_node *index_find(const struct index *t, uint64_t key, const struct index_node *prev);
/* A key of three numbers. */
uint64_t index_key(uint32_t a, uint32_t b, uint64_t c);

/* A list of objects that have a link embedded; its head is a link too. */
struct link {
    struct link *prev, *next;
};

void list_init(struct link *head);
void list_append(struct link *head, struct link *l);
void list_prepend(struct link *head, struct link *l);
void list_remove(struct link *l); /* harmless when it is in none */
static inline bool list_empty(const struct link *head)
{
    return head->next == head;
}

#define LIST_EACH(l, head) for (struct link *l = (head)->next; l != (head); l = l->next)
/* The one in hand may go. */
#define LIST_EACH_SAFE(l, head)                                                                                        \
    for (struct link *l = (head)->next, *after_##l = l->next; l != (head); l = after_##l, after_##l = l->next)

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define ARRAY_LEN(a)                    (sizeof(a) / sizeof((a)[0]))

/* ---- the verdict of a packet, and the words of a connection's story ---- */

/* What became of a packet. Zero: it is still on the road or has arrived. Every other value is at once a
 * counter, a log word and a line of `sekisho status`. */
enum drop {
    DROP_NONE = 0,
#define DROP(name, word, sentence) DROP_##name,
#include "base/drops.def"
#undef DROP
    DROP_COUNT
};
const char *drop_word(enum drop d);     /* "esp-replayed" */
const char *drop_sentence(enum drop d); /* for people */

/* The steps of a connection attempt, in order. */
enum stage {
#define STAGE(name, word, sentence) STAGE_##name,
#include "base/stages.def"
#undef STAGE
    STAGE_COUNT
};
const char *stage_word(enum stage s);
const char *stage_sentence(enum stage s);

/* Why an attempt stopped or a session ended, with the cure. */
enum cause {
    CAUSE_NONE = 0,
#define CAUSE(name, word, sentence, cure) CAUSE_##name,
#include "base/causes.def"
#undef CAUSE
    CAUSE_COUNT
};
const char *cause_word(enum cause c);
const char *cause_sentence(enum cause c);
const char *cause_cure(enum cause c);
/* The exit status of a client that failed for good with this cause: exits.def. */
int cause_exit_status(enum cause c);

/* What a token lets a program do. */
enum scope {
#define SCOPE(name, word, sentence) SCOPE_##name,
#include "base/scopes.def"
#undef SCOPE
    SCOPE_COUNT
};
const char *scope_word(enum scope s);
const char *scope_sentence(enum scope s); /* for people */

/* ---- a packet of a burst ---- */

/* One packet in a burst, a view into a buffer with room on both sides. Layers move data and len and
 * never copy. A function on a burst passes over packets whose verdict is not DROP_NONE. */
struct packet {
    uint8_t *data;
    uint32_t len;
    uint16_t headroom; /* bytes free before data */
    uint16_t tailroom; /* bytes free after data + len */
    uint16_t verdict;  /* enum drop */
    uint16_t protocol; /* once PPP is off: the PPP protocol number */
    uint32_t owner;    /* the SA, then the session, that this packet belongs to: a slot of its module */
    uint32_t origin;   /* index of the datagram it came in, for the path */
    bool newest;       /* none that its SA sealed later has come before it */
};

#define BURST_MAX 128 /* packets in one call to a burst function */

/* Takes n bytes off the front: the caller has checked that they are there. */
static inline void packet_pull(struct packet *p, uint32_t n)
{
    p->data += n;
    p->len -= n;
    p->headroom = (uint16_t)(p->headroom + n);
}

/* Opens n bytes at the front; false when there is no room, the packet then unchanged. */
static inline bool packet_push(struct packet *p, uint32_t n)
{
    if (p->headroom < n)
        return false;
    p->data -= n;
    p->len += n;
    p->headroom = (uint16_t)(p->headroom - n);
    return true;
}

#endif
