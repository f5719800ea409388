/* The client's ESP, one packet in transport mode (RFC 4303): CBC with HMAC, or AES-GCM (RFC 4106). Written apart from
 * src/esp. */
#define ERR_STATE OPENSSL_ERR_STATE /* its type has the name of an error of ours */
#include <openssl/evp.h>
#undef ERR_STATE
#include <string.h>

#include "tests/replay/replay.h"

#define ESP_HEADER   8
#define GCM_IV       8
#define GCM_SALT     4
#define GCM_BLOCK    4 /* ciphertext ends on four bytes (RFC 4303 2.4) */
#define PROTOCOL_UDP 17

/* ---- the two kinds of algorithm; text lies between IV and ICV in one ESP packet ---- */

static void icv(const struct pair *p, const uint8_t *key, struct view covered, uint8_t *out)
{
    wanted(hmac_digest(p->hash, view_of(key, hash_size(p->hash)), &covered, 1, out) == ERR_OK, "an ICV");
}

static size_t iv_size(const struct pair *p)
{
    return p->gcm ? GCM_IV : cipher_block(p->cipher);
}

static EVP_CIPHER_CTX *gcm_begin(const struct pair *p, const uint8_t *key, const uint8_t *esp, bool seal)
{
    uint8_t nonce[GCM_SALT + GCM_IV];
    int n;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *cipher = p->key_bytes == 32   ? EVP_aes_256_gcm()
                               : p->key_bytes == 24 ? EVP_aes_192_gcm()
                                                    : EVP_aes_128_gcm();
    memcpy(nonce, key + p->key_bytes, GCM_SALT);
    memcpy(nonce + GCM_SALT, esp + ESP_HEADER, GCM_IV);
    wanted(c && EVP_CipherInit_ex(c, cipher, NULL, key, nonce, seal) == 1 &&
               EVP_CipherUpdate(c, NULL, &n, esp, ESP_HEADER) == 1,
           "AES-GCM");
    return c;
}

static void gcm_seal(const struct pair *p, uint8_t *esp, size_t text_n)
{
    uint8_t *text = esp + ESP_HEADER + GCM_IV;
    int n;
    EVP_CIPHER_CTX *c = gcm_begin(p, p->key_out, esp, true);
    wanted(EVP_CipherUpdate(c, text, &n, text, (int)text_n) == 1 && EVP_CipherFinal_ex(c, text + n, &n) == 1 &&
               EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, p->icv, text + text_n) == 1,
           "AES-GCM");
    EVP_CIPHER_CTX_free(c);
}

static void gcm_open(const struct pair *p, struct view esp, uint8_t *out, size_t text_n)
{
    uint8_t tag[16];
    const uint8_t *text = esp.p + ESP_HEADER + GCM_IV;
    int n;
    EVP_CIPHER_CTX *c = gcm_begin(p, p->key_in, esp.p, false);
    memcpy(tag, text + text_n, sizeof(tag));
    wanted(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, p->icv, tag) == 1 &&
               EVP_CipherUpdate(c, out, &n, text, (int)text_n) == 1 && EVP_CipherFinal_ex(c, out + n, &n) == 1,
           "a right ICV from the gateway");
    EVP_CIPHER_CTX_free(c);
}

static void cbc_seal(const struct pair *p, uint8_t *esp, size_t text_n)
{
    uint8_t iv[CIPHER_BLOCK_MAX], digest[HASH_SIZE_MAX];
    const size_t block = cipher_block(p->cipher);
    uint8_t *text = esp + ESP_HEADER + block;
    memcpy(iv, esp + ESP_HEADER, block);
    wanted(cbc_encrypt(p->cipher, view_of(p->key_out, p->key_bytes), iv, text, text_n) == ERR_OK, "encryption");
    icv(p, p->auth_out, view_of(esp, ESP_HEADER + block + text_n), digest);
    memcpy(text + text_n, digest, p->icv);
}

static void cbc_open(const struct pair *p, struct view esp, uint8_t *out, size_t text_n)
{
    uint8_t iv[CIPHER_BLOCK_MAX], digest[HASH_SIZE_MAX];
    const size_t block = cipher_block(p->cipher);
    icv(p, p->auth_in, view_of(esp.p, esp.n - p->icv), digest);
    wanted(memcmp(digest, esp.p + esp.n - p->icv, p->icv) == 0, "a right ICV from the gateway");
    memcpy(iv, esp.p + ESP_HEADER, block);
    memcpy(out, esp.p + ESP_HEADER + block, text_n);
    wanted(cbc_decrypt(p->cipher, view_of(p->key_in, p->key_bytes), iv, out, text_n) == ERR_OK, "whole blocks");
}

/* ---- one packet ---- */

size_t pair_seal(struct pair *p, const struct random *random, struct view plain, uint8_t *out)
{
    const size_t block = p->gcm ? GCM_BLOCK : cipher_block(p->cipher);
    struct writer w = wr_init(out, BYTES_MAX);
    wr_u32(&w, p->spi_theirs);
    wr_u32(&w, ++p->sequence);
    uint8_t *iv = wr_reserve(&w, iv_size(p));
    wanted(iv != NULL, "room");
    random_fill(random, iv, iv_size(p));
    const size_t text = w.n;
    wr_view(&w, plain);
    uint8_t padding = 0;
    for (; (plain.n + padding + 2) % block != 0; padding++)
        wr_u8(&w, (uint8_t)(padding + 1));
    wr_u8(&w, padding);
    wr_u8(&w, PROTOCOL_UDP);
    const size_t text_n = w.n - text;
    wanted(wr_reserve(&w, p->icv) != NULL, "a smaller packet");
    if (p->gcm)
        gcm_seal(p, out, text_n);
    else
        cbc_seal(p, out, text_n);
    return w.n;
}

struct view pair_open(struct pair *p, struct view esp, uint8_t *out)
{
    const size_t head = ESP_HEADER + iv_size(p);
    wanted(esp.n >= head + 4 + p->icv && esp.n <= BYTES_MAX, "an ESP packet of sensible size");
    const size_t n = esp.n - head - p->icv;
    if (p->gcm)
        gcm_open(p, esp, out, n);
    else
        cbc_open(p, esp, out, n);
    const uint8_t padding = out[n - 2];
    wanted(out[n - 1] == PROTOCOL_UDP && padding + 2u <= n, "UDP and an ESP trailer");
    for (size_t i = 0; i < padding; i++)
        wanted(out[n - 2 - padding + i] == i + 1, "padding 1, 2, 3, ...");
    return view_of(out, n - 2 - padding);
}
