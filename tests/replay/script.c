/* Scripts as text: lines to steps, words, options. */
#include "tests/replay/replay.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *file_name = "?";
static uint32_t line_number;

void broken_at(const char *file, uint32_t line)
{
    if (file)
        file_name = file;
    line_number = line;
}

noreturn void broken(const char *format, ...)
{
    va_list args;
    fflush(stdout);
    fprintf(stderr, "%s:%u: ", file_name, line_number);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

void wanted(bool so, const char *what)
{
    if (!so)
        broken("wanted: %s", what);
}

static char *slurp(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f)
        broken("cannot be opened");
    size_t n = 0, cap = 1 << 16;
    char *text = malloc(cap);
    for (size_t got; text && (got = fread(text + n, 1, cap - n - 1, f)) > 0;) {
        n += got;
        if (cap - n < 2)
            text = realloc(text, cap *= 2);
    }
    fclose(f);
    wanted(text != NULL, "memory");
    text[n] = 0;
    return text;
}

/* Cuts the comment and the blanks before it; a '#' in quotes is none. */
static void trim(char *line)
{
    bool quoted = false;
    char *end = line;
    for (; *end && (*end != '#' || quoted); end++)
        quoted ^= *end == '"';
    while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = 0;
}

static void add_line(struct script *s, char *text, uint32_t number)
{
    if (*text != ' ') {
        s->steps = realloc(s->steps, (s->n + 1) * sizeof(*s->steps));
        wanted(s->steps != NULL, "memory");
        s->steps[s->n++] = (struct step){.head = {number, text}};
        return;
    }
    broken_at(NULL, number);
    wanted(s->n > 0, "a step before its lines");
    struct step *step = &s->steps[s->n - 1];
    step->body = realloc(step->body, (step->n + 1) * sizeof(*step->body));
    wanted(step->body != NULL, "memory");
    step->body[step->n++] = (struct line){number, text + strspn(text, " ")};
}

void script_read(struct script *s, const char *path)
{
    *s = (struct script){0};
    broken_at(path, 0);
    s->text = slurp(path);
    uint32_t number = 1;
    for (char *at = s->text, *next; at; at = next, number++) {
        next = strchr(at, '\n');
        if (next)
            *next++ = 0;
        trim(at);
        if (*at)
            add_line(s, at, number);
    }
}

void script_free(struct script *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->steps[i].body);
    free(s->steps);
    free(s->text);
}

bool word_next(const char **at, char out[static WORD_MAX])
{
    const char *p = *at + strspn(*at, " ");
    size_t n = 0;
    bool quoted = false;
    for (; *p && (quoted || *p != ' '); p++) {
        quoted ^= *p == '"';
        wanted(n + 1 < WORD_MAX, "shorter words");
        out[n++] = *p;
    }
    wanted(!quoted, "a closing quote");
    out[n] = 0;
    *at = p;
    return n > 0;
}

bool step_word(const struct step *s, size_t nth, char out[static WORD_MAX])
{
    const char *at = s->head.text;
    for (size_t i = 0; word_next(&at, out); i++)
        if (i == nth)
            return true;
    return false;
}

static bool is_option(const char *word)
{
    return *word != '"' && strchr(word, '=') != NULL;
}

static bool option_in(const char *text, const char *key, size_t *skip, char out[static WORD_MAX])
{
    char word[WORD_MAX];
    const size_t n = strlen(key);
    while (word_next(&text, word)) {
        if (strncmp(word, key, n) != 0 || word[n] != '=' || (*skip)-- > 0)
            continue;
        size_t kept = 0;
        for (const char *p = word + n + 1; *p; p++)
            if (*p != '"')
                out[kept++] = *p;
        out[kept] = 0;
        return true;
    }
    return false;
}

bool step_option(const struct step *s, const char *key, size_t skip, char out[static WORD_MAX])
{
    if (option_in(s->head.text, key, &skip, out))
        return true;
    for (size_t i = 0; i < s->n; i++)
        if (option_in(s->body[i].text, key, &skip, out))
            return true;
    return false;
}

uint32_t step_number(const struct step *s, const char *key, uint32_t missing)
{
    char text[WORD_MAX];
    return step_option(s, key, 0, text) ? (uint32_t)strtoul(text, NULL, 10) : missing;
}

static void append(char *out, size_t cap, const char *word)
{
    const size_t n = strlen(out), more = strlen(word);
    wanted(n + more + 2 < cap, "a shorter message");
    memcpy(out + n, word, more);
    memcpy(out + n + more, " ", 2);
}

void step_bytes(const struct step *s, size_t words, char *out, size_t cap)
{
    char word[WORD_MAX];
    const char *at = s->head.text;
    *out = 0;
    for (size_t i = 0; word_next(&at, word); i++)
        if (i >= words && !is_option(word))
            append(out, cap, word);
    for (size_t i = 0; i < s->n; i++)
        append(out, cap, s->body[i].text);
}

usec_t span_parse(const char *text)
{
    char *unit;
    const usec_t n = strtoull(text, &unit, 10);
    if (strcmp(unit, "ms") == 0)
        return n * USEC_MSEC;
    if (strcmp(unit, "s") == 0)
        return n * USEC_SEC;
    if (strcmp(unit, "m") == 0)
        return n * 60 * USEC_SEC;
    if (strcmp(unit, "h") == 0)
        return n * 3600 * USEC_SEC;
    broken("'%s' is no span of time", text);
}
