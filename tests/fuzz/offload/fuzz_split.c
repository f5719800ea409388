/* Frame meta data and a frame: 10 bytes say what struct frame_meta says, the rest is the packet. */
#include "offload/offload.h"

#include <stdlib.h>
#include <string.h>

#define PACKETS_LOOKED_AT 200

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = rd_init((struct view){data, size});
    struct frame f = {.meta = {.kind = rd_u8(&r) % (GSO_UDP + 1), .needs_checksum = rd_u8(&r) & 1}};
    f.meta.size = rd_u16(&r);
    f.meta.header = rd_u16(&r);
    f.meta.csum_start = rd_u16(&r);
    f.meta.csum_offset = rd_u16(&r);
    const struct view packet = rd_rest(&r);
    if (!rd_ok(&r))
        return 0;
    f.data = packet.p;
    f.len = (uint32_t)packet.n;
    struct split s;
    if (split_begin(&s, &f) != DROP_NONE)
        return 0;
    MUST(s.count > 0);
    uint64_t payload = 0;
    for (uint32_t i = 0; i < s.count; i++) {
        const uint32_t len = split_length(&s, i);
        MUST(len > s.header && len <= f.len);
        payload += len - s.header;
        if (i >= PACKETS_LOOKED_AT && i + 1 < s.count)
            continue;
        uint8_t *out = malloc(len);
        MUST(out);
        split_write(&s, i, out);
        struct ip_info ip;
        MUST(f.meta.kind == GSO_NONE || (ip_info((struct view){out, len}, &ip) == ERR_OK && ip.total == len));
        free(out);
    }
    MUST(payload == f.len - s.header);
    return 0;
}
