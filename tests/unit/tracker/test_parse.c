/* What the tracker reads in a packet. */
#include "tests/test.h"

#include "tracker/tracker.h"

#define ESP_OUT "45000024000040004032 0000 c0a80102 c6336401 c0ffee01 00000007 0001020304050607"
#define MM1_OUT                                                                                                        \
    "45000038000000004011 0000 c0a80102 c6336401 01f401f4 0024 0000"                                                   \
    "1122334455667788 0000000000000000 0110 02 00 00000000 0000001c"
#define QM1_IN                                                                                                         \
    "46000040000000004011 0000 c6336401 cb007101 01010101 01f401f4 0028 0000"                                          \
    "1122334455667788 99aabbccddeeff00 0810 20 01 deadbeef 00000020 00000000"

static enum err parse(const char *hex, enum tracker_way way, struct tracker_packet *out)
{
    uint8_t bytes[128];
    return tracker_parse(view_of(bytes, unhex(hex, bytes, sizeof(bytes))), way, out);
}

static void esp_of_a_host_has_its_spi_and_number(void **state)
{
    (void)state;
    struct tracker_packet p;
    assert_int_equal(parse(ESP_OUT, TRACKER_OUT, &p), ERR_OK);
    assert_false(p.ike);
    assert_int_equal(p.host, 0xc0a80102);
    assert_int_equal(p.server, 0xc6336401);
    assert_int_equal(p.spi, 0xc0ffee01);
    assert_int_equal(p.sequence, 7);
}

static void the_first_message_of_main_mode_has_one_cookie(void **state)
{
    (void)state;
    struct tracker_packet p;
    assert_int_equal(parse(MM1_OUT, TRACKER_OUT, &p), ERR_OK);
    assert_true(p.ike);
    assert_true(p.initiator == 0x1122334455667788);
    assert_true(p.responder == 0);
    assert_int_equal(p.exchange, 2);
    assert_false(p.encrypted);
}

static void quick_mode_from_a_server_has_its_message_id(void **state)
{
    (void)state;
    struct tracker_packet p;
    assert_int_equal(parse(QM1_IN, TRACKER_IN, &p), ERR_OK);
    assert_int_equal(p.host, 0);
    assert_int_equal(p.server, 0xc6336401);
    assert_true(p.responder == 0x99aabbccddeeff00);
    assert_int_equal(p.exchange, 32);
    assert_true(p.encrypted);
    assert_int_equal(p.message_id, 0xdeadbeef);
}

static void what_is_cut_or_of_another_kind_is_not_read(void **state)
{
    (void)state;
    const struct {
        const char *hex;
        enum err e;
    } bad[] = {
        {"", ERR_MALFORMED},
        {"4500001a000000004032 0000 c0a80102 c6336401 c0ffee01 0000", ERR_MALFORMED},       /* ESP without its number */
        {"4500001c000000004032 0000 c0a80102 c6336401 00000000 00000001", ERR_MALFORMED},   /* SPI 0 */
        {"4500001c000020004032 0000 c0a80102 c6336401 c0ffee01 00000001", ERR_UNSUPPORTED}, /* more fragments */
        {"4500001c000000004006 0000 c0a80102 c6336401 c0ffee01 00000001", ERR_UNSUPPORTED}, /* TCP */
        {"4500001c000000004011 0000 c0a80102 c6336401 01f41194 00080000", ERR_UNSUPPORTED}, /* to port 4500 */
        {"4500001c000000004011 0000 c0a80102 c6336401 01f401f4 00070000", ERR_MALFORMED},   /* UDP length */
        {"4500001c000000004011 0000 c0a80102 c6336401 01f401f4 00240000", ERR_MALFORMED}, /* says more than is there */
    };
    struct tracker_packet p = {.spi = 1};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(parse(bad[i].hex, TRACKER_OUT, &p), bad[i].e);
    assert_int_equal(p.spi, 1);
}

static void every_cut_of_a_message_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[128];
    const size_t n = unhex(MM1_OUT, bytes, sizeof(bytes));
    struct tracker_packet p;
    for (size_t i = 0; i < n; i++)
        assert_int_not_equal(tracker_parse(view_of(bytes, i), TRACKER_OUT, &p), ERR_OK);
}

static void every_reason_and_counter_has_words(void **state)
{
    (void)state;
    for (int r = 0; r < TRACKER_REASONS; r++)
        assert_true(strlen(tracker_reason_word(r)) > 1 && strlen(tracker_reason_sentence(r)) > 1);
    for (int c = 0; c < TRACKER_COUNTERS; c++)
        assert_true(strlen(tracker_counter_word(c)) > 1 && strlen(tracker_counter_sentence(c)) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(esp_of_a_host_has_its_spi_and_number),
        cmocka_unit_test(the_first_message_of_main_mode_has_one_cookie),
        cmocka_unit_test(quick_mode_from_a_server_has_its_message_id),
        cmocka_unit_test(what_is_cut_or_of_another_kind_is_not_read),
        cmocka_unit_test(every_cut_of_a_message_is_refused),
        cmocka_unit_test(every_reason_and_counter_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
