/* The table of answers, and those about the gateway as a whole. */
#include "gateway/answer.h"

#include <unistd.h>

#ifndef SEKISHO_VERSION
#define SEKISHO_VERSION "unknown"
#endif

/* Shards tell monotonic times; people want the calendar's. */
uint64_t answer_wall(usec_t at)
{
    const usec_t now = clock_now();
    return at == 0 ? 0 : (uint64_t)clock_wall() - (now > at ? (now - at) / USEC_SEC : 0);
}

static const char *word_of(enum err e)
{
    switch (e) {
#define ERR(name, value, sentence)                                                                                     \
    case ERR_##name:                                                                                                   \
        return "error-" #name;
#include "base/err.def"
#undef ERR
    case ERR_OK:
        break;
    }
    return "";
}

char *answer_error(enum err e, const struct aaa_why *why)
{
    struct telling told = {0};
    if (why && why->sentence[0])
        return ctl_reply_told(ctl_code_of(e), why->sentence, &why->told);
    view_copy_text(told.word, sizeof(told.word), view_str(word_of(e)));
    return ctl_reply_told(ctl_code_of(e), err_text(e), &told);
}

char *answer_refuse(const char *code, const char *word, const char *text, ...)
{
    struct aaa_why why;
    va_list args;
    va_start(args, text);
    told_write(&why.told, why.sentence, sizeof(why.sentence), word, text, args);
    va_end(args);
    return ctl_reply_told(code, why.sentence, &why.told);
}

char *answer_cause(const char *code, enum cause cause)
{
    struct telling told = {0};
    view_copy_text(told.word, sizeof(told.word), view_str(cause_word(cause)));
    return ctl_reply_told(code, cause_sentence(cause), &told);
}

enum err answer_why(struct aaa_why *why, enum err result, const char *word, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    told_write(&why->told, why->sentence, sizeof(why->sentence), word, text, args);
    va_end(args);
    return result;
}

/* ---- status, drops ---- */

static void add_counters(struct shard *shard, void *ctx)
{
    struct stack_counters *sum = ctx;
    const struct stack_counters c = stack_counters(shard->stack);
    const struct pump_counters p = pump_counters(shard->pump);
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
    sum->drops[DROP_UNSENT] += p.unsent;
    sum->drops[DROP_TUN_FULL] += p.tun_lost;
    sum->drops[DROP_RING_FULL] += shard->ring_lost;
}

struct stack_counters answer_counters(struct gateway *g)
{
    struct stack_counters sum = {0};
    for (uint8_t i = 0; i < g->shard_count; i++)
        shard_call(&g->shards[i], add_counters, &sum);
    return sum;
}

static char *answer_status(struct gateway *g, const struct ctl_request *r)
{
    static const char *const policies[] = {"modern", "compatible", "legacy"};
    const struct stack_counters c = answer_counters(g);
    const struct aaa_usage usage = aaa_usage(g->aaa);
    (void)r;
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

static char *answer_drops(struct gateway *g, const struct ctl_request *r)
{
    const struct stack_counters c = answer_counters(g);
    json_t *list = json_array();
    (void)r;
    for (int i = 1; i < DROP_COUNT; i++) {
        struct ctl_drop drop = {.count = c.drops[i]};
        view_copy_text(drop.word, sizeof(drop.word), view_str(drop_word((enum drop)i)));
        view_copy_text(drop.sentence, sizeof(drop.sentence), view_str(drop_sentence((enum drop)i)));
        json_array_append_new(list, ctl_drop_json(&drop));
    }
    return ctl_reply_ok(ctl_data("drops", list));
}

/* ---- configuration ---- */

static char *answer_reload(struct gateway *g, const struct ctl_request *r)
{
    char why[CONFIG_ERROR_TEXT_MAX];
    struct config_error error;
    (void)r;
    if (gateway_reload(g, &error) == ERR_OK)
        return ctl_reply_ok(NULL);
    config_error_place(&error);
    return ctl_reply_told(CTL_CODE_INVALID, config_error_text(&error, why), &error.told);
}

static char *answer_check(struct gateway *g, const struct ctl_request *r)
{
    (void)g;
    const char *name = ctl_text(r, CTL_ARG_FILENAME);
    struct config *config;
    struct config_error error = {0};
    char text[CONFIG_ERROR_TEXT_MAX] = "";
    if (config_parse(view_str(ctl_text(r, CTL_ARG_CONFIG)), name[0] ? name : "configuration", &config, &error) ==
        ERR_OK)
        config_free(config);
    else
        config_error_text(&error, text);
    config_error_place(&error);
    json_t *data = ctl_data("problem", json_string(text));
    if (text[0] && data)
        json_object_set_new(data, "told", ctl_told_json(&error.told));
    return ctl_reply_ok(data);
}

static char *answer_version(struct gateway *g, const struct ctl_request *r)
{
    (void)g;
    (void)r;
    return ctl_reply_version(SEKISHO_VERSION);
}

static answer_to *const answers[CTL_VERB_COUNT] = {
    [CTL_VERB_STATUS] = answer_status,
    [CTL_VERB_VERSION] = answer_version,
    [CTL_VERB_DROPS] = answer_drops,
    [CTL_VERB_SESSION_LIST] = answer_session_list,
    [CTL_VERB_SESSION_SHOW] = answer_session_show,
    [CTL_VERB_SESSION_KICK] = answer_session_kick,
    [CTL_VERB_USER_ADD] = answer_user_add,
    [CTL_VERB_USER_SET] = answer_user_set,
    [CTL_VERB_USER_PASSWD] = answer_user_passwd,
    [CTL_VERB_USER_LIST] = answer_user_list,
    [CTL_VERB_USER_DEL] = answer_user_del,
    [CTL_VERB_HANDOUT_SETTINGS] = answer_handout_settings,
    [CTL_VERB_USER_CHECK] = answer_user_check,
    [CTL_VERB_GROUP_ADD] = answer_group_add,
    [CTL_VERB_GROUP_SET] = answer_group_set,
    [CTL_VERB_GROUP_LIST] = answer_group_list,
    [CTL_VERB_GROUP_DEL] = answer_group_del,
    [CTL_VERB_INVITE_MAKE] = answer_invite_make,
    [CTL_VERB_INVITE_SHOW] = answer_invite_show,
    [CTL_VERB_INVITE_USE] = answer_invite_use,
    [CTL_VERB_INVITE_ENROL] = answer_invite_enrol,
    [CTL_VERB_INVITE_PRACTISE] = answer_invite_practise,
    [CTL_VERB_INVITE_LIST] = answer_invite_list,
    [CTL_VERB_INVITE_REVOKE] = answer_invite_revoke,
    [CTL_VERB_ADMIN_TOTP] = answer_admin_totp,
    [CTL_VERB_ADMIN_LIST] = answer_admin_list,
    [CTL_VERB_ADMIN_DEL] = answer_admin_del,
    [CTL_VERB_TOKEN_MAKE] = answer_token_make,
    [CTL_VERB_TOKEN_LIST] = answer_token_list,
    [CTL_VERB_TOKEN_REVOKE] = answer_token_revoke,
    [CTL_VERB_TOKEN_CHECK] = answer_token_check,
    [CTL_VERB_POOL_LIST] = answer_pool_list,
    [CTL_VERB_HEALTH] = answer_health,
    [CTL_VERB_GRID_POLICY] = answer_grid_policy,
    [CTL_VERB_GRID_REMEMBER] = answer_grid_remember,
    [CTL_VERB_GRID_SHOW] = answer_grid_show,
    [CTL_VERB_GRID_CHECK] = answer_grid_check,
    [CTL_VERB_GRID_ENROL] = answer_grid_enrol,
    [CTL_VERB_GRID_PRACTISE] = answer_grid_practise,
    [CTL_VERB_GRID_OFF] = answer_grid_off,
    [CTL_VERB_GRID_UNLOCK] = answer_grid_unlock,
    [CTL_VERB_TOTP_BEGIN] = answer_totp_begin,
    [CTL_VERB_TOTP_CONFIRM] = answer_totp_confirm,
    [CTL_VERB_TOTP_CHECK] = answer_totp_check,
    [CTL_VERB_TOTP_OFF] = answer_totp_off,
    [CTL_VERB_EXPLAIN] = answer_explain,
    [CTL_VERB_EVENT_LIST] = answer_event_list,
    [CTL_VERB_CONFIG_RELOAD] = answer_reload,
    [CTL_VERB_CONFIG_CHECK] = answer_check,
};

/* Those that wait for slow work. */
static answer_later_to *const late_answers[CTL_VERB_COUNT] = {
    [CTL_VERB_ADMIN_ADD] = answer_admin_add,
    [CTL_VERB_ADMIN_PASSWD] = answer_admin_passwd,
    [CTL_VERB_ADMIN_CHECK] = answer_admin_check,
};

char *answer_request(void *ctx, const struct ctl_request *r, struct control_asked *asked)
{
    const enum ctl_verb verb = ctl_request_verb(r);
    if (verb == CTL_VERB_EVENTS) {
        asked->subscribe = true;
        return ctl_reply_ok(NULL);
    }
    if (verb < CTL_VERB_COUNT && late_answers[verb])
        return late_answers[verb](ctx, r, asked);
    if (verb >= CTL_VERB_COUNT || !answers[verb])
        return answer_refuse(CTL_CODE_REQUEST, TOLD(VERB_NOT_SERVED));
    return answers[verb](ctx, r);
}
