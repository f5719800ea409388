/* Tables that fit a terminal: the widest columns are cut first, and a cut is marked. */
#include "cli/cli_internal.h"

#include <stdlib.h>
#include <string.h>

#define GAP       2
#define CUT       "~"
#define LEAST_CUT 6 /* columns are not cut below this */

void table_init(struct table *t, const char *const *head, size_t columns)
{
    *t = (struct table){.head = head, .columns = columns};
}

void table_done(struct table *t)
{
    for (size_t i = 0; i < t->cells; i++)
        free(t->cell[i]);
    free(t->cell);
    *t = (struct table){0};
}

void table_add(struct table *t, const char *text)
{
    if (t->cells == t->cap) {
        size_t cap = t->cap != 0 ? 2 * t->cap : 64;
        char **cell = realloc(t->cell, cap * sizeof *cell);
        if (cell == NULL) {
            t->failed = true;
            return;
        }
        t->cell = cell;
        t->cap = cap;
    }
    char *copy = strdup(text);
    if (copy == NULL)
        t->failed = true;
    else
        t->cell[t->cells++] = copy;
}

static void measure(const struct table *t, size_t width[static TABLE_COLUMNS_MAX])
{
    for (size_t c = 0; c < t->columns; c++)
        width[c] = text_width(t->head[c]);
    for (size_t i = 0; i < t->cells; i++) {
        size_t w = text_width(t->cell[i]);
        if (w > width[i % t->columns])
            width[i % t->columns] = w;
    }
}

static size_t total(const struct table *t, const size_t *width)
{
    size_t sum = GAP * (t->columns - 1);
    for (size_t c = 0; c < t->columns; c++)
        sum += width[c];
    return sum;
}

static void fit(const struct table *t, size_t width[static TABLE_COLUMNS_MAX], size_t room)
{
    while (room != 0 && total(t, width) > room) {
        size_t widest = TABLE_COLUMNS_MAX;
        for (size_t c = 0; c < t->columns; c++)
            if (!t->right[c] && width[c] > LEAST_CUT && (widest == TABLE_COLUMNS_MAX || width[c] > width[widest]))
                widest = c;
        if (widest == TABLE_COLUMNS_MAX)
            return;
        width[widest]--;
    }
}

/* The longest beginning of text that takes at most room columns. */
static size_t cut_at(const char *text, size_t room)
{
    char part[1024];
    size_t n = strlen(text);
    n = n < sizeof part ? n : sizeof part - 1;
    for (;; n--) {
        memcpy(part, text, n);
        part[n] = '\0';
        bool whole = n == 0 || ((uint8_t)text[n] & 0xc0) != 0x80; /* not within a character of UTF-8 */
        if (whole && text_width(part) <= room)
            return n;
    }
}

static void print_cell(FILE *out, const char *text, size_t width, bool right, bool last)
{
    size_t w = text_width(text);
    if (w > width) {
        char part[1024];
        size_t n = cut_at(text, width - 1);
        snprintf(part, sizeof part, "%.*s" CUT, (int)n, text);
        w = text_width(part);
        print_safe(out, part);
    } else {
        if (right)
            fprintf(out, "%*s", (int)(width - w), "");
        print_safe(out, text);
    }
    if (!last)
        fprintf(out, "%*s", (int)(GAP + (right || w > width ? 0 : width - w)), "");
}

int table_print(struct table *t, const struct cli_io *io, size_t room)
{
    size_t width[TABLE_COLUMNS_MAX];
    if (t->failed) {
        table_done(t);
        fputs("There is not enough memory for the table.\n", io->err);
        return CLI_FAILED;
    }
    measure(t, width);
    fit(t, width, room);
    for (size_t c = 0; c < t->columns; c++)
        print_cell(io->out, t->head[c], width[c], t->right[c], c + 1 == t->columns);
    fputc('\n', io->out);
    for (size_t i = 0; i < t->cells; i++) {
        size_t c = i % t->columns;
        print_cell(io->out, t->cell[i], width[c], t->right[c], c + 1 == t->columns);
        if (c + 1 == t->columns)
            fputc('\n', io->out);
    }
    table_done(t);
    return CLI_OK;
}
