/* A peer's value in any group and of any length: taken whole or refused, with lengths that say which. */
#include "crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size - 1 > DH_VALUE_MAX)
        return 0;
    struct dh_work w = {.group = (enum dh_group)data[0], .private_key = {1, 2, 3}, .peer_len = (uint16_t)(size - 1)};
    memcpy(w.peer, data + 1, size - 1);
    dh_work_run(&w);
    bool ok = w.result == ERR_OK;
    if (!ok && w.result != ERR_INVALID && w.result != ERR_UNSUPPORTED)
        abort();
    if (w.public_len != (ok ? dh_public_size(w.group) : 0))
        abort();
    if ((w.shared_len != 0) != (ok && w.peer_len != 0))
        abort();
    dh_work_wipe(&w);
    return 0;
}
