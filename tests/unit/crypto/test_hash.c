#include "crypto/crypto.h"
#include "tests/test.h"

static void a_digest_does_not_depend_on_how_the_text_is_cut(void **state)
{
    (void)state;
    uint8_t text[300], whole[HASH_SIZE_MAX], cut[HASH_SIZE_MAX];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)i;
    for (enum hash h = HASH_MD5; h <= HASH_SHA512; h++) {
        const struct view one = VIEW(text);
        assert_int_equal(hash_digest(h, &one, 1, whole), ERR_OK);
        for (size_t at = 0; at <= sizeof(text); at++) {
            const struct view two[] = {view_of(text, at), view_of(text + at, sizeof(text) - at)};
            assert_int_equal(hash_digest(h, two, ARRAY_LEN(two), cut), ERR_OK);
            assert_memory_equal(cut, whole, hash_size(h));
        }
    }
}

static void no_parts_at_all_are_an_empty_text(void **state)
{
    (void)state;
    uint8_t none[HASH_SIZE_MAX], empty[HASH_SIZE_MAX];
    const struct view part = VIEW_NONE;
    assert_int_equal(hash_digest(HASH_SHA1, NULL, 0, none), ERR_OK);
    assert_int_equal(hash_digest(HASH_SHA1, &part, 1, empty), ERR_OK);
    assert_memory_equal(none, empty, hash_size(HASH_SHA1));
    assert_int_equal(hmac_digest(HASH_SHA1, VIEW_NONE, NULL, 0, none), ERR_OK);
    assert_int_equal(hmac_digest(HASH_SHA1, VIEW_NONE, &part, 1, empty), ERR_OK);
    assert_memory_equal(none, empty, hash_size(HASH_SHA1));
}

/* RFC 2104 section 2: a key of one block is used as it is, one byte more and it is hashed. */
static void a_key_longer_than_a_block_counts_as_its_hash(void **state)
{
    (void)state;
    uint8_t key[129], hashed[HASH_SIZE_MAX], a[HASH_SIZE_MAX], b[HASH_SIZE_MAX];
    memset(key, 'k', sizeof(key));
    const struct view text = view_str("text");
    for (enum hash h = HASH_MD5; h <= HASH_SHA512; h++) {
        size_t block = h >= HASH_SHA384 ? 128 : 64;
        for (size_t n = block; n <= block + 1; n++) {
            const struct view long_key = view_of(key, n);
            assert_int_equal(hash_digest(h, &long_key, 1, hashed), ERR_OK);
            assert_int_equal(hmac_digest(h, long_key, &text, 1, a), ERR_OK);
            assert_int_equal(hmac_digest(h, view_of(hashed, hash_size(h)), &text, 1, b), ERR_OK);
            assert_int_equal(memcmp(a, b, hash_size(h)) == 0, n > block);
        }
    }
}

static void an_unknown_hash_is_refused_and_writes_nothing(void **state)
{
    (void)state;
    uint8_t out[HASH_SIZE_MAX], before[HASH_SIZE_MAX];
    memset(out, 0x5a, sizeof(out));
    memset(before, 0x5a, sizeof(before));
    const enum hash unknown[] = {HASH_NONE, (enum hash)99};
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        assert_int_equal(hash_digest(unknown[i], NULL, 0, out), ERR_UNSUPPORTED);
        assert_int_equal(hmac_digest(unknown[i], VIEW_NONE, NULL, 0, out), ERR_UNSUPPORTED);
        assert_int_equal(hash_size(unknown[i]), 0);
        assert_string_equal(hash_name(unknown[i]), "none");
    }
    assert_memory_equal(out, before, sizeof(out));
}

static void the_hashes_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(hash_name(HASH_MD5), "md5");
    assert_string_equal(hash_name(HASH_SHA1), "sha1");
    assert_string_equal(hash_name(HASH_SHA256), "sha256");
    assert_string_equal(hash_name(HASH_SHA384), "sha384");
    assert_string_equal(hash_name(HASH_SHA512), "sha512");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digest_does_not_depend_on_how_the_text_is_cut),
        cmocka_unit_test(no_parts_at_all_are_an_empty_text),
        cmocka_unit_test(a_key_longer_than_a_block_counts_as_its_hash),
        cmocka_unit_test(an_unknown_hash_is_refused_and_writes_nothing),
        cmocka_unit_test(the_hashes_have_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
