/* Where cells lie. shape.c knows the plane, in which the blocks stand side by side. */
#ifndef SEKISHO_GRID_INTERNAL_H
#define SEKISHO_GRID_INTERNAL_H

#include "grid/grid.h"

struct place {
    int x, y;
};

/* Within the block, and in the plane of all blocks. */
struct place place_in_block(const struct grid_shape *shape, uint8_t cell);
struct place place_in_plane(const struct grid_shape *shape, uint8_t cell);
uint8_t block_of(const struct grid_shape *shape, uint8_t cell);

/* Whether these places, in any order, are a shape of familiar.def, turned, mirrored or moved. */
bool is_familiar(const struct place *places, size_t n);

/* Whether the pattern is the former one turned, mirrored, moved, drawn backwards, or changed in at most two cells. */
bool is_like(const struct grid_shape *shape, const struct grid_pattern *a, const struct grid_pattern *b);

#endif
