/* Routes: adding and removing, asking the kernel where a packet would go, and finding the default route. */
#include "net/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static uint8_t af_of(const struct ip_addr *a)
{
    return a->family == 4 ? AF_INET : AF_INET6;
}

static bool leads_nowhere(const struct route *route)
{
    return route->unreachable || route->thrown;
}

static bool is_sane(const struct route *route)
{
    const uint8_t family = route->to.family;
    return (family == 4 || family == 6) && route->bits <= ip_addr_size(&route->to) * 8 &&
           (route->via.family == 0 || route->via.family == family) &&
           (route->source.family == 0 || route->source.family == family) &&
           (route->via.family != 0 || route->iface != 0 || leads_nowhere(route));
}

static enum err change_route(uint16_t type, uint16_t flags, const struct route *route)
{
    if (!is_sane(route))
        return ERR_INVALID;
    const bool removes = type == RTM_DELROUTE;
    const bool direct = !route->via.family && !leads_nowhere(route) && route->to.family == 4;
    const uint8_t type_wanted = route->unreachable ? RTN_UNREACHABLE : route->thrown ? RTN_THROW : RTN_UNICAST;
    const struct rtmsg head = {
        .rtm_family = af_of(&route->to),
        .rtm_dst_len = route->bits,
        .rtm_table = RT_TABLE_UNSPEC,
        .rtm_protocol = removes ? RTPROT_UNSPEC : RTPROT_STATIC,
        .rtm_scope = removes  ? RT_SCOPE_NOWHERE
                     : direct ? RT_SCOPE_LINK
                              : RT_SCOPE_UNIVERSE,
        .rtm_type = removes ? RTN_UNSPEC : type_wanted,
    };
    struct netlink_request r;
    netlink_begin(&r, type, flags, &head, sizeof(head));
    netlink_attribute_u32(&r, RTA_TABLE, route->table ? route->table : RT_TABLE_MAIN);
    if (route->bits > 0)
        netlink_attribute_ip(&r, RTA_DST, &route->to);
    if (route->via.family)
        netlink_attribute_ip(&r, RTA_GATEWAY, &route->via);
    if (route->source.family)
        netlink_attribute_ip(&r, RTA_PREFSRC, &route->source);
    if (route->iface && !leads_nowhere(route))
        netlink_attribute_u32(&r, RTA_OIF, route->iface);
    if (route->metric)
        netlink_attribute_u32(&r, RTA_PRIORITY, route->metric);
    return netlink_talk(&r, NULL, NULL);
}

enum err route_add(const struct route *route)
{
    return change_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
}

enum err route_del(const struct route *route)
{
    return change_route(RTM_DELROUTE, 0, route);
}

/* Reads a route message; false when it is none, or not of a kind that struct route knows. */
static bool read_route(uint16_t type, struct view body, struct route *out)
{
    struct rtmsg head;
    if (type != RTM_NEWROUTE || !netlink_head(&body, &head, sizeof(head)))
        return false;
    if (head.rtm_type != RTN_UNICAST && head.rtm_type != RTN_LOCAL && head.rtm_type != RTN_UNREACHABLE &&
        head.rtm_type != RTN_THROW)
        return false;
    struct route route = {.to.family = head.rtm_family == AF_INET ? 4 : 6,
                          .bits = head.rtm_dst_len,
                          .table = head.rtm_table,
                          .unreachable = head.rtm_type == RTN_UNREACHABLE,
                          .thrown = head.rtm_type == RTN_THROW};
    uint16_t attribute;
    struct view value;
    while (netlink_next_attribute(&body, &attribute, &value)) {
        switch (attribute) {
        case RTA_DST:
            route.to = netlink_ip(value);
            break;
        case RTA_GATEWAY:
            route.via = netlink_ip(value);
            break;
        case RTA_PREFSRC:
            route.source = netlink_ip(value);
            break;
        case RTA_OIF:
            route.iface = netlink_u32(value);
            break;
        case RTA_PRIORITY:
            route.metric = netlink_u32(value);
            break;
        case RTA_TABLE:
            route.table = netlink_u32(value);
            break;
        case RTA_VIA:
        case RTA_ENCAP:
        case RTA_METRICS:
            route.special = true;
            break;
        default:
            break;
        }
    }
    *out = route;
    return true;
}

struct search {
    struct route best;
    bool found;
};

static void take_answer(void *ctx, uint16_t type, struct view body)
{
    struct search *s = ctx;
    s->found |= read_route(type, body, &s->best);
}

static enum err ask(const struct netlink_request *r, const struct ip_addr *to, struct route *out)
{
    struct search s = {.found = false};
    const enum err e = netlink_talk(r, take_answer, &s);
    if (e != ERR_OK)
        return e == ERR_SYSTEM && (errno == ENETUNREACH || errno == EHOSTUNREACH) ? ERR_NOTFOUND : e;
    if (!s.found || leads_nowhere(&s.best))
        return ERR_NOTFOUND;
    s.best.to = *to;
    s.best.bits = (uint8_t)(ip_addr_size(to) * 8);
    s.best.table = 0;
    *out = s.best;
    return ERR_OK;
}

enum err route_lookup(const struct ip_addr *to, struct route *out)
{
    return route_lookup_marked(to, 0, out);
}

enum err route_lookup_marked(const struct ip_addr *to, uint32_t mark, struct route *out)
{
    if (to->family != 4 && to->family != 6)
        return ERR_INVALID;
    const struct rtmsg head = {.rtm_family = af_of(to), .rtm_dst_len = (uint8_t)(ip_addr_size(to) * 8)};
    struct netlink_request r;
    netlink_begin(&r, RTM_GETROUTE, 0, &head, sizeof(head));
    netlink_attribute_ip(&r, RTA_DST, to);
    if (mark)
        netlink_attribute_u32(&r, RTA_MARK, mark);
    return ask(&r, to, out);
}

enum err route_lookup_forwarded(const struct ip_addr *from, uint32_t iface, const struct ip_addr *to, struct route *out)
{
    struct route found;
    if (from->family != to->family || (to->family != 4 && to->family != 6))
        return ERR_INVALID;
    const uint8_t bits = (uint8_t)(ip_addr_size(to) * 8);
    const struct rtmsg head = {.rtm_family = af_of(to), .rtm_dst_len = bits, .rtm_src_len = bits};
    struct netlink_request r;
    netlink_begin(&r, RTM_GETROUTE, 0, &head, sizeof(head));
    netlink_attribute_ip(&r, RTA_SRC, from);
    netlink_attribute_ip(&r, RTA_DST, to);
    netlink_attribute_u32(&r, RTA_IIF, iface);
    const enum err e = ask(&r, to, &found);
    if (e != ERR_OK)
        return e;
    if (found.special)
        return ERR_UNSUPPORTED;
    *out = found;
    return ERR_OK;
}

struct likeness {
    const struct route *like;
    struct search search;
};

static void take_alike(void *ctx, uint16_t type, struct view body)
{
    struct likeness *l = ctx;
    struct route route;
    const uint32_t table = l->like->table ? l->like->table : RT_TABLE_MAIN;
    if (l->search.found || !read_route(type, body, &route) || route.table != table || route.bits != l->like->bits ||
        route.metric != l->like->metric || (route.bits > 0 && !ip_equal(&route.to, &l->like->to)))
        return;
    l->search = (struct search){route, true};
}

enum err route_alike(const struct route *like, struct route *out)
{
    if (like->to.family != 4 && like->to.family != 6)
        return ERR_INVALID;
    const struct rtmsg head = {.rtm_family = af_of(&like->to)};
    struct netlink_request r;
    netlink_begin(&r, RTM_GETROUTE, NLM_F_DUMP, &head, sizeof(head));
    struct likeness l = {.like = like};
    const enum err e = netlink_talk(&r, take_alike, &l);
    if (e != ERR_OK)
        return e;
    *out = l.search.best;
    return l.search.found ? ERR_OK : ERR_NOTFOUND;
}

struct table_listing {
    uint32_t table;
    struct route *out;
    size_t max, n;
};

static void take_listed(void *ctx, uint16_t type, struct view body)
{
    struct table_listing *list = ctx;
    struct route route;
    if (list->n < list->max && read_route(type, body, &route) && route.table == list->table)
        list->out[list->n++] = route;
}

enum err route_list(uint8_t family, uint32_t table, struct route *out, size_t max, size_t *n)
{
    if (family != 4 && family != 6)
        return ERR_INVALID;
    const struct rtmsg head = {.rtm_family = family == 4 ? AF_INET : AF_INET6};
    struct netlink_request r;
    netlink_begin(&r, RTM_GETROUTE, NLM_F_DUMP, &head, sizeof(head));
    struct table_listing list = {.table = table, .out = out, .max = max};
    const enum err e = netlink_talk(&r, take_listed, &list);
    if (e == ERR_OK)
        *n = list.n;
    return e;
}
