/* The shape of a grid: what is one, where its cells lie, and how it looks as text. */
#include "grid/grid_internal.h"

#include <stdio.h>
#include <string.h>

static bool alphabet_valid(const char *alphabet, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (alphabet[i] <= ' ' || alphabet[i] > '~' || memchr(alphabet + i + 1, alphabet[i], n - i - 1) != NULL)
            return false;
    return true;
}

static bool side_valid(uint8_t n)
{
    return n >= GRID_SIDE_MIN && n <= GRID_SIDE_MAX;
}

bool grid_shape_valid(const struct grid_shape *shape)
{
    const size_t n = strnlen(shape->alphabet, sizeof(shape->alphabet)), cells = grid_cells(shape);
    return shape->blocks >= 1 && shape->blocks <= GRID_BLOCKS_MAX && side_valid(shape->rows) &&
           side_valid(shape->columns) && cells >= GRID_CELLS_MIN && cells <= GRID_CELLS_MAX && n >= GRID_ALPHABET_MIN &&
           n <= GRID_ALPHABET_MAX && 2 * n <= cells && alphabet_valid(shape->alphabet, n);
}

size_t grid_cells(const struct grid_shape *shape)
{
    return (size_t)shape->blocks * shape->rows * shape->columns;
}

uint8_t block_of(const struct grid_shape *shape, uint8_t cell)
{
    return (uint8_t)(cell / (shape->rows * shape->columns));
}

struct place place_in_block(const struct grid_shape *shape, uint8_t cell)
{
    const int rest = cell % (shape->rows * shape->columns);
    return (struct place){rest % shape->columns, rest / shape->columns};
}

struct place place_in_plane(const struct grid_shape *shape, uint8_t cell)
{
    struct place p = place_in_block(shape, cell);
    p.x += block_of(shape, cell) * shape->columns;
    return p;
}

/* One blank between cells and two between blocks. */
size_t grid_text(const struct grid_shape *shape, const char *cells, char *out, size_t cap)
{
    struct writer w = wr_init(out, cap > 0 ? cap - 1 : 0);
    for (size_t row = 0; row < shape->rows; row++) {
        for (size_t i = 0; i < (size_t)shape->blocks * shape->columns; i++) {
            const size_t block = i / shape->columns, column = i % shape->columns;
            const size_t cell = (block * shape->rows + row) * shape->columns + column;
            char text[8];
            const char *gap = i == 0 ? "" : column == 0 ? "  " : " ";
            snprintf(text, sizeof(text), cells != NULL ? "%c" : "%2d", cells != NULL ? cells[cell] : (int)cell);
            wr_view(&w, view_str(gap));
            wr_view(&w, view_str(text));
        }
        wr_u8(&w, '\n');
    }
    if (cap > 0)
        out[w.n] = '\0';
    return w.n;
}
