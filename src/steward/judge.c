/* Judging a plan: the client may have been taken over since it gave up its rights, so nothing that it asks for is
 * carried out unless each field is an address, a prefix, a number in range or a name of harmless letters. */
#include "steward/steward_internal.h"

#include <stdarg.h>
#include <stdio.h>

#define MTU_MIN      576
#define MTU_MIN_IPV6 1280
#define MTU_MAX      65535

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

void steward_say(char why[static STEWARD_WHY], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, STEWARD_WHY, format, args);
    va_end(args);
}

bool steward_name_is_good(const char *name)
{
    const size_t n = strspn(name, LETTERS DIGITS "_-.");
    return n > 0 && n < STEWARD_NAME_MAX && name[n] == '\0' && name[0] != '.' && name[0] != '-';
}

/* The kernel takes more; what goes into rules and arguments of programs shall need no quoting. */
bool steward_iface_is_good(const char *name)
{
    const size_t n = strspn(name, LETTERS DIGITS "_-.");
    return n > 0 && n < STEWARD_IFACE && name[n] == '\0' && name[0] != '.' && name[0] != '-';
}

/* Letters, digits and hyphens (RFC 1123 section 2.1), in labels of 63 at most. */
static bool is_domain(const char *name)
{
    while (true) {
        const size_t n = strspn(name, LETTERS DIGITS "-");
        if (n == 0 || n > 63 || name[0] == '-' || name[n - 1] == '-')
            return false;
        if (name[n] == '\0')
            return true;
        if (name[n] != '.')
            return false;
        name += n + 1;
    }
}

static bool in_prefix(const struct ip_addr *a, const char *prefix, uint8_t bits)
{
    struct ip_addr net;
    return ip_parse(prefix, &net) == ERR_OK && prefix_overlaps(a, (uint8_t)(ip_addr_size(a) * 8), &net, bits);
}

/* An address that one host can have. */
static bool is_host(const struct ip_addr *a)
{
    if (a->family == 4)
        return !in_prefix(a, "0.0.0.0", 8) && !in_prefix(a, "224.0.0.0", 3);
    return a->family == 6 && !in_prefix(a, "::", 128) && !in_prefix(a, "ff00::", 8) && !in_prefix(a, "::ffff:0:0", 96);
}

static bool is_loopback(const struct ip_addr *a)
{
    return in_prefix(a, "127.0.0.0", 8) || in_prefix(a, "::1", 128);
}

static bool is_inner(const struct ip_addr *a, uint8_t family)
{
    return a->family == 0 || (a->family == family && is_host(a) && !is_loopback(a));
}

static bool has_host_bits(const struct steward_prefix *p)
{
    for (size_t bit = p->bits; bit < ip_addr_size(&p->to) * 8; bit++)
        if (p->to.b[bit / 8] & 0x80 >> bit % 8)
            return true;
    return false;
}

static bool is_route(const struct steward_prefix *p)
{
    const bool ranged = p->bits > 0 && p->bits <= ip_addr_size(&p->to) * 8; /* the default route is `everything` */
    return ranged && !has_host_bits(p) && !in_prefix(&p->to, "224.0.0.0", 4) && !in_prefix(&p->to, "ff00::", 8) &&
           !is_loopback(&p->to);
}

static void clear_host_bits(struct steward_prefix *p)
{
    for (size_t bit = p->bits; bit < ip_addr_size(&p->to) * 8; bit++)
        p->to.b[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

static void trim_routes(struct steward_plan *plan)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->route_count; i++) {
        struct steward_prefix route = plan->routes[i];
        clear_host_bits(&route);
        if (is_route(&route) && (route.to.family == 4 || plan->address6.family))
            plan->routes[kept++] = route;
    }
    plan->route_count = kept;
}

size_t steward_plan_trim(struct steward_plan *plan)
{
    const size_t before = plan->route_count + plan->dns_count + plan->domain_count;
    size_t dns = 0, domains = 0;
    if (!is_inner(&plan->remote, 4))
        plan->remote = (struct ip_addr){.family = 0};
    trim_routes(plan);
    for (size_t i = 0; i < plan->dns_count; i++)
        if (is_host(&plan->dns[i]) && !is_loopback(&plan->dns[i]))
            plan->dns[dns++] = plan->dns[i];
    for (size_t i = 0; i < plan->domain_count; i++) {
        char *name = plan->domains[i];
        const size_t n = strnlen(name, STEWARD_DOMAIN - 1);
        name[n > 0 && name[n - 1] == '.' ? n - 1 : n] = '\0'; /* fully qualified, as some servers write it */
        if (is_domain(name))
            memmove(plan->domains[domains++], name, STEWARD_DOMAIN);
    }
    plan->dns_count = dns;
    plan->domain_count = domains;
    return before - plan->route_count - dns - domains;
}

static enum err judge_lists(const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    for (size_t i = 0; i < plan->route_count; i++) {
        if (!is_route(&plan->routes[i])) {
            steward_say(why, "route %zu is no prefix that can be routed into a tunnel", i + 1);
            return ERR_INVALID;
        }
        if (plan->routes[i].to.family == 6 && plan->address6.family == 0) {
            steward_say(why, "route %zu is for IPv6, which the tunnel does not carry", i + 1);
            return ERR_INVALID;
        }
    }
    for (size_t i = 0; i < plan->dns_count; i++)
        if (!is_host(&plan->dns[i]) || is_loopback(&plan->dns[i])) {
            steward_say(why, "name server %zu is no address of a host", i + 1);
            return ERR_INVALID;
        }
    for (size_t i = 0; i < plan->domain_count; i++)
        if (!is_domain(plan->domains[i])) {
            steward_say(why, "domain %zu is no name of letters, digits and hyphens", i + 1);
            return ERR_INVALID;
        }
    return ERR_OK;
}

enum err steward_plan_judge(const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    const char *bad = NULL;
    const uint32_t least = plan->address6.family ? MTU_MIN_IPV6 : MTU_MIN;
    if (plan->route_count > STEWARD_ROUTES || plan->dns_count > STEWARD_DNS || plan->domain_count > STEWARD_DOMAINS)
        bad = "a list is too long";
    else if (plan->address.family == 0)
        return ERR_OK; /* the rest does not count */
    else if (!is_inner(&plan->address, 4))
        bad = "the tunnel's address is none that a host can have";
    else if (!is_inner(&plan->remote, 4))
        bad = "the tunnel's far end has no address that a host can have";
    else if (!is_inner(&plan->address6, 6))
        bad = "the tunnel's IPv6 address is none that a host can have";
    else if (!is_host(&plan->server))
        bad = "the server's address is missing or none that a host can have";
    else if (plan->mtu < least || plan->mtu > MTU_MAX)
        bad = "the MTU is out of range";
    if (bad) {
        steward_say(why, "%s", bad);
        return ERR_INVALID;
    }
    return judge_lists(plan, why);
}
