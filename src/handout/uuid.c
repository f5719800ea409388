/* UUIDs of version 5 (RFC 9562): a device that gets its set-up again finds the connection that it has. */
#include "handout/handout_internal.h"

#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"

/* A name space of our own. */
static const uint8_t space[16] = {0x5e, 0x1d, 0x9a, 0x4c, 0x0b, 0x73, 0x4f, 0x86,
                                  0xa2, 0x6f, 0x3e, 0x58, 0xd1, 0xc4, 0x97, 0x20};

enum err uuid_of(const struct handout *h, const char *part, char out[static UUID_TEXT_MAX])
{
    const struct view end = view_of("", 1); /* NUL ends each, so that none runs into the next */
    const struct view parts[] = {VIEW(space), view_str(part),    end, view_str(h->server),
                                 end,         view_str(h->name), end, view_str(h->user)};
    uint8_t d[HASH_SIZE_MAX];
    const enum err result = hash_digest(HASH_SHA1, parts, ARRAY_LEN(parts), d);
    if (result != ERR_OK)
        return result;
    d[6] = (uint8_t)((d[6] & 0x0f) | 0x50);
    d[8] = (uint8_t)((d[8] & 0x3f) | 0x80);
    for (size_t i = 0, n = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[n++] = '-';
        n += (size_t)snprintf(out + n, UUID_TEXT_MAX - n, "%02x", d[i]);
    }
    return ERR_OK;
}
