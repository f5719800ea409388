/* Outgoing messages: payload after payload into a checked buffer, each type patched into the one before it. */
#include "ike/ike_message.h"

#define NEXT_AT   16
#define LENGTH_AT 24
#define VERSION_1 0x10

void draft_begin(struct draft *d, const struct header *cookies, enum exchange exchange, uint32_t message_id)
{
    draft_begin_in(d, wr_init(d->bytes, sizeof(d->bytes)), cookies, exchange, message_id);
}

void draft_begin_in(struct draft *d, struct writer room, const struct header *cookies, enum exchange exchange,
                    uint32_t message_id)
{
    d->w = room;
    d->next_at = NEXT_AT;
    d->open_at = d->hash_at = 0;
    d->message_id = message_id;
    wr_bytes(&d->w, cookies->icookie, COOKIE_SIZE);
    wr_bytes(&d->w, cookies->rcookie, COOKIE_SIZE);
    wr_u8(&d->w, PAYLOAD_NONE);
    wr_u8(&d->w, VERSION_1);
    wr_u8(&d->w, (uint8_t)exchange);
    wr_u8(&d->w, 0);
    wr_u32(&d->w, message_id);
    wr_u32(&d->w, 0);
}

void draft_payload(struct draft *d, enum payload_type type)
{
    wr_patch8(&d->w, d->next_at, (uint8_t)type);
    d->next_at = d->w.n;
    wr_u8(&d->w, PAYLOAD_NONE);
    wr_u8(&d->w, 0);
    d->open_at = d->w.n;
    wr_u16(&d->w, 0);
}

void draft_payload_end(struct draft *d)
{
    /* The length counts its generic header, which begins two bytes before the length field. */
    wr_patch16(&d->w, d->open_at, (uint16_t)(d->w.n - d->open_at + 2));
}

void draft_put(struct draft *d, enum payload_type type, struct view body)
{
    draft_payload(d, type);
    wr_view(&d->w, body);
    draft_payload_end(d);
}

void draft_vendor(struct draft *d, enum vendor v)
{
    static const uint8_t main_mode[4] = {0x80}; /* fragmentation of main and aggressive mode, as racoon means it */
    uint8_t bytes[20];
    draft_payload(d, PAYLOAD_VENDOR);
    wr_bytes(&d->w, bytes, vendor_bytes(v, bytes));
    if (v == VENDOR_FRAGMENTATION)
        wr_bytes(&d->w, main_mode, sizeof(main_mode));
    draft_payload_end(d);
}

void draft_notify(struct draft *d, uint8_t protocol, uint16_t type, struct view spi, struct view data)
{
    draft_payload(d, PAYLOAD_NOTIFY);
    wr_u32(&d->w, IKE_DOI);
    wr_u8(&d->w, protocol);
    wr_u8(&d->w, (uint8_t)spi.n);
    wr_u16(&d->w, type);
    wr_view(&d->w, spi);
    wr_view(&d->w, data);
    draft_payload_end(d);
}

struct view draft_finish(struct draft *d)
{
    wr_patch32(&d->w, LENGTH_AT, (uint32_t)d->w.n);
    return wr_written(&d->w);
}
