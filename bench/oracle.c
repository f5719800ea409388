/*
 * How long a gateway takes to refuse: logins with a wrong password under several names in turn, one after the other,
 * each by a client with an address of its own. A line for each: the name, and the nanoseconds from where the login
 * begins, LCP being agreed, to the end that the gateway makes of it. bench/run judges whether the names can be told
 * apart.
 *
 * The addresses must be local here and routed to from the gateway, as for bench_storm.
 */
#include "net/net.h"
#include "sekisho/sekisho.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAMES_MAX 16
#define ATTEMPT   (20 * USEC_SEC)

struct run {
    struct sekisho_options options;
    struct random_test order;
    const char *names[NAMES_MAX];
    size_t name_count;
    uint32_t first_address, rounds, done;
};

static uint64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Waits for what comes, and does it. */
static void turn(struct sekisho *s)
{
    const int due = sekisho_timeout_ms(s);
    struct pollfd fd = {.fd = sekisho_fd(s), .events = POLLIN};
    poll(&fd, 1, due < 0 || due > 100 ? 100 : due);
    sekisho_run(s);
}

/* 0: it did not come to a verdict. */
static uint64_t refusal_of(struct sekisho *s)
{
    const usec_t end = clock_now() + ATTEMPT;
    struct sekisho_event event;
    uint64_t asked = 0;
    sekisho_connect(s);
    sekisho_run(s);
    while (clock_now() < end) {
        while (sekisho_event(s, &event)) {
            if (event.type == SEKISHO_STEP && strcmp(event.stage, "lcp") == 0)
                asked = nanoseconds();
            if (event.type == SEKISHO_FAILED)
                return strcmp(event.cause, "auth-refused") == 0 && asked > 0 ? nanoseconds() - asked : 0;
        }
        turn(s);
    }
    return 0;
}

static bool attempt(struct run *r, const char *name)
{
    char local[IP_TEXT_MAX], why[SEKISHO_TEXT];
    const struct ip_addr address = ip4_addr(r->first_address + r->done++);
    r->options.local = ip_text(&address, local);
    r->options.user = name;
    struct sekisho *s = sekisho_new(&r->options, why, sizeof(why));
    if (!s) {
        fprintf(stderr, "oracle: %s\n", why);
        return false;
    }
    const uint64_t took = refusal_of(s);
    sekisho_free(s);
    if (took == 0)
        fprintf(stderr, "oracle: %s was not refused\n", name);
    else
        printf("%s %llu\n", name, (unsigned long long)took);
    return took > 0;
}

/* Every name once, in an order that is drawn anew. */
static bool round_of(struct run *r)
{
    const struct random rng = {random_test_fill, &r->order};
    for (size_t i = r->name_count; i > 1; i--) {
        const size_t k = random_below(&rng, (uint32_t)i);
        const char *kept = r->names[i - 1];
        r->names[i - 1] = r->names[k];
        r->names[k] = kept;
    }
    for (size_t i = 0; i < r->name_count; i++)
        if (!attempt(r, r->names[i]))
            return false;
    return true;
}

static bool take_options(struct run *r, int argc, char **argv)
{
    static const struct option options[] = {
        {"server", required_argument, NULL, 's'},
        {"psk", required_argument, NULL, 'k'},
        {"password", required_argument, NULL, 'p'},
        {"method", required_argument, NULL, 'm'},
        {"rounds", required_argument, NULL, 'n'},
        {"first", required_argument, NULL, 'f'},
        {NULL, 0, NULL, 0},
    };
    struct ip_addr first = {0};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 's':
            r->options.server = optarg;
            break;
        case 'k':
            r->options.psk = optarg;
            r->options.psk_size = strlen(optarg);
            break;
        case 'p':
            r->options.password = optarg;
            break;
        case 'm':
            r->options.methods = optarg;
            break;
        case 'n':
            r->rounds = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'f':
            if (ip_parse(optarg, &first) != ERR_OK)
                return false;
            break;
        default:
            return false;
        }
    }
    for (; optind < argc && r->name_count < NAMES_MAX; optind++)
        r->names[r->name_count++] = argv[optind];
    r->first_address = ip4_value(&first);
    return r->options.server && r->options.psk && r->options.password && r->options.methods && r->first_address &&
           r->rounds > 0 && r->name_count > 0 && optind == argc;
}

int main(int argc, char **argv)
{
    struct run r = {0};
    sekisho_options_init(&r.options);
    random_test_init(&r.order, 1);
    if (!take_options(&r, argc, argv)) {
        fputs("oracle --server ADDRESS --psk KEY --password WORD --method WORD --rounds N --first ADDRESS NAME...\n",
              stderr);
        return 2;
    }
    r.options.stay = SEKISHO_STAY_NEVER;
    r.options.ike_proposal = "aes256-sha1-ecp256";
    r.options.esp_proposal = "aes256-sha1";
    r.options.mtu = 1400;
    r.options.quiet_network = true;
    for (uint32_t i = 0; i < r.rounds; i++)
        if (!round_of(&r))
            return 1;
    return 0;
}
