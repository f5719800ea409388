/* The two rings of stories: what is kept, what moves, what is pushed out, and how they are found. */
#include "rig.h"

static const struct path home = {{{4, {192, 0, 2, 1}}, 500}, {{4, {198, 51, 100, 7}}, 500}};
static const struct path other = {{{4, {192, 0, 2, 1}}, 500}, {{4, {198, 51, 100, 8}}, 4500}};

static void a_story_is_found_by_address_by_endpoint_and_by_user(void **state)
{
    (void)state;
    struct stack *s = made(false);
    struct story *story = story_step(s, 10, 1, &home, STAGE_IKE_MM1, "");
    assert_non_null(story);
    strcpy(story->user, "alice");
    assert_non_null(story_step(s, 20, 2, &other, STAGE_IKE_MM1, ""));
    assert_int_equal(stack_story(s, "198.51.100.7", 0)->id, 1);
    assert_int_equal(stack_story(s, "198.51.100.8:4500", 0)->id, 2);
    assert_int_equal(stack_story(s, "alice", 0)->id, 1);
    strcpy(story->user, "CORP\\Alice"); /* however the client sent it */
    assert_int_equal(stack_story(s, "alice", 0)->id, 1);
    assert_null(stack_story(s, "corp", 0));
    assert_int_equal(stack_story(s, NULL, 0)->id, 2);
    assert_int_equal(stack_story(s, NULL, 1)->id, 1);
    assert_null(stack_story(s, NULL, 2));
    assert_null(stack_story(s, "mallory", 0));
    stack_free(s);
}

static void strangers_push_out_strangers_only(void **state)
{
    (void)state;
    struct stack *s = made(false);
    (void)story_step(s, 1, 1, &home, STAGE_IKE_MM1, "");
    (void)story_step(s, 2, 1, &home, STAGE_IKE_MM3, ""); /* its address is proved from here on */
    (void)story_step(s, 3, 2, &home, STAGE_IKE_MM1, "");
    for (uint64_t id = 3; id < 2000; id++)
        (void)story_step(s, id + 1, id, &other, STAGE_IKE_MM1, "");
    assert_non_null(story_find(s, 1));
    assert_int_equal(story_find(s, 1)->n, 2);
    assert_null(story_find(s, 2));
    assert_int_equal(stack_story(s, "198.51.100.7", 0)->id, 1);
    stack_free(s);
}

static void the_first_cause_stays_the_cause(void **state)
{
    (void)state;
    struct stack *s = made(false);
    (void)story_step(s, 1, 1, &home, STAGE_PPP_AUTH, "");
    story_end(s, 2, 1, &home, STAGE_PPP_AUTH, CAUSE_AUTH_PASSWORD, "first");
    story_end(s, 3, 1, &home, STAGE_PPP_AUTH, CAUSE_PEER_SILENT, "then");
    assert_int_equal(story_find(s, 1)->cause, CAUSE_AUTH_PASSWORD);
    assert_string_equal(story_find(s, 1)->cause_detail, "first");
    stack_free(s);
}

static void another_session_of_an_ended_attempt_is_told_anew(void **state)
{
    (void)state;
    struct stack *s = made(false);
    (void)story_step(s, 1, 1, &home, STAGE_PPP_AUTH, "");
    story_end(s, 2, 1, &home, STAGE_PPP_AUTH, CAUSE_AUTH_PASSWORD, "");
    story_reopen(s, 1);
    assert_false(story_find(s, 1)->ended);
    (void)story_step(s, 3, 1, &home, STAGE_PPP_LCP, "again");
    assert_int_equal(story_find(s, 1)->stage, STAGE_PPP_LCP);
    story_end(s, 4, 1, &home, STAGE_PPP_LCP, CAUSE_PEER_SILENT, "");
    assert_int_equal(story_find(s, 1)->cause, CAUSE_PEER_SILENT);
    stack_free(s);
}

static void a_long_story_keeps_its_beginning(void **state)
{
    (void)state;
    struct stack *s = made(false);
    for (usec_t i = 0; i < 3 * STORY_STEPS; i++)
        (void)story_step(s, i, 1, &home, STAGE_PPP_LCP, "");
    assert_int_equal(story_find(s, 1)->n, STORY_STEPS);
    stack_free(s);
}

static void what_a_peer_said_is_kept_printable(void **state)
{
    (void)state;
    struct stack *s = made(false);
    (void)story_step(s, 1, 1, &home, STAGE_IKE_MM1, "a\x1b[31m\xff\n");
    assert_string_equal(story_find(s, 1)->step[0].detail, "a?[31m??");
    stack_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_story_is_found_by_address_by_endpoint_and_by_user),
        cmocka_unit_test(strangers_push_out_strangers_only),
        cmocka_unit_test(the_first_cause_stays_the_cause),
        cmocka_unit_test(another_session_of_an_ended_attempt_is_told_anew),
        cmocka_unit_test(a_long_story_keeps_its_beginning),
        cmocka_unit_test(what_a_peer_said_is_kept_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
