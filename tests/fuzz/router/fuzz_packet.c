/* Packets of hosts and servers, and ICMP errors from anywhere: translated in place, within their bounds, and checksums
 * that were good stay good. */
#include "router/router_internal.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

static uint8_t *copy_of(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    MUST(copy);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

static void translate(const uint8_t *data, size_t size)
{
    uint8_t *p = copy_of(data, size);
    struct ip_info ip;
    if (packet_mend(p, size)) {
        packet_set_source(p, size, 0xcb007105);
        packet_set_destination(p, size, 0xc0a8010a);
        MUST(packet_mend(p, size));
        MUST(ip_info(view_of(p, size), &ip) == ERR_OK);
        MUST(ip4_value(&ip.src) == 0xcb007105 && ip4_value(&ip.dst) == 0xc0a8010a);
        MUST(inet_fold(inet_sum(0, p, ip.transport)) == 0);
    }
    (void)packet_hop(p, size);
    free(p);
}

static void translate_error(const uint8_t *data, size_t size)
{
    struct icmp_error e, after;
    uint8_t *p = copy_of(data, size);
    if (icmp_error_read(view_of(p, size), &e) == ERR_OK) {
        icmp_error_translate(p, size, &e, 0xcb007105, 0xc0a8010a, 0xc0a8010b, 0xcb007106);
        MUST(icmp_error_read(view_of(p, size), &after) == ERR_OK);
        MUST(after.source == 0xcb007105 && after.destination == 0xc0a8010a);
        MUST(after.quoted_source == 0xc0a8010b && after.quoted_destination == 0xcb007106);
        MUST(after.id == e.id && after.ike == e.ike && after.quote == e.quote);
    }
    free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    translate(data, size);
    translate_error(data, size);
    return 0;
}
