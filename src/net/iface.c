/* Interfaces and their addresses: MTU, up and down, adding, listing. */
#include "net/netlink.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

static int af_of(const struct ip_addr *a)
{
    return a->family == 4 ? AF_INET : a->family == 6 ? AF_INET6 : AF_UNSPEC;
}

uint32_t iface_index(const char *name)
{
    return if_nametoindex(name);
}

enum err iface_set_mtu(uint32_t iface, uint32_t mtu)
{
    const struct ifinfomsg head = {.ifi_index = (int)iface};
    struct netlink_request r;
    netlink_begin(&r, RTM_NEWLINK, 0, &head, sizeof(head));
    netlink_attribute_u32(&r, IFLA_MTU, mtu);
    return netlink_talk(&r, NULL, NULL);
}

enum err iface_set_up(uint32_t iface, bool up)
{
    const struct ifinfomsg head = {.ifi_index = (int)iface, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP};
    struct netlink_request r;
    netlink_begin(&r, RTM_NEWLINK, 0, &head, sizeof(head));
    return netlink_talk(&r, NULL, NULL);
}

struct link_query {
    struct iface_state state;
    bool found;
};

/* The kind of a device that a driver made on demand: "tun", "veth". */
static bool is_kind(struct view info, const char *kind)
{
    uint16_t attribute;
    struct view value;
    while (netlink_next_attribute(&info, &attribute, &value))
        if (attribute == IFLA_INFO_KIND)
            return value.n >= strlen(kind) && strncmp((const char *)value.p, kind, value.n) == 0;
    return false;
}

static void take_link(void *ctx, uint16_t type, struct view body)
{
    struct link_query *query = ctx;
    struct ifinfomsg head;
    if (type != RTM_NEWLINK || !netlink_head(&body, &head, sizeof(head)))
        return;
    query->found = true;
    query->state.up = (head.ifi_flags & IFF_UP) != 0;
    uint16_t attribute;
    struct view value;
    while (netlink_next_attribute(&body, &attribute, &value)) {
        if (attribute == IFLA_MTU)
            query->state.mtu = netlink_u32(value);
        else if (attribute == IFLA_LINKINFO)
            query->state.tun = is_kind(value, "tun");
    }
}

enum err iface_state(uint32_t iface, struct iface_state *out)
{
    const struct ifinfomsg head = {.ifi_index = (int)iface};
    struct netlink_request r;
    netlink_begin(&r, RTM_GETLINK, 0, &head, sizeof(head));
    struct link_query query = {.found = false};
    const enum err e = netlink_talk(&r, take_link, &query);
    if (e != ERR_OK)
        return e;
    if (!query.found)
        return ERR_NOTFOUND;
    *out = query.state;
    return ERR_OK;
}

static enum err change_address(uint16_t type, uint16_t flags, uint32_t iface, const struct ip_addr *addr, uint8_t bits,
                               const struct ip_addr *peer, uint32_t more_flags)
{
    if (af_of(addr) == AF_UNSPEC || bits > ip_addr_size(addr) * 8 || (peer && peer->family != addr->family))
        return ERR_INVALID;
    const struct ifaddrmsg head = {
        .ifa_family = (uint8_t)af_of(addr),
        .ifa_prefixlen = bits,
        .ifa_index = iface,
    };
    /* Nobody else is on the link to have a duplicate. */
    const uint32_t ifa_flags = more_flags | (addr->family == 6 ? IFA_F_NODAD : 0);
    struct netlink_request r;
    netlink_begin(&r, type, flags, &head, sizeof(head));
    netlink_attribute_u32(&r, IFA_FLAGS, ifa_flags);
    netlink_attribute_ip(&r, IFA_LOCAL, addr);
    if (type == RTM_NEWADDR) /* to remove one, its own end says enough */
        netlink_attribute_ip(&r, IFA_ADDRESS, peer ? peer : addr);
    return netlink_talk(&r, NULL, NULL);
}

enum err iface_address_add(uint32_t iface, const struct ip_addr *addr, uint8_t bits, const struct ip_addr *peer)
{
    return change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, iface, addr, bits, peer, 0);
}

enum err iface_address_add_bare(uint32_t iface, const struct ip_addr *addr, const struct ip_addr *peer)
{
    const uint8_t bits = (uint8_t)(ip_addr_size(addr) * 8);
    return change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, iface, addr, bits, peer, IFA_F_NOPREFIXROUTE);
}

enum err iface_address_del(uint32_t iface, const struct ip_addr *addr, uint8_t bits)
{
    return change_address(RTM_DELADDR, 0, iface, addr, bits, NULL, 0);
}

struct listing {
    struct iface_address *out;
    size_t max, n;
};

static void add_address(void *ctx, uint16_t type, struct view body)
{
    struct listing *list = ctx;
    struct ifaddrmsg head;
    if (type != RTM_NEWADDR || list->n == list->max || !netlink_head(&body, &head, sizeof(head)))
        return;
    struct iface_address a = {.iface = head.ifa_index, .bits = head.ifa_prefixlen};
    struct ip_addr local = {.family = 0};
    uint16_t attribute;
    struct view value;
    while (netlink_next_attribute(&body, &attribute, &value)) {
        if (attribute == IFA_LOCAL)
            local = netlink_ip(value);
        else if (attribute == IFA_ADDRESS)
            a.addr = netlink_ip(value);
    }
    if (local.family) /* on a point-to-point link IFA_ADDRESS is the other end */
        a.addr = local;
    if (a.addr.family)
        list->out[list->n++] = a;
}

static void add_link(void *ctx, uint16_t type, struct view body)
{
    struct listing *list = ctx;
    struct ifinfomsg head;
    if (type != RTM_NEWLINK || !netlink_head(&body, &head, sizeof(head)))
        return;
    char name[IFACE_NAME_MAX] = "";
    uint16_t attribute;
    struct view value;
    while (netlink_next_attribute(&body, &attribute, &value))
        if (attribute == IFLA_IFNAME && value.n <= sizeof(name))
            memcpy(name, value.p, value.n);
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < list->n; i++) {
        struct iface_address *a = &list->out[i];
        if (a->iface != (uint32_t)head.ifi_index)
            continue;
        memcpy(a->name, name, sizeof(name));
        a->loopback = (head.ifi_flags & IFF_LOOPBACK) != 0;
        a->up = (head.ifi_flags & IFF_UP) != 0;
    }
}

enum err iface_addresses(struct iface_address *out, size_t max, size_t *n)
{
    struct listing list = {.out = out, .max = max};
    struct netlink_request r;
    const struct ifaddrmsg addresses = {.ifa_family = AF_UNSPEC};
    netlink_begin(&r, RTM_GETADDR, NLM_F_DUMP, &addresses, sizeof(addresses));
    enum err e = netlink_talk(&r, add_address, &list);
    if (e != ERR_OK)
        return e;
    const struct ifinfomsg links = {.ifi_family = AF_UNSPEC};
    netlink_begin(&r, RTM_GETLINK, NLM_F_DUMP, &links, sizeof(links));
    e = netlink_talk(&r, add_link, &list);
    if (e != ERR_OK)
        return e;
    *n = list.n;
    return ERR_OK;
}

bool prefix_overlaps(const struct ip_addr *a, uint8_t a_bits, const struct ip_addr *b, uint8_t b_bits)
{
    if (a->family != b->family)
        return false;
    const size_t size = ip_addr_size(a);
    size_t bits = a_bits < b_bits ? a_bits : b_bits; /* the wider one decides */
    if (bits > size * 8)
        bits = size * 8;
    if (memcmp(a->b, b->b, bits / 8) != 0)
        return false;
    if (bits % 8 == 0)
        return true;
    const uint8_t mask = (uint8_t)(0xff << (8 - bits % 8));
    return ((a->b[bits / 8] ^ b->b[bits / 8]) & mask) == 0;
}
