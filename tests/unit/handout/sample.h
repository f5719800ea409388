/* Connections to hand out, for the tests of this directory. */
#ifndef SEKISHO_TEST_HANDOUT_SAMPLE_H
#define SEKISHO_TEST_HANDOUT_SAMPLE_H

#include "handout/handout.h"

static const struct ip_prefix sample_routes[] = {{{4, {10, 0, 0, 0}}, 8}, {{4, {192, 168, 7, 0}}, 24}};
static const struct ip_addr sample_dns[] = {{4, {10, 0, 0, 53}}, {4, {10, 0, 1, 53}}};

/* Two networks by a pre-shared key. */
static inline struct handout sample_split(void)
{
    return (struct handout){
        .server = "vpn.example.net",
        .name = "Office",
        .user = "alice",
        .psk = view_str("correct horse"),
        .logins = HANDOUT_MSCHAPV2 | HANDOUT_CHAP,
        .routes = sample_routes,
        .route_count = 2,
        .dns = sample_dns,
        .dns_count = 2,
        .domains = "corp.example,lab.example",
    };
}

/* All traffic, and values that mean something to every format. */
static inline struct handout sample_hostile(void)
{
    return (struct handout){
        .server = "192.0.2.1",
        .name = "O'Brien & Söhne <“VPN”> 関所 ‘x’",
        .user = "DOM\\bob $(id) `id` $env:x \"q\" 'p' ; # = [a] {server}",
        .psk = view_str("k'\"\\$`&<>;#\u00e9"),
        .logins = HANDOUT_MSCHAPV2,
        .everything = true,
    };
}

/* By a certificate. */
static inline struct handout sample_certificate(void)
{
    struct handout h = sample_split();
    h.psk = VIEW_NONE;
    h.certificate.p12 = view_str("not really PKCS#12");
    h.certificate.password = "it's";
    h.certificate.authority = view_str("-----BEGIN CERTIFICATE-----\nbm9yIFgu\nNTA5\n-----END CERTIFICATE-----\n");
    h.certificate.file = "/etc/sekisho/client/alice.p12";
    h.certificate.identity = "gateway.example.net";
    return h;
}

#endif
