/* Distinguished names as text. */
#include "ike/ike_message.h"
#include "tests/test.h"

static uint8_t bytes[512];

static struct view hex(const char *text)
{
    return view_of(bytes, unhex(text, bytes, sizeof(bytes)));
}

static void names_are_written_most_specific_first(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *text;
    } cases[] = {
        /* all words, all that needs escaping, two attributes in one part, UTF-8 */
        {"3081e7 310b 3009 0603550406 13024a50 3110 300e 0603550408 0c0754c58d6b79c58d"
         "3112 3010 0603550407 0c094d696e61746f2d6b75"
         "311b 3019 060355040a 0c1253656b6973686f2c20496e632e20224b4b22"
         "3119 3009 060355040b 0c022331 300c 0603550403 0c05616c696365"
         "3120 301e 06092a864886f70d010901 1611616c696365406578616d706c652e636f6d"
         "3115 3013 060a0992268993f22c640119 16056c6f63616c 3112 3010 060a0992268993f22c640101 0c026131"
         "310c 300a 0603550405 1303203720 310b 3009 060355040c 0c024472"
         "3112 3010 0603550403 0c09613c623e3b635c5c64",
         "CN=a\\<b\\>\\;c\\\\\\\\d, title=Dr, serialNumber=\\ 7\\ , UID=a1, DC=local, emailAddress=alice@example.com, "
         "OU=\\#1+CN=alice, O=Sekisho\\, Inc. \\\"KK\\\", L=Minato-ku, ST=T\\C5\\8Dky\\C5\\8D, C=JP"},
        /* BMPString: Latin, Greek, Japanese */
        {"3011 310f 300d 0603550403 1e06 0041 03b1 95a2", "CN=A\\CE\\B1\\E9\\96\\A2"},
        /* an attribute without a word */
        {"3016 3114 3012 060b2b0601040182373c020103 13034a5050", "1.3.6.1.4.1.311.60.2.1.3=JPP"},
        {"300e 310c 300a 0604883703 7f 0c02 6162", "2.999.3.127=ab"},
        /* an empty value */
        {"300b 3109 3007 0603550403 0c00", "CN="},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[300];
        assert_true(name_text(hex(cases[i].hex), text, sizeof(text)));
        assert_string_equal(text, cases[i].text);
    }
}

static void what_is_no_name_gives_no_text(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "30",
        "3000",                                           /* no part */
        "3002 3100",                                      /* an empty part */
        "3010 310e 300c 0603550403 0c05 616c6963",        /* cut off */
        "3010 310e 300c 0603550403 0c05 616c69636500",    /* something behind */
        "3080 310e 300c 0603550403 0c05 616c696365 0000", /* indefinite length */
        "3010 300e 300c 0603550403 0c05 616c696365",      /* a sequence for a set */
        "3010 310e 310c 0603550403 0c05 616c696365",      /* a set for a sequence */
        "3010 310e 300c 0203550403 0c05 616c696365",      /* a number for an OID */
        "3084 00000010 310e 300c 0603550403 0c05 616c696365",
        "3012 3110 300e 0603550403 0c05 616c696365 0500", /* three things in a pair */
        "300d 310b 3009 0600 0c05 616c696365",            /* no OID */
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[128] = "before";
        assert_false(name_text(hex(bad[i]), text, sizeof(text)));
        assert_string_equal(text, "");
    }
}

static void a_long_name_is_cut_between_characters(void **state)
{
    (void)state;
    char whole[64], text[64];
    const struct view good = hex("301e 310d 300b 0603550406 0c04c58dc58d 310d 300b 0603550403 0c04 612c6264");
    assert_true(name_text(good, whole, sizeof(whole)));
    assert_string_equal(whole, "CN=a\\,bd, C=\\C5\\8D\\C5\\8D");
    for (size_t cap = 1; cap <= strlen(whole) + 1; cap++) {
        memset(text, 'x', sizeof(text));
        assert_true(name_text(good, text, cap));
        const size_t n = strlen(text);
        assert_true(n < cap);
        assert_memory_equal(text, whole, n);
        assert_true(n == 0 || text[n - 1] != '\\'); /* no half of a pair */
        for (size_t i = cap; i < sizeof(text); i++)
            assert_int_equal(text[i], 'x');
    }
    assert_string_equal(text, whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_written_most_specific_first),
        cmocka_unit_test(what_is_no_name_gives_no_text),
        cmocka_unit_test(a_long_name_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
