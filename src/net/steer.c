/*
 * Which shard a datagram belongs to: once as classic BPF for the kernel, once in C for what still lands elsewhere.
 * Both say the same (tests/unit/net/test_sock.c runs one against the other):
 *
 *   ESP       the low bits of the SPI, which is ours to choose
 *   IKE       the low bits of the first byte of the responder's cookie, ours as well; while that is zero, of the
 *             initiator's cookie, so that repeated first messages meet on one shard
 *   keepalive, or too short for any of these: shard 0
 *
 * A peer may choose bits that name no shard: the remainder of the division brings every value home.
 */
#include "net/net_internal.h"

#include <string.h>

#define MARKER 4 /* the non-ESP marker, RFC 3948 2.2 */
#define COOKIE 8 /* bytes of each of the two cookies, RFC 2408 3.1 */

static uint32_t shard_of(uint32_t value, uint8_t shards, uint8_t shard_bits)
{
    return (value & ((1u << shard_bits) - 1)) % shards;
}

static uint32_t shard_of_ike(struct reader r, uint8_t shards, uint8_t shard_bits)
{
    const uint64_t initiator = rd_u64(&r), responder = rd_u64(&r);
    if (!rd_ok(&r))
        return 0;
    const uint64_t cookie = responder ? responder : initiator;
    return shard_of((uint32_t)(cookie >> 56), shards, shard_bits);
}

uint32_t sock_shard(enum sock_kind kind, uint8_t shards, uint8_t shard_bits, struct view datagram)
{
    struct reader r = rd_init(datagram);
    if (shards <= 1 || kind == SOCK_UDP_PLAIN)
        return 0;
    if (kind == SOCK_UDP_IKE)
        return shard_of_ike(r, shards, shard_bits);
    const uint32_t first = rd_u32(&r);
    if (!rd_ok(&r))
        return 0;
    if (kind == SOCK_UDP_NATT && first == 0)
        return shard_of_ike(r, shards, shard_bits);
    return shard_of(first, shards, shard_bits);
}

static void put(struct steer_program *p, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
    p->code[p->n++] = (struct sock_filter){.code = code, .jt = yes, .jf = no, .k = k};
}

/* Reduces the value in the accumulator to a shard. */
static void put_reduce(struct steer_program *p, uint8_t shards, uint8_t shard_bits)
{
    put(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, (1u << shard_bits) - 1);
    put(p, BPF_ALU | BPF_MOD | BPF_K, 0, 0, shards);
}

/* Returns the shard of the IKE message at the offset. Loads beyond the end end the program with 0. */
static void put_ike(struct steer_program *p, uint32_t at, uint8_t shards, uint8_t shard_bits)
{
    put(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, at + COOKIE + 4);
    put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
    put(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, at + COOKIE);
    put(p, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 0);
    put(p, BPF_LD | BPF_B | BPF_ABS, 0, 0, at + COOKIE);
    put(p, BPF_JMP | BPF_JA, 0, 0, 1);
    put(p, BPF_LD | BPF_B | BPF_ABS, 0, 0, at);
    put_reduce(p, shards, shard_bits);
    put(p, BPF_RET | BPF_A, 0, 0, 0);
}

struct steer_program steer_udp(enum sock_kind kind, uint8_t shards, uint8_t shard_bits)
{
    struct steer_program p = {.n = 0};
    if (kind == SOCK_UDP_NATT) {
        put(&p, BPF_LD | BPF_W | BPF_ABS, 0, 0, 0);
        put(&p, BPF_JMP | BPF_JEQ | BPF_K, 3, 0, 0);
        put_reduce(&p, shards, shard_bits);
        put(&p, BPF_RET | BPF_A, 0, 0, 0);
    }
    put_ike(&p, kind == SOCK_UDP_NATT ? MARKER : 0, shards, shard_bits);
    return p;
}

struct steer_program steer_raw_esp(uint8_t family, uint8_t shard, uint8_t shards, uint8_t shard_bits)
{
    struct steer_program p = {.n = 0};
    if (family == 4) {
        put(&p, BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0); /* x = length of the IP header */
        put(&p, BPF_LD | BPF_W | BPF_IND, 0, 0, 0);
    } else {
        put(&p, BPF_LD | BPF_W | BPF_ABS, 0, 0, 0);
    }
    put_reduce(&p, shards, shard_bits);
    put(&p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, shard);
    put(&p, BPF_RET | BPF_K, 0, 0, UINT32_MAX);
    put(&p, BPF_RET | BPF_K, 0, 0, 0);
    return p;
}
