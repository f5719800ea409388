/* Small texts, dates, tables, passwords. */
#include "tests/test.h"

#include <locale.h>
#include <time.h>

#include "cli/cli_internal.h"

static void sizes_and_times_are_short(void **state)
{
    (void)state;
    char t[TEXT_MAX];
    assert_string_equal(text_bytes(0, t), "0 B");
    assert_string_equal(text_bytes(999, t), "999 B");
    assert_string_equal(text_bytes(1000, t), "1.0 kB");
    assert_string_equal(text_bytes(9940, t), "9.9 kB");
    assert_string_equal(text_bytes(9960, t), "10 kB");
    assert_string_equal(text_bytes(999499, t), "999 kB");
    assert_string_equal(text_bytes(999500, t), "1.0 MB");
    assert_string_equal(text_bytes(UINT64_MAX, t), "18 EB");
    assert_string_equal(text_duration(59, t), "59s");
    assert_string_equal(text_duration(3599, t), "59m");
    assert_string_equal(text_duration(3 * 3600 + 240, t), "3h 4m");
    assert_string_equal(text_duration(3 * 86400 + 3600, t), "3d 1h");
    assert_string_equal(text_time(0, t), "never");
    assert_string_equal(text_time(1700000000, t), "2023-11-14 22:13");
}

static void packets_are_counted_as_people_count(void **state)
{
    (void)state;
    char t[TEXT_MAX];
    assert_string_equal(text_packets(0, t), "0 packets");
    assert_string_equal(text_packets(1, t), "1 packet");
    assert_string_equal(text_packets(2, t), "2 packets");
}

static void dates_are_read_in_all_their_forms(void **state)
{
    (void)state;
    uint64_t t;
    const int64_t now = 1700000000;
    assert_true(date_parse("never", now, &t) && t == 0);
    assert_true(date_parse("2023-11-14 22:13", now, &t) && t == 1699999980);
    assert_true(date_parse("2023-11-14", now, &t) && t == 1699920000);
    assert_true(date_parse("30d", now, &t) && t == (uint64_t)now + 30 * 86400);
    assert_true(date_parse("12h", now, &t) && t == (uint64_t)now + 12 * 3600);
    static const char *const bad[] = {"",
                                      "soon",
                                      "30",
                                      "0d",
                                      "2027-02-30",
                                      "2027-13-01",
                                      "2027-01-31 25:00",
                                      "2027-01-31x",
                                      "2027-01",
                                      "-1d",
                                      "99999999d",
                                      "2027-01-31 10:5x",
                                      "1960-01-01",
                                      "2027/01/31",
                                      "d"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (date_parse(bad[i], now, &t))
            fail_msg("\"%s\" was taken for a date", bad[i]);
}

static void numbers_are_digits_alone(void **state)
{
    (void)state;
    uint64_t n;
    assert_true(number_parse("12", 12, &n) && n == 12);
    static const char *const bad[] = {"", "13", "-1", "+1", " 1", "1 ", "0x1", "99999999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(number_parse(bad[i], 12, &n));
}

/* Runs print on a stream in memory; the text is for free(). */
static char *printed(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    assert_non_null(f);
    print(f);
    fclose(f);
    return text;
}

static void print_nasty(FILE *out)
{
    print_safe(out, "a\x1b[31mb\n\x7f \xc2\x9b \xe2\x80\xae \xff \xe9\x96\xa2\xe6\x89\x80 \xe2\x82");
}

static void nothing_steers_the_terminal(void **state)
{
    (void)state;
    char *text = printed(print_nasty);
    assert_string_equal(text, "a?[31mb?? ? ? ? \xe9\x96\xa2\xe6\x89\x80 ?\?");
    free(text);
}

static void print_table(FILE *out)
{
    static const char *const head[] = {"NAME", "COUNT", "WHY"};
    static const char *const cell[] = {"alice", "1",
                                       "short", "a-name-that-goes-on-for-quite-a-while",
                                       "12345", "and a reason that is longer still than any name in the world"};
    const struct cli_io io = {NULL, out, out, true};
    struct table t;
    table_init(&t, head, 3);
    t.right[1] = true;
    for (size_t i = 0; i < ARRAY_LEN(cell); i++)
        table_add(&t, cell[i]);
    assert_int_equal(table_print(&t, &io, 60), CLI_OK);
}

static void a_table_fits_and_marks_what_it_cut(void **state)
{
    (void)state;
    char *text = printed(print_table);
    assert_string_equal(text, "NAME                       COUNT  WHY\n"
                              "alice                          1  short\n"
                              "a-name-that-goes-on-for-~  12345  and a reason that is long~\n");
    free(text);
}

static void a_generated_password_is_long_and_easy_to_read(void **state)
{
    (void)state;
    struct random_test rt;
    random_test_init(&rt, 3);
    const struct random rng = {random_test_fill, &rt};
    char a[PASSWORD_MAX], b[PASSWORD_MAX];
    password_generate(&rng, a);
    password_generate(&rng, b);
    assert_int_equal(strlen(a), 23);
    assert_string_not_equal(a, b);
    for (size_t i = 0; i < 23; i++)
        assert_true(i % 6 == 5 ? a[i] == '-' : strchr("abcdefghijkmnpqrstuvwxyz23456789", a[i]) != NULL);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TZ", "UTC", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_counted_as_people_count),
        cmocka_unit_test(sizes_and_times_are_short),
        cmocka_unit_test(dates_are_read_in_all_their_forms),
        cmocka_unit_test(numbers_are_digits_alone),
        cmocka_unit_test(nothing_steers_the_terminal),
        cmocka_unit_test(a_table_fits_and_marks_what_it_cut),
        cmocka_unit_test(a_generated_password_is_long_and_easy_to_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
