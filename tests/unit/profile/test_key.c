/* Keys in hexadecimal and base64 (vectors of RFC 4648 section 10). */
#include "tests/test.h"

#include "profile/profile_internal.h"

static void keys_are_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *encoding, *text, *bytes;
    } keys[] = {
        {"text", "0sfoo", "0sfoo"},     {"hex", "666F6f", "foo"},         {"base64", "Zg==", "f"},
        {"base64", "Zm8=", "fo"},       {"base64", "Zm9v", "foo"},        {"base64", "Zm9vYg==", "foob"},
        {"base64", "Zm9vYmE", "fooba"}, {"base64", "Zm9vYmFy", "foobar"},
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct secret s = {0};
        assert_int_equal(profile_key_decode(keys[i].encoding, keys[i].text, &s), ERR_OK);
        assert_int_equal(s.n, strlen(keys[i].bytes));
        assert_memory_equal(s.p, keys[i].bytes, s.n);
    }
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *encoding, *text;
    } keys[] = {
        {"text", ""},           {"hex", ""},         {"hex", "f"},       {"hex", "0x"},
        {"hex", "66 6f"},       {"base64", ""},      {"base64", "Z"},    {"base64", "Zh=="},
        {"base64", "Zm9vY==="}, {"base64", "Zm 9v"}, {"base64", "===="},
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct secret s = {0};
        assert_int_equal(profile_key_decode(keys[i].encoding, keys[i].text, &s), ERR_INVALID);
        assert_int_equal(s.n, 0);
    }
}

static void a_key_has_256_bytes_at_most_however_it_is_written(void **state)
{
    (void)state;
    char text[CONFIG_SECRET_MAX + 2], hex[2 * CONFIG_SECRET_MAX + 3];
    struct secret s = {0};
    memset(text, 'x', sizeof text);
    memset(hex, '7', sizeof hex);
    text[CONFIG_SECRET_MAX] = hex[2 * CONFIG_SECRET_MAX] = '\0';
    assert_int_equal(profile_key_decode("text", text, &s), ERR_OK);
    assert_int_equal(profile_key_decode("hex", hex, &s), ERR_OK);
    assert_int_equal(s.n, CONFIG_SECRET_MAX);
    text[CONFIG_SECRET_MAX] = hex[2 * CONFIG_SECRET_MAX] = 'a';
    text[CONFIG_SECRET_MAX + 1] = hex[2 * CONFIG_SECRET_MAX + 2] = '\0';
    hex[2 * CONFIG_SECRET_MAX + 1] = 'a';
    assert_int_equal(profile_key_decode("text", text, &s), ERR_LIMIT);
    assert_int_equal(profile_key_decode("hex", hex, &s), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_decoded),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(a_key_has_256_bytes_at_most_however_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
