/* Invitations, and what they share with the tokens of programs: both are drawn here and known by their hash alone. */
#include "aaa/aaa_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- tokens ---- */

void token_draw(const struct random *rng, const char *prefix, char text[static AAA_TOKEN_MAX])
{
    uint8_t bytes[TOKEN_BYTES];
    char body[BASE32_SIZE(TOKEN_BYTES)];
    random_fill(rng, bytes, sizeof bytes);
    base32_text(VIEW(bytes), body);
    for (char *p = body; *p != '\0'; p++) /* easier to read and type */
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    snprintf(text, AAA_TOKEN_MAX, "%s%s", prefix, body);
    bytes_wipe(bytes, sizeof bytes);
    bytes_wipe(body, sizeof body);
}

enum err token_hash(const char *text, uint8_t out[static HASH_SIZE_MAX])
{
    const struct view part = view_str(text);
    return hash_digest(HASH_SHA256, &part, 1, out);
}

static struct view hash_view(const uint8_t hash[static HASH_SIZE_MAX])
{
    return view_of(hash, hash_size(HASH_SHA256));
}

/* ---- invitations ---- */

static enum err tell(enum err result, struct aaa_why *why)
{
    if (result == ERR_NOTFOUND)
        return aaa_why(why, result, TOLD(INVITE_BAD));
    return result == ERR_OK ? ERR_OK : aaa_why(why, result, TOLD(STORE_BROKEN));
}

enum err aaa_invite_user(struct aaa *aaa, const struct aaa_user *user, int64_t wall, struct aaa_why *why)
{
    char password[AAA_TOKEN_MAX];
    token_draw(&aaa->random, "", password);
    const enum err result = aaa_user_add(aaa, user, view_str(password), wall, why);
    bytes_wipe(password, sizeof password);
    return result;
}

/* The newer one takes the place of what was open. */
static enum err put(struct aaa *a, const struct aaa_invite *invite, struct view hash)
{
    enum err result = store_begin(a->store);
    if (result != ERR_OK)
        return result;
    result = store_invite_del_old(a->store, invite->created);
    if (result == ERR_OK) {
        result = store_invite_del_user(a->store, invite->name);
        result = result == ERR_NOTFOUND ? ERR_OK : result;
    }
    if (result == ERR_OK)
        result = store_invite_add(a->store, invite, hash);
    return store_end(a->store, result);
}

enum err aaa_invite_make(struct aaa *aaa, const char *name, int64_t wall, uint32_t valid,
                         char token[static AAA_TOKEN_MAX], struct aaa_invite *out, struct aaa_why *why)
{
    uint8_t hash[HASH_SIZE_MAX];
    struct aaa_user user;
    const uint32_t seconds = valid != 0 ? valid : AAA_INVITE_VALID;
    struct aaa_invite made = {.created = wall, .expires = wall + seconds};
    enum err result = aaa_user_get(aaa, name, &user, why);
    if (result != ERR_OK)
        return result;
    if (seconds > AAA_INVITE_LONGEST)
        return aaa_why(why, ERR_INVALID, TOLD(INVITE_LONG), AAA_INVITE_LONGEST / 86400);
    snprintf(made.name, sizeof made.name, "%s", user.name);
    token_draw(&aaa->random, "", token);
    result = token_hash(token, hash);
    if (result == ERR_OK)
        result = put(aaa, &made, hash_view(hash));
    if (result == ERR_OK)
        result = store_invite_get(aaa->store, hash_view(hash), wall, &made);
    if (result == ERR_OK)
        *out = made;
    else
        bytes_wipe(token, AAA_TOKEN_MAX);
    return tell(result, why);
}

/* The invitation of a token, if its user may log in. */
static enum err find(struct aaa *a, const char *token, int64_t wall, struct aaa_invite *out)
{
    uint8_t hash[HASH_SIZE_MAX];
    struct aaa_invite found = {0};
    struct store_row row = {0};
    enum err result = token_hash(token, hash);
    if (result == ERR_OK)
        result = store_invite_get(a->store, hash_view(hash), wall, &found);
    if (result == ERR_OK)
        result = store_get(a->store, found.name, &row);
    if (result == ERR_OK && aaa_welcome(&row.user, wall) != CAUSE_NONE)
        result = ERR_NOTFOUND;
    memcpy(found.login, row.group.login, sizeof found.login);
    if (result == ERR_OK)
        *out = found;
    bytes_wipe(&row, sizeof row);
    return result;
}

enum err aaa_invite_show(struct aaa *aaa, const char *token, int64_t wall, struct aaa_invite *out, struct aaa_why *why)
{
    return tell(find(aaa, token, wall, out), why);
}

/* Where grids are enabled, a password would not open beside a pattern. */
static enum err set_password(struct aaa *a, const char *name, struct view password, struct aaa_why *why)
{
    struct aaa_user user;
    enum err result = aaa_user_password(a, name, password, why);
    if (result == ERR_OK)
        result = aaa_user_get(a, name, &user, why);
    return result == ERR_OK && user.grid ? aaa_grid_off(a, name, why) : result;
}

/* Whoever removes the row has used it; a second one finds none. */
static enum err use(struct aaa *a, const struct aaa_invite *invite, struct view password, struct aaa_why *why)
{
    const enum err result = tell(store_invite_del(a->store, invite->id), why);
    return result == ERR_OK && password.n > 0 ? set_password(a, invite->name, password, why) : result;
}

enum err aaa_invite_use(struct aaa *aaa, const char *token, struct view password, int64_t wall, struct aaa_invite *out,
                        struct aaa_why *why)
{
    struct aaa_invite invite;
    enum err result = tell(store_begin(aaa->store), why);
    if (result != ERR_OK)
        return result;
    result = tell(find(aaa, token, wall, &invite), why);
    if (result == ERR_OK)
        result = use(aaa, &invite, password, why);
    const enum err ended = store_end(aaa->store, result);
    if (result == ERR_OK && ended != ERR_OK)
        result = tell(ended, why);
    if (result == ERR_OK)
        *out = invite;
    return result;
}

enum err aaa_invite_enrol(struct aaa *aaa, const char *token, const struct aaa_new_pattern *wanted,
                          struct aaa_enrolment *out, struct aaa_why *why)
{
    struct aaa_invite invite;
    struct aaa_new_pattern of_guest = *wanted;
    const enum err result = tell(find(aaa, token, wanted->wall, &invite), why);
    of_guest.user = invite.name;
    return result == ERR_OK ? aaa_grid_enrol(aaa, &of_guest, out, why) : result;
}

enum err aaa_invite_practise(struct aaa *aaa, const char *token, const struct aaa_practice *practice,
                             struct aaa_enrolment *out, struct aaa_invite *invite, struct aaa_why *why)
{
    struct aaa_practice of_guest = *practice;
    enum err result = tell(store_begin(aaa->store), why);
    if (result != ERR_OK)
        return result;
    result = tell(find(aaa, token, practice->wall, invite), why);
    of_guest.user = invite->name;
    if (result == ERR_OK)
        result = aaa_grid_practise(aaa, &of_guest, out, why);
    if (result == ERR_OK && out->rounds == 0)
        result = tell(store_invite_del(aaa->store, invite->id), why);
    const enum err ended = store_end(aaa->store, result);
    return result == ERR_OK && ended != ERR_OK ? tell(ended, why) : result;
}

enum err aaa_invite_revoke(struct aaa *aaa, uint32_t id, const char *name, struct aaa_why *why)
{
    const enum err result = id != 0 ? store_invite_del(aaa->store, id) : store_invite_del_user(aaa->store, name);
    if (result == ERR_NOTFOUND)
        return aaa_why(why, result, TOLD(INVITE_UNKNOWN));
    return tell(result, why);
}

enum err aaa_invite_each(struct aaa *aaa, int64_t wall, bool (*each)(void *ctx, const struct aaa_invite *invite),
                         void *ctx, struct aaa_why *why)
{
    return tell(store_invite_each(aaa->store, wall, each, ctx), why);
}
