/* How often a source may ask. Time is virtual. */
#include "tests/test.h"

#include "portal/portal_internal.h"

static struct rate rate;

static int make(void **state)
{
    static struct random_test source;
    (void)state;
    random_test_init(&source, 7);
    rate_init(&rate, &(struct random){random_test_fill, &source});
    return 0;
}

/* How many of n are let pass. */
static unsigned pass(enum rate_of what, const char *address, usec_t now, unsigned n)
{
    struct ip_addr source;
    usec_t wait = 0;
    unsigned passed = 0;
    assert_int_equal(ip_parse(address, &source), ERR_OK);
    for (unsigned i = 0; i < n; i++)
        passed += rate_take(&rate, what, &source, now, &wait);
    return passed;
}

static void a_burst_of_logins_is_cut_and_time_gives_more(void **state)
{
    (void)state;
    struct ip_addr source;
    usec_t wait = 0;
    assert_int_equal(pass(RATE_LOGINS, "192.0.2.1", USEC_SEC, 50), 10);
    ip_parse("192.0.2.1", &source);
    assert_false(rate_take(&rate, RATE_LOGINS, &source, USEC_SEC, &wait));
    assert_in_range(wait, 5 * USEC_SEC, 7 * USEC_SEC);
    assert_int_equal(pass(RATE_LOGINS, "192.0.2.1", USEC_SEC + wait + 100 * USEC_MSEC, 50), 1);
    assert_int_equal(pass(RATE_LOGINS, "192.0.2.1", 3600 * USEC_SEC, 50), 10);
}

static void one_source_takes_nothing_from_another(void **state)
{
    (void)state;
    assert_int_equal(pass(RATE_REQUESTS, "192.0.2.1", USEC_SEC, 500), 120);
    assert_int_equal(pass(RATE_REQUESTS, "192.0.2.2", USEC_SEC, 1), 1);
    assert_int_equal(pass(RATE_LOGINS, "192.0.2.1", USEC_SEC, 1), 1);
}

static void a_network_of_ipv6_is_one_source(void **state)
{
    (void)state;
    assert_int_equal(pass(RATE_LOGINS, "2001:db8:0:1::1", USEC_SEC, 10), 10);
    assert_int_equal(pass(RATE_LOGINS, "2001:db8:0:1:ffff::9", USEC_SEC, 1), 0);
    assert_int_equal(pass(RATE_LOGINS, "2001:db8:0:2::1", USEC_SEC, 1), 1);
}

/* Whoever has used up its tokens does not get new ones by a flood from other sources. */
static void a_flood_of_sources_does_not_free_a_busy_one(void **state)
{
    (void)state;
    char text[32];
    assert_int_equal(pass(RATE_LOGINS, "192.0.2.1", USEC_SEC, 10), 10);
    for (unsigned i = 0; i < 3 * RATE_SOURCES; i++) {
        sprintf(text, "10.%u.%u.1", i / 256, i % 256);
        pass(RATE_REQUESTS, text, USEC_SEC, 1);
    }
    assert_int_equal(pass(RATE_LOGINS, "192.0.2.1", USEC_SEC, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_burst_of_logins_is_cut_and_time_gives_more, make),
        cmocka_unit_test_setup(one_source_takes_nothing_from_another, make),
        cmocka_unit_test_setup(a_network_of_ipv6_is_one_source, make),
        cmocka_unit_test_setup(a_flood_of_sources_does_not_free_a_busy_one, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
