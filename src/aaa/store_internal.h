/*
 * How the files of the store reach SQLite: store.c opens it and runs statements, and each noun's file (store_user.c and
 * so on) binds and reads its own columns.
 */
#ifndef SEKISHO_AAA_STORE_INTERNAL_H
#define SEKISHO_AAA_STORE_INTERNAL_H

#include <sqlite3.h>

#include "aaa/aaa_internal.h"

enum statement {
#define STATEMENT(name, sql) STORE_##name,
#include "aaa/statements.def"
#undef STATEMENT
    STATEMENT_COUNT
};

/* The prepared statement, without bindings; the store's. */
sqlite3_stmt *store_statement(struct store *s, enum statement which);
/* Text and bytes are borrowed until the statement has run. */
void bind_text(sqlite3_stmt *q, int place, const char *text);
void bind_blob(sqlite3_stmt *q, int place, struct view v);
/* Runs a statement that gives no rows. ERR_EXISTS: a constraint. ERR_NOTFOUND: it must find a row, and has not. */
enum err store_change(struct store *s, enum statement which, bool must_find);
/* Runs a statement that gives one row, which stays until store_finish(). ERR_NOTFOUND, ERR_SYSTEM: it is finished. */
enum err store_first(sqlite3_stmt *q);
/* Gives each row of the statement to each, until it returns false. */
enum err store_rows(sqlite3_stmt *q, bool (*each)(void *ctx, sqlite3_stmt *q), void *ctx);
enum err store_finish(sqlite3_stmt *q, enum err result);
/* A blob of at most cap bytes; 0 when it is longer. */
size_t column_bytes(sqlite3_stmt *q, int column, uint8_t *out, size_t cap);
void column_words(sqlite3_stmt *q, int column, char *out, size_t cap);

#endif
