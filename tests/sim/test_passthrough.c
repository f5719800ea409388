/* Homes without NAT traversal: raw ESP through a router with IPsec passthrough, where all come from one address and
 * port 500; and routers that lose it. */
#include "tests/test.h"

#include "tests/sim/world.h"

struct scene {
    struct world *w;
    struct napt router;
    struct stack_config client;
};

static struct scene *home(uint64_t seed, bool passthrough, enum ike_encap gateway_encap, enum ike_encap client_encap)
{
    struct scene *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    s->w = world_new(seed);
    s->router = (struct napt){.present = true, .passthrough = passthrough, .next_port = 40000};
    assert_int_equal(ip_parse("198.51.100.9", &s->router.outside), ERR_OK);
    struct stack_config gateway = world_settings(s->w, true);
    s->client = world_settings(s->w, false);
    gateway.ike.encap = gateway_encap;
    s->client.ike.encap = client_encap;
    gateway.ike.child_lifetime = s->client.ike.child_lifetime = 120;
    gateway.ike.ike_lifetime = s->client.ike.ike_lifetime = 400;
    world_gateway(s->w, &gateway);
    return s;
}

static void leave(struct scene *s)
{
    world_free(s->w);
    free(s);
}

static struct sim_client *computer(struct scene *s, const char *address)
{
    return world_client(s->w, &s->client, address, &s->router);
}

static void connect_now(struct scene *s, struct sim_client *c)
{
    client_connect(c, "alice", "secret");
    assert_true(world_run(s->w, 20 * USEC_SEC, client_is_up, c));
}

/* Every client and the gateway speak to each other for `span`. Each must hear all that is for it and nothing else. */
static void all_talk(struct scene *s, usec_t span)
{
    struct world *w = s->w;
    const usec_t end = w->now + span;
    const uint64_t gateway_before = w->gateway_received;
    uint64_t before[CLIENTS_MAX], sent = 0;
    for (size_t i = 0; i < w->client_count; i++)
        before[i] = w->clients[i].received;
    for (; w->now < end; sent++) {
        for (size_t i = 0; i < w->client_count; i++) {
            client_send(&w->clients[i], (uint32_t)sent);
            gateway_send(w, &w->clients[i], (uint32_t)(sent << 8 | i));
        }
        world_run(w, 100 * USEC_MSEC, NULL, NULL);
    }
    world_run(w, USEC_SEC, NULL, NULL);
    assert_int_equal(w->gateway_received - gateway_before, sent * w->client_count);
    for (size_t i = 0; i < w->client_count; i++) {
        assert_int_equal(w->clients[i].received - before[i], sent);
        assert_int_equal(w->clients[i].last_payload & 0xff, i);
    }
}

static void one_client_speaks_raw_esp_for_a_long_time(void **state)
{
    (void)state;
    for (int off = 0; off < 3; off++) { /* NAT traversal is off at the gateway, at the client, at both */
        struct scene *s =
            home(41, true, off != 1 ? IKE_ENCAP_OFF : IKE_ENCAP_AUTO, off != 0 ? IKE_ENCAP_OFF : IKE_ENCAP_AUTO);
        struct sim_client *c = computer(s, "192.168.1.5");
        connect_now(s, c);
        all_talk(s, 1300 * USEC_SEC); /* over rekeyings of both phases */
        assert_int_equal(s->w->downs, 0);
        leave(s);
    }
}

static void the_gateway_renews_keys_as_well(void **state)
{
    (void)state;
    struct scene *s = home(49, true, IKE_ENCAP_OFF, IKE_ENCAP_OFF);
    s->client.ike.child_lifetime = s->client.ike.ike_lifetime = 3600; /* <-- QM1 of the gateway, every two minutes */
    struct sim_client *one = computer(s, "192.168.1.5"), *two = computer(s, "192.168.1.6");
    connect_now(s, one);
    connect_now(s, two);
    all_talk(s, 380 * USEC_SEC);
    assert_int_equal(s->w->downs, 0);
    leave(s);
}

static void eight_clients_that_start_at_once_keep_their_sessions_over_rekeyings(void **state)
{
    (void)state;
    struct scene *s = home(42, true, IKE_ENCAP_OFF, IKE_ENCAP_OFF);
    char address[] = "192.168.1.10";
    for (int i = 0; i < 8; i++, address[11]++)
        client_connect(computer(s, address), "alice", "secret");
    for (int i = 0; i < 8; i++)
        assert_true(world_run(s->w, 20 * USEC_SEC, client_is_up, &s->w->clients[i]));
    all_talk(s, 900 * USEC_SEC);
    assert_int_equal(s->w->ups, 8);
    assert_int_equal(s->w->downs, 0);
    leave(s);
}

/* A group's name, or a certificate that a family shares: nothing but the SAs tells them apart. */
static void clients_of_one_name_are_not_taken_for_each_other(void **state)
{
    (void)state;
    struct scene *s = home(43, true, IKE_ENCAP_OFF, IKE_ENCAP_OFF);
    struct sim_client *one = computer(s, "192.168.1.5"), *two = computer(s, "192.168.1.6");
    one->identity = two->identity = "@family";
    connect_now(s, one);
    /* --> MM5 of the second says INITIAL-CONTACT: of itself, and not of the first */
    connect_now(s, two);
    all_talk(s, 30 * USEC_SEC);
    assert_int_equal(s->w->downs, 0);
    assert_int_equal(stack_counters(s->w->gateway).peers, 2);
    leave(s);
}

static void a_client_that_reboots_is_served_and_its_neighbour_does_not_notice(void **state)
{
    (void)state;
    struct scene *s = home(44, true, IKE_ENCAP_OFF, IKE_ENCAP_OFF);
    struct sim_client *one = computer(s, "192.168.1.5"), *two = computer(s, "192.168.1.6");
    connect_now(s, one);
    connect_now(s, two);
    stack_free(one->stack);
    one->stack = stack_new(&s->client, &s->w->random);
    assert_non_null(one->stack);
    connect_now(s, one);
    all_talk(s, 300 * USEC_SEC);
    leave(s);
}

static void a_client_that_leaves_ends_nobody_else(void **state)
{
    (void)state;
    struct scene *s = home(45, true, IKE_ENCAP_OFF, IKE_ENCAP_OFF);
    struct sim_client *one = computer(s, "192.168.1.5"), *two = computer(s, "192.168.1.6");
    one->identity = two->identity = "@family";
    connect_now(s, one);
    connect_now(s, two);
    const uint64_t heard = one->received;
    stack_disconnect(two->stack, s->w->now, two->peer);
    world_run(s->w, 5 * USEC_SEC, NULL, NULL);
    gateway_send(s->w, one, 1);
    world_run(s->w, USEC_SEC, NULL, NULL);
    assert_int_equal(one->received - heard, 1);
    assert_int_equal(stack_counters(s->w->gateway).sessions, 1);
    leave(s);
}

static void both_are_told_why_nothing_comes_through_a_plain_router(void **state)
{
    (void)state;
    static const struct {
        enum ike_encap gateway, client;
        const char *gateway_says, *client_says;
    } cases[] = {
        {IKE_ENCAP_OFF, IKE_ENCAP_OFF, "neither side offers it", "it is switched off here"},
        {IKE_ENCAP_OFF, IKE_ENCAP_AUTO, "it is switched off here", "the other side does not offer it"},
        {IKE_ENCAP_AUTO, IKE_ENCAP_OFF, "the other side does not offer it", "it is switched off here"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene *s = home(46, false, cases[i].gateway, cases[i].client);
        struct sim_client *c = computer(s, "192.168.1.5");
        const usec_t began = s->w->now;
        c->identity = "laptop.example.net"; /* its selector still tells */
        client_connect(c, "alice", "secret");
        assert_true(world_run(s->w, 15 * USEC_SEC, client_is_down, c));
        assert_true(s->w->now - began <= 15 * USEC_SEC);
        assert_int_equal(c->cause, CAUSE_ESP_NAT);
        if (i == 0) /* it leaves before the gateway has waited long enough */
            stack_disconnect(c->stack, s->w->now, c->peer);
        world_run(s->w, 2 * USEC_SEC, NULL, NULL);
        const struct story *told = stack_story(s->w->gateway, NULL, 0), *own = stack_story(c->stack, NULL, 0);
        assert_int_equal(told->cause, CAUSE_ESP_NAT);
        assert_non_null(
            strstr(told->cause_detail, "the client calls itself 192.168.1.5 and is heard from 198.51.100.9"));
        assert_non_null(strstr(told->cause_detail, cases[i].gateway_says));
        assert_non_null(strstr(own->cause_detail, cases[i].client_says));
        leave(s);
    }
}

static void what_is_lost_without_a_nat_is_not_blamed_on_one(void **state)
{
    (void)state;
    struct scene *s = home(47, true, IKE_ENCAP_OFF, IKE_ENCAP_OFF);
    struct sim_client *c = world_client(s->w, &s->client, "198.51.100.7", NULL);
    s->w->lose_esp = true;
    client_connect(c, "alice", "secret");
    assert_true(world_run(s->w, 15 * USEC_SEC, client_is_down, c));
    assert_int_equal(c->cause, CAUSE_ESP_NOTHING);
    world_run(s->w, 2 * USEC_SEC, NULL, NULL);
    assert_int_equal(stack_story(s->w->gateway, NULL, 0)->cause, CAUSE_ESP_NOTHING);
    leave(s);
}

static void with_nat_traversal_on_both_sides_either_router_will_do(void **state)
{
    (void)state;
    for (int passthrough = 0; passthrough < 2; passthrough++) {
        struct scene *s = home(48, passthrough, IKE_ENCAP_AUTO, IKE_ENCAP_AUTO);
        struct sim_client *one = computer(s, "192.168.1.5"), *two = computer(s, "192.168.1.6");
        connect_now(s, one);
        connect_now(s, two);
        all_talk(s, 300 * USEC_SEC);
        assert_int_equal(s->w->downs, 0);
        leave(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_client_speaks_raw_esp_for_a_long_time),
        cmocka_unit_test(the_gateway_renews_keys_as_well),
        cmocka_unit_test(eight_clients_that_start_at_once_keep_their_sessions_over_rekeyings),
        cmocka_unit_test(clients_of_one_name_are_not_taken_for_each_other),
        cmocka_unit_test(a_client_that_reboots_is_served_and_its_neighbour_does_not_notice),
        cmocka_unit_test(a_client_that_leaves_ends_nobody_else),
        cmocka_unit_test(both_are_told_why_nothing_comes_through_a_plain_router),
        cmocka_unit_test(what_is_lost_without_a_nat_is_not_blamed_on_one),
        cmocka_unit_test(with_nat_traversal_on_both_sides_either_router_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
