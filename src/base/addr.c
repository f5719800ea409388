#include "base/base.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

struct ip_addr ip4_addr(uint32_t host_order)
{
    return (struct ip_addr){
        .family = 4,
        .b = {(uint8_t)(host_order >> 24), (uint8_t)(host_order >> 16), (uint8_t)(host_order >> 8),
              (uint8_t)host_order},
    };
}

uint32_t ip4_value(const struct ip_addr *a)
{
    if (a->family != 4)
        return 0;
    return (uint32_t)a->b[0] << 24 | (uint32_t)a->b[1] << 16 | (uint32_t)a->b[2] << 8 | a->b[3];
}

bool ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
    if (a->family != b->family)
        return false;
    return a->family == 4 ? memcmp(a->b, b->b, 4) == 0 : memcmp(a->b, b->b, ip_addr_size(a)) == 0;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && ip_equal(&a->addr, &b->addr);
}

bool path_equal(const struct path *a, const struct path *b)
{
    return endpoint_equal(&a->local, &b->local) && endpoint_equal(&a->remote, &b->remote);
}

const char *ip_text(const struct ip_addr *a, char out[static IP_TEXT_MAX])
{
    if (a->family == 0 || !inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->b, out, IP_TEXT_MAX))
        snprintf(out, IP_TEXT_MAX, "none");
    return out;
}

const char *endpoint_text(const struct endpoint *e, char out[static ENDPOINT_TEXT_MAX])
{
    char ip[IP_TEXT_MAX];
    snprintf(out, ENDPOINT_TEXT_MAX, e->addr.family == 6 ? "[%s]:%u" : "%s:%u", ip_text(&e->addr, ip), e->port);
    return out;
}

enum err ip_parse(const char *text, struct ip_addr *out)
{
    struct ip_addr a = {0};
    if (inet_pton(AF_INET, text, a.b) == 1)
        a.family = 4;
    else if (inet_pton(AF_INET6, text, a.b) == 1)
        a.family = 6;
    else
        return ERR_INVALID;
    *out = a;
    return ERR_OK;
}
