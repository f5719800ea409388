/* Why a connection that we began did not come about, as far as anyone can know, and how soon that is told. */
#include "ike/ike_internal.h"
#include "world.h"

#define PATIENCE    (12 * USEC_SEC)
#define TOLD_WITHIN (15 * USEC_SEC) /* of ike_connect() */

static struct world *impatient(uint64_t seed)
{
    struct world *w = world_new(seed);
    w->side[0].config.patience = PATIENCE;
    return w;
}

static const struct ike_event *told(const struct world *w, usec_t within)
{
    const struct world_event *e = world_event(w, 0, IKE_EVENT_FAILED, 0);
    assert_non_null(e);
    assert_int_equal(world_count(w, 0, IKE_EVENT_FAILED), 1);
    assert_true(e->at - 1000 * USEC_SEC <= within);
    assert_int_equal(ike_stats(w->side[0].ike).sas, 0);
    return &e->event;
}

static void silence_is_told_in_time(void **state)
{
    (void)state;
    struct world *w = impatient(600);
    w->lose_all[1] = true;
    world_begin(w);
    world_connect(w);
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(told(w, TOLD_WITHIN)->cause, CAUSE_IKE_NO_ANSWER);
    world_free(w);
}

/* Behind a NAT the talk floats to port 4500, and nothing comes back. One of two things is wrong. */
static void an_open_port_4500_makes_it_the_key(void **state)
{
    (void)state;
    struct world *w = impatient(601);
    w->nat = true;
    w->side[0].config.psks = &world_psk[3];
    world_begin(w);
    world_connect(w);
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(told(w, TOLD_WITHIN)->cause, CAUSE_IKE_WRONG_PSK);
    /* the probe left nothing at the gateway either */
    assert_int_equal(ike_stats(w->side[1].ike).half_open, 0);
    world_free(w);
}

static void a_blocked_port_4500_makes_it_the_port(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        struct world *w = impatient(602);
        w->nat = w->block_4500 = true;
        w->side[0].config.psks = &world_psk[wrong ? 3 : 0];
        world_begin(w);
        world_connect(w);
        world_run(w, 60 * USEC_SEC);
        assert_int_equal(told(w, TOLD_WITHIN)->cause, CAUSE_IKE_NATT_BLOCKED);
        assert_true(ike_deadline(w->side[0].ike) == USEC_NEVER);
        world_free(w);
    }
}

/* A lost proof makes us ask whether the port is open; the connection comes up and nothing of the probe is left. */
static void a_probe_disturbs_nothing(void **state)
{
    (void)state;
    for (uint64_t lost = 2; lost < 4; lost++) {
        struct world *w = impatient(603 + lost);
        w->nat = true;
        w->lose[0] = lost == 2 ? 1u << 2 : 0; /* MM5 */
        w->lose[1] = lost == 3 ? 1u << 2 : 0; /* MM6 */
        world_begin(w);
        world_connect(w);
        world_run(w, 5 * USEC_SEC);
        world_assert_connected(w);
        assert_int_equal(ike_stats(w->side[0].ike).sas, 1);
        world_free(w);
    }
}

static void a_probe_ends_with_what_it_is_for(void **state)
{
    (void)state;
    struct world *w = impatient(606);
    w->nat = w->block_4500 = true;
    world_begin(w);
    const uint32_t peer = world_connect(w);
    world_run(w, 3 * USEC_SEC);
    assert_int_equal(ike_stats(w->side[0].ike).sas, 2);
    ike_close(w->side[0].ike, w->now, peer);
    assert_int_equal(ike_stats(w->side[0].ike).sas, 0);
    assert_true(ike_deadline(w->side[0].ike) == USEC_NEVER);
    world_free(w);
}

/* ---- complaints in clear ---- */

static enum drop complain(struct world *w, const struct header *cookies, uint16_t type)
{
    struct draft d;
    const struct path path = world_path(w, 0, IKE_PORT);
    draft_begin(&d, cookies, EXCHANGE_INFO, 77);
    draft_notify(&d, PROTO_ISAKMP, type, VIEW_NONE, VIEW_NONE);
    return world_inject(w, 0, &path, draft_finish(&d));
}

/* As one who reads the wire. */
static struct header cookies_of(const struct world *w, uint32_t peer)
{
    return container_of(peer_get(w->side[0].ike, peer)->sas.next, struct sa, of_peer)->cookies;
}

static void a_refused_proposal_is_told_soon(void **state)
{
    (void)state;
    struct world *w = impatient(610);
    w->side[0].config.ike_proposal = "aes128-sha1-modp1536";
    w->side[1].config.policy = IKE_POLICY_MODERN;
    world_begin(w);
    world_connect(w);
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(told(w, HINT_GRACE + USEC_SEC)->cause, CAUSE_IKE_NO_PROPOSAL);
    world_free(w);
}

static void complaints_name_the_cause(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        enum cause cause;
    } cases[] = {
        {NOTIFY_NO_PROPOSAL_CHOSEN, CAUSE_IKE_NO_PROPOSAL}, {NOTIFY_ATTRIBUTES_NOT_SUPPORTED, CAUSE_IKE_NO_PROPOSAL},
        {NOTIFY_INVALID_EXCHANGE_TYPE, CAUSE_IKE_EXCHANGE}, {NOTIFY_INVALID_ID_INFORMATION, CAUSE_IKE_IDENTITY},
        {NOTIFY_PAYLOAD_MALFORMED, CAUSE_IKE_PROTOCOL},     {NOTIFY_INVALID_KEY_INFORMATION, CAUSE_IKE_PROTOCOL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world *w = impatient(611 + i);
        w->lose_all[0] = true;
        world_begin(w);
        const uint32_t peer = world_connect(w);
        const struct header cookies = cookies_of(w, peer);
        world_run(w, USEC_SEC);
        assert_int_equal(complain(w, &cookies, cases[i].type), DROP_NONE);
        world_run(w, 60 * USEC_SEC);
        assert_int_equal(told(w, USEC_SEC + HINT_GRACE)->cause, cases[i].cause);
        world_free(w);
    }
}

/* Somebody on the way says at each step that all is lost. */
static void forged_complaints_end_nothing(void **state)
{
    (void)state;
    struct world *w = impatient(620);
    w->nat = true;
    world_begin(w);
    const uint32_t peer = world_connect(w);
    for (int i = 0; i < 6; i++) {
        const struct header cookies = cookies_of(w, peer);
        (void)complain(w, &cookies, NOTIFY_NO_PROPOSAL_CHOSEN);
        (void)complain(w, &cookies, NOTIFY_AUTHENTICATION_FAILED);
        world_run(w, ONE_WAY);
    }
    world_run(w, 60 * USEC_SEC);
    world_assert_connected(w);
    world_free(w);
}

static void other_notifications_in_clear_are_no_complaints(void **state)
{
    (void)state;
    struct world *w = impatient(621);
    w->lose_all[0] = true;
    world_begin(w);
    const uint32_t peer = world_connect(w);
    const struct header cookies = cookies_of(w, peer);
    assert_int_equal(complain(w, &cookies, NOTIFY_INITIAL_CONTACT), DROP_IKE_PLAIN);
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(told(w, TOLD_WITHIN)->cause, CAUSE_IKE_NO_ANSWER);
    world_free(w);
}

/* ---- instead of the sixth message ---- */

/* The gateway has the key, and answers the proof with a refusal under it; or under another key. */
static void refuse_proof(uint64_t seed, bool other_key, enum cause cause, usec_t within)
{
    struct world *w = impatient(seed);
    w->lose[1] = ~3ull; /* MM6 and all that follows */
    world_begin(w);
    const uint32_t peer = world_connect(w);
    world_run(w, 10 * ONE_WAY);
    const struct header cookies = cookies_of(w, peer);
    struct sa *gateway = sa_find(w->side[1].ike, &cookies);
    assert_non_null(gateway);
    if (other_key)
        gateway->keys.skeyid_a[0] ^= 1;
    struct draft d;
    uint8_t iv[CIPHER_BLOCK_MAX];
    const struct sa *client = container_of(peer_get(w->side[0].ike, peer)->sas.next, struct sa, of_peer);
    memcpy(gateway->iv, client->iv, sizeof(client->iv)); /* no MM6: the last block is of MM5 */
    info_begin(w->side[1].ike, gateway, &d);
    draft_notify(&d, PROTO_ISAKMP, NOTIFY_INVALID_ID_INFORMATION, VIEW_NONE, VIEW_NONE);
    assert_int_equal(keys_exchange_iv(gateway, d.message_id, iv), ERR_OK);
    const struct view message = draft_phase2_seal(&d, gateway, false, VIEW_NONE, VIEW_NONE, iv);
    const struct path path = world_path(w, 0, IKE_PORT);
    /* <-- N(INVALID-ID-INFORMATION) */
    assert_int_equal(world_inject(w, 0, &path, message), other_key ? DROP_IKE_DECRYPT : DROP_NONE);
    world_run(w, 60 * USEC_SEC);
    assert_int_equal(told(w, within)->cause, cause);
    world_free(w);
}

static void a_refusal_under_the_key_is_believed_at_once(void **state)
{
    (void)state;
    refuse_proof(630, false, CAUSE_IKE_IDENTITY, USEC_SEC);
}

static void a_refusal_that_cannot_be_read_speaks_of_another_key(void **state)
{
    (void)state;
    refuse_proof(631, true, CAUSE_IKE_WRONG_PSK, HINT_GRACE + USEC_SEC);
}

/* ---- quick mode ---- */

static void a_silent_quick_mode_is_told_in_time(void **state)
{
    (void)state;
    struct world *w = impatient(640);
    w->lose[1] = ~7ull; /* QM2 and all that follows */
    world_begin(w);
    world_connect(w);
    world_run(w, 60 * USEC_SEC);
    const struct world_event *e = world_event(w, 0, IKE_EVENT_CHILD_FAILED, 0);
    assert_non_null(e);
    assert_true(e->at - 1000 * USEC_SEC <= TOLD_WITHIN);
    world_free(w);
}

static void a_refused_quick_mode_is_told_at_once(void **state)
{
    (void)state;
    struct world *w = impatient(641);
    w->side[0].config.esp_proposal = "3des-md5";
    world_begin(w);
    world_connect(w);
    world_run(w, 60 * USEC_SEC);
    const struct world_event *e = world_event(w, 0, IKE_EVENT_CHILD_FAILED, 0);
    assert_non_null(e);
    assert_int_equal(e->event.cause, CAUSE_ESP_NO_PROPOSAL);
    assert_true(e->at - 1000 * USEC_SEC <= USEC_SEC);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_is_told_in_time),
        cmocka_unit_test(an_open_port_4500_makes_it_the_key),
        cmocka_unit_test(a_blocked_port_4500_makes_it_the_port),
        cmocka_unit_test(a_probe_disturbs_nothing),
        cmocka_unit_test(a_probe_ends_with_what_it_is_for),
        cmocka_unit_test(a_refused_proposal_is_told_soon),
        cmocka_unit_test(complaints_name_the_cause),
        cmocka_unit_test(forged_complaints_end_nothing),
        cmocka_unit_test(other_notifications_in_clear_are_no_complaints),
        cmocka_unit_test(a_refusal_under_the_key_is_believed_at_once),
        cmocka_unit_test(a_refusal_that_cannot_be_read_speaks_of_another_key),
        cmocka_unit_test(a_silent_quick_mode_is_told_in_time),
        cmocka_unit_test(a_refused_quick_mode_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
