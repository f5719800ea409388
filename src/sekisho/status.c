/* How the connection is, for people. */
#include "sekisho/sekisho_internal.h"

#include <string.h>

static enum sekisho_state state_of(const struct keeper *k)
{
    switch (k->state) {
    case KEEPER_RESOLVING:
    case KEEPER_TRYING:
        return SEKISHO_CONNECTING;
    case KEEPER_UP:
        return SEKISHO_CONNECTED;
    case KEEPER_WAITING:
        return SEKISHO_WAITING;
    case KEEPER_IDLE:
        break;
    }
    return SEKISHO_IDLE;
}

static void add_session(const struct sekisho *s, struct sekisho_status *out)
{
    struct session_info info;
    char endpoint[ENDPOINT_TEXT_MAX];
    if (!attempt_info(s, &info))
        return;
    view_copy_text(out->server_address, sizeof(out->server_address),
                   view_str(endpoint_text(&info.path.remote, endpoint)));
    view_copy_text(out->local_address, sizeof(out->local_address), view_str(endpoint_text(&info.path.local, endpoint)));
    view_copy_text(out->ike, sizeof(out->ike), view_str(info.ike.ike_transform));
    view_copy_text(out->server_name, sizeof(out->server_name), view_str(info.ike.identity));
    view_copy_text(out->server_host, sizeof(out->server_host), view_str(info.host));
    out->encapsulated = info.encap;
    out->nat_here = info.ike.nat_local;
    out->nat_there = info.ike.nat_remote;
    view_copy_text(out->esp, sizeof(out->esp), view_str(esp_transform_name(&info.esp)));
    view_copy_text(out->auth, sizeof(out->auth), view_str(info.auth));
    view_copy_text(out->machine_auth, sizeof(out->machine_auth),
                   view_str(s->settings.identity ? "certificate" : "psk"));
}

void sekisho_status(const struct sekisho *s, struct sekisho_status *out)
{
    const usec_t now = clock_now();
    const struct keeper *k = &s->keeper;
    struct stack_counters live = {0};
    if (s->attempt.stack)
        live = stack_counters(s->attempt.stack);
    *out = (struct sekisho_status){
        .state = state_of(k),
        .attempts = k->attempts,
        .ups = k->ups,
        .up_ms = k->state == KEEPER_UP ? (now - s->up_since) / USEC_MSEC : 0,
        .in_packets = s->done.in_packets + live.in_packets,
        .in_bytes = s->done.in_bytes + live.in_bytes,
        .out_packets = s->done.out_packets + live.out_packets,
        .out_bytes = s->done.out_bytes + live.out_bytes,
        .stage = stage_word(s->stage),
        .cause = s->cause == CAUSE_NONE ? "" : cause_word(s->cause),
        .network = s->network,
    };
    if (k->state == KEEPER_WAITING && k->deadline > now)
        out->retry_ms = (uint32_t)((k->deadline - now) / USEC_MSEC);
    add_session(s, out);
}
