/* The replay window as a numbered list of sequence numbers and whether each is taken. */
#include "esp/esp_internal.h"
#include "tests/test.h"

#define W ESP_REPLAY_WINDOW

struct step {
    uint32_t sequence;
    bool taken;
};

static void walk(const struct step *steps, size_t n)
{
    struct replay r = {0};
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(replay_fresh(&r, steps[i].sequence), steps[i].taken);
        if (replay_commit(&r, steps[i].sequence) != steps[i].taken)
            fail_msg("step %zu: %u", i + 1, (unsigned)steps[i].sequence);
    }
}

#define WALK(...)                                                                                                      \
    do {                                                                                                               \
        static const struct step steps[] = {__VA_ARGS__};                                                              \
        walk(steps, ARRAY_LEN(steps));                                                                                 \
    } while (0)

static void each_number_is_taken_once_in_any_order(void **state)
{
    (void)state;
    WALK({1, true}, {1, false}, {9, true}, {8, true}, {7, true}, {7, false}, {9, false}, {2, true}, {1, false},
         {3, true}, {2, false}, {64, true}, {63, true}, {65, true}, {64, false});
}

static void zero_is_never_a_number(void **state)
{
    (void)state;
    WALK({0, false}, {1, true}, {0, false}, {W + 70, true}, {0, false});
}

static void the_window_is_exactly_as_wide_as_it_says(void **state)
{
    (void)state;
    WALK({W, true}, {1, true}, {1, false}, {W + 1, true}, {1, false}, {2, true}, {2, false}, {W + 64, true},
         {64, false}, {65, true}, {2 * W, true}, {W, false}, {W + 1, false}, {W + 2, true}, {W + 2, false});
}

static void a_leap_forgets_what_it_leaves_behind_and_nothing_else(void **state)
{
    (void)state;
    WALK({100, true}, {5 * W, true}, {100, false}, {4 * W, false}, {4 * W + 1, true}, {5 * W - 1, true},
         {5 * W - 1, false}, {4 * W + 1, false}, {5 * W + W / 2, true}, {5 * W, false}, {5 * W - 1, false},
         {4 * W + W / 2 + 1, true}, {4 * W + W / 2, false});
}

static void the_last_numbers_are_taken_like_all_others(void **state)
{
    (void)state;
    WALK({UINT32_MAX - 1, true}, {UINT32_MAX, true}, {UINT32_MAX, false}, {0, false}, {1, false},
         {UINT32_MAX - W + 1, true}, {UINT32_MAX - W, false});
}

/* The plainest window there can be: a flag for each number. */
static void the_window_agrees_with_a_plain_list_of_flags(void **state)
{
    (void)state;
    enum { NUMBERS = 20000 };
    struct random_test dice;
    random_test_init(&dice, 4303);
    const struct random rng = {random_test_fill, &dice};
    struct replay r = {0};
    bool *seen = calloc(NUMBERS + 3 * W, sizeof *seen);
    uint32_t top = 0;
    for (uint32_t i = 0; i < NUMBERS; i++) {
        uint32_t base = i > W + W / 8 ? i - W - W / 8 : 0;
        uint32_t sequence = base + random_below(&rng, random_below(&rng, 100) == 0 ? 3 * W : W + W / 4);
        bool want = sequence > 0 && (sequence > top || (top - sequence < W && !seen[sequence]));
        assert_int_equal(replay_commit(&r, sequence), want);
        seen[sequence] |= want;
        top = sequence > top ? sequence : top;
    }
    free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_number_is_taken_once_in_any_order),
        cmocka_unit_test(zero_is_never_a_number),
        cmocka_unit_test(the_window_is_exactly_as_wide_as_it_says),
        cmocka_unit_test(a_leap_forgets_what_it_leaves_behind_and_nothing_else),
        cmocka_unit_test(the_last_numbers_are_taken_like_all_others),
        cmocka_unit_test(the_window_agrees_with_a_plain_list_of_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
