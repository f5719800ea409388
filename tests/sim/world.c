#include "tests/test.h"

#include "tests/sim/world.h"

#define OFFICE        0xac100005u /* 172.16.0.5 */
#define POOL_FIRST    0xac100202u /* 172.16.2.2 */
#define GATEWAY_INNER 0xac100201u
#define INNER_PACKET  32

struct flight {
    struct flight *next;
    usec_t at;
    struct path path;      /* as the receiver sees it */
    struct sim_client *to; /* NULL: the gateway */
    size_t n;
    uint8_t bytes[];
};

/* ---- making ---- */

struct world *world_new(uint64_t seed)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->seed = seed;
    random_test_init(&w->generator, seed);
    w->random = (struct random){random_test_fill, &w->generator};
    w->now = 1000 * USEC_SEC;
    w->weather.delay = 10 * USEC_MSEC;
    w->next_address = POOL_FIRST;
    assert_int_equal(ip_parse("203.0.113.1", &w->gateway_addr), ERR_OK);
    strcpy(w->psks[0].name, "other");
    assert_int_equal(secret_set(&w->psks[0].key, view_str("another key")), ERR_OK);
    strcpy(w->psks[1].name, "office");
    assert_int_equal(secret_set(&w->psks[1].key, view_str("a strong key")), ERR_OK);
    w->client_psk = w->psks[1];
    return w;
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->client_count; i++)
        stack_free(w->clients[i].stack);
    stack_free(w->gateway);
    for (struct flight *f = w->flights, *next; f; f = next) {
        next = f->next;
        free(f);
    }
    free(w);
}

struct stack_config world_settings(const struct world *w, bool server)
{
    struct stack_config c;
    stack_defaults(&c);
    c.ike.psks = w->psks;
    c.ike.psk_count = ARRAY_LEN(w->psks);
    c.ike.ike_proposal = "aes256-sha1-ecp256";
    c.ike.esp_proposal = "aes256-sha1";
    c.ike.max_sas = c.l2tp.max_tunnels = c.max_peers = c.max_sessions = 1024;
    c.esp = (struct esp_config){.max_sas = 4096, .engine = "openssl"};
    c.l2tp.retransmit_tries = 8;
    c.ppp.server = server;
    c.ppp.echo_interval = 30 * USEC_SEC;
    strcpy(c.l2tp.host_name, server ? "gateway" : "client");
    strcpy(c.ppp.name, "sekisho");
    return c;
}

void world_gateway(struct world *w, const struct stack_config *config)
{
    w->gateway = stack_new(config, &w->random);
    assert_non_null(w->gateway);
}

struct sim_client *world_client(struct world *w, const struct stack_config *config, const char *addr, struct napt *napt)
{
    struct sim_client *c = &w->clients[w->client_count++];
    assert_true(w->client_count <= CLIENTS_MAX);
    *c = (struct sim_client){.world = w, .napt = napt, .ppp = config->ppp};
    assert_int_equal(ip_parse(addr, &c->addr), ERR_OK);
    c->stack = stack_new(config, &w->random);
    assert_non_null(c->stack);
    return c;
}

/* ---- the user store ---- */

static bool proof_holds(const struct ppp_auth_request *r, struct ppp_auth_answer *answer)
{
    uint8_t hash[MSCHAP_NT_HASH_SIZE], wanted[MSCHAP_NT_RESPONSE];
    const struct view user = view_str(r->user);
    if (strncmp(r->user, "alice", 5) != 0) {
        answer->cause = CAUSE_AUTH_NO_USER;
        return false;
    }
    answer->cause = CAUSE_AUTH_PASSWORD;
    if (r->method == PPP_AUTH_EAP_TLS)
        return true;
    if (r->method == PPP_AUTH_EAP_GTC)
        return view_equal(r->password, view_str("secret"));
    if (r->method == PPP_AUTH_EAP_MD5) {
        assert_int_equal(chap_md5_response(r->id, view_str("secret"), r->challenge, wanted), ERR_OK);
        return view_equal(r->response, view_of(wanted, CHAP_MD5_SIZE));
    }
    assert_true(r->method == PPP_AUTH_MSCHAPV2 || r->method == PPP_AUTH_EAP_MSCHAPV2);
    assert_int_equal(mschap_nt_hash(view_str("secret"), hash), ERR_OK);
    assert_int_equal(mschapv2_nt_response(hash, r->challenge.p, r->peer_challenge.p, user, wanted), ERR_OK);
    if (!bytes_equal_ct(wanted, r->response.p, sizeof(wanted)))
        return false;
    assert_int_equal(mschapv2_authenticator_response(hash, wanted, r->challenge.p, r->peer_challenge.p, user,
                                                     answer->authenticator_response),
                     ERR_OK);
    return true;
}

static void question(struct world *w, const struct stack_event *event)
{
    for (size_t i = 0; i < ARRAY_LEN(w->auths); i++) {
        if (w->auths[i].due)
            continue;
        assert_string_equal(event->user, "alice");
        w->auths[i].due = w->auths[i].asks = true;
        w->auths[i].at = w->now + w->auth_delay;
        w->auths[i].session = event->session;
        w->auths[i].key = event->session_key;
        w->questions++;
        return;
    }
    fail_msg("the user store is full");
}

static void judge(struct world *w, const struct stack_event *event)
{
    for (size_t i = 0; i < ARRAY_LEN(w->auths); i++) {
        if (w->auths[i].due)
            continue;
        struct ppp_auth_answer answer = {0};
        answer.accepted = proof_holds(&event->auth, &answer);
        answer.again = w->question && !answer.accepted;
        answer.network.local = ip4_addr(GATEWAY_INNER);
        answer.network.remote = ip4_addr(w->next_address);
        answer.network.dns[0] = ip4_addr(OFFICE);
        w->next_address += answer.accepted;
        w->auths[i].due = true;
        w->auths[i].asks = false;
        w->auths[i].at = w->now + w->auth_delay;
        w->auths[i].session = event->session;
        w->auths[i].key = event->session_key;
        w->auths[i].answer = answer;
        return;
    }
    fail_msg("the user store is full");
}

static bool answer_logins(struct world *w)
{
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(w->auths); i++) {
        if (!w->auths[i].due || w->auths[i].at > w->now)
            continue;
        w->auths[i].due = false;
        if (w->auths[i].asks)
            (void)stack_ask(w->gateway, w->now, w->auths[i].session, w->auths[i].key, view_str(w->question));
        else
            (void)stack_auth_done(w->gateway, w->now, w->auths[i].session, w->auths[i].key, &w->auths[i].answer);
        any = true;
    }
    return any;
}

/* ---- the network ---- */

static struct endpoint translate_out(struct napt *n, const struct endpoint *inside)
{
    if (!n || !n->present)
        return *inside;
    for (size_t i = 0; i < n->n; i++)
        if (endpoint_equal(&n->mappings[i].inside, inside))
            return (struct endpoint){n->outside, n->mappings[i].outside_port};
    assert_true(n->n < ARRAY_LEN(n->mappings));
    n->mappings[n->n].inside = *inside;
    n->mappings[n->n].outside_port = n->next_port++;
    return (struct endpoint){n->outside, n->mappings[n->n++].outside_port};
}

void napt_forget(struct napt *n)
{
    n->n = 0;
}

/* Who gets a datagram of the gateway's to this endpoint, and as what inside endpoint; NULL: nobody. */
static struct sim_client *translate_in(struct world *w, const struct endpoint *to, struct endpoint *inside)
{
    for (size_t i = 0; i < w->client_count; i++) {
        struct sim_client *c = &w->clients[i];
        if (!c->napt || !c->napt->present) {
            if (!ip_equal(&c->addr, &to->addr))
                continue;
            *inside = *to;
            return c;
        }
        for (size_t j = 0; ip_equal(&c->napt->outside, &to->addr) && j < c->napt->n; j++)
            if (c->napt->mappings[j].outside_port == to->port &&
                ip_equal(&c->napt->mappings[j].inside.addr, &c->addr)) {
                *inside = c->napt->mappings[j].inside;
                return c;
            }
    }
    return NULL;
}

static void insert(struct world *w, struct flight *f)
{
    struct flight **at = &w->flights;
    while (*at && (*at)->at <= f->at)
        at = &(*at)->next;
    f->next = *at;
    *at = f;
}

static void fly(struct world *w, const struct path *path, struct sim_client *to, const uint8_t *bytes, size_t n)
{
    const bool chosen = ++w->flown == w->lose;
    if (chosen || (w->lose_esp && path->remote.port == 0) || random_below(&w->random, 100) < w->weather.loss_percent)
        return;
    const uint32_t copies = 1 + (random_below(&w->random, 100) < w->weather.repeat_percent);
    for (uint32_t i = 0; i < copies; i++) {
        struct flight *f = malloc(sizeof(*f) + n);
        assert_non_null(f);
        const usec_t jitter = w->weather.jitter ? random_below(&w->random, (uint32_t)w->weather.jitter) : 0;
        *f = (struct flight){.at = w->now + w->weather.delay + jitter, .path = *path, .to = to, .n = n};
        memcpy(f->bytes, bytes, n);
        insert(w, f);
    }
}

/* ---- IPsec passthrough ---- */

static bool passes_through(const struct napt *n, const struct endpoint *to)
{
    return n && n->present && n->passthrough && (to->port == 0 || to->port == IKE_PORT);
}

static void remember_exchange(struct napt *n, const struct ip_addr *inside, const uint8_t *message)
{
    for (size_t i = 0; i < n->exchange_count; i++)
        if (memcmp(n->exchanges[i].cookie, message, sizeof(n->exchanges[i].cookie)) == 0)
            return;
    assert_true(n->exchange_count < ARRAY_LEN(n->exchanges));
    memcpy(n->exchanges[n->exchange_count].cookie, message, sizeof(n->exchanges[0].cookie));
    n->exchanges[n->exchange_count++].inside = *inside;
}

static bool is_for(const struct sim_client *c, const struct endpoint *to, const uint8_t *message)
{
    const struct napt *n = c->napt;
    if (!passes_through(n, to) || !ip_equal(&n->outside, &to->addr))
        return false;
    for (size_t i = 0; i < n->exchange_count; i++)
        if (ip_equal(&n->exchanges[i].inside, &c->addr) &&
            memcmp(n->exchanges[i].cookie, message, sizeof(n->exchanges[i].cookie)) == 0)
            return true;
    return to->port == 0;
}

/* A datagram of the gateway's, to whoever in a home it may be for; false when it is for no such home. */
static bool pass_in(struct world *w, const struct path *path, const uint8_t *bytes, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < w->client_count; i++) {
        struct sim_client *c = &w->clients[i];
        if (!is_for(c, &path->remote, bytes))
            continue;
        fly(w, &(struct path){{c->addr, path->remote.port}, path->local}, c, bytes, n);
        any = true;
    }
    return any;
}

static struct endpoint pass_out(struct sim_client *from, const struct path *path, const uint8_t *bytes)
{
    if (!passes_through(from->napt, &path->remote))
        return translate_out(from->napt, &path->local);
    if (path->remote.port == IKE_PORT)
        remember_exchange(from->napt, &path->local.addr, bytes);
    return (struct endpoint){from->napt->outside, path->local.port};
}

/* Plain translation has nothing to tell ESP packets apart by. */
static bool is_lost_to_translation(const struct sim_client *from, const struct path *path)
{
    return from && from->napt && from->napt->present && !from->napt->passthrough && path->remote.port == 0;
}

static void send_out(struct world *w, struct sim_client *from, struct stack *stack)
{
    struct transmission t;
    while (stack_transmit(stack, w->now, &t)) {
        const uint32_t headers = t.path.remote.port == 0 ? 20 : 28;
        if (is_lost_to_translation(from, &t.path))
            continue;
        if (w->path_mtu != 0 && t.segment + headers > w->path_mtu && (t.whole || w->black_hole))
            continue;
        for (uint32_t at = 0; at < t.len; at += t.segment) {
            const uint32_t left = t.len - at, n = left < t.segment ? left : t.segment;
            struct path path;
            struct sim_client *to = NULL;
            if (from) {
                path = (struct path){t.path.remote, pass_out(from, &t.path, t.data + at)};
            } else if (pass_in(w, &t.path, t.data + at, n)) {
                continue;
            } else {
                path.remote = t.path.local;
                to = translate_in(w, &t.path.remote, &path.local);
                if (!to)
                    continue;
            }
            fly(w, &path, to, t.data + at, n);
        }
    }
}

/* ---- inner packets ---- */

static void inner_packet(uint8_t out[static INNER_PACKET], uint32_t from, uint32_t to, uint32_t number)
{
    struct writer w = wr_init(out, INNER_PACKET);
    wr_u32(&w, 0x45000000 | INNER_PACKET);
    wr_u32(&w, 0);
    wr_u32(&w, 0x40110000);
    wr_u32(&w, from);
    wr_u32(&w, to);
    wr_u16(&w, 4242);
    wr_u16(&w, 4242);
    wr_u16(&w, 12);
    wr_u16(&w, 0);
    wr_u32(&w, number);
    wr_patch16(&w, 10, inet_fold(inet_sum(0, out, 20)));
    assert_true(wr_ok(&w));
}

static void send_inner(struct stack *stack, usec_t now, uint32_t from, uint32_t to, uint32_t number)
{
    uint8_t bytes[INNER_PACKET];
    inner_packet(bytes, from, to, number);
    const struct frame frame = {.data = bytes, .len = sizeof(bytes)};
    stack_outbound(stack, now, &frame, 1);
}

void client_send(struct sim_client *c, uint32_t number)
{
    send_inner(c->stack, c->world->now, ip4_value(&c->network.local), OFFICE, number);
}

void gateway_send(struct world *w, const struct sim_client *to, uint32_t number)
{
    send_inner(w->gateway, w->now, OFFICE, ip4_value(&to->network.local), number);
}

static void receive_frames(struct stack *stack, uint64_t *count, uint32_t *payload)
{
    const struct frame_pieces *frame;
    while ((frame = stack_deliver(stack)) != NULL) {
        assert_true(frame->n >= 1);
        struct reader r = rd_init(frame->piece[0]);
        rd_skip(&r, 28);
        const uint32_t number = rd_u32(&r);
        if (rd_ok(&r)) {
            ++*count;
            *payload = number;
        }
    }
}

/* ---- events ---- */

static void finish_dh(struct world *w, struct stack *stack, struct dh_work *work)
{
    dh_work_run(work);
    stack_dh_done(stack, w->now, work);
}

static void finish_proof(struct world *w, struct stack *stack, struct ike_proof *proof)
{
    assert_non_null(w->prove);
    w->prove(w->prove_ctx, proof);
    stack_proof_done(stack, w->now, proof);
}

static void client_events(struct sim_client *c)
{
    struct stack_event event;
    while (stack_event(c->stack, &event)) {
        if (event.type == STACK_EVENT_DH)
            finish_dh(c->world, c->stack, event.dh);
        if (event.type == STACK_EVENT_PROOF)
            finish_proof(c->world, c->stack, event.proof);
        if (event.type == STACK_EVENT_UP) {
            c->up = true;
            c->network = event.network;
        }
        if (event.type == STACK_EVENT_PROMPT) {
            memcpy(c->prompt, event.prompt, sizeof(c->prompt));
            const char *typed = c->rounds < c->mistyped ? "nonsense" : c->typed;
            assert_int_equal(event.round, ++c->rounds);
            assert_int_equal(stack_answer(c->stack, c->world->now, event.session, event.session_key, view_str(typed)),
                             ERR_OK);
        }
        if (event.type == STACK_EVENT_ROUTES) {
            c->leases++;
            c->lease = event.lease;
        }
        if (event.type == STACK_EVENT_MTU) {
            c->probes++;
            c->mtu = event.mtu;
        }
        if (event.type == STACK_EVENT_FAILED) {
            c->up = false;
            c->down = true;
            c->cause = event.cause;
            c->failed_at = event.stage;
        }
    }
}

static void gateway_events(struct world *w)
{
    struct stack_event event;
    while (stack_event(w->gateway, &event)) {
        if (event.type == STACK_EVENT_DH)
            finish_dh(w, w->gateway, event.dh);
        if (event.type == STACK_EVENT_PROOF)
            finish_proof(w, w->gateway, event.proof);
        if (event.type == STACK_EVENT_ASK)
            question(w, &event);
        if (event.type == STACK_EVENT_AUTH)
            judge(w, &event);
        w->ups += event.type == STACK_EVENT_UP;
        w->downs += event.type == STACK_EVENT_DOWN;
        if (event.type == STACK_EVENT_FAILED) {
            w->gateway_cause = event.cause;
            w->gateway_failed_at = event.stage;
        }
    }
}

/* ---- time ---- */

static void settle(struct world *w)
{
    if (w->gateway) {
        gateway_events(w);
        answer_logins(w);
        gateway_events(w);
        receive_frames(w->gateway, &w->gateway_received, &w->gateway_last_payload);
        send_out(w, NULL, w->gateway);
    }
    for (size_t i = 0; i < w->client_count; i++) {
        struct sim_client *c = &w->clients[i];
        client_events(c);
        receive_frames(c->stack, &c->received, &c->last_payload);
        send_out(w, c, c->stack);
    }
}

static void arrive(struct world *w, struct flight *f)
{
    struct datagram in = {.path = f->path, .data = f->bytes, .len = (uint32_t)f->n};
    struct stack *stack = f->to ? f->to->stack : w->gateway;
    if (stack) {
        stack_inbound(stack, w->now, &in, 1);
        settle(w);
    }
    free(f);
}

static usec_t next_moment(const struct world *w)
{
    usec_t next = w->flights ? w->flights->at : USEC_NEVER;
    if (w->gateway)
        next = usec_min(next, stack_deadline(w->gateway));
    for (size_t i = 0; i < w->client_count; i++)
        next = usec_min(next, stack_deadline(w->clients[i].stack));
    for (size_t i = 0; i < ARRAY_LEN(w->auths); i++)
        if (w->auths[i].due)
            next = usec_min(next, w->auths[i].at);
    return next;
}

static void let_time_pass(struct world *w)
{
    if (w->gateway && stack_deadline(w->gateway) <= w->now)
        stack_timeout(w->gateway, w->now);
    for (size_t i = 0; i < w->client_count; i++)
        if (stack_deadline(w->clients[i].stack) <= w->now)
            stack_timeout(w->clients[i].stack, w->now);
    settle(w);
}

bool world_run(struct world *w, usec_t span, bool (*done)(void *ctx), void *ctx)
{
    const usec_t end = w->now + span;
    settle(w);
    while (!done || !done(ctx)) {
        const usec_t next = next_moment(w);
        if (next > end) {
            w->now = end;
            return false;
        }
        if (next > w->now)
            w->now = next;
        struct flight *f = w->flights;
        if (f && f->at <= w->now) {
            w->flights = f->next;
            arrive(w, f);
        } else {
            let_time_pass(w);
        }
    }
    return true;
}

bool client_is_up(void *client)
{
    return ((struct sim_client *)client)->up;
}

bool client_is_down(void *client)
{
    return ((struct sim_client *)client)->down;
}

void client_connect(struct sim_client *c, const char *user, const char *password)
{
    struct world *w = c->world;
    struct stack_connect connect = {
        .ike = {.path = {{c->addr, IKE_PORT}, {w->gateway_addr, IKE_PORT}},
                .psk = &w->client_psk,
                .credential = c->credential,
                .l2tp_port_local = L2TP_PORT},
        .ppp = c->ppp,
        .ask_routes = c->ask_routes,
        .probe_mtu = c->probe_mtu,
    };
    if (c->identity)
        strcpy(connect.ike.identity, c->identity);
    if (c->expect)
        strcpy(connect.ike.expect, c->expect);
    strcpy(connect.ppp.user, user);
    strcpy(connect.ppp.password, password);
    c->up = c->down = false;
    assert_int_equal(stack_connect(c->stack, w->now, &connect, &c->peer), ERR_OK);
    c->started = true;
}

void world_inject(struct world *w, const char *from, uint16_t port, uint16_t to_port, const uint8_t *bytes, size_t n)
{
    uint8_t copy[2048];
    assert_true(n <= sizeof(copy));
    memcpy(copy, bytes, n);
    struct datagram in = {.path = {{w->gateway_addr, to_port}, {{0}, port}}, .data = copy, .len = (uint32_t)n};
    assert_int_equal(ip_parse(from, &in.path.remote.addr), ERR_OK);
    stack_inbound(w->gateway, w->now, &in, 1);
    settle(w);
}
