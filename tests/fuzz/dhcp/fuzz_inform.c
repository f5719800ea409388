/* DHCPINFORM: the input is the UDP payload of an inner packet from the peer. */
#include "dhcp/dhcp.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t packet[2048];
    uint8_t out[DHCP_ANSWER_MAX];
    const struct dhcp_facts facts = {.server = ip4_addr(0xac100201),
                                     .client = ip4_addr(0xac100202),
                                     .dns = {ip4_addr(1)},
                                     .routes = {{ip4_addr(0x0a000000), 8}},
                                     .route_count = 1,
                                     .domain = "x.example"};
    struct writer in = wr_init(packet, sizeof(packet)), w = wr_init(out, sizeof(out));
    if (size > 1400)
        return 0;
    wr_u16(&in, 0x4500);
    wr_u16(&in, (uint16_t)(28 + size));
    wr_u32(&in, 0);
    wr_u32(&in, 0x40110000);
    wr_u32(&in, 0xac100202);
    wr_u32(&in, 0xffffffff);
    wr_u32(&in, 68 << 16 | 67);
    wr_u32(&in, 0);
    wr_bytes(&in, data, size);
    (void)dhcp_answer(wr_written(&in), &facts, &w);
    return 0;
}
