/* One question to the gateway, and its answer. */
#include "cli/cli_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

int call_failed(const struct cli *cli, int status, const char *code, const char *format, ...)
{
    char sentence[640];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (cli->json) {
        char *line = ctl_reply_error(code, sentence);
        fputs(line != NULL ? line : "", cli->io->out);
        ctl_line_free(line);
    } else {
        print_safe(cli->io->err, sentence);
        fputc('\n', cli->io->err);
    }
    return status;
}

int call_puzzled(const struct cli *cli)
{
    return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The gateway's reply cannot be understood.");
}

int print_json(const struct cli *cli, json_t *data)
{
    json_dumpf(data, cli->io->out, JSON_INDENT(2));
    fputc('\n', cli->io->out);
    json_decref(data);
    return CLI_OK;
}

/* ---- the socket ---- */

static int no_gateway(const struct cli *cli, int error)
{
    if (error == EACCES || error == EPERM)
        return call_failed(cli, CLI_NO_GATEWAY, "no-gateway",
                           "You may not use %s. Run this as root, or as a member of the group in control.group.",
                           cli->socket);
    return call_failed(cli, CLI_NO_GATEWAY, "no-gateway",
                       "No gateway answers at %s. Is sekishod running? Start it with: systemctl start sekishod",
                       cli->socket);
}

static int reach(const struct cli *cli, struct talk *t)
{
    int error = talk_open(t, cli->socket);
    if (error == ENAMETOOLONG)
        return command_wrong(cli, "The path of the socket is too long.");
    return error != 0 ? no_gateway(cli, error) : CLI_OK;
}

/* Says what became of a request that got no reply. */
static int unanswered(const struct cli *cli, enum talk_result what, const struct ctl_error *e)
{
    switch (what) {
    case TALK_LINE:
        return CLI_OK;
    case TALK_REFUSED:
    case TALK_PUZZLED:
        return call_failed(cli, CLI_FAILED, e->code, "%s", e->sentence);
    case TALK_SILENT:
        return call_failed(cli, CLI_NO_GATEWAY, "no-gateway", "The gateway at %s has not answered for %d seconds.",
                           cli->socket, TALK_PATIENCE_MS / 1000);
    case TALK_CLOSED:
        return call_failed(cli, CLI_NO_GATEWAY, "no-gateway",
                           "The gateway at %s closed the connection without an answer.", cli->socket);
    case TALK_TOO_LONG:
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The request is too long to be sent.");
    }
    return CLI_FAILED;
}

int call(const struct cli *cli, struct ctl_request *request, json_t **data)
{
    struct talk t;
    struct ctl_error e;
    int status = reach(cli, &t);
    if (status != CLI_OK) {
        ctl_request_free(request);
        return status;
    }
    status = unanswered(cli, talk_ask(&t, request, data, &e), &e);
    talk_close(&t);
    return status;
}

static int stream(const struct cli *cli, struct talk *t, bool (*each)(const struct cli *cli, json_t *event))
{
    for (;;) {
        json_t *event = NULL;
        struct ctl_error e;
        enum talk_result what = talk_next(t, -1, &event, &e); /* a quiet gateway is a good gateway */
        if (what == TALK_CLOSED)
            return call_failed(cli, CLI_NO_GATEWAY, "no-gateway", "The gateway at %s has ended.", cli->socket);
        if (what != TALK_LINE)
            return unanswered(cli, what, &e);
        bool more = each(cli, event);
        json_decref(event);
        if (!more)
            return CLI_OK;
    }
}

int call_events(const struct cli *cli, struct ctl_request *request, bool (*each)(const struct cli *cli, json_t *event))
{
    struct talk t;
    struct ctl_error e;
    json_t *data = NULL;
    int status = reach(cli, &t);
    if (status != CLI_OK) {
        ctl_request_free(request);
        return status;
    }
    status = unanswered(cli, talk_ask(&t, request, &data, &e), &e);
    json_decref(data);
    if (status == CLI_OK)
        status = stream(cli, &t, each);
    talk_close(&t);
    return status;
}
