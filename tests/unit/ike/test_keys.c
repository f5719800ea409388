/* The key schedule against values that were computed apart, from the formulas of RFC 2409 5, 5.4, 5.5 and appendix B.
 */
#include "ike/ike_internal.h"
#include "tests/test.h"

static const struct schedule {
    enum hash hash;
    uint8_t key_bytes;
    const char *skeyid_d, *skeyid_a, *cipher_key, *iv, *hash_i, *hash_r, *exchange_iv, *keymat, *keymat_pfs, *hash_3;
} schedules[] = {
    {HASH_SHA1, 32, "5f19ba46112d7507cc25af29420ae22cb439cbff", "00d02d206881531506d74c1c949bcdd5f9d1e63b",
     "a7ed09dbcfa176406f8f53484241e2545cab3bfd1a2886f3dbe6419cd49e355f", "f676b11fc7b4302b651df057588bff6f",
     "cb1c6924f5fa5fe1f820f2a36d07983fd589ad76", "943d7b98b1a0848eca8a2e2b130b18cd6777ed07",
     "c2107e04045b3b2a994a99af0827c6d9",
     "a162f3f7981e6ff3aa37c9be5fdf3ae57af9995b594020efb64feba4911f1621"
     "74f0832b0fc7d495529ba337c6032fb0d5be7738",
     "ce932a0c2e25d8374bc31931f1676e077b353c4abd612169024738533bca89db"
     "96187fb7a8dd5600ac516ca808ea05ddbd8623e8",
     "76359b036e8569d6f65ebbe3e4b648d863d4cd28"},
    {HASH_SHA256, 16, "1a9d636bb973c2e528ce77c5d26cde9cb5939040eccfe1df4bf94e4b2492e836",
     "b92b2daa7830b472aa635ab39ea148f41b2434eef6793189e594737485056f9d", "706836ff4a4a8051180611682084e964",
     "18412206cc3eab38c7331f5b9fe6fe19", "6ef898ac605c99fab065e44ecbb389748e71fdbdd4e016dcf7311d9dc4b3eb7b",
     "c7807212a21d0755d205ade0729a5a33e5511417eccb0a453f9c81584136012c", "c4ea1222dd48f3b23a8c293fcaa54389",
     "35ccd725a53edbf5ffd2d0f2b9944945806ef259a9288d96b37fd4e0797d2dd6"
     "d29f131ae5028c17259ac43049346f3ffc361f9a",
     "0ff73266953fdb7a736a92a31ce3a654dd06155949d79bf470ccae044b39b6b1"
     "3eb0379cee05fff5848415d2fa6b21124b24f430",
     "777345bcba3948394a49c4f5dff33095c761b1154212dd62322ccab651972426"},
};

#define MESSAGE_ID 0xa1b2c3d4
#define SPI        0xc0000100

static void assert_hex(const uint8_t *bytes, const char *expected)
{
    uint8_t b[128];
    assert_memory_equal(bytes, b, unhex(expected, b, sizeof(b)));
}

/* Both sides' values are simple series, so that anybody can compute the results again. */
static void set_up(struct sa *sa, struct phase1 *p, const struct schedule *c)
{
    *sa = (struct sa){.phase1 = p};
    sa->suite = (struct suite){.cipher = CIPHER_AES, .key_bytes = c->key_bytes, .hash = c->hash};
    for (int i = 0; i < COOKIE_SIZE; i++) {
        sa->cookies.icookie[i] = (uint8_t)(i + 1);
        sa->cookies.rcookie[i] = (uint8_t)(0x11 + i);
    }
    p->nonce_i_len = 16;
    p->nonce_r_len = 32;
    for (int i = 0; i < 32; i++) {
        p->nonce_i[i] = (uint8_t)(0x10 + i);
        p->nonce_r[i] = (uint8_t)(0x40 + i);
        p->shared[i] = (uint8_t)(i * 7 + 3);
    }
    p->shared_len = 32;
    for (int i = 0; i < 64; i++) {
        p->ke_i[i] = (uint8_t)(i * 3 + 1);
        p->ke_r[i] = (uint8_t)(i * 5 + 2);
    }
    p->ke_len = 64;
    p->sa_len = (uint16_t)unhex("0000000100000001", p->sa_body, sizeof(p->sa_body));
}

static void main_mode_keys_follow_the_rfc(void **state)
{
    (void)state;
    static struct phase1 p;
    struct sa sa;
    uint8_t skeyid[HASH_SIZE_MAX], out[HASH_SIZE_MAX], id[8];
    for (size_t i = 0; i < ARRAY_LEN(schedules); i++) {
        const struct schedule *c = &schedules[i];
        set_up(&sa, &p, c);
        assert_int_equal(keys_derive(&sa, view_str("vpn-secret-1"), skeyid, &sa.keys), ERR_OK);
        assert_hex(sa.keys.skeyid_d, c->skeyid_d);
        assert_hex(sa.keys.skeyid_a, c->skeyid_a);
        assert_hex(sa.keys.cipher_key, c->cipher_key);
        assert_int_equal(keys_first_iv(&sa, sa.iv), ERR_OK);
        assert_hex(sa.iv, c->iv);
        const struct view id_body = view_of(id, unhex("01000000c0000201", id, sizeof(id)));
        assert_int_equal(keys_auth_hash(&sa, skeyid, true, id_body, out), ERR_OK);
        assert_hex(out, c->hash_i);
        assert_int_equal(keys_auth_hash(&sa, skeyid, false, id_body, out), ERR_OK);
        assert_hex(out, c->hash_r);
        assert_int_equal(keys_exchange_iv(&sa, MESSAGE_ID, out), ERR_OK);
        assert_hex(out, c->exchange_iv);
    }
}

/* SKEYID of signatures is made of nonces and g^xy; with ECDSA HASH_I and HASH_R are made with the curve's own hash. */
static void keys_of_signatures_follow_the_rfc(void **state)
{
    (void)state;
    static const struct {
        enum ike_auth auth;
        size_t size;
        const char *hash_i, *hash_r;
    } methods[] = {
        {IKE_AUTH_RSA, 20, "079eb3870ac3de9b7a92cfe2e4eb396949b14c41", "572aadd0307712f2ea20bee6b49d6615a4f87327"},
        {IKE_AUTH_ECDSA_256, 32, "2e15e279855471feb78abf749a34be0955dcca52de3159ba488bc6685ad5ed0e",
         "364e107f8d13af614c25a6db89b1e5573320b826eb65a401d19ee6b3c7e19fc6"},
        {IKE_AUTH_ECDSA_384, 48,
         "7fb0dd882ca16a738eed67cbf0231196ac3a4257befd7291cafd6e1bae09e65e490400484c5b840313d2b14fd00a4455",
         "7e4ad4cec452338f3bc9bb6b267788c11fbf85f9891c28b6f08551a29b8830ae13fecc177c5e12295a7e071ed56e35dc"},
        {IKE_AUTH_ECDSA_521, 64,
         "e8c3ffe1b25b369600b5943c39ed0efe352fe302507f3549ca83f7d827b9a9bb"
         "a7d3410a8ae3fdc5e525bfc209fcd0094ef6de98c8c2570f871af23f086da90f",
         "f0902a813feab6d809a253913df54a41c4253ce2011d84640fceb26ffc720c34"
         "2317f7b5587e3181d5e5d12bfc0bf6f18dffbba66e4e0be325784adcebea03be"},
    };
    static struct phase1 p;
    struct sa sa;
    uint8_t skeyid[HASH_SIZE_MAX], out[HASH_SIZE_MAX], id[8];
    const struct view id_body = view_of(id, unhex("01000000c0000201", id, sizeof(id)));
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        set_up(&sa, &p, &schedules[0]);
        sa.suite.auth = methods[i].auth;
        assert_int_equal(keys_derive(&sa, VIEW_NONE, skeyid, &sa.keys), ERR_OK);
        assert_hex(sa.keys.skeyid_a, "7a09fa387317d7f49b190fec96678088e2d24c04");
        assert_int_equal(keys_auth_size(&sa), methods[i].size);
        assert_int_equal(keys_auth_hash(&sa, skeyid, true, id_body, out), ERR_OK);
        assert_hex(out, methods[i].hash_i);
        assert_int_equal(keys_auth_hash(&sa, skeyid, false, id_body, out), ERR_OK);
        assert_hex(out, methods[i].hash_r);
    }
}

static void quick_mode_keys_follow_the_rfc(void **state)
{
    (void)state;
    static struct phase1 p;
    static struct quick_work w;
    struct sa sa;
    uint8_t skeyid[HASH_SIZE_MAX], out[KEYMAT_MAX];
    for (size_t i = 0; i < ARRAY_LEN(schedules); i++) {
        const struct schedule *c = &schedules[i];
        set_up(&sa, &p, c);
        assert_int_equal(keys_derive(&sa, view_str("vpn-secret-1"), skeyid, &sa.keys), ERR_OK);
        w = (struct quick_work){.nonce_i_len = p.nonce_i_len, .nonce_r_len = p.nonce_r_len};
        memcpy(w.nonce_i, p.nonce_i, sizeof(w.nonce_i));
        memcpy(w.nonce_r, p.nonce_r, sizeof(w.nonce_r));
        assert_int_equal(keys_esp(&sa.keys, &w, SPI, 52, out), ERR_OK);
        assert_hex(out, c->keymat);
        memcpy(w.shared, p.shared, p.shared_len);
        w.shared_len = p.shared_len;
        assert_int_equal(keys_esp(&sa.keys, &w, SPI, 52, out), ERR_OK);
        assert_hex(out, c->keymat_pfs);
        assert_int_equal(keys_message_hash(&sa.keys, true, MESSAGE_ID, view_of(w.nonce_i, w.nonce_i_len),
                                           view_of(w.nonce_r, w.nonce_r_len), VIEW_NONE, out),
                         ERR_OK);
        assert_hex(out, c->hash_3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(main_mode_keys_follow_the_rfc),
        cmocka_unit_test(keys_of_signatures_follow_the_rfc),
        cmocka_unit_test(quick_mode_keys_follow_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
