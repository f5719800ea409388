/* Addresses, checksums and quotations of single packets. */
#include "tests/test.h"

#include "router/router_internal.h"

#define HOST    0xc0a8010a
#define SERVER  0xcb007101
#define OUTSIDE 0xcb007165

#define IKE                                                                                                            \
    "45000038000100003f11 ae07 c0a8010a cb007101 01f401f4 0024 0000"                                                   \
    "1122334455667788 0000000000000000 0110 02 00 00000000 0000001c"
#define ESP "45000024000240003f32 6df9 c0a8010a cb007101 c0ffee01 00000007 0001020304050607"
#define TOO_BIG_ESP                                                                                                    \
    "45000038000000003f01 0000 cb007109 cb007165 0304 0000 0000 0578"                                                  \
    "45000024000240003f32 0000 cb007165 cb007101 c0ffee01 00000007"
#define UNREACHABLE_IKE                                                                                                \
    "45000040000000003f01 0000 c0a8010a cb007101 0303 0000 0000 0000"                                                  \
    "4500003800010000 3e11 0000 cb007101 c0a8010a 01f401f4 0024 1234 1122334455667788"

static uint8_t p[512];

static size_t put(const char *hex)
{
    return unhex(hex, p, sizeof(p));
}

static uint16_t udp_error(size_t n)
{
    struct ip_info ip;
    assert_int_equal(ip_info(view_of(p, n), &ip), ERR_OK);
    const uint32_t length = ip.total - ip.transport;
    return inet_fold(inet_sum(inet_pseudo_sum(&ip.src, &ip.dst, ip.protocol, length), p + ip.transport, length));
}

static void write_udp_checksum(size_t n)
{
    be16_put(p + 26, 0);
    be16_put(p + 26, udp_error(n));
}

static void a_new_address_makes_all_checksums_good(void **state)
{
    (void)state;
    const size_t n = put(IKE);
    write_udp_checksum(n);
    packet_set_source(p, n, OUTSIDE);
    assert_int_equal(be32_get(p + 12), OUTSIDE);
    assert_int_equal(inet_fold(inet_sum(0, p, 20)), 0);
    assert_int_equal(udp_error(n), 0);
    packet_set_destination(p, n, HOST);
    assert_int_equal(be32_get(p + 16), HOST);
    assert_int_equal(udp_error(n), 0);
}

static void a_checksum_that_is_not_there_stays_away(void **state)
{
    (void)state;
    const size_t n = put(IKE);
    assert_true(packet_mend(p, n));
    packet_set_source(p, n, OUTSIDE);
    assert_int_equal(be16_get(p + 26), 0);
}

static void a_checksum_left_to_hardware_is_finished(void **state)
{
    (void)state;
    const size_t n = put(IKE);
    struct ip_info ip;
    assert_int_equal(ip_info(view_of(p, n), &ip), ERR_OK);
    be16_put(p + 26, (uint16_t)~inet_fold(inet_pseudo_sum(&ip.src, &ip.dst, ip.protocol, ip.total - ip.transport)));
    assert_int_not_equal(udp_error(n), 0);
    assert_true(packet_mend(p, n));
    assert_int_equal(udp_error(n), 0);
}

static void a_wrong_checksum_is_no_packet(void **state)
{
    (void)state;
    const size_t n = put(IKE);
    write_udp_checksum(n);
    p[40] ^= 1;
    assert_false(packet_mend(p, n));
}

static void esp_has_no_checksum_of_its_own(void **state)
{
    (void)state;
    const size_t n = put(ESP);
    assert_true(packet_mend(p, n));
    packet_set_source(p, n, OUTSIDE);
    assert_int_equal(inet_fold(inet_sum(0, p, 20)), 0);
    assert_int_equal(be32_get(p + 20), 0xc0ffee01);
}

static void each_hop_takes_one_of_the_time_to_live(void **state)
{
    (void)state;
    const size_t n = put(ESP);
    assert_true(packet_hop(p, n));
    assert_int_equal(p[8], 0x3e);
    assert_int_equal(inet_fold(inet_sum(0, p, 20)), 0);
    p[8] = 1;
    assert_false(packet_hop(p, n));
}

static void an_error_about_esp_tells_server_and_spi(void **state)
{
    (void)state;
    const size_t n = put(TOO_BIG_ESP);
    struct icmp_error e;
    assert_int_equal(icmp_error_read(view_of(p, n), &e), ERR_OK);
    assert_int_equal(e.source, 0xcb007109);
    assert_int_equal(e.quoted_source, OUTSIDE);
    assert_int_equal(e.quoted_destination, SERVER);
    assert_true(!e.ike && e.has_id && e.id == 0xc0ffee01);
}

static void an_error_about_ike_tells_the_cookie_if_it_was_quoted(void **state)
{
    (void)state;
    size_t n = put(UNREACHABLE_IKE);
    struct icmp_error e;
    assert_int_equal(icmp_error_read(view_of(p, n), &e), ERR_OK);
    assert_true(e.ike && e.has_id && e.id == 0x1122334455667788);
    n -= 8; /* RFC 792 promises no more than the UDP header */
    be16_put(p + 2, (uint16_t)n);
    assert_int_equal(icmp_error_read(view_of(p, n), &e), ERR_OK);
    assert_true(e.ike && !e.has_id);
}

static void an_error_is_translated_inside_and_outside(void **state)
{
    (void)state;
    const size_t n = put(TOO_BIG_ESP);
    struct icmp_error e;
    be16_put(p + 28 + 10, inet_fold(inet_sum(0, p + 28, 20)));
    assert_int_equal(icmp_error_read(view_of(p, n), &e), ERR_OK);
    icmp_error_translate(p, n, &e, 0, HOST, HOST, 0);
    assert_int_equal(be32_get(p + 12), 0xcb007109);
    assert_int_equal(be32_get(p + 16), HOST);
    assert_int_equal(be32_get(p + 28 + 12), HOST);
    assert_int_equal(be32_get(p + 28 + 16), SERVER);
    assert_int_equal(inet_fold(inet_sum(0, p, 20)), 0);
    assert_int_equal(inet_fold(inet_sum(0, p + 20, n - 20)), 0);
    assert_int_equal(inet_fold(inet_sum(0, p + 28, 20)), 0);
}

static void errors_about_anything_else_are_not_ours(void **state)
{
    (void)state;
    struct icmp_error e;
    size_t n = put(TOO_BIG_ESP);
    p[20] = 8; /* an echo request */
    assert_int_equal(icmp_error_read(view_of(p, n), &e), ERR_UNSUPPORTED);
    n = put(UNREACHABLE_IKE);
    be16_put(p + 50, 4500);
    assert_int_equal(icmp_error_read(view_of(p, n), &e), ERR_UNSUPPORTED);
    n = put(TOO_BIG_ESP);
    be16_put(p + 2, 50); /* not even the SPI */
    assert_int_equal(icmp_error_read(view_of(p, 50), &e), ERR_SHORT);
    n = put(ESP);
    assert_int_equal(icmp_error_read(view_of(p, n), &e), ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_address_makes_all_checksums_good),
        cmocka_unit_test(a_checksum_that_is_not_there_stays_away),
        cmocka_unit_test(a_checksum_left_to_hardware_is_finished),
        cmocka_unit_test(a_wrong_checksum_is_no_packet),
        cmocka_unit_test(esp_has_no_checksum_of_its_own),
        cmocka_unit_test(each_hop_takes_one_of_the_time_to_live),
        cmocka_unit_test(an_error_about_esp_tells_server_and_spi),
        cmocka_unit_test(an_error_about_ike_tells_the_cookie_if_it_was_quoted),
        cmocka_unit_test(an_error_is_translated_inside_and_outside),
        cmocka_unit_test(errors_about_anything_else_are_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
