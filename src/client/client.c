#include "client/client_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TUNNEL_MTU      1400
#define PATIENCE        (12 * USEC_SEC) /* for an answer of IKE: a failure is told within a quarter of a minute */
#define SILENCE         (10 * USEC_SEC) /* after which the server is asked whether it lives */
#define SILENCE_END     (30 * USEC_SEC) /* after which it counts as dead */
#define PATIENCE        (12 * USEC_SEC) /* with each exchange of IKE */
#define SECRET_FILE_MAX 512
#define ATTEMPT_TIME    (60 * USEC_SEC) /* for the first connection, all layers together */

struct client {
    const struct client_options *options;
    struct loop *loop;
    struct entropy entropy;
    struct ike_psk psk;
    struct tun *tun;
    struct route pinned; /* ours to remove when its interface is set */
    struct pump_sock socks[3];
    size_t sock_count;
    struct stack *stack;
    struct pump *pump;
    uint32_t peer;
    int signals;
    usec_t began;
    bool up, failed;
    bool ending; /* by us: what the stack tells about the end is not news */
};

/* ---- what the user sees ---- */

__attribute__((format(printf, 2, 3))) static void say(const struct client *c, const char *format, ...)
{
    va_list args;
    const usec_t after = clock_now() - c->began;
    printf("+%llu.%03llu s  ", (unsigned long long)(after / USEC_SEC),
           (unsigned long long)(after % USEC_SEC / USEC_MSEC));
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

static void say_failure(const struct client *c, const struct stack_event *event)
{
    say(c, "failed at: %s", stage_sentence(event->stage));
    printf(event->detail[0] ? "  Why: %s (%s)\n" : "  Why: %s\n", cause_sentence(event->cause), event->detail);
    printf("  Cure: %s\n", cause_cure(event->cause));
    fflush(stdout);
}

/* ---- the interface ---- */

/* The server itself must stay reachable beside a route that covers it. */
static enum err pin_server(struct client *c)
{
    struct route way;
    if (route_lookup(&c->options->server, &way) != ERR_OK)
        return ERR_SYSTEM;
    way.bits = way.to.family == 4 ? 32 : 128;
    way.source = (struct ip_addr){0};
    const enum err e = route_add(&way);
    if (e == ERR_OK)
        c->pinned = way;
    return e == ERR_EXISTS ? ERR_OK : e;
}

static enum err set_up_interface(struct client *c, const struct ppp_network *network)
{
    const uint32_t iface = tun_iface(c->tun);
    enum err e = c->options->route_count > 0 ? pin_server(c) : ERR_OK;
    if (e == ERR_OK)
        e = iface_address_add(iface, &network->local, 32, &network->remote);
    if (e == ERR_OK || e == ERR_EXISTS)
        e = iface_set_mtu(iface, TUNNEL_MTU);
    if (e == ERR_OK)
        e = iface_set_up(iface, true);
    for (size_t i = 0; e == ERR_OK && i < c->options->route_count; i++) {
        struct route route = c->options->routes[i];
        route.iface = iface;
        e = route_add(&route);
    }
    return e;
}

static void network_up(struct client *c, const struct ppp_network *network)
{
    char local[IP_TEXT_MAX], remote[IP_TEXT_MAX], dns[IP_TEXT_MAX];
    c->up = true;
    const enum err e = set_up_interface(c, network);
    if (e != ERR_OK) {
        say(c, "cannot set up the interface %s: %s", tun_name(c->tun), e == ERR_SYSTEM ? strerror(errno) : err_text(e));
        c->failed = true;
        loop_stop(c->loop);
        return;
    }
    say(c, "address %s, gateway %s, interface %s", ip_text(&network->local, local), ip_text(&network->remote, remote),
        tun_name(c->tun));
    for (size_t i = 0; i < ARRAY_LEN(network->dns); i++)
        if (network->dns[i].family)
            say(c, "DNS server %s", ip_text(&network->dns[i], dns));
    say(c, "connected");
}

/* ---- events ---- */

static void tell(void *ctx, usec_t now)
{
    struct client *c = ctx;
    struct stack_event event;
    while (stack_event(c->stack, &event)) {
        switch (event.type) {
        case STACK_EVENT_STEP:
            say(c, "%s%s%s%s", stage_sentence(event.stage), event.detail[0] ? " (" : "", event.detail,
                event.detail[0] ? ")" : "");
            break;
        case STACK_EVENT_DH:
            dh_work_run(event.dh);
            stack_dh_done(c->stack, now, event.dh);
            break;
        case STACK_EVENT_PROOF: /* the client has no credential */
            event.proof->cause = CAUSE_CERT_NONE;
            stack_proof_done(c->stack, now, event.proof);
            break;
        case STACK_EVENT_UP:
            network_up(c, &event.network);
            break;
        case STACK_EVENT_FAILED:
            if (c->ending)
                break;
            say_failure(c, &event);
            c->failed = true;
            loop_stop(c->loop);
            break;
        case STACK_EVENT_AUTH:
        case STACK_EVENT_PROMPT:
        case STACK_EVENT_ROUTES:
        case STACK_EVENT_MTU:
        case STACK_EVENT_DOWN:
        case STACK_EVENT_MOVED:
            break;
        }
    }
}

static usec_t turn(void *ctx, usec_t now)
{
    struct client *c = ctx;
    const usec_t deadline = pump_turn(c->pump, now);
    if (c->up)
        return deadline;
    if (now < c->began + ATTEMPT_TIME)
        return usec_min(deadline, c->began + ATTEMPT_TIME);
    say(c, "gave up: no connection within %llu s", (unsigned long long)(ATTEMPT_TIME / USEC_SEC));
    c->failed = true;
    loop_stop(c->loop);
    return USEC_NEVER;
}

static void signal_ready(void *ctx, uint32_t what)
{
    struct client *c = ctx;
    (void)what;
    if (signals_read(c->signals) != 0)
        loop_stop(c->loop);
}

/* ---- life ---- */

/* The first line of a file. */
static enum err read_secret(const char *name, char *out, size_t cap)
{
    FILE *f = fopen(name, "re");
    if (!f) {
        fprintf(stderr, "sekisho-client: cannot read %s: %s\n", name, strerror(errno));
        return ERR_SYSTEM;
    }
    const bool read = fgets(out, (int)cap, f) != NULL;
    fclose(f);
    out[read ? strcspn(out, "\r\n") : 0] = '\0';
    if (out[0])
        return ERR_OK;
    fprintf(stderr, "sekisho-client: %s is empty\n", name);
    return ERR_INVALID;
}

static enum err open_sock(struct client *c, enum sock_kind kind, const struct ip_addr *local, uint16_t port)
{
    struct sock *sock;
    const struct sock_config config = {.kind = kind, .local = {*local, port}, .shards = 1};
    if (sock_open(&config, &sock) != ERR_OK) {
        fprintf(stderr, "sekisho-client: cannot open port %u: %s\n", port, strerror(errno));
        return ERR_SYSTEM;
    }
    c->socks[c->sock_count++] = (struct pump_sock){sock, kind};
    return ERR_OK;
}

static enum err open_world(struct client *c, struct ip_addr *local)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    struct tun_config tun = {.queues = 1};
    *local = c->options->local;
    if (local->family == 0 && source_address(&c->options->server, local) != ERR_OK) {
        fprintf(stderr, "sekisho-client: there is no route to the server\n");
        return ERR_SYSTEM;
    }
    snprintf(tun.name, sizeof(tun.name), "%s", c->options->tun);
    c->loop = loop_new();
    if (!c->loop || signals_open(numbers, ARRAY_LEN(numbers), &c->signals) != ERR_OK ||
        loop_add(c->loop, c->signals, LOOP_READ, signal_ready, c) != ERR_OK)
        return ERR_SYSTEM;
    if (tun_open(&tun, &c->tun) != ERR_OK) {
        fprintf(stderr, "sekisho-client: cannot make the interface %s: %s\n", tun.name, strerror(errno));
        return ERR_SYSTEM;
    }
    enum err e = open_sock(c, SOCK_UDP_IKE, local, IKE_PORT);
    if (e == ERR_OK)
        e = open_sock(c, SOCK_UDP_NATT, local, IKE_NATT_PORT);
    return e == ERR_OK ? open_sock(c, SOCK_RAW_ESP, local, 0) : e;
}

static struct stack_config stack_settings(const struct client_options *o)
{
    struct stack_config config;
    stack_defaults(&config);
    config.ike.encap = o->encap;
    config.ike.pfs = o->pfs;
    config.ike.ike_proposal = o->ike_proposal;
    config.ike.esp_proposal = o->esp_proposal;
    config.ike.patience = PATIENCE;
    config.ike.dpd_interval = SILENCE;
    config.ike.dpd_timeout = SILENCE_END;
    gethostname(config.l2tp.host_name, sizeof(config.l2tp.host_name) - 1);
    return config;
}

static enum err start(struct client *c, const struct ip_addr *local)
{
    const struct client_options *o = c->options;
    struct stack_connect connect = {
        .ike = {.path = {{*local, IKE_PORT}, {o->server, IKE_PORT}}, .psk = &c->psk, .l2tp_port_local = L2TP_PORT},
    };
    ppp_defaults(&connect.ppp);
    connect.ppp.echo_interval = SILENCE;
    connect.ike.aggressive = o->aggressive;
    snprintf(connect.ike.identity, sizeof(connect.ike.identity), "%s", o->identity ? o->identity : "");
    snprintf(connect.ppp.user, sizeof(connect.ppp.user), "%s", o->user);
    enum err e = read_secret(o->password_file, connect.ppp.password, sizeof(connect.ppp.password));
    if (e == ERR_OK)
        e = stack_connect(c->stack, clock_now(), &connect, &c->peer);
    bytes_wipe(&connect, sizeof(connect));
    if (e == ERR_OK)
        pump_flush(c->pump, clock_now());
    return e;
}

static enum err make_stack(struct client *c)
{
    char secret[SECRET_FILE_MAX];
    const struct stack_config config = stack_settings(c->options);
    const struct random rng = entropy_random(&c->entropy);
    enum err e = read_secret(c->options->psk_file, secret, sizeof(secret));
    if (e == ERR_OK)
        e = secret_set(&c->psk.key, view_str(secret));
    bytes_wipe(secret, sizeof(secret));
    if (e != ERR_OK)
        return e;
    c->stack = stack_new(&config, &rng);
    const struct pump_config pump = {.loop = c->loop,
                                     .stack = c->stack,
                                     .tun = c->tun,
                                     .socks = c->socks,
                                     .sock_count = c->sock_count,
                                     .tell = tell,
                                     .ctx = c};
    c->pump = c->stack ? pump_new(&pump) : NULL;
    return c->pump ? ERR_OK : ERR_NOMEM;
}

static void close_all(struct client *c)
{
    pump_free(c->pump);
    stack_free(c->stack);
    for (size_t i = 0; i < c->sock_count; i++)
        sock_free(c->socks[i].sock);
    tun_free(c->tun);
    if (c->pinned.iface)
        (void)route_del(&c->pinned);
    if (c->signals >= 0)
        close(c->signals);
    loop_free(c->loop);
    entropy_done(&c->entropy);
    secret_wipe(&c->psk.key);
}

int client_run(const struct client_options *options)
{
    struct client c = {.options = options, .signals = -1, .began = clock_now()};
    struct ip_addr local;
    entropy_init(&c.entropy);
    enum err e = open_world(&c, &local);
    if (e == ERR_OK)
        e = make_stack(&c);
    if (e == ERR_OK)
        e = start(&c, &local);
    if (e != ERR_OK) {
        fprintf(stderr, "sekisho-client: cannot start: %s\n", err_text(e));
        close_all(&c);
        return 1;
    }
    loop_on_turn(c.loop, turn, &c);
    loop_run(c.loop);
    c.ending = true;
    stack_disconnect(c.stack, clock_now(), c.peer);
    pump_flush(c.pump, clock_now());
    if (!c.failed)
        say(&c, "disconnected");
    close_all(&c);
    return c.failed ? 1 : 0;
}
