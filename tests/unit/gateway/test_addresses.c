/* The table of inner addresses: who has which, and what lies outside. */
#include "tests/test.h"

#include "gateway/gateway_internal.h"

static struct addresses *two_pools(void)
{
    static struct config_pool pools[2] = {
        {.name = "a", .ranges = {.range = {{100, 199}, {200, 250}}, .count = 2}},
        {.name = "b", .ranges = {.range = {{1000, 1000}}, .count = 1}},
    };
    const struct config config = {.pools = pools, .pool_count = 2};
    struct addresses *table = addresses_new(&config);
    assert_non_null(table);
    return table;
}

static void an_address_belongs_to_the_shard_that_took_it_last(void **state)
{
    (void)state;
    struct addresses *table = two_pools();
    assert_int_equal(addresses_get(table, 100), -1);
    addresses_set(table, 100, 3);
    addresses_set(table, 250, 63);
    addresses_set(table, 1000, 0);
    assert_int_equal(addresses_get(table, 100), 3);
    assert_int_equal(addresses_get(table, 250), 63);
    assert_int_equal(addresses_get(table, 1000), 0);
    addresses_set(table, 100, -1);
    assert_int_equal(addresses_get(table, 100), -1);
    addresses_free(table);
}

static void addresses_outside_the_pools_belong_to_nobody(void **state)
{
    (void)state;
    struct addresses *table = two_pools();
    const uint32_t outside[] = {0, 99, 251, 999, 1001, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_LEN(outside); i++) {
        addresses_set(table, outside[i], 1);
        assert_int_equal(addresses_get(table, outside[i]), -1);
    }
    addresses_free(table);
}

static void a_shard_clears_only_what_is_still_its_own(void **state)
{
    (void)state;
    struct addresses *table = two_pools();
    addresses_set(table, 120, 1);
    addresses_set(table, 120, 2); /* the session came back on another shard */
    addresses_clear(table, 120, 1);
    assert_int_equal(addresses_get(table, 120), 2);
    addresses_clear(table, 120, 2);
    assert_int_equal(addresses_get(table, 120), -1);
    addresses_clear(table, 5, 2);
    addresses_free(table);
}

static void a_range_is_held_when_each_of_its_addresses_is(void **state)
{
    (void)state;
    struct addresses *table = two_pools();
    assert_true(addresses_hold(table, &(struct config_range){100, 199}));
    assert_true(addresses_hold(table, &(struct config_range){150, 150}));
    assert_true(addresses_hold(table, &(struct config_range){150, 220})); /* over two neighbours */
    assert_true(addresses_hold(table, &(struct config_range){1000, 1000}));
    assert_false(addresses_hold(table, &(struct config_range){99, 150}));
    assert_false(addresses_hold(table, &(struct config_range){150, 251}));
    assert_false(addresses_hold(table, &(struct config_range){100, 1000}));
    assert_false(addresses_hold(table, &(struct config_range){0, UINT32_MAX}));
    addresses_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_belongs_to_the_shard_that_took_it_last),
        cmocka_unit_test(addresses_outside_the_pools_belong_to_nobody),
        cmocka_unit_test(a_shard_clears_only_what_is_still_its_own),
        cmocka_unit_test(a_range_is_held_when_each_of_its_addresses_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
