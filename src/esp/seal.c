/*
 * ESP outbound (RFC 4303 section 3.3): header, IV and trailer are written around each packet of a burst, then the
 * engine seals them at once. Padding is the least that fills a block, so that equal packets stay equal in length and
 * the kernel can cut them from one super-packet.
 */
#include "esp/esp_internal.h"

static enum drop judge(struct esp *esp, struct sa *sa)
{
    if (!sa)
        return DROP_ESP_SPI;
    if (sa->hard)
        return DROP_ESP_EXPIRED;
    if (sa->out.sequence == UINT32_MAX) { /* never wraps: RFC 4303 section 3.3.3 */
        sa_expire(esp, sa, true);
        return DROP_ESP_SEQUENCE;
    }
    return DROP_NONE;
}

/* AES-GCM must never see an IV twice and asks for nothing else (RFC 4106 section 3.1): the sequence number serves.
 * CBC's must not be foretold (RFC 3602 section 3). */
static void put_iv(struct esp *esp, const struct sa *sa, uint8_t *iv)
{
    if (sa->gcm) {
        be32_put(iv, 0);
        be32_put(iv + 4, sa->out.sequence);
    } else {
        iv_stream_draw(esp->ivs, iv, sa->iv);
    }
}

static void put_trailer(uint8_t *p, uint32_t pad)
{
    for (uint32_t i = 0; i < pad; i++)
        p[i] = (uint8_t)(i + 1);
    p[pad] = (uint8_t)pad;
    p[pad + 1] = NEXT_HEADER_UDP;
}

static enum drop wrap(struct esp *esp, struct packet *p, struct sa *sa, struct engine_job *job)
{
    uint32_t pad = -(p->len + ESP_TRAILER) & (sa->block - 1u);
    uint32_t head = ESP_HEADER + (uint32_t)sa->iv, tail = pad + ESP_TRAILER + sa->icv;
    if (tail > p->tailroom || !packet_push(p, head))
        return DROP_ESP_ROOM;
    put_trailer(p->data + p->len, pad);
    *job = (struct engine_job){sa->key, p->data, p->len - head + pad + ESP_TRAILER, false};
    p->len += tail;
    p->tailroom = (uint16_t)(p->tailroom - tail);

    be32_put(p->data, sa->out.spi);
    be32_put(p->data + 4, ++sa->out.sequence);
    put_iv(esp, sa, p->data + ESP_HEADER);
    sa_count(esp, sa, job->text_len);
    if (sa->out.sequence >= SEQUENCE_SOFT)
        sa_expire(esp, sa, false);
    return DROP_NONE;
}

void esp_seal(struct esp *esp, struct packet *packets, const uint32_t *handles, size_t n)
{
    size_t jobs = 0;
    for (size_t i = 0; i < n; i++) {
        if (packets[i].verdict != DROP_NONE)
            continue;
        struct sa *sa = sa_table_find(&esp->outbound, handles[i]);
        enum drop drop = judge(esp, sa);
        if (drop == DROP_NONE)
            drop = wrap(esp, &packets[i], sa, &esp->jobs[jobs]);
        packets[i].verdict = (uint16_t)drop;
        if (drop == DROP_NONE)
            esp->works[jobs++].packet = (uint32_t)i;
    }
    engine_seal(esp->engine, esp->jobs, jobs);
    for (size_t i = 0; i < jobs; i++)
        if (!esp->jobs[i].ok)
            packets[esp->works[i].packet].verdict = DROP_ESP_ENGINE;
}
