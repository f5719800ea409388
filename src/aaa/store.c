/* The user store: one SQLite file in WAL mode, brought up to this program's version, its statements prepared once. */
#include "aaa/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS 2000 /* for a backup that reads */

/* What makes each version from the one before; the first makes a store from nothing. */
static const char *const migrations[] = {
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
    "CREATE TABLE seal (id INTEGER PRIMARY KEY CHECK (id = 1), word BLOB NOT NULL) STRICT;",

    /* "group" is a word of SQL */
    "CREATE TABLE team ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
    " enabled INTEGER NOT NULL,"
    " pool TEXT NOT NULL,"
    " max_sessions INTEGER NOT NULL,"
    " login TEXT NOT NULL,"
    " note TEXT NOT NULL"
    ") STRICT;"
    "ALTER TABLE user ADD COLUMN team INTEGER REFERENCES team (id);"
    "ALTER TABLE user ADD COLUMN note TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX user_team ON user (team);"
    "CREATE INDEX user_expires ON user (expires) WHERE expires > 0;"
    "CREATE TABLE invite ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,"
    " hash BLOB NOT NULL UNIQUE,"
    " created INTEGER NOT NULL,"
    " expires INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE admin ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
    " salt BLOB NOT NULL,"
    " hash BLOB NOT NULL,"
    " totp BLOB NOT NULL,"
    " totp_step INTEGER NOT NULL DEFAULT 0,"
    " created INTEGER NOT NULL,"
    " last_login INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE TABLE token ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
    " hash BLOB NOT NULL UNIQUE,"
    " scopes TEXT NOT NULL,"
    " created INTEGER NOT NULL,"
    " expires INTEGER NOT NULL,"
    " last_used INTEGER NOT NULL DEFAULT 0"
    ") STRICT;",

    "ALTER TABLE user ADD COLUMN locked INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE factor ("
    " user INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,"
    " pattern BLOB,"
    " phrase INTEGER NOT NULL DEFAULT 0,"
    " totp BLOB,"
    " totp_on INTEGER NOT NULL DEFAULT 0,"
    " totp_step INTEGER NOT NULL DEFAULT 0,"
    " logins INTEGER NOT NULL DEFAULT 0,"
    " exposed INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE TABLE place ("
    " user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,"
    " place INTEGER NOT NULL,"
    " logins INTEGER NOT NULL,"
    " last INTEGER NOT NULL,"
    " PRIMARY KEY (user, place)"
    ") STRICT;",
};

static const char *const sql[STATEMENT_COUNT] = {
#define STATEMENT(name, sql) sql,
#include "aaa/statements.def"
#undef STATEMENT
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *statement[STATEMENT_COUNT];
};

/* ---- opening ---- */

/* Made by us first, so that nobody else may read it from the start; SQLite gives its side files the same mode. */
static enum err touch(const char *path, struct aaa_why *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return aaa_why(why, ERR_SYSTEM, TOLD(STORE_UNOPENED), path, strerror(errno));
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

/* All steps or none, so that a store that fails half-way can still be opened by the program that made it. */
static bool migrate(struct store *s, int version)
{
    char mark[64];
    bool ok = run(s, "BEGIN IMMEDIATE");
    for (size_t i = (size_t)version; ok && i < ARRAY_LEN(migrations); i++)
        ok = run(s, migrations[i]);
    snprintf(mark, sizeof mark, "PRAGMA user_version = %zu", ARRAY_LEN(migrations));
    ok = ok && run(s, mark) && run(s, "COMMIT");
    if (!ok)
        (void)run(s, "ROLLBACK");
    return ok;
}

static enum err bring_up(struct store *s, const char *path, struct aaa_why *why)
{
    const int wanted = (int)ARRAY_LEN(migrations), version = version_of(s);
    if (version < 0 || version > wanted)
        return aaa_why(why, ERR_INVALID, TOLD(STORE_VERSION), path, version, wanted);
    if (version < wanted && !migrate(s, version))
        return aaa_why(why, ERR_SYSTEM, TOLD(STORE_NOT_RAISED), path, version, wanted, sqlite3_errmsg(s->db));
    return ERR_OK;
}

static enum err ready(struct store *s, const char *path, struct aaa_why *why)
{
    sqlite3_busy_timeout(s->db, BUSY_MS);
    if (!run(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF;"
                "PRAGMA foreign_keys = ON;"))
        return aaa_why(why, ERR_SYSTEM, TOLD(STORE_UNUSABLE), path, sqlite3_errmsg(s->db));
    enum err result = bring_up(s, path, why);
    if (result != ERR_OK)
        return result;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statement[i], NULL) != SQLITE_OK)
            return aaa_why(why, ERR_INVALID, TOLD(STORE_CORRUPT), path, sqlite3_errmsg(s->db));
    return ERR_OK;
}

enum err store_open(const char *path, struct store **out, struct aaa_why *why)
{
    enum err result = touch(path, why);
    if (result != ERR_OK)
        return result;
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return aaa_why(why, ERR_NOMEM, TOLD(NO_MEMORY_USERS));
    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        result = aaa_why(why, ERR_SYSTEM, TOLD(STORE_UNOPENED), path, sqlite3_errmsg(s->db));
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

sqlite3_stmt *store_statement(struct store *s, enum statement which)
{
    return s->statement[which];
}

void bind_text(sqlite3_stmt *q, int place, const char *text)
{
    sqlite3_bind_text(q, place, text, -1, SQLITE_STATIC);
}

void bind_blob(sqlite3_stmt *q, int place, struct view v)
{
    sqlite3_bind_blob(q, place, v.p, (int)v.n, SQLITE_STATIC);
}

enum err store_finish(sqlite3_stmt *q, enum err result)
{
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    return result;
}

enum err store_change(struct store *s, enum statement which, bool must_find)
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
    return store_finish(q, result);
}

enum err store_first(sqlite3_stmt *q)
{
    int code = sqlite3_step(q);
    if (code == SQLITE_ROW)
        return ERR_OK;
    return store_finish(q, code == SQLITE_DONE ? ERR_NOTFOUND : ERR_SYSTEM);
}

enum err store_rows(sqlite3_stmt *q, bool (*each)(void *ctx, sqlite3_stmt *q), void *ctx)
{
    int code;
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        if (!each(ctx, q)) {
            code = SQLITE_DONE;
            break;
        }
    }
    return store_finish(q, code == SQLITE_DONE ? ERR_OK : ERR_SYSTEM);
}

size_t column_bytes(sqlite3_stmt *q, int column, uint8_t *out, size_t cap)
{
    const void *p = sqlite3_column_blob(q, column);
    size_t n = (size_t)sqlite3_column_bytes(q, column);
    if (p == NULL || n > cap)
        return 0;
    memcpy(out, p, n);
    return n;
}

void column_words(sqlite3_stmt *q, int column, char *out, size_t cap)
{
    const unsigned char *text = sqlite3_column_text(q, column);
    snprintf(out, cap, "%s", text != NULL ? (const char *)text : "");
}

/* ---- the whole store ---- */

enum err store_check_get(struct store *s, uint8_t *out, size_t cap, size_t *n)
{
    sqlite3_stmt *q = s->statement[STORE_CHECK_GET];
    enum err result = store_first(q);
    *n = result == ERR_OK ? column_bytes(q, 0, out, cap) : 0;
    return result == ERR_NOTFOUND ? ERR_OK : store_finish(q, result);
}

enum err store_check_put(struct store *s, struct view sealed)
{
    bind_blob(s->statement[STORE_CHECK_PUT], 1, sealed);
    return store_change(s, STORE_CHECK_PUT, false);
}

enum err store_begin(struct store *s)
{
    return store_change(s, STORE_BEGIN, false);
}

enum err store_end(struct store *s, enum err result)
{
    if (result == ERR_OK)
        result = store_change(s, STORE_COMMIT, false);
    if (result != ERR_OK)
        (void)store_change(s, STORE_ROLLBACK, false);
    return result;
}

enum err store_quick_check(struct store *s)
{
    char word[8];
    sqlite3_stmt *q = s->statement[STORE_QUICK_CHECK];
    enum err result = store_first(q);
    if (result != ERR_OK)
        return ERR_SYSTEM;
    column_words(q, 0, word, sizeof word);
    return store_finish(q, strcmp(word, "ok") == 0 ? ERR_OK : ERR_SYSTEM);
}
