/*
 * The TUN device: one for everybody, a queue for each shard. With IFF_VNET_HDR the kernel hands over TCP (and, since
 * Linux 6.2, UDP) super-packets of up to 64 KB as they are and takes such ones back, so that one kernel entry moves
 * dozens of packets.
 */
#include "net/net_internal.h"
#include "net/vnet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define FRAME_SPACE 65664 /* meta data and FRAME_MAX bytes, rounded up to cache lines */
#define WARM_FRAMES 8     /* whose memory is touched from the start */
#define BATCH_BYTES                                                                                                    \
    ((size_t)WARM_FRAMES * FRAME_SPACE) /* enough for one turn: many small frames or a few large ones                  \
                                         */

struct tun {
    int fd;
    uint32_t iface;
    char name[IFACE_NAME_MAX];
    bool headers; /* every packet is preceded by a struct virtio_net_hdr */
    bool udp;
    bool gone;
    uint8_t *memory;  /* TUN_BATCH frames read */
    uint8_t *scratch; /* without headers: a frame put together, and the packet cut from it */
};

static enum err create_queue(struct tun *t, const char *name, int flags)
{
    t->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (t->fd < 0)
        return ERR_SYSTEM;
    struct ifreq request = {.ifr_flags = (short)flags};
    memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
    if (ioctl(t->fd, TUNSETIFF, &request) < 0)
        return ERR_SYSTEM;
    memcpy(t->name, request.ifr_name, sizeof(t->name));
    t->name[sizeof(t->name) - 1] = '\0';
    t->iface = iface_index(t->name);
    return t->iface ? ERR_OK : ERR_SYSTEM;
}

/* Asks for the most and takes what the kernel has. TSO_ECN goes with TSO: both sides keep CWR to the first segment. */
static void ask_offloads(struct tun *t, const struct tun_config *config)
{
    const unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    t->udp = !config->no_udp_offload && ioctl(t->fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) == 0;
    if (!t->udp && ioctl(t->fd, TUNSETOFFLOAD, tcp) < 0)
        ioctl(t->fd, TUNSETOFFLOAD, 0u); /* then packets come whole, with empty headers */
}

static struct tun *tun_new(void)
{
    struct tun *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->fd = -1;
    t->memory = MAP_FAILED;
    return t;
}

static enum err make_memory(struct tun *t)
{
    t->memory = mmap(NULL, (size_t)TUN_BATCH * FRAME_SPACE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    t->scratch = t->headers ? NULL : malloc((size_t)2 * FRAME_SPACE);
    if (t->memory == MAP_FAILED || (!t->headers && !t->scratch))
        return ERR_NOMEM;
    memset(t->memory, 0, (size_t)WARM_FRAMES * FRAME_SPACE);
    return ERR_OK;
}

static enum err open_queue(const struct tun_config *config, const char *name, struct tun **out)
{
    struct tun *t = tun_new();
    if (!t)
        return ERR_NOMEM;
    t->headers = !config->no_offload;
    const int flags =
        IFF_TUN | IFF_NO_PI | (config->queues > 1 ? IFF_MULTI_QUEUE : 0) | (t->headers ? IFF_VNET_HDR : 0);
    enum err e = create_queue(t, name, flags);
    if (e == ERR_OK) {
        if (t->headers)
            ask_offloads(t, config);
        e = make_memory(t);
    }
    if (e != ERR_OK) {
        tun_free(t);
        return e;
    }
    *out = t;
    return ERR_OK;
}

/* What kind of device this is; nothing about it is changed but its offloads. */
static enum err adopt(struct tun *t, int fd)
{
    struct ifreq request = {0};
    int header = 0;
    if (ioctl(fd, TUNGETIFF, &request) < 0)
        return ERR_INVALID;
    if (!(request.ifr_flags & IFF_TUN) || !(request.ifr_flags & IFF_NO_PI))
        return ERR_INVALID;
    t->headers = request.ifr_flags & IFF_VNET_HDR;
    if (t->headers && (ioctl(fd, TUNGETVNETHDRSZ, &header) < 0 || header != (int)sizeof(struct virtio_net_hdr)))
        return ERR_INVALID;
    t->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (t->fd < 0 || fcntl(t->fd, F_SETFL, fcntl(t->fd, F_GETFL) | O_NONBLOCK) < 0)
        return ERR_SYSTEM;
    memcpy(t->name, request.ifr_name, sizeof(t->name));
    t->name[sizeof(t->name) - 1] = '\0';
    t->iface = iface_index(t->name);
    if (t->headers)
        ask_offloads(t, &(struct tun_config){0});
    return make_memory(t);
}

enum err tun_adopt(int fd, struct tun **out)
{
    struct tun *t = tun_new();
    if (!t)
        return ERR_NOMEM;
    const enum err e = adopt(t, fd);
    if (e != ERR_OK) {
        tun_free(t);
        return e;
    }
    *out = t;
    return ERR_OK;
}

void tun_free(struct tun *tun)
{
    if (!tun)
        return;
    const int saved = errno;
    if (tun->fd >= 0)
        close(tun->fd);
    if (tun->memory != MAP_FAILED)
        munmap(tun->memory, (size_t)TUN_BATCH * FRAME_SPACE);
    free(tun->scratch);
    free(tun);
    errno = saved;
}

enum err tun_open(const struct tun_config *config, struct tun **out)
{
    if (config->queues == 0 || strnlen(config->name, IFACE_NAME_MAX) == IFACE_NAME_MAX)
        return ERR_INVALID;
    struct tun *opened[UINT8_MAX] = {NULL};
    enum err e = ERR_OK;
    for (uint8_t i = 0; e == ERR_OK && i < config->queues; i++)
        e = open_queue(config, i == 0 ? config->name : opened[0]->name, &opened[i]);
    if (e != ERR_OK) {
        for (uint8_t i = 0; i < config->queues; i++)
            tun_free(opened[i]);
        return e;
    }
    memcpy(out, opened, config->queues * sizeof(*out));
    return ERR_OK;
}

int tun_fd(const struct tun *tun)
{
    return tun->fd;
}

const char *tun_name(const struct tun *tun)
{
    return tun->name;
}

uint32_t tun_iface(const struct tun *tun)
{
    return tun->iface;
}

bool tun_has_udp_offload(const struct tun *tun)
{
    return tun->udp;
}

/* Reads one frame into place i. False: nothing is there. A frame of a kind not asked for has len 0. */
static bool read_one(struct tun *t, size_t i, struct frame *out)
{
    uint8_t *space = t->memory + i * FRAME_SPACE;
    ssize_t n;
    do
        n = read(t->fd, space, FRAME_SPACE);
    while (n < 0 && errno == EINTR);
    if (n <= 0) {
        t->gone = n < 0 && errno == EBADFD;
        return false;
    }
    *out = (struct frame){.data = space, .len = (uint32_t)n};
    if (!t->headers)
        return true;
    struct virtio_net_hdr h;
    if ((size_t)n < sizeof(h)) {
        out->len = 0;
        return true;
    }
    memcpy(&h, space, sizeof(h));
    out->data = space + sizeof(h);
    out->len = (uint32_t)(n - (ssize_t)sizeof(h));
    if (vnet_read(&h, (struct view){out->data, out->len}, &out->meta) != ERR_OK)
        out->len = 0;
    return true;
}

size_t tun_read(struct tun *tun, struct frame *out, size_t max)
{
    if (max > TUN_BATCH)
        max = TUN_BATCH;
    size_t n = 0, bytes = 0;
    while (n < max && bytes < BATCH_BYTES && read_one(tun, n, &out[n])) {
        bytes += out[n].len;
        n += out[n].len > 0;
    }
    return n;
}

bool tun_is_gone(const struct tun *tun)
{
    return tun->gone;
}

static enum err write_all(struct tun *t, const struct iovec *pieces, size_t n)
{
    ssize_t written;
    do
        written = writev(t->fd, pieces, (int)n);
    while (written < 0 && errno == EINTR);
    return written < 0 ? ERR_SYSTEM : ERR_OK;
}

/* For a device without headers: the frame is put together and cut into the packets that it stands for. */
static enum err write_packets(struct tun *t, const struct frame_pieces *frame)
{
    if (frame->len > FRAME_MAX)
        return ERR_INVALID;
    uint8_t *whole = t->scratch, *packet = t->scratch + FRAME_SPACE;
    uint32_t at = 0;
    for (uint32_t i = 0; i < frame->n; i++) {
        memcpy(whole + at, frame->piece[i].p, frame->piece[i].n);
        at += (uint32_t)frame->piece[i].n;
    }
    const struct frame f = {.meta = frame->meta, .data = whole, .len = at};
    struct split s;
    if (split_begin(&s, &f) != DROP_NONE)
        return ERR_INVALID;
    for (uint32_t i = 0; i < s.count; i++) {
        split_write(&s, i, packet);
        const struct iovec one = {packet, split_length(&s, i)};
        const enum err e = write_all(t, &one, 1);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

enum err tun_write(struct tun *tun, const struct frame_pieces *frame)
{
    if (frame->n > FRAME_SEGMENTS)
        return ERR_INVALID;
    const bool plain = frame->meta.kind == GSO_NONE && !frame->meta.needs_checksum;
    if (!tun->headers && !plain)
        return write_packets(tun, frame);
    struct virtio_net_hdr h;
    struct iovec pieces[FRAME_SEGMENTS + 1];
    size_t n = 0;
    if (tun->headers) {
        vnet_write(&frame->meta, &h);
        pieces[n++] = (struct iovec){&h, sizeof(h)};
    }
    for (uint32_t i = 0; i < frame->n; i++)
        pieces[n++] = (struct iovec){(void *)(uintptr_t)frame->piece[i].p, frame->piece[i].n};
    return write_all(tun, pieces, n);
}
