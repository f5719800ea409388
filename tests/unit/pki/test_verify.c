/* What a peer shows, and the one reason for which it is refused. */
#include "tests/unit/pki/rig.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct world {
    struct pki_ca *ca;
    struct pki_trust *trust;
};

static int setup(void **state)
{
    static struct world w;
    w.ca = rig_ca("Example Root", NULL);
    w.trust = rig_trust(w.ca);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    pki_trust_free(w->trust);
    pki_ca_free(w->ca);
    return 0;
}

static void a_good_certificate_and_its_signature_are_taken(void **state)
{
    struct world *w = *state;
    static const enum pki_kind kinds[] = {PKI_KIND_RSA_2048, PKI_KIND_RSA_4096, PKI_KIND_ECDSA_256, PKI_KIND_ECDSA_384};
    static const enum pki_key keys[] = {PKI_KEY_RSA, PKI_KEY_RSA, PKI_KEY_ECDSA_256, PKI_KEY_ECDSA_384};
    static const size_t sizes[] = {256, 512, 64, 96};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct rig_peer p;
        struct pki_plan plan = rig_plan("alice", NULL);
        plan.kind = kinds[i];
        struct pki_issued issued = rig_issue(w->ca, &plan);
        rig_peer(&p, &issued, NULL);
        assert_int_equal(p.shown.key, keys[i]);
        assert_int_equal(p.shown.signature.n, sizes[i]);
        rig_expect(w->trust, &p, NOW, CAUSE_NONE, NULL);
        rig_peer_done(&p);
        pki_issued_done(&issued);
    }
}

/* One peer in many guises. */
static void each_fault_has_its_cause(void **state)
{
    struct world *w = *state;
    struct rig_peer p;
    struct pki_plan plan = rig_plan("alice", NULL);
    struct pki_issued issued = rig_issue(w->ca, &plan);
    struct pki_ca *other = rig_ca("Other Root", NULL);
    struct pki_trust *others = rig_trust(other);
    rig_peer(&p, &issued, NULL);

    rig_expect(w->trust, &p, NOW + 366 * DAY, CAUSE_CERT_EXPIRED, "CN=alice expired on 2028-01-15");
    rig_expect(w->trust, &p, NOW - 2 * DAY, CAUSE_CERT_NOT_YET, "CN=alice is good from 2027-01-14");
    rig_expect(others, &p, NOW, CAUSE_CERT_UNKNOWN_CA, "CN=alice was issued by CN=Example Root");

    p.signature[5] ^= 1;
    rig_expect(w->trust, &p, NOW, CAUSE_CERT_SIGNATURE, "not made with the key of CN=alice");
    p.signature[5] ^= 1;
    p.shown.signature.n--;
    rig_expect(w->trust, &p, NOW, CAUSE_CERT_SIGNATURE, NULL);
    p.shown.signature.n++;
    p.shown.key = PKI_KEY_RSA;
    rig_expect(w->trust, &p, NOW, CAUSE_CERT_SIGNATURE, "The signature is RSA, the key of CN=alice is ECDSA-256");
    p.shown.key = PKI_KEY_ECDSA_256;

    p.shown.server = true;
    rig_expect(w->trust, &p, NOW, CAUSE_CERT_USAGE, "not for servers");
    p.shown.server = false;

    size_t n = p.shown.certificate_count;
    p.shown.certificate_count = 0;
    rig_expect(w->trust, &p, NOW, CAUSE_CERT_NONE, NULL);
    p.shown.certificate_count = n;
    rig_expect(w->trust, &p, NOW, CAUSE_NONE, NULL);

    rig_peer_done(&p);
    pki_issued_done(&issued);
    pki_trust_free(others);
    pki_ca_free(other);
}

static void an_authority_of_the_same_name_is_not_the_same(void **state)
{
    struct world *w = *state;
    struct pki_ca *forged = rig_ca("Example Root", NULL);
    struct pki_plan plan = rig_plan("alice", NULL);
    struct pki_issued issued = rig_issue(forged, &plan);
    struct rig_peer p;
    rig_peer(&p, &issued, NULL);
    rig_expect(w->trust, &p, NOW, CAUSE_CERT_UNKNOWN_CA, NULL);
    rig_peer_done(&p);
    pki_issued_done(&issued);
    pki_ca_free(forged);
}

/* ---- chains ---- */

static void intermediates_are_sent_along_in_any_order(void **state)
{
    struct world *w = *state;
    struct pki_ca *middle = rig_ca("Example Middle", w->ca), *low = rig_ca("Example Low", middle);
    struct pki_bytes middle_pem = rig_ca_pem(middle), low_pem = rig_ca_pem(low), both = {0};
    char text[32 * 1024];
    struct pki_plan plan = rig_plan("alice", NULL);
    struct pki_issued issued = rig_issue(low, &plan);
    struct rig_peer p;
    struct view turned[3];
    both.n = (size_t)snprintf(text, sizeof text, "%s%s", middle_pem.p, low_pem.p); /* in the wrong order */
    both.p = text;
    rig_peer(&p, &issued, &both);
    assert_int_equal(p.shown.certificate_count, 3);
    rig_expect(w->trust, &p, NOW, CAUSE_NONE, NULL);

    for (size_t i = 0; i < 3; i++)
        turned[i] = p.shown.certificates[2 - i];
    p.shown.certificates = turned;
    rig_expect(w->trust, &p, NOW, CAUSE_NONE, NULL);

    p.shown.certificate_count = 1; /* the middle authority alone */
    rig_expect(w->trust, &p, NOW, CAUSE_CERT_USAGE, "CN=Example Middle is that of an authority");
    p.shown.certificates = &turned[2];
    rig_expect(w->trust, &p, NOW, CAUSE_CERT_UNKNOWN_CA, "CN=alice was issued by CN=Example Low");

    struct pki_trust *middle_alone = rig_trust(middle); /* an authority need not be a root */
    p.shown.certificates = turned;
    p.shown.certificate_count = 3;
    rig_expect(middle_alone, &p, NOW, CAUSE_NONE, NULL);
    pki_trust_free(middle_alone);

    rig_peer_done(&p);
    pki_issued_done(&issued);
    pki_bytes_free(&middle_pem);
    pki_bytes_free(&low_pem);
    pki_ca_free(low);
    pki_ca_free(middle);
}

/* Windows sends a chain as one PKCS#7 bundle. */
static void a_bundle_counts_as_the_certificates_in_it(void **state)
{
    struct world *w = *state;
    struct pki_ca *middle = rig_ca("Example Middle", w->ca);
    struct pki_bytes middle_pem = rig_ca_pem(middle);
    struct pki_plan plan = rig_plan("alice", NULL);
    struct pki_issued issued = rig_issue(middle, &plan);
    struct rig_peer p;
    rig_peer(&p, &issued, &middle_pem);

    PKCS7 *bundle = PKCS7_new();
    uint8_t *der = NULL;
    assert_int_equal(PKCS7_set_type(bundle, NID_pkcs7_signed), 1);
    assert_int_equal(PKCS7_content_new(bundle, NID_pkcs7_data), 1);
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *at = p.shown.certificates[i].p;
        X509 *x = d2i_X509(NULL, &at, (long)p.shown.certificates[i].n);
        assert_int_equal(PKCS7_add_certificate(bundle, x), 1);
        X509_free(x);
    }
    int n = i2d_PKCS7(bundle, &der);
    assert_true(n > 0);
    const struct view one = view_of(der, (size_t)n);
    p.shown.certificates = &one;
    p.shown.certificate_count = 1;
    rig_expect(w->trust, &p, NOW, CAUSE_NONE, NULL);

    OPENSSL_free(der);
    PKCS7_free(bundle);
    rig_peer_done(&p);
    pki_issued_done(&issued);
    pki_bytes_free(&middle_pem);
    pki_ca_free(middle);
}

static void what_cannot_be_read_is_no_certificate(void **state)
{
    struct world *w = *state;
    struct rig_peer p = {0};
    static const uint8_t rubbish[] = {0x30, 0x82, 0xff, 0xff, 0x00};
    const struct view one = VIEW(rubbish);
    p.shown.certificates = &one;
    p.shown.certificate_count = 1;
    rig_expect(w->trust, &p, NOW, CAUSE_CERT_NONE, "Certificate 1 of those sent cannot be read.");
}

/* ---- names ---- */

static void named(const struct world *w, const char *san, uint8_t type, const void *body, size_t n, const char *expect,
                  enum cause cause)
{
    struct pki_plan plan = rig_plan("vpn", san != NULL ? &san : NULL);
    struct rig_peer p;
    plan.server = true;
    struct pki_issued issued = rig_issue(w->ca, &plan);
    rig_peer(&p, &issued, NULL);
    if (type != 0)
        p.shown.id = (struct pki_id){type, view_of(body, n)};
    p.shown.expect = expect;
    rig_expect(w->trust, &p, NOW, cause, NULL);
    rig_peer_done(&p);
    pki_issued_done(&issued);
}

static void the_identity_must_stand_in_the_certificate(void **state)
{
    const struct world *w = *state;
    named(w, "vpn.example.com", PKI_ID_FQDN, "vpn.example.com", 15, NULL, CAUSE_NONE);
    named(w, "vpn.example.com", PKI_ID_FQDN, "VPN.Example.Com", 15, NULL, CAUSE_NONE);
    named(w, "vpn.example.com", PKI_ID_FQDN, "vpx.example.com", 15, NULL, CAUSE_CERT_NAME);
    named(w, "vpn.example.com", PKI_ID_FQDN, ".example.com", 12, NULL, CAUSE_CERT_NAME);
    named(w, "vpn.example.com", PKI_ID_FQDN, "vpn.example.com\0.evil", 21, NULL, CAUSE_CERT_NAME);
    named(w, NULL, PKI_ID_FQDN, "vpn", 3, NULL, CAUSE_CERT_NAME); /* the subject is no host name */
    named(w, "192.0.2.1", PKI_ID_IPV4, "\xc0\x00\x02\x01", 4, NULL, CAUSE_NONE);
    named(w, "192.0.2.1", PKI_ID_IPV4, "\xc0\x00\x02\x02", 4, NULL, CAUSE_CERT_NAME);
    named(w, "192.0.2.1", PKI_ID_FQDN, "192.0.2.1", 9, NULL, CAUSE_CERT_NAME);
    named(w, "2001:db8::1", PKI_ID_IPV6, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16, NULL, CAUSE_NONE);
    named(w, "alice@example.com", PKI_ID_USER_FQDN, "alice@example.com", 17, NULL, CAUSE_NONE);
    named(w, "alice@example.com", PKI_ID_USER_FQDN, "mallory@example.com", 19, NULL, CAUSE_CERT_NAME);
    named(w, "vpn.example.com", PKI_ID_DER_ASN1_DN, "\x30\x00", 2, NULL, CAUSE_CERT_NAME);
    named(w, "vpn.example.com", PKI_ID_KEY_ID, "vpn.example.com", 15, NULL, CAUSE_CERT_NAME);
    named(w, "vpn.example.com", PKI_ID_FQDN, "", 0, NULL, CAUSE_CERT_NAME);
}

static void the_expected_name_must_stand_in_it_too(void **state)
{
    const struct world *w = *state;
    named(w, "vpn.example.com", 0, NULL, 0, "vpn.example.com", CAUSE_NONE);
    named(w, "vpn.example.com", 0, NULL, 0, "other.example.com", CAUSE_CERT_NAME);
    named(w, "192.0.2.1", 0, NULL, 0, "192.0.2.1", CAUSE_NONE);
    named(w, "vpn.example.com", 0, NULL, 0, "192.0.2.1", CAUSE_CERT_NAME);
    named(w, "a@example.com", 0, NULL, 0, "a@example.com", CAUSE_NONE);
    named(w, NULL, 0, NULL, 0, "CN=vpn", CAUSE_NONE);
    named(w, NULL, 0, NULL, 0, "CN=vpx", CAUSE_CERT_NAME);
    named(w, NULL, 0, NULL, 0, "CN=vpn, O=Example", CAUSE_CERT_NAME);
    named(w, NULL, 0, NULL, 0, "nonsense=", CAUSE_CERT_NAME);
}

/* ---- certificates that our authority would not make ---- */

struct odd {
    const char *usage, *extended, *names;
    const EVP_MD *digest;
    int rsa_bits; /* 0: P-256 */
};

static X509 *read_x509(const struct pki_bytes *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return x;
}

static EVP_PKEY *read_key(const struct pki_bytes *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
    EVP_PKEY *k = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return k;
}

static void add(X509 *x, int nid, const char *value)
{
    if (value == NULL)
        return;
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

static struct pki_bytes pem_of(BIO *bio)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);
    struct pki_bytes out = {calloc(1, (size_t)n + 1), (size_t)n};
    memcpy(out.p, p, (size_t)n);
    BIO_free(bio);
    return out;
}

static void oddly(const struct world *w, const struct odd *odd, enum cause cause, const char *detail)
{
    struct pki_bytes ca_pem = {0}, ca_key_pem = {0};
    struct pki_issued issued = {0};
    struct rig_peer p;
    assert_int_equal(pki_ca_pem(w->ca, &ca_pem, &ca_key_pem), ERR_OK);
    X509 *ca = read_x509(&ca_pem), *x = X509_new();
    EVP_PKEY *ca_key = read_key(&ca_key_pem),
             *key = odd->rsa_bits != 0 ? EVP_RSA_gen(odd->rsa_bits) : EVP_EC_gen("P-256");
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const uint8_t *)"odd", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(ca));
    ASN1_TIME_set(X509_getm_notBefore(x), NOW - DAY);
    ASN1_TIME_set(X509_getm_notAfter(x), NOW + DAY);
    X509_set_pubkey(x, key);
    add(x, NID_key_usage, odd->usage);
    add(x, NID_ext_key_usage, odd->extended);
    add(x, NID_subject_alt_name, odd->names);
    assert_true(X509_sign(x, ca_key, odd->digest != NULL ? odd->digest : EVP_sha256()) > 0);

    BIO *out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, x);
    issued.certificate = pem_of(out);
    out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    issued.key = pem_of(out);
    rig_peer(&p, &issued, NULL);
    rig_expect(w->trust, &p, NOW, cause, detail);

    rig_peer_done(&p);
    pki_issued_done(&issued);
    pki_bytes_free(&ca_pem);
    pki_bytes_free(&ca_key_pem);
    X509_free(x);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
}

static void usages_are_those_of_rfc_4945(void **state)
{
    const struct world *w = *state;
    oddly(w, &(struct odd){0}, CAUSE_NONE, NULL); /* none at all is good for all */
    oddly(w, &(struct odd){.usage = "digitalSignature"}, CAUSE_NONE, NULL);
    oddly(w, &(struct odd){.usage = "nonRepudiation"}, CAUSE_NONE, NULL);
    oddly(w, &(struct odd){.usage = "keyEncipherment"}, CAUSE_CERT_USAGE, "without digitalSignature");
    oddly(w, &(struct odd){.extended = "1.3.6.1.5.5.8.2.2"}, CAUSE_NONE, NULL);
    oddly(w, &(struct odd){.extended = "anyExtendedKeyUsage"}, CAUSE_NONE, NULL);
    oddly(w, &(struct odd){.extended = "codeSigning"}, CAUSE_CERT_USAGE, "not for clients");
    oddly(w, &(struct odd){.extended = "serverAuth,1.3.6.1.5.5.8.2.2"}, CAUSE_CERT_USAGE, "not for clients");
    oddly(w, &(struct odd){.extended = "emailProtection,clientAuth"}, CAUSE_NONE, NULL);
}

static void what_is_weak_is_refused(void **state)
{
    const struct world *w = *state;
    oddly(w, &(struct odd){.digest = EVP_sha1()}, CAUSE_CERT_WEAK, "CN=odd: CA signature digest algorithm too weak");
    oddly(w, &(struct odd){.rsa_bits = 1024}, CAUSE_CERT_WEAK, "CN=odd: EE certificate key too weak");
    oddly(w, &(struct odd){.rsa_bits = 2048}, CAUSE_NONE, NULL);
}

static void a_wildcard_names_nobody(void **state)
{
    const struct world *w = *state;
    named(w, NULL, PKI_ID_FQDN, "vpn.example.com", 15, NULL, CAUSE_CERT_NAME);
    char why[PKI_WHY_MAX];
    const char *star = "DNS:*.example.com";
    struct pki_plan plan = rig_plan("vpn", &star);
    struct pki_issued issued;
    assert_int_equal(pki_issue(w->ca, &plan, &issued, why), ERR_INVALID);
    oddly(w, &(struct odd){.names = "DNS:*.example.com"}, CAUSE_NONE, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_certificate_and_its_signature_are_taken),
        cmocka_unit_test(each_fault_has_its_cause),
        cmocka_unit_test(an_authority_of_the_same_name_is_not_the_same),
        cmocka_unit_test(intermediates_are_sent_along_in_any_order),
        cmocka_unit_test(a_bundle_counts_as_the_certificates_in_it),
        cmocka_unit_test(what_cannot_be_read_is_no_certificate),
        cmocka_unit_test(the_identity_must_stand_in_the_certificate),
        cmocka_unit_test(the_expected_name_must_stand_in_it_too),
        cmocka_unit_test(usages_are_those_of_rfc_4945),
        cmocka_unit_test(what_is_weak_is_refused),
        cmocka_unit_test(a_wildcard_names_nobody),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
