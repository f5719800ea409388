/*
 * Bindings as a file keeps them while no router runs: two copies of fixed places, written in turn, so that whatever
 * ends a write half-way leaves the other. The newest good one counts. Each is a head, entries, and a sum over both, all
 * big-endian. The sum is against halves and decay: who can write the file can write a sum.
 *
 *      magic 4, version 2, entries 2, outside address 4, generation 8, boot 8
 *      kind 1 (1: ESP out, 2: ESP in, 3: IKE), host 4, server 4, SPI or cookie 8, responder cookie 8, last use 8
 *      sum 8
 */
#include "router/router_internal.h"

#define MAGIC   0x534b5242 /* "SKRB" */
#define VERSION 1
#define HEAD    28
#define ENTRY   33
#define SUM     8

enum kind { ESP_OUT = 1, ESP_IN, IKE };

size_t saved_size(size_t entries)
{
    return HEAD + entries * ENTRY + SUM;
}

void saved_begin(struct saved_writer *s, uint8_t *out, size_t cap, const struct saved_head *head)
{
    *s = (struct saved_writer){.w = wr_init(out, cap < SAVED_SIZE ? cap : SAVED_SIZE)};
    wr_u32(&s->w, MAGIC);
    wr_u16(&s->w, VERSION);
    wr_u16(&s->w, 0); /* how many: saved_end() */
    wr_u32(&s->w, head->outside);
    wr_u64(&s->w, head->generation);
    wr_u64(&s->w, head->boot);
}

bool saved_add(struct saved_writer *s, const struct tracker_binding_info *b)
{
    if (s->entries == SAVED_ENTRIES || s->w.cap - s->w.n < ENTRY + SUM)
        return false;
    wr_u8(&s->w, b->ike ? IKE : b->way == TRACKER_OUT ? ESP_OUT : ESP_IN);
    wr_u32(&s->w, b->host);
    wr_u32(&s->w, b->server);
    wr_u64(&s->w, b->ike ? b->initiator : b->spi);
    wr_u64(&s->w, b->responder);
    wr_u64(&s->w, b->used);
    s->entries++;
    return true;
}

struct view saved_end(struct saved_writer *s)
{
    wr_patch16(&s->w, 6, s->entries);
    wr_u64(&s->w, view_sum(wr_written(&s->w)));
    return wr_written(&s->w);
}

bool saved_open(struct view copy, struct saved_head *head, struct reader *entries)
{
    struct reader r = rd_init(copy);
    const bool ours = rd_u32(&r) == MAGIC && rd_u16(&r) == VERSION;
    const uint16_t n = rd_u16(&r);
    struct saved_head h;
    h.outside = rd_u32(&r);
    h.generation = rd_u64(&r);
    h.boot = rd_u64(&r);
    struct reader list = rd_sub(&r, (size_t)n * ENTRY);
    const uint64_t sum = rd_u64(&r);
    if (!rd_ok(&r) || !ours || n > SAVED_ENTRIES || sum != view_sum(view_of(copy.p, HEAD + (size_t)n * ENTRY)))
        return false;
    *head = h;
    *entries = list;
    return true;
}

bool saved_next(struct reader *entries, struct tracker_binding_info *out)
{
    if (rd_left(entries) == 0)
        return false;
    const uint8_t kind = rd_u8(entries);
    struct tracker_binding_info b = {.way = kind == ESP_IN ? TRACKER_IN : TRACKER_OUT,
                                     .ike = kind == IKE,
                                     .state = TRACKER_STATE_BOUND,
                                     .candidates = 1};
    b.host = rd_u32(entries);
    b.server = rd_u32(entries);
    const uint64_t id = rd_u64(entries);
    b.responder = rd_u64(entries);
    b.used = rd_u64(entries);
    if (kind == IKE)
        b.initiator = id;
    else
        b.spi = (uint32_t)id;
    if (kind < ESP_OUT || kind > IKE || b.host == 0 || b.server == 0 || id == 0 || (kind != IKE && id > UINT32_MAX))
        rd_fail(entries);
    if (!rd_ok(entries))
        return false;
    *out = b;
    return true;
}
