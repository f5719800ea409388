/* One attempt, from a fresh stack to goodbye: nothing of an earlier one can be in the way of the next. */
#include "sekisho/sekisho_internal.h"

#include <stdio.h>
#include <string.h>

void attempt_over(struct sekisho *s, enum cause cause, const char *detail)
{
    struct attempt *a = &s->attempt;
    if (a->over)
        return;
    a->over = true;
    a->cause = cause;
    view_copy_text(a->detail, sizeof(a->detail), view_str(detail));
}

bool attempt_info(const struct sekisho *s, struct session_info *out)
{
    uint32_t number = 0;
    return s->attempt.stack && stack_session_next(s->attempt.stack, &number, out);
}

/* ---- what the stack tells ---- */

static void write_address(char *out, const struct ip_addr *a)
{
    char text[IP_TEXT_MAX] = "";
    if (a->family)
        ip_text(a, text);
    memcpy(out, text, sizeof(text));
}

static void write_network(struct sekisho *s, const struct ppp_network *from)
{
    struct sekisho_network *n = &s->network;
    struct session_info info;
    *n = (struct sekisho_network){.mtu = 1280};
    write_address(n->address, &from->local);
    write_address(n->peer, &from->remote);
    for (size_t i = 0; i < ARRAY_LEN(from->dns); i++)
        if (from->dns[i].family)
            write_address(n->dns[n->dns_count++], &from->dns[i]);
    for (size_t i = 0; i < ARRAY_LEN(from->wins); i++)
        if (from->wins[i].family)
            write_address(n->wins[n->wins_count++], &from->wins[i]);
    if (attempt_info(s, &info)) {
        n->mtu = info.mtu;
        write_address(n->server, &info.path.remote.addr);
        n->server_port = info.path.remote.port;
    }
}

static void tell_up(struct sekisho *s, usec_t now)
{
    struct sekisho_event *event = event_put(s, SEKISHO_UP, now);
    if (event)
        event->network = s->network;
}

static void network_up(struct sekisho *s, usec_t now, const struct ppp_network *network)
{
    if (!s->attempt.up) {
        s->attempt.up = true;
        recall_up(&s->recall, now);
        s->up_since = now;
        keeper_up(&s->keeper, now);
    }
    s->settings.want = network->local; /* asked for again, so that connections through the tunnel survive */
    write_network(s, network);
    tell_up(s, now);
}

/* What DHCP has brought besides. */
static void take_lease(struct sekisho *s, usec_t now, const struct dhcp_lease *lease)
{
    struct sekisho_network *n = &s->network;
    if (!lease->answered)
        return;
    n->route_count = 0;
    for (size_t i = 0; i < lease->route_count && i < SEKISHO_ROUTES_MAX; i++) {
        struct sekisho_route *route = &n->routes[n->route_count++];
        write_address(route->to, &lease->routes[i].to);
        route->bits = lease->routes[i].bits;
    }
    for (size_t i = 0; n->dns_count == 0 && i < ARRAY_LEN(lease->dns); i++)
        if (lease->dns[i].family)
            write_address(n->dns[n->dns_count++], &lease->dns[i]);
    view_copy_text(n->domain, sizeof(n->domain), view_str(lease->domain));
    tell_up(s, now);
}

static void take_mtu(struct sekisho *s, usec_t now, uint16_t mtu)
{
    if (mtu == 0 || mtu == s->network.mtu)
        return;
    s->network.mtu = mtu;
    tell_up(s, now);
}

/* ---- slow work ---- */

static void judgement_ready(void *ctx, uint32_t what)
{
    struct sekisho *s = ctx;
    struct attempt *a = &s->attempt;
    const usec_t now = loop_now(s->loop);
    (void)what;
    for (size_t i = 0; i < JUDGEMENTS_MAX; i++) {
        struct ike_proof *proof = a->judgements[i] ? judgement_take(a->judgements[i]) : NULL;
        if (!proof)
            continue;
        loop_remove(s->loop, judgement_fd(a->judgements[i]));
        judgement_end(a->judgements[i]);
        a->judgements[i] = NULL;
        stack_proof_done(a->stack, now, proof);
    }
    pump_flush(a->pump, now);
}

static void ask_judge(struct sekisho *s, usec_t now, struct ike_proof *proof)
{
    struct judgement **place = s->attempt.judgements;
    size_t i = 0;
    while (i < JUDGEMENTS_MAX && place[i])
        i++;
    struct judgement *made =
        i < JUDGEMENTS_MAX && s->settings.identity ? judgement_begin(s->settings.identity, proof) : NULL;
    if (!made) {
        proof->cause = CAUSE_NO_MEMORY;
        stack_proof_done(s->attempt.stack, now, proof);
    } else if (loop_add(s->loop, judgement_fd(made), LOOP_READ, judgement_ready, s) != ERR_OK) {
        judgement_end(made);
        attempt_over(s, CAUSE_NO_MEMORY, "");
    } else {
        place[i] = made;
    }
}

static void end_judgements(struct sekisho *s)
{
    for (size_t i = 0; i < JUDGEMENTS_MAX; i++)
        if (s->attempt.judgements[i]) {
            loop_remove(s->loop, judgement_fd(s->attempt.judgements[i]));
            judgement_end(s->attempt.judgements[i]);
            s->attempt.judgements[i] = NULL;
        }
}

/* ---- questions for the user ---- */

static void describe_grid(const struct grid_prompt *grid, struct sekisho_grid *out)
{
    *out = (struct sekisho_grid){.blocks = grid->shape.blocks,
                                 .rows = grid->shape.rows,
                                 .columns = grid->shape.columns,
                                 .number = grid->number,
                                 .seconds = grid->life};
    memcpy(out->cells, grid->cells, sizeof(grid->cells));
}

static void put_question(struct sekisho *s, usec_t now, const struct stack_event *prompt, bool is_grid)
{
    const struct attempt *a = &s->attempt;
    s->stage = STAGE_PPP_PROMPT;
    struct sekisho_event *event = event_put(s, SEKISHO_PROMPT, now);
    if (!event)
        return; /* nobody answers, and the login ends */
    event->round = prompt->round;
    memcpy(event->prompt, prompt->prompt, sizeof(event->prompt));
    view_copy_text(event->detail, sizeof(event->detail), view_str(is_grid ? a->grid.question : prompt->prompt));
    describe_grid(&a->grid, &event->grid);
}

static enum err give_answer(struct attempt *a, usec_t now, const char *text)
{
    a->asked = false;
    return stack_answer(a->stack, now, a->session, a->session_key, view_str(text));
}

/* What let us in before is tried once; a server that asks again does not take it. */
static void ask_user(struct sekisho *s, usec_t now, const struct stack_event *prompt)
{
    struct attempt *a = &s->attempt;
    a->grid = (struct grid_prompt){0};
    const bool is_grid = grid_prompt_parse(view_str(prompt->prompt), &a->grid) == ERR_OK;
    const char *known = is_grid && prompt->round == 1 ? recall_answer(&s->recall, now) : NULL;
    keeper_asked(&s->keeper, now);
    a->asked = true;
    a->session = prompt->session;
    a->session_key = prompt->session_key;
    if (known) {
        event_step(s, now, STAGE_PPP_PROMPT, "answered as at the login before");
        (void)give_answer(a, now, known);
        return;
    }
    recall_drop(&s->recall);
    put_question(s, now, prompt, is_grid);
}

enum err attempt_answer(struct sekisho *s, usec_t now, const char *text)
{
    struct attempt *a = &s->attempt;
    if (!a->stack || !a->asked || a->over)
        return ERR_STATE;
    recall_typed(&s->recall, &a->grid, text);
    const enum err e = give_answer(a, now, text);
    pump_flush(a->pump, now);
    return e;
}

static void tell(void *ctx, usec_t now)
{
    struct sekisho *s = ctx;
    struct stack_event event;
    while (stack_event(s->attempt.stack, &event)) {
        if (event.type == STACK_EVENT_DH) {
            dh_work_run(event.dh);
            stack_dh_done(s->attempt.stack, now, event.dh);
        } else if (event.type == STACK_EVENT_PROOF) {
            ask_judge(s, now, event.proof);
        } else if (event.type == STACK_EVENT_ROUTES && s->attempt.up) {
            take_lease(s, now, &event.lease);
        } else if (event.type == STACK_EVENT_MTU && s->attempt.up) {
            take_mtu(s, now, event.mtu);
        } else if (event.type == STACK_EVENT_PROMPT && !s->attempt.over) {
            ask_user(s, now, &event);
        } else if (event.type == STACK_EVENT_STEP && !s->attempt.over) {
            event_step(s, now, event.stage, event.detail);
        } else if (event.type == STACK_EVENT_UP && !s->attempt.over) {
            network_up(s, now, &event.network);
        } else if (event.type == STACK_EVENT_FAILED && !s->attempt.over) {
            if (event.stage != STAGE_NONE)
                s->stage = event.stage;
            attempt_over(s, event.cause, event.detail);
        }
    }
}

static void deliver(void *ctx, const struct frame_pieces *frame)
{
    packets_take(ctx, frame);
}

static void tun_gone(void *ctx)
{
    attempt_over(ctx, CAUSE_INTERFACE_GONE, "");
}

/* ---- life ---- */

static bool make(struct sekisho *s)
{
    struct attempt *a = &s->attempt;
    struct stack_config config = settings_stack(&s->settings);
    const struct random rng = entropy_random(&s->entropy);
    config.coalesce_udp = s->tun && tun_has_udp_offload(s->tun);
    if (!s->tun) /* packets come one by one: there is nothing for the lanes of ipsec-mb, whose memory is large */
        config.esp.engine = "openssl";
    if (!s->sockets.raw && config.ike.encap == IKE_ENCAP_AUTO)
        config.ike.encap = IKE_ENCAP_FORCE;
    a->stack = stack_new(&config, &rng);
    bytes_wipe(&config, sizeof(config));
    const struct pump_config pump = {
        .loop = s->loop,
        .stack = a->stack,
        .tun = s->tun,
        .deliver = deliver,
        .cold = !s->tun,
        .socks = s->sockets.list,
        .sock_count = s->sockets.count,
        .tell = tell,
        .gone = tun_gone,
        .ctx = s,
    };
    a->pump = a->stack ? pump_new(&pump) : NULL;
    return a->pump != NULL;
}

static enum err begin(struct sekisho *s, usec_t now)
{
    struct attempt *a = &s->attempt;
    const uint8_t family = a->remote.family;
    struct stack_connect connect = {
        .ike = {.path = {{a->local, sockets_port(&s->sockets, family, SOCK_UDP_IKE)}, {a->remote, IKE_PORT}},
                .natt_port_local = sockets_port(&s->sockets, family, SOCK_UDP_NATT)},
    };
    settings_connect(&s->settings, &connect);
    const enum err e = stack_connect(a->stack, now, &connect, &a->peer);
    bytes_wipe(&connect, sizeof(connect));
    return e;
}

/* The first thing told of an attempt: whom it is for, by which address, and whether ESP has to go in UDP. */
static void tell_beginning(struct sekisho *s, usec_t now)
{
    char local[IP_TEXT_MAX], remote[IP_TEXT_MAX], detail[SEKISHO_TEXT];
    snprintf(detail, sizeof(detail), "from %s to %s%s", ip_text(&s->attempt.local, local),
             ip_text(&s->attempt.remote, remote),
             s->sockets.raw || s->settings.encap == IKE_ENCAP_FORCE ? ""
                                                                    : "; ESP in UDP, as raw sockets are not permitted");
    struct sekisho_event *event = event_step(s, now, STAGE_IKE_MM1, detail);
    if (event)
        write_address(event->network.server, &s->attempt.remote);
}

void attempt_begin(struct sekisho *s, usec_t now, const struct ip_addr *remote)
{
    struct attempt *a = &s->attempt;
    *a = (struct attempt){.remote = *remote};
    s->stage = STAGE_NONE;
    if (sockets_source(&s->sockets, &s->settings, remote, &a->local) != ERR_OK) {
        attempt_over(s, CAUSE_NO_NETWORK, "");
        return;
    }
    tell_beginning(s, now);
    if (!make(s)) {
        attempt_over(s, CAUSE_NO_MEMORY, "");
        return;
    }
    const enum err e = begin(s, now);
    if (e != ERR_OK)
        attempt_over(s, e == ERR_INVALID ? CAUSE_IKE_NO_PROPOSAL : CAUSE_NO_MEMORY,
                     e == ERR_INVALID ? "a proposal cannot be understood" : "");
    else
        pump_flush(a->pump, now);
}

static void count(struct stack_counters *sum, const struct stack_counters *more)
{
    sum->in_packets += more->in_packets;
    sum->in_bytes += more->in_bytes;
    sum->out_packets += more->out_packets;
    sum->out_bytes += more->out_bytes;
}

void attempt_end(struct sekisho *s, usec_t now)
{
    struct attempt *a = &s->attempt;
    end_judgements(s);
    if (a->up)
        recall_lost(&s->recall, now);
    a->over = true; /* what the goodbye brings is no news */
    if (a->pump) {
        stack_disconnect(a->stack, now, a->peer);
        pump_flush(a->pump, now);
    }
    if (a->stack) {
        const struct stack_counters counters = stack_counters(a->stack);
        count(&s->done, &counters);
    }
    pump_free(a->pump);
    stack_free(a->stack);
    *a = (struct attempt){0};
}
