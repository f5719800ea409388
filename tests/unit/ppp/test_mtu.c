/* The search for the largest packet that passes whole, on wires that let pass what the test says. */
#include "rig.h"

static void up(struct rig *r, uint64_t seed)
{
    rig_init(r, seed);
    r->client.config.max_configure = r->server.config.max_configure = 20;
    rig_start(r);
    rig_run(r, 30 * USEC_SEC);
    assert_true(rig_is_up(r));
}

static void search(struct rig *r, uint16_t most)
{
    ppp_probe(r->client.ppp, r->now, 576, most);
    rig_run(r, r->now + 60 * USEC_SEC);
    assert_int_equal(r->client.probed, 1);
}

static void an_open_wire_takes_two_echoes(void **state)
{
    (void)state;
    struct rig r;
    up(&r, 1);
    const uint64_t before = r.sent;
    search(&r, 1400);
    assert_int_equal(r.client.mtu, 1400);
    assert_int_equal(r.sent - before, 4);
    assert_int_equal(ppp_mtu(r.client.ppp), 1400);
    assert_int_equal(ppp_deadline(r.client.ppp), USEC_NEVER);
    rig_done(&r);
}

/* A frame is four bytes longer than the packet it stands for. */
static void every_size_of_the_path_is_found(void **state)
{
    (void)state;
    for (uint16_t path = 576; path <= 1400; path += 7)
        for (int back = 0; back < 2; back++) {
            struct rig r;
            up(&r, path);
            *(back ? &r.pass_to_client : &r.pass_to_server) = path + 4u;
            search(&r, 1400);
            assert_in_range(r.client.mtu, path > 583 ? path - 8 : 576, path);
            assert_int_equal(ppp_mtu(r.client.ppp), r.client.mtu);
            rig_done(&r);
        }
}

static void a_lost_packet_is_not_taken_for_too_big(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 30; nth++) {
        struct rig r;
        up(&r, 100 + nth);
        r.pass_to_server = 1204;
        r.lose_at = r.sent + nth;
        search(&r, 1400);
        assert_in_range(r.client.mtu, 1192, 1200);
        rig_done(&r);
    }
    int right = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct rig r;
        up(&r, 200 + seed);
        r.loss_percent = 5;
        search(&r, 1400);
        right += r.client.mtu == 1400;
        rig_done(&r);
    }
    print_message("%d of 50 at 5%% loss\n", right);
    assert_true(right >= 48);
}

static void a_peer_that_does_not_answer_ends_it(void **state)
{
    (void)state;
    struct rig r;
    up(&r, 2);
    r.pass_to_client = 100;
    search(&r, 1400);
    assert_int_equal(r.client.mtu, 0);
    assert_int_equal(ppp_mtu(r.client.ppp), 1400);
    rig_done(&r);
}

/* The Echo-Reply of a peer that leaves the data away. */
static void a_peer_that_cuts_the_data_ends_it(void **state)
{
    (void)state;
    struct rig r;
    uint8_t frame[PPP_FRAME_MAX], reply[32];
    up(&r, 3);
    ppp_probe(r.client.ppp, r.now, 576, 1400);
    assert_true(ppp_output_whole(r.client.ppp));
    assert_int_equal(expect_start(&r.client, "ff03c021 09", frame), 4 + 576); /* --> Echo-Request */
    memcpy(reply, frame, 20);
    reply[4] = 10; /* <-- Echo-Reply, with the nonce alone */
    be16_put(reply + 6, 16);
    be32_put(reply + 8, 0x11223344);
    side_take(&r.client, view_of(reply, 20));
    assert_int_equal(r.client.probed, 1);
    assert_int_equal(r.client.mtu, 0);
    rig_done(&r);
}

static void an_answer_that_was_not_asked_for_says_nothing(void **state)
{
    (void)state;
    struct rig r;
    uint8_t frame[PPP_FRAME_MAX];
    up(&r, 4);
    ppp_probe(r.client.ppp, r.now, 576, 1400);
    size_t n = expect_start(&r.client, "ff03c021 09", frame);
    frame[4] = 10;
    be32_put(frame + 8, 0x11223344);
    frame[12] ^= 1; /* another nonce */
    side_take(&r.client, view_of(frame, n));
    expect_silence(&r.client);
    frame[12] ^= 1;
    side_take(&r.client, view_of(frame, n));
    assert_int_equal(expect_start(&r.client, "ff03c021 09", frame), 4 + 1400);
    rig_done(&r);
}

static void it_ends_with_the_link(void **state)
{
    (void)state;
    struct rig r;
    up(&r, 5);
    ppp_probe(r.client.ppp, r.now, 576, 1400);
    ppp_close(r.client.ppp, r.now, CAUSE_ADMIN);
    rig_run(&r, r.now + 60 * USEC_SEC);
    assert_int_equal(r.client.downs, 1);
    assert_int_equal(r.client.probed, 0);
    assert_int_equal(ppp_deadline(r.client.ppp), USEC_NEVER);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_wire_takes_two_echoes),
        cmocka_unit_test(every_size_of_the_path_is_found),
        cmocka_unit_test(a_lost_packet_is_not_taken_for_too_big),
        cmocka_unit_test(a_peer_that_does_not_answer_ends_it),
        cmocka_unit_test(a_peer_that_cuts_the_data_ends_it),
        cmocka_unit_test(an_answer_that_was_not_asked_for_says_nothing),
        cmocka_unit_test(it_ends_with_the_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
