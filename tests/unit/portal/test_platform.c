/* A browser says what it runs on, or does not; what it says is a device that there is set-up for. */
#include "tests/test.h"

#include "handout/handout.h"
#include "portal/portal_internal.h"

struct told {
    const char *hint, *agent, *device;
};

static void expect(const struct told *cases, size_t n)
{
    enum handout_device device;
    for (size_t i = 0; i < n; i++) {
        const char *word = platform_told(view_str(cases[i].hint), view_str(cases[i].agent));
        if (strcmp(word, cases[i].device) != 0)
            fail_msg("%s %s: \"%s\", not \"%s\"", cases[i].hint, cases[i].agent, word, cases[i].device);
        if (word[0] != '\0')
            assert_true(handout_find(word, &device));
    }
}

static void browsers_say_it_in_the_first_comment_of_their_user_agent(void **state)
{
    (void)state;
    static const struct told cases[] = {
        {"", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0", "windows"},
        {"", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15",
         "macos"},
        {"", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1",
         "ios"},
        {"", "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1", "ios"},
        {"", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36", "android"},
        {"", "Mozilla/5.0 (Android 11; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0", "android"},
        {"", "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36", "chromeos"},
        {"", "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "linux"},
        {"", "Mozilla/5.0 (Wayland; Linux x86_64; Surface) AppleWebKit/537.36 Safari/537.36", "linux"},
    };
    expect(cases, ARRAY_LEN(cases));
}

static void the_hint_counts_more_than_the_user_agent(void **state)
{
    (void)state;
    static const char on_linux[] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36";
    static const struct told cases[] = {
        {"\"Android\"", on_linux, "android"}, {"\"Windows\"", on_linux, "windows"},
        {"\"macOS\"", on_linux, "macos"},     {"\"Chrome OS\"", on_linux, "chromeos"},
        {"\"iOS\";a=1", on_linux, "ios"},     {"\"Chromium OS\"", "", "chromeos"},
        {"\"Unknown\"", on_linux, "linux"},   {"Windows", on_linux, "linux"},
        {"\"Windows", on_linux, "linux"},     {"\"\"", on_linux, "linux"},
    };
    expect(cases, ARRAY_LEN(cases));
}

static void what_is_none_of_them_is_not_guessed(void **state)
{
    (void)state;
    static const struct told cases[] = {
        {"", "", ""},
        {"\"", "(", ""},
        {"", "curl/8.8.0", ""},
        {"", "Windows NT iPhone Android", ""},
        {"", "Mozilla/5.0 (X11; OpenBSD amd64; rv:130.0) Gecko/20100101 Firefox/130.0", ""},
        {"", "Mozilla/5.0 (Linux; Tizen 2.3) AppleWebKit/538.1", ""},
        {"", "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft) AppleWebKit/537.36", ""},
        {"", "Thing/1.0 (a (nested) box) Mozilla/5.0 (Windows NT 10.0)", ""},
    };
    expect(cases, ARRAY_LEN(cases));
}

static void a_comment_that_is_not_closed_goes_to_the_end(void **state)
{
    (void)state;
    static const struct told cases[] = {
        {"", "Mozilla/5.0 (Windows NT 10.0", "windows"},
        {"", "Mozilla/5.0 (a (b) Windows NT", "windows"},
        {"", "Mozilla/5.0 (Windows N", ""},
    };
    expect(cases, ARRAY_LEN(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(browsers_say_it_in_the_first_comment_of_their_user_agent),
        cmocka_unit_test(the_hint_counts_more_than_the_user_agent),
        cmocka_unit_test(what_is_none_of_them_is_not_guessed),
        cmocka_unit_test(a_comment_that_is_not_closed_goes_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
