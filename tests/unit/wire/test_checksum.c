#include "tests/test.h"
#include "wire/wire.h"

static uint8_t bytes[70000];
static uint8_t copy[70000];

static uint16_t naive(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint64_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void fill(uint64_t seed)
{
    struct random_test t;
    random_test_init(&t, seed);
    random_test_fill(&t, bytes, sizeof(bytes));
    print_message("seed %d\n", (int)seed);
}

static void assert_right(size_t at, size_t n)
{
    const uint16_t expected = naive(bytes + at, n);
    assert_int_equal(inet_fold(inet_sum(0, bytes + at, n)), expected);
    memset(copy, 0xee, n + 4);
    assert_int_equal(inet_fold(inet_sum_copy(0, copy + 1, bytes + at, n)), expected);
    assert_memory_equal(copy + 1, bytes + at, n);
    assert_int_equal(copy[0], 0xee);
    assert_int_equal(copy[n + 1], 0xee);
}

static void every_length_and_alignment_gives_the_naive_sum(void **state)
{
    (void)state;
    fill(1071);
    for (size_t n = 0; n < 400; n++)
        for (size_t at = 0; at < 9; at++)
            assert_right(at, n);
    assert_right(3, 65535);
    assert_right(0, 65536);
}

static void all_ones_do_not_lose_a_carry(void **state)
{
    (void)state;
    memset(bytes, 0xff, sizeof(bytes));
    for (size_t n = 0; n < 300; n++)
        assert_right(n % 7, n);
    assert_right(0, 65534);
    assert_int_equal(inet_fold(inet_sum(UINT32_MAX, bytes, 1000)), 0);
}

static void a_sum_in_pieces_is_the_sum_of_the_whole(void **state)
{
    (void)state;
    fill(1624);
    for (size_t n = 2; n < 600; n += 7) {
        uint32_t sum = 0;
        size_t at = 0;
        for (size_t step = 2; at + step < n; at += step, step = step * 3 % 64 / 2 * 2 + 2)
            sum = inet_sum(sum, bytes + at, step);
        sum = inet_sum(sum, bytes + at, n - at);
        assert_int_equal(inet_fold(sum), naive(bytes, n));
    }
}

/* The example of RFC 1071 section 3. */
static void the_rfc_example_holds(void **state)
{
    (void)state;
    const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(inet_fold(inet_sum(0, example, sizeof(example))), (uint16_t)~0xddf2);
}

static void the_pseudo_header_counts_for_both_families(void **state)
{
    (void)state;
    struct ip_addr src, dst;
    assert_int_equal(ip_parse("192.0.2.1", &src), ERR_OK);
    assert_int_equal(ip_parse("198.51.100.2", &dst), ERR_OK);
    const uint8_t four[] = {192, 0, 2, 1, 198, 51, 100, 2, 0, 17, 0x12, 0x34};
    assert_int_equal(inet_fold(inet_pseudo_sum(&src, &dst, 17, 0x1234)), naive(four, sizeof(four)));
    assert_int_equal(ip_parse("2001:db8::1", &src), ERR_OK);
    assert_int_equal(ip_parse("2001:db8::ff", &dst), ERR_OK);
    uint8_t six[40] = {0};
    memcpy(six, src.b, 16);
    memcpy(six + 16, dst.b, 16);
    be32_put(six + 32, 0x12345);
    six[39] = 6;
    assert_int_equal(inet_fold(inet_pseudo_sum(&src, &dst, 6, 0x12345)), naive(six, sizeof(six)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_and_alignment_gives_the_naive_sum),
        cmocka_unit_test(all_ones_do_not_lose_a_carry),
        cmocka_unit_test(a_sum_in_pieces_is_the_sum_of_the_whole),
        cmocka_unit_test(the_rfc_example_holds),
        cmocka_unit_test(the_pseudo_header_counts_for_both_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
