/* What the two sides of dhcp share: the numbers of RFC 2131 and 2132. */
#ifndef SEKISHO_DHCP_INTERNAL_H
#define SEKISHO_DHCP_INTERNAL_H

#include "dhcp/dhcp.h"

#define SERVER_PORT  67
#define CLIENT_PORT  68
#define UDP_HEADER   8
#define BOOTREQUEST  1
#define BOOTREPLY    2
#define CHADDR_SIZE  16
#define SNAME_FILE   192 /* bytes of sname and file, which are of no use here */
#define MAGIC_COOKIE 0x63825363

enum option {
    OPTION_PAD = 0,
    OPTION_MASK = 1,
    OPTION_DNS = 6,
    OPTION_DOMAIN = 15,
    OPTION_VENDOR = 43,
    OPTION_WINS = 44,
    OPTION_MESSAGE = 53,
    OPTION_SERVER = 54,
    OPTION_LIST = 55, /* what is asked for */
    OPTION_CLIENT = 61,
    OPTION_ROUTES = 121,           /* RFC 3442 */
    OPTION_ROUTES_MICROSOFT = 249, /* the same under Microsoft's number */
    OPTION_END = 255,
};

enum message { MESSAGE_ACK = 5, MESSAGE_INFORM = 8 };

/* IPv4 and UDP headers in front of a message, and their lengths and checksums once it is written. */
void dhcp_headers(struct writer *w, const struct ip_addr *from, uint16_t from_port, const struct ip_addr *to,
                  uint16_t to_port);
void dhcp_finish(struct writer *w, size_t at, const struct ip_addr *from, const struct ip_addr *to);

#endif
