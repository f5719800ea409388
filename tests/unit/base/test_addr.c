#include "tests/test.h"

#include "base/base.h"

static void text_goes_in_and_comes_out_alike(void **state)
{
    (void)state;
    const char *good[] = {"192.0.2.1", "0.0.0.0", "2001:db8::1", "::"};
    char text[IP_TEXT_MAX];
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct ip_addr a;
        assert_int_equal(ip_parse(good[i], &a), ERR_OK);
        assert_string_equal(ip_text(&a, text), good[i]);
    }
}

static void what_is_no_address_is_refused_and_the_output_untouched(void **state)
{
    (void)state;
    const char *bad[] = {"", "192.0.2", "192.0.2.256", "2001:db8:::1", "192.0.2.1 ", "host"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct ip_addr a = ip4_addr(7);
        assert_int_equal(ip_parse(bad[i], &a), ERR_INVALID);
        assert_int_equal(ip4_value(&a), 7);
    }
}

static void endpoints_show_their_port(void **state)
{
    (void)state;
    char text[ENDPOINT_TEXT_MAX];
    struct endpoint e = {.port = 4500};
    assert_int_equal(ip_parse("192.0.2.1", &e.addr), ERR_OK);
    assert_string_equal(endpoint_text(&e, text), "192.0.2.1:4500");
    assert_int_equal(ip_parse("2001:db8::1", &e.addr), ERR_OK);
    assert_string_equal(endpoint_text(&e, text), "[2001:db8::1]:4500");
}

static void addresses_compare_by_family_and_bytes(void **state)
{
    (void)state;
    struct ip_addr a = ip4_addr(0xc0000201), b = ip4_addr(0xc0000201), c = ip4_addr(0xc0000202);
    assert_true(ip_equal(&a, &b));
    assert_false(ip_equal(&a, &c));
    b.family = 6;
    assert_false(ip_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_goes_in_and_comes_out_alike),
        cmocka_unit_test(what_is_no_address_is_refused_and_the_output_untouched),
        cmocka_unit_test(endpoints_show_their_port),
        cmocka_unit_test(addresses_compare_by_family_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
