/* Pings through a connection of libsekisho without a TUN device or any right: packets by calls.
 *     pinger SERVER KEY USER PASSWORD TARGET COUNT */
#include "sekisho/sekisho.h"
#include "wire/wire.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IP_HEADER 20
#define PACKET    (IP_HEADER + 8 + 56)

static size_t echo_request(uint8_t out[static PACKET], const struct ip_addr *from, const struct ip_addr *to,
                           uint16_t number)
{
    struct writer w = wr_init(out, PACKET);
    wr_u16(&w, 0x4500);
    wr_u16(&w, PACKET);
    wr_u32(&w, 0);
    wr_u16(&w, 0x4001); /* time to live, ICMP */
    wr_u16(&w, 0);
    wr_bytes(&w, from->b, 4);
    wr_bytes(&w, to->b, 4);
    wr_u16(&w, 0x0800);
    wr_u16(&w, 0);
    wr_u16(&w, 1);
    wr_u16(&w, number);
    while (w.n < PACKET)
        wr_u8(&w, (uint8_t)w.n);
    wr_patch16(&w, 10, inet_fold(inet_sum(0, out, IP_HEADER)));
    wr_patch16(&w, IP_HEADER + 2, inet_fold(inet_sum(0, out + IP_HEADER, PACKET - IP_HEADER)));
    return w.n;
}

static bool is_reply(const uint8_t *packet, size_t n, const struct ip_addr *from)
{
    return n == PACKET && packet[9] == 1 && memcmp(packet + 12, from->b, 4) == 0 && packet[IP_HEADER] == 0;
}

int main(int argc, char **argv)
{
    char why[SEKISHO_TEXT];
    struct sekisho_options options;
    struct ip_addr target, own = {0};
    if (argc != 7 || ip_parse(argv[5], &target) != ERR_OK)
        return 2;
    sekisho_options_init(&options);
    options.server = argv[1];
    options.psk = argv[2];
    options.psk_size = strlen(argv[2]);
    options.user = argv[3];
    options.password = argv[4];
    struct sekisho *s = sekisho_new(&options, why, sizeof(why));
    if (!s || sekisho_connect(s) != 0)
        return 2;
    const int wanted = atoi(argv[6]);
    int replies = 0, status = 1;
    for (bool over = false; !over;) {
        struct sekisho_event event;
        uint8_t packet[2048], request[PACKET];
        struct pollfd fd = {.fd = sekisho_fd(s), .events = POLLIN};
        poll(&fd, 1, sekisho_timeout_ms(s));
        sekisho_run(s);
        for (size_t n; (n = sekisho_read(s, packet, sizeof(packet))) > 0;) {
            replies += is_reply(packet, n, &target);
            if (replies == wanted)
                status = 0;
            if (replies < wanted &&
                sekisho_write(s, request, echo_request(request, &own, &target, (uint16_t)replies)) != 0)
                status = 3;
        }
        while (sekisho_event(s, &event)) {
            if (event.type == SEKISHO_UP && own.family == 0 && ip_parse(event.network.address, &own) == ERR_OK &&
                sekisho_write(s, request, echo_request(request, &own, &target, 0)) != 0)
                status = 3;
            over |= event.type == SEKISHO_ENDED;
        }
        if (status != 1 && !over)
            sekisho_disconnect(s);
    }
    printf("%d replies to %s\n", replies, argv[5]);
    sekisho_free(s);
    return status;
}
