/* Choosing a mark, a table and priorities that nobody else uses: other tunnels of ours, other programs. */
#include "steward/steward_internal.h"

#include <fcntl.h>
#include <unistd.h>

#define RULES_MAX      512
#define PRIORITY_FIRST 30000 /* behind what administrators and most programs choose, before the main table's 32766 */
#define PRIORITY_LAST  32000

/* A mark is used by whoever tells packets apart by bits of it. A rule of our own class is for all of us. */
static bool uses_mark(const struct rule *rule, uint32_t mark)
{
    const bool class_rule = rule->mark == STEWARD_MARK_CLASS && rule->mask == STEWARD_MARK_MASK;
    return rule->mask && rule->mark && !class_rule && (mark & rule->mask) == (rule->mark & rule->mask);
}

static bool is_used(uint8_t family, uint32_t number)
{
    static struct rule rules[RULES_MAX];
    struct route route;
    size_t n = 0;
    if (rule_list(family, rules, RULES_MAX, &n) != ERR_OK)
        n = 0;
    for (size_t i = 0; i < n; i++)
        if (rules[i].table == steward_number_table(number) || uses_mark(&rules[i], steward_number_mark(number)))
            return true;
    return route_list(family, steward_number_table(number), &route, 1, &n) == ERR_OK && n > 0;
}

enum err steward_number_choose(int marks, uint32_t *number)
{
    for (uint32_t i = 1; i <= STEWARD_NUMBERS; i++) {
        struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = i, .l_len = 1};
        if (fcntl(marks, F_OFD_SETLK, &byte) < 0)
            continue;
        if (!is_used(4, i) && !is_used(6, i)) {
            *number = i;
            return ERR_OK;
        }
        byte.l_type = F_UNLCK;
        fcntl(marks, F_OFD_SETLK, &byte);
    }
    return ERR_LIMIT;
}

static bool has_priority(const struct rule *rules, size_t n, uint32_t priority)
{
    for (size_t i = 0; i < n; i++)
        if (rules[i].priority == priority || rules[i].priority == priority + 1)
            return true;
    return false;
}

uint32_t steward_priority_choose(void)
{
    static struct rule rules[2 * RULES_MAX];
    size_t n4 = 0, n6 = 0;
    if (rule_list(4, rules, RULES_MAX, &n4) != ERR_OK)
        return 0;
    if (rule_list(6, rules + n4, RULES_MAX, &n6) != ERR_OK)
        n6 = 0; /* a kernel without IPv6 */
    for (uint32_t p = PRIORITY_FIRST; p < PRIORITY_LAST; p += 2)
        if (!has_priority(rules, n4 + n6, p))
            return p;
    return 0;
}
