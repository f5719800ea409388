/* Where the secrets of a connection come from, the nearest first: options, the environment, the profile with its files
 * and the service manager's credentials, its command, the terminal. */
#include "cli/cli_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static int take(const struct cli *cli, struct profile_secret *into, const char *value, const char *what)
{
    size_t n = strlen(value);
    if (n == 0 || n >= PASSWORD_MAX)
        return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "The %s must have from 1 to %d bytes.", what,
                           PASSWORD_MAX - 1);
    memcpy(into->value, value, n + 1);
    into->file[0] = '\0';
    return CLI_OK;
}

int secret_from_file(const struct cli *cli, struct profile_secret *into, const char *file, const char *what)
{
    char line[PASSWORD_MAX];
    int status = password_from_file(cli, file, line);
    if (status == CLI_OK)
        status = take(cli, into, line, what);
    bytes_wipe(line, sizeof line);
    return status;
}

/* The environment of a process can be read by its user for as long as it lives. */
static int take_environment(const struct cli *cli, struct profile_secret *into, const char *name, const char *what)
{
    char *value = getenv(name);
    if (value == NULL || value[0] == '\0')
        return CLI_OK;
    int status = take(cli, into, value, what);
    bytes_wipe(value, strlen(value));
    return status;
}

static int take_argument(const struct cli *cli, struct profile *p)
{
    char *value = cli->option[OPTION_PASSWORD_ARGUMENT];
    fputs("Warning: a password on the command line can be seen by everybody on this host.\n", cli->io->err);
    int status = take(cli, &p->password, value, "password");
    bytes_wipe(value, strlen(value));
    return status;
}

static int from_caller(const struct cli *cli, struct profile *p)
{
    const char *psk = cli->option[OPTION_PSK_FILE], *password = cli->option[OPTION_PASSWORD_FILE];
    if (password != NULL && cli->option[OPTION_PASSWORD_ARGUMENT] != NULL)
        return command_wrong(cli, "The password is given twice.");
    int status = psk != NULL ? secret_from_file(cli, &p->psk, psk, "pre-shared key")
                             : take_environment(cli, &p->psk, "SEKISHO_PSK", "pre-shared key");
    if (status != CLI_OK)
        return status;
    if (cli->option[OPTION_PASSWORD_ARGUMENT] != NULL)
        return take_argument(cli, p);
    return password != NULL ? secret_from_file(cli, &p->password, password, "password")
                            : take_environment(cli, &p->password, "SEKISHO_PASSWORD", "password");
}

static int from_command(const struct cli *cli, struct profile *p)
{
    char line[PASSWORD_MAX] = "";
    FILE *f = popen(p->password_command, "re");
    if (f == NULL)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "password_command cannot be run: %s.", strerror(errno));
    setvbuf(f, NULL, _IONBF, 0); /* leaves no copy in a buffer */
    bool got = fgets(line, sizeof line, f) != NULL;
    int end = pclose(f);
    line[strcspn(line, "\r\n")] = '\0';
    int status = CLI_OK;
    if (!got || end == -1 || !WIFEXITED(end) || WEXITSTATUS(end) != 0)
        status =
            call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "password_command gave no password: %s", p->password_command);
    else
        status = take(cli, &p->password, line, "password");
    bytes_wipe(line, sizeof line);
    return status;
}

static int ask(const struct cli *cli, struct profile_secret *into, const char *question, const char *what)
{
    char line[PASSWORD_MAX] = "";
    int status;
    if (!password_ask(question, true, line))
        status = call_failed(cli, CLI_USAGE, CTL_CODE_INVALID,
                             "The %s is missing, and there is no terminal to ask for it, or no answer; sekisho connect "
                             "--help tells how else to give it.",
                             what);
    else
        status = take(cli, into, line, what);
    bytes_wipe(line, sizeof line);
    return status;
}

int secret_offer(const struct cli *cli, struct profile_secret *into, const char *question, const char *what)
{
    char line[PASSWORD_MAX] = "";
    int status = password_ask(question, true, line) ? take(cli, into, line, what) : CLI_OK;
    bytes_wipe(line, sizeof line);
    return status;
}

static int ask_user(const struct cli *cli, struct profile *p)
{
    char line[PASSWORD_MAX] = "";
    struct config_error e = {0};
    if (!password_ask("User name: ", false, line))
        return call_failed(cli, CLI_USAGE, CTL_CODE_INVALID, "The user's name is missing; give it with --user NAME.");
    return profile_set(p, "user", line, &e) == ERR_OK ? CLI_OK : profile_wrong(cli, &e);
}

static int from_terminal(const struct cli *cli, struct profile *p)
{
    char question[PROFILE_TEXT_MAX + 64];
    uint32_t needs = profile_needs(p);
    int status = needs & PROFILE_NEEDS_USER ? ask_user(cli, p) : CLI_OK;
    if (status == CLI_OK && needs & PROFILE_NEEDS_PSK)
        status = ask(cli, &p->psk, "Pre-shared key: ", "pre-shared key");
    if (status == CLI_OK && needs & PROFILE_NEEDS_CERTIFICATE_PASSWORD)
        status = ask(cli, &p->certificate.password, "Password of the private key: ", "password of the private key");
    snprintf(question, sizeof question, "Password of %s: ", p->user);
    if (status == CLI_OK && needs & PROFILE_NEEDS_PASSWORD)
        status = ask(cli, &p->password, question, "password");
    return status;
}

int secrets_gather(const struct cli *cli, struct profile *profile, const char *filename)
{
    struct config_error e;
    int status = from_caller(cli, profile);
    if (status != CLI_OK)
        return status;
    if (profile_secrets(profile, getenv("CREDENTIALS_DIRECTORY"), filename, &e) != ERR_OK)
        return profile_wrong(cli, &e);
    if (profile->password_command[0] != '\0' && profile_needs(profile) & PROFILE_NEEDS_PASSWORD)
        status = from_command(cli, profile);
    profile->password_command[0] = '\0';
    if (status == CLI_OK)
        status = from_terminal(cli, profile);
    if (status == CLI_OK && profile_check(profile, &e) != ERR_OK)
        status = profile_wrong(cli, &e);
    return status;
}
