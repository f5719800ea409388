/* Stories as people read them. */
#include "tests/test.h"

#include "stack/stack.h"

static const char *told(const struct story *story)
{
    static char text[4096];
    struct writer w = wr_init((uint8_t *)text, sizeof(text) - 1);
    story_text(story, &w);
    assert_true(wr_ok(&w));
    text[w.n] = '\0';
    return text;
}

static struct story begun(void)
{
    struct story story = {.id = 1, .began = USEC_SEC, .n = 1, .stage = STAGE_IKE_MM1};
    assert_int_equal(ip_parse("192.0.2.7", &story.path.remote.addr), ERR_OK);
    story.path.remote.port = 500;
    story.step[0] = (struct story_step){.stage = STAGE_IKE_MM1, .after_ms = 1234, .detail = "aes256"};
    return story;
}

static void an_attempt_under_way_says_where_it_is(void **state)
{
    (void)state;
    const struct story story = begun();
    const char *text = told(&story);
    assert_ptr_equal(strstr(text, "From 192.0.2.7:500\n"), text);
    assert_non_null(strstr(text, "  +1.234 s  "));
    assert_non_null(strstr(text, " (aes256)\n"));
    assert_non_null(strstr(text, "Under way: "));
    assert_null(strstr(text, "identity"));
}

static void a_failure_has_its_cause_and_its_cure(void **state)
{
    (void)state;
    struct story story = begun();
    story.ended = true;
    story.cause = CAUSE_AUTH_PASSWORD;
    strcpy(story.user, "alice");
    strcpy(story.cause_detail, "100% wrong"); /* words of others are no format */
    const char *text = told(&story);
    assert_non_null(strstr(text, ", user alice\n"));
    assert_non_null(strstr(text, "Failed at: "));
    assert_non_null(strstr(text, " (100% wrong)\n"));
    assert_non_null(strstr(text, cause_cure(CAUSE_AUTH_PASSWORD)));
}

static void one_that_was_connected_has_ended_not_failed(void **state)
{
    (void)state;
    struct story story = begun();
    story.established = true;
    assert_non_null(strstr(told(&story), "Connected.\n"));
    story.ended = true;
    story.cause = CAUSE_PEER_CLOSED;
    assert_non_null(strstr(told(&story), "Ended at: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attempt_under_way_says_where_it_is),
        cmocka_unit_test(a_failure_has_its_cause_and_its_cure),
        cmocka_unit_test(one_that_was_connected_has_ended_not_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
