/* Credentials out of PEM and PKCS#12, with and without passwords, and what is said of those that will not do. */
#include "tests/unit/pki/rig.h"

#include <openssl/pem.h>

struct world {
    struct pki_ca *ca, *middle;
    struct pki_bytes root_pem, middle_pem;
    struct pki_issued issued;
};

static int setup(void **state)
{
    static struct world w;
    struct pki_plan plan = rig_plan("alice", NULL);
    w.ca = rig_ca("Example Root", NULL);
    w.middle = rig_ca("Example Middle", w.ca);
    w.root_pem = rig_ca_pem(w.ca);
    w.middle_pem = rig_ca_pem(w.middle);
    w.issued = rig_issue(w.middle, &plan);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    pki_issued_done(&w->issued);
    pki_bytes_free(&w->root_pem);
    pki_bytes_free(&w->middle_pem);
    pki_ca_free(w->middle);
    pki_ca_free(w->ca);
    return 0;
}

/* Alice's certificate, then the middle authority; the root is the peer's to know. */
static void is_alice(const struct pki_credential *c)
{
    size_t certificates, issuers;
    int64_t from, until;
    (void)pki_credential_certificates(c, &certificates);
    (void)pki_credential_issuers(c, &issuers);
    pki_credential_dates(c, &from, &until);
    assert_int_equal(certificates, 2);
    assert_int_equal(issuers, 2);
    assert_string_equal(pki_credential_subject(c), "CN=alice");
    assert_int_equal(pki_credential_key(c), PKI_KEY_ECDSA_256);
    assert_int_equal(pki_credential_id(c).type, PKI_ID_DER_ASN1_DN);
    assert_int_equal(from, NOW - DAY);
    assert_int_equal(until, NOW + 365 * DAY);
}

static void reads(struct view file, struct view key, const char *password)
{
    char why[PKI_WHY_MAX];
    struct pki_credential *c = NULL;
    if (pki_credential_read(file, key, password, &c, why) != ERR_OK)
        fail_msg("%s", why);
    is_alice(c);
    pki_credential_free(c);
}

static void refuses(struct view file, struct view key, const char *password, enum err e, const char *said)
{
    char why[PKI_WHY_MAX] = "";
    struct pki_credential *c = NULL;
    enum err got = pki_credential_read(file, key, password, &c, why);
    if (got != e || strstr(why, said) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", err_text(got), why, said);
    assert_null(c);
}

static void pem_in_any_order_in_one_file_or_two(void **state)
{
    struct world *w = *state;
    char text[32 * 1024];
    size_t n = (size_t)snprintf(text, sizeof text, "a remark\n%s%s%s\n%s", w->root_pem.p, w->middle_pem.p,
                                w->issued.key.p, w->issued.certificate.p);
    reads(view_of(text, n), VIEW_NONE, NULL);
    n = (size_t)snprintf(text, sizeof text, "%s%s", w->issued.certificate.p, w->middle_pem.p);
    reads(view_of(text, n), bytes_view(&w->issued.key), NULL);
    refuses(view_of(text, n), VIEW_NONE, NULL, ERR_NOTFOUND, "There is no private key in it that can be read.");
    refuses(bytes_view(&w->issued.key), VIEW_NONE, NULL, ERR_NOTFOUND, "There is no certificate in it.");
    refuses(bytes_view(&w->middle_pem), bytes_view(&w->issued.key), NULL, ERR_NOTFOUND,
            "No certificate in it belongs to the private key.");
    refuses(view_of("nothing", 7), VIEW_NONE, NULL, ERR_MALFORMED, "It is neither PEM nor PKCS#12.");
    refuses(VIEW_NONE, VIEW_NONE, NULL, ERR_MALFORMED, "It is neither PEM nor PKCS#12.");
    text[100] = '!';
    refuses(view_of(text, n), bytes_view(&w->issued.key), NULL, ERR_MALFORMED, "Certificate 1 in it is damaged.");
}

static void an_encrypted_key_wants_its_password(void **state)
{
    struct world *w = *state;
    char text[32 * 1024];
    BIO *in = BIO_new_mem_buf(w->issued.key.p, (int)w->issued.key.n), *out = BIO_new(BIO_s_mem());
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    const char *pem;
    PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), "secret", 6, NULL, NULL);
    long n = BIO_get_mem_data(out, &pem);
    size_t files = (size_t)snprintf(text, sizeof text, "%s%s", w->issued.certificate.p, w->middle_pem.p);
    struct view locked = view_of(pem, (size_t)n), certificates = view_of(text, files);
    reads(certificates, locked, "secret");
    refuses(certificates, locked, "Secret", ERR_AUTH, "The password of the private key is wrong.");
    refuses(certificates, locked, NULL, ERR_AUTH, "The private key is encrypted and wants a password.");
    EVP_PKEY_free(key);
    BIO_free(in);
    BIO_free(out);
}

static void pkcs12_of_both_kinds(void **state)
{
    struct world *w = *state;
    for (int how = PKI_P12_COMPATIBLE; how <= PKI_P12_MODERN; how++) {
        char why[PKI_WHY_MAX], above[16 * 1024];
        struct pki_bytes p12 = {0};
        size_t n = (size_t)snprintf(above, sizeof above, "%s%s", w->middle_pem.p, w->root_pem.p);
        assert_int_equal(pki_p12_write(bytes_view(&w->issued.certificate), bytes_view(&w->issued.key),
                                       view_of(above, n), "alice", "secret", (enum pki_p12)how, &p12, why),
                         ERR_OK);
        reads(bytes_view(&p12), VIEW_NONE, "secret");
        refuses(bytes_view(&p12), VIEW_NONE, "Secret", ERR_AUTH, "Its password is wrong.");
        refuses(bytes_view(&p12), VIEW_NONE, NULL, ERR_AUTH, "It is encrypted and wants a password.");
        p12.p[p12.n / 2] ^= 1;
        refuses(bytes_view(&p12), VIEW_NONE, "secret", ERR_AUTH, "Its password is wrong.");
        pki_bytes_free(&p12);
    }
}

static void a_key_that_cannot_sign_in_ikev1_is_refused(void **state)
{
    struct world *w = *state;
    static const char ed25519[] = "-----BEGIN PRIVATE KEY-----\n"
                                  "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                                  "-----END PRIVATE KEY-----\n";
    refuses(bytes_view(&w->issued.certificate), view_str(ed25519), NULL, ERR_UNSUPPORTED, "cannot sign in IKEv1");
}

/* The values of RFC 2409 5.1 as plain RSA makes them: 00 01 ff .. ff 00 and the hash, without a DigestInfo. */
static void rsa_signs_the_hash_as_it_is(void **state)
{
    struct world *w = *state;
    struct pki_plan plan = rig_plan("alice", NULL);
    struct rig_peer p;
    uint8_t opened[256];
    size_t n = sizeof opened;
    plan.kind = PKI_KIND_RSA_2048;
    struct pki_issued issued = rig_issue(w->ca, &plan);
    rig_peer(&p, &issued, NULL);
    BIO *in = BIO_new_mem_buf(issued.key.p, (int)issued.key.n);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_encrypt(ctx, opened, &n, p.signature, p.shown.signature.n), 1);
    assert_int_equal(n, 256);
    assert_memory_equal(opened, "\0\1\xff\xff", 4);
    assert_int_equal(opened[256 - 20 - 1], 0);
    assert_memory_equal(opened + 256 - 20, HASH, 20);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    BIO_free(in);
    rig_peer_done(&p);
    pki_issued_done(&issued);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pem_in_any_order_in_one_file_or_two),
        cmocka_unit_test(an_encrypted_key_wants_its_password),
        cmocka_unit_test(pkcs12_of_both_kinds),
        cmocka_unit_test(a_key_that_cannot_sign_in_ikev1_is_refused),
        cmocka_unit_test(rsa_signs_the_hash_as_it_is),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
