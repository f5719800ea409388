/*
 * ESP inbound (RFC 4303 section 3.4): a burst of packets, each found its SA by SPI, goes through the engine at once.
 * Before the ICV has matched nothing of a packet is believed and nothing of the SA changes but a counter of bad ones.
 */
#include "esp/esp_internal.h"

#define PAD_MAX 255

static bool fits(const struct sa *sa, uint32_t len, uint8_t icv)
{
    uint32_t around = ESP_HEADER + (uint32_t)sa->iv + icv;
    return len >= around + sa->block && ((len - around) & (sa->block - 1u)) == 0;
}

/* Whether both truncations of SHA-256 remain possible, which a block of 4 does not tell. */
static bool ambiguous(const struct sa *sa, uint32_t len)
{
    return sa->other && fits(sa, len, sa->icv) && fits(sa, len, sa->other_icv);
}

/* Lays out the packet as the SA's ICV length has it, or the other one's where only that can be. */
static enum drop measure(const struct sa *sa, const struct packet *p, struct work *w)
{
    if (fits(sa, p->len, sa->icv))
        w->icv = sa->icv;
    else if (sa->other && fits(sa, p->len, sa->other_icv))
        w->icv = sa->other_icv;
    else
        return p->len < ESP_HEADER + (uint32_t)sa->iv + sa->block + sa->icv ? DROP_ESP_SHORT : DROP_ESP_LENGTH;
    w->text_len = p->len - ESP_HEADER - sa->iv - w->icv;
    return DROP_NONE;
}

/* What can be told of a packet without its keys. */
static enum drop judge(const struct esp *esp, const struct packet *p, uint32_t *spi, struct work *w)
{
    *spi = 0;
    if (p->len < ESP_HEADER)
        return DROP_ESP_SHORT;
    *spi = be32_get(p->data);
    w->sa = sa_table_find(&esp->inbound, *spi);
    if (!w->sa || !w->sa->key)
        return DROP_ESP_SPI;
    if (w->sa->hard)
        return DROP_ESP_EXPIRED;
    enum drop drop = measure(w->sa, p, w);
    if (drop == DROP_NONE && !replay_fresh(&w->sa->in.replay, be32_get(p->data + 4))) {
        w->sa->in.replayed++;
        return DROP_ESP_REPLAYED;
    }
    return drop;
}

static struct engine_job job_of(const struct work *w, const struct packet *p)
{
    const struct sa *sa = w->sa;
    return (struct engine_job){w->icv == sa->icv ? sa->key : sa->other, p->data, w->text_len, false};
}

/* Packets that did not verify with the likelier ICV length get a try with the other. Only the NULL cipher comes here,
 * whose text the first try has left alone. */
static void retry(struct esp *esp, const struct packet *packets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct work *w = &esp->works[i];
        const struct packet *p = &packets[w->packet];
        if (esp->jobs[i].ok || !ambiguous(w->sa, p->len))
            continue;
        w->text_len = w->text_len + w->icv - w->sa->other_icv;
        w->icv = w->sa->other_icv;
        esp->jobs[i] = job_of(w, p);
        engine_open(esp->engine, &esp->jobs[i], 1);
    }
}

/* Padding is 1, 2, 3, ... (RFC 4303 section 2.4); then UDP it must be, for this is a road for L2TP alone. */
static enum drop judge_trailer(const uint8_t *text, uint32_t text_len, uint32_t *plain_len)
{
    uint32_t pad = text[text_len - 2];
    uint8_t next_header = text[text_len - 1];
    if (pad + ESP_TRAILER > text_len)
        return DROP_ESP_PADDING;
    const uint8_t *padding = text + text_len - ESP_TRAILER - pad;
    for (uint32_t i = 0; i < pad; i++)
        if (padding[i] != i + 1)
            return DROP_ESP_PADDING;
    if (next_header == NEXT_HEADER_NONE)
        return DROP_ESP_DUMMY;
    if (next_header != NEXT_HEADER_UDP)
        return DROP_ESP_NEXT_HEADER;
    *plain_len = text_len - ESP_TRAILER - pad;
    return DROP_NONE;
}

/* Learns the ICV length of SHA-256 from an authentic packet, and teaches it to the outbound twin. False when the packet
 * has one that is not taken any more. */
static bool learn_icv(struct esp *esp, struct sa *sa, uint8_t icv)
{
    if (sa->other && (!sa->icv_known || icv > sa->icv)) {
        sa_use_icv(esp, sa, icv);
        sa->icv_known = true;
        struct sa *twin = sa_table_find(&esp->outbound, sa->in.follower);
        if (twin)
            sa_use_icv(esp, twin, icv);
    }
    return icv == sa->icv;
}

/* The packet is authentic and new from here on; also one of two equal ones in this burst is not. */
static enum drop accept(struct esp *esp, struct sa *sa, const struct work *w, uint32_t sequence)
{
    if (!learn_icv(esp, sa, w->icv)) {
        sa->in.bad_icv++;
        return DROP_ESP_ICV;
    }
    if (!replay_commit(&sa->in.replay, sequence)) {
        sa->in.replayed++;
        return DROP_ESP_REPLAYED;
    }
    if (sa->hard)
        return DROP_ESP_EXPIRED;
    sa_count(esp, sa, w->text_len);
    return DROP_NONE;
}

static enum drop finish(struct esp *esp, struct packet *p, const struct work *w, bool ok)
{
    struct sa *sa = w->sa;
    if (!ok) {
        sa->in.bad_icv++;
        return DROP_ESP_ICV;
    }
    const uint32_t sequence = be32_get(p->data + 4);
    enum drop drop = accept(esp, sa, w, sequence);
    if (drop != DROP_NONE)
        return drop;
    uint32_t head = ESP_HEADER + (uint32_t)sa->iv, plain_len;
    drop = judge_trailer(p->data + head, w->text_len, &plain_len);
    if (drop != DROP_NONE)
        return drop;
    uint32_t tailroom = p->tailroom + (p->len - head - plain_len);
    packet_pull(p, head);
    p->len = plain_len;
    p->tailroom = (uint16_t)(tailroom < UINT16_MAX ? tailroom : UINT16_MAX);
    p->owner = sa->owner;
    p->newest = sequence == sa->in.replay.top;
    return DROP_NONE;
}

void esp_open(struct esp *esp, struct packet *packets, uint32_t *spis, size_t n)
{
    size_t jobs = 0;
    for (size_t i = 0; i < n; i++) {
        struct work *w = &esp->works[jobs];
        if (packets[i].verdict != DROP_NONE)
            continue;
        packets[i].verdict = (uint16_t)judge(esp, &packets[i], &spis[i], w);
        if (packets[i].verdict != DROP_NONE)
            continue;
        w->packet = (uint32_t)i;
        esp->jobs[jobs++] = job_of(w, &packets[i]);
    }
    engine_open(esp->engine, esp->jobs, jobs);
    retry(esp, packets, jobs);
    for (size_t i = 0; i < jobs; i++) {
        struct packet *p = &packets[esp->works[i].packet];
        p->verdict = (uint16_t)finish(esp, p, &esp->works[i], esp->jobs[i].ok);
    }
}
