/* What the engine answers to each verb of its control socket. */
#include "client/client_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef SEKISHO_VERSION
#define SEKISHO_VERSION "unknown"
#endif

#define RATE_SPAN (2 * USEC_SEC) /* over which bytes a second are reckoned */

/* Counts anew when the last count is long enough ago. */
static void measure_rate(struct engine *engine)
{
    const usec_t now = clock_now();
    if (now < engine->rated_at + RATE_SPAN)
        return;
    struct sekisho_status status;
    sekisho_status(engine->sekisho, &status);
    const uint64_t ms = (now - engine->rated_at) / USEC_MSEC;
    if (engine->rated_at != 0 && status.in_bytes >= engine->rated_in && status.out_bytes >= engine->rated_out) {
        engine->rate_in = (status.in_bytes - engine->rated_in) * 1000 / ms;
        engine->rate_out = (status.out_bytes - engine->rated_out) * 1000 / ms;
    }
    engine->rated_at = now;
    engine->rated_in = status.in_bytes;
    engine->rated_out = status.out_bytes;
}

static bool is_asking(const struct engine *engine)
{
    return engine->told_count > 0 && strcmp(engine->told[engine->told_count - 1].progress.type, "prompt") == 0;
}

static const char *state_word(const struct engine *engine, const struct sekisho_status *status)
{
    if (engine->ending)
        return "ending";
    switch (status->state) {
    case SEKISHO_CONNECTED:
        return "up";
    case SEKISHO_WAITING:
        return "waiting";
    case SEKISHO_CONNECTING:
        return is_asking(engine) ? "asking" : "connecting";
    case SEKISHO_IDLE:
        break;
    }
    return engine->begin_at == USEC_NEVER ? "ending" : "connecting";
}

static void join(char *out, size_t cap, const char *text)
{
    const size_t n = strlen(out);
    snprintf(out + n, cap - n, "%s%s", n > 0 ? ", " : "", text);
}

static void join_plan(struct ctl_link *link, const struct steward_plan *plan)
{
    char text[IP_TEXT_MAX + 8], address[IP_TEXT_MAX];
    for (size_t i = 0; i < plan->dns_count; i++)
        join(link->dns, sizeof(link->dns), ip_text(&plan->dns[i], address));
    if (plan->everything)
        join(link->routes, sizeof(link->routes), "everything");
    for (size_t i = 0; i < plan->route_count; i++) {
        snprintf(text, sizeof(text), "%s/%u", ip_text(&plan->routes[i].to, address), plan->routes[i].bits);
        join(link->routes, sizeof(link->routes), text);
    }
}

static enum cause cause_of(const char *word)
{
    for (int i = 1; i < CAUSE_COUNT; i++)
        if (strcmp(cause_word((enum cause)i), word) == 0)
            return (enum cause)i;
    return CAUSE_NONE;
}

static struct ctl_link describe(const struct engine *engine)
{
    struct sekisho_status s;
    sekisho_status(engine->sekisho, &s);
    const enum cause cause = cause_of(s.cause);
    struct ctl_link link = {
        .pid = (uint64_t)getpid(),
        .since = (uint64_t)engine->up_since,
        .packets_in = s.in_packets,
        .packets_out = s.out_packets,
        .bytes_in = s.in_bytes,
        .bytes_out = s.out_bytes,
        .rate_in = engine->rate_in,
        .rate_out = engine->rate_out,
        .nat = s.encapsulated,
        .mtu = s.network.mtu,
        .attempts = s.attempts,
        .retry_at = (uint64_t)engine->retry_at,
    };
    const struct {
        char *to;
        size_t cap;
        const char *text;
    } texts[] = {
        {link.profile, sizeof(link.profile), engine->options->name},
        {link.state, sizeof(link.state), state_word(engine, &s)},
        {link.user, sizeof(link.user), engine->options->connection.user},
        {link.server, sizeof(link.server), engine->options->server_text},
        {link.server_address, sizeof(link.server_address), s.server_address},
        {link.server_identity, sizeof(link.server_identity), s.server_name},
        {link.address, sizeof(link.address), s.network.address},
        {link.remote, sizeof(link.remote), s.network.peer},
        {link.interface, sizeof(link.interface), tun_name(engine->tun)},
        {link.ike, sizeof(link.ike), s.ike},
        {link.esp, sizeof(link.esp), s.esp},
        {link.auth, sizeof(link.auth), s.auth},
        {link.domain, sizeof(link.domain), s.network.domain},
        {link.stage, sizeof(link.stage), s.stage},
        {link.cause, sizeof(link.cause), cause_word(cause)},
        {link.detail, sizeof(link.detail), s.detail},
        {link.log, sizeof(link.log), engine->options->log_file ? engine->options->log_file : ""},
        {link.why, sizeof(link.why), cause_sentence(cause)},
        {link.cure, sizeof(link.cure), cause_cure(cause)},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        view_copy_text(texts[i].to, texts[i].cap, view_str(texts[i].text));
    if (engine->applied)
        join_plan(&link, &engine->plan);
    return link;
}

static char *answer_events(const struct engine *engine)
{
    const struct ctl_link link = describe(engine);
    json_t *list = json_array();
    for (size_t i = 0; i < engine->told_count; i++)
        json_array_append_new(list, follow_json(&engine->told[i]));
    json_t *data = ctl_data("link", ctl_link_json(&link));
    if (data)
        json_object_set_new(data, "progress", list);
    else
        json_decref(list);
    return ctl_reply_ok(data);
}

static char *answer_disconnect(struct engine *engine)
{
    engine->status = EXIT_OK;
    client_begin(engine); /* so that there is an end to tell of */
    sekisho_disconnect(engine->sekisho);
    struct sekisho_event event;
    while (sekisho_event(engine->sekisho, &event))
        follow(engine, &event);
    return engine->problem[0] ? ctl_reply_error(CTL_CODE_FAILED, engine->problem) : ctl_reply_ok(NULL);
}

static char *answer_prompt(const struct engine *engine, const char *text)
{
    if (sekisho_answer(engine->sekisho, text) == 0)
        return ctl_reply_ok(NULL);
    return ctl_reply_error(CTL_CODE_FAILED, "The server does not wait for an answer any more.");
}

char *client_answer(void *ctx, const struct ctl_request *request, struct control_asked *asked)
{
    struct engine *engine = ctx;
    struct ctl_link link;
    switch ((int)ctl_request_verb(request)) {
    case CTL_VERB_CLIENT_STATUS:
        measure_rate(engine);
        link = describe(engine);
        return ctl_reply_ok(ctl_data("link", ctl_link_json(&link)));
    case CTL_VERB_CLIENT_DISCONNECT:
        return answer_disconnect(engine);
    case CTL_VERB_CLIENT_ANSWER:
        return answer_prompt(engine, ctl_text(request, CTL_ARG_ANSWER));
    case CTL_VERB_EVENTS:
        asked->subscribe = true;
        client_begin(engine);
        return answer_events(engine);
    case CTL_VERB_VERSION:
        return ctl_reply_version(SEKISHO_VERSION);
    default:
        return ctl_reply_error(CTL_CODE_REQUEST, "This is the engine of a connection: it answers client.status, "
                                                 "client.disconnect, client.answer, events and version.");
    }
}
