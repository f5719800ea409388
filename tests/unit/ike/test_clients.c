/* The first messages of real clients, byte for byte where they are known (clients.md 2.1, 3.1, 4.1, 5.1, 9). */
#include "world.h"

#define COOKIE "a1a2a3a4a5a6a7a8"

struct answer {
    size_t n;
    uint8_t bytes[1024];
    enum drop verdict;
};

static void ask(struct ike *ike, usec_t now, const char *message, struct answer *out)
{
    uint8_t mm1[2048], buffer[1024];
    const struct path path = {{ip4_addr(0xcb007101), 500}, {ip4_addr(0xc6336407), 500}};
    struct path back;
    struct writer w = wr_init(buffer, sizeof(buffer));
    *out = (struct answer){0};
    out->verdict = ike_input(ike, now, &path, view_of(mm1, unhex(message, mm1, sizeof(mm1))));
    if (!ike_output(ike, &back, &w))
        return;
    assert_true(path_equal(&path, &back));
    out->n = w.n;
    memcpy(out->bytes, buffer, w.n);
}

#define WINDOWS_SA                                                                                                     \
    "0d0000d4 00000001 00000001"                                                                                       \
    "000000c8 01010005"                                                                                                \
    "03000028 01010000 80010007 800e0100 80020002 80040014 80030001 800b0001 000c000400007080"                         \
    "03000028 02010000 80010007 800e0080 80020002 80040013 80030001 800b0001 000c000400007080"                         \
    "03000028 03010000 80010007 800e0100 80020002 8004000e 80030001 800b0001 000c000400007080"                         \
    "03000024 04010000 80010005 80020002 8004000e 80030001 800b0001 000c000400007080"                                  \
    "00000024 05010000 80010005 80020002 80040002 80030001 800b0001 000c000400007080"

static const char windows_8[] =
    COOKIE "0000000000000000 01100200 00000000 00000198" WINDOWS_SA "0d000018 01528bbbc00696121849ab9a1c5b2a51 00000001"
           "0d000018 1e2b516905991c7d7c96fcbfb587e461 00000009"
           "0d000014 4a131c81070358455c5728f20e95452f"
           "0d000014 90cb80913ebb696e086381b5ec427b1f"
           "0d000014 4048b7d56ebce88525e7de7f00d6c2d3"
           "0d000014 fb1de3cdf341b7ea16b7e5be0855f120"
           "0d000014 26244d38eddb61b3172a36e3d0cfb819"
           "00000014 e3a5966a76379fe707228231e5ce8652";

static void windows_gets_its_first_transform_unchanged_and_what_it_announced(void **state)
{
    (void)state;
    struct world *w = world_new(20);
    world_begin(w);
    struct answer a;
    struct ike_event e;
    uint8_t expected[256];
    /* --> MM1 (408 bytes) <-- MM2 */
    ask(w->side[1].ike, w->now, windows_8, &a);
    assert_int_equal(a.verdict, DROP_NONE);
    assert_memory_equal(a.bytes, expected, unhex(COOKIE, expected, sizeof(expected)));
    assert_int_not_equal(be32_get(a.bytes + 8), 0);
    const size_t n = unhex("01100200 00000000 00000084"
                           "0d00003c 00000001 00000001 00000030 01010001"
                           "00000028 01010000 80010007 800e0100 80020002 80040014 80030001 800b0001 000c000400007080"
                           "0d000014 4a131c81070358455c5728f20e95452f"
                           "00000018 4048b7d56ebce88525e7de7f00d6c2d380000000",
                           expected, sizeof(expected));
    assert_int_equal(a.n, 16 + n);
    assert_memory_equal(a.bytes + 16, expected, n);
    assert_true(ike_event(w->side[1].ike, &e));
    assert_int_equal(e.stage, STAGE_IKE_MM1);
    assert_string_equal(e.detail, "Windows 8+");
    assert_true(ike_event(w->side[1].ike, &e));
    assert_string_equal(e.detail, "aes256-sha1-ecp384");
    world_free(w);
}

static void a_repeated_first_message_gets_the_same_answer(void **state)
{
    (void)state;
    struct world *w = world_new(21);
    world_begin(w);
    struct answer first, again;
    ask(w->side[1].ike, w->now, windows_8, &first);
    ask(w->side[1].ike, w->now + USEC_SEC, windows_8, &again);
    assert_int_equal(again.verdict, DROP_IKE_REPEATED);
    assert_int_equal(first.n, again.n);
    assert_memory_equal(first.bytes, again.bytes, first.n);
    assert_int_equal(ike_stats(w->side[1].ike).half_open, 1);
    /* and is forgotten in the end */
    ike_timeout(w->side[1].ike, w->now + 40 * USEC_SEC);
    assert_int_equal(ike_stats(w->side[1].ike).half_open, 0);
    world_free(w);
}

/* racoon's attribute order, one transform of each kind that decides; the VIDs of macOS and iOS */
static const char apple[] =
    COOKIE "0000000000000000 01100200 00000000 00000164"
           "0d000080 00000001 00000001 00000074 01010003"
           "03000024 01010000 800b0001 800c0e10 80010007 800e0100 80030001 80020004 8004000e"
           "03000024 02010000 800b0001 800c0e10 80010007 800e0100 80030001 80020002 8004000e"
           "00000024 03010000 800b0001 800c0e10 80010007 800e0100 80030001 80020002 80040002"
           "0d000014 4a131c81070358455c5728f20e95452f 0d000014 4df37928e9fc4fd1b3262170d515c662"
           "0d000014 8f8d83826d246b6fc7a8a6a428c11de8 0d000014 439b59f8ba676c4c7737ae22eab8f582"
           "0d000014 4d1e0e136deafa34c4f3ea9f02ec7285 0d000014 80d0bb3def54565ee84645d4c85ce3ee"
           "0d000014 9909b64eed937c6573de52ace952fa6b 0d000014 7d9419a65310ca6f2c179d9215529d56"
           "0d000014 cd60464335df21f87cfdb2fc68b6a448 00000014 afcad71368a1f1c96b8696fc77570100";

static void apple_is_answered_with_rfc_3947_and_dpd_only(void **state)
{
    (void)state;
    struct world *w = world_new(22);
    world_begin(w);
    struct answer a;
    struct ike_event e;
    uint8_t expected[256];
    ask(w->side[1].ike, w->now, apple, &a);
    const size_t n = unhex("01100200 00000000 0000007c"
                           "0d000038 00000001 00000001 0000002c 01010001"
                           "00000024 01010000 800b0001 800c0e10 80010007 800e0100 80030001 80020004 8004000e"
                           "0d000014 4a131c81070358455c5728f20e95452f"
                           "00000014 afcad71368a1f1c96b8696fc77570100",
                           expected, sizeof(expected));
    assert_int_equal(a.n, 16 + n);
    assert_memory_equal(a.bytes + 16, expected, n);
    assert_true(ike_event(w->side[1].ike, &e));
    assert_string_equal(e.detail, "Apple");
    world_free(w);
}

static const char router[] = COOKIE "0000000000000000 01100200 00000000 00000050"
                                    "00000034 00000001 00000001 00000028 01010001"
                                    "00000020 01010000 80010005 80020001 80030001 80040002 800b0001 800c7080";

static void a_refused_proposal_is_told_in_clear_and_leaves_nothing(void **state)
{
    (void)state;
    struct world *w = world_new(23);
    world_begin(w);
    struct answer a;
    struct ike_event e;
    ask(w->side[1].ike, w->now, router, &a);
    assert_int_equal(a.verdict, DROP_IKE_PROPOSAL);
    assert_int_equal(a.n, 28 + 12);
    assert_int_equal(a.bytes[18], 5 /* informational */);
    assert_int_equal(be16_get(a.bytes + 28 + 10), 14);
    assert_int_equal(ike_stats(w->side[1].ike).half_open, 0);
    assert_true(ike_event(w->side[1].ike, &e));
    assert_int_equal(e.type, IKE_EVENT_FAILED);
    assert_int_equal(e.cause, CAUSE_IKE_NO_PROPOSAL);
    assert_non_null(strstr(e.detail, "offered 3des-md5-modp1024; acceptable "));
    /* Answers like this are few: nobody can be made to flood a third. */
    size_t answered = 0;
    for (int i = 0; i < 100; i++) {
        ask(w->side[1].ike, w->now, router, &a);
        answered += a.n > 0;
    }
    assert_true(answered < 20);
    world_free(w);
}

static void other_ways_to_begin_are_named_and_refused(void **state)
{
    (void)state;
    struct world *w = world_new(24);
    world_begin(w);
    struct answer a;
    struct ike_event e;
    ask(w->side[1].ike, w->now, COOKIE "0000000000000000 01100400 00000000 00000020 00000004", &a);
    assert_int_equal(a.verdict, DROP_IKE_EXCHANGE);
    assert_true(ike_event(w->side[1].ike, &e));
    assert_int_equal(e.cause, CAUSE_IKE_AGGRESSIVE);
    /* an answer to somebody who was here before us is nobody's attempt */
    ask(w->side[1].ike, w->now, COOKIE "0000000000000001 01100400 00000000 00000020 00000004", &a);
    assert_int_equal(a.verdict, DROP_IKE_EXCHANGE);
    assert_false(ike_event(w->side[1].ike, &e));
    ask(w->side[1].ike, w->now, COOKIE "0000000000000000 21202208 00000000 00000020 00000004", &a);
    assert_int_equal(a.verdict, DROP_IKE_VERSION);
    assert_true(ike_event(w->side[1].ike, &e));
    assert_int_equal(e.cause, CAUSE_IKE_V2);
    ask(w->side[1].ike, w->now, COOKIE "0000000000000001 84100200 00000000 00000020 00000004", &a);
    assert_int_equal(a.verdict, DROP_IKE_FRAGMENT_STRAY);
    ask(w->side[1].ike, w->now, COOKIE "0000000000000001 08102001 00000001 00000020 00000004", &a);
    assert_int_equal(a.verdict, DROP_IKE_COOKIE);
    assert_int_equal(a.n, 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_gets_its_first_transform_unchanged_and_what_it_announced),
        cmocka_unit_test(a_repeated_first_message_gets_the_same_answer),
        cmocka_unit_test(apple_is_answered_with_rfc_3947_and_dpd_only),
        cmocka_unit_test(a_refused_proposal_is_told_in_clear_and_leaves_nothing),
        cmocka_unit_test(other_ways_to_begin_are_named_and_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
