/* A client asks the far end of the link, once IPv4 is up, for the routes and the domain that IPCP cannot carry: a
 * DHCPINFORM into the tunnel, repeated until it is answered. The answer does not reach the TUN. */
#include "stack/stack_internal.h"

#define INFORM_SENDS    4
#define INFORM_INTERVAL (3 * USEC_SEC) /* both as Windows */

static void tell(struct stack *s, struct session *session, const struct dhcp_lease *lease)
{
    const struct peer *peer = stack_peer_at(s, session->peer);
    session->inform.at = USEC_NEVER;
    const struct stack_event event = {.type = STACK_EVENT_ROUTES,
                                      .session = session->number,
                                      .session_key = session->key,
                                      .story = peer->story,
                                      .path = peer->path,
                                      .lease = *lease};
    stack_tell(s, &event);
}

static void ask(struct stack *s, usec_t now, struct session *session)
{
    uint8_t room[DHCP_QUESTION_MAX];
    struct writer w = wr_init(room, sizeof(room));
    const usec_t since = session->inform.sent * INFORM_INTERVAL;
    dhcp_question(&session->network.local, session->inform.xid, (uint16_t)(since / USEC_SEC), &w);
    session->inform.sent++;
    session->inform.at = now + INFORM_INTERVAL;
    send_inner(s, wr_written(&w));
}

void inform_begin(struct stack *s, usec_t now, struct session *session)
{
    session->inform.xid = random_u32(&s->random);
    session->inform.sent = 0;
    ask(s, now, session);
}

void inform_timeout(struct stack *s, usec_t now, struct session *session)
{
    if (session->inform.at > now)
        return;
    if (session->inform.sent < INFORM_SENDS)
        ask(s, now, session);
    else
        tell(s, session, &(struct dhcp_lease){0});
}

bool inform_take(struct stack *s, struct session *session, struct view packet)
{
    struct dhcp_lease lease;
    if (session->inform.at == USEC_NEVER ||
        dhcp_learn(packet, &session->network.local, session->inform.xid, &lease) != ERR_OK)
        return false;
    tell(s, session, &lease);
    return true;
}
