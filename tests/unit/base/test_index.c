/* Objects found by their keys, against a plain array. */
#include "tests/test.h"

#include "base/base.h"

struct thing {
    int number;
    struct index_node node;
};

static struct thing *thing_of(struct index_node *n)
{
    return n ? container_of(n, struct thing, node) : NULL;
}

static void things_of_one_key_come_one_after_another(void **state)
{
    (void)state;
    struct index t;
    struct thing a = {.number = 1}, b = {.number = 2}, other = {.number = 3};
    assert_int_equal(index_init(&t, 4), ERR_OK);
    index_add(&t, &a.node, 7);
    index_add(&t, &other.node, 8);
    index_add(&t, &b.node, 7);
    const struct thing *first = thing_of(index_find(&t, 7, NULL));
    const struct thing *second = thing_of(index_find(&t, 7, &first->node));
    assert_int_equal(first->number + second->number, a.number + b.number);
    assert_null(index_find(&t, 7, &second->node));
    assert_ptr_equal(thing_of(index_find(&t, 8, NULL)), &other);
    assert_null(index_find(&t, 9, NULL));
    index_done(&t);
}

static void what_is_removed_is_found_no_more_and_may_be_removed_again(void **state)
{
    (void)state;
    struct index t;
    struct thing a = {0}, b = {0};
    assert_int_equal(index_init(&t, 4), ERR_OK);
    index_remove(&t, &a.node);
    index_add(&t, &a.node, 1);
    index_add(&t, &b.node, 1);
    index_remove(&t, &a.node);
    index_remove(&t, &a.node);
    assert_ptr_equal(thing_of(index_find(&t, 1, NULL)), &b);
    assert_null(index_find(&t, 1, &b.node));
    index_add(&t, &a.node, 2);
    assert_ptr_equal(thing_of(index_find(&t, 2, NULL)), &a);
    index_done(&t);
}

#define MANY 2000
#define KEYS 300

static void many_come_and_go(void **state)
{
    (void)state;
    struct index t;
    static struct thing things[MANY];
    static bool there[MANY];
    struct random_test generator;
    random_test_init(&generator, 1867);
    struct random random = {random_test_fill, &generator};
    assert_int_equal(index_init(&t, 64), ERR_OK);
    for (int step = 0; step < 20 * MANY; step++) {
        const uint32_t i = random_below(&random, MANY);
        if (there[i])
            index_remove(&t, &things[i].node);
        else
            index_add(&t, &things[i].node, index_key(i % KEYS, 0, 1));
        there[i] = !there[i];
    }
    for (uint32_t key = 0; key < KEYS; key++) {
        size_t found = 0, expected = 0;
        for (struct index_node *n = NULL; (n = index_find(&t, index_key(key, 0, 1), n));)
            found++;
        for (uint32_t i = key; i < MANY; i += KEYS)
            expected += there[i];
        assert_int_equal(found, expected);
    }
    index_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(things_of_one_key_come_one_after_another),
        cmocka_unit_test(what_is_removed_is_found_no_more_and_may_be_removed_again),
        cmocka_unit_test(many_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
