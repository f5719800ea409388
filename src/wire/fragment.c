/* Cutting an IPv4 packet into fragments (RFC 791 3.2). Options are copied into every fragment: to leave out those that
 * need not be there would save nothing that matters. */
#include "wire/wire.h"

#include <string.h>

#define DONT_FRAGMENT  0x4000
#define MORE_FRAGMENTS 0x2000
#define OFFSET_MASK    0x1fff
#define UNIT           8 /* fragment offsets count eight bytes */

enum err ip4_fragments(struct view packet, uint16_t mtu, struct ip4_fragments *out)
{
    struct ip_info ip;
    if (ip_info(packet, &ip) != ERR_OK)
        return ERR_MALFORMED;
    if (ip.version != 4 || ip.dont_fragment || mtu < ip.transport + UNIT)
        return ERR_UNSUPPORTED;
    const uint32_t step = (uint32_t)(mtu - ip.transport) / UNIT * UNIT, payload = ip.total - ip.transport;
    *out = (struct ip4_fragments){
        .packet = {packet.p, ip.total},
        .header = ip.transport,
        .step = step,
        .count = payload == 0 ? 1 : (payload + step - 1) / step,
    };
    return ERR_OK;
}

uint32_t ip4_fragment_length(const struct ip4_fragments *f, uint32_t i)
{
    const uint32_t left = (uint32_t)f->packet.n - f->header - i * f->step;
    return f->header + (left < f->step ? left : f->step);
}

void ip4_fragment_write(const struct ip4_fragments *f, uint32_t i, uint8_t *out)
{
    const uint32_t length = ip4_fragment_length(f, i);
    const uint16_t before = be16_get(f->packet.p + 6); /* it may be a fragment itself */
    const uint16_t offset = (uint16_t)((before & OFFSET_MASK) + i * f->step / UNIT);
    const bool more = i + 1 < f->count || (before & MORE_FRAGMENTS) != 0;
    memcpy(out, f->packet.p, f->header);
    memcpy(out + f->header, f->packet.p + f->header + i * f->step, length - f->header);
    be16_put(out + 2, (uint16_t)length);
    be16_put(out + 6, (uint16_t)(offset | (more ? MORE_FRAGMENTS : 0)));
    be16_put(out + 10, 0);
    be16_put(out + 10, inet_fold(inet_sum(0, out, f->header)));
}
