/* The kernel's reverse path filter. Where it is strict (rp_filter 1), a reply of the server is dropped unless a packet
 * to the server would leave by the interface that the reply came in on; and by the look of it, it would leave by the
 * tunnel. So replies get our mark in nftables, and src_valid_mark makes the filter look at it. */
#include "steward/steward_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SWITCH    "net/ipv4/conf/all/src_valid_mark"
#define FORMER    "src_valid_mark"
#define RULES_MAX 512

static int filter_of(const char *iface)
{
    char name[128], value[16];
    const int n = snprintf(name, sizeof(name), "net/ipv4/conf/%s/rp_filter", iface);
    if (n <= 0 || (size_t)n >= sizeof(name) || sysctl_get(name, value, sizeof(value)) != ERR_OK)
        return 0;
    return atoi(value);
}

bool steward_filter_is_strict(const char *own_iface)
{
    DIR *dir = opendir("/proc/sys/net/ipv4/conf");
    if (!dir)
        return false;
    const int all = filter_of("all");
    bool strict = false;
    const struct dirent *entry;
    while (!strict && (entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (name[0] == '.' || strcmp(name, "all") == 0 || strcmp(name, "default") == 0 || strcmp(name, "lo") == 0 ||
            strcmp(name, own_iface) == 0)
            continue;
        const int own = filter_of(name);
        strict = (own > all ? own : all) == 1; /* the larger of the two counts */
    }
    closedir(dir);
    return strict;
}

/* Tunnels share the switch: the first one keeps what it was, the last one puts it back. */
static bool another_tunnel_is_up(void)
{
    static struct rule rules[RULES_MAX];
    size_t n = 0;
    if (rule_list(4, rules, RULES_MAX, &n) != ERR_OK)
        return false;
    for (size_t i = 0; i < n; i++)
        if (rules[i].mark == STEWARD_MARK_CLASS && rules[i].mask == STEWARD_MARK_MASK)
            return true;
    return false;
}

static enum err restore(const struct steward_place *place, char why[static STEWARD_WHY])
{
    char path[STEWARD_PATH], value[16];
    size_t n;
    steward_place_path(place, FORMER, "", path);
    if (steward_file_read(path, value, sizeof(value), &n) != ERR_OK || another_tunnel_is_up())
        return ERR_OK;
    if (strcmp(value, "0") == 0 && sysctl_set(SWITCH, value) != ERR_OK) {
        steward_say(why, "cannot set %s back: %s", SWITCH, strerror(errno));
        return ERR_SYSTEM;
    }
    unlink(path);
    return ERR_OK;
}

enum err steward_filter_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    char path[STEWARD_PATH], value[16];
    if (plan->address.family == 0 || !steward_filter_is_strict(host->record.iface))
        return restore(&host->place, why);
    if (sysctl_get(SWITCH, value, sizeof(value)) != ERR_OK || strcmp(value, "0") != 0)
        return ERR_OK;
    steward_place_path(&host->place, FORMER, "", path);
    if (steward_file_write(path, view_str(value), 0600) != ERR_OK || sysctl_set(SWITCH, "1") != ERR_OK) {
        steward_say(why, "cannot set %s, without which the server's replies are dropped: %s", SWITCH, strerror(errno));
        return ERR_SYSTEM;
    }
    return ERR_OK;
}
