/* A writer of HTML. Text goes in escaped, markup only as literals of this program (page_html()). */
#include "portal/portal_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void page_init(struct page *page, enum language language)
{
    *page = (struct page){.language = language};
}

void page_done(struct page *page)
{
    if (page->p != NULL)
        bytes_wipe(page->p, page->n);
    free(page->p);
    *page = (struct page){.language = page->language};
}

/* A page may hold a secret, so what it outgrows is wiped. */
static bool grow(struct page *page, size_t n)
{
    if (page->failed || n > PAGE_MAX - page->n)
        return false;
    if (page->cap - page->n >= n)
        return true;
    size_t cap = page->cap != 0 ? page->cap : 4096;
    while (cap - page->n < n)
        cap *= 2;
    char *p = malloc(cap);
    if (p == NULL)
        return false;
    if (page->n > 0) {
        memcpy(p, page->p, page->n);
        bytes_wipe(page->p, page->n);
    }
    free(page->p);
    page->p = p;
    page->cap = cap;
    return true;
}

void page_raw(struct page *page, const char *html, size_t n)
{
    if (n == 0)
        return;
    if (!grow(page, n)) {
        page->failed = true;
        return;
    }
    memcpy(page->p + page->n, html, n);
    page->n += n;
}

static const char *escape_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void text_n(struct page *page, const char *text, size_t n)
{
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        const char *escape = escape_of(text[i]);
        if (escape == NULL)
            continue;
        page_raw(page, text + from, i - from);
        page_raw(page, escape, strlen(escape));
        from = i + 1;
    }
    page_raw(page, text + from, n - from);
}

void page_text(struct page *page, const char *text)
{
    text_n(page, text, strlen(text));
}

void page_query(struct page *page, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text != '\0'; text++) {
        char escaped[4];
        if (strchr(plain, *text) != NULL)
            page_raw(page, text, 1);
        else
            page_raw(page, escaped, (size_t)snprintf(escaped, sizeof escaped, "%%%02X", (unsigned char)*text));
    }
}

void page_number(struct page *page, uint64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    page_text(page, text);
}

void page_bytes(struct page *page, uint64_t n)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)n;
    size_t unit = 0;
    for (; value >= 1000 && unit + 1 < ARRAY_LEN(units); unit++)
        value /= 1000;
    char text[32];
    snprintf(text, sizeof text, unit == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    page_text(page, text);
}

static void clock_text(uint64_t seconds, const char *format, char *out, size_t cap)
{
    const time_t t = (time_t)seconds;
    struct tm tm;
    if (gmtime_r(&t, &tm) == NULL || strftime(out, cap, format, &tm) == 0)
        out[0] = '\0';
}

void page_time(struct page *page, uint64_t seconds)
{
    char machine[40], people[40];
    if (seconds == 0) {
        page_html(page, "\xe2\x80\x93");
        return;
    }
    clock_text(seconds, "%Y-%m-%dT%H:%M:%SZ", machine, sizeof machine);
    clock_text(seconds, "%Y-%m-%d %H:%M UTC", people, sizeof people);
    page_html(page, "<time datetime=\"");
    page_text(page, machine);
    page_html(page, "\">");
    page_text(page, people);
    page_html(page, "</time>");
}

void page_say(struct page *page, enum message m)
{
    page_text(page, message_text(m, page->language));
}

void page_say_of(struct page *page, enum message m, const char *what)
{
    const char *text = message_text(m, page->language), *hole = strstr(text, "{}");
    if (hole == NULL) {
        page_text(page, text);
        return;
    }
    text_n(page, text, (size_t)(hole - text));
    page_text(page, what);
    page_text(page, hole + 2);
}

static void code(struct page *page, const char *text, size_t n)
{
    page_html(page, "<code>");
    text_n(page, text, n);
    page_html(page, "</code>");
}

void page_say_code(struct page *page, enum message m, const char *what)
{
    const char *text = message_text(m, page->language), *hole = strstr(text, "{}");
    const size_t n = hole != NULL ? (size_t)(hole - text) : strlen(text);
    text_n(page, text, n);
    if (hole == NULL)
        return;
    code(page, what, strlen(what));
    page_text(page, hole + 2);
}

/* {1} is the first value; what is between backquotes is code; other braces stand for themselves. */
static void page_filled(struct page *page, const char *text, const struct telling *told)
{
    while (*text != '\0') {
        const size_t plain = strcspn(text, "{`");
        text_n(page, text, plain);
        text += plain;
        const char *end = *text == '`' ? strchr(text + 1, '`') : NULL;
        if (end != NULL) {
            code(page, text + 1, (size_t)(end - text - 1));
            text = end + 1;
        } else if (text[0] == '{' && text[1] >= '1' && text[1] <= '9' && text[2] == '}') {
            const size_t place = (size_t)(text[1] - '1');
            if (place < told->count)
                code(page, told->param[place], strlen(told->param[place]));
            text += 3;
        } else if (*text != '\0') {
            text_n(page, text++, 1);
        }
    }
}

void page_told(struct page *page, const struct telling *told, const char *english)
{
    const char *text = told_text(told->word, page->language);
    if (text == NULL) {
        page_html(page, "<span lang=\"en\">");
        page_text(page, english);
        page_html(page, "</span>");
        return;
    }
    if (told->place[0] != '\0') {
        code(page, told->place, strlen(told->place));
        page_html(page, ": ");
    }
    page_filled(page, text, told);
}

void date_write(uint64_t seconds, char out[static DATE_TEXT])
{
    out[0] = '\0';
    if (seconds != 0)
        clock_text(seconds, "%Y-%m-%d", out, DATE_TEXT);
}

enum err date_read(const char *text, uint64_t *seconds)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%d", &tm);
    const time_t t = end != NULL && *end == '\0' ? timegm(&tm) : -1;
    if (t < 0 || tm.tm_year > 8099)
        return ERR_INVALID;
    *seconds = (uint64_t)t;
    return ERR_OK;
}
