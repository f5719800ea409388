/* Lists keep the order in which they were filled, from either end. */
#include "tests/test.h"

#include "base/base.h"

struct car {
    char name;
    struct link link;
};

static const char *order(const struct link *head, char out[static 8])
{
    size_t n = 0;
    LIST_EACH(l, head)
    out[n++] = container_of(l, struct car, link)->name;
    out[n] = '\0';
    return out;
}

static void a_list_grows_at_both_ends(void **state)
{
    (void)state;
    char text[8];
    struct link head;
    struct car a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};
    list_init(&head);
    assert_true(list_empty(&head));
    list_append(&head, &b.link);
    list_append(&head, &c.link);
    list_prepend(&head, &a.link);
    assert_string_equal(order(&head, text), "abc");
    assert_false(list_empty(&head));
}

static void what_is_taken_out_may_be_taken_out_again(void **state)
{
    (void)state;
    char text[8];
    struct link head;
    struct car a = {.name = 'a'}, b = {.name = 'b'}, never = {.name = 'n'};
    list_init(&head);
    list_append(&head, &a.link);
    list_append(&head, &b.link);
    list_remove(&a.link);
    list_remove(&a.link);
    list_remove(&never.link);
    assert_string_equal(order(&head, text), "b");
    list_append(&head, &a.link);
    assert_string_equal(order(&head, text), "ba");
}

static void the_one_in_hand_may_go(void **state)
{
    (void)state;
    struct link head;
    struct car cars[3] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}};
    list_init(&head);
    for (size_t i = 0; i < ARRAY_LEN(cars); i++)
        list_append(&head, &cars[i].link);
    size_t seen = 0;
    LIST_EACH_SAFE(l, &head)
    {
        list_remove(l);
        seen++;
    }
    assert_int_equal(seen, ARRAY_LEN(cars));
    assert_true(list_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_grows_at_both_ends),
        cmocka_unit_test(what_is_taken_out_may_be_taken_out_again),
        cmocka_unit_test(the_one_in_hand_may_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
