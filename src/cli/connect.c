/* `sekisho connect` and `sekisho disconnect`. */
#include "cli/cli_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- what to connect to ---- */

static bool is_host(const char *word)
{
    return strpbrk(word, ".:") != NULL;
}

/* A server without a profile is called by its own name. */
static void name_of_server(const char *server, char out[static PROFILE_NAME_MAX])
{
    snprintf(out, PROFILE_NAME_MAX, "%s", server);
    for (char *p = out; *p != '\0'; p++)
        *p = *p == ':' ? '-' : *p;
    if (!profile_name_good(out))
        snprintf(out, PROFILE_NAME_MAX, "vpn");
}

/* NAME of ".../NAME.conf". */
static void name_of_file(const char *file, char out[static PROFILE_NAME_MAX])
{
    const char *slash = strrchr(file, '/'), *base = slash != NULL ? slash + 1 : file;
    size_t n = strlen(base);
    n = n > 5 && strcmp(base + n - 5, ".conf") == 0 ? n - 5 : n;
    snprintf(out, PROFILE_NAME_MAX, "%.*s", (int)n, base);
    if (!profile_name_good(out))
        snprintf(out, PROFILE_NAME_MAX, "vpn");
}

struct target {
    struct profile *profile;
    char name[PROFILE_NAME_MAX];
    char file[CONFIG_PATH_MAX]; /* for errors */
};

static int load(const struct cli *cli, const char *file, struct target *t)
{
    struct config_error e;
    snprintf(t->file, sizeof t->file, "%s", file);
    return profile_load(file, &t->profile, &e) == ERR_OK ? CLI_OK : profile_wrong(cli, &e);
}

static int from_server(const struct cli *cli, struct target *t)
{
    struct config_error e = {0};
    if (!is_host(cli->operand))
        return call_failed(cli, CLI_FAILED, CTL_CODE_NOT_FOUND,
                           "There is no profile %s. Add it with: sekisho profile add %s --server SERVER. A server "
                           "without a profile needs its full name.",
                           cli->operand, cli->operand);
    name_of_server(cli->operand, t->name);
    snprintf(t->file, sizeof t->file, "%s", cli->operand);
    t->profile = profile_new();
    if (t->profile == NULL)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
    return profile_set(t->profile, "server", cli->operand, &e) == ERR_OK ? CLI_OK : profile_wrong(cli, &e);
}

static int find_target(const struct cli *cli, struct target *t)
{
    char path[CONFIG_PATH_MAX];
    const char *file = cli->option[OPTION_PROFILE], *name = cli->option[OPTION_NAME];
    int status;
    if (file != NULL) {
        name_of_file(cli->operand, t->name);
        status = load(cli, file, t);
    } else if (profile_name_good(cli->operand) && profile_path(cli, cli->operand, path) == CLI_OK &&
               access(path, F_OK) == 0) {
        snprintf(t->name, sizeof t->name, "%s", cli->operand);
        status = load(cli, path, t);
    } else {
        status = from_server(cli, t);
    }
    if (status == CLI_OK && name != NULL && !profile_name_good(name))
        status = command_wrong(cli, "\"%s\" cannot be a name; take letters, digits and the signs - _ . for it.", name);
    if (status == CLI_OK && name != NULL)
        snprintf(t->name, sizeof t->name, "%s", name);
    return status;
}

/* ---- connect ---- */

/* One that runs already is shown, not started twice. True: *status is the end of it. */
static bool is_there(struct cli *cli, const char *name, const char *path, int *status)
{
    struct ctl_link link;
    struct ctl_error e;
    enum talk_result result = engine_link(path, &link, &e);
    if (result == TALK_CLOSED)
        return false;
    if (result != TALK_LINE) {
        *status = call_failed(cli, CLI_NO_RIGHTS, CTL_CODE_DENIED, "%s is connected already, by somebody else.", name);
        return true;
    }
    if (!cli->json)
        fprintf(cli->io->out,
                strcmp(link.state, "up") == 0 ? "%s is connected already.\n" : "%s is being connected already.\n",
                name);
    signals_hold(cli);
    *status = follow(cli, name, path, false);
    signals_release(cli);
    return true;
}

static int start(struct cli *cli, struct target *t, const char *path)
{
    struct config_error e = {0};
    char line[PROFILE_TEXT_MAX + PROFILE_NAME_MAX + 32];
    struct show show = {.cli = cli};
    int status = options_apply(cli, t->profile);
    if (status == CLI_OK && profile_check(t->profile, &e) != ERR_OK)
        status = profile_wrong(cli, &e);
    if (status == CLI_OK)
        status = secrets_gather(cli, t->profile, t->file);
    if (status != CLI_OK)
        return status;
    snprintf(line, sizeof line, "Connecting to %s.", t->profile->server);
    signals_hold(cli);
    show_line(&show, line);
    if (t->profile->ike.aggressive && !cli->json)
        fputs("Warning: aggressive mode lets everybody on the way guess the pre-shared key.\n", cli->io->err);
    status = engine_start(cli, t->profile, t->name);
    profile_free(t->profile);
    t->profile = NULL;
    if (status == CLI_OK)
        status = follow(cli, t->name, path, true);
    signals_release(cli);
    return status;
}

int run_connect(struct cli *cli)
{
    struct target t = {0};
    char path[CONFIG_PATH_MAX];
    int status = rights_check(cli);
    if (status == CLI_OK)
        status = find_target(cli, &t);
    if (status == CLI_OK)
        status = engine_path(cli, t.name, path);
    if (status == CLI_OK && !is_there(cli, t.name, path, &status))
        status = start(cli, &t, path);
    profile_free(t.profile);
    return status;
}

/* ---- disconnect ---- */

static int undone(const struct cli *cli, const char *name, const char *what)
{
    if (cli->json)
        return print_json(cli, json_pack("{s:s}", "disconnected", name));
    fprintf(cli->io->out, "%s %s\n", name, what);
    return CLI_OK;
}

/* Without an engine there may be what a dead one left. */
static int disconnect(const struct cli *cli, const char *name)
{
    char path[CONFIG_PATH_MAX];
    struct talk t;
    struct ctl_error e;
    int status = engine_path(cli, name, path);
    if (status != CLI_OK)
        return status;
    int error = talk_open(&t, path);
    if (error == EACCES || error == EPERM)
        return call_failed(cli, CLI_NO_RIGHTS, CTL_CODE_DENIED,
                           "This needs the rights of root: sudo sekisho disconnect %s", name);
    enum talk_result result = error == 0 ? engine_end(&t, &e) : TALK_CLOSED;
    if (error == 0)
        talk_close(&t);
    if (result == TALK_CLOSED) {
        status = engine_clean(cli, name);
        return status == CLI_OK ? undone(cli, name, "was not connected; nothing is left of it.") : status;
    }
    if (result == TALK_REFUSED || result == TALK_PUZZLED)
        return call_failed(cli, CLI_FAILED, e.code, "%s", e.sentence);
    if (result == TALK_SILENT)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The engine of %s does not answer.", name);
    return undone(cli, name, "is disconnected.");
}

static int disconnect_only(const struct cli *cli, const struct names *live, const struct names *stale)
{
    if (live->count > 1)
        return command_wrong(cli, "Several are connected, %s and %s among them; say which.", live->name[0],
                             live->name[1]);
    int status = live->count == 1 ? disconnect(cli, live->name[0]) : CLI_OK;
    for (size_t i = 0; i < stale->count && status == CLI_OK; i++)
        status = disconnect(cli, stale->name[i]);
    if (live->count + stale->count == 0 && !cli->json)
        fputs("Nothing is connected.\n", cli->io->out);
    return status;
}

int run_disconnect(struct cli *cli)
{
    struct names live, stale;
    int status = rights_check(cli);
    if (status != CLI_OK)
        return status;
    if (cli->operand != NULL)
        return disconnect(cli, cli->operand);
    status = engine_names(cli, &live, &stale);
    if (status == CLI_OK)
        status = disconnect_only(cli, &live, &stale);
    names_done(&live);
    names_done(&stale);
    return status;
}
