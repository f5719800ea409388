#include "crypto/crypto.h"
#include "tests/test.h"

static const struct {
    struct esp_transform t;
    size_t iv, icv, block, cipher_key, auth_key;
    const char *name;
} rows[] = {
    {{ESP_CIPHER_AES_CBC, 16, ESP_AUTH_SHA1_96}, 16, 12, 16, 16, 20, "aes128-sha1"},
    {{ESP_CIPHER_AES_CBC, 24, ESP_AUTH_SHA384_192}, 16, 24, 16, 24, 48, "aes192-sha384"},
    {{ESP_CIPHER_AES_CBC, 32, ESP_AUTH_SHA256_128}, 16, 16, 16, 32, 32, "aes256-sha256"},
    {{ESP_CIPHER_AES_CBC, 32, ESP_AUTH_SHA256_96}, 16, 12, 16, 32, 32, "aes256-sha256_96"},
    {{ESP_CIPHER_AES_CBC, 32, ESP_AUTH_SHA512_256}, 16, 32, 16, 32, 64, "aes256-sha512"},
    {{ESP_CIPHER_3DES, 24, ESP_AUTH_SHA1_96}, 8, 12, 8, 24, 20, "3des-sha1"},
    {{ESP_CIPHER_DES, 8, ESP_AUTH_MD5_96}, 8, 12, 8, 8, 16, "des-md5"},
    {{ESP_CIPHER_NULL, 0, ESP_AUTH_SHA1_96}, 0, 12, 4, 0, 20, "null-sha1"},
    {{ESP_CIPHER_AES_GCM, 16, ESP_AUTH_NONE}, 8, 16, 4, 20, 0, "aes128gcm16"},
    {{ESP_CIPHER_AES_GCM, 24, ESP_AUTH_NONE}, 8, 16, 4, 28, 0, "aes192gcm16"},
    {{ESP_CIPHER_AES_GCM, 32, ESP_AUTH_NONE}, 8, 16, 4, 36, 0, "aes256gcm16"},
};

static void transforms_have_the_measures_of_their_rfcs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(esp_iv_size(&rows[i].t), rows[i].iv);
        assert_int_equal(esp_icv_size(&rows[i].t), rows[i].icv);
        assert_int_equal(esp_block(&rows[i].t), rows[i].block);
        assert_int_equal(esp_cipher_key_size(&rows[i].t), rows[i].cipher_key);
        assert_int_equal(esp_auth_key_size(&rows[i].t), rows[i].auth_key);
        assert_string_equal(esp_transform_name(&rows[i].t), rows[i].name);
    }
}

static void a_transform_that_is_none_has_a_name_all_the_same(void **state)
{
    (void)state;
    const struct esp_transform odd[] = {
        {ESP_CIPHER_AES_CBC, 17, ESP_AUTH_SHA1_96},
        {(enum esp_cipher)50, 16, ESP_AUTH_SHA1_96},
        {ESP_CIPHER_AES_CBC, 16, (enum esp_auth)50},
    };
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        assert_string_equal(esp_transform_name(&odd[i]), "unknown");
        assert_true(esp_block(&odd[i]) >= 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transforms_have_the_measures_of_their_rfcs),
        cmocka_unit_test(a_transform_that_is_none_has_a_name_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
