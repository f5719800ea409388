/*
 * What an ESP engine is inside: a table of functions, and the head that every engine and every key begins with.
 */
#ifndef SEKISHO_ENGINE_INTERNAL_H
#define SEKISHO_ENGINE_INTERNAL_H

#include "crypto/crypto.h"

#define ENGINE_BURST    128   /* jobs that a backend gets at once */
#define ENGINE_TEXT_MAX 65000 /* bytes; ipsec-mb keeps lengths in 16 bits, headers and MAC padding included */
#define ENGINE_ICV_MAX  32    /* bytes */

#define ESP_HEADER_SIZE 8 /* SPI and sequence number */
#define GCM_SALT_SIZE   4 /* RFC 4106 section 4 */
#define GCM_NONCE_SIZE  12
#define GCM_ICV_SIZE    16

struct engine_ops {
    const char *name;
    void (*free)(struct engine *e);
    enum err (*key_new)(struct engine *e, const struct esp_transform *t, const uint8_t *cipher_key,
                        const uint8_t *auth_key, struct engine_key **out);
    void (*key_free)(struct engine *e, struct engine_key *k);
    /* At most ENGINE_BURST jobs, all well-formed, ok false in each of them. */
    void (*seal)(struct engine *e, struct engine_job *jobs, size_t n);
    void (*open)(struct engine *e, struct engine_job *jobs, size_t n);
};

struct engine {
    const struct engine_ops *ops;
};

/* The sizes are kept because the packet path asks for them with every job. */
struct engine_key {
    struct esp_transform transform;
    uint8_t iv, block, icv;
};

static inline void engine_key_init(struct engine_key *k, const struct esp_transform *t)
{
    k->transform = *t;
    k->iv = (uint8_t)esp_iv_size(t);
    k->block = (uint8_t)esp_block(t);
    k->icv = (uint8_t)esp_icv_size(t);
}

static inline uint8_t *job_iv(const struct engine_job *job)
{
    return job->esp + ESP_HEADER_SIZE;
}

static inline uint8_t *job_text(const struct engine_job *job)
{
    return job_iv(job) + job->key->iv;
}

static inline uint8_t *job_icv(const struct engine_job *job)
{
    return job_text(job) + job->text_len;
}

/* The bytes under the ICV: from the SPI to the end of the text (RFC 4303 section 2.8). */
static inline size_t job_covered(const struct engine_job *job)
{
    return ESP_HEADER_SIZE + (size_t)job->key->iv + job->text_len;
}

/* Each gives NULL when its library cannot serve on this processor. */
struct engine *engine_openssl_new(void);
struct engine *engine_ipsec_mb_new(void);

#endif
