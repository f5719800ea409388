/* Logins with certificates: real ones, of an authority made here; each side signs and judges with the same module as
 * the programs do. */
#include "pki/pki.h"
#include "tests/test.h"

#include "tests/sim/world.h"

#define NOW 1800000000
#define DAY 86400

/* Somebody with a key, for both sides' lists. */
struct holder {
    struct pki_credential *key;
    struct ike_credential credential;
};

/* An authority and whom it vouches for. */
struct office {
    struct pki_trust *trust;
    struct holder gateway, client;
    int64_t wall;
};

static void take(struct holder *h, const char *name, const struct pki_issued *issued)
{
    char why[PKI_WHY_MAX];
    assert_int_equal(pki_credential_read(view_of(issued->certificate.p, issued->certificate.n),
                                         view_of(issued->key.p, issued->key.n), NULL, &h->key, why),
                     ERR_OK);
    h->credential = (struct ike_credential){.auth = (enum ike_auth)pki_credential_key(h->key)};
    strcpy(h->credential.name, name);
    const struct pki_id id = pki_credential_id(h->key);
    h->credential.id_type = id.type;
    h->credential.id = id.body;
    h->credential.certificates = pki_credential_certificates(h->key, &h->credential.certificate_count);
    h->credential.issuers = pki_credential_issuers(h->key, &h->credential.issuer_count);
}

static void issue(const struct pki_ca *ca, enum pki_kind kind, bool server, const char *name, struct holder *out)
{
    char why[PKI_WHY_MAX];
    struct pki_issued issued;
    const struct pki_plan plan = {.name = name,
                                  .sans = &name,
                                  .san_count = 1,
                                  .server = server,
                                  .client = !server,
                                  .kind = kind,
                                  .from = NOW - DAY,
                                  .until = NOW + DAY};
    assert_int_equal(pki_issue(ca, &plan, &issued, why), ERR_OK);
    take(out, name, &issued);
    pki_issued_done(&issued);
}

static struct pki_ca *authority(void)
{
    char why[PKI_WHY_MAX];
    struct pki_ca *ca;
    const struct pki_ca_plan plan = {
        .name = "Example Office", .kind = PKI_KIND_ECDSA_256, .from = NOW - DAY, .until = NOW + 10 * DAY};
    assert_int_equal(pki_ca_make(&plan, &ca, why), ERR_OK);
    return ca;
}

static void open_office(struct office *o, enum pki_kind kind)
{
    char why[PKI_WHY_MAX];
    struct pki_bytes certificate, key;
    struct pki_ca *ca = authority();
    *o = (struct office){.trust = pki_trust_new(), .wall = NOW};
    issue(ca, kind, true, "vpn.example.com", &o->gateway);
    issue(ca, kind, false, "laptop.example.com", &o->client);
    assert_int_equal(pki_ca_pem(ca, &certificate, &key), ERR_OK);
    assert_int_equal(pki_trust_add_authorities(o->trust, view_of(certificate.p, certificate.n), why), ERR_OK);
    pki_bytes_free(&certificate);
    pki_bytes_free(&key);
    pki_ca_free(ca);
}

static void close_office(struct office *o)
{
    pki_credential_free(o->gateway.key);
    pki_credential_free(o->client.key);
    pki_trust_free(o->trust);
}

/* ---- signatures ---- */

static void sign(const struct office *o, struct ike_proof *p)
{
    const bool is_gateway = strcmp(p->credential, o->gateway.credential.name) == 0;
    const struct holder *h = is_gateway ? &o->gateway : &o->client;
    size_t n = 0;
    assert_int_equal(pki_sign(h->key, view_of(p->hash, p->hash_len), p->signature, &n), ERR_OK);
    p->signature_len = (uint16_t)n;
    p->cause = CAUSE_NONE;
}

static void prove(void *ctx, struct ike_proof *p)
{
    const struct office *o = ctx;
    struct view chain[IKE_PROOF_CERTIFICATES];
    struct pki_verdict verdict;
    if (p->sign) {
        sign(o, p);
        return;
    }
    for (size_t i = 0; i < p->certificate_count; i++)
        chain[i] = view_of(p->chain + p->certificate_at[i], p->certificate_len[i]);
    const struct pki_presented presented = {
        .certificates = chain,
        .certificate_count = p->certificate_count,
        .key = (enum pki_key)p->auth,
        .hash = view_of(p->hash, p->hash_len),
        .signature = view_of(p->signature, p->signature_len),
        .id = {p->id_type, view_of(p->identity, p->identity_len)},
        .expect = p->expect,
        .server = p->server,
    };
    pki_verify(o->trust, &presented, o->wall, &verdict);
    pki_chain_free(verdict.chain);
    p->cause = verdict.cause;
    view_copy_text(p->subject, sizeof(p->subject), view_str(verdict.subject));
    view_copy_text(p->detail, sizeof(p->detail), view_str(verdict.detail));
}

/* ---- worlds ---- */

static struct stack_config settings(const struct world *w, const struct office *o, bool server)
{
    struct stack_config c = world_settings(w, server);
    c.ike.authorities = pki_trust_names(o->trust, &c.ike.authority_count);
    if (server) {
        c.ike.credentials = &o->gateway.credential;
        c.ike.credential_count = 1;
    }
    return c;
}

static struct world *office_world(uint64_t seed, struct office *o, struct napt *router, struct sim_client **client)
{
    struct world *w = world_new(seed);
    const struct stack_config gateway = settings(w, o, true), own = settings(w, o, false);
    w->prove = prove;
    w->prove_ctx = o;
    world_gateway(w, &gateway);
    *client = world_client(w, &own, router ? "192.168.1.5" : "198.51.100.7", router);
    (*client)->credential = &o->client.credential;
    (*client)->expect = "vpn.example.com";
    return w;
}

static struct napt home_router(void)
{
    struct napt n = {.present = true, .next_port = 30000};
    assert_int_equal(ip_parse("198.51.100.7", &n.outside), ERR_OK);
    return n;
}

static void expect_traffic(struct world *w, struct sim_client *c)
{
    client_send(c, 7);
    world_run(w, USEC_SEC, NULL, NULL);
    assert_int_equal(w->gateway_last_payload, 7);
    gateway_send(w, c, 8);
    world_run(w, USEC_SEC, NULL, NULL);
    assert_int_equal(c->last_payload, 8);
}

/* ---- tests ---- */

static void a_login_with_certificates_of_any_kind(void **state)
{
    (void)state;
    static const enum pki_kind kinds[] = {PKI_KIND_RSA_2048, PKI_KIND_ECDSA_256, PKI_KIND_ECDSA_384};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct office o;
        struct sim_client *c;
        open_office(&o, kinds[i]);
        struct world *w = office_world(300 + i, &o, NULL, &c);
        client_connect(c, "alice", "secret");
        assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
        expect_traffic(w, c);
        const struct story *story = stack_story(w->gateway, "alice", 0);
        assert_true(story->established);
        assert_string_equal(story->psk, "vpn.example.com");
        assert_non_null(strstr(story->identity, "laptop.example.com"));
        uint32_t session = 0;
        struct session_info info;
        assert_true(stack_session_next(w->gateway, &session, &info));
        assert_int_equal(info.ike.auth, o.gateway.credential.auth);
        assert_non_null(strstr(info.ike.identity, "laptop.example.com"));
        world_free(w);
        close_office(&o);
    }
}

static void keys_and_certificates_are_served_by_one_gateway(void **state)
{
    (void)state;
    struct office o;
    struct sim_client *c;
    open_office(&o, PKI_KIND_ECDSA_256);
    struct world *w = office_world(310, &o, NULL, &c);
    const struct stack_config plain = world_settings(w, false);
    struct sim_client *with_key = world_client(w, &plain, "198.51.100.8", NULL);
    client_connect(c, "alice", "secret");
    client_connect(with_key, "alice2", "secret");
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, with_key));
    expect_traffic(w, c);
    expect_traffic(w, with_key);
    world_free(w);
    close_office(&o);
}

static void any_single_datagram_of_a_login_may_be_lost(void **state)
{
    (void)state;
    struct office o;
    struct sim_client *c;
    open_office(&o, PKI_KIND_RSA_2048);
    struct world *w = office_world(320, &o, NULL, &c);
    client_connect(c, "alice", "secret");
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
    const uint64_t n = w->flown;
    world_free(w);
    for (uint64_t lost = 1; lost <= n; lost++)
        for (int behind_nat = 0; behind_nat < 2; behind_nat++) {
            struct napt router = home_router();
            w = office_world(320, &o, behind_nat ? &router : NULL, &c);
            w->lose = lost;
            client_connect(c, "alice", "secret");
            if (!world_run(w, 60 * USEC_SEC, client_is_up, c))
                fail_msg("datagram %llu of %llu was lost (nat %d), and the login with it", (unsigned long long)lost,
                         (unsigned long long)n, behind_nat);
            world_run(w, 10 * USEC_SEC, NULL, NULL);
            expect_traffic(w, c);
            world_free(w);
        }
    close_office(&o);
}

/* client: which of the two is the first to end an IKE SA. */
static void rekeying_loses_no_packet(bool client, uint64_t seed)
{
    struct office o;
    open_office(&o, PKI_KIND_ECDSA_256);
    struct napt router = home_router();
    struct world *w = world_new(seed);
    struct stack_config gateway = settings(w, &o, true), own = settings(w, &o, false);
    gateway.ike.child_lifetime = own.ike.child_lifetime = 120;
    own.ike.ike_lifetime = 600;
    gateway.ike.ike_lifetime = client ? 600 : 30;
    w->prove = prove;
    w->prove_ctx = &o;
    world_gateway(w, &gateway);
    struct sim_client *c = world_client(w, &own, "192.168.1.5", &router);
    c->credential = &o.client.credential;
    client_connect(c, "alice", "secret");
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
    world_run(w, USEC_SEC, NULL, NULL);
    const uint64_t before = w->gateway_received;
    uint64_t sent = 0;
    for (const usec_t end = w->now + 1500 * USEC_SEC; w->now < end; sent++) {
        client_send(c, (uint32_t)sent);
        world_run(w, 50 * USEC_MSEC, NULL, NULL);
    }
    world_run(w, USEC_SEC, NULL, NULL);
    assert_int_equal(w->gateway_received - before, sent);
    assert_int_equal(w->ups, 1);
    assert_int_equal(w->downs, 0);
    world_free(w);
    close_office(&o);
}

static void the_client_rekeys_both_phases_and_loses_no_packet(void **state)
{
    (void)state;
    rekeying_loses_no_packet(true, 330);
}

static void the_gateway_ends_its_ike_sa_and_no_packet_is_lost(void **state)
{
    (void)state;
    rekeying_loses_no_packet(false, 331);
}

/* Who is refused, by whom, and what either side says. */
static void refused(struct office *o, uint64_t seed, const char *expect, enum cause gateway, enum cause client)
{
    struct sim_client *c;
    struct world *w = office_world(seed, o, NULL, &c);
    c->expect = expect;
    client_connect(c, "alice", "secret");
    assert_true(world_run(w, 15 * USEC_SEC, client_is_down, c));
    world_run(w, USEC_SEC, NULL, NULL);
    assert_int_equal(c->cause, client);
    assert_int_equal(w->gateway_cause, gateway);
    assert_int_equal(w->ups, 0);
    world_free(w);
}

static void each_refusal_has_its_cause(void **state)
{
    (void)state;
    struct office o, other;
    open_office(&o, PKI_KIND_ECDSA_256);
    refused(&o, 340, "vpn.example.org", CAUSE_CERT_REFUSED, CAUSE_CERT_NAME);
    o.wall = NOW + 5 * DAY;
    refused(&o, 341, "vpn.example.com", CAUSE_CERT_EXPIRED, CAUSE_CERT_REFUSED);
    o.wall = NOW - 5 * DAY;
    refused(&o, 342, "vpn.example.com", CAUSE_CERT_NOT_YET, CAUSE_CERT_REFUSED);
    o.wall = NOW;
    open_office(&other, PKI_KIND_ECDSA_256);
    struct holder own = o.client;
    o.client = other.client; /* of an authority that bears the same name */
    refused(&o, 343, "vpn.example.com", CAUSE_CERT_UNKNOWN_CA, CAUSE_CERT_REFUSED);
    o.client = own;
    o.client.key = other.client.key; /* another's key */
    refused(&o, 344, "vpn.example.com", CAUSE_CERT_SIGNATURE, CAUSE_CERT_REFUSED);
    o.client = own;
    close_office(&other);
    close_office(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_with_certificates_of_any_kind),
        cmocka_unit_test(keys_and_certificates_are_served_by_one_gateway),
        cmocka_unit_test(any_single_datagram_of_a_login_may_be_lost),
        cmocka_unit_test(the_client_rekeys_both_phases_and_loses_no_packet),
        cmocka_unit_test(the_gateway_ends_its_ike_sa_and_no_packet_is_lost),
        cmocka_unit_test(each_refusal_has_its_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
