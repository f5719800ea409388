/* Files of authorities and of CRLs. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[PKI_WHY_MAX] = "";
    struct pki_info info;
    struct pki_trust *t = pki_trust_new();
    size_t n = 0;
    MUST(t != NULL);
    if (pki_trust_add_authorities(t, view_of(data, size), why) == ERR_OK) {
        (void)pki_trust_names(t, &n);
        MUST(n >= 1 && n <= PKI_AUTHORITIES_MAX);
    } else {
        MUST(why[0] != '\0');
    }
    (void)pki_trust_add_crls(t, view_of(data, size), why);
    if (pki_info_read(view_of(data, size), &info) == ERR_OK)
        rig_check_text(info.subject, sizeof info.subject);
    pki_trust_free(t);
    return 0;
}
