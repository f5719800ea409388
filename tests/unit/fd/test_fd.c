/* Whole reads and writes, where the kernel gives and takes only pieces. */
#include "fd/fd.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUCH (1u << 20) /* more than a pipe holds */

static uint8_t sent[MUCH], got[MUCH];

static void what_a_pipe_takes_in_pieces_arrives_whole(void **state)
{
    (void)state;
    int ends[2];
    size_t n;
    for (size_t i = 0; i < MUCH; i++)
        sent[i] = (uint8_t)(i * 31 >> 3);
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0)
        _exit(fd_write(ends[1], VIEW(sent)) != ERR_OK);
    close(ends[1]);
    assert_int_equal(fd_read(ends[0], got, MUCH, &n), ERR_OK);
    assert_int_equal(n, MUCH);
    assert_memory_equal(sent, got, MUCH);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ends[0]);
}

static void the_end_comes_before_the_room_is_full(void **state)
{
    (void)state;
    int ends[2];
    size_t n;
    char room[8] = "";
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fd_write(ends[1], view_str("abc")), ERR_OK);
    close(ends[1]);
    assert_int_equal(fd_read(ends[0], room, sizeof room - 1, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_string_equal(room, "abc");
    close(ends[0]);
}

static void a_full_device_and_a_closed_descriptor_are_told(void **state)
{
    (void)state;
    size_t n = 7;
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(fd_write(full, view_str("abc")), ERR_SYSTEM);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(fd_write(full, VIEW_NONE), ERR_OK);
    close(full);
    assert_int_equal(fd_read(-1, got, 1, &n), ERR_SYSTEM);
    assert_int_equal(errno, EBADF);
    assert_int_equal(n, 0);
}

static void the_journal_is_known_by_what_systemd_says_of_it(void **state)
{
    (void)state;
    int ends[2];
    struct stat st;
    char said[64];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fstat(ends[1], &st), 0);
    unsetenv("JOURNAL_STREAM");
    assert_false(fd_is_journal(ends[1]));
    snprintf(said, sizeof said, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", said, 1);
    assert_true(fd_is_journal(ends[1]));
    assert_false(fd_is_journal(STDIN_FILENO)); /* another descriptor, as after a redirection */
    close(ends[0]);
    close(ends[1]);
    assert_false(fd_is_journal(ends[1]));
    unsetenv("JOURNAL_STREAM");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_pipe_takes_in_pieces_arrives_whole),
        cmocka_unit_test(the_end_comes_before_the_room_is_full),
        cmocka_unit_test(a_full_device_and_a_closed_descriptor_are_told),
        cmocka_unit_test(the_journal_is_known_by_what_systemd_says_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
