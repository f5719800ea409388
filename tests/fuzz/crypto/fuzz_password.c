/* A password in whatever bytes it comes: hashed or refused, never half of either, and the same way again. */
#include "crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t first[MSCHAP_NT_HASH_SIZE], again[MSCHAP_NT_HASH_SIZE];
    const uint8_t mark[MSCHAP_NT_HASH_SIZE] = {0xa5, 0x5a, 0xa5};
    memcpy(first, mark, sizeof(mark));
    memcpy(again, mark, sizeof(mark));
    enum err e = mschap_nt_hash(view_of(data, size), first);
    if (e != ERR_OK && e != ERR_INVALID)
        abort();
    if (e == ERR_INVALID && memcmp(first, mark, sizeof(mark)) != 0)
        abort();
    if (mschap_nt_hash(view_of(data, size), again) != e || memcmp(first, again, sizeof(first)) != 0)
        abort();
    return 0;
}
