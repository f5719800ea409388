/* A sentence is told whole for people, and as word and values for whoever says it in another language. */
#include "tests/test.h"

#include "base/base.h"

TELL_DEFINE(PLAIN, "plain", "Nothing is in here, not even 100 percent.")
TELL_DEFINE(RANGE, "range", "%llu is no %s; it must be from %d to %zu.")
TELL_DEFINE(PART, "part", "'%c' and \"%.*s\".")
TELL_DEFINE(MANY, "many", "%u %u %u %u %u")
TELL_DEFINE(NAME, "name", "There is no %s.")

static struct telling told;
static char sentence[64];

__attribute__((format(printf, 2, 3))) static void write(const char *word, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    told_write(&told, sentence, sizeof sentence, word, text, args);
    va_end(args);
}

static void a_sentence_without_values_is_itself(void **state)
{
    (void)state;
    write(TOLD(PLAIN));
    assert_string_equal(sentence, "Nothing is in here, not even 100 percent.");
    assert_string_equal(told.word, "plain");
    assert_int_equal(told.count, 0);
}

static void values_stand_in_the_sentence_and_beside_it(void **state)
{
    (void)state;
    write(TOLD(RANGE), 18446744073709551615ULL, "age", -1, (size_t)120);
    assert_string_equal(sentence, "18446744073709551615 is no age; it must be from -1 to 120.");
    assert_int_equal(told.count, 4);
    assert_string_equal(told.param[0], "18446744073709551615");
    assert_string_equal(told.param[1], "age");
    assert_string_equal(told.param[2], "-1");
    assert_string_equal(told.param[3], "120");
    write(TOLD(PART), '{', 3, "abcdef");
    assert_string_equal(sentence, "'{' and \"abc\".");
    assert_int_equal(told.count, 2);
    assert_string_equal(told.param[0], "{");
    assert_string_equal(told.param[1], "abc");
}

static void what_is_too_much_is_left_out(void **state)
{
    (void)state;
    char name[TOLD_PARAM_MAX + 20];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    write(TOLD(MANY), 1u, 2u, 3u, 4u, 5u);
    assert_string_equal(sentence, "1 2 3 4 5");
    assert_int_equal(told.count, TOLD_PARAMS_MAX);
    write(TOLD(NAME), name);
    assert_int_equal(strlen(sentence), sizeof sentence - 1);
    assert_int_equal(strlen(told.param[0]), TOLD_PARAM_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_without_values_is_itself),
        cmocka_unit_test(values_stand_in_the_sentence_and_beside_it),
        cmocka_unit_test(what_is_too_much_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
