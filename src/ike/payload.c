/* The ISAKMP header and the chain of payloads behind it (RFC 2408 3.1, 3.2), and which payloads a message must have. */
#include "ike/ike_message.h"

#define VERSION_1         0x10
#define CLEAR_PADDING_MAX 3 /* libreswan fills up what it does not encrypt too, to words of four bytes */

enum drop header_parse(struct view datagram, struct header *h, struct view *body)
{
    struct reader r = rd_init(datagram);
    rd_copy(&r, h->icookie, COOKIE_SIZE);
    rd_copy(&r, h->rcookie, COOKIE_SIZE);
    h->next = rd_u8(&r);
    h->version = rd_u8(&r);
    h->exchange = rd_u8(&r);
    h->flags = rd_u8(&r);
    h->message_id = rd_u32(&r);
    const uint32_t length = rd_u32(&r);
    if (!rd_ok(&r) || length < IKE_HEADER_SIZE || length > datagram.n)
        return DROP_IKE_SHORT;
    /* A larger minor version is to be taken as ours (RFC 2408 5.2). */
    if ((h->version & 0xf0) != VERSION_1)
        return DROP_IKE_VERSION;
    *body = rd_view(&r, length - IKE_HEADER_SIZE);
    return DROP_NONE;
}

enum drop payloads_parse(uint8_t first, struct view body, bool padded, struct payloads *out)
{
    struct reader r = rd_init(body);
    struct reader behind = r;
    size_t behind_end = 0;
    out->n = 0;
    for (uint8_t type = first; type != PAYLOAD_NONE;) {
        const uint8_t next = rd_u8(&r);
        const uint8_t reserved = rd_u8(&r);
        const uint16_t length = rd_u16(&r);
        if (!rd_ok(&r) || reserved != 0 || length < 4 || out->n == PAYLOADS_MAX)
            return DROP_IKE_MALFORMED;
        out->at[out->n++] = (struct payload){type, rd_view(&r, length - 4u)};
        if (!rd_ok(&r))
            return DROP_IKE_MALFORMED;
        if (out->n == 1) {
            behind = r;
            behind_end = rd_left(&r);
        }
        type = next;
    }
    if (out->n == 0 || (!padded && rd_left(&r) > CLEAR_PADDING_MAX))
        return DROP_IKE_MALFORMED;
    out->after_first = rd_view(&behind, behind_end - rd_left(&r));
    return DROP_NONE;
}

const struct payload *payload_nth(const struct payloads *p, enum payload_type type, size_t nth)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->at[i].type == type && nth-- == 0)
            return &p->at[i];
    }
    return NULL;
}

size_t payload_count(const struct payloads *p, enum payload_type type)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += p->at[i].type == type;
    return n;
}

struct view payload_body(const struct payloads *p, enum payload_type type)
{
    const struct payload *found = payload_nth(p, type, 0);
    return found ? found->body : VIEW_NONE;
}

enum drop form_check(enum form form, const struct payloads *p)
{
    static const struct {
        enum form form;
        enum payload_type type;
        size_t least, most;
    } rules[] = {
#define FORM(name, payload, least, most) {FORM_##name, PAYLOAD_##payload, least, most},
#include "ike/form.def"
#undef FORM
    };
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rules[i].form != form)
            continue;
        const size_t n = payload_count(p, rules[i].type);
        if (n < rules[i].least || n > rules[i].most)
            return DROP_IKE_PAYLOADS;
    }
    return DROP_NONE;
}
