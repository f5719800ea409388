/* AES-CBC: RFC 3602 section 4 and NIST SP 800-38A appendix F.2; DES: FIPS 81; 3DES: NIST SP 800-67 by its example. */
#include "crypto/crypto.h"
#include "tests/test.h"

#define TEXT_MAX 80

struct cbc_case {
    enum cipher cipher;
    const char *key, *iv, *plain, *sealed;
};

static void check(const struct cbc_case *c)
{
    uint8_t key[32], iv[CIPHER_BLOCK_MAX], first_iv[CIPHER_BLOCK_MAX], plain[TEXT_MAX], sealed[TEXT_MAX],
        data[TEXT_MAX];
    size_t key_n = unhex(c->key, key, sizeof(key));
    size_t block = cipher_block(c->cipher);
    assert_int_equal(unhex(c->iv, first_iv, sizeof(first_iv)), block);
    size_t n = unhex(c->plain, plain, sizeof(plain));
    assert_int_equal(unhex(c->sealed, sealed, sizeof(sealed)), n);

    memcpy(iv, first_iv, block);
    memcpy(data, plain, n);
    assert_int_equal(cbc_encrypt(c->cipher, view_of(key, key_n), iv, data, n), ERR_OK);
    assert_memory_equal(data, sealed, n);
    assert_memory_equal(iv, sealed + n - block, block);

    memcpy(iv, first_iv, block);
    assert_int_equal(cbc_decrypt(c->cipher, view_of(key, key_n), iv, data, n), ERR_OK);
    assert_memory_equal(data, plain, n);
    assert_memory_equal(iv, sealed + n - block, block);
}

static void aes_cbc_follows_rfc_3602(void **state)
{
    (void)state;
    static const struct cbc_case cases[] = {
        {CIPHER_AES, "06a9214036b8a15b512e03d534120006", "3dafba429d9eb430b422da802c9fac41",
         "53696e676c6520626c6f636b206d7367", "e353779c1079aeb82708942dbe77181a"},
        {CIPHER_AES, "c286696d887c9aa0611bbb3e2025a45a", "562e17996d093d28ddb3ba695a2e6f58",
         "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
         "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1"},
        {CIPHER_AES, "6c3ea0477630ce21a2ce334aa746c2cd", "c782dc4c098c66cbd9cd27d825682c81",
         "5468697320697320612034382d62797465206d657373616765202865786163746c7920332041455320626c6f636b7329",
         "d0a02b3836451753d493665d33f0e8862dea54cdb293abc7506939276772f8d5021c19216bad525c8579695d83ba2684"},
        {CIPHER_AES, "56e47a38c5598974bc46903dba290349", "8ce82eefbea0da3c44699ed7db51b7d9",
         "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
         "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
         "c30e32ffedc0774e6aff6af0869f71aa0f3af07a9a31a9c684db207eb0ef8e4e"
         "35907aa632c3ffdf868bb7b29d3d46ad83ce9f9a102ee99d49a53e87f4c3da55"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(&cases[i]);
}

static void aes_cbc_follows_sp_800_38a_for_every_key_size(void **state)
{
    (void)state;
#define PLAIN                                                                                                          \
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"                                                 \
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    static const struct cbc_case cases[] = {
        {CIPHER_AES, "2b7e151628aed2a6abf7158809cf4f3c", "000102030405060708090a0b0c0d0e0f", PLAIN,
         "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
         "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"},
        {CIPHER_AES, "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", "000102030405060708090a0b0c0d0e0f", PLAIN,
         "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
         "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd"},
        {CIPHER_AES, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
         "000102030405060708090a0b0c0d0e0f", PLAIN,
         "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
         "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(&cases[i]);
}

static void des_cbc_follows_fips_81(void **state)
{
    (void)state;
    /* "Now is the time for all " */
    static const struct cbc_case c = {CIPHER_DES, "0123456789abcdef", "1234567890abcdef",
                                      "4e6f77206973207468652074696d6520666f7220616c6c20",
                                      "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"};
    check(&c);
}

static void triple_des_follows_sp_800_67(void **state)
{
    (void)state;
    /* Appendix B enciphers "The qufck brown fox jump" in ECB: its blocks, each with a zero IV. */
    static const char key[] = "0123456789abcdef23456789abcdef01456789abcdef0123";
    static const struct cbc_case cases[] = {
        {CIPHER_3DES, key, "0000000000000000", "5468652071756663", "a826fd8ce53b855f"},
        {CIPHER_3DES, key, "0000000000000000", "6b2062726f776e20", "cce21c8112256fe6"},
        {CIPHER_3DES, key, "0000000000000000", "666f78206a756d70", "68d5c05dd9b6b900"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(&cases[i]);
}

static void triple_des_with_one_key_thrice_is_des(void **state)
{
    (void)state;
    static const struct cbc_case c = {CIPHER_3DES, "0123456789abcdef0123456789abcdef0123456789abcdef",
                                      "1234567890abcdef", "4e6f77206973207468652074696d6520666f7220616c6c20",
                                      "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"};
    check(&c);
}

static void a_weak_des_key_still_encrypts_as_published(void **state)
{
    (void)state;
    static const struct cbc_case c = {CIPHER_DES, "0101010101010101", "0000000000000000", "0000000000000000",
                                      "8ca64de9c1b123a7"};
    check(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_cbc_follows_rfc_3602),
        cmocka_unit_test(aes_cbc_follows_sp_800_38a_for_every_key_size),
        cmocka_unit_test(des_cbc_follows_fips_81),
        cmocka_unit_test(triple_des_follows_sp_800_67),
        cmocka_unit_test(triple_des_with_one_key_thrice_is_des),
        cmocka_unit_test(a_weak_des_key_still_encrypts_as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
