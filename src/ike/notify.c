/* Notification and Delete payloads (RFC 2408 3.14, 3.15). */
#include "ike/ike_message.h"

enum drop notify_parse(struct view body, struct notify *out)
{
    struct reader r = rd_init(body);
    const uint32_t doi = rd_u32(&r);
    out->protocol = rd_u8(&r);
    const uint8_t spi_size = rd_u8(&r);
    out->type = rd_u16(&r);
    out->spi = rd_view(&r, spi_size);
    out->data = rd_rest(&r);
    /* Some stacks put the generic ISAKMP DOI, 0, into notifications of phase 1. */
    return rd_ok(&r) && doi <= IKE_DOI ? DROP_NONE : DROP_IKE_MALFORMED;
}

#define ERROR_TYPES_END 8192 /* RFC 2408 3.14.1: below are errors */

bool notify_is_error(uint16_t type)
{
    return type < ERROR_TYPES_END;
}

const char *notify_word(uint16_t type)
{
    switch (type) {
#define NOTIFY(name, number, word)                                                                                     \
    case number:                                                                                                       \
        return word;
#include "ike/notify.def"
#undef NOTIFY
    default:
        return "an unknown notification";
    }
}

enum drop delete_parse(struct view body, struct delete_list *out)
{
    struct reader r = rd_init(body);
    const uint32_t doi = rd_u32(&r);
    out->protocol = rd_u8(&r);
    out->spi_size = rd_u8(&r);
    out->count = rd_u16(&r);
    out->spis = rd_view(&r, (size_t)out->spi_size * out->count);
    return rd_done(&r) && doi <= IKE_DOI ? DROP_NONE : DROP_IKE_MALFORMED;
}
