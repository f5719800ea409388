/* CRLs and OCSP answers about the links of a chain: whom they are believed from, and when. */
#include "tests/unit/pki/responder.h"

#include <openssl/ocsp.h>
#include <openssl/ui.h>

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

struct answer {
    struct rig_answer is;
    bool with_nonce; /* the question has ours */
};

static struct view respond(struct world *w, const struct answer *a)
{
    struct pki_bytes request = {0};
    assert_int_equal(pki_ocsp_request(w->chain, 0, a->with_nonce ? NONCE : VIEW_NONE, &request), ERR_OK);
    struct view out = rig_respond(bytes_view(&request), &a->is);
    pki_bytes_free(&request);
    return out;
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

static bool asked;

static int ask_somebody(UI *ui)
{
    (void)ui;
    asked = true;
    return 0;
}

/* A CRL may come from anybody on the way, and the gateway may have a terminal. */
static void nobody_is_asked_for_the_password_of_a_crl(void **state)
{
    struct world *w = *state;
    static const char text[] = "-----BEGIN X509 CRL-----\nProc-Type: 4,ENCRYPTED\n"
                               "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAAAAAAAAAAAAAAAAAAAA==\n"
                               "-----END X509 CRL-----\n";
    UI_METHOD *method = UI_create_method("nobody");
    const UI_METHOD *usual = UI_get_default_method();
    struct pki_crl *crl = NULL;
    char why[PKI_WHY_MAX];
    assert_int_equal(UI_method_set_opener(method, ask_somebody), 0);
    UI_set_default_method(method);
    assert_int_equal(pki_crl_read(view_str(text), &crl), ERR_MALFORMED);
    assert_int_not_equal(pki_trust_add_crls(w->trust, view_str(text), why), ERR_OK);
    UI_set_default_method(usual);
    UI_destroy_method(method);
    assert_false(asked);
}

static void an_answer_of_the_issuer_is_believed_while_it_is_good(void **state)
{
    struct world *w = *state;
    struct answer a = {{V_OCSP_CERTSTATUS_GOOD, NOW - 60, NOW + DAY, w->middle, NULL, false}, true};
    ocsp_says(w, &a, NONCE, PKI_STATUS_GOOD, "");
    a.with_nonce = false; /* from a cache */
    ocsp_says(w, &a, NONCE, PKI_STATUS_GOOD, "");
    ocsp_says(w, &a, VIEW_NONE, PKI_STATUS_GOOD, "");
    a.is.other_nonce = true;
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "to another question");
    a.is.other_nonce = false;
    a.is.status = V_OCSP_CERTSTATUS_REVOKED;
    ocsp_says(w, &a, NONCE, PKI_STATUS_REVOKED, "was revoked on 2027-01-12 08:00 UTC (keyCompromise).");
    a.is.status = V_OCSP_CERTSTATUS_UNKNOWN;
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "does not know the certificate");
    a.is.status = V_OCSP_CERTSTATUS_GOOD;
    a.is.until = NOW - 1000;
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "out of date");
    a.is.from = NOW + 1000;
    a.is.until = NOW + DAY;
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "out of date");
    a.is.from = NOW - 7200; /* without an end it is good for an hour */
    a.is.until = 0;
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "out of date");
    a.is.from = NOW - 600;
    ocsp_says(w, &a, NONCE, PKI_STATUS_GOOD, "");
}

static void nobody_else_may_answer(void **state)
{
    struct world *w = *state;
    struct pki_plan plan = rig_plan("mallory", NULL);
    struct pki_issued client = rig_issue(w->middle, &plan);
    struct answer a = {{V_OCSP_CERTSTATUS_GOOD, NOW - 60, NOW + DAY, w->middle, &client, false}, true};
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "not signed by one who may"); /* of the issuer, but no responder */
    a.is.by = NULL;
    a.is.ca = w->stranger; /* the issuer's name, another key */
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "not signed by one who may");
    a.is.ca = w->root;
    ocsp_says(w, &a, NONCE, PKI_STATUS_UNKNOWN, "not signed by one who may");
    pki_issued_done(&client);
}

static void a_delegate_of_the_issuer_may(void **state)
{
    struct world *w = *state;
    struct pki_issued delegate = rig_responder(w->middle), others = rig_responder(w->root);
    struct answer a = {{V_OCSP_CERTSTATUS_REVOKED, NOW - 60, NOW + DAY, w->middle, &delegate, false}, true};
    ocsp_says(w, &a, NONCE, PKI_STATUS_REVOKED, "keyCompromise");
    a.is.by = &others;
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
    struct answer a = {{V_OCSP_CERTSTATUS_GOOD, NOW - 60, NOW + DAY, w->middle, NULL, false}, true};
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
        cmocka_unit_test(nobody_is_asked_for_the_password_of_a_crl),
        cmocka_unit_test(a_delegate_of_the_issuer_may),
        cmocka_unit_test(what_is_no_answer_tells_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
