/* Data messages: the header in all its forms, in and out. */
#include "tests/unit/l2tp/world.h"

#define ROOM 32

struct frame {
    uint8_t bytes[256];
    struct packet packet;
};

static struct packet *frame_of(struct frame *f, const char *hex)
{
    memset(f, 0, sizeof(*f));
    const size_t n = unhex(hex, f->bytes + ROOM, sizeof(f->bytes) - 2 * ROOM);
    f->packet = (struct packet){.data = f->bytes + ROOM,
                                .len = (uint32_t)n,
                                .headroom = ROOM,
                                .tailroom = (uint16_t)(sizeof(f->bytes) - ROOM - n)};
    return &f->packet;
}

struct ends {
    struct host lns;
    struct hand hand;
    uint32_t session;
};

static void start(struct ends *e)
{
    const struct l2tp_config config = usual_config("lns");
    host_start(&e->lns, &config, 1);
    e->hand = (struct hand){.tunnel_id = 0x1111, .session_id = 0x2222};
    hand_tunnel(&e->hand, &e->lns, 0);
    hand_session(&e->hand, &e->lns, 0);
    e->session = told(&e->lns, L2TP_EVENT_SESSION_UP)->session;
}

/* Opens a message whose T stands for the tunnel's and session's ids. */
static enum drop open_form(struct ends *e, struct frame *f, const char *before, const char *behind)
{
    char hex[512];
    snprintf(hex, sizeof(hex), "%s %04x%04x %s", before, e->hand.peer_id, e->hand.peer_session_id, behind);
    frame_of(f, hex);
    return l2tp_data_open(e->lns.l2tp, CARRIER, &f->packet);
}

static void every_form_of_the_header_comes_off(void **state)
{
    (void)state;
    static const struct {
        const char *before, *behind;
    } forms[] = {
        {"0002", "ff030021 45"},                          /* Android, Linux, Windows */
        {"4002 000d", "ff030021 45"},                     /* Apple: with length */
        {"0802", "0000 0000 ff030021 45"},                /* sequenced */
        {"4802 0011", "0001 0000 ff030021 45"},           /* both */
        {"0202", "0003 aabbcc ff030021 45"},              /* offset */
        {"4202 0012", "0003 aabbcc ff030021 45"},         /* length and offset */
        {"0102", "ff030021 45"},                          /* priority */
        {"4b02 0015", "0002 0000 0002 aabb ff030021 45"}, /* everything */
        {"4002 000d", "ff030021 45 dead"},                /* padding behind the length */
    };
    struct ends e;
    start(&e);
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct frame f;
        assert_int_equal(open_form(&e, &f, forms[i].before, forms[i].behind), DROP_NONE);
        assert_int_equal(f.packet.owner, e.session);
        assert_int_equal(f.packet.len, 5);
        assert_memory_equal(f.packet.data, "\xff\x03\x00\x21\x45", 5);
        assert_int_equal(f.packet.headroom + f.packet.len + f.packet.tailroom, sizeof(f.bytes));
        assert_ptr_equal(f.packet.data - f.packet.headroom, f.bytes);
    }
    host_stop(&e.lns);
}

static void what_contradicts_itself_is_dropped_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *before, *behind;
        enum drop verdict;
    } forms[] = {
        {"4002 000e", "ff030021 45", DROP_L2TP_SHORT},
        {"4002 0007", "ff030021 45", DROP_L2TP_SHORT},
        {"0202", "0009 ff030021 45", DROP_L2TP_SHORT},
        {"4202 000b", "0003 aabbcc ff", DROP_L2TP_SHORT},
        {"0802", "0000", DROP_L2TP_SHORT},
        {"0003", "ff03", DROP_L2TP_VERSION},
        {"0001", "ff03", DROP_L2TP_VERSION},
        {"8002", "ff03", DROP_L2TP_HEADER},
    };
    struct ends e;
    start(&e);
    struct frame f;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        assert_int_equal(open_form(&e, &f, forms[i].before, forms[i].behind), forms[i].verdict);
    assert_int_equal(l2tp_data_open(e.lns.l2tp, CARRIER, frame_of(&f, "0002 000100")), DROP_L2TP_SHORT);
    assert_int_equal(l2tp_data_open(e.lns.l2tp, CARRIER, frame_of(&f, "")), DROP_L2TP_SHORT);
    host_stop(&e.lns);
}

static void only_its_own_carrier_tunnel_and_session_are_found(void **state)
{
    (void)state;
    struct ends e;
    start(&e);
    struct frame f;
    char hex[64];
    snprintf(hex, sizeof(hex), "0002 %04x %04x ff03", e.hand.peer_id, e.hand.peer_session_id);
    assert_int_equal(l2tp_data_open(e.lns.l2tp, CARRIER + 1, frame_of(&f, hex)), DROP_L2TP_TUNNEL);
    for (uint32_t i = 0; i < 65536; i++) {
        frame_of(&f, "0002 0000 0000 ff03");
        be16_put(f.packet.data + 2, (uint16_t)i);
        be16_put(f.packet.data + 4, e.hand.peer_session_id);
        assert_int_equal(l2tp_data_open(e.lns.l2tp, CARRIER, &f.packet),
                         i == e.hand.peer_id ? DROP_NONE : DROP_L2TP_TUNNEL);
        frame_of(&f, "0002 0000 0000 ff03");
        be16_put(f.packet.data + 2, e.hand.peer_id);
        be16_put(f.packet.data + 4, (uint16_t)i);
        assert_int_equal(l2tp_data_open(e.lns.l2tp, CARRIER, &f.packet),
                         i == e.hand.peer_session_id ? DROP_NONE : DROP_L2TP_SESSION);
    }
    host_stop(&e.lns);
}

static void late_and_repeated_packets_are_dropped_and_gaps_are_not_waited_for(void **state)
{
    (void)state;
    static const struct {
        const char *ns;
        enum drop verdict;
    } packets[] = {
        {"0000", DROP_NONE},          {"0001", DROP_NONE}, {"0001", DROP_L2TP_SEQUENCE}, {"0005", DROP_NONE},
        {"0003", DROP_L2TP_SEQUENCE}, {"7000", DROP_NONE}, {"e000", DROP_NONE},          {"ffff", DROP_NONE},
        {"fffe", DROP_L2TP_SEQUENCE}, {"0000", DROP_NONE}, {"ffff", DROP_L2TP_SEQUENCE},
    };
    struct ends e;
    start(&e);
    for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
        struct frame f;
        char behind[64];
        snprintf(behind, sizeof(behind), "%s 0000 ff030021", packets[i].ns);
        assert_int_equal(open_form(&e, &f, "0802", behind), packets[i].verdict);
    }
    host_stop(&e.lns);
}

static void we_send_six_bytes_without_l_o_or_p(void **state)
{
    (void)state;
    struct ends e;
    start(&e);
    struct frame f;
    frame_of(&f, "ff030021 45");
    assert_int_equal(l2tp_data_overhead(e.lns.l2tp, e.session), 6);
    assert_true(l2tp_data_seal(e.lns.l2tp, e.session, &f.packet));
    assert_int_equal(f.packet.len, 11);
    assert_int_equal(f.packet.headroom, ROOM - 6);
    assert_memory_equal(f.packet.data, "\x00\x02\x11\x11\x22\x22\xff\x03\x00\x21\x45", 11);
    f.packet.headroom = 5;
    assert_false(l2tp_data_seal(e.lns.l2tp, e.session, &f.packet));
    assert_false(l2tp_data_seal(e.lns.l2tp, e.session + 1, &f.packet));
    assert_false(l2tp_data_seal(e.lns.l2tp, 0, &f.packet));
    assert_false(l2tp_data_seal(e.lns.l2tp, UINT32_MAX, &f.packet));
    host_stop(&e.lns);
}

static void a_lac_that_requires_sequencing_gets_it_both_ways(void **state)
{
    (void)state;
    struct l2tp_config a = usual_config("lac");
    const struct l2tp_config b = usual_config("lns");
    a.sequencing = true;
    struct pair p;
    pair_start(&p, &a, &b, 1);
    pair_connect(&p);
    const uint32_t at_lac = told(&p.lac, L2TP_EVENT_SESSION_UP)->session;
    const uint32_t at_lns = told(&p.lns, L2TP_EVENT_SESSION_UP)->session;
    for (uint16_t i = 0; i < 3; i++) {
        struct frame f;
        frame_of(&f, "ff03");
        assert_int_equal(l2tp_data_overhead(p.lns.l2tp, at_lns), 10);
        assert_true(l2tp_data_seal(p.lns.l2tp, at_lns, &f.packet));
        assert_int_equal(be16_get(f.packet.data), 0x0802);
        assert_int_equal(be16_get(f.packet.data + 6), i);
        assert_int_equal(be16_get(f.packet.data + 8), 0);
        assert_int_equal(l2tp_data_open(p.lac.l2tp, CARRIER, &f.packet), DROP_NONE);
        assert_int_equal(f.packet.len, 2);
        frame_of(&f, "ff03");
        assert_true(l2tp_data_seal(p.lac.l2tp, at_lac, &f.packet));
        assert_int_equal(l2tp_data_open(p.lns.l2tp, CARRIER, &f.packet), DROP_NONE);
    }
    pair_stop(&p);
}

static void a_lac_that_does_not_care_follows_the_lns(void **state)
{
    (void)state;
    const struct l2tp_config a = usual_config("lac"), b = usual_config("lns");
    struct pair p;
    pair_start(&p, &a, &b, 1);
    pair_connect(&p);
    const struct l2tp_event *up = told(&p.lac, L2TP_EVENT_SESSION_UP);
    struct frame f;
    char hex[64];
    assert_int_equal(l2tp_data_overhead(p.lac.l2tp, up->session), 6);
    snprintf(hex, sizeof(hex), "0802 %04x %04x 0000 0000 ff03", up->tunnel_id, up->session_id);
    assert_int_equal(l2tp_data_open(p.lac.l2tp, CARRIER, frame_of(&f, hex)), DROP_NONE);
    assert_int_equal(l2tp_data_overhead(p.lac.l2tp, up->session), 10);
    snprintf(hex, sizeof(hex), "0002 %04x %04x ff03", up->tunnel_id, up->session_id);
    assert_int_equal(l2tp_data_open(p.lac.l2tp, CARRIER, frame_of(&f, hex)), DROP_NONE);
    assert_int_equal(l2tp_data_overhead(p.lac.l2tp, up->session), 6);
    pair_stop(&p);
}

static void control_is_told_from_data_by_its_first_bit(void **state)
{
    (void)state;
    assert_true(l2tp_is_control(view_of("\xc8\x02", 2)));
    assert_false(l2tp_is_control(view_of("\x00\x02", 2)));
    assert_false(l2tp_is_control(view_of("\xc8", 1)));
    assert_false(l2tp_is_control(VIEW_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_the_header_comes_off),
        cmocka_unit_test(what_contradicts_itself_is_dropped_by_name),
        cmocka_unit_test(only_its_own_carrier_tunnel_and_session_are_found),
        cmocka_unit_test(late_and_repeated_packets_are_dropped_and_gaps_are_not_waited_for),
        cmocka_unit_test(we_send_six_bytes_without_l_o_or_p),
        cmocka_unit_test(a_lac_that_requires_sequencing_gets_it_both_ways),
        cmocka_unit_test(a_lac_that_does_not_care_follows_the_lns),
        cmocka_unit_test(control_is_told_from_data_by_its_first_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
