/* Pre-shared keys: wrong ones, several, and keys for one address. */
#include "world.h"

static void a_mistyped_key_is_told_as_such_by_both_sides(void **state)
{
    (void)state;
    struct world *w = world_new(30);
    w->side[0].config.psks = &world_psk[3];
    world_begin(w);
    world_connect(w);
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_UP), 0);
    assert_int_equal(world_count(w, 1, IKE_EVENT_FAILED), 1);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_IKE_WRONG_PSK);
    assert_int_equal(world_event(w, 0, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_IKE_WRONG_PSK);
    /* the first MM5 was tried, its repeats were not */
    assert_int_equal(world_verdicts(w, 1, DROP_IKE_DECRYPT), 1);
    assert_true(world_verdicts(w, 1, DROP_IKE_REPEATED) >= 4);
    /* nothing is sent that could tell the key from another: MM2 and MM4, no more */
    assert_int_equal(w->side[1].sent, 2);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 0);
    world_free(w);
}

static void of_several_keys_the_right_one_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct world *w = world_new(31 + i);
        w->side[0].config.psks = &world_psk[i];
        w->side[1].config.psk_count = 3;
        world_begin(w);
        world_connect(w);
        world_run(w, 2 * USEC_SEC);
        world_assert_connected(w);
        assert_string_equal(world_event(w, 1, IKE_EVENT_UP, 0)->event.psk, world_psk[i].name);
        world_free(w);
    }
}

static void a_key_for_another_address_does_not_open(void **state)
{
    (void)state;
    struct world *w = world_new(35);
    w->side[0].config.psks = &world_psk[1];
    w->side[1].config.psk_count = 3;
    world_psk[1].peer = ip4_addr(0xc6336463); /* 198.51.100.99 */
    struct ike_psk same = world_psk[1];
    same.peer = (struct ip_addr){0};
    w->side[0].config.psks = &same;
    world_begin(w);
    world_connect(w);
    world_run(w, 30 * USEC_SEC);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_IKE_WRONG_PSK);
    world_free(w);
}

static void a_key_for_this_address_comes_before_one_for_all(void **state)
{
    (void)state;
    struct world *w = world_new(36);
    w->side[1].config.psk_count = 3;
    world_psk[2] = world_psk[0];
    strcpy(world_psk[2].name, "mine");
    world_psk[2].peer = ip4_addr(0xc6336414); /* the client's */
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    assert_string_equal(world_event(w, 1, IKE_EVENT_UP, 0)->event.psk, "mine");
    world_free(w);
}

static void keys_may_change_under_living_peers(void **state)
{
    (void)state;
    struct world *w = world_new(37);
    world_begin(w);
    const uint32_t peer = world_connect(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    w->side[1].config.psks = &world_psk[1];
    ike_reconfigure(w->side[1].ike, &w->side[1].config);
    /* the old peer still rekeys; a new one with the old key does not come in */
    ike_child_rekey(w->side[0].ike, w->now, world_event(w, 0, IKE_EVENT_CHILD_NEW, 0)->event.child.spi_in);
    world_run(w, 2 * USEC_SEC);
    world_assert_pair(w, 1);
    ike_close(w->side[0].ike, w->now, peer);
    world_run(w, USEC_SEC);
    world_connect(w);
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_IKE_WRONG_PSK);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistyped_key_is_told_as_such_by_both_sides),
        cmocka_unit_test(of_several_keys_the_right_one_is_found),
        cmocka_unit_test(a_key_for_another_address_does_not_open),
        cmocka_unit_test(a_key_for_this_address_comes_before_one_for_all),
        cmocka_unit_test(keys_may_change_under_living_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
