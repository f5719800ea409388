/* Hidden AVP values and tunnel authentication. */
#include "tests/unit/l2tp/world.h"

#include "l2tp/l2tp_internal.h"

static void what_is_covered_is_revealed_at_every_length(void **state)
{
    (void)state;
    static const uint8_t vector[16] = {9, 8, 7};
    uint8_t value[300], covered[302], out[302];
    struct random_test random;
    random_test_init(&random, 3);
    random_test_fill(&random, value, sizeof(value));
    const struct view secret = view_str("between us");
    for (size_t n = 0; n <= sizeof(value); n++) {
        assert_int_equal(l2tp_hidden_cover(secret, VIEW(vector), 11, view_of(value, n), covered), ERR_OK);
        size_t got = 999;
        assert_int_equal(l2tp_hidden_reveal(secret, VIEW(vector), 11, view_of(covered, n + 2), out, &got), ERR_OK);
        assert_int_equal(got, n);
        assert_memory_equal(out, value, n);
    }
}

static void padding_behind_the_value_is_taken_off(void **state)
{
    (void)state;
    static const uint8_t vector[] = {1};
    const struct view secret = view_str("k");
    /* A value of 40 bytes whose own length field, two bytes in front of it, is made to say less. */
    uint8_t value[40] = {0}, covered[42], out[42];
    assert_int_equal(l2tp_hidden_cover(secret, VIEW(vector), 7, view_of(value, 40), covered), ERR_OK);
    covered[1] ^= 40 ^ 5;
    /* What follows the first block decrypts to noise now; only the padding is concerned. */
    size_t got = 0;
    assert_int_equal(l2tp_hidden_reveal(secret, VIEW(vector), 7, VIEW(covered), out, &got), ERR_OK);
    assert_int_equal(got, 5);
    covered[1] ^= 5 ^ 41;
    assert_int_equal(l2tp_hidden_reveal(secret, VIEW(vector), 7, VIEW(covered), out, &got), ERR_MALFORMED);
    assert_int_equal(got, 5);
    assert_int_equal(l2tp_hidden_reveal(secret, VIEW(vector), 7, view_of(covered, 1), out, &got), ERR_MALFORMED);
}

/* RFC 2661 4.3, done by hand for one block: MD5(attribute, secret, vector) over length and value. */
static void the_first_block_is_the_rfcs(void **state)
{
    (void)state;
    static const uint8_t vector[] = {0xaa, 0xbb}, type[] = {0, 9}, value[] = {0x12, 0x34};
    uint8_t pad[16], covered[4];
    const struct view parts[] = {VIEW(type), view_str("pw"), VIEW(vector)};
    assert_int_equal(hash_digest(HASH_MD5, parts, 3, pad), ERR_OK);
    assert_int_equal(l2tp_hidden_cover(view_str("pw"), VIEW(vector), 9, VIEW(value), covered), ERR_OK);
    const uint8_t expected[] = {pad[0], pad[1] ^ 2, pad[2] ^ 0x12, pad[3] ^ 0x34};
    assert_memory_equal(covered, expected, 4);
}

static void a_response_is_bound_to_its_message_and_its_challenge(void **state)
{
    (void)state;
    static const uint8_t challenge[] = {1, 2, 3, 4, 5};
    const struct view secret = view_str("s");
    uint8_t reply[RESPONSE_SIZE], id = 2, expected[16];
    assert_int_equal(l2tp_auth_response(MSG_SCCRP, secret, VIEW(challenge), reply), ERR_OK);
    const struct view parts[] = {{&id, 1}, secret, VIEW(challenge)};
    assert_int_equal(hash_digest(HASH_MD5, parts, 3, expected), ERR_OK);
    assert_memory_equal(reply, expected, 16);
    assert_true(l2tp_auth_matches(MSG_SCCRP, secret, VIEW(challenge), VIEW(reply)));
    assert_false(l2tp_auth_matches(MSG_SCCCN, secret, VIEW(challenge), VIEW(reply)));
    assert_false(l2tp_auth_matches(MSG_SCCRP, view_str("t"), VIEW(challenge), VIEW(reply)));
    assert_false(l2tp_auth_matches(MSG_SCCRP, secret, view_of(challenge, 4), VIEW(reply)));
    assert_false(l2tp_auth_matches(MSG_SCCRP, secret, VIEW(challenge), view_of(reply, 15)));
    assert_false(l2tp_auth_matches(MSG_SCCRP, secret, VIEW(challenge), VIEW_NONE));
}

static void connect_with(const char *ours, const char *theirs, bool hide, struct pair *p)
{
    struct l2tp_config a = usual_config("lac"), b = usual_config("lns");
    (void)secret_set(&a.secret, view_str(ours));
    (void)secret_set(&b.secret, view_str(theirs));
    a.hide_avps = b.hide_avps = hide;
    pair_start(p, &a, &b, 5);
    assert_int_equal(l2tp_connect(p->lac.l2tp, p->now, CARRIER), ERR_OK);
    pair_run(p, p->now + 5 * USEC_SEC);
}

static void the_same_secret_opens_the_tunnel_also_with_hidden_values(void **state)
{
    (void)state;
    for (int hide = 0; hide < 2; hide++) {
        struct pair p;
        connect_with("same", "same", hide, &p);
        assert_non_null(told(&p.lac, L2TP_EVENT_SESSION_UP));
        assert_non_null(told(&p.lns, L2TP_EVENT_SESSION_UP));
        pair_stop(&p);
    }
}

static void another_secret_is_refused_with_result_4(void **state)
{
    (void)state;
    struct pair p;
    connect_with("one", "two", false, &p);
    assert_null(told(&p.lac, L2TP_EVENT_TUNNEL_UP));
    assert_null(told(&p.lns, L2TP_EVENT_TUNNEL_UP));
    assert_int_equal(told(&p.lac, L2TP_EVENT_TUNNEL_DOWN)->cause, CAUSE_L2TP_REFUSED);
    assert_int_equal(told(&p.lns, L2TP_EVENT_TUNNEL_DOWN)->cause, CAUSE_L2TP_REFUSED);
    assert_int_equal(told(&p.lns, L2TP_EVENT_TUNNEL_DOWN)->result, 4); /* the LAC said it */
    assert_int_equal(told_count(&p.lac, L2TP_EVENT_SESSION_DOWN), 1);
    pair_stop(&p);
}

static void a_server_that_asks_refuses_who_does_not_answer(void **state)
{
    (void)state;
    struct pair p;
    connect_with("", "secret", false, &p);
    assert_null(told(&p.lns, L2TP_EVENT_TUNNEL_UP));
    assert_int_equal(told(&p.lac, L2TP_EVENT_TUNNEL_DOWN)->result, 4);
    pair_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_covered_is_revealed_at_every_length),
        cmocka_unit_test(padding_behind_the_value_is_taken_off),
        cmocka_unit_test(the_first_block_is_the_rfcs),
        cmocka_unit_test(a_response_is_bound_to_its_message_and_its_challenge),
        cmocka_unit_test(the_same_secret_opens_the_tunnel_also_with_hidden_values),
        cmocka_unit_test(another_secret_is_refused_with_result_4),
        cmocka_unit_test(a_server_that_asks_refuses_who_does_not_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
