/*
 * Main modes of which only MM1 came. Their sender may not exist, so they live in a table made at start: when it is full
 * the oldest goes, and when one source address has its share the oldest of that address. Whoever answers with our
 * cookie has proved its address; only then is anything allocated.
 */
#include "ike/ike_internal.h"

#include <stdlib.h>
#include <string.h>

struct ip_addr source_of(const struct ip_addr *a)
{
    struct ip_addr source = *a;
    if (a->family == 6)
        memset(source.b + IP6_SOURCE_BYTES, 0, sizeof(source.b) - IP6_SOURCE_BYTES);
    return source;
}

static uint64_t source_key(const struct ike *ike, const struct ip_addr *source)
{
    uint64_t key = ike->seed;
    for (size_t i = 0; i < ip_addr_size(source); i++)
        key = (key ^ source->b[i]) * 0x100000001b3u;
    return key;
}

void source_add(struct ike *ike, struct source *s, const struct ip_addr *a)
{
    s->addr = source_of(a);
    index_add(&ike->by_source, &s->node, source_key(ike, &s->addr));
}

void source_remove(struct ike *ike, struct source *s)
{
    index_remove(&ike->by_source, &s->node);
}

/* Keeps a source within its share. Anybody can forge MM1 in the name of another, so the oldest of them makes way: who
 * is there needs its entry for one round trip. IKE SAs count too, but their peers have proved the address and stay.
 * False when they are the whole share. */
static bool source_make_room(struct ike *ike, const struct ip_addr *a)
{
    const struct ip_addr source = source_of(a);
    const uint64_t key = source_key(ike, &source);
    const uint32_t share = ike->config.max_half_open_per_source;
    struct half_open *oldest = NULL;
    uint32_t n = 0;
    for (struct index_node *at = index_find(&ike->by_source, key, NULL); at && share != 0;
         at = index_find(&ike->by_source, key, at)) {
        const struct source *s = container_of(at, struct source, node);
        if (!ip_equal(&s->addr, &source))
            continue;
        n++;
        if (s->half_open && (!oldest || s->half_open->attempt < oldest->attempt))
            oldest = s->half_open;
    }
    if (share == 0 || n < share)
        return true;
    if (oldest)
        half_open_drop(ike, oldest);
    return oldest != NULL;
}

static uint64_t cookie_bucket(const struct ike *ike, const uint8_t cookie[static COOKIE_SIZE])
{
    /* The peer chose it: mixed with our seed, lest it choose one bucket for all. */
    return (cookie_key(cookie) ^ ike->seed) * 0xff51afd7ed558ccdu;
}

static void expire(struct ike *ike, struct alarm *a)
{
    LIST_EACH_SAFE(l, &ike->half_open_age)
    {
        struct half_open *h = container_of(l, struct half_open, age);
        if (h->since + HALF_OPEN_LIFE > ike->now) {
            alarm_set(ike, a, h->since + HALF_OPEN_LIFE);
            return;
        }
        half_open_drop(ike, h);
    }
}

enum err half_open_init(struct ike *ike)
{
    const uint32_t n = ike->config.max_half_open;
    list_init(&ike->half_open_age);
    list_init(&ike->half_open_spare);
    ike->half_open_expiry.ring = expire;
    ike->half_open = calloc(n ? n : 1, sizeof(*ike->half_open));
    if (!ike->half_open || index_init(&ike->by_half_cookie, n) != ERR_OK ||
        index_init(&ike->by_half_initiator, n) != ERR_OK || index_init(&ike->by_source, 2 * n) != ERR_OK)
        return ERR_NOMEM;
    ike->half_open_cap = n;
    for (uint32_t i = 0; i < n; i++)
        list_append(&ike->half_open_spare, &ike->half_open[i].age);
    return ERR_OK;
}

void half_open_done(struct ike *ike)
{
    index_done(&ike->by_half_cookie);
    index_done(&ike->by_half_initiator);
    index_done(&ike->by_source);
    free(ike->half_open);
    ike->half_open = NULL;
}

struct half_open *half_open_find(struct ike *ike, const struct header *h)
{
    const uint64_t key = cookie_key(h->rcookie);
    for (struct index_node *n = index_find(&ike->by_half_cookie, key, NULL); n;
         n = index_find(&ike->by_half_cookie, key, n)) {
        struct half_open *found = container_of(n, struct half_open, by_cookie);
        if (memcmp(found->cookies.icookie, h->icookie, COOKIE_SIZE) == 0)
            return found;
    }
    return NULL;
}

struct half_open *half_open_find_initiator(struct ike *ike, const struct header *h, const struct path *path)
{
    const uint64_t key = cookie_bucket(ike, h->icookie);
    for (struct index_node *n = index_find(&ike->by_half_initiator, key, NULL); n;
         n = index_find(&ike->by_half_initiator, key, n)) {
        struct half_open *found = container_of(n, struct half_open, by_initiator);
        if (memcmp(found->cookies.icookie, h->icookie, COOKIE_SIZE) == 0 &&
            endpoint_equal(&found->path.remote, &path->remote))
            return found;
    }
    return NULL;
}

struct half_open *half_open_take(struct ike *ike, const struct message *m)
{
    if (ike->half_open_cap == 0 || !source_make_room(ike, &m->path->remote.addr))
        return NULL;
    if (list_empty(&ike->half_open_spare))
        half_open_drop(ike, container_of(ike->half_open_age.next, struct half_open, age));
    struct half_open *h = container_of(ike->half_open_spare.next, struct half_open, age);
    list_remove(&h->age);
    *h = (struct half_open){.cookies = m->header, .path = *m->path, .since = ike->now, .attempt = ++ike->attempts};
    cookie_make(ike, h->cookies.rcookie);
    h->source.half_open = h;
    digest_take(&h->mm1, m->whole);
    if (list_empty(&ike->half_open_age))
        alarm_set(ike, &ike->half_open_expiry, ike->now + HALF_OPEN_LIFE);
    list_append(&ike->half_open_age, &h->age);
    index_add(&ike->by_half_cookie, &h->by_cookie, cookie_key(h->cookies.rcookie));
    index_add(&ike->by_half_initiator, &h->by_initiator, cookie_bucket(ike, h->cookies.icookie));
    source_add(ike, &h->source, &m->path->remote.addr);
    ike->half_open_used++;
    return h;
}

void half_open_drop(struct ike *ike, struct half_open *h)
{
    index_remove(&ike->by_half_cookie, &h->by_cookie);
    index_remove(&ike->by_half_initiator, &h->by_initiator);
    source_remove(ike, &h->source);
    list_remove(&h->age);
    list_append(&ike->half_open_spare, &h->age);
    ike->half_open_used--;
}
