/*
 * The parts of aaa: store.c is the SQLite file, key.c its sealing key, throttle.c the count of failed logins, lease.c
 * who holds which address; aaa.c and user.c put them together.
 */
#ifndef SEKISHO_AAA_INTERNAL_H
#define SEKISHO_AAA_INTERNAL_H

#include "aaa/aaa.h"

#define AAA_STATION_MAX 48 /* bytes with NUL */

/* Writes a sentence and returns result. */
enum err aaa_why(char why[static AAA_WHY_MAX], enum err result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- names ---- */

/* Equal but for the case of ASCII letters. */
bool name_equal(const char *a, const char *b);
/* Lower case of ASCII letters; returns out. */
const char *name_fold(const char *name, char out[static AAA_NAME_MAX]);
/* The parts of a name as sent that a client may have put into its MS-CHAPv2 hash, in order, views into it. */
size_t name_hashed_forms(const char *sent, struct view out[static AAA_FORMS_MAX]);

/* ---- the count of failed logins ---- */

#define THROTTLE_SLOTS 4096 /* names and sources that are remembered */

struct throttle_slot {
    uint64_t key; /* 0: free */
    uint32_t failures;
    usec_t last, until;
};

struct throttle {
    uint64_t seed; /* so that nobody can aim at a slot */
    struct throttle_slot slot[THROTTLE_SLOTS];
};

void throttle_init(struct throttle *t, uint64_t seed);
/* Whether logins under this name, or under it from this address, must wait. */
bool throttle_blocked(struct throttle *t, const char *user, const struct ip_addr *peer, usec_t now);
void throttle_failed(struct throttle *t, const char *user, const struct ip_addr *peer, usec_t now);
void throttle_passed(struct throttle *t, const char *user, const struct ip_addr *peer);

/* ---- the store ---- */

struct store;

/* What a row holds beside the user: the sealed password and the address held last. */
struct store_row {
    struct aaa_user user;
    uint32_t last_address; /* 0: none */
    size_t sealed_n;
    uint8_t sealed[AAA_PASSWORD_MAX + SEAL_OVERHEAD];
};

enum err store_open(const char *path, struct store **out, char why[static AAA_WHY_MAX]);
void store_close(struct store *s); /* NULL-safe */
/* A sealed word that tells whether a key belongs to this file. n 0: none yet. */
enum err store_check_get(struct store *s, uint8_t *out, size_t cap, size_t *n);
enum err store_check_put(struct store *s, struct view sealed);
/* ERR_NOTFOUND, ERR_SYSTEM. */
enum err store_get(struct store *s, const char *name, struct store_row *out);
/* ERR_EXISTS: the name or the address. */
enum err store_add(struct store *s, const struct store_row *row);
enum err store_set(struct store *s, const struct aaa_user *user);
enum err store_password(struct store *s, const char *name, struct view sealed);
enum err store_seen(struct store *s, const char *name, int64_t wall, uint32_t address);
enum err store_del(struct store *s, const char *name);
enum err store_each(struct store *s, bool (*each)(void *ctx, const struct store_row *row), void *ctx);
/* Whose fixed address this is: "" for nobody's. */
enum err store_owner(struct store *s, uint32_t address, char out[static AAA_NAME_MAX]);

/* ---- the sealing key ---- */

enum err key_read(const char *path, uint8_t key[static SEAL_KEY_SIZE], char why[static AAA_WHY_MAX]);
enum err key_make(const char *path, const struct random *rng, uint8_t key[static SEAL_KEY_SIZE],
                  char why[static AAA_WHY_MAX]);

/* ---- pools and leases ---- */

struct leases;

struct leases *leases_new(const struct config_pool *pools, size_t n); /* NULL: out of memory */
void leases_free(struct leases *l);
/* Takes new pools; leases stay. Reservations are gone and have to be made anew. ERR_NOMEM leaves all as it was. */
enum err leases_reconfigure(struct leases *l, const struct config_pool *pools, size_t n);
const struct config_pool *leases_pool_of(const struct leases *l, uint32_t address); /* NULL: in none */
/* The address that this user's device of this name holds; 0: none. "" is the name of no device. */
uint32_t leases_of_station(const struct leases *l, const char *user, const char *station);
/* The lease of this session is that device's from now on. */
void leases_note_station(struct leases *l, uint64_t session, const char *station);
void leases_reserve(struct leases *l, uint32_t address);
void leases_unreserve(struct leases *l, uint32_t address);
/* fixed 0: any address, preferred first. replaced: the user's own session that held the fixed address until now, or
 * 0. ERR_LIMIT: no address is left; ERR_EXISTS: another user holds it; ERR_NOTFOUND: it is in no pool; ERR_STATE: the
 * session has a lease; ERR_NOMEM. */
enum err leases_take(struct leases *l, uint64_t session, const char *user, uint32_t fixed, uint32_t preferred,
                     uint32_t *address, uint64_t *replaced);
void leases_release(struct leases *l, uint64_t session);
uint32_t leases_of_user(const struct leases *l, const char *user);
/* Whether the user holds this address now. */
bool leases_held_by(const struct leases *l, const char *user, uint32_t address);
void leases_usage(const struct leases *l, uint32_t *size, uint32_t *used);

/* ---- all of it ---- */

#define AAA_NOBODY_SIZE 16

struct aaa {
    struct store *store;
    struct leases *leases;
    struct random random;
    uint32_t sessions_per_user;
    uint64_t accepted, refused;
    uint8_t key[SEAL_KEY_SIZE];
    uint8_t nobody[SEAL_OVERHEAD + AAA_NOBODY_SIZE]; /* a sealed password of no one, opened for unknown names */
    struct throttle throttle;
};

#endif
