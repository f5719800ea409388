/* Control connections: how they open, live and end. Arrows point from the LAC to the LNS and back. */
#include "tests/unit/l2tp/world.h"

static void a_tunnel_and_its_session_open_in_six_messages_and_two_acknowledgements(void **state)
{
    (void)state;
    struct host lac, lns;
    const struct l2tp_config a = usual_config("lac"), b = usual_config("lns");
    host_start(&lac, &a, 1);
    host_start(&lns, &b, 2);
    assert_int_equal(l2tp_connect(lac.l2tp, 0, CARRIER), ERR_OK);

    static const struct {
        bool to_lns;
        unsigned type;
    } dialogue[] = {
        {true, 1},   /* --> SCCRQ */
        {false, 2},  /* <-- SCCRP */
        {true, 3},   /* --> SCCCN */
        {false, 0},  /* <-- ZLB */
        {true, 10},  /* --> ICRQ */
        {false, 11}, /* <-- ICRP */
        {true, 12},  /* --> ICCN */
        {false, 0},  /* <-- ZLB */
    };
    for (size_t i = 0; i < ARRAY_LEN(dialogue); i++) {
        const struct message_bytes m = expect_says(dialogue[i].to_lns ? &lac : &lns, dialogue[i].type);
        assert_int_equal(word_at(&m, 0), 0xc802);
        assert_int_equal(word_at(&m, 2), m.n);
        assert_int_equal(host_hears(dialogue[i].to_lns ? &lns : &lac, 0, view_of(m.p, m.n)), DROP_NONE);
    }
    expect_silence(&lac);
    expect_silence(&lns);
    const struct l2tp_event *up = told(&lns, L2TP_EVENT_TUNNEL_UP);
    assert_string_equal(up->peer_host, "lac");
    assert_non_null(told(&lac, L2TP_EVENT_SESSION_UP));
    assert_non_null(told(&lns, L2TP_EVENT_SESSION_UP));
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_UP)->session, 1);
    assert_int_equal(told(&lns, L2TP_EVENT_SESSION_UP)->session_id, told(&lac, L2TP_EVENT_SESSION_UP)->peer_session_id);
    host_stop(&lac);
    host_stop(&lns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tunnel_and_its_session_open_in_six_messages_and_two_acknowledgements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
