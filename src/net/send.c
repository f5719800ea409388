/*
 * Sending in batches: a train leaves as one UDP_SEGMENT message (the kernel cuts it, or the network card does), and so
 * do neighbours of one path and size; many messages go in one sendmmsg. The datagrams lie where the layers above built
 * them; the kernel gathers them.
 */
#include "net/net_internal.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL_SIZE 128

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

struct send_batch {
    struct mmsghdr messages[SEND_MESSAGES];
    struct iovec pieces[SEND_PIECES];
    union sockaddr_any to[SEND_MESSAGES];
    _Alignas(struct cmsghdr) uint8_t control[SEND_MESSAGES][CONTROL_SIZE];
};

struct send_batch *send_batch_new(void)
{
    return calloc(1, sizeof(struct send_batch));
}

void send_batch_free(struct send_batch *batch)
{
    free(batch);
}

static void put_control(struct msghdr *m, int level, int type, const void *data, size_t n)
{
    struct cmsghdr *c = (struct cmsghdr *)(void *)((uint8_t *)m->msg_control + m->msg_controllen);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(n);
    memcpy(CMSG_DATA(c), data, n);
    m->msg_controllen += CMSG_SPACE(n);
}

/* A reply leaves from the address that was dialled, whatever the routing table would choose. */
static void put_source(struct msghdr *m, const struct ip_addr *source)
{
    if (ip_is_any(source))
        return;
    if (source->family == 4) {
        struct in_pktinfo info = {.ipi_ifindex = 0};
        memcpy(&info.ipi_spec_dst, source->b, 4);
        put_control(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    } else if (source->family == 6) {
        struct in6_pktinfo info = {.ipi6_ifindex = 0};
        memcpy(&info.ipi6_addr, source->b, 16);
        put_control(m, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    }
}

static bool is_train(const struct sendable *s)
{
    return sendable_datagrams(s) > 1;
}

/* How many from the first on may leave as one message: a train by itself, or single datagrams made into one. */
static size_t message_length(const struct sock *s, const struct sendable *list, size_t n)
{
    const uint32_t size = list[0].len;
    if (!s->segments || size == 0 || is_train(&list[0]) || list[0].whole)
        return 1;
    size_t count = 1;
    uint32_t bytes = size;
    while (count < n && count < SENDABLE_SEGMENTS) {
        const struct sendable *next = &list[count];
        if (is_train(next) || next->whole || next->len > size || next->len == 0 || bytes + next->len > SENDABLE_BYTES ||
            (next->path != list[0].path && !path_equal(next->path, list[0].path)))
            break;
        bytes += next->len;
        count++;
        if (next->len < size)
            break; /* only the last may be shorter */
    }
    return count;
}

/* Writes message m of the batch for the first count sendables of the list, using their pieces. */
static void put_message(struct sock *s, size_t m, struct iovec *pieces, const struct sendable *list, size_t count)
{
    struct send_batch *b = s->batch;
    for (size_t i = 0; i < count; i++)
        pieces[i] = (struct iovec){(void *)(uintptr_t)list[i].data, list[i].len};
    const struct endpoint *remote = &list[0].path->remote;
    struct msghdr *h = &b->messages[m].msg_hdr;
    *h = (struct msghdr){
        .msg_name = &b->to[m],
        .msg_namelen = sockaddr_write(&b->to[m], &remote->addr, s->kind == SOCK_RAW_ESP ? 0 : remote->port),
        .msg_iov = pieces,
        .msg_iovlen = count,
        .msg_control = b->control[m],
    };
    put_source(h, &list[0].path->local.addr);
    if (count > 1 || is_train(&list[0])) {
        const uint16_t size = count > 1 ? (uint16_t)list[0].len : list[0].segment;
        put_control(h, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
    }
    if (h->msg_controllen == 0)
        h->msg_control = NULL;
}

static bool buffer_is_full(int error)
{
    return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

static bool train_was_refused(int error)
{
    return error == EIO || error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP || error == ENOPROTOOPT;
}

/* Sends one datagram. False: the socket's buffer is full. */
static bool send_one(struct sock *s, const struct sendable *one)
{
    put_message(s, 0, s->batch->pieces, one, 1);
    if (one->whole)
        sock_set_whole(s, true);
    ssize_t n;
    do
        n = sendmsg(s->fd, &s->batch->messages[0].msg_hdr, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    const int error = errno;
    if (one->whole)
        sock_set_whole(s, false);
    errno = error;
    if (n < 0 && buffer_is_full(errno))
        return false;
    s->counters.sent_calls++;
    if (n < 0) {
        s->counters.refused++;
        s->counters.last_errno = errno;
    } else {
        s->counters.sent++;
    }
    return true;
}

/* Sends what a message held datagram by datagram, and returns how many sendables were dealt with. */
static size_t send_singly(struct sock *s, const struct sendable *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t step = is_train(&list[i]) ? list[i].segment : list[i].len;
        uint32_t at = 0;
        do {
            const uint32_t left = list[i].len - at;
            const struct sendable one = {list[i].path, list[i].data + at, left < step ? left : step, 0, list[i].whole};
            if (!send_one(s, &one))
                return i;
            at += one.len;
        } while (at < list[i].len);
    }
    return count;
}

/* Puts as many as fit into the batch; returns the number of messages. */
static size_t fill(struct sock *s, const struct sendable *list, size_t n)
{
    size_t messages = 0, used = 0;
    while (messages < SEND_MESSAGES && used < n && used < SEND_PIECES) {
        if ((!s->segments && is_train(&list[used])) || list[used].whole)
            break;
        const size_t room = n - used < SEND_PIECES - used ? n - used : SEND_PIECES - used;
        const size_t count = message_length(s, list + used, room);
        put_message(s, messages++, s->batch->pieces + used, list + used, count);
        used += count;
    }
    return messages;
}

/* The sendables that the first n messages stand for; the datagrams in them are added to *datagrams. */
static size_t covered(const struct send_batch *b, size_t n, const struct sendable *list, uint64_t *datagrams)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t end = count + b->messages[i].msg_hdr.msg_iovlen; count < end; count++)
            *datagrams += sendable_datagrams(&list[count]);
    return count;
}

/* The first message was refused; the kernel did not look at the others. EIO says that the device cannot checksum
 * segments (udp_send_skb in the kernel): no more trains on this socket then. The other refusals are about this train,
 * such as one larger than the path's MTU, which as single datagrams may be fragmented. */
static size_t after_refusal(struct sock *s, const struct sendable *list, int error, bool *full)
{
    uint64_t datagrams = 0;
    const size_t count = covered(s->batch, 1, list, &datagrams);
    if (datagrams > 1 && train_was_refused(error)) {
        if (error == EIO || error == ENOPROTOOPT)
            s->segments = false;
        const size_t dealt = send_singly(s, list, count);
        *full = dealt < count;
        return dealt;
    }
    s->counters.refused += datagrams;
    s->counters.last_errno = error;
    return count;
}

size_t sock_send(struct sock *sock, const struct sendable *list, size_t n)
{
    size_t done = 0;
    bool full = false;
    while (done < n && !full) {
        const size_t messages = fill(sock, list + done, n - done);
        if (messages == 0) { /* a train where trains do not go, or one that goes with DF */
            full = send_singly(sock, list + done, 1) == 0;
            done += !full;
            continue;
        }
        const int sent = sendmmsg(sock->fd, sock->batch->messages, (unsigned)messages, MSG_DONTWAIT);
        if (sent > 0) {
            sock->counters.sent_calls++;
            done += covered(sock->batch, (size_t)sent, list + done, &sock->counters.sent);
        } else if (buffer_is_full(errno)) {
            full = true;
        } else if (errno != EINTR) {
            done += after_refusal(sock, list + done, errno, &full);
        }
    }
    return done;
}
