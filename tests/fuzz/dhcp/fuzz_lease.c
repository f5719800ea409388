/* The answer to our DHCPINFORM: the input is the options behind the cookie, from the far end of a link. */
#include "dhcp/dhcp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t packet[2048];
    const struct ip_addr client = ip4_addr(0xac100202);
    struct dhcp_lease lease;
    struct writer w = wr_init(packet, sizeof(packet));
    if (size > 1400)
        return 0;
    wr_u16(&w, 0x4500);
    wr_u16(&w, (uint16_t)(28 + 240 + size));
    wr_u32(&w, 0);
    wr_u32(&w, 0x40110000);
    wr_u32(&w, 0xac100201);
    wr_u32(&w, 0xac100202);
    wr_u32(&w, 67 << 16 | 68);
    wr_u32(&w, 0);
    wr_u32(&w, 0x02080600);
    wr_u32(&w, 1);
    wr_zero(&w, 228);
    wr_u32(&w, 0x63825363);
    wr_bytes(&w, data, size);
    if (dhcp_learn(wr_written(&w), &client, 1, &lease) != ERR_OK)
        return 0;
    if (lease.route_count > DHCP_ROUTES_MAX || !memchr(lease.domain, 0, sizeof(lease.domain)))
        abort();
    for (size_t i = 0; i < lease.route_count; i++)
        if (lease.routes[i].bits > 32 || lease.routes[i].to.family != 4)
            abort();
    return 0;
}
