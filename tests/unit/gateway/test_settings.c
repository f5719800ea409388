/* From the words of the configuration to those of the protocols. */
#include "tests/test.h"

#include "gateway/gateway_internal.h"

static struct config *parsed(const char *text)
{
    struct config *c = NULL;
    struct config_error e;
    char why[CONFIG_ERROR_TEXT_MAX];
    if (config_parse(view_str(text), "test", &c, &e) != ERR_OK)
        fail_msg("%s", config_error_text(&e, why));
    return c;
}

static const char minimal[] = "psk \"all\" { secret = \"0123456789abcdefghij\" }\n"
                              "psk \"one\" { secret = \"another-long-secret-1\" peer = 192.0.2.9 }\n"
                              "pool \"home\" { range = 10.9.0.2-10.9.0.20 }\n"
                              "limits { sas = 100 sessions = 101 tunnels = 70 half_open = 90 }\n";

static struct gateway gateway_with(struct config *c, uint8_t shards)
{
    static struct shard all[4]; /* without a TUN */
    return (struct gateway){
        .config = c, .shards = all, .psks = settings_psks(c), .shard_count = shards, .shard_bits = 2};
}

static void each_shard_gets_its_part_of_the_limits_and_some_for_chance(void **state)
{
    (void)state;
    struct config *c = parsed(minimal);
    struct gateway g = gateway_with(c, 4);
    struct stack_config s;
    settings_stack(&g, c, 3, &s);
    assert_int_equal(s.ike.max_sas, 25 + 3 + 16);
    assert_int_equal(s.max_peers, 25 + 3 + 16);
    assert_int_equal(s.max_sessions, 26 + 3 + 16);
    assert_int_equal(s.l2tp.max_tunnels, 18 + 2 + 16);
    assert_int_equal(s.ike.max_half_open, 23);
    assert_int_equal(s.ike.shard, 3);
    assert_int_equal(s.esp.shard, 3);
    assert_int_equal(s.l2tp.shard, 3);
    assert_int_equal(s.ike.shard_bits, 2);
    g.shard_count = 1;
    settings_stack(&g, c, 0, &s);
    assert_int_equal(s.max_sessions, 101);
    free(g.psks);
    config_free(c);
}

static void keys_keep_their_names_secrets_and_peers(void **state)
{
    (void)state;
    struct config *c = parsed(minimal);
    struct gateway g = gateway_with(c, 1);
    assert_int_equal(c->psk_count, 2);
    for (size_t i = 0; i < c->psk_count; i++) {
        assert_string_equal(g.psks[i].name, c->psks[i].name);
        assert_true(view_equal(secret_view(&g.psks[i].key), secret_view(&c->psks[i].key)));
        assert_true(ip_equal(&g.psks[i].peer, &c->psks[i].peer));
    }
    free(g.psks);
    config_free(c);
}

static void policies_have_the_same_order_on_both_sides(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        enum ike_policy policy;
    } policies[] = {
        {"ike { policy = modern }\n", IKE_POLICY_MODERN},
        {"ike { policy = compatible }\n", IKE_POLICY_COMPATIBLE},
        {"ike { policy = legacy }\n", IKE_POLICY_LEGACY},
    };
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        char text[1024];
        snprintf(text, sizeof(text), "%s%s", minimal, policies[i].word);
        struct config *c = parsed(text);
        struct gateway g = gateway_with(c, 1);
        struct stack_config s;
        settings_stack(&g, c, 0, &s);
        assert_int_equal(s.ike.policy, policies[i].policy);
        free(g.psks);
        config_free(c);
    }
}

static void logins_are_asked_for_in_the_order_of_the_configuration(void **state)
{
    (void)state;
    char text[1024];
    snprintf(text, sizeof(text), "%sppp { auth = {pap, mschapv2} }\n", minimal);
    struct config *c = parsed(text);
    struct gateway g = gateway_with(c, 1);
    struct stack_config s;
    settings_stack(&g, c, 0, &s);
    assert_true(s.ppp.server);
    assert_int_equal(s.ppp.auth[0], PPP_AUTH_PAP);
    assert_int_equal(s.ppp.auth[1], PPP_AUTH_MSCHAPV2);
    assert_int_equal(s.ppp.auth[2], PPP_AUTH_NONE);
    assert_false(s.allow_plain);
    free(g.psks);
    config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_shard_gets_its_part_of_the_limits_and_some_for_chance),
        cmocka_unit_test(keys_keep_their_names_secrets_and_peers),
        cmocka_unit_test(policies_have_the_same_order_on_both_sides),
        cmocka_unit_test(logins_are_asked_for_in_the_order_of_the_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
