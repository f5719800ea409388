#include "tests/test.h"
#include "wire/wire.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void numbers_are_read_in_network_order(void **state)
{
    (void)state;
    struct reader r = rd_init(VIEW(bytes));
    assert_int_equal(rd_u8(&r), 0x01);
    assert_int_equal(rd_u16(&r), 0x0203);
    assert_int_equal(rd_u32(&r), 0x04050607);
    assert_true(rd_u64(&r) == 0x08090a0b0c0d0e0f);
    assert_true(rd_done(&r));
}

/* Every kind of read against every number of bytes left: it works with enough of them and fails with one less. */
static void every_read_stops_at_the_border(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 2, 4, 8};
    for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
        for (size_t n = 0; n <= 9; n++) {
            struct reader r = rd_init((struct view){bytes, n});
            uint64_t v = k == 0 ? rd_u8(&r) : k == 1 ? rd_u16(&r) : k == 2 ? rd_u32(&r) : rd_u64(&r);
            assert_true(rd_ok(&r) == (n >= sizes[k]));
            assert_true((v != 0) == (n >= sizes[k]));
            assert_int_equal(rd_left(&r), n >= sizes[k] ? n - sizes[k] : 0);
        }
    }
    for (size_t n = 0; n <= 9; n++) {
        for (size_t want = 0; want <= 10; want++) {
            const bool good = want <= n;
            struct reader r = rd_init((struct view){bytes, n});
            const struct view v = rd_view(&r, want);
            assert_true(rd_ok(&r) == good);
            assert_int_equal(v.n, good ? want : 0);
            r = rd_init((struct view){bytes, n});
            rd_skip(&r, want);
            assert_true(rd_ok(&r) == good);
            uint8_t copy[10];
            memset(copy, 0xee, sizeof(copy));
            r = rd_init((struct view){bytes, n});
            rd_copy(&r, copy, want);
            assert_true(rd_ok(&r) == good);
            for (size_t i = 0; i < want; i++)
                assert_int_equal(copy[i], good ? bytes[i] : 0);
        }
    }
}

static void a_failure_sticks_and_all_else_is_zero(void **state)
{
    (void)state;
    struct reader r = rd_init(VIEW(bytes));
    rd_skip(&r, 17);
    assert_int_equal(rd_u16(&r), 0);
    assert_int_equal(rd_u8(&r), 0); /* though one byte was there */
    assert_int_equal(rd_view(&r, 0).n, 0);
    assert_int_equal(rd_rest(&r).n, 0);
    assert_false(rd_ok(&r));
    assert_false(rd_done(&r));
    assert_int_equal(rd_left(&r), 0);
}

static void a_huge_length_does_not_wrap(void **state)
{
    (void)state;
    struct reader r = rd_init(VIEW(bytes));
    rd_skip(&r, 4);
    rd_skip(&r, SIZE_MAX);
    assert_false(rd_ok(&r));
    r = rd_init(VIEW_NONE);
    assert_true(rd_done(&r));
    assert_int_equal(rd_rest(&r).n, 0);
    assert_true(rd_ok(&r));
}

static void a_child_sees_its_block_only(void **state)
{
    (void)state;
    const uint8_t message[] = {0, 3, 'a', 'b', 'c', 1, 'd', 9};
    struct reader r = rd_init(VIEW(message));
    struct reader c = rd_block16(&r);
    assert_int_equal(rd_left(&c), 3);
    rd_skip(&c, 3);
    assert_true(rd_done(&c));
    assert_int_equal(rd_u8(&c), 0); /* the parent's bytes are out of reach */
    assert_false(rd_ok(&c));
    assert_true(rd_ok(&r));
    c = rd_block8(&r);
    assert_int_equal(rd_u8(&c), 'd');
    c = rd_block8(&r); /* nine bytes that are not there: both fail */
    assert_false(rd_ok(&c));
    assert_false(rd_ok(&r));
}

static void a_broken_rule_fails_the_reader(void **state)
{
    (void)state;
    struct reader r = rd_init(VIEW(bytes));
    rd_fail(&r);
    assert_false(rd_ok(&r));
    assert_int_equal(rd_u8(&r), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_in_network_order),     cmocka_unit_test(every_read_stops_at_the_border),
        cmocka_unit_test(a_failure_sticks_and_all_else_is_zero), cmocka_unit_test(a_huge_length_does_not_wrap),
        cmocka_unit_test(a_child_sees_its_block_only),           cmocka_unit_test(a_broken_rule_fails_the_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
