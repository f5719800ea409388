/* What a user proves besides the password, and the places that logins came from. */
#include "aaa/store_internal.h"

static enum err change_of(struct store *s, enum statement which, const char *name, struct view sealed, int flag)
{
    sqlite3_stmt *q = store_statement(s, which);
    bind_text(q, 1, name);
    if (sealed.n > 0)
        bind_blob(q, 2, sealed);
    sqlite3_bind_int(q, 3, flag);
    return store_change(s, which, true);
}

enum err store_pattern(struct store *s, const char *name, struct view sealed, bool phrase)
{
    return change_of(s, STORE_FACTOR_PATTERN, name, sealed, phrase);
}

enum err store_totp(struct store *s, const char *name, struct view sealed, bool confirmed)
{
    return change_of(s, STORE_FACTOR_TOTP, name, sealed, confirmed);
}

enum err store_totp_step(struct store *s, const char *name, uint64_t step)
{
    sqlite3_stmt *q = store_statement(s, STORE_FACTOR_STEP);
    bind_text(q, 1, name);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)step);
    return store_change(s, STORE_FACTOR_STEP, true);
}

enum err store_grid_used(struct store *s, const char *name, bool strange)
{
    sqlite3_stmt *q = store_statement(s, STORE_FACTOR_USED);
    bind_text(q, 1, name);
    sqlite3_bind_int(q, 2, strange);
    return store_change(s, STORE_FACTOR_USED, true);
}

enum err store_lock(struct store *s, const char *name, int64_t wall)
{
    sqlite3_stmt *q = store_statement(s, STORE_USER_LOCK);
    bind_text(q, 1, name);
    sqlite3_bind_int64(q, 2, wall);
    return store_change(s, STORE_USER_LOCK, true);
}

uint32_t store_place_logins(struct store *s, const char *name, uint64_t place)
{
    sqlite3_stmt *q = store_statement(s, STORE_PLACE_GET);
    uint32_t logins = 0;
    bind_text(q, 1, name);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)place);
    if (store_first(q) != ERR_OK)
        return 0;
    logins = (uint32_t)sqlite3_column_int64(q, 0);
    (void)store_finish(q, ERR_OK);
    return logins;
}

enum err store_place_note(struct store *s, const char *name, uint64_t place, int64_t wall)
{
    sqlite3_stmt *q = store_statement(s, STORE_PLACE_PUT);
    bind_text(q, 1, name);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)place);
    sqlite3_bind_int64(q, 3, wall);
    return store_change(s, STORE_PLACE_PUT, true);
}
