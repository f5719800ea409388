/* A change of the host's network is noticed once, and told as what it was. */
#include "netns.h"

#include <poll.h>

static struct tun *tun;
static int monitor;

static int set_up(void **state)
{
    (void)state;
    const struct tun_config config = {.queues = 1};
    return tun_open(&config, &tun) == ERR_OK && monitor_open(&monitor) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    close(monitor);
    tun_free(tun);
    return 0;
}

static bool readable(void)
{
    struct pollfd p = {.fd = monitor, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void a_still_network_says_nothing(void **state)
{
    (void)state;
    monitor_read(monitor, 0);
    assert_false(readable());
    assert_int_equal(monitor_read(monitor, 0), 0);
}

static void addresses_links_and_routes_are_told_apart_and_together(void **state)
{
    (void)state;
    const uint32_t iface = tun_iface(tun);
    const struct ip_addr addr = {4, {10, 1, 2, 3}};
    monitor_read(monitor, 0);
    assert_int_equal(iface_set_mtu(iface, 1300), ERR_OK);
    assert_true(readable());
    assert_int_equal(monitor_read(monitor, 0), MONITOR_LINKS);
    assert_false(readable());
    assert_int_equal(iface_set_up(iface, true), ERR_OK);
    monitor_read(monitor, 0);
    const struct route route = {.to = {4, {10, 9, 0, 0}}, .bits = 16, .iface = iface};
    assert_int_equal(route_add(&route), ERR_OK);
    assert_int_equal(monitor_read(monitor, 0), MONITOR_ROUTES);
    assert_int_equal(iface_address_add(iface, &addr, 24, NULL), ERR_OK);
    assert_int_equal(monitor_read(monitor, 0), MONITOR_ADDRESSES | MONITOR_ROUTES); /* the network's own route */
    assert_int_equal(route_del(&route), ERR_OK);
    assert_int_equal(iface_address_del(iface, &addr, 24), ERR_OK);
    assert_true(monitor_read(monitor, 0) != 0);
}

static void our_own_tunnel_and_other_tables_are_no_news(void **state)
{
    (void)state;
    const uint32_t iface = tun_iface(tun);
    const struct ip_addr addr = {4, {10, 1, 2, 3}};
    const struct route other = {.to = {4, {10, 9, 0, 0}}, .bits = 16, .iface = iface, .table = 4711};
    monitor_read(monitor, 0);
    assert_int_equal(iface_set_up(iface, true), ERR_OK);
    monitor_read(monitor, 0);
    assert_int_equal(route_add(&other), ERR_OK);
    assert_int_equal(monitor_read(monitor, 0), 0);
    assert_int_equal(iface_address_add(iface, &addr, 24, NULL), ERR_OK);
    assert_int_equal(iface_set_mtu(iface, 1310), ERR_OK);
    assert_int_equal(monitor_read(monitor, iface), 0);
    assert_int_equal(route_del(&other), ERR_OK);
    assert_int_equal(iface_address_del(iface, &addr, 24), ERR_OK);
}

static void a_flood_of_changes_is_one_answer(void **state)
{
    (void)state;
    const uint32_t iface = tun_iface(tun);
    assert_int_equal(iface_set_up(iface, true), ERR_OK);
    struct route route = {.to = {4, {10, 0, 0, 0}}, .bits = 32, .iface = iface};
    for (uint32_t i = 0; i < 3000; i++) { /* more than the socket's buffer keeps */
        be32_put(route.to.b, 0x0a000000 + i);
        assert_int_equal(route_add(&route), ERR_OK);
    }
    uint32_t seen = 0, calls = 0;
    while (readable() && calls++ < 100)
        seen |= monitor_read(monitor, 0);
    assert_true((seen & MONITOR_ROUTES) != 0);
    assert_true(calls < 20);
    assert_int_equal(iface_set_up(iface, false), ERR_OK);
}

int main(void)
{
    enter_namespace();
    sysctl_set("net/ipv6/conf/all/disable_ipv6", "1"); /* whose addresses come by themselves, and later */
    sysctl_set("net/ipv6/conf/default/disable_ipv6", "1");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_still_network_says_nothing),
        cmocka_unit_test(addresses_links_and_routes_are_told_apart_and_together),
        cmocka_unit_test(our_own_tunnel_and_other_tables_are_no_news),
        cmocka_unit_test(a_flood_of_changes_is_one_answer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
