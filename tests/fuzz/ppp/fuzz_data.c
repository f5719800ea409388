/* The data path: any frame, with any head room, before and after the network layer is up. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_link closed, opened;
    if (!closed.ppp) {
        fuzz_open(&closed, true, PPP_AUTH_PAP);
        static const uint8_t ask[] = {0x80, 0x21, 1, 1, 0, 10, 3, 6, 10, 0, 0, 2};
        fuzz_open_network(&opened, true);
        fuzz_say(&opened, ask, sizeof ask);
    }
    if (size < 1 || size > 2048)
        return 0;
    const struct ppp *links[] = {closed.ppp, opened.ppp};
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        uint16_t headroom = data[0] & 7;
        uint8_t *room = malloc(headroom + size);
        memcpy(room + headroom, data + 1, size - 1);
        struct packet p = {.data = room + headroom, .len = (uint32_t)size - 1, .headroom = headroom};
        if (ppp_data_open(links[i], &p) == DROP_NONE) {
            fuzz_require(p.data >= room && p.data + p.len == room + headroom + size - 1);
            ppp_data_seal(links[i], PPP_IP, &p);
            fuzz_require(p.data >= room);
        }
        free(room);
    }
    return 0;
}
