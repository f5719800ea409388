#include "netns.h"

static struct ip_addr ip(const char *text)
{
    struct ip_addr a;
    assert_int_equal(ip_parse(text, &a), ERR_OK);
    return a;
}

static struct tun *tun;

static int begin(void **state)
{
    (void)state;
    const struct tun_config config = {.name = "sekisho%d", .queues = 1};
    const enum err e = tun_open(&config, &tun);
    if (e != ERR_OK) {
        printf("Skipped: no TUN device (%s).\n", strerror(errno));
        exit(EXIT_SKIPPED);
    }
    assert_string_equal(tun_name(tun), "sekisho0");
    return 0;
}

static int end(void **state)
{
    (void)state;
    tun_free(tun);
    assert_int_equal(iface_index("sekisho0"), 0);
    return 0;
}

static void an_interface_is_set_up_and_listed(void **state)
{
    (void)state;
    const uint32_t iface = tun_iface(tun);
    const struct ip_addr four = ip("10.7.0.1"), six = ip("fd00:7::1");
    assert_int_equal(iface_set_mtu(iface, 1400), ERR_OK);
    assert_int_equal(iface_set_up(iface, true), ERR_OK);
    assert_int_equal(iface_address_add(iface, &four, 24, NULL), ERR_OK);
    assert_int_equal(iface_address_add(iface, &four, 24, NULL), ERR_EXISTS);
    const bool has_six = iface_address_add(iface, &six, 64, NULL) == ERR_OK;
    if (!has_six)
        print_message("this kernel has no IPv6\n");

    struct iface_address list[32];
    size_t n = 0, seen = 0;
    assert_int_equal(iface_addresses(list, 32, &n), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        if (list[i].loopback)
            assert_string_equal(list[i].name, "lo");
        if (!ip_equal(&list[i].addr, &four) && !ip_equal(&list[i].addr, &six))
            continue;
        seen++;
        assert_int_equal(list[i].iface, iface);
        assert_string_equal(list[i].name, "sekisho0");
        assert_int_equal(list[i].bits, list[i].addr.family == 4 ? 24 : 64);
        assert_true(list[i].up);
        assert_false(list[i].loopback);
    }
    assert_int_equal(seen, has_six ? 2 : 1);
    assert_int_equal(iface_address_del(iface, &four, 24), ERR_OK);
    assert_int_equal(iface_address_del(iface, &four, 24), ERR_NOTFOUND);
    assert_int_equal(iface_set_mtu(999999, 1400), ERR_NOTFOUND);
}

static void a_point_to_point_address_is_listed_by_its_own_end(void **state)
{
    (void)state;
    const uint32_t iface = tun_iface(tun);
    const struct ip_addr own = ip("10.9.0.2"), peer = ip("10.9.0.1");
    assert_int_equal(iface_address_add(iface, &own, 32, &peer), ERR_OK);
    struct iface_address list[32];
    size_t n = 0, seen = 0;
    assert_int_equal(iface_addresses(list, 32, &n), ERR_OK);
    for (size_t i = 0; i < n; i++)
        seen += ip_equal(&list[i].addr, &own);
    assert_int_equal(seen, 1);
    assert_int_equal(iface_address_del(iface, &own, 32), ERR_OK);
}

static void routes_come_and_go_and_are_looked_up(void **state)
{
    (void)state;
    const uint32_t iface = tun_iface(tun);
    const struct ip_addr own = ip("10.7.0.1"), far = ip("198.51.100.7");
    struct route found;
    assert_int_equal(route_lookup(&far, &found), ERR_NOTFOUND);
    assert_int_equal(iface_set_up(iface, true), ERR_OK);
    assert_int_equal(iface_address_add(iface, &own, 24, NULL), ERR_OK);

    const struct route pool = {.to = ip("198.51.100.0"), .bits = 24, .iface = iface};
    assert_int_equal(route_add(&pool), ERR_OK);
    assert_int_equal(route_add(&pool), ERR_EXISTS);
    const struct route narrower = {.to = pool.to, .bits = 25}, slower = {.to = pool.to, .bits = 24, .metric = 7};
    assert_int_equal(route_alike(&pool, &found), ERR_OK);
    assert_int_equal(found.iface, iface);
    assert_int_equal(route_alike(&narrower, &found), ERR_NOTFOUND);
    assert_int_equal(route_alike(&slower, &found), ERR_NOTFOUND);
    assert_int_equal(route_lookup(&far, &found), ERR_OK);
    assert_int_equal(found.iface, iface);
    assert_int_equal(found.bits, 32);
    assert_true(ip_equal(&found.to, &far));
    assert_true(ip_equal(&found.source, &own));
    assert_int_equal(found.via.family, 0);
    assert_int_equal(route_del(&pool), ERR_OK);
    assert_int_equal(route_del(&pool), ERR_NOTFOUND);

    const struct route slow = {.to = ip("0.0.0.0"), .via = ip("10.7.0.254"), .metric = 200};
    const struct route fast = {.to = ip("0.0.0.0"), .via = ip("10.7.0.253"), .iface = iface, .metric = 100};
    assert_int_equal(route_add(&slow), ERR_OK);
    assert_int_equal(route_add(&fast), ERR_OK);
    assert_int_equal(route_lookup(&far, &found), ERR_OK);
    assert_true(ip_equal(&found.via, &fast.via));
    assert_int_equal(route_del(&fast), ERR_OK);
    assert_int_equal(route_lookup(&far, &found), ERR_OK);
    assert_true(ip_equal(&found.via, &slow.via));
    assert_int_equal(route_del(&slow), ERR_OK);

    const struct route nowhere = {.to = ip("192.0.2.0"), .bits = 24};
    assert_int_equal(route_add(&nowhere), ERR_INVALID);
    assert_int_equal(iface_address_del(iface, &own, 24), ERR_OK);
}

static void the_way_is_asked_for_again(void **state)
{
    (void)state;
    const uint32_t iface = tun_iface(tun);
    int source;
    struct ip_addr found;
    const struct ip_addr near = ip("10.7.0.9"), far = ip("192.0.2.1"), own = ip("10.7.0.1"), other = ip("10.7.0.2");
    assert_int_equal(source_open(4, 0, &source), ERR_OK);
    assert_int_equal(source_ask(source, &far, &found), ERR_SYSTEM);
    assert_int_equal(iface_address_add(iface, &own, 24, NULL), ERR_OK);
    assert_int_equal(iface_set_up(iface, true), ERR_OK);
    assert_int_equal(source_ask(source, &near, &found), ERR_OK);
    assert_true(ip_equal(&found, &own));
    assert_int_equal(iface_address_del(iface, &own, 24), ERR_OK);
    assert_int_equal(iface_address_add(iface, &other, 24, NULL), ERR_OK);
    assert_int_equal(source_ask(source, &near, &found), ERR_OK);
    assert_true(ip_equal(&found, &other));
    close(source);
}

static void overlapping_prefixes_are_told_from_others(void **state)
{
    (void)state;
    const struct {
        const char *a;
        uint8_t a_bits;
        const char *b;
        uint8_t b_bits;
        bool overlap;
    } cases[] = {
        {"10.0.0.0", 8, "10.9.8.0", 24, true},         {"10.9.8.0", 24, "10.0.0.0", 8, true},
        {"192.168.1.0", 24, "192.168.2.0", 24, false}, {"192.168.1.0", 23, "192.168.0.0", 24, true},
        {"192.168.1.1", 32, "192.168.1.2", 32, false}, {"192.168.1.2", 31, "192.168.1.3", 32, true},
        {"0.0.0.0", 0, "203.0.113.1", 32, true},       {"fd00::", 16, "fd00:1::", 48, true},
        {"fd00:2::", 32, "fd00:1::", 48, false},       {"::", 0, "10.0.0.0", 8, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct ip_addr a = ip(cases[i].a), b = ip(cases[i].b);
        assert_true(prefix_overlaps(&a, cases[i].a_bits, &b, cases[i].b_bits) == cases[i].overlap);
    }
}

int main(void)
{
    enter_namespace();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_interface_is_set_up_and_listed, begin, end),
        cmocka_unit_test_setup_teardown(a_point_to_point_address_is_listed_by_its_own_end, begin, end),
        cmocka_unit_test_setup_teardown(routes_come_and_go_and_are_looked_up, begin, end),
        cmocka_unit_test_setup_teardown(the_way_is_asked_for_again, begin, end),
        cmocka_unit_test(overlapping_prefixes_are_told_from_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
