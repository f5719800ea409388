/* What Prometheus is told: the gateway's numbers, by the names of docs/metrics.md. */
#include "gateway/answer.h"

#include "metrics/metrics.h"

#ifndef SEKISHO_VERSION
#define SEKISHO_VERSION "unknown"
#endif

static void write_traffic(struct writer *w, const struct stack_counters *c)
{
    static const struct metrics_label in = {"direction", "in"}, out = {"direction", "out"};
    metrics_family(w, "sekisho_packets_total", METRICS_COUNTER, "Inner packets; in: from clients.");
    metrics_sample(w, "sekisho_packets_total", &in, 1, c->in_packets);
    metrics_sample(w, "sekisho_packets_total", &out, 1, c->out_packets);
    metrics_family(w, "sekisho_bytes_total", METRICS_COUNTER, "Bytes of inner packets; in: from clients.");
    metrics_sample(w, "sekisho_bytes_total", &in, 1, c->in_bytes);
    metrics_sample(w, "sekisho_bytes_total", &out, 1, c->out_bytes);
    metrics_family(w, "sekisho_drops_total", METRICS_COUNTER, "Dropped packets by reason.");
    for (int i = 1; i < DROP_COUNT; i++) {
        const struct metrics_label reason = {"reason", drop_word((enum drop)i)};
        metrics_sample(w, "sekisho_drops_total", &reason, 1, c->drops[i]);
    }
}

static void write_state(struct writer *w, const struct stack_counters *c)
{
    metrics_one(w, "sekisho_sessions", METRICS_GAUGE, "Sessions.", c->sessions);
    metrics_one(w, "sekisho_esp_pairs", METRICS_GAUGE, "Peers with ESP security associations.", c->peers);
    metrics_one(w, "sekisho_ike_sas", METRICS_GAUGE, "IKE security associations.", c->ike_sas);
    metrics_one(w, "sekisho_ike_half_open", METRICS_GAUGE, "Key exchanges whose peer has not proved its address yet.",
                c->half_open);
}

static void write_logins(struct writer *w, const struct gateway *g)
{
    static const struct metrics_label accepted = {"result", "accepted"}, refused = {"result", "refused"};
    const struct aaa_usage usage = aaa_usage(g->aaa);
    metrics_family(w, "sekisho_logins_total", METRICS_COUNTER, "Logins that were judged.");
    metrics_sample(w, "sekisho_logins_total", &accepted, 1, usage.accepted);
    metrics_sample(w, "sekisho_logins_total", &refused, 1, usage.refused);
    metrics_family(w, "sekisho_ends_total", METRICS_COUNTER,
                   "Attempts that failed and connections that ended, by cause.");
    for (int i = 1; i < CAUSE_COUNT; i++) {
        const struct metrics_label cause = {"cause", cause_word((enum cause)i)};
        metrics_sample(w, "sekisho_ends_total", &cause, 1, atomic_load(&g->ends[i]));
    }
}

/* A family's samples stand together, so each has a walk over the pools of its own. */
static void write_size(void *ctx, const struct config_pool *pool, uint32_t size, uint32_t used, uint32_t reserved)
{
    const struct metrics_label label = {"pool", pool->name};
    (void)used;
    (void)reserved;
    metrics_sample(ctx, "sekisho_pool_addresses", &label, 1, size);
}

static void write_used(void *ctx, const struct config_pool *pool, uint32_t size, uint32_t used, uint32_t reserved)
{
    const struct metrics_label label = {"pool", pool->name};
    (void)size;
    (void)reserved;
    metrics_sample(ctx, "sekisho_pool_addresses_used", &label, 1, used);
}

static void write_end(void *ctx, const char *name, int64_t until)
{
    const struct metrics_label label = {"certificate", name};
    metrics_sample(ctx, "sekisho_certificate_expiry_timestamp_seconds", &label, 1, until > 0 ? (uint64_t)until : 0);
}

void gauges_write(struct gateway *g, struct writer *w)
{
    static const struct metrics_label version = {"version", SEKISHO_VERSION};
    const struct stack_counters c = answer_counters(g);
    metrics_family(w, "sekisho_build_info", METRICS_GAUGE, "The version that runs; always 1.");
    metrics_sample(w, "sekisho_build_info", &version, 1, 1);
    metrics_one(w, "sekisho_start_time_seconds", METRICS_GAUGE, "When the gateway started, in seconds since 1970.",
                (uint64_t)g->started);
    write_state(w, &c);
    write_traffic(w, &c);
    write_logins(w, g);
    metrics_family(w, "sekisho_pool_addresses", METRICS_GAUGE, "Addresses of a pool.");
    aaa_pool_each(g->aaa, write_size, w);
    metrics_family(w, "sekisho_pool_addresses_used", METRICS_GAUGE, "Addresses of a pool that are in use.");
    aaa_pool_each(g->aaa, write_used, w);
    metrics_family(w, "sekisho_certificate_expiry_timestamp_seconds", METRICS_GAUGE,
                   "When a certificate of the gateway ends, in seconds since 1970.");
    certificates_each_end(g->certificates, write_end, w);
}
