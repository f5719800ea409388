/* Peers: their slots and names, and senders outside IPsec, where they are served. */
#include "rig.h"

static struct path path_from(uint32_t address, uint16_t port)
{
    return (struct path){{ip4_addr(0xc0000201), L2TP_PORT}, {ip4_addr(address), port}};
}

/* --> SCCRQ with this tunnel id, from a plain sender */
static void ask_for_tunnel(struct stack *s, const struct path *path, uint16_t tunnel)
{
    uint8_t room[128];
    struct writer w = wr_init(room, sizeof(room));
    static const uint8_t avps[] = {
        0x80, 8,  0, 0, 0, 0, 0,   1,             /* SCCRQ */
        0x80, 8,  0, 0, 0, 2, 1,   0,             /* protocol version */
        0x80, 10, 0, 0, 0, 3, 0,   0,   0,   3,   /* framing */
        0x80, 10, 0, 0, 0, 7, 'h', 'o', 's', 't', /* host name */
    };
    const uint8_t id[] = {0x80, 8, 0, 0, 0, 9, (uint8_t)(tunnel >> 8), (uint8_t)tunnel};
    wr_u16(&w, 0xc802);
    wr_u16(&w, (uint16_t)(12 + sizeof(avps) + sizeof(id)));
    for (int i = 0; i < 4; i++)
        wr_u16(&w, 0);
    wr_bytes(&w, avps, sizeof(avps));
    wr_bytes(&w, id, sizeof(id));
    const struct datagram in = {.path = *path, .data = room, .len = (uint32_t)w.n};
    stack_inbound(s, USEC_SEC, &in, 1);
}

static uint32_t answers(struct stack *s)
{
    struct transmission t;
    uint32_t n = 0;
    while (stack_transmit(s, USEC_SEC, &t))
        n++;
    return n;
}

static void an_end_told_late_does_not_meet_the_next_in_the_slot(void **state)
{
    (void)state;
    struct stack *s = made(true);
    const struct path first = path_from(0xc6336401, 1701), second = path_from(0xc6336402, 1701);
    ask_for_tunnel(s, &first, 11);
    struct peer *old = stack_peer_plain(s, &first, false);
    assert_non_null(old);
    const uint32_t slot = old->slot, carrier = old->carrier;
    stack_peer_free(s, 2 * USEC_SEC, old, CAUSE_PEER_SILENT); /* its tunnel's end is told at the next settling */
    struct peer *heir = stack_peer_plain(s, &second, true);
    assert_non_null(heir);
    assert_int_equal(heir->slot, slot);
    assert_int_not_equal(heir->carrier, carrier);
    stack_settle(s, 2 * USEC_SEC);
    assert_ptr_equal(stack_peer_plain(s, &second, false), heir);
    stack_free(s);
}

static void a_plain_sender_stays_as_long_as_one_of_its_tunnels(void **state)
{
    (void)state;
    struct stack *s = made(true);
    const struct path path = path_from(0xc6336401, 1701);
    ask_for_tunnel(s, &path, 11);
    ask_for_tunnel(s, &path, 12);
    const struct peer *peer = stack_peer_plain(s, &path, false);
    assert_non_null(peer);
    assert_int_equal(l2tp_carrier_tunnels(s->l2tp, peer->carrier), 2);
    assert_true(answers(s) >= 2);
    l2tp_carrier_close(s->l2tp, 2 * USEC_SEC, peer->carrier, CAUSE_ADMIN);
    stack_settle(s, 2 * USEC_SEC);
    assert_null(stack_peer_plain(s, &path, false));
    assert_int_equal(stack_counters(s).peers, 0);
    stack_free(s);
}

static void what_opens_no_tunnel_leaves_no_peer(void **state)
{
    (void)state;
    struct stack *s = made(true);
    const struct path path = path_from(0xc6336401, 1701);
    ask_for_tunnel(s, &path, 0); /* id 0 is none */
    uint8_t hello[] = {0xc8, 2, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 6};
    const struct datagram in = {.path = path, .data = hello, .len = sizeof(hello)};
    stack_inbound(s, USEC_SEC, &in, 1);
    assert_int_equal(stack_counters(s).peers, 0);
    stack_free(s);
}

static void strangers_outside_ipsec_leave_room_for_the_others(void **state)
{
    (void)state;
    struct stack *s = made(true);
    for (uint16_t i = 0; i < 200; i++) {
        const struct path path = path_from(0xc6336400u + i, 1701);
        ask_for_tunnel(s, &path, 11);
        (void)answers(s);
    }
    assert_true(stack_counters(s).peers <= s->config.max_peers / 4);
    const struct path path = path_from(0xc0000299, 500);
    assert_non_null(stack_peer_new(s, &path));
    stack_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_told_late_does_not_meet_the_next_in_the_slot),
        cmocka_unit_test(a_plain_sender_stays_as_long_as_one_of_its_tunnels),
        cmocka_unit_test(what_opens_no_tunnel_leaves_no_peer),
        cmocka_unit_test(strangers_outside_ipsec_leave_room_for_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
