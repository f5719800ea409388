/* A bad way between LAC and LNS: whatever it does, the session comes up once on both ends and goes down once. */
#include "tests/unit/l2tp/world.h"

#define SEEDS 300

static int fate_of_one; /* 1 lost, 2 repeated, 3 late */
static int index_of_one;

static int harm_one(struct pair *p, bool to_lns, struct view message)
{
    (void)p, (void)to_lns, (void)message;
    return index_of_one-- == 0 ? fate_of_one : 0;
}

static void assert_whole_life(struct pair *p)
{
    pair_run(p, p->now + 120 * USEC_SEC);
    for (int i = 0; i < 2; i++) {
        const struct host *h = i ? &p->lac : &p->lns;
        if (told_count(h, L2TP_EVENT_SESSION_UP) != 1 || told_count(h, L2TP_EVENT_TUNNEL_UP) != 1)
            fail_msg("%s: %zu sessions up, %zu tunnels (seed %llu)", i ? "LAC" : "LNS",
                     told_count(h, L2TP_EVENT_SESSION_UP), told_count(h, L2TP_EVENT_TUNNEL_UP),
                     (unsigned long long)p->seed);
        assert_int_equal(l2tp_session_count(h->l2tp), 1);
        assert_int_equal(l2tp_tunnel_count(h->l2tp), 1);
    }
    assert_int_equal(told(&p->lac, L2TP_EVENT_SESSION_UP)->session_id,
                     told(&p->lns, L2TP_EVENT_SESSION_UP)->peer_session_id);
    l2tp_session_close(p->lac.l2tp, p->now, told(&p->lac, L2TP_EVENT_SESSION_UP)->session, CAUSE_ADMIN);
    pair_run(p, p->now + 200 * USEC_SEC);
    for (int i = 0; i < 2; i++) {
        const struct host *h = i ? &p->lac : &p->lns;
        assert_int_equal(told_count(h, L2TP_EVENT_SESSION_DOWN), 1);
        assert_int_equal(told_count(h, L2TP_EVENT_TUNNEL_DOWN), 1);
        assert_int_equal(l2tp_session_count(h->l2tp), 0);
        assert_int_equal(l2tp_tunnel_count(h->l2tp), 0);
        assert_true(l2tp_deadline(h->l2tp) == USEC_NEVER); /* nothing lingers */
    }
}

static void any_one_message_lost_repeated_or_late_does_no_harm(void **state)
{
    (void)state;
    for (int fate = 1; fate <= 3; fate++)
        for (int i = 0; i < 14; i++) {
            const struct l2tp_config a = usual_config("lac"), b = usual_config("lns");
            struct pair p;
            pair_start(&p, &a, &b, (uint64_t)(fate * 100 + i));
            fate_of_one = fate;
            index_of_one = i;
            p.way = harm_one;
            assert_int_equal(l2tp_connect(p.lac.l2tp, p.now, CARRIER), ERR_OK);
            assert_whole_life(&p);
            pair_stop(&p);
        }
}

static int harm_at_random(struct pair *p, bool to_lns, struct view message)
{
    (void)to_lns, (void)message;
    const struct random r = {random_test_fill, &p->fate};
    const uint32_t draw = random_below(&r, 100);
    return draw < 20 ? 1 : draw < 30 ? 2 : draw < 40 ? 3 : 0;
}

static void a_way_that_loses_repeats_and_reorders_at_random_is_survived(void **state)
{
    (void)state;
    print_message("seeds 1 to %d\n", SEEDS);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct l2tp_config a = usual_config("lac"), b = usual_config("lns");
        a.retransmit_tries = b.retransmit_tries = 14; /* beyond bad luck: 0.36 to the 15th a message */
        a.sequencing = seed & 1;
        if (seed & 2) {
            (void)secret_set(&a.secret, view_str("s"));
            (void)secret_set(&b.secret, view_str("s"));
            a.hide_avps = b.hide_avps = seed & 4;
        }
        struct pair p;
        pair_start(&p, &a, &b, seed);
        p.way = harm_at_random;
        assert_int_equal(l2tp_connect(p.lac.l2tp, p.now, CARRIER), ERR_OK);
        assert_whole_life(&p);
        pair_stop(&p);
    }
}

static void four_sessions_survive_it_too(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct l2tp_config a = usual_config("lac"), b = usual_config("lns");
        a.retransmit_tries = b.retransmit_tries = 14;
        struct pair p;
        pair_start(&p, &a, &b, seed);
        p.way = harm_at_random;
        for (int i = 0; i < 4; i++)
            assert_int_equal(l2tp_connect(p.lac.l2tp, p.now, CARRIER), ERR_OK);
        pair_run(&p, p.now + 300 * USEC_SEC);
        /* One carrier, four tunnels at once: the newest stands, the others made way for it. */
        assert_int_equal(l2tp_session_count(p.lns.l2tp), l2tp_tunnel_count(p.lns.l2tp));
        assert_int_equal(l2tp_session_count(p.lac.l2tp), l2tp_session_count(p.lns.l2tp));
        assert_true(l2tp_session_count(p.lns.l2tp) >= 1);
        pair_stop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_one_message_lost_repeated_or_late_does_no_harm),
        cmocka_unit_test(a_way_that_loses_repeats_and_reorders_at_random_is_survived),
        cmocka_unit_test(four_sessions_survive_it_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
