/* Ends that nobody announces: of the client, and of client and steward together. The host is as before in either case.
 */
#include "world.h"

#include <sys/prctl.h>

static char before[SNAPSHOT];

#define FORMER "# written by hand\nnameserver 192.0.2.53\n"

/* Whole traffic with everything that leaves traces. */
static struct steward_plan demanding(void)
{
    struct steward_plan plan = whole_traffic();
    plan.no_leak = true;
    plan.dns_all = true;
    plan.dns_count = 1;
    plan.dns[0] = ip("10.9.0.53");
    plan.domain_count = 1;
    strcpy(plan.domains[0], "corp.example");
    return plan;
}

static int set_up(void **state)
{
    (void)state;
    write_text("/etc/resolv.conf", FORMER, 0640);
    assert_int_equal(chown("/etc/resolv.conf", 7, 8), 0);
    assert_int_equal(sysctl_set("net/ipv4/conf/wire0/rp_filter", "1"), ERR_OK);
    snapshot(before);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink("/etc/resolv.conf");
    return 0;
}

static void assert_in_force(const struct client *client)
{
    char text[512], value[16];
    assert_int_equal(way("203.0.113.5", client->mark), tun_iface(wire));
    assert_true(way("203.0.113.5", 0) != tun_iface(wire));
    read_text("/etc/resolv.conf", text, sizeof(text));
    assert_non_null(strstr(text, "nameserver 10.9.0.53"));
    assert_int_equal(sysctl_get("net/ipv4/conf/all/src_valid_mark", value, sizeof(value)), ERR_OK);
    assert_string_equal(value, "1");
    assert_int_equal(access(STEWARD_DIR "/" NAME ".undo", F_OK), 0);
}

static void the_journal_is_roots_alone(void)
{
    struct stat st;
    assert_int_equal(stat(STEWARD_DIR "/" NAME ".undo", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_uid, 0);
}

static void the_steward_of_a_killed_client_undoes_everything(void **state)
{
    (void)state;
    const struct steward_plan plan = demanding();
    for (int i = 0; i < 10; i++) { /* the interface goes before, while or after it works */
        const struct client client = start_client(NAME, "tun0", &plan);
        assert_in_force(&client);
        the_journal_is_roots_alone();
        kill_client(&client);
        wait_for_steward(NAME);
        assert_same_host(before);
        assert_int_not_equal(access(STEWARD_DIR "/" NAME ".undo", F_OK), 0);
    }
}

/* Undoing takes as long as the programs for it and other tunnels' stewards let it. */
static void a_clean_up_waits_for_a_steward_that_is_undoing(void **state)
{
    (void)state;
    char why[STEWARD_WHY];
    const struct steward_plan plan = demanding();
    const struct client client = start_client(NAME, "tun0", &plan);
    const pid_t other = fork();
    if (other == 0) {
        struct flock first = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
        const int marks = open(STEWARD_DIR "/marks", O_RDWR | O_CLOEXEC);
        if (marks < 0 || fcntl(marks, F_OFD_SETLK, &first) < 0)
            _exit(1);
        kill(client.pid, SIGKILL);
        sleep(5);
        _exit(0);
    }
    assert_int_equal(waitpid(client.pid, NULL, 0), client.pid);
    if (steward_clean(NULL, NAME, why) != ERR_OK)
        fail_msg("%s", why);
    assert_same_host(before);
    int end;
    assert_int_equal(waitpid(other, &end, 0), other);
    assert_int_equal(end, 0);
}

static void signals_that_end_a_client_do_not_end_its_steward(void **state)
{
    (void)state;
    const struct steward_plan plan = demanding();
    const struct client client = start_client(NAME, "tun0", &plan);
    const pid_t steward = steward_of(&client);
    assert_true(steward > 0);
    assert_int_equal(kill(steward, SIGTERM) | kill(steward, SIGINT) | kill(steward, SIGHUP), 0);
    usleep(50000);
    assert_in_force(&client);
    kill_client(&client);
    wait_for_steward(NAME);
    assert_same_host(before);
}

/* A steward that lost its client is this process's child, and so are programs that lost their steward: until all of
 * them are gone they may still hold the lock, or be in the middle of a change. */
static void wait_for_orphans(void)
{
    while (waitpid(-1, NULL, 0) > 0)
        ;
    assert_int_equal(errno, ECHILD);
}

static void kill_both(const struct client *client)
{
    const pid_t steward = steward_of(client);
    assert_true(steward > 0);
    assert_int_equal(kill(steward, SIGKILL), 0);
    kill_client(client);
    assert_int_equal(waitpid(steward, NULL, 0), steward);
}

static void what_both_left_behind_is_cleaned_from_the_journal(void **state)
{
    (void)state;
    char why[STEWARD_WHY];
    static char left[SNAPSHOT];
    const struct steward_plan plan = demanding();
    const struct client client = start_client(NAME, "tun0", &plan);
    kill_both(&client);
    snapshot(left);
    assert_string_not_equal(left, before); /* or this would show nothing */
    assert_int_equal(steward_clean(NULL, NAME, why), ERR_OK);
    assert_string_equal(why, "");
    assert_same_host(before);
    assert_int_equal(steward_clean(NULL, NAME, why), ERR_OK); /* nothing is there any more */
    assert_same_host(before);
}

/* At any moment of applying, and of undoing: between a line of the journal and its act, within another program's run.
 */
static void both_may_be_killed_at_any_moment(void **state)
{
    (void)state;
    char why[STEWARD_WHY];
    struct random_test seeded;
    const uint64_t seed = (uint64_t)getpid();
    print_message("seed %llu\n", (unsigned long long)seed);
    random_test_init(&seeded, seed);
    const struct random random = {random_test_fill, &seeded};
    const struct steward_plan plan = demanding();
    for (int i = 0; i < 60; i++) {
        const struct client client = launch_client(NAME, "tun0", &plan, i % 2 == 1);
        if (i % 2 == 1)
            wait_for_client(&client);
        usleep(random_below(&random, 60000));
        const pid_t steward = steward_of(&client);
        if (steward > 0)
            kill(steward, SIGKILL);
        kill_client(&client);
        close(client.ready);
        wait_for_orphans();
        if (steward_clean(NULL, NAME, why) != ERR_OK)
            fail_msg("round %d: %s", i, why);
        assert_same_host(before);
    }
}

static void the_next_start_cleans_as_well(void **state)
{
    (void)state;
    const struct steward_plan plan = demanding();
    const struct client client = start_client(NAME, "tun0", &plan);
    kill_both(&client);
    struct tun *tun = open_tunnel("tun7");
    struct steward *steward = start_steward(NAME, "tun7");
    steward_end(steward);
    tun_free(tun);
    assert_same_host(before);
}

static void a_clean_up_spares_another_tunnel(void **state)
{
    (void)state;
    char why[STEWARD_WHY];
    struct steward_plan plan = demanding(), other = whole_traffic();
    other.everything = false;
    other.address = ip("10.8.0.2");
    other.remote = ip("10.8.0.1");
    plan.no_leak = false;
    const struct client survivor = start_client("other", "tun1", &other);
    static char with_other[SNAPSHOT];
    snapshot(with_other);
    const struct client client = start_client(NAME, "tun0", &plan);
    kill_both(&client);
    assert_int_equal(steward_clean(NULL, NAME, why), ERR_OK);
    assert_same_host(with_other);
    kill_client(&survivor);
    wait_for_steward("other");
    assert_same_host(before);
}

/* The journal in /run is gone after a reboot, and so are routes and rules; a file in /etc is not. */
static void after_a_reboot_resolv_conf_is_restored_without_a_journal(void **state)
{
    (void)state;
    char why[STEWARD_WHY];
    const struct steward_plan plan = demanding();
    const struct client client = start_client(NAME, "tun0", &plan);
    kill_both(&client);
    char journal[1024];
    read_text(STEWARD_DIR "/" NAME ".undo", journal, sizeof(journal));
    assert_int_equal(unlink(STEWARD_DIR "/" NAME ".undo"), 0);
    assert_int_equal(steward_clean(NULL, NAME, why), ERR_OK);
    char text[512];
    read_text("/etc/resolv.conf", text, sizeof(text));
    assert_string_equal(text, FORMER);
    write_text(STEWARD_DIR "/" NAME ".undo", journal, 0600);
    assert_int_equal(steward_clean(NULL, NAME, why), ERR_OK);
    assert_same_host(before);
}

static void a_journal_that_makes_no_sense_is_not_followed(void **state)
{
    (void)state;
    char why[STEWARD_WHY];
    static const char *const bad[] = {
        "",
        "sekisho-undo 2\n",
        "sekisho-undo 1\niface ../x\n",
        "sekisho-undo 1\niface tun0\nindex 1\nnumber 0\npriority 0\nlink 0\nmtu 0\nup 0\nroutes 0\nguard 0\nresolver "
        "0\n",
        "sekisho-undo 1\niface tun0\nindex 1\nnumber 1\npriority 0\nlink 0\nmtu 0\nup 0\nroutes 1\nguard 0\nresolver "
        "9\n",
        "sekisho-undo 1\niface tun0\nindex 1\nnumber 1\npriority 0\nlink 0\nmtu 0\nup 0\nroutes 1\nguard 0\nresolver "
        "0\nx\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        write_text(STEWARD_DIR "/" NAME ".undo", bad[i], 0600);
        assert_int_equal(steward_clean(NULL, NAME, why), ERR_MALFORMED);
        assert_non_null(strstr(why, NAME ".undo"));
    }
    write_text(STEWARD_DIR "/" NAME ".undo",
               "sekisho-undo 1\niface tun0\nindex 1\nnumber 1\npriority 0\nlink 0\nmtu 0\nup 0\nroutes 1\nguard "
               "0\nresolver 0\n",
               0666);
    assert_int_equal(steward_clean(NULL, NAME, why), ERR_MALFORMED); /* anybody may have written it */
    assert_int_equal(chmod(STEWARD_DIR "/" NAME ".undo", 0600), 0);
    assert_int_equal(steward_clean(NULL, NAME, why), ERR_OK);
    assert_same_host(before);
}

int main(void)
{
    enter_world();
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return EXIT_SKIPPED;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_steward_of_a_killed_client_undoes_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clean_up_waits_for_a_steward_that_is_undoing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(signals_that_end_a_client_do_not_end_its_steward, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_both_left_behind_is_cleaned_from_the_journal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(both_may_be_killed_at_any_moment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_next_start_cleans_as_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clean_up_spares_another_tunnel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_a_reboot_resolv_conf_is_restored_without_a_journal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_journal_that_makes_no_sense_is_not_followed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
