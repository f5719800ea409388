/* Where a new password comes from: a file, a generator, or the terminal without echo. */
#include "cli/cli_internal.h"

#include <errno.h>
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

static int from_file(const struct cli *cli, const char *path, char out[static PASSWORD_MAX])
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

static bool ask_once(FILE *tty, const char *question, char out[static PASSWORD_MAX])
{
    struct termios before, quiet;
    if (tcgetattr(fileno(tty), &before) != 0)
        return false;
    quiet = before;
    quiet.c_lflag &= (tcflag_t)~ECHO;
    fputs(question, tty);
    fflush(tty);
    if (tcsetattr(fileno(tty), TCSAFLUSH, &quiet) != 0)
        return false;
    bool ok = read_line(tty, out);
    (void)tcsetattr(fileno(tty), TCSAFLUSH, &before);
    fputc('\n', tty);
    fflush(tty);
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
    bool ok = ask_once(tty, "Password: ", out) && ask_once(tty, "Once more: ", again);
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
    return file != NULL ? from_file(cli, file, out) : from_terminal(cli, out);
}
