/*
 * The ESP engines behind one face: chooses a backend, checks transforms, keys and jobs once for all of them, and cuts
 * long bursts. What is in a job has been measured against the packet by esp.
 */
#include "crypto/engine_internal.h"

static struct engine *(*const makers[])(void) = {
#ifdef HAVE_IPSEC_MB
    engine_ipsec_mb_new,
#endif
    engine_openssl_new,
};

struct engine *engine_new(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(makers); i++) {
        struct engine *e = makers[i]();
        if (!e)
            continue;
        if (!name || view_equal(view_str(name), view_str(e->ops->name)))
            return e;
        engine_free(e);
    }
    return NULL;
}

void engine_free(struct engine *e)
{
    if (e)
        e->ops->free(e);
}

const char *engine_name(const struct engine *e)
{
    return e->ops->name;
}

static bool key_size_fits(const struct esp_transform *t)
{
    switch (t->cipher) {
    case ESP_CIPHER_NULL:
        return t->key_bytes == 0;
    case ESP_CIPHER_DES:
        return t->key_bytes == 8;
    case ESP_CIPHER_3DES:
        return t->key_bytes == 24;
    case ESP_CIPHER_AES_CBC:
    case ESP_CIPHER_AES_GCM:
        return t->key_bytes == 16 || t->key_bytes == 24 || t->key_bytes == 32;
    }
    return false;
}

/* Text that nobody authenticates is never served, and AES-GCM authenticates by itself (RFC 4303 section 3.2). */
static bool served(const struct esp_transform *t)
{
    if (t->cipher > ESP_CIPHER_AES_GCM || t->auth > ESP_AUTH_SHA512_256)
        return false;
    return (t->cipher == ESP_CIPHER_AES_GCM) == (t->auth == ESP_AUTH_NONE);
}

enum err engine_key_new(struct engine *e, const struct esp_transform *t, struct view keymat, struct engine_key **out)
{
    if (!served(t))
        return ERR_UNSUPPORTED;
    size_t cipher_bytes = esp_cipher_key_size(t);
    if (!key_size_fits(t) || keymat.n != cipher_bytes + esp_auth_key_size(t))
        return ERR_INVALID;
    return e->ops->key_new(e, t, keymat.p, keymat.p + cipher_bytes, out);
}

void engine_key_free(struct engine *e, struct engine_key *k)
{
    if (k)
        e->ops->key_free(e, k);
}

static bool well_formed(const struct engine_job *job)
{
    return job->text_len > 0 && job->text_len <= ENGINE_TEXT_MAX && (job->text_len & (job->key->block - 1u)) == 0;
}

typedef void (*burst_fn)(struct engine *e, struct engine_job *jobs, size_t n);

/* Hands over runs of well-formed jobs; the others are left refused. */
static void run(struct engine *e, burst_fn burst, struct engine_job *jobs, size_t n)
{
    size_t start = 0;
    for (size_t i = 0; i < n; i++) {
        jobs[i].ok = false;
        bool good = well_formed(&jobs[i]);
        if (good && i - start + 1 < ENGINE_BURST)
            continue;
        if (i - start + good > 0)
            burst(e, jobs + start, i - start + good);
        start = i + 1;
    }
    if (start < n)
        burst(e, jobs + start, n - start);
}

void engine_seal(struct engine *e, struct engine_job *jobs, size_t n)
{
    run(e, e->ops->seal, jobs, n);
}

void engine_open(struct engine *e, struct engine_job *jobs, size_t n)
{
    run(e, e->ops->open, jobs, n);
}
