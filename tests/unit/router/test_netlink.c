/* What is said to the kernel's tables and to nflog, and what is read of their answers. The kernel answers a dump with
 * the message by which an element is added, so that the writer's messages are the reader's food. */
#include "tests/test.h"

#include "router/router_internal.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

static struct batch batch;
static struct dump_element elements[4];
static struct dump_counter counters[4];
static size_t n_elements, n_counters;

static void take_element(void *ctx, const struct dump_element *e)
{
    (void)ctx;
    assert_true(n_elements < ARRAY_LEN(elements));
    elements[n_elements++] = *e;
}

static void take_counter(void *ctx, const struct dump_counter *c)
{
    (void)ctx;
    assert_true(n_counters < ARRAY_LEN(counters));
    counters[n_counters++] = *c;
}

static const struct dump_sink sink = {take_element, take_counter, NULL};

static int begin(void **state)
{
    (void)state;
    n_elements = n_counters = 0;
    batch_begin(&batch);
    return 0;
}

static enum err read_hex(const char *hex, bool *over)
{
    static _Alignas(8) uint8_t bytes[512];
    return dump_read(bytes, unhex(hex, bytes, sizeof(bytes)), &sink, over);
}

static void an_element_is_read_as_it_was_written(void **state)
{
    (void)state;
    const struct element in = {"inbound", {0xcb007101, 0x22220001}, 2, true, 0xc0a8010a};
    const struct element out = {"outbound", {0xc0a8010a, 0xcb007101, 0x11110001}, 3, true, 0xcb007165};
    bool over = false;
    assert_true(batch_add(&batch, &in) && batch_add(&batch, &out));
    batch_end(&batch);
    assert_int_equal(batch.changes, 2);
    assert_int_equal(dump_read(batch.bytes, batch.n, &sink, &over), ERR_OK);
    assert_int_equal(n_elements, 2);
    assert_int_equal(elements[0].words, 2);
    assert_int_equal(elements[0].key[1], 0x22220001);
    assert_int_equal(elements[1].words, 3);
    assert_int_equal(elements[1].key[0], 0xc0a8010a);
}

static void a_full_transaction_says_so(void **state)
{
    (void)state;
    const struct element e = {"outbound", {1, 2, 3}, 3, true, 4};
    while (batch_add(&batch, &e))
        assert_true(batch.n < sizeof(batch.bytes));
    assert_false(batch_flush_set(&batch, TABLE_RULES, "outbound") || batch_delete_table(&batch, TABLE_RULES));
    batch_end(&batch); /* for which there is room in any case */
    assert_true(batch.changes > 50 && batch.n <= sizeof(batch.bytes));
}

static void an_elements_counter_is_read(void **state)
{
    (void)state;
    bool over = false;
    /* NFT_MSG_NEWSETELEM of a map of this table, as Linux 6.18 tells it; then NLMSG_DONE */
    assert_int_equal(read_hex("8c000000 0c0a 0200 01000000 01000000 02000000"
                              "13000100 73656b6973686f5f726f7574657200 00"
                              "0c000200 696e626f756e6400"
                              "58000300 54000100"
                              "10000100 0c000100 cb007101 22220001"
                              "0c000200 08000100 c0a8010a"
                              "2c000700 0c000100 636f756e74657200"
                              "1c000200 0c000100 00000000000002bc 0c000200 0000000000000007"
                              "08000300 00000000"
                              "14000000 0300 0200 01000000 01000000 00000000",
                              &over),
                     ERR_OK);
    assert_true(over);
    assert_int_equal(n_elements, 1);
    assert_int_equal(elements[0].packets, 7);
    assert_int_equal(elements[0].bytes, 700);
}

static void a_named_counter_is_read_if_it_is_ours(void **state)
{
    (void)state;
    bool over = false;
    static const char ours[] = "54000000 120a 0200 01000000 01000000 02000000"
                               "13000100 73656b6973686f5f726f7574657200 00"
                               "0d000200 737472616e67657200 000000"
                               "1c000400 0c000100 0000000000000032 0c000200 0000000000000005";
    static const char theirs[] = "54000000 120a 0200 01000000 01000000 02000000"
                                 "13000100 73656b6973686f5f526f7574657200 00"
                                 "0d000200 737472616e67657200 000000"
                                 "1c000400 0c000100 0000000000000032 0c000200 0000000000000005";
    assert_int_equal(read_hex(theirs, &over), ERR_OK);
    assert_int_equal(n_counters, 0);
    assert_int_equal(read_hex(ours, &over), ERR_OK);
    assert_int_equal(n_counters, 1);
    assert_string_equal(counters[0].name, "stranger");
    assert_int_equal(counters[0].packets, 5);
}

static void the_kernels_refusal_is_an_error(void **state)
{
    (void)state;
    bool over = false;
    assert_int_equal(
        read_hex("24000000 0200 0000 01000000 01000000 feffffff 14000000 0c0a 0500 01000000 01000000", &over),
        ERR_NOTFOUND);
    assert_true(over);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(
        read_hex("24000000 0200 0000 01000000 01000000 efffffff 14000000 0c0a 0500 01000000 01000000", &over),
        ERR_EXISTS);
    assert_int_equal(
        read_hex("24000000 0200 0000 01000000 01000000 ffffffff 14000000 0c0a 0500 01000000 01000000", &over),
        ERR_SYSTEM);
    assert_int_equal(errno, EPERM);
}

static void packets_of_nflog_come_out_one_by_one(void **state)
{
    (void)state;
    static _Alignas(8) uint8_t bytes[512];
    size_t n =
        unhex("2c000000 0004 0000 00000000 00000000 020010cf 0b000900 45000000010203 00 08000c00 00000001 00000000"
              "14000000 0300 0200 01000000 01000000 00000000"
              "1c000000 0004 0000 00000000 00000000 020010cf 06000900 4600 0000",
              bytes, sizeof(bytes));
    uint8_t *at = bytes;
    struct nflog_packet packet;
    assert_true(nflog_next(&at, &n, &packet));
    assert_int_equal(packet.n, 7);
    assert_int_equal(packet.p[0], 0x45);
    assert_true(packet.numbered);
    assert_int_equal(packet.sequence, 1);
    assert_true(nflog_next(&at, &n, &packet)); /* what is no packet is passed over */
    assert_int_equal(packet.n, 2);
    assert_int_equal(packet.p[0], 0x46);
    assert_false(packet.numbered);
    assert_false(nflog_next(&at, &n, &packet));
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_element_is_read_as_it_was_written, begin),
        cmocka_unit_test_setup(a_full_transaction_says_so, begin),
        cmocka_unit_test_setup(an_elements_counter_is_read, begin),
        cmocka_unit_test_setup(a_named_counter_is_read_if_it_is_ours, begin),
        cmocka_unit_test_setup(the_kernels_refusal_is_an_error, begin),
        cmocka_unit_test(packets_of_nflog_come_out_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
