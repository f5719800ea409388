/* The tables of texts: whole in both languages. */
#include "tests/test.h"

#include "handout/handout.h"

static const struct both {
    const char *what, *english, *japanese;
} all[] = {
#define TEXT(name, english, japanese) {#name, english, japanese},
#include "handout/texts.def"
#undef TEXT
#define STEP(device, way, when, english, japanese) {#device " " #way, english, japanese},
#include "handout/steps.def"
#undef STEP
#define DEVICE(name, word, ending, media, logins, certificate, english, japanese) {word, english, japanese},
#include "handout/devices.def"
#undef DEVICE
};

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        n++;
    return n;
}

static void both_languages_say_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].english[0] == '\0' || all[i].japanese[0] == '\0')
            fail_msg("%s is empty", all[i].what);
}

static void both_languages_name_the_same_values(void **state)
{
    static const char *const known[] = {"{server}", "{name}",        "{user}",   "{key}",    "{file}",
                                        "{dns}",    "{certificate}", "{routes}", "{domains}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        size_t values = 0;
        for (size_t k = 0; k < ARRAY_LEN(known); k++) {
            values += count(all[i].english, known[k]);
            if (count(all[i].english, known[k]) != count(all[i].japanese, known[k]))
                fail_msg("%s: %s\n%s", all[i].what, all[i].english, all[i].japanese);
        }
        if (strcmp(all[i].what, "CHROMEOS_USER") != 0 && count(all[i].english, "{") != values)
            fail_msg("%s names a value that is not known: %s", all[i].what, all[i].english);
    }
}

static void japanese_is_japanese(void **state)
{
    (void)state;
    size_t same = 0;
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        same += strcmp(all[i].english, all[i].japanese) == 0;
    assert_int_equal(same, 4); /* Mac, Chromebook, RouterOS and OpenWrt are called so */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_languages_say_it),
        cmocka_unit_test(both_languages_name_the_same_values),
        cmocka_unit_test(japanese_is_japanese),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
