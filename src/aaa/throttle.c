/*
 * The count of failed logins. A name from one outer address may fail a few times, then each failure doubles the wait up
 * to a minute; the same name from anywhere has a longer patience, against guessing from many addresses. That wait is
 * not for where the name has logged in before: its owner comes in while others guess. In memory, of fixed size: the
 * oldest failure gives way, and before where a login was good.
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
#define KNOWN            (30 * 24 * 3600 * USEC_SEC)

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

/* An IPv6 peer is known by its /56: a home's line has all of that to choose from. */
static uint64_t key_of(const struct throttle *t, const char *user, const struct ip_addr *peer)
{
    char folded[AAA_NAME_MAX];
    uint64_t h = t->seed;
    for (const char *p = name_fold(user, folded); *p != '\0'; p++)
        h = mix(h, (uint8_t)*p);
    for (size_t i = 0; peer != NULL && i < (peer->family == 6 ? 7 : ip_addr_size(peer)); i++)
        h = mix(h, 0x100u + peer->b[i]);
    return h != 0 ? h : 1;
}

static struct throttle_slot *slots_of(struct throttle *t, uint64_t key)
{
    return &t->slot[key % (THROTTLE_SLOTS / WAYS) * WAYS];
}

static struct throttle_slot *find(struct throttle *t, uint64_t key)
{
    struct throttle_slot *slot = slots_of(t, key);
    for (size_t i = 0; i < WAYS; i++)
        if (slot[i].key == key)
            return &slot[i];
    return NULL;
}

static bool gives_way(const struct throttle_slot *a, const struct throttle_slot *b)
{
    const bool a_good = a->good != 0, b_good = b->good != 0;
    return a_good != b_good ? b_good : a->last < b->last;
}

/* The key's own slot, else a free one, else the one that gives way. */
static struct throttle_slot *claim(struct throttle *t, uint64_t key)
{
    struct throttle_slot *slot = slots_of(t, key), *found = find(t, key);
    if (found != NULL)
        return found;
    found = slot;
    for (size_t i = 1; i < WAYS && found->key != 0; i++)
        if (slot[i].key == 0 || gives_way(&slot[i], found))
            found = &slot[i];
    *found = (struct throttle_slot){.key = key};
    return found;
}

static void count(struct throttle *t, uint64_t key, uint32_t patience, usec_t longest, usec_t now)
{
    struct throttle_slot *slot = claim(t, key);
    if (now - slot->last >= FORGOTTEN)
        slot->failures = 0;
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
    const struct throttle_slot *slot = find(t, key);
    return slot != NULL && now < slot->until;
}

static bool is_known(struct throttle *t, uint64_t key, usec_t now)
{
    const struct throttle_slot *slot = find(t, key);
    return slot != NULL && slot->good != 0 && now - slot->good < KNOWN;
}

bool throttle_blocked(struct throttle *t, const char *user, const struct ip_addr *peer, usec_t now)
{
    const uint64_t pair = key_of(t, user, peer);
    return waits(t, pair, now) || (!is_known(t, pair, now) && waits(t, key_of(t, user, NULL), now));
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

/* Only the pair is forgiven: one good login must not hide that many addresses guess. */
void throttle_passed(struct throttle *t, const char *user, const struct ip_addr *peer, usec_t now)
{
    struct throttle_slot *slot = claim(t, key_of(t, user, peer));
    *slot = (struct throttle_slot){.key = slot->key, .last = now, .good = now};
}

void throttle_forgive(struct throttle *t, const char *user)
{
    struct throttle_slot *slot = find(t, key_of(t, user, NULL));
    if (slot != NULL)
        *slot = (struct throttle_slot){0};
}
