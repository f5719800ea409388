/* Who is logged in: a table of fixed size, found by the digest of the cookie. */
#include "portal/portal_internal.h"

#include <stdio.h>
#include <string.h>

void logins_init(struct logins *l, const struct random *random, usec_t idle, usec_t longest)
{
    *l = (struct logins){.idle = idle, .longest = longest};
    random_fill(random, l->key, sizeof l->key);
}

void logins_done(struct logins *l)
{
    bytes_wipe(l, sizeof *l);
}

static void digest_of(const uint8_t token[static LOGIN_TOKEN], uint8_t out[static 32])
{
    const struct view part = {token, LOGIN_TOKEN};
    uint8_t digest[HASH_SIZE_MAX] = {0};
    (void)hash_digest(HASH_SHA256, &part, 1, digest);
    memcpy(out, digest, 32);
}

static bool ended(const struct logins *l, const struct login *login, usec_t now)
{
    return now - login->seen > l->idle || now - login->made > l->longest;
}

void login_end(struct login *login)
{
    bytes_wipe(login, sizeof *login);
}

static bool is_of(const struct login *login, enum role role, const char *name)
{
    return login->role == role && strcmp(login->name, name) == 0;
}

/* A place for one more of this name. */
static struct login *make_room(struct logins *l, enum role role, const char *name, usec_t now)
{
    struct login *place = NULL, *oldest = NULL;
    size_t own = 0;
    for (size_t i = 0; i < LOGIN_MAX; i++) {
        struct login *at = &l->at[i];
        if (at->role != ROLE_NONE && ended(l, at, now))
            login_end(at);
        if (at->role == ROLE_NONE && place == NULL)
            place = at;
        if (!is_of(at, role, name))
            continue;
        own++;
        if (oldest == NULL || at->seen < oldest->seen)
            oldest = at;
    }
    return own >= LOGIN_MAX_PER_NAME ? oldest : place;
}

struct login *login_new(struct logins *l, const struct random *random, enum role role, const char *name, usec_t now,
                        uint8_t token[static LOGIN_TOKEN])
{
    struct login *login = make_room(l, role, name, now);
    if (login == NULL)
        return NULL;
    login_end(login);
    random_fill(random, token, LOGIN_TOKEN);
    digest_of(token, login->digest);
    login->role = role;
    login->made = login->seen = now;
    strncpy(login->name, name, sizeof login->name - 1);
    return login;
}

struct login *login_find(struct logins *l, const uint8_t token[static LOGIN_TOKEN], usec_t now, bool touch)
{
    uint8_t digest[32];
    struct login *found = NULL;
    digest_of(token, digest);
    for (size_t i = 0; i < LOGIN_MAX; i++)
        if (l->at[i].role != ROLE_NONE && bytes_equal_ct(l->at[i].digest, digest, sizeof digest))
            found = &l->at[i];
    if (found != NULL && ended(l, found, now)) {
        login_end(found);
        return NULL;
    }
    if (found != NULL && touch)
        found->seen = now;
    return found;
}

void login_renew(struct login *login)
{
    login->stamp[0] = '\0';
}

bool login_stands(struct login *login, const char *stamp)
{
    if (login->stamp[0] == '\0')
        snprintf(login->stamp, sizeof login->stamp, "%s", stamp);
    return strcmp(login->stamp, stamp) == 0;
}

/* ---- tokens of forms ---- */

void form_token(const struct logins *l, const uint8_t token[static LOGIN_TOKEN], char out[static LOGIN_TEXT])
{
    const struct view parts[] = {view_str("form"), {token, LOGIN_TOKEN}};
    uint8_t mac[HASH_SIZE_MAX] = {0};
    (void)hmac_digest(HASH_SHA256, VIEW(l->key), parts, ARRAY_LEN(parts), mac);
    hex_write(mac, LOGIN_TOKEN, out);
}

bool form_token_fits(const struct logins *l, const uint8_t token[static LOGIN_TOKEN], const char *text)
{
    char want[LOGIN_TEXT];
    form_token(l, token, want);
    return strlen(text) == LOGIN_TEXT - 1 && bytes_equal_ct(want, text, LOGIN_TEXT - 1);
}
