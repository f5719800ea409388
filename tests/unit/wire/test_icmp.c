#include "inner.h"

static struct ip_addr ip(const char *text)
{
    struct ip_addr a;
    assert_int_equal(ip_parse(text, &a), ERR_OK);
    return a;
}

static uint8_t packet[1600];
static uint8_t out[1600];

static void the_sender_of_a_large_ipv4_packet_is_told_the_mtu(void **state)
{
    (void)state;
    const struct ip_addr from = ip("10.7.0.1");
    const size_t n = put_ip(packet, 4, IP_PROTO_TCP, 1480) + 1480;
    struct writer w = wr_init(out, sizeof(out));
    assert_int_equal(ip_too_big((struct view){packet, n}, &from, 1400, &w), ERR_OK);
    struct ip_info info;
    assert_int_equal(ip_info(wr_written(&w), &info), ERR_OK);
    assert_int_equal(info.total, w.n);
    assert_true(w.n <= 576); /* RFC 1812 4.3.2.3 */
    assert_int_equal(info.protocol, IP_PROTO_ICMP);
    assert_true(ip_equal(&info.src, &from));
    assert_int_equal(ip4_value(&info.dst), 0x0a070009);
    assert_int_equal(inet_fold(inet_sum(0, out, 20)), 0);
    assert_int_equal(transport_error(out, w.n), 0);
    assert_int_equal(out[20], 3);
    assert_int_equal(out[21], 4);
    assert_int_equal(be16_get(out + 26), 1400);
    assert_memory_equal(out + 28, packet, w.n - 28);
}

static void the_sender_of_a_large_ipv6_packet_too(void **state)
{
    (void)state;
    const struct ip_addr from = ip("fd00::1");
    const size_t n = put_ip(packet, 6, IP_PROTO_UDP, 1460) + 1460;
    struct writer w = wr_init(out, sizeof(out));
    assert_int_equal(ip_too_big((struct view){packet, n}, &from, 1400, &w), ERR_OK);
    assert_true(w.n <= 1280); /* RFC 4443 2.4 (c) */
    assert_int_equal(transport_error(out, w.n), 0);
    assert_int_equal(out[40], 2);
    assert_int_equal(be32_get(out + 44), 1400);
    assert_memory_equal(out + 48, packet, w.n - 48);
}

static void the_sender_of_a_packet_that_took_too_long_is_told(void **state)
{
    (void)state;
    const struct ip_addr from = ip("10.7.0.1");
    const size_t n = put_ip(packet, 4, IP_PROTO_UDP, 60) + 60;
    struct writer w = wr_init(out, sizeof(out));
    assert_int_equal(ip_time_exceeded((struct view){packet, n}, &from, &w), ERR_OK);
    assert_int_equal(transport_error(out, w.n), 0);
    assert_int_equal(out[20], 11);
    assert_int_equal(out[21], 0);
    assert_memory_equal(out + 28, packet, n);
    struct writer again = wr_init(packet, sizeof(packet));
    assert_int_equal(ip_time_exceeded(wr_written(&w), &from, &again), ERR_UNSUPPORTED); /* an error about an error */
}

static void assert_none(size_t n, const char *from)
{
    const struct ip_addr a = ip(from);
    struct writer w = wr_init(out, sizeof(out));
    assert_int_equal(ip_too_big((struct view){packet, n}, &a, 1400, &w), ERR_UNSUPPORTED);
    assert_int_equal(w.n, 0);
}

static void nobody_is_told_where_the_rfcs_forbid_it(void **state)
{
    (void)state;
    size_t n = put_ip(packet, 4, IP_PROTO_TCP, 1480) + 1480;
    packet[6] = 0; /* DF not set: it may be fragmented */
    assert_none(n, "10.7.0.1");
    packet[6] = 0x60;
    assert_none(n, "10.7.0.1");
    n = put_ip(packet, 4, IP_PROTO_TCP, 1480) + 1480;
    packet[16] = 224; /* to a multicast group */
    assert_none(n, "10.7.0.1");
    n = put_ip(packet, 4, IP_PROTO_ICMP, 1480) + 1480;
    packet[20] = 3; /* an ICMP error */
    assert_none(n, "10.7.0.1");
    n = put_ip(packet, 4, IP_PROTO_TCP, 1480) + 1480;
    assert_none(n, "fd00::1");
    assert_none(10, "10.7.0.1");
    n = put_ip(packet, 6, IP_PROTO_ICMPV6, 1460) + 1460;
    packet[40] = 1;
    assert_none(n, "fd00::1");
}

static void a_ping_may_be_told(void **state)
{
    (void)state;
    const struct ip_addr from = ip("10.7.0.1");
    const size_t n = put_ip(packet, 4, IP_PROTO_ICMP, 1480) + 1480;
    packet[20] = 8;
    struct writer w = wr_init(out, sizeof(out));
    assert_int_equal(ip_too_big((struct view){packet, n}, &from, 1400, &w), ERR_OK);
    w = wr_init(out, 100);
    assert_int_equal(ip_too_big((struct view){packet, n}, &from, 1400, &w), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sender_of_a_large_ipv4_packet_is_told_the_mtu),
        cmocka_unit_test(the_sender_of_a_large_ipv6_packet_too),
        cmocka_unit_test(the_sender_of_a_packet_that_took_too_long_is_told),
        cmocka_unit_test(nobody_is_told_where_the_rfcs_forbid_it),
        cmocka_unit_test(a_ping_may_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
