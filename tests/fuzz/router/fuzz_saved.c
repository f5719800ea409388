/* A file of bindings that anything may have happened to. Sums are made good, so that what they protect is reached; what
 * is read can be written again, and given to a tracker. */
#include "router/router_internal.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

static void give_back(struct reader entries, const struct saved_head *head)
{
    const struct tracker_config config = tracker_defaults();
    struct tracker *t = tracker_new(&config);
    uint8_t *copy = malloc(SAVED_SIZE);
    MUST(t && copy);
    struct tracker_binding_info b;
    struct saved_writer s;
    struct saved_head again;
    struct reader list;
    uint32_t n = 0, read = 0;
    saved_begin(&s, copy, SAVED_SIZE, head);
    while (saved_next(&entries, &b)) {
        MUST(b.host != 0 && b.server != 0 && (b.ike ? b.initiator != 0 : b.spi != 0));
        (void)tracker_restore(t, 1000 * USEC_SEC, &b);
        MUST(saved_add(&s, &b));
        n++;
    }
    MUST(saved_open(saved_end(&s), &again, &list));
    MUST(again.outside == head->outside && again.generation == head->generation && again.boot == head->boot);
    while (saved_next(&list, &b))
        read++;
    MUST(rd_ok(&list) && read == n);
    tracker_free(t);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct saved_head head;
    struct reader entries;
    if (saved_open(view_of(data, size), &head, &entries))
        give_back(entries, &head);
    if (size < 8)
        return 0;
    uint8_t *mended = malloc(size);
    MUST(mended);
    memcpy(mended, data, size);
    const uint64_t sum = view_sum(view_of(mended, size - 8));
    be32_put(mended + size - 8, (uint32_t)(sum >> 32));
    be32_put(mended + size - 4, (uint32_t)sum);
    if (saved_open(view_of(mended, size), &head, &entries))
        give_back(entries, &head);
    free(mended);
    return 0;
}
