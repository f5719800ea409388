/*
 * The parts of cli: command.c reads the command line by commands.def and options.def, talk.c is a conversation over a
 * control socket and call.c one with the gateway, table.c and text.c make things readable, and one file a noun holds
 * what the commands do. Of a client: options.c makes a profile from the command line, secrets.c finds its secrets,
 * engine.c starts the program that connects, follow.c watches it and progress.c shows that.
 */
#ifndef SEKISHO_CLI_INTERNAL_H
#define SEKISHO_CLI_INTERNAL_H

#include <sys/types.h>

#include "cli/cli.h"
#include "pki/pki.h"
#include "profile/profile.h"

/* ---- the command line ---- */

enum option {
#define OPTION(name, word, value, sentence) OPTION_##name,
#include "cli/options.def"
#undef OPTION
    OPTION_COUNT
};

struct cli;

struct command {
    const char *words, *operand;
    uint64_t options;
    int (*run)(struct cli *cli);
    const char *sentence, *examples;
};

#define CLI_SET_MAX 32

struct cli {
    const struct cli_io *io;
    const struct command *command;
    const char *operand;        /* NULL: not given */
    char *option[OPTION_COUNT]; /* NULL: not given; "" for options without a value */
    char *set[CLI_SET_MAX];     /* every --set */
    size_t set_count;
    const char *socket;
    bool json;
    int signals; /* a signalfd of SIGINT and its like while an engine is started and watched; else -1 */
};

/* The tables, for completion: NULL at the end. */
const struct command *command_at(size_t i);
const char *option_word(enum option o);
const char *option_value(enum option o); /* "": it takes none */
/* Says what is wrong on standard error; returns CLI_USAGE. */
int command_wrong(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- the socket ---- */

#define TALK_PATIENCE_MS 30000 /* for a reply */

struct talk {
    int fd;
    struct ctl_lines lines;
};

enum talk_result { TALK_LINE, TALK_REFUSED, TALK_SILENT, TALK_CLOSED, TALK_PUZZLED, TALK_TOO_LONG };

/* 0, or the errno; then there is nothing to close. */
int talk_open(struct talk *t, const char *path);
void talk_close(struct talk *t);
/* Sends, and waits for the reply; request is taken (NULL counts as too long). TALK_LINE: *data is the caller's
 * reference. TALK_REFUSED, TALK_PUZZLED: the error tells. */
enum talk_result talk_ask(struct talk *t, struct ctl_request *request, json_t **data, struct ctl_error *e);
/* The next line; patience -1: for ever. */
enum talk_result talk_next(struct talk *t, int patience_ms, json_t **data, struct ctl_error *e);

/* Asks and waits for the reply; request is taken. CLI_OK: *data is the caller's reference. All else has been said on
 * standard error (with --json as an object on standard output) and is the exit status. */
int call(const struct cli *cli, struct ctl_request *request, json_t **data);
/* As call(), then gives each event of the stream to each, until it returns false or the gateway ends. */
int call_events(const struct cli *cli, struct ctl_request *request, bool (*each)(const struct cli *cli, json_t *event));
/* Says a failure the way that call() does; returns status. */
int call_failed(const struct cli *cli, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Prints data as JSON and gives it up; returns CLI_OK. */
int print_json(const struct cli *cli, json_t *data);
/* Says that a reply misses what it should have. */
int call_puzzled(const struct cli *cli);

/* ---- requests ---- */

/* Set an argument, or say why not. r NULL: out of memory. */
int request_text(const struct cli *cli, struct ctl_request *r, enum ctl_arg arg, const char *text);
int request_number(const struct cli *cli, struct ctl_request *r, enum ctl_arg arg, uint64_t number);
int request_expires(const struct cli *cli, struct ctl_request *r); /* --expires, where given */
/* What options say of a user or a group; whether any of them is there. */
int request_user(const struct cli *cli, struct ctl_request *r);
bool request_has_changes(const struct cli *cli);
/* Begins one about what the operand names, where given. */
int request_named(const struct cli *cli, enum ctl_verb verb, struct ctl_request **out);
/* call(), if status is CLI_OK; else gives it back. r is taken. */
int request_send(const struct cli *cli, struct ctl_request *r, int status, json_t **data);

/* ---- readable things ---- */

#define TERMINAL_WIDTH 80
#define TEXT_MAX       64 /* bytes of the small texts below */

/* Writes text with everything that could steer a terminal as '?'. */
void print_safe(FILE *out, const char *text);
/* A QR code of it, on a terminal that shows UTF-8; else nothing. */
void print_qr(const struct cli *cli, const char *text);
/* How many columns it takes on a terminal. */
size_t text_width(const char *text);
/* "1.5 GB", "17 B"; "1 packet", "2 packets"; "3d 4h", "12m"; "2027-01-31 18:00" or "never". All return out. */
const char *text_bytes(uint64_t n, char out[static TEXT_MAX]);
const char *text_packets(uint64_t n, char out[static TEXT_MAX]);
const char *text_duration(uint64_t seconds, char out[static TEXT_MAX]);
const char *text_time(uint64_t wall, char out[static TEXT_MAX]);
/* A date as --expires takes it, seen from now. False when it is none. never is 0. */
bool date_parse(const char *text, int64_t now, uint64_t *out);
/* Digits alone, at most max. */
bool number_parse(const char *text, uint64_t max, uint64_t *out);

#define TABLE_COLUMNS_MAX 8

struct table {
    const char *const *head;
    size_t columns;
    bool right[TABLE_COLUMNS_MAX]; /* numbers */
    char **cell;
    size_t cells, cap;
    bool failed; /* out of memory */
};

void table_init(struct table *t, const char *const *head, size_t columns);
void table_done(struct table *t);
void table_add(struct table *t, const char *text); /* cell after cell, row after row */
/* Prints and ends it. Columns are two blanks apart; where width is not 0, the widest are cut until all fit. */
int table_print(struct table *t, const struct cli_io *io, size_t width);

/* ---- passwords ---- */

#define PASSWORD_MAX 257 /* bytes with NUL */

/* From the first line of a file, or of standard input for "-". */
int password_from_file(const struct cli *cli, const char *path, char out[static PASSWORD_MAX]);
/* Asks on the terminal, without echo when it is secret. False when there is none, or no line came. */
bool password_ask(const char *question, bool secret, char out[static PASSWORD_MAX]);
/* From --password-file, --generate, or the terminal. The caller wipes it. */
int password_get(const struct cli *cli, char out[static PASSWORD_MAX]);
/* Four groups of five, 100 bits, without letters that look alike. */
void password_generate(const struct random *rng, char out[static PASSWORD_MAX]);

/* ---- the directory of an authority ---- */

#define PATH_TEXT_MAX 512 /* bytes of a path with NUL */

struct store {
    int fd;
    const char *path;
};

/* By --directory, or the default. What fails has been said. Waits for whoever has it open. */
int store_open(const struct cli *cli, bool make, struct store *s);
void store_close(struct store *s);
bool store_has(const struct store *s, const char *name);
int store_read(const struct cli *cli, const struct store *s, const char *name, struct pki_bytes *out);
int store_write(const struct cli *cli, const struct store *s, const char *name, mode_t mode, struct view what);

/* ---- the authority in it ---- */

#define BACKDATED 3600 /* seconds before now at which what is made begins: clocks of clients are late */

static inline struct view pki_bytes_view(const struct pki_bytes *b)
{
    return view_of(b->p, b->n);
}

/* A name of a certificate is one of files too. */
int authority_check_name(const struct cli *cli, const char *name);
/* "issued/alice.pem"; returns out. */
const char *authority_file(const char *directory, const char *name, const char *ending, char out[static PATH_TEXT_MAX]);
int authority_load(const struct cli *cli, const struct store *s, struct pki_ca **out);

struct revoked {
    struct pki_revoked *all;
    size_t n;
    struct pki_bytes text; /* of the file */
};

/* To be ended with revoked_done(), also when it failed. */
int revoked_read(const struct cli *cli, const struct store *s, struct revoked *r);
void revoked_done(struct revoked *r);
bool revoked_has(const struct revoked *r, const char *serial);
/* By a line of the file. False: it is damaged, or there is no memory. */
bool revoked_add(struct revoked *r, const char *line);
int authority_write_crl(const struct cli *cli, const struct store *s, const struct pki_ca *ca, const struct revoked *r);
/* ---- a client's connection ---- */

/* The directories and the file of a profile. */
const char *profiles_directory(const struct cli *cli);
int profile_path(const struct cli *cli, const char *name, char out[static CONFIG_PATH_MAX]);
/* That of the engine of a profile, or --socket. */
int engine_path(const struct cli *cli, const char *name, char out[static CONFIG_PATH_MAX]);

/* Sets what the options say in the profile; says what is wrong with them. */
int options_apply(const struct cli *cli, struct profile *profile);
/* Says an error of a profile. */
int profile_wrong(const struct cli *cli, const struct config_error *e);
/* Whether we may make interfaces and routes; else says so, in a sentence with the command line that would do. */
int rights_check(const struct cli *cli);

/* Sets the profile's secret from the first line of a file; what names it in the error. */
int secret_from_file(const struct cli *cli, struct profile_secret *into, const char *file, const char *what);
/* Asks for a secret; CLI_OK with nothing set when an empty line is the answer. */
int secret_offer(const struct cli *cli, struct profile_secret *into, const char *question, const char *what);
/* Secrets from options, the environment, the profile and its files, its command, and the terminal. */
int secrets_gather(const struct cli *cli, struct profile *profile, const char *filename);

/* From here on interruptions come out of cli->signals, so that none is lost between an engine's start and its watch. */
void signals_hold(struct cli *cli);
void signals_release(struct cli *cli);
/* Starts the engine with the profile, and waits until its socket listens. */
int engine_start(const struct cli *cli, const struct profile *profile, const char *name);
/* For an engine that has ended without a word: says so, and has undone what it left. */
int engine_lost(const struct cli *cli, const char *name);
/* Has the engine's program undo what a dead engine left. */
int engine_clean(const struct cli *cli, const char *name);
/* Asks an engine for its link. TALK_CLOSED: there is none. */
enum talk_result engine_link(const char *path, struct ctl_link *out, struct ctl_error *e);
/* Has an engine end: its reply comes when all is undone, and it is gone when this returns. The reply is thrown away. */
enum talk_result engine_end(struct talk *t, struct ctl_error *e);
/* The names of all engines that answer, in order; *stale those of sockets that do not. For names_done(). */
struct names {
    char (*name)[PROFILE_NAME_MAX];
    size_t count;
};
int engine_names(const struct cli *cli, struct names *live, struct names *stale);
void names_done(struct names *n);

struct show {
    const struct cli *cli;
    unsigned turns; /* of the spinner */
    bool spinning;  /* there is one on the line */
    char doing[CTL_PHRASE_MAX];
};
void show_progress(struct show *s, const struct ctl_progress *p);
void show_json(const struct show *s, json_t *progress); /* for programs, as the engine has told it */
void show_line(struct show *s, const char *text);       /* one of ours */
void show_tick(struct show *s);                         /* turns the spinner; nothing where there is none */
void show_done(struct show *s);                         /* takes it away */
/* The lines of a connection that is up; with counters for status. */
void show_link(FILE *out, const struct ctl_link *link, bool counters);

#define QUESTION_TEXT_MAX 1536

/* The question of a "prompt", for the terminal: progress is the JSON that p was read from. */
void question_text(const json_t *progress, const struct ctl_progress *p, char out[static QUESTION_TEXT_MAX]);

/* Follows an engine until it is up, or with --foreground until it ends. ours: we started it, so an interruption ends
 * it. Returns the exit status; all has been said. */
int follow(const struct cli *cli, const char *name, const char *path, bool ours);

/* ---- the commands ---- */

int run_connect(struct cli *cli);
int run_disconnect(struct cli *cli);
int run_client_status(struct cli *cli);
int run_profile_add(struct cli *cli);
int run_profile_set(struct cli *cli);
int run_profile_list(struct cli *cli);
int run_profile_show(struct cli *cli);
int run_profile_edit(struct cli *cli);
int run_profile_del(struct cli *cli);
int run_profile_import(struct cli *cli);
int run_profile_export(struct cli *cli);
int run_completion(struct cli *cli);

int run_status(struct cli *cli);
int run_version(struct cli *cli);
int run_events(struct cli *cli);
int run_explain(struct cli *cli);
int run_session_list(struct cli *cli);
int run_session_show(struct cli *cli);
int run_session_kick(struct cli *cli);
int run_user_add(struct cli *cli);
int run_user_set(struct cli *cli);
int run_user_passwd(struct cli *cli);
int run_user_list(struct cli *cli);
int run_user_del(struct cli *cli);
int run_user_grid_enrol(struct cli *cli);
int run_user_grid_off(struct cli *cli);
int run_user_totp_on(struct cli *cli);
int run_user_totp_off(struct cli *cli);
int run_user_unlock(struct cli *cli);
int run_grid_show(struct cli *cli);
int run_user_profile(struct cli *cli);
int run_user_invite(struct cli *cli);
int run_invite_list(struct cli *cli);
int run_invite_revoke(struct cli *cli);
int run_group_add(struct cli *cli);
int run_group_set(struct cli *cli);
int run_group_list(struct cli *cli);
int run_group_del(struct cli *cli);
int run_pool_list(struct cli *cli);
int run_health(struct cli *cli);
int run_admin_add(struct cli *cli);
int run_admin_passwd(struct cli *cli);
int run_admin_totp(struct cli *cli);
int run_admin_list(struct cli *cli);
int run_admin_del(struct cli *cli);
int run_token_make(struct cli *cli);
int run_token_list(struct cli *cli);
int run_token_revoke(struct cli *cli);
int run_pki_init(struct cli *cli);
int run_pki_issue(struct cli *cli);
int run_pki_revoke(struct cli *cli);
int run_pki_list(struct cli *cli);
int run_pki_export(struct cli *cli);
int run_config_check(struct cli *cli);
int run_config_reload(struct cli *cli);

#endif
