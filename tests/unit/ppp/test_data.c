/* The data path: both forms of both header fields, and its gate before the network layer is up. */
#include "rig.h"

static struct rig rig;
static uint8_t room[128];

static int bring_up(void **state)
{
    (void)state;
    rig_init(&rig, 1);
    rig.client.config.acfc = false;
    rig_start(&rig);
    rig_run(&rig, 5 * USEC_SEC);
    return rig_is_up(&rig) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    rig_done(&rig);
    return 0;
}

static struct packet packet(const char *hex)
{
    struct packet p = {.data = room + 32, .headroom = 32, .tailroom = 32};
    p.len = (uint32_t)unhex(hex, room + 32, 64);
    return p;
}

static void every_form_of_the_header_is_taken(void **state)
{
    (void)state;
    static const char *const forms[] = {"ff03 0021 45aabb", "0021 45aabb", "ff03 21 45aabb", "21 45aabb"};
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct packet p = packet(forms[i]);
        assert_int_equal(ppp_data_open(rig.server.ppp, &p), DROP_NONE);
        assert_int_equal(p.protocol, PPP_IP);
        assert_int_equal(p.len, 3);
        assert_int_equal(p.data[0], 0x45);
    }
}

static void a_control_frame_keeps_its_protocol_as_two_bytes(void **state)
{
    (void)state;
    static const char *const forms[] = {"ff03 c021 09010008", "c021 09010008"};
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct packet p = packet(forms[i]);
        assert_int_equal(ppp_data_open(rig.server.ppp, &p), DROP_NONE);
        assert_int_equal(p.protocol, PPP_LCP);
        assert_int_equal(p.len, 6);
        assert_memory_equal(p.data, "\xc0\x21\x09", 3);
    }
    struct packet p = packet("2b 0102"); /* a short field grows */
    assert_int_equal(ppp_data_open(rig.server.ppp, &p), DROP_NONE);
    assert_int_equal(p.protocol, 0x2b);
    assert_memory_equal(p.data, "\x00\x2b\x01\x02", 4);
    p = packet("2b 0102");
    p.headroom = 0;
    assert_int_equal(ppp_data_open(rig.server.ppp, &p), DROP_PPP_SHORT);
}

static void too_few_bytes_are_named(void **state)
{
    (void)state;
    static const char *const cuts[] = {"", "ff03", "ff03 c0", "00", "c0"};
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        struct packet p = packet(cuts[i]);
        assert_int_equal(ppp_data_open(rig.server.ppp, &p), DROP_PPP_SHORT);
    }
}

static void ip_waits_for_its_network_layer(void **state)
{
    (void)state;
    struct side s;
    side_init(&s, true, 1);
    side_start(&s);
    struct packet p = packet("0021 45");
    assert_int_equal(ppp_data_open(s.ppp, &p), DROP_IP_NOT_UP);
    assert_int_equal(p.len, 3);
    p = packet("45");
    assert_false(ppp_data_seal(s.ppp, PPP_IP, &p));
    assert_int_equal(p.len, 1);
    p = packet("0057 60");
    assert_int_equal(ppp_data_open(rig.server.ppp, &p), DROP_IP_NOT_UP); /* IPv6 was not agreed */
    p = packet("60");
    assert_false(ppp_data_seal(rig.server.ppp, PPP_IPV6, &p));
    ppp_free(s.ppp);
}

static void the_header_is_as_short_as_was_agreed_and_no_shorter(void **state)
{
    (void)state;
    /* The client did not offer ACFC, the server did. */
    struct packet p = packet("45aabb");
    assert_true(ppp_data_seal(rig.server.ppp, PPP_IP, &p));
    assert_int_equal(p.len, 7);
    assert_memory_equal(p.data, "\xff\x03\x00\x21\x45", 5);
    struct rig both;
    rig_init(&both, 2);
    rig_start(&both);
    rig_run(&both, 5 * USEC_SEC);
    p = packet("45aabb");
    assert_true(ppp_data_seal(both.server.ppp, PPP_IP, &p));
    assert_int_equal(p.len, 5);
    assert_memory_equal(p.data, "\x00\x21\x45", 3); /* two bytes of protocol, though PFC was agreed */
    rig_done(&both);
}

static void without_head_room_the_packet_stays_as_it_is(void **state)
{
    (void)state;
    struct packet p = packet("45aabb");
    p.headroom = 3;
    assert_false(ppp_data_seal(rig.server.ppp, PPP_IP, &p));
    assert_int_equal(p.len, 3);
    assert_int_equal(p.headroom, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_the_header_is_taken),
        cmocka_unit_test(a_control_frame_keeps_its_protocol_as_two_bytes),
        cmocka_unit_test(too_few_bytes_are_named),
        cmocka_unit_test(ip_waits_for_its_network_layer),
        cmocka_unit_test(the_header_is_as_short_as_was_agreed_and_no_shorter),
        cmocka_unit_test(without_head_room_the_packet_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, bring_up, tear_down);
}
