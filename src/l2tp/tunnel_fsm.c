/* The control connection's machine (RFC 2661 7.2.1): a table of state, message and action. What the table does not name
 * ends the tunnel. */
#include "l2tp/l2tp_internal.h"

#include <stdlib.h>

#define FRAMING_BOTH 3 /* synchronous and asynchronous */

/* ---- what both ends say and learn ---- */

static void begin_with_identity(struct tunnel *t, struct build *b, uint16_t type)
{
    const struct l2tp_config *config = &t->l2tp->config;
    l2tp_tunnel_begin(t, b, type, 0);
    l2tp_build_u16(b, AVP_PROTOCOL_VERSION, PROTOCOL_VERSION_1);
    l2tp_build_u32(b, AVP_FRAMING_CAPABILITIES, FRAMING_BOTH);
    l2tp_build_avp(b, AVP_HOST_NAME, view_str(config->host_name));
    l2tp_build_u16(b, AVP_TUNNEL_ID, t->id);
    l2tp_build_u16(b, AVP_RECEIVE_WINDOW, config->receive_window);
}

static bool asks_proof(const struct tunnel *t)
{
    return t->l2tp->config.secret.n > 0;
}

static void add_challenge(struct tunnel *t, struct build *b)
{
    if (!asks_proof(t))
        return;
    random_fill(&t->l2tp->random, t->challenge, sizeof(t->challenge));
    l2tp_build_avp(b, AVP_CHALLENGE, VIEW(t->challenge));
}

/* Without a secret there is nothing to answer with; the peer then decides whether it minds. */
static void add_response(struct tunnel *t, struct build *b, const struct message *m)
{
    uint8_t response[RESPONSE_SIZE];
    if (!asks_proof(t) || m->challenge.n == 0)
        return;
    if (l2tp_auth_response(b->type, secret_view(&t->l2tp->config.secret), m->challenge, response) != ERR_OK)
        b->w.failed = true;
    l2tp_build_avp(b, AVP_CHALLENGE_RESPONSE, VIEW(response));
}

static bool proven(struct tunnel *t, const struct message *m)
{
    if (!asks_proof(t))
        return true;
    const bool ok = l2tp_auth_matches(m->type, secret_view(&t->l2tp->config.secret), VIEW(t->challenge), m->response);
    bytes_wipe(t->challenge, sizeof(t->challenge));
    return ok;
}

static enum drop reject_proof(struct tunnel *t)
{
    l2tp_tunnel_close(t, STOP_UNAUTHORIZED, ERROR_NONE, CAUSE_L2TP_REFUSED, "tunnel authentication failed");
    return DROP_L2TP_AUTH;
}

static void learn_peer(struct tunnel *t, const struct message *m)
{
    t->peer_id = m->tunnel_id;
    l2tp_channel_set_peer_window(&t->channel, m->has & HAS(RECEIVE_WINDOW) ? m->window : L2TP_WINDOW_DEFAULT);
    t->peer = calloc(1, sizeof(*t->peer));
    if (!t->peer)
        return; /* names are not worth a tunnel */
    l2tp_text_printable(t->peer->host, sizeof(t->peer->host), m->host);
    l2tp_text_printable(t->peer->vendor, sizeof(t->peer->vendor), m->vendor);
}

static void l2tp_tunnel_up(struct tunnel *t)
{
    t->state = TUNNEL_ESTABLISHED;
    t->up_at = t->l2tp->now;
    t->patience_at = t->n_sessions > 0 ? USEC_NEVER : t->l2tp->now + L2TP_EMPTY_PATIENCE;
    l2tp_tunnel_stage(t, NULL, STAGE_L2TP_TUNNEL);
    struct event_node *node = l2tp_tunnel_event(t, NULL, L2TP_EVENT_TUNNEL_UP);
    if (node) {
        node->text = t->peer;
        t->peer = NULL;
    }
}

static bool version_served(const struct message *m)
{
    return m->version >> 8 == PROTOCOL_VERSION_1 >> 8;
}

/* ---- as the one who opens ---- */

static enum err send_request(struct tunnel *t)
{
    struct build b;
    uint8_t tie[8];
    begin_with_identity(t, &b, MSG_SCCRQ);
    t->tie_breaker = random_u64(&t->l2tp->random);
    be32_put(tie, (uint32_t)(t->tie_breaker >> 32));
    be32_put(tie + 4, (uint32_t)t->tie_breaker);
    l2tp_build_avp(&b, AVP_TIE_BREAKER, VIEW(tie));
    add_challenge(t, &b);
    l2tp_tunnel_send(t, &b);
    return t->broken ? ERR_NOMEM : ERR_OK;
}

enum err l2tp_tunnel_open(struct l2tp *l, uint32_t carrier)
{
    struct tunnel *t;
    enum err e = l2tp_tunnel_new(l, carrier, true, &t);
    if (e != ERR_OK)
        return e;
    e = l2tp_session_open(t);
    if (e == ERR_OK)
        e = send_request(t);
    if (e != ERR_OK) {
        l2tp_tunnel_free(t);
        return e;
    }
    l2tp_tunnel_stage(t, NULL, STAGE_L2TP_SCCRQ);
    l2tp_tunnel_wake(t);
    return ERR_OK;
}

static enum drop take_reply(struct tunnel *t, const struct message *m)
{
    learn_peer(t, m);
    if (!version_served(m)) {
        l2tp_tunnel_close(t, STOP_VERSION, PROTOCOL_VERSION_1, CAUSE_L2TP_PROTOCOL, "its protocol version is not 1");
        return DROP_L2TP_VERSION;
    }
    if (!proven(t, m))
        return reject_proof(t);
    struct build b;
    l2tp_tunnel_begin(t, &b, MSG_SCCCN, 0);
    add_response(t, &b, m);
    l2tp_tunnel_send(t, &b);
    l2tp_tunnel_up(t);
    for (uint16_t i = 0; i < t->n_slots; i++)
        if (t->slots[i])
            l2tp_session_tunnel_up(t->slots[i]);
    return DROP_NONE;
}

/* ---- as the one who is asked ---- */

static struct tunnel *find_our_request(const struct l2tp *l, uint32_t carrier)
{
    for (struct tunnel *t = l2tp_table_carrier(l, carrier); t; t = t->carrier_next)
        if (t->carrier == carrier && t->opener && t->state == TUNNEL_WAIT_REPLY)
            return t;
    return NULL;
}

/* RFC 2661 4.4.3: both ends asked at once. The lower tie breaker wins, and one wins over none; we always send one.
 * The loser's tunnel goes in silence, on equality both go. True when the peer's request still stands. */
static bool resolve_tie(struct l2tp *l, uint32_t carrier, const struct message *m)
{
    struct tunnel *ours = find_our_request(l, carrier);
    if (!ours)
        return true;
    if (!(m->has & HAS(TIE_BREAKER)) || ours->tie_breaker < m->tie_breaker)
        return false;
    const bool equal = ours->tie_breaker == m->tie_breaker;
    l2tp_tunnel_drop(ours, CAUSE_L2TP_REFUSED, "the peer opened a tunnel at the same time");
    return !equal;
}

static void send_reply(struct tunnel *t, const struct message *m)
{
    struct build b;
    begin_with_identity(t, &b, MSG_SCCRP);
    add_challenge(t, &b);
    add_response(t, &b, m);
    l2tp_tunnel_send(t, &b);
}

enum drop l2tp_tunnel_accept(struct l2tp *l, uint32_t carrier, const struct message *m)
{
    if (m->refused) {
        l2tp_loose_refuse(l, carrier, m->tunnel_id, STOP_GENERAL, ERROR_UNKNOWN_AVP);
        return DROP_L2TP_AVP;
    }
    if (!version_served(m)) {
        l2tp_loose_refuse(l, carrier, m->tunnel_id, STOP_VERSION, PROTOCOL_VERSION_1);
        return DROP_L2TP_VERSION;
    }
    if (!resolve_tie(l, carrier, m))
        return DROP_L2TP_STATE;
    struct tunnel *t;
    const enum err e = l2tp_tunnel_new(l, carrier, false, &t);
    if (e != ERR_OK) {
        l2tp_loose_refuse(l, carrier, m->tunnel_id, STOP_GENERAL, ERROR_RESOURCES);
        return e == ERR_LIMIT ? DROP_L2TP_LIMIT : DROP_NO_MEMORY;
    }
    learn_peer(t, m);
    l2tp_channel_take(&t->channel, &l->config, l->now);
    l2tp_tunnel_stage(t, NULL, STAGE_L2TP_SCCRQ);
    send_reply(t, m);
    l2tp_tunnel_wake(t);
    return DROP_NONE;
}

static enum drop take_connected(struct tunnel *t, const struct message *m)
{
    l2tp_channel_ack_explicit(&t->channel); /* Android waits for it before its ICRQ */
    if (!proven(t, m))
        return reject_proof(t);
    l2tp_tunnel_up(t);
    return DROP_NONE;
}

/* ---- both ---- */

static enum drop take_nothing(struct tunnel *t, const struct message *m)
{
    (void)t, (void)m;
    return DROP_NONE;
}

static enum drop take_stop(struct tunnel *t, const struct message *m)
{
    const bool plain = m->result <= STOP_CLEAR || m->result == STOP_SHUTDOWN;
    const bool refused = t->state == TUNNEL_WAIT_REPLY || !plain;
    l2tp_channel_flush(&t->channel); /* it listens no more */
    l2tp_channel_ack_explicit(&t->channel);
    l2tp_tunnel_end(t, &(struct ending){
                           .cause = refused ? CAUSE_L2TP_REFUSED : CAUSE_PEER_CLOSED,
                           .result = m->result,
                           .error = m->error,
                           .detail = "StopCCN",
                           .text = m->text,
                       });
    return DROP_NONE;
}

/* We gave up before the answer came; now our StopCCN knows where to go. */
static enum drop take_late_reply(struct tunnel *t, const struct message *m)
{
    t->peer_id = m->tunnel_id;
    return DROP_L2TP_STATE;
}

static const struct {
    enum tunnel_state state;
    enum message_type message;
    enum drop (*act)(struct tunnel *t, const struct message *m);
} transitions[] = {
    {TUNNEL_WAIT_REPLY, MSG_SCCRP, take_reply},    {TUNNEL_WAIT_REPLY, MSG_STOPCCN, take_stop},
    {TUNNEL_WAIT_REPLY, MSG_HELLO, take_nothing},  {TUNNEL_WAIT_CONNECT, MSG_SCCCN, take_connected},
    {TUNNEL_WAIT_CONNECT, MSG_STOPCCN, take_stop}, {TUNNEL_WAIT_CONNECT, MSG_HELLO, take_nothing},
    {TUNNEL_ESTABLISHED, MSG_HELLO, take_nothing}, {TUNNEL_ESTABLISHED, MSG_STOPCCN, take_stop},
    {TUNNEL_CLOSED, MSG_SCCRP, take_late_reply},   {TUNNEL_CLOSED, MSG_STOPCCN, take_stop},
};

static enum drop refuse_message(struct tunnel *t, uint16_t result, uint16_t error, enum drop verdict)
{
    if (t->state != TUNNEL_CLOSED)
        l2tp_tunnel_close(t, result, error, CAUSE_L2TP_PROTOCOL, drop_sentence(verdict));
    return verdict;
}

enum drop l2tp_tunnel_message(struct tunnel *t, const struct message *m)
{
    if (m->refused && m->type != MSG_STOPCCN)
        return refuse_message(t, STOP_GENERAL, ERROR_UNKNOWN_AVP, DROP_L2TP_AVP);
    for (size_t i = 0; i < ARRAY_LEN(transitions); i++)
        if (transitions[i].state == t->state && transitions[i].message == m->type)
            return transitions[i].act(t, m);
    return refuse_message(t, STOP_FSM, ERROR_NONE, DROP_L2TP_STATE);
}
