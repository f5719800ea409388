/* A packed secret, once it is unsealed: what is read is packed to the same bytes again. */
#include "grid/grid.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct grid_secret s, again;
    uint8_t blob[GRID_BLOB_MAX];
    char cells[GRID_CELLS_MAX + 1], answer[GRID_ANSWER_MAX];
    if (grid_secret_parse(view_of(data, size), &s) != ERR_OK)
        return 0;
    const size_t n = grid_secret_pack(&s, blob);
    if (n != size || grid_secret_parse(view_of(blob, n), &again) != ERR_OK || memcmp(&s, &again, sizeof s) != 0)
        abort();
    memset(cells, '7', sizeof cells);
    if (grid_answer(&s, cells, answer) != (size_t)s.pattern.n + s.phrase_n)
        abort();
    return 0;
}
