#include "packets.h"

#define PACKETS 256
#define SPACE   2048

static struct coalesce *c;
static uint8_t buffers[PACKETS][SPACE];
static uint8_t whole[FRAME_MAX + 1];

static int begin(void **state)
{
    (void)state;
    c = coalesce_new();
    return c ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    coalesce_free(c);
    return 0;
}

static void add(uint32_t i, const struct made *m)
{
    assert_int_equal(coalesce_add(c, buffers[i], make_packet(m, buffers[i])), DROP_NONE);
}

/* Takes the next frame and puts its pieces together. */
static struct frame take(void)
{
    const struct frame_pieces *f = coalesce_take(c);
    if (!f)
        return (struct frame){.data = NULL};
    uint32_t at = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        memcpy(whole + at, f->piece[i].p, f->piece[i].n);
        at += (uint32_t)f->piece[i].n;
    }
    assert_int_equal(at, f->len);
    return (struct frame){.meta = f->meta, .data = whole, .len = at};
}

static void assert_sizes(const uint32_t *expected, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(take().len, expected[i]);
    assert_null(take().data);
}

static const struct made data = {.family = 4, .protocol = IP_PROTO_TCP, .flags = FLAG_ACK, .payload = 1000, .id = 9};

static struct made nth(uint32_t i)
{
    struct made m = data;
    m.seq = 5000 + i * data.payload;
    m.id = (uint16_t)(data.id + i);
    m.fill = (uint8_t)i;
    return m;
}

/* The proof of both halves: what coalesce joins, split takes apart into the very packets that came in. */
static void joining_and_cutting_gives_the_same_packets(uint8_t family, uint8_t protocol, uint32_t count, uint32_t last)
{
    static uint8_t originals[PACKETS][SPACE];
    static uint8_t out[SPACE];
    uint32_t lengths[PACKETS];
    coalesce_allow_udp(c, true);
    for (uint32_t i = 0; i < count; i++) {
        struct made m = nth(i);
        m.family = family;
        m.protocol = protocol;
        m.options = protocol == IP_PROTO_TCP ? 12 : 0;
        if (i + 1 == count) {
            m.payload = last;
            m.flags |= FLAG_PSH;
        }
        lengths[i] = make_packet(&m, buffers[i]);
        memcpy(originals[i], buffers[i], lengths[i]);
        assert_int_equal(coalesce_add(c, buffers[i], lengths[i]), DROP_NONE);
    }
    uint32_t seen = 0;
    for (struct frame f = take(); f.data; f = take()) {
        struct split s;
        assert_int_equal(split_begin(&s, &f), DROP_NONE);
        assert_true(s.count > 1 || count == 1);
        for (uint32_t i = 0; i < s.count; i++, seen++) {
            assert_int_equal(split_length(&s, i), lengths[seen]);
            split_write(&s, i, out);
            assert_memory_equal(out, originals[seen], lengths[seen]);
        }
    }
    assert_int_equal(seen, count);
}

static void tcp_in_sequence_becomes_one_frame_and_back(void **state)
{
    (void)state;
    joining_and_cutting_gives_the_same_packets(4, IP_PROTO_TCP, 40, 300);
    joining_and_cutting_gives_the_same_packets(6, IP_PROTO_TCP, 2, 1000);
    joining_and_cutting_gives_the_same_packets(4, IP_PROTO_TCP, 1, 10);
}

static void udp_of_one_size_becomes_one_frame_and_back(void **state)
{
    (void)state;
    joining_and_cutting_gives_the_same_packets(4, IP_PROTO_UDP, 30, 999);
    joining_and_cutting_gives_the_same_packets(6, IP_PROTO_UDP, 30, 1000);
}

static void a_frame_holds_no_more_than_64_packets_nor_64_kilobytes(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        struct made m = nth(i);
        m.payload = 100;
        m.seq = i * 100;
        add(i, &m);
    }
    assert_sizes((const uint32_t[]){40 + 64 * 100, 40 + 36 * 100}, 2);
    for (uint32_t i = 0; i < 50; i++) {
        struct made m = nth(i);
        m.payload = 1400;
        m.seq = i * 1400;
        add(i, &m);
    }
    assert_sizes((const uint32_t[]){40 + 46 * 1400, 40 + 4 * 1400}, 2);
}

static void udp_stays_single_unless_allowed(void **state)
{
    (void)state;
    coalesce_allow_udp(c, false);
    for (uint32_t i = 0; i < 2; i++) {
        struct made m = nth(i);
        m.protocol = IP_PROTO_UDP;
        add(i, &m);
    }
    assert_sizes((const uint32_t[]){1028, 1028}, 2);
}

static void two_flows_are_gathered_side_by_side(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        struct made m = nth(i / 2);
        m.port = i % 2;
        add(i, &m);
    }
    assert_sizes((const uint32_t[]){4040, 4040}, 2);
}

static void a_gap_a_repeat_or_another_acknowledgement_begins_a_new_frame(void **state)
{
    (void)state;
    const uint32_t order[] = {0, 1, 3, 3, 2};
    for (uint32_t i = 0; i < 5; i++) {
        const struct made m = nth(order[i]);
        add(i, &m);
    }
    assert_sizes((const uint32_t[]){2040, 1040, 1040, 1040}, 4);
    struct made m = nth(0);
    add(0, &m);
    m = nth(1);
    m.ack = 1;
    add(1, &m);
    assert_sizes((const uint32_t[]){1040, 1040}, 2);
}

static void push_ends_a_frame_and_is_kept(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        struct made m = nth(i);
        if (i == 1)
            m.flags |= FLAG_PSH;
        add(i, &m);
    }
    struct frame f = take();
    assert_int_equal(f.len, 2040);
    assert_true(f.data[33] & FLAG_PSH);
    f = take();
    assert_int_equal(f.len, 2040);
    assert_false(f.data[33] & FLAG_PSH);
    assert_null(take().data);
}

static void a_short_packet_ends_a_frame(void **state)
{
    (void)state;
    struct made m = nth(0);
    add(0, &m);
    m = nth(1);
    m.payload = 400;
    add(1, &m);
    m.seq += 400;
    m.id++;
    add(2, &m);
    assert_sizes((const uint32_t[]){1440, 440}, 2);
}

/* A pure acknowledgement, a FIN or a fragment of the flow must not be passed by data that came after it. */
static void what_cannot_join_is_not_overtaken(void **state)
{
    (void)state;
    struct made m = nth(0);
    add(0, &m);
    m = nth(1);
    m.payload = 0;
    add(1, &m);
    m = nth(1);
    add(2, &m);
    assert_sizes((const uint32_t[]){1040, 40, 1040}, 3);

    m = nth(0);
    add(0, &m);
    m = nth(1);
    const uint32_t len = make_packet(&m, buffers[1]);
    buffers[1][6] = 0x20; /* more fragments */
    assert_int_equal(coalesce_add(c, buffers[1], len), DROP_NONE);
    m = nth(1);
    add(2, &m);
    assert_sizes((const uint32_t[]){1040, 1040, 1040}, 3);
}

static void damage_is_not_given_a_valid_checksum(void **state)
{
    (void)state;
    for (uint32_t hurt = 0; hurt < 2; hurt++) {
        for (uint32_t i = 0; i < 2; i++) {
            const struct made m = nth(i);
            const uint32_t len = make_packet(&m, buffers[i]);
            if (i == hurt)
                buffers[i][777] ^= 1;
            assert_int_equal(coalesce_add(c, buffers[i], len), DROP_NONE);
        }
        for (uint32_t i = 0; i < 2; i++) {
            const struct frame f = take();
            assert_int_equal(f.len, 1040);
            assert_false(f.meta.needs_checksum);
            assert_true((checksum_error(f.data, f.len) != 0) == (i == hurt));
        }
        assert_null(take().data);
    }
}

static void other_hop_limits_classes_and_ids_do_not_join(void **state)
{
    (void)state;
    const uint32_t at[] = {1, 8};
    for (uint32_t k = 0; k < 2; k++) {
        struct made m = nth(0);
        add(0, &m);
        m = nth(1);
        const uint32_t len = make_packet(&m, buffers[1]);
        buffers[1][at[k]]++;
        be16_put(buffers[1] + 10, 0);
        be16_put(buffers[1] + 10, naive_fold(buffers[1], 20, 0));
        assert_int_equal(coalesce_add(c, buffers[1], len), DROP_NONE);
        assert_sizes((const uint32_t[]){1040, 1040}, 2);
    }
    for (uint32_t df = 0; df < 2; df++) {
        for (uint32_t i = 0; i < 2; i++) {
            struct made m = nth(i);
            m.no_df = !df;
            m.id = (uint16_t)(1 + i * 5);
            add(i, &m);
        }
        if (df)
            assert_sizes((const uint32_t[]){2040}, 1);
        else
            assert_sizes((const uint32_t[]){1040, 1040}, 2);
    }
}

static void padding_behind_a_packet_is_cut_off(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        const struct made m = nth(i);
        assert_int_equal(coalesce_add(c, buffers[i], make_packet(&m, buffers[i]) + 7), DROP_NONE);
    }
    assert_sizes((const uint32_t[]){2040}, 1);
}

static void nonsense_passes_alone(void **state)
{
    (void)state;
    memset(buffers[0], 0, 64);
    assert_int_equal(coalesce_add(c, buffers[0], 0), DROP_NONE);
    assert_int_equal(coalesce_add(c, buffers[0], 1), DROP_NONE);
    assert_int_equal(coalesce_add(c, buffers[0], 64), DROP_NONE);
    assert_sizes((const uint32_t[]){0, 1, 64}, 3);
}

static void a_burst_has_a_limit(void **state)
{
    (void)state;
    const struct made m = nth(0);
    const uint32_t len = make_packet(&m, buffers[0]);
    for (uint32_t i = 0; i < COALESCE_PACKETS; i++)
        assert_int_equal(coalesce_add(c, buffers[0], len), DROP_NONE);
    assert_int_equal(coalesce_add(c, buffers[0], len), DROP_QUEUE_FULL);
    uint32_t n = 0;
    while (coalesce_take(c))
        n++;
    assert_int_equal(n, COALESCE_PACKETS);
    assert_int_equal(coalesce_add(c, buffers[0], len), DROP_NONE);
    assert_sizes((const uint32_t[]){1040}, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_in_sequence_becomes_one_frame_and_back),
        cmocka_unit_test(udp_of_one_size_becomes_one_frame_and_back),
        cmocka_unit_test(a_frame_holds_no_more_than_64_packets_nor_64_kilobytes),
        cmocka_unit_test(udp_stays_single_unless_allowed),
        cmocka_unit_test(two_flows_are_gathered_side_by_side),
        cmocka_unit_test(a_gap_a_repeat_or_another_acknowledgement_begins_a_new_frame),
        cmocka_unit_test(push_ends_a_frame_and_is_kept),
        cmocka_unit_test(a_short_packet_ends_a_frame),
        cmocka_unit_test(what_cannot_join_is_not_overtaken),
        cmocka_unit_test(damage_is_not_given_a_valid_checksum),
        cmocka_unit_test(other_hop_limits_classes_and_ids_do_not_join),
        cmocka_unit_test(padding_behind_a_packet_is_cut_off),
        cmocka_unit_test(nonsense_passes_alone),
        cmocka_unit_test(a_burst_has_a_limit),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
