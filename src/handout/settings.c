/* What the gateway tells of itself, read from the texts of its control socket. */
#include "handout/handout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    uint32_t login;
} logins[] = {
    {"mschapv2", HANDOUT_MSCHAPV2},         {"chap-md5", HANDOUT_CHAP},   {"pap", HANDOUT_PAP},
    {"eap-mschapv2", HANDOUT_EAP_MSCHAPV2}, {"eap-gtc", HANDOUT_EAP_GTC}, {"eap-md5", HANDOUT_EAP_MD5},
    {"eap-tls", HANDOUT_EAP_TLS},
};

/* The next of a list with commas, with a NUL; false at the end, or with *good false when it does not fit. */
static bool next(const char **at, char *out, size_t cap, bool *good)
{
    const size_t n = strcspn(*at, ",");
    if (**at == '\0')
        return false;
    *good = *good && n < cap;
    snprintf(out, cap, "%.*s", (int)n, *at);
    *at += n + ((*at)[n] == ',');
    return *good;
}

static bool read_psk(const char *hex, struct secret *out)
{
    const size_t n = strlen(hex);
    if (n % 2 != 0 || n / 2 > CONFIG_SECRET_MAX || strspn(hex, "0123456789abcdefABCDEF") != n)
        return false;
    for (out->n = 0; out->n < n / 2; out->n++) {
        const char digits[] = {hex[2 * out->n], hex[2 * out->n + 1], '\0'};
        out->p[out->n] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return true;
}

/* A word that is not known is a way to log in that no device has either. */
static bool read_logins(const char *list, uint32_t *out)
{
    char word[32];
    bool good = true;
    while (next(&list, word, sizeof word, &good))
        for (size_t i = 0; i < ARRAY_LEN(logins); i++)
            if (strcmp(word, logins[i].word) == 0)
                *out |= logins[i].login;
    return good;
}

static bool read_prefix(char *text, struct ip_prefix *out)
{
    char *slash = strchr(text, '/'), *end = NULL;
    if (slash == NULL)
        return false;
    *slash = '\0';
    const unsigned long bits = strtoul(slash + 1, &end, 10);
    out->bits = (uint8_t)bits;
    return end != slash + 1 && *end == '\0' && bits <= 32 && ip_parse(text, &out->addr) == ERR_OK;
}

static bool read_routes(const char *list, struct handout_settings *out)
{
    char text[IP_TEXT_MAX + 4];
    bool good = true;
    while (next(&list, text, sizeof text, &good)) {
        good = out->route_count < CONFIG_ROUTES_MAX && read_prefix(text, &out->routes[out->route_count]);
        if (!good)
            return false;
        out->route_count++;
    }
    return good;
}

static bool read_dns(const char *list, struct handout_settings *out)
{
    char text[IP_TEXT_MAX];
    bool good = true;
    while (next(&list, text, sizeof text, &good)) {
        if (out->dns_count == CONFIG_SERVERS_MAX || ip_parse(text, &out->dns[out->dns_count]) != ERR_OK)
            return false;
        out->dns_count++;
    }
    return good;
}

enum err handout_settings_read(const struct handout_told *told, struct handout_settings *out)
{
    memset(out, 0, sizeof *out);
    out->grid = told->grid;
    const int server = snprintf(out->server, sizeof out->server, "%s", told->server);
    const int domains = snprintf(out->domains, sizeof out->domains, "%s", told->domain);
    const bool good = server < (int)sizeof out->server && domains < (int)sizeof out->domains &&
                      read_psk(told->psk, &out->psk) && read_logins(told->logins, &out->logins) &&
                      read_routes(told->routes, out) && read_dns(told->dns, out);
    return good ? ERR_OK : ERR_INVALID;
}

void handout_settings_fill(const struct handout_settings *settings, struct handout *h)
{
    h->server = settings->server;
    h->psk = secret_view(&settings->psk);
    h->logins = settings->logins;
    h->everything = settings->route_count == 0;
    h->routes = settings->routes;
    h->route_count = settings->route_count;
    h->dns = settings->dns;
    h->dns_count = settings->dns_count;
    h->domains = settings->domains;
    h->grid = settings->grid;
}
