#include "tests/test.h"
#include "wire/wire.h"

static void numbers_are_written_in_network_order(void **state)
{
    (void)state;
    uint8_t out[15];
    struct writer w = wr_init(out, sizeof(out));
    wr_u8(&w, 0x01);
    wr_u16(&w, 0x0203);
    wr_u32(&w, 0x04050607);
    wr_u64(&w, 0x08090a0b0c0d0e0f);
    assert_true(wr_ok(&w));
    for (uint8_t i = 0; i < sizeof(out); i++)
        assert_int_equal(out[i], i + 1);
    assert_int_equal(wr_written(&w).n, sizeof(out));
}

static void write_one(struct writer *w, size_t kind)
{
    static const uint8_t five[5] = {9, 9, 9, 9, 9};
    switch (kind) {
    case 0:
        wr_u8(w, 1);
        break;
    case 1:
        wr_u16(w, 1);
        break;
    case 2:
        wr_u32(w, 1);
        break;
    case 3:
        wr_u64(w, 1);
        break;
    case 4:
        wr_bytes(w, five, 5);
        break;
    default:
        wr_zero(w, 6);
        break;
    }
}

static void nothing_is_written_over_the_border(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 2, 4, 8, 5, 6};
    for (size_t kind = 0; kind < ARRAY_LEN(sizes); kind++) {
        for (size_t cap = 0; cap <= 9; cap++) {
            uint8_t out[10];
            memset(out, 0xee, sizeof(out));
            struct writer w = wr_init(out, cap);
            write_one(&w, kind);
            const bool good = sizes[kind] <= cap;
            assert_true(wr_ok(&w) == good);
            assert_int_equal(w.n, good ? sizes[kind] : 0);
            for (size_t i = good ? sizes[kind] : 0; i < sizeof(out); i++)
                assert_int_equal(out[i], 0xee);
        }
    }
}

static void a_failure_sticks(void **state)
{
    (void)state;
    uint8_t out[4] = {0};
    struct writer w = wr_init(out, sizeof(out));
    wr_u16(&w, 7);
    wr_u32(&w, 8);
    wr_u8(&w, 9); /* would fit */
    assert_false(wr_ok(&w));
    assert_int_equal(out[2], 0);
    assert_int_equal(wr_written(&w).n, 0);
    assert_null(wr_reserve(&w, 0));
}

static void lengths_are_patched_behind(void **state)
{
    (void)state;
    uint8_t out[64];
    struct writer w = wr_init(out, sizeof(out));
    wr_zero(&w, 7);
    wr_patch8(&w, 2, 'x');
    wr_patch16(&w, 5, 0x4142);
    wr_patch32(&w, 3, 0x01020304);
    assert_true(wr_ok(&w));
    assert_memory_equal(out + 2, "x\1\2\3\4", 5);
}

static void patching_what_was_not_written_fails(void **state)
{
    (void)state;
    uint8_t out[64];
    for (size_t at = 0; at < 8; at++) {
        struct writer w = wr_init(out, sizeof(out));
        wr_zero(&w, 5);
        wr_patch16(&w, at, 1);
        assert_true(wr_ok(&w) == (at + 2 <= 5));
        w = wr_init(out, sizeof(out));
        wr_zero(&w, 5);
        wr_patch32(&w, at, 1);
        assert_true(wr_ok(&w) == (at + 4 <= 5));
    }
    struct writer w = wr_init(out, sizeof(out));
    wr_patch8(&w, SIZE_MAX, 1);
    assert_false(wr_ok(&w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_in_network_order),
        cmocka_unit_test(nothing_is_written_over_the_border),
        cmocka_unit_test(a_failure_sticks),
        cmocka_unit_test(lengths_are_patched_behind),
        cmocka_unit_test(patching_what_was_not_written_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
