/* When two shapes are alike: the eight ways to turn and mirror a square, and moving. */
#include "grid/grid_internal.h"

#include <stdlib.h>
#include <string.h>

#define TURNS 8

/* About the origin. */
static struct place turn(struct place p, unsigned how)
{
    if (how & 4)
        p = (struct place){p.y, p.x};
    return (struct place){how & 1 ? -p.x : p.x, how & 2 ? -p.y : p.y};
}

/* ---- familiar shapes: sets of places ---- */

static const char *const familiar[] = {
#define FAMILIAR(rows) rows,
#include "grid/familiar.def"
#undef FAMILIAR
};

/* Bit y * GRID_SIDE_MAX + x for each place, moved so that the least of x and y are 0. */
static uint64_t mask_of(const struct place *places, size_t n, unsigned how)
{
    struct place least = turn(places[0], how);
    uint64_t mask = 0;
    for (size_t i = 1; i < n; i++) {
        const struct place p = turn(places[i], how);
        least.x = p.x < least.x ? p.x : least.x;
        least.y = p.y < least.y ? p.y : least.y;
    }
    for (size_t i = 0; i < n; i++) {
        const struct place p = turn(places[i], how);
        mask |= (uint64_t)1 << ((p.y - least.y) * GRID_SIDE_MAX + p.x - least.x);
    }
    return mask;
}

static uint64_t mask_of_rows(const char *rows)
{
    uint64_t mask = 0;
    for (unsigned x = 0, y = 0; *rows != '\0'; rows++) {
        if (*rows == '#')
            mask |= (uint64_t)1 << (y * GRID_SIDE_MAX + x);
        x = *rows == '/' ? 0 : x + 1;
        y += *rows == '/';
    }
    return mask;
}

bool is_familiar(const struct place *places, size_t n)
{
    for (unsigned how = 0; how < TURNS; how++) {
        const uint64_t mask = mask_of(places, n, how);
        for (size_t i = 0; i < ARRAY_LEN(familiar); i++)
            if (mask_of_rows(familiar[i]) == mask)
                return true;
    }
    return false;
}

/* ---- former patterns: places in their order ---- */

#define CHANGES_LEAST 3 /* cells that must differ from a former pattern of the same length */

static uint8_t cell_at(const struct grid_pattern *p, size_t i, bool backwards)
{
    return p->cell[backwards ? p->n - 1u - i : i];
}

/* In the plane of all blocks: every place moved by the same. */
static bool is_moved(const struct grid_shape *shape, const struct grid_pattern *a, const struct grid_pattern *b,
                     bool backwards, unsigned how)
{
    struct place by = {0};
    for (size_t i = 0; i < a->n; i++) {
        const struct place p = place_in_plane(shape, a->cell[i]);
        const struct place q = turn(place_in_plane(shape, cell_at(b, i, backwards)), how);
        if (i == 0)
            by = (struct place){p.x - q.x, p.y - q.y};
        else if (p.x - q.x != by.x || p.y - q.y != by.y)
            return false;
    }
    return true;
}

/* Every block turned or mirrored in itself, and the blocks exchanged. */
static bool is_exchanged(const struct grid_shape *shape, const struct grid_pattern *a, const struct grid_pattern *b,
                         bool backwards, unsigned how)
{
    struct place by = {how & 1 ? shape->columns - 1 : 0, how & 2 ? shape->rows - 1 : 0};
    int to[GRID_BLOCKS_MAX] = {-1, -1, -1, -1};
    if ((how & 4) && shape->rows != shape->columns)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const uint8_t other = cell_at(b, i, backwards);
        const struct place p = place_in_block(shape, a->cell[i]), q = turn(place_in_block(shape, other), how);
        int *block = &to[block_of(shape, other)];
        if (*block < 0)
            *block = block_of(shape, a->cell[i]);
        if (*block != block_of(shape, a->cell[i]) || p.x != q.x + by.x || p.y != q.y + by.y)
            return false;
    }
    return true;
}

static size_t changes(const struct grid_pattern *a, const struct grid_pattern *b)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++)
        n += a->cell[i] != b->cell[i];
    return n;
}

bool is_like(const struct grid_shape *shape, const struct grid_pattern *a, const struct grid_pattern *b)
{
    if (a->n != b->n)
        return false;
    if (changes(a, b) < CHANGES_LEAST)
        return true;
    for (unsigned how = 0; how < TURNS; how++)
        for (unsigned backwards = 0; backwards < 2; backwards++)
            if (is_moved(shape, a, b, backwards, how) || is_exchanged(shape, a, b, backwards, how))
                return true;
    return false;
}
