/*
 * The steward: the client's root helper. It makes a tunnel's interface useful (address, MTU, routes, name servers, a
 * guard against leaks) and undoes all of it: when it is told to, when its client ends in whatever way, and, if it was
 * killed as well, by steward_clean() from the journal that it writes before each act.
 *
 * It is a process of its own, forked while the client has its rights. What it is asked later is judged as if an enemy
 * asked: it changes its own interface, its own routing table and rules, its own nft table and the host's name servers,
 * nothing else, and takes addresses, prefixes and names only.
 *
 * Routing is by policy. The client's sockets carry steward_mark(), and what carries a mark of ours always follows the
 * main table, so that the server stays reachable whatever goes into the tunnel. Everything else looks first at the main
 * table without its default route (the host's own networks stay reachable), then at the tunnel's table.
 */
#ifndef SEKISHO_STEWARD_H
#define SEKISHO_STEWARD_H

#include "base/base.h"

#define STEWARD_DIR      "/run/sekisho/client"
#define STEWARD_NAME_MAX 64 /* bytes with NUL */
#define STEWARD_IFACE    16 /* bytes with NUL */
#define STEWARD_ROUTES   64
#define STEWARD_DNS      4
#define STEWARD_DOMAINS  8
#define STEWARD_DOMAIN   128 /* bytes with NUL */
#define STEWARD_WHY      256 /* bytes with NUL */

struct steward;

struct steward_config {
    const char *name;      /* of the connection: letters, digits, '_', '-', and '.' but not in front */
    const char *state_dir; /* NULL: STEWARD_DIR. Made when missing; refused when others than root may write there */
    const char *iface;     /* the TUN device of this client, open already */
};

struct steward_prefix {
    struct ip_addr to;
    uint8_t bits;
};

/* How the host shall be. All zero: as it was found. */
struct steward_plan {
    struct ip_addr address, remote; /* IPv4, the tunnel's two ends; family 0: not connected yet, only no_leak counts */
    struct ip_addr address6;        /* IPv6 inside the tunnel; family 0: none */
    uint32_t mtu;                   /* 576 to 65535; 1280 at least with address6 */
    struct steward_prefix routes[STEWARD_ROUTES]; /* into the tunnel, beside its far end */
    size_t route_count;
    bool everything; /* all IPv4 goes into the tunnel, and all IPv6: which has no way out when there is no address6 */
    bool leave_ipv6; /* with everything and without address6: IPv6 goes on beside the tunnel */
    struct ip_addr dns[STEWARD_DNS];
    size_t dns_count; /* 0: the host's resolver is left alone */
    char domains[STEWARD_DOMAINS]
                [STEWARD_DOMAIN]; /* searched, and asked of these servers; LDH labels, no dot at ends */
    size_t domain_count;
    bool
        dns_all; /* every name is asked of these servers. Otherwise only those in domains, where the host's resolver can
                    tell them apart (systemd-resolved, openresolv); a plain resolv.conf cannot, and asks them all */
    bool no_leak; /* nothing leaves but through the tunnel, the loopback or from the client's own marked sockets; and
                     DHCP and neighbour discovery, without which the link is lost */
    bool lookups; /* the host's own name servers, those at the time of the call, are asked beside the tunnel and through
                     the guard: for the time that it takes to look up the server, as other programs' questions leave as
                     well. With no_leak, `why` tells when there are none */
    struct ip_addr server; /* whom the marked sockets speak to; needed with address */
};

/* Forks the steward, which waits for steward_start(). As root, before threads, and before secrets are read, of which it
 * would keep a copy. `why` holds a sentence on failure. Give it to steward_end(). */
enum err steward_fork(struct steward **out, char why[static STEWARD_WHY]);

/* Once, before rights are given up: undoes what an earlier one of this name left behind, and makes the steward ready.
 * `why` holds a sentence on failure, after which it is good for steward_end() alone. ERR_EXISTS: a steward of this name
 * lives (one that is about to end is waited for: a minute at most while it acts, three seconds else). ERR_INVALID: a
 * bad name. ERR_LIMIT: no mark is free. */
enum err steward_start(struct steward *steward, const struct steward_config *config, char why[static STEWARD_WHY]);

/* The SO_MARK for all sockets of the tunnel. Unique among the living stewards of this host. */
uint32_t steward_mark(const struct steward *steward);
/* Becomes readable only when the steward has died. */
int steward_fd(const struct steward *steward);

/* Takes out of the lists what the steward would refuse, and host bits out of prefixes: for what a server has told, of
 * which one odd item shall not spoil a connection. Returns how many items are gone. The counts must be in range. */
size_t steward_plan_trim(struct steward_plan *plan);

/* Makes the host as planned; replaces an earlier plan and touches only what differs: an address that stays is never
 * taken away, so that connections through the tunnel survive. Waits for the answer, some tens of milliseconds, a minute
 * at most. On failure the host is as it was before the call and `why` is a sentence; on success `why` is a remark for
 * the user, or empty. ERR_INVALID: the plan was refused. ERR_STATE: the steward is gone. */
enum err steward_apply(struct steward *steward, const struct steward_plan *plan, char why[static STEWARD_WHY]);

/* Makes the host as it was found; the steward stays. What somebody else has changed meanwhile is left and told in
 * `why`, which makes no failure. */
enum err steward_undo(struct steward *steward, char why[static STEWARD_WHY]);

/* Undoes, waits for the steward's end and frees. Takes NULL. */
void steward_end(struct steward *steward);

/* Undoes what a steward that was killed has left behind; waits like steward_start(). ERR_OK also when there is nothing;
 * ERR_STATE: the steward of this name lives. state_dir NULL: STEWARD_DIR. As root. */
enum err steward_clean(const char *state_dir, const char *name, char why[static STEWARD_WHY]);

#endif
