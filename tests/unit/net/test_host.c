/* What changes the host: raw ESP, the firewall and sysctl, in a namespace of its own. */
#include "netns.h"

#include <poll.h>

#define SHARDS     2
#define SHARD_BITS 1

static void raw_esp_arrives_at_the_shard_of_its_spi(const char *address, uint8_t family)
{
    struct sock_config config = {.kind = SOCK_RAW_ESP, .shards = SHARDS, .shard_bits = SHARD_BITS};
    config.local.addr.family = family;
    struct sock *group[SHARDS], *peer;
    if (sock_open(&config, group) != ERR_OK) {
        print_message("no raw sockets for this family or user: %s\n", strerror(errno));
        skip();
    }
    config.shards = 1;
    assert_int_equal(ip_parse(address, &config.local.addr), ERR_OK);
    assert_int_equal(sock_open(&config, &peer), ERR_OK);
    struct intake *intake = intake_new();
    struct path to = {.remote = {.port = 0}};
    assert_int_equal(ip_parse(address, &to.remote.addr), ERR_OK);
    to.local.addr = to.remote.addr;
    for (uint32_t spi = 1000; spi < 1010; spi++) {
        uint8_t packet[100] = {0};
        be32_put(packet, spi);
        const struct sendable s = {&to, packet, sizeof(packet)};
        assert_int_equal(sock_send(peer, &s, 1), 1);
        assert_int_equal(sock_counters(peer).refused, 0);
        struct sock *owner = group[sock_shard(SOCK_RAW_ESP, SHARDS, SHARD_BITS, VIEW(packet))];
        struct pollfd p = {.fd = sock_fd(owner), .events = POLLIN};
        assert_int_equal(poll(&p, 1, 10000), 1);
        struct datagram d[INTAKE_BATCH];
        assert_int_equal(sock_receive(owner, intake, d), 1);
        assert_int_equal(d[0].len, sizeof(packet)); /* from the SPI on, without an IP header */
        assert_memory_equal(d[0].data, packet, sizeof(packet));
        assert_int_equal(d[0].path.remote.port, 0);
        assert_int_equal(d[0].path.local.port, 0);
        assert_true(ip_equal(&d[0].path.remote.addr, &to.remote.addr));
        assert_true(ip_equal(&d[0].path.local.addr, &to.remote.addr));
        assert_int_equal(sock_receive(group[1 - spi % 2], intake, d), 0);
    }
    intake_free(intake);
    sock_free(peer);
    sock_free(group[0]);
    sock_free(group[1]);
}

static void raw_esp_over_ipv4(void **state)
{
    (void)state;
    raw_esp_arrives_at_the_shard_of_its_spi("127.0.0.1", 4);
}

static void raw_esp_over_ipv6(void **state)
{
    (void)state;
    raw_esp_arrives_at_the_shard_of_its_spi("::1", 6);
}

/* The kernel refuses a train whose segments exceed the link; as single datagrams they leave in fragments. */
static void a_train_larger_than_the_link_arrives_in_fragments(void **state)
{
    (void)state;
    const uint32_t lo = iface_index("lo");
    assert_int_equal(iface_set_mtu(lo, 600), ERR_OK);
    const struct sock_config config = {.kind = SOCK_UDP_PLAIN, .shards = 1, .local.addr = {4, {127, 0, 0, 1}}};
    struct sock *from, *to;
    assert_int_equal(sock_open(&config, &from), ERR_OK);
    assert_int_equal(sock_open(&config, &to), ERR_OK);
    const struct path p = {.remote = sock_local(to)};
    static uint8_t bytes[3000];
    struct sendable list[5]; /* four that would leave together, and a train of three */
    for (size_t i = 0; i < ARRAY_LEN(list); i++)
        list[i] = (struct sendable){&p, bytes, 1000, 0};
    list[4] = (struct sendable){&p, bytes, 3000, 1000};
    assert_int_equal(sock_send(from, list, ARRAY_LEN(list)), ARRAY_LEN(list));
    assert_int_equal(sock_counters(from).sent, 7);
    assert_int_equal(sock_counters(from).refused, 0);
    struct intake *intake = intake_new();
    struct datagram d[INTAKE_BATCH];
    assert_int_equal(sock_receive(to, intake, d), 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(d[i].len, 1000);
    intake_free(intake);
    sock_free(from);
    sock_free(to);
    assert_int_equal(iface_set_mtu(lo, 65536), ERR_OK);
}

static void a_ruleset_is_applied_as_a_whole_or_not_at_all(void **state)
{
    (void)state;
    char message[300];
    const char *good =
        "table inet sekisho_test {\n chain forward {\n type filter hook forward priority 0; policy accept;\n"
        " counter\n }\n}\n";
    const enum err e = nft_apply(view_str(good), message, sizeof(message));
    if (e == ERR_NOTFOUND || (e == ERR_INVALID && (geteuid() != 0 || strstr(message, "not supported")))) {
        print_message("no nftables here: %s\n", message);
        skip();
    }
    assert_int_equal(e, ERR_OK);
    assert_string_equal(message, "");
    const char *bad = "table inet sekisho_other { }\nnonsense\n";
    assert_int_equal(nft_apply(view_str(bad), message, sizeof(message)), ERR_INVALID);
    assert_non_null(strstr(message, "nonsense"));
    char small[8];
    assert_int_equal(nft_apply(view_str(bad), small, sizeof(small)), ERR_INVALID);
    assert_int_equal(strlen(small), 7);
    assert_int_equal(nft_apply(view_str("delete table inet sekisho_other\n"), message, sizeof(message)), ERR_INVALID);
    assert_int_equal(nft_table_remove("inet", "sekisho_test"), ERR_OK);
    assert_int_equal(nft_table_remove("inet", "sekisho_test"), ERR_OK); /* no harm when it is gone */
    assert_int_equal(nft_apply(view_str("delete table inet sekisho_test\n"), message, sizeof(message)), ERR_INVALID);
    assert_int_equal(nft_table_remove("inet", "x; flush ruleset"), ERR_INVALID);
}

static void sysctl_stays_below_its_directory(void **state)
{
    (void)state;
    char value[16];
    assert_int_equal(sysctl_get("net/ipv4/ip_forward", value, sizeof(value)), ERR_OK);
    /* a new namespace begins with its host's value: both ways are tried */
    const char *const wanted[] = {"1", "0", "1"};
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (sysctl_set("net/ipv4/ip_forward", wanted[i]) == ERR_OK) {
            assert_int_equal(sysctl_get("net/ipv4/ip_forward", value, sizeof(value)), ERR_OK);
            assert_string_equal(value, wanted[i]);
        }
    assert_int_equal(sysctl_get("net/ipv4/no_such_thing", value, sizeof(value)), ERR_NOTFOUND);
    assert_int_equal(sysctl_set("../../tmp/x", "1"), ERR_INVALID);
    assert_int_equal(sysctl_set("/etc/passwd", "1"), ERR_INVALID);
}

static void name_servers_are_no_loopback_addresses(void **state)
{
    (void)state;
    struct ip_addr servers[4];
    const size_t n = host_dns_servers(servers, 4);
    assert_in_range(n, 0, 4);
    for (size_t i = 0; i < n; i++)
        assert_false(servers[i].family == 4 && servers[i].b[0] == 127);
}

int main(void)
{
    enter_namespace();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_esp_over_ipv4),
        cmocka_unit_test(raw_esp_over_ipv6),
        cmocka_unit_test(a_train_larger_than_the_link_arrives_in_fragments),
        cmocka_unit_test(a_ruleset_is_applied_as_a_whole_or_not_at_all),
        cmocka_unit_test(sysctl_stays_below_its_directory),
        cmocka_unit_test(name_servers_are_no_loopback_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
