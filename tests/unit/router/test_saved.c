/* What a router leaves behind for the next one. */
#include "tests/test.h"

#include "router/router_internal.h"

#define A 0xc0a8010a
#define B 0xc0a8010b
#define S 0xcb007101

static const struct saved_head head = {.outside = 0xcb007165, .generation = 7, .boot = 0x1234567890abcdef};
static const struct tracker_binding_info known[] = {
    {.way = TRACKER_OUT, .host = A, .server = S, .spi = 0xaaaa0001, .used = 1000},
    {.way = TRACKER_IN, .host = B, .server = S, .spi = 0xbbbb0001, .used = 2000},
    {.way = TRACKER_OUT,
     .ike = true,
     .host = A,
     .server = S,
     .initiator = 0xa0a0a0a0a0a0a0a0,
     .responder = 5,
     .used = 3},
};

static uint8_t room[4096];

static struct view write_known(void)
{
    struct saved_writer s;
    saved_begin(&s, room, sizeof(room), &head);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        assert_true(saved_add(&s, &known[i]));
    return saved_end(&s);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct saved_head h;
    struct reader list;
    struct tracker_binding_info b;
    const struct view v = write_known();
    assert_int_equal(v.n, saved_size(ARRAY_LEN(known)));
    assert_true(saved_open(v, &h, &list));
    assert_int_equal(h.outside, head.outside);
    assert_true(h.generation == head.generation && h.boot == head.boot);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        assert_true(saved_next(&list, &b));
        assert_true(b.way == known[i].way && b.ike == known[i].ike && b.state == TRACKER_STATE_BOUND);
        assert_true(b.host == known[i].host && b.server == known[i].server && b.spi == known[i].spi);
        assert_true(b.initiator == known[i].initiator && b.responder == known[i].responder && b.used == known[i].used);
    }
    assert_false(saved_next(&list, &b));
    assert_true(rd_ok(&list));
}

static void what_follows_a_copy_in_its_place_is_an_older_ones_and_not_read(void **state)
{
    (void)state;
    struct saved_head h;
    struct reader list;
    (void)write_known();
    assert_true(saved_open(view_of(room, sizeof(room)), &h, &list));
}

static void no_copy_that_was_cut_or_changed_is_taken(void **state)
{
    (void)state;
    struct saved_head h;
    struct reader list;
    const struct view v = write_known();
    for (size_t n = 0; n < v.n; n++)
        assert_false(saved_open(view_of(room, n), &h, &list));
    for (size_t bit = 0; bit < v.n * 8; bit++) {
        room[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(saved_open(v, &h, &list));
        room[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void an_entry_that_means_nothing_ends_the_list(void **state)
{
    (void)state;
    struct saved_head h;
    struct reader list;
    struct saved_writer s;
    struct tracker_binding_info b = known[0];
    saved_begin(&s, room, sizeof(room), &head);
    assert_true(saved_add(&s, &known[0]));
    b.host = 0;
    assert_true(saved_add(&s, &b));
    assert_true(saved_add(&s, &known[1]));
    assert_true(saved_open(saved_end(&s), &h, &list));
    assert_true(saved_next(&list, &b));
    assert_false(saved_next(&list, &b));
    assert_false(rd_ok(&list));
}

static void a_full_copy_says_so_and_is_whole(void **state)
{
    (void)state;
    struct saved_head h;
    struct reader list;
    struct saved_writer s;
    struct tracker_binding_info b;
    size_t n = 0;
    saved_begin(&s, room, saved_size(2) + 5, &head);
    assert_true(saved_add(&s, &known[0]) && saved_add(&s, &known[1]));
    assert_false(saved_add(&s, &known[2]));
    assert_true(saved_open(saved_end(&s), &h, &list));
    while (saved_next(&list, &b))
        n++;
    assert_int_equal(n, 2);
    assert_true(saved_size(SAVED_ENTRIES) <= SAVED_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_follows_a_copy_in_its_place_is_an_older_ones_and_not_read),
        cmocka_unit_test(no_copy_that_was_cut_or_changed_is_taken),
        cmocka_unit_test(an_entry_that_means_nothing_ends_the_list),
        cmocka_unit_test(a_full_copy_says_so_and_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
