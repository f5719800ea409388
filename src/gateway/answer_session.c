/* session.list, session.show, session.kick. The shards are visited one by one, and the service thread waits for each:
 * meanwhile they may read what it alone changes, the configuration and the leases. */
#include "gateway/answer.h"

#include <string.h>

#define SESSIONS_A_VISIT 64 /* told by a shard at a time: its packets do not wait for a long list */

struct session_query {
    json_t *list;
    const char *user; /* "": all */
    uint64_t id;      /* 0: all */
    bool kick;
    uint64_t found;
    uint32_t next; /* session number to go on with */
    bool more;
};

/* The pool that an inner address is of; "" when the configuration has it no more. */
static const char *pool_of(const struct config *c, uint32_t address)
{
    for (size_t i = 0; i < c->pool_count; i++)
        for (uint32_t j = 0; j < c->pools[i].ranges.count; j++) {
            const struct config_range *range = &c->pools[i].ranges.range[j];
            if (address >= range->first && address <= range->last)
                return c->pools[i].name;
        }
    return "";
}

/* The name in the store once the user is let in, as it was sent before. */
static const char *user_of(const struct shard *shard, const struct session_info *info)
{
    const char *user = aaa_session_user(shard->gateway->aaa, lease_key(shard, info->session_key));
    return user ? user : info->user;
}

static struct ctl_session describe(const struct shard *shard, const struct session_info *info)
{
    struct ctl_session s = {
        .id = session_id(shard->gateway, shard->number, info->session),
        .since = answer_wall(info->since),
        .packets_in = info->in_packets,
        .packets_out = info->out_packets,
        .bytes_in = info->in_bytes,
        .bytes_out = info->out_bytes,
        .nat = info->encap,
        .mtu = info->mtu,
        .shard = shard->number,
    };
    view_copy_text(s.user, sizeof(s.user), view_str(user_of(shard, info)));
    if (info->up) {
        const uint32_t address = ip4_value(&info->network.remote);
        ip_text(&info->network.remote, s.address);
        view_copy_text(s.pool, sizeof(s.pool), view_str(pool_of(shard->gateway->config, address)));
    }
    endpoint_text(&info->path.remote, s.peer);
    view_copy_text(s.client, sizeof(s.client), view_str(info->ike.kind));
    view_copy_text(s.host, sizeof(s.host), view_str(info->host));
    view_copy_text(s.station, sizeof(s.station), view_str(info->station));
    view_copy_text(s.auth, sizeof(s.auth), view_str(info->auth));
    view_copy_text(s.ike, sizeof(s.ike), view_str(info->ike.ike_transform));
    view_copy_text(s.esp, sizeof(s.esp), view_str(info->plain ? "none" : esp_transform_name(&info->esp)));
    view_copy_text(s.psk, sizeof(s.psk), view_str(info->ike.psk));
    return s;
}

static void visit_sessions(struct shard *shard, void *ctx)
{
    struct session_query *query = ctx;
    struct session_info info;
    for (uint32_t n = 0; n < SESSIONS_A_VISIT; n++, query->next++) {
        query->more = stack_session_next(shard->stack, &query->next, &info);
        if (!query->more)
            break;
        const uint64_t id = session_id(shard->gateway, shard->number, info.session);
        if ((query->id && query->id != id) || (query->user[0] && !aaa_names_equal(query->user, user_of(shard, &info))))
            continue;
        query->found++;
        if (query->kick) {
            (void)stack_kick(shard->stack, clock_now(), info.session_key, CAUSE_ADMIN);
            continue;
        }
        const struct ctl_session s = describe(shard, &info);
        json_array_append_new(query->list, ctl_session_json(&s));
    }
    if (query->kick)
        pump_flush(shard->pump, clock_now());
}

static void query_sessions(struct gateway *g, struct session_query *query)
{
    for (uint8_t i = 0; i < g->shard_count; i++) {
        query->next = 0;
        do
            shard_call(&g->shards[i], visit_sessions, query);
        while (query->more);
    }
}

char *answer_session_list(struct gateway *g, const struct ctl_request *r)
{
    struct session_query query = {.list = json_array(), .user = ctl_text(r, CTL_ARG_USER)};
    query_sessions(g, &query);
    return ctl_reply_ok(ctl_data("sessions", query.list));
}

char *answer_session_show(struct gateway *g, const struct ctl_request *r)
{
    struct session_query query = {.list = json_array(), .user = "", .id = ctl_number(r, CTL_ARG_SESSION)};
    query_sessions(g, &query);
    json_t *first = json_incref(json_array_get(query.list, 0));
    json_decref(query.list);
    if (!first)
        return answer_refuse(CTL_CODE_NOT_FOUND, TOLD(SESSION_NUMBER_UNKNOWN));
    return ctl_reply_ok(ctl_data("session", first));
}

char *answer_session_kick(struct gateway *g, const struct ctl_request *r)
{
    struct session_query query = {
        .user = ctl_text(r, CTL_ARG_USER), .id = ctl_number(r, CTL_ARG_SESSION), .kick = true};
    if (!ctl_given(r, CTL_ARG_USER) && !ctl_given(r, CTL_ARG_SESSION))
        return answer_refuse(CTL_CODE_REQUEST, TOLD(SESSION_WHICH));
    /* What is given and empty must not pass for "all". */
    const bool nobody = ctl_given(r, CTL_ARG_USER) && query.user[0] == '\0';
    if (!nobody && (query.id != 0 || !ctl_given(r, CTL_ARG_SESSION)))
        query_sessions(g, &query);
    if (query.found == 0)
        return answer_refuse(CTL_CODE_NOT_FOUND, TOLD(SESSION_UNKNOWN));
    return ctl_reply_ok(ctl_data("kicked", json_integer((json_int_t)query.found)));
}
