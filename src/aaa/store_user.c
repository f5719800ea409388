/* The rows of users, each with what its group gives it. */
#include "aaa/store_internal.h"

#include <string.h>

static void read_row(sqlite3_stmt *q, struct store_row *row)
{
    *row = (struct store_row){0};
    column_words(q, 0, row->user.name, sizeof row->user.name);
    row->sealed_n = column_bytes(q, 1, row->sealed, sizeof row->sealed);
    row->user.enabled = sqlite3_column_int(q, 2) != 0;
    uint32_t address = (uint32_t)sqlite3_column_int64(q, 3);
    if (address != 0)
        row->user.address = ip4_addr(address);
    row->user.max_sessions = (uint32_t)sqlite3_column_int64(q, 4);
    row->user.expires = sqlite3_column_int64(q, 5);
    row->user.created = sqlite3_column_int64(q, 6);
    row->user.last_login = sqlite3_column_int64(q, 7);
    row->last_address = (uint32_t)sqlite3_column_int64(q, 8);
    column_words(q, 9, row->user.group, sizeof row->user.group);
    column_words(q, 10, row->user.note, sizeof row->user.note);
    row->user.barred = sqlite3_column_int(q, 11) == 0;
    column_words(q, 12, row->group.pool, sizeof row->group.pool);
    row->group.max_sessions = (uint32_t)sqlite3_column_int64(q, 13);
    column_words(q, 14, row->group.login, sizeof row->group.login);
    row->user.locked = sqlite3_column_int64(q, 15);
    row->pattern_n = column_bytes(q, 16, row->pattern, sizeof row->pattern);
    row->user.grid = row->pattern_n > 0;
    row->user.phrase = sqlite3_column_int(q, 17) != 0;
    row->totp_n = column_bytes(q, 18, row->totp, sizeof row->totp);
    row->user.totp = row->totp_n > 0 && sqlite3_column_int(q, 19) != 0;
    row->totp_step = (uint64_t)sqlite3_column_int64(q, 20);
    row->user.grid_logins = (uint32_t)sqlite3_column_int64(q, 21);
    row->user.grid_exposed = (uint32_t)sqlite3_column_int64(q, 22);
    row->id = sqlite3_column_int64(q, 23);
}

enum err store_find(struct store *s, const char *name, int64_t *id)
{
    sqlite3_stmt *q = store_statement(s, STORE_USER_FIND);
    bind_text(q, 1, name);
    const enum err result = store_first(q);
    if (result != ERR_OK)
        return result;
    *id = sqlite3_column_int64(q, 0);
    return store_finish(q, ERR_OK);
}

enum err store_read(struct store *s, int64_t id, struct store_row *out)
{
    sqlite3_stmt *q = store_statement(s, STORE_USER_READ);
    sqlite3_bind_int64(q, 1, id);
    const enum err result = store_first(q);
    if (result != ERR_OK)
        return result;
    read_row(q, out);
    return store_finish(q, ERR_OK);
}

enum err store_get(struct store *s, const char *name, struct store_row *out)
{
    int64_t id;
    const enum err result = store_find(s, name, &id);
    return result == ERR_OK ? store_read(s, id, out) : result;
}

enum err store_add(struct store *s, const struct store_row *row)
{
    sqlite3_stmt *q = store_statement(s, STORE_USER_ADD);
    bind_text(q, 1, row->user.name);
    bind_blob(q, 2, view_of(row->sealed, row->sealed_n));
    sqlite3_bind_int(q, 3, row->user.enabled);
    sqlite3_bind_int64(q, 4, ip4_value(&row->user.address));
    sqlite3_bind_int64(q, 5, row->user.max_sessions);
    sqlite3_bind_int64(q, 6, row->user.expires);
    sqlite3_bind_int64(q, 7, row->user.created);
    bind_text(q, 8, row->user.group);
    bind_text(q, 9, row->user.note);
    return store_change(s, STORE_USER_ADD, false);
}

enum err store_set(struct store *s, const struct aaa_user *user)
{
    sqlite3_stmt *q = store_statement(s, STORE_USER_SET);
    bind_text(q, 1, user->name);
    sqlite3_bind_int(q, 2, user->enabled);
    sqlite3_bind_int64(q, 3, ip4_value(&user->address));
    sqlite3_bind_int64(q, 4, user->max_sessions);
    sqlite3_bind_int64(q, 5, user->expires);
    bind_text(q, 6, user->group);
    bind_text(q, 7, user->note);
    return store_change(s, STORE_USER_SET, true);
}

enum err store_password(struct store *s, const char *name, struct view sealed)
{
    sqlite3_stmt *q = store_statement(s, STORE_USER_PASSWORD);
    bind_text(q, 1, name);
    bind_blob(q, 2, sealed);
    return store_change(s, STORE_USER_PASSWORD, true);
}

enum err store_seen(struct store *s, const char *name, int64_t wall, uint32_t address)
{
    sqlite3_stmt *q = store_statement(s, STORE_USER_SEEN);
    bind_text(q, 1, name);
    sqlite3_bind_int64(q, 2, wall);
    sqlite3_bind_int64(q, 3, address);
    return store_change(s, STORE_USER_SEEN, true);
}

enum err store_del(struct store *s, const char *name)
{
    bind_text(store_statement(s, STORE_USER_DEL), 1, name);
    return store_change(s, STORE_USER_DEL, true);
}

struct visit {
    bool (*each)(void *ctx, struct store_row *row);
    void *ctx;
};

static bool visit_row(void *ctx, sqlite3_stmt *q)
{
    const struct visit *visit = ctx;
    struct store_row row;
    read_row(q, &row);
    return visit->each(visit->ctx, &row);
}

enum err store_each(struct store *s, bool (*each)(void *ctx, struct store_row *row), void *ctx)
{
    struct visit visit = {each, ctx};
    return store_rows(store_statement(s, STORE_USER_EACH), visit_row, &visit);
}

enum err store_owner(struct store *s, uint32_t address, char out[static AAA_NAME_MAX])
{
    sqlite3_stmt *q = store_statement(s, STORE_USER_OWNER);
    sqlite3_bind_int64(q, 1, address);
    enum err result = store_first(q);
    out[0] = '\0';
    if (result == ERR_OK)
        column_words(q, 0, out, AAA_NAME_MAX);
    return result == ERR_NOTFOUND ? ERR_OK : store_finish(q, result);
}

enum err store_next_expiry(struct store *s, int64_t after, int64_t *out)
{
    sqlite3_stmt *q = store_statement(s, STORE_USER_EXPIRES);
    sqlite3_bind_int64(q, 1, after);
    enum err result = store_first(q);
    if (result != ERR_OK)
        return result;
    *out = sqlite3_column_int64(q, 0);
    return store_finish(q, ERR_OK);
}
