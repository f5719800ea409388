/* What client and steward say to each other: one request and one reply, both of fixed size, over a socket that keeps
 * messages whole. Reading a form only; whether a plan may be carried out is judge.c's question. */
#include "steward/steward_internal.h"

#include "wire/wire.h"

#define FORM 1

enum flag {
    FLAG_EVERYTHING = 1u << 0,
    FLAG_LEAVE_IPV6 = 1u << 1,
    FLAG_DNS_ALL = 1u << 2,
    FLAG_NO_LEAK = 1u << 3,
    FLAG_LOOKUPS = 1u << 4,
    FLAGS_ALL = (1u << 5) - 1,
};

static void write_addr(struct writer *w, const struct ip_addr *addr)
{
    wr_u8(w, addr->family);
    wr_bytes(w, addr->b, ip_addr_size(addr));
    wr_zero(w, sizeof(addr->b) - ip_addr_size(addr));
}

static struct ip_addr read_addr(struct reader *r)
{
    static const uint8_t zero[16];
    struct ip_addr addr = {.family = rd_u8(r)};
    uint8_t b[16];
    rd_copy(r, b, sizeof(b));
    const size_t n = ip_addr_size(&addr);
    if ((addr.family != 0 && n == 0) || memcmp(b + n, zero, sizeof(b) - n) != 0)
        rd_fail(r);
    memcpy(addr.b, b, n);
    return addr;
}

/* Text in a field of fixed size, ended and filled with NUL. */
static void write_text(struct writer *w, const char *text, size_t size)
{
    const size_t n = strnlen(text, size - 1);
    wr_bytes(w, text, n);
    wr_zero(w, size - n);
}

static void read_text(struct reader *r, char *out, size_t size)
{
    rd_copy(r, out, size);
    const size_t n = strnlen(out, size);
    for (size_t i = n; i < size; i++)
        if (out[i] != '\0')
            rd_fail(r);
    if (n == size)
        rd_fail(r);
    out[size - 1] = '\0';
}

static uint8_t flags_of(const struct steward_plan *plan)
{
    return (uint8_t)((plan->everything ? FLAG_EVERYTHING : 0) | (plan->leave_ipv6 ? FLAG_LEAVE_IPV6 : 0) |
                     (plan->dns_all ? FLAG_DNS_ALL : 0) | (plan->no_leak ? FLAG_NO_LEAK : 0) |
                     (plan->lookups ? FLAG_LOOKUPS : 0));
}

enum err steward_request_write(const struct steward_request *request, uint8_t out[static STEWARD_REQUEST_SIZE])
{
    const struct steward_plan *plan = &request->plan;
    if (plan->route_count > STEWARD_ROUTES || plan->dns_count > STEWARD_DNS || plan->domain_count > STEWARD_DOMAINS)
        return ERR_INVALID;
    struct writer w = wr_init(out, STEWARD_REQUEST_SIZE);
    wr_u8(&w, FORM);
    wr_u8(&w, (uint8_t)request->verb);
    write_addr(&w, &plan->address);
    write_addr(&w, &plan->remote);
    write_addr(&w, &plan->address6);
    write_addr(&w, &plan->server);
    wr_u32(&w, plan->mtu);
    wr_u8(&w, flags_of(plan));
    wr_u8(&w, (uint8_t)plan->route_count);
    wr_u8(&w, (uint8_t)plan->dns_count);
    wr_u8(&w, (uint8_t)plan->domain_count);
    static const struct steward_prefix no_prefix;
    static const struct ip_addr no_addr;
    for (size_t i = 0; i < STEWARD_ROUTES; i++) {
        const struct steward_prefix *route = i < plan->route_count ? &plan->routes[i] : &no_prefix;
        write_addr(&w, &route->to);
        wr_u8(&w, route->bits);
    }
    for (size_t i = 0; i < STEWARD_DNS; i++)
        write_addr(&w, i < plan->dns_count ? &plan->dns[i] : &no_addr);
    for (size_t i = 0; i < STEWARD_DOMAINS; i++)
        write_text(&w, i < plan->domain_count ? plan->domains[i] : "", STEWARD_DOMAIN);
    return wr_ok(&w) && w.n == STEWARD_REQUEST_SIZE ? ERR_OK : ERR_INVALID;
}

static void read_lists(struct reader *r, struct steward_plan *plan)
{
    for (size_t i = 0; i < STEWARD_ROUTES; i++) {
        plan->routes[i].to = read_addr(r);
        plan->routes[i].bits = rd_u8(r);
    }
    for (size_t i = 0; i < STEWARD_DNS; i++)
        plan->dns[i] = read_addr(r);
    for (size_t i = 0; i < STEWARD_DOMAINS; i++)
        read_text(r, plan->domains[i], STEWARD_DOMAIN);
}

enum err steward_request_read(struct view bytes, struct steward_request *out)
{
    struct reader r = rd_init(bytes);
    struct steward_request request = {.verb = STEWARD_UNDO};
    struct steward_plan *plan = &request.plan;
    const uint8_t form = rd_u8(&r), verb = rd_u8(&r);
    plan->address = read_addr(&r);
    plan->remote = read_addr(&r);
    plan->address6 = read_addr(&r);
    plan->server = read_addr(&r);
    plan->mtu = rd_u32(&r);
    const uint8_t flags = rd_u8(&r);
    plan->route_count = rd_u8(&r);
    plan->dns_count = rd_u8(&r);
    plan->domain_count = rd_u8(&r);
    read_lists(&r, plan);
    if (!rd_done(&r) || form != FORM || (verb != STEWARD_APPLY && verb != STEWARD_UNDO) || flags & ~FLAGS_ALL ||
        plan->route_count > STEWARD_ROUTES || plan->dns_count > STEWARD_DNS || plan->domain_count > STEWARD_DOMAINS)
        return ERR_MALFORMED;
    request.verb = (enum steward_verb)verb;
    plan->everything = flags & FLAG_EVERYTHING;
    plan->leave_ipv6 = flags & FLAG_LEAVE_IPV6;
    plan->dns_all = flags & FLAG_DNS_ALL;
    plan->no_leak = flags & FLAG_NO_LEAK;
    plan->lookups = flags & FLAG_LOOKUPS;
    *out = request;
    return ERR_OK;
}

void steward_reply_write(const struct steward_reply *reply, uint8_t out[static STEWARD_REPLY_SIZE])
{
    struct writer w = wr_init(out, STEWARD_REPLY_SIZE);
    wr_u8(&w, (uint8_t)-reply->result);
    wr_u32(&w, reply->mark);
    write_text(&w, reply->why, STEWARD_WHY);
}

enum err steward_reply_read(struct view bytes, struct steward_reply *out)
{
    struct reader r = rd_init(bytes);
    struct steward_reply reply;
    const int result = -rd_u8(&r);
    reply.mark = rd_u32(&r);
    read_text(&r, reply.why, sizeof(reply.why));
    if (!rd_done(&r) || result < ERR_CRYPTO)
        return ERR_MALFORMED;
    reply.result = (enum err)result;
    *out = reply;
    return ERR_OK;
}
