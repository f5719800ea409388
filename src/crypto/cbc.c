/*
 * CBC for IKE messages: DES, 3DES and AES in place, the IV chained from message to message (RFC 2409 appendix B).
 * Keys arrive with every call: a message has few blocks, and an IKE SA then holds no library object.
 */
#include "crypto/crypto.h"

#include <nettle/aes.h>
#include <nettle/des.h>
#include <string.h>

union schedule {
    struct des_ctx des;
    struct des3_ctx des3;
    struct aes128_ctx aes128;
    struct aes192_ctx aes192;
    struct aes256_ctx aes256;
};

enum direction { ENCRYPT, DECRYPT };

size_t cipher_block(enum cipher c)
{
    switch (c) {
    case CIPHER_DES:
    case CIPHER_3DES:
        return DES_BLOCK_SIZE;
    case CIPHER_AES:
        return AES_BLOCK_SIZE;
    case CIPHER_NONE:
        break;
    }
    return 0;
}

static enum err expand_aes(union schedule *s, struct view key, enum direction d)
{
    switch (key.n) {
    case AES128_KEY_SIZE:
        d == ENCRYPT ? aes128_set_encrypt_key(&s->aes128, key.p) : aes128_set_decrypt_key(&s->aes128, key.p);
        return ERR_OK;
    case AES192_KEY_SIZE:
        d == ENCRYPT ? aes192_set_encrypt_key(&s->aes192, key.p) : aes192_set_decrypt_key(&s->aes192, key.p);
        return ERR_OK;
    case AES256_KEY_SIZE:
        d == ENCRYPT ? aes256_set_encrypt_key(&s->aes256, key.p) : aes256_set_decrypt_key(&s->aes256, key.p);
        return ERR_OK;
    default:
        return ERR_INVALID;
    }
}

/* DES weak keys are used as they come: the schedule is set whatever nettle returns, and RFC 2409 appendix B leaves
 * refusing them to the negotiation. */
static enum err expand(union schedule *s, enum cipher c, struct view key, enum direction d)
{
    switch (c) {
    case CIPHER_DES:
        if (key.n != DES_KEY_SIZE)
            return ERR_INVALID;
        des_set_key(&s->des, key.p);
        return ERR_OK;
    case CIPHER_3DES:
        if (key.n != DES3_KEY_SIZE)
            return ERR_INVALID;
        des3_set_key(&s->des3, key.p);
        return ERR_OK;
    case CIPHER_AES:
        return expand_aes(s, key, d);
    case CIPHER_NONE:
        break;
    }
    return ERR_UNSUPPORTED;
}

/* One block in place. The schedule's type follows from cipher and key size, as in expand(). */
static void encrypt_block(const union schedule *s, enum cipher c, size_t key_size, uint8_t *b)
{
    if (c == CIPHER_DES)
        des_encrypt(&s->des, DES_BLOCK_SIZE, b, b);
    else if (c == CIPHER_3DES)
        des3_encrypt(&s->des3, DES_BLOCK_SIZE, b, b);
    else if (key_size == AES128_KEY_SIZE)
        aes128_encrypt(&s->aes128, AES_BLOCK_SIZE, b, b);
    else if (key_size == AES192_KEY_SIZE)
        aes192_encrypt(&s->aes192, AES_BLOCK_SIZE, b, b);
    else
        aes256_encrypt(&s->aes256, AES_BLOCK_SIZE, b, b);
}

static void decrypt_block(const union schedule *s, enum cipher c, size_t key_size, uint8_t *b)
{
    if (c == CIPHER_DES)
        des_decrypt(&s->des, DES_BLOCK_SIZE, b, b);
    else if (c == CIPHER_3DES)
        des3_decrypt(&s->des3, DES_BLOCK_SIZE, b, b);
    else if (key_size == AES128_KEY_SIZE)
        aes128_decrypt(&s->aes128, AES_BLOCK_SIZE, b, b);
    else if (key_size == AES192_KEY_SIZE)
        aes192_decrypt(&s->aes192, AES_BLOCK_SIZE, b, b);
    else
        aes256_decrypt(&s->aes256, AES_BLOCK_SIZE, b, b);
}

static void xor_block(uint8_t *to, const uint8_t *with, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] ^= with[i];
}

enum err cbc_encrypt(enum cipher c, struct view key, uint8_t *iv, uint8_t *data, size_t n)
{
    size_t block = cipher_block(c);
    if (block == 0)
        return ERR_UNSUPPORTED;
    if (n % block != 0)
        return ERR_INVALID;
    union schedule s;
    enum err e = expand(&s, c, key, ENCRYPT);
    if (e != ERR_OK)
        return e;
    for (size_t at = 0; at < n; at += block) {
        xor_block(data + at, iv, block);
        encrypt_block(&s, c, key.n, data + at);
        memcpy(iv, data + at, block);
    }
    bytes_wipe(&s, sizeof(s));
    return ERR_OK;
}

enum err cbc_decrypt(enum cipher c, struct view key, uint8_t *iv, uint8_t *data, size_t n)
{
    size_t block = cipher_block(c);
    if (block == 0)
        return ERR_UNSUPPORTED;
    if (n % block != 0)
        return ERR_INVALID;
    union schedule s;
    enum err e = expand(&s, c, key, DECRYPT);
    if (e != ERR_OK)
        return e;
    uint8_t next[CIPHER_BLOCK_MAX];
    for (size_t at = 0; at < n; at += block) {
        memcpy(next, data + at, block);
        decrypt_block(&s, c, key.n, data + at);
        xor_block(data + at, iv, block);
        memcpy(iv, next, block);
    }
    bytes_wipe(&s, sizeof(s));
    return ERR_OK;
}
