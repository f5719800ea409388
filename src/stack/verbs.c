/* What a program asks of a stack besides the road: answers to slow work, connecting, disconnecting, and looking in. */
#include "stack/stack_internal.h"

#include <stdlib.h>
#include <string.h>

#define GOODBYES 256 /* peers in one call: several datagrams to each must fit the outbox */

void stack_dh_done(struct stack *s, usec_t now, struct dh_work *work)
{
    ike_dh_done(s->ike, now, work);
    stack_settle(s, now);
}

void stack_proof_done(struct stack *s, usec_t now, struct ike_proof *proof)
{
    ike_proof_done(s->ike, now, proof);
    stack_settle(s, now);
}

static struct session *session_checked(const struct stack *s, uint32_t number, uint64_t key)
{
    struct session *session = stack_session_at(s, number);
    return session && session->key == key ? session : NULL;
}

/* Text for the session's PPP. */
static enum err say(struct stack *s, usec_t now, struct session *session,
                    void (*verb)(struct ppp *ppp, usec_t now, struct view text), struct view text)
{
    if (!session)
        return ERR_NOTFOUND;
    verb(session->ppp, now, text);
    stack_session_settle(s, now, session);
    stack_settle(s, now);
    return ERR_OK;
}

enum err stack_ask(struct stack *s, usec_t now, uint32_t number, uint64_t key, struct view text)
{
    return say(s, now, session_checked(s, number, key), ppp_ask, text);
}

enum err stack_auth_done(struct stack *s, usec_t now, uint32_t number, uint64_t key,
                         const struct ppp_auth_answer *answer)
{
    struct session *session = session_checked(s, number, key);
    if (!session)
        return ERR_NOTFOUND;
    if (session->auth) {
        bytes_wipe(session->auth, sizeof(*session->auth));
        free(session->auth);
        session->auth = NULL;
    }
    if (answer->accepted)
        session->network = answer->network;
    ppp_auth_done(session->ppp, now, answer);
    stack_session_settle(s, now, session);
    stack_settle(s, now);
    return ERR_OK;
}

enum err stack_answer(struct stack *s, usec_t now, uint32_t number, uint64_t key, struct view text)
{
    return say(s, now, session_checked(s, number, key), ppp_answer, text);
}

static struct peer *client_peer(struct stack *s, const struct stack_connect *connect, uint32_t ike_peer)
{
    struct peer *peer = stack_peer_new(s, &connect->ike.path);
    if (!peer)
        return NULL;
    peer->client = true;
    peer->ask_routes = connect->ask_routes;
    peer->probe_mtu = connect->probe_mtu;
    peer->profile = stack_profile_new(&connect->ppp);
    if (connect->ike.l2tp_port_local != 0)
        peer->port_local = connect->ike.l2tp_port_local;
    if (!peer->profile || stack_peer_bind_ike(s, peer, ike_peer) != ERR_OK) {
        stack_peer_free(s, 0, peer, CAUSE_NO_MEMORY);
        return NULL;
    }
    return peer;
}

enum err stack_connect(struct stack *s, usec_t now, const struct stack_connect *connect, uint32_t *peer)
{
    uint32_t ike_peer;
    const enum err e = ike_connect(s->ike, now, &connect->ike, &ike_peer);
    if (e != ERR_OK)
        return e;
    struct peer *made = client_peer(s, connect, ike_peer);
    if (!made) {
        ike_close(s->ike, now, ike_peer);
        stack_settle(s, now); /* before its number can be given again */
        return ERR_NOMEM;
    }
    *peer = made->slot;
    stack_settle(s, now);
    return ERR_OK;
}

static void close_links(struct stack *s, usec_t now, const struct peer *peer, enum cause cause)
{
    for (struct session *session = peer->sessions; session; session = session->sibling) {
        ppp_close(session->ppp, now, cause);
        stack_session_settle(s, now, session);
    }
}

/* Says goodbye layer by layer without waiting for answers: each message leaves before the layer below it ends. */
static void peer_goodbye(struct stack *s, usec_t now, struct peer *peer, enum cause cause)
{
    const uint32_t carrier = peer->carrier;
    close_links(s, now, peer, cause);
    l2tp_carrier_close(s->l2tp, now, carrier, cause);
    stack_settle(s, now);
    peer = stack_peer_by_carrier(s, carrier);
    if (!peer)
        return;
    if (!peer->plain) {
        outbox_flush(s);
        ike_close(s->ike, now, peer->ike_peer);
        stack_settle(s, now);
    }
    peer = stack_peer_by_carrier(s, carrier);
    if (peer)
        stack_peer_free(s, now, peer, cause);
    stack_settle(s, now);
}

void stack_disconnect(struct stack *s, usec_t now, uint32_t slot)
{
    struct peer *peer = stack_peer_at(s, slot);
    if (peer)
        peer_goodbye(s, now, peer, CAUSE_ADMIN);
}

void stack_probe(struct stack *s, usec_t now, uint32_t slot)
{
    struct peer *peer = stack_peer_at(s, slot);
    if (!peer)
        return;
    for (struct session *session = peer->sessions; session; session = session->sibling) {
        ppp_check(session->ppp, now);
        stack_session_settle(s, now, session);
    }
    if (!peer->plain)
        ike_probe(s->ike, now, peer->ike_peer);
    stack_settle(s, now);
}

enum err stack_move(struct stack *s, usec_t now, uint32_t slot, const struct ip_addr *local)
{
    struct peer *peer = stack_peer_at(s, slot);
    if (!peer || !peer->client)
        return ERR_NOTFOUND;
    if (local->family != peer->path.local.addr.family || !peer->current || !peer->current->encap)
        return ERR_STATE;
    outbox_flush(s);
    peer->path.local.addr = *local;
    ike_move(s->ike, now, peer->ike_peer, local);
    for (struct session *session = peer->sessions; session && peer->probe_mtu; session = session->sibling)
        if (session->up)
            stack_session_probe(s, now, session);
    stack_probe(s, now, slot);
    return ERR_OK;
}

bool stack_shutdown(struct stack *s, usec_t now)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < s->peers_cap && n < GOODBYES; i++)
        if (s->peers[i]) {
            peer_goodbye(s, now, s->peers[i], CAUSE_SHUTDOWN);
            n++;
        }
    return n == GOODBYES;
}

static uint32_t number_of(uint64_t key)
{
    return (uint32_t)(key & ((1u << SESSION_KEY_SHIFT) - 1));
}

enum err stack_kick(struct stack *s, usec_t now, uint64_t key, enum cause cause)
{
    struct session *session = session_checked(s, number_of(key), key);
    if (!session)
        return ERR_NOTFOUND;
    ppp_close(session->ppp, now, cause);
    stack_session_settle(s, now, session);
    stack_settle(s, now);
    return ERR_OK;
}

struct stack_counters stack_counters(const struct stack *s)
{
    struct stack_counters counters = s->counters;
    const struct ike_stats ike = ike_stats(s->ike);
    counters.half_open = ike.half_open;
    counters.ike_sas = ike.sas;
    return counters;
}

void stack_replace(struct stack *s, usec_t now, uint64_t key)
{
    const uint32_t number = number_of(key);
    if (!session_checked(s, number, key))
        return;
    l2tp_session_close(s->l2tp, now, number, CAUSE_REPLACED);
    stack_settle(s, now);
}

const char *stack_engine(const struct stack *s)
{
    return esp_engine(s->esp);
}

static const char *method_word(enum ppp_auth method)
{
    switch (method) {
    case PPP_AUTH_MSCHAPV2:
        return "mschapv2";
    case PPP_AUTH_CHAP_MD5:
        return "chap-md5";
    case PPP_AUTH_PAP:
        return "pap";
    case PPP_AUTH_EAP_MSCHAPV2:
        return "eap-mschapv2";
    case PPP_AUTH_EAP_MD5:
        return "eap-md5";
    case PPP_AUTH_EAP_GTC:
        return "eap-gtc";
    case PPP_AUTH_EAP_TLS:
        return "eap-tls";
    case PPP_AUTH_NONE:
        break;
    }
    return "none";
}

static void fill_info(const struct stack *s, const struct session *session, struct session_info *out)
{
    const struct peer *peer = stack_peer_at(s, session->peer);
    *out = (struct session_info){
        .session = session->number,
        .session_key = session->key,
        .story = peer->story,
        .path = peer->path,
        .up = session->up,
        .network = session->network,
        .mtu = session->mtu,
        .since = session->since,
        .last_heard = session->heard,
        .in_packets = session->in_packets,
        .in_bytes = session->in_bytes,
        .out_packets = session->out_packets,
        .out_bytes = session->out_bytes,
        .plain = peer->plain,
    };
    view_copy_text(out->auth, sizeof(out->auth), view_str(method_word(ppp_method(session->ppp))));
    if (peer->current) {
        out->esp = peer->current->transform;
        out->encap = peer->current->encap;
    }
    view_copy_text(out->user, sizeof(out->user), view_str(ppp_user(session->ppp)));
    view_copy_text(out->host, sizeof(out->host), view_str(peer->host));
    view_copy_text(out->station, sizeof(out->station), view_str(session->station));
    if (!peer->plain)
        (void)ike_peer_info(s->ike, peer->ike_peer, &out->ike);
}

bool stack_session_next(const struct stack *s, uint32_t *number, struct session_info *out)
{
    for (uint32_t i = *number; i < s->sessions_cap; i++) {
        if (!s->sessions[i])
            continue;
        fill_info(s, s->sessions[i], out);
        *number = i;
        return true;
    }
    return false;
}
