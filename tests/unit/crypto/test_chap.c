#include "crypto/crypto.h"
#include "tests/test.h"

/* Known answers: MD4 of the UTF-16LE text, computed apart with iconv and the openssl command. */
static void passwords_beyond_ascii_are_hashed_as_utf_16(void **state)
{
    (void)state;
    static const struct {
        const char *password, *hash;
    } known[] = {
        {"p\xc3\xa4ssw\xc3\xb6rd\xe2\x82\xac", "7f20bf6e69d97371914a8807579cab5c"}, /* two and three bytes */
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "ced13822047f22ce2b3e7d763955f48e"},
        {"a\xf0\x9f\x98\x80"
         "b",
         "ffdc8b254768fd97bf7c08fcffd66fc1"},                                     /* U+1F600: a surrogate pair */
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "c6ba1f3cda567933d73312a200c63b00"}, /* U+10000 and U+10FFFF */
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        uint8_t want[MSCHAP_NT_HASH_SIZE], got[MSCHAP_NT_HASH_SIZE];
        unhex(known[i].hash, want, sizeof(want));
        assert_int_equal(mschap_nt_hash(view_str(known[i].password), got), ERR_OK);
        assert_memory_equal(got, want, sizeof(want));
    }
}

static void check_refused(const char *password)
{
    uint8_t out[MSCHAP_NT_HASH_SIZE] = {0x5a};
    const uint8_t before[MSCHAP_NT_HASH_SIZE] = {0x5a};
    assert_int_equal(mschap_nt_hash(view_str(password), out), ERR_INVALID);
    assert_memory_equal(out, before, sizeof(out));
}

static void what_is_not_utf_8_is_no_password(void **state)
{
    (void)state;
    check_refused("\x80");         /* a continuation without a lead */
    check_refused("ab\xc3");       /* cut after the lead */
    check_refused("\xe2\x82");     /* cut before the last byte */
    check_refused("\xf0\x9f\x98"); /* the same with four */
    check_refused("\xc3(");        /* no continuation */
    check_refused("\xe2\x82(");
    check_refused("\xc0\x80");         /* overlong NUL */
    check_refused("\xc1\xbf");         /* overlong, two bytes */
    check_refused("\xe0\x9f\xbf");     /* overlong, three */
    check_refused("\xf0\x8f\xbf\xbf"); /* overlong, four */
    check_refused("\xed\xa0\x80");     /* the first surrogate */
    check_refused("\xed\xbf\xbf");     /* the last one */
    check_refused("\xf4\x90\x80\x80"); /* past U+10FFFF */
    check_refused("\xf5\x80\x80\x80");
    check_refused("\xff");
}

static void the_edges_of_utf_8_are_passwords(void **state)
{
    (void)state;
    static const char *const edges[] = {"\x7f",         "\xc2\x80",         "\xdf\xbf",        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf", "\xee\x80\x80",     "\xef\xbf\xbf",    "\xf0\x90\x80\x80",
                                        "\x01",         "\xf4\x8f\xbf\xbf", "\xef\xbb\xbf bom"};
    for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
        uint8_t out[MSCHAP_NT_HASH_SIZE];
        assert_int_equal(mschap_nt_hash(view_str(edges[i]), out), ERR_OK);
    }
}

/* RFC 2759 section 8: a password has 0 to 256 Unicode characters. */
static void a_password_has_at_most_256_characters(void **state)
{
    (void)state;
    uint8_t ascii[257], out[MSCHAP_NT_HASH_SIZE];
    memset(ascii, 'x', sizeof(ascii));
    assert_int_equal(mschap_nt_hash(view_of(ascii, 256), out), ERR_OK);
    assert_int_equal(mschap_nt_hash(view_of(ascii, 257), out), ERR_INVALID);

    uint8_t pairs[4 * 129];
    for (size_t i = 0; i < sizeof(pairs); i += 4)
        memcpy(pairs + i, "\xf0\x9f\x98\x80", 4);
    assert_int_equal(mschap_nt_hash(view_of(pairs, sizeof(pairs) - 4), out), ERR_OK);
    assert_int_equal(mschap_nt_hash(view_of(pairs, sizeof(pairs)), out), ERR_INVALID);
    /* one unit is left, and a pair needs two */
    memcpy(pairs, "\xf0\x9f\x98\x80", 4);
    pairs[0] = 'a';
    memmove(pairs + 1, pairs + 4, sizeof(pairs) - 4);
    assert_int_equal(mschap_nt_hash(view_of(pairs, 1 + sizeof(pairs) - 4), out), ERR_INVALID);
}

/* A response answers one pair of challenges, one name, one password. */
static void every_input_of_a_response_matters(void **state)
{
    (void)state;
    uint8_t hash[MSCHAP_NT_HASH_SIZE] = {1}, a[MSCHAP_CHALLENGE_SIZE] = {2}, p[MSCHAP_CHALLENGE_SIZE] = {3};
    uint8_t first[MSCHAP_NT_RESPONSE], other[MSCHAP_NT_RESPONSE];
    assert_int_equal(mschapv2_nt_response(hash, a, p, view_str("user"), first), ERR_OK);

    assert_int_equal(mschapv2_nt_response(hash, a, p, view_str("User"), other), ERR_OK);
    assert_memory_not_equal(first, other, sizeof(first));
    a[15] ^= 1;
    assert_int_equal(mschapv2_nt_response(hash, a, p, view_str("user"), other), ERR_OK);
    assert_memory_not_equal(first, other, sizeof(first));
    a[15] ^= 1;
    p[15] ^= 1;
    assert_int_equal(mschapv2_nt_response(hash, a, p, view_str("user"), other), ERR_OK);
    assert_memory_not_equal(first, other, sizeof(first));
    p[15] ^= 1;
    hash[0] ^= 1; /* the first key: the first eight bytes change, the others stay */
    assert_int_equal(mschapv2_nt_response(hash, a, p, view_str("user"), other), ERR_OK);
    assert_memory_not_equal(first, other, 8);
    assert_memory_equal(first + 8, other + 8, 16);
    hash[0] ^= 1;
    assert_int_equal(mschapv2_nt_response(hash, a, p, view_str("user"), other), ERR_OK);
    assert_memory_equal(first, other, sizeof(first));
}

static void a_name_may_be_empty(void **state)
{
    (void)state;
    const uint8_t hash[MSCHAP_NT_HASH_SIZE] = {1}, challenge[MSCHAP_CHALLENGE_SIZE] = {2};
    uint8_t response[MSCHAP_NT_RESPONSE], proof[MSCHAP_AUTH_RESPONSE];
    assert_int_equal(mschapv2_nt_response(hash, challenge, challenge, VIEW_NONE, response), ERR_OK);
    assert_int_equal(mschapv2_authenticator_response(hash, response, challenge, challenge, VIEW_NONE, proof), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passwords_beyond_ascii_are_hashed_as_utf_16),
        cmocka_unit_test(what_is_not_utf_8_is_no_password),
        cmocka_unit_test(the_edges_of_utf_8_are_passwords),
        cmocka_unit_test(a_password_has_at_most_256_characters),
        cmocka_unit_test(every_input_of_a_response_matters),
        cmocka_unit_test(a_name_may_be_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
