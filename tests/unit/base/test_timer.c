/* The timer heap against a plain array that is searched by eye. */
#include "tests/test.h"

#include "base/base.h"

static void timers_come_back_in_order_of_their_deadlines(void **state)
{
    (void)state;
    struct timers h = {0};
    struct timer t[5] = {0};
    const usec_t at[] = {50, 10, 40, 20, 30};
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        assert_int_equal(timer_set(&h, &t[i], at[i]), ERR_OK);
    assert_int_equal(timers_deadline(&h), 10);
    assert_null(timers_due(&h, 9));
    assert_ptr_equal(timers_due(&h, 100), &t[1]);
    assert_ptr_equal(timers_due(&h, 100), &t[3]);
    timer_clear(&h, &t[4]);
    assert_int_equal(timer_set(&h, &t[0], 1), ERR_OK);
    assert_ptr_equal(timers_due(&h, 100), &t[0]);
    assert_ptr_equal(timers_due(&h, 100), &t[2]);
    assert_null(timers_due(&h, 100));
    assert_int_equal(timers_deadline(&h), USEC_NEVER);
    timers_done(&h);
}

static void setting_to_never_clears(void **state)
{
    (void)state;
    struct timers h = {0};
    struct timer t = {0};
    assert_int_equal(timer_set(&h, &t, 5), ERR_OK);
    assert_int_equal(timer_set(&h, &t, USEC_NEVER), ERR_OK);
    assert_int_equal(timers_deadline(&h), USEC_NEVER);
    timer_clear(&h, &t);
    timers_done(&h);
}

#define MANY 300

static usec_t least(const struct timer *t)
{
    usec_t best = USEC_NEVER;
    for (size_t i = 0; i < MANY; i++)
        if (t[i].place != 0 && t[i].at < best)
            best = t[i].at;
    return best;
}

static void random_sets_and_clears_keep_the_least_in_front(void **state)
{
    (void)state;
    struct random_test rt;
    random_test_init(&rt, 42);
    const struct random rng = {random_test_fill, &rt};
    struct timers h = {0};
    static struct timer t[MANY];
    for (int round = 0; round < 20000; round++) {
        struct timer *one = &t[random_below(&rng, MANY)];
        if (random_below(&rng, 3) == 0)
            timer_clear(&h, one);
        else
            assert_int_equal(timer_set(&h, one, random_below(&rng, 1000)), ERR_OK);
        assert_int_equal(timers_deadline(&h), least(t));
    }
    usec_t last = 0;
    for (struct timer *due; (due = timers_due(&h, USEC_NEVER - 1)) != NULL;) {
        assert_int_equal(due->at, USEC_NEVER);
        assert_true(timers_deadline(&h) >= last);
        last = timers_deadline(&h) == USEC_NEVER ? last : timers_deadline(&h);
    }
    timers_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_come_back_in_order_of_their_deadlines),
        cmocka_unit_test(setting_to_never_clears),
        cmocka_unit_test(random_sets_and_clears_keep_the_least_in_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
