/* The address pool against its promises, and against a plain table under random calls. */
#include "tests/test.h"

#include "aaa/aaa_internal.h"

static struct config_pool config(uint32_t first, uint32_t last)
{
    struct config_pool c = {.name = "p"};
    c.ranges.range[0] = (struct config_range){first, last};
    c.ranges.count = 1;
    return c;
}

static void an_address_is_given_once_until_it_is_released(void **state)
{
    (void)state;
    const struct config_pool c = config(10, 12);
    struct pool *p = pool_new(&c);
    uint32_t a, b, d, e;
    assert_int_equal(pool_take(p, 0, &a), ERR_OK);
    assert_int_equal(pool_take(p, 0, &b), ERR_OK);
    assert_int_equal(pool_take(p, 0, &d), ERR_OK);
    assert_true(a == 10 && b == 11 && d == 12);
    assert_int_equal(pool_take(p, 0, &e), ERR_LIMIT);
    assert_int_equal(pool_used(p), 3);
    pool_release(p, 11);
    pool_release(p, 11);
    pool_release(p, 99);
    assert_int_equal(pool_used(p), 2);
    assert_int_equal(pool_take(p, 0, &e), ERR_OK);
    assert_int_equal(e, 11);
    pool_free(p);
}

static void the_preferred_address_is_given_when_it_is_free(void **state)
{
    (void)state;
    const struct config_pool c = config(10, 20);
    struct pool *p = pool_new(&c);
    uint32_t a;
    assert_int_equal(pool_take(p, 15, &a), ERR_OK);
    assert_int_equal(a, 15);
    assert_int_equal(pool_take(p, 15, &a), ERR_OK); /* not twice */
    assert_int_equal(a, 10);
    assert_int_equal(pool_take(p, 99, &a), ERR_OK); /* not of this pool */
    assert_int_equal(a, 11);
    pool_free(p);
}

static void a_released_address_rests_longest(void **state)
{
    (void)state;
    const struct config_pool c = config(10, 12);
    struct pool *p = pool_new(&c);
    uint32_t a;
    assert_int_equal(pool_take(p, 0, &a), ERR_OK);
    pool_release(p, 10);
    const uint32_t want[] = {11, 12, 10};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_int_equal(pool_take(p, 0, &a), ERR_OK);
        assert_int_equal(a, want[i]);
    }
    pool_free(p);
}

static void a_reserved_address_is_never_given_to_others(void **state)
{
    (void)state;
    const struct config_pool c = config(10, 12);
    struct pool *p = pool_new(&c);
    uint32_t a;
    assert_int_equal(pool_reserve(p, 10), ERR_OK);
    assert_int_equal(pool_reserve(p, 9), ERR_NOTFOUND);
    assert_int_equal(pool_take(p, 10, &a), ERR_OK);
    assert_int_equal(a, 11);
    assert_int_equal(pool_take(p, 10, &a), ERR_OK);
    assert_int_equal(a, 12);
    assert_int_equal(pool_take(p, 10, &a), ERR_LIMIT);
    assert_int_equal(pool_take_fixed(p, 10), ERR_OK);
    assert_int_equal(pool_take_fixed(p, 10), ERR_EXISTS);
    pool_release(p, 10);
    assert_int_equal(pool_take(p, 10, &a), ERR_LIMIT);
    pool_unreserve(p, 10);
    assert_int_equal(pool_take(p, 0, &a), ERR_OK);
    assert_int_equal(a, 10);
    pool_free(p);
}

static void an_address_reserved_while_leased_does_not_come_back_to_the_line(void **state)
{
    (void)state;
    const struct config_pool c = config(10, 10);
    struct pool *p = pool_new(&c);
    uint32_t a;
    assert_int_equal(pool_take(p, 0, &a), ERR_OK);
    assert_int_equal(pool_reserve(p, 10), ERR_OK);
    pool_release(p, 10);
    assert_int_equal(pool_take(p, 0, &a), ERR_LIMIT);
    pool_free(p);
}

static void several_ranges_are_one_pool(void **state)
{
    (void)state;
    struct config_pool c = config(10, 11);
    c.ranges.range[1] = (struct config_range){20, 20};
    c.ranges.range[2] = (struct config_range){30, 31};
    c.ranges.count = 3;
    struct pool *p = pool_new(&c);
    const uint32_t want[] = {10, 11, 20, 30, 31};
    uint32_t a;
    assert_int_equal(pool_size(p), 5);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_int_equal(pool_take(p, 0, &a), ERR_OK);
        assert_int_equal(a, want[i]);
        assert_true(pool_holds(p, a));
    }
    assert_false(pool_holds(p, 12));
    pool_free(p);
}

#define SIZE 40

static void random_calls_never_give_an_address_twice(void **state)
{
    (void)state;
    const uint64_t seed = 7;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct random_test rt;
    random_test_init(&rt, seed);
    const struct random rng = {random_test_fill, &rt};
    const struct config_pool c = config(100, 100 + SIZE - 1);
    struct pool *p = pool_new(&c);
    bool leased[SIZE] = {0}, reserved[SIZE] = {0};
    for (int round = 0; round < 50000; round++) {
        uint32_t i = random_below(&rng, SIZE), a, used = 0, free_ones = 0;
        switch (random_below(&rng, 5)) {
        case 0:
            if (pool_take(p, 100 + i, &a) == ERR_OK) {
                assert_true(a >= 100 && a < 100 + SIZE && !leased[a - 100] && !reserved[a - 100]);
                leased[a - 100] = true;
            } else {
                for (size_t k = 0; k < SIZE; k++)
                    free_ones += !leased[k] && !reserved[k];
                assert_int_equal(free_ones, 0);
            }
            break;
        case 1:
            assert_int_equal(pool_take_fixed(p, 100 + i), leased[i] ? ERR_EXISTS : ERR_OK);
            leased[i] = true;
            break;
        case 2:
            pool_release(p, 100 + i);
            leased[i] = false;
            break;
        case 3:
            assert_int_equal(pool_reserve(p, 100 + i), ERR_OK);
            reserved[i] = true;
            break;
        default:
            pool_unreserve(p, 100 + i);
            reserved[i] = false;
            break;
        }
        for (size_t k = 0; k < SIZE; k++)
            used += leased[k];
        assert_int_equal(pool_used(p), used);
    }
    pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_given_once_until_it_is_released),
        cmocka_unit_test(the_preferred_address_is_given_when_it_is_free),
        cmocka_unit_test(a_released_address_rests_longest),
        cmocka_unit_test(a_reserved_address_is_never_given_to_others),
        cmocka_unit_test(an_address_reserved_while_leased_does_not_come_back_to_the_line),
        cmocka_unit_test(several_ranges_are_one_pool),
        cmocka_unit_test(random_calls_never_give_an_address_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
