/* The gateway under test: a whole stack, its user store and its clock. What it sends and tells waits to be expected. */
#include "tests/replay/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL_GATEWAY 0xac100201u /* 172.16.2.1 */
#define POOL_FIRST   0xac100202u
#define POOL_DNS     0xac100005u /* 172.16.0.5, and .6 */

/* ---- settings ---- */

static struct stack_config defaults(void)
{
    return (struct stack_config){
        .ike = {.policy = IKE_POLICY_COMPATIBLE,
                .ike_lifetime = 28800,
                .child_lifetime = 3600,
                .dpd_interval = 30 * USEC_SEC,
                .dpd_timeout = 120 * USEC_SEC,
                .natt_keepalive = 20 * USEC_SEC,
                .max_half_open = 64,
                .max_half_open_per_source = 16,
                .max_sas = 64},
        .esp = {.max_sas = 256, .engine = "openssl"},
        .l2tp = {.host_name = "gateway",
                 .receive_window = 8,
                 .hello_interval = 60 * USEC_SEC,
                 .retransmit_first = USEC_SEC,
                 .retransmit_cap = 8 * USEC_SEC,
                 .retransmit_tries = 8,
                 .ack_delay = 100 * USEC_MSEC,
                 .max_tunnels = 64,
                 .max_tunnels_per_carrier = 4,
                 .max_sessions_per_tunnel = 4},
        .ppp = {.server = true,
                .auth = {PPP_AUTH_MSCHAPV2, PPP_AUTH_CHAP_MD5},
                .mru = 1400,
                .mtu = 1400,
                .acfc = true,
                .pfc = true,
                .echo_interval = 30 * USEC_SEC,
                .echo_failures = 4,
                .restart = 3 * USEC_SEC,
                .max_configure = 10,
                .max_terminate = 2,
                .auth_timeout = 60 * USEC_SEC,
                .name = "sekisho"},
        .outer_mtu = 1500,
        .max_peers = 64,
        .max_sessions = 64,
    };
}

static void split_pair(const char *text, char *name, size_t name_cap, char *value, size_t value_cap)
{
    const char *colon = strchr(text, ':');
    wanted(colon != NULL, "NAME:VALUE");
    snprintf(name, name_cap, "%.*s", (int)(colon - text), text);
    snprintf(value, value_cap, "%s", colon + 1);
}

static void read_people(struct gateway *g, const struct step *s, struct stack_config *c)
{
    char text[WORD_MAX], key[WORD_MAX];
    size_t psks = 0;
    if (!step_option(s, "psk", 0, text)) {
        strcpy(g->psks[0].name, "office");
        (void)secret_set(&g->psks[psks++].key, view_str("a strong key"));
    }
    for (; step_option(s, "psk", psks, text); psks++) {
        wanted(psks < ARRAY_LEN(g->psks), "fewer keys");
        split_pair(text, g->psks[psks].name, sizeof(g->psks[psks].name), key, sizeof(key));
        (void)secret_set(&g->psks[psks].key, view_str(key));
    }
    for (; step_option(s, "user", g->accounts_n, text); g->accounts_n++) {
        wanted(g->accounts_n < ARRAY_LEN(g->accounts), "fewer users");
        struct account *a = &g->accounts[g->accounts_n];
        split_pair(text, a->name, sizeof(a->name), a->password, sizeof(a->password));
    }
    if (g->accounts_n == 0)
        g->accounts[g->accounts_n++] = (struct account){"alice", "secret"};
    c->ike.psks = g->psks;
    c->ike.psk_count = psks;
}

static void read_auth(const char *text, struct ppp_config *ppp)
{
    static const struct {
        const char *word;
        enum ppp_auth method;
    } methods[] = {{"mschapv2", PPP_AUTH_MSCHAPV2}, {"chap-md5", PPP_AUTH_CHAP_MD5}, {"pap", PPP_AUTH_PAP}};
    size_t n = 0;
    memset(ppp->auth, 0, sizeof(ppp->auth));
    for (const char *at = text; *at; at += strcspn(at, ","), at += *at == ',')
        for (size_t i = 0; i < ARRAY_LEN(methods); i++)
            if (strncmp(at, methods[i].word, strcspn(at, ",")) == 0)
                ppp->auth[n++] = methods[i].method;
}

static void read_routes(const struct step *s, struct dhcp_facts *facts)
{
    char text[WORD_MAX];
    for (; step_option(s, "route", facts->route_count, text); facts->route_count++) {
        struct dhcp_route *route = &facts->routes[facts->route_count];
        char *slash = strchr(text, '/');
        wanted(slash && facts->route_count < DHCP_ROUTES_MAX, "IP/BITS");
        *slash = 0;
        route->bits = (uint8_t)strtoul(slash + 1, NULL, 10);
        wanted(ip_parse(text, &route->to) == ERR_OK, "an address");
    }
}

static usec_t read_span(const struct step *s, const char *key, usec_t missing)
{
    char text[WORD_MAX];
    return step_option(s, key, 0, text) ? span_parse(text) : missing;
}

/* The bytes of an option in hex. */
static struct view named_bytes(struct gateway *g, size_t i, const char *text)
{
    size_t n = 0;
    for (; text[2 * n] && n < sizeof(g->named[i]); n++) {
        unsigned byte;
        wanted(sscanf(text + 2 * n, "%2x", &byte) == 1, "hex digits");
        g->named[i][n] = (uint8_t)byte;
    }
    return view_of(g->named[i], n);
}

static void read_credential(struct gateway *g, const struct step *s, struct ike_config *c)
{
    static struct view certificate;
    char text[WORD_MAX];
    if (step_option(s, "authority", 0, text)) {
        g->authority = named_bytes(g, 0, text);
        c->authorities = &g->authority;
        c->authority_count = 1;
    }
    if (!step_option(s, "signed", 0, text))
        return;
    certificate = named_bytes(g, 1, text);
    g->credential = (struct ike_credential){.name = "gateway",
                                            .auth = IKE_AUTH_RSA,
                                            .id_type = IKE_ID_FQDN,
                                            .id = view_str("vpn.example.com"),
                                            .certificates = &certificate,
                                            .certificate_count = 1,
                                            .issuers = &g->authority,
                                            .issuer_count = c->authority_count};
    c->credentials = &g->credential;
    c->credential_count = 1;
}

static void read_settings(struct gateway *g, const struct step *s, struct stack_config *c)
{
    static const char *const policies[] = {"modern", "compatible", "legacy"};
    char text[WORD_MAX];
    if (step_option(s, "policy", 0, text))
        for (size_t i = 0; i < ARRAY_LEN(policies); i++)
            if (strcmp(text, policies[i]) == 0)
                c->ike.policy = (enum ike_policy)i;
    if (step_option(s, "address", 0, text))
        wanted(ip_parse(text, &g->address) == ERR_OK, "an address");
    if (step_option(s, "wins", 0, text))
        wanted(ip_parse(text, &g->wins) == ERR_OK, "an address");
    if (step_option(s, "auth", 0, text))
        read_auth(text, &c->ppp);
    if (step_option(s, "encap", 0, text))
        c->ike.encap = strcmp(text, "off") == 0 ? IKE_ENCAP_OFF : IKE_ENCAP_FORCE;
    read_routes(s, &c->dhcp);
    read_credential(g, s, &c->ike);
    c->allow_plain = step_option(s, "plain", 0, text);
    c->ike.dpd_interval = read_span(s, "dpd", c->ike.dpd_interval);
    c->l2tp.hello_interval = read_span(s, "hello", c->l2tp.hello_interval);
    c->ppp.echo_interval = read_span(s, "echo", c->ppp.echo_interval);
}

void gateway_start(struct gateway *g, const struct step *s)
{
    struct stack_config config = defaults();
    wanted(!g->stack, "one gateway");
    random_test_init(&g->generator, step_number(s, "seed", 1));
    g->random = (struct random){random_test_fill, &g->generator};
    g->now = 1000 * USEC_SEC;
    g->dialled = ip4_addr(0xcb007101); /* 203.0.113.1 */
    g->address = g->dialled;
    g->next_address = POOL_FIRST;
    read_people(g, s, &config);
    read_settings(g, s, &config);
    g->stack = stack_new(&config, &g->random);
    wanted(g->stack != NULL, "a gateway");
}

static void sent_free(struct sent *sent)
{
    for (struct sent *next; sent; sent = next) {
        next = sent->next;
        free(sent);
    }
}

void gateway_stop(struct gateway *g)
{
    stack_free(g->stack);
    sent_free(g->sent);
    sent_free(g->frames);
    for (struct told *t = g->told, *next; t; t = next) {
        next = t->next;
        free(t);
    }
}

/* ---- the user store ---- */

static bool mschap_holds(const struct ppp_auth_request *r, const char *password, struct ppp_auth_answer *answer)
{
    uint8_t hash[MSCHAP_NT_HASH_SIZE], right[MSCHAP_NT_RESPONSE];
    const char *slash = strchr(r->user, '\\');
    const struct view name = view_str(slash ? slash + 1 : r->user);
    return mschap_nt_hash(view_str(password), hash) == ERR_OK &&
           mschapv2_nt_response(hash, r->challenge.p, r->peer_challenge.p, name, right) == ERR_OK &&
           view_equal(r->response, VIEW(right)) &&
           mschapv2_authenticator_response(hash, right, r->challenge.p, r->peer_challenge.p, name,
                                           answer->authenticator_response) == ERR_OK;
}

static bool proof_holds(const struct ppp_auth_request *r, const char *password, struct ppp_auth_answer *answer)
{
    uint8_t right[CHAP_MD5_SIZE];
    if (r->method == PPP_AUTH_MSCHAPV2)
        return mschap_holds(r, password, answer);
    if (r->method == PPP_AUTH_CHAP_MD5)
        return chap_md5_response(r->id, view_str(password), r->challenge, right) == ERR_OK &&
               view_equal(r->response, VIEW(right));
    return view_equal(r->password, view_str(password));
}

static struct ppp_auth_answer judge(struct gateway *g, const struct ppp_auth_request *r)
{
    struct ppp_auth_answer answer = {.cause = CAUSE_AUTH_NO_USER};
    const char *slash = strchr(r->user, '\\');
    for (size_t i = 0; i < g->accounts_n; i++) {
        if (strcmp(g->accounts[i].name, slash ? slash + 1 : r->user) != 0)
            continue;
        answer.cause = CAUSE_AUTH_PASSWORD;
        answer.accepted = proof_holds(r, g->accounts[i].password, &answer);
    }
    answer.network.local = ip4_addr(POOL_GATEWAY);
    answer.network.remote = ip4_addr(g->next_address);
    answer.network.dns[0] = ip4_addr(POOL_DNS);
    answer.network.dns[1] = ip4_addr(POOL_DNS + 1);
    answer.network.wins[0] = g->wins;
    g->next_address += answer.accepted;
    return answer;
}

/* ---- what it sends and tells ---- */

static void keep_sent(struct sent **list, const struct path *path, const uint8_t *bytes, size_t n)
{
    struct sent *s = malloc(sizeof(*s) + n);
    wanted(s != NULL, "memory");
    *s = (struct sent){.path = *path, .n = n};
    memcpy(s->bytes, bytes, n);
    while (*list)
        list = &(*list)->next;
    *list = s;
}

static void keep_frame(struct gateway *g, const struct frame_pieces *frame)
{
    static const struct path nowhere;
    uint8_t bytes[BYTES_MAX];
    struct writer w = wr_init(bytes, sizeof(bytes));
    for (uint32_t i = 0; i < frame->n; i++)
        wr_view(&w, frame->piece[i]);
    wanted(wr_ok(&w), "smaller frames");
    keep_sent(&g->frames, &nowhere, bytes, w.n);
}

static void keep_told(struct gateway *g, const struct stack_event *event)
{
    struct told *t = calloc(1, sizeof(*t)), **end = &g->told;
    wanted(t != NULL, "memory");
    t->event = *event;
    while (*end)
        end = &(*end)->next;
    *end = t;
}

/* What stands for RSA: the signature of a hash is the hash. */
static void prove(struct ike_proof *p)
{
    if (p->sign) {
        p->signature_len = p->hash_len;
        memcpy(p->signature, p->hash, p->hash_len);
    }
    const bool same = p->signature_len == p->hash_len && memcmp(p->signature, p->hash, p->hash_len) == 0;
    p->cause = p->certificate_count == 0 ? CAUSE_CERT_NONE : same ? CAUSE_NONE : CAUSE_CERT_SIGNATURE;
}

static void take_events(struct gateway *g)
{
    struct stack_event event;
    while (stack_event(g->stack, &event)) {
        if (event.type == STACK_EVENT_DH) {
            dh_work_run(event.dh);
            stack_dh_done(g->stack, g->now, event.dh);
        } else if (event.type == STACK_EVENT_PROOF) {
            prove(event.proof);
            stack_proof_done(g->stack, g->now, event.proof);
        } else if (event.type == STACK_EVENT_AUTH) {
            const struct ppp_auth_answer answer = judge(g, &event.auth);
            (void)stack_auth_done(g->stack, g->now, event.session, event.session_key, &answer);
        } else if (event.type != STACK_EVENT_STEP && event.type != STACK_EVENT_MOVED) {
            keep_told(g, &event);
        }
    }
}

static void settle(struct gateway *g)
{
    struct transmission t;
    const struct frame_pieces *frame;
    take_events(g);
    while ((frame = stack_deliver(g->stack)))
        keep_frame(g, frame);
    while (stack_transmit(g->stack, g->now, &t))
        for (uint32_t at = 0; at < t.len; at += t.segment)
            keep_sent(&g->sent, &t.path, t.data + at, t.len - at < t.segment ? t.len - at : t.segment);
}

void gateway_receive(struct gateway *g, const struct path *path, const uint8_t *bytes, size_t n)
{
    uint8_t room[BYTES_MAX + 64]; /* writable, and alive until the frames were taken */
    wanted(n <= sizeof(room), "a smaller datagram");
    memcpy(room, bytes, n);
    const struct datagram in = {.path = *path, .data = room, .len = (uint32_t)n};
    stack_inbound(g->stack, g->now, &in, 1);
    settle(g);
}

void gateway_tun(struct gateway *g, const uint8_t *bytes, size_t n)
{
    const struct frame frame = {.data = bytes, .len = (uint32_t)n};
    stack_outbound(g->stack, g->now, &frame, 1);
    settle(g);
}

void gateway_pass(struct gateway *g, usec_t span)
{
    const usec_t end = g->now + span;
    for (usec_t due; (due = stack_deadline(g->stack)) <= end;) {
        g->now = due > g->now ? due : g->now;
        stack_timeout(g->stack, g->now);
        settle(g);
    }
    g->now = end;
}

bool gateway_told(struct gateway *g, enum stack_event_type type, struct stack_event *out)
{
    for (struct told **at = &g->told; *at; at = &(*at)->next) {
        struct told *t = *at;
        if (t->event.type != type)
            continue;
        *out = t->event;
        *at = t->next;
        free(t);
        return true;
    }
    return false;
}

/* ---- nothing may be left over ---- */

void gateway_no_drops(const struct gateway *g)
{
    const struct stack_counters counters = stack_counters(g->stack);
    for (size_t i = 0; i < DROP_COUNT; i++)
        if (counters.drops[i] != g->drops[i])
            broken("dropped: %s", drop_word((enum drop)i));
}

void gateway_nothing_left(const struct gateway *g)
{
    char to[ENDPOINT_TEXT_MAX];
    if (g->sent)
        broken("a datagram of %zu bytes to %s was not expected", g->sent->n, endpoint_text(&g->sent->path.remote, to));
    if (g->frames)
        broken("a packet of %zu bytes for the inner network was not expected", g->frames->n);
    for (const struct told *t = g->told; t; t = t->next)
        broken("an event was not expected: %s, stage %s, cause %s, %s",
               t->event.type == STACK_EVENT_UP     ? "up"
               : t->event.type == STACK_EVENT_DOWN ? "down"
                                                   : "failed",
               stage_word(t->event.stage), cause_word(t->event.cause), t->event.detail);
}
