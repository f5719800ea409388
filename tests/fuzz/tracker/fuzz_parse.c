/* The facts of a packet: the first byte chooses the way, the rest is the packet. */
#include "tracker/tracker.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tracker_packet p = {.handle = 7};
    if (size == 0)
        return 0;
    const enum tracker_way way = data[0] & 1 ? TRACKER_IN : TRACKER_OUT;
    if (tracker_parse(view_of(data + 1, size - 1), way, &p) != ERR_OK)
        return p.handle == 7 ? 0 : (abort(), 0);
    if (p.way != way || (p.ike ? p.initiator == 0 || p.spi != 0 : p.spi < 256 || p.initiator != 0))
        abort();
    return 0;
}
