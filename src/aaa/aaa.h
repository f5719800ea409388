/*
 * Who may come in and what they get: the user store (SQLite), the judge of a login, and the address pools.
 *
 * One struct aaa belongs to one thread, the gateway's service thread: its store may block on a disk. The judge
 * (aaa_judge) and the pool (pool_*) are pure and are tested alone.
 */
#ifndef SEKISHO_AAA_H
#define SEKISHO_AAA_H

#include "config/config.h"
#include "crypto/crypto.h"
#include "grid/grid.h"

#define AAA_NAME_MAX     128 /* bytes of a user name with NUL */
#define AAA_PASSWORD_MAX 256 /* bytes; MS-CHAPv2 allows 256 characters */
#define AAA_WHY_MAX      256 /* bytes of a sentence about a failure */
#define AAA_NOTE_MAX     256 /* bytes of an administrator's words with NUL */

/* Why something was not done. */
struct aaa_why {
    char sentence[AAA_WHY_MAX];
    struct telling told; /* the same for other languages */
};

/* ---- a login ---- */

/* What the proof is, whether it came by itself or inside EAP. */
enum aaa_method {
    AAA_METHOD_NONE,
    AAA_METHOD_MSCHAPV2,
    AAA_METHOD_CHAP_MD5,
    AAA_METHOD_PAP,
    AAA_METHOD_CERTIFICATE, /* of this user, and good: PPP has seen to that */
};

/* What the peer offered as proof. All views are borrowed for the call. */
struct aaa_proof {
    enum aaa_method method;
    const char *user; /* as sent: may be DOMAIN\user or user@domain */
    uint8_t id;
    struct view password;       /* PAP */
    struct view challenge;      /* CHAP-MD5: ours; MS-CHAPv2: authenticator challenge, 16 bytes */
    struct view peer_challenge; /* MS-CHAPv2: 16 bytes */
    struct view response;       /* CHAP-MD5: 16 bytes; MS-CHAPv2: NT-Response, 24 bytes */
    const char *code;           /* of the only grid that it may be read from; NULL: of any that is open */
};

/* Session numbers are the caller's: unique among those that hold a lease, never 0. */
struct aaa_request {
    struct aaa_proof proof;
    struct ip_addr peer; /* outer address, for the count of failures */
    const char *station; /* what tells a device of this user from the others; NULL or "": nothing does */
    uint64_t session;
    int64_t wall; /* seconds since 1970, for expiry and last login */
    usec_t now;   /* monotonic, for the count of failures */
};

struct aaa_answer {
    bool accepted;
    enum cause cause;        /* when refused; for the story, never for the peer */
    bool again;              /* refused: something else may be typed in its place, for a name that does not exist too */
    char user[AAA_NAME_MAX]; /* the name as it stands in the store; "" when there is no such user */
    uint8_t authenticator_response[MSCHAP_AUTH_RESPONSE];             /* MS-CHAPv2, accepted */
    struct ip_addr address, gateway;                                  /* the peer's inner address, and ours */
    struct ip_addr dns[CONFIG_SERVERS_MAX], wins[CONFIG_SERVERS_MAX]; /* family 0: none */
    char pool[CONFIG_NAME_MAX];
    /* Accepted: this older session of the same user held the fixed address, or was the same device's, and has lost its
     * address, for its client is seen to have come anew. End it (CAUSE_REPLACED) before the new one carries data.
     * 0: none. */
    uint64_t replaces;
};

struct aaa;

struct aaa_config {
    const char *database;            /* made when it is not there */
    const char *key_file;            /* seals the passwords; made with mode 0600 when it is not there */
    const struct config_pool *pools; /* copied */
    size_t pool_count;
    uint32_t sessions_per_user; /* for users without a limit of their own; 0: none */
    struct random random;
    struct config_grid grid; /* enabled or not, its shape must be one that grid_shape_valid() takes */
};

/* ERR_SYSTEM, ERR_INVALID (key file, schema of another version), ERR_NOMEM; why says it in a sentence. */
enum err aaa_open(const struct aaa_config *config, struct aaa **out, struct aaa_why *why);
void aaa_close(struct aaa *aaa); /* NULL-safe; wipes */
/* Takes new pools and limits; database and key file stay. Sessions keep their addresses, even outside the new pools. */
enum err aaa_reconfigure(struct aaa *aaa, const struct aaa_config *config);

/* Judges the proof and leases an address to the session until aaa_logout(). */
void aaa_login(struct aaa *aaa, const struct aaa_request *request, struct aaa_answer *answer);
/* Ends the lease; harmless when there is none. */
void aaa_logout(struct aaa *aaa, uint64_t session, usec_t now);
/* Judges a proof for somebody who wants no address: the portal. The same judge, the same wait after failures, the same
 * work for a name that does not exist. Of the answer only accepted, cause and user are set; session is not looked at.
 */
void aaa_check(struct aaa *aaa, const struct aaa_request *request, struct aaa_answer *answer);

/* Whose lease this is, as it stands in the store; borrowed until the next call. NULL: nobody's. */
const char *aaa_session_user(const struct aaa *aaa, uint64_t session);
/* Tells every lease whose user may not be here any more: removed, disabled or expired, or of a disabled group. cause
 * says which. each must not log out. */
enum err aaa_unwelcome(struct aaa *aaa, int64_t wall, void (*each)(void *ctx, uint64_t session, enum cause cause),
                       void *ctx);
/* When the next user expires after wall, in seconds since 1970; 0: nobody will. */
int64_t aaa_next_expiry(struct aaa *aaa, int64_t wall);

/* Whether the store is whole and may be written. ERR_SYSTEM, with a sentence. */
enum err aaa_store_check(struct aaa *aaa, struct aaa_why *why);

struct aaa_usage {
    uint32_t size, used;        /* addresses of all pools */
    uint64_t accepted, refused; /* logins since start */
};
struct aaa_usage aaa_usage(const struct aaa *aaa);

/* ---- users ---- */

/* Names: 1..127 bytes without control characters, blanks, quotes, '/' and '\\'. Upper and lower case of ASCII letters
 * are one and the same; the spelling of the first entry is kept. */
/* A text that changes with whatever a user or an administrator logs in by, and with each new one of the same name. It
 * tells nothing else. */
#define AAA_STAMP_MAX BASE32_SIZE(16)

struct aaa_user {
    char name[AAA_NAME_MAX];
    bool enabled;
    struct ip_addr address;      /* fixed inner address; family 0: from the pool */
    uint32_t max_sessions;       /* 0: by configuration */
    int64_t expires;             /* seconds since 1970 from which logins are refused; 0: never */
    int64_t created;             /* set by aaa_user_add() */
    int64_t last_login;          /* 0: never */
    char group[CONFIG_NAME_MAX]; /* "": none */
    char note[AAA_NOTE_MAX];
    uint32_t sessions;         /* out: live ones */
    bool barred;               /* out: its group may not log in */
    char stamp[AAA_STAMP_MAX]; /* out: see below */
    /* Out, and changed by verbs of their own: */
    bool grid, phrase, totp;            /* has a pattern, a phrase with it, one-time codes */
    bool renew;                         /* a new pattern is due */
    int64_t locked;                     /* since when, in seconds since 1970; 0: not */
    uint32_t grid_logins, grid_exposed; /* logins by this pattern, and those of them from strange places */
    unsigned bits_left;                 /* of the pattern, for somebody who has seen these; 0: has none */
};

/* ERR_EXISTS (name or fixed address), ERR_INVALID (name, password, address in no pool, no such group), ERR_SYSTEM,
 * ERR_CRYPTO; why says it in a sentence. */
enum err aaa_user_add(struct aaa *aaa, const struct aaa_user *user, struct view password, int64_t wall,
                      struct aaa_why *why);
/* Writes enabled, address, max_sessions, expires, group and note of the user of that name. ERR_NOTFOUND and as above.
 */
enum err aaa_user_set(struct aaa *aaa, const struct aaa_user *user, struct aaa_why *why);
enum err aaa_user_password(struct aaa *aaa, const char *name, struct view password, struct aaa_why *why);
enum err aaa_user_del(struct aaa *aaa, const char *name, struct aaa_why *why);
enum err aaa_user_get(struct aaa *aaa, const char *name, struct aaa_user *out, struct aaa_why *why);
/* Why this user may not log in, with whatever proof; CAUSE_NONE: may. */
enum cause aaa_welcome(const struct aaa_user *user, int64_t wall);
/* Calls each for every user in order of name, until it returns false. */
enum err aaa_user_each(struct aaa *aaa, bool (*each)(void *ctx, const struct aaa_user *user), void *ctx,
                       struct aaa_why *why);

/* ---- grids and one-time codes ---- */

#define AAA_PRACTICE_ROUNDS 2   /* grids to read in a row before a new pattern counts */
#define AAA_URI_MAX         512 /* bytes of an otpauth:// URI with NUL */

struct aaa_grid {
    char code[GRID_CODE_SIZE];
    unsigned number; /* shown beside it; may be typed in front of the answer */
    struct grid_shape shape;
    char cells[GRID_CELLS_MAX + 1];
    int64_t expires; /* seconds since 1970 */
};

/* Who asks for a grid. */
struct aaa_visit {
    const char *user;
    struct ip_addr source;
    bool proved;        /* something, to whoever asks for them: a login of their own */
    const char *device; /* the text of a browser that is remembered, or of none; NULL: nothing was shown */
    uint64_t session;   /* the grid is shown to the user of this session alone; 0: to whoever fetches it */
    int64_t wall;
    usec_t now;
};

/* A grid for a login of this name, whether there is such a user or not: nothing in the answer, in the work, or in what
 * is answered later tells which. The same visitor gets the same grid while it is good. ERR_INVALID: grids are off;
 * ERR_LIMIT: the source has had its share; ERR_SYSTEM. */
enum err aaa_grid_show(struct aaa *aaa, const struct aaa_visit *visit, struct aaa_grid *out, struct aaa_why *why);

/* A text by which a browser of this user's is remembered, as if its visitor had proved something, until *expires
 * (seconds since 1970) or until password or pattern change. ERR_NOTFOUND, ERR_SYSTEM. */
#define AAA_DEVICE_MAX BASE32_SIZE(32)
enum err aaa_device_make(struct aaa *aaa, const char *name, int64_t wall, char out[static AAA_DEVICE_MAX],
                         int64_t *expires, struct aaa_why *why);

/* What EAP-GTC asks this visitor: a grid for its session (see grid_prompt_write()), for every name alike; "Password: "
 * where there can be none. Returns the length. */
size_t aaa_prompt(struct aaa *aaa, const struct aaa_visit *visit, char out[static GRID_PROMPT_MAX]);

struct aaa_new_pattern {
    const char *user;
    const char *cells;  /* numbers with commas between */
    const char *phrase; /* "": none */
    bool after;         /* the phrase is typed after the characters */
    bool trial;         /* only judge the pattern */
    int64_t wall;
    usec_t now;
};

struct aaa_enrolment {
    bool accepted;
    uint32_t weaknesses;  /* 1 << GRID_WEAK_...; when they are why it is not accepted */
    uint64_t guesses;     /* see grid_guesses() */
    uint8_t rounds;       /* to practise still; 0 after practice: the pattern is in force */
    struct aaa_grid grid; /* to practise on, when there are rounds */
};

struct aaa_practice {
    const char *user, *code, *answer; /* code "": nothing was read yet; only shows a grid */
    int64_t wall;
    usec_t now;
};

/* The caller has made sure that it is the user, or an administrator. The old pattern stays in force until the new one
 * was read from two grids in a row. ERR_NOTFOUND, ERR_INVALID, ERR_MALFORMED, ERR_LIMIT, ERR_SYSTEM. */
enum err aaa_grid_enrol(struct aaa *aaa, const struct aaa_new_pattern *wanted, struct aaa_enrolment *out,
                        struct aaa_why *why);
enum err aaa_grid_practise(struct aaa *aaa, const struct aaa_practice *practice, struct aaa_enrolment *out,
                           struct aaa_why *why);
/* Rounds left of a pattern that is being practised; 0: there is none. */
uint8_t aaa_grid_practising(struct aaa *aaa, const char *name, usec_t now);
enum err aaa_grid_off(struct aaa *aaa, const char *name, struct aaa_why *why);
enum err aaa_unlock(struct aaa *aaa, const char *name, struct aaa_why *why);

/* A new secret, told this once; it counts after aaa_totp_confirm(). ERR_EXISTS: one is in force. */
enum err aaa_totp_begin(struct aaa *aaa, const char *name, char text[static BASE32_SIZE(TOTP_SECRET_SIZE)],
                        char uri[static AAA_URI_MAX], struct aaa_why *why);
enum err aaa_totp_confirm(struct aaa *aaa, const char *name, const char *answer, int64_t wall, struct aaa_why *why);
enum err aaa_totp_off(struct aaa *aaa, const char *name, struct aaa_why *why);
/* Whether this is a code of proof.user that was not used yet; failures count as those of logins. */
bool aaa_totp_check(struct aaa *aaa, const struct aaa_request *request, const char *answer);

/* ---- groups ---- */

/* What users in it have who have nothing of their own. A user is in one group at most. Names are like those of users,
 * shorter than CONFIG_NAME_MAX. */
struct aaa_group {
    char name[CONFIG_NAME_MAX];
    bool enabled;               /* else none of its users may log in */
    char pool[CONFIG_NAME_MAX]; /* where addresses come from; "": any */
    uint32_t max_sessions;      /* of each user; 0: by configuration */
    char login[16];             /* AAA_LOGIN_PASSWORD, AAA_LOGIN_GRID; "": as the user has it */
    char note[AAA_NOTE_MAX];
    uint32_t users; /* out: how many are in it */
};

#define AAA_LOGIN_PASSWORD "password"
#define AAA_LOGIN_GRID     "grid"

/* ERR_EXISTS, ERR_INVALID (name, login, no such pool), ERR_SYSTEM; why says it in a sentence. */
enum err aaa_group_add(struct aaa *aaa, const struct aaa_group *group, struct aaa_why *why);
enum err aaa_group_set(struct aaa *aaa, const struct aaa_group *group, struct aaa_why *why);
/* ERR_EXISTS: there are users in it. */
enum err aaa_group_del(struct aaa *aaa, const char *name, struct aaa_why *why);
enum err aaa_group_get(struct aaa *aaa, const char *name, struct aaa_group *out, struct aaa_why *why);
/* Calls each for every group in order of name, until it returns false. */
enum err aaa_group_each(struct aaa *aaa, bool (*each)(void *ctx, const struct aaa_group *group), void *ctx,
                        struct aaa_why *why);

/* ---- invitations ---- */

#define AAA_TOKEN_MAX      48    /* bytes of a token's text with NUL */
#define AAA_INVITE_VALID   86400 /* seconds for which an invitation is good when nothing else is said */
#define AAA_INVITE_LONGEST 2592000

/* A token that makes somebody the user it was made for, once. The store has its hash alone. */
struct aaa_invite {
    uint32_t id;
    char name[AAA_NAME_MAX]; /* of the user */
    int64_t created, expires;
    char login[16]; /* shown: how the user's group wants logins; "": as the user likes */
};

/* For a user who is there; what was open for that user is taken back. valid: seconds, 0 for AAA_INVITE_VALID. token is
 * told this once; the caller wipes it. ERR_NOTFOUND, ERR_INVALID, ERR_SYSTEM; why says it in a sentence. */
enum err aaa_invite_make(struct aaa *aaa, const char *name, int64_t wall, uint32_t valid,
                         char token[static AAA_TOKEN_MAX], struct aaa_invite *out, struct aaa_why *why);
/* Adds a user whom nothing lets in but an invitation: with a password that nobody knows. */
enum err aaa_invite_user(struct aaa *aaa, const struct aaa_user *user, int64_t wall, struct aaa_why *why);
/* ERR_NOTFOUND, with the same sentence: unknown, used, taken back or over; or its user may not log in. */
enum err aaa_invite_show(struct aaa *aaa, const char *token, int64_t wall, struct aaa_invite *out, struct aaa_why *why);
/* Uses it up; a password that is not empty becomes the user's, in place of a pattern where there was one. All of it or
 * nothing: a password that cannot be taken (ERR_INVALID) leaves the invitation good. */
enum err aaa_invite_use(struct aaa *aaa, const char *token, struct view password, int64_t wall, struct aaa_invite *out,
                        struct aaa_why *why);
/* A pattern in place of a password: aaa_grid_enrol() and aaa_grid_practise() for whoever holds the invitation, whose
 * user is meant. It is used up at the moment in which the pattern comes into force, and good until then. */
enum err aaa_invite_enrol(struct aaa *aaa, const char *token, const struct aaa_new_pattern *wanted,
                          struct aaa_enrolment *out, struct aaa_why *why);
enum err aaa_invite_practise(struct aaa *aaa, const char *token, const struct aaa_practice *practice,
                             struct aaa_enrolment *out, struct aaa_invite *invite, struct aaa_why *why);
/* By number, or (id 0) all of a user. ERR_NOTFOUND: there is none. */
enum err aaa_invite_revoke(struct aaa *aaa, uint32_t id, const char *name, struct aaa_why *why);
/* Those that may still be used. */
enum err aaa_invite_each(struct aaa *aaa, int64_t wall, bool (*each)(void *ctx, const struct aaa_invite *invite),
                         void *ctx, struct aaa_why *why);

/* ---- tokens of programs ---- */

#define AAA_SCOPES_MAX 256

struct aaa_token {
    char name[CONFIG_NAME_MAX];
    char scopes[AAA_SCOPES_MAX]; /* words of base/scopes.def with commas between */
    int64_t created, expires;    /* seconds since 1970; expires 0: never */
    int64_t last_used;           /* 0: never */
};

/* token->name, scopes and expires are taken. text is told this once; the caller wipes it. ERR_EXISTS, ERR_INVALID. */
enum err aaa_token_make(struct aaa *aaa, const struct aaa_token *token, int64_t wall, char text[static AAA_TOKEN_MAX],
                        struct aaa_why *why);
/* What the token is for, and notes that it was used. ERR_NOTFOUND: unknown, taken back or over. */
enum err aaa_token_check(struct aaa *aaa, const char *text, int64_t wall, struct aaa_token *out, struct aaa_why *why);
enum err aaa_token_get(struct aaa *aaa, const char *name, struct aaa_token *out, struct aaa_why *why);
enum err aaa_token_revoke(struct aaa *aaa, const char *name, struct aaa_why *why);
enum err aaa_token_each(struct aaa *aaa, bool (*each)(void *ctx, const struct aaa_token *token), void *ctx,
                        struct aaa_why *why);

/* ---- administrators of the portal ---- */

/* Not users of the VPN. Their passwords are hashed by password_hash(), which is slow: the caller has it done elsewhere,
 * between two calls. */
struct aaa_admin {
    char name[AAA_NAME_MAX];
    int64_t created, last_login;
    char stamp[AAA_STAMP_MAX]; /* out */
};

/* ERR_INVALID: no name, or no password of 12 to AAA_PASSWORD_MAX bytes. Asked before the password is hashed. */
enum err aaa_admin_acceptable(const char *name, struct view password, struct aaa_why *why);
/* secret is told this once, for an authenticator app; the caller wipes it. */
enum err aaa_admin_add(struct aaa *aaa, const char *name, const uint8_t salt[static ARGON2_SALT_SIZE],
                       const uint8_t hash[static ARGON2_HASH_SIZE], int64_t wall,
                       uint8_t secret[static TOTP_SECRET_SIZE], struct aaa_why *why);
enum err aaa_admin_password(struct aaa *aaa, const char *name, const uint8_t salt[static ARGON2_SALT_SIZE],
                            const uint8_t hash[static ARGON2_HASH_SIZE], struct aaa_why *why);
enum err aaa_admin_totp(struct aaa *aaa, const char *name, uint8_t secret[static TOTP_SECRET_SIZE],
                        struct aaa_why *why);
enum err aaa_admin_del(struct aaa *aaa, const char *name, struct aaa_why *why);
enum err aaa_admin_get(struct aaa *aaa, const char *name, struct aaa_admin *out, struct aaa_why *why);
enum err aaa_admin_each(struct aaa *aaa, bool (*each)(void *ctx, const struct aaa_admin *admin), void *ctx,
                        struct aaa_why *why);
/* A login begins: the salt to hash the password with, one of no one for a name that does not exist. ERR_LIMIT: too many
 * have failed from there, or for that name; it must wait. ERR_SYSTEM. */
enum err aaa_admin_begin(struct aaa *aaa, const char *name, const struct ip_addr *peer, usec_t now,
                         uint8_t salt[static ARGON2_SALT_SIZE]);
/* And ends: ERR_OK: in. ERR_AUTH: one of name, password and code is wrong; which, it does not tell. A code is good
 * once, for a step before and after its own. ERR_LIMIT, ERR_SYSTEM. */
enum err aaa_admin_judge(struct aaa *aaa, const char *name, const uint8_t hash[static ARGON2_HASH_SIZE],
                         const char *code, const struct ip_addr *peer, int64_t wall, usec_t now);

/* ---- pools ---- */

/* Calls each for every pool. reserved: fixed addresses of users in it. */
void aaa_pool_each(const struct aaa *aaa,
                   void (*each)(void *ctx, const struct config_pool *pool, uint32_t size, uint32_t used,
                                uint32_t reserved),
                   void *ctx);

/* ---- the judge: pure ---- */

/* What the store knows of the user, for one verdict. */
struct aaa_record {
    bool found;
    struct aaa_user user;
    struct view password;      /* unsealed; empty when not found */
    const struct view *others; /* what may be typed as well; an empty one never matches, and costs the same */
    size_t others_n;
};

struct aaa_verdict {
    bool accepted;
    enum cause cause;
    size_t match; /* what was typed: 0 the password, i others[i - 1] */
    uint8_t authenticator_response[MSCHAP_AUTH_RESPONSE];
};

/* Does the same work whether the user exists or not, and whichever part of the proof is wrong. That a user is
 * disabled or expired is only told of one that proved the password. */
void aaa_judge(const struct aaa_record *record, const struct aaa_proof *proof, int64_t wall,
               struct aaa_verdict *verdict);

/* The forms under which a name as sent is looked for, in order: as it is, then without DOMAIN\ in front, then without
 * @domain behind. Writes up to three; returns how many. 0: no valid name in it. */
#define AAA_FORMS_MAX 3
size_t aaa_name_forms(const char *sent, char out[static AAA_FORMS_MAX][AAA_NAME_MAX]);
bool aaa_name_valid(const char *name);
/* Equal but for the case of ASCII letters. */
bool aaa_names_equal(const char *a, const char *b);

/* ---- address pools: pure ---- */

struct pool;

struct pool *pool_new(const struct config_pool *config); /* NULL: out of memory */
void pool_free(struct pool *pool);
/* Sets an address aside for one user: only pool_take_fixed() gives it out. ERR_NOTFOUND: not in this pool. */
enum err pool_reserve(struct pool *pool, uint32_t address);
void pool_unreserve(struct pool *pool, uint32_t address);
/* Leases any address, preferred if it is free and in the pool; 0 (none) lets the pool choose the one that was
 * released longest ago. ERR_LIMIT: none is left. */
enum err pool_take(struct pool *pool, uint32_t preferred, uint32_t *out);
/* Leases exactly this address, reserved or not. ERR_EXISTS: it is leased; ERR_NOTFOUND: not in this pool. */
enum err pool_take_fixed(struct pool *pool, uint32_t address);
void pool_release(struct pool *pool, uint32_t address);     /* harmless when it is not leased */
bool pool_holds(const struct pool *pool, uint32_t address); /* whether it is in the ranges */
uint32_t pool_size(const struct pool *pool);
uint32_t pool_used(const struct pool *pool);
uint32_t pool_reserved(const struct pool *pool);

#endif
