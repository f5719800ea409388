/* MS-CHAPv2: the complete example of RFC 2759 section 9.2; NT hashes that are known everywhere. */
#include "crypto/crypto.h"
#include "tests/test.h"

static void check_nt_hash(const char *password, const char *want_hex)
{
    uint8_t want[MSCHAP_NT_HASH_SIZE], got[MSCHAP_NT_HASH_SIZE];
    unhex(want_hex, want, sizeof(want));
    assert_int_equal(mschap_nt_hash(view_str(password), got), ERR_OK);
    assert_memory_equal(got, want, sizeof(want));
}

static void nt_hashes_are_the_known_ones(void **state)
{
    (void)state;
    check_nt_hash("", "31d6cfe0d16ae931b73c59d7e0c089c0"); /* MD4 of nothing: RFC 1320 A.5 */
    check_nt_hash("password", "8846f7eaee8fb117ad06bdd830b7586c");
    check_nt_hash("clientPass", "44ebba8d5312b8d611474411f56989ae");
}

static void the_example_of_rfc_2759_9_2_comes_out(void **state)
{
    (void)state;
    uint8_t authenticator[MSCHAP_CHALLENGE_SIZE], peer[MSCHAP_CHALLENGE_SIZE];
    unhex("5b5d7c7d7b3f2f3e3c2c602132262628", authenticator, sizeof(authenticator));
    unhex("21402324255e262a28295f2b3a337c7e", peer, sizeof(peer));
    uint8_t hash[MSCHAP_NT_HASH_SIZE], response[MSCHAP_NT_RESPONSE], proof[MSCHAP_AUTH_RESPONSE];
    uint8_t want_response[MSCHAP_NT_RESPONSE], want_proof[MSCHAP_AUTH_RESPONSE];
    unhex("82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df", want_response, sizeof(want_response));
    unhex("407a5589115fd0d6209f510fe9c04566932cda56", want_proof, sizeof(want_proof));

    assert_int_equal(mschap_nt_hash(view_str("clientPass"), hash), ERR_OK);
    assert_int_equal(mschapv2_nt_response(hash, authenticator, peer, view_str("User"), response), ERR_OK);
    assert_memory_equal(response, want_response, sizeof(want_response));
    assert_int_equal(mschapv2_authenticator_response(hash, response, authenticator, peer, view_str("User"), proof),
                     ERR_OK);
    assert_memory_equal(proof, want_proof, sizeof(want_proof));
}

/* The third DES key is two bytes of the hash: when both are zero it is a weak key, and must work like any other. */
static void a_hash_that_ends_in_zeros_makes_a_response(void **state)
{
    (void)state;
    uint8_t hash[MSCHAP_NT_HASH_SIZE] = {0}, zero[MSCHAP_CHALLENGE_SIZE] = {0}, response[MSCHAP_NT_RESPONSE];
    uint8_t digest[HASH_SIZE_MAX], iv[8] = {0}, key[8] = {0};
    assert_int_equal(mschapv2_nt_response(hash, zero, zero, view_str("User"), response), ERR_OK);

    const struct view parts[] = {VIEW(zero), VIEW(zero), view_str("User")};
    assert_int_equal(hash_digest(HASH_SHA1, parts, ARRAY_LEN(parts), digest), ERR_OK);
    assert_int_equal(cbc_encrypt(CIPHER_DES, VIEW(key), iv, digest, 8), ERR_OK);
    for (size_t i = 0; i < 3; i++)
        assert_memory_equal(response + 8 * i, digest, 8);
}

/* RFC 1994 section 4.1: MD5 over identifier, secret and challenge; computed apart with another implementation. */
static void chap_md5_is_a_digest_of_identifier_secret_and_challenge(void **state)
{
    (void)state;
    uint8_t challenge[16], want[CHAP_MD5_SIZE], got[CHAP_MD5_SIZE];
    unhex("000102030405060708090a0b0c0d0e0f", challenge, sizeof(challenge));
    unhex("03dc98c5a832692b49df73cf48fcb4e9", want, sizeof(want));
    assert_int_equal(chap_md5_response(0x2a, view_str("secret"), VIEW(challenge), got), ERR_OK);
    assert_memory_equal(got, want, sizeof(want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nt_hashes_are_the_known_ones),
        cmocka_unit_test(the_example_of_rfc_2759_9_2_comes_out),
        cmocka_unit_test(a_hash_that_ends_in_zeros_makes_a_response),
        cmocka_unit_test(chap_md5_is_a_digest_of_identifier_secret_and_challenge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
