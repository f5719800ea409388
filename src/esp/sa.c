/* One SA's life: its keys, the ICV length of SHA-256, what it has carried and when that is enough. */
#include "esp/esp_internal.h"

/* The other truncation of SHA-256: 128 bits by RFC 4868, 96 by old kernels. ESP_AUTH_NONE for other MACs. */
static enum esp_auth other_truncation(enum esp_auth auth)
{
    return auth == ESP_AUTH_SHA256_128  ? ESP_AUTH_SHA256_96
           : auth == ESP_AUTH_SHA256_96 ? ESP_AUTH_SHA256_128
                                        : ESP_AUTH_NONE;
}

enum err sa_install(struct esp *esp, struct sa *sa, const struct esp_sa_config *config)
{
    struct esp_transform other = config->transform;
    other.auth = other_truncation(other.auth);
    struct engine_key *key = NULL, *other_key = NULL;
    enum err err = engine_key_new(esp->engine, &config->transform, config->keymat, &key);
    if (err != ERR_OK)
        return err;
    if (other.auth != ESP_AUTH_NONE) {
        err = engine_key_new(esp->engine, &other, config->keymat, &other_key);
        if (err != ERR_OK) {
            engine_key_free(esp->engine, key);
            return err;
        }
        sa->other_icv = (uint8_t)esp_icv_size(&other);
    }
    sa->key = key;
    sa->other = other_key;
    sa->owner = config->owner;
    sa->life = config->life;
    sa->iv = (uint8_t)esp_iv_size(&config->transform);
    sa->block = (uint8_t)esp_block(&config->transform);
    sa->icv = (uint8_t)esp_icv_size(&config->transform);
    sa->gcm = config->transform.cipher == ESP_CIPHER_AES_GCM;
    return ERR_OK;
}

void sa_uninstall(struct esp *esp, struct sa *sa)
{
    if (sa->tell_soft || sa->tell_hard)
        TAILQ_REMOVE(&esp->expiring, sa, expiring);
    engine_key_free(esp->engine, sa->key);
    engine_key_free(esp->engine, sa->other);
    sa->key = sa->other = NULL;
}

void sa_use_icv(struct esp *esp, struct sa *sa, uint8_t icv)
{
    if (!sa->other)
        return;
    if (icv == sa->other_icv) {
        struct engine_key *key = sa->key;
        sa->key = sa->other;
        sa->other = key;
        sa->other_icv = sa->icv;
        sa->icv = icv;
    }
    if (sa->icv > sa->other_icv) {
        engine_key_free(esp->engine, sa->other);
        sa->other = NULL;
    }
}

void sa_expire(struct esp *esp, struct sa *sa, bool hard)
{
    bool *crossed = hard ? &sa->hard : &sa->soft, *tell = hard ? &sa->tell_hard : &sa->tell_soft;
    if (*crossed)
        return;
    if (!sa->tell_soft && !sa->tell_hard)
        TAILQ_INSERT_TAIL(&esp->expiring, sa, expiring);
    *crossed = *tell = true;
}

void sa_count(struct esp *esp, struct sa *sa, uint32_t text_len)
{
    sa->packets++;
    sa->bytes += text_len;
    if (sa->bytes >= sa->life.soft_bytes)
        sa_expire(esp, sa, false);
    if (sa->bytes >= sa->life.hard_bytes)
        sa_expire(esp, sa, true);
}

bool esp_expiring(struct esp *esp, bool *inbound, uint32_t *which, bool *hard)
{
    struct sa *sa = TAILQ_FIRST(&esp->expiring);
    if (!sa)
        return false;
    TAILQ_REMOVE(&esp->expiring, sa, expiring);
    *inbound = sa->inbound;
    *which = sa->name;
    *hard = sa->tell_hard;
    sa->tell_soft = sa->tell_hard = false;
    return true;
}
