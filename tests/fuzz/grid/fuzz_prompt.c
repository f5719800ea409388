/* What a server asks: a grid that is read from it is written to a question that says the same. */
#include "grid/grid.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct grid_prompt prompt, again;
    char text[GRID_PROMPT_MAX];
    if (grid_prompt_parse(view_of(data, size), &prompt) != ERR_OK)
        return 0;
    if (strlen(prompt.cells) != grid_cells(&prompt.shape) || prompt.question[0] == '\0')
        abort();
    const size_t n = grid_prompt_write(&prompt, text);
    if (grid_prompt_parse(view_of(text, n), &again) != ERR_OK || memcmp(&prompt, &again, sizeof prompt) != 0)
        abort();
    return 0;
}
