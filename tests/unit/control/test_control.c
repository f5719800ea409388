/* The control socket between a daemon that answers and programs that ask, read slowly, or leave in the middle. */
#include "tests/test.h"

#include "control/control.h"

#include <unistd.h>

#define MIB      (1024u * 1024)
#define PATIENCE (60 * USEC_SEC)

/* A daemon: to events it says yes, to client.disconnect it tells an event before it answers, and to status, with as
 * much text as is wanted. */
struct daemon {
    struct loop *loop;
    struct control *control;
    char directory[32], path[64];
    int listeners;
    unsigned answered;
    size_t wanted; /* bytes of text in the answer to status */
};

static char *text_reply(size_t n)
{
    char *text = malloc(n + 1);
    assert_non_null(text);
    memset(text, 'x', n);
    text[n] = '\0';
    char *line = ctl_reply_ok(ctl_data("text", json_string(text)));
    free(text);
    return line;
}

static void tell(const struct daemon *d, size_t n)
{
    char *text = text_reply(n); /* any line does */
    control_tell(d->control, text);
    ctl_line_free(text);
}

static char *answer(void *ctx, const struct ctl_request *request, struct control_asked *asked)
{
    struct daemon *d = ctx;
    d->answered++;
    switch ((int)ctl_request_verb(request)) {
    case CTL_VERB_EVENTS:
        asked->subscribe = true;
        return ctl_reply_ok(NULL);
    case CTL_VERB_CLIENT_DISCONNECT:
        tell(d, 10);
        return ctl_reply_ok(NULL);
    default:
        return text_reply(d->wanted);
    }
}

static void count(void *ctx, int change)
{
    ((struct daemon *)ctx)->listeners += change;
}

static int begin(void **state)
{
    struct daemon *d = calloc(1, sizeof(*d));
    char why[256] = "";
    assert_non_null(d);
    snprintf(d->directory, sizeof(d->directory), "/tmp/control-XXXXXX");
    assert_non_null(mkdtemp(d->directory));
    snprintf(d->path, sizeof(d->path), "%s/socket", d->directory);
    d->loop = loop_new();
    const struct control_config config = {.loop = d->loop,
                                          .path = d->path,
                                          .own_uid = (uint32_t)geteuid(),
                                          .refusal = "No.",
                                          .answer = answer,
                                          .listeners = count,
                                          .ctx = d};
    d->control = control_new(&config, why, sizeof(why));
    assert_string_equal(why, "");
    assert_non_null(d->control);
    *state = d;
    return 0;
}

static int end(void **state)
{
    struct daemon *d = *state;
    control_free(d->control);
    loop_free(d->loop);
    assert_int_equal(d->listeners, 0);
    assert_int_equal(rmdir(d->directory), 0);
    free(d);
    return 0;
}

/* ---- a program at the other end ---- */

struct program {
    struct daemon *d;
    int fd;
    struct ctl_lines lines;
};

static struct program start(struct daemon *d)
{
    struct program p = {.d = d};
    assert_int_equal(local_connect(d->path, &p.fd), ERR_OK);
    ctl_lines_init(&p.lines, CTL_REPLY_MAX);
    return p;
}

static void leave(struct program *p)
{
    close(p->fd);
    ctl_lines_done(&p->lines);
}

static void ask(const struct program *p, enum ctl_verb verb)
{
    struct ctl_request *request = ctl_request_new(verb);
    char *line = ctl_request_line(request);
    size_t n = 0;
    assert_int_equal(local_write(p->fd, view_str(line), &n), ERR_OK);
    assert_int_equal(n, strlen(line));
    ctl_line_free(line);
    ctl_request_free(request);
}

/* The length of the next line, 0 when the daemon has closed. */
static size_t hear(struct program *p)
{
    static uint8_t room[65536];
    const usec_t until = clock_now() + PATIENCE;
    struct view line;
    while (!ctl_lines_next(&p->lines, &line)) {
        size_t n = 0;
        assert_true(clock_now() < until);
        assert_int_equal(loop_once(p->d->loop, 0), ERR_OK);
        if (local_read(p->fd, room, sizeof(room), &n) != ERR_OK)
            return 0;
        assert_int_equal(ctl_lines_feed(&p->lines, view_of(room, n)), ERR_OK);
    }
    return line.n;
}

/* Until there is nothing for the daemon to do. */
static void let_work(const struct daemon *d)
{
    for (int i = 0; i < 100; i++)
        assert_int_equal(loop_once(d->loop, 0), ERR_OK);
}

static size_t line_length(size_t text)
{
    char *line = text_reply(text);
    const size_t n = strlen(line) - 1;
    ctl_line_free(line);
    return n;
}

/*
 *   program                      daemon
 *     events                 ->
 *                            <-  yes
 *     client.disconnect      ->
 *     (closes)                   tells an event, which reaches this program no more, and has an answer still to give
 */
static void who_leaves_while_their_answer_is_made_is_let_go_once(void **state)
{
    struct daemon *d = *state;
    struct program leaver = start(d), other = start(d);
    ask(&leaver, CTL_VERB_EVENTS);
    ask(&other, CTL_VERB_EVENTS);
    assert_true(hear(&leaver) > 0 && hear(&other) > 0);
    assert_int_equal(d->listeners, 2);

    ask(&leaver, CTL_VERB_CLIENT_DISCONNECT);
    leave(&leaver);
    assert_int_equal(hear(&other), line_length(10));
    assert_int_equal(d->answered, 3);
    assert_int_equal(d->listeners, 1);
    leave(&other);
}

static void who_has_left_is_let_go_when_another_is_answered(void **state)
{
    struct daemon *d = *state;
    struct program leaver = start(d), other = start(d);
    ask(&leaver, CTL_VERB_EVENTS);
    assert_true(hear(&leaver) > 0);
    leave(&leaver);
    ask(&other, CTL_VERB_CLIENT_DISCONNECT);
    assert_true(hear(&other) > 0);
    let_work(d);
    assert_int_equal(d->listeners, 0);
    leave(&other);
}

static void a_reply_may_be_as_long_as_programs_read(void **state)
{
    struct daemon *d = *state;
    struct program p = start(d);
    d->wanted = CTL_REPLY_MAX - (line_length(0) + 1);
    ask(&p, CTL_VERB_STATUS);
    assert_int_equal(hear(&p), CTL_REPLY_MAX - 1);
    d->wanted++;
    ask(&p, CTL_VERB_STATUS);
    const size_t refusal = hear(&p);
    assert_true(refusal > 0 && refusal < 1024);
    leave(&p);
}

static void a_long_reply_under_way_costs_nobody_their_events(void **state)
{
    struct daemon *d = *state;
    struct program p = start(d);
    ask(&p, CTL_VERB_EVENTS);
    assert_true(hear(&p) > 0);
    d->wanted = 8 * MIB;
    ask(&p, CTL_VERB_STATUS);
    let_work(d);
    assert_int_equal(d->answered, 2);
    tell(d, 100);
    assert_int_equal(hear(&p), line_length(8 * MIB));
    assert_int_equal(hear(&p), line_length(100));
    leave(&p);
}

static void who_does_not_read_events_is_dropped(void **state)
{
    struct daemon *d = *state;
    struct program sleeper = start(d), other = start(d);
    ask(&sleeper, CTL_VERB_EVENTS);
    ask(&other, CTL_VERB_EVENTS);
    assert_true(hear(&sleeper) > 0 && hear(&other) > 0);
    for (int i = 0; i < 16; i++) {
        tell(d, MIB);
        assert_int_equal(hear(&other), line_length(MIB));
    }
    assert_int_equal(d->listeners, 1);
    leave(&sleeper);
    leave(&other);
}

static void who_does_not_read_replies_is_not_answered_on_and_loses_none(void **state)
{
    struct daemon *d = *state;
    struct program p = start(d);
    d->wanted = 3 * MIB;
    for (int i = 0; i < 8; i++)
        ask(&p, CTL_VERB_STATUS);
    let_work(d);
    assert_in_range(d->answered, 1, 3);
    for (int i = 0; i < 8; i++)
        assert_int_equal(hear(&p), line_length(3 * MIB));
    assert_int_equal(d->answered, 8);
    leave(&p);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest stories[] = {
        STORY(who_leaves_while_their_answer_is_made_is_let_go_once),
        STORY(who_has_left_is_let_go_when_another_is_answered),
        STORY(a_reply_may_be_as_long_as_programs_read),
        STORY(a_long_reply_under_way_costs_nobody_their_events),
        STORY(who_does_not_read_events_is_dropped),
        STORY(who_does_not_read_replies_is_not_answered_on_and_loses_none),
    };
    return cmocka_run_group_tests(stories, NULL, NULL);
}
