#include "tests/test.h"

#include "wire/wire.h"

static uint8_t packet[4000];

static size_t make_packet(size_t payload, uint16_t flags)
{
    struct writer w = wr_init(packet, sizeof(packet));
    wr_u16(&w, 0x4500);
    wr_u16(&w, (uint16_t)(20 + payload));
    wr_u16(&w, 0x1234);
    wr_u16(&w, flags);
    wr_u32(&w, 0x40110000);
    wr_u32(&w, 0xc0000201);
    wr_u32(&w, 0xc0000202);
    for (size_t i = 0; i < payload; i++)
        wr_u8(&w, (uint8_t)(i * 3));
    assert_true(wr_ok(&w));
    return w.n;
}

/* Puts the pieces together again by their offsets, as a receiver would. */
static void expect_whole(const struct ip4_fragments *f, size_t payload, uint16_t mtu, uint16_t base, bool last_has_more)
{
    uint8_t piece[2000], whole[4000];
    size_t got = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        const uint32_t n = ip4_fragment_length(f, i);
        assert_in_range(n, 21, mtu);
        ip4_fragment_write(f, i, piece);
        assert_int_equal(inet_fold(inet_sum(0, piece, 20)), 0);
        const uint16_t field = be16_get(piece + 6);
        const bool more = (field & 0x2000) != 0;
        assert_int_equal(more, i + 1 < f->count || last_has_more);
        memcpy(whole + ((field & 0x1fff) - base) * 8, piece + 20, n - 20);
        got += n - 20;
    }
    assert_int_equal(got, payload);
    assert_memory_equal(whole, packet + 20, payload);
}

static void pieces_make_the_whole_again(void **state)
{
    (void)state;
    for (size_t payload = 1; payload < 3500; payload += 37)
        for (uint16_t mtu = 68; mtu < 1500; mtu = (uint16_t)(mtu + 331)) {
            struct ip4_fragments f;
            const size_t n = make_packet(payload, 0);
            assert_int_equal(ip4_fragments(view_of(packet, n), mtu, &f), ERR_OK);
            expect_whole(&f, payload, mtu, 0, false);
        }
}

static void a_fragment_is_cut_further(void **state)
{
    (void)state;
    struct ip4_fragments f;
    const size_t n = make_packet(1480, 0x2000 | 185);
    assert_int_equal(ip4_fragments(view_of(packet, n), 576, &f), ERR_OK);
    expect_whole(&f, 1480, 576, 185, true);
}

static void what_must_not_be_cut_is_refused(void **state)
{
    (void)state;
    struct ip4_fragments f;
    const size_t n = make_packet(1480, 0x4000);
    assert_int_equal(ip4_fragments(view_of(packet, n), 576, &f), ERR_UNSUPPORTED);
    assert_int_equal(ip4_fragments(view_of(packet, 10), 576, &f), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_make_the_whole_again),
        cmocka_unit_test(a_fragment_is_cut_further),
        cmocka_unit_test(what_must_not_be_cut_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
