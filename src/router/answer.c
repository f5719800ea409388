/* What the router answers to each verb of its control socket. */
#include "router/router_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef SEKISHO_VERSION
#define SEKISHO_VERSION "unknown"
#endif

static void put_address(char out[static IP_TEXT_MAX], uint32_t address)
{
    const struct ip_addr a = ip4_addr(address);
    if (address)
        ip_text(&a, out);
}

static uint64_t seconds_since(const struct router *r, usec_t then)
{
    const usec_t now = loop_now(r->loop);
    return now > then ? (now - then) / USEC_SEC : 0;
}

/* ---- lists ---- */

struct sums {
    uint32_t host;
    uint64_t packets[2], bytes[2];
};

static void add_flow(void *ctx, const struct flow_info *flow)
{
    struct sums *s = ctx;
    if (flow->host != s->host)
        return;
    s->packets[flow->key.way] += flow->packets;
    s->bytes[flow->key.way] += flow->bytes;
}

static json_t *hosts(const struct router *r, uint64_t *held)
{
    json_t *list = json_array();
    const void *at = NULL;
    struct tracker_host_info info;
    while (r->tracker && tracker_host_next(r->tracker, &at, &info)) {
        struct sums sums = {.host = info.host};
        flows_each(r->flows, add_flow, &sums);
        struct ctl_inside one = {
            .servers = info.servers,
            .pairs = info.pairs,
            .ikes = info.ikes,
            .held = info.held,
            .packets_out = sums.packets[TRACKER_OUT],
            .packets_in = sums.packets[TRACKER_IN],
            .bytes_out = sums.bytes[TRACKER_OUT],
            .bytes_in = sums.bytes[TRACKER_IN],
            .idle = seconds_since(r, info.seen),
        };
        put_address(one.address, info.host);
        *held += info.held;
        json_array_append_new(list, ctl_inside_json(&one));
    }
    return list;
}

static json_t *servers(const struct router *r, uint64_t *held)
{
    json_t *list = json_array();
    const void *at = NULL;
    struct tracker_server_info info;
    while (r->tracker && tracker_server_next(r->tracker, &at, &info)) {
        struct ctl_server one = {.hosts = info.hosts, .unknown = info.unknown, .held = info.held};
        put_address(one.address, info.server);
        *held += info.held;
        json_array_append_new(list, ctl_server_json(&one));
    }
    return list;
}

static struct ctl_binding describe(const struct router *r, const struct tracker_binding_info *info)
{
    static const char *const states[] = {
        [TRACKER_STATE_TENTATIVE] = "tentative",
        [TRACKER_STATE_AMBIGUOUS] = "ambiguous",
        [TRACKER_STATE_BOUND] = "bound",
    };
    const struct flow_key key = {.way = info->way,
                                 .ike = info->ike,
                                 .host = info->way == TRACKER_OUT ? info->host : 0,
                                 .server = info->server,
                                 .id = info->ike ? info->initiator : info->spi};
    struct flow_info flow;
    struct ctl_binding one = {.packets = info->packets,
                              .candidates = info->candidates,
                              .age = seconds_since(r, info->since),
                              .idle = seconds_since(r, info->used)};
    if (flows_find(r->flows, &key, &flow)) {
        one.in_kernel = flow.in_kernel;
        one.shortcut = flow.shortcut;
        one.packets = flow.packets;
        one.bytes = flow.bytes;
    }
    snprintf(one.way, sizeof(one.way), "%s", info->way == TRACKER_OUT ? "out" : "in");
    snprintf(one.kind, sizeof(one.kind), "%s", info->ike ? "ike" : "esp");
    snprintf(one.id, sizeof(one.id), info->ike ? "%016llx" : "%08llx", (unsigned long long)key.id);
    snprintf(one.state, sizeof(one.state), "%s", states[info->state]);
    put_address(one.host, info->host);
    put_address(one.server, info->server);
    return one;
}

static json_t *bindings(const struct router *r, uint64_t *in_kernel, uint64_t *shortcut)
{
    json_t *list = json_array();
    const void *at = NULL;
    struct tracker_binding_info info;
    while (r->tracker && tracker_binding_next(r->tracker, &at, &info)) {
        const struct ctl_binding one = describe(r, &info);
        *in_kernel += one.in_kernel;
        *shortcut += one.shortcut;
        json_array_append_new(list, ctl_binding_json(&one));
    }
    return list;
}

/* ---- drops ---- */

static void add_drop(json_t *list, const char *word, const char *sentence, uint64_t count)
{
    struct ctl_drop drop = {.count = count};
    view_copy_text(drop.word, sizeof(drop.word), view_str(word));
    view_copy_text(drop.sentence, sizeof(drop.sentence), view_str(sentence));
    json_array_append_new(list, ctl_drop_json(&drop));
}

static json_t *drops(const struct router *r)
{
    json_t *list = json_array();
    for (int i = 0; i < ROUTER_DROPS; i++)
        add_drop(list, router_drop_word((enum router_drop)i), router_drop_sentence((enum router_drop)i),
                 r->drops[i] + r->kernel_drops[i]);
    for (int i = 1; i < TRACKER_REASONS; i++)
        add_drop(list, tracker_reason_word((enum tracker_reason)i), tracker_reason_sentence((enum tracker_reason)i),
                 r->reasons[i]);
    return list;
}

static uint64_t all_drops(const struct router *r)
{
    uint64_t sum = 0;
    for (int i = 0; i < ROUTER_DROPS; i++)
        sum += r->drops[i] + r->kernel_drops[i];
    for (int i = 1; i < TRACKER_REASONS; i++)
        sum += r->reasons[i];
    return sum;
}

/* ---- verbs ---- */

static uint64_t counted(const struct router *r, enum tracker_counter c)
{
    return r->tracker ? tracker_count(r->tracker, c) : 0;
}

static char *answer_status(struct router *r)
{
    (void)binding_count(r); /* so that what is told is what is */
    uint64_t held_in = 0, held_out = 0, in_kernel = 0, shortcut = 0;
    json_t *host_list = hosts(r, &held_in), *server_list = servers(r, &held_out);
    json_t *binding_list = bindings(r, &in_kernel, &shortcut);
    struct ctl_router router = {
        .version = SEKISHO_VERSION,
        .pid = (uint64_t)getpid(),
        .started = (uint64_t)r->started_wall,
        .passthrough = r->options->passthrough,
        .hosts = json_array_size(host_list),
        .servers = json_array_size(server_list),
        .bindings = json_array_size(binding_list),
        .in_kernel = in_kernel,
        .shortcut = shortcut,
        .held = held_in > held_out ? held_in : held_out, /* the same packets, by host and by server */
        .packets_out = r->packets[TRACKER_OUT],
        .packets_in = r->packets[TRACKER_IN],
        .bytes_out = r->bytes[TRACKER_OUT],
        .bytes_in = r->bytes[TRACKER_IN],
        .ambiguous = counted(r, TRACKER_COUNT_AMBIGUOUS),
        .wrong_guesses = counted(r, TRACKER_COUNT_WRONG_GUESSES),
        .corrected = counted(r, TRACKER_COUNT_CORRECTED),
        .unconfirmed = counted(r, TRACKER_COUNT_UNCONFIRMED),
        .drops = all_drops(r),
    };
    view_copy_text(router.outside, sizeof(router.outside), view_str(r->options->outside));
    put_address(router.address, r->address);
    for (size_t i = 0, n = 0; i < r->options->inside_count; i++)
        n += (size_t)snprintf(router.inside + n, sizeof(router.inside) - n, "%s%s", i > 0 ? ", " : "",
                              r->options->inside[i]);
    json_t *data = ctl_data("router", ctl_router_json(&router));
    if (!data) {
        json_decref(host_list);
        json_decref(server_list);
        json_decref(binding_list);
        return ctl_reply_error(CTL_CODE_FAILED, "The router has no memory left.");
    }
    json_object_set_new(data, "hosts", host_list);
    json_object_set_new(data, "servers", server_list);
    json_object_set_new(data, "bindings", binding_list);
    return ctl_reply_ok(data);
}

char *router_answer(void *ctx, const struct ctl_request *request, struct control_asked *asked)
{
    struct router *r = ctx;
    switch ((int)ctl_request_verb(request)) {
    case CTL_VERB_ROUTER_STATUS:
        return answer_status(r);
    case CTL_VERB_DROPS:
        (void)binding_count(r);
        return ctl_reply_ok(ctl_data("drops", drops(r)));
    case CTL_VERB_EVENTS:
        asked->subscribe = true;
        return ctl_reply_ok(NULL);
    case CTL_VERB_VERSION:
        return ctl_reply_version(SEKISHO_VERSION);
    default:
        return ctl_reply_error(CTL_CODE_REQUEST,
                               "This is a router: it answers router.status, drops, events and version.");
    }
}
