/* Any bytes as a configuration: parsed or refused with a sentence, never more. */
#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *c = NULL;
    struct config_error e;
    char text[CONFIG_ERROR_TEXT_MAX];
    struct ip_addr servers[CONFIG_SERVERS_MAX];
    enum err result = config_parse(view_of(data, size), "fuzz", &c, &e);
    if (result == ERR_OK) {
        struct ip_prefix prefixes[CONFIG_PREFIXES_MAX];
        if (c->psk_count == 0 || c->pool_count == 0)
            abort();
        for (size_t i = 0; i < c->pool_count; i++)
            for (uint32_t k = 0; k < c->pools[i].ranges.count; k++)
                if (config_range_prefixes(&c->pools[i].ranges.range[k], prefixes) == 0)
                    abort();
    } else if (e.sentence[0] == '\0' || config_error_text(&e, text)[0] == '\0') {
        abort();
    }
    config_free(c);
    (void)config_resolv_parse(view_of(data, size), servers);
    return 0;
}
