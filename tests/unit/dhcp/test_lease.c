/* The asking side: against our own answers, and against what others might write. */
#include "tests/test.h"

#include "dhcp/dhcp.h"

#define XID 0xcafe0007u

static const struct ip_addr client = {.family = 4, .b = {172, 16, 2, 2}};

/* Our own answer to our own question. */
static struct dhcp_lease round_trip(const struct dhcp_facts *facts)
{
    uint8_t question[DHCP_QUESTION_MAX], answer[DHCP_ANSWER_MAX];
    struct writer q = wr_init(question, sizeof(question)), a = wr_init(answer, sizeof(answer));
    struct dhcp_lease lease;
    dhcp_question(&client, XID, 0, &q); /* --> DHCPINFORM */
    assert_true(wr_ok(&q));
    assert_int_equal(dhcp_answer(wr_written(&q), facts, &a), ERR_OK); /* <-- DHCPACK */
    assert_int_equal(dhcp_learn(wr_written(&a), &client, XID, &lease), ERR_OK);
    return lease;
}

static void our_own_answer_is_understood(void **state)
{
    (void)state;
    const struct dhcp_facts facts = {
        .server = ip4_addr(0xac100201),
        .client = client,
        .dns = {ip4_addr(0xac100035), ip4_addr(0xac100036)},
        .routes = {{ip4_addr(0xac100000), 16}, {ip4_addr(0x0a010200), 23}, {ip4_addr(0), 0}},
        .route_count = 3,
        .domain = "office.example"};
    const struct dhcp_lease lease = round_trip(&facts);
    assert_true(lease.answered);
    assert_int_equal(ip4_value(&lease.dns[0]), 0xac100035);
    assert_int_equal(ip4_value(&lease.dns[1]), 0xac100036);
    assert_int_equal(ip4_value(&lease.mask), 0xffffffff);
    assert_string_equal(lease.domain, "office.example");
    assert_int_equal(lease.route_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(ip_equal(&lease.routes[i].to, &facts.routes[i].to));
        assert_int_equal(lease.routes[i].bits, facts.routes[i].bits);
    }
}

static void an_answer_without_routes_is_an_answer(void **state)
{
    (void)state;
    const struct dhcp_facts facts = {.server = ip4_addr(0xac100201), .client = client};
    const struct dhcp_lease lease = round_trip(&facts);
    assert_true(lease.answered);
    assert_int_equal(lease.route_count, 0);
    assert_int_equal(lease.dns[0].family, 0);
    assert_string_equal(lease.domain, "");
}

static void the_question_is_that_of_windows(void **state)
{
    (void)state;
    uint8_t question[DHCP_QUESTION_MAX];
    struct writer w = wr_init(question, sizeof(question));
    struct ip_info ip;
    dhcp_question(&client, XID, 3, &w);
    assert_int_equal(ip_info(wr_written(&w), &ip), ERR_OK);
    assert_true(dhcp_is_request(&ip, wr_written(&w)));
    assert_int_equal(ip4_value(&ip.src), ip4_value(&client));
    assert_int_equal(ip4_value(&ip.dst), 0xffffffff);
    assert_int_equal(inet_fold(inet_sum(0, question, 20)), 0);
    const uint32_t udp = ip.total - 20;
    assert_int_equal(inet_fold(inet_sum(inet_pseudo_sum(&ip.src, &ip.dst, IP_PROTO_UDP, udp), question + 20, udp)), 0);
    assert_int_equal(be16_get(question + 28 + 8), 3);
}

/* A DHCPACK with these options behind the cookie. */
static size_t ack(uint8_t *out, size_t cap, uint32_t xid, const char *options)
{
    uint8_t bytes[1024];
    const size_t n = unhex(options, bytes, sizeof(bytes));
    struct writer w = wr_init(out, cap);
    wr_u32(&w, 0x45000000 | (uint32_t)(28 + 240 + n));
    wr_u32(&w, 0);
    wr_u32(&w, 0x40110000);
    wr_u32(&w, 0xac100201);
    wr_bytes(&w, client.b, 4);
    wr_u32(&w, 67 << 16 | 68);
    wr_u32(&w, 0);
    wr_u32(&w, 0x02080600);
    wr_u32(&w, xid);
    wr_zero(&w, 4);
    wr_bytes(&w, client.b, 4);
    wr_zero(&w, 12 + 16 + 192);
    wr_u32(&w, 0x63825363);
    wr_bytes(&w, bytes, n);
    assert_true(wr_ok(&w));
    return w.n;
}

static enum err learn(const char *options, struct dhcp_lease *lease)
{
    uint8_t packet[1500];
    return dhcp_learn(view_of(packet, ack(packet, sizeof(packet), XID, options)), &client, XID, lease);
}

static void parts_of_an_option_are_put_together(void **state)
{
    (void)state;
    struct dhcp_lease lease;
    assert_int_equal(learn("350105 79 04 10ac10ac 06 04 ac100035 79 03 100201 ff", &lease), ERR_OK); /* RFC 3396 */
    assert_int_equal(lease.route_count, 1);
    assert_int_equal(ip4_value(&lease.routes[0].to), 0xac100000);
    assert_int_equal(lease.routes[0].bits, 16);
}

static void microsofts_number_counts_only_alone(void **state)
{
    (void)state;
    struct dhcp_lease lease;
    assert_int_equal(learn("350105 f9 06 08 0a ac100201 ff", &lease), ERR_OK);
    assert_int_equal(ip4_value(&lease.routes[0].to), 0x0a000000);
    assert_int_equal(learn("350105 f9 06 08 0a ac100201 79 07 10 ac10 ac100201 ff", &lease), ERR_OK);
    assert_int_equal(lease.route_count, 1);
    assert_int_equal(ip4_value(&lease.routes[0].to), 0xac100000);
}

static void bits_behind_the_prefix_count_as_zero(void **state)
{
    (void)state;
    struct dhcp_lease lease;
    assert_int_equal(learn("350105 79 08 17 0a01ff ac100201 ff", &lease), ERR_OK);
    assert_int_equal(ip4_value(&lease.routes[0].to), 0x0a01fe00);
}

static void what_is_broken_or_for_another_is_not_taken(void **state)
{
    (void)state;
    struct dhcp_lease lease = {.route_count = 77};
    uint8_t packet[1500];
    assert_int_equal(learn("350105 79 06 21 0a ac100201 ff", &lease), ERR_MALFORMED); /* a prefix of 33 bits */
    assert_int_equal(learn("350105 79 05 08 0a ac1002 ff", &lease), ERR_MALFORMED);   /* half a gateway */
    assert_int_equal(learn("350105 79 ff 08", &lease), ERR_MALFORMED);                /* beyond the packet */
    assert_int_equal(learn("350106 ff", &lease), ERR_UNSUPPORTED);                    /* DHCPNAK */
    assert_int_equal(learn("ff", &lease), ERR_UNSUPPORTED);                           /* BOOTP */
    const size_t n = ack(packet, sizeof(packet), XID + 1, "350105 ff");
    assert_int_equal(dhcp_learn(view_of(packet, n), &client, XID, &lease), ERR_UNSUPPORTED);
    const struct ip_addr other = ip4_addr(0xac100203);
    assert_int_equal(dhcp_learn(view_of(packet, n), &other, XID + 1, &lease), ERR_UNSUPPORTED);
    packet[23] = 67;
    assert_int_equal(dhcp_learn(view_of(packet, n), &client, XID + 1, &lease), ERR_UNSUPPORTED);
    assert_int_equal(lease.route_count, 77);
}

static void a_domain_that_is_none_is_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *option, *domain;
    } cases[] = {{"0f 09 6f66666963652e6c 00", "office.l"},
                 {"0f 03 612e2e", "a"},
                 {"0f 07 61 0a 6e616d65 73", ""},
                 {"0f 02 2d61", ""},
                 {"0f 04 61206220", ""},
                 {"0f 00", ""}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char options[128];
        struct dhcp_lease lease;
        snprintf(options, sizeof(options), "350105 %s ff", cases[i].option);
        assert_int_equal(learn(options, &lease), ERR_OK);
        assert_string_equal(lease.domain, cases[i].domain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_answer_is_understood),
        cmocka_unit_test(an_answer_without_routes_is_an_answer),
        cmocka_unit_test(the_question_is_that_of_windows),
        cmocka_unit_test(parts_of_an_option_are_put_together),
        cmocka_unit_test(microsofts_number_counts_only_alone),
        cmocka_unit_test(bits_behind_the_prefix_count_as_zero),
        cmocka_unit_test(what_is_broken_or_for_another_is_not_taken),
        cmocka_unit_test(a_domain_that_is_none_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
