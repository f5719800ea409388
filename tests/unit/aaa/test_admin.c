/* Administrators of the portal: password and one-time code, both or nothing. */
#include "tests/test.h"

#include "tests/unit/aaa/service.h"

#define PASSWORD "gate-keeper-1867"

static const struct ip_addr home = {4, {192, 0, 2, 1}};
static uint8_t secret[TOTP_SECRET_SIZE];

/* What a worker does between the two calls. */
static void hashed(const char *password, const uint8_t *salt, uint8_t hash[static ARGON2_HASH_SIZE])
{
    const struct view parts[] = {view_of(salt, ARGON2_SALT_SIZE), view_str(password)};
    assert_int_equal(hash_digest(HASH_SHA256, parts, 2, hash), ERR_OK); /* the store does not care how */
}

static struct aaa *with_admin(void)
{
    static const uint8_t salt[ARGON2_SALT_SIZE] = "salt of the sea";
    uint8_t hash[ARGON2_HASH_SIZE];
    struct aaa *a = service_fresh();
    hashed(PASSWORD, salt, hash);
    assert_int_equal(aaa_admin_acceptable("Root", view_str(PASSWORD), &service.why), ERR_OK);
    assert_int_equal(aaa_admin_add(a, "Root", salt, hash, SERVICE_WALL, secret, &service.why), ERR_OK);
    return a;
}

static const char *code_at(int64_t wall)
{
    static char code[TOTP_CODE_SIZE];
    assert_int_equal(totp_code(VIEW(secret), (uint64_t)wall / TOTP_STEP, code), ERR_OK);
    return code;
}

static enum err enter(struct aaa *a, const char *name, const char *password, const char *code, int64_t wall)
{
    uint8_t salt[ARGON2_SALT_SIZE], hash[ARGON2_HASH_SIZE];
    const usec_t now = (usec_t)(wall - SERVICE_WALL + 1) * USEC_SEC;
    const enum err result = aaa_admin_begin(a, name, &home, now, salt);
    if (result != ERR_OK)
        return result;
    hashed(password, salt, hash);
    return aaa_admin_judge(a, name, hash, code, &home, wall, now);
}

static void name_password_and_code_let_in_together(void **state)
{
    (void)state;
    struct aaa *a = with_admin();
    struct aaa_admin got;
    char wrong[TOTP_CODE_SIZE];
    snprintf(wrong, sizeof wrong, "%s", code_at(SERVICE_WALL));
    wrong[0] = wrong[0] == '9' ? '0' : (char)(wrong[0] + 1);
    assert_int_equal(enter(a, "root", PASSWORD, wrong, SERVICE_WALL), ERR_AUTH);
    assert_int_equal(enter(a, "root", PASSWORD, "", SERVICE_WALL), ERR_AUTH);
    assert_int_equal(enter(a, "root", "gate-keeper-1868", code_at(SERVICE_WALL), SERVICE_WALL), ERR_AUTH);
    assert_int_equal(enter(a, "nobody", PASSWORD, code_at(SERVICE_WALL), SERVICE_WALL), ERR_AUTH);
    assert_int_equal(enter(a, "root", PASSWORD, code_at(SERVICE_WALL), SERVICE_WALL), ERR_OK);
    assert_int_equal(aaa_admin_get(a, "ROOT", &got, &service.why), ERR_OK);
    assert_string_equal(got.name, "Root");
    assert_int_equal(got.last_login, SERVICE_WALL);
    aaa_close(a);
}

static void a_code_is_good_once_and_a_step_beside_its_own(void **state)
{
    (void)state;
    struct aaa *a = with_admin();
    const int64_t t = SERVICE_WALL / TOTP_STEP * TOTP_STEP;
    assert_int_equal(enter(a, "root", PASSWORD, code_at(t - 60), t), ERR_AUTH);
    assert_int_equal(enter(a, "root", PASSWORD, code_at(t + 60), t), ERR_AUTH);
    assert_int_equal(enter(a, "root", PASSWORD, code_at(t - 30), t), ERR_OK);
    assert_int_equal(enter(a, "root", PASSWORD, code_at(t - 30), t), ERR_AUTH); /* seen over a shoulder */
    assert_int_equal(enter(a, "root", PASSWORD, code_at(t + 30), t), ERR_OK);
    assert_int_equal(enter(a, "root", PASSWORD, code_at(t), t), ERR_AUTH); /* older than the last one taken */
    aaa_close(a);
}

static void too_many_wrong_ones_have_to_wait_before_any_hashing(void **state)
{
    (void)state;
    struct aaa *a = with_admin();
    for (int i = 0; i < 5; i++)
        assert_int_equal(enter(a, "root", "guess", "000000", SERVICE_WALL), ERR_AUTH);
    assert_int_equal(enter(a, "root", PASSWORD, code_at(SERVICE_WALL), SERVICE_WALL), ERR_LIMIT);
    assert_int_equal(enter(a, "root", PASSWORD, code_at(SERVICE_WALL + 90), SERVICE_WALL + 90), ERR_OK);
    for (int i = 0; i < 5; i++) /* a name of no one waits just so */
        assert_int_equal(enter(a, "nobody", "guess", "000000", SERVICE_WALL), ERR_AUTH);
    assert_int_equal(enter(a, "nobody", "guess", "000000", SERVICE_WALL), ERR_LIMIT);
    service_add(a, "root"); /* and users of that name do not: those are others */
    assert_true(service_login(a, "root", "secret", 1).accepted);
    aaa_close(a);
}

static void the_salt_of_no_one_is_always_the_same(void **state)
{
    (void)state;
    struct aaa *a = with_admin();
    uint8_t salt[3][ARGON2_SALT_SIZE];
    assert_int_equal(aaa_admin_begin(a, "nobody", &home, 1, salt[0]), ERR_OK);
    assert_int_equal(aaa_admin_begin(a, "Nobody", &home, 2, salt[1]), ERR_OK);
    assert_int_equal(aaa_admin_begin(a, "other", &home, 2, salt[2]), ERR_OK);
    assert_memory_equal(salt[0], salt[1], sizeof salt[0]);
    assert_memory_not_equal(salt[0], salt[2], sizeof salt[0]);
    aaa_close(a);
}

static void password_and_secret_are_changed_and_the_old_ones_are_no_good(void **state)
{
    (void)state;
    static const uint8_t salt[ARGON2_SALT_SIZE] = {9};
    struct aaa *a = with_admin();
    uint8_t hash[ARGON2_HASH_SIZE];
    hashed("another-keeper-1868", salt, hash);
    assert_int_equal(aaa_admin_password(a, "root", salt, hash, &service.why), ERR_OK);
    assert_int_equal(enter(a, "root", PASSWORD, code_at(SERVICE_WALL), SERVICE_WALL), ERR_AUTH);
    char old[TOTP_CODE_SIZE];
    snprintf(old, sizeof old, "%s", code_at(SERVICE_WALL));
    assert_int_equal(aaa_admin_totp(a, "ROOT", secret, &service.why), ERR_OK);
    assert_int_equal(enter(a, "root", "another-keeper-1868", old, SERVICE_WALL), ERR_AUTH);
    assert_int_equal(enter(a, "root", "another-keeper-1868", code_at(SERVICE_WALL), SERVICE_WALL), ERR_OK);
    assert_int_equal(aaa_admin_del(a, "root", &service.why), ERR_OK);
    assert_int_equal(aaa_admin_del(a, "root", &service.why), ERR_NOTFOUND);
    assert_int_equal(enter(a, "root", "another-keeper-1868", code_at(SERVICE_WALL + 30), SERVICE_WALL), ERR_AUTH);
    assert_int_equal(aaa_admin_password(a, "root", salt, hash, &service.why), ERR_NOTFOUND);
    assert_int_equal(aaa_admin_acceptable("root", view_str("short"), &service.why), ERR_INVALID);
    assert_int_equal(aaa_admin_acceptable("a b", view_str(PASSWORD), &service.why), ERR_INVALID);
    aaa_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_password_and_code_let_in_together),
        cmocka_unit_test(a_code_is_good_once_and_a_step_beside_its_own),
        cmocka_unit_test(too_many_wrong_ones_have_to_wait_before_any_hashing),
        cmocka_unit_test(the_salt_of_no_one_is_always_the_same),
        cmocka_unit_test(password_and_secret_are_changed_and_the_old_ones_are_no_good),
    };
    return cmocka_run_group_tests(tests, service_folder, service_away);
}
