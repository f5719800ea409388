/* The counts of what passes. */
#include "tests/test.h"

#include "router/router_internal.h"

#define A 0xc0a8010a
#define B 0xc0a8010b
#define S 0xcb007101

static const struct flow_key out_key = {.way = TRACKER_OUT, .host = A, .server = S, .id = 0x1111};
static const struct flow_key in_key = {.way = TRACKER_IN, .server = S, .id = 0x2222};

static struct flow_info look(const struct flows *f, const struct flow_key *key)
{
    struct flow_info info;
    assert_true(flows_find(f, key, &info));
    return info;
}

static void what_we_pass_and_what_the_kernel_passes_add_up(void **state)
{
    (void)state;
    struct flows *f = flows_new(8);
    assert_true(flows_passed(f, &in_key, A, 100));
    assert_true(flows_set_kernel(f, &in_key, A, true));
    assert_int_equal(flows_counted(f, &in_key, FLOW_BY_RULES, 3, 300), 3);
    assert_int_equal(flows_counted(f, &in_key, FLOW_BY_RULES, 5, 500), 2);
    assert_int_equal(flows_counted(f, &in_key, FLOW_BY_RULES, 5, 500), 0);
    assert_int_equal(look(f, &in_key).packets, 6);
    assert_int_equal(look(f, &in_key).bytes, 600);
    assert_true(flows_set_kernel(f, &in_key, A, false)); /* to be looked at again, and bound anew */
    assert_true(flows_passed(f, &in_key, B, 100));
    assert_true(flows_set_kernel(f, &in_key, B, true));
    assert_int_equal(flows_counted(f, &in_key, FLOW_BY_RULES, 1, 100), 1);
    assert_int_equal(look(f, &in_key).packets, 8);
    assert_int_equal(look(f, &in_key).host, B);
    flows_free(f);
}

static void rules_and_shortcut_are_counted_apart_and_added_up(void **state)
{
    (void)state;
    struct flows *f = flows_new(8);
    assert_true(flows_set_kernel(f, &in_key, A, true));
    assert_int_equal(flows_counted(f, &in_key, FLOW_BY_RULES, 3, 300), 3);
    assert_int_equal(look(f, &in_key).by_rules, 3);
    flows_set_shortcut(f, &in_key, true);
    assert_true(look(f, &in_key).shortcut && look(f, &in_key).by_rules == 0);
    assert_int_equal(flows_counted(f, &in_key, FLOW_BY_RULES, 3, 300), 0);
    assert_int_equal(flows_counted(f, &in_key, FLOW_BY_SHORTCUT, 2, 200), 2);
    assert_int_equal(look(f, &in_key).by_rules, 0);
    flows_set_shortcut(f, &in_key, false); /* by the rules again, and taken in anew: its counter there begins anew */
    assert_int_equal(flows_counted(f, &in_key, FLOW_BY_RULES, 4, 400), 1);
    flows_set_shortcut(f, &in_key, true);
    assert_int_equal(flows_counted(f, &in_key, FLOW_BY_SHORTCUT, 1, 100), 1);
    assert_int_equal(look(f, &in_key).packets, 7);
    assert_int_equal(look(f, &in_key).bytes, 700);
    flows_free(f);
}

static void there_is_a_limit(void **state)
{
    (void)state;
    struct flows *f = flows_new(1);
    assert_true(flows_passed(f, &in_key, A, 100));
    assert_false(flows_passed(f, &out_key, A, 100));
    assert_false(flows_set_kernel(f, &out_key, A, true));
    assert_true(flows_passed(f, &in_key, A, 100));
    flows_free(f);
}

static void an_error_finds_its_host_unless_there_are_two(void **state)
{
    (void)state;
    struct flows *f = flows_new(8);
    const struct flow_key a = {.way = TRACKER_OUT, .ike = 1, .host = A, .server = S, .id = 7},
                          b = {.way = TRACKER_OUT, .ike = 1, .host = B, .server = S, .id = 8};
    uint32_t host = 0;
    flows_passed(f, &out_key, A, 100);
    flows_passed(f, &a, A, 100);
    assert_true(flows_owner(f, TRACKER_OUT, false, S, true, 0x1111, &host) && host == A);
    assert_false(flows_owner(f, TRACKER_OUT, false, S, true, 0x1112, &host));
    assert_false(flows_owner(f, TRACKER_IN, false, S, true, 0x1111, &host));
    assert_true(flows_owner(f, TRACKER_OUT, true, S, false, 0, &host) && host == A);
    flows_passed(f, &b, B, 100);
    assert_false(flows_owner(f, TRACKER_OUT, true, S, false, 0, &host));
    assert_true(flows_owner(f, TRACKER_OUT, true, S, true, 8, &host) && host == B);
    flows_free(f);
}

static bool is_in_kernel(void *ctx, const struct flow_info *flow)
{
    (void)ctx;
    return flow->in_kernel;
}

static void a_sweep_forgets(void **state)
{
    (void)state;
    struct flows *f = flows_new(8);
    struct flow_info info;
    flows_passed(f, &out_key, A, 100);
    flows_set_kernel(f, &in_key, A, true);
    flows_sweep(f, is_in_kernel, NULL);
    assert_false(flows_find(f, &out_key, &info));
    assert_true(flows_find(f, &in_key, &info));
    flows_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_we_pass_and_what_the_kernel_passes_add_up),
        cmocka_unit_test(rules_and_shortcut_are_counted_apart_and_added_up),
        cmocka_unit_test(there_is_a_limit),
        cmocka_unit_test(an_error_finds_its_host_unless_there_are_two),
        cmocka_unit_test(a_sweep_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
