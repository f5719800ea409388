/* The latest events are kept, in the order in which they happened, and strangers push out no one else's. */
#include "tests/test.h"

#include "gateway/gateway_internal.h"

static struct recent recent;

static int begin(void **state)
{
    (void)state;
    recent_init(&recent, 1764230400);
    return 0;
}

static uint64_t add(const char *user, bool stranger)
{
    struct ctl_event e = {.time = 7, .type = "session-up"};
    view_copy_text(e.user, sizeof e.user, view_str(user));
    return recent_add(&recent, &e, stranger);
}

static void they_come_in_their_order_after_the_one_that_is_known(void **state)
{
    (void)state;
    assert_null(recent_after(&recent, 0));
    const uint64_t first = add("alice", false), second = add("mallory", true), third = add("bob", false);
    assert_true(first < second && second < third);
    const struct ctl_event *e = recent_after(&recent, 0);
    assert_string_equal(e->user, "alice");
    e = recent_after(&recent, e->id);
    assert_string_equal(e->user, "mallory");
    assert_int_equal(e->id, second);
    e = recent_after(&recent, second);
    assert_string_equal(e->user, "bob");
    assert_null(recent_after(&recent, e->id));
    assert_null(recent_after(&recent, UINT64_MAX));
}

static void the_oldest_give_way_each_to_its_like(void **state)
{
    (void)state;
    const uint64_t alice = add("alice", false);
    for (int i = 0; i < 10 * RECENT_MAX; i++)
        (void)add("mallory", true);
    const struct ctl_event *e = recent_after(&recent, 0);
    assert_int_equal(e->id, alice);
    int n = 0;
    while ((e = recent_after(&recent, e->id)) != NULL)
        n++;
    assert_int_equal(n, RECENT_MAX);
    for (int i = 0; i < RECENT_MAX; i++)
        (void)add("bob", false);
    assert_string_equal(recent_after(&recent, 0)->user, "mallory");
}

static void numbers_grow_from_one_run_to_the_next(void **state)
{
    (void)state;
    const uint64_t before = add("alice", false);
    recent_init(&recent, 1764230401);
    assert_true(add("alice", false) > before);
    assert_true(recent.last < UINT64_C(9007199254740991)); /* every reader of JSON can hold it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(they_come_in_their_order_after_the_one_that_is_known, begin),
        cmocka_unit_test_setup(the_oldest_give_way_each_to_its_like, begin),
        cmocka_unit_test_setup(numbers_grow_from_one_run_to_the_next, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
