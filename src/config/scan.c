/*
 * Makes a configuration fit for libconfuse, which loses count of lines at comments, takes none inside lists, expands
 * ${VARIABLES} from the environment, is content with sections that are never closed, and keeps the state of its
 * scanner over a string that is. Nothing of that gets past here.
 */
#include "config/config_internal.h"

#include <stdlib.h>

#define DEPTH_MAX 2 /* a list within a section */

struct scan {
    struct reader in;
    struct writer out;
    uint32_t line, depth;
    uint32_t opened[DEPTH_MAX]; /* lines of the braces that are open */
};

static uint8_t peek(const struct scan *s)
{
    struct reader ahead = s->in;
    return rd_left(&ahead) ? rd_u8(&ahead) : '\0';
}

/* What a comment leaves: nothing of a line, but the end of it. */
static void skip_line(struct scan *s)
{
    while (rd_left(&s->in) && peek(s) != '\n')
        rd_skip(&s->in, 1);
}

static enum err skip_block(struct scan *s, struct config_error *e)
{
    uint32_t begin = s->line;
    wr_u8(&s->out, ' ');
    for (uint8_t last = 0; rd_left(&s->in);) {
        uint8_t c = rd_u8(&s->in);
        if (c == '/' && last == '*')
            return ERR_OK;
        if (c == '\n') {
            s->line++;
            wr_u8(&s->out, c);
        }
        last = c;
    }
    return config_tell(e, begin, "", TOLD(COMMENT_OPEN));
}

/* A text in quotes. In double quotes a backslash takes the meaning from a quote or backslash; in single quotes
 * everything stands for itself. */
static enum err copy_text(struct scan *s, uint8_t quote, struct config_error *e)
{
    wr_u8(&s->out, '"');
    while (rd_left(&s->in) && peek(s) != '\n') {
        uint8_t c = rd_u8(&s->in);
        if (c == quote) {
            wr_u8(&s->out, '"');
            return ERR_OK;
        }
        if (c < ' ' && c != '\t' && c != '\r')
            break;
        if (c == '\\' && quote == '"') {
            c = rd_left(&s->in) ? rd_u8(&s->in) : '\0';
            if (c != '"' && c != '\\')
                return config_tell(e, s->line, "", TOLD(BACKSLASH));
        }
        if (c == '"' || c == '\\' || c == '$')
            wr_u8(&s->out, '\\');
        wr_u8(&s->out, c);
    }
    return config_tell(e, s->line, "", TOLD(QUOTE_OPEN), quote);
}

static enum err brace(struct scan *s, uint8_t c, struct config_error *e)
{
    if (c == '{' && s->depth == DEPTH_MAX)
        return config_tell(e, s->line, "", TOLD(BRACES_DEEP));
    if (c == '{')
        s->opened[s->depth++] = s->line;
    else if (s->depth == 0)
        return config_tell(e, s->line, "", TOLD(BRACE_STRAY));
    else
        s->depth--;
    wr_u8(&s->out, c);
    return ERR_OK;
}

static enum err step(struct scan *s, struct config_error *e)
{
    uint8_t c = rd_u8(&s->in);
    if (c == '#' || (c == '/' && peek(s) == '/')) {
        skip_line(s);
        return ERR_OK;
    }
    if (c == '/' && peek(s) == '*') {
        rd_skip(&s->in, 1);
        return skip_block(s, e);
    }
    if (c == '"' || c == '\'')
        return copy_text(s, c, e);
    if (c == '{' || c == '}')
        return brace(s, c, e);
    if (c == '$' || c == '*' || c == '(' || c == ')' || c == ';' || c == '\\')
        return config_tell(e, s->line, "", TOLD(CHARACTER_STRAY), c);
    if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
        return config_tell(e, s->line, "", TOLD(FILE_CONTROL));
    if (c == '\n')
        s->line++;
    wr_u8(&s->out, c == '\r' ? ' ' : c);
    return ERR_OK;
}

enum err config_scan(struct view text, char **out, struct config_error *e)
{
    if (text.n > CONFIG_SIZE_MAX)
        return config_tell(e, 0, "", TOLD(CONFIG_LARGE), CONFIG_SIZE_MAX / 1024);
    size_t cap = 2 * text.n + 1; /* every character may need a backslash */
    char *p = malloc(cap);
    if (p == NULL)
        return ERR_NOMEM;
    struct scan s = {.in = rd_init(text), .out = wr_init(p, cap), .line = 1};
    enum err result = ERR_OK;
    while (result == ERR_OK && rd_left(&s.in))
        result = step(&s, e);
    if (result == ERR_OK && s.depth != 0)
        result = config_tell(e, s.opened[s.depth - 1], "", TOLD(BRACE_OPEN));
    if (result != ERR_OK) {
        bytes_wipe(p, cap);
        free(p);
        return result;
    }
    wr_u8(&s.out, '\0');
    *out = p;
    return ERR_OK;
}
