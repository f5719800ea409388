/* `sekisho-router status`: asks the router that runs, and prints what it says. */
#include "router/router_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_WAIT 5000 /* milliseconds */
#define TEXT        32

typedef unsigned long long wide;

/* ---- asking ---- */

static bool ask(int fd, enum ctl_verb verb, json_t **data, struct ctl_error *error)
{
    struct ctl_request *request = ctl_request_new(verb);
    char *line = request ? ctl_request_line(request) : NULL;
    struct ctl_lines lines;
    struct view reply;
    size_t n = 0;
    bool heard = false, open = line && local_write(fd, view_str(line), &n) == ERR_OK && n == strlen(line);
    ctl_lines_init(&lines, CTL_REPLY_MAX);
    while (open && !heard) {
        uint8_t room[16384];
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        open = poll(&ready, 1, ANSWER_WAIT) > 0 && local_read(fd, room, sizeof(room), &n) == ERR_OK &&
               ctl_lines_feed(&lines, view_of(room, n)) == ERR_OK;
        heard = open && ctl_lines_next(&lines, &reply);
    }
    if (!heard)
        snprintf(error->sentence, sizeof(error->sentence), "The router does not answer.");
    const bool good = heard && ctl_reply_parse(reply, data, error) == ERR_OK;
    ctl_lines_done(&lines);
    ctl_line_free(line);
    ctl_request_free(request);
    return good;
}

/* The status with its drops, which is all that there is to know. */
static json_t *ask_all(int fd, struct ctl_error *error)
{
    json_t *status = NULL, *more = NULL;
    if (!ask(fd, CTL_VERB_ROUTER_STATUS, &status, error))
        return NULL;
    if (!ask(fd, CTL_VERB_DROPS, &more, error) || json_object_update(status, more) != 0) {
        json_decref(status);
        status = NULL;
    }
    json_decref(more);
    return status;
}

/* ---- printing ---- */

static const char *bytes_text(uint64_t n, char out[static TEXT])
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    double v = (double)n;
    size_t unit = 0;
    while (v >= 1000 && unit + 1 < ARRAY_LEN(units)) {
        v /= 1000;
        unit++;
    }
    snprintf(out, TEXT, unit == 0 ? "%.0f %s" : "%.1f %s", v, units[unit]);
    return out;
}

static const char *time_text(uint64_t seconds, char out[static TEXT])
{
    if (seconds < 120)
        snprintf(out, TEXT, "%llu s", (wide)seconds);
    else if (seconds < 7200)
        snprintf(out, TEXT, "%llu min", (wide)seconds / 60);
    else
        snprintf(out, TEXT, "%llu h", (wide)seconds / 3600);
    return out;
}

static void print_router(const struct ctl_router *r)
{
    char out[TEXT], in[TEXT], up[TEXT];
    const time_t now = time(NULL);
    printf("Passthrough   %s, for %s\n", r->passthrough ? "on" : "off",
           time_text(now > (time_t)r->started ? (uint64_t)now - r->started : 0, up));
    printf("Outside       %s, %s\n", r->outside, r->address[0] ? r->address : "without an address");
    printf("Inside        %s\n", r->inside);
    if (r->passthrough) {
        printf(
            "IPsec         %llu hosts, %llu servers, %llu bindings, %llu of them in the kernel, %llu by the shortcut\n",
            (wide)r->hosts, (wide)r->servers, (wide)r->bindings, (wide)r->in_kernel, (wide)r->shortcut);
        printf("Out           %llu packets, %s\n", (wide)r->packets_out, bytes_text(r->bytes_out, out));
        printf("In            %llu packets, %s\n", (wide)r->packets_in, bytes_text(r->bytes_in, in));
        printf("Held back     %llu packets now\n", (wide)r->held);
        printf("Ambiguous     %llu times, %llu wrong guesses, %llu corrections\n", (wide)r->ambiguous,
               (wide)r->wrong_guesses, (wide)r->corrected);
        printf("Unconfirmed   %llu SPIs from outside\n", (wide)r->unconfirmed);
    }
    printf("Dropped       %llu packets\n", (wide)r->drops);
}

static void print_hosts(const json_t *list)
{
    size_t i;
    json_t *one;
    if (json_array_size(list) > 0)
        printf("\n%-15s %7s %5s %4s %4s %10s %10s %10s %10s %8s\n", "HOST", "SERVERS", "PAIRS", "IKE", "HELD", "OUT",
               "BYTES", "IN", "BYTES", "IDLE");
    json_array_foreach(list, i, one)
    {
        struct ctl_inside h;
        char out[TEXT], in[TEXT], idle[TEXT];
        if (ctl_inside_read(one, &h) == ERR_OK)
            printf("%-15s %7llu %5llu %4llu %4llu %10llu %10s %10llu %10s %8s\n", h.address, (wide)h.servers,
                   (wide)h.pairs, (wide)h.ikes, (wide)h.held, (wide)h.packets_out, bytes_text(h.bytes_out, out),
                   (wide)h.packets_in, bytes_text(h.bytes_in, in), time_text(h.idle, idle));
    }
}

static void print_servers(const json_t *list)
{
    size_t i;
    json_t *one;
    if (json_array_size(list) > 0)
        printf("\n%-15s %7s %7s %4s\n", "SERVER", "HOSTS", "UNKNOWN", "HELD");
    json_array_foreach(list, i, one)
    {
        struct ctl_server s;
        if (ctl_server_read(one, &s) == ERR_OK)
            printf("%-15s %7llu %7llu %4llu\n", s.address, (wide)s.hosts, (wide)s.unknown, (wide)s.held);
    }
}

static void print_bindings(const json_t *list)
{
    size_t i;
    json_t *one;
    if (json_array_size(list) > 0)
        printf("\n%-3s %-4s %-16s %-15s %-15s %-9s %-6s %10s %10s %8s %8s\n", "WAY", "KIND", "SPI OR COOKIE", "HOST",
               "SERVER", "STATE", "KERNEL", "PACKETS", "BYTES", "AGE", "IDLE");
    json_array_foreach(list, i, one)
    {
        struct ctl_binding b;
        char bytes[TEXT], age[TEXT], idle[TEXT];
        if (ctl_binding_read(one, &b) == ERR_OK)
            printf("%-3s %-4s %-16s %-15s %-15s %-9s %-6s %10llu %10s %8s %8s\n", b.way, b.kind, b.id, b.host, b.server,
                   b.state, b.in_kernel ? "yes" : "no", (wide)b.packets, bytes_text(b.bytes, bytes),
                   time_text(b.age, age), time_text(b.idle, idle));
    }
}

static void print_drops(const json_t *list)
{
    size_t i;
    json_t *one;
    bool headed = false;
    json_array_foreach(list, i, one)
    {
        struct ctl_drop d;
        if (ctl_drop_read(one, &d) != ERR_OK || d.count == 0)
            continue;
        if (!headed)
            printf("\n%10s  %-18s %s\n", "COUNT", "DROP", "WHY");
        headed = true;
        printf("%10llu  %-18s %s\n", (wide)d.count, d.word, d.sentence);
    }
}

static int print_text(const json_t *data)
{
    struct ctl_router r;
    if (ctl_router_read(json_object_get(data, "router"), &r) != ERR_OK) {
        fprintf(stderr, "sekisho-router: What answers is no router.\n");
        return EXIT_OTHER;
    }
    print_router(&r);
    print_hosts(json_object_get(data, "hosts"));
    print_servers(json_object_get(data, "servers"));
    print_bindings(json_object_get(data, "bindings"));
    print_drops(json_object_get(data, "drops"));
    return EXIT_OK;
}

int status_print(const char *socket, bool json)
{
    struct ctl_error error = {.sentence = ""};
    int fd;
    if (local_connect(socket, &fd) != ERR_OK) {
        if (errno == EACCES || errno == EPERM)
            fprintf(stderr, "sekisho-router: Only root may ask the router.\n");
        else
            fprintf(stderr, "sekisho-router: No router answers on %s: %s. Is it running?\n", socket, strerror(errno));
        return EXIT_DOWN;
    }
    json_t *data = ask_all(fd, &error);
    close(fd);
    if (!data) {
        fprintf(stderr, "sekisho-router: %s\n", error.sentence);
        return EXIT_OTHER;
    }
    int status = EXIT_OK;
    if (json) {
        json_dumpf(data, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        status = print_text(data);
    }
    json_decref(data);
    return status;
}
