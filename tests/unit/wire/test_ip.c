#include "inner.h"

static void a_plain_header_is_read(void **state)
{
    (void)state;
    uint8_t p[100] = {0};
    char text[IP_TEXT_MAX];
    struct ip_info ip;
    size_t n = put_ip(p, 4, IP_PROTO_UDP, 30) + 30;
    assert_int_equal(ip_info((struct view){p, n}, &ip), ERR_OK);
    assert_int_equal(ip.version, 4);
    assert_int_equal(ip.protocol, IP_PROTO_UDP);
    assert_int_equal(ip.transport, 20);
    assert_int_equal(ip.total, 50);
    assert_true(ip.dont_fragment);
    assert_false(ip.fragment);
    assert_string_equal(ip_text(&ip.src, text), "10.7.0.9");
    assert_string_equal(ip_text(&ip.dst, text), "192.0.2.1");
    n = put_ip(p, 6, IP_PROTO_TCP, 30) + 30;
    assert_int_equal(ip_info((struct view){p, n}, &ip), ERR_OK);
    assert_int_equal(ip.version, 6);
    assert_int_equal(ip.transport, 40);
    assert_int_equal(ip.total, 70);
    assert_string_equal(ip_text(&ip.src, text), "fd00::9");
}

static void padding_is_fine_and_a_lack_is_not(void **state)
{
    (void)state;
    uint8_t p[200] = {0};
    for (uint8_t version = 4; version <= 6; version += 2) {
        const size_t n = put_ip(p, version, IP_PROTO_UDP, 30) + 30;
        for (size_t given = 0; given < n + 20; given++) {
            struct ip_info ip = {.total = 7777};
            const enum err e = ip_info((struct view){p, given}, &ip);
            assert_int_equal(e, given >= n ? ERR_OK : ERR_MALFORMED);
            assert_int_equal(ip.total, given >= n ? n : 7777); /* untouched on failure */
        }
    }
}

static void a_header_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    uint8_t p[100] = {0};
    struct ip_info ip;
    const size_t n = put_ip(p, 4, IP_PROTO_UDP, 30) + 30;
    p[0] = 0x44;
    assert_int_equal(ip_info((struct view){p, n}, &ip), ERR_MALFORMED);
    p[0] = 0x4f; /* 60 bytes of header in 50 */
    assert_int_equal(ip_info((struct view){p, n}, &ip), ERR_MALFORMED);
    p[0] = 0x55;
    assert_int_equal(ip_info((struct view){p, n}, &ip), ERR_MALFORMED);
    p[0] = 0x45;
    be16_put(p + 2, 19);
    assert_int_equal(ip_info((struct view){p, n}, &ip), ERR_MALFORMED);
    assert_int_equal(ip_info(VIEW_NONE, &ip), ERR_MALFORMED);
}

static void fragments_are_told(void **state)
{
    (void)state;
    uint8_t p[100] = {0};
    const size_t n = put_ip(p, 4, IP_PROTO_UDP, 30) + 30;
    const struct {
        uint16_t field;
        bool fragment, df;
    } cases[] = {{0x0000, false, false},
                 {0x4000, false, true},
                 {0x2000, true, false},
                 {0x0001, true, false},
                 {0x8000, false, false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ip_info ip;
        be16_put(p + 6, cases[i].field);
        assert_int_equal(ip_info((struct view){p, n}, &ip), ERR_OK);
        assert_true(ip.fragment == cases[i].fragment);
        assert_true(ip.dont_fragment == cases[i].df);
    }
}

/* hop-by-hop (16 bytes) -> fragment (8) -> destination options (8) -> UDP */
static void ipv6_extensions_are_walked(void **state)
{
    (void)state;
    uint8_t p[128] = {0};
    struct ip_info ip;
    const size_t n = put_ip(p, 6, 0, 40) + 40;
    p[40] = 44;
    p[41] = 1;
    p[56] = 60;
    p[57] = 200; /* reserved in a fragment header: no length */
    p[64] = IP_PROTO_UDP;
    assert_int_equal(ip_info((struct view){p, n}, &ip), ERR_OK);
    assert_int_equal(ip.protocol, IP_PROTO_UDP);
    assert_int_equal(ip.transport, 72);
    assert_true(ip.fragment);
    p[65] = 9; /* destination options beyond the packet */
    assert_int_equal(ip_info((struct view){p, n}, &ip), ERR_MALFORMED);
}

static void an_endless_chain_of_extensions_ends(void **state)
{
    (void)state;
    uint8_t p[40 + 8 * 20] = {0};
    struct ip_info ip;
    put_ip(p, 6, 60, sizeof(p) - 40);
    for (size_t at = 40; at < sizeof(p); at += 8)
        p[at] = 60;
    assert_int_equal(ip_info(VIEW(p), &ip), ERR_OK);
    assert_int_equal(ip.protocol, 60); /* what comes next was not looked at */
    assert_int_equal(ip.transport, 40 + 8 * 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_header_is_read),
        cmocka_unit_test(padding_is_fine_and_a_lack_is_not),
        cmocka_unit_test(a_header_that_contradicts_itself_is_refused),
        cmocka_unit_test(fragments_are_told),
        cmocka_unit_test(ipv6_extensions_are_walked),
        cmocka_unit_test(an_endless_chain_of_extensions_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
