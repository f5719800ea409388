/* The road with packets as a TUN gives and takes them: super-frames, TCP handshakes, packets that are too big. */
#include "tests/test.h"

#include "tests/sim/world.h"

#define OFFICE  0xac100005u
#define HEADERS 40
#define SYN     0x02
#define ACK     0x10

static struct world *w;
static struct sim_client *c;

static int connect_both(void **state)
{
    (void)state;
    w = world_new(31);
    const struct stack_config gateway = world_settings(w, true), client = world_settings(w, false);
    world_gateway(w, &gateway);
    c = world_client(w, &client, "198.51.100.7", NULL);
    client_connect(c, "alice", "secret");
    assert_true(world_run(w, 10 * USEC_SEC, client_is_up, c));
    world_run(w, USEC_SEC, NULL, NULL);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

/* A TCP segment with correct checksums; options are padded by the caller. */
static size_t tcp_packet(uint8_t *out, size_t cap, uint32_t from, uint32_t to, uint8_t flags, struct view options,
                         size_t payload, bool dont_fragment)
{
    struct writer wr = wr_init(out, cap);
    const size_t total = HEADERS + options.n + payload;
    wr_u16(&wr, 0x4500);
    wr_u16(&wr, (uint16_t)total);
    wr_u16(&wr, 0);
    wr_u16(&wr, dont_fragment ? 0x4000 : 0);
    wr_u16(&wr, 0x4006);
    wr_u16(&wr, 0);
    wr_u32(&wr, from);
    wr_u32(&wr, to);
    wr_u16(&wr, 40000);
    wr_u16(&wr, 80);
    wr_u32(&wr, 1000);
    wr_u32(&wr, 2000);
    wr_u8(&wr, (uint8_t)((20 + options.n) / 4 << 4));
    wr_u8(&wr, flags);
    wr_u16(&wr, 65535);
    wr_u32(&wr, 0);
    wr_view(&wr, options);
    for (size_t i = 0; i < payload; i++)
        wr_u8(&wr, (uint8_t)(i * 7));
    const struct ip_addr src = ip4_addr(from), dst = ip4_addr(to);
    const uint32_t pseudo = inet_pseudo_sum(&src, &dst, IP_PROTO_TCP, (uint32_t)(total - 20));
    wr_patch16(&wr, 36, inet_fold(inet_sum(pseudo, out + 20, total - 20)));
    wr_patch16(&wr, 10, inet_fold(inet_sum(0, out, 20)));
    assert_true(wr_ok(&wr));
    return total;
}

static void expect_good_tcp(struct view packet)
{
    struct ip_info ip;
    assert_int_equal(ip_info(packet, &ip), ERR_OK);
    assert_int_equal(inet_fold(inet_sum(0, packet.p, 20)), 0);
    const uint32_t pseudo = inet_pseudo_sum(&ip.src, &ip.dst, IP_PROTO_TCP, ip.total - 20);
    assert_int_equal(inet_fold(inet_sum(pseudo, packet.p + 20, ip.total - 20)), 0);
}

/* Carries what one stack has to send to the other and gives back the frames that come out there. */
static size_t carry(struct stack *from, struct stack *to, uint8_t *out, size_t cap, uint32_t *transmissions)
{
    struct transmission t;
    size_t n = 0;
    static uint8_t copy[1 << 20];
    static struct datagram in[64];
    size_t count = 0, at = 0;
    while (stack_transmit(from, w->now, &t)) {
        assert_true(at + t.len <= sizeof(copy) && count < ARRAY_LEN(in));
        memcpy(copy + at, t.data, t.len);
        in[count++] = (struct datagram){
            .path = {t.path.remote, t.path.local}, .data = copy + at, .len = t.len, .segment = t.segment};
        at += t.len;
    }
    *transmissions = (uint32_t)count;
    stack_inbound(to, w->now, in, count);
    const struct frame_pieces *frame;
    while ((frame = stack_deliver(to)) != NULL)
        for (uint32_t i = 0; i < frame->n; i++) {
            assert_true(n + frame->piece[i].n <= cap);
            memcpy(out + n, frame->piece[i].p, frame->piece[i].n);
            n += frame->piece[i].n;
        }
    return n;
}

static void a_super_frame_crosses_as_a_train_and_comes_out_in_one_piece(void **state)
{
    (void)state;
    static uint8_t frame_bytes[65535], out[70000];
    const size_t payload = 40 * 1340 + 100;
    const size_t n = tcp_packet(frame_bytes, sizeof(frame_bytes), OFFICE, ip4_value(&c->network.local), ACK, VIEW_NONE,
                                payload, true);
    const struct frame frame = {
        .meta = {.kind = GSO_TCP4,
                 .needs_checksum = true,
                 .size = 1340,
                 .header = HEADERS,
                 .csum_start = 20,
                 .csum_offset = 16},
        .data = frame_bytes,
        .len = (uint32_t)n,
    };
    uint32_t trains;
    stack_outbound(w->gateway, w->now, &frame, 1);
    const size_t got = carry(w->gateway, c->stack, out, sizeof(out), &trains);
    /* ESP without UDP has no segmentation: one datagram a packet; the client gathers them again */
    assert_int_equal(trains, 41);
    assert_int_equal(got, n);
    assert_memory_equal(out + HEADERS, frame_bytes + HEADERS, payload);
}

static size_t through_gateway(const uint8_t *packet, size_t n, uint8_t *out, size_t cap)
{
    uint32_t trains;
    const struct frame frame = {.data = packet, .len = (uint32_t)n};
    stack_outbound(w->gateway, w->now, &frame, 1);
    return carry(w->gateway, c->stack, out, cap, &trains);
}

static void the_mss_of_a_syn_is_lowered_in_both_directions_and_its_checksum_stays_right(void **state)
{
    (void)state;
    const uint8_t mss[] = {2, 4, 0x05, 0xb4};
    uint8_t packet[128], out[2048];
    uint32_t trains;
    struct session_info info;
    uint32_t number = 0;
    assert_true(stack_session_next(w->gateway, &number, &info));

    size_t n = tcp_packet(packet, sizeof(packet), OFFICE, ip4_value(&c->network.local), SYN, VIEW(mss), 0, true);
    size_t got = through_gateway(packet, n, out, sizeof(out));
    assert_int_equal(got, n);
    expect_good_tcp(view_of(out, got));
    assert_true(be16_get(out + 42) <= info.mtu - 40);

    n = tcp_packet(packet, sizeof(packet), ip4_value(&c->network.local), OFFICE, SYN, VIEW(mss), 0, true);
    const struct frame frame = {.data = packet, .len = (uint32_t)n};
    stack_outbound(c->stack, w->now, &frame, 1);
    got = carry(c->stack, w->gateway, out, sizeof(out), &trains);
    assert_int_equal(got, n);
    expect_good_tcp(view_of(out, got));
    assert_true(be16_get(out + 42) <= info.mtu - 40);
}

static void a_packet_too_big_is_answered_with_icmp_and_counted(void **state)
{
    (void)state;
    static uint8_t packet[1600], out[2048];
    const size_t n =
        tcp_packet(packet, sizeof(packet), OFFICE, ip4_value(&c->network.local), ACK, VIEW_NONE, 1500, true);
    const struct frame frame = {.data = packet, .len = (uint32_t)n};
    const uint64_t before = stack_counters(w->gateway).drops[DROP_IP_TOO_BIG];
    stack_outbound(w->gateway, w->now, &frame, 1);
    assert_int_equal(stack_counters(w->gateway).drops[DROP_IP_TOO_BIG], before + 1);
    const struct frame_pieces *answer = stack_deliver(w->gateway);
    assert_non_null(answer);
    assert_true(answer->piece[0].n >= 56);
    const uint8_t *p = answer->piece[0].p;
    assert_int_equal(p[20], 3); /* destination unreachable */
    assert_int_equal(p[21], 4); /* fragmentation needed */
    assert_in_range(be16_get(p + 26), 1280, 1400);
    assert_int_equal(be32_get(p + 16), OFFICE);
    assert_int_equal(be32_get(p + 12), ip4_value(&c->network.local)); /* never the gateway's own: kernels drop that */
    assert_null(stack_deliver(w->gateway));
    (void)out;
}

static void a_big_packet_that_may_be_fragmented_arrives(void **state)
{
    (void)state;
    static uint8_t packet[1600], out[4096];
    const size_t n =
        tcp_packet(packet, sizeof(packet), OFFICE, ip4_value(&c->network.local), ACK, VIEW_NONE, 1500, false);
    const size_t got = through_gateway(packet, n, out, sizeof(out));
    /* two fragments: the payload and a header each */
    assert_int_equal(got, n + 20);
}

static void a_packet_for_nobody_is_counted(void **state)
{
    (void)state;
    uint8_t packet[128];
    const size_t n = tcp_packet(packet, sizeof(packet), OFFICE, 0x0a0a0a0a, ACK, VIEW_NONE, 10, true);
    const struct frame frame = {.data = packet, .len = (uint32_t)n};
    const uint64_t before = stack_counters(w->gateway).drops[DROP_IP_NO_SESSION];
    stack_outbound(w->gateway, w->now, &frame, 1);
    assert_int_equal(stack_counters(w->gateway).drops[DROP_IP_NO_SESSION], before + 1);
}

static void replayed_and_forged_packets_do_not_arrive(void **state)
{
    (void)state;
    uint8_t packet[128];
    static uint8_t copy[2048], again[2048];
    struct transmission t;
    const size_t n = tcp_packet(packet, sizeof(packet), ip4_value(&c->network.local), OFFICE, ACK, VIEW_NONE, 10, true);
    const struct frame frame = {.data = packet, .len = (uint32_t)n};
    stack_outbound(c->stack, w->now, &frame, 1);
    assert_true(stack_transmit(c->stack, w->now, &t));
    memcpy(copy, t.data, t.len);
    for (int i = 0; i < 3; i++) {
        memcpy(again, copy, t.len);
        if (i == 0)
            again[t.len - 1] ^= 1; /* forged: must not use up the sequence number */
        struct datagram in = {.path = {t.path.remote, t.path.local}, .data = again, .len = t.len};
        stack_inbound(w->gateway, w->now, &in, 1);
        const bool arrived = stack_deliver(w->gateway) != NULL;
        assert_int_equal(arrived, i == 1);
        while (stack_deliver(w->gateway))
            ;
    }
    assert_int_equal(stack_counters(w->gateway).drops[DROP_ESP_ICV], 1);
    assert_int_equal(stack_counters(w->gateway).drops[DROP_ESP_REPLAYED], 1);
}

static void a_client_that_asks_by_dhcpinform_gets_routes(void **state)
{
    (void)state;
    struct stack_config config = world_settings(w, true);
    config.dhcp.routes[0] = (struct dhcp_route){ip4_addr(0xac100000), 16};
    config.dhcp.route_count = 1;
    assert_int_equal(stack_reconfigure(w->gateway, &config), ERR_OK);
    uint8_t packet[400], out[1000];
    struct writer wr = wr_init(packet, sizeof(packet));
    const uint32_t own = ip4_value(&c->network.local);
    wr_u32(&wr, 0x45000000);
    wr_u32(&wr, 0);
    wr_u32(&wr, 0x40110000);
    wr_u32(&wr, own);
    wr_u32(&wr, 0xffffffff);
    wr_u32(&wr, 68 << 16 | 67);
    wr_u32(&wr, 0);
    wr_u32(&wr, 0x01080600);
    wr_u32(&wr, 1);
    wr_u32(&wr, 0);
    wr_u32(&wr, own);
    wr_zero(&wr, 12 + 16 + 192);
    wr_u32(&wr, 0x63825363);
    wr_u32(&wr, 0x350108ff); /* --> DHCPINFORM */
    wr_patch16(&wr, 2, (uint16_t)wr.n);
    wr_patch16(&wr, 24, (uint16_t)(wr.n - 20));
    const struct frame frame = {.data = packet, .len = (uint32_t)wr.n};
    uint32_t trains;
    stack_outbound(c->stack, w->now, &frame, 1);
    assert_int_equal(carry(c->stack, w->gateway, out, sizeof(out), &trains), 0);
    const size_t got = carry(w->gateway, c->stack, out, sizeof(out), &trains); /* <-- DHCPACK */
    const uint8_t routes[] = {249, 7, 16, 172, 16, 172, 16, 2, 1};
    assert_non_null(memmem(out, got, routes, sizeof(routes)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_super_frame_crosses_as_a_train_and_comes_out_in_one_piece, connect_both,
                                        leave),
        cmocka_unit_test_setup_teardown(the_mss_of_a_syn_is_lowered_in_both_directions_and_its_checksum_stays_right,
                                        connect_both, leave),
        cmocka_unit_test_setup_teardown(a_packet_too_big_is_answered_with_icmp_and_counted, connect_both, leave),
        cmocka_unit_test_setup_teardown(a_big_packet_that_may_be_fragmented_arrives, connect_both, leave),
        cmocka_unit_test_setup_teardown(a_client_that_asks_by_dhcpinform_gets_routes, connect_both, leave),
        cmocka_unit_test_setup_teardown(a_packet_for_nobody_is_counted, connect_both, leave),
        cmocka_unit_test_setup_teardown(replayed_and_forged_packets_do_not_arrive, connect_both, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
