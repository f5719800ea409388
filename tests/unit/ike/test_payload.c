/* Headers, payload chains, attributes, identities, notifications and Deletes as bytes. */
#include "ike/ike_internal.h"
#include "tests/test.h"

static uint8_t bytes[512];

static struct view hex(const char *text)
{
    return view_of(bytes, unhex(text, bytes, sizeof(bytes)));
}

static void a_header_is_read_and_bounds_the_message(void **state)
{
    (void)state;
    struct header h;
    struct view body;
    const struct view v = hex("0102030405060708 1112131415161718 01 10 02 00 00000000 00000020 aabbccdd ee");
    assert_int_equal(header_parse(v, &h, &body), DROP_NONE);
    assert_int_equal(h.exchange, EXCHANGE_MAIN);
    assert_int_equal(h.next, PAYLOAD_SA);
    assert_int_equal(body.n, 4); /* bytes beyond the header's length do not belong to it */
}

static void a_header_that_claims_too_much_or_another_version_is_refused(void **state)
{
    (void)state;
    struct header h;
    struct view body;
    assert_int_equal(header_parse(hex("0102030405060708"), &h, &body), DROP_IKE_SHORT);
    assert_int_equal(
        header_parse(hex("0102030405060708 1112131415161718 01 10 02 00 00000000 00000021 aabbccdd"), &h, &body),
        DROP_IKE_SHORT);
    assert_int_equal(header_parse(hex("0102030405060708 1112131415161718 01 10 02 00 00000000 0000001b"), &h, &body),
                     DROP_IKE_SHORT);
    assert_int_equal(header_parse(hex("0102030405060708 1112131415161718 21 20 22 08 00000000 0000001c"), &h, &body),
                     DROP_IKE_VERSION);
}

static void a_chain_is_walked_to_its_end(void **state)
{
    (void)state;
    struct payloads p;
    assert_int_equal(payloads_parse(PAYLOAD_KE, hex("0a000006 aabb 0d000005 cc 00000004"), false, &p), DROP_NONE);
    assert_int_equal(p.n, 3);
    assert_int_equal(p.at[1].type, PAYLOAD_NONCE);
    assert_int_equal(payload_body(&p, PAYLOAD_KE).n, 2);
    assert_int_equal(payload_body(&p, PAYLOAD_VENDOR).n, 0);
    assert_int_equal(p.after_first.n, 9);
}

static void more_than_a_word_of_padding_may_follow_only_what_was_encrypted(void **state)
{
    (void)state;
    struct payloads p;
    assert_int_equal(payloads_parse(PAYLOAD_HASH, hex("00000006 aabb 0000"), false, &p), DROP_NONE); /* libreswan */
    assert_int_equal(p.after_first.n, 0);
    assert_int_equal(payloads_parse(PAYLOAD_HASH, hex("00000006 aabb 00000000"), false, &p), DROP_IKE_MALFORMED);
    assert_int_equal(payloads_parse(PAYLOAD_HASH, hex("00000006 aabb 00000000"), true, &p), DROP_NONE);
    assert_int_equal(p.after_first.n, 0); /* padding is not covered by HASH */
}

static void a_chain_that_contradicts_itself_is_malformed(void **state)
{
    (void)state;
    struct payloads p;
    static const char *const bad[] = {
        "00000003",      /* shorter than its own header */
        "00000009 aabb", /* longer than the message */
        "05000006 aabb", /* promises another */
        "00010006 aabb", /* reserved byte */
        "0000",          /* no header */
        "",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(payloads_parse(PAYLOAD_KE, hex(bad[i]), true, &p), DROP_IKE_MALFORMED);
    assert_int_equal(payloads_parse(PAYLOAD_NONE, hex("00000004"), true, &p), DROP_IKE_MALFORMED);
}

static void a_chain_has_a_limit(void **state)
{
    (void)state;
    struct payloads p;
    struct writer w = wr_init(bytes, sizeof(bytes));
    for (int i = 0; i <= PAYLOADS_MAX; i++)
        wr_u32(&w, i < PAYLOADS_MAX ? 0x0d000004 : 0x00000004);
    assert_int_equal(payloads_parse(PAYLOAD_VENDOR, wr_written(&w), false, &p), DROP_IKE_MALFORMED);
}

static void a_form_counts_payloads(void **state)
{
    (void)state;
    struct payloads p;
    assert_int_equal(payloads_parse(PAYLOAD_KE, hex("0a000006 aabb 00000005 cc"), false, &p), DROP_NONE);
    assert_int_equal(form_check(FORM_MM_KE, &p), DROP_NONE);
    assert_int_equal(form_check(FORM_MM_ID, &p), DROP_IKE_PAYLOADS);
    assert_int_equal(payloads_parse(PAYLOAD_KE, hex("04000006 aabb 0a000006 aabb 00000005 cc"), false, &p), DROP_NONE);
    assert_int_equal(form_check(FORM_MM_KE, &p), DROP_IKE_PAYLOADS);
}

static void attributes_come_short_and_long(void **state)
{
    (void)state;
    struct attribute a;
    struct reader r = rd_init(hex("800b0001 000c000400007080 000c00020e10 000c0009ffffffffffffffffff 000c0000"));
    assert_true(attribute_next(&r, &a));
    assert_int_equal(a.type, 11);
    assert_int_equal(a.value, 1);
    assert_true(attribute_next(&r, &a));
    assert_int_equal(a.type, 12);
    assert_int_equal(a.value, 28800);
    assert_true(attribute_next(&r, &a));
    assert_int_equal(a.value, 3600);
    assert_true(attribute_next(&r, &a));
    assert_true(a.value == UINT64_MAX);
    assert_true(attribute_next(&r, &a));
    assert_int_equal(a.value, 0);
    assert_false(attribute_next(&r, &a));
    assert_true(rd_ok(&r));
}

static void a_cut_attribute_fails_its_reader(void **state)
{
    (void)state;
    struct attribute a;
    struct reader r = rd_init(hex("000c0004000070"));
    assert_false(attribute_next(&r, &a));
    assert_false(rd_ok(&r));
    r = rd_init(hex("80"));
    assert_false(attribute_next(&r, &a));
    assert_false(rd_ok(&r));
}

static void attributes_are_written_as_short_as_they_fit(void **state)
{
    (void)state;
    uint8_t out[16], expected[16];
    struct writer w = wr_init(out, sizeof(out));
    attribute_write(&w, 12, 28800);
    attribute_write(&w, 12, 86400);
    assert_memory_equal(out, expected, unhex("800c7080 000c000400015180", expected, sizeof(expected)));
}

static void identities_have_names_for_people(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *text;
    } cases[] = {
        {"01 11 01f4 c0000201", "192.0.2.1"},
        {"01 00 0000 c0000201", "192.0.2.1"},
        {"05 00 0000 20010db8000000000000000000000001", "2001:db8::1"},
        {"02 11 06a5 50432d31", "PC-1"},
        {"03 00 0000 6140622e63", "a@b.c"},
        {"0b 00 0000 67726f7570", "@group"},
        {"0b 00 0000 670a22", "@g\\x0a\""},
        {"09 00 0000 3000", "der:3000"},
        {"09 00 0000 3010 310e 300c 0603550403 0c05 616c696365", "CN=alice"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct identity id;
        char text[IDENTITY_TEXT_MAX];
        assert_int_equal(identity_parse(hex(cases[i].hex), &id), DROP_NONE);
        identity_text(&id, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void identities_that_do_not_fit_their_type_are_refused(void **state)
{
    (void)state;
    struct identity id;
    static const char *const bad[] = {"01 11 01f4 c00002", "05 00 0000 c0000201", "00 00 0000 c0000201", "01 00"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(identity_parse(hex(bad[i]), &id), DROP_IKE_ID);
}

static void notifications_and_deletes_are_read(void **state)
{
    (void)state;
    struct notify n;
    struct delete_list d;
    assert_int_equal(notify_parse(hex("00000001 01 04 000e 01020304 aabb"), &n), DROP_NONE);
    assert_int_equal(n.type, NOTIFY_NO_PROPOSAL_CHOSEN);
    assert_int_equal(n.spi.n, 4);
    assert_int_equal(n.data.n, 2);
    assert_int_equal(notify_parse(hex("00000001 01 10 000e 01020304"), &n), DROP_IKE_MALFORMED);
    assert_int_equal(delete_parse(hex("00000001 03 04 0002 01020304 05060708"), &d), DROP_NONE);
    assert_int_equal(d.count, 2);
    assert_int_equal(delete_parse(hex("00000001 03 04 0003 01020304 05060708"), &d), DROP_IKE_MALFORMED);
    assert_int_equal(delete_parse(hex("00000001 03 04 0001 01020304 05060708"), &d), DROP_IKE_MALFORMED);
    assert_string_equal(notify_word(14), "no proposal chosen");
}

static void certificates_come_in_two_encodings(void **state)
{
    (void)state;
    assert_int_equal(certificate_read(hex("04 3003020101")).p[0], 0x30);
    assert_int_equal(certificate_read(hex("04 3003020101")).n, 5);
    assert_int_equal(certificate_read(hex("01 3003020101")).n, 5); /* PKCS #7 */
    assert_int_equal(certificate_read(hex("07 3003020101")).n, 0); /* a CRL */
    assert_int_equal(certificate_read(hex("04")).n, 0);
    assert_int_equal(certificate_read(VIEW_NONE).n, 0);
    struct view authority;
    assert_true(request_read(hex("04 3000"), &authority));
    assert_int_equal(authority.n, 2);
    assert_true(request_read(hex("04"), &authority)); /* any */
    assert_int_equal(authority.n, 0);
    assert_false(request_read(hex("0b 3000"), &authority)); /* a raw key */
    assert_false(request_read(VIEW_NONE, &authority));
}

static size_t requests_of(const struct view *authorities, size_t n, struct view *first)
{
    struct draft d;
    struct header h;
    struct view body;
    static struct payloads p;
    static uint8_t copy[MESSAGE_SMALL];
    const struct header cookies = {0};
    draft_begin(&d, &cookies, EXCHANGE_MAIN, 0);
    requests_write(&d, authorities, n);
    const struct view whole = draft_finish(&d);
    memcpy(copy, whole.p, whole.n);
    assert_int_equal(header_parse(view_of(copy, whole.n), &h, &body), DROP_NONE);
    assert_int_equal(payloads_parse(h.next, body, false, &p), DROP_NONE);
    assert_int_equal(payload_count(&p, PAYLOAD_CERT_REQUEST), p.n);
    assert_true(request_read(p.at[0].body, first));
    return p.n;
}

static void too_many_authorities_are_asked_for_without_names(void **state)
{
    (void)state;
    static const uint8_t der[2049] = {0x30};
    struct view authorities[17], first;
    for (size_t i = 0; i < ARRAY_LEN(authorities); i++)
        authorities[i] = view_of(der, 20);
    assert_int_equal(requests_of(authorities, 16, &first), 16);
    assert_int_equal(first.n, 20);
    assert_int_equal(requests_of(authorities, 17, &first), 1);
    assert_int_equal(first.n, 0);
    assert_int_equal(requests_of(NULL, 0, &first), 1);
    assert_int_equal(first.n, 0);
    authorities[0] = VIEW(der);
    assert_int_equal(requests_of(authorities, 1, &first), 1);
    assert_int_equal(first.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read_and_bounds_the_message),
        cmocka_unit_test(a_header_that_claims_too_much_or_another_version_is_refused),
        cmocka_unit_test(a_chain_is_walked_to_its_end),
        cmocka_unit_test(more_than_a_word_of_padding_may_follow_only_what_was_encrypted),
        cmocka_unit_test(a_chain_that_contradicts_itself_is_malformed),
        cmocka_unit_test(a_chain_has_a_limit),
        cmocka_unit_test(a_form_counts_payloads),
        cmocka_unit_test(attributes_come_short_and_long),
        cmocka_unit_test(a_cut_attribute_fails_its_reader),
        cmocka_unit_test(attributes_are_written_as_short_as_they_fit),
        cmocka_unit_test(identities_have_names_for_people),
        cmocka_unit_test(identities_that_do_not_fit_their_type_are_refused),
        cmocka_unit_test(notifications_and_deletes_are_read),
        cmocka_unit_test(certificates_come_in_two_encodings),
        cmocka_unit_test(too_many_authorities_are_asked_for_without_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
