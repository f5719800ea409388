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

static void a_client_connects_over_ipv6(void **state)
{
    (void)state;
    struct world *w = world_new(3);
    w->ipv6 = true;
    w->side[0].config.encap = IKE_ENCAP_FORCE;
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    assert_string_equal(world_event(w, 1, IKE_EVENT_UP, 0)->event.identity, "2001:db8:1::20");
    const struct ike_child *c = &world_event(w, 1, IKE_EVENT_CHILD_NEW, 0)->event.child;
    assert_int_equal(c->oa_remote.family, 6);
    assert_true(c->encap);
    world_free(w);
}

/* Makes a vendor ID of MM1, which no hash covers, unknown on its way. */
static void spoil(struct world *w, const char *vendor_id)
{
    uint8_t id[16];
    struct flight *f = w->flight;
    while (!f->used)
        f++;
    uint8_t *at = memmem(f->bytes, f->n, id, unhex(vendor_id, id, sizeof(id)));
    assert_non_null(at);
    at[0] ^= 0xff;
}

static void the_drafts_are_spoken_where_the_rfc_is_not(void **state)
{
    (void)state;
    static const char *const ids[] = {"4a131c81070358455c5728f20e95452f", "7d9419a65310ca6f2c179d9215529d56",
                                      "90cb80913ebb696e086381b5ec427b1f", "cd60464335df21f87cfdb2fc68b6a448"};
    /* without RFC 3947, then without draft-03 too, ...: NAT-D 130, NAT-OA 131, encapsulation mode 61444 */
    for (size_t spoilt = 1; spoilt <= ARRAY_LEN(ids); spoilt++) {
        struct world *w = world_new(5 + spoilt);
        w->nat = true;
        world_begin(w);
        world_connect(w);
        for (size_t i = 0; i < spoilt; i++)
            spoil(w, ids[i]);
        world_run(w, 2 * USEC_SEC);
        world_assert_connected(w);
        const bool none = spoilt == ARRAY_LEN(ids);
        const struct ike_child *c = &world_event(w, 1, IKE_EVENT_CHILD_NEW, 0)->event.child;
        assert_int_equal(c->encap, !none);
        assert_int_equal(ip4_value(&c->oa_remote), none ? 0 : 0x0a000002);
        assert_int_equal(world_event(w, 1, IKE_EVENT_UP, 0)->event.path.local.port, none ? 500 : 4500);
        world_free(w);
    }
}

static void every_stage_is_told_in_order(void **state)
{
    (void)state;
    static const enum stage stages[] = {STAGE_IKE_MM1, STAGE_IKE_MM2, STAGE_IKE_MM3, STAGE_IKE_MM4, STAGE_IKE_MM5,
                                        STAGE_IKE_MM6, STAGE_IKE_QM1, STAGE_IKE_QM2, STAGE_IKE_QM3};
    struct world *w = world_new(4);
    w->nat = true;
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    for (int side = 0; side < 2; side++) {
        uint64_t attempt = world_event(w, side, IKE_EVENT_UP, 0)->event.attempt;
        for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
            const struct ike_event *e = &world_event(w, side, IKE_EVENT_STAGE, i)->event;
            assert_int_equal(e->stage, stages[i]);
            assert_true(e->attempt == attempt);
        }
    }
    assert_string_equal(world_event(w, 1, IKE_EVENT_UP, 0)->event.detail, "Sekisho, aes256-sha256-ecp256");
    assert_string_equal(world_event(w, 1, IKE_EVENT_STAGE, 7)->event.detail, "aes256gcm16");
    world_free(w);
}

/* What side 0 has to send, without sending it; work that is asked for gets done. */
static struct view take(struct world *w, uint8_t *buffer, size_t cap)
{
    struct path path;
    struct ike_event e;
    struct writer out = wr_init(buffer, cap);
    while (ike_event(w->side[0].ike, &e)) {
        if (e.type != IKE_EVENT_DH)
            continue;
        dh_work_run(e.dh);
        ike_dh_done(w->side[0].ike, w->now, e.dh);
    }
    assert_true(ike_output(w->side[0].ike, &path, &out));
    return wr_written(&out);
}

static void a_mirror_is_not_a_responder(void **state)
{
    (void)state;
    struct world *w = world_new(18);
    w->side[0].config.ike_proposal = "aes256-sha1-ecp256";
    world_begin(w);
    const struct path path = world_path(w, 0, IKE_PORT);
    const struct ike_connect c = {.path = path, .psk = &world_psk[0], .l2tp_port_local = 1701};
    uint8_t message[2048];
    uint32_t peer;
    assert_int_equal(ike_connect(w->side[0].ike, w->now, &c, &peer), ERR_OK);
    /* --> MM1 <-- the same with the initiator's cookie for the responder's */
    struct view m = take(w, message, sizeof(message));
    memcpy(message + 8, message, 8);
    assert_int_equal(ike_input(w->side[0].ike, w->now, &path, m), DROP_IKE_COOKIE);
    /* <-- MM2 with a cookie of its own --> MM3 <-- MM3 */
    message[8] ^= 1;
    assert_int_equal(ike_input(w->side[0].ike, w->now, &path, m), DROP_NONE);
    m = take(w, message, sizeof(message));
    assert_int_equal(ike_input(w->side[0].ike, w->now, &path, m), DROP_IKE_KE);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_connects),
        cmocka_unit_test(a_client_connects_over_ipv6),
        cmocka_unit_test(the_drafts_are_spoken_where_the_rfc_is_not),
        cmocka_unit_test(every_stage_is_told_in_order),
        cmocka_unit_test(a_client_behind_a_nat_floats_and_encapsulates),
        cmocka_unit_test(a_mirror_is_not_a_responder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
