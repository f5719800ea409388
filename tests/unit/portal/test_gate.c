/* Questions to a gateway that answers, refuses, is away, or says nothing. The other end of the socket is this test. */
#include "tests/test.h"

#include "portal/portal_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct world {
    struct loop *loop;
    struct gate *gate;
    char directory[32], path[64];
    int listener;
    unsigned done;
};

static usec_t turn(void *ctx, usec_t now)
{
    return gate_turn(((struct world *)ctx)->gate, now);
}

static int make(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    strcpy(w->directory, "/tmp/gate-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    sprintf(w->path, "%s/control", w->directory);
    w->loop = loop_new();
    w->gate = gate_new(w->loop, w->path);
    assert_int_equal(local_listen(w->path, 0600, (gid_t)-1, &w->listener), ERR_OK);
    loop_on_turn(w->loop, turn, w);
    *state = w;
    return 0;
}

static int drop(void **state)
{
    struct world *w = *state;
    gate_free(w->gate);
    loop_free(w->loop);
    if (w->listener >= 0)
        close(w->listener);
    unlink(w->path);
    rmdir(w->directory);
    free(w);
    return 0;
}

static void count(void *ctx)
{
    ((struct world *)ctx)->done++;
}

static struct question question_of(struct world *w)
{
    return (struct question){.fd = -1, .done = count, .ctx = w};
}

static void turns(struct world *w)
{
    for (int i = 0; i < 5; i++)
        assert_int_equal(loop_once(w->loop, 5 * USEC_MSEC), ERR_OK);
}

/* Reads what the portal has sent and answers it. */
static void answer(struct world *w, int fd, const char *verb, const char *reply)
{
    char room[1024] = "";
    size_t n = 0;
    turns(w);
    assert_int_equal(local_read(fd, room, sizeof room - 1, &n), ERR_OK);
    assert_non_null(strstr(room, verb));
    assert_int_equal(local_write(fd, view_str(reply), &n), ERR_OK);
    turns(w);
}

static int take(struct world *w)
{
    int fd;
    uid_t uid;
    gid_t gid;
    turns(w);
    assert_int_equal(local_accept(w->listener, &fd, &uid, &gid), ERR_OK);
    return fd;
}

static void requests_are_answered_one_after_another(void **state)
{
    struct world *w = *state;
    struct question q = question_of(w);
    question_add(&q, ctl_request_new(CTL_VERB_STATUS));
    question_add(&q, ctl_request_new(CTL_VERB_POOL_LIST));
    gate_ask(w->gate, &q, clock_now());
    assert_int_equal(w->done, 0);
    const int fd = take(w);
    answer(w, fd, "\"status\"", "{\"ok\":true,\"data\":{\"a\":1}}\n"); /* <-- status, --> */
    assert_int_equal(w->done, 0);
    answer(w, fd, "pool.list", "{\"ok\":true,\"data\":{\"b\":2}}\n");
    assert_int_equal(w->done, 1);
    assert_false(q.silent);
    assert_int_equal(json_integer_value(json_object_get(q.data[1], "b")), 2);
    question_clear(&q);
    close(fd);
}

/* A new password is not set when the old one was wrong. */
static void what_follows_a_refusal_is_not_asked(void **state)
{
    struct world *w = *state;
    struct question q = question_of(w);
    q.chained = true;
    question_add(&q, ask_about(CTL_VERB_USER_LIST, CTL_ARG_NAME, "alice"));
    question_add(&q, ctl_request_new(CTL_VERB_CONFIG_RELOAD));
    gate_ask(w->gate, &q, clock_now());
    const int fd = take(w);
    answer(w, fd, "user.list", "{\"ok\":false,\"error\":{\"code\":\"not-found\",\"sentence\":\"No.\"}}\n");
    assert_int_equal(w->done, 1);
    assert_string_equal(q.error[0].code, "not-found");
    assert_null(q.data[1]);
    char room[64];
    size_t n = 0;
    assert_int_equal(local_read(fd, room, sizeof room, &n), ERR_STATE); /* closed, without a second request */
    question_clear(&q);
    close(fd);
}

static void text_that_cannot_be_sent_is_refused_here(void **state)
{
    struct world *w = *state;
    struct question q = question_of(w);
    q.chained = true;
    question_add(&q, ask_about(CTL_VERB_USER_LIST, CTL_ARG_NAME, "\xff"));
    gate_ask(w->gate, &q, clock_now());
    turns(w);
    assert_int_equal(w->done, 1);
    assert_string_equal(q.error[0].code, CTL_CODE_INVALID);
    question_clear(&q);
}

static void a_gateway_that_is_away_is_silent(void **state)
{
    struct world *w = *state;
    struct question q = question_of(w);
    close(w->listener);
    w->listener = -1;
    question_add(&q, ctl_request_new(CTL_VERB_STATUS));
    gate_ask(w->gate, &q, clock_now());
    turns(w);
    assert_int_equal(w->done, 1);
    assert_true(q.silent);
    question_clear(&q);
}

static void a_gateway_that_stands_still_is_not_waited_for_long(void **state)
{
    struct world *w = *state;
    struct question q = question_of(w);
    question_add(&q, ctl_request_new(CTL_VERB_STATUS));
    gate_ask(w->gate, &q, clock_now());
    turns(w);
    assert_int_equal(w->done, 0);
    gate_turn(w->gate, clock_now() + GATE_WAIT + USEC_SEC);
    assert_int_equal(w->done, 1);
    assert_true(q.silent);
    question_clear(&q);
}

static void nonsense_is_no_answer(void **state)
{
    struct world *w = *state;
    struct question q = question_of(w);
    question_add(&q, ctl_request_new(CTL_VERB_STATUS));
    gate_ask(w->gate, &q, clock_now());
    const int fd = take(w);
    answer(w, fd, "status", "<html>\n");
    assert_int_equal(w->done, 1);
    assert_true(q.silent);
    question_clear(&q);
    close(fd);
}

static void more_questions_than_places_wait_for_their_turn(void **state)
{
    struct world *w = *state;
    struct question q[GATE_OPEN_MAX + 1];
    int fd[GATE_OPEN_MAX + 1];
    for (size_t i = 0; i <= GATE_OPEN_MAX; i++) {
        q[i] = question_of(w);
        question_add(&q[i], ctl_request_new(CTL_VERB_STATUS));
        gate_ask(w->gate, &q[i], clock_now());
    }
    for (size_t i = 0; i < GATE_OPEN_MAX; i++)
        fd[i] = take(w);
    assert_int_equal(q[GATE_OPEN_MAX].fd, -1);
    answer(w, fd[0], "status", "{\"ok\":true,\"data\":{}}\n");
    fd[GATE_OPEN_MAX] = take(w);
    assert_int_equal(w->done, 1);
    gate_drop(w->gate); /* the end */
    assert_int_equal(w->done, GATE_OPEN_MAX + 1);
    for (size_t i = 0; i <= GATE_OPEN_MAX; i++) {
        question_clear(&q[i]);
        close(fd[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_are_answered_one_after_another, make, drop),
        cmocka_unit_test_setup_teardown(what_follows_a_refusal_is_not_asked, make, drop),
        cmocka_unit_test_setup_teardown(text_that_cannot_be_sent_is_refused_here, make, drop),
        cmocka_unit_test_setup_teardown(a_gateway_that_is_away_is_silent, make, drop),
        cmocka_unit_test_setup_teardown(a_gateway_that_stands_still_is_not_waited_for_long, make, drop),
        cmocka_unit_test_setup_teardown(nonsense_is_no_answer, make, drop),
        cmocka_unit_test_setup_teardown(more_questions_than_places_wait_for_their_turn, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
