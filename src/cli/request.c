/* Requests from the command line: what options say becomes arguments. What fails has been said. */
#include "cli/cli_internal.h"

#include <string.h>
#include <time.h>

#define SESSIONS_MAX 1000000

int request_text(const struct cli *cli, struct ctl_request *r, enum ctl_arg arg, const char *text)
{
    enum err result = r != NULL ? ctl_set_text(r, arg, text) : ERR_NOMEM;
    if (result == ERR_INVALID)
        return call_failed(cli, CLI_USAGE, CTL_CODE_INVALID, "The %s must be text in UTF-8.", ctl_arg_word(arg));
    if (result != ERR_OK)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
    return CLI_OK;
}

int request_number(const struct cli *cli, struct ctl_request *r, enum ctl_arg arg, uint64_t number)
{
    if (r == NULL || ctl_set_number(r, arg, number) != ERR_OK)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
    return CLI_OK;
}

int request_expires(const struct cli *cli, struct ctl_request *r)
{
    const char *text = cli->option[OPTION_EXPIRES];
    uint64_t expires;
    if (text == NULL)
        return CLI_OK;
    if (!date_parse(text, time(NULL), &expires))
        return command_wrong(cli, "\"%s\" is no date; write it like 2027-01-31, \"2027-01-31 18:00\", 30d or never.",
                             text);
    return request_number(cli, r, CTL_ARG_EXPIRES, expires);
}

static int put_sessions(const struct cli *cli, struct ctl_request *r)
{
    const char *text = cli->option[OPTION_MAX_SESSIONS];
    uint64_t number;
    if (text == NULL)
        return CLI_OK;
    if (!number_parse(text, SESSIONS_MAX, &number))
        return command_wrong(cli, "--max-sessions takes a number from 0 to %d.", SESSIONS_MAX);
    return request_number(cli, r, CTL_ARG_MAX_SESSIONS, number);
}

static int put_enabled(const struct cli *cli, struct ctl_request *r)
{
    const bool enable = cli->option[OPTION_ENABLE] != NULL, disable = cli->option[OPTION_DISABLE] != NULL;
    if (enable && disable)
        return command_wrong(cli, "--enable and --disable exclude each other.");
    if ((enable || disable) && (r == NULL || ctl_set_flag(r, CTL_ARG_ENABLED, enable) != ERR_OK))
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
    return CLI_OK;
}

/* Options of users and groups whose text is taken as it is, but for a word that stands for nothing. */
static const struct {
    enum option option;
    enum ctl_arg arg;
    const char *nothing; /* NULL: there is no such word */
} texts[] = {
    {OPTION_ADDRESS, CTL_ARG_ADDRESS, "none"}, {OPTION_GROUP, CTL_ARG_GROUP, "none"},
    {OPTION_POOL, CTL_ARG_POOL, "any"},        {OPTION_LOGIN, CTL_ARG_LOGIN, "any"},
    {OPTION_NOTE, CTL_ARG_NOTE, NULL},
};

int request_user(const struct cli *cli, struct ctl_request *r)
{
    int status = CLI_OK;
    for (size_t i = 0; status == CLI_OK && i < ARRAY_LEN(texts); i++) {
        const char *text = cli->option[texts[i].option];
        const bool nothing = text != NULL && texts[i].nothing != NULL && strcmp(text, texts[i].nothing) == 0;
        if (text != NULL)
            status = request_text(cli, r, texts[i].arg, nothing ? "" : text);
    }
    if (status == CLI_OK)
        status = put_sessions(cli, r);
    if (status == CLI_OK)
        status = request_expires(cli, r);
    return status == CLI_OK ? put_enabled(cli, r) : status;
}

bool request_has_changes(const struct cli *cli)
{
    static const enum option others[] = {OPTION_MAX_SESSIONS, OPTION_EXPIRES, OPTION_ENABLE, OPTION_DISABLE};
    bool given = false;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        given = given || cli->option[texts[i].option] != NULL;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        given = given || cli->option[others[i]] != NULL;
    return given;
}

int request_named(const struct cli *cli, enum ctl_verb verb, struct ctl_request **out)
{
    struct ctl_request *r = ctl_request_new(verb);
    const int status = cli->operand != NULL ? request_text(cli, r, CTL_ARG_NAME, cli->operand) : CLI_OK;
    if (status != CLI_OK)
        ctl_request_free(r);
    else
        *out = r;
    return status;
}

int request_send(const struct cli *cli, struct ctl_request *r, int status, json_t **data)
{
    if (status == CLI_OK)
        return call(cli, r, data);
    ctl_request_free(r);
    return status;
}
