/* Name servers: whoever owns the host's resolver is told, and /etc/resolv.conf is afterwards what it was, to the byte.
 */
#include "world.h"

static char before[SNAPSHOT];
static struct tun *tun;
static struct steward *steward;

#define LOG    "/run/calls"
#define FORMER "# written by hand\noptions edns0\nnameserver 192.0.2.53"
#define OURS   "search corp.example lab.example\nnameserver 10.9.0.53\nnameserver 10.9.0.54\n"

/* A program that writes down how it was called and what it was given. */
static void fake_program(const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "/usr/local/bin/%s", name);
    write_text(path, "#!/bin/sh\necho \"${0##*/} $*\" >>" LOG "\nsed 's/^/  /' >>" LOG "\n", 0755);
}

static void assert_calls(const char *wanted)
{
    char text[4096];
    read_text(LOG, text, sizeof(text));
    assert_string_equal(text, wanted);
    unlink(LOG);
}

static void assert_resolv_conf_says(const char *wanted)
{
    char text[4096];
    read_text("/etc/resolv.conf", text, sizeof(text));
    const char *rest = strchr(text, '\n');
    assert_non_null(rest);
    assert_int_equal(text[0], '#');
    assert_string_equal(rest + 1, wanted);
}

static struct steward_plan with_dns(bool all)
{
    struct steward_plan plan = whole_traffic();
    plan.dns_all = all;
    plan.dns_count = plan.domain_count = 2;
    plan.dns[0] = ip("10.9.0.53");
    plan.dns[1] = ip("10.9.0.54");
    strcpy(plan.domains[0], "corp.example");
    strcpy(plan.domains[1], "lab.example");
    return plan;
}

static int set_up(void **state)
{
    (void)state;
    tun = open_tunnel("tun0");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const files[] = {"/etc/resolv.conf", "/usr/local/bin/resolvectl", "/usr/local/bin/resolvconf",
                                        LOG, "/run/systemd/resolve/io.systemd.Resolve"};
    tun_free(tun);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        unlink(files[i]);
    return 0;
}

static void begin(void)
{
    snapshot(before);
    steward = start_steward(NAME, "tun0");
}

static void end(void)
{
    steward_end(steward);
    assert_same_host(before);
}

static void a_file_that_nobody_owns_is_replaced_and_restored(void **state)
{
    (void)state;
    struct steward_plan plan = with_dns(true);
    char why[STEWARD_WHY];
    write_text("/etc/resolv.conf", FORMER, 0604);
    assert_int_equal(chown("/etc/resolv.conf", 3, 4), 0);
    begin();
    apply(steward, &plan);
    assert_resolv_conf_says(OURS);
    struct stat first, second;
    assert_int_equal(stat("/etc/resolv.conf", &first), 0);
    assert_int_equal(first.st_mode & 07777, 0644);
    apply(steward, &plan); /* after a reconnection */
    assert_int_equal(stat("/etc/resolv.conf", &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
    plan.dns_count = 1;
    plan.domain_count = 0;
    apply(steward, &plan);
    assert_resolv_conf_says("nameserver 10.9.0.53\n");
    plan.dns_count = 0; /* a server that tells no name servers */
    apply(steward, &plan);
    struct stat restored;
    assert_int_equal(stat("/etc/resolv.conf", &restored), 0);
    assert_int_equal(restored.st_uid, 3);
    plan = with_dns(true);
    apply(steward, &plan);
    assert_int_equal(steward_undo(steward, why), ERR_OK);
    assert_string_equal(why, "");
    assert_same_host(before);
    end();
}

static void a_plain_file_cannot_split_and_says_so(void **state)
{
    (void)state;
    const struct steward_plan plan = with_dns(false);
    char why[STEWARD_WHY];
    write_text("/etc/resolv.conf", FORMER, 0644);
    begin();
    assert_int_equal(steward_apply(steward, &plan, why), ERR_OK);
    assert_non_null(strstr(why, "cannot tell names apart"));
    assert_resolv_conf_says(OURS "nameserver 192.0.2.53\n");
    end();
}

static void a_symbolic_link_comes_back_as_one(void **state)
{
    (void)state;
    const struct steward_plan plan = with_dns(true);
    write_text("/run/somewhere", FORMER, 0644);
    assert_int_equal(symlink("../run/somewhere", "/etc/resolv.conf"), 0);
    begin();
    apply(steward, &plan);
    assert_resolv_conf_says(OURS);
    char target[512];
    read_text("/run/somewhere", target, sizeof(target));
    assert_string_equal(target, FORMER); /* what it led to is not written */
    end();
}

static void where_there_was_no_file_there_is_none_again(void **state)
{
    (void)state;
    const struct steward_plan plan = with_dns(true);
    begin();
    apply(steward, &plan);
    assert_resolv_conf_says(OURS);
    end();
}

static void what_somebody_else_has_written_meanwhile_is_left(void **state)
{
    (void)state;
    const struct steward_plan plan = with_dns(true);
    char why[STEWARD_WHY], text[512];
    static const char *const changes[] = {"nameserver 203.0.113.53\n", NULL};
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        write_text("/etc/resolv.conf", FORMER, 0644);
        steward = start_steward(NAME, "tun0");
        apply(steward, &plan);
        if (changes[i]) { /* replaced, as a DHCP client does */
            write_text("/etc/resolv.conf.other", changes[i], 0644);
            assert_int_equal(rename("/etc/resolv.conf.other", "/etc/resolv.conf"), 0);
        } else { /* or a line added */
            const int fd = open("/etc/resolv.conf", O_WRONLY | O_APPEND | O_CLOEXEC);
            assert_int_equal(write(fd, "options debug\n", 14), 14);
            close(fd);
        }
        snapshot(before);
        assert_int_equal(steward_undo(steward, why), ERR_OK);
        assert_non_null(strstr(why, "changed by another program"));
        steward_end(steward);
        read_text("/etc/resolv.conf", text, sizeof(text));
        assert_non_null(strstr(text, changes[i] ? changes[i] : "options debug\n"));
        assert_int_not_equal(access("/etc/.resolv.conf.sekisho." NAME, F_OK), 0);
    }
}

/* A new network's DHCP client writes its servers; the plan that is applied after reconnecting takes over from there. */
static void a_reconnection_takes_the_file_over_again(void **state)
{
    (void)state;
    const struct steward_plan plan = with_dns(true);
    write_text("/etc/resolv.conf", FORMER, 0644);
    steward = start_steward(NAME, "tun0");
    apply(steward, &plan);
    write_text("/etc/resolv.conf.other", "nameserver 203.0.113.53\n", 0644);
    assert_int_equal(rename("/etc/resolv.conf.other", "/etc/resolv.conf"), 0);
    apply(steward, &plan);
    assert_resolv_conf_says(OURS);
    steward_end(steward);
    char text[512];
    read_text("/etc/resolv.conf", text, sizeof(text));
    assert_string_equal(text, "nameserver 203.0.113.53\n");
}

static void tunnels_end_in_any_order(void **state)
{
    (void)state;
    struct steward_plan plan = with_dns(true);
    struct tun *second = open_tunnel("tun1");
    for (int first_ends_first = 0; first_ends_first < 2; first_ends_first++) {
        write_text("/etc/resolv.conf", FORMER, 0600);
        snapshot(before);
        struct steward *one = start_steward("one", "tun0"), *two = start_steward("two", "tun1");
        apply(one, &plan);
        struct steward_plan other = plan;
        other.dns_count = 1;
        other.domain_count = 0;
        other.dns[0] = ip("10.8.0.53");
        apply(two, &other);
        assert_resolv_conf_says("nameserver 10.8.0.53\n");
        plan.dns_count = 1;
        apply(one, &plan); /* a change of the one beneath */
        assert_resolv_conf_says("nameserver 10.8.0.53\n");
        steward_end(first_ends_first ? one : two);
        assert_resolv_conf_says(first_ends_first ? "nameserver 10.8.0.53\n"
                                                 : "search corp.example lab.example\nnameserver 10.9.0.53\n");
        steward_end(first_ends_first ? two : one);
        assert_same_host(before);
        plan.dns_count = 2;
    }
    tun_free(second);
}

/* Containers: the file itself is a mount, which nothing can be renamed over. */
static void a_mounted_file_is_written_over_and_back(void **state)
{
    (void)state;
    const struct steward_plan plan = with_dns(true);
    static const char former[] = "nameserver 192.0.2.53\n\n# no end of line";
    char text[4096];
    write_text("/run/mounted", former, 0644);
    write_text("/etc/resolv.conf", "", 0644);
    assert_int_equal(mount("/run/mounted", "/etc/resolv.conf", NULL, MS_BIND, NULL), 0);
    steward = start_steward(NAME, "tun0");
    apply(steward, &plan);
    assert_resolv_conf_says(OURS);
    steward_end(steward);
    read_text("/etc/resolv.conf", text, sizeof(text));
    assert_string_equal(text, former);
    assert_int_not_equal(access(STEWARD_DIR "/" NAME ".resolv.conf", F_OK), 0);

    /* And after both were killed. */
    tun_free(tun);
    const struct client client = start_client(NAME, "tun0", &plan);
    const pid_t helper = steward_of(&client);
    assert_int_equal(kill(helper, SIGKILL), 0);
    kill_client(&client);
    assert_resolv_conf_says(OURS);
    assert_int_equal(steward_clean(NULL, NAME, text), ERR_OK);
    read_text("/etc/resolv.conf", text, sizeof(text));
    assert_string_equal(text, former);
    assert_int_equal(umount("/etc/resolv.conf"), 0);
    tun = open_tunnel("tun0");
}

/* The tunnel is lost, and the server may have another address now: its name is asked as before the tunnel. */
static void while_the_server_is_looked_up_the_hosts_own_servers_are_asked(void **state)
{
    (void)state;
    struct steward_plan plan = with_dns(true);
    char text[512];
    write_text("/etc/resolv.conf", "nameserver 203.0.113.53\nnameserver 2001:4860::53\n", 0644);
    begin();
    apply(steward, &plan);
    assert_int_equal(way("203.0.113.53", 0), tun_iface(tun));
    plan.lookups = plan.no_leak = true;
    apply(steward, &plan);
    read_text("/etc/resolv.conf", text, sizeof(text));
    assert_string_equal(text, "nameserver 203.0.113.53\nnameserver 2001:4860::53\n");
    assert_int_equal(way("203.0.113.53", 0), tun_iface(wire));
    assert_int_equal(way("203.0.113.54", 0), tun_iface(tun));
    plan.lookups = false;
    apply(steward, &plan);
    assert_resolv_conf_says(OURS);
    assert_int_equal(way("203.0.113.53", 0), tun_iface(tun));
    plan.lookups = true; /* and it may end in the middle */
    apply(steward, &plan);
    end();
}

static void a_host_of_resolved(void)
{
    fake_program("resolvectl");
    mkdir("/run/systemd", 0755);
    mkdir("/run/systemd/resolve", 0755);
    int listener;
    assert_int_equal(local_listen("/run/systemd/resolve/io.systemd.Resolve", 0666, (gid_t)-1, &listener), ERR_OK);
    close(listener);
    write_text("/run/systemd/resolve/stub-resolv.conf", "nameserver 127.0.0.53\n", 0644);
    assert_int_equal(symlink("../run/systemd/resolve/stub-resolv.conf", "/etc/resolv.conf"), 0);
}

static void resolved_is_told_of_the_link(void **state)
{
    (void)state;
    struct steward_plan plan = with_dns(true);
    a_host_of_resolved();
    begin();
    apply(steward, &plan);
    assert_calls("resolvectl dns tun0 10.9.0.53 10.9.0.54\nresolvectl domain tun0 corp.example lab.example ~.\n"
                 "resolvectl default-route tun0 yes\n");
    apply(steward, &plan);
    assert_calls(""); /* it knows */
    plan.dns_all = false;
    apply(steward, &plan);
    assert_calls("resolvectl dns tun0 10.9.0.53 10.9.0.54\nresolvectl domain tun0 corp.example lab.example\n"
                 "resolvectl default-route tun0 no\n");
    end();
    assert_calls("resolvectl revert tun0\n");
}

static void without_domains_resolved_asks_the_tunnel_nothing_and_we_say_so(void **state)
{
    (void)state;
    struct steward_plan plan = with_dns(false);
    char why[STEWARD_WHY];
    a_host_of_resolved();
    begin();
    plan.domain_count = 0;
    assert_int_equal(steward_apply(steward, &plan, why), ERR_OK);
    assert_non_null(strstr(why, "no domain"));
    assert_calls(
        "resolvectl dns tun0 10.9.0.53 10.9.0.54\nresolvectl domain tun0 \nresolvectl default-route tun0 no\n");
    end();
}

static void a_resolved_that_refuses_or_hangs_is_a_failure_with_its_words(void **state)
{
    (void)state;
    const struct steward_plan plan = with_dns(true);
    char why[STEWARD_WHY];
    a_host_of_resolved();
    write_text("/usr/local/bin/resolvectl", "#!/bin/sh\necho Link is too shy >&2\nexit 1\n", 0755);
    begin();
    assert_int_equal(steward_apply(steward, &plan, why), ERR_INVALID);
    assert_string_equal(why, "resolvectl dns failed: Link is too shy");
    assert_same_host(before);
    write_text("/usr/local/bin/resolvectl", "#!/bin/sh\n[ $1 = revert ] || sleep 60\n", 0755);
    snapshot(before);
    assert_int_equal(steward_apply(steward, &plan, why), ERR_SYSTEM);
    assert_non_null(strstr(why, "timed out"));
    end();
}

/* resolvectl is installed, but nobody runs behind it. */
static void a_resolved_that_does_not_run_owns_nothing(void **state)
{
    (void)state;
    const struct steward_plan plan = with_dns(true);
    a_host_of_resolved();
    unlink("/run/systemd/resolve/io.systemd.Resolve");
    begin();
    apply(steward, &plan);
    assert_resolv_conf_says(OURS);
    end();
    read_text(LOG, before, sizeof(before));
    assert_string_equal(before, "");
}

static void resolvconf_is_told_where_it_owns_the_file(void **state)
{
    (void)state;
    struct steward_plan plan = with_dns(true);
    char why[STEWARD_WHY];
    fake_program("resolvconf");
    write_text("/etc/resolv.conf", "# Generated by resolvconf\nnameserver 192.0.2.53\n", 0644);
    begin();
    apply(steward, &plan);
    assert_calls("resolvconf -a tun0.tun0 -x\n  nameserver 10.9.0.53\n  nameserver 10.9.0.54\n"
                 "  search corp.example lab.example\n");
    /* Without a resolver of its own the host cannot split: ours come first. */
    plan.dns_all = false;
    assert_int_equal(steward_apply(steward, &plan, why), ERR_OK);
    assert_non_null(strstr(why, "cannot tell names apart"));
    assert_calls("resolvconf -a tun0.tun0\n  nameserver 10.9.0.53\n  nameserver 10.9.0.54\n"
                 "  search corp.example lab.example\n");
    end();
    assert_calls("resolvconf -d tun0.tun0\n");
    write_text("/etc/resolv.conf", "# Generated by resolvconf\nnameserver 127.0.0.1\n", 0644);
    begin();
    assert_int_equal(steward_apply(steward, &plan, why), ERR_OK);
    assert_string_equal(why, "");
    assert_calls("resolvconf -a tun0.tun0 -p\n  nameserver 10.9.0.53\n  nameserver 10.9.0.54\n"
                 "  search corp.example lab.example\n");
    end();
    assert_calls("resolvconf -d tun0.tun0\n");
}

static void a_resolvconf_that_does_not_own_the_file_is_not_asked(void **state)
{
    (void)state;
    const struct steward_plan plan = with_dns(true);
    fake_program("resolvconf");
    write_text("/etc/resolv.conf", FORMER, 0644);
    begin();
    apply(steward, &plan);
    assert_resolv_conf_says(OURS);
    end();
    assert_int_not_equal(access(LOG, F_OK), 0);
}

/* <-- both are killed: what resolvconf was told has to be taken back though the interface is gone. */
static void resolvconf_is_told_by_the_clean_up_too(void **state)
{
    (void)state;
    const struct steward_plan plan = with_dns(true);
    char why[STEWARD_WHY];
    fake_program("resolvconf");
    assert_int_equal(mkdir("/run/resolvconf", 0755), 0);
    write_text("/run/resolvconf/resolv.conf", FORMER, 0644);
    assert_int_equal(symlink("/run/resolvconf/resolv.conf", "/etc/resolv.conf"), 0);
    tun_free(tun);
    snapshot(before);
    const struct client client = start_client(NAME, "tun0", &plan);
    unlink(LOG);
    const pid_t helper = steward_of(&client);
    assert_int_equal(kill(helper, SIGKILL), 0);
    kill_client(&client);
    assert_int_equal(steward_clean(NULL, NAME, why), ERR_OK);
    assert_calls("resolvconf -d tun0.tun0\n");
    assert_same_host(before);
    tun = open_tunnel("tun0");
}

int main(void)
{
    enter_world();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_nobody_owns_is_replaced_and_restored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_plain_file_cannot_split_and_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_symbolic_link_comes_back_as_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(where_there_was_no_file_there_is_none_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_somebody_else_has_written_meanwhile_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reconnection_takes_the_file_over_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tunnels_end_in_any_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mounted_file_is_written_over_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(while_the_server_is_looked_up_the_hosts_own_servers_are_asked, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(resolved_is_told_of_the_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_domains_resolved_asks_the_tunnel_nothing_and_we_say_so, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_resolved_that_refuses_or_hangs_is_a_failure_with_its_words, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_resolved_that_does_not_run_owns_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(resolvconf_is_told_where_it_owns_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_resolvconf_that_does_not_own_the_file_is_not_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(resolvconf_is_told_by_the_clean_up_too, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
