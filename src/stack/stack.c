/* A stack's life: making, freeing, reconfiguring, time. */
#include "stack/stack_internal.h"

#include <stdlib.h>
#include <string.h>

static uint32_t reserve_spi(void *ctx)
{
    return esp_spi_reserve(((struct stack *)ctx)->esp);
}

static void release_spi(void *ctx, uint32_t spi)
{
    esp_spi_release(((struct stack *)ctx)->esp, spi);
}

static bool make_machines(struct stack *s)
{
    const struct ike_env ike_env = {s->random, reserve_spi, release_spi, s};
    const struct l2tp_env l2tp_env = {s->random};
    s->esp = esp_new(&s->config.esp, &s->random);
    s->ike = ike_new(&s->config.ike, &ike_env);
    s->l2tp = l2tp_new(&s->config.l2tp, &l2tp_env);
    s->coalesce = coalesce_new();
    s->profile = stack_profile_new(&s->config.ppp);
    return s->esp && s->ike && s->l2tp && s->coalesce && s->profile;
}

struct stack *stack_new(const struct stack_config *config, const struct random *rng)
{
    struct stack *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->config = *config;
    s->random = *rng;
    s->events_tail = &s->events;
    if (!make_machines(s) || outbox_init(&s->out) != ERR_OK || stories_init(s) != ERR_OK) {
        stack_free(s);
        return NULL;
    }
    coalesce_allow_udp(s->coalesce, config->coalesce_udp);
    return s;
}

/* Slow work that nobody will do. */
static void drop_work(const struct stack_event *event)
{
    if (event->dh)
        dh_work_wipe(event->dh);
    if (event->proof)
        ike_proof_wipe(event->proof);
    free(event->dh);
    free(event->proof);
}

static void free_events(struct stack *s)
{
    struct stack_event event;
    while (stack_event(s, &event))
        drop_work(&event);
}

void stack_free(struct stack *s)
{
    if (!s)
        return;
    for (uint32_t i = 1; i < s->sessions_cap; i++)
        if (s->sessions[i])
            stack_session_down(s, 0, i, CAUSE_SHUTDOWN);
    for (uint32_t i = 1; i < s->peers_cap; i++)
        if (s->peers[i])
            stack_peer_free(s, 0, s->peers[i], CAUSE_SHUTDOWN);
    ike_free(s->ike);
    l2tp_free(s->l2tp);
    esp_free(s->esp);
    coalesce_free(s->coalesce);
    stack_profile_drop(s->profile);
    free_events(s);
    outbox_done(&s->out);
    stories_done(s);
    timers_done(&s->links);
    timers_done(&s->watches);
    free(s->peers);
    free(s->peer_of_ike);
    free(s->pairs);
    free(s->sessions);
    bytes_wipe(&s->config, sizeof(s->config));
    free(s);
}

enum err stack_reconfigure(struct stack *s, const struct stack_config *config)
{
    struct ppp_profile *profile = stack_profile_new(&config->ppp);
    if (profile) {
        stack_profile_drop(s->profile);
        s->profile = profile;
    }
    /* What was laid out at start stays: tables, shard, engine. */
    const struct esp_config esp = s->config.esp;
    const uint32_t max_peers = s->config.max_peers, max_sessions = s->config.max_sessions;
    s->config = *config;
    s->config.esp = esp;
    s->config.max_peers = max_peers;
    s->config.max_sessions = max_sessions;
    ike_reconfigure(s->ike, &s->config.ike);
    l2tp_reconfigure(s->l2tp, &s->config.l2tp);
    return profile ? ERR_OK : ERR_NOMEM;
}

void stack_timeout(struct stack *s, usec_t now)
{
    ike_timeout(s->ike, now);
    l2tp_timeout(s->l2tp, now);
    for (struct timer *t; (t = timers_due(&s->watches, now)) != NULL;)
        stack_peer_watched(s, now, container_of(t, struct peer, watch));
    for (struct timer *t; (t = timers_due(&s->links, now)) != NULL;) {
        struct session *session = container_of(t, struct session, timer);
        ppp_timeout(session->ppp, now);
        inform_timeout(s, now, session);
        stack_session_settle(s, now, session);
    }
    pairs_expire(s, now);
    stack_settle(s, now);
}

usec_t stack_deadline(const struct stack *s)
{
    const usec_t machines = usec_min(ike_deadline(s->ike), l2tp_deadline(s->l2tp));
    return usec_min(machines, usec_min(timers_deadline(&s->links), timers_deadline(&s->watches)));
}

bool stack_event(struct stack *s, struct stack_event *out)
{
    struct event_node *node = s->events;
    if (!node)
        return false;
    *out = node->event;
    s->events = node->next;
    if (!s->events)
        s->events_tail = &s->events;
    bytes_wipe(&node->event.auth, sizeof(node->event.auth));
    free(node);
    return true;
}

void stack_tell(struct stack *s, const struct stack_event *event)
{
    struct event_node *node = malloc(sizeof(*node));
    if (!node) {
        count_drop(s, DROP_NO_MEMORY);
        drop_work(event);
        return;
    }
    node->event = *event;
    node->next = NULL;
    *s->events_tail = node;
    s->events_tail = &node->next;
}
