#include "net/net.h"
#include "tests/test.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

struct story {
    struct loop *loop;
    int reads, turns;
    int pipe[2];
    usec_t next;
};

static void count_read(void *ctx, uint32_t what)
{
    struct story *s = ctx;
    assert_true(what & LOOP_READ);
    char byte;
    assert_int_equal(read(s->pipe[0], &byte, 1), 1);
    s->reads++;
}

static usec_t count_turn(void *ctx, usec_t now)
{
    struct story *s = ctx;
    assert_true(now == loop_now(s->loop));
    s->turns++;
    return s->next;
}

static int begin(void **state)
{
    static struct story s;
    s = (struct story){.loop = loop_new(), .next = USEC_NEVER};
    assert_non_null(s.loop);
    assert_int_equal(pipe(s.pipe), 0);
    *state = &s;
    return 0;
}

static int end(void **state)
{
    struct story *s = *state;
    close(s->pipe[0]);
    close(s->pipe[1]);
    loop_free(s->loop);
    return 0;
}

static void a_ready_descriptor_is_told_and_then_the_turn_is_taken(void **state)
{
    struct story *s = *state;
    assert_int_equal(loop_add(s->loop, s->pipe[0], LOOP_READ, count_read, s), ERR_OK);
    assert_int_equal(loop_add(s->loop, s->pipe[0], LOOP_READ, count_read, s), ERR_EXISTS);
    loop_on_turn(s->loop, count_turn, s);
    assert_int_equal(write(s->pipe[1], "ab", 2), 2);
    assert_int_equal(loop_once(s->loop, USEC_SEC), ERR_OK);
    assert_int_equal(s->reads, 1);
    assert_int_equal(s->turns, 1);
    assert_int_equal(loop_once(s->loop, USEC_SEC), ERR_OK); /* level-triggered: the second byte is still there */
    assert_int_equal(s->reads, 2);
}

static void the_turn_says_when_it_wants_to_be_called_again(void **state)
{
    struct story *s = *state;
    loop_on_turn(s->loop, count_turn, s);
    s->next = clock_now() + 3 * USEC_MSEC;
    assert_int_equal(loop_once(s->loop, 0), ERR_OK);
    const usec_t due = s->next;
    s->next = USEC_NEVER;
    assert_int_equal(loop_once(s->loop, 10 * USEC_SEC), ERR_OK);
    assert_int_equal(s->turns, 2);
    assert_true(loop_now(s->loop) >= due);
    assert_true(loop_now(s->loop) < due + USEC_SEC);
}

static void a_removed_descriptor_is_not_told(void **state)
{
    struct story *s = *state;
    assert_int_equal(loop_add(s->loop, s->pipe[0], LOOP_READ, count_read, s), ERR_OK);
    assert_int_equal(write(s->pipe[1], "a", 1), 1);
    loop_remove(s->loop, s->pipe[0]);
    loop_remove(s->loop, s->pipe[0]);
    loop_remove(s->loop, 12345);
    assert_int_equal(loop_once(s->loop, 0), ERR_OK);
    assert_int_equal(s->reads, 0);
    assert_int_equal(loop_change(s->loop, s->pipe[0], LOOP_READ), ERR_NOTFOUND);
}

/* Two descriptors are ready at once; the first function removes the second and closes it, and its number is used
 * again by a newcomer: the old event must not reach the newcomer. */
static struct {
    struct story *story;
    int pair[2][2];
    int calls;
} swap;

static void must_not_be_told(void *ctx, uint32_t what)
{
    (void)ctx;
    (void)what;
    fail_msg("an event of a former descriptor was delivered");
}

static void replace_other(void *ctx, uint32_t what)
{
    (void)what;
    const int me = *(int *)ctx, other = 1 - me;
    char byte;
    swap.calls++;
    assert_int_equal(read(swap.pair[me][0], &byte, 1), 1);
    loop_remove(swap.story->loop, swap.pair[other][0]);
    int fresh[2];
    assert_int_equal(pipe(fresh), 0);
    assert_int_equal(dup2(fresh[0], swap.pair[other][0]), swap.pair[other][0]);
    assert_int_equal(loop_add(swap.story->loop, swap.pair[other][0], LOOP_READ, must_not_be_told, NULL), ERR_OK);
    close(fresh[0]);
    close(fresh[1]);
    loop_remove(swap.story->loop, swap.pair[other][0]);
    assert_int_equal(loop_add(swap.story->loop, swap.pair[other][0], 0, must_not_be_told, NULL), ERR_OK);
    loop_remove(swap.story->loop, swap.pair[other][0]);
}

static void an_event_of_a_former_descriptor_does_not_reach_its_successor(void **state)
{
    static int index[2] = {0, 1};
    swap.story = *state;
    swap.calls = 0;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(swap.pair[i]), 0);
        assert_int_equal(write(swap.pair[i][1], "x", 1), 1);
        assert_int_equal(loop_add(swap.story->loop, swap.pair[i][0], LOOP_READ, replace_other, &index[i]), ERR_OK);
    }
    assert_int_equal(loop_once(swap.story->loop, 0), ERR_OK);
    assert_int_equal(swap.calls, 1);
    for (int i = 0; i < 2; i++) {
        loop_remove(swap.story->loop, swap.pair[i][0]);
        close(swap.pair[i][0]);
        close(swap.pair[i][1]);
    }
}

#define WAKES 2000

static void *wake_many_times(void *ctx)
{
    struct story *s = ctx;
    for (int i = 0; i < WAKES; i++) {
        loop_wake(s->loop);
        if (i % 64 == 0)
            usleep(50);
    }
    loop_stop(s->loop);
    return NULL;
}

static void another_thread_wakes_and_stops_the_loop(void **state)
{
    struct story *s = *state;
    loop_on_turn(s->loop, count_turn, s);
    loop_set_spin(s->loop, 20);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_many_times, s), 0);
    assert_int_equal(loop_run(s->loop), ERR_OK); /* would sleep for ever if the last wake-up were lost */
    pthread_join(thread, NULL);
    assert_true(s->turns >= 2);
}

static void signals_come_through_a_descriptor(void **state)
{
    (void)state;
    const int wanted[] = {SIGUSR1, SIGUSR2};
    int fd;
    assert_int_equal(signals_open(wanted, 2, &fd), ERR_OK);
    assert_int_equal(signals_read(fd), 0);
    raise(SIGUSR2);
    assert_int_equal(signals_read(fd), SIGUSR2);
    assert_int_equal(signals_read(fd), 0);
    close(fd);
}

static void entropy_differs_from_draw_to_draw_and_is_wiped_behind(void **state)
{
    (void)state;
    struct entropy e;
    entropy_init(&e);
    const struct random r = entropy_random(&e);
    uint8_t a[32], b[32], large[4096];
    random_fill(&r, a, sizeof(a));
    random_fill(&r, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    static const uint8_t zero[64];
    assert_memory_equal(e.buffer, zero, 64);
    assert_memory_not_equal(e.buffer + 64, zero, 64);
    random_fill(&r, large, sizeof(large));
    assert_memory_not_equal(large, large + 2048, 2048);
    for (int i = 0; i < 100; i++)
        random_fill(&r, a, sizeof(a)); /* over the buffer's end */
    assert_memory_not_equal(a, b, sizeof(a));
    entropy_done(&e);
    assert_memory_equal(e.buffer + 512, zero, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_ready_descriptor_is_told_and_then_the_turn_is_taken, begin, end),
        cmocka_unit_test_setup_teardown(the_turn_says_when_it_wants_to_be_called_again, begin, end),
        cmocka_unit_test_setup_teardown(a_removed_descriptor_is_not_told, begin, end),
        cmocka_unit_test_setup_teardown(an_event_of_a_former_descriptor_does_not_reach_its_successor, begin, end),
        cmocka_unit_test_setup_teardown(another_thread_wakes_and_stops_the_loop, begin, end),
        cmocka_unit_test(signals_come_through_a_descriptor),
        cmocka_unit_test(entropy_differs_from_draw_to_draw_and_is_wiped_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
