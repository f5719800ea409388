/* Every cipher, hash and group, in phase 1 and in phase 2. */
#include "world.h"

static void connect_with(const char *ike_words, const char *esp_words, bool pfs, uint64_t seed)
{
    struct world *w = world_new(seed);
    for (int i = 0; i < 2; i++)
        w->side[i].config.policy = IKE_POLICY_LEGACY;
    w->side[0].config.ike_proposal = ike_words;
    w->side[0].config.esp_proposal = esp_words;
    w->side[0].config.pfs = pfs;
    world_begin(w);
    world_connect(w);
    world_run(w, 2 * USEC_SEC);
    world_assert_connected(w);
    struct ike_peer_info info;
    assert_true(ike_peer_info(w->side[1].ike, world_event(w, 1, IKE_EVENT_UP, 0)->event.peer, &info));
    assert_string_equal(info.ike_transform, ike_words);
    const struct ike_child *c = &world_event(w, 1, IKE_EVENT_CHILD_NEW, 0)->event.child;
    assert_int_equal(c->pfs != DH_NONE, pfs);
    assert_int_equal(c->keymat_in.n, esp_cipher_key_size(&c->transform) + esp_auth_key_size(&c->transform));
    world_free(w);
}

static void every_phase_1_cipher_and_hash_works(void **state)
{
    (void)state;
    static const char *const ciphers[] = {"aes256", "aes192", "aes128", "3des", "des"};
    static const char *const hashes[] = {"md5", "sha1", "sha256", "sha384", "sha512"};
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
        for (size_t j = 0; j < ARRAY_LEN(hashes); j++) {
            char words[64];
            snprintf(words, sizeof(words), "%s-%s-ecp256", ciphers[i], hashes[j]);
            connect_with(words, "aes128-sha1", false, 600 + i * 10 + j);
        }
    }
}

static void every_group_works_and_serves_for_pfs(void **state)
{
    (void)state;
    static const char *const groups[] = {"modp1024", "modp1536", "modp2048", "modp3072",
                                         "modp4096", "ecp256",   "ecp384",   "ecp521"};
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        char words[64];
        snprintf(words, sizeof(words), "aes128-sha1-%s", groups[i]);
        connect_with(words, "aes128-sha1", true, 700 + i);
    }
}

static void every_esp_algorithm_works(void **state)
{
    (void)state;
    static const char *const esp[] = {"aes256gcm16", "aes192gcm16",   "aes128gcm16",  "aes256-sha512", "aes256-sha384",
                                      "aes192-sha1", "aes128-sha256", "aes128-sha1",  "aes128-md5",    "3des-sha1",
                                      "des-md5",     "null-sha1",     "aes256-sha256"};
    for (size_t i = 0; i < ARRAY_LEN(esp); i++)
        connect_with("aes256-sha256-ecp256", esp[i], false, 800 + i);
}

static void leading_zeros_of_public_values_are_kept(void **state)
{
    (void)state;
    /* One handshake in 64 meets a zero byte in one of four places with ECP-256: enough tries to meet several. */
    for (uint64_t seed = 1000; seed < 1200; seed++) {
        struct world *w = world_new(seed);
        world_begin(w);
        world_connect(w);
        world_run(w, 2 * USEC_SEC);
        world_assert_connected(w);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_phase_1_cipher_and_hash_works),
        cmocka_unit_test(every_group_works_and_serves_for_pfs),
        cmocka_unit_test(every_esp_algorithm_works),
        cmocka_unit_test(leading_zeros_of_public_values_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
