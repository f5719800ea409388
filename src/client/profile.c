/* A profile, as libsekisho's options and wishes about the host. */
#include "client/client_internal.h"

#include "profile/profile.h"

#include <stdio.h>
#include <string.h>

static const char *given(const char *text)
{
    return text[0] ? text : NULL;
}

static void take_blob(const struct profile_blob *blob, const void **p, size_t *n)
{
    *p = blob->n > 0 ? blob->p : NULL;
    *n = blob->n;
}

static enum sekisho_stay stay_of(const char *word)
{
    if (strcmp(word, "never") == 0)
        return SEKISHO_STAY_NEVER;
    return strcmp(word, "always") == 0 ? SEKISHO_STAY_ALWAYS : SEKISHO_STAY_ONCE_UP;
}

static void take_connection(const struct profile *p, struct client_options *out)
{
    struct sekisho_options *o = &out->connection;
    out->server_text = o->server = p->server;
    o->user = p->user;
    o->password = p->password.value;
    o->psk = p->key.n > 0 ? p->key.p : NULL;
    o->psk_size = p->key.n;
    take_blob(&p->certificate.certificate, &o->certificate, &o->certificate_size);
    take_blob(&p->certificate.key, &o->private_key, &o->private_key_size);
    take_blob(&p->certificate.authorities, &o->authorities, &o->authorities_size);
    o->certificate_password = given(p->certificate.password.value);
    o->server_identity = given(p->certificate.server_identity);
    o->revocation = p->certificate.revocation;
    o->policy = p->ike.policy;
    o->ike_proposal = given(p->ike.proposal);
    o->esp_proposal = given(p->ike.esp);
    o->encapsulation = p->ike.encapsulation;
    o->pfs = p->ike.pfs;
    o->aggressive = p->ike.aggressive;
    o->identity = given(p->ike.identity);
    o->ike_lifetime = p->ike.lifetime;
    o->esp_lifetime = p->ike.child_lifetime;
    o->tunnel_secret = given(p->l2tp.secret.value);
    o->hide_avps = p->l2tp.hide;
    o->host_name = given(p->l2tp.host_name);
    o->methods = given(p->ppp.methods);
    o->ask_prompts = !p->ppp.answer_prompts;
    o->mtu = (uint16_t)p->ppp.mtu;
    o->ipv6 = p->ppp.ipv6;
    if (p->ppp.address.family)
        o->address = ip_text(&p->ppp.address, out->address);
    o->stay = stay_of(p->run.stay);
}

static void take_domains(const char *list, struct wishes *w)
{
    while (*list && w->domain_count < STEWARD_DOMAINS) {
        const size_t n = strcspn(list, ", ");
        if (n > 0 && n < STEWARD_DOMAIN) {
            memcpy(w->domains[w->domain_count], list, n);
            w->domains[w->domain_count++][n] = '\0';
        }
        list += n;
        list += strspn(list, ", ");
    }
}

static void take_wishes(const struct profile *p, struct client_options *out)
{
    struct wishes *w = &out->wishes;
    w->everything = p->net.routes.word == PROFILE_ROUTES_EVERYTHING;
    w->told = out->connection.ask_routes = p->net.routes.word == PROFILE_ROUTES_ASK;
    for (uint32_t i = 0; p->net.routes.word == PROFILE_ROUTES_LISTED && i < p->net.routes.count; i++)
        if (w->route_count < STEWARD_ROUTES)
            w->routes[w->route_count++] =
                (struct steward_prefix){p->net.routes.prefix[i].addr, p->net.routes.prefix[i].bits};
    w->dns_of_tunnel = p->net.dns.word == PROFILE_DNS_TUNNEL;
    for (uint32_t i = 0; p->net.dns.word == PROFILE_DNS_LISTED && i < p->net.dns.count; i++)
        if (w->dns_count < STEWARD_DNS)
            w->dns[w->dns_count++] = p->net.dns.addr[i];
    take_domains(p->net.domains, w);
    w->no_leak = p->net.no_leak;
}

bool client_take_profile(const struct profile *p, struct client_options *out, char *why, size_t cap)
{
    const uint32_t needs = profile_needs(p);
    if (needs) {
        snprintf(why, cap, "The profile lacks %s.",
                 needs & PROFILE_NEEDS_PSK        ? "a pre-shared key or a certificate"
                 : needs & PROFILE_NEEDS_USER     ? "the user's name"
                 : needs & PROFILE_NEEDS_PASSWORD ? "the user's password"
                                                  : "the password of the private key");
        return false;
    }
    take_connection(p, out);
    take_wishes(p, out);
    out->log_level = p->run.level;
    out->user = p->run.user[0] ? p->run.user : out->user;
    if (p->net.interface[0])
        view_copy_text(out->iface, sizeof(out->iface), view_str(p->net.interface));
    return true;
}
