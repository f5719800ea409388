/* What is chosen from what real clients offer (clients.md 2 to 8), in each policy. */
#include "ike/ike_internal.h"
#include "tests/test.h"

/* Builds the phase 1 offer of a list of suites, as a client would. */
static void offer_of(const char *const *words, size_t n, struct offer *out)
{
    static uint8_t attributes[TRANSFORMS_MAX][64];
    *out = (struct offer){.proposal_count = 1, .transform_count = n};
    out->proposals[0] = (struct proposal){.number = 1, .protocol = PROTO_ISAKMP};
    for (size_t i = 0; i < n; i++) {
        struct suite s;
        assert_int_equal(suite_parse(view_str(words[i]), &s), ERR_OK);
        s.lifetime = 28800;
        struct writer w = wr_init(attributes[i], sizeof(attributes[i]));
        suite_write(&w, &s);
        out->transforms[i] = (struct transform){.number = (uint8_t)(i + 1), .id = 1, .attributes = wr_written(&w)};
    }
}

static void choose(const char *expected, enum ike_policy policy, const char *const *words, size_t n)
{
    struct offer o;
    struct suite s;
    char text[SUITE_TEXT_MAX];
    offer_of(words, n, &o);
    const struct transform *t = policy_choose_ike(policy, AUTHS_ALL, &o, &s);
    if (!expected) {
        assert_null(t);
        return;
    }
    assert_non_null(t);
    assert_string_equal(suite_text(&s, text), expected);
    assert_int_equal(s.lifetime, 28800);
}

static const char *const windows[] = {"aes256-sha1-ecp384", "aes128-sha1-ecp256", "aes256-sha1-modp2048",
                                      "3des-sha1-modp2048", "3des-sha1-modp1024"};
static const char *const apple[] = {
    "aes256-sha256-modp2048", "aes256-sha1-modp2048", "aes256-md5-modp2048",  "aes256-sha512-modp2048",
    "aes256-sha256-modp1536", "aes256-sha1-modp1536", "aes256-md5-modp1536",  "aes256-sha256-modp1024",
    "aes256-sha1-modp1024",   "aes256-md5-modp1024",  "aes128-sha1-modp1024", "aes128-md5-modp1024",
    "3des-sha1-modp1024",     "3des-md5-modp1024",
};
static const char *const android[] = {"aes256-sha384-modp1024", "aes256-sha256-modp1024", "aes256-sha512-modp1024",
                                      "aes256-sha1-modp1024",   "aes128-sha1-modp1024",   "des-md5-modp1024"};
static const char *const network_manager[] = {"aes256-sha256-modp2048", "aes256-sha1-modp2048", "aes256-sha1-ecp384",
                                              "aes128-sha1-ecp256",     "3des-sha1-modp2048",   "3des-sha1-modp1024"};
static const char *const router_os[] = {"aes128-sha1-modp2048", "aes128-sha1-modp1024", "3des-sha1-modp2048",
                                        "3des-sha1-modp1024"};
static const char *const tp_link[] = {"3des-md5-modp1024", "3des-sha1-modp1024"};

#define CHOOSE(expected, policy, list) choose(expected, policy, list, ARRAY_LEN(list))

static void current_clients_get_their_strongest_offer_in_the_compatible_policy(void **state)
{
    (void)state;
    CHOOSE("aes256-sha1-ecp384", IKE_POLICY_COMPATIBLE, windows);
    CHOOSE("aes256-sha256-modp2048", IKE_POLICY_COMPATIBLE, apple);
    CHOOSE("aes256-sha256-modp2048", IKE_POLICY_COMPATIBLE, network_manager);
    CHOOSE("aes128-sha1-modp2048", IKE_POLICY_COMPATIBLE, router_os);
    CHOOSE(NULL, IKE_POLICY_COMPATIBLE, android);
    CHOOSE(NULL, IKE_POLICY_COMPATIBLE, tp_link);
}

static void old_devices_get_the_best_they_have_in_the_legacy_policy(void **state)
{
    (void)state;
    CHOOSE("aes256-sha384-modp1024", IKE_POLICY_LEGACY, android);
    CHOOSE("3des-sha1-modp1024", IKE_POLICY_LEGACY, tp_link);
    CHOOSE("aes256-sha1-ecp384", IKE_POLICY_LEGACY, windows);
}

static void the_modern_policy_wants_sha2(void **state)
{
    (void)state;
    CHOOSE(NULL, IKE_POLICY_MODERN, windows);
    CHOOSE("aes256-sha256-modp2048", IKE_POLICY_MODERN, apple);
    CHOOSE("aes256-sha256-modp2048", IKE_POLICY_MODERN, network_manager);
}

static void the_key_counts_before_the_group_and_the_group_before_the_hash(void **state)
{
    (void)state;
    static const char *const keys[] = {"aes128-sha256-ecp521", "aes192-sha256-ecp384", "aes256-sha256-modp2048"};
    static const char *const groups[] = {"aes256-sha512-modp2048", "aes256-sha256-modp3072", "aes256-sha256-ecp256",
                                         "aes256-sha256-modp4096", "aes256-sha256-ecp384",   "aes256-sha512-ecp256"};
    static const char *const weak_group[] = {"aes256-sha256-modp1536", "aes128-sha1-modp2048"};
    static const char *const as_named[] = {"aes256-sha256-ecp384", "aes256-sha512-ecp384"};
    CHOOSE("aes256-sha256-modp2048", IKE_POLICY_MODERN, keys);
    CHOOSE("aes256-sha256-ecp384", IKE_POLICY_MODERN, groups);
    CHOOSE("aes128-sha1-modp2048", IKE_POLICY_COMPATIBLE, weak_group);
    CHOOSE("aes256-sha256-ecp384", IKE_POLICY_COMPATIBLE, as_named);
}

static void modp768_is_understood_and_never_taken(void **state)
{
    (void)state;
    static const char *const weak[] = {"aes256-sha256-modp768"};
    for (int policy = IKE_POLICY_MODERN; policy <= IKE_POLICY_LEGACY; policy++)
        choose(NULL, (enum ike_policy)policy, weak, 1);
}

static int esp_rank(enum ike_policy policy, bool weak, const char *words)
{
    struct esp_suite s;
    assert_int_equal(esp_suite_parse(view_str(words), &s), ERR_OK);
    return esp_suite_rank(policy, weak, &s);
}

static void esp_prefers_longer_keys_then_gcm_and_sha1_comes_after_both(void **state)
{
    (void)state;
    static const char *const order[] = {"aes256gcm16", "aes256-sha256", "aes128gcm16", "aes128-sha256",
                                        "aes256-sha1", "aes192-sha1",   "aes128-sha1", "3des-sha1",
                                        "3des-md5",    "des-sha1",      "null-sha1"};
    for (size_t i = 1; i < ARRAY_LEN(order); i++)
        assert_true(esp_rank(IKE_POLICY_LEGACY, false, order[i - 1]) > esp_rank(IKE_POLICY_LEGACY, false, order[i]));
    assert_true(esp_rank(IKE_POLICY_COMPATIBLE, false, "3des-sha1") < 0);
    assert_true(esp_rank(IKE_POLICY_COMPATIBLE, false, "null-sha1") < 0);
    assert_true(esp_rank(IKE_POLICY_MODERN, false, "aes256-sha1") < 0);
}

static void sha256_comes_last_for_kernels_that_may_truncate_it(void **state)
{
    (void)state;
    assert_true(esp_rank(IKE_POLICY_LEGACY, true, "aes256-sha1") > esp_rank(IKE_POLICY_LEGACY, true, "aes256-sha256"));
    assert_true(esp_rank(IKE_POLICY_LEGACY, true, "aes256-sha512") > esp_rank(IKE_POLICY_LEGACY, true, "aes256-sha1"));
    assert_true(esp_rank(IKE_POLICY_LEGACY, true, "aes256-sha256") >= 0);
}

static enum err read_ike(const char *attributes, struct suite *s)
{
    uint8_t b[128];
    const struct transform t = {.id = 1, .attributes = view_of(b, unhex(attributes, b, sizeof(b)))};
    return suite_read(&t, s);
}

static void transforms_are_read_in_any_order_and_encoding(void **state)
{
    (void)state;
    struct suite s;
    char text[SUITE_TEXT_MAX];
    /* racoon's order, the life as TV */
    assert_int_equal(read_ike("800b0001800c0e10 80010007800e0100 80030001 80020004 8004000e", &s), ERR_OK);
    assert_string_equal(suite_text(&s, text), "aes256-sha256-modp2048");
    assert_int_equal(s.lifetime, 3600);
    /* kilobytes and seconds together; no key length */
    assert_int_equal(read_ike("80010007 80020002 80040013 80030001 800b0002 800c0400 800b0001 000c000400015180", &s),
                     ERR_OK);
    assert_string_equal(suite_text(&s, text), "aes128-sha1-ecp256");
    assert_int_equal(s.lifetime, 86400);
    /* without a lifetime; 3DES with its key length spelt out */
    assert_int_equal(read_ike("80010005800e00c0 80020002 8004000e 80030001", &s), ERR_OK);
    assert_int_equal(s.lifetime, 0);
    /* a Windows with a machine certificate */
    assert_int_equal(read_ike("80010007800e0100 80020002 80040014 80030003 800b0001 000c000400007080", &s), ERR_OK);
    assert_string_equal(suite_text(&s, text), "aes256-sha1-ecp384-rsa");
    assert_int_equal(s.lifetime, 28800);
}

static struct transform transform_of(const struct suite *s, uint8_t number, uint8_t room[static 64])
{
    struct writer w = wr_init(room, 64);
    suite_write(&w, s);
    return (struct transform){.number = number, .id = 1, .attributes = wr_written(&w)};
}

static void the_best_method_that_we_have_is_chosen(void **state)
{
    (void)state;
    static const enum ike_auth order[] = {IKE_AUTH_PSK, IKE_AUTH_RSA, IKE_AUTH_ECDSA_256};
    uint8_t attributes[4][64];
    struct suite s;
    struct offer o = {.proposals = {{.number = 1, .protocol = PROTO_ISAKMP}}, .proposal_count = 1};
    assert_int_equal(suite_parse(view_str("aes128-sha256-ecp256"), &s), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        s.auth = order[i];
        o.transforms[o.transform_count++] = transform_of(&s, (uint8_t)i, attributes[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        /* all methods up to this one: the last of them; and this one alone */
        assert_non_null(policy_choose_ike(IKE_POLICY_COMPATIBLE, (2u << order[i]) - 1, &o, &s));
        assert_int_equal(s.auth, order[i]);
        assert_non_null(policy_choose_ike(IKE_POLICY_COMPATIBLE, 1u << order[i], &o, &s));
        assert_int_equal(s.auth, order[i]);
    }
    assert_null(policy_choose_ike(IKE_POLICY_COMPATIBLE, 1u << IKE_AUTH_ECDSA_384, &o, &s));
    /* a stronger cipher with the key goes before the certificate */
    assert_int_equal(suite_parse(view_str("aes256-sha256-ecp256"), &s), ERR_OK);
    o.transforms[o.transform_count++] = transform_of(&s, 9, attributes[3]);
    assert_int_equal(policy_choose_ike(IKE_POLICY_COMPATIBLE, AUTHS_ALL, &o, &s)->number, 9);
}

static void md5_carries_no_signature(void **state)
{
    (void)state;
    uint8_t attributes[64];
    struct suite s;
    struct offer o = {.proposals = {{.number = 1, .protocol = PROTO_ISAKMP}}, .proposal_count = 1};
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        assert_int_equal(suite_parse(view_str("3des-md5-modp1024"), &s), ERR_OK);
        s.auth = is_signed ? IKE_AUTH_RSA : IKE_AUTH_PSK;
        o.transforms[0] = transform_of(&s, 1, attributes);
        o.transform_count = 1;
        const struct transform *t = policy_choose_ike(IKE_POLICY_LEGACY, AUTHS_ALL, &o, &s);
        assert_int_equal(t == NULL, is_signed);
    }
}

static void what_is_not_understood_is_not_chosen(void **state)
{
    (void)state;
    struct suite s;
    static const char *const bad[] = {
        "80010007800e0100 80020002 8004000e 80030004",          /* RSA encryption */
        "80010007800e0100 80020002 8004000e 8003fde9",          /* XAUTH with PSK */
        "80010007800e0100 80020002 80040063 80030001",          /* an unknown group */
        "80010007800e0105 80020002 8004000e 80030001",          /* an odd key length */
        "80010007800e0100 80020002 8004000e 80030001 800d0001", /* another PRF */
        "80010007800e0100 80020002 80020004 8004000e 80030001", /* two hashes */
        "80010007800e0100 80020002 80030001",                   /* no group */
        "80010007800e0100 80020002 8004000e 80030001 80",       /* cut off */
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(read_ike(bad[i], &s), ERR_UNSUPPORTED);
}

static void esp_transforms_need_integrity(void **state)
{
    (void)state;
    uint8_t b[64];
    struct esp_suite s;
    struct transform t = {.id = 12, .attributes = view_of(b, unhex("80060100 80040002", b, sizeof(b)))};
    assert_int_equal(esp_suite_read(&t, &s), ERR_UNSUPPORTED);
    t.attributes = view_of(
        b, unhex("80040004 80060100 80050002 80010001 0002000400000e10 80010002 000200040003d090", b, sizeof(b)));
    assert_int_equal(esp_suite_read(&t, &s), ERR_OK);
    assert_int_equal(s.lifetime, 3600);
    assert_int_equal(s.kilobytes, 250000);
    assert_int_equal(s.mode, ENCAPSULATION_UDP_TRANSPORT);
    t.id = 20; /* GCM brings its own */
    assert_int_equal(esp_suite_read(&t, &s), ERR_UNSUPPORTED);
    t.attributes = view_of(b, unhex("80060080 80040002", b, sizeof(b)));
    assert_int_equal(esp_suite_read(&t, &s), ERR_OK);
    assert_int_equal(s.transform.key_bytes, 16);
}

static void configured_proposals_are_words(void **state)
{
    (void)state;
    struct suite s[OFFERS_MAX];
    struct esp_suite e[OFFERS_MAX];
    assert_int_equal(policy_offer_ike(IKE_POLICY_MODERN, "aes256-sha1-modp2048, aes128-sha1-ecp256,nonsense", s), 2);
    assert_int_equal(s[1].group, DH_ECP_256);
    assert_int_equal(policy_offer_esp(IKE_POLICY_MODERN, "aes256-sha1,aes128gcm16,aes128,aes128gcm16-sha1", e), 2);
    for (int policy = IKE_POLICY_MODERN; policy <= IKE_POLICY_LEGACY; policy++) {
        const size_t n = policy_offer_ike((enum ike_policy)policy, NULL, s);
        const size_t m = policy_offer_esp((enum ike_policy)policy, NULL, e);
        assert_true(n > 0 && m > 0);
        for (size_t i = 0; i < n; i++)
            assert_true(suite_rank((enum ike_policy)policy, &s[i]) >= 0);
        for (size_t i = 0; i < m; i++)
            assert_true(esp_suite_rank((enum ike_policy)policy, false, &e[i]) >= 0);
    }
}

static void a_refusal_tells_both_sides_proposals(void **state)
{
    (void)state;
    struct offer o;
    char text[160];
    offer_of(tp_link, ARRAY_LEN(tp_link), &o);
    policy_explain_ike(IKE_POLICY_COMPATIBLE, &o, text, sizeof(text));
    assert_non_null(strstr(text, "offered 3des-md5-modp1024, 3des-sha1-modp1024; acceptable aes256-"));
    offer_of(apple, ARRAY_LEN(apple), &o);
    policy_explain_ike(IKE_POLICY_COMPATIBLE, &o, text, sizeof(text));
    assert_string_equal(text, "offered aes256-sha256-modp2048, aes256-sha1-modp2048, aes256-md5-modp2048, ...; "
                              "acceptable aes256-sha256-ecp256, aes256-sha256-modp2048, ...");
}

static void a_refusal_is_cut_between_words_at_any_size(void **state)
{
    (void)state;
    struct offer o;
    char whole[2048], text[2048];
    offer_of(android, ARRAY_LEN(android), &o);
    policy_explain_ike(IKE_POLICY_COMPATIBLE, &o, whole, sizeof(whole));
    assert_null(strstr(whole, "..."));
    for (size_t cap = 128; cap < 1024; cap++) {
        memset(text, '#', sizeof(text));
        policy_explain_ike(IKE_POLICY_COMPATIBLE, &o, text, cap);
        const size_t n = strlen(text);
        assert_true(n < cap);
        assert_int_equal(text[cap], '#');
        assert_true(n == strlen(whole) || strcmp(text + n - 5, ", ...") == 0);
        assert_non_null(strstr(text, "; acceptable aes256-sha256-ecp256"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(current_clients_get_their_strongest_offer_in_the_compatible_policy),
        cmocka_unit_test(old_devices_get_the_best_they_have_in_the_legacy_policy),
        cmocka_unit_test(the_modern_policy_wants_sha2),
        cmocka_unit_test(modp768_is_understood_and_never_taken),
        cmocka_unit_test(the_key_counts_before_the_group_and_the_group_before_the_hash),
        cmocka_unit_test(esp_prefers_longer_keys_then_gcm_and_sha1_comes_after_both),
        cmocka_unit_test(sha256_comes_last_for_kernels_that_may_truncate_it),
        cmocka_unit_test(transforms_are_read_in_any_order_and_encoding),
        cmocka_unit_test(the_best_method_that_we_have_is_chosen),
        cmocka_unit_test(md5_carries_no_signature),
        cmocka_unit_test(what_is_not_understood_is_not_chosen),
        cmocka_unit_test(esp_transforms_need_integrity),
        cmocka_unit_test(configured_proposals_are_words),
        cmocka_unit_test(a_refusal_tells_both_sides_proposals),
        cmocka_unit_test(a_refusal_is_cut_between_words_at_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
