/* What a steward takes for a request, and which plans it refuses: its client may be an enemy. */
#include "steward/steward_internal.h"
#include "tests/test.h"

static struct steward_plan full_plan(void)
{
    struct steward_plan plan = {.address = {4, {10, 9, 0, 2}},
                                .remote = {4, {10, 9, 0, 1}},
                                .address6 = {6, {0xfd, [15] = 2}},
                                .mtu = 1400,
                                .routes = {{{4, {10, 0, 0, 0}}, 8}, {{6, {0xfd}}, 8}},
                                .route_count = 2,
                                .everything = true,
                                .dns = {{4, {10, 9, 0, 53}}, {6, {0xfd, [15] = 53}}},
                                .dns_count = 2,
                                .domains = {"corp.example", "xn--bcher-kva.example"},
                                .domain_count = 2,
                                .no_leak = true,
                                .server = {4, {198, 51, 100, 1}}};
    return plan;
}

static void a_request_is_read_as_it_was_written(void **state)
{
    (void)state;
    const struct steward_request sent = {.verb = STEWARD_APPLY, .plan = full_plan()};
    struct steward_request got;
    uint8_t bytes[STEWARD_REQUEST_SIZE], again[STEWARD_REQUEST_SIZE];
    assert_int_equal(steward_request_write(&sent, bytes), ERR_OK);
    assert_int_equal(steward_request_read(VIEW(bytes), &got), ERR_OK);
    assert_int_equal(steward_request_write(&got, again), ERR_OK);
    assert_memory_equal(bytes, again, sizeof(bytes));
    assert_int_equal(got.verb, STEWARD_APPLY);
    assert_true(got.plan.everything && got.plan.no_leak && !got.plan.dns_all && !got.plan.lookups);
    assert_string_equal(got.plan.domains[1], "xn--bcher-kva.example");
    assert_int_equal(got.plan.routes[1].bits, 8);
    assert_true(ip_equal(&got.plan.dns[1], &sent.plan.dns[1]));
}

static void every_other_length_and_form_is_refused(void **state)
{
    (void)state;
    const struct steward_request sent = {.verb = STEWARD_APPLY, .plan = full_plan()};
    struct steward_request got;
    uint8_t bytes[STEWARD_REQUEST_SIZE + 1] = {0};
    assert_int_equal(steward_request_write(&sent, bytes), ERR_OK);
    assert_int_equal(steward_request_read(VIEW(bytes), &got), ERR_MALFORMED);
    for (size_t n = 0; n < STEWARD_REQUEST_SIZE; n++)
        assert_int_equal(steward_request_read(view_of(bytes, n), &got), ERR_MALFORMED);
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {
        {0, 2},
        {1, 0},
        {1, 3},
        {2, 5},
        {2 + 5, 1},             /* bytes behind an IPv4 address */
        {2 + 4 * 17 + 4, 0xff}, /* unknown flags */
        {2 + 4 * 17 + 5, STEWARD_ROUTES + 1},
        {2 + 4 * 17 + 6, STEWARD_DNS + 1},
        {2 + 4 * 17 + 7, STEWARD_DOMAINS + 1},
        {STEWARD_REQUEST_SIZE - 1, 'x'}, /* behind a text's end */
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const uint8_t was = bytes[bad[i].at];
        bytes[bad[i].at] = bad[i].value;
        assert_int_equal(steward_request_read(view_of(bytes, STEWARD_REQUEST_SIZE), &got), ERR_MALFORMED);
        bytes[bad[i].at] = was;
    }
    assert_int_equal(steward_request_read(view_of(bytes, STEWARD_REQUEST_SIZE), &got), ERR_OK);
}

static void a_reply_is_read_as_it_was_written(void **state)
{
    (void)state;
    const struct steward_reply sent = {.result = ERR_SYSTEM, .mark = 0x5e4b0001, .why = "a sentence"};
    struct steward_reply got;
    uint8_t bytes[STEWARD_REPLY_SIZE];
    steward_reply_write(&sent, bytes);
    assert_int_equal(steward_reply_read(VIEW(bytes), &got), ERR_OK);
    assert_int_equal(got.result, ERR_SYSTEM);
    assert_int_equal(got.mark, 0x5e4b0001);
    assert_string_equal(got.why, "a sentence");
    bytes[0] = 200;
    assert_int_equal(steward_reply_read(VIEW(bytes), &got), ERR_MALFORMED);
}

static enum err judge(struct steward_plan plan)
{
    char why[STEWARD_WHY] = "";
    const enum err e = steward_plan_judge(&plan, why);
    assert_int_equal(e == ERR_OK, why[0] == '\0'); /* a refusal has a sentence */
    return e;
}

#define REFUSED(change)                                                                                                \
    do {                                                                                                               \
        struct steward_plan plan = full_plan();                                                                        \
        change;                                                                                                        \
        assert_int_equal(judge(plan), ERR_INVALID);                                                                    \
    } while (0)

static void a_plan_of_addresses_and_names_is_taken(void **state)
{
    (void)state;
    assert_int_equal(judge(full_plan()), ERR_OK);
    const struct steward_plan nothing = {.mtu = 0}, guard = {.no_leak = true};
    assert_int_equal(judge(nothing), ERR_OK);
    assert_int_equal(judge(guard), ERR_OK);
    struct steward_plan half = full_plan();
    half.routes[0] = (struct steward_prefix){{4, {128}}, 1};
    assert_int_equal(judge(half), ERR_OK);
}

static void addresses_that_no_host_has_are_refused(void **state)
{
    (void)state;
    REFUSED(plan.address = ((struct ip_addr){4, {127, 0, 0, 1}}));
    REFUSED(plan.address = ((struct ip_addr){4, {224, 0, 0, 1}}));
    REFUSED(plan.address = ((struct ip_addr){4, {0, 0, 0, 0}}));
    REFUSED(plan.address = ((struct ip_addr){6, {0xfd, 1}}));
    REFUSED(plan.remote = ((struct ip_addr){4, {255, 255, 255, 255}}));
    REFUSED(plan.address6 = ((struct ip_addr){6, {[15] = 1}}));
    REFUSED(plan.address6 = ((struct ip_addr){6, {0xff, 2}}));
    REFUSED(plan.server = ((struct ip_addr){.family = 0}));
    REFUSED(plan.dns[1] = ((struct ip_addr){4, {127, 0, 0, 53}}));
    REFUSED(plan.dns[0] = ((struct ip_addr){.family = 0}));
}

static void prefixes_and_sizes_out_of_range_are_refused(void **state)
{
    (void)state;
    REFUSED(plan.mtu = 0);
    REFUSED(plan.mtu = 1279); /* too small for IPv6, which it carries */
    REFUSED(plan.mtu = 65536);
    REFUSED(plan.routes[0].bits = 0);
    REFUSED(plan.routes[0].bits = 33);
    REFUSED(plan.routes[0].to.b[3] = 1); /* host bits */
    REFUSED(plan.routes[0] = ((struct steward_prefix){{4, {224}}, 4}));
    REFUSED(plan.routes[0] = ((struct steward_prefix){{4, {127}}, 8}));
    REFUSED(plan.address6.family = 0; memset(plan.address6.b, 0, 16)); /* a route for IPv6 without IPv6 */
    REFUSED(plan.route_count = STEWARD_ROUTES + 1);
}

static void names_that_could_say_something_else_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           ".",        "a..b",   ".a",    "a.", "-a.example", "a-.example",
        "a b",        "a;reboot", "a\nb",   "$(id)", "~.", "a_b",        "\xc3\xbc.example",
        "a.example/", "--help",   "a.-b.c", "a\tb"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        REFUSED(strcpy(plan.domains[0], bad[i]));
    REFUSED(memset(plan.domains[0], 'a', 64); plan.domains[0][64] = '\0');
    static const char *const names[] = {"", ".hidden", "../up", "a/b", "-n", "a b", "a\"b", "a{"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_false(steward_name_is_good(names[i]));
        assert_false(steward_iface_is_good(names[i]));
    }
    assert_true(steward_name_is_good("vpn.example.com"));
    assert_true(steward_iface_is_good("tun0"));
    assert_false(steward_iface_is_good("sixteen-letters0"));
}

static void what_a_server_tells_amiss_is_trimmed(void **state)
{
    (void)state;
    struct steward_plan plan = full_plan();
    assert_int_equal(steward_plan_trim(&plan), 0);
    plan.remote = (struct ip_addr){4, {0}};
    plan.routes[0].to.b[3] = 9; /* a host, with the prefix of its network */
    plan.routes[2] = (struct steward_prefix){{4, {127}}, 8};
    plan.route_count = 3;
    plan.dns[1] = (struct ip_addr){4, {0, 0, 0, 0}};
    strcpy(plan.domains[0], "corp.example.");
    strcpy(plan.domains[1], "not a domain");
    strcpy(plan.domains[2], "lab.example");
    plan.domain_count = 3;
    assert_int_equal(steward_plan_trim(&plan), 3);
    assert_int_equal(judge(plan), ERR_OK);
    assert_int_equal(plan.remote.family, 0);
    assert_int_equal(plan.route_count, 2);
    assert_int_equal(plan.routes[0].to.b[3], 0);
    assert_int_equal(plan.dns_count, 1);
    assert_int_equal(plan.domain_count, 2);
    assert_string_equal(plan.domains[0], "corp.example");
    assert_string_equal(plan.domains[1], "lab.example");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_as_it_was_written),
        cmocka_unit_test(every_other_length_and_form_is_refused),
        cmocka_unit_test(a_reply_is_read_as_it_was_written),
        cmocka_unit_test(a_plan_of_addresses_and_names_is_taken),
        cmocka_unit_test(addresses_that_no_host_has_are_refused),
        cmocka_unit_test(prefixes_and_sizes_out_of_range_are_refused),
        cmocka_unit_test(names_that_could_say_something_else_are_refused),
        cmocka_unit_test(what_a_server_tells_amiss_is_trimmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
