/* From files that a configuration names to a gateway that proves itself and judges others; and what is said when they
 * will not do. */
#include "tests/unit/pki/rig.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/gateway_internal.h"

static char folder[] = "/tmp/sekisho-certificates-XXXXXX";

static void write_file(const char *name, const struct pki_bytes *content)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fwrite(content->p, 1, content->n, f);
    fclose(f);
    assert_int_equal(chmod(path, 0600), 0);
}

struct world {
    struct pki_ca *ca, *other;
    struct pki_issued gateway, alice, stranger;
};

static struct pki_issued issue(const struct pki_ca *ca, const char *name, bool server)
{
    struct pki_plan plan = rig_plan(name, NULL);
    plan.from = time(NULL) - DAY;
    plan.until = plan.from + 30 * DAY;
    plan.server = server;
    plan.client = !server;
    return rig_issue(ca, &plan);
}

static struct pki_ca *make_ca(const char *name)
{
    char why[PKI_WHY_MAX];
    struct pki_ca *ca = NULL;
    const struct pki_ca_plan plan = {name, PKI_KIND_ECDSA_256, time(NULL) - DAY, time(NULL) + 300 * DAY, NULL};
    assert_int_equal(pki_ca_make(&plan, &ca, why), ERR_OK);
    return ca;
}

static int setup(void **state)
{
    static struct world w;
    struct pki_bytes pem = {0}, key = {0}, crl = {0};
    assert_non_null(mkdtemp(folder));
    w.ca = make_ca("Example Root");
    w.other = make_ca("Other Root");
    w.gateway = issue(w.ca, "vpn.example.com", true);
    w.alice = issue(w.ca, "alice", false);
    w.stranger = issue(w.other, "stranger", false);
    assert_int_equal(pki_ca_pem(w.ca, &pem, &key), ERR_OK);
    assert_int_equal(pki_crl_write(w.ca, NULL, 0, 1, time(NULL) - 60, time(NULL) + DAY, &crl), ERR_OK);
    write_file("ca.pem", &pem);
    write_file("ca.crl", &crl);
    write_file("gateway.pem", &w.gateway.certificate);
    write_file("gateway.key", &w.gateway.key);
    pki_bytes_free(&pem);
    pki_bytes_free(&key);
    pki_bytes_free(&crl);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char line[128];
    pki_issued_done(&w->gateway);
    pki_issued_done(&w->alice);
    pki_issued_done(&w->stranger);
    pki_ca_free(w->ca);
    pki_ca_free(w->other);
    snprintf(line, sizeof line, "rm -rf %s", folder);
    return system(line);
}

/* text: with %1$s where the folder goes. */
static enum err load(const char *text, struct certificates **out, char why[static CONFIG_ERROR_TEXT_MAX])
{
    char path[128], all[1024];
    struct config *c = NULL;
    struct config_error e;
    snprintf(path, sizeof path, "%s/sekisho.conf", folder);
    int n = snprintf(all, sizeof all, text, folder);
    const struct pki_bytes file = {all, (size_t)n};
    write_file("sekisho.conf", &file);
    enum err result = config_load(path, &c, &e);
    if (result == ERR_OK)
        result = certificates_new(c, path, out, &e);
    config_free(c);
    if (result != ERR_OK)
        config_error_text(&e, why);
    return result;
}

static void refuses(const char *text, const char *said)
{
    char why[CONFIG_ERROR_TEXT_MAX] = "";
    struct certificates *s = NULL;
    assert_int_not_equal(load(text, &s, why), ERR_OK);
    if (strstr(why, said) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", why, said);
}

#define GATEWAY   "certificate \"gateway\" { file = \"%1$s/gateway.pem\" key_file = \"%1$s/gateway.key\" }\n"
#define AUTHORITY "authority \"ours\" { file = \"%1$s/ca.pem\" crl_file = \"%1$s/ca.crl\" }\n"

static void what_will_not_do_is_told_with_line_and_key(void **state)
{
    (void)state;
    refuses("\ncertificate \"gateway\" { file = \"%1$s/none.pem\" }\n" AUTHORITY,
            "sekisho.conf:2: certificate \"gateway\".file: ");
    refuses(AUTHORITY "certificate \"gateway\" { file = \"%1$s/gateway.pem\" }\n",
            "sekisho.conf:2: certificate \"gateway\": ");
    refuses("certificate \"gateway\" { file = \"%1$s/gateway.pem\" }\n" AUTHORITY,
            "gateway.pem cannot be used. There is no private key in it that can be read.");
    refuses("certificate \"gateway\" { file = \"%1$s/ca.pem\" key_file = \"%1$s/gateway.key\" }\n" AUTHORITY,
            "No certificate in it belongs to the private key.");
    refuses(GATEWAY "authority \"ours\" { file = \"%1$s/gateway.pem\" }\n", "sekisho.conf:2: authority \"ours\": ");
    refuses(GATEWAY "authority \"ours\" { file = \"%1$s/gateway.pem\" }\n", "CN=vpn.example.com is no authority");
    refuses(GATEWAY "authority \"ours\" { file = \"%1$s/ca.pem\" crl_file = \"%1$s/ca.pem\" }\n",
            "ca.pem cannot be used. There is no CRL in it that can be read.");
}

/* A proof as ike makes it, of a client that holds this. */
static struct ike_proof *proof_of(const struct pki_issued *issued)
{
    struct rig_peer p;
    struct ike_proof *proof = calloc(1, sizeof *proof);
    rig_peer(&p, issued, NULL);
    proof->auth = IKE_AUTH_ECDSA_256;
    proof->cause = CAUSE_CERT_LATE;
    proof->hash_len = (uint8_t)p.shown.hash.n;
    memcpy(proof->hash, p.shown.hash.p, p.shown.hash.n);
    proof->signature_len = (uint16_t)p.shown.signature.n;
    memcpy(proof->signature, p.shown.signature.p, p.shown.signature.n);
    proof->id_type = p.shown.id.type;
    proof->identity_len = (uint16_t)p.shown.id.body.n;
    memcpy(proof->identity, p.shown.id.body.p, p.shown.id.body.n);
    proof->certificate_count = 1;
    proof->certificate_len[0] = (uint16_t)p.shown.certificates[0].n;
    memcpy(proof->chain, p.shown.certificates[0].p, p.shown.certificates[0].n);
    rig_peer_done(&p);
    return proof;
}

static void a_client_is_judged(void **state)
{
    struct world *w = *state;
    char why[CONFIG_ERROR_TEXT_MAX];
    struct certificates *s = NULL;
    if (load(GATEWAY AUTHORITY "ike { revocation = off }\n", &s, why) != ERR_OK)
        fail_msg("%s", why);
    struct ike_proof *alice = proof_of(&w->alice), *stranger = proof_of(&w->stranger);
    certificates_answer(s, time(NULL), alice);
    assert_int_equal(alice->cause, CAUSE_NONE);
    assert_string_equal(alice->subject, "CN=alice");
    certificates_answer(s, time(NULL), stranger);
    assert_int_equal(stranger->cause, CAUSE_CERT_UNKNOWN_CA);
    assert_string_equal(stranger->detail, "CN=stranger was issued by CN=Other Root.");
    free(alice);
    free(stranger);
    certificates_release(s);
}

static void the_gateway_signs_with_the_key_that_was_asked_for(void **state)
{
    (void)state;
    char why[CONFIG_ERROR_TEXT_MAX];
    struct certificates *s = NULL;
    struct ike_config ike = {0};
    if (load(GATEWAY AUTHORITY, &s, why) != ERR_OK)
        fail_msg("%s", why);
    certificates_settings(s, &ike);
    assert_int_equal(ike.credential_count, 1);
    assert_int_equal(ike.authority_count, 1);
    assert_string_equal(ike.credentials[0].name, "gateway");
    assert_int_equal(ike.credentials[0].auth, IKE_AUTH_ECDSA_256);
    assert_int_equal(ike.credentials[0].certificate_count, 1);

    struct ike_proof *proof = calloc(1, sizeof *proof);
    proof->sign = true;
    proof->cause = CAUSE_CERT_LATE;
    proof->hash_len = 20;
    snprintf(proof->credential, sizeof proof->credential, "another");
    certificates_answer(s, time(NULL), proof);
    assert_int_equal(proof->cause, CAUSE_CERT_LATE);
    snprintf(proof->credential, sizeof proof->credential, "gateway");
    certificates_answer(s, time(NULL), proof);
    assert_int_equal(proof->cause, CAUSE_NONE);
    assert_int_equal(proof->signature_len, 64);
    free(proof);
    certificates_release(s);
}

/* A reload takes the old set away from the gateway, not from a proof that is being worked on. */
static void a_set_lives_as_long_as_somebody_holds_it(void **state)
{
    struct world *w = *state;
    char why[CONFIG_ERROR_TEXT_MAX];
    struct certificates *s = NULL;
    assert_int_equal(load(GATEWAY AUTHORITY "ike { revocation = off }\n", &s, why), ERR_OK);
    struct certificates *held = certificates_hold(s);
    certificates_release(s);
    struct ike_proof *alice = proof_of(&w->alice);
    certificates_answer(held, time(NULL), alice);
    assert_int_equal(alice->cause, CAUSE_NONE);
    free(alice);
    certificates_release(held);
    certificates_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_will_not_do_is_told_with_line_and_key),
        cmocka_unit_test(a_client_is_judged),
        cmocka_unit_test(the_gateway_signs_with_the_key_that_was_asked_for),
        cmocka_unit_test(a_set_lives_as_long_as_somebody_holds_it),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
