#include "crypto/crypto.h"
#include "tests/test.h"

#define ERR_STATE OPENSSL_ERR_STATE /* its type has the name of an error of ours */
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#undef ERR_STATE

static const struct {
    enum dh_group group;
    size_t public_size, shared_size;
    const char *name;
} groups[] = {
    {DH_MODP_768, 96, 96, "modp768"},     {DH_MODP_1024, 128, 128, "modp1024"}, {DH_MODP_1536, 192, 192, "modp1536"},
    {DH_MODP_2048, 256, 256, "modp2048"}, {DH_MODP_3072, 384, 384, "modp3072"}, {DH_MODP_4096, 512, 512, "modp4096"},
    {DH_ECP_256, 64, 32, "ecp256"},       {DH_ECP_384, 96, 48, "ecp384"},       {DH_ECP_521, 132, 66, "ecp521"},
};

static const enum dh_group curves[] = {DH_ECP_256, DH_ECP_384, DH_ECP_521};

static void draw(struct random_test *t, struct dh_work *w, enum dh_group g)
{
    *w = (struct dh_work){.group = g};
    random_test_fill(t, w->private_key, sizeof(w->private_key));
}

static void give(struct dh_work *to, const uint8_t *peer, size_t n)
{
    memcpy(to->peer, peer, n);
    to->peer_len = (uint16_t)n;
}

static void both_sides_agree_in_every_group(void **state)
{
    (void)state;
    struct random_test t;
    random_test_init(&t, 5903);
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        struct dh_work a, b;
        draw(&t, &a, groups[i].group);
        draw(&t, &b, groups[i].group);
        dh_work_run(&a); /* the initiator: its public value first */
        assert_int_equal(a.result, ERR_OK);
        assert_int_equal(a.public_len, groups[i].public_size);
        assert_int_equal(a.shared_len, 0);
        give(&b, a.public_key, a.public_len);
        dh_work_run(&b); /* the responder: all at once */
        assert_int_equal(b.result, ERR_OK);
        assert_int_equal(b.public_len, groups[i].public_size);
        assert_int_equal(b.shared_len, groups[i].shared_size);

        uint8_t before[DH_VALUE_MAX];
        memcpy(before, a.public_key, a.public_len);
        give(&a, b.public_key, b.public_len);
        dh_work_run(&a);
        assert_int_equal(a.result, ERR_OK);
        assert_memory_equal(a.public_key, before, a.public_len);
        assert_int_equal(a.shared_len, groups[i].shared_size);
        assert_memory_equal(a.shared, b.shared, a.shared_len);
    }
}

static void groups_have_their_sizes_and_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        assert_int_equal(dh_public_size(groups[i].group), groups[i].public_size);
        assert_string_equal(dh_name(groups[i].group), groups[i].name);
        assert_true(dh_private_size(groups[i].group) >= 32);
        assert_true(dh_private_size(groups[i].group) <= DH_PRIVATE_MAX);
    }
}

static void an_unknown_group_is_not_supported(void **state)
{
    (void)state;
    const int unknown[] = {DH_NONE, 3, 13, 17, 18, 22, 31, -1};
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        struct dh_work w = {.group = (enum dh_group)unknown[i], .public_len = 7, .shared_len = 7};
        dh_work_run(&w);
        assert_int_equal(w.result, ERR_UNSUPPORTED);
        assert_int_equal(w.public_len, 0);
        assert_int_equal(w.shared_len, 0);
        assert_int_equal(dh_public_size(w.group), 0);
        assert_int_equal(dh_private_size(w.group), 0);
        assert_string_equal(dh_name(w.group), "none");
    }
}

/* RFC 2409 section 5 and RFC 5903 section 7: values are as long as the group. One in 256 begins with a zero, and
 * a side that drops it makes other keys than its peer. */
static void a_leading_zero_is_kept_in_values_and_secrets(void **state)
{
    (void)state;
    static const enum dh_group quick[] = {DH_MODP_768, DH_MODP_1024, DH_ECP_256, DH_ECP_384};
    enum { TRIES = 5000 };
    struct random_test t;
    random_test_init(&t, 1998);
    for (size_t i = 0; i < ARRAY_LEN(quick); i++) {
        struct dh_work fixed, w;
        draw(&t, &fixed, quick[i]);
        dh_work_run(&fixed);
        bool public_seen = false, shared_seen = false;
        for (size_t n = 0; n < TRIES && !(public_seen && shared_seen); n++) {
            draw(&t, &w, quick[i]);
            give(&w, fixed.public_key, fixed.public_len);
            dh_work_run(&w);
            assert_int_equal(w.result, ERR_OK);
            assert_int_equal(w.public_len, dh_public_size(quick[i]));
            if (w.public_key[0] != 0 && w.shared[0] != 0)
                continue;
            struct dh_work back = fixed;
            give(&back, w.public_key, w.public_len);
            dh_work_run(&back);
            assert_int_equal(back.result, ERR_OK);
            assert_int_equal(back.shared_len, w.shared_len);
            assert_memory_equal(back.shared, w.shared, w.shared_len);
            public_seen |= w.public_key[0] == 0;
            shared_seen |= w.shared[0] == 0;
        }
        assert_true(public_seen);
        assert_true(shared_seen);
    }
}

static void a_peer_value_of_another_length_is_invalid(void **state)
{
    (void)state;
    struct random_test t;
    random_test_init(&t, 3);
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        struct dh_work good, w;
        draw(&t, &good, groups[i].group);
        dh_work_run(&good);
        const size_t size = groups[i].public_size;
        const size_t lengths[] = {1, size / 2, size - 1, size + 1, DH_VALUE_MAX};
        for (size_t n = 0; n < ARRAY_LEN(lengths); n++) {
            if (lengths[n] == size || lengths[n] > DH_VALUE_MAX)
                continue;
            draw(&t, &w, groups[i].group);
            memcpy(w.peer, good.public_key, size);
            w.peer_len = (uint16_t)lengths[n];
            dh_work_run(&w);
            assert_int_equal(w.result, ERR_INVALID);
            assert_int_equal(w.public_len, 0);
            assert_int_equal(w.shared_len, 0);
        }
    }
}

static enum err run_with_peer_hex(enum dh_group g, const char *hex)
{
    struct dh_work w = {.group = g, .private_key = {1, 2, 3}};
    w.peer_len = (uint16_t)unhex(hex, w.peer, sizeof(w.peer));
    dh_work_run(&w);
    return w.result;
}

/* RFC 5903 section 7 leaves it to the receiver to see that a point is on the curve; a secret computed with one that
 * is not tells the sender about the private key. */
static void a_point_off_the_curve_is_invalid(void **state)
{
    (void)state;
    struct random_test t;
    random_test_init(&t, 7);
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        struct dh_work good, w;
        draw(&t, &good, curves[i]);
        dh_work_run(&good);
        size_t size = dh_public_size(curves[i]);

        draw(&t, &w, curves[i]); /* (0, 0): what stands for infinity in some libraries */
        w.peer_len = (uint16_t)size;
        dh_work_run(&w);
        assert_int_equal(w.result, ERR_INVALID);

        for (size_t byte = 0; byte < size; byte += 5) {
            give(&w, good.public_key, size);
            w.peer[byte] ^= 1;
            dh_work_run(&w);
            assert_int_equal(w.result, ERR_INVALID);
        }

        give(&w, good.public_key, size); /* x and y swapped */
        memcpy(w.peer, good.public_key + size / 2, size / 2);
        memcpy(w.peer + size / 2, good.public_key, size / 2);
        dh_work_run(&w);
        assert_int_equal(w.result, ERR_INVALID);

        memset(w.peer, 0xff, size);
        dh_work_run(&w);
        assert_int_equal(w.result, ERR_INVALID);
    }
}

/* The point with x = 0 is on each of these curves; x = p is the same residue and may not be taken for it. */
static void a_coordinate_that_is_not_reduced_is_invalid(void **state)
{
    (void)state;
#define Y256 "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4"
#define Y384 "c306610fb0ae5a159cf45c06069f22a6c5eb3641c602d42dea2c4b4f75550793406d80d2b91ad54f9048bd487af1ade1"
#define Y521                                                                                                           \
    "012df13601594a883ef2d935e44bb90bf4d6619b74e52af7552f97769011c0719eb439cfab2a88d40fe59a2bed1f43557169"             \
    "a2d0a2ccd280c607b92bbf51ffe0b078"
#define ZEROS16 "00000000000000000000000000000000"
#define ONES16  "ffffffffffffffffffffffffffffffff"
    assert_int_equal(run_with_peer_hex(DH_ECP_256, ZEROS16 ZEROS16 Y256), ERR_OK);
    assert_int_equal(
        run_with_peer_hex(DH_ECP_256, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff" Y256),
        ERR_INVALID);
    assert_int_equal(run_with_peer_hex(DH_ECP_384, ZEROS16 ZEROS16 ZEROS16 Y384), ERR_OK);
    assert_int_equal(run_with_peer_hex(DH_ECP_384, ONES16 "fffffffffffffffffffffffffffffffe"
                                                          "ffffffff0000000000000000ffffffff" Y384),
                     ERR_INVALID);
    assert_int_equal(run_with_peer_hex(DH_ECP_521, ZEROS16 ZEROS16 ZEROS16 ZEROS16 "0000" Y521), ERR_OK);
    assert_int_equal(run_with_peer_hex(DH_ECP_521, "01ff" ONES16 ONES16 ONES16 ONES16 Y521), ERR_INVALID);
}

/* ---- against another implementation ---- */

static EC_GROUP *new_group(enum dh_group g)
{
    return EC_GROUP_new_by_curve_name(g == DH_ECP_256   ? NID_X9_62_prime256v1
                                      : g == DH_ECP_384 ? NID_secp384r1
                                                        : NID_secp521r1);
}

/* Private bytes for a scalar: dh_work_run() adds one. */
static void set_scalar(struct dh_work *w, const BIGNUM *scalar)
{
    BIGNUM *less = BN_dup(scalar);
    BN_sub_word(less, 1);
    BN_bn2binpad(less, w->private_key, (int)dh_private_size(w->group));
    BN_free(less);
}

static void check_multiple(const EC_GROUP *curve, enum dh_group g, const BIGNUM *scalar, const BIGNUM *peer_scalar)
{
    struct dh_work w = {.group = g};
    uint8_t point[1 + DH_VALUE_MAX];
    size_t size = dh_public_size(g);
    EC_POINT *peer = EC_POINT_new(curve), *want = EC_POINT_new(curve);
    BN_CTX *ctx = BN_CTX_new();

    set_scalar(&w, scalar);
    EC_POINT_mul(curve, peer, peer_scalar, NULL, NULL, ctx);
    EC_POINT_point2oct(curve, peer, POINT_CONVERSION_UNCOMPRESSED, point, size + 1, ctx);
    give(&w, point + 1, size);
    dh_work_run(&w);
    assert_int_equal(w.result, ERR_OK);

    EC_POINT_mul(curve, want, scalar, NULL, NULL, ctx);
    EC_POINT_point2oct(curve, want, POINT_CONVERSION_UNCOMPRESSED, point, size + 1, ctx);
    assert_memory_equal(w.public_key, point + 1, size);
    EC_POINT_mul(curve, want, NULL, peer, scalar, ctx);
    EC_POINT_point2oct(curve, want, POINT_CONVERSION_UNCOMPRESSED, point, size + 1, ctx);
    assert_memory_equal(w.shared, point + 1, size / 2);
    BN_CTX_free(ctx);
    EC_POINT_free(peer);
    EC_POINT_free(want);
}

/* Small and large scalars and single bits are where window methods have their exceptions: additions of a point to
 * itself or to its negative. The peer is the generator, its double, its negative. */
static void scalars_at_the_edges_give_the_points_of_another_implementation(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        EC_GROUP *curve = new_group(curves[i]);
        const BIGNUM *n = EC_GROUP_get0_order(curve);
        BIGNUM *scalar = BN_new(), *peers[3] = {BN_new(), BN_new(), BN_dup(n)};
        BN_set_word(peers[0], 1);
        BN_set_word(peers[1], 2);
        BN_sub_word(peers[2], 1);
        for (size_t p = 0; p < ARRAY_LEN(peers); p++) {
            for (BN_ULONG small = 1; small <= 40; small++) {
                BN_set_word(scalar, small);
                check_multiple(curve, curves[i], scalar, peers[p]);
                BN_copy(scalar, n);
                BN_sub_word(scalar, small);
                check_multiple(curve, curves[i], scalar, peers[p]);
            }
            for (int bit = 6; bit < BN_num_bits(n) - 1; bit += 37) {
                BN_one(scalar);
                BN_lshift(scalar, scalar, bit);
                check_multiple(curve, curves[i], scalar, peers[p]);
            }
            BN_free(peers[p]);
        }
        BN_free(scalar);
        EC_GROUP_free(curve);
    }
}

/* FIPS 186-5 A.2.1: n - 1 and 0 stand for the same scalar, and the largest bytes for one in range. */
static void private_bytes_wrap_at_the_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        EC_GROUP *curve = new_group(curves[i]);
        struct dh_work zero = {.group = curves[i]}, wrapped = {.group = curves[i]}, large = {.group = curves[i]};
        set_scalar(&wrapped, EC_GROUP_get0_order(curve));
        memset(large.private_key, 0xff, sizeof(large.private_key));
        dh_work_run(&zero);
        dh_work_run(&wrapped);
        dh_work_run(&large);
        assert_int_equal(zero.result, ERR_OK);
        assert_int_equal(large.result, ERR_OK);
        assert_memory_equal(zero.public_key, wrapped.public_key, zero.public_len);
        assert_memory_not_equal(zero.public_key, large.public_key, zero.public_len);
        EC_GROUP_free(curve);
    }
}

static void the_weakest_private_bytes_make_no_trivial_modp_value(void **state)
{
    (void)state;
    struct dh_work w = {.group = DH_MODP_2048};
    dh_work_run(&w);
    assert_int_equal(w.result, ERR_OK);
    size_t zeros = 0;
    for (size_t i = 0; i < w.public_len; i++)
        zeros += w.public_key[i] == 0;
    assert_true(zeros < 16);
}

static void wiping_leaves_nothing(void **state)
{
    (void)state;
    struct random_test t;
    struct dh_work w;
    random_test_init(&t, 1);
    draw(&t, &w, DH_ECP_256);
    dh_work_run(&w);
    dh_work_wipe(&w);
    const uint8_t *p = (const uint8_t *)&w;
    for (size_t i = 0; i < sizeof(w); i++)
        assert_int_equal(p[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_agree_in_every_group),
        cmocka_unit_test(groups_have_their_sizes_and_names),
        cmocka_unit_test(an_unknown_group_is_not_supported),
        cmocka_unit_test(a_leading_zero_is_kept_in_values_and_secrets),
        cmocka_unit_test(a_peer_value_of_another_length_is_invalid),
        cmocka_unit_test(a_point_off_the_curve_is_invalid),
        cmocka_unit_test(a_coordinate_that_is_not_reduced_is_invalid),
        cmocka_unit_test(scalars_at_the_edges_give_the_points_of_another_implementation),
        cmocka_unit_test(private_bytes_wrap_at_the_order),
        cmocka_unit_test(the_weakest_private_bytes_make_no_trivial_modp_value),
        cmocka_unit_test(wiping_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
