/* Argon2id: the vector of RFC 9106 section 5.3, and what is made with our own parameters. */
#include "tests/test.h"

#include "crypto/crypto_internal.h"

static void argon2id_makes_the_tag_of_the_rfc(void **state)
{
    (void)state;
    static const uint8_t tag[] = {0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37,
                                  0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75,
                                  0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59};
    uint8_t password[32], salt[16], secret[8], associated[12], out[sizeof tag];
    memset(password, 1, sizeof password);
    memset(salt, 2, sizeof salt);
    memset(secret, 3, sizeof secret);
    memset(associated, 4, sizeof associated);
    const struct argon2_input in = {VIEW(password), VIEW(salt), VIEW(secret), VIEW(associated), 3, 32, 4};
    assert_int_equal(argon2id(&in, out, sizeof out), ERR_OK);
    assert_memory_equal(out, tag, sizeof tag);
}

static void a_hash_depends_on_password_and_salt_alone(void **state)
{
    (void)state;
    static const uint8_t salt[ARGON2_SALT_SIZE] = {1}, other[ARGON2_SALT_SIZE] = {2};
    uint8_t a[ARGON2_HASH_SIZE], b[ARGON2_HASH_SIZE];
    assert_int_equal(password_hash(view_str("secret"), salt, a), ERR_OK);
    assert_int_equal(password_hash(view_str("secret"), salt, b), ERR_OK);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(password_hash(view_str("secret"), other, b), ERR_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(password_hash(view_str("Secret"), salt, b), ERR_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(password_hash(VIEW_NONE, salt, b), ERR_OK); /* as much work for nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(argon2id_makes_the_tag_of_the_rfc),
        cmocka_unit_test(a_hash_depends_on_password_and_salt_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
