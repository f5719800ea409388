/*
 * What the algorithms of an ESP SA measure and are called: sizes of IV, ICV, block and keys (RFC 2404, 2405, 2451,
 * 3602, 4106, 4868), and one name for people.
 */
#include "crypto/crypto.h"

#define ESP_ALIGN 4 /* RFC 4303 section 2.4 */

struct cipher_shape {
    uint8_t iv, block, salt;
};

static const struct cipher_shape ciphers[] = {
    [ESP_CIPHER_NULL] = {0, ESP_ALIGN, 0}, [ESP_CIPHER_DES] = {8, 8, 0},     [ESP_CIPHER_3DES] = {8, 8, 0},
    [ESP_CIPHER_AES_CBC] = {16, 16, 0},    [ESP_CIPHER_AES_GCM] = {8, 4, 4},
};

struct auth_shape {
    uint8_t icv, key;
};

static const struct auth_shape auths[] = {
    [ESP_AUTH_NONE] = {0, 0},         [ESP_AUTH_MD5_96] = {12, 16},    [ESP_AUTH_SHA1_96] = {12, 20},
    [ESP_AUTH_SHA256_128] = {16, 32}, [ESP_AUTH_SHA256_96] = {12, 32}, [ESP_AUTH_SHA384_192] = {24, 48},
    [ESP_AUTH_SHA512_256] = {32, 64},
};

#define GCM_ICV 16

static struct cipher_shape cipher_of(const struct esp_transform *t)
{
    return (size_t)t->cipher < ARRAY_LEN(ciphers) ? ciphers[t->cipher] : (struct cipher_shape){0, ESP_ALIGN, 0};
}

/* AES-GCM authenticates by itself: whatever auth says is not used with it. */
static struct auth_shape auth_of(const struct esp_transform *t)
{
    if (t->cipher == ESP_CIPHER_AES_GCM)
        return (struct auth_shape){GCM_ICV, 0};
    return (size_t)t->auth < ARRAY_LEN(auths) ? auths[t->auth] : (struct auth_shape){0, 0};
}

size_t esp_iv_size(const struct esp_transform *t)
{
    return cipher_of(t).iv;
}

size_t esp_icv_size(const struct esp_transform *t)
{
    return auth_of(t).icv;
}

size_t esp_block(const struct esp_transform *t)
{
    return cipher_of(t).block;
}

size_t esp_cipher_key_size(const struct esp_transform *t)
{
    return (size_t)t->key_bytes + cipher_of(t).salt;
}

size_t esp_auth_key_size(const struct esp_transform *t)
{
    return auth_of(t).key;
}

/* Ciphers by name, in the order of the rows below. */
enum row { ROW_NULL, ROW_DES, ROW_3DES, ROW_AES128, ROW_AES192, ROW_AES256, ROW_COUNT };

static enum row row_of(const struct esp_transform *t)
{
    switch (t->cipher) {
    case ESP_CIPHER_NULL:
        return ROW_NULL;
    case ESP_CIPHER_DES:
        return ROW_DES;
    case ESP_CIPHER_3DES:
        return ROW_3DES;
    case ESP_CIPHER_AES_CBC:
    case ESP_CIPHER_AES_GCM:
        return t->key_bytes == 16   ? ROW_AES128
               : t->key_bytes == 24 ? ROW_AES192
               : t->key_bytes == 32 ? ROW_AES256
                                    : ROW_COUNT;
    }
    return ROW_COUNT;
}

#define NAMES(cipher)                                                                                                  \
    {                                                                                                                  \
        [ESP_AUTH_NONE] = cipher, [ESP_AUTH_MD5_96] = cipher "-md5", [ESP_AUTH_SHA1_96] = cipher "-sha1",              \
        [ESP_AUTH_SHA256_128] = cipher "-sha256", [ESP_AUTH_SHA256_96] = cipher "-sha256_96",                          \
        [ESP_AUTH_SHA384_192] = cipher "-sha384", [ESP_AUTH_SHA512_256] = cipher "-sha512",                            \
    }

const char *esp_transform_name(const struct esp_transform *t)
{
    static const char *const names[ROW_COUNT][ARRAY_LEN(auths)] = {
        [ROW_NULL] = NAMES("null"),     [ROW_DES] = NAMES("des"),       [ROW_3DES] = NAMES("3des"),
        [ROW_AES128] = NAMES("aes128"), [ROW_AES192] = NAMES("aes192"), [ROW_AES256] = NAMES("aes256"),
    };
    static const char *const gcm[ROW_COUNT] = {
        [ROW_AES128] = "aes128gcm16", [ROW_AES192] = "aes192gcm16", [ROW_AES256] = "aes256gcm16"};

    enum row row = row_of(t);
    if (row == ROW_COUNT || (size_t)t->auth >= ARRAY_LEN(auths))
        return "unknown";
    return t->cipher == ESP_CIPHER_AES_GCM ? gcm[row] : names[row][t->auth];
}
