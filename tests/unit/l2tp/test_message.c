/* AVPs: the dictionary, what is tolerated, what is refused, and that what we write is what the dictionary allows. */
#include "tests/unit/l2tp/world.h"

#include "l2tp/l2tp_internal.h"

static enum drop parse_with(const char *hex, struct view secret, struct message *m)
{
    static struct scratch scratch;
    static uint8_t bytes[1024];
    return l2tp_message_parse(view_of(bytes, unhex(hex, bytes, sizeof(bytes))), secret, &scratch, m);
}

static enum drop parse(const char *hex, struct message *m)
{
    return parse_with(hex, VIEW_NONE, m);
}

#define SCCRQ "8008 0000 0000 0001  8008 0000 0002 0100  8008 0000 0009 0021 "
#define CDN   "8008 0000 0000 000e  8008 0000 000e 0042 "

static void the_dictionary_has_the_rfcs_names_and_no_holes_it_should_not_have(void **state)
{
    (void)state;
    for (uint16_t i = 0; i <= 39; i++) {
        const struct avp_rule *rule = l2tp_avp_rule(i);
        if (i == 20) {
            assert_null(rule);
            continue;
        }
        assert_non_null(rule);
        assert_int_equal(rule->attribute, i);
        assert_true(rule->min <= rule->max);
    }
    assert_null(l2tp_avp_rule(40));
    assert_null(l2tp_avp_rule(65535));
    assert_string_equal(l2tp_message_name(4), "StopCCN");
    assert_null(l2tp_message_rule(5));
    assert_null(l2tp_message_rule(13));
}

static void the_first_avp_must_be_the_message_type(void **state)
{
    (void)state;
    struct message m;
    assert_int_equal(parse("8008 0000 0002 0100  8008 0000 0000 0001", &m), DROP_L2TP_AVP);
    assert_int_equal(parse("c008 0000 0000 0001", &m), DROP_L2TP_AVP);    /* hidden */
    assert_int_equal(parse("8008 0009 0000 0001", &m), DROP_L2TP_AVP);    /* a vendor's */
    assert_int_equal(parse("8009 0000 0000 0001 00", &m), DROP_L2TP_AVP); /* too long */
    assert_int_equal(parse("8008 0000 0000 0000", &m), DROP_L2TP_AVP);    /* no such message */
    assert_int_equal(parse("8008 0000 0000 0006", &m), DROP_NONE);
    assert_int_equal(m.type, MSG_HELLO);
}

static void lengths_that_contradict_themselves_are_malformed(void **state)
{
    (void)state;
    struct message m;
    assert_int_equal(parse(SCCRQ "8005 0000 0007", &m), DROP_L2TP_AVP);
    assert_int_equal(parse(SCCRQ "8000 0000 0007", &m), DROP_L2TP_AVP);
    assert_int_equal(parse(SCCRQ "8007 0000 0007", &m), DROP_L2TP_AVP);
    assert_int_equal(parse(SCCRQ "80", &m), DROP_L2TP_AVP);
    assert_int_equal(parse(SCCRQ "8009 0000 000a 0001 00", &m), DROP_L2TP_AVP); /* mandatory and of wrong size */
    assert_int_equal(parse(SCCRQ "0009 0000 0006 0001 00", &m), DROP_NONE);     /* optional: passed over */
}

static void a_request_without_a_tunnel_id_is_missing_it(void **state)
{
    (void)state;
    struct message m;
    assert_int_equal(parse("8008 0000 0000 0001  8008 0000 0002 0100", &m), DROP_L2TP_MISSING);
    assert_int_equal(parse("8008 0000 0000 0001  8008 0000 0009 0021", &m), DROP_L2TP_MISSING);
    assert_int_equal(parse("8008 0000 0000 0001  8008 0000 0002 0100 8008 0000 0009 0000", &m), DROP_L2TP_AVP);
    assert_int_equal(parse(SCCRQ, &m), DROP_NONE);
    assert_int_equal(m.tunnel_id, 0x21);
}

static void unknown_avps_are_passed_over_unless_mandatory(void **state)
{
    (void)state;
    struct message m;
    assert_int_equal(parse(SCCRQ "0008 0000 0063 0000", &m), DROP_NONE);
    assert_false(m.refused);
    /* Microsoft's Correlation ID is (311, 1) and no Result Code; Cisco's (9, 9) no Assigned Tunnel ID. */
    assert_int_equal(parse(SCCRQ "0008 0009 0009 0099", &m), DROP_NONE);
    assert_false(m.refused);
    assert_int_equal(m.tunnel_id, 0x21);
    assert_int_equal(parse(SCCRQ "8008 0000 0063 0000", &m), DROP_NONE);
    assert_true(m.refused);
    assert_int_equal(m.refused_attribute, 0x63);
    assert_int_equal(parse(SCCRQ "8008 0009 0009 0099", &m), DROP_NONE);
    assert_true(m.refused);
    assert_int_equal(m.refused_vendor, 9);
    /* RFC 2661 4.1: a reserved bit makes any AVP an unknown one. */
    assert_int_equal(parse(SCCRQ "a00a 0000 0003 0000 0003", &m), DROP_NONE);
    assert_true(m.refused);
    assert_int_equal(parse(SCCRQ "200a 0000 0003 0000 0003", &m), DROP_NONE);
    assert_false(m.refused);
}

static void result_codes_come_in_many_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *avp;
        uint16_t result, error;
        size_t text;
    } cases[] = {
        {"8008 0000 0001 0006", 6, 0, 0},                /* Android, RouterOS */
        {"800a 0000 0001 0003 0000", 3, 0, 0},           /* Windows */
        {"800e 0000 0001 0002 0006 62757379", 2, 6, 4},  /* with text */
        {"800e 0000 0001 0300 1234 5678 9abc", 3, 0, 0}, /* Apple: swapped, six stray bytes */
        {"800e 0000 0001 0100 0000 0000 0000", 1, 0, 0}, /* Apple's StopCCN */
        {"8009 0000 0001 0001 00", 1, 0, 0},             /* half an error code */
        {"8007 0000 0001 03", 0, 0, 0},                  /* no result at all */
        {"8006 0000 0001", 0, 0, 0},
        {"", 0, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char hex[256];
        snprintf(hex, sizeof(hex), CDN "%s", cases[i].avp);
        struct message m;
        assert_int_equal(parse(hex, &m), DROP_NONE);
        assert_int_equal(m.result, cases[i].result);
        assert_int_equal(m.error, cases[i].error);
        assert_int_equal(m.text.n, cases[i].text);
    }
}

static void hidden_values_need_the_secret_and_a_vector_before_them(void **state)
{
    (void)state;
    static const uint8_t vector[] = {1, 2, 3, 4};
    const struct view secret = view_str("s3cret");
    uint8_t covered[4];
    assert_int_equal(l2tp_hidden_cover(secret, VIEW(vector), 9, VIEW(((uint8_t[]){0x12, 0x34})), covered), ERR_OK);
    char plain[512], late[512];
    snprintf(plain, sizeof(plain),
             "8008 0000 0000 0001 8008 0000 0002 0100 800a 0000 0024 01020304 c00a 0000 0009 %02x%02x%02x%02x",
             covered[0], covered[1], covered[2], covered[3]);
    snprintf(late, sizeof(late),
             "8008 0000 0000 0001 8008 0000 0002 0100 c00a 0000 0009 %02x%02x%02x%02x 800a 0000 0024 01020304",
             covered[0], covered[1], covered[2], covered[3]);
    struct message m;
    assert_int_equal(parse_with(plain, secret, &m), DROP_NONE);
    assert_false(m.refused);
    assert_int_equal(m.tunnel_id, 0x1234);
    assert_int_equal(parse(plain, &m), DROP_NONE);
    assert_true(m.refused);
    assert_int_equal(parse_with(late, secret, &m), DROP_NONE);
    assert_true(m.refused);
    assert_int_equal(parse_with(plain, view_str("other"), &m), DROP_L2TP_AVP);
}

static void every_way_to_cut_a_list_is_survived(void **state)
{
    (void)state;
    static const char whole[] =
        SCCRQ "800f 0000 0007 616e6f6e796d6f7573 800a 0000 0003 00000003 8008 0000 000a 0001 "
              "8016 0000 000b 000102030405060708090a0b0c0d0e0f 000f 0000 0008 4d696372 6f736f6674";
    uint8_t bytes[256];
    const size_t n = unhex(whole, bytes, sizeof(bytes));
    for (size_t cut = 0; cut <= n; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);
        memcpy(copy, bytes, cut);
        struct scratch scratch;
        struct message m;
        (void)l2tp_message_parse(view_of(copy, cut), VIEW_NONE, &scratch, &m);
        free(copy);
    }
}

/* Windows tears a tunnel down over an AVP of wrong M bit, an unknown one, or one out of place. */
static void assert_orthodox(const struct message_bytes *said)
{
    struct reader r = rd_init(view_of(said->p, said->n));
    rd_skip(&r, 12);
    const unsigned type = message_type_of(view_of(said->p, said->n));
    assert_memory_equal(said->p + 12, ((uint8_t[]){0x80, 8, 0, 0, 0, 0}), 6);
    while (rd_left(&r) > 0) {
        struct avp_raw a;
        l2tp_avp_next(&r, &a);
        assert_true(rd_ok(&r));
        const struct avp_rule *rule = l2tp_avp_rule(a.attribute);
        assert_non_null(rule);
        assert_false(a.reserved);
        assert_int_equal(a.vendor, 0);
        assert_int_equal(a.mandatory, rule->mandatory);
        assert_true(!a.hidden || rule->hide);
        assert_true(rule->messages & UINT32_C(1) << type);
        if (!a.hidden)
            assert_in_range(a.value.n, rule->min, rule->max);
    }
}

static int check_and_deliver(struct pair *p, bool to_lns, struct view message)
{
    (void)p, (void)to_lns;
    struct message_bytes copy = {.n = message.n};
    memcpy(copy.p, message.p, message.n);
    if (message.n > 12)
        assert_orthodox(&copy);
    return 0;
}

static void all_that_we_say_is_in_the_dictionary_with_its_m_bit(void **state)
{
    (void)state;
    for (int kind = 0; kind < 8; kind++) {
        struct l2tp_config a = usual_config("lac"), b = usual_config("lns");
        a.sequencing = kind & 1;
        a.hide_avps = b.hide_avps = kind & 2;
        if (kind & 4) {
            (void)secret_set(&a.secret, view_str("s"));
            (void)secret_set(&b.secret, view_str("s"));
        }
        struct pair p;
        pair_start(&p, &a, &b, (uint64_t)kind + 1);
        p.way = check_and_deliver;
        pair_connect(&p);
        pair_run(&p, p.now + 200 * USEC_SEC); /* Hellos */
        l2tp_session_close(p.lns.l2tp, p.now, told(&p.lns, L2TP_EVENT_SESSION_UP)->session, CAUSE_ADMIN);
        pair_run(&p, p.now + 60 * USEC_SEC);
        assert_non_null(told(&p.lac, L2TP_EVENT_TUNNEL_DOWN));
        pair_stop(&p);
    }
}

static void a_peers_text_is_made_harmless(void **state)
{
    (void)state;
    char out[16];
    l2tp_text_printable(out, sizeof(out), view_of("host\0", 5));
    assert_string_equal(out, "host");
    l2tp_text_printable(out, sizeof(out), view_of("a\033[2J\nb", 7));
    assert_string_equal(out, "a?[2J?b");
    l2tp_text_printable(out, sizeof(out), view_str("0123456789abcdefgh"));
    assert_string_equal(out, "0123456789abcde");
    l2tp_text_printable(out, sizeof(out), VIEW_NONE);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dictionary_has_the_rfcs_names_and_no_holes_it_should_not_have),
        cmocka_unit_test(the_first_avp_must_be_the_message_type),
        cmocka_unit_test(lengths_that_contradict_themselves_are_malformed),
        cmocka_unit_test(a_request_without_a_tunnel_id_is_missing_it),
        cmocka_unit_test(unknown_avps_are_passed_over_unless_mandatory),
        cmocka_unit_test(result_codes_come_in_many_shapes),
        cmocka_unit_test(hidden_values_need_the_secret_and_a_vector_before_them),
        cmocka_unit_test(every_way_to_cut_a_list_is_survived),
        cmocka_unit_test(all_that_we_say_is_in_the_dictionary_with_its_m_bit),
        cmocka_unit_test(a_peers_text_is_made_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
