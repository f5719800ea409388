/* Inbound packets: what is let in, and that everything else changes nothing. */
#include "esp/esp_internal.h"
#include "tests/unit/esp/pair.h"

#define NULL_SHA1 ((struct esp_transform){ESP_CIPHER_NULL, 0, ESP_AUTH_SHA1_96})

/* Writes an authentic packet around a text of the test's own making. */
static void forge(struct pair *p, struct buffer *b, uint32_t sequence, const uint8_t *text, uint32_t n)
{
    struct engine *e = engine_new("openssl");
    struct engine_key *k;
    size_t keymat = esp_cipher_key_size(&p->transform) + esp_auth_key_size(&p->transform);
    assert_int_equal(engine_key_new(e, &p->transform, view_of(p->keymat, keymat), &k), ERR_OK);
    uint32_t head = ESP_HEADER + (uint32_t)esp_iv_size(&p->transform);
    plain_packet(b, head + n + (uint32_t)esp_icv_size(&p->transform), 0);
    be32_put(b->packet.data, p->spi);
    be32_put(b->packet.data + 4, sequence);
    memcpy(b->packet.data + head, text, n);
    struct engine_job job = {k, b->packet.data, n, false};
    engine_seal(e, &job, 1);
    assert_true(job.ok);
    engine_key_free(e, k);
    engine_free(e);
}

static void a_packet_is_taken_once(void **state)
{
    (void)state;
    struct pair p;
    struct buffer b, again;
    pair_init(&p, AES256_SHA1, AES256_SHA1, NULL);
    plain_packet(&b, 100, 1);
    assert_int_equal(seal_one(&p, &b), DROP_NONE);
    buffer_copy(&again, &b);
    assert_int_equal(open_one(&p, &b), DROP_NONE);             /* --> */
    assert_int_equal(open_one(&p, &again), DROP_ESP_REPLAYED); /* --> the same */
    assert_int_equal(inbound(&p).replayed, 1);
    assert_int_equal(inbound(&p).packets, 1);
    pair_done(&p);
}

static void of_equal_packets_in_one_burst_only_the_first_is_taken(void **state)
{
    (void)state;
    struct pair p;
    struct buffer b[3];
    uint32_t spis[3];
    pair_init(&p, AES256_SHA1, AES256_SHA1, NULL);
    plain_packet(&b[0], 100, 1);
    assert_int_equal(seal_one(&p, &b[0]), DROP_NONE);
    buffer_copy(&b[1], &b[0]);
    buffer_copy(&b[2], &b[0]);
    struct packet packets[] = {b[0].packet, b[1].packet, b[2].packet};
    esp_open(p.to, packets, spis, 3);
    assert_int_equal(packets[0].verdict, DROP_NONE);
    assert_int_equal(packets[1].verdict, DROP_ESP_REPLAYED);
    assert_int_equal(packets[2].verdict, DROP_ESP_REPLAYED);
    assert_int_equal(spis[0], p.spi);
    assert_true(is_plain_packet(&packets[0], 100, 1));
    pair_done(&p);
}

static void a_forged_packet_changes_no_state_wherever_its_bit_is_wrong(void **state)
{
    (void)state;
    struct pair p;
    struct buffer b, forged;
    pair_init(&p, AES256_SHA1, AES256_SHA1, NULL);
    plain_packet(&b, 40, 1);
    assert_int_equal(seal_one(&p, &b), DROP_NONE);
    const struct sa *sa = sa_table_find(&p.to->inbound, p.spi);
    const struct replay before = sa->in.replay;
    for (uint32_t bit = 0; bit < b.packet.len * 8; bit++) {
        buffer_copy(&forged, &b);
        forged.packet.data[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        enum drop drop = open_one(&p, &forged);
        if (bit < 32)
            assert_int_equal(drop, DROP_ESP_SPI);
        else
            assert_true(drop == DROP_ESP_ICV || (drop == DROP_ESP_REPLAYED && bit < 64));
        assert_memory_equal(&sa->in.replay, &before, sizeof before);
    }
    assert_int_equal(inbound(&p).packets, 0);
    assert_int_equal(inbound(&p).bytes, 0);
    assert_int_equal(open_one(&p, &b), DROP_NONE); /* --> the true one, after all of them */
    pair_done(&p);
}

static void a_packet_cut_anywhere_is_dropped(void **state)
{
    (void)state;
    static const struct esp_transform transforms[] = {
        {ESP_CIPHER_AES_CBC, 32, ESP_AUTH_SHA1_96},   {ESP_CIPHER_NULL, 0, ESP_AUTH_SHA1_96},
        {ESP_CIPHER_AES_CBC, 16, ESP_AUTH_SHA256_96}, {ESP_CIPHER_AES_GCM, 16, ESP_AUTH_NONE},
        {ESP_CIPHER_3DES, 24, ESP_AUTH_SHA1_96},
    };
    for (size_t t = 0; t < ARRAY_LEN(transforms); t++) {
        struct pair p;
        struct buffer b, cut;
        pair_init(&p, transforms[t], transforms[t], NULL);
        plain_packet(&b, 60, 1);
        assert_int_equal(seal_one(&p, &b), DROP_NONE);
        for (uint32_t len = 0; len < b.packet.len; len++) {
            buffer_copy(&cut, &b);
            cut.packet.len = len;
            enum drop drop = open_one(&p, &cut);
            if (drop != DROP_ESP_SHORT && drop != DROP_ESP_LENGTH && drop != DROP_ESP_ICV)
                fail_msg("%s, %u bytes: %s", esp_transform_name(&transforms[t]), (unsigned)len, drop_word(drop));
        }
        assert_int_equal(open_one(&p, &b), DROP_NONE);
        pair_done(&p);
    }
}

static void a_wrong_or_merely_reserved_spi_is_no_sa(void **state)
{
    (void)state;
    struct pair p;
    struct buffer b;
    uint32_t spi;
    pair_init(&p, AES256_SHA1, AES256_SHA1, NULL);
    plain_packet(&b, 60, 1);
    assert_int_equal(seal_one(&p, &b), DROP_NONE);
    uint32_t reserved = esp_spi_reserve(p.to);
    be32_put(b.packet.data, reserved);
    esp_open(p.to, &b.packet, &spi, 1);
    assert_int_equal(b.packet.verdict, DROP_ESP_SPI);
    assert_int_equal(spi, reserved);

    esp_spi_release(p.to, p.spi);
    plain_packet(&b, 60, 1);
    assert_int_equal(seal_one(&p, &b), DROP_NONE);
    assert_int_equal(open_one(&p, &b), DROP_ESP_SPI);
    pair_done(&p);
}

static void the_trailer_is_checked_after_the_icv(void **state)
{
    (void)state;
    static const struct {
        enum drop want;
        uint32_t plain;
        const char *text;
    } cases[] = {
        {DROP_NONE, 2, "aabb 0011"},
        {DROP_NONE, 6, "aabbccddeeff 0011"},
        {DROP_NONE, 3, "aabbcc 010203 0311"},
        {DROP_NONE, 0, "0102 0211"},
        {DROP_NONE, 0, "010203040506 0611"},
        {DROP_ESP_PADDING, 0, "aabb 0211"},          /* not 1, 2 */
        {DROP_ESP_PADDING, 0, "aabbcc 000000 0311"}, /* zeros */
        {DROP_ESP_PADDING, 0, "aabbcc 010204 0311"},
        {DROP_ESP_PADDING, 0, "0102 0311"}, /* longer than the text */
        {DROP_ESP_PADDING, 0, "0102 ff11"},
        {DROP_ESP_NEXT_HEADER, 0, "aabb 0006"}, /* TCP */
        {DROP_ESP_NEXT_HEADER, 0, "aabb 0004"}, /* a whole IP packet: tunnel mode */
        {DROP_ESP_NEXT_HEADER, 0, "aabb 0000"},
        {DROP_ESP_DUMMY, 0, "aabb 003b"},
    };
    struct pair p;
    struct buffer b;
    pair_init(&p, NULL_SHA1, NULL_SHA1, NULL);
    for (uint32_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t text[64];
        uint32_t n = (uint32_t)unhex(cases[i].text, text, sizeof text);
        forge(&p, &b, i + 1, text, n & ~3u);
        if (n % 4 != 0) /* a case of the test's own that is not whole */
            fail();
        assert_int_equal(open_one(&p, &b), cases[i].want);
        if (cases[i].want == DROP_NONE) {
            assert_int_equal(b.packet.len, cases[i].plain);
            assert_memory_equal(b.packet.data, text, cases[i].plain);
        }
    }
    pair_done(&p);
}

static void the_longest_padding_is_let_in(void **state)
{
    (void)state;
    struct pair p;
    struct buffer b;
    uint8_t text[260] = {0xaa, 0xbb, 0xcc};
    pair_init(&p, NULL_SHA1, NULL_SHA1, NULL);
    for (uint32_t i = 0; i < 255; i++)
        text[3 + i] = (uint8_t)(i + 1);
    text[258] = 255;
    text[259] = NEXT_HEADER_UDP;
    forge(&p, &b, 1, text, sizeof text);
    assert_int_equal(open_one(&p, &b), DROP_NONE);
    assert_int_equal(b.packet.len, 3);
    pair_done(&p);
}

/* Many SAs, every transform, one burst: each packet comes out by its own SA. */
static void all_sas_share_a_burst(void **state)
{
    (void)state;
    static const struct esp_transform kinds[] = {
        {ESP_CIPHER_AES_CBC, 32, ESP_AUTH_SHA1_96},    {ESP_CIPHER_AES_CBC, 16, ESP_AUTH_SHA256_128},
        {ESP_CIPHER_3DES, 24, ESP_AUTH_MD5_96},        {ESP_CIPHER_AES_GCM, 32, ESP_AUTH_NONE},
        {ESP_CIPHER_AES_CBC, 24, ESP_AUTH_SHA384_192}, {ESP_CIPHER_NULL, 0, ESP_AUTH_SHA1_96},
    };
    static struct buffer buffers[BURST_MAX];
    struct packet packets[BURST_MAX];
    uint32_t handles[BURST_MAX], spis[BURST_MAX], want[BURST_MAX];
    struct pair p;
    pair_init(&p, AES256_SHA1, AES256_SHA1, NULL);
    for (uint32_t i = 0; i < BURST_MAX; i++) {
        struct esp_sa_config config = sa_config(&p, &kinds[i % ARRAY_LEN(kinds)], FOREVER);
        config.owner = i;
        if (i < 60) {
            want[i] = esp_spi_reserve(p.to);
            assert_int_equal(esp_inbound_add(p.to, want[i], &config), ERR_OK);
            assert_int_equal(esp_outbound_add(p.from, want[i], &config, &handles[i]), ERR_OK);
        } else {
            want[i] = want[i % 60];
            handles[i] = handles[i % 60];
        }
        plain_packet(&buffers[i], 1 + i * 11, (uint8_t)i);
        packets[i] = buffers[i].packet;
    }
    packets[5].verdict = DROP_QUEUE_FULL;
    esp_seal(p.from, packets, handles, BURST_MAX);
    packets[9].data[30] ^= 1;
    esp_open(p.to, packets, spis, BURST_MAX);
    for (uint32_t i = 0; i < BURST_MAX; i++) {
        assert_int_equal(packets[i].verdict, i == 5 ? DROP_QUEUE_FULL : i == 9 ? DROP_ESP_ICV : DROP_NONE);
        if (packets[i].verdict != DROP_NONE)
            continue;
        assert_true(is_plain_packet(&packets[i], 1 + i * 11, (uint8_t)i));
        assert_int_equal(spis[i], want[i]);
        assert_int_equal(packets[i].owner, i % 60);
    }
    pair_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_is_taken_once),
        cmocka_unit_test(of_equal_packets_in_one_burst_only_the_first_is_taken),
        cmocka_unit_test(a_forged_packet_changes_no_state_wherever_its_bit_is_wrong),
        cmocka_unit_test(a_packet_cut_anywhere_is_dropped),
        cmocka_unit_test(a_wrong_or_merely_reserved_spi_is_no_sa),
        cmocka_unit_test(the_trailer_is_checked_after_the_icv),
        cmocka_unit_test(the_longest_padding_is_let_in),
        cmocka_unit_test(all_sas_share_a_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
