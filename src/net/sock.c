/*
 * Opening datagram sockets: one for each shard, in a reuseport group that a small program steers (steer.c), or raw ESP
 * sockets with a filter each, as a raw socket sees every packet of its protocol.
 */
#include "net/net_internal.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_DEFAULT (8u << 20)

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

socklen_t sockaddr_write(union sockaddr_any *out, const struct ip_addr *addr, uint16_t port)
{
    memset(out, 0, sizeof(*out));
    if (addr->family == 4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        memcpy(&out->v4.sin_addr, addr->b, 4);
        return sizeof(out->v4);
    }
    if (addr->family == 6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        memcpy(&out->v6.sin6_addr, addr->b, 16);
        return sizeof(out->v6);
    }
    return 0;
}

struct endpoint sockaddr_read(const union sockaddr_any *from)
{
    struct endpoint e = {.port = 0};
    if (from->any.sa_family == AF_INET) {
        e.addr.family = 4;
        e.port = ntohs(from->v4.sin_port);
        memcpy(e.addr.b, &from->v4.sin_addr, 4);
    } else if (from->any.sa_family == AF_INET6) {
        e.addr.family = 6;
        e.port = ntohs(from->v6.sin6_port);
        memcpy(e.addr.b, &from->v6.sin6_addr, 16);
    }
    return e;
}

static void close_quietly(int fd)
{
    const int saved = errno;
    close(fd);
    errno = saved;
}

static int set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value));
}

/* The forced variants pass over the system's limit; they need CAP_NET_ADMIN. */
static void size_buffers(int fd, uint32_t bytes)
{
    const int size = (int)(bytes ? bytes : BUFFER_DEFAULT);
    if (set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, size) < 0)
        set_int(fd, SOL_SOCKET, SO_RCVBUF, size);
    if (set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, size) < 0)
        set_int(fd, SOL_SOCKET, SO_SNDBUF, size);
}

/* Each datagram tells the address it came to. Outer packets leave without DF: a tunnel packet that meets a smaller link
 * must arrive in fragments rather than not at all. */
static int set_ip_options(int fd, uint8_t family)
{
    if (family == 4)
        return set_int(fd, IPPROTO_IP, IP_PKTINFO, 1) | set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    return set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) |
           set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
}

void sock_set_whole(const struct sock *sock, bool whole)
{
    if (sock->local.addr.family == 4)
        set_int(sock->fd, IPPROTO_IP, IP_MTU_DISCOVER, whole ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
    else
        set_int(sock->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, whole ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);
    if (sock->local.addr.family == 6)
        set_int(sock->fd, IPPROTO_IPV6, IPV6_DONTFRAG, whole);
}

static enum err set_options(struct sock *s, const struct sock_config *config, bool shared)
{
    const uint8_t family = config->local.addr.family;
    if (set_ip_options(s->fd, family) < 0)
        return ERR_SYSTEM;
    if (family == 6 && config->kind != SOCK_RAW_ESP && set_int(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0)
        return ERR_SYSTEM; /* raw sockets are of one family anyway */
    if (shared && set_int(s->fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
        return ERR_SYSTEM;
    if (config->mark && set_int(s->fd, SOL_SOCKET, SO_MARK, (int)config->mark) < 0)
        return ERR_SYSTEM;
    if (config->device && setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, config->device,
                                     (socklen_t)strnlen(config->device, IFACE_NAME_MAX)) < 0)
        return ERR_SYSTEM;
    if (config->kind != SOCK_RAW_ESP)
        set_int(s->fd, IPPROTO_UDP, UDP_GRO, 1); /* best effort: without it datagrams come one by one */
    size_buffers(s->fd, config->buffer);
    return ERR_OK;
}

static enum err bind_to(struct sock *s, const struct endpoint *local)
{
    union sockaddr_any a;
    const uint16_t port = s->kind == SOCK_RAW_ESP ? 0 : local->port;
    const socklen_t n = sockaddr_write(&a, &local->addr, port);
    if (bind(s->fd, &a.any, n) < 0)
        return ERR_SYSTEM;
    socklen_t got = sizeof(a);
    if (getsockname(s->fd, &a.any, &got) < 0)
        return ERR_SYSTEM;
    s->local = sockaddr_read(&a);
    if (s->kind == SOCK_RAW_ESP)
        s->local.port = 0; /* a raw socket shows its protocol there */
    return ERR_OK;
}

static struct sock *sock_new(const struct sock_config *config)
{
    struct sock *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    const int family = config->local.addr.family == 4 ? AF_INET : AF_INET6;
    const bool raw = config->kind == SOCK_RAW_ESP;
    s->kind = config->kind;
    /* Messages of IKE leave one by one: a router that looks into port 500 would take a train for one message. */
    s->segments = !raw && config->kind != SOCK_UDP_IKE;
    s->batch = send_batch_new();
    s->fd = s->batch
                ? socket(family, (raw ? SOCK_RAW : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, raw ? IP_PROTO_ESP : 0)
                : -1;
    if (s->fd < 0) {
        sock_free(s);
        return NULL;
    }
    return s;
}

void sock_free(struct sock *sock)
{
    if (!sock)
        return;
    const int saved = errno;
    if (sock->fd >= 0)
        close(sock->fd);
    send_batch_free(sock->batch);
    free(sock);
    errno = saved;
}

int sock_fd(const struct sock *sock)
{
    return sock->fd;
}

struct endpoint sock_local(const struct sock *sock)
{
    return sock->local;
}

struct sock_counters sock_counters(const struct sock *sock)
{
    return sock->counters;
}

/* Reuseport lets any process of the same user in. So the port is taken once without it, to be told when somebody else
 * has it. */
static enum err probe_port(const struct sock_config *config)
{
    struct sock *s = sock_new(config);
    if (!s)
        return ERR_SYSTEM;
    enum err e = set_options(s, config, false);
    if (e == ERR_OK)
        e = bind_to(s, &config->local);
    sock_free(s);
    return e;
}

static enum err attach(const struct sock *s, int option, struct steer_program program)
{
    const struct sock_fprog prog = {.len = program.n, .filter = program.code};
    return setsockopt(s->fd, SOL_SOCKET, option, &prog, sizeof(prog)) < 0 ? ERR_SYSTEM : ERR_OK;
}

/* The filter goes in before the socket is bound, as a raw socket receives from its birth on; what came before the
 * filter is read away. */
static enum err filter_raw(const struct sock *s, const struct sock_config *config, uint8_t shard)
{
    const struct steer_program p = steer_raw_esp(config->local.addr.family, shard, config->shards, config->shard_bits);
    const enum err e = attach(s, SO_ATTACH_FILTER, p);
    uint8_t byte;
    while (e == ERR_OK && recv(s->fd, &byte, 1, MSG_DONTWAIT) >= 0)
        ;
    return e;
}

static enum err open_one(const struct sock_config *config, uint8_t shard, struct sock **out)
{
    struct sock *s = sock_new(config);
    if (!s)
        return ERR_SYSTEM;
    const bool raw = config->kind == SOCK_RAW_ESP;
    enum err e = set_options(s, config, config->shards > 1 && !raw);
    if (e == ERR_OK && raw && config->shards > 1)
        e = filter_raw(s, config, shard);
    if (e == ERR_OK)
        e = bind_to(s, &config->local);
    if (e != ERR_OK) {
        sock_free(s);
        return e;
    }
    *out = s;
    return ERR_OK;
}

static bool config_is_sane(const struct sock_config *config)
{
    return (config->local.addr.family == 4 || config->local.addr.family == 6) && config->shards > 0 &&
           config->shard_bits <= 8 && config->shards <= 1u << config->shard_bits;
}

/* The program belongs to the group, and its result is the order in which sockets were bound. */
static enum err steer(struct sock *first, const struct sock_config *config)
{
    if (config->shards <= 1 || (config->kind != SOCK_UDP_IKE && config->kind != SOCK_UDP_NATT))
        return ERR_OK;
    return attach(first, SO_ATTACH_REUSEPORT_CBPF, steer_udp(config->kind, config->shards, config->shard_bits));
}

enum err sock_open(const struct sock_config *config, struct sock **out)
{
    if (!config_is_sane(config))
        return ERR_INVALID;
    struct sock *opened[UINT8_MAX] = {NULL};
    struct sock_config c = *config;
    enum err e = ERR_OK;
    if (c.shards > 1 && c.kind != SOCK_RAW_ESP && c.local.port != 0)
        e = probe_port(&c);
    for (uint8_t i = 0; e == ERR_OK && i < c.shards; i++) {
        e = open_one(&c, i, &opened[i]);
        if (e == ERR_OK && i == 0) {
            c.local.port = opened[0]->local.port; /* the one the kernel chose, for all */
            e = steer(opened[0], &c);
        }
    }
    if (e != ERR_OK) {
        for (uint8_t i = 0; i < c.shards; i++)
            sock_free(opened[i]);
        return e;
    }
    memcpy(out, opened, c.shards * sizeof(*out));
    return ERR_OK;
}

enum err source_open(uint8_t family, uint32_t mark, int *fd)
{
    const int opened = socket(family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (opened < 0)
        return ERR_SYSTEM;
    if (mark && set_int(opened, SOL_SOCKET, SO_MARK, (int)mark) < 0) {
        close_quietly(opened);
        return ERR_SYSTEM;
    }
    *fd = opened;
    return ERR_OK;
}

enum err source_ask(int fd, const struct ip_addr *to, struct ip_addr *out)
{
    union sockaddr_any a = {.any.sa_family = AF_UNSPEC};
    if (connect(fd, &a.any, sizeof(a.any)) < 0 && errno != EAFNOSUPPORT) /* forgets the way that was asked for before */
        return ERR_SYSTEM;
    socklen_t n = sockaddr_write(&a, to, IKE_PORT);
    if (n == 0)
        return ERR_INVALID;
    if (connect(fd, &a.any, n) < 0 || (n = sizeof(a), getsockname(fd, &a.any, &n)) < 0)
        return ERR_SYSTEM;
    *out = sockaddr_read(&a).addr;
    return ERR_OK;
}
