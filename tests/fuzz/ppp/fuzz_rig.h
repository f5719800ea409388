/*
 * What the fuzzers of ppp share: one link brought to the place where a protocol is spoken, and its output and events
 * drained. The peer is the fuzzer; it sees the link's frames only as far as a script here says.
 */
#ifndef SEKISHO_FUZZ_PPP_RIG_H
#define SEKISHO_FUZZ_PPP_RIG_H

#include <stdlib.h>
#include <string.h>

#include "ppp/ppp.h"

struct fuzz_link {
    struct ppp_config config;
    struct random_test rng;
    struct ppp *ppp;
    usec_t now;
    struct ppp_tls *tls; /* NULL, or ours to free */
    bool question;       /* an answer is owed */
    bool prompt;         /* and here by a human */
    bool down;
    uint8_t frame[PPP_FRAME_MAX]; /* the last frame that came out */
    size_t frame_len;
};

static inline void fuzz_require(bool ok)
{
    if (!ok)
        abort();
}

static inline void fuzz_drain(struct fuzz_link *l)
{
    struct ppp_event e;
    while (ppp_event(l->ppp, &e)) {
        fuzz_require(!l->down); /* DOWN is the last word */
        fuzz_require(memchr(e.detail, 0, sizeof e.detail) != NULL);
        l->down |= e.type == PPP_EVENT_DOWN;
        l->question |= e.type == PPP_EVENT_AUTH;
        l->prompt |= e.type == PPP_EVENT_PROMPT;
        if (e.type == PPP_EVENT_ASK) {
            fuzz_require(l->config.asks && memchr(e.auth.user, 0, sizeof e.auth.user) != NULL);
            ppp_ask(l->ppp, l->now, view_str("Row 1\nRow 2\nCode: "));
        }
        fuzz_require(memchr(e.prompt, 0, sizeof e.prompt) != NULL);
        if (e.type == PPP_EVENT_NETWORK && !l->config.server)
            fuzz_require(ip4_value(&e.network.local) != 0);
    }
    for (;;) {
        struct writer w = wr_init(l->frame, sizeof l->frame);
        if (!ppp_output(l->ppp, &w))
            break;
        l->frame_len = w.n;
    }
}

static inline void fuzz_say(struct fuzz_link *l, const void *bytes, size_t n)
{
    ppp_input(l->ppp, l->now, view_of(bytes, n));
    fuzz_drain(l);
}

static inline void fuzz_advance(struct fuzz_link *l, usec_t by)
{
    l->now += by;
    for (int i = 0; ppp_deadline(l->ppp) <= l->now; i++) {
        fuzz_require(i < 1000); /* a deadline that was served is gone */
        ppp_timeout(l->ppp, l->now);
        fuzz_drain(l);
    }
}

static inline void fuzz_answer(struct fuzz_link *l, bool accepted)
{
    struct ppp_auth_answer a = {
        .accepted = accepted,
        .cause = CAUSE_AUTH_PASSWORD,
        .again = l->config.asks,
        .network = {.local = ip4_addr(0x0a000001), .remote = ip4_addr(0x0a000002), .dns = {ip4_addr(0x0a000003)}}};
    l->question = false;
    ppp_auth_done(l->ppp, l->now, &a);
    fuzz_drain(l);
}

static inline void fuzz_open_tls(struct fuzz_link *l, bool server, enum ppp_auth method, struct ppp_tls *tls)
{
    memset(l, 0, sizeof *l);
    l->tls = tls;
    l->config = (struct ppp_config){.server = server,
                                    .auth = {method},
                                    .mru = 1400,
                                    .mtu = 1400,
                                    .acfc = true,
                                    .pfc = true,
                                    .ipv6 = true,
                                    .asks = method == PPP_AUTH_EAP_GTC,
                                    .echo_interval = 30 * USEC_SEC,
                                    .echo_failures = 3,
                                    .tls = tls};
    strcpy(l->config.user, "alice");
    strcpy(l->config.password, "secret");
    strcpy(l->config.name, "gw");
    random_test_init(&l->rng, 1);
    struct ppp_env env = {.random = {random_test_fill, &l->rng}};
    l->ppp = ppp_new(&l->config, &env);
    fuzz_require(l->ppp != NULL);
    ppp_up(l->ppp, l->now);
    fuzz_drain(l);
}

static inline void fuzz_open(struct fuzz_link *l, bool server, enum ppp_auth method)
{
    fuzz_open_tls(l, server, method, NULL);
}

/* Says the last frame back with another code: an Ack of a Configure-Request. */
static inline void fuzz_acknowledge(struct fuzz_link *l)
{
    uint8_t ack[PPP_FRAME_MAX];
    memcpy(ack, l->frame, l->frame_len);
    ack[4] = 2;
    fuzz_say(l, ack, l->frame_len);
}

/* What the link asked for is granted. A server asks when it has listened in vain for a second. */
static inline void fuzz_agree(struct fuzz_link *l)
{
    if (l->config.server)
        fuzz_advance(l, USEC_SEC);
    fuzz_acknowledge(l);
}

/* LCP agreed; the login waits. */
static inline void fuzz_open_lcp(struct fuzz_link *l, bool server, enum ppp_auth method)
{
    static const uint8_t plain[] = {0xc0, 0x21, 1, 1, 0, 10, 5, 6, 0, 1, 2, 3};
    static const uint8_t mschap[] = {0xc0, 0x21, 1, 1, 0, 9, 3, 5, 0xc2, 0x23, 0x81};
    static const uint8_t md5[] = {0xc0, 0x21, 1, 1, 0, 9, 3, 5, 0xc2, 0x23, 5};
    static const uint8_t pap[] = {0xc0, 0x21, 1, 1, 0, 8, 3, 4, 0xc0, 0x23};
    fuzz_open(l, server, method);
    fuzz_agree(l);
    if (server || method == PPP_AUTH_NONE)
        fuzz_say(l, plain, sizeof plain);
    else if (method == PPP_AUTH_MSCHAPV2)
        fuzz_say(l, mschap, sizeof mschap);
    else if (method == PPP_AUTH_CHAP_MD5)
        fuzz_say(l, md5, sizeof md5);
    else
        fuzz_say(l, pap, sizeof pap);
}

/* The login done; IPCP and IPV6CP negotiate. */
static inline void fuzz_open_network(struct fuzz_link *l, bool server)
{
    static const uint8_t login[] = {0xc0, 0x23, 1, 1, 0, 8, 1, 'a', 1, 'b'};
    fuzz_open_lcp(l, server, server ? PPP_AUTH_PAP : PPP_AUTH_NONE);
    if (server) {
        fuzz_say(l, login, sizeof login);
        fuzz_require(l->question);
        fuzz_answer(l, true);
    }
}

/* The fuzzer's bytes as packets of one protocol, each after its length byte; 0 lets time pass or answers. */
static inline void fuzz_feed(struct fuzz_link *l, uint16_t protocol, const uint8_t *data, size_t size)
{
    struct reader r = rd_init(view_of(data, size));
    while (rd_left(&r) > 0) {
        size_t n = rd_u8(&r);
        if (n == 0) {
            fuzz_advance(l, 3 * USEC_SEC);
            if (l->question)
                fuzz_answer(l, rd_u8(&r) & 1);
            if (l->prompt)
                ppp_answer(l->ppp, l->now, rd_view(&r, 3));
            l->prompt = false;
            fuzz_drain(l);
            continue;
        }
        n = n < rd_left(&r) ? n : rd_left(&r);
        uint8_t frame[2 + 255];
        be16_put(frame, protocol);
        rd_copy(&r, frame + 2, n);
        fuzz_say(l, frame, 2 + n);
    }
    fuzz_advance(l, 200 * USEC_SEC);
    ppp_free(l->ppp);
    ppp_tls_free(l->tls);
}

#endif
