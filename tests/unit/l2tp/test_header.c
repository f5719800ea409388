/* The control header, and that a message cut short at any byte changes nothing. */
#include "tests/unit/l2tp/world.h"

#include "l2tp/l2tp_internal.h"

static enum drop parse(const char *hex, struct header *h)
{
    uint8_t bytes[64];
    return l2tp_header_parse(view_of(bytes, unhex(hex, bytes, sizeof(bytes))), h);
}

static void a_zlb_is_a_header_alone(void **state)
{
    (void)state;
    struct header h;
    assert_int_equal(parse("c802 000c 0102 0304 0506 0708", &h), DROP_NONE);
    assert_int_equal(h.tunnel_id, 0x0102);
    assert_int_equal(h.session_id, 0x0304);
    assert_int_equal(h.ns, 0x0506);
    assert_int_equal(h.nr, 0x0708);
    assert_int_equal(h.body.n, 0);
}

static void bytes_behind_the_length_are_not_the_messages(void **state)
{
    (void)state;
    struct header h;
    assert_int_equal(parse("c802 000c 0001 0000 0000 0001 dead", &h), DROP_NONE);
    assert_int_equal(h.body.n, 0);
}

static void other_forms_are_dropped_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum drop verdict;
    } cases[] = {
        {"", DROP_L2TP_SHORT},
        {"c8", DROP_L2TP_SHORT},
        {"c802 000c 0001 0000 0000 00", DROP_L2TP_SHORT},
        {"c802 000d 0001 0000 0000 0000", DROP_L2TP_SHORT},
        {"c802 000b 0001 0000 0000 0000", DROP_L2TP_SHORT},
        {"c803 000c 0000 0000 0000 0000", DROP_L2TP_VERSION}, /* L2TPv3, Yamaha */
        {"c801 000c 0001 0000 0000 0000", DROP_L2TP_VERSION}, /* L2F */
        {"4802 000c 0001 0000 0000 0000", DROP_L2TP_HEADER},
        {"8802 000c 0001 0000 0000 0000", DROP_L2TP_HEADER},
        {"c002 000c 0001 0000 0000 0000", DROP_L2TP_HEADER},
        {"ca02 000c 0001 0000 0000 0000", DROP_L2TP_HEADER},
        {"c902 000c 0001 0000 0000 0000", DROP_L2TP_HEADER},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct header h;
        assert_int_equal(parse(cases[i].hex, &h), cases[i].verdict);
    }
}

static void a_message_cut_short_changes_nothing(void **state)
{
    (void)state;
    struct host lns;
    const struct l2tp_config config = usual_config("lns");
    host_start(&lns, &config, 1);
    struct hand hand = {.tunnel_id = 5, .session_id = 6};
    hand_tunnel(&hand, &lns, 0);
    hand_begin(&hand, 10, 0);
    hand_u16(&hand, 14, 6);
    hand_u32(&hand, 15, 1);
    const struct view icrq = hand_end(&hand);
    forget(&lns);

    for (size_t n = 0; n < icrq.n; n++) {
        /* cut by the way: the length says more than there is */
        assert_int_not_equal(host_hears(&lns, 0, view_of(icrq.p, n)), DROP_NONE);
        /* cut by the sender: the length agrees */
        uint8_t cut[128];
        memcpy(cut, icrq.p, n);
        if (n >= 4)
            be16_put(cut + 2, (uint16_t)n);
        const enum drop verdict = host_hears(&lns, 0, view_of(cut, n));
        if (n != 12 && n != 28) /* a ZLB; all but the serial number, which nobody needs */
            assert_int_not_equal(verdict, DROP_NONE);
        if (n == 28)
            break;
        assert_int_equal(lns.n_events, 0);
        expect_silence(&lns);
        assert_int_equal(l2tp_session_count(lns.l2tp), 0);
    }
    host_stop(&lns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zlb_is_a_header_alone),
        cmocka_unit_test(bytes_behind_the_length_are_not_the_messages),
        cmocka_unit_test(other_forms_are_dropped_by_name),
        cmocka_unit_test(a_message_cut_short_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
