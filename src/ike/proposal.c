/* The SA payload: proposals that hold transforms (RFC 2408 3.4 to 3.6), and the answer that picks one of them. */
#include "ike/ike_message.h"

static enum drop parse_transforms(struct reader *r, uint8_t proposal, uint8_t count, struct offer *out)
{
    uint8_t next = PAYLOAD_TRANSFORM;
    for (uint8_t i = 0; i < count; i++) {
        if (next != PAYLOAD_TRANSFORM || out->transform_count == TRANSFORMS_MAX)
            return DROP_IKE_MALFORMED;
        next = rd_u8(r);
        rd_skip(r, 1);
        const uint16_t length = rd_u16(r);
        struct transform *t = &out->transforms[out->transform_count++];
        t->proposal = proposal;
        t->number = rd_u8(r);
        t->id = rd_u8(r);
        rd_skip(r, 2);
        if (length < 8)
            return DROP_IKE_MALFORMED;
        t->attributes = rd_view(r, length - 8u);
        if (!rd_ok(r))
            return DROP_IKE_MALFORMED;
    }
    return next == PAYLOAD_NONE && rd_done(r) ? DROP_NONE : DROP_IKE_MALFORMED;
}

static enum drop parse_proposal(struct reader *r, struct offer *out, uint8_t *next)
{
    *next = rd_u8(r);
    rd_skip(r, 1);
    const uint16_t length = rd_u16(r);
    if (!rd_ok(r) || length < 8 || out->proposal_count == PROPOSALS_MAX)
        return DROP_IKE_MALFORMED;
    struct reader body = rd_sub(r, length - 4u);
    struct proposal *p = &out->proposals[out->proposal_count];
    p->number = rd_u8(&body);
    p->protocol = rd_u8(&body);
    p->bundled = false;
    const uint8_t spi_size = rd_u8(&body);
    const uint8_t count = rd_u8(&body);
    p->spi = rd_view(&body, spi_size);
    if (!rd_ok(&body) || count == 0)
        return DROP_IKE_MALFORMED;
    for (size_t i = 0; i < out->proposal_count; i++) {
        if (out->proposals[i].number == p->number)
            out->proposals[i].bundled = p->bundled = true;
    }
    return parse_transforms(&body, (uint8_t)out->proposal_count++, count, out);
}

enum drop offer_parse(struct view sa_body, struct offer *out)
{
    struct reader r = rd_init(sa_body);
    out->proposal_count = out->transform_count = 0;
    const uint32_t doi = rd_u32(&r);
    const uint32_t situation = rd_u32(&r);
    if (!rd_ok(&r))
        return DROP_IKE_MALFORMED;
    if (doi != IKE_DOI || situation != SIT_IDENTITY)
        return DROP_IKE_PROPOSAL;
    for (uint8_t next = PAYLOAD_PROPOSAL; next != PAYLOAD_NONE;) {
        if (next != PAYLOAD_PROPOSAL)
            return DROP_IKE_MALFORMED;
        const enum drop d = parse_proposal(&r, out, &next);
        if (d != DROP_NONE)
            return d;
    }
    return rd_done(&r) ? DROP_NONE : DROP_IKE_MALFORMED;
}

size_t proposal_begin(struct writer *w, uint8_t protocol, struct view spi, size_t n)
{
    wr_u32(w, IKE_DOI);
    wr_u32(w, SIT_IDENTITY);
    const size_t begun = w->n;
    wr_u8(w, PAYLOAD_NONE);
    wr_u8(w, 0);
    wr_u16(w, 0);
    wr_u8(w, 1); /* its number */
    wr_u8(w, protocol);
    wr_u8(w, (uint8_t)spi.n);
    wr_u8(w, (uint8_t)n);
    wr_view(w, spi);
    return begun;
}

size_t transform_begin(struct writer *w, size_t i, size_t n, uint8_t id)
{
    const size_t begun = w->n;
    wr_u8(w, i + 1 < n ? PAYLOAD_TRANSFORM : PAYLOAD_NONE);
    wr_u8(w, 0);
    wr_u16(w, 0);
    wr_u8(w, (uint8_t)(i + 1));
    wr_u8(w, id);
    wr_u16(w, 0);
    return begun;
}

void transform_end(struct writer *w, size_t begun)
{
    wr_patch16(w, begun + 2, (uint16_t)(w->n - begun));
}

void proposal_end(struct writer *w, size_t begun)
{
    wr_patch16(w, begun + 2, (uint16_t)(w->n - begun));
}

void offer_write_choice(struct writer *w, const struct offer *o, const struct transform *t, struct view spi)
{
    const struct proposal *p = &o->proposals[t->proposal];
    wr_u32(w, IKE_DOI);
    wr_u32(w, SIT_IDENTITY);
    wr_u8(w, PAYLOAD_NONE);
    wr_u8(w, 0);
    wr_u16(w, (uint16_t)(8 + spi.n + 8 + t->attributes.n));
    wr_u8(w, p->number);
    wr_u8(w, p->protocol);
    wr_u8(w, (uint8_t)spi.n);
    wr_u8(w, 1);
    wr_view(w, spi);
    wr_u8(w, PAYLOAD_NONE);
    wr_u8(w, 0);
    wr_u16(w, (uint16_t)(8 + t->attributes.n));
    wr_u8(w, t->number);
    wr_u8(w, t->id);
    wr_u16(w, 0);
    wr_view(w, t->attributes);
}
