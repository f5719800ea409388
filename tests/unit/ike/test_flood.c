/* Those who prove nothing: half-open main modes, and IKE SAs whose peer never shows a key. */
#include "ike/ike_internal.h"
#include "world.h"

static struct view mm1(uint8_t *buffer, size_t cap, uint64_t cookie)
{
    const size_t n = unhex("0000000000000000 0000000000000000 01100200 00000000 00000054"
                           "00000038 00000001 00000001 0000002c 01010001"
                           "00000024 01010000 80010007 800e0100 80020002 80040013 80030001 800b0001 800c7080",
                           buffer, cap);
    be32_put(buffer, (uint32_t)(cookie >> 32));
    be32_put(buffer + 4, (uint32_t)cookie);
    return view_of(buffer, n);
}

static struct path from(uint32_t address)
{
    return (struct path){{ip4_addr(0xcb007101), 500}, {ip4_addr(address), 500}};
}

static void a_flood_of_first_messages_fills_a_table_and_no_more(void **state)
{
    (void)state;
    struct world *w = world_new(60);
    world_begin(w);
    uint8_t b[128];
    for (uint32_t i = 1; i <= 1000; i++) {
        const struct path path = from(0x0a000000 + i);
        assert_int_equal(world_inject(w, 1, &path, mm1(b, sizeof(b), i)), DROP_NONE);
        w->side[1].event_count = w->side[1].verdict_count = 0;
        for (size_t f = 0; f < WORLD_FLIGHT; f++)
            w->flight[f].used = false;
        assert_int_equal(ike_stats(w->side[1].ike).sas, 0);
        assert_true(ike_stats(w->side[1].ike).half_open <= 64);
    }
    assert_int_equal(ike_stats(w->side[1].ike).half_open, 64);
    /* a client still gets in: the oldest made way */
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    world_run(w, 40 * USEC_SEC);
    assert_int_equal(ike_stats(w->side[1].ike).half_open, 0);
    world_free(w);
}

/* MM3 for the half-open entry that answered last, with a public value that any will do for. */
static void draft_mm3(struct world *w, const struct ike *gateway, struct draft *d)
{
    uint8_t ke[64], nonce[16];
    /* Reads the entry where a client would read MM2. */
    const struct half_open *h = container_of(gateway->half_open_age.prev, struct half_open, age);
    memset(nonce, 7, sizeof(nonce));
    struct dh_work work = {.group = DH_ECP_256};
    random_test_fill(&w->rng, work.private_key, sizeof(work.private_key));
    dh_work_run(&work);
    memcpy(ke, work.public_key, sizeof(ke));
    draft_begin(d, &h->cookies, EXCHANGE_MAIN, 0);
    draft_put(d, PAYLOAD_KE, VIEW(ke));
    draft_put(d, PAYLOAD_NONCE, VIEW(nonce));
}

static enum drop send_mm3(struct world *w, const struct path *path, const struct ike *gateway)
{
    struct draft d;
    draft_mm3(w, gateway, &d);
    return world_inject(w, 1, path, draft_finish(&d));
}

/* --> MM1 from a client's address, of somebody who is not there: again and again, once its share is full too */
static void one_source_has_only_its_share(void **state)
{
    (void)state;
    struct world *w = world_new(61);
    world_begin(w);
    uint8_t b[128];
    const struct path path = world_path(w, 1, IKE_PORT);
    for (uint32_t i = 1; i <= 40; i++) {
        assert_int_equal(world_inject(w, 1, &path, mm1(b, sizeof(b), i)), DROP_NONE);
        assert_int_equal(ike_stats(w->side[1].ike).half_open, i < 16 ? i : 16);
    }
    /* the client itself comes up while they go on: ten of them in each of its round trips */
    world_connect(w);
    for (uint32_t i = 41; i <= 140; i++) {
        world_run(w, 2 * USEC_MSEC);
        assert_int_equal(world_inject(w, 1, &path, mm1(b, sizeof(b), i)), DROP_NONE);
        assert_true(ike_stats(w->side[1].ike).half_open <= 16);
    }
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    world_free(w);
}

/* --> MM1, MM3 of one real address, until all of its share has proved that it is there */
static void who_proved_its_address_does_not_make_way(void **state)
{
    (void)state;
    struct world *w = world_new(69);
    world_begin(w);
    struct ike *ike = w->side[1].ike;
    uint8_t b[128];
    const struct path path = from(0x0a000001), other = from(0x0a000002);
    for (uint32_t i = 1; i <= 15; i++) {
        assert_int_equal(world_inject(w, 1, &path, mm1(b, sizeof(b), i)), DROP_NONE);
        assert_int_equal(send_mm3(w, &path, ike), DROP_NONE);
    }
    /* one place is left, and the younger takes it */
    for (uint32_t i = 16; i <= 20; i++) {
        assert_int_equal(world_inject(w, 1, &path, mm1(b, sizeof(b), i)), DROP_NONE);
        assert_int_equal(ike_stats(ike).sas, 15);
        assert_int_equal(ike_stats(ike).half_open, 1);
    }
    assert_int_equal(send_mm3(w, &path, ike), DROP_NONE);
    assert_int_equal(world_inject(w, 1, &path, mm1(b, sizeof(b), 21)), DROP_IKE_FLOOD);
    assert_int_equal(ike_stats(ike).sas, 16);
    assert_int_equal(world_inject(w, 1, &other, mm1(b, sizeof(b), 22)), DROP_NONE);
    world_free(w);
}

static void third_messages_without_a_key_never_push_out_an_authenticated_peer(void **state)
{
    (void)state;
    struct world *w = world_new(62);
    w->side[1].config.max_sas = 8;
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    uint8_t b[128];
    for (uint32_t i = 1; i <= 50; i++) {
        const struct path path = from(0x0a000000 + i);
        assert_int_equal(world_inject(w, 1, &path, mm1(b, sizeof(b), i)), DROP_NONE);
        assert_int_equal(send_mm3(w, &path, w->side[1].ike), DROP_NONE);
        w->side[1].event_count = w->side[1].verdict_count = 0;
        for (size_t f = 0; f < WORLD_FLIGHT; f++)
            w->flight[f].used = false;
        assert_true(ike_stats(w->side[1].ike).sas <= 8);
    }
    assert_int_equal(ike_stats(w->side[1].ike).children, 1);
    assert_int_equal(world_count(w, 1, IKE_EVENT_DOWN), 0);
    ike_child_rekey(w->side[0].ike, w->now, world_event(w, 0, IKE_EVENT_CHILD_NEW, 0)->event.child.spi_in);
    world_run(w, 2 * USEC_SEC);
    assert_int_equal(ike_stats(w->side[1].ike).children, 2);
    /* and the rest is gone after half a minute */
    world_run(w, 40 * USEC_SEC);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 1);
    world_free(w);
}

static void one_ipv6_network_is_one_source(void **state)
{
    (void)state;
    struct world *w = world_new(65);
    world_begin(w);
    uint8_t b[128];
    struct path path = from(0);
    assert_int_equal(ip_parse("2001:db8:1:2::", &path.remote.addr), ERR_OK);
    assert_int_equal(ip_parse("2001:db8::1", &path.local.addr), ERR_OK);
    for (uint32_t i = 1; i <= 40; i++) {
        path.remote.addr.b[15] = (uint8_t)i;
        assert_int_equal(world_inject(w, 1, &path, mm1(b, sizeof(b), i)), DROP_NONE);
        assert_int_equal(ike_stats(w->side[1].ike).half_open, i < 16 ? i : 16);
    }
    path.remote.addr.b[7] = 3;
    assert_int_equal(world_inject(w, 1, &path, mm1(b, sizeof(b), 41)), DROP_NONE);
    assert_int_equal(ike_stats(w->side[1].ike).half_open, 17);
    world_free(w);
}

/* --> MM1, MM3 from many real addresses, faster than Diffie-Hellman is done */
static void strangers_get_only_so_much_work_done_at_once(void **state)
{
    (void)state;
    struct world *w = world_new(66);
    w->side[1].config.max_half_open = w->side[1].config.max_sas = 1024;
    world_begin(w);
    struct ike *ike = w->side[1].ike;
    struct ike_event e;
    struct dh_work *works[2 * WORKS_MAX];
    size_t n = 0, refused = 0;
    uint8_t b[128];
    w->lose_all[1] = true;
    for (uint32_t i = 1; i <= 2 * WORKS_MAX; i++) {
        const struct path path = from(0x0a000000 + i);
        assert_int_equal(ike_input(ike, w->now, &path, mm1(b, sizeof(b), i)), DROP_NONE);
        struct draft d;
        draft_mm3(w, ike, &d);
        refused += ike_input(ike, w->now, &path, draft_finish(&d)) == DROP_IKE_FLOOD;
        while (ike_event(ike, &e)) {
            if (e.type == IKE_EVENT_DH)
                works[n++] = e.dh;
        }
    }
    assert_int_equal(n, WORKS_MAX);
    assert_int_equal(refused, WORKS_MAX);
    /* those who were refused ask again, and each piece that is done makes room for one */
    for (size_t i = 0; i < n; i++) {
        dh_work_run(works[i]);
        ike_dh_done(ike, w->now, works[i]);
    }
    const struct path last = from(0x0a000000 + 2 * WORKS_MAX);
    assert_int_equal(send_mm3(w, &last, ike), DROP_NONE);
    world_free(w);
}

static void a_third_message_counts_once_while_its_work_is_out(void **state)
{
    (void)state;
    struct world *w = world_new(67);
    world_begin(w);
    struct ike *ike = w->side[1].ike;
    struct ike_event e;
    struct draft mm3, other;
    uint8_t b[128];
    size_t works = 0;
    const struct path path = from(0x0a000001);
    assert_int_equal(ike_input(ike, w->now, &path, mm1(b, sizeof(b), 1)), DROP_NONE);
    draft_mm3(w, ike, &mm3);
    draft_mm3(w, ike, &other);
    /* --> MM3, MM3 again, and another MM3 */
    assert_int_equal(ike_input(ike, w->now, &path, draft_finish(&mm3)), DROP_NONE);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ike_input(ike, w->now, &path, draft_finish(&mm3)), DROP_IKE_REPEATED);
        assert_int_equal(ike_input(ike, w->now, &path, draft_finish(&other)), DROP_IKE_STATE);
    }
    while (ike_event(ike, &e)) {
        if (e.type != IKE_EVENT_DH)
            continue;
        works++;
        dh_work_run(e.dh);
        ike_dh_done(ike, w->now, e.dh);
    }
    assert_int_equal(works, 1);
    assert_int_equal(ike_stats(ike).sas, 1);
    /* noise in place of MM5: the IKE SA goes when its half minute is over, and not before */
    uint8_t noise[76];
    random_test_fill(&w->rng, noise, sizeof(noise));
    memcpy(noise, mm3.bytes, 16);
    noise[16] = PAYLOAD_ID;
    noise[17] = 0x10;
    noise[18] = EXCHANGE_MAIN;
    noise[19] = FLAG_ENCRYPTED;
    be32_put(noise + 20, 0);
    be32_put(noise + 24, sizeof(noise));
    for (int i = 0; i < 2 * PROOFS_MAX; i++) {
        noise[40] = (uint8_t)i;
        assert_int_equal(ike_input(ike, w->now, &path, VIEW(noise)), DROP_IKE_DECRYPT);
    }
    assert_int_equal(ike_stats(ike).sas, 1);
    ike_timeout(ike, w->now + 31 * USEC_SEC);
    assert_int_equal(ike_stats(ike).sas, 0);
    size_t told = 0;
    while (ike_event(ike, &e))
        told += e.type == IKE_EVENT_FAILED && e.cause == CAUSE_IKE_WRONG_PSK;
    assert_int_equal(told, 1);
    world_free(w);
}

static void a_cookie_from_another_address_proves_nothing(void **state)
{
    (void)state;
    struct world *w = world_new(63);
    world_begin(w);
    uint8_t b[128];
    const struct path path = from(0x0a000001), other = from(0x0a000002);
    assert_int_equal(world_inject(w, 1, &path, mm1(b, sizeof(b), 1)), DROP_NONE);
    assert_int_equal(send_mm3(w, &other, w->side[1].ike), DROP_IKE_COOKIE);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 0);
    assert_int_equal(send_mm3(w, &path, w->side[1].ike), DROP_NONE);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 1);
    assert_int_equal(ike_stats(w->side[1].ike).half_open, 0);
    world_free(w);
}

static void a_peer_at_rest_takes_less_than_4_kilobytes(void **state)
{
    (void)state;
    assert_true(sizeof(struct sa) + sizeof(struct peer) + 2 * sizeof(struct child) + sizeof(struct quick) < 3072);
}

static void cookies_carry_the_shard(void **state)
{
    (void)state;
    struct world *w = world_new(64);
    w->side[1].config.shard = 5;
    w->side[1].config.shard_bits = 3;
    world_begin(w);
    for (int i = 0; i < 50; i++) {
        uint8_t cookie[COOKIE_SIZE];
        cookie_make(w->side[1].ike, cookie);
        assert_int_equal(shard_of_cookie(cookie, 3), 5);
    }
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_of_first_messages_fills_a_table_and_no_more),
        cmocka_unit_test(one_source_has_only_its_share),
        cmocka_unit_test(who_proved_its_address_does_not_make_way),
        cmocka_unit_test(third_messages_without_a_key_never_push_out_an_authenticated_peer),
        cmocka_unit_test(one_ipv6_network_is_one_source),
        cmocka_unit_test(strangers_get_only_so_much_work_done_at_once),
        cmocka_unit_test(a_third_message_counts_once_while_its_work_is_out),
        cmocka_unit_test(a_cookie_from_another_address_proves_nothing),
        cmocka_unit_test(a_peer_at_rest_takes_less_than_4_kilobytes),
        cmocka_unit_test(cookies_carry_the_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
