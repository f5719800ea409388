/* What a server asks at a login, as it stands on the terminal: a grid with its blocks side by side, and the question.
 */
#include "cli/cli_internal.h"

#include <string.h>

#include "grid/grid.h"

#define MARGIN "    "

/* The engine passes on what a server told: it is drawn only when it is a grid. */
static bool read_grid(const json_t *progress, struct ctl_grid *g, struct grid_shape *shape)
{
    if (ctl_grid_read(json_object_get(progress, "grid"), g) != ERR_OK || g->blocks == 0 ||
        g->blocks > GRID_BLOCKS_MAX || g->rows == 0 || g->rows > GRID_SIDE_MAX || g->columns == 0 ||
        g->columns > GRID_SIDE_MAX)
        return false;
    *shape = (struct grid_shape){(uint8_t)g->blocks, (uint8_t)g->rows, (uint8_t)g->columns, ""};
    return grid_cells(shape) <= GRID_CELLS_MAX && strlen(g->cells) == grid_cells(shape);
}

static void write_grid(struct writer *w, const struct ctl_grid *g, const struct grid_shape *shape)
{
    const size_t rows = shape->rows, columns = shape->columns;
    wr_view(w, view_str("\nGrid "));
    wr_view(w, view_str(g->number));
    wr_view(w, view_str("\n\n"));
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < shape->blocks * columns; i++) {
            wr_view(w, view_str(i % columns == 0 ? MARGIN : " "));
            wr_u8(w, (uint8_t)g->cells[(i / columns * rows + row) * columns + i % columns]);
        }
        wr_u8(w, '\n');
    }
    wr_u8(w, '\n');
}

/* Nothing of a server's may steer the terminal. */
static void make_harmless(char *text)
{
    for (; *text != '\0'; text++)
        if (*text != '\n' && (*text < ' ' || *text > '~'))
            *text = '?';
}

void question_text(const json_t *progress, const struct ctl_progress *p, char out[static QUESTION_TEXT_MAX])
{
    struct writer w = wr_init(out, QUESTION_TEXT_MAX - 1);
    struct grid_shape shape;
    struct ctl_grid g;
    if (p->round > 1)
        wr_view(&w, view_str("That was not right.\n"));
    if (read_grid(progress, &g, &shape))
        write_grid(&w, &g, &shape);
    wr_view(&w, view_str(p->detail));
    wr_u8(&w, ' ');
    out[wr_written(&w).n] = '\0';
    make_harmless(out);
}
