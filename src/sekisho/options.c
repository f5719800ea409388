/* Options as text, and what they mean to the stack. */
#include "sekisho/sekisho_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long things may take: whatever is wrong is told within 15 s, and a dead server is noticed in less than 20. */
#define PATIENCE       (12 * USEC_SEC) /* for an answer of IKE */
#define LOGIN_TIME     (12 * USEC_SEC)
#define SILENCE        (8 * USEC_SEC) /* after which the server is asked whether it lives */
#define SILENCE_REPEAT (2 * USEC_SEC)
#define SILENCE_ASKED  3
#define PPP_RESTART    (2 * USEC_SEC)
#define PPP_TRIES      5
#define L2TP_CAP       (2 * USEC_SEC)
#define L2TP_TRIES     5

void sekisho_options_init(struct sekisho_options *out)
{
    *out = (struct sekisho_options){.raw_esp = true, .stay = SEKISHO_STAY_ONCE_UP, .tun = -1};
}

/* ---- copies ---- */

struct text_place {
    size_t at; /* of the pointer in the options */
    bool secret;
};

static const struct text_place texts[] = {
    {offsetof(struct sekisho_options, server), false},
    {offsetof(struct sekisho_options, local), false},
    {offsetof(struct sekisho_options, certificate_password), true},
    {offsetof(struct sekisho_options, server_identity), false},
    {offsetof(struct sekisho_options, identity), false},
    {offsetof(struct sekisho_options, revocation), false},
    {offsetof(struct sekisho_options, policy), false},
    {offsetof(struct sekisho_options, ike_proposal), false},
    {offsetof(struct sekisho_options, esp_proposal), false},
    {offsetof(struct sekisho_options, encapsulation), false},
    {offsetof(struct sekisho_options, tunnel_secret), true},
    {offsetof(struct sekisho_options, host_name), false},
    {offsetof(struct sekisho_options, user), false},
    {offsetof(struct sekisho_options, password), true},
    {offsetof(struct sekisho_options, methods), false},
    {offsetof(struct sekisho_options, address), false},
};

static const struct {
    size_t at, size_at;
} blobs[] = {
    {offsetof(struct sekisho_options, psk), offsetof(struct sekisho_options, psk_size)},
    {offsetof(struct sekisho_options, certificate), offsetof(struct sekisho_options, certificate_size)},
    {offsetof(struct sekisho_options, private_key), offsetof(struct sekisho_options, private_key_size)},
    {offsetof(struct sekisho_options, authorities), offsetof(struct sekisho_options, authorities_size)},
};

static void **pointer_at(struct sekisho_options *o, size_t at)
{
    return (void **)(void *)((char *)o + at);
}

static size_t size_at(struct sekisho_options *o, size_t at)
{
    return *(size_t *)(void *)((char *)o + at);
}

/* Every pointer becomes one of our own; those of a copy that failed are NULL. */
static bool copy_all(struct sekisho_options *o)
{
    bool good = true;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        void **p = pointer_at(o, texts[i].at);
        char *copy = *p ? strdup(*p) : NULL;
        good = good && (copy || !*p);
        *p = copy;
    }
    for (size_t i = 0; i < ARRAY_LEN(blobs); i++) {
        void **p = pointer_at(o, blobs[i].at);
        const size_t n = size_at(o, blobs[i].size_at);
        void *copy = *p && n > 0 ? malloc(n) : NULL;
        if (copy)
            memcpy(copy, *p, n);
        good = good && (copy || !*p || n == 0);
        *p = copy;
    }
    return good;
}

void settings_wipe(struct settings *settings)
{
    struct sekisho_options *o = &settings->text;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char *text = *pointer_at(o, texts[i].at);
        if (text && texts[i].secret)
            bytes_wipe(text, strlen(text));
        free(text);
    }
    for (size_t i = 0; i < ARRAY_LEN(blobs); i++) {
        void *blob = *pointer_at(o, blobs[i].at);
        if (blob)
            bytes_wipe(blob, size_at(o, blobs[i].size_at));
        free(blob);
    }
    identity_drop(settings->identity);
    ppp_tls_free(settings->tls);
    bytes_wipe(settings, sizeof(*settings));
}

/* ---- what they mean ---- */

struct word {
    const char *word;
    int value;
};

static const struct word policies[] = {
    {"compatible", IKE_POLICY_COMPATIBLE}, {"modern", IKE_POLICY_MODERN}, {"legacy", IKE_POLICY_LEGACY}, {NULL, 0}};
static const struct word encaps[] = {
    {"auto", IKE_ENCAP_AUTO}, {"force", IKE_ENCAP_FORCE}, {"off", IKE_ENCAP_OFF}, {NULL, 0}};
static const struct word silences[] = {{"allow", false}, {"refuse", true}, {NULL, 0}};
static const struct word methods[] = {
    {"mschapv2", PPP_AUTH_MSCHAPV2}, {"chap-md5", PPP_AUTH_CHAP_MD5},
    {"pap", PPP_AUTH_PAP},           {"eap-mschapv2", PPP_AUTH_EAP_MSCHAPV2},
    {"eap-md5", PPP_AUTH_EAP_MD5},   {"eap-gtc", PPP_AUTH_EAP_GTC},
    {"eap-tls", PPP_AUTH_EAP_TLS},   {NULL, 0},
};

static bool refuse(char *why, size_t cap, const char *what, const char *text)
{
    snprintf(why, cap, "%s cannot be \"%s\".", what, text);
    return false;
}

/* The first word of a list stands for what is not given. */
static bool take_word(const struct word *words, const char *text, size_t n, int *out)
{
    for (const struct word *w = words; w->word; w++)
        if (!text || (strlen(w->word) == n && strncmp(w->word, text, n) == 0)) {
            *out = w->value;
            return true;
        }
    return false;
}

static bool take_methods(struct settings *s, char *why, size_t cap)
{
    const char *at = s->text.methods ? s->text.methods : "mschapv2,chap-md5";
    for (size_t n = 0; *at; n++) {
        const size_t length = strcspn(at, ", ");
        int method;
        if (n + 1 >= ARRAY_LEN(s->methods) || !take_word(methods, at, length, &method))
            return refuse(why, cap, "A login method", at);
        s->methods[n] = (enum ppp_auth)method;
        at += length;
        at += strspn(at, ", ");
    }
    return s->methods[0] != PPP_AUTH_NONE || refuse(why, cap, "The list of login methods", "");
}

static bool wants_tls(const struct settings *s)
{
    for (size_t i = 0; s->methods[i] != PPP_AUTH_NONE; i++)
        if (s->methods[i] == PPP_AUTH_EAP_TLS)
            return true;
    return false;
}

static const char *server_name(const struct sekisho_options *o)
{
    return o->server_identity ? o->server_identity : o->server;
}

static bool take_tls(struct settings *s, char *why, size_t cap)
{
    const struct sekisho_options *o = &s->text;
    char text[PPP_TLS_WHY_MAX];
    if (!wants_tls(s))
        return true;
    if (!o->certificate && s->methods[1] != PPP_AUTH_NONE)
        return true; /* the method is passed over */
    if (!o->certificate) {
        snprintf(why, cap, "EAP-TLS is the only login method, and there is no certificate for it.");
        return false;
    }
    const struct ppp_tls_options options = {
        .certificate = view_of(o->certificate, o->certificate_size),
        .key = o->private_key ? view_of(o->private_key, o->private_key_size) : VIEW_NONE,
        .password = o->certificate_password,
        .authorities = view_of(o->authorities, o->authorities_size),
        .server_name = server_name(o),
    };
    s->tls = ppp_tls_new(&options, text);
    if (!s->tls)
        snprintf(why, cap, "%s", text);
    return s->tls != NULL;
}

/* With both, the key is for IKE and the certificate for EAP-TLS alone. */
static bool take_identity(struct settings *s, char *why, size_t cap)
{
    const struct sekisho_options *o = &s->text;
    if (!take_tls(s, why, cap))
        return false;
    if (!o->psk && o->certificate) {
        s->identity = identity_new(s, why, cap);
        return s->identity != NULL;
    }
    if (o->psk && o->psk_size > 0 && secret_set(&s->psk.key, view_of(o->psk, o->psk_size)) == ERR_OK)
        return true;
    snprintf(why, cap, "Neither a pre-shared key of 1 to %d bytes nor a certificate is given.", SECRET_MAX);
    return false;
}

static bool take_meanings(struct settings *s, char *why, size_t cap)
{
    const struct sekisho_options *o = &s->text;
    int policy, encap, refuse_silent;
    if (!o->server || !o->server[0]) {
        snprintf(why, cap, "No server is given.");
        return false;
    }
    if (!o->user || strlen(o->user) >= PPP_NAME_MAX)
        return refuse(why, cap, "The user", o->user ? o->user : "");
    if (o->password && strlen(o->password) >= PPP_PASSWORD_MAX) {
        snprintf(why, cap, "The password is longer than %d bytes.", PPP_PASSWORD_MAX - 1);
        return false;
    }
    if (o->local && ip_parse(o->local, &s->local) != ERR_OK)
        return refuse(why, cap, "The local address", o->local);
    if (o->address && (ip_parse(o->address, &s->want) != ERR_OK || s->want.family != 4))
        return refuse(why, cap, "The address to ask for", o->address);
    if (o->identity && strlen(o->identity) >= sizeof(((struct ike_connect *)NULL)->identity))
        return refuse(why, cap, "The identity", o->identity);
    if (!take_word(policies, o->policy, o->policy ? strlen(o->policy) : 0, &policy))
        return refuse(why, cap, "The policy", o->policy);
    if (!take_word(encaps, o->encapsulation, o->encapsulation ? strlen(o->encapsulation) : 0, &encap))
        return refuse(why, cap, "Encapsulation", o->encapsulation);
    if (!take_word(silences, o->revocation, o->revocation ? strlen(o->revocation) : 0, &refuse_silent))
        return refuse(why, cap, "Revocation", o->revocation);
    s->policy = (enum ike_policy)policy;
    s->encap = (enum ike_encap)encap;
    s->refuse_silent = refuse_silent != 0;
    return take_methods(s, why, cap) && take_identity(s, why, cap);
}

bool settings_take(struct settings *settings, const struct sekisho_options *options, char *why, size_t cap)
{
    *settings = (struct settings){.text = *options};
    if (!copy_all(&settings->text)) {
        snprintf(why, cap, "There is no memory left.");
        return false;
    }
    return take_meanings(settings, why, cap);
}

/* ---- for the stack ---- */

static void settings_ppp(const struct settings *s, struct ppp_config *out)
{
    const struct sekisho_options *o = &s->text;
    ppp_defaults(out);
    memset(out->auth, 0, sizeof(out->auth));
    for (size_t i = 0, n = 0; s->methods[i] != PPP_AUTH_NONE; i++)
        if (s->methods[i] != PPP_AUTH_EAP_TLS || s->tls)
            out->auth[n++] = s->methods[i];
    out->tls = s->tls;
    out->answer_prompts = !o->ask_prompts;
    out->restart = PPP_RESTART;
    out->max_configure = PPP_TRIES;
    out->max_terminate = 1;
    out->auth_timeout = LOGIN_TIME;
    out->echo_interval = o->probe_ms ? o->probe_ms * USEC_MSEC : SILENCE;
    out->echo_repeat = SILENCE_REPEAT;
    out->echo_failures = SILENCE_ASKED;
    out->ipv6 = o->ipv6;
    out->want = s->want;
    if (o->mtu)
        out->mru = out->mtu = o->mtu;
    snprintf(out->user, sizeof(out->user), "%s", o->user);
    snprintf(out->password, sizeof(out->password), "%s", o->password ? o->password : "");
}

void settings_connect(const struct settings *s, struct stack_connect *out)
{
    settings_ppp(s, &out->ppp);
    out->ike.l2tp_port_local = L2TP_PORT;
    out->ike.aggressive = s->text.aggressive;
    snprintf(out->ike.identity, sizeof(out->ike.identity), "%s", s->text.identity ? s->text.identity : "");
    out->ask_routes = s->text.ask_routes;
    out->probe_mtu = s->text.mtu == 0;
    if (!s->identity) {
        out->ike.psk = &s->psk;
        return;
    }
    out->ike.credential = identity_credential(s->identity);
    snprintf(out->ike.expect, sizeof(out->ike.expect), "%s", server_name(&s->text));
}

struct stack_config settings_stack(const struct settings *s)
{
    const struct sekisho_options *o = &s->text;
    struct stack_config c;
    stack_defaults(&c);
    c.max_peers = c.max_sessions = 2;
    c.ike.max_sas = c.ike.max_half_open = 8;
    c.esp.max_sas = 16;
    c.l2tp.max_tunnels = 4;
    c.ike.policy = s->policy;
    c.ike.encap = s->encap;
    c.ike.pfs = o->pfs;
    c.ike.ike_proposal = o->ike_proposal;
    c.ike.esp_proposal = o->esp_proposal;
    c.ike.patience = PATIENCE;
    if (s->identity) /* keys and credentials are for whom we connect to alone: nobody else may open anything here */
        c.ike.authorities = identity_authorities(s->identity, &c.ike.authority_count);
    if (o->ike_lifetime)
        c.ike.ike_lifetime = o->ike_lifetime;
    if (o->esp_lifetime)
        c.ike.child_lifetime = o->esp_lifetime;
    c.l2tp.retransmit_cap = L2TP_CAP;
    c.l2tp.retransmit_tries = L2TP_TRIES;
    c.l2tp.hide_avps = o->hide_avps && o->tunnel_secret;
    memcpy(c.l2tp.station, s->station, sizeof(c.l2tp.station));
    if (o->tunnel_secret)
        (void)secret_set(&c.l2tp.secret, view_str(o->tunnel_secret));
    if (o->host_name)
        view_copy_text(c.l2tp.host_name, sizeof(c.l2tp.host_name), view_str(o->host_name));
    else
        gethostname(c.l2tp.host_name, sizeof(c.l2tp.host_name) - 1);
    return c;
}
