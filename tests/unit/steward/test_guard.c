/* The guard against leaks: what leaves the host while it stands, seen on the uplink. */
#include "world.h"

static char before[SNAPSHOT];
static struct tun *tun;
static struct steward *steward;

static int set_up(void **state)
{
    (void)state;
    tun = open_tunnel("tun0");
    write_text("/etc/resolv.conf", "nameserver 192.0.2.53\n", 0644);
    snapshot(before);
    steward = start_steward(NAME, "tun0");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    steward_end(steward);
    assert_same_host(before);
    tun_free(tun);
    unlink("/etc/resolv.conf");
    return 0;
}

/* Sends a datagram from a socket with this mark: how many frames leave by the uplink, and by the tunnel. */
static void assert_way(const char *to, uint16_t port, uint32_t mark, size_t uplink_wanted, size_t tunnel_wanted)
{
    frames(wire);
    frames(tun);
    send_datagram(to, port == 67 ? 68 : 0, port, mark);
    assert_int_equal(frames(wire), uplink_wanted);
    assert_int_equal(frames(tun), tunnel_wanted);
}

static void before_the_first_packet_only_the_clients_own_get_out(void **state)
{
    (void)state;
    const struct steward_plan guard = {.no_leak = true};
    assert_way("203.0.113.5", 80, 0, 1, 0); /* as long as there is none */
    apply(steward, &guard);
    assert_way("203.0.113.5", 80, 0, 0, 0);
    assert_way("192.0.2.77", 80, 0, 0, 0);
    assert_way("192.0.2.53", 53, 0, 0, 0);
    assert_way("203.0.113.5", 500, steward_mark(steward), 1, 0);
    assert_way("203.0.113.5", 500, steward_mark(steward) + 1, 0, 0);
    assert_way("192.0.2.1", 67, 0, 1, 0); /* DHCP */
    assert_int_equal(way("127.0.0.1", 0), iface_index("lo"));
}

static void looking_up_the_server_opens_the_way_to_the_name_servers_alone(void **state)
{
    (void)state;
    struct steward_plan guard = {.no_leak = true, .lookups = true};
    apply(steward, &guard);
    assert_way("192.0.2.53", 53, 0, 1, 0);
    assert_way("192.0.2.53", 80, 0, 0, 0);
    assert_way("192.0.2.54", 53, 0, 0, 0);
    guard.lookups = false;
    apply(steward, &guard);
    assert_way("192.0.2.53", 53, 0, 0, 0);
}

static void with_a_split_tunnel_the_rest_stays_in(void **state)
{
    (void)state;
    struct steward_plan plan = whole_traffic();
    plan.everything = false;
    plan.no_leak = true;
    plan.route_count = 1;
    plan.routes[0] = (struct steward_prefix){ip("10.0.0.0"), 8};
    apply(steward, &plan);
    assert_way("10.1.1.1", 80, 0, 0, 1);
    assert_way("203.0.113.5", 80, 0, 0, 0);
    assert_way("198.51.100.1", 4500, steward_mark(steward), 1, 0);
}

static void a_guard_that_was_swept_away_is_put_up_again(void **state)
{
    (void)state;
    struct steward_plan plan = whole_traffic();
    plan.no_leak = true;
    apply(steward, &plan);
    assert_way("192.0.2.77", 80, 0, 0, 0);
    sweep_rules_away();
    assert_way("192.0.2.77", 80, 0, 1, 0);
    apply(steward, &plan);
    assert_way("192.0.2.77", 80, 0, 0, 0);
}

/* The price of no guard is the same: without its table a strict filter drops the server's replies, and the tunnel's
 * address is reached from outside. */
static void without_a_guard_the_table_is_put_up_again_as_well(void **state)
{
    (void)state;
    static char standing[SNAPSHOT];
    const struct steward_plan plan = whole_traffic();
    for (int strict = 0; strict < 2; strict++) {
        assert_int_equal(sysctl_set("net/ipv4/conf/wire0/rp_filter", strict ? "1" : "0"), ERR_OK);
        apply(steward, &plan);
        snapshot(standing);
        sweep_rules_away();
        apply(steward, &plan);
        assert_same_host(standing);
    }
    assert_int_equal(sysctl_set("net/ipv4/conf/wire0/rp_filter", "0"), ERR_OK);
}

static void a_guard_without_a_name_server_to_let_through_says_so(void **state)
{
    (void)state;
    const struct steward_plan guard = {.no_leak = true, .lookups = true};
    char why[STEWARD_WHY];
    assert_int_equal(steward_apply(steward, &guard, why), ERR_OK);
    assert_string_equal(why, "");
    write_text("/etc/resolv.conf", "nameserver 127.0.0.1\n", 0644); /* a forwarder here, whose servers nobody tells */
    assert_int_equal(steward_apply(steward, &guard, why), ERR_OK);
    assert_non_null(strstr(why, "/etc/resolv.conf"));
    assert_way("192.0.2.53", 53, 0, 0, 0);
    assert_int_equal(mkdir("/run/NetworkManager", 0755), 0); /* now somebody does */
    write_text("/run/NetworkManager/no-stub-resolv.conf", "nameserver 192.0.2.54\n", 0644);
    assert_int_equal(steward_apply(steward, &guard, why), ERR_OK);
    assert_string_equal(why, "");
    assert_way("192.0.2.54", 53, 0, 1, 0);
    unlink("/run/NetworkManager/no-stub-resolv.conf");
    rmdir("/run/NetworkManager");
    apply(steward, &(struct steward_plan){0});
    snapshot(before); /* as the file is another now */
}

static void without_a_guard_the_local_network_is_reached(void **state)
{
    (void)state;
    struct steward_plan plan = whole_traffic();
    plan.no_leak = true;
    apply(steward, &plan);
    plan.no_leak = false;
    apply(steward, &plan);
    assert_way("192.0.2.77", 80, 0, 1, 0);
    assert_way("203.0.113.5", 80, 0, 0, 1);
}

/* <-- somebody on the uplink's network sends to the tunnel's address */
static void the_tunnels_address_is_not_reached_from_outside(void **state)
{
    (void)state;
    const struct steward_plan plan = whole_traffic();
    apply(steward, &plan);
    const struct sock_config config = {.kind = SOCK_UDP_PLAIN, .shards = 1, .local = {plan.address, 7000}};
    struct sock *sock;
    assert_int_equal(sock_open(&config, &sock), ERR_OK);
    uint8_t packet[32] = {0x45, 0, 0,  32, 0, 0, 0, 0,    64,   17,   0,    0, 192,
                          0,    2, 77, 10, 9, 0, 2, 0x11, 0x94, 0x1b, 0x58, 0, 12};
    be16_put(packet + 10, inet_fold(inet_sum(0, packet, 20)));
    struct frame_pieces frame = {.n = 1, .len = sizeof(packet)};
    frame.piece[0] = VIEW(packet);
    struct intake *intake = intake_new();
    struct datagram got[INTAKE_BATCH];
    assert_int_equal(tun_write(wire, &frame), ERR_OK);
    usleep(20000);
    assert_int_equal(sock_receive(sock, intake, got), 0);
    /* <-- while through the tunnel it is */
    assert_int_equal(tun_write(tun, &frame), ERR_OK);
    struct pollfd ready = {.fd = sock_fd(sock), .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 10000), 1);
    assert_int_equal(sock_receive(sock, intake, got), 1);
    intake_free(intake);
    sock_free(sock);
}

int main(void)
{
    enter_world();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(before_the_first_packet_only_the_clients_own_get_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(looking_up_the_server_opens_the_way_to_the_name_servers_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(with_a_split_tunnel_the_rest_stays_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_guard_that_was_swept_away_is_put_up_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_guard_the_table_is_put_up_again_as_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_guard_without_a_name_server_to_let_through_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_guard_the_local_network_is_reached, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_tunnels_address_is_not_reached_from_outside, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
