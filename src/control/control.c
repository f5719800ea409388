#include "control/control.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define EVENTS_MAX      (4u * 1024 * 1024) /* bytes of events unsent to one reader before it is dropped */
#define REPLIES_MAX     (4u * 1024 * 1024) /* bytes of replies unsent above which no other request is answered */

enum kind { REPLY, EVENT, KINDS };

struct chunk {
    struct chunk *next;
    enum kind kind;
    char *line;
    size_t n, sent;
};

struct connection {
    struct control *control;
    int fd;
    bool subscribed;
    bool closing;   /* it has ended; whoever sets this, or calls what may, calls close_ended() in the end */
    bool answering; /* its requests are being answered: it stays, even if it ends meanwhile */
    uint64_t waits; /* the ticket of the request that is answered later; 0: none */
    struct ctl_lines lines;
    struct chunk *first, **last;
    size_t unsent[KINDS];
    struct connection *next;
};

struct control {
    struct control_config config;
    int listener;
    char *path;
    bool has_group;
    uint32_t own_uid;
    unsigned n;
    uint64_t tickets; /* given so far */
    struct connection *connections;
};

/* ---- out ---- */

static bool may_ask(const struct connection *c)
{
    return !c->closing && !c->waits && c->unsent[REPLY] <= REPLIES_MAX;
}

static void watch_for(struct connection *c)
{
    (void)loop_change(c->control->config.loop, c->fd, (may_ask(c) ? LOOP_READ : 0) | (c->first ? LOOP_WRITE : 0));
}

static void chunk_free(struct chunk *chunk)
{
    ctl_line_free(chunk->line);
    free(chunk);
}

static void drain(struct connection *c)
{
    while (c->first) {
        struct chunk *chunk = c->first;
        size_t n = 0;
        if (local_write(c->fd, view_of(chunk->line + chunk->sent, chunk->n - chunk->sent), &n) != ERR_OK) {
            c->closing = true;
            return;
        }
        chunk->sent += n;
        c->unsent[chunk->kind] -= n;
        if (chunk->sent < chunk->n)
            return;
        c->first = chunk->next;
        if (!c->first)
            c->last = &c->first;
        chunk_free(chunk);
    }
}

/* Takes the line. */
static void say(struct connection *c, enum kind kind, char *line)
{
    struct chunk *chunk = line && !c->closing ? malloc(sizeof(*chunk)) : NULL;
    if (!chunk) {
        c->closing = true;
        ctl_line_free(line);
        return;
    }
    *chunk = (struct chunk){.kind = kind, .line = line, .n = strlen(line)};
    *c->last = chunk;
    c->last = &chunk->next;
    c->unsent[kind] += chunk->n;
    drain(c);
    watch_for(c);
}

/* ---- in ---- */

static void answer_line(struct connection *c, struct view line)
{
    struct ctl_request *request;
    struct ctl_error error;
    if (ctl_request_parse(line, &request, &error) != ERR_OK) {
        say(c, REPLY, ctl_reply_told(error.code, error.sentence, &error.told));
        return;
    }
    struct control_asked asked = {.ticket = ++c->control->tickets};
    const struct control_config *config = &c->control->config;
    char *reply = config->answer(config->ctx, request, &asked);
    if (asked.later) {
        c->waits = asked.ticket;
        watch_for(c);
    } else {
        say(c, REPLY, reply);
    }
    if (asked.subscribe && !c->subscribed && config->listeners)
        config->listeners(config->ctx, 1);
    c->subscribed |= asked.subscribe;
    ctl_request_free(request);
}

static void answer_lines(struct connection *c)
{
    struct view line;
    c->answering = true;
    while (may_ask(c) && ctl_lines_next(&c->lines, &line))
        answer_line(c, line);
    c->answering = false;
}

static void read_lines(struct connection *c)
{
    uint8_t room[16384];
    size_t n = 0;
    const enum err e = local_read(c->fd, room, sizeof(room), &n);
    if (e != ERR_OK || ctl_lines_feed(&c->lines, view_of(room, n)) != ERR_OK)
        c->closing = true;
    bytes_wipe(room, n);
}

static void close_connection(struct connection *c)
{
    struct control *control = c->control;
    for (struct connection **at = &control->connections; *at; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            break;
        }
    loop_remove(control->config.loop, c->fd);
    close(c->fd);
    for (struct chunk *chunk = c->first, *next; chunk; chunk = next) {
        next = chunk->next;
        chunk_free(chunk);
    }
    ctl_lines_done(&c->lines);
    if (c->subscribed && control->config.listeners)
        control->config.listeners(control->config.ctx, -1);
    control->n--;
    free(c);
}

static void close_ended(struct connection *c)
{
    if (c->closing && !c->answering)
        close_connection(c);
}

static void connection_ready(void *ctx, uint32_t what)
{
    struct connection *c = ctx;
    if (what & LOOP_WRITE)
        drain(c);
    if (what & (LOOP_READ | LOOP_ERROR))
        read_lines(c);
    answer_lines(c);
    watch_for(c);
    close_ended(c);
}

static void open_connection(struct control *control, int fd)
{
    struct connection *c = control->n < CONNECTIONS_MAX ? calloc(1, sizeof(*c)) : NULL;
    if (!c || loop_add(control->config.loop, fd, LOOP_READ, connection_ready, c) != ERR_OK) {
        free(c);
        close(fd);
        return;
    }
    c->control = control;
    c->fd = fd;
    c->last = &c->first;
    ctl_lines_init(&c->lines, CTL_REQUEST_MAX);
    c->next = control->connections;
    control->connections = c;
    control->n++;
}

static void refuse(const struct control *control, int fd)
{
    char *line = ctl_reply_error(CTL_CODE_DENIED, control->config.refusal);
    size_t n;
    if (line)
        (void)local_write(fd, view_str(line), &n);
    ctl_line_free(line);
    close(fd);
}

static void listener_ready(void *ctx, uint32_t what)
{
    struct control *control = ctx;
    int fd;
    uid_t uid;
    gid_t gid;
    (void)what;
    while (local_accept(control->listener, &fd, &uid, &gid) == ERR_OK) {
        if (ctl_allowed(&(struct ctl_peer){uid, gid}, control->own_uid, control->has_group))
            open_connection(control, fd);
        else
            refuse(control, fd);
    }
}

/* ---- life ---- */

struct control *control_new(const struct control_config *config, char *why, size_t cap)
{
    const struct group *group = config->group && config->group[0] ? getgrnam(config->group) : NULL;
    struct control *control = calloc(1, sizeof(*control));
    char *path = strdup(config->path);
    if (!control || !path) {
        snprintf(why, cap, "out of memory");
        free(control);
        free(path);
        return NULL;
    }
    *control = (struct control){
        .config = *config, .listener = -1, .path = path, .has_group = group != NULL, .own_uid = config->own_uid};
    const enum err e = local_listen(path, group ? 0660 : 0600, group ? group->gr_gid : (gid_t)-1, &control->listener);
    if (e != ERR_OK) {
        snprintf(why, cap, e == ERR_EXISTS ? "another process answers at %s" : "cannot listen on %s: %s", path,
                 strerror(errno));
        free(path);
        free(control);
        return NULL;
    }
    if (loop_add(config->loop, control->listener, LOOP_READ, listener_ready, control) == ERR_OK)
        return control;
    control_free(control);
    return NULL;
}

void control_free(struct control *control)
{
    if (!control)
        return;
    while (control->connections)
        close_connection(control->connections);
    loop_remove(control->config.loop, control->listener);
    close(control->listener);
    unlink(control->path);
    free(control->path);
    free(control);
}

void control_reply(struct control *control, uint64_t ticket, char *line)
{
    struct connection *c = control->connections;
    while (c && c->waits != ticket)
        c = c->next;
    if (!c) {
        ctl_line_free(line);
        return;
    }
    c->waits = 0;
    say(c, REPLY, line);
    answer_lines(c);
    close_ended(c);
}

static char *copy_line(const char *line)
{
    return line ? strdup(line) : NULL;
}

/* Called also from within an answer, with whoever is being answered among the readers. */
void control_tell(struct control *control, const char *line)
{
    const size_t n = line ? strlen(line) : 0;
    for (struct connection *c = control->connections, *next; c; c = next) {
        next = c->next;
        if (c->subscribed && c->unsent[EVENT] + n > EVENTS_MAX)
            c->closing = true;
        else if (c->subscribed)
            say(c, EVENT, copy_line(line));
        close_ended(c);
    }
}
