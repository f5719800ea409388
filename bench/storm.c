/*
 * A storm of logins: thousands of clients, each with an address of its own, on one client stack in one process. Tells
 * logins a second and how long each took; can hold the sessions, so that the gateway's memory can be read.
 *
 * The addresses must be local here and routed to from the gateway: bench/run makes a namespace like that.
 */
#include "net/net.h"
#include "pump/pump.h"
#include "stack/stack.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX 65000

struct storm {
    struct ip_addr server;
    uint32_t first_address;
    const char *user, *password, *ike, *esp;
    uint32_t clients, parallel, hold_seconds;
    struct ike_psk psk;
    struct loop *loop;
    struct entropy entropy;
    struct stack *stack;
    struct pump *pump;
    uint32_t started, up, failed, flying;
    usec_t began, finished;
    usec_t *start_of; /* by client */
    usec_t *took;
};

static struct ip_addr address_of(const struct storm *s, uint32_t client)
{
    return ip4_addr(s->first_address + client);
}

static void start_one(struct storm *s, usec_t now)
{
    const uint32_t client = s->started++;
    struct stack_connect connect = {
        .ike = {.path = {{address_of(s, client), IKE_PORT}, {s->server, IKE_PORT}},
                .psk = &s->psk,
                .l2tp_port_local = L2TP_PORT},
        .ppp = {.auth = {PPP_AUTH_MSCHAPV2}, .mru = 1400, .mtu = 1400, .acfc = true, .pfc = true},
    };
    uint32_t peer;
    snprintf(connect.ppp.user, sizeof(connect.ppp.user), "%s", s->user);
    snprintf(connect.ppp.password, sizeof(connect.ppp.password), "%s", s->password);
    s->start_of[client] = now;
    if (stack_connect(s->stack, now, &connect, &peer) == ERR_OK)
        s->flying++;
    else
        s->failed++;
}

static void keep_flying(struct storm *s, usec_t now)
{
    while (s->flying < s->parallel && s->started < s->clients)
        start_one(s, now);
}

static void one_is_up(struct storm *s, const struct stack_event *event, usec_t now)
{
    const uint32_t client = ip4_value(&event->path.local.addr) - s->first_address;
    if (client < s->clients)
        s->took[s->up] = now - s->start_of[client];
    s->up++;
    s->flying--;
}

static void tell(void *ctx, usec_t now)
{
    struct storm *s = ctx;
    struct stack_event event;
    while (stack_event(s->stack, &event)) {
        if (event.type == STACK_EVENT_DH) {
            dh_work_run(event.dh);
            stack_dh_done(s->stack, now, event.dh);
        } else if (event.type == STACK_EVENT_UP) {
            one_is_up(s, &event, clock_now());
        } else if (event.type == STACK_EVENT_FAILED && s->finished == 0) {
            char from[IP_TEXT_MAX];
            fprintf(stderr, "storm: %s failed at %s: %s %s\n", ip_text(&event.path.local.addr, from),
                    stage_word(event.stage), cause_word(event.cause), event.detail);
            s->failed++;
            s->flying--;
        }
    }
    if (s->up + s->failed == s->clients && s->finished == 0)
        s->finished = clock_now();
}

static usec_t turn(void *ctx, usec_t now)
{
    struct storm *s = ctx;
    keep_flying(s, now);
    pump_flush(s->pump, now);
    const usec_t deadline = pump_turn(s->pump, now);
    if (s->finished == 0)
        return deadline;
    const usec_t end = s->finished + s->hold_seconds * USEC_SEC;
    if (clock_now() >= end)
        loop_stop(s->loop);
    return usec_min(deadline, end);
}

static int by_size(const void *a, const void *b)
{
    const usec_t x = *(const usec_t *)a, y = *(const usec_t *)b;
    return x < y ? -1 : x > y;
}

static void print_result(struct storm *s)
{
    const double seconds = (double)(s->finished - s->began) / (double)USEC_SEC;
    qsort(s->took, s->up, sizeof(*s->took), by_size);
    printf("logins=%u failed=%u seconds=%.3f rate=%.1f median_ms=%.1f p99_ms=%.1f\n", s->up, s->failed, seconds,
           s->up / seconds, s->up ? (double)s->took[s->up / 2] / 1000 : 0,
           s->up ? (double)s->took[s->up * 99 / 100] / 1000 : 0);
    fflush(stdout);
}

static enum err open_all(struct storm *s)
{
    const struct ip_addr any = {.family = 4};
    const struct {
        enum sock_kind kind;
        uint16_t port;
    } kinds[] = {{SOCK_UDP_IKE, IKE_PORT}, {SOCK_UDP_NATT, IKE_NATT_PORT}, {SOCK_RAW_ESP, 0}};
    struct pump_sock socks[ARRAY_LEN(kinds)];
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct sock_config config = {.kind = kinds[i].kind, .local = {any, kinds[i].port}, .shards = 1};
        if (sock_open(&config, &socks[i].sock) != ERR_OK)
            return ERR_SYSTEM;
        socks[i].kind = kinds[i].kind;
    }
    struct stack_config config;
    stack_defaults(&config);
    config.ike.child_lifetime = config.ike.ike_lifetime;
    config.ike.dpd_interval = config.l2tp.hello_interval = 0; /* idle sessions shall be idle */
    config.ike.ike_proposal = s->ike;
    config.ike.esp_proposal = s->esp;
    config.ike.max_sas = config.l2tp.max_tunnels = config.max_peers = config.max_sessions = CLIENTS_MAX;
    config.esp.max_sas = 2 * CLIENTS_MAX;
    const struct random rng = entropy_random(&s->entropy);
    s->stack = stack_new(&config, &rng);
    const struct pump_config pump = {
        .loop = s->loop, .stack = s->stack, .socks = socks, .sock_count = ARRAY_LEN(socks), .tell = tell, .ctx = s};
    s->pump = s->stack ? pump_new(&pump) : NULL;
    return s->pump ? ERR_OK : ERR_NOMEM;
}

static bool take_options(struct storm *s, int argc, char **argv)
{
    static const struct option options[] = {
        {"server", required_argument, NULL, 's'},
        {"psk", required_argument, NULL, 'k'},
        {"user", required_argument, NULL, 'u'},
        {"password", required_argument, NULL, 'p'},
        {"clients", required_argument, NULL, 'n'},
        {"parallel", required_argument, NULL, 'j'},
        {"hold", required_argument, NULL, 'h'},
        {"first", required_argument, NULL, 'f'},
        {"ike", required_argument, NULL, 'i'},
        {"esp", required_argument, NULL, 'e'},
        {NULL, 0, NULL, 0},
    };
    struct ip_addr first = {0};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 's':
            if (ip_parse(optarg, &s->server) != ERR_OK)
                return false;
            break;
        case 'f':
            if (ip_parse(optarg, &first) != ERR_OK)
                return false;
            break;
        case 'k':
            if (secret_set(&s->psk.key, view_str(optarg)) != ERR_OK)
                return false;
            break;
        case 'u':
            s->user = optarg;
            break;
        case 'p':
            s->password = optarg;
            break;
        case 'n':
            s->clients = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'j':
            s->parallel = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'h':
            s->hold_seconds = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'i':
            s->ike = optarg;
            break;
        case 'e':
            s->esp = optarg;
            break;
        default:
            return false;
        }
    }
    s->first_address = ip4_value(&first);
    return s->server.family == 4 && s->first_address && s->user && s->password && s->clients > 0 &&
           s->clients <= CLIENTS_MAX && s->parallel > 0;
}

int main(int argc, char **argv)
{
    struct storm s = {.parallel = 32, .ike = "aes256-sha1-modp2048", .esp = "aes256-sha1"};
    if (!take_options(&s, argc, argv)) {
        fputs("storm --server ADDRESS --psk KEY --user NAME --password WORD --clients N --first ADDRESS\n"
              "      [--parallel K] [--hold SECONDS] [--ike LIST] [--esp LIST]\n",
              stderr);
        return 2;
    }
    entropy_init(&s.entropy);
    s.loop = loop_new();
    s.start_of = calloc(s.clients, sizeof(*s.start_of));
    s.took = calloc(s.clients, sizeof(*s.took));
    if (!s.loop || !s.start_of || !s.took || open_all(&s) != ERR_OK) {
        perror("storm: cannot start");
        return 1;
    }
    loop_on_turn(s.loop, turn, &s);
    s.began = clock_now();
    keep_flying(&s, s.began);
    pump_flush(s.pump, s.began);
    while (s.finished == 0)
        if (loop_once(s.loop, USEC_SEC) != ERR_OK)
            return 1;
    print_result(&s);
    if (s.hold_seconds > 0)
        loop_run(s.loop);
    return s.failed ? 1 : 0;
}
