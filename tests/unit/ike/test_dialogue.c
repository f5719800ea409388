/* Main mode and quick mode, whole: both sides in one process. */
#include "world.h"

static void a_client_connects(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    world_begin(w);
    /* --> MM1 <-- MM2 --> MM3 <-- MM4 --> MM5 <-- MM6, --> QM1 <-- QM2 --> QM3 */
    const uint32_t peer = world_connect(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    assert_int_equal(w->side[0].sent, 5);
    assert_int_equal(w->side[1].sent, 4);
    const struct ike_event *up = &world_event(w, 1, IKE_EVENT_UP, 0)->event;
    assert_string_equal(up->psk, "default");
    assert_string_equal(up->identity, "198.51.100.20");
    assert_false(up->nat_remote);
    assert_false(world_event(w, 0, IKE_EVENT_CHILD_NEW, 0)->event.child.encap);
    assert_int_equal(world_event(w, 0, IKE_EVENT_UP, 0)->event.peer, peer);
    /* --> D(ESP) D(ISAKMP) */
    ike_close(w->side[0].ike, w->now, peer);
    world_run(w, USEC_SEC);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_DOWN), 1);
    assert_int_equal(world_count(w, 1, IKE_EVENT_DOWN), 1);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 0);
    assert_int_equal(ike_stats(w->side[1].ike).children, 0);
    world_free(w);
}

static void a_client_behind_a_nat_floats_and_encapsulates(void **state)
{
    (void)state;
    struct world *w = world_new(2);
    w->nat = true;
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    const struct ike_event *up = &world_event(w, 1, IKE_EVENT_UP, 0)->event;
    assert_true(up->nat_remote);
    assert_false(up->nat_local);
    assert_int_equal(up->path.remote.port, 34500);
    assert_int_equal(up->path.local.port, 4500);
    assert_string_equal(up->identity, "10.0.0.2");
    assert_true(world_event(w, 0, IKE_EVENT_UP, 0)->event.nat_local);
    const struct ike_child *c = &world_event(w, 1, IKE_EVENT_CHILD_NEW, 0)->event.child;
    assert_true(c->encap);
    assert_int_equal(ip4_value(&c->oa_remote), 0x0a000002);
    assert_int_equal(c->port_local, 1701);
    /* keepalives come from behind the NAT only */
    world_run(w, 61 * USEC_SEC);
    assert_int_equal(w->side[0].keepalives, 3);
    assert_int_equal(w->side[1].keepalives, 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_connects),
        cmocka_unit_test(a_client_behind_a_nat_floats_and_encapsulates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
