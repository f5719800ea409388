/* The engine's log in a file: whole lines, the latest of them, and nobody else's file. */
#include "client/client_internal.h"
#include "tests/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/sekisho-log-XXXXXX";
static char file[64], other[64];

/* Runs `what` while standard output and error are the log, and puts them back. */
static bool in_log(const char *name, void (*what)(void))
{
    char why[256] = "";
    const int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    const bool opened = log_open(name, why, sizeof(why));
    if (opened && what)
        what();
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    assert_true(opened || why[0]);
    return opened;
}

static void write_one(void)
{
    log_stamp();
    fputs("one line\n", stderr);
    log_trim();
}

static void write_many(void)
{
    for (int i = 1; i <= 20000; i++) {
        fprintf(stderr, "line %d of a connection that has lived for years\n", i);
        fflush(stderr);
        log_trim();
    }
}

static char *content(void)
{
    static char text[1 << 20];
    FILE *f = fopen(file, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void lines_have_the_time_and_are_added_to_those_before(void **state)
{
    int year, second;
    (void)state;
    assert_true(in_log(file, write_one));
    assert_true(in_log(file, write_one));
    const char *text = content();
    assert_int_equal(sscanf(text, "%d-%*d-%*dT%*d:%*d:%dZ  one line\n", &year, &second), 2);
    assert_in_range(year, 2020, 9999);
    assert_string_equal(strchr(strchr(text, '\n'), ' '), "  one line\n");
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void the_latest_lines_are_kept_and_no_more(void **state)
{
    int first = 0;
    (void)state;
    assert_true(in_log(file, write_many));
    const char *text = content();
    assert_in_range(strlen(text), 100 << 10, 257 << 10);
    assert_int_equal(sscanf(text, "line %d of", &first), 1);
    for (const char *line = text; *line; line = strchr(line, '\n') + 1, first++) {
        int number;
        assert_int_equal(sscanf(line, "line %d of", &number), 1);
        assert_int_equal(number, first);
    }
    assert_int_equal(first, 20001);
}

static void a_link_and_a_device_are_refused(void **state)
{
    (void)state;
    assert_int_equal(symlink(file, other), 0);
    assert_false(in_log(other, NULL));
    assert_false(in_log("/dev/null", NULL));
    assert_false(in_log("/nowhere/log", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_have_the_time_and_are_added_to_those_before),
        cmocka_unit_test(the_latest_lines_are_kept_and_no_more),
        cmocka_unit_test(a_link_and_a_device_are_refused),
    };
    if (!mkdtemp(dir))
        return 1;
    snprintf(file, sizeof(file), "%s/log", dir);
    snprintf(other, sizeof(other), "%s/other", dir);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(file);
    unlink(other);
    rmdir(dir);
    return failed;
}
