#include "net/net.h"
#include "tests/test.h"

#include <pthread.h>

static void records_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct ring *ring = ring_new(4096, NULL);
    assert_null(ring_peek(ring).p);
    assert_true(ring_put(ring, view_str("head"), view_str("body")));
    assert_true(ring_put(ring, view_str(""), view_str("second")));
    assert_true(ring_put(ring, VIEW_NONE, VIEW_NONE));
    assert_true(view_equal(ring_peek(ring), view_str("headbody")));
    assert_true(view_equal(ring_peek(ring), view_str("headbody")));
    ring_pop(ring);
    assert_true(view_equal(ring_peek(ring), view_str("second")));
    ring_pop(ring);
    assert_int_equal(ring_peek(ring).n, 0);
    assert_non_null(ring_peek(ring).p); /* an empty record is a record */
    ring_pop(ring);
    assert_null(ring_peek(ring).p);
    ring_pop(ring);
    ring_free(ring);
}

static void a_full_ring_refuses_and_goes_on_when_read(void **state)
{
    (void)state;
    struct ring *ring = ring_new(4096, NULL);
    static const uint8_t bytes[2048];
    assert_false(ring_put(ring, VIEW_NONE, (struct view){bytes, 2048})); /* with its length more than half */
    assert_true(ring_put(ring, VIEW_NONE, (struct view){bytes, 2000}));
    assert_true(ring_put(ring, VIEW_NONE, (struct view){bytes, 2000}));
    assert_false(ring_put(ring, VIEW_NONE, (struct view){bytes, 100}));
    ring_pop(ring);
    assert_true(ring_put(ring, VIEW_NONE, (struct view){bytes, 1900})); /* over the end: to the beginning */
    assert_int_equal(ring_peek(ring).n, 2000);
    ring_pop(ring);
    assert_int_equal(ring_peek(ring).n, 1900);
    ring_pop(ring);
    assert_null(ring_peek(ring).p);
    ring_free(ring);
}

#define RECORDS 20000

struct story {
    struct ring *ring;
    struct loop *loop;
    uint32_t expected;
};

static void *write_records(void *ctx)
{
    struct story *s = ctx;
    uint8_t body[600];
    for (uint32_t i = 0; i < RECORDS; i++) {
        memset(body, (int)i, sizeof(body));
        while (!ring_put(s->ring, view_of(&i, sizeof(i)), (struct view){body, i % sizeof(body)}))
            sched_yield();
    }
    return NULL;
}

static usec_t read_records(void *ctx, usec_t now)
{
    (void)now;
    struct story *s = ctx;
    for (;;) {
        const struct view v = ring_peek(s->ring);
        if (!v.p)
            break;
        uint32_t i;
        assert_true(v.n >= sizeof(i));
        memcpy(&i, v.p, sizeof(i));
        assert_int_equal(i, s->expected);
        assert_int_equal(v.n, sizeof(i) + i % 600);
        if (v.n > sizeof(i)) {
            assert_int_equal(v.p[sizeof(i)], (uint8_t)i);
            assert_int_equal(v.p[v.n - 1], (uint8_t)i);
        }
        s->expected++;
        ring_pop(s->ring);
    }
    if (s->expected == RECORDS)
        loop_stop(s->loop);
    return USEC_NEVER;
}

static void a_sleeping_reader_is_woken_for_every_record(void **state)
{
    (void)state;
    struct story s = {.loop = loop_new()};
    s.ring = ring_new(16384, s.loop);
    loop_on_turn(s.loop, read_records, &s);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_records, &s), 0);
    assert_int_equal(loop_run(s.loop), ERR_OK);
    pthread_join(writer, NULL);
    assert_int_equal(s.expected, RECORDS);
    ring_free(s.ring);
    loop_free(s.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_as_they_went_in),
        cmocka_unit_test(a_full_ring_refuses_and_goes_on_when_read),
        cmocka_unit_test(a_sleeping_reader_is_woken_for_every_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
