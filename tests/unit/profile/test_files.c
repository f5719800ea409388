/* What a profile reads: itself, secrets, credentials, certificates; and what is then still to be asked for. */
#include "tests/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profile/profile_internal.h"

static char directory[64];
static struct config_error e;

static const char *put(const char *name, const char *content, unsigned mode)
{
    static char path[4][128];
    static unsigned turn;
    char *here = path[turn++ % 4];
    snprintf(here, sizeof path[0], "%s/%s", directory, name);
    FILE *f = fopen(here, "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
    assert_int_equal(chmod(here, mode), 0);
    return here;
}

static struct profile *loaded(const char *content)
{
    struct profile *p = NULL;
    char sentence[CONFIG_ERROR_TEXT_MAX];
    if (profile_load(put("p.conf", content, 0600), &p, &e) != ERR_OK)
        fail_msg("%s", config_error_text(&e, sentence));
    return p;
}

static void secrets_that_others_may_read_are_refused(void **state)
{
    (void)state;
    struct profile *p = NULL;
    assert_int_equal(profile_load(put("p.conf", "server = a\npsk = x\n", 0644), &p, &e), ERR_INVALID);
    assert_non_null(strstr(e.sentence, "chmod o= "));
    assert_int_equal(profile_load(put("p.conf", "server = a\n", 0644), &p, &e), ERR_OK);
    profile_free(p);
    assert_int_equal(profile_load("/nonexistent", &p, &e), ERR_SYSTEM);
}

static void a_profile_comes_through_a_pipe(void **state)
{
    (void)state;
    struct profile *p = NULL;
    int fd[2];
    static const char text[] = "server = a\npsk = x\n";
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(write(fd[1], text, strlen(text)), strlen(text));
    close(fd[1]);
    assert_int_equal(profile_load_fd(fd[0], "office", &p, &e), ERR_OK);
    assert_string_equal(p->psk.value, "x");
    close(fd[0]);
    profile_free(p);
}

static void secrets_in_files_become_as_if_said(void **state)
{
    (void)state;
    char text[512];
    snprintf(text, sizeof text, "server = a\nuser = b\npsk_file = \"%s\"\npassword_file = \"%s\"\npsk_encoding = hex\n",
             put("psk", "666f6f\n", 0600), put("password", "geheim\r\n", 0640));
    struct profile *p = loaded(text);
    assert_int_equal(profile_needs(p), PROFILE_NEEDS_PSK | PROFILE_NEEDS_PASSWORD);
    assert_int_equal(profile_secrets(p, NULL, "p.conf", &e), ERR_OK);
    assert_string_equal(p->password.value, "geheim");
    assert_string_equal(p->password.file, "");
    assert_int_equal(p->key.n, 3);
    assert_memory_equal(p->key.p, "foo", 3);
    assert_int_equal(profile_needs(p), 0);
    assert_int_equal(profile_check(p, &e), ERR_OK);
    profile_free(p);
}

static void a_file_holds_the_longest_key_as_it_is_written(void **state)
{
    (void)state;
    char text[512], hex[2 * CONFIG_SECRET_MAX + 3];
    memset(hex, 'a', sizeof hex);
    hex[2 * CONFIG_SECRET_MAX] = '\0';
    snprintf(text, sizeof text, "server = a\nuser = b\npsk_file = \"%s\"\npsk_encoding = hex\n", put("psk", hex, 0600));
    struct profile *p = loaded(text);
    assert_int_equal(profile_secrets(p, NULL, "p.conf", &e), ERR_OK);
    assert_int_equal(p->key.n, CONFIG_SECRET_MAX);
    profile_free(p);
    strcpy(hex + 2 * CONFIG_SECRET_MAX, "aa");
    put("psk", hex, 0600);
    p = loaded(text);
    assert_int_equal(profile_secrets(p, NULL, "p.conf", &e), ERR_INVALID);
    assert_string_equal(e.key, "psk_file");
    profile_free(p);
}

/* In clear a key is no longer than the bytes that it has. */
static void a_key_that_is_too_long_is_told(void **state)
{
    (void)state;
    char text[512], key[CONFIG_SECRET_MAX + 2];
    memset(key, 'a', sizeof key);
    key[CONFIG_SECRET_MAX + 1] = '\0';
    snprintf(text, sizeof text, "server = a\nuser = b\npsk_file = \"%s\"\n", put("psk", key, 0600));
    struct profile *p = loaded(text);
    assert_int_equal(profile_secrets(p, NULL, "p.conf", &e), ERR_INVALID);
    assert_string_equal(e.sentence, "The key is longer than 256 bytes, which is the limit.");
    profile_free(p);
}

static void a_file_with_a_secret_must_be_its_owners(void **state)
{
    (void)state;
    char text[256];
    snprintf(text, sizeof text, "server = a\npassword_file = \"%s\"\n", put("password", "x\n", 0604));
    struct profile *p = loaded(text);
    assert_int_equal(profile_secrets(p, NULL, "p.conf", &e), ERR_INVALID);
    assert_string_equal(e.key, "password_file");
    assert_string_equal(e.file, "p.conf");
    profile_free(p);
}

/* What the service manager hands over stands in where the profile says nothing, and only there. */
static void credentials_fill_what_is_missing(void **state)
{
    (void)state;
    struct profile *p = loaded("server = a\nuser = b\npassword = mine\n");
    put("psk", "from the manager\n", 0400);
    put("password", "not taken\n", 0400);
    put("tunnel-secret", "t\n", 0400);
    assert_int_equal(profile_secrets(p, directory, "p.conf", &e), ERR_OK);
    assert_string_equal(p->psk.value, "from the manager");
    assert_string_equal(p->password.value, "mine");
    assert_string_equal(p->l2tp.secret.value, "t");
    assert_string_equal(p->certificate.password.value, "");
    profile_free(p);
}

static void a_locked_key_needs_its_password(void **state)
{
    (void)state;
    static const struct {
        const char *content;
        uint32_t needs;
    } files[] = {
        {"-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n", 0},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", PROFILE_NEEDS_CERTIFICATE_PASSWORD},
        {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", PROFILE_NEEDS_CERTIFICATE_PASSWORD},
        {"0\x82\x01\x01", PROFILE_NEEDS_CERTIFICATE_PASSWORD}, /* PKCS#12 */
    };
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char text[256];
        snprintf(text, sizeof text, "server = a\nuser = b\npassword = c\ncertificate { file = \"%s\" }\n",
                 put("cert", files[i].content, 0644));
        struct profile *p = loaded(text);
        assert_int_equal(profile_secrets(p, NULL, "p.conf", &e), ERR_OK);
        assert_int_equal(profile_needs(p), files[i].needs);
        profile_free(p);
    }
}

static void a_certificate_that_cannot_be_read_is_told(void **state)
{
    (void)state;
    struct profile *p = loaded("server = a\ncertificate { file = \"/nonexistent/a.p12\" }\n");
    assert_int_equal(profile_secrets(p, NULL, "p.conf", &e), ERR_SYSTEM);
    assert_string_equal(e.key, "certificate.file");
    profile_free(p);
}

static void a_user_with_a_certificate_alone_needs_no_password(void **state)
{
    (void)state;
    struct profile *p = loaded("server = a\ncertificate { file = \"/c\" }\nppp { methods = { eap-tls } }\n");
    assert_int_equal(profile_needs(p), PROFILE_NEEDS_USER);
    profile_free(p);
}

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/sekisho-profile-XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    static const char *const names[] = {"p.conf", "psk", "password", "tunnel-secret", "cert"};
    char path[128];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(secrets_that_others_may_read_are_refused, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_profile_comes_through_a_pipe, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(secrets_in_files_become_as_if_said, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_file_holds_the_longest_key_as_it_is_written, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(a_key_that_is_too_long_is_told, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_file_with_a_secret_must_be_its_owners, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(credentials_fill_what_is_missing, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_locked_key_needs_its_password, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_certificate_that_cannot_be_read_is_told, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(a_user_with_a_certificate_alone_needs_no_password, make_directory,
                                        remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
