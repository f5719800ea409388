#include "tests/test.h"

#include "base/base.h"

static void one_seed_gives_one_stream(void **state)
{
    (void)state;
    uint8_t a[33], b[33], c[33];
    struct random_test t;
    random_test_init(&t, 7);
    random_test_fill(&t, a, sizeof(a));
    random_test_init(&t, 7);
    random_test_fill(&t, b, sizeof(b));
    random_test_init(&t, 8);
    random_test_fill(&t, c, sizeof(c));
    assert_memory_equal(a, b, sizeof(a));
    assert_memory_not_equal(a, c, sizeof(a));
}

static void bounded_numbers_fill_their_range_evenly(void **state)
{
    (void)state;
    struct random_test t;
    random_test_init(&t, 1);
    const struct random rng = {random_test_fill, &t};
    unsigned seen[10] = {0};
    for (int i = 0; i < 100000; i++)
        seen[random_below(&rng, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(seen[i], 9500, 10500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_seed_gives_one_stream),
        cmocka_unit_test(bounded_numbers_fill_their_range_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
