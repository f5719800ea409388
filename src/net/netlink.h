/* One rtnetlink request and its answers, for the files of net that speak of interfaces and routes. */
#ifndef SEKISHO_NETLINK_H
#define SEKISHO_NETLINK_H

#include "net/net.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define NETLINK_REQUEST_MAX 512

/* A request being written. The kernel reads and writes these in the host's byte order, and aligned to four bytes. */
struct netlink_request {
    _Alignas(struct nlmsghdr) uint8_t bytes[NETLINK_REQUEST_MAX];
    size_t n;
    bool failed;
};

void netlink_begin(struct netlink_request *r, uint16_t type, uint16_t flags, const void *head, size_t n);
void netlink_attribute_u32(struct netlink_request *r, uint16_t type, uint32_t value);
void netlink_attribute_ip(struct netlink_request *r, uint16_t type, const struct ip_addr *addr);

/* Sends the request and calls answer (may be NULL) for every message until the end of the answers. answer gets the
 * family's own header and attributes. ERR_EXISTS, ERR_NOTFOUND, or ERR_SYSTEM with errno from the kernel's answer. */
enum err netlink_talk(const struct netlink_request *r, void (*answer)(void *ctx, uint16_t type, struct view body),
                      void *ctx);

/* Walks attributes: the next one's type and value, or false at the end. */
bool netlink_next_attribute(struct view *rest, uint16_t *type, struct view *value);
/* Copies the family's header off the body's front; false when it is not there. */
bool netlink_head(struct view *body, void *head, size_t n);
/* An attribute's value as a number of the host, or as an address; 0 and family 0 when its size is another. */
uint32_t netlink_u32(struct view value);
struct ip_addr netlink_ip(struct view value);

#endif
