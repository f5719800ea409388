/* The client's side: starting the steward, asking it, waiting for its answer. */
#include "steward/steward_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_TIME (60 * USEC_SEC) /* several programs with their own limits, and other stewards at work */

struct steward {
    pid_t pid;
    int fd;
    uint32_t mark;
};

static enum err wait_for_answer(int fd, struct steward_reply *out)
{
    uint8_t bytes[STEWARD_REPLY_SIZE + 1];
    const usec_t until = clock_now() + ANSWER_TIME;
    for (usec_t now = clock_now(); now < until; now = clock_now()) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, (int)((until - now) / USEC_MSEC) + 1) <= 0)
            continue;
        const ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        return n <= 0 ? ERR_STATE : steward_reply_read(view_of(bytes, (size_t)n), out);
    }
    return ERR_STATE;
}

static void wait_for_end(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void release(struct steward *steward)
{
    close(steward->fd); /* by which it knows */
    wait_for_end(steward->pid);
    free(steward);
}

static enum err fork_it(struct steward *steward, char why[static STEWARD_WHY])
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        steward_say(why, "cannot make a socket for the steward: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    steward->pid = fork();
    if (steward->pid == 0)
        steward_serve(ends[1]);
    const int saved = errno;
    close(ends[1]);
    steward->fd = ends[0];
    if (steward->pid > 0)
        return ERR_OK;
    close(ends[0]);
    steward_say(why, "cannot start the steward: %s", strerror(saved));
    return ERR_SYSTEM;
}

enum err steward_fork(struct steward **out, char why[static STEWARD_WHY])
{
    struct steward *steward = calloc(1, sizeof(*steward));
    why[0] = '\0';
    if (!steward)
        return ERR_NOMEM;
    const enum err e = fork_it(steward, why);
    if (e != ERR_OK)
        free(steward);
    else
        *out = steward;
    return e;
}

/* False: it does not fit. */
static bool put(char *out, size_t cap, const char *text)
{
    return (size_t)snprintf(out, cap, "%s", text) < cap;
}

enum err steward_start(struct steward *steward, const struct steward_config *config, char why[static STEWARD_WHY])
{
    struct steward_order order = {0};
    struct steward_reply reply;
    why[0] = '\0';
    if (!put(order.name, sizeof(order.name), config->name) || !put(order.iface, sizeof(order.iface), config->iface) ||
        !put(order.dir, sizeof(order.dir), config->state_dir ? config->state_dir : STEWARD_DIR)) {
        steward_say(why, "a name is too long for the steward");
        return ERR_INVALID;
    }
    if (send(steward->fd, &order, sizeof(order), MSG_NOSIGNAL) != (ssize_t)sizeof(order) ||
        wait_for_answer(steward->fd, &reply) != ERR_OK) {
        steward_say(why, "the steward did not start");
        return ERR_STATE;
    }
    memcpy(why, reply.why, sizeof(reply.why));
    steward->mark = reply.mark;
    return reply.result;
}

uint32_t steward_mark(const struct steward *steward)
{
    return steward->mark;
}

int steward_fd(const struct steward *steward)
{
    return steward->fd;
}

static enum err ask(struct steward *steward, const struct steward_request *request, char why[static STEWARD_WHY])
{
    uint8_t bytes[STEWARD_REQUEST_SIZE];
    struct steward_reply reply;
    why[0] = '\0';
    if (steward_request_write(request, bytes) != ERR_OK) {
        steward_say(why, "more routes, name servers or domains than a tunnel may have");
        return ERR_INVALID;
    }
    enum err e = send(steward->fd, bytes, sizeof(bytes), MSG_NOSIGNAL) == (ssize_t)sizeof(bytes) ? ERR_OK : ERR_STATE;
    if (e == ERR_OK)
        e = wait_for_answer(steward->fd, &reply);
    if (e != ERR_OK) {
        shutdown(steward->fd, SHUT_RDWR); /* a late answer must not be taken for the next one's */
        steward_say(why, "the steward, which sets up the host for the tunnel, does not answer");
        return ERR_STATE;
    }
    memcpy(why, reply.why, sizeof(reply.why));
    return reply.result;
}

enum err steward_apply(struct steward *steward, const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    const struct steward_request request = {.verb = STEWARD_APPLY, .plan = *plan};
    return ask(steward, &request, why);
}

enum err steward_undo(struct steward *steward, char why[static STEWARD_WHY])
{
    const struct steward_request request = {.verb = STEWARD_UNDO};
    return ask(steward, &request, why);
}

void steward_end(struct steward *steward)
{
    if (steward)
        release(steward);
}

enum err steward_clean(const char *state_dir, const char *name, char why[static STEWARD_WHY])
{
    struct steward_host *host = calloc(1, sizeof(*host));
    why[0] = '\0';
    if (!host)
        return ERR_NOMEM;
    enum err e = steward_place_open(state_dir, name, &host->place, why);
    if (e == ERR_OK) {
        e = steward_host_clean(host, why);
        steward_place_close(&host->place);
    } else if (e == ERR_EXISTS) {
        e = ERR_STATE;
    }
    free(host);
    return e;
}
