/* What there is to tell, in the order in which it happened. */
#include "sekisho/sekisho_internal.h"

#include <stdlib.h>

const char *sekisho_error_text(int error)
{
    return err_text((enum err)error);
}

static const char *word_of(enum cause cause)
{
    return cause == CAUSE_NONE ? "" : cause_word(cause);
}

struct sekisho_event *event_put(struct sekisho *s, enum sekisho_event_type type, usec_t now)
{
    struct event_node *node = calloc(1, sizeof(*node));
    if (!node)
        return NULL; /* what follows will tell, when there is memory again */
    const bool bad = type == SEKISHO_LOST || type == SEKISHO_FAILED;
    const enum cause cause = bad ? s->cause : CAUSE_NONE;
    node->event = (struct sekisho_event){
        .type = type,
        .at_ms = (now - s->began) / USEC_MSEC,
        .stage = stage_word(s->stage),
        .sentence = stage_sentence(s->stage),
        .cause = word_of(cause),
        .why = cause == CAUSE_NONE ? "" : cause_sentence(cause),
        .cure = cause == CAUSE_NONE ? "" : cause_cure(cause),
        .attempt = s->keeper.attempts,
        .status = bad ? cause_exit_status(cause) : 0,
    };
    if (bad)
        view_copy_text(node->event.detail, sizeof(node->event.detail), view_str(s->detail));
    *s->events_tail = node;
    s->events_tail = &node->next;
    return &node->event;
}

struct sekisho_event *event_step(struct sekisho *s, usec_t now, enum stage stage, const char *detail)
{
    s->stage = stage;
    struct sekisho_event *event = event_put(s, SEKISHO_STEP, now);
    if (event)
        view_copy_text(event->detail, sizeof(event->detail), view_str(detail));
    return event;
}

bool sekisho_event(struct sekisho *s, struct sekisho_event *out)
{
    struct event_node *node = s->events;
    if (!node)
        return false;
    *out = node->event;
    s->events = node->next;
    if (!s->events)
        s->events_tail = &s->events;
    free(node);
    return true;
}

void events_free(struct sekisho *s)
{
    while (s->events) {
        struct event_node *node = s->events;
        s->events = node->next;
        free(node);
    }
    s->events_tail = &s->events;
}
