/* Buckets of tokens by source. Logins are throttled by the gateway too, by name and source; this keeps one source from
 * making it work. */
#include "portal/portal_internal.h"

#include <string.h>

#define TOKEN 1000u
#define WAYS  4 /* places in which a source may be */

static const struct {
    uint32_t most;   /* tokens */
    uint32_t second; /* thousandths of a token that come back in a second */
} rules[RATE_COUNT] = {
    [RATE_REQUESTS] = {120, 20 * TOKEN},
    [RATE_LOGINS] = {10, TOKEN / 6},
    [RATE_TRIALS] = {60, 2 * TOKEN},
};

void rate_init(struct rate *rate, const struct random *random)
{
    *rate = (struct rate){0};
    random_fill(random, rate->key, sizeof rate->key);
}

/* A keyed hash, so that nobody can choose sources that share a place with a victim's. */
static uint64_t source_of(const struct rate *rate, const struct ip_addr *addr)
{
    uint8_t digest[HASH_SIZE_MAX] = {0};
    const struct view parts[] = {{&addr->family, 1}, {addr->b, addr->family == 4 ? 4 : 8}};
    uint64_t source;
    (void)hmac_digest(HASH_SHA256, VIEW(rate->key), parts, ARRAY_LEN(parts), digest);
    memcpy(&source, digest, sizeof source);
    return source;
}

static void refill(struct rate_bucket *b, usec_t now)
{
    const uint64_t passed = (now > b->at ? now - b->at : 0) / USEC_MSEC;
    if (passed == 0)
        return;
    for (size_t i = 0; i < RATE_COUNT; i++) {
        const uint64_t most = (uint64_t)rules[i].most * TOKEN;
        const uint64_t left = passed < 3600000 ? b->left[i] + passed * rules[i].second / 1000 : most;
        b->left[i] = (uint32_t)(left < most ? left : most);
    }
    b->at = now;
}

static uint64_t spare(const struct rate_bucket *b)
{
    uint64_t sum = UINT64_MAX; /* an unused place is the first to be taken */
    if (b->used)
        for (size_t i = sum = 0; i < RATE_COUNT; i++)
            sum += (uint64_t)b->left[i] * 1000 / rules[i].most;
    return sum;
}

static struct rate_bucket *bucket_of(struct rate *rate, uint64_t source, usec_t now)
{
    struct rate_bucket *set = &rate->bucket[source % (RATE_SOURCES / WAYS) * WAYS], *best = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].used && set[i].source == source)
            return &set[i];
        if (set[i].used)
            refill(&set[i], now);
        if (spare(&set[i]) > spare(best))
            best = &set[i];
    }
    *best = (struct rate_bucket){.source = source, .used = true, .at = now};
    for (size_t i = 0; i < RATE_COUNT; i++)
        best->left[i] = rules[i].most * TOKEN;
    return best;
}

bool rate_take(struct rate *rate, enum rate_of what, const struct ip_addr *source, usec_t now, usec_t *wait)
{
    struct rate_bucket *b = bucket_of(rate, source_of(rate, source), now);
    refill(b, now);
    if (b->left[what] < TOKEN) {
        *wait = (usec_t)(TOKEN - b->left[what]) * USEC_SEC / rules[what].second;
        return false;
    }
    b->left[what] -= TOKEN;
    return true;
}
