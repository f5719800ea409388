/* The tunnel's interface: addresses, MTU, up. Only the one TUN device that was named at the start. */
#include "steward/steward_internal.h"

#include <errno.h>

#define ADDRESSES_MAX 512

/* The interface's state; ERR_NOTFOUND when it is gone, or another one has its name now. */
static enum err own_state(const struct steward_host *host, struct iface_state *out)
{
    const uint32_t index = host->record.iface_index;
    if (index == 0 || iface_index(host->record.iface) != index)
        return ERR_NOTFOUND;
    const enum err e = iface_state(index, out);
    return e != ERR_OK ? e : out->tun ? ERR_OK : ERR_NOTFOUND;
}

static struct iface_address list[ADDRESSES_MAX];

static size_t read_addresses(uint32_t iface)
{
    size_t n = 0, own = 0;
    if (iface_addresses(list, ADDRESSES_MAX, &n) != ERR_OK)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (list[i].iface == iface)
            list[own++] = list[i];
    return own;
}

/* One that is there already stays as it is, with the peer that it came with: connections hang on it. */
static enum err add_address(uint32_t iface, const struct ip_addr *addr, const struct ip_addr *peer,
                            char why[static STEWARD_WHY])
{
    char text[IP_TEXT_MAX];
    if (addr->family == 0)
        return ERR_OK;
    const size_t n = read_addresses(iface);
    for (size_t i = 0; i < n; i++)
        if (ip_equal(&list[i].addr, addr))
            return ERR_OK;
    const bool has_peer = peer && peer->family && !ip_equal(peer, addr);
    const enum err e = iface_address_add_bare(iface, addr, has_peer ? peer : NULL);
    if (e == ERR_OK || e == ERR_EXISTS)
        return ERR_OK;
    steward_say(why, "cannot give the tunnel's interface the address %s: %s", ip_text(addr, text),
                e == ERR_SYSTEM ? strerror(errno) : err_text(e));
    return e;
}

static bool is_link_local(const struct ip_addr *a)
{
    return a->family == 6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* What the interface had under an earlier plan. The kernel's own link-local address goes with the interface. */
static void remove_others(uint32_t iface, const struct steward_plan *plan)
{
    const size_t n = read_addresses(iface);
    for (size_t i = 0; i < n; i++) {
        const struct ip_addr *a = &list[i].addr;
        if (!ip_equal(a, &plan->address) && !ip_equal(a, &plan->address6) && !is_link_local(a))
            iface_address_del(iface, a, list[i].bits);
    }
}

/* ERR_NOTFOUND, of which nothing is said: the interface has gone. */
static enum err set_state(uint32_t iface, const struct iface_state *is, uint32_t mtu, bool up,
                          char why[static STEWARD_WHY])
{
    enum err e = ERR_OK;
    if (is->mtu != mtu)
        e = iface_set_mtu(iface, mtu);
    if (e == ERR_OK && is->up != up)
        e = iface_set_up(iface, up);
    if (e != ERR_OK && e != ERR_NOTFOUND)
        steward_say(why, "cannot set the tunnel's interface %s with MTU %u: %s", up ? "up" : "down", mtu,
                    e == ERR_SYSTEM ? strerror(errno) : err_text(e));
    return e;
}

static enum err undo(struct steward_host *host, char why[static STEWARD_WHY])
{
    struct iface_state is;
    struct steward_record record = host->record;
    if (!record.link)
        return ERR_OK;
    const struct steward_plan nothing = {.mtu = 0};
    enum err e = own_state(host, &is);
    if (e == ERR_OK) {
        remove_others(record.iface_index, &nothing);
        e = set_state(record.iface_index, &is, record.old_mtu, record.old_up, why);
    }
    if (e == ERR_NOTFOUND)
        e = ERR_OK; /* it took everything with it; that of a killed client may go at any moment */
    record.link = false;
    return e == ERR_OK ? steward_journal(host, &record, why) : e;
}

static enum err fail_gone(const struct steward_host *host, char why[static STEWARD_WHY])
{
    steward_say(why, "the interface %s is gone", host->record.iface);
    return ERR_NOTFOUND;
}

enum err steward_link_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    if (plan->address.family == 0)
        return undo(host, why);
    struct iface_state is;
    if (own_state(host, &is) != ERR_OK)
        return fail_gone(host, why);
    struct steward_record record = host->record;
    if (!record.link) {
        record.link = true;
        record.old_mtu = is.mtu;
        record.old_up = is.up;
    }
    enum err e = steward_journal(host, &record, why);
    if (e == ERR_OK)
        e = set_state(record.iface_index, &is, plan->mtu, true, why);
    if (e == ERR_NOTFOUND)
        return fail_gone(host, why);
    if (e == ERR_OK)
        e = add_address(record.iface_index, &plan->address, &plan->remote, why);
    if (e == ERR_OK)
        e = add_address(record.iface_index, &plan->address6, NULL, why);
    if (e == ERR_OK)
        remove_others(record.iface_index, plan);
    return e;
}
