/* Quick mode as real clients do it: several proposals, odd selectors, NAT-OA, PFS; and what is refused. */
#include "ike/ike_internal.h"
#include "world.h"

struct exchange_bytes {
    struct draft draft;
    uint8_t iv[CIPHER_BLOCK_MAX];
    uint8_t nonce[48];
    uint32_t id;
    struct sa *sa;
};

static struct world *main_mode_only(uint64_t seed, bool nat, enum ike_policy policy)
{
    struct world *w = world_new(seed);
    w->nat = nat;
    w->side[1].config.policy = policy;
    world_begin(w);
    const uint32_t peer = world_connect(w);
    w->lose[0] = 1 << 3; /* the client's own QM1; the tests write theirs */
    world_run(w, 500 * USEC_MSEC);
    w->lose_all[0] = true;
    assert_non_null(peer_sa(peer_get(w->side[0].ike, peer)));
    return w;
}

static void begin(struct world *w, struct exchange_bytes *x, uint32_t id)
{
    x->sa = peer_sa(peer_get(w->side[0].ike, world_event(w, 0, IKE_EVENT_UP, 0)->event.peer));
    x->id = id;
    memset(x->nonce, 0x55, sizeof(x->nonce));
    assert_int_equal(keys_exchange_iv(x->sa, id, x->iv), ERR_OK);
    draft_phase2(&x->draft, x->sa, EXCHANGE_QUICK, id);
}

static void put_hex(struct exchange_bytes *x, enum payload_type type, const char *text)
{
    uint8_t b[1024];
    draft_put(&x->draft, type, view_of(b, unhex(text, b, sizeof(b))));
}

static enum drop send(struct world *w, struct exchange_bytes *x)
{
    const struct path path = world_event(w, 1, IKE_EVENT_UP, 0)->event.path;
    return world_inject(w, 1, &path, draft_phase2_seal(&x->draft, x->sa, false, VIEW_NONE, VIEW_NONE, x->iv));
}

/* Windows behind a NAT, "optional encryption": five proposals of one transform each */
static const char windows_sa[] =
    "00000001 00000001"
    "02000038 01030401 10000001 0000002c 010c0000 80040004 80060100 80050002 80010001 0002000400000e10 80010002 "
    "000200040003d090"
    "02000038 02030401 10000002 0000002c 010c0000 80040004 80060080 80050002 80010001 0002000400000e10 80010002 "
    "000200040003d090"
    "02000034 03030401 10000003 00000028 01030000 80040004 80050002 80010001 0002000400000e10 80010002 000200040003d090"
    "02000034 04030401 10000004 00000028 01020000 80040004 80050002 80010001 0002000400000e10 80010002 000200040003d090"
    "00000034 05030401 10000005 00000028 010b0000 80040004 80050002 80010001 0002000400000e10 80010002 "
    "000200040003d090";

static void windows_offers_five_proposals_and_counts_its_message_ids(void **state)
{
    (void)state;
    struct world *w = main_mode_only(70, true, IKE_POLICY_LEGACY);
    for (uint32_t id = 1; id <= 3; id++) {
        struct exchange_bytes x;
        w->side[1].config.child_kilobytes = id == 2 ? 300000 : id == 3 ? 100000 : 0; /* the smaller limit counts */
        ike_reconfigure(w->side[1].ike, &w->side[1].config);
        begin(w, &x, id);
        put_hex(&x, PAYLOAD_SA, windows_sa);
        draft_put(&x.draft, PAYLOAD_NONCE, VIEW(x.nonce));
        put_hex(&x, PAYLOAD_ID, id == 1 ? "01110000 0a000002" : "011106a5 0a000002");
        put_hex(&x, PAYLOAD_ID, "011106a5 cb007199"); /* the address that was dialled, before a NAT of ours */
        put_hex(&x, PAYLOAD_NATOA, "01000000 0a000002");
        put_hex(&x, PAYLOAD_NATOA, "01000000 cb007199");
        /* --> QM1 <-- QM2 */
        assert_int_equal(send(w, &x), DROP_NONE);
        const struct ike_child *c = &world_event(w, 1, IKE_EVENT_CHILD_NEW, id - 1)->event.child;
        assert_string_equal(esp_transform_name(&c->transform), "aes256-sha1");
        assert_int_equal(c->spi_out, 0x10000001);
        assert_int_equal(c->kilobytes, id < 3 ? 250000 : 100000);
        assert_int_equal(c->lifetime, 3600);
        assert_int_equal(c->port_remote, id == 1 ? 0 : 1701);
        assert_int_equal(c->port_local, 1701);
        assert_int_equal(ip4_value(&c->oa_remote), 0x0a000002);
        assert_int_equal(ip4_value(&c->oa_local), 0xcb007199);
        assert_true(c->encap);
    }
    /* the same id again is no new exchange */
    struct exchange_bytes x;
    begin(w, &x, 2);
    put_hex(&x, PAYLOAD_SA, windows_sa);
    draft_put(&x.draft, PAYLOAD_NONCE, VIEW(x.nonce));
    assert_int_not_equal(send(w, &x), DROP_NONE);
    assert_int_equal(world_count(w, 1, IKE_EVENT_CHILD_NEW), 3);
    world_free(w);
}

static void the_answer_echoes_transform_and_selectors(void **state)
{
    (void)state;
    struct world *w = main_mode_only(71, true, IKE_POLICY_COMPATIBLE);
    struct exchange_bytes x;
    begin(w, &x, 1);
    put_hex(&x, PAYLOAD_SA, windows_sa);
    draft_put(&x.draft, PAYLOAD_NONCE, VIEW(x.nonce));
    put_hex(&x, PAYLOAD_ID, "02110000 50432d31"); /* Windows XP names itself */
    put_hex(&x, PAYLOAD_ID, "011106a5 cb007199");
    put_hex(&x, PAYLOAD_NATOA, "01000000 0a000002");
    put_hex(&x, PAYLOAD_NATOA, "01000000 cb007199");
    assert_int_equal(send(w, &x), DROP_NONE);
    const struct flight *f = w->flight;
    while (!f->used)
        f++;
    /* <-- QM2: HASH SA No IDci IDcr NAT-OAi NAT-OAr */
    struct payloads p;
    uint8_t plain[IKE_MESSAGE_MAX], expected[256];
    struct header h;
    struct view body;
    assert_int_equal(header_parse(view_of(f->bytes, f->n), &h, &body), DROP_NONE);
    assert_int_equal(h.message_id, 1);
    assert_int_equal(crypt_open(&x.sa->keys, x.iv, body, plain, sizeof(plain)), DROP_NONE);
    assert_int_equal(payloads_parse(h.next, view_of(plain, body.n), true, &p), DROP_NONE);
    assert_true(phase2_hash_ok(x.sa, &p, false, 1, VIEW(x.nonce), VIEW_NONE));
    const struct view sa = payload_body(&p, PAYLOAD_SA);
    const size_t n = unhex("00000001 00000001 00000038 01030401 c0000100 0000002c 010c0000 80040004 80060100 80050002 "
                           "80010001 0002000400000e10 80010002 000200040003d090",
                           expected, sizeof(expected));
    assert_true(view_equal(sa, view_of(expected, n)));
    assert_true(view_equal(p.at[3].body, view_of(expected, unhex("02110000 50432d31", expected, sizeof(expected)))));
    assert_true(view_equal(p.at[4].body, view_of(expected, unhex("011106a5 cb007199", expected, sizeof(expected)))));
    assert_int_equal(payload_count(&p, PAYLOAD_NATOA), 2);
    /* the NAT's address as we see it, and our own */
    assert_true(view_equal(payload_nth(&p, PAYLOAD_NATOA, 0)->body,
                           view_of(expected, unhex("01000000 c6336407", expected, sizeof(expected)))));
    assert_true(view_equal(payload_nth(&p, PAYLOAD_NATOA, 1)->body,
                           view_of(expected, unhex("01000000 cb007101", expected, sizeof(expected)))));
    world_free(w);
}

static void android_tells_no_original_address_and_none_is_told_back(void **state)
{
    (void)state;
    struct world *w = main_mode_only(72, true, IKE_POLICY_COMPATIBLE);
    struct exchange_bytes x;
    begin(w, &x, 0x12345678);
    put_hex(&x, PAYLOAD_SA,
            "00000001 00000001 00000028 01030401 10000001"
            "0000001c 010c0000 80010001 80027080 80040004 80060100 80050005");
    draft_put(&x.draft, PAYLOAD_NONCE, VIEW(x.nonce));
    put_hex(&x, PAYLOAD_ID, "01110000 0a000002");
    put_hex(&x, PAYLOAD_ID, "011106a5 cb007101");
    const int sent = w->side[1].sent;
    assert_int_equal(send(w, &x), DROP_NONE);
    assert_int_equal(w->side[1].sent, sent + 1);
    const struct ike_child *c = &world_event(w, 1, IKE_EVENT_CHILD_NEW, 0)->event.child;
    assert_int_equal(ip4_value(&c->oa_remote), 0x0a000002);
    assert_int_equal(c->port_remote, 0);
    assert_int_equal(c->lifetime, 3600); /* ours is shorter than the 28800 of the peer */
    world_free(w);
}

static void refused(const char *sa, const char *id_i, const char *id_r, enum cause cause, enum drop verdict)
{
    struct world *w = main_mode_only(73, true, IKE_POLICY_COMPATIBLE);
    const int sent = w->side[1].sent;
    struct exchange_bytes x;
    begin(w, &x, 1);
    put_hex(&x, PAYLOAD_SA, sa);
    draft_put(&x.draft, PAYLOAD_NONCE, VIEW(x.nonce));
    put_hex(&x, PAYLOAD_ID, id_i);
    put_hex(&x, PAYLOAD_ID, id_r);
    /* --> QM1 <-- N, encrypted */
    assert_int_equal(send(w, &x), verdict);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, cause);
    assert_int_equal(w->side[1].sent, sent + 1);
    assert_int_equal(w->side[1].spis, 0);
    assert_int_equal(ike_stats(w->side[1].ike).sas, 1);
    world_free(w);
}

#define SA_OF(mode, auth)                                                                                              \
    "00000001 00000001 00000028 01030401 10000001 0000001c 010c0000 8004" mode " 80060100 8005" auth                   \
    " 80010001 80020e10"

static void what_is_no_l2tp_in_transport_mode_is_refused(void **state)
{
    (void)state;
    const char *good_i = "011106a5 0a000002", *good_r = "011106a5 cb007101";
    refused(SA_OF("0003", "0002"), good_i, good_r, CAUSE_ESP_SELECTOR, DROP_IKE_ID);
    refused(SA_OF("0004", "0002"), good_i, "011101bb cb007101", CAUSE_ESP_SELECTOR, DROP_IKE_ID);
    refused(SA_OF("0004", "0002"), "010606a5 0a000002", good_r, CAUSE_ESP_SELECTOR, DROP_IKE_ID);
    refused(SA_OF("0004", "0002"), good_i, "04000000 00000000 00000000", CAUSE_ESP_SELECTOR, DROP_IKE_ID);
    refused(SA_OF("0004", "0001"), good_i, good_r, CAUSE_ESP_NO_PROPOSAL, DROP_IKE_PROPOSAL);
    /* AH and ESP together: two proposals of one number */
    refused("00000001 00000001 0200001c 01020401 10000001 00000010 01030000 80040004 80050002"
            "00000028 01030401 10000001 0000001c 010c0000 80040004 80060100 80050002 80010001 80020e10",
            good_i, good_r, CAUSE_ESP_NO_PROPOSAL, DROP_IKE_PROPOSAL);
}

static void pfs_needs_value_and_group_that_fit(void **state)
{
    (void)state;
    struct world *w = main_mode_only(74, false, IKE_POLICY_COMPATIBLE);
    struct exchange_bytes x;
    uint8_t zeros[128] = {0};
    static const char sa[] =
        "00000001 00000001 0000002c 01030401 10000001 00000020 010c0000 80040002 80060100 80050002 "
        "80010001 80020e10 80030002";
    /* the group without a value */
    begin(w, &x, 1);
    put_hex(&x, PAYLOAD_SA, sa);
    draft_put(&x.draft, PAYLOAD_NONCE, VIEW(x.nonce));
    assert_int_equal(send(w, &x), DROP_IKE_PROPOSAL);
    /* a value of another size */
    begin(w, &x, 2);
    put_hex(&x, PAYLOAD_SA, sa);
    draft_put(&x.draft, PAYLOAD_NONCE, VIEW(x.nonce));
    draft_put(&x.draft, PAYLOAD_KE, view_of(zeros, 64));
    assert_int_equal(send(w, &x), DROP_IKE_PROPOSAL);
    /* zero is outside the group: found when the work is done */
    begin(w, &x, 3);
    put_hex(&x, PAYLOAD_SA, sa);
    draft_put(&x.draft, PAYLOAD_NONCE, VIEW(x.nonce));
    draft_put(&x.draft, PAYLOAD_KE, VIEW(zeros));
    assert_int_equal(send(w, &x), DROP_NONE);
    assert_int_equal(world_count(w, 1, IKE_EVENT_FAILED), 3);
    assert_int_equal(w->side[1].spis, 0);
    world_free(w);
}

static void routeros_brings_pfs_with_modp1024_under_any_policy(void **state)
{
    (void)state;
    struct world *w = main_mode_only(75, false, IKE_POLICY_COMPATIBLE);
    struct exchange_bytes x;
    struct dh_work work = {.group = DH_MODP_1024};
    random_test_fill(&w->rng, work.private_key, sizeof(work.private_key));
    dh_work_run(&work);
    begin(w, &x, 0x77);
    put_hex(&x, PAYLOAD_SA,
            "00000001 00000001 0000002c 01030401 10000001 00000020 010c0000 80010001 80020708 80040002 "
            "80050002 800600c0 80030002");
    draft_put(&x.draft, PAYLOAD_NONCE, VIEW(x.nonce));
    draft_put(&x.draft, PAYLOAD_KE, view_of(work.public_key, work.public_len));
    assert_int_equal(send(w, &x), DROP_NONE);
    const struct ike_child *c = &world_event(w, 1, IKE_EVENT_CHILD_NEW, 0)->event.child;
    assert_int_equal(c->pfs, DH_MODP_1024);
    assert_string_equal(esp_transform_name(&c->transform), "aes192-sha1");
    assert_int_equal(c->lifetime, 1800);
    world_free(w);
}

static void a_client_hears_why_its_offer_was_refused(void **state)
{
    (void)state;
    struct world *w = world_new(76);
    w->side[0].config.esp_proposal = "3des-md5";
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    const struct world_event *e = world_event(w, 0, IKE_EVENT_CHILD_FAILED, 0);
    assert_non_null(e);
    assert_int_equal(e->event.cause, CAUSE_ESP_NO_PROPOSAL);
    assert_int_equal(world_event(w, 1, IKE_EVENT_FAILED, 0)->event.cause, CAUSE_ESP_NO_PROPOSAL);
    assert_int_equal(w->side[0].spis, 0);
    world_free(w);
}

static void a_forced_nat_makes_both_encapsulate(void **state)
{
    (void)state;
    for (int forcing = 0; forcing < 2; forcing++) {
        struct world *w = world_new(77);
        w->side[forcing].config.encap = IKE_ENCAP_FORCE;
        world_begin(w);
        world_connect(w);
        world_run(w, 2 * USEC_SEC);
        world_assert_connected(w);
        assert_true(world_event(w, 1, IKE_EVENT_CHILD_NEW, 0)->event.child.encap);
        assert_int_equal(world_event(w, 1, IKE_EVENT_UP, 0)->event.path.local.port, 4500);
        world_free(w);
    }
}

static void without_nat_traversal_nothing_floats(void **state)
{
    (void)state;
    struct world *w = world_new(78);
    w->nat = true;
    w->side[1].config.encap = IKE_ENCAP_OFF;
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    assert_false(world_event(w, 1, IKE_EVENT_CHILD_NEW, 0)->event.child.encap);
    assert_int_equal(world_event(w, 1, IKE_EVENT_UP, 0)->event.path.local.port, 500);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_offers_five_proposals_and_counts_its_message_ids),
        cmocka_unit_test(the_answer_echoes_transform_and_selectors),
        cmocka_unit_test(android_tells_no_original_address_and_none_is_told_back),
        cmocka_unit_test(what_is_no_l2tp_in_transport_mode_is_refused),
        cmocka_unit_test(pfs_needs_value_and_group_that_fit),
        cmocka_unit_test(routeros_brings_pfs_with_modp1024_under_any_policy),
        cmocka_unit_test(a_client_hears_why_its_offer_was_refused),
        cmocka_unit_test(a_forced_nat_makes_both_encapsulate),
        cmocka_unit_test(without_nat_traversal_nothing_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
