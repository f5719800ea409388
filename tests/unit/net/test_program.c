/* Other programs run for one job; the service manager is told. */
#include "net/net.h"
#include "tests/test.h"
#include "wire/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE (30 * USEC_SEC) /* for programs that need a moment, on a machine that is busy */

static void a_program_reads_its_input_and_is_heard(void **state)
{
    (void)state;
    char path[PROGRAM_PATH], said[64];
    const char *const argv[] = {program_find("cat", path), NULL};
    assert_non_null(argv[0]);
    assert_int_equal(program_run(argv, view_str("one\ntwo\n"), PATIENCE, said, sizeof(said)), ERR_OK);
    assert_string_equal(said, "one\ntwo\n");
    char little[6];
    assert_int_equal(program_run(argv, view_str("one\ntwo\n"), PATIENCE, little, sizeof(little)), ERR_OK);
    assert_string_equal(little, "one\nt");
}

static void it_gets_nothing_of_ours(void **state)
{
    (void)state;
    char path[PROGRAM_PATH], said[512];
    const char *const argv[] = {program_find("env", path), NULL};
    assert_int_equal(setenv("SECRET_OF_OURS", "x", 1), 0);
    assert_int_equal(program_run(argv, VIEW_NONE, PATIENCE, said, sizeof(said)), ERR_OK);
    assert_null(strstr(said, "SECRET_OF_OURS"));
    assert_non_null(strstr(said, "PATH=/"));
}

static void failure_and_absence_are_told(void **state)
{
    (void)state;
    char path[PROGRAM_PATH], said[64];
    const char *const fails[] = {program_find("false", path), NULL};
    assert_int_equal(program_run(fails, VIEW_NONE, PATIENCE, said, sizeof(said)), ERR_INVALID);
    const char *const absent[] = {"/no/such/program", NULL};
    assert_int_equal(program_run(absent, VIEW_NONE, PATIENCE, said, sizeof(said)), ERR_SYSTEM);
    assert_int_equal(errno, ENOENT);
    assert_null(program_find("no-such-program-here", path));
}

static void a_program_that_hangs_is_ended_with_its_children(void **state)
{
    (void)state;
    char path[PROGRAM_PATH], said[64];
    const char *const argv[] = {program_find("sh", path), "-c", "sleep 60 & sleep 60", NULL};
    const usec_t began = clock_now();
    assert_int_equal(program_run(argv, VIEW_NONE, USEC_SEC / 5, said, sizeof(said)), ERR_SYSTEM);
    assert_int_equal(errno, ETIMEDOUT);
    assert_true(clock_now() - began < PATIENCE);
}

/* A program that would report later must not outlive the one that has started it. */
static void a_program_ends_with_the_process_that_ran_it(void **state)
{
    (void)state;
    char path[PROGRAM_PATH], name[] = "/tmp/sekisho-test-XXXXXX", said[16];
    close(mkstemp(name));
    const char *const argv[] = {program_find("sh", path), "-c", "echo begun >$0; sleep 1; echo late >$0", name, NULL};
    const pid_t pid = fork();
    if (pid == 0) {
        program_run(argv, VIEW_NONE, PATIENCE, said, sizeof(said));
        _exit(0);
    }
    char text[16] = "";
    for (int i = 0; i < 3000 && strcmp(text, "begun\n") != 0; i++) {
        const int fd = open(name, O_RDONLY | O_CLOEXEC);
        const ssize_t n = read(fd, text, sizeof(text) - 1);
        text[n < 0 ? 0 : n] = '\0';
        close(fd);
        usleep(10000);
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    usleep(1500000);
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, text, sizeof(text)), 6);
    assert_memory_equal(text, "begun\n", 6);
    close(fd);
    unlink(name);
}

static void the_service_manager_hears(void **state)
{
    (void)state;
    const int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t size = sizeof(sa_family_t); /* the kernel chooses an abstract name */
    assert_int_equal(bind(manager, (struct sockaddr *)&name, size), 0);
    size = sizeof(name);
    assert_int_equal(getsockname(manager, (struct sockaddr *)&name, &size), 0);
    char text[64] = "@";
    memcpy(text + 1, name.sun_path + 1, size - offsetof(struct sockaddr_un, sun_path) - 1);
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(notify_service("READY=1"), ERR_NOTFOUND);
    assert_int_equal(setenv("NOTIFY_SOCKET", text, 1), 0);
    assert_int_equal(notify_service("READY=1"), ERR_OK);
    char heard[32] = "";
    assert_int_equal(recv(manager, heard, sizeof(heard) - 1, 0), 7);
    assert_string_equal(heard, "READY=1");
    assert_int_equal(setenv("NOTIFY_SOCKET", "relative", 1), 0);
    assert_int_equal(notify_service("READY=1"), ERR_INVALID);
    close(manager);
}

static void the_clock_of_the_host_does_not_run_behind_ours(void **state)
{
    (void)state;
    const usec_t before = clock_now(), boot = clock_boot();
    assert_true(boot >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_reads_its_input_and_is_heard),
        cmocka_unit_test(it_gets_nothing_of_ours),
        cmocka_unit_test(failure_and_absence_are_told),
        cmocka_unit_test(a_program_that_hangs_is_ended_with_its_children),
        cmocka_unit_test(a_program_ends_with_the_process_that_ran_it),
        cmocka_unit_test(the_service_manager_hears),
        cmocka_unit_test(the_clock_of_the_host_does_not_run_behind_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
