/* The engine of a connection: the program sekisho-client, found, started and asked. It gets its profile, secrets and
 * all, through a descriptor that nobody else has, and an environment with nothing in it. */
#include "cli/cli_internal.h"

#include "fd/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM  "sekisho-client"
#define GOING_MS 5000 /* for an engine that has undone everything to be gone */

/* Descriptors of the engine; see docs/control-socket.md. */
#define PROFILE_FD 3
#define READY_FD   4

/* ---- finding it ---- */

/* Beside this program, as it is installed and as it is built; else where the search path leads. */
static const char *find(const struct cli *cli, char out[static CONFIG_PATH_MAX])
{
    static const char *const places[] = {"", "../sbin/", "../libexec/sekisho/", "../client/"};
    char own[CONFIG_PATH_MAX];
    if (cli->io->engine != NULL)
        return cli->io->engine;
    ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);
    own[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(own, '/');
    if (slash != NULL)
        slash[1] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(places) && slash != NULL; i++)
        if (snprintf(out, CONFIG_PATH_MAX, "%s%s" PROGRAM, own, places[i]) < CONFIG_PATH_MAX && access(out, X_OK) == 0)
            return out;
    return PROGRAM;
}

static void run(const struct cli *cli, char **argv)
{
    char path[CONFIG_PATH_MAX], locale[64];
    snprintf(locale, sizeof locale, "LANG=%.50s", getenv("LANG") != NULL ? getenv("LANG") : "C");
    char *environment[] = {(char[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, locale, NULL};
    execvpe(find(cli, path), argv, environment);
    _exit(errno == ENOENT ? 127 : 126);
}

/* ---- starting it ---- */

static int profile_fd(const struct profile *profile)
{
    char *text = malloc(PROFILE_SIZE_MAX);
    int fd = memfd_create("profile", MFD_CLOEXEC);
    if (text == NULL || fd < 0) {
        free(text);
        return fd;
    }
    struct writer w = wr_init(text, PROFILE_SIZE_MAX);
    bool ok = profile_write(profile, false, &w) == ERR_OK && fd_write(fd, wr_written(&w)) == ERR_OK;
    bytes_wipe(text, PROFILE_SIZE_MAX);
    free(text);
    if (ok && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Where an engine that this command starts keeps its log: beside its socket. */
static const char *log_path(const struct cli *cli, const char *name, char out[static CONFIG_PATH_MAX])
{
    snprintf(out, CONFIG_PATH_MAX, "%s/%s.log", cli->io->sockets != NULL ? cli->io->sockets : CTL_CLIENT_DIRECTORY,
             name);
    return out;
}

/* In the child: the two descriptors at their numbers, nothing else, and no terminal. */
static void become_engine(const struct cli *cli, const char *name, int profile, int ready)
{
    char log[CONFIG_PATH_MAX];
    log_path(cli, name, log);
    char *argv[] = {(char[]){PROGRAM},
                    (char[]){"--profile-fd"},
                    (char[]){"3"},
                    (char[]){"--ready-fd"},
                    (char[]){"4"},
                    (char[]){"--log-file"},
                    log,
                    (char[]){"--name"},
                    (char *)(uintptr_t)name,
                    NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid();
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    int from = fcntl(profile, F_DUPFD_CLOEXEC, READY_FD + 1), to = fcntl(ready, F_DUPFD_CLOEXEC, READY_FD + 1);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(nothing, fd);
    if (from < 0 || to < 0 || dup2(from, PROFILE_FD) < 0 || dup2(to, READY_FD) < 0)
        _exit(126);
    close_range(READY_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC);
    run(cli, argv);
}

static int not_started(const struct cli *cli, pid_t engine)
{
    int end = 0;
    if (waitpid(engine, &end, 0) == engine && WIFEXITED(end) && WEXITSTATUS(end) == 127)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED,
                           "The program " PROGRAM " is not installed beside this one.");
    return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The connection's engine did not start; it ended with %s %d.",
                       WIFSIGNALED(end) ? "signal" : "status", WIFSIGNALED(end) ? WTERMSIG(end) : WEXITSTATUS(end));
}

/* ---- waiting for it ---- */

static sigset_t interruptions(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

void signals_hold(struct cli *cli)
{
    const sigset_t set = interruptions();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    cli->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void signals_release(struct cli *cli)
{
    const sigset_t set = interruptions();
    struct signalfd_siginfo seen;
    while (cli->signals >= 0 && read(cli->signals, &seen, sizeof seen) > 0)
        ; /* they have had their effect */
    if (cli->signals >= 0)
        close(cli->signals);
    cli->signals = -1;
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Reads what is there; 0 at the end, -1 when the caller was interrupted. */
static ssize_t read_patiently(const struct cli *cli, int fd, uint8_t *out, size_t cap)
{
    struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = cli->signals, .events = POLLIN}};
    while (poll(p, ARRAY_LEN(p), -1) < 0 && errno == EINTR)
        ;
    if (p[1].revents != 0)
        return -1;
    ssize_t n = read(fd, out, cap);
    return n > 0 ? n : 0;
}

/* Waits for the one line that tells whether the socket listens. */
static int wait_ready(const struct cli *cli, pid_t engine, int fd)
{
    struct ctl_lines lines;
    struct view line;
    struct ctl_error e;
    json_t *data = NULL;
    uint8_t bytes[1024];
    ssize_t n = 0;
    ctl_lines_init(&lines, CTL_REQUEST_MAX);
    bool got = false;
    while (!(got = ctl_lines_next(&lines, &line)) && (n = read_patiently(cli, fd, bytes, sizeof bytes)) > 0)
        if (ctl_lines_feed(&lines, view_of(bytes, (size_t)n)) != ERR_OK)
            break;
    int status = CLI_OK;
    if (n < 0) {
        (void)kill(engine, SIGTERM);
        (void)waitpid(engine, NULL, 0);
        status = CLI_INTERRUPTED;
    } else if (!got)
        status = not_started(cli, engine);
    else if (ctl_reply_parse(line, &data, &e) != ERR_OK)
        status = call_failed(cli, strcmp(e.code, CTL_CODE_DENIED) == 0 ? CLI_NO_RIGHTS : CLI_FAILED, e.code, "%s",
                             e.sentence);
    json_decref(data);
    ctl_lines_done(&lines);
    return status;
}

int engine_lost(const struct cli *cli, const char *name)
{
    char log[CONFIG_PATH_MAX];
    (void)call_failed(cli, CLI_FAILED, CTL_CODE_FAILED,
                      "The connection's engine has ended without a word. What it left is undone. Its log: %s",
                      log_path(cli, name, log));
    (void)engine_clean(cli, name);
    return CLI_FAILED;
}

int engine_start(const struct cli *cli, const struct profile *profile, const char *name)
{
    int ready[2] = {-1, -1}, text = profile_fd(profile);
    if (text < 0 || pipe2(ready, O_CLOEXEC) != 0) {
        if (text >= 0)
            close(text);
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The engine cannot be started: %s.", strerror(errno));
    }
    fflush(cli->io->out);
    pid_t engine = fork();
    if (engine == 0)
        become_engine(cli, name, text, ready[1]);
    close(text);
    close(ready[1]);
    int status = engine > 0 ? wait_ready(cli, engine, ready[0])
                            : call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The engine cannot be started: %s.",
                                          strerror(errno));
    close(ready[0]);
    return status;
}

/* What a dead engine left is undone by a living one, which knows how. What it has to say it says itself. */
int engine_clean(const struct cli *cli, const char *name)
{
    char *argv[] = {(char[]){PROGRAM}, (char[]){"--clean"}, (char *)(uintptr_t)name, NULL};
    int end = 0;
    fflush(cli->io->out);
    pid_t engine = fork();
    if (engine == 0)
        run(cli, argv);
    if (engine < 0 || waitpid(engine, &end, 0) != engine || !WIFEXITED(end))
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The engine cannot be run to clean up.");
    return WEXITSTATUS(end) == 0 ? CLI_OK : CLI_FAILED;
}

/* ---- asking it ---- */

enum talk_result engine_link(const char *path, struct ctl_link *out, struct ctl_error *e)
{
    struct talk t;
    json_t *data = NULL;
    int error = talk_open(&t, path);
    if (error == EACCES || error == EPERM) {
        *e = (struct ctl_error){CTL_CODE_DENIED, "You may not ask about this connection. Run this as root."};
        return TALK_REFUSED;
    }
    if (error != 0)
        return TALK_CLOSED;
    enum talk_result result = talk_ask(&t, ctl_request_new(CTL_VERB_CLIENT_STATUS), &data, e);
    talk_close(&t);
    if (result == TALK_LINE && ctl_link_read(json_object_get(data, "link"), out) != ERR_OK) {
        *e = (struct ctl_error){CTL_CODE_FAILED, "The reply cannot be understood."};
        result = TALK_PUZZLED;
    }
    json_decref(data);
    return result;
}

/* The process at the other end; -1: it cannot be told. */
static int engine_process(const struct talk *t)
{
    struct ucred peer = {0};
    socklen_t n = sizeof peer;
    if (getsockopt(t->fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0 || peer.pid <= 0)
        return -1;
    return (int)syscall(SYS_pidfd_open, peer.pid, 0);
}

enum talk_result engine_end(struct talk *t, struct ctl_error *e)
{
    json_t *data = NULL;
    struct pollfd process = {.fd = engine_process(t), .events = POLLIN};
    enum talk_result result = talk_ask(t, ctl_request_new(CTL_VERB_CLIENT_DISCONNECT), &data, e);
    json_decref(data);
    if (process.fd >= 0 && result == TALK_LINE)
        (void)poll(&process, 1, GOING_MS); /* its interface goes with it */
    if (process.fd >= 0)
        close(process.fd);
    return result;
}

/* ---- all of them ---- */

void names_done(struct names *n)
{
    free(n->name);
    *n = (struct names){0};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool names_add(struct names *n, const char *name)
{
    void *grown = reallocarray(n->name, n->count + 1, sizeof *n->name);
    if (grown == NULL)
        return false;
    n->name = grown;
    snprintf(n->name[n->count++], PROFILE_NAME_MAX, "%s", name);
    return true;
}

/* NAME of NAME.sock; false for other files. */
static bool name_of(const char *file, char out[static PROFILE_NAME_MAX])
{
    size_t n = strlen(file);
    if (n <= 5 || n - 5 >= PROFILE_NAME_MAX || strcmp(file + n - 5, ".sock") != 0)
        return false;
    snprintf(out, PROFILE_NAME_MAX, "%.*s", (int)(n - 5), file);
    return profile_name_good(out);
}

int engine_names(const struct cli *cli, struct names *live, struct names *stale)
{
    const char *directory = cli->io->sockets != NULL ? cli->io->sockets : CTL_CLIENT_DIRECTORY;
    char name[PROFILE_NAME_MAX], path[CONFIG_PATH_MAX];
    struct talk t;
    *live = *stale = (struct names){0};
    DIR *d = opendir(directory);
    if (d == NULL && errno != ENOENT)
        return call_failed(cli, CLI_NO_RIGHTS, CTL_CODE_DENIED, "%s cannot be read: %s. Run this as root.", directory,
                           strerror(errno));
    bool ok = true;
    for (const struct dirent *one; ok && d != NULL && (one = readdir(d)) != NULL;) {
        if (!name_of(one->d_name, name) || engine_path(cli, name, path) != CLI_OK)
            continue;
        int error = talk_open(&t, path);
        if (error == 0)
            talk_close(&t);
        ok = names_add(error == ECONNREFUSED ? stale : live, name);
    }
    if (d != NULL)
        closedir(d);
    if (!ok)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
    if (live->count > 1)
        qsort(live->name, live->count, sizeof *live->name, by_name);
    if (stale->count > 1)
        qsort(stale->name, stale->count, sizeof *stale->name, by_name);
    return CLI_OK;
}
