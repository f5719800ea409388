#include "crypto/crypto.h"
#include "tests/test.h"

static const struct {
    enum cipher cipher;
    size_t key_n;
} ciphers[] = {{CIPHER_DES, 8}, {CIPHER_3DES, 24}, {CIPHER_AES, 16}, {CIPHER_AES, 24}, {CIPHER_AES, 32}};

static void fill(uint8_t *p, size_t n, uint8_t from)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(from + i);
}

/* RFC 2409 appendix B: the last block of one message is the IV of the next. */
static void messages_in_a_row_are_one_chain(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
        uint8_t key[32], iv[CIPHER_BLOCK_MAX] = {7}, chained[96], whole[96], plain[96];
        struct view k = view_of(key, ciphers[i].key_n);
        fill(key, sizeof(key), 1);
        fill(plain, sizeof(plain), 40);
        memcpy(chained, plain, sizeof(plain));
        memcpy(whole, plain, sizeof(plain));
        assert_int_equal(cbc_encrypt(ciphers[i].cipher, k, iv, whole, 96), ERR_OK);

        uint8_t run[CIPHER_BLOCK_MAX] = {7};
        assert_int_equal(cbc_encrypt(ciphers[i].cipher, k, run, chained, 16), ERR_OK);
        assert_int_equal(cbc_encrypt(ciphers[i].cipher, k, run, chained + 16, 32), ERR_OK);
        assert_int_equal(cbc_encrypt(ciphers[i].cipher, k, run, chained + 48, 0), ERR_OK);
        assert_int_equal(cbc_encrypt(ciphers[i].cipher, k, run, chained + 48, 48), ERR_OK);
        assert_memory_equal(chained, whole, 96);
        assert_memory_equal(run, iv, cipher_block(ciphers[i].cipher));

        memset(run, 0, sizeof(run));
        run[0] = 7;
        assert_int_equal(cbc_decrypt(ciphers[i].cipher, k, run, chained, 48), ERR_OK);
        assert_int_equal(cbc_decrypt(ciphers[i].cipher, k, run, chained + 48, 48), ERR_OK);
        assert_memory_equal(chained, plain, 96);
        assert_memory_equal(run, iv, cipher_block(ciphers[i].cipher));
    }
}

static void check_refused(enum cipher c, size_t key_n, size_t n, enum err want)
{
    uint8_t key[40] = {0}, iv[CIPHER_BLOCK_MAX] = {9}, data[48] = {3};
    const uint8_t iv_before[CIPHER_BLOCK_MAX] = {9}, data_before[48] = {3};
    assert_int_equal(cbc_encrypt(c, view_of(key, key_n), iv, data, n), want);
    assert_int_equal(cbc_decrypt(c, view_of(key, key_n), iv, data, n), want);
    assert_memory_equal(iv, iv_before, sizeof(iv));
    assert_memory_equal(data, data_before, sizeof(data));
}

static void a_broken_block_or_a_key_of_another_size_changes_nothing(void **state)
{
    (void)state;
    check_refused(CIPHER_AES, 16, 15, ERR_INVALID);
    check_refused(CIPHER_AES, 16, 40, ERR_INVALID);
    check_refused(CIPHER_DES, 8, 12, ERR_INVALID);
    check_refused(CIPHER_AES, 0, 16, ERR_INVALID);
    check_refused(CIPHER_AES, 20, 16, ERR_INVALID);
    check_refused(CIPHER_AES, 33, 16, ERR_INVALID);
    check_refused(CIPHER_3DES, 16, 16, ERR_INVALID);
    check_refused(CIPHER_DES, 7, 16, ERR_INVALID);
    check_refused(CIPHER_NONE, 16, 16, ERR_UNSUPPORTED);
    check_refused((enum cipher)77, 16, 16, ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_in_a_row_are_one_chain),
        cmocka_unit_test(a_broken_block_or_a_key_of_another_size_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
