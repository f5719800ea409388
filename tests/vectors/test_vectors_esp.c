/*
 * ESP engines: published packets, every transform on every engine against an ESP put together from cbc_encrypt() and
 * hmac_digest(), bursts of every size over mixed SAs, and the stored list of who serves what.
 */
#include "crypto/crypto.h"
#include "tests/test.h"

#define PACKET_MAX  1600
#define JOBS_MAX    (BURST_MAX + 9)
#define HEADER_SIZE 8
#define KEYMAT_MAX  100
#define SEED        0x5eed

static const char *const engines[] = {"ipsec-mb", "openssl"};

static const struct esp_transform transforms[] = {
#define WITH_EVERY_MAC(cipher, bytes)                                                                                  \
    {cipher, bytes, ESP_AUTH_MD5_96}, {cipher, bytes, ESP_AUTH_SHA1_96}, {cipher, bytes, ESP_AUTH_SHA256_128},         \
        {cipher, bytes, ESP_AUTH_SHA256_96}, {cipher, bytes, ESP_AUTH_SHA384_192},                                     \
    {                                                                                                                  \
        cipher, bytes, ESP_AUTH_SHA512_256                                                                             \
    }
    WITH_EVERY_MAC(ESP_CIPHER_NULL, 0),      WITH_EVERY_MAC(ESP_CIPHER_DES, 8),
    WITH_EVERY_MAC(ESP_CIPHER_3DES, 24),     WITH_EVERY_MAC(ESP_CIPHER_AES_CBC, 16),
    WITH_EVERY_MAC(ESP_CIPHER_AES_CBC, 24),  WITH_EVERY_MAC(ESP_CIPHER_AES_CBC, 32),
#undef WITH_EVERY_MAC
    {ESP_CIPHER_AES_GCM, 16, ESP_AUTH_NONE}, {ESP_CIPHER_AES_GCM, 24, ESP_AUTH_NONE},
    {ESP_CIPHER_AES_GCM, 32, ESP_AUTH_NONE},
};

/* Where algorithms.txt is; given by the build. */
static const char *list_path;

struct sealed {
    uint8_t bytes[PACKET_MAX];
    uint32_t text_len;
};

static struct engine_key *key_of(struct engine *e, const struct esp_transform *t, const uint8_t *keymat)
{
    struct engine_key *k = NULL;
    size_t n = esp_cipher_key_size(t) + esp_auth_key_size(t);
    assert_int_equal(engine_key_new(e, t, view_of(keymat, n), &k), ERR_OK);
    return k;
}

static size_t size_of(const struct esp_transform *t, uint32_t text_len)
{
    return HEADER_SIZE + esp_iv_size(t) + text_len + esp_icv_size(t);
}

/* ---- published packets ---- */

struct published {
    struct esp_transform transform;
    const char *keymat; /* cipher key, salt or authentication key */
    const char *head;   /* SPI, sequence number, IV */
    const char *plain;  /* padding, its length and the next header included */
    const char *sealed; /* ciphertext, and the ICV where the source has one */
};

#define SOME_SHA1_KEY "0102030405060708090a0b0c0d0e0f1011121314"
#define AES128_SHA1                                                                                                    \
    {                                                                                                                  \
        ESP_CIPHER_AES_CBC, 16, ESP_AUTH_SHA1_96                                                                       \
    }
#define GCM(bytes)                                                                                                     \
    {                                                                                                                  \
        ESP_CIPHER_AES_GCM, bytes, ESP_AUTH_NONE                                                                       \
    }

/* RFC 3602 section 4, cases 5 to 8 (its packets have no ICV); draft-mcgrew-gcm-test-01 section 4, the cases with 32-bit
 * sequence numbers. */
static const struct published cases[] = {
    {AES128_SHA1, "90d382b410eeba7ad938c46cec1a82bf" SOME_SHA1_KEY, "0000432100000001 e96e8c08ab465763fd098d45dd3ff893",
     "08000ebda70a00008e9c083db95b0700 08090a0b0c0d0e0f1011121314151617 18191a1b1c1d1e1f2021222324252627"
     "28292a2b2c2d2e2f3031323334353637 0102030405060708090a0b0c0d0e0e01",
     "f663c25d325c18c6a9453e194e120849 a4870b66cc6b9965330013b4898dc856 a4699e523a55db080b59ec3a8e4b7e52"
     "775b07d1db34ed9c538ab50c551b874a a269add047ad2d5913ac19b7cfbad4a6"},
    {AES128_SHA1, "90d382b410eeba7ad938c46cec1a82bf" SOME_SHA1_KEY, "0000432100000008 69d08df7d203329db093fc4924e5bd80",
     "0800b5e8a80a0500a69c083d0b660e00 77777777777777777777777701020201",
     "f51995881ec4e0c4488987ce742e8109 689bb379d2d750c0d915dca346a89f75"},
    {AES128_SHA1, "0123456789abcdef0123456789abcdef" SOME_SHA1_KEY, "0000876500000002 f4e765244f6407adf13dc1380f673f37",
     "45000054090400004001f988c0a87b03 c0a87bc808009f76a90a0100b49c083d 02a2040008090a0b0c0d0e0f10111213"
     "1415161718191a1b1c1d1e1f20212223 2425262728292a2b2c2d2e2f30313233 34353637010203040506070809 0a0a04",
     "773b5241a4c449225e4f3ce5ed611b0c 237ca96cf74a93013c1b0ea1a0cf70f8 e4ecaec78ac53aad7a0f022b859243c6"
     "47752e94a859352b8a4d4d2decd136e5 c177f132ad3fbfb2201ac9904c74ee0a 109e0ca1e4dfe9d5a100b842f1c22f0d"},
    {AES128_SHA1, "0123456789abcdef0123456789abcdef" SOME_SHA1_KEY, "0000876500000005 85d47224b5f3dd5d2101d4ea8dffab22",
     "45000044090c00004001f990c0a87b03 c0a87bc80800d63caa0a0200c69c083d a3de0300ffffffffffffffffffffffff"
     "ffffffffffffffffffffffffffffffff ffffffff0102030405060708090a0a04",
     "15b92683819596a8047232cc00f7048f e45318e11f8a0f62ede3c3fc61203bb5 0f980a08c9843fd3a1b06d5c07ff9639"
     "b7eb7dfb3512e5de435e7207ed971ef3 d2726d9b5ef6affc6d17a0decbb13892"},
    {GCM(16), "feffe9928665731c6d6a8f9467308308 cafebabe", "0000a5f80000000a facedbaddecaf888",
     "4500003e698f000080114dccc0a80102 c0a801010a980035002a2343b2d00100 0001000000000000037369700963796265"
     "726369747902646b00000100010001",
     "deb22cd9b07c72c16e3a65beeb8df304 a5a5897d33ae530f1ba76d5d114d2a5c 3de81827c10e9a4f51330d0eec416642"
     "cfbb85a5b47e48a4ec3b9ba95d918bd1 83b70d3aa8bc6ee4c309e9d85a41ad4a"},
    {GCM(32), "abbccddef00112233445566778899aab abbccddef00112233445566778899aab 11223344",
     "4a2cbfe300000002 0102030405060708",
     "4500003069a6400080062690c0a80102 9389155e0a9e008b2dc57ee000000000 7002400020bf0000020405b401010402"
     "01020201",
     "ff425c9b724599df7a3bcd510194e00d 6a78107f1b0b1cbf06efae9d65a5d763 748a637985771d347f0545659f14e99d"
     "ef842d8e b335f4eecfdbf831824b4c4915956c96"},
    {GCM(16), "00000000000000000000000000000000 00000000", "0000000000000001 0000000000000000",
     "4500003c99c500008001cb7a40679318 010101010800075c0200440061626364 65666768696a6b6c6d6e6f7071727374"
     "75767761626364656667686901020201",
     "4688daf2f973a392732909c331d56d60 f694abaa414b5e7ff5fdcdfff5e9a284 456476492719ffb64de7d9dca1e1d894"
     "bc3bd57873ed4d181d19d4d5c8c18af3 f821d496eeb096e98ad2b69e4799c71d"},
    {GCM(24), "feffe9928665731c6d6a8f9467308308 feffe9928665731c cafebabe", "0000a5f80000000a facedbaddecaf888",
     "45000028a4ad4000400678800a01038f 0a010612802306b8cb712602dd6bb03e 501016d075680001",
     "a5b1f8066029aea40e598b8122de0242 0938b3ab33f828e687b8858b5bfbdbd0 315b27452144cc77"
     "95457b9652037f5318027b5b4cd7a636"},
    {GCM(16), "7d773d00c144c525ac619d18c84a3f47 d9664267", "335467aeffffffff 43457e9182443bc6", "01020201",
     "437f866b cb3f699fe9b0822bac961c4504bef270"},
};

static void check_published(struct engine *e, const struct published *c)
{
    uint8_t keymat[KEYMAT_MAX], packet[PACKET_MAX], plain[PACKET_MAX], sealed[PACKET_MAX];
    unhex(c->keymat, keymat, sizeof keymat);
    size_t head = unhex(c->head, packet, sizeof packet);
    size_t n = unhex(c->plain, plain, sizeof plain);
    memcpy(packet + head, plain, n);
    struct engine_key *k = key_of(e, &c->transform, keymat);
    struct engine_job job = {k, packet, (uint32_t)n, false};

    engine_seal(e, &job, 1);
    assert_true(job.ok);
    assert_memory_equal(packet + head, sealed, unhex(c->sealed, sealed, sizeof sealed));
    engine_open(e, &job, 1);
    assert_true(job.ok);
    assert_memory_equal(packet + head, plain, n);
    engine_key_free(e, k);
}

static void every_engine_seals_and_opens_the_published_packets(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        struct engine *e = engine_new(engines[i]);
        for (size_t c = 0; e && c < ARRAY_LEN(cases); c++)
            check_published(e, &cases[c]);
        engine_free(e);
    }
}

/* ---- against an ESP of plain parts ---- */

static enum hash hash_of(enum esp_auth auth)
{
    static const enum hash hashes[] = {HASH_NONE,   HASH_MD5,    HASH_SHA1,  HASH_SHA256,
                                       HASH_SHA256, HASH_SHA384, HASH_SHA512};
    return hashes[auth];
}

static enum cipher cipher_of(enum esp_cipher cipher)
{
    static const enum cipher ciphers[] = {CIPHER_NONE, CIPHER_DES, CIPHER_3DES, CIPHER_AES};
    return ciphers[cipher];
}

/* Encrypts, then authenticates (RFC 4303 section 3.3.2.1). */
static void seal_by_hand(const struct esp_transform *t, const uint8_t *keymat, uint8_t *esp, uint32_t text_len)
{
    uint8_t iv[CIPHER_BLOCK_MAX], digest[HASH_SIZE_MAX];
    size_t head = HEADER_SIZE + esp_iv_size(t);
    memcpy(iv, esp + HEADER_SIZE, esp_iv_size(t));
    if (t->cipher != ESP_CIPHER_NULL)
        assert_int_equal(cbc_encrypt(cipher_of(t->cipher), view_of(keymat, t->key_bytes), iv, esp + head, text_len),
                         ERR_OK);
    struct view covered = view_of(esp, head + text_len);
    struct view key = view_of(keymat + esp_cipher_key_size(t), esp_auth_key_size(t));
    assert_int_equal(hmac_digest(hash_of(t->auth), key, &covered, 1, digest), ERR_OK);
    memcpy(esp + head + text_len, digest, esp_icv_size(t));
}

static void check_by_hand(struct engine *e, const struct esp_transform *t, const struct random *rng)
{
    uint8_t keymat[KEYMAT_MAX], plain[PACKET_MAX], want[PACKET_MAX], got[PACKET_MAX];
    random_fill(rng, keymat, sizeof keymat);
    random_fill(rng, plain, sizeof plain);
    struct engine_key *k = key_of(e, t, keymat);
    uint32_t block = (uint32_t)esp_block(t);
    for (uint32_t blocks = 1; blocks < 12; blocks++) {
        memcpy(got, plain, sizeof got);
        memcpy(want, plain, sizeof want);
        struct engine_job job = {k, got, blocks * block, false};
        engine_seal(e, &job, 1);
        assert_true(job.ok);
        seal_by_hand(t, keymat, want, job.text_len);
        assert_memory_equal(got, want, sizeof got);
        engine_open(e, &job, 1);
        assert_true(job.ok);
        assert_memory_equal(got, plain, size_of(t, job.text_len) - esp_icv_size(t));
    }
    engine_key_free(e, k);
}

static void every_engine_agrees_with_cipher_and_mac_applied_by_hand(void **state)
{
    (void)state;
    struct random_test dice;
    random_test_init(&dice, SEED);
    const struct random rng = {random_test_fill, &dice};
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        struct engine *e = engine_new(engines[i]);
        for (size_t t = 0; e && t < ARRAY_LEN(transforms); t++)
            if (transforms[t].cipher != ESP_CIPHER_AES_GCM)
                check_by_hand(e, &transforms[t], &rng);
        engine_free(e);
    }
}

/* ---- bursts ---- */

struct bench {
    struct engine *e[2];
    struct engine_key *keys[2][ARRAY_LEN(transforms)];
    struct sealed plain[JOBS_MAX], packets[2][JOBS_MAX];
    struct engine_job jobs[2][JOBS_MAX];
    size_t transform[JOBS_MAX];
    const struct random *rng;
};

/* Draws n packets, each of one of the transforms in [first, first + count), into both engines' buffers. */
static void draw(struct bench *b, size_t n, size_t first, size_t count)
{
    for (size_t i = 0; i < n; i++) {
        size_t t = b->transform[i] = first + random_below(b->rng, (uint32_t)count);
        uint32_t block = (uint32_t)esp_block(&transforms[t]);
        uint32_t most = (PACKET_MAX - 100) / block;
        random_fill(b->rng, b->plain[i].bytes, PACKET_MAX);
        b->plain[i].text_len = block * (1 + random_below(b->rng, most));
        for (size_t e = 0; e < 2; e++) {
            b->packets[e][i] = b->plain[i];
            b->jobs[e][i] = (struct engine_job){b->keys[e][t], b->packets[e][i].bytes, b->plain[i].text_len, false};
        }
    }
}

/* What one engine seals the other opens, and one flipped bit anywhere is noticed in that packet alone. */
static void check_burst(struct bench *b, size_t n)
{
    engine_seal(b->e[0], b->jobs[0], n);
    engine_seal(b->e[1], b->jobs[1], n);
    for (size_t i = 0; i < n; i++) {
        assert_true(b->jobs[0][i].ok && b->jobs[1][i].ok);
        assert_memory_equal(b->packets[0][i].bytes, b->packets[1][i].bytes, PACKET_MAX);
    }
    size_t victim = random_below(b->rng, (uint32_t)n);
    size_t size = size_of(&transforms[b->transform[victim]], b->plain[victim].text_len);
    size_t bit = random_below(b->rng, (uint32_t)size * 8);
    for (size_t e = 0; e < 2; e++) {
        b->packets[e][victim].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        engine_open(b->e[e], b->jobs[e], n);
        for (size_t i = 0; i < n; i++) {
            const struct esp_transform *t = &transforms[b->transform[i]];
            assert_int_equal(b->jobs[e][i].ok, i != victim);
            if (i != victim)
                assert_memory_equal(b->packets[e][i].bytes, b->plain[i].bytes,
                                    size_of(t, b->plain[i].text_len) - esp_icv_size(t));
        }
    }
}

static void engines_agree_on_bursts_of_every_size(void **state)
{
    (void)state;
    struct random_test dice;
    random_test_init(&dice, SEED);
    const struct random rng = {random_test_fill, &dice};
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->rng = &rng;
    b->e[0] = engine_new(NULL);
    b->e[1] = engine_new("openssl");
    for (size_t t = 0; t < ARRAY_LEN(transforms); t++) {
        uint8_t keymat[KEYMAT_MAX];
        random_fill(&rng, keymat, sizeof keymat);
        b->keys[0][t] = key_of(b->e[0], &transforms[t], keymat);
        b->keys[1][t] = key_of(b->e[1], &transforms[t], keymat);
    }
    print_message("seed %#x\n", SEED);
    for (size_t n = 1; n <= JOBS_MAX; n++) {
        draw(b, n, 0, ARRAY_LEN(transforms));
        check_burst(b, n);
        draw(b, n, n % ARRAY_LEN(transforms), 1);
        check_burst(b, n);
    }
    for (size_t t = 0; t < ARRAY_LEN(transforms); t++) {
        engine_key_free(b->e[0], b->keys[0][t]);
        engine_key_free(b->e[1], b->keys[1][t]);
    }
    engine_free(b->e[0]);
    engine_free(b->e[1]);
    free(b);
}

/* ---- refusals ---- */

static void jobs_that_are_not_whole_blocks_are_refused_and_the_rest_done(void **state)
{
    (void)state;
    const struct esp_transform t = {ESP_CIPHER_AES_CBC, 16, ESP_AUTH_SHA1_96};
    static const uint32_t lengths[] = {16, 0, 32, 17, 1 << 17, 48};
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        struct engine *e = engine_new(engines[i]);
        if (!e)
            continue;
        uint8_t keymat[KEYMAT_MAX] = {0}, packets[ARRAY_LEN(lengths)][200] = {0};
        struct engine_job jobs[ARRAY_LEN(lengths)];
        struct engine_key *k = key_of(e, &t, keymat);
        for (size_t j = 0; j < ARRAY_LEN(lengths); j++)
            jobs[j] = (struct engine_job){k, packets[j], lengths[j], true};
        engine_seal(e, jobs, ARRAY_LEN(jobs));
        for (size_t j = 0; j < ARRAY_LEN(lengths); j++)
            assert_int_equal(jobs[j].ok, j % 2 == 0 ? lengths[j] < 1 << 17 : j == 5);
        engine_key_free(e, k);
        engine_free(e);
    }
}

static void keys_of_wrong_size_and_transforms_without_a_mac_are_refused(void **state)
{
    (void)state;
    const uint8_t keymat[KEYMAT_MAX] = {0};
    static const struct {
        struct esp_transform transform;
        size_t keymat;
        enum err want;
    } bad[] = {
        {{ESP_CIPHER_AES_CBC, 16, ESP_AUTH_SHA1_96}, 35, ERR_INVALID},
        {{ESP_CIPHER_AES_CBC, 16, ESP_AUTH_SHA1_96}, 37, ERR_INVALID},
        {{ESP_CIPHER_AES_CBC, 17, ESP_AUTH_SHA1_96}, 37, ERR_INVALID},
        {{ESP_CIPHER_3DES, 8, ESP_AUTH_SHA1_96}, 28, ERR_INVALID},
        {{ESP_CIPHER_AES_GCM, 16, ESP_AUTH_NONE}, 16, ERR_INVALID},
        {{ESP_CIPHER_AES_GCM, 16, ESP_AUTH_SHA1_96}, 20, ERR_UNSUPPORTED},
        {{ESP_CIPHER_AES_CBC, 16, ESP_AUTH_NONE}, 16, ERR_UNSUPPORTED},
        {{ESP_CIPHER_NULL, 0, ESP_AUTH_NONE}, 0, ERR_UNSUPPORTED},
    };
    struct engine *e = engine_new(NULL);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct engine_key *k = NULL;
        assert_int_equal(engine_key_new(e, &bad[i].transform, view_of(keymat, bad[i].keymat), &k), bad[i].want);
        assert_null(k);
    }
    engine_free(e);
    assert_null(engine_new("no-such-engine"));
}

/* ---- who serves what ---- */

static void check_line(const char *line, bool *served)
{
    char name[128];
    for (size_t i = 0; i < ARRAY_LEN(transforms); i++) {
        snprintf(name, sizeof name, "%s\n", esp_transform_name(&transforms[i]));
        if (strcmp(line, name) == 0) {
            served[i] = true;
            return;
        }
    }
    fail_msg("algorithms.txt names what is not known here: %s", line);
}

/* Each line of algorithms.txt is a transform, each engine serves each of them, and nothing that is not listed. */
static void the_engines_serve_the_stored_list_of_algorithms(void **state)
{
    (void)state;
    FILE *f = fopen(list_path, "r");
    assert_non_null(f);
    bool listed[ARRAY_LEN(transforms)] = {false};
    char line[128];
    while (fgets(line, sizeof line, f))
        if (line[0] != '#')
            check_line(line, listed);
    fclose(f);
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        struct engine *e = engine_new(engines[i]);
        const uint8_t keymat[KEYMAT_MAX] = {0};
        for (size_t t = 0; e && t < ARRAY_LEN(transforms); t++) {
            size_t n = esp_cipher_key_size(&transforms[t]) + esp_auth_key_size(&transforms[t]);
            struct engine_key *k = NULL;
            enum err err = engine_key_new(e, &transforms[t], view_of(keymat, n), &k);
            if ((err == ERR_OK) != listed[t])
                fail_msg("%s and %s: not as in algorithms.txt", engines[i], esp_transform_name(&transforms[t]));
            engine_key_free(e, k);
        }
        if (!e)
            print_message("%s is not to be had here\n", engines[i]);
        engine_free(e);
    }
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, CIPHER_BLOCK_MAX);
}

static void the_iv_stream_does_not_repeat_itself(void **state)
{
    (void)state;
    struct random_test dice;
    random_test_init(&dice, SEED);
    const struct random rng = {random_test_fill, &dice};
    struct iv_stream *s = iv_stream_new(&rng);
    uint8_t iv[5000][CIPHER_BLOCK_MAX];
    for (size_t i = 0; i < ARRAY_LEN(iv); i++)
        iv_stream_draw(s, iv[i], sizeof iv[i]);
    qsort(iv, ARRAY_LEN(iv), sizeof iv[0], by_bytes);
    for (size_t i = 1; i < ARRAY_LEN(iv); i++)
        assert_memory_not_equal(iv[i - 1], iv[i], sizeof iv[i]);
    iv_stream_free(s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_engine_seals_and_opens_the_published_packets),
        cmocka_unit_test(every_engine_agrees_with_cipher_and_mac_applied_by_hand),
        cmocka_unit_test(engines_agree_on_bursts_of_every_size),
        cmocka_unit_test(jobs_that_are_not_whole_blocks_are_refused_and_the_rest_done),
        cmocka_unit_test(keys_of_wrong_size_and_transforms_without_a_mac_are_refused),
        cmocka_unit_test(the_engines_serve_the_stored_list_of_algorithms),
        cmocka_unit_test(the_iv_stream_does_not_repeat_itself),
    };
    list_path = argc > 1 ? argv[1] : "tests/vectors/algorithms.txt";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
