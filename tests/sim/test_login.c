/* From main mode to the first inner packet, in good and bad weather. */
#include "tests/test.h"

#include "tests/sim/world.h"

static struct world *fair_world(uint64_t seed)
{
    struct world *w = world_new(seed);
    const struct stack_config gateway = world_settings(w, true);
    world_gateway(w, &gateway);
    return w;
}

static struct sim_client *any_client(struct world *w, const char *addr, struct napt *napt)
{
    const struct stack_config config = world_settings(w, false);
    return world_client(w, &config, addr, napt);
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

static struct napt home_router(const char *outside)
{
    struct napt n = {.present = true, .next_port = 30000};
    assert_int_equal(ip_parse(outside, &n.outside), ERR_OK);
    return n;
}

static void a_client_gets_its_address_and_its_packets_flow(void **state)
{
    (void)state;
    struct world *w = fair_world(1);
    struct sim_client *c = any_client(w, "198.51.100.7", NULL);
    client_connect(c, "alice", "secret");
    /* --> MM1 ... <-- quick mode, SCCRQ ..., LCP, MS-CHAPv2, IPCP */
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
    assert_int_equal(ip4_value(&c->network.local), 0xac100202);
    assert_int_equal(c->network.dns[0].family, 4);
    expect_traffic(w, c);
    const struct story *story = stack_story(w->gateway, "alice", 0);
    assert_non_null(story);
    assert_true(story->established);
    assert_int_equal(story->stage, STAGE_DATA);
    assert_string_equal(story->psk, "office");
    world_free(w);
}

static void behind_a_napt_esp_goes_in_udp(void **state)
{
    (void)state;
    struct world *w = fair_world(2);
    struct napt n = home_router("198.51.100.7");
    struct sim_client *c = any_client(w, "192.168.1.101", &n);
    client_connect(c, "alice", "secret");
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
    expect_traffic(w, c);
    struct session_info info;
    uint32_t i = 0;
    assert_true(stack_session_next(w->gateway, &i, &info));
    assert_true(info.encap);
    assert_true(info.ike.nat_remote);
    world_free(w);
}

static void two_clients_behind_one_napt_and_two_with_equal_inner_addresses(void **state)
{
    (void)state;
    struct world *w = fair_world(3);
    struct napt one = home_router("198.51.100.7"), other = home_router("198.51.100.8");
    struct sim_client *c[4] = {
        any_client(w, "192.168.1.101", &one),
        any_client(w, "192.168.1.102", &one),
        any_client(w, "192.168.1.101", &other),
        any_client(w, "192.168.1.102", &other),
    };
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        client_connect(c[i], "alice", "secret");
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        assert_true(world_run(w, 20 * USEC_SEC, client_is_up, c[i]));
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        expect_traffic(w, c[i]);
    world_free(w);
}

static void over_ipv6_it_works_with_and_without_udp(void **state)
{
    (void)state;
    for (int force = 0; force < 2; force++) {
        struct world *w = world_new(10);
        struct stack_config gateway = world_settings(w, true);
        gateway.ike.encap = force ? IKE_ENCAP_FORCE : IKE_ENCAP_AUTO;
        assert_int_equal(ip_parse("2001:db8::1", &w->gateway_addr), ERR_OK);
        world_gateway(w, &gateway);
        struct sim_client *c = any_client(w, "2001:db8:1::7", NULL);
        client_connect(c, "alice", "secret");
        assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
        expect_traffic(w, c);
        world_free(w);
    }
}

static uint64_t datagrams_of_a_login(void)
{
    struct world *w = fair_world(4);
    struct sim_client *c = any_client(w, "198.51.100.7", NULL);
    client_connect(c, "alice", "secret");
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
    const uint64_t n = w->flown;
    world_free(w);
    return n;
}

static void any_single_datagram_of_a_login_may_be_lost(void **state)
{
    (void)state;
    const uint64_t n = datagrams_of_a_login();
    for (uint64_t lost = 1; lost <= n; lost++)
        for (int behind_nat = 0; behind_nat < 2; behind_nat++) {
            struct world *w = fair_world(4);
            struct napt router = home_router("198.51.100.7");
            w->lose = lost;
            struct sim_client *c = any_client(w, "192.168.1.5", behind_nat ? &router : NULL);
            client_connect(c, "alice", "secret");
            if (!world_run(w, 60 * USEC_SEC, client_is_up, c))
                fail_msg("datagram %llu of %llu was lost (nat %d), and the login with it", (unsigned long long)lost,
                         (unsigned long long)n, behind_nat);
            world_run(w, 10 * USEC_SEC, NULL, NULL); /* the gateway's side may be the one that has to repeat */
            expect_traffic(w, c);
            world_free(w);
        }
}

static void seeds_of_bad_weather(void **state)
{
    (void)state;
    const char *given = getenv("SEKISHO_SIM_SEEDS");
    const unsigned long seeds = given ? strtoul(given, NULL, 10) : 1000;
    for (unsigned long seed = 1; seed <= seeds; seed++) {
        struct world *w = fair_world(seed);
        w->weather = (struct weather){
            .loss_percent = 10, .repeat_percent = 10, .delay = 20 * USEC_MSEC, .jitter = 60 * USEC_MSEC};
        struct napt router = home_router("198.51.100.7");
        struct sim_client *c = any_client(w, "192.168.1.5", seed % 2 ? &router : NULL);
        client_connect(c, "alice", "secret");
        bool up = false;
        /* a real client tries again; three tries must do in this weather */
        for (int i = 0; i < 3 && !up; i++) {
            if (i > 0)
                client_connect(c, "alice", "secret");
            while (!(up = c->up) && !c->down && world_run(w, USEC_SEC, client_is_up, c) == false &&
                   w->now < (1000 + 90 * (usec_t)(i + 1)) * USEC_SEC)
                ;
            up = c->up;
        }
        if (!up)
            fail_msg("seed %lu: no connection; the client says %s at %s", seed, cause_word(c->cause),
                     stage_word(c->failed_at));
        w->weather = (struct weather){.delay = 10 * USEC_MSEC};
        world_run(w, 5 * USEC_SEC, NULL, NULL);
        expect_traffic(w, c);
        world_free(w);
    }
    print_message("          %lu seeds of 10 %% loss, 10 %% repetition and reordering\n", seeds);
}

static void a_slow_user_store_is_waited_for(void **state)
{
    (void)state;
    struct world *w = fair_world(5);
    w->auth_delay = 5 * USEC_SEC;
    struct sim_client *c = any_client(w, "198.51.100.7", NULL);
    client_connect(c, "alice", "secret");
    assert_true(world_run(w, 20 * USEC_SEC, client_is_up, c));
    assert_int_equal(w->ups, 1);
    world_free(w);
}

/* ---- failures and their words ---- */

static void expect_refusal(struct world *w, struct sim_client *c, enum cause cause)
{
    (void)c;
    const struct story *story = stack_story(w->gateway, NULL, 0);
    assert_non_null(story);
    if (story->cause != cause)
        fail_msg("the story says %s instead of %s", cause_word(story->cause), cause_word(cause));
    uint8_t room[8192];
    struct writer text = wr_init(room, sizeof(room) - 1);
    story_text(story, &text);
    room[text.n] = 0;
    assert_non_null(strstr((char *)room, cause_sentence(cause)));
    assert_non_null(strstr((char *)room, cause_cure(cause)));
}

static void a_wrong_key_is_named(void **state)
{
    (void)state;
    struct world *w = fair_world(6);
    assert_int_equal(secret_set(&w->client_psk.key, view_str("a wrong key")), ERR_OK);
    struct sim_client *c = any_client(w, "198.51.100.7", NULL);
    client_connect(c, "alice", "secret");
    assert_false(world_run(w, 10 * USEC_SEC, client_is_up, c));
    expect_refusal(w, c, CAUSE_IKE_WRONG_PSK);
    world_free(w);
}

static void a_wrong_password_and_an_unknown_user_are_told_apart_here_but_not_to_the_client(void **state)
{
    (void)state;
    enum cause seen[2];
    const char *users[] = {"alice", "mallory"};
    const enum cause told[] = {CAUSE_AUTH_PASSWORD, CAUSE_AUTH_NO_USER};
    for (size_t i = 0; i < 2; i++) {
        struct world *w = fair_world(7);
        struct sim_client *c = any_client(w, "198.51.100.7", NULL);
        client_connect(c, users[i], i == 0 ? "wrong" : "secret");
        assert_true(world_run(w, 10 * USEC_SEC, client_is_down, c));
        world_run(w, 5 * USEC_SEC, NULL, NULL);
        expect_refusal(w, c, told[i]);
        seen[i] = c->cause;
        world_free(w);
    }
    assert_int_equal(seen[0], seen[1]);
    assert_int_equal(seen[0], CAUSE_AUTH_REFUSED);
}

static void no_common_proposal_is_named_at_both_phases(void **state)
{
    (void)state;
    struct world *w = fair_world(8);
    struct stack_config weak = world_settings(w, false);
    weak.ike.policy = IKE_POLICY_LEGACY;
    weak.ike.ike_proposal = "3des-md5-modp1024";
    struct sim_client *c = world_client(w, &weak, "198.51.100.7", NULL);
    client_connect(c, "alice", "secret");
    assert_false(world_run(w, 10 * USEC_SEC, client_is_up, c));
    expect_refusal(w, c, CAUSE_IKE_NO_PROPOSAL);
    world_free(w);

    w = fair_world(9);
    weak = world_settings(w, false);
    weak.ike.policy = IKE_POLICY_LEGACY;
    weak.ike.esp_proposal = "des-md5";
    c = world_client(w, &weak, "198.51.100.7", NULL);
    client_connect(c, "alice", "secret");
    assert_false(world_run(w, 10 * USEC_SEC, client_is_up, c));
    expect_refusal(w, c, CAUSE_ESP_NO_PROPOSAL);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_gets_its_address_and_its_packets_flow),
        cmocka_unit_test(behind_a_napt_esp_goes_in_udp),
        cmocka_unit_test(two_clients_behind_one_napt_and_two_with_equal_inner_addresses),
        cmocka_unit_test(over_ipv6_it_works_with_and_without_udp),
        cmocka_unit_test(any_single_datagram_of_a_login_may_be_lost),
        cmocka_unit_test(a_slow_user_store_is_waited_for),
        cmocka_unit_test(a_wrong_key_is_named),
        cmocka_unit_test(a_wrong_password_and_an_unknown_user_are_told_apart_here_but_not_to_the_client),
        cmocka_unit_test(no_common_proposal_is_named_at_both_phases),
        cmocka_unit_test(seeds_of_bad_weather),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
