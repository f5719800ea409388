/* Data attributes of transforms (RFC 2408 3.3): a 16-bit value in place, or a length and bytes. Clients send the same
 * lifetime in either form (clients.md rule 11). */
#include "ike/ike_message.h"

#define FORM_TV 0x8000

bool attribute_next(struct reader *r, struct attribute *a)
{
    if (!rd_ok(r) || rd_left(r) == 0)
        return false;
    const uint16_t type = rd_u16(r);
    a->type = (uint16_t)(type & ~FORM_TV);
    if (type & FORM_TV) {
        a->value = rd_u16(r);
        return rd_ok(r);
    }
    struct reader bytes = rd_block16(r);
    a->value = 0;
    while (rd_left(&bytes) > 0) {
        const uint8_t b = rd_u8(&bytes);
        a->value = a->value >> 56 ? UINT64_MAX : a->value << 8 | b;
    }
    return rd_ok(r);
}

void attribute_write(struct writer *w, uint16_t type, uint32_t value)
{
    if (value <= UINT16_MAX) {
        wr_u16(w, (uint16_t)(type | FORM_TV));
        wr_u16(w, (uint16_t)value);
        return;
    }
    wr_u16(w, type);
    wr_u16(w, 4);
    wr_u32(w, value);
}
