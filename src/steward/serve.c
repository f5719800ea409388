/* The steward's process: one request, one answer, until its client is gone; then everything is undone. */
#include "steward/steward_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_FD 3 /* behind standard input, output and error */

/* Nothing of the client's may stay open here, or its ports and devices would live on after it. */
static void leave_the_client(int fd)
{
    if (fd != SOCKET_FD)
        dup2(fd, SOCKET_FD);
    fcntl(SOCKET_FD, F_SETFD, FD_CLOEXEC);
    close_range(SOCKET_FD + 1, ~0u, 0);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO); /* errors keep their way: what cannot be undone has to be told somewhere */
        close(null);
    }
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    setsid();
    umask(022);
    if (chdir("/") < 0)
        return; /* it would only keep a file system busy */
    prctl(PR_SET_NAME, "sekisho-steward");
}

static enum err prepare(struct steward_host *host, const struct steward_order *order, char why[static STEWARD_WHY])
{
    struct iface_state is;
    enum err e = steward_place_open(order->dir, order->name, &host->place, why);
    if (e != ERR_OK)
        return e;
    e = steward_host_clean(host, why);
    if (e != ERR_OK)
        return e;
    memset(&host->record, 0, sizeof(host->record));
    if (!steward_iface_is_good(order->iface) || (host->record.iface_index = iface_index(order->iface)) == 0 ||
        iface_state(host->record.iface_index, &is) != ERR_OK || !is.tun) {
        steward_say(why, "'%.32s' is no TUN device", order->iface);
        return ERR_INVALID;
    }
    snprintf(host->record.iface, sizeof(host->record.iface), "%s", order->iface);
    steward_place_enter(&host->place);
    e = steward_number_choose(host->place.marks, &host->record.number);
    steward_place_leave(&host->place);
    if (e != ERR_OK)
        steward_say(why, "all %d packet marks for tunnels are in use", STEWARD_NUMBERS);
    host->former_dns_count = host_dns_servers(host->former_dns, STEWARD_DNS);
    return e;
}

static bool answer(const struct steward_reply *reply)
{
    uint8_t bytes[STEWARD_REPLY_SIZE];
    steward_reply_write(reply, bytes);
    return send(SOCKET_FD, bytes, sizeof(bytes), MSG_NOSIGNAL) == (ssize_t)sizeof(bytes);
}

static struct steward_reply act_on(struct steward_host *host, struct view message)
{
    struct steward_request request;
    struct steward_reply reply = {.mark = steward_number_mark(host->record.number)};
    reply.result = steward_request_read(message, &request);
    if (reply.result != ERR_OK) {
        steward_say(reply.why, "the steward did not understand what it was asked");
        return reply;
    }
    reply.result = request.verb == STEWARD_APPLY ? steward_plan_judge(&request.plan, reply.why) : ERR_OK;
    if (reply.result != ERR_OK)
        return reply;
    steward_place_enter(&host->place);
    reply.result = request.verb == STEWARD_APPLY ? steward_host_apply(host, &request.plan, reply.why)
                                                 : steward_host_undo(host, reply.why);
    steward_place_leave(&host->place);
    return reply;
}

static void serve_requests(struct steward_host *host)
{
    uint8_t message[STEWARD_REQUEST_SIZE + 1]; /* one more: a longer message is no request */
    for (;;) {
        const ssize_t n = recv(SOCKET_FD, message, sizeof(message), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        const struct steward_reply reply = act_on(host, view_of(message, (size_t)n));
        if (!answer(&reply))
            return;
    }
}

/* The first message, from a client that has all its rights still. */
static bool hear_order(struct steward_order *out)
{
    ssize_t n;
    while ((n = recv(SOCKET_FD, out, sizeof(*out), 0)) < 0 && errno == EINTR)
        ;
    return n == (ssize_t)sizeof(*out);
}

_Noreturn void steward_serve(int fd)
{
    static struct steward_host host;
    struct steward_order order;
    struct steward_reply ready = {.result = ERR_OK};
    host.place.lock = host.place.marks = -1;
    leave_the_client(fd);
    if (!hear_order(&order))
        _exit(0);
    ready.result = prepare(&host, &order, ready.why);
    ready.mark = steward_number_mark(host.record.number);
    if (answer(&ready) && ready.result == ERR_OK) {
        char why[STEWARD_WHY];
        serve_requests(&host);
        steward_place_enter(&host.place);
        if (steward_host_undo(&host, why) != ERR_OK || why[0])
            dprintf(STDERR_FILENO, "sekisho: connection %s: %s\n", host.place.name, why);
        steward_place_leave(&host.place);
    }
    steward_place_close(&host.place);
    _exit(0);
}
