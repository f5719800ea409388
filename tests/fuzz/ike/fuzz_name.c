/* A distinguished name as text, in a place of any size. Whatever it says, the text ends there and is plain ASCII. */
#include "fuzz_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = rd_init(view_of(data, size));
    const size_t cap = 1 + rd_u8(&in);
    const struct view der = rd_rest(&in);
    char *text = malloc(cap);
    MUST(text);
    const bool ok = name_text(der, text, cap);
    const size_t n = strnlen(text, cap);
    MUST(n < cap && (ok || n == 0));
    for (size_t i = 0; i < n; i++)
        MUST(text[i] >= ' ' && text[i] < 0x7f);
    free(text);
    return 0;
}
