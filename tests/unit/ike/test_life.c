/* What happens to peers over time: rekeying, new main modes, moving, dead peers, Deletes. */
#include "ike/ike_internal.h"
#include "world.h"

static struct world *connected(uint64_t seed, bool nat, usec_t dpd)
{
    struct world *w = world_new(seed);
    w->nat = nat;
    for (int i = 0; i < 2; i++) {
        w->side[i].config.dpd_interval = dpd;
        w->side[i].config.dpd_timeout = 4 * dpd;
    }
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    return w;
}

static void the_client_replaces_a_pair_before_it_ends(void **state)
{
    (void)state;
    struct world *w = connected(40, true, 0);
    world_run(w, 3500 * USEC_SEC);
    /* --> QM1 <-- QM2 --> QM3 at 85 to 90 % of an hour; the old pair lives on beside the new one */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_count(w, i, IKE_EVENT_CHILD_NEW), 2);
        assert_int_equal(world_count(w, i, IKE_EVENT_CHILD_USE), 2);
        assert_int_equal(world_count(w, i, IKE_EVENT_CHILD_DOWN), 0);
        assert_true(world_event(w, i, IKE_EVENT_CHILD_NEW, 1)->event.child.rekey);
        assert_false(world_event(w, i, IKE_EVENT_CHILD_NEW, 0)->event.child.rekey);
    }
    world_assert_pair(w, 1);
    const usec_t began = world_event(w, 0, IKE_EVENT_CHILD_NEW, 0)->at;
    const usec_t after = world_event(w, 0, IKE_EVENT_CHILD_NEW, 1)->at - began;
    assert_true(after > 3000 * USEC_SEC && after < 3300 * USEC_SEC);
    world_run(w, 150 * USEC_SEC);
    assert_int_equal(world_count(w, 0, IKE_EVENT_CHILD_DOWN), 1);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_DOWN), 1);
    /* --> Delete, once; what the gateway has sent before is heard for some seconds still */
    assert_true(world_event(w, 0, IKE_EVENT_CHILD_DOWN, 0)->at >=
                world_event(w, 1, IKE_EVENT_CHILD_DOWN, 0)->at + 4 * USEC_SEC);
    assert_int_equal(ike_stats(w->side[1].ike).children, 1);
    world_free(w);
}

static void the_gateway_replaces_a_pair_when_the_client_does_not(void **state)
{
    (void)state;
    struct world *w = world_new(41);
    w->nat = true;
    w->side[1].config.child_lifetime = 600; /* shorter than the client knows */
    world_begin(w);
    world_connect(w);
    world_run(w, 640 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_NEW), 2);
    world_assert_pair(w, 1);
    const struct ike_child *c = &world_event(w, 1, IKE_EVENT_CHILD_NEW, 1)->event.child;
    assert_true(c->encap);
    assert_int_equal(c->port_local, 1701);
    assert_int_equal(c->port_remote, 1701);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_USE), 2);
    world_free(w);
}

/* It asks for eight hours, and hears nothing of the ten minutes that we want. */
static struct world *with_a_client_that_asks_for_longer(uint64_t seed)
{
    struct world *w = world_new(seed);
    w->nat = true;
    w->side[0].config.child_lifetime = 28800;
    w->side[1].config.child_lifetime = 600;
    world_begin(w);
    world_connect(w);
    world_run(w, 500 * USEC_SEC);
    world_assert_connected(w);
    return w;
}

static void a_client_that_does_not_answer_our_quick_modes_keeps_its_pair(void **state)
{
    (void)state;
    struct world *w = with_a_client_that_asks_for_longer(70);
    /* --> QM1 that is lost, for twenty minutes */
    w->lose_all[1] = true;
    world_run(w, 1200 * USEC_SEC);
    assert_true(world_count(w, 1, IKE_EVENT_CHILD_FAILED) > 1);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_DOWN), 0);
    /* --> QM1 <-- QM2 --> QM3, once there is a way again; only then does the old pair go */
    w->lose_all[1] = false;
    world_run(w, 400 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_NEW), 2);
    world_assert_pair(w, 1);
    world_run(w, 60 * USEC_SEC);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_count(w, i, IKE_EVENT_CHILD_DOWN), 1);
        assert_int_equal(ike_stats(w->side[i].ike).children, 1);
    }
    world_free(w);
}

static void a_client_that_refuses_our_quick_modes_keeps_its_pair(void **state)
{
    (void)state;
    struct world *w = with_a_client_that_asks_for_longer(71);
    w->side[1].ike->config.esp_proposal = "3des-md5";
    /* --> QM1 <-- NO-PROPOSAL-CHOSEN, each time; the client knows its pair for eight hours */
    w->side[0].ike->config.policy = IKE_POLICY_MODERN;
    world_run(w, 7 * 3600 * USEC_SEC);
    const size_t refused = world_count(w, 1, IKE_EVENT_CHILD_FAILED);
    assert_true(refused > 10 && refused < 200);
    assert_int_equal(world_count(w, 0, IKE_EVENT_CHILD_DOWN) + world_count(w, 1, IKE_EVENT_CHILD_DOWN), 0);
    assert_int_equal(ike_stats(w->side[0].ike).children, 1);
    world_free(w);
}

static void a_client_that_asks_for_a_century_gets_a_day(void **state)
{
    (void)state;
    struct world *w = world_new(72);
    w->side[0].config.child_lifetime = UINT32_MAX;
    w->side[1].config.child_lifetime = 600;
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    w->lose_all[0] = true;
    world_run(w, (uint64_t)86400 * USEC_SEC);
    assert_int_equal(ike_stats(w->side[1].ike).children, 1);
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(ike_stats(w->side[1].ike).children, 0);
    world_free(w);
}

static void a_soft_limit_in_bytes_asks_for_a_new_pair_once(void **state)
{
    (void)state;
    struct world *w = connected(42, false, 0);
    const uint32_t spi = world_event(w, 1, IKE_EVENT_CHILD_NEW, 0)->event.child.spi_in;
    ike_child_rekey(w->side[1].ike, w->now, spi);
    ike_child_rekey(w->side[1].ike, w->now, spi);
    world_run(w, 2 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_NEW), 2);
    world_assert_pair(w, 1);
    /* and the hard limit ends the old one on both sides */
    ike_child_close(w->side[1].ike, w->now, spi);
    world_run(w, 2 * USEC_SEC);
    assert_int_equal(world_count(w, 0, IKE_EVENT_CHILD_DOWN), 1);
    assert_int_equal(world_event(w, 0, IKE_EVENT_CHILD_DOWN, 0)->event.child.spi_out, spi);
    assert_int_equal(world_event(w, 0, IKE_EVENT_CHILD_DOWN, 0)->event.cause, CAUSE_PEER_CLOSED);
    world_free(w);
}

static void both_may_rekey_at_once(void **state)
{
    (void)state;
    struct world *w = connected(43, false, 0);
    for (int i = 0; i < 2; i++)
        ike_child_rekey(w->side[i].ike, w->now, world_event(w, i, IKE_EVENT_CHILD_NEW, 0)->event.child.spi_in);
    world_run(w, 5 * USEC_SEC);
    assert_int_equal(ike_stats(w->side[0].ike).children, 3);
    assert_int_equal(ike_stats(w->side[1].ike).children, 3);
    assert_int_equal(world_count(w, 0, IKE_EVENT_FAILED) + world_count(w, 0, IKE_EVENT_CHILD_FAILED), 0);
    world_free(w);
}

/* The client ends the pair that the gateway got nth. */
static void client_closes(struct world *w, size_t nth)
{
    ike_child_close(w->side[0].ike, w->now, world_event(w, 1, IKE_EVENT_CHILD_NEW, nth)->event.child.spi_out);
    world_run(w, USEC_SEC);
}

/* <-- QM1 --> QM1, and of the two that come of it the client keeps the older */
static void a_pair_whose_successor_went_is_replaced_anew(void **state)
{
    (void)state;
    struct world *w = world_new(73);
    w->side[0].config.child_lifetime = 28800;
    w->side[1].config.child_lifetime = 600;
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    for (int i = 0; i < 2; i++)
        ike_child_rekey(w->side[i].ike, w->now, world_event(w, i, IKE_EVENT_CHILD_NEW, 0)->event.child.spi_in);
    world_run(w, 5 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_NEW), 3);
    client_closes(w, 2);
    client_closes(w, 0);
    assert_int_equal(ike_stats(w->side[1].ike).children, 1);
    /* the one that is left is ours to replace in its time */
    world_run(w, 600 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_NEW), 4);
    world_assert_pair(w, 3);
    /* --> Delete of that, and the one before, whose time is over, does the work until another comes */
    client_closes(w, 3);
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_NEW), 5);
    world_assert_pair(w, 4);
    world_free(w);
}

/* --> MM1 to MM6 before the hour is over; the server ends the new IKE SA and keeps the old one */
static void an_ike_sa_whose_successor_went_is_replaced_anew(void **state)
{
    (void)state;
    struct world *w = world_new(74);
    w->side[0].config.ike_lifetime = 3600;
    w->side[0].config.child_lifetime = w->side[1].config.child_lifetime = 28800;
    world_begin(w);
    world_connect(w);
    world_run(w, 3300 * USEC_SEC);
    assert_int_equal(world_count(w, 0, IKE_EVENT_UP), 2);
    struct ike *gateway = w->side[1].ike;
    struct peer *peer = peer_get(gateway, world_event(w, 1, IKE_EVENT_UP, 0)->event.peer);
    sa_send_delete(gateway, peer_sa(peer));
    sa_down(gateway, peer_sa(peer), CAUSE_NONE);
    world_pull(w);
    assert_false(peer_sa(peer)->replaced);
    world_run(w, 60 * USEC_SEC);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_count(w, i, IKE_EVENT_UP), 3);
        assert_int_equal(ike_stats(w->side[i].ike).children, 1);
    }
    world_free(w);
}

static void a_new_main_mode_of_the_same_client_is_the_same_peer(void **state)
{
    (void)state;
    struct world *w = world_new(44);
    w->nat = true;
    w->side[0].config.ike_lifetime = 3600;
    w->side[0].config.child_lifetime = w->side[1].config.child_lifetime = 28800;
    world_begin(w);
    world_connect(w);
    for (int minute = 0; minute < 58; minute++) {
        world_run(w, 60 * USEC_SEC);
        const struct ike_event *up = &world_event(w, 1, IKE_EVENT_UP, 0)->event;
        ike_peer_alive(w->side[1].ike, w->now, up->peer, &up->path); /* L2TP's Hello */
    }
    world_run(w, 20 * USEC_SEC);
    /* the client began anew at 85 to 90 %, from port 4500 */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_count(w, i, IKE_EVENT_UP), 2);
        assert_int_equal(world_event(w, i, IKE_EVENT_UP, 0)->event.peer,
                         world_event(w, i, IKE_EVENT_UP, 1)->event.peer);
        assert_true(world_event(w, i, IKE_EVENT_UP, 0)->event.attempt !=
                    world_event(w, i, IKE_EVENT_UP, 1)->event.attempt);
        assert_int_equal(world_count(w, i, IKE_EVENT_CHILD_DOWN), 0);
    }
    assert_false(world_event(w, 1, IKE_EVENT_UP, 1)->event.initial_contact);
    world_run(w, 200 * USEC_SEC);
    /* the old IKE SA is gone, the pair lives, and Deletes go by the new IKE SA */
    assert_int_equal(world_count(w, 1, IKE_EVENT_DOWN), 1);
    assert_int_equal(ike_stats(w->side[1].ike).children, 1);
    ike_child_close(w->side[1].ike, w->now, world_event(w, 1, IKE_EVENT_CHILD_NEW, 0)->event.child.spi_in);
    world_run(w, USEC_SEC);
    assert_int_equal(ike_stats(w->side[0].ike).children, 0);
    world_free(w);
}

static void a_client_that_crashed_and_came_back_is_the_same_peer_with_initial_contact(void **state)
{
    (void)state;
    struct world *w = connected(45, true, 0);
    world_restart_client(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    const struct ike_event *up = &world_event(w, 1, IKE_EVENT_UP, 1)->event;
    assert_true(up->initial_contact);
    assert_int_equal(up->peer, world_event(w, 1, IKE_EVENT_UP, 0)->event.peer);
    /* the older IKE SA is gone at once, the old pair is left to the caller */
    assert_int_equal(world_count(w, 1, IKE_EVENT_DOWN), 1);
    assert_int_equal(world_event(w, 1, IKE_EVENT_DOWN, 0)->event.cause, CAUSE_REPLACED);
    assert_int_equal(ike_stats(w->side[1].ike).children, 2);
    world_free(w);
}

static void a_port_that_was_silent_for_long_may_be_anothers(void **state)
{
    (void)state;
    struct world *w = connected(46, true, 0);
    world_run(w, 400 * USEC_SEC);
    /* --> MM1 to MM5 by somebody with the same inner address, behind the same outer port */
    world_restart_client(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_UP), 2);
    assert_true(world_event(w, 1, IKE_EVENT_UP, 0)->event.peer != world_event(w, 1, IKE_EVENT_UP, 1)->event.peer);
    assert_int_equal(world_count(w, 1, IKE_EVENT_DOWN), 0);
    assert_false(world_event(w, 1, IKE_EVENT_CHILD_NEW, 1)->event.child.rekey);
    world_free(w);
}

static void without_a_nat_another_port_is_the_same_client(void **state)
{
    (void)state;
    struct world *w = connected(58, false, 0);
    const uint32_t peer = world_event(w, 1, IKE_EVENT_UP, 0)->event.peer;
    world_restart_client(w);
    const struct ike_connect c = {
        .path = world_path(w, 0, IKE_NATT_PORT), .psk = &w->side[0].config.psks[0], .l2tp_port_local = 1701};
    uint32_t again;
    assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &again), ERR_OK);
    world_run(w, 2 * USEC_SEC);
    const struct ike_event *up = &world_event(w, 1, IKE_EVENT_UP, 1)->event;
    assert_int_equal(up->peer, peer);
    assert_int_equal(up->path.remote.port, IKE_NATT_PORT);
    struct ike_peer_info info;
    assert_true(ike_peer_info(w->side[1].ike, peer, &info));
    assert_int_equal(info.path.remote.port, IKE_NATT_PORT);
    world_free(w);
    /* where nobody looked for a NAT there may be one */
    w = world_new(69);
    w->side[1].config.encap = IKE_ENCAP_OFF;
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    world_restart_client(w);
    assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &again), ERR_OK);
    world_run(w, 2 * USEC_SEC);
    assert_true(world_event(w, 1, IKE_EVENT_UP, 0)->event.peer != world_event(w, 1, IKE_EVENT_UP, 1)->event.peer);
    world_free(w);
}

static void without_an_ike_sa_a_pair_lives_as_long_as_the_client_asked_for(void **state)
{
    (void)state;
    struct world *w = world_new(59);
    w->side[1].config.ike_lifetime = 300; /* the gateway ends both early, and tells only of the first */
    w->side[1].config.child_lifetime = 600;
    world_begin(w);
    world_connect(w);
    world_run(w, 2000 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_DOWN), 1);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_DOWN), 0);
    /* --> MM1 to QM3 when the client thinks that it is time; until then nothing was lost */
    world_run(w, 1300 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_UP), 2);
    assert_int_equal(world_event(w, 1, IKE_EVENT_UP, 1)->event.peer, world_event(w, 1, IKE_EVENT_UP, 0)->event.peer);
    assert_true(world_event(w, 1, IKE_EVENT_CHILD_USE, 1) != NULL);
    world_free(w);
}

static void an_ike_sa_without_pairs_ends_within_minutes(void **state)
{
    (void)state;
    struct world *w = connected(68, true, 0);
    /* a client that vanished: its pair ends by its lifetime, and the IKE SA does not stay for eight hours */
    w->lose_all[0] = true;
    world_run(w, 3700 * USEC_SEC);
    assert_int_equal(ike_stats(w->side[1].ike).children, 0);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 1);
    world_run(w, 600 * USEC_SEC);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 0);
    assert_int_equal(world_count(w, 1, IKE_EVENT_DOWN), 1);
    world_free(w);
}

static void two_clients_behind_one_nat_are_two_peers(void **state)
{
    (void)state;
    struct world *w = connected(47, true, 0);
    w->nat_base = 40000; /* the same inner address, another outer port */
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_UP), 2);
    assert_true(world_event(w, 1, IKE_EVENT_UP, 0)->event.peer != world_event(w, 1, IKE_EVENT_UP, 1)->event.peer);
    assert_int_equal(world_count(w, 1, IKE_EVENT_DOWN), 0);
    world_free(w);
}

static void a_nat_that_forgets_its_mapping_is_followed(void **state)
{
    (void)state;
    struct world *w = connected(48, true, 0);
    w->nat_base = 41000;
    ike_child_rekey(w->side[0].ike, w->now, world_event(w, 0, IKE_EVENT_CHILD_NEW, 0)->event.child.spi_in);
    world_run(w, 2 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_MOVED), 1);
    assert_int_equal(world_event(w, 1, IKE_EVENT_MOVED, 0)->event.path.remote.port, 45500);
    world_assert_pair(w, 1);
    /* ESP by yet another path moves it too; the caller knows that, so there is no event */
    struct path path = world_event(w, 1, IKE_EVENT_MOVED, 0)->event.path;
    path.remote.port = 47500;
    ike_peer_alive(w->side[1].ike, w->now, world_event(w, 1, IKE_EVENT_UP, 0)->event.peer, &path);
    struct ike_peer_info info;
    assert_true(ike_peer_info(w->side[1].ike, world_event(w, 1, IKE_EVENT_UP, 0)->event.peer, &info));
    assert_int_equal(info.path.remote.port, 47500);
    world_free(w);
}

static void a_forged_message_from_elsewhere_moves_nobody(void **state)
{
    (void)state;
    struct world *w = connected(49, true, 0);
    struct path path = world_event(w, 1, IKE_EVENT_UP, 0)->event.path;
    path.remote.addr = ip4_addr(0x01020304);
    struct ike_peer_info before, after;
    const uint32_t peer = world_event(w, 1, IKE_EVENT_UP, 0)->event.peer;
    assert_true(ike_peer_info(w->side[1].ike, peer, &before));
    /* every exchange type, with the right cookies and noise behind them */
    uint8_t noise[76];
    random_test_fill(&w->rng, noise, sizeof(noise));
    ike_child_rekey(w->side[0].ike, w->now, world_event(w, 0, IKE_EVENT_CHILD_NEW, 0)->event.child.spi_in);
    w->lose_all[0] = true;
    struct path out;
    struct writer wr = wr_init(noise, 28);
    uint8_t real[4096];
    struct writer rw = wr_init(real, sizeof(real));
    assert_true(ike_output(w->side[0].ike, &out, &rw));
    wr_bytes(&wr, real, 28);
    static const uint8_t exchanges[] = {2, 4, 5, 32, 33};
    for (size_t i = 0; i < ARRAY_LEN(exchanges); i++) {
        noise[18] = exchanges[i];
        be32_put(noise + 24, sizeof(noise));
        assert_int_not_equal(world_inject(w, 1, &path, VIEW(noise)), DROP_NONE);
        noise[19] = 0;
        assert_int_not_equal(world_inject(w, 1, &path, VIEW(noise)), DROP_NONE);
        noise[19] = 1;
    }
    assert_true(ike_peer_info(w->side[1].ike, peer, &after));
    assert_true(path_equal(&before.path, &after.path));
    assert_int_equal(ike_stats(w->side[1].ike).sas, 1);
    assert_int_equal(ike_stats(w->side[1].ike).children, 1);
    /* a true message played again from there is no better */
    assert_int_equal(world_inject(w, 1, &world_event(w, 1, IKE_EVENT_UP, 0)->event.path, wr_written(&rw)), DROP_NONE);
    assert_int_equal(world_inject(w, 1, &path, wr_written(&rw)), DROP_IKE_REPEATED);
    assert_true(ike_peer_info(w->side[1].ike, peer, &after));
    assert_true(path_equal(&before.path, &after.path));
    world_free(w);
}

/* What the client has to send now, without sending it. */
static struct view capture(struct world *w, uint8_t *buffer, size_t cap)
{
    struct path path;
    struct writer out = wr_init(buffer, cap);
    ike_timeout(w->side[0].ike, w->now);
    assert_true(ike_output(w->side[0].ike, &path, &out));
    return wr_written(&out);
}

static void a_recorded_message_proves_nothing_however_late_it_is_played(void **state)
{
    (void)state;
    struct world *w = world_new(55);
    w->nat = true;
    w->side[0].config.dpd_interval = 30 * USEC_SEC; /* the client asks, the gateway does not */
    w->side[0].config.dpd_timeout = 120 * USEC_SEC;
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    struct ike *gateway = w->side[1].ike;
    const struct path at_home = world_event(w, 1, IKE_EVENT_UP, 0)->event.path;
    const uint32_t peer = world_event(w, 1, IKE_EVENT_UP, 0)->event.peer;
    struct path elsewhere = at_home;
    elsewhere.remote.addr = ip4_addr(0x01020304);
    uint8_t question[512], offer[1024];
    w->side[0].keepalives = 0;
    /* --> R-U-THERE and QM1, and the thief listens */
    w->now += 40 * USEC_SEC;
    struct view asked = capture(w, question, sizeof(question));
    while (asked.n == 0) /* a keepalive */
        asked = capture(w, question, sizeof(question));
    assert_int_equal(world_inject(w, 1, &at_home, asked), DROP_NONE);
    world_run(w, 2 * USEC_SEC);
    ike_child_rekey(w->side[0].ike, w->now, world_event(w, 0, IKE_EVENT_CHILD_NEW, 0)->event.child.spi_in);
    const struct view offered = capture(w, offer, sizeof(offer));
    assert_int_equal(world_inject(w, 1, &at_home, offered), DROP_NONE);
    world_run(w, 2 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_USE), 2);
    /* forty of each later both ids are forgotten */
    for (int i = 0; i < 40; i++) {
        const struct world_event *last = world_event(w, 0, IKE_EVENT_CHILD_NEW, 1 + (size_t)i);
        ike_child_rekey(w->side[0].ike, w->now, last->event.child.spi_in);
        world_run(w, 35 * USEC_SEC);
        w->side[1].event_count = 0;
    }
    const uint32_t children = ike_stats(gateway).children;
    struct ike_peer_info info;
    assert_int_equal(world_inject(w, 1, &elsewhere, asked), DROP_IKE_DPD);
    for (int i = 0; i < 10; i++)
        (void)world_inject(w, 1, &elsewhere, offered);
    assert_true(ike_peer_info(gateway, peer, &info));
    assert_true(path_equal(&info.path, &at_home));
    assert_int_equal(world_count(w, 1, IKE_EVENT_MOVED), 0);
    w->lose_all[0] = true;
    world_run(w, 60 * USEC_SEC);
    assert_true(ike_stats(gateway).children <= children);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_USE), 0);
    world_free(w);
}

static void our_own_question_sent_back_to_us_is_none_of_the_peers(void **state)
{
    (void)state;
    struct world *w = world_new(57);
    w->side[0].config.dpd_interval = 30 * USEC_SEC;
    w->side[0].config.dpd_timeout = 120 * USEC_SEC;
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    uint8_t question[512];
    w->now += 40 * USEC_SEC;
    const struct view asked = capture(w, question, sizeof(question));
    const struct path path = world_event(w, 0, IKE_EVENT_UP, 0)->event.path;
    assert_int_not_equal(world_inject(w, 0, &path, asked), DROP_NONE);
    for (int i = 0; i < 80; i++)
        world_run(w, 35 * USEC_SEC);
    assert_int_equal(world_inject(w, 0, &path, asked), DROP_IKE_DPD);
    world_free(w);
}

static void a_silent_peer_is_asked_and_declared_dead(void **state)
{
    (void)state;
    struct world *w = connected(50, true, 30 * USEC_SEC);
    const uint32_t peer = world_event(w, 1, IKE_EVENT_UP, 0)->event.peer;
    /* --> R-U-THERE <-- R-U-THERE-ACK: both ask, both answer, nobody dies */
    world_run(w, 600 * USEC_SEC);
    assert_int_equal(world_count(w, 0, IKE_EVENT_DEAD), 0);
    assert_int_equal(world_count(w, 1, IKE_EVENT_DEAD), 0);
    assert_int_equal(world_verdicts(w, 0, DROP_IKE_DPD) + world_verdicts(w, 1, DROP_IKE_DPD), 0);
    w->lose_all[0] = true;
    world_run(w, 160 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_DEAD), 1);
    const struct world_event *dead = world_event(w, 1, IKE_EVENT_DEAD, 0);
    assert_int_equal(dead->event.peer, peer);
    assert_int_equal(dead->event.cause, CAUSE_PEER_SILENT);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_DOWN), 1);
    assert_int_equal(world_count(w, 1, IKE_EVENT_DOWN), 1);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 0);
    world_free(w);
}

static void traffic_spares_the_questions(void **state)
{
    (void)state;
    struct world *w = connected(51, false, 30 * USEC_SEC);
    const int sent = w->side[1].sent;
    for (int i = 0; i < 30; i++) {
        for (int side = 0; side < 2; side++) {
            const struct ike_event *up = &world_event(w, side, IKE_EVENT_UP, 0)->event;
            ike_peer_alive(w->side[side].ike, w->now, up->peer, &up->path);
        }
        world_run(w, 20 * USEC_SEC);
    }
    assert_int_equal(w->side[1].sent, sent);
    world_free(w);
}

/* At whatever moment it dies, and though one question is lost as well. */
static void an_impatient_client_misses_a_dead_server_within_20_seconds(void **state)
{
    (void)state;
    for (usec_t late = 0; late < 12 * USEC_SEC; late += 700 * USEC_MSEC) {
        struct world *w = world_new(90 + late / USEC_MSEC);
        w->nat = true;
        w->side[0].config.dpd_interval = 5 * USEC_SEC;
        w->side[0].config.dpd_timeout = 15 * USEC_SEC;
        world_begin(w);
        world_connect(w);
        world_run(w, 20 * USEC_SEC + late);
        w->lose_all[0] = w->lose_all[1] = true;
        const usec_t death = w->now;
        world_run(w, 60 * USEC_SEC);
        const struct world_event *dead = world_event(w, 0, IKE_EVENT_DEAD, 0);
        assert_non_null(dead);
        assert_true(dead->at - death < 20 * USEC_SEC);
        world_free(w);
    }
}

static void a_peer_without_dpd_is_never_asked(void **state)
{
    (void)state;
    struct world *w = world_new(52);
    w->side[1].config.dpd_interval = 0;
    world_begin(w);
    world_connect(w);
    world_run(w, 300 * USEC_SEC);
    assert_int_equal(w->side[1].sent, 4);
    world_free(w);
}

static void a_deleted_ike_sa_leaves_its_pairs(void **state)
{
    (void)state;
    struct world *w = world_new(53);
    w->side[1].config.ike_lifetime = 600; /* the gateway ends it early */
    world_begin(w);
    world_connect(w);
    world_run(w, 640 * USEC_SEC);
    /* <-- D(ISAKMP) */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_count(w, i, IKE_EVENT_DOWN), 1);
        assert_int_equal(world_count(w, i, IKE_EVENT_CHILD_DOWN), 0);
        assert_int_equal(ike_stats(w->side[i].ike).sas, 0);
        assert_int_equal(ike_stats(w->side[i].ike).children, 1);
    }
    assert_int_equal(world_event(w, 1, IKE_EVENT_DOWN, 0)->event.cause, CAUSE_IKE_EXPIRED);
    /* When the pair must be replaced the client makes a new main mode first, and stays the same peer. */
    world_run(w, 2900 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_UP), 2);
    assert_int_equal(world_event(w, 1, IKE_EVENT_UP, 1)->event.peer, world_event(w, 1, IKE_EVENT_UP, 0)->event.peer);
    world_assert_pair(w, 1);
    world_free(w);
}

static void an_hour_long_day_leaks_nothing(void **state)
{
    (void)state;
    struct world *w = world_new(54);
    for (int i = 0; i < 2; i++) {
        w->side[i].config.ike_lifetime = 3600;
        w->side[i].config.child_lifetime = 1200;
        w->side[i].config.dpd_interval = 60 * USEC_SEC;
        w->side[i].config.dpd_timeout = 240 * USEC_SEC;
    }
    w->nat = true;
    w->repeat = true;
    world_begin(w);
    world_connect(w);
    for (int hour = 0; hour < 4; hour++) {
        world_run(w, 3600 * USEC_SEC);
        for (int i = 0; i < 2; i++) {
            assert_true(ike_stats(w->side[i].ike).sas <= 2);
            assert_true(ike_stats(w->side[i].ike).children >= 1);
            assert_true(ike_stats(w->side[i].ike).children <= 3);
            assert_int_equal(world_count(w, i, IKE_EVENT_FAILED), 0);
            assert_int_equal(world_count(w, i, IKE_EVENT_DEAD), 0);
        }
    }
    world_free(w);
}

/* A client: it has no keys but the one that it connects with. */
static struct world *connected_client(uint64_t seed, uint32_t *peer)
{
    struct world *w = world_new(seed);
    w->side[0].config.psk_count = 0; /* psks[0] is what world_connect() gives to ike_connect() */
    world_begin(w);
    *peer = world_connect(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    return w;
}

static void a_server_may_begin_main_mode_anew_at_its_client(void **state)
{
    (void)state;
    uint32_t peer, back;
    struct world *w = connected_client(63, &peer);
    const struct ike_connect connect = {.path = world_path(w, 1, IKE_PORT), .psk = &world_psk[0]};
    assert_int_equal(ike_connect(w->side[1].ike, w->now, &connect, &back), ERR_OK); /* <-- MM1 ... <-- QM3 */
    world_run(w, 2 * USEC_SEC);
    assert_int_equal(world_count(w, 0, IKE_EVENT_UP), 2);
    assert_int_equal(world_event(w, 0, IKE_EVENT_UP, 1)->event.peer, peer);
    assert_int_equal(world_count(w, 0, IKE_EVENT_CHILD_NEW), 2);
    world_assert_pair(w, 1);
    assert_int_equal(world_count(w, 0, IKE_EVENT_FAILED) + world_count(w, 1, IKE_EVENT_FAILED), 0);
    world_free(w);
}

/* <-- MM1, aggressive mode and IKEv2, from an address that it never asked for anything */
static void a_client_answers_no_stranger_and_tells_nothing_of_it(void **state)
{
    (void)state;
    static const char *const openings[] = {
        /* header, SA with one transform: AES-256, SHA-256, MODP-2048, a pre-shared key */
        "0102030405060708 0000000000000000 01 10 02 00 00000000 00000054"
        "00000038 00000001 00000001 0000002c 01 01 00 01 00000024 01 01 0000"
        "80010007 800e0100 80020004 8004000e 80030001 800b0001 800c7080",
        "0102030405060708 0000000000000000 01 10 04 00 00000000 0000001c",
        "0102030405060708 0000000000000000 21 20 22 08 00000000 0000001c",
    };
    uint32_t peer;
    struct world *w = connected_client(64, &peer);
    struct path path = world_path(w, 0, IKE_PORT);
    path.remote.addr = ip4_addr(0xcb007163);
    const int sent = w->side[0].sent;
    const size_t events = w->side[0].event_count;
    for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
        uint8_t bytes[128];
        const size_t n = unhex(openings[i], bytes, sizeof(bytes));
        assert_int_not_equal(world_inject(w, 0, &path, view_of(bytes, n)), DROP_NONE);
    }
    world_run(w, USEC_SEC);
    assert_int_equal(w->side[0].sent, sent);
    assert_int_equal(w->side[0].event_count, events);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_replaces_a_pair_before_it_ends),
        cmocka_unit_test(the_gateway_replaces_a_pair_when_the_client_does_not),
        cmocka_unit_test(a_client_that_does_not_answer_our_quick_modes_keeps_its_pair),
        cmocka_unit_test(a_client_that_refuses_our_quick_modes_keeps_its_pair),
        cmocka_unit_test(a_client_that_asks_for_a_century_gets_a_day),
        cmocka_unit_test(a_soft_limit_in_bytes_asks_for_a_new_pair_once),
        cmocka_unit_test(both_may_rekey_at_once),
        cmocka_unit_test(a_pair_whose_successor_went_is_replaced_anew),
        cmocka_unit_test(an_ike_sa_whose_successor_went_is_replaced_anew),
        cmocka_unit_test(a_new_main_mode_of_the_same_client_is_the_same_peer),
        cmocka_unit_test(a_client_that_crashed_and_came_back_is_the_same_peer_with_initial_contact),
        cmocka_unit_test(a_port_that_was_silent_for_long_may_be_anothers),
        cmocka_unit_test(without_a_nat_another_port_is_the_same_client),
        cmocka_unit_test(without_an_ike_sa_a_pair_lives_as_long_as_the_client_asked_for),
        cmocka_unit_test(an_ike_sa_without_pairs_ends_within_minutes),
        cmocka_unit_test(two_clients_behind_one_nat_are_two_peers),
        cmocka_unit_test(a_nat_that_forgets_its_mapping_is_followed),
        cmocka_unit_test(a_forged_message_from_elsewhere_moves_nobody),
        cmocka_unit_test(a_recorded_message_proves_nothing_however_late_it_is_played),
        cmocka_unit_test(our_own_question_sent_back_to_us_is_none_of_the_peers),
        cmocka_unit_test(a_silent_peer_is_asked_and_declared_dead),
        cmocka_unit_test(traffic_spares_the_questions),
        cmocka_unit_test(an_impatient_client_misses_a_dead_server_within_20_seconds),
        cmocka_unit_test(a_peer_without_dpd_is_never_asked),
        cmocka_unit_test(a_deleted_ike_sa_leaves_its_pairs),
        cmocka_unit_test(an_hour_long_day_leaks_nothing),
        cmocka_unit_test(a_server_may_begin_main_mode_anew_at_its_client),
        cmocka_unit_test(a_client_answers_no_stranger_and_tells_nothing_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
