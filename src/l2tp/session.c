/* Sessions: incoming calls (RFC 2661 7.4), taken as LNS and placed as LAC. A table of state, message and action; what
 * it does not name ends the session. Outgoing calls are not served. */
#include "l2tp/l2tp_internal.h"

#include <stdlib.h>
#include <string.h>

#define FRAMING_SYNC 1
#define LINE_SPEED   100000000 /* bits/s: what Windows says too; nobody acts on it */

/* ---- birth ---- */

static void write_data_header(struct session *s)
{
    be16_put(s->header + 2, s->tunnel->peer_id);
    be16_put(s->header + 4, s->peer_id);
}

static enum err session_new(struct tunnel *t, bool lac, struct session **out)
{
    if (t->n_sessions >= t->l2tp->config.max_sessions_per_tunnel)
        return ERR_LIMIT;
    struct session *s = calloc(1, sizeof(*s));
    struct event_node *down = l2tp_event_node_new();
    if (!s || !down) {
        free(s);
        l2tp_event_node_free(down);
        return ERR_NOMEM;
    }
    s->tunnel = t;
    s->lac = lac;
    s->down = down;
    s->patience_at = USEC_NEVER;
    const enum err e = l2tp_table_session_add(t, s);
    if (e != ERR_OK) {
        l2tp_event_node_free(down);
        free(s);
        return e;
    }
    t->had_session = true;
    t->patience_at = t->state == TUNNEL_ESTABLISHED ? USEC_NEVER : t->patience_at;
    *out = s;
    return ERR_OK;
}

static void session_up(struct session *s)
{
    s->state = SESSION_ESTABLISHED;
    s->patience_at = USEC_NEVER;
    write_data_header(s);
    l2tp_tunnel_stage(s->tunnel, s, STAGE_L2TP_SESSION);
    struct event_node *node = l2tp_tunnel_event(s->tunnel, s, L2TP_EVENT_SESSION_UP);
    if (node && s->station[0] && (node->text = calloc(1, sizeof(*node->text))) != NULL)
        memcpy(node->text->station, s->station, sizeof(node->text->station));
}

/* ---- refusing and ending ---- */

static void send_disconnect(struct tunnel *t, uint16_t id, uint16_t peer_id, uint16_t result, uint16_t error)
{
    struct build b;
    l2tp_tunnel_begin(t, &b, MSG_CDN, peer_id);
    l2tp_build_u16(&b, AVP_SESSION_ID, id);
    l2tp_build_result(&b, result, error);
    l2tp_tunnel_send(t, &b);
}

/* A call that gets no session: its CDN needs an id of ours that is not 0 (RFC 2661 4.4.4) and names nothing. */
static void refuse_call(struct tunnel *t, const struct message *m, uint16_t error)
{
    if (m->session_id == 0)
        return;
    const uint16_t id = (uint16_t)(1 + random_below(&t->l2tp->random, UINT16_MAX));
    send_disconnect(t, id, m->session_id, CDN_GENERAL, error);
}

void l2tp_session_disconnect(struct session *s, uint16_t result, uint16_t error)
{
    if (s->state != SESSION_WAIT_TUNNEL) /* else the peer has never heard of it */
        send_disconnect(s->tunnel, s->id, s->peer_id, result, error);
}

void l2tp_session_hang_up(struct session *s, uint16_t result, uint16_t error, enum cause cause, const char *detail)
{
    l2tp_session_disconnect(s, result, error);
    l2tp_session_end(s, &(struct ending){.cause = cause, .detail = detail});
}

/* ---- as LNS ---- */

static struct session *find_by_peer(const struct tunnel *t, uint16_t peer_id)
{
    for (uint16_t i = 0; i < t->n_slots; i++)
        if (t->slots[i] && t->slots[i]->peer_id == peer_id)
            return t->slots[i];
    return NULL;
}

static void send_reply(struct session *s)
{
    struct build b;
    l2tp_tunnel_begin(s->tunnel, &b, MSG_ICRP, s->peer_id);
    l2tp_build_u16(&b, AVP_SESSION_ID, s->id);
    l2tp_tunnel_send(s->tunnel, &b);
}

/* A client of ours tells by it that it is the one that called before. */
static void note_station(struct session *s, struct view calling)
{
    const struct view prefix = view_str(L2TP_STATION_PREFIX);
    if (calling.n > prefix.n && calling.n < sizeof(s->station) && memcmp(calling.p, prefix.p, prefix.n) == 0)
        view_copy_text(s->station, sizeof(s->station), calling);
}

static enum drop take_call(struct tunnel *t, const struct message *m)
{
    if (m->refused) {
        refuse_call(t, m, ERROR_UNKNOWN_AVP);
        return DROP_L2TP_AVP;
    }
    if (t->opener) { /* we dialled in; nobody calls us back */
        refuse_call(t, m, ERROR_VENDOR);
        return DROP_L2TP_STATE;
    }
    struct session *old = find_by_peer(t, m->session_id);
    if (old) /* it gave this id away anew, so the old call is gone at its side */
        l2tp_session_end(old, &(struct ending){.cause = CAUSE_REPLACED});
    struct session *s;
    const enum err e = session_new(t, false, &s);
    if (e != ERR_OK) {
        refuse_call(t, m, ERROR_RESOURCES);
        return e == ERR_LIMIT ? DROP_L2TP_LIMIT : DROP_NO_MEMORY;
    }
    s->peer_id = m->session_id;
    note_station(s, m->calling);
    s->state = SESSION_WAIT_CONNECT;
    s->patience_at = t->l2tp->now + L2TP_SETUP_PATIENCE;
    l2tp_tunnel_stage(t, s, STAGE_L2TP_ICRQ);
    send_reply(s);
    return DROP_NONE;
}

/* A client that restarted has left its older tunnels behind. */
static void close_older_tunnels(struct tunnel *newest)
{
    for (struct tunnel *t = l2tp_table_carrier(newest->l2tp, newest->carrier); t; t = t->carrier_next)
        if (t->carrier == newest->carrier && !t->opener && t->age < newest->age)
            l2tp_tunnel_close(t, STOP_CLEAR, ERROR_NONE, CAUSE_REPLACED, NULL);
}

/* Tx Connect Speed and Framing Type are mandatory in an ICCN, but Huawei's has none, and neither matters here. */
static enum drop take_connected(struct session *s, const struct message *m)
{
    l2tp_channel_ack_explicit(&s->tunnel->channel); /* Android waits for it before PPP */
    s->sequencing = s->sequenced = m->has & HAS(SEQUENCING_REQUIRED);
    session_up(s);
    close_older_tunnels(s->tunnel);
    return DROP_NONE;
}

/* ---- as LAC ---- */

enum err l2tp_session_open(struct tunnel *t)
{
    struct session *s;
    const enum err e = session_new(t, true, &s);
    if (e == ERR_OK)
        s->state = SESSION_WAIT_TUNNEL;
    return e;
}

void l2tp_session_tunnel_up(struct session *s)
{
    struct build b;
    s->state = SESSION_WAIT_REPLY;
    s->patience_at = s->tunnel->l2tp->now + L2TP_SETUP_PATIENCE;
    l2tp_tunnel_begin(s->tunnel, &b, MSG_ICRQ, 0);
    l2tp_build_u16(&b, AVP_SESSION_ID, s->id);
    l2tp_build_u32(&b, AVP_CALL_SERIAL, s->number);
    if (s->tunnel->l2tp->config.station[0])
        l2tp_build_avp(&b, AVP_CALLING_NUMBER, view_str(s->tunnel->l2tp->config.station));
    l2tp_tunnel_send(s->tunnel, &b);
    l2tp_tunnel_stage(s->tunnel, s, STAGE_L2TP_ICRQ);
}

static enum drop take_reply(struct session *s, const struct message *m)
{
    struct build b;
    s->peer_id = m->session_id;
    s->sequencing = s->sequenced = s->tunnel->l2tp->config.sequencing;
    l2tp_tunnel_begin(s->tunnel, &b, MSG_ICCN, s->peer_id);
    l2tp_build_u32(&b, AVP_TX_SPEED, LINE_SPEED);
    l2tp_build_u32(&b, AVP_FRAMING_TYPE, FRAMING_SYNC);
    if (s->sequencing)
        l2tp_build_avp(&b, AVP_SEQUENCING_REQUIRED, VIEW_NONE);
    l2tp_tunnel_send(s->tunnel, &b);
    session_up(s);
    return DROP_NONE;
}

/* ---- both ---- */

static enum drop take_nothing(struct session *s, const struct message *m)
{
    (void)s, (void)m;
    return DROP_NONE;
}

static enum drop take_disconnect(struct session *s, const struct message *m)
{
    const bool was_up = s->state == SESSION_ESTABLISHED;
    l2tp_session_end(s, &(struct ending){
                            .cause = was_up ? CAUSE_PEER_CLOSED : CAUSE_L2TP_REFUSED,
                            .result = m->result,
                            .error = m->error,
                            .detail = "CDN",
                            .text = m->text,
                        });
    return DROP_NONE;
}

static const struct {
    enum session_state state;
    enum message_type message;
    enum drop (*act)(struct session *s, const struct message *m);
} transitions[] = {
    {SESSION_WAIT_REPLY, MSG_ICRP, take_reply},       {SESSION_WAIT_REPLY, MSG_CDN, take_disconnect},
    {SESSION_WAIT_CONNECT, MSG_ICCN, take_connected}, {SESSION_WAIT_CONNECT, MSG_CDN, take_disconnect},
    {SESSION_ESTABLISHED, MSG_CDN, take_disconnect},  {SESSION_ESTABLISHED, MSG_WEN, take_nothing},
    {SESSION_ESTABLISHED, MSG_SLI, take_nothing},
};

static enum drop step(struct session *s, const struct message *m)
{
    if (m->refused && m->type != MSG_CDN) {
        l2tp_session_hang_up(s, CDN_GENERAL, ERROR_UNKNOWN_AVP, CAUSE_L2TP_PROTOCOL, drop_sentence(DROP_L2TP_AVP));
        return DROP_L2TP_AVP;
    }
    for (size_t i = 0; i < ARRAY_LEN(transitions); i++)
        if (transitions[i].state == s->state && transitions[i].message == m->type)
            return transitions[i].act(s, m);
    l2tp_session_hang_up(s, CDN_GENERAL, ERROR_SESSION_ID, CAUSE_L2TP_PROTOCOL, drop_sentence(DROP_L2TP_STATE));
    return DROP_L2TP_STATE;
}

enum drop l2tp_session_message(struct tunnel *t, uint16_t session_id, const struct message *m)
{
    if (t->state == TUNNEL_CLOSED)
        return DROP_L2TP_STATE;
    if (m->type == MSG_CDN)
        l2tp_channel_ack_explicit(&t->channel);
    if (t->state != TUNNEL_ESTABLISHED) {
        l2tp_tunnel_close(t, STOP_GENERAL, ERROR_NO_CONTROL, CAUSE_L2TP_PROTOCOL, drop_sentence(DROP_L2TP_STATE));
        return DROP_L2TP_STATE;
    }
    struct session *s = session_id ? l2tp_table_session(t, session_id) : NULL;
    if (s)
        return step(s, m);
    if (session_id == 0 && m->type == MSG_ICRQ)
        return take_call(t, m);
    if (session_id == 0 && m->type == MSG_OCRQ) {
        refuse_call(t, m, ERROR_VENDOR);
        return DROP_L2TP_STATE;
    }
    /* RFC 2661 4.4.4: a peer that hangs up before our ICRP came names the call by its own id. */
    if (m->type == MSG_CDN && m->session_id != 0 && (s = find_by_peer(t, m->session_id)))
        return step(s, m);
    return DROP_L2TP_SESSION; /* one that has just ended, crossing our CDN */
}
