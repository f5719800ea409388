/* group.add, group.set, group.list, group.del; pool.list. */
#include "gateway/answer.h"

#include <stdio.h>

static struct ctl_group group_of(const struct aaa_group *g)
{
    struct ctl_group out = {.enabled = g->enabled, .max_sessions = g->max_sessions, .users = g->users};
    snprintf(out.name, sizeof(out.name), "%s", g->name);
    snprintf(out.pool, sizeof(out.pool), "%s", g->pool);
    snprintf(out.login, sizeof(out.login), "%s", g->login);
    snprintf(out.note, sizeof(out.note), "%s", g->note);
    return out;
}

static void take_args(const struct ctl_request *r, struct aaa_group *group)
{
    if (ctl_given(r, CTL_ARG_POOL))
        snprintf(group->pool, sizeof(group->pool), "%s", ctl_text(r, CTL_ARG_POOL));
    if (ctl_given(r, CTL_ARG_MAX_SESSIONS))
        group->max_sessions = (uint32_t)ctl_number(r, CTL_ARG_MAX_SESSIONS);
    if (ctl_given(r, CTL_ARG_LOGIN))
        snprintf(group->login, sizeof(group->login), "%s", ctl_text(r, CTL_ARG_LOGIN));
    if (ctl_given(r, CTL_ARG_ENABLED))
        group->enabled = ctl_flag(r, CTL_ARG_ENABLED);
    if (ctl_given(r, CTL_ARG_NOTE))
        snprintf(group->note, sizeof(group->note), "%s", ctl_text(r, CTL_ARG_NOTE));
}

static char *group_reply(struct gateway *g, const char *name)
{
    struct aaa_group group;
    struct aaa_why why = {0};
    const enum err e = aaa_group_get(g->aaa, name, &group, &why);
    if (e != ERR_OK)
        return answer_error(e, &why);
    const struct ctl_group out = group_of(&group);
    return ctl_reply_ok(ctl_data("group", ctl_group_json(&out)));
}

/* A name that would be cut is the name of another group. */
static bool name_fits(const char *name)
{
    return view_str(name).n < CONFIG_NAME_MAX;
}

char *answer_group_add(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    const char *name = ctl_text(r, CTL_ARG_NAME);
    struct aaa_group group = {.enabled = true};
    if (!name_fits(name))
        return answer_refuse(CTL_CODE_INVALID, TOLD(GROUP_NAME_LONG), CONFIG_NAME_MAX - 1);
    snprintf(group.name, sizeof(group.name), "%s", name);
    take_args(r, &group);
    const enum err e = aaa_group_add(g->aaa, &group, &why);
    return e == ERR_OK ? group_reply(g, name) : answer_error(e, &why);
}

char *answer_group_set(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    struct aaa_group group;
    enum err e = aaa_group_get(g->aaa, ctl_text(r, CTL_ARG_NAME), &group, &why);
    if (e == ERR_OK) {
        take_args(r, &group);
        e = aaa_group_set(g->aaa, &group, &why);
    }
    if (e != ERR_OK)
        return answer_error(e, &why);
    gateway_show_out(g);
    return group_reply(g, group.name);
}

char *answer_group_del(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    const enum err e = aaa_group_del(g->aaa, ctl_text(r, CTL_ARG_NAME), &why);
    return e == ERR_OK ? ctl_reply_ok(NULL) : answer_error(e, &why);
}

static bool list_group(void *ctx, const struct aaa_group *group)
{
    const struct ctl_group out = group_of(group);
    json_array_append_new(ctx, ctl_group_json(&out));
    return true;
}

char *answer_group_list(struct gateway *g, const struct ctl_request *r)
{
    struct aaa_why why = {0};
    json_t *list = json_array();
    enum err e;
    if (ctl_given(r, CTL_ARG_NAME)) {
        struct aaa_group group;
        e = aaa_group_get(g->aaa, ctl_text(r, CTL_ARG_NAME), &group, &why);
        if (e == ERR_OK)
            list_group(list, &group);
    } else {
        e = aaa_group_each(g->aaa, list_group, list, &why);
    }
    if (e == ERR_OK)
        return ctl_reply_ok(ctl_data("groups", list));
    json_decref(list);
    return answer_error(e, &why);
}

/* ---- pools ---- */

static void write_ranges(const struct config_ranges *ranges, char *out, size_t cap)
{
    char first[IP_TEXT_MAX], last[IP_TEXT_MAX];
    size_t n = 0;
    for (uint32_t i = 0; i < ranges->count && n < cap; i++) {
        const struct ip_addr a = ip4_addr(ranges->range[i].first), b = ip4_addr(ranges->range[i].last);
        n += (size_t)snprintf(out + n, cap - n, "%s%s-%s", i ? ", " : "", ip_text(&a, first), ip_text(&b, last));
    }
}

static void list_pool(void *ctx, const struct config_pool *pool, uint32_t size, uint32_t used, uint32_t reserved)
{
    struct ctl_pool out = {.size = size, .used = used, .reserved = reserved};
    snprintf(out.name, sizeof(out.name), "%s", pool->name);
    write_ranges(&pool->ranges, out.ranges, sizeof(out.ranges));
    ip_text(&pool->gateway, out.gateway);
    json_array_append_new(ctx, ctl_pool_json(&out));
}

char *answer_pool_list(struct gateway *g, const struct ctl_request *r)
{
    json_t *list = json_array();
    (void)r;
    aaa_pool_each(g->aaa, list_pool, list);
    return ctl_reply_ok(ctl_data("pools", list));
}
