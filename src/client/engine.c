/*
 * The engine's life. Everything that takes rights is opened first, in a ladder; then the process becomes an ordinary
 * user in a sandbox, and what still has to be done to the host goes through the steward.
 */
#include "client/client_internal.h"

#include "fd/fd.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_MAX_BYTES 160
#define LISTEN_TIME    (10 * USEC_SEC) /* whoever started us has it to listen; the first attempt may end at once */

/* ---- the loop ---- */

static void hear(struct engine *engine)
{
    struct sekisho_event event;
    while (sekisho_event(engine->sekisho, &event))
        follow(engine, &event);
}

static void sekisho_ready(void *ctx, uint32_t what)
{
    (void)ctx; /* the turn does what is due */
    (void)what;
}

static usec_t turn(void *ctx, usec_t now)
{
    struct engine *engine = ctx;
    if (engine->ending)
        return USEC_NEVER;
    if (engine->begin_at <= now)
        client_begin(engine);
    if (sekisho_run(engine->sekisho) != ERR_OK) {
        engine->status = EXIT_OTHER;
        client_end(engine);
        return USEC_NEVER;
    }
    hear(engine);
    const int ms = sekisho_timeout_ms(engine->sekisho);
    return usec_min(engine->begin_at, ms < 0 ? USEC_NEVER : now + (usec_t)ms * USEC_MSEC);
}

static void leave(struct engine *engine, int status)
{
    if (engine->ending)
        return;
    engine->status = status;
    sekisho_disconnect(engine->sekisho);
    hear(engine);
    client_end(engine);
}

static void signal_ready(void *ctx, uint32_t what)
{
    struct engine *engine = ctx;
    struct sekisho_status status;
    (void)what;
    if (signals_read(engine->signals) == 0)
        return;
    sekisho_status(engine->sekisho, &status);
    leave(engine, status.ups > 0 ? EXIT_OK : EXIT_INTERRUPTED);
}

static void steward_ready(void *ctx, uint32_t what)
{
    struct engine *engine = ctx;
    (void)what;
    if (engine->ending)
        return;
    follow_say(engine, "failed",
               "The helper that sets up interface and routes has died; 'sekisho-client --clean' tidies up.");
    leave(engine, EXIT_OTHER);
}

void client_begin(struct engine *engine)
{
    if (engine->begin_at == USEC_NEVER)
        return;
    engine->begin_at = USEC_NEVER;
    sekisho_connect(engine->sekisho);
}

void client_end(struct engine *engine)
{
    if (engine->ending)
        return;
    engine->ending = true;
    if (engine->steward) {
        char why[STEWARD_WHY] = "";
        loop_remove(engine->loop, steward_fd(engine->steward));
        if (steward_undo(engine->steward, why) != ERR_OK)
            memcpy(engine->problem, why, sizeof(engine->problem));
        if (why[0])
            follow_say(engine, "note", why);
        steward_end(engine->steward);
        engine->steward = NULL;
    }
    engine->applied = false;
    loop_stop(engine->loop);
}

/* ---- the way up ---- */

static bool open_loop(struct engine *engine, char *why, size_t cap)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    engine->loop = loop_new();
    if (engine->loop && signals_open(numbers, ARRAY_LEN(numbers), &engine->signals) == ERR_OK &&
        loop_add(engine->loop, engine->signals, LOOP_READ, signal_ready, engine) == ERR_OK)
        return true;
    snprintf(why, cap, "No more files can be opened.");
    return false;
}

static bool open_tun(struct engine *engine, char *why, size_t cap)
{
    struct tun_config config = {.queues = 1};
    memcpy(config.name, engine->options->iface, sizeof(config.name));
    if (tun_open(&config, &engine->tun) == ERR_OK)
        return true;
    engine->status = errno == EPERM || errno == EACCES ? EXIT_RIGHTS : EXIT_OTHER;
    snprintf(why, cap, "The interface %s cannot be made: %s.", config.name, strerror(errno));
    return false;
}

static bool open_steward(struct engine *engine, char *why, size_t cap)
{
    char text[STEWARD_WHY] = "";
    const struct steward_config config = {.name = engine->options->name, .iface = tun_name(engine->tun)};
    const enum err e = steward_start(engine->steward, &config, text);
    if (e != ERR_OK) {
        snprintf(why, cap, "%s", text[0] ? text : err_text(e));
        return false;
    }
    return loop_add(engine->loop, steward_fd(engine->steward), LOOP_READ, steward_ready, engine) == ERR_OK;
}

/* After the steward, which has made the directory. */
static bool open_log(struct engine *engine, char *why, size_t cap)
{
    return !engine->options->log_file || log_open(engine->options->log_file, why, cap);
}

static bool open_sekisho(struct engine *engine, char *why, size_t cap)
{
    struct sekisho_options options = engine->options->connection;
    options.mark = steward_mark(engine->steward);
    options.tun = tun_fd(engine->tun);
    engine->sekisho = sekisho_new(&options, why, cap);
    return engine->sekisho &&
           loop_add(engine->loop, sekisho_fd(engine->sekisho), LOOP_READ, sekisho_ready, engine) == ERR_OK;
}

/* Where the user was not made, nobody will do: nothing is owned by either. */
static const char *whom_to_become(const struct engine *engine, uid_t *uid)
{
    const char *names[] = {engine->options->user, "nobody"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct passwd *user = getpwnam(names[i]);
        if (user) {
            *uid = user->pw_uid;
            return names[i];
        }
    }
    return NULL;
}

static bool open_control(struct engine *engine, char *why, size_t cap)
{
    char path[PATH_MAX_BYTES];
    if (!engine->options->control)
        return true;
    snprintf(path, sizeof(path), "%s/%s.sock", CTL_CLIENT_DIRECTORY, engine->options->name);
    uid_t uid = 0;
    (void)whom_to_become(engine, &uid);
    const struct control_config config = {
        .loop = engine->loop,
        .path = path,
        .group = "sekisho",
        .own_uid = uid,
        .refusal = "Only root and members of the group sekisho may speak to the engine of a connection.",
        .answer = client_answer,
        .ctx = engine,
    };
    engine->control = control_new(&config, why, cap);
    return engine->control != NULL;
}

static bool give_rights_away(const struct engine *engine, char *why, size_t cap)
{
    (void)memory_protect(); /* where the system does not allow it, secrets may be swapped out */
    if (geteuid() != 0 || strcmp(engine->options->user, "root") == 0)
        return true;
    uid_t uid;
    const char *user = whom_to_become(engine, &uid);
    const enum err e = user ? privilege_drop(user, NULL, 0) : ERR_NOTFOUND;
    if (e != ERR_OK) {
        snprintf(why, cap, "The rights cannot be given up: %s.", e == ERR_SYSTEM ? strerror(errno) : err_text(e));
        return false;
    }
    const enum err s = SANDBOXED ? sandbox_enter(SANDBOX_CLIENT, SANDBOX_KILL) : ERR_OK;
    if (s == ERR_OK || s == ERR_UNSUPPORTED)
        return true;
    snprintf(why, cap, "The sandbox cannot be entered: %s.", strerror(errno));
    return false;
}

static bool open_all(struct engine *engine, char *why, size_t cap)
{
    static bool (*const steps[])(struct engine *, char *, size_t) = {open_loop,    open_tun,     open_steward, open_log,
                                                                     open_sekisho, open_control, host_guard};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (!steps[i](engine, why, cap))
            return false;
    return give_rights_away(engine, why, cap);
}

/* ---- whoever started us ---- */

void client_tell_starter(const struct client_options *options, char *line)
{
    const int fd = options->ready_fd;
    if (fd >= 0 && line)
        (void)fd_write(fd, view_str(line)); /* who started us may be gone */
    if (fd >= 0)
        close(fd);
    ctl_line_free(line);
}

/* ---- life ---- */

/* The interface goes before the control socket: whoever sees that end may connect anew by the same name. */
static void close_all(struct engine *engine)
{
    sekisho_free(engine->sekisho);
    steward_end(engine->steward);
    tun_free(engine->tun);
    if (engine->control)
        control_free(engine->control);
    if (engine->signals >= 0)
        close(engine->signals);
    loop_free(engine->loop);
}

static void fail(struct engine *engine, const char *why)
{
    const char *code = engine->status == EXIT_RIGHTS ? CTL_CODE_DENIED : CTL_CODE_FAILED;
    fprintf(stderr, "sekisho-client: %s\n", why);
    client_tell_starter(engine->options, ctl_reply_error(code, why));
    if (engine->status == EXIT_OK)
        engine->status = EXIT_OTHER;
}

int client_run(const struct client_options *options)
{
    struct engine engine = {.options = options, .steward = options->steward, .signals = -1};
    char why[512] = "";
    if (!open_all(&engine, why, sizeof(why))) {
        fail(&engine, why);
        close_all(&engine);
        return engine.status;
    }
    client_tell_starter(options, ctl_reply_ok(NULL));
    loop_on_turn(engine.loop, turn, &engine);
    engine.begin_at = clock_now() + (options->ready_fd >= 0 ? LISTEN_TIME : 0);
    loop_run(engine.loop);
    close_all(&engine);
    return engine.status;
}
