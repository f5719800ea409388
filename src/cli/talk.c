/* A conversation over a control socket: requests out, replies and events in, a line each. */
#include "cli/cli_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PIECE 65536 /* bytes read at once */

int talk_open(struct talk *t, const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof to.sun_path)
        return ENAMETOOLONG;
    strcpy(to.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        int error = errno;
        close(fd);
        return error;
    }
    t->fd = fd;
    ctl_lines_init(&t->lines, CTL_REPLY_MAX);
    return 0;
}

void talk_close(struct talk *t)
{
    ctl_lines_done(&t->lines);
    close(t->fd);
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

static enum talk_result send_request(struct talk *t, const struct ctl_request *request)
{
    char *line = request != NULL ? ctl_request_line(request) : NULL;
    enum talk_result result = line == NULL ? TALK_TOO_LONG : send_all(t->fd, line) ? TALK_LINE : TALK_CLOSED;
    ctl_line_free(line);
    return result;
}

/* Waits for bytes; TALK_SILENT when none came in time. */
static enum talk_result more(struct talk *t, int patience_ms)
{
    uint8_t bytes[PIECE];
    struct pollfd p = {.fd = t->fd, .events = POLLIN};
    int ready = poll(&p, 1, patience_ms);
    if (ready <= 0)
        return ready == 0 ? TALK_SILENT : errno == EINTR ? TALK_LINE : TALK_CLOSED;
    ssize_t n = recv(t->fd, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EINTR)
        return TALK_LINE;
    if (n <= 0)
        return TALK_CLOSED;
    enum err result = ctl_lines_feed(&t->lines, view_of(bytes, (size_t)n));
    bytes_wipe(bytes, (size_t)n);
    return result == ERR_OK ? TALK_LINE : TALK_PUZZLED;
}

enum talk_result talk_next(struct talk *t, int patience_ms, json_t **data, struct ctl_error *e)
{
    struct view line;
    *e = (struct ctl_error){CTL_CODE_FAILED, "The reply cannot be understood."};
    while (!ctl_lines_next(&t->lines, &line)) {
        enum talk_result result = more(t, patience_ms);
        if (result != TALK_LINE)
            return result;
    }
    enum err result = ctl_reply_parse(line, data, e);
    return result == ERR_OK ? TALK_LINE : result == ERR_STATE ? TALK_REFUSED : TALK_PUZZLED;
}

enum talk_result talk_ask(struct talk *t, struct ctl_request *request, json_t **data, struct ctl_error *e)
{
    enum talk_result result = send_request(t, request);
    ctl_request_free(request);
    return result == TALK_LINE ? talk_next(t, TALK_PATIENCE_MS, data, e) : result;
}
