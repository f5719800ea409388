/* EAP-TLS between two of ours: who is let in by a certificate, and who is not. */
#include "certificates.h"
#include "eap.h"

struct pki {
    struct identity authority, stranger, server, user;
};

static struct pki pki_new(void)
{
    struct pki p = {.authority = identity_new("Test CA", NULL, NULL, 30),
                    .stranger = identity_new("Another CA", NULL, NULL, 30)};
    p.server = identity_new("vpn.example.org", &p.authority, "serverAuth", 30);
    p.user = identity_new(USER, &p.authority, "clientAuth", 30);
    return p;
}

static void pki_done(struct pki *p)
{
    identity_done(&p->authority);
    identity_done(&p->stranger);
    identity_done(&p->server);
    identity_done(&p->user);
}

/* Runs a login with these two and says why it failed, as each side sees it. */
static void tls_login(struct rig *r, uint64_t seed, struct ppp_tls *server, struct ppp_tls *client, uint64_t lost)
{
    rig_init(r, seed);
    METHODS(&r->server, PPP_AUTH_EAP_TLS);
    METHODS(&r->client, PPP_AUTH_EAP_TLS);
    r->server.config.tls = server;
    r->client.config.tls = client;
    r->lose_at = lost;
    rig_start(r);
    rig_run(r, 60 * USEC_SEC);
}

static void certificates_log_in(void **state)
{
    (void)state;
    struct pki p = pki_new();
    struct ppp_tls *server = tls_side(&p.server, &p.authority, true, NULL);
    struct ppp_tls *client = tls_side(&p.user, &p.authority, false, "vpn.example.org");
    for (uint64_t lost = 0; lost <= 30; lost++) {
        struct rig r;
        tls_login(&r, 50, server, client, lost);
        assert_true(rig_is_up(&r));
        assert_int_equal(r.server.asked, 1);
        assert_string_equal(r.server.question.user, USER);
        assert_int_equal(r.server.question.method, PPP_AUTH_EAP_TLS);
        if (lost == 0)
            print_message("EAP-TLS: %llu frames in all\n", (unsigned long long)r.sent);
        rig_done(&r);
    }
    ppp_tls_free(server);
    ppp_tls_free(client);
    pki_done(&p);
}

static void a_server_is_called_by_its_address_too(void **state)
{
    (void)state;
    struct pki p = pki_new();
    struct identity addressed = identity_new("192.0.2.1", &p.authority, "serverAuth", 30);
    struct ppp_tls *server = tls_side(&addressed, &p.authority, true, NULL);
    static const char *const names[] = {"192.0.2.1", "192.0.2.2"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct rig r;
        struct ppp_tls *client = tls_side(&p.user, &p.authority, false, names[i]);
        tls_login(&r, 80 + i, server, client, 0);
        assert_int_equal(rig_is_up(&r), i == 0);
        assert_int_equal(r.client.cause, i == 0 ? CAUSE_NONE : CAUSE_AUTH_SERVER_CERTIFICATE);
        rig_done(&r);
        ppp_tls_free(client);
    }
    ppp_tls_free(server);
    identity_done(&addressed);
    pki_done(&p);
}

static void a_user_without_a_good_certificate_is_refused(void **state)
{
    (void)state;
    struct pki p = pki_new();
    struct identity wrong[] = {
        identity_new("mallory", &p.authority, "clientAuth", 30), /* another user's */
        identity_new(USER, &p.stranger, "clientAuth", 30),       /* of an authority that is not ours */
        identity_new(USER, &p.authority, "clientAuth", -1),      /* past its time */
        identity_new(USER, &p.authority, "serverAuth", 30),      /* made for something else */
    };
    struct ppp_tls *server = tls_side(&p.server, &p.authority, true, NULL);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct ppp_tls *client = tls_side(&wrong[i], &p.authority, false, NULL);
        struct rig r;
        tls_login(&r, 60 + i, server, client, 0);
        assert_int_equal(r.server.networks + r.client.networks + r.server.asked, 0);
        assert_int_equal(r.server.cause, CAUSE_AUTH_CERTIFICATE);
        assert_int_equal(r.client.downs, 1);
        rig_done(&r);
        ppp_tls_free(client);
        identity_done(&wrong[i]);
    }
    ppp_tls_free(server);
    pki_done(&p);
}

static void a_server_without_a_good_certificate_gets_nothing(void **state)
{
    (void)state;
    struct pki p = pki_new();
    struct identity foreign = identity_new("vpn.example.org", &p.stranger, "serverAuth", 30);
    struct ppp_tls *servers[] = {tls_side(&foreign, &p.authority, true, NULL),
                                 tls_side(&p.server, &p.authority, true, NULL)};
    struct ppp_tls *client = tls_side(&p.user, &p.authority, false, "other.example.org");
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        struct rig r;
        tls_login(&r, 70 + i, servers[i], client, 0);
        assert_int_equal(r.client.cause, CAUSE_AUTH_SERVER_CERTIFICATE);
        assert_int_equal(r.server.networks + r.client.networks + r.server.asked, 0);
        rig_done(&r);
        ppp_tls_free(servers[i]);
    }
    ppp_tls_free(client);
    identity_done(&foreign);
    pki_done(&p);
}

static void certificates_come_as_pkcs12_too(void **state)
{
    (void)state;
    struct pki p = pki_new();
    uint8_t file[PEM_MAX];
    char why[PPP_TLS_WHY_MAX] = "";
    struct ppp_tls_options o = {.certificate = view_of(file, identity_pkcs12(&p.user, &p.authority, "open", file)),
                                .password = "open"};
    struct ppp_tls *server = tls_side(&p.server, &p.authority, true, NULL), *client = ppp_tls_new(&o, why);
    assert_non_null(client);
    struct rig r;
    tls_login(&r, 80, server, client, 0);
    assert_true(rig_is_up(&r));
    rig_done(&r);
    o.password = "wrong";
    assert_null(ppp_tls_new(&o, why));
    assert_true(why[0] != '\0');
    o.certificate = view_str("-----BEGIN nonsense");
    assert_null(ppp_tls_new(&o, why));
    ppp_tls_free(server);
    ppp_tls_free(client);
    pki_done(&p);
}

static void a_revoked_certificate_is_refused(void **state)
{
    (void)state;
    struct pki p = pki_new();
    struct identity revoked = identity_new(USER, &p.authority, "clientAuth", 30);
    for (int pem = 0; pem < 2; pem++) {
        uint8_t own[PEM_MAX], key[PEM_MAX], trusted[2 * PEM_MAX], list[PEM_MAX];
        char why[PPP_TLS_WHY_MAX] = "";
        size_t n = identity_pem(&p.authority, false, trusted);
        n += identity_pem(&p.stranger, false, trusted + n); /* which has no list, and no say in this */
        const struct view crl = view_of(list, identity_revoke(&revoked, &p.authority, pem, list));
        const struct ppp_tls_options o = {.server = true,
                                          .certificate = view_of(own, identity_pem(&p.server, false, own)),
                                          .key = view_of(key, identity_pem(&p.server, true, key)),
                                          .authorities = view_of(trusted, n),
                                          .revoked = &crl,
                                          .revoked_count = 1};
        struct ppp_tls *server = ppp_tls_new(&o, why);
        assert_non_null(server);
        const struct identity *who[] = {&p.user, &revoked};
        for (size_t i = 0; i < 2; i++) {
            struct ppp_tls *client = tls_side(who[i], &p.authority, false, NULL);
            struct rig r;
            tls_login(&r, 90 + i, server, client, 0);
            assert_int_equal(rig_is_up(&r), i == 0);
            assert_int_equal(r.server.cause, i == 0 ? CAUSE_NONE : CAUSE_AUTH_CERTIFICATE);
            rig_done(&r);
            ppp_tls_free(client);
        }
        ppp_tls_free(server);
    }
    identity_done(&revoked);
    pki_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_log_in),
        cmocka_unit_test(a_server_is_called_by_its_address_too),
        cmocka_unit_test(a_user_without_a_good_certificate_is_refused),
        cmocka_unit_test(a_server_without_a_good_certificate_gets_nothing),
        cmocka_unit_test(certificates_come_as_pkcs12_too),
        cmocka_unit_test(a_revoked_certificate_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
