/* An authority's life from the command line, in a directory that did not exist. */
#include "tests/test.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli_internal.h"

static char folder[] = "/tmp/sekisho-pki-XXXXXX";

struct run {
    char *out, *err;
    int status;
};

/* line: words parted by blanks; --directory is added. */
static struct run command(const char *line)
{
    struct run r = {0};
    char words[512], *argv[24] = {(char[]){"sekisho"}}, *next = words, directory[64];
    int argc = 1;
    size_t n;
    snprintf(words, sizeof words, "pki %s", line);
    for (char *word; (word = strsep(&next, " ")) != NULL;)
        argv[argc++] = word;
    snprintf(directory, sizeof directory, "--directory=%s/pki", folder);
    argv[argc++] = directory;
    FILE *in = fmemopen((void *)(uintptr_t) "secret\n", 7, "r");
    FILE *out = open_memstream(&r.out, &n), *err = open_memstream(&r.err, &n);
    const struct cli_io io = {in, out, err, true};
    r.status = cli_run(&io, argc, argv);
    fclose(in);
    fclose(out);
    fclose(err);
    return r;
}

static void says(const char *line, int status, const char *said)
{
    struct run r = command(line);
    if (r.status != status || strstr(status == CLI_OK ? r.out : r.err, said) == NULL)
        fail_msg("%s: status %d, \"%s%s\" does not say \"%s\"", line, r.status, r.out, r.err, said);
    free(r.out);
    free(r.err);
}

static void has_mode(const char *name, mode_t mode)
{
    struct stat st;
    char path[128];
    snprintf(path, sizeof path, "%s/pki/%s", folder, name);
    assert_int_equal(stat(path, &st), 0);
    if ((st.st_mode & 0777) != mode)
        fail_msg("%s has mode %o", name, st.st_mode & 0777);
}

static struct pki_bytes file(const char *name)
{
    struct pki_bytes out = {calloc(1, 65536), 0};
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    out.n = fread(out.p, 1, 65535, f);
    fclose(f);
    return out;
}

static struct view of(const struct pki_bytes *b)
{
    return view_of(b->p, b->n);
}

/* What a gateway that trusts the authority, and has its list, says of alice's exported certificate. */
static enum cause judged(const char *exported, const char *password)
{
    char why[PKI_WHY_MAX];
    struct pki_bytes p12 = file(exported), ca = file("pki/ca.pem"), crl = file("pki/ca.crl");
    struct pki_credential *c = NULL;
    struct pki_trust *t = pki_trust_new();
    uint8_t signature[PKI_SIGNATURE_MAX];
    struct pki_verdict v;
    size_t n;
    if (pki_credential_read(of(&p12), VIEW_NONE, password, &c, why) != ERR_OK)
        fail_msg("%s", why);
    assert_int_equal(pki_trust_add_authorities(t, of(&ca), why), ERR_OK);
    assert_int_equal(pki_trust_add_crls(t, of(&crl), why), ERR_OK);
    struct pki_presented shown = {.hash = view_str("0123456789abcdef0123"), .key = pki_credential_key(c)};
    shown.certificates = pki_credential_certificates(c, &shown.certificate_count);
    shown.id = pki_credential_id(c);
    assert_int_equal(pki_sign(c, shown.hash, signature, &n), ERR_OK);
    shown.signature = view_of(signature, n);
    pki_verify(t, &shown, time(NULL), &v);
    pki_chain_free(v.chain);
    pki_trust_free(t);
    pki_credential_free(c);
    pki_bytes_free(&p12);
    pki_bytes_free(&ca);
    pki_bytes_free(&crl);
    return v.cause;
}

static void an_authority_is_made_once(void **state)
{
    (void)state;
    says("list", CLI_FAILED, "make one with: sekisho pki init NAME");
    says("init Example --key p256 --years 0", CLI_USAGE, "--years takes a number from 1 to 50.");
    says("init Example --key dsa", CLI_USAGE, "--key can be one of rsa2048, rsa3072, rsa4096, p256, p384.");
    says("init Example --key p256 --crl-url http://127.0.0.1/ca.crl", CLI_OK,
         "The authority \"Example\" was made in /tmp/");
    says("init Another --key p256", CLI_FAILED, "already. Nothing was changed.");
    says("list", CLI_OK, "No certificate has been issued.");
    has_mode("", 0755);
    has_mode("private", 0700);
    has_mode("private/ca.key", 0600);
    has_mode("ca.pem", 0644);
    has_mode("ca.crl", 0644);
}

static void certificates_are_issued_under_names_that_files_can_have(void **state)
{
    (void)state;
    says("issue ../alice --for client", CLI_USAGE, "A name is 1 to 64 letters");
    says("issue ca --for client", CLI_USAGE, "and not \"ca\"");
    says("issue alice", CLI_USAGE, "--for server, --for client or --for both");
    says("issue gateway --for server", CLI_USAGE, "--san HOST");
    says("issue gateway --for server --key p256 --san *.example.com", CLI_FAILED,
         "\"*.example.com\" is no host name, address or mail address.");
    says("issue vpn.example.com --for server --key p256", CLI_OK, "A certificate for vpn.example.com was made");
    says("issue alice --for client --key p256 --days 30 --san alice@example.com", CLI_OK,
         "A certificate for alice was");
    says("issue alice --for client --key p256", CLI_FAILED,
         "There is a certificate for alice already. Revoke it first");
    has_mode("private/alice.key", 0600);
    has_mode("issued/alice.pem", 0644);

    struct pki_bytes pem = file("pki/issued/alice.pem");
    struct pki_info info;
    assert_int_equal(pki_info_read(of(&pem), &info), ERR_OK);
    assert_string_equal(info.subject, "CN=alice");
    assert_string_equal(info.issuer, "CN=Example");
    assert_true(info.client && !info.server);
    assert_in_range(info.until - time(NULL), 30 * 86400 - 60, 30 * 86400);
    pki_bytes_free(&pem);
}

static void they_are_taken_out_as_one_file(void **state)
{
    (void)state;
    char line[256];
    says("export alice", CLI_USAGE, "either --p12 FILE or --pem FILE");
    says("export bob --pem x", CLI_FAILED, "There is no certificate for bob.");
    snprintf(line, sizeof line, "export alice --p12 %s/alice.p12 --password-file -", folder);
    says(line, CLI_OK, "/alice.p12 was written.");
    snprintf(line, sizeof line, "export alice --modern --p12 %s/modern.p12 --password-file -", folder);
    says(line, CLI_OK, "/modern.p12 was written.");
    snprintf(line, sizeof line, "export alice --pem %s/alice.pem", folder);
    says(line, CLI_OK, "with the private key in clear");
    has_mode("../alice.p12", 0600);
    has_mode("../alice.pem", 0600);
    assert_int_equal(judged("alice.p12", "secret"), CAUSE_NONE);
    assert_int_equal(judged("modern.p12", "secret"), CAUSE_NONE);
    assert_int_equal(judged("alice.pem", NULL), CAUSE_NONE);

    snprintf(line, sizeof line, "export alice --p12 %s/made.p12 --generate", folder);
    struct run r = command(line);
    char password[32], *said = strstr(r.out, "Password: ");
    assert_non_null(said);
    snprintf(password, sizeof password, "%.23s", said + strlen("Password: "));
    assert_int_equal(judged("made.p12", password), CAUSE_NONE);
    free(r.out);
    free(r.err);
}

static void what_is_revoked_is_refused_and_may_be_issued_anew(void **state)
{
    (void)state;
    char line[256];
    says("revoke bob", CLI_FAILED, "There is no certificate for bob.");
    says("revoke alice", CLI_OK, "The certificate for alice is revoked.");
    says("revoke alice", CLI_OK, "The certificate for alice is revoked."); /* once more does no harm */
    says("list", CLI_OK, "alice            client");
    says("list", CLI_OK, "  revoked\n");
    says("list --json", CLI_OK, "\"state\": \"revoked\"");
    assert_int_equal(judged("alice.p12", "secret"), CAUSE_CERT_REVOKED);
    says("issue alice --for client --key p256", CLI_OK, "A certificate for alice was made");
    says("revoke", CLI_OK, "ca.crl was written");
    assert_int_equal(judged("alice.p12", "secret"), CAUSE_CERT_REVOKED); /* the old one still is */
    snprintf(line, sizeof line, "export alice --p12 %s/alice.p12 --password-file -", folder);
    says(line, CLI_OK, "/alice.p12 was written.");
    assert_int_equal(judged("alice.p12", "secret"), CAUSE_NONE);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char line[128];
    (void)state;
    snprintf(line, sizeof line, "rm -rf %s", folder);
    return system(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_authority_is_made_once),
        cmocka_unit_test(certificates_are_issued_under_names_that_files_can_have),
        cmocka_unit_test(they_are_taken_out_as_one_file),
        cmocka_unit_test(what_is_revoked_is_refused_and_may_be_issued_anew),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
