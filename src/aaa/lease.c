/* Who holds which address: the leases of sessions over all pools, and how many sessions each user has. */
#include "aaa/aaa_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

struct holder {
    char name[AAA_NAME_MAX]; /* folded */
    char user[AAA_NAME_MAX]; /* as it stands in the store */
    uint32_t sessions;
    UT_hash_handle hh;
};

struct lease {
    uint64_t session;
    uint32_t address;
    struct holder *holder;
    char station[AAA_STATION_MAX]; /* "": not in that table */
    UT_hash_handle by_session, by_address, by_station;
};

struct leases {
    struct config_pool *config;
    struct pool **pool;
    size_t n;
    struct holder *holders;
    struct lease *sessions, *addresses, *stations;
};

/* ---- pools ---- */

static void pools_free(struct pool **pool, size_t n)
{
    for (size_t i = 0; pool != NULL && i < n; i++)
        pool_free(pool[i]);
    free(pool);
}

static enum err pools_make(const struct config_pool *config, size_t n, struct config_pool **copy, struct pool ***pool)
{
    *copy = calloc(n, sizeof **copy);
    *pool = calloc(n, sizeof **pool);
    bool ok = *copy != NULL && *pool != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        (*copy)[i] = config[i];
        (*pool)[i] = pool_new(&config[i]);
        ok = (*pool)[i] != NULL;
    }
    if (ok)
        return ERR_OK;
    free(*copy);
    pools_free(*pool, n);
    return ERR_NOMEM;
}

static struct pool *pool_with(const struct leases *l, uint32_t address)
{
    for (size_t i = 0; i < l->n; i++)
        if (pool_holds(l->pool[i], address))
            return l->pool[i];
    return NULL;
}

const struct config_pool *leases_pool_of(const struct leases *l, uint32_t address)
{
    for (size_t i = 0; i < l->n; i++)
        if (pool_holds(l->pool[i], address))
            return &l->config[i];
    return NULL;
}

struct leases *leases_new(const struct config_pool *pools, size_t n)
{
    struct leases *l = calloc(1, sizeof *l);
    if (l == NULL || pools_make(pools, n, &l->config, &l->pool) != ERR_OK) {
        free(l);
        return NULL;
    }
    l->n = n;
    return l;
}

enum err leases_reconfigure(struct leases *l, const struct config_pool *pools, size_t n)
{
    struct config_pool *config;
    struct pool **pool;
    if (pools_make(pools, n, &config, &pool) != ERR_OK)
        return ERR_NOMEM;
    free(l->config);
    pools_free(l->pool, l->n);
    l->config = config;
    l->pool = pool;
    l->n = n;
    for (struct lease *one = l->sessions; one != NULL; one = one->by_session.next) {
        struct pool *home = pool_with(l, one->address);
        if (home != NULL)
            (void)pool_take_fixed(home, one->address); /* nobody else can have it in pools just made */
    }
    return ERR_OK;
}

void leases_reserve(struct leases *l, uint32_t address)
{
    struct pool *pool = pool_with(l, address);
    if (pool != NULL)
        (void)pool_reserve(pool, address);
}

void leases_unreserve(struct leases *l, uint32_t address)
{
    struct pool *pool = pool_with(l, address);
    if (pool != NULL)
        pool_unreserve(pool, address);
}

/* ---- holders ---- */

static struct holder *holder_find(const struct leases *l, const char *user)
{
    char folded[AAA_NAME_MAX];
    struct holder *h;
    name_fold(user, folded);
    HASH_FIND_STR(l->holders, folded, h);
    return h;
}

static struct holder *holder_get(struct leases *l, const char *user)
{
    struct holder *h = holder_find(l, user);
    if (h != NULL)
        return h;
    h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    name_fold(user, h->name);
    snprintf(h->user, sizeof h->user, "%s", user);
    HASH_ADD_STR(l->holders, name, h);
    return h;
}

static void holder_drop(struct leases *l, struct holder *h)
{
    if (h->sessions > 0)
        return;
    HASH_DEL(l->holders, h);
    free(h);
}

uint32_t leases_of_user(const struct leases *l, const char *user)
{
    const struct holder *h = holder_find(l, user);
    return h != NULL ? h->sessions : 0;
}

/* ---- leases ---- */

static struct lease *lease_find(const struct leases *l, uint64_t session)
{
    struct lease *one;
    HASH_FIND(by_session, l->sessions, &session, sizeof session, one);
    return one;
}

static struct lease *lease_at(const struct leases *l, uint32_t address)
{
    struct lease *one;
    HASH_FIND(by_address, l->addresses, &address, sizeof address, one);
    return one;
}

bool leases_held_by(const struct leases *l, const char *user, uint32_t address)
{
    const struct lease *one = lease_at(l, address);
    return one != NULL && one->holder == holder_find(l, user);
}

static void lease_end(struct leases *l, struct lease *one)
{
    struct pool *pool = pool_with(l, one->address);
    if (pool != NULL)
        pool_release(pool, one->address);
    HASH_DELETE(by_session, l->sessions, one);
    HASH_DELETE(by_address, l->addresses, one);
    if (one->station[0])
        HASH_DELETE(by_station, l->stations, one);
    one->holder->sessions--;
    holder_drop(l, one->holder);
    free(one);
}

static struct lease *lease_of_station(const struct leases *l, const char *user, const char *station)
{
    struct lease *one = NULL;
    if (station[0])
        HASH_FIND(by_station, l->stations, station, strlen(station), one);
    return one != NULL && one->holder == holder_find(l, user) ? one : NULL;
}

uint32_t leases_of_station(const struct leases *l, const char *user, const char *station)
{
    const struct lease *one = lease_of_station(l, user, station);
    return one != NULL ? one->address : 0;
}

uint64_t leases_leave_station(struct leases *l, const char *user, const char *station)
{
    struct lease *one = lease_of_station(l, user, station);
    const uint64_t session = one != NULL ? one->session : 0;
    if (one != NULL)
        lease_end(l, one);
    return session;
}

/* Who takes the name of another user's device finds that it is taken, and goes without. */
void leases_note_station(struct leases *l, uint64_t session, const char *station)
{
    struct lease *one = lease_find(l, session), *other = NULL;
    if (one == NULL || one->station[0] || !station[0] || strlen(station) >= sizeof one->station)
        return;
    HASH_FIND(by_station, l->stations, station, strlen(station), other);
    if (other != NULL)
        return;
    strcpy(one->station, station);
    HASH_ADD_KEYPTR(by_station, l->stations, one->station, strlen(one->station), one);
}

static bool is_of(const struct leases *l, size_t i, const char *pool)
{
    return pool[0] == '\0' || strcmp(l->config[i].name, pool) == 0;
}

/* From the pool that held it last, then from all that may be. */
static enum err take_any(struct leases *l, const char *pool, uint32_t preferred, uint32_t *address)
{
    for (size_t i = 0; i < l->n; i++)
        if (is_of(l, i, pool) && pool_holds(l->pool[i], preferred) &&
            pool_take(l->pool[i], preferred, address) == ERR_OK)
            return ERR_OK;
    for (size_t i = 0; i < l->n; i++)
        if (is_of(l, i, pool) && pool_take(l->pool[i], 0, address) == ERR_OK)
            return ERR_OK;
    return leases_has_pool(l, pool) ? ERR_LIMIT : ERR_NOTFOUND;
}

static enum err take_fixed(struct leases *l, const char *user, uint32_t fixed, uint64_t *replaced)
{
    struct pool *home = pool_with(l, fixed);
    struct lease *older = lease_at(l, fixed);
    if (home == NULL)
        return ERR_NOTFOUND;
    if (older != NULL && older->holder != holder_find(l, user))
        return ERR_EXISTS;
    if (older != NULL) {
        *replaced = older->session;
        lease_end(l, older);
    }
    return pool_take_fixed(home, fixed);
}

enum err leases_take(struct leases *l, uint64_t session, const char *user, uint32_t fixed, const char *pool,
                     uint32_t preferred, uint32_t *address, uint64_t *replaced)
{
    uint32_t got = fixed;
    uint64_t older = 0;
    if (session == 0 || lease_find(l, session) != NULL)
        return ERR_STATE;
    struct lease *one = calloc(1, sizeof *one);
    if (one == NULL)
        return ERR_NOMEM;
    enum err result = fixed != 0 ? take_fixed(l, user, fixed, &older) : take_any(l, pool, preferred, &got);
    if (result == ERR_OK && (one->holder = holder_get(l, user)) == NULL) {
        pool_release(pool_with(l, got), got);
        result = ERR_NOMEM;
    }
    if (result != ERR_OK) {
        free(one);
        return result;
    }
    one->session = session;
    one->address = got;
    one->holder->sessions++;
    HASH_ADD(by_session, l->sessions, session, sizeof one->session, one);
    HASH_ADD(by_address, l->addresses, address, sizeof one->address, one);
    *address = got;
    *replaced = older;
    return ERR_OK;
}

void leases_release(struct leases *l, uint64_t session)
{
    struct lease *one = lease_find(l, session);
    if (one != NULL)
        lease_end(l, one);
}

void leases_usage(const struct leases *l, uint32_t *size, uint32_t *used)
{
    *size = *used = 0;
    for (size_t i = 0; i < l->n; i++) {
        *size += pool_size(l->pool[i]);
        *used += pool_used(l->pool[i]);
    }
}

const char *leases_user_of(const struct leases *l, uint64_t session)
{
    const struct lease *one = lease_find(l, session);
    return one != NULL ? one->holder->user : NULL;
}

void leases_each(const struct leases *l, void (*each)(void *ctx, uint64_t session, const char *user), void *ctx)
{
    for (const struct lease *one = l->sessions; one != NULL; one = one->by_session.next)
        each(ctx, one->session, one->holder->user);
}

bool leases_has_pool(const struct leases *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (is_of(l, i, name))
            return true;
    return false;
}

void leases_pools(const struct leases *l,
                  void (*each)(void *ctx, const struct config_pool *pool, uint32_t size, uint32_t used,
                               uint32_t reserved),
                  void *ctx)
{
    for (size_t i = 0; i < l->n; i++)
        each(ctx, &l->config[i], pool_size(l->pool[i]), pool_used(l->pool[i]), pool_reserved(l->pool[i]));
}

void leases_free(struct leases *l)
{
    if (l == NULL)
        return;
    while (l->sessions != NULL)
        lease_end(l, l->sessions);
    pools_free(l->pool, l->n);
    free(l->config);
    free(l);
}
