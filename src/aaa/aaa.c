/* The service: opening store, key and pools; a login from its proof to its address. */
#include "aaa/aaa_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening ---- */

#define CHECK_CONTEXT "sekisho"
#define CHECK_WORD    "this key belongs to this store"

/* Whether the key is the one of the store; a store without a check word takes this one. */
static enum err check_key(struct aaa *a, const struct aaa_config *config, struct aaa_why *why)
{
    uint8_t sealed[sizeof CHECK_WORD + SEAL_OVERHEAD], word[sizeof CHECK_WORD];
    size_t n;
    if (store_check_get(a->store, sealed, sizeof sealed, &n) != ERR_OK)
        return aaa_why(why, ERR_SYSTEM, TOLD(USERS_UNREADABLE), config->database);
    if (n == 0) {
        if (seal(a->key, &a->random, view_str(CHECK_CONTEXT), view_of(CHECK_WORD, sizeof CHECK_WORD), sealed) !=
                ERR_OK ||
            store_check_put(a->store, VIEW(sealed)) != ERR_OK)
            return aaa_why(why, ERR_SYSTEM, TOLD(USERS_UNWRITABLE), config->database);
        return ERR_OK;
    }
    if (n != sizeof sealed || unseal(a->key, view_str(CHECK_CONTEXT), VIEW(sealed), word) != ERR_OK)
        return aaa_why(why, ERR_INVALID, TOLD(KEY_FOREIGN), config->key_file, config->database);
    return ERR_OK;
}

/* A new key is only made for a store that has none yet: otherwise nobody could log in any more. */
static enum err open_key(struct aaa *a, const struct aaa_config *config, struct aaa_why *why)
{
    uint8_t sealed[sizeof CHECK_WORD + SEAL_OVERHEAD];
    size_t n;
    enum err result = key_read(config->key_file, a->key, why);
    if (result == ERR_NOTFOUND) {
        if (store_check_get(a->store, sealed, sizeof sealed, &n) != ERR_OK || n != 0)
            return aaa_why(why, ERR_INVALID, TOLD(KEY_LOST), config->key_file, config->database);
        result = key_make(config->key_file, &a->random, a->key, why);
    }
    return result == ERR_OK ? check_key(a, config, why) : result;
}

#define NOBODY          "no one" /* no name that a user may have */
#define NOBODY_PASSWORD 16
#define NOBODY_CELLS    8
#define NOBODY_STEP     5 /* from cell to cell of nobody's pattern */

static struct grid_secret nobody_secret(uint8_t blocks, uint8_t rows, uint8_t columns)
{
    const size_t cells = (size_t)blocks * rows * columns;
    struct grid_secret secret = {.blocks = blocks, .rows = rows, .columns = columns, .pattern.n = NOBODY_CELLS};
    for (size_t i = 0; i < NOBODY_CELLS && cells > 0; i++)
        secret.pattern.cell[i] = (uint8_t)(i * NOBODY_STEP % cells);
    return secret;
}

/* A whole row that opens nothing, sealed as those of users are. */
static enum err seal_nobody(struct aaa *a, struct aaa_why *why)
{
    struct store_row *row = &a->nobody;
    uint8_t password[NOBODY_PASSWORD], totp[TOTP_SECRET_SIZE], pattern[GRID_BLOB_MAX];
    const struct grid_secret secret = nobody_secret(3, 4, 4);
    const size_t n = grid_secret_pack(&secret, pattern);
    *row = (struct store_row){.sealed_n = sizeof password + SEAL_OVERHEAD,
                              .pattern_n = n + SEAL_OVERHEAD,
                              .totp_n = sizeof totp + SEAL_OVERHEAD};
    view_copy_text(row->user.name, sizeof row->user.name, view_str(NOBODY));
    random_fill(&a->random, password, sizeof password);
    random_fill(&a->random, totp, sizeof totp);
    enum err result = seal(a->key, &a->random, view_str(NOBODY), VIEW(password), row->sealed);
    if (result == ERR_OK)
        result = seal(a->key, &a->random, view_str(AAA_CONTEXT_GRID NOBODY), view_of(pattern, n), row->pattern);
    if (result == ERR_OK)
        result = seal(a->key, &a->random, view_str(AAA_CONTEXT_TOTP NOBODY), VIEW(totp), row->totp);
    return result == ERR_OK ? ERR_OK : aaa_why(why, result, TOLD(NO_SEALING), err_text(result));
}

#define GRID_PURPOSE "sekisho grids"

static void take_grid(struct aaa *a, const struct config_grid *grid)
{
    a->grid = *grid;
    a->shape = (struct grid_shape){(uint8_t)grid->blocks, (uint8_t)grid->rows, (uint8_t)grid->columns, ""};
    memcpy(a->shape.alphabet, grid->alphabet, sizeof a->shape.alphabet);
    a->nobody_secret = nobody_secret(a->shape.blocks, a->shape.rows, a->shape.columns);
}

static enum err open_grids(struct aaa *a, const struct aaa_config *config, struct aaa_why *why)
{
    const struct view purpose = view_str(GRID_PURPOSE);
    take_grid(a, &config->grid);
    if (hmac_digest(HASH_SHA256, VIEW(a->key), &purpose, 1, a->grid_key) != ERR_OK)
        return aaa_why(why, ERR_CRYPTO, TOLD(NO_GRID_KEY));
    a->desk = desk_new(a->grid_key);
    a->tickets = tickets_new();
    return a->desk != NULL && a->tickets != NULL ? ERR_OK : aaa_why(why, ERR_NOMEM, TOLD(NO_MEMORY_GRIDS));
}

static bool reserve(void *ctx, struct store_row *row)
{
    struct aaa *a = ctx;
    a->read_last = row->id;
    if (row->user.address.family != 0)
        leases_reserve(a->leases, ip4_value(&row->user.address));
    return true;
}

enum err aaa_open(const struct aaa_config *config, struct aaa **out, struct aaa_why *why)
{
    struct aaa *a = calloc(1, sizeof *a);
    if (a == NULL)
        return aaa_why(why, ERR_NOMEM, TOLD(NO_MEMORY_USERS));
    a->random = config->random;
    a->sessions_per_user = config->sessions_per_user;
    throttle_init(&a->throttle, random_u64(&a->random));
    enum err result = store_open(config->database, &a->store, why);
    if (result == ERR_OK)
        result = open_key(a, config, why);
    if (result == ERR_OK)
        result = seal_nobody(a, why);
    if (result == ERR_OK)
        result = open_grids(a, config, why);
    if (result == ERR_OK && (a->leases = leases_new(config->pools, config->pool_count)) == NULL)
        result = aaa_why(why, ERR_NOMEM, TOLD(NO_MEMORY_POOLS));
    if (result == ERR_OK && store_each(a->store, reserve, a) != ERR_OK)
        result = aaa_why(why, ERR_SYSTEM, TOLD(USERS_UNREADABLE), config->database);
    if (result != ERR_OK) {
        aaa_close(a);
        return result;
    }
    *out = a;
    return ERR_OK;
}

void aaa_close(struct aaa *aaa)
{
    if (aaa == NULL)
        return;
    leases_free(aaa->leases);
    desk_free(aaa->desk);
    tickets_free(aaa->tickets);
    store_close(aaa->store);
    bytes_wipe(aaa, sizeof *aaa);
    free(aaa);
}

enum err aaa_reconfigure(struct aaa *aaa, const struct aaa_config *config)
{
    enum err result = leases_reconfigure(aaa->leases, config->pools, config->pool_count);
    if (result != ERR_OK)
        return result;
    aaa->sessions_per_user = config->sessions_per_user;
    take_grid(aaa, &config->grid);
    return store_each(aaa->store, reserve, aaa);
}

enum err aaa_store_check(struct aaa *aaa, struct aaa_why *why)
{
    if (store_quick_check(aaa->store) != ERR_OK)
        return aaa_why(why, ERR_SYSTEM, TOLD(STORE_DAMAGED));
    if (store_begin(aaa->store) != ERR_OK || store_end(aaa->store, ERR_OK) != ERR_OK)
        return aaa_why(why, ERR_SYSTEM, TOLD(STORE_UNWRITABLE));
    return ERR_OK;
}

struct aaa_usage aaa_usage(const struct aaa *aaa)
{
    struct aaa_usage u = {.accepted = aaa->accepted, .refused = aaa->refused};
    leases_usage(aaa->leases, &u.size, &u.used);
    return u;
}

/* ---- a login ---- */

static enum cause cause_of_lease(enum err e)
{
    switch (e) {
    case ERR_LIMIT:
        return CAUSE_POOL_EMPTY;
    case ERR_EXISTS:
        return CAUSE_ADDRESS_TAKEN;
    case ERR_NOTFOUND:
        return CAUSE_ADDRESS_OUTSIDE;
    case ERR_NOMEM:
        return CAUSE_NO_MEMORY;
    case ERR_OK:
    case ERR_SHORT:
    case ERR_MALFORMED:
    case ERR_UNSUPPORTED:
    case ERR_AUTH:
    case ERR_STATE:
    case ERR_INVALID:
    case ERR_SYSTEM:
    case ERR_CRYPTO:
        break;
    }
    return CAUSE_AUTH_SERVICE;
}

static void copy_servers(const struct config_addrs *from, struct ip_addr to[static CONFIG_SERVERS_MAX])
{
    for (uint32_t i = 0; i < from->count && i < CONFIG_SERVERS_MAX; i++)
        to[i] = from->addr[i];
}

static uint32_t session_limit(const struct aaa *a, const struct store_row *row)
{
    if (row->user.max_sessions != 0)
        return row->user.max_sessions;
    return row->group.max_sessions != 0 ? row->group.max_sessions : a->sessions_per_user;
}

/* Whether the user is still served from where this address is: a reload, or another group, may have moved it. */
static bool may_keep(const struct aaa *a, const struct store_row *row, uint32_t address)
{
    const struct config_pool *pool = leases_pool_of(a->leases, address);
    return pool != NULL && (row->group.pool[0] == '\0' || strcmp(pool->name, row->group.pool) == 0);
}

/* The user may come in; what is left is its number of sessions and an address. */
static enum cause admit(struct aaa *a, const struct store_row *row, uint64_t session, const char *station,
                        struct aaa_answer *answer)
{
    const struct aaa_user *user = &row->user;
    uint32_t limit = session_limit(a, row);
    uint32_t fixed = ip4_value(&user->address), address;
    uint32_t live = leases_of_user(a->leases, user->name);
    const uint32_t held = leases_of_station(a->leases, user->name, station);
    if (fixed == 0 && held != 0 && may_keep(a, row, held)) /* a device that comes back goes on with what it had */
        fixed = held;
    if (held != 0 || (fixed != 0 && leases_held_by(a->leases, user->name, fixed)))
        live--; /* the one that will be replaced */
    if (limit != 0 && live >= limit)
        return CAUSE_AUTH_LIMIT;
    enum err result = leases_take(a->leases, session, user->name, fixed, row->group.pool, row->last_address, &address,
                                  &answer->replaces);
    if (result != ERR_OK)
        return cause_of_lease(result);
    if (answer->replaces == 0)
        answer->replaces = leases_leave_station(a->leases, user->name, station);
    leases_note_station(a->leases, session, station);
    const struct config_pool *pool = leases_pool_of(a->leases, address);
    answer->address = ip4_addr(address);
    answer->gateway = pool->gateway;
    copy_servers(&pool->dns, answer->dns);
    copy_servers(&pool->wins, answer->wins);
    snprintf(answer->pool, sizeof answer->pool, "%s", pool->name);
    return CAUSE_NONE;
}

void aaa_login(struct aaa *aaa, const struct aaa_request *request, struct aaa_answer *answer)
{
    struct proving l = {0};
    *answer = (struct aaa_answer){0};
    answer->cause = aaa_prove(aaa, request, &l, answer);
    if (answer->cause == CAUSE_NONE)
        answer->cause = admit(aaa, &l.row, request->session, request->station ? request->station : "", answer);
    answer->accepted = answer->cause == CAUSE_NONE;
    if (answer->accepted) {
        /* That a login could not be noted down is no reason to refuse it. */
        (void)store_seen(aaa->store, l.row.user.name, request->wall, ip4_value(&answer->address));
        aaa_remember(aaa, request, &l);
        aaa->accepted++;
    } else {
        bytes_wipe(answer->authenticator_response, sizeof answer->authenticator_response);
        aaa->refused++;
    }
    bytes_wipe(&l, sizeof l);
}

void aaa_logout(struct aaa *aaa, uint64_t session, usec_t now)
{
    leases_release(aaa->leases, session);
    desk_close(aaa->desk, session);
    tickets_lost(aaa->tickets, session, now);
}

void aaa_check(struct aaa *aaa, const struct aaa_request *request, struct aaa_answer *answer)
{
    struct proving l = {0};
    *answer = (struct aaa_answer){0};
    answer->cause = aaa_prove(aaa, request, &l, answer);
    answer->accepted = answer->cause == CAUSE_NONE;
    bytes_wipe(&l, sizeof l);
}

const char *aaa_session_user(const struct aaa *aaa, uint64_t session)
{
    return leases_user_of(aaa->leases, session);
}

/* ---- who may not stay ---- */

struct sweep {
    struct aaa *aaa;
    int64_t wall;
    void (*each)(void *ctx, uint64_t session, enum cause cause);
    void *ctx;
    enum err result;
};

static void sweep_one(void *ctx, uint64_t session, const char *name)
{
    struct sweep *sweep = ctx;
    struct store_row row = {0};
    const enum err found = store_get(sweep->aaa->store, name, &row);
    const enum cause cause = found == ERR_NOTFOUND ? CAUSE_ADMIN : aaa_welcome(&row.user, sweep->wall);
    if (found != ERR_OK && found != ERR_NOTFOUND)
        sweep->result = found;
    else if (cause != CAUSE_NONE)
        sweep->each(sweep->ctx, session, cause);
    bytes_wipe(&row, sizeof row);
}

enum err aaa_unwelcome(struct aaa *aaa, int64_t wall, void (*each)(void *ctx, uint64_t session, enum cause cause),
                       void *ctx)
{
    struct sweep sweep = {aaa, wall, each, ctx, ERR_OK};
    leases_each(aaa->leases, sweep_one, &sweep);
    return sweep.result;
}

int64_t aaa_next_expiry(struct aaa *aaa, int64_t wall)
{
    int64_t at = 0;
    return store_next_expiry(aaa->store, wall, &at) == ERR_OK ? at : 0;
}

void aaa_pool_each(const struct aaa *aaa,
                   void (*each)(void *ctx, const struct config_pool *pool, uint32_t size, uint32_t used,
                                uint32_t reserved),
                   void *ctx)
{
    leases_pools(aaa->leases, each, ctx);
}
