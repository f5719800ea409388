/* sekisho-client: reads its options and runs one connection. */
#include "client/client_internal.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "sekisho-client: connects this host to an L2TP/IPsec server\n"
    "  sekisho-client --server ADDRESS --psk-file FILE --user NAME --password-file FILE\n"
    "      [--tun NAME]            interface to make (sekisho0)\n"
    "      [--route PREFIX]...     send this network through the tunnel; 0.0.0.0/0 for everything\n"
    "      [--encap auto|force|off] ESP in UDP: as needed, always, never\n"
    "      [--ike LIST] [--esp LIST] proposals, e.g. aes256-sha1-modp2048, aes128gcm16\n"
    "      [--pfs]                 perfect forward secrecy in quick mode\n"
    "      [--identity TEXT]       @group, name@host, host or address, when the server does not go by our address\n"
    "      [--aggressive]          aggressive mode, for servers that take nothing else; weaker\n"
    "      [--local ADDRESS]       use this address of the host\n"
    "Ends with status 0 after SIGINT or SIGTERM, 1 when the connection failed, 2 for wrong options.\n";

static bool add_route(struct client_options *o, const struct ip_addr *to, uint8_t bits)
{
    if (o->route_count == CLIENT_ROUTES_MAX)
        return false;
    o->routes[o->route_count++] = (struct route){.to = *to, .bits = bits};
    return true;
}

static bool take_route(struct client_options *o, char *text)
{
    struct ip_addr to;
    char *slash = strchr(text, '/'), *end = NULL;
    if (slash)
        *slash++ = '\0';
    const unsigned long bits = slash ? strtoul(slash, &end, 10) : 32;
    if (ip_parse(text, &to) != ERR_OK || to.family != 4 || (slash && (end == slash || *end != '\0')) || bits > 32)
        return false;
    if (bits > 0)
        return add_route(o, &to, (uint8_t)bits);
    /* Everything goes in two halves, which win over the host's default route and leave it in its place. */
    const struct ip_addr low = ip4_addr(0), high = ip4_addr(UINT32_C(1) << 31);
    return add_route(o, &low, 1) && add_route(o, &high, 1);
}

static bool take_encap(struct client_options *o, const char *text)
{
    static const struct {
        const char *word;
        enum ike_encap encap;
    } words[] = {{"auto", IKE_ENCAP_AUTO}, {"force", IKE_ENCAP_FORCE}, {"off", IKE_ENCAP_OFF}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i].word, text) == 0) {
            o->encap = words[i].encap;
            return true;
        }
    return false;
}

static bool take(struct client_options *o, int option, char *value)
{
    switch (option) {
    case 's':
        return ip_parse(value, &o->server) == ERR_OK;
    case 'l':
        return ip_parse(value, &o->local) == ERR_OK;
    case 'k':
        o->psk_file = value;
        return true;
    case 'u':
        o->user = value;
        return strlen(value) < PPP_NAME_MAX;
    case 'p':
        o->password_file = value;
        return true;
    case 't':
        o->tun = value;
        return strlen(value) < IFACE_NAME_MAX;
    case 'r':
        return take_route(o, value);
    case 'e':
        return take_encap(o, value);
    case 'i':
        o->ike_proposal = value;
        return true;
    case 'E':
        o->esp_proposal = value;
        return true;
    case 'f':
        o->pfs = true;
        return true;
    case 'I':
        o->identity = value;
        return strlen(value) < sizeof(((struct ike_connect *)NULL)->identity);
    case 'a':
        o->aggressive = true;
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"server", required_argument, NULL, 's'},
        {"psk-file", required_argument, NULL, 'k'},
        {"user", required_argument, NULL, 'u'},
        {"password-file", required_argument, NULL, 'p'},
        {"tun", required_argument, NULL, 't'},
        {"route", required_argument, NULL, 'r'},
        {"encap", required_argument, NULL, 'e'},
        {"ike", required_argument, NULL, 'i'},
        {"esp", required_argument, NULL, 'E'},
        {"local", required_argument, NULL, 'l'},
        {"pfs", no_argument, NULL, 'f'},
        {"identity", required_argument, NULL, 'I'},
        {"aggressive", no_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct client_options o = {.tun = "sekisho0"};
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (!take(&o, option, optarg)) {
            if (option != '?')
                fprintf(stderr, "sekisho-client: \"%s\" cannot be taken\n", optarg);
            fputs(usage, stderr);
            return 2;
        }
    }
    if (o.server.family == 0 || !o.psk_file || !o.user || !o.password_file) {
        fputs(usage, stderr);
        return 2;
    }
    return client_run(&o);
}
