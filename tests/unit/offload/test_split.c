#include "packets.h"

static uint8_t large[FRAME_MAX + 64];
static uint8_t out[FRAME_MAX];

static void tcp_is_cut_as_a_network_card_would(const struct made *made, uint16_t size)
{
    const struct frame f = make_frame(made, size, large);
    const uint32_t ip = made->family == 4 ? 20 : 40;
    struct split s;
    assert_int_equal(split_begin(&s, &f), DROP_NONE);
    assert_int_equal(s.count, (made->payload + size - 1) / size);
    uint32_t done = 0;
    for (uint32_t i = 0; i < s.count; i++) {
        const bool last = i + 1 == s.count;
        const uint32_t payload = last ? made->payload - done : size, len = f.meta.header + payload;
        assert_int_equal(split_length(&s, i), len);
        memset(out, 0xee, len + 1);
        split_write(&s, i, out);
        assert_int_equal(out[len], 0xee);
        assert_int_equal(checksum_error(out, len), 0);
        assert_memory_equal(out + f.meta.header, f.data + f.meta.header + done, payload);
        if (made->family == 4) {
            assert_int_equal(be16_get(out + 2), len);
            assert_int_equal(be16_get(out + 4), (uint16_t)(made->id + i));
        } else {
            assert_int_equal(be16_get(out + 4), len - 40);
        }
        const uint8_t *t = out + ip;
        if (made->protocol == IP_PROTO_UDP) {
            assert_int_equal(be16_get(t + 4), payload + 8);
        } else {
            assert_int_equal(be32_get(t + 4), made->seq + done);
            const uint8_t expected =
                (uint8_t)(made->flags & (last ? 0xff : ~(FLAG_FIN | FLAG_PSH)) & (i == 0 ? 0xff : ~FLAG_CWR));
            assert_int_equal(t[13], expected);
        }
        done += payload;
    }
    assert_int_equal(done, made->payload);
}

static void tcp_over_ipv4_is_cut_with_ids_that_count_up(void **state)
{
    (void)state;
    const struct made m = {.family = 4,
                           .protocol = IP_PROTO_TCP,
                           .id = 0xfffe,
                           .seq = 0xffffff00,
                           .options = 12,
                           .flags = FLAG_ACK | FLAG_PSH | FLAG_FIN | FLAG_CWR,
                           .payload = 60000};
    tcp_is_cut_as_a_network_card_would(&m, 1348);
    tcp_is_cut_as_a_network_card_would(&m, 60000);
    tcp_is_cut_as_a_network_card_would(&m, 536);
}

static void tcp_over_ipv6_is_cut(void **state)
{
    (void)state;
    const struct made m = {
        .family = 6, .protocol = IP_PROTO_TCP, .seq = 7, .flags = FLAG_ACK | FLAG_PSH, .payload = 4001};
    tcp_is_cut_as_a_network_card_would(&m, 1000);
    tcp_is_cut_as_a_network_card_would(&m, 1);
}

static void udp_is_cut_into_datagrams(void **state)
{
    (void)state;
    struct made m = {.family = 4, .protocol = IP_PROTO_UDP, .id = 3, .payload = 10001};
    tcp_is_cut_as_a_network_card_would(&m, 1200);
    m.family = 6;
    tcp_is_cut_as_a_network_card_would(&m, 1201);
}

/* Payloads of every length and start, so that the words of the sum meet every border. */
static void every_size_has_a_right_checksum(void **state)
{
    (void)state;
    for (uint16_t size = 1; size < 300; size++) {
        const struct made m = {.family = size % 2 ? 4 : 6,
                               .protocol = size % 3 ? IP_PROTO_TCP : IP_PROTO_UDP,
                               .flags = FLAG_ACK,
                               .payload = size * 3u + size % 5,
                               .fill = (uint8_t)size};
        tcp_is_cut_as_a_network_card_would(&m, size);
    }
}

static void a_single_packet_has_its_checksum_completed(void **state)
{
    (void)state;
    const struct made m = {.family = 4, .protocol = IP_PROTO_UDP, .payload = 333};
    const struct frame f = make_frame(&m, 0, large);
    assert_int_not_equal(checksum_error(f.data, f.len), 0);
    struct split s;
    assert_int_equal(split_begin(&s, &f), DROP_NONE);
    assert_int_equal(s.count, 1);
    assert_int_equal(split_length(&s, 0), f.len);
    split_write(&s, 0, out);
    assert_int_equal(checksum_error(out, f.len), 0);
}

static void a_finished_packet_passes_as_it_is(void **state)
{
    (void)state;
    const struct made m = {.family = 6, .protocol = IP_PROTO_TCP, .flags = FLAG_ACK, .payload = 5};
    struct frame f = {.data = large, .len = make_packet(&m, large)};
    struct split s;
    assert_int_equal(split_begin(&s, &f), DROP_NONE);
    split_write(&s, 0, out);
    assert_memory_equal(out, large, f.len);
}

static void a_udp_checksum_of_zero_is_sent_as_all_ones(void **state)
{
    (void)state;
    struct made m = {.family = 4, .protocol = IP_PROTO_UDP, .payload = 2};
    struct frame f = make_frame(&m, 0, large);
    struct split s;
    memset(large + 28, 0, 2);
    assert_int_equal(split_begin(&s, &f), DROP_NONE);
    split_write(&s, 0, out);
    memcpy(large + 28, out + 26,
           2); /* a payload equal to the checksum brings the sum to all ones, the checksum to zero */
    split_write(&s, 0, out);
    assert_int_equal(be16_get(out + 26), 0xffff);
}

static void assert_refused(struct frame f)
{
    struct split s = {.count = 77};
    assert_int_equal(split_begin(&s, &f), DROP_IP_MALFORMED);
    assert_int_equal(s.count, 77);
}

static void meta_data_that_contradicts_the_packet_is_refused(void **state)
{
    (void)state;
    const struct made m = {.family = 4, .protocol = IP_PROTO_TCP, .flags = FLAG_ACK, .payload = 3000};
    const struct frame good = make_frame(&m, 1000, large);
    struct frame f = good;
    f.meta.kind = GSO_TCP6;
    assert_refused(f);
    f.meta.kind = GSO_UDP;
    assert_refused(f);
    f = good;
    f.meta.size = 0;
    assert_refused(f);
    f = good;
    f.meta.header = 20;
    assert_refused(f);
    f = good;
    f.len = 39;
    assert_refused(f);
    f.len = 40;
    assert_refused(f);
    f = good;
    f.len = 0;
    assert_refused(f);
    f = good;
    f.meta.kind = GSO_NONE;
    f.meta.csum_start = (uint16_t)(f.len - 1);
    assert_refused(f);
    f.meta.csum_start = 0xffff;
    f.meta.csum_offset = 0xffff;
    assert_refused(f);
    f = good;
    large[32] = 0xf0; /* a data offset beyond the frame */
    f.len = 60;
    be16_put(large + 2, 60);
    assert_refused(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_over_ipv4_is_cut_with_ids_that_count_up),
        cmocka_unit_test(tcp_over_ipv6_is_cut),
        cmocka_unit_test(udp_is_cut_into_datagrams),
        cmocka_unit_test(every_size_has_a_right_checksum),
        cmocka_unit_test(a_single_packet_has_its_checksum_completed),
        cmocka_unit_test(a_finished_packet_passes_as_it_is),
        cmocka_unit_test(a_udp_checksum_of_zero_is_sent_as_all_ones),
        cmocka_unit_test(meta_data_that_contradicts_the_packet_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
