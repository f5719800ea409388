/* GTC whose question comes from the server's caller: told, asked again, counted, answered. */
#include "eap.h"

#include "ppp/ppp_internal.h"

/* As SERVER, for GTC, with the name told. */
static void asking_server(struct side *s, uint64_t seed, const char *wording, bool again)
{
    uint8_t frame[PPP_FRAME_MAX];
    side_init(s, true, seed);
    METHODS(s, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_EAP_GTC);
    s->config.asks = true;
    s->wording = wording;
    s->again = again;
    side_start(s);
    say(s, "ff03c021 01 01 000a 0506 11223344");
    const size_t request = expect_start(s, "ff03c021 01", frame);
    expect(s, "ff03c021 02 01 000a 0506 11223344");
    acknowledge(s, frame, request);
    expect(s, "ff03c227 01 01 0005 01");
    say(s, "ff03c227 02 01 000a 01 616c696365");
    expect_start(s, "ff03c227 01 02 001c 1a", frame); /* <-- MS-CHAPv2 as before, for who wants it */
    assert_int_equal(s->wordings, 0);
    say(s, "ff03c227 02 02 0006 03 06"); /* --> Nak: GTC */
    assert_int_equal(s->wordings, 1);
    assert_string_equal(s->worded, "alice");
}

static void what_gtc_asks_is_told_by_the_caller(void **state)
{
    (void)state;
    struct side s;
    asking_server(&s, 60, NULL, false);
    expect_silence(&s);
    say(&s, "ff03c227 02 02 0006 03 06"); /* --> Nak again, before the question is known: nothing to answer yet */
    expect_silence(&s);
    assert_int_equal(s.wordings, 1);
    side_advance(&s, 20 * USEC_SEC);
    expect_silence(&s);
    ppp_ask(s.ppp, s.now, view_str("Row?"));
    side_events(&s);
    expect(&s, "ff03c227 01 03 0009 06 526f773f"); /* <-- GTC: "Row?" */
    assert_string_equal(s.detail[STAGE_PPP_PROMPT], "EAP-GTC, alice");
    ppp_ask(s.ppp, s.now, view_str("Again?")); /* nobody has asked */
    expect_silence(&s);
    side_advance(&s, s.now + 15 * USEC_SEC);
    expect(&s, "ff03c227 01 03 0009 06 526f773f"); /* <-- lost: the same once more, with the same number */
    say(&s, "ff03c227 02 03 000c 06 73656372657431");
    expect(&s, "ff03c227 03 03 0004");
    assert_int_equal(s.question.method, PPP_AUTH_EAP_GTC);
    ppp_free(s.ppp);
}

static void a_wrong_answer_is_asked_for_anew_three_times_in_all(void **state)
{
    (void)state;
    struct side s;
    asking_server(&s, 61, "Row?", true);
    expect(&s, "ff03c227 01 03 0009 06 526f773f");
    say(&s, "ff03c227 02 03 0006 06 31"); /* --> wrong */
    assert_string_equal(s.detail[STAGE_PPP_PROMPT], "EAP-GTC, alice, wrong-password");
    expect(&s, "ff03c227 01 04 0009 06 526f773f");
    say(&s, "ff03c227 02 03 0006 06 31"); /* --> the old answer, late */
    say(&s, "ff03c227 02 04 0006 03 1a"); /* --> Nak: a method that has begun is gone through with */
    expect_silence(&s);
    say(&s, "ff03c227 02 04 0006 06 32"); /* --> wrong */
    expect(&s, "ff03c227 01 05 0009 06 526f773f");
    assert_int_equal(s.cause, CAUSE_NONE);
    say(&s, "ff03c227 02 05 0006 06 33"); /* --> wrong, for the last time */
    expect(&s, "ff03c227 04 05 0004");    /* <-- Failure */
    assert_int_equal(s.asked, 3);
    assert_int_equal(s.wordings, 3);
    assert_int_equal(ppp_cause(s.ppp), CAUSE_AUTH_PASSWORD);
    ppp_free(s.ppp);
}

/* A client that only says what it has saved hangs up when it is asked again. */
static void who_hangs_up_after_a_wrong_answer_failed_by_it(void **state)
{
    (void)state;
    struct side s;
    asking_server(&s, 67, "Row?", true);
    expect(&s, "ff03c227 01 03 0009 06 526f773f");
    say(&s, "ff03c227 02 03 0006 06 31");
    expect(&s, "ff03c227 01 04 0009 06 526f773f");
    say(&s, "ff03c021 05 09 0004"); /* --> Terminate-Request */
    expect(&s, "ff03c021 06 09 0004");
    assert_int_equal(ppp_cause(s.ppp), CAUSE_AUTH_PASSWORD);
    ppp_free(s.ppp);
}

static void a_saved_password_is_said_once(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    side_init(&s, false, 68);
    METHODS(&s, PPP_AUTH_EAP_GTC);
    s.config.answer_prompts = true;
    side_start(&s);
    acknowledge(&s, frame, expect_start(&s, "ff03c021 01", frame));
    say(&s, "ff03c021 01 01 0008 0304 c227");
    expect(&s, "ff03c021 02 01 0008 0304 c227");
    say(&s, "ff03c227 01 01 0006 06 3f");
    expect(&s, "ff03c227 02 01 000c 06 73656372657431");
    say(&s, "ff03c227 01 02 0006 06 3f");   /* --> asked again: it was wrong */
    expect_start(&s, "ff03c021 05", frame); /* <-- Terminate-Request */
    assert_int_equal(ppp_cause(s.ppp), CAUSE_AUTH_REFUSED);
    ppp_free(s.ppp);
}

static void a_right_answer_after_a_wrong_one_opens(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    asking_server(&s, 62, "Row?", true);
    expect(&s, "ff03c227 01 03 0009 06 526f773f");
    say(&s, "ff03c227 02 03 0006 06 31");
    expect(&s, "ff03c227 01 04 0009 06 526f773f");
    say(&s, "ff03c227 02 04 000c 06 73656372657431");
    expect(&s, "ff03c227 03 04 0004");
    expect_start(&s, "ff03 8021 01", frame);
    assert_int_equal(ppp_cause(s.ppp), CAUSE_NONE);
    ppp_free(s.ppp);
}

/* Negotiating LCP anew gives no further guesses: the count is the link's. */
static void guesses_are_counted_beyond_lcp(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    asking_server(&s, 63, "Row?", true);
    expect(&s, "ff03c227 01 03 0009 06 526f773f");
    say(&s, "ff03c227 02 03 0006 06 31");
    expect(&s, "ff03c227 01 04 0009 06 526f773f");
    say(&s, "ff03c227 02 04 0006 06 32");
    expect(&s, "ff03c227 01 05 0009 06 526f773f");
    say(&s, "ff03c021 01 02 000a 0506 55667788"); /* --> Configure-Request: from the start */
    acknowledge(&s, frame, expect_start(&s, "ff03c021 01", frame));
    expect(&s, "ff03c021 02 02 000a 0506 55667788");
    expect(&s, "ff03c227 01 06 0005 01");
    say(&s, "ff03c227 02 06 000a 01 616c696365");
    expect_start(&s, "ff03c227 01 07 001c 1a", frame);
    say(&s, "ff03c227 02 07 0006 03 06");
    expect(&s, "ff03c227 01 08 0009 06 526f773f");
    say(&s, "ff03c227 02 08 0006 06 33"); /* --> wrong, for the third time */
    expect(&s, "ff03c227 04 08 0004");
    ppp_free(s.ppp);
}

/* What is told late is for the user who was asked about then: the next one is asked about anew. */
static void a_late_wording_is_not_shown_to_another(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    asking_server(&s, 64, NULL, true);
    say(&s, "ff03c021 01 02 000a 0506 55667788");
    acknowledge(&s, frame, expect_start(&s, "ff03c021 01", frame));
    expect(&s, "ff03c021 02 02 000a 0506 55667788");
    expect(&s, "ff03c227 01 03 0005 01");
    say(&s, "ff03c227 02 03 0008 01 626f62"); /* --> bob */
    expect_start(&s, "ff03c227 01 04 001c 1a", frame);
    say(&s, "ff03c227 02 04 0006 03 06");
    assert_int_equal(s.wordings, 1); /* the answer about alice is still owed */
    ppp_ask(s.ppp, s.now, view_str("For alice?"));
    side_events(&s);
    expect_silence(&s);
    assert_int_equal(s.wordings, 2);
    assert_string_equal(s.worded, "bob");
    ppp_ask(s.ppp, s.now, view_str("Row?"));
    side_events(&s);
    expect(&s, "ff03c227 01 05 0009 06 526f773f");
    ppp_free(s.ppp);
}

static void a_text_that_the_peer_cannot_take_is_asked_plainly(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    char text[PPP_PROMPT_MAX + 1];
    for (int i = 0; i < 3; i++) {
        static const char *const request[] = {"ff03c021 01 01 0008 0104 0080", "ff03c021 01 01 0008 0104 0200",
                                              "ff03c021 01 01 0008 0104 0200"};
        static const char *const reply[] = {"ff03c021 02 01 0008 0104 0080", "ff03c021 02 01 0008 0104 0200",
                                            "ff03c021 02 01 0008 0104 0200"};
        const size_t n[] = {124, 507, 512};
        memset(text, 'x', sizeof text);
        side_init(&s, true, 65);
        METHODS(&s, PPP_AUTH_EAP_GTC);
        s.config.asks = true;
        side_start(&s);
        say(&s, request[i]); /* --> an MRU of 128, or 512 */
        const size_t ours = expect_start(&s, "ff03c021 01", frame);
        expect(&s, reply[i]);
        acknowledge(&s, frame, ours);
        expect(&s, "ff03c227 01 01 0005 01");
        say(&s, "ff03c227 02 01 000a 01 616c696365");
        ppp_ask(s.ppp, s.now, view_of(text, n[i]));
        side_events(&s);
        if (i == 1)
            expect_start(&s, "ff03c227 01 02 0200 06 787878", frame);
        else
            expect(&s, "ff03c227 01 02 000f 06 50617373776f72643a20");
        ppp_free(s.ppp);
    }
}

static void the_client_is_told_how_often_it_was_asked(void **state)
{
    (void)state;
    struct side s;
    CLIENT(&s, 66, PPP_AUTH_EAP_GTC);
    say(&s, "ff03c227 01 01 0006 06 3f"); /* --> "?" */
    assert_int_equal(s.round, 1);
    side_advance(&s, 170 * USEC_SEC);
    ppp_answer(s.ppp, s.now, view_str("1"));
    expect(&s, "ff03c227 02 01 0006 06 31");
    say(&s, "ff03c227 01 02 0006 06 3f"); /* --> again: with time to read anew */
    assert_int_equal(s.round, 2);
    assert_int_equal(s.prompts, 2);
    side_advance(&s, s.now + 170 * USEC_SEC);
    ppp_answer(s.ppp, s.now, view_str("2"));
    expect(&s, "ff03c227 02 02 0006 06 32");
    say(&s, "ff03c227 03 02 0004");
    assert_int_equal(s.stage, STAGE_PPP_AUTH);
    ppp_free(s.ppp);
}

static void a_prompt_is_shown_and_its_answer_sent(void **state)
{
    (void)state;
    struct side s;
    CLIENT(&s, 13, PPP_AUTH_EAP_GTC);
    say(&s, "ff03c227 01 01 0010 06 526f77207765 0a 1b 20433f"); /* --> "Row we\n<ESC> C?" */
    expect_silence(&s);
    assert_int_equal(s.prompts, 1);
    assert_string_equal(s.prompt, "Row we\n? C?");
    say(&s, "ff03c227 01 01 0010 06 526f77207765 0a 1b 20433f"); /* --> again: somebody is still typing */
    expect_silence(&s);
    assert_int_equal(s.prompts, 1);
    side_advance(&s, 100 * USEC_SEC); /* beyond the time of other logins */
    assert_int_equal(s.downs, 0);
    ppp_answer(s.ppp, s.now, view_str("1234"));
    expect(&s, "ff03c227 02 01 0009 06 31323334");
    ppp_answer(s.ppp, s.now, view_str("5678")); /* too late */
    expect_silence(&s);
    say(&s, "ff03c227 01 01 0010 06 526f77207765 0a 1b 20433f");
    expect(&s, "ff03c227 02 01 0009 06 31323334");
    say(&s, "ff03c227 03 01 0004");
    assert_int_equal(s.stage, STAGE_PPP_AUTH);
    ppp_free(s.ppp);
}

static void a_prompt_without_an_answer_ends(void **state)
{
    (void)state;
    struct side s;
    CLIENT(&s, 14, PPP_AUTH_EAP_GTC);
    say(&s, "ff03c227 01 01 0006 06 3f");
    side_advance(&s, 300 * USEC_SEC);
    assert_int_equal(s.downs, 1);
    assert_int_equal(s.cause, CAUSE_PROMPT_UNANSWERED);
    ppp_free(s.ppp);
}

static void a_request_without_an_answer_is_repeated_and_given_up(void **state)
{
    (void)state;
    struct side s;
    uint8_t frame[PPP_FRAME_MAX];
    SERVER(&s, 15, PPP_AUTH_EAP_MD5);
    expect(&s, "ff03c227 01 01 0005 01");
    side_advance(&s, 3 * USEC_SEC);
    expect(&s, "ff03c227 01 01 0005 01");
    say(&s, "ff03c227 02 01 000a 01 616c696365");
    size_t n = expect_start(&s, "ff03c227 01 02 0018 04", frame);
    side_advance(&s, 6 * USEC_SEC);
    uint8_t again[PPP_FRAME_MAX];
    assert_int_equal(hear(&s, again), n);
    assert_memory_equal(again, frame, n);
    side_advance(&s, 120 * USEC_SEC);
    assert_int_equal(s.downs, 1);
    assert_int_equal(s.cause, CAUSE_AUTH_TIMEOUT);
    ppp_free(s.ppp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_gtc_asks_is_told_by_the_caller),
        cmocka_unit_test(a_wrong_answer_is_asked_for_anew_three_times_in_all),
        cmocka_unit_test(who_hangs_up_after_a_wrong_answer_failed_by_it),
        cmocka_unit_test(a_saved_password_is_said_once),
        cmocka_unit_test(a_right_answer_after_a_wrong_one_opens),
        cmocka_unit_test(guesses_are_counted_beyond_lcp),
        cmocka_unit_test(a_late_wording_is_not_shown_to_another),
        cmocka_unit_test(a_text_that_the_peer_cannot_take_is_asked_plainly),
        cmocka_unit_test(the_client_is_told_how_often_it_was_asked),
        cmocka_unit_test(a_prompt_is_shown_and_its_answer_sent),
        cmocka_unit_test(a_prompt_without_an_answer_ends),
        cmocka_unit_test(a_request_without_an_answer_is_repeated_and_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
