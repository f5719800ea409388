/* LCP from the first request on, as server and as client. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int server = 0; server <= 1; server++) {
        struct fuzz_link l;
        fuzz_open(&l, server, PPP_AUTH_MSCHAPV2);
        fuzz_feed(&l, PPP_LCP, data, size);
    }
    return 0;
}
