/*
 * The program sekisho-portal: HTTPS pages for users and administrators. It knows and does nothing by itself: every act
 * is a verb of the control socket. One thread, one loop; libmicrohttpd serves the connections, and a request that waits
 * for the gateway is set aside meanwhile.
 *
 *   http.c      requests in, responses out          exchange.c  one request: who asks, what for, what the gateway said
 *   gate.c      questions to the gateway            routes.def  every address, who may, what is asked, what is shown
 *   page.c      HTML, escaped by construction       login.c     who is logged in; rate.c how often somebody may ask
 */
#ifndef SEKISHO_PORTAL_INTERNAL_H
#define SEKISHO_PORTAL_INTERNAL_H

#include "config/config.h"
#include "crypto/crypto.h"
#include "ctl/ctl.h"
#include "net/net.h"

#define PORTAL_CONNECTIONS_MAX 256
#define PORTAL_PER_SOURCE_MAX  32
#define PORTAL_MEMORY_MAX      (24u * 1024)    /* bytes of a connection's buffer: request line and headers must fit */
#define PORTAL_URI_MAX         1024            /* bytes of a request's path and query */
#define PORTAL_BODY_MAX        (8u * 1024)     /* bytes of a form */
#define PORTAL_BODY_CONFIG_MAX (200u * 1024)   /* of that with a configuration, whose text is at most 60000 bytes */
#define PORTAL_REQUEST_TIME    (15 * USEC_SEC) /* from its first byte until it is whole */
#define PORTAL_IDLE_SECONDS    20              /* without a byte, after which a connection is closed */
#define PORTAL_ROWS_MAX        200             /* of a table in a page */

/* ---- language.c: what the pages say ---- */

enum language { LANGUAGE_EN, LANGUAGE_JA, LANGUAGE_COUNT };

enum message {
#define MESSAGE(name, en, ja) SAY_##name,
#include "portal/messages.def"
#undef MESSAGE
    SAY_COUNT
};

const char *message_text(enum message m, enum language l);
const char *language_word(enum language l);               /* "en" */
bool language_read(struct view word, enum language *out); /* by its word */
enum language language_accepted(struct view header);      /* by Accept-Language (RFC 9110 12.5.4) */
const char *cause_told(const char *word, enum language l, const char *english); /* why, in l where it is known */
const char *cure_told(const char *word, enum language l, const char *english);
const char *stage_told(const char *word, enum language l, const char *english);
const char *weakness_told(const char *word, enum language l, const char *english);
/* The text of a word of told.def with {1}, {2} where its values go, or a cause's sentence; NULL: not known in l. */
const char *told_text(const char *word, enum language l);

/* ---- page.c: a writer of HTML ---- */

#define PAGE_MAX (2u * 1024 * 1024) /* bytes */

struct page {
    char *p;
    size_t n, cap;
    bool failed; /* out of memory or too large */
    enum language language;
};

void page_init(struct page *page, enum language language);
void page_done(struct page *page); /* wipes */
void page_raw(struct page *page, const char *html, size_t n);
/* Markup: takes string literals alone, so that nothing from outside can get in unescaped. page_raw() is for the writers
 * of this program: files, and the QR code. */
#define page_html(page, literal) page_raw(page, "" literal, sizeof("" literal) - 1)
void page_text(struct page *page, const char *text);  /* escaped, for content and quoted attributes */
void page_query(struct page *page, const char *text); /* percent-encoded, for a link's query */
void page_number(struct page *page, uint64_t n);
void page_bytes(struct page *page, uint64_t n);                          /* "1.2 MB" */
void page_time(struct page *page, uint64_t seconds);                     /* since 1970, as <time>; 0: a dash */
void page_say(struct page *page, enum message m);                        /* in the page's language */
void page_say_of(struct page *page, enum message m, const char *what);   /* {} in the message is what */
void page_say_code(struct page *page, enum message m, const char *what); /* {} is what, as code */
/* What the gateway tells: in the page's language, with its place and values as code; else its English sentence. */
void page_told(struct page *page, const struct telling *told, const char *english);

#define DATE_TEXT 16 /* bytes with NUL */

/* "2026-11-27", for a form; "" for 0. The time of day is lost. */
void date_write(uint64_t seconds, char out[static DATE_TEXT]);
/* The seconds of "2026-11-27" at midnight UTC. ERR_INVALID. */
enum err date_read(const char *text, uint64_t *seconds);

/* ---- decode.c: what browsers send ---- */

#define FORM_FIELDS_MAX 24
#define FORM_NAME_MAX   24     /* bytes with NUL */
#define FORM_WAS        "was_" /* before the name of a field: how it was shown */

/* application/x-www-form-urlencoded, in a query or a body. */
struct form {
    char *room; /* the values, each with a NUL */
    size_t size;
    size_t count;
    struct {
        char name[FORM_NAME_MAX];
        const char *value;
    } field[FORM_FIELDS_MAX];
};

/* ERR_MALFORMED (a bad %, a control character but tab and line ends, a name of other than a-z and _, a name twice),
 * ERR_LIMIT, ERR_NOMEM. */
enum err form_parse(struct view text, struct form *out);
void form_done(struct form *form); /* wipes */
/* "" when it is not there. */
const char *form_value(const struct form *form, const char *name);
bool form_has(const struct form *form, const char *name);
/* ERR_MALFORMED unless it is a decimal number of at most max. */
enum err form_number(const struct form *form, const char *name, uint64_t max, uint64_t *out);
/* A date as date_read() takes it, or 0 when it is empty. ERR_INVALID. */
enum err form_date(const struct form *form, const char *name, uint64_t *out);
/* Whether a field is other than form_was() said it was shown; true when that is not told. The browser's word. */
bool form_changed(const struct form *form, const char *name);

/* The path of a request target in origin form (RFC 9112 3.2.1), and its query without the question mark. ERR_MALFORMED.
 */
enum err target_split(struct view target, struct view *path, struct view *query);
/* A segment of a path after %-decoding, of 1 to cap - 1 bytes, without control characters. ERR_MALFORMED, ERR_LIMIT. */
enum err segment_read(struct view text, char *out, size_t cap);
/* One cookie's value of a Cookie header (RFC 6265 4.2.1). ERR_NOTFOUND, ERR_LIMIT. */
enum err cookie_find(struct view header, const char *name, struct view *value);
/* 2 n hex digits. */
bool hex_read(struct view text, uint8_t *out, size_t n);
void hex_write(const uint8_t *bytes, size_t n, char *out); /* 2 n digits and a NUL */

/* ---- platform.c ---- */

/* The word of the device (handout_find()) that a browser runs on, by its headers Sec-CH-UA-Platform and User-Agent; ""
 * when they do not tell. */
const char *platform_told(struct view hint, struct view agent);

/* ---- rate.c: how often a source may ask ---- */

#define RATE_SOURCES 4096

enum rate_of { RATE_REQUESTS, RATE_LOGINS, RATE_TRIALS, RATE_COUNT };

/* Buckets of tokens, found by source: an IPv4 address, or an IPv6 network of 64 bits. The table is of fixed size; of
 * sources that share a place the least busy is forgotten. */
struct rate {
    uint8_t key[16];
    struct rate_bucket {
        uint64_t source;
        bool used;
        usec_t at;
        uint32_t left[RATE_COUNT]; /* thousandths of a token */
    } bucket[RATE_SOURCES];
};

void rate_init(struct rate *rate, const struct random *random);
/* Takes a token. False: too often; *wait is the time until there is one. */
bool rate_take(struct rate *rate, enum rate_of what, const struct ip_addr *source, usec_t now, usec_t *wait);

/* ---- login.c: who is logged in ---- */

#define LOGIN_MAX          1024
#define LOGIN_MAX_PER_NAME 8
#define LOGIN_TOKEN        32 /* bytes of the cookie's value, which is told in hex */
#define LOGIN_TEXT         (2 * LOGIN_TOKEN + 1)
#define DEVICE_TEXT        64 /* bytes with NUL of the text by which a browser is remembered */

enum role { ROLE_NONE, ROLE_USER, ROLE_ADMIN };

struct notice {
    enum message message; /* SAY_NONE: there is none */
    bool bad;
    char detail[CTL_PHRASE_MAX];
    struct telling told; /* the detail for other languages */
};

struct login {
    enum role role;     /* ROLE_NONE: a free place */
    uint8_t digest[32]; /* of the cookie: the table alone does not let anybody in */
    char name[CTL_USER_MAX];
    char stamp[CTL_STAMP_MAX]; /* of what it was made by; "": that which is there now */
    usec_t made, seen;
    usec_t proved;        /* when the pattern was read once more: proof.c; 0: not */
    struct notice notice; /* for the next page */
};

struct logins {
    uint8_t key[32]; /* of the form tokens */
    usec_t idle, longest;
    struct login at[LOGIN_MAX];
};

void logins_init(struct logins *l, const struct random *random, usec_t idle, usec_t longest);
void logins_done(struct logins *l); /* wipes */
/* A new login with its token, never one that the browser brought. Of one name's logins the oldest ends when there are
 * too many; NULL when the table is full of living ones. */
struct login *login_new(struct logins *l, const struct random *random, enum role role, const char *name, usec_t now,
                        uint8_t token[static LOGIN_TOKEN]);
/* NULL: nobody, or it has ended. touch: it counts as used now. Borrowed until the next login_ call. */
struct login *login_find(struct logins *l, const uint8_t token[static LOGIN_TOKEN], usec_t now, bool touch);
void login_end(struct login *login); /* wipes */
/* What its owner logs in by has changed, by this login. */
void login_renew(struct login *login);
/* Whether it was made by what is there now. */
bool login_stands(struct login *login, const char *stamp);
/* What a form must bring so that it counts as coming from a page of ours, for whoever has this cookie. */
void form_token(const struct logins *l, const uint8_t token[static LOGIN_TOKEN], char out[static LOGIN_TEXT]);
bool form_token_fits(const struct logins *l, const uint8_t token[static LOGIN_TOKEN], const char *text);

/* ---- gate.c: questions to the gateway ---- */

#define GATE_ASKS_MAX 4              /* requests of one question */
#define GATE_OPEN_MAX 16             /* connections to the gateway at once; more questions wait */
#define GATE_WAIT     (8 * USEC_SEC) /* for an answer */

struct gate;

/* Requests that are sent one after another over one connection. */
struct question {
    struct ctl_request *request[GATE_ASKS_MAX];
    size_t count;
    json_t *data[GATE_ASKS_MAX];           /* NULL: refused, or not asked */
    struct ctl_error error[GATE_ASKS_MAX]; /* why refused */
    bool chained;                          /* a refusal ends it: what follows is not asked */
    bool silent;                           /* the gateway cannot be reached, or has not answered in time */
    void (*done)(void *ctx);               /* from within the loop, never from gate_ask() */
    void *ctx;

    struct gate *gate; /* NULL: not under way */
    struct question *next;
    size_t answered;
    int fd; /* -1: it waits for a place */
    char *line;
    size_t line_n, sent;
    struct ctl_lines lines;
    usec_t deadline;
};

struct gate *gate_new(struct loop *loop, const char *socket);
void gate_free(struct gate *gate); /* NULL-safe; nothing is under way then */
void gate_drop(struct gate *gate); /* ends all that is under way, as if the gateway were silent */
/* Puts one more request in, which is taken (NULL: out of memory, or text that is not UTF-8; the question then fails).
 */
void question_add(struct question *q, struct ctl_request *request);
void question_clear(struct question *q); /* wipes; as before the first question_add(); drops it if under way */
void gate_ask(struct gate *gate, struct question *q, usec_t now);
/* Starts what waits and ends what is late. Returns the next deadline. */
usec_t gate_turn(struct gate *gate, usec_t now);

/* ---- exchange.c: one request and its response ---- */

enum method { METHOD_GET, METHOD_POST };
enum who { WHO_ANYONE, WHO_USER, WHO_ADMIN, WHO_PROGRAM };

struct exchange;

struct portal_route {
    enum method method;
    const char *path;
    enum who who;
    /* Puts questions. False: it has answered by itself. NULL: none to put. */
    bool (*ask)(struct exchange *x);
    void (*show)(struct exchange *x);
};

struct exchange {
    struct portal *portal;
    struct MHD_Connection *connection;
    char target[PORTAL_URI_MAX + 1];
    const struct portal_route *route;
    struct ip_addr source;
    struct form query, form;
    char *body;
    size_t body_n, body_max;
    bool begun, asking, ready; /* ready: the response is made */

    bool has_cookie;
    uint8_t token[LOGIN_TOKEN]; /* of the cookie: of a login, or of a visitor */
    char device[DEVICE_TEXT];   /* of the cookie by which the browser is remembered; "": it is not */
    struct login who;           /* a copy, role ROLE_NONE for nobody */
    struct ctl_user user;       /* WHO_USER: how the user is now */
    struct ctl_policy policy;   /* WHO_USER: what the gateway allows */
    enum { STEP_STANDING, STEP_ASK } step;
    struct question question;
    size_t judged; /* which of its answers is about a pattern, from 1; 0: none */

    bool api;                    /* of a program, see api.c: no cookie, and JSON whatever happens */
    const struct api_call *call; /* NULL: none of them */
    struct ctl_request *request; /* what it asks for */
    struct view segment;         /* what stands in the path for its argument */

    unsigned status;
    struct page page;
    const char *media;     /* content type; NULL: HTML */
    bool cached;           /* the same for everybody */
    char location[128];    /* of a redirection; "": none */
    char disposition[128]; /* of a file to keep; "": none */
    char set_cookie[160], set_language[96], set_device[192];
    char allow[40];        /* methods; "": those of pages */
    char challenge[80];    /* WWW-Authenticate; "": none */
    unsigned retry;        /* seconds; 0: not told */
    struct stream *stream; /* events follow instead of the page; the response takes it */
};

/* What pages use. A response is made once; the first one counts. */
void exchange_ask(struct exchange *x, struct ctl_request *request);
void exchange_problem(struct exchange *x, unsigned status, enum message what);
struct login *exchange_login(const struct exchange *x); /* NULL: nobody; borrowed until the next login_ call */
void exchange_go(struct exchange *x, const char *path); /* 303 */
void exchange_back(struct exchange *x, const char *path, enum message m); /* 303, with a notice of what was done */
void exchange_refused(struct exchange *x, const char *path, enum message m,
                      const char *detail); /* with what went wrong */
/* What the first refusal of the question says. False: nothing was refused. */
bool exchange_was_refused(struct exchange *x, const char *path);
/* Gives whoever is not logged in a cookie, to which the tokens of forms belong. */
void exchange_visitor(struct exchange *x);
void exchange_log_in(struct exchange *x, enum role role, const char *name, const char *stamp);
/* The owner of this login has changed what is logged in by: this one goes on, all others end. */
void exchange_renew(struct exchange *x);
void exchange_log_out(struct exchange *x);
/* Has the browser keep the text that grid.remember told, for so long; "" lets it forget. */
void exchange_remember(struct exchange *x, const char *text, uint64_t seconds);

/* http.c calls these. */
void exchange_begin(struct exchange *x, const char *method);             /* the head is there; may be ready at once */
void exchange_body(struct exchange *x);                                  /* all is there */
void exchange_free(struct exchange *x);                                  /* NULL-safe; wipes */
const char *exchange_header(const struct exchange *x, const char *name); /* "" when it is not there */

/* visitor.c, invite.c, user.c, device.c, grid.c, pattern.c, codes.c, admin.c, people.c, keepers.c, tokens.c: what
 * routes.def names */
bool ask_login(struct exchange *x);
bool ask_admin_login(struct exchange *x);
bool ask_why_here(struct exchange *x);
bool ask_invite(struct exchange *x);
bool ask_invite_use(struct exchange *x);
bool ask_invite_trial(struct exchange *x);
bool ask_invite_pattern(struct exchange *x);
bool ask_invite_practise(struct exchange *x);
bool ask_grid(struct exchange *x);
bool ask_grid_login(struct exchange *x);
bool ask_home(struct exchange *x);
bool ask_kick_own(struct exchange *x);
bool ask_why(struct exchange *x);
bool ask_device(struct exchange *x);
bool ask_password(struct exchange *x);
bool ask_pattern(struct exchange *x);
bool ask_pattern_new(struct exchange *x);
bool ask_pattern_trial(struct exchange *x);
bool ask_practise(struct exchange *x);
bool ask_pattern_off(struct exchange *x);
bool ask_proof(struct exchange *x);
bool ask_remember(struct exchange *x);
bool ask_codes(struct exchange *x);
bool ask_codes_begin(struct exchange *x);
bool ask_codes_confirm(struct exchange *x);
bool ask_codes_off(struct exchange *x);
bool ask_live(struct exchange *x);
bool ask_kick(struct exchange *x);
bool ask_users(struct exchange *x);
bool ask_user_add(struct exchange *x);
bool ask_user(struct exchange *x);
bool ask_user_save(struct exchange *x);
bool ask_user_password(struct exchange *x);
bool ask_user_invite(struct exchange *x);
bool ask_user_kick(struct exchange *x);
bool ask_user_unlock(struct exchange *x);
bool ask_user_delete(struct exchange *x);
bool ask_groups(struct exchange *x);
bool ask_group_add(struct exchange *x);
bool ask_group(struct exchange *x);
bool ask_group_save(struct exchange *x);
bool ask_group_delete(struct exchange *x);
bool ask_invites(struct exchange *x);
bool ask_revoke(struct exchange *x);
bool ask_stories(struct exchange *x);
bool ask_pools(struct exchange *x);
bool ask_health(struct exchange *x);
bool ask_config(struct exchange *x);
bool ask_reload(struct exchange *x);
bool ask_keepers(struct exchange *x);
bool ask_keeper_add(struct exchange *x);
bool ask_keeper(struct exchange *x);
bool ask_keeper_password(struct exchange *x);
bool ask_keeper_codes(struct exchange *x);
bool ask_keeper_delete(struct exchange *x);
bool ask_tokens(struct exchange *x);
bool ask_token_make(struct exchange *x);
bool ask_token_revoke(struct exchange *x);
void show_start(struct exchange *x);
void show_login(struct exchange *x);
void show_logged_in(struct exchange *x);
void show_admin_login(struct exchange *x);
void show_admin_logged_in(struct exchange *x);
void show_logged_out(struct exchange *x);
void show_why_here(struct exchange *x);
void show_invite(struct exchange *x);
void show_invited(struct exchange *x);
void show_invite_used(struct exchange *x);
void show_invite_pattern(struct exchange *x);
void show_invite_practised(struct exchange *x);
void show_grid_ask(struct exchange *x);
void show_grid(struct exchange *x);
void show_grid_login(struct exchange *x);
void show_home(struct exchange *x);
void show_kicked_own(struct exchange *x);
void show_why(struct exchange *x);
void show_device(struct exchange *x);
void show_device_hand(struct exchange *x);
void show_device_file(struct exchange *x);
void show_password(struct exchange *x);
void show_password_set(struct exchange *x);
void show_pattern(struct exchange *x);
void show_pattern_new(struct exchange *x);
void show_pattern_trial(struct exchange *x);
void show_practised(struct exchange *x);
void show_pattern_off(struct exchange *x);
void show_proof(struct exchange *x);
void show_remembered(struct exchange *x);
void show_forgotten(struct exchange *x);
void show_codes(struct exchange *x);
void show_codes_proof(struct exchange *x);
void show_codes_begun(struct exchange *x);
void show_codes_confirmed(struct exchange *x);
void show_codes_off(struct exchange *x);
void show_live(struct exchange *x);
void show_stream(struct exchange *x);
void show_kicked(struct exchange *x);
void show_users(struct exchange *x);
void show_user_added(struct exchange *x);
void show_user(struct exchange *x);
void show_user_saved(struct exchange *x);
void show_user_password(struct exchange *x);
void show_user_invited(struct exchange *x);
void show_user_kicked(struct exchange *x);
void show_user_unlocked(struct exchange *x);
void show_user_deleted(struct exchange *x);
void show_groups(struct exchange *x);
void show_group_changed(struct exchange *x);
void show_group(struct exchange *x);
void show_invites(struct exchange *x);
void show_revoked(struct exchange *x);
void show_stories(struct exchange *x);
void show_pools(struct exchange *x);
void show_health(struct exchange *x);
void show_config(struct exchange *x);
void show_config_checked(struct exchange *x);
void show_reloaded(struct exchange *x);
void show_keepers(struct exchange *x);
void show_keeper_added(struct exchange *x);
void show_keeper(struct exchange *x);
void show_keeper_password(struct exchange *x);
void show_keeper_codes(struct exchange *x);
void show_keeper_deleted(struct exchange *x);
void show_tokens(struct exchange *x);
void show_token_made(struct exchange *x);
void show_token_revoked(struct exchange *x);

/* ---- api.c: JSON for programs ---- */

bool api_is(const struct exchange *x); /* its target is one of programs, and they are served */
void api_begin(struct exchange *x, const char *method, struct view path);
bool api_read(struct exchange *x); /* the body; false: it cannot be taken, which is told */
struct ctl_request *api_ask_standing(struct exchange *x);
bool api_stands(struct exchange *x); /* false: the token is not good for this, which is told */
void api_problem(struct exchange *x, unsigned status, const char *message);

extern const struct portal_route routes[];
extern const size_t route_count;
/* NULL: there is none. known: there is one of this path by some method. */
const struct portal_route *route_find(enum method method, struct view path, bool *known);

#define PASSWORD_LEAST 10 /* characters */
/* Long enough, and twice the same. */
bool password_is_good(const struct form *form, enum message *problem);
void attempt_show(struct page *p, const struct ctl_attempt *a);
/* Takes away what tells whether there is such a user, and how that user logs in: for whoever is not logged in. */
void attempt_veil(struct ctl_attempt *a);

/* Begins the questions of routes. */
struct ctl_request *ask_about(enum ctl_verb verb, enum ctl_arg arg, const char *text);
/* Adds an argument; NULL in, NULL out, and NULL when it cannot be taken. */
struct ctl_request *ask_with(struct ctl_request *request, enum ctl_arg arg, const char *text);
/* With the visitor's own address as the source. */
struct ctl_request *ask_from(const struct exchange *x, struct ctl_request *request);
struct ctl_request *ask_number(struct ctl_request *request, enum ctl_arg arg, uint64_t number);
struct ctl_request *ask_flag(struct ctl_request *request, enum ctl_arg arg, bool flag);

/* ---- grid.c, pattern.c: what logins, users and invitations share ---- */

struct grid_drawn {
    uint64_t blocks, rows, columns;
    const char *cells; /* what stands in them; NULL: buttons to tap, which the script makes work */
};
void grid_show(struct page *p, const struct grid_drawn *grid);
/* The grid in the i-th answer. False: there is none. */
bool grid_told(const struct exchange *x, size_t i, struct ctl_grid *grid);
void grid_show_told(struct page *p, const struct ctl_grid *grid);

/* Where a pattern that is being made goes. */
struct pattern_paths {
    const char *take, *trial, *practise;
};
/* The form, open for fields of the caller's; what is typed already stands in it. */
void pattern_begin(struct exchange *x, const struct pattern_paths *paths, const struct ctl_policy *policy);
void pattern_end(struct exchange *x, const struct pattern_paths *paths, const struct ctl_policy *policy);
/* The i-th answer is the gateway's word on the pattern, for the form that follows. */
void pattern_judge(struct exchange *x, size_t i);
struct ctl_request *pattern_ask(const struct exchange *x, struct ctl_request *request, bool trial);
/* The page on which the grid of the i-th answer is read, open for hidden fields. */
void practise_begin(struct exchange *x, const struct pattern_paths *paths, size_t i, bool wrong);
void practise_end(struct exchange *x);
struct ctl_request *practise_ask(const struct exchange *x, struct ctl_request *request);
/* A picture of the text, with a title for those who do not see it. */
void qr_show(struct page *p, const char *text, enum message title);

/* Whether the user logs in by one. */
bool pattern_is_there(const struct exchange *x);
/* Judges what the form says was read off a grid, as this user's. */
void grid_ask_check(struct exchange *x, const char *name);

/* ---- proof.c: before a pattern gives way, or one-time codes begin ---- */

/* The user has a pattern and has not shown it lately. */
bool proof_lacks(const struct exchange *x);
/* Then the user is sent to that page to show it, and nothing is asked of the gateway. */
bool proof_goes_first(struct exchange *x, const char *page);
void proof_ask(struct exchange *x);
/* i: of the answer to proof_ask(); path: where what is read goes. */
void proof_page(struct exchange *x, size_t i, const char *path);
/* Who has no pattern gives the password again, in this field; what is asked for afterwards is done only if it fits. */
void proof_field(struct exchange *x);
void proof_ask_password(struct exchange *x);
/* The pattern has given way: the proof is used up, and other logins under the name end. */
void proof_spend(struct exchange *x);
/* Offers to remember this browser, or to forget it. */
void remember_show(struct exchange *x);

/* ---- layout.c: what all pages have ---- */

void layout_begin(struct exchange *x, enum message title);
void layout_end(struct exchange *x);
void layout_problem(struct exchange *x, enum message what); /* a whole page */
void notice_show(struct page *p, const struct notice *notice);
void paragraph(struct page *p, enum message m);
void hint(struct page *p, enum message m);
void form_begin(struct exchange *x, const char *path, const char *kind); /* kind: a class of the style sheet */
void form_end(struct exchange *x, enum message submit);
/* A labelled input. autocomplete: by HTML's list; "" none. */
void form_field(struct exchange *x, enum message label, const char *name, const char *type, const char *value,
                const char *autocomplete, bool required);
void form_check(struct exchange *x, enum message label, const char *name, bool checked);
void form_hidden(struct exchange *x, const char *name, const char *value);
/* How the field of an argument is shown, for form_changed(). */
void form_was(struct exchange *x, enum ctl_arg arg, const char *value);
/* A button alone, which posts one value. */
void form_button(struct exchange *x, const char *path, const char *name, const char *value, enum message submit,
                 const char *about);

/* A table that scrolls by itself where the screen is narrow. id: for the script; "" none. */
void table_begin(struct page *p, enum message caption, const enum message *heads, size_t n, const char *id);
void table_end(struct page *p);
void term(struct page *p, enum message name, const char *value);
/* A form that asks for the same page about something. */
void search_form(struct page *p, const char *path, const char *name, const char *value, enum message label);

/* ---- stream.c: server-sent events ---- */

struct streams;
struct streams *streams_new(struct portal *portal);
void streams_free(struct streams *s);
usec_t streams_turn(struct streams *s, usec_t now);
/* NULL: there are as many as may be. */
struct stream *stream_open(struct streams *s, struct exchange *x);
struct MHD_Response *stream_response(struct stream *stream);
void stream_close(struct stream *stream);

/* ---- events.c: what has happened lately ---- */

void events_show(struct page *p, const json_t *list); /* of EVENT, oldest first; shown the other way round */
/* One for the stream, of *n bytes; 0 when it is none that is told. False: it does not fit. */
bool event_write(const struct ctl_event *e, enum language language, char *out, size_t cap, size_t *n);

/* ---- asset.c ---- */

struct asset {
    const char *path, *media;
    struct view content;
};
const struct asset *asset_find(struct view path);

/* ---- papers.c: the certificate ---- */

struct papers {
    struct config_file certificate, key; /* PEM, with a NUL behind */
};
/* Reads them, or makes a certificate that signs itself. ERR_ with the sentence in why. */
enum err papers_open(const struct config *c, struct papers *out, char *why, size_t cap);
void papers_done(struct papers *p);

/* ---- http.c, portal.c ---- */

struct portal {
    struct loop *loop;
    struct entropy entropy;
    struct random random;
    struct MHD_Daemon *daemon;
    struct gate *gate;
    struct streams *streams;
    struct logins logins;
    struct rate rate;
    struct connection *connections; /* all open ones */
    unsigned suspended;
    int signals;
    char host[CONFIG_PATH_MAX]; /* in portal.url; "": not known */
    bool again, ending;
    bool api;   /* the JSON interface is served */
    bool woken; /* something has come for the daemon */
};

/* ERR_SYSTEM: it cannot listen; why tells. */
enum err http_start(struct portal *p, const struct config *c, const struct papers *papers, char *why, size_t cap);
void http_stop(struct portal *p);
usec_t http_turn(struct portal *p, usec_t now);
/* Sets a connection aside, and takes it up again. */
void http_wait(struct portal *p, struct MHD_Connection *connection);
void http_go_on(struct portal *p, struct MHD_Connection *connection);

int portal_run(const char *file);

#endif
