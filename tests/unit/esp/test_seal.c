/* Outbound packets: sizes, room, IVs, sequence numbers. */
#include "esp/esp_internal.h"
#include "tests/unit/esp/pair.h"

static const struct esp_transform transforms[] = {
    {ESP_CIPHER_NULL, 0, ESP_AUTH_SHA1_96},        {ESP_CIPHER_DES, 8, ESP_AUTH_MD5_96},
    {ESP_CIPHER_3DES, 24, ESP_AUTH_SHA1_96},       {ESP_CIPHER_AES_CBC, 32, ESP_AUTH_SHA1_96},
    {ESP_CIPHER_AES_CBC, 16, ESP_AUTH_SHA512_256}, {ESP_CIPHER_AES_GCM, 16, ESP_AUTH_NONE},
};

static void a_packet_takes_the_length_that_was_foretold_and_no_more(void **state)
{
    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(transforms); t++) {
        struct pair p;
        struct buffer b;
        pair_init(&p, transforms[t], transforms[t], NULL);
        for (uint32_t len = 0; len < 70; len++) {
            plain_packet(&b, len, 3);
            assert_int_equal(seal_one(&p, &b), DROP_NONE);
            assert_int_equal(b.packet.len, esp_sealed_length(p.from, p.handle, len));
            assert_true(b.packet.len - len <=
                        esp_headroom(p.from, p.handle) + esp_block(&transforms[t]) + 1 + esp_icv_size(&transforms[t]));
            assert_int_equal(open_one(&p, &b), DROP_NONE);
            assert_true(is_plain_packet(&b.packet, len, 3));
            assert_int_equal(b.packet.owner, OWNER);
            assert_int_equal(b.packet.headroom, HEADROOM);
            assert_int_equal(b.packet.tailroom, sizeof b.bytes - HEADROOM - len);
        }
        pair_done(&p);
    }
}

static void the_largest_payload_fills_the_limit_and_one_byte_more_breaks_it(void **state)
{
    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(transforms); t++) {
        struct pair p;
        pair_init(&p, transforms[t], transforms[t], NULL);
        for (uint32_t limit = 100; limit < 140; limit++) {
            uint32_t len = esp_payload_limit(p.from, p.handle, limit);
            assert_true(esp_sealed_length(p.from, p.handle, len) <= limit);
            assert_true(esp_sealed_length(p.from, p.handle, len + 1) > limit);
        }
        assert_int_equal(esp_payload_limit(p.from, p.handle, 10), 0);
        pair_done(&p);
    }
}

static void a_packet_without_room_is_dropped_untouched(void **state)
{
    (void)state;
    struct pair p;
    struct buffer b;
    pair_init(&p, AES256_SHA1, AES256_SHA1, NULL);

    plain_packet(&b, 30, 0); /* fills two blocks: the ICV of 12 is all the tail */
    b.packet.tailroom = 13;
    assert_int_equal(seal_one(&p, &b), DROP_ESP_ROOM);
    assert_true(is_plain_packet(&b.packet, 30, 0));

    plain_packet(&b, 30, 0);
    b.packet.tailroom = 14;
    b.packet.headroom = 23;
    assert_int_equal(seal_one(&p, &b), DROP_ESP_ROOM);
    assert_true(is_plain_packet(&b.packet, 30, 0));
    assert_int_equal(b.packet.headroom, 23);

    plain_packet(&b, 30, 0);
    b.packet.tailroom = 14;
    b.packet.headroom = 24;
    assert_int_equal(seal_one(&p, &b), DROP_NONE);
    assert_int_equal(b.packet.headroom, 0);
    assert_int_equal(b.packet.tailroom, 0);
    assert_int_equal(be32_get(b.packet.data), p.spi);
    assert_int_equal(be32_get(b.packet.data + 4), 1); /* dropped packets have used up no number */
    pair_done(&p);
}

static void ivs_of_cbc_do_not_repeat_and_those_of_gcm_count(void **state)
{
    (void)state;
    struct pair p;
    struct buffer b;
    uint8_t ivs[50][ESP_IV_MAX];
    pair_init(&p, AES256_SHA1, AES256_SHA1, NULL);
    for (size_t i = 0; i < ARRAY_LEN(ivs); i++) {
        plain_packet(&b, 10, 0);
        assert_int_equal(seal_one(&p, &b), DROP_NONE);
        memcpy(ivs[i], b.packet.data + ESP_HEADER, ESP_IV_MAX);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(ivs[i], ivs[j], ESP_IV_MAX);
    }
    pair_done(&p);

    const struct esp_transform gcm = {ESP_CIPHER_AES_GCM, 32, ESP_AUTH_NONE};
    pair_init(&p, gcm, gcm, NULL);
    for (uint32_t i = 1; i < 20; i++) {
        plain_packet(&b, 10, 0);
        assert_int_equal(seal_one(&p, &b), DROP_NONE);
        assert_int_equal(be32_get(b.packet.data + ESP_HEADER), 0);
        assert_int_equal(be32_get(b.packet.data + ESP_HEADER + 4), i);
    }
    pair_done(&p);
}

static void the_sequence_number_runs_out_and_never_wraps(void **state)
{
    (void)state;
    struct pair p;
    struct buffer b;
    bool in, hard;
    uint32_t which;
    pair_init(&p, AES256_SHA1, AES256_SHA1, NULL);
    struct sa *sa = sa_table_find(&p.from->outbound, p.handle);

    /* --> near the end: the SA asks to be replaced */
    sa->out.sequence = SEQUENCE_SOFT - 2;
    plain_packet(&b, 10, 0);
    assert_int_equal(seal_one(&p, &b), DROP_NONE);
    assert_false(esp_expiring(p.from, &in, &which, &hard));
    plain_packet(&b, 10, 0);
    assert_int_equal(seal_one(&p, &b), DROP_NONE);
    assert_true(esp_expiring(p.from, &in, &which, &hard));
    assert_false(in);
    assert_false(hard);
    assert_int_equal(which, p.handle);

    /* --> the last number, and what comes after it */
    sa->out.sequence = UINT32_MAX - 1;
    plain_packet(&b, 10, 0);
    assert_int_equal(seal_one(&p, &b), DROP_NONE);
    assert_int_equal(be32_get(b.packet.data + 4), UINT32_MAX);
    assert_int_equal(open_one(&p, &b), DROP_NONE);
    plain_packet(&b, 10, 0);
    assert_int_equal(seal_one(&p, &b), DROP_ESP_SEQUENCE);
    assert_true(esp_expiring(p.from, &in, &which, &hard));
    assert_true(hard);
    plain_packet(&b, 10, 0);
    assert_int_equal(seal_one(&p, &b), DROP_ESP_EXPIRED);
    assert_false(esp_expiring(p.from, &in, &which, &hard));
    pair_done(&p);
}

static void an_unknown_handle_and_a_packet_judged_before_are_left_alone(void **state)
{
    (void)state;
    struct pair p;
    struct buffer b;
    pair_init(&p, AES256_SHA1, AES256_SHA1, NULL);
    plain_packet(&b, 10, 0);
    b.packet.verdict = DROP_IP_SOURCE;
    assert_int_equal(seal_one(&p, &b), DROP_IP_SOURCE);
    esp_outbound_del(p.from, p.handle);
    plain_packet(&b, 10, 0);
    assert_int_equal(seal_one(&p, &b), DROP_ESP_SPI);
    assert_true(is_plain_packet(&b.packet, 10, 0));
    assert_int_equal(esp_sealed_length(p.from, p.handle, 10), 0);
    pair_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_takes_the_length_that_was_foretold_and_no_more),
        cmocka_unit_test(the_largest_payload_fills_the_limit_and_one_byte_more_breaks_it),
        cmocka_unit_test(a_packet_without_room_is_dropped_untouched),
        cmocka_unit_test(ivs_of_cbc_do_not_repeat_and_those_of_gcm_count),
        cmocka_unit_test(the_sequence_number_runs_out_and_never_wraps),
        cmocka_unit_test(an_unknown_handle_and_a_packet_judged_before_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
