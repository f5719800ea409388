/* The client's ESP: CBC and HMAC over one packet in transport mode (RFC 4303), written apart from src/esp. */
#include "tests/replay/replay.h"

#include <string.h>

#define ESP_HEADER   8
#define PROTOCOL_UDP 17

static void icv(const struct pair *p, const uint8_t *key, struct view covered, uint8_t *out)
{
    wanted(hmac_digest(p->hash, view_of(key, hash_size(p->hash)), &covered, 1, out) == ERR_OK, "an ICV");
}

size_t pair_seal(struct pair *p, const struct random *random, struct view plain, uint8_t *out)
{
    const size_t block = cipher_block(p->cipher);
    uint8_t iv[CIPHER_BLOCK_MAX], digest[HASH_SIZE_MAX];
    struct writer w = wr_init(out, BYTES_MAX);
    wr_u32(&w, p->spi_theirs);
    wr_u32(&w, ++p->sequence);
    random_fill(random, iv, block);
    wr_bytes(&w, iv, block);
    const size_t text = w.n;
    wr_view(&w, plain);
    uint8_t padding = 0;
    for (; (plain.n + padding + 2) % block != 0; padding++)
        wr_u8(&w, (uint8_t)(padding + 1));
    wr_u8(&w, padding);
    wr_u8(&w, PROTOCOL_UDP);
    wanted(wr_ok(&w), "a smaller packet");
    wanted(cbc_encrypt(p->cipher, view_of(p->key_out, p->key_bytes), iv, out + text, w.n - text) == ERR_OK,
           "encryption");
    icv(p, p->auth_out, view_of(out, w.n), digest);
    wr_bytes(&w, digest, p->icv);
    return w.n;
}

struct view pair_open(struct pair *p, struct view esp, uint8_t *out)
{
    const size_t block = cipher_block(p->cipher), head = ESP_HEADER + block;
    uint8_t iv[CIPHER_BLOCK_MAX], digest[HASH_SIZE_MAX];
    wanted(esp.n >= head + block + p->icv && esp.n <= BYTES_MAX, "an ESP packet of sensible size");
    const size_t n = esp.n - head - p->icv;
    icv(p, p->auth_in, view_of(esp.p, esp.n - p->icv), digest);
    wanted(memcmp(digest, esp.p + esp.n - p->icv, p->icv) == 0, "a right ICV from the gateway");
    memcpy(iv, esp.p + ESP_HEADER, block);
    memcpy(out, esp.p + head, n);
    wanted(cbc_decrypt(p->cipher, view_of(p->key_in, p->key_bytes), iv, out, n) == ERR_OK, "whole blocks");
    const uint8_t padding = out[n - 2];
    wanted(out[n - 1] == PROTOCOL_UDP && padding + 2u <= n, "UDP and an ESP trailer");
    for (size_t i = 0; i < padding; i++)
        wanted(out[n - 2 - padding + i] == i + 1, "padding 1, 2, 3, ...");
    return view_of(out, n - 2 - padding);
}
