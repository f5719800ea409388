/* From the command line to a profile; and where profiles and sockets are. */
#include "cli/cli_internal.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *profiles_directory(const struct cli *cli)
{
    return cli->io->profiles != NULL ? cli->io->profiles : PROFILE_DIRECTORY;
}

static int path_of(const struct cli *cli, const char *directory, const char *name, const char *ending,
                   char out[static CONFIG_PATH_MAX])
{
    if (!profile_name_good(name))
        return command_wrong(cli, "\"%s\" cannot be a name; take letters, digits and the signs - _ . for it.", name);
    if (snprintf(out, CONFIG_PATH_MAX, "%s/%s.%s", directory, name, ending) >= CONFIG_PATH_MAX)
        return command_wrong(cli, "The name is too long.");
    return CLI_OK;
}

int profile_path(const struct cli *cli, const char *name, char out[static CONFIG_PATH_MAX])
{
    return path_of(cli, profiles_directory(cli), name, "conf", out);
}

int engine_path(const struct cli *cli, const char *name, char out[static CONFIG_PATH_MAX])
{
    const char *directory = cli->io->sockets != NULL ? cli->io->sockets : CTL_CLIENT_DIRECTORY;
    if (cli->option[OPTION_SOCKET] == NULL)
        return path_of(cli, directory, name, "sock", out);
    snprintf(out, CONFIG_PATH_MAX, "%s", cli->option[OPTION_SOCKET]);
    return CLI_OK;
}

int profile_wrong(const struct cli *cli, const struct config_error *e)
{
    char text[CONFIG_ERROR_TEXT_MAX];
    return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "%s", config_error_text(e, text));
}

/* ---- options ---- */

static int set(const struct cli *cli, struct profile *p, const char *key, const char *text)
{
    struct config_error e = {0};
    if (profile_set(p, key, text, &e) == ERR_OK)
        return CLI_OK;
    return command_wrong(cli, "%s: %s", e.key[0] ? e.key : key, e.sentence);
}

/* A file by its full path, since the engine works elsewhere. */
static int set_file(const struct cli *cli, struct profile *p, const char *key, const char *file)
{
    char *path = realpath(file, NULL);
    if (path == NULL)
        return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "The file %s cannot be read: %s.", file, strerror(errno));
    int status = set(cli, p, key, path);
    free(path);
    return status;
}

/* Everybody on this host can read a command line. */
static int set_pair(const struct cli *cli, struct profile *p, char *pair)
{
    char key[CONFIG_NAME_MAX];
    const char *equals = strchr(pair, '=');
    if (equals == NULL || equals == pair || (size_t)(equals - pair) >= sizeof key)
        return command_wrong(cli, "--set wants KEY=VALUE, such as ike.policy=legacy.");
    snprintf(key, sizeof key, "%.*s", (int)(equals - pair), pair);
    if (profile_key_secret(key)) {
        bytes_wipe(pair, strlen(pair));
        return command_wrong(cli,
                             "A secret does not belong on the command line, where everybody on this host sees it; "
                             "set %s_file to a file that has it.",
                             key);
    }
    return set(cli, p, key, equals + 1);
}

int options_apply(const struct cli *cli, struct profile *profile)
{
    static const struct {
        enum option option;
        const char *key, *fixed;
        bool file;
    } keys[] = {
        {OPTION_SERVER, "server", NULL, false},
        {OPTION_USER, "user", NULL, false},
        {OPTION_CERTIFICATE, "certificate.file", NULL, true},
        {OPTION_AUTHORITIES, "certificate.authorities_file", NULL, true},
        {OPTION_ROUTES, "net.routes", NULL, false},
        {OPTION_DNS, "net.dns", NULL, false},
        {OPTION_NO_LEAK, "net.no_leak", "on", false},
        {OPTION_GRID, "ppp.methods", "eap-gtc", false},
        {OPTION_GRID, "ppp.answer_prompts", "off", false},
    };
    int status = CLI_OK;
    for (size_t i = 0; i < ARRAY_LEN(keys) && status == CLI_OK; i++) {
        const char *value = cli->option[keys[i].option];
        if (value == NULL)
            continue;
        value = keys[i].fixed != NULL ? keys[i].fixed : value;
        status = keys[i].file ? set_file(cli, profile, keys[i].key, value) : set(cli, profile, keys[i].key, value);
    }
    for (size_t i = 0; i < cli->set_count && status == CLI_OK; i++)
        status = set_pair(cli, profile, cli->set[i]);
    return status;
}

/* ---- rights ---- */

static bool may_administer(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    return geteuid() == 0 || (syscall(SYS_capget, &head, data) == 0 && (data[0].effective & 1u << CAP_NET_ADMIN) != 0);
}

int rights_check(const struct cli *cli)
{
    const char *operand = cli->operand != NULL ? cli->operand : "";
    if (cli->io->engine != NULL || may_administer())
        return CLI_OK;
    return call_failed(cli, CLI_NO_RIGHTS, CTL_CODE_DENIED, "This needs the rights of root: sudo sekisho %s%s%s",
                       cli->command->words, operand[0] ? " " : "", operand);
}
