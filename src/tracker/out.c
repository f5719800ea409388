/* What leaves the tracker: moves and events. */
#include "tracker/tracker_internal.h"

void move_pass(struct tracker *t, const struct tracker_packet *p, uint32_t host)
{
    count(t, TRACKER_COUNT_PASSED);
    queue_push(&t->moves,
               &(struct tracker_move){.handle = p->handle, .act = TRACKER_PASS, .way = p->way, .host = host});
}

void move_inbound(struct tracker *t, uint32_t handle, enum tracker_act act, uint32_t host)
{
    if (act == TRACKER_PASS)
        count(t, TRACKER_COUNT_PASSED);
    else if (act == TRACKER_COPY)
        count(t, TRACKER_COUNT_COPIED);
    queue_push(&t->moves, &(struct tracker_move){.handle = handle, .act = act, .way = TRACKER_IN, .host = host});
}

void move_drop(struct tracker *t, const struct tracker_packet *p, enum tracker_reason reason)
{
    count(t, TRACKER_COUNT_DROPPED);
    queue_push(&t->moves,
               &(struct tracker_move){
                   .handle = p->handle, .act = TRACKER_DROP, .way = p->way, .host = p->host, .reason = reason});
}

void tell(struct tracker *t, struct tracker_event event)
{
    queue_push(&t->events, &event);
}

/* A flood is told once a second and host or server. */
void tell_refused(struct tracker *t, usec_t now, usec_t *told, const struct tracker_packet *p,
                  enum tracker_reason reason)
{
    count(t, TRACKER_COUNT_REFUSED);
    if (*told != 0 && now - *told < USEC_SEC)
        return;
    *told = now;
    tell(t, (struct tracker_event){.type = TRACKER_REFUSED,
                                   .way = p->way,
                                   .ike = p->ike,
                                   .host = p->host,
                                   .server = p->server,
                                   .spi = p->spi,
                                   .initiator = p->initiator,
                                   .reason = reason});
}

bool tracker_output(struct tracker *t, struct tracker_move *out)
{
    return queue_pull(&t->moves, out);
}

bool tracker_event(struct tracker *t, struct tracker_event *out)
{
    return queue_pull(&t->events, out);
}
