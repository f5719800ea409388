/* What comes from outside gets into a page as text, whatever it holds. */
#include "tests/test.h"

#include "portal/portal_internal.h"

static const char *text_of(struct page *page)
{
    page_raw(page, "", 1);
    assert_false(page->failed);
    return page->p;
}

static void text_is_escaped_in_content_and_attributes(void **state)
{
    (void)state;
    struct page page;
    page_init(&page, LANGUAGE_EN);
    page_html(&page, "<b title=\"");
    page_text(&page, "\" onclick='x' <script>&amp;");
    page_html(&page, "\">");
    assert_string_equal(text_of(&page), "<b title=\"&quot; onclick=&#39;x&#39; &lt;script&gt;&amp;amp;\">");
    page_done(&page);
}

/* Found by the fuzzer of headers: a page without memory yet. */
static void no_text_is_no_page_yet(void **state)
{
    (void)state;
    struct page page;
    page_init(&page, LANGUAGE_EN);
    page_text(&page, "");
    assert_null(page.p);
    assert_false(page.failed);
    page_done(&page);
}

static void a_name_in_a_message_is_escaped_too(void **state)
{
    (void)state;
    struct page page;
    page_init(&page, LANGUAGE_JA);
    page_say_of(&page, SAY_INVITE_FOR, "<alice>");
    assert_string_equal(text_of(&page), "&lt;alice&gt; さん、ようこそ。VPN へのログイン方法を決めてください。");
    page_done(&page);
}

static void a_name_in_a_link_is_percent_encoded(void **state)
{
    (void)state;
    struct page page;
    page_init(&page, LANGUAGE_EN);
    page_query(&page, "a&b=\"c\" d\xe9");
    assert_string_equal(text_of(&page), "a%26b%3D%22c%22%20d%E9");
    page_done(&page);
}

static void numbers_are_told_in_units_of_people(void **state)
{
    (void)state;
    struct page page;
    page_init(&page, LANGUAGE_EN);
    page_bytes(&page, 999);
    page_html(&page, "|");
    page_bytes(&page, 1250);
    page_html(&page, "|");
    page_bytes(&page, 123456789012);
    page_html(&page, "|");
    page_time(&page, 0);
    page_html(&page, "|");
    page_time(&page, 1796000000);
    assert_string_equal(text_of(&page), "999 B|1.2 kB|123 GB|\xe2\x80\x93|<time datetime=\"2026-11-30T00:53:20Z\">"
                                        "2026-11-30 00:53 UTC</time>");
    page_done(&page);
}

static void a_page_too_large_is_no_page(void **state)
{
    (void)state;
    struct page page;
    page_init(&page, LANGUAGE_EN);
    for (size_t i = 0; i < PAGE_MAX / 16 + 1; i++)
        page_html(&page, "0123456789abcdef");
    assert_true(page.failed);
    assert_true(page.n <= PAGE_MAX);
    page_done(&page);
}

static void a_date_goes_there_and_back(void **state)
{
    (void)state;
    char text[DATE_TEXT];
    uint64_t at;
    assert_int_equal(date_read("2027-02-28", &at), ERR_OK);
    date_write(at, text);
    assert_string_equal(text, "2027-02-28");
    date_write(0, text);
    assert_string_equal(text, "");
    date_write(253402300799, text);
    assert_string_equal(text, "9999-12-31");
    const char *const bad[] = {"", "2027-13-01", "tomorrow", "2027-02-28x", "99999-01-01", "1900-01-01"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(date_read(bad[i], &at), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped_in_content_and_attributes),
        cmocka_unit_test(no_text_is_no_page_yet),
        cmocka_unit_test(a_name_in_a_message_is_escaped_too),
        cmocka_unit_test(a_name_in_a_link_is_percent_encoded),
        cmocka_unit_test(numbers_are_told_in_units_of_people),
        cmocka_unit_test(a_page_too_large_is_no_page),
        cmocka_unit_test(a_date_goes_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
