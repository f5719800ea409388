/*
 * Telling the host's resolver of the tunnel's name servers, through whatever owns it: systemd-resolved, resolvconf, or
 * nobody. Found out as other programs do, by where /etc/resolv.conf leads and whether the owner is there.
 */
#include "steward/steward_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESOLV_CONF     "/etc/resolv.conf"
#define RESOLVED_SOCKET "/run/systemd/resolve/io.systemd.Resolve"
#define PROGRAM_TIME    (5 * USEC_SEC)
#define ARGS_MAX        (STEWARD_DNS + STEWARD_DOMAINS + 8)

static bool is_in_file(const char *words)
{
    static char text[8192];
    size_t n;
    return steward_file_read(RESOLV_CONF, text, sizeof(text), &n) == ERR_OK && strstr(text, words);
}

/* resolved's own file, its stub, or another file that names nothing but its stub's address. */
static bool belongs_to_resolved(const char *target)
{
    char program[PROGRAM_PATH];
    struct stat st;
    if (!program_find("resolvectl", program) || stat(RESOLVED_SOCKET, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    return strstr(target, "/systemd/resolve/") || strcmp(target, "/usr/lib/systemd/resolv.conf") == 0 ||
           is_in_file("nameserver 127.0.0.53") || is_in_file("nameserver 127.0.0.54");
}

static bool belongs_to_resolvconf(const char *target)
{
    char program[PROGRAM_PATH];
    return program_find("resolvconf", program) &&
           (strstr(target, "/resolvconf/") || is_in_file("enerated by resolvconf"));
}

static enum resolver find_owner(void)
{
    char target[PATH_MAX];
    if (!realpath(RESOLV_CONF, target))
        snprintf(target, sizeof(target), "%s", RESOLV_CONF);
    if (belongs_to_resolved(target))
        return RESOLVER_RESOLVED;
    return belongs_to_resolvconf(target) ? RESOLVER_RESOLVCONF : RESOLVER_FILE;
}

static enum err run(const char *name, const char *const *args, const char *input, char why[static STEWARD_WHY])
{
    char program[PROGRAM_PATH], message[STEWARD_WHY / 2];
    const char *argv[ARGS_MAX] = {program_find(name, program)};
    size_t n = 1;
    while (*args && n < ARGS_MAX - 1)
        argv[n++] = *args++;
    if (!argv[0]) {
        steward_say(why, "the program %s has gone, which was there to set name servers", name);
        return ERR_NOTFOUND;
    }
    const enum err e = program_run(argv, view_str(input), PROGRAM_TIME, message, sizeof(message));
    if (e != ERR_OK) {
        message[strcspn(message, "\n")] = '\0';
        steward_say(why, "%s %s failed: %.120s", name, argv[1],
                    e == ERR_SYSTEM ? strerror(errno)
                    : message[0]    ? message
                                    : "it does not say why");
    }
    return e;
}

/* ---- systemd-resolved: settings of the link, which go with it ---- */

static enum err resolved_put(const char *iface, const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    char text[STEWARD_DNS][IP_TEXT_MAX], scoped[STEWARD_DOMAINS][STEWARD_DOMAIN + 1];
    const char *dns[ARGS_MAX] = {"dns", iface}, *domain[ARGS_MAX] = {"domain", iface};
    const char *const all[] = {"default-route", iface, plan->dns_all ? "yes" : "no", NULL};
    size_t n = 2;
    for (size_t i = 0; i < plan->dns_count; i++)
        dns[n++] = ip_text(&plan->dns[i], text[i]);
    n = 2;
    for (size_t i = 0; i < plan->domain_count; i++) {
        snprintf(scoped[i], sizeof(scoped[i]), "%s", plan->domains[i]);
        domain[n++] = scoped[i];
    }
    if (plan->dns_all)
        domain[n++] = "~."; /* this link before all others, for every name */
    if (n == 2)
        domain[n++] = "";
    enum err e = run("resolvectl", dns, "", why);
    if (e == ERR_OK)
        e = run("resolvectl", domain, "", why);
    return e == ERR_OK ? run("resolvectl", all, "", why) : e;
}

static void resolved_undo(const struct steward_record *record)
{
    char ignored[STEWARD_WHY];
    const char *const args[] = {"revert", record->iface, NULL};
    if (iface_index(record->iface) == record->iface_index)
        run("resolvectl", args, "", ignored);
}

/* ---- resolvconf and openresolv ---- */

/* Both sort by name, and put in front what begins like the first tunnel (openresolv: unless it has a metric). */
static void resolvconf_name(const char *iface, char out[static STEWARD_IFACE + 8])
{
    snprintf(out, STEWARD_IFACE + 8, "tun0.%s", iface);
}

static bool can_split(const struct steward_plan *plan)
{
    return plan->domain_count > 0 && (is_in_file("nameserver 127.") || is_in_file("nameserver ::1"));
}

static enum err resolvconf_put(const char *iface, const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    char name[STEWARD_IFACE + 8], input[2048] = "", text[IP_TEXT_MAX];
    size_t n = 0;
    resolvconf_name(iface, name);
    for (size_t i = 0; i < plan->dns_count; i++)
        n += (size_t)snprintf(input + n, sizeof(input) - n, "nameserver %s\n", ip_text(&plan->dns[i], text));
    for (size_t i = 0; i < plan->domain_count; i++)
        n += (size_t)snprintf(input + n, sizeof(input) - n, "%s%s", i == 0 ? "search " : " ", plan->domains[i]);
    if (plan->domain_count > 0)
        snprintf(input + n, sizeof(input) - n, "\n");
    /* openresolv's: -x the only servers, -p only for the domains given, which takes a resolver on this host that can
     * tell them apart. Otherwise ours come first. Debian's passes over what follows the name. */
    const char *const alone[] = {"-a", name, "-x", NULL}, *const first[] = {"-a", name, NULL};
    const char *const beside[] = {"-a", name, "-p", NULL};
    return run("resolvconf", plan->dns_all ? alone : can_split(plan) ? beside : first, input, why);
}

static enum err resolvconf_undo(const char *iface, char why[static STEWARD_WHY])
{
    char name[STEWARD_IFACE + 8], ignored[STEWARD_WHY];
    resolvconf_name(iface, name);
    const char *const args[] = {"-d", name, NULL}, *const forced[] = {"-f", "-d", name, NULL};
    if (run("resolvconf", args, "", why) == ERR_OK)
        return ERR_OK;
    const enum err e = run("resolvconf", forced, "", ignored); /* openresolv: no error when it is not there */
    if (e == ERR_OK)
        why[0] = '\0';
    return e;
}

/* ---- whichever it is ---- */

static bool is_same(const struct steward_plan *a, const struct steward_plan *b)
{
    if (a->dns_count != b->dns_count || a->domain_count != b->domain_count || a->dns_all != b->dns_all)
        return false;
    for (size_t i = 0; i < a->dns_count; i++)
        if (!ip_equal(&a->dns[i], &b->dns[i]))
            return false;
    for (size_t i = 0; i < a->domain_count; i++)
        if (strcmp(a->domains[i], b->domains[i]) != 0)
            return false;
    return true;
}

static enum err undo(struct steward_host *host, char why[static STEWARD_WHY])
{
    struct steward_record record = host->record;
    enum err e = ERR_OK;
    switch ((enum resolver)record.resolver) {
    case RESOLVER_NONE:
        return ERR_OK;
    case RESOLVER_RESOLVED:
        resolved_undo(&record);
        break;
    case RESOLVER_RESOLVCONF:
        e = resolvconf_undo(record.iface, why);
        break;
    case RESOLVER_FILE:
    case RESOLVER_IN_PLACE:
        e = steward_resolv_conf_restore(&host->place, why);
        break;
    }
    record.resolver = RESOLVER_NONE;
    return e == ERR_OK ? steward_journal(host, &record, why) : e;
}

static enum err put(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    switch ((enum resolver)host->record.resolver) {
    case RESOLVER_RESOLVED:
        return resolved_put(host->record.iface, plan, why);
    case RESOLVER_RESOLVCONF:
        return resolvconf_put(host->record.iface, plan, why);
    case RESOLVER_FILE:
        return steward_resolv_conf_put(host, plan, why);
    case RESOLVER_IN_PLACE:
        return steward_resolv_conf_overwrite(host, plan, why);
    case RESOLVER_NONE:
        break;
    }
    return ERR_STATE;
}

static void remark(const struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    const bool plain = host->record.resolver == RESOLVER_FILE || host->record.resolver == RESOLVER_IN_PLACE;
    const bool unable = host->record.resolver == RESOLVER_RESOLVCONF && !can_split(plan);
    if ((plain || unable) && !plan->dns_all)
        steward_say(why, RESOLV_CONF " cannot tell names apart: all of them are asked of the tunnel's name servers");
    else if (host->record.resolver == RESOLVER_RESOLVED && !plan->dns_all && plan->domain_count == 0)
        steward_say(why, "no name is asked of the tunnel's name servers, as no domain is known for them");
}

enum err steward_dns_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    struct steward_record record = host->record;
    if (plan->address.family == 0 || plan->dns_count == 0 || plan->lookups)
        return undo(host, why);
    const bool file = record.resolver == RESOLVER_FILE || record.resolver == RESOLVER_IN_PLACE;
    if (record.resolver != RESOLVER_NONE && host->plan.address.family && is_same(plan, &host->plan) &&
        (!file || steward_resolv_conf_stands(host->place.name)))
        return ERR_OK;
    if (record.resolver == RESOLVER_NONE) {
        host->former_dns_count = host_dns_servers(host->former_dns, STEWARD_DNS);
        record.resolver = find_owner();
    }
    enum err e = steward_journal(host, &record, why);
    if (e == ERR_OK)
        e = put(host, plan, why);
    if (e == ERR_UNSUPPORTED && record.resolver == RESOLVER_FILE) {
        record.resolver = RESOLVER_IN_PLACE;
        e = steward_journal(host, &record, why);
        if (e == ERR_OK)
            e = put(host, plan, why);
    }
    if (e == ERR_OK)
        remark(host, plan, why);
    return e;
}
