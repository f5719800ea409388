/* The answering side: a function of the request and of the facts. */
#include "dhcp/dhcp_internal.h"

#include <string.h>

struct request {
    uint8_t htype, hlen, message;
    uint32_t xid;
    uint16_t flags;
    struct ip_addr ciaddr;
    uint8_t chaddr[CHADDR_SIZE];
};

bool dhcp_is_request(const struct ip_info *ip, struct view packet)
{
    if (ip->version != 4 || ip->protocol != IP_PROTO_UDP || ip->fragment ||
        ip->total < (uint32_t)ip->transport + UDP_HEADER)
        return false;
    return be16_get(packet.p + ip->transport + 2) == SERVER_PORT;
}

/* ---- reading ---- */

static uint8_t read_message_type(struct reader *r)
{
    uint8_t message = 0;
    while (rd_ok(r) && rd_left(r) > 0) {
        const uint8_t option = rd_u8(r);
        if (option == OPTION_PAD)
            continue;
        if (option == OPTION_END)
            break;
        struct reader body = rd_block8(r);
        if (option == OPTION_MESSAGE)
            message = rd_u8(&body);
    }
    return message;
}

static enum err parse(struct view bootp, struct request *out)
{
    struct reader r = rd_init(bootp);
    const uint8_t op = rd_u8(&r);
    out->htype = rd_u8(&r);
    out->hlen = rd_u8(&r);
    rd_skip(&r, 1);
    out->xid = rd_u32(&r);
    rd_skip(&r, 2);
    out->flags = rd_u16(&r);
    out->ciaddr = (struct ip_addr){.family = 4};
    rd_copy(&r, out->ciaddr.b, 4);
    rd_skip(&r, 12);
    rd_copy(&r, out->chaddr, CHADDR_SIZE);
    rd_skip(&r, SNAME_FILE);
    const uint32_t cookie = rd_u32(&r);
    if (!rd_ok(&r) || op != BOOTREQUEST || cookie != MAGIC_COOKIE)
        return ERR_MALFORMED;
    out->message = read_message_type(&r);
    return rd_ok(&r) ? ERR_OK : ERR_MALFORMED;
}

static enum err judge(const struct request *request, const struct ip_addr *source, const struct dhcp_facts *facts)
{
    const struct ip_addr none = {.family = 4};
    if (request->message != MESSAGE_INFORM)
        return ERR_UNSUPPORTED;
    const bool own = ip_equal(&request->ciaddr, &facts->client) || ip_equal(&request->ciaddr, &none);
    return own && ip_equal(source, &facts->client) ? ERR_OK : ERR_AUTH;
}

/* ---- writing ---- */

static void write_dns(struct writer *w, const struct dhcp_facts *facts)
{
    const uint8_t n = (uint8_t)((facts->dns[0].family == 4) + (facts->dns[1].family == 4));
    if (n == 0)
        return;
    wr_u8(w, OPTION_DNS);
    wr_u8(w, (uint8_t)(4 * n));
    for (size_t i = 0; i < ARRAY_LEN(facts->dns); i++)
        if (facts->dns[i].family == 4)
            wr_bytes(w, facts->dns[i].b, 4);
}

/* All routes in one option, as clients want it: prefix length, the prefix's significant bytes, gateway (RFC 3442). */
static void write_routes(struct writer *w, uint8_t option, const struct dhcp_facts *facts)
{
    uint8_t body[UINT8_MAX];
    struct writer routes = wr_init(body, sizeof(body));
    for (size_t i = 0; i < facts->route_count; i++) {
        const struct dhcp_route *route = &facts->routes[i];
        wr_u8(&routes, route->bits);
        wr_bytes(&routes, route->to.b, (route->bits + 7u) / 8);
        wr_bytes(&routes, facts->server.b, 4);
    }
    if (!wr_ok(&routes) || routes.n == 0)
        return;
    wr_u8(w, option);
    wr_u8(w, (uint8_t)routes.n);
    wr_view(w, wr_written(&routes));
}

static void write_options(struct writer *w, const struct dhcp_facts *facts)
{
    const size_t domain = strlen(facts->domain);
    wr_u8(w, OPTION_MESSAGE);
    wr_u8(w, 1);
    wr_u8(w, MESSAGE_ACK);
    wr_u8(w, OPTION_SERVER);
    wr_u8(w, 4);
    wr_bytes(w, facts->server.b, 4);
    wr_u8(w, OPTION_MASK);
    wr_u8(w, 4);
    wr_u32(w, UINT32_MAX); /* a point-to-point link has no network of its own */
    write_dns(w, facts);
    if (domain > 0) {
        wr_u8(w, OPTION_DOMAIN);
        wr_u8(w, (uint8_t)domain);
        wr_bytes(w, facts->domain, domain);
    }
    write_routes(w, OPTION_ROUTES, facts);
    write_routes(w, OPTION_ROUTES_MICROSOFT, facts);
    wr_u8(w, OPTION_END);
}

static void write_bootp(struct writer *w, const struct request *request, const struct dhcp_facts *facts)
{
    wr_u8(w, BOOTREPLY);
    wr_u8(w, request->htype);
    wr_u8(w, request->hlen);
    wr_u8(w, 0);
    wr_u32(w, request->xid);
    wr_u16(w, 0);
    wr_u16(w, request->flags);
    wr_bytes(w, request->ciaddr.b, 4);
    wr_zero(w, 4); /* yiaddr: INFORM asks for no address */
    wr_zero(w, 8);
    wr_bytes(w, request->chaddr, CHADDR_SIZE);
    wr_zero(w, SNAME_FILE);
    wr_u32(w, MAGIC_COOKIE);
    write_options(w, facts);
}

void dhcp_headers(struct writer *w, const struct ip_addr *from, uint16_t from_port, const struct ip_addr *to,
                  uint16_t to_port)
{
    wr_u16(w, 0x4500);
    wr_u16(w, 0);
    wr_u32(w, 0);
    wr_u16(w, (uint16_t)(64 << 8 | IP_PROTO_UDP));
    wr_u16(w, 0);
    wr_bytes(w, from->b, 4);
    wr_bytes(w, to->b, 4);
    wr_u16(w, from_port);
    wr_u16(w, to_port);
    wr_u16(w, 0);
    wr_u16(w, 0);
}

void dhcp_finish(struct writer *w, size_t at, const struct ip_addr *from, const struct ip_addr *to)
{
    const uint32_t total = (uint32_t)(w->n - at), udp = total - 20;
    wr_patch16(w, at + 2, (uint16_t)total);
    wr_patch16(w, at + 24, (uint16_t)udp);
    if (!wr_ok(w))
        return;
    wr_patch16(w, at + 10, inet_fold(inet_sum(0, w->p + at, 20)));
    const uint32_t pseudo = inet_pseudo_sum(from, to, IP_PROTO_UDP, udp);
    const uint16_t sum = inet_fold(inet_sum(pseudo, w->p + at + 20, udp));
    wr_patch16(w, at + 26, sum ? sum : 0xffff);
}

enum err dhcp_answer(struct view packet, const struct dhcp_facts *facts, struct writer *out)
{
    struct ip_info ip;
    struct request request;
    if (ip_info(packet, &ip) != ERR_OK || !dhcp_is_request(&ip, packet))
        return ERR_UNSUPPORTED;
    const uint32_t bootp = ip.transport + (uint32_t)UDP_HEADER;
    enum err e = parse(view_of(packet.p + bootp, ip.total - bootp), &request);
    if (e == ERR_OK)
        e = judge(&request, &ip.src, facts);
    if (e != ERR_OK)
        return e;
    const size_t at = out->n;
    dhcp_headers(out, &facts->server, SERVER_PORT, &facts->client, CLIENT_PORT);
    write_bootp(out, &request, facts);
    dhcp_finish(out, at, &facts->server, &facts->client);
    return wr_ok(out) ? ERR_OK : ERR_LIMIT;
}
