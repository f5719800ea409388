/* Groups as the administrator sees them: added, changed, listed, removed. */
#include "aaa/aaa_internal.h"

#include <string.h>

static enum err check_group(struct aaa *a, const struct aaa_group *group, struct aaa_why *why)
{
    if (!aaa_name_valid(group->name))
        return aaa_why(why, ERR_INVALID, TOLD(GROUP_NAME_BAD), CONFIG_NAME_MAX - 1);
    if (!leases_has_pool(a->leases, group->pool))
        return aaa_why(why, ERR_INVALID, TOLD(POOL_UNKNOWN), group->pool);
    if (group->login[0] && strcmp(group->login, AAA_LOGIN_PASSWORD) != 0 && strcmp(group->login, AAA_LOGIN_GRID) != 0)
        return aaa_why(why, ERR_INVALID, TOLD(GROUP_LOGIN), AAA_LOGIN_PASSWORD, AAA_LOGIN_GRID);
    return ERR_OK;
}

static enum err tell(enum err result, const char *name, struct aaa_why *why)
{
    if (result == ERR_NOTFOUND)
        return aaa_why(why, result, TOLD(GROUP_UNKNOWN), name);
    if (result == ERR_EXISTS)
        return aaa_why(why, result, TOLD(GROUP_EXISTS), name);
    if (result != ERR_OK)
        return aaa_why(why, result, TOLD(STORE_BROKEN));
    return ERR_OK;
}

enum err aaa_group_add(struct aaa *aaa, const struct aaa_group *group, struct aaa_why *why)
{
    enum err result = check_group(aaa, group, why);
    return result == ERR_OK ? tell(store_group_add(aaa->store, group), group->name, why) : result;
}

enum err aaa_group_set(struct aaa *aaa, const struct aaa_group *group, struct aaa_why *why)
{
    enum err result = check_group(aaa, group, why);
    return result == ERR_OK ? tell(store_group_set(aaa->store, group), group->name, why) : result;
}

enum err aaa_group_del(struct aaa *aaa, const char *name, struct aaa_why *why)
{
    const enum err result = store_group_del(aaa->store, name);
    if (result == ERR_EXISTS) /* without it, who is disabled by their group would be let in again */
        return aaa_why(why, result, TOLD(GROUP_NOT_EMPTY), name);
    return tell(result, name, why);
}

enum err aaa_group_get(struct aaa *aaa, const char *name, struct aaa_group *out, struct aaa_why *why)
{
    return tell(store_group_get(aaa->store, name, out), name, why);
}

enum err aaa_group_each(struct aaa *aaa, bool (*each)(void *ctx, const struct aaa_group *group), void *ctx,
                        struct aaa_why *why)
{
    return tell(store_group_each(aaa->store, each, ctx), "", why);
}
