#include "net/net.h"
#include "tests/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static int begin(void **state)
{
    (void)state;
    char directory[] = "/tmp/sekisho-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/socket", directory);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    return 0;
}

static void the_kernel_says_who_connects(void **state)
{
    (void)state;
    int listener, client, served;
    uid_t uid = 12345;
    gid_t gid = 12345;
    assert_int_equal(local_listen(path, 0660, (gid_t)-1, &listener), ERR_OK);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    assert_int_equal(local_accept(listener, &served, &uid, &gid), ERR_NOTFOUND);
    assert_int_equal(local_connect(path, &client), ERR_OK);
    assert_int_equal(local_accept(listener, &served, &uid, &gid), ERR_OK);
    assert_int_equal(uid, geteuid());
    assert_int_equal(gid, getegid());

    char buffer[16];
    size_t n = 99;
    assert_int_equal(local_read(served, buffer, sizeof(buffer), &n), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(local_write(client, view_str("status"), &n), ERR_OK);
    assert_int_equal(n, 6);
    assert_int_equal(local_read(served, buffer, sizeof(buffer), &n), ERR_OK);
    assert_int_equal(n, 6);
    assert_memory_equal(buffer, "status", 6);
    close(client);
    assert_int_equal(local_read(served, buffer, sizeof(buffer), &n), ERR_STATE);
    assert_int_equal(local_write(served, view_str("late"), &n), ERR_STATE);
    close(served);
    close(listener);
}

static void a_slow_reader_does_not_block_the_writer(void **state)
{
    (void)state;
    int listener, client, served;
    uid_t uid;
    gid_t gid;
    assert_int_equal(local_listen(path, 0600, (gid_t)-1, &listener), ERR_OK);
    assert_int_equal(local_connect(path, &client), ERR_OK);
    assert_int_equal(local_accept(listener, &served, &uid, &gid), ERR_OK);
    static const uint8_t much[1 << 16];
    size_t n = 1;
    for (int i = 0; i < 1000 && n > 0; i++)
        assert_int_equal(local_write(served, VIEW(much), &n), ERR_OK);
    assert_int_equal(n, 0);
    close(served);
    close(client);
    close(listener);
}

static void a_stale_socket_is_replaced_and_a_living_one_is_not(void **state)
{
    (void)state;
    int first, second;
    assert_int_equal(local_listen(path, 0600, (gid_t)-1, &first), ERR_OK);
    assert_int_equal(local_listen(path, 0600, (gid_t)-1, &second), ERR_EXISTS);
    close(first);
    assert_int_equal(local_listen(path, 0600, (gid_t)-1, &second), ERR_OK);
    close(second);
    unlink(path);
    const int file = open(path, O_CREAT | O_WRONLY, 0600);
    close(file);
    assert_int_equal(local_listen(path, 0600, (gid_t)-1, &first), ERR_EXISTS); /* never remove what is no socket */
    assert_int_equal(access(path, F_OK), 0);
}

static void a_path_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    char far[200];
    memset(far, 'x', sizeof(far) - 1);
    far[sizeof(far) - 1] = '\0';
    int fd;
    assert_int_equal(local_listen(far, 0600, (gid_t)-1, &fd), ERR_INVALID);
    assert_int_equal(local_connect("", &fd), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_kernel_says_who_connects, begin, end),
        cmocka_unit_test_setup_teardown(a_slow_reader_does_not_block_the_writer, begin, end),
        cmocka_unit_test_setup_teardown(a_stale_socket_is_replaced_and_a_living_one_is_not, begin, end),
        cmocka_unit_test(a_path_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
