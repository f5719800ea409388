/* The rows of the portal's administrators. */
#include "aaa/store_internal.h"

static void read_admin(sqlite3_stmt *q, struct store_admin *out)
{
    *out = (struct store_admin){
        .totp_step = (uint64_t)sqlite3_column_int64(q, 4),
        .admin = {.created = sqlite3_column_int64(q, 5), .last_login = sqlite3_column_int64(q, 6)}};
    column_words(q, 0, out->admin.name, sizeof out->admin.name);
    (void)column_bytes(q, 1, out->salt, sizeof out->salt);
    (void)column_bytes(q, 2, out->hash, sizeof out->hash);
    (void)column_bytes(q, 3, out->totp, sizeof out->totp);
}

enum err store_admin_get(struct store *s, const char *name, struct store_admin *out)
{
    sqlite3_stmt *q = store_statement(s, STORE_ADMIN_GET);
    bind_text(q, 1, name);
    enum err result = store_first(q);
    if (result != ERR_OK)
        return result;
    read_admin(q, out);
    return store_finish(q, ERR_OK);
}

enum err store_admin_add(struct store *s, const struct store_admin *row)
{
    sqlite3_stmt *q = store_statement(s, STORE_ADMIN_ADD);
    bind_text(q, 1, row->admin.name);
    bind_blob(q, 2, VIEW(row->salt));
    bind_blob(q, 3, VIEW(row->hash));
    bind_blob(q, 4, VIEW(row->totp));
    sqlite3_bind_int64(q, 5, row->admin.created);
    return store_change(s, STORE_ADMIN_ADD, false);
}

enum err store_admin_password(struct store *s, const char *name, struct view salt, struct view hash)
{
    sqlite3_stmt *q = store_statement(s, STORE_ADMIN_PASSWORD);
    bind_text(q, 1, name);
    bind_blob(q, 2, salt);
    bind_blob(q, 3, hash);
    return store_change(s, STORE_ADMIN_PASSWORD, true);
}

enum err store_admin_totp(struct store *s, const char *name, struct view sealed)
{
    sqlite3_stmt *q = store_statement(s, STORE_ADMIN_TOTP);
    bind_text(q, 1, name);
    bind_blob(q, 2, sealed);
    return store_change(s, STORE_ADMIN_TOTP, true);
}

enum err store_admin_seen(struct store *s, const char *name, uint64_t step, int64_t wall)
{
    sqlite3_stmt *q = store_statement(s, STORE_ADMIN_SEEN);
    bind_text(q, 1, name);
    sqlite3_bind_int64(q, 2, (int64_t)step);
    sqlite3_bind_int64(q, 3, wall);
    return store_change(s, STORE_ADMIN_SEEN, true);
}

enum err store_admin_del(struct store *s, const char *name)
{
    bind_text(store_statement(s, STORE_ADMIN_DEL), 1, name);
    return store_change(s, STORE_ADMIN_DEL, true);
}

struct visit {
    bool (*each)(void *ctx, struct store_admin *row);
    void *ctx;
};

static bool visit_row(void *ctx, sqlite3_stmt *q)
{
    const struct visit *visit = ctx;
    struct store_admin row;
    read_admin(q, &row);
    return visit->each(visit->ctx, &row);
}

enum err store_admin_each(struct store *s, bool (*each)(void *ctx, struct store_admin *row), void *ctx)
{
    struct visit visit = {each, ctx};
    return store_rows(store_statement(s, STORE_ADMIN_EACH), visit_row, &visit);
}
