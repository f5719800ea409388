/* The table's text: what nft takes is tried in tests/netns; here, what is in it and what is not. */
#include "tests/test.h"

#include "router/router_internal.h"

#include <string.h>

static char text[RULESET_MAX];

static void write_for(bool passthrough, uint32_t address)
{
    const struct router_options o = {
        .inside = {"lan", "guest"}, .inside_count = 2, .outside = "wan", .passthrough = passthrough};
    assert_true(ruleset_write(&o, address, text));
}

static void it_replaces_itself_and_touches_nothing_else(void **state)
{
    (void)state;
    write_for(true, 0xcb007165);
    assert_non_null(strstr(text, "table ip sekisho_router\ndelete table ip sekisho_router\ntable ip sekisho_router {"));
    assert_null(strstr(text, "flush"));
    for (const char *at = text; (at = strstr(at, "table ip")); at++)
        assert_memory_equal(at, "table ip sekisho_router", 23);
    assert_non_null(strstr(text, "define inside = { \"lan\", \"guest\" }"));
    assert_non_null(strstr(text, "elements = { 203.0.113.101 }"));
}

static void without_an_address_there_is_none_in_it(void **state)
{
    (void)state;
    write_for(true, 0);
    assert_non_null(strstr(text, "set outside { type ipv4_addr; size 4; }"));
}

static void without_passthrough_nothing_is_learnt(void **state)
{
    (void)state;
    write_for(false, 0xcb007165);
    assert_null(strstr(text, "log group"));
    assert_null(strstr(text, "notrack"));
    assert_non_null(strstr(text, "ip protocol esp counter name esp-no-ports drop"));
    assert_non_null(strstr(text, "masquerade"));
}

static void the_shortcut_has_a_table_of_its_own_and_nothing_in_it(void **state)
{
    (void)state;
    const struct router_options o = {
        .inside = {"lan", "guest"}, .inside_count = 2, .outside = "wan", .passthrough = true};
    assert_true(ruleset_write_shortcut(&o, text));
    assert_non_null(strstr(text, "table netdev sekisho_router\ndelete table netdev sekisho_router\n"));
    assert_null(strstr(text, "table ip "));
    assert_null(strstr(text, "elements"));
    assert_non_null(strstr(text, "hook ingress devices = { \"lan\", \"guest\" } priority 10\n"));
    assert_non_null(strstr(text, "hook ingress devices = { \"wan\" } priority 10\n"));
}

static void the_longest_names_fit(void **state)
{
    (void)state;
    struct router_options o = {.outside = "abcdefghijklmno", .passthrough = true};
    while (o.inside_count < ROUTER_INSIDE_MAX)
        o.inside[o.inside_count++] = "abcdefghijklmno";
    assert_true(ruleset_write(&o, 0xffffffff, text));
    assert_true(ruleset_write_shortcut(&o, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_replaces_itself_and_touches_nothing_else),
        cmocka_unit_test(without_an_address_there_is_none_in_it),
        cmocka_unit_test(without_passthrough_nothing_is_learnt),
        cmocka_unit_test(the_shortcut_has_a_table_of_its_own_and_nothing_in_it),
        cmocka_unit_test(the_longest_names_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
