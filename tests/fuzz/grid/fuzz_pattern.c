/* A pattern as text, for the grid whose sides the first three bytes say: what is read is judged, and read from a grid.
 */
#include "grid/grid.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[GRID_KEY_SIZE], id[GRID_ID_SIZE];
    struct grid_shape shape = {.alphabet = "0123456789"};
    struct grid_pattern p, q;
    char text[512], cells[GRID_CELLS_MAX + 1], answer[GRID_ANSWER_MAX];
    if (size < 3 || size - 3 >= sizeof text)
        return 0;
    shape.blocks = data[0];
    shape.rows = data[1];
    shape.columns = data[2];
    memcpy(text, data + 3, size - 3);
    text[size - 3] = '\0';
    if (!grid_shape_valid(&shape) || grid_pattern_parse(text, &shape, &p) != ERR_OK)
        return 0;
    const struct grid_rules rules = {.least = 8, .in_blocks = shape.blocks};
    (void)grid_weaknesses(&shape, &rules, &p, NULL, 0);
    if (!(grid_weaknesses(&shape, &rules, &p, &p, 1) & 1u << GRID_WEAK_FORMER) || grid_guesses(&shape, &p) == 0)
        abort(); /* a pattern is like itself */
    struct grid_secret s = {0};
    grid_secret_renew(&s, &shape, &p);
    if (grid_draw(key, id, &shape, cells) != ERR_OK || grid_answer(&s, cells, answer) != p.n)
        abort();
    q = p;
    q.cell[0] = (uint8_t)((p.cell[0] + 1u) % grid_cells(&shape));
    (void)grid_weaknesses(&shape, &rules, &q, &p, 1);
    return 0;
}
