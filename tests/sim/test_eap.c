/* Logins by EAP through all layers, with every single datagram lost once. */
#include "tests/unit/ppp/certificates.h"

#include "tests/sim/world.h"

static const enum ppp_auth methods[] = {PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_MD5, PPP_AUTH_EAP_GTC, PPP_AUTH_EAP_TLS};

struct certificates {
    struct identity authority, server, user;
    struct ppp_tls *at_server, *at_client;
};

static int make_certificates(void **state)
{
    struct certificates *made = calloc(1, sizeof(*made));
    made->authority = identity_new("Sim CA", NULL, NULL, 30);
    made->server = identity_new("vpn.example.org", &made->authority, "serverAuth", 30);
    made->user = identity_new("alice", &made->authority, "clientAuth", 30);
    made->at_server = tls_side(&made->server, &made->authority, true, NULL);
    made->at_client = tls_side(&made->user, &made->authority, false, "vpn.example.org");
    *state = made;
    return 0;
}

static int drop_certificates(void **state)
{
    struct certificates *made = *state;
    ppp_tls_free(made->at_server);
    ppp_tls_free(made->at_client);
    identity_done(&made->authority);
    identity_done(&made->server);
    identity_done(&made->user);
    free(made);
    return 0;
}

/* A gateway that takes EAP first, with all methods in this order, and a client for one of them. */
static struct sim_client *begin(struct world *w, const struct certificates *certificates, enum ppp_auth method,
                                const char *password)
{
    struct stack_config gateway = world_settings(w, true);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        gateway.ppp.auth[i] = methods[i];
    gateway.ppp.auth[ARRAY_LEN(methods)] = PPP_AUTH_MSCHAPV2;
    gateway.ppp.tls = certificates->at_server;
    world_gateway(w, &gateway);
    struct stack_config config = world_settings(w, false);
    memset(config.ppp.auth, 0, sizeof(config.ppp.auth));
    config.ppp.auth[0] = method;
    config.ppp.tls = certificates->at_client;
    struct sim_client *c = world_client(w, &config, "198.51.100.7", NULL);
    c->typed = password;
    client_connect(c, "alice", password);
    return c;
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

static void every_method_is_reached_by_its_client(void **state)
{
    static const char *const words[] = {"eap-mschapv2", "eap-md5", "eap-gtc", "eap-tls"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct world *w = world_new(10 + i);
        struct sim_client *c = begin(w, *state, methods[i], "secret");
        assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
        expect_traffic(w, c);
        struct session_info info;
        uint32_t session = 0;
        assert_true(stack_session_next(w->gateway, &session, &info));
        assert_string_equal(info.auth, words[i]);
        assert_string_equal(info.user, "alice");
        assert_string_equal(c->prompt, methods[i] == PPP_AUTH_EAP_GTC ? "Password: " : "");
        world_free(w);
    }
}

/* ---- a question of the gateway's own: a grid ---- */

static const char grid[] = "Grid 47 (sekisho-grid/1 3x4x4 120 600 43200)\n"
                           "3 1 4 1  5 9 2 6  5 3 5 8\n"
                           "9 7 9 3  2 3 8 4  6 2 6 4\n"
                           "3 8 3 2  7 9 5 0  2 8 8 4\n"
                           "1 9 7 1  6 9 3 9  9 3 7 5\n"
                           "What stands on your cells, or your password: ";

/* The user is asked so many times in vain first. */
static struct sim_client *begin_with_grid(struct world *w, uint8_t mistyped)
{
    struct stack_config gateway = world_settings(w, true);
    const enum ppp_auth offered[] = {PPP_AUTH_MSCHAPV2, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_GTC, PPP_AUTH_NONE};
    memcpy(gateway.ppp.auth, offered, sizeof(offered));
    gateway.ppp.asks = true;
    world_gateway(w, &gateway);
    w->question = grid;
    w->auth_delay = 50 * USEC_MSEC;
    struct stack_config config = world_settings(w, false);
    memset(config.ppp.auth, 0, sizeof(config.ppp.auth));
    config.ppp.auth[0] = PPP_AUTH_EAP_GTC;
    struct sim_client *c = world_client(w, &config, "198.51.100.7", NULL);
    c->typed = "secret";
    c->mistyped = mistyped;
    client_connect(c, "alice", "");
    return c;
}

static void a_grid_is_shown_to_who_asks_for_gtc(void **state)
{
    (void)state;
    struct world *w = world_new(50);
    struct sim_client *c = begin_with_grid(w, 0);
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
    expect_traffic(w, c);
    assert_string_equal(c->prompt, grid);
    assert_int_equal(w->questions, 1);
    world_free(w);
}

static void a_wrong_answer_is_asked_for_anew_in_the_same_session(void **state)
{
    (void)state;
    struct world *w = world_new(51);
    struct sim_client *c = begin_with_grid(w, 2);
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
    assert_int_equal(c->rounds, 3);
    assert_int_equal(w->questions, 3);
    assert_int_equal(w->gateway_cause, CAUSE_NONE);
    expect_traffic(w, c);
    world_free(w);
    w = world_new(52);
    c = begin_with_grid(w, 3);
    assert_true(world_run(w, 20 * USEC_SEC, client_is_down, c));
    assert_int_equal(c->rounds, 3);
    assert_int_equal(c->cause, CAUSE_AUTH_REFUSED);
    world_run(w, 5 * USEC_SEC, NULL, NULL);
    assert_int_equal(w->gateway_cause, CAUSE_AUTH_PASSWORD);
    assert_int_equal(w->ups, 0);
    world_free(w);
}

static void any_single_datagram_of_a_login_by_grid_may_be_lost(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (uint64_t lost = 0; lost <= n; lost++) {
        struct world *w = world_new(53);
        struct sim_client *c = begin_with_grid(w, 1);
        w->lose = lost;
        if (!world_run(w, 60 * USEC_SEC, client_is_up, c))
            fail_msg("datagram %llu of %llu was lost, and the login with it", (unsigned long long)lost,
                     (unsigned long long)n);
        if (lost == 0)
            n = w->flown;
        assert_int_equal(c->rounds, 2); /* whatever was lost, somebody types twice */
        assert_int_equal(w->questions, 2);
        world_run(w, 10 * USEC_SEC, NULL, NULL);
        expect_traffic(w, c);
        world_free(w);
    }
    print_message("%llu datagrams\n", (unsigned long long)n);
}

static void a_client_without_eap_gets_in_by_mschapv2(void **state)
{
    struct world *w = world_new(20);
    struct sim_client *c = begin(w, *state, PPP_AUTH_MSCHAPV2, "secret");
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
    expect_traffic(w, c);
    world_free(w);
}

static void a_wrong_answer_is_refused(void **state)
{
    for (size_t i = 0; i < 3; i++) {
        struct world *w = world_new(30 + i);
        struct sim_client *c = begin(w, *state, methods[i], "guess");
        assert_true(world_run(w, 20 * USEC_SEC, client_is_down, c));
        assert_int_equal(c->cause, CAUSE_AUTH_REFUSED);
        assert_int_equal(w->ups, 0);
        world_run(w, 5 * USEC_SEC, NULL, NULL);
        assert_int_equal(w->gateway_cause, CAUSE_AUTH_PASSWORD);
        world_free(w);
    }
}

static uint64_t datagrams_of_a_login(const struct certificates *certificates, enum ppp_auth method)
{
    struct world *w = world_new(40);
    struct sim_client *c = begin(w, certificates, method, "secret");
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
    const uint64_t n = w->flown;
    world_free(w);
    return n;
}

static void any_single_datagram_of_a_login_may_be_lost(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        const uint64_t n = datagrams_of_a_login(*state, methods[i]);
        print_message("%zu: %llu datagrams\n", i, (unsigned long long)n);
        for (uint64_t lost = 1; lost <= n; lost++) {
            struct world *w = world_new(40);
            struct sim_client *c = begin(w, *state, methods[i], "secret");
            w->lose = lost;
            if (!world_run(w, 60 * USEC_SEC, client_is_up, c))
                fail_msg("datagram %llu of %llu was lost (method %zu), and the login with it", (unsigned long long)lost,
                         (unsigned long long)n, i);
            world_run(w, 10 * USEC_SEC, NULL, NULL);
            expect_traffic(w, c);
            world_free(w);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_is_reached_by_its_client),
        cmocka_unit_test(a_grid_is_shown_to_who_asks_for_gtc),
        cmocka_unit_test(a_wrong_answer_is_asked_for_anew_in_the_same_session),
        cmocka_unit_test(any_single_datagram_of_a_login_by_grid_may_be_lost),
        cmocka_unit_test(a_client_without_eap_gets_in_by_mschapv2),
        cmocka_unit_test(a_wrong_answer_is_refused),
        cmocka_unit_test(any_single_datagram_of_a_login_may_be_lost),
    };
    return cmocka_run_group_tests(tests, make_certificates, drop_certificates);
}
