/* Two ESP ends with one SA from the first to the second, and packets to send over it. */
#ifndef SEKISHO_TEST_PAIR_H
#define SEKISHO_TEST_PAIR_H

#include "esp/esp.h"
#include "tests/test.h"

#define HEADROOM    64
#define PACKET_MAX  1500
#define TAILROOM    64
#define OWNER       77
#define KEYMAT_MAX  100
#define FOREVER     ((struct esp_life){UINT64_MAX, UINT64_MAX})
#define AES256_SHA1 ((struct esp_transform){ESP_CIPHER_AES_CBC, 32, ESP_AUTH_SHA1_96})

struct pair {
    struct random_test dice;
    struct random rng;
    struct esp *from, *to;
    uint32_t spi, handle;
    struct esp_transform transform;
    uint8_t keymat[KEYMAT_MAX];
};

struct buffer {
    uint8_t bytes[HEADROOM + PACKET_MAX + TAILROOM];
    struct packet packet;
};

static inline struct esp_sa_config sa_config(const struct pair *p, const struct esp_transform *t, struct esp_life life)
{
    return (struct esp_sa_config){.transform = *t,
                                  .keymat = view_of(p->keymat, esp_cipher_key_size(t) + esp_auth_key_size(t)),
                                  .life = life,
                                  .owner = OWNER};
}

/* The receiver's transform may differ from the sender's in its ICV length. */
static inline void pair_init(struct pair *p, struct esp_transform from, struct esp_transform to, const char *engine)
{
    random_test_init(&p->dice, 1);
    p->rng = (struct random){random_test_fill, &p->dice};
    random_fill(&p->rng, p->keymat, sizeof p->keymat);
    const struct esp_config config = {.max_sas = 100, .shard = 2, .shard_bits = 2, .engine = engine};
    p->from = esp_new(&config, &p->rng);
    p->to = esp_new(&config, &p->rng);
    assert_non_null(p->from);
    assert_non_null(p->to);
    p->transform = from;
    p->spi = esp_spi_reserve(p->to);
    assert_int_not_equal(p->spi, 0);
    struct esp_sa_config config_to = sa_config(p, &to, FOREVER), config_from = sa_config(p, &from, FOREVER);
    assert_int_equal(esp_inbound_add(p->to, p->spi, &config_to), ERR_OK);
    assert_int_equal(esp_outbound_add(p->from, p->spi, &config_from, &p->handle), ERR_OK);
}

static inline void pair_done(struct pair *p)
{
    esp_free(p->from);
    esp_free(p->to);
}

/* A plain packet of len bytes that count up from a seed. */
static inline void plain_packet(struct buffer *b, uint32_t len, uint8_t seed)
{
    memset(b->bytes, 0xcc, sizeof b->bytes);
    b->packet = (struct packet){.data = b->bytes + HEADROOM,
                                .len = len,
                                .headroom = HEADROOM,
                                .tailroom = (uint16_t)(sizeof b->bytes - HEADROOM - len)};
    for (uint32_t i = 0; i < len; i++)
        b->packet.data[i] = (uint8_t)(seed + i);
}

static inline bool is_plain_packet(const struct packet *p, uint32_t len, uint8_t seed)
{
    bool same = p->len == len;
    for (uint32_t i = 0; same && i < len; i++)
        same = p->data[i] == (uint8_t)(seed + i);
    return same;
}

static inline enum drop seal_one(struct pair *p, struct buffer *b)
{
    esp_seal(p->from, &b->packet, &p->handle, 1);
    return b->packet.verdict;
}

static inline enum drop open_one(struct pair *p, struct buffer *b)
{
    uint32_t spi;
    esp_open(p->to, &b->packet, &spi, 1);
    return b->packet.verdict;
}

/* Copies a buffer so that the copy's packet lies in the copy. */
static inline void buffer_copy(struct buffer *copy, const struct buffer *of)
{
    *copy = *of;
    copy->packet.data = copy->bytes + (of->packet.data - of->bytes);
}

static inline struct esp_counters inbound(const struct pair *p)
{
    struct esp_counters c;
    assert_true(esp_inbound_counters(p->to, p->spi, &c));
    return c;
}

#endif
