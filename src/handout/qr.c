/* QR codes for a terminal and as SVG. libqrencode finds the modules. */
#include "handout/handout.h"

#include <errno.h>
#include <qrencode.h>
#include <stdio.h>

#define QUIET 4 /* modules around (ISO/IEC 18004 6.3.8) */

static enum err encode(struct view what, QRcode **out)
{
    if (what.n == 0 || what.n > 4096)
        return ERR_LIMIT;
    *out = QRcode_encodeData((int)what.n, what.p, 0, QR_ECLEVEL_M);
    if (*out == NULL)
        return errno == ENOMEM ? ERR_NOMEM : ERR_LIMIT;
    return ERR_OK;
}

/* Whether the module is dark; the quiet zone and all beyond is light. */
static bool dark(const QRcode *code, int x, int y)
{
    return x >= 0 && y >= 0 && x < code->width && y < code->width && (code->data[y * code->width + x] & 1) != 0;
}

/* What is light is drawn, so that without colours a dark terminal shows it right. */
static void put_cell(struct writer *w, bool top_dark, bool bottom_dark)
{
    static const char *const blocks[] = {"\u2588", "\u2580", "\u2584", " "};
    wr_view(w, view_str(blocks[(top_dark ? 2 : 0) + (bottom_dark ? 1 : 0)]));
}

enum err handout_qr_text(struct view what, bool colours, struct writer *w)
{
    QRcode *code = NULL;
    const enum err result = encode(what, &code);
    if (result != ERR_OK)
        return result;
    for (int y = -QUIET; y < code->width + QUIET; y += 2) {
        wr_view(w, view_str(colours ? "\x1b[40;97m" : ""));
        for (int x = -QUIET; x < code->width + QUIET; x++)
            put_cell(w, dark(code, x, y), dark(code, x, y + 1));
        wr_view(w, view_str(colours ? "\x1b[0m\n" : "\n"));
    }
    QRcode_free(code);
    return wr_ok(w) ? ERR_OK : ERR_LIMIT;
}

static void put_escaped(struct writer *w, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '&')
            wr_view(w, view_str("&amp;"));
        else if (*text == '<')
            wr_view(w, view_str("&lt;"));
        else
            wr_u8(w, (uint8_t)*text);
}

/* A run of dark modules of a row: a rectangle of height 1. */
static int put_run(const QRcode *code, int x, int y, struct writer *w)
{
    char step[64];
    int n = 1;
    while (dark(code, x + n, y))
        n++;
    snprintf(step, sizeof step, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, n, n);
    wr_view(w, view_str(step));
    return n;
}

enum err handout_qr_svg(struct view what, const char *title, struct writer *w)
{
    QRcode *code = NULL;
    char head[160];
    const enum err result = encode(what, &code);
    if (result != ERR_OK)
        return result;
    const int side = code->width + 2 * QUIET;
    snprintf(head, sizeof head,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %d %d\" "
             "shape-rendering=\"crispEdges\"><title>",
             side, side);
    wr_view(w, view_str(head));
    put_escaped(w, title);
    snprintf(head, sizeof head, "</title><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path fill=\"#000\" d=\"", side,
             side);
    wr_view(w, view_str(head));
    for (int y = 0; y < code->width; y++)
        for (int x = 0; x < code->width; x++)
            if (dark(code, x, y))
                x += put_run(code, x, y, w);
    wr_view(w, view_str("\"/></svg>\n"));
    QRcode_free(code);
    return wr_ok(w) ? ERR_OK : ERR_LIMIT;
}
