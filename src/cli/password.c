/* Where a new password comes from: a file, a generator, or the terminal without echo. */
#include "cli/cli_internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#define GROUPS     4
#define GROUP_SIZE 5

void password_generate(const struct random *rng, char out[static PASSWORD_MAX])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32: no l, o, 0, 1 */
    size_t n = 0;
    for (size_t g = 0; g < GROUPS; g++) {
        if (g > 0)
            out[n++] = '-';
        for (size_t i = 0; i < GROUP_SIZE; i++)
            out[n++] = letters[random_below(rng, sizeof letters - 1)];
    }
    out[n] = '\0';
}

static void fill(void *ctx, uint8_t *out, size_t n)
{
    bool *ok = ctx;
    while (n > 0 && *ok) {
        ssize_t got = getrandom(out, n, 0);
        *ok = got > 0 || errno == EINTR;
        out += got > 0 ? got : 0;
        n -= got > 0 ? (size_t)got : 0;
    }
    if (!*ok)
        memset(out, 0, n);
}

/* One line without its end; false when there is none or it is too long. */
static bool read_line(FILE *in, char out[static PASSWORD_MAX])
{
    if (fgets(out, PASSWORD_MAX, in) == NULL)
        return false;
    size_t n = strcspn(out, "\r\n");
    bool whole = out[n] != '\0' || n < PASSWORD_MAX - 1 || feof(in);
    out[n] = '\0';
    return whole && n > 0;
}

int password_from_file(const struct cli *cli, const char *path, char out[static PASSWORD_MAX])
{
    bool standard = strcmp(path, "-") == 0;
    FILE *f = standard ? cli->io->in : fopen(path, "re");
    if (f == NULL)
        return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "The file %s cannot be read: %s.", path, strerror(errno));
    setvbuf(f, NULL, _IONBF, 0); /* leaves no copy in a buffer */
    bool ok = read_line(f, out);
    if (!standard)
        fclose(f);
    if (!ok)
        return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID,
                           "The password must be one line of at most %d bytes, and not empty.", PASSWORD_MAX - 1);
    return CLI_OK;
}

static int generated(const struct cli *cli, char out[static PASSWORD_MAX])
{
    bool ok = true;
    const struct random rng = {fill, &ok};
    password_generate(&rng, out);
    if (!ok)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The system gives no random numbers.");
    return CLI_OK;
}

/* ---- the terminal ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

/* Waits for a line, or a signal: those are held everywhere but in the wait, so that none comes between. */
static bool wait_for_line(FILE *tty, const sigset_t *open)
{
    struct pollfd p = {.fd = fileno(tty), .events = POLLIN};
    while (interrupted == 0)
        if (ppoll(&p, 1, NULL, open) > 0)
            return true;
    return false;
}

/* One question; the terminal is given back as it was before an interruption has its usual effect. */
static bool ask_once(FILE *tty, const char *question, bool secret, char out[static PASSWORD_MAX])
{
    const struct sigaction heed = {.sa_handler = on_signal};
    struct sigaction usual_int, usual_term;
    struct termios before, quiet;
    sigset_t held, usual, open;
    if (tcgetattr(fileno(tty), &before) != 0)
        return false;
    quiet = before;
    if (secret)
        quiet.c_lflag &= (tcflag_t)~ECHO;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &held, &usual);
    open = usual; /* a caller that holds them back gets them when the question is over */
    sigdelset(&open, SIGINT);
    sigdelset(&open, SIGTERM);
    interrupted = 0;
    sigaction(SIGINT, &heed, &usual_int);
    sigaction(SIGTERM, &heed, &usual_term);
    bool ok = tcsetattr(fileno(tty), TCSAFLUSH, &quiet) == 0; /* before the question: who answers at once is heard */
    fputs(question, tty);
    fflush(tty);
    ok = ok && wait_for_line(tty, &open) && read_line(tty, out);
    (void)tcsetattr(fileno(tty), TCSAFLUSH, &before);
    sigaction(SIGINT, &usual_int, NULL);
    sigaction(SIGTERM, &usual_term, NULL);
    if (secret)
        fputc('\n', tty);
    fflush(tty);
    if (interrupted != 0)
        raise(interrupted);
    pthread_sigmask(SIG_SETMASK, &usual, NULL);
    return ok && interrupted == 0;
}

bool password_ask(const char *question, bool secret, char out[static PASSWORD_MAX])
{
    FILE *tty = fopen("/dev/tty", "r+e");
    if (tty == NULL)
        return false;
    setvbuf(tty, NULL, _IONBF, 0);
    bool ok = ask_once(tty, question, secret, out);
    fclose(tty);
    return ok;
}

static int from_terminal(const struct cli *cli, char out[static PASSWORD_MAX])
{
    char again[PASSWORD_MAX] = "";
    FILE *tty = fopen("/dev/tty", "r+e");
    if (tty == NULL)
        return call_failed(cli, CLI_USAGE, CTL_CODE_INVALID,
                           "There is no terminal to ask for a password. Use --password-file FILE or --generate.");
    setvbuf(tty, NULL, _IONBF, 0);
    bool ok = ask_once(tty, "Password: ", true, out) && ask_once(tty, "Once more: ", true, again);
    bool same = ok && strcmp(out, again) == 0;
    bytes_wipe(again, sizeof again);
    fclose(tty);
    if (!ok)
        return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "No password was given.");
    if (!same)
        return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "The two passwords differ. Nothing was changed.");
    return CLI_OK;
}

int password_get(const struct cli *cli, char out[static PASSWORD_MAX])
{
    const char *file = cli->option[OPTION_PASSWORD_FILE];
    bool generate = cli->option[OPTION_GENERATE] != NULL;
    if (file != NULL && generate)
        return command_wrong(cli, "--password-file and --generate exclude each other.");
    if (generate)
        return generated(cli, out);
    return file != NULL ? password_from_file(cli, file, out) : from_terminal(cli, out);
}
