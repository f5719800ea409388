/* Tokens of programs: a name, what it is for, and the hash of a text that is told once. */
#include "aaa/aaa_internal.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "sekisho_" /* by which programs that look for lost secrets know one */

static bool is_scope(struct view word)
{
    for (enum scope s = 0; s < SCOPE_COUNT; s++)
        if (view_equal(word, view_str(scope_word(s))))
            return true;
    return false;
}

static enum err check(const struct aaa_token *token, int64_t wall, struct aaa_why *why)
{
    if (!aaa_name_valid(token->name))
        return aaa_why(why, ERR_INVALID, TOLD(TOKEN_NAME_BAD));
    if (token->expires != 0 && token->expires <= wall)
        return aaa_why(why, ERR_INVALID, TOLD(TIME_OVER));
    for (const char *p = token->scopes;; p++) {
        const size_t n = strcspn(p, ",");
        if (!is_scope(view_of(p, n)))
            return aaa_why(why, ERR_INVALID, TOLD(TOKEN_SCOPE), (int)(n < 64 ? n : 64), p);
        p += n;
        if (*p == '\0')
            return ERR_OK;
    }
}

static enum err tell(enum err result, const char *name, struct aaa_why *why)
{
    if (result == ERR_NOTFOUND)
        return aaa_why(why, result, TOLD(TOKEN_UNKNOWN), name);
    if (result == ERR_EXISTS)
        return aaa_why(why, result, TOLD(TOKEN_EXISTS), name);
    return result == ERR_OK ? ERR_OK : aaa_why(why, result, TOLD(STORE_BROKEN));
}

enum err aaa_token_make(struct aaa *aaa, const struct aaa_token *token, int64_t wall, char text[static AAA_TOKEN_MAX],
                        struct aaa_why *why)
{
    uint8_t hash[HASH_SIZE_MAX];
    struct aaa_token made = *token;
    made.created = wall;
    enum err result = check(token, wall, why);
    if (result != ERR_OK)
        return result;
    token_draw(&aaa->random, PREFIX, text);
    result = token_hash(text, hash);
    if (result == ERR_OK)
        result = store_token_add(aaa->store, &made, view_of(hash, hash_size(HASH_SHA256)));
    if (result != ERR_OK)
        bytes_wipe(text, AAA_TOKEN_MAX);
    return tell(result, token->name, why);
}

enum err aaa_token_check(struct aaa *aaa, const char *text, int64_t wall, struct aaa_token *out, struct aaa_why *why)
{
    uint8_t hash[HASH_SIZE_MAX];
    const struct view key = view_of(hash, hash_size(HASH_SHA256));
    enum err result = token_hash(text, hash);
    if (result == ERR_OK)
        result = store_token_get(aaa->store, key, wall, out);
    if (result == ERR_NOTFOUND)
        return aaa_why(why, result, TOLD(TOKEN_BAD));
    if (result == ERR_OK && out->last_used != wall) /* a busy program need not cost the disk a write each time */
        result = store_token_used(aaa->store, key, wall);
    return tell(result, "", why);
}

struct search {
    const char *name;
    struct aaa_token *out;
    bool found;
};

static bool compare(void *ctx, const struct aaa_token *token)
{
    struct search *search = ctx;
    search->found = aaa_names_equal(token->name, search->name);
    if (search->found)
        *search->out = *token;
    return !search->found;
}

enum err aaa_token_get(struct aaa *aaa, const char *name, struct aaa_token *out, struct aaa_why *why)
{
    struct search search = {.name = name, .out = out};
    const enum err result = store_token_each(aaa->store, compare, &search);
    return tell(result == ERR_OK && !search.found ? ERR_NOTFOUND : result, name, why);
}

enum err aaa_token_revoke(struct aaa *aaa, const char *name, struct aaa_why *why)
{
    return tell(store_token_del(aaa->store, name), name, why);
}

enum err aaa_token_each(struct aaa *aaa, bool (*each)(void *ctx, const struct aaa_token *token), void *ctx,
                        struct aaa_why *why)
{
    return tell(store_token_each(aaa->store, each, ctx), "", why);
}
