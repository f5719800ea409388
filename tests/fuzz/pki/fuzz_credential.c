/* A file that somebody names as certificate: PEM or PKCS#12, whatever is in it. What reads can sign. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pki_credential *c = NULL;
    char why[PKI_WHY_MAX];
    uint8_t signature[PKI_SIGNATURE_MAX];
    size_t n = 0, count = 0;
    if (pki_credential_read(view_of(data, size), VIEW_NONE, NULL, &c, why) != ERR_OK) {
        rig_check_text(why, sizeof why);
        MUST(c == NULL && why[0] != '\0');
        return 0;
    }
    MUST(pki_credential_key(c) != PKI_KEY_NONE && pki_credential_id(c).body.n > 0);
    (void)pki_credential_certificates(c, &count);
    MUST(count >= 1 && count <= PKI_CHAIN_MAX);
    if (pki_sign(c, VIEW(rig_hash), signature, &n) == ERR_OK)
        MUST(n > 0 && n <= sizeof signature);
    pki_credential_free(c);
    return 0;
}
