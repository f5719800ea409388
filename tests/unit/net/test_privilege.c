/* Rights are given up for good, so every story runs in a process of its own. */
#include "netns.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Runs the story in a child and returns its exit status, or minus the signal that ended it. */
static int status_of(int (*story)(void))
{
    const pid_t pid = fork();
    if (pid == 0)
        _exit(story());
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return 100 + __LINE__ % 100;                                                                               \
    } while (0)

static int drop_to_nobody(void)
{
    CHECK(privilege_drop("no-such-user-here", NULL, 0) == ERR_NOTFOUND);
    CHECK(privilege_drop("nobody", "no-such-group-here", 0) == ERR_NOTFOUND);
    CHECK(privilege_drop("nobody", "nogroup", 0) == ERR_OK);
    CHECK(geteuid() != 0 && getuid() != 0 && getgid() != 0);
    CHECK(setuid(0) < 0);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    CHECK(prctl(PR_CAPBSET_READ, 12, 0, 0, 0) == 0);
    struct tun *tun;
    const struct tun_config config = {.queues = 1};
    CHECK(tun_open(&config, &tun) == ERR_SYSTEM);
    return 0;
}

static int keep_routes(void)
{
    CHECK(privilege_drop("nobody", NULL, RIGHT_NET_ADMIN) == ERR_OK);
    CHECK(geteuid() != 0);
    CHECK(iface_set_mtu(iface_index("lo"), 1500) == ERR_OK);
    CHECK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) < 0 && errno == EPERM);
    return 0;
}

static void root_becomes_nobody_for_good(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(status_of(drop_to_nobody), 0);
}

static void one_right_can_be_kept(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(status_of(keep_routes), 0);
}

static void *nothing(void *ctx)
{
    return ctx;
}

/* Everything that a gateway does when it is up. */
static int live_in_the_sandbox(void)
{
    CHECK(sandbox_enter(SANDBOX_GATEWAY, SANDBOX_KILL) == ERR_OK);
    struct loop *loop = loop_new();
    CHECK(loop && loop_once(loop, 1000) == ERR_OK);
    const struct sock_config config = {.kind = SOCK_UDP_PLAIN, .shards = 1, .local.addr.family = 4};
    struct sock *s;
    struct intake *intake = intake_new();
    struct datagram d[INTAKE_BATCH];
    CHECK(sock_open(&config, &s) == ERR_OK);
    CHECK(sock_receive(s, intake, d) == 0);
    struct entropy e;
    entropy_init(&e);
    const struct random r = entropy_random(&e);
    CHECK(random_u64(&r) != random_u64(&r));
    struct iface_address list[4];
    size_t n;
    CHECK(iface_addresses(list, 4, &n) == ERR_OK);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0);
    char name[] = "/tmp/sekisho-test-XXXXXX";
    const int fd = mkstemp(name);
    CHECK(fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0 && ftruncate(fd, 0) == 0);
    close(fd);
    CHECK(unlink(name) == 0);
    free(malloc(1 << 22));
    sock_free(s);
    intake_free(intake);
    loop_free(loop);
    return 0;
}

static int run_a_program(void)
{
    CHECK(sandbox_enter(SANDBOX_GATEWAY, SANDBOX_KILL) == ERR_OK);
    execl("/bin/true", "true", (char *)NULL);
    return 1;
}

static int become_two(void)
{
    CHECK(sandbox_enter(SANDBOX_GATEWAY, SANDBOX_KILL) == ERR_OK);
    return fork() >= 0;
}

static int open_a_raw_socket(void)
{
    CHECK(sandbox_enter(SANDBOX_GATEWAY, SANDBOX_KILL) == ERR_OK);
    socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    return 1;
}

static int write_code(void)
{
    CHECK(sandbox_enter(SANDBOX_GATEWAY, SANDBOX_KILL) == ERR_OK);
    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return 1;
}

static void the_sandbox_lets_a_gateway_live(void **state)
{
    (void)state;
    assert_int_equal(status_of(live_in_the_sandbox), 0);
}

static void the_sandbox_kills_what_breaks_out(void **state)
{
    (void)state;
    assert_int_equal(status_of(run_a_program), -SIGSYS);
    assert_int_equal(status_of(become_two), -SIGSYS);
    assert_int_equal(status_of(open_a_raw_socket), -SIGSYS);
    assert_int_equal(status_of(write_code), -SIGSYS);
}

static int protect(void)
{
    const enum err e = memory_protect();
    CHECK(e == ERR_OK || (e == ERR_SYSTEM && errno == EPERM)); /* a container's root may lack the right to lock */
    CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    void *p = malloc(1 << 24);
    CHECK(p);
    free(p);
    return 0;
}

static void memory_is_not_dumped_and_is_locked_where_that_is_allowed(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(status_of(protect), 0);
}

static void leave_mark(void *ctx)
{
    const int fd = open(ctx, O_CREAT | O_WRONLY, 0600);
    close(fd);
}

static char mark_path[64];

static int crash(void)
{
    struct aftermath aftermath;
    CHECK(aftermath_start(leave_mark, mark_path, &aftermath) == ERR_OK);
    kill(getpid(), SIGKILL);
    return 1;
}

static void the_aftermath_comes_after_a_crash_too(void **state)
{
    (void)state;
    snprintf(mark_path, sizeof(mark_path), "/tmp/sekisho-test-mark-%d", (int)getpid());
    unlink(mark_path);
    assert_int_equal(status_of(crash), -SIGKILL);
    for (int i = 0; i < 500 && access(mark_path, F_OK) < 0; i++)
        usleep(10000);
    assert_int_equal(unlink(mark_path), 0);
}

static int end_in_order(void)
{
    struct aftermath aftermath;
    CHECK(aftermath_start(leave_mark, mark_path, &aftermath) == ERR_OK);
    aftermath_end(&aftermath);
    CHECK(access(mark_path, F_OK) == 0);
    aftermath_end(&aftermath);
    return 0;
}

static void an_ordered_end_waits_for_the_aftermath(void **state)
{
    (void)state;
    snprintf(mark_path, sizeof(mark_path), "/tmp/sekisho-test-end-%d", (int)getpid());
    unlink(mark_path);
    assert_int_equal(status_of(end_in_order), 0);
    assert_int_equal(unlink(mark_path), 0);
}

int main(void)
{
    enter_namespace();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_becomes_nobody_for_good),
        cmocka_unit_test(one_right_can_be_kept),
        cmocka_unit_test(the_sandbox_lets_a_gateway_live),
        cmocka_unit_test(the_sandbox_kills_what_breaks_out),
        cmocka_unit_test(memory_is_not_dumped_and_is_locked_where_that_is_allowed),
        cmocka_unit_test(the_aftermath_comes_after_a_crash_too),
        cmocka_unit_test(an_ordered_end_waits_for_the_aftermath),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
