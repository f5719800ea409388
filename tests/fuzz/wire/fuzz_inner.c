/* An inner IP packet: read, clamped and answered. Each of these sees what a peer has sent, straight after decryption.
 */
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

static void read_and_answer(struct view packet)
{
    struct ip_info ip;
    if (ip_info(packet, &ip) != ERR_OK)
        return;
    MUST(ip.total <= packet.n && ip.transport <= ip.total);
    MUST(ip.src.family == ip.version && ip.dst.family == ip.version);
    uint8_t out[1400];
    struct writer w = wr_init(out, sizeof(out));
    const struct ip_addr from = {.family = ip.version, .b = {10, 7, 0, 1}};
    if (ip_too_big(packet, &from, 1400, &w) != ERR_OK)
        return;
    struct ip_info answer;
    MUST(ip_info(wr_written(&w), &answer) == ERR_OK && answer.total == w.n);
    MUST(ip_equal(&answer.dst, &ip.src));
    /* An answer to the answer would go on for ever. */
    struct writer again = wr_init(out, sizeof(out));
    MUST(ip_too_big(wr_written(&w), &from, 1400, &again) == ERR_UNSUPPORTED);
}

static uint16_t tcp_error(const uint8_t *p, size_t n)
{
    struct ip_info ip;
    MUST(ip_info((struct view){p, n}, &ip) == ERR_OK);
    const uint32_t length = ip.total - ip.transport;
    return inet_fold(inet_sum(inet_pseudo_sum(&ip.src, &ip.dst, ip.protocol, length), p + ip.transport, length));
}

static bool clamped(uint8_t *p, size_t n)
{
    struct ip_info ip;
    return ip_info(view_of(p, n), &ip) == ERR_OK && ip_clamp_mss(p, &ip, 1360, 1340);
}

/* Clamping changes four bytes, and what the checksum was wrong by it is wrong by afterwards. */
static void clamp(struct view packet)
{
    uint8_t *copy = malloc(packet.n ? packet.n : 1); /* of its own, for the sanitizer to guard its end */
    MUST(copy);
    if (packet.n > 0)
        memcpy(copy, packet.p, packet.n);
    if (clamped(copy, packet.n)) {
        size_t changed = 0;
        for (size_t i = 0; i < packet.n; i++)
            changed += copy[i] != packet.p[i];
        MUST(changed >= 1 && changed <= 4);
        const uint16_t before = tcp_error(packet.p, packet.n), after = tcp_error(copy, packet.n);
        MUST(before % 0xffff == after % 0xffff);
        MUST(!clamped(copy, packet.n));
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct view packet = {data, size};
    read_and_answer(packet);
    clamp(packet);
    return 0;
}
