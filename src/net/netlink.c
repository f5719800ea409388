/* A small writer and reader of rtnetlink messages (RFC 3549, rtnetlink(7)): enough for links, addresses and routes. */
#include "net/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_SIZE  32768 /* what the kernel fills at most in one dump message */
#define ANSWERS_MAX  4096  /* reads of one dump: a bound for a kernel that changes its mind all the time */
#define WAIT_SECONDS 5

static void append(struct netlink_request *r, const void *data, size_t n)
{
    const size_t padded = NLMSG_ALIGN(n);
    if (r->failed || padded > sizeof(r->bytes) - r->n) {
        r->failed = true;
        return;
    }
    memset(r->bytes + r->n, 0, padded);
    if (n > 0)
        memcpy(r->bytes + r->n, data, n);
    r->n += padded;
}

void netlink_begin(struct netlink_request *r, uint16_t type, uint16_t flags, const void *head, size_t n)
{
    r->n = 0;
    r->failed = false;
    const struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags), .nlmsg_seq = 1};
    append(r, &h, sizeof(h));
    append(r, head, n);
}

static void attribute(struct netlink_request *r, uint16_t type, const void *data, size_t n)
{
    const struct rtattr a = {.rta_len = (uint16_t)RTA_LENGTH(n), .rta_type = type};
    append(r, &a, sizeof(a));
    append(r, data, n);
}

void netlink_attribute_u32(struct netlink_request *r, uint16_t type, uint32_t value)
{
    attribute(r, type, &value, sizeof(value));
}

void netlink_attribute_ip(struct netlink_request *r, uint16_t type, const struct ip_addr *addr)
{
    attribute(r, type, addr->b, ip_addr_size(addr));
}

static int netlink_socket(void)
{
    const int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -1;
    const struct timeval wait = {.tv_sec = WAIT_SECONDS};
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    return fd;
}

static enum err err_of(int error)
{
    switch (error) {
    case 0:
        return ERR_OK;
    case EEXIST:
        return ERR_EXISTS;
    case ENOENT:
    case ESRCH:
    case ENODEV:
    case EADDRNOTAVAIL:
        errno = error;
        return ERR_NOTFOUND;
    default:
        errno = error;
        return ERR_SYSTEM;
    }
}

struct conversation {
    void (*answer)(void *ctx, uint16_t type, struct view body);
    void *ctx;
    bool over;
    enum err result;
};

/* One datagram from the kernel holds one or more messages. */
static void hear(struct conversation *c, const uint8_t *p, size_t n)
{
    while (!c->over && n >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr h;
        memcpy(&h, p, sizeof(h));
        if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > n)
            break;
        const struct view body = {p + NLMSG_HDRLEN, h.nlmsg_len - NLMSG_HDRLEN};
        if (h.nlmsg_type == NLMSG_ERROR) {
            int error = -EPROTO;
            if (body.n >= sizeof(error))
                memcpy(&error, body.p, sizeof(error));
            c->result = err_of(-error);
            c->over = true;
        } else if (h.nlmsg_type == NLMSG_DONE) {
            c->over = true;
        } else if (c->answer && h.nlmsg_type >= NLMSG_MIN_TYPE) {
            c->answer(c->ctx, h.nlmsg_type, body);
        }
        const size_t step = NLMSG_ALIGN(h.nlmsg_len);
        if (step >= n)
            break;
        p += step;
        n -= step;
    }
}

static enum err listen_to(int fd, struct conversation *c)
{
    static _Thread_local _Alignas(struct nlmsghdr) uint8_t buffer[ANSWER_SIZE];
    for (int i = 0; i < ANSWERS_MAX && !c->over; i++) {
        struct sockaddr_nl from = {.nl_pid = 0};
        socklen_t from_size = sizeof(from);
        const ssize_t n = recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &from_size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR_SYSTEM;
        if (from.nl_pid == 0) /* the kernel, and no other process */
            hear(c, buffer, (size_t)n);
    }
    return c->over ? c->result : ERR_SYSTEM;
}

enum err netlink_talk(const struct netlink_request *r, void (*answer)(void *ctx, uint16_t type, struct view body),
                      void *ctx)
{
    if (r->failed)
        return ERR_LIMIT;
    struct netlink_request sent = *r;
    struct nlmsghdr h;
    memcpy(&h, sent.bytes, sizeof(h));
    h.nlmsg_len = (uint32_t)sent.n;
    if ((h.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
        h.nlmsg_flags |= NLM_F_ACK; /* so that every conversation has an end */
    memcpy(sent.bytes, &h, sizeof(h));
    const int fd = netlink_socket();
    if (fd < 0)
        return ERR_SYSTEM;
    struct conversation c = {.answer = answer, .ctx = ctx, .result = ERR_OK};
    enum err e = ERR_SYSTEM;
    if (send(fd, sent.bytes, sent.n, 0) == (ssize_t)sent.n)
        e = listen_to(fd, &c);
    const int saved = errno;
    close(fd);
    errno = saved;
    return e;
}

bool netlink_next_attribute(struct view *rest, uint16_t *type, struct view *value)
{
    struct rtattr a;
    if (rest->n < sizeof(a))
        return false;
    memcpy(&a, rest->p, sizeof(a));
    if (a.rta_len < sizeof(a) || a.rta_len > rest->n)
        return false;
    *type = a.rta_type & NLA_TYPE_MASK;
    *value = (struct view){rest->p + RTA_LENGTH(0), a.rta_len - RTA_LENGTH(0)};
    const size_t step = RTA_ALIGN(a.rta_len) < rest->n ? RTA_ALIGN(a.rta_len) : rest->n;
    rest->p += step;
    rest->n -= step;
    return true;
}

bool netlink_head(struct view *body, void *head, size_t n)
{
    if (body->n < n)
        return false;
    memcpy(head, body->p, n);
    const size_t step = NLMSG_ALIGN(n) < body->n ? NLMSG_ALIGN(n) : body->n;
    body->p += step;
    body->n -= step;
    return true;
}

uint32_t netlink_u32(struct view value)
{
    uint32_t v = 0;
    if (value.n == sizeof(v))
        memcpy(&v, value.p, sizeof(v));
    return v;
}

struct ip_addr netlink_ip(struct view value)
{
    struct ip_addr a = {.family = value.n == 4 ? 4 : value.n == 16 ? 6 : 0};
    if (a.family)
        memcpy(a.b, value.p, value.n);
    return a;
}
