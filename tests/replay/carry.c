/* What ESP carries: L2TP messages, and PPP frames behind an L2TP header. */
#include "tests/replay/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UDP_HEADER 8

static struct pair *pair_in_use(struct client *c)
{
    wanted(c->pairs_n > 0, "a pair of ESP SAs first");
    return &c->pairs[c->pair];
}

static void read_bytes(struct pattern *p, struct client *c, const struct step *s, const char *frame_header, bool wild)
{
    static char text[BYTES_MAX], rest[BYTES_MAX];
    step_bytes(s, 2, rest, sizeof(rest));
    wanted(!frame_header || *frame_header, "FRAMES first");
    wanted((size_t)snprintf(text, sizeof(text), "%s %s", frame_header ? frame_header : "", rest) < sizeof(text),
           "a shorter message");
    pattern_read(p, c, text, wild, 0);
}

/* As a kernel computes it: with the addresses that it sees, which a NAT changes behind its back. */
static void checksum_put(const struct client *c, uint8_t *udp, size_t n)
{
    const uint32_t pseudo = inet_pseudo_sum(&c->inside, &c->gateway->dialled, IP_PROTO_UDP, (uint32_t)n);
    const uint16_t sum = inet_fold(inet_sum(pseudo, udp, n));
    be16_put(udp + 6, sum ? sum : 0xffff);
}

void carry_send(struct client *c, const struct step *s, const char *frame_header)
{
    static struct pattern p;
    uint8_t udp[BYTES_MAX], esp[BYTES_MAX];
    read_bytes(&p, c, s, frame_header, false);
    const uint32_t size = step_number(s, "size", (uint32_t)p.n);
    if (size != p.n)
        broken("the message has %zu bytes instead of %u", p.n, size);
    if (p.n > 4 && p.bytes[0] & 0x40 && be16_get(p.bytes + 2) != p.n)
        broken("the message has %zu bytes, its header says %u", p.n, be16_get(p.bytes + 2));
    struct pair *pair = pair_in_use(c);
    struct writer w = wr_init(udp, sizeof(udp));
    wr_u16(&w, c->l2tp_port);
    wr_u16(&w, (uint16_t)step_number(s, "to", L2TP_PORT));
    wr_u16(&w, (uint16_t)(p.n + UDP_HEADER));
    wr_u16(&w, 0);
    wr_bytes(&w, p.bytes, p.n);
    wanted(wr_ok(&w), "a smaller message");
    if (c->inside.family == c->gateway->dialled.family)
        checksum_put(c, udp, w.n);
    const size_t n = pair_seal(pair, &c->random, wr_written(&w), esp);
    const struct path path = client_path_esp(c, pair);
    client_send_bytes(c, &path, esp, n);
}

void carry_expect(struct client *c, const struct step *s, const char *frame_header)
{
    static struct pattern p;
    uint8_t plain[BYTES_MAX];
    const struct view esp = client_hear(c, NULL);
    struct pair *pair = NULL;
    for (size_t i = 0; i < c->pairs_n && esp.n >= 4; i++)
        if (c->pairs[i].spi_ours == be32_get(esp.p))
            pair = &c->pairs[i];
    wanted(pair != NULL, "ESP with an SPI of ours");
    char text[WORD_MAX];
    if (step_option(s, "spi", 0, text))
        wanted(pair->spi_ours == strtoul(text, NULL, 16), "another pair");
    struct reader r = rd_init(pair_open(pair, esp, plain));
    const uint16_t from = rd_u16(&r), to = rd_u16(&r), length = rd_u16(&r), checksum = rd_u16(&r);
    wanted(rd_ok(&r) && from == L2TP_PORT && to == c->l2tp_port, "UDP from 1701 to the client's port");
    wanted(length == rd_left(&r) + UDP_HEADER && checksum == 0, "a UDP header of true length, without a checksum");
    read_bytes(&p, c, s, frame_header, true);
    pattern_match(&p, c, frame_header ? "the frame" : "the message", rd_rest(&r));
}
