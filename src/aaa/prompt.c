/*
 * What is asked in band. The text depends on the configuration alone: whoever has no pattern, or does not exist, is
 * shown a grid all the same.
 */
#include "aaa/aaa_internal.h"

#include <stdio.h>

static const char *question_of(const struct aaa *a)
{
    switch (a->grid.totp) {
    case CONFIG_TOTP_ALTERNATIVE:
        return "What stands on your cells, or your password (with the app's code):";
    case CONFIG_TOTP_SECOND:
        return "What stands on your cells, or your password, with the app's code:";
    default:
        return "What stands on your cells, or your password:";
    }
}

size_t aaa_prompt(struct aaa *aaa, const struct aaa_visit *visit, char out[static GRID_PROMPT_MAX])
{
    struct aaa_grid grid;
    struct aaa_why why;
    if (aaa_grid_show(aaa, visit, &grid, &why) != ERR_OK)
        return (size_t)snprintf(out, GRID_PROMPT_MAX, "Password: ");
    struct grid_prompt prompt = {.shape = grid.shape,
                                 .number = grid.number,
                                 .life = aaa->grid.life,
                                 .back = aaa->grid.reconnect,
                                 .longest = aaa->grid.reconnect_longest};
    view_copy_text(prompt.cells, sizeof prompt.cells, view_str(grid.cells));
    view_copy_text(prompt.question, sizeof prompt.question, view_str(question_of(aaa)));
    return grid_prompt_write(&prompt, out);
}
