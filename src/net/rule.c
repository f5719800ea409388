/* Rules of policy routing: which packets look into which routing table, and in which order (fib_rules, ip-rule(8)). */
#include "net/netlink.h"

#include <linux/fib_rules.h>
#include <sys/socket.h>

static enum err change_rule(uint16_t type, uint16_t flags, const struct rule *rule)
{
    if ((rule->family != 4 && rule->family != 6) || rule->table == 0 || rule->priority == 0)
        return ERR_INVALID;
    const struct fib_rule_hdr head = {
        .family = rule->family == 4 ? AF_INET : AF_INET6,
        .table = RT_TABLE_UNSPEC,
        .action = FR_ACT_TO_TBL,
        .flags = rule->inverted ? FIB_RULE_INVERT : 0,
    };
    struct netlink_request r;
    netlink_begin(&r, type, flags, &head, sizeof(head));
    netlink_attribute_u32(&r, FRA_PRIORITY, rule->priority);
    netlink_attribute_u32(&r, FRA_TABLE, rule->table);
    if (rule->mask) {
        netlink_attribute_u32(&r, FRA_FWMARK, rule->mark);
        netlink_attribute_u32(&r, FRA_FWMASK, rule->mask);
    }
    if (rule->no_default)
        netlink_attribute_u32(&r, FRA_SUPPRESS_PREFIXLEN, 0);
    return netlink_talk(&r, NULL, NULL);
}

enum err rule_add(const struct rule *rule)
{
    return change_rule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}

enum err rule_del(const struct rule *rule)
{
    return change_rule(RTM_DELRULE, 0, rule);
}

struct listing {
    uint8_t family; /* a kernel without IPv6 answers with the rules of IPv4 */
    struct rule *out;
    size_t max, n;
};

static void add_to_list(void *ctx, uint16_t type, struct view body)
{
    struct listing *list = ctx;
    struct fib_rule_hdr head;
    if (type != RTM_NEWRULE || list->n == list->max || !netlink_head(&body, &head, sizeof(head)))
        return;
    struct rule rule = {
        .family = head.family == AF_INET ? 4 : 6, .table = head.table, .inverted = (head.flags & FIB_RULE_INVERT) != 0};
    uint16_t attribute;
    struct view value;
    while (netlink_next_attribute(&body, &attribute, &value)) {
        if (attribute == FRA_PRIORITY)
            rule.priority = netlink_u32(value);
        else if (attribute == FRA_TABLE)
            rule.table = netlink_u32(value);
        else if (attribute == FRA_FWMARK)
            rule.mark = netlink_u32(value);
        else if (attribute == FRA_FWMASK)
            rule.mask = netlink_u32(value);
        else if (attribute == FRA_SUPPRESS_PREFIXLEN)
            rule.no_default = netlink_u32(value) == 0;
    }
    list->out[list->n++] = rule;
}

enum err rule_list(uint8_t family, struct rule *out, size_t max, size_t *n)
{
    if (family != 4 && family != 6)
        return ERR_INVALID;
    const struct fib_rule_hdr head = {.family = family == 4 ? AF_INET : AF_INET6};
    struct netlink_request r;
    netlink_begin(&r, RTM_GETRULE, NLM_F_DUMP, &head, sizeof(head));
    struct listing list = {.family = family, .out = out, .max = max};
    const enum err e = netlink_talk(&r, add_to_list, &list);
    if (e == ERR_OK)
        *n = list.n;
    return e;
}
