/* Targets, forms and cookies, as browsers send them and as attackers do. */
#include "tests/test.h"

#include "portal/portal_internal.h"

static void a_form_gives_its_fields_decoded(void **state)
{
    (void)state;
    struct form form;
    uint64_t n;
    assert_int_equal(form_parse(view_str("name=a+b%26c&password=%E9%96%A2%3D&empty=&flag&max_sessions=12"), &form),
                     ERR_OK);
    assert_string_equal(form_value(&form, "name"), "a b&c");
    assert_string_equal(form_value(&form, "password"), "関=");
    assert_true(form_has(&form, "empty") && form_has(&form, "flag"));
    assert_string_equal(form_value(&form, "absent"), "");
    assert_int_equal(form_number(&form, "max_sessions", 12, &n), ERR_OK);
    assert_int_equal(n, 12);
    assert_int_equal(form_number(&form, "max_sessions", 11, &n), ERR_MALFORMED);
    assert_int_equal(form_number(&form, "name", 100, &n), ERR_MALFORMED);
    assert_int_equal(form_number(&form, "absent", 100, &n), ERR_MALFORMED);
    form_done(&form);
}

static void a_date_of_a_form_may_be_empty(void **state)
{
    (void)state;
    struct form form;
    uint64_t at = 1;
    assert_int_equal(form_parse(view_str("some=1970-01-02&none=&bad=tomorrow"), &form), ERR_OK);
    assert_int_equal(form_date(&form, "none", &at), ERR_OK);
    assert_int_equal(at, 0);
    assert_int_equal(form_date(&form, "some", &at), ERR_OK);
    assert_int_equal(at, 86400);
    assert_int_equal(form_date(&form, "bad", &at), ERR_INVALID);
    form_done(&form);
}

static void a_field_was_changed_when_it_is_not_as_it_was_shown(void **state)
{
    (void)state;
    struct form form;
    assert_int_equal(
        form_parse(view_str("note=a%22b&was_note=a%22b&group=field&was_group=&was_pool=office&was_off=&old=x"), &form),
        ERR_OK);
    assert_false(form_changed(&form, "note"));
    assert_true(form_changed(&form, "group"));
    assert_true(form_changed(&form, "pool"));
    assert_false(form_changed(&form, "off")); /* a box that was empty and still is */
    assert_true(form_changed(&form, "old"));  /* nobody says how it was shown */
    assert_true(form_changed(&form, "absent"));
    assert_true(form_changed(&form, "a_name_longer_than_all_of_ours"));
    form_done(&form);
}

static void a_form_that_could_mean_two_things_is_refused(void **state)
{
    (void)state;
    struct form form;
    const char *const bad[] = {
        "name=%",        "name=%4",   "name=%zz", "name=a%00b", "name=a%0Cb",
        "name=1&name=2", "na%3Dme=1", "Name=1",   "=1",         "a_name_longer_than_all_of_ours=1",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (form_parse(view_str(bad[i]), &form) == ERR_OK)
            fail_msg("taken: %s", bad[i]);
}

static void a_form_has_so_many_fields_and_no_more(void **state)
{
    (void)state;
    struct form form;
    char text[FORM_FIELDS_MAX * 8 + 16] = "";
    for (char c = 'a'; c < 'a' + FORM_FIELDS_MAX; c++)
        sprintf(text + strlen(text), "%c=1&", c);
    assert_int_equal(form_parse(view_str(text), &form), ERR_OK);
    assert_int_equal(form.count, FORM_FIELDS_MAX);
    form_done(&form);
    strcat(text, "more=1");
    assert_int_equal(form_parse(view_str(text), &form), ERR_LIMIT);
}

static void a_target_is_a_path_and_a_query(void **state)
{
    (void)state;
    struct view path, query;
    assert_int_equal(target_split(view_str("/admin/user?name=a?b"), &path, &query), ERR_OK);
    assert_true(view_equal(path, view_str("/admin/user")) && view_equal(query, view_str("name=a?b")));
    assert_int_equal(target_split(view_str("/"), &path, &query), ERR_OK);
    assert_int_equal(query.n, 0);
    const char *const bad[] = {"", "http://other/", "*", "me", "/a b", "/a\x7f", "/\xc3\xa9", "/a#b"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(target_split(view_str(bad[i]), &path, &query), ERR_MALFORMED);
}

static void a_cookie_is_found_among_others(void **state)
{
    (void)state;
    struct view value;
    const struct view header = view_str("a=1; __Host-sekisho=abc; x__Host-sekisho=evil;b");
    assert_int_equal(cookie_find(header, "__Host-sekisho", &value), ERR_OK);
    assert_true(view_equal(value, view_str("abc")));
    assert_int_equal(cookie_find(header, "b", &value), ERR_OK);
    assert_int_equal(value.n, 0);
    assert_int_equal(cookie_find(header, "c", &value), ERR_NOTFOUND);
    assert_int_equal(cookie_find(VIEW_NONE, "c", &value), ERR_NOTFOUND);
}

static void hex_has_the_one_length_that_is_asked_for(void **state)
{
    (void)state;
    uint8_t bytes[2];
    char text[5];
    assert_true(hex_read(view_str("0aFf"), bytes, 2));
    hex_write(bytes, 2, text);
    assert_string_equal(text, "0aff");
    assert_false(hex_read(view_str("0aF"), bytes, 2));
    assert_false(hex_read(view_str("0aFff"), bytes, 2));
    assert_false(hex_read(view_str("0aFg"), bytes, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_gives_its_fields_decoded),
        cmocka_unit_test(a_date_of_a_form_may_be_empty),
        cmocka_unit_test(a_field_was_changed_when_it_is_not_as_it_was_shown),
        cmocka_unit_test(a_form_that_could_mean_two_things_is_refused),
        cmocka_unit_test(a_form_has_so_many_fields_and_no_more),
        cmocka_unit_test(a_target_is_a_path_and_a_query),
        cmocka_unit_test(a_cookie_is_found_among_others),
        cmocka_unit_test(hex_has_the_one_length_that_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
