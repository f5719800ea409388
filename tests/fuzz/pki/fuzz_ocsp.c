/* An answer over plain HTTP. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pki_revocation r;
    for (size_t link = 0; link < 3; link++) {
        pki_ocsp_judge(rig_chain(), link, view_of(data, size), VIEW_NONE, RIG_WALL, &r);
        rig_check_text(r.detail, sizeof r.detail);
        MUST(link == 0 || r.status == PKI_STATUS_UNKNOWN);
    }
    return 0;
}
