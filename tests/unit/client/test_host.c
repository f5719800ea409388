/* What the engine makes of the host as the connection comes and goes, with a steward that does it. */
#include "client/client_internal.h"
#include "tests/unit/steward/world.h"

static char before[SNAPSHOT];
static struct client_options options;
static struct engine engine;

static void begin(bool no_leak)
{
    options = (struct client_options){
        .name = NAME, .connection = {.server = "vpn.test"}, .wishes = {.everything = true, .no_leak = no_leak}};
    engine = (struct engine){.options = &options, .tun = open_tunnel("tun0")};
    snapshot(before);
    engine.steward = start_steward(NAME, "tun0");
    char why[STEWARD_WHY];
    assert_true(host_guard(&engine, why, sizeof(why)));
}

static int end(void **state)
{
    (void)state;
    steward_end(engine.steward);
    tun_free(engine.tun);
    unlink("/etc/resolv.conf");
    return 0;
}

/* ---- what libsekisho tells ---- */

static void lost(const char *cause)
{
    const struct sekisho_event event = {
        .type = SEKISHO_LOST, .stage = "", .sentence = "", .cause = cause, .why = "", .cure = ""};
    follow(&engine, &event);
}

static void server_found(const char *at)
{
    struct sekisho_event event = {.type = SEKISHO_STEP,
                                  .stage = "ike-1",
                                  .sentence = "",
                                  .detail = "from 192.0.2.2",
                                  .cause = "",
                                  .why = "",
                                  .cure = ""};
    snprintf(event.network.server, sizeof(event.network.server), "%s", at);
    follow(&engine, &event);
}

static void up(void)
{
    const struct sekisho_event event = {
        .type = SEKISHO_UP,
        .stage = "",
        .sentence = "",
        .cause = "",
        .why = "",
        .cure = "",
        .network = {.address = "10.9.0.2", .peer = "10.9.0.1", .mtu = 1400, .server = "198.51.100.1"}};
    follow(&engine, &event);
    assert_true(engine.applied);
}

static const char *last_detail(void)
{
    assert_true(engine.told_count > 0);
    return engine.told[engine.told_count - 1].progress.detail;
}

/* Whether a question to this name server leaves the host. */
static bool may_ask(const char *server)
{
    frames(wire);
    send_datagram(server, 0, 53, 0);
    return frames(wire) > 0;
}

static void name_servers(const char *text)
{
    write_text("/etc/resolv.conf", text, 0644);
}

/* ---- the guard and the server's name ---- */

static void a_network_that_comes_up_behind_the_guard_is_asked_for_the_server(void **state)
{
    (void)state;
    begin(true); /* at boot: there is no resolv.conf yet */
    assert_false(may_ask("192.0.2.53"));
    name_servers("nameserver 192.0.2.53\n");
    lost("name-unknown");
    assert_true(may_ask("192.0.2.53"));
    name_servers("nameserver 192.0.2.54\n"); /* another network, and still nothing found */
    lost("name-unknown");
    assert_true(may_ask("192.0.2.54"));
    assert_false(may_ask("192.0.2.53"));
    server_found("198.51.100.1");
    assert_false(may_ask("192.0.2.54"));
}

static void a_name_that_cannot_be_asked_for_is_lost_with_a_reason(void **state)
{
    (void)state;
    name_servers("nameserver 127.0.0.1\n");
    begin(true);
    lost("name-unknown");
    assert_non_null(strstr(last_detail(), "/etc/resolv.conf"));
    name_servers("nameserver 192.0.2.53\n");
    lost("name-unknown");
    lost("name-unknown"); /* asked, and not known there */
    assert_string_equal(last_detail(), "");
    name_servers("nameserver 127.0.0.1\n");
    lost("name-unknown");
    lost("ike-no-answer"); /* another matter */
    assert_string_equal(last_detail(), "");
}

/* ---- rules that somebody else has swept away ---- */

static void after_a_loss_the_guard_stands_again(void **state)
{
    (void)state;
    name_servers("nameserver 192.0.2.53\n");
    begin(true);
    up();
    assert_false(may_ask("192.0.2.53"));
    sweep_rules_away();
    assert_true(may_ask("192.0.2.53"));
    lost("peer-silent");
    assert_false(may_ask("192.0.2.53")); /* for the attempt with the address that is known */
    lost("ike-no-answer");
    assert_true(may_ask("192.0.2.53")); /* for the next, the name is looked up */
    assert_false(may_ask("192.0.2.54"));
}

static void after_a_loss_the_servers_replies_pass_a_strict_filter_again(void **state)
{
    (void)state;
    static char standing[SNAPSHOT];
    assert_int_equal(sysctl_set("net/ipv4/conf/wire0/rp_filter", "1"), ERR_OK);
    name_servers("nameserver 192.0.2.53\n");
    begin(false);
    lost("ike-no-answer"); /* so far there is nothing to make */
    assert_same_host(before);
    up();
    snapshot(standing);
    assert_non_null(strstr(standing, "ip saddr 198.51.100.1"));
    sweep_rules_away();
    lost("peer-silent");
    assert_same_host(standing);
    server_found("198.51.100.1");
    assert_same_host(standing);
    lost("ike-no-answer"); /* it has moved */
    server_found("198.51.100.9");
    snapshot(standing);
    assert_non_null(strstr(standing, "ip saddr 198.51.100.9"));
    assert_int_equal(sysctl_set("net/ipv4/conf/wire0/rp_filter", "0"), ERR_OK);
}

int main(void)
{
    enter_world();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_network_that_comes_up_behind_the_guard_is_asked_for_the_server, end),
        cmocka_unit_test_teardown(a_name_that_cannot_be_asked_for_is_lost_with_a_reason, end),
        cmocka_unit_test_teardown(after_a_loss_the_guard_stands_again, end),
        cmocka_unit_test_teardown(after_a_loss_the_servers_replies_pass_a_strict_filter_again, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
