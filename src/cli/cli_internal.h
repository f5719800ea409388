/*
 * The parts of cli: command.c reads the command line by commands.def and options.def, call.c talks to the socket,
 * table.c and text.c make things readable, and one file a noun holds what the commands do.
 */
#ifndef SEKISHO_CLI_INTERNAL_H
#define SEKISHO_CLI_INTERNAL_H

#include <sys/types.h>

#include "cli/cli.h"
#include "pki/pki.h"

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

struct cli {
    const struct cli_io *io;
    const struct command *command;
    const char *operand;              /* NULL: not given */
    const char *option[OPTION_COUNT]; /* NULL: not given; "" for options without a value */
    const char *socket;
    bool json;
};

/* Reads the command line. CLI_OK with cli->command NULL: help was asked for and has been printed. */
int command_parse(struct cli *cli, int argc, char **argv);
/* Says what is wrong on standard error; returns CLI_USAGE. */
int command_wrong(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- the socket ---- */

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

/* ---- readable things ---- */

#define TERMINAL_WIDTH 80
#define TEXT_MAX       64 /* bytes of the small texts below */

/* Writes text with everything that could steer a terminal as '?'. */
void print_safe(FILE *out, const char *text);
/* How many columns it takes on a terminal. */
size_t text_width(const char *text);
/* "1.5 GB", "17 B"; "3d 4h", "12m"; "2027-01-31 18:00" or "never". All return out. */
const char *text_bytes(uint64_t n, char out[static TEXT_MAX]);
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

/* ---- the commands ---- */

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
int run_pki_init(struct cli *cli);
int run_pki_issue(struct cli *cli);
int run_pki_revoke(struct cli *cli);
int run_pki_list(struct cli *cli);
int run_pki_export(struct cli *cli);
int run_config_check(struct cli *cli);
int run_config_reload(struct cli *cli);

#endif
