/* The answer to a grid, kept for a connection that comes back: when it is good again, and when somebody is asked. */
#include "tests/test.h"

#include "sekisho/sekisho_internal.h"

#define BEGAN (5 * USEC_SEC)
#define TYPED "38322869"

static const struct grid_prompt grid = {.back = 600, .longest = 43200};

/* --> TYPED; <-- let in at BEGAN */
static struct recall let_in(void)
{
    struct recall r = {0};
    recall_typed(&r, &grid, TYPED);
    recall_up(&r, BEGAN);
    return r;
}

static void assert_asked(const struct recall *r, usec_t now)
{
    assert_null(recall_answer(r, now));
}

static void assert_recalled(const struct recall *r, usec_t now)
{
    const char *text = recall_answer(r, now);
    assert_non_null(text);
    assert_string_equal(text, TYPED);
}

static void nothing_is_recalled_before_anything_was_typed(void **state)
{
    (void)state;
    struct recall r = {0};
    assert_asked(&r, BEGAN);
    recall_up(&r, BEGAN); /* by a password */
    recall_lost(&r, BEGAN + 1);
    assert_asked(&r, BEGAN + 2);
}

static void an_answer_that_never_let_in_is_not_given_again(void **state)
{
    (void)state;
    struct recall r = {0};
    recall_typed(&r, &grid, TYPED);
    assert_asked(&r, BEGAN);
    recall_lost(&r, BEGAN + 1);
    assert_asked(&r, BEGAN + 2);
}

static void while_it_is_up_nothing_is_recalled(void **state)
{
    (void)state;
    struct recall r = let_in();
    assert_asked(&r, BEGAN + 1);
    recall_lost(&r, BEGAN + 2);
    assert_recalled(&r, BEGAN + 3);
    recall_up(&r, BEGAN + 4);
    assert_asked(&r, BEGAN + 5);
}

static void it_is_good_for_as_long_after_a_loss_as_the_gateway_says(void **state)
{
    (void)state;
    struct recall r = let_in();
    const usec_t lost = BEGAN + 1000 * USEC_SEC, end = lost + 600 * USEC_SEC;
    recall_lost(&r, lost);
    assert_recalled(&r, lost);
    assert_recalled(&r, end - 1);
    assert_asked(&r, end);
}

/* Each coming back begins the time after a loss anew, but not the time since the login. */
static void it_is_good_for_so_long_after_the_login_however_often_it_came_back(void **state)
{
    (void)state;
    struct recall r = let_in();
    const usec_t end = BEGAN + 43200 * USEC_SEC;
    for (usec_t at = BEGAN + 500 * USEC_SEC; at < end; at += 500 * USEC_SEC) {
        recall_lost(&r, at);
        assert_recalled(&r, at);
        recall_up(&r, at);
    }
    recall_lost(&r, end - 10);
    assert_recalled(&r, end - 1);
    assert_asked(&r, end);
}

static void what_is_typed_anew_takes_the_place_of_what_was_and_has_to_let_in_first(void **state)
{
    (void)state;
    struct recall r = let_in();
    recall_lost(&r, BEGAN + 1);
    recall_typed(&r, &grid, "11112222");
    assert_asked(&r, BEGAN + 2);
    recall_up(&r, BEGAN + 3);
    recall_lost(&r, BEGAN + 4);
    assert_string_equal(recall_answer(&r, BEGAN + 5), "11112222");
}

static void a_gateway_that_takes_nothing_again_is_asked_each_time(void **state)
{
    (void)state;
    const struct grid_prompt once = {.back = 0, .longest = 43200}, never = {.back = 600, .longest = 0};
    const struct grid_prompt *const prompts[] = {&once, &never};
    for (size_t i = 0; i < ARRAY_LEN(prompts); i++) {
        struct recall r = let_in(); /* by one that would */
        recall_typed(&r, prompts[i], TYPED);
        recall_up(&r, BEGAN);
        recall_lost(&r, BEGAN + 1);
        assert_asked(&r, BEGAN + 1);
    }
}

static void what_does_not_fit_is_not_kept_in_part(void **state)
{
    (void)state;
    struct recall r = {0};
    char text[SEKISHO_TEXT + 1];
    memset(text, '7', sizeof(text));
    for (size_t n = SEKISHO_TEXT - 1; n <= SEKISHO_TEXT; n++) {
        text[SEKISHO_TEXT - 1] = '7';
        text[n] = '\0';
        recall_typed(&r, &grid, text);
        recall_up(&r, BEGAN);
        recall_lost(&r, BEGAN + 1);
        assert_int_equal(recall_answer(&r, BEGAN + 1) != NULL, n < SEKISHO_TEXT);
    }
}

static void nothing_is_left_of_what_was_dropped(void **state)
{
    (void)state;
    static const struct recall nothing;
    struct recall r = let_in();
    recall_lost(&r, BEGAN + 1);
    recall_drop(&r);
    assert_asked(&r, BEGAN + 2);
    assert_memory_equal(&r, &nothing, sizeof(r));
    r = let_in();
    recall_typed(&r, &(struct grid_prompt){.back = 0}, "x"); /* nor of what is not to be given again */
    assert_memory_equal(&r, &nothing, sizeof(r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_recalled_before_anything_was_typed),
        cmocka_unit_test(an_answer_that_never_let_in_is_not_given_again),
        cmocka_unit_test(while_it_is_up_nothing_is_recalled),
        cmocka_unit_test(it_is_good_for_as_long_after_a_loss_as_the_gateway_says),
        cmocka_unit_test(it_is_good_for_so_long_after_the_login_however_often_it_came_back),
        cmocka_unit_test(what_is_typed_anew_takes_the_place_of_what_was_and_has_to_let_in_first),
        cmocka_unit_test(a_gateway_that_takes_nothing_again_is_asked_each_time),
        cmocka_unit_test(what_does_not_fit_is_not_kept_in_part),
        cmocka_unit_test(nothing_is_left_of_what_was_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
