/* One-time codes: appendix D of RFC 4226, appendix B of RFC 6238; base32: section 10 of RFC 4648. */
#include "crypto/crypto.h"
#include "tests/test.h"

static const char seed20[] = "12345678901234567890";
static const char seed32[] = "12345678901234567890123456789012";
static const char seed64[] = "1234567890123456789012345678901234567890123456789012345678901234";

static void the_ten_values_of_rfc_4226_come_out(void **state)
{
    (void)state;
    static const char *const want[] = {"755224", "287082", "359152", "969429", "338314",
                                       "254676", "287922", "162583", "399871", "520489"};
    char code[TOTP_CODE_SIZE];
    for (uint64_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_int_equal(hotp(HASH_SHA1, view_str(seed20), i, 6, code), ERR_OK);
        assert_string_equal(code, want[i]);
    }
}

static void the_table_of_rfc_6238_comes_out(void **state)
{
    (void)state;
    static const struct {
        uint64_t time;
        const char *sha1, *sha256, *sha512;
    } rows[] = {
        {59, "94287082", "46119246", "90693936"},         {1111111109, "07081804", "68084774", "25091201"},
        {1111111111, "14050471", "67062674", "99943326"}, {1234567890, "89005924", "91819424", "93441116"},
        {2000000000, "69279037", "90698825", "38618901"}, {20000000000, "65353130", "77737706", "47863826"},
    };
    char code[TOTP_CODE_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const uint64_t step = rows[i].time / TOTP_STEP;
        assert_int_equal(hotp(HASH_SHA1, view_str(seed20), step, 8, code), ERR_OK);
        assert_string_equal(code, rows[i].sha1);
        assert_int_equal(hotp(HASH_SHA256, view_str(seed32), step, 8, code), ERR_OK);
        assert_string_equal(code, rows[i].sha256);
        assert_int_equal(hotp(HASH_SHA512, view_str(seed64), step, 8, code), ERR_OK);
        assert_string_equal(code, rows[i].sha512);
        assert_int_equal(totp_code(view_str(seed20), step, code), ERR_OK);
        assert_string_equal(code, rows[i].sha1 + 2);
    }
}

static void codes_of_other_lengths_are_refused(void **state)
{
    (void)state;
    char code[TOTP_CODE_SIZE];
    assert_int_equal(hotp(HASH_SHA1, view_str(seed20), 0, 5, code), ERR_INVALID);
    assert_int_equal(hotp(HASH_SHA1, view_str(seed20), 0, 10, code), ERR_INVALID);
    assert_int_equal(hotp(HASH_NONE, view_str(seed20), 0, 6, code), ERR_UNSUPPORTED);
}

static void base32_is_that_of_rfc_4648(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "MY"},
                                          {"fo", "MZXQ"},
                                          {"foo", "MZXW6"},
                                          {"foob", "MZXW6YQ"},
                                          {"fooba", "MZXW6YTB"},
                                          {"foobar", "MZXW6YTBOI"}};
    char text[BASE32_SIZE(6)];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        base32_text(view_str(rows[i][0]), text);
        assert_string_equal(text, rows[i][1]);
        assert_int_equal(BASE32_SIZE(strlen(rows[i][0])), strlen(rows[i][1]) + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ten_values_of_rfc_4226_come_out),
        cmocka_unit_test(the_table_of_rfc_6238_comes_out),
        cmocka_unit_test(codes_of_other_lengths_are_refused),
        cmocka_unit_test(base32_is_that_of_rfc_4648),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
