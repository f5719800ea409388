/* The SA database of a shard: making and ending it, SPIs and handles, sizes and counters. */
#include "esp/esp.h"

#include <stdlib.h>

#include "esp/esp_internal.h"

struct esp *esp_new(const struct esp_config *config, const struct random *rng)
{
    struct esp *esp = calloc(1, sizeof *esp);
    if (!esp)
        return NULL;
    esp->rng = *rng;
    TAILQ_INIT(&esp->expiring);
    esp->engine = engine_new(config->engine);
    esp->ivs = iv_stream_new(&esp->rng);
    if (esp->engine && esp->ivs && config->shard_bits <= 8 &&
        sa_table_init(&esp->inbound, config->max_sas, config->shard, config->shard_bits) &&
        sa_table_init(&esp->outbound, config->max_sas, 0, 0))
        return esp;
    esp_free(esp);
    return NULL;
}

static void empty(struct esp *esp, struct sa_table *t)
{
    uint32_t slot = 0;
    for (struct sa *sa = sa_table_next(t, &slot); sa; sa = sa_table_next(t, &slot)) {
        sa_uninstall(esp, sa);
        sa_table_release(t, sa);
    }
    sa_table_done(t);
}

void esp_free(struct esp *esp)
{
    if (!esp)
        return;
    empty(esp, &esp->inbound);
    empty(esp, &esp->outbound);
    iv_stream_free(esp->ivs);
    engine_free(esp->engine);
    free(esp);
}

const char *esp_engine(const struct esp *esp)
{
    return engine_name(esp->engine);
}

/* ---- inbound ---- */

uint32_t esp_spi_reserve(struct esp *esp)
{
    struct sa *sa = sa_table_reserve(&esp->inbound, &esp->rng);
    if (!sa)
        return 0;
    sa->inbound = true;
    return sa->name;
}

void esp_spi_release(struct esp *esp, uint32_t spi)
{
    struct sa *sa = sa_table_find(&esp->inbound, spi);
    if (!sa)
        return;
    sa_uninstall(esp, sa);
    sa_table_release(&esp->inbound, sa);
}

enum err esp_inbound_add(struct esp *esp, uint32_t spi, const struct esp_sa_config *config)
{
    struct sa *sa = sa_table_find(&esp->inbound, spi);
    if (!sa)
        return ERR_NOTFOUND;
    if (sa->key)
        return ERR_EXISTS;
    return sa_install(esp, sa, config);
}

/* ---- outbound ---- */

enum err esp_outbound_add(struct esp *esp, uint32_t spi, const struct esp_sa_config *config, uint32_t *handle)
{
    if (spi < ESP_SPI_MIN)
        return ERR_INVALID;
    struct sa *sa = sa_table_reserve(&esp->outbound, &esp->rng);
    if (!sa)
        return ERR_LIMIT;
    enum err err = sa_install(esp, sa, config);
    if (err != ERR_OK) {
        sa_table_release(&esp->outbound, sa);
        return err;
    }
    sa->out.spi = spi;
    *handle = sa->name;
    return ERR_OK;
}

void esp_outbound_del(struct esp *esp, uint32_t handle)
{
    struct sa *sa = sa_table_find(&esp->outbound, handle);
    if (!sa)
        return;
    sa_uninstall(esp, sa);
    sa_table_release(&esp->outbound, sa);
}

void esp_outbound_follow(struct esp *esp, uint32_t handle, uint32_t inbound_spi)
{
    struct sa *out = sa_table_find(&esp->outbound, handle);
    struct sa *in = sa_table_find(&esp->inbound, inbound_spi);
    if (!out || !in)
        return;
    in->in.follower = handle;
    if (in->icv_known)
        sa_use_icv(esp, out, in->icv);
}

/* ---- sizes ---- */

uint32_t esp_headroom(const struct esp *esp, uint32_t handle)
{
    const struct sa *sa = sa_table_find(&esp->outbound, handle);
    return ESP_HEADER + (sa ? sa->iv : ESP_IV_MAX);
}

uint32_t esp_payload_limit(const struct esp *esp, uint32_t handle, uint32_t limit)
{
    const struct sa *sa = sa_table_find(&esp->outbound, handle);
    if (!sa)
        return 0;
    uint32_t around = ESP_HEADER + (uint32_t)sa->iv + sa->icv;
    if (limit < around + sa->block)
        return 0;
    uint32_t room = limit - around;
    return room - room % sa->block - ESP_TRAILER;
}

uint32_t esp_sealed_length(const struct esp *esp, uint32_t handle, uint32_t len)
{
    const struct sa *sa = sa_table_find(&esp->outbound, handle);
    if (!sa)
        return 0;
    uint32_t blocks = (len + ESP_TRAILER + sa->block - 1) / sa->block;
    return ESP_HEADER + (uint32_t)sa->iv + blocks * sa->block + sa->icv;
}

/* ---- counters ---- */

static bool counters(const struct sa *sa, struct esp_counters *out)
{
    if (!sa || !sa->key)
        return false;
    *out = (struct esp_counters){
        .packets = sa->packets,
        .bytes = sa->bytes,
        .replayed = sa->inbound ? sa->in.replayed : 0,
        .bad_icv = sa->inbound ? sa->in.bad_icv : 0,
        .soft_expired = sa->soft,
        .hard_expired = sa->hard,
        .icv_bytes = sa->icv,
    };
    return true;
}

bool esp_inbound_counters(const struct esp *esp, uint32_t spi, struct esp_counters *out)
{
    return counters(sa_table_find(&esp->inbound, spi), out);
}
