/* What a peer shows: its ID, its signature, its certificates, all from a stranger. Who comes through has signed with
 * the one key that the authority has certified. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pki_trust *trust;
    struct view certificates[PKI_CHAIN_MAX];
    struct reader in = rd_init(view_of(data, size));
    struct pki_presented shown = {.certificates = certificates, .key = PKI_KEY_ECDSA_256, .hash = VIEW(rig_hash)};
    struct pki_verdict v;
    if (trust == NULL)
        trust = rig_trust();
    shown.id.type = rd_u8(&in);
    shown.id.body = rd_view(&in, rd_u16(&in));
    shown.signature = rd_view(&in, rd_u16(&in));
    while (rd_ok(&in) && rd_left(&in) > 2 && shown.certificate_count < PKI_CHAIN_MAX)
        certificates[shown.certificate_count++] = rd_view(&in, rd_u16(&in));
    pki_verify(trust, &shown, RIG_WALL, &v);
    rig_check_text(v.subject, sizeof v.subject);
    rig_check_text(v.detail, sizeof v.detail);
    MUST((v.cause == CAUSE_NONE) == (v.chain != NULL));
    if (v.cause == CAUSE_NONE)
        MUST(strcmp(v.subject, "CN=alice") == 0 && pki_chain_length(v.chain) == 2);
    pki_chain_free(v.chain);
    return 0;
}
