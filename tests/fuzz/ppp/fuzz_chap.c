/* CHAP with MD5 and MS-CHAPv2, as server and as client. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int i = 0; i < 4; i++) {
        struct fuzz_link l;
        fuzz_open_lcp(&l, i & 1, i & 2 ? PPP_AUTH_MSCHAPV2 : PPP_AUTH_CHAP_MD5);
        fuzz_feed(&l, PPP_CHAP, data, size);
    }
    return 0;
}
