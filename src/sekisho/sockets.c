/*
 * The sockets of a client: bound to no address, so that they outlive a change of the host's; on the ports of IKE where
 * those are free, for servers that answer to nothing else. All are opened while the process has its rights.
 */
#include "sekisho/sekisho_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum err open_one(struct sockets *sockets, const struct settings *settings, uint8_t family, enum sock_kind kind,
                         uint16_t port)
{
    const struct ip_addr any = {.family = family};
    const struct sock_config config = {
        .kind = kind,
        .local = {settings->local.family ? settings->local : any, port},
        .shards = 1,
        .mark = settings->text.mark,
    };
    struct pump_sock *place = &sockets->list[sockets->count];
    const enum err e = sock_open(&config, &place->sock);
    if (e != ERR_OK)
        return e;
    place->kind = kind;
    sockets->count++;
    return ERR_OK;
}

static void close_last(struct sockets *sockets)
{
    sock_free(sockets->list[--sockets->count].sock);
}

static enum err open_pair(struct sockets *sockets, const struct settings *settings, uint8_t family, uint16_t ike,
                          uint16_t natt)
{
    enum err e = open_one(sockets, settings, family, SOCK_UDP_IKE, ike);
    if (e != ERR_OK)
        return e;
    e = open_one(sockets, settings, family, SOCK_UDP_NATT, natt);
    if (e != ERR_OK)
        close_last(sockets);
    return e;
}

/* Both ports of IKE or neither: some servers expect a client that has the one to have the other. */
static enum err open_family(struct sockets *sockets, const struct settings *settings, uint8_t family)
{
    enum err e = settings->text.ports_free ? ERR_LIMIT : open_pair(sockets, settings, family, IKE_PORT, IKE_NATT_PORT);
    if (e != ERR_OK)
        e = open_pair(sockets, settings, family, 0, 0);
    if (e != ERR_OK)
        return e;
    if (settings->text.raw_esp && settings->encap != IKE_ENCAP_FORCE)
        sockets->raw |= open_one(sockets, settings, family, SOCK_RAW_ESP, 0) == ERR_OK;
    return source_open(family, settings->text.mark, &sockets->source[family == 6]);
}

bool sockets_open(struct sockets *sockets, const struct settings *settings, char *why, size_t cap)
{
    *sockets = (struct sockets){.source = {-1, -1}};
    enum err first = ERR_OK;
    for (uint8_t family = 4; family <= 6; family += 2) {
        if (settings->local.family && settings->local.family != family)
            continue;
        const enum err e = open_family(sockets, settings, family);
        if (e != ERR_OK && first == ERR_OK)
            first = e;
    }
    if (sockets->source[0] < 0 && sockets->source[1] < 0) {
        snprintf(why, cap, "No socket can be opened: %s.", first == ERR_SYSTEM ? strerror(errno) : err_text(first));
        return false;
    }
    if (!sockets->raw && settings->encap == IKE_ENCAP_OFF) {
        snprintf(why, cap, "Without the right to open raw sockets, ESP can only go in UDP.");
        return false;
    }
    return true;
}

void sockets_close(struct sockets *sockets)
{
    while (sockets->count > 0)
        close_last(sockets);
    for (size_t i = 0; i < ARRAY_LEN(sockets->source); i++)
        if (sockets->source[i] >= 0)
            close(sockets->source[i]);
}

uint16_t sockets_port(const struct sockets *sockets, uint8_t family, enum sock_kind kind)
{
    for (size_t i = 0; i < sockets->count; i++) {
        const struct endpoint local = sock_local(sockets->list[i].sock);
        if (sockets->list[i].kind == kind && local.addr.family == family)
            return local.port;
    }
    return 0;
}

enum err sockets_source(const struct sockets *sockets, const struct settings *settings, const struct ip_addr *to,
                        struct ip_addr *out)
{
    const int fd = sockets->source[to->family == 6];
    if (fd < 0)
        return ERR_SYSTEM;
    const enum err e = source_ask(fd, to, out);
    if (e == ERR_OK && settings->local.family)
        *out = settings->local;
    return e;
}
