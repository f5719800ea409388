/*
 * The parts of aaa: store.c is the SQLite file, key.c its sealing key, throttle.c the count of failed logins, lease.c
 * who holds which address; aaa.c and user.c put them together.
 */
#ifndef SEKISHO_AAA_INTERNAL_H
#define SEKISHO_AAA_INTERNAL_H

#include "aaa/aaa.h"

#define AAA_STATION_MAX 48 /* bytes with NUL */

/* Writes a sentence and returns result. */
enum err aaa_why(struct aaa_why *why, enum err result, const char *word, const char *text, ...)
    __attribute__((format(printf, 4, 5)));

#define TELL(name, word, text) TELL_DEFINE(name, word, text)
#include "aaa/told.def"
#undef TELL

/* ---- names ---- */

/* Lower case of ASCII letters; returns out. */
const char *name_fold(const char *name, char out[static AAA_NAME_MAX]);
/* The parts of a name as sent that a client may have put into its MS-CHAPv2 hash, in order, views into it. */
size_t name_hashed_forms(const char *sent, struct view out[static AAA_FORMS_MAX]);
/* Without DOMAIN\\ and @domain, cut where it is too long. */
void name_plain(const char *sent, char out[static AAA_NAME_MAX]);

/* ---- the count of failed logins ---- */

#define THROTTLE_SLOTS 4096 /* names and sources that are remembered */

struct throttle_slot {
    uint64_t key; /* 0: free */
    uint32_t failures;
    usec_t last, until;
    usec_t good; /* when a login from there was accepted last; 0: never */
};

struct throttle {
    uint64_t seed;     /* so that nobody can aim at a slot */
    usec_t since;      /* when the count of the whole gateway began */
    uint32_t failures; /* under all names, since then */
    struct throttle_slot slot[THROTTLE_SLOTS];
};

void throttle_init(struct throttle *t, uint64_t seed);
/* Whether logins under this name, or under it from this address, must wait. */
bool throttle_blocked(struct throttle *t, const char *user, const struct ip_addr *peer, usec_t now);
/* Whether the next login under this name from this address has to wait. */
bool throttle_failed(struct throttle *t, const char *user, const struct ip_addr *peer, usec_t now);
void throttle_passed(struct throttle *t, const char *user, const struct ip_addr *peer, usec_t now);
void throttle_forgive(struct throttle *t, const char *user); /* the name; addresses still wait */

/* ---- the store ---- */

struct store;

/* What a row holds beside the user: the sealed password, the address held last, and what the group gives. */
struct store_row {
    int64_t id; /* in the store; set when it is read */
    struct aaa_user user;
    struct aaa_group group; /* "" and 0 for a user in none; name, enabled, note and users are not set */
    uint32_t last_address;  /* 0: none */
    size_t sealed_n;
    uint8_t sealed[AAA_PASSWORD_MAX + SEAL_OVERHEAD];
    size_t pattern_n; /* 0: none */
    uint8_t pattern[GRID_BLOB_MAX + SEAL_OVERHEAD];
    size_t totp_n; /* 0: none; user.totp: it was confirmed */
    uint8_t totp[TOTP_SECRET_SIZE + SEAL_OVERHEAD];
    uint64_t totp_step; /* the last that was used */
};

enum err store_open(const char *path, struct store **out, struct aaa_why *why);
void store_close(struct store *s); /* NULL-safe */
/* A sealed word that tells whether a key belongs to this file. n 0: none yet. */
enum err store_check_get(struct store *s, uint8_t *out, size_t cap, size_t *n);
enum err store_check_put(struct store *s, struct view sealed);
/* ERR_NOTFOUND, ERR_SYSTEM. */
enum err store_get(struct store *s, const char *name, struct store_row *out);
/* The same in two steps. */
enum err store_find(struct store *s, const char *name, int64_t *id);
enum err store_read(struct store *s, int64_t id, struct store_row *out);
/* ERR_EXISTS: the name or the address. */
enum err store_add(struct store *s, const struct store_row *row);
enum err store_set(struct store *s, const struct aaa_user *user);
enum err store_password(struct store *s, const char *name, struct view sealed);
enum err store_seen(struct store *s, const char *name, int64_t wall, uint32_t address);
enum err store_del(struct store *s, const char *name);
enum err store_each(struct store *s, bool (*each)(void *ctx, struct store_row *row), void *ctx);
/* Whose fixed address this is: "" for nobody's. */
enum err store_owner(struct store *s, uint32_t address, char out[static AAA_NAME_MAX]);
/* The first end of a user after that time; 0: none. */
enum err store_next_expiry(struct store *s, int64_t after, int64_t *out);

/* ERR_SYSTEM: the file is damaged, or cannot be read. */
enum err store_quick_check(struct store *s);
/* What stands between them happens whole or not at all: store_end() takes the result so far and gives the last one. */
enum err store_begin(struct store *s);
enum err store_end(struct store *s, enum err result);

enum err store_group_get(struct store *s, const char *name, struct aaa_group *out);
enum err store_group_add(struct store *s, const struct aaa_group *group);
enum err store_group_set(struct store *s, const struct aaa_group *group);
enum err store_group_del(struct store *s, const char *name); /* ERR_EXISTS: users are in it */
enum err store_group_each(struct store *s, bool (*each)(void *ctx, const struct aaa_group *group), void *ctx);

enum err store_invite_add(struct store *s, const struct aaa_invite *invite, struct view hash);
enum err store_invite_get(struct store *s, struct view hash, int64_t wall, struct aaa_invite *out);
enum err store_invite_del(struct store *s, uint32_t id);
enum err store_invite_del_user(struct store *s, const char *name);
enum err store_invite_del_old(struct store *s, int64_t wall);
enum err store_invite_each(struct store *s, int64_t wall, bool (*each)(void *ctx, const struct aaa_invite *invite),
                           void *ctx);

enum err store_token_add(struct store *s, const struct aaa_token *token, struct view hash);
enum err store_token_get(struct store *s, struct view hash, int64_t wall, struct aaa_token *out);
enum err store_token_used(struct store *s, struct view hash, int64_t wall);
enum err store_token_del(struct store *s, const char *name);
enum err store_token_each(struct store *s, bool (*each)(void *ctx, const struct aaa_token *token), void *ctx);

struct store_admin {
    struct aaa_admin admin;
    uint8_t salt[ARGON2_SALT_SIZE], hash[ARGON2_HASH_SIZE];
    uint8_t totp[TOTP_SECRET_SIZE + SEAL_OVERHEAD]; /* sealed */
    uint64_t totp_step;                             /* of the last code that was taken */
};

enum err store_admin_get(struct store *s, const char *name, struct store_admin *out);
enum err store_admin_add(struct store *s, const struct store_admin *row);
enum err store_admin_password(struct store *s, const char *name, struct view salt, struct view hash);
enum err store_admin_totp(struct store *s, const char *name, struct view sealed);
/* ERR_NOTFOUND: a code of this step or a later one was taken. */
enum err store_admin_seen(struct store *s, const char *name, uint64_t step, int64_t wall);
enum err store_admin_del(struct store *s, const char *name);
enum err store_admin_each(struct store *s, bool (*each)(void *ctx, struct store_admin *row), void *ctx);

/* ---- tokens ---- */

#define TOKEN_BYTES 20 /* of randomness; written as 32 letters and digits */

/* Draws a token, behind a prefix. */
void token_draw(const struct random *rng, const char *prefix, char text[static AAA_TOKEN_MAX]);
/* What the store has of it. The randomness is in the token: a plain hash cannot be searched. */
enum err token_hash(const char *text, uint8_t out[static HASH_SIZE_MAX]);
/* An empty pattern or secret takes away what there was. */
enum err store_pattern(struct store *s, const char *name, struct view sealed, bool phrase);
enum err store_totp(struct store *s, const char *name, struct view sealed, bool confirmed);
enum err store_totp_step(struct store *s, const char *name, uint64_t step); /* ERR_NOTFOUND: it was used, or a later */
enum err store_grid_used(struct store *s, const char *name, bool strange);
enum err store_lock(struct store *s, const char *name, int64_t wall); /* 0: not any more */
/* place is a keyed hash of a network. */
uint32_t store_place_logins(struct store *s, const char *name, uint64_t place);
enum err store_place_note(struct store *s, const char *name, uint64_t place, int64_t wall);

/* ---- the grids that are open ---- */

#define DESK_SLOTS 4096
#define DESK_OPEN  3               /* true grids of one user: each multiplies the luck of a blind guess */
#define DESK_READ  (DESK_OPEN + 1) /* that a login may be read from: one was shown in band, to its session alone */

struct opening {
    uint8_t id[GRID_ID_SIZE];
    uint64_t user, source; /* keyed hashes; user 0: free */
    uint64_t session;      /* shown in band to this session alone; 0: fetched */
    usec_t until;
    int64_t expires; /* the same in seconds since 1970 */
    uint8_t number;
    bool decoy; /* opens nothing */
    bool known; /* fetched by somebody who had proved something */
    bool burnt;
};

struct desk_visit {
    uint64_t user, source, session;
    usec_t now, life;
    int64_t wall;
    uint32_t quota; /* grids an hour for the source */
    bool known, decoy;
};

struct desk;

struct desk *desk_new(const uint8_t key[static GRID_KEY_SIZE]); /* NULL: out of memory */
void desk_free(struct desk *d);                                 /* NULL-safe; wipes */
/* The same grid for the same visit while it is open. Borrowed until the next call. NULL: the source has had its share,
 * or the desk is full. */
const struct opening *desk_take(struct desk *d, const struct desk_visit *visit, const struct random *rng);
/* The places of the grids that a login of this user may use. session: which has seen one in band; 0: none. bound: only
 * those that its source fetched. */
size_t desk_open_to(const struct desk *d, uint64_t user, uint64_t source, uint64_t session, bool bound, usec_t now,
                    uint16_t out[static DESK_READ]);
const struct opening *desk_at(const struct desk *d, uint16_t place);
bool desk_had(const struct desk *d, uint64_t user, usec_t now); /* a grid not long ago, used or over by now */
void desk_burn(struct desk *d, uint16_t place);
/* What this source has fetched, and what was shown to this session. */
void desk_burn_visit(struct desk *d, uint64_t user, uint64_t source, uint64_t session);
/* The session is over. 0 is none: what was fetched stays. */
void desk_close(struct desk *d, uint64_t session);

/* ---- coming back ---- */

#define TICKET_TEXT_MAX (AAA_PASSWORD_MAX + 16)

struct tickets;

struct tickets *tickets_new(void); /* NULL: out of memory */
void tickets_free(struct tickets *t);
void tickets_issue(struct tickets *t, uint64_t user, uint64_t source, const char *station, uint64_t session,
                   struct view text, usec_t now);
/* The place of the newest that this device may use, with its text, borrowed until the next call; -1: none. */
int tickets_find(struct tickets *t, uint64_t user, uint64_t source, const char *station, usec_t now, usec_t grace,
                 usec_t longest, struct view *text);
void tickets_move(struct tickets *t, int place, uint64_t session);
void tickets_lost(struct tickets *t, uint64_t session, usec_t now);
void tickets_forget(struct tickets *t, uint64_t user);

/* ---- many sources against one name ---- */

#define SIEGES        256
#define SIEGE_SOURCES 32

struct siege {
    uint64_t user;
    uint64_t source[SIEGE_SOURCES];
    size_t n;
    usec_t last;
};

struct sieges {
    struct siege siege[SIEGES];
};

/* Counts this source, once; returns how many there are. */
size_t sieges_count(struct sieges *s, uint64_t user, uint64_t source, usec_t now);
void sieges_lift(struct sieges *s, uint64_t user);

/* ---- the sealing key ---- */

enum err key_read(const char *path, uint8_t key[static SEAL_KEY_SIZE], struct aaa_why *why);
enum err key_make(const char *path, const struct random *rng, uint8_t key[static SEAL_KEY_SIZE], struct aaa_why *why);

/* ---- pools and leases ---- */

struct leases;

struct leases *leases_new(const struct config_pool *pools, size_t n); /* NULL: out of memory */
void leases_free(struct leases *l);
/* Takes new pools; leases stay. Reservations are gone and have to be made anew. ERR_NOMEM leaves all as it was. */
enum err leases_reconfigure(struct leases *l, const struct config_pool *pools, size_t n);
const struct config_pool *leases_pool_of(const struct leases *l, uint32_t address); /* NULL: in none */
/* The address that this user's device of this name holds; 0: none. "" is the name of no device. */
uint32_t leases_of_station(const struct leases *l, const char *user, const char *station);
/* Ends the lease of this user's device of this name, which has come anew: the session that had it; 0: there is none. */
uint64_t leases_leave_station(struct leases *l, const char *user, const char *station);
/* The lease of this session is that device's from now on. */
void leases_note_station(struct leases *l, uint64_t session, const char *station);
void leases_reserve(struct leases *l, uint32_t address);
void leases_unreserve(struct leases *l, uint32_t address);
/* fixed 0: any address of the pool of that name ("": of all pools), preferred first. replaced: the user's own session
 * that held the fixed address until now, or 0. ERR_LIMIT: no address is left; ERR_EXISTS: another user holds it;
 * ERR_NOTFOUND: it is in no pool; ERR_STATE: the session has a lease; ERR_NOMEM. */
enum err leases_take(struct leases *l, uint64_t session, const char *user, uint32_t fixed, const char *pool,
                     uint32_t preferred, uint32_t *address, uint64_t *replaced);
void leases_release(struct leases *l, uint64_t session);
uint32_t leases_of_user(const struct leases *l, const char *user);
/* Whether the user holds this address now. */
bool leases_held_by(const struct leases *l, const char *user, uint32_t address);
void leases_usage(const struct leases *l, uint32_t *size, uint32_t *used);
/* Whose lease that is; NULL: nobody's. Borrowed until it ends. */
const char *leases_user_of(const struct leases *l, uint64_t session);
void leases_each(const struct leases *l, void (*each)(void *ctx, uint64_t session, const char *user), void *ctx);
bool leases_has_pool(const struct leases *l, const char *name);
void leases_pools(const struct leases *l,
                  void (*each)(void *ctx, const struct config_pool *pool, uint32_t size, uint32_t used,
                               uint32_t reserved),
                  void *ctx);

/* ---- a proof ---- */

#define AAA_CONTEXT_GRID "grid "
#define AAA_CONTEXT_TOTP "totp "
#define AAA_CONTEXT_MAX  (AAA_NAME_MAX + 8)
#define CHOICE_STEPS     3 /* of one-time codes: the last, this, the next */
#define CHOICES_MAX      (CHOICE_STEPS + 2 * CHOICE_STEPS * DESK_READ + 1)
#define CHOICE_TEXT_MAX  TICKET_TEXT_MAX

enum choice_kind { CHOICE_NONE, CHOICE_PASSWORD, CHOICE_GRID, CHOICE_TICKET };

struct choice {
    enum choice_kind kind;
    uint16_t place; /* of the grid */
    int ticket;
    uint64_t step; /* of the code in it; 0: none */
    size_t n;      /* 0: may not be typed */
    char text[CHOICE_TEXT_MAX];
};

/* One login on its way; zero before, wiped after. */
struct proving {
    struct store_row row;
    struct aaa_record record;
    const char *name;      /* as it stands in the store, or as sent */
    uint64_t user, source; /* keyed hashes */
    uint64_t asked;        /* likewise, of the name as sent without its domain: what grids are kept under */
    uint8_t password[AAA_PASSWORD_MAX];
    struct grid_secret secret;
    uint8_t totp[TOTP_SECRET_SIZE];
    struct choice choice[CHOICES_MAX];
    struct view text[CHOICES_MAX];
    size_t choices;
    size_t open;                /* grids that could be read */
    bool guessable;             /* something could be typed */
    const struct choice *spent; /* what was, when accepted; NULL: nothing that counts */
};

/* Finds the user and unseals what is kept; p->record.found tells whether there is one. Needs p even when it fails. */
enum err aaa_look_up(struct aaa *a, const char *sent, const struct ip_addr *source, struct proving *p);
void choices_make(const struct aaa *a, const struct aaa_request *r, struct proving *p);
enum cause aaa_prove(struct aaa *a, const struct aaa_request *r, struct proving *p, struct aaa_answer *answer);
void aaa_remember(struct aaa *a, const struct aaa_request *r, const struct proving *p);
void aaa_count_failure(struct aaa *a, const struct aaa_request *r, const struct proving *p);
/* ERR_NOTFOUND: there is none; ERR_AUTH, ERR_MALFORMED. */
enum err aaa_unseal_secret(const struct aaa *a, const struct store_row *row, struct grid_secret *out);
enum err aaa_unseal_totp(const struct aaa *a, const struct store_row *row, uint8_t out[static TOTP_SECRET_SIZE]);
/* What the user typed before opens nothing any more. */
void aaa_forget_tickets(struct aaa *a, const char *name);
uint64_t aaa_number_of_user(const struct aaa *a, const char *name);
/* The same for every spelling under which a user may be found; nothing is looked up. */
uint64_t aaa_number_of_asked(const struct aaa *a, const char *sent);
uint64_t aaa_number_of_source(const struct aaa *a, const struct ip_addr *source);
uint64_t aaa_number_of_place(const struct aaa *a, const struct ip_addr *source);
bool aaa_place_known(struct aaa *a, const char *name, const struct ip_addr *source);
bool aaa_device_known(const struct aaa *a, const struct proving *p, const char *text, int64_t wall);

/* ---- all of it ---- */

/* Write the stamps. */
void aaa_stamp_user(const struct aaa *a, struct store_row *row);
void aaa_stamp_admin(const struct aaa *a, struct store_admin *row);

#define ENROLMENTS 64 /* patterns that are being tried out */

struct enrolment {
    uint64_t user; /* keyed hash */
    usec_t until;
    struct grid_secret secret;
    uint8_t rounds, tries; /* left */
    uint8_t id[GRID_ID_SIZE];
};

struct aaa {
    struct store *store;
    struct leases *leases;
    struct random random;
    uint32_t sessions_per_user;
    uint64_t accepted, refused;
    uint8_t key[SEAL_KEY_SIZE];
    struct store_row nobody; /* of no one, with all that is sealed: unsealed for unknown names */
    int64_t read_last;       /* the row of somebody: read again for unknown names */
    struct throttle throttle;
    struct config_grid grid;
    struct grid_shape shape;
    uint8_t grid_key[GRID_KEY_SIZE]; /* made from key */
    struct grid_secret nobody_secret;
    struct desk *desk;
    struct tickets *tickets;
    struct sieges sieges;
    struct enrolment enrolment[ENROLMENTS];
};

#endif
