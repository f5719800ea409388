/* A CRL from wherever a certificate says. Without the authority's signature it tells nothing. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pki_crl *crl = NULL;
    struct pki_revocation r;
    if (pki_crl_read(view_of(data, size), &crl) != ERR_OK)
        return 0;
    for (size_t link = 0; link < 3; link++) {
        pki_crl_judge(crl, rig_chain(), link, RIG_WALL, &r);
        rig_check_text(r.detail, sizeof r.detail);
        MUST(link == 0 || r.status == PKI_STATUS_UNKNOWN);
    }
    (void)pki_crl_until(crl);
    pki_crl_free(crl);
    return 0;
}
