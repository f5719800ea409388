/* What the gateway answers to each verb of the control socket. */
#include "gateway/gateway_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SEKISHO_VERSION
#define SEKISHO_VERSION "unknown"
#endif

#define SESSIONS_A_VISIT 64 /* told by a shard at a time: its packets do not wait for a long list */

/* Shards tell monotonic times; people want the calendar's. */
static uint64_t wall_of(usec_t at)
{
    const usec_t now = clock_now();
    return at == 0 ? 0 : (uint64_t)clock_wall() - (now > at ? (now - at) / USEC_SEC : 0);
}

static char *error_of(enum err e, const char *why)
{
    return ctl_reply_error(ctl_code_of(e), why[0] ? why : err_text(e));
}

/* ---- status, drops ---- */

static void add_counters(struct shard *shard, void *ctx)
{
    struct stack_counters *sum = ctx;
    const struct stack_counters c = stack_counters(shard->stack);
    sum->in_packets += c.in_packets;
    sum->in_bytes += c.in_bytes;
    sum->out_packets += c.out_packets;
    sum->out_bytes += c.out_bytes;
    sum->peers += c.peers;
    sum->sessions += c.sessions;
    sum->half_open += c.half_open;
    sum->ike_sas += c.ike_sas;
    for (size_t i = 0; i < DROP_COUNT; i++)
        sum->drops[i] += c.drops[i];
}

static struct stack_counters all_counters(struct gateway *g)
{
    struct stack_counters sum = {0};
    for (uint8_t i = 0; i < g->shard_count; i++)
        shard_call(&g->shards[i], add_counters, &sum);
    return sum;
}

static char *answer_status(struct gateway *g)
{
    static const char *const policies[] = {"modern", "compatible", "legacy"};
    const struct stack_counters c = all_counters(g);
    const struct aaa_usage usage = aaa_usage(g->aaa);
    struct ctl_status status = {
        .version = SEKISHO_VERSION,
        .pid = (uint64_t)getpid(),
        .started = (uint64_t)g->started,
        .shards = g->shard_count,
        .ike_half_open = c.half_open,
        .ike_sas = c.ike_sas,
        .esp_pairs = c.peers,
        .tunnels = c.sessions,
        .sessions = c.sessions,
        .packets_in = c.in_packets,
        .packets_out = c.out_packets,
        .bytes_in = c.in_bytes,
        .bytes_out = c.out_bytes,
        .logins_accepted = usage.accepted,
        .logins_refused = usage.refused,
        .pool_size = usage.size,
        .pool_used = usage.used,
    };
    for (size_t i = 0; i < DROP_COUNT; i++)
        status.drops += c.drops[i];
    view_copy_text(status.policy, sizeof(status.policy), view_str(policies[g->config->ike.policy]));
    view_copy_text(status.engine, sizeof(status.engine), view_str(stack_engine(g->shards[0].stack)));
    return ctl_reply_ok(ctl_data("status", ctl_status_json(&status)));
}

static char *answer_drops(struct gateway *g)
{
    const struct stack_counters c = all_counters(g);
    json_t *list = json_array();
    for (int i = 1; i < DROP_COUNT; i++) {
        struct ctl_drop drop = {.count = c.drops[i]};
        view_copy_text(drop.word, sizeof(drop.word), view_str(drop_word((enum drop)i)));
        view_copy_text(drop.sentence, sizeof(drop.sentence), view_str(drop_sentence((enum drop)i)));
        json_array_append_new(list, ctl_drop_json(&drop));
    }
    return ctl_reply_ok(ctl_data("drops", list));
}

/* ---- sessions ---- */

struct session_query {
    json_t *list;
    const char *user; /* "": all */
    uint64_t id;      /* 0: all */
    bool kick;
    uint64_t found;
    uint32_t next; /* session number to go on with */
    bool more;
};

/* The pool that an inner address is of; "" when the configuration has it no more. The service thread waits meanwhile,
 * which alone changes the configuration. */
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

static struct ctl_session describe(const struct shard *shard, const struct session_info *info)
{
    struct ctl_session s = {
        .id = session_id(shard->gateway, shard->number, info->session),
        .since = wall_of(info->since),
        .packets_in = info->in_packets,
        .packets_out = info->out_packets,
        .bytes_in = info->in_bytes,
        .bytes_out = info->out_bytes,
        .nat = info->encap,
        .mtu = info->mtu,
        .shard = shard->number,
    };
    view_copy_text(s.user, sizeof(s.user), view_str(info->user));
    if (info->up) {
        const uint32_t address = ip4_value(&info->network.remote);
        ip_text(&info->network.remote, s.address);
        view_copy_text(s.pool, sizeof(s.pool), view_str(pool_of(shard->gateway->config, address)));
    }
    endpoint_text(&info->path.remote, s.peer);
    view_copy_text(s.client, sizeof(s.client), view_str(info->ike.kind));
    view_copy_text(s.host, sizeof(s.host), view_str(info->host));
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
        if ((query->id && query->id != id) || (query->user[0] && strcmp(query->user, info.user) != 0))
            continue;
        query->found++;
        if (query->kick) {
            (void)stack_kick(shard->stack, clock_now(), info.session, info.session_key, CAUSE_ADMIN);
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

static char *answer_session_list(struct gateway *g, const struct ctl_request *r)
{
    struct session_query query = {.list = json_array(), .user = ctl_text(r, CTL_ARG_USER)};
    query_sessions(g, &query);
    return ctl_reply_ok(ctl_data("sessions", query.list));
}

static char *answer_session_show(struct gateway *g, const struct ctl_request *r)
{
    struct session_query query = {.list = json_array(), .user = "", .id = ctl_number(r, CTL_ARG_SESSION)};
    query_sessions(g, &query);
    json_t *first = json_incref(json_array_get(query.list, 0));
    json_decref(query.list);
    if (!first)
        return ctl_reply_error(CTL_CODE_NOT_FOUND, "There is no session of this number.");
    return ctl_reply_ok(ctl_data("session", first));
}

static char *answer_session_kick(struct gateway *g, const struct ctl_request *r)
{
    struct session_query query = {
        .user = ctl_text(r, CTL_ARG_USER), .id = ctl_number(r, CTL_ARG_SESSION), .kick = true};
    if (!ctl_given(r, CTL_ARG_USER) && !ctl_given(r, CTL_ARG_SESSION))
        return ctl_reply_error(CTL_CODE_REQUEST, "Say which session, or whose.");
    query_sessions(g, &query);
    if (query.found == 0)
        return ctl_reply_error(CTL_CODE_NOT_FOUND, "There is no such session.");
    return ctl_reply_ok(ctl_data("kicked", json_integer((json_int_t)query.found)));
}

/* ---- users ---- */

static struct ctl_user user_of(const struct aaa_user *u)
{
    struct ctl_user out = {.enabled = u->enabled,
                           .max_sessions = u->max_sessions,
                           .expires = (uint64_t)u->expires,
                           .created = (uint64_t)u->created,
                           .last_login = (uint64_t)u->last_login,
                           .sessions = u->sessions};
    memcpy(out.name, u->name, sizeof(out.name) < sizeof(u->name) ? sizeof(out.name) : sizeof(u->name));
    if (u->address.family)
        ip_text(&u->address, out.address);
    return out;
}

static enum err apply_args(const struct ctl_request *r, struct aaa_user *user, char why[static AAA_WHY_MAX])
{
    const char *address = ctl_text(r, CTL_ARG_ADDRESS);
    if (ctl_given(r, CTL_ARG_ADDRESS)) {
        user->address = (struct ip_addr){0};
        if (address[0] && (ip_parse(address, &user->address) != ERR_OK || user->address.family != 4)) {
            snprintf(why, AAA_WHY_MAX, "\"%s\" is no IPv4 address.", address);
            return ERR_INVALID;
        }
    }
    if (ctl_given(r, CTL_ARG_MAX_SESSIONS))
        user->max_sessions = (uint32_t)ctl_number(r, CTL_ARG_MAX_SESSIONS);
    if (ctl_given(r, CTL_ARG_EXPIRES))
        user->expires = (int64_t)ctl_number(r, CTL_ARG_EXPIRES);
    if (ctl_given(r, CTL_ARG_ENABLED))
        user->enabled = ctl_flag(r, CTL_ARG_ENABLED);
    return ERR_OK;
}

static char *user_reply(struct gateway *g, const char *name)
{
    struct aaa_user user;
    char why[AAA_WHY_MAX] = "";
    const enum err e = aaa_user_get(g->aaa, name, &user, why);
    if (e != ERR_OK)
        return error_of(e, why);
    const struct ctl_user out = user_of(&user);
    return ctl_reply_ok(ctl_data("user", ctl_user_json(&out)));
}

static char *answer_user_add(struct gateway *g, const struct ctl_request *r)
{
    char why[AAA_WHY_MAX] = "";
    const char *name = ctl_text(r, CTL_ARG_NAME);
    struct aaa_user user = {.enabled = true};
    enum err e = ERR_OK;
    snprintf(user.name, sizeof(user.name), "%s", name);
    e = apply_args(r, &user, why);
    if (e == ERR_OK)
        e = aaa_user_add(g->aaa, &user, view_str(ctl_text(r, CTL_ARG_PASSWORD)), clock_wall(), why);
    return e == ERR_OK ? user_reply(g, name) : error_of(e, why);
}

static char *answer_user_set(struct gateway *g, const struct ctl_request *r)
{
    char why[AAA_WHY_MAX] = "";
    struct aaa_user user;
    enum err e = aaa_user_get(g->aaa, ctl_text(r, CTL_ARG_NAME), &user, why);
    if (e == ERR_OK)
        e = apply_args(r, &user, why);
    if (e == ERR_OK)
        e = aaa_user_set(g->aaa, &user, why);
    if (e != ERR_OK)
        return error_of(e, why);
    if (!user.enabled) { /* a disabled user has no sessions, now and not at the next login */
        struct session_query query = {.user = user.name, .kick = true};
        query_sessions(g, &query);
    }
    return user_reply(g, user.name);
}

static char *answer_user_passwd(struct gateway *g, const struct ctl_request *r)
{
    char why[AAA_WHY_MAX] = "";
    const char *name = ctl_text(r, CTL_ARG_NAME);
    const enum err e = aaa_user_password(g->aaa, name, view_str(ctl_text(r, CTL_ARG_PASSWORD)), why);
    return e == ERR_OK ? user_reply(g, name) : error_of(e, why);
}

static char *answer_user_del(struct gateway *g, const struct ctl_request *r)
{
    char why[AAA_WHY_MAX] = "";
    struct aaa_user user;
    enum err e = aaa_user_get(g->aaa, ctl_text(r, CTL_ARG_NAME), &user, why);
    if (e == ERR_OK)
        e = aaa_user_del(g->aaa, user.name, why);
    if (e != ERR_OK)
        return error_of(e, why);
    struct session_query query = {.user = user.name, .kick = true};
    query_sessions(g, &query);
    return ctl_reply_ok(NULL);
}

static bool list_user(void *ctx, const struct aaa_user *user)
{
    const struct ctl_user out = user_of(user);
    json_array_append_new(ctx, ctl_user_json(&out));
    return true;
}

static char *answer_user_list(struct gateway *g, const struct ctl_request *r)
{
    char why[AAA_WHY_MAX] = "";
    json_t *list = json_array();
    enum err e;
    if (ctl_given(r, CTL_ARG_NAME)) {
        struct aaa_user user;
        e = aaa_user_get(g->aaa, ctl_text(r, CTL_ARG_NAME), &user, why);
        if (e == ERR_OK)
            list_user(list, &user);
    } else {
        e = aaa_user_each(g->aaa, list_user, list, why);
    }
    if (e == ERR_OK)
        return ctl_reply_ok(ctl_data("users", list));
    json_decref(list);
    return error_of(e, why);
}

/* ---- explain ---- */

struct attempt {
    struct story story;
    uint8_t shard;
};

struct story_query {
    const char *who; /* NULL: all */
    uint32_t wanted, n;
    struct attempt *found; /* 2 * wanted places: those of the shards so far, and one shard's */
};

static int newest_first(const void *a, const void *b)
{
    const struct attempt *x = a, *y = b;
    return x->story.began < y->story.began ? 1 : x->story.began > y->story.began ? -1 : 0;
}

static void visit_stories(struct shard *shard, void *ctx)
{
    struct story_query *query = ctx;
    const struct story *story;
    for (uint32_t i = 0; i < query->wanted && (story = stack_story(shard->stack, query->who, i)) != NULL; i++)
        query->found[query->n++] = (struct attempt){*story, shard->number};
    qsort(query->found, query->n, sizeof(*query->found), newest_first);
    if (query->n > query->wanted)
        query->n = query->wanted;
}

static json_t *steps_json(const struct story *story)
{
    json_t *steps = json_array();
    for (uint8_t i = 0; i < story->n; i++) {
        struct ctl_step step = {.at = story->step[i].after_ms};
        view_copy_text(step.stage, sizeof(step.stage), view_str(stage_word(story->step[i].stage)));
        view_copy_text(step.sentence, sizeof(step.sentence), view_str(stage_sentence(story->step[i].stage)));
        view_copy_text(step.detail, sizeof(step.detail), view_str(story->step[i].detail));
        json_array_append_new(steps, ctl_step_json(&step));
    }
    return steps;
}

static json_t *attempt_json(const struct attempt *attempt)
{
    const struct story *story = &attempt->story;
    struct ctl_attempt a = {
        .id = story->id << 6 | attempt->shard, .started = wall_of(story->began), .over = story->ended};
    endpoint_text(&story->path.remote, a.peer);
    view_copy_text(a.user, sizeof(a.user), view_str(story->user));
    view_copy_text(a.stage, sizeof(a.stage), view_str(stage_word(story->stage)));
    view_copy_text(a.reached, sizeof(a.reached), view_str(stage_sentence(story->stage)));
    view_copy_text(a.cause, sizeof(a.cause), view_str(cause_word(story->cause)));
    char why[CTL_PHRASE_MAX];
    snprintf(why, sizeof(why), story->cause_detail[0] ? "%s (%s)" : "%s", cause_sentence(story->cause),
             story->cause_detail);
    view_copy_text(a.why, sizeof(a.why), view_str(why));
    view_copy_text(a.cure, sizeof(a.cure), view_str(cause_cure(story->cause)));
    json_t *json = ctl_attempt_json(&a);
    json_object_set_new(json, "steps", steps_json(story));
    return json;
}

static char *answer_explain(struct gateway *g, const struct ctl_request *r)
{
    const char *who = ctl_text(r, CTL_ARG_WHO);
    struct story_query query = {.who = strcmp(who, "last") == 0 ? NULL : who,
                                .wanted = (uint32_t)ctl_number(r, CTL_ARG_ATTEMPTS)};
    if (query.wanted == 0)
        query.wanted = 1;
    query.found = calloc(2 * (size_t)query.wanted, sizeof(*query.found));
    if (!query.found)
        return error_of(ERR_NOMEM, "");
    for (uint8_t i = 0; i < g->shard_count; i++)
        shard_call(&g->shards[i], visit_stories, &query);
    json_t *list = json_array();
    for (uint32_t i = 0; i < query.n; i++)
        json_array_append_new(list, attempt_json(&query.found[i]));
    free(query.found);
    return ctl_reply_ok(ctl_data("attempts", list));
}

/* ---- configuration ---- */

static char *answer_reload(struct gateway *g)
{
    char why[CONFIG_ERROR_TEXT_MAX] = "";
    if (gateway_reload(g, why) == ERR_OK)
        return ctl_reply_ok(NULL);
    return ctl_reply_error(CTL_CODE_INVALID, why);
}

static char *answer_check(const struct ctl_request *r)
{
    const char *name = ctl_text(r, CTL_ARG_FILENAME);
    struct config *config;
    struct config_error error;
    char text[CONFIG_ERROR_TEXT_MAX] = "";
    if (config_parse(view_str(ctl_text(r, CTL_ARG_CONFIG)), name[0] ? name : "configuration", &config, &error) ==
        ERR_OK)
        config_free(config);
    else
        config_error_text(&error, text);
    return ctl_reply_ok(ctl_data("problem", json_string(text)));
}

static char *answer_version(void)
{
    json_t *data = ctl_data("version", json_string(SEKISHO_VERSION));
    if (data)
        json_object_set_new(data, "protocol", json_integer(CTL_VERSION));
    return ctl_reply_ok(data);
}

char *answer_request(void *ctx, const struct ctl_request *r, bool *subscribe)
{
    struct gateway *g = ctx;
    switch (ctl_request_verb(r)) {
    case CTL_VERB_STATUS:
        return answer_status(g);
    case CTL_VERB_VERSION:
        return answer_version();
    case CTL_VERB_DROPS:
        return answer_drops(g);
    case CTL_VERB_SESSION_LIST:
        return answer_session_list(g, r);
    case CTL_VERB_SESSION_SHOW:
        return answer_session_show(g, r);
    case CTL_VERB_SESSION_KICK:
        return answer_session_kick(g, r);
    case CTL_VERB_USER_ADD:
        return answer_user_add(g, r);
    case CTL_VERB_USER_SET:
        return answer_user_set(g, r);
    case CTL_VERB_USER_PASSWD:
        return answer_user_passwd(g, r);
    case CTL_VERB_USER_LIST:
        return answer_user_list(g, r);
    case CTL_VERB_USER_DEL:
        return answer_user_del(g, r);
    case CTL_VERB_EXPLAIN:
        return answer_explain(g, r);
    case CTL_VERB_CONFIG_RELOAD:
        return answer_reload(g);
    case CTL_VERB_CONFIG_CHECK:
        return answer_check(r);
    case CTL_VERB_EVENTS:
        *subscribe = true;
        return ctl_reply_ok(NULL);
    case CTL_VERB_CLIENT_STATUS:
    case CTL_VERB_CLIENT_DISCONNECT:
    case CTL_VERB_CLIENT_ANSWER:
        return ctl_reply_error(CTL_CODE_REQUEST, "This is a gateway; only a client's engine can tell that.");
    case CTL_VERB_COUNT:
        break;
    }
    return ctl_reply_error(CTL_CODE_REQUEST, "This verb is not served.");
}
