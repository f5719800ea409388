/* Questions to the gateway over its control socket: never waited for, and not for long. */
#include "portal/portal_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 16384 /* bytes read at once */

struct gate {
    struct loop *loop;
    char *socket;
    unsigned open;
    struct question *first; /* all that is under way, oldest first */
};

struct gate *gate_new(struct loop *loop, const char *socket)
{
    struct gate *gate = calloc(1, sizeof *gate);
    char *copy = strdup(socket);
    if (gate == NULL || copy == NULL) {
        free(gate);
        free(copy);
        return NULL;
    }
    *gate = (struct gate){.loop = loop, .socket = copy};
    return gate;
}

void gate_free(struct gate *gate)
{
    if (gate == NULL)
        return;
    free(gate->socket);
    free(gate);
}

/* ---- a question's life ---- */

static void hang_up(struct question *q)
{
    ctl_line_free(q->line);
    q->line = NULL;
    if (q->fd < 0)
        return;
    loop_remove(q->gate->loop, q->fd);
    close(q->fd);
    ctl_lines_done(&q->lines);
    q->fd = -1;
    q->gate->open--;
}

static void take_out(struct question *q)
{
    for (struct question **at = &q->gate->first; *at != NULL; at = &(*at)->next)
        if (*at == q) {
            *at = q->next;
            break;
        }
    q->gate = NULL;
}

static void finish(struct question *q, bool silent)
{
    q->silent = silent;
    hang_up(q);
    take_out(q);
    q->done(q->ctx);
}

void question_add(struct question *q, struct ctl_request *request)
{
    if (request == NULL || q->count == GATE_ASKS_MAX) {
        ctl_request_free(request);
        request = NULL;
    }
    if (q->count < GATE_ASKS_MAX)
        q->request[q->count++] = request;
}

void question_clear(struct question *q)
{
    if (q->gate != NULL) {
        hang_up(q);
        take_out(q);
    }
    for (size_t i = 0; i < q->count; i++) {
        ctl_request_free(q->request[i]);
        json_decref(q->data[i]);
    }
    *q = (struct question){.fd = -1};
}

void gate_ask(struct gate *gate, struct question *q, usec_t now)
{
    struct question **last = &gate->first;
    while (*last != NULL)
        last = &(*last)->next;
    q->gate = gate;
    q->next = NULL;
    q->fd = -1;
    q->deadline = now + GATE_WAIT;
    *last = q;
}

/* ---- over the socket ---- */

static void refuse(struct question *q, const char *code, const char *sentence)
{
    struct ctl_error *e = &q->error[q->answered];
    view_copy_text(e->code, sizeof e->code, view_str(code));
    view_copy_text(e->sentence, sizeof e->sentence, view_str(sentence));
}

/* The line of the request that is next; one that could not be made is refused without being sent. True: all is
 * answered. */
static bool next_line(struct question *q)
{
    ctl_line_free(q->line);
    q->line = NULL;
    for (; q->answered < q->count && q->line == NULL; q->answered += q->line == NULL) {
        const struct ctl_request *request = q->request[q->answered];
        q->line = request != NULL ? ctl_request_line(request) : NULL;
        if (q->line == NULL)
            refuse(q, CTL_CODE_INVALID, "");
        if (q->line == NULL && q->chained)
            return true;
    }
    q->sent = 0;
    q->line_n = q->line != NULL ? strlen(q->line) : 0;
    return q->line == NULL;
}

static enum err send_line(struct question *q)
{
    size_t n = 0;
    const enum err e = local_write(q->fd, view_of(q->line + q->sent, q->line_n - q->sent), &n);
    q->sent += n;
    if (e == ERR_OK)
        (void)loop_change(q->gate->loop, q->fd, LOOP_READ | (q->sent < q->line_n ? LOOP_WRITE : 0));
    return e;
}

/* False: the question is over. */
static bool take_reply(struct question *q, struct view line)
{
    json_t *data = NULL;
    struct ctl_error e;
    const enum err result = ctl_reply_parse(line, &data, &e);
    if (result != ERR_OK && result != ERR_STATE) {
        finish(q, true);
        return false;
    }
    if (result == ERR_STATE)
        q->error[q->answered] = e;
    else
        q->data[q->answered] = data;
    q->answered++;
    if ((result == ERR_STATE && q->chained) || next_line(q)) {
        finish(q, false);
        return false;
    }
    if (send_line(q) == ERR_OK)
        return true;
    finish(q, true);
    return false;
}

static void read_replies(struct question *q)
{
    uint8_t room[PIECE];
    size_t n = 0;
    enum err e = local_read(q->fd, room, sizeof room, &n);
    if (e == ERR_OK)
        e = ctl_lines_feed(&q->lines, view_of(room, n));
    bytes_wipe(room, n);
    if (e != ERR_OK) {
        finish(q, true);
        return;
    }
    struct view line;
    while (ctl_lines_next(&q->lines, &line))
        if (!take_reply(q, line))
            return;
}

static void socket_ready(void *ctx, uint32_t what)
{
    struct question *q = ctx;
    if ((what & LOOP_WRITE) && q->sent < q->line_n && send_line(q) != ERR_OK) {
        finish(q, true);
        return;
    }
    if (what & (LOOP_READ | LOOP_ERROR))
        read_replies(q);
}

/* False: the question is over. */
static bool start(struct gate *gate, struct question *q)
{
    int fd;
    if (next_line(q)) {
        finish(q, false);
        return false;
    }
    if (local_connect(gate->socket, &fd) != ERR_OK) {
        finish(q, true);
        return false;
    }
    if (loop_add(gate->loop, fd, LOOP_READ, socket_ready, q) != ERR_OK) {
        close(fd);
        finish(q, true);
        return false;
    }
    q->fd = fd;
    gate->open++;
    ctl_lines_init(&q->lines, CTL_REPLY_MAX);
    if (send_line(q) == ERR_OK)
        return true;
    finish(q, true);
    return false;
}

/* What the end of a question sets off may change the list: it is walked anew then. */
static bool step(struct gate *gate, usec_t now)
{
    for (struct question *q = gate->first; q != NULL; q = q->next) {
        if (q->deadline <= now) {
            finish(q, true);
            return true;
        }
        if (q->fd < 0 && gate->open < GATE_OPEN_MAX && !start(gate, q))
            return true;
    }
    return false;
}

usec_t gate_turn(struct gate *gate, usec_t now)
{
    usec_t next = USEC_NEVER;
    while (step(gate, now))
        ;
    for (const struct question *q = gate->first; q != NULL; q = q->next)
        next = usec_min(next, q->deadline);
    return next;
}

void gate_drop(struct gate *gate)
{
    while (gate->first != NULL)
        finish(gate->first, true);
}
