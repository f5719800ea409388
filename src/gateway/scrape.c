/*
 * The listener for Prometheus: a page over plain HTTP, in the loop of the service thread. Whoever asks gets a fixed
 * room, a fixed time and one reply, and the numbers are gathered once a second at most: neither many nor slow readers
 * cost the gateway more than that.
 */
#include "gateway/gateway_internal.h"

#include "metrics/metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READERS   8
#define PATIENCE  (10 * USEC_SEC) /* for request and reply together */
#define FRESH     (1 * USEC_SEC)
#define PAGE_MAX  (256u * 1024)
#define REPLY_MAX (PAGE_MAX + 1024)

struct reader_of_page {
    struct scrape *scrape;
    int fd; /* -1: free */
    usec_t until;
    size_t asked_n;
    uint8_t asked[METRICS_REQUEST_MAX];
    struct writer reply; /* its room is our own; NULL while the request comes */
    size_t sent;
    bool told; /* all was sent: what still comes is thrown away */
};

struct scrape {
    struct gateway *gateway;
    struct loop *loop;
    int listener;
    usec_t gathered_at; /* 0: never */
    struct writer page;
    struct reader_of_page readers[READERS];
};

static void dismiss(struct reader_of_page *r)
{
    if (r->fd < 0)
        return;
    loop_remove(r->scrape->loop, r->fd);
    close(r->fd);
    free(r->reply.p);
    *r = (struct reader_of_page){.scrape = r->scrape, .fd = -1};
}

static struct view page(struct scrape *s, usec_t now)
{
    if (s->gathered_at == 0 || now - s->gathered_at >= FRESH) {
        s->page = wr_init(s->page.p, PAGE_MAX);
        gauges_write(s->gateway, &s->page);
        s->gathered_at = now;
    }
    return wr_written(&s->page);
}

/* A connection that is closed with bytes unread is reset, and the reply may be lost on its way (RFC 9112 9.6): we wait
 * for the other end to close. */
static void send_more(struct reader_of_page *r)
{
    size_t n = 0;
    const struct view left = view_of(r->reply.p + r->sent, r->reply.n - r->sent);
    if (local_write(r->fd, left, &n) != ERR_OK) {
        dismiss(r);
        return;
    }
    r->sent += n;
    r->told = r->sent == r->reply.n;
    if (r->told && (shutdown(r->fd, SHUT_WR) != 0 || loop_change(r->scrape->loop, r->fd, LOOP_READ) != ERR_OK))
        dismiss(r);
}

static void begin_reply(struct reader_of_page *r, enum metrics_answer answer)
{
    const struct view text = page(r->scrape, loop_now(r->scrape->loop));
    uint8_t *room = malloc(REPLY_MAX);
    if (!room) {
        dismiss(r);
        return;
    }
    r->reply = wr_init(room, REPLY_MAX);
    metrics_reply(&r->reply, answer, text.n);
    if (answer == METRICS_GIVE)
        wr_view(&r->reply, text);
    (void)loop_change(r->scrape->loop, r->fd, LOOP_WRITE);
    send_more(r);
}

static void read_more(struct reader_of_page *r)
{
    size_t n = 0;
    if (local_read(r->fd, r->asked + r->asked_n, sizeof(r->asked) - r->asked_n, &n) != ERR_OK) {
        dismiss(r);
        return;
    }
    r->asked_n += n;
    const enum metrics_answer answer = metrics_judge(view_of(r->asked, r->asked_n));
    if (answer != METRICS_WAIT)
        begin_reply(r, answer);
}

static void throw_away(struct reader_of_page *r)
{
    size_t n;
    if (local_read(r->fd, r->asked, sizeof(r->asked), &n) != ERR_OK)
        dismiss(r);
}

static void reader_ready(void *ctx, uint32_t what)
{
    struct reader_of_page *r = ctx;
    if (r->told)
        throw_away(r);
    else if (r->reply.p)
        send_more(r);
    else if (what & (LOOP_READ | LOOP_ERROR))
        read_more(r);
}

/* The place of whoever has had one for longest, when there is no free one. */
static struct reader_of_page *place(struct scrape *s)
{
    struct reader_of_page *oldest = &s->readers[0];
    for (size_t i = 0; i < READERS; i++) {
        if (s->readers[i].fd < 0)
            return &s->readers[i];
        if (s->readers[i].until < oldest->until)
            oldest = &s->readers[i];
    }
    dismiss(oldest);
    return oldest;
}

static void listener_ready(void *ctx, uint32_t what)
{
    struct scrape *s = ctx;
    int fd;
    (void)what;
    while (stream_accept(s->listener, &fd) == ERR_OK) {
        struct reader_of_page *r = place(s);
        r->fd = fd;
        r->until = loop_now(s->loop) + PATIENCE;
        if (loop_add(s->loop, fd, LOOP_READ, reader_ready, r) != ERR_OK) {
            close(fd);
            r->fd = -1;
        }
    }
}

struct scrape *scrape_new(struct gateway *g, const struct endpoint *local, char *why, size_t cap)
{
    struct scrape *s = calloc(1, sizeof(*s));
    uint8_t *room = malloc(PAGE_MAX);
    char text[ENDPOINT_TEXT_MAX];
    if (!s || !room) {
        snprintf(why, cap, "out of memory");
        free(s);
        free(room);
        return NULL;
    }
    *s = (struct scrape){.gateway = g, .loop = g->loop, .listener = -1, .page = wr_init(room, PAGE_MAX)};
    for (size_t i = 0; i < READERS; i++)
        s->readers[i] = (struct reader_of_page){.scrape = s, .fd = -1};
    if (stream_listen(local, &s->listener) == ERR_OK &&
        loop_add(s->loop, s->listener, LOOP_READ, listener_ready, s) == ERR_OK)
        return s;
    snprintf(why, cap, "cannot serve metrics on %s: %s", endpoint_text(local, text), strerror(errno));
    scrape_free(s);
    return NULL;
}

usec_t scrape_timeout(struct scrape *s, usec_t now)
{
    usec_t next = USEC_NEVER;
    for (size_t i = 0; s && i < READERS; i++) {
        struct reader_of_page *r = &s->readers[i];
        if (r->fd >= 0 && now >= r->until)
            dismiss(r);
        if (r->fd >= 0)
            next = usec_min(next, r->until);
    }
    return next;
}

void scrape_free(struct scrape *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < READERS; i++)
        dismiss(&s->readers[i]);
    if (s->listener >= 0) {
        loop_remove(s->loop, s->listener);
        close(s->listener);
    }
    free(s->page.p);
    free(s);
}
