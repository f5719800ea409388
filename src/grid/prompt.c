/*
 * A grid as the text of a question: what EAP-GTC shows (RFC 3748 5.6). Somebody reads it as it stands; a client that
 * knows the form draws it anew, and learns how long the grid and its answer are good. docs/grid.md has the form.
 */
#include "grid/grid.h"

#include <stdio.h>
#include <string.h>

#define FORM          "sekisho-grid/1"
#define NUMBER_DIGITS 7

/* ---- writing ---- */

size_t grid_prompt_write(const struct grid_prompt *prompt, char out[static GRID_PROMPT_MAX])
{
    const struct grid_shape *shape = &prompt->shape;
    char head[96], rows[GRID_TEXT_MAX];
    struct writer w = wr_init(out, GRID_PROMPT_MAX - 1);
    snprintf(head, sizeof(head), "Grid %u (" FORM " %ux%ux%u %u %u %u)\n", prompt->number, shape->blocks, shape->rows,
             shape->columns, prompt->life, prompt->back, prompt->longest);
    wr_view(&w, view_str(head));
    wr_view(&w, view_of(rows, grid_text(shape, prompt->cells, rows, sizeof(rows))));
    wr_view(&w, view_str(prompt->question));
    wr_u8(&w, ' ');
    const size_t n = wr_written(&w).n;
    out[n] = '\0';
    bytes_wipe(rows, sizeof(rows));
    return n;
}

/* ---- reading ---- */

static void expect(struct reader *r, const char *text)
{
    if (!view_equal(rd_view(r, strlen(text)), view_str(text)))
        rd_fail(r);
}

/* Digits up to this sign, which is taken too. */
static uint32_t read_number(struct reader *r, char end)
{
    uint32_t value = 0;
    for (size_t digits = 0; digits <= NUMBER_DIGITS; digits++) {
        const uint8_t c = rd_u8(r);
        if (c == (uint8_t)end && digits > 0)
            return value;
        if (c < '0' || c > '9')
            break;
        value = 10 * value + (uint32_t)(c - '0');
    }
    rd_fail(r);
    return 0;
}

static uint8_t read_side(struct reader *r, char end, uint8_t most)
{
    const uint32_t n = read_number(r, end);
    if (n == 0 || n > most)
        rd_fail(r);
    return rd_ok(r) ? (uint8_t)n : 0;
}

static void read_head(struct reader *r, struct grid_prompt *out)
{
    expect(r, "Grid ");
    out->number = read_number(r, ' ');
    expect(r, "(" FORM " ");
    out->shape.blocks = read_side(r, 'x', GRID_BLOCKS_MAX);
    out->shape.rows = read_side(r, 'x', GRID_SIDE_MAX);
    out->shape.columns = read_side(r, ' ', GRID_SIDE_MAX);
    out->life = read_number(r, ' ');
    out->back = read_number(r, ' ');
    out->longest = read_number(r, ')');
    expect(r, "\n");
    if (grid_cells(&out->shape) > GRID_CELLS_MAX)
        rd_fail(r);
}

static bool is_visible(uint8_t c)
{
    return c > ' ' && c <= '~';
}

/* The counterpart of grid_text(). */
static void read_cells(struct reader *r, struct grid_prompt *out)
{
    const size_t rows = out->shape.rows, columns = out->shape.columns, wide = out->shape.blocks * columns;
    for (size_t row = 0; row < rows && rd_ok(r); row++) {
        for (size_t i = 0; i < wide && rd_ok(r); i++) {
            expect(r, i == 0 ? "" : i % columns == 0 ? "  " : " ");
            const uint8_t c = rd_u8(r);
            if (is_visible(c))
                out->cells[(i / columns * rows + row) * columns + i % columns] = (char)c;
            else
                rd_fail(r);
        }
        expect(r, "\n");
    }
}

static void read_question(struct reader *r, struct grid_prompt *out)
{
    struct view text = rd_rest(r);
    while (text.n > 0 && text.p[text.n - 1] == ' ')
        text.n--;
    if (text.n == 0 || text.n >= sizeof(out->question)) {
        rd_fail(r);
        return;
    }
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != ' ' && !is_visible(text.p[i]))
            rd_fail(r);
    memcpy(out->question, text.p, text.n);
}

enum err grid_prompt_parse(struct view text, struct grid_prompt *out)
{
    struct reader r = rd_init(text);
    struct grid_prompt read = {0};
    read_head(&r, &read);
    if (rd_ok(&r))
        read_cells(&r, &read);
    if (rd_ok(&r))
        read_question(&r, &read);
    if (!rd_ok(&r))
        return ERR_MALFORMED;
    *out = read;
    return ERR_OK;
}
