/*
 * Looking a name up without waiting: getaddrinfo(3) on a thread that lives for this one question. Who asked and who
 * answers each hold the question; the later of the two frees it, so that nobody has to wait for a resolver that hangs.
 */
#include "sekisho/sekisho_internal.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct lookup {
    int fd;
    atomic_int holders;
    atomic_bool done;
    struct ip_addr addresses[ADDRESSES_MAX];
    uint32_t count;
    char name[];
};

static void let_go(struct lookup *l)
{
    if (atomic_fetch_sub(&l->holders, 1) != 1)
        return;
    close(l->fd);
    free(l);
}

static void take(struct lookup *l, const struct addrinfo *info)
{
    for (; info && l->count < ADDRESSES_MAX; info = info->ai_next) {
        struct ip_addr *a = &l->addresses[l->count];
        if (info->ai_family == AF_INET) {
            const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)info->ai_addr;
            a->family = 4;
            memcpy(a->b, &in->sin_addr, 4);
            l->count++;
        } else if (info->ai_family == AF_INET6) {
            const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)info->ai_addr;
            a->family = 6;
            memcpy(a->b, &in->sin6_addr, 16);
            l->count++;
        }
    }
}

static void *ask(void *ctx)
{
    struct lookup *l = ctx;
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(l->name, NULL, &hints, &found) == 0) {
        take(l, found);
        freeaddrinfo(found);
    }
    atomic_store(&l->done, true);
    worker_ring(l->fd);
    let_go(l);
    return NULL;
}

struct lookup *lookup_begin(const char *name)
{
    struct lookup *l = calloc(1, sizeof(*l) + strlen(name) + 1);
    if (!l)
        return NULL;
    strcpy(l->name, name);
    atomic_store(&l->holders, 2);
    l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->fd >= 0 && worker_start(ask, l))
        return l;
    if (l->fd >= 0)
        close(l->fd);
    free(l);
    return NULL;
}

int lookup_fd(const struct lookup *l)
{
    return l->fd;
}

uint32_t lookup_result(const struct lookup *l, struct ip_addr out[static ADDRESSES_MAX])
{
    if (!atomic_load(&l->done))
        return 0;
    memcpy(out, l->addresses, sizeof(l->addresses));
    return l->count;
}

void lookup_end(struct lookup *l)
{
    if (l)
        let_go(l);
}
