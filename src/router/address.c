/* The outside address, which the line's provider may change at any time; and where the others are. */
#include "router/router_internal.h"

#include <string.h>

#define ADDRESSES_MAX 256

bool address_of(const char *iface, uint32_t *out)
{
    struct iface_address found[ADDRESSES_MAX];
    size_t n = 0;
    if (iface_addresses(found, ARRAY_LEN(found), &n) != ERR_OK)
        return false;
    for (size_t i = 0; i < n; i++)
        if (found[i].addr.family == 4 && strcmp(found[i].name, iface) == 0) {
            *out = ip4_value(&found[i].addr);
            return true;
        }
    return false;
}

uint32_t address_device(const uint32_t *devices, size_t n, uint32_t host)
{
    const struct ip_addr to = ip4_addr(host);
    struct route route;
    if (route_lookup(&to, &route) != ERR_OK)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (devices[i] == route.iface)
            return route.iface;
    return 0;
}

void address_look(struct router *r)
{
    uint32_t address = 0;
    char before[IP_TEXT_MAX], after[IP_TEXT_MAX];
    (void)address_of(r->options->outside, &address);
    if (address == r->address)
        return;
    const struct ip_addr a = ip4_addr(r->address), b = ip4_addr(address);
    ip_text(&a, before);
    ip_text(&b, after);
    if (address == 0)
        router_say(r, "warning", "address", "The outside interface %s has lost its address %s.", r->options->outside,
                   before);
    else if (r->address == 0)
        router_say(r, "info", "address", "The outside interface %s has the address %s.", r->options->outside, after);
    else
        router_say(
            r, "warning", "address",
            "The outside address has changed from %s to %s. Bindings go on; servers see it when a client connects "
            "anew.",
            before, after);
    r->address = address;
    binding_resync(r);
}
