/*
 * Arbitrary plain text in an authentic packet: what a peer with keys can do to the trailer's parser. The first byte
 * chooses the cipher. A packet that is let in lies inside of what was sealed, and not a byte of room is lost or won.
 */
#include <stdlib.h>
#include <string.h>

#include "esp/esp.h"

#define ROOM 64
#define TEXT 4096
#define HEAD 8 /* SPI and sequence number */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct esp_transform transforms[] = {
    {ESP_CIPHER_NULL, 0, ESP_AUTH_SHA1_96},
    {ESP_CIPHER_AES_CBC, 16, ESP_AUTH_SHA1_96},
    {ESP_CIPHER_AES_GCM, 16, ESP_AUTH_NONE},
};

struct peer {
    struct esp *esp;
    struct engine *engine;
    struct engine_key *keys[ARRAY_LEN(transforms)];
    uint32_t spis[ARRAY_LEN(transforms)];
    uint32_t sequence;
};

static void make(struct peer *p)
{
    static struct random_test dice;
    static const struct random rng = {random_test_fill, &dice};
    const struct esp_config config = {.max_sas = 100};
    const uint8_t keymat[100] = {1};
    random_test_init(&dice, 1);
    p->esp = esp_new(&config, &rng);
    p->engine = engine_new(NULL);
    for (size_t i = 0; i < ARRAY_LEN(transforms); i++) {
        const struct esp_transform *t = &transforms[i];
        const struct esp_sa_config sa = {.transform = *t,
                                         .keymat = view_of(keymat, esp_cipher_key_size(t) + esp_auth_key_size(t)),
                                         .life = {UINT64_MAX, UINT64_MAX}};
        p->spis[i] = esp_spi_reserve(p->esp);
        if (esp_inbound_add(p->esp, p->spis[i], &sa) != ERR_OK ||
            engine_key_new(p->engine, t, sa.keymat, &p->keys[i]) != ERR_OK)
            abort();
    }
}

static void check(const struct packet *p, const struct packet *before, uint32_t text_len)
{
    if (p->verdict == DROP_ESP_PADDING || p->verdict == DROP_ESP_DUMMY || p->verdict == DROP_ESP_NEXT_HEADER)
        return;
    if (p->verdict != DROP_NONE) /* it was authentic and new */
        abort();
    if (p->len + 2 > text_len || p->data < before->data || p->data + p->len > before->data + before->len ||
        p->headroom + p->len + p->tailroom != before->headroom + before->len + before->tailroom)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct peer peer;
    static uint8_t buffer[ROOM + HEAD + 16 + TEXT + 16];
    if (!peer.esp || peer.sequence == UINT32_MAX)
        make(&peer);
    if (size < 1)
        return 0;
    size_t kind = data[0] % ARRAY_LEN(transforms);
    const struct esp_transform *t = &transforms[kind];
    size_t n = (size - 1) / esp_block(t) * esp_block(t);
    if (n == 0 || n > TEXT)
        return 0;
    uint8_t *esp = buffer + ROOM;
    be32_put(esp, peer.spis[kind]);
    be32_put(esp + 4, ++peer.sequence);
    memcpy(esp + HEAD + esp_iv_size(t), data + size - n, n);
    struct engine_job job = {peer.keys[kind], esp, (uint32_t)n, false};
    engine_seal(peer.engine, &job, 1);

    struct packet p = {.data = esp, .len = (uint32_t)(HEAD + esp_iv_size(t) + n + esp_icv_size(t)), .headroom = ROOM};
    const struct packet before = p;
    uint32_t spi;
    esp_open(peer.esp, &p, &spi, 1);
    check(&p, &before, (uint32_t)n);
    return 0;
}
