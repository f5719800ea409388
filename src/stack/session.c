/* Sessions: an L2TP session with its PPP link, from SESSION_UP to the last word. */
#include "stack/stack_internal.h"

#include <stdlib.h>
#include <string.h>

#define L2TP_HEADER_ROOM 16 /* more than any data header that is sent */
#define MTU_MIN          576

struct session *stack_session_at(const struct stack *s, uint32_t number)
{
    return number < s->sessions_cap ? s->sessions[number] : NULL;
}

struct session *stack_session_by_inner(const struct stack *s, uint32_t address)
{
    struct session *session = NULL;
    HASH_FIND(hh, s->by_inner, &address, sizeof(address), session);
    return session;
}

static enum err make_room(struct stack *s, uint32_t number)
{
    if (number < s->sessions_cap)
        return ERR_OK;
    uint32_t cap = s->sessions_cap ? s->sessions_cap : 64;
    while (cap <= number)
        cap *= 2;
    struct session **grown = realloc(s->sessions, cap * sizeof(*grown));
    if (!grown)
        return ERR_NOMEM;
    memset(grown + s->sessions_cap, 0, (cap - s->sessions_cap) * sizeof(*grown));
    s->sessions = grown;
    s->sessions_cap = cap;
    return ERR_OK;
}

static struct session *session_new(struct stack *s, const struct l2tp_event *event)
{
    struct peer *peer = stack_peer_by_carrier(s, event->carrier);
    if (!peer || s->sessions_n >= s->config.max_sessions || make_room(s, event->session) != ERR_OK ||
        s->sessions[event->session])
        return NULL;
    struct session *session = calloc(1, sizeof(*session));
    if (!session)
        return NULL;
    session->number = event->session;
    session->peer = peer->slot;
    session->profile = peer->profile ? peer->profile : s->profile;
    session->server = session->profile->config.server;
    session->inform.at = USEC_NEVER;
    session->ppp = ppp_new(&session->profile->config, &(struct ppp_env){s->random});
    if (!session->ppp) {
        free(session);
        return NULL;
    }
    session->profile->users++;
    session->key = ++s->session_keys << SESSION_KEY_SHIFT | session->number;
    session->sibling = peer->sessions;
    peer->sessions = session;
    s->sessions[event->session] = session;
    s->counters.sessions = ++s->sessions_n;
    return session;
}

void stack_session_open(struct stack *s, usec_t now, const struct l2tp_event *event)
{
    struct session *session = session_new(s, event);
    if (!session) {
        l2tp_session_close(s->l2tp, now, event->session, CAUSE_NO_MEMORY);
        return;
    }
    session->heard = now;
    memcpy(session->station, event->station, sizeof(session->station));
    story_reopen(s, stack_peer_at(s, session->peer)->story);
    ppp_up(session->ppp, now);
    stack_session_settle(s, now, session);
}

static void forget_auth(struct session *session)
{
    if (!session->auth)
        return;
    bytes_wipe(session->auth, sizeof(*session->auth));
    free(session->auth);
    session->auth = NULL;
}

static void unlink_inner(struct stack *s, struct session *session)
{
    if (session->inner != 0)
        HASH_DELETE(hh, s->by_inner, session);
    session->hh.tbl = NULL;
    session->inner = 0;
}

static void unlink_sibling(struct peer *peer, const struct session *session)
{
    struct session **at = &peer->sessions;
    while (*at != session)
        at = &(*at)->sibling;
    *at = session->sibling;
}

void stack_session_down(struct stack *s, usec_t now, uint32_t number, enum cause cause)
{
    struct session *session = stack_session_at(s, number);
    if (!session)
        return;
    struct peer *peer = stack_peer_at(s, session->peer);
    if (ppp_cause(session->ppp) != CAUSE_NONE) /* PPP knew before L2TP went */
        cause = ppp_cause(session->ppp);
    stack_failed(s, now, peer, session, session->up ? STAGE_DATA : STAGE_L2TP_SESSION, cause, "");
    struct stack_event down = {.type = STACK_EVENT_DOWN,
                               .session = number,
                               .session_key = session->key,
                               .story = peer->story,
                               .path = peer->path,
                               .cause = cause,
                               .network = session->network};
    view_copy_text(down.user, sizeof(down.user), view_str(ppp_user(session->ppp)));
    if (session->asked)
        stack_tell(s, &down);
    outbox_flush(s);
    unlink_inner(s, session);
    unlink_sibling(peer, session);
    forget_auth(session);
    timer_clear(&s->links, &session->timer);
    ppp_free(session->ppp);
    stack_profile_drop(session->profile);
    s->sessions[number] = NULL;
    s->counters.sessions = --s->sessions_n;
    free(session);
}

/* What an inner packet may measure, from the true overhead of all layers. */
static uint16_t layers_mtu(const struct stack *s, const struct session *session)
{
    const struct peer *peer = stack_peer_at(s, session->peer);
    const uint32_t outer = outer_limit(s, peer);
    const uint32_t plain = peer->current ? esp_payload_limit(s->esp, peer->current->handle, outer) : outer;
    const uint32_t headers =
        (peer->plain ? 0 : UDP_HEADER) + l2tp_data_overhead(s->l2tp, session->number) + ppp_data_overhead(session->ppp);
    return (uint16_t)(plain > headers ? plain - headers : 0);
}

void stack_session_remtu(struct stack *s, struct session *session)
{
    const uint16_t layers = layers_mtu(s, session), agreed = ppp_mtu(session->ppp);
    const uint16_t mtu = layers < agreed ? layers : agreed;
    session->mtu = mtu > MTU_MIN ? mtu : MTU_MIN;
}

void stack_session_heard(struct stack *s, usec_t now, struct session *session)
{
    session->heard = now;
    ppp_alive(session->ppp, now);
    l2tp_carrier_alive(s->l2tp, now, stack_peer_at(s, session->peer)->carrier);
    if (session->first_data)
        return;
    session->first_data = true;
    stack_step(s, now, stack_peer_at(s, session->peer), session->number, STAGE_DATA, ppp_user(session->ppp), "");
}

/* Copies what the request's views point to: they are PPP's and will not last until the answer. */
static bool keep_auth(struct session *session, const struct ppp_auth_request *request)
{
    forget_auth(session);
    struct pending_auth *auth = calloc(1, sizeof(*auth));
    if (!auth)
        return false;
    auth->request = *request;
    struct {
        struct view *view;
        uint8_t *to;
        size_t cap;
    } parts[] = {
        {&auth->request.password, auth->password, sizeof(auth->password)},
        {&auth->request.challenge, auth->challenge, sizeof(auth->challenge)},
        {&auth->request.peer_challenge, auth->peer_challenge, sizeof(auth->peer_challenge)},
        {&auth->request.response, auth->response, sizeof(auth->response)},
    };
    session->auth = auth;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].view->n > parts[i].cap)
            return false;
        if (parts[i].view->n > 0)
            memcpy(parts[i].to, parts[i].view->p, parts[i].view->n);
        parts[i].view->p = parts[i].to;
    }
    return true;
}

static void ask_who(struct stack *s, usec_t now, struct session *session, const struct ppp_auth_request *request)
{
    if (!keep_auth(session, request)) {
        forget_auth(session);
        ppp_auth_done(session->ppp, now, &(struct ppp_auth_answer){.cause = CAUSE_NO_MEMORY});
        return;
    }
    session->asked = true;
    struct stack_event event = {
        .type = STACK_EVENT_AUTH,
        .session = session->number,
        .session_key = session->key,
        .story = stack_peer_at(s, session->peer)->story,
        .path = stack_peer_at(s, session->peer)->path,
        .auth = session->auth->request,
    };
    memcpy(event.user, request->user, sizeof(event.user));
    memcpy(event.station, session->station, sizeof(event.station));
    stack_tell(s, &event);
}

static void ask_what(struct stack *s, struct session *session, const char *user)
{
    const struct peer *peer = stack_peer_at(s, session->peer);
    struct stack_event event = {.type = STACK_EVENT_ASK,
                                .session = session->number,
                                .session_key = session->key,
                                .story = peer->story,
                                .path = peer->path};
    session->asked = true;
    view_copy_text(event.user, sizeof(event.user), view_str(user));
    stack_tell(s, &event);
}

static void tell_prompt(struct stack *s, const struct session *session, const struct ppp_event *told)
{
    const struct peer *peer = stack_peer_at(s, session->peer);
    struct stack_event event = {.type = STACK_EVENT_PROMPT,
                                .session = session->number,
                                .session_key = session->key,
                                .story = peer->story,
                                .path = peer->path,
                                .round = told->round};
    memcpy(event.prompt, told->prompt, sizeof(event.prompt));
    stack_tell(s, &event);
}

void stack_session_probe(struct stack *s, usec_t now, struct session *session)
{
    ppp_probe(session->ppp, now, MTU_MIN, layers_mtu(s, session));
    stack_session_remtu(s, session);
}

/* The size of the session follows what was found, also that nothing was. */
static void tell_mtu(struct stack *s, struct session *session, uint16_t found)
{
    const struct peer *peer = stack_peer_at(s, session->peer);
    stack_session_remtu(s, session);
    stack_tell(s, &(struct stack_event){.type = STACK_EVENT_MTU,
                                        .session = session->number,
                                        .session_key = session->key,
                                        .story = peer->story,
                                        .path = peer->path,
                                        .mtu = found ? session->mtu : 0});
}

static void network_up(struct stack *s, usec_t now, struct session *session, const struct ppp_network *network)
{
    const bool first = session->since == 0;
    unlink_inner(s, session);
    session->network = *network;
    session->inner = ip4_value(session->server ? &network->remote : &network->local);
    struct session *holder = stack_session_by_inner(s, session->inner);
    if (holder) /* never two sessions with one address: the newer one was told by the pool that it is free */
        unlink_inner(s, holder);
    if (session->inner != 0)
        HASH_ADD(hh, s->by_inner, inner, sizeof(session->inner), session);
    if (!session->hh.tbl)
        session->inner = 0;
    stack_session_remtu(s, session);
    session->up = true;
    session->since = now;
    struct peer *peer = stack_peer_at(s, session->peer);
    struct story *story = story_find(s, peer->story);
    if (story)
        story->established = true;
    struct stack_event event = {
        .type = STACK_EVENT_UP,
        .session = session->number,
        .session_key = session->key,
        .story = peer->story,
        .path = peer->path,
        .network = *network,
    };
    view_copy_text(event.user, sizeof(event.user), view_str(ppp_user(session->ppp)));
    stack_tell(s, &event);
    if (first && peer->ask_routes)
        inform_begin(s, now, session);
    if (peer->probe_mtu)
        stack_session_probe(s, now, session);
}

/* Where a link failed, by what was wrong with it. */
static enum stage stage_of(enum cause cause)
{
    switch ((int)cause) {
    case CAUSE_LCP_FAILED:
    case CAUSE_LCP_TIMEOUT:
        return STAGE_PPP_LCP;
    case CAUSE_AUTH_METHOD:
    case CAUSE_AUTH_NO_USER:
    case CAUSE_AUTH_PASSWORD:
    case CAUSE_AUTH_DISABLED:
    case CAUSE_AUTH_TIMEOUT:
    case CAUSE_AUTH_LIMIT:
    case CAUSE_AUTH_REFUSED:
    case CAUSE_AUTH_SERVICE:
    case CAUSE_AUTH_EXPIRED:
    case CAUSE_AUTH_WAIT:
    case CAUSE_AUTH_CERTIFICATE:
    case CAUSE_AUTH_SERVER_CERTIFICATE:
    case CAUSE_AUTH_LOCKED:
    case CAUSE_AUTH_CODE:
    case CAUSE_GRID_NONE:
    case CAUSE_GRID_EXPIRED:
    case CAUSE_GRID_WRONG:
    case CAUSE_GRID_NOT_ENROLLED:
    case CAUSE_GRID_SHAPE:
    case CAUSE_POOL_EMPTY:
    case CAUSE_ADDRESS_TAKEN:
    case CAUSE_ADDRESS_OUTSIDE:
        return STAGE_PPP_AUTH;
    case CAUSE_PROMPT_UNANSWERED:
        return STAGE_PPP_PROMPT;
    case CAUSE_IPCP_FAILED:
        return STAGE_PPP_IPCP;
    default:
        return STAGE_NONE;
    }
}

static void handle(struct stack *s, usec_t now, struct session *session, const struct ppp_event *event)
{
    const struct peer *peer = stack_peer_at(s, session->peer);
    switch (event->type) {
    case PPP_EVENT_STAGE:
        stack_step(s, now, peer, session->number, event->stage, ppp_user(session->ppp), event->detail);
        break;
    case PPP_EVENT_ASK:
        ask_what(s, session, event->auth.user);
        break;
    case PPP_EVENT_AUTH:
        ask_who(s, now, session, &event->auth);
        break;
    case PPP_EVENT_NETWORK:
        network_up(s, now, session, &event->network);
        break;
    case PPP_EVENT_NETWORK6:
        break; /* link-local only: no prefix is handed out, so nothing is routed */
    case PPP_EVENT_PROMPT:
        tell_prompt(s, session, event);
        break;
    case PPP_EVENT_MTU:
        tell_mtu(s, session, event->mtu);
        break;
    case PPP_EVENT_DOWN:
        session->up = false;
        stack_failed(s, now, peer, session, stage_of(event->cause), event->cause, event->detail);
        l2tp_session_close(s->l2tp, now, session->number, event->cause);
        break;
    }
}

static void send_frames(struct stack *s, struct session *session)
{
    uint8_t room[PPP_FRAME_MAX + L2TP_HEADER_ROOM];
    const uint32_t head = l2tp_data_overhead(s->l2tp, session->number);
    struct writer w = wr_init(room + head, sizeof(room) - head);
    bool whole = ppp_output_whole(session->ppp);
    for (; ppp_output(session->ppp, &w); whole = ppp_output_whole(session->ppp)) {
        struct packet packet = {.data = room + head, .len = (uint32_t)w.n, .headroom = (uint16_t)head};
        if (wr_ok(&w) && l2tp_data_seal(s->l2tp, session->number, &packet))
            transmit_l2tp(s, stack_peer_at(s, session->peer), view_of(packet.data, packet.len), whole);
        w = wr_init(room + head, sizeof(room) - head);
    }
}

void stack_session_settle(struct stack *s, usec_t now, struct session *session)
{
    struct ppp_event event;
    send_frames(s, session);
    while (ppp_event(session->ppp, &event)) {
        handle(s, now, session, &event);
        send_frames(s, session);
    }
    bytes_wipe(&event.auth, sizeof(event.auth));
    const usec_t deadline = usec_min(ppp_deadline(session->ppp), session->inform.at);
    if (timer_set(&s->links, &session->timer, deadline) != ERR_OK)
        count_drop(s, DROP_NO_MEMORY);
}
