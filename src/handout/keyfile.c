/* A connection of NetworkManager with its plug-in NetworkManager-l2tp (.nmconnection): GLib's key file. */
#include "handout/handout_internal.h"

#include <string.h>

static void put_entry(struct writer *w, const char *key, struct view value)
{
    put(w, key);
    put(w, "=");
    quote_keyfile(w, value);
    put(w, "\n");
}

static void put_text_entry(struct writer *w, const char *key, const char *value)
{
    put_entry(w, key, view_str(value));
}

/* What the gateway does not take is refused, so that pppd does not try it. */
static void put_logins(const struct job *j)
{
    static const struct {
        uint32_t logins;
        const char *refuse;
    } refusals[] = {
        {HANDOUT_EAP_MSCHAPV2 | HANDOUT_EAP_MD5, "refuse-eap"},
        {HANDOUT_PAP, "refuse-pap"},
        {HANDOUT_CHAP, "refuse-chap"},
        {0, "refuse-mschap"},
        {HANDOUT_MSCHAPV2, "refuse-mschapv2"},
    };
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        if ((j->h->logins & refusals[i].logins) == 0)
            put_text_entry(j->w, refusals[i].refuse, "yes");
}

/* The plug-in keeps keys as base64 after "0s", whatever they are. */
static void put_secrets(const struct job *j)
{
    put(j->w, "\n[vpn-secrets]\n");
    if (!by_certificate(j->h)) {
        put(j->w, "ipsec-psk=0s");
        put_base64(j->w, j->h->psk);
        put(j->w, "\n");
    } else if (j->h->certificate.password[0] != '\0') {
        put_text_entry(j->w, "machine-certpass", j->h->certificate.password);
    }
}

static void put_machine(const struct job *j)
{
    const struct handout *h = j->h;
    put_text_entry(j->w, "ipsec-enabled", "yes");
    if (!by_certificate(h)) {
        put_text_entry(j->w, "machine-auth-type", "psk");
        put_text_entry(j->w, "ipsec-psk-flags", "0");
        return;
    }
    put_text_entry(j->w, "machine-auth-type", "tls");
    put_text_entry(j->w, "machine-ca", h->certificate.file);
    put_text_entry(j->w, "machine-cert", h->certificate.file);
    put_text_entry(j->w, "machine-key", h->certificate.file);
    put_text_entry(j->w, "machine-certpass-flags", h->certificate.password[0] != '\0' ? "0" : "1");
    if (h->certificate.identity[0] != '\0')
        put_text_entry(j->w, "ipsec-remote-id", h->certificate.identity);
}

static void put_network(const struct job *j)
{
    const struct handout *h = j->h;
    const char *at = h->domains;
    struct view one;
    put(j->w, "\n[ipv4]\nmethod=auto\n");
    if (h->domains[0] != '\0') {
        put(j->w, "dns-search=");
        while (next_domain(&at, &one)) {
            wr_view(j->w, one);
            put(j->w, ";");
        }
        put(j->w, "\n");
    }
    if (!h->everything)
        put(j->w, "never-default=true\n");
    for (uint32_t i = 0; !h->everything && i < h->route_count; i++) {
        put(j->w, "route");
        put_number(j->w, i + 1);
        put(j->w, "=");
        put_prefix(j->w, &h->routes[i]);
        put(j->w, "\n");
    }
    put(j->w, "\n[ipv6]\nmethod=disabled\n");
}

enum err write_keyfile(const struct job *j)
{
    const struct handout *h = j->h;
    char uuid[UUID_TEXT_MAX];
    const enum err result = uuid_of(h, "connection", uuid);
    if (result != ERR_OK)
        return result;
    if (by_certificate(h) && h->certificate.file[0] == '\0')
        return refuse(j, TEXT_NO_P12_FILE);
    if (strchr(h->server, ':') != NULL)
        return refuse(j, TEXT_LINUX_SERVER);
    put(j->w, "# ");
    put(j->w, text_of(TEXT_SECRET_INSIDE, j->language));
    put(j->w, "\n[connection]\n");
    put_text_entry(j->w, "id", h->name);
    put_text_entry(j->w, "uuid", uuid);
    put(j->w, "type=vpn\nautoconnect=false\n\n[vpn]\nservice-type=org.freedesktop.NetworkManager.l2tp\n");
    put_text_entry(j->w, "gateway", h->server);
    put_text_entry(j->w, "user", h->user);
    put_text_entry(j->w, "user-auth-type", "password");
    put_text_entry(j->w, "password-flags", "1"); /* the agent of the user's desktop asks and keeps it */
    put_machine(j);
    put_logins(j);
    put_text_entry(j->w, "mtu", "1400");
    put_text_entry(j->w, "mru", "1400");
    put_secrets(j);
    put_network(j);
    return ERR_OK;
}
