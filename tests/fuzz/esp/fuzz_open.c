/*
 * Bursts of arbitrary bytes into esp_open(). Input: packets of an SA's number, a 16-bit length and bytes; the SPI of
 * that SA is written over the first four, so that most get beyond look-up. Nobody forges an ICV: no packet may be let
 * in, and no packet's owner, length or place may change.
 */
#include <stdlib.h>
#include <string.h>

#include "esp/esp.h"

#define ROOM 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct esp_transform transforms[] = {
    {ESP_CIPHER_NULL, 0, ESP_AUTH_SHA1_96},        {ESP_CIPHER_AES_CBC, 32, ESP_AUTH_SHA1_96},
    {ESP_CIPHER_NULL, 0, ESP_AUTH_SHA256_128},     {ESP_CIPHER_AES_CBC, 16, ESP_AUTH_SHA256_128},
    {ESP_CIPHER_3DES, 24, ESP_AUTH_MD5_96},        {ESP_CIPHER_AES_GCM, 16, ESP_AUTH_NONE},
    {ESP_CIPHER_AES_CBC, 24, ESP_AUTH_SHA512_256}, {ESP_CIPHER_3DES, 24, ESP_AUTH_SHA256_96},
};

static uint32_t spis[ARRAY_LEN(transforms)];

static struct esp *make(void)
{
    static struct random_test dice;
    static const struct random rng = {random_test_fill, &dice};
    const struct esp_config config = {.max_sas = 100};
    uint8_t keymat[100];
    random_test_init(&dice, 1);
    random_fill(&rng, keymat, sizeof keymat);
    struct esp *esp = esp_new(&config, &rng);
    for (size_t i = 0; i < ARRAY_LEN(transforms); i++) {
        const struct esp_transform *t = &transforms[i];
        const struct esp_sa_config sa = {.transform = *t,
                                         .keymat = view_of(keymat, esp_cipher_key_size(t) + esp_auth_key_size(t)),
                                         .life = {UINT64_MAX, UINT64_MAX}};
        spis[i] = esp_spi_reserve(esp);
        if (esp_inbound_add(esp, spis[i], &sa) != ERR_OK)
            abort();
    }
    return esp;
}

/* Exactly as large as the packet: a byte too far is seen. */
static bool next_packet(struct reader *r, struct packet *p)
{
    uint8_t sa = rd_u8(r);
    size_t n = rd_u16(r) % ROOM;
    struct view bytes = rd_view(r, n < rd_left(r) ? n : rd_left(r));
    if (!rd_ok(r))
        return false;
    uint8_t *copy = malloc(bytes.n ? bytes.n : 1);
    if (bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    if (sa < ARRAY_LEN(transforms) && bytes.n >= 4)
        be32_put(copy, spis[sa]);
    *p = (struct packet){.data = copy, .len = (uint32_t)bytes.n, .owner = 7};
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct esp *esp;
    struct packet packets[BURST_MAX], before[BURST_MAX];
    uint32_t found[BURST_MAX];
    size_t n = 0;
    if (!esp)
        esp = make();
    struct reader r = rd_init(view_of(data, size));
    while (n < BURST_MAX && next_packet(&r, &packets[n]))
        n++;
    memcpy(before, packets, sizeof *packets * n);
    esp_open(esp, packets, found, n);
    for (size_t i = 0; i < n; i++) {
        if (packets[i].verdict == DROP_NONE || packets[i].owner != 7 || packets[i].len != before[i].len ||
            packets[i].data != before[i].data)
            abort();
        free(before[i].data);
    }
    return 0;
}
