/*
 * What the way in and out of the kernel costs a packet, without any cryptography: the checksum, cutting and joining
 * super-packets, UDP through the loopback with and without trains, writing to a TUN. Best of several short windows by
 * this thread's CPU time, as the machine is shared. The TUN part needs root (a namespace of its own) and is left out
 * otherwise.
 */
#include "net/net.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WINDOWS  7
#define PACKET   1400
#define PAYLOAD  (PACKET - 40)
#define SEGMENTS 46

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds an item, best of the windows; work() does `items` of them. */
static void measure(const char *name, void (*work)(void), uint32_t rounds, uint32_t items)
{
    double best = 1e18;
    for (int w = 0; w < WINDOWS; w++) {
        const double start = cpu_now();
        for (uint32_t i = 0; i < rounds; i++)
            work();
        const double each = (cpu_now() - start) / rounds / items;
        best = each < best ? each : best;
    }
    printf("%-46s %8.1f ns   %7.2f Gb/s\n", name, best, PACKET * 8 / best);
}

static uint8_t super[FRAME_MAX];
static uint8_t packets[SEGMENTS][2048], pristine[SEGMENTS][2048];
static struct frame frame;
static struct coalesce *gatherer;
static volatile uint32_t sink;

static void build(void)
{
    const uint32_t len = 40 + SEGMENTS * PAYLOAD;
    for (uint32_t i = 0; i < sizeof(super); i++)
        super[i] = (uint8_t)(i * 7);
    struct writer w = wr_init(super, 40);
    wr_u16(&w, 0x4500);
    wr_u16(&w, (uint16_t)len);
    wr_u32(&w, 0x00014000);
    wr_u16(&w, 64 << 8 | IP_PROTO_TCP);
    wr_u16(&w, 0);
    wr_u32(&w, 0x0a370002);
    wr_u32(&w, 0x0a370003);
    wr_u16(&w, 40000);
    wr_u16(&w, 443);
    wr_u32(&w, 1);
    wr_u32(&w, 1);
    wr_u16(&w, 0x5010);
    wr_u16(&w, 500);
    wr_u32(&w, 0);
    frame = (struct frame){
        .data = super,
        .len = len,
        .meta = {.kind = GSO_TCP4,
                 .needs_checksum = true,
                 .size = PAYLOAD,
                 .header = 40,
                 .csum_start = 20,
                 .csum_offset = 16},
    };
}

static void sum(void)
{
    sink = inet_sum(0, packets[0], PACKET);
}

static void cut(void)
{
    struct split s;
    if (split_begin(&s, &frame) != DROP_NONE)
        abort();
    for (uint32_t i = 0; i < s.count; i++)
        split_write(&s, i, packets[i]);
}

static const struct frame_pieces *joined;

static void join(void)
{
    memcpy(packets[0], pristine[0], 64); /* the last round has mended its headers */
    for (uint32_t i = 0; i < SEGMENTS; i++)
        coalesce_add(gatherer, packets[i], PACKET);
    joined = coalesce_take(gatherer);
    sink = joined->n;
    if (joined->n != SEGMENTS)
        abort();
    while (coalesce_take(gatherer))
        ;
}

static struct sock *from, *to;
static struct intake *intake;
static struct path way;
static struct sendable train[SEGMENTS];

static void drain(void)
{
    struct datagram d[INTAKE_BATCH];
    while (sock_receive(to, intake, d) > 0)
        ;
}

static void send_train(void)
{
    if (sock_send(from, train, SEGMENTS) != SEGMENTS)
        abort();
    drain();
}

/* Lengths that never repeat cannot share a train. */
static void send_singly(void)
{
    for (uint32_t i = 0; i < SEGMENTS; i++)
        train[i].len = PACKET - SEGMENTS + i;
    send_train();
    for (uint32_t i = 0; i < SEGMENTS; i++)
        train[i].len = PACKET;
}

static struct sock *open_sock(void)
{
    const struct sock_config config = {.kind = SOCK_UDP_PLAIN, .shards = 1, .local.addr = {4, {127, 0, 0, 1}}};
    struct sock *s;
    if (sock_open(&config, &s) != ERR_OK) {
        perror("socket");
        exit(1);
    }
    return s;
}

static void measure_udp(void)
{
    from = open_sock();
    to = open_sock();
    intake = intake_new();
    way.remote = sock_local(to);
    for (uint32_t i = 0; i < SEGMENTS; i++)
        train[i] = (struct sendable){&way, packets[i], PACKET};
    measure("UDP loopback, send and receive, trains", send_train, 200, SEGMENTS);
    measure("UDP loopback, send and receive, one by one", send_singly, 50, SEGMENTS);
    sock_free(from);
    sock_free(to);
    intake_free(intake);
}

static struct tun *tun;

static void write_joined(void)
{
    join();
    if (tun_write(tun, joined) != ERR_OK)
        abort();
}

static void write_single(void)
{
    struct frame_pieces f = {.n = 1, .len = PACKET, .piece[0] = {packets[1], PACKET}};
    if (tun_write(tun, &f) != ERR_OK)
        abort();
}

static void measure_tun(void)
{
    const struct tun_config config = {.name = "bench%d", .queues = 1};
    const struct ip_addr own = ip4_addr(0x0a370001);
    if (unshare(CLONE_NEWNET) < 0 || tun_open(&config, &tun) != ERR_OK ||
        iface_set_up(tun_iface(tun), true) != ERR_OK || iface_address_add(tun_iface(tun), &own, 24, NULL) != ERR_OK) {
        printf("no TUN: %s\n", strerror(errno));
        return;
    }
    /* Without forwarding the kernel drops what is not for this host, right after it has taken it. */
    measure("coalesce and TUN write, super-packets", write_joined, 500, SEGMENTS);
    measure("TUN write, one by one", write_single, 2000, 1);
    tun_free(tun);
}

int main(void)
{
    build();
    cut();
    memcpy(pristine, packets, sizeof(packets));
    gatherer = coalesce_new();
    measure("inet_sum of 1400 bytes", sum, 20000, 1);
    measure("split: headers, checksum and copy", cut, 1000, SEGMENTS);
    measure("coalesce: verify and join", join, 1000, SEGMENTS);
    measure_udp();
    measure_tun();
    coalesce_free(gatherer);
    return 0;
}
