/* HMAC: RFC 2202 (MD5, SHA-1) and RFC 4231 (SHA-2), every case that is not a truncation; hashes: the RFCs' suites. */
#include "crypto/crypto.h"
#include "tests/test.h"

static void check_hash(enum hash h, const char *text, const char *want_hex)
{
    uint8_t want[HASH_SIZE_MAX], got[HASH_SIZE_MAX];
    const struct view part = view_str(text);
    assert_int_equal(unhex(want_hex, want, sizeof(want)), hash_size(h));
    assert_int_equal(hash_digest(h, &part, 1, got), ERR_OK);
    assert_memory_equal(got, want, hash_size(h));
}

static void the_hashes_give_their_published_digests_of_abc(void **state)
{
    (void)state;
    check_hash(HASH_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72");
    check_hash(HASH_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    check_hash(HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_hash(HASH_SHA384, "abc",
               "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
               "8086072ba1e7cc2358baeca134c825a7");
    check_hash(HASH_SHA512, "abc",
               "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
               "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

static void the_hashes_give_their_published_digests_of_nothing(void **state)
{
    (void)state;
    check_hash(HASH_MD5, "", "d41d8cd98f00b204e9800998ecf8427e");
    check_hash(HASH_SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    check_hash(HASH_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* Text that is repeated bytes is written as a count and a byte. */
struct hmac_case {
    size_t key_n;
    int key_byte; /* -1: key is hex text */
    const char *key;
    size_t data_n;
    int data_byte; /* -1: data is the string */
    const char *data;
    const char *want[HASH_SHA512 + 1];
};

static void check_hmac(const struct hmac_case *c, enum hash h)
{
    uint8_t key[200], data[200], want[HASH_SIZE_MAX], got[HASH_SIZE_MAX];
    size_t key_n = c->key_n, data_n = c->data_n;
    if (c->key_byte >= 0)
        memset(key, c->key_byte, key_n);
    else
        key_n = unhex(c->key, key, sizeof(key));
    if (c->data_byte >= 0)
        memset(data, c->data_byte, data_n);
    else
        memcpy(data, c->data, data_n = strlen(c->data));
    assert_int_equal(unhex(c->want[h], want, sizeof(want)), hash_size(h));

    /* In one part, and cut into three. */
    const struct view whole = view_of(data, data_n);
    assert_int_equal(hmac_digest(h, view_of(key, key_n), &whole, 1, got), ERR_OK);
    assert_memory_equal(got, want, hash_size(h));
    const struct view cut[] = {view_of(data, 1), VIEW_NONE, view_of(data + 1, data_n - 1)};
    assert_int_equal(hmac_digest(h, view_of(key, key_n), cut, ARRAY_LEN(cut), got), ERR_OK);
    assert_memory_equal(got, want, hash_size(h));
}

static void check_all(const struct hmac_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (enum hash h = HASH_MD5; h <= HASH_SHA512; h++)
            if (cases[i].want[h] != NULL)
                check_hmac(&cases[i], h);
}

static void hmac_md5_and_sha1_follow_rfc_2202(void **state)
{
    (void)state;
    static const struct hmac_case cases[] = {
        {16, 0x0b, NULL, 0, -1, "Hi There", {[HASH_MD5] = "9294727a3638bb1c13f48ef8158bfc9d"}},
        {20, 0x0b, NULL, 0, -1, "Hi There", {[HASH_SHA1] = "b617318655057264e28bc0b6fb378c8ef146be00"}},
        {0,
         -1,
         "4a656665" /* Jefe */,
         0,
         -1,
         "what do ya want for nothing?",
         {[HASH_MD5] = "750c783e6ab0b503eaa86e310a5db738", [HASH_SHA1] = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"}},
        {16, 0xaa, NULL, 50, 0xdd, NULL, {[HASH_MD5] = "56be34521d144c88dbb8c733f0e8b3f6"}},
        {20, 0xaa, NULL, 50, 0xdd, NULL, {[HASH_SHA1] = "125d7342b9ac11cd91a39af48aa17b4f63f175d3"}},
        {0,
         -1,
         "0102030405060708090a0b0c0d0e0f10111213141516171819",
         50,
         0xcd,
         NULL,
         {[HASH_MD5] = "697eaf0aca3a3aea3a75164746ffaa79", [HASH_SHA1] = "4c9007f4026250c6bc8414f9bf50c86c2d7235da"}},
        {16, 0x0c, NULL, 0, -1, "Test With Truncation", {[HASH_MD5] = "56461ef2342edc00f9bab995690efd4c"}},
        {20, 0x0c, NULL, 0, -1, "Test With Truncation", {[HASH_SHA1] = "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"}},
        {80,
         0xaa,
         NULL,
         0,
         -1,
         "Test Using Larger Than Block-Size Key - Hash Key First",
         {[HASH_MD5] = "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd", [HASH_SHA1] = "aa4ae5e15272d00e95705637ce8a3b55ed402112"}},
        {80,
         0xaa,
         NULL,
         0,
         -1,
         "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
         {[HASH_MD5] = "6f630fad67cda0ee1fb1f562db3aa53e", [HASH_SHA1] = "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"}},
    };
    check_all(cases, ARRAY_LEN(cases));
}

static void hmac_sha2_follows_rfc_4231(void **state)
{
    (void)state;
    static const struct hmac_case cases[] = {
        {20,
         0x0b,
         NULL,
         0,
         -1,
         "Hi There",
         {[HASH_SHA256] = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
          [HASH_SHA384] = "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
                          "faea9ea9076ede7f4af152e8b2fa9cb6",
          [HASH_SHA512] = "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
                          "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"}},
        {0,
         -1,
         "4a656665",
         0,
         -1,
         "what do ya want for nothing?",
         {[HASH_SHA256] = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
          [HASH_SHA384] = "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
                          "8e2240ca5e69e2c78b3239ecfab21649",
          [HASH_SHA512] = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                          "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"}},
        {20,
         0xaa,
         NULL,
         50,
         0xdd,
         NULL,
         {[HASH_SHA256] = "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
          [HASH_SHA384] = "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b"
                          "2a5ab39dc13814b94e3ab6e101a34f27",
          [HASH_SHA512] = "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
                          "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"}},
        {0,
         -1,
         "0102030405060708090a0b0c0d0e0f10111213141516171819",
         50,
         0xcd,
         NULL,
         {[HASH_SHA256] = "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
          [HASH_SHA384] = "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e"
                          "6801dd23c4a7d679ccf8a386c674cffb",
          [HASH_SHA512] = "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
                          "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"}},
        {131,
         0xaa,
         NULL,
         0,
         -1,
         "Test Using Larger Than Block-Size Key - Hash Key First",
         {[HASH_SHA256] = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
          [HASH_SHA384] = "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
                          "0c2ef6ab4030fe8296248df163f44952",
          [HASH_SHA512] = "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                          "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"}},
        {131,
         0xaa,
         NULL,
         0,
         -1,
         "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
         "hashed before being used by the HMAC algorithm.",
         {[HASH_SHA256] = "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
          [HASH_SHA384] = "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5"
                          "a678cc31e799176d3860e6110c46523e",
          [HASH_SHA512] = "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
                          "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"}},
    };
    check_all(cases, ARRAY_LEN(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hashes_give_their_published_digests_of_abc),
        cmocka_unit_test(the_hashes_give_their_published_digests_of_nothing),
        cmocka_unit_test(hmac_md5_and_sha1_follow_rfc_2202),
        cmocka_unit_test(hmac_sha2_follows_rfc_4231),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
