/* What a client learns about its link after it is up: routes by DHCP, and the largest packet that passes. */
#include "tests/test.h"

#include "tests/sim/world.h"

static struct sim_client *begin(struct world *w, bool gateway_knows)
{
    struct stack_config gateway = world_settings(w, true);
    if (gateway_knows)
        gateway.dhcp =
            (struct dhcp_facts){.routes = {{ip4_addr(0xac100000), 16}}, .route_count = 1, .domain = "office.example"};
    world_gateway(w, &gateway);
    const struct stack_config config = world_settings(w, false);
    return world_client(w, &config, "198.51.100.7", NULL);
}

static bool has_lease(void *client)
{
    return ((const struct sim_client *)client)->leases > 0;
}

static void routes_come_after_the_address(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct sim_client *c = begin(w, true);
    c->ask_routes = true;
    client_connect(c, "alice", "secret");
    assert_true(world_run(w, 10 * USEC_SEC, has_lease, c));
    assert_true(c->up);
    assert_true(c->lease.answered);
    assert_int_equal(c->lease.route_count, 1);
    assert_int_equal(ip4_value(&c->lease.routes[0].to), 0xac100000);
    assert_string_equal(c->lease.domain, "office.example");
    assert_int_equal(ip4_value(&c->lease.dns[0]), ip4_value(&c->network.dns[0]));
    world_run(w, 60 * USEC_SEC, NULL, NULL);
    assert_int_equal(c->leases, 1);
    assert_int_equal(c->received, 0); /* the answer did not go to the TUN */
    world_free(w);
}

static void nobody_asks_unless_told_to(void **state)
{
    (void)state;
    struct world *w = world_new(2);
    struct sim_client *c = begin(w, true);
    client_connect(c, "alice", "secret");
    world_run(w, 60 * USEC_SEC, NULL, NULL);
    assert_true(c->up);
    assert_int_equal(c->leases, 0);
    assert_int_equal(stack_counters(w->gateway).in_packets, 0);
    world_free(w);
}

static void a_lost_question_or_answer_is_asked_again(void **state)
{
    (void)state;
    struct world *before = world_new(3);
    struct sim_client *c = begin(before, true);
    client_connect(c, "alice", "secret");
    assert_true(world_run(before, 10 * USEC_SEC, client_is_up, c));
    const uint64_t login = before->flown;
    world_free(before);
    for (uint64_t lost = login; lost <= login + 6; lost++) {
        struct world *w = world_new(3);
        c = begin(w, true);
        c->ask_routes = true;
        w->lose = lost;
        client_connect(c, "alice", "secret");
        assert_true(world_run(w, 30 * USEC_SEC, has_lease, c));
        assert_true(c->lease.answered);
        world_free(w);
    }
}

static void a_server_that_does_not_answer_is_told_as_that(void **state)
{
    (void)state;
    struct world *w = world_new(4);
    struct sim_client *c = begin(w, true);
    c->ask_routes = true;
    client_connect(c, "alice", "secret");
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
    w->weather.loss_percent = 100;
    assert_false(world_run(w, 11 * USEC_SEC, has_lease, c));
    assert_true(world_run(w, 2 * USEC_SEC, has_lease, c)); /* 4 questions, 3 s apart */
    assert_false(c->lease.answered);
    world_free(w);
}

static bool is_probed(void *client)
{
    return ((const struct sim_client *)client)->probes > 0;
}

static uint16_t probe_over(uint64_t seed, uint32_t path_mtu, bool black_hole, struct session_info *info)
{
    struct world *w = world_new(seed);
    struct sim_client *c = begin(w, true);
    c->probe_mtu = true;
    client_connect(c, "alice", "secret");
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
    w->path_mtu = path_mtu;
    w->black_hole = black_hole;
    assert_true(world_run(w, 60 * USEC_SEC, is_probed, c));
    uint32_t session = 0;
    assert_true(stack_session_next(c->stack, &session, info));
    const uint16_t mtu = c->mtu;
    world_run(w, 60 * USEC_SEC, NULL, NULL);
    assert_int_equal(c->probes, 1);
    world_free(w);
    return mtu;
}

static void an_ordinary_path_carries_the_usual_size(void **state)
{
    (void)state;
    struct session_info info;
    assert_int_equal(probe_over(10, 1500, false, &info), 1400);
    assert_int_equal(info.mtu, 1400);
    assert_int_equal(probe_over(11, 0, false, &info), 1400);
}

/* The outer packet of this transform and the inner one are at most this far apart: headers, IV, padding, ICV. */
#define OVERHEAD 100

static void what_a_smaller_path_carries_is_found(void **state)
{
    (void)state;
    for (uint32_t path = 800; path <= 1480; path += 40)
        for (int black_hole = 0; black_hole < 2; black_hole++) {
            struct session_info info;
            const uint16_t mtu = probe_over(path, path, black_hole, &info);
            assert_in_range(mtu, path - OVERHEAD - 8, path - 60);
            assert_int_equal(info.mtu, mtu);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_come_after_the_address),
        cmocka_unit_test(nobody_asks_unless_told_to),
        cmocka_unit_test(a_lost_question_or_answer_is_asked_again),
        cmocka_unit_test(a_server_that_does_not_answer_is_told_as_that),
        cmocka_unit_test(an_ordinary_path_carries_the_usual_size),
        cmocka_unit_test(what_a_smaller_path_carries_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
