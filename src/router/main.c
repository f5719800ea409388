/* sekisho-router: NAPT with IPsec passthrough; and the command that asks it how it is. */
#include "router/router_internal.h"

#include <getopt.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#ifndef SEKISHO_VERSION
#define SEKISHO_VERSION "unknown"
#endif

static const char usage[] = "sekisho-router: a home router's NAPT, with IPsec passthrough for every host inside\n"
                            "  sekisho-router --inside IF [--inside IF]... --outside IF\n"
                            "      [--passthrough on|off]  IKE on port 500 and ESP pass untouched, or not at all (on)\n"
                            "      [--run-as USER]         whom to become once all is open (sekisho; root: stay root)\n"
                            "      [--socket PATH]         where to be asked (" ROUTER_DEFAULT_SOCKET ")\n"
                            "      [--log text|json]       how to tell what happens, on standard error (text)\n"
                            "      [--foreground]          taken for granted: it always stays\n"
                            "  sekisho-router status [--json] [--socket PATH]\n"
                            "  sekisho-router --version\n"
                            "It runs until SIGINT or SIGTERM, and takes its table away then.\n";

/* Interface names go into the text for nft. */
static bool is_interface_name(const char *name)
{
    const size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@:+");
    return n > 0 && n < IF_NAMESIZE && name[n] == '\0';
}

static bool take_inside(struct router_options *o, const char *name)
{
    if (o->inside_count == ROUTER_INSIDE_MAX || !is_interface_name(name))
        return false;
    o->inside[o->inside_count++] = name;
    return true;
}

static bool take_either(const char *text, const char *yes, const char *no, bool *out)
{
    *out = strcmp(text, yes) == 0;
    return *out || strcmp(text, no) == 0;
}

static bool take(struct router_options *o, int option, const char *value, bool *json_status)
{
    switch (option) {
    case 'i':
        return take_inside(o, value);
    case 'o':
        o->outside = value;
        return is_interface_name(value);
    case 'p':
        return take_either(value, "on", "off", &o->passthrough);
    case 'u':
        o->user = value;
        return value[0] != '\0';
    case 's':
        o->socket = value;
        return value[0] != '\0';
    case 'l':
        return take_either(value, "json", "text", &o->json);
    case 'j':
        *json_status = true;
        return true;
    case 'f':
        return true;
    default:
        return false;
    }
}

static int refuse_usage(void)
{
    fputs(usage, stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"inside", required_argument, NULL, 'i'},
        {"outside", required_argument, NULL, 'o'},
        {"passthrough", required_argument, NULL, 'p'},
        {"run-as", required_argument, NULL, 'u'},
        {"socket", required_argument, NULL, 's'},
        {"log", required_argument, NULL, 'l'},
        {"json", no_argument, NULL, 'j'},
        {"foreground", no_argument, NULL, 'f'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct router_options o = {.passthrough = true, .user = "sekisho", .socket = ROUTER_DEFAULT_SOCKET};
    bool json_status = false;
    for (int option; (option = getopt_long(argc, argv, "fvh", options, NULL)) != -1;) {
        if (option == 'h' || option == 'v') {
            fputs(option == 'h' ? usage : "sekisho-router " SEKISHO_VERSION "\n", stdout);
            return EXIT_OK;
        }
        if (take(&o, option, optarg, &json_status))
            continue;
        if (option != '?')
            fprintf(stderr, "sekisho-router: \"%s\" cannot be taken\n", optarg);
        return refuse_usage();
    }
    if (optind + 1 == argc && strcmp(argv[optind], "status") == 0)
        return status_print(o.socket, json_status);
    if (optind != argc || json_status || o.inside_count == 0 || !o.outside)
        return refuse_usage();
    return router_run(&o);
}
