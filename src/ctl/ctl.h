/*
 * The language of the control socket: one JSON object a line, over a Unix stream socket. docs/control-socket.md tells
 * it for people. Requests and their arguments are the tables verbs.def and args.def; the objects in replies are the
 * structs below, each with one table of fields that both writes and reads it.
 *
 * Pure: bytes in, bytes out. The gateway and the command line do the socket.
 */
#ifndef SEKISHO_CTL_H
#define SEKISHO_CTL_H

#include <jansson.h>

#include "wire/wire.h"

#define CTL_VERSION          1
#define CTL_DEFAULT_SOCKET   "/run/sekisho/control"
#define CTL_CLIENT_DIRECTORY "/run/sekisho/client" /* NAME.sock: that of the engine of profile NAME */
#define CTL_REQUEST_MAX      (64u * 1024)          /* bytes of a request line with its newline */
#define CTL_REPLY_MAX        (16u * 1024 * 1024)   /* bytes of a reply line that a client will read */
#define CTL_DEPTH_MAX        8                     /* nested brackets in a request */

/* ---- requests ---- */

enum ctl_arg {
#define CTL_ARG(name, word, kind, max, sentence) CTL_ARG_##name,
#include "ctl/args.def"
#undef CTL_ARG
    CTL_ARG_COUNT
};

enum ctl_verb {
#define CTL_VERB(name, word, changes, required, optional, sentence) CTL_VERB_##name,
#include "ctl/verbs.def"
#undef CTL_VERB
    CTL_VERB_COUNT
};

/* A failure as it stands in a reply. */
struct ctl_error {
    char code[32];       /* an error code below */
    char sentence[512];  /* for people */
    struct telling told; /* the same for programs that tell it in another language */
    char arg[24];        /* the argument that it is about, by its word; "": none. Not in replies */
};

#define CTL_CODE_REQUEST   "bad-request" /* not JSON, no such verb, bad arguments */
#define CTL_CODE_DENIED    "denied"      /* the caller may not do this */
#define CTL_CODE_NOT_FOUND "not-found"
#define CTL_CODE_EXISTS    "exists"
#define CTL_CODE_INVALID   "invalid" /* well-formed, but the value cannot be taken */
#define CTL_CODE_FAILED    "failed"  /* the gateway could not do it */
#define CTL_CODE_REFUSED   "refused" /* a login: by a sentence that tells strangers nothing */
#define CTL_CODE_BUSY      "busy"    /* too much is asked for at once: again later */

/* The code that says an enum err best. */
const char *ctl_code_of(enum err e);

struct ctl_request;

/* Parses one line (a newline at its end may be there or not). ERR_MALFORMED, ERR_INVALID, ERR_LIMIT, ERR_NOMEM; error
 * is then ready to be sent. The request is given to the caller, who frees it with ctl_request_free(), which wipes
 * secrets in it. */
enum err ctl_request_parse(struct view line, struct ctl_request **out, struct ctl_error *error);
void ctl_request_free(struct ctl_request *request); /* NULL-safe */
enum ctl_verb ctl_request_verb(const struct ctl_request *request);
bool ctl_given(const struct ctl_request *request, enum ctl_arg arg);
/* Arguments that were not given read as "", 0 and false. Text is borrowed until the request is freed. */
const char *ctl_text(const struct ctl_request *request, enum ctl_arg arg);
uint64_t ctl_number(const struct ctl_request *request, enum ctl_arg arg);
bool ctl_flag(const struct ctl_request *request, enum ctl_arg arg);

/* The same from elsewhere than a line: a JSON object that holds the arguments alone; what is required may be missing
 * from it, and be set one by one with ctl_args_text(), which takes numbers as decimal digits. In the end
 * ctl_args_whole() tells whether all is there. The rules and errors are those of lines. */
enum err ctl_args_parse(enum ctl_verb verb, struct view json, struct ctl_request **out, struct ctl_error *error);
enum err ctl_args_text(struct ctl_request *request, enum ctl_arg arg, const char *text, struct ctl_error *error);
enum err ctl_args_whole(const struct ctl_request *request, struct ctl_error *error);

enum ctl_takes { CTL_TAKES_NOT, CTL_TAKES, CTL_NEEDS };
enum ctl_takes ctl_verb_takes(enum ctl_verb verb, enum ctl_arg arg);
enum ctl_arg ctl_arg_find(const char *word);       /* CTL_ARG_COUNT: there is none */
const char *ctl_verb_word(enum ctl_verb verb);     /* "user.add" */
const char *ctl_verb_sentence(enum ctl_verb verb); /* what it does */
bool ctl_verb_changes(enum ctl_verb verb);         /* changes something: not for readers */
const char *ctl_arg_word(enum ctl_arg arg);

/* The other end: begins a request, adds arguments, renders the line. */
struct ctl_request *ctl_request_new(enum ctl_verb verb); /* NULL: out of memory */
enum err ctl_set_text(struct ctl_request *request, enum ctl_arg arg, const char *text);
enum err ctl_set_number(struct ctl_request *request, enum ctl_arg arg, uint64_t number);
enum err ctl_set_flag(struct ctl_request *request, enum ctl_arg arg, bool flag);
/* The line with its newline and a NUL after it, for ctl_line_free(). NULL: out of memory, or too long. */
char *ctl_request_line(const struct ctl_request *request);

/* ---- replies ---- */

/* Lines with their newline and a NUL, for ctl_line_free(). NULL: out of memory. data is taken (may be NULL: {}). In
 * place of a reply longer than CTL_REPLY_MAX, which nobody would read, comes a refusal that says so. */
char *ctl_reply_ok(json_t *data);
/* The answer to `version`: this program's, and the protocol's. */
char *ctl_reply_version(const char *program);
char *ctl_reply_error(const char *code, const char *sentence);
/* A refusal whose sentence can be told in other languages too. */
char *ctl_reply_told(const char *code, const char *sentence, const struct telling *told);
/* One line of the stream that follows the reply to `events`. data is taken. */
char *ctl_event_line(json_t *data);
void ctl_line_free(char *line); /* NULL-safe; wipes */

/* Reads a reply, or a line of the event stream. ERR_OK: *data is the caller's reference. ERR_STATE: the gateway
 * refused, error tells. ERR_MALFORMED, ERR_NOMEM: no reply of this protocol, error tells as well. */
enum err ctl_reply_parse(struct view line, json_t **data, struct ctl_error *error);

/* ---- the objects in replies ---- */

#define CTL_USER_MAX   128
#define CTL_WORD_MAX   40
#define CTL_DETAIL_MAX 256
#define CTL_PROMPT_MAX 512 /* bytes of a question, which may be a grid */
#define CTL_PHRASE_MAX 256

/* status */
struct ctl_status {
    char version[32];
    uint64_t pid, started; /* started: seconds since 1970 */
    uint64_t shards;
    uint64_t ike_half_open, ike_sas, esp_pairs, tunnels, sessions;
    uint64_t packets_in, packets_out, bytes_in, bytes_out; /* inner packets, seen from the gateway */
    uint64_t drops;
    uint64_t logins_accepted, logins_refused;
    uint64_t pool_size, pool_used;
    char policy[16];
    char engine[32]; /* of ESP */
};

/* session.list, session.show */
struct ctl_session {
    uint64_t id;
    char user[CTL_USER_MAX];
    char address[IP_TEXT_MAX];        /* inner */
    char peer[ENDPOINT_TEXT_MAX];     /* outer */
    uint64_t since;                   /* seconds since 1970 */
    uint64_t packets_in, packets_out; /* in: from the client */
    uint64_t bytes_in, bytes_out;
    char client[48];  /* "Windows 8+", by vendor IDs */
    char host[64];    /* Host Name AVP */
    char station[64]; /* Calling Number AVP: tells a device from the user's others; "": it does not say */
    char auth[16];    /* "mschapv2" */
    char ike[64];     /* transforms */
    char esp[64];
    char psk[64]; /* which key */
    char pool[64];
    bool nat; /* ESP in UDP */
    uint64_t mtu;
    uint64_t shard;
};

/* Changes with whatever is logged in by, and with each new user or administrator of the same name. */
#define CTL_STAMP_MAX 40

/* user.list, user.add and the like */
struct ctl_user {
    char name[CTL_USER_MAX];
    bool enabled;
    char address[IP_TEXT_MAX];             /* "": from the pool */
    uint64_t max_sessions;                 /* 0: by configuration */
    uint64_t expires, created, last_login; /* seconds since 1970; 0: never */
    uint64_t sessions;
    char group[64]; /* "": none */
    char note[256];
    char login[16];                     /* "grid": by a pattern; else "password" */
    bool phrase, totp;                  /* a fixed phrase belongs to the pattern; has one-time codes */
    uint64_t locked;                    /* since when, in seconds since 1970; 0: not */
    uint64_t grid_logins, grid_exposed; /* by this pattern; those of them from strange places */
    uint64_t bits_left;                 /* of the pattern, for somebody who has seen these; 0: has none */
    bool renew;                         /* a new pattern is due */
    bool welcome;                       /* may log in now: enabled, not expired, and its group may */
    char stamp[CTL_STAMP_MAX];
};

/* grid.show and the like */
struct ctl_grid {
    char code[40];
    char number[8]; /* shown beside it; may be typed in front of the answer */
    char alphabet[40];
    uint64_t blocks, rows, columns; /* blocks stand side by side */
    char cells[128];                /* block after block, row after row */
    uint64_t expires;
};

/* grid.policy */
struct ctl_policy {
    bool enabled;
    uint64_t blocks, rows, columns;
    char alphabet[40];
    uint64_t life;                      /* of a grid, in seconds */
    uint64_t least, most;               /* cells of a pattern */
    uint64_t in_blocks;                 /* blocks that it must touch */
    bool repeats;                       /* may come back to a cell */
    uint64_t phrase_least, phrase_most; /* characters */
    uint64_t rounds;                    /* grids to practise on */
    char totp[16];                      /* "off", "alternative", "second" */
    bool strangers;                     /* whether somebody who has proved nothing is shown true grids */
};

/* grid.enrol, grid.practise */
struct ctl_enrolment {
    bool accepted;
    uint64_t guesses, bits; /* that the pattern is worth to somebody who knows how people draw */
    uint64_t rounds;        /* left to practise; 0 after practice: the pattern is in force */
};

/* what is wrong with a pattern */
struct ctl_problem {
    char word[CTL_WORD_MAX];
    char sentence[CTL_PHRASE_MAX];
};

/* group.list and the like: what a user in it has who has nothing of their own */
struct ctl_group {
    char name[64];
    bool enabled;          /* else none of its users may log in */
    char pool[64];         /* "": any */
    uint64_t max_sessions; /* of each user; 0: by configuration */
    char login[16];        /* "password", "grid"; "": as the user has it */
    char note[256];
    uint64_t users;
};

/* invite.list and the like */
struct ctl_invite {
    uint64_t id;
    char name[CTL_USER_MAX]; /* of the user */
    uint64_t created, expires;
    char login[16];  /* what the user's group wants, "password" or "grid"; "": what the user likes */
    uint64_t rounds; /* left of a pattern that is being practised */
};

/* admin.list and the like */
struct ctl_admin {
    char name[CTL_USER_MAX];
    uint64_t created, last_login;
    char stamp[CTL_STAMP_MAX];
};

/* token.list and the like */
struct ctl_token {
    char name[64];
    char scopes[256];                     /* words with commas between */
    uint64_t created, expires, last_used; /* 0: never */
};

/* pool.list */
struct ctl_pool {
    char name[64];
    char ranges[512]; /* FIRST-LAST, with commas between */
    char gateway[IP_TEXT_MAX];
    uint64_t size, used;
    uint64_t reserved; /* fixed addresses of users */
};

/* health: one thing that was looked at */
struct ctl_check {
    char word[CTL_WORD_MAX];
    char state[8]; /* "ok", "warn", "bad" */
    char sentence[CTL_PHRASE_MAX];
    struct telling told;
    char cure[CTL_PHRASE_MAX]; /* "" when all is well */
    struct telling cure_told;
};

/* handout.settings: what goes into the set-up of users' devices */
struct ctl_handout {
    char server[256];  /* "": not configured */
    char psk[1024];    /* in hexadecimal; "": certificates alone */
    char logins[128];  /* "mschapv2,chap-md5", as in ppp.auth */
    char routes[1024]; /* "10.0.0.0/8,192.168.7.0/24"; "": all goes through the tunnel */
    char dns[128];     /* addresses with commas */
    char domain[256];
    bool grid; /* the user asked about logs in by a pattern */
};

/* drops */
struct ctl_drop {
    char word[CTL_WORD_MAX];
    uint64_t count;
    char sentence[CTL_PHRASE_MAX];
};

/* explain: one attempt, and its steps */
struct ctl_attempt {
    uint64_t id;
    char peer[ENDPOINT_TEXT_MAX];
    char user[CTL_USER_MAX]; /* "": it did not get that far */
    uint64_t started;        /* seconds since 1970 */
    bool over;               /* no longer under way: cause says why; a live session is not over */
    char stage[CTL_WORD_MAX];
    char reached[CTL_PHRASE_MAX]; /* the stage's sentence */
    char cause[CTL_WORD_MAX];     /* "none" when all is well */
    char detail[CTL_DETAIL_MAX];  /* of this time, as the log has it; "": nothing */
    char why[CTL_PHRASE_MAX];     /* the cause's sentence, and the detail */
    char cure[CTL_PHRASE_MAX];
};

struct ctl_step {
    uint64_t at; /* milliseconds since the attempt began */
    char stage[CTL_WORD_MAX];
    char sentence[CTL_PHRASE_MAX];
    char detail[CTL_DETAIL_MAX];
};

/* event.list, events */
struct ctl_event {
    uint64_t id;             /* grows, also from one run of the gateway to the next; 0: event.list does not have it */
    uint64_t time;           /* milliseconds since 1970 */
    char type[CTL_WORD_MAX]; /* "session-up", "session-down", "login-refused", "failed", "ended", "stage" */
    uint64_t session;        /* 0: none */
    char user[CTL_USER_MAX];
    char peer[ENDPOINT_TEXT_MAX];
    char address[IP_TEXT_MAX];
    char stage[CTL_WORD_MAX];
    char cause[CTL_WORD_MAX];
    char detail[CTL_DETAIL_MAX];
};

/* client.status: the connection of an engine. What is not known yet is "" or 0. */
struct ctl_link {
    char profile[64]; /* the name */
    char state[16];   /* "connecting", "asking" the user, "up", "waiting" for the next attempt, "ending" */
    uint64_t pid;     /* of the engine */
    char user[CTL_USER_MAX];
    char server[256];                       /* as the profile has it */
    char server_address[ENDPOINT_TEXT_MAX]; /* outer, with port */
    char server_identity[128];              /* what its certificate or ID proved */
    char address[IP_TEXT_MAX];              /* ours inside */
    char remote[IP_TEXT_MAX];               /* the server's inside */
    char interface[16];
    uint64_t since; /* seconds since 1970: up since */
    uint64_t packets_in, packets_out, bytes_in, bytes_out;
    uint64_t rate_in, rate_out; /* bytes a second, over the last seconds */
    char ike[64], esp[64];      /* transforms */
    char auth[16];              /* "mschapv2" */
    bool nat;                   /* ESP in UDP */
    uint64_t mtu;
    char dns[256]; /* addresses in use, with ", " between */
    char domain[256];
    char routes[1536]; /* "everything", or networks with ", " between */
    uint64_t attempts; /* since the last time it was up, the one under way too */
    uint64_t retry_at; /* seconds since 1970; 0: no attempt is waited for */
    char stage[CTL_WORD_MAX];
    char cause[CTL_WORD_MAX]; /* of the last failure or loss; "none" */
    char detail[CTL_DETAIL_MAX];
    char why[CTL_PHRASE_MAX], cure[CTL_PHRASE_MAX];
    char log[256]; /* the file; "" when whoever started the engine has its log */
};

/* events of an engine. After "failed" with retry 0 comes "ended"; it is the last, and the socket closes when all is
 * undone. */
struct ctl_progress {
    uint64_t time; /* milliseconds since 1970 */
    uint64_t at;   /* milliseconds since the attempt began */
    char type[16]; /* "step", "prompt" (detail is the question; "grid" beside it), "up", "lost" (it was up), "failed"
                      (it was not yet), "ended" */
    char stage[CTL_WORD_MAX];
    char sentence[CTL_PHRASE_MAX]; /* the stage's */
    char detail[CTL_PROMPT_MAX];
    char cause[CTL_WORD_MAX]; /* "none" for steps */
    char why[CTL_PHRASE_MAX], cure[CTL_PHRASE_MAX];
    uint64_t retry;            /* milliseconds until the next attempt, with "lost" and "failed"; 0: there is none */
    char address[IP_TEXT_MAX]; /* inner, with "up" */
    uint64_t round; /* with "prompt": how often it was asked in this attempt; more than 1: the answer was wrong */
};

/* router.status: a router with IPsec passthrough */
struct ctl_router {
    char version[32];
    uint64_t pid, started; /* started: seconds since 1970 */
    bool passthrough;
    char outside[16], address[IP_TEXT_MAX]; /* address: "" while there is none */
    char inside[160];                       /* interfaces, with ", " between */
    uint64_t hosts, servers, bindings;
    uint64_t in_kernel,
        shortcut;  /* bindings that the kernel forwards by itself; those past the rules, at the devices */
    uint64_t held; /* packets held back now */
    uint64_t packets_out, packets_in, bytes_out, bytes_in;     /* ESP and IKE; out: of inside hosts */
    uint64_t ambiguous, wrong_guesses, corrected, unconfirmed; /* as counted since the start */
    uint64_t drops;
};

/* its inside hosts */
struct ctl_inside {
    char address[IP_TEXT_MAX];
    uint64_t servers, pairs, ikes, held;
    uint64_t packets_out, packets_in, bytes_out, bytes_in;
    uint64_t idle; /* seconds since it last sent something that the kernel did not know */
};

/* the servers that they talk to */
struct ctl_server {
    char address[IP_TEXT_MAX];
    uint64_t hosts;
    uint64_t unknown; /* SPIs from it that are nobody's for certain */
    uint64_t held;
};

/* what belongs to whom */
struct ctl_binding {
    char way[8];  /* "out", "in" */
    char kind[8]; /* "esp", "ike" */
    char id[24];  /* SPI or initiator cookie, hexadecimal */
    char host[IP_TEXT_MAX], server[IP_TEXT_MAX];
    char state[16]; /* "bound", "tentative", "ambiguous" */
    bool in_kernel, shortcut;
    uint64_t candidates; /* hosts that may be meant, while it is not certain */
    uint64_t age, idle;  /* seconds */
    uint64_t packets, bytes;
};

/* Writers give a new JSON object, NULL when out of memory. Text that is not UTF-8 is made so with '?'. Readers
 * tolerate members they do not know and fill members that are missing with "", 0 and false; ERR_MALFORMED when it is no
 * object or a member has another type; text that is too long is cut. */
#define CTL_OBJECTS(EACH)                                                                                              \
    EACH(status)                                                                                                       \
    EACH(session)                                                                                                      \
    EACH(user)                                                                                                         \
    EACH(grid)                                                                                                         \
    EACH(policy)                                                                                                       \
    EACH(enrolment)                                                                                                    \
    EACH(problem)                                                                                                      \
    EACH(group)                                                                                                        \
    EACH(invite)                                                                                                       \
    EACH(admin)                                                                                                        \
    EACH(token)                                                                                                        \
    EACH(handout)                                                                                                      \
    EACH(pool)                                                                                                         \
    EACH(check)                                                                                                        \
    EACH(drop)                                                                                                         \
    EACH(attempt)                                                                                                      \
    EACH(step)                                                                                                         \
    EACH(event)                                                                                                        \
    EACH(link)                                                                                                         \
    EACH(progress)                                                                                                     \
    EACH(router)                                                                                                       \
    EACH(inside)                                                                                                       \
    EACH(server)                                                                                                       \
    EACH(binding)
#define CTL_OBJECT(name)                                                                                               \
    json_t *ctl_##name##_json(const struct ctl_##name *object);                                                        \
    enum err ctl_##name##_read(const json_t *json, struct ctl_##name *out);
CTL_OBJECTS(CTL_OBJECT)
#undef CTL_OBJECT

/* {"word": ..., "params": [...], "place": ...}: what stands beside a sentence. */
json_t *ctl_told_json(const struct telling *told);
/* What is missing or strange is left out. */
void ctl_told_read(const json_t *json, struct telling *out);

/* The data of each reply. Lists are given as a JSON array that is taken.
 *   status          {"status": STATUS}
 *   version         {"version": TEXT, "protocol": 1}
 *   session.list    {"sessions": [SESSION]}
 *   session.show    {"session": SESSION}
 *   session.kick    {"kicked": NUMBER}
 *   user.*          {"user": USER}        user.list {"users": [USER]}      user.del {}
 *   group.*         {"group": GROUP}      group.list {"groups": [GROUP]}   group.del {}
 *   invite.make     {"invite": INVITE, "token": TEXT, "url": TEXT}: the only time that the token is told
 *   invite.show     {"invite": INVITE}    invite.list {"invites": [INVITE]}
 *   invite.use      {"user": USER}        invite.revoke {}
 *   invite.enrol    as grid.enrol         invite.practise  as grid.practise, and "invite": INVITE
 *   admin.*         {"admin": ADMIN}      admin.list {"admins": [ADMIN]}   admin.del {}
 *   admin.add, admin.totp  besides "secret": TEXT, "uri": TEXT: the only time that they are told
 *   token.make      {"token": TOKEN, "secret": TEXT}: the only time that it is told
 *   token.check     {"token": TOKEN}      token.list {"tokens": [TOKEN]}   token.revoke {}
 *   pool.list       {"pools": [POOL]}     health {"checks": [CHECK]}
 *   handout.settings  {"handout": HANDOUT}
 *   grid.policy     {"policy": POLICY}    grid.show {"grid": GRID}
 *   grid.remember   {"device": TEXT, "expires": NUMBER}: the only time that it is told
 *   grid.enrol      {"enrolment": ENROLMENT, "problems": [PROBLEM]}, and to practise on, "grid": GRID
 *   grid.practise   {"enrolment": ENROLMENT}, and "grid": GRID while there are rounds
 *   grid.check, totp.check  {"user": USER} when it is right
 *   totp.begin      {"secret": TEXT, "uri": TEXT}: the only time that they are told
 *   grid.off, grid.unlock, totp.confirm, totp.off  {"user": USER}
 *   drops           {"drops": [DROP]}
 *   explain         {"attempts": [ATTEMPT with "steps": [STEP]]}, newest first
 *   event.list      {"events": [EVENT]}, oldest first
 *   config.reload   {}                    config.check {"problem": TEXT, "told": TOLD}, "" when all is well
 *   events          {}, then event lines
 * Of an engine:
 *   client.status      {"link": LINK}
 *   client.disconnect  {}, when all is undone
 *   events             {"link": LINK, "progress": [PROGRESS]}: what the attempt under way has told so far; then event
 *                      lines that are PROGRESS
 * Of a router:
 *   router.status      {"router": ROUTER, "hosts": [INSIDE], "servers": [SERVER], "bindings": [BINDING]}
 *   drops              as above */
/* An object of one member, as above. value is taken; NULL when out of memory or value is NULL. */
json_t *ctl_data(const char *name, json_t *value);

/* ---- lines out of a stream ---- */

/* Collects bytes and gives whole lines. */
struct ctl_lines {
    char *p;
    size_t n, cap, taken, max;
    size_t open; /* bytes of the last line, which is not whole yet */
    bool overflow;
};
void ctl_lines_init(struct ctl_lines *lines, size_t max); /* max: bytes of one line */
void ctl_lines_done(struct ctl_lines *lines);             /* wipes */
/* ERR_LIMIT: a line is longer than max, the stream must be closed. ERR_NOMEM. */
enum err ctl_lines_feed(struct ctl_lines *lines, struct view bytes);
/* The next whole line without its newline, borrowed until the next feed; false when there is none. */
bool ctl_lines_next(struct ctl_lines *lines, struct view *line);

/* ---- who may ask ---- */

/* The caller's credentials (SO_PEERCRED) against those of the gateway: root and the gateway's own user may do
 * everything; so may members of the control group, whose way in is the socket file's mode 0660. */
struct ctl_peer {
    uint32_t uid, gid;
};
bool ctl_allowed(const struct ctl_peer *peer, uint32_t own_uid, bool socket_has_group);

#endif
