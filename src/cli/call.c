/* One question to the gateway, and its answer. */
#include "cli/cli_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_SECONDS 30
#define PIECE            65536 /* bytes read at once */

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

static int reach(const struct cli *cli, int *out)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    if (strlen(cli->socket) >= sizeof to.sun_path)
        return command_wrong(cli, "The path of the socket is too long.");
    strcpy(to.sun_path, cli->socket);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "A socket cannot be opened: %s.", strerror(errno));
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        int error = errno;
        close(fd);
        return no_gateway(cli, error);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    *out = fd;
    return CLI_OK;
}

static bool send_all(int fd, const char *line)
{
    for (size_t n = strlen(line); n > 0;) {
        ssize_t sent = send(fd, line, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        line += sent;
        n -= (size_t)sent;
    }
    return true;
}

enum reading { READ_LINE, READ_END, READ_TIMEOUT, READ_TOO_LONG };

/* Waits for the next line; it is borrowed until the next call. */
static enum reading read_line(int fd, struct ctl_lines *lines, struct view *line)
{
    uint8_t bytes[PIECE];
    while (!ctl_lines_next(lines, line)) {
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return READ_TIMEOUT;
        if (n <= 0)
            return READ_END;
        if (ctl_lines_feed(lines, view_of(bytes, (size_t)n)) != ERR_OK)
            return READ_TOO_LONG;
    }
    return READ_LINE;
}

static int read_reply(const struct cli *cli, int fd, struct ctl_lines *lines, json_t **data)
{
    struct view line;
    struct ctl_error e;
    switch (read_line(fd, lines, &line)) {
    case READ_LINE:
        break;
    case READ_TIMEOUT:
        return call_failed(cli, CLI_NO_GATEWAY, "no-gateway", "The gateway at %s has not answered for %d seconds.",
                           cli->socket, PATIENCE_SECONDS);
    case READ_END:
        return call_failed(cli, CLI_NO_GATEWAY, "no-gateway",
                           "The gateway at %s closed the connection without an answer.", cli->socket);
    case READ_TOO_LONG:
        return call_puzzled(cli);
    }
    if (ctl_reply_parse(line, data, &e) != ERR_OK)
        return call_failed(cli, CLI_FAILED, e.code, "%s", e.sentence);
    return CLI_OK;
}

static int ask(const struct cli *cli, int fd, struct ctl_request *request, struct ctl_lines *lines, json_t **data)
{
    char *line = request != NULL ? ctl_request_line(request) : NULL;
    int status;
    if (line == NULL)
        status = call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The request is too long to be sent.");
    else if (!send_all(fd, line))
        status =
            call_failed(cli, CLI_NO_GATEWAY, "no-gateway", "The gateway at %s does not take requests.", cli->socket);
    else
        status = read_reply(cli, fd, lines, data);
    ctl_line_free(line);
    return status;
}

int call(const struct cli *cli, struct ctl_request *request, json_t **data)
{
    struct ctl_lines lines;
    int fd;
    int status = reach(cli, &fd);
    if (status == CLI_OK) {
        ctl_lines_init(&lines, CTL_REPLY_MAX);
        status = ask(cli, fd, request, &lines, data);
        ctl_lines_done(&lines);
        close(fd);
    }
    ctl_request_free(request);
    return status;
}

static int stream(const struct cli *cli, int fd, struct ctl_lines *lines,
                  bool (*each)(const struct cli *cli, json_t *event))
{
    struct view line;
    enum reading r;
    while ((r = read_line(fd, lines, &line)) == READ_LINE || r == READ_TIMEOUT) {
        json_t *event = NULL;
        struct ctl_error e;
        if (r == READ_TIMEOUT) /* a quiet gateway is a good gateway */
            continue;
        if (ctl_reply_parse(line, &event, &e) != ERR_OK)
            return call_failed(cli, CLI_FAILED, e.code, "%s", e.sentence);
        bool more = each(cli, event);
        json_decref(event);
        if (!more)
            return CLI_OK;
    }
    return call_failed(cli, CLI_NO_GATEWAY, "no-gateway", "The gateway at %s has ended.", cli->socket);
}

int call_events(const struct cli *cli, struct ctl_request *request, bool (*each)(const struct cli *cli, json_t *event))
{
    struct ctl_lines lines;
    json_t *data = NULL;
    int fd;
    int status = reach(cli, &fd);
    if (status == CLI_OK) {
        ctl_lines_init(&lines, CTL_REPLY_MAX);
        status = ask(cli, fd, request, &lines, &data);
        json_decref(data);
        if (status == CLI_OK)
            status = stream(cli, fd, &lines, each);
        ctl_lines_done(&lines);
        close(fd);
    }
    ctl_request_free(request);
    return status;
}
