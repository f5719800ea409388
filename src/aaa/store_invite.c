/* The rows of invitations: of their tokens there is a hash. */
#include "aaa/store_internal.h"

static void read_invite(sqlite3_stmt *q, struct aaa_invite *out)
{
    *out = (struct aaa_invite){.id = (uint32_t)sqlite3_column_int64(q, 0),
                               .created = sqlite3_column_int64(q, 2),
                               .expires = sqlite3_column_int64(q, 3)};
    column_words(q, 1, out->name, sizeof out->name);
}

enum err store_invite_add(struct store *s, const struct aaa_invite *invite, struct view hash)
{
    sqlite3_stmt *q = store_statement(s, STORE_INVITE_ADD);
    bind_text(q, 1, invite->name);
    bind_blob(q, 2, hash);
    sqlite3_bind_int64(q, 3, invite->created);
    sqlite3_bind_int64(q, 4, invite->expires);
    return store_change(s, STORE_INVITE_ADD, false);
}

enum err store_invite_get(struct store *s, struct view hash, int64_t wall, struct aaa_invite *out)
{
    sqlite3_stmt *q = store_statement(s, STORE_INVITE_GET);
    bind_blob(q, 1, hash);
    sqlite3_bind_int64(q, 2, wall);
    enum err result = store_first(q);
    if (result != ERR_OK)
        return result;
    read_invite(q, out);
    return store_finish(q, ERR_OK);
}

enum err store_invite_del(struct store *s, uint32_t id)
{
    sqlite3_bind_int64(store_statement(s, STORE_INVITE_DEL), 1, id);
    return store_change(s, STORE_INVITE_DEL, true);
}

enum err store_invite_del_user(struct store *s, const char *name)
{
    bind_text(store_statement(s, STORE_INVITE_DEL_USER), 1, name);
    return store_change(s, STORE_INVITE_DEL_USER, true);
}

enum err store_invite_del_old(struct store *s, int64_t wall)
{
    sqlite3_bind_int64(store_statement(s, STORE_INVITE_DEL_OLD), 1, wall);
    return store_change(s, STORE_INVITE_DEL_OLD, false);
}

struct visit {
    bool (*each)(void *ctx, const struct aaa_invite *invite);
    void *ctx;
};

static bool visit_row(void *ctx, sqlite3_stmt *q)
{
    const struct visit *visit = ctx;
    struct aaa_invite invite;
    read_invite(q, &invite);
    return visit->each(visit->ctx, &invite);
}

enum err store_invite_each(struct store *s, int64_t wall, bool (*each)(void *ctx, const struct aaa_invite *invite),
                           void *ctx)
{
    sqlite3_stmt *q = store_statement(s, STORE_INVITE_EACH);
    struct visit visit = {each, ctx};
    sqlite3_bind_int64(q, 1, wall);
    return store_rows(q, visit_row, &visit);
}
