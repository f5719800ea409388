/* IPCP after the login, as server and as client. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int server = 0; server <= 1; server++) {
        struct fuzz_link l;
        fuzz_open_network(&l, server);
        fuzz_feed(&l, PPP_IPCP, data, size);
    }
    return 0;
}
