/*
 * A storm of logins: thousands of clients in one process, each an object of libsekisho with an address and sockets of
 * its own. Tells logins a second, how long each took, and what memory a client costs; can hold the sessions, so that
 * the gateway's memory can be read.
 *
 * The addresses must be local here and routed to from the gateway: bench/run makes a namespace like that.
 */
#include "net/net.h"
#include "sekisho/sekisho.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CLIENTS_MAX 65000
#define FILES_EACH  8 /* descriptors of one client */

struct storm;

struct client {
    struct storm *storm;
    struct sekisho *sekisho;
    struct timer timer;
    usec_t began, took; /* took 0: not up yet */
    bool over;
};

struct storm {
    uint32_t first_address;
    struct sekisho_options options;
    uint32_t clients, parallel, hold_seconds;
    struct loop *loop;
    struct timers timers;
    struct client *all;
    uint32_t started, up, failed, flying;
    usec_t began, finished;
    uint64_t memory; /* of the process before the first client, in KB */
};

static uint64_t resident_kb(void)
{
    char line[128];
    unsigned long long kb = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "VmRSS: %llu", &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb;
}

/* ---- one client ---- */

static void hear(struct client *c)
{
    struct storm *s = c->storm;
    struct sekisho_event event;
    while (sekisho_event(c->sekisho, &event)) {
        if (c->over || (event.type != SEKISHO_UP && event.type != SEKISHO_FAILED))
            continue;
        c->over = true;
        s->flying--;
        if (event.type == SEKISHO_UP) {
            c->took = clock_now() - c->began;
            s->up++;
        } else {
            fprintf(stderr, "storm: client %td failed at %s: %s %s\n", c - s->all, event.stage, event.cause,
                    event.detail);
            s->failed++;
        }
    }
}

static void run(struct client *c)
{
    sekisho_run(c->sekisho);
    hear(c);
    const int ms = sekisho_timeout_ms(c->sekisho);
    (void)timer_set(&c->storm->timers, &c->timer, ms < 0 ? USEC_NEVER : clock_now() + (usec_t)ms * USEC_MSEC);
}

static void ready(void *ctx, uint32_t what)
{
    (void)what;
    run(ctx);
}

static bool start_one(struct storm *s)
{
    char local[IP_TEXT_MAX], why[SEKISHO_TEXT];
    struct client *c = &s->all[s->started];
    const struct ip_addr address = ip4_addr(s->first_address + s->started++);
    s->options.local = ip_text(&address, local);
    *c = (struct client){.storm = s, .timer = {.at = USEC_NEVER}, .began = clock_now()};
    c->sekisho = sekisho_new(&s->options, why, sizeof(why));
    if (!c->sekisho || loop_add(s->loop, sekisho_fd(c->sekisho), LOOP_READ, ready, c) != ERR_OK) {
        fprintf(stderr, "storm: client %td cannot start: %s\n", c - s->all, c->sekisho ? "no memory" : why);
        s->failed++;
        return false;
    }
    s->flying++;
    sekisho_connect(c->sekisho);
    run(c);
    return true;
}

/* ---- all of them ---- */

static usec_t turn(void *ctx, usec_t now)
{
    struct storm *s = ctx;
    for (struct timer *t; (t = timers_due(&s->timers, now)) != NULL;)
        run(container_of(t, struct client, timer));
    while (s->flying < s->parallel && s->started < s->clients && start_one(s))
        ;
    if (s->finished == 0 && s->up + s->failed == s->clients)
        s->finished = clock_now();
    return timers_deadline(&s->timers);
}

static int by_size(const void *a, const void *b)
{
    const usec_t x = *(const usec_t *)a, y = *(const usec_t *)b;
    return x < y ? -1 : x > y;
}

static void print_result(const struct storm *s)
{
    const double seconds = (double)(s->finished - s->began) / (double)USEC_SEC;
    usec_t *took = calloc(s->clients, sizeof(*took));
    uint32_t n = 0;
    for (uint32_t i = 0; took && i < s->started; i++)
        if (s->all[i].took)
            took[n++] = s->all[i].took;
    if (took)
        qsort(took, n, sizeof(*took), by_size);
    printf("logins=%u failed=%u seconds=%.3f rate=%.1f median_ms=%.1f p99_ms=%.1f client_kb=%.1f\n", s->up, s->failed,
           seconds, s->up / seconds, n ? (double)took[n / 2] / 1000 : 0, n ? (double)took[n * 99 / 100] / 1000 : 0,
           s->started ? (double)(resident_kb() - s->memory) / s->started : 0);
    fflush(stdout);
    free(took);
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
            s->options.server = optarg;
            break;
        case 'f':
            if (ip_parse(optarg, &first) != ERR_OK)
                return false;
            break;
        case 'k':
            s->options.psk = optarg;
            s->options.psk_size = strlen(optarg);
            break;
        case 'u':
            s->options.user = optarg;
            break;
        case 'p':
            s->options.password = optarg;
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
            s->options.ike_proposal = optarg;
            break;
        case 'e':
            s->options.esp_proposal = optarg;
            break;
        default:
            return false;
        }
    }
    s->first_address = ip4_value(&first);
    return s->options.server && s->first_address && s->options.user && s->options.password && s->options.psk &&
           s->clients > 0 && s->clients <= CLIENTS_MAX && s->parallel > 0;
}

static bool open_all(struct storm *s)
{
    const struct rlimit files = {s->clients * FILES_EACH + 64, s->clients * FILES_EACH + 64};
    s->options.stay = SEKISHO_STAY_NEVER;
    s->options.methods = "mschapv2";
    s->options.mtu = 1400;
    s->options.ike_lifetime = s->options.esp_lifetime = 28800;
    s->options.probe_ms = UINT32_MAX; /* idle sessions shall be idle */
    s->options.quiet_network = true;
    s->loop = loop_new();
    s->all = calloc(s->clients, sizeof(*s->all));
    return s->loop && s->all && setrlimit(RLIMIT_NOFILE, &files) == 0;
}

int main(int argc, char **argv)
{
    struct storm s = {.parallel = 32};
    sekisho_options_init(&s.options);
    s.options.ike_proposal = "aes256-sha1-modp2048";
    s.options.esp_proposal = "aes256-sha1";
    if (!take_options(&s, argc, argv)) {
        fputs("storm --server ADDRESS --psk KEY --user NAME --password WORD --clients N --first ADDRESS\n"
              "      [--parallel K] [--hold SECONDS] [--ike LIST] [--esp LIST]\n",
              stderr);
        return 2;
    }
    if (!open_all(&s)) {
        perror("storm: cannot start");
        return 1;
    }
    s.memory = resident_kb();
    s.began = clock_now();
    loop_on_turn(s.loop, turn, &s);
    turn(&s, s.began);
    while (s.finished == 0)
        if (loop_once(s.loop, USEC_SEC) != ERR_OK)
            return 1;
    print_result(&s);
    for (const usec_t end = s.finished + s.hold_seconds * USEC_SEC; clock_now() < end;)
        if (loop_once(s.loop, USEC_SEC) != ERR_OK)
            return 1;
    return s.failed ? 1 : 0;
}
