/* The firewall's rules, up to the most that a configuration may ask for. */
#include "tests/test.h"

#include "gateway/gateway_internal.h"

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    while ((text = strstr(text, word)) != NULL) {
        text += strlen(word);
        n++;
    }
    return n;
}

/* The longest addresses and names that there are. */
static struct config *largest(void)
{
    static struct config_pool pools[CONFIG_POOL_MAX];
    static struct config c;
    c = (struct config){.pools = pools, .pool_count = CONFIG_POOL_MAX};
    snprintf(c.net.outside, sizeof(c.net.outside), "an-outside-name");
    for (uint32_t i = 0; i < CONFIG_POOL_MAX; i++) {
        pools[i].ranges.count = CONFIG_RANGE_MAX;
        for (uint32_t j = 0; j < CONFIG_RANGE_MAX; j++) {
            const uint32_t first = 0xcbcbcb00u + ((100 + i) << 16) + ((100 + j) << 8) + 100;
            pools[i].ranges.range[j] = (struct config_range){first, first + 100};
        }
    }
    return &c;
}

static void every_range_has_its_rule(void **state)
{
    (void)state;
    static char rules[RULESET_MAX];
    struct config *c = largest();
    char last[64], a[IP_TEXT_MAX], b[IP_TEXT_MAX];
    const struct config_range *range = &c->pools[CONFIG_POOL_MAX - 1].ranges.range[CONFIG_RANGE_MAX - 1];
    const struct ip_addr from = ip4_addr(range->first), to = ip4_addr(range->last);
    network_ruleset(c, "sekisho", rules);
    assert_int_equal(count(rules, "oifname \"an-outside-name\" masquerade\n"), CONFIG_POOL_MAX * CONFIG_RANGE_MAX);
    snprintf(last, sizeof(last), "ip saddr %s-%s ", ip_text(&from, a), ip_text(&to, b));
    assert_int_equal(count(rules, last), 1);
    assert_int_equal(count(rules, "{"), count(rules, "}"));
    assert_true(strlen(rules) < RULESET_MAX - 1);

    c->net.outside[0] = '\0';
    network_ruleset(c, "an-inside-names", rules);
    assert_int_equal(count(rules, "oifname != \"an-inside-names\" masquerade\n"), CONFIG_POOL_MAX * CONFIG_RANGE_MAX);
    assert_int_equal(count(rules, "{"), count(rules, "}"));
}

static void a_single_address_is_no_range(void **state)
{
    (void)state;
    static char rules[RULESET_MAX];
    struct config_pool pool = {.ranges = {.range = {{0x0a000002, 0x0a000002}}, .count = 1}};
    network_ruleset(&(const struct config){.pools = &pool, .pool_count = 1}, "sekisho", rules);
    assert_int_equal(count(rules, "    ip saddr 10.0.0.2 oifname != \"sekisho\" masquerade\n"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_range_has_its_rule),
        cmocka_unit_test(a_single_address_is_no_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
