#include "inner.h"

#define SYN 0x02
#define ACK 0x10

/* A SYN whose options begin with `before` NOPs; returns the packet's length and where the MSS value is. */
static size_t put_syn(uint8_t *p, uint8_t version, uint8_t flags, size_t before, uint16_t mss, size_t data, size_t *at)
{
    const size_t options = (before + 4 + 3) / 4 * 4, tcp = 20 + options;
    memset(p, 0, 40 + tcp + data);
    const size_t ip = put_ip(p, version, IP_PROTO_TCP, tcp + data);
    uint8_t *t = p + ip;
    be16_put(t, 50000);
    be16_put(t + 2, 443);
    be32_put(t + 4, 0x01020304);
    t[12] = (uint8_t)(tcp / 4 << 4);
    t[13] = flags;
    be16_put(t + 14, 64240);
    memset(t + 20, 1, options);
    t[20 + before] = 2;
    t[21 + before] = 4;
    be16_put(t + 22 + before, mss);
    for (size_t i = 0; i < data; i++)
        t[tcp + i] = (uint8_t)i;
    be16_put(t + 16, transport_error(p, ip + tcp + data));
    *at = ip + 22 + before;
    return ip + tcp + data;
}

static bool clamp(uint8_t *p, size_t n, uint16_t mss4, uint16_t mss6)
{
    struct ip_info ip;
    return ip_info(view_of(p, n), &ip) == ERR_OK && ip_clamp_mss(p, &ip, mss4, mss6);
}

static void a_large_mss_is_lowered_and_the_checksum_stays_right(void **state)
{
    (void)state;
    uint8_t p[256];
    size_t at;
    for (uint8_t version = 4; version <= 6; version += 2) {
        for (size_t before = 0; before < 9; before++) { /* odd places too */
            const uint16_t limit = version == 4 ? 1360 : 1340;
            const size_t n = put_syn(p, version, SYN, before, 1460, before, &at);
            assert_int_equal(transport_error(p, n), 0);
            assert_true(clamp(p, n, 1360, 1340));
            assert_int_equal(be16_get(p + at), limit);
            assert_int_equal(transport_error(p, n), 0);
            assert_false(clamp(p, n, 1360, 1340));
        }
    }
}

static void every_value_keeps_its_checksum(void **state)
{
    (void)state;
    uint8_t p[256];
    size_t at;
    for (uint32_t mss = 1; mss < 65536; mss += 251) {
        const size_t n = put_syn(p, 4, SYN | ACK, mss % 5, (uint16_t)mss, 0, &at);
        assert_true(clamp(p, n, 1000, 1000) == (mss > 1000));
        assert_int_equal(be16_get(p + at), mss > 1000 ? 1000 : mss);
        assert_int_equal(transport_error(p, n), 0);
    }
}

static void all_else_is_left_alone(void **state)
{
    (void)state;
    uint8_t p[256], before[256];
    size_t at, n = put_syn(p, 4, ACK, 0, 1460, 10, &at); /* no SYN */
    memcpy(before, p, n);
    assert_false(clamp(p, n, 500, 500));
    assert_memory_equal(before, p, n);

    n = put_syn(p, 4, SYN, 0, 1460, 0, &at);
    p[6] = 0x20; /* a fragment */
    assert_false(clamp(p, n, 500, 500));
    n = put_syn(p, 4, SYN, 0, 1460, 0, &at);
    p[9] = IP_PROTO_UDP;
    assert_false(clamp(p, n, 500, 500));
    n = put_syn(p, 4, SYN, 0, 1460, 0, &at);
    p[at - 1] = 3; /* an MSS option of another length */
    assert_false(clamp(p, n, 500, 500));
    n = put_syn(p, 4, SYN, 0, 1460, 0, &at);
    p[at - 2] = 8;
    p[at - 1] = 0; /* an option that would go nowhere */
    assert_false(clamp(p, n, 500, 500));
    n = put_syn(p, 4, SYN, 4, 1460, 0, &at);
    p[at - 6] = 0; /* end of options before it */
    assert_false(clamp(p, n, 500, 500));
    n = put_syn(p, 4, SYN, 0, 1460, 0, &at);
    p[32] = 0xf0; /* a TCP header longer than the packet */
    assert_false(clamp(p, n, 500, 500));
    p[32] = 0x40;
    assert_false(clamp(p, n, 500, 500));
    for (size_t cut = 0; cut < n; cut++) {
        n = put_syn(p, 6, SYN, 0, 1460, 0, &at);
        assert_false(clamp(p, cut, 500, 500));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_mss_is_lowered_and_the_checksum_stays_right),
        cmocka_unit_test(every_value_keeps_its_checksum),
        cmocka_unit_test(all_else_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
