/*
 * Diffie-Hellman: the complete examples of RFC 5903 section 8, and the MODP groups by what RFC 2409 and RFC 3526 say
 * of their primes: made from pi, safe, and with 2 in the large subgroup.
 */
#include "crypto/crypto.h"
#include "tests/test.h"

#define ERR_STATE OPENSSL_ERR_STATE /* its type has the name of an error of ours */
#include <openssl/bn.h>
#undef ERR_STATE

/* ---- ECP ---- */

struct ecp_example {
    enum dh_group group;
    const char *i, *gi, *r, *gr, *shared;
};

/* The private bytes that dh_work_run() turns into this scalar: (bytes mod (n - 1)) + 1. */
static void private_for(enum dh_group g, const char *scalar_hex, uint8_t out[static DH_PRIVATE_MAX])
{
    uint8_t scalar[DH_PRIVATE_MAX];
    size_t n = unhex(scalar_hex, scalar, sizeof(scalar)), size = dh_private_size(g);
    memset(out, 0, DH_PRIVATE_MAX);
    memcpy(out + size - n, scalar, n);
    for (size_t at = size; at-- > 0;)
        if (out[at]-- != 0)
            break;
}

static void check_side(enum dh_group g, const char *scalar, const char *own, const char *peer, const char *shared)
{
    struct dh_work w = {.group = g};
    uint8_t want_public[DH_VALUE_MAX], want_shared[DH_VALUE_MAX];
    private_for(g, scalar, w.private_key);
    w.peer_len = (uint16_t)unhex(peer, w.peer, sizeof(w.peer));
    size_t public_n = unhex(own, want_public, sizeof(want_public));
    size_t shared_n = unhex(shared, want_shared, sizeof(want_shared));

    dh_work_run(&w);
    assert_int_equal(w.result, ERR_OK);
    assert_int_equal(w.public_len, public_n);
    assert_int_equal(w.public_len, dh_public_size(g));
    assert_memory_equal(w.public_key, want_public, public_n);
    assert_int_equal(w.shared_len, shared_n);
    assert_memory_equal(w.shared, want_shared, shared_n);
}

static void the_ecp_groups_follow_rfc_5903(void **state)
{
    (void)state;
    static const struct ecp_example examples[] = {
        {DH_ECP_256, "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433",
         "DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180"
         "5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3",
         "C6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53",
         "D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
         "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB",
         "D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE"},
        {DH_ECP_384, "099F3C7034D4A2C699884D73A375A67F7624EF7C6B3C0F160647B67414DCE655E35B538041E649EE3FAEF896783AB194",
         "667842D7D180AC2CDE6F74F37551F55755C7645C20EF73E31634FE72B4C55EE6DE3AC808ACB4BDB4C88732AEE95F41AA"
         "9482ED1FC0EEB9CAFC4984625CCFC23F65032149E0E144ADA024181535A0F38EEB9FCFF3C2C947DAE69B4C634573A81C",
         "41CB0779B4BDB85D47846725FBEC3C9430FAB46CC8DC5060855CC9BDA0AA2942E0308312916B8ED2960E4BD55A7448FC",
         "E558DBEF53EECDE3D3FCCFC1AEA08A89A987475D12FD950D83CFA41732BC509D0D1AC43A0336DEF96FDA41D0774A3571"
         "DCFBEC7AACF3196472169E838430367F66EEBE3C6E70C416DD5F0C68759DD1FFF83FA40142209DFF5EAAD96DB9E6386C",
         "11187331C279962D93D604243FD592CB9D0A926F422E47187521287E7156C5C4D603135569B9E9D09CF5D4A270F59746"},
        {DH_ECP_521,
         "0037ADE9319A89F4DABDB3EF411AACCCA5123C61ACAB57B5393DCE47608172A095AA85A30FE1C2952C6771D937BA9777F5957B26"
         "39BAB072462F68C27A57382D4A52",
         "0015417E84DBF28C0AD3C278713349DC7DF153C897A1891BD98BAB4357C9ECBEE1E3BF42E00B8E380AEAE57C2D10756494188594"
         "2AF5A7F4601723C4195D176CED3E"
         "017CAE20B6641D2EEB695786D8C946146239D099E18E1D5A514C739D7CB4A10AD8A788015AC405D7799DC75E7B7D5B6CF2261A6A"
         "7F1507438BF01BEB6CA3926F9582",
         "0145BA99A847AF43793FDD0E872E7CDFA16BE30FDC780F97BCCC3F078380201E9C677D600B343757A3BDBF2A3163E4C2F869CCA7"
         "458AA4A4EFFC311F5CB151685EB9",
         "00D0B3975AC4B799F5BEA16D5E13E9AF971D5E9B984C9F39728B5E5739735A219B97C356436ADC6E95BB0352F6BE64A6C2912D4E"
         "F2D0433CED2B6171640012D9460F"
         "015C68226383956E3BD066E797B623C27CE0EAC2F551A10C2C724D9852077B87220B6536C5C408A1D2AEBB8E86D678AE49CB5709"
         "1F4732296579AB44FCD17F0FC56A",
         "01144C7D79AE6956BC8EDB8E7C787C4521CB086FA64407F97894E5E6B2D79B04D1427E73CA4BAA240A34786859810C06B3C715A3"
         "A8CC3151F2BEE417996D19F3DDEA"},
    };
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        const struct ecp_example *e = &examples[i];
        check_side(e->group, e->i, e->gi, e->gr, e->shared);
        check_side(e->group, e->r, e->gr, e->gi, e->shared);
    }
}

/* ---- MODP ---- */

struct modp_group {
    enum dh_group group;
    int bits;
    BN_ULONG k; /* of p = 2^bits - 2^(bits-64) - 1 + 2^64 ([2^(bits-130) pi] + k) */
};

static const struct modp_group modp_groups[] = {
    {DH_MODP_768, 768, 149686},   {DH_MODP_1024, 1024, 129093},  {DH_MODP_1536, 1536, 741804},
    {DH_MODP_2048, 2048, 124476}, {DH_MODP_3072, 3072, 1690314}, {DH_MODP_4096, 4096, 240904},
};

/* sum += factor * arctan(1 / x) * 2^scale, or -=; by the series, rounding down at every term. */
static void add_arctan(BIGNUM *sum, BN_ULONG factor, BN_ULONG x, int scale, bool subtract)
{
    BIGNUM *power = BN_new(), *term = BN_new();
    BN_set_word(power, factor);
    BN_lshift(power, power, scale);
    BN_div_word(power, x);
    for (BN_ULONG odd = 1; !BN_is_zero(power); odd += 2, subtract = !subtract) {
        BN_copy(term, power);
        BN_div_word(term, odd);
        if (subtract)
            BN_sub(sum, sum, term);
        else
            BN_add(sum, sum, term);
        BN_div_word(power, x * x);
    }
    BN_free(power);
    BN_free(term);
}

/* [2^scale pi], by Machin: pi = 16 arctan(1/5) - 4 arctan(1/239). */
static BIGNUM *new_pi(int scale)
{
    enum { GUARD = 64 };
    BIGNUM *pi = BN_new();
    BN_zero(pi);
    add_arctan(pi, 16, 5, scale + GUARD, false);
    add_arctan(pi, 4, 239, scale + GUARD, true);
    BN_rshift(pi, pi, GUARD);
    return pi;
}

static BIGNUM *new_prime(const struct modp_group *g)
{
    BIGNUM *p = new_pi(g->bits - 130), *t = BN_new();
    BN_add_word(p, g->k);
    BN_lshift(p, p, 64);
    BN_one(t);
    BN_lshift(t, t, g->bits);
    BN_add(p, p, t);
    BN_one(t);
    BN_lshift(t, t, g->bits - 64);
    BN_sub(p, p, t);
    BN_sub_word(p, 1);
    BN_free(t);
    return p;
}

/* A Fermat test to base 2 of q = (p - 1) / 2; and 2^q = 1 mod p, so that 2 makes the subgroup of that order and no
 * key loses its lowest bit. */
static void the_modp_primes_are_made_from_pi_and_safe(void **state)
{
    (void)state;
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *two = BN_new(), *q = BN_new(), *q_less_1 = BN_new(), *r = BN_new();
    BN_set_word(two, 2);
    for (size_t i = 0; i < ARRAY_LEN(modp_groups); i++) {
        BIGNUM *p = new_prime(&modp_groups[i]);
        assert_int_equal(BN_num_bits(p), modp_groups[i].bits);
        BN_rshift1(q, p);
        BN_copy(q_less_1, q);
        BN_sub_word(q_less_1, 1);
        BN_mod_exp(r, two, q_less_1, q, ctx);
        assert_true(BN_is_one(r));
        BN_mod_exp(r, two, q, p, ctx);
        assert_true(BN_is_one(r));
        BN_free(p);
    }
    BN_free(two);
    BN_free(q);
    BN_free(q_less_1);
    BN_free(r);
    BN_CTX_free(ctx);
}

/* shared == peer^x mod p and public == 2^x mod p, by OpenSSL's plain exponentiation with the prime made from pi. */
static void check_modp(const struct modp_group *g, const BIGNUM *p, const struct dh_work *w)
{
    uint8_t exponent[DH_PRIVATE_MAX], want[DH_VALUE_MAX];
    size_t n = dh_private_size(g->group);
    memcpy(exponent, w->private_key, n);
    exponent[0] |= 0x80;
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *x = BN_bin2bn(exponent, (int)n, NULL), *base = BN_bin2bn(w->peer, w->peer_len, NULL), *r = BN_new();

    BN_mod_exp(r, base, x, p, ctx);
    BN_bn2binpad(r, want, g->bits / 8);
    assert_int_equal(w->shared_len, g->bits / 8);
    assert_memory_equal(w->shared, want, w->shared_len);
    BN_set_word(base, 2);
    BN_mod_exp(r, base, x, p, ctx);
    BN_bn2binpad(r, want, g->bits / 8);
    assert_int_equal(w->public_len, g->bits / 8);
    assert_memory_equal(w->public_key, want, w->public_len);
    BN_free(x);
    BN_free(base);
    BN_free(r);
    BN_CTX_free(ctx);
}

static void the_modp_groups_compute_powers_modulo_these_primes(void **state)
{
    (void)state;
    struct random_test seed;
    random_test_init(&seed, 2409);
    for (size_t i = 0; i < ARRAY_LEN(modp_groups); i++) {
        const struct modp_group *g = &modp_groups[i];
        struct dh_work a = {.group = g->group}, b = {.group = g->group};
        random_test_fill(&seed, a.private_key, sizeof(a.private_key));
        random_test_fill(&seed, b.private_key, sizeof(b.private_key));
        dh_work_run(&a);
        assert_int_equal(a.result, ERR_OK);
        assert_int_equal(a.shared_len, 0);

        b.peer_len = a.public_len;
        memcpy(b.peer, a.public_key, a.public_len);
        dh_work_run(&b);
        assert_int_equal(b.result, ERR_OK);
        a.peer_len = b.public_len;
        memcpy(a.peer, b.public_key, b.public_len);
        dh_work_run(&a);
        assert_int_equal(a.result, ERR_OK);
        assert_memory_equal(a.shared, b.shared, b.shared_len);

        BIGNUM *p = new_prime(g);
        check_modp(g, p, &a);
        check_modp(g, p, &b);
        BN_free(p);
    }
}

/* The limits of what a peer may send, at the primes made from pi: another prime would move them. */
static void the_modp_groups_take_2_to_p_less_2_and_no_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(modp_groups); i++) {
        const struct modp_group *g = &modp_groups[i];
        BIGNUM *p = new_prime(g), *y = BN_new();
        static const struct {
            bool from_p;
            int value;
            enum err want;
        } values[] = {{false, 0, ERR_INVALID}, {false, 1, ERR_INVALID}, {false, 2, ERR_OK},     {true, -2, ERR_OK},
                      {true, -1, ERR_INVALID}, {true, 0, ERR_INVALID},  {true, 1, ERR_INVALID}, {true, 2, ERR_INVALID}};
        for (size_t v = 0; v < ARRAY_LEN(values); v++) {
            struct dh_work w = {.group = g->group, .private_key = {1}, .peer_len = (uint16_t)(g->bits / 8)};
            BN_set_word(y, (BN_ULONG)abs(values[v].value));
            if (values[v].from_p && values[v].value < 0)
                BN_sub(y, p, y);
            else if (values[v].from_p)
                BN_add(y, p, y);
            BN_bn2binpad(y, w.peer, w.peer_len);
            dh_work_run(&w);
            assert_int_equal(w.result, values[v].want);
            assert_int_equal(w.public_len, w.result == ERR_OK ? g->bits / 8 : 0);
            assert_int_equal(w.shared_len, w.public_len);
        }
        BN_free(p);
        BN_free(y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ecp_groups_follow_rfc_5903),
        cmocka_unit_test(the_modp_primes_are_made_from_pi_and_safe),
        cmocka_unit_test(the_modp_groups_compute_powers_modulo_these_primes),
        cmocka_unit_test(the_modp_groups_take_2_to_p_less_2_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
