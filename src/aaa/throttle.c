/*
 * The count of failed logins. A name from one outer address may fail a few times, then each failure doubles the wait up
 * to a minute; the same name from anywhere has a longer patience, against guessing from many addresses. In memory, of
 * fixed size: the oldest failure gives way.
 *
 * The wait is kept short on purpose: whoever knows a name and the pre-shared key could otherwise lock its owner out.
 */
#include "aaa/aaa_internal.h"

#include <string.h>

#define WAYS             8 /* slots that a key may be in */
#define PATIENCE_SOURCE  5
#define PATIENCE_NAME    50
#define PATIENCE_PRESSED 2
#define PRESSURE         200 /* failures a minute under all names */
#define MINUTE           (60 * USEC_SEC)
#define WAIT_LONGEST     (60 * USEC_SEC)
#define WAIT_NAME        (10 * USEC_SEC)
#define FORGOTTEN        (600 * USEC_SEC) /* of quiet */

void throttle_init(struct throttle *t, uint64_t seed)
{
    memset(t, 0, sizeof *t);
    t->seed = seed;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

/* An IPv6 peer is known by its /64: it has all of that to choose from. */
static uint64_t key_of(const struct throttle *t, const char *user, const struct ip_addr *peer)
{
    char folded[AAA_NAME_MAX];
    uint64_t h = t->seed;
    for (const char *p = name_fold(user, folded); *p != '\0'; p++)
        h = mix(h, (uint8_t)*p);
    for (size_t i = 0; peer != NULL && i < (peer->family == 6 ? 8 : ip_addr_size(peer)); i++)
        h = mix(h, 0x100u + peer->b[i]);
    return h != 0 ? h : 1;
}

static struct throttle_slot *slots_of(struct throttle *t, uint64_t key)
{
    return &t->slot[key % (THROTTLE_SLOTS / WAYS) * WAYS];
}

static struct throttle_slot *find(struct throttle *t, uint64_t key, usec_t now)
{
    struct throttle_slot *slot = slots_of(t, key);
    for (size_t i = 0; i < WAYS; i++)
        if (slot[i].key == key)
            return now - slot[i].last < FORGOTTEN ? &slot[i] : NULL;
    return NULL;
}

/* The slot to count in: the key's own, else the one that failed longest ago. */
static struct throttle_slot *claim(struct throttle *t, uint64_t key, usec_t now)
{
    struct throttle_slot *slot = slots_of(t, key), *oldest = slot;
    for (size_t i = 0; i < WAYS; i++) {
        if (slot[i].key == key) {
            oldest = &slot[i];
            break;
        }
        if (slot[i].key == 0 || slot[i].last < oldest->last)
            oldest = &slot[i];
        if (oldest->key == 0)
            break;
    }
    if (oldest->key != key || now - oldest->last >= FORGOTTEN)
        *oldest = (struct throttle_slot){.key = key};
    return oldest;
}

static void count(struct throttle *t, uint64_t key, uint32_t patience, usec_t longest, usec_t now)
{
    struct throttle_slot *slot = claim(t, key, now);
    slot->last = now;
    slot->failures++;
    if (slot->failures < patience)
        return;
    uint32_t over = slot->failures - patience;
    usec_t wait = over < 16 ? USEC_SEC << over : longest;
    slot->until = now + usec_min(wait, longest);
}

static bool waits(struct throttle *t, uint64_t key, usec_t now)
{
    const struct throttle_slot *slot = find(t, key, now);
    return slot != NULL && now < slot->until;
}

bool throttle_blocked(struct throttle *t, const char *user, const struct ip_addr *peer, usec_t now)
{
    return waits(t, key_of(t, user, peer), now) || waits(t, key_of(t, user, NULL), now);
}

/* A gateway that is being tried out as a whole gives each address less to try with. */
static uint32_t patience_now(struct throttle *t, usec_t now)
{
    if (now - t->since >= MINUTE) {
        t->since = now;
        t->failures = 0;
    }
    return ++t->failures > PRESSURE ? PATIENCE_PRESSED : PATIENCE_SOURCE;
}

bool throttle_failed(struct throttle *t, const char *user, const struct ip_addr *peer, usec_t now)
{
    count(t, key_of(t, user, peer), patience_now(t, now), WAIT_LONGEST, now);
    count(t, key_of(t, user, NULL), PATIENCE_NAME, WAIT_NAME, now);
    return waits(t, key_of(t, user, peer), now);
}

static void forgive(struct throttle *t, uint64_t key)
{
    struct throttle_slot *slot = slots_of(t, key);
    for (size_t i = 0; i < WAYS; i++)
        if (slot[i].key == key)
            slot[i] = (struct throttle_slot){0};
}

/* Only the pair is forgiven: one good login must not hide that many addresses guess. */
void throttle_passed(struct throttle *t, const char *user, const struct ip_addr *peer)
{
    forgive(t, key_of(t, user, peer));
}

void throttle_forgive(struct throttle *t, const char *user)
{
    forgive(t, key_of(t, user, NULL));
}
