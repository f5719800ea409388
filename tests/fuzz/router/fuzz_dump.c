/* An answer of nf_tables: elements and counters that are told have keys and names of the promised sizes. */
#include "router/router_internal.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

static void element(void *ctx, const struct dump_element *e)
{
    (void)ctx;
    MUST(e->words >= 1 && e->words <= KEY_WORDS);
}

static void counter(void *ctx, const struct dump_counter *c)
{
    (void)ctx;
    MUST(memchr(c->name, '\0', sizeof(c->name)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    MUST(copy);
    if (size > 0)
        memcpy(copy, data, size);
    const struct dump_sink sink = {element, counter, NULL}, nobody = {NULL, NULL, NULL};
    bool over = false;
    const enum err e = dump_read(copy, size, &sink, &over);
    MUST(e == ERR_OK || over);
    MUST(dump_read(copy, size, &nobody, &over) == e);
    free(copy);
    return 0;
}
