/* What the keys of NetworkManager-l2tp mean in a profile of ours, and what of them cannot be carried over. */
#include "profile/profile_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE "org.freedesktop.NetworkManager.l2tp"

struct import {
    struct keyfile k;
    struct profile *p;
    char *notes;
    size_t n;
};

static void note(struct import *in, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct import *in, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    size_t n = strlen(line);
    if (in->n + n + 2 > PROFILE_NOTES_MAX)
        return;
    in->n += (size_t)snprintf(in->notes + in->n, PROFILE_NOTES_MAX - in->n, "%s\n", line);
}

static const char *get(struct import *in, const char *key)
{
    return keyfile_get(&in->k, "vpn", key);
}

/* A secret, which older versions kept among the data. */
static const char *get_secret(struct import *in, const char *key)
{
    const char *old = get(in, key), *value = keyfile_get(&in->k, "vpn-secrets", key);
    return value != NULL ? value : old;
}

static bool is_yes(const char *value)
{
    return value != NULL && (strcmp(value, "yes") == 0 || strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

/* Sets one of ours; a value that cannot be taken becomes a note. */
static void carry(struct import *in, const char *theirs, const char *ours, const char *value)
{
    struct config_error e = {0};
    if (value != NULL && profile_set(in->p, ours, value, &e) != ERR_OK)
        note(in, "%s was left out: %s", theirs, e.sentence);
}

/* ---- who we are ---- */

static void carry_user(struct import *in)
{
    char user[PROFILE_TEXT_MAX];
    const char *name = get(in, "user"), *domain = get(in, "domain"), *password = get_secret(in, "password");
    if (name != NULL && domain != NULL && snprintf(user, sizeof user, "%s\\%s", domain, name) < (int)sizeof user)
        carry(in, "user", "user", user);
    else
        carry(in, "user", "user", name);
    carry(in, "password", "password", password);
    (void)get(in, "password-flags");
    if (name != NULL && password == NULL && get(in, "user-cert") == NULL)
        note(in, "The password is not in the file, so it will be asked for.");
}

static bool is_text(const struct secret *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->p[i] < ' ' || s->p[i] >= 0x7f)
            return false;
    return true;
}

/* "0s" begins a key in base64, which newer versions write whatever the key is. */
static void carry_psk(struct import *in)
{
    struct secret key = {0};
    char text[CONFIG_SECRET_MAX + 1];
    const char *psk = get_secret(in, "ipsec-psk");
    (void)get(in, "ipsec-psk-flags");
    if (psk == NULL) {
        note(in, "The pre-shared key is not in the file, so it will be asked for.");
        return;
    }
    const bool coded = strncmp(psk, "0s", 2) == 0;
    const enum err result = profile_key_decode(coded ? "base64" : "text", coded ? psk + 2 : psk, &key);
    if (result == ERR_LIMIT) {
        note(in, "ipsec-psk was left out: it is longer than %d bytes, which is the limit.", CONFIG_SECRET_MAX);
    } else if (result != ERR_OK) {
        note(in, "ipsec-psk was left out: after 0s it is no base64.");
    } else if (coded && !is_text(&key)) {
        carry(in, "ipsec-psk", "psk", psk + 2);
        carry(in, "ipsec-psk", "psk_encoding", "base64");
    } else {
        snprintf(text, sizeof text, "%.*s", (int)key.n, (const char *)key.p);
        carry(in, "ipsec-psk", "psk", text);
        bytes_wipe(text, sizeof text);
    }
    secret_wipe(&key);
}

/* kind is "machine" or "user": the certificate of IKE, or that of EAP-TLS. PKCS#12 stands in all three of theirs. */
static void carry_certificate(struct import *in, const char *kind)
{
    char name[32];
    snprintf(name, sizeof name, "%s-cert", kind);
    const char *file = get(in, name);
    snprintf(name, sizeof name, "%s-key", kind);
    const char *key = get(in, name);
    snprintf(name, sizeof name, "%s-ca", kind);
    const char *ca = get(in, name);
    if (file == NULL)
        file = key;
    carry(in, "The certificate", "certificate.file", file);
    if (key != NULL && file != NULL && strcmp(key, file) != 0)
        carry(in, "The private key", "certificate.key_file", key);
    if (ca != NULL && file != NULL && strcmp(ca, file) != 0)
        carry(in, "The authority", "certificate.authorities_file", ca);
    snprintf(name, sizeof name, "%s-certpass", kind);
    carry(in, name, "certificate.password", get_secret(in, name));
    snprintf(name, sizeof name, "%s-certpass-flags", kind);
    (void)get(in, name);
}

static void carry_machine(struct import *in)
{
    const char *type = get(in, "machine-auth-type"), *name = get(in, "ipsec-remote-id");
    const char *old = get(in, "ipsec-gateway-id");
    bool tls = type != NULL && strcmp(type, "tls") == 0;
    if (name == NULL)
        name = old;
    if (tls)
        carry_certificate(in, "machine");
    else
        carry_psk(in);
    if (tls)
        carry(in, "ipsec-remote-id", "certificate.server_identity", name);
    else if (name != NULL)
        note(in, "ipsec-remote-id was left out: with a pre-shared key the server's name is not compared.");
}

/* ---- key exchange ---- */

static const struct {
    const char *theirs, *ours;
} algorithms[] = {
    {"sha2_256", "sha256"}, {"sha2_384", "sha384"}, {"sha2_512", "sha512"}, {"dh2", "modp1024"},
    {"dh5", "modp1536"},    {"dh14", "modp2048"},   {"dh15", "modp3072"},   {"dh16", "modp4096"},
    {"dh19", "ecp256"},     {"dh20", "ecp384"},     {"dh21", "ecp521"},     {"sha", "sha1"},
};

/* Their lists are strongSwan's or libreswan's: "aes256-sha1-modp2048!" or "aes256-sha2_256;dh14". */
static void carry_proposal(struct import *in, const char *theirs, const char *ours)
{
    char out[PROFILE_TEXT_MAX];
    struct writer w = wr_init(out, sizeof out - 1);
    const char *p = get(in, theirs);
    if (p == NULL)
        return;
    while (*p != '\0') {
        size_t n = strcspn(p, "-;, !"), i = 0;
        while (i < ARRAY_LEN(algorithms) &&
               (strlen(algorithms[i].theirs) != n || strncmp(algorithms[i].theirs, p, n) != 0))
            i++;
        if (i < ARRAY_LEN(algorithms))
            wr_view(&w, view_str(algorithms[i].ours));
        else
            wr_bytes(&w, p, n);
        p += n;
        if (*p != '\0' && *p != '!' && *p != ' ')
            wr_u8(&w, *p == ',' ? ',' : '-');
        p += *p != '\0';
    }
    if (!wr_ok(&w)) {
        note(in, "%s was left out: it is too long.", theirs);
        return;
    }
    out[w.n] = '\0';
    carry(in, theirs, ours, out);
}

static void carry_identity(struct import *in)
{
    char identity[PROFILE_TEXT_MAX];
    struct ip_addr address;
    const char *group = get(in, "ipsec-group-name");
    if (group == NULL)
        return;
    bool as_is = strchr(group, '@') != NULL || ip_parse(group, &address) == ERR_OK;
    if (snprintf(identity, sizeof identity, "%s%s", as_is ? "" : "@", group) < (int)sizeof identity)
        carry(in, "ipsec-group-name", "ike.identity", identity);
}

static void carry_ike(struct import *in)
{
    carry_proposal(in, "ipsec-ike", "ike.proposal");
    carry_proposal(in, "ipsec-esp", "ike.esp");
    carry(in, "ipsec-ikelifetime", "ike.lifetime", get(in, "ipsec-ikelifetime"));
    carry(in, "ipsec-salifetime", "ike.child_lifetime", get(in, "ipsec-salifetime"));
    carry_identity(in);
    if (is_yes(get(in, "ipsec-forceencaps")))
        carry(in, "ipsec-forceencaps", "ike.encapsulation", "force");
    if (is_yes(get(in, "ipsec-pfs")))
        carry(in, "ipsec-pfs", "ike.pfs", "on");
    if (is_yes(get(in, "ipsec-ipcomp")))
        note(in, "ipsec-ipcomp was left out: packets are not compressed.");
    if (is_yes(get(in, "ipsec-ikev2")))
        note(in, "ipsec-ikev2 was left out: L2TP/IPsec goes by IKEv1 here, which the server must speak.");
    if (!is_yes(get(in, "ipsec-enabled")))
        note(in, "IPsec was off in the file; here it always protects the tunnel.");
}

/* ---- PPP ---- */

/* What is weaker than ours by default is only taken where nothing else was left. */
static void carry_methods(struct import *in)
{
    const char *type = get(in, "user-auth-type");
    bool no_v2 = is_yes(get(in, "refuse-mschapv2")), no_eap = is_yes(get(in, "refuse-eap"));
    bool no_chap = is_yes(get(in, "refuse-chap")), no_pap = is_yes(get(in, "refuse-pap"));
    bool no_v1 = is_yes(get(in, "refuse-mschap"));
    if (type != NULL && strcmp(type, "tls") == 0) {
        carry_certificate(in, "user");
        carry(in, "user-auth-type", "ppp.methods", "eap-tls");
    } else if (!no_v2) {
        carry(in, "refuse-eap", "ppp.methods", no_eap ? "mschapv2" : "mschapv2, eap-mschapv2");
    } else if (!no_eap) {
        carry(in, "refuse-mschapv2", "ppp.methods", "eap-mschapv2, eap-md5");
    } else if (!no_chap || !no_pap) {
        carry(in, "refuse-mschapv2", "ppp.methods", no_pap ? "chap-md5" : no_chap ? "pap" : "chap-md5, pap");
    } else if (!no_v1) {
        note(in, "Only MS-CHAP version 1 was left to log in, which is not known here; MS-CHAPv2 is tried.");
    }
}

static void carry_ppp(struct import *in)
{
    const char *mtu = get(in, "mtu"), *mru = get(in, "mru");
    carry_methods(in);
    carry(in, "mtu", "ppp.mtu", mtu != NULL && strcmp(mtu, "0") != 0 ? mtu : mru);
    if (is_yes(get(in, "require-mppe")) || is_yes(get(in, "require-mppe-40")) || is_yes(get(in, "require-mppe-128")))
        note(in, "require-mppe was left out: IPsec encrypts, not MPPE.");
}

/* ---- the network ---- */

/* Their lists end each value with a semicolon; ours have commas between. */
static void carry_list(struct import *in, const char *theirs, const char *ours, const char *value)
{
    char out[PROFILE_LIST_MAX];
    size_t n = 0;
    if (value == NULL)
        return;
    for (const char *p = value; *p != '\0';) {
        size_t here = strcspn(p, ";");
        if (here > 0 && n + here + 2 < sizeof out)
            n += (size_t)snprintf(out + n, sizeof out - n, "%s%.*s", n ? "," : "", (int)here, p);
        p += here;
        p += *p == ';';
    }
    if (n > 0)
        carry(in, theirs, ours, out);
}

/* A network as they may write it: without a prefix, or with bits beyond it, which they pass over. */
static bool route_of(const char *text, char *out, size_t cap)
{
    char address[IP_TEXT_MAX], *end = NULL;
    struct ip_addr a;
    size_t n = strcspn(text, "/,");
    unsigned long bits = text[n] == '/' ? strtoul(text + n + 1, &end, 10) : 32;
    if (n >= sizeof address || bits > 32 || (end != NULL && *end != '\0' && *end != ','))
        return false;
    snprintf(address, sizeof address, "%.*s", (int)n, text);
    if (ip_parse(address, &a) != ERR_OK || a.family != 4)
        return false;
    a = ip4_addr(bits == 0 ? 0 : ip4_value(&a) & UINT32_MAX << (32 - bits));
    return snprintf(out, cap, "%s/%lu", ip_text(&a, address), bits) < (int)cap;
}

/* route1=10.0.0.0/8,192.0.2.1,50: of a network its next hop and metric do not matter in a tunnel. */
static void carry_routes(struct import *in)
{
    char out[CONFIG_ROUTES_MAX * 24] = "", key[24], one[24];
    size_t n = 0;
    for (unsigned i = 0; i <= CONFIG_ROUTES_MAX; i++) {
        snprintf(key, sizeof key, "route%u_options", i);
        (void)keyfile_get(&in->k, "ipv4", key);
        snprintf(key, sizeof key, "route%u", i);
        const char *value = keyfile_get(&in->k, "ipv4", key);
        if (value != NULL && route_of(value, one, sizeof one) && n + strlen(one) + 2 < sizeof out)
            n += (size_t)snprintf(out + n, sizeof out - n, "%s%s", n ? "," : "", one);
        else if (value != NULL)
            note(in, "%s was left out: it is no IPv4 network.", key);
    }
    if (is_yes(keyfile_get(&in->k, "ipv4", "never-default")))
        carry(in, "The routes", "net.routes", n > 0 ? out : "none");
    else if (n > 0)
        note(in, "The routes were left out: everything goes through the tunnel.");
}

static void carry_network(struct import *in)
{
    const char *dns = keyfile_get(&in->k, "ipv4", "dns");
    const char *method = keyfile_get(&in->k, "ipv4", "method");
    carry_routes(in);
    carry_list(in, "dns", "net.dns", dns);
    if (is_yes(keyfile_get(&in->k, "ipv4", "ignore-auto-dns")) && dns == NULL)
        carry(in, "ignore-auto-dns", "net.dns", "off");
    carry_list(in, "dns-search", "net.domains", keyfile_get(&in->k, "ipv4", "dns-search"));
    carry(in, "interface-name", "net.interface", keyfile_get(&in->k, "connection", "interface-name"));
    if (method != NULL && strcmp(method, "auto") != 0)
        note(in, "ipv4.method was left out: the server gives the address.");
    if (is_yes(keyfile_get(&in->k, "connection", "autoconnect")))
        note(in, "It connected by itself; for that: systemctl enable --now sekisho-client@NAME");
}

/* ---- what is left ---- */

/* Without a meaning here, and without loss: how xl2tpd and pppd do their work, or fields that the file always has. */
static bool is_harmless(const struct keyfile_entry *one)
{
    static const char *const vpn[] = {"service-type",
                                      "nobsdcomp",
                                      "nodeflate",
                                      "no-vj-comp",
                                      "nopcomp",
                                      "noaccomp",
                                      "unit",
                                      "mppe-stateful",
                                      "lcp-echo-interval",
                                      "xl2tpd-max-retries",
                                      "ephemeral-port",
                                      "lcp-echo-failure",
                                      "mrru",
                                      "no-secret",
                                      "persistent"};
    static const char *const ipv4[] = {"may-fail", "ignore-auto-routes", "dns-priority", "route-metric"};
    if (strcmp(one->group, "vpn") != 0 && strcmp(one->group, "vpn-secrets") != 0 && strcmp(one->group, "ipv4") != 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(vpn); i++)
        if (strcmp(one->key, vpn[i]) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_LEN(ipv4); i++)
        if (strcmp(one->key, ipv4[i]) == 0)
            return true;
    return one->value[0] == '\0';
}

static void note_rest(struct import *in)
{
    char safe[32];
    for (size_t i = 0; i < in->k.count; i++) {
        const struct keyfile_entry *one = &in->k.entry[i];
        if (!one->used && !is_harmless(one))
            note(in, "%s of [%s] was left out: there is nothing like it here.", one->key,
                 config_printable(one->group, safe, sizeof safe));
    }
}

static enum err check_kind(struct import *in, struct config_error *e)
{
    char safe[64];
    const char *service = get(in, "service-type");
    if (service == NULL)
        return config_fail(e, 0, "", "This is no VPN connection of NetworkManager: there is no service-type in [vpn].");
    if (strcmp(service, SERVICE) != 0)
        return config_fail(e, 0, "service-type",
                           "This connection is for another kind of VPN, %s; only L2TP can be taken.",
                           config_printable(service, safe, sizeof safe));
    return ERR_OK;
}

static enum err import_all(struct import *in, struct config_error *e)
{
    const char *gateway = get(in, "gateway");
    enum err result = check_kind(in, e);
    if (result != ERR_OK)
        return result;
    if (gateway == NULL)
        return config_fail(e, 0, "gateway", "The server is missing.");
    result = profile_set(in->p, "server", gateway, e);
    if (result != ERR_OK)
        return result;
    carry_user(in);
    carry_machine(in);
    carry_ike(in);
    carry_ppp(in);
    carry_network(in);
    note_rest(in);
    return profile_check(in->p, e);
}

enum err profile_import_nm(struct view text, const char *filename, struct profile **out,
                           char notes[static PROFILE_NOTES_MAX], struct config_error *error)
{
    struct import in = {.notes = notes};
    *error = (struct config_error){0};
    notes[0] = '\0';
    snprintf(error->file, sizeof error->file, "%s", filename);
    enum err result = keyfile_parse(text, &in.k, error);
    if (result == ERR_OK) {
        in.p = profile_new();
        result = in.p != NULL ? import_all(&in, error) : ERR_NOMEM;
    }
    keyfile_done(&in.k);
    if (result == ERR_NOMEM)
        config_fail(error, 0, "", "There is not enough memory to read the file.");
    if (result != ERR_OK) {
        profile_free(in.p);
        return result;
    }
    *out = in.p;
    return ERR_OK;
}
