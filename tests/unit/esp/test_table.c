/* SPIs and slots. */
#include "esp/esp_internal.h"
#include "tests/test.h"

static struct random_test dice;
static const struct random rng = {random_test_fill, &dice};

static int seed(void **state)
{
    (void)state;
    random_test_init(&dice, 9);
    return 0;
}

static struct esp *esp_of(uint32_t max_sas, uint8_t shard, uint8_t shard_bits)
{
    const struct esp_config config = {.max_sas = max_sas, .shard = shard, .shard_bits = shard_bits};
    return esp_new(&config, &rng);
}

static void an_spi_carries_its_shard_and_is_never_a_reserved_one(void **state)
{
    (void)state;
    struct esp *esp = esp_of(1000, 5, 3);
    assert_non_null(esp);
    for (size_t i = 0; i < 1000; i++) {
        uint32_t spi = esp_spi_reserve(esp);
        assert_int_equal(spi & 7, 5);
        assert_true(spi > 255);
    }
    assert_int_equal(esp_spi_reserve(esp), 0);
    esp_free(esp);
}

static void a_released_slot_is_used_again_under_another_spi(void **state)
{
    (void)state;
    struct sa_table t;
    assert_true(sa_table_init(&t, 1, 0, 0));
    uint32_t last = 0;
    for (size_t i = 0; i < 100; i++) {
        struct sa *sa = sa_table_reserve(&t, &rng);
        assert_non_null(sa);
        assert_null(sa_table_reserve(&t, &rng));
        assert_int_not_equal(sa->name, last);
        assert_null(sa_table_find(&t, last));
        assert_ptr_equal(sa_table_find(&t, sa->name), sa);
        last = sa->name;
        sa_table_release(&t, sa);
    }
    sa_table_done(&t);
}

static void an_spi_is_compared_whole(void **state)
{
    (void)state;
    struct sa_table t;
    assert_true(sa_table_init(&t, 64, 1, 2));
    struct sa *sa = sa_table_reserve(&t, &rng);
    for (uint32_t bit = 0; bit < 32; bit++)
        assert_null(sa_table_find(&t, sa->name ^ (uint32_t)1 << bit));
    sa_table_release(&t, sa);
    assert_null(sa_table_find(&t, 0));
    sa_table_done(&t);
}

static void pages_are_made_only_when_slots_are_used(void **state)
{
    (void)state;
    struct sa_table t;
    assert_true(sa_table_init(&t, 200000, 0, 8));
    for (size_t i = 0; i < 65; i++)
        assert_non_null(sa_table_reserve(&t, &rng));
    assert_non_null(t.pages[0]);
    assert_non_null(t.pages[1]);
    assert_null(t.pages[2]);
    sa_table_done(&t);
}

static void a_shape_that_leaves_an_spi_no_chance_is_refused(void **state)
{
    (void)state;
    struct sa_table t;
    assert_false(sa_table_init(&t, 0, 0, 0));
    assert_false(sa_table_init(&t, (uint32_t)1 << 29, 0, 0));
    assert_false(sa_table_init(&t, (uint32_t)1 << 21, 0, 8));
    assert_false(sa_table_init(&t, 10, 4, 2));
    assert_null(esp_of(0, 0, 0));
    assert_null(esp_of(10, 0, 9));
}

static void an_spi_must_be_reserved_and_carries_one_sa(void **state)
{
    (void)state;
    const uint8_t keymat[36] = {0};
    const struct esp_sa_config config = {
        .transform = {ESP_CIPHER_AES_CBC, 16, ESP_AUTH_SHA1_96}, .keymat = VIEW(keymat), .life = {1, 1}};
    struct esp *esp = esp_of(2, 0, 0);
    uint32_t spi = esp_spi_reserve(esp), handle;
    struct esp_counters c;
    assert_false(esp_inbound_counters(esp, spi, &c));
    assert_int_equal(esp_inbound_add(esp, spi ^ 1, &config), ERR_NOTFOUND);
    assert_int_equal(esp_inbound_add(esp, spi, &config), ERR_OK);
    assert_int_equal(esp_inbound_add(esp, spi, &config), ERR_EXISTS);
    assert_true(esp_inbound_counters(esp, spi, &c));
    esp_spi_release(esp, spi);
    esp_spi_release(esp, spi);
    assert_false(esp_inbound_counters(esp, spi, &c));

    /* outbound: the peer's SPI must not be a reserved one, and there are two slots */
    assert_int_equal(esp_outbound_add(esp, 255, &config, &handle), ERR_INVALID);
    assert_int_equal(esp_outbound_add(esp, 256, &config, &handle), ERR_OK);
    assert_int_equal(esp_outbound_add(esp, 256, &config, &handle), ERR_OK);
    assert_int_equal(esp_outbound_add(esp, 256, &config, &handle), ERR_LIMIT);
    esp_outbound_del(esp, handle);
    esp_outbound_del(esp, handle);
    assert_int_equal(esp_outbound_add(esp, 256, &config, &handle), ERR_OK);
    esp_free(esp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_spi_carries_its_shard_and_is_never_a_reserved_one, seed),
        cmocka_unit_test_setup(a_released_slot_is_used_again_under_another_spi, seed),
        cmocka_unit_test_setup(an_spi_is_compared_whole, seed),
        cmocka_unit_test_setup(pages_are_made_only_when_slots_are_used, seed),
        cmocka_unit_test_setup(a_shape_that_leaves_an_spi_no_chance_is_refused, seed),
        cmocka_unit_test_setup(an_spi_must_be_reserved_and_carries_one_sa, seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
