/* What a service does, written down: every hash, cipher, code, grid and statement of the store, in order. The linker
 * puts these functions in the place of the real ones, which do the work (see meson.build). What happens within drawing
 * a grid is not written down: how often it draws again depends on the grid, not on the name. */
#ifndef TESTS_UNIT_AAA_WORK_H
#define TESTS_UNIT_AAA_WORK_H

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "grid/grid.h"

#define WORK_MAX 65536

static struct {
    bool watched;
    unsigned within;
    size_t n, steps;
    char text[WORK_MAX];
} work;

static inline void work_note(const char *what)
{
    if (!work.watched || work.within > 0)
        return;
    const int n = snprintf(work.text + work.n, sizeof work.text - work.n, "%s\n", what);
    if (n < 0 || (size_t)n >= sizeof work.text - work.n)
        abort();
    work.n += (size_t)n;
    work.steps++;
}

static inline void work_begin(void)
{
    work.n = work.steps = 0;
    work.text[0] = '\0';
    work.watched = true;
}

static inline void work_end(void)
{
    work.watched = false;
}

#define WORK(type, name, params, ...)                                                                                  \
    type __real_##name params;                                                                                         \
    type __wrap_##name params;                                                                                         \
    type __wrap_##name params                                                                                          \
    {                                                                                                                  \
        work_note(#name);                                                                                              \
        work.within++;                                                                                                 \
        const type result = __real_##name(__VA_ARGS__);                                                                \
        work.within--;                                                                                                 \
        return result;                                                                                                 \
    }

typedef enum err work_err;

WORK(work_err, hash_digest, (enum hash h, const struct view *parts, size_t n, uint8_t *out), h, parts, n, out)
WORK(work_err, hmac_digest, (enum hash h, struct view key, const struct view *parts, size_t n, uint8_t *out), h, key,
     parts, n, out)
WORK(work_err, seal,
     (const uint8_t *key, const struct random *rng, struct view context, struct view plain, uint8_t *out), key, rng,
     context, plain, out)
WORK(work_err, unseal, (const uint8_t *key, struct view context, struct view sealed, uint8_t *out), key, context,
     sealed, out)
WORK(work_err, totp_code, (struct view secret, uint64_t step, char *out), secret, step, out)
WORK(work_err, chap_md5_response, (uint8_t id, struct view secret, struct view challenge, uint8_t *out), id, secret,
     challenge, out)
WORK(work_err, mschap_nt_hash, (struct view password, uint8_t *out), password, out)
WORK(work_err, mschapv2_nt_response,
     (const uint8_t *hash, const uint8_t *ours, const uint8_t *theirs, struct view user, uint8_t *out), hash, ours,
     theirs, user, out)
WORK(work_err, mschapv2_authenticator_response,
     (const uint8_t *hash, const uint8_t *response, const uint8_t *ours, const uint8_t *theirs, struct view user,
      uint8_t *out),
     hash, response, ours, theirs, user, out)
WORK(work_err, grid_draw, (const uint8_t *key, const uint8_t *id, const struct grid_shape *shape, char *cells), key, id,
     shape, cells)

int __real_sqlite3_step(sqlite3_stmt *q);
int __wrap_sqlite3_step(sqlite3_stmt *q);
int __wrap_sqlite3_step(sqlite3_stmt *q)
{
    work_note(sqlite3_sql(q));
    return __real_sqlite3_step(q);
}

#endif
