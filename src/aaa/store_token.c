/* The rows of programs' tokens: there is a hash of each. */
#include "aaa/store_internal.h"

static void read_token(sqlite3_stmt *q, struct aaa_token *out)
{
    *out = (struct aaa_token){.created = sqlite3_column_int64(q, 2),
                              .expires = sqlite3_column_int64(q, 3),
                              .last_used = sqlite3_column_int64(q, 4)};
    column_words(q, 0, out->name, sizeof out->name);
    column_words(q, 1, out->scopes, sizeof out->scopes);
}

enum err store_token_add(struct store *s, const struct aaa_token *token, struct view hash)
{
    sqlite3_stmt *q = store_statement(s, STORE_TOKEN_ADD);
    bind_text(q, 1, token->name);
    bind_blob(q, 2, hash);
    bind_text(q, 3, token->scopes);
    sqlite3_bind_int64(q, 4, token->created);
    sqlite3_bind_int64(q, 5, token->expires);
    return store_change(s, STORE_TOKEN_ADD, false);
}

enum err store_token_get(struct store *s, struct view hash, int64_t wall, struct aaa_token *out)
{
    sqlite3_stmt *q = store_statement(s, STORE_TOKEN_GET);
    bind_blob(q, 1, hash);
    sqlite3_bind_int64(q, 2, wall);
    enum err result = store_first(q);
    if (result != ERR_OK)
        return result;
    read_token(q, out);
    return store_finish(q, ERR_OK);
}

enum err store_token_used(struct store *s, struct view hash, int64_t wall)
{
    sqlite3_stmt *q = store_statement(s, STORE_TOKEN_USED);
    bind_blob(q, 1, hash);
    sqlite3_bind_int64(q, 2, wall);
    return store_change(s, STORE_TOKEN_USED, true);
}

enum err store_token_del(struct store *s, const char *name)
{
    bind_text(store_statement(s, STORE_TOKEN_DEL), 1, name);
    return store_change(s, STORE_TOKEN_DEL, true);
}

struct visit {
    bool (*each)(void *ctx, const struct aaa_token *token);
    void *ctx;
};

static bool visit_row(void *ctx, sqlite3_stmt *q)
{
    const struct visit *visit = ctx;
    struct aaa_token token;
    read_token(q, &token);
    return visit->each(visit->ctx, &token);
}

enum err store_token_each(struct store *s, bool (*each)(void *ctx, const struct aaa_token *token), void *ctx)
{
    struct visit visit = {each, ctx};
    return store_rows(store_statement(s, STORE_TOKEN_EACH), visit_row, &visit);
}
