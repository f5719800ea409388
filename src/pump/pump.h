/*
 * Where the pure road meets the kernel: moves datagrams between sockets and a stack, frames between the stack and the
 * TUN, and time into it. The gateway has one pump a shard, the client one. One thread's own.
 */
#ifndef SEKISHO_PUMP_H
#define SEKISHO_PUMP_H

#include "net/net.h"
#include "stack/stack.h"

#define PUMP_SOCKS_MAX 128

struct pump;

struct pump_sock {
    struct sock *sock; /* the caller's */
    enum sock_kind kind;
};

struct pump_config {
    struct loop *loop;
    struct stack *stack;
    struct tun *tun; /* NULL: inner packets go to deliver */
    /* Called for each frame out of the tunnel when there is no TUN. NULL: they go nowhere (a load generator). */
    void (*deliver)(void *ctx, const struct frame_pieces *frame);
    const struct pump_sock *socks;
    size_t sock_count;
    bool cold; /* memory is taken when packets come, not now: for one of thousands */
    /* Called when the stack may have events to tell; pulls them all. */
    void (*tell)(void *ctx, usec_t now);
    /* Called for each frame of the TUN: true when the frame was taken elsewhere. NULL: never. */
    bool (*elsewhere)(void *ctx, const struct frame *frame);
    /* Called for each datagram that bears a first message of main mode: true when it was taken elsewhere. NULL: never.
     */
    bool (*stray)(void *ctx, const struct datagram *datagram);
    /* Called once when somebody has deleted the TUN: nothing is read from it any more. Where there is one, not NULL. */
    void (*gone)(void *ctx);
    void *ctx;
};

/* Watches the descriptors in the loop; all that config names must outlive the pump. NULL: out of memory or descriptors.
 */
struct pump *pump_new(const struct pump_config *config);
void pump_free(struct pump *pump);

/* What is due by now: timeouts, then everything that the stack has to say. Returns the next deadline. */
usec_t pump_turn(struct pump *pump, usec_t now);
/* Events told, frames and datagrams out, until the stack has nothing more: after every verb on it. */
void pump_flush(struct pump *pump, usec_t now);
/* A frame that another shard's TUN queue yielded. */
void pump_frame(struct pump *pump, usec_t now, const struct frame *frame);
/* A datagram that another shard's socket yielded. */
void pump_datagram(struct pump *pump, usec_t now, const struct datagram *datagram);

/* What the kernel did not take; the stack knows nothing of it. DROP_UNSENT and DROP_TUN_FULL. */
struct pump_counters {
    uint64_t unsent;   /* datagrams for which the socket had no room, or that have no socket */
    uint64_t tun_lost; /* frames that the TUN would not take */
};
struct pump_counters pump_counters(const struct pump *pump);

#endif
