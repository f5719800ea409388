/*
 * The portable ESP engine over OpenSSL's EVP: a cipher and a MAC context are kept with each key, so that a packet costs
 * neither a fetch nor a key schedule. One packet at a time.
 */
#define ERR_STATE OPENSSL_ERR_STATE /* its type has the name of an error of ours */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#undef ERR_STATE
#include <stdlib.h>
#include <string.h>

#include "crypto/engine_internal.h"

#define KEY_MAX 32

struct openssl_engine {
    struct engine base;
    EVP_MAC *hmac;
    EVP_CIPHER *des3;
    EVP_CIPHER *cbc[3], *gcm[3]; /* by key size: 16, 24, 32 */
};

struct openssl_key {
    struct engine_key base;
    EVP_CIPHER_CTX *cipher; /* NULL with the NULL cipher */
    EVP_MAC_CTX *mac;       /* NULL with AES-GCM */
    uint8_t key[KEY_MAX];   /* to turn the context round: EVP keeps the schedule of one direction */
    uint8_t salt[GCM_SALT_SIZE];
};

static void openssl_free(struct engine *base)
{
    struct openssl_engine *e = (struct openssl_engine *)base;
    EVP_MAC_free(e->hmac);
    EVP_CIPHER_free(e->des3);
    for (size_t i = 0; i < ARRAY_LEN(e->cbc); i++) {
        EVP_CIPHER_free(e->cbc[i]);
        EVP_CIPHER_free(e->gcm[i]);
    }
    free(e);
}

/* ---- keys ---- */

static const EVP_CIPHER *cipher_of(const struct openssl_engine *e, const struct esp_transform *t)
{
    switch (t->cipher) {
    case ESP_CIPHER_DES:
    case ESP_CIPHER_3DES:
        return e->des3;
    case ESP_CIPHER_AES_CBC:
        return e->cbc[t->key_bytes / 8 - 2];
    case ESP_CIPHER_AES_GCM:
        return e->gcm[t->key_bytes / 8 - 2];
    case ESP_CIPHER_NULL:
        break;
    }
    return NULL;
}

static const char *digest_of(enum esp_auth auth)
{
    switch (auth) {
    case ESP_AUTH_MD5_96:
        return "MD5";
    case ESP_AUTH_SHA1_96:
        return "SHA1";
    case ESP_AUTH_SHA256_128:
    case ESP_AUTH_SHA256_96:
        return "SHA256";
    case ESP_AUTH_SHA384_192:
        return "SHA384";
    case ESP_AUTH_SHA512_256:
        return "SHA512";
    case ESP_AUTH_NONE:
        break;
    }
    return NULL;
}

/* DES runs as EDE with one key thrice, which is the same function: the single cipher is in OpenSSL's legacy provider.
 */
static void keep_key(struct openssl_key *k, const uint8_t *key)
{
    size_t n = k->base.transform.key_bytes;
    memcpy(k->key, key, n);
    if (k->base.transform.cipher == ESP_CIPHER_DES) {
        memcpy(k->key + n, key, n);
        memcpy(k->key + 2 * n, key, n);
    }
    if (k->base.transform.cipher == ESP_CIPHER_AES_GCM)
        memcpy(k->salt, key + n, GCM_SALT_SIZE);
}

static bool init_cipher(struct openssl_key *k, const EVP_CIPHER *cipher)
{
    k->cipher = EVP_CIPHER_CTX_new();
    return k->cipher && EVP_CipherInit_ex2(k->cipher, cipher, k->key, NULL, 1, NULL) == 1 &&
           EVP_CIPHER_CTX_set_padding(k->cipher, 0) == 1;
}

static bool init_mac(struct openssl_key *k, EVP_MAC *hmac, const uint8_t *key)
{
    const char *digest = digest_of(k->base.transform.auth);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0),
                           OSSL_PARAM_construct_end()};
    k->mac = EVP_MAC_CTX_new(hmac);
    return k->mac && EVP_MAC_init(k->mac, key, esp_auth_key_size(&k->base.transform), params) == 1;
}

static void openssl_key_free(struct engine *base, struct engine_key *key)
{
    (void)base;
    struct openssl_key *k = (struct openssl_key *)key;
    EVP_CIPHER_CTX_free(k->cipher);
    EVP_MAC_CTX_free(k->mac);
    bytes_wipe(k, sizeof *k);
    free(k);
}

static enum err openssl_key_new(struct engine *base, const struct esp_transform *t, const uint8_t *cipher_key,
                                const uint8_t *auth_key, struct engine_key **out)
{
    struct openssl_engine *e = (struct openssl_engine *)base;
    struct openssl_key *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    engine_key_init(&k->base, t);
    keep_key(k, cipher_key);
    const EVP_CIPHER *cipher = cipher_of(e, t);
    if ((cipher && !init_cipher(k, cipher)) || (t->auth != ESP_AUTH_NONE && !init_mac(k, e->hmac, auth_key))) {
        openssl_key_free(base, &k->base);
        return ERR_CRYPTO;
    }
    *out = &k->base;
    return ERR_OK;
}

/* ---- packets ---- */

/* Key schedules of CBC differ by direction; an SA has only one, so the key is set anew at most once. */
static bool crypt_cbc(const struct openssl_key *k, const struct engine_job *job, int encrypt)
{
    const uint8_t *key = EVP_CIPHER_CTX_is_encrypting(k->cipher) == encrypt ? NULL : k->key;
    int n;
    return EVP_CipherInit_ex2(k->cipher, NULL, key, job_iv(job), encrypt, NULL) == 1 &&
           EVP_CipherUpdate(k->cipher, job_text(job), &n, job_text(job), (int)job->text_len) == 1 &&
           n == (int)job->text_len;
}

static bool crypt(const struct openssl_key *k, const struct engine_job *job, int encrypt)
{
    return k->cipher == NULL || crypt_cbc(k, job, encrypt);
}

static bool mac(const struct openssl_key *k, const struct engine_job *job, uint8_t out[static HASH_SIZE_MAX])
{
    size_t n;
    return EVP_MAC_init(k->mac, NULL, 0, NULL) == 1 && EVP_MAC_update(k->mac, job->esp, job_covered(job)) == 1 &&
           EVP_MAC_final(k->mac, out, &n, HASH_SIZE_MAX) == 1;
}

/* Nonce, AAD and text (RFC 4106 sections 4 and 5; 32-bit sequence numbers). */
static bool gcm_text(const struct openssl_key *k, const struct engine_job *job, int encrypt)
{
    uint8_t nonce[GCM_NONCE_SIZE];
    int n;
    memcpy(nonce, k->salt, GCM_SALT_SIZE);
    memcpy(nonce + GCM_SALT_SIZE, job_iv(job), GCM_NONCE_SIZE - GCM_SALT_SIZE);
    return EVP_CipherInit_ex2(k->cipher, NULL, NULL, nonce, encrypt, NULL) == 1 &&
           EVP_CipherUpdate(k->cipher, NULL, &n, job->esp, ESP_HEADER_SIZE) == 1 &&
           EVP_CipherUpdate(k->cipher, job_text(job), &n, job_text(job), (int)job->text_len) == 1;
}

static bool seal_gcm(const struct openssl_key *k, const struct engine_job *job)
{
    uint8_t none[1];
    int n;
    return gcm_text(k, job, 1) && EVP_CipherFinal_ex(k->cipher, none, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(k->cipher, EVP_CTRL_AEAD_GET_TAG, GCM_ICV_SIZE, job_icv(job)) == 1;
}

/* The tag is compared, in constant time, by EVP_CipherFinal_ex(). */
static bool open_gcm(const struct openssl_key *k, const struct engine_job *job)
{
    uint8_t none[1];
    int n;
    return gcm_text(k, job, 0) &&
           EVP_CIPHER_CTX_ctrl(k->cipher, EVP_CTRL_AEAD_SET_TAG, GCM_ICV_SIZE, job_icv(job)) == 1 &&
           EVP_CipherFinal_ex(k->cipher, none, &n) == 1;
}

static bool seal_mac(const struct openssl_key *k, const struct engine_job *job)
{
    uint8_t digest[HASH_SIZE_MAX];
    if (!crypt(k, job, 1) || !mac(k, job, digest))
        return false;
    memcpy(job_icv(job), digest, k->base.icv);
    return true;
}

static bool open_mac(const struct openssl_key *k, const struct engine_job *job)
{
    uint8_t digest[HASH_SIZE_MAX];
    return mac(k, job, digest) && bytes_equal_ct(digest, job_icv(job), k->base.icv) && crypt(k, job, 0);
}

static void openssl_seal(struct engine *base, struct engine_job *jobs, size_t n)
{
    (void)base;
    for (size_t i = 0; i < n; i++) {
        const struct openssl_key *k = (const struct openssl_key *)jobs[i].key;
        jobs[i].ok = k->mac ? seal_mac(k, &jobs[i]) : seal_gcm(k, &jobs[i]);
    }
}

static void openssl_open(struct engine *base, struct engine_job *jobs, size_t n)
{
    (void)base;
    for (size_t i = 0; i < n; i++) {
        const struct openssl_key *k = (const struct openssl_key *)jobs[i].key;
        jobs[i].ok = k->mac ? open_mac(k, &jobs[i]) : open_gcm(k, &jobs[i]);
    }
}

static const struct engine_ops ops = {
    .name = "openssl",
    .free = openssl_free,
    .key_new = openssl_key_new,
    .key_free = openssl_key_free,
    .seal = openssl_seal,
    .open = openssl_open,
};

struct engine *engine_openssl_new(void)
{
    static const char *const cbc[] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"};
    static const char *const gcm[] = {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"};

    struct openssl_engine *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->base.ops = &ops;
    e->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    e->des3 = EVP_CIPHER_fetch(NULL, "DES-EDE3-CBC", NULL);
    bool have = e->hmac && e->des3;
    for (size_t i = 0; i < ARRAY_LEN(cbc); i++) {
        e->cbc[i] = EVP_CIPHER_fetch(NULL, cbc[i], NULL);
        e->gcm[i] = EVP_CIPHER_fetch(NULL, gcm[i], NULL);
        have = have && e->cbc[i] && e->gcm[i];
    }
    if (have)
        return &e->base;
    openssl_free(&e->base);
    return NULL;
}
