/* Server-sent events (HTML, 9.2): every other second the gateway's state goes to each page that listens, and what has
 * happened since. One question to the gateway serves all of them. */
#include "portal/portal_internal.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STREAMS_MAX 32
#define PERIOD      (2 * USEC_SEC)
#define STATE_MAX   1024                /* bytes of an event that tells the state */
#define ROOM_MAX    8192                /* bytes that wait for one reader */
#define EVENT_MAX   9007199254740991ull /* of the numbers of events */

struct stream {
    struct streams *owner; /* NULL: a free place */
    struct MHD_Connection *connection;
    uint8_t token[LOGIN_TOKEN];
    enum language language;
    uint64_t since; /* the event that was told last */
    char room[ROOM_MAX];
    size_t n, sent;
    bool waiting, over;
};

struct streams {
    struct portal *portal;
    struct stream *at[STREAMS_MAX];
    struct question question;
    usec_t due;
};

struct streams *streams_new(struct portal *portal)
{
    struct streams *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->portal = portal;
    s->due = USEC_NEVER;
    s->question.fd = -1;
    return s;
}

void streams_free(struct streams *s)
{
    if (s == NULL)
        return;
    question_clear(&s->question);
    free(s);
}

struct stream *stream_open(struct streams *s, struct exchange *x)
{
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (s->at[i] != NULL)
            continue;
        struct stream *stream = calloc(1, sizeof *stream);
        if (stream == NULL)
            return NULL;
        *stream = (struct stream){.owner = s, .connection = x->connection, .language = x->page.language};
        (void)form_number(&x->query, "since", EVENT_MAX, &stream->since);
        memcpy(stream->token, x->token, sizeof stream->token);
        stream->n = (size_t)snprintf(stream->room, ROOM_MAX, "retry: 5000\n\n");
        s->at[i] = stream;
        s->due = loop_now(s->portal->loop);
        return stream;
    }
    return NULL;
}

void stream_close(struct stream *stream)
{
    struct streams *s = stream->owner;
    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (s->at[i] == stream)
            s->at[i] = NULL;
    bytes_wipe(stream, sizeof *stream);
    free(stream);
}

/* ---- out ---- */

static ssize_t read_stream(void *cls, uint64_t at, char *out, size_t max)
{
    (void)at;
    struct stream *stream = cls;
    const size_t left = stream->n - stream->sent, n = left < max ? left : max;
    if (n > 0) {
        memcpy(out, stream->room + stream->sent, n);
        stream->sent += n;
        return (ssize_t)n;
    }
    if (stream->over || stream->owner->portal->ending)
        return MHD_CONTENT_READER_END_OF_STREAM;
    stream->waiting = true;
    http_wait(stream->owner->portal, stream->connection);
    return 0;
}

static void free_stream(void *cls)
{
    stream_close(cls);
}

struct MHD_Response *stream_response(struct stream *stream)
{
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, stream, free_stream);
}

static void wake(struct stream *stream)
{
    if (!stream->waiting)
        return;
    stream->waiting = false;
    http_go_on(stream->owner->portal, stream->connection);
}

/* A reader that has not taken what was told yet misses this state; what has happened is told later, as is what finds no
 * room. */
static void tell(struct stream *stream, const char *state, const json_t *events)
{
    const json_t *one;
    struct ctl_event e;
    size_t i, n;
    if (stream->sent < stream->n)
        return;
    stream->n = (size_t)snprintf(stream->room, ROOM_MAX, "%s", state);
    stream->sent = 0;
    json_array_foreach(events, i, one)
    {
        if (ctl_event_read(one, &e) != ERR_OK || e.id <= stream->since)
            continue;
        if (!event_write(&e, stream->language, stream->room + stream->n, ROOM_MAX - stream->n, &n))
            break;
        stream->n += n;
        stream->since = e.id;
    }
    wake(stream);
}

/* Whoever has logged out gets no more. A page that listens is no sign that somebody is there. */
static void tell_all(struct streams *s, const char *state, const json_t *events)
{
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct stream *stream = s->at[i];
        if (stream == NULL)
            continue;
        if (login_find(&s->portal->logins, stream->token, loop_now(s->portal->loop), false) != NULL) {
            tell(stream, state, events);
        } else {
            stream->over = true;
            wake(stream);
        }
    }
}

/* ---- the gateway's state ---- */

static uint64_t milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void write_event(const struct ctl_status *status, char line[static STATE_MAX])
{
    json_t *json =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "time", (json_int_t)milliseconds(), "sessions",
                  (json_int_t)status->sessions, "bytes_in", (json_int_t)status->bytes_in, "bytes_out",
                  (json_int_t)status->bytes_out, "pool_used", (json_int_t)status->pool_used, "pool_size",
                  (json_int_t)status->pool_size, "logins_accepted", (json_int_t)status->logins_accepted,
                  "logins_refused", (json_int_t)status->logins_refused, "drops", (json_int_t)status->drops);
    char *text = json_dumps(json, JSON_COMPACT);
    snprintf(line, STATE_MAX, "event: status\ndata: %s\n\n", text != NULL ? text : "{}");
    free(text);
    json_decref(json);
}

static void on_state(void *ctx)
{
    struct streams *s = ctx;
    struct ctl_status status;
    char line[STATE_MAX] = "event: silent\ndata: {}\n\n";
    if (!s->question.silent && ctl_status_read(json_object_get(s->question.data[0], "status"), &status) == ERR_OK)
        write_event(&status, line);
    tell_all(s, line, json_object_get(s->question.data[1], "events"));
    question_clear(&s->question);
}

/* False: nobody listens. since: what all of them have been told. */
static bool anybody(const struct streams *s, uint64_t *since)
{
    bool found = false;
    *since = EVENT_MAX;
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (s->at[i] == NULL)
            continue;
        found = true;
        *since = s->at[i]->since < *since ? s->at[i]->since : *since;
    }
    return found;
}

usec_t streams_turn(struct streams *s, usec_t now)
{
    uint64_t since;
    if (s->portal->ending) {
        for (size_t i = 0; i < STREAMS_MAX; i++)
            if (s->at[i] != NULL)
                wake(s->at[i]);
        return USEC_NEVER;
    }
    if (!anybody(s, &since))
        return s->due = USEC_NEVER;
    if (now < s->due)
        return s->due;
    s->due = now + PERIOD;
    if (s->question.gate == NULL) {
        s->question.done = on_state;
        s->question.ctx = s;
        question_add(&s->question, ctl_request_new(CTL_VERB_STATUS));
        question_add(&s->question, ask_number(ctl_request_new(CTL_VERB_EVENT_LIST), CTL_ARG_SINCE, since));
        gate_ask(s->portal->gate, &s->question, now);
    }
    return s->due;
}
