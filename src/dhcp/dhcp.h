/*
 * DHCPINFORM (RFC 2131 4.4.3) over PPP: Windows and Apple ask the far end of the link, after IPCP, for what IPCP cannot
 * carry. The answer brings routes (options 121 of RFC 3442 and 249 of Microsoft), DNS servers and the domain.
 * Both sides: functions of packets and of facts, no state.
 */
#ifndef SEKISHO_DHCP_H
#define SEKISHO_DHCP_H

#include "wire/wire.h"

#define DHCP_ROUTES_MAX 32
#define DHCP_DOMAIN_MAX 128 /* bytes with NUL */
#define DHCP_ANSWER_MAX 576 /* bytes of the IP packet: what every client must take (RFC 2131 2) */

struct dhcp_route {
    struct ip_addr to; /* IPv4 */
    uint8_t bits;
};

struct dhcp_facts {
    struct ip_addr server; /* our inner address, also the routes' gateway */
    struct ip_addr client; /* the peer's inner address */
    struct ip_addr dns[2]; /* family 0: none */
    struct dhcp_route routes[DHCP_ROUTES_MAX];
    size_t route_count;
    char domain[DHCP_DOMAIN_MAX]; /* "": none */
};

/* Cheap: whether an inner IPv4 packet is for a DHCP server. */
bool dhcp_is_request(const struct ip_info *ip, struct view packet);

/* Writes the answering IP packet. ERR_UNSUPPORTED for anything but a DHCPINFORM, ERR_MALFORMED, ERR_AUTH when it speaks
 * for another address than the peer's. */
enum err dhcp_answer(struct view packet, const struct dhcp_facts *facts, struct writer *out);

/* ---- the asking side ---- */

/* What an answer has brought. */
struct dhcp_lease {
    bool answered;         /* false: nobody has, in time */
    struct ip_addr dns[2]; /* family 0: none */
    struct ip_addr wins[2];
    struct ip_addr mask; /* family 0: none */
    struct dhcp_route routes[DHCP_ROUTES_MAX];
    size_t route_count;
    char domain[DHCP_DOMAIN_MAX]; /* "": none; else a printable name */
};

#define DHCP_QUESTION_MAX 320 /* bytes of the IP packet */

/* Writes a DHCPINFORM as Windows sends it: from our inner address to the broadcast address of the link. secs is how
 * long we have been asking. */
void dhcp_question(const struct ip_addr *client, uint32_t xid, uint16_t secs, struct writer *out);

/* Reads the answer to the question of this address and xid, whoever on the link it comes from. ERR_UNSUPPORTED when the
 * packet is anything else, ERR_MALFORMED; what the answer leaves open is empty. */
enum err dhcp_learn(struct view packet, const struct ip_addr *client, uint32_t xid, struct dhcp_lease *out);

#endif
