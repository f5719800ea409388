/* Policy routing: rules decide by a packet's mark which table it looks into. */
#include "netns.h"

#define TABLE 4711
#define MARK  0x100

static struct tun *tunnel, *wire;

static struct ip_addr ip(const char *text)
{
    struct ip_addr a;
    assert_int_equal(ip_parse(text, &a), ERR_OK);
    return a;
}

static int set_up(void **state)
{
    (void)state;
    const struct tun_config first = {.name = "wire0", .queues = 1}, second = {.name = "tunnel0", .queues = 1};
    if (tun_open(&first, &wire) != ERR_OK || tun_open(&second, &tunnel) != ERR_OK)
        return -1;
    const struct ip_addr here = ip("192.0.2.2"), inner = ip("10.9.0.2"), far = ip("10.9.0.1");
    const struct route out = {.to = ip("0.0.0.0"), .via = ip("192.0.2.1")};
    assert_int_equal(iface_address_add(tun_iface(wire), &here, 24, NULL), ERR_OK);
    assert_int_equal(iface_address_add_bare(tun_iface(tunnel), &inner, &far), ERR_OK);
    assert_int_equal(iface_set_up(tun_iface(wire), true), ERR_OK);
    assert_int_equal(iface_set_up(tun_iface(tunnel), true), ERR_OK);
    assert_int_equal(route_add(&out), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tun_free(tunnel);
    tun_free(wire);
    return 0;
}

static uint32_t way(const char *to, uint32_t mark)
{
    struct route found;
    const struct ip_addr addr = ip(to);
    return route_lookup_marked(&addr, mark, &found) == ERR_OK ? found.iface : 0;
}

static void assert_source(const char *to, uint32_t mark, const char *expected)
{
    const struct ip_addr far = ip(to), wanted = ip(expected);
    struct ip_addr source;
    int fd;
    assert_int_equal(source_open(4, mark, &fd), ERR_OK);
    assert_int_equal(source_ask(fd, &far, &source), ERR_OK);
    assert_true(ip_equal(&source, &wanted));
    close(fd);
}

static void marked_packets_pass_by_the_tunnel(void **state)
{
    (void)state;
    const struct route all = {.to = ip("0.0.0.0"), .iface = tun_iface(tunnel), .table = TABLE};
    const struct rule local = {.family = 4, .priority = 1000, .table = RULE_TABLE_MAIN, .no_default = true};
    const struct rule others = {
        .family = 4, .priority = 1001, .table = TABLE, .mark = MARK, .mask = 0xff00, .inverted = true};
    assert_int_equal(route_add(&all), ERR_OK);
    assert_int_equal(rule_add(&local), ERR_OK);
    assert_int_equal(rule_add(&local), ERR_EXISTS);
    assert_int_equal(rule_add(&others), ERR_OK);

    assert_int_equal(way("203.0.113.1", 0), tun_iface(tunnel));
    assert_int_equal(way("203.0.113.1", MARK), tun_iface(wire));
    assert_int_equal(way("203.0.113.1", MARK | 5), tun_iface(wire)); /* under the mask it is the same */
    assert_int_equal(way("192.0.2.9", 0), tun_iface(wire));          /* the host's own network */
    assert_source("203.0.113.1", 0, "10.9.0.2");
    assert_source("203.0.113.1", MARK, "192.0.2.2");

    assert_int_equal(rule_del(&others), ERR_OK);
    assert_int_equal(rule_del(&others), ERR_NOTFOUND);
    assert_int_equal(rule_del(&local), ERR_OK);
    assert_int_equal(way("203.0.113.1", 0), tun_iface(wire));
    assert_int_equal(route_del(&all), ERR_OK);
}

static void rules_and_tables_are_listed_as_they_were_made(void **state)
{
    (void)state;
    const struct rule made = {
        .family = 6, .priority = 77, .table = TABLE, .mark = MARK, .mask = 0xff00, .inverted = true};
    const struct route nowhere = {.to = ip("::"), .table = TABLE, .unreachable = true};
    struct rule rules[16];
    struct route routes[16];
    size_t n, before;
    assert_int_equal(rule_list(6, rules, ARRAY_LEN(rules), &before), ERR_OK);
    assert_int_equal(rule_add(&made), ERR_OK);
    assert_int_equal(rule_list(6, rules, ARRAY_LEN(rules), &n), ERR_OK);
    assert_int_equal(n, before + 1);
    const struct rule *listed = &rules[1]; /* after the one for local addresses */
    assert_int_equal(listed->family, 6);
    assert_int_equal(listed->priority, 77);
    assert_int_equal(listed->table, TABLE);
    assert_int_equal(listed->mark, MARK);
    assert_int_equal(listed->mask, 0xff00);
    assert_true(listed->inverted && !listed->no_default);
    assert_int_equal(route_add(&nowhere), ERR_OK);
    assert_int_equal(route_list(6, TABLE, routes, ARRAY_LEN(routes), &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_true(routes[0].unreachable);
    assert_int_equal(way("2001:db8::1", 0), 0);
    assert_int_equal(route_del(&routes[0]), ERR_OK);
    assert_int_equal(rule_del(&made), ERR_OK);
    assert_int_equal(route_list(6, TABLE, routes, ARRAY_LEN(routes), &n), ERR_OK);
    assert_int_equal(n, 0);
}

static void a_bare_address_brings_no_route(void **state)
{
    (void)state;
    struct route routes[16];
    size_t n;
    assert_int_equal(route_list(4, RULE_TABLE_MAIN, routes, ARRAY_LEN(routes), &n), ERR_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_not_equal(routes[i].iface, tun_iface(tunnel));
}

static void what_makes_no_rule_is_refused(void **state)
{
    (void)state;
    const struct rule first = {.family = 4, .table = TABLE}, nowhere = {.family = 4, .priority = 9},
                      stranger = {.family = 5, .priority = 9, .table = TABLE};
    assert_int_equal(rule_add(&first), ERR_INVALID);
    assert_int_equal(rule_add(&nowhere), ERR_INVALID);
    assert_int_equal(rule_add(&stranger), ERR_INVALID);
}

int main(void)
{
    enter_namespace();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marked_packets_pass_by_the_tunnel),
        cmocka_unit_test(rules_and_tables_are_listed_as_they_were_made),
        cmocka_unit_test(a_bare_address_brings_no_route),
        cmocka_unit_test(what_makes_no_rule_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
