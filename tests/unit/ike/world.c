#include "world.h"

#define CLIENT_INNER 0x0a000002 /* 10.0.0.2 */
#define CLIENT_PLAIN 0xc6336414 /* 198.51.100.20 */
#define NAT_OUTER    0xc6336407 /* 198.51.100.7 */
#define GATEWAY      0xcb007101 /* 203.0.113.1 */

struct ike_psk world_psk[4];

/* C=JP, O=Sekisho, CN=<one letter> */
#define NAME(letter)                                                                                                   \
    "0-1\x0b"                                                                                                          \
    "0\x09\x06\x03\x55\x04\x06\x13\x02JP"                                                                              \
    "1\x10"                                                                                                            \
    "0\x0e\x06\x03\x55\x04\x0a\x0c\x07Sekisho"                                                                         \
    "1\x0c"                                                                                                            \
    "0\x0a\x06\x03\x55\x04\x03\x0c\x03" letter letter letter
#define BYTES(literal)                                                                                                 \
    {                                                                                                                  \
        (const uint8_t *)(literal), sizeof(literal) - 1                                                                \
    }

/* The name of the authority of both. */
static const struct view authority[] = {BYTES(NAME("r"))};
static const struct view client_chain[] = {BYTES("the client's own certificate"), BYTES("one above it")};
static const struct view gateway_chain[] = {BYTES("the gateway's own certificate")};

const struct ike_credential world_credential[2] = {
    {"client", IKE_AUTH_RSA, IKE_ID_DER_ASN1_DN, BYTES(NAME("c")), client_chain, 2, authority, 1},
    {"gateway", IKE_AUTH_RSA, IKE_ID_FQDN, BYTES("vpn.example.com"), gateway_chain, 1, authority, 1},
};

static uint32_t spi_reserve(void *ctx)
{
    struct side *s = ctx;
    s->spis++;
    return s->next_spi++;
}

static void spi_release(void *ctx, uint32_t spi)
{
    struct side *s = ctx;
    (void)spi;
    s->spis--;
}

static void set_psk(struct ike_psk *p, const char *name, const char *key)
{
    *p = (struct ike_psk){0};
    strcpy(p->name, name);
    assert_int_equal(secret_set(&p->key, view_str(key)), ERR_OK);
}

struct world *world_new(uint64_t seed)
{
    struct world *w = calloc(1, sizeof(*w));
    print_message("seed %llu\n", (unsigned long long)seed);
    set_psk(&world_psk[0], "default", "vpn-secret-1");
    set_psk(&world_psk[1], "second", "another key");
    set_psk(&world_psk[2], "third", "yet another");
    set_psk(&world_psk[3], "wrong", "mistyped");
    w->now = 1000 * USEC_SEC;
    w->nat_base = 30000;
    random_test_init(&w->rng, seed);
    for (int i = 0; i < 2; i++) {
        struct side *s = &w->side[i];
        random_test_init(&s->rng, seed * 2 + (uint64_t)i + 1);
        s->next_spi = i ? 0xc0000100 : 0x10000100;
        s->config = (struct ike_config){
            .policy = IKE_POLICY_COMPATIBLE,
            .psks = world_psk,
            .psk_count = 1,
            .ike_lifetime = 28800,
            .child_lifetime = 3600,
            .max_half_open = 64,
            .max_half_open_per_source = 16,
            .max_sas = 64,
            .natt_keepalive = 20 * USEC_SEC,
            .authorities = authority,
            .authority_count = 1,
        };
    }
    return w;
}

static void begin_side(struct side *s)
{
    const struct ike_env env = {{random_test_fill, &s->rng}, spi_reserve, spi_release, s};
    s->ike = ike_new(&s->config, &env);
    assert_non_null(s->ike);
}

void world_begin(struct world *w)
{
    begin_side(&w->side[0]);
    begin_side(&w->side[1]);
}

void world_restart_client(struct world *w)
{
    ike_free(w->side[0].ike);
    assert_int_equal(w->side[0].spis, 0);
    begin_side(&w->side[0]);
}

void world_free(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        ike_free(w->side[i].ike);
        assert_int_equal(w->side[i].spis, 0);
        while (w->side[i].held_count > 0)
            free(w->side[i].held[--w->side[i].held_count]);
    }
    free(w);
}

static struct ip_addr ip6(const char *text)
{
    struct ip_addr a;
    assert_int_equal(ip_parse(text, &a), ERR_OK);
    return a;
}

static struct ip_addr gateway_addr(const struct world *w)
{
    return w->ipv6 ? ip6("2001:db8::1") : ip4_addr(GATEWAY);
}

static struct ip_addr client_addr(const struct world *w)
{
    return w->ipv6 ? ip6("2001:db8:1::20") : ip4_addr(w->nat ? CLIENT_INNER : CLIENT_PLAIN);
}

/* How the receiver sees a datagram that left by this path. */
static struct path translate(const struct world *w, int from, const struct path *sent)
{
    struct path p = {.local = sent->remote, .remote = sent->local};
    if (!w->nat)
        return p;
    if (from == 0) {
        p.remote.addr = ip4_addr(NAT_OUTER);
        p.remote.port = (uint16_t)(sent->local.port + w->nat_base);
    } else {
        p.local.addr = ip4_addr(CLIENT_INNER);
        p.local.port = (uint16_t)(sent->remote.port - w->nat_base);
    }
    return p;
}

struct path world_path(struct world *w, int to, uint16_t port)
{
    const struct path from_client = {{client_addr(w), port}, {gateway_addr(w), port}};
    const struct path p = translate(w, 0, &from_client);
    return to == 1 ? p : (struct path){from_client.local, from_client.remote};
}

uint32_t world_connect(struct world *w)
{
    const struct ike_connect c = {
        .path = world_path(w, 0, IKE_PORT), .psk = &w->side[0].config.psks[0], .l2tp_port_local = 1701};
    uint32_t peer = 0;
    assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &peer), ERR_OK);
    assert_int_not_equal(peer, 0);
    world_pull(w);
    return peer;
}

uint32_t world_connect_signed(struct world *w)
{
    const struct ike_connect c = {
        .path = world_path(w, 0, IKE_PORT), .credential = &world_credential[0], .l2tp_port_local = 1701};
    uint32_t peer = 0;
    w->side[1].config.credentials = &world_credential[1];
    w->side[1].config.credential_count = 1;
    world_begin(w);
    assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &peer), ERR_OK);
    world_pull(w);
    return peer;
}

/* ---- signatures ---- */

static size_t fake_signature(const struct ike_proof *p, uint8_t out[static HASH_SIZE_MAX])
{
    const struct view parts[] = {view_of(p->chain, p->certificate_len[0]), view_of(p->hash, p->hash_len)};
    assert_int_equal(p->certificate_at[0], 0);
    assert_int_equal(hash_digest(HASH_SHA256, parts, ARRAY_LEN(parts), out), ERR_OK);
    return hash_size(HASH_SHA256);
}

static void answer(struct world *w, struct side *s, struct ike_proof *p)
{
    uint8_t expected[HASH_SIZE_MAX];
    assert_int_not_equal(p->cause, CAUSE_NONE);
    const size_t n = fake_signature(p, expected);
    const bool good = p->signature_len == n && memcmp(p->signature, expected, n) == 0;
    if (p->sign) {
        p->cause = s->sign_cause;
        p->signature_len = (uint16_t)n;
        memcpy(p->signature, expected, n);
    } else {
        p->cause = s->judge_cause ? s->judge_cause : good ? CAUSE_NONE : CAUSE_CERT_SIGNATURE;
        strcpy(p->subject, s->subject ? s->subject : "");
    }
    strcpy(p->detail, p->cause ? "said the judge" : "");
    ike_proof_done(s->ike, w->now, p);
}

void world_answer(struct world *w, int side)
{
    struct side *s = &w->side[side];
    const size_t n = s->held_count;
    s->held_count = 0;
    for (size_t i = 0; i < n; i++)
        answer(w, s, s->held[i]);
    world_pull(w);
}

static void take_proof(struct world *w, struct side *s, struct ike_proof *p)
{
    s->signs += p->sign;
    s->judges += !p->sign;
    if (!s->hold_proofs) {
        answer(w, s, p);
        return;
    }
    assert_true(s->held_count < WORLD_HELD);
    s->held[s->held_count++] = p;
}

static void put_in_flight(struct world *w, int from, const struct path *path, struct view bytes)
{
    struct side *s = &w->side[from];
    const int n = s->sent++;
    if (bytes.n > s->largest)
        s->largest = bytes.n;
    if (w->lose_all[from] || (n < 64 && (w->lose[from] >> n & 1)))
        return;
    if (w->block_4500 && (path->remote.port == IKE_NATT_PORT || path->local.port == IKE_NATT_PORT))
        return;
    for (int copy = 0; copy < (w->repeat ? 2 : 1); copy++) {
        struct flight *f = w->flight;
        while (f->used)
            f++;
        assert_true(f < w->flight + WORLD_FLIGHT);
        uint32_t r;
        random_test_fill(&w->rng, (uint8_t *)&r, sizeof(r));
        f->used = true;
        f->at = w->now + ONE_WAY + (usec_t)copy + (w->jumble ? r % (4 * ONE_WAY) : 0);
        f->to = !from;
        f->path = translate(w, from, path);
        f->n = bytes.n;
        memcpy(f->bytes, bytes.p, bytes.n);
    }
}

static void take_event(struct world *w, struct side *s, const struct ike_event *e)
{
    if (e->type == IKE_EVENT_DH) {
        dh_work_run(e->dh);
        ike_dh_done(s->ike, w->now, e->dh);
        return;
    }
    if (e->type == IKE_EVENT_PROOF) {
        take_proof(w, s, e->proof);
        return;
    }
    assert_true(s->event_count < WORLD_EVENTS);
    struct world_event *kept = &s->events[s->event_count++];
    kept->event = *e;
    kept->at = w->now;
    if (e->type != IKE_EVENT_CHILD_NEW)
        return;
    memcpy(kept->keymat_in, e->child.keymat_in.p, e->child.keymat_in.n);
    memcpy(kept->keymat_out, e->child.keymat_out.p, e->child.keymat_out.n);
    kept->event.child.keymat_in.p = kept->keymat_in;
    kept->event.child.keymat_out.p = kept->keymat_out;
}

static bool pull_side(struct world *w, int i)
{
    struct side *s = &w->side[i];
    struct ike_event e;
    struct path path;
    uint8_t buffer[IKE_DATAGRAM_MAX];
    struct writer out = wr_init(buffer, sizeof(buffer));
    bool any = false;
    while (ike_event(s->ike, &e)) {
        take_event(w, s, &e);
        any = true;
    }
    while (ike_output(s->ike, &path, &out)) {
        any = true;
        if (out.n == 0)
            s->keepalives++;
        else
            put_in_flight(w, i, &path, wr_written(&out));
        out = wr_init(buffer, sizeof(buffer));
    }
    return any;
}

void world_pull(struct world *w)
{
    bool any = true;
    while (any) {
        any = pull_side(w, 0);
        any = pull_side(w, 1) || any;
    }
}

enum drop world_inject(struct world *w, int to, const struct path *path, struct view bytes)
{
    struct side *s = &w->side[to];
    const enum drop d = ike_input(s->ike, w->now, path, bytes);
    if (s->verdict_count < WORLD_SENT)
        s->verdicts[s->verdict_count++] = d;
    world_pull(w);
    return d;
}

static struct flight *next_arrival(struct world *w)
{
    struct flight *next = NULL;
    for (struct flight *f = w->flight; f < w->flight + WORLD_FLIGHT; f++) {
        if (f->used && (!next || f->at < next->at))
            next = f;
    }
    return next;
}

void world_run(struct world *w, usec_t span)
{
    const usec_t end = w->now + span;
    world_pull(w);
    for (;;) {
        struct flight *f = next_arrival(w);
        usec_t at = f ? f->at : USEC_NEVER;
        const usec_t arrival = at;
        at = usec_min(at, usec_min(ike_deadline(w->side[0].ike), ike_deadline(w->side[1].ike)));
        if (at > end)
            break;
        w->now = at > w->now ? at : w->now;
        if (arrival <= at) {
            f->used = false;
            (void)world_inject(w, f->to, &f->path, view_of(f->bytes, f->n));
            continue;
        }
        for (int i = 0; i < 2; i++)
            ike_timeout(w->side[i].ike, w->now);
        world_pull(w);
    }
    w->now = end;
}

const struct world_event *world_event(const struct world *w, int side, enum ike_event_type type, size_t nth)
{
    const struct side *s = &w->side[side];
    for (size_t i = 0; i < s->event_count; i++) {
        if (s->events[i].event.type == type && nth-- == 0)
            return &s->events[i];
    }
    return NULL;
}

size_t world_count(const struct world *w, int side, enum ike_event_type type)
{
    size_t n = 0;
    while (world_event(w, side, type, n))
        n++;
    return n;
}

size_t world_verdicts(const struct world *w, int side, enum drop verdict)
{
    size_t n = 0;
    for (size_t i = 0; i < w->side[side].verdict_count; i++)
        n += w->side[side].verdicts[i] == verdict;
    return n;
}

void world_assert_pair(const struct world *w, size_t nth)
{
    const struct world_event *a = world_event(w, 0, IKE_EVENT_CHILD_NEW, nth);
    const struct world_event *b = world_event(w, 1, IKE_EVENT_CHILD_NEW, nth);
    assert_non_null(a);
    assert_non_null(b);
    const struct ike_child *x = &a->event.child, *y = &b->event.child;
    assert_int_equal(x->spi_in, y->spi_out);
    assert_int_equal(x->spi_out, y->spi_in);
    assert_memory_equal(&x->transform, &y->transform, sizeof(x->transform));
    assert_int_equal(x->encap, y->encap);
    assert_true(x->keymat_in.n > 0);
    assert_true(view_equal(view_of(a->keymat_in, x->keymat_in.n), view_of(b->keymat_out, y->keymat_out.n)));
    assert_true(view_equal(view_of(a->keymat_out, x->keymat_out.n), view_of(b->keymat_in, y->keymat_in.n)));
    assert_int_equal(x->port_local, y->port_remote);
    assert_int_equal(x->port_remote, y->port_local);
}

void world_assert_connected(const struct world *w)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_count(w, i, IKE_EVENT_UP), 1);
        assert_int_equal(world_count(w, i, IKE_EVENT_CHILD_NEW), 1);
        assert_int_equal(world_count(w, i, IKE_EVENT_CHILD_USE), 1);
        assert_int_equal(world_count(w, i, IKE_EVENT_FAILED), 0);
    }
    world_assert_pair(w, 0);
}
