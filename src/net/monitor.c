/* Notices that the host's network has changed: rtnetlink's notifications, told as what kind of thing they were about.
 */
#include "net/netlink.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOTIFICATION_SIZE 8192
#define READS_MAX         256 /* in one call: who changes routes without end shall not keep us here */

enum err monitor_open(int *fd)
{
    const int s = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (s < 0)
        return ERR_SYSTEM;
    const struct sockaddr_nl groups = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
    };
    if (bind(s, (const struct sockaddr *)&groups, sizeof(groups)) < 0) {
        const int saved = errno;
        close(s);
        errno = saved;
        return ERR_SYSTEM;
    }
    *fd = s;
    return ERR_OK;
}

/* Routes of other tables are somebody's arrangements (the steward's too), not the way to the outside. */
static uint32_t about_route(struct view body, uint32_t except)
{
    struct rtmsg head;
    if (!netlink_head(&body, &head, sizeof(head)) || head.rtm_flags & RTM_F_CLONED)
        return 0;
    uint32_t table = head.rtm_table, iface = 0;
    uint16_t attribute;
    struct view value;
    while (netlink_next_attribute(&body, &attribute, &value)) {
        if (attribute == RTA_TABLE)
            table = netlink_u32(value);
        else if (attribute == RTA_OIF)
            iface = netlink_u32(value);
    }
    return table == RT_TABLE_MAIN && (iface == 0 || iface != except) ? MONITOR_ROUTES : 0;
}

static uint32_t about(uint16_t type, struct view body, uint32_t except)
{
    if (type == RTM_NEWADDR || type == RTM_DELADDR) {
        struct ifaddrmsg head;
        return netlink_head(&body, &head, sizeof(head)) && head.ifa_index != except ? MONITOR_ADDRESSES : 0;
    }
    if (type == RTM_NEWLINK || type == RTM_DELLINK) {
        struct ifinfomsg head;
        return netlink_head(&body, &head, sizeof(head)) && (uint32_t)head.ifi_index != except ? MONITOR_LINKS : 0;
    }
    return type == RTM_NEWROUTE || type == RTM_DELROUTE ? about_route(body, except) : 0;
}

static uint32_t about_all(const uint8_t *p, size_t n, uint32_t except)
{
    uint32_t changes = 0;
    while (n >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr h;
        memcpy(&h, p, sizeof(h));
        if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > n)
            break;
        changes |= about(h.nlmsg_type, (struct view){p + NLMSG_HDRLEN, h.nlmsg_len - NLMSG_HDRLEN}, except);
        const size_t step = NLMSG_ALIGN(h.nlmsg_len) < n ? NLMSG_ALIGN(h.nlmsg_len) : n;
        p += step;
        n -= step;
    }
    return changes;
}

uint32_t monitor_read(int fd, uint32_t except)
{
    _Alignas(struct nlmsghdr) uint8_t buffer[NOTIFICATION_SIZE];
    uint32_t changes = 0;
    for (int i = 0; i < READS_MAX; i++) {
        struct sockaddr_nl from = {.nl_pid = 0};
        socklen_t from_size = sizeof(from);
        const ssize_t n = recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &from_size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == ENOBUFS) { /* more came than the socket could keep: anything may have changed */
            changes |= MONITOR_ADDRESSES | MONITOR_ROUTES | MONITOR_LINKS;
            continue;
        }
        if (n < 0)
            break;
        if (from.nl_pid == 0)
            changes |= about_all(buffer, (size_t)n, except);
    }
    return changes;
}
