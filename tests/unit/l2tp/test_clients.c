/* The clients of the world, byte for byte where their bytes are known, with the checks they make on our answers. */
#include "tests/unit/l2tp/world.h"

#include "l2tp/l2tp_internal.h"

static void start(struct host *lns)
{
    struct l2tp_config config = usual_config("gateway");
    config.receive_window = 8;
    host_start(lns, &config, 1);
}

/* What the hand says next is in its buffer already: only the header's numbers are stamped. */
static void stamp(struct message_bytes *m, uint16_t tunnel_id, uint16_t session_id, uint16_t ns, uint16_t nr)
{
    be16_put(m->p + 2, (uint16_t)m->n);
    be16_put(m->p + 4, tunnel_id);
    be16_put(m->p + 6, session_id);
    be16_put(m->p + 8, ns);
    be16_put(m->p + 10, nr);
}

static struct message_bytes from_hex(const char *hex)
{
    struct message_bytes m = {0};
    m.n = unhex(hex, m.p, sizeof(m.p));
    return m;
}

static enum drop hear(struct host *lns, const struct message_bytes *m)
{
    return host_hears(lns, 0, view_of(m->p, m->n));
}

/* ---- Android's mtpd ---- */

struct mtpd {
    uint16_t tunnel, peer_tunnel, session, peer_session, ns, nr;
};

/* It reads a message only so: exact flags, exact length, the first AVP the message type, and Nr equal to its own Ns. */
static unsigned mtpd_reads(struct mtpd *phone, const struct message_bytes *m)
{
    assert_int_equal(word_at(m, 0) & 0xcb0f, 0xc802);
    assert_int_equal(word_at(m, 2), m->n);
    assert_int_equal(word_at(m, 4), phone->tunnel);
    assert_int_equal(word_at(m, 10), phone->ns);
    if (m->n == 12)
        return 0;
    assert_memory_equal(m->p + 12, "\x80\x08\0\0\0\0", 6);
    assert_int_equal(word_at(m, 8), phone->nr);
    phone->nr++;
    return message_type_of(view_of(m->p, m->n));
}

static void mtpd_says(struct mtpd *phone, struct host *lns, const char *body, uint16_t session_id)
{
    char hex[512];
    snprintf(hex, sizeof(hex), "c802 0000 0000 0000 0000 0000 %s", body);
    struct message_bytes m = from_hex(hex);
    stamp(&m, phone->peer_tunnel, session_id, phone->ns++, phone->nr);
    assert_int_equal(hear(lns, &m), DROP_NONE);
}

static void android_connects_and_says_goodbye(void **state)
{
    (void)state;
    struct host lns;
    start(&lns);
    struct mtpd phone = {.tunnel = 0x4d2a, .session = 0x77aa};
    struct message_bytes sccrq = from_hex(
        "c802 0045 0000 0000 0000 0000 8008 0000 0000 0001 8008 0000 0002 0100 800f 0000 0007 616e6f6e796d6f7573"
        "800a 0000 0003 00000003 8008 0000 0009 4d2a 8008 0000 000a 0001");
    assert_int_equal(sccrq.n, 69);
    assert_int_equal(hear(&lns, &sccrq), DROP_NONE); /* --> SCCRQ */
    phone.ns = 1;
    struct message_bytes m = expect_says(&lns, 2); /* <-- SCCRP */
    assert_int_equal(mtpd_reads(&phone, &m), 2);
    assert_int_equal(avp_u16(&m, 2), 0x0100);
    assert_int_not_equal(avp_of(&m, 7).n, SIZE_MAX);
    phone.peer_tunnel = avp_u16(&m, 9);

    mtpd_says(&phone, &lns, "8008 0000 0000 0003", 0); /* --> SCCCN */
    m = expect_says(&lns, 0);                          /* <-- ZLB at once, or no ICRQ would come */
    assert_int_equal(mtpd_reads(&phone, &m), 0);
    mtpd_says(&phone, &lns, "8008 0000 0000 000a 8008 0000 000e 77aa 800a 0000 000f 5eed5eed", 0); /* --> ICRQ */
    m = expect_says(&lns, 11);                                                                     /* <-- ICRP */
    assert_int_equal(mtpd_reads(&phone, &m), 11);
    assert_int_equal(word_at(&m, 6), phone.session);
    phone.peer_session = avp_u16(&m, 14);
    mtpd_says(&phone, &lns, "8008 0000 0000 000c 800a 0000 0018 05f5e100 800a 0000 0013 00000003",
              phone.peer_session); /* --> ICCN */
    m = expect_says(&lns, 0);      /* <-- ZLB at once, or no PPP would come */
    assert_int_equal(mtpd_reads(&phone, &m), 0);
    expect_silence(&lns);
    assert_non_null(told(&lns, L2TP_EVENT_SESSION_UP));
    assert_string_equal(told(&lns, L2TP_EVENT_TUNNEL_UP)->peer_host, "anonymous");

    mtpd_says(&phone, &lns, "8008 0000 0000 0004 8008 0000 0009 4d2a 8008 0000 0001 0006", 0); /* --> StopCCN */
    m = expect_says(&lns, 0);
    assert_int_equal(mtpd_reads(&phone, &m), 0);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_DOWN)->cause, CAUSE_PEER_CLOSED);
    assert_int_equal(told(&lns, L2TP_EVENT_TUNNEL_DOWN)->result, 6);
    host_stop(&lns);
}

static void androids_window_of_one_is_kept(void **state)
{
    (void)state;
    struct host lns;
    start(&lns);
    struct mtpd phone = {.tunnel = 0x4d2a, .ns = 1};
    struct message_bytes sccrq = from_hex(
        "c802 0000 0000 0000 0000 0000 8008 0000 0000 0001 8008 0000 0002 0100 800f 0000 0007 616e6f6e796d6f7573"
        "800a 0000 0003 00000003 8008 0000 0009 4d2a 8008 0000 000a 0001");
    stamp(&sccrq, 0, 0, 0, 0);
    (void)hear(&lns, &sccrq);
    struct message_bytes m = expect_says(&lns, 2);
    assert_int_equal(mtpd_reads(&phone, &m), 2);
    phone.peer_tunnel = avp_u16(&m, 9);
    mtpd_says(&phone, &lns, "8008 0000 0000 0003", 0);
    m = expect_says(&lns, 0);
    mtpd_says(&phone, &lns, "8008 0000 0000 000a 8008 0000 000e 77aa", 0);
    m = expect_says(&lns, 11);
    assert_int_equal(mtpd_reads(&phone, &m), 11);
    mtpd_says(&phone, &lns, "8008 0000 0000 000c", avp_u16(&m, 14));
    expect_says(&lns, 0);
    l2tp_session_close(lns.l2tp, 0, told(&lns, L2TP_EVENT_SESSION_UP)->session, CAUSE_ADMIN);
    expect_says(&lns, 14); /* <-- CDN */
    expect_silence(&lns);  /* the StopCCN waits for its acknowledgement */
    phone.nr++;
    struct message_bytes zlb = from_hex("c802 000c 0000 0000 0000 0000");
    stamp(&zlb, phone.peer_tunnel, 0, phone.ns, phone.nr);
    assert_int_equal(hear(&lns, &zlb), DROP_NONE);
    expect_says(&lns, 4); /* <-- StopCCN */
    host_stop(&lns);
}

/* ---- Windows ---- */

/* It ends the tunnel over reserved bits, vendor AVPs that are mandatory, attributes it does not know, wrong M bits, and
 * drops packets with O or P. */
static void windows_reads(const struct message_bytes *m)
{
    assert_int_equal(word_at(m, 0), 0xc802);
    struct reader r = rd_init(view_of(m->p, m->n));
    rd_skip(&r, 12);
    while (rd_left(&r)) {
        const uint16_t word = rd_u16(&r);
        assert_int_equal(rd_u16(&r), 0);
        const uint16_t attribute = rd_u16(&r);
        assert_int_equal(word & 0x7c00, 0);
        assert_true(attribute <= 39);
        assert_int_equal((word & 0x8000) != 0, attribute != 5 && attribute != 6 && attribute != 8);
        rd_skip(&r, (word & 0x3ff) - 6U);
        assert_true(rd_ok(&r));
    }
}

static void windows_connects_and_hangs_up(void **state)
{
    (void)state;
    struct host lns;
    start(&lns);
    struct message_bytes m =
        from_hex("c802 006c 0000 0000 0000 0000 8008 0000 0000 0001 8008 0000 0002 0100 800a 0000 0003 00000001"
                 "000a 0000 0004 00000000 0008 0000 0006 0a00 8015 0000 0007 4445534b544f502d41424344454647"
                 "000f 0000 0008 4d6963726f736f6674 8008 0000 0009 0001 8008 0000 000a 0008");
    assert_int_equal(m.n, 108);
    assert_int_equal(hear(&lns, &m), DROP_NONE); /* --> SCCRQ */
    struct message_bytes said = expect_says(&lns, 2);
    windows_reads(&said);
    const uint16_t tunnel = avp_u16(&said, 9);
    m = from_hex("c802 0014 0000 0000 0000 0000 8008 0000 0000 0003");
    stamp(&m, tunnel, 0, 1, 1);
    assert_int_equal(hear(&lns, &m), DROP_NONE); /* --> SCCCN */
    expect_says(&lns, 0);
    m = from_hex("c802 0000 0000 0000 0000 0000 8008 0000 0000 000a 8008 0000 000e 0001 800a 0000 000f 00000000"
                 "000a 0000 0012 00000002 0016 0137 0001 00112233445566778899aabbccddeeff");
    stamp(&m, tunnel, 0, 2, 1);
    assert_int_equal(hear(&lns, &m), DROP_NONE); /* --> ICRQ with Microsoft's Correlation ID */
    said = expect_says(&lns, 11);
    windows_reads(&said);
    const uint16_t session = avp_u16(&said, 14);
    m = from_hex("c802 0030 0000 0000 0000 0000 8008 0000 0000 000c 800a 0000 0018 05f5e100 800a 0000 0013 00000001"
                 "0008 0000 001d 0004");
    assert_int_equal(m.n, 48);
    stamp(&m, tunnel, session, 3, 2);
    assert_int_equal(hear(&lns, &m), DROP_NONE); /* --> ICCN */
    expect_says(&lns, 0);
    const struct l2tp_event *up = told(&lns, L2TP_EVENT_TUNNEL_UP);
    assert_string_equal(up->peer_host, "DESKTOP-ABCDEFG");
    assert_string_equal(up->peer_vendor, "Microsoft");
    assert_non_null(told(&lns, L2TP_EVENT_SESSION_UP));

    m = from_hex("c802 0026 0000 0000 0000 0000 8008 0000 0000 000e 8008 0000 000e 0001 800a 0000 0001 00030000");
    stamp(&m, tunnel, session, 4, 2);
    assert_int_equal(hear(&lns, &m), DROP_NONE); /* --> CDN */
    expect_says(&lns, 0);
    m = from_hex("c802 0026 0000 0000 0000 0000 8008 0000 0000 0004 8008 0000 0009 0001 800a 0000 0001 00010000");
    stamp(&m, tunnel, 0, 5, 2);
    assert_int_equal(hear(&lns, &m), DROP_NONE); /* --> StopCCN */
    expect_says(&lns, 0);
    expect_silence(&lns);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_DOWN)->cause, CAUSE_PEER_CLOSED);
    assert_int_equal(told(&lns, L2TP_EVENT_TUNNEL_DOWN)->cause, CAUSE_PEER_CLOSED);
    host_stop(&lns);
}

/* ---- Apple ---- */

static void apple_connects_in_one_breath_and_hangs_up_in_host_order(void **state)
{
    (void)state;
    struct host lns;
    start(&lns);
    for (int i = 0; i < 3; i++) /* knocking until IPsec is up */
        assert_int_equal(host_hears_hex(&lns, 0, "c802 0014 0000 0000 0000 0000 8008 0000 0000 0006"),
                         DROP_L2TP_STRAY_HELLO);
    expect_silence(&lns);
    struct message_bytes m =
        from_hex("c802 0000 0000 0000 0000 0000 8008 0000 0000 0001 8008 0000 0002 0100 800a 0000 0003 00000003"
                 "800b 0000 0007 6d61633100 8008 0000 0009 0003 8008 0000 000a 0004");
    stamp(&m, 0, 0, 0, 0);
    assert_int_equal(hear(&lns, &m), DROP_NONE); /* --> SCCRQ */
    struct message_bytes said = expect_says(&lns, 2);
    assert_int_not_equal(avp_of(&said, 2).n, SIZE_MAX);
    assert_int_not_equal(avp_of(&said, 3).n, SIZE_MAX);
    assert_int_not_equal(avp_of(&said, 7).n, SIZE_MAX);
    assert_int_equal(avp_of(&said, 11).n, SIZE_MAX); /* a challenge would end it */
    const uint16_t tunnel = avp_u16(&said, 9);
    struct message_bytes scccn = from_hex("c802 0014 0000 0000 0000 0000 8008 0000 0000 0003");
    struct message_bytes icrq =
        from_hex("c802 0000 0000 0000 0000 0000 8008 0000 0000 000a 8008 0000 000e 0155 800a 0000 000f 00000001");
    stamp(&scccn, tunnel, 0, 1, 1);
    stamp(&icrq, tunnel, 0, 2, 1);
    assert_int_equal(hear(&lns, &icrq), DROP_NONE); /* --> ICRQ overtakes */
    expect_silence(&lns);
    assert_int_equal(hear(&lns, &scccn), DROP_NONE); /* --> SCCCN */
    said = expect_says(&lns, 0);                     /* <-- ZLB */
    assert_int_equal(word_at(&said, 10), 3);
    said = expect_says(&lns, 11); /* <-- ICRP to its session */
    assert_int_equal(word_at(&said, 6), 0x0155);
    const uint16_t session = avp_u16(&said, 14);
    m = from_hex("c802 0000 0000 0000 0000 0000 8008 0000 0000 000c 800a 0000 0018 000f4240 800a 0000 0013 00000003");
    stamp(&m, tunnel, session, 3, 2);
    assert_int_equal(hear(&lns, &m), DROP_NONE); /* --> ICCN */
    expect_says(&lns, 0);
    assert_string_equal(told(&lns, L2TP_EVENT_TUNNEL_UP)->peer_host, "mac1");
    assert_non_null(told(&lns, L2TP_EVENT_SESSION_UP));

    m = from_hex(
        "c802 0000 0000 0000 0000 0000 8008 0000 0000 000e 8008 0000 000e 0155 800e 0000 0001 0300beefbeefbeef");
    stamp(&m, tunnel, session, 4, 2);
    assert_int_equal(hear(&lns, &m), DROP_NONE); /* --> CDN */
    expect_says(&lns, 0);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_DOWN)->result, 3);
    m = from_hex(
        "c802 0000 0000 0000 0000 0000 8008 0000 0000 0004 8008 0000 0009 0003 800e 0000 0001 0100beefbeefbeef");
    stamp(&m, tunnel, 0, 5, 2);
    assert_int_equal(hear(&lns, &m), DROP_NONE); /* --> StopCCN */
    assert_int_equal(told(&lns, L2TP_EVENT_TUNNEL_DOWN)->result, 1);
    assert_int_equal(told(&lns, L2TP_EVENT_TUNNEL_DOWN)->cause, CAUSE_PEER_CLOSED);
    host_stop(&lns);
}

/* ---- kl2tpd, xl2tpd, Huawei ---- */

static void kl2tpd_needs_neither_window_nor_speed(void **state)
{
    (void)state;
    struct host lns;
    start(&lns);
    struct message_bytes m =
        from_hex("c802 0000 0000 0000 0000 0000 8008 0000 0000 0001 8008 0000 0002 0100 800b 0000 0007 6c61707470"
                 "800a 0000 0003 00000003 8008 0000 0009 6b6c");
    stamp(&m, 0, 0, 0, 0);
    assert_int_equal(hear(&lns, &m), DROP_NONE);
    struct message_bytes said = expect_says(&lns, 2);
    const uint16_t tunnel = avp_u16(&said, 9);
    m = from_hex("c802 0014 0000 0000 0000 0000 8008 0000 0000 0003");
    stamp(&m, tunnel, 0, 1, 1);
    assert_int_equal(hear(&lns, &m), DROP_NONE);
    expect_says(&lns, 0);
    m = from_hex("c802 0000 0000 0000 0000 0000 8008 0000 0000 000a 8008 0000 000e 6b6d 800a 0000 000f 00000001");
    stamp(&m, tunnel, 0, 2, 1);
    assert_int_equal(hear(&lns, &m), DROP_NONE);
    said = expect_says(&lns, 11);
    const uint16_t session = avp_u16(&said, 14);
    m = from_hex("c802 0000 0000 0000 0000 0000 8008 0000 0000 000c 800a 0000 0018 00000000 800a 0000 0013 00000003");
    stamp(&m, tunnel, session, 3, 2);
    assert_int_equal(hear(&lns, &m), DROP_NONE);
    expect_says(&lns, 0);
    assert_non_null(told(&lns, L2TP_EVENT_SESSION_UP));
    m = from_hex("c802 0000 0000 0000 0000 0000 8008 0000 0000 000e 800a 0000 0001 00030000 8008 0000 000e 6b6d");
    stamp(&m, tunnel, session, 4, 2);
    assert_int_equal(hear(&lns, &m), DROP_NONE); /* --> CDN, result first */
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_DOWN)->result, 3);
    host_stop(&lns);
}

static void xl2tpds_request_with_its_vendor_and_firmware_is_taken(void **state)
{
    (void)state;
    struct host lns;
    start(&lns);
    struct message_bytes m =
        from_hex("c802 0000 0000 0000 0000 0000 8008 0000 0000 0001 8008 0000 0002 0100 800a 0000 0003 00000003"
                 "800a 0000 0004 00000000 0008 0000 0006 0690 800a 0000 0007 6c696e78"
                 "0013 0000 0008 78656c6572616e63652e636f6d 8008 0000 0009 4111 8008 0000 000a 0008");
    stamp(&m, 0, 0, 0, 0);
    assert_int_equal(hear(&lns, &m), DROP_NONE);
    expect_says(&lns, 2);
    host_stop(&lns);
}

static void huaweis_iccn_says_nothing_and_is_believed(void **state)
{
    (void)state;
    struct host lns;
    start(&lns);
    struct hand hand = {.tunnel_id = 5};
    hand_tunnel(&hand, &lns, 0);
    hand_begin(&hand, 10, 0);
    hand_u16(&hand, 14, 0x22);
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_NONE);
    const struct message_bytes icrp = expect_says(&lns, 11);
    hand_took(&hand, &icrp);
    hand_begin(&hand, 12, avp_u16(&icrp, 14)); /* --> ICCN, bare */
    assert_int_equal(host_hears(&lns, 0, hand_end(&hand)), DROP_NONE);
    assert_non_null(told(&lns, L2TP_EVENT_SESSION_UP));
    host_stop(&lns);
}

static void an_l2tpv3_router_hears_nothing(void **state)
{
    (void)state;
    struct host lns;
    start(&lns);
    assert_int_equal(host_hears_hex(&lns, 0, "c803 0014 0000 0000 0000 0000 8008 0000 0000 0001"), DROP_L2TP_VERSION);
    expect_silence(&lns);
    host_stop(&lns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(android_connects_and_says_goodbye),
        cmocka_unit_test(androids_window_of_one_is_kept),
        cmocka_unit_test(windows_connects_and_hangs_up),
        cmocka_unit_test(apple_connects_in_one_breath_and_hangs_up_in_host_order),
        cmocka_unit_test(kl2tpd_needs_neither_window_nor_speed),
        cmocka_unit_test(xl2tpds_request_with_its_vendor_and_firmware_is_taken),
        cmocka_unit_test(huaweis_iccn_says_nothing_and_is_believed),
        cmocka_unit_test(an_l2tpv3_router_hears_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
