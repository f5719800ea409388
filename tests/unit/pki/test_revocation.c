/* CRLs and OCSP answers about the links of a chain: whom they are believed from, and when. */
#include "tests/unit/pki/rig.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct world {
    struct pki_ca *root, *middle, *stranger;
    struct pki_trust *trust;
    struct pki_bytes middle_pem;
    struct pki_issued issued;
    struct rig_peer peer;
    struct pki_chain *chain; /* alice, middle, root */
};

static int setup(void **state)
{
    static struct world w;
    struct pki_plan plan = rig_plan("alice", NULL);
    struct pki_verdict v;
    w.root = rig_ca("Example Root", NULL);
    w.middle = rig_ca("Example Middle", w.root);
    w.stranger = rig_ca("Example Middle", NULL);
    w.trust = rig_trust(w.root);
    w.middle_pem = rig_ca_pem(w.middle);
    plan.crl_url = "http://pki.example.com/middle.crl";
    plan.ocsp_url = "http://pki.example.com/ocsp";
    w.issued = rig_issue(w.middle, &plan);
    rig_peer(&w.peer, &w.issued, &w.middle_pem);
    pki_verify(w.trust, &w.peer.shown, NOW, &v);
    w.chain = v.chain;
    *state = &w;
    return v.cause;
}

static int teardown(void **state)
{
    struct world *w = *state;
    pki_chain_free(w->chain);
    rig_peer_done(&w->peer);
    pki_issued_done(&w->issued);
    pki_bytes_free(&w->middle_pem);
    pki_trust_free(w->trust);
    pki_ca_free(w->stranger);
    pki_ca_free(w->middle);
    pki_ca_free(w->root);
    return 0;
}

static void a_chain_tells_where_to_ask(void **state)
{
    struct world *w = *state;
    struct pki_link link;
    assert_int_equal(pki_chain_length(w->chain), 3);
    pki_chain_link(w->chain, 0, &link);
    assert_string_equal(link.subject, "CN=alice");
    assert_string_equal(link.crl_url, "http://pki.example.com/middle.crl");
    assert_string_equal(link.ocsp_url, "http://pki.example.com/ocsp");
    assert_false(link.root || link.known);
    pki_chain_link(w->chain, 1, &link);
    assert_string_equal(link.subject, "CN=Example Middle");
    assert_string_equal(link.crl_url, "");
    pki_chain_link(w->chain, 2, &link);
    assert_true(link.root);
}

/* ---- CRLs ---- */

static struct pki_bytes crl_of(const struct pki_ca *ca, const char *serial, int64_t from, int64_t until)
{
    struct pki_bytes out = {0};
    struct pki_revoked revoked = {.at = NOW - 3 * DAY};
    snprintf(revoked.serial, sizeof revoked.serial, "%s", serial != NULL ? serial : "");
    assert_int_equal(pki_crl_write(ca, &revoked, serial != NULL, 7, from, until, &out), ERR_OK);
    return out;
}

static void crl_says(struct world *w, struct pki_bytes pem, enum pki_status status, const char *detail)
{
    struct pki_crl *crl = NULL;
    struct pki_revocation r;
    assert_int_equal(pki_crl_read(bytes_view(&pem), &crl), ERR_OK);
    pki_crl_judge(crl, w->chain, 0, NOW, &r);
    if (r.status != status || strstr(r.detail, detail) == NULL)
        fail_msg("status %d: \"%s\" does not say \"%s\"", r.status, r.detail, detail);
    pki_crl_free(crl);
    pki_bytes_free(&pem);
}

static void a_crl_is_believed_from_the_issuer_alone_and_while_it_is_good(void **state)
{
    struct world *w = *state;
    const char *alice = w->issued.serial;
    crl_says(w, crl_of(w->middle, NULL, NOW - DAY, NOW + DAY), PKI_STATUS_GOOD, "");
    crl_says(w, crl_of(w->middle, "0102", NOW - DAY, NOW + DAY), PKI_STATUS_GOOD, "");
    crl_says(w, crl_of(w->middle, alice, NOW - DAY, NOW + DAY), PKI_STATUS_REVOKED, "was revoked on 2027-01-12");
    crl_says(w, crl_of(w->middle, NULL, NOW - 3 * DAY, NOW - DAY), PKI_STATUS_UNKNOWN, "out of date since 2027-01-14");
    crl_says(w, crl_of(w->middle, alice, NOW - 3 * DAY, NOW - DAY), PKI_STATUS_REVOKED, "was revoked");
    crl_says(w, crl_of(w->middle, NULL, NOW + DAY, NOW + 2 * DAY), PKI_STATUS_UNKNOWN, "not yet valid");
    crl_says(w, crl_of(w->root, alice, NOW - DAY, NOW + DAY), PKI_STATUS_UNKNOWN, "of another issuer");
    crl_says(w, crl_of(w->stranger, alice, NOW - DAY, NOW + DAY), PKI_STATUS_UNKNOWN, "cannot be used");
}

static void crls_of_the_trust_are_asked_by_themselves(void **state)
{
    struct world *w = *state;
    char why[PKI_WHY_MAX];
    struct pki_trust *t = rig_trust(w->root);
    struct pki_bytes fine = crl_of(w->root, NULL, NOW - DAY, NOW + DAY), crl = {0};
    struct pki_verdict v;
    struct pki_link link;
    assert_int_equal(pki_trust_add_crls(t, bytes_view(&fine), why), ERR_OK);
    pki_verify(t, &w->peer.shown, NOW, &v);
    assert_int_equal(v.cause, CAUSE_NONE);
    pki_chain_link(v.chain, 0, &link);
    assert_false(link.known);
    pki_chain_link(v.chain, 1, &link);
    assert_true(link.known);
    pki_chain_free(v.chain);

    crl = crl_of(w->middle, w->issued.serial, NOW - DAY, NOW + DAY);
    assert_int_equal(pki_trust_add_crls(t, bytes_view(&crl), why), ERR_OK);
    rig_expect(t, &w->peer, NOW, CAUSE_CERT_REVOKED, "CN=alice was revoked on 2027-01-12");
    pki_trust_free(t);

    /* an authority that is revoked takes all below along */
    struct pki_info info;
    assert_int_equal(pki_info_read(bytes_view(&w->middle_pem), &info), ERR_OK);
    t = rig_trust(w->root);
    pki_bytes_free(&crl);
    crl = crl_of(w->root, info.serial, NOW - DAY, NOW + DAY);
    assert_int_equal(pki_trust_add_crls(t, bytes_view(&crl), why), ERR_OK);
    rig_expect(t, &w->peer, NOW, CAUSE_CERT_REVOKED, "CN=Example Middle was revoked on 2027-01-12");
    pki_trust_free(t);
    pki_bytes_free(&fine);
    pki_bytes_free(&crl);
}

static void what_is_no_crl_is_not_read(void **state)
{
    struct world *w = *state;
    struct pki_crl *crl = NULL;
    assert_int_equal(pki_crl_read(VIEW_NONE, &crl), ERR_MALFORMED);
    assert_int_equal(pki_crl_read(view_of("\x30\x03\x02\x01\x01", 5), &crl), ERR_MALFORMED);
    assert_int_equal(pki_crl_read(bytes_view(&w->middle_pem), &crl), ERR_MALFORMED);
    assert_null(crl);
}

/* ---- OCSP ---- */

#define NONCE ((struct view){(const uint8_t *)"0123456789abcdef", 16})

/* A responder of a few lines. */
struct answer {
    int status; /* V_OCSP_CERTSTATUS_... */
    int64_t from, until;
    const struct pki_ca *ca;     /* signs itself, unless there is a delegate */
    const struct pki_issued *by; /* the delegate */
    bool with_nonce, other_nonce;
};

static X509 *read_x509(struct view pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return x;
}

static EVP_PKEY *read_key(struct view pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *k = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return k;
}

static struct view respond(struct world *w, const struct answer *a)
{
    struct pki_bytes request_der = {0}, ca_pem = {0}, ca_key = {0};
    uint8_t *der = NULL;
    assert_int_equal(pki_ocsp_request(w->chain, 0, a->with_nonce ? NONCE : VIEW_NONE, &request_der), ERR_OK);
    const uint8_t *p = (const uint8_t *)request_der.p;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &p, (long)request_der.n);
    OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0));
    assert_int_equal(pki_ca_pem(a->ca, &ca_pem, &ca_key), ERR_OK);
    X509 *signer = read_x509(bytes_view(a->by != NULL ? &a->by->certificate : &ca_pem));
    EVP_PKEY *key = read_key(bytes_view(a->by != NULL ? &a->by->key : &ca_key));

    ASN1_TIME *from = ASN1_TIME_set(NULL, a->from), *until = a->until != 0 ? ASN1_TIME_set(NULL, a->until) : NULL;
    ASN1_TIME *since = ASN1_TIME_set(NULL, NOW - 3 * DAY);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_basic_add1_status(basic, id, a->status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
                           a->status == V_OCSP_CERTSTATUS_REVOKED ? since : NULL, from, until);
    if (a->with_nonce)
        OCSP_copy_nonce(basic, request);
    if (a->other_nonce)
        OCSP_basic_add1_nonce(basic, (uint8_t *)(char[]){"xxxxxxxxxxxxxxxx"}, 16);
    assert_int_equal(OCSP_basic_sign(basic, signer, key, EVP_sha256(), NULL, 0), 1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    int n = i2d_OCSP_RESPONSE(response, &der);
    uint8_t *out = malloc((size_t)n);
    memcpy(out, der, (size_t)n);

    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_REQUEST_free(request);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    ASN1_TIME_free(since);
    X509_free(signer);
    EVP_PKEY_free(key);
    pki_bytes_free(&request_der);
    pki_bytes_free(&ca_pem);
    pki_bytes_free(&ca_key);
    return view_of(out, (size_t)n);
}

static void ocsp_says(struct world *w, const struct answer *a, struct view nonce, enum pki_status status,
                      const char *detail)
{
    struct pki_revocation r;
    struct view answer = respond(w, a);
    pki_ocsp_judge(w->chain, 0, answer, nonce, NOW, &r);
    if (r.status != status || strstr(r.detail, detail) == NULL)
        fail_msg("status %d: \"%s\" does not say \"%s\"", r.status, r.detail, detail);
    free((void *)(uintptr_t)answer.p);
}

static void an_answer_of_the_issuer_is_believed_while_it_is_good(void **state)
{
    struct world *w = *state;
    struct answer a = {V_OCSP_CERTSTATUS_GOOD, NOW - 60, NOW + DAY, w->middle, NULL, true, false};
    ocsp_says(w, &a, NONCE, PKI_STATUS_GOOD, "");
    a.with_nonce = false; /* from a cache */
    ocsp_says(w, &a, NONCE, PKI_STATUS_GOOD, "");
    ocsp_says(w, &a, VIEW_NONE, PKI_STATUS_GOOD, "");
    a.other_nonce = true;
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "to another question");
    a.other_nonce = false;
    a.status = V_OCSP_CERTSTATUS_REVOKED;
    ocsp_says(w, &a, NONCE, PKI_STATUS_REVOKED, "was revoked on 2027-01-12 08:00 UTC (keyCompromise).");
    a.status = V_OCSP_CERTSTATUS_UNKNOWN;
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "does not know the certificate");
    a.status = V_OCSP_CERTSTATUS_GOOD;
    a.until = NOW - 1000;
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "out of date");
    a.from = NOW + 1000;
    a.until = NOW + DAY;
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "out of date");
    a.from = NOW - 7200; /* without an end it is good for an hour */
    a.until = 0;
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "out of date");
    a.from = NOW - 600;
    ocsp_says(w, &a, NONCE, PKI_STATUS_GOOD, "");
}

static void nobody_else_may_answer(void **state)
{
    struct world *w = *state;
    struct pki_plan plan = rig_plan("mallory", NULL);
    struct pki_issued client = rig_issue(w->middle, &plan);
    struct answer a = {V_OCSP_CERTSTATUS_GOOD, NOW - 60, NOW + DAY, w->middle, &client, true, false};
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "not signed by one who may"); /* of the issuer, but no responder */
    a.by = NULL;
    a.ca = w->stranger; /* the issuer's name, another key */
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "not signed by one who may");
    a.ca = w->root;
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "not signed by one who may");
    pki_issued_done(&client);
}

/* A certificate with the usage OCSPSigning from the issuer of what is asked about. */
static struct pki_issued responder_of(const struct pki_ca *ca)
{
    struct pki_issued out = {0};
    struct pki_bytes ca_pem = {0}, ca_key = {0};
    assert_int_equal(pki_ca_pem(ca, &ca_pem, &ca_key), ERR_OK);
    X509 *issuer = read_x509(bytes_view(&ca_pem)), *x = X509_new();
    EVP_PKEY *key = EVP_EC_gen("P-256"), *signer = read_key(bytes_view(&ca_key));
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 99);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const uint8_t *)"responder", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer));
    ASN1_TIME_set(X509_getm_notBefore(x), NOW - DAY);
    ASN1_TIME_set(X509_getm_notAfter(x), NOW + DAY);
    X509_set_pubkey(x, key);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "OCSPSigning");
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    X509_sign(x, signer, EVP_sha256());
    BIO *bio = BIO_new(BIO_s_mem());
    char *p;
    PEM_write_bio_X509(bio, x);
    long n = BIO_get_mem_data(bio, &p);
    out.certificate = (struct pki_bytes){strndup(p, (size_t)n), (size_t)n};
    BIO_free(bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    n = BIO_get_mem_data(bio, &p);
    out.key = (struct pki_bytes){strndup(p, (size_t)n), (size_t)n};
    BIO_free(bio);
    X509_free(x);
    X509_free(issuer);
    EVP_PKEY_free(key);
    EVP_PKEY_free(signer);
    pki_bytes_free(&ca_pem);
    pki_bytes_free(&ca_key);
    return out;
}

static void a_delegate_of_the_issuer_may(void **state)
{
    struct world *w = *state;
    struct pki_issued delegate = responder_of(w->middle), others = responder_of(w->root);
    struct answer a = {V_OCSP_CERTSTATUS_REVOKED, NOW - 60, NOW + DAY, w->middle, &delegate, true, false};
    ocsp_says(w, &a, NONCE, PKI_STATUS_REVOKED, "keyCompromise");
    a.by = &others;
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "not signed by one who may");
    pki_issued_done(&delegate);
    pki_issued_done(&others);
}

static void what_is_no_answer_tells_nothing(void **state)
{
    struct world *w = *state;
    struct pki_revocation r;
    static const uint8_t try_later[] = {0x30, 0x03, 0x0a, 0x01, 0x03};
    pki_ocsp_judge(w->chain, 0, VIEW(try_later), VIEW_NONE, NOW, &r);
    assert_int_equal(r.status, PKI_STATUS_UNKNOWN);
    assert_string_equal(r.detail, "The OCSP responder refused: trylater.");
    pki_ocsp_judge(w->chain, 0, VIEW_NONE, VIEW_NONE, NOW, &r);
    assert_string_equal(r.detail, "The OCSP answer cannot be read.");
    struct answer a = {V_OCSP_CERTSTATUS_GOOD, NOW - 60, NOW + DAY, w->middle, NULL, true, false};
    struct view answer = respond(w, &a);
    pki_ocsp_judge(w->chain, 1, answer, NONCE, NOW, &r); /* about alice, not about her authority */
    assert_int_equal(r.status, PKI_STATUS_UNKNOWN);
    pki_ocsp_judge(w->chain, 2, answer, NONCE, NOW, &r); /* nobody answers for a root */
    assert_int_equal(r.status, PKI_STATUS_UNKNOWN);
    free((void *)(uintptr_t)answer.p);
    struct pki_bytes out = {0};
    assert_int_not_equal(pki_ocsp_request(w->chain, 2, VIEW_NONE, &out), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_tells_where_to_ask),
        cmocka_unit_test(a_crl_is_believed_from_the_issuer_alone_and_while_it_is_good),
        cmocka_unit_test(crls_of_the_trust_are_asked_by_themselves),
        cmocka_unit_test(what_is_no_crl_is_not_read),
        cmocka_unit_test(an_answer_of_the_issuer_is_believed_while_it_is_good),
        cmocka_unit_test(nobody_else_may_answer),
        cmocka_unit_test(a_delegate_of_the_issuer_may),
        cmocka_unit_test(what_is_no_answer_tells_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
