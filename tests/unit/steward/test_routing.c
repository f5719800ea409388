/* Address, routes, rules and guard: where packets go while a plan stands, and that nothing is left when it goes. */
#include "world.h"

static char before[SNAPSHOT];

static int forget(void **state)
{
    (void)state;
    snapshot(before);
    return 0;
}

static void undo(struct steward *steward)
{
    char why[STEWARD_WHY];
    assert_int_equal(steward_undo(steward, why), ERR_OK);
    assert_string_equal(why, "");
}

static void whole_traffic_goes_into_the_tunnel_and_the_server_stays_reachable(void **state)
{
    (void)state;
    struct tun *tun = open_tunnel("tun0");
    snapshot(before);
    struct steward *steward = start_steward(NAME, "tun0");
    const uint32_t mark = steward_mark(steward), tunnel = tun_iface(tun), uplink = tun_iface(wire);
    assert_same_host(before); /* so far it only waits */
    const struct steward_plan plan = whole_traffic();
    apply(steward, &plan);
    assert_int_equal(way("203.0.113.5", 0), tunnel);
    assert_int_equal(way("198.51.100.1", 0), tunnel);    /* others reach the server through the tunnel */
    assert_int_equal(way("198.51.100.1", mark), uplink); /* our own sockets do not */
    assert_int_equal(way("192.0.2.77", 0), uplink);      /* the host's own network */
    assert_int_equal(way("10.9.0.1", 0), tunnel);
    assert_int_equal(way("2001:db8::9", 0), uplink);
    assert_int_equal(way("2001:4860::8", 0), 0); /* IPv6 has no way out beside the tunnel */
    struct iface_state is;
    assert_int_equal(iface_state(tunnel, &is), ERR_OK);
    assert_true(is.up && is.mtu == 1400);

    undo(steward);
    assert_same_host(before);
    assert_int_not_equal(access(STEWARD_DIR "/" NAME ".undo", F_OK), 0);
    apply(steward, &plan); /* and again */
    assert_int_equal(way("203.0.113.5", 0), tunnel);
    steward_end(steward);
    assert_same_host(before);
    tun_free(tun);
}

static void a_peer_whose_address_is_the_servers_makes_no_circle(void **state)
{
    (void)state;
    struct tun *tun = open_tunnel("tun0");
    struct steward *steward = start_steward(NAME, "tun0");
    struct steward_plan plan = whole_traffic();
    plan.remote = plan.server;
    apply(steward, &plan);
    assert_int_equal(way("198.51.100.1", 0), tun_iface(tun));
    assert_int_equal(way("198.51.100.1", steward_mark(steward)), tun_iface(wire));
    steward_end(steward);
    tun_free(tun);
}

static void given_routes_alone_go_into_a_split_tunnel(void **state)
{
    (void)state;
    struct tun *tun = open_tunnel("tun0");
    snapshot(before);
    struct steward *steward = start_steward(NAME, "tun0");
    struct steward_plan plan = whole_traffic();
    plan.everything = false;
    plan.route_count = 2;
    plan.routes[0] = (struct steward_prefix){ip("10.0.0.0"), 8};
    plan.routes[1] = (struct steward_prefix){ip("198.51.100.0"), 24}; /* the server lies in it */
    apply(steward, &plan);
    assert_int_equal(way("10.200.1.1", 0), tun_iface(tun));
    assert_int_equal(way("198.51.100.1", steward_mark(steward)), tun_iface(wire));
    assert_int_equal(way("203.0.113.5", 0), tun_iface(wire));

    /* The next plan has another route and an address for IPv6. */
    plan.route_count = 1;
    plan.routes[0] = (struct steward_prefix){ip("172.16.0.0"), 12};
    plan.address6 = ip("fd00::2");
    plan.routes[plan.route_count++] = (struct steward_prefix){ip("fd00::"), 16};
    apply(steward, &plan);
    assert_int_equal(way("10.200.1.1", 0), tun_iface(wire));
    assert_int_equal(way("172.20.0.1", 0), tun_iface(tun));
    assert_int_equal(way("fd00::99", 0), tun_iface(tun));
    steward_end(steward);
    assert_same_host(before);
    tun_free(tun);
}

/* <-> a connection through the tunnel must not notice that the plan was applied again after a reconnection */
static void an_address_that_stays_is_never_taken_away(void **state)
{
    (void)state;
    struct tun *tun = open_tunnel("tun0");
    struct steward *steward = start_steward(NAME, "tun0");
    struct steward_plan plan = whole_traffic();
    apply(steward, &plan);
    int monitor;
    assert_int_equal(monitor_open(&monitor), ERR_OK);
    apply(steward, &plan);
    assert_int_equal(monitor_read(monitor, 0) & (MONITOR_ADDRESSES | MONITOR_ROUTES), 0);
    plan.remote = ip("10.9.0.7"); /* the server has another end this time */
    plan.mtu = 1380;
    apply(steward, &plan);
    assert_int_equal(monitor_read(monitor, 0) & MONITOR_ADDRESSES, 0);
    assert_int_equal(way("10.9.0.7", 0), tun_iface(tun));
    plan.address = ip("10.9.0.3"); /* and now we too */
    apply(steward, &plan);
    assert_int_equal(monitor_read(monitor, 0) & MONITOR_ADDRESSES, MONITOR_ADDRESSES);
    struct ip_addr source;
    const struct ip_addr far = ip("203.0.113.5");
    int asker;
    assert_int_equal(source_open(4, 0, &asker), ERR_OK);
    assert_int_equal(source_ask(asker, &far, &source), ERR_OK);
    assert_true(ip_equal(&source, &plan.address));
    close(asker);
    close(monitor);
    steward_end(steward);
    tun_free(tun);
}

static void marks_tables_and_priorities_of_others_are_left_alone(void **state)
{
    (void)state;
    const struct rule foreign[] = {
        {.family = 4, .priority = 30000, .table = 21001},
        {.family = 6, .priority = 30003, .table = 99, .mark = 0x5e4b0002, .mask = 0xffffffff},
    };
    const struct route foreign_route = {.to = ip("203.0.113.0"), .bits = 24, .iface = tun_iface(wire), .table = 21003};
    assert_int_equal(rule_add(&foreign[0]), ERR_OK);
    assert_int_equal(rule_add(&foreign[1]), ERR_OK);
    assert_int_equal(route_add(&foreign_route), ERR_OK);
    struct tun *first = open_tunnel("tun0"), *second = open_tunnel("tun1");
    snapshot(before);
    struct steward *one = start_steward("one", "tun0"), *two = start_steward("two", "tun1");
    assert_int_equal(steward_mark(one), 0x5e4b0004);
    assert_int_equal(steward_mark(two), 0x5e4b0005);
    struct steward_plan plan = whole_traffic();
    apply(one, &plan);
    plan.everything = false;
    plan.address = ip("10.8.0.2");
    plan.remote = ip("10.8.0.1");
    plan.route_count = 1;
    plan.routes[0] = (struct steward_prefix){ip("198.51.100.0"), 24};
    apply(two, &plan);
    assert_int_equal(way("203.0.113.5", 0), tun_iface(first));
    assert_int_equal(way("10.8.0.1", steward_mark(one)), tun_iface(wire));
    assert_int_equal(way("198.51.100.1", steward_mark(two)), tun_iface(wire)); /* not through the other tunnel */
    assert_int_equal(way("198.51.100.1", steward_mark(one)), tun_iface(wire));
    steward_end(one);
    assert_int_equal(way("198.51.100.1", 0), tun_iface(second));
    steward_end(two);
    assert_same_host(before);
    tun_free(first);
    tun_free(second);
    assert_int_equal(rule_del(&foreign[0]), ERR_OK);
    assert_int_equal(rule_del(&foreign[1]), ERR_OK);
    assert_int_equal(route_del(&foreign_route), ERR_OK);
}

static void a_strict_filter_lets_the_servers_replies_in(void **state)
{
    (void)state;
    char value[16];
    assert_int_equal(sysctl_set("net/ipv4/conf/wire0/rp_filter", "1"), ERR_OK);
    struct tun *first = open_tunnel("tun0"), *second = open_tunnel("tun1");
    snapshot(before);
    struct steward *one = start_steward("one", "tun0"), *two = start_steward("two", "tun1");
    struct steward_plan plan = whole_traffic();
    apply(one, &plan);

    /* <-- a datagram of the server, by the uplink */
    const struct sock_config config = {
        .kind = SOCK_UDP_PLAIN, .shards = 1, .local = {ip("192.0.2.2"), 4500}, .mark = steward_mark(one)};
    struct sock *sock;
    assert_int_equal(sock_open(&config, &sock), ERR_OK);
    uint8_t packet[32] = {0x45, 0,   0, 32,  0, 0, 0, 0,    64,   17,   0,    0, 198,
                          51,   100, 1, 192, 0, 2, 2, 0x11, 0x94, 0x11, 0x94, 0, 12};
    be16_put(packet + 10, inet_fold(inet_sum(0, packet, 20)));
    struct intake *intake = intake_new();
    struct datagram got[INTAKE_BATCH];
    const struct frame_pieces frame = {.n = 1, .len = sizeof(packet), .piece[0] = VIEW(packet)};
    assert_int_equal(tun_write(wire, &frame), ERR_OK);
    usleep(20000);
    assert_int_equal(sock_receive(sock, intake, got), 1);

    apply(two, &plan);
    steward_end(one); /* the other still needs it */
    assert_int_equal(sysctl_get("net/ipv4/conf/all/src_valid_mark", value, sizeof(value)), ERR_OK);
    assert_string_equal(value, "1");
    steward_end(two);
    assert_same_host(before);
    intake_free(intake);
    sock_free(sock);
    tun_free(first);
    tun_free(second);
    assert_int_equal(sysctl_set("net/ipv4/conf/wire0/rp_filter", "0"), ERR_OK);
}

static void what_fails_is_taken_back(void **state)
{
    (void)state;
    struct tun *tun = open_tunnel("tun0");
    char why[STEWARD_WHY];
    snapshot(before);
    struct steward *steward = start_steward(NAME, "tun0");
    struct steward_plan plan = whole_traffic();
    plan.mtu = 65535;
    plan.dns_count = 1; /* cannot be set: a directory is where the file would be */
    plan.dns[0] = ip("10.9.0.53");
    assert_int_equal(mkdir("/etc/resolv.conf", 0755), 0);
    snapshot(before);
    assert_int_equal(steward_apply(steward, &plan, why), ERR_SYSTEM);
    assert_non_null(strstr(why, "resolv.conf"));
    assert_same_host(before);

    /* With a plan that stands, it stands on. */
    struct steward_plan good = whole_traffic();
    apply(steward, &good);
    static char standing[SNAPSHOT];
    snapshot(standing);
    plan.address = ip("10.9.0.99");
    assert_int_equal(steward_apply(steward, &plan, why), ERR_SYSTEM);
    assert_same_host(standing);
    plan.address = ip("127.0.0.1");
    assert_int_equal(steward_apply(steward, &plan, why), ERR_INVALID);
    assert_same_host(standing);
    steward_end(steward);
    assert_same_host(before);
    assert_int_equal(rmdir("/etc/resolv.conf"), 0);
    tun_free(tun);
}

static void expect_refused(const struct steward_config *config, enum err e)
{
    struct steward *steward;
    char why[STEWARD_WHY];
    assert_int_equal(steward_fork(&steward, why), ERR_OK);
    assert_int_equal(steward_start(steward, config, why), e);
    assert_true(why[0] != '\0');
    steward_end(steward);
}

static void only_a_tun_device_is_taken_and_each_name_once(void **state)
{
    (void)state;
    char why[STEWARD_WHY];
    const struct steward_config loopback = {.name = NAME, .iface = "lo"}, absent = {.name = NAME, .iface = "nothing0"},
                                climbing = {.name = "../etc/x", .iface = "tun0"},
                                long_iface = {.name = NAME, .iface = "tun0-and-many-more"},
                                good = {.name = NAME, .iface = "tun0"};
    struct tun *tun = open_tunnel("tun0");
    expect_refused(&loopback, ERR_INVALID);
    expect_refused(&absent, ERR_INVALID);
    expect_refused(&climbing, ERR_INVALID);
    expect_refused(&long_iface, ERR_INVALID);
    struct steward *steward = start_steward(NAME, "tun0");
    expect_refused(&good, ERR_EXISTS);
    assert_int_equal(steward_clean(NULL, NAME, why), ERR_STATE);
    steward_end(steward);
    assert_int_equal(steward_clean(NULL, NAME, why), ERR_OK);
    assert_int_equal(chmod(STEWARD_DIR, 0777), 0);
    expect_refused(&good, ERR_INVALID); /* anybody could write a journal there */
    assert_int_equal(chmod(STEWARD_DIR, 0755), 0);
    tun_free(tun);
}

static void nonsense_from_the_client_changes_nothing(void **state)
{
    (void)state;
    struct tun *tun = open_tunnel("tun0");
    struct steward *steward = start_steward(NAME, "tun0");
    snapshot(before);
    char reply[512];
    for (size_t n = 1; n < 4000; n += 333) {
        uint8_t bytes[4000];
        memset(bytes, 0xa5, sizeof(bytes));
        assert_int_equal(send(steward_fd(steward), bytes, n, 0), n);
        assert_true(recv(steward_fd(steward), reply, sizeof(reply), 0) > 0);
    }
    assert_same_host(before);
    const struct steward_plan plan = whole_traffic();
    apply(steward, &plan); /* it serves on */
    steward_end(steward);
    assert_same_host(before);
    tun_free(tun);
}

int main(void)
{
    enter_world();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(whole_traffic_goes_into_the_tunnel_and_the_server_stays_reachable, forget),
        cmocka_unit_test(a_peer_whose_address_is_the_servers_makes_no_circle),
        cmocka_unit_test(given_routes_alone_go_into_a_split_tunnel),
        cmocka_unit_test(an_address_that_stays_is_never_taken_away),
        cmocka_unit_test(marks_tables_and_priorities_of_others_are_left_alone),
        cmocka_unit_test(a_strict_filter_lets_the_servers_replies_in),
        cmocka_unit_test(what_fails_is_taken_back),
        cmocka_unit_test(only_a_tun_device_is_taken_and_each_name_once),
        cmocka_unit_test(nonsense_from_the_client_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
