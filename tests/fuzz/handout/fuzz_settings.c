/* Any texts as what a gateway tells of itself: six with NUL between. */
#include <stdlib.h>
#include <string.h>

#include "handout/handout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = calloc(1, size + 7), *next = copy;
    const char *part[6];
    struct handout_settings s;
    struct handout h = {0};
    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    for (size_t i = 0; i < ARRAY_LEN(part); i++) {
        part[i] = next;
        if (next < copy + size)
            next += strlen(next) + 1;
    }
    const struct handout_told told = {part[0], part[1], part[2], part[3], part[4], part[5], size % 2 == 1};
    if (handout_settings_read(&told, &s) == ERR_OK) {
        handout_settings_fill(&s, &h);
        if (h.route_count > CONFIG_ROUTES_MAX || h.dns_count > CONFIG_SERVERS_MAX || h.psk.n * 2 != strlen(part[1]))
            abort();
    }
    free(copy);
    return 0;
}
