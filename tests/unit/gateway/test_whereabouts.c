/* The table of outer endpoints: a new main mode finds the shard of the peer that it is of. */
#include "tests/test.h"

#include "gateway/gateway_internal.h"

#define SHARDS 64

static void fill(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    memset(out, 0x5a, n);
}

static struct whereabouts *fresh(void)
{
    const struct random rng = {.fill = fill};
    struct whereabouts *table = whereabouts_new(&rng, SHARDS);
    assert_non_null(table);
    return table;
}

static struct endpoint at(uint32_t address, uint16_t port)
{
    return (struct endpoint){ip4_addr(address), port};
}

static void a_peer_is_found_on_the_shard_that_saw_it_last(void **state)
{
    (void)state;
    struct whereabouts *table = fresh();
    const struct endpoint peer = at(0xcb007165, 40123);
    assert_int_equal(whereabouts_get(table, &peer), -1);
    whereabouts_set(table, &peer, 63);
    assert_int_equal(whereabouts_get(table, &peer), 63);
    whereabouts_set(table, &peer, 0);
    assert_int_equal(whereabouts_get(table, &peer), 0);
    whereabouts_free(table);
}

static void neighbours_behind_one_nat_are_told_apart(void **state)
{
    (void)state;
    struct whereabouts *table = fresh();
    const struct endpoint one = at(0xcb007165, 1024), other = at(0xcb007165, 1025), third = at(0xcb007165, 1026);
    whereabouts_set(table, &one, 1);
    whereabouts_set(table, &other, 2);
    assert_int_equal(whereabouts_get(table, &one), 1);
    assert_int_equal(whereabouts_get(table, &other), 2);
    assert_int_equal(whereabouts_get(table, &third), -1);
    whereabouts_free(table);
}

static void a_peer_without_a_nat_may_use_either_port_of_ike(void **state)
{
    (void)state;
    struct whereabouts *table = fresh();
    const struct endpoint ike = at(0xcb007101, IKE_PORT), natt = at(0xcb007101, IKE_NATT_PORT);
    whereabouts_set(table, &ike, 3);
    assert_int_equal(whereabouts_get(table, &natt), 3);
    const struct endpoint ike2 = at(0xcb007102, IKE_PORT), natt2 = at(0xcb007102, IKE_NATT_PORT);
    whereabouts_set(table, &natt2, 4);
    assert_int_equal(whereabouts_get(table, &ike2), 4);
    whereabouts_free(table);
}

/* A router with IPsec passthrough: they all come from port 500, and one entry cannot tell where each of them is. */
static void neighbours_at_port_500_are_on_one_shard(void **state)
{
    (void)state;
    struct whereabouts *table = fresh();
    const struct endpoint home = at(0xcb007165, IKE_PORT), other = at(0xcb007166, IKE_PORT),
                          natt = at(0xcb007165, 1024);
    const int shard = whereabouts_get(table, &home);
    assert_in_range(shard, 0, SHARDS - 1);
    assert_int_equal(whereabouts_get(table, &home), shard);
    whereabouts_set(table, &home, (uint8_t)shard);
    assert_int_equal(whereabouts_get(table, &home), shard);
    assert_int_not_equal(whereabouts_get(table, &other), shard); /* of 64 */
    assert_int_equal(whereabouts_get(table, &natt), -1);
    whereabouts_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_is_found_on_the_shard_that_saw_it_last),
        cmocka_unit_test(neighbours_behind_one_nat_are_told_apart),
        cmocka_unit_test(a_peer_without_a_nat_may_use_either_port_of_ike),
        cmocka_unit_test(neighbours_at_port_500_are_on_one_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
