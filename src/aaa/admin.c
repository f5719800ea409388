/*
 * Administrators of the portal: a password hashed by Argon2id and a one-time code (RFC 6238), always both. A name that
 * does not exist costs the same work, and which of the three was wrong is told to nobody.
 */
#include "aaa/aaa_internal.h"

#include <stdio.h>
#include <string.h>

#define PASSWORD_LEAST 12 /* bytes */
#define STEPS_BESIDE   1  /* codes before and after: clocks differ, and typing takes its time */

static enum err tell(enum err result, const char *name, struct aaa_why *why)
{
    if (result == ERR_NOTFOUND)
        return aaa_why(why, result, TOLD(ADMIN_UNKNOWN), name);
    if (result == ERR_EXISTS)
        return aaa_why(why, result, TOLD(ADMIN_EXISTS), name);
    return result == ERR_OK ? ERR_OK : aaa_why(why, result, TOLD(STORE_BROKEN));
}

enum err aaa_admin_acceptable(const char *name, struct view password, struct aaa_why *why)
{
    if (!aaa_name_valid(name))
        return aaa_why(why, ERR_INVALID, TOLD(NAME_BAD));
    if (password.n < PASSWORD_LEAST || password.n > AAA_PASSWORD_MAX)
        return aaa_why(why, ERR_INVALID, TOLD(ADMIN_PASSWORD_LENGTH), PASSWORD_LEAST, AAA_PASSWORD_MAX);
    return ERR_OK;
}

/* A secret is sealed for this one administrator, whatever the case that the name is written in. */
static const char *context_of(const char *name, char out[static AAA_NAME_MAX + 8])
{
    char folded[AAA_NAME_MAX];
    snprintf(out, AAA_NAME_MAX + 8, "admin/%s", name_fold(name, folded));
    return out;
}

static enum err draw_totp(struct aaa *a, const char *name, uint8_t secret[static TOTP_SECRET_SIZE], uint8_t *sealed)
{
    char context[AAA_NAME_MAX + 8];
    random_fill(&a->random, secret, TOTP_SECRET_SIZE);
    return seal(a->key, &a->random, view_str(context_of(name, context)), view_of(secret, TOTP_SECRET_SIZE), sealed);
}

enum err aaa_admin_add(struct aaa *aaa, const char *name, const uint8_t salt[static ARGON2_SALT_SIZE],
                       const uint8_t hash[static ARGON2_HASH_SIZE], int64_t wall,
                       uint8_t secret[static TOTP_SECRET_SIZE], struct aaa_why *why)
{
    struct store_admin row = {.admin.created = wall};
    snprintf(row.admin.name, sizeof row.admin.name, "%s", name);
    memcpy(row.salt, salt, sizeof row.salt);
    memcpy(row.hash, hash, sizeof row.hash);
    enum err result = draw_totp(aaa, name, secret, row.totp);
    if (result == ERR_OK)
        result = store_admin_add(aaa->store, &row);
    if (result != ERR_OK)
        bytes_wipe(secret, TOTP_SECRET_SIZE);
    return tell(result, name, why);
}

enum err aaa_admin_password(struct aaa *aaa, const char *name, const uint8_t salt[static ARGON2_SALT_SIZE],
                            const uint8_t hash[static ARGON2_HASH_SIZE], struct aaa_why *why)
{
    return tell(
        store_admin_password(aaa->store, name, view_of(salt, ARGON2_SALT_SIZE), view_of(hash, ARGON2_HASH_SIZE)), name,
        why);
}

enum err aaa_admin_totp(struct aaa *aaa, const char *name, uint8_t secret[static TOTP_SECRET_SIZE], struct aaa_why *why)
{
    uint8_t sealed[TOTP_SECRET_SIZE + SEAL_OVERHEAD];
    enum err result = draw_totp(aaa, name, secret, sealed);
    if (result == ERR_OK)
        result = store_admin_totp(aaa->store, name, VIEW(sealed));
    if (result != ERR_OK)
        bytes_wipe(secret, TOTP_SECRET_SIZE);
    return tell(result, name, why);
}

enum err aaa_admin_del(struct aaa *aaa, const char *name, struct aaa_why *why)
{
    return tell(store_admin_del(aaa->store, name), name, why);
}

enum err aaa_admin_get(struct aaa *aaa, const char *name, struct aaa_admin *out, struct aaa_why *why)
{
    struct store_admin row;
    const enum err result = store_admin_get(aaa->store, name, &row);
    if (result == ERR_OK) {
        aaa_stamp_admin(aaa, &row);
        *out = row.admin;
    }
    return tell(result, name, why);
}

struct listing {
    const struct aaa *aaa;
    bool (*each)(void *ctx, const struct aaa_admin *admin);
    void *ctx;
};

static bool list_one(void *ctx, struct store_admin *row)
{
    const struct listing *l = ctx;
    aaa_stamp_admin(l->aaa, row);
    return l->each(l->ctx, &row->admin);
}

enum err aaa_admin_each(struct aaa *aaa, bool (*each)(void *ctx, const struct aaa_admin *admin), void *ctx,
                        struct aaa_why *why)
{
    struct listing l = {aaa, each, ctx};
    return tell(store_admin_each(aaa->store, list_one, &l), "", why);
}

/* ---- a login ---- */

/* Waits are counted apart from those of users of the same name, which cannot have a slash. */
static bool waits(struct aaa *a, const char *name, const struct ip_addr *peer, usec_t now)
{
    char key[AAA_NAME_MAX + 8];
    return throttle_blocked(&a->throttle, context_of(name, key), peer, now);
}

/* Of a name that does not exist: always the same, as if it did. */
static enum err decoy_salt(const struct aaa *a, const char *name, uint8_t salt[static ARGON2_SALT_SIZE])
{
    uint8_t mac[HASH_SIZE_MAX];
    char context[AAA_NAME_MAX + 8];
    const struct view part = view_str(context_of(name, context));
    const enum err result = hmac_digest(HASH_SHA256, VIEW(a->key), &part, 1, mac);
    memcpy(salt, mac, ARGON2_SALT_SIZE);
    bytes_wipe(mac, sizeof mac);
    return result;
}

enum err aaa_admin_begin(struct aaa *aaa, const char *name, const struct ip_addr *peer, usec_t now,
                         uint8_t salt[static ARGON2_SALT_SIZE])
{
    struct store_admin row;
    if (waits(aaa, name, peer, now))
        return ERR_LIMIT;
    enum err result = decoy_salt(aaa, name, salt);
    const enum err found = store_admin_get(aaa->store, name, &row);
    if (found == ERR_OK)
        memcpy(salt, row.salt, sizeof row.salt);
    else if (found != ERR_NOTFOUND)
        result = found;
    return result;
}

/* The step whose code this is; 0 for none. Every code is compared, also after one was right. */
static uint64_t step_of(const uint8_t secret[static TOTP_SECRET_SIZE], const char *code, int64_t wall)
{
    const uint64_t now = (uint64_t)wall / TOTP_STEP;
    uint64_t found = 0;
    for (uint64_t step = now - STEPS_BESIDE; step <= now + STEPS_BESIDE; step++) {
        char want[TOTP_CODE_SIZE];
        if (totp_code(view_of(secret, TOTP_SECRET_SIZE), step, want) == ERR_OK &&
            bytes_equal_ct(want, code, TOTP_DIGITS))
            found = step;
        bytes_wipe(want, sizeof want);
    }
    return found;
}

/* The row, or one of no one whose hash nothing makes. */
static enum err look_up(struct aaa *a, const char *name, struct store_admin *row,
                        uint8_t secret[static TOTP_SECRET_SIZE])
{
    char context[AAA_NAME_MAX + 8];
    random_fill(&a->random, row->hash, sizeof row->hash);
    random_fill(&a->random, secret, TOTP_SECRET_SIZE);
    uint8_t nothing[TOTP_SECRET_SIZE];
    const enum err result = store_admin_get(a->store, name, row);
    if (result == ERR_NOTFOUND) /* the work of a name that exists */
        return aaa_unseal_totp(a, &a->nobody, nothing);
    if (result != ERR_OK)
        return result;
    return unseal(a->key, view_str(context_of(name, context)), VIEW(row->totp), secret);
}

enum err aaa_admin_judge(struct aaa *aaa, const char *name, const uint8_t hash[static ARGON2_HASH_SIZE],
                         const char *code, const struct ip_addr *peer, int64_t wall, usec_t now)
{
    uint8_t secret[TOTP_SECRET_SIZE];
    char key[AAA_NAME_MAX + 8], typed[TOTP_CODE_SIZE] = {0};
    struct store_admin row = {0};
    if (waits(aaa, name, peer, now))
        return ERR_LIMIT;
    if (look_up(aaa, name, &row, secret) != ERR_OK)
        return ERR_SYSTEM;
    if (strlen(code) == TOTP_DIGITS)
        memcpy(typed, code, TOTP_DIGITS);
    const bool password = bytes_equal_ct(row.hash, hash, ARGON2_HASH_SIZE);
    const uint64_t step = step_of(secret, typed, wall);
    bool in = password && step != 0 && row.admin.name[0] != '\0';
    in = in && store_admin_seen(aaa->store, row.admin.name, step, wall) == ERR_OK; /* a code is good once */
    if (in)
        throttle_passed(&aaa->throttle, context_of(name, key), peer, now);
    else
        throttle_failed(&aaa->throttle, context_of(name, key), peer, now);
    bytes_wipe(secret, sizeof secret);
    bytes_wipe(&row, sizeof row);
    bytes_wipe(typed, sizeof typed);
    return in ? ERR_OK : ERR_AUTH;
}
