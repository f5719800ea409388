/* The machine: making and ending it, time, and which message goes where. */
#include "ike/ike_internal.h"

#include <stdlib.h>

#define CHILDREN_EXPECTED_PER_SA 2

struct ike *ike_new(const struct ike_config *config, const struct ike_env *env)
{
    struct ike *ike = calloc(1, sizeof(*ike));
    if (!ike)
        return NULL;
    ike->config = *config;
    ike->env = *env;
    ike->seed = random_u64(&env->random);
    list_init(&ike->young);
    fragment_init(ike);
    if (half_open_init(ike) != ERR_OK || index_init(&ike->by_cookie, config->max_sas) != ERR_OK ||
        index_init(&ike->by_spi, config->max_sas * CHILDREN_EXPECTED_PER_SA) != ERR_OK ||
        index_init(&ike->by_remote, config->max_sas) != ERR_OK ||
        index_init(&ike->by_work, config->max_sas) != ERR_OK || index_init(&ike->by_proof, config->max_sas) != ERR_OK) {
        ike_free(ike);
        return NULL;
    }
    return ike;
}

void ike_free(struct ike *ike)
{
    if (!ike)
        return;
    for (uint32_t i = 0; i < ike->peer_cap; i++) {
        if (ike->peers[i])
            peer_end(ike, ike->peers[i], CAUSE_SHUTDOWN, false);
    }
    while (ike->young_count > 0)
        sa_free(ike, container_of(ike->young.next, struct sa, young));
    fragment_done(ike);
    queue_done(ike);
    half_open_done(ike);
    index_done(&ike->by_cookie);
    index_done(&ike->by_spi);
    index_done(&ike->by_remote);
    index_done(&ike->by_work);
    index_done(&ike->by_proof);
    timers_done(&ike->timers);
    free(ike->peers);
    free(ike->peer_spare);
    free(ike);
}

void ike_reconfigure(struct ike *ike, const struct ike_config *config)
{
    /* The table of half-open entries keeps its size; the shard cannot change under cookies that are out. */
    const uint8_t shard = ike->config.shard, shard_bits = ike->config.shard_bits;
    ike->config = *config;
    ike->config.max_half_open = ike->half_open_cap;
    ike->config.shard = shard;
    ike->config.shard_bits = shard_bits;
}

void ike_timeout(struct ike *ike, usec_t now)
{
    struct timer *t;
    ike->now = now;
    while ((t = timers_due(&ike->timers, now))) {
        struct alarm *a = container_of(t, struct alarm, timer);
        a->ring(ike, a);
    }
}

usec_t ike_deadline(const struct ike *ike)
{
    return timers_deadline(&ike->timers);
}

struct ike_stats ike_stats(const struct ike *ike)
{
    return (struct ike_stats){.half_open = ike->half_open_used, .sas = ike->sa_count, .children = ike->child_count};
}

/* ---- input ---- */

/* Tells of an attempt that is refused by its header alone; nothing is kept of it. */
static void tell_refused(struct ike *ike, const struct path *path, enum cause cause)
{
    struct ike_event *e = ike_serves(&ike->config) && notice_allowed(ike) ? queue_event(ike, IKE_EVENT_FAILED) : NULL;
    if (!e)
        return;
    e->attempt = ++ike->attempts;
    e->path = *path;
    e->stage = STAGE_IKE_MM1;
    e->cause = cause;
}

/* A server may open a client that is its own; whoever else does gets no answer. */
static enum drop input_first(struct ike *ike, const struct message *m)
{
    if (!ike_serves(&ike->config) && !peer_opened(ike, m->path))
        return DROP_IKE_STATE;
    return m->body.n > MESSAGE_SMALL ? DROP_IKE_LIMIT : main_mode_first(ike, m);
}

static enum drop input_main(struct ike *ike, struct sa *sa, const struct message *m)
{
    if (m->header.message_id != 0)
        return DROP_IKE_STATE;
    if (sa)
        return main_mode_input(ike, sa, m);
    if (m->header.flags & FLAG_ENCRYPTED)
        return DROP_IKE_COOKIE;
    if (cookie_key(m->header.rcookie) == 0)
        return input_first(ike, m);
    struct half_open *h = half_open_find(ike, &m->header);
    return h ? main_mode_key(ike, h, m) : DROP_IKE_COOKIE;
}

static enum drop input_info(struct ike *ike, struct sa *sa, const struct message *m)
{
    if (!sa)
        return DROP_IKE_COOKIE;
    return m->header.flags & FLAG_ENCRYPTED ? info_input(ike, sa, m) : info_plain(ike, sa, m);
}

enum drop ike_input(struct ike *ike, usec_t now, const struct path *path, struct view datagram)
{
    struct message m = {.whole = datagram, .path = path};
    ike->now = now;
    const enum drop d = header_parse(datagram, &m.header, &m.body);
    if (d == DROP_IKE_VERSION && m.header.version >> 4 == 2)
        tell_refused(ike, path, CAUSE_IKE_V2);
    if (d != DROP_NONE)
        return d;
    if (m.body.n > IKE_MESSAGE_MAX)
        return DROP_IKE_LIMIT;
    if (m.header.next == PAYLOAD_FRAGMENT)
        return fragment_input(ike, &m);
    struct sa *sa = sa_find(ike, &m.header);
    switch (m.header.exchange) {
    case EXCHANGE_MAIN:
        return input_main(ike, sa, &m);
    case EXCHANGE_QUICK:
        return sa ? quick_input(ike, sa, &m) : DROP_IKE_COOKIE;
    case EXCHANGE_INFO:
        return input_info(ike, sa, &m);
    case EXCHANGE_AGGRESSIVE:
        if (sa && sa->initiator)
            return aggressive_input(ike, sa, &m);
        if (!sa && cookie_key(m.header.rcookie) == 0)
            tell_refused(ike, path, CAUSE_IKE_AGGRESSIVE);
        return DROP_IKE_EXCHANGE;
    default:
        return DROP_IKE_EXCHANGE;
    }
}
