/* The rows of groups. */
#include "aaa/store_internal.h"

static void read_group(sqlite3_stmt *q, struct aaa_group *out)
{
    *out = (struct aaa_group){.enabled = sqlite3_column_int(q, 1) != 0,
                              .max_sessions = (uint32_t)sqlite3_column_int64(q, 3),
                              .users = (uint32_t)sqlite3_column_int64(q, 6)};
    column_words(q, 0, out->name, sizeof out->name);
    column_words(q, 2, out->pool, sizeof out->pool);
    column_words(q, 4, out->login, sizeof out->login);
    column_words(q, 5, out->note, sizeof out->note);
}

static void bind_group(struct store *s, enum statement which, const struct aaa_group *group)
{
    sqlite3_stmt *q = store_statement(s, which);
    bind_text(q, 1, group->name);
    sqlite3_bind_int(q, 2, group->enabled);
    bind_text(q, 3, group->pool);
    sqlite3_bind_int64(q, 4, group->max_sessions);
    bind_text(q, 5, group->login);
    bind_text(q, 6, group->note);
}

enum err store_group_get(struct store *s, const char *name, struct aaa_group *out)
{
    sqlite3_stmt *q = store_statement(s, STORE_GROUP_GET);
    bind_text(q, 1, name);
    enum err result = store_first(q);
    if (result != ERR_OK)
        return result;
    read_group(q, out);
    return store_finish(q, ERR_OK);
}

enum err store_group_add(struct store *s, const struct aaa_group *group)
{
    bind_group(s, STORE_GROUP_ADD, group);
    return store_change(s, STORE_GROUP_ADD, false);
}

enum err store_group_set(struct store *s, const struct aaa_group *group)
{
    bind_group(s, STORE_GROUP_SET, group);
    return store_change(s, STORE_GROUP_SET, true);
}

enum err store_group_del(struct store *s, const char *name)
{
    bind_text(store_statement(s, STORE_GROUP_DEL), 1, name);
    return store_change(s, STORE_GROUP_DEL, true);
}

struct visit {
    bool (*each)(void *ctx, const struct aaa_group *group);
    void *ctx;
};

static bool visit_row(void *ctx, sqlite3_stmt *q)
{
    const struct visit *visit = ctx;
    struct aaa_group group;
    read_group(q, &group);
    return visit->each(visit->ctx, &group);
}

enum err store_group_each(struct store *s, bool (*each)(void *ctx, const struct aaa_group *group), void *ctx)
{
    struct visit visit = {each, ctx};
    return store_rows(store_statement(s, STORE_GROUP_EACH), visit_row, &visit);
}
