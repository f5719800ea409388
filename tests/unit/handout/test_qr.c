/* The forms of QR codes; tests/handout/test_qr.py reads them with a scanner. */
#include "tests/test.h"

#include "handout/handout.h"

static char text[HANDOUT_QR_MAX];

static void colours_stand_on_every_line(void **state)
{
    struct writer w = wr_init(text, sizeof text - 1);
    size_t lines = 0;
    (void)state;
    assert_int_equal(handout_qr_text(view_str("https://vpn.example.net/invite#x"), true, &w), ERR_OK);
    text[w.n] = '\0';
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
        assert_int_equal(strncmp(line, "\x1b[40;97m", 8), 0);
        assert_string_equal(line + strlen(line) - 4, "\x1b[0m");
    }
    assert_true(lines > 15);
}

static void a_title_is_text(void **state)
{
    struct writer w = wr_init(text, sizeof text - 1);
    (void)state;
    assert_int_equal(handout_qr_svg(view_str("x"), "<script>&", &w), ERR_OK);
    text[w.n] = '\0';
    assert_non_null(strstr(text, "<title>&lt;script>&amp;</title>"));
}

static void what_does_not_fit_is_refused(void **state)
{
    static char longest[5000];
    struct writer w = wr_init(text, sizeof text), small = wr_init(text, 100);
    (void)state;
    memset(longest, 'x', sizeof longest);
    assert_int_equal(handout_qr_text(view_of(longest, sizeof longest), false, &w), ERR_LIMIT);
    assert_int_equal(handout_qr_text(view_of(longest, 3000), false, &w), ERR_LIMIT);
    assert_int_equal(handout_qr_text(VIEW_NONE, false, &w), ERR_LIMIT);
    assert_int_equal(handout_qr_text(view_str("x"), false, &small), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_stand_on_every_line),
        cmocka_unit_test(a_title_is_text),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
