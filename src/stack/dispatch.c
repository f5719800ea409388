/* What the machines tell, turned into what the others must do. Called after everything that may have moved one. */
#include "stack/stack_internal.h"

#include <stdio.h>
#include <string.h>

#define L2TP_MESSAGE_MAX 1400

/* ---- IKE ---- */

static void ike_up(struct stack *s, usec_t now, const struct ike_event *event)
{
    struct peer *peer = stack_peer_by_ike(s, event->peer);
    if (!peer) {
        peer = stack_peer_new(s, &event->path);
        if (!peer || stack_peer_bind_ike(s, peer, event->peer) != ERR_OK) {
            count_drop(s, DROP_NO_MEMORY);
            if (peer)
                stack_peer_free(s, now, peer, CAUSE_NO_MEMORY);
            ike_close(s->ike, now, event->peer);
            return;
        }
    }
    peer->path = event->path;
    if (peer->story == 0 || !peer->opened)
        peer->story = event->attempt;
    struct story *story = story_find(s, event->attempt);
    if (!story)
        return;
    struct ike_peer_info info;
    view_copy_text(story->identity, sizeof(story->identity), view_str(event->identity));
    view_copy_text(story->psk, sizeof(story->psk), view_str(event->psk));
    if (ike_peer_info(s->ike, event->peer, &info))
        view_copy_text(story->kind, sizeof(story->kind), view_str(info.kind));
    story->nat_local = event->nat_local;
    story->nat_remote = event->nat_remote;
    story->path = event->path;
}

static void child_new(struct stack *s, usec_t now, const struct ike_event *event)
{
    struct peer *peer = stack_peer_by_ike(s, event->peer);
    if (!peer || stack_pair_add(s, now, peer, &event->child) != ERR_OK) {
        count_drop(s, DROP_NO_MEMORY);
        ike_child_close(s->ike, now, event->child.spi_in);
        return;
    }
    if (peer->client || event->child.port_remote != 0)
        peer->port_remote = event->child.port_remote ? event->child.port_remote : L2TP_PORT;
}

static void child_use(struct stack *s, usec_t now, const struct ike_event *event)
{
    struct peer *peer = stack_peer_by_ike(s, event->peer);
    struct pair *pair = peer ? stack_pair_by_spi(peer, event->child.spi_in) : NULL;
    if (!pair)
        return;
    stack_pair_use(s, pair);
    if (peer->opened)
        return;
    peer->opened = true;
    stack_peer_watch(s, now, peer);
    if (peer->client && l2tp_connect(s->l2tp, now, peer->carrier) != ERR_OK)
        stack_failed(s, now, peer, NULL, STAGE_L2TP_SCCRQ, CAUSE_NO_MEMORY, "");
}

static void child_down(struct stack *s, usec_t now, const struct ike_event *event)
{
    struct peer *peer = stack_peer_by_ike(s, event->peer);
    struct pair *pair = peer ? stack_pair_by_spi(peer, event->child.spi_in) : NULL;
    if (!pair)
        return;
    if (!peer->client && !peer->heard_esp && event->cause == CAUSE_PEER_CLOSED)
        stack_peer_gave_up(s, now, peer);
    stack_pair_remove(s, pair);
    stack_peer_release_if_idle(s, now, peer, event->cause == CAUSE_NONE ? CAUSE_PEER_CLOSED : event->cause);
}

static void ike_down(struct stack *s, usec_t now, const struct ike_event *event)
{
    struct peer *peer = stack_peer_by_ike(s, event->peer);
    if (!peer)
        return;
    stack_peer_release_if_idle(s, now, peer, event->cause == CAUSE_NONE ? CAUSE_PEER_CLOSED : event->cause);
}

static void ike_stage(struct stack *s, usec_t now, const struct ike_event *event)
{
    story_step(s, now, event->attempt, &event->path, event->stage, event->detail);
    if (event->stage >= STAGE_IKE_MM3) /* what came before may be anybody's: it would let strangers write our log */
        stack_tell(s,
                   &(struct stack_event){
                       .type = STACK_EVENT_STEP, .story = event->attempt, .path = event->path, .stage = event->stage});
}

static bool has_live_session(const struct peer *peer)
{
    for (const struct session *session = peer->sessions; session; session = session->sibling)
        if (session->up)
            return true;
    return false;
}

static void ike_failed(struct stack *s, usec_t now, const struct ike_event *event)
{
    if (event->peer == 0 && !ike_serves(&s->config.ike))
        return; /* what others tried with a client ends nothing of its own, be it in its server's name */
    struct peer *peer = stack_peer_by_ike(s, event->peer);
    /* A rekeying that failed is tried again: it ends neither a live session's story nor a client. */
    const bool live = peer && has_live_session(peer);
    char lost[LOST_DETAIL_MAX];
    enum cause cause = event->cause;
    /* A server that takes no address but the one it sees: here too NAT traversal is what is missing. */
    if (peer && peer->client && cause == CAUSE_ESP_SELECTOR)
        cause = esp_lost(s, peer, cause, lost);
    const char *detail = cause == CAUSE_ESP_NAT ? lost : event->detail;
    if (!live || event->attempt != peer->story)
        story_end(s, now, event->attempt, &event->path, event->stage, cause, detail);
    struct stack_event told = {.type = STACK_EVENT_FAILED,
                               .story = event->attempt,
                               .path = event->path,
                               .stage = event->stage,
                               .cause = cause};
    view_copy_text(told.detail, sizeof(told.detail), view_str(detail));
    if (!live || !peer->client)
        stack_tell(s, &told);
    if (peer)
        stack_peer_release_if_idle(s, now, peer, event->cause);
}

static void handle_ike(struct stack *s, usec_t now, const struct ike_event *event)
{
    struct peer *peer;
    switch (event->type) {
    case IKE_EVENT_STAGE:
        ike_stage(s, now, event);
        break;
    case IKE_EVENT_FAILED:
    case IKE_EVENT_CHILD_FAILED:
        ike_failed(s, now, event);
        break;
    case IKE_EVENT_DH:
        stack_tell(s, &(struct stack_event){.type = STACK_EVENT_DH, .dh = event->dh});
        break;
    case IKE_EVENT_PROOF:
        stack_tell(s,
                   &(struct stack_event){
                       .type = STACK_EVENT_PROOF, .story = event->attempt, .path = event->path, .proof = event->proof});
        break;
    case IKE_EVENT_UP:
        ike_up(s, now, event);
        break;
    case IKE_EVENT_CHILD_NEW:
        child_new(s, now, event);
        break;
    case IKE_EVENT_CHILD_USE:
        child_use(s, now, event);
        break;
    case IKE_EVENT_CHILD_DOWN:
        child_down(s, now, event);
        break;
    case IKE_EVENT_MOVED:
        peer = stack_peer_by_ike(s, event->peer);
        if (peer)
            stack_peer_moved(s, peer, &event->path);
        break;
    case IKE_EVENT_DOWN:
        ike_down(s, now, event);
        break;
    case IKE_EVENT_DEAD:
        peer = stack_peer_by_ike(s, event->peer);
        if (peer)
            stack_peer_free(s, now, peer, event->cause == CAUSE_NONE ? CAUSE_PEER_SILENT : event->cause);
        break;
    }
}

/* ---- L2TP ---- */

/* What we send may be all that is lost: then the peer's first messages came, and our answers are never acknowledged. */
static void tunnel_failed(struct stack *s, usec_t now, const struct peer *peer, const struct l2tp_event *event)
{
    char detail[LOST_DETAIL_MAX];
    const bool unanswered = event->cause == CAUSE_L2TP_TIMEOUT && peer->host[0] == '\0';
    const enum cause cause = unanswered ? esp_lost(s, peer, event->cause, detail) : event->cause;
    stack_failed(s, now, peer, NULL, STAGE_L2TP_SCCRQ, cause, cause == CAUSE_ESP_NAT ? detail : event->detail);
}

static void handle_l2tp(struct stack *s, usec_t now, const struct l2tp_event *event)
{
    struct peer *peer = stack_peer_by_carrier(s, event->carrier);
    switch (event->type) {
    case L2TP_EVENT_STAGE:
        stack_step(s, now, peer, 0, event->stage, "", event->detail);
        break;
    case L2TP_EVENT_TUNNEL_UP:
        if (peer)
            view_copy_text(peer->host, sizeof(peer->host), view_str(event->peer_host));
        break;
    case L2TP_EVENT_TUNNEL_DOWN:
        if (peer && event->cause != CAUSE_PEER_CLOSED && event->cause != CAUSE_REPLACED)
            tunnel_failed(s, now, peer, event);
        if (peer)
            stack_peer_release_plain(s, now, peer, event->cause);
        break;
    case L2TP_EVENT_SESSION_UP:
        stack_session_open(s, now, event);
        break;
    case L2TP_EVENT_SESSION_DOWN:
        stack_session_down(s, now, event->session, event->cause);
        break;
    }
}

/* ---- what they have to send ---- */

static void send_ike(struct stack *s)
{
    uint8_t room[IKE_DATAGRAM_MAX];
    struct path path;
    struct writer w = wr_init(room, sizeof(room));
    for (; ike_output(s->ike, &path, &w); w = wr_init(room, sizeof(room)))
        transmit_ike(s, &path, wr_written(&w));
}

static void send_l2tp(struct stack *s)
{
    uint8_t room[L2TP_MESSAGE_MAX];
    uint32_t carrier;
    struct writer w = wr_init(room, sizeof(room));
    for (; l2tp_output(s->l2tp, &carrier, &w); w = wr_init(room, sizeof(room))) {
        struct peer *peer = stack_peer_by_carrier(s, carrier);
        if (peer && wr_ok(&w))
            transmit_l2tp(s, peer, wr_written(&w), false);
    }
}

void stack_settle(struct stack *s, usec_t now)
{
    struct ike_event ike;
    struct l2tp_event l2tp;
    for (bool moved = true; moved;) {
        moved = false;
        send_l2tp(s); /* before its events: a goodbye must leave while its peer still has SAs */
        send_ike(s);
        while (ike_event(s->ike, &ike)) {
            handle_ike(s, now, &ike);
            send_l2tp(s);
            moved = true;
        }
        while (l2tp_event(s->l2tp, &l2tp)) {
            send_l2tp(s); /* the acknowledgement of ICCN goes before the first PPP frame */
            handle_l2tp(s, now, &l2tp);
            moved = true;
        }
    }
}
