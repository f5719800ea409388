/* What is kept of a user's pattern, its packed form for the store, and the password that a grid demands. */
#include "grid/grid.h"

#include <string.h>

#define BLOB_VERSION 1

bool grid_secret_fits(const struct grid_secret *secret, const struct grid_shape *shape)
{
    return secret->blocks == shape->blocks && secret->rows == shape->rows && secret->columns == shape->columns;
}

void grid_secret_renew(struct grid_secret *secret, const struct grid_shape *shape, const struct grid_pattern *pattern)
{
    if (secret->pattern.n > 0 && grid_secret_fits(secret, shape)) {
        memmove(secret->former + 1, secret->former, sizeof(secret->former) - sizeof(secret->former[0]));
        secret->former[0] = secret->pattern;
        if (secret->former_n < GRID_FORMER_MAX)
            secret->former_n++;
    } else {
        secret->former_n = 0; /* cells of another grid mean nothing in this one */
    }
    secret->blocks = shape->blocks;
    secret->rows = shape->rows;
    secret->columns = shape->columns;
    secret->pattern = *pattern;
}

size_t grid_answer(const struct grid_secret *secret, const char *cells, char out[static GRID_ANSWER_MAX])
{
    struct writer w = wr_init(out, GRID_ANSWER_MAX - 1);
    const struct view phrase = view_of(secret->phrase, secret->phrase_n);
    if (!secret->after)
        wr_view(&w, phrase);
    for (size_t i = 0; i < secret->pattern.n; i++)
        wr_u8(&w, (uint8_t)cells[secret->pattern.cell[i]]);
    if (secret->after)
        wr_view(&w, phrase);
    out[w.n] = '\0';
    return w.n;
}

/* ---- packed ---- */

static void write_pattern(struct writer *w, const struct grid_pattern *p)
{
    wr_u8(w, p->n);
    wr_bytes(w, p->cell, p->n);
}

size_t grid_secret_pack(const struct grid_secret *secret, uint8_t out[static GRID_BLOB_MAX])
{
    struct writer w = wr_init(out, GRID_BLOB_MAX);
    wr_u8(&w, BLOB_VERSION);
    wr_u8(&w, secret->blocks);
    wr_u8(&w, secret->rows);
    wr_u8(&w, secret->columns);
    wr_u8(&w, secret->after);
    wr_u8(&w, secret->phrase_n);
    wr_bytes(&w, secret->phrase, secret->phrase_n);
    write_pattern(&w, &secret->pattern);
    wr_u8(&w, secret->former_n);
    for (size_t i = 0; i < secret->former_n; i++)
        write_pattern(&w, &secret->former[i]);
    return wr_written(&w).n;
}

static bool read_pattern(struct reader *r, size_t cells, struct grid_pattern *out)
{
    out->n = rd_u8(r);
    if (out->n == 0 || out->n > GRID_PATTERN_MAX)
        return false;
    rd_copy(r, out->cell, out->n);
    for (size_t i = 0; i < out->n; i++)
        if (out->cell[i] >= cells)
            return false;
    return rd_ok(r);
}

static bool read_phrase(struct reader *r, struct grid_secret *out)
{
    out->after = rd_u8(r) != 0;
    out->phrase_n = rd_u8(r);
    if (out->phrase_n > GRID_PHRASE_MAX)
        return false;
    rd_copy(r, out->phrase, out->phrase_n);
    return rd_ok(r);
}

static bool read_secret(struct reader *r, struct grid_secret *out)
{
    const uint8_t version = rd_u8(r);
    out->blocks = rd_u8(r);
    out->rows = rd_u8(r);
    out->columns = rd_u8(r);
    const size_t cells = (size_t)out->blocks * out->rows * out->columns;
    if (version != BLOB_VERSION || cells > GRID_CELLS_MAX || !read_phrase(r, out) ||
        !read_pattern(r, cells, &out->pattern))
        return false;
    out->former_n = rd_u8(r);
    if (out->former_n > GRID_FORMER_MAX)
        return false;
    for (size_t i = 0; i < out->former_n; i++)
        if (!read_pattern(r, cells, &out->former[i]))
            return false;
    return rd_done(r);
}

enum err grid_secret_parse(struct view blob, struct grid_secret *out)
{
    struct reader r = rd_init(blob);
    struct grid_secret read = {0};
    const enum err result = read_secret(&r, &read) ? ERR_OK : ERR_MALFORMED;
    if (result == ERR_OK)
        *out = read;
    bytes_wipe(&read, sizeof(read));
    return result;
}
