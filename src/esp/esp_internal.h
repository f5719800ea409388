/* What the files of esp share: the SA, its table and its replay window. */
#ifndef SEKISHO_ESP_INTERNAL_H
#define SEKISHO_ESP_INTERNAL_H

#include <sys/queue.h>

#include "esp/esp.h"

#define ESP_HEADER       8 /* SPI and sequence number */
#define ESP_TRAILER      2 /* pad length and next header */
#define ESP_IV_MAX       16
#define ESP_SPI_MIN      256         /* those below are reserved (RFC 4303 section 2.1) */
#define SEQUENCE_SOFT    0xf0000000u /* from here on an outbound SA asks to be replaced */
#define NEXT_HEADER_UDP  17
#define NEXT_HEADER_NONE 59 /* a dummy packet (RFC 4303 section 2.6) */

/* ---- replay window ---- */

/* RFC 6479: a ring of words, so that moving the window clears words and shifts nothing. One word more than the window
 * needs, since both of its ends may lie inside of one. */
#define REPLAY_WORD  64
#define REPLAY_WORDS (ESP_REPLAY_WINDOW / REPLAY_WORD + 1)

struct replay {
    uint32_t top; /* the highest number seen; 0 before any */
    uint64_t seen[REPLAY_WORDS];
};

/* Whether a number is new and not left of the window. */
bool replay_fresh(const struct replay *r, uint32_t sequence);
/* The same, and the number counts as seen from now on. */
bool replay_commit(struct replay *r, uint32_t sequence);

/* ---- security associations ---- */

struct sa {
    uint32_t name; /* its inbound SPI or outbound handle; 0 while the slot is free */
    uint32_t owner;
    struct engine_key *key; /* NULL while only reserved */
    uint8_t iv, block, icv; /* sizes, of the transform in use; a block is a power of two */
    bool inbound, gcm;
    bool soft, hard;           /* limits crossed */
    bool tell_soft, tell_hard; /* and not yet told */
    /* SHA-256 until its ICV length is certain: the same keys with the other truncation. */
    bool icv_known; /* inbound: the one in use has been seen authenticated */
    uint8_t other_icv;
    struct engine_key *other;
    uint64_t packets, bytes;
    struct esp_life life;
    union {
        struct {
            uint64_t replayed, bad_icv;
            uint32_t follower; /* the outbound twin's handle; 0 for none */
            struct replay replay;
        } in;
        struct {
            uint32_t spi, sequence;
        } out;
    };
    TAILQ_ENTRY(sa) expiring;
    uint32_t past;      /* the slot's last name: not given again at once */
    uint32_t next_free; /* slot + 1 */
};

TAILQ_HEAD(sa_queue, sa);

/* Slots in pages made on demand. A name is random bits, slot, low bits; it is compared whole. */
struct sa_table {
    struct sa **pages;
    uint32_t limit; /* slots at most */
    uint32_t fresh; /* slots ever used */
    uint32_t free;  /* slot + 1 of the first free one among them; 0 for none */
    uint8_t slot_bits, low_bits;
    uint32_t low;
};

/* False when the names have too few bits for so many slots, or out of memory. */
bool sa_table_init(struct sa_table *t, uint32_t limit, uint32_t low, uint8_t low_bits);
/* All SAs must have been released. */
void sa_table_done(struct sa_table *t);
/* A cleared SA with a name of its own, or NULL when the table or memory is full. */
struct sa *sa_table_reserve(struct sa_table *t, const struct random *rng);
struct sa *sa_table_find(const struct sa_table *t, uint32_t name);
void sa_table_release(struct sa_table *t, struct sa *sa);
/* The SA in the first used slot from *slot on, which is moved behind it; NULL behind the last. */
struct sa *sa_table_next(const struct sa_table *t, uint32_t *slot);

/* One packet of a burst on its way through the engine. */
struct work {
    struct sa *sa;
    uint32_t packet; /* index */
    uint32_t text_len;
    uint8_t icv;
};

struct esp {
    struct random rng;
    struct engine *engine;
    struct iv_stream *ivs;
    struct sa_table inbound, outbound;
    struct sa_queue expiring;
    struct engine_job jobs[BURST_MAX];
    struct work works[BURST_MAX];
};

enum err sa_install(struct esp *esp, struct sa *sa, const struct esp_sa_config *config);
void sa_uninstall(struct esp *esp, struct sa *sa);
/* Puts the SA on the truncation of SHA-256 that has icv bytes. The longer one is for good: who sends 128 bits never
 * sends 96, but anyone can cut 128 to 96, so that 96 may have been a forgery. */
void sa_use_icv(struct esp *esp, struct sa *sa, uint8_t icv);
/* Counts a packet and sees to the limits. */
void sa_count(struct esp *esp, struct sa *sa, uint32_t text_len);
void sa_expire(struct esp *esp, struct sa *sa, bool hard);

#endif
