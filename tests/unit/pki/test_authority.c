/* The authority: what it makes, what it refuses to make, and that it is the same after it was read back. */
#include "tests/unit/pki/rig.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void it_is_the_same_after_it_was_read_back(void **state)
{
    (void)state;
    char why[PKI_WHY_MAX];
    struct pki_ca *ca = rig_ca("Example Root", NULL), *again = NULL;
    struct pki_trust *trust = rig_trust(ca);
    struct pki_bytes certificate = {0}, key = {0};
    struct pki_plan plan = rig_plan("alice", NULL);
    struct rig_peer p;
    assert_int_equal(pki_ca_pem(ca, &certificate, &key), ERR_OK);
    assert_int_equal(pki_ca_read(bytes_view(&certificate), bytes_view(&key), &again, why), ERR_OK);
    struct pki_issued issued = rig_issue(again, &plan);
    rig_peer(&p, &issued, NULL);
    rig_expect(trust, &p, NOW, CAUSE_NONE, NULL);
    rig_peer_done(&p);

    struct pki_ca *none = NULL;
    assert_int_equal(pki_ca_read(bytes_view(&certificate), bytes_view(&issued.key), &none, why), ERR_INVALID);
    assert_string_equal(why, "The key of the authority is not that of its certificate.");
    assert_int_equal(pki_ca_read(bytes_view(&issued.certificate), bytes_view(&issued.key), &none, why), ERR_INVALID);
    assert_string_equal(why, "The certificate of the authority may not sign certificates.");

    pki_issued_done(&issued);
    pki_bytes_free(&certificate);
    pki_bytes_free(&key);
    pki_trust_free(trust);
    pki_ca_free(again);
    pki_ca_free(ca);
}

static void a_certificate_tells_what_it_is_for(void **state)
{
    (void)state;
    static const char *const sans[] = {"vpn.example.com", "IP:192.0.2.1", "email:root@example.com", "2001:db8::1"};
    struct pki_ca *ca = rig_ca("Example Root", NULL);
    struct pki_plan plan = rig_plan("vpn.example.com", NULL);
    struct pki_info info;
    plan.sans = sans;
    plan.san_count = ARRAY_LEN(sans);
    plan.server = true;
    plan.client = false;
    plan.crl_url = "http://pki.example.com:8080/ca.crl";
    plan.ocsp_url = "http://pki.example.com/ocsp";
    struct pki_issued issued = rig_issue(ca, &plan);
    assert_int_equal(pki_info_read(bytes_view(&issued.certificate), &info), ERR_OK);
    assert_string_equal(info.subject, "CN=vpn.example.com");
    assert_string_equal(info.issuer, "CN=Example Root");
    assert_string_equal(info.serial, issued.serial);
    assert_true(info.server && !info.client && !info.authority);

    BIO *in = BIO_new_mem_buf(issued.certificate.p, (int)issued.certificate.n), *out = BIO_new(BIO_s_mem());
    X509 *x = PEM_read_bio_X509(in, NULL, NULL, NULL);
    char *text;
    X509_print(out, x);
    BIO_write(out, "", 1);
    BIO_get_mem_data(out, &text);
    static const char *const wanted[] = {
        "DNS:vpn.example.com, IP Address:192.0.2.1, email:root@example.com, IP Address:2001:DB8:0:0:0:0:0:1",
        "TLS Web Server Authentication, ipsec Internet Key Exchange, 1.3.6.1.5.5.8.2.2",
        "URI:http://pki.example.com:8080/ca.crl",
        "OCSP - URI:http://pki.example.com/ocsp",
        "CA:FALSE",
        "Digital Signature",
        "X509v3 Authority Key Identifier",
    };
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (strstr(text, wanted[i]) == NULL)
            fail_msg("\"%s\" is missing in:\n%s", wanted[i], text);
    X509_free(x);
    BIO_free(in);
    BIO_free(out);
    pki_issued_done(&issued);
    pki_ca_free(ca);
}

static void refused(const struct pki_ca *ca, const struct pki_plan *plan, const char *said)
{
    char why[PKI_WHY_MAX] = "";
    struct pki_issued issued;
    assert_int_equal(pki_issue(ca, plan, &issued, why), ERR_INVALID);
    if (strstr(why, said) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", why, said);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct pki_ca *ca = rig_ca("Example Root", NULL);
    struct pki_plan plan = rig_plan("", NULL);
    refused(ca, &plan, "A name is 1 to 64 characters");
    plan.name = "01234567890123456789012345678901234567890123456789012345678901234";
    refused(ca, &plan, "A name is 1 to 64 characters");
    plan.name = "\xff\xfe";
    refused(ca, &plan, "A name is 1 to 64 characters");
    plan.name = "alice";
    plan.client = false;
    refused(ca, &plan, "for a server, a client or both");
    plan.client = true;
    plan.until = plan.from;
    refused(ca, &plan, "must end after it begins");
    plan.until = plan.from + DAY;
    static const char *const bad[] = {"*.example.com", "a,DNS:evil", "IP:1.2.3", "email:nobody", "", "DNS:", "a b"};
    plan.san_count = 1;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        plan.sans = &bad[i];
        refused(ca, &plan, "is no host name, address or mail address");
    }
    plan.san_count = 0;
    plan.crl_url = "http://a,URI:http://b";
    refused(ca, &plan, "is no address of the form http://HOST/PATH");
    plan.crl_url = "https://a/";
    refused(ca, &plan, "is no address of the form http://HOST/PATH");
    pki_ca_free(ca);
}

static void nothing_outlives_its_authority(void **state)
{
    (void)state;
    struct pki_ca *ca = rig_ca("Example Root", NULL);
    struct pki_plan plan = rig_plan("alice", NULL);
    plan.until = NOW + 36500 * DAY;
    struct pki_issued issued = rig_issue(ca, &plan);
    assert_int_equal(issued.until, NOW + 3650 * DAY);
    pki_issued_done(&issued);
    pki_ca_free(ca);
}

static void only_authorities_are_trusted(void **state)
{
    (void)state;
    char why[PKI_WHY_MAX], text[32 * 1024];
    struct pki_ca *a = rig_ca("A", NULL), *b = rig_ca("B", NULL);
    struct pki_bytes a_pem = rig_ca_pem(a), b_pem = rig_ca_pem(b);
    struct pki_plan plan = rig_plan("alice", NULL);
    struct pki_issued issued = rig_issue(a, &plan);
    struct pki_trust *t = pki_trust_new();
    size_t n, count;
    assert_int_equal(pki_trust_add_authorities(t, bytes_view(&issued.certificate), why), ERR_INVALID);
    assert_string_equal(why, "CN=alice is no authority: it may not sign certificates.");
    assert_int_equal(pki_trust_add_authorities(t, bytes_view(&issued.key), why), ERR_NOTFOUND);
    n = (size_t)snprintf(text, sizeof text, "%s%s%s", a_pem.p, b_pem.p, a_pem.p);
    assert_int_equal(pki_trust_add_authorities(t, view_of(text, n), why), ERR_OK);
    (void)pki_trust_names(t, &count);
    assert_int_equal(count, 2);
    assert_int_equal(pki_trust_add_crls(t, bytes_view(&a_pem), why), ERR_NOTFOUND);
    assert_int_equal(pki_trust_add_crls(t, VIEW_NONE, why), ERR_MALFORMED);
    pki_trust_free(t);
    pki_issued_done(&issued);
    pki_bytes_free(&a_pem);
    pki_bytes_free(&b_pem);
    pki_ca_free(a);
    pki_ca_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_same_after_it_was_read_back), cmocka_unit_test(a_certificate_tells_what_it_is_for),
        cmocka_unit_test(what_makes_no_sense_is_refused),        cmocka_unit_test(nothing_outlives_its_authority),
        cmocka_unit_test(only_authorities_are_trusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
