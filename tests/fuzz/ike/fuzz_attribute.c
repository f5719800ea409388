/* The attributes of one transform, as phase 1 and as phase 2 read them. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = rd_init(view_of(data, size));
    const struct transform t = {.id = rd_u8(&r), .attributes = rd_rest(&r)};
    struct reader attributes = rd_init(t.attributes);
    struct attribute a;
    size_t n = 0;
    while (attribute_next(&attributes, &a))
        n++;
    MUST(n <= size / 4 + 1);
    struct suite s;
    if (suite_read(&t, &s) == ERR_OK) {
        MUST(dh_public_size(s.group) > 0 && hash_size(s.hash) > 0 && cipher_block(s.cipher) > 0);
        (void)suite_rank(IKE_POLICY_LEGACY, &s);
    }
    struct esp_suite e;
    if (esp_suite_read(&t, &e) == ERR_OK)
        MUST(esp_cipher_key_size(&e.transform) + esp_auth_key_size(&e.transform) <= KEYMAT_MAX);
    return 0;
}
