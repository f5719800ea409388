/* The connection's own table of nftables: the guard that lets nothing out beside the tunnel, the mark for the server's
 * replies where the reverse path filter is strict, and nobody on the link reaching the tunnel's address from outside
 * it. */
#include "steward/steward_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct text {
    char *p;
    size_t n, cap;
    bool failed;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(t->p + t->n, t->cap - t->n, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= t->cap - t->n)
        t->failed = true;
    else
        t->n += (size_t)n;
}

/* The nft table of a connection. */
static const char *table_of(const char *name, char out[static STEWARD_NAME_MAX + 16])
{
    snprintf(out, STEWARD_NAME_MAX + 16, "sekisho-client-%s", name);
    return out;
}

/* Questions of any program to the name servers of before: the price of finding the server again under a new address. */
static void put_lookups(struct text *t, const struct steward_host *host)
{
    char text[IP_TEXT_MAX];
    for (size_t i = 0; i < host->former_dns_count; i++) {
        const struct ip_addr *a = &host->former_dns[i];
        put(t, "  %s daddr %s meta l4proto { tcp, udp } th dport { 53, 853 } accept\n", a->family == 4 ? "ip" : "ip6",
            ip_text(a, text));
    }
}

static void put_guard(struct text *t, const struct steward_host *host, const struct steward_plan *plan)
{
    const char *iface = host->record.iface;
    put(t, " chain out {\n  type filter hook output priority filter; policy drop;\n");
    put(t, "  oifname { \"lo\", \"%s\" } accept\n", iface);
    put(t, "  meta mark %#x accept\n", steward_number_mark(host->record.number));
    put(t, "  udp sport 68 udp dport 67 accept\n  udp sport 546 udp dport 547 accept\n");
    put(t, "  icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, "
           "mld2-listener-report } accept\n");
    if (plan->lookups)
        put_lookups(t, host);
    put(t, "  counter\n }\n");
    put(t, " chain through {\n  type filter hook forward priority filter; policy drop;\n");
    put(t, "  oifname \"%s\" accept\n  iifname \"%s\" accept\n  counter\n }\n", iface, iface);
}

static void put_incoming(struct text *t, const struct steward_host *host, const struct steward_plan *plan, bool strict)
{
    char text[IP_TEXT_MAX];
    put(t, " chain in {\n  type filter hook prerouting priority raw; policy accept;\n");
    put(t, "  iifname != { \"lo\", \"%s\" } ip daddr %s drop\n", host->record.iface, ip_text(&plan->address, text));
    if (strict)
        put(t, "  %s saddr %s meta l4proto { udp, esp } meta mark set %#x\n", plan->server.family == 4 ? "ip" : "ip6",
            ip_text(&plan->server, text), steward_number_mark(host->record.number));
    put(t, " }\n");
}

enum err steward_guard_text(const struct steward_host *host, const struct steward_plan *plan, bool strict, char *out,
                            size_t cap)
{
    char table[STEWARD_NAME_MAX + 16];
    struct text t = {out, 0, cap, false};
    out[0] = '\0';
    if (!plan->no_leak && plan->address.family == 0)
        return ERR_OK;
    table_of(host->place.name, table);
    put(&t, "table inet %s\ndelete table inet %s\ntable inet %s {\n", table, table, table);
    if (plan->no_leak)
        put_guard(&t, host, plan);
    if (plan->address.family)
        put_incoming(&t, host, plan, strict);
    put(&t, "}\n");
    return t.failed ? ERR_LIMIT : ERR_OK;
}

static enum err remove_table(struct steward_host *host, char why[static STEWARD_WHY])
{
    char table[STEWARD_NAME_MAX + 16];
    struct steward_record record = host->record;
    if (!record.guard)
        return ERR_OK;
    const enum err e = nft_table_remove("inet", table_of(host->place.name, table));
    if (e != ERR_OK) {
        steward_say(why, "cannot remove the table %s of nftables: %s", table,
                    e == ERR_SYSTEM ? strerror(errno) : err_text(e));
        return e;
    }
    record.guard = false;
    return steward_journal(host, &record, why);
}

/* Each time anew: a reload of the host's own rules may have swept it away. */
enum err steward_guard_apply(struct steward_host *host, const struct steward_plan *plan, char why[static STEWARD_WHY])
{
    char text[STEWARD_TABLE_TEXT], message[STEWARD_WHY / 2], nft[PROGRAM_PATH];
    const bool strict = plan->address.family && steward_filter_is_strict(host->record.iface);
    enum err e = steward_guard_text(host, plan, strict, text, sizeof(text));
    if (e != ERR_OK || text[0] == '\0')
        return e == ERR_OK ? remove_table(host, why) : e;
    if (!program_find("nft", nft) && !plan->no_leak && !strict)
        return ERR_OK; /* what is left is not worth refusing a connection for */
    struct steward_record record = host->record;
    record.guard = true;
    e = steward_journal(host, &record, why);
    if (e != ERR_OK)
        return e;
    e = nft_apply(view_str(text), message, sizeof(message));
    if (e == ERR_NOTFOUND)
        steward_say(why, "%s needs the program nft of nftables, which is not installed",
                    plan->no_leak ? "letting nothing out beside the tunnel" : "a strict rp_filter");
    else if (e != ERR_OK)
        steward_say(why, "nft refused the connection's table: %.120s", message[0] ? message : strerror(errno));
    return e;
}
