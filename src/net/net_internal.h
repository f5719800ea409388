/* What the files of net share among themselves. */
#ifndef SEKISHO_NET_INTERNAL_H
#define SEKISHO_NET_INTERNAL_H

#include "net/net.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* ---- addresses as the kernel writes them ---- */

union sockaddr_any {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Fills out and returns its length; 0 when the family is neither 4 nor 6. */
socklen_t sockaddr_write(union sockaddr_any *out, const struct ip_addr *addr, uint16_t port);
struct endpoint sockaddr_read(const union sockaddr_any *from);

static inline bool ip_is_any(const struct ip_addr *a)
{
    static const uint8_t zero[16];
    return memcmp(a->b, zero, ip_addr_size(a)) == 0;
}

/* ---- a socket ---- */

#define SEND_MESSAGES 32  /* messages in one sendmmsg */
#define SEND_PIECES   256 /* datagrams in one sendmmsg */

struct send_batch; /* scratch of sock_send() */

struct sock {
    int fd;
    enum sock_kind kind;
    struct endpoint local;
    bool segments;    /* UDP_SEGMENT has not failed so far */
    bool trains_come; /* UDP GRO puts datagrams together */
    struct sock_counters counters;
    struct send_batch *batch;
};

/* Whether what leaves from now on goes with DF. */
void sock_set_whole(const struct sock *sock, bool whole);

struct send_batch *send_batch_new(void);
void send_batch_free(struct send_batch *batch);

/* ---- steering: classic BPF ---- */

#define STEER_PROGRAM_MAX 24 /* instructions */

struct steer_program {
    struct sock_filter code[STEER_PROGRAM_MAX];
    uint16_t n;
};

/* The reuseport program of a UDP group: returns the index of the socket. */
struct steer_program steer_udp(enum sock_kind kind, uint8_t shards, uint8_t shard_bits);
/* The socket filter of one raw ESP socket: keeps what belongs to this shard. IPv4 raw sockets see the IP header. */
struct steer_program steer_raw_esp(uint8_t family, uint8_t shard, uint8_t shards, uint8_t shard_bits);

#endif
