/* EAP on a rig: which methods a side has, and a scripted peer's link to where EAP begins. */
#ifndef SEKISHO_PPP_TEST_EAP_H
#define SEKISHO_PPP_TEST_EAP_H

#include "rig.h"

static inline void methods(struct side *s, const enum ppp_auth *list, size_t n)
{
    memset(s->config.auth, 0, sizeof s->config.auth);
    for (size_t i = 0; i < n; i++)
        s->config.auth[i] = list[i];
}
#define METHODS(side, ...)                                                                                             \
    methods(side, (const enum ppp_auth[]){__VA_ARGS__},                                                                \
            sizeof((const enum ppp_auth[]){__VA_ARGS__}) / sizeof(enum ppp_auth))

/* Our server, with LCP agreed on EAP. */
static inline void server_begin(struct side *s, uint64_t seed, const enum ppp_auth *list, size_t n)
{
    uint8_t frame[PPP_FRAME_MAX];
    side_init(s, true, seed);
    methods(s, list, n);
    side_start(s);
    say(s, "ff03c021 01 01 000a 0506 11223344");
    const size_t request = expect_start(s, "ff03c021 01", frame);
    expect(s, "ff03c021 02 01 000a 0506 11223344");
    acknowledge(s, frame, request);
}
#define SERVER(s, seed, ...)                                                                                           \
    server_begin(s, seed, (const enum ppp_auth[]){__VA_ARGS__},                                                        \
                 sizeof((const enum ppp_auth[]){__VA_ARGS__}) / sizeof(enum ppp_auth))

/* Our client, with LCP agreed on EAP. */
static inline void client_begin(struct side *s, uint64_t seed, const enum ppp_auth *list, size_t n)
{
    uint8_t frame[PPP_FRAME_MAX];
    side_init(s, false, seed);
    methods(s, list, n);
    side_start(s);
    acknowledge(s, frame, expect_start(s, "ff03c021 01", frame));
    say(s, "ff03c021 01 01 0008 0304 c227"); /* --> Configure-Request: EAP */
    expect(s, "ff03c021 02 01 0008 0304 c227");
}
#define CLIENT(s, seed, ...)                                                                                           \
    client_begin(s, seed, (const enum ppp_auth[]){__VA_ARGS__},                                                        \
                 sizeof((const enum ppp_auth[]){__VA_ARGS__}) / sizeof(enum ppp_auth))

#endif
