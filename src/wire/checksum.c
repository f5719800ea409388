/*
 * The Internet checksum (RFC 1071). The order of bytes within a word does not matter to a ones' complement sum, so it
 * is taken over wide words in the machine's own order and swapped once at the end.
 *
 * Long runs are summed 64 bytes at a time: each 64-bit lane adds its two 32-bit halves to two accumulators, which
 * cannot overflow within 2^32 blocks and so need no carry. The compiler makes AVX-512, AVX2 and baseline code of it,
 * and the machine picks at start-up.
 */
#include "wire/wire.h"

#include <endian.h>
#include <string.h>

#define BLOCK 64

typedef uint64_t lanes __attribute__((vector_size(BLOCK)));

/* Sanitizers cannot run the resolver that picks a clone; other C libraries have none. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define NO_CLONES
#endif
#endif
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&              \
    !defined(__SANITIZE_THREAD__) && !defined(NO_CLONES)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define CLONES
#endif

static inline uint64_t add_carry(uint64_t a, uint64_t b)
{
    a += b;
    return a + (a < b); /* end-around carry */
}

/* Sums whole blocks; copies them too when out is not NULL. */
static inline __attribute__((always_inline)) uint64_t sum_blocks(uint8_t *restrict out, const uint8_t *restrict p,
                                                                 size_t blocks)
{
    lanes low = {0}, high = {0};
    for (; blocks > 0; blocks--, p += BLOCK) {
        lanes v;
        memcpy(&v, p, BLOCK);
        if (out) {
            memcpy(out, &v, BLOCK);
            out += BLOCK;
        }
        low += v & 0xffffffff;
        high += v >> 32;
    }
    uint64_t sum = 0;
    low += high;
    for (size_t i = 0; i < BLOCK / sizeof(uint64_t); i++)
        sum = add_carry(sum, low[i]);
    return sum;
}

CLONES static uint64_t sum_long(const uint8_t *p, size_t blocks)
{
    return sum_blocks(NULL, p, blocks);
}

CLONES static uint64_t sum_copy_long(uint8_t *restrict out, const uint8_t *restrict p, size_t blocks)
{
    return sum_blocks(out, p, blocks);
}

/* Less than a block, or little more. */
static uint64_t sum_short(uint64_t wide, const uint8_t *p, size_t n)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, sizeof(v));
        wide = add_carry(wide, v);
    }
    /* Any order will do, as long as each begins at an even place. */
    uint32_t four = 0;
    uint16_t two = 0, one = 0;
    if (n & 4) {
        memcpy(&four, p, sizeof(four));
        p += sizeof(four);
    }
    if (n & 2) {
        memcpy(&two, p, sizeof(two));
        p += sizeof(two);
    }
    if (n & 1)
        memcpy(&one, p, 1); /* the missing last byte counts as zero */
    return add_carry(wide, (uint64_t)four + two + one);
}

/* Folds a wide sum to 16 bits, brings it into network order and adds it to a running sum. */
static uint32_t join(uint32_t sum, uint64_t wide)
{
    wide = (wide & 0xffffffff) + (wide >> 32);
    wide = (wide & 0xffff) + (wide >> 16);
    wide = (wide & 0xffff) + (wide >> 16);
    wide = (wide & 0xffff) + (wide >> 16);
    const uint64_t total = (uint64_t)sum + be16toh((uint16_t)wide);
    return (uint32_t)(total & 0xffffffff) + (uint32_t)(total >> 32);
}

uint32_t inet_sum(uint32_t sum, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t wide = 0;
    if (n >= BLOCK) {
        wide = sum_long(p, n / BLOCK);
        p += n / BLOCK * BLOCK;
        n %= BLOCK;
    }
    return join(sum, sum_short(wide, p, n));
}

uint32_t inet_sum_copy(uint32_t sum, void *restrict out, const void *restrict data, size_t n)
{
    uint8_t *to = out;
    const uint8_t *p = data;
    uint64_t wide = 0;
    if (n >= BLOCK) {
        const size_t whole = n / BLOCK * BLOCK;
        wide = sum_copy_long(to, p, n / BLOCK);
        to += whole;
        p += whole;
        n -= whole;
    }
    if (n > 0)
        memcpy(to, p, n);
    return join(sum, sum_short(wide, p, n));
}

uint16_t inet_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

uint32_t inet_pseudo_sum(const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto, uint32_t len)
{
    uint32_t sum = inet_sum(0, src->b, ip_addr_size(src));
    sum = inet_sum(sum, dst->b, ip_addr_size(dst));
    return sum + proto + (len >> 16) + (len & 0xffff);
}
