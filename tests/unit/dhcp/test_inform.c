#include "tests/test.h"

#include "dhcp/dhcp.h"

#define CLIENT 0xac100202u

static struct dhcp_facts facts(void)
{
    struct dhcp_facts f = {
        .server = ip4_addr(0xac100201),
        .client = ip4_addr(CLIENT),
        .dns = {ip4_addr(0xac100035)},
        .routes = {{ip4_addr(0xac100000), 16}, {ip4_addr(0x0a010200), 23}},
        .route_count = 2,
        .domain = "office.example",
    };
    return f;
}

/* As Apple and Windows send it: from the PPP address to the broadcast address. */
static size_t inform(uint8_t *out, size_t cap, uint32_t from, uint8_t message)
{
    struct writer w = wr_init(out, cap);
    wr_u32(&w, 0x45000000);
    wr_u32(&w, 0);
    wr_u32(&w, 0x40110000);
    wr_u32(&w, from);
    wr_u32(&w, 0xffffffff);
    wr_u16(&w, 68);
    wr_u16(&w, 67);
    wr_u32(&w, 0);
    wr_u32(&w, 0x01080600);
    wr_u32(&w, 0xcafe0001);
    wr_u32(&w, 0);
    wr_u32(&w, from);
    wr_zero(&w, 12);
    wr_u32(&w, 1);
    wr_zero(&w, 12 + 192);
    wr_u32(&w, 0x63825363);
    const uint8_t options[] = {53, 1, message, 61, 3, 8, 0, 0, 55, 6, 6, 44, 43, 1, 249, 15, 255};
    wr_bytes(&w, options, sizeof(options));
    wr_patch16(&w, 2, (uint16_t)w.n);
    wr_patch16(&w, 24, (uint16_t)(w.n - 20));
    assert_true(wr_ok(&w));
    return w.n;
}

static struct view option(struct view packet, uint8_t wanted)
{
    struct reader r = rd_init(packet);
    rd_skip(&r, 28 + 236 + 4);
    while (rd_ok(&r) && rd_left(&r) > 0) {
        const uint8_t number = rd_u8(&r);
        if (number == 255)
            break;
        struct reader body = rd_block8(&r);
        if (number == wanted)
            return rd_rest(&body);
    }
    return VIEW_NONE;
}

static void the_answer_brings_routes_dns_and_domain(void **state)
{
    (void)state;
    uint8_t in[600], out[DHCP_ANSWER_MAX];
    struct writer w = wr_init(out, sizeof(out));
    const struct dhcp_facts f = facts();
    const size_t n = inform(in, sizeof(in), CLIENT, 8);
    assert_int_equal(dhcp_answer(view_of(in, n), &f, &w), ERR_OK);
    struct ip_info ip;
    const struct view answer = wr_written(&w);
    assert_int_equal(ip_info(answer, &ip), ERR_OK);
    assert_int_equal(ip4_value(&ip.dst), CLIENT);
    assert_int_equal(be32_get(out + 28 + 4), 0xcafe0001);
    assert_int_equal(be32_get(out + 28 + 16), 0);
    const uint8_t routes[] = {16, 172, 16, 172, 16, 2, 1, 23, 10, 1, 2, 172, 16, 2, 1};
    assert_true(view_equal(option(answer, 121), VIEW(routes)));
    assert_true(view_equal(option(answer, 249), VIEW(routes)));
    const uint8_t dns[] = {172, 16, 0, 53};
    assert_true(view_equal(option(answer, 6), VIEW(dns)));
    assert_true(view_equal(option(answer, 15), view_str("office.example")));
    assert_int_equal(option(answer, 53).p[0], 5);
    const uint32_t pseudo = inet_pseudo_sum(&ip.src, &ip.dst, IP_PROTO_UDP, ip.total - 20);
    assert_int_equal(inet_fold(inet_sum(pseudo, out + 20, ip.total - 20)), 0);
}

static void what_is_no_inform_of_this_peer_gets_no_answer(void **state)
{
    (void)state;
    uint8_t in[600], out[DHCP_ANSWER_MAX];
    const struct dhcp_facts f = facts();
    struct writer w = wr_init(out, sizeof(out));
    size_t n = inform(in, sizeof(in), CLIENT, 1); /* DISCOVER */
    assert_int_equal(dhcp_answer(view_of(in, n), &f, &w), ERR_UNSUPPORTED);
    n = inform(in, sizeof(in), CLIENT + 1, 8);
    assert_int_equal(dhcp_answer(view_of(in, n), &f, &w), ERR_AUTH);
    assert_int_equal(w.n, 0);
}

static void cut_anywhere_it_gets_no_answer(void **state)
{
    (void)state;
    uint8_t in[600], out[DHCP_ANSWER_MAX];
    const struct dhcp_facts f = facts();
    const size_t whole = inform(in, sizeof(in), CLIENT, 8);
    for (size_t n = 20; n < whole - 17; n++) {
        struct writer w = wr_init(out, sizeof(out));
        be16_put(in + 2, (uint16_t)n);
        assert_int_not_equal(dhcp_answer(view_of(in, n), &f, &w), ERR_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_brings_routes_dns_and_domain),
        cmocka_unit_test(what_is_no_inform_of_this_peer_gets_no_answer),
        cmocka_unit_test(cut_anywhere_it_gets_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
