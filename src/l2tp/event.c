/* What happened, in order, until it is taken. */
#include "l2tp/l2tp_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void l2tp_event_queue_init(struct event_queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

void l2tp_event_queue_done(struct event_queue *q)
{
    while (q->first) {
        struct event_node *node = q->first;
        q->first = node->next;
        l2tp_event_node_free(node);
    }
    q->last = &q->first;
}

void l2tp_event_queue_push(struct event_queue *q, struct event_node *node)
{
    node->next = NULL;
    *q->last = node;
    q->last = &node->next;
}

static void write_out(const struct event_node *node, struct l2tp_event *out)
{
    const struct l2tp_event_brief *b = &node->brief;
    *out = (struct l2tp_event){
        .type = (enum l2tp_event_type)b->type,
        .carrier = b->carrier,
        .session = b->session,
        .tunnel_id = b->tunnel_id,
        .session_id = b->session_id,
        .peer_tunnel_id = b->peer_tunnel_id,
        .peer_session_id = b->peer_session_id,
        .stage = (enum stage)b->stage,
        .cause = (enum cause)b->cause,
        .result = b->result,
        .error = b->error,
    };
    if (!node->text)
        return;
    memcpy(out->peer_host, node->text->host, sizeof(out->peer_host));
    memcpy(out->peer_vendor, node->text->vendor, sizeof(out->peer_vendor));
    memcpy(out->detail, node->text->detail, sizeof(out->detail));
    memcpy(out->station, node->text->station, sizeof(out->station));
}

bool l2tp_event_queue_take(struct event_queue *q, struct l2tp_event *out)
{
    struct event_node *node = q->first;
    if (!node)
        return false;
    q->first = node->next;
    if (!q->first)
        q->last = &q->first;
    write_out(node, out);
    l2tp_event_node_free(node);
    return true;
}

struct event_node *l2tp_event_node_new(void)
{
    return calloc(1, sizeof(struct event_node));
}

void l2tp_event_node_free(struct event_node *node)
{
    if (!node)
        return;
    free(node->text);
    free(node);
}

void l2tp_text_printable(char *out, size_t cap, struct view text)
{
    if (text.n > 0 && text.p[text.n - 1] == 0) /* Apple counts the NUL */
        text.n--;
    size_t n = 0;
    for (; n < text.n && n + 1 < cap; n++)
        out[n] = text.p[n] >= 0x20 && text.p[n] < 0x7f ? (char)text.p[n] : '?';
    out[n] = 0;
}

void l2tp_event_detail(struct event_node *node, const char *detail, struct view text)
{
    if (!node || (!detail && text.n == 0))
        return;
    if (!node->text)
        node->text = calloc(1, sizeof(*node->text));
    if (!node->text) /* the event is worth more than its words */
        return;
    char said[64];
    l2tp_text_printable(said, sizeof(said), text);
    snprintf(node->text->detail, sizeof(node->text->detail), "%s%s%s", detail ? detail : "",
             detail && said[0] ? ": " : "", said);
}
