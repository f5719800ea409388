/* A datagram of nflog: whatever it says, each packet lies within it, and there is an end. */
#include "router/router_internal.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1); /* aligned as the kernel's is, and guarded at its end */
    MUST(copy);
    if (size > 0)
        memcpy(copy, data, size);
    uint8_t *at = copy;
    size_t left = size;
    struct nflog_packet packet;
    for (size_t found = 0; nflog_next(&at, &left, &packet); found++) {
        MUST(found <= size / 16);
        MUST(packet.p >= copy && packet.p + packet.n <= copy + size);
        MUST(left == 0 || (at >= copy && at + left <= copy + size));
        for (size_t i = 0; i < packet.n; i++)
            packet.p[i] ^= 0xff; /* it is ours to change */
    }
    free(copy);
    return 0;
}
