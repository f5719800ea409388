#include "crypto/crypto.h"
#include "tests/test.h"

static const uint8_t key[SEAL_KEY_SIZE] = {1, 2, 3};

static struct random rng_of(struct random_test *t)
{
    random_test_init(t, 4106);
    return (struct random){random_test_fill, t};
}

static void what_was_sealed_opens_at_every_length(void **state)
{
    (void)state;
    struct random_test t;
    const struct random rng = rng_of(&t);
    uint8_t plain[300], sealed[300 + SEAL_OVERHEAD], out[300];
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (uint8_t)i;
    for (size_t n = 0; n <= sizeof(plain); n++) {
        assert_int_equal(seal(key, &rng, view_str("maria"), view_of(plain, n), sealed), ERR_OK);
        memset(out, 0, sizeof(out));
        assert_int_equal(unseal(key, view_str("maria"), view_of(sealed, n + SEAL_OVERHEAD), out), ERR_OK);
        assert_memory_equal(out, plain, n);
    }
}

static void every_changed_bit_is_found_and_nothing_is_given_out(void **state)
{
    (void)state;
    struct random_test t;
    const struct random rng = rng_of(&t);
    uint8_t sealed[20 + SEAL_OVERHEAD], out[20] = {0};
    const uint8_t nothing[20] = {0};
    assert_int_equal(seal(key, &rng, view_str("maria"), view_str("correct horse staple"), sealed), ERR_OK);
    for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(unseal(key, view_str("maria"), VIEW(sealed), out), ERR_AUTH);
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_memory_equal(out, nothing, sizeof(out));
    assert_int_equal(unseal(key, view_str("maria"), VIEW(sealed), out), ERR_OK);
    assert_memory_equal(out, "correct horse staple", 20);
}

static void a_seal_opens_only_in_its_place_and_with_its_key(void **state)
{
    (void)state;
    struct random_test t;
    const struct random rng = rng_of(&t);
    uint8_t sealed[6 + SEAL_OVERHEAD], out[6];
    const uint8_t other[SEAL_KEY_SIZE] = {1, 2, 4};
    assert_int_equal(seal(key, &rng, view_str("maria"), view_str("secret"), sealed), ERR_OK);
    assert_int_equal(unseal(key, view_str("mario"), VIEW(sealed), out), ERR_AUTH);
    assert_int_equal(unseal(key, VIEW_NONE, VIEW(sealed), out), ERR_AUTH);
    assert_int_equal(unseal(other, view_str("maria"), VIEW(sealed), out), ERR_AUTH);
    assert_int_equal(unseal(key, view_str("maria"), VIEW(sealed), out), ERR_OK);
}

static void a_seal_that_is_cut_short_is_refused(void **state)
{
    (void)state;
    struct random_test t;
    const struct random rng = rng_of(&t);
    uint8_t sealed[6 + SEAL_OVERHEAD], out[6];
    assert_int_equal(seal(key, &rng, VIEW_NONE, view_str("secret"), sealed), ERR_OK);
    for (size_t n = 0; n < sizeof(sealed); n++)
        assert_int_equal(unseal(key, VIEW_NONE, view_of(sealed, n), out), ERR_AUTH);
}

static void the_same_text_is_never_sealed_the_same_way(void **state)
{
    (void)state;
    struct random_test t;
    const struct random rng = rng_of(&t);
    uint8_t a[6 + SEAL_OVERHEAD], b[6 + SEAL_OVERHEAD];
    assert_int_equal(seal(key, &rng, VIEW_NONE, view_str("secret"), a), ERR_OK);
    assert_int_equal(seal(key, &rng, VIEW_NONE, view_str("secret"), b), ERR_OK);
    assert_memory_not_equal(a + 12, b + 12, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_opens_at_every_length),
        cmocka_unit_test(every_changed_bit_is_found_and_nothing_is_given_out),
        cmocka_unit_test(a_seal_opens_only_in_its_place_and_with_its_key),
        cmocka_unit_test(a_seal_that_is_cut_short_is_refused),
        cmocka_unit_test(the_same_text_is_never_sealed_the_same_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
