/* Users as the administrator sees them: added, changed, listed, removed. */
#include "aaa/aaa_internal.h"

#include <stdio.h>
#include <string.h>

static enum err check_name(const char *name, struct aaa_why *why)
{
    if (aaa_name_valid(name))
        return ERR_OK;
    return aaa_why(why, ERR_INVALID, TOLD(USER_NAME_BAD), AAA_NAME_MAX - 1);
}

static enum err check_password(struct view password, struct aaa_why *why)
{
    uint8_t hash[MSCHAP_NT_HASH_SIZE];
    if (password.n == 0 || password.n > AAA_PASSWORD_MAX)
        return aaa_why(why, ERR_INVALID, TOLD(PASSWORD_LENGTH), AAA_PASSWORD_MAX, password.n);
    for (size_t i = 0; i < password.n; i++)
        if (password.p[i] < ' ' || password.p[i] == 0x7f)
            return aaa_why(why, ERR_INVALID, TOLD(PASSWORD_CONTROL));
    enum err result = mschap_nt_hash(password, hash);
    bytes_wipe(hash, sizeof hash);
    if (result == ERR_INVALID)
        return aaa_why(why, ERR_INVALID, TOLD(PASSWORD_UTF8));
    return result == ERR_OK ? ERR_OK : aaa_why(why, result, TOLD(PASSWORD_UNHASHED));
}

static enum err check_address(struct aaa *a, const struct aaa_user *user, struct aaa_why *why)
{
    char text[IP_TEXT_MAX], owner[AAA_NAME_MAX];
    if (user->address.family == 0)
        return ERR_OK;
    uint32_t address = ip4_value(&user->address);
    if (address == 0 || leases_pool_of(a->leases, address) == NULL)
        return aaa_why(why, ERR_INVALID, TOLD(ADDRESS_OUTSIDE), ip_text(&user->address, text));
    if (store_owner(a->store, address, owner) != ERR_OK)
        return aaa_why(why, ERR_SYSTEM, TOLD(STORE_UNREADABLE));
    if (owner[0] != '\0' && !aaa_names_equal(owner, user->name))
        return aaa_why(why, ERR_EXISTS, TOLD(ADDRESS_OWNED), ip_text(&user->address, text), owner);
    return ERR_OK;
}

static enum err check_group(struct aaa *a, const char *name, struct aaa_why *why)
{
    struct aaa_group group;
    if (name[0] == '\0')
        return ERR_OK;
    const enum err result = store_group_get(a->store, name, &group);
    if (result == ERR_NOTFOUND)
        return aaa_why(why, ERR_INVALID, TOLD(GROUP_UNKNOWN), name);
    return result == ERR_OK ? ERR_OK : aaa_why(why, result, TOLD(STORE_UNREADABLE));
}

static enum err tell(enum err result, const char *name, struct aaa_why *why)
{
    if (result == ERR_NOTFOUND)
        return aaa_why(why, result, TOLD(USER_UNKNOWN), name);
    if (result == ERR_EXISTS)
        return aaa_why(why, result, TOLD(USER_EXISTS), name);
    if (result != ERR_OK)
        return aaa_why(why, result, TOLD(STORE_BROKEN));
    return ERR_OK;
}

static enum err seal_password(struct aaa *a, const char *name, struct view password, struct store_row *row,
                              struct aaa_why *why)
{
    enum err result = seal(a->key, &a->random, view_str(name), password, row->sealed);
    row->sealed_n = password.n + SEAL_OVERHEAD;
    return result == ERR_OK ? ERR_OK : aaa_why(why, result, TOLD(PASSWORD_UNSEALED));
}

enum err aaa_user_add(struct aaa *aaa, const struct aaa_user *user, struct view password, int64_t wall,
                      struct aaa_why *why)
{
    struct store_row row = {.user = *user};
    row.user.created = wall;
    enum err result = check_name(user->name, why);
    if (result == ERR_OK)
        result = check_password(password, why);
    if (result == ERR_OK)
        result = check_address(aaa, user, why);
    if (result == ERR_OK)
        result = check_group(aaa, user->group, why);
    if (result == ERR_OK)
        result = seal_password(aaa, user->name, password, &row, why);
    if (result == ERR_OK)
        result = tell(store_add(aaa->store, &row), user->name, why);
    if (result == ERR_OK && user->address.family != 0)
        leases_reserve(aaa->leases, ip4_value(&user->address));
    return result;
}

enum err aaa_user_set(struct aaa *aaa, const struct aaa_user *user, struct aaa_why *why)
{
    struct store_row old;
    enum err result = tell(store_get(aaa->store, user->name, &old), user->name, why);
    if (result == ERR_OK && !ip_equal(&old.user.address, &user->address))
        result = check_address(aaa, user, why);
    if (result == ERR_OK)
        result = check_group(aaa, user->group, why);
    if (result == ERR_OK)
        result = tell(store_set(aaa->store, user), user->name, why);
    if (result == ERR_OK && !user->enabled) /* and when enabled again, logs in anew */
        aaa_forget_tickets(aaa, user->name);
    if (result != ERR_OK || ip_equal(&old.user.address, &user->address))
        return result;
    leases_unreserve(aaa->leases, ip4_value(&old.user.address));
    leases_reserve(aaa->leases, ip4_value(&user->address));
    return ERR_OK;
}

enum err aaa_user_password(struct aaa *aaa, const char *name, struct view password, struct aaa_why *why)
{
    struct store_row row;
    enum err result = tell(store_get(aaa->store, name, &row), name, why);
    if (result == ERR_OK)
        result = check_password(password, why);
    if (result == ERR_OK)
        result = seal_password(aaa, row.user.name, password, &row, why);
    if (result == ERR_OK)
        result = tell(store_password(aaa->store, row.user.name, view_of(row.sealed, row.sealed_n)), name, why);
    if (result == ERR_OK)
        aaa_forget_tickets(aaa, row.user.name);
    return result;
}

enum err aaa_user_del(struct aaa *aaa, const char *name, struct aaa_why *why)
{
    struct store_row row;
    enum err result = tell(store_get(aaa->store, name, &row), name, why);
    if (result == ERR_OK)
        result = tell(store_del(aaa->store, name), name, why);
    if (result == ERR_OK)
        leases_unreserve(aaa->leases, ip4_value(&row.user.address));
    if (result == ERR_OK) /* who gets the name next is somebody else */
        aaa_forget_tickets(aaa, row.user.name);
    return result;
}

/* The length of a pattern is not told; the least that is taken stands for it. */
static void tell_exposure(const struct aaa *a, struct aaa_user *user)
{
    if (!user->grid)
        return;
    user->renew = a->grid.exposed > 0 && user->grid_exposed >= a->grid.exposed;
    user->bits_left = grid_bits_left(&a->shape, (uint8_t)a->grid.least, user->grid_exposed) / 10;
}

/* What the store does not have of a user. */
static void complete(const struct aaa *a, struct store_row *row)
{
    tell_exposure(a, &row->user);
    row->user.sessions = leases_of_user(a->leases, row->user.name);
    aaa_stamp_user(a, row);
}

enum err aaa_user_get(struct aaa *aaa, const char *name, struct aaa_user *out, struct aaa_why *why)
{
    struct store_row row;
    enum err result = tell(store_get(aaa->store, name, &row), name, why);
    if (result != ERR_OK)
        return result;
    complete(aaa, &row);
    *out = row.user;
    return ERR_OK;
}

struct listing {
    struct aaa *aaa;
    bool (*each)(void *ctx, const struct aaa_user *user);
    void *ctx;
};

static bool list_one(void *ctx, struct store_row *row)
{
    const struct listing *l = ctx;
    complete(l->aaa, row);
    return l->each(l->ctx, &row->user);
}

enum err aaa_user_each(struct aaa *aaa, bool (*each)(void *ctx, const struct aaa_user *user), void *ctx,
                       struct aaa_why *why)
{
    struct listing l = {aaa, each, ctx};
    return tell(store_each(aaa->store, list_one, &l), "", why);
}
