/* The user store: one SQLite file in WAL mode, its statements prepared once. */
#include "aaa/aaa_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#define SCHEMA_VERSION  1
#define BUSY_MS         2000 /* for a backup that reads */
#define STR_VALUE(x)    #x
#define STR(x)          STR_VALUE(x)
#define STATEMENT_COUNT 10

static const char schema[] = "BEGIN IMMEDIATE;"
                             "CREATE TABLE user ("
                             " id INTEGER PRIMARY KEY,"
                             " name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
                             " password BLOB NOT NULL,"
                             " enabled INTEGER NOT NULL,"
                             " address INTEGER UNIQUE,"
                             " max_sessions INTEGER NOT NULL,"
                             " expires INTEGER NOT NULL,"
                             " created INTEGER NOT NULL,"
                             " last_login INTEGER NOT NULL DEFAULT 0,"
                             " last_address INTEGER NOT NULL DEFAULT 0"
                             ") STRICT;"
                             "CREATE TABLE seal (id INTEGER PRIMARY KEY CHECK (id = 1), word BLOB NOT NULL) STRICT;"
                             "PRAGMA user_version = " STR(SCHEMA_VERSION) ";"
                                                                          "COMMIT;";

#define COLUMNS                                                                                                        \
    "name, password, enabled, coalesce(address, 0), max_sessions, expires, created, last_login, last_address"

enum statement { CHECK_GET, CHECK_PUT, GET, ADD, SET, PASSWORD, SEEN, DEL, EACH, OWNER };

static const char *const sql[STATEMENT_COUNT] = {
    [CHECK_GET] = "SELECT word FROM seal WHERE id = 1",
    [CHECK_PUT] = "INSERT INTO seal (id, word) VALUES (1, ?1)",
    [GET] = "SELECT " COLUMNS " FROM user WHERE name = ?1",
    [ADD] = "INSERT INTO user (name, password, enabled, address, max_sessions, expires, created)"
            " VALUES (?1, ?2, ?3, nullif(?4, 0), ?5, ?6, ?7)",
    [SET] = "UPDATE user SET enabled = ?2, address = nullif(?3, 0), max_sessions = ?4, expires = ?5 WHERE name = ?1",
    [PASSWORD] = "UPDATE user SET password = ?2 WHERE name = ?1",
    [SEEN] = "UPDATE user SET last_login = ?2, last_address = ?3 WHERE name = ?1",
    [DEL] = "DELETE FROM user WHERE name = ?1",
    [EACH] = "SELECT " COLUMNS " FROM user ORDER BY name",
    [OWNER] = "SELECT name FROM user WHERE address = ?1",
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *statement[STATEMENT_COUNT];
};

/* ---- opening ---- */

/* Made by us first, so that nobody else may read it from the start; SQLite gives its side files the same mode. */
static enum err touch(const char *path, char why[static AAA_WHY_MAX])
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return aaa_why(why, ERR_SYSTEM, "The user store %s cannot be opened: %s.", path, strerror(errno));
    close(fd);
    return ERR_OK;
}

static bool run(struct store *s, const char *text)
{
    return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

static int version_of(struct store *s)
{
    sqlite3_stmt *q;
    int version = -1;
    if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &q, NULL) != SQLITE_OK)
        return -1;
    if (sqlite3_step(q) == SQLITE_ROW)
        version = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return version;
}

static enum err ready(struct store *s, const char *path, char why[static AAA_WHY_MAX])
{
    sqlite3_busy_timeout(s->db, BUSY_MS);
    if (!run(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF;"))
        return aaa_why(why, ERR_SYSTEM, "The user store %s cannot be used: %s.", path, sqlite3_errmsg(s->db));
    int version = version_of(s);
    if (version == 0 && run(s, schema))
        version = SCHEMA_VERSION;
    if (version != SCHEMA_VERSION)
        return aaa_why(why, ERR_INVALID, "The user store %s has version %d, this program wants %d.", path, version,
                       SCHEMA_VERSION);
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statement[i], NULL) != SQLITE_OK)
            return aaa_why(why, ERR_INVALID, "The user store %s is damaged: %s.", path, sqlite3_errmsg(s->db));
    return ERR_OK;
}

enum err store_open(const char *path, struct store **out, char why[static AAA_WHY_MAX])
{
    enum err result = touch(path, why);
    if (result != ERR_OK)
        return result;
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return aaa_why(why, ERR_NOMEM, "There is not enough memory for the user store.");
    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        result = aaa_why(why, ERR_SYSTEM, "The user store %s cannot be opened: %s.", path, sqlite3_errmsg(s->db));
    if (result == ERR_OK)
        result = ready(s, path, why);
    if (result != ERR_OK) {
        store_close(s);
        return result;
    }
    *out = s;
    return ERR_OK;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(s->statement[i]);
    sqlite3_close(s->db);
    free(s);
}

/* ---- one statement ---- */

static void bind_text(sqlite3_stmt *q, int place, const char *text)
{
    sqlite3_bind_text(q, place, text, -1, SQLITE_STATIC);
}

static void bind_blob(sqlite3_stmt *q, int place, struct view v)
{
    sqlite3_bind_blob(q, place, v.p, (int)v.n, SQLITE_STATIC);
}

static enum err finish(sqlite3_stmt *q, enum err result)
{
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    return result;
}

/* Runs a statement that gives no rows. */
static enum err change(struct store *s, enum statement which, bool must_find)
{
    sqlite3_stmt *q = s->statement[which];
    int code = sqlite3_step(q);
    enum err result = ERR_OK;
    if (code == SQLITE_CONSTRAINT)
        result = ERR_EXISTS;
    else if (code != SQLITE_DONE)
        result = ERR_SYSTEM;
    else if (must_find && sqlite3_changes(s->db) == 0)
        result = ERR_NOTFOUND;
    return finish(q, result);
}

static size_t column_bytes(sqlite3_stmt *q, int column, uint8_t *out, size_t cap)
{
    const void *p = sqlite3_column_blob(q, column);
    size_t n = (size_t)sqlite3_column_bytes(q, column);
    if (p == NULL || n > cap)
        return 0;
    memcpy(out, p, n);
    return n;
}

static void column_name(sqlite3_stmt *q, int column, char out[static AAA_NAME_MAX])
{
    const unsigned char *text = sqlite3_column_text(q, column);
    snprintf(out, AAA_NAME_MAX, "%s", text != NULL ? (const char *)text : "");
}

static void read_row(sqlite3_stmt *q, struct store_row *row)
{
    *row = (struct store_row){0};
    column_name(q, 0, row->user.name);
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
}

/* ---- verbs ---- */

enum err store_check_get(struct store *s, uint8_t *out, size_t cap, size_t *n)
{
    sqlite3_stmt *q = s->statement[CHECK_GET];
    int code = sqlite3_step(q);
    *n = code == SQLITE_ROW ? column_bytes(q, 0, out, cap) : 0;
    return finish(q, code == SQLITE_ROW || code == SQLITE_DONE ? ERR_OK : ERR_SYSTEM);
}

enum err store_check_put(struct store *s, struct view sealed)
{
    bind_blob(s->statement[CHECK_PUT], 1, sealed);
    return change(s, CHECK_PUT, false);
}

enum err store_get(struct store *s, const char *name, struct store_row *out)
{
    sqlite3_stmt *q = s->statement[GET];
    bind_text(q, 1, name);
    int code = sqlite3_step(q);
    if (code != SQLITE_ROW)
        return finish(q, code == SQLITE_DONE ? ERR_NOTFOUND : ERR_SYSTEM);
    read_row(q, out);
    return finish(q, ERR_OK);
}

enum err store_add(struct store *s, const struct store_row *row)
{
    sqlite3_stmt *q = s->statement[ADD];
    bind_text(q, 1, row->user.name);
    bind_blob(q, 2, view_of(row->sealed, row->sealed_n));
    sqlite3_bind_int(q, 3, row->user.enabled);
    sqlite3_bind_int64(q, 4, ip4_value(&row->user.address));
    sqlite3_bind_int64(q, 5, row->user.max_sessions);
    sqlite3_bind_int64(q, 6, row->user.expires);
    sqlite3_bind_int64(q, 7, row->user.created);
    return change(s, ADD, false);
}

enum err store_set(struct store *s, const struct aaa_user *user)
{
    sqlite3_stmt *q = s->statement[SET];
    bind_text(q, 1, user->name);
    sqlite3_bind_int(q, 2, user->enabled);
    sqlite3_bind_int64(q, 3, ip4_value(&user->address));
    sqlite3_bind_int64(q, 4, user->max_sessions);
    sqlite3_bind_int64(q, 5, user->expires);
    return change(s, SET, true);
}

enum err store_password(struct store *s, const char *name, struct view sealed)
{
    bind_text(s->statement[PASSWORD], 1, name);
    bind_blob(s->statement[PASSWORD], 2, sealed);
    return change(s, PASSWORD, true);
}

enum err store_seen(struct store *s, const char *name, int64_t wall, uint32_t address)
{
    sqlite3_stmt *q = s->statement[SEEN];
    bind_text(q, 1, name);
    sqlite3_bind_int64(q, 2, wall);
    sqlite3_bind_int64(q, 3, address);
    return change(s, SEEN, true);
}

enum err store_del(struct store *s, const char *name)
{
    bind_text(s->statement[DEL], 1, name);
    return change(s, DEL, true);
}

enum err store_each(struct store *s, bool (*each)(void *ctx, const struct store_row *row), void *ctx)
{
    sqlite3_stmt *q = s->statement[EACH];
    struct store_row row;
    int code;
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        read_row(q, &row);
        if (!each(ctx, &row)) {
            code = SQLITE_DONE;
            break;
        }
    }
    return finish(q, code == SQLITE_DONE ? ERR_OK : ERR_SYSTEM);
}

enum err store_owner(struct store *s, uint32_t address, char out[static AAA_NAME_MAX])
{
    sqlite3_stmt *q = s->statement[OWNER];
    sqlite3_bind_int64(q, 1, address);
    int code = sqlite3_step(q);
    out[0] = '\0';
    if (code == SQLITE_ROW)
        column_name(q, 0, out);
    return finish(q, code == SQLITE_ROW || code == SQLITE_DONE ? ERR_OK : ERR_SYSTEM);
}
