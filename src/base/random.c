#include "base/base.h"

#include <string.h>

uint32_t random_u32(const struct random *r)
{
    uint32_t v;
    random_fill(r, &v, sizeof(v));
    return v;
}

uint64_t random_u64(const struct random *r)
{
    uint64_t v;
    random_fill(r, &v, sizeof(v));
    return v;
}

uint32_t random_below(const struct random *r, uint32_t bound)
{
    /* Values past the last whole multiple of bound would favour small results: draw again. */
    const uint32_t limit = UINT32_MAX - UINT32_MAX % bound;
    uint32_t v;
    do {
        v = random_u32(r);
    } while (v >= limit);
    return v % bound;
}

static uint64_t rotate_left(uint64_t x, unsigned k)
{
    return x << k | x >> (64 - k);
}

/* xoshiro256** by Blackman and Vigna (public domain algorithm). */
static uint64_t test_next(struct random_test *t)
{
    uint64_t *s = t->s;
    const uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    const uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

void random_test_init(struct random_test *t, uint64_t seed)
{
    /* splitmix64 spreads a small seed over the whole state */
    for (size_t i = 0; i < ARRAY_LEN(t->s); i++) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        t->s[i] = z ^ (z >> 31);
    }
}

void random_test_fill(void *ctx, uint8_t *out, size_t n)
{
    while (n > 0) {
        const uint64_t v = test_next(ctx);
        const size_t take = n < sizeof(v) ? n : sizeof(v);
        memcpy(out, &v, take);
        out += take;
        n -= take;
    }
}
