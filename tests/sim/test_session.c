/* A session's life after login: rekeying, a NAT that forgets, peers that vanish, strangers who knock. */
#include "tests/test.h"

#include "tests/sim/world.h"

struct scene {
    struct world *w;
    struct sim_client *c;
    struct napt router;
};

static struct scene *connected(uint64_t seed, bool behind_nat, void (*change)(struct stack_config *))
{
    struct scene *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    s->w = world_new(seed);
    s->router = (struct napt){.present = true, .next_port = 40000};
    assert_int_equal(ip_parse("198.51.100.9", &s->router.outside), ERR_OK);
    struct stack_config gateway = world_settings(s->w, true), client = world_settings(s->w, false);
    if (change) {
        change(&gateway);
        change(&client);
    }
    world_gateway(s->w, &gateway);
    s->c = world_client(s->w, &client, "192.168.1.5", behind_nat ? &s->router : NULL);
    client_connect(s->c, "alice", "secret");
    assert_true(world_run(s->w, 20 * USEC_SEC, client_is_up, s->c));
    return s;
}

static void leave(struct scene *s)
{
    world_free(s->w);
    free(s);
}

/* Packets each way every 50 ms for `span`; returns how many of them were lost. */
static uint64_t talk(struct scene *s, usec_t span)
{
    const uint64_t gateway_before = s->w->gateway_received, client_before = s->c->received;
    const usec_t end = s->w->now + span;
    uint64_t sent = 0;
    for (; s->w->now < end; sent++) {
        client_send(s->c, (uint32_t)sent);
        gateway_send(s->w, s->c, (uint32_t)sent);
        world_run(s->w, 50 * USEC_MSEC, NULL, NULL);
    }
    world_run(s->w, USEC_SEC, NULL, NULL);
    return 2 * sent - (s->w->gateway_received - gateway_before) - (s->c->received - client_before);
}

static void short_lives(struct stack_config *c)
{
    c->ike.child_lifetime = 120;
    c->ike.ike_lifetime = 600;
}

static void rekeying_of_both_phases_loses_no_packet(void **state)
{
    (void)state;
    for (int nat = 0; nat < 2; nat++) {
        struct scene *s = connected(11, nat, short_lives);
        assert_int_equal(talk(s, 1500 * USEC_SEC), 0);
        assert_true(s->c->up);
        assert_int_equal(s->w->ups, 1);
        assert_int_equal(s->w->downs, 0);
        leave(s);
    }
}

static void no_ike_sa_after_a_minute(struct stack_config *c)
{
    c->ike.child_lifetime = 120;
    c->ike.ike_lifetime = c->ppp.server ? 30 : 600; /* the gateway's Delete comes before the client's renewal */
}

static void patient(struct stack_config *c)
{
    c->ike.child_lifetime = 1200;
    c->ike.dpd_interval = c->ppp.echo_interval = c->l2tp.hello_interval = 0;
}

static void a_rekeying_that_fails_is_tried_again_and_ends_nothing(void **state)
{
    (void)state;
    struct scene *s = connected(26, true, patient);
    struct world *w = s->w;
    world_run(w, 1005 * USEC_SEC, NULL, NULL);
    /* --> QM1, six times, into the void */
    w->weather.loss_percent = 100;
    world_run(w, 105 * USEC_SEC, NULL, NULL);
    w->weather.loss_percent = 0;
    assert_false(s->c->down);
    assert_int_equal(stack_story(w->gateway, "alice", 0)->cause, CAUSE_NONE);
    assert_int_equal(talk(s, 300 * USEC_SEC), 0);
    assert_false(s->c->down);
    assert_int_equal(w->downs, 0);
    leave(s);
}

static void tiny_volume(struct stack_config *c)
{
    c->ike.child_kilobytes = 64;
}

static void rekeying_by_volume_loses_no_packet(void **state)
{
    (void)state;
    struct scene *s = connected(12, true, tiny_volume);
    assert_int_equal(talk(s, 300 * USEC_SEC), 0);
    assert_int_equal(s->w->downs, 0);
    leave(s);
}

static void a_nat_that_forgets_is_followed_at_the_first_packet(void **state)
{
    (void)state;
    struct scene *s = connected(13, true, NULL);
    assert_int_equal(talk(s, 5 * USEC_SEC), 0);
    napt_forget(&s->router);
    /* --> data from the new port: from here on the gateway answers there */
    client_send(s->c, 1);
    world_run(s->w, USEC_SEC, NULL, NULL);
    assert_int_equal(talk(s, 5 * USEC_SEC), 0);
    /* IKE follows too: the next quick mode and DPD go the new way */
    world_run(s->w, 300 * USEC_SEC, NULL, NULL);
    assert_int_equal(talk(s, 5 * USEC_SEC), 0);
    assert_int_equal(s->w->downs, 0);
    leave(s);
}

static void a_client_that_roams_goes_on_from_its_new_address(void **state)
{
    (void)state;
    struct scene *s = connected(15, true, NULL);
    assert_int_equal(talk(s, 5 * USEC_SEC), 0);
    /* It leaves its house for a network without a NAT. */
    assert_int_equal(ip_parse("198.51.100.77", &s->c->addr), ERR_OK);
    s->c->napt = NULL;
    assert_int_equal(stack_move(s->c->stack, s->w->now, s->c->peer, &s->c->addr), ERR_OK);
    world_run(s->w, USEC_SEC, NULL, NULL);
    assert_int_equal(talk(s, 200 * USEC_SEC), 0);
    assert_true(s->c->up);
    assert_int_equal(s->w->ups, 1);
    assert_int_equal(s->w->downs, 0);
    leave(s);
}

static void esp_without_udp_cannot_roam(void **state)
{
    (void)state;
    struct scene *s = connected(16, false, NULL);
    struct ip_addr elsewhere;
    assert_int_equal(ip_parse("198.51.100.77", &elsewhere), ERR_OK);
    assert_int_equal(stack_move(s->c->stack, s->w->now, s->c->peer, &elsewhere), ERR_STATE);
    assert_int_equal(stack_move(s->c->stack, s->w->now, s->c->peer + 1, &elsewhere), ERR_NOTFOUND);
    leave(s);
}

static void quick_to_ask(struct stack_config *c)
{
    c->ppp.echo_interval = 8 * USEC_SEC;
    c->ppp.echo_repeat = 2 * USEC_SEC;
    c->ppp.echo_failures = 3;
    c->ppp.restart = 2 * USEC_SEC;
    c->ppp.max_terminate = 1;
}

static void a_question_finds_a_dead_gateway_in_seconds(void **state)
{
    (void)state;
    struct scene *s = connected(17, true, quick_to_ask);
    s->w->weather.loss_percent = 100;
    stack_probe(s->c->stack, s->w->now, s->c->peer);
    const usec_t asked = s->w->now;
    assert_true(world_run(s->w, 30 * USEC_SEC, client_is_down, s->c));
    assert_int_equal(s->c->cause, CAUSE_PEER_SILENT);
    assert_in_range(s->w->now - asked, 5 * USEC_SEC, 9 * USEC_SEC);
    leave(s);
}

static void a_packet_that_comes_late_from_the_old_port_moves_nobody_back(void **state)
{
    (void)state;
    struct scene *s = connected(14, true, NULL);
    const usec_t delay = s->w->weather.delay;
    s->w->weather.delay = 3 * USEC_SEC;
    client_send(s->c, 1); /* --> a packet that takes its time */
    world_run(s->w, 10 * USEC_MSEC, NULL, NULL);
    s->w->weather.delay = delay;
    napt_forget(&s->router);
    client_send(s->c, 2); /* --> from the new port */
    world_run(s->w, USEC_SEC, NULL, NULL);
    const uint64_t before = s->w->gateway_received;
    world_run(s->w, 4 * USEC_SEC, NULL, NULL);
    assert_int_equal(s->w->gateway_received, before + 1); /* --> the late one is taken */
    const uint64_t received = s->c->received;
    gateway_send(s->w, s->c, 3); /* <-- to the new port all the same */
    world_run(s->w, USEC_SEC, NULL, NULL);
    assert_int_equal(s->c->received, received + 1);
    leave(s);
}

static void a_client_that_vanishes_is_noticed_and_its_address_comes_back(void **state)
{
    (void)state;
    struct scene *s = connected(14, true, NULL);
    s->w->weather.loss_percent = 100;
    world_run(s->w, 400 * USEC_SEC, NULL, NULL);
    assert_int_equal(s->w->downs, 1);
    assert_int_equal(stack_counters(s->w->gateway).sessions, 0);
    leave(s);
}

/* Only L2TP's Hello asks whether the other side is still there, and no key is renewed meanwhile. */
static void only_hellos(struct stack_config *c)
{
    c->ike.child_lifetime = c->ike.ike_lifetime = 8 * 3600;
    c->ike.dpd_interval = c->ppp.echo_interval = 0;
    c->l2tp.hello_interval = 60 * USEC_SEC;
}

enum { FROM_CLIENT = 1, FROM_GATEWAY = 2 };

/* A packet every 5 s for ten minutes from those of FROM_*; returns how many datagrams flew beside them. */
static uint64_t asked_beside(struct scene *s, unsigned who)
{
    const uint64_t before = s->w->flown;
    uint64_t data = 0;
    for (uint32_t i = 0; i < 120; i++) {
        if (who & FROM_CLIENT) {
            client_send(s->c, i);
            data++;
        }
        if (who & FROM_GATEWAY) {
            gateway_send(s->w, s->c, i);
            data++;
        }
        world_run(s->w, 5 * USEC_SEC, NULL, NULL);
    }
    return s->w->flown - before - data;
}

static void a_busy_session_is_not_asked_for_life_and_an_idle_one_is(void **state)
{
    (void)state;
    struct scene *s = connected(31, false, only_hellos);
    assert_int_equal(asked_beside(s, FROM_CLIENT | FROM_GATEWAY), 0);
    assert_in_range(asked_beside(s, 0), 2 * 9, 4 * 10); /* Hello and its ZLB, by one side or both */
    /* Who only receives is asked by whom it hears nothing of, and does not ask. */
    assert_in_range(asked_beside(s, FROM_GATEWAY), 2 * 9, 2 * 10);
    assert_in_range(asked_beside(s, FROM_CLIENT), 2 * 9, 2 * 10);
    assert_int_equal(s->w->downs, 0);
    leave(s);
}

static void a_busy_client_that_vanishes_is_missed(void **state)
{
    (void)state;
    for (int sends = 0; sends < 2; sends++) {
        struct scene *s = connected(32, false, only_hellos);
        (void)asked_beside(s, FROM_CLIENT | FROM_GATEWAY);
        s->w->weather.loss_percent = 100;
        (void)asked_beside(s, sends ? FROM_GATEWAY : 0); /* what goes to it is no sign of its life */
        assert_int_equal(s->w->downs, 1);
        assert_int_equal(stack_counters(s->w->gateway).sessions, 0);
        assert_true(s->c->down);
        leave(s);
    }
}

static void a_goodbye_ends_everything_at_once(void **state)
{
    (void)state;
    struct scene *s = connected(15, true, NULL);
    stack_disconnect(s->c->stack, s->w->now, s->c->peer);
    world_run(s->w, 2 * USEC_SEC, NULL, NULL);
    assert_int_equal(s->w->downs, 1);
    assert_int_equal(stack_counters(s->w->gateway).sessions, 0);
    assert_int_equal(stack_counters(s->w->gateway).peers, 0);
    assert_int_equal(stack_counters(s->w->gateway).ike_sas, 0);
    leave(s);
}

static void a_kicked_session_goes_and_the_client_learns_it(void **state)
{
    (void)state;
    struct scene *s = connected(16, false, NULL);
    struct session_info info;
    uint32_t i = 0;
    assert_true(stack_session_next(s->w->gateway, &i, &info));
    assert_int_equal(stack_kick(s->w->gateway, s->w->now, info.session_key + 1, CAUSE_ADMIN), ERR_NOTFOUND);
    assert_int_equal(stack_kick(s->w->gateway, s->w->now, info.session_key, CAUSE_ADMIN), ERR_OK);
    assert_true(world_run(s->w, 10 * USEC_SEC, client_is_down, s->c));
    world_run(s->w, 10 * USEC_SEC, NULL, NULL);
    assert_int_equal(stack_counters(s->w->gateway).sessions, 0);
    assert_int_equal(stack_story(s->w->gateway, "alice", 0)->cause, CAUSE_ADMIN);
    leave(s);
}

static void a_client_that_connects_again_replaces_its_old_self(void **state)
{
    (void)state;
    struct scene *s = connected(17, true, NULL);
    /* the client crashed: a new stack, the same addresses and ports */
    stack_free(s->c->stack);
    const struct stack_config config = world_settings(s->w, false);
    s->c->stack = stack_new(&config, &s->w->random);
    client_connect(s->c, "alice", "secret");
    assert_true(world_run(s->w, 20 * USEC_SEC, client_is_up, s->c));
    assert_int_equal(talk(s, 5 * USEC_SEC), 0);
    world_run(s->w, 200 * USEC_SEC, NULL, NULL);
    assert_int_equal(stack_counters(s->w->gateway).sessions, 1);
    assert_int_equal(talk(s, 5 * USEC_SEC), 0);
    leave(s);
}

static void a_source_that_is_not_its_own_is_dropped(void **state)
{
    (void)state;
    struct scene *s = connected(18, false, NULL);
    s->c->network.local = ip4_addr(0x0a000001);
    client_send(s->c, 5);
    world_run(s->w, USEC_SEC, NULL, NULL);
    assert_int_equal(s->w->gateway_received, 0);
    assert_int_equal(stack_counters(s->w->gateway).drops[DROP_IP_SOURCE], 1);
    leave(s);
}

static void plain_l2tp_is_refused_by_name(void **state)
{
    (void)state;
    struct world *w = world_new(19);
    const struct stack_config gateway = world_settings(w, true);
    world_gateway(w, &gateway);
    uint8_t sccrq[128];
    const size_t n = unhex("c80200450000000000000000 8008000000000001 8008000000020100 800f00000007616e6f6e796d6f7573"
                           "800a000000030000000 3 8008000000090001 80080000000a0001",
                           sccrq, sizeof(sccrq));
    world_inject(w, "198.51.100.1", 1701, 1701, sccrq, n);
    assert_int_equal(stack_counters(w->gateway).drops[DROP_L2TP_PLAIN], 1);
    assert_int_equal(stack_counters(w->gateway).peers, 0);
    world_free(w);
}

static void strangers_change_nothing(void **state)
{
    (void)state;
    struct scene *s = connected(20, true, NULL);
    uint8_t bytes[400];
    uint8_t first[28] = {0};
    first[16] = 1; /* next payload: SA */
    first[17] = 0x10;
    first[18] = 2; /* main mode */
    first[27] = 28;
    for (int i = 0; i < 20000; i++) {
        random_fill(&s->w->random, bytes, sizeof(bytes));
        const uint32_t kind = random_below(&s->w->random, 4);
        if (kind == 0)
            memset(bytes, 0, 4);
        if (kind == 1)
            memcpy(bytes + 8, first + 8, 20);
        char from[32];
        snprintf(from, sizeof(from), "198.18.%u.%u", (unsigned)random_below(&s->w->random, 256),
                 (unsigned)random_below(&s->w->random, 256));
        world_inject(s->w, from, (uint16_t)random_below(&s->w->random, 65536), kind == 1 ? 500 : 4500, bytes,
                     1 + random_below(&s->w->random, sizeof(bytes) - 1));
    }
    assert_int_equal(talk(s, 5 * USEC_SEC), 0);
    assert_int_equal(stack_counters(s->w->gateway).peers, 1);
    assert_in_range(stack_counters(s->w->gateway).half_open, 0, 64);
    assert_non_null(stack_story(s->w->gateway, "alice", 0));
    leave(s);
}

static void a_new_key_counts_for_the_next_login_and_sessions_live_on(void **state)
{
    (void)state;
    struct scene *s = connected(21, true, NULL);
    assert_int_equal(secret_set(&s->w->psks[1].key, view_str("the next key")), ERR_OK);
    const struct stack_config config = world_settings(s->w, true);
    assert_int_equal(stack_reconfigure(s->w->gateway, &config), ERR_OK);
    assert_int_equal(talk(s, 5 * USEC_SEC), 0);
    const struct stack_config other = world_settings(s->w, false);
    struct sim_client *late = world_client(s->w, &other, "198.51.100.20", NULL);
    client_connect(late, "alice", "secret");
    assert_false(world_run(s->w, 10 * USEC_SEC, client_is_up, late));
    assert_int_equal(secret_set(&s->w->client_psk.key, view_str("the next key")), ERR_OK);
    struct sim_client *later = world_client(s->w, &other, "198.51.100.21", NULL);
    client_connect(later, "alice", "secret");
    assert_true(world_run(s->w, 10 * USEC_SEC, client_is_up, later));
    leave(s);
}

static void an_attempt_that_fails_leaves_nothing_and_the_next_one_succeeds(void **state)
{
    (void)state;
    struct world *w = world_new(22);
    const struct stack_config gateway = world_settings(w, true), config = world_settings(w, false);
    world_gateway(w, &gateway);
    struct sim_client *c = world_client(w, &config, "198.51.100.30", NULL);
    for (int i = 0; i < 3; i++) {
        /* --> MM1, six times, into the void */
        w->weather.loss_percent = 100;
        client_connect(c, "alice", "secret");
        assert_true(world_run(w, 60 * USEC_SEC, client_is_down, c));
        assert_int_equal(stack_counters(c->stack).peers, 0);
        assert_int_equal(stack_counters(c->stack).ike_sas, 0);
        /* and now all the way: IKE gives its number again, to a peer of its own */
        w->weather.loss_percent = 0;
        client_connect(c, "alice", "secret");
        assert_true(world_run(w, 20 * USEC_SEC, client_is_up, c));
        assert_int_equal(stack_counters(c->stack).peers, 1);
        stack_disconnect(c->stack, w->now, c->peer);
        world_run(w, 2 * USEC_SEC, NULL, NULL);
        assert_int_equal(stack_counters(c->stack).peers, 0);
        assert_int_equal(stack_counters(w->gateway).peers, 0);
    }
    world_free(w);
}

static void a_client_with_a_wrong_key_may_try_again_with_the_right_one(void **state)
{
    (void)state;
    struct world *w = world_new(23);
    const struct stack_config gateway = world_settings(w, true), config = world_settings(w, false);
    world_gateway(w, &gateway);
    struct sim_client *c = world_client(w, &config, "198.51.100.30", NULL);
    assert_int_equal(secret_set(&w->client_psk.key, view_str("mistyped")), ERR_OK);
    client_connect(c, "alice", "secret");
    assert_true(world_run(w, 60 * USEC_SEC, client_is_down, c));
    assert_int_equal(c->cause, CAUSE_IKE_WRONG_PSK);
    assert_int_equal(stack_counters(c->stack).peers, 0);
    assert_int_equal(stack_counters(w->gateway).peers, 0);
    assert_int_equal(secret_set(&w->client_psk.key, view_str("a strong key")), ERR_OK);
    client_connect(c, "alice", "secret");
    assert_true(world_run(w, 20 * USEC_SEC, client_is_up, c));
    world_free(w);
}

/* IKE's numbers of peers are used again at once; nothing of their former bearers may cling to them. */
static void who_gets_the_number_of_another_gets_nothing_else(void **state)
{
    (void)state;
    struct scene *s = connected(24, true, NULL);
    struct world *w = s->w;
    const struct stack_config config = world_settings(w, false);
    struct sim_client *other = world_client(w, &config, "198.51.100.31", NULL);
    stack_disconnect(s->c->stack, w->now, s->c->peer);
    world_run(w, 2 * USEC_SEC, NULL, NULL);
    client_connect(other, "alice2", "secret");
    assert_true(world_run(w, 20 * USEC_SEC, client_is_up, other));
    client_connect(s->c, "alice", "secret");
    assert_true(world_run(w, 20 * USEC_SEC, client_is_up, s->c));
    assert_int_equal(stack_counters(w->gateway).peers, 2);
    assert_int_equal(stack_counters(w->gateway).sessions, 2);
    assert_int_equal(talk(s, 5 * USEC_SEC), 0);
    /* one vanishes: the other does not notice */
    stack_free(other->stack);
    other->stack = stack_new(&config, &w->random);
    assert_int_equal(talk(s, 300 * USEC_SEC), 0);
    assert_int_equal(stack_counters(w->gateway).sessions, 1);
    assert_int_equal(stack_counters(w->gateway).peers, 1);
    assert_int_equal(talk(s, 5 * USEC_SEC), 0);
    leave(s);
}

/* The pair ends while a main mode is under way that would have replaced it: the peer is still the same. */
static void a_pair_that_ends_during_a_main_mode_does_not_end_its_peer(void **state)
{
    (void)state;
    struct scene *s = connected(25, false, no_ike_sa_after_a_minute);
    struct world *w = s->w;
    world_run(w, 100 * USEC_SEC, NULL, NULL);
    assert_int_equal(stack_counters(s->c->stack).ike_sas, 0);
    w->weather.loss_percent = 100;
    world_run(w, 22 * USEC_SEC, NULL, NULL); /* the pair's 120 s are over */
    assert_int_equal(stack_counters(s->c->stack).ike_sas, 1);
    w->weather.loss_percent = 0;
    world_run(w, 20 * USEC_SEC, NULL, NULL);
    assert_int_equal(stack_counters(s->c->stack).peers, 1);
    assert_int_equal(stack_counters(w->gateway).peers, 1);
    assert_int_equal(talk(s, 5 * USEC_SEC), 0);
    assert_int_equal(w->downs, 0);
    leave(s);
}

/* Ten minutes of rain: loss, repetition, reordering, and a NAT that forgets now and then, while both phases are
 * rekeyed. */
static void seeds_of_life_in_bad_weather(void **state)
{
    (void)state;
    const char *given = getenv("SEKISHO_SIM_SEEDS");
    const unsigned long seeds = given ? strtoul(given, NULL, 10) / 10 : 40;
    for (unsigned long seed = 1; seed <= seeds; seed++) {
        struct scene *s = connected(1000 + seed, true, short_lives);
        s->w->weather =
            (struct weather){.loss_percent = 5, .repeat_percent = 5, .delay = 20 * USEC_MSEC, .jitter = 40 * USEC_MSEC};
        for (int minute = 0; minute < 10; minute++) {
            talk(s, 60 * USEC_SEC);
            if (random_below(&s->w->random, 2) == 0)
                napt_forget(&s->router);
        }
        s->w->weather = (struct weather){.delay = 10 * USEC_MSEC};
        talk(s, 5 * USEC_SEC);
        const uint64_t lost = talk(s, 5 * USEC_SEC);
        if (s->w->downs > 0 || !s->c->up || lost > 0)
            fail_msg("seed %lu: %u sessions ended, %llu packets lost after the rain; the client says %s", seed,
                     s->w->downs, (unsigned long long)lost, cause_word(s->c->cause));
        leave(s);
    }
    print_message("          %lu seeds of ten minutes of rain\n", seeds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rekeying_of_both_phases_loses_no_packet),
        cmocka_unit_test(rekeying_by_volume_loses_no_packet),
        cmocka_unit_test(a_nat_that_forgets_is_followed_at_the_first_packet),
        cmocka_unit_test(a_client_that_roams_goes_on_from_its_new_address),
        cmocka_unit_test(esp_without_udp_cannot_roam),
        cmocka_unit_test(a_question_finds_a_dead_gateway_in_seconds),
        cmocka_unit_test(a_packet_that_comes_late_from_the_old_port_moves_nobody_back),
        cmocka_unit_test(a_client_that_vanishes_is_noticed_and_its_address_comes_back),
        cmocka_unit_test(a_rekeying_that_fails_is_tried_again_and_ends_nothing),
        cmocka_unit_test(a_busy_session_is_not_asked_for_life_and_an_idle_one_is),
        cmocka_unit_test(a_busy_client_that_vanishes_is_missed),
        cmocka_unit_test(a_goodbye_ends_everything_at_once),
        cmocka_unit_test(a_kicked_session_goes_and_the_client_learns_it),
        cmocka_unit_test(a_client_that_connects_again_replaces_its_old_self),
        cmocka_unit_test(seeds_of_life_in_bad_weather),
        cmocka_unit_test(a_source_that_is_not_its_own_is_dropped),
        cmocka_unit_test(plain_l2tp_is_refused_by_name),
        cmocka_unit_test(strangers_change_nothing),
        cmocka_unit_test(a_new_key_counts_for_the_next_login_and_sessions_live_on),
        cmocka_unit_test(an_attempt_that_fails_leaves_nothing_and_the_next_one_succeeds),
        cmocka_unit_test(a_client_with_a_wrong_key_may_try_again_with_the_right_one),
        cmocka_unit_test(who_gets_the_number_of_another_gets_nothing_else),
        cmocka_unit_test(a_pair_that_ends_during_a_main_mode_does_not_end_its_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
