/*
 * The load for measuring the road from ESP to the TUN: one client that is connected, seals many packets beforehand and
 * then fires them as fast as the kernel takes them, in trains. So the gateway is busy to the full although sealing
 * costs as much as opening.
 *
 * Each line on standard input orders a volley; what is printed after it says how many packets were fired. With --singly
 * each packet is a datagram of its own, as from a peer whose packets nothing on the way puts together.
 */
#include "net/net.h"
#include "pump/pump.h"
#include "stack/stack.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET      1400 /* bytes of an inner packet */
#define IP_HEADER   20
#define UDP_HEADER  8
#define PAYLOAD     (PACKET - IP_HEADER - UDP_HEADER)
#define SEGMENTS    40 /* packets of one inner super-packet: with ESP around them they still make one train */
#define INNER_PORT  9
#define SEALED_MAX  1536 /* of a packet */
#define ATTEMPT     (10 * USEC_SEC)
#define SINGLES     64 /* in one kernel entry */
#define FRAME_BYTES (IP_HEADER + UDP_HEADER + SEGMENTS * PAYLOAD)

struct train {
    uint8_t *data;
    uint32_t len;
    uint16_t segment;
};

struct volley {
    struct ip_addr local, server, target;
    const char *user, *password;
    struct ike_psk psk;
    uint32_t packets; /* of a volley */
    bool singly;
    struct loop *loop;
    struct entropy entropy;
    struct pump_sock socks[3];
    struct stack *stack;
    struct pump *pump;
    bool up, failed;
    struct ip_addr inner;
    struct path path; /* of ESP */
    uint8_t *memory;
    struct train *trains;
    uint32_t train_count;
    uint8_t frame[FRAME_BYTES];
};

/* ---- the session ---- */

static void tell(void *ctx, usec_t now)
{
    struct volley *v = ctx;
    struct stack_event event;
    while (stack_event(v->stack, &event)) {
        if (event.type == STACK_EVENT_DH) {
            dh_work_run(event.dh);
            stack_dh_done(v->stack, now, event.dh);
        } else if (event.type == STACK_EVENT_UP) {
            v->up = true;
            v->inner = event.network.local;
        } else if (event.type == STACK_EVENT_FAILED) {
            fprintf(stderr, "volley: %s: %s\n", stage_word(event.stage), cause_word(event.cause));
            v->failed = true;
        }
    }
}

static usec_t turn(void *ctx, usec_t now)
{
    return pump_turn(((struct volley *)ctx)->pump, now);
}

static enum err open_socks(struct volley *v)
{
    static const struct {
        enum sock_kind kind;
        uint16_t port;
    } kinds[] = {{SOCK_UDP_IKE, IKE_PORT}, {SOCK_UDP_NATT, IKE_NATT_PORT}, {SOCK_RAW_ESP, 0}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct sock_config config = {.kind = kinds[i].kind, .local = {v->local, kinds[i].port}, .shards = 1};
        const enum err e = sock_open(&config, &v->socks[i].sock);
        if (e != ERR_OK)
            return e;
        v->socks[i].kind = kinds[i].kind;
    }
    return ERR_OK;
}

static enum err connect_session(struct volley *v)
{
    struct stack_config config;
    stack_defaults(&config);
    config.ike.encap = IKE_ENCAP_FORCE;
    config.ike.child_lifetime = config.ike.ike_lifetime;
    config.ike.ike_proposal = "aes256-sha1-modp2048";
    config.ike.esp_proposal = "aes256-sha1";
    struct stack_connect connect = {
        .ike = {.path = {{v->local, IKE_PORT}, {v->server, IKE_PORT}}, .psk = &v->psk, .l2tp_port_local = L2TP_PORT},
        .ppp = {.auth = {PPP_AUTH_MSCHAPV2}, .mru = PACKET, .mtu = PACKET, .acfc = true, .pfc = true},
    };
    const struct random rng = entropy_random(&v->entropy);
    uint32_t peer;
    snprintf(connect.ppp.user, sizeof(connect.ppp.user), "%s", v->user);
    snprintf(connect.ppp.password, sizeof(connect.ppp.password), "%s", v->password);
    v->stack = stack_new(&config, &rng);
    const struct pump_config pump = {.loop = v->loop,
                                     .stack = v->stack,
                                     .socks = v->socks,
                                     .sock_count = ARRAY_LEN(v->socks),
                                     .tell = tell,
                                     .ctx = v};
    v->pump = v->stack ? pump_new(&pump) : NULL;
    return v->pump ? stack_connect(v->stack, clock_now(), &connect, &peer) : ERR_NOMEM;
}

static bool wait_until_up(struct volley *v)
{
    const usec_t end = clock_now() + ATTEMPT;
    loop_on_turn(v->loop, turn, v);
    pump_flush(v->pump, clock_now());
    while (!v->up && !v->failed && clock_now() < end)
        if (loop_once(v->loop, USEC_SEC) != ERR_OK)
            break;
    return v->up;
}

/* ---- sealing ---- */

/* An inner UDP super-packet, as a TUN would yield it. */
static struct frame make_frame(struct volley *v)
{
    struct writer w = wr_init(v->frame, sizeof(v->frame));
    const uint32_t udp = FRAME_BYTES - IP_HEADER;
    wr_u16(&w, 0x4500);
    wr_u16(&w, FRAME_BYTES);
    wr_u32(&w, 0);
    wr_u8(&w, 64);
    wr_u8(&w, IP_PROTO_UDP);
    wr_u16(&w, 0);
    wr_bytes(&w, v->inner.b, 4);
    wr_bytes(&w, v->target.b, 4);
    be16_put(v->frame + 10, inet_fold(inet_sum(0, v->frame, IP_HEADER)));
    wr_u16(&w, INNER_PORT);
    wr_u16(&w, INNER_PORT);
    wr_u16(&w, (uint16_t)udp);
    wr_u16(&w, (uint16_t)~inet_fold(inet_pseudo_sum(&v->inner, &v->target, IP_PROTO_UDP, udp)));
    return (struct frame){.data = v->frame,
                          .len = FRAME_BYTES,
                          .meta = {.kind = GSO_UDP,
                                   .needs_checksum = true,
                                   .size = PAYLOAD,
                                   .header = IP_HEADER + UDP_HEADER,
                                   .csum_start = IP_HEADER,
                                   .csum_offset = 6}};
}

/* Fills the memory with sealed packets in trains; returns how many there are. */
static uint32_t load(struct volley *v)
{
    const struct frame frame = make_frame(v);
    struct transmission t;
    uint32_t packets = 0;
    size_t used = 0;
    v->train_count = 0;
    while (packets + SEGMENTS <= v->packets) {
        stack_outbound(v->stack, clock_now(), &frame, 1);
        while (stack_transmit(v->stack, clock_now(), &t)) {
            memcpy(v->memory + used, t.data, t.len);
            v->path = t.path;
            v->trains[v->train_count++] = (struct train){v->memory + used, t.len, t.segment};
            packets += (t.len + t.segment - 1) / t.segment;
            used += t.len;
        }
    }
    return packets;
}

/* ---- firing ---- */

static bool wait_for_room(int fd)
{
    if (errno != EAGAIN && errno != ENOBUFS)
        return false;
    (void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1);
    return true;
}

static bool send_train(int fd, const struct sockaddr_in *to, const struct train *train)
{
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(uint16_t))] = {0};
    struct iovec piece = {train->data, train->len};
    struct msghdr m = {.msg_name = (void *)(uintptr_t)to,
                       .msg_namelen = sizeof(*to),
                       .msg_iov = &piece,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    memcpy(CMSG_DATA(c), &train->segment, sizeof(train->segment));
    while (sendmsg(fd, &m, MSG_DONTWAIT) < 0)
        if (!wait_for_room(fd))
            return false;
    return true;
}

static bool send_singly(int fd, const struct sockaddr_in *to, const struct train *train)
{
    struct mmsghdr m[SINGLES] = {0};
    struct iovec piece[SINGLES];
    uint32_t n = 0;
    for (uint32_t at = 0; at < train->len && n < SINGLES; at += train->segment, n++) {
        const uint32_t left = train->len - at;
        piece[n] = (struct iovec){train->data + at, left < train->segment ? left : train->segment};
        m[n].msg_hdr = (struct msghdr){
            .msg_name = (void *)(uintptr_t)to, .msg_namelen = sizeof(*to), .msg_iov = &piece[n], .msg_iovlen = 1};
    }
    for (uint32_t done = 0; done < n;) {
        const int sent = sendmmsg(fd, m + done, n - done, MSG_DONTWAIT);
        if (sent > 0)
            done += (uint32_t)sent;
        else if (!wait_for_room(fd))
            return false;
    }
    return true;
}

static bool fire(const struct volley *v)
{
    const int fd = sock_fd(v->socks[1].sock);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(v->path.remote.port)};
    memcpy(&to.sin_addr, v->path.remote.addr.b, 4);
    for (uint32_t i = 0; i < v->train_count; i++)
        if (!(v->singly ? send_singly : send_train)(fd, &to, &v->trains[i]))
            return false;
    return true;
}

static bool obey(struct volley *v)
{
    char order[16];
    puts("ready");
    fflush(stdout);
    while (fgets(order, sizeof(order), stdin)) {
        const uint32_t packets = load(v);
        if (!fire(v)) {
            perror("volley: cannot send");
            return false;
        }
        printf("%u\n", packets);
        fflush(stdout);
        (void)loop_once(v->loop, 0);
    }
    return true;
}

static bool take_options(struct volley *v, int argc, char **argv)
{
    static const struct option options[] = {
        {"local", required_argument, NULL, 'l'},
        {"server", required_argument, NULL, 's'},
        {"target", required_argument, NULL, 't'},
        {"psk", required_argument, NULL, 'k'},
        {"user", required_argument, NULL, 'u'},
        {"password", required_argument, NULL, 'p'},
        {"packets", required_argument, NULL, 'n'},
        {"singly", no_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'l' && ip_parse(optarg, &v->local) == ERR_OK)
            continue;
        if (option == 's' && ip_parse(optarg, &v->server) == ERR_OK)
            continue;
        if (option == 't' && ip_parse(optarg, &v->target) == ERR_OK)
            continue;
        if (option == 'k' && secret_set(&v->psk.key, view_str(optarg)) == ERR_OK)
            continue;
        if (option == 'u')
            v->user = optarg;
        else if (option == 'p')
            v->password = optarg;
        else if (option == 'o')
            v->singly = true;
        else if (option == 'n')
            v->packets = (uint32_t)strtoul(optarg, NULL, 10);
        else
            return false;
    }
    return v->local.family == 4 && v->server.family == 4 && v->target.family == 4 && v->psk.key.n > 0 && v->user &&
           v->password && v->packets >= SEGMENTS;
}

int main(int argc, char **argv)
{
    static struct volley v;
    v.packets = 200000;
    if (!take_options(&v, argc, argv)) {
        fputs("volley --local ADDRESS --server ADDRESS --target ADDRESS --psk KEY --user NAME --password WORD\n"
              "       [--packets N] [--singly]\n",
              stderr);
        return 2;
    }
    entropy_init(&v.entropy);
    v.loop = loop_new();
    v.trains = calloc(v.packets, sizeof(*v.trains));
    v.memory = mmap(NULL, (size_t)v.packets * SEALED_MAX, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (!v.loop || !v.trains || v.memory == MAP_FAILED || open_socks(&v) != ERR_OK || connect_session(&v) != ERR_OK) {
        perror("volley: cannot start");
        return 1;
    }
    if (!wait_until_up(&v)) {
        fputs("volley: no session\n", stderr);
        return 1;
    }
    return obey(&v) ? 0 : 1;
}
