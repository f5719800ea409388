/* Start-up, the service thread's loop, reload, and the way down: each step of the ladder with its own sentence. */
#include "gateway/gateway_internal.h"

#include "fd/fd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCAL_ADDRESSES_MAX 256
#define PROVERS             4 /* threads for signatures: more than cores, for they may wait for an answer about revocation */

#define HASHES_WAITING 8 /* passwords of administrators; more are told that the gateway is busy */

/* ---- configuration ---- */

static size_t local_prefixes(const char *own, struct ip_prefix *out, size_t max)
{
    struct iface_address found[LOCAL_ADDRESSES_MAX];
    size_t n = 0, kept = 0;
    if (iface_addresses(found, ARRAY_LEN(found), &n) != ERR_OK)
        return 0;
    for (size_t i = 0; i < n && kept < max; i++)
        if (!found[i].loopback && strcmp(found[i].name, own) != 0)
            out[kept++] = (struct ip_prefix){found[i].addr, found[i].bits};
    return kept;
}

enum err gateway_load_config(const char *file, struct config **out, struct config_error *error)
{
    struct ip_prefix local[LOCAL_ADDRESSES_MAX];
    struct config *config;
    enum err e = config_load(file, &config, error);
    if (e != ERR_OK)
        return e;
    const size_t n = local_prefixes(config->net.tun, local, ARRAY_LEN(local));
    e = config_check_host(config, file, local, n, error);
    if (e != ERR_OK) {
        config_free(config);
        return e;
    }
    *out = config;
    return ERR_OK;
}

static struct aaa_config aaa_settings(struct gateway *g, const struct config *c)
{
    return (struct aaa_config){
        .database = c->users.database,
        .key_file = c->users.key_file,
        .pools = c->pools,
        .pool_count = c->pool_count,
        .sessions_per_user = c->limits.sessions_per_user,
        .random = entropy_random(&g->entropy),
        .grid = c->grid,
    };
}

static void reconfigure_shard(struct shard *shard, void *ctx)
{
    struct stack_config settings;
    shard->certificates = shard->gateway->certificates;
    settings_stack(shard->gateway, ctx, shard->number, &settings);
    (void)stack_reconfigure(shard->stack, &settings);
    bytes_wipe(&settings, sizeof(settings));
}

static void free_psks(struct ike_psk *psks, size_t n)
{
    if (psks)
        bytes_wipe(psks, n * sizeof(*psks));
    free(psks);
}

/* Routes, firewall and the table of addresses are made at the start, with rights that are gone since. */
static bool pools_were_there(const struct gateway *g, const struct config *c, struct config_error *error)
{
    char key[CONFIG_NAME_MAX + 32];
    char first[IP_TEXT_MAX], last[IP_TEXT_MAX];
    for (size_t i = 0; i < c->pool_count; i++)
        for (uint32_t j = 0; j < c->pools[i].ranges.count; j++) {
            const struct config_range *range = &c->pools[i].ranges.range[j];
            if (addresses_hold(g->addresses, range))
                continue;
            const struct ip_addr a = ip4_addr(range->first), b = ip4_addr(range->last);
            snprintf(key, sizeof(key), "pool \"%s\".range", c->pools[i].name);
            (void)config_tell(error, c->pools[i].line, key, TOLD(POOL_NEW), ip_text(&a, first), ip_text(&b, last));
            return false;
        }
    return true;
}

static bool same_addresses(const struct config_addrs *a, const struct config_addrs *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!ip_equal(&a->addr[i], &b->addr[i]))
            return false;
    return true;
}

/* Sockets are opened at the start; what comes by one is refused as soon as the configuration says so. */
static bool serves_plain(const struct gateway *g)
{
    const struct shard *first = &g->shards[0];
    for (size_t i = 0; i < first->sock_count; i++)
        if (first->socks[i].kind == SOCK_UDP_PLAIN)
            return true;
    return false;
}

static bool has_gateway(const struct config *c, const struct ip_addr *addr)
{
    for (size_t i = 0; i < c->pool_count; i++)
        if (ip_equal(&c->pools[i].gateway, addr))
            return true;
    return false;
}

/* Our own addresses are put on the interface at the start. */
static bool same_gateways(const struct config *old, const struct config *c)
{
    for (size_t i = 0; i < c->pool_count; i++)
        if (!has_gateway(old, &c->pools[i].gateway))
            return false;
    return true;
}

/* What a reload cannot change is said, so that nobody waits for it. */
static void say_what_waits(const struct gateway *g, const struct config *old, const struct config *c)
{
    const struct {
        const char *key;
        bool same;
    } keys[] = {
        {"listen", same_addresses(&old->listen, &c->listen)},
        {"shards", old->shards == c->shards},
        {"limits", memcmp(&old->limits.sas, &c->limits.sas, 3 * sizeof(c->limits.sas)) == 0},
        {"l2tp.allow_plain", old->l2tp.allow_plain || !c->l2tp.allow_plain || serves_plain(g)},
        {"pool.gateway", same_gateways(old, c)},
        {"net.tun", strcmp(old->net.tun, c->net.tun) == 0},
        {"net.masquerade", old->net.masquerade == c->net.masquerade && strcmp(old->net.outside, c->net.outside) == 0},
        {"users",
         strcmp(old->users.database, c->users.database) == 0 && strcmp(old->users.key_file, c->users.key_file) == 0},
        {"control",
         strcmp(old->control.socket, c->control.socket) == 0 && strcmp(old->control.group, c->control.group) == 0},
        {"metrics", ip_equal(&old->metrics.listen, &c->metrics.listen) && old->metrics.port == c->metrics.port},
        {"run", strcmp(old->run.user, c->run.user) == 0 && strcmp(old->run.group, c->run.group) == 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (!keys[i].same)
            report_say(&g->report, CONFIG_LOG_WARNING, "%s has changed; that takes effect at the next start",
                       keys[i].key);
}

#define EXPIRY_NOTICE (30 * 86400) /* seconds before the end of one of our certificates at which it is told */

static void say_end(void *ctx, const char *name, int64_t until)
{
    const struct gateway *g = ctx;
    const int64_t left = until - clock_wall();
    if (left <= 0)
        report_say(&g->report, CONFIG_LOG_ERROR, "certificate \"%s\" has expired; clients will refuse it", name);
    else if (left < EXPIRY_NOTICE)
        report_say(&g->report, CONFIG_LOG_WARNING, "certificate \"%s\" expires in %lld days", name,
                   (long long)(left / 86400));
}

static void say_what_expires(struct gateway *g)
{
    certificates_each_end(g->certificates, say_end, g);
}

static void set_report(struct gateway *g, const struct config *c)
{
    g->report = (struct report){(enum config_log_format)c->log.format, (enum config_log_level)c->log.level,
                                fd_is_journal(STDERR_FILENO)};
    atomic_store(&g->steps_logged, c->log.level == CONFIG_LOG_DEBUG);
}

enum err gateway_reload(struct gateway *g, struct config_error *error)
{
    struct config *config;
    const enum err e = gateway_load_config(g->config_file, &config, error);
    if (e != ERR_OK)
        return e;
    *error = (struct config_error){0};
    snprintf(error->file, sizeof(error->file), "%s", g->config_file);
    if (!pools_were_there(g, config, error)) {
        config_free(config);
        return ERR_INVALID;
    }
    struct certificates *certificates;
    if (certificates_new(config, g->config_file, &certificates, error) != ERR_OK) {
        config_free(config);
        return ERR_INVALID;
    }
    struct config *old = g->config;
    struct certificates *old_certificates = g->certificates;
    struct ike_psk *old_psks = g->psks;
    struct ike_psk *psks = settings_psks(config);
    const struct aaa_config aaa = aaa_settings(g, config);
    if (!psks || aaa_reconfigure(g->aaa, &aaa) != ERR_OK) {
        (void)config_tell(error, 0, "", TOLD(NOTHING_CHANGED));
        free_psks(psks, config->psk_count);
        certificates_release(certificates);
        config_free(config);
        return ERR_NOMEM;
    }
    g->psks = psks;
    g->certificates = certificates;
    g->config = config;
    set_report(g, config);
    for (uint8_t i = 0; i < g->shard_count; i++)
        shard_call(&g->shards[i], reconfigure_shard, config);
    say_what_waits(g, old, config);
    say_what_expires(g);
    free_psks(old_psks, old->psk_count);
    certificates_release(old_certificates);
    config_free(old);
    report_say(&g->report, CONFIG_LOG_INFO, "configuration %s read again", g->config_file);
    return ERR_OK;
}

/* ---- the service thread ---- */

static void signal_ready(void *ctx, uint32_t what)
{
    struct gateway *g = ctx;
    char why[CONFIG_ERROR_TEXT_MAX];
    struct config_error error;
    (void)what;
    for (int number; (number = signals_read(g->signals)) != 0;) {
        if (number != SIGHUP)
            loop_stop(g->loop);
        else if (gateway_reload(g, &error) != ERR_OK)
            report_say(&g->report, CONFIG_LOG_ERROR, "%s The old configuration stays.", config_error_text(&error, why));
    }
}

static usec_t service_turn(void *ctx, usec_t now)
{
    struct gateway *g = ctx;
    mailbox_read(&g->mailbox, g);
    if (now >= g->show_out_at)
        gateway_show_out(g);
    return usec_min(g->show_out_at, scrape_timeout(g->scrape, now));
}

/* ---- opening ---- */

static uint8_t count_shards(const struct config *c)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const long wanted = c->shards ? (long)c->shards : cores;
    return (uint8_t)(wanted < 1 ? 1 : wanted > SHARDS_MAX ? SHARDS_MAX : wanted);
}

static uint8_t bits_for(uint8_t shards)
{
    uint8_t bits = 0;
    while ((1u << bits) < shards)
        bits++;
    return bits;
}

/* One socket a shard of this kind on this address. */
static enum err open_group(struct gateway *g, enum sock_kind kind, uint16_t port, const struct ip_addr *addr)
{
    struct sock *group[SHARDS_MAX];
    const struct sock_config config = {
        .kind = kind,
        .local = {*addr, port},
        .shards = g->shard_count,
        .shard_bits = g->shard_bits,
    };
    const enum err e = sock_open(&config, group);
    for (uint8_t i = 0; e == ERR_OK && i < g->shard_count; i++)
        g->shards[i].socks[g->shards[i].sock_count++] = (struct pump_sock){group[i], kind};
    return e;
}

static enum err open_address(struct gateway *g, const struct ip_addr *addr, char why[static AAA_WHY_MAX])
{
    const struct {
        enum sock_kind kind;
        uint16_t port;
        bool wanted;
    } kinds[] = {
        {SOCK_UDP_IKE, IKE_PORT, true},
        {SOCK_UDP_NATT, IKE_NATT_PORT, true},
        {SOCK_RAW_ESP, 0, true},
        {SOCK_UDP_PLAIN, L2TP_PORT, g->config->l2tp.allow_plain},
    };
    char text[IP_TEXT_MAX];
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!kinds[i].wanted || open_group(g, kinds[i].kind, kinds[i].port, addr) == ERR_OK)
            continue;
        if (errno == EADDRINUSE)
            snprintf(why, AAA_WHY_MAX, "UDP port %u on %s is taken: another IKE daemon runs here; stop it first",
                     kinds[i].port, ip_text(addr, text));
        else
            snprintf(why, AAA_WHY_MAX, "cannot open port %u on %s: %s", kinds[i].port, ip_text(addr, text),
                     strerror(errno));
        return ERR_SYSTEM;
    }
    return ERR_OK;
}

static enum err open_sockets(struct gateway *g, char why[static AAA_WHY_MAX])
{
    const struct config_addrs *listen = &g->config->listen;
    const struct ip_addr any4 = {.family = 4}, any6 = {.family = 6};
    for (uint32_t i = 0; i < listen->count; i++)
        if (open_address(g, &listen->addr[i], why) != ERR_OK)
            return ERR_SYSTEM;
    if (listen->count > 0)
        return ERR_OK;
    if (open_address(g, &any4, why) != ERR_OK)
        return ERR_SYSTEM;
    char without[AAA_WHY_MAX];
    (void)open_address(g, &any6, without); /* hosts without IPv6 serve IPv4 */
    return ERR_OK;
}

static enum err open_tun(struct gateway *g, char why[static AAA_WHY_MAX])
{
    struct tun *queues[SHARDS_MAX];
    struct tun_config config = {.queues = g->shard_count};
    snprintf(config.name, sizeof(config.name), "%s", g->config->net.tun);
    if (tun_open(&config, queues) != ERR_OK) {
        snprintf(why, AAA_WHY_MAX, "cannot make the TUN interface %s: %s", g->config->net.tun, strerror(errno));
        return ERR_SYSTEM;
    }
    for (uint8_t i = 0; i < g->shard_count; i++)
        g->shards[i].tun = queues[i];
    return ERR_OK;
}

static enum err make_shards(struct gateway *g, char why[static AAA_WHY_MAX])
{
    for (uint8_t i = 0; i < g->shard_count; i++) {
        struct stack_config settings;
        settings_stack(g, g->config, i, &settings);
        const enum err e = shard_init(&g->shards[i], g, &settings);
        g->shards[i].certificates = g->certificates;
        bytes_wipe(&settings, sizeof(settings));
        if (e != ERR_OK) {
            snprintf(why, AAA_WHY_MAX, "cannot make shard %u: %s", i, err_text(e));
            return e;
        }
    }
    return ERR_OK;
}

static enum err open_service(struct gateway *g, char why[static AAA_WHY_MAX])
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    g->loop = loop_new();
    if (!g->loop || signals_open(numbers, ARRAY_LEN(numbers), &g->signals) != ERR_OK ||
        loop_add(g->loop, g->signals, LOOP_READ, signal_ready, g) != ERR_OK) {
        snprintf(why, AAA_WHY_MAX, "cannot start the service loop: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    mailbox_init(&g->mailbox, g->loop);
    loop_on_turn(g->loop, service_turn, g);
    return ERR_OK;
}

/* What must be the user's own, who runs the gateway from here on. */
static enum err give_rights_away(struct gateway *g, char why[static AAA_WHY_MAX])
{
    const char *user = g->config->run.user, *group = g->config->run.group;
    if (!user[0])
        return ERR_OK;
    enum err e = hand_over_files(g);
    if (e == ERR_OK)
        e = privilege_drop(user, group[0] ? group : NULL, 0);
    if (e == ERR_NOTFOUND)
        snprintf(why, AAA_WHY_MAX, "run.user %s, or run.group, is nobody on this host; create it or name another",
                 user);
    else if (e != ERR_OK)
        snprintf(why, AAA_WHY_MAX, "cannot become user %s: %s", user, strerror(errno));
    return e;
}

/* Keys and passwords stay out of swap and core dumps. */
static void protect_memory(const struct gateway *g)
{
    if (memory_protect() != ERR_OK)
        report_say(&g->report, CONFIG_LOG_WARNING, "memory cannot be locked (%s): secrets may reach the swap",
                   strerror(errno));
}

/* Everything is open and every thread runs: from here on only what they need. */
static enum err close_the_door(const struct gateway *g, char why[static AAA_WHY_MAX])
{
    const enum err e = SANDBOXED ? sandbox_enter(SANDBOX_GATEWAY, SANDBOX_KILL) : ERR_OK;
    if (e == ERR_UNSUPPORTED)
        report_say(&g->report, CONFIG_LOG_WARNING, "this kernel has no seccomp: system calls are not restricted");
    else if (e != ERR_OK)
        snprintf(why, AAA_WHY_MAX, "cannot restrict system calls: %s", strerror(errno));
    return e == ERR_UNSUPPORTED ? ERR_OK : e;
}

static void count_listeners(void *ctx, int change)
{
    atomic_fetch_add(&((struct gateway *)ctx)->listeners, (unsigned)change);
}

static enum err open_control(struct gateway *g, char why[static AAA_WHY_MAX])
{
    const struct control_config config = {
        .loop = g->loop,
        .path = g->config->control.socket,
        .group = g->config->control.group,
        .own_uid = (uint32_t)geteuid(),
        .refusal = "Only root and members of the control group may speak to the gateway.",
        .answer = answer_request,
        .listeners = count_listeners,
        .ctx = g,
    };
    g->control = control_new(&config, why, AAA_WHY_MAX);
    return g->control ? ERR_OK : ERR_SYSTEM;
}

static enum err open_metrics(struct gateway *g, char why[static AAA_WHY_MAX])
{
    const struct endpoint local = {g->config->metrics.listen, (uint16_t)g->config->metrics.port};
    if (local.addr.family == 0)
        return ERR_OK;
    g->scrape = scrape_new(g, &local, why, AAA_WHY_MAX);
    return g->scrape ? ERR_OK : ERR_SYSTEM;
}

static enum err open_users(struct gateway *g, char why[static AAA_WHY_MAX])
{
    const struct aaa_config config = aaa_settings(g, g->config);
    struct aaa_why reason = {0};
    const enum err e = aaa_open(&config, &g->aaa, &reason);
    memcpy(why, reason.sentence, AAA_WHY_MAX);
    return e;
}

static enum err open_all(struct gateway *g, char why[static AAA_WHY_MAX])
{
    g->shard_count = count_shards(g->config);
    g->shard_bits = bits_for(g->shard_count);
    g->shards = calloc(g->shard_count, sizeof(*g->shards));
    g->psks = settings_psks(g->config);
    g->addresses = addresses_new(g->config);
    const struct random rng = entropy_random(&g->entropy);
    g->whereabouts = whereabouts_new(&rng, g->shard_count);
    if (!g->shards || !g->psks || !g->addresses || !g->whereabouts)
        return ERR_NOMEM;
    for (uint8_t i = 0; i < g->shard_count; i++)
        g->shards[i].number = i;
    protect_memory(g);
    enum err e = open_service(g, why);
    if (e == ERR_OK)
        e = open_sockets(g, why);
    if (e == ERR_OK)
        e = open_tun(g, why);
    if (e == ERR_OK)
        e = aftermath_start(network_down, g, &g->aftermath);
    if (e == ERR_OK)
        e = network_up(g, why);
    if (e == ERR_OK)
        e = make_shards(g, why);
    if (e == ERR_OK)
        e = open_control(g, why);
    if (e == ERR_OK)
        e = open_metrics(g, why);
    if (e == ERR_OK)
        e = give_rights_away(g, why);
    if (e == ERR_OK)
        e = open_users(g, why);
    if (e == ERR_OK && !((g->workers = workers_new(g->shard_count, 0)) && (g->provers = workers_new(PROVERS, 0)) &&
                         (g->hashers = workers_new(1, HASHES_WAITING))))
        e = ERR_SYSTEM;
    for (uint8_t i = 0; e == ERR_OK && i < g->shard_count; i++)
        e = shard_start(&g->shards[i]);
    return e == ERR_OK ? close_the_door(g, why) : e;
}

/* ---- the way down ---- */

static void say_goodbye(struct shard *shard, void *ctx)
{
    const usec_t now = clock_now();
    (void)ctx;
    while (stack_shutdown(shard->stack, now))
        pump_flush(shard->pump, now);
    pump_flush(shard->pump, now);
}

static void close_all(struct gateway *g)
{
    for (uint8_t i = 0; g->shards && i < g->shard_count; i++)
        if (g->shards[i].running)
            shard_call(&g->shards[i], say_goodbye, NULL);
    for (uint8_t i = 0; g->shards && i < g->shard_count; i++)
        shard_stop(&g->shards[i]);
    workers_free(g->workers);
    workers_free(g->provers);
    workers_free(g->hashers);
    control_free(g->control);
    scrape_free(g->scrape);
    for (uint8_t i = 0; g->shards && i < g->shard_count; i++)
        shard_done(&g->shards[i]);
    free(g->shards);
    aaa_close(g->aaa);
    addresses_free(g->addresses);
    whereabouts_free(g->whereabouts);
    if (g->loop) {
        mailbox_done(&g->mailbox);
        close(g->signals);
    }
    loop_free(g->loop);
    aftermath_end(&g->aftermath);
    free_psks(g->psks, g->config ? g->config->psk_count : 0);
    certificates_release(g->certificates);
    config_free(g->config);
    entropy_done(&g->entropy);
}

int gateway_run(const char *config_file)
{
    struct gateway g = {.started = clock_wall(), .signals = -1};
    struct config_error error;
    char why[CONFIG_ERROR_TEXT_MAX] = "";
    recent_init(&g.recent, g.started);
    snprintf(g.config_file, sizeof(g.config_file), "%s", config_file);
    if (gateway_load_config(config_file, &g.config, &error) != ERR_OK ||
        certificates_new(g.config, config_file, &g.certificates, &error) != ERR_OK) {
        config_free(g.config);
        fprintf(stderr, "sekishod: %s\n", config_error_text(&error, why));
        return 1;
    }
    entropy_init(&g.entropy);
    set_report(&g, g.config);
    const enum err e = open_all(&g, why);
    if (e != ERR_OK)
        fprintf(stderr, "sekishod: %s\n", why[0] ? why : err_text(e));
    else {
        report_say(&g.report, CONFIG_LOG_INFO, "serving with %u shard(s), ESP by %s", g.shard_count,
                   stack_engine(g.shards[0].stack));
        say_what_expires(&g);
        (void)notify_service("READY=1");
        loop_run(g.loop);
        (void)notify_service("STOPPING=1");
        if (atomic_load(&g.tun_gone))
            report_say(&g.report, CONFIG_LOG_ERROR,
                       "somebody has deleted the TUN interface %s; start the gateway again", g.config->net.tun);
        report_say(&g.report, CONFIG_LOG_INFO, "stopping");
    }
    const bool served = e == ERR_OK && !atomic_load(&g.tun_gone);
    close_all(&g);
    return served ? 0 : 1;
}
