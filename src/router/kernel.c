/* The sockets to the kernel: nflog, nf_tables and raw IP. All are opened while there are rights. */
#include "router/router_internal.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_SIZE (66 * 1024)   /* a packet of 64 KB and what nflog says of it */
#define GROUP_BUFFER  (1024 * 1024) /* bytes that wait in the kernel for us, for each group */
#define RAW_BUFFER    (512 * 1024)
#define ANSWERS_MAX   65536 /* datagrams of one dump */
#define ANSWER_WAIT   2     /* seconds */

struct kernel {
    struct mnl_socket *groups[GROUP_COUNT];
    struct mnl_socket *tables;
    int raw[2]; /* by way */
    const char *outside;
    _Alignas(8) uint8_t datagram[DATAGRAM_SIZE];
    _Alignas(8) uint8_t answer[32 * 1024]; /* the kernel fills no more in one datagram of a dump */
};

/* ---- opening ---- */

static int acknowledged(struct kernel *k, struct mnl_socket *s, const uint8_t *request, size_t n)
{
    bool over = false;
    const struct dump_sink none = {.element = NULL};
    if (mnl_socket_sendto(s, request, n) < 0)
        return errno;
    const ssize_t got = mnl_socket_recvfrom(s, k->answer, sizeof(k->answer));
    if (got < 0)
        return errno;
    return dump_read(k->answer, (size_t)got, &none, &over) == ERR_OK ? 0 : errno;
}

static bool refuse_group(uint16_t group, int error, char why[static ROUTER_WHY])
{
    if (error == EBUSY || error == EPERM) /* it belongs to another socket; we are root */
        snprintf(why, ROUTER_WHY, "Another process listens to the nflog group %u. Does a sekisho-router run already?",
                 group);
    else if (error == EINVAL || error == EOPNOTSUPP || error == EPROTONOSUPPORT)
        snprintf(why, ROUTER_WHY,
                 "This kernel has no nfnetlink_log (CONFIG_NETFILTER_NETLINK_LOG; on OpenWrt the package "
                 "kmod-nfnetlink-log), without which passthrough cannot learn.");
    else
        snprintf(why, ROUTER_WHY, "The nflog group %u cannot be opened: %s.", group, strerror(error));
    return false;
}

static bool open_group(struct kernel *k, enum router_group which, char why[static ROUTER_WHY])
{
    const uint16_t group = (uint16_t)(GROUP_FIRST + which);
    uint8_t request[MNL_NLMSG_HDRLEN + 256] __attribute__((aligned(8)));
    struct mnl_socket *s = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (!s)
        return refuse_group(group, errno, why);
    k->groups[which] = s;
    const int fd = mnl_socket_get_fd(s), size = GROUP_BUFFER;
    const struct timeval wait = {.tv_sec = ANSWER_WAIT};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    int error = mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 ? errno : 0;
    if (error == 0)
        error = acknowledged(k, s, request, nflog_bind_request(request, sizeof(request), group));
    if (error == 0)
        error = acknowledged(k, s, request, nflog_mode_request(request, sizeof(request), group));
    return error == 0 || refuse_group(group, error, why);
}

static int open_raw(const char *device)
{
    const int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW); /* with IP_HDRINCL */
    const uint32_t mark = ROUTER_MARK;
    const int on = 1, size = RAW_BUFFER;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    setsockopt(fd, IPPROTO_IP, IP_NODEFRAG, &on, sizeof(on)); /* pieces stay pieces */
    if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) == 0 &&
        (!device || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) == 0))
        return fd;
    const int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static bool open_all(struct kernel *k, const struct router_options *options, char why[static ROUTER_WHY])
{
    k->tables = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    const struct timeval wait = {.tv_sec = ANSWER_WAIT};
    if (!k->tables || mnl_socket_bind(k->tables, 0, MNL_SOCKET_AUTOPID) < 0 ||
        setsockopt(mnl_socket_get_fd(k->tables), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0) {
        snprintf(why, ROUTER_WHY, "This kernel has no nfnetlink: %s.", strerror(errno));
        return false;
    }
    if (!options->passthrough)
        return true;
    for (int i = 0; i < GROUP_COUNT; i++)
        if (!open_group(k, (enum router_group)i, why))
            return false;
    k->raw[TRACKER_OUT] = open_raw(options->outside);
    k->raw[TRACKER_IN] = open_raw(NULL);
    if (k->raw[TRACKER_OUT] < 0 || k->raw[TRACKER_IN] < 0) {
        snprintf(why, ROUTER_WHY, "A raw socket cannot be opened: %s.", strerror(errno));
        return false;
    }
    return true;
}

struct kernel *kernel_open(const struct router_options *options, char why[static ROUTER_WHY])
{
    struct kernel *k = calloc(1, sizeof(*k));
    if (!k) {
        snprintf(why, ROUTER_WHY, "There is no memory.");
        return NULL;
    }
    k->raw[0] = k->raw[1] = -1;
    k->outside = options->outside;
    if (open_all(k, options, why))
        return k;
    kernel_close(k);
    return NULL;
}

void kernel_close(struct kernel *k)
{
    if (!k)
        return;
    for (int i = 0; i < GROUP_COUNT; i++)
        if (k->groups[i])
            mnl_socket_close(k->groups[i]);
    if (k->tables)
        mnl_socket_close(k->tables);
    for (int i = 0; i < 2; i++)
        if (k->raw[i] >= 0)
            close(k->raw[i]);
    free(k);
}

/* ---- nflog ---- */

int kernel_group_fd(const struct kernel *k, enum router_group group)
{
    return mnl_socket_get_fd(k->groups[group]);
}

ssize_t kernel_read_group(struct kernel *k, enum router_group group, uint8_t **datagram)
{
    struct sockaddr_nl from = {.nl_pid = 0};
    socklen_t from_size = sizeof(from);
    const ssize_t n = recvfrom(kernel_group_fd(k, group), k->datagram, sizeof(k->datagram), MSG_DONTWAIT,
                               (struct sockaddr *)&from, &from_size);
    if (n < 0)
        return errno == ENOBUFS ? -1 : 0;
    *datagram = k->datagram;
    return from.nl_pid == 0 ? n : 0; /* the kernel, and no other process */
}

/* ---- nf_tables ---- */

/* The kernel has dealt with a transaction when send() returns, and its complaints lie ready. */
enum err kernel_commit(struct kernel *k, struct batch *b)
{
    const struct dump_sink none = {.element = NULL};
    const int fd = mnl_socket_get_fd(k->tables);
    batch_end(b);
    if (mnl_socket_sendto(k->tables, b->bytes, b->n) < 0)
        return ERR_SYSTEM;
    enum err e = ERR_OK;
    int error = 0;
    for (ssize_t n; (n = recv(fd, k->answer, sizeof(k->answer), MSG_DONTWAIT)) > 0;) {
        bool over = false;
        const enum err told = dump_read(k->answer, (size_t)n, &none, &over);
        if (told != ERR_OK && e == ERR_OK) {
            e = told;
            error = errno;
        }
    }
    if (e != ERR_OK)
        errno = error;
    return e;
}

enum err kernel_dump(struct kernel *k, enum router_table table, const char *set, const struct dump_sink *sink)
{
    uint8_t request[512] __attribute__((aligned(8)));
    const size_t n = dump_request(request, sizeof(request), table, set);
    if (mnl_socket_sendto(k->tables, request, n) < 0)
        return ERR_SYSTEM;
    bool over = false;
    enum err e = ERR_OK;
    for (int i = 0; !over && i < ANSWERS_MAX; i++) {
        const ssize_t got = mnl_socket_recvfrom(k->tables, k->answer, sizeof(k->answer));
        if (got < 0)
            return ERR_SYSTEM;
        const enum err told = dump_read(k->answer, (size_t)got, sink, &over);
        e = e == ERR_OK ? told : e;
    }
    return e;
}

/* ---- raw IP ---- */

static enum err send_one(int fd, const struct ip_info *ip, const uint8_t *p, size_t n)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    memcpy(&to.sin_addr, ip->dst.b, sizeof(to.sin_addr));
    return sendto(fd, p, n, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0 ? ERR_SYSTEM : ERR_OK;
}

static uint16_t link_mtu(const struct kernel *k, enum tracker_way way, const struct ip_info *ip)
{
    struct iface_state state = {.mtu = 0};
    struct route route = {.iface = 0};
    uint32_t iface = way == TRACKER_OUT ? iface_index(k->outside) : 0;
    if (iface == 0 && route_lookup(&ip->dst, &route) == ERR_OK)
        iface = route.iface;
    if (iface == 0 || iface_state(iface, &state) != ERR_OK)
        return 0;
    return state.mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)state.mtu;
}

static enum err send_pieces(int fd, const struct ip_info *ip, struct view packet, uint16_t mtu)
{
    static uint8_t piece[UINT16_MAX];
    struct ip4_fragments f;
    const enum err e = ip4_fragments(packet, mtu, &f);
    if (e != ERR_OK)
        return e == ERR_UNSUPPORTED ? ERR_LIMIT : ERR_SYSTEM;
    for (uint32_t i = 0; i < f.count; i++) {
        ip4_fragment_write(&f, i, piece);
        if (send_one(fd, ip, piece, ip4_fragment_length(&f, i)) != ERR_OK)
            return ERR_SYSTEM;
    }
    return ERR_OK;
}

enum err kernel_send(struct kernel *k, enum tracker_way way, struct view packet, uint16_t *mtu)
{
    struct ip_info ip;
    if (ip_info(packet, &ip) != ERR_OK)
        return ERR_MALFORMED;
    packet.n = ip.total;
    const enum err e = send_one(k->raw[way], &ip, packet.p, packet.n);
    if (e == ERR_OK || errno != EMSGSIZE)
        return e;
    *mtu = link_mtu(k, way, &ip);
    return *mtu == 0 ? ERR_SYSTEM : send_pieces(k->raw[way], &ip, packet, *mtu);
}
