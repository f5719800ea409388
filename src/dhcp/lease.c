/*
 * The asking side: a DHCPINFORM, and what its answer brings. Whoever answers is inside the tunnel and so trusted to
 * name routes, not to write well: every length is checked.
 */
#include "dhcp/dhcp_internal.h"

#include <string.h>

#define HTYPE_PPP   8    /* what Windows says of its links; chaddr then is a number of its own choosing */
#define OPTIONS_MAX 1024 /* bytes of one option put together from its parts (RFC 3396) */

/* ---- asking ---- */

static void write_question(struct writer *w, const struct ip_addr *client, uint32_t xid, uint16_t secs)
{
    static const uint8_t list[] = {OPTION_MASK, OPTION_DNS,    OPTION_DOMAIN,          OPTION_ROUTES,
                                   OPTION_WINS, OPTION_VENDOR, OPTION_ROUTES_MICROSOFT};
    static const uint8_t hardware[] = {0, 0, 0, 1, 0, 0};
    wr_u8(w, BOOTREQUEST);
    wr_u8(w, HTYPE_PPP);
    wr_u8(w, sizeof(hardware));
    wr_u8(w, 0);
    wr_u32(w, xid);
    wr_u16(w, secs);
    wr_u16(w, 0);
    wr_bytes(w, client->b, 4);
    wr_zero(w, 12);
    wr_bytes(w, hardware, sizeof(hardware));
    wr_zero(w, CHADDR_SIZE - sizeof(hardware));
    wr_zero(w, SNAME_FILE);
    wr_u32(w, MAGIC_COOKIE);
    wr_u8(w, OPTION_MESSAGE);
    wr_u8(w, 1);
    wr_u8(w, MESSAGE_INFORM);
    wr_u8(w, OPTION_CLIENT);
    wr_u8(w, 1 + sizeof(hardware));
    wr_u8(w, HTYPE_PPP);
    wr_bytes(w, hardware, sizeof(hardware));
    wr_u8(w, OPTION_LIST);
    wr_u8(w, sizeof(list));
    wr_bytes(w, list, sizeof(list));
    wr_u8(w, OPTION_END);
}

void dhcp_question(const struct ip_addr *client, uint32_t xid, uint16_t secs, struct writer *out)
{
    static const struct ip_addr broadcast = {.family = 4, .b = {255, 255, 255, 255}};
    const size_t at = out->n;
    dhcp_headers(out, client, CLIENT_PORT, &broadcast, SERVER_PORT);
    write_question(out, client, xid, secs);
    dhcp_finish(out, at, client, &broadcast);
}

/* ---- learning ---- */

/* All parts of an option, one behind the other (RFC 3396 7). False when the list is broken. */
static bool collect(struct view options, uint8_t wanted, struct writer *out)
{
    struct reader r = rd_init(options);
    while (rd_ok(&r) && rd_left(&r) > 0) {
        const uint8_t option = rd_u8(&r);
        if (option == OPTION_PAD)
            continue;
        if (option == OPTION_END)
            break;
        struct reader body = rd_block8(&r);
        if (option == wanted)
            wr_view(out, rd_rest(&body));
    }
    return rd_ok(&r) && wr_ok(out);
}

/* An option's value, in room; empty when it is not there. */
static struct view value_of(struct view options, uint8_t wanted, uint8_t room[static OPTIONS_MAX])
{
    struct writer w = wr_init(room, OPTIONS_MAX);
    return collect(options, wanted, &w) ? wr_written(&w) : VIEW_NONE;
}

static struct ip_addr read_address(struct reader *r)
{
    struct ip_addr address = {.family = 4};
    rd_copy(r, address.b, 4);
    return rd_ok(r) ? address : (struct ip_addr){0};
}

static void learn_servers(struct view value, struct ip_addr out[static 2])
{
    struct reader r = rd_init(value);
    for (size_t i = 0; i < 2 && rd_left(&r) > 0; i++)
        out[i] = read_address(&r);
}

/* RFC 3442; bits beyond the prefix length count as zero. The gateways mean nothing on a point-to-point link. */
static bool learn_routes(struct view value, struct dhcp_lease *out)
{
    struct reader r = rd_init(value);
    size_t n = 0;
    while (rd_ok(&r) && rd_left(&r) > 0 && n < DHCP_ROUTES_MAX) {
        struct dhcp_route *route = &out->routes[n++];
        *route = (struct dhcp_route){.to = {.family = 4}, .bits = rd_u8(&r)};
        if (route->bits > 32)
            return false;
        rd_copy(&r, route->to.b, (route->bits + 7u) / 8);
        if (route->bits % 8 != 0)
            route->to.b[route->bits / 8] &= (uint8_t)(0xff00 >> route->bits % 8);
        rd_skip(&r, 4);
    }
    out->route_count = rd_ok(&r) ? n : 0;
    return rd_ok(&r);
}

/* It ends up in the resolver's files: letters, digits, hyphens, underscores and dots, or nothing. */
static void learn_domain(struct view value, char out[static DHCP_DOMAIN_MAX])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t n = value.n;
    while (n > 0 && (value.p[n - 1] == '\0' || value.p[n - 1] == '.'))
        n--;
    out[0] = '\0';
    if (n == 0 || n >= DHCP_DOMAIN_MAX || value.p[0] == '-' || value.p[0] == '.')
        return;
    for (size_t i = 0; i < n; i++)
        if (!memchr(allowed, value.p[i], sizeof(allowed) - 1))
            return;
    memcpy(out, value.p, n);
    out[n] = '\0';
}

static enum err learn_options(struct view options, struct dhcp_lease *out)
{
    uint8_t room[OPTIONS_MAX];
    struct writer all = wr_init(room, sizeof(room));
    if (!collect(options, OPTION_MESSAGE, &all))
        return ERR_MALFORMED;
    if (all.n != 1 || room[0] != MESSAGE_ACK)
        return ERR_UNSUPPORTED;
    learn_servers(value_of(options, OPTION_DNS, room), out->dns);
    learn_servers(value_of(options, OPTION_WINS, room), out->wins);
    learn_domain(value_of(options, OPTION_DOMAIN, room), out->domain);
    struct view value = value_of(options, OPTION_MASK, room);
    struct reader mask = rd_init(value);
    if (value.n == 4)
        out->mask = read_address(&mask);
    value = value_of(options, OPTION_ROUTES, room);
    if (value.n == 0) /* RFC 3442: this one alone counts where it is there */
        value = value_of(options, OPTION_ROUTES_MICROSOFT, room);
    out->answered = learn_routes(value, out);
    return out->answered ? ERR_OK : ERR_MALFORMED;
}

/* Whether it is a BOOTREPLY for this question; its options. */
static bool is_answer(struct view bootp, const struct ip_addr *client, uint32_t xid, struct view *options)
{
    struct reader r = rd_init(bootp);
    const uint8_t op = rd_u8(&r);
    rd_skip(&r, 3);
    const uint32_t number = rd_u32(&r);
    rd_skip(&r, 4);
    struct ip_addr ciaddr = read_address(&r);
    rd_skip(&r, 12 + CHADDR_SIZE + SNAME_FILE);
    const uint32_t cookie = rd_u32(&r);
    *options = rd_rest(&r);
    const bool ours = ip4_value(&ciaddr) == 0 || ip_equal(&ciaddr, client); /* some leave it out */
    return rd_ok(&r) && op == BOOTREPLY && number == xid && cookie == MAGIC_COOKIE && ours;
}

enum err dhcp_learn(struct view packet, const struct ip_addr *client, uint32_t xid, struct dhcp_lease *out)
{
    struct ip_info ip;
    struct view options;
    if (ip_info(packet, &ip) != ERR_OK || ip.version != 4 || ip.protocol != IP_PROTO_UDP || ip.fragment ||
        ip.total < (uint32_t)ip.transport + UDP_HEADER)
        return ERR_UNSUPPORTED;
    if (be16_get(packet.p + ip.transport) != SERVER_PORT || be16_get(packet.p + ip.transport + 2) != CLIENT_PORT)
        return ERR_UNSUPPORTED;
    const uint32_t bootp = ip.transport + (uint32_t)UDP_HEADER;
    if (!is_answer(view_of(packet.p + bootp, ip.total - bootp), client, xid, &options))
        return ERR_UNSUPPORTED;
    struct dhcp_lease lease = {0};
    const enum err e = learn_options(options, &lease);
    if (e == ERR_OK)
        *out = lease;
    return e;
}
