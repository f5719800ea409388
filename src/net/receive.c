/*
 * Receiving in batches: one kernel entry brings up to eight trains of datagrams, each put together by UDP GRO from
 * datagrams of one path and size; or many more datagrams where none come in trains, as on raw sockets, so that the
 * cipher's lanes are filled all the same. Nothing is copied here; layers work in these buffers until the next receive.
 */
#include "net/net_internal.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BUFFER_DATA   65536
#define BUFFER_SIZE   (DATAGRAM_HEADROOM + BUFFER_DATA + DATAGRAM_TAILROOM)
#define CONTROL_SIZE  128 /* pktinfo of either family and the GRO size */
#define IP4_MINIMUM   20
#define TRAINS        8 /* as much as the second-level cache has room for, with what the kernel copies from */
#define INTAKE_MEMORY ((size_t)INTAKE_BATCH * BUFFER_SIZE)

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

struct intake {
    uint8_t *memory;
    struct mmsghdr messages[INTAKE_BATCH];
    struct iovec pieces[INTAKE_BATCH];
    union sockaddr_any from[INTAKE_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[INTAKE_BATCH][CONTROL_SIZE];
};

static uint8_t *buffer_of(const struct intake *intake, size_t i)
{
    return intake->memory + i * BUFFER_SIZE + DATAGRAM_HEADROOM;
}

struct intake *intake_new_cold(void)
{
    struct intake *intake = calloc(1, sizeof(*intake));
    if (!intake)
        return NULL;
    void *memory = mmap(NULL, INTAKE_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        free(intake);
        return NULL;
    }
    intake->memory = memory;
    for (size_t i = 0; i < INTAKE_BATCH; i++) {
        intake->pieces[i] = (struct iovec){buffer_of(intake, i), BUFFER_DATA};
        intake->messages[i].msg_hdr.msg_iov = &intake->pieces[i];
        intake->messages[i].msg_hdr.msg_iovlen = 1;
        intake->messages[i].msg_hdr.msg_name = &intake->from[i];
        intake->messages[i].msg_hdr.msg_control = intake->control[i];
    }
    return intake;
}

struct intake *intake_new(void)
{
    struct intake *intake = intake_new_cold();
    if (intake) /* of the buffers for single datagrams only the first pages are ever used */
        memset(intake->memory, 0, (size_t)TRAINS * BUFFER_SIZE);
    return intake;
}

void intake_free(struct intake *intake)
{
    if (!intake)
        return;
    munmap(intake->memory, INTAKE_MEMORY);
    free(intake);
}

/* The address dialled and the size of a train's segments. */
static void read_control(struct msghdr *m, struct ip_addr *local, uint16_t *segment)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            local->family = 4;
            memcpy(local->b, &info.ipi_addr, 4);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            local->family = 6;
            memcpy(local->b, &info.ipi6_addr, 16);
        } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int size;
            memcpy(&size, CMSG_DATA(c), sizeof(size));
            *segment = size > 0 && size <= UINT16_MAX ? (uint16_t)size : 0;
        }
    }
}

/* A raw IPv4 socket gives the IP header too (raw(7)); an IPv6 one does not (RFC 3542 3). */
static bool strip_ip4(struct datagram *d)
{
    if (d->len < IP4_MINIMUM || d->data[0] >> 4 != 4)
        return false;
    const uint32_t header = (d->data[0] & 0x0fu) * 4;
    if (header < IP4_MINIMUM || header > d->len || d->data[9] != IP_PROTO_ESP)
        return false;
    d->data += header;
    d->len -= header;
    return true;
}

static bool yield(struct sock *s, struct intake *intake, size_t i, struct datagram *out)
{
    struct mmsghdr *m = &intake->messages[i];
    if (m->msg_hdr.msg_flags & MSG_TRUNC) {
        s->counters.truncated++;
        return false;
    }
    struct datagram d = {.data = buffer_of(intake, i), .len = m->msg_len};
    d.path.remote = sockaddr_read(&intake->from[i]);
    d.path.local = s->local;
    read_control(&m->msg_hdr, &d.path.local.addr, &d.segment);
    if (d.segment >= d.len)
        d.segment = 0;
    if (s->kind == SOCK_RAW_ESP) {
        d.path.remote.port = 0;
        if (s->local.addr.family == 4 && !strip_ip4(&d))
            return false;
    }
    s->counters.received += d.segment ? (d.len + d.segment - 1) / d.segment : 1;
    *out = d;
    return true;
}

/* From the first train on few buffers are offered, and those stay warm; many again after a full batch without any. */
static void learn(struct sock *s, const struct datagram *in, size_t n, bool full)
{
    bool train = false;
    for (size_t i = 0; i < n; i++)
        train |= in[i].segment > 0;
    if (train)
        s->trains_come = true;
    else if (full)
        s->trains_come = false;
}

size_t sock_receive(struct sock *sock, struct intake *intake, struct datagram out[static INTAKE_BATCH])
{
    size_t taken = 0;
    while (taken == 0) {
        const unsigned ask = sock->trains_come ? TRAINS : INTAKE_BATCH;
        for (size_t i = 0; i < ask; i++) {
            struct msghdr *m = &intake->messages[i].msg_hdr;
            m->msg_namelen = sizeof(intake->from[i]);
            m->msg_controllen = CONTROL_SIZE;
        }
        const int n = recvmmsg(sock->fd, intake->messages, ask, MSG_DONTWAIT, NULL);
        if (n <= 0) {
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                sock->counters.last_errno = errno;
            return 0;
        }
        sock->counters.received_calls++;
        for (size_t i = 0; i < (size_t)n; i++)
            taken += yield(sock, intake, i, &out[taken]);
        learn(sock, out, taken, (unsigned)n == ask);
    }
    return taken;
}
