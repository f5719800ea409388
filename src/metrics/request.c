/* The head of an HTTP request (RFC 9112), of which only the first line matters here: there is one page, and after it
 * the connection is closed. */
#include "metrics/metrics.h"

#include <stdio.h>
#include <string.h>

#define PATH "/metrics"

/* Whether the empty line behind the head has come. A bare line feed is taken as an end of line (2.2). */
static bool is_whole(struct view received)
{
    struct reader r = rd_init(received);
    bool empty = false; /* so far, the line that is being read; the first one never is */
    while (rd_left(&r) > 0) {
        const uint8_t c = rd_u8(&r);
        if (c == '\n' && empty)
            return true;
        empty = c == '\n' || (empty && c == '\r');
    }
    return false;
}

/* The bytes up to the next blank or end of line, which is taken too. */
static struct view word(struct reader *r, struct view all, uint8_t *end)
{
    const size_t from = all.n - rd_left(r);
    size_t n = 0;
    for (*end = 0; rd_left(r) > 0; n++) {
        const uint8_t c = rd_u8(r);
        if (c == ' ' || c == '\r' || c == '\n') {
            *end = c;
            break;
        }
    }
    return view_of(all.p + from, n);
}

static bool is_version(struct view v)
{
    static const char one[] = "HTTP/1.";
    return v.n == sizeof one && memcmp(v.p, one, sizeof one - 1) == 0 && v.p[v.n - 1] >= '0' && v.p[v.n - 1] <= '9';
}

/* A question mark and what is behind it is passed over. */
static bool is_page(struct view path)
{
    const size_t n = sizeof PATH - 1;
    return path.n >= n && memcmp(path.p, PATH, n) == 0 && (path.n == n || path.p[n] == '?');
}

enum metrics_answer metrics_judge(struct view received)
{
    struct reader r = rd_init(received);
    uint8_t after_method, after_path, after_version;
    if (!is_whole(received))
        return received.n < METRICS_REQUEST_MAX ? METRICS_WAIT : METRICS_TOO_LARGE;
    const struct view method = word(&r, received, &after_method), path = word(&r, received, &after_path);
    const struct view version = word(&r, received, &after_version);
    if (after_method != ' ' || after_path != ' ' || after_version == ' ' || path.n == 0 || !is_version(version))
        return METRICS_BAD;
    const bool head = view_equal(method, view_str("HEAD"));
    if (!head && !view_equal(method, view_str("GET")))
        return METRICS_NOT_SO;
    if (!is_page(path))
        return METRICS_NOWHERE;
    return head ? METRICS_GIVE_HEAD : METRICS_GIVE;
}

static const char *status_of(enum metrics_answer answer)
{
    switch (answer) {
    case METRICS_GIVE:
    case METRICS_GIVE_HEAD:
        return "200 OK";
    case METRICS_NOWHERE:
        return "404 Not Found";
    case METRICS_NOT_SO:
        return "405 Method Not Allowed";
    case METRICS_TOO_LARGE:
        return "431 Request Header Fields Too Large";
    case METRICS_WAIT:
    case METRICS_BAD:
        break;
    }
    return "400 Bad Request";
}

void metrics_reply(struct writer *w, enum metrics_answer answer, size_t length)
{
    char head[256];
    const char *status = status_of(answer);
    const bool good = answer == METRICS_GIVE || answer == METRICS_GIVE_HEAD;
    snprintf(head, sizeof head,
             "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sCache-Control: no-store\r\nConnection: "
             "close\r\n\r\n",
             status, good ? METRICS_TYPE : "text/plain; charset=utf-8", good ? length : strlen(status) + 1,
             answer == METRICS_NOT_SO ? "Allow: GET, HEAD\r\n" : "");
    wr_view(w, view_str(head));
    if (good)
        return;
    wr_view(w, view_str(status));
    wr_u8(w, '\n');
}
