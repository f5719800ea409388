/*
 * The world outside: the only module that touches sockets, epoll, the clock, entropy, the TUN device, routes,
 * the firewall and the process's rights.
 *
 * Everything here is one thread's own unless its comment says otherwise; the exceptions are loop_wake(), loop_stop()
 * and the two ends of a ring. Functions that return ERR_SYSTEM leave errno as the kernel set it. Nothing logs.
 */
#ifndef SEKISHO_NET_H
#define SEKISHO_NET_H

#include "offload/offload.h"

#include <sys/types.h>

/* ---- loop: one per thread ----
 *
 * An iteration: wait until a descriptor is ready or the deadline has come; read the clock once; call the ready
 * descriptors' functions; call the turn function, which does what is due (timeouts, output, rings) and returns the next
 * deadline. A caller's stack tells its own deadline there: no timer lives in the loop. */

struct loop;

#define LOOP_READ  1u
#define LOOP_WRITE 2u
#define LOOP_ERROR 4u /* error or hang-up; always reported */

/* NULL when out of memory or descriptors. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* Calls ready(ctx, what) while fd is ready (level-triggered); what is LOOP_ bits. The descriptor stays the caller's.
 * ERR_EXISTS when fd is watched already. Within a ready function any descriptor may be added, changed or removed. */
enum err loop_add(struct loop *loop, int fd, uint32_t interest, void (*ready)(void *ctx, uint32_t what), void *ctx);
enum err loop_change(struct loop *loop, int fd, uint32_t interest);
/* Before the descriptor is closed. Unknown ones are ignored. */
void loop_remove(struct loop *loop, int fd);

/* Called at the end of every iteration, and once before the first wait. Returns the absolute time of the next call at
 * the latest; USEC_NEVER: only when something is ready. */
void loop_on_turn(struct loop *loop, usec_t (*turn)(void *ctx, usec_t now), void *ctx);
/* After an iteration with work, polls without sleeping for this long before it sleeps; 0 (the default): sleeps at once.
 * 20 to 50 us suit a busy gateway. */
void loop_set_spin(struct loop *loop, usec_t duration);

/* The time of this wake-up on CLOCK_MONOTONIC. */
usec_t loop_now(const struct loop *loop);
/* Reads the clock now: for measuring, and for threads without a loop. */
usec_t clock_now(void);
/* CLOCK_BOOTTIME: like clock_now(), but it goes on while the host sleeps. The difference between the two grows by the
 * length of each sleep. */
usec_t clock_boot(void);
/* Wall-clock seconds since 1970, for people, certificates and records. */
int64_t clock_wall(void);

/* Runs until loop_stop(). ERR_SYSTEM when waiting itself fails. */
enum err loop_run(struct loop *loop);
/* One iteration that waits for at most max_wait (relative): for tests and for loops inside other loops. */
enum err loop_once(struct loop *loop, usec_t max_wait);
/* For loops inside other loops: readable when an iteration has descriptors to serve. */
int loop_fd(const struct loop *loop);
/* From any thread: makes the loop take another turn soon. Cheap when it is awake anyway. */
void loop_wake(struct loop *loop);
/* From any thread or signal handler: loop_run() returns after the current iteration. */
void loop_stop(struct loop *loop);

/* Blocks the signals for this thread (and those it starts later) and delivers them through a descriptor, the caller's
 * to close. */
enum err signals_open(const int *signals, size_t n, int *fd);
/* The next pending signal's number, or 0. */
int signals_read(int fd);

/* ---- entropy ---- */

#define ENTROPY_BUFFER 1024

/* getrandom(2) behind a small buffer, whose bytes are wiped as they are handed out. One per thread. */
struct entropy {
    uint32_t used;
    bool filled;
    uint8_t buffer[ENTROPY_BUFFER];
};

void entropy_init(struct entropy *e);
void entropy_done(struct entropy *e);
/* The provider that pure modules are given; e must outlive it. Aborts the process when the kernel has no entropy. */
struct random entropy_random(struct entropy *e);

/* ---- sockets for datagrams: UDP and raw ESP, with the same calls ---- */

/* How the kernel picks one of a group's sockets for a datagram. The shard number is in the low bits of an ESP SPI, and
 * of the first byte of an IKE cookie: the responder's, or the initiator's while the responder's is zero. */
enum sock_kind {
    SOCK_UDP_PLAIN, /* by the kernel's hash of addresses and ports: L2TP without IPsec, clients */
    SOCK_UDP_IKE,   /* every datagram is an IKE message: port 500 */
    SOCK_UDP_NATT,  /* four zero bytes and an IKE message, or ESP, or a keepalive: port 4500 (RFC 3948) */
    SOCK_RAW_ESP,   /* IP protocol 50 */
};

struct sock_config {
    enum sock_kind kind;
    struct endpoint local; /* family 4 or 6; address all zero: any; port 0: chosen by the kernel, or raw */
    uint8_t shards;        /* sockets in the group, 1 or more */
    uint8_t shard_bits;    /* low bits that hold the shard number; shards <= 1 << shard_bits */
    uint32_t buffer;       /* bytes of the kernel's buffer each way; 0: 8 MB */
    uint32_t mark;         /* SO_MARK for policy routing; 0: none */
    const char *device;    /* bound to this interface, or NULL */
};

struct sock;

/* Opens the sockets of all shards, out[0 .. shards-1], each to be used by its own thread. An IPv6 socket takes IPv6
 * only. Needs CAP_NET_RAW for ESP; ports below 1024 need CAP_NET_BIND_SERVICE. ERR_SYSTEM with errno EADDRINUSE when
 * another process has the port; nothing is left open then. ERR_INVALID for an impossible config. */
enum err sock_open(const struct sock_config *config, struct sock **out);
void sock_free(struct sock *sock);
int sock_fd(const struct sock *sock);
/* As bound: with the port that the kernel chose. */
struct endpoint sock_local(const struct sock *sock);

/* The shard that a datagram belongs to, by the same rule as the kernel's program; for handing over what still landed
 * elsewhere. A keepalive or a datagram too short belongs to shard 0. */
uint32_t sock_shard(enum sock_kind kind, uint8_t shards, uint8_t shard_bits, struct view datagram);

#define DATAGRAM_HEADROOM 256 /* bytes free before data */
#define DATAGRAM_TAILROOM 256 /* and after the last byte */

/* Receive buffers, shared by all sockets of a thread. */
struct intake;
#define INTAKE_BATCH 64 /* struct datagram of up to 64 KB each, in one call */

/* Its memory is touched now: a page fault on the packet path costs as much as ten packets. */
struct intake *intake_new(void);
/* Its memory is touched when packets come: for one of thousands. */
struct intake *intake_new_cold(void);
void intake_free(struct intake *intake);

/* Receives up to INTAKE_BATCH datagrams or trains of them without waiting and returns how many; 0: nothing is there
 * now. They stay valid until the next receive into the same intake. Never waits to fill the batch. The local address is
 * the one that the peer dialled. A raw ESP datagram starts at the SPI and has ports 0. */
size_t sock_receive(struct sock *sock, struct intake *intake, struct datagram out[static INTAKE_BATCH]);

/* One datagram to send; or, with segment between 0 and len, a train of them lying one after the other: each of
 * `segment` bytes, the last may be shorter, SENDABLE_SEGMENTS and SENDABLE_BYTES at most. The source address is
 * path->local's, unless its family is 0; its port is the socket's. */
struct sendable {
    const struct path *path;
    const uint8_t *data;
    uint32_t len;
    uint16_t segment;
    bool whole; /* goes with DF, however small the next link is known to be: it passes whole or not at all */
};
#define SENDABLE_SEGMENTS 64    /* the kernel's UDP_MAX_SEGMENTS before Linux 6.10 */
#define SENDABLE_BYTES    65000 /* below 65535 less the headers of either family */

static inline uint32_t sendable_datagrams(const struct sendable *s)
{
    return s->segment > 0 && s->segment < s->len ? (s->len + s->segment - 1) / s->segment : 1;
}

/* Sends in order. A train leaves in one UDP_SEGMENT message without being copied, and so do single neighbours with
 * equal path and length (the last may be shorter); where the device or kernel refuses that, one by one. Returns how
 * many were dealt with: fewer than n only when the socket's buffer is full. A datagram that the kernel refuses for good
 * (no route, too big) counts as dealt with and in sock_counters. */
size_t sock_send(struct sock *sock, const struct sendable *list, size_t n);

struct sock_counters {
    uint64_t received, received_calls; /* datagrams; kernel entries that brought some */
    uint64_t sent, sent_calls;
    uint64_t truncated; /* received but larger than a buffer, dropped */
    uint64_t refused;   /* the kernel would not send them */
    int last_errno;     /* why, the last time */
};
struct sock_counters sock_counters(const struct sock *sock);

/* Which local address the kernel would use towards another, for packets with this mark (SO_MARK; 0: none, else it takes
 * CAP_NET_ADMIN or CAP_NET_RAW). The descriptor may be asked again and again, also when the process has given up its
 * rights; the caller closes it. */
enum err source_open(uint8_t family, uint32_t mark, int *fd);
/* No packet is sent. ERR_SYSTEM when there is no route. */
enum err source_ask(int fd, const struct ip_addr *to, struct ip_addr *out);

/* ---- TUN ---- */

#define IFACE_NAME_MAX 16 /* bytes with NUL */

struct tun_config {
    char name[IFACE_NAME_MAX]; /* may hold %d; empty: chosen by the kernel */
    uint8_t queues;            /* 1 or more: one per shard */
    bool no_offload;           /* plain packets only */
    bool no_udp_offload;       /* TCP super-packets only */
};

struct tun;
#define TUN_BATCH 64 /* frames in one read at most */

/* Opens one device with a queue for each shard, out[0 .. queues-1]; gone when the last is freed. Needs CAP_NET_ADMIN.
 * The kernel keeps a flow on the queue that last wrote its other direction. Offloads that the kernel lacks are left
 * out. */
enum err tun_open(const struct tun_config *config, struct tun **out);
/* One queue of a device that somebody else has opened (IFF_TUN, IFF_NO_PI, with IFF_VNET_HDR or without). The
 * descriptor is duplicated and made non-blocking. ERR_INVALID: it is no such device. */
enum err tun_adopt(int fd, struct tun **out);
void tun_free(struct tun *tun);
int tun_fd(const struct tun *tun);
const char *tun_name(const struct tun *tun);
uint32_t tun_iface(const struct tun *tun);
/* Whether UDP frames come and may be written in one piece: for coalesce_allow_udp(). */
bool tun_has_udp_offload(const struct tun *tun);

/* Reads up to max frames (at most TUN_BATCH; fewer when they are large) without waiting; they stay valid until the next
 * read of this queue. */
size_t tun_read(struct tun *tun, struct frame *out, size_t max);
/* Whether somebody has deleted the device, as of the last read. Nothing comes any more, and poll does not wait. */
bool tun_is_gone(const struct tun *tun);
/* Writes one frame with one kernel entry. On a device without offload it is split into packets first. ERR_SYSTEM: the
 * frame is lost (EAGAIN: the queue is full; EIO: the interface is down). */
enum err tun_write(struct tun *tun, const struct frame_pieces *frame);

/* ---- interfaces and routes (rtnetlink) ---- */

struct route {
    struct ip_addr to;          /* family 4 or 6 */
    uint8_t bits;               /* 0: the default route */
    struct ip_addr via, source; /* family 0: none */
    uint32_t iface;             /* 0: left to via */
    uint32_t table;             /* 0: main */
    uint32_t metric;            /* 0: the kernel's */
    bool unreachable;           /* leads nowhere, and says so; iface and via are not looked at */
    bool thrown;                /* as if the table had no route for it: the next rule decides */
    bool special;               /* read only: there is more to it, a next hop of IPv6, encapsulation, or metrics */
};

/* 0 when there is no such interface. */
uint32_t iface_index(const char *name);
enum err iface_set_mtu(uint32_t iface, uint32_t mtu);
enum err iface_set_up(uint32_t iface, bool up);
struct iface_state {
    uint32_t mtu;
    bool up, tun; /* tun: a TUN device, and nothing else that carries packets */
};
enum err iface_state(uint32_t iface, struct iface_state *out);
/* peer: the other end of a point-to-point link, or NULL. ERR_EXISTS when it is there already. */
enum err iface_address_add(uint32_t iface, const struct ip_addr *addr, uint8_t bits, const struct ip_addr *peer);
/* The same for this end of a tunnel, with the whole address as prefix: without the route to the peer that the kernel
 * would put into the main table. */
enum err iface_address_add_bare(uint32_t iface, const struct ip_addr *addr, const struct ip_addr *peer);
enum err iface_address_del(uint32_t iface, const struct ip_addr *addr, uint8_t bits);
/* ERR_EXISTS: there is an equal one. ERR_NOTFOUND from del: there was none. */
enum err route_add(const struct route *route);
enum err route_del(const struct route *route);
/* Where the kernel would send a packet for `to`: iface, via (if any) and source are set; `to` and bits are the address
 * itself. For pinning a peer's route before the default route changes. */
enum err route_lookup(const struct ip_addr *to, struct route *out);
/* The same for packets with a mark (policy routing). */
enum err route_lookup_marked(const struct ip_addr *to, uint32_t mark, struct route *out);
/* Where a packet from `from` that comes in by `iface` would be forwarded to; iface and via are set. ERR_UNSUPPORTED
 * when a neighbour and an interface are not all that there is to it: another MTU, encapsulation, a next hop of IPv6. */
enum err route_lookup_forwarded(const struct ip_addr *from, uint32_t iface, const struct ip_addr *to,
                                struct route *out);
/* The first route of the same destination, table and metric. ERR_NOTFOUND also when it is of a kind that struct route
 * does not know. */
enum err route_alike(const struct route *like, struct route *out);
/* The unicast, unreachable and thrown routes of one table, at most max; *n how many were written. */
enum err route_list(uint8_t family, uint32_t table, struct route *out, size_t max, size_t *n);

/* A rule of policy routing: packets whose mark, under mask, is `mark` look into `table`. */
struct rule {
    uint8_t family;      /* 4 or 6 */
    uint32_t priority;   /* lower ones come first; not 0 */
    uint32_t table;      /* not 0 */
    uint32_t mark, mask; /* mask 0: all packets */
    bool inverted;       /* packets with another mark */
    bool no_default;     /* the table's default route does not count */
};
#define RULE_TABLE_MAIN 254

/* ERR_EXISTS: there is an equal one. ERR_NOTFOUND from del: there was none. */
enum err rule_add(const struct rule *rule);
enum err rule_del(const struct rule *rule);
/* All rules, at most max, in order; *n how many were written. Conditions that struct rule does not know are left out.
 */
enum err rule_list(uint8_t family, struct rule *out, size_t max, size_t *n);

#define MONITOR_ADDRESSES (1u << 0)
#define MONITOR_ROUTES    (1u << 1) /* of the main table */
#define MONITOR_LINKS     (1u << 2)

/* A descriptor, the caller's to close, that is readable when the host's network has changed. */
enum err monitor_open(int *fd);
/* What has changed since the last call, MONITOR_ bits, without waiting; leaves out what concerns the interface `except`
 * (0: none). A single event of the world tells itself in several changes: wait a little before acting. */
uint32_t monitor_read(int fd, uint32_t except);

struct iface_address {
    uint32_t iface;
    char name[IFACE_NAME_MAX];
    struct ip_addr addr;
    uint8_t bits; /* the prefix on the link */
    bool loopback, up;
};
/* All addresses of this host, at most max; *n how many were written. */
enum err iface_addresses(struct iface_address *out, size_t max, size_t *n);
/* True when the two prefixes share an address. */
bool prefix_overlaps(const struct ip_addr *a, uint8_t a_bits, const struct ip_addr *b, uint8_t b_bits);
/* The host's name servers without loopback stubs: systemd-resolved's list, or else /etc/resolv.conf, or else those that
 * a dnsmasq on this host was told of. Returns how many. */
size_t host_dns_servers(struct ip_addr *out, size_t max);
/* Writes a value under /proc/sys, e.g. ("net/ipv4/ip_forward", "1"). ERR_INVALID for a name with "..". */
enum err sysctl_set(const char *name, const char *value);
/* Reads one, without its newline. */
enum err sysctl_get(const char *name, char *out, size_t cap);

/* ---- ring: records from one thread to another ---- */

struct ring;

/* bytes of room, rounded up to a power of two; a record may take up to half of them. reader is woken when a record
 * comes; NULL: nobody. */
struct ring *ring_new(size_t bytes, struct loop *reader);
void ring_free(struct ring *ring);
/* Writer's end: copies head and body in as one record. False when there is no room; nothing is written then. */
bool ring_put(struct ring *ring, struct view head, struct view body);
/* Reader's end: the oldest record, in place until ring_pop(); {NULL, 0} when the ring is empty. */
struct view ring_peek(struct ring *ring);
void ring_pop(struct ring *ring);

/* ---- local sockets for the control channel ---- */

/* Listens on a Unix stream socket, replacing a stale one (ERR_EXISTS when somebody answers there). mode: permission
 * bits; group: owner group or (gid_t)-1. Non-blocking. */
enum err local_listen(const char *path, mode_t mode, gid_t group, int *fd);
/* Removes a socket that nobody answers on: its process has ended, or may not write into the directory. ERR_EXISTS:
 * somebody does, or it is no socket. */
enum err local_remove_stale(const char *path);
/* One waiting connection, non-blocking, with who is at its other end. ERR_NOTFOUND when none waits. */
enum err local_accept(int listener, int *fd, uid_t *uid, gid_t *gid);
/* Without waiting: ERR_SYSTEM, errno EAGAIN, when nobody takes connections there. Non-blocking. */
enum err local_connect(const char *path, int *fd);
/* Without waiting; *n is 0 when nothing could be moved now. ERR_STATE: the other end has closed. */
enum err local_read(int fd, void *out, size_t cap, size_t *n);
enum err local_write(int fd, struct view bytes, size_t *n);

/* ---- TCP, for the few who ask a daemon something ---- */

/* Listens; errno tells. The connections are non-blocking, and local_read() and local_write() serve them too. */
enum err stream_listen(const struct endpoint *local, int *fd);
enum err stream_accept(int listener, int *fd); /* ERR_NOTFOUND when none waits */

/* ---- programs ---- */

#define PROGRAM_PATH 64 /* bytes with NUL */

/* Where a program is, among the system's directories; NULL: it is not installed. */
const char *program_find(const char *name, char out[static PROGRAM_PATH]);
/* Runs argv[0] (a path; argv ends with NULL) with input on its standard input, without a shell and without our
 * environment, and waits for its end. message gets what it printed, shortened to cap. ERR_INVALID: it failed.
 * ERR_SYSTEM: it could not run, or took longer than limit (errno ETIMEDOUT) and was killed. */
enum err program_run(const char *const *argv, struct view input, usec_t limit, char *message, size_t cap);

/* ---- firewall ---- */

/* Applies a rule set in one transaction through `nft -f -`, without a shell. On ERR_SYSTEM or ERR_INVALID (nft refused)
 * message holds nft's words, shortened to cap. ERR_NOTFOUND: there is no nft. */
enum err nft_apply(struct view ruleset, char *message, size_t cap);
/* Removes a table of ours; harmless when it is not there. family: "inet", "ip", "ip6". */
enum err nft_table_remove(const char *family, const char *table);

/* ---- the process's rights ---- */

#define RIGHT_NET_ADMIN        (1u << 0) /* routes, TUN */
#define RIGHT_NET_RAW          (1u << 1)
#define RIGHT_NET_BIND_SERVICE (1u << 2)

/* Becomes user (and group; NULL: the user's own) with no capability but those in `keep`, and can gain none ever after
 * (PR_SET_NO_NEW_PRIVS, empty bounding set). Before threads are started. Without root it only gives up what it has.
 * ERR_NOTFOUND: no such user or group. After ERR_SYSTEM the process must not go on. */
enum err privilege_drop(const char *user, const char *group, uint32_t keep);

struct aftermath {
    pid_t pid; /* 0: none */
    int lifeline;
};

/* Forks a process that keeps today's rights, holds nothing of ours open, waits until this process has ended in whatever
 * way, calls act(ctx) and ends: to remove the firewall table, even after a crash. Before threads are started and before
 * privilege_drop(). It ignores SIGINT, SIGTERM and SIGHUP. */
enum err aftermath_start(void (*act)(void *ctx), void *ctx, struct aftermath *out);
/* Has it act now and waits until it has: else it could remove what the next process has set up. Harmless with none. */
void aftermath_end(struct aftermath *aftermath);

enum sandbox {
    SANDBOX_KILL, /* a system call outside the list ends the process */
    SANDBOX_LOG,  /* it is only written to the kernel's audit log */
};
enum sandbox_for {
    SANDBOX_GATEWAY, /* files and databases stay usable */
    SANDBOX_CLIENT,  /* files may be read */
    SANDBOX_PORTAL,  /* the same, and new sockets are local ones */
};
/* Allows the system calls of a gateway or client that is up, and no others, for all threads; irrevocable. No exec, no
 * new TUN, no raw socket. ERR_UNSUPPORTED where the kernel has no seccomp. */
enum err sandbox_enter(enum sandbox_for who, enum sandbox mode);

/* Whether a program of this build may enter it. The run times of the sanitizers make system calls of their own; gcc and
 * clang tell of them in different ways. */
#if defined(__has_feature)
#define SANDBOXED (!__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOXED false
#else
#define SANDBOXED true
#endif

/* Forbids core dumps, then locks present and future memory, so that no secret is swapped out. Before privilege_drop().
 * ERR_SYSTEM: it is not locked (that takes CAP_SYS_RESOURCE and CAP_IPC_LOCK); the process may go on. */
enum err memory_protect(void);

/* ---- the service manager ---- */

/* Tells systemd, e.g. "READY=1" or "STATUS=...\nRELOADING=1" (sd_notify(3)). ERR_NOTFOUND: nobody asked to be told. */
enum err notify_service(const char *state);

#endif
