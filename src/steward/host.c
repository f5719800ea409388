/* A plan as a whole: its parts in order, back again when one fails, and all of it undone. */
#include "steward/steward_internal.h"

typedef enum err (*part)(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY]);

/* The guard stands before anything can go out; names are asked through the tunnel once it carries packets. */
static const part parts[] = {
    steward_guard_apply,  steward_link_apply,  steward_routes_apply,
    steward_filter_apply, steward_rules_apply, steward_dns_apply,
};

/* The other way round. The filter is undone once our rules are gone, by which it tells whether it is still needed. */
static const part parts_back[] = {
    steward_dns_apply,    steward_rules_apply, steward_filter_apply,
    steward_routes_apply, steward_link_apply,  steward_guard_apply,
};

/* Which they are is known once the resolver is the host's own again: the network may have changed since. */
static enum err find_former_servers(struct steward_host *host, const struct steward_plan *plan,
                                    char why[static STEWARD_WHY])
{
    const enum err e = steward_dns_apply(host, plan, why);
    if (e != ERR_OK)
        return e;
    host->former_dns_count = host_dns_servers(host->former_dns, STEWARD_DNS);
    if (plan->no_leak && host->former_dns_count == 0)
        steward_say(why,
                    "the guard lets no question for a name out, as /etc/resolv.conf has no name server, or only one "
                    "on this host whose own are unknown; give the server by its address, or its name in /etc/hosts");
    return ERR_OK;
}

static enum err change(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    const bool leaves = plan->address.family == 0;
    const enum err looked = plan->lookups ? find_former_servers(host, plan, why) : ERR_OK;
    if (looked != ERR_OK)
        return looked;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const enum err e = (leaves ? parts_back[i] : parts[i])(host, plan, why);
        if (e != ERR_OK)
            return e;
    }
    host->plan = *plan;
    return ERR_OK;
}

enum err steward_host_undo(struct steward_host *host, char why[static STEWARD_WHY])
{
    static const struct steward_plan nothing;
    enum err result = ERR_OK;
    why[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(parts_back); i++) {
        char said[STEWARD_WHY] = "";
        const enum err e = parts_back[i](host, &nothing, said);
        if (said[0] && (why[0] == '\0' || (e != ERR_OK && result == ERR_OK)))
            memcpy(why, said, sizeof(said)); /* a failure goes before a remark */
        if (result == ERR_OK)
            result = e;
    }
    host->plan = nothing;
    return result;
}

enum err steward_host_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    char ignored[STEWARD_WHY];
    const struct steward_plan before = host->plan;
    why[0] = '\0';
    const enum err e = change(host, plan, why);
    if (e == ERR_OK)
        return ERR_OK;
    memset(&host->plan, 0, sizeof(host->plan)); /* whichever part was reached: none is taken for done */
    if ((before.address.family == 0 && !before.no_leak) || change(host, &before, ignored) != ERR_OK)
        steward_host_undo(host, ignored);
    return e;
}

enum err steward_host_clean(struct steward_host *host, char why[static STEWARD_WHY])
{
    why[0] = '\0';
    const enum err e = steward_record_read(&host->place, &host->record);
    if (e == ERR_MALFORMED || e == ERR_SYSTEM) {
        steward_say(why, "the journal %s/%s.undo cannot be read; what it tells of has to be undone by hand",
                    host->place.dir, host->place.name);
        return e;
    }
    steward_place_enter(&host->place);
    enum err result = e == ERR_OK ? steward_host_undo(host, why) : ERR_OK;
    /* The journal is gone after a reboot; a resolv.conf is not. */
    if (result == ERR_OK && why[0] == '\0')
        result = steward_resolv_conf_restore(&host->place, why);
    steward_place_leave(&host->place);
    return result;
}
