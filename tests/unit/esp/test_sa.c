/* What an SA learns and how it ends: the ICV length of SHA-256, limits in bytes. */
#include "esp/esp_internal.h"
#include "tests/unit/esp/pair.h"

static const struct {
    enum esp_cipher cipher;
    uint8_t key_bytes;
} ciphers[] = {{ESP_CIPHER_AES_CBC, 32}, {ESP_CIPHER_3DES, 24}, {ESP_CIPHER_NULL, 0}};

static struct esp_transform sha256(size_t cipher, bool short_icv)
{
    return (struct esp_transform){ciphers[cipher].cipher, ciphers[cipher].key_bytes,
                                  short_icv ? ESP_AUTH_SHA256_96 : ESP_AUTH_SHA256_128};
}

/* Whatever was agreed on and whatever the peer does, its packets are let in, and the answer follows. */
static void check_discovery(size_t cipher, bool peer_short, bool we_short, const char *engine)
{
    struct pair p;
    struct buffer b[3];
    uint32_t spis[3], follower, late_follower;
    struct esp_transform theirs = sha256(cipher, peer_short), ours = sha256(cipher, we_short);
    pair_init(&p, theirs, ours, engine);
    struct esp_sa_config config = sa_config(&p, &ours, FOREVER);
    assert_int_equal(esp_outbound_add(p.to, 1000, &config, &follower), ERR_OK);
    assert_int_equal(esp_outbound_add(p.to, 1000, &config, &late_follower), ERR_OK);
    uint32_t length = esp_sealed_length(p.to, follower, 50);
    esp_outbound_follow(p.to, follower, p.spi); /* nothing is known yet */
    assert_int_equal(esp_sealed_length(p.to, follower, 50), length);

    struct packet packets[3];
    for (uint8_t i = 0; i < 3; i++) {
        plain_packet(&b[i], 50, i);
        assert_int_equal(seal_one(&p, &b[i]), DROP_NONE);
        packets[i] = b[i].packet;
    }
    packets[0].data[60] ^= 1; /* --> a forged one teaches nothing */
    esp_open(p.to, packets, spis, 1);
    assert_int_equal(packets[0].verdict, DROP_ESP_ICV);
    assert_int_equal(esp_sealed_length(p.to, follower, 50), length);
    esp_open(p.to, packets, spis, 3); /* --> two true ones do */
    assert_int_equal(packets[1].verdict, DROP_NONE);
    assert_int_equal(packets[2].verdict, DROP_NONE);
    assert_true(is_plain_packet(&packets[2], 50, 2));
    assert_int_equal(inbound(&p).icv_bytes, peer_short ? 12 : 16);

    length = esp_sealed_length(p.from, p.handle, 50);
    assert_int_equal(esp_sealed_length(p.to, follower, 50), length);
    esp_outbound_follow(p.to, late_follower, p.spi);
    assert_int_equal(esp_sealed_length(p.to, late_follower, 50), length);
    pair_done(&p);
}

static void the_icv_length_of_sha256_is_found_out_and_kept(void **state)
{
    (void)state;
    static const char *const engines[] = {NULL, "openssl"};
    for (size_t e = 0; e < ARRAY_LEN(engines); e++)
        for (size_t c = 0; c < ARRAY_LEN(ciphers); c++)
            for (int combination = 0; combination < 4; combination++)
                check_discovery(c, combination & 1, combination & 2, engines[e]);
}

/* A pair whose sender seals with 128 bits by `handle` and with 96 by *half. */
static void two_lengths(struct pair *p, size_t cipher, uint32_t *half)
{
    struct esp_transform long_icv = sha256(cipher, false), short_icv = sha256(cipher, true);
    pair_init(p, long_icv, long_icv, NULL);
    struct esp_sa_config config = sa_config(p, &short_icv, FOREVER);
    assert_int_equal(esp_outbound_add(p->from, p->spi, &config, half), ERR_OK);
    sa_table_find(&p->from->outbound, *half)->out.sequence = 10;
}

static void after_128_bits_were_seen_96_are_no_icv(void **state)
{
    (void)state;
    for (size_t c = 0; c < ARRAY_LEN(ciphers); c++) {
        struct pair p;
        struct buffer b[2];
        uint32_t handles[2], spis[2];
        two_lengths(&p, c, &handles[1]);
        handles[0] = p.handle;
        plain_packet(&b[0], 50, 0);
        plain_packet(&b[1], 50, 1);
        struct packet packets[] = {b[0].packet, b[1].packet};
        esp_seal(p.from, packets, handles, 2);
        esp_open(p.to, packets, spis, 2); /* --> both in one burst */
        assert_int_equal(packets[0].verdict, DROP_NONE);
        assert_int_equal(packets[1].verdict, DROP_ESP_ICV);

        plain_packet(&b[1], 50, 1);
        esp_seal(p.from, &b[1].packet, &handles[1], 1);
        enum drop drop = open_one(&p, &b[1]);
        assert_true(drop == DROP_ESP_LENGTH || drop == DROP_ESP_ICV);
        assert_int_equal(inbound(&p).icv_bytes, 16);
        pair_done(&p);
    }
}

/* Cutting four bytes off the first packet makes a true one with 96 bits. It must not lock the peer out. */
static void a_cut_icv_does_not_lock_the_peer_out(void **state)
{
    (void)state;
    for (size_t c = 0; c < ARRAY_LEN(ciphers); c++) {
        struct pair p;
        struct buffer b;
        uint32_t half, follower;
        two_lengths(&p, c, &half);
        struct esp_sa_config config = sa_config(&p, &p.transform, FOREVER);
        assert_int_equal(esp_outbound_add(p.to, 1000, &config, &follower), ERR_OK);
        esp_outbound_follow(p.to, follower, p.spi);
        plain_packet(&b, 50, 0);
        assert_int_equal(seal_one(&p, &b), DROP_NONE);
        b.packet.len -= 4;
        assert_int_equal(open_one(&p, &b), DROP_NONE); /* --> cut on the way */
        assert_int_equal(inbound(&p).icv_bytes, 12);
        plain_packet(&b, 50, 1);
        assert_int_equal(seal_one(&p, &b), DROP_NONE);
        assert_int_equal(open_one(&p, &b), DROP_NONE); /* --> as the peer sent it */
        assert_true(is_plain_packet(&b.packet, 50, 1));
        assert_int_equal(inbound(&p).icv_bytes, 16);
        assert_int_equal(esp_sealed_length(p.to, follower, 50), esp_sealed_length(p.from, p.handle, 50));
        pair_done(&p);
    }
}

static void limits_in_bytes_are_told_once_and_the_hard_one_ends_the_sa(void **state)
{
    (void)state;
    struct pair p;
    struct buffer b;
    bool in, hard;
    uint32_t which;
    pair_init(&p, AES256_SHA1, AES256_SHA1, NULL);
    struct esp_life life = {300, 500};
    struct esp_sa_config config = sa_config(&p, &AES256_SHA1, life);
    uint32_t spi = esp_spi_reserve(p.to);
    assert_int_equal(esp_inbound_add(p.to, spi, &config), ERR_OK);
    config.life = FOREVER;
    assert_int_equal(esp_outbound_add(p.from, spi, &config, &p.handle), ERR_OK);

    static const struct {
        enum drop want;
        bool tells_soft, tells_hard;
    } steps[] = {{DROP_NONE, false, false},       {DROP_NONE, false, false}, {DROP_NONE, true, false},
                 {DROP_NONE, false, false},       {DROP_NONE, false, true},  {DROP_ESP_EXPIRED, false, false},
                 {DROP_ESP_EXPIRED, false, false}};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) { /* 112 bytes of ciphertext each */
        plain_packet(&b, 100, 0);
        assert_int_equal(seal_one(&p, &b), DROP_NONE);
        assert_int_equal(open_one(&p, &b), steps[i].want);
        bool told = esp_expiring(p.to, &in, &which, &hard);
        assert_int_equal(told, steps[i].tells_soft || steps[i].tells_hard);
        if (told) {
            assert_true(in);
            assert_int_equal(which, spi);
            assert_int_equal(hard, steps[i].tells_hard);
            assert_false(esp_expiring(p.to, &in, &which, &hard));
        }
    }
    struct esp_counters c;
    assert_true(esp_inbound_counters(p.to, spi, &c));
    assert_int_equal(c.bytes, 5 * 112);
    assert_int_equal(c.packets, 5);
    assert_true(c.soft_expired && c.hard_expired);
    pair_done(&p);
}

static void an_sa_that_goes_is_not_told_of_any_more(void **state)
{
    (void)state;
    struct pair p;
    struct buffer b;
    bool in, hard;
    uint32_t which, handles[3];
    pair_init(&p, AES256_SHA1, AES256_SHA1, NULL);
    struct esp_sa_config config = sa_config(&p, &AES256_SHA1, (struct esp_life){1, 1});
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(esp_outbound_add(p.from, 1000, &config, &handles[i]), ERR_OK);
        plain_packet(&b, 100, 0);
        esp_seal(p.from, &b.packet, &handles[i], 1);
        assert_int_equal(b.packet.verdict, DROP_NONE);
        plain_packet(&b, 100, 0);
        esp_seal(p.from, &b.packet, &handles[i], 1);
        assert_int_equal(b.packet.verdict, DROP_ESP_EXPIRED);
    }
    esp_outbound_del(p.from, handles[1]);
    assert_true(esp_expiring(p.from, &in, &which, &hard)); /* soft and hard crossed at once: told as hard */
    assert_int_equal(which, handles[0]);
    assert_true(hard);
    assert_true(esp_expiring(p.from, &in, &which, &hard));
    assert_int_equal(which, handles[2]);
    assert_false(esp_expiring(p.from, &in, &which, &hard));
    pair_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_icv_length_of_sha256_is_found_out_and_kept),
        cmocka_unit_test(after_128_bits_were_seen_96_are_no_icv),
        cmocka_unit_test(a_cut_icv_does_not_lock_the_peer_out),
        cmocka_unit_test(limits_in_bytes_are_told_once_and_the_hard_one_ends_the_sa),
        cmocka_unit_test(an_sa_that_goes_is_not_told_of_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
