/* Failed logins are counted and made to wait, within bounds. */
#include "tests/test.h"

#include "aaa/aaa_internal.h"

static struct throttle t;

static struct ip_addr peer(uint32_t n)
{
    return ip4_addr(0xc0000200 + n);
}

static void a_few_failures_are_free_then_each_doubles_the_wait(void **state)
{
    (void)state;
    const struct ip_addr p = peer(1);
    usec_t now = 1000 * USEC_SEC;
    throttle_init(&t, 1);
    for (int i = 0; i < 4; i++) {
        throttle_failed(&t, "alice", &p, now);
        assert_false(throttle_blocked(&t, "alice", &p, now));
    }
    const unsigned waits[] = {1, 2, 4, 8, 16, 32, 60, 60};
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        throttle_failed(&t, "ALICE", &p, now);
        assert_true(throttle_blocked(&t, "alice", &p, now + waits[i] * USEC_SEC - 1));
        now += waits[i] * USEC_SEC;
        assert_false(throttle_blocked(&t, "alice", &p, now));
    }
}

static void others_are_not_held_up(void **state)
{
    (void)state;
    const struct ip_addr p = peer(1), q = peer(2);
    throttle_init(&t, 1);
    for (int i = 0; i < 10; i++)
        throttle_failed(&t, "alice", &p, 1);
    assert_true(throttle_blocked(&t, "alice", &p, 2));
    assert_false(throttle_blocked(&t, "alice", &q, 2));
    assert_false(throttle_blocked(&t, "bob", &p, 2));
}

static void success_forgives_and_so_does_time(void **state)
{
    (void)state;
    const struct ip_addr p = peer(1);
    throttle_init(&t, 1);
    for (int i = 0; i < 5; i++)
        throttle_failed(&t, "alice", &p, 1);
    throttle_passed(&t, "alice", &p, 2);
    assert_false(throttle_blocked(&t, "alice", &p, 2));
    for (int i = 0; i < 4; i++)
        throttle_failed(&t, "alice", &p, 2);
    throttle_failed(&t, "alice", &p, 601 * USEC_SEC);
    assert_false(throttle_blocked(&t, "alice", &p, 601 * USEC_SEC));
}

static void guessing_from_many_addresses_is_slowed_for_a_short_while(void **state)
{
    (void)state;
    const struct ip_addr owner = peer(200);
    throttle_init(&t, 1);
    for (uint32_t i = 0; i < 100; i++) {
        const struct ip_addr p = peer(i);
        throttle_failed(&t, "alice", &p, 5);
    }
    assert_true(throttle_blocked(&t, "alice", &owner, 6));
    assert_false(throttle_blocked(&t, "alice", &owner, 5 + 10 * USEC_SEC));
}

/* A siege that never ends: 200 addresses, each failing now and then, under a name and under thousands of others. */
static void who_has_logged_in_from_there_comes_in_while_others_guess(void **state)
{
    (void)state;
    const struct ip_addr home = peer(250), elsewhere = peer(251);
    char name[16];
    usec_t now = 1000 * USEC_SEC;
    throttle_init(&t, 1);
    throttle_passed(&t, "alice", &home, now);
    for (uint32_t i = 0; i < 20000; i++) {
        const struct ip_addr p = peer(i % 200);
        now += USEC_SEC / 10;
        snprintf(name, sizeof name, "n%u", i);
        throttle_failed(&t, i % 2 ? "alice" : name, &p, now);
        assert_false(throttle_blocked(&t, "alice", &home, now));
    }
    assert_true(throttle_blocked(&t, "alice", &elsewhere, now));
    for (int i = 0; i < 5; i++)
        throttle_failed(&t, "alice", &home, now); /* there it waits for its own failures, as everywhere */
    assert_true(throttle_blocked(&t, "alice", &home, now));
    throttle_passed(&t, "bob", &home, now);
    for (uint32_t i = 0; i < 100; i++) {
        const struct ip_addr p = peer(i);
        throttle_failed(&t, "bob", &p, now + 31 * 86400 * USEC_SEC);
    }
    assert_true(throttle_blocked(&t, "bob", &home, now + 31 * 86400 * USEC_SEC)); /* a month is long ago */
}

static void a_flood_of_names_only_evicts_the_oldest(void **state)
{
    (void)state;
    const struct ip_addr p = peer(1);
    char name[16];
    throttle_init(&t, 99);
    for (uint32_t i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "n%u", i);
        throttle_failed(&t, name, &p, 1 + i);
    }
    for (int i = 0; i < 6; i++)
        throttle_failed(&t, "alice", &p, 30000);
    assert_true(throttle_blocked(&t, "alice", &p, 30001));
}

static void an_ipv6_peer_is_its_whole_network(void **state)
{
    (void)state;
    struct ip_addr p, q, r;
    assert_int_equal(ip_parse("2001:db8::1", &p), ERR_OK);
    assert_int_equal(ip_parse("2001:db8:0:1::2", &q), ERR_OK);
    assert_int_equal(ip_parse("2001:db8:0:100::2", &r), ERR_OK);
    throttle_init(&t, 1);
    for (int i = 0; i < 6; i++)
        throttle_failed(&t, "alice", &p, 1);
    assert_true(throttle_blocked(&t, "alice", &q, 2));
    assert_false(throttle_blocked(&t, "alice", &r, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_failures_are_free_then_each_doubles_the_wait),
        cmocka_unit_test(others_are_not_held_up),
        cmocka_unit_test(success_forgives_and_so_does_time),
        cmocka_unit_test(guessing_from_many_addresses_is_slowed_for_a_short_while),
        cmocka_unit_test(who_has_logged_in_from_there_comes_in_while_others_guess),
        cmocka_unit_test(a_flood_of_names_only_evicts_the_oldest),
        cmocka_unit_test(an_ipv6_peer_is_its_whole_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
